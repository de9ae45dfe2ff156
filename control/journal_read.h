/* SPDX-License-Identifier: BSD-3-Clause */
/* journal_read: events out of the journal, by cursor. A reader belongs to one thread, which need not be the
 * writer's; it sees what is durable and nothing else, and never makes the writer wait. */
#ifndef CONTROL_JOURNAL_READ_H
#define CONTROL_JOURNAL_READ_H

#include "control/journal.h"

struct journal_reader;

struct journal_event {
	uint64_t cursor;
	bool loss;
	uint8_t epoch[8];
	uint32_t ring_id;
	uint64_t from, to;
	uint64_t t_journaled_ns;
	char reason[RULE_NAME_MAX];    /* loss; on EVENT_NOTICE_RING: a notice's text (control/nodes.h) */
	char rule_name[RULE_NAME_MAX]; /* record; "": not known */
	struct alert_record record;    /* checked; as the ring had it, or as the verdict has it */
	struct event_vet vet;	       /* checked; node > VET_ASKED: a verdict */
	const uint8_t *evidence;       /* valid until the next call for this reader */
	uint32_t evidence_len;
};

struct journal_reader *journal_reader_new(struct journal *j);
void journal_reader_free(struct journal_reader *r);

/* journal_read looks for the first event after *at whose grade is at least min_grade (losses count always).
 * 1: in *e, and *at is its cursor. 0: none as far as *at, which has moved on if there was something to pass
 * over; if it did not move, the head is reached. -ESTALE: what comes after *at has been retired; *at is
 * unchanged, journal_floor says where to go on. -EIO: a file cannot be read. One call looks at a bounded
 * number of events. */
int journal_read(struct journal_reader *r, uint64_t *at, unsigned min_grade, struct journal_event *e);

/* journal_floor: the cursor before the oldest event that is kept. */
uint64_t journal_floor(struct journal *j);

/* journal_find looks an id up (POSITION_ID). 0 and its cursor; -ENOENT; -EIO. */
int journal_find(struct journal_reader *r, const struct position *id, uint64_t *cursor);

/* journal_unvetted finds records of which a node was asked (VET_ASKED) and of which no verdict is journaled, among those
 * journaled since `since_ns`; the newest JOURNAL_UNVETTED_MAX events that have to do with a node are looked at. Their cursors go to
 * out[JOURNAL_UNVETTED_MAX], oldest first. How many, or -EIO. */
#define JOURNAL_UNVETTED_MAX 4096
int journal_unvetted(struct journal_reader *r, uint64_t since_ns, uint64_t *out);

/* journal_event_format writes the event as one CloudEvent, no newline; cap EVENT_BYTES_MAX always suffices.
 * Length or -ENOSPC. */
int journal_event_format(char *out, size_t cap, const struct journal_event *e, const char *source,
	uint32_t journal, bool durable);

/* journal_near: all events behind `at` up to head are in memory: reading them reads no file. */
bool journal_near(struct journal *j, uint64_t at, uint64_t head);

#endif
