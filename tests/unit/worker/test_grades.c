/* SPDX-License-Identifier: BSD-3-Clause */
/* What it takes to pause, through frames and through messages; and that no two transactions lend each other
 * what is missing. */
#include "cases.h"

#include "words.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig g;
static struct words said;

static int
setup(void **state)
{
	begin(&g, TO_PAUSED);
	said.n = said.nodes = 0;
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

static void
answer_hash(struct rig_flow *f, const struct made *m)
{
	struct text body = {0}, t = {0};
	text_add(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(&body, (struct span){m->hash, 32});
	text_add(&body, "\"}");
	text_add(&t, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n%.*s", body.n, (int)body.n, body.p);
	rig_say(&g, f, 1, text_span(&t));
	text_free(&body);
	text_free(&t);
}

/* Submission, the node's answer, acknowledgements: page at once, critical when accepted, pause when proven.
 */
static void
a_pause_from_frames(void **state)
{
	struct rig_flow f;
	struct made m = {.to = TO_PAUSED};
	make(&m);
	rig_open(&g, &f, 1);
	say(&g, &f, bytes_of(&m));
	listen(&g, &said);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->r.grade, GRADE_PAGE);
	assert_int_equal(last(&g)->lane, LANE_NORMAL);
	assert_int_equal(last(&g)->r.lacks, LACKS_UNCHECKED | LACK(ACKED) | LACK(ACCEPTED));
	answer_hash(&f, &m);
	listen(&g, &said);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(last(&g)->r.node, NODE_ACCEPTED);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	assert_int_equal(last(&g)->r.grade, GRADE_PAGE);
	ack(&g, &f, 0);
	ack(&g, &f, 1);
	wait(&g, &said, 2 * MS);
	wait(&g, &said, 300 * MS);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	assert_int_equal(last(&g)->r.lacks, LACKS_UNCHECKED);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	assert_true(last(&g)->r.has & HAS_SUPERSEDES);
	for (uint32_t i = 1; i < g.alerts; i++)
		assert_memory_equal(g.alert[i].r.dedupekey, g.alert[0].r.dedupekey, 32);
	assert_int_equal(g.cc[CTR_GRADES_RAISED], 1);
	rig_flush(&g);
}

/* Each is needed, in whatever order they come. */
static void
every_part_is_needed(void **state)
{
	for (unsigned parts = 0; parts < 8; parts++)
		for (unsigned order = 0; order < 3; order++) {
			struct made m = {.to = TO_PAUSED, .nonce = parts * 3 + order};
			const struct rig_alert *a = NULL;
			make(&m);
			cross(&g, &m);
			for (unsigned k = 0; k < 3; k++) {
				unsigned which = (k + order) % 3;
				if (!(parts >> which & 1))
					continue;
				if (which == 0)
					node(&g, &m, true);
				else
					proof(&g, &m, which == 2, true, 0);
			}
			assert_true(alerts_on(&g, &m, &a) >= 1);
			assert_int_equal(a->r.grade, parts == 7 ? GRADE_PAUSE : GRADE_PAGE);
		}
}

static void
dirty_proof_is_none(void **state)
{
	static const uint32_t dirt[] = {TRUST_GAP_BEFORE, TRUST_MIDSTREAM, TRUST_ONE_DIRECTION,
		TRUST_NOT_ACKED, TRUST_OVERLAP_CONFLICT, TRUST_AHEAD, TRUST_MAC_UNVERIFIED};
	for (unsigned i = 0; i < sizeof dirt / sizeof *dirt; i++)
		for (unsigned of_answer = 0; of_answer < 2; of_answer++) {
			struct made m = {.to = TO_PAUSED, .nonce = 2 * i + of_answer};
			const struct rig_alert *a = NULL;
			make(&m);
			cross(&g, &m);
			node(&g, &m, true);
			proof(&g, &m, !of_answer, true, 0);
			proof(&g, &m, of_answer, true, dirt[i]);
			alerts_on(&g, &m, &a);
			assert_int_equal(a->r.grade, GRADE_PAGE);
			proof(&g, &m, of_answer, true,
				0); /* one clean word is enough, whatever was said before */
			proof(&g, &m, of_answer, false, dirt[i]);
			alerts_on(&g, &m, &a);
			assert_int_equal(a->r.grade, GRADE_PAUSE);
		}
}

/* A node refused it: another took it; a third says that it knows it. */
static void
acceptance_stays(void **state)
{
	struct made m = {.to = TO_PAUSED};
	make(&m);
	cross(&g, &m);
	node(&g, &m, false);
	assert_int_equal(g.alerts, 1);
	node(&g, &m, true);
	node(&g, &m, false);
	proof(&g, &m, false, true, 0);
	proof(&g, &m, true, true, 0);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	unsigned n = g.alerts;
	accepted_and_proven(&g, &m); /* nothing new */
	assert_int_equal(g.alerts, n);
}

/* One sender, one class, one target: an incident. The one that is accepted and proven touches nothing; the
 * other touches, and is a bait. */
static void
transactions_lend_each_other_nothing(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		static uint8_t touching[36];
		memset(touching + 4, TO_PAUSED, 32);
		struct made bait = {
			.who = (uint8_t)(1 + order), .to = TO_PAGED, .nonce = 7, .data = {touching, 36}};
		struct made plain = {.who = (uint8_t)(1 + order), .to = TO_PAGED, .nonce = 8};
		const struct rig_alert *a = NULL;
		make(&bait);
		make(&plain);
		cross(&g, order ? &bait : &plain);
		cross(&g, order ? &plain : &bait);
		accepted_and_proven(&g, &plain);
		assert_true(alerts_on(&g, &plain, &a) >= 2);
		assert_int_equal(a->lane, LANE_CRITICAL);
		assert_int_equal(a->r.grade, GRADE_PAGE);
		for (uint32_t i = 0; i < a->r.n_protocols; i++)
			assert_int_equal(a->r.touches[i], 0);
		assert_memory_equal(a->r.hash, plain.hash, 32);
		assert_int_equal(a->r.nonce, 8);
		assert_int_equal(a->r.data_len, 0);
	}
	for (uint32_t i = 0; i < g.alerts; i++)
		assert_int_not_equal(g.alert[i].r.grade, GRADE_PAUSE);
}

/* Nor do rules: one that may pause found the other one. */
static void
rules_are_of_their_transactions(void **state)
{
	static const uint8_t code[] = {FLASH_CODE};
	struct made deploy = {.who = 3, .data = {code, sizeof code}};
	struct tx t;
	uint8_t created[20];
	make(&deploy);
	cross(&g, &deploy);
	assert_int_equal(tx_decode(bytes_of(&deploy), &t), 0);
	tx_created(deploy.from, 0, created);
	static uint8_t touching[36];
	memset(touching + 4, TO_PAUSED, 32);
	struct made bait = {.who = 5, .address = created, .nonce = 1, .data = {touching, 36}},
		    plain = {.who = 5, .address = created, .nonce = 2};
	make(&bait);
	make(&plain);
	cross(&g, &plain);
	cross(&g, &bait); /* the incident's record is of rule 8 now */
	assert_int_equal(last(&g)->r.rule_id, 8);
	accepted_and_proven(&g, &plain);
	const struct rig_alert *a = NULL;
	alerts_on(&g, &plain, &a);
	assert_int_equal(a->r.rule_id, 7);
	assert_int_equal(a->r.grade_wanted, GRADE_PAGE);
	assert_int_equal(a->r.grade, GRADE_PAGE);
	accepted_and_proven(&g, &bait); /* it is none after all */
	alerts_on(&g, &bait, &a);
	assert_int_equal(a->r.grade, GRADE_PAUSE);
	assert_int_equal(a->r.touches[0], TOUCH(CALLDATA));
}

/* What came in a block counts as accepted, if the block's own bytes are proven. */
static void
included_in_a_proven_block(void **state)
{
	for (unsigned proven = 0; proven < 3; proven++) {
		struct made m = {.to = TO_PAUSED, .nonce = proven};
		const struct made *txs[] = {&m};
		const struct rig_alert *a = NULL;
		make(&m);
		cross_as(&g, &m, CARRIER_ENGINE_BLOCK, TRUST_INCLUDED | TRUST_NOT_ACKED);
		block(&g, (uint8_t)(proven + 1), (uint8_t)proven, txs, 1);
		alerts_on(&g, &m, &a);
		assert_int_equal(a->lane, LANE_CRITICAL);
		assert_int_equal(a->r.ending, ENDING_INCLUDED);
		if (proven == 1)
			proof(&g, &m, false, true, 0); /* of another crossing: that one was in no block */
		if (proven == 2)
			proof(&g, &m, false, true, TRUST_INCLUDED);
		alerts_on(&g, &m, &a);
		assert_int_equal(a->r.grade, proven == 2 ? GRADE_PAUSE : GRADE_PAGE);
	}
}

/* A peer says it is in a block: that makes it neither accepted nor included. */
static void
what_a_peer_calls_included(void **state)
{
	struct made m = {.to = TO_PAUSED};
	make(&m);
	cross_as(&g, &m, CARRIER_RLPX_BLOCKBODY, TRUST_INCLUDED);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->lane, LANE_NORMAL);
	assert_int_equal(last(&g)->r.ending, ENDING_OPEN);
	assert_true(last(&g)->r.lacks & LACK(ACCEPTED));
	struct fact_evidence *f = message(&g, FACT_EVIDENCE, sizeof *f + sizeof f->item[0]);
	f->n = 1;
	f->t_ns = g.now_ns;
	f->item[0] = (struct fact_evidence_item){.fingerprint = seen_fingerprint(g.w->seen, bytes_of(&m)),
		.trust = TRUST_INCLUDED,
		.mac = true};
	sent(&g);
	assert_int_equal(last(&g)->r.grade, GRADE_PAGE);
	assert_int_equal(last(&g)->lane, LANE_NORMAL);
}

/* It was accepted, and lost to another before the proof came: nothing pauses for it. */
static void
what_is_gone_pauses_nothing(void **state)
{
	struct made m = {.who = 1, .to = TO_PAUSED, .nonce = 5},
		    other = {.who = 1, .to = TO_NOTHING, .nonce = 5};
	const struct made *txs[] = {&other};
	make(&m);
	make(&other);
	cross(&g, &m);
	node(&g, &m, true);
	cross(&g, &other);
	block(&g, 1, 0, txs, 1);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_RETRACT);
	unsigned n = g.alerts;
	proof(&g, &m, false, true, 0);
	proof(&g, &m, true, true, 0);
	assert_int_equal(g.alerts, n);
	/* its rival's block leaves: now it may */
	block(&g, 2, 0, NULL, 0);
	head(&g, 2);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	assert_int_equal(last(&g)->r.ending, ENDING_REORGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pause_from_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(every_part_is_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(dirty_proof_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(acceptance_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(transactions_lend_each_other_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(rules_are_of_their_transactions, setup, teardown),
		cmocka_unit_test_setup_teardown(included_in_a_proven_block, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_peer_calls_included, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_pauses_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
