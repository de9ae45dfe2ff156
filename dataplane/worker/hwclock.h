/* SPDX-License-Identifier: BSD-3-Clause */
/* hwclock: time (the box's, see clock.h) from a port's timestamps, which count ticks of a clock of the port's own. The main lcore looks at both clocks every second and fits a
 * line; workers read it. No lock: a fit goes into the oldest of eight places, so a reader would have to stand still for seconds to see half of one, and what it
 * makes of it then is refused as nonsense. */
#ifndef WORKER_HWCLOCK_H
#define WORKER_HWCLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HWCLOCK_FITS 8u
/* A frame does not wait longer than this in a port, and is not seen before it came: what says so is no time. */
#define HWCLOCK_OLDEST_NS 1000000000ull
#define HWCLOCK_EARLY_NS 1000000ull /* what the fit may be wrong by */

struct hwclock_fit {
	_Atomic uint64_t ticks, wall_ns; /* a moment by both clocks */
	_Atomic uint64_t mult;		 /* ns a tick, 32.32 fixed point; 0: not known */
};

struct hwclock {
	_Atomic uint32_t now; /* the fit that holds */
	struct hwclock_fit fit[HWCLOCK_FITS];
	/* the main lcore's */
	uint32_t samples;
	uint64_t sample_ticks[HWCLOCK_FITS], sample_ns[HWCLOCK_FITS];
	uint64_t steps; /* times that one of the clocks jumped, and the fit began anew */
};

/* hwclock_init: nothing is known. Zeroed memory is the same. */
void hwclock_init(struct hwclock *h);

/* hwclock_fixed: ticks are ns_per_tick nanoseconds and began with 1970, by a clock that is shift_ns ahead of ours; no samples follow, but another shift may. */
void hwclock_fixed(struct hwclock *h, uint32_t ns_per_tick, int64_t shift_ns);

/* hwclock_sample tells that the port's clock was at `ticks` at wall_ns; about once a second, from one thread. After the second the fit holds. A clock that jumps (or
 * stands) begins anew. */
void hwclock_sample(struct hwclock *h, uint64_t ticks, uint64_t wall_ns);

/* hwclock_wall: the time of a tick, 0 if that is not known or out of range. */
static inline uint64_t
hwclock_wall(const struct hwclock *h, uint64_t ticks)
{
	const struct hwclock_fit *f = &h->fit[atomic_load_explicit(&h->now, memory_order_acquire) % HWCLOCK_FITS];
	uint64_t mult = atomic_load_explicit(&f->mult, memory_order_relaxed);
	if (mult == 0)
		return 0;
	int64_t away = (int64_t)(ticks - atomic_load_explicit(&f->ticks, memory_order_relaxed));
	__int128 wall = (__int128)atomic_load_explicit(&f->wall_ns, memory_order_relaxed) + (((__int128)away * mult) >> 32);
	return wall <= 0 || wall > (__int128)INT64_MAX ? 0 : (uint64_t)wall;
}

/* hwclock_time: the time at which a frame came that was read at burst_ns: what the port says if it can be so (good), else burst_ns. Never later than
 * that, never more than HWCLOCK_OLDEST_NS earlier. */
static inline uint64_t
hwclock_time(const struct hwclock *h, uint64_t ticks, uint64_t burst_ns, bool *good)
{
	uint64_t t = hwclock_wall(h, ticks);
	*good = t != 0 && (t <= burst_ns ? burst_ns - t <= HWCLOCK_OLDEST_NS : t - burst_ns <= HWCLOCK_EARLY_NS);
	return *good && t < burst_ns ? t : burst_ns;
}

#endif
