/* SPDX-License-Identifier: BSD-3-Clause */
/* grpc: passive reader of gRPC over h2c, both directions of a connection: HTTP/2 frames (h2.h), the
 * length-prefixed messages across the DATA frames of each stream, and of each message, which is protobuf, the
 * values of field 1 where they are byte strings or messages: `elements`. Every feed of transactions that we
 * know carries them there: `repeated bytes txs = 1`, or `repeated Tx txs = 1`; what an element means is the
 * caller's to know (eth/txpool_proto.h). Sources: grpc/grpc doc/PROTOCOL-HTTP2.md; protobuf's encoding.
 *
 * Messages are walked as they come. Nothing of them is kept but the element under way, and that only if it
 * does not lie whole in one span: so a message of any length costs an element's memory at most. An element is
 * reported as soon as it has ended, whether or not the rest of its message is well-formed. The walk takes
 * what Go's protobuf takes: integers longer than needed, fields of unknown numbers and types, groups (10000
 * deep at most).
 *
 * Compressed messages (gzip or deflate, told by their first bytes: the header that names the encoding need
 * not have been seen) are put together and then inflated into the arena's `out`. Others are counted.
 *
 * Which methods matter the arena's table tells; their paths are read from the request's headers. Of other
 * methods nothing is read. Where the path is not known (joined in mid-stream, headers lost in a gap, only the
 * server's direction captured) both sides' elements are reported as guesses.
 *
 * What a client sends and no gRPC message begins as is the body of a request of another kind: JSON-RPC, which
 * nodes that speak HTTP/2 take on any path. Its bytes are the owner's to read.
 *
 * A stream that was joined within a message, or lost bytes at a place that is not known, is taken up again at
 * a DATA frame that begins as a message does; until a message has ended as it should, the next such frame
 * begins another. A gap within an element costs that element, any other gap within a message the rest of the
 * message. */
#ifndef WIRE_GRPC_H
#define WIRE_GRPC_H

#include "abi/span.h"
#include "wire/framer.h"
#include "wire/h2.h"
#include "wire/inflate.h"

#include <stdbool.h>
#include <stdint.h>

#define GRPC_MESSAGE_MAX (16u << 20) /* on the wire and inflated */
#define GRPC_ELEMENT_MAX (2621440u)  /* as JSONRPC_RAW_MAX */
#define GRPC_GROUP_DEPTH_MAX 10000u

/* A method, and whose messages have transactions in field 1. The path is hpack_paths' of the same index. */
struct grpc_method {
	bool client, server;
};

enum grpc_state {
	GRPC_OK,	/* bytes holds it */
	GRPC_OVERSIZE,	/* longer than GRPC_ELEMENT_MAX */
	GRPC_NO_BUFFER, /* there was no slab, or it was taken back */
	GRPC_CUT	/* it was damaged, or its message ended inside it */
};

/* One value of field 1. Only a known method's are reported if they are not OK. */
struct grpc_element {
	struct span bytes; /* until the sink returns, or, if in_place, as long as the span that was fed */
	uint32_t stream;
	int method; /* index in the table; -1: not known, it is a guess */
	int client; /* it was the client's: 1, 0; -1: not known */
	enum grpc_state state;
	uint32_t index; /* in its message, from 0 */
	bool in_place;
	bool resync; /* the first message after joining the stream */
};

/* A piece of a body that is no gRPC. */
struct grpc_body {
	struct span bytes; /* may be empty, if last or cut */
	uint32_t *reader;  /* the owner's own until the body is over; 0 with the first piece */
	bool first;
	bool last; /* the body ends with it */
	bool cut;  /* the rest will not come */
};

/* What happened, by worker. X-macro: _(id, "help") */
#define GRPC_COUNTS(_)                                                                         \
	_(MESSAGES, "gRPC messages read to their end")                                         \
	_(COMPRESSED, "gRPC messages that were inflated")                                      \
	_(ELEMENTS, "values of field 1 read in gRPC messages")                                 \
	_(RESYNCS, "gRPC streams taken up at a message inside")                                \
	_(LOST, "gRPC messages damaged by a gap or by the end of their stream")                \
	_(BAD_MESSAGE, "gRPC messages that are not protobuf, or whose compression is damaged") \
	_(OPAQUE, "gRPC messages in a compression that is not read")                           \
	_(OVERSIZE, "gRPC messages or elements larger than the caps")                          \
	_(NO_BUFFER, "gRPC elements and messages for which no buffer could be had")
enum grpc_count {
#define _(id, help) GRPC_N_##id,
	GRPC_COUNTS(_)
#undef _
		GRPC_N_COUNT
};

/* What a worker lends to its readers. One per worker. */
struct grpc_arena {
	struct h2_arena h2;				       /* h2.paths: of the methods */
	const struct grpc_method *methods;		       /* h2.paths.n of them */
	void (*sink)(void *ctx, const struct grpc_element *e); /* may not call the reader */
	/* body returns whether it wants more of this one; NULL: nobody reads them. May not call the reader. */
	bool (*body)(void *ctx, const struct grpc_body *b);
	/* out: where compressed messages are inflated to, no more than out_cap bytes of each; 0: they are
	 * counted as OPAQUE */
	uint8_t *out;
	uint32_t out_cap;
	struct inflate_pool *inflate;
	void *ctx; /* of the sink and of the slabs */
	/* as jsonrpc_arena's; bytes <= GRPC_ELEMENT_MAX */
	uint8_t *(*slab_get)(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder);
	void (*slab_put)(void *ctx, uint8_t *slab);
	uint64_t counts[GRPC_N_COUNT];
};

/* Private to grpc: one direction of a stream. */
struct grpc_half {
	uint8_t *slab;	/* of the element, or the compressed message, under way */
	uint32_t have;	/* bytes in it */
	uint32_t left;	/* bytes of the message */
	uint32_t field; /* bytes of the field's value */
	uint32_t value; /* integer under way; grpc_body's reader */
	uint16_t depth; /* of groups */
	uint16_t index;
	uint8_t state, shift;
	uint8_t cap; /* of the slab, see grpc.c */
	bool compressed : 1, element : 1, dropped : 1, damaged : 1, trusted : 1, resync : 1;
};

/* A connection. May not move until grpc_release. */
struct grpc {
	struct grpc_half half[H2_STREAMS][2];
	struct h2 h2;
};

/* grpc_init prepares a connection. midstream: its beginning was not seen. */
void grpc_init(struct grpc *g, bool midstream);

/* grpc_feed, grpc_gap, grpc_end: as h2_feed, h2_gap and h2_end, whose verdicts they hand on (bodies have been
 * read then); the arena's sink is called from within. */
uint32_t grpc_feed(
	struct grpc *g, unsigned dir, struct grpc_arena *a, struct span in, struct framer_out *out);
void grpc_gap(struct grpc *g, unsigned dir, struct grpc_arena *a, uint64_t n, struct framer_out *out);
void grpc_end(struct grpc *g, unsigned dir, struct grpc_arena *a, struct framer_out *out);

/* grpc_held: as h2_held. What slabs hold has been reported as parsed. */
uint32_t grpc_held(const struct grpc *g, unsigned dir);

/* grpc_release gives all slabs back; messages under way are cut. Needed before the memory of *g is used
 * otherwise. */
void grpc_release(struct grpc *g, struct grpc_arena *a);

#endif
