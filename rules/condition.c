/* SPDX-License-Identifier: BSD-3-Clause */
/* or := and {"or" and}; and := not {"and" not}; not := "not" not | "(" or ")" | atom */
#include "rules/language.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum token { T_END, T_WORD, T_NUMBER, T_COMPARE, T_OPEN, T_CLOSE, T_COMMA, T_BAD };

struct parser {
	struct source *src;
	struct rule *r;
	const struct yaml_node *node;
	enum token token;
	uint32_t at, end; /* of the token in node->text */
	char word[80];	  /* T_WORD: with its trailing * */
	uint8_t number[32];
	enum rule_compare compare;
	unsigned depth;
	struct bundle_op ops[PROGRAM_LEN_MAX];
	uint32_t n_ops;
	bool failed;
};

static bool __attribute__((format(printf, 3, 4))) fail(struct parser *p, uint32_t at, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (p->failed)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	p->failed = true;
	diag_error(p->src->s, yaml_place(p->node, p->src->text, p->src->len, at), "%s", text);
	return false;
}

static bool
is(const struct parser *p, const char *word)
{
	return p->token == T_WORD && strcmp(p->word, word) == 0;
}

/* number * base + d, false on overflow. */
static bool
append_digit(uint8_t n[32], unsigned base, unsigned d)
{
	unsigned carry = d;
	for (int i = 31; i >= 0; i--) {
		unsigned v = n[i] * base + carry;
		n[i] = (uint8_t)v;
		carry = v >> 8;
	}
	return carry == 0;
}

static void
lex_number(struct parser *p, const char *s)
{
	uint32_t i = p->at, base = s[i] == '0' && s[i + 1] == 'x' ? 16 : 10, first;
	memset(p->number, 0, sizeof p->number);
	i += base == 16 ? 2 : 0;
	for (first = i; isalnum((unsigned char)s[i]) || s[i] == '_'; i++) {
		int c = s[i] | 32, d = isdigit((unsigned char)s[i]) ? s[i] - '0'
				       : c >= 'a' && c <= 'f'	    ? c - 'a' + 10
								    : 99;
		if (d >= (int)base) {
			fail(p, p->at, "not a number: decimal, or hex after 0x");
			p->token = T_BAD;
			return;
		}
		if (!append_digit(p->number, base, (unsigned)d)) {
			fail(p, p->at, "a number of more than 256 bits");
			p->token = T_BAD;
			return;
		}
	}
	if (i == first)
		fail(p, p->at, "not a number: 0x without digits");
	p->token = i == first ? T_BAD : T_NUMBER;
	p->end = i;
}

static void
lex_compare(struct parser *p, const char *s)
{
	static const struct {
		const char *text;
		enum rule_compare op;
	} ops[] = {{"==", COMPARE_EQ}, {"!=", COMPARE_NE}, {"<=", COMPARE_LE}, {">=", COMPARE_GE},
		{"<", COMPARE_LT}, {">", COMPARE_GT}};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		size_t n = strlen(ops[i].text);
		if (strncmp(s + p->at, ops[i].text, n) == 0) {
			p->token = T_COMPARE;
			p->compare = ops[i].op;
			p->end = p->at + (uint32_t)n;
			return;
		}
	}
	p->token = T_BAD;
	fail(p, p->at, "`%c` has no meaning here", isprint((unsigned char)s[p->at]) ? s[p->at] : '?');
}

static void
next(struct parser *p)
{
	const char *s = p->node->text;
	while (s[p->end] == ' ' || s[p->end] == '\n' || s[p->end] == '\t')
		p->end++;
	p->at = p->end;
	char c = s[p->at];
	if (p->failed || c == 0) {
		p->token = T_END;
	} else if (c == '(' || c == ')' || c == ',') {
		p->token = c == '(' ? T_OPEN : c == ')' ? T_CLOSE : T_COMMA;
		p->end++;
	} else if (isdigit((unsigned char)c)) {
		lex_number(p, s);
	} else if (isalpha((unsigned char)c) || c == '_') {
		while (isalnum((unsigned char)s[p->end]) || s[p->end] == '_')
			p->end++;
		p->end += s[p->end] == '*';
		uint32_t n = p->end - p->at;
		p->token = T_WORD;
		if (n >= sizeof p->word) {
			p->token = T_BAD;
			fail(p, p->at, "a word of %u characters", n);
			return;
		}
		memcpy(p->word, s + p->at, n);
		p->word[n] = 0;
	} else {
		lex_compare(p, s);
	}
}

static bool
emit(struct parser *p, uint32_t at, unsigned code, unsigned a, unsigned b, uint32_t n)
{
	if (p->n_ops == PROGRAM_OPS_MAX)
		return fail(
			p, at, "a condition of more than %u operations (split the rule)", PROGRAM_OPS_MAX);
	p->ops[p->n_ops++] = (struct bundle_op){(uint8_t)code, (uint8_t)b, (uint16_t)a, n};
	return true;
}

static bool
small_number(const uint8_t be[32], uint32_t *out)
{
	uint32_t v = 0;
	for (int i = 0; i < 29; i++)
		if (be[i] != 0)
			return false;
	for (int i = 29; i < 32; i++)
		v = v << 8 | be[i];
	*out = v;
	return true;
}

static bool
take(struct parser *p, enum token t, const char *what)
{
	if (p->token != t)
		return fail(
			p, p->at, p->token == T_END ? "%s is missing at the end" : "%s belongs here", what);
	next(p);
	return !p->failed;
}

static bool
pattern_index(struct parser *p, uint32_t *out)
{
	for (uint32_t i = 0; i < p->r->n_patterns; i++) {
		if (strcmp(p->r->patterns[i].name, p->word) != 0)
			continue;
		if (p->r->patterns[i].exception)
			return fail(p, p->at,
				"`%s` is an exception: it holds by itself, conditions do not name it",
				p->word);
		p->r->patterns[i].used = true;
		*out = i;
		return true;
	}
	return fail(p, p->at, "`%s` is not defined under `match`%s", p->word,
		word_reserved(p->word) ? ": it is a word of conditions, out of place here" : "");
}

static bool
list_item(struct parser *p, bool in[RULE_PATTERNS_MAX], uint32_t *n)
{
	size_t len = strlen(p->word);
	if (p->token != T_WORD)
		return fail(p, p->at, "a pattern's name belongs here");
	if (p->word[len - 1] != '*') {
		uint32_t i;
		if (!pattern_index(p, &i))
			return false;
		if (in[i])
			return fail(p, p->at, "`%s` stands in this list already", p->word);
		in[i] = true;
		(*n)++;
		return emit(p, p->at, OP_COUNT, i, 0, 1);
	}
	bool any = false;
	for (uint32_t i = 0; i < p->r->n_patterns; i++) {
		struct pattern *q = &p->r->patterns[i];
		if (q->exception || strncmp(q->name, p->word, len - 1) != 0)
			continue;
		any = q->used = true;
		if (in[i])
			return fail(p, p->at, "`%s` of `%s` stands in this list already", q->name, p->word);
		in[i] = true;
		(*n)++;
		if (!emit(p, p->at, OP_COUNT, i, 0, 1))
			return false;
	}
	return any || fail(p, p->at, "no pattern begins with `%.*s`", (int)len - 1, p->word);
}

/* "of" is read. least 0: all. */
static bool
of_list(struct parser *p, uint32_t at, uint32_t least)
{
	bool in[RULE_PATTERNS_MAX] = {false};
	uint32_t n = 0;
	if (!take(p, T_OPEN, "`(`"))
		return false;
	for (;;) {
		if (!list_item(p, in, &n))
			return false;
		next(p);
		if (p->token != T_COMMA)
			break;
		next(p);
	}
	if (!take(p, T_CLOSE, "`)`"))
		return false;
	if (least > n)
		return fail(p, at, "%u of %u patterns can never hold", least, n);
	return emit(p, at, OP_OF, n, 0, least ? least : n);
}

static bool
of_word(struct parser *p, uint32_t at, uint32_t least)
{
	next(p);
	if (!is(p, "of"))
		return fail(p, p->at, "`of` belongs here");
	next(p);
	return of_list(p, at, least);
}

static bool
count(struct parser *p, uint32_t at)
{
	uint32_t i, n;
	next(p);
	if (!take(p, T_OPEN, "`(`"))
		return false;
	if (p->token != T_WORD)
		return fail(p, p->at, "a pattern's name belongs here");
	if (!pattern_index(p, &i))
		return false;
	next(p);
	if (!take(p, T_CLOSE, "`)`"))
		return false;
	if (p->token != T_COMPARE || p->compare != COMPARE_GE)
		return fail(p, p->at, "`>=` belongs here: counts are compared no other way");
	next(p);
	if (p->token != T_NUMBER)
		return fail(p, p->at, "a number belongs here");
	uint32_t most = p->r->patterns[i].n_values > 0 ? p->r->patterns[i].n_values : PATTERN_VALUES_MAX; /* of a broken one nobody knows */
	if (!small_number(p->number, &n) || n == 0 || n > most)
		return fail(p, p->at, "`%s` has %u values: a count from 1 to that", p->r->patterns[i].name, most);
	next(p);
	return emit(p, at, OP_COUNT, i, 0, n);
}

static uint32_t
constant(struct rule_set *s, const uint8_t be[32])
{
	for (uint32_t i = 0; i < s->n_consts && i < 1024; i++)
		if (memcmp(s->consts[i].be, be, 32) == 0)
			return i;
	memcpy(ARENA_PUSH(&s->arena, s->consts, s->n_consts, s->cap_consts)->be, be, 32);
	return s->n_consts - 1;
}

static int
scalar_by_name(const char *word)
{
	for (unsigned i = 0; i < SCALAR_COUNT; i++)
		if (strcmp(rule_scalar_name(i), word) == 0)
			return (int)i;
	return -1;
}

/* The numbers of an event, for one who asked for another. */
static const char *
known_of(unsigned event)
{
	static char all[512];
	all[0] = 0;
	for (unsigned i = 0; i < SCALAR_COUNT; i++) {
		if (!rule_scalar_known(i, event))
			continue;
		strncat(all, all[0] ? ", " : "", sizeof all - strlen(all) - 1);
		strncat(all, rule_scalar_name(i), sizeof all - strlen(all) - 1);
	}
	return all;
}

static bool
comparison(struct parser *p, uint32_t at, int scalar)
{
	if (!rule_scalar_known((unsigned)scalar, p->r->event))
		return fail(p, at, "`%s` is not known on `%s` (there are %s)", p->word,
			rule_event_name(p->r->event), known_of(p->r->event));
	next(p);
	if (p->token != T_COMPARE)
		return fail(p, p->at, "a comparison (== != < <= > >=) belongs here");
	enum rule_compare op = p->compare;
	next(p);
	if (p->token != T_NUMBER)
		return fail(p, p->at, "a number belongs here");
	uint32_t k = constant(p->src->s, p->number);
	next(p);
	return emit(p, at, OP_COMPARE, (unsigned)scalar, op, k);
}

static bool
atom(struct parser *p)
{
	uint32_t at = p->at, i;
	if (p->token == T_NUMBER) {
		if (!small_number(p->number, &i) || i == 0)
			return fail(
				p, at, "a number from 1 belongs before `of`; comparisons begin with a name");
		return of_word(p, at, i);
	}
	if (p->token != T_WORD)
		return fail(p, at,
			p->token == T_END ? "the condition ends too early"
					  : "a pattern's name or a comparison belongs here");
	if (is(p, "any") || is(p, "all"))
		return of_word(p, at, is(p, "any") ? 1 : 0);
	if (is(p, "count"))
		return count(p, at);
	if (is(p, "creation") || is(p, "bundle")) {
		unsigned code = is(p, "creation") ? OP_CREATION : OP_BUNDLE;
		if (code == OP_CREATION ? p->r->event != EVENT_TRANSACTION
					: !rule_scalar_known(SCALAR_BUNDLE_LEN, p->r->event))
			return fail(
				p, at, "`%s` has no meaning on `%s`", p->word, rule_event_name(p->r->event));
		next(p);
		return emit(p, at, code, 0, 0, 0);
	}
	if (scalar_by_name(p->word) >= 0)
		return comparison(p, at, scalar_by_name(p->word));
	if (!pattern_index(p, &i))
		return false;
	next(p);
	return emit(p, at, OP_COUNT, i, 0, 1);
}

static bool disjunction(struct parser *p);

static bool
negation(struct parser *p)
{
	uint32_t at = p->at;
	bool no = is(p, "not");
	if (!no && p->token != T_OPEN)
		return atom(p);
	if (++p->depth > CONDITION_DEPTH_MAX)
		return fail(p, at, "nested deeper than %u", CONDITION_DEPTH_MAX);
	next(p);
	bool ok =
		no ? negation(p) && emit(p, at, OP_NOT, 0, 0, 0) : disjunction(p) && take(p, T_CLOSE, "`)`");
	p->depth--;
	return ok;
}

static bool
conjunction(struct parser *p)
{
	bool ok = negation(p);
	while (ok && is(p, "and")) {
		uint32_t at = p->at;
		next(p);
		ok = negation(p) && emit(p, at, OP_AND, 0, 0, 0);
	}
	return ok;
}

static bool
disjunction(struct parser *p)
{
	bool ok = conjunction(p);
	while (ok && is(p, "or")) {
		uint32_t at = p->at;
		next(p);
		ok = conjunction(p) && emit(p, at, OP_OR, 0, 0, 0);
	}
	return ok;
}

/* ... and not any of the exceptions. */
static void
exceptions(struct parser *p)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->r->n_patterns; i++) {
		if (!p->r->patterns[i].exception)
			continue;
		p->ops[p->n_ops++] = (struct bundle_op){OP_COUNT, 0, (uint16_t)i, 1};
		n++;
	}
	if (n == 0)
		return;
	p->ops[p->n_ops++] = (struct bundle_op){OP_OF, 0, (uint16_t)n, 1};
	p->ops[p->n_ops++] = (struct bundle_op){OP_NOT, 0, 0, 0};
	p->ops[p->n_ops++] = (struct bundle_op){OP_AND, 0, 0, 0};
}

bool
condition_compile(struct source *src, struct rule *r, const struct yaml_node *node)
{
	struct parser p = {.src = src, .r = r, .node = node};
	next(&p);
	if (!disjunction(&p) || p.failed)
		return false;
	if (p.token != T_END)
		return fail(&p, p.at, "the condition could end here: `and`, `or` or nothing belongs here");
	exceptions(&p);
	r->ops = arena_alloc(&src->s->arena, p.n_ops * sizeof *r->ops);
	memcpy(r->ops, p.ops, p.n_ops * sizeof *r->ops);
	r->n_ops = p.n_ops;
	return true;
}
