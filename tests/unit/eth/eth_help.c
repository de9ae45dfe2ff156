/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth_help.h"

#include "eth/keccak.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span
help_bytes(const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *p = malloc(n ? n : 1);
	if (p == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
		p[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return (struct span){p, (uint32_t)n};
}

const char *
help_hex(const uint8_t *p, size_t n)
{
	static char text[4][513];
	static unsigned at;
	char *t = text[at++ % 4];
	t[0] = 0;
	for (size_t i = 0; i < n && i < 256; i++)
		sprintf(t + 2 * i, "%02x", p[i]);
	return t;
}

struct tx_fields
help_fields(uint8_t type)
{
	static const uint8_t one[1] = {1}, tip[4] = {0x3b, 0x9a, 0xca, 0},
			     fee[5] = {0x17, 0x48, 0x76, 0xe8, 0};
	static const uint8_t to[20] = {0x7a, 0x25, 0x0d, 0x56}, data[5] = {0x7f, 0xf3, 0x6a, 0xb5, 0};
	static uint8_t hashes[33] = {0xa0, 0x01, 2, 3}, auth[27] = {0xda, 1, 0x94}; /* [[1, 0, 5, 0, 1, 2]] */
	auth[23] = 5;
	auth[24] = 0x80;
	auth[25] = 1;
	auth[26] = 2;
	struct tx_fields f = {.type = type,
		.nonce = 7,
		.gas = 200000,
		.fee_cap = {fee, 5},
		.to = {to, 20},
		.value = {tip, 4},
		.data = {data, 5},
		.v = {one, 1},
		.r = {fee, 5},
		.s = {fee, 5}};
	f.tip_cap = type >= TX_1559 ? (struct span){tip, 4} : f.fee_cap;
	if (type != TX_LEGACY)
		f.chain_id = (struct span){one, 1};
	if (type == TX_4844) {
		f.blob_fee_cap = (struct span){tip, 4};
		f.blob_hashes = (struct span){hashes, 33};
	}
	if (type == TX_7702)
		f.auth_list = (struct span){auth, 27};
	return f;
}

struct span
help_build(const struct tx_fields *f)
{
	size_t cap = f->data.len + f->access_list.len + f->auth_list.len + f->blob_hashes.len + 512;
	uint8_t *big = malloc(cap);
	int n = big ? tx_build(f, big, cap) : -1;
	uint8_t *exact = n > 0 ? malloc((size_t)n) : NULL;
	if (exact == NULL)
		abort();
	memcpy(exact, big, (size_t)n);
	free(big);
	return (struct span){exact, (uint32_t)n};
}

static const uint8_t key[32] = {0x46, 0x46, 0x46, 1};

static secp256k1_context *
context(void)
{
	static secp256k1_context *ctx;
	if (ctx == NULL)
		ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	return ctx;
}

const uint8_t *
help_address(void)
{
	static uint8_t hash[32];
	secp256k1_pubkey pub;
	uint8_t point[65];
	size_t n = sizeof point;
	if (!secp256k1_ec_pubkey_create(context(), &pub, key))
		abort();
	secp256k1_ec_pubkey_serialize(context(), point, &n, &pub, SECP256K1_EC_UNCOMPRESSED);
	const struct span xy = {point + 1, 64};
	keccak256(&xy, 1, hash);
	return hash + 12;
}

struct span
help_sign(struct tx_fields *f, uint64_t chain)
{
	static uint8_t rs[64], v[8];
	secp256k1_ecdsa_recoverable_signature sig;
	struct tx t;
	uint8_t hash[32];
	int parity;
	uint64_t n = chain ? 35 + 2 * chain : 27;
	for (unsigned pass = 0; pass < 2;
		pass++) { /* the first for the bytes that are signed, the second with the signature */
		for (unsigned i = 0; i < 8; i++)
			v[i] = (uint8_t)(n >> (56 - 8 * i));
		f->v = (struct span){v, 8};
		if (pass == 1)
			break;
		f->r = f->s = (struct span){NULL, 0};
		struct span raw = help_build(f);
		if (tx_decode(raw, &t) != 0)
			abort();
		tx_sighash(&t, hash);
		free((void *)(uintptr_t)raw.p);
		if (!secp256k1_ecdsa_sign_recoverable(context(), &sig, hash, key, NULL, NULL))
			abort();
		secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), rs, &parity, &sig);
		n = f->type == TX_LEGACY ? n + (unsigned)parity : (unsigned)parity;
	}
	f->r = (struct span){rs, 32};
	f->s = (struct span){rs + 32, 32};
	return help_build(f);
}
