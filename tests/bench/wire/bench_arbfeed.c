/* SPDX-License-Identifier: BSD-3-Clause */
/* Times the scanner of the Arbitrum feed on one core: broadcasts with one transaction each, in one piece and
 * in segments, with and without reading the L2 messages and decoding the transactions; batches; one broadcast
 * of 256 KiB of base64. */
#include "eth/l2msg.h"
#include "eth/tx.h"
#include "tests/unit/wire/base64_plain.h"
#include "wire/arbfeed.h"
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <stdio.h>
#include <time.h>

#define TX_BYTES 430u /* a dynamic fee transaction as long as the mean one */

static uint64_t txs, decoded;
static uint8_t slab_mem[JSONRPC_RAW_MAX], scratch[1 << 20];

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
ignore(void *ctx, const struct arbfeed_event *e)
{
}

static void
item(void *ctx, const struct l2msg_item *it)
{
	struct tx t;
	txs += it->kind == L2MSG_TX;
	decoded += it->kind == L2MSG_TX && tx_decode(it->raw, &t) == 0;
}

static void
read_l2(void *ctx, const struct arbfeed_event *e)
{
	uint64_t over = 0;
	l2msg_read(e->kind, e->l2msg, item, NULL, &over);
}

static void
measure(const char *what, const char *text, size_t piece, arbfeed_sink sink)
{
	struct jsonrpc_arena a = {.scratch = scratch,
		.scratch_cap = sizeof scratch,
		.slab_get = slab_get,
		.slab_put = slab_put};
	static struct arbfeed f;
	size_t n = strlen(text);
	uint32_t messages = 0;
	double best = 1e30;
	unsigned repeat = n < 10000 ? 500 : 10;
	txs = decoded = 0;
	for (unsigned round = 0; round < 200; round++) {
		double t = now_ns();
		for (unsigned i = 0; i < repeat; i++) {
			arbfeed_init(&f);
			for (size_t k = 0; k < n; k += piece) {
				size_t len = n - k < piece ? n - k : piece;
				arbfeed_feed(&f, &a, (struct span){(const uint8_t *)text + k, (uint32_t)len},
					len == n - k, sink, NULL, &messages);
			}
		}
		t = (now_ns() - t) / repeat;
		best = t < best ? t : best;
	}
	printf("%-44s %10.1f ns %6.2f GB/s (%zu bytes)", what, best, (double)n / best, n);
	if (txs > 0)
		printf(" %7.1f ns/transaction", best * 200 * repeat / (double)decoded);
	printf("\n");
}

/* A signed dynamic fee transaction by its look. Returns its length. */
static size_t
transaction(uint8_t *out)
{
	static const uint8_t head[] = {4, 2, 0xf9, 0, 0, 0x82, 0xa4, 0xb1, 7, 0x80, 0x84, 5, 0xf5, 0xe1, 0,
		0x83, 0x1e, 0x84, 0x80, 0x94};
	uint8_t *at = out;
	memcpy(at, head, sizeof head);
	at += sizeof head;
	for (unsigned i = 0; i < 20; i++)
		*at++ = (uint8_t)(i * 37 + 1);
	*at++ = 0x80;
	size_t data = TX_BYTES - (size_t)(at - out) - 3 - 1 - 1 - 66;
	*at++ = 0xb9;
	*at++ = (uint8_t)(data >> 8);
	*at++ = (uint8_t)data;
	for (size_t i = 0; i < data; i++)
		*at++ = (uint8_t)(i * i * 17 + i);
	*at++ = 0xc0;
	*at++ = 1;
	for (unsigned k = 0; k < 2; k++) {
		*at++ = 0xa0;
		for (unsigned i = 0; i < 32; i++)
			*at++ = (uint8_t)(i * 11 + 0x41);
	}
	size_t payload = (size_t)(at - out) - 5;
	out[3] = (uint8_t)(payload >> 8);
	out[4] = (uint8_t)payload;
	return (size_t)(at - out);
}

static char *
broadcast(const uint8_t *l2, size_t n)
{
	static char b64[1 << 20];
	char *text = malloc((1 << 20) + 1024);
	base64_encode(l2, n, b64);
	sprintf(text,
		"{\"version\":1,\"messages\":[{\"sequenceNumber\":183000000,\"message\":{\"message\":{"
		"\"header\":{"
		"\"kind\":3,\"sender\":\"0xa4b000000000000000000073657175656e636572\",\"blockNumber\":"
		"19000000,"
		"\"timestamp\":1700000000,\"requestId\":null,\"baseFeeL1\":null},\"l2Msg\":\"%s\"},"
		"\"delayedMessagesRead\":1500000},\"blockHash\":\"0x%064d\",\"signatureV2\":\"%088d\"}]}\n",
		b64, 1, 2);
	return text;
}

int
main(void)
{
	static uint8_t tx[1024], l2[1 << 18];
	size_t n = transaction(tx), at = 1;
	hex_init();
	char *one = broadcast(tx, n);
	measure("one transaction", one, SIZE_MAX, ignore);
	measure("  read and decoded", one, SIZE_MAX, read_l2);
	measure("  in segments of 500 bytes", one, 500, read_l2);
	l2[0] = 3;
	for (unsigned i = 0; i < 100; i++) {
		memset(l2 + at, 0, 6);
		l2[at + 6] = (uint8_t)(n >> 8);
		l2[at + 7] = (uint8_t)n;
		memcpy(l2 + at + 8, tx, n);
		at += 8 + n;
	}
	char *batch = broadcast(l2, at);
	measure("batch of 100, read and decoded", batch, SIZE_MAX, read_l2);
	measure("  in segments of 1448 bytes", batch, 1448, read_l2);
	memset(l2, 0x5a, sizeof l2);
	measure("256 KiB that is nothing, in segments", broadcast(l2, sizeof l2), 1448, read_l2);
	return 0;
}
