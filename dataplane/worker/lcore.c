/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/lcore.h"

#include "abi/counters.h"
#include "net/stream.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_power_intrinsics.h>
#include <rte_ring.h>

#include <time.h>

#define HOUSEKEEP_NS 5000000u
#define EMPTY_BEFORE_IDLE 64u
#define SLEEP_NS 100000
#define NAP_NS 20000 /* while there was work a short time ago */
#define NAPS 2000u
#define STINT_NS 1000000u /* that IDLE_GIVE_WAY works without a nap */
#define PAUSE_NS 20000u
#define CORRELATOR_BUDGET 8u /* messages of each pipe to one reading of the clock */

/* ---- idling ---- */

struct idler {
	enum idle_policy policy;
	uint64_t pause_ticks; /* 0: the CPU cannot wait */
	uint64_t stint_ticks, slept; /* 0: it need not give way; when it last did */
	uint32_t empty;
};

static void
idler_init(struct idler *i, enum idle_policy policy)
{
	struct rte_cpu_intrinsics can = {0};
	rte_cpu_get_intrinsics_support(&can);
	*i = (struct idler){.policy = policy,
		.pause_ticks = can.power_pause ? rte_get_tsc_hz() / 1000000u * PAUSE_NS / 1000u : 0,
		.stint_ticks = policy == IDLE_GIVE_WAY ? rte_get_tsc_hz() / 1000000u * STINT_NS / 1000u : 0,
		.slept = rte_rdtsc()};
}

static void
nap(struct idler *i, long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
	if (i->stint_ticks != 0)
		i->slept = rte_rdtsc();
}

static void
idler_step(struct idler *i, bool worked)
{
	if (worked) {
		i->empty = 0;
		if (i->stint_ticks != 0 && rte_rdtsc() - i->slept > i->stint_ticks)
			nap(i, NAP_NS);
		return;
	}
	if (++i->empty < EMPTY_BEFORE_IDLE || i->policy == IDLE_SPIN) {
		rte_pause();
	} else if (i->policy >= IDLE_SLEEP) {
		nap(i, i->empty < EMPTY_BEFORE_IDLE + NAPS ? NAP_NS : SLEEP_NS);
	} else if (i->pause_ticks != 0) {
		rte_power_pause(rte_rdtsc() + i->pause_ticks);
	} else {
		rte_pause();
	}
}

/* ---- the clock of stages ---- */

static uint64_t
stopwatch_ns(const void *clock)
{
	return clock_ns(clock, rte_rdtsc());
}

static struct stopwatch
stopwatch_of(const struct clock *clock, struct stats_latency *to)
{
	return (struct stopwatch){to != NULL ? stopwatch_ns : NULL, clock, to};
}

/* ---- worker ---- */

static uint64_t
now_of(struct lcore_worker *l)
{
	return clock_steady_ns(l->clock, rte_rdtsc(), &l->steady_ns);
}

struct batch {
	struct rte_mbuf *mbuf[WORKER_BURST];
	struct span frame[WORKER_BURST];
	uint32_t wire_len[WORKER_BURST];
	uint64_t now_ns[WORKER_BURST];
};

static struct span
frame_of(const struct lcore_worker *l, const struct rte_mbuf *m, unsigned i)
{
	if (m->nb_segs == 1)
		return (struct span){rte_pktmbuf_mtod(m, const uint8_t *), m->data_len};
	uint8_t *bounce = l->bounce + (size_t)i * LCORE_BOUNCE_BYTES;
	uint32_t n = m->pkt_len < LCORE_BOUNCE_BYTES ? m->pkt_len : LCORE_BOUNCE_BYTES;
	const void *p = rte_pktmbuf_read(m, 0, n, bounce);
	return (struct span){p, p ? n : 0};
}

/* A frame that goes to another worker carries the time at which it came; nothing that came before another may seem to come after it. */
static void
stamp(struct rte_mbuf *m, uint64_t now)
{
	_Static_assert(sizeof m->hash == sizeof now, "a NIC's hash, which nobody reads, makes room for a time");
	memcpy(&m->hash, &now, sizeof now);
}

static uint64_t
stamp_of(const struct rte_mbuf *m)
{
	uint64_t t;
	memcpy(&t, &m->hash, sizeof t);
	return t;
}

static bool
verify_of(const struct lcore_worker *l, const struct rte_mbuf *m)
{
	return m->port < 32 && (l->verify_ports >> m->port & 1) != 0;
}

/* Ports that differ in what they show of checksums: each run of frames by its own rule. */
static void
give_by_port(struct lcore_worker *l, const struct batch *b, unsigned n)
{
	for (unsigned i = 0, k; i < n; i = k) {
		bool verify = verify_of(l, b->mbuf[i]);
		for (k = i + 1; k < n && verify_of(l, b->mbuf[k]) == verify; k++)
			;
		worker_checksum(l->worker, verify);
		worker_frames(l->worker, k - i, b->frame + i, b->wire_len + i, b->now_ns + i);
	}
}

/* stamped: the mbufs say when they came; else b->now_ns does. */
static void
judge(struct lcore_worker *l, struct batch *b, unsigned n, bool stamped)
{
	for (unsigned i = 0; i < n; i++) {
		b->frame[i] = frame_of(l, b->mbuf[i], i);
		b->wire_len[i] = b->mbuf[i]->pkt_len;
		if (stamped)
			b->now_ns[i] = stamp_of(b->mbuf[i]);
	}
	if (l->verify_mixed)
		give_by_port(l, b, n);
	else
		worker_frames(l->worker, n, b->frame, b->wire_len, b->now_ns);
	rte_pktmbuf_free_bulk(b->mbuf, n);
}

/* When the frames came that are read now. None seems to come before one that was read earlier, or before what was said to be reached. */
static void
frame_times(struct lcore_worker *l, const struct lcore_queue *q, struct batch *b, unsigned n, uint64_t now)
{
	uint64_t floor = l->promised_ns;
	unsigned good = 0;
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = b->mbuf[i];
		uint64_t t = now;
		bool one = false;
		m->port = q->port; /* not every device says */
		if (q->clock != NULL && (m->ol_flags & l->stamps.flag) != 0) {
			uint64_t ticks;
			memcpy(&ticks, (const uint8_t *)m + l->stamps.offset, sizeof ticks);
			t = hwclock_time(q->clock, ticks, now, &one);
		}
		b->now_ns[i] = floor = t > floor ? t : floor;
		good += one;
	}
	if (n > 0)
		l->promised_ns = b->now_ns[n - 1];
	if (q->clock != NULL) {
		l->stats->c[CTR_FRAMES_HW_TIME] += good;
		l->stats->c[CTR_FRAMES_HW_TIME_BAD] += n - good;
	}
}

/* Judges the frames of this worker, which gather in `own`, and passes the rest on. A worker that is behind loses its own frames, not
 * everybody's. */
static void
pass_on(struct lcore_worker *l, struct batch *own, unsigned *kept, const struct spread_out *out, unsigned n, uint64_t *now)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = out[i].item;
		struct rte_ring *to = l->spread_out[out[i].hash % l->spread_n];
		stamp(m, (*now)++);
		if (to == NULL) {
			own->mbuf[(*kept)++] = m;
			if (*kept == WORKER_BURST)
				judge(l, own, *kept, true);
			*kept %= WORKER_BURST;
		} else if (rte_ring_sp_enqueue(to, m) != 0) {
			l->stats->c[CTR_FRAMES]++;
			l->stats->c[CTR_FRAME_BYTES] += m->pkt_len;
			l->stats->c[CTR_UNDEC_SPREAD_FULL]++;
			rte_pktmbuf_free(m);
		}
	}
}

static void
spread_done(struct lcore_worker *l, struct batch *own, unsigned kept, uint64_t now)
{
	struct spread_out out[SPREAD_OUT_MAX];
	pass_on(l, own, &kept, out, spread_expire(l->spread, now, out), &now);
	atomic_store_explicit(&l->passed_ns, now, memory_order_release);
	if (kept > 0)
		judge(l, own, kept, true);
}

static void
spread(struct lcore_worker *l, const struct batch *b, unsigned n)
{
	struct batch own;
	struct spread_out out[SPREAD_OUT_MAX];
	unsigned kept = 0;
	uint64_t now = atomic_load_explicit(&l->passed_ns, memory_order_relaxed);
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = b->mbuf[i];
		struct span head = {rte_pktmbuf_mtod(m, const uint8_t *), m->data_len};
		now = b->now_ns[i] > now ? b->now_ns[i] : now;
		pass_on(l, &own, &kept, out, spread_frame(l->spread, head, m->pkt_len, NET_LINK_ETHERNET, m, now, out), &now);
	}
	spread_done(l, &own, kept, now);
}

static void
spread_nothing(struct lcore_worker *l, uint64_t now)
{
	struct batch own;
	uint64_t before = atomic_load_explicit(&l->passed_ns, memory_order_relaxed);
	spread_done(l, &own, 0, now > before ? now : before);
}

/* The end: what waits for a first fragment goes on without. */
static void
spread_rest(struct lcore_worker *l, uint64_t now)
{
	struct batch own;
	struct spread_out out[SPREAD_OUT_MAX];
	unsigned kept = 0;
	if (l->spread_n <= 1)
		return;
	pass_on(l, &own, &kept, out, spread_flush(l->spread, out), &now);
	if (kept > 0)
		judge(l, &own, kept, true);
}

static unsigned
poll_queues(struct lcore_worker *l, struct batch *b)
{
	unsigned total = 0;
	for (uint32_t i = 0; i < l->queues; i++) {
		const struct lcore_queue *q = &l->queue[i];
		unsigned n = rte_eth_rx_burst(q->port, q->queue, b->mbuf, WORKER_BURST);
		if (n == 0)
			continue;
		total += n;
		frame_times(l, q, b, n, now_of(l));
		if (l->spread_n > 1)
			spread(l, b, n);
		else
			judge(l, b, n, false);
	}
	if (total == 0 && l->spread_n > 1)
		spread_nothing(l, now_of(l));
	return total;
}

static unsigned
poll_ring(struct lcore_worker *l, struct batch *b)
{
	if (l->spread_in == NULL)
		return 0;
	unsigned n = rte_ring_sc_dequeue_burst(l->spread_in, (void **)b->mbuf, WORKER_BURST, NULL);
	if (n > 0)
		judge(l, b, n, true);
	return n;
}

/* 1: worked, 0: nothing now, -1: the end. *t is the time of the last frame. */
static int
poll_frames(struct lcore_worker *l, struct batch *b, uint64_t *t)
{
	if (l->frames.next == NULL)
		return 0;
	const struct pipe *p = worker_pipe(l->worker);
	if (l->paced && pipe_fill(p) > p->cap / 16)
		return 0;
	enum net_link link;
	int n = l->frames.next(l->frames.ctx, WORKER_BURST, b->frame, b->wire_len, b->now_ns, &link);
	if (n <= 0)
		return n;
	worker_link(l->worker, link);
	worker_frames(l->worker, (unsigned)n, b->frame, b->wire_len, b->now_ns);
	*t = b->now_ns[n - 1];
	return 1;
}

static void
finish(struct lcore_worker *l, struct batch *b, struct idler *idle, uint64_t t)
{
	bool more;
	spread_rest(l, t);
	do {
		more = l->spread_from != NULL && !atomic_load_explicit(&l->spread_from->done, memory_order_acquire);
		bool got = poll_ring(l, b) > 0;
		more |= got;
		if (more)
			idler_step(idle, got); /* whom it waits for may need its core */
	} while (more);
	worker_flush(l->worker, t);
	atomic_store_explicit(&l->done, true, memory_order_release);
}

/* What the turn that begins now will not have read came later than this; unless it leaves something in the ring. */
static uint64_t
reached_with(const struct lcore_worker *l, uint64_t now)
{
	uint64_t passed = l->spread_from != NULL ? atomic_load_explicit(&l->spread_from->passed_ns, memory_order_acquire) : 0;
	return passed != 0 ? passed : now;
}

int
worker_lcore(void *arg)
{
	struct lcore_worker *l = arg;
	struct batch b;
	struct idler idle;
	uint64_t now = now_of(l), next = 0, file_t = 0;
	int file = 0;
	struct stopwatch watch = stopwatch_of(l->clock, l->latency);
	worker_stopwatch(l->worker, &watch);
	idler_init(&idle, l->idle);
	while (!atomic_load_explicit(l->stop, memory_order_relaxed) && file >= 0) {
		uint64_t reached = reached_with(l, now);
		bool worked = poll_queues(l, &b) > 0;
		unsigned ring = poll_ring(l, &b);
		file = poll_frames(l, &b, &file_t);
		worked |= ring > 0 || file > 0;
		now = now_of(l);
		if (now >= next) {
			uint64_t until = l->frames.next ? file_t : ring == WORKER_BURST ? b.now_ns[ring - 1] : reached;
			worker_housekeep(l->worker, until);
			l->promised_ns = until > l->promised_ns ? until : l->promised_ns;
			atomic_store_explicit(&l->stats->heartbeat_ns, clock_wall(l->clock, now), memory_order_relaxed);
			next = now + HOUSEKEEP_NS;
		}
		l->stats->c[CTR_LOOPS]++;
		l->stats->c[CTR_LOOPS_IDLE] += !worked;
		idler_step(&idle, worked);
	}
	finish(l, &b, &idle, l->frames.next ? file_t : now);
	return 0;
}

/* ---- correlator ---- */

static bool
rings_half_full(const struct correlator_rings *r)
{
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		const struct ring_producer *p = &r->lane[i];
		uint64_t consumed = atomic_load_explicit(&p->cursor->consumed, memory_order_relaxed);
		if (consumed <= p->head && p->head - consumed > p->slots_n / 2)
			return true;
	}
	return false;
}

static bool
workers_done(const struct lcore_correlator *l)
{
	for (uint32_t i = 0; i < l->workers; i++)
		if (!atomic_load_explicit(&l->worker[i]->done, memory_order_acquire))
			return false;
	return true;
}

/* What control remembers of before this start comes within this time, if it runs: until then nothing is told again that it knows. */
#define MEMORY_WAIT_NS 1000000000ull

int
correlator_lcore(void *arg)
{
	struct lcore_correlator *l = arg;
	struct idler idle;
	uint64_t started = 0, steady = 0;
	if (l->rings != NULL) /* its outlet may be another */
		l->rings->stopwatch = stopwatch_of(l->clock, l->latency);
	idler_init(&idle, l->idle);
	for (;;) {
		bool over = workers_done(l);
		uint64_t now = clock_steady_ns(l->clock, rte_rdtsc(), &steady);
		started = started != 0 ? started : now;
		bool hold = now - started < MEMORY_WAIT_NS && correlator_may_wait(l->correlator);
		hold |= l->paced && rings_half_full(l->rings) && !atomic_load_explicit(l->abandon, memory_order_relaxed);
		unsigned n = hold ? 0 : correlator_poll(l->correlator, l->paced ? 1 : CORRELATOR_BUDGET, now);
		atomic_store_explicit(&l->stats->heartbeat_ns, clock_wall(l->clock, now), memory_order_relaxed);
		l->stats->c[CTR_LOOPS]++;
		l->stats->c[CTR_LOOPS_IDLE] += n == 0;
		if (over && n == 0 && !hold) {
			correlator_finish(l->correlator, now);
			break;
		}
		idler_step(&idle, n > 0);
	}
	atomic_store_explicit(&l->done, true, memory_order_release);
	return 0;
}
