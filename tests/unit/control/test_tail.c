/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read from memory is what is read from the file, byte by byte, wherever a reader stands. */
#include "fixture.h"

#include "control/control.h"
#include "control/journal_private.h"

#include <errno.h>

#define BIG (64ull << 20)

static char *
text_of(const struct journal_event *e, char *out, size_t cap)
{
	assert_true(journal_event_format(out, cap, e, "urn:sentinel:test", 7, true) > 0);
	return out;
}

/* A reader with the tail, one without it: they must say the same. */
static unsigned
same_from(struct journal *j, uint64_t from, unsigned min_grade)
{
	static char a[EVENT_BYTES_MAX], b[EVENT_BYTES_MAX];
	static struct journal_event e, f;
	static struct tail_slot kept[TAIL_EVENTS];
	struct journal_reader *r = journal_reader_new(j), *s = journal_reader_new(j);
	uint64_t at = from, at2 = from;
	unsigned n = 0;
	for (;;) {
		int rc, rc2;
		uint64_t was;
		do
			was = at;
		while ((rc = journal_read(r, &at, min_grade, &e)) == 0 && at != was);
		memcpy(kept, j->tail.slot, sizeof kept);
		memset(j->tail.slot, 0, sizeof kept);
		do
			was = at2;
		while ((rc2 = journal_read(s, &at2, min_grade, &f)) == 0 && at2 != was);
		memcpy(j->tail.slot, kept, sizeof kept);
		assert_int_equal(rc, rc2);
		assert_int_equal(at, at2);
		if (rc != 1)
			break;
		n++;
		assert_string_equal(text_of(&e, a, sizeof a), text_of(&f, b, sizeof b));
		assert_int_equal(e.evidence_len, f.evidence_len);
		assert_memory_equal(&e.record, &f.record, sizeof e.record);
		assert_memory_equal(&e.vet, &f.vet, sizeof e.vet);
		assert_int_equal(e.cursor, f.cursor);
		assert_int_equal(e.from, f.from);
		assert_int_equal(e.to, f.to);
		assert_int_equal(e.t_journaled_ns, f.t_journaled_ns);
		assert_string_equal(e.rule_name, f.rule_name);
	}
	journal_reader_free(r);
	journal_reader_free(s);
	return n;
}

static void
test_same(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, BIG, BIG);
	struct batch b;
	uint64_t seq = 1;
	assert_int_equal(batch_new(&b), 0);
	for (unsigned turn = 0; turn < 60; turn++) {
		unsigned n = turn % 7 == 6 ? TAIL_EVENTS + 9 : 1 + turn % 5;
		for (unsigned i = 0; i < n; i++) {
			static const uint32_t lengths[] = {0, 1, 120, TAIL_EVIDENCE_BYTES, TAIL_EVIDENCE_BYTES + 1, 100000};
			uint32_t len = n > 9 ? 10 : lengths[(turn + i) % 6];
			add_record(&b, EPOCH_A, 1, seq, 1 + (unsigned)(seq % 3), len);
			struct entry *e = &b.e[b.n - 1];
			if (seq % 11 == 0)
				e->vet = (struct event_vet){.node = VET_ASKED};
			if (seq % 13 == 0)
				e->rule_name[0] = '\0';
			seq++;
			if (seq % 9 == 0) {
				add_loss(&b, EPOCH_A, 1, seq, seq + 2, LOSS_NAME_RING_FULL);
				seq += 3;
			}
			if (seq % 17 == 0) /* twice */
				add_record(&b, EPOCH_A, 1, seq - 1, GRADE_PAGE, 0);
		}
		assert_int_equal(journal_commit(j, &b, SECOND * (turn + 1)), 0);
		uint64_t head = journal_head(j);
		for (unsigned grade = GRADE_WATCH; grade <= GRADE_PAUSE; grade++) {
			uint64_t back = 1 + (turn * 37 + grade * 11) % (TAIL_EVENTS + 20);
			unsigned got = same_from(j, head > back ? head - back : 0, grade);
			assert_true(got <= back);
			assert_true(grade != GRADE_WATCH || got == (head > back ? back : head));
		}
		assert_int_equal(same_from(j, head, GRADE_WATCH), 0);
	}
	batch_free(&b);
	journal_close(j);
	folder_free(dir);
}

/* A commit that fails leaves nothing behind, and what was there before a restart comes from the file. */
static void
test_only_durable(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, BIG, BIG);
	commit_range(j, EPOCH_A, 1, 1, 10, 1, GRADE_PAGE, 20);
	assert_int_equal(same_from(j, 0, GRADE_WATCH), 10);
	journal_close(j);
	j = journal_of(dir, BIG, BIG);
	for (unsigned i = 0; i < TAIL_EVENTS; i++)
		assert_int_equal(j->tail.slot[i].event.cursor, 0);
	assert_int_equal(same_from(j, 0, GRADE_WATCH), 10);
	commit_range(j, EPOCH_A, 1, 5, 12, 3, GRADE_PAGE, 20); /* 5..10 are there already */
	assert_int_equal(journal_head(j), 12);
	assert_int_equal(same_from(j, 0, GRADE_WATCH), 12);
	assert_int_equal(same_from(j, 10, GRADE_WATCH), 2);
	journal_close(j);
	folder_free(dir);
}

/* What is retired is told as expired, whatever memory still has. */
static void
test_retired(void **state)
{
	(void)state;
	char *dir = folder_new();
	struct journal *j = journal_of(dir, 64u << 10, 128u << 10);
	commit_range(j, EPOCH_A, 1, 1, 400, 1, GRADE_WATCH, 1500);
	journal_tidy(j, SECOND);
	uint64_t floor = journal_floor(j), at = floor > 0 ? floor - 1 : 0;
	static struct journal_event e;
	struct journal_reader *r = journal_reader_new(j);
	assert_true(floor > 0);
	assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), -ESTALE);
	at = floor;
	assert_int_equal(journal_read(r, &at, GRADE_WATCH, &e), floor < journal_head(j));
	journal_reader_free(r);
	journal_close(j);
	folder_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_only_durable),
		cmocka_unit_test(test_retired),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
