/* SPDX-License-Identifier: BSD-3-Clause */
/* What one core does, over a capture in memory: the whole worker, and each stage by itself, beside bare hs_scan over the same decoded bytes
 * with the same database in the same run. Every figure is the median of the rounds; every round uses a fresh worker, so that no
 * transaction is a duplicate.
 *
 * usage: bench BUNDLE [--json] [--transactions N] [--rounds N] */
#include "eth/tx.h"
#include "rules/bundle.h"
#include "whole.h"
#include "wire/hex.h"
#include "wire/http1.h"
#include "wire/jsonrpc.h"

#include <hs/hs_runtime.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 64u
#define CONNECTIONS 64u
#define SCRATCH (4u << 20)

enum bench_stage { WORKER, NET, NET_HTTP, NET_HTTP_JSON, SEEN, DECODE, DETECT, HS_SCAN, STAGES };

struct bench {
	struct load load;
	struct bundle_file bundle;
	const char *path;
	uint32_t rounds;
	double ns[STAGES][ROUNDS_MAX]; /* per transaction */
	uint64_t findings, residual, hs_bytes;
};

static double
run_worker(struct bench *b)
{
	struct whole_run r;
	whole_run(&b->load, b->bundle.rules, NULL, &r);
	b->residual += r.residual;
	b->findings = r.findings;
	return r.ns / b->load.transactions;
}

/* ---- net, with nothing, HTTP or JSON-RPC behind it ---- */

struct partial {
	enum bench_stage depth;
	struct http1 http[CONNECTIONS];
	struct jsonrpc json[CONNECTIONS];
	bool body[CONNECTIONS];
	uint32_t used;
	struct jsonrpc_arena arena;
	uint64_t bytes, items;
};

static void
on_item(void *ctx, const struct jsonrpc_item *item)
{
	struct partial *p = ctx;
	p->items += item->state == JSONRPC_OK;
}

static void
use(struct partial *p, uint32_t i, unsigned dir, const struct framer_out *o)
{
	uint32_t messages = 0;
	if (dir != 0 || p->depth < NET_HTTP_JSON)
		return;
	if (o->verdict == FRAMER_MESSAGE) {
		jsonrpc_init(&p->json[i]);
		p->body[i] = true;
	} else if (o->verdict == FRAMER_BODY && p->body[i]) {
		p->body[i] = jsonrpc_feed(&p->json[i], &p->arena, o->body, o->last, on_item, p, &messages) == JSONRPC_MORE && !o->last;
	}
}

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span in, uint64_t off, uint64_t t)
{
	struct partial *p = ctx;
	(void)off;
	(void)t;
	p->bytes += in.len;
	if (p->depth == NET)
		return;
	if (f->app[0] == 0) {
		whole_check(p->used < CONNECTIONS, "more flows than connections");
		http1_init(&p->http[p->used], false);
		f->app[0] = ++p->used;
	}
	uint32_t i = (uint32_t)f->app[0] - 1;
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = http1_feed(&p->http[i], dir, in, &o);
		use(p, i, dir, &o);
		in.p += n;
		in.len -= n;
	}
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t t)
{
	(void)ctx, (void)f, (void)dir, (void)n, (void)off, (void)t;
	whole_check(false, "a gap in traffic that has none");
}

static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span in, uint64_t off, uint64_t t)
{
	(void)ctx, (void)f, (void)dir, (void)in, (void)off, (void)t;
	whole_check(false, "a conflict in traffic that has none");
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t t)
{
	(void)ctx, (void)f, (void)dir, (void)why, (void)t;
}

static void
on_forget(void *ctx, struct flow *f)
{
	(void)ctx, (void)f;
}

static uint8_t *
no_slab(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	static uint8_t slab[CONNECTIONS][16384];
	static uint32_t next;
	(void)ctx;
	(void)holder;
	*cap = sizeof slab[0];
	return bytes <= sizeof slab[0] ? slab[next++ % CONNECTIONS] : NULL;
}

static void
put_slab(void *ctx, uint8_t *slab)
{
	(void)ctx, (void)slab;
}

static double
run_partial(struct bench *b, enum bench_stage depth)
{
	static struct partial p;
	static const struct stream_ops ops = {on_data, on_gap, on_conflict, on_end, on_forget};
	static uint64_t counters[CTR_COUNT];
	struct worker_config c;
	const struct load *l = &b->load;
	worker_config_default(&c);
	whole_alloc_reset();
	memset(&p, 0, sizeof p);
	p.depth = depth;
	p.arena = (struct jsonrpc_arena){.scratch = whole_alloc(SCRATCH), .scratch_cap = SCRATCH, .slab_get = no_slab, .slab_put = put_slab};
	struct stream_table *t = stream_init(whole_alloc(stream_bytes(&c.stream)), &c.stream, &ops, &p, counters);
	whole_check(t != NULL, "no memory for a flow table");
	uint64_t start = whole_now_ns();
	for (uint32_t i = 0; i < l->frames; i += WORKER_BURST) {
		uint32_t n = l->frames - i < WORKER_BURST ? l->frames - i : WORKER_BURST;
		stream_frames(t, n, l->frame + i, l->wire_len + i, l->now_ns + i);
		p.arena.scratch_used = 0;
	}
	uint64_t took = whole_now_ns() - start;
	whole_check(p.bytes > 0 && (depth < NET_HTTP_JSON || p.items == l->transactions), "a stage did not see everything");
	return (double)took / l->transactions;
}

/* ---- stages on decoded transactions ---- */

static double
run_seen(struct bench *b)
{
	static const uint8_t key[32] = {1};
	static uint64_t counters[CTR_COUNT];
	const struct load *l = &b->load;
	uint32_t fresh = 0;
	whole_alloc_reset();
	struct seen *s = seen_init(whole_alloc(seen_bytes(1u << 20)), 1u << 20, key, 1800ull * 1000000000ull, counters);
	uint64_t start = whole_now_ns(), fp[64];
	for (uint32_t i = 0; i < l->transactions; i += 64) {
		uint32_t n = l->transactions - i < 64 ? l->transactions - i : 64;
		for (uint32_t k = 0; k < n; k++) {
			fp[k] = seen_fingerprint(s, l->raw[i + k]);
			seen_prefetch(s, fp[k]);
		}
		for (uint32_t k = 0; k < n; k++)
			fresh += !seen_check_add(s, fp[k], l->now_ns[0]);
	}
	uint64_t took = whole_now_ns() - start;
	whole_check(fresh == l->transactions, "a fresh transaction was taken for a known one");
	return (double)took / l->transactions;
}

static double
run_decode(struct bench *b)
{
	const struct load *l = &b->load;
	struct tx t;
	uint64_t sum = 0, start = whole_now_ns();
	for (uint32_t i = 0; i < l->transactions; i++) {
		whole_check(tx_decode(l->raw[i], &t) == 0, "a transaction does not decode");
		sum += t.nonce + t.scan.len;
	}
	uint64_t took = whole_now_ns() - start;
	whole_check(sum > 0, "nothing decoded");
	return (double)took / l->transactions;
}

/* Decoded beforehand, so that only matching is timed. */
static double
run_detect(struct bench *b, const struct tx *txs)
{
	const struct load *l = &b->load;
	struct finding found[DETECT_FINDINGS_MAX];
	uint64_t hits = 0;
	struct detect *d = detect_new(b->bundle.rules);
	whole_check(d != NULL, "no matcher");
	uint64_t start = whole_now_ns();
	for (uint32_t i = 0; i < l->transactions; i++)
		hits += (uint64_t)detect_tx(d, &txs[i], 0, found);
	uint64_t took = whole_now_ns() - start;
	whole_check(hits == b->findings, "the matcher found something else than the worker");
	detect_free(d);
	return (double)took / l->transactions;
}

static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	(void)id, (void)from, (void)to, (void)flags;
	++*(uint64_t *)ctx;
	return 0;
}

static double
run_hs(struct bench *b, const struct tx *txs, hs_database_t *db, hs_scratch_t *scratch)
{
	const struct load *l = &b->load;
	uint64_t matches = 0, start = whole_now_ns();
	b->hs_bytes = 0;
	for (uint32_t i = 0; i < l->transactions; i++) {
		b->hs_bytes += txs[i].scan.len;
		whole_check(hs_scan(db, (const char *)txs[i].scan.p, txs[i].scan.len, 0, scratch, on_match, &matches) == HS_SUCCESS, "hs_scan failed");
	}
	return (double)(whole_now_ns() - start) / l->transactions;
}

/* ---- the report ---- */

static void
report(struct bench *b, bool json)
{
	static const char *name[STAGES] = {"worker", "net", "net+http", "net+http+json", "seen", "tx_decode", "detect", "hs_scan"};
	const struct load *l = &b->load;
	double ns[STAGES];
	for (unsigned s = 0; s < STAGES; s++)
		ns[s] = whole_median(b->ns[s], b->rounds);
	double tx_per_s = 1e9 / ns[WORKER], gbit = (double)l->frame_bytes / l->transactions * 8 / ns[WORKER];
	double slow = b->ns[WORKER][b->rounds - 1], fast = b->ns[WORKER][0];
	if (json) {
		printf("{\"transactions_per_second\":%.0f,\"gbit_per_second\":%.3f,\"worker_ns_fastest\":%.1f,\"worker_ns_slowest\":%.1f,"
		       "\"raw_bytes_mean\":%.1f,\"frames\":%u,\"transactions\":%u,\"connections\":%u,\"rules\":%u,\"signatures\":%u,"
		       "\"findings\":%" PRIu64 ",\"residual\":%" PRIu64 ",\"rounds\":%u,\"worker_over_hs_scan\":%.2f,\"ns\":{",
			tx_per_s, gbit, fast, slow, (double)l->raw_bytes / l->transactions, l->frames, l->transactions, CONNECTIONS,
			ruleset_rules(b->bundle.rules), ruleset_patterns(b->bundle.rules), b->findings, b->residual, b->rounds,
			ns[WORKER] / ns[HS_SCAN]);
		for (unsigned s = 0; s < STAGES; s++)
			printf("%s\"%s\":%.1f", s ? "," : "", name[s], ns[s]);
		printf("}}\n");
		return;
	}
	printf("One core, capture in memory: %u transactions (mean %.0f bytes raw) in %u frames on %u connections, answers included;\n"
	       "%u rules with %u signatures; %" PRIu64 " findings; median of %u rounds, residual %" PRIu64 "\n\n",
		l->transactions, (double)l->raw_bytes / l->transactions, l->frames, CONNECTIONS, ruleset_rules(b->bundle.rules),
		ruleset_patterns(b->bundle.rules), b->findings, b->rounds, b->residual);
	printf("  %12.0f transactions/s   %.2f Gbit/s   (rounds: %.0f to %.0f transactions/s)\n\n", tx_per_s, gbit, 1e9 / slow, 1e9 / fast);
	printf("  ns per transaction\n");
	printf("    %8.1f  whole worker\n", ns[WORKER]);
	printf("    %8.1f  frames, flows, reassembly\n", ns[NET]);
	printf("    %8.1f  HTTP/1.1\n", ns[NET_HTTP] - ns[NET]);
	printf("    %8.1f  JSON-RPC and hex\n", ns[NET_HTTP_JSON] - ns[NET_HTTP]);
	printf("    %8.1f  seen before?\n", ns[SEEN]);
	printf("    %8.1f  RLP and transaction\n", ns[DECODE]);
	printf("    %8.1f  signatures and conditions\n", ns[DETECT]);
	printf("    %8.1f  bare hs_scan over the same %.0f bytes; the whole worker takes %.1f times that\n", ns[HS_SCAN],
		(double)b->hs_bytes / l->transactions, ns[WORKER] / ns[HS_SCAN]);
}

static hs_database_t *
bare_database(const struct bench *b)
{
	struct bundle view;
	char err[256];
	hs_database_t *db = NULL;
	whole_check(bundle_open(&view, (struct span){b->bundle.bytes, (uint32_t)b->bundle.n}, err, sizeof err), err);
	struct span bytes = bundle_db(&view, DB_OF_CALLS);
	whole_check(bytes.len > 0 && hs_deserialize_database((const char *)bytes.p, bytes.len, &db) == HS_SUCCESS, "no database in the bundle");
	return db;
}

static void
run_all(struct bench *b)
{
	struct tx *txs = calloc(b->load.transactions, sizeof *txs);
	hs_database_t *db = bare_database(b);
	hs_scratch_t *scratch = NULL;
	whole_check(txs != NULL && hs_alloc_scratch(db, &scratch) == HS_SUCCESS, "no memory");
	for (uint32_t i = 0; i < b->load.transactions; i++)
		whole_check(tx_decode(b->load.raw[i], &txs[i]) == 0, "a transaction does not decode");
	for (uint32_t r = 0; r < b->rounds; r++) {
		b->ns[WORKER][r] = run_worker(b);
		for (enum bench_stage s = NET; s <= NET_HTTP_JSON; s++)
			b->ns[s][r] = run_partial(b, s);
		b->ns[SEEN][r] = run_seen(b);
		b->ns[DECODE][r] = run_decode(b);
		b->ns[DETECT][r] = run_detect(b, txs);
		b->ns[HS_SCAN][r] = run_hs(b, txs, db, scratch);
	}
	hs_free_scratch(scratch);
	hs_free_database(db);
	free(txs);
}

int
main(int argc, char **argv)
{
	static struct bench b = {.rounds = 9};
	struct load_config c = {.transactions = 60000, .connections = CONNECTIONS, .seed = 1, .hit_every = 1000};
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--transactions") == 0 && i + 1 < argc)
			c.transactions = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			b.rounds = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			b.path = argv[i];
	}
	whole_check(b.path != NULL && b.rounds >= 1 && b.rounds <= ROUNDS_MAX && c.transactions >= 1000,
		"bench BUNDLE [--json] [--transactions N] [--rounds N]: 1000 transactions or more, 1 to 64 rounds");
	whole_check(load_make(&b.load, &c) == 0, "no memory for the load");
	whole_check(bundle_load(&b.bundle, b.path, false) == 0, "no bundle");
	hex_init();
	run_all(&b);
	report(&b, json);
	return b.residual == 0 ? 0 : 1;
}
