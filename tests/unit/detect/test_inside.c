/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules and the calls inside of calldata: each call by itself, each rule once, and nothing left over for the
 * next transaction. That all fields and conditions are judged as they would be of a transaction is shown by
 * test_differential. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENDER 0x87
#define OTHER 0x11
#define FLASH 0xab9c4b5du

/* clang-format off */
#define RULE(id, grade, match, condition, more) \
	"  - {id: " id ", rev: 1, name: r" id ", description: d, class: other, severity: low, grade: " grade ",\n" \
	"     status: stable, match: {" match "}, condition: \"" condition "\",\n" \
	"     vectors: [{match: true, tx: {}}, {match: false, tx: {input: 0x}}]" more "}\n"
#define ADDRESS "[0x8787878787878787878787878787878787878787]"
#define TO "to: {to: " ADDRESS "}"
#define SELECTOR "sel: {selector: [0xab9c4b5d]}"
static const char *const packs = "pack: inside\nversion: 1\nrules:\n"
	RULE("1", "watch", TO ", " SELECTOR, "to and sel", "")
	RULE("2", "page", SELECTOR, "sel", "")
	RULE("3", "watch", SELECTOR, "creation and not sel", "")
	RULE("4", "watch", SELECTOR, "sel and call_depth >= 2", "")
	RULE("5", "watch", SELECTOR, "sel and value >= 1000", "")
	RULE("6", "watch", "code: {init_code: [0xc0ffeec0ffee]}", "code", "")
	RULE("7", "watch", "arg: {arg: " ADDRESS "}", "arg", "")
	RULE("8", "watch", "lent: {to: " ADDRESS "}", "lent", ", protocols: [lent]");
/* clang-format on */

/* ---- calldata: aggregate3Value of items ---- */

static uint8_t b[8192];
static uint32_t n;

static void
word(uint64_t v)
{
	memset(b + n, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		b[n + 31 - i] = (uint8_t)(v >> 8 * i);
	n += 32;
}

static void
address(uint8_t byte)
{
	word(0);
	memset(b + n - 20, byte, 20);
}

static void
put_selector(uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		b[n++] = (uint8_t)(v >> (24 - 8 * i));
}

struct item {
	uint8_t to;
	uint64_t value;
	uint32_t selector;
};

static const struct tx *
send(uint8_t to, const struct item *items, unsigned count)
{
	static struct made_tx m;
	static uint8_t recipient[20];
	struct tx_fields f = {.type = TX_1559, .gas = 100000};
	n = 0;
	put_selector(0x174dea71);
	word(32);
	word(count);
	for (unsigned i = 0; i < count; i++)
		word(32 * count + 192 * i);
	for (unsigned i = 0; i < count; i++) {
		address(items[i].to);
		word(1);
		word(items[i].value);
		word(128);
		word(4);
		put_selector(items[i].selector);
		memset(b + n, 0, 28);
		n += 28;
	}
	memset(recipient, to, 20);
	f.to = (struct span){recipient, 20};
	f.data = (struct span){b, n};
	tx_make(&m, &f);
	return &m.t;
}

static struct loaded l;

/* The call in which a rule was found, or -1. */
static int
found_in(const struct finding *f, int count, uint32_t id)
{
	for (int i = 0; i < count; i++) {
		struct ruleset_rule r;
		ruleset_rule(l.rules, f[i].rule_index, &r);
		if (r.id == id)
			return f[i].call;
	}
	return -1;
}

static void
test_by_itself(void **unused)
{
	struct finding f[DETECT_FINDINGS_MAX];
	/* the lender is called, and the selector is used, but not both in one call */
	int count = detect_tx(
		l.detect, send(OTHER, (struct item[]){{LENDER, 0, 0x01020304}, {OTHER, 5, FLASH}}, 2), 0, f);
	assert_int_equal(detect_calls(l.detect)->n, 3);
	assert_int_equal(found_in(f, count, 1), -1);
	assert_int_equal(found_in(f, count, 2), 2);
	assert_int_equal(found_in(f, count, 5), -1);
	assert_int_equal(found_in(f, count, 8), 1);
	/* nor with the transaction's own recipient */
	count = detect_tx(l.detect, send(LENDER, (struct item[]){{OTHER, 0, FLASH}}, 1), 0, f);
	assert_int_equal(found_in(f, count, 1), -1);
	assert_int_equal(found_in(f, count, 8), 0);
	count = detect_tx(
		l.detect, send(OTHER, (struct item[]){{OTHER, 0, 1}, {LENDER, 1000, FLASH}}, 2), 0, f);
	assert_int_equal(found_in(f, count, 1), 2);
	assert_int_equal(found_in(f, count, 5), 2);
	assert_int_equal(found_in(f, count, 3), -1);
	assert_int_equal(found_in(f, count, 4), -1); /* one deep */
	/* protocols are those of the call */
	for (int i = 0; i < count; i++) {
		assert_int_equal(f[i].n_protocols, f[i].rule_index == 7);
		if (f[i].rule_index == 7)
			assert_int_equal(f[i].protocols[0][0], LENDER);
	}
}

static void
test_once(void **unused)
{
	struct finding f[DETECT_FINDINGS_MAX];
	int count = detect_tx(l.detect,
		send(OTHER,
			(struct item[]){
				{OTHER, 0, 1}, {LENDER, 0, FLASH}, {LENDER, 0, FLASH}, {LENDER, 5000, FLASH}},
			4),
		0, f);
	assert_int_equal(count, 5);		    /* 2, 1, 5, 7, 8 */
	assert_int_equal(found_in(f, count, 7), 0); /* the transaction's own words */
	assert_int_equal(found_in(f, count, 2), 2);
	assert_int_equal(f[0].call, 2); /* the page-grade one first */
	assert_int_equal(found_in(f, count, 1), 2);
	assert_int_equal(found_in(f, count, 5), 4);
	/* nothing of it is left */
	count = detect_tx(l.detect, send(OTHER, (struct item[]){{OTHER, 0, 1}}, 1), 0, f);
	assert_int_equal(count, 0);
	count = detect_tx(l.detect, send(OTHER, (struct item[]){{LENDER, 0, FLASH}}, 1), 0, f);
	assert_int_equal(count, 4);
}

static void
test_depth_and_creation(void **unused)
{
	struct finding f[DETECT_FINDINGS_MAX];
	static struct made_tx m;
	static const uint8_t to[20] = {9};
	struct tx_fields fields = {.type = TX_1559, .gas = 100000, .to = {to, 20}};
	/* execute(address, uint256, bytes) of deploy(bytes) of init code, which is no calldata though it
	 * begins like a call */
	n = 0;
	put_selector(0xb61d27f6);
	address(OTHER);
	word(0);
	word(96);
	word(100);
	put_selector(0x00774360);
	word(32);
	word(10);
	put_selector(FLASH);
	memcpy(b + n, "\xc0\xff\xee\xc0\xff\xee", 6);
	memset(b + n + 6, 0, 22 + 28);
	n += 28 + 28;
	fields.data = (struct span){b, n};
	tx_make(&m, &fields);
	int count = detect_tx(l.detect, &m.t, 0, f);
	assert_int_equal(detect_calls(l.detect)->n, 3);
	assert_int_equal(detect_calls(l.detect)->call[2].kind, CALL_CREATE);
	assert_int_equal(found_in(f, count, 6), 2);
	assert_int_equal(found_in(f, count, 3), 2);
	assert_int_equal(found_in(f, count, 2), -1);
	/* execute of executeUserOp's tail of a flash loan: two deep */
	n = 0;
	put_selector(0xb61d27f6);
	address(OTHER);
	word(0);
	word(96);
	word(68 + 4);
	put_selector(0x8dd7712f);
	put_selector(FLASH);
	address(LENDER);
	word(3);
	memset(b + n, 0, 24);
	n += 24;
	fields.data = (struct span){b, n};
	tx_make(&m, &fields);
	count = detect_tx(l.detect, &m.t, 0, f);
	assert_int_equal(detect_calls(l.detect)->n, 3);
	assert_int_equal(found_in(f, count, 4), 2);
	assert_int_equal(found_in(f, count, 7), 2); /* words count from the inner selector */
}

/* More than fit, and the gravest in the last call. */
static void
test_more_than_fit(void **unused)
{
	static char text[65536];
	struct finding f[DETECT_FINDINGS_MAX];
	struct loaded many;
	size_t at = (size_t)sprintf(text, "pack: many\nversion: 1\nrules:\n");
	for (unsigned i = 1; i <= 41; i++)
		at += (size_t)sprintf(text + at,
			"  - {id: %u, rev: 1, name: r%u, description: d, class: other, severity: low, grade: "
			"%s, status: stable,\n"
			"     match: {p: {selector: [0x000000%02x]}}, condition: p, vectors: [{match: true, "
			"tx: {}}, {match: false, tx: {input: 0x}}]}\n",
			i, i, i == 41 ? "page" : "watch",
			i < 20	 ? 1
			: i < 41 ? 2
				 : 3);
	loaded_open(&many, text);
	int count = detect_tx(many.detect,
		send(OTHER, (struct item[]){{OTHER, 0, 1}, {OTHER, 0, 2}, {OTHER, 0, 1}, {OTHER, 0, 3}}, 4),
		0, f);
	assert_int_equal(count, DETECT_FINDINGS_MAX);
	assert_int_equal(detect_over(many.detect), 41 - DETECT_FINDINGS_MAX);
	assert_int_equal(f[0].rule_index, 40);
	assert_int_equal(f[0].call, 4);
	for (int i = 1; i < count; i++) {
		assert_int_equal(f[i].rule_index, i - 1);
		assert_int_equal(f[i].call, i <= 19 ? 1 : 2);
	}
	loaded_close(&many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_itself),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_depth_and_creation),
		cmocka_unit_test(test_more_than_fit),
	};
	loaded_open(&l, packs);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	loaded_close(&l);
	return failed;
}
