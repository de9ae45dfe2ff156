/* SPDX-License-Identifier: BSD-3-Clause */
/* correlator: the one lcore that turns findings into alerts. It drains every worker's pipe, computes what only alerts need (hash, sender, created address),
 * knows the live incidents, grades, and hands records to its outlet: the alert rings live, the printer in replay. Cross-transaction
 * detection lives here because legs of one attack arrive on different workers.
 *
 * Sender recovery costs about 50 us. While the backlog of a pipe is above half, transactions with nothing above watch-grade go on without a
 * sender (flagged, counted) rather than late; above seven eighths all do.
 *
 * An alert is made when its transaction arrives, so that none is acknowledged by then (TRUST_NOT_ACKED): what a rule grades `pause` goes out
 * as `page`, its own grade beside it. */
#ifndef WORKER_CORRELATOR_H
#define WORKER_CORRELATOR_H

#include "abi/alert.h"
#include "abi/ring.h"
#include "detect/detect.h"
#include "worker/incident.h"
#include "worker/lives.h"
#include "worker/pipe.h"

#include <stdint.h>

#define CORRELATOR_PIPES_MAX 64

/* outlet: takes one finished record and its evidence; sets r->seq. Returns 0, or -ENOBUFS: lost (counted by the outlet). */
typedef int (*correlator_outlet)(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence);

struct correlator {
	struct pipe *pipes[CORRELATOR_PIPES_MAX];
	unsigned n_pipes;
	const struct ruleset *rules;
	uint64_t *ctr;
	struct incidents incidents;
	correlator_outlet outlet;
	void *outlet_ctx;
	uint64_t messages;
	bool patient; /* offline: always recover senders */
	struct lives *lives; /* NULL: facts are passed over */
};

/* correlator_init: incidents in mem of incidents_bytes(n_incidents), n a power of two. Add pipes before the first poll. */
void correlator_init(struct correlator *c, const struct ruleset *rules, uint64_t *counters, void *mem, uint32_t n_incidents,
	correlator_outlet outlet, void *ctx);
void correlator_add(struct correlator *c, struct pipe *p);

/* correlator_poll takes up to `budget` messages from each pipe, one of each in turn, so that a flood in one pipe delays a finding
 * in another by one message. emitted_ns: wall clock for the records. Returns how many it took. */
unsigned correlator_poll(struct correlator *c, unsigned budget, uint64_t emitted_ns);

/* The usual outlet: one ring per lane. ctx is struct correlator_rings. */
struct correlator_rings {
	struct ring_producer lane[LANE_COUNT];
	uint64_t *ctr;
};
int correlator_ring_outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence);

#endif
