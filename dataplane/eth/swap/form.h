/* SPDX-License-Identifier: BSD-3-Clause */
/* form: what the files of eth/swap/ share. A router is a row (routers.c); what it can be asked for is a list
 * of forms, one a selector, each with the reader of its arguments. A reader emits the hops that it finds and
 * nothing that the calldata does not say. Readers follow what a contract would carry out: unused upper bytes
 * of addresses and offsets that overlap are let pass for routers that are known by address. A contract known
 * by its selector alone may be anything, so there the encoding must be clean (swap_asked.by_selector). */
#ifndef ETH_SWAP_FORM_H
#define ETH_SWAP_FORM_H

#include "eth/abi.h"
#include "eth/swap.h"

#include <string.h>

#define SWAP_STEPS_MAX 256u /* commands, actions, nested calls looked at for one transaction */
#define SWAP_DEPTH_MAX 4u   /* of plans in plans */

/* Factories whose pools are CREATE2 addresses. */
enum swap_factory {
	FACTORY_NONE, /* not known: tokens without a pool */
	FACTORY_UNISWAP_V2,
	FACTORY_SUSHI_V2,
	FACTORY_SHIBA,
	FACTORY_PANCAKE_V2,
	FACTORY_UNISWAP_V3,
	FACTORY_PANCAKE_V3,
	FACTORY_COUNT
};

/* Chains, as a mask: a row or a factory is where it is. */
enum swap_chain {
	CHAIN_OTHER = 1 << 0,
	CHAIN_MAINNET = 1 << 1, /* and what is not told, and local forks of it */
	CHAIN_OPTIMISM = 1 << 2,
	CHAIN_POLYGON = 1 << 3,
	CHAIN_ARBITRUM = 1 << 4,
	CHAIN_BASE = 1 << 5,
	CHAINS_UNISWAP_V3 = CHAIN_MAINNET | CHAIN_OPTIMISM | CHAIN_POLYGON | CHAIN_ARBITRUM,
	CHAINS_ALL = CHAINS_UNISWAP_V3 | CHAIN_BASE | CHAIN_OTHER
};

/* The state of one swaps_of. */
struct swap_reader {
	const struct tx *tx;
	const struct calls *calls;
	struct swap_cache *cache; /* may be NULL */
	struct swap *out;
	uint32_t n;
	uint32_t steps; /* left */
	uint32_t chain; /* one of enum swap_chain */
	bool over;
};

/* One call that is being read. */
struct swap_asked {
	struct abi args;
	struct span data;
	const uint8_t *to; /* 20 bytes; NULL: not told */
	uint8_t value[32]; /* ether with it */
	bool value_known;
	bool by_selector;  /* no router that is known by its address */
	bool has_deadline; /* of the call around it */
	uint64_t deadline;
	uint8_t call, router, depth;
	uint8_t v2, v3; /* enum swap_factory */
	uint8_t traits; /* of the row: enum swap_trait */
};

enum swap_trait {
	ROUTER_CONSTANTS =
		1 << 0, /* recipient 1 is the sender, 2 the router; amount 0 or 2^255 is a balance */
	ROUTER_ZERO_IS_SELF = 1 << 1, /* recipient 0 is the router */
	ROUTER_HOP_PRICES = 1 << 2,   /* V4 parameters have minHopPriceX36 */
	ROUTER_V4_GUESS = 1 << 3,     /* they may: tell by the offsets */
	ROUTER_ETHER_TOKEN = 1 << 4   /* paths name ether itself, as 0xee..ee */
};

struct swap_form {
	uint32_t selector;
	uint32_t arg; /* the reader's own */
	void (*read)(struct swap_reader *r, const struct swap_asked *a, uint32_t arg);
};
#define FORMS_END          \
	{                  \
		0, 0, NULL \
	}

/* A row of the table of routers. Address: first 8, next 8, last 4 bytes; all 0: by selector alone. */
struct swap_router {
	const char *name;
	uint64_t hi, mid;
	uint32_t lo;
	uint8_t chains, v2, v3, traits;
	const struct swap_form *forms;
};

/* What a path's hops have in common. NULL: not known. Borrowed. */
struct swap_terms {
	const uint8_t *amount; /* 32 bytes; what is exact */
	const uint8_t *limit;
	const uint8_t *recipient;
	bool has_deadline, exact_out;
	uint64_t deadline;
};

struct swap_hop {
	enum swap_venue venue;
	const uint8_t *pool, *token_in, *token_out; /* 20 bytes, or NULL */
	int direction; /* 1: token 0 goes in, 0: comes out, -1: not known, or told by the tokens */
	uint32_t hop, hops;
};

/* swap_emit adds a hop. False: no room (r->over is set). */
bool swap_emit(struct swap_reader *r, const struct swap_asked *a, const struct swap_hop *h,
	const struct swap_terms *terms);

/* swap_dispatch reads a call that another one carries: to may be NULL; value (a word) NULL: none is told. */
void swap_dispatch(struct swap_reader *r, const struct swap_asked *outer, const uint8_t *to, struct span data,
	const uint8_t *value);

/* swap_step: may one more piece be looked at? Counts it. */
static inline bool
swap_step(struct swap_reader *r)
{
	if (r->steps == 0)
		r->over = true;
	return r->steps > 0 && r->steps-- > 0;
}

/* swap_pool_v2, swap_pool_v3 write the pool of two tokens. False: the factory is none of this chain, or the
 * tokens are the same, or there is no room for a hop with it (so that no more is hashed than is told). */
bool swap_pool_v2(
	struct swap_reader *r, uint32_t factory, const uint8_t *a, const uint8_t *b, uint8_t pool[20]);
bool swap_pool_v3(struct swap_reader *r, uint32_t factory, const uint8_t *a, const uint8_t *b,
	const uint8_t fee[3], uint8_t pool[20]);
enum swap_venue swap_factory_venue(const struct swap_reader *r, uint32_t factory);

/* swap_v2_path emits a path of n tokens, which stand in a's words. */
void swap_v2_path(struct swap_reader *r, const struct swap_asked *a, struct abi tokens, uint32_t n,
	const struct swap_terms *terms);
/* swap_v3_path emits a packed path: token, fee, token, ... backwards when the output is exact. */
void swap_v3_path(
	struct swap_reader *r, const struct swap_asked *a, struct span path, const struct swap_terms *terms);
/* swap_v4_input reads what the universal router's V4 command holds (v4.c). */
void swap_v4_input(
	struct swap_reader *r, const struct swap_asked *a, struct span input, const struct swap_terms *base);

/* swap_generic emits a swap whose pools are not told: token for token. */
void swap_generic(struct swap_reader *r, const struct swap_asked *a, const uint8_t *in, const uint8_t *out,
	const struct swap_terms *terms);

/* The wrapped native token of this chain; NULL: not known. */
const uint8_t *swap_wrapped(const struct swap_reader *r);

/* swap_token: an address as a token: 0 and 0xee..ee stand for ether, which is the wrapped token. NULL: not
 * known. */
const uint8_t *swap_token(const struct swap_reader *r, const uint8_t *address);

/* swap_recipient: what stands there, the row's constants resolved. NULL: whoever sends, or not known. */
const uint8_t *swap_recipient(const struct swap_asked *a, const uint8_t *address);

/* swap_deadline sets the terms' from a word. */
void swap_deadline(struct swap_terms *t, const uint8_t *word);

static inline bool
swap_zero(const uint8_t *p, uint32_t n)
{
	uint8_t any = 0;
	for (uint32_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* swap_clean_address: the upper 12 bytes of the word are none. */
static inline bool
swap_clean_address(const uint8_t *word)
{
	return word != NULL && swap_zero(word, 12);
}

/* swap_exact: an amount that is one: NULL for zero and for 2^255 (a balance). */
static inline const uint8_t *
swap_exact(const uint8_t *word)
{
	return word == NULL || swap_zero(word, 32) || (word[0] == 0x80 && swap_zero(word + 1, 31)) ? NULL
												   : word;
}

/* swap_all_ones: 2^256 - 1, which many take for "all there is". */
static inline bool
swap_all_ones(const uint8_t *word)
{
	uint8_t all = 0xff;
	for (uint32_t i = 0; i < 32; i++)
		all &= word[i];
	return all == 0xff;
}

/* The forms of each file. */
extern const struct swap_form swap_forms_v2[], swap_forms_v3[], swap_forms_v3_02[], swap_forms_universal[],
	swap_forms_oneinch[], swap_forms_zerox[], swap_forms_settler[], swap_forms_allowance[],
	swap_forms_metamask[], swap_forms_paraswap5[], swap_forms_paraswap6[], swap_forms_kyber[],
	swap_forms_cow[], swap_forms_curve_router[], swap_forms_curve_pool[], swap_forms_balancer[],
	swap_forms_sushi[], swap_forms_pool[];

extern const struct swap_router swap_routers[];
extern const uint32_t swap_routers_n;

#endif
