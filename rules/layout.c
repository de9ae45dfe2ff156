/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/compile.h"

#include "rules/language.h"

#include <stdlib.h>

static int
compare_bytes(const uint8_t *a, uint32_t n_a, const uint8_t *b, uint32_t n_b)
{
	int c = memcmp(a, b, n_a < n_b ? n_a : n_b);
	return c ? c : n_a < n_b ? -1 : n_a > n_b;
}

static int
by_content(const void *a, const void *b)
{
	const struct interned *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return compare_bytes(x->p, x->len, y->p, y->len);
}

static int
by_content_then_place(const void *a, const void *b)
{
	const struct interned *x = a, *y = b;
	int c = by_content(a, b);
	if (c == 0)
		c = strcmp(x->at.file, y->at.file);
	if (c == 0)
		c = x->at.line < y->at.line ? -1 : x->at.line > y->at.line;
	return c ? c : x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
}

static void
intern_values(struct layout *l)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < l->s->n_rules; i++) {
		const struct rule *r = &l->s->rules[i];
		for (uint32_t k = 0; k < r->n_patterns; k++) {
			for (uint32_t j = 0; j < r->patterns[k].n_values; j++) {
				const struct value *v = &r->patterns[k].values[j];
				*ARENA_PUSH(&l->arena, l->values, l->n_values, l->cap_values) =
					(struct interned){r->patterns[k].field, v->p, v->len, v->at, 0};
			}
		}
	}
	if (l->n_values > 0)
		qsort(l->values, l->n_values, sizeof *l->values, by_content_then_place);
	for (uint32_t i = 0; i < l->n_values; i++)
		if (n == 0 || by_content(&l->values[n - 1], &l->values[i]) != 0)
			l->values[n++] = l->values[i];
	l->n_values = n;
}

/* The bytes that Hyperscan looks for: those that occur least by themselves. Zeros and ones fill init code and
 * calldata. */
static void
choose_window(struct literal *l)
{
	uint32_t len = l->in.len < WINDOW_LEN_MAX ? l->in.len : WINDOW_LEN_MAX, best = 0;
	for (uint32_t at = 0; at + len <= l->in.len; at++) {
		uint32_t score = 1;
		for (uint32_t i = 0; i < len; i++) {
			uint8_t c = l->in.p[at + i];
			bool again = false;
			for (uint32_t k = 0; k < i; k++)
				again |= l->in.p[at + k] == c;
			score += (c != 0 && c != 0xff ? 2 : 0) + !again;
		}
		if (score >= best) {
			best = score;
			l->window_at = at;
		}
	}
	l->window_len = len;
}

static int
by_window(const void *a, const void *b)
{
	const struct literal *x = a, *y = b;
	if (x->in.kind != y->in.kind)
		return x->in.kind < y->in.kind ? -1 : 1;
	int c = compare_bytes(x->in.p + x->window_at, x->window_len, y->in.p + y->window_at, y->window_len);
	if (c == 0)
		c = compare_bytes(x->in.p, x->in.len, y->in.p, y->in.len);
	if (c != 0)
		return c;
	return x->value < y->value ? -1 : x->value > y->value;
}

static void
make_literals(struct layout *l)
{
	struct encoding *e = xalloc(ENCODINGS_MAX * sizeof *e);
	for (uint32_t i = 0; i < l->n_values; i++) {
		const struct interned *v = &l->values[i];
		int db = rule_field_db(v->kind);
		if (db < 0)
			continue;
		uint32_t n = pattern_encodings(v->kind, v->p, v->len, e);
		for (uint32_t k = 0; k < n; k++) {
			struct literal *lit =
				ARENA_PUSH(&l->arena, l->literals, l->n_literals, l->cap_literals);
			const uint8_t *p = (const uint8_t *)arena_copy(&l->arena, e[k].bytes, e[k].len);
			*lit = (struct literal){{(uint32_t)db, p, e[k].len, v->at, 0}, 0, 0, i};
			choose_window(lit);
		}
	}
	free(e);
	if (l->n_literals > 0)
		qsort(l->literals, l->n_literals, sizeof *l->literals, by_window);
}

static void
make_windows(struct layout *l)
{
	for (uint32_t i = 0; i < l->n_literals; i++) {
		const struct literal *lit = &l->literals[i];
		const uint8_t *p = lit->in.p + lit->window_at;
		struct window *w = l->n_windows > 0 ? &l->windows[l->n_windows - 1] : NULL;
		if (w != NULL && w->db == lit->in.kind && w->len == lit->window_len &&
			memcmp(w->p, p, w->len) == 0) {
			w->n++;
			w->whole &= lit->in.len == w->len;
			continue;
		}
		*ARENA_PUSH(&l->arena, l->windows, l->n_windows, l->cap_windows) = (struct window){
			lit->in.kind, lit->window_len, i, 1, p, lit->in.len == lit->window_len, lit->in.at};
	}
}

void
layout_make(struct layout *l, struct rule_set *s)
{
	memset(l, 0, sizeof *l);
	l->s = s;
	intern_values(l);
	make_literals(l);
	make_windows(l);
}

void
layout_free(struct layout *l)
{
	arena_free(&l->arena);
}

uint32_t
layout_value(const struct layout *l, uint32_t field, const struct value *v)
{
	const struct interned key = {field, v->p, v->len, v->at, 0};
	const struct interned *found = bsearch(&key, l->values, l->n_values, sizeof key, by_content);
	return (uint32_t)(found - l->values);
}
