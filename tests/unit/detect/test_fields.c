/* SPDX-License-Identifier: BSD-3-Clause */
/* Every field at its edges: a value counts only where its field allows it, and wholly in it. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS "87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
#define OTHER "00112233445566778899aabbccddeeff00112233"

static char yaml[65536];
static size_t yaml_len;

static void
begin(void)
{
	yaml_len = (size_t)snprintf(yaml, sizeof yaml, "pack: fields\nversion: 1\nrules:\n");
}

/* A rule of one pattern `p` of this field, with this condition. */
static void
rule(unsigned id, const char *field, const char *values, const char *condition)
{
	yaml_len += (size_t)snprintf(yaml + yaml_len, sizeof yaml - yaml_len,
		"  - id: %u\n    rev: 1\n    name: r%u\n    description: d\n    class: other\n    severity: "
		"low\n    grade: watch\n"
		"    status: stable\n    match: {p: {%s: [%s]}}\n    condition: %s\n"
		"    vectors: [{match: true, tx: {}}, {match: false, tx: {input: 0x}}]\n",
		id, id, field, values, condition);
	assert_true(yaml_len < sizeof yaml);
}

static struct made_tx m;
static uint8_t data[8192], to[20];

/* A call to `to_hex` ("" creates) with this data. */
static const struct tx *
call(const char *to_hex, const char *data_hex)
{
	struct tx_fields f = {.type = TX_1559, .gas = 100000};
	f.to = (struct span){to, unhex(to_hex, to)};
	f.data = (struct span){data, unhex(data_hex, data)};
	tx_make(&m, &f);
	return &m.t;
}

static void
recipient(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "to", "0x" ADDRESS, "p");
	loaded_open(&l, yaml);
	assert_true(found(&l, call(ADDRESS, ""), 0, 1));
	assert_false(found(&l, call(OTHER, ""), 0, 1));
	assert_false(found(&l, call(OTHER, ADDRESS), 0, 1));
	assert_false(found(&l, call("", ADDRESS), 0, 1));
	loaded_close(&l);
}

static void
selector(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "selector", "0xab9c4b5d, 0x42b0b77c", "p");
	loaded_open(&l, yaml);
	assert_true(found(&l, call(ADDRESS, "ab9c4b5d"), 0, 1));
	assert_true(found(&l, call(ADDRESS, "42b0b77c00"), 0, 1));
	assert_false(found(&l, call(ADDRESS, "ab9c4b"), 0, 1));
	assert_false(found(&l, call(ADDRESS, "00ab9c4b5d"), 0, 1));
	assert_false(found(&l, call("", "ab9c4b5d"), 0, 1));
	loaded_close(&l);
}

static void
input_anywhere(void **unused)
{
	struct loaded l;
	char hex[512];
	begin();
	rule(1, "input", "0x" ADDRESS, "p");
	rule(2, "input", "0xc0ffee", "p");
	loaded_open(&l, yaml);
	for (unsigned before = 0; before < 70; before++) { /* any alignment, also at the end */
		for (unsigned after = 0; after < 2; after++) {
			hex[0] = 0;
			for (unsigned i = 0; i < before; i++)
				strcat(hex, "87");
			strcat(hex, ADDRESS);
			strcat(hex, after ? "00" : "");
			assert_true(found(&l, call(OTHER, hex), 0, 1));
			hex[strlen(hex) - (after ? 4 : 2)] ^= 1; /* its last byte */
			assert_false(found(&l, call(OTHER, hex), 0, 1));
		}
	}
	assert_true(found(&l, call(OTHER, "c0ffee"), 0, 2));
	assert_false(found(&l, call(OTHER, "c0ff"), 0, 2));
	assert_false(found(&l, call("", "c0ffee"), 0, 2));
	/* across the edges of the field: to, and what follows the data */
	assert_false(found(&l, call(OTHER, "0bca3f3fd6335c3f4ce8392d69350b4fa4e2"), 0, 1));
	loaded_close(&l);
}

/* The fields around the calldata complete the needle: it must not count. */
static void
input_not_beyond(void **unused)
{
	struct loaded l;
	uint8_t d[] = {0xde, 0xad}, list[64], address[20];
	struct tx_fields f = {.type = TX_1559};
	begin();
	rule(1, "input", "0xdeadc0", "p"); /* c0: the empty access list */
	rule(2, "input", "0xdeadd6d5", "p");
	loaded_open(&l, yaml);
	f.to = (struct span){to, unhex(OTHER, to)};
	f.data = (struct span){d, sizeof d};
	tx_make(&m, &f);
	assert_int_equal(m.t.data.p[2], 0xc0);
	assert_false(found(&l, &m.t, 0, 1));
	unhex(ADDRESS, address);
	f.access_list = (struct span){list, (uint32_t)access_put(list, address, NULL, 0)};
	tx_make(&m, &f);
	assert_false(found(&l, &m.t, 0, 2));
	loaded_close(&l);
}

static void
argument(void **unused)
{
	struct loaded l;
	char hex[1024];
	static const char word[] = "000000000000000000000000" ADDRESS;
	begin();
	rule(1, "arg", "0x" ADDRESS, "p");
	rule(2, "arg", "0x000000000000000000000000" ADDRESS, "p");
	loaded_open(&l, yaml);
	for (unsigned before = 0; before < 100; before++) {
		strcpy(hex, "ab9c4b5d");
		for (unsigned i = 0; i < before; i++)
			strcat(hex, "11");
		strcat(hex, word);
		assert_int_equal(found(&l, call(OTHER, hex), 0, 1), before % 32 == 0);
		assert_int_equal(found(&l, call(OTHER, hex), 0, 2), before % 32 == 0);
	}
	snprintf(hex, sizeof hex, "ab9c4b5d%s", word);
	assert_false(found(&l, call("", hex), 0, 1));
	hex[8] = '1'; /* dirty upper bytes: still the address, not the word */
	assert_true(found(&l, call(OTHER, hex), 0, 1));
	assert_false(found(&l, call(OTHER, hex), 0, 2));
	hex[strlen(hex) - 2] = 0; /* the word ends too early */
	assert_false(found(&l, call(OTHER, hex), 0, 1));
	snprintf(hex, sizeof hex, "%s", word); /* as if without a selector */
	assert_false(found(&l, call(OTHER, hex), 0, 1));
	loaded_close(&l);
}

static void
init_code(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "init_code", "0x6001600255f3", "p");
	rule(2, "push_address", "0x" ADDRESS ", 0x000000000004444c5dc75cb358380d2e3de08a90", "p");
	loaded_open(&l, yaml);
	assert_true(found(&l, call("", "006001600255f3"), 0, 1));
	assert_false(found(&l, call("", "006001600255"), 0, 1));
	assert_false(found(&l, call(OTHER, "006001600255f3"), 0, 1));
	assert_true(found(&l, call("", "73" ADDRESS), 0, 2));
	assert_false(found(&l, call("", "72" ADDRESS), 0, 2));
	assert_false(found(&l, call(OTHER, "73" ADDRESS), 0, 2));
	assert_true(found(&l, call("", "6e04444c5dc75cb358380d2e3de08a90"), 0, 2));
	assert_true(found(&l, call("", "73000000000004444c5dc75cb358380d2e3de08a90"), 0, 2));
	assert_false(found(&l, call("", "6f04444c5dc75cb358380d2e3de08a90"), 0, 2));
	loaded_close(&l);
}

/* domain facts: selectors and the shifted form that compilers give them. */
static void
push_selectors(void **unused)
{
	static const struct {
		const char *selector, *shifted;
	} known[] = {{"5cffe9de", "632e7ff4ef60e11b"}, {"42b0b77c", "6310ac2ddf60e21b"},
		{"5c38449e", "632e1c224f60e11b"}, {"490e6cbc", "6312439b2f60e21b"},
		{"e0232b42", "63701195a160e11b"}, {"d0a494e4", "633429253960e21b"},
		{"128acb08", "630251596160e31b"}, {"00991403", NULL}, {"ab9c4b5d", NULL},
		{"80000000", "600160ff1b"}, {"00800000", "600160f71b"}};
	char hex[256];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const char *s = known[i].selector;
		struct loaded l;
		begin();
		snprintf(hex, sizeof hex, "0x%s", s);
		rule(1, "push_selector", hex, "p");
		loaded_open(&l, yaml);
		snprintf(hex, sizeof hex, "5b63%s14", s);
		assert_true(found(&l, call("", hex), 0, 1));
		assert_false(found(&l, call(OTHER, hex), 0, 1));
		hex[3] ^= 1;
		assert_false(found(&l, call("", hex), 0, 1));
		snprintf(hex, sizeof hex, "7f%s%056d", s, 0);
		assert_true(found(&l, call("", hex), 0, 1));
		hex[strlen(hex) - 2] = 0; /* one zero byte too few */
		assert_false(found(&l, call("", hex), 0, 1));
		if (known[i].shifted != NULL) {
			assert_true(found(&l, call("", known[i].shifted), 0, 1));
			snprintf(hex, sizeof hex, "%s", known[i].shifted);
			hex[strlen(hex) - 1] ^= 1;
			assert_false(found(&l, call("", hex), 0, 1));
		}
		if (s[0] == '0' && s[1] == '0') {
			snprintf(hex, sizeof hex, "62%s", s + 2);
			assert_true(found(&l, call("", hex), 0, 1));
			snprintf(hex, sizeof hex, "7e%s%056d", s + 2, 0);
			assert_true(found(&l, call("", hex), 0, 1));
		}
		loaded_close(&l);
	}
}

static void
lists(void **unused)
{
	struct loaded l;
	uint8_t address[20], other[20], keys[64], list[1024];
	struct tx_fields f = {.type = TX_7702};
	size_t n;
	begin();
	rule(1, "access_list", "0x" ADDRESS, "p");
	rule(2, "authorization", "0x" ADDRESS, "p");
	loaded_open(&l, yaml);
	unhex(ADDRESS, address);
	unhex(OTHER, other);
	memset(keys, 0, sizeof keys);
	memcpy(keys + 12, address, 20); /* a storage key is no address */
	f.to = (struct span){to, unhex(OTHER, to)};
	n = access_put(list, other, keys, 2);
	f.access_list = (struct span){list, (uint32_t)n};
	tx_make(&m, &f);
	assert_false(found(&l, &m.t, 0, 1));
	n += access_put(list + n, address, keys, 2);
	f.access_list.len = (uint32_t)n;
	tx_make(&m, &f);
	assert_true(found(&l, &m.t, 0, 1));
	assert_false(found(&l, &m.t, 0, 2));
	f.access_list.len = 0;
	n = auth_put(list, 1, other);
	n += auth_put(list + n, 0, address);
	f.auth_list = (struct span){list, (uint32_t)n};
	tx_make(&m, &f);
	assert_true(found(&l, &m.t, 0, 2));
	assert_false(found(&l, &m.t, 0, 1));
	loaded_close(&l);
}

static void
counts_are_of_distinct_values(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "input", "0xc0ffee, 0xdecade, 0xfacade", "count(p) >= 2");
	rule(2, "push_selector", "0x5cffe9de, 0x42b0b77c", "count(p) >= 2");
	loaded_open(&l, yaml);
	assert_false(found(&l, call(OTHER, "c0ffeec0ffee"), 0, 1));
	assert_true(found(&l, call(OTHER, "c0ffeefacade"), 0, 1));
	/* two encodings of one selector are one value */
	assert_false(found(&l, call("", "635cffe9de632e7ff4ef60e11b"), 0, 2));
	assert_true(found(&l, call("", "635cffe9de6310ac2ddf60e21b"), 0, 2));
	loaded_close(&l);
}

/* What one transaction matched is gone for the next. */
static void
nothing_stays(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "input", "0xc0ffee, 0xdecade", "count(p) >= 2");
	rule(2, "input", "0xc0ffee", "not p");
	loaded_open(&l, yaml);
	for (int i = 0; i < 4; i++) {
		assert_false(found(&l, call(OTHER, "c0ffee"), 0, 1));
		assert_false(found(&l, call(OTHER, "c0ffee"), 0, 2));
		assert_false(found(&l, call(OTHER, "decade"), 0, 1));
		assert_true(found(&l, call(OTHER, "decade"), 0, 2));
		assert_true(found(&l, call(OTHER, "decadec0ffee"), 0, 1));
	}
	loaded_close(&l);
}

static void
bundles(void **unused)
{
	struct loaded l;
	begin();
	rule(1, "to", "0x" ADDRESS, "p and bundle");
	rule(2, "to", "0x" ADDRESS, "p and bundle_len >= 3");
	rule(3, "to", "0x" ADDRESS, "p or creation");
	loaded_open(&l, yaml);
	assert_false(found(&l, call(ADDRESS, ""), 0, 1));
	assert_true(found(&l, call(ADDRESS, ""), 1, 1));
	assert_false(found(&l, call(ADDRESS, ""), 2, 2));
	assert_true(found(&l, call(ADDRESS, ""), 3, 2));
	assert_true(found(&l, call("", ""), 0, 3));
	assert_false(found(&l, call(OTHER, ""), 0, 3));
	loaded_close(&l);
}

/* Cheap findings must not crowd out the grave one. */
static void
more_findings_than_fit(void **unused)
{
	struct loaded l;
	struct finding f[DETECT_FINDINGS_MAX];
	struct ruleset_rule r;
	begin();
	for (unsigned i = 1; i <= 50; i++)
		rule(i, "to", "0x" ADDRESS, "p");
	rule(51, "selector", "0xab9c4b5d", "p");
	char *grade = strstr(yaml, "id: 51");
	memcpy(strstr(grade, "grade: watch"), "grade: pause", 12);
	loaded_open(&l, yaml);
	assert_int_equal(detect_tx(l.detect, call(ADDRESS, "ab9c4b5d"), 0, f), DETECT_FINDINGS_MAX);
	assert_int_equal(detect_over(l.detect), 51 - DETECT_FINDINGS_MAX);
	ruleset_rule(l.rules, f[0].rule_index, &r);
	assert_int_equal(r.id, 51);
	assert_int_equal(r.grade, GRADE_PAUSE);
	ruleset_rule(l.rules, f[1].rule_index, &r);
	assert_int_equal(r.id, 1);
	loaded_close(&l);
}

static void
no_rules(void **unused)
{
	struct loaded l;
	struct finding f[DETECT_FINDINGS_MAX];
	loaded_open(&l, "pack: none\nversion: 1\nrules: []\n");
	assert_int_equal(detect_tx(l.detect, call(ADDRESS, "ab9c4b5d"), 0, f), 0);
	assert_int_equal(ruleset_rules(l.rules), 0);
	assert_int_equal(ruleset_patterns(l.rules), 0);
	loaded_close(&l);
}

static void
vectors_travel(void **unused)
{
	struct loaded l;
	uint32_t index;
	bool expect;
	struct span text;
	struct ruleset_rule r;
	loaded_open(&l,
		"pack: v\nversion: 1\nrules:\n  - id: 9\n    rev: 4\n    name: v-rule\n    description: d\n  "
		"  class: swap\n"
		"    severity: critical\n    grade: page\n    status: stable\n    match: {p: {to: 0x" ADDRESS
		"}}\n    condition: p\n"
		"    vectors:\n      - match: true\n        tx: {to: 0x" ADDRESS
		", value: 16, nonce: 0x1, input: 0x,\n"
		"             accessList: [{address: 0x" OTHER ", storageKeys: []}]}\n"
		"      - {match: false, tx: {raw: 0xc0}}\n");
	assert_int_equal(ruleset_vectors(l.rules), 2);
	ruleset_vector(l.rules, 0, &index, &expect, &text);
	assert_true(expect);
	assert_int_equal(index, 0);
	static const char want[] = "{\"to\":\"0x" ADDRESS
				   "\",\"value\":\"0x10\",\"nonce\":\"0x1\",\"input\":\"0x\",\"accessList\":"
				   "[{\"address\":\"0x" OTHER "\",\"storageKeys\":[]}]}";
	assert_int_equal(text.len, sizeof want - 1);
	assert_memory_equal(text.p, want, text.len);
	ruleset_vector(l.rules, 1, &index, &expect, &text);
	assert_false(expect);
	assert_memory_equal(text.p, "{\"raw\":\"0xc0\"}", text.len);
	ruleset_rule(l.rules, 0, &r);
	assert_int_equal(r.id, 9);
	assert_int_equal(r.rev, 4);
	assert_int_equal(r.class_, CLASS_SWAP);
	assert_int_equal(r.severity, SEVERITY_CRITICAL);
	assert_int_equal(r.grade, GRADE_PAGE);
	assert_string_equal(r.name, "v-rule");
	assert_int_equal(ruleset_generation(l.rules), 1);
	loaded_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(recipient), cmocka_unit_test(selector),
		cmocka_unit_test(input_anywhere), cmocka_unit_test(input_not_beyond),
		cmocka_unit_test(argument), cmocka_unit_test(init_code), cmocka_unit_test(push_selectors),
		cmocka_unit_test(lists), cmocka_unit_test(counts_are_of_distinct_values),
		cmocka_unit_test(nothing_stays), cmocka_unit_test(bundles),
		cmocka_unit_test(more_findings_than_fit), cmocka_unit_test(no_rules),
		cmocka_unit_test(vectors_travel)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
