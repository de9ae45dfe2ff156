/* SPDX-License-Identifier: BSD-3-Clause */
/* clock: what the stats page says of time. The times of packets, and all that is reckoned from them, are on the box's clock: it goes as the CPU's
 * counter does, starts at the system's time, follows small corrections of it at no more than 1 ms a second, and never jumps, so that no age is
 * ever wrong. When the system's clock is set by more than 100 ms, that step goes into shift_ns: wall time = box time + shift_ns. Alert records
 * carry wall times. Written by the main lcore. */
#ifndef ABI_CLOCK_H
#define ABI_CLOCK_H

#include <stdint.h>

struct stats_clock {
	uint64_t steps;	      /* of the system's clock beyond 100 ms */
	int64_t last_step_ns; /* how far; back: negative */
	uint64_t last_step_at_ns; /* wall time after it */
	int64_t shift_ns;     /* all of them together */
	uint64_t jumps;	      /* of the CPU's counter against the system's clock (suspended, migrated) */
	int64_t last_jump_ns;
	int64_t error_ns;  /* of the box's clock, before the last correction */
	int64_t drift_ppb; /* of the CPU's counter against the system's time, as measured; billionths */
};
_Static_assert(sizeof(struct stats_clock) == 64, "a cache line");

#endif
