/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_ctr: RLPx's keystream, AES-256-CTR with a zero IV, from any place. Block i is the encryption of i as a
 * 128-bit big-endian number. nettle's AES uses the CPU's instructions where there are any and allocates
 * nothing. */
#ifndef WIRE_RLPX_CTR_H
#define WIRE_RLPX_CTR_H

#include <nettle/aes.h>
#include <stdint.h>

/* rlpx_ctr_xor: out = in xor keystream bytes [at, at + n). out may be in. */
void rlpx_ctr_xor(const struct aes256_ctx *key, uint64_t at, const uint8_t *in, uint8_t *out, uint32_t n);

/* rlpx_ctr_blocks writes keystream blocks [first, first + n), n <= RLPX_CTR_BLOCKS. */
#define RLPX_CTR_BLOCKS 256u
void rlpx_ctr_blocks(const struct aes256_ctx *key, uint64_t first, uint32_t n, uint8_t *out);

#endif
