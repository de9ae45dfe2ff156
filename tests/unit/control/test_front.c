/* SPDX-License-Identifier: BSD-3-Clause */
/* What the front has told is what the database holds afterwards, by the same cursor and byte by byte, whatever ends the process in between. */
#include "fixture.h"

#include "control/audit.h"
#include "control/front.h"
#include "control/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BIG (64ull << 20)

static const uint32_t lengths[] = {0, 1, 500, FRONT_EVIDENCE};

/* Events from `from` on as text, from memory or from the file. */
static unsigned
told(struct journal *j, uint64_t from, bool from_file, char *out, size_t cap)
{
	static struct journal_event e;
	static char line[EVENT_BYTES_MAX];
	struct journal_reader *r = journal_reader_new(j);
	uint64_t at = from;
	unsigned n = 0;
	if (from_file)
		memset(j->tail.slot, 0, sizeof j->tail.slot);
	out[0] = '\0';
	while (journal_read(r, &at, GRADE_WATCH, &e) == 1) {
		int len = journal_event_format(line, sizeof line, &e, "urn:sentinel:test", j->id, true);
		assert_in_range(len, 1, sizeof line - 1);
		line[len] = '\0';
		assert_true(strlen(out) + strlen(line) + 2 < cap);
		strcat(strcat(out, line), "\n");
		n++;
	}
	assert_int_equal(at, journal_head(j));
	journal_reader_free(r);
	return n;
}

static struct journal *
begun(const char *dir)
{
	struct journal *j = journal_of(dir, BIG, BIG);
	commit_range(j, EPOCH_A, 0, 1, 20, 5, GRADE_WATCH, 300);
	return j;
}

static void
add(struct batch *b, uint64_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		add_record(b, EPOCH_A, 0, seq + i, 1 + (unsigned)((seq + i) % 3), lengths[i % 4]);
}

static void
test_told_then_held(void **state)
{
	(void)state;
	static char before[1 << 19], after[1 << 19], file[1 << 19];
	char *dir = folder_new(), err[256];
	struct journal *j = begun(dir);
	struct journal_status s;
	struct batch b;
	uint64_t seq = 21, entries, acked;
	assert_int_equal(batch_new(&b), 0);
	assert_int_equal(journal_subscribe(j, "me", 20, 1, &acked), 0);
	for (unsigned n = 1; n <= FRONT_ENTRIES; n++) {
		uint64_t head = journal_head(j);
		add(&b, seq, n);
		seq += n;
		assert_true(journal_front(j, &b, (100 + n) * SECOND));
		assert_int_equal(journal_head(j), head + n);
		assert_int_equal(told(j, head, false, before, sizeof before), n);
		/* consumers may have it, acknowledge it, and begin behind it */
		assert_int_equal(journal_ack(j, "me", head + n), 0);
		assert_int_equal(journal_ack(j, "me", head + n + 1), -ERANGE);
		journal_status_get(j, &s);
		assert_int_equal(s.head, head + n);
		assert_int_equal(s.events, head + n);
		/* not twice */
		assert_false(journal_front(j, &b, (100 + n) * SECOND));
		/* the database may take its time */
		assert_int_equal(journal_commit(j, &b, (500 + n) * SECOND), 0);
		assert_int_equal(b.n, 0);
		assert_int_equal(journal_head(j), head + n);
		assert_int_equal(told(j, head, false, after, sizeof after), n);
		assert_int_equal(told(j, head, true, file, sizeof file), n);
		assert_string_equal(before, after);
		assert_string_equal(before, file);
	}
	batch_free(&b);
	journal_close(j);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	folder_free(dir);
}

/* The process ends between the two. */
static void
test_recovered(void **state)
{
	(void)state;
	static char before[1 << 19], after[1 << 19];
	for (unsigned n = 1; n <= FRONT_ENTRIES; n += 5) {
		char *dir = folder_new(), err[256];
		struct journal *j = begun(dir);
		struct batch b;
		uint64_t entries;
		struct journal_progress p;
		assert_int_equal(batch_new(&b), 0);
		add(&b, 21, n);
		assert_true(journal_front(j, &b, 100 * SECOND));
		assert_int_equal(told(j, 20, false, before, sizeof before), n);
		journal_close(j);
		b.n = b.evidence_n = 0;
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_head(j), 20);
		assert_int_equal(journal_recover(j, &b), n);
		assert_int_equal(b.n, n);
		assert_int_equal(journal_head(j), 20 + n);
		assert_int_equal(told(j, 20, false, after, sizeof after), n);
		assert_string_equal(before, after);
		assert_int_equal(journal_commit(j, &b, 900 * SECOND), 0);
		assert_int_equal(told(j, 20, true, after, sizeof after), n);
		assert_string_equal(before, after);
		/* what the rings still hold of it comes again, and is known */
		journal_ring(j, EPOCH_A, 0, &p);
		assert_int_equal(p.last_seq, 20 + n);
		add(&b, 21, n);
		assert_false(journal_front(j, &b, 901 * SECOND));
		assert_int_equal(journal_commit(j, &b, 901 * SECOND), 0);
		assert_int_equal(journal_head(j), 20 + n);
		journal_close(j);
		/* and not once more */
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_recover(j, &b), 0);
		assert_int_equal(b.n, 0);
		journal_close(j);
		batch_free(&b);
		assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
		folder_free(dir);
	}
}

static void
rewrite(const char *dir, long at, uint8_t flip)
{
	char path[512];
	uint8_t c;
	snprintf(path, sizeof path, "%s/front", dir);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= flip;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* A write that did not come to its end was promised to nobody; nor was what another journal holds, or what does not follow. */
static void
test_not_recovered(void **state)
{
	(void)state;
	char *dir = folder_new(), *other = folder_new(), from[512], to[512];
	struct journal *j = begun(dir);
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	add(&b, 21, 4);
	uint32_t bytes = 72;
	for (unsigned i = 0; i < 4; i++)
		bytes += 8 + 8 + RULE_NAME_MAX + (uint32_t)(sizeof(struct event_vet) + sizeof(struct alert_record)) + lengths[i];
	assert_true(journal_front(j, &b, 100 * SECOND));
	journal_close(j);
	b.n = b.evidence_n = 0;
	for (uint32_t at = 0; at < bytes; at += at < 80 ? 1 : 97) {
		rewrite(dir, at, 0x10);
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_recover(j, &b), 0);
		assert_int_equal(b.n, 0);
		assert_int_equal(b.evidence_n, 0);
		assert_int_equal(journal_head(j), 20);
		journal_close(j);
		rewrite(dir, at, 0x10);
	}
	/* into another journal, as far as this one */
	journal_close(begun(other));
	snprintf(from, sizeof from, "cp %s/front %s/front", dir, other);
	assert_int_equal(system(from), 0);
	j = journal_of(other, BIG, BIG);
	assert_int_equal(journal_recover(j, &b), 0);
	journal_close(j);
	/* of a later time than what is left of its own */
	snprintf(to, sizeof to, "cp %s/front %s/kept", dir, dir);
	assert_int_equal(system(to), 0);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(journal_recover(j, &b), 4);
	assert_int_equal(journal_commit(j, &b, 200 * SECOND), 0);
	commit_range(j, EPOCH_A, 0, 25, 30, 1, GRADE_WATCH, 10);
	journal_close(j);
	snprintf(to, sizeof to, "mv %s/kept %s/front", dir, dir);
	assert_int_equal(system(to), 0);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(journal_recover(j, &b), 0);
	assert_int_equal(journal_head(j), 30);
	journal_close(j);
	batch_free(&b);
	folder_free(dir);
	folder_free(other);
}

static void
refused(struct journal *j, struct batch *b)
{
	uint64_t head = journal_head(j);
	assert_false(journal_front(j, b, 100 * SECOND));
	assert_int_equal(journal_head(j), head);
	assert_int_equal(b->e[0].front_ns, 0);
	assert_int_equal(journal_commit(j, b, 100 * SECOND), 0);
}

static void
test_not_for_the_front(void **state)
{
	(void)state;
	char *dir = folder_new(), err[256];
	struct journal *j = begun(dir);
	struct batch b;
	uint64_t seq = 21, entries;
	assert_int_equal(batch_new(&b), 0);
	assert_false(journal_front(j, &b, 100 * SECOND));
	add(&b, seq, FRONT_ENTRIES + 1); /* many */
	seq += FRONT_ENTRIES + 1;
	refused(j, &b);
	add_record(&b, EPOCH_A, 0, seq++, GRADE_PAUSE, FRONT_EVIDENCE + 1); /* large */
	refused(j, &b);
	add_loss(&b, EPOCH_A, 0, seq, seq + 4, LOSS_NAME_RING_FULL);
	add(&b, seq + 5, 1);
	seq += 6;
	refused(j, &b);
	add(&b, seq - 1, 1); /* there already */
	refused(j, &b);
	add(&b, seq, 1);
	add(&b, seq++, 1); /* twice in one */
	refused(j, &b);
	add_record(&b, EPOCH_B, 0, 1, GRADE_WATCH, 10); /* of a ring that nobody knows */
	refused(j, &b);
	add_record(&b, EPOCH_A, 0, seq - 1, GRADE_PAGE, 10);
	b.e[0].vet.node = VET_NO; /* a verdict */
	refused(j, &b);
	add_record(&b, EPOCH_B, 0, 2, GRADE_WATCH, 10); /* both rings are known now */
	add_record(&b, EPOCH_A, 0, seq++, GRADE_WATCH, 10);
	b.e[0].vet.node = VET_ASKED;
	assert_true(journal_front(j, &b, 100 * SECOND));
	assert_int_equal(journal_commit(j, &b, 100 * SECOND), 0);
	batch_free(&b);
	journal_close(j);
	assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
	folder_free(dir);
}

/* No room in it, or no file: everything goes by the database. */
static void
test_without(void **state)
{
	(void)state;
	char *dir = folder_new(), path[512];
	struct journal *j = begun(dir);
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	int full = open("/dev/full", O_RDWR);
	assert_true(full >= 0);
	dup2(full, j->front_fd);
	close(full);
	add(&b, 21, 1);
	refused(j, &b);
	assert_int_equal(j->front_fd, -1);
	journal_close(j);
	snprintf(path, sizeof path, "%s/front", dir);
	for (unsigned i = 0; i < 3; i++) {
		char outside[600];
		snprintf(outside, sizeof outside, "%s/outside", dir);
		unlink(path);
		assert_int_equal(i == 0 ? mkdir(path, 0700) : i == 1 ? mkfifo(path, 0600) : symlink(outside, path), 0);
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(j->front_fd, -1);
		assert_int_equal(journal_recover(j, &b), 0);
		add(&b, 22 + i, 1);
		refused(j, &b);
		journal_close(j);
		assert_int_not_equal(access(outside, F_OK), 0);
		if (i == 0)
			assert_int_equal(rmdir(path), 0);
	}
	/* of another length: made anew */
	unlink(path);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	j = journal_of(dir, BIG, BIG);
	assert_true(j->front_fd >= 0);
	add(&b, 25, 1);
	assert_true(journal_front(j, &b, 100 * SECOND));
	assert_int_equal(journal_commit(j, &b, 100 * SECOND), 0);
	journal_close(j);
	batch_free(&b);
	folder_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_then_held),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_not_recovered),
		cmocka_unit_test(test_not_for_the_front),
		cmocka_unit_test(test_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
