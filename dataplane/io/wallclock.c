/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/wallclock.h"

#include <rte_cycles.h>
#include <time.h>

#define TRIES 16
#define GOOD_TICKS 1000u

static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

struct wallclock
wallclock_read(void)
{
	struct wallclock best = {0};
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < TRIES && least > GOOD_TICKS; i++) {
		struct timespec wall, mono;
		uint64_t before = rte_rdtsc_precise();
		clock_gettime(CLOCK_REALTIME, &wall);
		clock_gettime(CLOCK_MONOTONIC, &mono);
		uint64_t ticks = rte_rdtsc_precise() - before;
		if (ticks >= least)
			continue;
		least = ticks;
		best = (struct wallclock){before + ticks / 2, ns_of(&wall), ns_of(&mono)};
	}
	return best;
}

uint64_t
wallclock_hz(const struct wallclock *from, const struct wallclock *to, uint64_t guess)
{
	if (to->wall_ns <= from->wall_ns || to->tsc <= from->tsc)
		return guess;
	uint64_t hz = (uint64_t)((unsigned __int128)(to->tsc - from->tsc) * 1000000000u / (to->wall_ns - from->wall_ns));
	uint64_t off = hz > guess ? hz - guess : guess - hz;
	return off > guess / 100 ? guess : hz;
}
