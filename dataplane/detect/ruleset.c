/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/ruleset.h"

#include <stdio.h>
#include <stdlib.h>

/* calloc of an array that may be empty. */
static void *
array(uint64_t n, size_t size)
{
	return n > SIZE_MAX / size ? NULL : calloc(n ? n : 1, size);
}

static bool
make_arrays(struct ruleset *r)
{
	const struct bundle *b = &r->b;
	r->n_rules = bundle_count(b, SECTION_RULE);
	r->n_slots = bundle_count(b, SECTION_SLOT);
	r->n_groups = bundle_count(b, SECTION_GROUP);
	r->n_values = bundle_count(b, SECTION_VALUE);
	r->n_windows = bundle_count(b, SECTION_WINDOW);
	r->value = array(r->n_values, sizeof *r->value);
	r->value_group = array(bundle_count(b, SECTION_GROUP_VALUE), sizeof *r->value_group);
	r->group = array(r->n_groups, sizeof *r->group);
	r->group_value = array(bundle_count(b, SECTION_GROUP_VALUE), sizeof *r->group_value);
	r->group_rule = array(r->n_slots, sizeof *r->group_rule);
	r->window = array(r->n_windows, sizeof *r->window);
	r->literal = array(bundle_count(b, SECTION_LITERAL), sizeof *r->literal);
	r->literal_value = array(bundle_count(b, SECTION_LITERAL_VALUE), sizeof *r->literal_value);
	r->rule = array(r->n_rules, sizeof *r->rule);
	r->slot_group = array(r->n_slots, sizeof *r->slot_group);
	r->slot_protocol = array(r->n_slots, sizeof *r->slot_protocol);
	r->op = array(bundle_count(b, SECTION_OP), sizeof *r->op);
	r->constant = array(bundle_count(b, SECTION_CONST), sizeof *r->constant);
	r->always = array(r->n_rules, sizeof *r->always);
	return r->value && r->value_group && r->group && r->group_value && r->group_rule && r->window &&
	       r->literal && r->literal_value && r->rule && r->slot_group && r->slot_protocol && r->op &&
	       r->constant && r->always;
}

static void
copy_section(const struct ruleset *r, enum bundle_section_id id, void *out, size_t size)
{
	const struct bundle_section *s = &r->b.h.section[id];
	if (s->n > 0)
		memcpy(out, r->b.bytes.p + s->at, s->n * size);
}

static void
copy_tables(struct ruleset *r)
{
	const struct bundle *b = &r->b;
	copy_section(r, SECTION_OP, r->op, sizeof *r->op);
	copy_section(r, SECTION_CONST, r->constant, sizeof *r->constant);
	copy_section(r, SECTION_GROUP_VALUE, r->group_value, sizeof *r->group_value);
	copy_section(r, SECTION_LITERAL_VALUE, r->literal_value, sizeof *r->literal_value);
	for (uint32_t i = 0; i < r->n_values; i++) {
		struct bundle_value v = bundle_get_VALUE(b, i);
		r->value[i] = (struct rs_value){bundle_bytes(b, v.at), v.len, 0, 0};
	}
	for (uint32_t i = 0; i < r->n_groups; i++) {
		struct bundle_group g = bundle_get_GROUP(b, i);
		r->group[i] = (struct rs_group){g.first_value, g.n_values, 0, 0};
	}
	for (uint32_t i = 0; i < r->n_slots; i++) {
		struct bundle_slot s = bundle_get_SLOT(b, i);
		r->slot_group[i] = s.group;
		r->slot_protocol[i] = (s.flags & SLOT_PROTOCOL) != 0;
	}
	for (uint32_t i = 0; i < r->n_windows; i++) {
		struct bundle_window w = bundle_get_WINDOW(b, i);
		r->window[i] = (struct rs_window){w.first_literal, w.n_literals, w.db};
		for (uint32_t k = w.first_literal; k < w.first_literal + w.n_literals; k++) {
			struct bundle_literal l = bundle_get_LITERAL(b, k);
			r->literal[k] = (struct rs_literal){
				bundle_bytes(b, l.at), l.len, l.window_at + w.len, l.first_value, l.n_values};
		}
	}
	for (uint32_t i = 0; i < r->n_rules; i++) {
		struct bundle_rule u = bundle_get_RULE(b, i);
		r->rule[i] = (struct rs_rule){u.first_slot, u.n_slots, u.first_op, u.n_ops, 0, i};
	}
}

/* value -> groups that wake rules. */
static void
invert_groups(struct ruleset *r)
{
	uint32_t at = 0;
	for (uint32_t g = 0; g < r->n_groups; g++)
		for (uint32_t k = 0; k < r->group[g].n_values && r->group[g].n_rules > 0; k++)
			r->value[r->group_value[r->group[g].first_value + k]].n_groups++;
	for (uint32_t i = 0; i < r->n_values; i++) {
		r->value[i].first_group = at;
		at += r->value[i].n_groups;
		r->value[i].n_groups = 0;
	}
	for (uint32_t g = 0; g < r->n_groups; g++) {
		for (uint32_t k = 0; k < r->group[g].n_values && r->group[g].n_rules > 0; k++) {
			struct rs_value *v = &r->value[r->group_value[r->group[g].first_value + k]];
			r->value_group[v->first_group + v->n_groups++] = g;
		}
	}
}

/* What a slot costs as a waker: how many slots its values stand in (each a rule woken, were it chosen by
 * all), and how often such values turn up: every call has a selector, and few are rare. One number a group,
 * in cost[n_groups]. */
static bool
group_costs(const struct ruleset *r, uint32_t *cost)
{
	uint32_t *slots_of_value = array(r->n_values, sizeof *slots_of_value);
	if (slots_of_value == NULL)
		return false;
	for (uint32_t i = 0; i < r->n_slots; i++)
		cost[r->slot_group[i]]++; /* slots of the group, for now */
	for (uint32_t g = 0; g < r->n_groups; g++)
		for (uint32_t k = 0; k < r->group[g].n_values; k++)
			slots_of_value[r->group_value[r->group[g].first_value + k]] += cost[g];
	for (uint32_t g = 0; g < r->n_groups; g++) {
		const uint32_t *v = r->group_value + r->group[g].first_value;
		struct bundle_value first = bundle_get_VALUE(&r->b, v[0]);
		uint64_t sum = 0;
		for (uint32_t k = 0; k < r->group[g].n_values; k++)
			sum += slots_of_value[v[k]];
		sum *= first.field == FIELD_SELECTOR ? 16 : first.len <= 4 ? 4 : 1;
		cost[g] = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
	}
	free(slots_of_value);
	return true;
}

/* Which slots wake a rule, in wakes[n_slots]; rules that nothing need wake go to `always`. */
static bool
find_wakers(struct ruleset *r, const uint32_t *group_cost, uint8_t *wakes)
{
	uint32_t cost[RULE_PATTERNS_MAX];
	for (uint32_t i = 0; i < r->n_rules; i++) {
		const struct rs_rule *u = &r->rule[i];
		if (bundle_get_RULE(&r->b, i).event != EVENT_TRANSACTION)
			continue;
		for (uint32_t k = 0; k < u->n_slots; k++)
			cost[k] = group_cost[r->slot_group[u->first_slot + k]];
		int found = bundle_program_cover(
			r->op + u->first_op, u->n_ops, cost, u->n_slots, wakes + u->first_slot);
		if (found < 0)
			return false;
		/* a group that stands in two slots wakes once */
		for (uint32_t k = 0; k < u->n_slots; k++)
			for (uint32_t j = 0; j < k && wakes[u->first_slot + k]; j++)
				if (wakes[u->first_slot + j] &&
					r->slot_group[u->first_slot + j] == r->slot_group[u->first_slot + k])
					wakes[u->first_slot + k] = 0;
		if (found == 0)
			r->always[r->n_always++] = i;
	}
	return true;
}

static bool
make_wakers(struct ruleset *r)
{
	uint8_t *wakes = array(r->n_slots, 1);
	uint32_t *cost = array(r->n_groups, sizeof *cost);
	bool ok = wakes && cost && group_costs(r, cost) && find_wakers(r, cost, wakes);
	free(cost);
	if (!ok) {
		free(wakes);
		return false;
	}
	uint32_t at = 0;
	for (uint32_t i = 0; i < r->n_slots; i++)
		r->group[r->slot_group[i]].n_rules += wakes[i];
	for (uint32_t g = 0; g < r->n_groups; g++) {
		r->group[g].first_rule = at;
		at += r->group[g].n_rules;
		r->group[g].n_rules = 0;
	}
	for (uint32_t i = 0; i < r->n_rules; i++) {
		for (uint32_t k = r->rule[i].first_slot; k < r->rule[i].first_slot + r->rule[i].n_slots;
			k++) {
			struct rs_group *g = &r->group[r->slot_group[k]];
			if (wakes[k])
				r->group_rule[g->first_rule + g->n_rules++] = i;
		}
	}
	free(wakes);
	return true;
}

/* A value that nothing looks for would be a pattern that never matches. */
static bool
all_looked_for(const struct ruleset *r)
{
	uint8_t *has = array(r->n_values, 1);
	bool all = has != NULL;
	for (uint32_t i = 0; has != NULL && i < bundle_count(&r->b, SECTION_LITERAL_VALUE); i++)
		has[r->literal_value[i]] = 1;
	for (uint32_t i = 0; all && i < r->n_values; i++)
		all = has[i] || rule_field_db(bundle_get_VALUE(&r->b, i).field) < 0;
	free(has);
	return all;
}

static int
place_of(unsigned field, uint32_t len)
{
	switch (field) {
	case FIELD_TO:
		return EXACT_TO;
	case FIELD_SELECTOR:
		return EXACT_SELECTOR;
	case FIELD_ARG:
		return len == 20 ? EXACT_ARG20 : EXACT_ARG32;
	case FIELD_ACCESS_LIST:
		return EXACT_ACCESS;
	case FIELD_AUTHORIZATION:
		return EXACT_AUTH;
	default:
		return -1;
	}
}

static bool
make_lookups(struct ruleset *r)
{
	uint32_t n[EXACT_COUNT] = {0};
	for (uint32_t i = 0; i < r->n_values; i++) {
		int p = place_of(bundle_get_VALUE(&r->b, i).field, r->value[i].len);
		if (p >= 0)
			n[p]++;
	}
	for (int p = 0; p < EXACT_COUNT; p++) {
		uint64_t slots = 16;
		while (slots < 2 * (uint64_t)n[p])
			slots <<= 1;
		if (n[p] == 0)
			continue;
		r->exact[p].mask = (uint32_t)(slots - 1);
		r->exact[p].slot = array(slots, sizeof *r->exact[p].slot);
		r->exact[p].filter_mask = (uint32_t)(16 * slots - 1);
		r->exact[p].filter = array(16 * slots / 64, sizeof *r->exact[p].filter);
		if (r->exact[p].slot == NULL || r->exact[p].filter == NULL)
			return false;
	}
	for (uint32_t i = 0; i < r->n_values; i++) {
		int p = place_of(bundle_get_VALUE(&r->b, i).field, r->value[i].len);
		if (p < 0)
			continue;
		uint64_t h = exact_hash(r->value[i].p, r->value[i].len);
		uint32_t k = (uint32_t)h & r->exact[p].mask,
			 bit = (uint32_t)(h >> 32) & r->exact[p].filter_mask;
		r->exact[p].filter[bit / 64] |= 1ull << (bit % 64);
		while (r->exact[p].slot[k] != 0)
			k = (k + 1) & r->exact[p].mask;
		r->exact[p].slot[k] = (h >> 32 << 32) | (i + 1);
	}
	return true;
}

/* Most important first: if a transaction has more findings than fit, the least important go. */
static void
make_ranks(struct ruleset *r)
{
	uint32_t rank = 0;
	for (int grade = GRADE_MAX; grade > 0; grade--) {
		for (int severity = SEVERITY_MAX; severity > 0; severity--) {
			for (uint32_t i = 0; i < r->n_rules; i++) {
				struct bundle_rule u = bundle_get_RULE(&r->b, i);
				if (u.grade == grade && u.severity == severity)
					r->rule[i].rank = rank++;
			}
		}
	}
}

static const char *
hs_reason(hs_error_t rc)
{
	switch (rc) {
	case HS_NOMEM:
		return "out of memory";
	case HS_DB_VERSION_ERROR:
		return "made by another version of Hyperscan (compile the rules again)";
	case HS_DB_PLATFORM_ERROR:
		return "made for another kind of CPU (compile the rules again)";
	default:
		return "damaged";
	}
}

static bool
load_databases(struct ruleset *r, char *err, size_t cap)
{
	if (hs_valid_platform() != HS_SUCCESS) {
		snprintf(err, cap, "Hyperscan needs a CPU with SSSE3");
		return false;
	}
	for (int i = 0; i < DB_COUNT; i++) {
		struct span s = bundle_db(&r->b, (enum bundle_db)i);
		char *info = NULL;
		if (s.len == 0)
			continue;
		hs_error_t rc = hs_deserialize_database((const char *)s.p, s.len, &r->db[i]);
		if (rc == HS_SUCCESS)
			rc = hs_database_info(r->db[i], &info);
		bool same = rc == HS_SUCCESS &&
			    strncmp(info, r->b.h.platform, BUNDLE_PLATFORM_LEN - 1) == 0 &&
			    strstr(info, "Mode: BLOCK") != NULL;
		free(info);
		if (!same) {
			snprintf(err, cap, "Hyperscan database %d: %s", i,
				rc != HS_SUCCESS ? hs_reason(rc) : "not what the header says");
			return false;
		}
	}
	return true;
}

struct ruleset *
ruleset_load(struct span bundle, char *err, size_t err_cap)
{
	struct ruleset *r = calloc(1, sizeof *r);
	if (r == NULL) {
		snprintf(err, err_cap, "out of memory");
		return NULL;
	}
	if (bundle_open(&r->b, bundle, err, err_cap) && load_databases(r, err, err_cap)) {
		snprintf(err, err_cap, "out of memory");
		if (make_arrays(r)) {
			copy_tables(r);
			make_ranks(r);
			if (!all_looked_for(r)) {
				snprintf(err, err_cap, "a value that is nowhere looked for");
			} else if (make_wakers(r) && make_lookups(r) && ruleset_make_events(r)) {
				invert_groups(r);
				return r;
			}
		}
	}
	ruleset_free(r);
	return NULL;
}

void
ruleset_free(struct ruleset *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < DB_COUNT; i++)
		hs_free_database(r->db[i]);
	for (int i = 0; i < EXACT_COUNT; i++) {
		free(r->exact[i].slot);
		free(r->exact[i].filter);
	}
	void *const arrays[] = {r->value, r->value_group, r->group, r->group_value, r->group_rule, r->window,
		r->literal, r->literal_value, r->rule, r->slot_group, r->slot_protocol, r->op, r->constant,
		r->always};
	for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
		free(arrays[i]);
	ruleset_free_events(r);
	free(r);
}

uint64_t
ruleset_generation(const struct ruleset *r)
{
	return r->b.h.generation;
}

uint32_t
ruleset_rules(const struct ruleset *r)
{
	return r->n_rules;
}

uint32_t
ruleset_patterns(const struct ruleset *r)
{
	return r->n_slots;
}

void
ruleset_rule(const struct ruleset *r, uint32_t index, struct ruleset_rule *out)
{
	struct bundle_rule u = bundle_get_RULE(&r->b, index);
	*out = (struct ruleset_rule){
		u.id, u.rev, u.class_, u.severity, u.grade, u.event, bundle_text(&r->b, u.name)};
}

const uint8_t *
ruleset_digest(const struct ruleset *r)
{
	return r->b.h.digest;
}

uint32_t
ruleset_vectors(const struct ruleset *r)
{
	return bundle_count(&r->b, SECTION_VECTOR);
}

void
ruleset_vector(const struct ruleset *r, uint32_t i, uint32_t *rule_index, bool *expect, struct span *text)
{
	struct bundle_vector v = bundle_get_VECTOR(&r->b, i);
	*rule_index = v.rule;
	*expect = v.expect != 0;
	*text = (struct span){(const uint8_t *)bundle_text(&r->b, v.at), v.len};
}
