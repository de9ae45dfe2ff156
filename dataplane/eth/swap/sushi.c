/* SPDX-License-Identifier: BSD-3-Clause */
/* SushiSwap's RouteProcessors: a packed program of commands, each with the pools that one token goes to.
 * Source: sushiswap route-processor RouteProcessor2.sol to RouteProcessor4.sol. Releases differ in whether a
 * V2 pool's fee stands behind it: the program is read in both ways, and only one that ends where the bytes
 * end counts. */
#include "eth/swap/form.h"

enum command { MY_ERC20 = 1, USER_ERC20 = 2, NATIVE = 3, ONE_POOL = 4 };
enum pool_type { POOL_V2 = 0, POOL_V3 = 1, WRAP = 2, CURVE = 5 };

struct program {
	const uint8_t *p;
	uint32_t left;
	bool fees, forked; /* forked: a token went to several pools */
	bool whole;	   /* all that the user gives goes to the first pool */
	uint32_t n;
	struct swap_hop hop[SWAPS_MAX];
};

static const uint8_t *
take(struct program *s, uint32_t n)
{
	const uint8_t *p = s->p;
	if (s->left < n)
		return NULL;
	s->p += n;
	s->left -= n;
	return p;
}

static bool
add(struct program *s, enum swap_venue venue, const uint8_t *token, const uint8_t *pool, int direction)
{
	if (s->n == SWAPS_MAX)
		return false;
	s->hop[s->n++] =
		(struct swap_hop){.venue = venue, .pool = pool, .token_in = token, .direction = direction};
	return true;
}

static bool
one_pool(struct program *s, const uint8_t *token)
{
	const uint8_t *type = take(s, 1), *pool;
	if (type == NULL)
		return false;
	switch (*type) {
	case POOL_V2: /* pool, direction, to[, fee] */
		pool = take(s, s->fees ? 44 : 41);
		return pool != NULL && pool[20] <= 1 && add(s, SWAP_UNKNOWN, token, pool, pool[20]);
	case POOL_V3: /* pool, zero for one, to */
		pool = take(s, 41);
		return pool != NULL && pool[20] <= 1 && add(s, SWAP_UNKNOWN, token, pool, pool[20]);
	case WRAP: /* direction, to[, token] */
		pool = take(s, 21);
		return pool != NULL && pool[0] <= 3 && (!(pool[0] & 1) || take(s, 20) != NULL);
	case CURVE: /* pool, type, from, to, recipient, token */
		pool = take(s, 63);
		return pool != NULL && add(s, SWAP_CURVE, token, pool, -1);
	default:
		return false;
	}
}

static bool
one_command(struct swap_reader *r, struct program *s)
{
	const uint8_t *c = take(s, 1), *token = NULL, *n, *share;
	if (c == NULL || *c < MY_ERC20 || *c > ONE_POOL)
		return false;
	if (*c == NATIVE)
		token = swap_wrapped(r);
	else if ((token = take(s, 20)) == NULL)
		return false;
	if (*c == ONE_POOL)
		return one_pool(s, token);
	if ((n = take(s, 1)) == NULL)
		return false;
	s->forked |= *n != 1;
	for (uint32_t i = 0; i < *n; i++) {
		if ((share = take(s, 2)) == NULL)
			return false;
		if (s->n == 0 && *n == 1 && *c == USER_ERC20)
			s->whole = share[0] == 0xff && share[1] == 0xff;
		if (!one_pool(s, token))
			return false;
	}
	return true;
}

static bool
run(struct swap_reader *r, struct span route, bool fees, struct program *s)
{
	*s = (struct program){.p = route.p, .left = route.len, .fees = fees};
	while (s->left > 0)
		if (!swap_step(r) || !one_command(r, s))
			return false;
	return s->n > 0;
}

static void
emit(struct swap_reader *r, const struct swap_asked *a, struct program *s, const uint8_t *out,
	struct swap_terms *t)
{
	static const struct swap_terms none;
	if (!s->whole)
		t->amount = NULL;
	for (uint32_t i = 0; i < s->n; i++) {
		struct swap_hop *h = &s->hop[i];
		h->hop = s->forked ? 0 : i;
		h->hops = s->forked ? 1 : s->n;
		if (!s->forked)
			h->token_out = i + 1 == s->n ? swap_token(r, out) : s->hop[i + 1].token_in;
		if (!swap_emit(r, a, h, s->forked ? &none : t))
			return;
	}
}

/* processRoute(tokenIn, amountIn, tokenOut, amountOutMin, to, route) */
static void
read_route(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct program s;
	struct span route;
	if (abi_word(a->args, 5) == NULL || !abi_bytes(a->args, 5, &route))
		return;
	for (uint32_t i = 0; i < 5; i++)
		if (i % 2 == 0 && !swap_clean_address(abi_word(a->args, i)))
			return;
	struct swap_terms t = {.amount = abi_word(a->args, 1),
		.limit = abi_word(a->args, 3),
		.recipient = swap_recipient(a, abi_address(a->args, 4))};
	if (run(r, route, true, &s) || run(r, route, false, &s))
		emit(r, a, &s, abi_address(a->args, 2), &t);
	else
		swap_generic(r, a, abi_address(a->args, 0), abi_address(a->args, 2), &t);
}

const struct swap_form swap_forms_sushi[] = {{0x2646478b, 0, read_route}, FORMS_END};
