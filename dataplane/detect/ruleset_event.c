/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/ruleset.h"

#include "detect/code.h"
#include "detect/model.h"

#include <stdlib.h>

_Static_assert(MODEL_WEIGHTS == CODE_GRAMS, "a weight for every feature");
_Static_assert(SCALAR_COUNT <= 64, "a bit for every scalar");

static bool
make_model(struct ruleset *r)
{
	struct bundle_model m;
	if (bundle_count(&r->b, SECTION_MODEL) == 0)
		return true;
	memcpy(&m, r->b.bytes.p + r->b.h.section[SECTION_MODEL].at, sizeof m);
	r->model = malloc(sizeof *r->model);
	if (r->model == NULL)
		return false;
	r->model->bias = m.bias;
	r->model->scale = m.scale;
	r->model->threshold = m.threshold;
	memcpy(r->model->weight, m.weight, sizeof m.weight);
	return true;
}

bool
ruleset_make_events(struct ruleset *r)
{
	uint32_t at = 0;
	uint32_t *by_rank = malloc((r->n_rules + 1) * sizeof *by_rank);
	r->on = malloc((r->n_rules + 1) * sizeof *r->on);
	if (by_rank == NULL || r->on == NULL) {
		free(by_rank);
		return false;
	}
	for (uint32_t i = 0; i < r->n_rules; i++)
		by_rank[r->rule[i].rank] = i;
	for (int e = 0; e < EVENT_COUNT; e++) {
		r->first_on[e] = at;
		for (uint32_t i = 0; i < r->n_rules; i++) {
			const struct rs_rule *u = &r->rule[by_rank[i]];
			if (bundle_get_RULE(&r->b, u->index).event != e)
				continue;
			r->on[at++] = u->index;
			for (const struct bundle_op *op = r->op + u->first_op; op < r->op + u->first_op + u->n_ops; op++)
				if (op->code == OP_COMPARE)
					r->asked[e] |= 1ull << op->a;
		}
	}
	r->first_on[EVENT_COUNT] = at;
	free(by_rank);
	return make_model(r);
}

void
ruleset_free_events(struct ruleset *r)
{
	free(r->on);
	free(r->model);
}

void
rule_facts_of_code(struct rule_facts *f, const struct code_facts *c, uint32_t learned)
{
	static const struct code_facts none;
	const struct code_facts *k = c != NULL ? c : &none;
	f->number[SCALAR_CODE_SCORE] = k->score;
	f->number[SCALAR_CODE_FLASH] = k->flash;
	f->number[SCALAR_CODE_PROVIDERS] = (uint64_t)__builtin_popcountll(k->callbacks | k->entries);
	f->number[SCALAR_CODE_LEARNED] = c != NULL ? learned : 0;
	f->number[SCALAR_CODE_TEMPLATE] = k->template_;
}

uint32_t
ruleset_on(const struct ruleset *r, enum rule_event event, const uint32_t **rules)
{
	*rules = r->on + r->first_on[event];
	return r->first_on[event + 1] - r->first_on[event];
}

bool
ruleset_event_holds(const struct ruleset *r, uint32_t rule_index, const struct rule_facts *f)
{
	const struct condition_input in = {
		.r = r, .t = f->tx, .bundle_len = (uint32_t)f->number[SCALAR_BUNDLE_LEN], .facts = f};
	return condition_holds(&in, &r->rule[rule_index]);
}

bool
ruleset_asks(const struct ruleset *r, enum rule_event event, enum rule_scalar number)
{
	return r->asked[event] >> number & 1;
}

bool
ruleset_vector_facts(const struct ruleset *r, uint32_t i, struct rule_facts *out)
{
	struct bundle_vector v = bundle_get_VECTOR(&r->b, i);
	memset(out, 0, sizeof *out);
	return v.facts_len > 0 &&
	       bundle_facts_read((struct span){(const uint8_t *)bundle_text(&r->b, v.facts_at), v.facts_len}, out->number);
}

const struct model *
ruleset_model(const struct ruleset *r)
{
	return r->model;
}

bool
ruleset_template(const struct ruleset *r, const uint8_t hash[32])
{
	return bundle_template_find(&r->b, hash);
}
