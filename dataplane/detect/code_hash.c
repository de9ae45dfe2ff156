/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_private.h"

#include "eth/keccak.h"

#include <string.h>

#define METADATA_MAX 256u /* bytes of a map; solc's has about 50 */

static bool
is_op(const struct code_reader *r, uint32_t at)
{
	return r->ops[at / 64] >> at % 64 & 1;
}

static bool
executed(const struct code_reader *r, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (is_op(r, at + i))
			return true;
	}
	return false;
}

/* The length of the CBOR item at p, or 0: text, bytes, small numbers, true and false, arrays of three such
 * (Vyper's version). */
static uint32_t
item(const uint8_t *p, uint32_t left)
{
	if (left == 0)
		return 0;
	uint8_t major = p[0] >> 5, small = p[0] & 31;
	uint32_t head = small == 24 ? 2 : 1, n = small;
	if (small > 24 || head > left)
		return 0;
	if (head == 2)
		n = p[1];
	if (major == 2 || major == 3)
		return head + n <= left ? head + n : 0;
	if (major == 4)
		return n <= 3 && head == 1 && 1 + n <= left ? 1 + n : 0;
	return (major == 0 && head == 1) || p[0] == 0xf4 || p[0] == 0xf5 ? 1 : 0;
}

static bool
is_key(const uint8_t *p, uint32_t len)
{
	static const char *const keys[] = {
		"dipfs", "ebzzr0", "ebzzr1", "dsolc", "lexperimental", "evyper"}; /* with their CBOR heads */
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (len == strlen(keys[i]) && memcmp(p, keys[i], len) == 0)
			return true;
	}
	return false;
}

/* The length of the metadata at p, a map of known keys with its own length in two bytes behind it; 0: none.
 */
static uint32_t
metadata(const uint8_t *p, uint32_t left)
{
	uint32_t n = p[0] & 31, at = 1;
	if (left > METADATA_MAX)
		left = METADATA_MAX;
	for (; n > 0; n--) {
		uint32_t key = at < left ? item(p + at, left - at) : 0;
		if (key == 0 || !is_key(p + at, key))
			return 0;
		at += key;
		uint32_t value = at < left ? item(p + at, left - at) : 0;
		if (value == 0)
			return 0;
		at += value;
	}
	if (at + 2 > left)
		return 0;
	/* Vyper's length counts an array around the map, too */
	uint32_t said = (uint32_t)p[at] << 8 | p[at + 1];
	return said == at || (said > at && said < METADATA_MAX && memcmp(p + 1, "evyper", 6) == 0) ? at + 2
												   : 0;
}

static bool
is_mask(const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (p[i] != 0xff)
			return false;
	}
	return true;
}

/* Bytes that no instruction is read from are made zero where they stand: a byte that is executed is always in
 * the hash, and at its place. */
static void
blank(struct code_reader *r, uint32_t at, uint32_t n)
{
	if (!executed(r, at, n))
		memset(r->copy + at, 0, n);
}

static void
blank_operands(struct code_reader *r, uint32_t len)
{
	for (uint32_t i = 0; i < r->n_wide; i++) {
		uint32_t at = r->wide[i] + 1;
		const uint8_t *p = r->copy + at;
		if (p[-1] == OP_PUSH20 && len - at >= 20 && !is_mask(p, 20))
			blank(r, at, 20);
		static const uint8_t zeros[12];
		if (p[-1] == OP_PUSH32 && len - at >= 32 && memcmp(p, zeros, 12) == 0 && !is_mask(p + 12, 20))
			blank(r, at, 32);
	}
}

void
code_hash(struct code_reader *r, struct span code, uint8_t out[32])
{
	uint32_t end = 0, len = code.len;
	if (len > 0)
		memcpy(r->copy, code.p, len);
	for (uint32_t i = 1; i + 10 < len;) {
		uint32_t n = code.p[i] >= 0xa1 && code.p[i] <= 0xa4 ? metadata(code.p + i, len - i) : 0;
		if (n == 0 || executed(r, i, n)) {
			i++;
			continue;
		}
		blank(r, i, n);
		i += n;
		end = i;
	}
	blank_operands(r, len);
	for (uint32_t i = len; end > 0 && i > end; i--) {
		if (is_op(r, i - 1))
			end = i;
	}
	struct span s = {r->copy, end > 0 ? end : len};
	keccak256(&s, 1, out);
}
