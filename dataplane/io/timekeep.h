/* SPDX-License-Identifier: BSD-3-Clause */
/* timekeep: the main lcore's care for the box's clock (worker/clock.h): steps of the system's clock are told from its slow corrections by comparing
 * CLOCK_REALTIME with CLOCK_MONOTONIC, which is slewed alike and never set. A step beyond TIMEKEEP_STEP_NS is counted, told, and goes into the clock's
 * shift; so does a jump of the CPU's counter against both. What is less, and what the counter drifts by, is made good at CLOCK_PULL_NS a pull.
 * Between a step and the next turn (a few ms) wall times are as they were before it; during the making good they are wrong by
 * TIMEKEEP_STEP_NS at most. */
#ifndef IO_TIMEKEEP_H
#define IO_TIMEKEEP_H

#include "abi/clock.h"
#include "io/wallclock.h"
#include "worker/clock.h"

#include <stdbool.h>

#define TIMEKEEP_STEP_NS 100000000
#define TIMEKEEP_PULL_EVERY_NS 100000000u
#define TIMEKEEP_DRIFT_OVER_NS 10000000000ull /* the drift is measured over as much, or more */

struct timekeep {
	struct clock *clock;
	struct stats_clock *told;
	int64_t apart_ns; /* REALTIME - MONOTONIC, as of the last reading */
	uint64_t pull_at_ns;
	/* drift: the counter and the system's time, without steps and pulls, since */
	uint64_t drift_mono_ns, drift_tsc;
};

/* timekeep_start sets clock and keeper going at that moment; told: zeroed, outlives it. */
void timekeep_start(struct timekeep *k, struct clock *clock, struct stats_clock *told, uint64_t hz, const struct wallclock *now);

/* timekeep_turn: every few ms, with what the clocks say. */
void timekeep_turn(struct timekeep *k, const struct wallclock *now);

#endif
