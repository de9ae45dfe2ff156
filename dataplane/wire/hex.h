/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* hex_decode turns up to n/2 bytes' worth of hex digits (either case) into bytes. Returns the number of hex digits
 * consumed before the first non-digit (an even number of them are decoded; an odd last digit is not consumed). Vector code is
 * chosen once by hex_init for the CPU; out may not overlap in. */
extern size_t (*hex_decode)(const uint8_t *in, size_t n, uint8_t *out);
void hex_init(void);
void hex_encode(const uint8_t *in, size_t n, char *out); /* 2n bytes, lower case, no NUL */

#endif
