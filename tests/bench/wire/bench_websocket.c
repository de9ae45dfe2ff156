/* SPDX-License-Identifier: BSD-3-Clause */
/* ns per message and GB/s of websocket, and of inflate over subscription pushes: the best of many short runs,
 * for other load on the machine only ever adds. usage: bench_websocket [RUNS] */
#include "wire/inflate.h"
#include "wire/websocket.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define STREAM_BYTES (8u << 20)

static uint8_t stream[STREAM_BYTES], room[16384], plain[16384];

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t
frame(uint8_t *p, uint8_t first, const uint8_t *payload, uint32_t n, bool masked)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	uint32_t at = 2;
	p[0] = first;
	p[1] = (uint8_t)((masked ? 0x80 : 0) | (n < 126 ? n : n < 65536 ? 126 : 127));
	for (int i = n < 126 ? 0 : n < 65536 ? 2 : 8; i > 0; i--)
		p[at++] = (uint8_t)((uint64_t)n >> (8 * (i - 1)));
	if (masked) {
		memcpy(p + at, mask, 4);
		at += 4;
	}
	memcpy(p + at, payload, n);
	if (masked)
		websocket_unmask(p + at, p + at, n, mask);
	return at + n;
}

/* Returns the messages that ended. Spans of `mtu` bytes. */
static unsigned
read_stream(struct websocket *w, uint32_t bytes, uint32_t mtu, uint64_t *out_bytes)
{
	unsigned ends = 0;
	for (uint32_t at = 0; at < bytes;) {
		struct span in = {stream + at, bytes - at < mtu ? bytes - at : mtu};
		at += in.len;
		while (in.len > 0) {
			struct framer_out o;
			uint32_t n = websocket_feed(w, 0, in, (struct websocket_room){room, sizeof room}, &o);
			ends += o.last;
			*out_bytes += o.body.len;
			in.p += n;
			in.len -= n;
		}
	}
	return ends;
}

static void
bench_frames(uint32_t payload, bool masked, uint32_t mtu, unsigned runs)
{
	static uint8_t body[1 << 20];
	uint32_t bytes = 0, n = 0;
	memset(body, 'x', sizeof body);
	while (bytes + payload + 14 <= STREAM_BYTES && n < 4000) {
		bytes += frame(stream + bytes, 0x81, body, payload, masked);
		n++;
	}
	double least = 1e30;
	for (unsigned k = 0; k < runs; k++) {
		struct websocket w;
		uint64_t out = 0;
		websocket_init(&w, masked ? WEBSOCKET_CLIENT_DIR0 : WEBSOCKET_CLIENT_DIR1, false, false);
		double t = now_ns();
		unsigned ends = read_stream(&w, bytes, mtu, &out);
		t = now_ns() - t;
		if (ends != n || out != (uint64_t)n * payload) {
			fprintf(stderr, "%u of %u messages\n", ends, n);
			exit(1);
		}
		least = t < least ? t : least;
	}
	printf("%-8s %8u %8u %12.1f %10.2f\n", masked ? "masked" : "plain", payload, mtu, least / n,
		bytes / least);
}

static uint32_t
random_hex(char *p, unsigned n)
{
	static uint64_t x = 88172645463325252ull;
	for (unsigned k = 0; k < n; k++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		p[k] = "0123456789abcdef"[x >> 60];
	}
	return n;
}

static uint32_t
push(char *p, unsigned i)
{
	uint32_t n = (uint32_t)sprintf(p,
		"{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x4b\","
		"\"result\":"
		"{\"nonce\":\"0x%x\",\"gas\":\"0x5208\",\"type\":\"0x2\",\"blockHash\":null,\"hash\":\"0x",
		i);
	n += random_hex(p + n, 64);
	n += (uint32_t)sprintf(p + n, "\",\"from\":\"0x");
	n += random_hex(p + n, 40);
	n += (uint32_t)sprintf(
		p + n, "\",\"to\":\"0x7a250d5630b4cf539739df2c5dacb4c659f2488d\",\"input\":\"0x38ed1739");
	n += random_hex(p + n, 64);
	for (unsigned k = 0; k < 400; k++)
		p[n++] = '0';
	n += random_hex(p + n, 100);
	return n + (uint32_t)sprintf(p + n, "\"}}}");
}

static void
bench_inflate(bool takeover, unsigned runs)
{
	enum { N = 500 };
	static uint32_t at[N + 1];
	static char text[4096];
	z_stream z = {0};
	struct inflate_pool pool;
	void *mem = aligned_alloc(64, inflate_pool_bytes(1));
	uint64_t out_bytes = 0;
	if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK || mem == NULL ||
		inflate_pool_init(&pool, mem, 1) != 0)
		exit(1);
	for (unsigned i = 0; i < N; i++) {
		uint32_t n = push(text, i);
		out_bytes += n;
		z.next_in = (Bytef *)text;
		z.avail_in = n;
		z.next_out = stream + at[i];
		z.avail_out = STREAM_BYTES - at[i];
		deflate(&z, Z_SYNC_FLUSH);
		at[i + 1] = (uint32_t)(z.next_out - stream) - 4;
		if (!takeover)
			deflateReset(&z);
	}
	double least = 1e30;
	for (unsigned k = 0; k < runs / 10 + 1; k++) {
		struct inflate i;
		uint64_t out = 0;
		inflate_init(&i, INFLATE_MESSAGES, takeover, false);
		double t = now_ns();
		for (unsigned m = 0; m < N; m++) {
			struct span in = {stream + at[m], at[m + 1] - at[m]}, got;
			inflate_message(&i, &pool, INFLATE_MAX_MESSAGE);
			if (inflate_feed(&i, &pool, &in, true, plain, sizeof plain, &got) != INFLATE_END)
				exit(1);
			out += got.len;
		}
		t = now_ns() - t;
		inflate_release(&i, &pool);
		if (out != out_bytes)
			exit(1);
		least = t < least ? t : least;
	}
	printf("%-8s %8u %8u %12.1f %10.2f  (%s; GB/s of JSON)\n", "deflate", (unsigned)(out_bytes / N),
		at[N] / N, least / N, (double)out_bytes / least, takeover ? "takeover" : "no takeover");
	deflateEnd(&z);
	free(mem);
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = {60, 300, 1200, 16384, 1 << 20};
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
	printf("%-8s %8s %8s %12s %10s\n", "frames", "payload", "span", "ns/message", "GB/s");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (unsigned masked = 0; masked < 2; masked++)
			bench_frames(sizes[i], masked, 65536, runs);
	}
	bench_frames(16384, true, 1448, runs);
	bench_inflate(true, runs);
	bench_inflate(false, runs);
	return 0;
}
