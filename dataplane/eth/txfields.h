/* SPDX-License-Identifier: BSD-3-Clause */
/* txfields: a transaction object's members (wire/answer_tx.h) into consensus bytes, checked against its hash.
 * Source of the forms: go-ethereum internal/ethapi RPCTransaction, core/types/transaction_marshalling.go. */
#ifndef ETH_TXFIELDS_H
#define ETH_TXFIELDS_H

#include "eth/tx.h"
#include "wire/answer_tx.h"

/* X-macro: _(ID, "what an operator reads") */
#define TXFIELDS_STATES(_)                                                       \
	_(OK, "its bytes have its hash")                                         \
	_(UNVERIFIED, "it names no hash, so that nothing vouches for its bytes") \
	_(MISMATCH, "its bytes have another hash than it says")                  \
	_(UNSIGNED, "no signature: a template, or one that is hidden")           \
	_(FIELD, "a member is missing, or not what it should be")                \
	_(TYPE, "a type of transaction that is not known here")                  \
	_(OVERSIZE, "larger than any node accepts")                              \
	_(LOST, "the scanner could not keep its members")
enum txfields_state {
#define _(id, text) TXFIELDS_##id,
	TXFIELDS_STATES(_)
#undef _
		TXFIELDS_STATE_COUNT
};
const char *txfields_name(enum txfields_state s);

/* Room that txfields_build wants: the bytes, and behind them the lists while they are put together. */
#define TXFIELDS_ROOM (2u * TX_BYTES_MAX)

/* txfields_build writes the transaction's bytes to the beginning of out, which has TXFIELDS_ROOM bytes, and
 * how many they are to *len (0 unless OK or UNVERIFIED). Costs a keccak256 of them, two for one whose v is
 * given as a parity. Only OK may ever be believed. The bytes of a state OK decode (tx_decode) unless whoever
 * made the object took care that they do not. Missing: type follows from the members that are there;
 * recipient: creation. */
enum txfields_state txfields_build(const struct answer_tx *t, uint8_t *out, uint32_t *len);

#endif
