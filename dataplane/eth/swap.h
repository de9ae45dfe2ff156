/* SPDX-License-Identifier: BSD-3-Clause */
/* swap: the swaps that a transaction asks a router for, one struct a hop (pool), in their order. Routers are
 * rows of a table (eth/swap/, a file a router or a family); calls inside calls are found by eth/calls.h. What
 * calldata does not say (an amount between hops, whatever the contract fills in) is absent, never guessed.
 * Pools are CREATE2 addresses (factory, token pair, fee) or, where the calldata names the pool, that. Hostile
 * calldata costs no more than its caps. No allocation. */
#ifndef ETH_SWAP_H
#define ETH_SWAP_H

#include "abi/span.h"
#include "eth/calls.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stdint.h>

#define SWAPS_MAX 16u /* hops of one transaction */

/* Venues: who keeps the pool. _(ID, "name") */
#define SWAP_VENUES(_)              \
	_(UNKNOWN, "unknown")       \
	_(UNISWAP_V2, "uniswap-v2") \
	_(SUSHISWAP, "sushiswap")   \
	_(SHIBASWAP, "shibaswap")   \
	_(UNISWAP_V3, "uniswap-v3") \
	_(PANCAKE_V3, "pancake-v3") \
	_(UNISWAP_V4, "uniswap-v4") \
	_(CURVE, "curve")           \
	_(BALANCER, "balancer")     \
	_(PANCAKE_V2, "pancake-v2")
enum swap_venue {
#define _(id, name) SWAP_##id,
	SWAP_VENUES(_)
#undef _
		SWAP_VENUE_COUNT
};

/* Which fields of struct swap are known. */
enum swap_has {
	SWAP_HAS_POOL = 1 << 0,
	SWAP_HAS_TOKEN_IN = 1 << 1,
	SWAP_HAS_TOKEN_OUT = 1 << 2,
	SWAP_HAS_AMOUNT_IN = 1 << 3,  /* exactly this much goes in (first hop) */
	SWAP_HAS_AMOUNT_OUT = 1 << 4, /* exactly this much comes out (last hop) */
	SWAP_HAS_LIMIT = 1 << 5,      /* least out (last hop), or most in (first hop) */
	SWAP_HAS_RECIPIENT = 1 << 6,
	SWAP_HAS_DEADLINE = 1 << 7,
	SWAP_HAS_DIRECTION = 1 << 8 /* zero_for_one; also where a pool is named and not its tokens */
};

/* Amounts: 256 bits, big-endian. Native ether is the wrapped token's address of the chain (mainnet WETH)
 * where the router wraps it; V4 pools hold ether itself, whose token is the zero address. What is not in
 * `has` is zero. */
struct swap {
	uint16_t has;	   /* enum swap_has */
	uint8_t venue;	   /* enum swap_venue */
	uint8_t router;	   /* index into the table of routers: swap_router_name */
	uint8_t hop, hops; /* of its path */
	uint8_t exact_out; /* 1: amount_out is exact and limit is the most that goes in; 0: amount_in is, and
			      limit the least that comes out */
	uint8_t call;	   /* index into struct calls: which call asks for it */
	uint8_t zero_for_one; /* 1: the lower token goes in (Curve: coin 0 for coin 1) */
	uint8_t pool[20];     /* V4 and Balancer: the first 20 bytes of the pool id */
	uint8_t token_in[20], token_out[20];
	uint8_t recipient[20]; /* the last hop's; a router's own "me" is its address, its "you" absent (the
				  sender is not known here) */
	uint64_t deadline;     /* unix seconds, UINT64_MAX if beyond */
	uint8_t amount_in[32], amount_out[32], limit[32];
};

/* swaps_of writes t's swaps, at most SWAPS_MAX, and returns how many. calls: of calls_of(t). *over is set if
 * there are more. */
uint32_t swaps_of(const struct tx *t, const struct calls *calls, struct swap out[SWAPS_MAX], bool *over);

/* Pools that were computed lately, so that a popular pair costs no hashing: about 1 us a pool; and which
 * selectors any router knows, so that other calls cost nothing. The caller's, one a thread; of zeros to begin
 * with. It changes the time that swaps_of takes, never what it answers. */
#define SWAP_CACHE_SLOTS 2048u
#define SWAP_CACHE_SELECTORS (1u << 13) /* bits */
struct swap_cache {
	_Alignas(64) uint8_t line[SWAP_CACHE_SLOTS][64];
	uint64_t selectors[SWAP_CACHE_SELECTORS / 64];
	bool has_selectors;
};

/* swaps_of_cached: swaps_of with such a cache; NULL: without. */
uint32_t swaps_of_cached(const struct tx *t, const struct calls *calls, struct swap_cache *cache,
	struct swap out[SWAPS_MAX], bool *over);

/* swap_router_name: of a row; static. swap_venue_name. NULL out of range. */
const char *swap_router_name(unsigned router);
const char *swap_venue_name(unsigned venue);

#endif
