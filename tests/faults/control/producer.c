/* SPDX-License-Identifier: BSD-3-Clause */
/* producer: the dataplane's end of the rings and the channel without packets, for tests of control in two
 * processes.
 *
 * usage: producer --channel PATH [--count N] [--rate N] [--slots N] [--evidence BYTES] [--exit]
 * Publishes N records (default: no end) alternately on the critical ring (pause grade) and the normal one
 * (watch grade), at `rate` a second (default: 2000, 0: as fast as it can), once a control has attached; then
 * says source_done. With --exit it ends once control has consumed all. SIGTERM ends it. The last line on
 * stdout: {"epoch":...,"published":[a,b],"lost":[a,b],"cursor_bad":n}. */
#include "abi/ring.h"
#include "abi/shm.h"
#include "abi/stats.h"
#include "io/attach.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

struct options {
	const char *channel;
	uint64_t count, rate;
	uint32_t slots, evidence;
	bool exit;
};

struct box {
	struct options o;
	struct ring_producer ring[LANE_COUNT];
	struct stats_page *stats;
	struct attach attach;
	struct attach_offer offer;
	uint64_t sent[LANE_COUNT], lost[LANE_COUNT];
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
usage(void)
{
	fputs("usage: producer --channel PATH [--count N] [--rate N] [--slots N] [--evidence BYTES] "
	      "[--exit]\n",
		stderr);
	return 2;
}

static int
parse(int argc, char **argv, struct options *o)
{
	*o = (struct options){.count = UINT64_MAX, .rate = 2000, .slots = 1024, .evidence = 300};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--exit") == 0) {
			o->exit = true;
			continue;
		}
		if (i + 1 == argc)
			return usage();
		const char *v = argv[++i];
		if (strcmp(argv[i - 1], "--channel") == 0)
			o->channel = v;
		else if (strcmp(argv[i - 1], "--count") == 0)
			o->count = strtoull(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--rate") == 0)
			o->rate = strtoull(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--slots") == 0)
			o->slots = (uint32_t)strtoul(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--evidence") == 0)
			o->evidence = (uint32_t)strtoul(v, NULL, 10);
		else
			return usage();
	}
	return o->channel != NULL ? 0 : usage();
}

static int
open_box(struct box *b)
{
	char err[256];
	static const char bundle[] = "no rules";
	if (getrandom(b->offer.epoch, sizeof b->offer.epoch, 0) != sizeof b->offer.epoch)
		return -1;
	b->stats = stats_create(&b->offer.stats_fd);
	b->offer.bundle_fd = shm_create_fixed("bundle", bundle, sizeof bundle);
	b->offer.bundle_bytes = sizeof bundle;
	b->offer.generation = 7;
	if (b->stats == NULL || b->offer.bundle_fd < 0)
		return -1;
	memcpy(b->stats->epoch, b->offer.epoch, sizeof b->stats->epoch);
	b->stats->lcores = 2;
	b->stats->lcore[1].role = STATS_ROLE_CORRELATOR;
	b->stats->generation = 7;
	b->stats->started_ns = now_ns(CLOCK_REALTIME);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		if (ring_create(&b->ring[i], b->offer.epoch, i, (enum ring_lane)i, b->o.slots, 1u << 22) != 0)
			return -1;
	b->offer.rings = b->ring;
	b->offer.n_rings = LANE_COUNT;
	if (attach_open(&b->attach, b->o.channel, err, sizeof err) != 0) {
		fprintf(stderr, "producer: %s\n", err);
		return -1;
	}
	return 0;
}

static void
fill(struct alert_record *r, unsigned lane, uint64_t n)
{
	*r = (struct alert_record){.kind = ALERT_KIND_ALERT,
		.grade = lane == LANE_CRITICAL ? GRADE_PAUSE : GRADE_WATCH,
		.grade_wanted = GRADE_WATCH,
		.severity = SEVERITY_HIGH,
		.class_ = CLASS_FLASH_LOAN,
		.carrier = CARRIER_HTTP_JSONRPC,
		.direction = DIR_C2S,
		.generation = 7,
		.rule_id = 1000 + (uint32_t)(n % 7),
		.rule_rev = 1,
		.has = HAS_HASH | HAS_TO | HAS_FROM,
		.raw_len = 300,
		.t_wire_ns = now_ns(CLOCK_REALTIME),
		.src_port = 40000,
		.dst_port = 8545};
	r->t_emitted_ns = r->t_wire_ns;
	memcpy(r->hash, &n, sizeof n);
	r->hash[31] = (uint8_t)lane;
	memset(r->to, 0x11, sizeof r->to);
	memset(r->from, 0x22, sizeof r->from);
	memcpy(r->dedupekey, &n, sizeof n);
}

static void
publish(struct box *b, uint64_t n)
{
	static uint8_t evidence[RING_EVIDENCE_ONE_MAX];
	struct alert_record r;
	unsigned lane = n % LANE_COUNT;
	uint64_t *c = b->stats->lcore[1].c;
	fill(&r, lane, n);
	evidence[0] = (uint8_t)n;
	c[CTR_FINDINGS]++;
	c[CTR_ALERTS]++;
	if (ring_publish(&b->ring[lane], &r, (struct span){evidence, b->o.evidence}) == 0) {
		b->sent[lane]++;
		c[CTR_RING_PUBLISHED]++;
	} else {
		b->lost[lane]++;
		c[CTR_RING_LOST_FULL]++;
	}
}

static bool
consumed(const struct box *b)
{
	for (unsigned i = 0; i < LANE_COUNT; i++)
		if (atomic_load_explicit(&b->ring[i].cursor->consumed, memory_order_acquire) !=
			b->ring[i].head)
			return false;
	return true;
}

static void
run(struct box *b)
{
	uint64_t done = 0, started = 0;
	while (!stop) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		attach_poll(&b->attach, &b->offer, now);
		atomic_store(&b->stats->lcore[0].heartbeat_ns, now_ns(CLOCK_REALTIME));
		if (b->attach.attached > 0 && started == 0)
			started = now;
		uint64_t due = started == 0	? 0
			       : b->o.rate == 0 ? done + 1000
						: (now - started) * b->o.rate / 1000000000u;
		while (done < due && done < b->o.count && !stop)
			publish(b, done++);
		if (done == b->o.count) {
			__atomic_store_n(&b->stats->source_done, 1, __ATOMIC_RELEASE);
			if (b->o.exit && consumed(b))
				return;
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
}

int
main(int argc, char **argv)
{
	static struct box b;
	int rc = parse(argc, argv, &b.o);
	if (rc != 0)
		return rc;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	if (open_box(&b) != 0)
		return 1;
	run(&b);
	attach_close(&b.attach);
	printf("{\"epoch\":\"");
	for (unsigned i = 0; i < 8; i++)
		printf("%02x", b.offer.epoch[i]);
	printf("\",\"published\":[%" PRIu64 ",%" PRIu64 "],\"lost\":[%" PRIu64 ",%" PRIu64
	       "],\"cursor_bad\":%" PRIu64 "}\n",
		b.sent[0], b.sent[1], b.lost[0], b.lost[1], b.ring[0].cursor_bad + b.ring[1].cursor_bad);
	return 0;
}
