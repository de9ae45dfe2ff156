/* SPDX-License-Identifier: BSD-3-Clause */
/* flow: the table of flows. Every flow sits in one of the two buckets that its keyed hash names (the emptier
 * one when it was made; it never moves), so that a look-up reads at most two cache lines of the index and one
 * of each flow whose 16-bit tag fits, however many flows there are. Lists by age give the flow to evict
 * without looking for it. */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "net/decode.h"
#include "net/stream.h"

#include <string.h>

#define FLOW_BUCKET_SLOTS 8u

struct flow_bucket {
	uint16_t tag[FLOW_BUCKET_SLOTS]; /* 0 = free */
	uint32_t flow[FLOW_BUCKET_SLOTS];
	uint8_t pad[16];
};

/* Lists by age, longest unused first. Evicted in this order. */
enum flow_list {
	FLOW_CLOSED, /* waiting to be forgotten by the table; the worker has forgotten it */
	FLOW_YOUNG,  /* no payload yet: a flood of SYNs displaces only its like */
	FLOW_LIVE,
	FLOW_FREE,
	FLOW_LISTS
};

struct flow_hash {
	uint32_t bucket[2];
	uint32_t likely; /* flow that flow_prefetch found, NET_NONE without: where flow_find looks first */
	uint16_t tag;
};

struct flow_table {
	struct flow *flows;
	struct flow_bucket *buckets;
	uint32_t flows_max, bucket_mask;
	uint64_t seed[6];
	uint32_t head[FLOW_LISTS], tail[FLOW_LISTS];
};

/* flow_table_bytes: memory for flows_max flows (1 ... 4194304, else 0); flow_table_init builds the table in
 * it, 64-byte aligned. */
size_t flow_table_bytes(uint32_t flows_max);
void flow_table_init(struct flow_table *t, void *mem, uint32_t flows_max, const uint32_t seed[4]);

void flow_seed(const uint32_t key[4], uint64_t seed[6]);

static inline uint64_t
flow_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* flow_hash64: keyed (seed from flow_seed) and the same for both directions without asking which it is: each
 * end is hashed, and what does not depend on their order is mixed. */
static inline uint64_t
flow_hash64(const uint64_t seed[6], const struct endpoints *e)
{
	uint64_t end[2];
	for (unsigned i = 0; i < 2; i++)
		end[i] = flow_mix(e->ip[i][1] ^ seed[0], e->ip[i][0] ^ seed[1]) + flow_mix(e->port[i] ^ seed[2], seed[3]);
	return flow_mix((end[0] + end[1]) ^ seed[4], (end[0] ^ end[1]) ^ seed[5]);
}

static inline struct flow_hash
flow_hash_of(const struct flow_table *t, const struct endpoints *e)
{
	uint64_t h = flow_hash64(t->seed, e);
	uint32_t first = (uint32_t)h & t->bucket_mask, second = (uint32_t)(h >> 24) & t->bucket_mask;
	uint16_t tag = (uint16_t)(h >> 48);
	return (struct flow_hash){
		.bucket = {first, second == first ? second ^ 1 : second},
		.likely = NET_NONE,
		.tag = tag == 0 ? 1 : tag,
	};
}

static inline void
flow_prefetch_buckets(const struct flow_table *t, const struct flow_hash *h)
{
	__builtin_prefetch(&t->buckets[h->bucket[0]]);
	__builtin_prefetch(&t->buckets[h->bucket[1]]);
}

/* flow_prefetch fetches the flows that may be meant; the buckets should be in the cache. */
void flow_prefetch(const struct flow_table *t, struct flow_hash *h);

/* 0 if side `swap` of e is key.ip[0] and the other one key.ip[1]. */
static inline uint64_t
flow_difference(const struct flow_key *k, const struct endpoints *e, unsigned swap)
{
	uint64_t ip[2][2];
	memcpy(ip, k->ip, sizeof ip);
	return (ip[0][0] ^ e->ip[swap][0]) | (ip[0][1] ^ e->ip[swap][1]) | (ip[1][0] ^ e->ip[!swap][0]) |
	       (ip[1][1] ^ e->ip[!swap][1]) | (uint64_t)(k->port[0] ^ e->port[swap]) |
	       (uint64_t)(k->port[1] ^ e->port[!swap]);
}

/* Both ways round without a branch: which it is cannot be predicted. */
static inline bool
flow_is_of(const struct flow *f, const struct endpoints *e, unsigned *dir)
{
	uint64_t straight = flow_difference(&f->key, e, 0), swapped = flow_difference(&f->key, e, 1);
	*dir = straight != 0;
	return (straight == 0) | (swapped == 0);
}

struct flow *flow_search(struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned *dir);

/* flow_find returns the flow or NULL; *dir = 0 if e's source is key.ip[0]. */
static inline struct flow *
flow_find(struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned *dir)
{
	if (h->likely != NET_NONE) {
		struct flow *f = &t->flows[h->likely];
		if (flow_is_of(f, e, dir) && f->list != FLOW_FREE)
			return f;
	}
	return flow_search(t, h, e, dir);
}

/* flow_add makes a flow in list FLOW_YOUNG whose initiator is e's side `initiator`. NULL: no free flow
 * (FLOW_FREE is empty) or both buckets are full. The pair must not be in the table. */
struct flow *flow_add(
	struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned initiator, uint64_t now_ns);
void flow_remove(struct flow_table *t, struct flow *f);

/* flow_move puts f at the young end of a list. */
void flow_move(struct flow_table *t, struct flow *f, enum flow_list list);
/* flow_oldest: NULL if the list is empty. */
struct flow *flow_oldest(const struct flow_table *t, enum flow_list list);

#endif
