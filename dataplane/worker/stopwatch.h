/* SPDX-License-Identifier: BSD-3-Clause */
/* stopwatch: where a worker or the correlator notes how long something took since the wire (abi/latency.h). The core reads no clock: whoever
 * runs it live gives it one, which must not enter the kernel; in replay and in tests there is none and nothing is noted. */
#ifndef WORKER_STOPWATCH_H
#define WORKER_STOPWATCH_H

#include "abi/latency.h"

#include <stddef.h>

struct stopwatch {
	uint64_t (*now_ns)(const void *ctx); /* NULL: nothing is noted */
	const void *ctx;
	struct stats_latency *to;
};

static inline void
stopwatch_note(const struct stopwatch *s, unsigned carrier, uint64_t from_ns)
{
	if (s->now_ns != NULL)
		hist_add(&s->to->feed[latency_feed_of(carrier)], from_ns, s->now_ns(s->ctx));
}

#endif
