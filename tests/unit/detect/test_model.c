/* SPDX-License-Identifier: BSD-3-Clause */
/* The learned score: what it is, and that whatever is added never lowers it. */
#include "detect/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

static uint32_t
rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % n);
}

/* Within 1.1 % of the curve that it stands for, and never falling. */
static void
the_curve(void **unused)
{
	static const uint32_t scales[] = {1, 3, 100, 4096, 1000003, UINT32_MAX};
	for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
		const double scale = scales[k];
		uint32_t last = 0;
		for (int i = -10000; i <= 10000; i++) {
			int64_t sum = (int64_t)(i / 1000.0 * scale);
			uint32_t got = model_map(sum, scales[k]);
			double want = 1000 / (1 + exp(-(double)sum / scale));
			assert_true(got >= last && got <= 1000);
			assert_true(fabs(got - want) < 11);
			last = got;
		}
		assert_int_equal(model_map(0, scales[k]), 500);
		assert_int_equal(model_map(-8 * (int64_t)scales[k], scales[k]), 0);
		assert_int_equal(model_map(8 * (int64_t)scales[k], scales[k]), 1000);
		assert_int_equal(model_map((int64_t)1 << 47, scales[k]), 1000);
		assert_int_equal(model_map(-((int64_t)1 << 47), scales[k]), 0);
	}
}

static struct model m;
static uint64_t grams[CODE_GRAMS / 64];

static void
random_model(void)
{
	m.scale = 1 + rnd(100000);
	m.bias = -(int32_t)rnd(1 + 8 * m.scale);
	for (uint32_t i = 0; i < CODE_GRAMS; i++)
		m.weight[i] = rnd(3) ? 0 : (int16_t)rnd(32768);
	for (uint32_t i = 0; i < CODE_GRAMS / 64; i++)
		grams[i] = 0;
}

static void
sums_what_is_set(void **unused)
{
	for (unsigned round = 0; round < 200; round++) {
		int64_t sum;
		random_model();
		sum = m.bias;
		for (unsigned k = rnd(300); k > 0; k--) {
			uint32_t i = k == 1 ? 0 : k == 2 ? CODE_GRAMS - 1 : rnd(CODE_GRAMS);
			sum += grams[i / 64] >> (i % 64) & 1 ? 0 : m.weight[i];
			grams[i / 64] |= 1ull << (i % 64);
		}
		assert_int_equal(model_score(&m, grams), model_map(sum, m.scale));
	}
}

static void
never_lower(void **unused)
{
	unsigned rose = 0;
	for (unsigned round = 0; round < 100; round++) {
		random_model();
		uint32_t score = model_score(&m, grams);
		for (unsigned k = 0; k < 500; k++) {
			uint32_t i = rnd(CODE_GRAMS);
			grams[i / 64] |= 1ull << (i % 64);
			uint32_t now = model_score(&m, grams);
			assert_true(now >= score);
			rose += now > score;
			score = now;
		}
	}
	assert_true(rose > 1000);
}

static void
extremes(void **unused)
{
	memset(grams, 0xff, sizeof grams);
	assert_int_equal(model_score(NULL, grams), 0);
	for (uint32_t i = 0; i < CODE_GRAMS; i++)
		m.weight[i] = INT16_MAX;
	m.scale = 1;
	m.bias = INT32_MAX;
	assert_int_equal(model_score(&m, grams), 1000);
	m.bias = INT32_MIN;
	assert_int_equal(model_score(&m, grams), 0);
	m.scale = UINT32_MAX;
	assert_int_equal(
		model_score(&m, grams), 500); /* the sum is -65536: next to nothing of the scale */
	memset(grams, 0, sizeof grams);
	m.bias = 0;
	assert_int_equal(model_score(&m, grams), 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_curve), cmocka_unit_test(sums_what_is_set),
		cmocka_unit_test(never_lower), cmocka_unit_test(extremes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
