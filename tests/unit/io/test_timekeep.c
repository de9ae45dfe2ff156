/* SPDX-License-Identifier: BSD-3-Clause */
/* The box's clock against a system's clock that is set, slewed and asleep; worker and correlator through steps of an hour. */
#include "io/timekeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HZ 2500000000ull
#define SEC 1000000000ull
#define MS 1000000ll
#define WALL (1700000000 * SEC)

/* A machine: its counter may be faster than HZ says, and its clocks may be set or slewed. */
struct machine {
	struct clock clock;
	struct stats_clock told;
	struct timekeep keep;
	struct wallclock now;
	double rate; /* of the counter */
	uint64_t last;
	int64_t worst_back_ns, worst_ahead_ns, worst_wall_ns; /* of a turn; of wall times against the truth */
};

static void
boot(struct machine *m, double rate)
{
	*m = (struct machine){.now = {1000 * HZ, WALL, 77 * SEC}, .rate = rate};
	timekeep_start(&m->keep, &m->clock, &m->told, HZ, &m->now);
	m->last = clock_ns(&m->clock, m->now.tsc);
}

static void
spend(struct machine *m, uint64_t ns, int64_t slew_ppm)
{
	uint64_t system_ns = ns + (uint64_t)((int64_t)ns * slew_ppm / 1000000);
	m->now.tsc += (uint64_t)((double)ns * m->rate * (double)HZ / 1e9);
	m->now.wall_ns += system_ns;
	m->now.mono_ns += system_ns;
}

/* So many turns of a millisecond. */
static void
turns(struct machine *m, unsigned n, int64_t slew_ppm)
{
	for (unsigned i = 0; i < n; i++) {
		spend(m, (uint64_t)MS, slew_ppm);
		timekeep_turn(&m->keep, &m->now);
		uint64_t box = clock_ns(&m->clock, m->now.tsc);
		int64_t moved = (int64_t)(box - m->last), off = (int64_t)(clock_wall(&m->clock, box) - m->now.wall_ns);
		m->last = box;
		if (moved < 0 && -moved > m->worst_back_ns)
			m->worst_back_ns = -moved;
		if (moved > MS && moved - MS > m->worst_ahead_ns)
			m->worst_ahead_ns = moved - MS;
		if (llabs(off) > m->worst_wall_ns)
			m->worst_wall_ns = llabs(off);
	}
}

static void
nothing_happens(void **state)
{
	struct machine m;
	boot(&m, 1.0);
	turns(&m, 60000, 0);
	assert_int_equal(m.told.steps, 0);
	assert_int_equal(m.told.jumps, 0);
	assert_in_range(m.worst_wall_ns, 0, 2000);
	assert_in_range(llabs(m.told.drift_ppb), 0, 10);
}

/* The counter is not what it was taken for, and NTP slews. */
static void
drift(void **state)
{
	static const double ppm[] = {-3000, -50, 50, 3000};
	for (size_t i = 0; i < sizeof ppm / sizeof ppm[0]; i++) {
		struct machine m;
		boot(&m, 1 + ppm[i] / 1e6);
		turns(&m, 30000, 0);
		turns(&m, 30000, i % 2 ? 500 : -500);
		assert_int_equal(m.told.steps + m.told.jumps, 0);
		assert_in_range(m.worst_wall_ns, 0, 500000); /* a pull every tenth of a second */
		assert_true(m.worst_ahead_ns <= CLOCK_PULL_NS && m.worst_back_ns <= CLOCK_PULL_NS);
		int64_t expected = (int64_t)(ppm[i] * 1000) - (i % 2 ? 500000 : -500000);
		assert_in_range(llabs(m.told.drift_ppb - expected), 0, 3000);
	}
}

static void
set_by(struct machine *m, int64_t by)
{
	m->now.wall_ns += (uint64_t)by;
}

static void
steps(void **state)
{
	static const int64_t by[] = {3600 * 1000 * MS, -3600 * 1000 * MS, 101 * MS, -101 * MS, 86400ll * 3650 * 1000 * MS};
	int64_t all = 0;
	struct machine m;
	boot(&m, 1.00001);
	for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
		turns(&m, 2000, 0);
		set_by(&m, by[i]);
		all += by[i];
		m.worst_back_ns = m.worst_ahead_ns = m.worst_wall_ns = 0;
		turns(&m, 2000, 0);
		assert_int_equal(m.told.steps, i + 1);
		assert_int_equal(m.told.last_step_ns, by[i]);
		assert_int_equal(m.told.shift_ns, all);
		assert_int_equal(m.told.jumps, 0);
		assert_in_range(m.worst_wall_ns, 0, 20000); /* from the first turn on */
		assert_in_range(m.worst_ahead_ns, 0, 20000);
		assert_int_equal(m.worst_back_ns, 0);
	}
}

/* Small ones are no steps: they are made good, slowly. */
static void
small_steps(void **state)
{
	for (int sign = -1; sign <= 1; sign += 2) {
		struct machine m;
		boot(&m, 1.0);
		turns(&m, 1000, 0);
		set_by(&m, sign * 50 * MS);
		turns(&m, 1000, 0);
		assert_int_equal(m.told.steps, 0);
		assert_int_equal(m.told.shift_ns, 0);
		assert_in_range(m.worst_wall_ns, 49 * MS, 51 * MS);
		assert_true(m.worst_ahead_ns <= CLOCK_PULL_NS && m.worst_back_ns <= CLOCK_PULL_NS);
		turns(&m, 6000, 0);
		m.worst_wall_ns = 0;
		turns(&m, 1000, 0);
		assert_in_range(m.worst_wall_ns, 0, 2000);
	}
}

/* Suspended: the counter goes on or not, the wall does, CLOCK_MONOTONIC does not. */
static void
asleep(void **state)
{
	for (unsigned counts = 0; counts < 2; counts++) {
		struct machine m;
		boot(&m, 1.0);
		turns(&m, 1000, 0);
		m.now.wall_ns += 3600 * SEC;
		m.now.tsc += counts * 3600 * HZ;
		turns(&m, 1000, 0);
		assert_int_equal(m.told.steps, 1);
		assert_int_equal(m.told.jumps, counts);
		m.worst_wall_ns = 0;
		turns(&m, 1000, 0);
		assert_in_range(m.worst_wall_ns, 0, 2000);
	}
}

/* The main lcore was kept from its turns. */
static void
late(void **state)
{
	struct machine m;
	boot(&m, 1.0001);
	turns(&m, 1000, 0);
	spend(&m, 300 * SEC, 0);
	turns(&m, 10, 0);
	assert_int_equal(m.told.steps + m.told.jumps, 0);
}

static void
readers_never_go_back(void **state)
{
	struct machine m;
	uint64_t last = 0, before = 0;
	boot(&m, 1.003);
	srand(3);
	for (unsigned i = 0; i < 200000; i++) {
		turns(&m, 1, 0);
		if (rand() % 1000 == 0)
			set_by(&m, (rand() % 2 ? 1 : -1) * (int64_t)((unsigned)rand() % 7200) * 1000 * MS / (1 + rand() % 1000));
		uint64_t t = clock_steady_ns(&m.clock, m.now.tsc, &last);
		assert_true(t >= before);
		assert_true(t - clock_ns(&m.clock, m.now.tsc) <= CLOCK_PULL_NS || t == clock_ns(&m.clock, m.now.tsc));
		before = t;
	}
	assert_true(m.told.steps > 50);
	/* and it has kept time: 200 s, not counting what small steps put in */
	assert_in_range(m.last - WALL, 190 * SEC, 210 * SEC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens),
		cmocka_unit_test(drift),
		cmocka_unit_test(steps),
		cmocka_unit_test(small_steps),
		cmocka_unit_test(asleep),
		cmocka_unit_test(late),
		cmocka_unit_test(readers_never_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
