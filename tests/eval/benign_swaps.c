/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic benign swaps through the correlator: who trades without ever sandwiching anybody, on pools and
 * from senders that collide as real ones do. Retail through known routers (one pool and paths), people who
 * buy and sell again, market makers, arbitrage bots with calldata of unknown form that follow other people's
 * swaps and each other, an aggregator of unknown form that serves everybody, replacements, and fees of
 * wallets that copy one oracle. Orders of arrival are shaken by up to two seconds. Every finding is a false
 * alarm.
 *
 * usage: benign_swaps [N] [RATE per second] [SEED] [--verbose]; prints one object; exit 1 if there are more
 * than 10 findings per million, or the table is not sound. */
#include "detect/correlate/sandwich.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOLS 2000u
#define USERS 150000u
#define MAKERS 60u
#define BOTS 80u
#define AGGREGATORS 6u
#define AHEAD 65536u /* transactions that wait to arrive; a power of two */
#define NS 1000000000ull

struct made {
	uint8_t hash[32], from[20], to[20], data[512];
	uint32_t data_len, n_swaps;
	struct swap swaps[3];
	uint64_t nonce, tip, cap, t_ns;
	bool legacy, creation, told; /* told: its sender is known without asking */
	uint8_t kind;
	struct made *next; /* free ones */
};

enum kind { RETAIL, PATH, ROUND_TRIP, MAKER, ARBITRAGE, AGGREGATOR, REPLACED, KINDS };
static const char *const kinds[] = {
	"retail", "path", "round trip", "maker", "arbitrage", "aggregator", "replaced"};

static uint64_t rng = 88172645463325252u;

static uint64_t
any(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x2545f4914f6cdd1du;
}

static uint64_t
below(uint64_t n)
{
	return (any() >> 11) % n;
}

static double
unit(void)
{
	return (double)(any() >> 11) / 9007199254740992.0;
}

/* Addresses are made of their number. */
static void
address(uint8_t out[20], unsigned kind, uint64_t n)
{
	uint64_t h = (n + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)kind << 56;
	for (unsigned i = 0; i < 20; i++) {
		h ^= h >> 29;
		h *= 0xbf58476d1ce4e5b9u;
		out[i] = (uint8_t)(h >> 40);
	}
}

enum { A_POOL = 1, A_TOKEN, A_USER, A_ROUTER, A_BOT, A_BOT_EOA, A_MAKER, A_AGGREGATOR };
static const uint8_t weth[20] = {0xc0, 0x2a, 0xaa, 0x39, 0xb2, 0x23, 0xfe, 0x8d, 0x0a, 0x0e, 0x5c, 0x4f, 0x27,
	0xea, 0xd9, 0x08, 0x3c, 0x75, 0x6c, 0xc2};

static double rank_sum[POOLS];
static double base_fee = 30e9, oracle_tip = 1.5e9, rate = 15;
static uint64_t now_ns = 1000 * NS, serial;
static struct made *queue[AHEAD];
static uint32_t n_queue;
static struct made *free_made;

static uint32_t
zipf(void)
{
	double x = unit() * rank_sum[POOLS - 1];
	uint32_t lo = 0, hi = POOLS - 1;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (rank_sum[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
word(uint8_t out[32], double v)
{
	memset(out, 0, 32);
	for (int i = 31; i >= 16 && v >= 1; i--) {
		out[i] = (uint8_t)fmod(v, 256);
		v = floor(v / 256);
	}
}

/* A wallet's fee: most copy the oracle of the moment, many round, some add their own. */
static void
price(struct made *m)
{
	double tip, r = unit();
	m->legacy = unit() < 0.35;
	if (r < 0.35)
		tip = oracle_tip;
	else if (r < 0.6)
		tip = 1e8 * (double)(1 + below(40));
	else if (r < 0.97)
		tip = oracle_tip * (0.6 + unit());
	else if (r < 0.998)
		tip = 1e9 * (double)(2 + below(30));
	else
		tip = 1.5e9 + (double)below(1000); /* odd wei */
	m->tip = (uint64_t)tip;
	m->cap = (uint64_t)(unit() < 0.7 ? 2 * base_fee + tip : base_fee * (1.1 + unit()) + tip);
	if (m->legacy)
		m->tip = m->cap = (uint64_t)(base_fee + tip);
}

static struct made *
make(enum kind kind, uint64_t t_ns)
{
	struct made *m = free_made;
	if (m != NULL)
		free_made = m->next;
	else if ((m = malloc(sizeof *m)) == NULL)
		abort();
	memset(m, 0, sizeof *m);
	m->kind = (uint8_t)kind;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t w = any();
		memcpy(m->hash + 8 * i, &w, 8);
	}
	memcpy(m->hash, &(uint64_t){++serial}, 8);
	m->t_ns = t_ns + below(2 * NS);
	m->told = unit() < 0.5;
	price(m);
	return m;
}

static void
sift(struct made *m)
{
	uint32_t i = n_queue++;
	if (n_queue == AHEAD)
		abort();
	for (; i > 0 && queue[(i - 1) / 2]->t_ns > m->t_ns; i = (i - 1) / 2)
		queue[i] = queue[(i - 1) / 2];
	queue[i] = m;
}

static struct made *
soonest(void)
{
	struct made *first = queue[0], *last = queue[--n_queue];
	uint32_t i = 0;
	for (uint32_t c; (c = 2 * i + 1) < n_queue; i = c) {
		c += c + 1 < n_queue && queue[c + 1]->t_ns < queue[c]->t_ns;
		if (queue[c]->t_ns >= last->t_ns)
			break;
		queue[i] = queue[c];
	}
	queue[i] = last;
	return first;
}

/* buy: token for WETH's sake. in: what goes in, 0.1 to 3 % less than fair comes out at least. */
static double
decoded(struct made *m, uint32_t pool, bool buy, double in, bool odd)
{
	struct swap *w = &m->swaps[m->n_swaps++];
	uint8_t token[20];
	address(token, A_TOKEN, pool);
	double fair = in * (buy ? 2000.0 / (1 + pool) + 0.013 : 1 / (2000.0 / (1 + pool) + 0.013)),
	       least = fair * (0.97 + 0.029 * unit());
	w->has = SWAP_HAS_TOKEN_IN | SWAP_HAS_TOKEN_OUT | (odd ? 0 : SWAP_HAS_POOL) | SWAP_HAS_AMOUNT_IN |
		 SWAP_HAS_LIMIT;
	w->hops = 1;
	address(w->pool, A_POOL, pool);
	memcpy(buy ? w->token_in : w->token_out, weth, 20);
	memcpy(buy ? w->token_out : w->token_in, token, 20);
	word(w->amount_in, in);
	word(w->limit, unit() < 0.05 ? 0 : least);
	if (unit() < 0.15) { /* exactly so much out */
		w->has = (uint16_t)((w->has & ~SWAP_HAS_AMOUNT_IN) | SWAP_HAS_AMOUNT_OUT);
		w->exact_out = 1;
		word(w->amount_out, floor(fair));
		word(w->limit, in * 1.02);
	}
	address(m->to, A_ROUTER, pool % 3);
	m->data_len = 260;
	memcpy(m->data, "\x38\xed\x17\x39", 4);
	memcpy(m->data + 4, w->amount_in, 32);
	memcpy(m->data + 36, w->limit, 32);
	memcpy(m->data + 100, m->from, 20);
	memcpy(m->data + 212, w->token_in, 20);
	memcpy(m->data + 240, w->token_out, 20);
	return least;
}

static double
size(void)
{
	return 1e16 * pow(10, 4 * unit());
}

static uint64_t user_nonce[USERS], maker_nonce[MAKERS], bot_nonce[BOTS * 4];

static void arbitrage(uint32_t pool, const struct made *after);

static void
retail(enum kind kind)
{
	uint32_t user = (uint32_t)(USERS * pow(unit(), 3)), pool = zipf();
	struct made *m = make(kind, now_ns);
	address(m->from, A_USER, user);
	m->nonce = user_nonce[user]++;
	decoded(m, pool, unit() < 0.55, size(), unit() < 0.1);
	if (kind == PATH) {
		uint32_t other = zipf();
		decoded(m, other, unit() < 0.5, size(), false);
		m->swaps[0].hops = m->swaps[1].hops = 2;
		m->swaps[1].hop = 1;
	}
	sift(m);
	for (unsigned n = 0; unit() < 0.25 && n < 3; n++)
		arbitrage(pool, m);
	if (unit() < 0.03) { /* sends it again, dearer */
		struct made *again = make(REPLACED, m->t_ns + below(20 * NS));
		uint8_t hash[32];
		uint64_t t_ns = again->t_ns;
		memcpy(hash, again->hash, 32);
		*again = *m;
		memcpy(again->hash, hash, 32);
		again->t_ns = t_ns;
		again->kind = REPLACED;
		again->tip += again->tip / 8;
		again->cap += again->cap / 8;
		sift(again);
	}
}

/* Buys, and sells what came, or about that: at once, or thinks about it. */
static void
round_trip(enum kind kind)
{
	uint32_t user = (uint32_t)below(kind == MAKER ? MAKERS : USERS),
		 pool = kind == MAKER ? (user * 7 + (uint32_t)below(5)) % 300 : zipf();
	uint64_t t_ns = now_ns;
	bool buy = unit() < 0.5;
	double in = size();
	for (unsigned n = kind == MAKER ? 2 + (unsigned)below(4) : 2; n > 0; n--) {
		struct made *m = make(kind, t_ns);
		address(m->from, kind == MAKER ? A_MAKER : A_USER, user);
		m->nonce = kind == MAKER ? maker_nonce[user]++ : user_nonce[user]++;
		double out = decoded(m, pool, buy, in, false);
		sift(m);
		double r = unit();
		in = r < 0.4 ? floor(out) : r < 0.8 ? out * (1 + 0.03 * unit()) : size();
		buy = !buy;
		t_ns += kind == MAKER ? below(5 * NS) : (uint64_t)(pow(unit(), 2) * 60e9);
	}
}

static void
bytes(struct made *m, const void *p, uint32_t n)
{
	memcpy(m->data + m->data_len, p, n);
	m->data_len += n;
}

/* A bot's own contract: pools, tokens and amounts packed; its fee follows the swap that it follows, or the
 * oracle. */
static void
arbitrage(uint32_t pool, const struct made *after)
{
	uint32_t bot = (uint32_t)below(BOTS), eoa = bot * 4 + (uint32_t)below(bot % 3 == 0 ? 4 : 1),
		 other = zipf();
	struct made *m = make(ARBITRAGE, after->t_ns - below(NS));
	address(m->from, A_BOT_EOA, eoa);
	address(m->to, A_BOT, bot);
	m->nonce = bot_nonce[eoa]++;
	uint8_t p[20], token[20], q[20], amount[32];
	bool first = unit() < 0.5;
	address(p, A_POOL, pool);
	address(q, A_POOL, bot % 2 ? other : pool + POOLS);
	address(token, A_TOKEN, pool);
	bytes(m, unit() < 0.8 ? "\x00\xcc\x05\x10" : "\x01\xcc\x05\x10", 4);
	address(amount, A_BOT, bot + 1000); /* a constant of the bot's in all its calls */
	bytes(m, amount, 9);
	bytes(m, first ? p : q, 20);
	bytes(m, first ? token : weth, 20);
	bytes(m, first ? q : p, 20);
	bytes(m, first ? weth : token, 20);
	word(amount, unit() < 0.05 ? 1e18 : size());
	bytes(m, amount + 16, 16);
	word(amount, size());
	bytes(m, amount + 16, 16);
	double r = unit();
	if (r < 0.6) {
		m->tip = after->tip;
		m->cap = after->cap;
		m->legacy = after->legacy;
		if (r > 0.45)
			m->tip = m->cap = after->cap - after->cap / (8 + below(1000));
		else if (r > 0.4)
			m->tip = m->cap = after->cap + after->cap / (8 + below(1000));
	}
	sift(m);
}

static void
aggregator(void)
{
	uint32_t user = (uint32_t)(USERS * pow(unit(), 3)), pool = zipf();
	uint64_t t_ns = now_ns;
	bool buy = unit() < 0.5;
	unsigned times = unit() < 0.2 ? 2 : 1, service = (unsigned)below(AGGREGATORS);
	for (; times > 0; times--) {
		struct made *m = make(AGGREGATOR, t_ns);
		uint8_t token[20], p[20], w[32];
		address(m->from, A_USER, user);
		address(m->to, A_AGGREGATOR, service);
		address(token, A_TOKEN, pool);
		address(p, A_POOL, pool);
		m->nonce = user_nonce[user]++;
		bytes(m, "\xde\xad\x10\x20", 4);
		memset(w, 0, 12);
		memcpy(w + 12, buy ? weth : token, 20);
		bytes(m, w, 32);
		memcpy(w + 12, buy ? token : weth, 20);
		bytes(m, w, 32);
		word(w, size());
		bytes(m, w, 32);
		word(w, size());
		bytes(m, w, 32);
		memset(w, 0, 12);
		memcpy(w + 12, p, 20);
		bytes(m, w, 32);
		sift(m);
		buy = !buy;
		t_ns += (uint64_t)(pow(unit(), 2) * 30e9);
	}
}

static void
someone(void)
{
	double r = unit();
	now_ns += (uint64_t)(-log(1 - unit()) / rate * 1e9);
	if (below((uint64_t)(12 * rate) + 1) ==
		0) { /* a block: another base fee, another word of the oracle */
		base_fee *= 0.9 + 0.22 * unit();
		base_fee = fmin(fmax(base_fee, 5e9), 300e9);
		oracle_tip = floor(1e8 * (1 + 30 * unit() * unit()) + 1e6 * unit());
	}
	if (r < 0.6)
		retail(RETAIL);
	else if (r < 0.7)
		retail(PATH);
	else if (r < 0.78)
		round_trip(ROUND_TRIP);
	else if (r < 0.84)
		round_trip(MAKER);
	else
		aggregator();
}

/* ---- what is found ---- */

#define RING (1u << 18)
static uint8_t senders[RING][20], kind_of[RING];
static uint64_t findings, by_kind[5], by_source[KINDS];
static bool verbose;

static bool
recover(void *ctx, uint64_t ref, uint8_t out[20])
{
	(void)ctx;
	memcpy(out, senders[ref % RING], 20);
	return true;
}

static void
found(void *ctx, const struct sandwich_finding *f)
{
	(void)ctx;
	if (f->update)
		return;
	findings++;
	by_kind[f->kind]++;
	by_source[kind_of[f->front.ref % RING]]++;
	if (verbose)
		fprintf(stderr, "kind %u score %u evidence %x front %s victim %s victims %u\n", f->kind,
			f->score, f->evidence, kinds[kind_of[f->front.ref % RING]],
			kinds[kind_of[f->victims[0].ref % RING]], f->n_victims);
}

static void
arrive(struct sandwich *s, const struct made *m, uint64_t ref)
{
	uint8_t tip[8], cap[8];
	for (unsigned i = 0; i < 8; i++) {
		tip[i] = (uint8_t)(m->tip >> (56 - 8 * i));
		cap[i] = (uint8_t)(m->cap >> (56 - 8 * i));
	}
	memcpy(senders[ref % RING], m->from, 20);
	kind_of[ref % RING] = m->kind;
	struct sandwich_tx t = {.hash = m->hash,
		.from = m->told ? m->from : NULL,
		.to = m->to,
		.ref = ref,
		.nonce = m->nonce,
		.has_nonce = true,
		.priced = true,
		.type = m->legacy ? TX_LEGACY : TX_1559,
		.tip_cap = {tip, 8},
		.fee_cap = {cap, 8},
		.swaps = m->swaps,
		.n_swaps = m->n_swaps,
		.data = {m->data, m->data_len},
		.t_ns = m->t_ns};
	sandwich_take(s, &t);
}

static int
report(const struct sandwich *s, uint64_t n, const uint64_t *counts)
{
	const char *wrong = sandwich_check(s);
	printf("{\"transactions\":%" PRIu64 ",\"rate\":%.0f,\"findings\":%" PRIu64, n, rate, findings);
	for (unsigned i = 1; i < 5; i++)
		printf(",\"%s\":%" PRIu64,
			(const char *[]){"", "partial", "public", "bundle", "displacement"}[i], by_kind[i]);
	for (unsigned i = 0; i < KINDS; i++)
		printf(",\"front %s\":%" PRIu64, kinds[i], by_source[i]);
	for (unsigned i = 0; i < SANDWICH_N_COUNT; i++)
		printf(",\"%s\":%" PRIu64, sandwich_count_name(i), counts[i]);
	printf(",\"wrong\":\"%s\"}\n", wrong != NULL ? wrong : "");
	return wrong != NULL || findings * 100000 > n + 99999;
}

int
main(int argc, char **argv)
{
	static uint64_t counts[SANDWICH_N_COUNT];
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
	rate = argc > 2 ? atof(argv[2]) : 15;
	rng ^= argc > 3 ? strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15u : 0;
	verbose = argc > 4;
	struct sandwich_config c = {.n_txs = 65536,
		.n_bundles = 64,
		.n_incidents = 4096,
		.window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = SANDWICH_PAIR_NS_DEFAULT,
		.key = "a benign key",
		.counts = counts,
		.found = found,
		.sender = recover};
	void *mem = aligned_alloc(64, (sandwich_bytes(&c) + 63) & ~(size_t)63);
	if (mem == NULL)
		return 1;
	struct sandwich *s = sandwich_init(mem, &c);
	for (uint32_t i = 0; i < POOLS; i++)
		rank_sum[i] = (i ? rank_sum[i - 1] : 0) + 1 / pow(i + 1, 0.9);
	for (uint64_t i = 0; i < n; i++) {
		while (n_queue == 0 || queue[0]->t_ns >= now_ns)
			someone();
		struct made *m = soonest();
		arrive(s, m, i);
		m->next = free_made;
		free_made = m;
	}
	int rc = report(s, n, counts);
	free(mem);
	return rc;
}
