/* SPDX-License-Identifier: BSD-3-Clause */
/* ParaSwap's Augustus v5 and v6, and CoW Protocol's settlement: what they call is read in turn. Source:
 * paraswap-contracts Utils.sol, SimpleSwap.sol, IUniswapV2Router; AugustusV6Types.sol; cowprotocol
 * GPv2Trade.sol, GPv2Interaction.sol. */
#include "eth/swap/form.h"

enum { EXACT_OUT = 1, FORK = 2, POOLS = 4 };

/* (from, to, fromAmount, toAmount, expected, callees[], exchangeData, starts[], values[], beneficiary,
 * partner, fee, permit, deadline, id): call i is exchangeData from starts[i] to starts[i + 1]. */
static void
simple_calls(struct swap_reader *r, const struct swap_asked *a, struct abi s)
{
	struct abi callees, starts, values;
	struct span data;
	uint32_t n, n_starts, n_values;
	uint64_t from, to;
	if (!abi_array(s, 5, 1, &callees, &n) || !abi_bytes(s, 6, &data) ||
		!abi_array(s, 7, 1, &starts, &n_starts) || !abi_array(s, 8, 1, &values, &n_values) ||
		n_starts != n + 1 || n_values != n)
		return;
	for (uint32_t i = 0; i < n && swap_step(r); i++)
		if (abi_uint(starts, i, &from) && abi_uint(starts, i + 1, &to) && from <= to &&
			to <= data.len)
			swap_dispatch(r, a, abi_address(callees, i),
				(struct span){data.p + from, (uint32_t)(to - from)}, abi_word(values, i));
}

static void
read_simple(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi s;
	uint32_t mark = r->n;
	if (!abi_follow(a->args, 0, &s) || abi_word(s, 14) == NULL)
		return;
	simple_calls(r, a, s);
	if (r->n > mark)
		return;
	struct swap_terms t = {.exact_out = arg & EXACT_OUT,
		.recipient = swap_recipient(a, abi_address(s, 9)),
		.amount = abi_word(s, (arg & EXACT_OUT) ? 3 : 2),
		.limit = abi_word(s, (arg & EXACT_OUT) ? 2 : 3)};
	swap_deadline(&t, abi_word(s, 13));
	swap_generic(r, a, abi_address(s, 0), abi_address(s, 1), &t);
}

/* The last token of a path of (to, fee, adapters)[]. */
static const uint8_t *
last_token(struct abi s, uint32_t word)
{
	struct abi path, step;
	uint32_t n;
	if (!abi_array(s, word, 1, &path, &n) || n == 0 || !abi_follow(path, n - 1, &step))
		return NULL;
	return abi_address(step, 0);
}

/* (from, fromAmount, toAmount, expected, beneficiary, path, partner, fee, permit, deadline, id); mega:
 * several paths, all to one token */
static void
read_multi(struct swap_reader *r, const struct swap_asked *a, uint32_t mega)
{
	struct abi s, paths, one;
	uint32_t n;
	const uint8_t *out;
	if (!abi_follow(a->args, 0, &s) || abi_word(s, 10) == NULL)
		return;
	if (!mega)
		out = last_token(s, 5);
	else
		out = abi_array(s, 5, 1, &paths, &n) && n > 0 && abi_follow(paths, 0, &one)
			      ? last_token(one, 1)
			      : NULL;
	struct swap_terms t = {.amount = abi_word(s, 1),
		.limit = abi_word(s, 2),
		.recipient = swap_recipient(a, abi_address(s, 4))};
	swap_deadline(&t, abi_word(s, 9));
	swap_generic(r, a, abi_address(s, 0), out, &t);
}

/* swapOnUniswap(in, min, path), buyOnUniswap(max, out, path); ...Fork(factory, initCode, in, min, path) */
static void
read_uniswap(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = (arg & FORK) ? 2 : 0, n;
	struct swap_asked b = *a;
	struct abi tokens;
	if (!abi_array(a->args, w + 2, 1, &tokens, &n))
		return;
	if (arg & FORK)
		b.v2 = FACTORY_NONE;
	struct swap_terms t = {.exact_out = arg & EXACT_OUT,
		.amount = abi_word(a->args, w + ((arg & EXACT_OUT) ? 1 : 0)),
		.limit = abi_word(a->args, w + ((arg & EXACT_OUT) ? 0 : 1))};
	swap_v2_path(r, &b, tokens, n, &t);
}

/* swapOnUniswapV2Fork(tokenIn, in, min, weth, pools[]), buyOn...(tokenIn, max, out, weth, pools[]): a pool is
 * a word's low 20 bytes */
static void
read_fork_pools(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi pools;
	uint32_t n;
	if (!abi_array(a->args, 4, 1, &pools, &n))
		return;
	struct swap_terms t = {.exact_out = arg & EXACT_OUT,
		.amount = abi_word(a->args, (arg & EXACT_OUT) ? 2 : 1),
		.limit = abi_word(a->args, (arg & EXACT_OUT) ? 1 : 2)};
	for (uint32_t i = 0; i < n; i++) {
		struct swap_hop h = {.pool = abi_address(pools, i),
			.direction = -1,
			.hop = i,
			.hops = n,
			.token_in = i == 0 ? swap_token(r, abi_address(a->args, 0)) : NULL};
		if (!swap_emit(r, a, &h, &t))
			return;
	}
}

const struct swap_form swap_forms_paraswap5[] = {{0x54e3f31b, 0, read_simple},
	{0x2298207a, EXACT_OUT, read_simple}, {0xa94e78ef, false, read_multi}, {0x46c67b6d, true, read_multi},
	{0x54840d1a, 0, read_uniswap}, {0x935fb84b, EXACT_OUT, read_uniswap},
	{0xf5661034, FORK, read_uniswap}, {0x0b86a4c1, 0, read_fork_pools},
	{0xb2f1e6db, EXACT_OUT, read_fork_pools}, FORMS_END};

/* (src, dest, fromAmount, toAmount, quoted, metadata, beneficiary, ...) at word 1, or (pools follow) at an
 * offset in word 0 */
static void
read_v6(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi s;
	if (!((arg & POOLS) ? abi_follow(a->args, 0, &s) : abi_at(a->args, 1, &s)) || abi_word(s, 6) == NULL)
		return;
	struct swap_terms t = {.exact_out = arg & EXACT_OUT,
		.recipient = swap_recipient(a, abi_address(s, 6)),
		.amount = abi_word(s, (arg & EXACT_OUT) ? 3 : 2),
		.limit = abi_word(s, (arg & EXACT_OUT) ? 2 : 3)};
	swap_generic(r, a, abi_address(s, 0), abi_address(s, 1), &t);
}

const struct swap_form swap_forms_paraswap6[] = {{0xe3ead59e, 0, read_v6}, {0x7f457675, EXACT_OUT, read_v6},
	{0xe8bb3b6c, POOLS, read_v6}, {0x876a02f6, POOLS, read_v6}, {0xa76f4eb6, POOLS | EXACT_OUT, read_v6},
	{0x5e94e28d, POOLS | EXACT_OUT, read_v6}, FORMS_END};

/* ---- CoW ---- */

enum { COW_BUY = 1, COW_PARTIAL = 2 };

/* (sellIndex, buyIndex, receiver, sell, buy, validTo, appData, fee, flags, executed, signature) */
static void
cow_trade(struct swap_reader *r, const struct swap_asked *a, struct abi tokens, uint32_t n_tokens,
	struct abi trade)
{
	uint64_t sell, buy;
	if (abi_word(trade, 10) == NULL || !abi_uint(trade, 0, &sell) || !abi_uint(trade, 1, &buy) ||
		sell >= n_tokens || buy >= n_tokens)
		return;
	uint8_t flags = abi_word(trade, 8)[31];
	bool partial = flags & COW_PARTIAL;
	struct swap_terms t = {
		.exact_out = flags & COW_BUY, .recipient = swap_recipient(a, abi_address(trade, 2))};
	t.amount = abi_word(trade, partial ? 9 : t.exact_out ? 4 : 3);
	t.limit = partial ? NULL : abi_word(trade, t.exact_out ? 3 : 4);
	swap_deadline(&t, abi_word(trade, 5));
	swap_generic(r, a, abi_address(tokens, (uint32_t)sell), abi_address(tokens, (uint32_t)buy), &t);
}

/* (target, value, callData)[] */
static void
cow_interactions(struct swap_reader *r, const struct swap_asked *a, struct abi three, uint32_t which)
{
	struct abi list, one;
	struct span data;
	uint32_t n;
	if (!abi_array(three, which, 1, &list, &n))
		return;
	for (uint32_t i = 0; i < n && swap_step(r); i++)
		if (abi_follow(list, i, &one) && abi_bytes(one, 2, &data))
			swap_dispatch(r, a, abi_address(one, 0), data, abi_word(one, 1));
}

/* settle(tokens[], prices[], trades[], interactions[][3]): what it does with pools comes first, then what was
 * traded for it. */
static void
read_settle(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi tokens, trades, trade, three;
	uint32_t n_tokens, n;
	if (!abi_array(a->args, 0, 1, &tokens, &n_tokens) || !abi_array(a->args, 2, 1, &trades, &n))
		return;
	if (abi_follow(a->args, 3, &three))
		for (uint32_t i = 0; i < 3; i++)
			cow_interactions(r, a, three, i);
	for (uint32_t i = 0; i < n && swap_step(r); i++)
		if (abi_follow(trades, i, &trade))
			cow_trade(r, a, tokens, n_tokens, trade);
}

const struct swap_form swap_forms_cow[] = {{0x13d79a0b, 0, read_settle}, FORMS_END};
