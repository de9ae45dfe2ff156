/* SPDX-License-Identifier: BSD-3-Clause */
/* What correlation costs per transaction as history grows: swaps, calldata of unknown form and repeats in the
 * proportions of a mempool, on a table that holds 65536 in flight. The time of making transactions is taken
 * off. usage: [RATE=n] bench_sandwich [HISTORY...]; one object a line. */
#include "detect/correlate/sandwich.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE 100000u
#define POOLS 4000u

static uint64_t rng = 88172645463325252u;

static uint64_t
any(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x2545f4914f6cdd1du;
}

static uint64_t
clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct made {
	uint8_t hash[32], from[20], to[20], tip[8], data[600];
	struct swap swap;
	struct sandwich_tx t;
};

static void
address(uint8_t out[20], uint64_t kind, uint64_t which)
{
	uint64_t h = (which + 1) * 0x9e3779b97f4a7c15u ^ kind << 60;
	for (unsigned i = 0; i < 20; i++) {
		h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
		out[i] = (uint8_t)(h >> 40);
	}
}

static void
make(struct made *m, uint64_t serial, uint64_t t_ns)
{
	uint64_t r = any(), pool = (r >> 32) % POOLS * ((r >> 20) % POOLS) / POOLS;
	memset(m->hash, 0, 32);
	memcpy(m->hash, &serial, 8);
	address(m->from, 4, any() % 100000);
	uint64_t price = 30000000000u + any() % 3000000000u;
	for (unsigned i = 0; i < 8; i++)
		m->tip[i] = (uint8_t)(price >> (56 - 8 * i));
	for (unsigned i = 0; i + 8 <= sizeof m->data; i += 8) {
		uint64_t w = any();
		memcpy(m->data + i, &w, 8);
	}
	m->t = (struct sandwich_tx){.hash = m->hash,
		.from = r & 1 ? m->from : NULL,
		.to = m->to,
		.ref = serial,
		.priced = true,
		.tip_cap = {m->tip, 8},
		.fee_cap = {m->tip, 8},
		.data = {m->data, 260},
		.t_ns = t_ns};
	address(m->to, 5, r % 7 < 5 ? r % 3 : r % 500 + 10);
	if (r % 7 >= 5) {
		address(m->data + 5 + r % 40, 1, pool);
		m->t.data.len = 100 + (uint32_t)(r % 500);
		return;
	}
	struct swap *w = &m->swap;
	memset(w, 0, sizeof *w);
	w->has = SWAP_HAS_POOL | SWAP_HAS_TOKEN_IN | SWAP_HAS_TOKEN_OUT | SWAP_HAS_AMOUNT_IN | SWAP_HAS_LIMIT;
	w->hops = 1;
	address(w->pool, 1, pool);
	address(w->token_in, 2 + (r >> 8 & 1), pool);
	address(w->token_out, 3 - (r >> 8 & 1), pool);
	memcpy(w->amount_in + 24, m->data, 8);
	memcpy(w->limit + 24, m->data + 8, 8);
	m->t.swaps = w;
	m->t.n_swaps = 1;
}

static bool
recover(void *ctx, uint64_t ref, uint8_t out[20])
{
	(void)ctx;
	address(out, 4, ref);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const usual[] = {"", "1000", "100000", "10000000"};
	const char *const *history = argc > 1 ? (const char *const *)argv : usual;
	int n_history = argc > 1 ? argc : 4;
	static uint64_t counts[SANDWICH_N_COUNT];
	struct sandwich_config c = {.n_txs = SANDWICH_TXS_DEFAULT,
		.n_bundles = 1024,
		.n_incidents = 4096,
		.window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = SANDWICH_PAIR_NS_DEFAULT,
		.key = "a bench's key",
		.counts = counts,
		.sender = recover};
	void *mem = aligned_alloc(64, (sandwich_bytes(&c) + 63) & ~(size_t)63);
	struct made *sample = malloc(1000 * sizeof *sample);
	if (mem == NULL || sample == NULL)
		return 1;
	/* per second: 15 as mainnet has it, and 900 in flight; 1000, and 60 000 */
	const char *rate = getenv("RATE");
	uint64_t interval_ns = 1000000000u / (rate != NULL && atoi(rate) > 0 ? (uint64_t)atoi(rate) : 15);
	for (int k = 1; k < n_history; k++) {
		uint64_t n = strtoull(history[k], NULL, 10), serial = 0, now_ns = 1000000000000u, spent = 0;
		memset(counts, 0, sizeof counts);
		struct sandwich *s = sandwich_init(mem, &c);
		uint64_t measured = n < SAMPLE ? n : SAMPLE, worst = 0;
		for (uint64_t at = 0; at < n + measured; at += 1000) {
			for (unsigned i = 0; i < 1000; i++) {
				make(&sample[i], serial++, now_ns);
				now_ns += interval_ns;
			}
			uint64_t begin = clock_ns();
			for (unsigned i = 0; i < 1000; i++)
				sandwich_take(s, &sample[i].t);
			uint64_t took = clock_ns() - begin;
			if (at >= n) {
				spent += took;
				worst = took > worst ? took : worst;
			}
		}
		printf("{\"per_second\":%" PRIu64 ",\"history\":%" PRIu64
		       ",\"in_flight\":%u,\"measured\":%" PRIu64
		       ",\"ns_per_tx\":%.0f,\"worst_ns_per_tx_of_1000\":%.0f,"
		       "\"bytes\":%zu,\"pairs\":%" PRIu64 ",\"senders\":%" PRIu64 "}\n",
			1000000000u / interval_ns, n, sandwich_in_flight(s), measured,
			(double)spent / (double)measured, (double)worst / 1000, sandwich_bytes(&c),
			counts[SANDWICH_N_PAIRS], counts[SANDWICH_N_SENDERS_ASKED]);
		fflush(stdout);
		if (sandwich_check(s) != NULL)
			return 1;
	}
	free(sample);
	free(mem);
	return 0;
}
