/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_ctr.h"

#include <nettle/ctr.h>
#include <string.h>

static void
counter(uint64_t block, uint8_t out[16])
{
	uint64_t be = __builtin_bswap64(block);
	memset(out, 0, 8);
	memcpy(out + 8, &be, 8);
}

void
rlpx_ctr_xor(const struct aes256_ctx *key, uint64_t at, const uint8_t *in, uint8_t *out, uint32_t n)
{
	uint8_t ctr[16], block[16];
	uint32_t from = at & 15;
	if (from > 0) {
		counter(at >> 4, ctr);
		aes256_encrypt(key, 16, block, ctr);
		uint32_t k = n < 16 - from ? n : 16 - from;
		for (uint32_t i = 0; i < k; i++)
			out[i] = in[i] ^ block[from + i];
		at += k;
		in += k;
		out += k;
		n -= k;
	}
	if (n == 0)
		return;
	counter(at >> 4, ctr);
	ctr_crypt(key, (nettle_cipher_func *)aes256_encrypt, 16, ctr, n, out, in);
}

void
rlpx_ctr_blocks(const struct aes256_ctx *key, uint64_t first, uint32_t n, uint8_t *out)
{
	for (uint32_t i = 0; i < n; i++)
		counter(first + i, out + 16 * i);
	aes256_encrypt(key, 16 * n, out, out);
}
