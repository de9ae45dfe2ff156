/* SPDX-License-Identifier: BSD-3-Clause */
/* answer: resumable scanner of what a node sends: bodies of HTTP responses, WebSocket messages, the stream of
 * a Unix socket. It is fed in pieces of any size, keeps nothing but decoded bytes, and tells `sink` of
 *  - each response, once it is complete: its id and what it is (hash, error, bytes, ...);
 *  - each object, wherever it lies, that has the members of a transaction: eth_getTransactionBy*, blocks with
 *    full transactions, txpool_content, subscriptions of geth, Erigon, Alchemy, MEV Blocker and bloXroute;
 *  - raw transactions: rawTx members, and subscriptions that send bytes;
 *  - hashes: of subscriptions, of `transactions` of blocks, of lists that are a result;
 *  - blocks, transaction by transaction: engine_getPayload's, and any with parentHash and hash;
 *  - engine_newPayload's and engine_forkchoiceUpdated's verdict on a block.
 * Where the bytes were cut makes no difference. What JSON is, is said in wire/jsonrpc.h: the grammar is the
 * same, and so are the folding of keys, escapes, duplicate keys (the last counts), hex in any case, with 0x
 * or without.
 *
 * A node's word is evidence of what the node says and of nothing else. A transaction object is one only if
 * its hash is that of its bytes (eth/txfields.h); anybody on the mirrored network can forge an answer.
 *
 * Limits, beyond which containers are passed over: ANSWER_NEST containers, ANSWER_FRAMES objects in each
 * other, ANSWER_RECS members of these at a time, JSONRPC_RAW_MAX bytes of them. What is lost to them shows in
 * the state of its transaction, or in struct answer's passed_over, which the owner may read and clear between
 * two calls. */
#ifndef WIRE_ANSWER_H
#define WIRE_ANSWER_H

#include "wire/answer_tx.h"
#include "wire/json.h"
#include "wire/json_block.h"

#define ANSWER_NEST 32u
#define ANSWER_FRAMES 10u
#define ANSWER_RECS 128u
#define ANSWER_NOTE_MAX 128u /* bytes of an error's message that are kept */
#define ANSWER_TEXT_MAX 40u  /* longer results name no subscription */
#define ANSWER_RAW_MIN 64u   /* shorter ones are no transaction: a signature alone has about as many bytes */

enum answer_kind {
	ANSWER_RESPONSE, /* id, batch; result, and what goes with it */
	ANSWER_TX,	 /* tx */
	ANSWER_RAW,	 /* raw, place */
	ANSWER_HASH,	 /* hash, place, index */
	ANSWER_BLOCK,	 /* block: BEGIN, TX, END; END without BEGIN: a header, or a block whose list was not
			    read */
	ANSWER_VALUE,	 /* raw: big-endian, blockValue of the block that just ended */
	ANSWER_STATUS	 /* status; hash: latestValidHash, or NULL */
};

enum answer_result {
	ANSWER_NO_RESULT, /* neither result nor error */
	ANSWER_NULL,
	ANSWER_IS_HASH,	 /* hash: a string of 32 bytes */
	ANSWER_IS_BYTES, /* raw: a string of bytes that may be a transaction. It was one if the method is
			    JSONRPC_GET_RAW; if the request was not seen, it is if it decodes as one; else it
			    is not */
	ANSWER_LOST,	 /* such a string, but no buffer was to be had */
	ANSWER_OTHER,	 /* anything else; text is the id of its text if that has up to ANSWER_TEXT_MAX bytes
			    (subscriptions) */
	ANSWER_ERROR,	 /* error, code, message */
	ANSWER_CUT	 /* damaged before its end */
};

/* What nodes say of a submission that they refuse, by the words of geth (core/txpool/errors.go), Erigon,
 * reth, Nethermind and Besu. */
enum answer_error {
	ANSWER_ERR_OTHER,
	ANSWER_ERR_KNOWN,	/* already known: it has it */
	ANSWER_ERR_NONCE_LOW,	/* it, or another with its nonce, is mined */
	ANSWER_ERR_UNDERPRICED, /* also as a replacement */
	ANSWER_ERR_FUNDS
};

enum answer_place {
	ANSWER_IN_SUBSCRIPTION, /* announced */
	ANSWER_IN_BLOCK,	/* `transactions` of a block */
	ANSWER_IN_LIST,	 /* a result that is a list: eth_getFilterChanges; of blocks if the filter is */
	ANSWER_IN_MEMBER /* a rawTx member */
};

enum answer_status {
	ANSWER_STATUS_NONE,
	ANSWER_VALID,
	ANSWER_INVALID,
	ANSWER_SYNCING,
	ANSWER_ACCEPTED,
	ANSWER_INVALID_BLOCK_HASH
};

/* Spans and pointers are good until the sink returns. */
struct answer_event {
	enum answer_kind kind;
	bool batch;		     /* of a batch */
	bool notification;	     /* of a subscription, as far as is known by now */
	struct json_id id;	     /* of the response; NONE if it has not been read yet, but for RESPONSE */
	struct json_id subscription; /* NONE if not read yet */
	const struct answer_tx *tx;
	const struct json_block_event *block;
	struct span raw;
	const uint8_t *hash; /* 32 bytes */
	uint32_t index;
	uint8_t place;	     /* enum answer_place */
	uint8_t status;	     /* enum answer_status */
	uint8_t result;	     /* enum answer_result */
	uint8_t error;	     /* enum answer_error */
	int32_t code;	     /* saturates */
	struct span message; /* the first ANSWER_NOTE_MAX bytes, unescaped */
	struct json_id text;
};

/* answer_sink may not call the scanner nor touch the arena. */
typedef void (*answer_sink)(void *ctx, const struct answer_event *e);

struct answer_rec {
	uint32_t len : 22, member : 5, state : 3;
};

/* An object that is being read: where its records and bytes begin. */
struct answer_frame {
	uint32_t bytes, n_txs;
	uint8_t rec, status;
	bool in_block, latest,
		spoiled; /* BEGIN was shown; latestValidHash was there; a member had no place */
};

/* State of one message or stream. Owned by answer.c. The struct may not move while it holds a slab. */
struct answer {
	struct json_hold h;
	uint8_t ctx, pos;
	uint8_t role; /* the pos for which the current string is decoded; 0: none */
	uint8_t frame;
	uint8_t n_recs, list_state;
	uint8_t result, error, note_len;
	bool batch, notification, negative, code_over, message_open;
	int32_t code;
	uint32_t list_at, entry_at; /* bytes: where the open list of a transaction, and its entry, begin */
	uint32_t index;
	uint32_t passed_over; /* objects that lay too deep, and those that had more members than there were
				 places */
	struct json_id id, subscription, text;
	struct json_lex x; /* what stands behind needs no beginning */
	uint8_t note[ANSWER_NOTE_MAX];
	uint8_t stack[ANSWER_NEST]; /* ctx of each open container */
	struct answer_frame frames[ANSWER_FRAMES];
	struct answer_rec recs[ANSWER_RECS];
};

/* answer_init prepares for a message: what follows its value is not looked at. answer_init_stream: for values
 * that follow each other, with or without white space; DONE then means that the last one ended with the
 * piece, and feeding goes on. Both hold no resources: a message that was begun must have ended or been cut.
 */
void answer_init(struct answer *a);
void answer_init_stream(struct answer *a);

/* answer_feed scans one piece; last: the message ends with it. `messages` is increased by the number of
 * message objects completed. As jsonrpc_feed otherwise. */
enum jsonrpc_status answer_feed(struct answer *a, struct jsonrpc_arena *arena, struct span piece, bool last,
	answer_sink sink, void *ctx, uint32_t *messages);

/* answer_unbegun: nothing of the message has been fed. */
bool answer_unbegun(const struct answer *a);

/* answer_cut: the rest will not come. Reports what was begun: a response (CUT), a transaction with its hash
 * (CUT), a block (CUT); releases the slab. Further pieces are ignored (MALFORMED). */
void answer_cut(struct answer *a, struct jsonrpc_arena *arena, answer_sink sink, void *ctx);

/* answer_error_of classifies an error by its message. */
enum answer_error answer_error_of(struct span message);

#endif
