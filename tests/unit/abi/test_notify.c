/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int manager;

static void
expect_heard(const char *want)
{
	char text[1024];
	ssize_t n = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void
without_systemd_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_false(notify_open());
	static const char *const bad[] = {"", "x", "/", "relative", "/no/such/socket"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		assert_false(notify_open());
	}
	notify_send("READY=1");
}

static void
what_is_said_arrives(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char name[64];
	(void)state;
	snprintf(name, sizeof name, "@sentinel-test-%ld", (long)getpid());
	memcpy(a.sun_path + 1, name + 1, strlen(name) - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_true(notify_open());
	notify_send("READY=1\nSTATUS=%d frames", 7);
	expect_heard("READY=1\nSTATUS=7 frames");
	char long_text[2000];
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	notify_send("%s", long_text);
	char text[1024];
	assert_int_equal(recv(manager, text, sizeof text, MSG_DONTWAIT), 511);
	/* a manager that does not read, and one that is gone, are not waited for */
	for (unsigned i = 0; i < 5000; i++)
		notify_send("WATCHDOG=1");
	close(manager);
	notify_send("STOPPING=1");
}

static void
expect_watchdog(const char *usec, const char *pid, uint64_t want)
{
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	else
		unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ns(), want);
}

static void
the_watchdog_is_read(void **state)
{
	char self[16];
	(void)state;
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ns(), 0);
	snprintf(self, sizeof self, "%ld", (long)getpid());
	expect_watchdog("10000000", self, 10000000000u);
	expect_watchdog("10000000", NULL, 10000000000u);
	expect_watchdog("10000000", "1", 0); /* another's */
	static const char *const bad[] = {"", "-1", "ten", "10s", "99999999999999999999", "18446744073709551615"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect_watchdog(bad[i], NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(without_systemd_nothing_happens), cmocka_unit_test(what_is_said_arrives),
		cmocka_unit_test(the_watchdog_is_read)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
