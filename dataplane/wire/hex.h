/* SPDX-License-Identifier: BSD-3-Clause */
/* hex: hexadecimal text to bytes and back. */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* hex_fn decodes pairs of hex digits (either case) from in[0..n) into out until the first byte that is not a
 * digit. Returns the number of digits consumed: even, at most n; out[0..result/2) holds their bytes, and an
 * odd last digit is left where it is. out needs room for n/2 bytes, all of which may be written; it may not
 * overlap in, and neither needs alignment. Nothing outside in[0..n) is read. */
typedef size_t hex_fn(const uint8_t *in, size_t n, uint8_t *out);

/* hex_decode is the fastest hex_fn for this CPU once hex_init has run, and a portable one before. */
extern hex_fn *hex_decode;

/* hex_init chooses the vector code of hex_decode and of json_text_skip. Call once, before any thread uses
 * them. */
void hex_init(void);

/* hex_encode writes 2n lower-case digits, no NUL. */
void hex_encode(const uint8_t *in, size_t n, char *out);

/* hex_value: the value of a hex digit, 0..15; 0xff for any other byte. */
extern const uint8_t hex_value[256];

/* hex_impls: every implementation of hex_decode that this CPU can run, the slowest first; *n of them. For
 * tests. */
struct hex_impl {
	const char *name;
	hex_fn *decode;
};
const struct hex_impl *hex_impls(unsigned *n);

#endif
