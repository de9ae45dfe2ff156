/* SPDX-License-Identifier: BSD-3-Clause */
/* Bundles: their elements as they come, and once all have, who stands around whom. */
#include "detect/correlate/sandwich_private.h"

static void
unchain(struct sandwich *s, struct bundle *b)
{
	uint32_t *at = &s->by_bundle[b->handle * 0x9e3779b97f4a7c15u >> 32 & s->bundle_mask];
	while (&s->bundles[*at] != b)
		at = &s->bundles[*at].next;
	*at = b->next;
}

struct bundle *
sandwich_bundle(struct sandwich *s, uint64_t handle, uint16_t len)
{
	uint32_t *head = &s->by_bundle[handle * 0x9e3779b97f4a7c15u >> 32 & s->bundle_mask];
	for (uint32_t at = *head; at != NIL; at = s->bundles[at].next)
		if (s->bundles[at].handle == handle)
			return &s->bundles[at];
	if (len == 0)
		return NULL;
	uint32_t slot = (uint32_t)s->bundle_at++ & s->bundle_mask;
	struct bundle *b = &s->bundles[slot];
	if (b->used) {
		s->counts[SANDWICH_N_BUNDLES_EVICTED] += b->told < b->len;
		unchain(s, b);
		head = &s->by_bundle[handle * 0x9e3779b97f4a7c15u >> 32 & s->bundle_mask];
	}
	*b = (struct bundle){.handle = handle, .next = *head, .len = len, .used = true};
	*head = slot;
	return b;
}

static bool
stands_in(const struct bundle *b, const struct entry *e)
{
	for (uint32_t i = 0; i < SANDWICH_BUNDLE_MAX && i < b->len; i++)
		if (b->seq[i] == e->seq)
			return true;
	return false;
}

void
sandwich_join(struct sandwich *s, struct entry *e, uint64_t handle, uint16_t pos, uint16_t len)
{
	struct bundle *b = sandwich_bundle(s, handle, len != 0 ? len : 1);
	if (b == NULL)
		return;
	if (pos >= SANDWICH_BUNDLE_MAX) {
		s->counts[SANDWICH_N_BUNDLE_CUT]++;
	} else if (b->seq[pos] != 0) {
		return;		       /* told before */
	} else if (!stands_in(b, e)) { /* what a bundle names twice stands where it was named first */
		b->seq[pos] = e->seq;
		e->bundle = handle;
		e->bundle_pos = pos;
	}
	b->told++;
	if (b->told >= b->len)
		sandwich_bundle_look(s, b);
}

/* ---- what a leg has of a victim's hop ---- */

/* 0: nothing; 1: its address is there; 2: it goes the victim's way; 3: the other way. */
static unsigned
leg_has(struct sandwich *s, const struct entry *leg, const struct touch *v, uint32_t *work)
{
	const struct touch *t = sandwich_touch_of(s, leg, v->key);
	if (t != NULL && (t->how & TOUCH_SWAP_OF))
		return t->dir == 0 || v->dir == 0 ? 1 : t->dir == v->dir ? 2 : 3;
	if (!(leg->flags & ENTRY_SEARCH))
		return 0;
	struct span d = sandwich_data(s, leg);
	if (*work < 3) {
		*work = 0;
		return 0;
	}
	*work -= 3;
	if (sandwich_in(d, v->address) != NULL)
		return 1;
	if (!(v->how & TOUCH_TOKENS) || (v->how & TOUCH_TOKEN_KEY))
		return 0;
	return (!sandwich_is_common(s, v->token_in) && sandwich_in(d, v->token_in) != NULL) ||
	       (!sandwich_is_common(s, v->token_out) && sandwich_in(d, v->token_out) != NULL);
}

static bool
is_address_word(const struct sandwich *s, const uint8_t *w)
{
	unsigned zeros = 0;
	for (unsigned i = 0; i < 12; i++)
		if (w[i] != 0)
			return false;
	for (unsigned i = 12; i < 32; i++)
		zeros += w[i] == 0;
	return zeros <= 8 && !sandwich_is_common(s, w + 12);
}

struct shared {
	uint8_t key[20];
	const uint8_t *pool;
	bool token, packed;
};

/* What front, victim and back have in common, if the legs go opposite ways as far as that is known. */
static bool
shares(struct sandwich *s, const struct entry *front, const struct entry *v, const struct entry *back,
	uint32_t *work, struct shared *out)
{
	for (uint32_t i = v->touches; i != NIL; i = s->touches[i].of_tx) {
		const struct touch *t = &s->touches[i];
		unsigned f = t->how & TOUCH_SWAP_OF ? leg_has(s, front, t, work) : 0;
		unsigned b = f != 0 && f != 3 && back != NULL ? leg_has(s, back, t, work) : 0;
		if (f == 0 || f == 3 || (back != NULL && (b == 0 || b == 2)))
			continue;
		memcpy(out->key, t->address, 20);
		out->token = t->how & TOUCH_TOKEN_KEY;
		out->packed = f == 1 || b == 1;
		out->pool = sandwich_pool_of(s, v, t);
		return true;
	}
	if (back == NULL || (v->flags & ENTRY_SWAPS))
		return false;
	/* a victim of unknown form: address words */
	struct span d = sandwich_data(s, v), fd = sandwich_data(s, front), bd = sandwich_data(s, back);
	for (uint32_t at = 4; at + 32 <= d.len && at < 4 + 32 * 24 && *work > 2; at += 32) {
		if (!is_address_word(s, d.p + at))
			continue;
		*work -= 2;
		const uint8_t *a = d.p + at + 12;
		if (sandwich_in(fd, a) == NULL || sandwich_in(bd, a) == NULL)
			continue;
		/* its sender's or theirs would be no pool */
		if (((v->flags & ENTRY_FROM) && memcmp(v->from, a, 20) == 0) ||
			((front->flags & ENTRY_TO) && memcmp(front->to, a, 20) == 0) ||
			((front->flags & ENTRY_FROM) && memcmp(front->from, a, 20) == 0))
			continue;
		memcpy(out->key, a, 20);
		out->token = out->packed = true;
		out->pool = NULL;
		return true;
	}
	return false;
}

/* ---- pairs ---- */

/* 0: not one attacker's; 1: if their senders are the same; 2: yes. */
static unsigned
of_one(const struct entry *a, const struct entry *b)
{
	bool same_from = sandwich_same_from(a, b);
	if (same_from && (a->flags & b->flags & ENTRY_NONCE) && a->nonce >= b->nonce)
		return 0;
	if (same_from || ((a->flags & b->flags & ENTRY_VIA) && sandwich_to_same(a, b)))
		return 2;
	bool known = a->flags & b->flags & ENTRY_FROM;
	return !known && (a->flags & b->flags & ENTRY_SWAPS) ? 1 : 0;
}

static struct entry *
at(const struct sandwich *s, const struct bundle *b, uint32_t pos)
{
	struct entry *e = sandwich_at(s, b->seq[pos]);
	return e != NULL && !(e->flags & ENTRY_AWAITED) ? e : NULL;
}

static bool
stands_around(struct sandwich *s, struct bundle *b, uint32_t i, uint32_t j, uint32_t *work, uint64_t *t_ns)
{
	struct entry *front = at(s, b, i), *back = at(s, b, j);
	unsigned one = front != NULL && back != NULL ? of_one(front, back) : 0;
	if (one == 0)
		return false;
	struct told t = {.kind = SANDWICH_BUNDLE};
	struct shared key, first = {.token = true};
	for (uint32_t k = i + 1; k < j && *work != 0; k++) {
		struct entry *v = at(s, b, k);
		--*work;
		if (v == NULL || of_one(front, v) == 2 || of_one(v, back) == 2 ||
			!shares(s, front, v, back, work, &key))
			continue;
		if (t.n_victims++ == 0 || (first.token && !key.token))
			first = key;
		if (t.n_listed < SANDWICH_VICTIMS)
			t.victims[t.n_listed++] = v;
	}
	if (t.n_victims == 0)
		return false;
	if (one == 1 && (!sandwich_ask(s, front) || !sandwich_ask(s, back) || of_one(front, back) != 2))
		return false;
	bool contract = front->flags & back->flags & ENTRY_VIA && sandwich_to_same(front, back);
	t.contract = contract;
	t.attacker_known = true;
	t.attacker = contract ? front->to : front->from;
	t.key = first.key;
	t.token = first.token;
	t.pool = first.pool;
	t.reasons = REASON(BUNDLE_ORDER) | (first.packed ? REASON(PACKED) : 0);
	t.front = front;
	t.back = back;
	*t_ns = back->t_ns;
	sandwich_tell(s, &t, *t_ns);
	return true;
}

/* A bundle of calldata of unknown form ahead of a swap that is somebody else's, and nothing behind. */
static void
stands_ahead(struct sandwich *s, struct bundle *b, uint32_t n, uint32_t *work)
{
	for (uint32_t i = 0; i + 1 < n; i++) {
		struct entry *front = at(s, b, i);
		if (front == NULL || !(front->flags & ENTRY_PACKED))
			continue;
		for (uint32_t k = i + 1; k < n && *work != 0; k++) {
			struct entry *v = at(s, b, k);
			struct shared key;
			--*work;
			if (v == NULL || sandwich_same_from(front, v) ||
				!shares(s, front, v, NULL, work, &key))
				continue;
			struct told t = {.kind = SANDWICH_PARTIAL,
				.contract = true,
				.attacker_known = true,
				.attacker = front->to,
				.key = key.key,
				.token = key.token,
				.pool = key.pool,
				.reasons = REASON(BUNDLE_ORDER) | REASON(PARTIAL) | REASON(PACKED),
				.front = front,
				.victims = {v},
				.n_listed = 1,
				.n_victims = 1};
			sandwich_tell(s, &t, front->t_ns);
			return;
		}
	}
}

void
sandwich_bundle_look(struct sandwich *s, struct bundle *b)
{
	uint32_t n = b->len < SANDWICH_BUNDLE_MAX ? b->len : SANDWICH_BUNDLE_MAX, work = BUNDLE_WORK_MAX;
	bool leads[SANDWICH_BUNDLE_MAX] = {false}, any = false;
	uint64_t t_ns = 0;
	for (uint32_t j = n; j-- > 2 && work != 0;) {
		/* the outermost pair of each attacker */
		for (uint32_t i = 0; i + 1 < j && work != 0; i++) {
			--work;
			if (leads[i] || !stands_around(s, b, i, j, &work, &t_ns))
				continue;
			leads[i] = any = true;
			break;
		}
	}
	if (!any)
		stands_ahead(s, b, n, &work);
	if (work == 0)
		s->counts[SANDWICH_N_BUNDLE_CUT]++;
}
