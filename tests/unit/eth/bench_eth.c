/* SPDX-License-Identifier: BSD-3-Clause */
/* Nanoseconds of tx_decode, tx_hash, tx_sender and seen_fingerprint on a type 2 transaction of 420 bytes. Not
 * a test: a figure of a shared machine proves nothing. Prints the best of many rounds. */
#include "abi/counters.h"
#include "detect/detect.h"
#include "eth/tx.h"
#include "eth_help.h"

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

/* A swap through a router, signed; no access list. */
static void
make(void)
{
	static uint8_t data[300];
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = i % 32 < 4 || i % 32 > 15 ? (uint8_t)(i * 37 + 1) : 0;
	struct tx_fields f = help_fields(TX_1559);
	f.data = (struct span){data, sizeof data};
	for (unsigned i = 0; i < COPIES; i++) {
		f.nonce = 4711 + i;
		struct span signed_ = help_sign(&f, 1);
		raw_len = signed_.len;
		memcpy(raw[i], signed_.p, signed_.len);
		free((void *)(uintptr_t)signed_.p);
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
