/* SPDX-License-Identifier: BSD-3-Clause */
/* Time that does not go on as it should: the system's clock is set while packet times go on, or packet times themselves jump (captures put together, frames
 * stamped by somebody else). */
#include "rig.h"

#include "abi/memory.h"
#include "abi/ring.h"
#include "worker/correlator_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR (3600 * 1000000000ll)

static void
submit(struct rig *g, struct rig_flow *f, uint8_t to, uint64_t nonce)
{
	struct span tx = rig_tx(to, nonce, 200);
	rig_submit(g, f, tx);
	free((void *)(uintptr_t)tx.p);
	rig_drain(g);
}

/* Records carry wall times, what is kept packet times. */
static void
rings_carry_wall_times(void **state)
{
	static const uint8_t epoch[8] = {1};
	static uint8_t evidence[RING_EVIDENCE_ONE_MAX];
	_Atomic int64_t shift = 0;
	struct rig g;
	struct rig_flow f;
	struct correlator_rings out = {.shift_ns = &shift};
	struct ring_consumer in;
	rig_new(&g);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		assert_int_equal(ring_create(&out.lane[i], epoch, i, (enum ring_lane)i, 64, 0), 0);
	assert_int_equal(ring_attach(&in, out.lane[LANE_NORMAL].ring_fd, out.lane[LANE_NORMAL].evidence_fd, out.lane[LANE_NORMAL].cursor_fd), 0);
	out.ctr = g.stats->lcore[1].c;
	g.cor.reporter.outlet = correlator_ring_outlet;
	g.cor.reporter.outlet_ctx = &out;
	rig_open(&g, &f, 1);
	const int64_t steps[] = {0, HOUR, -HOUR, 50000000, -50000000};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct alert_record r;
		uint32_t n;
		uint64_t before = g.now_ns;
		atomic_store(&shift, steps[i]);
		submit(&g, &f, TO_PAGED, i);
		while (ring_read(&in, &r, evidence, &n) == 1 && r.kind != ALERT_KIND_ALERT)
			;
		assert_in_range(r.t_wire_ns - (uint64_t)steps[i], before, g.now_ns);
		assert_in_range(r.t_emitted_ns - (uint64_t)steps[i], before, g.now_ns);
		assert_true(r.t_armed_ns == 0 && r.t_announced_ns == 0 && r.t_ended_ns == 0);
		bool live;
		struct incident *kept = incident_find(&g.cor.reporter.incidents, r.dedupekey, g.now_ns, &live);
		assert_non_null(kept);
		assert_true(live);
		assert_in_range(kept->last_ns, before, g.now_ns);
		while (ring_read(&in, &r, evidence, &n) == 1)
			;
	}
	rig_stop(&g);
	ring_detach(&in);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		ring_destroy(&out.lane[i]);
}

/* What control remembers is in wall times. */
static void
memory_is_in_wall_times(void **state)
{
	static uint8_t bytes[MEMORY_BYTES(1, 0)] __attribute__((aligned(64)));
	struct memory_page *p = (struct memory_page *)bytes;
	struct memory_armed *a;
	_Atomic int64_t shift = -HOUR;
	uint8_t address[20] = {9};
	struct rig g;
	rig_new(&g);
	g.cor.shift_ns = &shift;
	*p = (struct memory_page){.magic = MEMORY_MAGIC, .version = MEMORY_VERSION, .header_bytes = sizeof *p, .armed_bytes = sizeof *a,
		.incident_bytes = sizeof(struct memory_incident), .n_armed = 1, .number = 1};
	a = (struct memory_armed *)(uintptr_t)memory_armed(p);
	*a = (struct memory_armed){.since_ns = g.now_ns - HOUR - 2000, .last_ns = g.now_ns - HOUR - 1000, .chain_id = 1, .rule_id = 6,
		.reasons = REASON(ENTRY), .score = 500};
	memcpy(a->address, address, 20);
	assert_int_equal(memory_check(p, sizeof bytes), 0);
	correlator_memory(&g.cor, p);
	correlator_poll(&g.cor, 1, g.now_ns);
	const struct watch_entry *e = watch_find(g.cor.watch, address, 1);
	assert_non_null(e);
	assert_int_equal(e->since_ns, g.now_ns - 2000);
	assert_int_equal(e->last_ns, g.now_ns - 1000);
	rig_stop(&g);
}

/* Whatever the times say, every transaction is judged once, the accounts add up and nothing is left behind; on a flow that goes on and on new ones. */
static void
packet_times_jump(void **state)
{
	static const int64_t steps[] = {HOUR, -HOUR, 50000000, -50000000, -2 * HOUR, 24 * HOUR, -24 * HOUR, 1, -1, 3 * HOUR, -HOUR / 60};
	struct rig g;
	struct rig_flow f, other;
	uint64_t told = 0;
	rig_init(&g);
	g.with_lives = true;
	rig_start(&g);
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < 4 * sizeof steps / sizeof steps[0]; i++) {
		submit(&g, &f, TO_PAGED, 2 * i);
		g.now_ns += (uint64_t)steps[i % (sizeof steps / sizeof steps[0])];
		if (i % 3 == 0)
			worker_housekeep(g.w, g.now_ns);
		rig_open(&g, &other, 2 + i);
		submit(&g, &other, TO_PAGED, 2 * i + 1);
		if (i % 2 == 0)
			rig_close(&g, &other);
		told += 2;
		assert_int_equal(g.c[CTR_TX_CROSSED], told);
		assert_int_equal(g.c[CTR_TX_SCANNED] + g.c[CTR_TX_DUPLICATE], told);
		assert_int_equal(g.c[CTR_TX_DUPLICATE], 0);
	}
	/* holes still come to an end: in the time that the clock says now */
	f.sent[0] += 500;
	submit(&g, &f, TO_PAGED, 1000);
	for (unsigned i = 0; i < 100; i++) {
		g.now_ns += 100000000;
		worker_housekeep(g.w, g.now_ns);
	}
	assert_int_equal(g.c[CTR_ST_OOO_HELD], 0);
	rig_drain(&g);
	assert_true(g.cc[CTR_ALERTS] + g.cc[CTR_UPDATES] + g.cc[CTR_SUPPRESSED_REPEAT] + g.cc[CTR_SUPPRESSED_STORM] >= told);
	rig_stop(&g);
}

/* The clock is set back for good: flows that came "later" still age, if only by their turn. */
static void
flows_age_after_a_step_back(void **state)
{
	struct rig g;
	struct rig_flow f;
	rig_new(&g);
	rig_open(&g, &f, 1);
	submit(&g, &f, TO_WATCHED, 1);
	g.now_ns -= HOUR;
	for (unsigned i = 0; i < 10; i++)
		worker_housekeep(g.w, g.now_ns);
	assert_int_equal(g.c[CTR_FLOWS], 1); /* is not idle for 2^64 ns less an hour */
	submit(&g, &f, TO_WATCHED, 2);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	g.now_ns += g.config.stream.idle_ns + 1000000000;
	worker_housekeep(g.w, g.now_ns);
	assert_int_equal(g.c[CTR_FLOWS], 0);
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_carry_wall_times),
		cmocka_unit_test(memory_is_in_wall_times),
		cmocka_unit_test(packet_times_jump),
		cmocka_unit_test(flows_age_after_a_step_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
