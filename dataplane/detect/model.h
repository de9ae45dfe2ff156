/* SPDX-License-Identifier: BSD-3-Clause */
/* model: the learned score of code beside the rules: a linear model over the features that code has or has not (detect/code.h:
 * code_grams), on integers alone. No weight is below zero, so that code to which anything is added never scores lower. The weights come
 * with the rule bundle (rules/bundle.h). */
#ifndef DETECT_MODEL_H
#define DETECT_MODEL_H

#include "detect/code.h"

#include <stdint.h>

struct model {
	int32_t bias;
	uint32_t scale;	    /* from 1 */
	uint32_t threshold; /* 1..1000: from here on the score itself means an attack (REASON(LEARNED)) */
	int16_t weight[CODE_GRAMS]; /* 0.. */
};

/* model_score: 0..1000. sum = bias + the weights of the features that are set; the score is 1000 / (1 + e^-(sum / scale)), in straight lines
 * between the halves of sum / scale from -8 (0) to 8 (1000); never lower for a greater sum. m NULL: 0. */
uint32_t model_score(const struct model *m, const uint64_t grams[CODE_GRAMS / 64]);

/* model_map: the score of a sum within 2^48 of zero. scale from 1. */
uint32_t model_map(int64_t sum, uint32_t scale);

#endif
