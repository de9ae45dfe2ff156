/* SPDX-License-Identifier: BSD-3-Clause */
/* The bundle: the same bytes from the same rules, and refusal of anything else. */
#include "rules/set.h"

#include "abi/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RULE(id, name, match, condition, more)                                                             \
	"  - id: " id "\n    rev: 3\n    name: " name                                                      \
	"\n    description: d\n    class: flash_loan\n    severity: high\n"                                \
	"    grade: page\n    status: stable\n    match: {" match "}\n    condition: " condition "\n" more \
	"    vectors: [{match: true, tx: {}}, {match: false, tx: {input: 0x00}}]\n"

static const char pack_a[] = "pack: a\nversion: 1\nrules:\n" RULE("20", "two",
	"p: {to: 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2}, s: {selector: [0xab9c4b5d, 0x42b0b77c]}",
	"p and s and value > 7",
	"    protocols: [p]\n    except: {k: {arg: 0x1111111111111111111111111111111111111111}}\n") RULE("10",
	"one", "s: {selector: [0x42b0b77c, 0xab9c4b5d]}, i: {input: [0xc0ffee00, 0xdecadebeef0102030405]}",
	"s and i and value != 9", "");
static const char pack_b[] = "pack: b\nversion: 1\nrules:\n" RULE("15", "mid",
	"c: {push_selector: [0x5cffe9de, 0x00991403]}, a: {push_address: "
	"0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2}",
	"any of (c, a) and gas < 9", "");

static void
compile(const char *first, const char *second, uint64_t generation, uint8_t **bytes, size_t *n)
{
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, first == pack_a ? "a.yaml" : "b.yaml", first, strlen(first));
	if (second != NULL)
		rule_set_parse(s, second == pack_a ? "a.yaml" : "b.yaml", second, strlen(second));
	rule_set_lint(s, false);
	for (uint32_t i = 0; i < s->n_diags; i++)
		print_message("%u:%u %s\n", s->diags[i].at.line, s->diags[i].at.column, s->diags[i].text);
	assert_int_equal(rule_set_compile(s, generation, bytes, n), 0);
	rule_set_free(s);
}

static void
same_rules_same_bytes(void **unused)
{
	uint8_t *x, *y, *z;
	size_t n, k, j;
	compile(pack_a, pack_b, 1, &x, &n);
	compile(pack_b, pack_a, 1, &y, &k); /* the order of files does not show */
	assert_int_equal(n, k);
	assert_memory_equal(x, y, n);
	compile(pack_a, pack_b, 2, &z, &j);
	assert_int_equal(n, j);
	assert_memory_not_equal(x, z, n);
	free(x);
	free(y);
	free(z);
}

static void
tables(void **unused)
{
	uint8_t *p;
	size_t n;
	struct bundle b;
	char err[256];
	compile(pack_a, pack_b, 77, &p, &n);
	assert_true(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
	assert_int_equal(b.h.generation, 77);
	assert_int_equal(bundle_count(&b, SECTION_RULE), 3);
	static const uint32_t ids[] = {10, 15, 20};
	for (uint32_t i = 0; i < 3; i++) {
		struct bundle_rule r = bundle_get_RULE(&b, i);
		assert_int_equal(r.id, ids[i]);
		assert_int_equal(r.rev, 3);
		assert_int_equal(r.class_, CLASS_FLASH_LOAN);
		assert_int_equal(r.severity, SEVERITY_HIGH);
		assert_int_equal(r.grade, GRADE_PAGE);
	}
	struct bundle_rule one = bundle_get_RULE(&b, 0), two = bundle_get_RULE(&b, 2);
	assert_string_equal(bundle_text(&b, one.name), "one");
	assert_string_equal(bundle_text(&b, one.pack), "a");
	assert_string_equal(bundle_text(&b, bundle_get_RULE(&b, 1).pack), "b");
	/* the two rules share the set of selectors, though written in another order */
	assert_int_equal(
		bundle_get_SLOT(&b, one.first_slot).group, bundle_get_SLOT(&b, two.first_slot + 1).group);
	assert_int_equal(bundle_get_SLOT(&b, two.first_slot).flags, SLOT_PROTOCOL);
	assert_int_equal(bundle_get_SLOT(&b, two.first_slot + 2).flags, SLOT_EXCEPTION);
	assert_int_equal(bundle_count(&b, SECTION_GROUP), 6);
	assert_int_equal(bundle_count(&b, SECTION_VALUE), 1 + 2 + 2 + 1 + 2 + 1);
	/* 2 needles; 3 + 4 encodings of selectors, 1 address */
	assert_int_equal(bundle_count(&b, SECTION_LITERAL), 2 + 3 + 4 + 1);
	assert_int_equal(bundle_count(&b, SECTION_CONST), 2);
	assert_int_equal(bundle_count(&b, SECTION_VECTOR), 6);
	assert_non_null(strstr(b.h.platform, "Mode: BLOCK"));
	free(p);
}

/* Any single byte that differs is found, and every shorter file. */
static void
damage_is_refused(void **unused)
{
	uint8_t *p;
	size_t n;
	struct bundle b;
	char err[256];
	compile(pack_a, NULL, 1, &p, &n);
	for (size_t i = 0; i < n; i++) {
		p[i] ^= (uint8_t)(1 + i % 255);
		err[0] = 0;
		assert_false(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
		assert_true(err[0] != 0);
		p[i] ^= (uint8_t)(1 + i % 255);
	}
	for (size_t i = 0; i < n; i += i < 400 ? 1 : 97)
		assert_false(bundle_open(&b, (struct span){p, (uint32_t)i}, err, sizeof err));
	assert_true(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
	free(p);
}

/* With the digest made right again, each word of each table set to hostile values: refused or sound, never
 * out of bounds. */
static void
hostile_words(void **unused)
{
	static const uint32_t values[] = {0, 1, 2, 0xff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	uint8_t *p, *exact;
	size_t n;
	struct bundle b;
	char err[256];
	unsigned refused = 0, taken = 0;
	compile(pack_a, pack_b, 1, &p, &n);
	assert_true(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
	size_t tables_end = b.h.section[SECTION_BYTES].at;
	exact = malloc(n); /* so that a sanitizer sees one byte too far */
	for (size_t at = 8; at + 4 <= tables_end; at += 4) {
		for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
			memcpy(exact, p, n);
			memcpy(exact + at, &values[k], 4);
			bundle_digest((struct span){exact, (uint32_t)n},
				exact + offsetof(struct bundle_header, digest));
			if (!bundle_open(&b, (struct span){exact, (uint32_t)n}, err, sizeof err)) {
				refused++;
				continue;
			}
			taken++;
			for (uint32_t i = 0; i < bundle_count(&b, SECTION_RULE); i++) {
				struct bundle_rule r = bundle_get_RULE(&b, i);
				assert_true(strlen(bundle_text(&b, r.name)) +
						    strlen(bundle_text(&b, r.description)) <
					    n);
			}
		}
	}
	print_message("%u refused, %u harmless\n", refused, taken);
	assert_true(refused > taken);
	free(exact);
	free(p);
}

static void
programs(void **unused)
{
	static const struct {
		struct bundle_op op[4];
		uint32_t n;
		const char *says;
	} wrong[] = {{{{OP_AND, 0, 0, 0}}, 1, "takes more than it has"},
		{{{OP_COUNT, 0, 2, 1}}, 1, "counts what is not there"},
		{{{OP_COUNT, 0, 0, 0}}, 1, "counts what"},
		{{{OP_COMPARE, 0, SCALAR_COUNT, 0}}, 1, "compares what"},
		{{{OP_COMPARE, COMPARE_COUNT, 0, 0}}, 1, "compares what"},
		{{{OP_COMPARE, 0, 0, 1}}, 1, "compares what"},
		{{{OP_CREATION}, {OP_BUNDLE}}, 2, "one answer"}, {{{0}}, 1, "unknown operation"},
		{{{OP_MAX + 1}}, 1, "unknown operation"},
		{{{OP_CREATION}, {OP_OF, 0, 1, 2}}, 2, "more than it has"},
		{{{OP_CREATION}, {OP_OF, 0, 2, 1}}, 2, "takes more"},
		{{{OP_CREATION}, {OP_OF, 0, 0, 0}}, 2, "more than it has"}, {{{0}}, 0, "no or too many"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *what = bundle_program_check(wrong[i].op, wrong[i].n, 2, 1);
		assert_non_null(what);
		assert_non_null(strstr(what, wrong[i].says));
	}
	struct bundle_op deep[PROGRAM_LEN_MAX];
	for (uint32_t i = 0; i < PROGRAM_LEN_MAX; i++)
		deep[i] = (struct bundle_op){OP_CREATION, 0, 0, 0};
	deep[PROGRAM_STACK_MAX] = (struct bundle_op){OP_OF, 0, PROGRAM_STACK_MAX, 1};
	assert_null(bundle_program_check(deep, PROGRAM_STACK_MAX + 1, 0, 0));
	deep[PROGRAM_STACK_MAX] = (struct bundle_op){OP_CREATION, 0, 0, 0};
	deep[PROGRAM_STACK_MAX + 1] = (struct bundle_op){OP_OF, 0, PROGRAM_STACK_MAX + 1, 1};
	assert_non_null(strstr(bundle_program_check(deep, PROGRAM_STACK_MAX + 2, 0, 0), "too deep"));
}

/* What wakes a rule: the cheapest patterns of which one must match. */
static void
covers(void **unused)
{
	static const struct bundle_op a = {OP_COUNT, 0, 0, 1}, b = {OP_COUNT, 0, 1, 1},
				      c = {OP_COUNT, 0, 2, 1},
				      number = {OP_COMPARE, COMPARE_GT, 0, 0}, and = {OP_AND, 0, 0, 0},
				      or = {OP_OR, 0, 0, 0}, no = {OP_NOT, 0, 0, 0}, two = {OP_OF, 0, 3, 2},
				      all = {OP_OF, 0, 3, 3};
	static const uint32_t cost[] = {5, 3, 4};
	const struct {
		struct bundle_op op[6];
		uint32_t n;
		int found;
		uint8_t covered[3];
	} cases[] = {{{a}, 1, 1, {1, 0, 0}}, {{a, b, and}, 3, 1, {0, 1, 0}}, {{a, b, or }, 3, 1, {1, 1, 0}},
		{{a, no}, 2, 0, {0, 0, 0}}, {{number}, 1, 0, {0, 0, 0}}, {{number, a, and}, 3, 1, {1, 0, 0}},
		{{number, a, or }, 3, 0, {0, 0, 0}}, {{a, b, c, two}, 4, 1, {0, 1, 1}},
		{{a, b, c, all}, 4, 1, {0, 1, 0}}, {{a, b, no, c, two}, 5, 1, {1, 0, 1}},
		{{a, no, b, no, c, two}, 6, 0, {0, 0, 0}}, {{a, b, or, c, and}, 5, 1, {0, 0, 1}}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t covered[3];
		assert_null(bundle_program_check(cases[i].op, cases[i].n, 3, 1));
		assert_int_equal(
			bundle_program_cover(cases[i].op, cases[i].n, cost, 3, covered), cases[i].found);
		assert_memory_equal(covered, cases[i].covered, 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same_rules_same_bytes), cmocka_unit_test(tables),
		cmocka_unit_test(damage_is_refused), cmocka_unit_test(hostile_words),
		cmocka_unit_test(programs), cmocka_unit_test(covers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
