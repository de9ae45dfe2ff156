/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/recall_table.h"

#include "control/recall_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
recall_table_new(struct recall_table *t, uint32_t n_armed, uint32_t n_live, const uint64_t seed[2])
{
	*t = (struct recall_table){.seed = {seed[0], seed[1]}};
	t->armed = calloc(n_armed, sizeof *t->armed);
	t->live = calloc(n_live, sizeof *t->live);
	if (t->armed != NULL && t->live != NULL && recall_pool_new(&t->armed_pool, n_armed) == 0 &&
		recall_pool_new(&t->live_pool, n_live) == 0)
		return 0;
	recall_table_free(t);
	return -ENOMEM;
}

void
recall_table_free(struct recall_table *t)
{
	recall_pool_free(&t->armed_pool);
	recall_pool_free(&t->live_pool);
	free(t->armed);
	free(t->live);
	*t = (struct recall_table){0};
}

/* Attackers choose addresses and, by their transactions, keys: not knowing the seed they cannot make them
 * fall together. */
static uint64_t
hash_of(const struct recall_table *t, const uint8_t *p, size_t n, uint64_t more)
{
	uint64_t h = t->seed[0] ^ more;
	for (size_t at = 0; at < n; at += 8) {
		uint64_t w = 0;
		memcpy(&w, p + at, n - at < 8 ? n - at : 8);
		unsigned __int128 m = (unsigned __int128)(h ^ w) * (t->seed[1] | 1);
		h = (uint64_t)m ^ (uint64_t)(m >> 64);
	}
	unsigned __int128 m = (unsigned __int128)(h ^ t->seed[1]) * 0x9e3779b97f4a7c15u;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	while (n > 0)
		if (p[--n] != 0)
			return false;
	return true;
}

static uint64_t
armed_hash(const struct recall_table *t, const uint8_t address[20], uint64_t chain_id)
{
	return hash_of(t, address, 20, chain_id);
}

static uint32_t
find_armed(const struct recall_table *t, const uint8_t address[20], uint64_t chain_id)
{
	uint32_t s = recall_pool_first(&t->armed_pool, armed_hash(t, address, chain_id));
	while (s != RECALL_NONE &&
		(t->armed[s].chain_id != chain_id || memcmp(t->armed[s].address, address, 20) != 0))
		s = recall_pool_next(&t->armed_pool, s);
	return s;
}

static uint32_t
find_live(const struct recall_table *t, const uint8_t key[32])
{
	uint32_t s = recall_pool_first(&t->live_pool, hash_of(t, key, 32, 0));
	while (s != RECALL_NONE && memcmp(t->live[s].dedupekey, key, 32) != 0)
		s = recall_pool_next(&t->live_pool, s);
	return s;
}

static void
forget_armed(struct recall_table *t, uint32_t s)
{
	recall_pool_give(&t->armed_pool, s, armed_hash(t, t->armed[s].address, t->armed[s].chain_id));
}

static void
forget_live(struct recall_table *t, uint32_t s)
{
	recall_pool_give(&t->live_pool, s, hash_of(t, t->live[s].dedupekey, 32, 0));
}

/* ---- contracts ---- */

static enum recall_list
list_of(const struct memory_armed *e)
{
	if (e->flags & MEMORY_OPERATOR)
		return RECALL_OPERATOR;
	return e->flags & MEMORY_INCLUDED ? RECALL_INCLUDED : RECALL_PENDING;
}

/* A slot for one that will be of `list`, if need be that of the longest silent that may go for it. */
static uint32_t
room_for(struct recall_table *t, const uint8_t address[20], uint64_t chain_id, enum recall_list list,
	uint64_t heard_ns)
{
	struct recall_pool *p = &t->armed_pool;
	if (p->head[RECALL_FREE] == RECALL_NONE) {
		uint32_t victim = p->tail[RECALL_PENDING];
		if (victim == RECALL_NONE && list != RECALL_PENDING)
			victim = p->tail[RECALL_INCLUDED];
		if (victim == RECALL_NONE) {
			t->refused++;
			return victim;
		}
		t->evicted++;
		t->evicted_included += p->list[victim] == RECALL_INCLUDED;
		forget_armed(t, victim);
	}
	uint32_t s = recall_pool_take(p, RECALL_NONE, armed_hash(t, address, chain_id), list, heard_ns);
	t->armed[s] = (struct memory_armed){.chain_id = chain_id};
	memcpy(t->armed[s].address, address, 20);
	return s;
}

static uint64_t
time_of(const struct journal_event *e, uint64_t ns)
{
	uint64_t t = ns != 0 && ns <= INT64_MAX ? ns : e->t_journaled_ns;
	return t <= INT64_MAX ? t : 0;
}

static void
put_times(struct memory_armed *a, uint64_t since_ns, uint64_t last_ns)
{
	if (a->since_ns == 0 || since_ns < a->since_ns)
		a->since_ns = since_ns;
	if (last_ns > a->last_ns)
		a->last_ns = last_ns;
	if (a->last_ns < a->since_ns)
		a->last_ns = a->since_ns;
}

static void
describe(struct memory_armed *a, const struct alert_record *r)
{
	memcpy(a->dedupekey, r->dedupekey, 32);
	memset(a->deploy_hash, 0, 32);
	memset(a->deployer, 0, 20);
	if (r->has & HAS_HASH)
		memcpy(a->deploy_hash, r->hash, 32);
	if (r->has & HAS_FROM)
		memcpy(a->deployer, r->from, 20);
	a->score = r->has & HAS_SCORE ? (r->score <= ALERT_SCORE_MAX ? r->score : ALERT_SCORE_MAX) : 0;
	a->reasons = r->reasons & ((1ull << REASON_BIT_COUNT) - 1);
	a->providers = r->providers & ((1ull << PROVIDER_COUNT) - 1);
	a->rule_id = r->rule_id;
	a->n_protected = 0;
	memset(a->protected_, 0, sizeof a->protected_);
	for (uint32_t i = 0;
		i < r->n_protocols && i < ALERT_PROTOCOLS_MAX && a->n_protected < MEMORY_PROTECTED_MAX; i++)
		if (r->touches[i] != 0)
			memcpy(a->protected_[a->n_protected++], r->protocols[i], 20);
	if (r->reasons & REASON(DELEGATION))
		a->flags |= MEMORY_DELEGATION;
}

/* The transaction that armed it will not be mined: another with its nonce may arm the same address. */
static void
take_end(struct recall_table *t, uint32_t s, const struct alert_record *r)
{
	struct memory_armed *a = s != RECALL_NONE ? &t->armed[s] : NULL;
	if (a == NULL || memcmp(a->deploy_hash, r->hash, 32) != 0)
		return;
	t->dropped++;
	if (!(a->flags & MEMORY_OPERATOR)) {
		forget_armed(t, s);
		return;
	}
	a->flags = MEMORY_OPERATOR;
	memset(a->deploy_hash, 0, 32);
	memset(a->dedupekey, 0, 32);
	recall_pool_changed(&t->armed_pool, s);
}

static void
take_arming(struct recall_table *t, const struct journal_event *e)
{
	const struct alert_record *r = &e->record;
	uint64_t chain = r->has & HAS_CHAIN_ID ? r->chain_id : 0;
	uint32_t s = find_armed(t, r->armed, chain);
	if (r->kind == ALERT_KIND_RETRACT || r->ending == ENDING_DROPPED || r->ending == ENDING_REPLACED) {
		take_end(t, s, r);
		return;
	}
	bool included = r->ending == ENDING_INCLUDED; /* what a peer alone calls included is flagged, and open */
	if (s == RECALL_NONE)
		s = room_for(
			t, r->armed, chain, included ? RECALL_INCLUDED : RECALL_PENDING, e->t_journaled_ns);
	if (s == RECALL_NONE)
		return;
	struct memory_armed *a = &t->armed[s];
	bool same = memcmp(a->deploy_hash, r->hash, 32) == 0;
	/* Whoever sends another transaction that would make a contract which is there already takes nothing
	 * from it. */
	if ((a->flags & MEMORY_INCLUDED) && !same && !included)
		return;
	describe(a, r);
	if (included)
		a->flags |= MEMORY_INCLUDED;
	else if (r->ending == ENDING_REORGED)
		a->flags &= ~(uint32_t)MEMORY_INCLUDED;
	put_times(a, time_of(e, r->t_wire_ns), time_of(e, r->t_wire_ns));
	recall_pool_move(&t->armed_pool, s, list_of(a), e->t_journaled_ns);
}

static void
take_use(struct recall_table *t, const struct journal_event *e)
{
	const struct alert_record *r = &e->record;
	const uint64_t chains[2] = {r->has & HAS_CHAIN_ID ? r->chain_id : 0, 0};
	for (unsigned i = 0; i < (chains[0] != 0 ? 2u : 1u); i++) {
		uint32_t s = find_armed(t, r->armed, chains[i]);
		if (s == RECALL_NONE)
			continue;
		put_times(&t->armed[s], t->armed[s].since_ns, time_of(e, r->t_wire_ns));
		recall_pool_move(&t->armed_pool, s, list_of(&t->armed[s]), e->t_journaled_ns);
	}
}

/* ---- incidents ---- */

static void
put_hash(struct memory_incident *i, const uint8_t hash[32])
{
	unsigned k = 0;
	while (k < i->n_hashes && memcmp(i->hashes[k], hash, 8) != 0)
		k++;
	if (k == i->n_hashes && i->n_hashes < MEMORY_HASHES_MAX)
		i->n_hashes++;
	else if (k == i->n_hashes)
		k--;
	memmove(i->hashes[1], i->hashes[0], k * sizeof i->hashes[0]);
	memcpy(i->hashes[0], hash, 8);
}

static void
take_incident(struct recall_table *t, const struct journal_event *e)
{
	const struct alert_record *r = &e->record;
	struct recall_pool *p = &t->live_pool;
	uint32_t s = find_live(t, r->dedupekey);
	if (s == RECALL_NONE) {
		if (p->head[RECALL_FREE] == RECALL_NONE) {
			t->live_evicted++;
			forget_live(t, p->tail[RECALL_PENDING]);
		}
		s = recall_pool_take(
			p, RECALL_NONE, hash_of(t, r->dedupekey, 32, 0), RECALL_PENDING, e->t_journaled_ns);
		t->live[s] = (struct memory_incident){0};
		memcpy(t->live[s].dedupekey, r->dedupekey, 32);
	} else {
		recall_pool_move(p, s, RECALL_PENDING, e->t_journaled_ns);
	}
	struct memory_incident *i = &t->live[s];
	memcpy(i->epoch, e->epoch, sizeof i->epoch);
	i->ring = e->ring_id;
	i->seq = r->seq;
	i->last_ns = time_of(e, r->t_emitted_ns);
	i->generation = r->generation;
	i->rule_id = r->rule_id;
	i->grade = r->grade;
	i->ending = r->ending;
	if (r->has & HAS_HASH)
		put_hash(i, r->hash);
}

void
recall_table_take(struct recall_table *t, const struct journal_event *e)
{
	const struct alert_record *r = &e->record;
	if (e->loss || e->vet.node > VET_ASKED || r->kind == ALERT_KIND_DRILL)
		return;
	take_incident(t, e);
	if (!(r->has & HAS_ARMED) || all_zero(r->armed, 20))
		return;
	if (r->class_ == CLASS_FLASH_DEPLOY ||
		(r->class_ != CLASS_ARMED_CALL && (r->reasons & REASON(DELEGATION))))
		take_arming(t, e);
	else
		take_use(t, e);
}

/* ---- age ---- */

static bool
is_old(const struct recall_pool *p, uint32_t s, uint64_t now_ns, uint64_t age_ns)
{
	return s != RECALL_NONE && now_ns > p->heard[s] && now_ns - p->heard[s] > age_ns;
}

void
recall_table_age(struct recall_table *t, uint64_t now_ns, uint32_t budget)
{
	struct recall_pool *a = &t->armed_pool, *l = &t->live_pool;
	for (uint32_t i = 0; i < budget && is_old(a, a->tail[RECALL_PENDING], now_ns, RECALL_ARMED_AGE_NS);
		i++, t->aged++)
		forget_armed(t, a->tail[RECALL_PENDING]);
	for (uint32_t i = 0;
		i < budget && is_old(a, a->tail[RECALL_INCLUDED], now_ns, RECALL_INCLUDED_AGE_NS);
		i++, t->aged++)
		forget_armed(t, a->tail[RECALL_INCLUDED]);
	for (uint32_t i = 0; i < budget && is_old(l, l->tail[RECALL_PENDING], now_ns, RECALL_INCIDENT_AGE_NS);
		i++, t->live_aged++)
		forget_live(t, l->tail[RECALL_PENDING]);
}

/* ---- operators ---- */

int
recall_table_watch(struct recall_table *t, const uint8_t address[20], uint64_t now_ns)
{
	uint32_t s = find_armed(t, address, 0);
	if (s != RECALL_NONE && (t->armed[s].flags & MEMORY_OPERATOR))
		return -EEXIST;
	if (t->armed_pool.count[RECALL_OPERATOR] == RECALL_WATCH_MAX)
		return -ENOSPC;
	if (s == RECALL_NONE)
		s = room_for(t, address, 0, RECALL_OPERATOR, now_ns);
	if (s == RECALL_NONE)
		return -ENOSPC;
	t->armed[s].flags |= MEMORY_OPERATOR;
	put_times(&t->armed[s], now_ns, now_ns);
	recall_pool_move(&t->armed_pool, s, RECALL_OPERATOR, now_ns);
	return 0;
}

int
recall_table_unwatch(struct recall_table *t, const uint8_t address[20])
{
	uint32_t s = find_armed(t, address, 0);
	struct memory_armed *a = s != RECALL_NONE ? &t->armed[s] : NULL;
	if (a == NULL || !(a->flags & MEMORY_OPERATOR))
		return -ENOENT;
	a->flags &= ~(uint32_t)MEMORY_OPERATOR;
	if (all_zero(a->dedupekey, 32))
		forget_armed(t, s);
	else
		recall_pool_move(&t->armed_pool, s, list_of(a), t->armed_pool.heard[s]);
	return 0;
}

/* ---- in and out ---- */

const struct memory_armed *
recall_table_armed(const struct recall_table *t, const uint8_t address[20], uint64_t chain_id)
{
	uint32_t s = find_armed(t, address, chain_id);
	return s != RECALL_NONE ? &t->armed[s] : NULL;
}

const struct memory_incident *
recall_table_incident(const struct recall_table *t, const uint8_t dedupekey[32])
{
	uint32_t s = find_live(t, dedupekey);
	return s != RECALL_NONE ? &t->live[s] : NULL;
}

/* One entry is checked as a page of its own. */
static bool
entry_ok(const void *e, size_t n, uint32_t armed, uint32_t live)
{
	struct {
		struct memory_page h;
		uint64_t entry[sizeof(struct memory_armed) / 8];
	} p = {.h = {.magic = MEMORY_MAGIC,
		       .version = MEMORY_VERSION,
		       .header_bytes = sizeof(struct memory_page),
		       .armed_bytes = sizeof(struct memory_armed),
		       .incident_bytes = sizeof(struct memory_incident),
		       .n_armed = armed,
		       .n_incidents = live,
		       .number = 1}};
	memcpy(p.entry, e, n);
	return memory_check(&p, sizeof p.h + n) == 0;
}

bool
recall_table_load_armed(
	struct recall_table *t, uint32_t slot, uint64_t heard_ns, const struct memory_armed *e)
{
	struct recall_pool *p = &t->armed_pool;
	if (slot >= p->n || p->list[slot] != RECALL_FREE || !entry_ok(e, sizeof *e, 1, 0) ||
		find_armed(t, e->address, e->chain_id) != RECALL_NONE)
		return false;
	t->armed[slot] = *e;
	recall_pool_take(p, slot, armed_hash(t, e->address, e->chain_id), list_of(e), heard_ns);
	return true;
}

bool
recall_table_load_live(
	struct recall_table *t, uint32_t slot, uint64_t heard_ns, const struct memory_incident *e)
{
	struct recall_pool *p = &t->live_pool;
	if (slot >= p->n || p->list[slot] != RECALL_FREE || !entry_ok(e, sizeof *e, 0, 1) ||
		find_live(t, e->dedupekey) != RECALL_NONE)
		return false;
	t->live[slot] = *e;
	recall_pool_take(p, slot, hash_of(t, e->dedupekey, 32, 0), RECALL_PENDING, heard_ns);
	return true;
}

void *
recall_table_page(const struct recall_table *t, uint64_t number, uint64_t now_ns, size_t *bytes)
{
	const struct recall_pool *a = &t->armed_pool, *l = &t->live_pool;
	uint32_t n_armed = a->n - a->count[RECALL_FREE], n_live = l->n - l->count[RECALL_FREE];
	*bytes = MEMORY_BYTES(n_armed, n_live);
	struct memory_page *p = malloc(*bytes);
	if (p == NULL)
		return NULL;
	*p = (struct memory_page){.magic = MEMORY_MAGIC,
		.version = MEMORY_VERSION,
		.header_bytes = sizeof *p,
		.armed_bytes = sizeof(struct memory_armed),
		.incident_bytes = sizeof(struct memory_incident),
		.n_armed = n_armed,
		.n_incidents = n_live,
		.number = number,
		.made_ns = now_ns};
	/* What would go last comes first: a reader with less room has the best of it. */
	struct memory_armed *out = (void *)(p + 1);
	static const enum recall_list order[] = {RECALL_OPERATOR, RECALL_INCLUDED, RECALL_PENDING};
	for (unsigned i = 0; i < 3; i++)
		for (uint32_t s = a->head[order[i]]; s != RECALL_NONE; s = a->next[s])
			*out++ = t->armed[s];
	struct memory_incident *live = (void *)out;
	for (uint32_t s = l->head[RECALL_PENDING]; s != RECALL_NONE; s = l->next[s])
		*live++ = t->live[s];
	return p;
}
