/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of the memory, what is told of transactions, and looking. */
#include "detect/life_private.h"

#include <string.h>

static uint32_t
power_of_two(uint32_t n)
{
	uint32_t p = 1;
	while (p < n)
		p <<= 1;
	return p;
}

static uint32_t
n_addresses(const struct life_config *c)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < c->n_protocols && n <= LIFE_ADDRESSES_MAX; i++) {
		if (c->protocols[i].n_addresses > LIFE_ADDRESSES_MAX)
			return LIFE_ADDRESSES_MAX + 1;
		n += c->protocols[i].n_addresses;
	}
	return n;
}

static bool
usable(const struct life_config *c)
{
	return c->n_txs >= 8 && c->n_txs <= 1u << 26 && c->n_blocks >= 4 && c->n_blocks <= 1u << 16 &&
	       c->n_links >= 16 && c->n_links <= 1u << 28 && c->n_protocols <= LIFE_PROTOCOLS_MAX &&
	       n_addresses(c) <= LIFE_ADDRESSES_MAX;
}

/* The next array behind *at. mem NULL: only sizes are asked for. */
static void *
carve(uint8_t *mem, size_t *at, size_t n, size_t each)
{
	size_t here = *at;
	*at = (here + n * each + 63) & ~(size_t)63;
	return mem != NULL ? mem + here : NULL;
}

static size_t
layout(uint8_t *mem, const struct life_config *c, struct life *l)
{
	size_t at = 0, buckets = power_of_two(c->n_txs + c->n_txs / 2);
	carve(mem, &at, 1, sizeof *l);
	l->txs = carve(mem, &at, (size_t)c->n_txs + 1, sizeof *l->txs);
	l->by_hash = carve(mem, &at, buckets, sizeof *l->by_hash);
	l->by_nonce = carve(mem, &at, buckets, sizeof *l->by_nonce);
	l->by_fp = carve(mem, &at, buckets, sizeof *l->by_fp);
	l->tx_mask = (uint32_t)buckets - 1;
	l->blocks = carve(mem, &at, (size_t)c->n_blocks + LIFE_OPEN_MAX + 1, sizeof *l->blocks);
	buckets = power_of_two(c->n_blocks);
	l->by_block = carve(mem, &at, buckets, sizeof *l->by_block);
	l->block_mask = (uint32_t)buckets - 1;
	l->links = carve(mem, &at, (size_t)c->n_links + 1, sizeof *l->links);
	buckets = power_of_two(2 * n_addresses(c) + 1);
	l->addresses = carve(mem, &at, buckets, sizeof *l->addresses);
	l->address_mask = (uint32_t)buckets - 1;
	return at;
}

size_t
life_bytes(const struct life_config *c)
{
	struct life l;
	return usable(c) ? layout(NULL, c, &l) : 0;
}

static void
add_address(struct life *l, const uint8_t address[20], uint32_t protocol)
{
	uint64_t w[3] = {0};
	memcpy(w, address, 20);
	for (uint64_t h = life_hash(l, w, 3);; h++) {
		struct life_address *a = &l->addresses[h & l->address_mask];
		if (a->protocol != 0 && memcmp(a->address, address, 20) != 0)
			continue;
		if (a->protocol == 0) {
			memcpy(a->address, address, 20);
			a->protocol = (uint8_t)(1 + protocol);
		}
		return;
	}
}

struct life *
life_init(void *mem, const struct life_config *c)
{
	struct life *l = mem;
	memset(mem, 0, life_bytes(c));
	layout(mem, c, l);
	memcpy(l->key, c->key, sizeof l->key);
	l->pending_ttl_ns = c->pending_ttl_ns;
	l->announced_ttl_ns = c->announced_ttl_ns;
	l->counts = c->counts;
	l->event = c->event;
	l->ctx = c->ctx;
	l->n_txs = c->n_txs;
	l->n_blocks = c->n_blocks;
	l->n_links = c->n_links;
	l->block_links_max = c->n_links / 4;
	for (uint32_t i = c->n_txs; i > 0; i--) {
		l->txs[i].next = l->free_tx;
		l->free_tx = i;
	}
	for (uint32_t i = c->n_blocks + LIFE_OPEN_MAX; i > 0; i--) {
		l->blocks[i].next = l->free_block;
		l->free_block = i;
	}
	for (uint32_t i = c->n_links; i > 0; i--) {
		l->links[i].next = l->free_link;
		l->free_link = i;
	}
	l->n_protocols = c->n_protocols;
	for (uint32_t i = 0; i < c->n_protocols; i++) {
		memcpy(l->names[i], c->protocols[i].name, sizeof l->names[i] - 1);
		for (uint32_t k = 0; k < c->protocols[i].n_addresses; k++)
			add_address(l, c->protocols[i].addresses[k], i);
	}
	return l;
}

/* ---- facts ---- */

static struct life_tx *
find_or_make(struct life *l, const uint8_t hash[32])
{
	uint32_t slot = life_tx_find(l, hash);
	return slot != 0 ? &l->txs[slot] : life_tx_make(l, hash);
}

void
life_announced(struct life *l, const uint8_t hash[32], int type, uint32_t size, uint64_t now_ns)
{
	struct life_tx *t = find_or_make(l, hash);
	if (t->state == LIFE_CANDIDATE) {
		t->announced_ns = now_ns;
		t->has |= LIFE_HAS_ANNOUNCED;
		life_tx_state(l, t, LIFE_ANNOUNCED, now_ns);
		l->counts[LIFE_N_ANNOUNCED]++;
	}
	if (t->state != LIFE_ANNOUNCED)
		return;
	if (type >= 0 && type <= UINT8_MAX && !(t->has & LIFE_HAS_TYPE)) {
		t->announced_type = (uint8_t)type;
		t->has |= LIFE_HAS_TYPE;
	}
	if (t->announced_size == 0)
		t->announced_size = size;
}

void
life_pending(struct life *l, const struct life_seen *s, uint64_t now_ns)
{
	struct life_tx *t = find_or_make(l, s->hash);
	life_tx_learn(l, t, s, now_ns);
	if (t->state == LIFE_INCLUDED || t->state == LIFE_REPLACED)
		return;
	bool first = !(t->has & LIFE_HAS_PENDING);
	if (first) {
		t->has |= LIFE_HAS_PENDING;
		t->pending_ns = now_ns;
		l->counts[LIFE_N_PENDING]++;
	}
	if (t->state == LIFE_ANNOUNCED)
		l->counts[LIFE_N_ANNOUNCED_JOINED]++;
	if (t->state != LIFE_PENDING)
		life_tx_to_pending(l, t, now_ns);
	else if (first)
		life_tell(l, LIFE_EVENT_PENDING, t, NULL);
}

void
life_judged(struct life *l, const uint8_t *hash, uint64_t fingerprint, bool accepted, uint8_t reason,
	uint64_t now_ns)
{
	uint32_t slot = hash != NULL ? life_tx_find(l, hash) : 0;
	if (slot == 0 && fingerprint != 0)
		slot = life_tx_find_fp(l, fingerprint);
	if (slot == 0) {
		l->counts[LIFE_N_JUDGED_UNKNOWN]++;
		return;
	}
	struct life_tx *t = &l->txs[slot];
	uint8_t verdict = accepted ? LIFE_ACCEPTED : LIFE_REFUSED;
	if (t->verdict == verdict || t->verdict == LIFE_ACCEPTED)
		return;
	t->verdict = verdict;
	t->reason = reason;
	t->judged_ns = now_ns;
	l->counts[accepted ? LIFE_N_ACCEPTED : LIFE_N_REFUSED]++;
	life_tell(l, LIFE_EVENT_JUDGED, t, NULL);
}

void
life_mined(struct life *l, const struct life_seen *s, const uint8_t *block_hash, uint64_t now_ns)
{
	uint32_t at = block_hash != NULL ? life_block_slot(l, block_hash) : 0;
	struct life_block *b = at != 0 ? &l->blocks[at] : NULL;
	/* Whether a candidate comes in is not for an answer to say, if the engine does. */
	bool wait = b != NULL && !b->canonical && l->engine_seen;
	if (wait && life_tx_find(l, s->hash) == 0)
		return;
	struct life_tx *t = find_or_make(l, s->hash);
	life_tx_learn(l, t, s, now_ns);
	if (wait || t->state == LIFE_INCLUDED)
		return;
	struct life_link *k = NULL;
	if (b != NULL && b->canonical && !b->settled && l->free_link != 0)
		k = life_block_link(l, b); /* makes no room: there is a free one */
	if (k != NULL) {
		k->tx = life_tx_slot(l, t);
		k->generation = t->generation;
		t->refs++;
	}
	life_tx_include(l, t, k != NULL ? b : NULL, false, now_ns);
}

/* ---- time ---- */

/* The first of a list, if it has been there for ttl_ns. */
static struct life_tx *
expired(const struct life *l, enum life_class class_, uint64_t ttl_ns, uint64_t now_ns)
{
	uint32_t slot = l->lists[class_].first;
	struct life_tx *t = &l->txs[slot];
	return slot != 0 && now_ns > t->since_ns && now_ns - t->since_ns >= ttl_ns ? t : NULL;
}

uint32_t
life_age(struct life *l, uint64_t now_ns, uint32_t budget)
{
	uint32_t n = 0;
	for (struct life_tx *t; n < budget; n++) {
		if ((t = expired(l, CLASS_PENDING, l->pending_ttl_ns, now_ns)) != NULL) {
			life_tx_state(l, t, LIFE_DROPPED, now_ns);
			l->counts[LIFE_N_DROPPED]++;
			life_tell(l, LIFE_EVENT_DROPPED, t, NULL);
		} else if ((t = expired(l, CLASS_ANNOUNCED, l->announced_ttl_ns, now_ns)) != NULL) {
			l->counts[LIFE_N_ANNOUNCED_EXPIRED]++;
			t->has &= (uint8_t) ~(LIFE_HAS_ANNOUNCED | LIFE_HAS_TYPE);
			t->announced_size = 0;
			life_tx_state(l, t, LIFE_CANDIDATE, now_ns);
			if (t->refs == 0)
				life_tx_free(l, life_tx_slot(l, t));
		} else {
			break;
		}
	}
	return n;
}

/* ---- looking ---- */

const struct life_tx *
life_find(const struct life *l, const uint8_t hash[32])
{
	uint32_t slot = life_tx_find(l, hash);
	return slot != 0 ? &l->txs[slot] : NULL;
}

const struct life_tx *
life_replacement(const struct life *l, const struct life_tx *t)
{
	return t->state == LIFE_REPLACED ? life_tx_at(l, t->by) : NULL;
}

const struct life_block *
life_block_of(const struct life *l, const struct life_tx *t)
{
	return t->state == LIFE_INCLUDED ? life_block_at(l, t->by) : NULL;
}

const struct life_block *
life_block_find(const struct life *l, const uint8_t hash[32])
{
	uint32_t slot = life_block_slot(l, hash);
	return slot != 0 ? &l->blocks[slot] : NULL;
}

const struct life_block *
life_top(const struct life *l)
{
	return l->chain.last != 0 ? &l->blocks[l->chain.last] : NULL;
}

uint32_t
life_population(const struct life *l, enum life_state state)
{
	return l->states[state];
}

struct life_share
life_share(const struct life *l, int i, const char **name)
{
	bool one = i >= 0 && (uint32_t)i < l->n_protocols;
	if (name != NULL)
		*name = one ? l->names[i] : "";
	return one ? l->shares[i] : i == -1 ? l->total : (struct life_share){0};
}

static const char *const names[] = {
#define _(id, help) #id,
	LIFE_COUNTS(_)
#undef _
};
static const char *const helps[] = {
#define _(id, help) help,
	LIFE_COUNTS(_)
#undef _
};

const char *
life_count_name(enum life_count c)
{
	return names[c];
}

const char *
life_count_help(enum life_count c)
{
	return helps[c];
}
