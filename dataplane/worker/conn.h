/* SPDX-License-Identifier: BSD-3-Clause */
/* conn: parser state of one TCP connection, from a fixed pool. Only flows that carry payload have one. When the pool is used up the
 * one unused for longest is taken; its flow gets a new one, in mid-stream, should it speak again.
 *
 * Each direction is read as some protocol (enum conn_proto), and the message under way as some body (enum conn_body). Both are learned
 * from the bytes, a direction at a time: whoever forges bytes of one must not decide how the other is read. */
#ifndef WORKER_CONN_H
#define WORKER_CONN_H

#include "abi/counters.h"
#include "net/stream.h"
#include "wire/answer.h"
#include "wire/arbfeed.h"
#include "wire/grpc.h"
#include "wire/http1.h"
#include "wire/inflate.h"
#include "wire/join.h"
#include "wire/jsonrpc.h"
#include "wire/rlpx.h"
#include "wire/websocket.h"
#include "wire/wide.h"

#include <stdbool.h>
#include <stdint.h>

enum conn_proto {
	CONN_HTTP, /* until something else is known */
	CONN_WS,
	CONN_JSON, /* values one behind the other, as on a node's Unix socket */
	CONN_RLPX, /* both directions or none */
	CONN_GRPC  /* as well */
};

enum conn_body {
	BODY_NONE,
	BODY_REQUEST, /* JSON of a client */
	BODY_ANSWER,  /* JSON of a node */
	BODY_ARBITRUM /* JSON of a sequencer */
};

/* How the body comes. MAYBE: its first byte tells whether it is compressed at all. */
enum conn_coding { CODING_NONE, CODING_MAYBE, CODING_INFLATE };

struct conn_side {
	uint8_t proto;	   /* enum conn_proto */
	uint8_t body;	   /* enum conn_body: what the message under way is read as */
	uint8_t coding;	   /* enum conn_coding */
	bool started;	   /* its first bytes were looked at */
	bool doubt;	   /* somebody has put bytes of his own into it: lengths announced in it prove nothing */
	uint8_t preface;   /* the first bytes so far may be so many of HTTP/2's preface, too few to tell */
	uint16_t unsynced; /* enum sentinel_counter: what bytes passed over in search of a message count as */
	uint32_t message;  /* HTTP: number of the request that it is, or answers; 0: none, or not known */
	uint8_t status;	   /* of a block, in the answer under way: enum answer_status */
	bool has_block_hash;
	struct wide wide; /* of a request */
	uint64_t block; /* the block that is being read (facts.h); 0: none */
	uint8_t block_hash[32]; /* of the block that was read last */
	struct inflate inflate;
	union {
		struct jsonrpc request;
		struct answer answer;
		struct arbfeed arbitrum;
	};
};

/* A node's hash for a submission that is held behind a hole in the client's direction: its request comes later, if ever. */
#define CONN_EARLY_MAX 32u
struct conn_early {
	struct json_id id;
	uint16_t counter; /* enum sentinel_counter: why it is missed, if it never comes */
	uint32_t trust;
	uint8_t hash[32];
};

struct conn {
	struct conn *prev, *next;
	struct flow *flow; /* NULL: free */
	uint8_t feeds;	   /* bit per enum feed: which it may carry, by the profile */
	uint32_t feeds_turn; /* of the worker, when that was looked up */
	bool has_ws;	   /* ws is initialised */
	bool ws_opaque;	   /* its compressed messages cannot be read */
	bool engine;	   /* requests of the engine API were read */
	bool sequencer;	   /* what the node sends are broadcasts of one */
	uint8_t changed_over; /* 1 + the direction in which HTTP/2 began behind requests of HTTP/1; 0: it did not */
	struct conn_side side[2];
	struct join join;
	uint8_t n_early;
	struct conn_early early[CONN_EARLY_MAX]; /* oldest first */
	union {
		struct {
			struct http1 http;
			struct websocket ws;
		};
		struct rlpx rlpx;
		struct grpc grpc;
	};
};

struct conn_pool {
	struct conn *conns;
	struct conn used, free; /* list heads; used: oldest first */
	uint32_t n;
};

void conn_pool_init(struct conn_pool *p, struct conn *mem, uint32_t n);
/* conn_get returns the flow's conn, or one for it to be bound to (conn_bind), and marks it as used last. If *evicted it still belongs to
 * another flow: the caller closes that one's state first. Never NULL for n >= 1. */
struct conn *conn_get(struct conn_pool *p, struct flow *f, bool *evicted);
/* conn_bind makes c the conn of f, which may carry `feeds`, with fresh parsers. midstream: the flow was picked up without its beginning. A flow that has had
 * a conn before, or was missed_bytes, is taken up in mid-stream in any case. */
void conn_bind(struct conn *c, struct flow *f, uint8_t feeds, bool midstream);
/* conn_fresh makes every parser of a bound conn begin anew, as HTTP, in mid-stream. What they held must have been given back. */
void conn_fresh(struct conn *c, bool midstream);
/* conn_missed_bytes: bytes of f, which has no conn, have gone by unread. */
void conn_missed_bytes(struct flow *f);
struct conn *conn_of(const struct flow *f);
void conn_put(struct conn_pool *p, struct conn *c);

#endif
