/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/pulse.h"

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

#define S 1000000000ull

static struct stats_page page;
static struct pulse p;
static int manager;

static void
beat(uint32_t lcores)
{
	for (uint32_t i = 0; i < lcores; i++)
		page.lcore[i].heartbeat_ns++;
}

static int
start(void **state)
{
	(void)state;
	memset(&page, 0, sizeof page);
	page.lcores = 4;
	page.lcore[0].role = STATS_ROLE_MAIN;
	page.lcore[1].role = STATS_ROLE_CORRELATOR;
	page.lcore[2].role = page.lcore[3].role = STATS_ROLE_WORKER;
	pulse_start(&p, &page, 9 * S, 100 * S);
	return 0;
}

/* "" when nothing was said. */
static const char *
heard(void)
{
	static char text[1024];
	ssize_t n = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
ready_is_when_all_lcores_turn(void **state)
{
	(void)state;
	pulse_turn(&p, 100 * S, false);
	beat(3);
	pulse_turn(&p, 101 * S, false);
	assert_string_equal(heard(), "");
	beat(4);
	pulse_turn(&p, 102 * S, false);
	assert_string_equal(heard(), "READY=1\nSTATUS=reading");
	pulse_turn(&p, 102 * S, false);
	assert_string_equal(heard(), "");
}

static void
systemd_hears_of_life_three_times_in_its_patience(void **state)
{
	unsigned n = 0;
	(void)state;
	page.lcore[2].c[CTR_FRAMES] = 5;
	beat(4);
	pulse_turn(&p, 100 * S, true);
	heard();
	for (uint64_t t = 100 * S; t < 127 * S; t += S / 10) {
		beat(4);
		pulse_turn(&p, t, true);
		const char *said = heard();
		if (*said == '\0')
			continue;
		assert_string_equal(said, "WATCHDOG=1\nSTATUS=reading, control attached, 5 frames, 0 alerts");
		n++;
	}
	assert_int_equal(n, 8); /* each 3 s */
}

static void
an_lcore_that_stands_still_is_not_covered_up(void **state)
{
	(void)state;
	for (uint32_t still = 0; still < 4; still++) {
		start(NULL);
		beat(4);
		pulse_turn(&p, 100 * S, false);
		heard();
		for (uint64_t t = 103 * S; t < 130 * S; t += 3 * S) {
			uint64_t before = page.lcore[still].heartbeat_ns;
			beat(4);
			if (t > 103 * S)
				page.lcore[still].heartbeat_ns = before;
			pulse_turn(&p, t, false);
			assert_int_equal(*heard() != '\0', t == 103 * S);
		}
		beat(4); /* it goes on */
		pulse_turn(&p, 133 * S, false);
		assert_int_equal(strncmp(heard(), "WATCHDOG=1\n", 11), 0);
	}
}

static void
the_lowest_that_stands_still_is_named(void **state)
{
	(void)state;
	beat(4);
	assert_int_equal(pulse_still(&p), -1);
	page.lcore[0].heartbeat_ns++;
	page.lcore[2].heartbeat_ns++;
	assert_int_equal(pulse_still(&p), 1);
	page.lcore[0].heartbeat_ns++;
	page.lcore[1].heartbeat_ns--; /* a clock that was set back is a heartbeat too */
	page.lcore[2].heartbeat_ns++;
	assert_int_equal(pulse_still(&p), 3);
}

static void
lcores_that_have_ended_need_not_beat(void **state)
{
	static _Atomic bool done;
	(void)state;
	beat(3);
	p.done[3] = &done;
	assert_int_equal(pulse_still(&p), 3);
	done = true;
	beat(3);
	assert_int_equal(pulse_still(&p), -1);
	pulse_turn(&p, 100 * S, false);
	assert_string_equal(heard(), "READY=1\nSTATUS=reading");
}

int
main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char name[64];
	int n = snprintf(name, sizeof name, "@sentinel-pulse-%ld", (long)getpid());
	memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(manager, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)) != 0)
		return 1;
	setenv("NOTIFY_SOCKET", name, 1);
	if (!notify_open())
		return 1;
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(ready_is_when_all_lcores_turn, start),
		cmocka_unit_test_setup(systemd_hears_of_life_three_times_in_its_patience, start),
		cmocka_unit_test_setup(an_lcore_that_stands_still_is_not_covered_up, start),
		cmocka_unit_test_setup(the_lowest_that_stands_still_is_named, start),
		cmocka_unit_test_setup(lcores_that_have_ended_need_not_beat, start)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
