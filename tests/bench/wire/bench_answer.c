/* SPDX-License-Identifier: BSD-3-Clause */
/* Times the answer scanner on one core: a block of 1 MB with full transactions, in one piece and in segments;
 * a full-object notification, scanned alone and rebuilt with its hash checked; the hash of a submission; a
 * long result that nobody wants. usage: bench_answer FILE, with a message that holds transactions in each
 * line (tests/unit/wire/answers/anvil.ndjson). */
#include "eth/txfields.h"
#include "wire/answer.h"
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t events, txs, rebuilt;
static uint8_t slab_mem[JSONRPC_RAW_MAX], out[TXFIELDS_ROOM], scratch[4 << 20];

static void
count(void *ctx, const struct answer_event *e)
{
	events++;
	txs += e->kind == ANSWER_TX;
}

static void
rebuild(void *ctx, const struct answer_event *e)
{
	uint32_t len;
	count(ctx, e);
	if (e->kind == ANSWER_TX)
		rebuilt += txfields_build(e->tx, out, &len) == TXFIELDS_OK;
}

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

static void
measure(const char *what, const char *text, size_t n, size_t piece, answer_sink sink)
{
	struct jsonrpc_arena a = {.scratch = scratch,
		.scratch_cap = sizeof scratch,
		.slab_get = slab_get,
		.slab_put = slab_put};
	static struct answer j;
	uint32_t messages = 0;
	double best = 1e30;
	unsigned repeat = n < 10000 ? 200 : 1;
	events = txs = rebuilt = 0;
	for (unsigned round = 0; round < 300; round++) {
		double t = now_ns();
		for (unsigned i = 0; i < repeat; i++) {
			answer_init(&j);
			for (size_t k = 0; k < n; k += piece) {
				size_t len = n - k < piece ? n - k : piece;
				answer_feed(&j, &a, (struct span){(const uint8_t *)text + k, (uint32_t)len},
					k + len == n, sink, NULL, &messages);
			}
		}
		t = (now_ns() - t) / repeat;
		best = t < best ? t : best;
	}
	double each = (double)txs / (300.0 * repeat);
	printf("%-36s %10.1f ns/message %6.2f GB/s (%zu bytes)", what, best, (double)n / best, n);
	if (each > 0)
		printf(" %7.1f ns/transaction, %.0f of %.0f rebuilt", best / each,
			(double)rebuilt / (300.0 * repeat), each);
	printf("\n");
}

/* A block of n bytes or more out of transactions of the file. */
static char *
block(char **objects, unsigned n_objects, size_t n)
{
	char *text = malloc(n + (1 << 17)), *at = text;
	at += sprintf(at,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"number\":\"0x1\",\"hash\":\"0x%064d\","
		"\"parentHash\":\"0x%064d\","
		"\"logsBloom\":\"0x%0512d\",\"transactions\":[",
		1, 2, 3);
	for (unsigned i = 0; (size_t)(at - text) < n; i++)
		at += sprintf(at, "%s%s", i ? "," : "", objects[i % n_objects]);
	sprintf(at, "],\"uncles\":[]}}");
	return text;
}

int
main(int argc, char **argv)
{
	static char *objects[64];
	static char hash[128], call[1 << 17];
	unsigned n = 0;
	char *line = NULL, *pushed = NULL;
	size_t cap = 0;
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	if (f == NULL) {
		fprintf(stderr, "usage: bench_answer FILE\n");
		return 2;
	}
	hex_init();
	while (getline(&line, &cap, f) > 0 && n < 64) {
		char *o = strstr(line, "\"result\":{\"type\"");
		if (o == NULL || strstr(o, "\"input\"") == NULL || strlen(o) > 4000)
			continue;
		line[strcspn(line, "\n")] = 0;
		if (pushed == NULL && strstr(line, "eth_subscription") && strstr(o, "\"0x2\""))
			pushed = strdup(line);
		objects[n] = strdup(o + 9);
		objects[n][strlen(objects[n]) - (strstr(line, "eth_subscription") ? 2 : 1)] = 0;
		n++;
	}
	if (n == 0 || pushed == NULL) {
		fprintf(stderr, "no transactions in %s\n", argv[1]);
		return 2;
	}
	char *b = block(objects, n, 1 << 20);
	measure("block of 1 MB", b, strlen(b), SIZE_MAX, count);
	measure("  in segments of 1448 bytes", b, strlen(b), 1448, count);
	measure("  transactions rebuilt, checked", b, strlen(b), 1448, rebuild);
	measure("full-object notification", pushed, strlen(pushed), SIZE_MAX, count);
	measure("  rebuilt, checked", pushed, strlen(pushed), SIZE_MAX, rebuild);
	sprintf(hash, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x%064d\"}", 7);
	measure("hash of a submission", hash, strlen(hash), SIZE_MAX, count);
	memset(call, '0', sizeof call - 1);
	memcpy(call, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x", 35);
	memcpy(call + sizeof call - 3, "\"}", 3);
	measure("eth_call's result, 128 kB", call, strlen(call), 1448, count);
	return 0;
}
