/* SPDX-License-Identifier: BSD-3-Clause */
/* The stateless rules of a transaction. Sources: EIP-2, 155, 1559, 2028, 2681, 2930, 3860, 4844, 7594, 7623,
 * 7702. */
#include "eth/tx.h"

#include "eth/rlp.h"

#include <nettle/sha2.h>
#include <string.h>

#define GAS_TX 21000u
#define GAS_CREATE 32000u
#define GAS_ZERO 4u
#define GAS_NONZERO 16u
#define GAS_ADDRESS 2400u
#define GAS_KEY 1900u
#define GAS_INITCODE_WORD 2u
#define GAS_AUTH 25000u
#define GAS_FLOOR_TOKEN 10u
#define INITCODE_MAX 49152u
#define BLOBS_MAX 6u
#define BLOB_HASH_VERSION 0x01
#define CELL_PROOFS_PER_BLOB 128u

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
	while (rlp_next(&list, &entry) && rlp_next(&entry.payload, &address) &&
		rlp_next(&entry.payload, &keys)) {
		gas += GAS_ADDRESS;
		while (rlp_next(&keys.payload, &key))
			gas += GAS_KEY;
	}
	return gas;
}

static uint64_t
least_gas(const struct tx *t)
{
	uint64_t zeros = zeros_in(t->data), others = t->data.len - zeros;
	uint64_t gas = GAS_TX + zeros * GAS_ZERO + others * GAS_NONZERO + access_list_gas(t->access_list) +
		       (uint64_t)t->n_auth * GAS_AUTH;
	uint64_t floor = GAS_TX + (zeros + 4 * others) * GAS_FLOOR_TOKEN;
	if (t->to.len == 0)
		gas += GAS_CREATE + (uint64_t)GAS_INITCODE_WORD * ((t->data.len + 31) / 32);
	return t->type == TX_7702 && floor > gas ? floor : gas;
}

static bool
on_chain(const struct tx *t, uint64_t chain)
{
	uint8_t be[32];
	return t->chain_id == chain && (chain != UINT64_MAX || tx_chain_id(t, be) == 8);
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
	if (price.len > 0)
		memcpy(w + 32 - price.len, price.p, price.len);
	for (int i = 3; i >= 0; i--) {
		uint64_t limb = 0;
		for (unsigned k = 0; k < 8; k++)
			limb = limb << 8 | w[8 * i + k];
		carry = ((unsigned __int128)limb * gas + carry) >> 64;
	}
	return carry != 0;
}

/* EIP-4844: the hash of a commitment is its SHA-256 with the version in place of the first byte. */
static bool
commitments_match(struct span commitments, struct span hashes)
{
	struct rlp_item commitment, hash;
	uint8_t digest[32];
	while (rlp_next(&commitments, &commitment) && rlp_next(&hashes, &hash)) {
		struct sha256_ctx ctx;
		sha256_init(&ctx);
		sha256_update(&ctx, commitment.payload.len, commitment.payload.p);
		sha256_digest(&ctx, sizeof digest, digest);
		digest[0] = BLOB_HASH_VERSION;
		if (memcmp(digest, hash.payload.p, sizeof digest) != 0)
			return false;
	}
	return true;
}

static const char *
blob_rules(const struct tx *t)
{
	struct span list = t->blob_hashes;
	struct rlp_item hash;
	if (t->n_blobs == 0)
		return "no blob hashes";
	if (t->n_blobs > BLOBS_MAX)
		return "too many blobs";
	while (rlp_next(&list, &hash))
		if (hash.payload.p[0] != BLOB_HASH_VERSION)
			return "unknown blob hash version";
	if (t->network_version == 0)
		return NULL;
	uint32_t proofs = t->network_version == 1 ? t->n_blobs : t->n_blobs * CELL_PROOFS_PER_BLOB;
	if (t->n_sidecar_blobs != t->n_blobs || t->n_commitments != t->n_blobs || t->n_proofs != proofs)
		return "sidecar does not match the number of blob hashes";
	return commitments_match(t->commitments, t->blob_hashes) ? NULL
								 : "commitments do not match the blob hashes";
}

const char *
tx_rules(const struct tx *t, uint64_t chain)
{
	if (t->nonce == UINT64_MAX)
		return "nonce too high";
	if (chain != 0 && t->has_chain_id && !on_chain(t, chain))
		return "wrong chain id";
	if (compare(t->tip_cap, t->fee_cap) > 0)
		return "tip above fee cap";
	if (product_overflows(t->gas, t->fee_cap))
		return "gas times price overflows";
	if (t->to.len == 0 && t->data.len > INITCODE_MAX)
		return "init code too long";
	if (t->gas < least_gas(t))
		return "gas below intrinsic";
	if (t->type == TX_7702 && t->n_auth == 0)
		return "empty authorization list";
	return t->type == TX_4844 ? blob_rules(t) : NULL;
}

const char *
tx_valid(const struct tx *t, uint64_t chain)
{
	uint8_t from[20];
	const char *why = tx_rules(t, chain);
	if (why != NULL)
		return why;
	return tx_sender(t, from) != 0 ? "bad signature" : NULL;
}
