/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/suspects.h"

#include "detect/round64.h"

#include <string.h>

#define WAYS 8u

size_t
suspects_bytes(uint32_t n)
{
	return round64((size_t)n * sizeof(struct suspect)) + round64(n) + round64((size_t)n * sizeof(uint32_t));
}

void
suspects_init(struct suspects *s, void *mem, uint32_t n)
{
	uint8_t *p = mem;
	memset(s, 0, sizeof *s);
	s->n = n;
	s->slot = (struct suspect *)p;
	s->used = p += round64((size_t)n * sizeof(struct suspect));
	s->by_fingerprint = (uint32_t *)(p + round64(n));
	memset(s->used, 0, n);
	memset(s->by_fingerprint, 0, (size_t)n * sizeof(uint32_t));
}

/* Hashes are keccak's: whoever wants many in one set has to search for them, and displaces only what nobody accepted. */
static uint32_t
set_of(const struct suspects *s, const uint8_t *hash)
{
	uint32_t h;
	memcpy(&h, hash + 8, sizeof h);
	return h & (s->n - 1) & ~(WAYS - 1);
}

/* Fingerprints are keyed. */
static uint32_t
set_of_fingerprint(const struct suspects *s, uint64_t fingerprint)
{
	return (uint32_t)(fingerprint >> 8) & (s->n - 1) & ~(WAYS - 1);
}

struct suspect *
suspects_find(struct suspects *s, const uint8_t hash[32])
{
	uint32_t set = set_of(s, hash);
	for (uint32_t i = set; i < set + WAYS; i++)
		if (s->used[i] && memcmp(s->slot[i].hash, hash, 32) == 0)
			return &s->slot[i];
	return NULL;
}

struct suspect *
suspects_of_fingerprint(struct suspects *s, uint64_t fingerprint)
{
	const uint32_t *set = &s->by_fingerprint[set_of_fingerprint(s, fingerprint)];
	for (uint32_t i = 0; fingerprint != 0 && i < WAYS; i++)
		if (set[i] != 0 && s->slot[set[i] - 1].fingerprint == fingerprint)
			return &s->slot[set[i] - 1];
	return NULL;
}

static bool
less_worth(const struct suspect *a, const struct suspect *b)
{
	bool a_kept = a->accepted && !a->ended, b_kept = b->accepted && !b->ended;
	return a_kept != b_kept ? b_kept : a->t_ns < b->t_ns;
}

/* A place in the set that points nowhere, or at who has another fingerprint by now, or is worth the least. */
static void
note_fingerprint(struct suspects *s, struct suspect *t, uint64_t fingerprint)
{
	uint32_t *set = &s->by_fingerprint[set_of_fingerprint(s, fingerprint)], *at = set, own = (uint32_t)(t - s->slot) + 1;
	t->fingerprint = fingerprint;
	for (uint32_t *i = set; i < set + WAYS; i++) {
		if (*i == own)
			return;
		const struct suspect *other = *i != 0 ? &s->slot[*i - 1] : NULL;
		bool stale = other == NULL || set_of_fingerprint(s, other->fingerprint) != (uint32_t)(set - s->by_fingerprint);
		if (stale) {
			at = i;
			*i = 0;
		} else if (*at != 0 && less_worth(other, &s->slot[*at - 1])) {
			at = i;
		}
	}
	*at = own;
}

struct suspect *
suspects_add(struct suspects *s, const uint8_t hash[32], uint64_t fingerprint, uint64_t now_ns)
{
	struct suspect *t = suspects_find(s, hash);
	if (t == NULL) {
		uint32_t set = set_of(s, hash), at = set;
		for (uint32_t i = set; i < set + WAYS; i++) {
			if (!s->used[i]) {
				at = i;
				break;
			}
			if (less_worth(&s->slot[i], &s->slot[at]))
				at = i;
		}
		s->evicted += s->used[at];
		s->used[at] = 1;
		t = &s->slot[at];
		*t = (struct suspect){.t_ns = now_ns};
		memcpy(t->hash, hash, 32);
	}
	if (fingerprint != 0)
		note_fingerprint(s, t, fingerprint);
	return t;
}

struct suspect_part *
suspect_part_of(struct suspect *t, uint32_t slot, const uint8_t key[8])
{
	for (uint32_t i = 0; i < t->n_incidents; i++)
		if (t->incident[i].slot == slot && memcmp(t->incident[i].key, key, 8) == 0)
			return &t->incident[i];
	return NULL;
}

bool
suspect_joins(struct suspect *t, uint32_t slot, const uint8_t key[8], uint32_t rule_index)
{
	if (suspect_part_of(t, slot, key) != NULL || t->n_incidents == SUSPECT_INCIDENTS)
		return false;
	t->incident[t->n_incidents].slot = slot;
	t->incident[t->n_incidents].told = 0;
	t->incident[t->n_incidents].ready = false;
	t->incident[t->n_incidents].rule_index = rule_index;
	memcpy(t->incident[t->n_incidents++].key, key, 8);
	return true;
}

void
suspect_creates(struct suspect *t, const uint8_t address[20])
{
	for (uint32_t i = 0; i < t->n_created; i++)
		if (memcmp(t->created[i], address, 20) == 0)
			return;
	if (t->n_created < SUSPECT_CREATED_MAX)
		memcpy(t->created[t->n_created++], address, 20);
}
