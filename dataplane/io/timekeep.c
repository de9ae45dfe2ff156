/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/timekeep.h"

#include "abi/log.h"

#include <inttypes.h>

static int64_t
apart(const struct wallclock *now)
{
	return (int64_t)(now->wall_ns - now->mono_ns);
}

static void
drift_begin(struct timekeep *k, const struct wallclock *now)
{
	k->drift_mono_ns = now->mono_ns;
	k->drift_tsc = now->tsc;
}

void
timekeep_start(struct timekeep *k, struct clock *clock, struct stats_clock *told, uint64_t hz, const struct wallclock *now)
{
	*k = (struct timekeep){.clock = clock, .told = told, .apart_ns = apart(now), .pull_at_ns = now->mono_ns};
	clock_start(clock, hz, now->tsc, now->wall_ns);
	drift_begin(k, now);
}

static bool
far(int64_t ns)
{
	return ns > TIMEKEEP_STEP_NS || ns < -TIMEKEEP_STEP_NS;
}

static void
put(int64_t *to, int64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELAXED);
}

static void
shift(struct timekeep *k, int64_t by_ns)
{
	clock_shift(k->clock, by_ns);
	put(&k->told->shift_ns, atomic_load_explicit(&k->clock->shift_ns, memory_order_relaxed));
}

/* The system's clock was set. */
static void
step(struct timekeep *k, int64_t by_ns, uint64_t wall_ns)
{
	shift(k, by_ns);
	put(&k->told->last_step_ns, by_ns);
	__atomic_store_n(&k->told->last_step_at_ns, wall_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&k->told->steps, k->told->steps + 1, __ATOMIC_RELEASE);
	LOG(LOG_WARN, "the system's clock was set %s by %" PRIu64 ".%03u s; ages go on as if it had not been, alerts carry the new time",
		by_ns < 0 ? "back" : "forward", (by_ns < 0 ? -(uint64_t)by_ns : (uint64_t)by_ns) / 1000000000u,
		(unsigned)((by_ns < 0 ? -(uint64_t)by_ns : (uint64_t)by_ns) / 1000000u % 1000u));
}

/* The CPU's counter went on while the system stood still, or the other way round. */
static void
jump(struct timekeep *k, int64_t by_ns, const struct wallclock *now)
{
	shift(k, by_ns);
	put(&k->told->last_jump_ns, by_ns);
	__atomic_store_n(&k->told->jumps, k->told->jumps + 1, __ATOMIC_RELEASE);
	drift_begin(k, now);
	LOG(LOG_WARN, "the CPU's counter and the system's clock are %" PRId64 " ms apart: was the machine asleep?", by_ns / 1000000);
}

static void
measure_drift(struct timekeep *k, const struct wallclock *now)
{
	uint64_t passed_ns = now->mono_ns - k->drift_mono_ns;
	if (passed_ns < TIMEKEEP_DRIFT_OVER_NS)
		return;
	uint64_t counted_ns = (uint64_t)(((unsigned __int128)(now->tsc - k->drift_tsc) * k->clock->mult) >> 32);
	__int128 off = (__int128)counted_ns - (__int128)passed_ns;
	put(&k->told->drift_ppb, (int64_t)(off * 1000000000 / (__int128)passed_ns));
	drift_begin(k, now);
}

static void
pull(struct timekeep *k, const struct wallclock *now)
{
	uint64_t box_ns = clock_ns(k->clock, now->tsc);
	int64_t off = (int64_t)(now->wall_ns - clock_wall(k->clock, box_ns));
	put(&k->told->error_ns, off);
	if (far(off)) {
		jump(k, off, now);
		return;
	}
	clock_pull(k->clock, off);
	measure_drift(k, now);
}

void
timekeep_turn(struct timekeep *k, const struct wallclock *now)
{
	int64_t by = apart(now) - k->apart_ns;
	k->apart_ns = apart(now);
	if (far(by))
		step(k, by, now->wall_ns);
	if ((int64_t)(now->mono_ns - k->pull_at_ns) < 0)
		return;
	k->pull_at_ns = now->mono_ns + TIMEKEEP_PULL_EVERY_NS;
	pull(k, now);
}
