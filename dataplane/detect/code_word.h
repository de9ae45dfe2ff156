/* SPDX-License-Identifier: BSD-3-Clause */
/* code_word: 256-bit numbers of the EVM, as far as constants are folded. */
#ifndef DETECT_CODE_WORD_H
#define DETECT_CODE_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* Limbs of 64 bits, the lowest first. */
struct code_word {
	uint64_t l[4];
};

/* code_word_read: from n <= 32 big-endian bytes. code_word_bytes: to 32 of them. */
struct code_word code_word_read(const uint8_t *p, unsigned n);
void code_word_bytes(const struct code_word *a, uint8_t out[32]);
struct code_word code_word_of(uint64_t v);
bool code_word_small(const struct code_word *a, uint64_t *v); /* false: above 64 bits */
bool code_word_zero(const struct code_word *a);

/* code_word_op: *out = a op b, a being the top of the stack; op: an EVM opcode of two operands. False: not
 * folded (an opcode that is not one of these, a division by more than 64 bits that is no power of two, an
 * exponent above 255). */
bool code_word_op(uint8_t op, const struct code_word *a, const struct code_word *b, struct code_word *out);

struct code_word code_word_not(const struct code_word *a);

#endif
