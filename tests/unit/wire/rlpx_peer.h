/* SPDX-License-Identifier: BSD-3-Clause */
/* A software peer for the tests of rlpx: writes what one direction of a session sends. Its keystream and its
 * MACs are made otherwise than rlpx's: a running nettle CTR, and Keccak over everything that was said so far.
 */
#ifndef TESTS_RLPX_PEER_H
#define TESTS_RLPX_PEER_H

#include "abi/span.h"
#include "eth/keccak.h"
#include "eth/rlp.h"
#include "wire/rlpx_keys.h"

#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

struct peer {
	struct aes256_ctx aes, mac_aes;
	uint8_t ctr[16];
	struct span said; /* what the MAC has taken, on the heap */
	uint32_t said_cap;
	uint8_t *out; /* the stream so far */
	uint32_t n, cap;
	bool macs;
};

static void
peer_append(uint8_t **p, uint32_t *n, uint32_t *cap, const void *from, uint32_t len)
{
	if (*n + len > *cap) {
		*cap = *n + len + *n / 2;
		*p = realloc(*p, *cap);
	}
	if (len > 0)
		memcpy(*p + *n, from, len);
	*n += len;
}

static void
peer_put(struct peer *p, const void *from, uint32_t len)
{
	peer_append(&p->out, &p->n, &p->cap, from, len);
}

static void
peer_say(struct peer *p, const uint8_t *from, uint32_t len)
{
	uint8_t *all = (uint8_t *)(uintptr_t)p->said.p;
	peer_append(&all, &p->said.len, &p->said_cap, from, len);
	p->said.p = all;
}

static void
peer_digest(const struct peer *p, uint8_t out[16])
{
	uint8_t d[32];
	keccak256(&p->said, 1, d);
	memcpy(out, d, 16);
}

/* One MAC: aes(digest) ^ what is said, then the digest is it. what NULL: the digest itself. */
static void
peer_mac(struct peer *p, const uint8_t *what, uint8_t out[16])
{
	uint8_t d[16], seed[16];
	peer_digest(p, d);
	aes256_encrypt(&p->mac_aes, 16, seed, d);
	for (unsigned i = 0; i < 16; i++)
		seed[i] ^= what ? what[i] : d[i];
	peer_say(p, seed, 16);
	peer_digest(p, out);
}

/* dir 0: the initiator. The handshake packet is `packet_bytes` of anything. */
__attribute__((unused)) static void
peer_init(struct peer *p, const struct rlpx_key *k, unsigned dir, uint32_t packet_bytes)
{
	memset(p, 0, sizeof *p);
	aes256_set_encrypt_key(&p->aes, k->aes);
	aes256_set_encrypt_key(&p->mac_aes, k->mac);
	p->macs = k->has_nonces;
	uint8_t seed[32], *packet = malloc(2 + packet_bytes);
	for (unsigned i = 0; i < 32; i++)
		seed[i] = k->mac[i] ^ k->nonce[!dir][i];
	packet[0] = (uint8_t)(packet_bytes >> 8);
	packet[1] = (uint8_t)packet_bytes;
	packet[2] = 4;
	for (uint32_t i = 3; i < 2 + packet_bytes; i++)
		packet[i] = (uint8_t)(i * 37 + dir * 101 + (i >> 3));
	if (p->macs) {
		peer_say(p, seed, 32);
		peer_say(p, packet, 2 + packet_bytes);
	}
	peer_put(p, packet, 2 + packet_bytes);
	free(packet);
}

__attribute__((unused)) static void
peer_free(struct peer *p)
{
	free((void *)(uintptr_t)p->said.p);
	free(p->out);
}

/* A frame with the given header data (RLP, at most 13 bytes). */
static void
peer_frame(struct peer *p, struct span header_data, struct span body)
{
	uint32_t pad = (body.len + 15) & ~15u;
	uint8_t header[16] = {(uint8_t)(body.len >> 16), (uint8_t)(body.len >> 8), (uint8_t)body.len},
		mac[16] = {0xee};
	uint8_t *padded = calloc(1, pad ? pad : 1);
	memcpy(header + 3, header_data.p, header_data.len);
	memcpy(padded, body.p, body.len);
	ctr_crypt(&p->aes, (nettle_cipher_func *)aes256_encrypt, 16, p->ctr, 16, header, header);
	ctr_crypt(&p->aes, (nettle_cipher_func *)aes256_encrypt, 16, p->ctr, pad, padded, padded);
	peer_put(p, header, 16);
	if (p->macs)
		peer_mac(p, header, mac);
	peer_put(p, mac, 16);
	peer_put(p, padded, pad);
	if (p->macs) {
		peer_say(p, padded, pad);
		peer_mac(p, NULL, mac);
	}
	peer_put(p, mac, 16);
	free(padded);
}

static const uint8_t peer_plain[3] = {0xc2, 0x80, 0x80};

static void
peer_body(struct peer *p, struct span body)
{
	peer_frame(p, (struct span){peer_plain, 3}, body);
}

/* message id and payload, snapped or not, as a message's body. Heap. */
static struct span
peer_pack(uint32_t id, struct span payload, bool snap)
{
	uint8_t small[8];
	struct rlp_out o = {small, 0, sizeof small, false};
	rlp_put_u64(&o, id);
	size_t n = snap ? snappy_max_compressed_length(payload.len) : payload.len;
	uint8_t *body = malloc(o.n + n);
	memcpy(body, small, o.n);
	if (snap)
		snappy_compress((const char *)payload.p, payload.len, (char *)body + o.n, &n);
	else if (n > 0)
		memcpy(body + o.n, payload.p, n);
	return (struct span){body, (uint32_t)(o.n + n)};
}

static void
peer_message(struct peer *p, uint32_t id, struct span payload, bool snap)
{
	struct span body = peer_pack(id, payload, snap);
	peer_body(p, body);
	free((void *)(uintptr_t)body.p);
}

/* The same in frames of `each` bytes. */
__attribute__((unused)) static void
peer_chunks(struct peer *p, uint32_t id, struct span payload, uint32_t context, uint32_t each)
{
	struct span body = peer_pack(id, payload, true);
	for (uint32_t at = 0; at < body.len; at += each) {
		uint8_t data[13];
		struct rlp_out o = {data, 0, sizeof data, false};
		size_t list = rlp_list_begin(&o);
		rlp_put_u64(&o, 0);
		rlp_put_u64(&o, context);
		if (at == 0)
			rlp_put_u64(&o, body.len);
		rlp_list_end(&o, list);
		uint32_t n = body.len - at < each ? body.len - at : each;
		peer_frame(p, (struct span){data, (uint32_t)o.n}, (struct span){body.p + at, n});
	}
	free((void *)(uintptr_t)body.p);
}

/* A Hello that offers the capabilities, "eth/68 snap/1"-like. */
__attribute__((unused)) static void
peer_hello(struct peer *p, uint32_t version, const char *caps)
{
	static const uint8_t id[64] = {1};
	uint8_t buf[512];
	struct rlp_out o = {buf, 0, sizeof buf, false};
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, version);
	rlp_put_string(&o, (struct span){(const uint8_t *)"peer", 4});
	size_t list = rlp_list_begin(&o);
	while (*caps != 0) {
		const char *slash = strchr(caps, '/');
		char *end;
		size_t cap = rlp_list_begin(&o);
		rlp_put_string(&o, (struct span){(const uint8_t *)caps, (uint32_t)(slash - caps)});
		rlp_put_u64(&o, strtoull(slash + 1, &end, 10));
		rlp_list_end(&o, cap);
		caps = *end == ' ' ? end + 1 : end;
	}
	rlp_list_end(&o, list);
	rlp_put_u64(&o, 0);
	rlp_put_string(&o, (struct span){id, 64});
	rlp_list_end(&o, all);
	peer_message(p, 0, (struct span){buf, (uint32_t)o.n}, false);
}

#endif
