/* SPDX-License-Identifier: BSD-3-Clause */
/* keylog: lines, mistakes with their places, growth at every cut, rotation, modes, caps. */
#include "io/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff01"

static char said[4096];
static unsigned n_said;

static void
hear(void *ctx, const char *text)
{
	snprintf(said, sizeof said, "%s", text);
	n_said++;
}

static char path[64];

static void
write_file(const char *text, bool append)
{
	FILE *f = fopen(path, append ? "a" : "w");
	assert_non_null(f);
	fchmod(fileno(f), 0600);
	fputs(text, f);
	fclose(f);
}

static int
setup(void **state)
{
	char folder[] = "/tmp/XXXXXX";
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/keys", folder);
	n_said = 0;
	said[0] = 0;
	return 0;
}

static int
teardown(void **state)
{
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	return 0;
}

static void
lines(void **state)
{
	static const char *const good[] = {
		"rlpx " A " " B " 192.0.2.1:30303 [2001:db8::1]:65535",
		"  rlpx\t" A "  -  -  - \r",
		"rlpx " A " - - 10.0.0.1:1 # a comment",
		"rlpx " A " " B " - - " A " " B,
	};
	struct rlpx_key k;
	unsigned column;
	const char *why;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(keylog_line(good[i], strlen(good[i]), &k, &column, &why), 1);
	assert_true(k.has_mac && k.has_nonces);
	assert_int_equal(k.nonce[1][31], 1);
	assert_int_equal(k.end[0].port, 0);
	keylog_line(good[0], strlen(good[0]), &k, &column, &why);
	assert_int_equal(k.aes[1], 0x11);
	assert_int_equal(k.aes[31], 0xff);
	assert_int_equal(k.mac[31], 0x01);
	assert_true(k.has_mac && !k.has_nonces);
	static const uint8_t four[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1},
			     six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	assert_memory_equal(k.end[0].ip, four, 16);
	assert_memory_equal(k.end[1].ip, six, 16);
	assert_int_equal(k.end[0].port, 30303);
	assert_int_equal(k.end[1].port, 65535);
	static const char *const empty[] = {"", "   ", "\t\r", "# rlpx", "  #x", "\r"};
	for (unsigned i = 0; i < sizeof empty / sizeof *empty; i++)
		assert_int_equal(keylog_line(empty[i], strlen(empty[i]), &k, &column, &why), 0);
}

static void
mistakes(void **state)
{
	static const struct {
		const char *line;
		unsigned column;
	} c[] = {
		{"rlpy " A, 1},
		{"  client_random " A, 3},
		{"rlpx", 5},
		{"rlpx 0x" A " - - -", 7},
		{"rlpx 00 - - -", 6},
		{"rlpx " A "0 - - -", 6},
		{"rlpx - - - -", 6},
		{"rlpx " A, 70},
		{"rlpx " A " zz - -", 71},
		{"rlpx " A " - ", 73},
		{"rlpx " A " - 1.2.3.4 -", 73},
		{"rlpx " A " - 1.2.3.400:5 -", 73},
		{"rlpx " A " - 1.2.3.4:0 -", 81},
		{"rlpx " A " - 1.2.3.4:65536 -", 81},
		{"rlpx " A " - 1.2.3.4:123456 -", 81},
		{"rlpx " A " - 1.2.3.4:12x -", 83},
		{"rlpx " A " - 1.2.3.4: -", 81},
		{"rlpx " A " - ::1:30303 -", 73},
		{"rlpx " A " - [::1:30303 -", 73},
		{"rlpx " A " - []:30303 -", 73},
		{"rlpx " A " - : -", 73},
		{"rlpx " A " - - - " A, 141},
		{"rlpx " A " - - - - -", 77},
		{"rlpx " A " - - - " A " " A " x", 207},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct rlpx_key k;
		unsigned column = 0;
		const char *why = NULL;
		char *exact = malloc(strlen(c[i].line));
		memcpy(exact, c[i].line, strlen(c[i].line));
		assert_int_equal(keylog_line(exact, strlen(c[i].line), &k, &column, &why), -1);
		assert_non_null(why);
		if (column != c[i].column)
			fail_msg("%s: column %u, not %u (%s)", c[i].line, column, c[i].column, why);
		free(exact);
	}
}

static void
file_and_line(void **state)
{
	struct keylog k;
	write_file("# secrets\nrlpx " A " - - -\nrlpx " A " - bad -\n\nrlpx " B " - - -", false);
	assert_int_equal(keylog_open(&k, path, 0, hear, NULL), 0);
	assert_int_equal(k.n, 1); /* the last line has no end yet */
	assert_int_equal(n_said, 1);
	assert_int_equal(k.mistakes, 1);
	char want[128];
	snprintf(want, sizeof want, "%s:3:73: ", path);
	assert_memory_equal(said, want, strlen(want));
	write_file("\n", true);
	assert_int_equal(keylog_read(&k), 1);
	assert_int_equal(keylog_read(&k), 0);
	assert_int_equal(k.n, 2);
	struct rlpx_keys *t = keylog_table(&k, 1);
	assert_int_equal(rlpx_keys_end(t), 2);
	free(t);
	keylog_close(&k);
}

/* Appended in two pieces at every place. */
static void
every_cut(void **state)
{
	static const char text[] = "rlpx " A " - 192.0.2.1:1 -\r\n#\nrlpx " B " " A " - [::1]:9\nrlpx bad\n";
	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct keylog k;
		char first[sizeof text];
		memcpy(first, text, cut);
		first[cut] = 0;
		write_file(first, false);
		assert_int_equal(keylog_open(&k, path, 0, hear, NULL), 0);
		uint32_t before = k.n;
		write_file(text + cut, true);
		assert_int_equal(keylog_read(&k), 2 - before);
		assert_int_equal(k.mistakes, 1);
		assert_int_equal(k.line, 5);
		keylog_close(&k);
	}
}

static void
rotation(void **state)
{
	struct keylog k;
	char other[80];
	snprintf(other, sizeof other, "%s.1", path);
	write_file("rlpx " A " - - -\n", false);
	assert_int_equal(keylog_open(&k, path, 0, hear, NULL), 0);
	/* what was appended just before it was moved away is not lost */
	write_file("rlpx " B " - - -\n", true);
	rename(path, other);
	write_file("rlpx " A " " B " - -\nrlpx " A " - - -\n", false);
	assert_int_equal(keylog_read(&k), 2);
	assert_int_equal(k.n, 3);
	assert_int_equal(k.reopened, 1);
	unlink(other);
	/* cut short and written anew */
	write_file("rlpx " B " " B " - -\n", false);
	assert_int_equal(keylog_read(&k), 1);
	assert_int_equal(k.reopened, 2);
	/* gone: what is known stays, and it is taken up again */
	unlink(path);
	assert_int_equal(keylog_read(&k), 0);
	write_file("rlpx " A " " A " - -\n", false);
	assert_int_equal(keylog_read(&k), 1);
	assert_int_equal(k.n, 5);
	assert_int_equal(k.dropped, 0);
	keylog_close(&k);
}

static void
modes(void **state)
{
	struct keylog k;
	assert_int_equal(keylog_open(&k, path, 0, hear, NULL), -ENOENT);
	write_file("rlpx " A " - - -\n", false);
	static const mode_t bad[] = {0640, 0604, 0620, 0602, 0644, 0700, 0610};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		chmod(path, bad[i]);
		n_said = 0;
		assert_int_equal(keylog_open(&k, path, 0, hear, NULL), -EPERM);
		assert_int_equal(n_said, 1);
	}
	chmod(path, 0400);
	assert_int_equal(keylog_open(&k, path, 0, hear, NULL), 0);
	/* opened up later: nothing more is taken from it, and it is told once */
	n_said = 0;
	chmod(path, 0644);
	assert_int_equal(keylog_read(&k), -EPERM);
	assert_int_equal(keylog_read(&k), -EPERM);
	assert_int_equal(n_said, 1);
	chmod(path, 0600);
	assert_int_equal(keylog_read(&k), 0);
	assert_int_equal(k.n, 1);
	keylog_close(&k);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(keylog_open(&k, path, 0, hear, NULL), -EINVAL); /* and does not wait */
	assert_int_equal(keylog_open(&k, path, RLPX_KEYS_MAX + 1, hear, NULL), -EINVAL);
}

static void
oldest_go(void **state)
{
	struct keylog k;
	write_file("", false);
	assert_int_equal(keylog_open(&k, path, 10, hear, NULL), 0);
	for (unsigned i = 0; i < 25; i++) {
		char text[128];
		snprintf(text, sizeof text, "rlpx %062x%02x - - -\n", 0, i);
		assert_int_equal(keylog_feed(&k, text, strlen(text)), 1);
		assert_int_equal(keylog_feed(&k, text, strlen(text)), 0); /* known */
	}
	assert_int_equal(k.n, 10);
	assert_int_equal(k.dropped, 15);
	assert_int_equal(k.first_number, 15);
	assert_int_equal(k.list[0].aes[31], 15);
	struct rlpx_keys *t = keylog_table(&k, 1);
	assert_int_equal(rlpx_keys_end(t), 25);
	free(t);
	keylog_close(&k);
}

static void
append_lines(unsigned from, unsigned n)
{
	FILE *f = fopen(path, "a");
	assert_non_null(f);
	for (unsigned i = from; i < from + n; i++)
		fprintf(f, "rlpx %064x - - -\n", i);
	fclose(f);
}

static unsigned
number_of(const struct rlpx_key *s)
{
	return (unsigned)s->aes[29] << 16 | (unsigned)s->aes[30] << 8 | s->aes[31];
}

/* Far more than is kept: what is not kept is not looked at, not even mistakes in it. */
static void
only_the_end(void **state)
{
	struct keylog k;
	write_file("no session\nrlpx " A " - - -\n", false);
	assert_int_equal(truncate(path, 1ll << 40), 0); /* a terabyte, most of it one line without end */
	write_file("\nno session\n", true);
	append_lines(1, 100);
	write_file("# a comment\n\n\r\n", true);
	append_lines(101, 5);
	assert_int_equal(keylog_open(&k, path, 20, hear, NULL), 0);
	assert_int_equal(k.n, 20);
	assert_int_equal(k.dropped + k.mistakes, 0);
	assert_int_equal(number_of(&k.list[0]), 86);
	assert_int_equal(number_of(&k.list[19]), 105);
	/* and so while it grows, at whatever piece it had got to */
	write_file("rlpx 00", true);
	assert_int_equal(keylog_read(&k), 0);
	write_file("\nbad\n", true);
	append_lines(200, 10000);
	write_file("x\n", true);
	n_said = 0;
	assert_int_equal(keylog_read(&k), 19);
	assert_int_equal(n_said, 1); /* the x */
	assert_non_null(strstr(said, "lines counted from byte"));
	assert_non_null(strstr(said, ":20:1: "));
	assert_int_equal(k.n, 20);
	assert_int_equal(number_of(&k.list[19]), 10199);
	assert_int_equal(number_of(&k.list[0]), 105);
	keylog_close(&k);
}

/* Just as many lines as are read, and one more, with ends of both kinds. */
static void
the_last_lines(void **state)
{
	for (unsigned n = 8; n < 14; n++) {
		struct keylog k;
		write_file("", false);
		append_lines(1, n);
		assert_int_equal(keylog_open(&k, path, 10, hear, NULL), 0);
		assert_int_equal(k.n, n < 10 ? n : 10);
		assert_int_equal(k.dropped, 0);
		assert_int_equal(k.from, n > 10 ? (n - 10) * 76 : 0);
		assert_int_equal(number_of(&k.list[k.n - 1]), n);
		keylog_close(&k);
	}
}

static void
long_lines(void **state)
{
	struct keylog k;
	write_file("", false);
	assert_int_equal(keylog_open(&k, path, 10, hear, NULL), 0);
	static char text[3000];
	memset(text, 'x', sizeof text);
	assert_int_equal(keylog_feed(&k, text, sizeof text), 0);
	assert_int_equal(keylog_feed(&k, text, sizeof text), 0);
	assert_int_equal(keylog_feed(&k, "\nrlpx " A " - - -\n", 1 + 5 + 64 + 6 + 1), 1);
	assert_int_equal(k.mistakes, 1);
	memset(text, ' ', KEYLOG_LINE_MAX);
	text[KEYLOG_LINE_MAX] = '\n';
	assert_int_equal(keylog_feed(&k, text, KEYLOG_LINE_MAX + 1), 0); /* just fits */
	assert_int_equal(k.mistakes, 1);
	keylog_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(mistakes),
		cmocka_unit_test_setup_teardown(file_and_line, setup, teardown),
		cmocka_unit_test_setup_teardown(every_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(modes, setup, teardown),
		cmocka_unit_test_setup_teardown(oldest_go, setup, teardown),
		cmocka_unit_test_setup_teardown(only_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
