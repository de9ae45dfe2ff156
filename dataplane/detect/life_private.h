/* SPDX-License-Identifier: BSD-3-Clause */
/* life_private: what life.c (facts), life_tx.c (transactions), life_chain.c (blocks) and life_check.c share.
 * Slots count from 1; 0 is none. */
#ifndef DETECT_LIFE_PRIVATE_H
#define DETECT_LIFE_PRIVATE_H

#include "detect/life.h"

/* Which list a transaction is in. Each is in the order in which they entered. */
enum life_class {
	CLASS_CANDIDATE,
	CLASS_ANNOUNCED,
	CLASS_PENDING,
	CLASS_RECENT,  /* included in a canonical block that is not settled */
	CLASS_SETTLED, /* included otherwise, replaced, dropped */
	CLASS_COUNT
};

enum life_place { PLACE_FREE, PLACE_OPEN, PLACE_CANDIDATE, PLACE_CHAIN };

struct life_list {
	uint32_t first, last, n;
};

/* A block's transaction. `generation`: the slot may have another tenant by now. */
struct life_link {
	uint32_t tx, generation, next;
};

struct life_address {
	uint8_t address[20];
	uint8_t protocol; /* 1 + index; 0: free */
};

struct life {
	uint64_t key[2];
	uint64_t pending_ttl_ns, announced_ttl_ns;
	uint64_t *counts;
	life_event event;
	void *ctx;

	struct life_tx *txs;
	uint32_t *by_hash, *by_nonce, *by_fp;
	uint32_t tx_mask, n_txs, n_tx_used, free_tx;
	struct life_list lists[CLASS_COUNT];
	uint32_t states[LIFE_DROPPED + 1];

	struct life_block *blocks;
	uint32_t *by_block;
	uint32_t block_mask, n_blocks, free_block;
	struct life_list candidates;
	struct life_list chain;		      /* numbers strictly increase; last: the head */
	uint32_t unsettled;		      /* the lowest of the chain that is not settled */
	uint32_t open[LIFE_OPEN_MAX], n_open; /* the oldest first */
	uint64_t walks;
	bool engine_seen, wants_head;
	uint8_t wanted_head[32];

	struct life_link *links;
	uint32_t n_links, free_link, n_links_used, block_links_max;

	struct life_address *addresses;
	uint32_t address_mask, n_protocols;
	char names[LIFE_PROTOCOLS_MAX][32];
	struct life_share total, shares[LIFE_PROTOCOLS_MAX];
};

/* ---- life_tx.c ---- */

/* life_hash: SipHash-1-3 of n words. */
uint64_t life_hash(const struct life *l, const uint64_t *words, unsigned n);
uint64_t life_hash32(const struct life *l, const uint8_t hash[32]);

/* Appends to, and takes out of, the list of its class. */
void life_tx_enter(struct life *l, uint32_t slot);
void life_tx_leave(struct life *l, uint32_t slot);
enum life_class life_tx_class(const struct life *l, const struct life_tx *t);
/* life_tx_state moves it to the list's end of its new state. */
void life_tx_state(struct life *l, struct life_tx *t, enum life_state state, uint64_t now_ns);

uint32_t life_tx_find(const struct life *l, const uint8_t hash[32]);
uint32_t life_tx_find_fp(const struct life *l, uint64_t fingerprint);
/* life_tx_make: a new entry, CANDIDATE, in no list. Makes room if there is none. */
struct life_tx *life_tx_make(struct life *l, const uint8_t hash[32]);
void life_tx_free(struct life *l, uint32_t slot);
/* life_tx_learn fills in what was not known. */
void life_tx_learn(struct life *l, struct life_tx *t, const struct life_seen *s, uint64_t now_ns);

/* life_tx_to_pending: PENDING, or REPLACED at once. */
void life_tx_to_pending(struct life *l, struct life_tx *t, uint64_t now_ns);
/* life_tx_include: b NULL: by a node's word alone. counts: b is counted, and so is this. */
void life_tx_include(struct life *l, struct life_tx *t, struct life_block *b, bool counts, uint64_t now_ns);
void life_tx_exclude(struct life *l, struct life_tx *t, struct life_block *b, uint64_t now_ns);
/* life_tx_count: its first inclusion in a counted block is b. */
void life_tx_count(struct life *l, struct life_tx *t, const struct life_block *b);
void life_tx_take_back(struct life *l, struct life_tx *t, const struct life_block *b);

/* ---- life_chain.c ---- */

uint32_t life_block_slot(const struct life *l, const uint8_t hash[32]);
/* life_block_link: a link at the block's end to be filled, or NULL: no room (counted). May evict blocks, and
 * with them candidates. */
struct life_link *life_block_link(struct life *l, struct life_block *b);

static inline uint32_t
life_tx_slot(const struct life *l, const struct life_tx *t)
{
	return (uint32_t)(t - l->txs);
}

static inline struct life_ref
life_tx_ref(const struct life *l, const struct life_tx *t)
{
	return (struct life_ref){life_tx_slot(l, t), t->generation};
}

static inline struct life_ref
life_block_ref(const struct life *l, const struct life_block *b)
{
	return (struct life_ref){(uint32_t)(b - l->blocks), b->generation};
}

static inline bool
life_same(struct life_ref a, struct life_ref b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

static inline struct life_block *
life_block_at(const struct life *l, struct life_ref r)
{
	return r.slot != 0 && l->blocks[r.slot].generation == r.generation ? &l->blocks[r.slot] : NULL;
}

static inline struct life_tx *
life_tx_at(const struct life *l, struct life_ref r)
{
	return r.slot != 0 && l->txs[r.slot].generation == r.generation ? &l->txs[r.slot] : NULL;
}

static inline void
life_tell(
	const struct life *l, enum life_event_kind kind, const struct life_tx *t, const struct life_block *b)
{
	if (l->event != NULL)
		l->event(l->ctx, kind, t, b);
}

#endif
