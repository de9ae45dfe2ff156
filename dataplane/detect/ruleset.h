/* SPDX-License-Identifier: BSD-3-Clause */
/* ruleset: a bundle turned into what the matcher walks: inverted tables and lookups. Private to detect. */
#ifndef DETECT_RULESET_H
#define DETECT_RULESET_H

#include "detect/detect.h"
#include "detect/ruleset_event.h"
#include "rules/bundle.h"

#include <hs/hs_runtime.h>

/* Values that lie at exact places are looked up, not searched for: which place. */
enum exact_place {
	EXACT_TO,
	EXACT_SELECTOR,
	EXACT_ARG20,
	EXACT_ARG32,
	EXACT_ACCESS,
	EXACT_AUTH,
	EXACT_COUNT
};

/* Open addressing, at most half full: upper half of the hash, and a value's index + 1; 0: free. */
struct exact {
	uint64_t *slot;
	uint64_t *filter;     /* a bit for each hash: what is not there ends here, 15 times in 16 */
	uint32_t mask;	      /* slots - 1; slot NULL: no value of this place */
	uint32_t filter_mask; /* bits - 1, at least 16 a value */
};

struct rs_value {
	const uint8_t *p;
	uint32_t len;
	uint32_t first_group, n_groups; /* value_group: the groups it is in that wake rules */
};

struct rs_group {
	uint32_t first_value, n_values; /* group_value, ascending */
	uint32_t first_rule, n_rules;	/* group_rule: the rules that a match in it wakes */
};

struct rs_window {
	uint32_t first_literal, n_literals, db;
};

struct rs_literal {
	const uint8_t *p;
	uint32_t len, window_end;	/* from the literal's first byte to where Hyperscan reports */
	uint32_t first_value, n_values; /* literal_value */
};

struct rs_rule {
	uint32_t first_slot, n_slots, first_op, n_ops;
	uint32_t rank; /* order of importance: grade, severity, place in the table */
	uint32_t index;
};

struct ruleset {
	struct bundle b;
	hs_database_t *db[DB_COUNT];
	uint32_t n_rules, n_slots, n_groups, n_values, n_windows, n_always;
	struct exact exact[EXACT_COUNT];
	struct rs_value *value;
	uint32_t *value_group;
	struct rs_group *group;
	uint32_t *group_value;
	uint32_t *group_rule;
	struct rs_window *window;
	struct rs_literal *literal;
	uint32_t *literal_value;
	struct rs_rule *rule;
	uint32_t *slot_group;
	uint8_t *slot_protocol;
	struct bundle_op *op;
	struct bundle_const *constant;
	uint32_t *always; /* rules on transactions that can hold without a match */
	uint32_t *on;	  /* rules by event, gravest first */
	uint32_t first_on[EVENT_COUNT + 1];
	uint64_t asked[EVENT_COUNT]; /* bits of the scalars that its rules compare */
	struct model *model;
};

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t
load32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t
exact_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* len: 4, 20 or 32. */
static inline uint64_t
exact_hash(const uint8_t *p, uint32_t len)
{
	if (len == 4)
		return exact_mix(load32(p), 4);
	if (len == 20)
		return exact_mix(load64(p) ^ load32(p + 8), load64(p + 12));
	return exact_mix(load64(p) + 3 * load64(p + 8), load64(p + 16) + 3 * load64(p + 24));
}

/* The value of this table with these bytes, or UINT32_MAX. The table is there. */
static inline uint32_t
exact_find(const struct ruleset *r, enum exact_place where, const uint8_t *p, uint32_t len)
{
	const struct exact *x = &r->exact[where];
	uint64_t h = exact_hash(p, len);
	uint32_t bit = (uint32_t)(h >> 32) & x->filter_mask;
	if (__builtin_expect((x->filter[bit / 64] >> (bit % 64) & 1) == 0, 1))
		return UINT32_MAX;
	for (uint32_t i = (uint32_t)h & x->mask;; i = (i + 1) & x->mask) {
		uint64_t s = x->slot[i];
		if (s == 0)
			return UINT32_MAX;
		if ((s ^ h) >> 32 == 0 && memcmp(r->value[(uint32_t)s - 1].p, p, len) == 0)
			return (uint32_t)s - 1;
	}
}

/* What conditions are asked about: the values that matched, each once. */
struct condition_input {
	const struct ruleset *r;
	const struct tx *t;
	const uint8_t *seen; /* of each value: 1 if it matched */
	const uint32_t *seen_list;
	uint32_t n_seen;
	uint32_t bundle_len;
	const struct rule_facts *facts; /* NULL: zeros */
};

/* group_has: is the value in the group? */
static inline bool
group_has(const struct ruleset *r, const struct rs_group *g, uint32_t value)
{
	const uint32_t *p = r->group_value + g->first_value;
	uint32_t low = 0, high = g->n_values;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		if (p[mid] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low < g->n_values && p[low] == value;
}

/* condition_holds: the program may have no operations, and then holds. in->t NULL: its numbers are those of the facts. */
bool condition_holds(const struct condition_input *in, const struct rs_rule *rule);

/* ruleset_make_events: lists of rules by event, and the model. False: out of memory. */
bool ruleset_make_events(struct ruleset *r);
void ruleset_free_events(struct ruleset *r);

#endif
