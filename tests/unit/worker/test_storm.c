/* SPDX-License-Identifier: BSD-3-Clause */
/* Floods of equal findings, and of updates: told together, each one named; what a node accepts comes out at
 * once. */
#include "cases.h"

#include "worker/storm.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig g;

static int
setup(void **state)
{
	begin(&g, TO_PAUSED);
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

/* Decoys from fresh keys, all on one target. */
static void
flood(struct made *m, unsigned n, uint64_t nonce)
{
	for (unsigned i = 0; i < n; i++) {
		m[i] = (struct made){.to = TO_PAUSED, .nonce = nonce + i};
		make(&m[i]);
		cross(&g, &m[i]);
	}
}

static bool
names(const struct alert_record *r, const uint8_t *hash)
{
	bool found = memcmp(r->hash, hash, 32) == 0;
	for (uint32_t i = 0; i < r->n_related; i++)
		found |= r->related[i].role == ROLE_SAME && memcmp(r->related[i].hash, hash, 32) == 0;
	return found;
}

#define FLOOD (STORM_FREE + 100u)

static void
each_is_named_once(void **state)
{
	static struct made m[FLOOD];
	flood(m, FLOOD, 0);
	idle(&g, STORM_WAIT_NS);
	assert_int_equal(g.alerts, STORM_FREE + (100 + STORM_HASHES - 1) / STORM_HASHES);
	for (unsigned i = 0; i < FLOOD; i++) {
		unsigned n = 0;
		for (uint32_t k = 0; k < g.alerts; k++)
			n += names(&g.alert[k].r, m[i].hash);
		assert_int_equal(n, 1);
	}
	assert_int_equal(last(&g)->r.n_same, FLOOD);
	assert_true(last(&g)->r.reasons & REASON(STORM));
	assert_int_equal(last(&g)->lane, LANE_NORMAL);
	/* what is told together has waited on purpose: no frame has caused it */
	assert_true(last(&g)->r.t_cause_ns == 0);
	assert_true(g.alert[0].r.t_cause_ns != 0 && g.alert[0].r.t_cause_ns == g.alert[0].r.t_wire_ns);
	assert_int_equal(g.cc[CTR_SUPPRESSED_STORM], 100);
	/* one incident of its own */
	assert_memory_equal(last(&g)->r.dedupekey, g.alert[STORM_FREE].r.dedupekey, 32);
	assert_int_equal(last(&g)->r.supersedes_seq, g.alert[g.alerts - 2].r.seq);
}

/* Among the decoys a true one: out at once on the critical lane with its sender, and not named with the
 * others. */
static void
accepted_comes_out(void **state)
{
	static struct made m[FLOOD + 5];
	for (unsigned named = 0; named < 2; named++) {
		g.cor.patient = named;
		g.cor.now_ns = g.now_ns;
		flood(m, FLOOD - 100, named * 1000);
		struct made *real = &m[FLOOD - 100];
		flood(real, 5, named * 1000 + FLOOD);
		unsigned before = g.alerts;
		assert_int_equal(alerts_on(&g, &real[2], NULL), 0);
		node(&g, &real[2], true);
		assert_int_equal(g.alerts, before + 1);
		const struct rig_alert *a = last(&g);
		assert_int_equal(a->lane, LANE_CRITICAL);
		assert_memory_equal(a->r.hash, real[2].hash, 32);
		assert_true(a->r.has & HAS_FROM);
		assert_memory_equal(a->r.from, real[2].from, 20);
		assert_int_equal(a->evidence_len, real[2].n);
		assert_false(a->r.has & HAS_SUPERSEDES);
		proof(&g, &real[2], false, true, 0);
		proof(&g, &real[2], true, true, 0);
		assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
		node(&g, &real[0], true); /* the first that waits, too */
		assert_memory_equal(last(&g)->r.hash, real[0].hash, 32);
		before = g.alerts;
		idle(&g, 10 * STORM_WAIT_NS);
		assert_true(g.alerts > before);
		for (uint32_t k = before; k < g.alerts; k++) {
			assert_false(
				names(&g.alert[k].r, real[2].hash) || names(&g.alert[k].r, real[0].hash));
			assert_int_equal(g.alert[k].r.node, NODE_UNASKED);
		}
		assert_true(names(&g.alert[before].r, real[1].hash));
		/* the record is of the transaction that it names */
		assert_memory_equal(g.alert[before].r.hash, real[1].hash, 32);
		assert_int_equal(g.alert[before].r.nonce, real[1].nonce);
		later(&g, 3000 * MS);
	}
}

/* All that waits is accepted: nothing is left to be told. */
static void
none_is_left(void **state)
{
	static struct made m[STORM_FREE + 3];
	flood(m, STORM_FREE + 3, 0);
	for (unsigned i = 0; i < 3; i++)
		node(&g, &m[STORM_FREE + i], true);
	assert_int_equal(g.alerts, STORM_FREE + 3);
	idle(&g, 2000 * MS);
	assert_int_equal(g.alerts, STORM_FREE + 3);
	assert_int_equal(g.cor.reporter.storms->busy, 0);
}

static void
included_comes_out(void **state)
{
	static struct made m[STORM_FREE + 3];
	flood(m, STORM_FREE + 3, 0);
	const struct made *txs[] = {&m[STORM_FREE + 1]};
	block(&g, 1, 0, txs, 1);
	assert_int_equal(g.alerts, STORM_FREE + 1);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	assert_int_equal(last(&g)->evidence_len, m[STORM_FREE + 1].n);
}

/* One sender, one target: updates. */
static void
updates_of_one(void **state)
{
	static struct made m[FLOOD];
	for (unsigned i = 0; i < FLOOD; i++) {
		m[i] = (struct made){.who = 9, .to = TO_PAUSED, .nonce = i};
		make(&m[i]);
		cross(&g, &m[i]);
	}
	idle(&g, 200 * MS);
	assert_true(g.alerts < STORM_FREE + 30);
	assert_true(g.alerts > STORM_FREE);
	for (uint32_t i = 1; i < g.alerts; i++) {
		assert_memory_equal(g.alert[i].r.dedupekey, g.alert[0].r.dedupekey, 32);
		assert_int_equal(g.alert[i].r.supersedes_seq, g.alert[i - 1].r.seq);
	}
	/* accepted ones: the first of them, then as many as others */
	g.now_ns += 2000 * MS;
	unsigned before = g.alerts;
	for (unsigned i = 0; i < FLOOD; i++)
		node(&g, &m[i], true);
	assert_true(g.alerts - before <= STORM_FREE + 1 + 100 / STORM_HASHES + 1);
	assert_int_equal(g.alert[before].lane, LANE_CRITICAL);
	idle(&g, 200 * MS);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL); /* those that waited, together */
	assert_true(last(&g)->r.reasons & REASON(STORM));
	for (unsigned i = 0; i < FLOOD; i++) {
		unsigned n = 0;
		for (uint32_t k = before; k < g.alerts; k++)
			n += names(&g.alert[k].r, m[i].hash);
		assert_int_equal(n, 1);
	}
}

/* The outlet takes nothing while they are told together: counted as lost, and no account is out of balance.
 */
static void
nobody_takes_them(void **state)
{
	static struct made m[FLOOD];
	flood(m, STORM_FREE, 0);
	g.outlet_full = true;
	flood(m, 100, 5000);
	idle(&g, STORM_WAIT_NS);
	g.outlet_full = false;
	assert_int_equal(g.alerts, STORM_FREE);
	node(&g, &m[50], true);
	assert_memory_equal(last(&g)->r.hash, m[50].hash, 32);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	correlator_finish(&g.cor, g.now_ns);
	assert_int_equal(g.cor.reporter.storms->busy, 0);
}

/* The group whose place is wanted holds something: nothing is silently dropped. */
static void
groups_make_room(void **state)
{
	static struct storms s;
	struct alert_record r = {.has = HAS_HASH};
	struct storm_group *group;
	uint8_t key[20] = {0};
	for (unsigned k = 0; k < 5; k++) { /* one set */
		key[19] = (uint8_t)k;
		for (unsigned i = 0; i < STORM_FREE; i++)
			assert_int_equal(storm_take(&s, key, &r, 1000 + k, &group), STORM_TELL);
		assert_int_equal(storm_take(&s, key, &r, 1000 + k, &group), k < 4 ? STORM_HELD : STORM_TELL);
	}
	assert_int_equal(s.busy, 4);
	unsigned n = 0;
	while ((group = storm_due(&s, 0, true)) != NULL) {
		storm_told(&s, group, 0, 0);
		n++;
	}
	assert_int_equal(n, 4);
	assert_int_equal(s.busy, 0);
	/* time that goes back, and none at all */
	key[19] = 1;
	assert_int_equal(storm_take(&s, key, &r, 10, &group), STORM_HELD);
	assert_null(storm_due(&s, 5, false));
	assert_int_equal(storm_take(&s, key, &r, 0, &group), STORM_TELL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_named_once, setup, teardown),
		cmocka_unit_test_setup_teardown(accepted_comes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(none_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(included_comes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(updates_of_one, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_takes_them, setup, teardown),
		cmocka_unit_test(groups_make_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
