/* SPDX-License-Identifier: BSD-3-Clause */
/* sandwich_private: what the files of sandwich share. Transactions are entries of a ring in the order in
 * which they came, named by a number (seq, from 1); what is in them of pools and tokens are touches, in
 * chains by pool or token (key) and by key and whose it is (who). */
#ifndef DETECT_CORRELATE_SANDWICH_PRIVATE_H
#define DETECT_CORRELATE_SANDWICH_PRIVATE_H

#include "abi/alert.h"
#include "detect/correlate/sandwich.h"

#include <string.h>

#define NIL UINT32_MAX
#define COMMON_MAX 64u
#define INCIDENTS_OF_TX 4u
#define GRAM 8u		     /* bytes of a piece */
#define GRAMS_OF_ADDRESS 13u /* pieces in 20 bytes: 20 - GRAM + 1 */
#define GRAM_WALK_MAX 32u    /* equal samples that are looked at */
#define FP_WINDOW 64u	     /* bytes of an input that its fingerprint is of */
#define FP_WALK_MAX 8u
#define BUNDLE_WORK_MAX 1024u /* comparisons of one bundle */

enum { BY_SENDER, BY_CONTRACT };

enum entry_flag {
	ENTRY_LIVE = 1 << 0,
	ENTRY_FROM = 1 << 1,
	ENTRY_TO = 1 << 2,
	ENTRY_NONCE = 1 << 3,
	ENTRY_PRICED = 1 << 4,
	ENTRY_LEGACY = 1 << 5,
	ENTRY_SWAPS = 1 << 6,	 /* its swaps decode: it can be a victim */
	ENTRY_PACKED = 1 << 7,	 /* calldata of unknown form: it can be a leg */
	ENTRY_PUBLIC = 1 << 8,	 /* seen outside of bundles */
	ENTRY_LINKED = 1 << 9,	 /* its touches are in the chains */
	ENTRY_SETTLED = 1 << 10, /* included, replaced, dropped: of no more account, but its hash */
	ENTRY_INCLUDED = 1 << 11,
	ENTRY_ASKED = 1 << 12,	 /* its sender was */
	ENTRY_AWAITED = 1 << 13, /* a bundle's hash; nothing else is known */
	ENTRY_INPUT = 1 << 14,	 /* its input is in the table of fingerprints */
	ENTRY_VIA = 1 << 15,   /* it swaps, if it does, through a contract of unknown form: whose calls may be
				  one attacker's */
	ENTRY_SEARCH = 1 << 16 /* what decodes of it may not be all: its calldata is searched */
};

struct entry {
	_Alignas(64) uint8_t hash[32];
	uint64_t seq, ref;
	uint32_t flags, by_hash;
	uint32_t touches, n_touches; /* the first; pools before tokens */

	uint64_t tip, cap; /* wei, UINT64_MAX if beyond */
	uint64_t nonce, t_ns;
	uint64_t bundle, block;
	uint32_t index, bundle_pos;
	uint8_t from[20], to[20];
	uint32_t selector, data_len; /* kept */
	uint64_t data_at;
	uint64_t incidents[INCIDENTS_OF_TX]; /* the newest first; 0: none */

	uint64_t fp, input_hash; /* ENTRY_INPUT: of FP_WINDOW bytes at fp_at, and of all */
	uint32_t input_len, fp_at, fp_next, fp_prev;
};

/* An amount: v to compare sizes, low 64 bits besides for equality. */
struct amount {
	double v;
	uint64_t low;
};

enum touch_how {
	TOUCH_TOKEN_KEY = 1 << 0, /* else a pool */
	TOUCH_SWAP_OF = 1 << 1,	  /* decoded; else a needle */
	TOUCH_IN = 1 << 2,	  /* in is known: exact, or a bound */
	TOUCH_OUT = 1 << 3,
	TOUCH_IN_EXACT = 1 << 4,
	TOUCH_OUT_EXACT = 1 << 5,
	TOUCH_TOKENS = 1 << 6, /* token_in and token_out are known */
	TOUCH_NESTED = 1 << 7  /* asked for by a contract in between, not of `to` itself */
};

struct touch_link {
	uint32_t next, prev; /* prev NIL: the head */
};

struct touch {
	/* what walks along a chain read is in one line of the cache */
	_Alignas(64) uint64_t key;
	uint64_t who[2];    /* 0: none */
	uint64_t tip, t_ns; /* its entry's */
	struct touch_link by_key;
	uint32_t tx, of_tx; /* its entry's slot; the next of it, or of the free ones */
	uint8_t how, dir;   /* 1 and 2 are opposite ways; 0: not known */
	struct touch_link by_who[2];
	uint8_t address[20], token_in[20], token_out[20];
	struct amount in, out;
};

struct gram {
	uint32_t h, seq, at, next; /* seq: of the entry, cut; next: number of the next in the chain */
};

struct bundle {
	uint64_t handle;
	uint32_t next;
	uint16_t len, told;
	bool used;
	uint64_t seq[SANDWICH_BUNDLE_MAX]; /* 0: not known */
};

struct incident {
	uint64_t id, hash; /* id 0: free */
	uint32_t next;	   /* in its bucket */
	uint8_t kind, ending, score, flags;
	uint8_t attacker[20], key[20], pool[20];
	uint64_t reasons, front, back, victims[SANDWICH_VICTIMS];
	uint32_t evidence, n_listed, n_victims;
	struct sandwich_ref front_ref, back_ref, victim_refs[SANDWICH_VICTIMS];
};
#define INCIDENT_CONTRACT 1u
#define INCIDENT_TOKEN 2u
#define INCIDENT_ATTACKER 4u
#define INCIDENT_POOL 8u

struct sandwich {
	uint64_t key[2], window_ns, pair_ns, base_fee;
	uint64_t *counts;
	sandwich_found found;
	sandwich_sender sender;
	void *ctx;
	uint8_t common[COMMON_MAX][20];
	uint32_t n_common;
	uint32_t senders_left, pairs_left; /* of this call */

	struct entry *txs;
	uint32_t *by_hash;
	uint32_t tx_mask, hash_mask;
	uint64_t first, next; /* seq of the oldest, and of the one to come */

	struct touch *touches;
	uint32_t n_touches, free_touch, n_touches_used;
	uint32_t *by_key, *by_who[2];
	uint32_t key_mask;
	uint8_t *filter; /* how many keys of swaps have these bits; 255 stays */
	uint32_t filter_shift;

	uint8_t *data; /* calldata, a ring */
	uint64_t data_mask, data_at;
	struct gram *grams;
	uint32_t *by_gram;
	uint32_t gram_mask, gram_bucket_mask;
	uint64_t gram_at;

	uint32_t *by_fp;
	uint8_t *fp_filter;
	uint32_t fp_mask, n_inputs;
	uint64_t fp_base, fp_out; /* odd; fp_base^FP_WINDOW */

	struct bundle *bundles;
	uint32_t *by_bundle;
	uint32_t bundle_mask;
	uint64_t bundle_at;

	struct incident *incidents;
	uint32_t *by_incident;
	uint32_t incident_mask;
	uint64_t incident_at;
};

/* ---- sandwich_table.c ---- */

uint64_t sandwich_hash(const struct sandwich *s, const uint8_t *p, uint32_t n, uint64_t tweak);
/* Never 0. */
uint64_t sandwich_key_of(const struct sandwich *s, const uint8_t address[20]);
bool sandwich_is_common(const struct sandwich *s, const uint8_t address[20]);
struct entry *sandwich_find(const struct sandwich *s, const uint8_t hash[32]);
struct entry *sandwich_make(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns);
/* sandwich_forget: the oldest. */
void sandwich_forget(struct sandwich *s);
/* sandwich_unlink takes it out of the chains and frees its touches; its hash stays. */
void sandwich_settle(struct sandwich *s, struct entry *e);
/* sandwich_touch: a touch of e with that key, made if need be; NULL: no more of e are kept. Linked if e is.
 */
struct touch *sandwich_touch(
	struct sandwich *s, struct entry *e, uint64_t key, const uint8_t address[20], uint8_t how);
struct touch *sandwich_touch_of(const struct sandwich *s, const struct entry *e, uint64_t key);
void sandwich_link(struct sandwich *s, struct entry *e);
/* sandwich_know_sender: from then on it is in the chains of its sender. */
void sandwich_know_sender(struct sandwich *s, struct entry *e, const uint8_t from[20]);
uint64_t sandwich_who_of(const struct sandwich *s, unsigned by, const uint8_t address[20], uint64_t key);
void sandwich_keep(struct sandwich *s, struct entry *e, struct span data);
/* sandwich_data: what was kept of its calldata; empty if it has been overwritten. */
struct span sandwich_data(const struct sandwich *s, const struct entry *e);

/* ---- sandwich_needle.c ---- */

uint32_t sandwich_filter_at(const struct sandwich *s, const uint8_t address[20]);
/* sandwich_needles finds what is in flight in e's calldata; sandwich_sample indexes the calldata itself;
 * sandwich_seek finds v's addresses in what has been indexed. */
void sandwich_needles(struct sandwich *s, struct entry *e, struct span data);
void sandwich_sample(struct sandwich *s, const struct entry *e);
void sandwich_seek(struct sandwich *s, const struct entry *v);
const uint8_t *sandwich_in(struct span data, const uint8_t address[20]);
bool sandwich_echo(const struct sandwich *s, struct span a, struct span b);

/* ---- sandwich_pair.c ---- */

enum fee_order { FEE_UNSURE, FEE_BELOW, FEE_EQUAL, FEE_ABOVE };
enum fee_order sandwich_fees(const struct sandwich *s, const struct entry *a, const struct entry *b);
/* sandwich_ask: its sender is known, after asking if need be. */
bool sandwich_ask(struct sandwich *s, struct entry *e);
bool sandwich_same_from(const struct entry *a, const struct entry *b);
/* sandwich_public: what e completes as a leg or as a victim. */
void sandwich_public(struct sandwich *s, struct entry *e);

/* ---- sandwich_bundle.c ---- */

struct bundle *sandwich_bundle(struct sandwich *s, uint64_t handle, uint16_t len);
void sandwich_join(struct sandwich *s, struct entry *e, uint64_t handle, uint16_t pos, uint16_t len);
void sandwich_bundle_look(struct sandwich *s, struct bundle *b);

/* ---- sandwich_incident.c ---- */

struct told {
	uint8_t kind, score;
	bool contract, token, attacker_known;
	const uint8_t *attacker, *key;
	const uint8_t *pool; /* NULL: not known */
	uint64_t reasons;
	uint32_t evidence;
	struct entry *front, *back, *victims[SANDWICH_VICTIMS];
	uint32_t n_listed, n_victims;
};
/* sandwich_pool_of: the pool of v that the touch's tokens are traded in: its own address if that is one;
 * NULL: not known. */
const uint8_t *sandwich_pool_of(const struct sandwich *s, const struct entry *v, const struct touch *t);
void sandwich_tell(struct sandwich *s, const struct told *t, uint64_t t_ns);
void sandwich_gone(struct sandwich *s, struct entry *e, uint8_t ending, uint64_t t_ns);
void sandwich_mined(struct sandwich *s, struct entry *e, uint64_t t_ns);

/* ---- displace.c ---- */

void sandwich_displace(struct sandwich *s, struct entry *e, struct span data);
void sandwich_input_drop(struct sandwich *s, struct entry *e);

static inline uint32_t
sandwich_slot(const struct sandwich *s, const struct entry *e)
{
	return (uint32_t)(e - s->txs);
}

static inline struct entry *
sandwich_at(const struct sandwich *s, uint64_t seq)
{
	struct entry *e = &s->txs[seq & s->tx_mask];
	return seq != 0 && e->seq == seq && (e->flags & ENTRY_LIVE) ? e : NULL;
}

/* How far apart: times may go back. */
static inline uint64_t
sandwich_apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static inline bool
sandwich_to_same(const struct entry *a, const struct entry *b)
{
	return (a->flags & b->flags & ENTRY_TO) && memcmp(a->to, b->to, 20) == 0;
}

#endif
