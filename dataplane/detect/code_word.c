/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_word.h"
#include "detect/code_private.h"

#include <endian.h>
#include <string.h>

struct code_word
code_word_of(uint64_t v)
{
	return (struct code_word){{v, 0, 0, 0}};
}

struct code_word
code_word_read(const uint8_t *p, unsigned n)
{
	uint64_t be[4] = {0};
	memcpy((uint8_t *)be + 32 - n, p, n);
	return (struct code_word){{be64toh(be[3]), be64toh(be[2]), be64toh(be[1]), be64toh(be[0])}};
}

void
code_word_bytes(const struct code_word *a, uint8_t out[32])
{
	uint64_t be[4] = {htobe64(a->l[3]), htobe64(a->l[2]), htobe64(a->l[1]), htobe64(a->l[0])};
	memcpy(out, be, 32);
}

bool
code_word_small(const struct code_word *a, uint64_t *v)
{
	*v = a->l[0];
	return (a->l[1] | a->l[2] | a->l[3]) == 0;
}

bool
code_word_zero(const struct code_word *a)
{
	return (a->l[0] | a->l[1] | a->l[2] | a->l[3]) == 0;
}

struct code_word
code_word_not(const struct code_word *a)
{
	return (struct code_word){{~a->l[0], ~a->l[1], ~a->l[2], ~a->l[3]}};
}

static struct code_word
add(const struct code_word *a, const struct code_word *b, unsigned carry)
{
	struct code_word r;
	unsigned __int128 c = carry;
	for (unsigned i = 0; i < 4; i++) {
		c += (unsigned __int128)a->l[i] + b->l[i];
		r.l[i] = (uint64_t)c;
		c >>= 64;
	}
	return r;
}

static struct code_word
sub(const struct code_word *a, const struct code_word *b)
{
	struct code_word n = code_word_not(b);
	return add(a, &n, 1);
}

static struct code_word
mul(const struct code_word *a, const struct code_word *b)
{
	struct code_word r = {{0, 0, 0, 0}};
	for (unsigned i = 0; i < 4; i++) {
		unsigned __int128 c = 0;
		for (unsigned k = 0; i + k < 4; k++) {
			c += (unsigned __int128)a->l[i] * b->l[k] + r.l[i + k];
			r.l[i + k] = (uint64_t)c;
			c >>= 64;
		}
	}
	return r;
}

static struct code_word
shift_left(const struct code_word *a, unsigned by)
{
	struct code_word r = {{0, 0, 0, 0}};
	unsigned limbs = by / 64, bits = by % 64;
	for (unsigned i = limbs; i < 4; i++) {
		r.l[i] = a->l[i - limbs] << bits;
		if (bits != 0 && i > limbs)
			r.l[i] |= a->l[i - limbs - 1] >> (64 - bits);
	}
	return r;
}

static struct code_word
shift_right(const struct code_word *a, unsigned by)
{
	struct code_word r = {{0, 0, 0, 0}};
	unsigned limbs = by / 64, bits = by % 64;
	for (unsigned i = 0; i + limbs < 4; i++) {
		r.l[i] = a->l[i + limbs] >> bits;
		if (bits != 0 && i + limbs + 1 < 4)
			r.l[i] |= a->l[i + limbs + 1] << (64 - bits);
	}
	return r;
}

static int
compare(const struct code_word *a, const struct code_word *b)
{
	for (unsigned i = 4; i-- > 0;) {
		if (a->l[i] != b->l[i])
			return a->l[i] < b->l[i] ? -1 : 1;
	}
	return 0;
}

/* The bit of a power of two, else -1. */
static int
power_of_two(const struct code_word *a)
{
	int bit = -1;
	for (unsigned i = 0; i < 4; i++) {
		if (a->l[i] == 0)
			continue;
		if (bit >= 0 || (a->l[i] & (a->l[i] - 1)) != 0)
			return -1;
		bit = (int)(64 * i) + __builtin_ctzll(a->l[i]);
	}
	return bit;
}

static bool
divide(const struct code_word *a, const struct code_word *b, struct code_word *quotient,
	struct code_word *rest)
{
	if (code_word_zero(b)) {
		*quotient = *rest = code_word_of(0);
		return true;
	}
	int bit = power_of_two(b);
	if (bit >= 0) {
		struct code_word back;
		*quotient = shift_right(a, (unsigned)bit);
		back = shift_left(quotient, (unsigned)bit);
		*rest = sub(a, &back);
		return true;
	}
	uint64_t by;
	if (!code_word_small(b, &by))
		return false;
	unsigned __int128 r = 0;
	for (unsigned i = 4; i-- > 0;) {
		r = r << 64 | a->l[i];
		quotient->l[i] = (uint64_t)(r / by);
		r %= by;
	}
	*rest = code_word_of((uint64_t)r);
	return true;
}

static bool
power(const struct code_word *a, const struct code_word *b, struct code_word *out)
{
	uint64_t e;
	if (!code_word_small(b, &e) || e > 255)
		return false;
	struct code_word base = *a, r = code_word_of(1);
	for (; e != 0; e >>= 1) {
		if (e & 1)
			r = mul(&r, &base);
		base = mul(&base, &base);
	}
	*out = r;
	return true;
}

static struct code_word
shifted(uint8_t op, const struct code_word *by, const struct code_word *a)
{
	uint64_t n;
	bool negative = op == OP_SAR && a->l[3] >> 63;
	if (!code_word_small(by, &n) || n > 255)
		n = 256;
	if (op == OP_SHL)
		return n == 256 ? code_word_of(0) : shift_left(a, (unsigned)n);
	struct code_word r = n == 256 ? code_word_of(0) : shift_right(a, (unsigned)n);
	if (!negative)
		return r;
	struct code_word ones = {{~0ull, ~0ull, ~0ull, ~0ull}};
	struct code_word fill = n == 256 ? ones : shift_left(&ones, 255u - (unsigned)n);
	for (unsigned i = 0; i < 4; i++)
		r.l[i] |= fill.l[i];
	return r;
}

static struct code_word
bitwise(uint8_t op, const struct code_word *a, const struct code_word *b)
{
	struct code_word r;
	for (unsigned i = 0; i < 4; i++)
		r.l[i] = op == OP_AND  ? a->l[i] & b->l[i]
			 : op == OP_OR ? a->l[i] | b->l[i]
				       : a->l[i] ^ b->l[i];
	return r;
}

static int
compare_signed(const struct code_word *a, const struct code_word *b)
{
	if (a->l[3] >> 63 != b->l[3] >> 63)
		return a->l[3] >> 63 ? -1 : 1;
	return compare(a, b);
}

static struct code_word
byte_of(const struct code_word *at, const struct code_word *a)
{
	uint64_t i;
	if (!code_word_small(at, &i) || i > 31)
		return code_word_of(0);
	unsigned bit = 8 * (31 - (unsigned)i);
	return code_word_of(a->l[bit / 64] >> bit % 64 & 0xff);
}

bool
code_word_op(uint8_t op, const struct code_word *a, const struct code_word *b, struct code_word *out)
{
	struct code_word rest;
	switch (op) {
	case OP_ADD:
		*out = add(a, b, 0);
		return true;
	case OP_SUB:
		*out = sub(a, b);
		return true;
	case OP_MUL:
		*out = mul(a, b);
		return true;
	case OP_DIV:
		return divide(a, b, out, &rest);
	case OP_MOD:
		return divide(a, b, &rest, out);
	case OP_EXP:
		return power(a, b, out);
	case OP_AND:
	case OP_OR:
	case OP_XOR:
		*out = bitwise(op, a, b);
		return true;
	case OP_SHL:
	case OP_SHR:
	case OP_SAR:
		*out = shifted(op, a, b);
		return true;
	case OP_BYTE:
		*out = byte_of(a, b);
		return true;
	case OP_LT:
		*out = code_word_of(compare(a, b) < 0);
		return true;
	case OP_GT:
		*out = code_word_of(compare(a, b) > 0);
		return true;
	case OP_SLT:
		*out = code_word_of(compare_signed(a, b) < 0);
		return true;
	case OP_SGT:
		*out = code_word_of(compare_signed(a, b) > 0);
		return true;
	case OP_EQ:
		*out = code_word_of(compare(a, b) == 0);
		return true;
	default:
		return false;
	}
}
