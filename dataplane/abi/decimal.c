/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/decimal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define LIMBS (DECIMAL_BYTES_MAX / 4)
#define GROUP 1000000000u /* nine digits at a time */

/* limb /= GROUP; the remainder. */
static uint32_t
divide(uint32_t limb[LIMBS], bool *zero)
{
	uint64_t rest = 0;
	*zero = true;
	for (unsigned i = 0; i < LIMBS; i++) {
		uint64_t v = rest << 32 | limb[i];
		limb[i] = (uint32_t)(v / GROUP);
		rest = v % GROUP;
		*zero &= limb[i] == 0;
	}
	return (uint32_t)rest;
}

size_t
decimal_write(const uint8_t *be, size_t n, char out[DECIMAL_TEXT_MAX])
{
	uint32_t limb[LIMBS] = {0}, group[LIMBS + 1];
	unsigned groups = 0;
	bool zero;
	for (size_t i = 0; i < n; i++) {
		size_t at = n - 1 - i;
		limb[LIMBS - 1 - at / 4] |= (uint32_t)be[i] << (8 * (at % 4));
	}
	do {
		group[groups++] = divide(limb, &zero);
	} while (!zero);
	size_t k = (size_t)snprintf(out, DECIMAL_TEXT_MAX, "%" PRIu32, group[--groups]);
	while (groups > 0)
		k += (size_t)snprintf(out + k, DECIMAL_TEXT_MAX - k, "%09" PRIu32, group[--groups]);
	return k;
}
