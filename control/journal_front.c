/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of fixed length beside the database. A small batch is written over its beginning, one write that returns when the disk has it, and told; then
 * the database takes it, and not before it has is the next one written. So the file holds one batch at most that the database lacks: the next start
 * begins with it. */
#include "control/journal_private.h"

#include "abi/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "front"

_Static_assert(FRONT_EVIDENCE <= TAIL_EVIDENCE_BYTES && FRONT_ENTRIES <= TAIL_EVENTS, "what only the front has is read from the tail");

/* All its blocks are there and written: a write over them changes nothing but them. One of another length is another build's. */
static int
make(struct journal *j)
{
	struct stat st;
	int fd = openat(j->dir_fd, NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &st) != 0 ? -errno : !S_ISREG(st.st_mode) || (st.st_size != 0 && st.st_size != FRONT_BYTES) ? -EINVAL : 0;
	if (rc == 0 && st.st_size == 0) {
		ssize_t n = pwrite(fd, j->front_block, FRONT_BYTES, 0);
		rc = n == FRONT_BYTES ? 0 : n < 0 ? -errno : -ENOSPC;
		if (rc != 0 && ftruncate(fd, 0) != 0) { /* next time it is as now, and is not used */
		}
	}
	if (rc == 0 && (fsync(fd) != 0 || fsync(j->dir_fd) != 0))
		rc = -errno;
	close(fd);
	return rc;
}

static int
open_it(struct journal *j, int direct)
{
	int fd = openat(j->dir_fd, NAME, O_RDWR | O_DSYNC | O_CLOEXEC | O_NOFOLLOW | direct);
	if (fd < 0 && direct != 0) /* a file system without it */
		fd = openat(j->dir_fd, NAME, O_RDWR | O_DSYNC | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

void
front_open(struct journal *j)
{
	j->front_fd = -1;
	j->front_block = aligned_alloc(FRONT_BLOCK, FRONT_BYTES);
	int rc = j->front_block == NULL ? -ENOMEM : 0;
	if (rc == 0) {
		memset(j->front_block, 0, FRONT_BYTES);
		rc = make(j);
	}
	if (rc == 0) {
		struct stat st;
		j->front_fd = open_it(j, O_DIRECT);
		rc = j->front_fd < 0 || fstat(j->front_fd, &st) != 0 ? -errno : 0;
		if (rc == 0) {
			j->front_dev = st.st_dev;
			j->front_ino = st.st_ino;
		}
	}
	if (rc != 0)
		LOG(LOG_WARN, "cannot use %s/" NAME ": %s; alerts are told some tenths of a millisecond later, once the database has "
			"them%s", j->dir, rc == -EINVAL ? "it is not a front of this version" : strerror(-rc), rc == -EINVAL ? "; move it away for a new one" : "");
}

void
front_close(struct journal *j)
{
	if (j->front_fd >= 0)
		close(j->front_fd);
	free(j->front_block);
	j->front_fd = -1;
	j->front_block = NULL;
}

static void
give_up(struct journal *j, const char *why)
{
	LOG(LOG_WARN, "cannot write %s/" NAME ": %s; until the next start alerts are told some tenths of a millisecond later, once the database has them", j->dir, why);
	close(j->front_fd);
	j->front_fd = -1;
}

/* Blocks of some disks are larger than ours: these take no direct write. */
static ssize_t
put(struct journal *j, uint32_t n)
{
	ssize_t written = pwrite(j->front_fd, j->front_block, n, 0);
	if (written >= 0 || errno != EINVAL)
		return written;
	int fd = open_it(j, 0);
	if (fd < 0)
		return -1;
	close(j->front_fd);
	j->front_fd = fd;
	return pwrite(j->front_fd, j->front_block, n, 0);
}

/* Whether the database will give its entries the cursors that follow. */
static bool
follows(struct journal *j, const struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct entry *e = &b->e[i];
		const struct journal_progress *p = progress_of(&j->state, e->epoch, e->ring_id);
		uint64_t last = p != NULL ? p->last_seq : UINT64_MAX; /* of an unknown ring nobody knows what the database holds */
		for (uint32_t k = 0; k < i; k++)
			if (entry_same_ring(&b->e[k], e))
				last = b->e[k].to;
		if (e->from <= last)
			return false;
	}
	return true;
}

static void
tell(struct journal *j, const struct batch *b, uint64_t t_ns)
{
	uint64_t at[FRONT_ENTRIES];
	for (uint32_t i = 0; i < b->n; i++) {
		at[i] = j->state.head + 1 + i;
		j->front[i] = (struct journal_progress){.ring_id = b->e[i].ring_id, .last_seq = b->e[i].to};
		memcpy(j->front[i].epoch, b->e[i].epoch, sizeof j->front[i].epoch);
	}
	tail_put(&j->tail, b, at, t_ns);
	j->told = j->state.head + b->n;
	journal_show(j);
}

bool
journal_front(struct journal *j, struct batch *b, uint64_t now_ns)
{
	struct stat st;
	if (j->front_fd < 0 || j->down || j->told > j->state.head || !front_takes(b) || !follows(j, b))
		return false;
	if (fstatat(j->dir_fd, NAME, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != j->front_dev || st.st_ino != j->front_ino) {
		give_up(j, "somebody has removed it or put another in its place");
		return false;
	}
	const struct front_place p = {.journal_id = j->id, .before = j->state.head, .t_ns = now_ns};
	uint32_t n = front_encode(&p, b, j->front_block);
	ssize_t written = put(j, n);
	if (written != (ssize_t)n) {
		give_up(j, written < 0 ? strerror(errno) : "it took a part only");
		return false;
	}
	for (uint32_t i = 0; i < b->n; i++)
		b->e[i].front_ns = now_ns;
	tell(j, b, now_ns);
	return true;
}

/* Also one that cannot be written any more, or is of another length. What is no file is nobody's front. */
static ssize_t
read_it(struct journal *j)
{
	struct stat st;
	if (j->front_block == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (j->front_fd >= 0)
		return pread(j->front_fd, j->front_block, FRONT_BYTES, 0);
	if (fstatat(j->dir_fd, NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode))
		return 0;
	int fd = openat(j->dir_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, j->front_block, FRONT_BYTES, 0);
	if (fd >= 0)
		close(fd);
	return n;
}

/* 1: b goes into the database; 0: there is nothing in it that the database lacks; -EIO with err. */
static int
look(struct journal *j, struct batch *b, char *err, size_t cap)
{
	struct front_place p;
	uint32_t n = 0;
	ssize_t got = read_it(j);
	if (got < 0) {
		snprintf(err, cap, "cannot read %s/" NAME ": %s; it must belong to this user, on a disk that works: do not move it away, it may hold alerts that nobody has yet", j->dir,
			strerror(errno));
		return -EIO;
	}
	int rc = front_decode(j->front_block, (size_t)got, &p, &n, b);
	if (rc == -EBADMSG || p.journal_id != j->id || p.before + n <= j->state.head)
		return 0;
	if (rc == 0 && p.before == j->state.head && follows(j, b))
		return 1;
	if (rc == -EPROTO && p.before == j->state.head) {
		snprintf(err, cap, "%s/" NAME " holds %" PRIu32 " alerts that another version of sentinel-control has told and not put into the database; start that one once more, "
			"or move the file out of the folder to go on without them", j->dir, n);
		return -EIO;
	}
	LOG(LOG_WARN, "%s/" NAME " holds alerts that do not follow the last one in the database: has a file of the journal been taken away? They are left out", j->dir);
	return 0;
}

int
journal_recover(struct journal *j, struct batch *b, uint64_t now_ns, char *err, size_t cap)
{
	char detail[32];
	int rc = look(j, b, err, cap);
	if (rc == 1) {
		LOG(LOG_NOTE, "%" PRIu32 " alerts that had been told when control ended go into the database now", b->n);
		tell(j, b, b->e[0].front_ns);
		snprintf(detail, sizeof detail, "{\"alerts\":\"%" PRIu32 "\"}", b->n);
		journal_note(j, now_ns, "recovered", detail);
	} else {
		b->n = 0;
		b->evidence_n = 0;
	}
	consumers_clamp(j);
	return rc < 0 ? rc : (int)b->n;
}
