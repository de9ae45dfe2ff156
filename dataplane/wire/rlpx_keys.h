/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_keys: the session secrets that are known, as a read-only table. Whoever owns the key log builds a new
 * table when it has grown, publishes its pointer, and frees the old one once no worker uses it; a table never
 * changes and holds no pointer.
 *
 * Sessions are numbered in the order of the log. A session is found by its endpoints, or by the first header
 * that it encrypts: 13 of the 16 bytes of a frame header are known, so that header names the session among
 * any number of them. */
#ifndef WIRE_RLPX_KEYS_H
#define WIRE_RLPX_KEYS_H

#include <nettle/aes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RLPX_KEYS_MAX 65536u
#define RLPX_KEYS_OF_MAX 8u /* sessions of the same endpoints that are looked at, newest first */

/* An endpoint; IPv4 as ::ffff:a.b.c.d. port 0: not known. */
struct rlpx_endpoint {
	uint8_t ip[16];
	uint16_t port;
};

/* One session as the key log has it; [0] = initiator, [1] = recipient. Without both nonces no MAC can be
 * checked: they are in the handshake, encrypted for the nodes alone. */
struct rlpx_key {
	uint8_t aes[32];
	uint8_t mac[32];
	uint8_t nonce[2][32];
	struct rlpx_endpoint end[2];
	bool has_mac, has_nonces;
};

struct rlpx_session {
	struct rlpx_key key;
	struct aes256_ctx aes;
	uint8_t first[16];		      /* keystream block 0 */
	uint32_t next_of_ends, next_of_first; /* private to rlpx_keys */
};

struct rlpx_keys;

/* rlpx_keys_bytes: memory for a table of n <= RLPX_KEYS_MAX sessions. rlpx_keys_build makes one in mem
 * (16-byte aligned); first_number: the number of list[0]. seed: keyed hash of endpoints, from a random
 * source. NULL if n is too large. */
size_t rlpx_keys_bytes(uint32_t n);
struct rlpx_keys *rlpx_keys_build(
	void *mem, const struct rlpx_key *list, uint32_t n, uint64_t first_number, uint64_t seed);

uint32_t rlpx_keys_count(const struct rlpx_keys *t);
/* rlpx_keys_end: the number that the next session will have. Grows with every table. */
uint64_t rlpx_keys_end(const struct rlpx_keys *t);
const struct rlpx_session *rlpx_keys_at(const struct rlpx_keys *t, uint32_t index);

/* rlpx_keys_of_ends: indexes of up to RLPX_KEYS_OF_MAX sessions between the two endpoints, in either order,
 * newest first. A session with one endpoint unknown is between the other and anybody. Returns how many. */
uint32_t rlpx_keys_of_ends(
	const struct rlpx_keys *t, const struct rlpx_endpoint end[2], uint32_t out[RLPX_KEYS_OF_MAX]);

/* rlpx_keys_of_first: the session whose first frame header is these 16 bytes of ciphertext, or NULL. */
const struct rlpx_session *rlpx_keys_of_first(const struct rlpx_keys *t, const uint8_t header[16]);

#endif
