/* SPDX-License-Identifier: BSD-3-Clause */
/* flow: the table of flows. Every flow sits in one of the two buckets that its keyed hash names (the emptier one when it was
 * made; it never moves), so that a look-up reads at most two cache lines of the index and one of each flow whose 16-bit tag
 * fits, however many flows there are. Lists by age give the flow to evict without looking for it. */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "net/decode.h"
#include "net/stream.h"

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
	uint16_t tag;
};

struct flow_table {
	struct flow *flows;
	struct flow_bucket *buckets;
	uint32_t flows_max, bucket_mask;
	uint64_t seed[6];
	uint32_t head[FLOW_LISTS], tail[FLOW_LISTS];
};

/* flow_table_bytes: memory for flows_max flows (1 ... 4194304, else 0); flow_table_init builds the table in it, 64-byte aligned. */
size_t flow_table_bytes(uint32_t flows_max);
void flow_table_init(struct flow_table *t, void *mem, uint32_t flows_max, const uint32_t seed[4]);

/* flow_hash64: keyed, the same for both directions. seed from flow_seed. */
void flow_seed(const uint32_t key[4], uint64_t seed[6]);
uint64_t flow_hash64(const uint64_t seed[6], const struct endpoints *e);
struct flow_hash flow_hash_of(const struct flow_table *t, const struct endpoints *e);
void flow_prefetch_buckets(const struct flow_table *t, const struct flow_hash *h);
/* flow_prefetch fetches the flows that may be meant; the buckets should be in the cache. */
void flow_prefetch(const struct flow_table *t, const struct flow_hash *h);

/* flow_find returns the flow or NULL; *dir = 0 if e's source is key.ip[0]. */
struct flow *flow_find(struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned *dir);

/* flow_add makes a flow in list FLOW_YOUNG whose initiator is e's side `initiator`. NULL: no free flow (FLOW_FREE is empty) or
 * both buckets are full. The pair must not be in the table. */
struct flow *flow_add(
	struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned initiator, uint64_t now_ns);
void flow_remove(struct flow_table *t, struct flow *f);

/* flow_move puts f at the young end of a list. */
void flow_move(struct flow_table *t, struct flow *f, enum flow_list list);
/* flow_oldest: NULL if the list is empty. */
struct flow *flow_oldest(const struct flow_table *t, enum flow_list list);

#endif
