/* SPDX-License-Identifier: BSD-3-Clause */
#include "whole.h"

#include "abi/counters.h"
#include "abi/identity.h"
#include "worker/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARENA_BYTES ((size_t)320 << 20)

static uint8_t *arena;
static size_t arena_used;

void
whole_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

uint64_t
whole_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
whole_alloc_reset(void)
{
	arena_used = 0;
}

void *
whole_alloc(size_t bytes)
{
	size_t n = (bytes + 63) & ~(size_t)63;
	if (arena == NULL) {
		arena = box_alloc(ARENA_BYTES); /* as a worker's memory is */
		whole_check(arena != NULL, "no memory");
	}
	if (ARENA_BYTES - arena_used < n)
		return NULL;
	uint8_t *p = arena + arena_used;
	memset(p, 0, n);
	arena_used += n;
	return p;
}

static void
drain(struct worker *w)
{
	uint32_t n;
	while (pipe_peek(worker_pipe(w), &n) != NULL)
		pipe_release(worker_pipe(w));
}

/* As live: what it costs to say how long it took is in every figure. */
static uint64_t
stopwatch_ns(const void *clock)
{
	return clock_ns(clock, __builtin_ia32_rdtsc());
}

static double
run_frames(struct worker *w, const struct load *l)
{
	uint64_t start = whole_now_ns();
	for (uint32_t i = 0; i < l->frames; i += WORKER_BURST) {
		uint32_t n = l->frames - i < WORKER_BURST ? l->frames - i : WORKER_BURST;
		worker_frames(w, n, l->frame + i, l->wire_len + i, l->now_ns + i);
		if (i / WORKER_BURST % 64 == 0)
			worker_housekeep(w, l->now_ns[i + n - 1]);
		drain(w);
	}
	return (double)(whole_now_ns() - start);
}

void
whole_run(
	const struct load *l, const struct ruleset *rules, const struct rlpx_keys *keys, struct whole_run *r)
{
	static struct stats_page stats;
	static struct clock clock;
	struct worker_config c;
	struct identity id[IDENTITIES];
	const uint64_t *ctr = stats.lcore[0].c;
	worker_config_default(&c);
	whole_alloc_reset();
	memset(&stats, 0, sizeof stats);
	stats.lcores = 1;
	struct worker *w = worker_new(&c, rules, stats.lcore[0].c, whole_alloc);
	whole_check(w != NULL, "no memory for a worker");
	worker_keys(w, keys);
	clock_start(&clock, 2500000000u, __builtin_ia32_rdtsc(), l->now_ns[0]);
	worker_stopwatch(w, &(struct stopwatch){stopwatch_ns, &clock, &stats.latency[0]});
	*r = (struct whole_run){.ns = run_frames(w, l)};
	worker_flush(w, l->now_ns[l->frames - 1]);
	drain(w);
	worker_delete(w);
	identities_evaluate(&stats, NULL, id);
	for (unsigned i = ID_FRAMES; i <= ID_TRANSACTIONS; i++)
		r->residual += (uint64_t)llabs((long long)id[i].residual);
	r->residual += (uint64_t)llabs((long long)id[ID_NODE].residual);
	r->findings = ctr[CTR_FINDINGS];
	r->macs_checked = ctr[CTR_RLPX_MAC_GOOD];
	whole_check(ctr[CTR_TX_SCANNED] == l->transactions && ctr[CTR_TX_CROSSED] == l->transactions,
		"the worker did not find every transaction, or some twice");
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

double
whole_median(double *v, uint32_t n)
{
	qsort(v, n, sizeof *v, by_value);
	return v[n / 2];
}
