/* SPDX-License-Identifier: BSD-3-Clause */
/* Curve: pools (any contract, by selector), the registry's exchange, and the routers. Source: curve-contract
 * pool templates, curve-pool-registry Swaps.vy, curve-router-ng Router.vy. */
#include "eth/swap/form.h"

enum { UNDERLYING = 1, RECEIVER_4 = 2, RECEIVER_5 = 4, COINS_MAX = 8 };

/* exchange(i, j, dx, min_dy[, use_eth][, receiver]): coins by index, the tokens are the pool's to know. */
static void
read_pool(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	uint64_t i, j;
	uint32_t receiver = (arg & RECEIVER_4) ? 4 : 5;
	if (a->to == NULL || abi_word(a->args, 3) == NULL || !abi_uint(a->args, 0, &i) ||
		!abi_uint(a->args, 1, &j) || i == j || i >= COINS_MAX || j >= COINS_MAX)
		return;
	struct swap_terms t = {.amount = abi_word(a->args, 2), .limit = abi_word(a->args, 3)};
	if (arg & (RECEIVER_4 | RECEIVER_5)) {
		if (!swap_clean_address(abi_word(a->args, receiver)))
			return;
		t.recipient = swap_recipient(a, abi_address(a->args, receiver));
	}
	struct swap_hop h = {.venue = SWAP_CURVE,
		.pool = a->to,
		.hops = 1,
		.direction = i + j == 1 && !(arg & UNDERLYING) ? i == 0 : -1};
	swap_emit(r, a, &h, &t);
}

/* exchange(pool, from, to, amount, expected[, receiver]) */
static void
read_registry(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	if (abi_word(a->args, 4) == NULL)
		return;
	for (uint32_t i = 0; i < 3; i++)
		if (!swap_clean_address(abi_word(a->args, i)) || swap_zero(abi_address(a->args, i), 20))
			return;
	struct swap_terms t = {.amount = abi_word(a->args, 3), .limit = abi_word(a->args, 4)};
	if (arg & RECEIVER_5)
		t.recipient = swap_recipient(a, abi_address(a->args, 5));
	struct swap_hop h = {.venue = SWAP_CURVE,
		.pool = abi_address(a->args, 0),
		.token_in = swap_token(r, abi_address(a->args, 1)),
		.token_out = swap_token(r, abi_address(a->args, 2)),
		.direction = -1,
		.hops = 1};
	swap_emit(r, a, &h, &t);
}

const struct swap_form swap_forms_curve_pool[] = {{0x3df02124, 0, read_pool},
	{0xa6417ed6, UNDERLYING, read_pool}, {0x5b41b908, 0, read_pool}, {0x65b2489b, UNDERLYING, read_pool},
	{0x394747c5, 0, read_pool}, {0xce7d6503, RECEIVER_5, read_pool}, {0xddc1f59d, RECEIVER_4, read_pool},
	{0x4798ce5b, 0, read_registry}, {0x1a4c1ca3, RECEIVER_5, read_registry}, FORMS_END};

/* Shapes of the routers' arguments: route of tokens and pools by turns, parameters of each hop (the third
 * tells what kind it is), amount, least. */
static const struct shape {
	uint8_t hops, params, receiver; /* receiver: its word, or 0 */
	uint8_t exchanges;		/* kinds up to this are swaps of the pool that the route names */
} shapes[] = {
	{4, 3, 0, 3},
	{4, 3, 27, 3},
	{5, 5, 0, 2},
	{5, 5, 43, 2},
	{5, 4, 0, 2},
	{5, 4, 38, 2},
};

struct route {
	uint32_t n;
	struct swap_hop hop[5];
};

static bool
route_of(struct swap_reader *r, const struct swap_asked *a, const struct shape *s, struct route *route)
{
	for (uint32_t i = 0; i < s->hops; i++) {
		const uint8_t *in = abi_address(a->args, 2 * i), *pool = abi_address(a->args, 2 * i + 1),
			      *out = abi_address(a->args, 2 * i + 2);
		uint64_t kind;
		if (swap_zero(pool, 20) && swap_zero(out, 20))
			break;
		if (!abi_uint(a->args, 2u * s->hops + 1 + i * s->params + 2, &kind))
			return false;
		const uint8_t *token_in = swap_token(r, in), *token_out = swap_token(r, out);
		if (token_in && token_out && memcmp(token_in, token_out, 20) == 0)
			continue; /* ether is wrapped, or unwrapped */
		route->hop[route->n++] = (struct swap_hop){.venue = SWAP_CURVE,
			.token_in = token_in,
			.token_out = token_out,
			.pool = kind >= 1 && kind <= s->exchanges ? pool : NULL,
			.direction = -1};
	}
	return true;
}

static void
read_router(struct swap_reader *r, const struct swap_asked *a, uint32_t shape)
{
	const struct shape *s = &shapes[shape];
	uint32_t amount = 2u * s->hops + 1 + (uint32_t)s->hops * s->params;
	struct route route = {0};
	if (abi_word(a->args, amount + 1) == NULL || !route_of(r, a, s, &route))
		return;
	struct swap_terms t = {.amount = abi_word(a->args, amount), .limit = abi_word(a->args, amount + 1)};
	if (s->receiver != 0)
		t.recipient = swap_recipient(a, abi_address(a->args, s->receiver));
	for (uint32_t i = 0; i < route.n; i++) {
		route.hop[i].hop = i;
		route.hop[i].hops = route.n;
		if (!swap_emit(r, a, &route.hop[i], &t))
			return;
	}
}

const struct swap_form swap_forms_curve_router[] = {
	{0x353ca424, 0, read_router}, /* exchange_multiple(address[9],uint256[3][4],uint256,uint256) */
	{0x9db4f7aa, 0, read_router}, /* ...,address[4]) */
	{0x0651cb35, 1, read_router}, /* ...,address[4],address) */
	{0x371dc447, 2, read_router}, /* exchange(address[11],uint256[5][5],uint256,uint256) */
	{0x5c9c18e2, 2, read_router}, /* ...,address[5]) */
	{0xc872a3c5, 3, read_router}, /* ...,address[5],address) */
	{0xaad348a2, 4, read_router}, /* exchange(address[11],uint256[4][5],uint256,uint256) */
	{0x83cf75c8, 4, read_router}, /* ...,address[5]) */
	{0xf0edc80e, 5, read_router}, /* ...,address[5],address) */
	FORMS_END};
