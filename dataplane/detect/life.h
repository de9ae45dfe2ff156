/* SPDX-License-Identifier: BSD-3-Clause */
/* life: what becomes of transactions. One struct life per box, owned by one thread; it is told facts, in
 * about the order in which they crossed, and keeps for each transaction hash what is known of it:
 *
 *   announced --> pending --> included | replaced | dropped
 *
 * Included and replaced ones are pending again when their block leaves the canonical chain ("reorged"),
 * dropped ones when their bytes are seen again. A transaction that is only known from a block that is not
 * canonical (yet) is a CANDIDATE; it vanishes with its blocks. Of several with one sender and nonce the
 * included one decides; the others are replaced, those too whose bytes come later.
 *
 * What counts in the shares is a transaction's first inclusion in a counted block, and what had been seen of
 * it by then: its bytes, pending; its hash alone (ANNOUNCED_ONLY); nothing (NEVER_SEEN). What is seen
 * afterwards changes nothing. What crossed before the box was started was never seen, either.
 *
 * The chain is what the engine API says (execution-apis, src/engine): a payload upon the head is taken for
 * canonical at once, any other when a forkchoice names it or a descendant. What stands above, or beside, the
 * named head leaves. The forkchoice of a second node that lags behind therefore undoes a block for a moment;
 * the shares do not notice.
 *
 * Anybody on the mirrored network can forge any of these facts. What a fact costs is bounded, so is memory:
 * all of it is the caller's, taken at start; tables are keyed. A call takes constant time, with up to
 * LIFE_RIVALS_MAX others of the same sender and nonce; those that move blocks take the time of their
 * transactions, and of the chain's length. No call allocates or reads a clock; `now_ns` is packet time and
 * may go back a little. */
#ifndef DETECT_LIFE_H
#define DETECT_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIFE_OPEN_MAX 32u	/* blocks being read at a time */
#define LIFE_SETTLED_BLOCKS 64u /* as many behind the head, a block is not expected to leave */
#define LIFE_WALK_MAX \
	256u /* blocks that come in by one forkchoice; the parent of the last is not looked for */
#define LIFE_RIVALS_MAX 64u /* transactions of one sender and nonce that are told apart */
#define LIFE_PROTOCOLS_MAX 64u
#define LIFE_ADDRESSES_MAX 1024u /* of all protocols */
#define LIFE_BLOCKS_DEFAULT 256u

/* What happened. X-macro: _(id, "help"). INCLUDED = INCLUDED_PENDING + ANNOUNCED_ONLY + NEVER_SEEN, and the
 * same of TAKEN_BACK: what an invalid block had added. life_share gives the difference. */
#define LIFE_COUNTS(_)                                                                             \
	_(ANNOUNCED, "transactions whose hash was announced before their bytes were seen")         \
	_(ANNOUNCED_JOINED, "announced transactions whose bytes came")                             \
	_(ANNOUNCED_EXPIRED, "announced transactions whose bytes did not come in time")            \
	_(PENDING, "transactions whose bytes were seen pending")                                   \
	_(INCLUDED, "transactions of counted blocks, at their first inclusion")                    \
	_(INCLUDED_PENDING, "of these: seen pending before")                                       \
	_(ANNOUNCED_ONLY, "of these: only announced before")                                       \
	_(NEVER_SEEN, "of these: never seen before")                                               \
	_(TAKEN_BACK, "first inclusions that an invalid block had counted")                        \
	_(TAKEN_BACK_PENDING, "of these: seen pending before")                                     \
	_(TAKEN_BACK_ANNOUNCED_ONLY, "of these: only announced before")                            \
	_(TAKEN_BACK_NEVER_SEEN, "of these: never seen before")                                    \
	_(INCLUDED_UNCOUNTED, "inclusions by the word of answers that have no part in the shares") \
	_(REPLACED, "pending transactions that lost to another with their sender and nonce")       \
	_(RESTORED, "replaced transactions whose replacement left the chain")                      \
	_(DROPPED, "transactions pending for longer than a node keeps them")                       \
	_(REORGED, "included transactions whose block left the chain")                             \
	_(EVICTED, "transactions forgotten before their life had ended, to make room")             \
	_(RIVALS_FULL, "transactions that lost their place among those of their sender and nonce") \
	_(BLOCKS, "blocks counted in the shares")                                                  \
	_(BLOCKS_REORGED, "blocks that left the chain")                                            \
	_(BLOCKS_INVALID, "blocks that a node called invalid")                                     \
	_(BLOCKS_REPEATED, "blocks told again")                                                    \
	_(BLOCKS_VOID, "blocks not read to the end, or without a hash")                            \
	_(BLOCKS_OPEN_LOST, "blocks given up while being read, for too many were open")            \
	_(UNREAD, "transactions of counted blocks whose bytes could not be read")                  \
	_(LINKS_FULL, "transactions of blocks for which there was no room")                        \
	_(ACCEPTED, "transactions that a node accepted")                                           \
	_(REFUSED, "transactions that a node refused")                                             \
	_(JUDGED_UNKNOWN, "verdicts of nodes on transactions that are not known here")
enum life_count {
#define _(id, help) LIFE_N_##id,
	LIFE_COUNTS(_)
#undef _
		LIFE_N_COUNT
};

enum life_state { LIFE_CANDIDATE, LIFE_ANNOUNCED, LIFE_PENDING, LIFE_INCLUDED, LIFE_REPLACED, LIFE_DROPPED };

enum life_verdict { LIFE_UNASKED, LIFE_ACCEPTED, LIFE_REFUSED };

/* What had been seen of a transaction when it was included (the first time in a counted block, if ever). */
enum life_before { LIFE_BEFORE_UNKNOWN, LIFE_SEEN_PENDING, LIFE_ANNOUNCED_ONLY, LIFE_NEVER_SEEN };

#define LIFE_HAS_SENDER 1u
#define LIFE_HAS_NONCE 2u
#define LIFE_HAS_TO 4u
#define LIFE_HAS_ANNOUNCED 8u /* announced_ns */
#define LIFE_HAS_TYPE 16u     /* announced_type */
#define LIFE_HAS_PENDING 32u  /* pending_ns: its bytes were seen pending */

/* Which entry, as long as it is there. slot 0: none. */
struct life_ref {
	uint32_t slot, generation;
};

/* A transaction. Read only; good until the next call that is told a fact. Three cache lines, of which the
 * first serves most facts. */
struct life_tx {
	_Alignas(64) uint8_t hash[32];
	uint32_t by_hash, generation, refs, prev, next; /* private */
	uint8_t state;					/* enum life_state */
	uint8_t has;					/* LIFE_HAS_ */
	uint8_t before;					/* enum life_before */
	uint8_t verdict; /* enum life_verdict; of several nodes' words ACCEPTED stays */
	uint8_t reason;	 /* life_judged's */
	uint8_t announced_type;
	bool reorged;	  /* a block with it left the chain */
	uint8_t protocol; /* under which it was counted: 1 + index; 0: none */
	uint8_t list;	  /* private, as the next */
	bool by_nonce_in, by_fp_in;

	uint8_t sender[20], to[20];
	uint32_t by_nonce, by_fp;    /* private */
	uint64_t nonce, fingerprint; /* the worker's keyed fingerprint of its bytes; 0: not known */

	uint64_t announced_ns, pending_ns;
	uint64_t included_ns; /* the last time it became INCLUDED */
	uint64_t judged_ns;
	uint64_t since_ns;	    /* when it came into its state */
	uint32_t announced_size;    /* 0: not told */
	struct life_ref by;	    /* private: the block that includes it, or what replaced it */
	struct life_ref counted_by; /* private: the block of its first counted inclusion */
};
_Static_assert(sizeof(struct life_tx) == 192, "three cache lines");

enum life_block_kind {
	LIFE_BLOCK_TOLD,    /* answer to eth_getBlock* */
	LIFE_BLOCK_OFFERED, /* engine_getPayload's answer: may never be used */
	LIFE_BLOCK_NEW	    /* engine_newPayload */
};

#define LIFE_HAS_HASH 1u
#define LIFE_HAS_PARENT 2u
#define LIFE_HAS_NUMBER 4u

struct life_block_id {
	uint8_t hash[32], parent[32];
	uint64_t number; /* above 2^62: not believed */
	uint8_t has;	 /* LIFE_HAS_HASH ... */
};

/* A block. Read only; good until the next call that is told a fact. */
struct life_block {
	struct life_block_id id; /* number: that of the chain once canonical */
	uint64_t seen_ns, handle;
	uint32_t n_txs, n_unread;
	uint8_t kind; /* enum life_block_kind; of several the last in its order */
	bool canonical;
	bool counted; /* in the shares */
	bool invalid; /* being taken back */
	/* private */
	bool settled;
	uint8_t place;
	uint32_t generation, prev, next, by_hash, child, first, last;
	uint64_t walk;
};

enum life_event_kind {
	LIFE_EVENT_PENDING,  /* its bytes were seen pending: the first time, or again after it was dropped */
	LIFE_EVENT_INCLUDED, /* tx->before; again when what a node's answer alone had said gets its block */
	LIFE_EVENT_REPLACED, /* life_replacement says by which */
	LIFE_EVENT_DROPPED,
	LIFE_EVENT_JUDGED,   /* tx->verdict: a node's word on it changed */
	LIFE_EVENT_REORGED /* what included or replaced it has left the chain, or was invalid
			      (block->invalid); tx->state is what it is now. CANDIDATE: about to vanish */
};

/* life_event is called from within the calls below. It may call life_find, life_replacement and the like,
 * nothing that is told a fact. block: NULL if there is none, or it is not known. */
typedef void (*life_event)(
	void *ctx, enum life_event_kind kind, const struct life_tx *tx, const struct life_block *block);

struct life_protocol {
	char name[32]; /* NUL-terminated */
	const uint8_t (*addresses)[20];
	uint32_t n_addresses;
};

struct life_config {
	uint32_t n_txs;	   /* [8, 2^26] */
	uint32_t n_blocks; /* [4, 2^16] */
	uint32_t n_links;  /* [16, 2^28]: transactions of all blocks; one block may have a quarter */
	uint8_t key[16];   /* secret, random */
	uint64_t pending_ttl_ns, announced_ttl_ns;
	const struct life_protocol *protocols; /* copied. An address belongs to the first that has it */
	uint32_t n_protocols;
	uint64_t *counts; /* LIFE_N_COUNT, zeroed by the caller and only ever increased here */
	life_event event; /* may be NULL */
	void *ctx;
};

struct life;

/* life_bytes: memory for what the config asks for; 0: a number is out of its range. */
size_t life_bytes(const struct life_config *c);
/* life_init lays it out in mem (64-byte aligned), which is the caller's and must outlive it. life_bytes(c) >
 * 0. */
struct life *life_init(void *mem, const struct life_config *c);

/* What is known of a transaction whose bytes, or hash, were seen. Pointers are good for the call. */
struct life_seen {
	const uint8_t *hash;   /* 32 bytes, never NULL */
	const uint8_t *sender; /* 20 bytes, or NULL */
	const uint8_t *to;     /* 20 bytes, or NULL: a creation, or not known */
	uint64_t fingerprint;  /* 0: not known */
	uint64_t nonce;
	bool has_nonce;
};

/* life_announced: a hash alone was seen. type -1, size 0: not told. */
void life_announced(struct life *l, const uint8_t hash[32], int type, uint32_t size, uint64_t now_ns);
/* life_pending: its bytes were seen, in no block. */
void life_pending(struct life *l, const struct life_seen *s, uint64_t now_ns);
/* life_judged: a node's answer to a submission. hash may be NULL and fingerprint 0, not both. Makes no entry.
 */
void life_judged(struct life *l, const uint8_t *hash, uint64_t fingerprint, bool accepted, uint8_t reason,
	uint64_t now_ns);
/* life_mined: a node's answer says that a transaction is in a block (NULL: it does not say which). */
void life_mined(struct life *l, const struct life_seen *s, const uint8_t *block_hash, uint64_t now_ns);

/* A block is read between open and close. handle: the caller's name for it; opening one that is open, or one
 * more than LIFE_OPEN_MAX, gives up what is there. Calls with a handle that is not open do nothing. */
void life_block_open(struct life *l, uint64_t handle, uint64_t now_ns);
void life_block_tx(struct life *l, uint64_t handle, const struct life_seen *s, uint64_t now_ns);
/* life_block_unread: one of its transactions could not be read. */
void life_block_unread(struct life *l, uint64_t handle);
/* life_block_close: id NULL or without a hash: as if it had not been opened.
 * NEW: canonical if its parent is the head, or no head is known; else a candidate.
 * OFFERED: a candidate.
 * TOLD: canonical if its number is above the head's, or no head is known, and then counted if no NEW block
 * was ever seen. Below: its transactions are included by the node's word, outside the shares, unless the
 * chain has another block with that number. */
void life_block_close(struct life *l, uint64_t handle, enum life_block_kind kind,
	const struct life_block_id *id, uint64_t now_ns);
/* life_block_judged: a node's verdict. Invalid: it and its known canonical descendants are taken back as if
 * they had never been. */
void life_block_judged(struct life *l, const uint8_t hash[32], bool valid, uint64_t now_ns);
/* life_head: a forkchoice. A head that is not known is remembered until it comes, or the next forkchoice. */
void life_head(struct life *l, const uint8_t hash[32], uint64_t now_ns);

/* life_age ends what has lasted too long, `budget` transactions at most. Returns how many: equal to budget,
 * there may be more. */
uint32_t life_age(struct life *l, uint64_t now_ns, uint32_t budget);

/* ---- looking ---- */

const struct life_tx *life_find(const struct life *l, const uint8_t hash[32]);
/* life_replacement: by which it was REPLACED; life_block_of: which includes it. NULL: none, or no longer
 * known. */
const struct life_tx *life_replacement(const struct life *l, const struct life_tx *t);
const struct life_block *life_block_of(const struct life *l, const struct life_tx *t);
const struct life_block *life_block_find(const struct life *l, const uint8_t hash[32]);
const struct life_block *life_top(const struct life *l); /* the head; NULL: not known */
/* life_population: entries in that state. */
uint32_t life_population(const struct life *l, enum life_state state);

/* First inclusions in counted blocks, invalid ones taken out again. included is the sum of the others. */
struct life_share {
	uint64_t included, seen_pending, announced_only, never_seen;
};
/* life_share: of transactions to protocol `i` of the config; -1: of all. name: NULL, or where to put its
 * name. */
struct life_share life_share(const struct life *l, int i, const char **name);

/* life_check looks for anything that may never be: NULL, or what is wrong. For tests: walks everything. */
const char *life_check(const struct life *l);

const char *life_count_name(enum life_count c);
const char *life_count_help(enum life_count c);

#endif
