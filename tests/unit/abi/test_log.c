/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char said[1 << 16];

/* What is written to stderr meanwhile. */
static const char *
listen_to(void (*work)(void))
{
	int fd[2], before = dup(STDERR_FILENO);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
	close(fd[1]);
	work();
	dup2(before, STDERR_FILENO);
	close(before);
	size_t n = 0;
	for (ssize_t k; (k = read(fd[0], said + n, sizeof said - 1 - n)) > 0;)
		n += (size_t)k;
	said[n] = '\0';
	close(fd[0]);
	return said;
}

static void
expect_escaped(const char *text, size_t cap, const char *want)
{
	char out[64];
	memset(out, 'Z', sizeof out);
	assert_int_equal(log_escape(out, cap, text), strlen(want));
	assert_string_equal(out, want);
	for (size_t i = cap; i < sizeof out; i++)
		assert_int_equal(out[i], 'Z');
}

static void
nothing_in_a_line_is_obeyed(void **state)
{
	(void)state;
	expect_escaped("", 8, "");
	expect_escaped("plain ~ text", 64, "plain ~ text");
	expect_escaped("a\nb\r\tc", 64, "a\\x0ab\\x0d\\x09c");
	expect_escaped("\033[31m", 64, "\\x1b[31m");
	expect_escaped("\x7f\x80\xff", 64, "\\x7f\\x80\\xff");
	expect_escaped("\\x41 \\n", 64, "\\x5cx41 \\n"); /* what was written so is not taken for it */
	expect_escaped("1234567", 8, "1234567");
	expect_escaped("12345678", 8, "1234...");
	expect_escaped("123\n5678", 8, "123...");
	expect_escaped("\n\n\n\n", 16, "\\x0a\\x0a\\x0a...");
}

static void
a_bucket_empties_and_fills(void **state)
{
	struct log_kind k = {0};
	uint64_t left_out, t = 1000 * LOG_EVERY_NS;
	(void)state;
	for (unsigned i = 0; i < LOG_BURST; i++) {
		assert_true(log_admit(&k, t, &left_out));
		assert_int_equal(left_out, 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_false(log_admit(&k, t + i, &left_out));
	assert_false(log_admit(&k, t + LOG_EVERY_NS - 1, &left_out));
	assert_true(log_admit(&k, t + LOG_EVERY_NS, &left_out));
	assert_int_equal(left_out, 1001);
	assert_false(log_admit(&k, t + LOG_EVERY_NS, &left_out));
	assert_true(log_admit(&k, t + 2 * LOG_EVERY_NS, &left_out));
	assert_int_equal(left_out, 1);
	t += 1000 * LOG_EVERY_NS;
	for (unsigned i = 0; i < LOG_BURST; i++)
		assert_true(log_admit(&k, t, &left_out));
	assert_false(log_admit(&k, t, &left_out));
	assert_false(log_admit(&k, t - 5 * LOG_EVERY_NS, &left_out)); /* a clock that goes back does not fill */
}

/* In any time, no more than the burst and what has come back since. */
static void
a_flood_writes_little(void **state)
{
	struct log_kind k = {0};
	uint64_t left_out, admitted = 0, told = 0;
	(void)state;
	for (uint64_t t = LOG_EVERY_NS; t < 1001 * LOG_EVERY_NS; t += LOG_EVERY_NS / 1000)
		if (log_admit(&k, t, &left_out)) {
			admitted++;
			told += left_out;
		}
	assert_in_range(admitted, 1000, 1000 + LOG_BURST);
	assert_int_equal(admitted + told + k.left_out, 1000000);
}

static void
flood(void)
{
	for (unsigned i = 0; i < 1000; i++)
		LOG(LOG_WARN, "it is %s\nagain", "here");
}

static void
say_long(void)
{
	static char text[4000];
	memset(text, 'x', sizeof text - 1);
	log_say(NULL, LOG_TOLD, "%s", text);
}

static void
a_message_is_a_line(void **state)
{
	(void)state;
	log_begin("prog");
	const char *p = listen_to(flood);
	unsigned lines = 0;
	for (; *p != '\0'; p = strchr(p, '\n') + 1, lines++)
		assert_int_equal(strncmp(p, "prog: it is here\\x0aagain\n", 25), 0);
	assert_int_equal(lines, LOG_BURST);
	p = listen_to(say_long);
	assert_int_equal(strlen(p), LOG_LINE_MAX - 1);
	assert_string_equal(p + strlen(p) - 4, "...\n");
}

static void
begin_and_say(void)
{
	struct stat st;
	char stream[64];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_begin("prog");
	log_say(NULL, LOG_FAULT, "bad");
	log_say(NULL, LOG_TOLD, "good");
	unsetenv("JOURNAL_STREAM");
}

static void
begin_elsewhere(void)
{
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_begin("prog");
	log_say(NULL, LOG_FAULT, "bad");
	unsetenv("JOURNAL_STREAM");
}

static void
journald_gets_priorities(void **state)
{
	(void)state;
	assert_string_equal(listen_to(begin_and_say), "<3>bad\n<6>good\n");
	assert_string_equal(listen_to(begin_elsewhere), "prog: bad\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_in_a_line_is_obeyed), cmocka_unit_test(a_bucket_empties_and_fills),
		cmocka_unit_test(a_flood_writes_little), cmocka_unit_test(a_message_is_a_line), cmocka_unit_test(journald_gets_priorities)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
