/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx.h"

#include "eth/keccak.h"
#include "eth/rlp.h"

#include <errno.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

static void
word_of(struct span s, uint8_t out[32])
{
	memset(out, 0, 32);
	if (s.len > 0)
		memcpy(out + 32 - s.len, s.p, s.len);
}

static const uint8_t type_bytes[] = {0, 1, 2, 3, 4};

void
tx_hash(const struct tx *t, uint8_t out[32])
{
	const struct span parts[] = {{&type_bytes[t->type], t->type != TX_LEGACY}, t->envelope};
	keccak256(parts, 2, out);
}

bool
tx_is_protected(const struct tx *t)
{
	return t->has_chain_id;
}

/* (v - 35) / 2, for a v >= 35 of any size */
static void
chain_of_v(struct span v, uint8_t w[32])
{
	unsigned borrow = 35;
	word_of(v, w);
	for (int i = 31; i >= 0 && borrow; i--) {
		int d = w[i] - (int)borrow;
		borrow = d < 0;
		w[i] = (uint8_t)d;
	}
	for (int i = 31; i > 0; i--)
		w[i] = (uint8_t)(w[i] >> 1 | w[i - 1] << 7);
	w[0] >>= 1;
}

uint32_t
tx_chain_id(const struct tx *t, uint8_t out[32])
{
	uint8_t w[32] = {0};
	uint32_t skip = 0;
	if (t->type != TX_LEGACY)
		word_of(t->chain_id_be, w);
	else if (t->has_chain_id)
		chain_of_v(t->v, w);
	while (skip < 32 && w[skip] == 0)
		skip++;
	memcpy(out, w + skip, 32 - skip);
	return 32 - skip;
}

void
tx_sighash(const struct tx *t, uint8_t out[32])
{
	uint8_t header[5], tail[40];
	uint32_t n = 0;
	if (t->type == TX_LEGACY && t->has_chain_id) {
		uint8_t chain[32];
		uint32_t len = tx_chain_id(t, chain);
		if (len != 1 || chain[0] >= 0x80)
			tail[n++] = (uint8_t)(0x80 + len);
		memcpy(tail + n, chain, len);
		n += len;
		tail[n++] = 0x80;
		tail[n++] = 0x80;
	}
	unsigned h = rlp_header(header, 0xc0, t->unsigned_payload.len + n);
	const struct span parts[] = {
		{&type_bytes[t->type], t->type != TX_LEGACY}, {header, h}, t->unsigned_payload, {tail, n}};
	keccak256(parts, 4, out);
}

/* n, and n / 2: SEC 2, EIP-2. */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0,
	0x36, 0x41, 0x41};
static const uint8_t half_order[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68,
	0x1b, 0x20, 0xa0};

/* 0, 1, or -1: no parity that a node accepts. */
static int
parity_of(const struct tx *t)
{
	uint8_t last = t->v.len ? t->v.p[t->v.len - 1] : 0;
	if (t->y_parity_only)
		return t->v.len <= 1 && last <= 1 ? last : -1;
	if (t->has_chain_id)
		return (last & 1) == 0; /* 35 + 2 * chain is odd: parity 0 */
	return t->v.len == 1 && (last == 27 || last == 28) ? last - 27 : -1;
}

int
tx_signature_check(const struct tx *t)
{
	uint8_t r[32], s[32];
	if (parity_of(t) < 0 || t->r.len == 0 || t->s.len == 0)
		return -EINVAL;
	word_of(t->r, r);
	word_of(t->s, s);
	return memcmp(r, order, 32) < 0 && memcmp(s, half_order, 32) <= 0 ? 0 : -EINVAL;
}

static bool
recover(const uint8_t hash[32], const uint8_t rs[64], int parity, uint8_t out[20])
{
	secp256k1_ecdsa_recoverable_signature sig;
	secp256k1_pubkey key;
	uint8_t point[65], digest[32];
	size_t n = sizeof point;
	if (!secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &sig, rs, parity) ||
		!secp256k1_ecdsa_recover(secp256k1_context_static, &key, &sig, hash))
		return false;
	secp256k1_ec_pubkey_serialize(secp256k1_context_static, point, &n, &key, SECP256K1_EC_UNCOMPRESSED);
	const struct span xy = {point + 1, 64};
	keccak256(&xy, 1, digest);
	memcpy(out, digest + 12, 20);
	return true;
}

int
tx_sender(const struct tx *t, uint8_t out[20])
{
	uint8_t rs[64], hash[32];
	if (tx_signature_check(t) != 0)
		return -EINVAL;
	word_of(t->r, rs);
	word_of(t->s, rs + 32);
	tx_sighash(t, hash);
	return recover(hash, rs, parity_of(t), out) ? 0 : -EINVAL;
}

bool
tx_authority(struct span tuple, uint8_t out[20])
{
	static const uint8_t magic = 0x05;
	struct rlp_item item[6];
	struct span rest = tuple;
	uint8_t header[5], hash[32], rs[64];
	uint32_t signed_len = 0;
	for (unsigned i = 0; i < 6; i++) {
		if (!rlp_next(&rest, &item[i]))
			return false;
		if (i == 2)
			signed_len = tuple.len - rest.len;
	}
	const struct span *parity = &item[3].payload;
	if (rest.len > 0 || parity->len > 1 || (parity->len == 1 && parity->p[0] > 1) || item[4].payload.len > 32 || item[5].payload.len > 32)
		return false;
	const struct span parts[] = {{&magic, 1}, {header, rlp_header(header, 0xc0, signed_len)}, {tuple.p, signed_len}};
	keccak256(parts, 3, hash);
	word_of(item[4].payload, rs);
	word_of(item[5].payload, rs + 32);
	if (memcmp(rs + 32, half_order, 32) > 0)
		return false;
	return recover(hash, rs, parity->len, out);
}

void
tx_created(const uint8_t from[20], uint64_t nonce, uint8_t out[20])
{
	uint8_t list[32], hash[32];
	uint32_t n = 1;
	list[n++] = 0x80 + 20;
	memcpy(list + n, from, 20);
	n += 20;
	if (nonce == 0 || nonce >= 0x80) {
		uint32_t bytes = 0;
		while (bytes < 8 && nonce >> (8 * bytes))
			bytes++;
		list[n++] = (uint8_t)(0x80 + bytes);
		while (bytes > 0)
			list[n++] = (uint8_t)(nonce >> (8 * --bytes));
	} else {
		list[n++] = (uint8_t)nonce;
	}
	list[0] = (uint8_t)(0xc0 + n - 1);
	const struct span all = {list, n};
	keccak256(&all, 1, hash);
	memcpy(out, hash + 12, 20);
}
