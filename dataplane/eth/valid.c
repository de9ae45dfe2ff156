/* SPDX-License-Identifier: BSD-3-Clause */
/* The stateless rules of a transaction. Sources: EIP-2, 155, 1559, 2028, 2681, 2930, 3860, 4844, 7623, 7702. */
#include "eth/tx.h"

#include "eth/rlp.h"

#include <string.h>

#define GAS_TX 21000u
#define GAS_CREATE 32000u
#define GAS_ZERO 4u
#define GAS_NONZERO 16u
#define GAS_ADDRESS 2400u
#define GAS_KEY 1900u
#define GAS_INITCODE_WORD 2u
#define GAS_AUTH 25000u
#define INITCODE_MAX 49152u
#define BLOBS_MAX 6u
#define BLOB_HASH_VERSION 0x01

static uint32_t
zeros_in(struct span s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s.len; i++)
		n += s.p[i] == 0;
	return n;
}

static uint64_t
access_list_gas(struct span list)
{
	struct rlp_item entry, address, keys, key;
	uint64_t gas = 0;
	while (rlp_next(&list, &entry) && rlp_next(&entry.payload, &address) && rlp_next(&entry.payload, &keys)) {
		gas += GAS_ADDRESS;
		while (rlp_next(&keys.payload, &key))
			gas += GAS_KEY;
	}
	return gas;
}

static uint64_t
intrinsic_gas(const struct tx *t)
{
	uint32_t zeros = zeros_in(t->data);
	uint64_t gas = GAS_TX + (uint64_t)zeros * GAS_ZERO + (uint64_t)(t->data.len - zeros) * GAS_NONZERO;
	if (t->to.len == 0)
		gas += GAS_CREATE + (uint64_t)GAS_INITCODE_WORD * ((t->data.len + 31) / 32);
	return gas + access_list_gas(t->access_list) + (uint64_t)t->n_auth * GAS_AUTH;
}

static int
compare(struct span a, struct span b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len ? memcmp(a.p, b.p, a.len) : 0;
}

/* gas * price must fit 256 bits: schoolbook with the carry that is left over. */
static bool
product_overflows(uint64_t gas, struct span price)
{
	unsigned __int128 carry = 0;
	uint8_t w[32] = {0};
	memcpy(w + 32 - price.len, price.p, price.len);
	for (int i = 3; i >= 0; i--) {
		uint64_t limb = 0;
		for (unsigned k = 0; k < 8; k++)
			limb = limb << 8 | w[8 * i + k];
		carry = ((unsigned __int128)limb * gas + carry) >> 64;
	}
	return carry != 0;
}

static const char *
valid_lists(const struct tx *t)
{
	if (t->type == TX_7702 && t->n_auth == 0)
		return "empty authorization list";
	if (t->type != TX_4844)
		return NULL;
	if (t->n_blobs == 0)
		return "no blob hashes";
	if (t->n_blobs > BLOBS_MAX)
		return "too many blobs";
	struct span list = t->blob_hashes;
	struct rlp_item hash;
	while (rlp_next(&list, &hash))
		if (hash.payload.p[0] != BLOB_HASH_VERSION)
			return "unknown blob hash version";
	return t->network_version != 0 && t->n_sidecar_blobs != t->n_blobs ? "blobs do not match the blob hashes" : NULL;
}

const char *
tx_valid(const struct tx *t, uint64_t chain)
{
	uint8_t from[20];
	if (t->nonce == UINT64_MAX)
		return "nonce too high";
	if (chain != 0 && t->has_chain_id && t->chain_id != chain)
		return "wrong chain id";
	if (compare(t->tip_cap, t->fee_cap) > 0)
		return "tip above fee cap";
	if (product_overflows(t->gas, t->fee_cap))
		return "gas times price overflows";
	if (t->to.len == 0 && t->data.len > INITCODE_MAX)
		return "init code too long";
	const char *why = valid_lists(t);
	if (why != NULL)
		return why;
	if (t->gas < intrinsic_gas(t))
		return "gas below intrinsic";
	return tx_sender(t, from) != 0 ? "bad signature" : NULL;
}
