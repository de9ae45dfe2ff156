/* SPDX-License-Identifier: BSD-3-Clause */
/* ns per transaction and GB/s of grpc over an OnAdd stream, ns per header block: the best of many short runs,
 * for other load on the machine only ever adds. usage: bench_grpc [RUNS] */
#include "wire/grpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAM_BYTES (8u << 20)
#define ELEMENT_ROOM (1u << 18)

static uint8_t stream[STREAM_BYTES + ELEMENT_ROOM], slab[GRPC_ELEMENT_MAX];
static uint64_t elements;
static const char *const paths[] = {"txpool.Txpool/OnAdd", "txpool.Txpool/Add"};
static const struct grpc_method methods[] = {{false, true}, {true, false}};

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
sink(void *ctx, const struct grpc_element *e)
{
	elements += e->state == GRPC_OK;
}

/* One stream, so one slab. */
static uint8_t *
slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	*cap = sizeof slab;
	return slab;
}

static void
slab_put(void *ctx, uint8_t *p)
{
}

static uint32_t
frame(uint8_t *p, unsigned type, unsigned flags, uint32_t id, uint32_t n)
{
	uint8_t h[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type, (uint8_t)flags, 0,
		0, (uint8_t)(id >> 8), (uint8_t)id};
	memcpy(p, h, sizeof h);
	return sizeof h;
}

static uint32_t
varint(uint8_t *p, uint32_t v)
{
	uint32_t n = 0;
	for (; v > 127; v >>= 7)
		p[n++] = (uint8_t)(v | 0x80);
	p[n++] = (uint8_t)v;
	return n;
}

/* A message of one transaction in as many DATA frames as it takes. */
static uint32_t
message(uint8_t *out, uint32_t tx_bytes)
{
	static uint8_t m[ELEMENT_ROOM];
	uint32_t n = 6, at = 0;
	m[5] = 0x0a;
	n += varint(m + n, tx_bytes);
	memset(m + n, 'x', tx_bytes);
	n += tx_bytes;
	for (int i = 0; i < 4; i++)
		m[1 + i] = (uint8_t)((n - 5) >> (24 - 8 * i));
	for (uint32_t done = 0, k; done < n; done += k) {
		k = n - done < 16384 ? n - done : 16384;
		at += frame(out + at, 0, 0, 1, k);
		memcpy(out + at, m + done, k);
		at += k;
	}
	return at;
}

static void
feed(struct grpc *g, unsigned dir, struct grpc_arena *a, struct span in)
{
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = grpc_feed(g, dir, a, in, &o);
		in.p += n;
		in.len -= n;
	}
}

/* ns for all of the stream, in spans of `mtu` bytes; the request stands before it. */
static double
run(unsigned dir, uint32_t bytes, uint32_t mtu)
{
	static struct grpc g;
	static const uint8_t request[] =
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x16\1\4\0\0\0\1\x04\x14/txpool.Txpool/OnAdd";
	static const uint8_t answer[] = "\0\0\1\1\4\0\0\0\1\x88";
	struct grpc_arena a = {.h2.paths = {paths, 2},
		.methods = methods,
		.sink = sink,
		.slab_get = slab_get,
		.slab_put = slab_put};
	grpc_init(&g, false);
	feed(&g, 0, &a, (struct span){request, sizeof request - 1});
	feed(&g, 1, &a, (struct span){answer, sizeof answer - 1});
	elements = 0;
	double t = now_ns();
	for (uint32_t at = 0; at < bytes; at += mtu)
		feed(&g, dir, &a, (struct span){stream + at, bytes - at < mtu ? bytes - at : mtu});
	t = now_ns() - t;
	if (a.counts[GRPC_N_BAD_MESSAGE] + a.h2.counts[H2_N_BAD_FRAME] + a.h2.counts[H2_N_BAD_HEADERS] > 0)
		exit(1);
	grpc_release(&g, &a);
	return t;
}

static void
bench_stream(uint32_t tx_bytes, uint32_t mtu, unsigned runs)
{
	uint32_t bytes = 0, n = 0;
	double least = 1e30;
	for (; bytes < STREAM_BYTES && n < 4000; n++)
		bytes += message(stream + bytes, tx_bytes);
	for (unsigned k = 0; k < runs; k++) {
		double t = run(1, bytes, mtu);
		least = t < least ? t : least;
	}
	if (elements != n)
		exit(1);
	printf("OnAdd, %6u bytes a transaction, spans of %5u: %8.1f ns each, %6.2f GB/s\n", tx_bytes, mtu,
		least / n, bytes / least);
}

static void
bench_headers(unsigned runs)
{
	/* what a client sends again and again: all indexed but the path */
	uint32_t bytes = 0, n = 0;
	double least = 1e30;
	for (; n < 20000; n++) {
		bytes += frame(stream + bytes, 1, 5, (3 + 2 * n) & 0xffff, 26);
		memcpy(stream + bytes, "\x83\x86\x04\x12/txpool.Txpool/Add\x88\x88\x88\x88", 26);
		bytes += 26;
	}
	for (unsigned k = 0; k < runs; k++) {
		double t = run(0, bytes, 1448);
		least = t < least ? t : least;
	}
	printf("header blocks: %.1f ns each\n", least / n);
}

int
main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
	static const uint32_t sizes[] = {200, 1000, 20000, 130000};
	for (unsigned i = 0; i < 4; i++) {
		bench_stream(sizes[i], 1448, runs);
		bench_stream(sizes[i], 65536, runs);
	}
	bench_headers(runs);
	return 0;
}
