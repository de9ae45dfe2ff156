/* SPDX-License-Identifier: BSD-3-Clause */
/* Uniswap V3 routers and PancakeSwap's. Source: Uniswap v3-periphery ISwapRouter, swap-router-contracts
 * IV3SwapRouter and IV2SwapRouter. */
#include "eth/swap/form.h"

enum {
	V3_EXACT_OUT = 1,
	V3_DEADLINE = 2 /* the first router's structs have one, after the recipient */
};

#define HOP_BYTES 23u /* token, fee */

/* What is behind the last whole hop is never looked at by the router either; a contract that may be anything
 * must have none. */
void
swap_v3_path(
	struct swap_reader *r, const struct swap_asked *a, struct span path, const struct swap_terms *terms)
{
	uint8_t pool[20];
	uint32_t hops = path.len < 20 ? 0 : (path.len - 20) / HOP_BYTES;
	if (hops == 0 || (a->by_selector && (hops > SWAPS_MAX || (path.len - 20) % HOP_BYTES != 0)))
		return;
	for (uint32_t i = 0; i < hops && i <= SWAPS_MAX; i++)
		if (memcmp(path.p + i * HOP_BYTES, path.p + (i + 1) * HOP_BYTES, 20) == 0)
			return;
	for (uint32_t i = 0; i < hops; i++) {
		const uint8_t *at = path.p + (size_t)(terms->exact_out ? hops - 1 - i : i) * HOP_BYTES;
		const uint8_t *in = terms->exact_out ? at + HOP_BYTES : at,
			      *out = terms->exact_out ? at : at + HOP_BYTES;
		struct swap_hop h = {.token_in = in,
			.token_out = out,
			.direction = -1,
			.hop = i,
			.hops = hops,
			.venue = swap_factory_venue(r, a->v3)};
		if (swap_pool_v3(r, a->v3, in, out, at + 20, pool))
			h.pool = pool;
		if (!swap_emit(r, a, &h, terms))
			return;
	}
}

static void
read_single(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t amount = (arg & V3_DEADLINE) ? 5 : 4;
	struct swap_terms t = {.exact_out = (arg & V3_EXACT_OUT) != 0,
		.has_deadline = a->has_deadline,
		.deadline = a->deadline};
	const uint8_t *in = abi_word(a->args, 0), *out = abi_word(a->args, 1), *fee = abi_word(a->args, 2),
		      *to = abi_word(a->args, 3);
	uint8_t pool[20];
	if (abi_word(a->args, amount + 2) == NULL || memcmp(in + 12, out + 12, 20) == 0)
		return;
	if (a->by_selector && !(swap_clean_address(in) && swap_clean_address(out) && swap_clean_address(to) &&
				      swap_zero(fee, 29)))
		return;
	if (arg & V3_DEADLINE)
		swap_deadline(&t, abi_word(a->args, 4));
	t.amount = abi_word(a->args, amount);
	t.limit = abi_word(a->args, amount + 1);
	if ((a->traits & ROUTER_CONSTANTS) && !t.exact_out)
		t.amount = swap_exact(t.amount);
	t.recipient = swap_recipient(a, to + 12);
	struct swap_hop h = {.token_in = in + 12,
		.token_out = out + 12,
		.direction = -1,
		.hops = 1,
		.venue = swap_factory_venue(r, a->v3)};
	if (swap_pool_v3(r, a->v3, h.token_in, h.token_out, fee + 29, pool))
		h.pool = pool;
	swap_emit(r, a, &h, &t);
}

static void
read_path(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t amount = (arg & V3_DEADLINE) ? 3 : 2;
	struct swap_terms t = {.exact_out = (arg & V3_EXACT_OUT) != 0,
		.has_deadline = a->has_deadline,
		.deadline = a->deadline};
	struct abi params;
	struct span path;
	if (!abi_follow(a->args, 0, &params) || abi_word(params, amount + 1) == NULL ||
		!abi_bytes(params, 0, &path))
		return;
	if (a->by_selector && !swap_clean_address(abi_word(params, 1)))
		return;
	if (arg & V3_DEADLINE)
		swap_deadline(&t, abi_word(params, 2));
	t.amount = abi_word(params, amount);
	t.limit = abi_word(params, amount + 1);
	if ((a->traits & ROUTER_CONSTANTS) && !t.exact_out)
		t.amount = swap_exact(t.amount);
	t.recipient = swap_recipient(a, abi_address(params, 1));
	swap_v3_path(r, a, path, &t);
}

const struct swap_form swap_forms_v3[] = {{0x414bf389, V3_DEADLINE, read_single}, /* exactInputSingle */
	{0xdb3e2198, V3_DEADLINE | V3_EXACT_OUT, read_single},			  /* exactOutputSingle */
	{0xc04b8d59, V3_DEADLINE, read_path},					  /* exactInput */
	{0xf28c0498, V3_DEADLINE | V3_EXACT_OUT, read_path},			  /* exactOutput */
	FORMS_END};

const struct swap_form swap_forms_v3_02[] = {{0x04e45aaf, 0, read_single},
	{0x5023b4df, V3_EXACT_OUT, read_single}, {0xb858183f, 0, read_path},
	{0x09b81346, V3_EXACT_OUT, read_path}, FORMS_END};
