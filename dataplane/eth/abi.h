/* SPDX-License-Identifier: BSD-3-Clause */
/* abi: bounds-checked reading of ABI-encoded arguments in place (Solidity ABI specification, "Formal
 * specification of the encoding"). A frame is where a tuple's head begins, within the whole calldata; offsets
 * in its head count from there. Reading is as lenient as what solc's decoders let through, because what a
 * contract would carry out must be seen: heads may overlap, bytes need no padding, unused upper bytes of an
 * address are ignored, and offsets are signed (of nested calldata solc checks an offset with slt alone, so
 * that -32 is one that it takes). What lies outside the calldata is never read. Everything returned is
 * borrowed from the calldata. */
#ifndef ETH_ABI_H
#define ETH_ABI_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct abi {
	struct span all; /* the calldata, selector and all */
	uint32_t base;	 /* of this frame; <= all.len */
};

/* abi_args: the arguments of a call. Of calldata without a whole selector: an empty frame. */
static inline struct abi
abi_args(struct span calldata)
{
	return (struct abi){calldata, calldata.len < 4 ? calldata.len : 4};
}

/* abi_word: word i of the frame's head, 32 bytes; NULL: it is not all there. */
static inline const uint8_t *
abi_word(struct abi a, uint32_t i)
{
	return i < (a.all.len - a.base) / 32 ? a.all.p + a.base + (size_t)i * 32 : NULL;
}

/* abi_address: the 20 bytes at the end of word i; NULL: the word is not all there. */
static inline const uint8_t *
abi_address(struct abi a, uint32_t i)
{
	const uint8_t *w = abi_word(a, i);
	return w != NULL ? w + 12 : NULL;
}

/* abi_uint: word i as a number. False: not there, or above UINT64_MAX. */
static inline bool
abi_uint(struct abi a, uint32_t i, uint64_t *out)
{
	const uint8_t *w = abi_word(a, i);
	uint64_t v = 0;
	uint8_t above = 0;
	if (w == NULL)
		return false;
	for (unsigned k = 0; k < 24; k++)
		above |= w[k];
	for (unsigned k = 24; k < 32; k++)
		v = v << 8 | w[k];
	*out = v;
	return above == 0;
}

/* abi_follow: the frame at the offset that stands in word i (a dynamic tuple, or the length word of bytes or
 * of an array). False: it is outside. */
static inline bool
abi_follow(struct abi a, uint32_t i, struct abi *out)
{
	const uint8_t *w = abi_word(a, i);
	if (w == NULL)
		return false;
	uint64_t v = 0;
	for (unsigned k = 24; k < 32; k++)
		v = v << 8 | w[k];
	uint8_t sign = (v >> 63) ? 0xff : 0, differ = 0;
	for (unsigned k = 0; k < 24; k++)
		differ |= w[k] ^ sign;
	int64_t at = (int64_t)v;
	if (differ != 0 || at < -(int64_t)a.base || at > (int64_t)(a.all.len - a.base))
		return false;
	*out = (struct abi){a.all, (uint32_t)((int64_t)a.base + at)};
	return true;
}

/* abi_bytes_here: bytes whose length word is at the frame's beginning. False: they are not all there. */
static inline bool
abi_bytes_here(struct abi a, struct span *out)
{
	uint64_t len;
	if (!abi_uint(a, 0, &len) || len > a.all.len - a.base - 32)
		return false;
	*out = (struct span){a.all.p + a.base + 32, (uint32_t)len};
	return true;
}

/* abi_bytes: bytes (or a string) whose offset stands in word i. */
static inline bool
abi_bytes(struct abi a, uint32_t i, struct span *out)
{
	struct abi at;
	return abi_follow(a, i, &at) && abi_bytes_here(at, out);
}

/* abi_array_here: an array whose length word is at the frame's beginning and whose items take `words` (at
 * least 1) words of its head each: static items themselves, or 1 for dynamic ones, whose offsets then stand
 * there. *items is the frame of its head: item k begins at word k * words, and offsets count from its
 * beginning. False: not all of the head is there. */
static inline bool
abi_array_here(struct abi a, uint32_t words, struct abi *items, uint32_t *n)
{
	uint64_t len;
	if (!abi_uint(a, 0, &len) || len > (a.all.len - a.base - 32) / 32 / words)
		return false;
	*items = (struct abi){a.all, a.base + 32};
	*n = (uint32_t)len;
	return true;
}

/* abi_array: an array whose offset stands in word i. */
static inline bool
abi_array(struct abi a, uint32_t i, uint32_t words, struct abi *items, uint32_t *n)
{
	struct abi at;
	return abi_follow(a, i, &at) && abi_array_here(at, words, items, n);
}

/* abi_at: the frame at word i of another, for static tuples and the items of arrays of them: its words count
 * from there. Offsets in its own head would too: only for tuples without dynamic members. False: it is
 * outside. */
static inline bool
abi_at(struct abi a, uint32_t i, struct abi *out)
{
	if (i > (a.all.len - a.base) / 32)
		return false;
	*out = (struct abi){a.all, a.base + i * 32};
	return true;
}

#endif
