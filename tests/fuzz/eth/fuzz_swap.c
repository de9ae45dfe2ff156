/* SPDX-License-Identifier: BSD-3-Clause */
/* Calldata to a contract, through calls_of and swaps_of: whatever is told stands in the transaction, or
 * follows from what stands there; the cache changes nothing. Input: flags (1: ether; 2, 4: another chain),
 * contract (20 bytes), calldata. */
#include "eth/calls.h"
#include "eth/keccak.h"
#include "eth/swap.h"
#include "eth/swap/form.h"

#include <stdlib.h>
#include <string.h>

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static bool
zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool
negated(struct span data, const uint8_t amount[32])
{
	uint8_t n[32];
	unsigned carry = 1;
	for (unsigned i = 32; i-- > 0;) {
		carry += (uint8_t)~amount[i];
		n[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return memmem(data.p, data.len, n, 32) != NULL;
}

/* An amount is a word of the calldata, or the ether with a call, or negative there. */
static bool
stands(const struct tx *t, const struct calls *calls, const uint8_t amount[32])
{
	if (memmem(t->data.p, t->data.len, amount, 32) != NULL || negated(t->data, amount))
		return true;
	for (uint32_t i = 0; i < calls->n; i++) {
		struct span v = calls->call[i].value;
		if (v.len <= 32 && zero(amount, 32 - v.len) &&
			(v.len == 0 || memcmp(amount + 32 - v.len, v.p, v.len) == 0))
			return true;
	}
	return false;
}

static bool
wrapped(const uint8_t token[20])
{
	static const uint8_t known[4][4] = {{0xc0, 0x2a, 0xaa, 0x39}, {0x42, 0, 0, 0},
		{0x82, 0xaf, 0x49, 0x44}, {0x0d, 0x50, 0x0b, 0x1d}};
	for (unsigned i = 0; i < 4; i++)
		if (memcmp(token, known[i], 4) == 0)
			return true;
	return false;
}

static bool
address_stands(const struct tx *t, const uint8_t a[20])
{
	return memmem(t->data.p, t->data.len, a, 20) != NULL || memcmp(t->to.p, a, 20) == 0;
}

static bool
is_router(const uint8_t a[20])
{
	for (uint32_t i = 0; i < swap_routers_n; i++) {
		const struct swap_router *w = &swap_routers[i];
		uint64_t hi = __builtin_bswap64(w->hi), mid = __builtin_bswap64(w->mid);
		uint32_t lo = __builtin_bswap32(w->lo);
		if (memcmp(a, &hi, 8) == 0 && memcmp(a + 8, &mid, 8) == 0 && memcmp(a + 16, &lo, 4) == 0)
			return true;
	}
	return false;
}

/* The pair's address computed once more. */
static void
check_pair(const struct swap *s)
{
	static const uint8_t ff_factory[21] = {0xff, 0x5c, 0x69, 0xbe, 0xe7, 0x01, 0xef, 0x81, 0x4a, 0x2b,
		0x6a, 0x3e, 0xdd, 0x4b, 0x16, 0x52, 0xcb, 0x9c, 0xc5, 0xaa, 0x6f};
	static const uint8_t init[32] = {0x96, 0xe8, 0xac, 0x42, 0x77, 0x19, 0x8f, 0xf8, 0xb6, 0xf7, 0x85,
		0x47, 0x8a, 0xa9, 0xa3, 0x9f, 0x40, 0x3c, 0xb7, 0x68, 0xdd, 0x02, 0xcb, 0xee, 0x32, 0x6c,
		0x3e, 0x7d, 0xa3, 0x48, 0x84, 0x5f};
	uint8_t both[40], salt[32], hash[32];
	memcpy(both, s->zero_for_one ? s->token_in : s->token_out, 20);
	memcpy(both + 20, s->zero_for_one ? s->token_out : s->token_in, 20);
	keccak256(&(struct span){both, 40}, 1, salt);
	keccak256((struct span[]){{ff_factory, 21}, {salt, 32}, {init, 32}}, 3, hash);
	must(memcmp(hash + 12, s->pool, 20) == 0);
}

static void
check(const struct tx *t, const struct calls *calls, const struct swap *s)
{
	must(s->venue < SWAP_VENUE_COUNT && swap_router_name(s->router) != NULL && s->call < calls->n);
	must(s->hops > 0 && (s->hop < s->hops || s->hops == UINT8_MAX) && s->exact_out <= 1 &&
		s->zero_for_one <= 1);
	must((s->has & SWAP_HAS_POOL) || zero(s->pool, 20));
	must((s->has & SWAP_HAS_TOKEN_IN) ? address_stands(t, s->token_in) || wrapped(s->token_in)
					  : zero(s->token_in, 20));
	must((s->has & SWAP_HAS_TOKEN_OUT) ? address_stands(t, s->token_out) || wrapped(s->token_out)
					   : zero(s->token_out, 20));
	/* a known aggregator's call within MetaMask's goes to an address that does not stand there */
	must((s->has & SWAP_HAS_RECIPIENT) ? address_stands(t, s->recipient) || is_router(s->recipient)
					   : zero(s->recipient, 20));
	must((s->has & SWAP_HAS_AMOUNT_IN) ? stands(t, calls, s->amount_in) : zero(s->amount_in, 32));
	must((s->has & SWAP_HAS_AMOUNT_OUT) ? stands(t, calls, s->amount_out) : zero(s->amount_out, 32));
	must((s->has & SWAP_HAS_LIMIT) ? stands(t, calls, s->limit) : zero(s->limit, 32));
	must((s->has & SWAP_HAS_DEADLINE) || s->deadline == 0);
	must(!(s->has & SWAP_HAS_AMOUNT_IN) || !s->exact_out);
	must(!(s->has & SWAP_HAS_AMOUNT_OUT) || s->exact_out);
	if (s->venue == SWAP_UNISWAP_V2 && (s->has & SWAP_HAS_POOL))
		check_pair(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct swap_cache cache;
	static const uint64_t chains[4] = {1, 42161, 56, 0};
	static const uint8_t ether[8] = {0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64, 0, 0};
	struct calls calls;
	struct swap out[SWAPS_MAX], again[SWAPS_MAX];
	bool over, over_again;
	if (size < 21)
		return 0;
	struct tx t = {.type = TX_1559,
		.has_chain_id = true,
		.chain_id = chains[data[0] >> 1 & 3],
		.to = {data + 1, 20},
		.value = {ether, (data[0] & 1) ? 8 : 0},
		.data = {data + 21, (uint32_t)size - 21}};
	calls_of(&t, &calls);
	uint32_t n = swaps_of(&t, &calls, out, &over);
	must(n <= SWAPS_MAX);
	for (uint32_t i = 0; i < n; i++)
		check(&t, &calls, &out[i]);
	must(swaps_of_cached(&t, &calls, &cache, again, &over_again) == n && over == over_again);
	must(memcmp(out, again, n * sizeof *out) == 0);
	return 0;
}
