/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of fixed length beside the database. A small batch is written over its beginning, one write that returns when the disk has it, and told; then
 * the database takes it, and not before it has is the next one written. So the file holds one batch at most that the database lacks: the next start
 * begins with it. */
#include "control/journal_private.h"

#include "abi/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "front"

/* All its blocks are there and written: a write over them changes nothing but them. */
static int
make(struct journal *j)
{
	struct stat st;
	int fd = openat(j->dir_fd, NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &st) != 0 ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : 0;
	if (rc == 0 && st.st_size != FRONT_BYTES &&
		(ftruncate(fd, 0) != 0 || pwrite(fd, j->front_block, FRONT_BYTES, 0) != FRONT_BYTES || fsync(fd) != 0 || fsync(j->dir_fd) != 0))
		rc = errno != 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

void
front_open(struct journal *j)
{
	j->front_fd = -1;
	j->front_block = aligned_alloc(FRONT_BLOCK, FRONT_BYTES);
	if (j->front_block == NULL)
		return;
	memset(j->front_block, 0, FRONT_BYTES);
	int rc = make(j), flags = O_RDWR | O_DSYNC | O_CLOEXEC | O_NOFOLLOW;
	if (rc == 0) {
		j->front_fd = openat(j->dir_fd, NAME, flags | O_DIRECT);
		if (j->front_fd < 0) /* a file system without it */
			j->front_fd = openat(j->dir_fd, NAME, flags);
		rc = j->front_fd < 0 ? -errno : 0;
	}
	if (rc != 0)
		LOG(LOG_WARN, "cannot use %s/" NAME ": %s; alerts are told some tenths of a millisecond later, once the database has them", j->dir, strerror(-rc));
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

/* Whether the database will give its entries the cursors that follow. */
static bool
follows(struct journal *j, const struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct entry *e = &b->e[i];
		const struct journal_progress *p = progress_of(&j->state, e->epoch, e->ring_id);
		uint64_t last = p != NULL ? p->last_seq : UINT64_MAX; /* of an unknown ring nobody knows what the database holds */
		for (uint32_t k = 0; k < i; k++)
			if (b->e[k].ring_id == e->ring_id && memcmp(b->e[k].epoch, e->epoch, sizeof e->epoch) == 0)
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
	for (uint32_t i = 0; i < b->n; i++)
		at[i] = j->state.head + 1 + i;
	tail_put(&j->tail, b, at, t_ns);
	j->told = j->state.head + b->n;
	journal_show(j);
}

bool
journal_front(struct journal *j, struct batch *b, uint64_t now_ns)
{
	if (j->front_fd < 0 || j->down || j->told > j->state.head || !front_takes(b) || !follows(j, b))
		return false;
	const struct front_place p = {.journal_id = j->id, .before = j->state.head, .t_ns = now_ns};
	uint32_t n = front_encode(&p, b, j->front_block);
	ssize_t written = pwrite(j->front_fd, j->front_block, n, 0);
	if (written != (ssize_t)n) {
		LOG(LOG_WARN, "cannot write %s/" NAME ": %s; until the next start alerts are told some tenths of a millisecond later, once the database has them", j->dir,
			written < 0 ? strerror(errno) : "it took a part only");
		close(j->front_fd);
		j->front_fd = -1;
		return false;
	}
	for (uint32_t i = 0; i < b->n; i++)
		b->e[i].front_ns = now_ns;
	tell(j, b, now_ns);
	return true;
}

uint32_t
journal_recover(struct journal *j, struct batch *b)
{
	struct front_place p;
	if (j->front_fd < 0 || pread(j->front_fd, j->front_block, FRONT_BYTES, 0) != FRONT_BYTES || front_decode(j->front_block, FRONT_BYTES, &p, b) != 0)
		return 0;
	if (p.journal_id == j->id && p.before == j->state.head) {
		LOG(LOG_NOTE, "%" PRIu32 " alerts that had been told when control ended go into the database now", b->n);
		tell(j, b, p.t_ns);
		return b->n;
	}
	if (p.journal_id == j->id && p.before + b->n > j->state.head)
		LOG(LOG_WARN, "%s/" NAME " holds alerts that do not follow the last one in the database: has a file of the journal been taken away? They are left out", j->dir);
	b->n = 0;
	b->evidence_n = 0;
	return 0;
}
