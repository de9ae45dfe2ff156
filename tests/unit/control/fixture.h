/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of control share: a folder that goes away, records, batches. */
#ifndef TEST_CONTROL_FIXTURE_H
#define TEST_CONTROL_FIXTURE_H

#include "control/batch.h"
#include "control/journal.h"
#include "control/journal_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000ull

static const uint8_t EPOCH_A[8] = {0xaa, 1, 2, 3, 4, 5, 6, 7};
static const uint8_t EPOCH_B[8] = {0xbb, 1, 2, 3, 4, 5, 6, 7};

static inline char *
folder_new(void)
{
	char *dir = strdup("/tmp/sentinel-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return dir;
}

static inline void
folder_free(char *dir)
{
	DIR *d = opendir(dir);
	char path[512];
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
}

static inline struct alert_record
record_of(uint64_t seq, unsigned grade)
{
	struct alert_record r = {.seq = seq,
		.kind = ALERT_KIND_ALERT,
		.grade = (uint8_t)grade,
		.grade_wanted = (uint8_t)grade,
		.severity = SEVERITY_HIGH,
		.class_ = CLASS_FLASH_LOAN,
		.carrier = CARRIER_HTTP_JSONRPC,
		.direction = DIR_C2S,
		.rule_id = 1001,
		.rule_rev = 2,
		.has = HAS_HASH | HAS_TO,
		.generation = 5,
		.t_wire_ns = 1700000000 * SECOND};
	memcpy(r.hash, &seq, sizeof seq);
	memcpy(r.dedupekey, &seq, sizeof seq);
	return r;
}

static inline void
add_record(struct batch *b, const uint8_t epoch[8], uint32_t ring, uint64_t seq, unsigned grade,
	uint32_t evidence_len)
{
	struct entry *e = batch_entry(b, epoch, ring);
	assert_non_null(e);
	e->record = record_of(seq, grade);
	e->from = e->to = seq;
	e->record.evidence_len = evidence_len;
	e->evidence_at = b->evidence_n;
	e->evidence_len = evidence_len;
	memset(b->evidence + b->evidence_n, (int)(seq & 0xff), evidence_len);
	b->evidence_n += evidence_len;
	snprintf(e->rule_name, sizeof e->rule_name, "rule-%u", (unsigned)grade);
}

static inline void
add_loss(struct batch *b, const uint8_t epoch[8], uint32_t ring, uint64_t from, uint64_t to,
	const char *reason)
{
	struct entry *e = batch_entry(b, epoch, ring);
	assert_non_null(e);
	e->loss = true;
	e->from = from;
	e->to = to;
	e->reason = reason;
}

static inline struct journal *
journal_of(const char *dir, uint64_t file_bytes, uint64_t keep_bytes)
{
	char err[512] = "";
	struct journal_options o = {.dir = dir, .file_bytes = file_bytes, .keep_bytes = keep_bytes};
	struct journal *j = journal_open(&o, err, sizeof err);
	if (j == NULL)
		fail_msg("%s", err);
	return j;
}

/* Commits records from..to of one ring, `step` a transaction. */
static inline void
commit_range(struct journal *j, const uint8_t epoch[8], uint32_t ring, uint64_t from, uint64_t to,
	unsigned step, unsigned grade, uint32_t evidence_len)
{
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	while (from <= to) {
		for (unsigned i = 0; i < step && from <= to; i++)
			add_record(&b, epoch, ring, from++, grade, evidence_len);
		assert_int_equal(journal_commit(j, &b, SECOND * from), 0);
		assert_int_equal(b.n, 0);
	}
	batch_free(&b);
}

static inline unsigned
count_files(const char *dir)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t len = strlen(e->d_name);
		n += len > 3 && strcmp(e->d_name + len - 3, ".db") == 0;
	}
	closedir(d);
	return n;
}

#endif
