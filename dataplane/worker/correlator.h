/* SPDX-License-Identifier: BSD-3-Clause */
/* correlator: the one lcore that turns what workers see into alerts. It drains every worker's pipe and alone owns what is known across transactions: their lives (lives.h), the armed contracts
 * (detect/watch.h), swaps in flight and the sandwiches among them (detect/correlate), the incidents and what has become of them (report.h). Records go to its outlet: the alert
 * rings live, the printer in replay. Cross-transaction detection lives here because legs of one attack arrive on different workers.
 *
 *   message -> sighting -> lives, then: rules' findings | codes that it deploys -> armed | calls of armed contracts | delegations | swaps -> sandwiches -> report
 *
 * Sender recovery costs about 50 us. While the backlog of a pipe is above half, transactions with nothing above watch-grade go on without a
 * sender (flagged, counted) rather than late; above seven eighths all do. A transaction that a node accepts gets its sender then. */
#ifndef WORKER_CORRELATOR_H
#define WORKER_CORRELATOR_H

#include "abi/alert.h"
#include "abi/memory.h"
#include "abi/ring.h"
#include "detect/correlate/sandwich.h"
#include "detect/detect.h"
#include "detect/protect.h"
#include "detect/ruleset_event.h"
#include "detect/watch.h"
#include "worker/lives.h"
#include "worker/mentions.h"
#include "worker/pipe.h"
#include "worker/report.h"
#include "worker/sighting.h"
#include "worker/stopwatch.h"

#include <stdint.h>

#define CORRELATOR_PIPES_MAX 64

struct correlator_config {
	const struct ruleset *rules;
	uint64_t *counters;
	report_outlet outlet;
	void *outlet_ctx;
	uint8_t key[32];	/* secret */
	uint32_t incidents;	/* and transactions of them: a power of two, at least 64 */
	uint64_t kept_bytes;	/* for the last transactions' messages: a power of two, at least 1 MiB */
	uint32_t armed_pending, armed_kept; /* detect/watch.h */
	uint32_t in_flight; /* transactions among which sandwiches are looked for, and mentions.h's addresses: a power of two */
	const struct protect *protect; /* protected contracts; NULL: none */
	struct lives *lives; /* NULL: facts are passed over; its events must come to correlator_life */
	bool patient;	     /* offline: always recover senders */
	const _Atomic int64_t *shift_ns; /* from packet time to wall time, in which control remembers; NULL: the same */
	bool each;	     /* a file can wait: equal findings are told one by one, however many */
};

struct correlator {
	struct pipe *pipes[CORRELATOR_PIPES_MAX];
	unsigned n_pipes;
	const struct ruleset *rules;
	uint64_t *ctr;
	struct reporter reporter;
	struct watch *watch;
	struct sandwich *sandwich;
	struct mentions mentions;
	uint32_t looks; /* what the message in hand may still have looked at again */
	const struct protect *protect;
	struct lives *lives;
	bool patient;
	const _Atomic int64_t *shift_ns;
	uint64_t now_ns;	   /* packet time of the newest message */
	uint64_t sender_tokens_ns; /* what is left of the time for senders */
	uint64_t block;		   /* whose transactions are being told of */
	uint32_t block_index;
	const struct memory_page *_Atomic memory; /* handed over by the main lcore, taken at the top of the loop */
	const struct memory_page *_Atomic memory_taken;
	life_event listener; /* is told of lives, too */
	void *listener_ctx;
};

/* correlator_bytes: memory for these; 0: a number out of its range. correlator_init lays it out in mem (64-byte aligned). Add pipes before the first poll. */
size_t correlator_bytes(const struct correlator_config *c);
void correlator_init(struct correlator *c, void *mem, const struct correlator_config *cfg);
void correlator_add(struct correlator *c, struct pipe *p);

/* correlator_life is the life_event of the lives that it is given; ctx is the correlator. */
void correlator_life(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block);

/* correlator_memory hands over what control remembers, a checked page; from any one thread. The page before may be unmapped once correlator_memory_taken says so of the new one. */
void correlator_memory(struct correlator *c, const struct memory_page *page);
bool correlator_memory_taken(const struct correlator *c, const struct memory_page *page);

/* correlator_may_wait: no memory has come yet, and the pipes have room: what is in them can wait for it. */
bool correlator_may_wait(const struct correlator *c);

/* correlator_poll takes up to `budget` messages from each pipe, one of each in turn, so that a flood in one pipe delays a finding
 * in another by one message. emitted_ns: wall clock for the records. Returns how many it took. */
unsigned correlator_poll(struct correlator *c, unsigned budget, uint64_t emitted_ns);

/* correlator_bundle_hash: an element of a bundle that is only a hash, told by whoever reads no wire. */
void correlator_bundle_hash(struct correlator *c, const uint8_t hash[32], uint64_t bundle, uint32_t pos, uint32_t len, uint64_t t_ns);

/* correlator_finish: the input is over: what still waits to be told with others is told. */
void correlator_finish(struct correlator *c, uint64_t emitted_ns);

/* The usual outlet: one ring per lane. ctx is struct correlator_rings. */
struct correlator_rings {
	struct ring_producer lane[LANE_COUNT];
	uint64_t *ctr;
	struct stopwatch stopwatch; /* RING */
	const _Atomic int64_t *shift_ns; /* from packet time to wall time (worker/clock.h), in which records are written; NULL: the same */
};
int correlator_ring_outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence);

#endif
