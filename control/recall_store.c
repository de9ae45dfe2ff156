/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/recall_store.h"

#include "abi/log.h"
#include "control/journal_private.h"
#include "control/recall_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x534e5453 /* "SNTS" */
#define FORMAT (1000 + MEMORY_VERSION)

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE armed(slot INTEGER PRIMARY KEY, heard_ns INTEGER NOT NULL, entry BLOB NOT NULL);"
	"CREATE TABLE incidents(slot INTEGER PRIMARY KEY, heard_ns INTEGER NOT NULL, entry BLOB NOT NULL);"
	"CREATE TABLE watch(address BLOB PRIMARY KEY, note TEXT NOT NULL, added_ns INTEGER NOT NULL, uid "
	"INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE untold(n INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, detail "
	"TEXT NOT NULL);";

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql, int *rc)
{
	sqlite3_stmt *s = NULL;
	if (*rc == SQLITE_OK)
		*rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
	return s;
}

/* ---- reading ---- */

/* SQLITE_DONE is SQLITE_OK. */
static int
finish_reading(sqlite3_stmt *s, int rc)
{
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
meta(sqlite3 *db, const char *key, uint64_t *out)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s = prepare(db, "SELECT value FROM meta WHERE key = ?1", &rc);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	*out = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
	return finish_reading(s, rc == SQLITE_ROW ? SQLITE_DONE : rc);
}

static int
load_entries(sqlite3 *db, struct recall_table *t, bool armed)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s = prepare(db,
		armed ? "SELECT slot, heard_ns, entry FROM armed ORDER BY heard_ns, slot"
		      : "SELECT slot, heard_ns, entry FROM incidents ORDER BY heard_ns, slot",
		&rc);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		union {
			struct memory_armed armed;
			struct memory_incident live;
		} e;
		int n = armed ? (int)sizeof e.armed : (int)sizeof e.live;
		int64_t slot = sqlite3_column_int64(s, 0);
		uint64_t heard = (uint64_t)sqlite3_column_int64(s, 1);
		rc = SQLITE_OK;
		if (slot < 0 || slot > UINT32_MAX || sqlite3_column_bytes(s, 2) != n)
			continue;
		memcpy(&e, sqlite3_column_blob(s, 2), (size_t)n);
		if (armed)
			recall_table_load_armed(t, (uint32_t)slot, heard, &e.armed);
		else
			recall_table_load_live(t, (uint32_t)slot, heard, &e.live);
	}
	return finish_reading(s, rc);
}

static void
take_text(sqlite3_stmt *s, int column, char *out, size_t cap)
{
	const char *text = (const char *)sqlite3_column_text(s, column);
	snprintf(out, cap, "%s", text ? text : "");
}

static int
load_watch(sqlite3 *db, struct recall_table *t, struct recall_kept *k)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s =
		prepare(db, "SELECT address, note, added_ns, uid FROM watch ORDER BY added_ns, address", &rc);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct recall_watch *w = &k->watch[k->n_watch];
		rc = SQLITE_OK;
		if (k->n_watch == RECALL_WATCH_MAX || sqlite3_column_bytes(s, 0) != sizeof w->address)
			continue;
		memcpy(w->address, sqlite3_column_blob(s, 0), sizeof w->address);
		take_text(s, 1, w->note, sizeof w->note);
		w->added_ns = (uint64_t)sqlite3_column_int64(s, 2);
		w->uid = (uint32_t)sqlite3_column_int64(s, 3);
		/* The list is what counts: its entries in the table may be there already. */
		int put = recall_table_watch(t, w->address, w->added_ns);
		k->n_watch += put == 0 || put == -EEXIST;
	}
	return finish_reading(s, rc);
}

static int
load_untold(sqlite3 *db, struct recall_kept *k)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s = prepare(db, "SELECT n, time_ns, kind, detail FROM untold ORDER BY n", &rc);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		if (k->n_untold == RECALL_UNTOLD_MAX)
			continue;
		struct recall_untold *u = &k->untold[k->n_untold++];
		*u = (struct recall_untold){.n = (uint64_t)sqlite3_column_int64(s, 0),
			.time_ns = (uint64_t)sqlite3_column_int64(s, 1),
			.kept = true};
		take_text(s, 2, u->kind, sizeof u->kind);
		take_text(s, 3, u->detail, sizeof u->detail);
	}
	return finish_reading(s, rc);
}

static int
load(sqlite3 *db, struct recall_table *t, struct recall_kept *k)
{
	uint64_t id = 0;
	int rc = meta(db, "journal_id", &id);
	k->journal_id = (uint32_t)id;
	if (rc == SQLITE_OK)
		rc = meta(db, "cursor", &k->cursor);
	if (rc == SQLITE_OK)
		rc = meta(db, "last_untold", &k->last_untold);
	if (rc == SQLITE_OK)
		rc = load_entries(db, t, true);
	if (rc == SQLITE_OK)
		rc = load_entries(db, t, false);
	if (rc == SQLITE_OK)
		rc = load_watch(db, t, k);
	if (rc == SQLITE_OK)
		rc = load_untold(db, k);
	recall_pool_settled(&t->armed_pool);
	recall_pool_settled(&t->live_pool);
	return rc;
}

/* ---- opening ---- */

static int
number(sqlite3 *db, const char *sql)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s = prepare(db, sql, &rc);
	int v = rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
	sqlite3_finalize(s);
	return v;
}

static int
make(sqlite3 *db)
{
	char pragmas[128];
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d;", APPLICATION_ID,
		FORMAT);
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
	return rc == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : rc;
}

static int
open_once(struct recall_store *s, struct recall_table *t, struct recall_kept *k)
{
	bool there = access(s->path, F_OK) == 0;
	int rc = journal_connect(s->path, !there, false, &s->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "PRAGMA wal_autocheckpoint=1000", NULL, NULL, NULL);
	bool empty = rc == SQLITE_OK && number(s->db, "SELECT count(*) FROM sqlite_schema") == 0;
	if (rc == SQLITE_OK && empty)
		rc = make(s->db);
	else if (rc == SQLITE_OK && (number(s->db, "PRAGMA application_id") != APPLICATION_ID ||
					    number(s->db, "PRAGMA user_version") != FORMAT))
		rc = SQLITE_NOTADB;
	if (rc == SQLITE_OK)
		rc = load(s->db, t, k);
	return rc;
}

static void
move_aside(const struct recall_store *s)
{
	static const char *const sides[] = {"", "-wal", "-shm"};
	char from[sizeof s->path + 8], to[sizeof s->path + 16];
	for (unsigned i = 0; i < 3; i++) {
		snprintf(from, sizeof from, "%s%s", s->path, sides[i]);
		snprintf(to, sizeof to, "%s.bad%s", s->path, sides[i]);
		rename(from, to);
	}
}

static bool
is_broken(int rc)
{
	rc &= 0xff;
	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT || rc == SQLITE_ERROR || rc == SQLITE_FORMAT;
}

int
recall_store_open(struct recall_store *s, const char *dir, struct recall_table *t, struct recall_kept *k,
	char *err, size_t cap)
{
	*s = (struct recall_store){0};
	snprintf(s->path, sizeof s->path, "%s/state.sqlite", dir);
	int rc = open_once(s, t, k);
	if (is_broken(rc)) {
		LOG(LOG_WARN, "%s cannot be read (%s): moved aside as state.sqlite.bad. What is "
			"armed is read from the journal again; "
			"operators' watch list starts with what could be read of it (%" PRIu32
			" contracts)",
			s->path, sqlite3_errstr(rc), k->n_watch);
		recall_store_close(s);
		move_aside(s);
		k->cursor = 0;
		k->watch_changed = true;
		rc = journal_connect(s->path, true, false, &s->db);
		if (rc == SQLITE_OK)
			rc = make(s->db);
		for (uint32_t i = 0; i < t->armed_pool.n; i++)
			if (t->armed_pool.list[i] != RECALL_FREE)
				recall_pool_changed(&t->armed_pool, i);
		for (uint32_t i = 0; i < t->live_pool.n; i++)
			if (t->live_pool.list[i] != RECALL_FREE)
				recall_pool_changed(&t->live_pool, i);
	}
	if (rc == SQLITE_OK)
		return 0;
	snprintf(err, cap, "cannot use %s: %s; %s", s->path, sqlite3_errstr(rc), journal_advice(rc));
	recall_store_close(s);
	return -EIO;
}

void
recall_store_close(struct recall_store *s)
{
	if (s->db != NULL)
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(s->db);
	s->db = NULL;
}

/* ---- writing ---- */

static int
put_meta(sqlite3 *db, const char *key, uint64_t value)
{
	int rc = SQLITE_OK;
	sqlite3_stmt *s = prepare(db, "REPLACE INTO meta VALUES(?1, ?2)", &rc);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)value);
	return finish_reading(s, sqlite3_step(s));
}

static int
put_entries(sqlite3 *db, const struct recall_table *t, bool armed)
{
	const struct recall_pool *p = armed ? &t->armed_pool : &t->live_pool;
	int rc = SQLITE_OK;
	sqlite3_stmt *put = prepare(db,
		armed ? "REPLACE INTO armed VALUES(?1, ?2, ?3)" : "REPLACE INTO incidents VALUES(?1, ?2, ?3)",
		&rc);
	sqlite3_stmt *gone = prepare(db,
		armed ? "DELETE FROM armed WHERE slot = ?1" : "DELETE FROM incidents WHERE slot = ?1", &rc);
	for (uint32_t i = 0; i < p->n_dirty && rc == SQLITE_OK; i++) {
		uint32_t slot = p->dirty[i];
		if (p->list[slot] == RECALL_FREE) {
			sqlite3_bind_int64(gone, 1, slot);
			rc = step(gone);
			continue;
		}
		sqlite3_bind_int64(put, 1, slot);
		sqlite3_bind_int64(put, 2, (int64_t)p->heard[slot]);
		if (armed)
			sqlite3_bind_blob(put, 3, &t->armed[slot], sizeof t->armed[slot], SQLITE_STATIC);
		else
			sqlite3_bind_blob(put, 3, &t->live[slot], sizeof t->live[slot], SQLITE_STATIC);
		rc = step(put);
	}
	sqlite3_finalize(put);
	sqlite3_finalize(gone);
	return rc;
}

static int
put_watch(sqlite3 *db, const struct recall_kept *k)
{
	int rc = k->watch_changed ? sqlite3_exec(db, "DELETE FROM watch", NULL, NULL, NULL) : SQLITE_OK;
	sqlite3_stmt *s = prepare(db, "INSERT INTO watch VALUES(?1, ?2, ?3, ?4)", &rc);
	for (uint32_t i = 0; k->watch_changed && i < k->n_watch && rc == SQLITE_OK; i++) {
		const struct recall_watch *w = &k->watch[i];
		sqlite3_bind_blob(s, 1, w->address, sizeof w->address, SQLITE_STATIC);
		sqlite3_bind_text(s, 2, w->note, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 3, (int64_t)w->added_ns);
		sqlite3_bind_int64(s, 4, w->uid);
		rc = step(s);
	}
	sqlite3_finalize(s);
	return rc;
}

/* The list is short: the table is what it is, whole. */
static int
put_untold(sqlite3 *db, const struct recall_kept *k)
{
	int rc = sqlite3_exec(db, "DELETE FROM untold", NULL, NULL, NULL);
	sqlite3_stmt *s = prepare(db, "INSERT INTO untold VALUES(?1, ?2, ?3, ?4)", &rc);
	for (uint32_t i = 0; i < k->n_untold && rc == SQLITE_OK; i++) {
		const struct recall_untold *u = &k->untold[i];
		sqlite3_bind_int64(s, 1, (int64_t)u->n);
		sqlite3_bind_int64(s, 2, (int64_t)u->time_ns);
		sqlite3_bind_text(s, 3, u->kind, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 4, u->detail, -1, SQLITE_STATIC);
		rc = step(s);
	}
	sqlite3_finalize(s);
	return rc;
}

static int
write_all(sqlite3 *db, const struct recall_table *t, const struct recall_kept *k)
{
	int rc = put_entries(db, t, true);
	if (rc == SQLITE_OK)
		rc = put_entries(db, t, false);
	if (rc == SQLITE_OK)
		rc = put_watch(db, k);
	if (rc == SQLITE_OK)
		rc = put_untold(db, k);
	if (rc == SQLITE_OK)
		rc = put_meta(db, "journal_id", k->journal_id);
	if (rc == SQLITE_OK)
		rc = put_meta(db, "cursor", k->cursor);
	if (rc == SQLITE_OK)
		rc = put_meta(db, "last_untold", k->last_untold);
	return rc;
}

int
recall_store_write(struct recall_store *s, struct recall_table *t, struct recall_kept *k, bool durable)
{
	if (s->db == NULL)
		return -EIO;
	int rc = sqlite3_exec(
		s->db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		rc = write_all(s->db, t, k);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	if (rc != SQLITE_OK) {
		s->failures++;
		snprintf(s->failure, sizeof s->failure, "%s", sqlite3_errstr(rc));
		return -EIO;
	}
	recall_pool_settled(&t->armed_pool);
	recall_pool_settled(&t->live_pool);
	k->watch_changed = false;
	for (uint32_t i = 0; i < k->n_untold; i++)
		k->untold[i].kept = true;
	return 0;
}
