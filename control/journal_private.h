/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the journal share: journal.c (writer), journal_turn.c (one transaction), journal_file.c
 * (one file), journal_front.c, journal_keep.c (retention, checkpoints), journal_consumers.c, journal_read.c. */
#ifndef CONTROL_JOURNAL_PRIVATE_H
#define CONTROL_JOURNAL_PRIVATE_H

#include "control/audit.h"
#include "control/front.h"
#include "control/journal.h"
#include "control/journal_tail.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

#define JOURNAL_PATH_MAX 4096
#define JOURNAL_FORMAT 2
#define JOURNAL_APPLICATION_ID 0x534e544a /* "SNTJ" */
#define NOTES_MAX 64
#define JOURNAL_PAGE_BYTES 4096u
#define JOURNAL_WAL_BYTES (16ull << 20) /* or a quarter of a file */

/* The journal's knowledge that each file carries on; changed only by a committed transaction. */
struct journal_state {
	uint64_t head; /* cursor of the last event */
	uint64_t rows; /* events journaled ever, counted */
	uint64_t audit_n;
	uint8_t audit_hash[AUDIT_HASH_BYTES];
	uint32_t n_progress;
	struct journal_progress progress[JOURNAL_PROGRESS_MAX]; /* least recently changed first */
};

struct journal_file {
	uint32_t no;
	uint64_t first, last; /* cursors; last < first: empty. last of the newest file is the head */
	uint64_t pause_last;  /* cursor of the last pause-grade alert in it, 0: none */
	uint64_t bytes;
	bool given_up; /* a commit failed on it */
	bool checkpointed;
};

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_ALERT,
	ST_EVIDENCE,
	ST_LOSS,
	ST_PROGRESS,
	ST_CONSUMER,
	ST_CONSUMER_GONE,
	ST_AUDIT,
	STATEMENTS
};

/* An open file, for writing. */
struct journal_db {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
};

struct consumer_slot {
	struct journal_consumer c; /* as wanted */
	uint64_t version, durable; /* changes made, changes committed */
	bool gone;
};

struct note {
	uint64_t time_ns;
	char kind[AUDIT_KIND_MAX];
	char detail[AUDIT_DETAIL_MAX];
};

struct journal {
	char dir[JOURNAL_PATH_MAX - 64];
	int lock_fd, dir_fd;
	uint32_t id;
	uint64_t file_bytes, keep_bytes;

	/* the writer's own */
	struct journal_db file;
	struct journal_state state;
	uint64_t retry_at_ns, rotate_again_ns;
	bool wal_short; /* the newest file's WAL is not as long as it is to become */
	uint64_t wal_again_ns;
	char held_for[JOURNAL_CONSUMER_NAME_MAX]; /* who was said last to keep files from being retired, and when */
	uint64_t held_told_us;
	int front_fd;	     /* -1: there is no front */
	dev_t front_dev;     /* and which file it is */
	ino_t front_ino;
	uint8_t *front_block; /* FRONT_BYTES, aligned */
	uint64_t told;	     /* cursor of the last event that readers have: beyond state.head what only the front has */
	struct journal_progress front[FRONT_ENTRIES]; /* of that, each one's ring and seq */

	/* shared, under lock */
	pthread_mutex_t lock;
	struct journal_file *files; /* oldest first */
	uint32_t n_files, cap_files;
	struct consumer_slot consumers[JOURNAL_CONSUMERS_MAX];
	uint32_t n_consumers;
	struct note notes[NOTES_MAX];
	unsigned n_notes;
	uint64_t notes_durable;
	struct journal_status status;
	struct journal_state shown; /* copy of state after each commit */

	struct journal_tail tail;

	_Atomic uint64_t head;
	_Atomic bool dirty; /* consumers have changed, or there are notes */
	_Atomic bool down;
	_Atomic uint64_t wal_bytes, committed_us; /* of the newest file's WAL in use; when the last commit was */

	pthread_t checkpointer;
	pthread_cond_t wake;
	bool running, stop;
};

uint64_t journal_monotonic_us(void);
/* journal_show: readers and the status have what is durable now. */
void journal_show(struct journal *j);

/* ---- journal_front.c ---- */

/* front_open: front_fd and front_block; a front that cannot be had is no failure. */
void front_open(struct journal *j);
void front_close(struct journal *j);

/* ---- journal_file.c ---- */

void journal_path(const struct journal *j, uint32_t no, char out[JOURNAL_PATH_MAX]);
/* journal_connect opens a file's database as the journal does: no checkpoint at close, FULL, own busy
 * timeout. create: it must not be there yet. SQLITE_OK or an SQLite code; *db is closed on failure. */
int journal_connect(const char *path, bool create, bool readonly, sqlite3 **db);
/* journal_advice: what an operator does about an SQLite code, as the end of a sentence. */
const char *journal_advice(int rc);
/* file_create makes file `no` with the state and the consumers in it, durable, and opens it. 0, or -EIO with
 * err filled; nothing is left behind. */
int file_create(struct journal *j, uint32_t no, struct journal_db *out, char *err, size_t cap);
/* file_open opens an existing file for writing. */
int file_open(struct journal *j, uint32_t no, struct journal_db *out, char *err, size_t cap);
void file_close(struct journal_db *f);
void file_unlink(const struct journal *j, uint32_t no);
/* file_scan: first, last, pause_last, id of file `no`. 0; -ENODATA: its making was never finished; -EIO with
 * err. */
int file_scan(
	const struct journal *j, uint32_t no, struct journal_file *out, uint32_t *id, char *err, size_t cap);
/* file_load_state reads state and consumers from the newest file. */
int file_load_state(struct journal *j, struct journal_db *f, char *err, size_t cap);
/* file_bytes: of a file and its WAL; of that, what is longer than wal_room. */
uint64_t file_bytes(const struct journal *j, uint32_t no);
/* step runs a prepared statement to its end and resets it. SQLITE_DONE is SQLITE_OK here. */
int step(sqlite3_stmt *s);
int write_consumer(struct journal_db *f, const struct journal_consumer *c);
int write_progress(struct journal_db *f, const struct journal_progress *p);

/* ---- journal_consumers.c ---- */

/* A picture of what has changed, taken and settled around a transaction. Under no lock. */
struct consumer_changes {
	unsigned n;
	struct consumer_slot slot[JOURNAL_CONSUMERS_MAX];
};
void consumers_take(struct journal *j, struct consumer_changes *out);
void consumers_settle(struct journal *j, const struct consumer_changes *done);
/* consumers_expire: events up to `last` are gone. Under the lock. */
void consumers_expire(struct journal *j, uint64_t last);
/* consumers_clamp: nobody has acknowledged what is not there. */
void consumers_clamp(struct journal *j);

/* ---- journal_turn.c ---- */

/* A transaction at work: the state as it will be. */
struct turn {
	struct journal_state s;
	struct audit_digest digest;
	uint64_t now_ns, pause_last, duplicates;
	unsigned n_notes;
	uint64_t at[BATCH_ENTRIES]; /* each entry's cursor, 0: it was there already */
};

/* transact writes the batch, the consumers and the notes in one transaction. SQLITE_OK: committed, t->s is
 * the state now; else nothing has changed. */
int transact(struct journal *j, const struct batch *b, const struct consumer_changes *c, struct turn *t);
/* progress_of: the ring's entry, or NULL. */
struct journal_progress *progress_of(struct journal_state *s, const uint8_t epoch[8], uint32_t ring_id);

/* ---- journal_wal.c ---- */

/* wal_room: how long a WAL is made before it is used. wal_is_full: it should go into its file soon, or it grows longer than that. */
uint64_t wal_room(const struct journal *j);
bool wal_is_full(const struct journal *j);
/* wal_watch: db is the newest file's writer. */
void wal_watch(struct journal *j, sqlite3 *db);

/* ---- journal_keep.c ---- */

int checkpointer_start(struct journal *j);
void checkpointer_stop(struct journal *j);
/* checkpoint_whole puts everything into the file proper and empties its WAL. */
int checkpoint_whole(const struct journal *j, uint32_t no);

#endif
