/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of sandwich share: one struct sandwich, what it finds, and shorthand for transactions.
 * sandwich_check holds after each test. */
#ifndef TEST_SANDWICH_RIG_H
#define TEST_SANDWICH_RIG_H

#include "abi/alert.h"
#include "detect/correlate/sandwich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000ull
#define SECOND 1000000000ull
#define GWEI 1000000000ull
#define FOUND_MAX 256u

static struct sandwich *s;
static uint64_t n[SANDWICH_N_COUNT];
static struct sandwich_config config;
static struct sandwich_finding found[FOUND_MAX];
static unsigned n_found, n_asked;
static bool refuse;
static uint64_t clock_ns;

static inline void
heard(void *ctx, const struct sandwich_finding *f)
{
	assert_ptr_equal(ctx, &config);
	assert_true(n_found < FOUND_MAX);
	assert_true(f->n_listed <= SANDWICH_VICTIMS && f->n_listed <= f->n_victims && f->front.present);
	found[n_found++] = *f;
}

/* ref is the sender's number. */
static inline bool
recover(void *ctx, uint64_t ref, uint8_t out[20])
{
	(void)ctx;
	n_asked++;
	if (refuse)
		return false;
	memset(out, (uint8_t)ref, 20);
	return true;
}

static inline void
start_with(uint32_t n_txs, uint32_t n_bundles, uint32_t n_incidents)
{
	memset(n, 0, sizeof n);
	n_found = n_asked = 0;
	refuse = false;
	clock_ns = 100 * SECOND;
	config = (struct sandwich_config){.n_txs = n_txs,
		.n_bundles = n_bundles,
		.n_incidents = n_incidents,
		.window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = SANDWICH_PAIR_NS_DEFAULT,
		.key = "secret",
		.counts = n,
		.found = heard,
		.sender = recover,
		.ctx = &config};
	size_t bytes = sandwich_bytes(&config);
	assert_int_not_equal(bytes, 0);
	s = sandwich_init(aligned_alloc(64, (bytes + 63) & ~(size_t)63), &config);
}

static inline int
start(void **state)
{
	(void)state;
	start_with(256, 16, 16);
	return 0;
}

static inline int
stop(void **state)
{
	(void)state;
	const char *wrong = sandwich_check(s);
	if (wrong != NULL)
		print_error("%s\n", wrong);
	free(s);
	return wrong != NULL;
}

/* A transaction in the making. */
struct made {
	uint8_t hash[32], from[20], to[20], tip[8], cap[8], data[4096];
	struct swap swaps[4];
	struct sandwich_tx t;
};

static inline void
be64(uint8_t out[8], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline void
fill_hash(uint8_t out[32], unsigned id)
{
	memset(out, 0x5a, 32);
	out[0] = (uint8_t)id;
	out[1] = (uint8_t)(id >> 8);
	out[2] = (uint8_t)(id >> 16);
}

/* from 0: not known, and ref says nothing. */
static inline struct made *
tx(unsigned id, uint8_t from, uint8_t to, uint64_t price)
{
	static struct made ring[64];
	static unsigned at;
	struct made *m = &ring[at++ % 64];
	memset(m, 0, sizeof *m);
	fill_hash(m->hash, id);
	memset(m->from, from, 20);
	memset(m->to, to, 20);
	be64(m->tip, price);
	be64(m->cap, price);
	m->t = (struct sandwich_tx){.hash = m->hash,
		.from = from != 0 ? m->from : NULL,
		.to = m->to,
		.ref = from,
		.priced = true,
		.tip_cap = {m->tip, 8},
		.fee_cap = {m->cap, 8},
		.data = {m->data, 4}};
	m->data[0] = to;
	return m;
}

static inline struct made *
hidden(struct made *m)
{
	m->t.from = NULL;
	return m;
}

static inline struct made *
nonce(struct made *m, uint64_t v)
{
	m->t.nonce = v;
	m->t.has_nonce = true;
	return m;
}

/* Addresses: a pool of number p has the bytes p, p+1 ... mixed, so that no two windows of it are alike. */
static inline void
pool_address(uint8_t out[20], uint8_t p)
{
	for (unsigned i = 0; i < 20; i++)
		out[i] = (uint8_t)(p * 7 + i * 29 + (i * i) % 11 + 1);
}

static inline void
token_address(uint8_t out[20], uint8_t p)
{
	for (unsigned i = 0; i < 20; i++)
		out[i] = (uint8_t)(p * 13 + i * 53 + (i * i) % 7 + 0x81);
}

static const uint8_t weth[20] = {0xc0, 0x2a, 0xaa, 0x39, 0xb2, 0x23, 0xfe, 0x8d, 0x0a, 0x0e, 0x5c, 0x4f, 0x27,
	0xea, 0xd9, 0x08, 0x3c, 0x75, 0x6c, 0xc2};

static inline void
amount_to(uint8_t out[32], uint64_t v)
{
	memset(out, 0, 32);
	be64(out + 24, v);
}

/* A decoded swap on pool p: in of one token, `least` of the other. */
static inline struct made *
swaps(struct made *m, uint8_t p, bool buy, uint64_t in, uint64_t least)
{
	struct swap *w = &m->swaps[m->t.n_swaps++];
	uint8_t token[20];
	token_address(token, p);
	w->has = SWAP_HAS_POOL | SWAP_HAS_TOKEN_IN | SWAP_HAS_TOKEN_OUT | SWAP_HAS_AMOUNT_IN | SWAP_HAS_LIMIT;
	w->hops = 1;
	pool_address(w->pool, p);
	memcpy(buy ? w->token_in : w->token_out, weth, 20);
	memcpy(buy ? w->token_out : w->token_in, token, 20);
	amount_to(w->amount_in, in);
	amount_to(w->limit, least);
	m->t.swaps = m->swaps;
	m->t.data.len = 132;
	return m;
}

/* Calldata of unknown form: bytes after what is there. */
static inline struct made *
holds(struct made *m, const void *p, uint32_t len)
{
	memcpy(m->data + m->t.data.len, p, len);
	m->t.data.len += len;
	return m;
}

static inline struct made *
pads(struct made *m, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		m->data[m->t.data.len++] = (uint8_t)(0xa0 + i % 13);
	return m;
}

static inline struct made *
names_pool(struct made *m, uint8_t p)
{
	uint8_t a[20];
	pool_address(a, p);
	return holds(m, a, 20);
}

static inline struct made *
names_token(struct made *m, uint8_t p)
{
	uint8_t a[20];
	token_address(a, p);
	return holds(m, a, 20);
}

static inline void
take(struct made *m)
{
	m->t.t_ns = clock_ns += 10 * MS;
	sandwich_take(s, &m->t);
}

static inline void
bundled(struct made *m, uint64_t bundle, uint16_t pos, uint16_t len)
{
	m->t.bundle = bundle;
	m->t.bundle_pos = pos;
	m->t.bundle_len = len;
	take(m);
}

static inline bool
is_id(const struct sandwich_ref *r, unsigned id)
{
	uint8_t h[32];
	fill_hash(h, id);
	return r->present && memcmp(r->hash, h, 32) == 0;
}

/* The newest finding says so. */
static inline void
assert_found(enum sandwich_kind kind, unsigned front, unsigned victim, unsigned back)
{
	assert_true(n_found > 0);
	const struct sandwich_finding *f = &found[n_found - 1];
	assert_int_equal(f->kind, kind);
	assert_int_equal(f->ending, SANDWICH_OPEN);
	assert_true(is_id(&f->front, front));
	assert_int_equal(f->back.present, back != 0);
	if (back != 0)
		assert_true(is_id(&f->back, back));
	bool any = false;
	for (uint32_t i = 0; i < f->n_listed; i++)
		any |= is_id(&f->victims[i], victim);
	assert_true(any);
}

static inline void
included(unsigned id, uint64_t block, uint32_t index)
{
	uint8_t h[32];
	fill_hash(h, id);
	sandwich_included(s, h, block, index, clock_ns += MS);
}

#endif
