/* SPDX-License-Identifier: BSD-3-Clause */
/* What the front has told is what the database holds afterwards, by the same cursor and byte by byte, whatever ends the process in between. */
#include "fixture.h"

#include "control/audit.h"
#include "control/front.h"
#include "control/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

static int
recovered(struct journal *j, struct batch *b)
{
	char err[512] = "";
	int n = journal_recover(j, b, 1, err, sizeof err);
	assert_int_equal(n < 0, err[0] != '\0');
	return n;
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
		assert_true(journal_near(j, head, head + n));
		assert_true(journal_near(j, head + n, head + n));
		assert_false(journal_near(j, head - 1, head + n + 1));
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

/* A process that is gone once n alerts are told: nothing is closed. before: what it told. */
static void
ends_between(const char *dir, unsigned n, char *before, size_t cap)
{
	int status, out[2];
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *j = begun(dir);
		struct batch b;
		assert_int_equal(batch_new(&b), 0);
		add(&b, 21, n);
		assert_true(journal_front(j, &b, 100 * SECOND));
		assert_int_equal(told(j, 20, false, before, cap), n);
		assert_int_equal(write(out[1], before, strlen(before)), strlen(before));
		_exit(0);
	}
	close(out[1]);
	size_t len = 0;
	for (ssize_t got; (got = read(out[0], before + len, cap - 1 - len)) > 0;)
		len += (size_t)got;
	before[len] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static uint64_t
find(struct journal *j, uint64_t seq)
{
	struct journal_reader *r = journal_reader_new(j);
	struct position id = {.kind = POSITION_ID, .ring = 0, .seq = seq};
	uint64_t cursor = 0;
	memcpy(id.epoch, EPOCH_A, sizeof id.epoch);
	int rc = journal_find(r, &id, &cursor);
	assert_true(rc == 0 || (rc == -ENOENT && cursor == 0));
	journal_reader_free(r);
	return cursor;
}

static void
test_recovered(void **state)
{
	(void)state;
	static char before[1 << 19], after[1 << 19];
	for (unsigned n = 1; n <= FRONT_ENTRIES; n += 5) {
		char *dir = folder_new(), err[256];
		struct batch b;
		uint64_t entries;
		struct journal_progress p;
		ends_between(dir, n, before, sizeof before);
		assert_int_equal(batch_new(&b), 0);
		struct journal *j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_head(j), 20);
		assert_int_equal(recovered(j, &b), n);
		assert_int_equal(b.n, n);
		assert_int_equal(journal_head(j), 20 + n);
		assert_int_equal(told(j, 20, false, after, sizeof after), n);
		assert_string_equal(before, after);
		/* what the rings still hold of it is known before the database has it, and it is found */
		journal_ring(j, EPOCH_A, 0, &p);
		assert_int_equal(p.last_seq, 20 + n);
		assert_int_equal(p.journaled, 20 + n);
		assert_int_equal(find(j, 20 + n), 20 + n);
		assert_int_equal(find(j, 21 + n), 0);
		assert_int_equal(find(j, 20), 20);
		assert_int_equal(journal_commit(j, &b, 900 * SECOND), 0);
		assert_int_equal(find(j, 20 + n), 20 + n);
		assert_int_equal(told(j, 20, true, after, sizeof after), n);
		assert_string_equal(before, after);
		journal_ring(j, EPOCH_A, 0, &p);
		assert_int_equal(p.last_seq, 20 + n);
		add(&b, 21, n);
		assert_false(journal_front(j, &b, 901 * SECOND));
		assert_int_equal(journal_commit(j, &b, 901 * SECOND), 0);
		assert_int_equal(journal_head(j), 20 + n);
		journal_close(j);
		/* and not once more */
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(recovered(j, &b), 0);
		assert_int_equal(b.n, 0);
		journal_close(j);
		batch_free(&b);
		assert_int_equal(audit_verify(dir, &entries, err, sizeof err), 0);
		folder_free(dir);
	}
}

/* words: with a %s for each of up to five names */
static void
shell(const char *words, ...)
{
	char line[2048];
	va_list ap;
	va_start(ap, words);
	vsnprintf(line, sizeof line, words, ap);
	va_end(ap);
	assert_int_equal(system(line), 0);
}

/* One that can be read and not written is read all the same. */
static void
test_read_only(void **state)
{
	(void)state;
	static char before[1 << 19];
	char *dir = folder_new();
	struct batch b;
	ends_between(dir, 3, before, sizeof before);
	assert_int_equal(batch_new(&b), 0);
	shell("head -c 60000 %s/front > %s/short && mv %s/short %s/front", dir, dir, dir, dir);
	struct journal *j = journal_of(dir, BIG, BIG);
	assert_int_equal(j->front_fd, -1);
	assert_int_equal(recovered(j, &b), 3);
	assert_int_equal(journal_commit(j, &b, 900 * SECOND), 0);
	assert_int_equal(journal_head(j), 23);
	journal_close(j);
	batch_free(&b);
	folder_free(dir);
}

/* Another build's records, which nobody here can read: not begun without them, until the file is moved away; once the database has them they do not
 * matter. */
static void
test_of_another_build(void **state)
{
	(void)state;
	static uint8_t bytes[FRONT_BYTES];
	char *dir = folder_new(), err[512] = "", path[512];
	struct journal *j = begun(dir);
	struct batch b;
	uint32_t one = 1, head = 72, item = 5;
	struct sha256_ctx sha;
	assert_int_equal(batch_new(&b), 0);
	for (uint64_t before = 20; before > 18; before--) {
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, "SNTFRNT1", 8);
		memcpy(bytes + 8, &j->id, 4);
		memcpy(bytes + 12, &one, 4);
		memcpy(bytes + 16, &before, 8);
		memcpy(bytes + 24, &before, 8);
		memcpy(bytes + 32, &head, 4);
		memcpy(bytes + 36, &item, 4);
		sha256_init(&sha);
		sha256_update(&sha, head, bytes);
		sha256_digest(&sha, SHA256_DIGEST_SIZE, bytes + 40);
		snprintf(path, sizeof path, "%s/front", dir);
		int fd = open(path, O_WRONLY);
		assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
		close(fd);
		journal_close(j);
		j = journal_of(dir, BIG, BIG);
		assert_int_equal(journal_recover(j, &b, 1, err, sizeof err), before == 20 ? -EIO : 0);
		assert_int_equal(strstr(err, "another version") != NULL, 1);
		assert_int_equal(b.n, 0);
	}
	journal_close(j);
	batch_free(&b);
	folder_free(dir);
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

/* One more is told, and the database does not get it. */
static void
told_and_left(struct journal *j, struct batch *b, uint64_t seq, uint64_t t_ns)
{
	add_record(b, EPOCH_A, 0, seq, GRADE_WATCH, 10);
	assert_true(journal_front(j, b, t_ns));
	journal_close(j);
	b->n = b->evidence_n = 0;
}

/* A write that did not come to its end was promised to nobody; nor was what another journal holds, or what does not follow. */
static void
test_not_recovered(void **state)
{
	(void)state;
	char *dir = folder_new(), *other = folder_new();
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
		assert_int_equal(recovered(j, &b), 0);
		assert_int_equal(b.n, 0);
		assert_int_equal(b.evidence_n, 0);
		assert_int_equal(journal_head(j), 20);
		journal_close(j);
		rewrite(dir, at, 0x10);
	}
	/* into another journal, as far as this one */
	journal_close(begun(other));
	shell("cp %s/front %s/front", dir, other);
	j = journal_of(other, BIG, BIG);
	assert_int_equal(recovered(j, &b), 0);
	journal_close(j);
	/* older than what the database has */
	shell("cp %s/front %s/kept", dir, dir);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(recovered(j, &b), 4);
	assert_int_equal(journal_commit(j, &b, 200 * SECOND), 0);
	commit_range(j, EPOCH_A, 0, 25, 30, 1, GRADE_WATCH, 10);
	told_and_left(j, &b, 31, 201 * SECOND);
	shell("cp %s/front %s/newer && cp %s/kept %s/front", dir, dir, dir, dir);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(recovered(j, &b), 0);
	assert_int_equal(journal_head(j), 30);
	journal_close(j);
	/* newer than it: a copy of before was put back, with a consumer that had got further */
	shell("cp %s/newer %s/front && mkdir %s/was && cp %s/journal-000001.db %s/was/", dir, dir, other, dir, other);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(recovered(j, &b), 1);
	assert_int_equal(journal_commit(j, &b, 202 * SECOND), 0);
	commit_range(j, EPOCH_A, 0, 32, 40, 1, GRADE_WATCH, 10);
	told_and_left(j, &b, 41, 203 * SECOND);
	shell("rm -f %s/journal-000001.db* && cp %s/was/journal-000001.db %s/ && rm -r %s/was", dir, other, dir, other);
	j = journal_of(dir, BIG, BIG);
	j->consumers[j->n_consumers++] = (struct consumer_slot){.c = {.name = "ahead", .acked = 41}};
	assert_int_equal(recovered(j, &b), 0);
	assert_int_equal(journal_head(j), 30);
	assert_int_equal(j->consumers[0].c.acked, 30);
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
	assert_false(journal_near(j, journal_head(j) - 2, journal_head(j))); /* losses are read from the file */
	assert_true(journal_near(j, journal_head(j) - 1, journal_head(j)));
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
		assert_int_equal(recovered(j, &b), 0);
		add(&b, 22 + i, 1);
		refused(j, &b);
		journal_close(j);
		assert_int_not_equal(access(outside, F_OK), 0);
		if (i == 0)
			assert_int_equal(rmdir(path), 0);
	}
	/* of another length: not ours to change */
	unlink(path);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(truncate(path, 4096), 0);
	j = journal_of(dir, BIG, BIG);
	assert_int_equal(j->front_fd, -1);
	journal_close(j);
	assert_int_equal(truncate(path, 0), 0);
	j = journal_of(dir, BIG, BIG);
	assert_true(j->front_fd >= 0);
	add(&b, 25, 1);
	assert_true(journal_front(j, &b, 100 * SECOND));
	assert_int_equal(journal_commit(j, &b, 100 * SECOND), 0);
	/* somebody removes it, or moves it away: what it holds would be nobody's */
	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			unlink(path);
		else
			shell("mv %s %s.moved", path, path);
		add(&b, 26 + i, 1);
		refused(j, &b);
		assert_int_equal(j->front_fd, -1);
		journal_close(j);
		j = journal_of(dir, BIG, BIG);
		assert_true(j->front_fd >= 0);
	}
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
		cmocka_unit_test(test_of_another_build),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_not_recovered),
		cmocka_unit_test(test_not_for_the_front),
		cmocka_unit_test(test_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
