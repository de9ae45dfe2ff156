/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on what is no transaction, the numbers that conditions are given, and what a rule set brings along
 * for the reader of code. */
#include "detect/code.h"
#include "detect/model.h"
#include "detect/ruleset_event.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* clang-format off */
#define RULE(id, name, class, severity, grade, more) \
	"  - {id: " id ", rev: 1, name: " name ", description: d, class: " class ", severity: " severity ", grade: " grade ", status: stable,\n" \
	"     " more "}\n"
#define TX_VECTORS "vectors: [{match: true, tx: {}}, {match: false, tx: {nonce: 1}}]"
#define VECTORS(yes) "vectors: [{match: true, facts: {" yes "}}, {match: false, facts: {code_score: 7}}]"

static const char yaml[] = "pack: events\nversion: 1\nrules:\n"
	/* 0 */ RULE("1", "low-deploy", "flash_deploy", "low", "page", "on: deployment, condition: code_score >= 100, " VECTORS("code_score: 100"))
	/* 1 */ RULE("2", "creation", "flash_deploy", "low", "watch", "condition: creation and code_flash == 1 and bundle_pos >= 2, " TX_VECTORS)
	/* 2 */ RULE("3", "grave-deploy", "flash_deploy", "critical", "page",
		"on: deployment, condition: (code_flash == 1 or code_providers > 2) and value < 5, " VECTORS("code_flash: 1"))
	/* 3 */ RULE("4", "every-call", "armed_call", "medium", "page", "on: armed_call, vectors: [{match: true, facts: {}}]")
	/* 4 */ RULE("5", "call", "armed_call", "low", "pause",
		"on: armed_call, condition: protected >= 1 and not bundle, vectors: [{match: true, facts: {protected: 1}}, {match: false, facts: {}}]")
	/* 5 */ RULE("6", "every-deploy", "flash_deploy", "info", "watch", "on: deployment, vectors: [{match: true, facts: {}}]")
	/* 6 */ RULE("7", "touching", "other", "low", "watch",
		"match: {p: {selector: 0xab9c4b5d}}, condition: p and protected > 1, vectors: [{match: true, tx: {}, facts: {protected: 2}}, {match: false, tx: {}}]");

/* clang-format on */
static struct made_tx made;
static uint8_t to[20], data[64];

static const struct tx *
transaction(bool creation, uint8_t wei)
{
	static uint8_t value;
	struct tx_fields f = {.type = TX_1559, .gas = 100000};
	value = wei;
	f.value = (struct span){&value, wei != 0};
	f.to = (struct span){to, creation ? 0 : 20};
	f.data = (struct span){data, unhex("ab9c4b5d00", data)};
	tx_make(&made, &f);
	return &made.t;
}

static void
by_event(void **unused)
{
	static const struct {
		enum rule_event event;
		uint32_t n, index[3];
	} want[] = {{EVENT_DEPLOYMENT, 3, {2, 0, 5}}, {EVENT_ARMED_CALL, 2, {4, 3}},
		{EVENT_TRANSACTION, 2, {1, 6}}, {EVENT_SANDWICH, 0, {0}}, {EVENT_SANDWICH_FRONT, 0, {0}},
		{EVENT_DISPLACEMENT, 0, {0}}, {EVENT_DELEGATION, 0, {0}}};
	struct loaded l;
	loaded_open(&l, yaml);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const uint32_t *rules;
		assert_int_equal(ruleset_on(l.rules, want[i].event, &rules), want[i].n);
		for (uint32_t k = 0; k < want[i].n; k++) {
			struct ruleset_rule r;
			assert_int_equal(rules[k], want[i].index[k]);
			ruleset_rule(l.rules, rules[k], &r);
			assert_int_equal(r.event, want[i].event);
		}
	}
	assert_true(ruleset_asks(l.rules, EVENT_TRANSACTION, SCALAR_PROTECTED));
	assert_true(ruleset_asks(l.rules, EVENT_DEPLOYMENT, SCALAR_CODE_PROVIDERS));
	assert_false(ruleset_asks(l.rules, EVENT_DEPLOYMENT, SCALAR_PROTECTED));
	assert_false(ruleset_asks(l.rules, EVENT_SANDWICH, SCALAR_ARMED));
	loaded_close(&l);
}

static void
numbers(void **unused)
{
	struct loaded l;
	struct rule_facts f = {{0}, NULL};
	loaded_open(&l, yaml);
	assert_true(ruleset_event_holds(l.rules, 5, &f)); /* no condition */
	assert_true(ruleset_event_holds(l.rules, 3, &f));
	f.number[SCALAR_CODE_SCORE] = 99;
	assert_false(ruleset_event_holds(l.rules, 0, &f));
	f.number[SCALAR_CODE_SCORE] = 100;
	assert_true(ruleset_event_holds(l.rules, 0, &f));
	f.number[SCALAR_CODE_SCORE] = UINT64_MAX;
	assert_true(ruleset_event_holds(l.rules, 0, &f));
	/* the transaction's own come from it, if it is there */
	f.number[SCALAR_CODE_FLASH] = 1;
	assert_true(ruleset_event_holds(l.rules, 2, &f));
	f.number[SCALAR_VALUE] = 5;
	assert_false(ruleset_event_holds(l.rules, 2, &f));
	f.tx = transaction(true, 4);
	assert_true(ruleset_event_holds(l.rules, 2, &f));
	f.tx = transaction(true, 5);
	assert_false(ruleset_event_holds(l.rules, 2, &f));
	/* what is no number of a transaction does not */
	f.number[SCALAR_PROTECTED] = 1;
	assert_true(ruleset_event_holds(l.rules, 4, &f));
	f.number[SCALAR_BUNDLE_LEN] = 1;
	assert_false(ruleset_event_holds(l.rules, 4, &f));
	loaded_close(&l);
}

static void
of_transactions(void **unused)
{
	struct loaded l;
	struct rule_facts f = {{0}, NULL};
	struct finding found_[DETECT_FINDINGS_MAX];
	loaded_open(&l, yaml);
	/* rules on events are none on transactions */
	assert_int_equal(detect_tx(l.detect, transaction(true, 1), 0, found_), 0);
	assert_int_equal(detect_tx(l.detect, transaction(false, 1), 0, found_), 0);
	f.number[SCALAR_CODE_FLASH] = 1;
	f.number[SCALAR_BUNDLE_POS] = 2;
	f.number[SCALAR_PROTECTED] = 2;
	detect_facts(l.detect, &f);
	assert_true(found(&l, transaction(true, 1), 0, 2));
	assert_false(found(&l, transaction(true, 1), 0, 7));
	assert_true(found(&l, transaction(false, 1), 0, 7));
	assert_false(found(&l, transaction(false, 1), 0, 2));
	f.number[SCALAR_PROTECTED] = 1;
	assert_false(found(&l, transaction(false, 1), 0, 7));
	detect_facts(l.detect, NULL);
	assert_false(found(&l, transaction(true, 1), 0, 2));
	loaded_close(&l);
}

/* Every vector of a rule on an event says of itself what it says. */
static void
vectors(void **unused)
{
	struct loaded l;
	unsigned seen = 0, with_tx = 0;
	loaded_open(&l, yaml);
	for (uint32_t i = 0; i < ruleset_vectors(l.rules); i++) {
		struct rule_facts f;
		struct ruleset_rule r;
		uint32_t rule;
		bool expect;
		struct span text;
		ruleset_vector(l.rules, i, &rule, &expect, &text);
		bool given = ruleset_vector_facts(l.rules, i, &f);
		ruleset_rule(l.rules, rule, &r);
		assert_true((text.len == 0) == (r.event != EVENT_TRANSACTION));
		if (r.event == EVENT_TRANSACTION) {
			with_tx += given;
			assert_int_equal(f.number[SCALAR_PROTECTED], given ? 2 : 0);
			continue;
		}
		assert_true(given);
		assert_true(ruleset_event_holds(l.rules, rule, &f) == expect);
		seen++;
	}
	assert_int_equal(seen, 2 + 2 + 1 + 2 + 1);
	assert_int_equal(with_tx, 1);
	loaded_close(&l);
}

static void
of_code(void **unused)
{
	const struct code_facts c = {.callbacks = 5,
		.entries = 6,
		.addresses = 1u << 9,
		.score = 640,
		.flash = true,
		.template_ = true};
	struct rule_facts f;
	memset(&f, 0, sizeof f);
	f.number[SCALAR_PROTECTED] = 3;
	rule_facts_of_code(&f, &c, 77);
	assert_int_equal(f.number[SCALAR_CODE_SCORE], 640);
	assert_int_equal(f.number[SCALAR_CODE_FLASH], 1);
	assert_int_equal(f.number[SCALAR_CODE_PROVIDERS], 3);
	assert_int_equal(f.number[SCALAR_CODE_LEARNED], 77);
	assert_int_equal(f.number[SCALAR_CODE_TEMPLATE], 1);
	assert_int_equal(f.number[SCALAR_PROTECTED], 3);
	rule_facts_of_code(&f, NULL, 77);
	for (unsigned i = 0; i < SCALAR_COUNT; i++)
		assert_int_equal(f.number[i], i == SCALAR_PROTECTED ? 3 : 0);
}

static void
beside_the_packs(void **unused)
{
	static const char weights[] =
		"model 1\ngrams 65536\nbias -300\nscale 100\nthreshold 900\n0 100\n65535 200\n";
	static const char templates[] =
		"0xff00000000000000000000000000000000000000000000000000000000000001 p@1 A\n"
		"0x0000000000000000000000000000000000000000000000000000000000000002 p@1 B\n"
		"0x1100000000000000000000000000000000000000000000000000000000000003 p@1 C\n";
	struct loaded l;
	uint8_t hash[32] = {0};
	uint64_t grams[CODE_GRAMS / 64] = {0};
	loaded_open(&l, yaml);
	assert_null(ruleset_model(l.rules));
	assert_false(ruleset_template(l.rules, hash));
	loaded_close(&l);
	loaded_open_beside(&l, yaml, weights, templates);
	const struct model *m = ruleset_model(l.rules);
	assert_non_null(m);
	assert_int_equal(m->threshold, 900);
	assert_int_equal(model_score(m, grams), 47); /* at -3 */
	grams[0] = 1;
	assert_int_equal(model_score(m, grams), 119); /* at -2 */
	grams[CODE_GRAMS / 64 - 1] = 1ull << 63;
	assert_int_equal(model_score(m, grams), 500);
	hash[0] = 0xff;
	hash[31] = 1;
	assert_true(ruleset_template(l.rules, hash));
	hash[31] = 2;
	assert_false(ruleset_template(l.rules, hash));
	hash[0] = 0;
	assert_true(ruleset_template(l.rules, hash));
	loaded_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(by_event), cmocka_unit_test(numbers),
		cmocka_unit_test(of_transactions), cmocka_unit_test(vectors), cmocka_unit_test(of_code),
		cmocka_unit_test(beside_the_packs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
