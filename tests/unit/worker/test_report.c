/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents that are lost, evicted, remembered or renamed: what a node accepts is told all the same, once. */
#include "cases.h"

#include "abi/memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig g;

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

static int
setup(void **state)
{
	begin(&g, TO_PAUSED);
	return 0;
}

static int
setup_small(void **state)
{
	rig_init(&g);
	g.with_lives = true;
	g.lives_txs = 4096;
	g.incidents = 64;
	g.protect = guard(TO_PAUSED);
	rig_start(&g);
	return 0;
}

/* The normal lane is full when it is found; the critical one is not when it is accepted. */
static void
lost_at_first(void **state)
{
	struct made m = {.to = TO_PAUSED}, other = {.to = TO_PAUSED, .nonce = 1};
	make(&m);
	make(&other);
	g.outlet_full = true;
	cross(&g, &m);
	cross(&g, &other);
	g.outlet_full = false;
	assert_int_equal(g.alerts, 0);
	node(&g, &m, true);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	assert_memory_equal(last(&g)->r.hash, m.hash, 32);
	assert_false(last(&g)->r.has & HAS_SUPERSEDES);
	assert_int_equal(last(&g)->evidence_len, m.n); /* nobody has it yet */
	proof(&g, &m, false, true, 0);
	proof(&g, &m, true, true, 0);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	assert_true(last(&g)->r.has & HAS_SUPERSEDES);
	/* the other one is seen again, by another way: it is news still */
	seen_forget(g.w->seen, seen_fingerprint(g.w->seen, bytes_of(&other)));
	cross(&g, &other);
	assert_int_equal(alerts_on(&g, &other, NULL), 1);
}

/* Lost when it was accepted, too: the next word on it brings it. */
static void
lost_twice(void **state)
{
	struct made m = {.to = TO_PAUSED};
	make(&m);
	g.outlet_full = true;
	cross(&g, &m);
	node(&g, &m, true);
	g.outlet_full = false;
	proof(&g, &m, false, true, 0);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	proof(&g, &m, true, true, 0);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
}

/* As many others as both tables hold several times come between finding and acceptance. */
static void
evicted_then_accepted(void **state)
{
	struct made m = {.to = TO_PAUSED};
	make(&m);
	cross(&g, &m);
	for (unsigned i = 0; i < 600; i++) {
		struct made decoy = {.to = TO_PAUSED, .nonce = 1000 + i};
		make(&decoy);
		cross(&g, &decoy);
	}
	assert_true(g.cc[CTR_SUSPECTS_EVICTED] > 400);
	assert_int_equal(alerts_on(&g, &m, NULL), 1);
	unsigned n = g.alerts;
	accepted_and_proven(&g, &m);
	const struct rig_alert *a = NULL;
	assert_int_equal(alerts_on(&g, &m, &a), 4); /* found, accepted, proven, paused */
	assert_int_equal(g.alert[n].lane, LANE_CRITICAL);
	assert_memory_equal(g.alert[n].r.hash, m.hash, 32);
	assert_int_equal(a->r.grade, GRADE_PAUSE);
	/* and stays, whatever comes */
	for (unsigned i = 0; i < 600; i++) {
		struct made decoy = {.to = TO_PAUSED, .nonce = 2000 + i};
		make(&decoy);
		cross(&g, &decoy);
	}
	struct made block_of[1] = {m};
	const struct made *txs[] = {block_of};
	block(&g, 1, 0, txs, 1);
	assert_int_equal(alerts_on(&g, &m, &a), 5);
	assert_int_equal(a->r.ending, ENDING_INCLUDED);
	assert_true(a->r.has & HAS_SUPERSEDES);
}

/* Nobody had time for its sender: it is told without, and with once a node accepts it. One that was told
 * keeps its key. */
static void
sender_later(void **state)
{
	struct made m = {.to = TO_PAUSED};
	make(&m);
	g.cor.patient = false;
	g.cor.now_ns = g.now_ns; /* no time has passed: there is none for senders */
	cross(&g, &m);
	assert_int_equal(g.alerts, 1);
	assert_true(last(&g)->r.trust & TRUST_SENDER_SKIPPED);
	uint8_t key[32];
	memcpy(key, last(&g)->r.dedupekey, 32);
	node(&g, &m, true);
	assert_int_equal(g.alerts, 2);
	assert_true(last(&g)->r.has & HAS_FROM);
	assert_memory_equal(last(&g)->r.from, m.from, 20);
	assert_memory_equal(last(&g)->r.dedupekey, key, 32);
	assert_true(last(&g)->r.has & HAS_SUPERSEDES);
	proof(&g, &m, false, true, 0);
	proof(&g, &m, true, true, 0);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	assert_memory_equal(last(&g)->r.dedupekey, key, 32);
}

/* ---- memory ---- */

static uint8_t page_bytes[MEMORY_BYTES(8, 8)] __attribute__((aligned(64)));

static struct memory_page *
page(uint32_t armed, uint32_t incidents)
{
	struct memory_page *p = (struct memory_page *)page_bytes;
	memset(page_bytes, 0, sizeof page_bytes);
	*p = (struct memory_page){.magic = MEMORY_MAGIC,
		.version = MEMORY_VERSION,
		.header_bytes = sizeof *p,
		.armed_bytes = sizeof(struct memory_armed),
		.incident_bytes = sizeof(struct memory_incident),
		.n_armed = armed,
		.n_incidents = incidents,
		.number = 1};
	return p;
}

/* Before the start the box told of an incident, by record r; whether it comes again, and what of it, is seen
 * here. */
static void
remember(const struct rig_alert *a)
{
	struct memory_page *p = page(0, 1);
	struct memory_incident *i = (struct memory_incident *)(uintptr_t)memory_incidents(p);
	memcpy(i->dedupekey, a->r.dedupekey, 32);
	memcpy(i->hashes[0], a->r.hash, 8);
	i->n_hashes = 1;
	i->seq = a->r.seq;
	i->ring = (uint32_t)a->lane;
	i->grade = a->r.grade;
	i->last_ns = g.now_ns;
	assert_int_equal(memory_check(p, MEMORY_BYTES(0, 1)), 0);
	correlator_memory(&g.cor, p);
	correlator_poll(&g.cor, 1, g.now_ns);
	assert_true(correlator_memory_taken(&g.cor, p));
}

static void
restart(void)
{
	rig_stop(&g);
	begin(&g, TO_PAUSED);
}

static void
not_told_twice(void **state)
{
	for (unsigned accepted = 0; accepted < 2; accepted++) {
		struct made m = {.to = TO_PAUSED};
		make(&m);
		cross(&g, &m);
		if (accepted)
			node(&g, &m, true);
		struct rig_alert told = *last(&g);
		restart();
		remember(&told);
		cross(&g, &m);
		assert_int_equal(g.alerts, 0);
		node(&g, &m, true);
		assert_int_equal(g.alerts, !accepted); /* not on the critical lane before */
		proof(&g, &m, false, true, 0);
		proof(&g, &m, true, true, 0);
		assert_int_equal(last(&g)->r.grade, GRADE_PAUSE); /* the upgrade is news in any case */
		assert_memory_equal(last(&g)->r.dedupekey, told.r.dedupekey, 32);
		assert_int_equal(last(&g)->lane, LANE_CRITICAL);
		assert_int_equal(alerts_on(&g, &m, NULL), accepted ? 1 : 3);
		restart();
	}
}

/* A page tells of the past: what happens now does not make room for it. */
static void
memory_displaces_nothing(void **state)
{
	struct made m[32];
	for (unsigned i = 0; i < 32; i++) {
		m[i] = (struct made){.to = TO_PAUSED, .nonce = i};
		make(&m[i]);
		cross(&g, &m[i]);
	}
	for (unsigned k = 0; k < 64; k++) {
		struct memory_page *p = page(0, 8);
		for (unsigned i = 0; i < 8; i++) {
			struct memory_incident *x =
				(struct memory_incident *)(uintptr_t)&memory_incidents(p)[i];
			memset(x->dedupekey, (int)(1 + 8 * (k % 16) + i), 32);
			x->dedupekey[16] = (uint8_t)(4 * k);
			x->seq = 1;
			x->grade = GRADE_PAUSE;
			x->last_ns = g.now_ns - 1000 * MS;
		}
		correlator_memory(&g.cor, NULL);
		correlator_poll(&g.cor, 1, g.now_ns);
		correlator_memory(&g.cor, p);
		correlator_poll(&g.cor, 1, g.now_ns);
	}
	unsigned live = 0;
	for (uint32_t i = 0; i < g.cor.reporter.incidents.n; i++)
		live += g.cor.reporter.incidents.slots[i].used &&
			!g.cor.reporter.incidents.slots[i].remembered;
	assert_true(live >= 30); /* of 32 in sets of four, some made room for each other */
	unsigned told = g.alerts;
	for (unsigned i = 0; i < 32; i++)
		node(&g, &m[i], true);
	assert_int_equal(g.alerts, told + 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lost_at_first, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(evicted_then_accepted, setup_small, teardown),
		cmocka_unit_test_setup_teardown(sender_later, setup, teardown),
		cmocka_unit_test_setup_teardown(not_told_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_displaces_nothing, setup_small, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
