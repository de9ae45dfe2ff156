/* SPDX-License-Identifier: BSD-3-Clause */
/* status_latency: what `sentinelctl latency` and the status say of how long it takes, by feed and stage (dataplane/abi/latency.h). */
#ifndef CONTROL_STATUS_LATENCY_H
#define CONTROL_STATUS_LATENCY_H

#include "control/control.h"

#include <jansson.h>
#include <stdbool.h>

/* status_latency: [{feed, stage, count, p50_ns, p90_ns, p99_ns, p999_ns, max_ns, odd}], and `buckets`: [[index, count]] of hist.h if asked
 * for. Stages that have nothing are left out. Counts are since the start of the process that keeps them: the dataplane's while it is
 * attached, or control's. status_latency_object: the answer to {"op":"latency"}. A new reference, or NULL if there is no memory. Any
 * thread but one that holds the drain's lock. */
json_t *status_latency(struct control *c, bool buckets);
json_t *status_latency_object(struct control *c);

#endif
