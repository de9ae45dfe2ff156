/* SPDX-License-Identifier: BSD-3-Clause */
/* batch: what a turn of the drain found, on its way into one transaction of the journal. It lives until the
 * transaction is committed: while the journal is down it keeps the pause-grade records and turns everything
 * else into losses. */
#ifndef CONTROL_BATCH_H
#define CONTROL_BATCH_H

#include "abi/alert.h"
#include "abi/event.h"

#include <stdbool.h>
#include <stdint.h>

#define BATCH_ENTRIES 1024u
#define BATCH_EVIDENCE_BYTES (8u << 20)
#define RULE_NAME_MAX 96 /* with the terminating zero; longer names are cut */

/* Why seqs will never come. The names are what consumers see in sentinel.loss.v1. */
#define LOSS_NAME_RING_FULL "ring_full"
#define LOSS_NAME_CORRUPT "corrupt_slot"
#define LOSS_NAME_JOURNAL "journal_failed"
#define LOSS_NAME_ELSEWHERE "not_in_journal" /* taken from the ring by somebody who kept another journal */
#define LOSS_NAME_UNKNOWN "unknown"

struct entry {
	bool loss;
	bool notice; /* with loss: none, but control's own word, on EVENT_NOTICE_RING: its text is in rule_name */
	bool announced; /* went out marked not durable */
	uint8_t epoch[8];
	uint32_t ring_id;
	uint64_t from, to;	       /* seqs; equal for a record */
	const char *reason;	       /* of a loss; static lifetime */
	struct event_vet vet; /* of a record: VET_ASKED: told as page at most, a verdict follows; from VET_YES on: this is the verdict, no
				 record of the ring's own */
	char rule_name[RULE_NAME_MAX]; /* "": not known */
	uint32_t evidence_at, evidence_len;
	uint64_t front_ns; /* durable and told since then, though the database may not have it yet (front.h); 0: not */
	struct alert_record record;
};

struct batch {
	struct entry *e; /* BATCH_ENTRIES */
	uint32_t n;
	uint8_t *evidence; /* BATCH_EVIDENCE_BYTES */
	uint32_t evidence_n;
	uint64_t verdicts_shed, notices_shed;
};

/* batch_new allocates; 0 or -ENOMEM. batch_free takes a zeroed batch too. */
int batch_new(struct batch *b);
void batch_free(struct batch *b);

/* batch_entry returns the next free entry, zeroed, or NULL if the batch is full. */
struct entry *batch_entry(struct batch *b, const uint8_t epoch[8], uint32_t ring_id);
/* entry_is_verdict: control's own word on a record, not one of the ring's. */
bool entry_is_verdict(const struct entry *e);
/* entry_same_ring: of the same ring of the same epoch. */
bool entry_same_ring(const struct entry *a, const struct entry *b);
/* entry_journaled_ns: when a record became durable, in a commit of now_ns or by the front before it. */
uint64_t entry_journaled_ns(const struct entry *e, uint64_t now_ns);
/* entry_grade: the grade at which consumers are told of a record. */
unsigned entry_grade(const struct alert_record *r, const struct event_vet *vet);

/* batch_room: entries still free. batch_evidence_room: bytes still free. */
uint32_t batch_room(const struct batch *b);
uint32_t batch_evidence_room(const struct batch *b);

/* batch_lost: seqs that the losses in it stand for. batch_kept: records in it that are nowhere else. */
uint64_t batch_lost(const struct batch *b);
uint32_t batch_kept(const struct batch *b);
/* batch_front: records in it that the front has. */
uint32_t batch_front(const struct batch *b);

/* batch_shed makes room while the journal is down: records below pause grade become losses (journal_failed), unless the
 * front has them, notices are let go (b->notices_shed), neighbouring losses of one ring and reason one loss; verdicts below pause grade are let go (b->verdicts_shed). If more than half of the entries would still be taken,
 * the youngest pause-grade records go the same way, and then the losses are merged over what lies between.
 * Afterwards batch_room is at least BATCH_ENTRIES / 4 for up to BATCH_ENTRIES / 4 rings, and half of the
 * evidence is free. Order within a ring is kept. */
void batch_shed(struct batch *b);

#endif
