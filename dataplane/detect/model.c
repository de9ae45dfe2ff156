/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/model.h"

#include <stddef.h>

#define STEPS_PER_ONE 256 /* of sum / scale */
#define KNOT_STEPS (STEPS_PER_ONE / 2)
#define KNOTS 33

/* 1000 / (1 + e^-x) for x from -8 to 8 by halves. */
static const uint16_t knot[KNOTS] = {0, 1, 1, 2, 2, 4, 7, 11, 18, 29, 47, 76, 119, 182, 269, 378, 500, 622, 731, 818, 881, 924, 953, 971,
	982, 989, 993, 996, 998, 998, 999, 999, 1000};

uint32_t
model_map(int64_t sum, uint32_t scale)
{
	const int64_t most = 8 * STEPS_PER_ONE;
	int64_t x = sum * STEPS_PER_ONE / scale;
	if (x <= -most)
		return 0;
	if (x >= most)
		return knot[KNOTS - 1];
	uint32_t at = (uint32_t)(x + most), i = at / KNOT_STEPS, rest = at % KNOT_STEPS;
	return knot[i] + (uint32_t)(knot[i + 1] - knot[i]) * rest / KNOT_STEPS;
}

uint32_t
model_score(const struct model *m, const uint64_t grams[CODE_GRAMS / 64])
{
	int64_t sum;
	if (m == NULL)
		return 0;
	sum = m->bias;
	for (uint32_t i = 0; i < CODE_GRAMS / 64; i++)
		for (uint64_t bits = grams[i]; bits != 0; bits &= bits - 1)
			sum += m->weight[64 * i + (uint32_t)__builtin_ctzll(bits)];
	return model_map(sum, m->scale);
}
