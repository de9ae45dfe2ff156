/* SPDX-License-Identifier: BSD-3-Clause */
/* json_block: a block as JSON tells of it, transaction by transaction: what a consensus client hands its node
 * (engine_newPayload), what the node hands back (engine_getPayload) and what it answers to others.
 * Sources: execution-apis src/engine (ExecutionPayload V1 to V4), go-ethereum beacon/engine/types.go. */
#ifndef WIRE_JSON_BLOCK_H
#define WIRE_JSON_BLOCK_H

#include "wire/json.h"

enum json_block_bits { /* what of struct json_block is known */
	BLOCK_HASH = 1,
	BLOCK_PARENT = 2,
	BLOCK_NUMBER = 4,
	BLOCK_TIME = 8,
	BLOCK_BASE_FEE = 16,
	BLOCK_HEAD = 32,
	BLOCK_SAFE = 64,
	BLOCK_FINAL = 128,
	BLOCK_PAYLOAD = 256 /* it names its hash as the engine API does */
};

struct json_block {
	uint32_t has;	/* enum json_block_bits */
	uint32_t n_txs; /* elements of `transactions`, whatever they are */
	uint8_t hash[32], parent[32];
	uint64_t number, time_s;
	uint8_t base_fee[32];		       /* big-endian */
	struct span versioned_hashes;	       /* engine_newPayload's second parameter: 32 bytes each */
	uint32_t versioned_hashes_left_out;    /* those beyond the cap, and those that are none */
	uint8_t head[32], safe[32], final[32]; /* engine_forkchoiceUpdated's */
};

enum json_block_kind {
	JSON_BLOCK_BEGIN, /* its transactions follow, if it has any */
	JSON_BLOCK_TX,	  /* one of them */
	JSON_BLOCK_END,	  /* `block` says which it was */
	JSON_BLOCK_HEADS  /* `block` holds head, safe and final; no BEGIN */
};

enum json_block_end {
	JSON_BLOCK_WHOLE,
	JSON_BLOCK_CUT, /* the message was damaged, or ended inside it */
	JSON_BLOCK_VOID /* it was no block after all: of another method, or overridden by a later value */
};

struct json_block_event {
	enum json_block_kind kind;
	/* TX: its bytes, until the callback returns; state as enum jsonrpc_item_state: OK, BAD_HEX, OVERSIZE,
	 * NO_BUFFER. index: its place in the block. */
	struct span raw;
	uint8_t state;
	uint32_t index;
	enum json_block_end end;	/* END */
	const struct json_block *block; /* END, HEADS */
};

#endif
