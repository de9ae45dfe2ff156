/* SPDX-License-Identifier: BSD-3-Clause */
/* A byte string as a program of transactions, bundles and fates on tables that are far too small:
 * sandwich_check finds nothing whatever comes in whatever order, and what is found makes sense: legs and
 * victims differ and were told, an incident that is new was not told before, one that ended is not told
 * again. Input: 2 bytes that size the tables, then operations of 8 bytes, some followed by calldata. */
#include "detect/correlate/sandwich.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TXS 40u
#define OPS_MAX 600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t n[SANDWICH_N_COUNT];
static uint64_t newest, heard_new, heard_more, heard_end;
static uint8_t ended[1u << 16], told[TXS];

static void
require(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void
one_of_ours(const struct sandwich_ref *r)
{
	require(r->present && r->hash[0] < TXS && r->hash[1] == 0x77 && told[r->hash[0]],
		"a transaction that nobody told");
}

static void
found(void *ctx, const struct sandwich_finding *f)
{
	require(ctx == n && f->kind >= SANDWICH_PARTIAL && f->kind <= SANDWICH_DISPLACEMENT &&
			f->reasons != 0,
		"a finding without a kind");
	one_of_ours(&f->front);
	require(f->back.present == (f->kind == SANDWICH_PUBLIC || f->kind == SANDWICH_BUNDLE),
		"a kind that its legs belie");
	if (f->back.present)
		one_of_ours(&f->back);
	if (f->back.present)
		require(f->back.hash[0] != f->front.hash[0], "a leg that is both");
	require(f->n_listed <= SANDWICH_VICTIMS && f->n_listed <= f->n_victims, "victims miscounted");
	require(f->n_listed > 0 || f->ending != SANDWICH_OPEN, "nobody's incident");
	for (uint32_t i = 0; i < f->n_listed; i++) {
		one_of_ours(&f->victims[i]);
		require(f->victims[i].hash[0] != f->front.hash[0], "a victim of itself");
		require(!f->back.present || f->victims[i].hash[0] != f->back.hash[0], "a victim of itself");
		for (uint32_t k = 0; k < i; k++)
			require(f->victims[i].hash[0] != f->victims[k].hash[0], "a victim twice");
	}
	require(f->update == (f->incident <= newest), "an incident that is new and was told, or neither");
	require(f->incident < sizeof ended && !ended[f->incident], "an incident after its end");
	if (!f->update) {
		require(f->incident == newest + 1 && f->ending == SANDWICH_OPEN,
			"an incident out of its turn");
		newest = f->incident;
		heard_new++;
	}
	ended[f->incident] = f->ending != SANDWICH_OPEN;
	heard_end += f->ending != SANDWICH_OPEN;
	heard_more += f->update && f->ending == SANDWICH_OPEN;
}

static bool
sender(void *ctx, uint64_t ref, uint8_t out[20])
{
	(void)ctx;
	memset(out, 1 + (int)(ref % 3), 20);
	return ref % 5 != 4;
}

static const uint8_t *
hash_of(uint8_t id)
{
	static uint8_t h[32];
	memset(h, 0x77, sizeof h);
	h[0] = id % TXS;
	return h;
}

static void
address(uint8_t out[20], uint8_t kind, uint8_t which)
{
	for (unsigned i = 0; i < 20; i++)
		out[i] = (uint8_t)(kind * 59 + which * 7 + i * 31 + (i * i) % 13);
}

static void
swap_of(struct swap *w, uint8_t a, uint8_t b)
{
	memset(w, 0, sizeof *w);
	w->has = (a & 1 ? SWAP_HAS_POOL : 0) | (b & 0x60 ? SWAP_HAS_TOKEN_IN | SWAP_HAS_TOKEN_OUT : 0) |
		 SWAP_HAS_AMOUNT_IN | SWAP_HAS_LIMIT;
	w->hops = 1;
	w->call = a >> 7;
	address(w->pool, 1, a >> 1 & 3);
	address(b & 1 ? w->token_in : w->token_out, 2, a >> 1 & 3);
	address(b & 1 ? w->token_out : w->token_in, 3, 0);
	memset(w->amount_in + 26, 0x11 * (b >> 1 & 3) + 1, 6);
	memset(w->limit + 26, 0x11 * (b >> 3 & 3) + 1, 6);
}

/* Calldata: addresses and bytes by turns. */
static uint32_t
calldata(uint8_t out[1024], const uint8_t *p, size_t n_bytes)
{
	uint32_t len = 0;
	for (size_t i = 0; i < n_bytes && len + 64 < 1024; i++) {
		if (p[i] >= 0xf0) {
			address(out + len, 1 + (p[i] & 1), p[i] >> 1 & 3);
			len += 20;
		} else if (p[i] >= 0xe0) {
			for (unsigned k = 0; k < 16; k++)
				out[len++] = (uint8_t)(p[i] * 37 + k * 91);
		} else {
			out[len++] = p[i];
		}
	}
	return len;
}

static size_t
take(struct sandwich *s, const uint8_t *op, const uint8_t *more, size_t left, uint64_t now_ns)
{
	uint8_t from[20], to[20], tip[4] = {0x0b, op[4], 0xd8, 0x03}, cap[4] = {0x0c, op[4], 0x55, 0x40},
				  bytes[1024];
	struct swap swaps[3];
	memset(from, 1 + (op[2] & 3), 20);
	memset(to, 0x40 + (op[2] >> 2 & 3), 20);
	tip[3] = op[5];
	struct sandwich_tx t = {.hash = hash_of(op[1]),
		.from = op[2] & 0x10 ? from : NULL,
		.to = op[2] & 0x20 ? to : NULL,
		.ref = op[2] & 3,
		.nonce = op[3] & 7,
		.has_nonce = op[3] & 8,
		.priced = (op[3] & 0x30) != 0,
		.type = op[3] >> 6,
		.tip_cap = {tip, 4},
		.fee_cap = {op[3] & 0x40 ? tip : cap, 4},
		.swaps = swaps,
		.n_swaps = op[6] & 3,
		.bundle = op[7] & 0x0f,
		.bundle_pos = (op[7] >> 4) & 3,
		.bundle_len = (op[7] >> 6),
		.t_ns = now_ns};
	size_t used = op[6] >> 2 < left ? op[6] >> 2 : left;
	for (uint32_t i = 0; i < t.n_swaps; i++)
		swap_of(&swaps[i], (uint8_t)(op[4] + i * op[5]), op[5]);
	t.data = (struct span){bytes, calldata(bytes, more, used)};
	/* at its exact size, so that reading past it shows */
	uint8_t *exact = malloc(t.data.len + 1);
	if (exact == NULL)
		abort();
	memcpy(exact + 1, bytes, t.data.len);
	t.data.p = exact + 1;
	told[op[1] % TXS] = 1;
	sandwich_take(s, &t);
	free(exact);
	return used;
}

static size_t
step(struct sandwich *s, const uint8_t *op, const uint8_t *more, size_t left, uint64_t *now_ns)
{
	*now_ns += (uint64_t)op[0] << 24;
	switch (op[0] & 15) {
	case 0:
		sandwich_included(s, hash_of(op[1]), op[2] & 1, op[3], *now_ns);
		return 0;
	case 1:
		sandwich_dropped(s, hash_of(op[1]), *now_ns);
		return 0;
	case 2:
		sandwich_replaced(s, hash_of(op[1]), *now_ns);
		return 0;
	case 3:
		told[op[1] % TXS] = 1;
		sandwich_bundle_hash(s, hash_of(op[1]), op[2] & 0x0f, op[3] & 3, op[3] >> 6, *now_ns);
		return 0;
	case 4:
		sandwich_bundle_lost(s, op[2] & 0x0f, op[3] >> 6, *now_ns);
		return 0;
	case 5:
		sandwich_base_fee(s, (uint64_t)op[2] << 20);
		return 0;
	case 6:
		*now_ns -= (uint64_t)op[1] << 26;
		return 0;
	case 7:
		sandwich_age(s, *now_ns + ((uint64_t)op[1] << 28), op[2]);
		return 0;
	default:
		return take(s, op, more, left, *now_ns);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	memset(n, 0, sizeof n);
	memset(ended, 0, sizeof ended);
	memset(told, 0, sizeof told);
	newest = heard_new = heard_more = heard_end = 0;
	struct sandwich_config c = {.n_txs = 16u << (data[0] & 1),
		.n_bundles = 4u << (data[0] >> 1 & 1),
		.n_incidents = 4u << (data[0] >> 2 & 1),
		.window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = data[0] & 8 ? SANDWICH_PAIR_NS_DEFAULT : SANDWICH_WINDOW_NS_DEFAULT,
		.key = "fuzz",
		.counts = n,
		.found = found,
		.sender = data[0] & 16 ? sender : NULL,
		.ctx = n};
	c.key[4] = data[1];
	size_t bytes = (sandwich_bytes(&c) + 63) & ~(size_t)63;
	static void *mem; /* one for all: malloc of it would be most of the time */
	static size_t room;
	if (bytes > room) {
		free(mem);
		mem = aligned_alloc(64, room = bytes);
	}
	struct sandwich *s = sandwich_init(mem, &c);
	uint64_t now_ns = 1000000000000u;
	size_t at = 2;
	for (unsigned ops = 0; at + 8 <= size && ops < OPS_MAX; ops++) {
		const uint8_t *op = data + at;
		at += 8;
		at += step(s, op, data + at, size - at, &now_ns);
		if (ops % 16 == 0 || at + 8 > size) {
			const char *wrong = sandwich_check(s);
			require(wrong == NULL, wrong);
		}
	}
	require(n[SANDWICH_N_FOUND] == heard_new && n[SANDWICH_N_UPDATED] == heard_more &&
			n[SANDWICH_N_ENDED] == heard_end,
		"findings that the counts do not tell");
	return 0;
}
