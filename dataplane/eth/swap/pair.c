/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools called directly: any contract with the selector. Source: Uniswap v2-core IUniswapV2Pair, v3-core
 * IUniswapV3PoolActions, balancer-core BPool.sol. */
#include "eth/swap/form.h"

/* swap(amount0Out, amount1Out, to, data): one of the amounts is zero, unless it is a flash loan. */
static void
read_v2_pair(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	const uint8_t *out0 = abi_word(a->args, 0), *out1 = abi_word(a->args, 1), *to = abi_word(a->args, 2);
	struct span data;
	if (a->to == NULL || !swap_clean_address(to) || !abi_bytes(a->args, 3, &data) ||
		swap_zero(out0, 32) == swap_zero(out1, 32))
		return;
	bool zero_for_one = swap_zero(out0, 32);
	struct swap_terms t = {.exact_out = true,
		.amount = zero_for_one ? out1 : out0,
		.recipient = swap_recipient(a, to + 12)};
	struct swap_hop h = {.pool = a->to, .direction = zero_for_one, .hops = 1};
	swap_emit(r, a, &h, &t);
}

/* swap(recipient, zeroForOne, amountSpecified, sqrtPriceLimit, data): negative is what comes out. */
static void
read_v3_pool(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	const uint8_t *to = abi_word(a->args, 0), *down = abi_word(a->args, 1),
		      *amount = abi_word(a->args, 2);
	struct span data;
	uint8_t out[32];
	uint32_t carry = 1;
	if (a->to == NULL || !swap_clean_address(to) || !abi_bytes(a->args, 4, &data) ||
		!swap_zero(down, 31) || down[31] > 1 || swap_zero(amount, 32) ||
		!swap_clean_address(abi_word(a->args, 3)))
		return;
	struct swap_terms t = {
		.exact_out = amount[0] >> 7, .amount = amount, .recipient = swap_recipient(a, to + 12)};
	if (t.exact_out) {
		for (uint32_t i = 32; i-- > 0;) {
			carry += (uint8_t)~amount[i];
			out[i] = (uint8_t)carry;
			carry >>= 8;
		}
		t.amount = out;
	}
	struct swap_hop h = {.pool = a->to, .direction = down[31], .hops = 1};
	swap_emit(r, a, &h, &t);
}

/* swapExactAmountIn(tokenIn, in, tokenOut, min, price), swapExactAmountOut(tokenIn, max, tokenOut, out,
 * price) of Balancer's first pools */
static void
read_bpool(struct swap_reader *r, const struct swap_asked *a, uint32_t exact_out)
{
	const uint8_t *in = abi_word(a->args, 0), *out = abi_word(a->args, 2);
	if (a->to == NULL || abi_word(a->args, 4) == NULL || !swap_clean_address(in) ||
		!swap_clean_address(out))
		return;
	struct swap_terms t = {.exact_out = exact_out,
		.amount = abi_word(a->args, exact_out ? 3 : 1),
		.limit = abi_word(a->args, exact_out ? 1 : 3)};
	struct swap_hop h = {.venue = SWAP_BALANCER,
		.pool = a->to,
		.token_in = in + 12,
		.token_out = out + 12,
		.direction = -1,
		.hops = 1};
	swap_emit(r, a, &h, &t);
}

const struct swap_form swap_forms_pool[] = {{0x022c0d9f, 0, read_v2_pair}, {0x128acb08, 0, read_v3_pool},
	{0x8201aa3f, false, read_bpool}, {0x7c5e9ea4, true, read_bpool}, FORMS_END};
