/* SPDX-License-Identifier: BSD-3-Clause */
/* pulse: tells systemd that the dataplane is ready, and that it lives: only while every lcore's heartbeat goes on. One that stands still
 * for the watchdog's time (WatchdogSec= of the unit) makes systemd end and start the process; before that, the log says which. */
#ifndef IO_PULSE_H
#define IO_PULSE_H

#include "abi/stats.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PULSE_LOOK_NS 5000000000u /* how often it looks where no watchdog asks for more */

struct pulse {
	const struct stats_page *stats;
	const _Atomic bool *done[STATS_LCORES_MAX]; /* of an lcore that may end: whether it has; NULL: it does not */
	uint64_t beat[STATS_LCORES_MAX];
	uint64_t every_ns, next_ns;
	bool watched, ready;
};

/* pulse_start: stats stays the caller's; watchdog_ns as notify_watchdog_ns. done may be filled in after it. */
void pulse_start(struct pulse *p, const struct stats_page *stats, uint64_t watchdog_ns, uint64_t now_ns);

/* pulse_still: the lowest lcore whose heartbeat is what it was when this was last asked and that has not ended; -1: none. */
int pulse_still(struct pulse *p);

/* pulse_turn, as often as one likes, on the main lcore: READY=1 when all beat, then WATCHDOG=1 and STATUS= when it is time.
 * now_ns: monotonic. */
void pulse_turn(struct pulse *p, uint64_t now_ns, bool control_attached);

#endif
