/* SPDX-License-Identifier: BSD-3-Clause */
/* nodes: once a second, what the attached dataplane's page says of the nodes beside the box goes to silence.h, whose notices go into the batch, and
 * so to the journal and to consumers; steps of the clock go into the audit trail. */
#ifndef CONTROL_NODES_H
#define CONTROL_NODES_H

#include "control/batch.h"
#include "control/drain.h"
#include "control/journal.h"
#include "control/silence.h"

#include <pthread.h>

struct nodes_watch {
	pthread_mutex_t lock; /* over silence and sum: status looks at them */
	struct silence silence;
	struct stats_node_feed sum[STATS_NODES_MAX][NODE_FEED_COUNT]; /* as of the last look */
	/* the drain's own */
	uint64_t look_at_ns, seq;
	uint8_t epoch[8];
	bool attached;
	uint64_t clock_steps, clock_jumps; /* told */
	_Atomic uint64_t left_out; /* notices for which the batch had no room */
};

void nodes_init(struct nodes_watch *w);
void nodes_end(struct nodes_watch *w);
/* nodes_turn returns how many entries it put into b. From the drain's thread. */
unsigned nodes_turn(struct nodes_watch *w, struct drain *n, struct batch *b, struct journal *j, uint64_t mono_ns, uint64_t wall_ns);

#endif
