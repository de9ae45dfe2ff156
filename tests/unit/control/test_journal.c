/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include "control/audit.h"

#include <errno.h>
#include <sqlite3.h>

#define BIG (64ull << 20)

static void
reads_back(struct journal *j, uint64_t from, uint64_t to, unsigned min_grade, uint64_t expect)
{
	struct journal_reader *r = journal_reader_new(j);
	struct journal_event e;
	uint64_t at = from, n = 0, before;
	int rc;
	do {
		before = at;
		rc = journal_read(r, &at, min_grade, &e);
		assert_true(rc >= 0);
		if (rc == 1) {
			n++;
			assert_int_equal(e.cursor, at);
			assert_true(e.loss || e.record.grade >= min_grade);
		}
	} while (rc == 1 || at != before);
	assert_int_equal(at, to);
	assert_int_equal(n, expect);
	journal_reader_free(r);
}

static void
test_batch_reads_back(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, BIG, BIG);
	struct batch b;
	struct journal_event e;
	struct journal_progress p;
	assert_int_equal(batch_new(&b), 0);
	add_record(&b, EPOCH_A, 0, 1, GRADE_PAUSE, 100);
	add_loss(&b, EPOCH_A, 0, 2, 5, LOSS_NAME_RING_FULL);
	add_record(&b, EPOCH_A, 0, 6, GRADE_WATCH, 0);
	add_record(&b, EPOCH_A, 1, 1, GRADE_PAGE, 128u << 10);
	assert_int_equal(journal_commit(j, &b, 42), 0);
	assert_int_equal(b.n + b.evidence_n, 0);
	assert_int_equal(journal_head(j), 4);

	struct journal_reader *r = journal_reader_new(j);
	uint64_t at = 0;
	struct alert_record expect = record_of(1, GRADE_PAUSE);
	expect.evidence_len = 100;
	assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), 1);
	assert_memory_equal(&e.record, &expect, sizeof expect);
	assert_string_equal(e.rule_name, "rule-3");
	assert_int_equal(e.t_journaled_ns, 42);
	assert_int_equal(e.evidence_len, 100);
	assert_int_equal(e.evidence[99], 1);
	assert_int_equal(journal_read(r, &at, GRADE_PAUSE, &e), 1);
	assert_true(e.loss);
	assert_int_equal(e.from * 100 + e.to, 205);
	assert_string_equal(e.reason, "ring_full");
	assert_int_equal(journal_read(r, &at, GRADE_PAGE, &e), 1);
	assert_int_equal(e.evidence_len, 128u << 10);
	assert_int_equal(at, 4);
	assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), 0);
	assert_int_equal(at, 4);
	at = 3;
	assert_int_equal(journal_read(r, &at, GRADE_PAUSE, &e), 0);
	assert_int_equal(at, 4);

	struct position id = {.kind = POSITION_ID, .ring = 0, .seq = 6};
	memcpy(id.epoch, EPOCH_A, 8);
	assert_int_equal(journal_find(r, &id, &at), 0);
	assert_int_equal(at, 3);
	id.seq = 2;
	assert_int_equal(journal_find(r, &id, &at), -ENOENT);
	id.loss = true;
	assert_int_equal(journal_find(r, &id, &at), 0);
	assert_int_equal(at, 2);

	journal_ring(j, EPOCH_A, 0, &p);
	assert_int_equal(p.last_seq * 100 + p.journaled * 10 + p.lost, 624);
	journal_epoch(j, EPOCH_A, &p);
	assert_int_equal(p.journaled, 3);
	journal_reader_free(r);
	batch_free(&b);
	journal_close(j);
	folder_free(dir);
}

static void
test_restart_resumes(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, BIG, BIG);
	uint32_t id = journal_id(j);
	uint64_t acked;
	struct journal_progress p;
	struct journal_status s;
	commit_range(j, EPOCH_A, 0, 1, 50, 7, GRADE_WATCH, 10);
	assert_int_equal(journal_subscribe(j, "me", 10, 1, &acked), 0);
	assert_int_equal(journal_ack(j, "me", 20), 0);
	commit_range(j, EPOCH_A, 0, 51, 51, 1, GRADE_WATCH, 10);
	journal_close(j);

	j = journal_of(dir, BIG, BIG);
	assert_int_equal(journal_id(j), id);
	assert_int_equal(journal_head(j), 51);
	journal_ring(j, EPOCH_A, 0, &p);
	assert_int_equal(p.last_seq, 51);
	assert_int_equal(p.journaled, 51);
	assert_int_equal(journal_subscribe(j, "me", 0, 1, &acked), 0);
	assert_int_equal(acked, 20);
	/* what was not released when control died comes again */
	commit_range(j, EPOCH_A, 0, 40, 60, 100, GRADE_WATCH, 10);
	assert_int_equal(journal_head(j), 60);
	journal_status_get(j, &s);
	assert_int_equal(s.duplicates, 12);
	assert_int_equal(s.events, 60);
	reads_back(j, 0, 60, GRADE_WATCH, 60);
	/* the same ring of another epoch is another ring */
	commit_range(j, EPOCH_B, 0, 1, 5, 5, GRADE_WATCH, 10);
	assert_int_equal(journal_head(j), 65);
	journal_close(j);
	folder_free(dir);
}

static void
test_rotation(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, 200000, BIG);
	struct journal_status s;
	uint64_t acked, entries;
	assert_int_equal(journal_subscribe(j, "me", 0, 1, &acked), 0);
	commit_range(j, EPOCH_A, 0, 1, 600, 20, GRADE_PAUSE, 500);
	journal_status_get(j, &s);
	assert_true(s.rotations >= 5);
	assert_int_equal(s.files, s.rotations + 1);
	assert_int_equal(count_files(dir), s.files);
	reads_back(j, 0, 600, GRADE_PAUSE, 600);
	/* a duplicate is known though it lies in an older file */
	commit_range(j, EPOCH_A, 0, 1, 10, 10, GRADE_PAUSE, 500);
	assert_int_equal(journal_head(j), 600);
	struct journal_reader *r = journal_reader_new(j);
	struct position id = {.kind = POSITION_ID, .ring = 0, .seq = 3};
	memcpy(id.epoch, EPOCH_A, 8);
	assert_int_equal(journal_find(r, &id, &acked), 0);
	assert_int_equal(acked, 3);
	journal_reader_free(r);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	journal_close(j);
	j = journal_of(dir, 200000, BIG);
	assert_int_equal(journal_subscribe(j, "me", 500, 1, &acked), 0);
	assert_int_equal(acked, 0);
	reads_back(j, 0, 600, GRADE_WATCH, 600);
	journal_status_get(j, &s);
	assert_int_equal(s.events, 600);
	journal_close(j);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	assert_true(entries >= 30);
	folder_free(dir);
}

static void
test_retention(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, 300000, 1000000);
	struct journal_status s;
	struct journal_consumer c[2];
	struct journal_event e;
	uint64_t acked, entries, at = 0;
	/* pause-grade that a consumer has not acked stays, however large the journal grows */
	assert_int_equal(journal_subscribe(j, "a", 0, 1, &acked), 0);
	assert_int_equal(journal_subscribe(j, "b", 0, 1, &acked), 0);
	commit_range(j, EPOCH_A, 0, 1, 20, 20, GRADE_PAUSE, 500);
	commit_range(j, EPOCH_A, 1, 1, 800, 20, GRADE_WATCH, 500);
	journal_status_get(j, &s);
	assert_int_equal(s.floor, 0);
	assert_true(s.bytes > 1000000 && s.held_files > 0);
	assert_int_equal(journal_ack(j, "a", 820), 0);
	assert_int_equal(journal_ack(j, "b", 19), 0);
	commit_range(j, EPOCH_A, 1, 801, 820, 20, GRADE_WATCH, 500);
	journal_tidy(j, 2 * SECOND);
	journal_status_get(j, &s);
	assert_int_equal(s.floor, 0);
	/* one alert more and the last of them is acked by all: whole files go, oldest first */
	assert_int_equal(journal_ack(j, "b", 20), 0);
	journal_tidy(j, 3 * SECOND);
	journal_status_get(j, &s);
	assert_true(s.floor >= 20 && s.floor < 820 && s.bytes <= 1000000 && s.held_files == 0);
	assert_int_equal(count_files(dir), s.files);
	/* b has lost what it had not acked, and the books say so */
	assert_int_equal(journal_consumers(j, c, 2), 2);
	assert_int_equal(c[1].expired, s.floor - 20);
	assert_int_equal(c[1].acked, s.floor);
	assert_int_equal(c[0].expired, 0);
	struct journal_reader *r = journal_reader_new(j);
	assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), -ESTALE);
	assert_int_equal(journal_floor(j), s.floor);
	journal_reader_free(r);
	reads_back(j, s.floor, 840, GRADE_WATCH, 840 - s.floor);
	commit_range(j, EPOCH_A, 1, 821, 821, 1, GRADE_WATCH, 500);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	struct journal_consumer before[2];
	assert_int_equal(journal_consumers(j, before, 2), 2);
	assert_int_equal(journal_commit(j, &(struct batch){0}, 3 * SECOND), 0);
	journal_close(j);
	j = journal_of(dir, 300000, 1000000);
	assert_int_equal(journal_consumers(j, c, 2), 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(c[i].expired, before[i].expired);
		assert_int_equal(c[i].acked, before[i].acked);
	}
	/* a consumer that is forgotten holds nothing back */
	commit_range(j, EPOCH_B, 0, 1, 20, 20, GRADE_PAUSE, 500);
	commit_range(j, EPOCH_B, 1, 1, 800, 20, GRADE_WATCH, 500);
	journal_status_get(j, &s);
	assert_true(s.held_files > 0);
	assert_int_equal(journal_ack(j, "a", journal_head(j)), 0);
	assert_int_equal(journal_forget(j, "b"), 0);
	journal_tidy(j, 4 * SECOND);
	journal_status_get(j, &s);
	assert_int_equal(s.held_files, 0);
	journal_close(j);
	folder_free(dir);
}

/* Without a consumer nothing is kept for one: the journal does not grow without end where nobody has ever subscribed. */
static void
test_held_for_nobody(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, 300000, 1000000);
	struct journal_status s;
	commit_range(j, EPOCH_A, 0, 1, 20, 20, GRADE_PAUSE, 500);
	commit_range(j, EPOCH_A, 1, 1, 800, 20, GRADE_WATCH, 500);
	journal_tidy(j, SECOND);
	journal_status_get(j, &s);
	assert_true(s.floor >= 20 && s.bytes <= 1000000 && s.held_files == 0);
	assert_string_equal(s.held_for, "");
	journal_close(j);
	folder_free(dir);
}

/* Who keeps files from being retired is said by name, with what frees it: once, and again when it is another one. */
static void
test_held_is_told(void **state)
{
	(void)state;
	char *dir = folder_new(), said[4096] = "";
	struct journal *j = journal_of(dir, 300000, 1000000);
	struct journal_status s;
	uint64_t acked;
	FILE *log = tmpfile();
	int old = dup(STDERR_FILENO);
	assert_int_equal(journal_subscribe(j, "forgotten", 0, 1, &acked), 0);
	assert_int_equal(journal_subscribe(j, "slow", 0, 1, &acked), 0);
	assert_int_equal(journal_subscribe(j, "pauser", 0, 1, &acked), 0);
	dup2(fileno(log), STDERR_FILENO);
	commit_range(j, EPOCH_A, 0, 1, 20, 20, GRADE_PAUSE, 500);
	assert_int_equal(journal_ack(j, "pauser", 20), 0);
	assert_int_equal(journal_ack(j, "slow", 10), 0);
	commit_range(j, EPOCH_A, 1, 1, 800, 20, GRADE_WATCH, 500);
	for (unsigned i = 0; i < 3; i++)
		journal_tidy(j, SECOND);
	journal_status_get(j, &s);
	assert_int_equal(journal_forget(j, "forgotten"), 0);
	for (unsigned i = 0; i < 3; i++)
		journal_tidy(j, SECOND);
	dup2(old, STDERR_FILENO);
	close(old);
	assert_true(s.held_files > 0 && s.holders == 2);
	assert_string_equal(s.held_for, "forgotten");
	rewind(log);
	assert_true(fread(said, 1, sizeof said - 1, log) > 0);
	fclose(log);
	const char *first = strstr(said, "consumer forgotten (and 1 more) has not"), *second = strstr(said, "consumer slow has not");
	if (first == NULL || second == NULL || second < first || strstr(first + 1, "consumer forgotten") != NULL || strstr(second + 1, "consumer slow") != NULL ||
		strstr(said, "sentinelctl forget forgotten") == NULL)
		fail_msg("%s", said);
	journal_close(j);
	folder_free(dir);
}

/* ---- the chain ---- */

static void
run_sql(const char *dir, unsigned no, const char *sql)
{
	char path[512], *err = NULL;
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/journal-%06u.db", dir, no);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, &err), SQLITE_OK);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
}

static void
test_tampering_shows(void **state)
{
	(void)state;
	static const struct {
		unsigned file;
		const char *sql, *says;
	} cases[] = {
		{1, "UPDATE alerts SET record = zeroblob(1216) WHERE cursor = 3", "not what was journaled"},
		{1, "UPDATE alerts SET grade = 1 WHERE cursor = 4", "not what was journaled"},
		{1, "UPDATE alerts SET t_journaled_ns = t_journaled_ns + 1 WHERE cursor = 4",
			"not what was journaled"},
		{1, "DELETE FROM alerts WHERE cursor = 5", "not what was journaled"},
		{1, "UPDATE losses SET seq_to = seq_to + 1", "not what was journaled"},
		{2, "DELETE FROM alerts WHERE cursor = (SELECT max(cursor) FROM alerts)",
			"not what was journaled"},
		{1, "UPDATE audit SET detail = '{}' WHERE n = 1", "was changed"},
		{1, "UPDATE audit SET time_ns = time_ns + 1 WHERE n = 2", "was changed"},
		{1, "DELETE FROM audit WHERE n = 2", "is missing"},
		{2, "UPDATE meta SET value = zeroblob(32) WHERE key = 'audit_hash'", "does not follow"},
		{1, "DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)", "does not follow"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *dir = folder_new(), err[256] = "";
		struct batch b;
		uint64_t entries;
		struct journal *j = journal_of(dir, 150000, BIG);
		assert_int_equal(batch_new(&b), 0);
		journal_note(j, 5, "started", "{\"x\":\"y\"}");
		add_loss(&b, EPOCH_A, 7, 1, 9, LOSS_NAME_CORRUPT);
		assert_int_equal(journal_commit(j, &b, 7), 0);
		commit_range(j, EPOCH_A, 0, 1, 150, 30, GRADE_PAUSE, 100);
		batch_free(&b);
		journal_close(j);
		assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
		assert_true(count_files(dir) >= 2);
		run_sql(dir, cases[i].file, cases[i].sql);
		assert_int_equal(audit_verify(dir, &entries, err, sizeof err), -EBADMSG);
		if (strstr(err, cases[i].says) == NULL)
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err, cases[i].says);
		folder_free(dir);
	}
}

static void
test_missing_file_shows(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256], path[512];
	uint64_t entries;
	struct journal *j = journal_of(dir, 100000, BIG);
	commit_range(j, EPOCH_A, 0, 1, 400, 20, GRADE_WATCH, 100);
	journal_close(j);
	assert_true(count_files(dir) >= 3);
	snprintf(path, sizeof path, "%s/journal-000002.db", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), -EBADMSG);
	folder_free(dir);
}

/* ---- opening ---- */

static void
test_one_owner(void **state)
{
	(void)state;
	char *dir = folder_new(), err[512] = "";
	struct journal_options o = {.dir = dir, .file_bytes = BIG, .keep_bytes = BIG};
	struct journal *j = journal_of(dir, BIG, BIG);
	assert_null(journal_open(&o, err, sizeof err));
	assert_non_null(strstr(err, "in use by another sentinel-control"));
	journal_close(j);
	journal_close(journal_of(dir, BIG, BIG));
	folder_free(dir);
}

static void
test_odd_folders(void **state)
{
	(void)state;
	char *dir = folder_new(), err[512] = "", path[512];
	struct journal_options o = {.dir = dir, .file_bytes = BIG, .keep_bytes = BIG};
	struct journal *j = journal_of(dir, BIG, BIG);
	commit_range(j, EPOCH_A, 0, 1, 10, 5, GRADE_WATCH, 10);
	journal_close(j);
	/* a file whose making was cut short is made again */
	snprintf(path, sizeof path, "%s/journal-000002.db", dir);
	fclose(fopen(path, "w"));
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(journal_head(j), 10);
	assert_int_equal(count_files(dir), 1);
	journal_close(j);
	/* names that are none of ours are left alone */
	snprintf(path, sizeof path, "%s/journal-2.db", dir);
	fclose(fopen(path, "w"));
	journal_close(journal_of(dir, BIG, BIG));
	assert_int_equal(access(path, F_OK), 0);
	/* what is no database is not overwritten, control does not start */
	snprintf(path, sizeof path, "%s/journal-000003.db", dir);
	FILE *f = fopen(path, "w");
	fputs("this is no database, but somebody may want it", f);
	fclose(f);
	assert_null(journal_open(&o, err, sizeof err));
	assert_non_null(strstr(err, "journal-000003.db"));
	assert_non_null(strstr(err, "move it (and its -wal) out of the folder"));
	unlink(path);
	/* a file of another journal */
	char *other = folder_new();
	j = journal_of(other, BIG, BIG);
	commit_range(j, EPOCH_A, 0, 1, 10, 5, GRADE_WATCH, 10);
	journal_close(j);
	char from[512];
	snprintf(from, sizeof from, "%s/journal-000001.db", other);
	assert_int_equal(rename(from, path), 0);
	assert_null(journal_open(&o, err, sizeof err));
	assert_non_null(strstr(err, "another journal"));
	folder_free(other);
	folder_free(dir);
}

static void
test_consumers(void **state)
{
	(void)state;
	char *dir = folder_new(), name[70];
	struct journal *j = journal_of(dir, BIG, BIG);
	struct batch none = {0};
	uint64_t acked;
	static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa4", "a\"",
		"ein-name-von-funfundsechzig-zeichen-ist-schon-zu-lang-01234567890123"};
	commit_range(j, EPOCH_A, 0, 1, 10, 5, GRADE_WATCH, 10);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(journal_subscribe(j, bad[i], 0, 1, &acked), -EINVAL);
	assert_int_equal(journal_subscribe(j, "me", 4, 1, &acked), 0);
	assert_int_equal(acked, 4);
	assert_false(journal_settled(j, "me"));
	assert_true(journal_wants(j, 1));
	assert_int_equal(journal_commit(j, &none, 2), 0);
	assert_true(journal_settled(j, "me"));
	assert_false(journal_wants(j, 1));
	assert_int_equal(journal_ack(j, "me", 11), -ERANGE);
	assert_int_equal(journal_ack(j, "you", 1), -ENOENT);
	assert_int_equal(journal_ack(j, "me", 9), 0);
	assert_int_equal(journal_ack(j, "me", 5), 0);
	assert_int_equal(journal_subscribe(j, "me", 0, 1, &acked), 0);
	assert_int_equal(acked, 9);
	/* forgotten and back before a commit */
	assert_int_equal(journal_forget(j, "me"), 0);
	assert_int_equal(journal_forget(j, "me"), -ENOENT);
	assert_int_equal(journal_subscribe(j, "me", 2, 1, &acked), 0);
	assert_int_equal(acked, 2);
	assert_int_equal(journal_commit(j, &none, 3), 0);
	for (unsigned i = 1; i < JOURNAL_CONSUMERS_MAX; i++) {
		snprintf(name, sizeof name, "c%u", i);
		assert_int_equal(journal_subscribe(j, name, 0, 1, &acked), 0);
	}
	assert_int_equal(journal_subscribe(j, "one-more", 0, 1, &acked), -ENOSPC);
	assert_int_equal(journal_commit(j, &none, 4), 0);
	journal_close(j);
	j = journal_of(dir, BIG, BIG);
	struct journal_consumer all[JOURNAL_CONSUMERS_MAX];
	assert_int_equal(journal_consumers(j, all, JOURNAL_CONSUMERS_MAX), JOURNAL_CONSUMERS_MAX);
	assert_int_equal(journal_subscribe(j, "me", 0, 1, &acked), 0);
	assert_int_equal(acked, 2);
	journal_close(j);
	folder_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_reads_back),
		cmocka_unit_test(test_restart_resumes),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_held_for_nobody),
		cmocka_unit_test(test_held_is_told),
		cmocka_unit_test(test_tampering_shows),
		cmocka_unit_test(test_missing_file_shows),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_odd_folders),
		cmocka_unit_test(test_consumers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
