/* SPDX-License-Identifier: BSD-3-Clause */
/* mentions: which of the kept messages (kept.h) speak of an address, as recipient, as what a proxy or a
 * delegation points at; and which one has a transaction, by the first 20 bytes of its hash. So what came too
 * early, or was known to no worker's pipe in its order, is looked at again once the address is armed. Two
 * messages of one address, the newest; the table is fixed, of a set the oldest makes room. One cache line a
 * look. A mention may be of another address (tags are of 64 bits): who follows it looks. Used by the
 * correlator's lcore alone. */
#ifndef WORKER_MENTIONS_H
#define WORKER_MENTIONS_H

#include <stdint.h>
#include <string.h>

#define MENTIONS_WAYS 4u
#define MENTIONS_EACH 2u /* of one address */

struct mention {
	uint64_t tag, ref; /* ref 0: free */
};

struct mentions {
	struct mention *slot; /* 64-byte aligned */
	uint32_t n;
	uint64_t k0, k1;
};

/* mentions_init: mem of n * sizeof(struct mention) zero bytes, 64-byte aligned; n a power of two, at least 4.
 * key: 16 bytes, secret. */
static inline void
mentions_init(struct mentions *m, void *mem, uint32_t n, const uint8_t *key)
{
	*m = (struct mentions){.slot = mem, .n = n};
	memcpy(&m->k0, key, 8);
	memcpy(&m->k1, key + 8, 8);
}

static inline uint64_t
mentions_tag(const struct mentions *m, const uint8_t what[20])
{
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, what, 8);
	memcpy(&b, what + 8, 8);
	memcpy(&c, what + 16, 4);
	unsigned __int128 p = (unsigned __int128)(a ^ m->k0) * ((b ^ m->k1 ^ (uint64_t)c << 29) | 1);
	return ((uint64_t)p ^ (uint64_t)(p >> 64) ^ c * 0x9e3779b97f4a7c15u) * 0x9e3779b97f4a7c15u;
}

static inline struct mention *
mentions_set(const struct mentions *m, uint64_t tag)
{
	return &m->slot[(uint32_t)(tag >> 36) & (m->n - 1) & ~(MENTIONS_WAYS - 1)];
}

/* mentions_add: ref mentions it. References rise. */
static inline void
mentions_add(struct mentions *m, const uint8_t what[20], uint64_t ref)
{
	uint64_t tag = mentions_tag(m, what);
	struct mention *set = mentions_set(m, tag), *oldest = set, *own = NULL;
	unsigned same = 0;
	for (struct mention *i = set; i < set + MENTIONS_WAYS; i++) {
		if (i->ref == ref && i->tag == tag)
			return;
		if (i->ref < oldest->ref)
			oldest = i;
		if (i->ref == 0 || i->tag != tag)
			continue;
		same++;
		if (own == NULL || i->ref < own->ref)
			own = i;
	}
	*(same >= MENTIONS_EACH ? own : oldest) = (struct mention){tag, ref};
}

/* mentions_get writes the references that may mention it, the oldest first; their number. */
static inline unsigned
mentions_get(const struct mentions *m, const uint8_t what[20], uint64_t out[MENTIONS_EACH])
{
	uint64_t tag = mentions_tag(m, what);
	const struct mention *set = mentions_set(m, tag);
	unsigned n = 0;
	for (const struct mention *i = set; i < set + MENTIONS_WAYS && n < MENTIONS_EACH; i++)
		if (i->ref != 0 && i->tag == tag)
			out[n++] = i->ref;
	if (n == 2 && out[0] > out[1]) {
		uint64_t first = out[1];
		out[1] = out[0];
		out[0] = first;
	}
	return n;
}

#endif
