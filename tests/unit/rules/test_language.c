/* SPDX-License-Identifier: BSD-3-Clause */
/* What the language refuses, and exactly where it says so. */
#include "rules/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* clang-format off */
/* A good pack, line by line; each case replaces lines of it. */
static const char *const good[] = {
	/*  1 */ "pack: good",
	/*  2 */ "version: 1",
	/*  3 */ "lists:",
	/*  4 */ "  pools: [0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2, 0x4e033931ad43597d96D6bcc25c280717730B58B1]",
	/*  5 */ "rules:",
	/*  6 */ "  - id: 1001",
	/*  7 */ "    rev: 1",
	/*  8 */ "    name: first",
	/*  9 */ "    description: \"one sentence\"",
	/* 10 */ "    class: flash_loan",
	/* 11 */ "    severity: medium",
	/* 12 */ "    grade: watch",
	/* 13 */ "    status: stable",
	/* 14 */ "    references: [\"https://example.org/\"]",
	/* 15 */ "    match:",
	/* 16 */ "      pool: {to: $pools}",
	/* 17 */ "      flash_a: {selector: [0xab9c4b5d, 0x42b0b77c]}",
	/* 18 */ "      flash_b: {input: 0xc0ffee00}",
	/* 19 */ "    condition: pool and any of (flash_*)",
	/* 20 */ "    protocols: [pool]",
	/* 21 */ "    except:",
	/* 22 */ "      known: {arg: 0x1111111111111111111111111111111111111111}",
	/* 23 */ "    vectors:",
	/* 24 */ "      - match: true",
	/* 25 */ "        tx: {to: 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2, input: 0xab9c4b5d}",
	/* 26 */ "      - match: false",
	/* 27 */ "        tx: {to: 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2, input: 0x}",
};
#define LINES (sizeof good / sizeof *good)

struct wrong {
	unsigned line; /* replaced */
	const char *with;
	unsigned at_line, at_column;
	const char *says;
};

static const struct wrong wrongs[] = {
	/* the file */
	{1, "pack: good: again", 1, 11, "not YAML"},
	{1, "pack: Good", 1, 7, "pack `Good`"},
	{1, "pack: &a good", 1, 7, "an anchor"},
	{1, "pack: *a", 1, 7, "an alias"},
	{1, "pack: !!str good", 1, 7, "a tag"},
	{1, "pack: [good]", 1, 7, "pack must be one value, not a sequence"},
	{1, "", 2, 1, "a pack without `pack: NAME`"},
	{1, "pack: good\npack: good", 2, 1, "key `pack` a second time"},
	{1, "pack: good\nauthor: me", 2, 1, "unknown key `author` in a pack"},
	{2, "version: 2", 2, 10, "2 is out of range (1 to 1)"},
	{2, "version: one", 2, 10, "`one` is no number"},
	{2, "", 1, 1, "a pack without `version: 1`"},
	{27, "        tx: {input: 0x}\n---\npack: other", 28, 1, "a second document"},
	/* lists */
	{4, "  pools: [0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2]\n  spare: [0x00]", 5, 3, "list `spare` is not used"},
	{4, "  pools: []", 4, 10, "list `pools` is empty"},
	{4, "  and: [0x00]\n  pools: [0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2]", 4, 3, "list `and` is a word of conditions"},
	{4, "  pools: [0x87]", 4, 11, "a value of `to` has 20 bytes, not 1"},
	{4, "  pools: [$pools]", 4, 11, "a list in a list"},
	/* head of a rule */
	{6, "  - id: 0", 6, 9, "0 is out of range"},
	{6, "  - id: 2147483649", 6, 9, "2147483649 is out of range"},
	{6, "  - id: 99999999999999999999999", 6, 9, "is out of range"},
	{6, "  - id: 010", 6, 9, "`010` is no number"},
	{6, "  - id: -1", 6, 9, "`-1` is no number"},
	{6, "  - {}\n  - id: 1001", 6, 5, "a rule without `id`"},
	{6, "  - just text\n  - id: 1001", 6, 5, "a rule must be a mapping, not one value"},
	{7, "", 6, 5, "a rule without `rev`"},
	{7, "    rev: 1\n    rev: 2", 8, 5, "key `rev` a second time"},
	{7, "    rev: 1\n    Rev: 2", 8, 5, "unknown key `Rev` in a rule"},
	{8, "    name: First", 8, 11, "name `First`"},
	{9, "    description: \"\"", 9, 18, "description: 1 to 512 bytes, not 0"},
	{9, "    description: \"two\\nlines\"", 9, 18, "description holds a line break"},
	{10, "    class: flash", 10, 12, "class `flash` does not exist (one of flash_loan, flash_deploy, swap, sandwich, admin, other, armed_call, displacement)"},
	{11, "    severity: severe", 11, 15, "severity `severe` does not exist"},
	{12, "    grade: stop", 12, 12, "grade `stop` does not exist (one of watch, page, pause)"},
	{12, "    grade: page\n    Status: experimental", 13, 5, "unknown key `Status`"},
	{13, "    status: beta", 13, 13, "status `beta` does not exist (one of stable, experimental)"},
	{12, "    grade: page\n    status: experimental", 14, 5, "key `status` a second time"},
	{14, "    references: [example.org]", 14, 18, "a reference must be a web address"},
	/* patterns */
	{16, "      pool: $pools", 16, 13, "a pattern must be a mapping, not one value"},
	{16, "      pool: {to: $pool}", 16, 18, "list `$pool` is not defined"},
	{16, "      pool: {too: $pools}", 16, 14, "unknown field `too`"},
	{16, "      pool: {to: $pools, input: 0xc0ffee}", 16, 13, "a pattern names one field, not 2"},
	{16, "      pool: {to: []}", 16, 18, "no values"},
	{16, "      pool: {to: [$pools, [0x00]]}", 16, 27, "a value is hex, or $LIST"},
	{16, "      pool: {to: [$pools, 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2]}", 16, 27, "the same value as in line 4"},
	{16, "      pool: {to: $pools}\n      spare: {to: $pools}", 17, 7, "pattern `spare` is not used"},
	{16, "      pool: {to: $pools}\n      value: {to: $pools}", 17, 7, "pattern `value` is a word of conditions"},
	{16, "      pool: {to: $pools}\n      Pool: {to: $pools}", 17, 7, "pattern `Pool`: 1 to 64 of"},
	{16, "      pool: {to: $pools}\n      known: {to: $pools}", 23, 7, "pattern `known` a second time"},
	{16, "      pool: {to: [0x87870bca3F3fD6335C3F4ce8392D69350B4fA4E2]}", 16, 19, "does not have its checksum"},
	{4, "  pools: [0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E3]", 4, 11, "does not have its checksum"},
	{9, "    description: \"a\\u202eb\"", 9, 18, "control character"},
	{9, "    description: \"a\\x9bb\"", 9, 18, "control character"},
	{18, "      flash_b: {input: 0xc0ff}", 18, 24, "is too wide"},
	{18, "      flash_b: {input: 0x000000}", 18, 24, "a value of zeros is too wide"},
	{18, "      flash_b: {input: 0xc0f}", 18, 24, "an odd number of hex digits (3)"},
	{18, "      flash_b: {input: c0ffee}", 18, 24, "`c0ffee` is not hex"},
	{18, "      flash_b: {input: 0Xc0ffee}", 18, 24, "`0Xc0ffee` is not hex"},
	{18, "      flash_b: {input: 0xc0ffeg}", 18, 24, "not a hex digit at place 6"},
	{18, "      flash_b: {selector: 0xc0ffee}", 18, 27, "a value of `selector` has 4 bytes, not 3"},
	{18, "      flash_b: {arg: 0xc0ffee}", 18, 22, "a value of `arg` has 20 bytes (an address) or 32 (a word), not 3"},
	{18, "      flash_b: {push_selector: 0x0000abcd}", 18, 32, "two leading zero bytes is too wide"},
	{18, "      flash_b: {push_address: 0x000000000000000000000000000000000000dEaD}", 18, 31, "is too wide"},
	{18, "      flash_b: {access_list: 0xc0ffee00}", 18, 30, "a value of `access_list` has 20 bytes, not 4"},
	/* conditions */
	{19, "    condition: pool and any of (flash_*", 19, 40, "is missing at the end"},
	{19, "    condition: pool and", 19, 24, "the condition ends too early"},
	{19, "    condition: pool any of (flash_*)", 19, 21, "the condition could end here"},
	{19, "    condition: pool and any of (flash_*) and pol", 19, 46, "`pol` is not defined under `match`"},
	{19, "    condition: pool and any of (flash_*) and known", 19, 46, "`known` is an exception"},
	{19, "    condition: pool and any of (flash_*, flash_a)", 19, 42, "`flash_a` stands in this list already"},
	{19, "    condition: pool and any of (flush_*)", 19, 33, "no pattern begins with `flush_`"},
	{19, "    condition: 3 of (pool, flash_a)", 19, 16, "3 of 2 patterns can never hold"},
	{19, "    condition: pool and 0 of (flash_*)", 19, 25, "a number from 1 belongs before `of`"},
	{19, "    condition: pool and 2 or (flash_*)", 19, 27, "`of` belongs here"},
	{19, "    condition: pool and flash_b and count(flash_a) >= 3", 19, 55, "`flash_a` has 2 values"},
	{19, "    condition: pool and flash_b and count(flash_a) > 1", 19, 52, "`>=` belongs here"},
	{19, "    condition: pool and value", 19, 30, "a comparison (== != < <= > >=) belongs here"},
	{19, "    condition: pool and value => 1", 19, 31, "`=` has no meaning here"},
	{19, "    condition: pool and value >= 1e18", 19, 34, "not a number"},
	{19, "    condition: pool and value >= 0x", 19, 34, "0x without digits"},
	{19, "    condition: pool and value >= 0x10000000000000000000000000000000000000000000000000000000000000000", 19, 34,
		"a number of more than 256 bits"},
	{19, "    condition: pool and value >= 115792089237316195423570985008687907853269984665640564039457584007913129639936", 19, 34,
		"a number of more than 256 bits"},
	{19, "    condition: pool & flash_a", 19, 21, "`&` has no meaning here"},
	{19, "    condition: pool and (any of (flash_*)", 19, 42, "is missing at the end"},
	{19, "    condition: 1 == value", 19, 18, "`of` belongs here"},
	{19, "    condition: pool and not not", 19, 32, "the condition ends too early"},
	{19, "    condition: \"pool and pol\"", 19, 26, "`pol` is not defined"},
	{19, "    condition: >-\n      pool\n      and pol", 21, 11, "`pol` is not defined"},
	{19, "    condition: |\n      pool and\n\n        pol", 22, 9, "`pol` is not defined"},
	{19, "    condition: pool\n      and pol", 20, 11, "`pol` is not defined"},
	{19, "    condition: [pool]", 19, 16, "condition must be one value, not a sequence"},
	/* protocols, exceptions */
	{20, "    protocols: [pol]", 20, 17, "protocols names `pol`, which `match` does not define"},
	{20, "    protocols: [known]", 20, 17, "protocols names `known`, which `match` does not define"},
	{20, "    protocols: [pool, pool]", 20, 23, "protocols names `pool` a second time"},
	{20, "    protocols: [flash_a]", 20, 17, "whose values are not all addresses"},
	{22, "      known: {from: 0x1111111111111111111111111111111111111111}", 22, 15, "unknown field `from`"},
	/* vectors */
	{24, "      - match: yes", 24, 16, "match must be true or false"},
	{24, "      - matches: true", 24, 9, "unknown key `matches` in a vector"},
	{24, "      - match: false", 6, 9, "no vector with `match: true`"},
	{26, "      - match: true", 6, 9, "no vector with `match: false`"},
	{25, "        tx: {to: 0x87, input: 0xab9c4b5d}", 25, 18, "20 bytes belong here, not 1"},
	{25, "        tx: {too: 0x87, input: 0xab9c4b5d}", 25, 14, "unknown key `too` in a transaction"},
	{25, "        tx: {input: 0xab9c4b5}", 25, 21, "an odd number of hex digits"},
	{25, "        tx: {nonce: 0x01}", 25, 21, "`0x01` is no quantity"},
	{25, "        tx: {nonce: one}", 25, 21, "`one` is no number"},
	{25, "        tx: {raw: 0x00, to: null}", 25, 14, "unknown key `raw` in a transaction"},
	{25, "        tx: {accessList: [{address: 0x00}]}", 25, 37, "20 bytes belong here, not 1"},
	{25, "        tx: {to: 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2, input: 0x}", 26, 9, "the same transaction as the vector in line 24"},
	{25, "        txs: {}", 25, 9, "unknown key `txs` in a vector"},
};

/* clang-format on */
static void
build(char *out, size_t cap, const struct wrong *w)
{
	size_t n = 0;
	for (unsigned i = 0; i < LINES; i++)
		n += (size_t)snprintf(
			out + n, cap - n, "%s\n", w != NULL && w->line == i + 1 ? w->with : good[i]);
	assert_true(n < cap);
}

static struct rule_set *
linted(const char *text)
{
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, strlen(text));
	rule_set_lint(s, true);
	return s;
}

static void
good_is_good(void **unused)
{
	char text[8192];
	build(text, sizeof text, NULL);
	struct rule_set *s = linted(text);
	assert_int_equal(s->n_errors, 0);
	assert_int_equal(s->n_warnings, 0);
	assert_int_equal(s->n_rules, 1);
	assert_int_equal(s->rules[0].n_patterns, 4);
	assert_int_equal(s->rules[0].n_vectors, 2);
	rule_set_free(s);
}

static void
each_error_in_its_place(void **unused)
{
	unsigned failed = 0;
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		const struct wrong *w = &wrongs[i];
		char text[8192];
		build(text, sizeof text, w);
		struct rule_set *s = linted(text);
		bool there = false;
		for (uint32_t k = 0; k < s->n_diags; k++)
			there |= s->diags[k].kind == DIAG_ERROR && s->diags[k].at.line == w->at_line &&
				 s->diags[k].at.column == w->at_column &&
				 strstr(s->diags[k].text, w->says) != NULL &&
				 strcmp(s->diags[k].at.file, "t.yaml") == 0;
		if (!there) {
			print_message("line %u as `%s`: no `%s` at %u:%u\n", w->line, w->with, w->says,
				w->at_line, w->at_column);
			for (uint32_t k = 0; k < s->n_diags; k++)
				print_message("    %u:%u: %s\n", s->diags[k].at.line, s->diags[k].at.column,
					s->diags[k].text);
			failed++;
		}
		uint8_t *bytes;
		size_t n;
		assert_int_not_equal(
			rule_set_compile(s, 1, &bytes, &n), 0); /* nothing comes of a set with errors */
		rule_set_free(s);
	}
	assert_int_equal(failed, 0);
}

/* One mistake must not hide the next. */
static void
many_at_once(void **unused)
{
	struct rule_set *s = linted("pack: many\nversion: 1\nrules:\n"
				    "  - {id: 1, rev: 0, name: X, description: d, class: no, severity: no, "
				    "grade: no, status: no, condition: a}\n"
				    "  - {id: 1, rev: 1, name: y, description: d, class: other, severity: "
				    "low, grade: page, status: experimental, "
				    "condition: value > 1}\n");
	assert_int_equal(s->n_errors, 6 + 1 + 2 + 1 + 1 + 2);
	assert_int_equal(s->n_warnings, 1);
	rule_set_free(s);
}

static void
unique_in_the_set(void **unused)
{
	char text[8192];
	struct rule_set *s = rule_set_new();
	build(text, sizeof text, NULL);
	rule_set_parse(s, "a.yaml", text, strlen(text));
	rule_set_parse(s, "b.yaml", text, strlen(text));
	rule_set_lint(s, false);
	assert_int_equal(s->n_errors, 3);
	assert_string_equal(s->diags[0].at.file, "b.yaml");
	assert_string_equal(s->diags[0].text, "pack `good` is taken by a.yaml");
	assert_string_equal(s->diags[1].text, "id 1001 is taken by a.yaml:6");
	assert_string_equal(s->diags[2].text, "name `first` is taken by a.yaml:8");
	rule_set_free(s);
}

static void
warned(void **unused)
{
	static const struct wrong w[] = {{19, "    condition: pool and any of (flash_*) or value > 5", 19, 16,
						 "it is evaluated for every transaction"},
		{18, "      flash_b: {input: 0x00000001}", 18, 24, "a wide pattern: 1 of its bytes"}};
	for (size_t i = 0; i < sizeof w / sizeof *w; i++) {
		char text[8192];
		build(text, sizeof text, &w[i]);
		struct rule_set *s = linted(text);
		assert_int_equal(s->n_errors, 0);
		assert_int_equal(s->n_warnings, 1);
		assert_int_equal(s->diags[0].at.line, w[i].at_line);
		assert_int_equal(s->diags[0].at.column, w[i].at_column);
		assert_non_null(strstr(s->diags[0].text, w[i].says));
		rule_set_free(s);
	}
}

static void
refused_whole(const char *text, size_t n, const char *says)
{
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, n);
	assert_true(s->n_errors > 0);
	if (strstr(s->diags[0].text, says) == NULL)
		print_message("%s\n", s->diags[0].text);
	assert_non_null(strstr(s->diags[0].text, says));
	rule_set_free(s);
}

static void
limits(void **unused)
{
	size_t n = 0, cap = 1 << 20;
	char *text = malloc(cap);
	refused_whole("", 0, "an empty file");
	refused_whole("\xff\xfe", 2, "not YAML");
	refused_whole("pack: \x01", 7, "not YAML");
	refused_whole("a: \"\\0\"", 7, "a NUL character");
	memset(text, '[', 100);
	refused_whole(text, 100, "nested too deep");
	memset(text, '{', 1000);
	refused_whole(text, 1000, "nested too deep");
	n = (size_t)snprintf(text, cap, "pack: p\nversion: 1\nrules:\n  - {condition: \"");
	for (int i = 0; i < 33; i++)
		text[n++] = '(';
	n += (size_t)snprintf(text + n, cap - n, "a\"}\n");
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, n);
	bool deep = false;
	for (uint32_t i = 0; i < s->n_diags; i++)
		deep |= strstr(s->diags[i].text, "nested deeper than 32") != NULL &&
			s->diags[i].at.column == 17 + 1 + 32;
	assert_true(deep);
	rule_set_free(s);
	n = (size_t)snprintf(text, cap,
		"pack: p\nversion: 1\nrules: [{match: {a: {to: 0x1111111111111111111111111111111111111111}}, "
		"condition: a");
	for (int i = 0; i < 512; i++)
		n += (size_t)snprintf(text + n, cap - n, " or a");
	n += (size_t)snprintf(text + n, cap - n, "}]\n");
	s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, n);
	deep = false;
	for (uint32_t i = 0; i < s->n_diags; i++)
		deep |= strstr(s->diags[i].text, "more than 1024 operations") != NULL;
	assert_true(deep);
	rule_set_free(s);
	free(text);
}

/* A byte order mark and text beyond ASCII do not shift places. */
static void
places_in_utf8(void **unused)
{
	static const char text[] =
		"\xef\xbb\xbfpack: p\nversion: 1\nrules: []\n# \xc3\xa9t\xc3\xa9 \xe2\x82\xac\n\xc3\xa9: 1\n";
	static const char flow[] = "\xef\xbb\xbf{pack: p, version: 1, rules: [{description: "
				   "\"\xc3\xa9\xe2\x82\xac\", condition: \"a or b\"}]}";
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, sizeof text - 1);
	assert_int_equal(s->n_errors, 1);
	assert_int_equal(s->diags[0].at.line, 5);
	assert_int_equal(s->diags[0].at.column, 1);
	rule_set_free(s);
	s = rule_set_new();
	rule_set_parse(s, "t.yaml", flow, sizeof flow - 1);
	bool there = false;
	for (uint32_t i = 0; i < s->n_diags; i++)
		there |= strstr(s->diags[i].text, "`a` is not defined") != NULL && s->diags[i].at.line == 1 &&
			 s->diags[i].at.column == 63;
	assert_true(there);
	rule_set_free(s);
}

/* Diagnostics are capped, their count is not; and what a file holds does not reach a terminal raw. */
static void
diagnostics_are_tame(void **unused)
{
	char *text = malloc(1 << 16);
	size_t n = (size_t)sprintf(text, "pack: \"\\e[31mred\"\nversion: 1\nrules: [");
	for (int i = 0; i < 300; i++)
		n += (size_t)sprintf(text + n, "x, ");
	n += (size_t)sprintf(text + n, "x]\n");
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "t.yaml", text, n);
	assert_int_equal(s->n_diags, SET_DIAGS_MAX);
	assert_int_equal(s->n_errors, 302);
	assert_null(strchr(s->diags[0].text, '\033'));
	rule_set_free(s);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good_is_good),
		cmocka_unit_test(each_error_in_its_place), cmocka_unit_test(many_at_once),
		cmocka_unit_test(unique_in_the_set), cmocka_unit_test(warned), cmocka_unit_test(limits),
		cmocka_unit_test(places_in_utf8), cmocka_unit_test(diagnostics_are_tame)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
