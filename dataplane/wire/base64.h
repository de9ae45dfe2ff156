/* SPDX-License-Identifier: BSD-3-Clause */
/* base64: standard base64 (RFC 4648, section 4) to bytes, resumable at every character, with the rules of
 * Go's base64.StdEncoding (encoding/base64), which is what encoding/json reads []byte with: padding must be
 * there, nothing but line ends (CR, LF) may follow it, line ends anywhere are passed over, and unused bits of
 * the last digit are not looked at. */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* State between two characters; all zero at the beginning. */
struct base64 {
	uint32_t bits; /* of the digits read of the group of four that is open */
	uint8_t n;     /* how many these are, 0..3 */
	bool pad;      /* one of two paddings was read */
	bool ended;    /* by padding */
};

/* base64_groups decodes groups of four digits from in[0..n) until the first that is not four plain digits, or
 * fewer. Returns the number of characters taken, a multiple of 4; out[0..result/4*3) holds their bytes, and
 * nothing else of out is written. For use when no group is open. */
size_t base64_groups(const uint8_t *in, size_t n, uint8_t *out);

/* base64_char takes one character (>= 0x80: any that is not ASCII). Returns the number of bytes written to
 * out, 0..3, or -1: not base64. */
int base64_char(struct base64 *b, unsigned c, uint8_t out[3]);

/* base64_whole: the text may end here. */
static inline bool
base64_whole(const struct base64 *b)
{
	return b->n == 0;
}

/* base64_value: the value of a digit, 0..63; 0xff for any other byte. */
extern const uint8_t base64_value[256];

#endif
