/* SPDX-License-Identifier: BSD-3-Clause */
/* latency_rows: what control answers to {"op":"latency"} (control/status_latency.h) as histograms again, and ways to show them: a table,
 * JSON, and Prometheus' text format. */
#ifndef SENTINELCTL_LATENCY_ROWS_H
#define SENTINELCTL_LATENCY_ROWS_H

#include "abi/latency.h"

#include <jansson.h>
#include <stdio.h>

struct latency_rows {
	char epoch[40], started[40]; /* of the dataplane and of control: other ones count from 0 */
	uint64_t time_ns, not_followed;
	struct hist hist[LATENCY_FEED_COUNT][LATENCY_STAGE_COUNT];
};

/* latency_rows_read: 0, or -EINVAL if that is no such answer. Feeds and stages that this program does not know are passed over. */
int latency_rows_read(const json_t *answer, struct latency_rows *out);
/* latency_rows_since: *now is what has come since *before. What has started anew in between counts from its start. */
void latency_rows_since(struct latency_rows *now, const struct latency_rows *before);

/* latency_rows_table: a line if there are none. seconds: that they are of, 0: since the start. */
void latency_rows_table(const struct latency_rows *r, double seconds, FILE *out);
/* latency_rows_json: one object, as control's but without buckets, with "interval_ns" if it is not 0. NULL: no memory. */
json_t *latency_rows_json(const struct latency_rows *r, uint64_t interval_ns);
void latency_rows_prometheus(const struct latency_rows *r, FILE *out);

#endif
