/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall time from a port's ticks: drift, wrap, steps and nonsense. */
#include "worker/hwclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define WALL (1700000000ull * SECOND)

/* A clock of `hz` that began at `ticks` at `wall`. */
struct crystal {
	double hz;
	uint64_t ticks, wall;
};

static uint64_t
at(const struct crystal *c, uint64_t wall)
{
	return c->ticks + (uint64_t)((double)(wall - c->wall) / 1e9 * c->hz);
}

static uint64_t
away(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void
test_nothing_known(void **state)
{
	struct hwclock h;
	bool good = true;
	hwclock_init(&h);
	assert_int_equal(hwclock_wall(&h, 12345), 0);
	assert_int_equal(hwclock_time(&h, 12345, WALL, &good), WALL);
	assert_false(good);
	hwclock_sample(&h, 1000, WALL);
	assert_int_equal(hwclock_wall(&h, 1000), 0); /* one moment makes no line */
	assert_int_equal(h.steps, 0);
}

/* Frequencies of real ports, each a little off and read with some delay: within 2 us of the truth, for an hour. */
static void
test_drift(void **state)
{
	static const double hz[] = {1e6, 78.125e6, 156.25e6 * 1.00008, 1e9 * 0.99995, 2.5e9};
	for (unsigned k = 0; k < sizeof hz / sizeof hz[0]; k++) {
		struct crystal c = {hz[k], UINT64_MAX - (uint64_t)hz[k] * 5, WALL}; /* and it wraps after five seconds */
		struct hwclock h;
		uint32_t noise = 7;
		hwclock_init(&h);
		for (unsigned s = 0; s < 3600; s++) {
			uint64_t wall = WALL + s * SECOND;
			noise = noise * 1664525u + 1013904223u;
			hwclock_sample(&h, at(&c, wall), wall + noise % 400);
			if (s < 2)
				continue;
			uint64_t later = wall + 700000000;
			assert_true(away(hwclock_wall(&h, at(&c, later)), later) < 2000 + (uint64_t)(2e9 / hz[k]));
		}
		assert_int_equal(h.steps, 0);
	}
}

/* What the crystal loses in the warmth is followed. */
static void
test_slow_change(void **state)
{
	struct hwclock h;
	double ticks = 1e9;
	hwclock_init(&h);
	for (unsigned s = 0; s < 600; s++) {
		uint64_t wall = WALL + s * SECOND;
		hwclock_sample(&h, (uint64_t)ticks, wall);
		double hz = 1e9 * (1 + 1e-7 * s);
		if (s >= 2)
			assert_true(away(hwclock_wall(&h, (uint64_t)(ticks + hz / 2)), wall + SECOND / 2) < 2000);
		ticks += hz;
	}
	assert_int_equal(h.steps, 0);
}

static void
settle(struct hwclock *h, struct crystal *c, unsigned seconds)
{
	hwclock_init(h);
	*c = (struct crystal){1e9, 5000, WALL};
	for (unsigned s = 0; s < seconds; s++)
		hwclock_sample(h, at(c, WALL + s * SECOND), WALL + s * SECOND);
}

/* The system's clock is set, forth and back; the port's is reset, or stands. Then the fit begins anew. */
static void
test_steps(void **state)
{
	static const int64_t by[] = {3600 * (int64_t)SECOND, -3600 * (int64_t)SECOND, 5000000, -5000000};
	struct hwclock h;
	struct crystal c;
	for (unsigned i = 0; i < sizeof by / sizeof by[0]; i++) {
		settle(&h, &c, 20);
		uint64_t wall = WALL + 20 * SECOND;
		hwclock_sample(&h, at(&c, wall), wall + (uint64_t)by[i]);
		assert_int_equal(h.steps, 1);
		assert_int_equal(hwclock_wall(&h, at(&c, wall)), 0);
		hwclock_sample(&h, at(&c, wall + SECOND), wall + SECOND + (uint64_t)by[i]);
		assert_true(away(hwclock_wall(&h, at(&c, wall + 2 * SECOND)), wall + 2 * SECOND + (uint64_t)by[i]) < 2000);
	}
	settle(&h, &c, 20);
	hwclock_sample(&h, 17, WALL + 20 * SECOND);
	assert_int_equal(h.steps, 1);
	hwclock_sample(&h, 17, WALL + 21 * SECOND); /* stands */
	assert_int_equal(h.steps, 2);
	assert_int_equal(hwclock_wall(&h, 17), 0);
	hwclock_sample(&h, 17 + SECOND, WALL + 21 * SECOND); /* the wall stands */
	assert_int_equal(h.steps, 3);
}

/* No value of a timestamp gives a time later than the burst's or much older. */
static void
test_bounds(void **state)
{
	struct hwclock h;
	struct crystal c;
	bool good;
	settle(&h, &c, 20);
	uint64_t burst = WALL + 20 * SECOND, ticks = at(&c, burst);
	assert_true(away(hwclock_time(&h, ticks - 30000, burst, &good), burst - 30000) < 1000);
	assert_true(good);
	assert_int_equal(hwclock_time(&h, ticks + 500000, burst, &good), burst); /* the fit's own error */
	assert_true(good);
	assert_int_equal(hwclock_time(&h, ticks + 2000000, burst, &good), burst);
	assert_false(good);
	assert_true(away(hwclock_time(&h, ticks - 999000000, burst, &good), burst - 999000000) < 1000);
	assert_true(good);
	assert_int_equal(hwclock_time(&h, ticks - 1001000000, burst, &good), burst);
	assert_false(good);
	uint64_t x = 88172645463325252ull;
	for (unsigned i = 0; i < 100000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		uint64_t t = hwclock_time(&h, i % 2 ? x : ticks - x % (4 * SECOND), burst, &good);
		assert_true(t <= burst && burst - t <= HWCLOCK_OLDEST_NS);
		assert_true(good || t == burst);
	}
	static const uint64_t odd[] = {0, 1, UINT64_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1};
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		assert_int_equal(hwclock_time(&h, odd[i], burst, &good), burst);
		assert_false(good);
	}
}

static void
test_fixed(void **state)
{
	struct hwclock h;
	bool good;
	hwclock_init(&h);
	hwclock_fixed(&h, 1000, 0);
	assert_int_equal(hwclock_wall(&h, WALL / 1000 + 7), WALL + 7000);
	assert_int_equal(hwclock_time(&h, WALL / 1000, WALL + 250000, &good), WALL);
	assert_true(good);
	assert_int_equal(hwclock_time(&h, WALL / 1000 - 86400000000ull, WALL, &good), WALL); /* a capture of yesterday */
	assert_false(good);
	assert_int_equal(hwclock_wall(&h, UINT64_MAX), 0);
	hwclock_fixed(&h, 1000, 3600 * (int64_t)SECOND); /* the system's clock was set forth, ours goes on */
	assert_int_equal(hwclock_wall(&h, WALL / 1000 + 3600000000ull), WALL);
	hwclock_fixed(&h, 1000, -3600 * (int64_t)SECOND);
	assert_int_equal(hwclock_wall(&h, WALL / 1000 - 3600000000ull), WALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_slow_change),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
