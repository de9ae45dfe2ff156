/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal.h"

#include "abi/log.h"
#include "control/cond.h"
#include "control/journal_private.h"
#include "control/realtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

uint64_t
journal_monotonic_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* ---- opening ---- */

static const char *
folder_advice(int error)
{
	switch (error) {
	case EROFS:
		return "its file system is mounted read-only: dmesg may say why; mount it for writing";
	case ENOSPC:
	case EDQUOT:
		return "make room on its disk; take no file of the journal away";
	case EIO:
		return "its disk fails: see dmesg; take no file of the journal away";
	case EACCES:
	case EPERM:
		return "it and its files must belong to this user";
	default:
		return "make it, or choose another --journal";
	}
}

static int
lock_folder(struct journal *j, char *err, size_t cap)
{
	if (mkdir(j->dir, 0750) != 0 && errno != EEXIST) {
		int error = errno;
		snprintf(err, cap, "cannot make the journal folder %s: %s; %s", j->dir, strerror(error), folder_advice(error));
		return -error;
	}
	j->dir_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir_fd >= 0)
		j->lock_fd = openat(j->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (j->lock_fd < 0) {
		int error = errno;
		snprintf(err, cap, "cannot use the journal folder %s: %s; %s", j->dir, strerror(error), folder_advice(error));
		return -error;
	}
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		char pid[24] = "";
		ssize_t n = pread(j->lock_fd, pid, sizeof pid - 1, 0);
		if (n > 0)
			pid[strcspn(pid, "\n")] = '\0';
		snprintf(err, cap,
			"the journal folder %s is in use by another sentinel-control%s%s; stop that one or "
			"choose another --journal",
			j->dir, n > 0 ? ", process " : "", n > 0 ? pid : "");
		return -EBUSY;
	}
	char pid[24];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(j->lock_fd, 0) != 0 || pwrite(j->lock_fd, pid, (size_t)n, 0) != n) {
		/* only a courtesy to whoever finds the folder locked: a full disk must not keep control from
		 * starting */
	}
	return 0;
}

static int
add_file(struct journal *j, const struct journal_file *f)
{
	if (j->n_files == j->cap_files) {
		uint32_t n = j->cap_files ? 2 * j->cap_files : 16;
		struct journal_file *more = realloc(j->files, n * sizeof *more);
		if (more == NULL)
			return -ENOMEM;
		j->files = more;
		j->cap_files = n;
	}
	j->files[j->n_files++] = *f;
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct journal_file *x = a, *y = b;
	return x->no < y->no ? -1 : x->no > y->no;
}

static int
list_files(struct journal *j, char *err, size_t cap)
{
	DIR *d = opendir(j->dir);
	if (d == NULL) {
		snprintf(err, cap, "cannot read the journal folder %s: %s", j->dir, strerror(errno));
		return -EIO;
	}
	int rc = 0;
	for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;) {
		unsigned no;
		char again[40];
		if (sscanf(e->d_name, "journal-%u.db", &no) != 1 || no == 0 || no > 999999999)
			continue;
		snprintf(again, sizeof again, "journal-%06u.db", no);
		if (strcmp(again, e->d_name) == 0)
			rc = add_file(j, &(struct journal_file){.no = no});
	}
	closedir(d);
	if (j->n_files > 0)
		qsort(j->files, j->n_files, sizeof *j->files, by_number);
	return rc;
}

/* Each file ends where its successor begins: what a commit that was given up may have left behind does not
 * count. */
static void
clip(struct journal *j)
{
	for (uint32_t i = 0; i + 1 < j->n_files; i++) {
		struct journal_file *f = &j->files[i];
		if (f->last >= j->files[i + 1].first) {
			f->last = j->files[i + 1].first - 1;
			if (f->pause_last > f->last)
				f->pause_last = f->last;
		}
	}
}

static int
scan_files(struct journal *j, char *err, size_t cap)
{
	for (uint32_t i = 0; i < j->n_files; i++) {
		uint32_t id;
		struct journal_file *f = &j->files[i];
		int rc = file_scan(j, f->no, f, &id, err, cap);
		if (rc == -ENODATA && i + 1 == j->n_files) {
			/* Control was killed while it made this file: nothing was ever promised about it. */
			file_unlink(j, f->no);
			j->n_files--;
			break;
		}
		if (rc == 0 && i > 0 && id != j->id) {
			snprintf(err, cap,
				"journal-%06" PRIu32
				".db in %s belongs to another journal; move it out of the folder",
				f->no, j->dir);
			rc = -EIO;
		} else if (rc == -ENODATA) {
			snprintf(err, cap,
				"journal-%06" PRIu32 ".db in %s is empty; move it out of the folder", f->no,
				j->dir);
		}
		if (rc != 0)
			return rc;
		j->id = id;
	}
	clip(j);
	return 0;
}

static int
fresh_id(struct journal *j)
{
	while (j->id == 0)
		if (getrandom(&j->id, sizeof j->id, 0) != sizeof j->id)
			return -EIO;
	return 0;
}

static int
start_file(struct journal *j, uint32_t no, char *err, size_t cap)
{
	struct journal_db f;
	int rc = file_create(j, no, &f, err, cap);
	if (rc != 0)
		return rc;
	struct journal_file info = {
		.no = no, .first = j->state.head + 1, .last = j->state.head, .bytes = file_bytes(j, no)};
	pthread_mutex_lock(&j->lock);
	rc = add_file(j, &info);
	if (rc == 0)
		clip(j);
	pthread_mutex_unlock(&j->lock);
	if (rc != 0) {
		snprintf(err, cap, "no memory");
		file_close(&f);
		file_unlink(j, no);
		return rc;
	}
	j->file = f;
	return 0;
}

static int
open_newest(struct journal *j, char *err, size_t cap)
{
	if (j->n_files == 0)
		return fresh_id(j) == 0 ? start_file(j, 1, err, cap) : -EIO;
	struct journal_file *f = &j->files[j->n_files - 1];
	int rc = file_open(j, f->no, &j->file, err, cap);
	if (rc == 0)
		rc = file_load_state(j, &j->file, err, cap);
	j->state.head = f->last;
	/* Events that were retired while their loss for somebody was not yet written down. */
	consumers_expire(j, j->files[0].first - 1);
	return rc;
}

void
journal_show(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	j->shown = j->state;
	if (j->told > j->state.head) {
		j->shown.rows += j->told - j->state.head;
		j->shown.head = j->told;
		for (uint64_t i = 0; i < j->told - j->state.head; i++) {
			struct journal_progress *p = progress_of(&j->shown, j->front[i].epoch, j->front[i].ring_id);
			p->last_seq = j->front[i].last_seq;
			p->journaled++;
		}
	}
	j->status.id = j->id;
	j->status.head = j->shown.head;
	j->status.events = j->shown.rows;
	j->status.files = j->n_files;
	j->status.floor = j->n_files ? j->files[0].first - 1 : j->state.head;
	j->status.down = j->down;
	if (j->n_files)
		j->status.file_no = j->files[j->n_files - 1].no;
	atomic_store_explicit(&j->head, j->shown.head, memory_order_release);
	pthread_mutex_unlock(&j->lock);
}

struct journal *
journal_open(const struct journal_options *o, char *err, size_t cap)
{
	struct journal *j = calloc(1, sizeof *j);
	if (j == NULL || strlen(o->dir) == 0 || strlen(o->dir) >= sizeof j->dir) {
		snprintf(err, cap, "%s",
			j == NULL ? "no memory" : "the path of the journal folder is empty or too long");
		free(j);
		return NULL;
	}
	strcpy(j->dir, o->dir);
	j->lock_fd = j->dir_fd = j->front_fd = -1;
	j->file_bytes = o->file_bytes;
	j->keep_bytes = o->keep_bytes;
	realtime_mutex_init(&j->lock);
	tail_init(&j->tail);
	cond_init_steady(&j->wake);
	int rc = lock_folder(j, err, cap);
	if (rc == 0)
		rc = list_files(j, err, cap);
	if (rc == 0)
		rc = scan_files(j, err, cap);
	if (rc == 0)
		rc = open_newest(j, err, cap);
	if (rc == 0 && checkpointer_start(j) != 0) {
		snprintf(err, cap, "cannot start a thread");
		rc = -EAGAIN;
	}
	if (rc != 0) {
		journal_close(j);
		return NULL;
	}
	front_open(j);
	journal_show(j);
	return j;
}

void
journal_close(struct journal *j)
{
	checkpointer_stop(j);
	bool had = j->file.db != NULL;
	file_close(&j->file);
	if (had && j->n_files > 0)
		checkpoint_whole(j, j->files[j->n_files - 1].no);
	front_close(j);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	if (j->dir_fd >= 0)
		close(j->dir_fd);
	pthread_mutex_destroy(&j->lock);
	tail_end(&j->tail);
	pthread_cond_destroy(&j->wake);
	free(j->files);
	free(j);
}

/* ---- a commit ---- */

static void
committed(struct journal *j, struct batch *b, const struct consumer_changes *c, const struct turn *t,
	uint64_t started_us)
{
	uint64_t now_us = journal_monotonic_us(), us = now_us - started_us;
	atomic_store_explicit(&j->committed_us, now_us, memory_order_relaxed);
	j->state = t->s;
	if (j->told > j->state.head) {
		LOG(LOG_FAULT, "THE JOURNAL IS NOT WHAT IT WAS: the database held alerts that were told a moment ago, under other cursors");
		j->told = j->state.head;
	}
	consumers_settle(j, c);
	pthread_mutex_lock(&j->lock);
	j->n_notes -= t->n_notes;
	j->notes_durable += t->n_notes;
	memmove(j->notes, j->notes + t->n_notes, j->n_notes * sizeof *j->notes);
	struct journal_file *f = &j->files[j->n_files - 1];
	f->last = j->state.head;
	if (t->pause_last != 0)
		f->pause_last = t->pause_last;
	f->bytes = file_bytes(j, f->no);
	j->status.commits++;
	j->status.last_commit_us = us;
	if (us > j->status.max_commit_us)
		j->status.max_commit_us = us;
	j->status.duplicates += t->duplicates;
	if (wal_is_full(j))
		pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	/* now that the file is said to have what these may push out */
	tail_put(&j->tail, b, t->at, t->now_ns);
	b->n = 0;
	b->evidence_n = 0;
	journal_show(j);
}

/* ---- rotation and failure ---- */

static void
finish_file(struct journal *j)
{
	file_close(&j->file);
	pthread_cond_signal(&j->wake); /* its WAL can go into it now */
}

/* at_ns was JOURNAL_RETRY_NS ahead at most: if it is not any more, the clock was set back. */
static bool
due(uint64_t at_ns, uint64_t now_ns)
{
	return now_ns >= at_ns || at_ns - now_ns > JOURNAL_RETRY_NS;
}

static void
rotate_if_large(struct journal *j, uint64_t now_ns)
{
	char err[512];
	pthread_mutex_lock(&j->lock);
	const struct journal_file f = j->files[j->n_files - 1];
	pthread_mutex_unlock(&j->lock);
	if (f.bytes < j->file_bytes || f.last < f.first || !due(j->rotate_again_ns, now_ns))
		return;
	struct journal_db old = j->file;
	if (start_file(j, f.no + 1, err, sizeof err) != 0) {
		j->file = old;
		j->rotate_again_ns = now_ns + JOURNAL_RETRY_NS;
		LOG(LOG_WARN, "cannot start the next journal file, going on with the old one: "
			"%s",
			err);
		return;
	}
	file_close(&old);
	pthread_cond_signal(&j->wake);
	pthread_mutex_lock(&j->lock);
	j->status.rotations++;
	pthread_mutex_unlock(&j->lock);
	journal_show(j);
	journal_tidy(j, now_ns);
}

static void
note_failure(struct journal *j, const char *why)
{
	pthread_mutex_lock(&j->lock);
	j->status.failures++;
	snprintf(j->status.failure, sizeof j->status.failure, "%.*s", (int)sizeof j->status.failure - 1, why);
	pthread_mutex_unlock(&j->lock);
}

/* The file on which a commit failed is left as it is. */
static void
give_up_file(struct journal *j, uint64_t now_ns, int rc)
{
	char why[160], detail[AUDIT_DETAIL_MAX];
	struct journal_file *f = &j->files[j->n_files - 1];
	snprintf(why, sizeof why, "journal-%06" PRIu32 ".db: %s", f->no, sqlite3_errstr(rc));
	LOG(LOG_FAULT, "THE JOURNAL HAS FAILED: cannot write %s/%s (code %d). Trying a fresh "
		"file.",
		j->dir, why, rc);
	snprintf(detail, sizeof detail, "{\"file\":\"%" PRIu32 "\",\"code\":\"%d\"}", f->no, rc);
	note_failure(j, why);
	pthread_mutex_lock(&j->lock);
	f->given_up = true;
	pthread_mutex_unlock(&j->lock);
	finish_file(j);
	journal_note(j, now_ns, "journal_failed", detail);
}

static void
go_down(struct journal *j, uint64_t now_ns, const char *why)
{
	if (!j->down)
		LOG(LOG_FAULT, "THE JOURNAL IS DOWN: %s. Pause-grade alerts go out marked "
			"\"durable\":false, everything else is lost"
			" until there is room or the disk works again (tried every %llu s).",
			why, JOURNAL_RETRY_NS / 1000000000ull);
	note_failure(j, why);
	atomic_store(&j->down, true);
	j->retry_at_ns = now_ns + JOURNAL_RETRY_NS;
	journal_show(j);
}

/* A fresh file with this batch in it, or nothing. */
static int
try_fresh(struct journal *j, const struct batch *b, const struct consumer_changes *c, struct turn *t)
{
	char err[512];
	uint32_t no = j->files[j->n_files - 1].no + 1;
	if (start_file(j, no, err, sizeof err) != 0) {
		go_down(j, t->now_ns, err);
		return -EIO;
	}
	int rc = transact(j, b, c, t);
	if (rc == SQLITE_OK) {
		LOG(LOG_NOTE, "the journal goes on in %s/journal-%06" PRIu32 ".db",
			j->dir, no);
		atomic_store(&j->down, false);
		return 0;
	}
	snprintf(err, sizeof err, "cannot write journal-%06" PRIu32 ".db: %s", no, sqlite3_errstr(rc));
	file_close(&j->file);
	pthread_mutex_lock(&j->lock);
	j->n_files--;
	pthread_mutex_unlock(&j->lock);
	file_unlink(j, no);
	go_down(j, t->now_ns, err);
	return -EIO;
}

bool
journal_wants(const struct journal *j, uint64_t now_ns)
{
	if (atomic_load_explicit(&j->down, memory_order_relaxed))
		return due(j->retry_at_ns, now_ns);
	return atomic_load_explicit(&j->dirty, memory_order_relaxed);
}

int
journal_commit(struct journal *j, struct batch *b, uint64_t now_ns)
{
	static struct consumer_changes changes; /* there is one writer */
	static struct turn t;
	bool down = j->down;
	if (down && !due(j->retry_at_ns, now_ns))
		return -EIO;
	if (!down && b->n == 0 && !journal_wants(j, now_ns))
		return 0;
	uint64_t started_us = journal_monotonic_us();
	t.now_ns = now_ns;
	consumers_take(j, &changes);
	int rc = down ? SQLITE_IOERR : transact(j, b, &changes, &t);
	if (rc != SQLITE_OK) {
		if (!down)
			give_up_file(j, now_ns, rc);
		if (try_fresh(j, b, &changes, &t) != 0) {
			atomic_store_explicit(&j->dirty, true, memory_order_relaxed);
			return -EIO;
		}
	}
	committed(j, b, &changes, &t, started_us);
	rotate_if_large(j, now_ns);
	return 0;
}

uint64_t
journal_note(struct journal *j, uint64_t now_ns, const char *kind, const char *detail)
{
	uint64_t ticket = 0;
	pthread_mutex_lock(&j->lock);
	if (j->n_notes < NOTES_MAX) {
		struct note *n = &j->notes[j->n_notes++];
		n->time_ns = now_ns;
		snprintf(n->kind, sizeof n->kind, "%s", kind);
		snprintf(n->detail, sizeof n->detail, "%s", detail);
		ticket = j->notes_durable + j->n_notes;
	}
	pthread_mutex_unlock(&j->lock);
	atomic_store_explicit(&j->dirty, true, memory_order_relaxed);
	return ticket;
}

bool
journal_noted(struct journal *j, uint64_t ticket)
{
	pthread_mutex_lock(&j->lock);
	bool durable = ticket <= j->notes_durable;
	pthread_mutex_unlock(&j->lock);
	return durable;
}

/* ---- what others see ---- */

void
journal_ring(struct journal *j, const uint8_t epoch[8], uint32_t ring_id, struct journal_progress *out)
{
	pthread_mutex_lock(&j->lock);
	const struct journal_progress *p = progress_of(&j->shown, epoch, ring_id);
	*out = p != NULL ? *p : (struct journal_progress){.ring_id = ring_id};
	pthread_mutex_unlock(&j->lock);
	memcpy(out->epoch, epoch, sizeof out->epoch);
}

void
journal_epoch(struct journal *j, const uint8_t epoch[8], struct journal_progress *out)
{
	*out = (struct journal_progress){0};
	memcpy(out->epoch, epoch, sizeof out->epoch);
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->shown.n_progress; i++) {
		const struct journal_progress *p = &j->shown.progress[i];
		if (memcmp(p->epoch, epoch, sizeof p->epoch) != 0)
			continue;
		out->last_seq += p->last_seq;
		out->journaled += p->journaled;
		out->lost += p->lost;
	}
	pthread_mutex_unlock(&j->lock);
}

uint32_t
journal_id(const struct journal *j)
{
	return j->id;
}

uint64_t
journal_head(const struct journal *j)
{
	return atomic_load_explicit(&((struct journal *)(uintptr_t)j)->head, memory_order_acquire);
}

void
journal_status_get(struct journal *j, struct journal_status *s)
{
	pthread_mutex_lock(&j->lock);
	*s = j->status;
	for (uint32_t i = 0; i < j->n_files; i++)
		s->bytes += j->files[i].bytes;
	pthread_mutex_unlock(&j->lock);
}
