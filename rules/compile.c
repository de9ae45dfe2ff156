/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/compile.h"

#include <errno.h>
#include <stdlib.h>

struct table { /* one section as it grows */
	uint8_t *p;
	size_t n, cap; /* bytes */
};

struct group {
	const uint32_t *values;
	uint32_t n, field, index;
};

struct build {
	struct layout l;
	struct table section[SECTION_COUNT];
	struct rule **rules;  /* by id */
	struct group *groups; /* one of each slot, in the order of the rules */
	uint32_t n_slots;
};

static uint32_t
append(struct table *t, const void *p, size_t n)
{
	size_t at = t->n;
	if (t->n + n > t->cap) {
		t->cap = (t->n + n) * 2;
		uint8_t *bigger = xalloc(t->cap);
		if (t->n > 0)
			memcpy(bigger, t->p, t->n);
		free(t->p);
		t->p = bigger;
	}
	if (n > 0)
		memcpy(t->p + at, p, n);
	t->n += n;
	return (uint32_t)at;
}

static uint32_t
text(struct build *b, const char *s)
{
	return append(&b->section[SECTION_TEXT], s, strlen(s) + 1);
}

static int
rule_order(const void *a, const void *b)
{
	const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int
number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static int
group_order(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
	for (uint32_t i = 0; i < x->n && i < y->n; i++)
		if (x->values[i] != y->values[i])
			return x->values[i] < y->values[i] ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

/* Equal sets of values become one group. */
static void
put_groups(struct build *b)
{
	struct group **order = xalloc(b->n_slots * sizeof(struct group *));
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n_slots; i++)
		order[i] = &b->groups[i];
	qsort(order, b->n_slots, sizeof *order, group_order);
	for (uint32_t i = 0; i < b->n_slots; i++) {
		if (i > 0 && group_order(&order[i - 1], &order[i]) == 0) {
			order[i]->index = order[i - 1]->index;
			continue;
		}
		const struct bundle_group g = {
			(uint32_t)(b->section[SECTION_GROUP_VALUE].n / 4), order[i]->n, order[i]->field};
		append(&b->section[SECTION_GROUP_VALUE], order[i]->values, order[i]->n * sizeof(uint32_t));
		append(&b->section[SECTION_GROUP], &g, sizeof g);
		order[i]->index = n++;
	}
	free(order);
}

static void
gather(struct build *b)
{
	struct rule_set *s = b->l.s;
	uint32_t slot = 0;
	b->rules = arena_alloc(&b->l.arena, s->n_rules * sizeof(struct rule *));
	for (uint32_t i = 0; i < s->n_rules; i++) {
		b->rules[i] = &s->rules[i];
		b->n_slots += s->rules[i].n_patterns;
	}
	qsort(b->rules, s->n_rules, sizeof *b->rules, rule_order);
	b->groups = arena_alloc(&b->l.arena, b->n_slots * sizeof *b->groups);
	for (uint32_t i = 0; i < s->n_rules; i++) {
		for (uint32_t k = 0; k < b->rules[i]->n_patterns; k++) {
			const struct pattern *p = &b->rules[i]->patterns[k];
			uint32_t *values = arena_alloc(&b->l.arena, p->n_values * sizeof *values);
			for (uint32_t v = 0; v < p->n_values; v++)
				values[v] = layout_value(&b->l, p->field, &p->values[v]);
			qsort(values, p->n_values, sizeof *values, number_order);
			b->groups[slot++] = (struct group){values, p->n_values, p->field, 0};
		}
	}
}

static void
put_values(struct build *b)
{
	for (uint32_t i = 0; i < b->l.n_values; i++) {
		struct interned *v = &b->l.values[i];
		v->bytes_at = append(&b->section[SECTION_BYTES], v->p, v->len);
		const struct bundle_value out = {v->bytes_at, (uint16_t)v->len, (uint16_t)v->kind};
		append(&b->section[SECTION_VALUE], &out, sizeof out);
	}
}

/* Literals of equal bytes in one database are one with several values. */
static void
put_literals(struct build *b, struct window *w, struct bundle_window *out)
{
	struct table *t = &b->section[SECTION_LITERAL];
	out->first_literal = (uint32_t)(t->n / sizeof(struct bundle_literal));
	for (uint32_t i = w->first; i < w->first + w->n;) {
		const struct literal *l = &b->l.literals[i];
		struct bundle_literal lit = {append(&b->section[SECTION_BYTES], l->in.p, l->in.len),
			l->in.len, l->window_at, (uint32_t)(b->section[SECTION_LITERAL_VALUE].n / 4), 0};
		for (; i < w->first + w->n; i++) {
			const struct literal *same = &b->l.literals[i];
			if (same->in.len != l->in.len || memcmp(same->in.p, l->in.p, l->in.len) != 0)
				break;
			append(&b->section[SECTION_LITERAL_VALUE], &same->value, sizeof same->value);
			lit.n_values++;
		}
		append(t, &lit, sizeof lit);
	}
	out->n_literals = (uint32_t)(t->n / sizeof(struct bundle_literal)) - out->first_literal;
}

static void
put_windows(struct build *b)
{
	for (uint32_t i = 0; i < b->l.n_windows; i++) {
		struct bundle_window w = {0, 0, b->l.windows[i].db, b->l.windows[i].len};
		put_literals(b, &b->l.windows[i], &w);
		append(&b->section[SECTION_WINDOW], &w, sizeof w);
	}
}

/* Constants are numbered in the order that programs use them: what was parsed first must not show. */
static void
put_program(struct build *b, const struct rule *r)
{
	struct table *consts = &b->section[SECTION_CONST];
	for (uint32_t i = 0; i < r->n_ops; i++) {
		struct bundle_op op = r->ops[i];
		if (op.code == OP_COMPARE) {
			const struct bundle_const *c = &b->l.s->consts[op.n];
			uint32_t k = 0, n = (uint32_t)(consts->n / sizeof *c);
			while (k < n && k < 1024 && memcmp(consts->p + k * sizeof *c, c, sizeof *c) != 0)
				k++;
			if (k == n || k == 1024) {
				append(consts, c, sizeof *c);
				k = n;
			}
			op.n = k;
		}
		append(&b->section[SECTION_OP], &op, sizeof op);
	}
}

static uint32_t
put_line(struct build *b, struct span line)
{
	uint32_t at = append(&b->section[SECTION_TEXT], line.p, line.len);
	if (line.len > 0)
		append(&b->section[SECTION_TEXT], "\n", 1);
	return at;
}

static void
put_vectors(struct build *b, const struct rule *r, uint32_t index)
{
	for (uint32_t k = 0; k < r->n_vectors; k++) {
		const struct vector *v = &r->vectors[k];
		struct bundle_vector out = {index, v->expect, 0, v->json.len, 0, v->facts.len};
		out.at = put_line(b, v->json);
		out.facts_at = put_line(b, v->facts);
		append(&b->section[SECTION_VECTOR], &out, sizeof out);
	}
}

static int
template_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bundle_template));
}

static void
put_code_data(struct build *b)
{
	const struct rule_set *s = b->l.s;
	struct table *t = &b->section[SECTION_TEMPLATE];
	if (s->model != NULL)
		append(&b->section[SECTION_MODEL], s->model, sizeof *s->model);
	for (uint32_t i = 0; i < s->n_templates; i++)
		append(t, &s->templates[i].t, sizeof s->templates[i].t);
	if (s->n_templates > 0)
		qsort(t->p, s->n_templates, sizeof(struct bundle_template), template_order);
}

static void
put_rules(struct build *b)
{
	uint32_t slot = 0;
	const char *pack = "";
	uint32_t pack_at = text(b, "");
	for (uint32_t i = 0; i < b->l.s->n_rules; i++) {
		const struct rule *r = b->rules[i];
		if (strcmp(pack, r->pack) != 0)
			pack_at = text(b, pack = r->pack);
		const struct bundle_rule out = {r->id, r->rev, pack_at, text(b, r->name),
			text(b, r->description), slot, r->n_patterns,
			(uint32_t)(b->section[SECTION_OP].n / sizeof(struct bundle_op)), r->n_ops,
			(uint8_t)r->class_, (uint8_t)r->severity, (uint8_t)r->grade, (uint8_t)r->status,
			(uint8_t)r->event, {0, 0, 0}};
		append(&b->section[SECTION_RULE], &out, sizeof out);
		put_program(b, r);
		for (uint32_t k = 0; k < r->n_patterns; k++, slot++) {
			const struct pattern *p = &r->patterns[k];
			const struct bundle_slot s = {b->groups[slot].index, text(b, p->name),
				(p->protocol ? SLOT_PROTOCOL : 0u) | (p->exception ? SLOT_EXCEPTION : 0u)};
			append(&b->section[SECTION_SLOT], &s, sizeof s);
		}
		put_vectors(b, r, i);
	}
	text(b, "");
}

static bool
put_databases(struct build *b, struct bundle_header *h)
{
	for (uint32_t db = 0; db < DB_COUNT; db++) {
		char *bytes;
		size_t n;
		if (!database_compile(&b->l, db, &bytes, &n))
			return false;
		if (n > 0)
			database_platform(bytes, n, h->platform);
		append(&b->section[db == DB_OF_CALLS ? SECTION_DB_CALLS : SECTION_DB_CREATIONS], bytes, n);
		free(bytes);
	}
	return true;
}

static int
assemble(struct build *b, struct bundle_header *h, uint8_t **out, size_t *n)
{
	static const uint32_t sizes[SECTION_COUNT] = {
#define _(id, type) sizeof(type),
		BUNDLE_SECTIONS(_)
#undef _
	};
	size_t at = sizeof *h;
	for (int i = 0; i < SECTION_COUNT; i++) {
		at = (at + 7) & ~(size_t)7;
		h->section[i] = (struct bundle_section){(uint32_t)at, (uint32_t)(b->section[i].n / sizes[i])};
		at += b->section[i].n;
		if (at > BUNDLE_LEN_MAX) {
			diag_error(b->l.s, ((struct place){"rule set", 0, 0}),
				"the bundle would pass %u bytes", BUNDLE_LEN_MAX);
			return -EINVAL;
		}
	}
	h->total_len = at;
	uint8_t *p = xalloc(at);
	memset(p, 0, at);
	memcpy(p, h, sizeof *h);
	for (int i = 0; i < SECTION_COUNT; i++)
		if (b->section[i].n > 0)
			memcpy(p + h->section[i].at, b->section[i].p, b->section[i].n);
	bundle_digest((struct span){p, (uint32_t)at}, p + offsetof(struct bundle_header, digest));
	*out = p;
	*n = at;
	return 0;
}

int
rule_set_compile(struct rule_set *s, uint64_t generation, uint8_t **out, size_t *n)
{
	if (s->n_errors > 0 || generation == 0)
		return -EINVAL;
	struct build *b = xalloc(sizeof *b);
	struct bundle_header h = {BUNDLE_MAGIC, BUNDLE_VERSION, sizeof h, 0, generation, {0}, {0}, {{0, 0}}};
	memset(b, 0, sizeof *b);
	layout_make(&b->l, s);
	gather(b);
	put_groups(b);
	put_values(b);
	put_windows(b);
	put_rules(b);
	put_code_data(b);
	int rc = put_databases(b, &h) ? assemble(b, &h, out, n) : -EINVAL;
	for (int i = 0; i < SECTION_COUNT; i++)
		free(b->section[i].p);
	layout_free(&b->l);
	free(b);
	return rc;
}
