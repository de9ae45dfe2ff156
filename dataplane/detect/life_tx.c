/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions: the table, its three indexes, the lists by class, and how one changes its state. */
#include "detect/life_private.h"
#include "detect/sip.h"

#include <string.h>

uint64_t
life_hash(const struct life *l, const uint64_t *words, unsigned n)
{
	uint64_t v[4];
	sip_begin(v, l->key[0], l->key[1]);
	for (unsigned i = 0; i <= n; i++) {
		uint64_t w = i < n ? words[i] : (uint64_t)n << 59;
		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
life_hash32(const struct life *l, const uint8_t hash[32])
{
	uint64_t w[4];
	memcpy(w, hash, sizeof w);
	return life_hash(l, w, 4);
}

/* ---- lists ---- */

enum life_class
life_tx_class(const struct life *l, const struct life_tx *t)
{
	switch ((enum life_state)t->state) {
	case LIFE_CANDIDATE:
		return CLASS_CANDIDATE;
	case LIFE_ANNOUNCED:
		return CLASS_ANNOUNCED;
	case LIFE_PENDING:
		return CLASS_PENDING;
	case LIFE_INCLUDED: {
		const struct life_block *b = life_block_at(l, t->by);
		return b != NULL && !b->settled ? CLASS_RECENT : CLASS_SETTLED;
	}
	default:
		return CLASS_SETTLED;
	}
}

void
life_tx_enter(struct life *l, uint32_t slot)
{
	struct life_tx *t = &l->txs[slot];
	t->list = (uint8_t)life_tx_class(l, t);
	struct life_list *list = &l->lists[t->list];
	t->next = 0;
	t->prev = list->last;
	if (list->last != 0)
		l->txs[list->last].next = slot;
	else
		list->first = slot;
	list->last = slot;
	list->n++;
	l->states[t->state]++;
}

void
life_tx_leave(struct life *l, uint32_t slot)
{
	struct life_tx *t = &l->txs[slot];
	struct life_list *list = &l->lists[t->list];
	if (t->prev != 0)
		l->txs[t->prev].next = t->next;
	else
		list->first = t->next;
	if (t->next != 0)
		l->txs[t->next].prev = t->prev;
	else
		list->last = t->prev;
	list->n--;
	l->states[t->state]--;
}

void
life_tx_state(struct life *l, struct life_tx *t, enum life_state state, uint64_t now_ns)
{
	uint32_t slot = life_tx_slot(l, t);
	life_tx_leave(l, slot);
	t->state = (uint8_t)state;
	t->since_ns = now_ns;
	life_tx_enter(l, slot);
}

/* ---- indexes ---- */

static uint32_t *
hash_bucket(const struct life *l, const uint8_t hash[32])
{
	return &l->by_hash[life_hash32(l, hash) & l->tx_mask];
}

static uint32_t *
fp_bucket(const struct life *l, uint64_t fingerprint)
{
	return &l->by_fp[life_hash(l, &fingerprint, 1) & l->tx_mask];
}

static uint32_t *
nonce_bucket(const struct life *l, const struct life_tx *t)
{
	uint64_t w[4] = {0};
	memcpy(w, t->sender, sizeof t->sender);
	w[3] = t->nonce;
	return &l->by_nonce[life_hash(l, w, 4) & l->tx_mask];
}

static bool
has_nonce(const struct life_tx *t)
{
	return (t->has & (LIFE_HAS_SENDER | LIFE_HAS_NONCE)) == (LIFE_HAS_SENDER | LIFE_HAS_NONCE);
}

static bool
rivals(const struct life_tx *a, const struct life_tx *b)
{
	return a->nonce == b->nonce && memcmp(a->sender, b->sender, sizeof a->sender) == 0;
}

uint32_t
life_tx_find(const struct life *l, const uint8_t hash[32])
{
	uint32_t slot = *hash_bucket(l, hash);
	while (slot != 0 && memcmp(l->txs[slot].hash, hash, 32) != 0)
		slot = l->txs[slot].by_hash;
	return slot;
}

uint32_t
life_tx_find_fp(const struct life *l, uint64_t fingerprint)
{
	uint32_t slot = *fp_bucket(l, fingerprint);
	while (slot != 0 && l->txs[slot].fingerprint != fingerprint)
		slot = l->txs[slot].by_fp;
	return slot;
}

static void
remove_hash(struct life *l, uint32_t slot)
{
	uint32_t *at = hash_bucket(l, l->txs[slot].hash);
	while (*at != slot)
		at = &l->txs[*at].by_hash;
	*at = l->txs[slot].by_hash;
}

static void
remove_nonce(struct life *l, uint32_t slot)
{
	struct life_tx *t = &l->txs[slot];
	if (!t->by_nonce_in)
		return;
	uint32_t *at = nonce_bucket(l, t);
	while (*at != slot)
		at = &l->txs[*at].by_nonce;
	*at = t->by_nonce;
	t->by_nonce_in = false;
}

static void
remove_fp(struct life *l, uint32_t slot)
{
	struct life_tx *t = &l->txs[slot];
	if (!t->by_fp_in)
		return;
	uint32_t *at = fp_bucket(l, t->fingerprint);
	while (*at != slot)
		at = &l->txs[*at].by_fp;
	*at = t->by_fp;
	t->by_fp_in = false;
}

/* New ones stand first; the last that may go is the oldest. */
static void
insert_nonce(struct life *l, struct life_tx *t)
{
	uint32_t n = 0, oldest = 0, *bucket = nonce_bucket(l, t);
	for (uint32_t s = *bucket; s != 0; s = l->txs[s].by_nonce) {
		if (!rivals(&l->txs[s], t))
			continue;
		n++;
		if (l->txs[s].state != LIFE_INCLUDED)
			oldest = s;
	}
	if (n >= LIFE_RIVALS_MAX) {
		l->counts[LIFE_N_RIVALS_FULL]++;
		if (oldest == 0)
			return;
		remove_nonce(l, oldest);
	}
	t->by_nonce = *bucket;
	*bucket = life_tx_slot(l, t);
	t->by_nonce_in = true;
}

/* ---- entries ---- */

void
life_tx_free(struct life *l, uint32_t slot)
{
	struct life_tx *t = &l->txs[slot];
	life_tx_leave(l, slot);
	remove_hash(l, slot);
	remove_nonce(l, slot);
	remove_fp(l, slot);
	t->generation++;
	t->next = l->free_tx;
	l->free_tx = slot;
	l->n_tx_used--;
}

/* Those whose life has ended go first. Candidates, which anybody can make up by the block, push out what is
 * pending until they have a quarter of the table, and then each other. */
static void
make_room(struct life *l)
{
	static const enum life_class order[] = {
		CLASS_ANNOUNCED, CLASS_PENDING, CLASS_CANDIDATE, CLASS_RECENT};
	uint32_t slot = l->lists[CLASS_SETTLED].first;
	if (slot == 0) {
		l->counts[LIFE_N_EVICTED]++;
		slot = l->lists[CLASS_ANNOUNCED].first;
		if (slot == 0 && l->lists[CLASS_CANDIDATE].n > l->n_txs / 4)
			slot = l->lists[CLASS_CANDIDATE].first;
		for (unsigned i = 0; slot == 0 && i < sizeof order / sizeof *order; i++)
			slot = l->lists[order[i]].first;
	}
	life_tx_free(l, slot);
}

struct life_tx *
life_tx_make(struct life *l, const uint8_t hash[32])
{
	if (l->free_tx == 0)
		make_room(l);
	uint32_t slot = l->free_tx, *bucket = hash_bucket(l, hash);
	struct life_tx *t = &l->txs[slot];
	l->free_tx = t->next;
	l->n_tx_used++;
	*t = (struct life_tx){.generation = t->generation, .by_hash = *bucket};
	memcpy(t->hash, hash, sizeof t->hash);
	*bucket = slot;
	life_tx_enter(l, slot);
	return t;
}

/* ---- rivals ---- */

static struct life_tx *
included_rival(const struct life *l, const struct life_tx *t)
{
	if (!has_nonce(t))
		return NULL;
	for (uint32_t s = *nonce_bucket(l, t); s != 0; s = l->txs[s].by_nonce) {
		struct life_tx *r = &l->txs[s];
		if (r != t && r->state == LIFE_INCLUDED && rivals(r, t))
			return r;
	}
	return NULL;
}

static void
replace(struct life *l, struct life_tx *t, const struct life_tx *by, uint64_t now_ns)
{
	t->by = life_tx_ref(l, by);
	life_tx_state(l, t, LIFE_REPLACED, now_ns);
	l->counts[LIFE_N_REPLACED]++;
	life_tell(l, LIFE_EVENT_REPLACED, t, life_block_at(l, by->by));
}

static void
replace_rivals(struct life *l, const struct life_tx *by, uint64_t now_ns)
{
	if (!has_nonce(by))
		return;
	for (uint32_t s = *nonce_bucket(l, by); s != 0; s = l->txs[s].by_nonce) {
		struct life_tx *r = &l->txs[s];
		if (r != by && r->state == LIFE_PENDING && rivals(r, by))
			replace(l, r, by, now_ns);
	}
}

static void
restore_rivals(struct life *l, const struct life_tx *by, const struct life_block *b, uint64_t now_ns)
{
	if (!has_nonce(by))
		return;
	for (uint32_t s = *nonce_bucket(l, by); s != 0; s = l->txs[s].by_nonce) {
		struct life_tx *r = &l->txs[s];
		if (r->state != LIFE_REPLACED || !life_same(r->by, life_tx_ref(l, by)))
			continue;
		r->by = (struct life_ref){0};
		life_tx_state(l, r, LIFE_PENDING, now_ns);
		l->counts[LIFE_N_RESTORED]++;
		life_tell(l, LIFE_EVENT_REORGED, r, b);
	}
}

void
life_tx_learn(struct life *l, struct life_tx *t, const struct life_seen *s, uint64_t now_ns)
{
	bool had = has_nonce(t);
	if (s->sender != NULL && !(t->has & LIFE_HAS_SENDER)) {
		memcpy(t->sender, s->sender, sizeof t->sender);
		t->has |= LIFE_HAS_SENDER;
	}
	if (s->has_nonce && !(t->has & LIFE_HAS_NONCE)) {
		t->nonce = s->nonce;
		t->has |= LIFE_HAS_NONCE;
	}
	if (s->to != NULL && !(t->has & LIFE_HAS_TO)) {
		memcpy(t->to, s->to, sizeof t->to);
		t->has |= LIFE_HAS_TO;
	}
	if (s->fingerprint != 0 && t->fingerprint == 0 && life_tx_find_fp(l, s->fingerprint) == 0) {
		uint32_t *bucket = fp_bucket(l, s->fingerprint);
		t->fingerprint = s->fingerprint;
		t->by_fp = *bucket;
		*bucket = life_tx_slot(l, t);
		t->by_fp_in = true;
	}
	if (had || !has_nonce(t))
		return;
	insert_nonce(l, t);
	if (t->state == LIFE_INCLUDED) {
		replace_rivals(l, t, now_ns);
	} else if (t->state == LIFE_PENDING) {
		const struct life_tx *by = included_rival(l, t);
		if (by != NULL)
			replace(l, t, by, now_ns);
	}
}

/* ---- states ---- */

void
life_tx_to_pending(struct life *l, struct life_tx *t, uint64_t now_ns)
{
	life_tx_state(l, t, LIFE_PENDING, now_ns);
	life_tell(l, LIFE_EVENT_PENDING, t, NULL);
	const struct life_tx *by = included_rival(l, t);
	if (by != NULL)
		replace(l, t, by, now_ns);
}

static uint8_t
before_of(const struct life_tx *t)
{
	if (t->has & LIFE_HAS_PENDING)
		return LIFE_SEEN_PENDING;
	return t->has & LIFE_HAS_ANNOUNCED ? LIFE_ANNOUNCED_ONLY : LIFE_NEVER_SEEN;
}

static uint64_t *
share_of(struct life_share *s, const struct life_tx *t)
{
	return t->before == LIFE_SEEN_PENDING	  ? &s->seen_pending
	       : t->before == LIFE_ANNOUNCED_ONLY ? &s->announced_only
						  : &s->never_seen;
}

static uint8_t
protocol_of(const struct life *l, const struct life_tx *t)
{
	if (!(t->has & LIFE_HAS_TO) || l->n_protocols == 0)
		return 0;
	uint64_t w[3] = {0};
	memcpy(w, t->to, sizeof t->to);
	uint64_t h = life_hash(l, w, 3);
	for (;; h++) {
		const struct life_address *a = &l->addresses[h & l->address_mask];
		if (a->protocol == 0 || memcmp(a->address, t->to, sizeof t->to) == 0)
			return a->protocol;
	}
}

void
life_tx_count(struct life *l, struct life_tx *t, const struct life_block *b)
{
	if (t->counted_by.slot != 0)
		return;
	t->counted_by = life_block_ref(l, b);
	t->protocol = protocol_of(l, t);
	l->counts[LIFE_N_INCLUDED]++;
	l->counts[LIFE_N_INCLUDED_PENDING + t->before - LIFE_SEEN_PENDING]++;
	l->total.included++;
	++*share_of(&l->total, t);
	if (t->protocol != 0) {
		l->shares[t->protocol - 1].included++;
		++*share_of(&l->shares[t->protocol - 1], t);
	}
}
_Static_assert(LIFE_N_ANNOUNCED_ONLY == LIFE_N_INCLUDED_PENDING + 1 &&
		       LIFE_N_NEVER_SEEN == LIFE_N_INCLUDED_PENDING + 2 &&
		       LIFE_ANNOUNCED_ONLY == LIFE_SEEN_PENDING + 1 &&
		       LIFE_NEVER_SEEN == LIFE_SEEN_PENDING + 2,
	"counts in the order of enum life_before");

void
life_tx_take_back(struct life *l, struct life_tx *t, const struct life_block *b)
{
	if (!life_same(t->counted_by, life_block_ref(l, b)))
		return;
	t->counted_by = (struct life_ref){0};
	l->counts[LIFE_N_TAKEN_BACK]++;
	l->counts[LIFE_N_TAKEN_BACK_PENDING + t->before - LIFE_SEEN_PENDING]++;
	l->total.included--;
	--*share_of(&l->total, t);
	if (t->protocol != 0) {
		l->shares[t->protocol - 1].included--;
		--*share_of(&l->shares[t->protocol - 1], t);
	}
	const struct life_block *now_in = t->state == LIFE_INCLUDED ? life_block_at(l, t->by) : NULL;
	t->before = t->state == LIFE_INCLUDED ? before_of(t) : LIFE_BEFORE_UNKNOWN;
	if (now_in != NULL && now_in != b && now_in->counted)
		life_tx_count(l, t, now_in);
}
_Static_assert(LIFE_N_TAKEN_BACK_ANNOUNCED_ONLY == LIFE_N_TAKEN_BACK_PENDING + 1 &&
		       LIFE_N_TAKEN_BACK_NEVER_SEEN == LIFE_N_TAKEN_BACK_PENDING + 2,
	"counts in the order of enum life_before");

void
life_tx_include(struct life *l, struct life_tx *t, struct life_block *b, bool counts, uint64_t now_ns)
{
	bool again = t->state == LIFE_INCLUDED;
	if (again && (b == NULL || life_block_at(l, t->by) != NULL))
		return;
	uint32_t slot = life_tx_slot(l, t);
	life_tx_leave(l, slot);
	if (t->counted_by.slot == 0)
		t->before = before_of(t);
	t->by = b != NULL ? life_block_ref(l, b) : (struct life_ref){0};
	t->state = LIFE_INCLUDED;
	if (!again)
		t->included_ns = now_ns;
	t->since_ns = now_ns;
	life_tx_enter(l, slot);
	if (counts)
		life_tx_count(l, t, b);
	else if (!again)
		l->counts[LIFE_N_INCLUDED_UNCOUNTED]++;
	life_tell(l, LIFE_EVENT_INCLUDED, t, b);
	if (!again)
		replace_rivals(l, t, now_ns);
}

void
life_tx_exclude(struct life *l, struct life_tx *t, struct life_block *b, uint64_t now_ns)
{
	enum life_state state = LIFE_PENDING;
	uint32_t slot = life_tx_slot(l, t);
	if (b->invalid && !t->reorged && !(t->has & LIFE_HAS_PENDING))
		state = t->has & LIFE_HAS_ANNOUNCED ? LIFE_ANNOUNCED : LIFE_CANDIDATE;
	life_tx_leave(l, slot);
	t->by = (struct life_ref){0};
	t->state = (uint8_t)state;
	t->since_ns = now_ns;
	if (!b->invalid) {
		t->reorged = true;
		l->counts[LIFE_N_REORGED]++;
	}
	life_tx_enter(l, slot);
	life_tell(l, LIFE_EVENT_REORGED, t, b);
	restore_rivals(l, t, b, now_ns);
	const struct life_tx *by = included_rival(l, t);
	if (by != NULL)
		replace_rivals(l, by, now_ns);
}
