/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <string.h>

struct journal_progress *
progress_of(struct journal_state *s, const uint8_t epoch[8], uint32_t ring_id)
{
	for (uint32_t i = s->n_progress; i > 0; i--) {
		struct journal_progress *p = &s->progress[i - 1];
		if (p->ring_id == ring_id && memcmp(p->epoch, epoch, sizeof p->epoch) == 0)
			return p;
	}
	return NULL;
}

static struct journal_progress *
progress_make(struct journal_state *s, const uint8_t epoch[8], uint32_t ring_id)
{
	struct journal_progress *p = progress_of(s, epoch, ring_id);
	if (p != NULL)
		return p;
	if (s->n_progress == JOURNAL_PROGRESS_MAX) {
		memmove(s->progress, s->progress + 1, (JOURNAL_PROGRESS_MAX - 1) * sizeof *p);
		s->n_progress--;
	}
	p = &s->progress[s->n_progress++];
	*p = (struct journal_progress){.ring_id = ring_id};
	memcpy(p->epoch, epoch, sizeof p->epoch);
	return p;
}

static void
bind_record(sqlite3_stmt *s, const struct entry *e, uint64_t cursor, uint64_t now_ns)
{
	const struct alert_record *r = &e->record;
	sqlite3_bind_int64(s, 1, (int64_t)cursor);
	sqlite3_bind_blob(s, 2, e->epoch, sizeof e->epoch, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, e->ring_id);
	sqlite3_bind_int64(s, 4, (int64_t)r->seq);
	sqlite3_bind_int64(s, 5, r->kind);
	sqlite3_bind_int64(s, 6, entry_grade(r, &e->vet));
	sqlite3_bind_int64(s, 7, r->rule_id);
	sqlite3_bind_int64(s, 8, r->rule_rev);
	if (e->rule_name[0] != '\0')
		sqlite3_bind_text(s, 9, e->rule_name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 10, (int64_t)r->generation);
	if (r->has & HAS_HASH)
		sqlite3_bind_blob(s, 11, r->hash, sizeof r->hash, SQLITE_STATIC);
	sqlite3_bind_blob(s, 12, r->dedupekey, sizeof r->dedupekey, SQLITE_STATIC);
	sqlite3_bind_int64(s, 13, (int64_t)r->t_wire_ns);
	sqlite3_bind_int64(s, 14, (int64_t)r->t_emitted_ns);
	sqlite3_bind_int64(s, 15, (int64_t)entry_journaled_ns(e, now_ns));
	sqlite3_bind_blob(s, 16, r, sizeof *r, SQLITE_STATIC);
	if (e->vet.node != VET_NONE)
		sqlite3_bind_blob(s, 17, &e->vet, sizeof e->vet, SQLITE_STATIC);
	sqlite3_bind_int64(s, 18, e->vet.node > VET_ASKED);
}

static bool
entry_is_own(const struct entry *e)
{
	return e->notice || entry_is_verdict(e);
}

static int
insert_record(struct journal_db *f, struct turn *t, const struct entry *e)
{
	uint64_t cursor = t->s.head + 1;
	bind_record(f->st[ST_ALERT], e, cursor, t->now_ns);
	int rc = step(f->st[ST_ALERT]);
	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_changes(f->db) == 0) {
		t->duplicates++;
		return SQLITE_OK;
	}
	if (entry_grade(&e->record, &e->vet) == GRADE_PAUSE)
		t->pause_last = cursor;
	audit_digest_record(&t->digest, cursor, entry_journaled_ns(e, t->now_ns), e->epoch, e->ring_id, &e->record, &e->vet);
	t->s.head = cursor;
	t->s.rows++;
	return SQLITE_OK;
}

static int
insert_loss(struct journal_db *f, struct turn *t, const struct entry *e, uint64_t from,
	struct journal_progress *p)
{
	sqlite3_stmt *s = f->st[ST_LOSS];
	uint64_t cursor = t->s.head + 1;
	sqlite3_bind_int64(s, 1, (int64_t)cursor);
	sqlite3_bind_blob(s, 2, e->epoch, sizeof e->epoch, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, e->ring_id);
	sqlite3_bind_int64(s, 4, (int64_t)from);
	sqlite3_bind_int64(s, 5, (int64_t)e->to);
	const char *reason = e->notice ? e->rule_name : e->reason;
	sqlite3_bind_text(s, 6, reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, (int64_t)t->now_ns);
	int rc = step(s);
	if (rc != SQLITE_OK)
		return rc;
	audit_digest_loss(&t->digest, cursor, t->now_ns, e->epoch, e->ring_id, from, e->to, reason);
	p->lost += e->to - from + 1;
	t->s.head = cursor;
	t->s.rows++;
	return SQLITE_OK;
}

/* Facts first. */
static int
insert_facts(struct journal_db *f, struct turn *t, const struct batch *b)
{
	uint64_t *at = t->at;
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < b->n && rc == SQLITE_OK; i++) {
		const struct entry *e = &b->e[i];
		uint64_t head = t->s.head;
		at[i] = 0;
		if (entry_is_own(e)) {
			/* Control's own: the ring's accounts know nothing of it. */
			struct journal_progress none = {0};
			rc = e->notice ? insert_loss(f, t, e, e->from, &none) : insert_record(f, t, e);
			at[i] = t->s.head != head ? t->s.head : 0;
			continue;
		}
		struct journal_progress *p = progress_make(&t->s, e->epoch, e->ring_id);
		if (e->to <= p->last_seq) {
			t->duplicates++;
			continue;
		}
		uint64_t from = e->from > p->last_seq ? e->from : p->last_seq + 1;
		rc = e->loss ? insert_loss(f, t, e, from, p) : insert_record(f, t, e);
		p->last_seq = e->to;
		if (t->s.head == head)
			continue;
		at[i] = t->s.head;
		p->journaled += !e->loss;
	}
	return rc;
}

static int
insert_evidence(struct journal_db *f, const struct batch *b, const uint64_t at[BATCH_ENTRIES])
{
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < b->n && rc == SQLITE_OK; i++) {
		const struct entry *e = &b->e[i];
		if (at[i] == 0 || e->loss || e->evidence_len == 0)
			continue;
		sqlite3_bind_int64(f->st[ST_EVIDENCE], 1, (int64_t)at[i]);
		sqlite3_bind_blob(f->st[ST_EVIDENCE], 2, b->evidence + e->evidence_at, (int)e->evidence_len,
			SQLITE_STATIC);
		rc = step(f->st[ST_EVIDENCE]);
	}
	return rc;
}

/* Rings of this batch: what stands in their rows is the sum of all that was ever taken from them. */
static int
write_changed_progress(struct journal_db *f, struct turn *t, const struct batch *b)
{
	int rc = SQLITE_OK;
	for (uint32_t i = 0; i < b->n && rc == SQLITE_OK; i++) {
		const struct entry *e = &b->e[i];
		bool again = entry_is_own(e);
		for (uint32_t k = i + 1; k < b->n && !again; k++)
			again = !entry_is_own(&b->e[k]) && entry_same_ring(&b->e[k], e);
		if (!again)
			rc = write_progress(f, progress_make(&t->s, e->epoch, e->ring_id));
	}
	return rc;
}

static int
insert_audit(struct journal_db *f, struct turn *t, uint64_t time_ns, const char *kind, const char *detail)
{
	sqlite3_stmt *s = f->st[ST_AUDIT];
	uint8_t hash[AUDIT_HASH_BYTES];
	audit_hash(t->s.audit_hash, t->s.audit_n + 1, time_ns, kind, detail, hash);
	sqlite3_bind_int64(s, 1, (int64_t)t->s.audit_n + 1);
	sqlite3_bind_int64(s, 2, (int64_t)time_ns);
	sqlite3_bind_text(s, 3, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, detail, -1, SQLITE_STATIC);
	sqlite3_bind_blob(s, 5, t->s.audit_hash, AUDIT_HASH_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob(s, 6, hash, AUDIT_HASH_BYTES, SQLITE_STATIC);
	int rc = step(s);
	if (rc == SQLITE_OK) {
		t->s.audit_n++;
		memcpy(t->s.audit_hash, hash, sizeof hash);
	}
	return rc;
}

static int
write_trail(struct journal *j, struct turn *t)
{
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < t->n_notes && rc == SQLITE_OK; i++)
		rc = insert_audit(&j->file, t, j->notes[i].time_ns, j->notes[i].kind, j->notes[i].detail);
	if (rc == SQLITE_OK && t->digest.first != 0) {
		char detail[AUDIT_DETAIL_MAX];
		audit_digest_end(&t->digest, detail);
		rc = insert_audit(&j->file, t, t->now_ns, "batch", detail);
	}
	return rc;
}

static int
write_consumers(struct journal_db *f, const struct consumer_changes *c)
{
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < c->n && rc == SQLITE_OK; i++) {
		const struct consumer_slot *s = &c->slot[i];
		if (s->gone) {
			sqlite3_bind_text(f->st[ST_CONSUMER_GONE], 1, s->c.name, -1, SQLITE_STATIC);
			rc = step(f->st[ST_CONSUMER_GONE]);
		} else {
			rc = write_consumer(f, &s->c);
		}
	}
	return rc;
}

int
transact(struct journal *j, const struct batch *b, const struct consumer_changes *c, struct turn *t)
{
	struct journal_db *f = &j->file;
	t->s = j->state;
	t->pause_last = t->duplicates = 0;
	audit_digest_begin(&t->digest);
	pthread_mutex_lock(&j->lock);
	t->n_notes = j->n_notes; /* others may add to them meanwhile */
	pthread_mutex_unlock(&j->lock);
	int rc = step(f->st[ST_BEGIN]);
	if (rc != SQLITE_OK)
		return rc;
	rc = insert_facts(f, t, b);
	if (rc == SQLITE_OK)
		rc = write_changed_progress(f, t, b);
	if (rc == SQLITE_OK)
		rc = write_consumers(f, c);
	if (rc == SQLITE_OK)
		rc = write_trail(j, t);
	if (rc == SQLITE_OK)
		rc = insert_evidence(f, b, t->at);
	if (rc == SQLITE_OK)
		rc = step(f->st[ST_COMMIT]);
	if (rc != SQLITE_OK)
		step(f->st[ST_ROLLBACK]);
	return rc;
}
