/* SPDX-License-Identifier: BSD-3-Clause */
/* latency: control's stages of dataplane/abi/latency.h: an alert is on disk (JOURNALED), written to a consumer's socket (DELIVERED),
 * acknowledged (ACKED). What consumers catch up with is not counted: only what was journaled after they had subscribed. What nothing on
 * the wire made be told (storms told together, a node's verdict, losses) is not counted either. */
#ifndef CONTROL_LATENCY_H
#define CONTROL_LATENCY_H

#include "abi/latency.h"
#include "control/batch.h"

#include <stdint.h>

enum latency_control_stage { LATENCY_JOURNALED, LATENCY_DELIVERED, LATENCY_ACKED, LATENCY_CONTROL_STAGES };

struct latency_due {
	uint64_t from_ns;
	uint8_t feed; /* enum latency_feed */
};

struct latency {
	struct hist stage[LATENCY_CONTROL_STAGES][LATENCY_FEED_COUNT]; /* filled by any thread, with hist_add_shared */
	_Atomic uint64_t unfollowed; /* events sent whose acks come too late to be counted */
	/* the drain's own: what the commit under way holds */
	uint32_t n_due;
	struct latency_due due[BATCH_ENTRIES];
};

/* latency_begin: b goes into a commit. latency_committed: it is on disk, at wall_ns. From the drain's thread. */
void latency_begin(struct latency *l, const struct batch *b);
void latency_committed(struct latency *l, uint64_t wall_ns);

/* What one consumer has been sent and has not acknowledged, oldest first. */
#define LATENCY_FOLLOWED 512u
struct latency_sent {
	uint64_t cursor, from_ns;
	uint64_t end; /* where it ends in the consumer's buffer */
	uint8_t feed;
};
struct latency_follow {
	uint64_t put, written, acked; /* events ever; put >= written >= acked >= put - LATENCY_FOLLOWED */
	struct latency_sent e[LATENCY_FOLLOWED];
};

/* latency_put: an event whose last byte stands before `end` of the buffer. latency_written: the buffer is written up to `at`.
 * latency_acked: all events up to the cursor are. By whoever serves the consumer. clock: read only if there is something to count. */
void latency_put(struct latency *l, struct latency_follow *f, uint64_t cursor, const struct alert_record *r, uint64_t end);
void latency_written(struct latency *l, struct latency_follow *f, uint64_t at, uint64_t (*clock)(void));
void latency_acked(struct latency *l, struct latency_follow *f, uint64_t cursor, uint64_t (*clock)(void));

#endif
