/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on what is no transaction, rules that ask for a pause, and the files of lines beside the packs: what
 * is refused, and where. */
#include "rules/set.h"

#include "abi/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                                \
	"pack: e\nversion: 1\nrules:\n  - {id: 1, rev: 1, name: a, description: d, severity: low, status: " \
	"stable,\n"
#define HASH "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HASH2 "0xff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WEIGHTS "model 1\ngrams 65536\nbias -1000\nscale 100\nthreshold 800\n"

enum kind { PACK, LINES_OF_WEIGHTS, LINES_OF_TEMPLATES };

struct expected {
	const char *text;
	int kind; /* enum diag_kind, or -1: nothing */
	unsigned line, column;
	const char *says;
};

static void
parse(struct rule_set *s, enum kind kind, const char *file, const char *text, size_t n)
{
	char *exact = malloc(n ? n : 1); /* so that a sanitizer sees one byte too far */
	memcpy(exact, text, n);
	(kind == PACK			   ? rule_set_parse
		: kind == LINES_OF_WEIGHTS ? rule_set_parse_weights
					   : rule_set_parse_templates)(s, file, exact, n);
	free(exact);
}

static void
check(enum kind kind, const struct expected *e, size_t n)
{
	unsigned failed = 0;
	for (size_t i = 0; i < n; i++) {
		struct rule_set *s = rule_set_new();
		bool there = e[i].kind < 0;
		parse(s, kind, "t", e[i].text, strlen(e[i].text));
		if (kind != PACK)
			rule_set_parse(s, "p", "pack: p\nversion: 1\nrules: []\n", 29);
		rule_set_lint(s, false);
		for (uint32_t k = 0; k < s->n_diags; k++)
			there |= (int)s->diags[k].kind == e[i].kind && s->diags[k].at.line == e[i].line &&
				 s->diags[k].at.column == e[i].column &&
				 strstr(s->diags[k].text, e[i].says) != NULL;
		bool right = there && (e[i].kind == DIAG_ERROR || s->n_errors == 0);
		for (uint32_t k = 0; e[i].kind < 0 && k < s->n_diags; k++)
			right &= strcmp(s->diags[k].text, "no rules") == 0;
		if (!right) {
			print_message("case %zu: %s\nno `%s` at %u:%u\n", i, e[i].text,
				e[i].says ? e[i].says : "peace", e[i].line, e[i].column);
			for (uint32_t k = 0; k < s->n_diags; k++)
				print_message("    %u:%u: %s\n", s->diags[k].at.line, s->diags[k].at.column,
					s->diags[k].text);
			failed++;
		}
		rule_set_free(s);
	}
	assert_int_equal(failed, 0);
}
#define CHECK(kind, table) check(kind, table, sizeof table / sizeof *table)

/* clang-format off */
#define EVENT_RULE(middle) HEAD "     class: other, grade: watch, " middle "}\n"
#define VECTORS "vectors: [{match: true, facts: {code_score: 9}}, {match: false, facts: {}}]"
static void
events(void **unused)
{
	static const struct expected e[] = {
		{EVENT_RULE("on: deployment, condition: code_score > 8,\n     " VECTORS), -1, 0, 0, NULL},
		{EVENT_RULE("on: deployment, vectors: [{match: true, facts: {}}]"), -1, 0, 0, NULL},
		{EVENT_RULE("on: displacement, vectors: []"), DIAG_ERROR, 4, 10, "no vector with `match: true`"},
		{EVENT_RULE("on: deployment, condition: code_score > 8, vectors: [{match: true, facts: {}}]"), DIAG_ERROR, 4, 10,
			"no vector with `match: false`"},
		{EVENT_RULE("on: deploy, condition: code_score > 8"), DIAG_ERROR, 5, 38,
			"event `deploy` does not exist (one of transaction, deployment, armed_call, sandwich, sandwich_front, displacement, delegation)"},
		{EVENT_RULE("on: [deployment], condition: code_score > 8"), DIAG_ERROR, 5, 38, "event must be one value"},
		{EVENT_RULE("condition: creation and code_score > 8,\n     vectors: [{match: true, tx: {}, facts: {code_score: 9}}, {match: false, tx: {}}]"),
			DIAG_WARNING, 5, 45, "can hold without any pattern"},
		{EVENT_RULE("vectors: []"), DIAG_ERROR, 4, 5, "a rule without `condition`"},
		{EVENT_RULE("on: transaction, vectors: []"), DIAG_ERROR, 4, 5, "a rule without `condition`"},
		/* patterns */
		{EVENT_RULE("on: deployment, match: {p: {selector: 0x01020304}}, condition: p"), DIAG_ERROR, 5, 57, "`match` under a rule on `deployment`"},
		{EVENT_RULE("on: sandwich, except: {p: {selector: 0x01020304}}"), DIAG_ERROR, 5, 56, "`except` under a rule on `sandwich`"},
		{EVENT_RULE("on: armed_call, protocols: [p]"), DIAG_ERROR, 5, 61, "`protocols` under a rule on `armed_call`"},
		{EVENT_RULE("on: armed_call, condition: p"), DIAG_ERROR, 5, 61, "`p` is not defined under `match`"},
		/* numbers of another event */
		{EVENT_RULE("on: sandwich, condition: victims > 1 and value > 3"), DIAG_ERROR, 5, 75, "`value` is not known on `sandwich` (there are bundle_len, victims, armed)"},
		{EVENT_RULE("condition: victims > 1"), DIAG_ERROR, 5, 45, "`victims` is not known on `transaction`"},
		{EVENT_RULE("on: displacement, condition: bundle"), DIAG_ERROR, 5, 63, "`bundle` has no meaning on `displacement`"},
		{EVENT_RULE("on: deployment, condition: creation"), DIAG_ERROR, 5, 61, "`creation` has no meaning on `deployment`"},
		{EVENT_RULE("on: sandwich, condition: bundle, vectors: [{match: true, facts: {bundle_len: 3}}, {match: false, facts: {}}]"), -1, 0, 0, NULL},
		/* names that are taken now */
		{EVENT_RULE("match: {armed: {selector: 0x01020304}}, condition: armed"), DIAG_ERROR, 5, 42, "`armed` is a word of conditions"},
		/* vectors */
		{EVENT_RULE("on: sandwich, vectors: [{match: true}]"), DIAG_ERROR, 5, 58, "a vector without `facts`"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, tx: {}, facts: {}}]"), DIAG_ERROR, 5, 76, "`tx` under a rule on `sandwich`"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {value: 1}}]"), DIAG_ERROR, 5, 80, "fact `value` is not given on `sandwich`"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {colour: 1}}]"), DIAG_ERROR, 5, 80, "fact `colour` does not exist"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {victims: -1}}]"), DIAG_ERROR, 5, 89, "`-1` is no number"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {victims: 18446744073709551616}}]"), DIAG_ERROR, 5, 89, "out of range"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {victims: 1, victims: 2}}]"), DIAG_ERROR, 5, 92, "key `victims` a second time"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: [victims]}]"), DIAG_ERROR, 5, 79, "facts must be a mapping"},
		{EVENT_RULE("on: sandwich, vectors: [{match: true, facts: {victims: 1}}, {match: true, facts: {victims: 0x1}}]"), DIAG_ERROR, 5, 94, "the same facts as the vector in line 5"},
		{EVENT_RULE("condition: creation, vectors: [{match: true, facts: {}}]"), DIAG_ERROR, 5, 65, "a vector without `tx`"},
		{EVENT_RULE("condition: creation, vectors: [{match: true, tx: {}, facts: {value: 1}}]"), DIAG_ERROR, 5, 95, "fact `value` is not given on `transaction`"},
	};
	CHECK(PACK, e);
}

#define PAUSE(class, middle) HEAD "     class: " class ", grade: pause, " middle ", vectors: [{match: true, facts: {}}, {match: false, facts: {protected: 1}}]}\n"
#define PAUSE_TX(middle) HEAD "     class: other, grade: pause, match: {p: {selector: 0x01020304}}, condition: " middle ",\n" \
	"     vectors: [{match: true, tx: {}}, {match: false, tx: {nonce: 1}}]}\n"
static void
pauses(void **unused)
{
	static const struct expected e[] = {
		{PAUSE("armed_call", "on: armed_call, condition: protected >= 1"), -1, 0, 0, NULL},
		{PAUSE("armed_call", "on: armed_call, condition: code_score > 3 and protected != 0"), -1, 0, 0, NULL},
		{PAUSE("armed_call", "on: armed_call"), DIAG_WARNING, 5, 32, "without a protected contract touched"},
		{PAUSE("armed_call", "on: armed_call, condition: code_score > 3"), DIAG_WARNING, 5, 32, "without a protected"},
		{PAUSE("armed_call", "on: armed_call, condition: code_score > 3 or protected > 0"), DIAG_WARNING, 5, 32, "without a protected"},
		{PAUSE("armed_call", "on: armed_call, condition: protected >= 0"), DIAG_WARNING, 5, 32, "without a protected"},
		{PAUSE("armed_call", "on: armed_call, condition: not (protected == 0)"), -1, 0, 0, NULL},
		{PAUSE("armed_call", "on: armed_call, condition: protected < 3"), DIAG_WARNING, 5, 32, "without a protected"},
		{PAUSE("flash_deploy", "on: deployment, condition: protected >= 1"), DIAG_WARNING, 5, 34, "a deployment alone asks for a pause"},
		{PAUSE("sandwich", "on: armed_call, condition: protected >= 1"), DIAG_ERROR, 5, 30, "graded `page` at most"},
		{PAUSE("swap", "on: armed_call, condition: protected >= 1"), DIAG_ERROR, 5, 26, "graded `page` at most"},
		{PAUSE("displacement", "on: armed_call, condition: protected >= 1"), DIAG_ERROR, 5, 34, "graded `page` at most"},
		{PAUSE("other", "on: displacement, condition: protected >= 1"), DIAG_ERROR, 5, 27, "graded `page` at most"},
		{PAUSE("other", "on: sandwich, condition: victims >= 1"), DIAG_ERROR, 5, 27, "graded `page` at most"},
		{PAUSE("other", "on: sandwich_front, condition: victims >= 1"), DIAG_ERROR, 5, 27, "graded `page` at most"},
		{PAUSE("other", "on: deployment, condition: protected >= 1 and code_learned > 900"), DIAG_ERROR, 5, 27, "`code_learned` alone"},
		{PAUSE("other", "on: deployment, condition: protected >= 1 and (code_flash == 1 or code_learned > 900)"), DIAG_ERROR, 5, 27, "`code_learned` alone"},
		{PAUSE("other", "on: deployment, condition: protected >= 1 and code_flash == 1 and code_learned > 900"), DIAG_WARNING, 5, 27, "a deployment alone"},
		{PAUSE_TX("p and protected >= 1"), -1, 0, 0, NULL},
		{PAUSE_TX("p"), DIAG_WARNING, 5, 27, "without a protected"},
		{PAUSE_TX("(p or code_learned > 900) and protected > 0"), DIAG_ERROR, 5, 27, "`code_learned` alone"},
		{PAUSE_TX("p and code_learned > 900 and protected > 0"), DIAG_WARNING, 5, 81, "`code_learned` is always 0"},
		{PAUSE_TX("p and code"), DIAG_ERROR, 5, 87, "`code` is not defined"},
	};
	CHECK(PACK, e);
}

static void
weights(void **unused)
{
	static const struct expected e[] = {
		{WEIGHTS "0 1\n17 32767\n8191 5\n", -1, 0, 0, NULL},
		{"# SPDX\n\n \t# a note\r\n" WEIGHTS "3 4 # why\r\n5 6", -1, 0, 0, NULL},
		{"", DIAG_ERROR, 1, 1, "weights without `model`"},
		{"model 1\ngrams 65536\nbias 0\nscale 1\n0 1\n", DIAG_ERROR, 1, 1, "weights without `threshold`"},
		{"model 2\n", DIAG_ERROR, 1, 7, "2 is out of range (1 to 1)"},
		{"model 1\ngrams 4096\n", DIAG_ERROR, 2, 7, "out of range (65536 to 65536)"},
		{"model 1\nmodel 1\n", DIAG_ERROR, 2, 1, "`model` a second time"},
		{"model\n", DIAG_ERROR, 1, 1, "a line here is `NAME NUMBER`"},
		{"model 1 1\n", DIAG_ERROR, 1, 9, "a line here is `NAME NUMBER`"},
		{"scale 0\n", DIAG_ERROR, 1, 7, "out of range"},
		{"scale 4294967296\n", DIAG_ERROR, 1, 7, "out of range"},
		{"  threshold 1001\n", DIAG_ERROR, 1, 13, "out of range (1 to 1000)"},
		{"threshold 0\n", DIAG_ERROR, 1, 11, "out of range"},
		{"bias -2147483649\n", DIAG_ERROR, 1, 6, "out of range"},
		{"bias 1.5\n", DIAG_ERROR, 1, 6, "`1.5` is no number"},
		{"bias -\n", DIAG_ERROR, 1, 6, "`-` is no number"},
		{"bias 99999999999999999999\n", DIAG_ERROR, 1, 6, "is no number"},
		{"speed 3\n", DIAG_ERROR, 1, 1, "unknown word `speed`"},
		{"\xc3\xa9t\xc3\xa9 speed\n", DIAG_ERROR, 1, 1, "unknown word"},
		{WEIGHTS "0 -1\n", DIAG_ERROR, 6, 3, "a negative weight"},
		{WEIGHTS "0 0\n", DIAG_ERROR, 6, 3, "out of range (1 to 32767)"},
		{WEIGHTS "0 32768\n", DIAG_ERROR, 6, 3, "out of range"},
		{WEIGHTS "65536 1\n", DIAG_ERROR, 6, 1, "out of range (0 to 65535)"},
		{WEIGHTS "-1 1\n", DIAG_ERROR, 6, 1, "out of range"},
		{WEIGHTS "01 1\n", DIAG_ERROR, 6, 1, "no number"},
		{WEIGHTS "4 1\n4 2\n", DIAG_ERROR, 7, 1, "bucket 4 a second time"},
		{WEIGHTS "4 1\n3 2\n", DIAG_ERROR, 7, 1, "bucket 3 after a higher one"},
		{WEIGHTS "4\n", DIAG_ERROR, 6, 1, "a line here is `BUCKET WEIGHT`"},
		{WEIGHTS "4 5 6\n", DIAG_ERROR, 6, 5, "a line here is `BUCKET WEIGHT`"},
		{WEIGHTS "4 5 6 7 8\n", DIAG_ERROR, 6, 9, "more words than belong in a line"},
		{"model 1\ngrams 65536\nbias 0\nscale 1\n0 1\nthreshold 5\n", DIAG_ERROR, 6, 1, "`threshold` belongs before the weights"},
	};
	CHECK(LINES_OF_WEIGHTS, e);
}

static void
templates(void **unused)
{
	static const struct expected e[] = {
		{"# known code\n" HASH " @scope/package@1.2.3 Router\n" HASH2 " p@0.1.0-beta.1 src/A.sol:B\n", -1, 0, 0, NULL},
		{"", -1, 0, 0, NULL},
		{HASH " p@1 A\n" HASH " q@1 B\n", DIAG_ERROR, 2, 1, "the same hash as in t:1"},
		{HASH " p@1\n", DIAG_ERROR, 1, 1, "a line here is `0xHASH PACKAGE@VERSION CONTRACT`"},
		{HASH " p@1 A B\n", DIAG_ERROR, 1, 74, "a line here is"},
		{HASH "00 p@1 A\n", DIAG_ERROR, 1, 1, "is no hash"},
		{"  0x0011 p@1 A\n", DIAG_ERROR, 1, 3, "`0x0011` is no hash"},
		{"0x00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff p@1 A\n", DIAG_ERROR, 1, 1, "in lower case"},
		{HASH " package A\n", DIAG_ERROR, 1, 68, "`package` is no PACKAGE@VERSION"},
		{HASH " @scope A\n", DIAG_ERROR, 1, 68, "is no PACKAGE@VERSION"},
		{HASH " package@ A\n", DIAG_ERROR, 1, 68, "is no PACKAGE@VERSION"},
	};
	CHECK(LINES_OF_TEMPLATES, e);
}
/* clang-format on */

/* A page below the model's own threshold is told; a watch may ask for what it likes. */
static void
threshold(void **unused)
{
	static const struct {
		const char *grade, *condition;
		unsigned warnings;
	} cases[] = {{"page", "code_learned >= 800", 0}, {"page", "code_learned >= 799", 1},
		{"page", "code_learned > 799", 0}, {"page", "code_learned > 798", 1},
		{"watch", "code_learned >= 1", 0},
		{"page", "code_score > 3 and code_learned >= 0x10000000000000000", 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		struct rule_set *s = rule_set_new();
		snprintf(text, sizeof text,
			HEAD "     class: other, grade: %s, on: deployment, condition: %s, " VECTORS "}\n",
			cases[i].grade, cases[i].condition);
		rule_set_parse(s, "p", text, strlen(text));
		rule_set_parse_weights(s, "w", WEIGHTS, strlen(WEIGHTS));
		rule_set_lint(s, false);
		assert_int_equal(s->n_errors, 0);
		assert_int_equal(s->n_warnings, cases[i].warnings);
		if (s->n_warnings > 0)
			assert_non_null(strstr(s->diags[0].text, "the threshold of w, 800"));
		rule_set_free(s);
	}
}

static const char event_pack[] =
	HEAD "     class: flash_deploy, grade: page, on: deployment, condition: code_score > 8 and value > "
	     "7, " VECTORS "}\n"
	     "  - {id: 2, rev: 1, name: b, description: d, severity: low, status: stable, class: sandwich, "
	     "grade: page, on: sandwich,\n"
	     "     vectors: [{match: true, facts: {victims: 3, bundle_len: 0x10}}]}\n"
	     "  - {id: 3, rev: 1, name: c, description: d, severity: low, status: stable, class: other, "
	     "grade: pause,\n"
	     "     match: {p: {selector: 0x01020304}}, condition: p and protected > 0, vectors: [{match: "
	     "true, tx: {nonce: 1}, facts: "
	     "{protected: 1}}, {match: false, tx: {}}]}\n";

static void
compile(bool other_order, uint8_t **bytes, size_t *n)
{
	static const char t1[] = HASH2 " p@1 A\n", t2[] = HASH " p@1 B\n", w[] = WEIGHTS "0 1\n65535 32767\n";
	struct rule_set *s = rule_set_new();
	if (other_order)
		rule_set_parse_templates(s, "2", t2, sizeof t2 - 1);
	rule_set_parse(s, "p", event_pack, sizeof event_pack - 1);
	rule_set_parse_templates(s, "1", t1, sizeof t1 - 1);
	rule_set_parse_weights(s, "w", w, sizeof w - 1);
	if (!other_order)
		rule_set_parse_templates(s, "2", t2, sizeof t2 - 1);
	rule_set_lint(s, false);
	for (uint32_t i = 0; i < s->n_diags; i++)
		print_message("%u:%u: %s\n", s->diags[i].at.line, s->diags[i].at.column, s->diags[i].text);
	assert_int_equal(s->n_errors, 0);
	assert_int_equal(rule_set_compile(s, 1, bytes, n), 0);
	rule_set_free(s);
}

static void
in_the_bundle(void **unused)
{
	uint8_t *p, *q, hash[32] = {0xff, 0x11, 0x22};
	size_t n, k;
	struct bundle b;
	char err[256];
	compile(false, &p, &n);
	compile(true, &q, &k);
	assert_int_equal(n, k);
	assert_memory_equal(p, q, n); /* the order of the files does not show */
	free(q);
	assert_true(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
	struct bundle_rule one = bundle_get_RULE(&b, 0), two = bundle_get_RULE(&b, 1),
			   three = bundle_get_RULE(&b, 2);
	assert_int_equal(one.event, EVENT_DEPLOYMENT);
	assert_int_equal(one.n_ops, 3);
	assert_int_equal(two.event, EVENT_SANDWICH);
	assert_int_equal(two.n_ops, 0);
	assert_int_equal(three.event, EVENT_TRANSACTION);
	struct bundle_model m = bundle_get_MODEL(&b, 0);
	assert_int_equal(bundle_count(&b, SECTION_MODEL), 1);
	assert_int_equal(m.bias, -1000);
	assert_int_equal(m.scale, 100);
	assert_int_equal(m.threshold, 800);
	assert_int_equal(m.weight[0], 1);
	assert_int_equal(m.weight[1], 0);
	assert_int_equal(m.weight[65535], 32767);
	assert_int_equal(bundle_count(&b, SECTION_TEMPLATE), 2);
	assert_int_equal(bundle_get_TEMPLATE(&b, 0).hash[0], 0);
	assert_int_equal(bundle_get_TEMPLATE(&b, 1).hash[0], 0xff);
	assert_false(bundle_template_find(&b, hash));
	for (uint32_t i = 0; i < 2; i++) {
		struct bundle_template t = bundle_get_TEMPLATE(&b, i);
		assert_true(bundle_template_find(&b, t.hash));
		t.hash[31]++;
		assert_false(bundle_template_find(&b, t.hash));
	}
	struct bundle_vector v = bundle_get_VECTOR(&b, 2);
	uint64_t number[SCALAR_COUNT];
	assert_int_equal(v.len, 0);
	assert_true(bundle_facts_read(
		(struct span){(const uint8_t *)bundle_text(&b, v.facts_at), v.facts_len}, number));
	assert_int_equal(number[SCALAR_VICTIMS], 3);
	assert_int_equal(number[SCALAR_BUNDLE_LEN], 16);
	assert_int_equal(bundle_get_VECTOR(&b, 4).facts_len, 0);
	free(p);
}

/* One field of a good bundle set to something else, the digest made right again. */
static const char *
refused(const uint8_t *good, size_t n, size_t at, const void *with, size_t k)
{
	static char err[256];
	struct bundle b;
	uint8_t *p = malloc(n);
	memcpy(p, good, n);
	memcpy(p + at, with, k);
	bundle_digest((struct span){p, (uint32_t)n}, p + offsetof(struct bundle_header, digest));
	err[0] = 0;
	bool taken = bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err);
	assert_true(taken == (err[0] == 0));
	free(p);
	return err;
}

static void
hostile(void **unused)
{
	uint8_t *p;
	size_t n;
	struct bundle b;
	char err[256];
	compile(false, &p, &n);
	assert_true(bundle_open(&b, (struct span){p, (uint32_t)n}, err, sizeof err));
	const size_t rule = b.h.section[SECTION_RULE].at, model = b.h.section[SECTION_MODEL].at,
		     template = b.h.section[SECTION_TEMPLATE].at, vector = b.h.section[SECTION_VECTOR].at,
		     op = b.h.section[SECTION_OP].at, text = b.h.section[SECTION_TEXT].at;
	const size_t facts = text + bundle_get_VECTOR(&b, 2).facts_at;
#define AT(base, type, i, field) ((base) + (i) * sizeof(struct type) + offsetof(struct type, field))
	const struct {
		size_t at;
		int64_t with;
		unsigned bytes;
		const char *says;
	} e[] = {
		{AT(rule, bundle_rule, 0, event), EVENT_COUNT, 1, "unknown event"},
		{AT(rule, bundle_rule, 0, pad), 1, 1, "unknown event"},
		{AT(rule, bundle_rule, 0, event), EVENT_SANDWICH, 1, "not known of its event"},
		{AT(rule, bundle_rule, 0, event), EVENT_TRANSACTION, 1, "not what its rule is asked about"},
		{AT(rule, bundle_rule, 1, event), EVENT_TRANSACTION, 1, "no or too many operations"},
		{AT(rule, bundle_rule, 1, grade), GRADE_PAUSE, 1, "none may pause"},
		{AT(rule, bundle_rule, 2, event), EVENT_DEPLOYMENT, 1, "patterns, and not on transactions"},
		{AT(rule, bundle_rule, 2, class_), CLASS_DISPLACEMENT, 1, "none may pause"},
		{AT(rule, bundle_rule, 2, status), STATUS_EXPERIMENTAL, 1, "experimental"},
		{AT(op, bundle_op, 0, a), SCALAR_COUNT, 2, "compares what is not there"},
		{AT(op, bundle_op, 0, a), SCALAR_VICTIMS, 2, "not known of its event"},
		{AT(op, bundle_op, 0, code), OP_CREATION, 1, "recipient"},
		{AT(vector, bundle_vector, 2, facts_len), 0, 4, "not what its rule"},
		{AT(vector, bundle_vector, 2, facts_len), 0x7fffffff, 4, "out of range"},
		{AT(vector, bundle_vector, 2, facts_at), 0xffffffff, 4, "out of range"},
		{AT(vector, bundle_vector, 2, facts_len), 5, 4, "not what its rule"},
		{AT(vector, bundle_vector, 2, len), 1, 4, "not what its rule"},
		{AT(vector, bundle_vector, 3, len), 0, 4, "not what its rule"},
		{facts, '[', 1, "not what its rule"},
		{AT(model, bundle_model, 0, scale), 0, 4, "scale or threshold"},
		{AT(model, bundle_model, 0, threshold), 0, 4, "scale or threshold"},
		{AT(model, bundle_model, 0, threshold), 1001, 4, "scale or threshold"},
		{AT(model, bundle_model, 0, pad), 1, 4, "scale or threshold"},
		{AT(model, bundle_model, 0, weight[0]), -1, 2, "weight 0 is negative"},
		{AT(model, bundle_model, 0, weight[65535]), -32768, 2, "weight 65535 is negative"},
		{AT(model, bundle_model, 0, bias), INT32_MIN, 4, ""},
		{AT(template, bundle_template, 0, hash), 0xff, 1, "template 1: out of order"}, /* equal */
		{AT(template, bundle_template, 1, hash), 0, 1, "template 1: out of order"},    /* equal */
		{offsetof(struct bundle_header, section[SECTION_MODEL].n), 0, 4, "not where it belongs"},
		{offsetof(struct bundle_header, section[SECTION_MODEL].n), 2, 4, "not where it belongs"},
		{offsetof(struct bundle_header, section[SECTION_TEMPLATE].n), 0xffffffff, 4,
			"not where it belongs"},
		{offsetof(struct bundle_header, version), 1, 4, "version 1: this program reads version 2"},
	};
	for (size_t i = 0; i < sizeof e / sizeof *e; i++) {
		const char *says = refused(p, n, e[i].at, &e[i].with, e[i].bytes);
		if (*e[i].says ? strstr(says, e[i].says) == NULL : *says != 0)
			fail_msg("case %zu: %s", i, says);
	}
	free(p);
}

static void
facts(void **unused)
{
	static const char *const good[] = {
		"{}", "{\"victims\":0}", "{\"victims\":18446744073709551615,\"value\":10}"};
	static const char *const wrong[] = {"", "{", "}", "{}}", "{ }", "{,}", "{\"victims\":}",
		"{\"victims\":00}", "{\"victims\":01}", "{\"victims\":-1}",
		"{\"victims\":18446744073709551616}", "{\"victims\":1,}", "{\"victims\":1,\"victims\":1}",
		"{\"victim\":1}", "{\"victimss\":1}", "{\"victims\"", "{\"victims\":1", "{\"victims\":1 }",
		"{victims:1}", "{\"\":1}", "{\"victims\":\"1\"}", "{}\n"};
	uint64_t number[SCALAR_COUNT];
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(bundle_facts_read(
			(struct span){(const uint8_t *)good[i], (uint32_t)strlen(good[i])}, number));
	assert_true(number[SCALAR_VICTIMS] == UINT64_MAX && number[SCALAR_VALUE] == 10 &&
		    number[SCALAR_ARMED] == 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		size_t n = strlen(wrong[i]);
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, wrong[i], n);
		if (bundle_facts_read((struct span){exact, (uint32_t)n}, number))
			fail_msg("`%s`", wrong[i]);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(events), cmocka_unit_test(pauses),
		cmocka_unit_test(weights), cmocka_unit_test(templates), cmocka_unit_test(threshold),
		cmocka_unit_test(in_the_bundle), cmocka_unit_test(hostile), cmocka_unit_test(facts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
