/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of transactions closes, reopens or retracts their incidents. */
#include "cases.h"

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

/* Identity 5 is checked by every drain: only what was told is looked at here. */
static void
included_closes(void **state)
{
	struct made m = {.to = TO_PAGED}, w = {.to = TO_WATCHED};
	const struct made *txs[] = {&m, &w};
	make(&m);
	make(&w);
	cross(&g, &m);
	cross(&g, &w);
	block(&g, 1, 0, txs, 2);
	assert_int_equal(g.alerts, 4);
	assert_int_equal(g.alert[2].r.ending, ENDING_INCLUDED);
	assert_int_equal(g.alert[2].r.kind, ALERT_KIND_ALERT);
	assert_true(g.alert[2].r.t_ended_ns > g.alert[2].r.t_wire_ns);
	assert_int_equal(g.alert[2].lane, LANE_CRITICAL);
	assert_int_equal(g.alert[3].lane, LANE_NORMAL); /* watch-grade */
	assert_int_equal(g.cc[CTR_INCIDENTS_ENDED], 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_memory_equal(g.alert[i].r.dedupekey, g.alert[i + 2].r.dedupekey, 32);
		assert_int_equal(g.alert[i + 2].r.supersedes_seq, g.alert[i].r.seq);
	}
}

static void
reorged_reopens(void **state)
{
	struct made m = {.to = TO_PAGED};
	const struct made *txs[] = {&m};
	make(&m);
	cross(&g, &m);
	block(&g, 1, 0, NULL, 0);
	block(&g, 2, 1, txs, 1);
	assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	head(&g, 1);
	assert_int_equal(g.alerts, 3);
	assert_int_equal(last(&g)->r.ending, ENDING_REORGED);
	assert_int_equal(last(&g)->r.t_ended_ns, 0);
	head(&g, 2);
	assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	head(&g, 1);
	later(&g, 4 * HOUR_NS); /* and now nobody takes it */
	const struct rig_alert *a = NULL;
	assert_int_equal(alerts_on(&g, &m, &a), 6);
	assert_int_equal(a->r.kind, ALERT_KIND_RETRACT);
	assert_int_equal(a->r.ending, ENDING_DROPPED);
}

/* Retracted only when all its transactions are gone, and not at all if one has come into a block. */
static void
several_transactions(void **state)
{
	for (unsigned included = 0; included < 2; included++) {
		struct made m[3];
		const struct made *txs[] = {&m[0]};
		unsigned before = g.alerts;
		for (unsigned i = 0; i < 3; i++) {
			m[i] = (struct made){
				.who = (uint8_t)(20 + included), .to = TO_PAGED, .nonce = 10 + i};
			make(&m[i]);
			cross(&g, &m[i]);
			g.now_ns += 60 * 60 * 1000 * MS;
		}
		assert_int_equal(g.alerts - before, 3);
		if (included)
			block(&g, 1, 0, txs, 1);
		before = g.alerts;
		later(&g, 10 * 60 * 1000 *
				  MS); /* the first is dropped, if it is not included: the others live */
		assert_int_equal(g.alerts, before);
		later(&g, 4 * HOUR_NS);
		assert_int_equal(g.alerts - before, !included);
		if (!included)
			assert_int_equal(last(&g)->r.kind, ALERT_KIND_RETRACT);
		else
			assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	}
}

static void
replaced_names_the_other(void **state)
{
	struct made a = {.who = 1, .to = TO_PAGED, .nonce = 3}, b = {.who = 1, .to = TO_NOTHING, .nonce = 3};
	const struct made *txs[] = {&b};
	make(&a);
	make(&b);
	cross(&g, &a);
	cross(&g, &b);
	block(&g, 1, 0, txs, 1);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_RETRACT);
	assert_int_equal(last(&g)->r.ending, ENDING_REPLACED);
	assert_int_equal(last(&g)->r.n_related, 1);
	assert_int_equal(last(&g)->r.related[0].role, ROLE_REPLACED);
	assert_memory_equal(last(&g)->r.related[0].hash, b.hash, 32);
	/* a worker that is behind speaks of it: it has lost all the same */
	cross_as(&g, &a, CARRIER_HTTP_JSONRPC_BUNDLE, TRUST_GAP_BEFORE);
	assert_int_equal(g.alerts, 2);
	/* the block leaves: it lives again */
	block(&g, 2, 0, NULL, 0);
	head(&g, 2);
	assert_int_equal(last(&g)->r.ending, ENDING_REORGED);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_ALERT);
	accepted_and_proven(&g, &a);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
}

/* Of two attacks with one nonce one comes into the block: the incident is closed by it, not retracted by the
 * other. */
static void
replaced_by_its_own(void **state)
{
	struct made a = {.who = 1, .to = TO_PAGED, .nonce = 3},
		    b = {.who = 1, .to = TO_PAGED, .nonce = 3, .gas = 2000000};
	const struct made *txs[] = {&b};
	make(&a);
	make(&b);
	cross(&g, &a);
	cross(&g, &b);
	block(&g, 1, 0, txs, 1);
	assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_ALERT);
	assert_memory_equal(last(&g)->r.hash, b.hash, 32);
	assert_int_equal(last(&g)->r.gas, 2000000);
	assert_int_equal(g.alerts, 3);
}

/* Dropped, and back: told anew, for what was retracted lives again. */
static void
dropped_and_back(void **state)
{
	struct made m = {.to = TO_PAGED};
	make(&m);
	cross(&g, &m);
	later(&g, 4 * HOUR_NS);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(last(&g)->r.ending, ENDING_DROPPED);
	seen_forget(g.w->seen, seen_fingerprint(g.w->seen, bytes_of(&m)));
	cross(&g, &m);
	assert_int_equal(g.alerts, 3);
	assert_int_equal(last(&g)->r.ending, ENDING_OPEN);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_ALERT);
	node(&g, &m, true);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	assert_int_equal(last(&g)->r.ending, ENDING_OPEN);
	later(&g, 4 * HOUR_NS);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_RETRACT);
}

/* A transaction that is found in its block only. */
static void
from_a_block(void **state)
{
	struct made m = {.to = TO_PAGED};
	const struct made *txs[] = {&m};
	make(&m);
	cross_as(&g, &m, CARRIER_ENGINE_BLOCK, TRUST_INCLUDED | TRUST_NOT_ACKED);
	block(&g, 1, 0, txs, 1);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->r.ending, ENDING_INCLUDED);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	block(&g, 2, 0, NULL, 0);
	head(&g, 2);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(last(&g)->r.ending, ENDING_REORGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(included_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(reorged_reopens, setup, teardown),
		cmocka_unit_test_setup_teardown(several_transactions, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced_names_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced_by_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(dropped_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(from_a_block, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
