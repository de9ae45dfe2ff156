/* SPDX-License-Identifier: BSD-3-Clause */
/* Uniswap V4 swaps in the V4 command: a byte an action and a parameter each. The pool is
 * keccak(abi.encode(PoolKey)), of which the first 20 bytes are told. Source: Uniswap v4-periphery
 * Actions.sol, IV4Router.sol, PathKey.sol. */
#include "eth/keccak.h"
#include "eth/swap/form.h"

enum action { V4_IN_SINGLE = 0x06, V4_IN = 0x07, V4_OUT_SINGLE = 0x08, V4_OUT = 0x09 };

#define KEY_WORDS 5u /* currency 0, currency 1, fee, tick spacing, hooks */

static void
pool_id(const uint8_t key[32 * KEY_WORDS], uint8_t out[20])
{
	uint8_t hash[32];
	keccak256(&(struct span){key, 32 * KEY_WORDS}, 1, hash);
	memcpy(out, hash, 20);
}

static void
single(struct swap_reader *r, const struct swap_asked *a, struct span param, struct swap_terms *t)
{
	struct abi s;
	uint8_t pool[20] = {0};
	if (!abi_follow((struct abi){param, 0}, 0, &s) || abi_word(s, KEY_WORDS + 2) == NULL)
		return;
	const uint8_t *key = abi_word(s, 0), *zero_for_one = abi_word(s, KEY_WORDS);
	bool down = !swap_zero(zero_for_one, 32);
	if (r->n < SWAPS_MAX)
		pool_id(key, pool);
	t->amount = swap_exact(abi_word(s, KEY_WORDS + 1)); /* zero: what the swaps before left open */
	t->limit = abi_word(s, KEY_WORDS + 2);
	struct swap_hop h = {.venue = SWAP_UNISWAP_V4,
		.pool = pool,
		.hops = 1,
		.direction = down,
		.token_in = key + (down ? 12 : 44),
		.token_out = key + (down ? 44 : 12)};
	swap_emit(r, a, &h, t);
}

struct path {
	struct abi keys;
	uint32_t n;
	const uint8_t *currency; /* the exact one's */
};

/* Hop i, in the order of the swaps: its path key (currency, fee, tick spacing, hooks, hook data) and the
 * currency on the key's other side. An exact output's keys each name what goes in. False: the router would
 * not get that far. */
static bool
path_key(const struct path *p, uint32_t i, bool exact_out, struct abi *key, const uint8_t **other)
{
	struct abi beside;
	*other = p->currency;
	if (!abi_follow(p->keys, i, key) || abi_word(*key, 3) == NULL)
		return false;
	if (exact_out ? i + 1 < p->n : i > 0) {
		if (!abi_follow(p->keys, exact_out ? i + 1 : i - 1, &beside) ||
			(*other = abi_address(beside, 0)) == NULL)
			return false;
	}
	return memcmp(*other, abi_address(*key, 0), 20) != 0;
}

static bool
path_hop(struct swap_reader *r, const struct swap_asked *a, const struct path *p, uint32_t i,
	const struct swap_terms *t)
{
	uint8_t words[32 * KEY_WORDS] = {0}, pool[20] = {0};
	const uint8_t *from, *to;
	struct abi key;
	if (!path_key(p, i, t->exact_out, &key, &from))
		return false;
	to = abi_address(key, 0);
	memcpy(words + 12, memcmp(from, to, 20) < 0 ? from : to, 20);
	memcpy(words + 44, memcmp(from, to, 20) < 0 ? to : from, 20);
	memcpy(words + 64, abi_word(key, 1), 96);
	if (r->n < SWAPS_MAX)
		pool_id(words, pool);
	struct swap_hop h = {.venue = SWAP_UNISWAP_V4,
		.pool = pool,
		.direction = -1,
		.hop = i,
		.hops = p->n,
		.token_in = t->exact_out ? to : from,
		.token_out = t->exact_out ? from : to};
	return swap_emit(r, a, &h, t);
}

/* (currency, path keys, [hop prices,] amount, limit): 2.1 has the prices; where the router is not known, the
 * path's offset tells. */
static void
path(struct swap_reader *r, const struct swap_asked *a, struct span param, struct swap_terms *t)
{
	struct abi s;
	struct path p;
	uint64_t offset;
	if (!abi_follow((struct abi){param, 0}, 0, &s) || !abi_array(s, 1, 1, &p.keys, &p.n) || p.n == 0)
		return;
	bool prices = (a->traits & ROUTER_HOP_PRICES) != 0;
	if ((a->traits & ROUTER_V4_GUESS) && abi_uint(s, 1, &offset))
		prices = offset != 0x80;
	uint32_t amount = prices ? 3 : 2;
	if (abi_word(s, amount + 1) == NULL)
		return;
	p.currency = abi_address(s, 0);
	t->amount = swap_exact(abi_word(s, amount));
	t->limit = abi_word(s, amount + 1);
	struct abi key;
	const uint8_t *other;
	for (uint32_t i = 0; i < p.n && i < SWAPS_MAX; i++)
		if (!path_key(&p, i, t->exact_out, &key, &other))
			return;
	for (uint32_t i = 0; i < p.n && path_hop(r, a, &p, i, t); i++)
		;
}

/* (bytes actions, bytes[] params) */
void
swap_v4_input(
	struct swap_reader *r, const struct swap_asked *a, struct span input, const struct swap_terms *base)
{
	struct abi frame = {input, 0}, params;
	struct span actions, param;
	uint32_t n;
	if (!abi_bytes(frame, 0, &actions) || !abi_array(frame, 1, 1, &params, &n) || n != actions.len)
		return;
	for (uint32_t i = 0; i < n && swap_step(r); i++) {
		uint8_t action = actions.p[i];
		struct swap_terms t = *base;
		t.exact_out = action == V4_OUT_SINGLE || action == V4_OUT;
		if (action < V4_IN_SINGLE || action > V4_OUT || !abi_bytes(params, i, &param))
			continue;
		if (action == V4_IN_SINGLE || action == V4_OUT_SINGLE)
			single(r, a, param, &t);
		else
			path(r, a, param, &t);
	}
}
