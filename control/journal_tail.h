/* SPDX-License-Identifier: BSD-3-Clause */
/* journal_tail: the last events once more, in memory: whoever follows the head has them without asking SQLite, a tenth of a
 * millisecond earlier. Only what is durable gets here. Losses and large evidence do not: they are read from the file. */
#ifndef CONTROL_JOURNAL_TAIL_H
#define CONTROL_JOURNAL_TAIL_H

#include "control/journal_read.h"

#include <pthread.h>

#define TAIL_EVENTS 128u
#define TAIL_EVIDENCE_BYTES 2048u /* a longer one is in the file alone */

struct tail_slot {
	struct journal_event event; /* cursor 0: free */
	uint8_t evidence[TAIL_EVIDENCE_BYTES];
};

struct journal_tail {
	pthread_mutex_t lock;
	struct tail_slot slot[TAIL_EVENTS]; /* by cursor */
};

void tail_init(struct journal_tail *t);
void tail_end(struct journal_tail *t);

/* tail_put: entries of a batch that is durable, with their cursors (0: not an event). From the writer, before it shows the new head. */
void tail_put(struct journal_tail *t, const struct batch *b, const uint64_t *cursor, uint64_t journaled_ns);

/* tail_read, as journal_read, up to `head`; evidence (RING_EVIDENCE_ONE_MAX bytes) receives what *e points to. -ENOENT: ask the file, from *at on, which may have
 * moved. */
int tail_read(struct journal_tail *t, uint64_t *at, uint64_t head, unsigned min_grade, struct journal_event *e, uint8_t *evidence);

/* tail_has: whether it has all events behind `at` up to `head`. */
bool tail_has(struct journal_tail *t, uint64_t at, uint64_t head);
/* tail_find: the cursor of the ring's record with this seq, if it is the tail's and lies beyond `above` and not beyond `head`; else 0. */
uint64_t tail_find(struct journal_tail *t, const uint8_t epoch[8], uint32_t ring_id, uint64_t seq, uint64_t above, uint64_t head);

#endif
