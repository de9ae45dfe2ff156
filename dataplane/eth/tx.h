/* SPDX-License-Identifier: BSD-3-Clause */
/* tx: Ethereum transactions, types 0 to 4, in consensus form and (type 3) both network forms with sidecar.
 * Decoding is in place: a struct tx is spans into the caller's bytes and lives as long as they do. Strict RLP as
 * geth's rlp package has it (no leading zeros, minimal lengths, no trailing bytes).
 * Sources: go-ethereum core/types/tx_*.go, EIP-155, 2718, 2930, 1559, 4844, 7594, 7702. */
#ifndef ETH_TX_H
#define ETH_TX_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TX_BYTES_MAX (128u << 10)	     /* consensus form, geth's txMaxSize */
#define TX_NETWORK_BYTES_MAX (2621440u)	     /* with sidecar: half of geth's 5 MiB body */

enum tx_type { TX_LEGACY = 0, TX_2930 = 1, TX_1559 = 2, TX_4844 = 3, TX_7702 = 4 };

/* Negative return values of tx_decode; tx_strerror names them. X-macro: _(ID, "what an operator reads") */
#define TX_ERRORS(_) \
	_(EMPTY, "no bytes") \
	_(TYPE, "unknown transaction type") \
	_(RLP, "not canonical RLP") \
	_(FIELDS, "wrong number of fields") \
	_(FIELD_SIZE, "a field is longer than its type") \
	_(LEADING_ZERO, "an integer has leading zeros") \
	_(TO, "the recipient is not an address") \
	_(ACCESS_LIST, "malformed access list") \
	_(BLOB_HASHES, "malformed blob hashes") \
	_(AUTH_LIST, "malformed authorization list") \
	_(SIDECAR, "malformed blob sidecar") \
	_(TRAILING, "bytes after the transaction") \
	_(OVERSIZE, "larger than any node accepts")
enum tx_error {
	TX_OK = 0,
#define _(id, text) TX_ERR_##id,
	TX_ERRORS(_)
#undef _
	TX_ERR_COUNT
};

struct tx {
	uint8_t type;
	bool has_chain_id; /* typed, or EIP-155 */
	bool y_parity_only; /* typed: v is yParity */
	uint8_t network_version; /* type 3: 0 none (consensus form), 1 EIP-4844 sidecar, 2 EIP-7594 sidecar */
	uint32_t n_access, n_auth, n_blobs; /* entries of the lists */
	uint32_t n_sidecar_blobs, n_commitments, n_proofs;
	uint64_t nonce, gas;
	uint64_t chain_id; /* 0 if the transaction names none, UINT64_MAX if it does not fit 64 bits: tx_chain_id has it all */
	struct span chain_id_be; /* typed only */
	struct span tip_cap, fee_cap; /* big-endian, minimal, <= 32 bytes; legacy/2930: both are gasPrice */
	struct span blob_fee_cap;
	struct span to; /* 20 bytes, or 0: creation */
	struct span value; /* big-endian, minimal, <= 32 bytes */
	struct span data; /* calldata, or init code */
	struct span access_list, blob_hashes, auth_list; /* RLP payloads of the lists */
	struct span commitments; /* RLP payload of the sidecar's list */
	struct span v, r, s; /* big-endian, minimal */
	struct span envelope; /* typed: payload list with its header, without type byte and sidecar; legacy: the list */
	struct span unsigned_payload; /* payload bytes of the fields that are signed, contiguous */
	/* scan: from the first byte of `to` (or of its header if empty) to the end of the last list or data. All
	 * fields a rule can look into lie in it verbatim, so one scan serves them all. */
	struct span scan;
};

/* tx_decode fills *t. Returns 0 or -enum tx_error. Decodes what the form allows, valid or not: signature
 * values out of range or a wrong chain are not its business. */
int tx_decode(struct span raw, struct tx *t);
const char *tx_strerror(int err);

/* tx_within: raw without what lies behind the transaction, which nodes other than go-ethereum do not look at, and without the RLP string around
 * one of a type, which Erigon takes; as it is if none begins there. Shares the bytes. */
struct span tx_within(struct span raw);

/* tx_consensus_len: bytes of the transaction without sidecar. */
uint32_t tx_consensus_len(const struct tx *t);
/* tx_consensus_copy writes those bytes; out >= tx_consensus_len. */
void tx_consensus_copy(const struct tx *t, uint8_t *out);

/* tx_hash: keccak256 of the consensus form. */
void tx_hash(const struct tx *t, uint8_t out[32]);
/* tx_sighash: what was signed (pre-155, 155 or typed). */
void tx_sighash(const struct tx *t, uint8_t out[32]);

/* tx_chain_id writes the chain id, big-endian without leading zeros, into the first bytes of out; returns how many: 0 for chain 0 and
 * for a legacy transaction that names none (has_chain_id tells). */
uint32_t tx_chain_id(const struct tx *t, uint8_t out[32]);

/* tx_is_protected: EIP-155 or typed. */
bool tx_is_protected(const struct tx *t);

/* tx_signature_check: 0 if v, r, s are in range (homestead: low s), else -EINVAL. No curve work. */
int tx_signature_check(const struct tx *t);

/* tx_sender recovers the sender (about 50 us). 0, or -EINVAL if the signature recovers nothing or
 * tx_signature_check fails. Thread-safe. */
int tx_sender(const struct tx *t, uint8_t out[20]);

/* tx_authority recovers who signed an EIP-7702 authorization (about 50 us): tuple is the RLP payload of one entry of auth_list. False: nobody. */
bool tx_authority(struct span tuple, uint8_t out[20]);

/* tx_created: address of the contract a creation by `from` makes: keccak(rlp([from, nonce]))[12:]. */
void tx_created(const uint8_t from[20], uint64_t nonce, uint8_t out[20]);

/* tx_rules: NULL if the stateless rules allow it on chain `chain` (0: any chain), signature aside; else a short reason of static
 * lifetime. Nonce < 2^64-1 (EIP-2681), chain id, tip <= fee cap, gas * price < 2^256, init code <= 49,152 bytes (3860),
 * intrinsic gas (2028, 2930, 3860, 7702), calldata floor of type 4 (7623), lists that may not be empty, at most 6 blobs (7594),
 * blob hash version, and a sidecar's counts and commitments against the hashes. No KZG proof is verified.
 * Rules that hold or not depending on chain and date are left out, because what is wrongly called invalid would be an alert
 * held back: the calldata floor of older types (since Prague), the gas cap 2^24 (Osaka's EIP-7825, dropped in Amsterdam), a pool's limits. */
const char *tx_rules(const struct tx *t, uint64_t chain);

/* tx_valid: tx_rules, and the signature is in range and recovers a sender (about 50 us). Who recovers the sender anyway calls
 * tx_rules instead. */
const char *tx_valid(const struct tx *t, uint64_t chain);

#endif
