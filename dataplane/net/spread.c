/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/spread.h"

#include "net/flow.h"

#include <string.h>

/* As long as a receiver may wait for the rest. */
#define BOUND_NS 30000000000u

enum entry_state {
	ENTRY_FREE,
	ENTRY_WAITING, /* for the first fragment */
	ENTRY_BOUND,   /* by it */
	ENTRY_GUESSED, /* by addresses, because it did not come in time */
};

/* Where released items go. */
struct release {
	struct spread_out *out;
	unsigned n;
};

void
spread_init(struct spread *s, const uint32_t seed[4], const struct decode_rules *rules)
{
	memset(s, 0, sizeof *s);
	flow_seed(seed, s->seed);
	s->rules = *rules;
}

/* Other bits than the flow table's, so that the flows of one worker use all of its buckets. */
static uint32_t
hash_of(const struct spread *s, const struct endpoints *e)
{
	return (uint32_t)(flow_hash64(s->seed, e) * 0x9e3779b97f4a7c15u >> 32);
}

static uint32_t
guess(const struct spread *s, const uint64_t ip[2][2])
{
	struct endpoints e = {.port = {0, 0}};
	memcpy(e.ip, ip, sizeof e.ip);
	return hash_of(s, &e);
}

static void
bind_to(struct spread *s, struct spread_entry *e, enum entry_state state, uint32_t hash, struct release *r)
{
	e->state = (uint8_t)state;
	e->hash = hash;
	if (e->parked == 0)
		return;
	unsigned kept = 0;
	for (unsigned i = 0; i < s->n_parked; i++) {
		if (s->parked[i].entry == e)
			r->out[r->n++] = (struct spread_out){s->parked[i].item, hash};
		else
			s->parked[kept++] = s->parked[i];
	}
	s->n_parked = kept;
	e->parked = 0;
}

static void
expire(struct spread *s, uint64_t now_ns, struct release *r)
{
	while (s->n_parked > 0 && (int64_t)(now_ns - s->parked[0].since_ns) >= (int64_t)SPREAD_WAIT_NS) {
		struct spread_entry *e = s->parked[0].entry;
		bind_to(s, e, ENTRY_GUESSED, guess(s, (const uint64_t(*)[2])e->ip), r);
	}
}

static struct spread_entry *
entry_of(struct spread *s, const struct fragment *f, uint64_t now_ns, struct release *r)
{
	uint8_t proto = f->ip6 ? 0 : f->next;
	uint64_t h = flow_mix(f->ip[0][1] ^ s->seed[0], f->ip[0][0] ^ s->seed[1]) ^
		     flow_mix(f->ip[1][1] ^ s->seed[2], f->ip[1][0] ^ s->seed[3]);
	h = flow_mix(h ^ s->seed[4], ((uint64_t)proto << 32 | f->id) ^ s->seed[5]);
	struct spread_entry *set = s->entry[h % SPREAD_SETS], *victim = &set[0];
	for (unsigned i = 0; i < SPREAD_WAYS; i++) {
		struct spread_entry *e = &set[i];
		if (e->state != ENTRY_FREE && e->id == f->id && e->proto == proto && e->ip6 == f->ip6 &&
			memcmp(e->ip, f->ip, sizeof e->ip) == 0) {
			if (e->state != ENTRY_WAITING && (int64_t)(now_ns - e->used_ns) > (int64_t)BOUND_NS)
				e->state = ENTRY_WAITING;
			e->used_ns = now_ns;
			return e;
		}
		if (e->state == ENTRY_FREE ||
			(victim->state != ENTRY_FREE && (int64_t)(e->used_ns - victim->used_ns) < 0))
			victim = e;
	}
	if (victim->parked > 0)
		bind_to(s, victim, ENTRY_GUESSED, guess(s, (const uint64_t(*)[2])victim->ip), r);
	*victim = (struct spread_entry){
		.used_ns = now_ns, .id = f->id, .proto = proto, .state = ENTRY_WAITING, .ip6 = f->ip6};
	memcpy(victim->ip, f->ip, sizeof victim->ip);
	return victim;
}

static void
park(struct spread *s, struct spread_entry *e, void *item, uint64_t now_ns, struct release *r)
{
	if (s->n_parked == SPREAD_PARKED) {
		struct spread_entry *oldest = s->parked[0].entry;
		bind_to(s, oldest, ENTRY_GUESSED, guess(s, (const uint64_t(*)[2])oldest->ip), r);
	}
	if (e->state != ENTRY_WAITING) { /* it was the oldest */
		r->out[r->n++] = (struct spread_out){item, e->hash};
		return;
	}
	s->parked[s->n_parked++] = (struct spread_parked){item, e, now_ns};
	e->parked++;
}

/* A frame that is a fragment, or several in each other. */
static void
spread_parts(struct spread *s, const struct glance *g, void *item, uint64_t now_ns, struct release *r)
{
	const struct fragment *inner = &g->part[g->n - 1];
	bool first = inner->off == 0;
	struct spread_entry *e = entry_of(s, inner, now_ns, r);
	if (!first && e->state == ENTRY_WAITING) {
		park(s, e, item, now_ns, r);
		return;
	}
	uint32_t hash = e->hash;
	if (first && e->state != ENTRY_GUESSED)
		hash = g->tcp ? hash_of(s, &g->ends) : guess(s, inner->ip);
	if (first) /* a guess holds for one datagram */
		bind_to(s, e, ENTRY_BOUND, hash, r);
	for (unsigned i = 0; i + 1 < g->n; i++)
		bind_to(s, entry_of(s, &g->part[i], now_ns, r), ENTRY_BOUND, hash, r);
	r->out[r->n++] = (struct spread_out){item, hash};
}

unsigned
spread_frame(struct spread *s, struct span frame, uint32_t wire_len, enum net_link link, void *item,
	uint64_t now_ns, struct spread_out out[SPREAD_OUT_MAX])
{
	struct glance g;
	struct release r = {out, 0};
	frame_glance(frame, wire_len, link, &s->rules, &g);
	if (g.n == 0) {
		out[0] = (struct spread_out){item, g.tcp ? hash_of(s, &g.ends) : 0};
		return 1;
	}
	expire(s, now_ns, &r);
	spread_parts(s, &g, item, now_ns, &r);
	return r.n;
}

unsigned
spread_expire(struct spread *s, uint64_t now_ns, struct spread_out out[SPREAD_OUT_MAX])
{
	struct release r = {out, 0};
	if (s->n_parked > 0)
		expire(s, now_ns, &r);
	return r.n;
}

unsigned
spread_flush(struct spread *s, struct spread_out out[SPREAD_OUT_MAX])
{
	struct release r = {out, 0};
	while (s->n_parked > 0) {
		struct spread_entry *e = s->parked[0].entry;
		bind_to(s, e, ENTRY_GUESSED, guess(s, (const uint64_t(*)[2])e->ip), &r);
	}
	return r.n;
}
