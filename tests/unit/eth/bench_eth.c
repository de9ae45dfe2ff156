/* SPDX-License-Identifier: BSD-3-Clause */
/* Nanoseconds of tx_decode, tx_hash, tx_sender and seen_fingerprint on a type 2 transaction of 420 bytes. Not
 * a test: a figure of a shared machine proves nothing. Prints the best of many rounds. */
#include "abi/counters.h"
#include "detect/detect.h"
#include "eth/tx.h"
#include "eth/tx_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COPIES 64u
#define ROUNDS 2000u

static uint8_t raw[COPIES][512];
static uint32_t raw_len;
static struct seen *seen;
static volatile uint64_t sink;

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A swap through a router: 292 bytes of calldata, no access list. */
static void
make(void)
{
	uint8_t data[512], word[32], to[20], data_fee[5] = {6, 1, 2, 3, 4};
	memset(word, 0x5a, sizeof word);
	memset(to, 0x7a, sizeof to);
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = i % 32 < 4 || i % 32 > 15 ? (uint8_t)(i * 37 + 1) : 0;
	static const uint8_t one = 1;
	struct tx_fields f = {.type = TX_1559,
		.chain_id = {&one, 1},
		.nonce = 4711,
		.gas = 250000,
		.tip_cap = {data_fee, 4},
		.fee_cap = {data_fee, 5},
		.to = {to, 20},
		.value = {word, 8},
		.v = {&one, 1},
		.r = {word, 32},
		.s = {word, 32}};
	f.data = (struct span){data, 286};
	for (unsigned i = 0; i < COPIES; i++) {
		f.nonce++;
		raw_len = (uint32_t)tx_build(&f, raw[i], sizeof raw[i]);
	}
}

static void
do_decode(unsigned i)
{
	struct tx t;
	sink += (uint64_t)tx_decode((struct span){raw[i], raw_len}, &t) + t.data.len;
}

static void
do_hash(unsigned i)
{
	struct tx t;
	uint8_t hash[32];
	tx_decode((struct span){raw[i], raw_len}, &t);
	tx_hash(&t, hash);
	sink += hash[0];
}

static void
do_sender(unsigned i)
{
	struct tx t;
	uint8_t from[20];
	tx_decode((struct span){raw[i], raw_len}, &t);
	sink += (uint64_t)tx_sender(&t, from);
}

static void
do_fingerprint(unsigned i)
{
	sink += seen_fingerprint(seen, (struct span){raw[i], raw_len});
}

static void
measure(const char *name, void (*f)(unsigned), unsigned rounds)
{
	uint64_t best = UINT64_MAX;
	for (unsigned r = 0; r < rounds; r++) {
		uint64_t start = now_ns();
		for (unsigned i = 0; i < COPIES; i++)
			f(i);
		uint64_t took = now_ns() - start;
		best = took < best ? took : best;
	}
	printf("%-18s %8.1f ns\n", name, (double)best / COPIES);
}

int
main(void)
{
	static uint64_t counters[CTR_COUNT];
	uint8_t key[32] = {1};
	void *mem = malloc(seen_bytes(1024));
	if (mem == NULL)
		return 1;
	seen = seen_init(mem, 1024, key, 1000000000, counters);
	make();
	printf("%u bytes\n", raw_len);
	measure("tx_decode", do_decode, ROUNDS);
	measure("seen_fingerprint", do_fingerprint, ROUNDS);
	measure("decode + hash", do_hash, ROUNDS);
	measure("decode + sender", do_sender, 20);
	free(mem);
	return 0;
}
