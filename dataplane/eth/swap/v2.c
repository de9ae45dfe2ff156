/* SPDX-License-Identifier: BSD-3-Clause */
/* Uniswap V2 routers and their forks, and the V2 functions of SwapRouter02. Source: Uniswap v2-periphery
 * IUniswapV2Router02, swap-router-contracts IV2SwapRouter. */
#include "eth/swap/form.h"

enum {
	V2_EXACT_OUT = 1, /* word 0 is what comes out, the other the most that goes in */
	V2_ETHER_IN = 2,  /* what goes in (or the most) is the call's ether: one word less */
	V2_NO_DEADLINE = 4
};

/* A path of a contract that may be anything: every word an address, no step to the same token. */
static bool
clean_path(struct abi tokens, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!swap_clean_address(abi_word(tokens, i)) || swap_zero(abi_address(tokens, i), 20))
			return false;
	return true;
}

void
swap_v2_path(struct swap_reader *r, const struct swap_asked *a, struct abi tokens, uint32_t n,
	const struct swap_terms *terms)
{
	uint8_t pool[20];
	if (n < 2 || (a->by_selector && (n > SWAPS_MAX + 1 || !clean_path(tokens, n))))
		return;
	for (uint32_t i = 0; i + 1 < n && i <= SWAPS_MAX; i++)
		if (memcmp(abi_address(tokens, i), abi_address(tokens, i + 1), 20) == 0)
			return;
	for (uint32_t i = 0; i + 1 < n; i++) {
		bool ether = (a->traits & ROUTER_ETHER_TOKEN) != 0;
		const uint8_t *in = abi_address(tokens, i), *out = abi_address(tokens, i + 1);
		struct swap_hop h = {.token_in = ether ? swap_token(r, in) : in,
			.token_out = ether ? swap_token(r, out) : out,
			.direction = -1,
			.hop = i,
			.hops = n - 1,
			.venue = swap_factory_venue(r, a->v2)};
		if (h.token_in && h.token_out && swap_pool_v2(r, a->v2, h.token_in, h.token_out, pool))
			h.pool = pool;
		if (!swap_emit(r, a, &h, terms))
			return;
	}
}

static void
read_v2(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = (arg & V2_ETHER_IN) ? 1 : 2, n;
	struct abi tokens;
	struct swap_terms t = {.exact_out = (arg & V2_EXACT_OUT) != 0,
		.has_deadline = a->has_deadline,
		.deadline = a->deadline};
	const uint8_t *value = a->value_known ? a->value : NULL;
	const uint8_t *to = abi_word(a->args, w + 1), *first = abi_word(a->args, 0);
	if (to == NULL || !abi_array(a->args, w, 1, &tokens, &n) ||
		(a->by_selector && !swap_clean_address(to)))
		return;
	if (arg & V2_ETHER_IN) {
		t.amount = t.exact_out ? first : value;
		t.limit = t.exact_out ? value : first;
	} else {
		t.amount = first;
		t.limit = abi_word(a->args, 1);
	}
	if ((a->traits & ROUTER_CONSTANTS) && !t.exact_out)
		t.amount = swap_exact(t.amount);
	t.recipient = swap_recipient(a, to + 12);
	if (!(arg & V2_NO_DEADLINE)) {
		if (abi_word(a->args, w + 2) == NULL)
			return;
		swap_deadline(&t, abi_word(a->args, w + 2));
	}
	swap_v2_path(r, a, tokens, n, &t);
}

const struct swap_form swap_forms_v2[] = {{0x7ff36ab5, V2_ETHER_IN, read_v2}, /* swapExactETHForTokens */
	{0xb6f9de95, V2_ETHER_IN, read_v2},		      /* ...SupportingFeeOnTransferTokens */
	{0xfb3bdb41, V2_ETHER_IN | V2_EXACT_OUT, read_v2},    /* swapETHForExactTokens */
	{0x38ed1739, 0, read_v2},			      /* swapExactTokensForTokens */
	{0x5c11d795, 0, read_v2},			      /* ...SupportingFeeOnTransferTokens */
	{0x18cbafe5, 0, read_v2},			      /* swapExactTokensForETH */
	{0x791ac947, 0, read_v2},			      /* ...SupportingFeeOnTransferTokens */
	{0x8803dbee, V2_EXACT_OUT, read_v2},		      /* swapTokensForExactTokens */
	{0x4a25d94a, V2_EXACT_OUT, read_v2},		      /* swapTokensForExactETH */
	{0x472b43f3, V2_NO_DEADLINE, read_v2},		      /* swapExactTokensForTokens of SwapRouter02 */
	{0x42712a67, V2_NO_DEADLINE | V2_EXACT_OUT, read_v2}, /* swapTokensForExactTokens of SwapRouter02 */
	FORMS_END};
