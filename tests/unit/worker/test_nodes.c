/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures per node and feed. That they add up to the counters is checked at the end of every rig, in all tests (rig.c). */
#include "rig.h"

#include "worker/worker_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERVER 1 /* last byte of the server's address, 10.0.0.1; the client's is 10.0.0.2 */

static void
place(struct nodes *n, unsigned node, uint8_t last, uint16_t port)
{
	struct node_place *p = &n->place[n->n_places++];
	*p = (struct node_place){.ip = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last}, .port = port, .node = (uint8_t)node};
	if (n->n < node)
		n->n = (uint8_t)node;
}

static void
key(struct flow_key *k, uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port)
{
	*k = (struct flow_key){.ip = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = from}, {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = to}},
		.port = {from_port, to_port}};
}

static void
whose(void **state)
{
	const struct {
		uint8_t from;
		uint16_t from_port;
		uint8_t to;
		uint16_t to_port;
		unsigned node, side;
	} rows[] = {
		{9, 50000, 8, 8545, 0, 1},
		{9, 50000, 1, 8545, 1, 1}, /* asked */
		{1, 50000, 9, 30303, 1, 0}, /* asks */
		{1, 50000, 2, 30303, 2, 1}, /* both: the responder's */
		{2, 50000, 1, 30303, 1, 1},
		{9, 50000, 3, 8545, 3, 1}, /* by port */
		{9, 50000, 3, 8645, 4, 1},
		{9, 50000, 3, 8745, 0, 1},
		{3, 50000, 9, 30303, 0, 1}, /* from another port than its own: not known */
		{3, 8545, 1, 30303, 3, 0},  /* told by its port, which the responder is not */
		{3, 8545, 3, 8645, 4, 1},
		{9, 50000, 5, 80, 6, 1},  /* the port's own node before the address's */
		{9, 50000, 5, 81, 5, 1},
	};
	struct nodes n = {0};
	place(&n, 1, 1, 0);
	place(&n, 2, 2, 0);
	place(&n, 3, 3, 8545);
	place(&n, 4, 3, 8645);
	place(&n, 5, 5, 0);
	place(&n, 6, 5, 80);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct flow_key k;
		unsigned side = 7;
		key(&k, rows[i].from, rows[i].from_port, rows[i].to, rows[i].to_port);
		unsigned node = nodes_of(&n, &k, &side);
		if (node != rows[i].node || side != rows[i].side)
			fail_msg("row %zu: node %u, side %u", i, node, side);
	}
}

static void
open_at(struct rig *g, struct rig_flow *f, unsigned number, uint16_t port)
{
	rig_join(f, number);
	f->port[1] = port;
	rig_frame(g, f, 0, f->isn[0], RIG_SYN, (struct span){0});
	rig_frame(g, f, 1, f->isn[1], RIG_SYN | RIG_ACK, (struct span){0});
	rig_frame(g, f, 0, f->isn[0] + 1, RIG_ACK, (struct span){0});
}

static void
submit(struct rig *g, struct rig_flow *f, uint64_t nonce)
{
	struct span tx = rig_tx(TO_WATCHED, nonce, 200);
	rig_submit(g, f, tx);
	free((void *)(uintptr_t)tx.p);
}

static const struct stats_node_feed *
of(const struct rig *g, unsigned node, unsigned feed)
{
	return &g->stats->nodes_lcore[0].of[node][feed];
}

static void
two_nodes(void **state)
{
	struct nodes n = {0};
	struct rig g;
	struct rig_flow f[3];
	place(&n, 1, SERVER, 8545);
	place(&n, 2, SERVER, 8645);
	rig_init(&g);
	g.config.nodes = &n;
	rig_start(&g);
	for (unsigned i = 0; i < 3; i++)
		open_at(&g, &f[i], i + 1, (uint16_t)(8545 + 100 * i));
	assert_int_equal(of(&g, 1, NODE_FEED_UNREAD)->opened, 1);
	assert_int_equal(of(&g, 1, NODE_FEED_UNREAD)->segments[0], 1);
	assert_int_equal(of(&g, 1, NODE_FEED_UNREAD)->segments[1], 2);
	for (unsigned i = 0; i < 6; i++)
		submit(&g, &f[i % 3], i < 3 ? 0 : i); /* the first is the same to all of them */
	uint64_t crossed = 0;
	for (unsigned node = 0; node < 3; node++) {
		const struct stats_node_feed *s = of(&g, node, NODE_FEED_HTTP);
		const struct rig_flow *flow = &f[node == 0 ? 2 : node - 1];
		assert_int_equal(s->crossed, 2);
		assert_int_equal(s->scanned, node == 1 ? 2 : 1);
		assert_int_equal(s->duplicate, node == 1 ? 0 : 1);
		assert_int_equal(s->hashes, g.c[CTR_NODE_HASHES] / 3);
		assert_int_equal(s->bytes[0], flow->sent[1]);
		assert_int_equal(s->bytes[1], flow->sent[0]);
		assert_int_equal(s->opened - s->closed, 1);
		assert_int_equal(of(&g, node, NODE_FEED_UNREAD)->closed, 1);
		assert_true(s->last_ns > 0 && s->last_ns < g.now_ns);
		assert_true(s->messages >= 2);
		crossed += s->crossed;
	}
	assert_int_equal(crossed, g.c[CTR_TX_CROSSED]);
	rig_stop(&g);
}

/* The node is who opens the connection: what the initiator sends is what the node sends. */
static void
node_asks(void **state)
{
	struct nodes n = {0};
	struct rig g;
	struct rig_flow f;
	place(&n, 1, 2, 0);
	rig_init(&g);
	g.config.nodes = &n;
	rig_start(&g);
	rig_open(&g, &f, 1);
	submit(&g, &f, 1);
	const struct stats_node_feed *s = of(&g, 1, NODE_FEED_HTTP);
	assert_int_equal(s->bytes[0], f.sent[0]);
	assert_int_equal(s->bytes[1], f.sent[1]);
	assert_int_equal(s->crossed, 1);
	rig_stop(&g);
}

static void
say(struct rig *g, struct rig_flow *f, unsigned dir, const char *s)
{
	rig_say(g, f, dir, (struct span){(const uint8_t *)s, (uint32_t)strlen(s)});
}

static void
feeds(void **state)
{
	static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"engine_forkchoiceUpdatedV3\",\"params\":[{}]}";
	struct rig g;
	struct rig_flow f[4];
	struct text post = {0}, body = {0};
	rig_new(&g);
	for (unsigned i = 0; i < 4; i++)
		rig_open(&g, &f[i], i + 1);
	text_add(&body, "%s", call);
	text_post(&post, "", &body);
	rig_say(&g, &f[0], 0, text_span(&post));
	say(&g, &f[1], 0, "{\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}");
	say(&g, &f[2], 0, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client's hello of TLS");
	say(&g, &f[3], 0, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	assert_int_equal(of(&g, 0, NODE_FEED_HTTP)->opened, 1);
	say(&g, &f[3], 1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	assert_int_equal(of(&g, 0, NODE_FEED_ENGINE)->messages, 1);
	assert_int_equal(of(&g, 0, NODE_FEED_ENGINE)->bytes[1], f[0].sent[0]);
	assert_int_equal(of(&g, 0, NODE_FEED_IPC)->messages, 1);
	assert_int_equal(of(&g, 0, NODE_FEED_UNREAD)->bytes[1], f[2].sent[0]);
	assert_int_equal(of(&g, 0, NODE_FEED_UNREAD)->closed, 3);
	assert_int_equal(of(&g, 0, NODE_FEED_HTTP)->closed, 1);
	assert_int_equal(of(&g, 0, NODE_FEED_WEBSOCKET)->opened, 1);
	rig_stop(&g);
	text_free(&post);
	text_free(&body);
}

static void
holes(void **state)
{
	struct nodes n = {0};
	struct rig g;
	struct rig_flow f;
	place(&n, 1, SERVER, 0);
	rig_init(&g);
	g.config.nodes = &n;
	rig_start(&g);
	rig_open(&g, &f, 1);
	submit(&g, &f, 1);
	f.sent[0] += 1000; /* lost */
	submit(&g, &f, 2);
	g.now_ns += 30000000000ull;
	worker_housekeep(g.w, g.now_ns);
	assert_int_equal(of(&g, 1, NODE_FEED_HTTP)->gap[1], 1000);
	assert_int_equal(of(&g, 1, NODE_FEED_HTTP)->gap[0], 0);
	assert_int_equal(of(&g, 1, NODE_FEED_HTTP)->bytes[1], f.sent[0] - 1000);
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose),
		cmocka_unit_test(two_nodes),
		cmocka_unit_test(node_asks),
		cmocka_unit_test(feeds),
		cmocka_unit_test(holes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
