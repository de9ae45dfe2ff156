/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane makes of key log text that another process brings, and of a file that it may not open again. */
#include "io/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct rlpx_keys *given, *taken;
static struct sessions s;
static uint64_t now_ns;

void
worker_keys(struct worker *w, const struct rlpx_keys *keys)
{
	given = keys;
}

bool
worker_keys_taken(const struct worker *w, const struct rlpx_keys *keys)
{
	return taken == keys;
}

bool
worker_search_run(struct worker *w, uint64_t blocks)
{
	return false;
}

static uint32_t
known(void)
{
	sessions_turn(&s, now_ns += 5000000);
	taken = given;
	sessions_turn(&s, now_ns += 5000000);
	return given != NULL ? rlpx_keys_count(given) : 0;
}

static void
add_line(char *text, unsigned number)
{
	sprintf(text + strlen(text), "rlpx %064x - - -\n", number + 1);
}

static int
bring(const char *text)
{
	return sessions_text(&s, text, strlen(text));
}

static int
setup(void **state)
{
	given = taken = NULL;
	now_ns = 1;
	assert_int_equal(sessions_open(&s, NULL), 0);
	sessions_add(&s, NULL);
	return 0;
}

static int
teardown(void **state)
{
	sessions_close(&s);
	return 0;
}

static void
brought(void **state)
{
	char text[4096] = "";
	assert_int_equal(known(), 0);
	assert_null(given);
	add_line(text, 0);
	add_line(text, 1);
	assert_int_equal(bring(text), 0);
	assert_int_equal(known(), 2);
	const struct rlpx_keys *before = given;
	assert_int_equal(bring(text), 0); /* nothing new: nothing to publish */
	assert_int_equal(known(), 2);
	assert_ptr_equal(given, before);
	add_line(text, 2);
	text[strlen(text) - 1] = 0; /* its end is missing: nobody else's line is joined to it */
	assert_int_equal(bring(text), 0);
	strcpy(text, "rlpx ");
	assert_int_equal(bring(text), -EBADMSG);
	assert_int_equal(known(), 3);
	strcpy(text, "# nothing\n\n");
	assert_int_equal(bring(text), 0);
	assert_int_equal(sessions_text(&s, "", 0), 0);
	strcpy(text, "rubbish\n");
	add_line(text, 3);
	assert_int_equal(bring(text), 0);
	assert_int_equal(known(), 4);
	assert_int_equal(s.mistakes, 2);
}

/* More than are kept: the last ones, and no work for the others. */
static void
too_many(void **state)
{
	const unsigned all = KEYLOG_SESSIONS_DEFAULT + 100;
	char *text = calloc(1, (all + 2) * 90);
	for (unsigned i = 0; i < all; i++)
		sprintf(text + i * 76, "rlpx %064x - - -\n", i + 1);
	assert_int_equal(strlen(text), all * 76);
	assert_int_equal(bring(text), 0);
	assert_int_equal(known(), KEYLOG_SESSIONS_DEFAULT);
	assert_int_equal(s.log.dropped, 0);
	assert_int_equal(s.log.list[0].aes[31], 101);
	sprintf(text, "rlpx %064x - - -\n", 0xffffff);
	assert_int_equal(bring(text), 0);
	assert_int_equal(known(), KEYLOG_SESSIONS_DEFAULT);
	assert_int_equal(s.log.dropped, 1);
	free(text);
}

/* Bytes of any kind, of which nothing is read past the end. */
static void
rubbish(void **state)
{
	for (unsigned i = 0; i < 2000; i++) {
		size_t n = (size_t)rand() % 700;
		char *text = malloc(n + 1);
		for (size_t k = 0; k < n; k++)
			text[k] = "rlpx 0-\n#\t:[]\r\xff"[rand() % 15];
		sessions_text(&s, text, n);
		free(text);
	}
	assert_int_equal(known(), 0);
}

static void
append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
a_file_that_is_held(void **state)
{
	char path[] = "/tmp/test_sessions_XXXXXX", other[64], text[1024] = "";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	sessions_close(&s);
	assert_int_equal(sessions_open(&s, path), 0);
	sessions_add(&s, NULL);
	add_line(text, 0);
	append(path, text);
	assert_int_equal(known(), 1);
	text[0] = 0;
	add_line(text, 1);
	assert_int_equal(bring(text), 0); /* beside the file */
	assert_int_equal(known(), 2);
	snprintf(other, sizeof other, "%s.other", path);
	text[0] = 0;
	add_line(text, 2);
	append(other, text);
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(known(), 2); /* whose place was taken by another: that is not opened */
	assert_int_equal(s.log.reopened, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(known(), 2);
	assert_int_equal(sessions_open(&s, path), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(brought, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(rubbish, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_held, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
