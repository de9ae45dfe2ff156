/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/watch.h"

#include "detect/round64.h"

#include <string.h>

#define WAYS 8u

struct table {
	struct watch_entry *slot;
	uint8_t *used;
	uint32_t n, population;
};

struct watch {
	struct table kept, pending;
	uint64_t k0, k1;
	uint64_t *counts;
	uint32_t hand; /* where watch_age goes on */
};

static bool
size_ok(uint32_t n)
{
	return n >= 16 && n <= 1u << 20 && (n & (n - 1)) == 0;
}

static size_t
table_bytes(uint32_t n)
{
	return round64(n * sizeof(struct watch_entry)) + round64(n);
}

size_t
watch_bytes(const struct watch_config *c)
{
	if (!size_ok(c->n_pending) || !size_ok(c->n_kept))
		return 0;
	return round64(sizeof(struct watch)) + table_bytes(c->n_pending) + table_bytes(c->n_kept);
}

static uint8_t *
table_init(struct table *t, uint8_t *mem, uint32_t n)
{
	t->slot = (struct watch_entry *)mem;
	t->used = mem + round64(n * sizeof(struct watch_entry));
	t->n = n;
	return mem + table_bytes(n);
}

struct watch *
watch_init(void *mem, const struct watch_config *c)
{
	struct watch *w = mem;
	memset(mem, 0, watch_bytes(c));
	memcpy(&w->k0, c->key, 8);
	memcpy(&w->k1, c->key + 8, 8);
	w->counts = c->counts;
	uint8_t *next = table_init(&w->kept, (uint8_t *)mem + round64(sizeof *w), c->n_kept);
	table_init(&w->pending, next, c->n_pending);
	return w;
}

/* Of the address alone, so that an entry of any chain lies with those of one. */
static uint32_t
set_of(const struct watch *w, const struct table *t, const uint8_t *address)
{
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, address, 8);
	memcpy(&b, address + 8, 8);
	memcpy(&c, address + 16, 4);
	unsigned __int128 m = (unsigned __int128)(a ^ w->k0) * ((b ^ w->k1 ^ (uint64_t)c << 17) | 1);
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ c * 0x9e3779b97f4a7c15u;
	h *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 36) & (t->n - 1) & ~(WAYS - 1);
}

static struct watch_entry *
find_in(const struct watch *w, const struct table *t, const uint8_t *address, uint64_t chain_id)
{
	uint32_t set = set_of(w, t, address);
	for (uint32_t i = set; i < set + WAYS; i++) {
		struct watch_entry *e = &t->slot[i];
		if (t->used[i] && memcmp(e->address, address, 20) == 0 && (e->chain_id == chain_id || e->chain_id == 0 || chain_id == 0))
			return e;
	}
	return NULL;
}

const struct watch_entry *
watch_find(const struct watch *w, const uint8_t address[20], uint64_t chain_id)
{
	const struct watch_entry *e = find_in(w, &w->kept, address, chain_id);
	return e != NULL ? e : find_in(w, &w->pending, address, chain_id);
}

static void
drop(struct table *t, struct watch_entry *e)
{
	t->used[e - t->slot] = 0;
	t->population--;
}

/* Pending: the one armed first makes room, of those that no node accepted as long as there are some. Kept: the one used longest ago. */
static uint64_t
worth(const struct watch *w, const struct table *t, const struct watch_entry *e)
{
	if (t == &w->kept)
		return e->last_ns;
	return e->since_ns / 2 + (e->flags & WATCH_ACCEPTED ? UINT64_MAX / 2 : 0);
}

/* NULL: all that are there are operators'. */
static struct watch_entry *
place_for(struct watch *w, struct table *t, const uint8_t *address)
{
	uint32_t set = set_of(w, t, address), victim = UINT32_MAX;
	for (uint32_t i = set; i < set + WAYS; i++) {
		if (!t->used[i]) {
			victim = i;
			break;
		}
		if (t->slot[i].flags & WATCH_OPERATOR)
			continue;
		if (victim == UINT32_MAX || worth(w, t, &t->slot[i]) < worth(w, t, &t->slot[victim]))
			victim = i;
	}
	if (victim == UINT32_MAX)
		return NULL;
	if (t->used[victim])
		w->counts[t == &w->pending ? WATCH_N_EVICTED_PENDING : WATCH_N_EVICTED_KEPT]++;
	else
		t->population++;
	t->used[victim] = 1;
	return &t->slot[victim];
}

static const uint8_t no_hash[32];

/* Which transactions would make it. */
static void
merge_deployment(struct watch_entry *into, const struct watch_entry *e)
{
	if (memcmp(e->deploy_hash, no_hash, 32) == 0 || memcmp(e->deploy_hash, into->deploy_hash, 32) == 0)
		return;
	bool known = memcmp(into->deploy_hash, no_hash, 32) != 0;
	if (known)
		memcpy(into->rival_hash, e->deploy_hash, 32);
	if (e->since_ns == 0 || (known && into->since_ns != 0 && e->since_ns >= into->since_ns))
		return;
	if (known)
		memcpy(into->rival_hash, into->deploy_hash, 32);
	memcpy(into->deploy_hash, e->deploy_hash, 32);
	memcpy(into->deployer, e->deployer, 20);
	into->deploy_nonce = e->deploy_nonce;
}

static void
merge(struct watch_entry *into, const struct watch_entry *e)
{
	merge_deployment(into, e);
	into->flags |= e->flags;
	into->providers |= e->providers;
	into->reasons |= e->reasons;
	if (e->since_ns != 0 && (into->since_ns == 0 || e->since_ns < into->since_ns))
		into->since_ns = e->since_ns;
	if (e->score > into->score)
		into->score = e->score;
	if (e->learned > into->learned)
		into->learned = e->learned;
	for (uint32_t i = 0; i < e->n_protected && i < WATCH_PROTECTED_MAX; i++) {
		bool there = false;
		for (uint32_t k = 0; k < into->n_protected; k++)
			there |= memcmp(into->protected_[k], e->protected_[i], 20) == 0;
		if (!there && into->n_protected < WATCH_PROTECTED_MAX)
			memcpy(into->protected_[into->n_protected++], e->protected_[i], 20);
	}
}

#define KEPT_FLAGS ((uint32_t)(WATCH_INCLUDED | WATCH_OPERATOR))

/* Into the other table, if that is where its flags say that it belongs. */
static struct watch_entry *
settle(struct watch *w, struct watch_entry *e)
{
	struct table *t = e >= w->kept.slot && e < w->kept.slot + w->kept.n ? &w->kept : &w->pending;
	struct table *right = e->flags & KEPT_FLAGS ? &w->kept : &w->pending;
	if (t == right)
		return e;
	struct watch_entry copy = *e;
	struct watch_entry *to = place_for(w, right, copy.address);
	if (to == NULL)
		return e;
	*to = copy;
	drop(t, e);
	return to;
}

const struct watch_entry *
watch_arm(struct watch *w, const struct watch_entry *e, uint64_t now_ns)
{
	struct watch_entry *have = find_in(w, &w->kept, e->address, e->chain_id);
	if (have == NULL)
		have = find_in(w, &w->pending, e->address, e->chain_id);
	if (have == NULL) {
		struct watch_entry *to = place_for(w, e->flags & KEPT_FLAGS ? &w->kept : &w->pending, e->address);
		if (to == NULL) {
			w->counts[WATCH_N_REFUSED]++;
			return NULL;
		}
		*to = *e;
		if (to->n_protected > WATCH_PROTECTED_MAX)
			to->n_protected = WATCH_PROTECTED_MAX;
		w->counts[WATCH_N_ARMED]++;
		have = to;
	} else {
		merge(have, e);
		have = settle(w, have);
	}
	if (have->last_ns < now_ns)
		have->last_ns = now_ns;
	return have;
}

static struct watch_entry *
find_any(struct watch *w, const uint8_t *address, uint64_t chain_id)
{
	struct watch_entry *e = find_in(w, &w->kept, address, chain_id);
	return e != NULL ? e : find_in(w, &w->pending, address, chain_id);
}

void
watch_used(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns)
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e != NULL && e->last_ns < now_ns)
		e->last_ns = now_ns;
}

void
watch_accepted(struct watch *w, const uint8_t address[20], uint64_t chain_id)
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e != NULL)
		e->flags |= WATCH_ACCEPTED;
}

void
watch_included(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns)
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e == NULL || (e->flags & WATCH_INCLUDED))
		return;
	e->flags |= WATCH_INCLUDED;
	e->last_ns = now_ns;
	w->counts[WATCH_N_INCLUDED]++;
	settle(w, e);
}

void
watch_excluded(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns)
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e == NULL || !(e->flags & WATCH_INCLUDED))
		return;
	e->flags &= ~(uint32_t)WATCH_INCLUDED;
	e->last_ns = now_ns;
	settle(w, e);
}

static void
forget(struct watch *w, struct watch_entry *e)
{
	drop(e >= w->kept.slot && e < w->kept.slot + w->kept.n ? &w->kept : &w->pending, e);
}

void
watch_forget(struct watch *w, const uint8_t address[20], uint64_t chain_id, const uint8_t deploy_hash[32])
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e == NULL || (e->flags & WATCH_INCLUDED))
		return;
	if (memcmp(e->rival_hash, deploy_hash, 32) == 0) {
		memset(e->rival_hash, 0, 32);
		return;
	}
	if (memcmp(e->deploy_hash, deploy_hash, 32) != 0)
		return;
	memcpy(e->deploy_hash, e->rival_hash, 32);
	memset(e->rival_hash, 0, 32);
	if (memcmp(e->deploy_hash, no_hash, 32) != 0)
		return;
	if (e->flags & WATCH_OPERATOR) {
		e->since_ns = 0; /* theirs alone from now on */
		return;
	}
	forget(w, e);
	w->counts[WATCH_N_FORGOTTEN]++;
}

static void
unwatch(struct watch *w, struct watch_entry *e)
{
	e->flags &= ~(uint32_t)WATCH_OPERATOR;
	if (e->since_ns == 0)
		forget(w, e);
	else
		settle(w, e);
}

void
watch_unwatch(struct watch *w, const uint8_t address[20], uint64_t chain_id)
{
	struct watch_entry *e = find_any(w, address, chain_id);
	if (e != NULL && (e->flags & WATCH_OPERATOR))
		unwatch(w, e);
}

void
watch_unwatch_all(struct watch *w)
{
	for (uint32_t i = 0; i < w->pending.n; i++) /* for which there was no room where they belong; first, or what moves there would be met again */
		if (w->pending.used[i] && (w->pending.slot[i].flags & WATCH_OPERATOR))
			unwatch(w, &w->pending.slot[i]);
	for (uint32_t i = 0; i < w->kept.n; i++)
		if (w->kept.used[i] && (w->kept.slot[i].flags & WATCH_OPERATOR))
			unwatch(w, &w->kept.slot[i]);
}

static void
age_one(struct watch *w, struct table *t, uint32_t i, uint64_t now_ns, uint64_t ttl_ns)
{
	const struct watch_entry *e = &t->slot[i];
	if (!t->used[i] || (e->flags & WATCH_OPERATOR) || e->last_ns >= now_ns || now_ns - e->last_ns < ttl_ns)
		return;
	drop(t, &t->slot[i]);
	w->counts[WATCH_N_AGED]++;
}

void
watch_age(struct watch *w, uint64_t now_ns, uint32_t budget)
{
	uint32_t all = w->kept.n + w->pending.n;
	for (uint32_t k = 0; k < budget; k++) {
		uint32_t i = w->hand++ % all;
		if (i < w->kept.n)
			age_one(w, &w->kept, i, now_ns, WATCH_KEPT_TTL_NS);
		else
			age_one(w, &w->pending, i - w->kept.n, now_ns, WATCH_PENDING_TTL_NS);
	}
}

uint32_t
watch_population(const struct watch *w, bool kept)
{
	return kept ? w->kept.population : w->pending.population;
}
