/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_mac: the running Keccak state of one direction's MACs. Source: devp2p rlpx.md, "MAC". Can be checked
 * only from the handshake on, without a byte missing, with the MAC secret and the nonce that the sender
 * received. */
#ifndef WIRE_RLPX_MAC_H
#define WIRE_RLPX_MAC_H

#include "abi/span.h"

#include <nettle/aes.h>
#include <nettle/sha3.h>
#include <stdbool.h>
#include <stdint.h>

struct rlpx_mac {
	struct sha3_state state;
	uint32_t fill; /* bytes of the block under way, already in state */
	struct aes256_ctx aes;
};

/* rlpx_mac_init seeds the state of the direction whose sender's handshake packet (with its size prefix) is
 * `packet`, and whose receiver's nonce is `nonce`. */
void rlpx_mac_init(struct rlpx_mac *m, const uint8_t secret[32], const uint8_t nonce[32], struct span packet);
/* rlpx_mac_header takes the ciphertext of a header and stores its MAC. */
void rlpx_mac_header(struct rlpx_mac *m, const uint8_t header[16], uint8_t out[16]);
/* rlpx_mac_update takes ciphertext of a body, rlpx_mac_frame stores its MAC when all of it was taken. */
void rlpx_mac_update(struct rlpx_mac *m, const uint8_t *p, uint32_t n);
void rlpx_mac_frame(struct rlpx_mac *m, uint8_t out[16]);

#endif
