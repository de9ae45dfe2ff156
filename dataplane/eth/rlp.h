/* SPDX-License-Identifier: BSD-3-Clause */
/* rlp: strict Recursive Length Prefix, in place: minimal lengths, no byte below 0x80 behind a prefix, everything inside its
 * parent. Source: Yellow Paper appendix B, as go-ethereum's rlp package enforces it. */
#ifndef ETH_RLP_H
#define ETH_RLP_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rlp_item {
	struct span payload;
	uint32_t header; /* bytes before the payload; 0 for a single byte below 0x80 */
	bool list;
};

/* rlp_long reads a header with a length of its own (first byte 0xb8..0xbf, 0xf8..0xff). Helper of rlp_next;
 * in is not empty. */
bool rlp_long(struct span in, struct rlp_item *out);

/* rlp_next takes the first item off *in. false: not canonical, or it does not fit. */
static inline bool
rlp_next(struct span *in, struct rlp_item *out)
{
	if (in->len == 0)
		return false;
	uint8_t b = in->p[0];
	uint32_t n;
	if (b < 0x80) {
		*out = (struct rlp_item){{in->p, 1}, 0, false};
		n = 1;
	} else if ((b & 0x3f) < 56) {
		uint32_t len = b & 0x3f;
		if (len > in->len - 1 || (b == 0x81 && in->p[1] < 0x80))
			return false;
		*out = (struct rlp_item){{in->p + 1, len}, 1, b >= 0xc0};
		n = 1 + len;
	} else {
		struct rlp_item it; /* not *out, which could not live in registers then */
		if (!rlp_long(*in, &it))
			return false;
		*out = it;
		n = it.header + it.payload.len;
	}
	in->p += n;
	in->len -= n;
	return true;
}

/* ---- writing ---- */

/* rlp_out: bytes being written. Once something does not fit, `full` stays and nothing more is written. */
struct rlp_out {
	uint8_t *p;
	size_t n, cap;
	bool full;
};

void rlp_put_string(struct rlp_out *o, struct span s);
/* rlp_put_int writes a big-endian integer; leading zeros are left out. */
void rlp_put_int(struct rlp_out *o, struct span be);
void rlp_put_u64(struct rlp_out *o, uint64_t v);
/* rlp_put_raw copies bytes that are RLP already. */
void rlp_put_raw(struct rlp_out *o, struct span s);
/* What is written between rlp_list_begin and rlp_list_end(its return value) becomes a list. Nests. */
size_t rlp_list_begin(const struct rlp_out *o);
void rlp_list_end(struct rlp_out *o, size_t begin);

/* rlp_header writes the header of a string (base 0x80) or list (base 0xc0) of `len` payload bytes; returns its length, 1..5. */
unsigned rlp_header(uint8_t out[5], uint8_t base, uint32_t len);

#endif
