/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker does while its correlator is behind: the pipe stays short, the rest waits, what a node accepts comes out first, and nothing is
 * lost uncounted. */
#include "rig.h"

#include "abi/counters.h"
#include "eth/tx.h"
#include "worker/aside.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define DATA 4000u /* so long that few fit anywhere: many equal findings are told together */

static void
begin(struct rig *g, struct rig_flow *f)
{
	rig_init(g);
	g->config.aside_bytes = 512u << 10;
	g->with_lives = true;
	rig_start(g);
	for (unsigned i = 0; i < 2; i++)
		rig_open(g, &f[i], i + 1);
}

static void
submit(struct rig *g, struct rig_flow *f, uint64_t nonce)
{
	struct span tx = rig_tx(TO_PAGED, nonce, DATA);
	rig_submit(g, f, tx);
	free((void *)tx.p);
}

/* A request that waits for its answer; writes the transaction's hash. */
static void
ask(struct rig *g, struct rig_flow *f, uint64_t nonce, uint8_t hash[32])
{
	struct text body = {0}, post = {0};
	struct span raw = rig_tx(TO_PAGED, nonce, DATA);
	struct tx t;
	assert_int_equal(tx_decode(raw, &t), 0);
	tx_hash(&t, hash);
	text_raw(&body, raw);
	text_post(&post, "", &body);
	rig_say(g, f, 0, text_span(&post));
	free((void *)raw.p);
	text_free(&body);
	text_free(&post);
}

static void
accept_it(struct rig *g, struct rig_flow *f, const uint8_t hash[32])
{
	struct text yes = {0};
	text_add(&yes, "HTTP/1.1 200 OK\r\nContent-Length: 102\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(&yes, (struct span){hash, 32});
	text_add(&yes, "\"}");
	rig_say(g, f, 1, text_span(&yes));
	text_free(&yes);
}

/* Until all has come out. */
static void
let_all_come(struct rig *g)
{
	do {
		worker_housekeep(g->w, g->now_ns);
		g->now_ns += 1000;
	} while (correlator_poll(&g->cor, 64, g->now_ns) > 0);
	rig_drain(g);
}

static bool
told(const struct rig *g, uint64_t nonce)
{
	bool there = false;
	for (unsigned i = 0; i < g->alerts; i++)
		there |= g->alert[i].r.nonce == nonce;
	return there;
}

static void
waits_and_comes(void **state)
{
	struct rig g;
	struct rig_flow f[2];
	unsigned n = 0;
	begin(&g, f);
	while (g.c[CTR_TX_PUT_ASIDE] < 20)
		submit(&g, &f[0], n++);
	assert_in_range(pipe_fill(worker_pipe(g.w)), 1, ASIDE_ROOM_BYTES);
	assert_int_equal(g.c[CTR_TX_SCANNED], n);
	assert_int_equal(g.alerts, 0);
	let_all_come(&g);
	for (unsigned i = 0; i < n; i++)
		assert_true(told(&g, i));
	assert_int_equal(g.c[CTR_SUPPRESSED_RING_FULL], 0);
	assert_int_equal(g.c[CTR_FACTS_LEFT_OUT], 0);
	rig_stop(&g);
}

static void
accepted_comes_first(void **state)
{
	struct rig g;
	struct rig_flow f[2];
	uint8_t hash[32];
	unsigned n = 1000;
	begin(&g, f);
	while (g.c[CTR_TX_PUT_ASIDE] < 20)
		submit(&g, &f[0], n++);
	ask(&g, &f[1], 1, hash);
	for (unsigned i = 0; i < 20; i++)
		submit(&g, &f[0], n++);
	assert_int_equal(g.c[CTR_TX_ASIDE_ACCEPTED], 0);
	accept_it(&g, &f[1], hash);
	assert_int_equal(g.c[CTR_TX_ASIDE_ACCEPTED], 1);
	while (correlator_poll(&g.cor, 1, g.now_ns) > 0)
		;
	/* it is out, and those that were before it are not */
	assert_true(told(&g, 1));
	assert_false(told(&g, n - 1));
	assert_int_equal(g.alert[g.alerts - 1].r.nonce, 1);
	assert_int_equal(g.alert[g.alerts - 1].r.node, NODE_ACCEPTED);
	assert_int_equal(g.alert[g.alerts - 1].lane, LANE_CRITICAL);
	let_all_come(&g);
	assert_true(told(&g, n - 1));
	assert_int_equal(g.c[CTR_SUPPRESSED_RING_FULL], 0);
	rig_stop(&g);
}

static void
oldest_is_dropped(void **state)
{
	struct rig g;
	struct rig_flow f[2];
	unsigned n = 0;
	begin(&g, f);
	while (g.c[CTR_SUPPRESSED_RING_FULL] < 3)
		submit(&g, &f[0], n++);
	let_all_come(&g);
	unsigned lost = 0, first = 0;
	for (unsigned i = 0; i < n; i++) {
		first = lost == 0 && !told(&g, i) ? i : first;
		lost += !told(&g, i);
	}
	assert_int_equal(lost, g.c[CTR_SUPPRESSED_RING_FULL]);
	assert_true(told(&g, n - 1));
	/* it is told when it comes again */
	submit(&g, &f[0], first);
	let_all_come(&g);
	assert_true(told(&g, first));
	rig_stop(&g);
}

/* What is accepted or proven after it was dropped, or was never there, does no harm; nor does the end while much waits. */
static void
late_words(void **state)
{
	struct rig g;
	struct rig_flow f[2];
	uint8_t hash[32];
	unsigned n = 10;
	begin(&g, f);
	while (g.c[CTR_TX_PUT_ASIDE] == 0)
		submit(&g, &f[0], n++);
	ask(&g, &f[1], 1, hash);
	while (g.c[CTR_SUPPRESSED_RING_FULL] < 20)
		submit(&g, &f[0], n++);
	accept_it(&g, &f[1], hash);
	assert_int_equal(g.c[CTR_TX_ASIDE_ACCEPTED], 0);
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_and_comes),
		cmocka_unit_test(accepted_comes_first),
		cmocka_unit_test(oldest_is_dropped),
		cmocka_unit_test(late_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
