/* SPDX-License-Identifier: BSD-3-Clause */
/* 0x: the exchange proxy, and best effort of Settler behind AllowanceHolder. Source: 0x protocol zero-ex
 * features (UniswapFeature, UniswapV3Feature, TransformERC20Feature, MultiplexFeature,
 * LiquidityProviderFeature); 0x-settler ISettlerActions.sol, UniswapV3Fork.sol, AllowanceHolder. */
#include "eth/swap/form.h"

/* ---- the exchange proxy ---- */

/* sellToUniswap(tokens[], sell, min, isSushi) */
static void
read_sell_v2(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct swap_asked b = *a;
	struct abi tokens;
	uint32_t n;
	const uint8_t *sushi = abi_word(a->args, 3);
	if (sushi == NULL || !abi_array(a->args, 0, 1, &tokens, &n))
		return;
	b.v2 = swap_zero(sushi, 32) ? FACTORY_UNISWAP_V2 : FACTORY_SUSHI_V2;
	struct swap_terms t = {.amount = abi_word(a->args, 1), .limit = abi_word(a->args, 2)};
	swap_v2_path(r, &b, tokens, n, &t);
}

/* sell...UniswapV3(path, [sell,] min, recipient) */
static void
read_sell_v3(struct swap_reader *r, const struct swap_asked *a, uint32_t ether)
{
	uint32_t w = ether ? 1 : 2;
	struct span path;
	if (abi_word(a->args, w + 1) == NULL || !abi_bytes(a->args, 0, &path))
		return;
	struct swap_terms t = {.amount = ether ? (a->value_known ? a->value : NULL) : abi_word(a->args, 1),
		.limit = abi_word(a->args, w),
		.recipient = swap_recipient(a, abi_address(a->args, w + 1))};
	swap_v3_path(r, a, path, &t);
}

static const uint8_t *
unless_all(const uint8_t *word)
{
	return word == NULL || swap_all_ones(word) ? NULL : word;
}

/* transformERC20(in, out, amount, min, ...); sellToLiquidityProvider(in, out, provider, recipient, amount,
 * min, aux) */
static void
read_tokens(struct swap_reader *r, const struct swap_asked *a, uint32_t amount)
{
	if (abi_word(a->args, amount + 1) == NULL)
		return;
	struct swap_terms t = {
		.amount = unless_all(abi_word(a->args, amount)), .limit = abi_word(a->args, amount + 1)};
	if (amount == 4)
		t.recipient = swap_recipient(a, abi_address(a->args, 3));
	swap_generic(r, a, abi_address(a->args, 0), abi_address(a->args, 1), &t);
}

enum subcall { SUB_V2 = 3, SUB_V3 = 4 }; /* MultiplexSubcall */
enum { ETHER_IN = 1, ETHER_OUT = 2 };

/* One call of a multiplex. False: no pool of it is told. */
static bool
subcall(struct swap_reader *r, const struct swap_asked *a, uint64_t id, struct span data,
	const struct swap_terms *t)
{
	struct swap_asked b = *a;
	struct abi frame = {data, 0}, tokens;
	uint32_t n, mark = r->n;
	if (id == SUB_V3) {
		swap_v3_path(r, a, data, t);
	} else if (id == SUB_V2 && abi_word(frame, 1) != NULL && abi_array(frame, 0, 1, &tokens, &n)) {
		b.v2 = swap_zero(abi_word(frame, 1), 32) ? FACTORY_UNISWAP_V2 : FACTORY_SUSHI_V2;
		swap_v2_path(r, &b, tokens, n, t);
	}
	return r->n > mark;
}

/* multiplexBatchSell...([in,] [out,] (id, amount, data)[], [amount,] min): each call its share; the top bit
 * makes it a part of a whole. */
static void
read_batch(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint32_t w = 0, n;
	const uint8_t *in = (arg & ETHER_IN) ? swap_wrapped(r) : abi_address(a->args, w++);
	const uint8_t *out = (arg & ETHER_OUT) ? swap_wrapped(r) : abi_address(a->args, w++);
	struct abi calls, c;
	struct span data;
	uint64_t id;
	if (!abi_array(a->args, w, 1, &calls, &n))
		return;
	struct swap_terms all = {.amount = (arg & ETHER_IN) ? (a->value_known ? a->value : NULL)
							    : unless_all(abi_word(a->args, w + 1)),
		.limit = abi_word(a->args, (arg & ETHER_IN) ? w + 1 : w + 2)};
	uint32_t mark = r->n;
	for (uint32_t i = 0; i < n && swap_step(r); i++) {
		if (!abi_follow(calls, i, &c) || !abi_uint(c, 0, &id) || !abi_bytes(c, 2, &data))
			continue;
		const uint8_t *sell = abi_word(c, 1);
		struct swap_terms t = {.amount = (sell[0] & 0x80) ? NULL : sell};
		subcall(r, a, id, data, &t);
	}
	if (r->n == mark)
		swap_generic(r, a, in, out, &all);
}

/* multiplexMultiHopSell...(tokens[], (id, data)[], [amount,] min): one call a hop */
static void
read_multi_hop(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi tokens, calls, c;
	struct span data;
	uint32_t n, m;
	uint64_t id;
	if (!abi_array(a->args, 0, 1, &tokens, &n) || !abi_array(a->args, 1, 1, &calls, &m) || n < 2 ||
		m != n - 1)
		return;
	const uint8_t *value = a->value_known ? a->value : NULL;
	const uint8_t *amount = (arg & ETHER_IN) ? value : unless_all(abi_word(a->args, 2));
	const uint8_t *limit = abi_word(a->args, (arg & ETHER_IN) ? 2 : 3);
	for (uint32_t i = 0; i < m && swap_step(r); i++) {
		struct swap_terms t = {.amount = i == 0 ? amount : NULL, .limit = i + 1 == m ? limit : NULL};
		bool told = abi_follow(calls, i, &c) && abi_uint(c, 0, &id) && abi_bytes(c, 1, &data) &&
			    subcall(r, a, id, data, &t);
		if (!told)
			swap_generic(r, a, abi_address(tokens, i), abi_address(tokens, i + 1), &t);
	}
}

const struct swap_form swap_forms_zerox[] = {{0xd9627aa4, 0, read_sell_v2}, {0x3598d8ab, true, read_sell_v3},
	{0x803ba26d, false, read_sell_v3}, {0x6af479b2, false, read_sell_v3}, {0x415565b0, 2, read_tokens},
	{0xf7fcd384, 4, read_tokens}, {0xf35b4733, ETHER_IN, read_batch}, {0x77725df6, ETHER_OUT, read_batch},
	{0x7a1eb1b9, 0, read_batch}, {0x5161b966, ETHER_IN, read_multi_hop},
	{0x9a2967d2, ETHER_OUT, read_multi_hop}, {0x0f3b31b2, 0, read_multi_hop}, FORMS_END};

/* ---- Settler ---- */

enum action {
	ACTION_V2 = 0x103b48be,	    /* UNISWAPV2(recipient, sellToken, bps, pool, swapInfo, min) */
	ACTION_V3 = 0x8d68a156,	    /* UNISWAPV3(recipient, bps, path, min) */
	ACTION_V3_VIP = 0x3036d6a6, /* UNISWAPV3_VIP(recipient, permit (4 words), path, sig, min) */
};

/* Settler's own path: token, fork (1), pool id (3), price limit (20), token ... ; older: without price
 * limits. Fork 0 is Uniswap. */
static void
settler_path(struct swap_reader *r, const struct swap_asked *a, struct span path, const struct swap_terms *t)
{
	uint8_t pool[20];
	uint32_t body = path.len < 20 ? 0 : path.len - 20, step = body % 44 == 0 ? 44 : 24;
	if (body == 0 || body % step != 0)
		return;
	for (uint32_t i = 0; i < body / step; i++) {
		const uint8_t *at = path.p + (size_t)i * step;
		struct swap_hop h = {.token_in = at,
			.token_out = at + step,
			.direction = -1,
			.hop = i,
			.hops = body / step};
		if (at[20] == 0 && swap_pool_v3(r, FACTORY_UNISWAP_V3, at, at + step, at + 21, pool)) {
			h.pool = pool;
			h.venue = SWAP_UNISWAP_V3;
		}
		if (!swap_emit(r, a, &h, t))
			return;
	}
}

static void
settler_action(struct swap_reader *r, const struct swap_asked *a, struct span action)
{
	static const struct swap_terms none;
	struct abi args = abi_args(action);
	struct span path;
	if (action.len < 4)
		return;
	uint32_t selector = (uint32_t)action.p[0] << 24 | (uint32_t)action.p[1] << 16 |
			    (uint32_t)action.p[2] << 8 | action.p[3];
	if (selector == ACTION_V2 && abi_word(args, 5) != NULL) {
		struct swap_hop h = {.pool = abi_address(args, 3),
			.token_in = swap_token(r, abi_address(args, 1)),
			.direction = abi_word(args, 4)[31] & 1,
			.hops = 1};
		swap_emit(r, a, &h, &none);
	} else if (selector == ACTION_V3 || selector == ACTION_V3_VIP) {
		if (abi_bytes(args, selector == ACTION_V3 ? 2 : 5, &path))
			settler_path(r, a, path, &none);
	}
}

/* What AllowanceHolder says of the way in. */
struct sold {
	const uint8_t *token, *amount;
};

/* execute((recipient, buyToken, min), actions[], ...). Amounts are parts of a balance there, so that pools
 * come without. */
static void
settler(struct swap_reader *r, const struct swap_asked *a, struct abi args, const struct sold *sold)
{
	struct abi actions;
	struct span action;
	uint32_t n, mark = r->n;
	if (!abi_array(args, 3, 1, &actions, &n) || !swap_clean_address(abi_word(args, 0)) ||
		!swap_clean_address(abi_word(args, 1)))
		return;
	for (uint32_t i = 0; i < n && swap_step(r); i++)
		if (abi_bytes(actions, i, &action))
			settler_action(r, a, action);
	if (r->n > mark || swap_zero(abi_address(args, 1), 20))
		return;
	struct swap_terms t = {.amount = sold->amount,
		.limit = abi_word(args, 2),
		.recipient = swap_recipient(a, abi_address(args, 0))};
	swap_generic(r, a, sold->token, abi_address(args, 1), &t);
}

static void
read_settler(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	static const struct sold none;
	settler(r, a, a->args, &none);
}

/* exec(operator, token, amount, target, data): the data is for a Settler, whose address changes with its
 * releases. */
static void
read_exec(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	static const uint8_t execute[4] = {0x1f, 0xff, 0x99, 0x1f};
	struct span data;
	if (!abi_bytes(a->args, 4, &data) || data.len < 4 || memcmp(data.p, execute, 4) != 0)
		return;
	struct sold sold = {abi_address(a->args, 1), abi_word(a->args, 2)};
	settler(r, a, abi_args(data), &sold);
}

const struct swap_form swap_forms_settler[] = {{0x1fff991f, 0, read_settler},
	{0xfd3ad6d4, 0, read_settler}, /* executeMetaTxn */
	FORMS_END};

const struct swap_form swap_forms_allowance[] = {{0x2213bc0b, 0, read_exec}, FORMS_END};
