/* SPDX-License-Identifier: BSD-3-Clause */
/* inflate: resumable decompression of what nodes and their clients send: permessage-deflate messages (RFC
 * 7692), and HTTP bodies with Content-Encoding gzip (RFC 1952) or deflate (RFC 1950, or RFC 1951 bare, as
 * some send it). zlib does the work, in contexts of fixed size from a pool that is filled at start-up:
 * nothing is allocated later. When the pool is used up the context unused for longest is taken from its
 * holder, who loses the message it is in, and its history.
 *
 * History (context takeover) is never guessed. If it has a hole - joined in mid-stream, a message lost,
 * damaged or cut, the context taken away - messages are read as if nothing had gone before: one that needs
 * nothing from before comes out exact, one that reaches back further than what is known ends as
 * INFLATE_OPAQUE at exactly that place (the distances in deflate data tell), and the next is tried afresh. A
 * direction of which it is not known whether it takes over is read as one that does: that is right either
 * way.
 *
 * As receivers do it: what follows the final block of a message is ignored (gorilla; ws), as is what follows
 * the last gzip member or the zlib stream and is no member. Members follow one another without end (Go). A
 * message that does not end at the end of a block is no error (ws, gorilla). Check sums are checked, at their
 * end. */
#ifndef WIRE_INFLATE_H
#define WIRE_INFLATE_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Caps on what comes out of one message or body: the largest that a node takes or sends. */
#define INFLATE_MAX_MESSAGE (32u << 20)
#define INFLATE_MAX_REQUEST (5u << 20)
#define INFLATE_MAX_ANSWER (64u << 20)
/* Of a message beyond its cap nothing more comes out, but where history goes on it is decompressed up to this
 * size, or what comes behind it could not be read. */
#define INFLATE_MAX_HISTORY (64u << 20)
/* Of bodies: beyond the first bytes more than this many out for one in is a bomb; a transaction full of zeros,
 * blobs and all, stays below it. Messages have no such cap: padding of one that a node takes would hide what
 * stands behind it, and many small bombs cost as much as a large one. */
#define INFLATE_RATIO_FREE (4u << 20)
#define INFLATE_RATIO_MAX 200u

enum inflate_kind {
	INFLATE_MESSAGES, /* permessage-deflate: one direction of a connection */
	INFLATE_GZIP,
	INFLATE_DEFLATE
};

/* From INFLATE_BAD on the message is over: the rest of it is ignored, and the status returned again. */
enum inflate_status {
	INFLATE_MORE, /* all input was taken */
	INFLATE_ROOM, /* the room is full, or nothing more comes out: call again with what is left of the
			 input, even if that is nothing */
	INFLATE_END,  /* the message came out whole */
	INFLATE_BAD,  /* not what it should be; or ended too early */
	INFLATE_OPAQUE, /* needs history that was not seen */
	INFLATE_LIMIT,	/* longer than allowed, or a bomb. Feed the rest all the same: history goes on */
	INFLATE_STOLEN	/* its context was needed elsewhere */
};

struct inflate_ctx;

/* One direction of a connection. May not move while it holds a context. */
struct inflate {
	struct inflate_ctx *ctx; /* NULL: none held, or taken away */
	uint8_t kind;		 /* enum inflate_kind */
	uint8_t status;		 /* of the message under way */
	bool begun;		 /* a message has */
	bool takeover;		 /* history goes on from message to message */
	bool hole;		 /* in the history */
	bool ended;		 /* the last block, or member, is over */
	bool draining;		 /* beyond its limit; only the history counts */
	uint8_t tail;		 /* bytes of 00 00 ff ff that have gone in */
	uint32_t limit, out_bytes;
	uint64_t in_bytes;
};

/* The contexts of one worker; not for several threads. */
struct inflate_list {
	struct inflate_ctx *first, *last;
};

struct inflate_pool {
	struct inflate_ctx *ctxs;
	uint32_t n;
	struct inflate_list free, used; /* used: oldest first */
	uint64_t stolen;
};

/* inflate_pool_bytes: memory for n contexts, 64-byte aligned (45 KiB each). inflate_pool_init lays them out
 * in mem, which must outlive the pool and not move. Returns 0, -EINVAL for n = 0 or -ENOMEM if this zlib
 * needs larger ones. */
size_t inflate_pool_bytes(uint32_t n);
int inflate_pool_init(struct inflate_pool *p, void *mem, uint32_t n);

/* inflate_init prepares; holds nothing. takeover: of INFLATE_MESSAGES, unless ..._no_context_takeover was
 * agreed for the direction. midstream: messages have gone by unread. */
void inflate_init(struct inflate *i, enum inflate_kind kind, bool takeover, bool midstream);

/* inflate_message: a message begins (the one before has ended or been cut), of which at most `limit` bytes
 * may come out. */
void inflate_message(struct inflate *i, struct inflate_pool *p, uint32_t limit);

/* inflate_feed takes from *in and writes to room (len >= 1); *out is what came out, within room, exact and
 * good whatever the status. last: the message ends with *in. Call it until the status is not INFLATE_ROOM.
 * Returns neither MORE nor ROOM forever: each call takes input or fills the room. With last: never MORE. */
enum inflate_status inflate_feed(struct inflate *i, struct inflate_pool *p, struct span *in, bool last,
	uint8_t *room, uint32_t len, struct span *out);

/* inflate_cut: the rest of the message will not come, or messages were lost between. */
void inflate_cut(struct inflate *i, struct inflate_pool *p);

/* inflate_release gives the context back, if one is held: the direction has ended. Needed once more before
 * the memory of *i is used otherwise. */
void inflate_release(struct inflate *i, struct inflate_pool *p);

#endif
