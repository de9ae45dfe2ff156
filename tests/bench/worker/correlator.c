/* SPDX-License-Identifier: BSD-3-Clause */
/* What the correlator costs per transaction as its history grows: messages as workers write them go straight into its pipe, of transactions in about the proportions of a mempool: plain ones,
 * decoded swaps, calldata of unknown form, deployments of what can take flash loans, calls of what is armed. Tables are as large as in the dataplane. Once without the recovery of senders for
 * lives, once with it. The limit is what nobody can do without: copying the message, and hashing the transaction.
 *
 * usage: bench_correlator BUNDLE [--json] [--history N]... [--measured N] */
#include "abi/counters.h"
#include "eth/keccak.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "whole.h"
#include "worker/correlator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATES 8192u
#define BATCH 32u /* so few that nobody waits behind them */
#define PIPE_BYTES (4u << 20)
#define MESSAGE_MAX 4096u
#define POOLS 4000u
#define ARMED 64u
#define INTERVAL_NS 1000000u /* a thousand a second */
#define WITH_SENDERS 4000u
#define HISTORIES_MAX 8

struct template {
	_Alignas(64) uint8_t message[MESSAGE_MAX];
	uint32_t bytes, varies; /* where its signature has eight bytes that may be any */
};

struct bench {
	struct bundle_file bundle;
	struct correlator correlator;
	struct lives lives;
	struct pipe pipe;
	struct template *template;
	struct stats_page *stats;
	uint64_t now_ns, serial, alerts;
	uint64_t message_bytes, raw_bytes;
};

static uint64_t rng = 88172645463325252u;

static uint64_t
any(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x2545f4914f6cdd1du;
}

static void
any_bytes(uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(any() >> 40);
}

/* ---- transactions ---- */

static void
address(uint8_t out[20], uint64_t kind, uint64_t which)
{
	uint64_t h = (which + 1) * 0x9e3779b97f4a7c15u ^ kind << 60;
	for (unsigned i = 0; i < 20; i++) {
		h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
		out[i] = (uint8_t)(h >> 40);
	}
}

static void
put_word(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[24 + i] = (uint8_t)(v >> (56 - 8 * i));
}

/* swapExactTokensForTokens */
static uint32_t
swap_data(uint8_t *p)
{
	static const uint8_t selector[] = {0x38, 0xed, 0x17, 0x39};
	uint64_t pool = any() % POOLS * (any() % POOLS) / POOLS, way = any() & 1;
	memset(p, 0, 4 + 32 * 8);
	memcpy(p, selector, 4);
	put_word(p + 4, 1000000 + any() % 1000000000);
	put_word(p + 36, 1000 + any() % 1000000);
	put_word(p + 68, 0xa0);
	any_bytes(p + 100 + 12, 20);
	put_word(p + 132, 1900000000);
	put_word(p + 164, 2);
	address(p + 196 + 12, 2 + way, pool);
	address(p + 228 + 12, 3 - way, pool);
	return 4 + 32 * 8;
}

enum kind { PLAIN, SWAP, PACKED, DEPLOYMENT, ARMED_CALL };

static uint32_t
make_data(enum kind kind, uint8_t *p)
{
	static const uint8_t transfer[] = {0xa9, 0x05, 0x9c, 0xbb};
	switch (kind) {
	case SWAP:
		return swap_data(p);
	case PACKED:
		any_bytes(p, 220);
		address(p + 5 + any() % 40, 1, any() % POOLS);
		return 100 + (uint32_t)(any() % 120);
	case DEPLOYMENT:
		any_bytes(p, 1500);
		return 1500;
	default:
		memset(p, 0, 68);
		memcpy(p, transfer, 4);
		any_bytes(p + 16, 20);
		put_word(p + 36, any());
		return any() % 3 == 0 ? 0 : 68;
	}
}

static enum kind
any_kind(void)
{
	uint64_t r = any() % 100;
	return r < 68 ? PLAIN : r < 93 ? SWAP : r < 98 ? PACKED : r < 99 ? DEPLOYMENT : ARMED_CALL;
}

static uint32_t
make_raw(enum kind kind, uint64_t which, uint8_t *raw, uint32_t cap)
{
	static const uint8_t mainnet[] = {1};
	static const uint8_t router[20] = {0x7a, 0x25, 0x0d, 0x56, 0x30, 0xb4, 0xcf, 0x53, 0x97, 0x39, 0xdf, 0x2c, 0x5d, 0xac, 0xb4, 0xc6, 0x59, 0xf2, 0x48, 0x8d};
	uint8_t data[2048], to[20], tip[8] = {0}, r[32], s[32], parity[1] = {(uint8_t)(which & 1)};
	uint64_t price = 30000000000u + any() % 3000000000u;
	for (unsigned i = 0; i < 8; i++)
		tip[i] = (uint8_t)(price >> (56 - 8 * i));
	uint32_t n = make_data(kind, data);
	address(to, kind == ARMED_CALL ? 6 : 5, kind == ARMED_CALL ? any() % ARMED : any() % 50000);
	if (kind == SWAP)
		memcpy(to, router, 20);
	any_bytes(r, 32);
	any_bytes(s, 32);
	r[0] = 0x42;
	s[0] = 0x21;
	struct tx_fields f = {.type = 2, .chain_id = {mainnet, 1}, .nonce = which, .gas = 300000, .tip_cap = {tip, 8}, .fee_cap = {tip, 8},
		.to = {to, kind == DEPLOYMENT ? 0 : 20}, .data = {data, n}, .v = {parity, 1}, .r = {r, 32}, .s = {s, 32}};
	int bytes = tx_build(&f, raw, cap);
	whole_check(bytes > 0, "a transaction too long");
	return (uint32_t)bytes;
}

/* As a worker would. */
static void
make_template(struct template *t, uint64_t which)
{
	static struct swap_cache cache;
	uint8_t raw[MESSAGE_MAX];
	struct calls calls;
	struct swap swaps[SWAPS_MAX];
	struct tx tx;
	bool over;
	enum kind kind = any_kind();
	uint32_t n = make_raw(kind, which, raw, sizeof raw), n_swaps = 0, n_codes = kind == DEPLOYMENT;
	struct tx_code code = {.facts = {.flash = true, .score = 600}, .has_address = true};
	whole_check(tx_decode((struct span){raw, n}, &tx) == 0, "a transaction that does not decode");
	calls_of(&tx, &calls);
	if (kind != DEPLOYMENT)
		n_swaps = swaps_of_cached(&tx, &calls, &cache, swaps, &over);
	whole_check(kind != SWAP || n_swaps == 1, "a swap is not read");
	any_bytes(code.facts.hash, 32);
	address(code.address, 6, any() % ARMED);
	t->bytes = tx_msg_bytes(n_codes, n_swaps, 0, 0, n);
	whole_check(t->bytes <= MESSAGE_MAX, "a message too long");
	struct tx_msg *m = (struct tx_msg *)(void *)t->message;
	*m = (struct tx_msg){.kind = FACT_TX, .raw_len = n, .tx_bytes = n, .n_codes = (uint8_t)n_codes, .n_swaps = (uint8_t)n_swaps, .pending = true};
	m->where.carrier = CARRIER_HTTP_RAW;
	memcpy((void *)tx_msg_codes(m), &code, n_codes * sizeof code);
	memcpy((void *)tx_msg_swaps(m), swaps, n_swaps * sizeof *swaps);
	memcpy((void *)tx_msg_raw(m).p, raw, n);
	t->varies = t->bytes - 33 - 20; /* within r: behind it are s and eight bytes of r */
}

/* ---- a run ---- */

static int
outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct bench *b = ctx;
	(void)lane, (void)evidence;
	r->seq = ++b->alerts;
	return 0;
}

static void
fill_pipe(struct bench *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct template *t = &b->template[b->serial % TEMPLATES];
		uint8_t *p = pipe_reserve(&b->pipe, t->bytes);
		uint64_t v = ++b->serial * 0x9e3779b97f4a7c15u;
		whole_check(p != NULL, "a batch does not fit the pipe");
		memcpy(p, t->message, t->bytes);
		struct tx_msg *m = (struct tx_msg *)(void *)p;
		memcpy(p + t->varies, &v, 8);
		m->fingerprint = v;
		m->where.t_wire_ns = b->now_ns += INTERVAL_NS;
		pipe_commit(&b->pipe);
	}
}

/* Nanoseconds in the correlator for n transactions. */
static double
feed(struct bench *b, uint64_t n)
{
	uint64_t took = 0;
	for (uint64_t at = 0; at < n; at += BATCH) {
		fill_pipe(b, n - at < BATCH ? (uint32_t)(n - at) : BATCH);
		uint64_t begin = whole_now_ns();
		while (correlator_poll(&b->correlator, 8, b->now_ns) > 0)
			;
		took += whole_now_ns() - begin;
	}
	return (double)took;
}

static double
limit(struct bench *b, uint64_t n)
{
	static uint8_t copy[1u << 20];
	uint8_t hash[32];
	uint64_t begin = whole_now_ns();
	for (uint64_t i = 0, at = 0; i < n; i++) {
		const struct template *t = &b->template[i % TEMPLATES];
		const struct tx_msg *m = (const struct tx_msg *)(const void *)t->message;
		at = at + t->bytes <= sizeof copy ? at : 0;
		memcpy(copy + at, t->message, t->bytes);
		at += t->bytes;
		struct span raw = tx_msg_raw(m);
		keccak256(&raw, 1, hash);
	}
	return (double)(whole_now_ns() - begin);
}

static void *
table(size_t bytes)
{
	void *p = bytes > 0 ? box_alloc(bytes) : NULL;
	whole_check(p != NULL, "no memory");
	return memset(p, 0, bytes);
}

struct tables {
	void *lives, *correlator;
};

static void
begin(struct bench *b, struct tables *t)
{
	uint64_t *counters = b->stats->lcore[0].c;
	struct lives_config lives = {.n_txs = 1u << 17, .shares = b->stats, .event = correlator_life, .ctx = &b->correlator, .key = {1}};
	struct correlator_config c = {.rules = b->bundle.rules, .counters = counters, .outlet = outlet, .outlet_ctx = b, .key = {2}, .incidents = 1u << 14,
		.kept_bytes = 64u << 20, .armed_pending = 1u << 16, .armed_kept = 1u << 16, .in_flight = 1u << 16, .lives = &b->lives};
	memset(b->stats, 0, sizeof *b->stats);
	t->lives = table(lives_bytes(&lives));
	t->correlator = table(correlator_bytes(&c));
	lives_init(&b->lives, t->lives, &lives, counters);
	correlator_init(&b->correlator, t->correlator, &c);
	correlator_add(&b->correlator, &b->pipe);
	b->alerts = 0;
	b->now_ns = 1700000000000000000ull;
}

struct row {
	uint64_t history, alerts;
	double ns, with_senders_ns, limit_ns;
	uint32_t in_flight;
};

static void
measure(struct bench *b, uint64_t history, uint64_t measured, struct row *r)
{
	struct tables t;
	begin(b, &t);
	feed(b, history);
	*r = (struct row){.history = history};
	r->limit_ns = limit(b, measured) / (double)measured;
	r->ns = feed(b, measured) / (double)measured;
	b->lives.senders = true;
	uint64_t n = measured < WITH_SENDERS ? measured : WITH_SENDERS;
	r->with_senders_ns = feed(b, n) / (double)n;
	r->in_flight = sandwich_in_flight(b->correlator.sandwich);
	r->alerts = b->alerts;
	whole_check(b->stats->lcore[0].c[CTR_LIFE_PENDING] == history + measured + n, "the correlator did not take every transaction");
	free(t.lives);
	free(t.correlator);
}

static void
print_row(const struct row *r, bool json, bool first)
{
	if (json)
		printf("%s{\"history\":%" PRIu64 ",\"ns\":%.0f,\"with_senders_ns\":%.0f,\"limit\":\"memcpy+keccak\",\"limit_ns\":%.0f,\"over_limit\":%.2f,\"in_flight\":%u,\"alerts\":%" PRIu64 "}",
			first ? "" : ",", r->history, r->ns, r->with_senders_ns, r->limit_ns, r->ns / r->limit_ns, r->in_flight, r->alerts);
	else
		printf("  %12" PRIu64 " %10.0f %14.0f %14.0f %8.1f\n", r->history, r->ns, r->with_senders_ns, r->limit_ns, r->ns / r->limit_ns);
	fflush(stdout);
}

static void
run(struct bench *b, const uint64_t *history, unsigned n, uint64_t measured, bool json)
{
	struct row r;
	b->template = table(TEMPLATES * sizeof *b->template);
	b->stats = table(sizeof *b->stats);
	pipe_init(&b->pipe, table(PIPE_BYTES), PIPE_BYTES);
	for (uint32_t i = 0; i < TEMPLATES; i++)
		make_template(&b->template[i], i);
	if (!json)
		printf("Correlation, ns per transaction (68 %% plain, 25 %% swaps, 5 %% calldata of unknown form, 1 %% deployments, 1 %% calls of armed contracts)\n\n"
		       "  %12s %10s %14s %14s %8s\n", "history", "ns/tx", "with senders", "memcpy+keccak", "times");
	for (unsigned i = 0; i < n; i++) {
		measure(b, history[i], measured, &r);
		print_row(&r, json, i == 0);
	}
}

int
main(int argc, char **argv)
{
	static struct bench b;
	uint64_t history[HISTORIES_MAX] = {1000, 100000, 10000000}, measured = 100000;
	unsigned n = 0;
	const char *path = NULL;
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--history") == 0 && i + 1 < argc && n < HISTORIES_MAX)
			history[n++] = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--measured") == 0 && i + 1 < argc)
			measured = strtoull(argv[++i], NULL, 10);
		else
			path = argv[i];
	}
	whole_check(path != NULL && measured >= 1000, "bench_correlator BUNDLE [--json] [--history N]... [--measured N]: 1000 or more");
	whole_check(bundle_load(&b.bundle, path, false) == 0, "no bundle");
	printf("%s", json ? "[" : "");
	run(&b, history, n > 0 ? n : 3, measured, json);
	printf("%s", json ? "]\n" : "");
	return 0;
}
