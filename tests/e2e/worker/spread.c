/* SPDX-License-Identifier: BSD-3-Clause */
/* Three worker lcores and a correlator on one net_ring port, whose frames the first worker spreads in software: every transaction is found
 * exactly once, both directions of a flow by one worker, and the accounts add up. With `stall` one worker stands still for a while:
 * what it could not take is counted, and costs the others nothing.
 *
 * usage: spread all|stall BUNDLE */
#include "abi/counters.h"
#include "abi/identity.h"
#include "io/box.h"
#include "io/eal.h"
#include "io/ports.h"
#include "load/load.h"
#include "net/stream.h"
#include "worker/lcore.h"

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 3u
#define STALLED 1u
#define TRANSACTIONS 12000u
#define HIT_EVERY 50u
#define IN_FLIGHT 200u
#define DEADLINE_S 100
#define INCIDENTS 65536u

static struct lcore_worker worker[WORKERS];
static struct lcore_correlator correlator_core;
static struct correlator correlator;
static struct stats_page stats;
static _Atomic bool stop, abandon, stalled;
static struct rte_ring *wire;
static struct rte_mempool *wire_pool;
static time_t deadline;

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "spread: %s\n", what);
	_exit(1);
}

/* ---- what each worker finds ---- */

struct found {
	uint8_t times[TRANSACTIONS]; /* by nonce, of which the load generator gives each transaction its own */
	bool port[65536];
	uint32_t bad; /* crossings of a flow that was not seen whole */
};
static struct found found[WORKERS];

static void
on_crossing(void *ctx, const struct crossing_report *r)
{
	struct found *f = ctx;
	while (f == &found[STALLED] && stalled)
		usleep(1000);
	f->bad += r->tx == NULL || r->outcome != CROSSING_SCANNED || r->where.trust != TRUST_NOT_ACKED;
	if (r->tx == NULL || r->tx->nonce >= TRANSACTIONS)
		return;
	f->times[r->tx->nonce]++;
	f->port[r->where.src_port] = true;
}

static uint64_t alerts;

static int
outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	uint64_t *counters = ctx;
	r->seq = ++alerts;
	counters[CTR_RING_PUBLISHED]++;
	return 0;
}

/* ---- the box ---- */

/* The test's own, with the first worker's seed: it needs to know who gets a frame. */
static struct spread expected;

static void
make_spread(void)
{
	static const uint32_t seed[4] = {1, 2, 3, 4};
	const struct decode_rules rules = {0};
	worker[0].spread = eal_alloc(sizeof *worker[0].spread);
	check(worker[0].spread != NULL, "no memory to spread");
	spread_init(worker[0].spread, seed, &rules);
	spread_init(&expected, seed, &rules);
}

static unsigned
owner_of(struct span frame)
{
	struct spread_out out[SPREAD_OUT_MAX];
	check(spread_frame(&expected, frame, frame.len, NET_LINK_ETHERNET, &expected, 0, out) == 1, "a frame that waits");
	return out[0].hash % WORKERS;
}

static void
make_workers(const struct ruleset *rules, const struct clock *clock)
{
	struct worker_config c;
	worker_config_default(&c);
	c.stream.flows_max = 4096;
	c.conns_max = 1024;
	struct correlator_config cc = {.rules = rules, .counters = stats.lcore[TOPOLOGY_CORRELATOR].c, .outlet = outlet,
		.outlet_ctx = stats.lcore[TOPOLOGY_CORRELATOR].c, .incidents = INCIDENTS, .kept_bytes = 1u << 20, .armed_pending = 64, .armed_kept = 64,
		.in_flight = 1024};
	correlator_init(&correlator, eal_alloc(correlator_bytes(&cc)), &cc);
	correlator_core = (struct lcore_correlator){.correlator = &correlator, .stats = &stats.lcore[TOPOLOGY_CORRELATOR], .clock = clock,
		.idle = IDLE_SLEEP, .workers = WORKERS, .stop = &stop, .abandon = &abandon};
	for (unsigned i = 0; i < WORKERS; i++) {
		struct stats_lcore *s = &stats.lcore[TOPOLOGY_WORKER_0 + i];
		struct worker *w = worker_new(&c, rules, s->c, eal_alloc);
		check(w != NULL, "no worker");
		worker_listen(w, on_crossing, &found[i]);
		worker[i] = (struct lcore_worker){.worker = w, .stats = s, .clock = clock, .idle = IDLE_SLEEP,
			.bounce = eal_alloc((size_t)LCORE_BOUNCE_BYTES * WORKER_BURST), .stop = &stop};
		correlator_core.worker[i] = &worker[i];
		correlator_add(&correlator, worker_pipe(w));
	}
	make_spread();
}

static void
launch(void)
{
	check(rte_eal_remote_launch(correlator_lcore, &correlator_core, TOPOLOGY_CORRELATOR) == 0, "no lcore for the correlator");
	for (unsigned i = 0; i < WORKERS; i++)
		check(rte_eal_remote_launch(worker_lcore, &worker[i], TOPOLOGY_WORKER_0 + i) == 0, "no lcore for a worker");
}

static uint64_t
count(unsigned w, enum sentinel_counter c)
{
	return ((volatile const uint64_t *)stats.lcore[TOPOLOGY_WORKER_0 + w].c)[c];
}

/* Frames that a worker has looked at: those the first one had to drop were somebody else's. */
static uint64_t
handled(unsigned w)
{
	return count(w, CTR_FRAMES) - count(w, CTR_UNDEC_SPREAD_FULL);
}

/* ---- traffic ---- */

static void
send_frame(struct span frame)
{
	struct rte_mbuf *m;
	while ((m = rte_pktmbuf_alloc(wire_pool)) == NULL)
		usleep(50);
	memcpy(rte_pktmbuf_append(m, (uint16_t)frame.len), frame.p, frame.len);
	while (rte_ring_enqueue(wire, m) != 0)
		usleep(50);
}

static void
wait_for(unsigned w, uint64_t frames)
{
	while (handled(w) < frames) {
		check(time(NULL) < deadline, "a worker stands still");
		usleep(50);
	}
}

static void
send_all(const struct load *l, uint64_t sent[WORKERS])
{
	for (uint32_t i = 0; i < l->frames; i++) {
		unsigned w = owner_of(l->frame[i]);
		if (!(stalled && w == STALLED) && sent[w] > IN_FLIGHT)
			wait_for(w, sent[w] - IN_FLIGHT);
		send_frame(l->frame[i]);
		sent[w]++;
	}
	for (unsigned w = 0; w < WORKERS; w++)
		if (!(stalled && w == STALLED))
			wait_for(w, sent[w]);
	while (rte_ring_count(wire) > 0)
		usleep(50);
	usleep(20000); /* the first worker may still have a burst in hand */
}

/* ---- judgement ---- */

static void
check_found(const struct load *l, bool stall)
{
	uint32_t missing = 0, of_stalled = 0;
	for (uint32_t i = 0; i < TRANSACTIONS; i++) {
		unsigned n = 0;
		for (unsigned w = 0; w < WORKERS; w++)
			n += found[w].times[i];
		check(n <= 1, "a transaction was found twice");
		missing += n == 0;
	}
	for (unsigned port = 0; port < 65536; port++) {
		unsigned n = 0;
		for (unsigned w = 0; w < WORKERS; w++)
			n += found[w].port[port];
		check(n <= 1, "two workers had the same flow");
		of_stalled += found[STALLED].port[port];
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		check(count(w, CTR_TX_SCANNED) > TRANSACTIONS / 10 || (stall && w == STALLED), "a worker had next to nothing");
		check(found[w].bad == 0 || (stall && w == STALLED), "a flow was not seen whole");
		if (!(stall && w == STALLED))
			check(count(w, CTR_HTTP_REQUESTS) == count(w, CTR_HTTP_RESPONSES), "a request and its answer came apart");
	}
	printf("spread: %u frames, scanned %llu + %llu + %llu of %u, %u missing, %llu frames dropped for the worker that stood still\n", l->frames,
		(unsigned long long)count(0, CTR_TX_SCANNED), (unsigned long long)count(1, CTR_TX_SCANNED),
		(unsigned long long)count(2, CTR_TX_SCANNED), TRANSACTIONS, missing, (unsigned long long)count(0, CTR_UNDEC_SPREAD_FULL));
	check(stall || missing == 0, "a transaction was not found");
	check(!stall || missing > 0, "nothing is missing, so nothing was put to the test");
}

static void
check_accounts(const uint64_t sent[WORKERS], const struct load *l, bool stall)
{
	struct identity id[IDENTITIES];
	identities_evaluate(&stats, NULL, id);
	for (unsigned i = 0; i < IDENTITIES; i++) {
		if (id[i].residual != 0)
			fprintf(stderr, "spread: identity %s: residual %lld\n", id[i].name, (long long)id[i].residual);
		check(id[i].residual == 0, "the accounts do not add up");
	}
	check(id[ID_WIRE].left == l->frames, "the port did not count every frame");
	uint64_t full = count(0, CTR_UNDEC_SPREAD_FULL);
	check(stall ? full > 0 : full == 0, "frames dropped for a slow worker");
	check(handled(STALLED) + full == sent[STALLED], "only the worker that stood still may lose frames");
	check(handled(0) == sent[0] && handled(2) == sent[2], "frames went to another worker than their flow says");
	check(stats_sum(&stats, CTR_ST_BUFFERED) == 0 && stats_sum(&stats, CTR_ST_OOO_HELD) == 0 && stats_sum(&stats, CTR_FLOWS) == 0,
		"something is held after the end");
	check(stats_sum(&stats, CTR_FINDINGS) >= (stall ? 1 : TRANSACTIONS / HIT_EVERY), "findings are missing");
}

int
main(int argc, char **argv)
{
	static struct topology t;
	static struct clock clock;
	static struct ports ports;
	static uint64_t sent[WORKERS];
	char err[256];
	struct load l;
	struct bundle_file bundle;
	struct timespec now;
	check(argc == 3, "usage: spread all|stall BUNDLE");
	bool stall = strcmp(argv[1], "stall") == 0;
	topology_default(&t);
	t.workers = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++)
		t.worker_cpu[i] = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? i % 2 : 0;
	t.memory_mb = 192;
	deadline = time(NULL) + DEADLINE_S;
	check(load_make(&l, &(struct load_config){.transactions = TRANSACTIONS, .connections = 64, .seed = 11, .hit_every = HIT_EVERY}) == 0,
		"no load");
	check(bundle_load(&bundle, argv[2], false) == 0, "no bundle");
	check(eal_start(&t, err, sizeof err) == 0, err);
	wire = rte_ring_create("wire", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	wire_pool = rte_pktmbuf_pool_create("wire", 16383, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(wire != NULL && wire_pool != NULL, "no memory for the wire");
	check(rte_eth_from_rings("wire0", &wire, 1, &wire, 1, 0) >= 0, "no net_ring port");
	clock_gettime(CLOCK_REALTIME, &now);
	clock_start(&clock, rte_get_tsc_hz(), rte_rdtsc(), (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	make_workers(bundle.rules, &clock);
	check(ports_start(&ports, &t, worker, err, sizeof err) == 0, err);
	check(worker[0].spread_n == WORKERS, "the port spreads by itself: this is not what is to be tested");
	stats.lcores = TOPOLOGY_WORKER_0 + WORKERS;
	stalled = stall;
	launch();
	send_all(&l, sent);
	stalled = false;
	ports_stats(&ports, &stats);
	stop = true;
	for (unsigned i = 0; i < WORKERS; i++)
		rte_eal_wait_lcore(TOPOLOGY_WORKER_0 + i);
	rte_eal_wait_lcore(TOPOLOGY_CORRELATOR);
	check(correlator_core.done, "the correlator did not end");
	setvbuf(stdout, NULL, _IOLBF, 0);
	check_found(&l, stall);
	check_accounts(sent, &l, stall);
	fflush(stdout);
	_exit(0);
}
