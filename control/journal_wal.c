/* SPDX-License-Identifier: BSD-3-Clause */
/* The WAL of the newest file is as long as it is to become before it is used: a sync of bytes that overwrite others is one write of the disk, one of
 * bytes that make a file longer waits for the file system's own journal, and so for what anybody else has written. What is behind the last
 * frame is not looked at by SQLite: it has no checksum. */
#include "control/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (256u << 10)
#define PIECE_EVERY_NS 25000000u

uint64_t
wal_room(const struct journal *j)
{
	uint64_t quarter = j->file_bytes / 4;
	return quarter < JOURNAL_WAL_BYTES ? quarter : JOURNAL_WAL_BYTES;
}

bool
wal_is_full(const struct journal *j)
{
	return atomic_load_explicit(&j->wal_bytes, memory_order_relaxed) > wal_room(j) / 4 * 3;
}

/* A piece of zeros behind its end. false: it is as long as it shall be, or cannot be made so, which harms nothing. */
static bool
pad(struct journal *j, uint32_t no)
{
	static const uint8_t zeros[PIECE_BYTES];
	char path[JOURNAL_PATH_MAX], wal[JOURNAL_PATH_MAX + 8];
	struct stat st;
	journal_path(j, no, path);
	snprintf(wal, sizeof wal, "%s-wal", path);
	int fd = open(wal, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT;
	uint64_t end = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX, want = wal_room(j);
	uint64_t n = end >= want ? 0 : want - end < PIECE_BYTES ? want - end : PIECE_BYTES;
	bool again = n > 0;
	if (end != 0 && n > 0) /* an empty one is SQLite's to begin */
		again = pwrite(fd, zeros, n, (off_t)end) == (ssize_t)n && fdatasync(fd) == 0;
	close(fd);
	return again;
}

void
journal_idle(struct journal *j, uint64_t now_ns)
{
	if (!j->wal_short || now_ns < j->wal_again_ns || j->file.db == NULL)
		return;
	j->wal_again_ns = now_ns + PIECE_EVERY_NS;
	j->wal_short = pad(j, j->files[j->n_files - 1].no);
}

static int
note_size(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct journal *j = ctx;
	(void)db;
	(void)name;
	atomic_store_explicit(&j->wal_bytes, (uint64_t)pages * (JOURNAL_PAGE_BYTES + 24u), memory_order_relaxed);
	return SQLITE_OK;
}

void
wal_watch(struct journal *j, sqlite3 *db)
{
	j->wal_short = true;
	atomic_store_explicit(&j->wal_bytes, 0, memory_order_relaxed);
	sqlite3_wal_hook(db, note_size, j);
}
