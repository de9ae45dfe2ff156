/* SPDX-License-Identifier: BSD-3-Clause */
/* clock: wall time from the CPU's counter, without a call into the kernel. The main lcore sets it going and pulls it back
 * to the system's time ten times a second; everyone else only reads it. One word is shared, so nothing can tear. */
#ifndef WORKER_CLOCK_H
#define WORKER_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct clock {
	uint64_t mult; /* ns per tick, 32.32 fixed point */
	_Atomic uint64_t offset_ns;
};

/* clock_start: hz = ticks per second of `tsc`; wall_ns the time at tick `tsc`. */
static inline void
clock_start(struct clock *c, uint64_t hz, uint64_t tsc, uint64_t wall_ns)
{
	c->mult = (uint64_t)(((unsigned __int128)1000000000u << 32) / hz);
	atomic_store_explicit(&c->offset_ns, wall_ns - (uint64_t)(((unsigned __int128)tsc * c->mult) >> 32),
		memory_order_relaxed);
}

static inline uint64_t
clock_ns(const struct clock *c, uint64_t tsc)
{
	return (uint64_t)(((unsigned __int128)tsc * c->mult) >> 32) +
	       atomic_load_explicit(&c->offset_ns, memory_order_relaxed);
}

/* clock_pull sets the clock right. A step back (the system's clock was set) is passed on as it is. */
static inline void
clock_pull(struct clock *c, uint64_t tsc, uint64_t wall_ns)
{
	uint64_t off = wall_ns - (uint64_t)(((unsigned __int128)tsc * c->mult) >> 32);
	atomic_store_explicit(&c->offset_ns, off, memory_order_relaxed);
}

#endif
