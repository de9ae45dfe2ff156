/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/storm.h"

#include <string.h>

#define WAYS 4u
#define LOOK_AT 32u

static struct storm_group *
group_of(struct storms *s, const uint8_t key[20])
{
	uint32_t h;
	memcpy(&h, key, sizeof h);
	struct storm_group *set = &s->group[(h & (STORM_GROUPS - 1)) & ~(WAYS - 1)], *oldest = set;
	for (struct storm_group *g = set; g < set + WAYS; g++) {
		if (g->used && memcmp(g->key, key, 20) == 0)
			return g;
		if (!g->used)
			oldest = g;
		else if (oldest->used && g->last_ns < oldest->last_ns)
			oldest = g;
	}
	if (oldest->used && oldest->waiting > 0)
		return NULL; /* what it holds is not told yet */
	memset(oldest, 0, sizeof *oldest);
	memcpy(oldest->key, key, 20);
	oldest->used = true;
	return oldest;
}

enum storm_verdict
storm_take(struct storms *s, const uint8_t key[20], const struct alert_record *r, uint64_t now_ns, struct storm_group **group)
{
	struct storm_group *g = *group = now_ns != 0 ? group_of(s, key) : NULL; /* a list without times is no flood */
	if (g == NULL)
		return STORM_TELL;
	if (now_ns > g->since_ns && now_ns - g->since_ns >= STORM_SPAN_NS) {
		g->since_ns = now_ns;
		g->n = 0;
	}
	if (now_ns > g->last_ns)
		g->last_ns = now_ns;
	g->total++;
	if (g->n < STORM_FREE) {
		g->n++;
		return STORM_TELL;
	}
	if (g->waiting == 0) {
		g->like = *r;
		g->first_held_ns = now_ns;
		s->busy++;
	}
	memcpy(g->hash[g->waiting++], r->hash, 32);
	return g->waiting == STORM_HASHES ? STORM_FULL : STORM_HELD;
}

struct storm_group *
storm_due(struct storms *s, uint64_t now_ns, bool all)
{
	uint32_t look = all ? STORM_GROUPS : LOOK_AT;
	for (uint32_t i = 0; s->busy > 0 && i < look; i++) {
		struct storm_group *g = &s->group[s->hand++ % STORM_GROUPS];
		if (g->waiting > 0 && (all || (now_ns > g->first_held_ns && now_ns - g->first_held_ns >= STORM_WAIT_NS)))
			return g;
	}
	return NULL;
}

void
storm_keep(struct storms *s, struct storm_group *g, uint32_t n)
{
	s->busy -= g->waiting > 0 && n == 0;
	g->waiting = n;
}

void
storm_record(const struct storm_group *g, struct alert_record *r)
{
	*r = g->like;
	r->reasons |= REASON(STORM);
	r->n_same = g->total;
	r->n_related = 0;
	for (uint32_t i = 1; i < g->waiting; i++) {
		struct alert_related *other = &r->related[r->n_related++];
		other->role = ROLE_SAME;
		memcpy(other->hash, g->hash[i], 32);
	}
}

void
storm_told(struct storms *s, struct storm_group *g, uint64_t seq, uint32_t ring)
{
	s->busy -= g->waiting > 0;
	g->waiting = 0;
	if (seq == 0)
		return;
	g->seq = seq;
	g->ring = ring;
}
