/* SPDX-License-Identifier: BSD-3-Clause */
/* wallclock: the system's time and the CPU's counter read together. Between the two readings a thread may lose its CPU for milliseconds, and a
 * frequency that was measured in passing (DPDK rounds it to 10 MHz) is off by as much within a second: whoever counts microseconds with
 * worker/clock.h needs both better. */
#ifndef IO_WALLCLOCK_H
#define IO_WALLCLOCK_H

#include <stdint.h>

struct wallclock {
	uint64_t tsc, wall_ns, mono_ns;
};

/* wallclock_read: the best of a few tries, to some hundred nanoseconds unless the machine is very busy. */
struct wallclock wallclock_read(void);

/* wallclock_hz: ticks per second since `from`, which should be a tenth of a second ago or more. guess: what somebody else found; it stands if
 * the two differ by more than a percent: the system's clock was set in between. */
uint64_t wallclock_hz(const struct wallclock *from, const struct wallclock *to, uint64_t guess);

#endif
