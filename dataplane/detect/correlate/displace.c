/* SPDX-License-Identifier: BSD-3-Clause */
/* Displacement: somebody else's whole input inside dearer calldata that comes later. Of each input the hash
 * of one 64-byte window, the one that says the most, is kept; the windows of calldata that comes are looked
 * up as they roll by, and what they find is compared by a keyed hash of all of it. */
#include "detect/correlate/sandwich_private.h"

static uint32_t
filter_at(const struct sandwich *s, uint64_t fp)
{
	return (uint32_t)(fp * 0x9e3779b97f4a7c15u >> 32) >> s->filter_shift;
}

static uint64_t
window_hash(const struct sandwich *s, const uint8_t *p)
{
	uint64_t h = 0;
	for (unsigned i = 0; i < FP_WINDOW; i++)
		h = h * s->fp_base + p[i] + 1;
	return h;
}

/* Calls that many make to many contracts with equal arguments. */
static bool
is_everyones(const uint8_t selector[4])
{
	static const uint8_t plain[][4] = {
		/* transfer, approve, transferFrom, setApprovalForAll, increaseAllowance, safeTransferFrom */
		{0xa9, 0x05, 0x9c, 0xbb}, {0x09, 0x5e, 0xa7, 0xb3}, {0x23, 0xb8, 0x72, 0xdd},
		{0xa2, 0x2c, 0xb4, 0x65}, {0x39, 0x50, 0x93, 0x51}, {0x42, 0x84, 0x2e, 0x0e}};
	for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (memcmp(plain[i], selector, 4) == 0)
			return true;
	return false;
}

/* Where the window with the most bytes that are not zero begins; 0: none says enough. */
static uint32_t
best_window(struct span d)
{
	uint32_t best = 0, most = 15, n = d.len < SANDWICH_KEEP_MAX ? d.len : SANDWICH_KEEP_MAX;
	for (uint32_t at = 4; at + FP_WINDOW <= n; at += 32) {
		uint32_t full = 0;
		for (uint32_t i = 0; i < FP_WINDOW; i++)
			full += d.p[at + i] != 0;
		if (full > most) {
			most = full;
			best = at;
		}
	}
	return best;
}

static void
input_in(struct sandwich *s, struct entry *e, struct span d)
{
	if (d.len < SANDWICH_INPUT_MIN || d.len > SANDWICH_SCAN_MAX || !(e->flags & ENTRY_TO) ||
		(e->flags & (ENTRY_INPUT | ENTRY_SETTLED)) || is_everyones(d.p))
		return;
	uint32_t at = best_window(d);
	if (at == 0)
		return;
	e->fp = window_hash(s, d.p + at);
	e->fp_at = at;
	e->input_len = d.len;
	e->input_hash = sandwich_hash(s, d.p, d.len, 6);
	e->flags |= ENTRY_INPUT;
	uint32_t *head = &s->by_fp[e->fp >> 32 & s->fp_mask], me = sandwich_slot(s, e);
	e->fp_next = *head;
	e->fp_prev = NIL;
	if (*head != NIL)
		s->txs[*head].fp_prev = me;
	*head = me;
	s->n_inputs++;
	uint8_t *n = &s->fp_filter[filter_at(s, e->fp)];
	if (*n != UINT8_MAX)
		++*n;
}

void
sandwich_input_drop(struct sandwich *s, struct entry *e)
{
	if (e->fp_prev != NIL)
		s->txs[e->fp_prev].fp_next = e->fp_next;
	else
		s->by_fp[e->fp >> 32 & s->fp_mask] = e->fp_next;
	if (e->fp_next != NIL)
		s->txs[e->fp_next].fp_prev = e->fp_prev;
	e->flags &= ~(uint32_t)ENTRY_INPUT;
	s->n_inputs--;
	uint8_t *n = &s->fp_filter[filter_at(s, e->fp)];
	if (*n != UINT8_MAX)
		--*n;
}

/* v's input stands in d with its window at `at`, and e may be who took it. */
static bool
displaces(struct sandwich *s, struct entry *e, struct span d, struct entry *v, uint32_t at)
{
	if (v == e || at < v->fp_at || v->input_len >= d.len || at - v->fp_at > d.len - v->input_len ||
		sandwich_to_same(e, v) || sandwich_same_from(e, v) || sandwich_fees(s, e, v) != FEE_ABOVE ||
		sandwich_apart(e->t_ns, v->t_ns) > s->window_ns)
		return false;
	if (sandwich_hash(s, d.p + (at - v->fp_at), v->input_len, 6) != v->input_hash)
		return false;
	return sandwich_ask(s, e) && sandwich_ask(s, v) && !sandwich_same_from(e, v);
}

static void
tell(struct sandwich *s, struct entry *e, struct entry *v)
{
	bool contract = e->flags & ENTRY_TO;
	struct told t = {.kind = SANDWICH_DISPLACEMENT,
		.contract = contract,
		.attacker_known = true,
		.attacker = contract ? e->to : e->from,
		.key = v->to,
		.reasons = REASON(FEE_ORDER),
		.front = e,
		.victims = {v},
		.n_listed = 1,
		.n_victims = 1};
	sandwich_tell(s, &t, e->t_ns);
}

static void
look(struct sandwich *s, struct entry *e, struct span d)
{
	uint32_t n = d.len < SANDWICH_SCAN_MAX ? d.len : SANDWICH_SCAN_MAX;
	if (n <= SANDWICH_INPUT_MIN || s->n_inputs == 0)
		return;
	uint64_t h = window_hash(s, d.p);
	unsigned tries = 0;
	for (uint32_t at = 0;; at++) {
		if (s->fp_filter[filter_at(s, h)] != 0) {
			uint32_t i = s->by_fp[h >> 32 & s->fp_mask];
			for (unsigned k = 0; i != NIL && k < FP_WALK_MAX; i = s->txs[i].fp_next, k++) {
				if (s->txs[i].fp != h)
					continue;
				if (displaces(s, e, d, &s->txs[i], at)) {
					tell(s, e, &s->txs[i]);
					return;
				}
				if (++tries > 64)
					return;
			}
		}
		if (at + FP_WINDOW >= n)
			return;
		h = h * s->fp_base + d.p[at + FP_WINDOW] + 1 - s->fp_out * (d.p[at] + 1);
	}
}

void
sandwich_displace(struct sandwich *s, struct entry *e, struct span data)
{
	if (e->flags & ENTRY_SETTLED)
		return;
	look(s, e, data);
	input_in(s, e, data);
}
