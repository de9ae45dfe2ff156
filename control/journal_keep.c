/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include "abi/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHECKPOINT_EVERY_S 1
#define HELD_TELL_EVERY_US 3600000000u

/* ---- retention ---- */

/* The consumer furthest behind of those that have yet to ack a pause-grade alert of the file; NULL: nobody waits for it. n: how many they are.
 * Under the lock. */
static const struct journal_consumer *
holder(const struct journal *j, const struct journal_file *f, unsigned *n)
{
	const struct journal_consumer *last = NULL;
	*n = 0;
	for (uint32_t i = 0; i < j->n_consumers; i++) {
		const struct consumer_slot *s = &j->consumers[i];
		if (s->gone || s->c.acked >= f->pause_last)
			continue;
		if (last == NULL || s->c.acked < last->acked)
			last = &s->c;
		++*n;
	}
	return last;
}

static bool
retire_oldest(struct journal *j, uint64_t now_ns)
{
	char detail[AUDIT_DETAIL_MAX];
	uint64_t bytes = 0;
	struct journal_file f = {0};
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->n_files; i++)
		bytes += j->files[i].bytes;
	bool over = bytes > j->keep_bytes && j->n_files > 1;
	const struct journal_consumer *held = over ? holder(j, &j->files[0], &j->status.holders) : NULL;
	j->status.held_files = 0;
	snprintf(j->status.held_for, sizeof j->status.held_for, "%s", held != NULL ? held->name : "");
	for (uint32_t i = 0; held != NULL && i + 1 < j->n_files && bytes > j->keep_bytes; i++) {
		bytes -= j->files[i].bytes;
		j->status.held_files++;
	}
	if (over && held == NULL) {
		f = j->files[0];
		consumers_expire(j, f.last);
		memmove(j->files, j->files + 1, --j->n_files * sizeof *j->files);
		j->status.files = j->n_files;
		j->status.floor = j->files[0].first - 1;
	}
	pthread_mutex_unlock(&j->lock);
	if (f.no == 0)
		return false;
	file_unlink(j, f.no);
	snprintf(detail, sizeof detail,
		"{\"file\":\"%" PRIu32 "\",\"first\":\"%" PRIu64 "\",\"last\":\"%" PRIu64 "\"}", f.no,
		f.first, f.last);
	journal_note(j, now_ns, "retired", detail);
	return true;
}

/* A program that was tried once and never came back fills the disk: not in silence. */
static void
tell_holder(struct journal *j)
{
	struct journal_status s;
	char more[32] = "";
	uint64_t now_us = journal_monotonic_us();
	journal_status_get(j, &s);
	if (s.held_files == 0 || (strcmp(s.held_for, j->held_for) == 0 && now_us - j->held_told_us < HELD_TELL_EVERY_US))
		return;
	strcpy(j->held_for, s.held_for);
	j->held_told_us = now_us;
	if (s.holders > 1)
		snprintf(more, sizeof more, " (and %u more)", s.holders - 1);
	LOG(LOG_WARN, "%" PRIu32 " journal files are kept beyond --keep-mb, and more will be: consumer %s%s has not acknowledged pause-grade alerts in them. If it is never to "
		"come back: sentinelctl forget %s",
		s.held_files, s.held_for, more, s.held_for);
}

void
journal_tidy(struct journal *j, uint64_t now_ns)
{
	while (retire_oldest(j, now_ns))
		;
	tell_holder(j);
}

/* ---- checkpoints ---- */

/* A passive one leaves what was committed meanwhile: as long as that is much, it goes on, or the WAL never begins anew. */
#define CHECKPOINT_ROUNDS 8
#define CHECKPOINT_LEFT_PAGES 16

static int
checkpoint(const struct journal *j, uint32_t no, int mode)
{
	char path[JOURNAL_PATH_MAX];
	sqlite3 *db;
	int pages = 0, done = 0;
	journal_path(j, no, path);
	int rc = journal_connect(path, false, false, &db);
	if (rc != SQLITE_OK)
		return rc;
	for (unsigned i = 0; i < CHECKPOINT_ROUNDS && rc == SQLITE_OK && (i == 0 || pages - done > CHECKPOINT_LEFT_PAGES); i++)
		rc = sqlite3_wal_checkpoint_v2(db, NULL, mode, &pages, &done);
	sqlite3_close(db);
	return rc;
}

int
checkpoint_whole(const struct journal *j, uint32_t no)
{
	return checkpoint(j, no, SQLITE_CHECKPOINT_TRUNCATE);
}

/* A checkpoint keeps the disk busy while somebody waits for a commit: not while commits come, unless the WAL would grow. */
static bool
is_due(const struct journal *j)
{
	uint64_t committed_us = atomic_load_explicit(&j->committed_us, memory_order_relaxed);
	return atomic_load_explicit(&j->wal_bytes, memory_order_relaxed) > 0 &&
	       (wal_is_full(j) || journal_monotonic_us() - committed_us > CHECKPOINT_EVERY_S * 1000000u);
}

/* The next file to see to: finished ones first, 0 if none. Under the lock. */
static uint32_t
next_file(struct journal *j, bool *whole)
{
	for (uint32_t i = 0; i + 1 < j->n_files; i++) {
		struct journal_file *f = &j->files[i];
		if (!f->checkpointed && !f->given_up) {
			f->checkpointed = true;
			*whole = true;
			return f->no;
		}
	}
	*whole = false;
	return j->n_files > 0 && !j->files[j->n_files - 1].given_up && is_due(j) ? j->files[j->n_files - 1].no : 0;
}

static void
checkpointed(struct journal *j, uint32_t no, bool whole, int rc)
{
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->n_files; i++) {
		struct journal_file *f = &j->files[i];
		if (f->no != no)
			continue;
		f->bytes = file_bytes(j, no);
		/* Readers may have been in the way. */
		if (whole && (rc & 0xff) == SQLITE_BUSY)
			f->checkpointed = false;
	}
	pthread_mutex_unlock(&j->lock);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
		LOG(LOG_WARN, "cannot checkpoint journal-%06" PRIu32
			".db: %s; nothing is lost, its WAL stays",
			no, sqlite3_errstr(rc));
}

static void *
checkpointer(void *arg)
{
	struct journal *j = arg;
	pthread_mutex_lock(&j->lock);
	while (!j->stop) {
		bool whole = false;
		uint32_t no = next_file(j, &whole);
		if (no != 0) {
			pthread_mutex_unlock(&j->lock);
			int rc = whole ? checkpoint_whole(j, no)
				       : checkpoint(j, no, SQLITE_CHECKPOINT_PASSIVE);
			checkpointed(j, no, whole, rc);
			pthread_mutex_lock(&j->lock);
			if (whole && rc == SQLITE_OK)
				continue;
		}
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += CHECKPOINT_EVERY_S;
		if (!j->stop)
			pthread_cond_timedwait(&j->wake, &j->lock, &until);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

int
checkpointer_start(struct journal *j)
{
	if (pthread_create(&j->checkpointer, NULL, checkpointer, j) != 0)
		return -EAGAIN;
	j->running = true;
	return 0;
}

void
checkpointer_stop(struct journal *j)
{
	if (!j->running)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->checkpointer, NULL);
	j->running = false;
}
