/* SPDX-License-Identifier: BSD-3-Clause */
/* Times the scanner on one core: a raw transaction a request, a call with long data, and hex alone.
 * usage: bench_jsonrpc [RAW_BYTES]. Prints ns per request and GB/s of input. */
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BODIES 256u

static uint64_t items, bytes;

static void
sink(void *ctx, const struct jsonrpc_item *it)
{
	items++;
	bytes += it->raw.len;
}

static uint8_t slab_mem[1 << 20];

static uint8_t *
slab_get(void *ctx, uint32_t n, uint32_t *cap, uint8_t **holder)
{
	*cap = sizeof slab_mem;
	return slab_mem;
}

static void
slab_put(void *ctx, uint8_t *slab)
{
}

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static char *
random_hex(char *at, unsigned digits)
{
	while (digits--)
		*at++ = "0123456789abcdef"[rand() % 16];
	*at = 0;
	return at;
}

/* pieces: a body arrives in that many. */
static void
time_bodies(const char *what, const char *before, const char *after, unsigned digits, unsigned pieces)
{
	static char *body[BODIES];
	static uint32_t len[BODIES];
	static uint8_t scratch[4 << 20];
	size_t total = 0;
	for (unsigned i = 0; i < BODIES; i++) {
		body[i] = malloc(digits + 512);
		char *at = random_hex(body[i] + sprintf(body[i], "%s", before), digits);
		at += sprintf(at, after, i);
		len[i] = (uint32_t)(at - body[i]);
		total += len[i];
	}
	struct jsonrpc_arena a = {.scratch = scratch,
		.scratch_cap = sizeof scratch,
		.slab_get = slab_get,
		.slab_put = slab_put};
	static struct jsonrpc j;
	uint32_t messages = 0;
	double best = 1e30;
	for (unsigned round = 0; round < 300; round++) {
		double t = now_ns();
		for (unsigned i = 0; i < BODIES; i++) {
			uint32_t n = len[i], step = (n + pieces - 1) / pieces;
			if (a.scratch_used > 192u << 10)
				a.scratch_used = 0;
			jsonrpc_init(&j);
			for (uint32_t k = 0; k < n; k += step)
				jsonrpc_feed(&j, &a,
					(struct span){(uint8_t *)body[i] + k, n - k < step ? n - k : step},
					n - k <= step, sink, NULL, &messages);
		}
		t = now_ns() - t;
		best = t < best ? t : best;
	}
	printf("%-28s %7.1f ns/request %6.2f GB/s (%zu bytes)\n", what, best / BODIES, (double)total / best,
		total / BODIES);
	for (unsigned i = 0; i < BODIES; i++)
		free(body[i]);
}

static void
time_hex(unsigned digits)
{
	unsigned n;
	const struct hex_impl *impls = hex_impls(&n);
	uint8_t *in = malloc(digits + 1), *out = malloc(digits);
	random_hex((char *)in, digits);
	for (unsigned i = 0; i < n; i++) {
		double best = 1e30;
		for (unsigned round = 0; round < 2000; round++) {
			double t = now_ns();
			for (unsigned k = 0; k < 64; k++)
				bytes += impls[i].decode(in, digits, out);
			t = (now_ns() - t) / 64;
			best = t < best ? t : best;
		}
		printf("hex %-24s %7.1f ns/string  %6.2f GB/s (%u digits)\n", impls[i].name, best,
			digits / best, digits);
	}
	free(in);
	free(out);
}

int
main(int argc, char **argv)
{
	unsigned raw = argc > 1 ? (unsigned)atoi(argv[1]) : 420;
	static const char send[] = "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x";
	static const char geth[] =
		"{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x";
	hex_init();
	time_bodies("raw transaction", send, "\"],\"id\":%u,\"jsonrpc\":\"2.0\"}", 2 * raw, 1);
	time_bodies("raw transaction, geth order", geth, "\"]}", 2 * raw, 1);
	time_bodies("in two pieces", send, "\"],\"id\":%u,\"jsonrpc\":\"2.0\"}", 2 * raw, 2);
	time_bodies("eth_call, 64 kB of data",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{\"to\":\"0x01\",\"data\":"
		"\"0x",
		"\"},\"latest\"]}", 65536, 1);
	time_bodies("raw transaction, 64 kB", send, "\"],\"id\":%u,\"jsonrpc\":\"2.0\"}", 131072, 1);
	time_hex(2 * raw);
	time_hex(65536);
	return items == 0;
}
