/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/flow.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FLOWS_LIMIT (4u << 20)

_Static_assert(sizeof(struct flow) == 256, "a flow is four cache lines");
_Static_assert(offsetof(struct flow, dir) == 64, "the places of both directions share a line");
_Static_assert(sizeof(struct flow_bucket) == 64, "a bucket is a cache line");

/* Half full at most, so that with the choice of two buckets of eight a full pair does not occur by chance. */
static uint32_t
buckets_for(uint32_t flows_max)
{
	uint32_t n = 2;
	while (n * (FLOW_BUCKET_SLOTS / 2) < flows_max)
		n *= 2;
	return n;
}

size_t
flow_table_bytes(uint32_t flows_max)
{
	if (flows_max == 0 || flows_max > FLOWS_LIMIT)
		return 0;
	return (size_t)flows_max * sizeof(struct flow) + (size_t)buckets_for(flows_max) * sizeof(struct flow_bucket);
}

void
flow_seed(const uint32_t key[4], uint64_t seed[6])
{
	uint64_t a = (uint64_t)key[1] << 32 | key[0], b = (uint64_t)key[3] << 32 | key[2];
	for (unsigned i = 0; i < 6; i++) {
		a += 0x9e3779b97f4a7c15u;
		uint64_t z = (a ^ a >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		b = flow_mix(b ^ 0xd6e8feb86659fd93u, z | 1) + (b << 7 | b >> 57);
		seed[i] = z ^ z >> 31 ^ b;
	}
}

/* Bit i of the result: tag i fits. */
static inline unsigned
match(const struct flow_bucket *b, uint16_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);
	__m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));
	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
#else
	unsigned m = 0;
	for (unsigned i = 0; i < FLOW_BUCKET_SLOTS; i++)
		m |= (unsigned)(b->tag[i] == tag) << i;
	return m;
#endif
}

void
flow_prefetch(const struct flow_table *t, struct flow_hash *h)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct flow_bucket *b = &t->buckets[h->bucket[k]];
		unsigned m = match(b, h->tag);
		if (m == 0)
			continue;
		h->likely = b->flow[__builtin_ctz(m)];
		const struct flow *f = &t->flows[h->likely];
		__builtin_prefetch(f);
		__builtin_prefetch(&f->dir, 1);
		__builtin_prefetch(&f->last_ns, 1);
		return;
	}
}

struct flow *
flow_search(struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned *dir)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct flow_bucket *b = &t->buckets[h->bucket[k]];
		for (unsigned m = match(b, h->tag); m != 0; m &= m - 1) {
			struct flow *f = &t->flows[b->flow[__builtin_ctz(m)]];
			if (flow_is_of(f, e, dir))
				return f;
		}
	}
	return NULL;
}

static void
list_remove(struct flow_table *t, struct flow *f)
{
	if (f->prev == NET_NONE)
		t->head[f->list] = f->next;
	else
		t->flows[f->prev].next = f->next;
	if (f->next == NET_NONE)
		t->tail[f->list] = f->prev;
	else
		t->flows[f->next].prev = f->prev;
}

static void
list_append(struct flow_table *t, struct flow *f, enum flow_list list)
{
	uint32_t i = (uint32_t)(f - t->flows);
	f->list = (uint8_t)list;
	f->prev = t->tail[list];
	f->next = NET_NONE;
	if (f->prev == NET_NONE)
		t->head[list] = i;
	else
		t->flows[f->prev].next = i;
	t->tail[list] = i;
}

void
flow_move(struct flow_table *t, struct flow *f, enum flow_list list)
{
	if (f->list == list && f->next == NET_NONE)
		return;
	list_remove(t, f);
	list_append(t, f, list);
}

struct flow *
flow_oldest(const struct flow_table *t, enum flow_list list)
{
	return t->head[list] == NET_NONE ? NULL : &t->flows[t->head[list]];
}

void
flow_table_init(struct flow_table *t, void *mem, uint32_t flows_max, const uint32_t seed[4])
{
	uint32_t n = buckets_for(flows_max);
	t->buckets = mem;
	t->flows = (struct flow *)(void *)(t->buckets + n);
	t->flows_max = flows_max;
	t->bucket_mask = n - 1;
	flow_seed(seed, t->seed);
	memset(t->buckets, 0, n * sizeof *t->buckets);
	for (unsigned i = 0; i < FLOW_LISTS; i++)
		t->head[i] = t->tail[i] = NET_NONE;
	for (uint32_t i = 0; i < flows_max; i++)
		list_append(t, &t->flows[i], FLOW_FREE);
}

/* The slot to take, or NET_NONE: the first free one of the emptier bucket. */
static uint32_t
free_slot(const struct flow_table *t, const struct flow_hash *h)
{
	unsigned free0 = match(&t->buckets[h->bucket[0]], 0), free1 = match(&t->buckets[h->bucket[1]], 0);
	if ((free0 | free1) == 0)
		return NET_NONE;
	if (__builtin_popcount(free0) >= __builtin_popcount(free1))
		return h->bucket[0] * FLOW_BUCKET_SLOTS + (uint32_t)__builtin_ctz(free0);
	return h->bucket[1] * FLOW_BUCKET_SLOTS + (uint32_t)__builtin_ctz(free1);
}

struct flow *
flow_add(struct flow_table *t, const struct flow_hash *h, const struct endpoints *e, unsigned initiator, uint64_t now_ns)
{
	struct flow *f = flow_oldest(t, FLOW_FREE);
	uint32_t slot = free_slot(t, h);
	if (f == NULL || slot == NET_NONE)
		return NULL;
	list_remove(t, f);
	memset(f, 0, sizeof *f);
	for (unsigned d = 0; d < 2; d++) {
		memcpy(f->key.ip[d], e->ip[initiator ^ d], 16);
		f->key.port[d] = e->port[initiator ^ d];
		f->dir[d].history = f->dir[d].ooo_head = f->hole[d].ooo_tail = NET_NONE;
	}
	f->last_ns = now_ns;
	f->slot = slot;
	struct flow_bucket *b = &t->buckets[slot / FLOW_BUCKET_SLOTS];
	b->tag[slot % FLOW_BUCKET_SLOTS] = h->tag;
	b->flow[slot % FLOW_BUCKET_SLOTS] = (uint32_t)(f - t->flows);
	list_append(t, f, FLOW_YOUNG);
	return f;
}

void
flow_remove(struct flow_table *t, struct flow *f)
{
	t->buckets[f->slot / FLOW_BUCKET_SLOTS].tag[f->slot % FLOW_BUCKET_SLOTS] = 0;
	list_remove(t, f);
	/* to the front: taken again first, while it is still in the cache */
	uint32_t i = (uint32_t)(f - t->flows), old = t->head[FLOW_FREE];
	f->list = FLOW_FREE;
	f->prev = NET_NONE;
	f->next = old;
	t->head[FLOW_FREE] = i;
	if (old == NET_NONE)
		t->tail[FLOW_FREE] = i;
	else
		t->flows[old].prev = i;
}
