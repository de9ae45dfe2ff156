/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx: GB/s of the keystream and of the framer, ns per Transactions message of 10 (payload handed out),
 * keystream blocks per second of the search. The best of many short runs in CPU time, for other load on the
 * machine only ever adds. usage: bench_rlpx [RUNS] */
#include "tests/unit/wire/rlpx_peer.h"
#include "tests/unit/wire/rlpx_rig.h"
#include "eth/ethmsg.h"
#include "wire/rlpx_ctr.h"

#include <stdio.h>
#include <time.h>

#define SEGMENT 1448u

static uint64_t n_txs;

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
count_tx(void *ctx, const struct ethmsg_item *it)
{
	n_txs++;
}

static void
note(void *ctx, struct rlpx *r, unsigned dir, struct span payload)
{
	uint64_t over = 0;
	if (rlpx_last(r, dir)->id == 0x12)
		ethmsg_read(ETHMSG_TRANSACTIONS, payload, count_tx, NULL, &over);
}

/* A list of n typed transactions of about 180 bytes each, of bytes that do not compress. */
static struct span
list_of(unsigned n)
{
	static uint8_t buf[1 << 20];
	uint8_t tx[180];
	struct rlp_out o = {buf, 0, sizeof buf, false};
	size_t list = rlp_list_begin(&o);
	uint32_t seed = 1;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < sizeof tx; k++)
			tx[k] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
		tx[0] = 2;
		rlp_put_string(&o, (struct span){tx, sizeof tx});
	}
	rlp_list_end(&o, list);
	return (struct span){buf, (uint32_t)o.n};
}

/* ns per message of a stream of `messages` equal ones in segments. */
static double
framer(const struct rlpx_key *key, unsigned txs, unsigned messages, unsigned runs, bool macs, uint32_t *wire)
{
	static struct rig g;
	struct rlpx r;
	struct rlpx_key k = *key;
	struct peer p;
	k.has_nonces = macs;
	peer_init(&p, &k, 0, 400);
	uint32_t begin = p.n;
	for (unsigned i = 0; i < messages; i++)
		peer_message(&p, 0x12, list_of(txs), true);
	*wire = (p.n - begin) / messages;
	struct rlpx_keys *keys = rlpx_keys_build(aligned_alloc(64, 65536), &k, 1, 1, 1);
	const struct rlpx_endpoint end[2] = {{{1}, 1}, {{2}, 2}};
	rig_init(&g, 2, 4096, note, NULL);
	g.arena.keys = keys;
	g.arena.check_macs = macs;
	double best = 1e30;
	for (unsigned i = 0; i < runs; i++) {
		memset(g.given, 0, sizeof g.given);
		memset(g.parsed, 0, sizeof g.parsed);
		memset(g.skipped, 0, sizeof g.skipped);
		rlpx_init(&r, &g.arena, false, end, NULL);
		n_txs = 0;
		double t = now_ns();
		for (uint32_t at = 0; at < p.n; at += SEGMENT)
			rig_feed(&g, &r, 0,
				(struct span){p.out + at, p.n - at < SEGMENT ? p.n - at : SEGMENT});
		t = (now_ns() - t) / messages;
		best = t < best ? t : best;
		rig_end(&g, &r);
		if (n_txs != (uint64_t)txs * messages)
			abort();
	}
	free(keys);
	rig_free(&g);
	peer_free(&p);
	return best;
}

static double
keystream(const struct aes256_ctx *aes, uint32_t n, unsigned runs)
{
	static uint8_t buf[65536];
	double best = 1e30;
	for (unsigned i = 0; i < runs; i++) {
		double t = now_ns();
		for (unsigned k = 0; k < 64; k++)
			rlpx_ctr_xor(aes, (uint64_t)k * n, buf, buf, n);
		t = (now_ns() - t) / 64;
		best = t < best ? t : best;
	}
	return n / best;
}

static double
search(const struct aes256_ctx *aes, bool aligned, unsigned runs)
{
	static struct rlpx_search s;
	double best = 1e30;
	uint32_t seed = 1;
	for (uint32_t i = 0; i < sizeof s.bytes; i++)
		s.bytes[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
	s.len = sizeof s.bytes;
	s.phase = aligned ? 3 : RLPX_ANY_PHASE;
	for (unsigned i = 0; i < runs; i++) {
		rlpx_search_fill(&s);
		rlpx_search_add(&s, aes, 0, 1u << 18);
		rlpx_search_start(&s);
		double t = now_ns();
		rlpx_search_run(&s, UINT64_MAX);
		t = (now_ns() - t) / (1u << 18);
		best = t < best ? t : best;
	}
	return 1e9 / best;
}

int
main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 30;
	struct rlpx_key key;
	struct aes256_ctx aes;
	uint32_t wire;
	memset(&key, 0, sizeof key);
	key.aes[0] = 1;
	key.has_mac = true;
	aes256_set_encrypt_key(&aes, key.aes);
	printf("keystream: %.2f GB/s in pieces of 16 kB, %.2f of 1448 B\n", keystream(&aes, 16384, runs),
		keystream(&aes, 1448, runs));
	double ns = framer(&key, 10, 2000, runs, false, &wire);
	printf("Transactions of 10, in segments: %.0f ns, %u bytes, %.2f GB/s\n", ns, wire, wire / ns);
	ns = framer(&key, 1, 2000, runs, false, &wire);
	printf("Transactions of 1, in segments: %.0f ns, %u bytes, %.2f GB/s\n", ns, wire, wire / ns);
	ns = framer(&key, 300, 200, runs, false, &wire);
	printf("Transactions of 300, in segments: %.0f ns, %u bytes, %.2f GB/s\n", ns, wire, wire / ns);
	ns = framer(&key, 10, 20, runs, true, &wire);
	printf("Transactions of 10, MACs checked: %.0f ns, %u bytes, %.2f GB/s\n", ns, wire, wire / ns);
	printf("search, 16 kB window: %.0f M blocks/s aligned, %.0f M/s at any place\n",
		search(&aes, true, runs) / 1e6, search(&aes, false, runs) / 1e6);
	return 0;
}
