/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/keccak.h"

#include <nettle/sha3.h>
#include <string.h>

#define RATE 136u

static void
absorb_word(struct sha3_state *s, uint32_t word, const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	s->a[word] ^= v;
}

static void
absorb_block(struct sha3_state *s, const uint8_t *p)
{
	for (uint32_t i = 0; i < RATE / 8; i++)
		absorb_word(s, i, p + 8 * i);
	sha3_permute(s);
}

/* Lanes are little-endian, as the machine is. */
void
keccak256(const struct span *parts, unsigned n, uint8_t out[32])
{
	struct sha3_state s = {{0}};
	uint8_t block[RATE];
	uint32_t fill = 0;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = parts[i].p;
		uint32_t left = parts[i].len;
		while (left > 0) {
			if (fill == 0 && left >= RATE) {
				absorb_block(&s, p);
				p += RATE;
				left -= RATE;
				continue;
			}
			uint32_t k = left < RATE - fill ? left : RATE - fill;
			memcpy(block + fill, p, k);
			fill += k;
			p += k;
			left -= k;
			if (fill == RATE) {
				absorb_block(&s, block);
				fill = 0;
			}
		}
	}
	memset(block + fill, 0, RATE - fill);
	block[fill] = 0x01;
	block[RATE - 1] |= 0x80;
	absorb_block(&s, block);
	memcpy(out, s.a, 32);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lanes are copied as they are");
