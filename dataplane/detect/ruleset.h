/* SPDX-License-Identifier: BSD-3-Clause */
/* ruleset: a bundle turned into what the matcher walks: inverted tables and lookups. Private to detect. */
#ifndef DETECT_RULESET_H
#define DETECT_RULESET_H

#include "detect/detect.h"
#include "rules/bundle.h"

#include <hs/hs_runtime.h>

/* Values that lie at exact places are looked up, not searched for: which place. */
enum exact_place { EXACT_TO, EXACT_SELECTOR, EXACT_ARG20, EXACT_ARG32, EXACT_ACCESS, EXACT_AUTH, EXACT_COUNT };

struct exact { /* open addressing, at most half full; a value's index + 1, or 0 */
	uint32_t *slot;
	uint32_t mask; /* slots - 1; slot NULL: no value of this place */
};

struct rs_value {
	const uint8_t *p;
	uint32_t len;
	uint32_t first_group, n_groups; /* value_group: the groups it is in */
};

struct rs_group {
	uint32_t first_rule, n_rules; /* group_rule: the rules that a match in it wakes */
};

struct rs_window {
	uint32_t first_literal, n_literals, db;
};

struct rs_literal {
	const uint8_t *p;
	uint32_t len, window_end; /* from the literal's first byte to where Hyperscan reports */
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
	uint32_t *group_rule;
	struct rs_window *window;
	struct rs_literal *literal;
	uint32_t *literal_value;
	struct rs_rule *rule;
	uint32_t *slot_group;
	uint8_t *slot_protocol;
	struct bundle_op *op;
	struct bundle_const *constant;
	uint32_t *always; /* rules that can hold without a match */
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
	for (uint32_t i = (uint32_t)exact_hash(p, len) & x->mask;; i = (i + 1) & x->mask) {
		uint32_t v = x->slot[i];
		if (v == 0)
			return UINT32_MAX;
		if (memcmp(r->value[v - 1].p, p, len) == 0)
			return v - 1;
	}
}

/* What conditions are asked about. hits: distinct values of each group that matched. */
struct condition_input {
	const struct ruleset *r;
	const struct tx *t;
	const uint16_t *hits;
	uint32_t bundle_len;
};
bool condition_holds(const struct condition_input *in, const struct rs_rule *rule);

#endif
