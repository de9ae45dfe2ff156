/* SPDX-License-Identifier: BSD-3-Clause */
/* Which transactions and alerts are noted as having reached a stage, and from when on. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static uint64_t reads;

/* A clock that is always 5 us ahead of the rig's. */
static uint64_t
rig_clock(const void *ctx)
{
	const struct rig *g = ctx;
	reads++;
	return g->now_ns + 5000;
}

static void
test_scanned(void **state)
{
	(void)state;
	struct rig g;
	struct rig_flow f;
	struct stats_latency *to = calloc(1, sizeof *to);
	struct span a = rig_tx(TO_NOTHING, 1, 10), b = rig_tx(TO_WATCHED, 2, 10);
	const struct hist *http = &to->feed[LATENCY_HTTP];
	rig_new(&g);
	struct stopwatch s = {rig_clock, &g, to};
	worker_stopwatch(g.w, &s);
	reads = 0;
	rig_open(&g, &f, 1);
	assert_int_equal(reads, 0); /* frames without a transaction cost nothing */
	rig_submit(&g, &f, a);
	assert_int_equal(hist_count(http), 1); /* with findings or without */
	assert_int_equal(reads, 1);
	rig_submit(&g, &f, b);
	assert_int_equal(hist_count(http), 2);
	assert_true(http->max_ns >= 5000 && http->max_ns <= 7000);
	rig_submit(&g, &f, a); /* a copy is not scanned again */
	assert_int_equal(hist_count(http), 2);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
	for (unsigned i = 0; i < LATENCY_FEED_COUNT; i++)
		assert_int_equal(to->feed[i].odd + (i == LATENCY_HTTP ? 0 : hist_count(&to->feed[i])), 0);
	rig_stop(&g);
	free((void *)(uintptr_t)a.p);
	free((void *)(uintptr_t)b.p);
	free(to);
}

/* An alert is caused by its transaction's frame, an update by the frame that changed it. */
static void
test_cause(void **state)
{
	(void)state;
	struct rig g;
	struct rig_flow f;
	struct text body = {0}, post = {0};
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_raw(&body, (struct span){rig_eip155, sizeof rig_eip155});
	text_post(&post, "", &body);
	rig_say(&g, &f, 0, text_span(&post));
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_true(g.alert[0].r.t_wire_ns != 0);
	assert_true(g.alert[0].r.t_cause_ns == g.alert[0].r.t_wire_ns);
	g.now_ns += 50000000;
	rig_answer(&g, &f);
	rig_drain(&g);
	for (uint32_t i = 1; i < g.alerts; i++) {
		const struct alert_record *r = &g.alert[i].r;
		assert_true(r->t_cause_ns >= g.alert[0].r.t_wire_ns + 50000000 && r->t_cause_ns <= g.now_ns);
	}
	text_free(&body);
	text_free(&post);
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scanned),
		cmocka_unit_test(test_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
