/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 1000

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE alerts(cursor INTEGER PRIMARY KEY, epoch BLOB NOT NULL, ring INTEGER NOT NULL, seq "
	"INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, grade INTEGER NOT NULL, rule_id INTEGER NOT NULL, rule_rev INTEGER NOT "
	"NULL, rule_name TEXT,"
	" generation INTEGER NOT NULL, hash BLOB, dedupekey BLOB NOT NULL, t_wire_ns INTEGER NOT NULL,"
	" t_emitted_ns INTEGER NOT NULL, t_journaled_ns INTEGER NOT NULL, record BLOB NOT NULL, "
	"vet BLOB, vetted INTEGER NOT NULL, UNIQUE(epoch, ring, seq, vetted));"
	"CREATE INDEX alerts_vet ON alerts(cursor) WHERE vet IS NOT NULL;"
	"CREATE INDEX alerts_pause ON alerts(cursor) WHERE grade = 3;"
	"CREATE TABLE losses(cursor INTEGER PRIMARY KEY, epoch BLOB NOT NULL, ring INTEGER NOT NULL, "
	"seq_from INTEGER NOT NULL,"
	" seq_to INTEGER NOT NULL, reason TEXT NOT NULL, t_journaled_ns INTEGER NOT NULL);"
	"CREATE TABLE evidence(cursor INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
	"CREATE TABLE progress(epoch BLOB NOT NULL, ring INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
	" journaled INTEGER NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY(epoch, ring));"
	"CREATE TABLE consumers(name TEXT PRIMARY KEY, start INTEGER NOT NULL, start_rows INTEGER NOT NULL,"
	" acked INTEGER NOT NULL, expired INTEGER NOT NULL, created_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE audit(n INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT "
	"NOT NULL,"
	" prev BLOB NOT NULL, hash BLOB NOT NULL);";

static const char *const statements[STATEMENTS] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_ALERT] = ("INSERT INTO alerts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)"
		      " ON CONFLICT(epoch, ring, seq, vetted) DO NOTHING"),
	[ST_EVIDENCE] = "INSERT INTO evidence VALUES(?1,?2)",
	[ST_LOSS] = "INSERT INTO losses VALUES(?1,?2,?3,?4,?5,?6,?7)",
	/* rowid order is order of appearance: the newest rings are those that a restart needs. Not REPLACE, which would write a page of the index too, in
	 * every commit. */
	[ST_PROGRESS] =
		"INSERT INTO progress(epoch, ring, last_seq, journaled, lost) VALUES(?1,?2,?3,?4,?5)"
		" ON CONFLICT(epoch, ring) DO UPDATE SET last_seq = ?3, journaled = ?4, lost = ?5",
	[ST_CONSUMER] = "REPLACE INTO consumers VALUES(?1,?2,?3,?4,?5,?6)",
	[ST_CONSUMER_GONE] = "DELETE FROM consumers WHERE name = ?1",
	[ST_AUDIT] = "INSERT INTO audit VALUES(?1,?2,?3,?4,?5,?6)",
};

void
journal_path(const struct journal *j, uint32_t no, char out[JOURNAL_PATH_MAX])
{
	snprintf(out, JOURNAL_PATH_MAX, "%s/journal-%06" PRIu32 ".db", j->dir, no);
}

int
journal_connect(const char *path, bool create, bool readonly, sqlite3 **db)
{
	int flags = SQLITE_OPEN_NOMUTEX | (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	if (create)
		flags |= SQLITE_OPEN_CREATE;
	int rc = sqlite3_open_v2(path, db, flags, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(*db, BUSY_MS);
		sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_extended_result_codes(*db, 1);
		/* temp_store: what is sorted may not go to a file, which this process could not make */
		rc = sqlite3_exec(*db,
			"PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;",
			NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK && !readonly)
		rc = sqlite3_exec(*db, "PRAGMA journal_mode=WAL;", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return rc;
}

/* What is moved away takes with it what nobody has acknowledged yet: only what cannot be read by any means is. */
const char *
journal_advice(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return "move it (and its -wal) out of the folder to go on without what it holds";
	case SQLITE_FULL:
		return "make room on its disk; take no file of the journal away";
	case SQLITE_IOERR:
		return "its disk is full (df) or fails (dmesg): mend that; take no file of the journal away";
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "the folder and its files must belong to this user, on a file system mounted for writing (findmnt -T); take no file of the journal away";
	default:
		return "try again; take no file of the journal away";
	}
}

static int
prepare_all(struct journal_db *f)
{
	for (unsigned i = 0; i < STATEMENTS; i++) {
		int rc = sqlite3_prepare_v3(
			f->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &f->st[i], NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

void
file_close(struct journal_db *f)
{
	for (unsigned i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(f->st[i]);
	sqlite3_close(f->db);
	*f = (struct journal_db){0};
}

int
step(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int
write_consumer(struct journal_db *f, const struct journal_consumer *c)
{
	sqlite3_stmt *s = f->st[ST_CONSUMER];
	sqlite3_bind_text(s, 1, c->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)c->start);
	sqlite3_bind_int64(s, 3, (int64_t)c->start_rows);
	sqlite3_bind_int64(s, 4, (int64_t)c->acked);
	sqlite3_bind_int64(s, 5, (int64_t)c->expired);
	sqlite3_bind_int64(s, 6, (int64_t)c->created_ns);
	return step(s);
}

int
write_progress(struct journal_db *f, const struct journal_progress *p)
{
	sqlite3_stmt *s = f->st[ST_PROGRESS];
	sqlite3_bind_blob(s, 1, p->epoch, sizeof p->epoch, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, p->ring_id);
	sqlite3_bind_int64(s, 3, (int64_t)p->last_seq);
	sqlite3_bind_int64(s, 4, (int64_t)p->journaled);
	sqlite3_bind_int64(s, 5, (int64_t)p->lost);
	return step(s);
}

static int
write_meta(sqlite3 *db, const char *key, int64_t value, const uint8_t *blob)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, "INSERT INTO meta VALUES(?1,?2)", -1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	if (blob != NULL)
		sqlite3_bind_blob(s, 2, blob, AUDIT_HASH_BYTES, SQLITE_STATIC);
	else
		sqlite3_bind_int64(s, 2, value);
	rc = step(s);
	sqlite3_finalize(s);
	return rc;
}

/* What the file takes over from those before it. */
static int
write_heritage(struct journal *j, struct journal_db *f)
{
	const struct journal_state *s = &j->state;
	int rc = write_meta(f->db, "journal_id", j->id, NULL);
	if (rc == SQLITE_OK)
		rc = write_meta(f->db, "first_cursor", (int64_t)s->head + 1, NULL);
	if (rc == SQLITE_OK)
		rc = write_meta(f->db, "rows_before", (int64_t)s->rows, NULL);
	if (rc == SQLITE_OK)
		rc = write_meta(f->db, "audit_before", (int64_t)s->audit_n, NULL);
	if (rc == SQLITE_OK)
		rc = write_meta(f->db, "audit_hash", 0, s->audit_hash);
	for (uint32_t i = 0; i < s->n_progress && rc == SQLITE_OK; i++)
		rc = write_progress(f, &s->progress[i]);
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->n_consumers && rc == SQLITE_OK; i++)
		if (!j->consumers[i].gone)
			rc = write_consumer(f, &j->consumers[i].c);
	pthread_mutex_unlock(&j->lock);
	return rc;
}

static int
build(struct journal *j, const char *path, struct journal_db *f)
{
	int rc = journal_connect(path, true, false, &f->db);
	if (rc != SQLITE_OK)
		return rc;
	char pragmas[128];
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		JOURNAL_APPLICATION_ID, JOURNAL_FORMAT);
	rc = sqlite3_exec(f->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(f->db, pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(f->db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = prepare_all(f);
	if (rc == SQLITE_OK)
		rc = write_heritage(j, f);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(f->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

int
file_create(struct journal *j, uint32_t no, struct journal_db *out, char *err, size_t cap)
{
	char path[JOURNAL_PATH_MAX];
	journal_path(j, no, path);
	*out = (struct journal_db){0};
	if (access(path, F_OK) == 0) {
		snprintf(err, cap, "%s is in the way", path);
		return -EIO;
	}
	int rc = build(j, path, out);
	/* The file's name must survive too. */
	if (rc == SQLITE_OK && fsync(j->dir_fd) == 0) {
		wal_watch(j, out->db);
		return 0;
	}
	if (rc != SQLITE_OK)
		snprintf(err, cap, "cannot make %s: %s; %s", path, sqlite3_errstr(rc), journal_advice(rc));
	else
		snprintf(err, cap, "cannot make %s: %s", path, strerror(errno));
	file_close(out);
	file_unlink(j, no);
	return -EIO;
}

int
file_open(struct journal *j, uint32_t no, struct journal_db *out, char *err, size_t cap)
{
	char path[JOURNAL_PATH_MAX];
	journal_path(j, no, path);
	*out = (struct journal_db){0};
	int rc = journal_connect(path, false, false, &out->db);
	if (rc == SQLITE_OK)
		rc = prepare_all(out);
	if (rc == SQLITE_OK) {
		wal_watch(j, out->db);
		return 0;
	}
	snprintf(err, cap, "cannot open %s: %s; %s", path, sqlite3_errstr(rc), journal_advice(rc));
	file_close(out);
	return -EIO;
}

void
file_unlink(const struct journal *j, uint32_t no)
{
	char path[JOURNAL_PATH_MAX], side[JOURNAL_PATH_MAX + 8];
	journal_path(j, no, path);
	unlink(path);
	snprintf(side, sizeof side, "%s-wal", path);
	unlink(side);
	snprintf(side, sizeof side, "%s-shm", path);
	unlink(side);
}

uint64_t
file_bytes(const struct journal *j, uint32_t no)
{
	char path[JOURNAL_PATH_MAX], wal[JOURNAL_PATH_MAX + 8];
	struct stat st;
	uint64_t n = 0;
	journal_path(j, no, path);
	snprintf(wal, sizeof wal, "%s-wal", path);
	if (stat(path, &st) == 0)
		n += (uint64_t)st.st_size;
	if (stat(wal, &st) == 0 && (uint64_t)st.st_size > wal_room(j))
		n += (uint64_t)st.st_size - wal_room(j);
	return n;
}

/* ---- reading a file at start ---- */

static int
one_int(sqlite3 *db, const char *sql, uint64_t *out)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_EMPTY : rc;
}

#define META(key) "SELECT value FROM meta WHERE key = '" key "'"
#define LAST_CURSOR                                                                                         \
	"SELECT max(ifnull((SELECT max(cursor) FROM alerts), 0), ifnull((SELECT max(cursor) FROM losses), " \
	"0))"

static int
scan(sqlite3 *db, struct journal_file *out, uint32_t *id)
{
	uint64_t tables = 0, v = 0, app = 0, format = 0;
	int rc = one_int(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", &tables);
	if (rc == SQLITE_OK && tables == 0)
		return SQLITE_EMPTY;
	if (rc == SQLITE_OK)
		rc = one_int(db, "PRAGMA application_id", &app);
	if (rc == SQLITE_OK)
		rc = one_int(db, "PRAGMA user_version", &format);
	if (rc == SQLITE_OK && (app != JOURNAL_APPLICATION_ID || format != JOURNAL_FORMAT))
		return SQLITE_NOTADB;
	if (rc == SQLITE_OK)
		rc = one_int(db, META("journal_id"), &v);
	*id = (uint32_t)v;
	if (rc == SQLITE_OK)
		rc = one_int(db, META("first_cursor"), &out->first);
	if (rc == SQLITE_OK)
		rc = one_int(db, LAST_CURSOR, &out->last);
	if (rc == SQLITE_OK)
		rc = one_int(
			db, "SELECT ifnull(max(cursor), 0) FROM alerts WHERE grade = 3", &out->pause_last);
	if (rc == SQLITE_OK && out->last == 0)
		out->last = out->first - 1;
	return rc;
}

int
file_scan(const struct journal *j, uint32_t no, struct journal_file *out, uint32_t *id, char *err, size_t cap)
{
	char path[JOURNAL_PATH_MAX];
	sqlite3 *db;
	journal_path(j, no, path);
	*out = (struct journal_file){.no = no};
	int rc = journal_connect(path, false, false, &db);
	if (rc == SQLITE_OK) {
		rc = scan(db, out, id);
		sqlite3_close(db);
	}
	out->bytes = file_bytes(j, no);
	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_EMPTY)
		return -ENODATA;
	snprintf(err, cap, "cannot read %s: %s; %s", path, rc == SQLITE_NOTADB ? "it is not a journal of this version" : sqlite3_errstr(rc), journal_advice(rc));
	return -EIO;
}

static int
load_progress(struct journal *j, sqlite3 *db)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db,
		"SELECT epoch, ring, last_seq, journaled, lost FROM (SELECT rowid AS r, * FROM progress"
		" ORDER BY rowid DESC LIMIT 256) ORDER BY r",
		-1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	struct journal_state *st = &j->state;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && st->n_progress < JOURNAL_PROGRESS_MAX) {
		struct journal_progress *p = &st->progress[st->n_progress];
		if (sqlite3_column_bytes(s, 0) != sizeof p->epoch)
			continue;
		memcpy(p->epoch, sqlite3_column_blob(s, 0), sizeof p->epoch);
		p->ring_id = (uint32_t)sqlite3_column_int64(s, 1);
		p->last_seq = (uint64_t)sqlite3_column_int64(s, 2);
		p->journaled = (uint64_t)sqlite3_column_int64(s, 3);
		p->lost = (uint64_t)sqlite3_column_int64(s, 4);
		st->n_progress++;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
load_consumers(struct journal *j, sqlite3 *db)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db,
		"SELECT name, start, start_rows, acked, expired, created_ns FROM consumers", -1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && j->n_consumers < JOURNAL_CONSUMERS_MAX) {
		struct journal_consumer *c = &j->consumers[j->n_consumers].c;
		const char *name = (const char *)sqlite3_column_text(s, 0);
		if (name == NULL || !journal_name_ok(name))
			continue;
		snprintf(c->name, sizeof c->name, "%s", name);
		c->start = (uint64_t)sqlite3_column_int64(s, 1);
		c->start_rows = (uint64_t)sqlite3_column_int64(s, 2);
		c->acked = (uint64_t)sqlite3_column_int64(s, 3);
		c->expired = (uint64_t)sqlite3_column_int64(s, 4);
		c->created_ns = (uint64_t)sqlite3_column_int64(s, 5);
		j->n_consumers++;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int
load_audit(struct journal *j, sqlite3 *db)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db,
		"SELECT n, hash FROM (SELECT n, hash FROM audit UNION ALL SELECT"
		" (SELECT value FROM meta WHERE key='audit_before'), (SELECT value FROM meta WHERE "
		"key='audit_hash'))"
		" ORDER BY n DESC LIMIT 1",
		-1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(s, 1) == AUDIT_HASH_BYTES) {
		j->state.audit_n = (uint64_t)sqlite3_column_int64(s, 0);
		memcpy(j->state.audit_hash, sqlite3_column_blob(s, 1), AUDIT_HASH_BYTES);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_ROW) {
		rc = SQLITE_CORRUPT;
	}
	sqlite3_finalize(s);
	return rc;
}

int
file_load_state(struct journal *j, struct journal_db *f, char *err, size_t cap)
{
	uint64_t here = 0;
	int rc = one_int(f->db, META("rows_before"), &j->state.rows);
	if (rc == SQLITE_OK)
		rc = one_int(
			f->db, "SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM losses)", &here);
	j->state.rows += here;
	if (rc == SQLITE_OK)
		rc = load_audit(j, f->db);
	if (rc == SQLITE_OK)
		rc = load_progress(j, f->db);
	if (rc == SQLITE_OK)
		rc = load_consumers(j, f->db);
	if (rc == SQLITE_OK)
		return 0;
	snprintf(err, cap, "cannot read the newest journal file: %s; %s", sqlite3_errstr(rc), journal_advice(rc));
	return -EIO;
}
