/* SPDX-License-Identifier: BSD-3-Clause */
/* clock: the box's clock (abi/clock.h), from the CPU's counter, without a call into the kernel. It starts at the system's time and follows it, but never
 * jumps: ages that are reckoned from it are true, whatever is done to the system's clock. How far the system's clock has been set since is
 * the shift, which turns the box's times into wall times. The main lcore keeps it (io/timekeep.h); everyone else only reads. Each of
 * the two words is read by itself, so nothing can tear. */
#ifndef WORKER_CLOCK_H
#define WORKER_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct clock {
	uint64_t mult; /* ns per tick, 32.32 fixed point */
	_Atomic uint64_t offset_ns;
	_Atomic int64_t shift_ns;
};

/* clock_start: hz = ticks per second of `tsc`; wall_ns the time at tick `tsc`. */
static inline void
clock_start(struct clock *c, uint64_t hz, uint64_t tsc, uint64_t wall_ns)
{
	c->mult = (uint64_t)(((unsigned __int128)1000000000u << 32) / hz);
	atomic_store_explicit(&c->offset_ns, wall_ns - (uint64_t)(((unsigned __int128)tsc * c->mult) >> 32),
		memory_order_relaxed);
	atomic_store_explicit(&c->shift_ns, 0, memory_order_relaxed);
}

static inline uint64_t
clock_ns(const struct clock *c, uint64_t tsc)
{
	return (uint64_t)(((unsigned __int128)tsc * c->mult) >> 32) +
	       atomic_load_explicit(&c->offset_ns, memory_order_relaxed);
}

/* clock_steady_ns: the same for one reader, who never sees it go back when it is pulled: *last is his alone. */
static inline uint64_t
clock_steady_ns(const struct clock *c, uint64_t tsc, uint64_t *last)
{
	uint64_t t = clock_ns(c, tsc);
	if ((int64_t)(t - *last) < 0 && *last != 0)
		return *last;
	*last = t;
	return t;
}

/* clock_wall: the wall time of a time of the box. */
static inline uint64_t
clock_wall(const struct clock *c, uint64_t box_ns)
{
	return box_ns + (uint64_t)atomic_load_explicit(&c->shift_ns, memory_order_relaxed);
}

/* clock_pull moves it by so much, CLOCK_PULL_NS at most; clock_shift changes the shift. From the main lcore alone. */
#define CLOCK_PULL_NS 1000000
static inline void
clock_pull(struct clock *c, int64_t by_ns)
{
	by_ns = by_ns > CLOCK_PULL_NS ? CLOCK_PULL_NS : by_ns < -CLOCK_PULL_NS ? -CLOCK_PULL_NS : by_ns;
	atomic_fetch_add_explicit(&c->offset_ns, (uint64_t)by_ns, memory_order_relaxed);
}

static inline void
clock_shift(struct clock *c, int64_t by_ns)
{
	atomic_fetch_add_explicit(&c->shift_ns, by_ns, memory_order_relaxed);
}

#endif
