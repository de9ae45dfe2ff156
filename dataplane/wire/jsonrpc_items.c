/* SPDX-License-Identifier: BSD-3-Clause */
/* Candidate transactions of the request object being read: their records, their bytes, their way to the sink.
 */
#include "wire/hex.h"
#include "wire/jsonrpc_private.h"

#include <string.h>

/* Trailing dead records are dropped with their bytes, dead neighbours become one record: however often keys
 * are repeated, dead records are never more than live ones plus one, and no bytes are moved. */
void
items_kill(struct jsonrpc *j, unsigned mark, unsigned roles, unsigned lo, unsigned hi)
{
	unsigned out = mark;
	if (mark == 0)
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
		j->used -= j->recs[--out].len;
	j->n_recs = (uint16_t)out;
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

/* The decoded bytes are gone; what is known of their items is not. */
static void
lose(struct jsonrpc *j)
{
	for (unsigned i = 0; i < j->n_recs; i++) {
		struct jsonrpc_rec *r = &j->recs[i];
		if (r->len > 0 && r->state == JSONRPC_OK)
			r->state = JSONRPC_NO_BUFFER;
		r->len = 0;
	}
	if (j->role != ROLE_NONE && j->str_state == JSONRPC_OK && j->used > j->str_start)
		j->str_state = JSONRPC_NO_BUFFER;
	j->used = j->str_start = 0;
}

void
items_check(struct jsonrpc *j)
{
	if (j->used > 0 && j->slab == NULL)
		lose(j);
}

void
items_release(struct jsonrpc *j, struct jsonrpc_arena *a)
{
	if (j->slab != NULL)
		a->slab_put(a->ctx, j->slab);
	j->slab = NULL;
}

/* move_to_slab makes the buffer at least `bytes` long. Returns -1 if no slab is to be had; the bytes stay
 * where they are. */
static int
move_to_slab(struct jsonrpc *j, struct jsonrpc_arena *a, uint32_t bytes)
{
	uint8_t *old = j->slab, *from = old ? old : a->scratch + a->scratch_used;
	uint32_t cap;
	uint8_t *slab = a->slab_get(a->ctx, bytes, &cap, &j->slab);
	bool stolen = old != NULL && j->slab == NULL; /* perhaps by this very call, to give it to us again */
	if (slab == NULL) {
		if (stolen)
			lose(j);
		return -1;
	}
	if (stolen) {
		lose(j);
	} else {
		memcpy(slab, from, j->used);
		if (old != NULL)
			a->slab_put(a->ctx, old);
	}
	j->slab = slab;
	j->slab_cap = cap;
	return 0;
}

void
items_keep(struct jsonrpc *j, struct jsonrpc_arena *a)
{
	if (j->used == 0)
		items_release(j, a);
	else if (j->slab == NULL && move_to_slab(j, a, j->used) != 0)
		lose(j);
}

static inline uint8_t *
buffer(const struct jsonrpc *j, const struct jsonrpc_arena *a)
{
	return j->slab ? j->slab : a->scratch + a->scratch_used;
}

static inline uint32_t
room(const struct jsonrpc *j, const struct jsonrpc_arena *a)
{
	uint32_t cap = j->slab ? j->slab_cap : a->scratch_cap - a->scratch_used;
	if (cap > JSONRPC_RAW_MAX)
		cap = JSONRPC_RAW_MAX;
	return cap - j->used;
}

/* make_room is called when there is none, with a digit at hand. */
static bool
make_room(struct scan *s, size_t digits)
{
	struct jsonrpc *j = s->j;
	if (j->used == JSONRPC_RAW_MAX) {
		items_spoil(j, JSONRPC_OVERSIZE);
		return false;
	}
	uint64_t want = j->used + digits / 2 + 1;
	if (want < 2 * (uint64_t)j->used)
		want = 2 * (uint64_t)j->used;
	if (want > JSONRPC_RAW_MAX)
		want = JSONRPC_RAW_MAX;
	if (move_to_slab(s->j, s->a, (uint32_t)want) == 0)
		return j->str_state == JSONRPC_OK;
	if (j->str_state == JSONRPC_OK)
		items_spoil(j, JSONRPC_NO_BUFFER);
	return false;
}

/* hex_digit takes one digit; room for its byte has been made. */
static void
hex_digit(struct scan *s, unsigned value)
{
	struct jsonrpc *j = s->j;
	if (!j->half) {
		j->half = (uint8_t)(0x10 | value);
		return;
	}
	buffer(j, s->a)[j->used++] = (uint8_t)(j->half << 4 | value);
	j->half = 0;
}

void
items_char(struct scan *s, unsigned c)
{
	struct jsonrpc *j = s->j;
	if (j->hex_stage == HEX_START && c == '0') {
		j->hex_stage = HEX_ZERO;
		return;
	}
	if (j->hex_stage == HEX_ZERO) {
		j->hex_stage = HEX_BODY;
		if (c == 'x' || c == 'X')
			return;
		j->half = 0x10;
	}
	j->hex_stage = HEX_BODY;
	unsigned v = c < 0x80 ? hex_value[c] : 0xff;
	if (v > 15)
		items_spoil(j, JSONRPC_BAD_HEX);
	else if (room(j, s->a) > 0 || make_room(s, 2))
		hex_digit(s, v);
}

const uint8_t *
items_begin(struct scan *s, const uint8_t *p, enum role role)
{
	struct jsonrpc *j = s->j;
	if (s->end - p < 2) {
		items_string(j, role);
		return p;
	}
	bool prefix = p[0] == '0' && (p[1] | 0x20) == 'x';
	p += prefix ? 2 : 0;
	size_t n = (size_t)(s->end - p), space = 2 * (size_t)room(j, s->a);
	size_t digits = hex_decode(p, n < space ? n : space, buffer(j, s->a) + j->used);
	p += digits;
	if (digits < n && *p == '"') {
		j->used += (uint32_t)(digits / 2);
		items_add(j, role, JSONRPC_OK, (uint32_t)(digits / 2));
		return p + 1;
	}
	items_string(j, role);
	j->used += (uint32_t)(digits / 2);
	if (prefix || digits > 0)
		j->hex_stage = HEX_BODY;
	return p;
}

const uint8_t *
items_hex(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	while (p < s->end) {
		uint32_t space = room(j, s->a);
		if (j->hex_stage == HEX_BODY && !j->half && space > 0) {
			size_t n = (size_t)(s->end - p);
			if (n > 2 * (size_t)space)
				n = 2 * (size_t)space;
			size_t digits = hex_decode(p, n, buffer(j, s->a) + j->used);
			p += digits;
			j->used += (uint32_t)(digits / 2);
			if (p == s->end)
				break;
		}
		if (hex_value[*p] > 15 && !(j->hex_stage == HEX_ZERO && (*p | 0x20) == 'x'))
			break;
		items_char(s, *p++);
		if (j->str_state != JSONRPC_OK)
			break;
	}
	return p;
}

/* Bytes are given up to the arena before the first item is shown: the sink may reset it. */
static const uint8_t *
settle(struct scan *s)
{
	const uint8_t *at = buffer(s->j, s->a);
	if (s->j->slab == NULL)
		s->a->scratch_used += s->j->used;
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
static void
report_first(struct scan *s, const struct rpc_method *m, bool cut)
{
	const struct jsonrpc *j = s->j;
	struct jsonrpc_item it = {.kind = m->kind, .in_scratch = true};
	if (m->kind == JSONRPC_UNSIGNED && j->first_param == FIRST_OBJECT)
		it.state = JSONRPC_UNSIGNED_OBJECT;
	else if (m->roles == ROLE_BIT(ROLE_FIRST) && j->first_param > FIRST_STRING)
		it.state = JSONRPC_BAD_HEX;
	else
		return;
	if (cut)
		it.state = JSONRPC_CUT;
	s->sink(s->ctx, &it);
}

static uint32_t
count(const struct jsonrpc *j, const struct rpc_method *m)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < j->n_recs; i++)
		n += (m->roles & ROLE_BIT(j->recs[i].role)) && j->recs[i].state != REC_DEAD;
	for (unsigned role = ROLE_FIRST; role <= ROLE_MEV_HASH; role++)
		if (m->roles & ROLE_BIT(role))
			n += j->excess[role];
	return n;
}

void
items_report(struct scan *s, bool cut)
{
	struct jsonrpc *j = s->j;
	if (j->method == 0)
		return;
	const struct rpc_method *m = rpc_method(j->method);
	bool bundle = m->kind == JSONRPC_BUNDLE;
	struct jsonrpc_item it = {.kind = m->kind, .in_scratch = j->slab == NULL};
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
		it.raw = it.state == JSONRPC_OK ? (struct span){bytes, r->len} : (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		pos++;
		s->sink(s->ctx, &it);
	}
	for (; pos < n; pos++) { /* in excess */
		it.state = cut ? JSONRPC_CUT : JSONRPC_OVERSIZE;
		it.raw = (struct span){NULL, 0};
		it.bundle_pos = bundle ? pos : 0;
		s->sink(s->ctx, &it);
	}
	report_first(s, m, cut);
}
