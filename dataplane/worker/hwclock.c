/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/hwclock.h"

#include <string.h>

#define MULT_MIN ((uint64_t)1 << 28)	    /* 16 GHz */
#define MULT_MAX ((uint64_t)1000001 << 32) /* 1 kHz, and a little slower */
#define STEP_NS 1000000		    /* a crystal drifts less in the second between samples */

static void
publish(struct hwclock *h, uint64_t ticks, uint64_t wall_ns, uint64_t mult)
{
	uint32_t next = (atomic_load_explicit(&h->now, memory_order_relaxed) + 1) % HWCLOCK_FITS;
	atomic_store_explicit(&h->fit[next].ticks, ticks, memory_order_relaxed);
	atomic_store_explicit(&h->fit[next].wall_ns, wall_ns, memory_order_relaxed);
	atomic_store_explicit(&h->fit[next].mult, mult, memory_order_relaxed);
	atomic_store_explicit(&h->now, next, memory_order_release);
}

void
hwclock_init(struct hwclock *h)
{
	memset(h, 0, sizeof *h);
}

void
hwclock_fixed(struct hwclock *h, uint32_t ns_per_tick, int64_t shift_ns)
{
	publish(h, (uint64_t)(shift_ns / (int64_t)ns_per_tick), 0, (uint64_t)ns_per_tick << 32);
}

/* ns a tick between two moments; 0 if that is none of a port's clock. */
static uint64_t
slope(uint64_t from_ticks, uint64_t from_ns, uint64_t to_ticks, uint64_t to_ns)
{
	uint64_t ticks = to_ticks - from_ticks, ns = to_ns - from_ns;
	if (to_ns <= from_ns || ticks == 0 || ticks > (uint64_t)INT64_MAX || ns > (uint64_t)INT64_MAX)
		return 0;
	unsigned __int128 mult = ((unsigned __int128)ns << 32) / ticks;
	return mult < MULT_MIN || mult > MULT_MAX ? 0 : (uint64_t)mult;
}

static void
begin_anew(struct hwclock *h, uint64_t ticks, uint64_t wall_ns)
{
	h->sample_ticks[0] = ticks;
	h->sample_ns[0] = wall_ns;
	h->samples = 1;
	publish(h, ticks, wall_ns, 0);
}

void
hwclock_sample(struct hwclock *h, uint64_t ticks, uint64_t wall_ns)
{
	if (h->samples == 0) {
		begin_anew(h, ticks, wall_ns);
		return;
	}
	uint64_t expected = hwclock_wall(h, ticks);
	int64_t off = expected != 0 ? (int64_t)(wall_ns - expected) : 0;
	/* the longest base there is: what one reading is late by matters less */
	uint32_t oldest = h->samples > HWCLOCK_FITS ? h->samples % HWCLOCK_FITS : 0;
	uint64_t mult = slope(h->sample_ticks[oldest], h->sample_ns[oldest], ticks, wall_ns);
	if (mult == 0 || off > STEP_NS || off < -STEP_NS || (h->samples > 1 && expected == 0)) {
		h->steps++;
		begin_anew(h, ticks, wall_ns);
		return;
	}
	h->sample_ticks[h->samples % HWCLOCK_FITS] = ticks;
	h->sample_ns[h->samples % HWCLOCK_FITS] = wall_ns;
	/* counts on, but stays far from its end */
	h->samples = h->samples + 1 < (1u << 30) ? h->samples + 1 : h->samples + 1 - (1u << 29);
	publish(h, ticks, wall_ns, mult);
}
