/* SPDX-License-Identifier: BSD-3-Clause */
/* Nanoseconds of swaps_of, without and with a cache, and of calls_of, on lines "name to input" of standard
 * input. Not a test. Prints the best of many rounds. */
#include "eth/calls.h"
#include "eth/swap.h"
#include "wire/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 3000u
#define REPEATS 32u

static struct swap_cache cache;

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double
best(const struct tx *t, const struct calls *calls, struct swap_cache *c, uint32_t *n)
{
	uint64_t least = UINT64_MAX;
	struct swap out[SWAPS_MAX];
	struct calls again;
	bool over;
	for (uint32_t r = 0; r < ROUNDS; r++) {
		uint64_t start = now_ns();
		for (uint32_t i = 0; i < REPEATS; i++) {
			if (calls != NULL)
				*n = swaps_of_cached(t, calls, c, out, &over);
			else
				calls_of(t, &again);
		}
		uint64_t took = now_ns() - start;
		least = took < least ? took : least;
	}
	return (double)least / REPEATS;
}

int
main(void)
{
	static char line[1 << 18], name[64], to[64];
	static uint8_t address[20], data[1 << 17];
	hex_init();
	printf("%-24s %6s %12s %12s %12s\n", "", "swaps", "swaps_of", "cached", "calls_of");
	while (scanf("%63s %63s %262143s", name, to, line) == 3) {
		uint32_t n = 0;
		hex_decode((const uint8_t *)to + 2, 40, address);
		uint32_t len = (uint32_t)hex_decode((const uint8_t *)line + 2, strlen(line) - 2, data) / 2;
		struct tx t = {.to = {address, 20}, .data = {data, len}};
		struct calls calls;
		calls_of(&t, &calls);
		double plain = best(&t, &calls, NULL, &n), cached = best(&t, &calls, &cache, &n);
		printf("%-24s %6u %9.1f ns %9.1f ns %9.1f ns\n", name, n, plain, cached,
			best(&t, NULL, NULL, &n));
	}
	return 0;
}
