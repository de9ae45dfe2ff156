/* SPDX-License-Identifier: BSD-3-Clause */
/* answer_tx: a transaction object as a node sends it, member by member. wire/answer.h finds it;
 * eth/txfields.h makes a transaction of it. Source of the names: go-ethereum internal/ethapi RPCTransaction.
 */
#ifndef WIRE_ANSWER_TX_H
#define WIRE_ANSWER_TX_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Members that are told apart. Quantities and bytes are decoded as they stand: of any length, with leading
 * zeros or without; an odd number of digits is a quantity of up to 32 bytes. */
enum answer_member {
	TXM_HASH,
	TXM_NONCE,
	TXM_GAS, /* or gasLimit */
	TXM_INPUT,
	TXM_DATA,
	TXM_VALUE,
	TXM_TO, /* absent also if null */
	TXM_FROM,
	TXM_GAS_PRICE,
	TXM_FEE_CAP,
	TXM_TIP_CAP,
	TXM_BLOB_FEE_CAP,
	TXM_TYPE,
	TXM_CHAIN_ID,
	TXM_V,
	TXM_Y_PARITY,
	TXM_R,
	TXM_S,
	TXM_BLOCK_HASH, /* of the block it is in; absent also if null */
	TXM_BLOCK_NUMBER,
	TXM_ACCESS, /* accessList: for each entry 20 bytes of address, a uint32_t that counts the keys, the
		       keys */
	TXM_AUTH,   /* authorizationList: for each tuple six slots of ANSWER_SLOT bytes: its length, its bytes
		     */
	TXM_BLOBS,  /* blobVersionedHashes, 32 bytes each */
	/* of blocks and answers, not of transactions */
	TXM_PARENT,
	TXM_NUMBER,
	TXM_TIME,
	TXM_BASE_FEE,
	TXM_BLOCK_VALUE,
	TXM_LATEST,
	TXM_RESULT,
	TXM_COUNT
};
#define TXM_BIT(member) (1u << (member))

#define ANSWER_ENTRY 24u /* bytes of an access list entry before its keys */
#define ANSWER_SLOT 33u
enum answer_slot { SLOT_CHAIN_ID, SLOT_ADDRESS, SLOT_NONCE, SLOT_Y_PARITY, SLOT_R, SLOT_S, ANSWER_SLOTS };
#define ANSWER_AUTH (ANSWER_SLOTS * ANSWER_SLOT)

struct answer_tx {
	uint32_t has;  /* TXM_BIT of each m that is set */
	uint8_t state; /* enum jsonrpc_item_state: OK; or why a member is missing: BAD_HEX, OVERSIZE,
			  NO_BUFFER; CUT: the message was damaged inside it */
	struct span m[TXM_COUNT];
};

/* answer_tx_mined: it is in a block; else the node holds it as pending. */
static inline bool
answer_tx_mined(const struct answer_tx *t)
{
	return (t->has & (TXM_BIT(TXM_BLOCK_HASH) | TXM_BIT(TXM_BLOCK_NUMBER))) != 0;
}

static inline struct span
answer_tx_member(const struct answer_tx *t, enum answer_member m)
{
	return t->has & TXM_BIT(m) ? t->m[m] : (struct span){0};
}

#endif
