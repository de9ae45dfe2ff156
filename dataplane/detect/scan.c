/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/ruleset.h"

#include "eth/rlp.h"

#include <errno.h>
#include <stdlib.h>

/* All zero between transactions but for scratch: what a transaction touches is on the lists, and undone from
 * them. */
struct detect {
	const struct ruleset *r;
	hs_scratch_t *scratch;
	struct span data; /* being scanned */
	uint32_t db;
	uint32_t over;
	uint8_t *seen;	/* of values */
	uint8_t *hit;	/* of groups that wake rules */
	uint8_t *woken; /* of rules */
	uint8_t *found; /* of rules, where a transaction has calls inside: each is found once */
	uint32_t *seen_list, *hit_list, *woken_list, *found_list;
	uint32_t n_seen, n_hit, n_woken, n_found;
	const struct rule_facts *facts; /* of the transactions to come; NULL: zeros */
	uint64_t matches;		/* detect_scan_only */
	struct calls calls;		/* of the last transaction */
};

struct detect *
detect_new(const struct ruleset *r)
{
	struct detect *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->r = r;
	d->seen = calloc(r->n_values + 1, sizeof *d->seen);
	d->seen_list = calloc(r->n_values + 1, sizeof *d->seen_list);
	d->hit = calloc(r->n_groups + 1, sizeof *d->hit);
	d->hit_list = calloc(r->n_groups + 1, sizeof *d->hit_list);
	d->woken = calloc(r->n_rules + 1, sizeof *d->woken);
	d->woken_list = calloc(r->n_rules + 1, sizeof *d->woken_list);
	d->found = calloc(r->n_rules + 1, sizeof *d->found);
	d->found_list = calloc(r->n_rules + 1, sizeof *d->found_list);
	bool ok = d->seen && d->seen_list && d->hit && d->hit_list && d->woken && d->woken_list && d->found &&
		  d->found_list;
	for (int i = 0; i < DB_COUNT && ok; i++)
		ok = r->db[i] == NULL || hs_alloc_scratch(r->db[i], &d->scratch) == HS_SUCCESS;
	if (!ok) {
		detect_free(d);
		errno = ENOMEM;
		return NULL;
	}
	return d;
}

void
detect_free(struct detect *d)
{
	if (d == NULL)
		return;
	hs_free_scratch(d->scratch);
	free(d->seen);
	free(d->seen_list);
	free(d->hit);
	free(d->hit_list);
	free(d->woken);
	free(d->woken_list);
	free(d->found);
	free(d->found_list);
	free(d);
}

static inline void
wake(struct detect *d, uint32_t group)
{
	const struct rs_group *g = &d->r->group[group];
	if (d->hit[group])
		return;
	d->hit[group] = 1;
	d->hit_list[d->n_hit++] = group;
	for (const uint32_t *u = d->r->group_rule + g->first_rule, *end = u + g->n_rules; u < end; u++) {
		if (d->woken[*u])
			continue;
		d->woken[*u] = 1;
		d->woken_list[d->n_woken++] = *u;
	}
}

static void
see(struct detect *d, uint32_t value)
{
	const struct rs_value *v = &d->r->value[value];
	if (d->seen[value])
		return;
	d->seen[value] = 1;
	d->seen_list[d->n_seen++] = value;
	for (const uint32_t *g = d->r->value_group + v->first_group, *end = g + v->n_groups; g < end; g++)
		wake(d, *g);
}

static inline void
look_up(struct detect *d, enum exact_place where, const uint8_t *p, uint32_t len)
{
	uint32_t v = exact_find(d->r, where, p, len);
	if (v != UINT32_MAX)
		see(d, v);
}

/* A window was found: which of its literals stand around it, wholly in the field? */
static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct detect *d = ctx;
	const struct ruleset *r = d->r;
	if (id >= r->n_windows || r->window[id].db != d->db || to > d->data.len)
		return 0;
	const struct rs_literal *l = r->literal + r->window[id].first_literal;
	for (const struct rs_literal *end = l + r->window[id].n_literals; l < end; l++) {
		if (to < l->window_end)
			continue;
		uint32_t at = (uint32_t)to - l->window_end;
		if (l->len > d->data.len - at || memcmp(d->data.p + at, l->p, l->len) != 0)
			continue;
		for (uint32_t i = 0; i < l->n_values; i++)
			see(d, r->literal_value[l->first_value + i]);
	}
	return 0;
}

static void
look_at_words(struct detect *d)
{
	bool short_ones = d->r->exact[EXACT_ARG20].slot != NULL,
	     long_ones = d->r->exact[EXACT_ARG32].slot != NULL;
	for (uint32_t at = 4; d->data.len >= 32 && at <= d->data.len - 32; at += 32) {
		if (short_ones)
			look_up(d, EXACT_ARG20, d->data.p + at + 12, 20);
		if (long_ones)
			look_up(d, EXACT_ARG32, d->data.p + at, 32);
	}
}

/* The recipient of a call inside, where it is not told: nothing is looked up, and it is no creation. */
static const uint8_t untold[20];

static void
look_at_call(struct detect *d, const struct tx *t)
{
	const struct exact *x = d->r->exact;
	if (x[EXACT_TO].slot != NULL && t->to.p != untold)
		look_up(d, EXACT_TO, t->to.p, 20);
	if (x[EXACT_SELECTOR].slot != NULL && t->data.len >= 4)
		look_up(d, EXACT_SELECTOR, t->data.p, 4);
	if (x[EXACT_ARG20].slot != NULL || x[EXACT_ARG32].slot != NULL)
		look_at_words(d);
}

/* tx_decode has checked the lists; an entry that does not read ends the walk all the same. */
static void
look_at_lists(struct detect *d, const struct tx *t)
{
	struct span list = t->access_list;
	struct rlp_item entry, item;
	while (d->r->exact[EXACT_ACCESS].slot != NULL && list.len > 0) {
		if (!rlp_next(&list, &entry) || !rlp_next(&entry.payload, &item) || item.payload.len != 20)
			break;
		look_up(d, EXACT_ACCESS, item.payload.p, 20);
	}
	list = t->auth_list;
	while (d->r->exact[EXACT_AUTH].slot != NULL && list.len > 0) {
		if (!rlp_next(&list, &entry) || !rlp_next(&entry.payload, &item) ||
			!rlp_next(&entry.payload, &item) || item.payload.len != 20)
			break;
		look_up(d, EXACT_AUTH, item.payload.p, 20);
	}
}

static void
add_protocols(const struct detect *d, uint32_t group, struct finding *f)
{
	for (uint32_t i = 0; i < d->n_seen && f->n_protocols < ALERT_PROTOCOLS_MAX; i++) {
		bool again = false;
		if (!group_has(d->r, &d->r->group[group], d->seen_list[i]))
			continue;
		const uint8_t *address = d->r->value[d->seen_list[i]].p;
		for (uint32_t k = 0; k < f->n_protocols; k++)
			again |= memcmp(f->protocols[k], address, 20) == 0;
		if (!again)
			memcpy(f->protocols[f->n_protocols++], address, 20);
	}
}

static void
make_finding(const struct detect *d, const struct rs_rule *u, struct finding *f)
{
	f->rule_index = u->index;
	f->call = 0;
	f->n_protocols = 0;
	for (uint32_t k = u->first_slot; k < u->first_slot + u->n_slots; k++)
		if (d->r->slot_protocol[k])
			add_protocols(d, d->r->slot_group[k], f);
}

/* Keeps the most important, in that order. */
static void
keep(struct detect *d, const struct rs_rule *top[DETECT_FINDINGS_MAX], int *n, const struct rs_rule *u)
{
	int i = *n;
	if (i == DETECT_FINDINGS_MAX) {
		d->over++;
		if (top[i - 1]->rank < u->rank)
			return;
		i--;
	} else {
		++*n;
	}
	for (; i > 0 && top[i - 1]->rank > u->rank; i--)
		top[i] = top[i - 1];
	top[i] = u;
}

/* Does it hold, and has it not been found in a call before this one? */
static bool
holds(struct detect *d, const struct condition_input *in, uint32_t rule)
{
	if (d->calls.n == 1)
		return condition_holds(in, &d->r->rule[rule]);
	if (d->found[rule] || !condition_holds(in, &d->r->rule[rule]))
		return false;
	d->found[rule] = 1;
	d->found_list[d->n_found++] = rule;
	return true;
}

/* Puts a rule found in a call inside between those that are there. */
static void
insert(struct detect *d, struct finding out[DETECT_FINDINGS_MAX], int *n, const struct rs_rule *u,
	uint32_t call)
{
	const struct rs_rule *rule = d->r->rule;
	int i = *n;
	if (i == DETECT_FINDINGS_MAX) {
		d->over++;
		if (rule[out[i - 1].rule_index].rank < u->rank)
			return;
		i--;
	} else {
		++*n;
	}
	for (; i > 0 && rule[out[i - 1].rule_index].rank > u->rank; i--)
		out[i] = out[i - 1];
	make_finding(d, u, &out[i]);
	out[i].call = (uint8_t)call;
}

/* n: findings of the calls before. Returns how many there are then. */
static int
judge(struct detect *d, const struct condition_input *in, uint32_t call,
	struct finding out[DETECT_FINDINGS_MAX], int n)
{
	const struct rs_rule *top[DETECT_FINDINGS_MAX];
	int n_top = 0;
	for (uint32_t i = 0; i < d->n_woken; i++)
		if (holds(d, in, d->woken_list[i]))
			keep(d, top, &n_top, &d->r->rule[d->woken_list[i]]);
	for (uint32_t i = 0; i < d->r->n_always; i++)
		if (holds(d, in, d->r->always[i]))
			keep(d, top, &n_top, &d->r->rule[d->r->always[i]]);
	for (int i = 0; i < n_top && call > 0; i++)
		insert(d, out, &n, top[i], call);
	if (call > 0)
		return n;
	for (int i = 0; i < n_top; i++)
		make_finding(d, top[i], &out[i]);
	return n_top;
}

static void
forget(struct detect *d)
{
	for (uint32_t i = 0; i < d->n_seen; i++)
		d->seen[d->seen_list[i]] = 0;
	for (uint32_t i = 0; i < d->n_hit; i++)
		d->hit[d->hit_list[i]] = 0;
	for (uint32_t i = 0; i < d->n_woken; i++)
		d->woken[d->woken_list[i]] = 0;
	d->n_seen = d->n_hit = d->n_woken = 0;
}

/* Nothing is as short as what Hyperscan would be called for. */
static inline bool
worth_a_scan(const struct detect *d)
{
	return d->r->db[d->db] != NULL && d->data.len >= LITERAL_LEN_MIN;
}

/* One call as if it were a transaction; call 0 is it. Returns as judge, or -EIO. */
static inline __attribute__((always_inline)) int
match(struct detect *d, const struct tx *t, uint32_t call, const struct rule_facts *facts,
	uint32_t bundle_len, struct finding out[DETECT_FINDINGS_MAX], int n)
{
	d->data = t->data;
	d->db = t->to.len == 20 ? DB_OF_CALLS : DB_OF_CREATIONS;
	if (t->to.len == 20)
		look_at_call(d, t);
	if ((t->access_list.len | t->auth_list.len) > 0)
		look_at_lists(d, t);
	if (worth_a_scan(d) && hs_scan(d->r->db[d->db], (const char *)d->data.p, d->data.len, 0, d->scratch,
				       on_match, d) != HS_SUCCESS)
		n = -EIO;
	if (n >= 0 && (d->n_woken > 0 || d->r->n_always > 0)) {
		const struct condition_input in = {
			d->r, t, d->seen, d->seen_list, d->n_seen, bundle_len, facts};
		n = judge(d, &in, call, out, n);
	}
	if (d->n_seen > 0)
		forget(d);
	return n;
}

/* What is matched in one call is forgotten before the next, so that no rule holds of several together. */
static __attribute__((noinline)) int
match_inside(struct detect *d, const struct tx *t, uint32_t bundle_len,
	struct finding out[DETECT_FINDINGS_MAX], int n)
{
	struct tx inner = *t;
	struct rule_facts facts = {{0}, NULL};
	if (d->facts != NULL)
		facts = *d->facts;
	for (uint32_t i = 1; i < d->calls.n && n >= 0; i++) {
		const struct call *c = &d->calls.call[i];
		inner.to = c->to.len == 20 || call_creates(c) ? c->to : (struct span){untold, 20};
		inner.data = c->data;
		inner.value = c->value;
		facts.number[SCALAR_CALL_DEPTH] = c->depth;
		n = match(d, &inner, i, &facts, bundle_len, out, n);
	}
	for (uint32_t i = 0; i < d->n_found; i++)
		d->found[d->found_list[i]] = 0;
	d->n_found = 0;
	return n;
}

int
detect_tx(struct detect *d, const struct tx *t, uint32_t bundle_len, struct finding out[DETECT_FINDINGS_MAX])
{
	d->over = 0;
	calls_of(t, &d->calls);
	int n = match(d, t, 0, d->facts, bundle_len, out, 0);
	return d->calls.n > 1 ? match_inside(d, t, bundle_len, out, n) : n;
}

const struct calls *
detect_calls(const struct detect *d)
{
	return &d->calls;
}

void
detect_facts(struct detect *d, const struct rule_facts *f)
{
	d->facts = f;
}

uint32_t
detect_over(const struct detect *d)
{
	return d->over;
}

static int
on_match_only(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	((struct detect *)ctx)->matches++;
	return 0;
}

int
detect_scan_only(struct detect *d, const struct tx *t)
{
	d->data = t->data;
	d->db = t->to.len == 20 ? DB_OF_CALLS : DB_OF_CREATIONS;
	return worth_a_scan(d) && hs_scan(d->r->db[d->db], (const char *)d->data.p, d->data.len, 0,
					  d->scratch, on_match_only, d) != HS_SUCCESS
		       ? -EIO
		       : 0;
}
