/* SPDX-License-Identifier: BSD-3-Clause */
/* What one core does of each feed: the whole worker over traffic in memory, and beside it what the bytes cost at least, measured in the same
 * round on the same bytes: copying the stream, or for what is compressed or encrypted bare zlib, or bare libcrypto and libsnappy (and Keccak
 * where MACs are checked). Medians of the rounds; a fresh worker in each, so that no transaction is a duplicate.
 *
 * usage: bench_feeds BUNDLE [--json] [--transactions N] [--rounds N] */
#include "eth/keccak.h"
#include "whole.h"
#include "wire/rlpx_keys.h"

#include <openssl/evp.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define ROUNDS_MAX 64u
#define CONNECTIONS 64u
#define HEADERS 54u
#define PLAIN_BYTES (1u << 20)

struct bench {
	struct bundle_file bundle;
	struct load load;
	uint32_t transactions, rounds;
	uint8_t *plain; /* where limits write to */
};

typedef double (*limit_fn)(struct bench *b);

/* ---- limits: ns for the whole load ---- */

static double
limit_copy(struct bench *b)
{
	const struct load *l = &b->load;
	uint32_t at = 0;
	uint64_t bytes = 0, start = whole_now_ns();
	for (uint32_t i = 0; i < l->frames; i++) {
		uint32_t n = l->frame[i].len - HEADERS;
		at = at + n > PLAIN_BYTES / 4 ? 0 : at; /* stays in the second-level cache */
		memcpy(b->plain + at, l->frame[i].p + HEADERS, n);
		__asm__ volatile("" : : "r"(b->plain) : "memory");
		at += n;
		bytes += n;
	}
	double ns = (double)(whole_now_ns() - start);
	whole_check(bytes == l->stream_bytes, "a limit did not see every byte");
	return ns;
}

static double
limit_inflate(struct bench *b)
{
	const struct load *l = &b->load;
	static z_stream z[CONNECTIONS];
	static const uint8_t tail[4] = {0x00, 0x00, 0xff, 0xff};
	memset(z, 0, sizeof z);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		whole_check(inflateInit2(&z[i], -15) == Z_OK, "no memory");
	uint64_t start = whole_now_ns();
	for (uint32_t i = 0; i < l->n_packed; i++) {
		const struct load_packed *p = &l->packed[i];
		z_stream *s = &z[p->connection];
		s->next_out = b->plain;
		s->avail_out = PLAIN_BYTES;
		s->next_in = p->bytes.p;
		s->avail_in = p->bytes.len;
		inflate(s, Z_SYNC_FLUSH);
		s->next_in = tail;
		s->avail_in = sizeof tail;
		inflate(s, Z_SYNC_FLUSH);
		whole_check(PLAIN_BYTES - s->avail_out == p->plain_bytes, "bare zlib does not read a message");
	}
	double ns = (double)(whole_now_ns() - start);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		inflateEnd(&z[i]);
	return ns;
}

/* Deciphering turns the kept bytes into others; what is unpacked is what was kept. Both cost what the real bytes would. */
static double
rlpx_limit(struct bench *b, bool macs)
{
	static const uint8_t zero[32];
	const struct load *l = &b->load;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t hash[32];
	whole_check(c != NULL && EVP_DecryptInit_ex(c, EVP_aes_256_ctr(), NULL, zero, zero) == 1, "no AES");
	uint64_t start = whole_now_ns();
	for (uint32_t i = 0; i < l->n_packed; i++) {
		const struct load_packed *p = &l->packed[i];
		size_t plain = PLAIN_BYTES / 2;
		int n;
		if (macs)
			keccak256(&p->bytes, 1, hash);
		whole_check(EVP_DecryptUpdate(c, b->plain + PLAIN_BYTES / 2, &n, p->bytes.p, (int)p->bytes.len) == 1, "no AES");
		whole_check(snappy_uncompress((const char *)p->bytes.p, p->bytes.len, (char *)b->plain, &plain) == SNAPPY_OK &&
				    plain == p->plain_bytes,
			"bare snappy does not read a message");
	}
	double ns = (double)(whole_now_ns() - start);
	EVP_CIPHER_CTX_free(c);
	return ns;
}

static double
limit_rlpx(struct bench *b)
{
	return rlpx_limit(b, false);
}

static double
limit_rlpx_macs(struct bench *b)
{
	return rlpx_limit(b, true);
}

/* ---- rows ---- */

static const struct row {
	const char *name; /* NULL: the feed's */
	const char *what;
	enum load_feed feed;
	bool macs;
	const char *limit_name;
	limit_fn limit;
} rows[] = {
	{NULL, "HTTP, submissions", LOAD_HTTP, false, "memcpy", limit_copy},
	{NULL, "WebSocket, submissions (masked)", LOAD_WS, false, "memcpy", limit_copy},
	{NULL, "WebSocket, subscription with objects", LOAD_WS_PUSHED, false, "memcpy", limit_copy},
	{NULL, "  with permessage-deflate, takeover", LOAD_WS_DEFLATED, false, "zlib", limit_inflate},
	{NULL, "HTTP, answers with objects", LOAD_HTTP_OBJECTS, false, "memcpy", limit_copy},
	{NULL, "engine_newPayload, 200 in a block", LOAD_ENGINE, false, "memcpy", limit_copy},
	{NULL, "RLPx Transactions, 10 in a message", LOAD_RLPX, false, "aes+snappy", limit_rlpx},
	{"rlpx-mac", "  with MACs checked", LOAD_RLPX, true, "aes+snappy+keccak", limit_rlpx_macs},
	{NULL, "gRPC OnAdd, one in a message", LOAD_GRPC, false, "memcpy", limit_copy},
	{NULL, "Arbitrum, broadcasts of one", LOAD_ARBITRUM, false, "memcpy", limit_copy},
};
#define ROWS (sizeof rows / sizeof *rows)

struct result {
	double ns, fastest, slowest, limit; /* per transaction */
	uint64_t residual;
};

static struct rlpx_keys *
keys_of(struct bench *b, bool macs)
{
	struct load *l = &b->load;
	if (l->sessions == 0)
		return NULL;
	for (uint32_t i = 0; i < l->sessions; i++)
		l->session[i].has_nonces = macs;
	void *mem = aligned_alloc(64, (rlpx_keys_bytes(l->sessions) + 63) & ~(size_t)63);
	whole_check(mem != NULL, "no memory");
	return rlpx_keys_build(mem, l->session, l->sessions, 1, 7);
}

static void
measure(struct bench *b, const struct row *row, struct result *r)
{
	static double worker[ROUNDS_MAX], limit[ROUNDS_MAX];
	const struct load *l = &b->load;
	struct rlpx_keys *keys = keys_of(b, row->macs);
	struct whole_run w;
	*r = (struct result){0};
	for (uint32_t i = 0; i < b->rounds; i++) {
		whole_run(l, b->bundle.rules, keys, &w);
		worker[i] = w.ns / l->transactions;
		limit[i] = row->limit(b) / l->transactions;
		r->residual += w.residual;
		whole_check(row->macs == (w.macs_checked > 0), "MACs were not checked, or were");
	}
	free(keys);
	r->ns = whole_median(worker, b->rounds);
	r->fastest = worker[0];
	r->slowest = worker[b->rounds - 1];
	r->limit = whole_median(limit, b->rounds);
}

static void
print_json(const struct bench *b, const struct row *row, const struct result *r, bool first)
{
	const struct load *l = &b->load;
	double bits = 8.0 * (double)l->frame_bytes / l->transactions;
	printf("%s{\"feed\":\"%s\",\"transactions\":%u,\"frames\":%u,\"frame_bytes\":%llu,\"stream_bytes\":%llu,\"raw_bytes_mean\":%.1f,"
	       "\"transactions_per_second\":%.0f,\"gbit_per_second\":%.3f,\"ns\":%.1f,\"ns_fastest\":%.1f,\"ns_slowest\":%.1f,"
	       "\"limit\":\"%s\",\"limit_ns\":%.1f,\"limit_gbit_per_second\":%.3f,\"over_limit\":%.2f,\"residual\":%llu}",
		first ? "" : ",", row->name ? row->name : load_feed_name(row->feed), l->transactions, l->frames, (unsigned long long)l->frame_bytes,
		(unsigned long long)l->stream_bytes, (double)l->raw_bytes / l->transactions, 1e9 / r->ns, bits / r->ns, r->ns, r->fastest,
		r->slowest, row->limit_name, r->limit, bits / r->limit, r->ns / r->limit, (unsigned long long)r->residual);
}

static void
print_row(const struct bench *b, const struct row *row, const struct result *r)
{
	const struct load *l = &b->load;
	double bits = 8.0 * (double)l->frame_bytes / l->transactions;
	printf("  %-38s %10.0f %7.2f %8.0f %8.0f  %-18s %6.1f\n", row->what, 1e9 / r->ns, bits / r->ns, r->ns, r->limit, row->limit_name,
		r->ns / r->limit);
}

static uint64_t
run_rows(struct bench *b, bool json)
{
	uint64_t residual = 0;
	if (json)
		printf("[");
	else
		printf("One core, %u transactions of each feed on %u connections in memory, median of %u rounds\n\n"
		       "  %-38s %10s %7s %8s %8s  %-18s %6s\n",
			b->transactions, CONNECTIONS, b->rounds, "", "tx/s", "Gbit/s", "ns/tx", "limit", "of the limit", "times");
	for (unsigned i = 0; i < ROWS; i++) {
		struct load_config c = {
			.feed = rows[i].feed, .transactions = b->transactions, .connections = CONNECTIONS, .seed = 1, .hit_every = 1000};
		struct result r;
		whole_check(load_make(&b->load, &c) == 0, "no memory for the load");
		measure(b, &rows[i], &r);
		if (json)
			print_json(b, &rows[i], &r, i == 0);
		else
			print_row(b, &rows[i], &r);
		fflush(stdout);
		residual += r.residual;
		load_free(&b->load);
	}
	printf(json ? "]\n" : "\n  residual %llu\n", (unsigned long long)residual);
	return residual;
}

int
main(int argc, char **argv)
{
	static struct bench b = {.transactions = 20000, .rounds = 5};
	const char *path = NULL;
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--transactions") == 0 && i + 1 < argc)
			b.transactions = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			b.rounds = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			path = argv[i];
	}
	whole_check(path != NULL && b.rounds >= 1 && b.rounds <= ROUNDS_MAX && b.transactions >= 1000,
		"bench_feeds BUNDLE [--json] [--transactions N] [--rounds N]: 1000 transactions or more, 1 to 64 rounds");
	whole_check(bundle_load(&b.bundle, path, false) == 0, "no bundle");
	b.plain = malloc(PLAIN_BYTES);
	whole_check(b.plain != NULL, "no memory");
	return run_rows(&b, json) == 0 ? 0 : 1;
}
