/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_frame: the parts of RLPx that need no state: what a handshake packet and a frame header look like, the
 * RLP of headers and Hellos. Source: ethereum/devp2p rlpx.md, EIP-8. Private to the rlpx files of wire. */
#ifndef WIRE_RLPX_FRAME_H
#define WIRE_RLPX_FRAME_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

#define RLPX_BLOCK 16u
/* Sizes that an EIP-8 packet announces: ECIES adds 113 bytes to at least [pubkey, nonce, version]; geth reads
 * no more than 2048. */
#define RLPX_HANDSHAKE_MIN 200u
#define RLPX_HANDSHAKE_MAX 2048u

/* The header of a frame that is a whole message; its first three bytes are the size. */
extern const uint8_t rlpx_frame_known[16];

struct rlpx_frame {
	uint32_t size;	  /* of the body, without padding; never 0 */
	uint32_t context; /* 0: the frame is a message of its own */
	uint32_t total;	  /* of the message that this frame begins; 0: the frame goes on with `context` */
};

/* rlpx_frame_parse reads a decrypted header. false: it is none. */
bool rlpx_frame_parse(const uint8_t header[16], struct rlpx_frame *f);

/* rlpx_rlp: one item off *in; canonical RLP only. (eth has its own reader; wire does not know eth.) */
struct rlpx_rlp {
	struct span payload;
	bool list;
};
bool rlpx_rlp_next(struct span *in, struct rlpx_rlp *out);
/* rlpx_rlp_u32 reads an integer without leading zeros. */
bool rlpx_rlp_u32(const struct rlpx_rlp *item, uint32_t *out);

#endif
