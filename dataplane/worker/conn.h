/* SPDX-License-Identifier: BSD-3-Clause */
/* conn: parser state of one TCP connection, from a fixed pool. Only flows that carry payload have one. When the pool is used up the
 * one unused for longest is taken; its flow gets a new one, in mid-stream, should it speak again. */
#ifndef WORKER_CONN_H
#define WORKER_CONN_H

#include "abi/counters.h"
#include "net/stream.h"
#include "wire/http1.h"
#include "wire/jsonrpc.h"

#include <stdbool.h>
#include <stdint.h>

struct conn {
	struct conn *prev, *next;
	struct flow *flow; /* NULL: free */
	bool started[2];   /* first bytes of the direction were looked at */
	bool body_json[2]; /* the request body under way goes to the JSON scanner */
	uint16_t unsynced[2]; /* enum sentinel_counter: what bytes passed over in search of a message count as */
	struct http1 http;
	/* One for each direction: who forges a request in the other one must not cut off the true one's. */
	struct jsonrpc json[2];
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
/* conn_bind makes c the conn of f, with fresh parsers. midstream: the flow was picked up without its beginning. A flow that has had
 * a conn before, or was missed_bytes, is taken up in mid-stream in any case. */
void conn_bind(struct conn *c, struct flow *f, bool midstream);
/* conn_missed_bytes: bytes of f, which has no conn, have gone by unread. */
void conn_missed_bytes(struct flow *f);
struct conn *conn_of(const struct flow *f);
void conn_put(struct conn_pool *p, struct conn *c);

#endif
