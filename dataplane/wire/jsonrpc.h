/* SPDX-License-Identifier: BSD-3-Clause */
/* jsonrpc: resumable JSON-RPC scanner with the semantics of Go's encoding/json as geth uses it: single
 * requests and batches, keys matched case-insensitively after unescaping (including Go's Unicode folding of
 * s/k: U+017F and U+212A), duplicate keys (the last wins), any whitespace, params by position, hex in either
 * case with or without 0x/0X where the node's parser allows it. It is fed body spans, keeps nothing of them
 * but decoded transaction bytes, and calls `sink` once per transaction when the request object that carries
 * it is complete (only then are its last-wins method and params known).
 *
 * Methods are a table in jsonrpc_methods.c (name, where in params its transactions are, what kind).
 *
 * Decoded bytes are written to the arena of the caller: while one feed call runs that is `scratch`, shared
 * by all flows of a worker; if the message is not complete when the call returns, they are moved to a slab
 * that the arena's owner hands out, and later spans are decoded straight into it. */
#ifndef WIRE_JSONRPC_H
#define WIRE_JSONRPC_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONRPC_DEPTH_MAX 64u	/* containers; deeper bodies are refused (counted) */
#define JSONRPC_ITEMS_MAX 128u	/* transactions of one request object; Flashbots' limit is 100 */
#define JSONRPC_RAW_MAX (2621440u) /* decoded bytes of one request object: half of geth's 5 MiB body */

enum jsonrpc_kind {
	JSONRPC_RAW = 1,      /* eth_sendRawTransaction and its kin */
	JSONRPC_PRIVATE = 2,  /* eth_sendPrivateTransaction ... */
	JSONRPC_BUNDLE = 3,   /* eth_sendBundle, mev_sendBundle: order kept */
	JSONRPC_UNSIGNED = 4  /* eth_sendTransaction: an object the node will sign */
};

/* What became of one transaction-bearing element. */
enum jsonrpc_item_state {
	JSONRPC_OK = 0,		/* raw holds its bytes */
	JSONRPC_BAD_HEX,	/* not hex, or odd */
	JSONRPC_OVERSIZE,	/* more than JSONRPC_RAW_MAX */
	JSONRPC_HASH_ONLY,	/* a bundle element that is a 32-byte hash */
	JSONRPC_UNSIGNED_OBJECT, /* no raw bytes */
	JSONRPC_NO_BUFFER,	/* the arena could not hold it */
	JSONRPC_CUT		/* the message was damaged or ended inside it (only known when the method came first) */
};

struct jsonrpc_item {
	struct span raw; /* decoded; valid until the arena is reset (scratch) or released (slab) */
	enum jsonrpc_kind kind;
	enum jsonrpc_item_state state;
	uint32_t bundle_len, bundle_pos; /* 0, 0 if not in a bundle */
	bool in_scratch; /* false: the slab is released when the sink returns; use raw at once */
};

typedef void (*jsonrpc_sink)(void *ctx, const struct jsonrpc_item *item);

/* Where decoded bytes live. One per worker; shared by all its scanners. */
struct jsonrpc_arena {
	uint8_t *scratch;
	uint32_t scratch_used, scratch_cap; /* the owner resets used = 0 when no item is in use any more */
	void *ctx;
	/* slab_get returns at least `bytes` and stores the capacity, or NULL (counted by the caller as NO_BUFFER). The owner may
	 * take a slab back at any time between two calls into the scanner by storing NULL through `holder`. */
	uint8_t *(*slab_get)(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder);
	void (*slab_put)(void *ctx, uint8_t *slab);
};

enum jsonrpc_status { JSONRPC_MORE, JSONRPC_DONE, JSONRPC_MALFORMED, JSONRPC_TOO_DEEP };

struct jsonrpc {
	/* ... owned by jsonrpc.c; define fully here, keep it small (<= ~1.5 KiB) ... */
	uint8_t *slab; /* NULL: nothing carried over */
};

/* jsonrpc_init prepares for a new body. Holds no resources. */
void jsonrpc_init(struct jsonrpc *j);

/* jsonrpc_feed scans one piece of a body; last: the body ends with it. Calls sink for every transaction of every
 * request object that ends within it. After DONE, MALFORMED or TOO_DEEP further pieces are ignored. `messages` is
 * increased by the number of request objects completed. */
enum jsonrpc_status jsonrpc_feed(struct jsonrpc *j, struct jsonrpc_arena *a, struct span piece, bool last, jsonrpc_sink sink,
	void *ctx, uint32_t *messages);

/* jsonrpc_cut: the rest of this body will not come (gap, end of flow). Reports what was begun as JSONRPC_CUT
 * if its method was known, releases the slab. */
void jsonrpc_cut(struct jsonrpc *j, struct jsonrpc_arena *a, jsonrpc_sink sink, void *ctx);

#endif
