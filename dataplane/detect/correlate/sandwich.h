/* SPDX-License-Identifier: BSD-3-Clause */
/* sandwich: transactions around somebody else's swap, and transactions inside somebody else's. One struct
 * sandwich per box, owned by one thread, told each transaction once (and again where it crosses in a bundle);
 * what it finds comes through a callback. Forms:
 *
 *   PUBLIC        two legs of one sender or one contract around victims on one pool, opposite ways, fees in
 * the order front > victim >= back BUNDLE        the same by the order of a bundle; fees mean nothing there
 *   PARTIAL       a front leg without its back: a bundle that ends before it, or, through a contract of
 * unknown form, a fee a hair above that of a victim who asks a router himself (bots that race each other
 * through contracts of their own outbid by a wei as well) DISPLACEMENT  a victim's whole input inside the
 * calldata of another sender's later, dearer transaction to another contract
 *
 * Legs either decode (struct swap) or hold the address of the victim's pool, or of its token where that is
 * not a common one, at any alignment in calldata of unknown form (PACKED). Both orders of arrival work:
 * needles of the swaps in flight are looked for in calldata that comes, and calldata of unknown form that has
 * come is indexed by samples of its 8-byte pieces (of any 20 bytes at least one piece is sampled, and which
 * one depends on these 20 alone).
 *
 * Two legs on one pool with somebody's swap between them by fee are common among market makers, arbitrage
 * bots and people who change their minds. So a public pair must carry evidence in addition: see
 * SANDWICH_EVIDENCE. One incident is one attacker at one pool: what is found of it later is an update.
 *
 * Costs: constant time per transaction, whatever the history, plus its calldata's length up to
 * SANDWICH_SCAN_MAX; every walk is capped and counted when cut. Memory is the caller's, taken at start.
 * Tables are keyed. No clock: times are the packets', and may go back a little. */
#ifndef DETECT_CORRELATE_SANDWICH_H
#define DETECT_CORRELATE_SANDWICH_H

#include "abi/span.h"
#include "eth/swap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDWICH_VICTIMS 8u	 /* told by hash; the others are counted */
#define SANDWICH_BUNDLE_MAX 100u /* elements of a bundle, as relays have it */
#define SANDWICH_SCAN_MAX 16384u /* bytes of calldata that are searched */
#define SANDWICH_KEEP_MAX 2048u	 /* bytes of calldata that are kept, to compare legs */
#define SANDWICH_TOUCHES_MAX 12u /* pools and tokens of one transaction */
#define SANDWICH_CHAIN_MAX 64u	 /* transactions of one pool that are looked at, the newest first */
#define SANDWICH_PAIRS_MAX 24u	 /* pairs of legs that one transaction may complete */
#define SANDWICH_SENDERS_MAX 6u	 /* senders asked for on account of one transaction */
#define SANDWICH_INPUT_MIN 68u	 /* bytes of input that can be displaced */
#define SANDWICH_TXS_DEFAULT 65536u
#define SANDWICH_WINDOW_NS_DEFAULT 60000000000ull
#define SANDWICH_PAIR_NS_DEFAULT 3000000000ull
#define SANDWICH_TOGETHER_NS 500000000ull

/* What speaks for a public pair, in points. It takes SANDWICH_SCORE_MIN, and of these
 *  - FEE_HAIR, with AMOUNT_ECHO, TOGETHER, SELECTOR or NONCES; or
 *  - AMOUNT_ECHO with FEE_TIGHT and a sign of opposite ways (REVERSED, SELECTOR, or OPPOSITE with TOGETHER
 * and no nonce between); or
 *  - AMOUNT_ECHO with REVERSED.
 * Legs of one contract whose senders differ, or are not known, need AMOUNT_ECHO or REVERSED as well. _(ID,
 * points, "help") */
#define SANDWICH_SCORE_MIN 5u
#define SANDWICH_EVIDENCE(_)                                                                                 \
	_(FEE_HAIR, 3, "the front's fee is a hair above the victim's: up to 1000 wei")                       \
	_(FEE_TIGHT, 2, "both legs' fees are within 1/512 of the victim's, a decoded front's within 1/4096") \
	_(FEE_COPY, 2, "the back's fee is the victim's to the wei, and not a round number")                  \
	_(AMOUNT_ECHO, 3, "what the front buys, or pays, the back sells, or gets, to the wei")               \
	_(AMOUNT_NEAR, 1, "the back sells about what the front buys at least")                               \
	_(OPPOSITE, 2, "the legs' calldata decodes to opposite ways")                                        \
	_(REVERSED, 3, "the legs' calldata of unknown form has the victim's tokens in opposite order")       \
	_(SELECTOR, 1, "two functions of one contract of unknown form")                                      \
	_(NONCES, 1, "nonces of one sender that follow each other")                                          \
	_(TOGETHER, 1, "both legs came within half a second")
enum sandwich_evidence_bit {
#define _(id, points, help) SANDWICH_EVIDENCE_BIT_##id,
	SANDWICH_EVIDENCE(_)
#undef _
		SANDWICH_EVIDENCE_COUNT
};
#define SANDWICH_HAS(id) (1u << SANDWICH_EVIDENCE_BIT_##id)

/* What happened. _(ID, "help") */
#define SANDWICH_COUNTS(_)                                                                                   \
	_(TAKEN, "transactions told")                                                                        \
	_(KNOWN, "of these: told before")                                                                    \
	_(IGNORED, "of these: nothing in them can be a leg or a victim")                                     \
	_(SWAPPING, "transactions with swaps that decode")                                                   \
	_(PACKED, "transactions with calldata of unknown form")                                              \
	_(NEEDLES, "pools and tokens in flight found in calldata of unknown form")                           \
	_(EVICTED, "transactions forgotten before their time, to make room")                                 \
	_(EXPIRED, "transactions forgotten in their time")                                                   \
	_(TOUCHES_FULL, "pools and tokens of a transaction beyond what is kept")                             \
	_(SCAN_CUT, "transactions whose calldata was not searched to its end")                               \
	_(CHAIN_CUT, "pools with more in flight than one look takes")                                        \
	_(PAIRS_CUT, "transactions with more possible pairs than are looked at")                             \
	_(BUNDLE_CUT, "bundles with more possible pairs than are looked at, or more elements than are kept") \
	_(BUNDLES_EVICTED, "bundles forgotten before all their elements came")                               \
	_(PAIRS, "pairs of legs weighed")                                                                    \
	_(PAIRS_WEAK, "of these: around a victim, but short of evidence")                                    \
	_(SENDERS_ASKED, "senders asked for")                                                                \
	_(SENDERS_UNKNOWN, "of these: not answered")                                                         \
	_(FOUND, "incidents")                                                                                \
	_(FOUND_PUBLIC, "incidents, or upgrades of one, by fee order")                                       \
	_(FOUND_BUNDLE, "incidents, or upgrades of one, by bundle order")                                    \
	_(FOUND_PARTIAL, "incidents of a front leg alone")                                                   \
	_(FOUND_DISPLACEMENT, "incidents of displacement")                                                   \
	_(UPDATED, "findings on an incident told before")                                                    \
	_(REPEATED, "findings that said nothing new")                                                        \
	_(ENDED, "incidents that ended")                                                                     \
	_(INCIDENTS_EVICTED, "incidents forgotten before they ended, to make room")
enum sandwich_count {
#define _(id, help) SANDWICH_N_##id,
	SANDWICH_COUNTS(_)
#undef _
		SANDWICH_N_COUNT
};

enum sandwich_kind { SANDWICH_PARTIAL = 1, SANDWICH_PUBLIC, SANDWICH_BUNDLE, SANDWICH_DISPLACEMENT };

/* HELD: included around (or instead of) the victim. BROKEN: included otherwise. REPLACED, DROPPED: a leg, or
 * the last victim, is gone. */
enum sandwich_ending { SANDWICH_OPEN, SANDWICH_HELD, SANDWICH_BROKEN, SANDWICH_REPLACED, SANDWICH_DROPPED };

/* Whose hash: of a leg or victim. ref: what the caller gave with it. */
struct sandwich_ref {
	uint8_t hash[32];
	uint64_t ref;
	bool present;
};

/* Good for the call. DISPLACEMENT: front is the attacker's, key the victim's `to`, no back. */
struct sandwich_finding {
	uint64_t incident; /* number, from 1; an update has that of what it updates */
	uint8_t kind;	   /* enum sandwich_kind */
	uint8_t ending;	   /* enum sandwich_ending */
	bool update;	   /* the incident was told before */
	bool attacker_is_contract;
	bool attacker_known;
	bool key_is_token;
	uint8_t attacker[20]; /* the contract of calldata of unknown form, else the sender */
	uint8_t key[20];  /* what makes the incident, with the attacker: the pool that both legs name, or the
			     token */
	uint8_t pool[20]; /* has_pool: the key, or of a token the first victim's pool of it */
	bool has_pool;
	uint64_t reasons;  /* REASON(FEE_ORDER) ... of abi/alert.h */
	uint32_t evidence; /* SANDWICH_HAS() of a public pair */
	uint8_t score;	   /* its points */
	struct sandwich_ref front, back;
	struct sandwich_ref victims[SANDWICH_VICTIMS];
	uint32_t n_listed, n_victims;
	uint64_t t_ns;
};

typedef void (*sandwich_found)(void *ctx, const struct sandwich_finding *f);
/* sandwich_sender: recover the sender of the transaction `ref`. False: not to be had, or the budget is spent.
 * Asked once per transaction, and only when a finding hangs on it. */
typedef bool (*sandwich_sender)(void *ctx, uint64_t ref, uint8_t out[20]);

struct sandwich_config {
	uint32_t n_txs;		     /* in flight; a power of two in [16, 2^22] */
	uint32_t n_bundles;	     /* a power of two in [4, 2^16] */
	uint32_t n_incidents;	     /* a power of two in [4, 2^20] */
	uint64_t window_ns;	     /* how long a transaction is in flight */
	uint64_t pair_ns;	     /* how far apart two public legs come */
	uint8_t key[16];	     /* secret, random */
	const uint8_t (*common)[20]; /* copied: tokens too common to be a needle; NULL: mainnet's WETH, USDC,
					USDT, DAI, WBTC */
	uint32_t n_common;	     /* up to 64 */
	uint64_t *counts;	     /* SANDWICH_N_COUNT, zeroed by the caller */
	sandwich_found found;
	sandwich_sender sender; /* may be NULL */
	void *ctx;
};

struct sandwich_tx {
	const uint8_t *hash; /* 32 bytes, never NULL */
	const uint8_t *from; /* 20 bytes; NULL: not known */
	const uint8_t *to;   /* 20 bytes; NULL: a creation */
	uint64_t ref;	     /* the caller's name for it */
	uint64_t nonce;
	bool has_nonce;
	bool priced;		      /* tip_cap and fee_cap are known */
	uint8_t type;		      /* enum tx_type */
	struct span tip_cap, fee_cap; /* big-endian; legacy and 2930: both are the gas price */
	const struct swap *swaps;
	uint32_t n_swaps;
	bool swaps_over; /* there are more */
	const struct calls *calls; /* of calls_of, that swaps[].call are of; NULL: not known */
	struct span data;	   /* calldata */
	uint64_t bundle;	   /* its bundle's handle; 0: it is public */
	uint16_t bundle_pos, bundle_len;
	uint64_t t_ns;
};

struct sandwich;

/* sandwich_bytes: memory for what the config asks for; 0: a number is out of its range. */
size_t sandwich_bytes(const struct sandwich_config *c);
/* sandwich_init lays it out in mem (64-byte aligned), which is the caller's and must outlive it.
 * sandwich_bytes(c) > 0. */
struct sandwich *sandwich_init(void *mem, const struct sandwich_config *c);

/* sandwich_take: a transaction crossed. A hash that is known already only joins the bundle, or becomes
 * public. Findings come from within. */
void sandwich_take(struct sandwich *s, const struct sandwich_tx *t);
/* sandwich_bundle_hash: an element that its bundle names by hash alone: joined if it is known, awaited if
 * not. */
void sandwich_bundle_hash(struct sandwich *s, const uint8_t hash[32], uint64_t bundle, uint16_t pos,
	uint16_t len, uint64_t t_ns);
/* sandwich_bundle_lost: an element that could not be read; the bundle does not wait for it. */
void sandwich_bundle_lost(struct sandwich *s, uint64_t bundle, uint16_t len, uint64_t t_ns);

/* What became of it. Of an unknown one nothing is kept. */
void sandwich_replaced(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns);
void sandwich_dropped(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns);
/* block: the caller's handle, one a block. */
void sandwich_included(
	struct sandwich *s, const uint8_t hash[32], uint64_t block, uint32_t index, uint64_t t_ns);

/* sandwich_base_fee: wei of the latest block. Until it is told (or 0), fees are in order only if both caps
 * are. */
void sandwich_base_fee(struct sandwich *s, uint64_t wei);

/* sandwich_age forgets what is older than the window, `budget` transactions at most; returns how many. */
uint32_t sandwich_age(struct sandwich *s, uint64_t now_ns, uint32_t budget);
uint32_t sandwich_in_flight(const struct sandwich *s);

/* sandwich_check looks for anything that may never be: NULL, or what is wrong. For tests: walks everything.
 */
const char *sandwich_check(const struct sandwich *s);

const char *sandwich_count_name(enum sandwich_count c);
const char *sandwich_count_help(enum sandwich_count c);

#endif
