/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints every transaction of a capture of gRPC, a line each: its hash, c2s or s2c (? if it is not known
 * which), pending, submitted or asked, and the number of its method (-1: guessed). Reads as a worker does (a
 * flow without a SYN is joined in mid-stream); of TCP it knows only what the recordings need: segments in
 * order, some twice, some missing, Ethernet and IPv4. usage: grpc_dump CAPTURE PORT. Exit 1 if anything was
 * lost that should not be. */
#include "eth/tx.h"
#include "eth/txpool_proto.h"
#include "wire/grpc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FLOWS_MAX 16u

struct flow {
	uint16_t client_port;
	bool midstream;
	struct grpc grpc;
	uint32_t next[2];
	bool begun[2];
};

static struct flow flows[FLOWS_MAX];
static unsigned n_flows, lost, port;
static struct grpc_arena arena;
static struct inflate_pool pool;

static uint8_t *
slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	*cap = bytes;
	return malloc(bytes);
}

static void
slab_put(void *ctx, uint8_t *slab)
{
	free(slab);
}

static void
take(void *ctx, const struct grpc_element *e)
{
	static const char *const kinds[] = {"pending", "submitted", "asked"};
	enum txpool_kind kind;
	struct span raw;
	struct tx tx;
	uint8_t hash[32];
	enum txpool_found found = txpool_element(e, &kind, &raw);
	if (found == TXPOOL_NONE)
		return;
	if (found == TXPOOL_UNREAD || tx_decode(raw, &tx) != 0) {
		lost++;
		return;
	}
	tx_hash(&tx, hash);
	printf("0x");
	for (unsigned i = 0; i < 32; i++)
		printf("%02x", hash[i]);
	printf(" %s %s %d\n", e->client < 0 ? "?" : e->client ? "c2s" : "s2c", kinds[kind], e->method);
}

static void
feed(struct flow *f, unsigned dir, struct span in)
{
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = grpc_feed(&f->grpc, dir, &arena, in, &o);
		lost += o.verdict == FRAMER_LOST || (o.skipped > 0 && !f->midstream);
		in.p += n;
		in.len -= n;
	}
}

static void
segment(const uint8_t *tcp, uint32_t n)
{
	uint16_t ports[2] = {(uint16_t)(tcp[0] << 8 | tcp[1]), (uint16_t)(tcp[2] << 8 | tcp[3])};
	uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
	uint32_t header = (tcp[12] >> 4) * 4u;
	unsigned dir = ports[1] != port;
	struct flow *f = flows;
	while (f < flows + n_flows && f->client_port != ports[dir])
		f++;
	if (f == flows + FLOWS_MAX || header > n)
		exit(1);
	if (f == flows + n_flows) {
		*f = (struct flow){.client_port = ports[dir], .midstream = !(tcp[13] & 2)};
		grpc_init(&f->grpc, f->midstream);
		n_flows++;
	}
	if (tcp[13] & 2 || (f->midstream && !f->begun[dir]))
		f->next[dir] = seq + (tcp[13] >> 1 & 1);
	f->begun[dir] = true;
	if (n == header)
		return;
	if (seq - f->next[dir] - 1 < INT32_MAX) {
		struct framer_out o;
		grpc_gap(&f->grpc, dir, &arena, seq - f->next[dir], &o);
		lost++;
		f->next[dir] = seq;
	}
	if (seq != f->next[dir])
		return;
	f->next[dir] += n - header;
	feed(f, dir, (struct span){tcp + header, n - header});
}

static void
read_all(FILE *file)
{
	static uint8_t frame[65536];
	uint32_t head[4];
	while (fread(head, sizeof head, 1, file) == 1) {
		if (head[2] < 54 || head[2] > sizeof frame || fread(frame, head[2], 1, file) != 1)
			exit(1);
		uint32_t ip = 14, tcp = ip + (frame[ip] & 15) * 4u,
			 end = ip + (frame[ip + 2] << 8 | frame[ip + 3]);
		if (end <= head[2] && tcp + 20 <= end)
			segment(frame + tcp, end - tcp);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t out[1 << 20], head[24];
	FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
	size_t bytes = (inflate_pool_bytes(2) + 63) & ~(size_t)63;
	if (file == NULL || fread(head, sizeof head, 1, file) != 1 ||
		inflate_pool_init(&pool, aligned_alloc(64, bytes), 2) != 0)
		return 1;
	port = (unsigned)atoi(argv[2]);
	arena = (struct grpc_arena){.h2.paths = txpool_paths,
		.methods = txpool_methods,
		.sink = take,
		.out = out,
		.out_cap = sizeof out,
		.inflate = &pool,
		.slab_get = slab_get,
		.slab_put = slab_put};
	read_all(file);
	fclose(file);
	bool midstream = false;
	for (unsigned i = 0; i < n_flows; i++) {
		midstream |= flows[i].midstream;
		grpc_release(&flows[i].grpc, &arena);
	}
	free(pool.ctxs);
	fprintf(stderr, "%u lost, %lu messages lost, %lu bad, %lu compressed\n", lost,
		arena.counts[GRPC_N_LOST], arena.counts[GRPC_N_BAD_MESSAGE], arena.counts[GRPC_N_COMPRESSED]);
	return lost > 0 || (!midstream && arena.counts[GRPC_N_LOST] > 0) ||
	       arena.counts[GRPC_N_BAD_MESSAGE] > 0;
}
