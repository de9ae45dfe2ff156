/* SPDX-License-Identifier: BSD-3-Clause */
/* jsonrpc: resumable JSON-RPC scanner. It is fed the body of an HTTP request in pieces of any size, keeps
 * nothing of it but decoded transaction bytes, and calls `sink` once per transaction when the request object
 * that carries it is complete (only then are its last-wins method and params known). Where the bytes were cut
 * makes no difference.
 *
 * What it accepts is what Go's encoding/json accepts as geth uses it (go-ethereum rpc/json.go, golang
 * encoding/json decode.go, fold.go, scanner.go), widened where another node accepts more:
 *  - one value per body, a request or a batch of them; what follows the value is not looked at
 * (json.Decoder), unless the body is a stream;
 *  - keys match after unescaping, without regard to case, U+017F and U+212A being letters s and k;
 *  - duplicate keys: the last one wins. Only a string sets `method`: null and other types leave it as it was.
 * Any value replaces `params`, `txs`, `body` and `bundle`; every value but null replaces `tx`;
 *  - jsonrpsee and others pass over a key in another case, which to Go is the same one. So a key in another
 * case overrides only what stands under (or within) such keys, and one that is spelled as it is only what
 * stands under the like: what either reader takes is reported, from each the last. Where both spellings of
 * `method` name one that carries transactions, each has its items;
 *  - the method's name matches exactly, after unescaping. `jsonrpc` and `id` are not judged: nodes differ;
 *  - params by position, or by name as jsonrpsee (reth) takes them: `bytes`, `tx`, `bundle`, `request`. Each
 * method has one of these names and passes over the others: they do not override each other, and all are
 * reported;
 *  - hex in either case, with or without 0x or 0X, escaped or not; of params[0] also an odd number of digits,
 * before which Nethermind puts a zero;
 *  - in the place of hex an array of numbers from 0 to 255, as alloy (reth) takes it. In the place of
 * params[0] the first element tells it from a list of transactions;
 *  - a body is refused (MALFORMED) at the byte at which Go's scanner would refuse it. Requests of a batch
 * that ended before it have been reported by then; the request in which it happens reports nothing.
 *
 * Methods are a table in jsonrpc_methods.c (name, kind, where in params its transactions are).
 *
 * Decoded bytes are written to the arena of the caller: while one feed call runs that is `scratch`, shared by
 * all flows of a worker; if the request object is not complete when the call returns, they are moved to a
 * slab that the arena's owner hands out, and later pieces are decoded straight into it. */
#ifndef WIRE_JSONRPC_H
#define WIRE_JSONRPC_H

#include "wire/json.h"
#include "wire/json_block.h"

#define JSONRPC_ITEMS_MAX 128u /* transactions of one request object; Flashbots' limit is 100 */
#define JSONRPC_SPARE 64u      /* candidates that are in no list, and overridden ones */
#define JSONRPC_PATHS 8u       /* on which candidates do not override each other */
#define JSONRPC_LIST_ROLES 4u
/* until the method is known: txs, body, what params[0] is; and the rest */
#define JSONRPC_LISTED (2 * JSONRPC_ITEMS_MAX + JSONRPC_PATHS)
#define JSONRPC_RECS (JSONRPC_LISTED + JSONRPC_SPARE)
#define JSONRPC_NEST_MAX 8u /* mev_sendBundle bundles within bundles; mev-share's own limit is 1 */

/* What a request is for. The first four carry transactions, and items are of these kinds alone. */
enum jsonrpc_kind {
	JSONRPC_OTHER = 0,    /* none of the methods in the table */
	JSONRPC_RAW = 1,      /* eth_sendRawTransaction and its kin */
	JSONRPC_PRIVATE = 2,  /* eth_sendPrivateTransaction ... */
	JSONRPC_BUNDLE = 3,   /* eth_sendBundle, mev_sendBundle: order kept */
	JSONRPC_UNSIGNED = 4, /* eth_sendTransaction: an object the node will sign */
	JSONRPC_GET_RAW,      /* the answer is a transaction's bytes */
	JSONRPC_GET_TX,	      /* the answer has transaction objects: by hash, of the pool, of a block */
	JSONRPC_SIGN,	      /* the answer has a transaction that was not sent to anybody */
	JSONRPC_POLL,	      /* eth_getFilterChanges: hashes, of transactions or of blocks */
	JSONRPC_SUBSCRIBE,
	JSONRPC_NEW_PAYLOAD, /* engine API, from here on */
	JSONRPC_FORKCHOICE,
	JSONRPC_GET_PAYLOAD
};

/* What eth_subscribe asks for, if the method stood before its parameters. */
enum jsonrpc_subscription {
	JSONRPC_SUB_NONE,   /* no subscription */
	JSONRPC_SUB_OTHER,  /* syncing, names that we do not know, or not read */
	JSONRPC_SUB_HASHES, /* newPendingTransactions */
	JSONRPC_SUB_TXS,   /* with bodies: its second parameter is true; Alchemy's, MEV Blocker's, bloXroute's
			      newTxs */
	JSONRPC_SUB_HEADS, /* newHeads */
	JSONRPC_SUB_LOGS
};

/* A request object that is complete, or of which no more will come (cut). */
struct jsonrpc_request {
	struct json_id id;
	uint8_t kind;	      /* enum jsonrpc_kind */
	uint8_t subscription; /* enum jsonrpc_subscription */
	bool batch;	      /* an element of a batch */
	bool cut;
	uint16_t n_items;   /* items that follow */
	const char *method; /* its name in the table, static; NULL if it is none of these */
};

/* What an arena's owner may ask for beside the items. ctx: that of jsonrpc_feed. `request` is called for
 * every request object, whatever its method, before its items; `block` for blocks of the engine API,
 * transaction by transaction, as soon as they are read. A transaction is shown before all of the request is
 * known: END tells whether the block counts. That is so for requests whose method stands before their params,
 * and for those whose method is not known yet; if another method came first there are no block events. Either
 * may be NULL. */
struct jsonrpc_watch {
	void (*request)(void *ctx, const struct jsonrpc_request *r);
	void (*block)(void *ctx, const struct json_block_event *e);
};

/* What became of one transaction-bearing element. */
enum jsonrpc_item_state {
	JSONRPC_OK = 0,		 /* raw holds its bytes (none, for "" and "0x") */
	JSONRPC_BAD_HEX,	 /* not hex, or odd where it may not be, or neither a string nor bytes */
	JSONRPC_OVERSIZE,	 /* beyond JSONRPC_RAW_MAX, JSONRPC_ITEMS_MAX or JSONRPC_NEST_MAX */
	JSONRPC_HASH_ONLY,	 /* a bundle element that is a hash: raw, if it has 32 bytes */
	JSONRPC_UNSIGNED_OBJECT, /* no raw bytes */
	JSONRPC_NO_BUFFER,	 /* the arena could not hold it, or its slab was taken back */
	JSONRPC_CUT /* the message was damaged or ended inside it (only known when the method came first) */
};

struct jsonrpc_item {
	struct span raw; /* decoded; valid until the arena is reset (scratch) or the sink returns (slab) */
	enum jsonrpc_kind kind;
	enum jsonrpc_item_state state;
	uint32_t bundle_len,
		bundle_pos; /* 0, 0 if not in a bundle; pos counts from 0. Nested bundles count on. */
	bool in_scratch;    /* false: the slab is released when the sink returns; use raw at once */
	uint16_t index;	    /* among the items of its request, from 0 */
	struct json_id id;  /* of its request */
};

/* jsonrpc_sink is called in the order of the body. It may set the arena's scratch_used to 0 (items of the
 * same request still to come stay intact until the last one's call returns); it may not call the scanner. */
typedef void (*jsonrpc_sink)(void *ctx, const struct jsonrpc_item *item);

/* One candidate element of params: 22 bits hold JSONRPC_RAW_MAX. Their bytes lie end to end in the buffer. */
struct jsonrpc_rec {
	uint32_t len : 22, state : 3, role : 4, level : 3;
};

/* State of one body. Owned by jsonrpc.c; the names are explained in jsonrpc_private.h. The struct may not
 * move while it holds a slab. */
struct jsonrpc {
	struct json_hold h; /* decoded bytes of the current request */
	uint16_t skip; /* depth of the outermost open container that holds nothing of interest; 0: none */
	uint8_t ctx, pos;
	bool batch;   /* top-level array */
	uint8_t list; /* ctx of the open list in params[0] */
	uint8_t method, kind;
	uint8_t other_method; /* the last under a key of the other spelling than that of `method` */
	uint8_t subscription;
	bool method_folded; /* the spelling of the key of `method` */
	bool method_read;   /* one that we know or not */
	uint16_t folded_at; /* depth of the outermost key that is spelled in another case; 0: none */
	bool begun;	    /* a parameter was */
	uint8_t param;	    /* 0: the first, 1: one behind it */
	uint8_t where;	    /* the present path */
	bool in_block;	  /* BEGIN was shown */
	bool in_excess;
	uint32_t n_txs; /* of the block */
	struct json_id id;
	uint8_t level; /* of nested bundles */
	uint8_t role;  /* of the current candidate string */
	uint8_t bytes_role;	    /* of the current candidate in numbers */
	uint16_t byte;		    /* one of them; 256: it is none */
	uint16_t n_recs, list_mark; /* n_recs where the present list began */
	uint8_t listed[2];	    /* records that count, of txs and of body */
	uint8_t earlier[2];	    /* those of them that stand before list_mark */
	struct json_lex x; /* what stands behind needs no beginning */
	uint16_t obj_mark[JSONRPC_NEST_MAX],
		elem_mark[JSONRPC_NEST_MAX]; /* n_recs where the container began */
	/* items beyond JSONRPC_ITEMS_MAX, by path and role; good if in_excess */
	uint16_t excess[JSONRPC_PATHS][JSONRPC_LIST_ROLES];
	struct jsonrpc_rec recs[JSONRPC_RECS];
	uint8_t path[JSONRPC_RECS]; /* of each record */
};

/* jsonrpc_init prepares for a new body. Holds no resources: a body that was begun must have ended or been
 * cut. */
void jsonrpc_init(struct jsonrpc *j);
/* jsonrpc_init_stream: as jsonrpc_init, but requests follow each other with or without white space between,
 * as on a node's Unix socket or in a WebSocket message; DONE then means that the last one ended with the piece, and feeding goes on. */
void jsonrpc_init_stream(struct jsonrpc *j);

/* jsonrpc_feed scans one piece of a body; last: the body ends with it. Calls sink for every transaction of
 * every request object that ends within it. After DONE, MALFORMED or TOO_DEEP no slab is held and further
 * pieces are ignored (the status is returned again). Never MORE if last: a value that is not complete then is
 * MALFORMED, a body without one DONE. `messages` is increased by the number of request objects completed (of
 * a batch, each). */
enum jsonrpc_status jsonrpc_feed(struct jsonrpc *j, struct jsonrpc_arena *a, struct span piece, bool last,
	jsonrpc_sink sink, void *ctx, uint32_t *messages);

/* jsonrpc_cut: the rest of this body will not come (gap, end of flow). Reports what was begun as JSONRPC_CUT
 * if its method was known, and the request as cut, releases the slab. Further pieces are ignored (MALFORMED).
 */
void jsonrpc_cut(struct jsonrpc *j, struct jsonrpc_arena *a, jsonrpc_sink sink, void *ctx);

#endif
