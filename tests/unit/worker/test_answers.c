/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node answers before its request is read: the request waits behind a hole in the capture. Identity 7 tells what was missed in the end. */
#include "bombs.h"

#include "worker/conn.h"

#define REQUESTS 4u

struct talk {
	struct scene s;
	struct text post[REQUESTS];
	uint32_t at[REQUESTS]; /* stream offsets */
};

static void
talk_begin(struct talk *t, struct rig_flow *f)
{
	memset(t, 0, sizeof *t);
	rig_init(&t->s.g);
	rig_start(&t->s.g);
	rig_open(&t->s.g, f, 1);
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct text body = {0};
		struct span tx = rig_tx(TO_WATCHED, t->s.nonce++, 300);
		text_add(&body, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x", 7 + i);
		text_hex(&body, tx);
		text_add(&body, "\"]}");
		text_post(&t->post[i], "", &body);
		t->at[i] = i > 0 ? t->at[i - 1] + t->post[i - 1].n : 0;
		text_free(&body);
		free((void *)(uintptr_t)tx.p);
	}
}

static void
request(struct talk *t, const struct rig_flow *f, unsigned i)
{
	rig_at(&t->s.g, f, 0, t->at[i], text_span(&t->post[i]));
}

/* The node's hash for request i; whose it is nobody can tell but by the id. */
static void
answer(struct talk *t, struct rig_flow *f, unsigned i)
{
	struct text body = {0}, head = {0};
	text_add(&body, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":\"0x%064u\"}", 7 + i, i);
	text_add(&head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %u\r\n\r\n", body.n);
	add_bytes(&head, body.p, body.n);
	rig_say(&t->s.g, f, 1, text_span(&head));
	text_free(&body);
	text_free(&head);
}

static void
talk_end(struct talk *t)
{
	rig_flush(&t->s.g);
	rig_check(&t->s.g, ID_FRAMES, ID_TRANSACTIONS);
	rig_check(&t->s.g, ID_NODE, ID_NODE);
	assert_int_equal(t->s.g.c[CTR_NODE_HASHES], REQUESTS);
}

static void
talk_free(struct talk *t)
{
	rig_stop(&t->s.g);
	for (unsigned i = 0; i < REQUESTS; i++)
		text_free(&t->post[i]);
}

/* The second request's frame comes late, behind the answers to all that follow it. */
static void
hole_that_is_filled(void **state)
{
	struct talk t;
	struct rig_flow f;
	talk_begin(&t, &f);
	request(&t, &f, 0);
	answer(&t, &f, 0);
	for (unsigned i = 2; i < REQUESTS; i++)
		request(&t, &f, i);
	for (unsigned i = 1; i < REQUESTS; i++)
		answer(&t, &f, i);
	assert_int_equal(t.s.g.c[CTR_NODE_HASHES], 1); /* of the others nothing is known yet */
	request(&t, &f, 1);
	assert_int_equal(t.s.g.c[CTR_NODE_SCANNED], REQUESTS);
	talk_end(&t);
	assert_int_equal(t.s.g.c[CTR_TX_SCANNED], REQUESTS);
	talk_free(&t);
}

/* It never comes: that one was missed, and no other. */
static void
hole_that_stays(void **state)
{
	struct talk t;
	struct rig_flow f;
	talk_begin(&t, &f);
	request(&t, &f, 0);
	answer(&t, &f, 0);
	for (unsigned i = 2; i < REQUESTS; i++)
		request(&t, &f, i);
	for (unsigned i = 1; i < REQUESTS; i++)
		answer(&t, &f, i);
	talk_end(&t);
	assert_int_equal(t.s.g.c[CTR_NODE_SCANNED] + t.s.g.c[CTR_NODE_DUPLICATE], REQUESTS - 1);
	assert_int_equal(t.s.g.c[CTR_NODE_MISSED_GAP], 1);
	talk_free(&t);
}

/* More answers than are kept: the oldest are put down as missed; the rest are not lost to it. */
static void
more_than_are_kept(void **state)
{
	struct talk t;
	struct rig_flow f;
	talk_begin(&t, &f);
	request(&t, &f, 1);
	for (unsigned i = 0; i < CONN_EARLY_MAX + 8; i++)
		answer(&t, &f, 100 + i);
	assert_int_equal(t.s.g.c[CTR_NODE_HASHES], 8);
	assert_int_equal(t.s.g.c[CTR_NODE_MISSED_GAP], 8);
	rig_flush(&t.s.g);
	rig_check(&t.s.g, ID_NODE, ID_NODE);
	assert_int_equal(t.s.g.c[CTR_NODE_HASHES], CONN_EARLY_MAX + 8);
	talk_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole_that_is_filled),
		cmocka_unit_test(hole_that_stays),
		cmocka_unit_test(more_than_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
