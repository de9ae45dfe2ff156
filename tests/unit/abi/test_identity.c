/* SPDX-License-Identifier: BSD-3-Clause */
/* Identities: every term counts where it should, and no drop reason is left out of its identity. */
#include "abi/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct stats_page page;

static int
setup(void **state)
{
	memset(&page, 0, sizeof page);
	page.lcores = 3;
	page.ports = 2;
	return 0;
}

static unsigned
terms_of(unsigned counter, unsigned identity, unsigned side)
{
	unsigned n = 0;
	for (unsigned i = 0; i < identity_terms_n; i++)
		n += identity_terms[i].counter == counter && identity_terms[i].identity == identity &&
		     identity_terms[i].side == side;
	return n;
}

static unsigned
terms_anywhere(unsigned counter)
{
	unsigned n = 0;
	for (unsigned i = 0; i < identity_terms_n; i++)
		n += identity_terms[i].counter == counter;
	return n;
}

/* A reason is recognised by its name: one that is new must be a term, or this fails. */
static void
every_reason_is_a_term(void **state)
{
	static const struct {
		const char *prefix;
		unsigned identity, elsewhere;
	} reasons[] = {
		{"NOTOURS_", ID_FRAMES, 0}, {"UNDEC_", ID_FRAMES, 0}, {"ST_SKIP_", ID_ADVANCED, 0},
		{"ST_DROP_", ID_RECEIVED, 0}, {"TX_UNSCANNED_", ID_TRANSACTIONS, 0},
		{"SUPPRESSED_", ID_FINDINGS, 0}, {"NODE_MISSED_", ID_NODE, 0},
		{"RING_LOST_", ID_ALERTS, 1}, /* and on the left of 6_delivery, which control answers for */
	};
	for (size_t k = 0; k < sizeof reasons / sizeof reasons[0]; k++) {
		unsigned found = 0;
		for (unsigned c = 0; c < CTR_COUNT; c++) {
			if (strncmp(counter_infos[c].name, reasons[k].prefix, strlen(reasons[k].prefix)) != 0)
				continue;
			found++;
			if (terms_of(c, reasons[k].identity, SIDE_RIGHT) != 1 ||
				terms_anywhere(c) != 1 + reasons[k].elsewhere)
				fail_msg("%s is not a term of its identity exactly once",
					counter_infos[c].name);
			assert_int_equal(counter_infos[c].kind, 'C');
		}
		assert_true(found > 0);
	}
}

static void
no_term_twice(void **state)
{
	for (unsigned c = 0; c < CTR_COUNT; c++) {
		for (unsigned id = 0; id < IDENTITIES; id++)
			assert_true(terms_of(c, id, SIDE_LEFT) + terms_of(c, id, SIDE_RIGHT) <= 1);
		/* What may fall again is somewhere between the ends of an identity. */
		if (counter_infos[c].kind == 'G' && c != CTR_FLOWS)
			assert_int_equal(terms_anywhere(c), 1);
	}
	for (unsigned i = 0; i < identity_terms_n; i++)
		assert_true(identity_terms[i].sign == 1 || identity_terms[i].sign == -1);
}

static void
counters_have_names_and_help(void **state)
{
	for (unsigned c = 0; c < CTR_COUNT; c++) {
		assert_true(strlen(counter_infos[c].name) > 2);
		assert_true(strlen(counter_infos[c].help) > 5);
		assert_true(counter_infos[c].kind == 'C' || counter_infos[c].kind == 'G');
		for (unsigned d = 0; d < c; d++)
			assert_string_not_equal(counter_infos[c].name, counter_infos[d].name);
	}
}

/* One counter at a time, on one lcore at a time: it moves what the table says and nothing else. */
static void
each_term_moves_its_identity(void **state)
{
	struct identity out[IDENTITIES];
	for (unsigned c = 0; c < CTR_COUNT; c++) {
		setup(NULL);
		page.lcore[c % 3].c[c] = 1000 + c;
		identities_evaluate(&page, &(struct identity_delivery){0}, out);
		for (unsigned id = 0; id < IDENTITIES; id++) {
			int64_t left = 0, right = 0;
			for (unsigned i = 0; i < identity_terms_n; i++) {
				const struct identity_term *t = &identity_terms[i];
				if (t->counter == c && t->identity == id)
					*(t->side == SIDE_LEFT ? &left : &right) +=
						t->sign * (int64_t)(1000 + c);
			}
			assert_int_equal((int64_t)out[id].left, left);
			assert_int_equal((int64_t)out[id].right, right);
			assert_int_equal(out[id].residual, left - right);
		}
	}
}

#define SET(name, v) page.lcore[(v) % 3].c[CTR_##name] = (v)

/* A day at the box, by hand. */
static void
sums_add_up(void **state)
{
	struct identity out[IDENTITIES];
	page.port[0].wire = 60;
	page.port[0].missed = 3;
	page.port[1].wire = 50;
	page.port[1].errors = 2;
	page.port[1].no_mbuf = 5;
	page.port[2].wire = 1000; /* no such port */
	SET(FRAMES, 100);
	SET(NOTOURS_ETHERTYPE, 10);
	SET(UNDEC_IP4, 20);
	SET(ACCEPTED, 70);
	SET(ST_RECEIVED, 1000);
	SET(ST_ADVANCED, 900);
	SET(ST_GAP, 50);
	SET(ST_OOO_HELD, 40);
	SET(ST_DUP, 60);
	SET(ST_DROP_CLOSED, 50);
	SET(ST_PARSED, 800);
	SET(ST_SKIP_OPAQUE, 30);
	SET(ST_BUFFERED, 20);
	SET(TX_CROSSED, 9);
	SET(TX_SCANNED, 5);
	SET(TX_DUPLICATE, 3);
	SET(TX_UNSCANNED_GAP, 1);
	SET(FINDINGS, 8);
	SET(ALERTS, 4);
	SET(UPDATES, 2);
	SET(SUPPRESSED_REPEAT, 2);
	SET(RING_PUBLISHED, 5);
	SET(RING_LOST_FULL, 1);
	SET(NODE_HASHES, 9);
	SET(NODE_SCANNED, 5);
	SET(NODE_DUPLICATE, 3);
	SET(NODE_MISSED_GAP, 1);
	struct identity_delivery d = {.journaled = 3, .lost = 1, .in_flight = 2};
	identities_evaluate(&page, &d, out);
	for (unsigned i = 0; i < IDENTITIES; i++) {
		assert_int_equal(out[i].residual, 0);
		assert_true(out[i].left > 0);
		assert_int_equal(out[i].left, out[i].right);
	}
	assert_int_equal(out[ID_WIRE].left, 110);
	assert_int_equal(out[ID_RECEIVED].right, 1000);
	/* Left over on the left is positive, on the right negative. */
	SET(TX_CROSSED, 10);
	page.lcore[9 % 3].c[CTR_TX_CROSSED] = 0;
	SET(FRAMES, 100);
	page.port[0].wire -= 7;
	d.journaled = 0;
	identities_evaluate(&page, &d, out);
	assert_int_equal(out[ID_TRANSACTIONS].residual, 1);
	assert_int_equal(out[ID_WIRE].residual, -7);
	assert_int_equal(out[ID_DELIVERY].residual, 3);
	identities_evaluate(&page, NULL, out);
	assert_int_equal(out[ID_DELIVERY].residual, 0);
	assert_int_equal(out[ID_DELIVERY].left, 6);
}

static void
ports_are_clamped(void **state)
{
	struct identity out[IDENTITIES];
	page.ports = UINT32_MAX;
	page.lcores = UINT32_MAX;
	page.port[STATS_PORTS_MAX - 1].wire = 9;
	page.lcore[STATS_LCORES_MAX - 1].c[CTR_FRAMES] = 9;
	identities_evaluate(&page, NULL, out);
	assert_int_equal(out[ID_WIRE].left, 9);
	assert_int_equal(out[ID_WIRE].right, 9);
}

static void
identity_names(void **state)
{
	struct identity out[IDENTITIES];
	static const char *const names[IDENTITIES] = {"1_wire", "2_frames", "3_stream_advanced",
		"3_stream_received", "4_transactions", "5_findings", "6_alerts", "6_delivery", "7_node"};
	identities_evaluate(&page, NULL, out);
	for (unsigned i = 0; i < IDENTITIES; i++) {
		assert_string_equal(out[i].name, names[i]);
		assert_int_equal(out[i].residual, 0);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(every_reason_is_a_term),
		T(no_term_twice),
		T(counters_have_names_and_help),
		T(each_term_moves_its_identity),
		T(sums_add_up),
		T(ports_are_clamped),
		T(identity_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
