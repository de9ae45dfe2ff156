/* SPDX-License-Identifier: BSD-3-Clause */
/* drain: empties the rings of the attached dataplane into a batch, critical ones first, and turns holes in
 * seq into losses with their reason. Slots are given back once what was read from them is durable, or has
 * been let go of. */
#ifndef CONTROL_DRAIN_H
#define CONTROL_DRAIN_H

#include "control/attach.h"
#include "control/batch.h"
#include "control/journal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define DRAIN_NORMAL_TURN \
	128u /* records of the normal lane in one turn, so that the critical one never waits long */
#define DRAIN_CRITICAL_TURN 512u

/* Where one ring stands. */
struct drain_ring {
	uint64_t last_seq; /* all up to here are in a batch, journaled or lost */
	uint32_t corrupt;  /* slots stepped over since the last good record */
	bool elsewhere; /* nothing has been read yet, and the ring was not at its start: what came before went
			   elsewhere */
	uint64_t lost;	/* seqs, since control attached */
	uint64_t corrupt_all, duplicates; /* since control attached */
};

struct drain {
	pthread_mutex_t lock; /* over what follows: the drain changes it, status looks at it */
	bool attached;	      /* d is a dataplane's, perhaps of one that has gone */
	bool alive;	      /* and it has not hung up, or is not yet drained */
	bool ask; /* mark what a node is to be asked about (VET_ASKED) */
	struct dataplane d;
	struct drain_ring ring[ATTACH_RINGS_MAX];
};

void drain_init(struct drain *n);
void drain_end(struct drain *n);

/* drain_attach takes *d over (a dataplane of the same epoch goes on where it was, else where the journal
 * says). */
void drain_attach(struct drain *n, struct dataplane *d, struct journal *j);
/* drain_names: the dataplane uses another bundle now. */
void drain_names(struct drain *n, struct rule_names *names, uint64_t generation);
void drain_gone(struct drain *n);
void drain_detach(struct drain *n);

/* drain_turn reads what is there into b, as far as it has room. Returns how many slots it read or losses it
 * found: 0 means that the rings are empty. */
unsigned drain_turn(struct drain *n, struct batch *b);

/* drain_release gives back all slots read so far. */
void drain_release(struct drain *n);

/* drain_source_done: the dataplane says that its source has ended and all is at rest. */
bool drain_source_done(struct drain *n);

#endif
