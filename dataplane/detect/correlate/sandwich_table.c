/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries, their touches and the chains that these are in, and the calldata that is kept. */
#include "detect/correlate/sandwich_private.h"

#include "detect/sip.h"

/* SipHash-1-3. */
uint64_t
sandwich_hash(const struct sandwich *s, const uint8_t *p, uint32_t n, uint64_t tweak)
{
	uint64_t v[4], w;
	sip_begin(v, s->key[0], s->key[1] ^ tweak);
	for (uint32_t at = 0; at <= n; at += 8) {
		if (n - at >= 8) {
			memcpy(&w, p + at, 8);
		} else {
			w = 0;
			memcpy(&w, p + at, n - at);
			w |= (uint64_t)n << 56;
		}
		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
		if (n - at < 8)
			break;
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
sandwich_key_of(const struct sandwich *s, const uint8_t address[20])
{
	uint64_t h = sandwich_hash(s, address, 20, 1);
	return h != 0 ? h : 1;
}

uint64_t
sandwich_who_of(const struct sandwich *s, unsigned by, const uint8_t address[20], uint64_t key)
{
	uint8_t both[28];
	memcpy(both, address, 20);
	memcpy(both + 20, &key, 8);
	uint64_t h = sandwich_hash(s, both, sizeof both, 2 + by);
	return h != 0 ? h : 1;
}

bool
sandwich_is_common(const struct sandwich *s, const uint8_t address[20])
{
	for (uint32_t i = 0; i < s->n_common; i++)
		if (memcmp(s->common[i], address, 20) == 0)
			return true;
	return false;
}

/* ---- entries ---- */

struct entry *
sandwich_find(const struct sandwich *s, const uint8_t hash[32])
{
	uint32_t slot = s->by_hash[sandwich_hash(s, hash, 32, 0) & s->hash_mask];
	while (slot != NIL && memcmp(s->txs[slot].hash, hash, 32) != 0)
		slot = s->txs[slot].by_hash;
	return slot != NIL ? &s->txs[slot] : NULL;
}

void
sandwich_forget(struct sandwich *s)
{
	struct entry *e = &s->txs[s->first++ & s->tx_mask];
	sandwich_settle(s, e);
	uint32_t *at = &s->by_hash[sandwich_hash(s, e->hash, 32, 0) & s->hash_mask];
	while (&s->txs[*at] != e)
		at = &s->txs[*at].by_hash;
	*at = e->by_hash;
	e->flags = 0;
}

struct entry *
sandwich_make(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns)
{
	if (s->next - s->first > s->tx_mask) {
		sandwich_forget(s);
		s->counts[SANDWICH_N_EVICTED]++;
	}
	struct entry *e = &s->txs[s->next & s->tx_mask];
	memset(e, 0, sizeof *e);
	memcpy(e->hash, hash, 32);
	e->seq = s->next++;
	e->flags = ENTRY_LIVE;
	e->t_ns = t_ns;
	e->touches = e->fp_next = e->fp_prev = NIL;
	uint32_t *head = &s->by_hash[sandwich_hash(s, hash, 32, 0) & s->hash_mask];
	e->by_hash = *head;
	*head = sandwich_slot(s, e);
	return e;
}

/* ---- chains ---- */

/* which: 0 by key, 1 + BY_SENDER, 1 + BY_CONTRACT. */
static struct touch_link *
link_of(struct touch *t, unsigned which)
{
	return which == 0 ? &t->by_key : &t->by_who[which - 1];
}

static uint32_t *
head_of(struct sandwich *s, const struct touch *t, unsigned which)
{
	return which == 0 ? &s->by_key[t->key & s->key_mask]
			  : &s->by_who[which - 1][t->who[which - 1] & s->key_mask];
}

static void
chain_in(struct sandwich *s, struct touch *t, unsigned which)
{
	uint32_t *head = head_of(s, t, which), me = (uint32_t)(t - s->touches);
	*link_of(t, which) = (struct touch_link){*head, NIL};
	if (*head != NIL)
		link_of(&s->touches[*head], which)->prev = me;
	*head = me;
}

static void
chain_out(struct sandwich *s, struct touch *t, unsigned which)
{
	struct touch_link l = *link_of(t, which);
	if (l.prev != NIL)
		link_of(&s->touches[l.prev], which)->next = l.next;
	else
		*head_of(s, t, which) = l.next;
	if (l.next != NIL)
		link_of(&s->touches[l.next], which)->prev = l.prev;
}

static void
whose(struct sandwich *s, const struct entry *e, struct touch *t)
{
	if (e->flags & ENTRY_FROM)
		t->who[BY_SENDER] = sandwich_who_of(s, BY_SENDER, e->from, t->key);
	if ((e->flags & ENTRY_TO) && (e->flags & ENTRY_VIA))
		t->who[BY_CONTRACT] = sandwich_who_of(s, BY_CONTRACT, e->to, t->key);
}

static void
link_touch(struct sandwich *s, struct entry *e, struct touch *t)
{
	whose(s, e, t);
	t->tip = e->tip;
	t->t_ns = e->t_ns;
	chain_in(s, t, 0);
	for (unsigned by = 0; by < 2; by++)
		if (t->who[by] != 0)
			chain_in(s, t, 1 + by);
	if (t->how & TOUCH_SWAP_OF) {
		uint8_t *n = &s->filter[sandwich_filter_at(s, t->address)];
		if (*n != UINT8_MAX)
			++*n;
	}
}

static void
unlink_touch(struct sandwich *s, struct touch *t)
{
	chain_out(s, t, 0);
	for (unsigned by = 0; by < 2; by++)
		if (t->who[by] != 0)
			chain_out(s, t, 1 + by);
	if (t->how & TOUCH_SWAP_OF) {
		uint8_t *n = &s->filter[sandwich_filter_at(s, t->address)];
		if (*n != UINT8_MAX)
			--*n;
	}
}

void
sandwich_link(struct sandwich *s, struct entry *e)
{
	if (e->flags & (ENTRY_LINKED | ENTRY_SETTLED))
		return;
	e->flags |= ENTRY_LINKED;
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx)
		link_touch(s, e, &s->touches[i]);
}

void
sandwich_know_sender(struct sandwich *s, struct entry *e, const uint8_t from[20])
{
	if (e->flags & ENTRY_FROM)
		return;
	memcpy(e->from, from, 20);
	e->flags |= ENTRY_FROM;
	if (!(e->flags & ENTRY_LINKED))
		return;
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx) {
		struct touch *t = &s->touches[i];
		t->who[BY_SENDER] = sandwich_who_of(s, BY_SENDER, e->from, t->key);
		chain_in(s, t, 1 + BY_SENDER);
	}
}

void
sandwich_settle(struct sandwich *s, struct entry *e)
{
	for (uint32_t i = e->touches, next; i != NIL; i = next) {
		struct touch *t = &s->touches[i];
		next = t->of_tx;
		if (e->flags & ENTRY_LINKED)
			unlink_touch(s, t);
		t->of_tx = s->free_touch;
		s->free_touch = i;
		s->n_touches_used--;
	}
	e->touches = NIL;
	e->n_touches = 0;
	e->flags &= ~(uint32_t)ENTRY_LINKED;
	e->flags |= ENTRY_SETTLED;
	if (e->flags & ENTRY_INPUT)
		sandwich_input_drop(s, e);
}

struct touch *
sandwich_touch_of(const struct sandwich *s, const struct entry *e, uint64_t key)
{
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx)
		if (s->touches[i].key == key)
			return &s->touches[i];
	return NULL;
}

struct touch *
sandwich_touch(struct sandwich *s, struct entry *e, uint64_t key, const uint8_t address[20], uint8_t how)
{
	struct touch *t = sandwich_touch_of(s, e, key);
	if (t != NULL)
		return t;
	if (e->n_touches == SANDWICH_TOUCHES_MAX) {
		s->counts[SANDWICH_N_TOUCHES_FULL]++;
		return NULL;
	}
	while (s->free_touch == NIL && s->txs[s->first & s->tx_mask].seq != e->seq) {
		sandwich_forget(s);
		s->counts[SANDWICH_N_EVICTED]++;
	}
	if (s->free_touch == NIL) {
		s->counts[SANDWICH_N_TOUCHES_FULL]++;
		return NULL;
	}
	uint32_t i = s->free_touch;
	t = &s->touches[i];
	s->free_touch = t->of_tx;
	s->n_touches_used++;
	memset(t, 0, sizeof *t);
	t->key = key;
	t->how = how;
	memcpy(t->address, address, 20);
	t->tx = sandwich_slot(s, e);
	t->of_tx = NIL;
	uint32_t *end = &e->touches;
	while (*end != NIL)
		end = &s->touches[*end].of_tx;
	*end = i;
	e->n_touches++;
	if (e->flags & ENTRY_LINKED)
		link_touch(s, e, t);
	return t;
}

/* ---- calldata ---- */

void
sandwich_keep(struct sandwich *s, struct entry *e, struct span data)
{
	uint32_t n = data.len < SANDWICH_KEEP_MAX ? data.len : SANDWICH_KEEP_MAX;
	uint64_t room = s->data_mask + 1 - (s->data_at & s->data_mask);
	if (room < n)
		s->data_at += room; /* it lies in one piece */
	if (n != 0)
		memcpy(s->data + (s->data_at & s->data_mask), data.p, n);
	e->data_at = s->data_at;
	e->data_len = n;
	s->data_at += n;
}

struct span
sandwich_data(const struct sandwich *s, const struct entry *e)
{
	if (e->data_len == 0 || s->data_at - e->data_at > s->data_mask + 1)
		return (struct span){NULL, 0};
	return (struct span){s->data + (e->data_at & s->data_mask), e->data_len};
}
