/* SPDX-License-Identifier: BSD-3-Clause */
/* 1inch aggregation routers v3 to v6: packed pools, and the description of a swap whose way is the
 * executor's. Source: the verified AggregationRouterV3 to V6 (UnoswapRouter, UniswapV3Router, ClipperRouter,
 * GenericRouter; AddressLib and ProtocolLib of v6). */
#include "eth/swap/form.h"

enum {
	TO = 1,	   /* the recipient is word 0 */
	ETHER = 2, /* neither token nor amount: ether */
	NO_TOKEN = 4,
	V3 = 8,
	POOLS_SHIFT = 8 /* v6: how many pools stand there as words */
};
#define POOLS(n) ((n) << POOLS_SHIFT)

enum {
	REVERSE = 0x80,	  /* byte 0: token 1 goes in */
	V2_UNWRAP = 0x40, /* byte 0, last pool: what comes out is unwrapped */
	V3_UNWRAP = 0x20,
	V6_UNWRAP = 0x10,
	V6_ZERO_FOR_ONE = 0x80 /* byte 1 */
};

/* One packed pool. Its low 20 bytes are the pool; tokens between pools are not told. */
static bool
packed(struct swap_reader *r, const struct swap_asked *a, const uint8_t *word, struct swap_hop *h,
	const uint8_t *in, bool unwrap, const struct swap_terms *t)
{
	h->pool = word + 12;
	h->token_in = h->hop == 0 ? in : NULL;
	h->token_out = h->hop + 1 == h->hops && unwrap ? swap_wrapped(r) : NULL;
	return swap_emit(r, a, h, t);
}

/* unoswap(src, amount, min, pools[]), uniswapV3Swap(amount, min, pools[]) and their kin of v3 to v5 */
static void
read_pools(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = (arg & TO) ? 1 : 0, n;
	struct swap_terms t = {.recipient = (arg & TO) ? swap_recipient(a, abi_address(a->args, 0)) : NULL};
	const uint8_t *in = NULL;
	struct abi pools;
	if (!(arg & NO_TOKEN))
		in = swap_token(r, abi_address(a->args, w++));
	else if (a->value_known && !swap_zero(a->value, 32))
		in = swap_wrapped(r);
	t.amount = abi_word(a->args, w);
	t.limit = abi_word(a->args, w + 1);
	if (!abi_array(a->args, w + 2, 1, &pools, &n))
		return;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = abi_word(pools, i);
		struct swap_hop h = {.venue = (arg & V3) ? SWAP_UNISWAP_V3 : SWAP_UNKNOWN,
			.direction = !(p[0] & REVERSE),
			.hop = i,
			.hops = n};
		if (!packed(r, a, p, &h, in, p[0] & ((arg & V3) ? V3_UNWRAP : V2_UNWRAP), &t))
			return;
	}
}

/* unoswap..3(token, amount, min, dex...) and ethUnoswap..3(min, dex...) of v6: the protocol is in a dex'
 * upper three bits. */
static void
read_dexes(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = (arg & TO) ? 1 : 0, n = arg >> POOLS_SHIFT;
	struct swap_terms t = {.recipient = (arg & TO) ? swap_recipient(a, abi_address(a->args, 0)) : NULL};
	const uint8_t *in = swap_wrapped(r);
	if (arg & ETHER) {
		t.amount = a->value_known ? a->value : NULL;
	} else {
		in = swap_token(r, abi_address(a->args, w++));
		t.amount = abi_word(a->args, w++);
	}
	t.limit = abi_word(a->args, w++);
	if (abi_word(a->args, w + n - 1) == NULL)
		return;
	for (uint32_t i = 0; i < n; i++) {
		static const uint8_t venues[8] = {SWAP_UNKNOWN, SWAP_UNISWAP_V3, SWAP_CURVE};
		const uint8_t *p = abi_word(a->args, w + i);
		uint32_t protocol = p[0] >> 5;
		struct swap_hop h = {.venue = venues[protocol],
			.hop = i,
			.hops = n,
			.direction = protocol < 2 ? (p[1] & V6_ZERO_FOR_ONE) != 0 : -1};
		if (!packed(r, a, p, &h, in, p[0] & V6_UNWRAP, &t))
			return;
	}
}

/* swap(executor, (src, dst, srcReceiver, dstReceiver, amount, min, flags), ...): in v3 and v4 the description
 * ends with bytes, so it has an offset. Flag 1: it may be filled in part. */
static void
read_description(struct swap_reader *r, const struct swap_asked *a, uint32_t dynamic)
{
	struct abi d;
	if (!(dynamic ? abi_follow(a->args, 1, &d) : abi_at(a->args, 1, &d)) || abi_word(d, 6) == NULL)
		return;
	bool partial = (abi_word(d, 6)[31] & 1) != 0;
	struct swap_terms t = {.recipient = swap_recipient(a, abi_address(d, 3)),
		.amount = partial ? NULL : abi_word(d, 4),
		.limit = partial ? NULL : abi_word(d, 5)};
	swap_generic(r, a, abi_address(d, 0), abi_address(d, 1), &t);
}

/* clipperSwap(exchange, [recipient,] src, dst, in, out, ...); without an exchange in v4 */
static void
read_clipper(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = (arg & NO_TOKEN) ? 0 : (arg & TO) ? 2 : 1;
	if (abi_word(a->args, w + 3) == NULL)
		return;
	struct swap_terms t = {.recipient = (arg & TO) ? swap_recipient(a, abi_address(a->args, 1)) : NULL,
		.amount = abi_word(a->args, w + 2),
		.limit = abi_word(a->args, w + 3)};
	struct swap_hop h = {.pool = (arg & NO_TOKEN) ? NULL : abi_address(a->args, 0),
		.token_in = swap_token(r, abi_address(a->args, w)),
		.token_out = swap_token(r, abi_address(a->args, w + 1)),
		.direction = -1,
		.hops = 1};
	swap_emit(r, a, &h, &t);
}

const struct swap_form swap_forms_oneinch[] = {{0x2e95b6c8, 0, read_pools}, /* unoswap, v3 and v4 */
	{0xa1251d75, 0, read_pools},					    /* unoswapWithPermit */
	{0x0502b1c5, 0, read_pools},					    /* unoswap, v5 */
	{0xf78dc253, TO, read_pools},					    /* unoswapTo */
	{0x3c15fd91, TO, read_pools},					    /* unoswapToWithPermit */
	{0xe449022e, V3 | NO_TOKEN, read_pools},			    /* uniswapV3Swap */
	{0xbc80f1a8, V3 | NO_TOKEN | TO, read_pools},
	{0x2521b930, V3 | TO, read_pools}, /* uniswapV3SwapToWithPermit */
	{0x83800a8e, POOLS(1), read_dexes}, {0x8770ba91, POOLS(2), read_dexes},
	{0x19367472, POOLS(3), read_dexes}, {0xe2c95c82, POOLS(1) | TO, read_dexes},
	{0xea76dddf, POOLS(2) | TO, read_dexes}, {0xf7a70056, POOLS(3) | TO, read_dexes},
	{0xa76dfc3b, POOLS(1) | ETHER, read_dexes}, {0x89af926a, POOLS(2) | ETHER, read_dexes},
	{0x188ac35d, POOLS(3) | ETHER, read_dexes}, {0x175accdc, POOLS(1) | ETHER | TO, read_dexes},
	{0x0f449d71, POOLS(2) | ETHER | TO, read_dexes}, {0x493189f0, POOLS(3) | ETHER | TO, read_dexes},
	{0x7c025200, true, read_description}, {0x6c4a483e, true, read_description}, /* discountedSwap */
	{0x12aa3caf, false, read_description}, {0x07ed2379, false, read_description},
	{0xb0431182, NO_TOKEN, read_clipper}, {0x84bd6d29, 0, read_clipper}, {0x093d4fa5, TO, read_clipper},
	{0xd2d374e5, 0, read_clipper}, {0xc4d652af, TO, read_clipper}, FORMS_END};
