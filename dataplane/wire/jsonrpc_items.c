/* SPDX-License-Identifier: BSD-3-Clause */
/* Candidate transactions of the request object being read: their records, their bytes, their way to the sink.
 */
#include "wire/jsonrpc_private.h"

#include <string.h>

_Static_assert((int)JSONRPC_OK == JSON_HEX_OK && (int)JSONRPC_BAD_HEX == JSON_HEX_BAD &&
		       (int)JSONRPC_OVERSIZE == JSON_HEX_OVERSIZE &&
		       (int)JSONRPC_NO_BUFFER == JSON_HEX_NO_BUFFER,
	"states of strings and of items");

/* Trailing dead records are dropped with their bytes, dead neighbours become one record: however often keys
 * are repeated, dead records are never more than live ones plus one, and no bytes are moved. */
void
items_kill(struct jsonrpc *j, unsigned mark, unsigned roles, unsigned lo, unsigned hi)
{
	unsigned out = mark;
	if (mark == 0 && j->in_excess)
		for (unsigned role = ROLE_FIRST; role <= ROLE_MEV_HASH; role++)
			if (roles & ROLE_BIT(role))
				j->excess[role] = 0;
	for (unsigned i = mark; i < j->n_recs; i++) {
		struct jsonrpc_rec r = j->recs[i];
		if (r.state != REC_DEAD && (roles & ROLE_BIT(r.role)) && r.level >= lo && r.level <= hi) {
			r.state = REC_DEAD;
			if (list_of(r.role) < 2)
				j->listed[list_of(r.role)]--;
		}
		if (r.state == REC_DEAD && out > mark && j->recs[out - 1].state == REC_DEAD)
			j->recs[out - 1].len += r.len;
		else
			j->recs[out++] = r;
	}
	while (out > mark && j->recs[out - 1].state == REC_DEAD)
		j->h.used -= j->recs[--out].len;
	j->n_recs = (uint16_t)out;
}

void
items_excess(struct jsonrpc *j, enum role role)
{
	if (!j->in_excess)
		memset(j->excess, 0, sizeof j->excess);
	j->in_excess = true;
	if (j->excess[role] < UINT16_MAX)
		j->excess[role]++;
}

void
items_kill_hashes(struct jsonrpc *j, unsigned mark, unsigned level)
{
	for (unsigned i = mark; i < j->n_recs; i++) {
		struct jsonrpc_rec r = j->recs[i];
		if (r.role == ROLE_MEV_TX && r.level == level && r.state != REC_DEAD) {
			items_kill(j, mark, ROLE_BIT(ROLE_MEV_HASH), level, level);
			return;
		}
	}
}

void
items_lost(struct jsonrpc *j)
{
	if (!j->h.lost)
		return;
	j->h.lost = false;
	for (unsigned i = 0; i < j->n_recs; i++) {
		struct jsonrpc_rec *r = &j->recs[i];
		if (r->len > 0 && r->state == JSONRPC_OK)
			r->state = JSONRPC_NO_BUFFER;
		r->len = 0;
	}
}

const uint8_t *
items_begin(struct scan *s, const uint8_t *p, enum role role)
{
	struct jsonrpc *j = s->j;
	bool whole;
	uint32_t len;
	p = hold_begin(&j->h, s->a, p, s->end, &whole, &len);
	if (!whole)
		j->role = (uint8_t)role;
	else if (role != ROLE_BLOCK_TX)
		items_add(j, role, JSONRPC_OK, len);
	else
		rpc_block_tx(s, JSONRPC_OK, len);
	return p;
}

void
items_string_end(struct scan *s)
{
	struct jsonrpc *j = s->j;
	bool quantity = j->role == ROLE_NUMBER || j->role == ROLE_TIME || j->role == ROLE_BASE_FEE;
	uint32_t len = hold_string_end(&j->h, s->a, quantity);
	items_lost(j);
	if (j->role == ROLE_BLOCK_TX)
		rpc_block_tx(s, j->h.str_state, len);
	else
		items_add(j, j->role, j->h.str_state, len);
	j->role = ROLE_NONE;
}

/* Bytes are given up to the arena before the first item is shown: the sink may reset it. */
static const uint8_t *
settle(struct scan *s)
{
	const uint8_t *at = hold_buffer(&s->j->h, s->a);
	if (s->j->h.slab == NULL)
		s->a->scratch_used += s->j->h.used;
	return at;
}

static unsigned
item_state(const struct jsonrpc_rec *r, bool bundle)
{
	if (r->role == ROLE_MEV_HASH)
		return JSONRPC_HASH_ONLY;
	if (bundle && r->role == ROLE_TXS && r->state == JSONRPC_OK && r->len == 32)
		return JSONRPC_HASH_ONLY;
	return r->state;
}

/* Items that are no string in params[0] have no record: what params[0] is says it all. */
static bool
first_is_item(const struct jsonrpc *j, const struct rpc_method *m)
{
	return m->kind == JSONRPC_UNSIGNED
		       ? j->first_param == FIRST_OBJECT
		       : m->roles == ROLE_BIT(ROLE_FIRST) && j->first_param > FIRST_STRING;
}

static void
report_first(struct scan *s, const struct rpc_method *m, bool cut)
{
	struct jsonrpc_item it = {.kind = m->kind, .in_scratch = true, .id = s->j->id};
	if (!first_is_item(s->j, m))
		return;
	it.state = cut				 ? JSONRPC_CUT
		   : m->kind == JSONRPC_UNSIGNED ? JSONRPC_UNSIGNED_OBJECT
						 : JSONRPC_BAD_HEX;
	s->sink(s->ctx, &it);
}

static uint32_t
count(const struct jsonrpc *j, const struct rpc_method *m)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < j->n_recs; i++)
		n += (m->roles & ROLE_BIT(j->recs[i].role)) && j->recs[i].state != REC_DEAD;
	for (unsigned role = ROLE_FIRST; role <= ROLE_MEV_HASH && j->in_excess; role++)
		if (m->roles & ROLE_BIT(role))
			n += j->excess[role];
	return n;
}

void
rpc_request_report(struct scan *s, bool cut)
{
	const struct jsonrpc *j = s->j;
	if (s->a->watch->request == NULL)
		return;
	struct jsonrpc_request r = {
		.id = j->id, .kind = j->kind, .subscription = j->subscription, .batch = j->batch, .cut = cut};
	if (j->method != 0) {
		const struct rpc_method *m = rpc_method(j->method);
		r.method = m->name;
		if (j->kind == JSONRPC_SUBSCRIBE && j->subscription == JSONRPC_SUB_NONE)
			r.subscription = JSONRPC_SUB_OTHER;
		if (j->kind <= JSONRPC_UNSIGNED)
			r.n_items = (uint16_t)(count(j, m) + first_is_item(j, m));
	}
	s->a->watch->request(s->ctx, &r);
}

void
items_report(struct scan *s, bool cut)
{
	struct jsonrpc *j = s->j;
	if (j->kind == JSONRPC_OTHER || j->kind > JSONRPC_UNSIGNED)
		return;
	const struct rpc_method *m = rpc_method(j->method);
	bool bundle = m->kind == JSONRPC_BUNDLE;
	struct jsonrpc_item it = {.kind = m->kind, .in_scratch = j->h.slab == NULL, .id = j->id};
	const uint8_t *at = settle(s);
	uint32_t n = bundle ? count(j, m) : 0, pos = 0;
	it.bundle_len = n;
	for (unsigned i = 0; i < j->n_recs; i++) {
		const struct jsonrpc_rec *r = &j->recs[i];
		const uint8_t *bytes = at;
		at += r->len;
		if (!(m->roles & ROLE_BIT(r->role)) || r->state == REC_DEAD)
			continue;
		it.state = cut ? JSONRPC_CUT : item_state(r, bundle);
		bool hash = it.state == JSONRPC_HASH_ONLY && r->state == JSONRPC_OK && r->len == 32;
		it.raw = it.state == JSONRPC_OK || hash ? (struct span){bytes, r->len} : (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		it.index = (uint16_t)pos++;
		s->sink(s->ctx, &it);
	}
	for (; pos < n; pos++) { /* in excess */
		it.state = cut ? JSONRPC_CUT : JSONRPC_OVERSIZE;
		it.raw = (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		it.index = (uint16_t)pos;
		s->sink(s->ctx, &it);
	}
	report_first(s, m, cut);
}
