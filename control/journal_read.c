/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_read.h"

#include "control/notice.h"

#include "abi/event.h"
#include "abi/ring.h"
#include "control/journal_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX 4 /* files a reader keeps open */
#define STRIDE 256 /* events passed over in one call */

enum query { Q_ALERT, Q_LOSS, Q_EVIDENCE, Q_ID, Q_LOSS_ID, Q_VET, QUERIES };

static const char *const queries[QUERIES] = {
	[Q_ALERT] = "SELECT cursor, epoch, ring, t_journaled_ns, rule_name, record, vet FROM alerts"
		    " WHERE cursor > ?1 AND cursor <= ?2 AND grade >= ?3 ORDER BY cursor LIMIT 1",
	[Q_LOSS] = "SELECT cursor, epoch, ring, t_journaled_ns, reason, seq_from, seq_to FROM losses"
		   " WHERE cursor > ?1 AND cursor <= ?2 ORDER BY cursor LIMIT 1",
	[Q_EVIDENCE] = "SELECT bytes FROM evidence WHERE cursor = ?1",
	[Q_ID] = "SELECT cursor FROM alerts WHERE epoch = ?1 AND ring = ?2 AND seq = ?3 AND vetted = ?4",
	[Q_LOSS_ID] = "SELECT cursor FROM losses WHERE epoch = ?1 AND ring = ?2 AND seq_from = ?3",
	[Q_VET] = "SELECT cursor, epoch, ring, t_journaled_ns, seq, vetted FROM alerts"
		  " WHERE vet IS NOT NULL AND cursor BETWEEN ?1 AND ?2 ORDER BY cursor DESC",
};

struct open_file {
	uint32_t no; /* 0: free */
	uint64_t used;
	sqlite3 *db;
	sqlite3_stmt *st[QUERIES];
};

struct journal_reader {
	struct journal *j;
	uint64_t turn;
	struct open_file open[OPEN_MAX];
	uint8_t evidence[RING_EVIDENCE_ONE_MAX];
};

struct journal_reader *
journal_reader_new(struct journal *j)
{
	struct journal_reader *r = calloc(1, sizeof *r);
	if (r != NULL)
		r->j = j;
	return r;
}

static void
close_file(struct open_file *f)
{
	for (unsigned i = 0; i < QUERIES; i++)
		sqlite3_finalize(f->st[i]);
	sqlite3_close(f->db);
	*f = (struct open_file){0};
}

void
journal_reader_free(struct journal_reader *r)
{
	for (unsigned i = 0; r != NULL && i < OPEN_MAX; i++)
		close_file(&r->open[i]);
	free(r);
}

static struct open_file *
open_for_reading(struct journal_reader *r, uint32_t no)
{
	struct open_file *f = &r->open[0];
	char path[JOURNAL_PATH_MAX];
	r->turn++;
	for (unsigned i = 0; i < OPEN_MAX; i++) {
		if (r->open[i].no == no) {
			r->open[i].used = r->turn;
			return &r->open[i];
		}
		if (r->open[i].used < f->used)
			f = &r->open[i];
	}
	close_file(f);
	journal_path(r->j, no, path);
	if (journal_connect(path, false, true, &f->db) != SQLITE_OK)
		return NULL;
	for (unsigned i = 0; i < QUERIES; i++) {
		if (sqlite3_prepare_v3(f->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &f->st[i], NULL) !=
			SQLITE_OK) {
			close_file(f);
			return NULL;
		}
	}
	f->no = no;
	f->used = r->turn;
	return f;
}

uint64_t
journal_floor(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	uint64_t floor = j->status.floor;
	pthread_mutex_unlock(&j->lock);
	return floor;
}

/* The file with event `cursor`, and the last event to be read from it. 0: retired. */
static uint32_t
file_of(struct journal *j, uint64_t cursor, uint64_t *last)
{
	uint32_t no = 0;
	uint64_t head = journal_head(j);
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = j->n_files; i > 0 && no == 0; i--) {
		const struct journal_file *f = &j->files[i - 1];
		if (f->first > cursor)
			continue;
		if (f->last < cursor)
			break;
		no = f->no;
		*last = f->last < head ? f->last : head;
	}
	pthread_mutex_unlock(&j->lock);
	return no;
}

static bool
take_place(sqlite3_stmt *s, struct journal_event *e)
{
	e->cursor = (uint64_t)sqlite3_column_int64(s, 0);
	if (sqlite3_column_bytes(s, 1) != sizeof e->epoch)
		return false;
	memcpy(e->epoch, sqlite3_column_blob(s, 1), sizeof e->epoch);
	e->ring_id = (uint32_t)sqlite3_column_int64(s, 2);
	e->t_journaled_ns = (uint64_t)sqlite3_column_int64(s, 3);
	return true;
}

static void
take_text(sqlite3_stmt *s, int column, char *out, size_t cap)
{
	const char *text = (const char *)sqlite3_column_text(s, column);
	snprintf(out, cap, "%s", text ? text : "");
}

/* 1 found, 0 none, -EIO */
static int
read_loss(struct open_file *f, uint64_t after, uint64_t last, struct journal_event *e)
{
	sqlite3_stmt *s = f->st[Q_LOSS];
	sqlite3_bind_int64(s, 1, (int64_t)after);
	sqlite3_bind_int64(s, 2, (int64_t)last);
	int rc = sqlite3_step(s), found = rc == SQLITE_DONE ? 0 : -EIO;
	if (rc == SQLITE_ROW && take_place(s, e)) {
		e->loss = true;
		take_text(s, 4, e->reason, sizeof e->reason);
		e->from = (uint64_t)sqlite3_column_int64(s, 5);
		e->to = (uint64_t)sqlite3_column_int64(s, 6);
		found = 1;
	}
	sqlite3_reset(s);
	return found;
}

static int
read_record(struct open_file *f, uint64_t after, uint64_t last, unsigned min_grade, struct journal_event *e)
{
	sqlite3_stmt *s = f->st[Q_ALERT];
	sqlite3_bind_int64(s, 1, (int64_t)after);
	sqlite3_bind_int64(s, 2, (int64_t)last);
	sqlite3_bind_int64(s, 3, min_grade);
	int rc = sqlite3_step(s), found = rc == SQLITE_DONE ? 0 : -EIO;
	if (rc == SQLITE_ROW && take_place(s, e) && sqlite3_column_bytes(s, 5) == sizeof e->record) {
		e->loss = false;
		take_text(s, 4, e->rule_name, sizeof e->rule_name);
		memcpy(&e->record, sqlite3_column_blob(s, 5), sizeof e->record);
		e->from = e->to = e->record.seq;
		e->vet = (struct event_vet){.node = VET_NONE};
		bool fits = sqlite3_column_type(s, 6) == SQLITE_NULL || sqlite3_column_bytes(s, 6) == sizeof e->vet;
		if (fits && sqlite3_column_type(s, 6) != SQLITE_NULL)
			memcpy(&e->vet, sqlite3_column_blob(s, 6), sizeof e->vet);
		found = fits && event_vet_check(&e->vet) == 0 && alert_record_check(&e->record) == 0 ? 1 : -EIO;
	}
	sqlite3_reset(s);
	return found;
}

static int
read_evidence(struct journal_reader *r, struct open_file *f, struct journal_event *e)
{
	sqlite3_stmt *s = f->st[Q_EVIDENCE];
	e->evidence = r->evidence;
	e->evidence_len = 0;
	if (e->loss || e->record.evidence_len == 0)
		return 1;
	sqlite3_bind_int64(s, 1, (int64_t)e->cursor);
	int rc = sqlite3_step(s);
	int n = rc == SQLITE_ROW ? sqlite3_column_bytes(s, 0) : 0;
	if (n > 0 && (size_t)n <= sizeof r->evidence) {
		memcpy(r->evidence, sqlite3_column_blob(s, 0), (size_t)n);
		e->evidence_len = (uint32_t)n;
	}
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 1 : -EIO;
}

int
journal_read(struct journal_reader *r, uint64_t *at, unsigned min_grade, struct journal_event *e)
{
	uint64_t last = 0, head = journal_head(r->j);
	if (*at >= head)
		return 0;
	if (*at >= journal_floor(r->j)) {
		int got = tail_read(&r->j->tail, at, head, min_grade, e, r->evidence);
		if (got >= 0)
			return got;
	}
	uint32_t no = file_of(r->j, *at + 1, &last);
	if (no == 0)
		return *at < journal_floor(r->j) ? -ESTALE : -EIO;
	struct open_file *f = open_for_reading(r, no);
	if (f == NULL)
		return -EIO;
	/* Most often the next event is an alert and is wanted. */
	int rc = read_record(f, *at, *at + 1, min_grade, e);
	if (rc == 0) {
		last = last - *at > STRIDE ? *at + STRIDE : last;
		int loss = read_loss(f, *at, last, e);
		rc = loss < 0 ? loss : read_record(f, *at, loss == 1 ? e->cursor : last, min_grade, e);
		if (rc == 0)
			rc = loss;
	}
	if (rc == 1)
		rc = read_evidence(r, f, e);
	if (rc >= 0)
		*at = rc == 1 ? e->cursor : last;
	else
		close_file(f);
	return rc;
}

bool
journal_near(struct journal *j, uint64_t at, uint64_t head)
{
	return tail_has(&j->tail, at, head);
}

/* The file before number `no`; false: there is none. */
static bool
file_before(struct journal *j, uint32_t no, struct journal_file *out)
{
	bool found = false;
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = j->n_files; i > 0 && !found; i--) {
		found = j->files[i - 1].no < no;
		if (found)
			*out = j->files[i - 1];
	}
	pthread_mutex_unlock(&j->lock);
	return found;
}

static int
find_in(struct journal_reader *r, uint32_t no, const struct position *id, uint64_t *cursor)
{
	struct open_file *f = open_for_reading(r, no);
	if (f == NULL)
		return -EIO;
	sqlite3_stmt *s = f->st[id->loss ? Q_LOSS_ID : Q_ID];
	sqlite3_bind_blob(s, 1, id->epoch, sizeof id->epoch, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, id->ring);
	sqlite3_bind_int64(s, 3, (int64_t)id->seq);
	if (!id->loss)
		sqlite3_bind_int64(s, 4, id->vetted);
	int rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*cursor = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -ENOENT : -EIO;
}

int
journal_find(struct journal_reader *r, const struct position *id, uint64_t *cursor)
{
	struct journal_file f = {.no = UINT32_MAX};
	uint64_t head = journal_head(r->j);
	if (!id->loss && !id->vetted && file_before(r->j, f.no, &f) && f.last < head) {
		*cursor = tail_find(&r->j->tail, id->epoch, id->ring, id->seq, f.last, head);
		if (*cursor != 0)
			return 0;
	}
	/* Newest first; a file that was given up counts as far as its successor's beginning only. */
	f.no = UINT32_MAX;
	while (file_before(r->j, f.no, &f)) {
		int rc = find_in(r, f.no, id, cursor);
		if (rc == 0 && *cursor >= f.first && *cursor <= f.last)
			return 0;
		if (rc == -EIO)
			return rc;
	}
	return -ENOENT;
}

/* ---- what was asked and not answered ---- */

struct vet_key {
	uint8_t epoch[8];
	uint32_t ring;
	uint64_t seq;
};

struct unvetted {
	uint64_t since_ns;
	uint64_t *out;
	uint32_t looked, n, n_done;
	bool over;
	struct vet_key done[JOURNAL_UNVETTED_MAX];
};

static bool
is_done(const struct unvetted *u, const struct vet_key *k)
{
	for (uint32_t i = 0; i < u->n_done; i++)
		if (u->done[i].seq == k->seq && u->done[i].ring == k->ring && memcmp(u->done[i].epoch, k->epoch, sizeof k->epoch) == 0)
			return true;
	return false;
}

/* Newest first: a verdict is met before the record that it is of. */
static void
look_at(struct unvetted *u, sqlite3_stmt *s)
{
	struct vet_key k = {.ring = (uint32_t)sqlite3_column_int64(s, 2), .seq = (uint64_t)sqlite3_column_int64(s, 4)};
	u->over = u->looked == JOURNAL_UNVETTED_MAX || (uint64_t)sqlite3_column_int64(s, 3) < u->since_ns;
	if (u->over || sqlite3_column_bytes(s, 1) != sizeof k.epoch)
		return;
	u->looked++;
	memcpy(k.epoch, sqlite3_column_blob(s, 1), sizeof k.epoch);
	if (sqlite3_column_int(s, 5))
		u->done[u->n_done++] = k;
	else if (!is_done(u, &k))
		u->out[u->n++] = (uint64_t)sqlite3_column_int64(s, 0);
}

static int
look_through(struct journal_reader *r, const struct journal_file *file, struct unvetted *u)
{
	struct open_file *f = open_for_reading(r, file->no);
	if (f == NULL)
		return -EIO;
	sqlite3_stmt *s = f->st[Q_VET];
	int rc;
	sqlite3_bind_int64(s, 1, (int64_t)file->first);
	sqlite3_bind_int64(s, 2, (int64_t)file->last);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && !u->over)
		look_at(u, s);
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -EIO;
}

int
journal_unvetted(struct journal_reader *r, uint64_t since_ns, uint64_t *out)
{
	struct unvetted *u = calloc(1, sizeof *u);
	struct journal_file f = {.no = UINT32_MAX};
	int rc = u != NULL ? 0 : -EIO;
	if (u != NULL) {
		u->since_ns = since_ns;
		u->out = out;
		while (rc == 0 && !u->over && file_before(r->j, f.no, &f))
			rc = look_through(r, &f, u);
	}
	for (uint32_t i = 0; rc == 0 && i < u->n / 2; i++) {
		uint64_t last = out[u->n - 1 - i];
		out[u->n - 1 - i] = out[i];
		out[i] = last;
	}
	rc = rc == 0 ? (int)u->n : rc;
	free(u);
	return rc;
}

int
journal_event_format(char *out, size_t cap, const struct journal_event *e, const char *source,
	uint32_t journal, bool durable)
{
	char cursor[POSITION_TEXT_MAX];
	position_cursor(journal, e->cursor, cursor);
	struct event_context x = {.source = source,
		.epoch = e->epoch,
		.ring_id = e->ring_id,
		.t_journaled_ns = e->t_journaled_ns,
		.cursor = durable ? cursor : NULL,
		.durable = durable};
	if (e->loss && e->ring_id == EVENT_NOTICE_RING)
		return notice_format(out, cap, &x, e->from, e->reason);
	if (e->loss)
		return event_loss(out, cap, &x, e->from, e->to, e->reason);
	x.rule = (struct event_rule){
		e->record.rule_id, e->record.rule_rev, e->rule_name[0] ? e->rule_name : NULL};
	x.vet = &e->vet;
	struct alert_record told = e->record;
	told.grade = (uint8_t)entry_grade(&e->record, &e->vet);
	return event_alert(out, cap, &x, &told, (struct span){e->evidence, e->evidence_len});
}
