/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/compile.h"
#include "rules/language.h"

#include "abi/alert.h"

#include <stdlib.h>

static int
by_id(const void *a, const void *b)
{
	const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x < y ? -1 : x > y; /* the order of the files */
}

static int
by_name(const void *a, const void *b)
{
	const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
	int c = strcmp(x->name ? x->name : "", y->name ? y->name : "");
	return c ? c : x < y ? -1 : x > y;
}

static void
check_unique(struct rule_set *s)
{
	struct rule **order = xalloc(s->n_rules * sizeof(struct rule *));
	for (uint32_t i = 0; i < s->n_rules; i++)
		order[i] = &s->rules[i];
	qsort(order, s->n_rules, sizeof *order, by_id);
	for (uint32_t i = 1; i < s->n_rules; i++)
		if (order[i]->id != 0 && order[i]->id == order[i - 1]->id)
			diag_error(s, order[i]->at, "id %u is taken by %s:%u", order[i]->id,
				order[i - 1]->at.file, order[i - 1]->at.line);
	qsort(order, s->n_rules, sizeof *order, by_name);
	for (uint32_t i = 1; i < s->n_rules; i++)
		if (order[i]->name && order[i - 1]->name && strcmp(order[i]->name, order[i - 1]->name) == 0)
			diag_error(s, order[i]->name_at, "name `%s` is taken by %s:%u", order[i]->name,
				order[i - 1]->name_at.file, order[i - 1]->name_at.line);
	for (uint32_t i = 0; i < s->n_packs; i++)
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(s->packs[i].name, s->packs[k].name) == 0) {
				diag_error(s, s->packs[i].at, "pack `%s` is taken by %s", s->packs[i].name,
					s->packs[k].at.file);
				break;
			}
	free(order);
}

static bool
same_bytes(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
check_vectors(struct rule_set *s, const struct rule *r)
{
	bool yes = false, no = false;
	for (uint32_t i = 0; i < r->n_vectors; i++) {
		yes |= r->vectors[i].expect;
		no |= !r->vectors[i].expect;
		for (uint32_t k = 0; k < i && r->vectors[i].json.len + r->vectors[i].facts.len > 0; k++) {
			const struct vector *a = &r->vectors[i], *b = &r->vectors[k];
			if (same_bytes(a->json, b->json) && same_bytes(a->facts, b->facts)) {
				diag_error(s, a->at, "the same %s as the vector in line %u",
					a->json.len > 0 ? "transaction" : "facts", b->at.line);
				break;
			}
		}
	}
	if (!yes)
		diag_error(s, r->at, "no vector with `match: true`: nothing shows that the rule works");
	if (!no)
		diag_error(
			s, r->at, "no vector with `match: false`: nothing shows that the rule can be silent");
}

/* What a match of one slot costs or means in frequency, for choosing what wakes a rule. */
static void
check_reach(struct rule_set *s, const struct rule *r)
{
	uint32_t cost[RULE_PATTERNS_MAX];
	uint8_t covered[RULE_PATTERNS_MAX];
	if (r->n_ops == 0 || r->event != EVENT_TRANSACTION)
		return;
	for (uint32_t i = 0; i < r->n_patterns; i++)
		cost[i] = r->patterns[i].n_values;
	if (bundle_program_cover(r->ops, r->n_ops, cost, r->n_patterns, covered) == 0)
		diag_warn(s, r->condition_at,
			"can hold without any pattern: it is evaluated for every transaction (add a pattern "
			"that must match)");
}

static void
check_rule(struct rule_set *s, const struct rule *r)
{
	check_vectors(s, r);
	check_reach(s, r);
	if (r->status == STATUS_EXPERIMENTAL && r->grade > GRADE_WATCH)
		diag_error(s, r->grade_at, "an experimental rule is graded `watch` (or make it stable)");
	if (r->grade == GRADE_PAUSE)
		pause_check(s, r);
	for (uint32_t i = 0; i < r->n_ops && s->model == NULL; i++) {
		if (r->ops[i].code != OP_COMPARE || r->ops[i].a != SCALAR_CODE_LEARNED)
			continue;
		diag_warn(s, r->condition_at, "`code_learned` is always 0: the set has no weights (a *.weights file)");
		break;
	}
}

/* Windows of which too few bytes say anything stop Hyperscan at every run of zeros. */
static void
check_width(struct rule_set *s, const struct layout *l)
{
	for (uint32_t i = 0; i < l->n_windows; i++) {
		const struct window *w = &l->windows[i];
		uint32_t telling = 0;
		for (uint32_t k = 0; k < w->len; k++)
			telling += w->p[k] != 0 && (k == 0 || w->p[k] != w->p[k - 1]);
		if (telling < 3)
			diag_warn(s, w->at,
				"a wide pattern: %u of its bytes tell it from padding (add bytes around it)",
				telling);
	}
}

static int
by_hash(const void *a, const void *b)
{
	const struct template *x = *(struct template *const *)a, *y = *(struct template *const *)b;
	int c = memcmp(x->t.hash, y->t.hash, sizeof x->t.hash);
	return c ? c : x < y ? -1 : x > y;
}

static void
check_templates(struct rule_set *s)
{
	struct template **order = xalloc(s->n_templates * sizeof(struct template *));
	for (uint32_t i = 0; i < s->n_templates; i++)
		order[i] = &s->templates[i];
	if (s->n_templates > 0)
		qsort(order, s->n_templates, sizeof *order, by_hash);
	for (uint32_t i = 1; i < s->n_templates; i++)
		if (memcmp(order[i]->t.hash, order[i - 1]->t.hash, 32) == 0)
			diag_error(s, order[i]->at, "the same hash as in %s:%u (leave one)", order[i - 1]->at.file,
				order[i - 1]->at.line);
	free(order);
}

static int
by_address(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;
	int c = strcmp(x->at.file, y->at.file);
	if (c == 0)
		c = x->at.line < y->at.line ? -1 : x->at.line > y->at.line;
	if (c == 0)
		c = x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
	return c ? c : strcmp(x->text, y->text);
}

void
rule_set_lint(struct rule_set *s, bool databases)
{
	struct layout l;
	check_unique(s);
	for (uint32_t i = 0; i < s->n_rules; i++)
		check_rule(s, &s->rules[i]);
	if (s->n_rules == 0 && s->n_errors == 0)
		diag_warn(s, s->n_packs ? s->packs[0].at : ((struct place){"rule set", 0, 0}), "no rules");
	check_templates(s);
	layout_make(&l, s);
	check_width(s, &l);
	for (uint32_t db = 0; db < DB_COUNT && databases; db++) {
		char *bytes;
		size_t n;
		if (database_compile(&l, db, &bytes, &n))
			free(bytes);
	}
	layout_free(&l);
	if (s->n_diags > 0)
		qsort(s->diags, s->n_diags, sizeof *s->diags, by_address);
}
