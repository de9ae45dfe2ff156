/* SPDX-License-Identifier: BSD-3-Clause */
/* journal: where alerts and losses become durable. A folder of SQLite files, journal-000001.db and on, each
 * in WAL mode with synchronous=FULL; one transaction for all that a turn of the drain found. Files are
 * rotated by size. Every event gets a cursor, 1 and on, without holes over all files; each file knows its
 * first, so that a file given up after a failed commit counts only up to where its successor begins.
 *
 * A failed write or fsync is never retried on the same file: a fresh file is tried at once, and if that fails
 * too the journal is down; every JOURNAL_RETRY_NS another fresh file is tried.
 *
 * Threads: the writer is the one thread that calls journal_commit, journal_front, journal_idle, journal_wants and journal_tidy; everything
 * else may be called from any thread. Readers have journal_read.h. The journal has a thread of its own for
 * checkpoints. */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "control/batch.h"
#include "control/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_CONSUMERS_MAX 256
#define JOURNAL_CONSUMER_NAME_MAX 65 /* with the terminating zero */
#define JOURNAL_PROGRESS_MAX 256     /* rings remembered, the epochs last seen first */
#define JOURNAL_RETRY_NS 5000000000u

struct journal;

struct journal_options {
	const char *dir;     /* made if it is not there, mode 0750 */
	uint64_t file_bytes; /* rotate a file that is larger than this */
	uint64_t keep_bytes; /* retire whole old files beyond this */
};

/* What has been journaled of one ring: all seqs up to last_seq are journaled or lost. */
struct journal_progress {
	uint8_t epoch[8];
	uint32_t ring_id;
	uint64_t last_seq, journaled, lost;
};

/* A consumer's place: events in its time = acked_events + pending + expired. */
struct journal_consumer {
	char name[JOURNAL_CONSUMER_NAME_MAX];
	uint64_t start;	     /* cursor before its first event */
	uint64_t start_rows; /* events that had been journaled by then */
	uint64_t acked;	     /* cursor up to which it has acked, or lost to retention */
	uint64_t expired;    /* events retired before it had acked them */
	uint64_t created_ns;
};

struct journal_status {
	uint32_t id, files, file_no;
	uint64_t bytes, head, floor, events; /* floor: cursor before the oldest event that is kept; events:
						journaled in all files ever */
	uint64_t commits, last_commit_us, max_commit_us, rotations, failures;
	uint64_t duplicates; /* records that came again and were already there */
	bool down;
	uint32_t held_files; /* beyond --keep-mb, but they hold pause-grade alerts that a consumer with a name has not acknowledged */
	unsigned holders;    /* how many such consumers there are */
	char held_for[JOURNAL_CONSUMER_NAME_MAX]; /* the one furthest behind; "": none */
	char failure[192];   /* the last one; "" if there was none */
};

/* journal_open takes the folder for this process alone, reads what is there and is ready to write. NULL: err
 * says why in a sentence or two (taken by another control, a file that cannot be read, no space ...). */
struct journal *journal_open(const struct journal_options *o, char *err, size_t cap);
/* journal_close checkpoints and lets go. */
void journal_close(struct journal *j);

/* journal_commit makes durable: the batch (emptied on success), changed consumers and notes. 0 if there was
 * nothing to do or it is durable; -EIO: the journal is down, the batch is unchanged. */
int journal_commit(struct journal *j, struct batch *b, uint64_t now_ns);
/* journal_front makes a small batch of records durable before journal_commit does, in less time, and lets readers have it; journal_commit is to follow at
 * once, with the same now_ns. false: it is not one that can be, or that cannot be done: journal_commit does it. */
bool journal_front(struct journal *j, struct batch *b, uint64_t now_ns);
/* journal_recover, once after journal_open, fills an empty batch with what only the front has, of a process that ended in between: to be committed before
 * anything else. Returns how many records; -EIO: it holds some that cannot be had, and err says what to do. */
int journal_recover(struct journal *j, struct batch *b, uint64_t now_ns, char *err, size_t cap);
/* journal_idle: there is nothing to commit: time for what makes later commits faster, a few milliseconds now and then while a file is new. */
void journal_idle(struct journal *j, uint64_t now_ns);
/* journal_wants: a commit with an empty batch has something to do (consumers, notes, a retry that is due). */
bool journal_wants(const struct journal *j, uint64_t now_ns);
/* journal_note puts an entry into the audit trail with the next commit. detail: JSON, cut to
 * AUDIT_DETAIL_MAX. Notes that pile up while the journal is down are dropped beyond 64: then it returns 0, else the note's ticket.
 * journal_noted: whether it is durable. */
uint64_t journal_note(struct journal *j, uint64_t now_ns, const char *kind, const char *detail);
bool journal_noted(struct journal *j, uint64_t ticket);
/* journal_tidy retires old files, and says for whom it may not. Called now and then. */
void journal_tidy(struct journal *j, uint64_t now_ns);

/* journal_ring: what is durable of a ring, or zeroes with its name. journal_epoch: the sums over an epoch's
 * rings. */
void journal_ring(struct journal *j, const uint8_t epoch[8], uint32_t ring_id, struct journal_progress *out);
void journal_epoch(struct journal *j, const uint8_t epoch[8], struct journal_progress *out);

uint32_t journal_id(const struct journal *j);
/* journal_head: cursor of the last durable event. */
uint64_t journal_head(const struct journal *j);
void journal_status_get(struct journal *j, struct journal_status *s);

/* ---- consumers ---- */

/* journal_name_ok: [A-Za-z0-9._-]{1,64}. */
bool journal_name_ok(const char *name);
/* journal_subscribe finds the consumer, or makes it with its start at `start`. *acked is where it resumes. 0;
 * -EINVAL: bad name; -ENOSPC: there are JOURNAL_CONSUMERS_MAX already. */
int journal_subscribe(struct journal *j, const char *name, uint64_t start, uint64_t now_ns, uint64_t *acked);
/* journal_settled: the consumer's last change is durable, or the journal is down and it will not be for now.
 */
bool journal_settled(struct journal *j, const char *name);
/* journal_ack moves the consumer on to `cursor`; never back. Durable with a commit soon after. 0; -ERANGE:
 * beyond the head; -ENOENT: no such consumer. */
int journal_ack(struct journal *j, const char *name, uint64_t cursor);
/* journal_forget takes the consumer off the books: its unacked alerts no longer hold files back. 0 or
 * -ENOENT. */
int journal_forget(struct journal *j, const char *name);
/* journal_consumers copies up to max consumers; returns how many. */
unsigned journal_consumers(struct journal *j, struct journal_consumer *out, unsigned max);

#endif
