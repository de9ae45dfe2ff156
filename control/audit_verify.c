/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/audit.h"
#include "control/batch.h"
#include "control/journal_private.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const char *dir;
	uint32_t file;
	uint64_t n, end; /* audit entries seen; the last that counts in this file */
	uint64_t cursor; /* last event that a batch stood for */
	uint8_t hash[AUDIT_HASH_BYTES];
	char *err;
	size_t cap;
};

static int
broken(struct walk *w, const char *what, uint64_t n)
{
	snprintf(w->err, w->cap, "journal-%06" PRIu32 ".db: %s (audit entry %" PRIu64 ")", w->file, what, n);
	return -EBADMSG;
}

static bool
is_blob(sqlite3_stmt *s, int column, const void *p, int n)
{
	return sqlite3_column_bytes(s, column) == n &&
	       memcmp(sqlite3_column_blob(s, column), p, (size_t)n) == 0;
}

static const char *
text(sqlite3_stmt *s, int column)
{
	const char *t = (const char *)sqlite3_column_text(s, column);
	return t ? t : "";
}

/* The columns beside the record are its copies: they must agree with it, since operators query them. */
static bool
columns_agree(sqlite3_stmt *s, const struct alert_record *r, const struct event_vet *vet)
{
	return sqlite3_column_int64(s, 8) == (int64_t)r->seq && sqlite3_column_int(s, 9) == r->kind &&
	       sqlite3_column_int(s, 10) == (int)entry_grade(r, vet) && sqlite3_column_int(s, 15) == (vet->node > VET_ASKED) && sqlite3_column_int64(s, 11) == r->rule_id &&
	       is_blob(s, 12, r->dedupekey, sizeof r->dedupekey) &&
	       ((r->has & HAS_HASH) ? is_blob(s, 13, r->hash, sizeof r->hash)
				    : sqlite3_column_type(s, 13) == SQLITE_NULL);
}

static bool
digest_row(struct audit_digest *d, sqlite3_stmt *s)
{
	uint64_t cursor = (uint64_t)sqlite3_column_int64(s, 0), t = (uint64_t)sqlite3_column_int64(s, 1);
	const uint8_t *epoch = sqlite3_column_blob(s, 2);
	uint32_t ring = (uint32_t)sqlite3_column_int64(s, 3);
	if (sqlite3_column_bytes(s, 2) != 8)
		return false;
	if (sqlite3_column_type(s, 4) == SQLITE_NULL) {
		audit_digest_loss(d, cursor, t, epoch, ring, (uint64_t)sqlite3_column_int64(s, 5),
			(uint64_t)sqlite3_column_int64(s, 6), text(s, 7));
		return true;
	}
	struct alert_record r;
	struct event_vet vet = {.node = VET_NONE};
	bool asked = sqlite3_column_type(s, 14) != SQLITE_NULL;
	if (sqlite3_column_bytes(s, 4) != sizeof r || (asked && sqlite3_column_bytes(s, 14) != sizeof vet))
		return false;
	memcpy(&r, sqlite3_column_blob(s, 4), sizeof r);
	if (asked)
		memcpy(&vet, sqlite3_column_blob(s, 14), sizeof vet);
	audit_digest_record(d, cursor, t, epoch, ring, &r, &vet);
	return asked == (vet.node != VET_NONE) && columns_agree(s, &r, &vet);
}

static int
check_batch(struct walk *w, sqlite3_stmt *rows, uint64_t n, const char *detail)
{
	uint64_t first, last, count = 0;
	if (sscanf(detail, "{\"first\":\"%" SCNu64 "\",\"last\":\"%" SCNu64 "\"", &first, &last) != 2 ||
		first != w->cursor + 1 || last < first)
		return broken(w, "a batch does not follow the one before it", n);
	struct audit_digest d;
	audit_digest_begin(&d);
	sqlite3_bind_int64(rows, 1, (int64_t)first);
	sqlite3_bind_int64(rows, 2, (int64_t)last);
	int rc;
	bool ok = true;
	while (ok && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
		ok = digest_row(&d, rows);
		count++;
	}
	sqlite3_reset(rows);
	char again[AUDIT_DETAIL_MAX];
	audit_digest_end(&d, again);
	if (!ok || rc != SQLITE_DONE || count != last - first + 1 || strcmp(again, detail) != 0)
		return broken(w, "events are not what was journaled", n);
	w->cursor = last;
	return 0;
}

static int
check_entry(struct walk *w, sqlite3_stmt *s, sqlite3_stmt *rows)
{
	uint64_t n = (uint64_t)sqlite3_column_int64(s, 0);
	uint8_t hash[AUDIT_HASH_BYTES];
	const char *kind = text(s, 2), *detail = text(s, 3);
	if (n != w->n + 1)
		return broken(w, "an entry is missing before this one", n);
	if (!is_blob(s, 4, w->hash, sizeof w->hash))
		return broken(w, "the chain is broken here", n);
	audit_hash(w->hash, n, (uint64_t)sqlite3_column_int64(s, 1), kind, detail, hash);
	if (!is_blob(s, 5, hash, sizeof hash))
		return broken(w, "an entry was changed", n);
	w->n = n;
	memcpy(w->hash, hash, sizeof hash);
	return strcmp(kind, "batch") == 0 ? check_batch(w, rows, n, detail) : 0;
}

static int
check_entries(struct walk *w, sqlite3 *db)
{
	sqlite3_stmt *s = NULL, *rows = NULL;
	int rc = sqlite3_prepare_v2(db,
		"SELECT n, time_ns, kind, detail, prev, hash FROM audit WHERE n <= ?1 ORDER BY n", -1, &s,
		NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db,
			"SELECT cursor, t_journaled_ns, epoch, ring, record, NULL, NULL, NULL, seq, kind, "
			"grade, rule_id, dedupekey, hash, vet, vetted"
			" FROM alerts WHERE cursor BETWEEN ?1 AND ?2 UNION ALL SELECT cursor, "
			"t_journaled_ns, epoch, ring, NULL,"
			" seq_from, seq_to, reason, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM losses WHERE "
			"cursor BETWEEN ?1 AND ?2"
			" ORDER BY 1",
			-1, &rows, NULL);
	int bad = 0;
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s, 1, (int64_t)w->end);
		while (bad == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW)
			bad = check_entry(w, s, rows);
	}
	sqlite3_finalize(s);
	sqlite3_finalize(rows);
	if (bad == 0 && rc != SQLITE_DONE)
		bad = broken(w, "cannot be read", w->n);
	return bad;
}

/* Where the file says the chain stood when it was made. */
static int
heritage(sqlite3 *db, uint64_t *n, uint64_t *first_cursor, uint8_t hash[AUDIT_HASH_BYTES])
{
	sqlite3_stmt *s;
	int ok = -EBADMSG;
	if (sqlite3_prepare_v2(db,
		    "SELECT (SELECT value FROM meta WHERE key='audit_before'), (SELECT value FROM meta WHERE"
		    " key='first_cursor'), (SELECT value FROM meta WHERE key='audit_hash')",
		    -1, &s, NULL) != SQLITE_OK)
		return ok;
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 2) == AUDIT_HASH_BYTES) {
		*n = (uint64_t)sqlite3_column_int64(s, 0);
		*first_cursor = (uint64_t)sqlite3_column_int64(s, 1);
		memcpy(hash, sqlite3_column_blob(s, 2), AUDIT_HASH_BYTES);
		ok = 0;
	}
	sqlite3_finalize(s);
	return ok;
}

static int
open_file(const char *dir, uint32_t no, sqlite3 **db)
{
	char path[JOURNAL_PATH_MAX];
	snprintf(path, sizeof path, "%s/journal-%06" PRIu32 ".db", dir, no);
	return journal_connect(path, false, true, db) == SQLITE_OK ? 0 : -EIO;
}

/* The entries after which the file's successor goes on; what a failed commit left behind them does not count.
 */
static int
end_of(struct walk *w, uint32_t next)
{
	uint64_t cursor;
	uint8_t hash[AUDIT_HASH_BYTES];
	sqlite3 *db;
	w->end = INT64_MAX;
	if (next == 0)
		return 0;
	int rc = open_file(w->dir, next, &db);
	if (rc == 0) {
		rc = heritage(db, &w->end, &cursor, hash);
		sqlite3_close(db);
	}
	return rc;
}

static int
check_file(struct walk *w, uint32_t no, uint32_t next, bool oldest)
{
	sqlite3 *db;
	uint64_t n, first;
	uint8_t hash[AUDIT_HASH_BYTES];
	w->file = no;
	if (end_of(w, next) != 0 || open_file(w->dir, no, &db) != 0)
		return broken(w, "cannot be read", w->n);
	int rc = heritage(db, &n, &first, hash);
	if (rc != 0) {
		rc = broken(w, "does not say where it begins", w->n);
	} else if (oldest) {
		w->n = n;
		w->cursor = first - 1;
		memcpy(w->hash, hash, sizeof hash);
	} else if (n != w->n || first != w->cursor + 1 || memcmp(hash, w->hash, sizeof hash) != 0) {
		rc = broken(w, "does not follow the file before it", n);
	}
	if (rc == 0)
		rc = check_entries(w, db);
	sqlite3_close(db);
	return rc;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static uint32_t *
numbers(const char *dir, uint32_t *n)
{
	DIR *d = opendir(dir);
	uint32_t *no = NULL, cap = 0;
	*n = 0;
	if (d == NULL)
		return NULL;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		unsigned v;
		char again[40];
		if (sscanf(e->d_name, "journal-%u.db", &v) != 1)
			continue;
		snprintf(again, sizeof again, "journal-%06u.db", v);
		if (strcmp(again, e->d_name) != 0)
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 64;
			uint32_t *more = realloc(no, cap * sizeof *no);
			if (more == NULL)
				break;
			no = more;
		}
		no[(*n)++] = v;
	}
	closedir(d);
	if (no != NULL)
		qsort(no, *n, sizeof *no, by_value);
	return no;
}

int
audit_verify(const char *dir, uint64_t *entries, char *err, size_t cap)
{
	struct walk w = {.dir = dir, .err = err, .cap = cap};
	uint32_t n;
	uint32_t *no = numbers(dir, &n);
	*entries = 0;
	if (n == 0) {
		snprintf(err, cap, "there is no journal in %s", dir);
		free(no);
		return -ENOENT;
	}
	int rc = 0;
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = check_file(&w, no[i], i + 1 < n ? no[i + 1] : 0, i == 0);
	*entries = w.n;
	free(no);
	return rc;
}
