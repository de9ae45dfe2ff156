/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal on a disk that fails: an SQLite VFS in between that refuses writes or syncs when told to. */
#include "fixture.h"

#include "control/audit.h"

#include <errno.h>
#include <sqlite3.h>

#define BIG (64ull << 20)

enum fault { FAULT_NONE, FAULT_WRITE, FAULT_SYNC, FAULT_FULL, FAULT_OPEN, FAULT_INDEX };

static enum fault fault;
static int fault_after;	     /* calls of its kind that still work */
static char fault_file[64];  /* "": every file; else only names that hold this */
static uint64_t bad_retries; /* writes or syncs of a file on which a sync has failed before */

struct faulty_file {
	sqlite3_file base;
	char name[256];
	bool sync_failed;
	sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;

static bool
strikes(struct faulty_file *f, bool is_sync)
{
	if (f->sync_failed)
		bad_retries++;
	if (fault == FAULT_NONE || fault >= FAULT_OPEN || (fault == FAULT_SYNC) != is_sync)
		return false;
	if (fault_file[0] != '\0' && strstr(f->name, fault_file) == NULL)
		return false;
	return fault_after-- <= 0;
}

#define REAL(f) (((struct faulty_file *)(f))->real)

static int
f_close(sqlite3_file *f)
{
	int rc = REAL(f)->pMethods->xClose(REAL(f));
	free(REAL(f));
	return rc;
}
static int
f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (strikes((struct faulty_file *)f, false))
		return fault == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}
static int
f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}
static int
f_sync(sqlite3_file *f, int flags)
{
	if (strikes((struct faulty_file *)f, true)) {
		((struct faulty_file *)f)->sync_failed = true;
		return SQLITE_IOERR_FSYNC;
	}
	return REAL(f)->pMethods->xSync(REAL(f), flags);
}
static int
f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}
static int
f_lock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xLock(REAL(f), l);
}
static int
f_unlock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), l);
}
static int
f_check(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int
f_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int
f_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}
static int
f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	if (fault == FAULT_INDEX)
		return SQLITE_IOERR_SHMSIZE;
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}
static int
f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}
static void
f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}
static int
f_shm_unmap(sqlite3_file *f, int unlink_it)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), unlink_it);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_check,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap};

static int
v_open(sqlite3_vfs *v, const char *name, sqlite3_file *out, int flags, int *out_flags)
{
	(void)v;
	struct faulty_file *f = (struct faulty_file *)out;
	if (fault == FAULT_OPEN) {
		*f = (struct faulty_file){0};
		return SQLITE_CANTOPEN;
	}
	*f = (struct faulty_file){.real = calloc(1, (size_t)real_vfs->szOsFile)};
	int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out_flags);
	if (rc != SQLITE_OK) {
		free(f->real);
		return rc;
	}
	snprintf(f->name, sizeof f->name, "%s", name ? name : "");
	f->base.pMethods = &methods;
	return rc;
}

static sqlite3_vfs faulty;

static int
setup(void **state)
{
	(void)state;
	real_vfs = sqlite3_vfs_find(NULL);
	faulty = *real_vfs;
	faulty.zName = "faulty";
	faulty.szOsFile = sizeof(struct faulty_file);
	faulty.xOpen = v_open;
	faulty.pNext = NULL;
	return sqlite3_vfs_register(&faulty, 1);
}

static void
strike(enum fault kind, int after, const char *file)
{
	fault_after = after;
	snprintf(fault_file, sizeof fault_file, "%s", file);
	fault = kind;
}

static uint64_t
read_all(struct journal *j)
{
	struct journal_reader *r = journal_reader_new(j);
	struct journal_event e;
	uint64_t at = 0, n = 0, seq = 0;
	while (journal_read(r, &at, GRADE_WATCH, &e) == 1) {
		assert_int_equal(at, ++n);
		assert_int_equal(e.from, seq + 1);
		seq = e.to;
	}
	assert_int_equal(at, journal_head(j));
	journal_reader_free(r);
	return seq;
}

/* A commit fails at every one of its writes and syncs in turn: the events are in the fresh file, once,
 * whatever the old one holds, now and after a restart. */
static void
test_every_failing_call(void **state)
{
	(void)state;
	static const enum fault kinds[] = {FAULT_WRITE, FAULT_SYNC, FAULT_FULL};
	unsigned struck = 0;
	for (unsigned i = 0; i < 24; i++) {
		char *dir = folder_new(), err[256];
		struct journal *j = journal_of(dir, BIG, BIG);
		struct journal_status s;
		uint64_t entries, acked;
		bad_retries = 0;
		commit_range(j, EPOCH_A, 0, 1, 20, 5, GRADE_WATCH, 300);
		assert_int_equal(journal_subscribe(j, "me", 3, 1, &acked), 0);
		strike(kinds[i % 3], (int)(i / 3), "journal-000001.db-wal");
		commit_range(j, EPOCH_A, 0, 21, 30, 10, GRADE_PAUSE, 300);
		fault = FAULT_NONE;
		journal_status_get(j, &s);
		struck += s.failures > 0;
		assert_int_equal(s.files, 1 + s.failures);
		assert_false(s.down);
		commit_range(j, EPOCH_A, 0, 31, 40, 10, GRADE_WATCH, 300);
		assert_int_equal(read_all(j), 40);
		assert_int_equal(bad_retries, 0);
		journal_close(j);
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_head(j), 40);
		assert_int_equal(read_all(j), 40);
		assert_int_equal(journal_subscribe(j, "me", 0, 1, &acked), 0);
		assert_int_equal(acked, 3);
		journal_status_get(j, &s);
		assert_int_equal(s.events, 40);
		journal_close(j);
		assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
		folder_free(dir);
	}
	assert_true(struck >= 12);
}

static void
test_down_and_up(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, BIG, BIG);
	struct journal_status s;
	struct batch b;
	uint64_t entries;
	assert_int_equal(batch_new(&b), 0);
	commit_range(j, EPOCH_A, 0, 1, 20, 5, GRADE_WATCH, 300);
	strike(FAULT_FULL, 0, "");
	add_record(&b, EPOCH_A, 0, 21, GRADE_PAUSE, 50);
	add_record(&b, EPOCH_A, 0, 22, GRADE_WATCH, 50);
	assert_int_equal(journal_commit(j, &b, 100 * SECOND), -EIO);
	assert_int_equal(b.n, 2);
	journal_status_get(j, &s);
	assert_true(s.down);
	assert_string_not_equal(s.failure, "");
	assert_int_equal(count_files(dir), 1);
	assert_int_equal(journal_head(j), 20);
	batch_shed(&b);
	add_record(&b, EPOCH_A, 0, 23, GRADE_PAGE, 50);
	/* not again before it is time, even with room */
	fault = FAULT_NONE;
	assert_false(journal_wants(j, 101 * SECOND));
	assert_int_equal(journal_commit(j, &b, 101 * SECOND), -EIO);
	/* reading goes on */
	assert_int_equal(read_all(j), 20);
	/* a retry that fails again */
	strike(FAULT_SYNC, 0, "");
	assert_true(journal_wants(j, 106 * SECOND));
	assert_int_equal(journal_commit(j, &b, 106 * SECOND), -EIO);
	assert_int_equal(count_files(dir), 1);
	fault = FAULT_NONE;
	assert_false(journal_wants(j, 110 * SECOND));
	/* the clock is set back by more than there is to wait: it is time at once, not in an hour */
	assert_true(journal_wants(j, 50 * SECOND));
	assert_int_equal(journal_commit(j, &b, 50 * SECOND), 0);
	assert_int_equal(b.n, 0);
	journal_status_get(j, &s);
	assert_false(s.down);
	assert_int_equal(journal_head(j), 23);
	assert_int_equal(read_all(j), 23);
	struct journal_progress p;
	journal_ring(j, EPOCH_A, 0, &p);
	assert_int_equal(p.journaled, 22);
	assert_int_equal(p.lost, 1);
	batch_free(&b);
	journal_close(j);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	folder_free(dir);
}

/* The database fails on what the front has told: it is told no other way, becomes no loss, and is in the database under the same cursors once there is
 * room. */
static void
test_front_then_down(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, BIG, BIG);
	struct journal_status s;
	struct batch b;
	uint64_t entries, acked;
	assert_int_equal(batch_new(&b), 0);
	commit_range(j, EPOCH_A, 0, 1, 20, 5, GRADE_WATCH, 300);
	assert_int_equal(journal_subscribe(j, "me", 20, 1, &acked), 0);
	strike(FAULT_FULL, 0, "");
	add_record(&b, EPOCH_A, 0, 21, GRADE_PAUSE, 50);
	add_record(&b, EPOCH_A, 0, 22, GRADE_WATCH, 50);
	assert_true(journal_front(j, &b, 100 * SECOND));
	assert_int_equal(journal_commit(j, &b, 100 * SECOND), -EIO);
	journal_status_get(j, &s);
	assert_true(s.down);
	assert_int_equal(s.head, 22);
	assert_int_equal(journal_head(j), 22);
	assert_int_equal(journal_ack(j, "me", 22), 0);
	for (uint64_t seq = 23; seq < 1200; seq++) {
		if (batch_room(&b) < 8)
			batch_shed(&b);
		add_record(&b, EPOCH_A, 0, seq, seq % 2 ? GRADE_PAUSE : GRADE_WATCH, 50);
		assert_false(journal_front(j, &b, 101 * SECOND));
	}
	batch_shed(&b);
	assert_int_equal(b.e[0].record.seq, 21);
	assert_int_equal(b.e[1].record.seq, 22);
	assert_false(b.e[1].loss);
	fault = FAULT_NONE;
	assert_int_equal(journal_commit(j, &b, 106 * SECOND), 0);
	assert_int_equal(read_all(j), 1199);
	struct journal_reader *r = journal_reader_new(j);
	struct journal_event e;
	for (uint64_t at = 20; at < 22;) {
		uint64_t was = at;
		assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), 1);
		assert_int_equal(e.from, was + 1);
		assert_int_equal(e.t_journaled_ns, 100 * SECOND);
		assert_false(e.loss);
	}
	journal_reader_free(r);
	/* and the front is used again */
	add_record(&b, EPOCH_A, 0, 1200, GRADE_WATCH, 50);
	assert_true(journal_front(j, &b, 107 * SECOND));
	assert_int_equal(journal_commit(j, &b, 107 * SECOND), 0);
	batch_free(&b);
	journal_close(j);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	folder_free(dir);
}

/* No next file can be made: the old one goes on, nothing fails. */
static void
test_rotation_fails(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, 50000, BIG);
	struct journal_status s;
	strike(FAULT_FULL, 0, "journal-000002.db");
	commit_range(j, EPOCH_A, 0, 1, 100, 20, GRADE_WATCH, 300);
	journal_status_get(j, &s);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.rotations, 0);
	assert_false(s.down);
	fault = FAULT_NONE;
	commit_range(j, EPOCH_A, 0, 101, 120, 1, GRADE_WATCH, 300);
	journal_status_get(j, &s);
	assert_true(s.rotations > 0);
	assert_int_equal(read_all(j), 120);
	journal_close(j);
	folder_free(dir);
}

/* A start on a broken disk says what to mend, and never to give up what is on it. */
static void
test_start(void **state)
{
	(void)state;
	static const struct {
		enum fault kind;
		bool whole;
		const char *says;
	} table[] = {{FAULT_INDEX, true, "its disk is full"}, {FAULT_INDEX, false, "its disk is full"}, {FAULT_FULL, false, "make room"},
		{FAULT_SYNC, false, "its disk is full (df) or fails"}, {FAULT_OPEN, true, "belong to this user"}, {FAULT_OPEN, false, "belong to this user"}};
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		char *dir = folder_new(), err[512] = "";
		struct journal_options o = {.dir = dir, .file_bytes = BIG, .keep_bytes = BIG};
		if (table[i].whole) {
			struct journal *j = journal_of(dir, BIG, BIG);
			commit_range(j, EPOCH_A, 0, 1, 20, 5, GRADE_PAUSE, 300);
			journal_close(j);
		}
		strike(table[i].kind, 0, "");
		assert_null(journal_open(&o, err, sizeof err));
		fault = FAULT_NONE;
		if (strstr(err, table[i].says) == NULL || strstr(err, "move it") != NULL)
			fail_msg("%s", err);
		struct journal *j = journal_of(dir, BIG, BIG);
		assert_int_equal(read_all(j), table[i].whole ? 20 : 0);
		journal_close(j);
		folder_free(dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_failing_call),
		cmocka_unit_test(test_down_and_up),
		cmocka_unit_test(test_front_then_down),
		cmocka_unit_test(test_rotation_fails),
		cmocka_unit_test(test_start),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
