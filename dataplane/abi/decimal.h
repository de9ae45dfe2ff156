/* SPDX-License-Identifier: BSD-3-Clause */
/* decimal: integers that no machine word holds, in the digits that every output of the box uses. */
#ifndef ABI_DECIMAL_H
#define ABI_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_BYTES_MAX 32u /* of the integer */
#define DECIMAL_TEXT_MAX 80u  /* 2^256 has 78 digits */

/* decimal_write writes the big-endian integer be[0..n), n at most DECIMAL_BYTES_MAX (0: the number 0), in decimal, without leading zeros and
 * with a NUL. Returns the number of digits. */
size_t decimal_write(const uint8_t *be, size_t n, char out[DECIMAL_TEXT_MAX]);

#endif
