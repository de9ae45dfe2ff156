/* SPDX-License-Identifier: BSD-3-Clause */
/* Candidate transactions of the request object being read: their records, their bytes, their way to the sink.
 */
#include "wire/jsonrpc_private.h"

#include <string.h>

_Static_assert((int)JSONRPC_OK == JSON_HEX_OK && (int)JSONRPC_BAD_HEX == JSON_HEX_BAD &&
		       (int)JSONRPC_OVERSIZE == JSON_HEX_OVERSIZE &&
		       (int)JSONRPC_NO_BUFFER == JSON_HEX_NO_BUFFER,
	"states of strings and of items");

/* The roles in lists, which alone may be in excess. */
static const uint8_t list_roles[JSONRPC_LIST_ROLES] = {ROLE_TXS, ROLE_MEV_TX, ROLE_MEV_HASH, ROLE_VERSIONED};

static bool
same_path(const struct jsonrpc *j, unsigned path, unsigned bits)
{
	return ((path ^ j->where) & bits) == 0;
}

static void
excess_clear(struct jsonrpc *j, unsigned roles, unsigned bits)
{
	for (unsigned path = 0; path < JSONRPC_PATHS; path++)
		for (unsigned i = 0; i < JSONRPC_LIST_ROLES; i++)
			if ((roles & ROLE_BIT(list_roles[i])) && same_path(j, path, bits))
				j->excess[path][i] = 0;
}

uint32_t
items_excess_of(const struct jsonrpc *j, unsigned roles)
{
	uint32_t n = 0;
	for (unsigned path = 0; path < JSONRPC_PATHS; path++)
		for (unsigned i = 0; i < JSONRPC_LIST_ROLES; i++)
			if (roles & ROLE_BIT(list_roles[i]))
				n += j->excess[path][i];
	return n;
}

static void
excess_add(struct jsonrpc *j, unsigned path, unsigned role)
{
	if (!j->in_excess)
		memset(j->excess, 0, sizeof j->excess);
	j->in_excess = true;
	for (unsigned i = 0; i < JSONRPC_LIST_ROLES; i++)
		if (list_roles[i] == role && j->excess[path][i] < UINT16_MAX)
			j->excess[path][i]++;
}

static void
kill(struct jsonrpc *j, struct jsonrpc_rec *r)
{
	r->state = REC_DEAD;
	if (list_of(r->role) < 2)
		j->listed[list_of(r->role)]--;
}

/* keep moves record i down to `out`, where dead neighbours from `mark` on become one, and returns where the
 * next one goes. */
static unsigned
keep(struct jsonrpc *j, unsigned mark, unsigned out, unsigned i)
{
	if (j->recs[i].state == REC_DEAD && out > mark && j->recs[out - 1].state == REC_DEAD) {
		j->recs[out - 1].len += j->recs[i].len;
		return out;
	}
	j->recs[out] = j->recs[i];
	j->path[out] = j->path[i];
	return out + 1;
}

/* Trailing dead records are dropped with their bytes, dead neighbours become one record: however often keys
 * are repeated, dead records are never more than live ones plus one, and no bytes are moved. */
void
items_kill(struct jsonrpc *j, unsigned mark, unsigned roles, unsigned lo, unsigned hi, unsigned path)
{
	unsigned out = mark;
	if (mark == 0 && j->in_excess)
		excess_clear(j, roles, path);
	for (unsigned i = mark; i < j->n_recs; i++) {
		struct jsonrpc_rec *r = &j->recs[i];
		if (r->state != REC_DEAD && (roles & ROLE_BIT(r->role)) && r->level >= lo && r->level <= hi &&
			same_path(j, j->path[i], path))
			kill(j, r);
		out = keep(j, mark, out, i);
	}
	while (out > mark && j->recs[out - 1].state == REC_DEAD)
		j->h.used -= j->recs[--out].len;
	j->n_recs = (uint16_t)out;
}

void
items_excess(struct jsonrpc *j, enum role role)
{
	excess_add(j, j->where, role);
}

/* The list that is read last has all the places if it needs them, as if it had overridden those before it;
 * but they are counted. */
bool
items_list_full(struct jsonrpc *j, unsigned list)
{
	unsigned out = 0, mark = j->list_mark;
	if (j->earlier[list] == 0)
		return true;
	j->earlier[list] = 0;
	for (unsigned i = 0; i < mark; i++) {
		struct jsonrpc_rec *r = &j->recs[i];
		if (r->state != REC_DEAD && list_of(r->role) == list) {
			excess_add(j, j->path[i], r->role);
			kill(j, r);
		}
		out = keep(j, 0, out, i);
	}
	for (unsigned i = mark, to = out; i < j->n_recs; i++, to++) {
		j->recs[to] = j->recs[i];
		j->path[to] = j->path[i];
	}
	j->n_recs -= (uint16_t)(mark - out);
	j->list_mark = (uint16_t)out;
	for (unsigned i = 0; i < JSONRPC_NEST_MAX; i++) {
		j->obj_mark[i] -= (uint16_t)(mark - out);
		j->elem_mark[i] -= (uint16_t)(mark - out);
	}
	return j->listed[list] == JSONRPC_ITEMS_MAX || j->n_recs >= JSONRPC_LISTED;
}

void
items_kill_hashes(struct jsonrpc *j, unsigned mark, unsigned level)
{
	for (unsigned i = mark; i < j->n_recs; i++) {
		struct jsonrpc_rec r = j->recs[i];
		if (r.role == ROLE_MEV_TX && r.level == level && r.state != REC_DEAD) {
			items_kill(j, mark, ROLE_BIT(ROLE_MEV_HASH), level, level, 0);
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

static uint32_t
odd_max(unsigned role)
{
	if (role == ROLE_FIRST)
		return JSONRPC_RAW_MAX;
	return role == ROLE_NUMBER || role == ROLE_TIME || role == ROLE_BASE_FEE ? JSON_QUANTITY_MAX : 0;
}

void
items_string_end(struct scan *s)
{
	struct jsonrpc *j = s->j;
	uint32_t len = hold_string_end(&j->h, s->a, odd_max(j->role));
	items_lost(j);
	if (j->role == ROLE_BLOCK_TX)
		rpc_block_tx(s, j->h.str_state, len);
	else
		items_add(j, j->role, j->h.str_state, len);
	j->role = ROLE_NONE;
}

void
items_byte(struct scan *s)
{
	struct jsonrpc *j = s->j;
	struct json_hold *h = &j->h;
	if (h->str_state == JSON_HEX_OK && j->byte > 255)
		hold_spoil(h, JSON_HEX_BAD);
	if (h->str_state == JSON_HEX_OK && (hold_room(h, s->a) > 0 || hold_make_room(h, s->a, 2)))
		hold_buffer(h, s->a)[h->used++] = (uint8_t)j->byte;
	items_lost(j);
	j->byte = 0;
}

void
items_add_bytes(struct scan *s, unsigned state)
{
	struct jsonrpc *j = s->j;
	if (state != JSONRPC_OK)
		hold_spoil(&j->h, state);
	items_add(j, j->bytes_role, j->h.str_state, j->h.used - j->h.str_start);
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

static inline unsigned
item_state(const struct jsonrpc_rec *r, bool object)
{
	if (r->role == ROLE_TXS && r->state == JSONRPC_OK && r->len == 32)
		return JSONRPC_HASH_ONLY;
	return object ? JSONRPC_UNSIGNED_OBJECT : r->state;
}

static uint32_t
count(const struct jsonrpc *j, const struct rpc_method *m)
{
	uint32_t n = j->in_excess ? items_excess_of(j, m->roles) : 0;
	for (unsigned i = 0; i < j->n_recs; i++)
		n += (m->roles & ROLE_BIT(j->recs[i].role)) && j->recs[i].state != REC_DEAD;
	return n;
}

static inline const struct rpc_method *
carrier(uint8_t method, unsigned kind)
{
	return kind != JSONRPC_OTHER && kind <= JSONRPC_UNSIGNED ? rpc_method(method) : NULL;
}

/* Two keys may name two methods. m: the first. */
static __attribute__((noinline)) const struct rpc_method *
other_carrier(const struct jsonrpc *j, const struct rpc_method *m)
{
	const struct rpc_method *other = carrier(j->other_method, rpc_method(j->other_method)->kind);
	return other != NULL && m != NULL && other->kind == m->kind && other->roles == m->roles ? NULL
												: other;
}

static inline void
request_method(const struct jsonrpc *j, struct jsonrpc_request *r)
{
	const struct rpc_method *m = carrier(j->method, j->kind);
	if (j->method != 0) {
		r->method = rpc_method(j->method)->name;
		if (j->kind == JSONRPC_SUBSCRIBE && j->subscription == JSONRPC_SUB_NONE)
			r->subscription = JSONRPC_SUB_OTHER;
		if (m != NULL)
			r->n_items = (uint16_t)count(j, m);
	}
	const struct rpc_method *other = j->other_method ? other_carrier(j, m) : NULL;
	if (other != NULL) {
		r->n_items += (uint16_t)count(j, other);
		if (m == NULL) {
			r->method = other->name;
			r->kind = other->kind;
			r->subscription = JSONRPC_SUB_NONE;
		}
	}
}

void
rpc_request_report(struct scan *s, bool cut)
{
	const struct jsonrpc *j = s->j;
	if (s->a->watch->request == NULL)
		return;
	struct jsonrpc_request r = {
		.id = j->id, .kind = j->kind, .subscription = j->subscription, .batch = j->batch, .cut = cut};
	if (j->method != 0 || j->other_method != 0)
		request_method(j, &r);
	s->a->watch->request(s->ctx, &r);
}

static inline uint32_t
report(struct scan *s, const struct rpc_method *m, const uint8_t *at, uint32_t index, bool cut)
{
	const struct jsonrpc *j = s->j;
	bool bundle = m->kind == JSONRPC_BUNDLE, object = m->kind == JSONRPC_UNSIGNED;
	struct jsonrpc_item it = {.kind = m->kind, .in_scratch = j->h.slab == NULL, .id = j->id};
	uint32_t n = bundle ? count(j, m) : 0, pos = 0;
	it.bundle_len = n;
	for (unsigned i = 0; i < j->n_recs; i++) {
		const struct jsonrpc_rec *r = &j->recs[i];
		const uint8_t *bytes = at;
		at += r->len;
		if (!(m->roles & ROLE_BIT(r->role)) || r->state == REC_DEAD)
			continue;
		it.state = cut ? JSONRPC_CUT : item_state(r, object);
		bool hash = it.state == JSONRPC_HASH_ONLY && r->state == JSONRPC_OK && r->len == 32;
		it.raw = it.state == JSONRPC_OK || hash ? (struct span){bytes, r->len} : (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		it.index = (uint16_t)(index + pos++);
		s->sink(s->ctx, &it);
	}
	for (; pos < n; pos++) { /* in excess */
		it.state = cut ? JSONRPC_CUT : JSONRPC_OVERSIZE;
		it.raw = (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		it.index = (uint16_t)(index + pos);
		s->sink(s->ctx, &it);
	}
	return index + pos;
}

void
items_report(struct scan *s, bool cut)
{
	const struct rpc_method *m = carrier(s->j->method, s->j->kind),
				*other = s->j->other_method ? other_carrier(s->j, m) : NULL;
	if (m == NULL && other == NULL)
		return;
	const uint8_t *at = settle(s);
	if (m == NULL) {
		m = other;
		other = NULL;
	}
	for (uint32_t index = 0; m != NULL; m = other, other = NULL)
		index = report(s, m, at, index, cut);
}
