/* SPDX-License-Identifier: BSD-3-Clause */
/* How long decoys delay an alert that matters: transactions that nobody will mine, each by another key, all of which the same rule finds on the same
 * contract, are submitted at full speed and refused, or not answered; between them a few that the node accepts. Worker and correlator run as they
 * do in the dataplane, on a core each, and a consumer empties the alert rings with short sleeps, as control does. Measured is the time from the
 * frame with the node's acceptance being handed to the worker until the alert on it stands in the critical ring.
 *
 * usage: bench_decoys BUNDLE [--json] [--decoys N] [--real N] [--first] */
#include "abi/counters.h"
#include "abi/memory.h"
#include "abi/ring.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "whole.h"
#include "worker/correlator.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64u
#define POOL 4096u /* decoys, over and over with other signatures */
#define FRAME 1400u
#define HEADERS 54u
#define REAL_MAX 1000u
#define BURST_DECOYS (WORKER_BURST / 2)
#define ANSWER_AFTER 500000u /* ns */
#define HOUSEKEEP_NS 5000000u
#define SLOTS 16384u
#define RING_EVIDENCE (16u << 20)
#define SETTLE_NS 400000000u

struct frame {
	uint8_t bytes[FRAME];
	uint32_t n;
	uint32_t digits; /* where the digits of r are that change; 0: none */
	uint32_t id;	 /* where its id is */
};

struct connection {
	uint32_t seq[2];
	uint16_t port;
};

struct real {
	uint8_t hash[32];
	struct frame ask, answer;
	uint64_t asked_ns, answered_ns;
	_Atomic uint64_t told_ns;
};

struct bench {
	struct bundle_file bundle;
	struct worker *worker;
	struct correlator correlator;
	struct lives lives;
	struct correlator_rings rings;
	struct ring_consumer consumer[LANE_COUNT];
	struct stats_page *stats;
	struct connection conn[CONNECTIONS + 1]; /* the last: of the real ones */
	struct frame *ask, *refuse;
	struct real *real;
	uint32_t n_real, decoys;
	uint64_t read[LANE_COUNT];
	_Atomic bool over;
	uint64_t flood_ns;
	bool first; /* threads run before other programs, as on cores of their own */
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

static uint64_t
wall_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- what is said ---- */

static void
any_bytes(uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(any() >> 40);
}

/* A flash loan of the guarded contract; a signature that recovers somebody. */
static uint32_t
make_tx(uint8_t *out, uint32_t cap, uint8_t hash[32])
{
	static const uint8_t mainnet[] = {1}, tip[] = {0x77, 0x35, 0x94, 0x00}, fee[] = {0x06, 0xfc, 0x23, 0xac, 0x00};
	static const uint8_t selector[] = {0x42, 0xb0, 0xb7, 0x7c};
	uint8_t data[4 + 32 * 6] = {0}, r[32], s[32], parity[1] = {0}, from[20];
	struct tx t;
	memcpy(data, selector, 4);
	any_bytes(data + 4 + 12, 20);
	any_bytes(data + 4 + 44, 20);
	data[4 + 32 * 3 + 31] = 0xa0;
	for (;;) {
		any_bytes(r, 32);
		any_bytes(s, 32);
		r[0] = 0x42;
		s[0] = 0x21;
		struct tx_fields f = {.type = 2, .chain_id = {mainnet, 1}, .nonce = 0, .gas = 900000, .tip_cap = {tip, sizeof tip},
			.fee_cap = {fee, sizeof fee}, .to = {load_hit_address, 20}, .data = {data, sizeof data}, .v = {parity, 1}, .r = {r, 32}, .s = {s, 32}};
		int n = tx_build(&f, out, cap);
		whole_check(n > 0 && tx_decode((struct span){out, (uint32_t)n}, &t) == 0, "a transaction that does not decode");
		tx_hash(&t, hash);
		if (tx_sender(&t, from) == 0)
			return (uint32_t)n;
	}
}

static void
put_hex(char *to, const uint8_t *p, uint32_t n)
{
	static const char digit[] = "0123456789abcdef";
	for (uint32_t i = 0; i < n; i++) {
		to[2 * i] = digit[p[i] >> 4];
		to[2 * i + 1] = digit[p[i] & 15];
	}
}

static void
put_http(struct frame *f, const char *head, const char *body)
{
	int n = snprintf((char *)f->bytes + HEADERS, FRAME - HEADERS, "%s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", head,
		strlen(body), body);
	whole_check(n > 0 && (uint32_t)n < FRAME - HEADERS, "a frame too long");
	f->n = HEADERS + (uint32_t)n;
	f->id = (uint32_t)(strstr((char *)f->bytes + HEADERS, "\"id\":") + 5 - (char *)f->bytes);
}

static void
make_ask(struct frame *f, const uint8_t *raw, uint32_t n)
{
	static const char before[] = "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x";
	char body[FRAME] = {0};
	memcpy(body, before, sizeof before - 1);
	put_hex(body + sizeof before - 1, raw, n);
	strcat(body, "\"],\"id\":1000000000,\"jsonrpc\":\"2.0\"}");
	put_http(f, "POST / HTTP/1.1\r\nhost: 192.0.2.1:8545", body);
	/* in the middle of r: 1 + 32 bytes of s and 16 of r are behind */
	f->digits = (uint32_t)(strstr((char *)f->bytes + HEADERS, "\"],\"id\"") - (char *)f->bytes) - 2 * (33 + 16);
}

static void
make_answer(struct frame *f, const uint8_t *hash)
{
	char body[FRAME] = "{\"jsonrpc\":\"2.0\",\"id\":1000000000,\"error\":{\"code\":-32000,\"message\":\"insufficient funds for gas * price + value\"}}";
	if (hash != NULL) {
		strcpy(body, "{\"jsonrpc\":\"2.0\",\"id\":1000000000,\"result\":\"0x");
		put_hex(body + strlen(body), hash, 32);
		strcat(body, "\"}");
	}
	put_http(f, "HTTP/1.1 200 OK", body);
}

/* ---- frames ---- */

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* Headers of the next segment of this side; checksums are not looked at. */
static void
put_headers(struct connection *c, unsigned side, uint8_t *p, uint32_t payload, unsigned flags)
{
	const uint8_t ip[2][4] = {{192, 0, 2, (uint8_t)(10 + c->port % 64)}, {192, 0, 2, 1}};
	const uint32_t port[2] = {c->port, 8545};
	memset(p, 0, HEADERS);
	p[5] = p[11] = 2;
	put16(p + 12, 0x0800);
	uint8_t *h = p + 14, *t = p + 34;
	h[0] = 0x45;
	put16(h + 2, 40 + payload);
	h[6] = 0x40;
	h[8] = 64;
	h[9] = 6;
	memcpy(h + 12, ip[side], 4);
	memcpy(h + 16, ip[!side], 4);
	put16(t, port[side]);
	put16(t + 2, port[!side]);
	put32(t + 4, c->seq[side]);
	put32(t + 8, flags & 16 ? c->seq[!side] : 0);
	t[12] = 5 << 4;
	t[13] = (uint8_t)flags;
	put16(t + 14, 0xfaf0);
	c->seq[side] += payload + ((flags & 2) != 0);
}

static void
put_id(struct frame *f, uint32_t id)
{
	for (uint8_t *p = f->bytes + f->id + 9; p > f->bytes + f->id; p--, id /= 10)
		*p = (uint8_t)('0' + id % 10);
}

static void
put_digits(struct frame *f, uint64_t v)
{
	for (unsigned i = 0; i < 16; i++)
		f->bytes[f->digits + i] = (uint8_t)"0123456789abcdef"[v >> 4 * i & 15];
}

/* ---- the worker's core ---- */

static void
hand_over(struct bench *b, const struct span *frames, const uint32_t *lens, unsigned n, uint64_t now)
{
	uint64_t times[WORKER_BURST];
	for (unsigned i = 0; i < n; i++)
		times[i] = now;
	worker_frames(b->worker, n, frames, lens, times);
}

static void
hand_one(struct bench *b, struct connection *c, unsigned side, struct frame *f, uint64_t now)
{
	put_headers(c, side, f->bytes, f->n - HEADERS, 0x18);
	struct span s = {f->bytes, f->n};
	hand_over(b, &s, &f->n, 1, now);
}

static void
open_connections(struct bench *b)
{
	for (unsigned i = 0; i <= CONNECTIONS; i++) {
		struct connection *c = &b->conn[i];
		*c = (struct connection){.port = (uint16_t)(20000 + i), .seq = {(uint32_t)any(), (uint32_t)any()}};
		static const uint8_t flags[3] = {2, 18, 16};
		for (unsigned k = 0; k < 3; k++) {
			uint8_t p[HEADERS];
			uint32_t n = HEADERS;
			struct span s = {p, n};
			put_headers(c, k == 1, p, 0, flags[k]);
			hand_over(b, &s, &n, 1, wall_ns());
		}
	}
}

/* One in eight is not answered. */
static void
decoys(struct bench *b, uint32_t *done)
{
	struct span frames[WORKER_BURST];
	uint32_t lens[WORKER_BURST];
	unsigned n = 0;
	for (unsigned i = 0; i < BURST_DECOYS && *done < b->decoys; i++, ++*done) {
		struct connection *c = &b->conn[*done % CONNECTIONS];
		struct frame *f[2] = {&b->ask[*done % POOL], &b->refuse[*done % POOL]};
		put_digits(f[0], any());
		for (unsigned side = 0; side < (*done % 8 == 7 ? 1u : 2u); side++) {
			put_id(f[side], *done);
			put_headers(c, side, f[side]->bytes, f[side]->n - HEADERS, 0x18);
			frames[n] = (struct span){f[side]->bytes, f[side]->n};
			lens[n++] = f[side]->n;
		}
	}
	hand_over(b, frames, lens, n, wall_ns());
}

static void
on_core(const struct bench *b, unsigned core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	if (b->first && sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){10}) != 0)
		fprintf(stderr, "bench: no right to run before others: what they do is in the figures\n");
}

/* The kernel stops who runs before others for a twentieth of each second at one go, unless he rests himself. */
static void
rest(const struct bench *b, uint64_t now, uint64_t *rested)
{
	if (!b->first || now - *rested < 1000000)
		return;
	nanosleep(&(struct timespec){.tv_nsec = 60000}, NULL);
	*rested = now;
}

/* Asks and answers in their turn: one ask every `gap` decoys, or, without decoys, every millisecond. */
static void *
run_worker(void *arg)
{
	struct bench *b = arg;
	struct connection *mine = &b->conn[CONNECTIONS];
	uint32_t done = 0, asked = 0, answered = 0, gap = b->decoys / (b->n_real + 1);
	pthread_setname_np(pthread_self(), "worker");
	on_core(b, 1);
	open_connections(b);
	uint64_t begin = wall_ns(), keep = begin, rested = begin;
	while (done < b->decoys || answered < b->n_real) {
		uint64_t now = wall_ns();
		bool due = b->decoys > 0 ? done >= (asked + 1) * gap : now - begin > (asked + 1) * 1000000ull;
		if (asked < b->n_real && due) {
			hand_one(b, mine, 0, &b->real[asked].ask, now);
			b->real[asked++].asked_ns = now;
		}
		if (answered < asked && now - b->real[answered].asked_ns >= ANSWER_AFTER) {
			b->real[answered].answered_ns = wall_ns();
			hand_one(b, mine, 1, &b->real[answered].answer, now);
			answered++;
		}
		decoys(b, &done);
		rest(b, now, &rested);
		if (now - keep > HOUSEKEEP_NS) {
			worker_housekeep(b->worker, now);
			keep = now;
		}
	}
	b->flood_ns = wall_ns() - begin;
	for (uint64_t end = wall_ns(), now = end; now - end < SETTLE_NS; now = wall_ns())
		worker_housekeep(b->worker, now);
	atomic_store(&b->over, true);
	return NULL;
}

/* ---- the correlator's, and control's ---- */

static int
outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct bench *b = ctx;
	int rc = correlator_ring_outlet(&b->rings, r, lane, evidence);
	for (uint32_t i = 0; rc == 0 && lane == LANE_CRITICAL && i < b->n_real; i++)
		if (memcmp(r->hash, b->real[i].hash, 32) == 0 && b->real[i].told_ns == 0)
			b->real[i].told_ns = wall_ns();
	return rc;
}

static void *
run_correlator(void *arg)
{
	struct bench *b = arg;
	pthread_setname_np(pthread_self(), "correlator");
	on_core(b, 0);
	uint64_t rested = 0;
	while (!atomic_load_explicit(&b->over, memory_order_relaxed) || pipe_fill(worker_pipe(b->worker)) > 0) {
		uint64_t now = wall_ns();
		correlator_poll(&b->correlator, 8, now);
		rest(b, now, &rested);
	}
	correlator_finish(&b->correlator, wall_ns());
	return NULL;
}

static void *
run_consumer(void *arg)
{
	struct bench *b = arg;
	static uint8_t evidence[RING_EVIDENCE_ONE_MAX];
	struct alert_record r;
	uint32_t n;
	if (b->first)
		sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){11}); /* as control does */
	while (!atomic_load_explicit(&b->over, memory_order_relaxed)) {
		for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
			for (unsigned k = 0; k < 256 && ring_read(&b->consumer[lane], &r, evidence, &n) > 0; k++)
				b->read[lane]++;
			ring_release(&b->consumer[lane], b->consumer[lane].next);
		}
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	return NULL;
}

/* ---- all of it ---- */

static void
make_rings(struct bench *b, uint64_t *counters)
{
	static const uint8_t epoch[8] = {1};
	b->rings.ctr = counters;
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		struct ring_producer *p = &b->rings.lane[lane];
		whole_check(ring_create(p, epoch, lane + 1, (enum ring_lane)lane, SLOTS, RING_EVIDENCE) == 0, "no ring");
		whole_check(ring_attach(&b->consumer[lane], p->ring_fd, p->evidence_fd, p->cursor_fd) == 0, "no consumer of a ring");
	}
}

/* As the dataplane's. */
static void
make_box(struct bench *b)
{
	struct worker_config w;
	worker_config_default(&w);
	w.aside_bytes = 16u << 20;
	b->stats->lcores = 2;
	uint64_t *counters = b->stats->lcore[1].c;
	whole_alloc_reset();
	b->worker = worker_new(&w, b->bundle.rules, b->stats->lcore[0].c, whole_alloc);
	struct lives_config lives = {.n_txs = 1u << 17, .shares = b->stats, .senders = true, .event = correlator_life, .ctx = &b->correlator, .key = {1}};
	struct correlator_config c = {.rules = b->bundle.rules, .counters = counters, .outlet = outlet, .outlet_ctx = b, .key = {2}, .incidents = 1u << 14,
		.kept_bytes = 64u << 20, .armed_pending = 1u << 16, .armed_kept = 1u << 16, .in_flight = 1u << 16, .lives = &b->lives};
	void *lives_memory = box_alloc(lives_bytes(&lives)), *memory = box_alloc(correlator_bytes(&c));
	whole_check(b->worker != NULL && lives_memory != NULL && memory != NULL, "no memory");
	memset(lives_memory, 0, lives_bytes(&lives)); /* no page is to be mapped later */
	memset(memory, 0, correlator_bytes(&c));
	make_rings(b, counters);
	lives_init(&b->lives, lives_memory, &lives, counters);
	correlator_init(&b->correlator, memory, &c);
	correlator_add(&b->correlator, worker_pipe(b->worker));
}

static void
make_traffic(struct bench *b)
{
	uint8_t raw[FRAME], hash[32];
	b->ask = calloc(POOL, sizeof *b->ask);
	b->refuse = calloc(POOL, sizeof *b->refuse);
	b->real = calloc(REAL_MAX, sizeof *b->real);
	whole_check(b->ask != NULL && b->refuse != NULL && b->real != NULL, "no memory");
	for (uint32_t i = 0; i < POOL; i++) {
		make_ask(&b->ask[i], raw, make_tx(raw, sizeof raw, hash));
		make_answer(&b->refuse[i], NULL);
	}
	for (uint32_t i = 0; i < b->n_real; i++) {
		make_ask(&b->real[i].ask, raw, make_tx(raw, sizeof raw, b->real[i].hash));
		make_answer(&b->real[i].answer, b->real[i].hash);
		put_id(&b->real[i].ask, 900000000 + i);
		put_id(&b->real[i].answer, 900000000 + i);
	}
}

static void
print_row(const struct bench *b, double *ms, uint32_t told, bool json)
{
	const uint64_t *w = b->stats->lcore[0].c, *c = b->stats->lcore[1].c;
	double p50 = told > 0 ? whole_median(ms, told) : 0, p99 = told > 0 ? ms[(told - 1) * 99 / 100] : 0, max = told > 0 ? ms[told - 1] : 0;
	double rate = b->decoys > 0 ? b->decoys * 1e9 / (double)b->flood_ns : 0;
	if (json)
		printf("{\"decoys\":%u,\"per_second\":%.0f,\"real\":%u,\"told\":%u,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
		       "\"findings\":%" PRIu64 ",\"ring_full\":%" PRIu64 ",\"facts_left_out\":%" PRIu64 ",\"storms\":%" PRIu64 ",\"senders\":%" PRIu64
		       ",\"senders_skipped\":%" PRIu64 ",\"alerts_critical\":%" PRIu64 ",\"alerts_normal\":%" PRIu64 ",\"alerts_lost\":%" PRIu64 "}",
			b->decoys, rate, b->n_real, told, p50, p99, max, w[CTR_FINDINGS], w[CTR_SUPPRESSED_RING_FULL], w[CTR_FACTS_LEFT_OUT],
			c[CTR_STORMS_TOLD], c[CTR_SENDERS_RECOVERED], c[CTR_SENDERS_SKIPPED], b->rings.lane[0].next_seq - 1, b->rings.lane[1].next_seq - 1,
			c[CTR_RING_LOST_FULL]);
	else
		printf("  %8u %9.0f %5u of %-5u %8.3f %8.3f %8.3f   %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", b->decoys, rate, told, b->n_real, p50, p99, max,
			w[CTR_SUPPRESSED_RING_FULL], w[CTR_FACTS_LEFT_OUT], b->rings.lane[1].next_seq - 1);
}

static uint32_t
run(struct bench *b, uint32_t n, bool json)
{
	static double ms[REAL_MAX];
	pthread_t t[3];
	uint32_t told = 0;
	b->decoys = n;
	b->over = false;
	memset(b->stats, 0, sizeof *b->stats);
	make_traffic(b);
	make_box(b);
	void *(*const part[])(void *) = {run_consumer, run_correlator, run_worker};
	for (unsigned i = 0; i < 3; i++)
		whole_check(pthread_create(&t[i], NULL, part[i], b) == 0, "no thread");
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	for (uint32_t i = 0; i < b->n_real; i++)
		if (b->real[i].told_ns != 0)
			ms[told++] = (double)(b->real[i].told_ns - b->real[i].answered_ns) / 1e6;
	print_row(b, ms, told, json);
	worker_delete(b->worker);
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		ring_detach(&b->consumer[lane]);
		ring_destroy(&b->rings.lane[lane]);
	}
	free(b->ask);
	free(b->refuse);
	free(b->real);
	return told;
}

int
main(int argc, char **argv)
{
	static struct bench b = {.n_real = 200};
	const char *path = NULL;
	uint32_t n = 1000000;
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--first") == 0)
			b.first = true;
		else if (strcmp(argv[i], "--decoys") == 0 && i + 1 < argc)
			n = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--real") == 0 && i + 1 < argc)
			b.n_real = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			path = argv[i];
	}
	whole_check(path != NULL && b.n_real >= 1 && b.n_real <= REAL_MAX, "bench_decoys BUNDLE [--json] [--decoys N] [--real N] [--first]");
	whole_check(bundle_load(&b.bundle, path, false) == 0, "no bundle");
	b.stats = box_alloc(sizeof *b.stats);
	whole_check(b.stats != NULL, "no memory");
	if (!json)
		printf("From the node's acceptance to the critical alert, milliseconds; decoys by as many keys, refused or not answered\n\n"
		       "  %8s %9s %14s %8s %8s %8s   %9s %9s %9s\n", "decoys", "a second", "alerts", "p50", "p99", "max", "lost full", "left out", "normal");
	printf("%s", json ? "[" : "");
	uint32_t quiet = run(&b, 0, json);
	printf("%s", json ? "," : "");
	uint32_t loud = run(&b, n, json);
	printf("%s", json ? "]\n" : "");
	return quiet == b.n_real && loud == b.n_real ? 0 : 1;
}
