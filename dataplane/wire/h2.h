/* SPDX-License-Identifier: BSD-3-Clause */
/* h2: passive HTTP/2 framer (RFC 9113), both directions of a connection in one struct, in plaintext with
 * prior knowledge (h2c), as gRPC is spoken inside a house. It begins with the client's preface, or in
 * mid-stream. What it reports, one verdict a call (framer.h), h2_last telling of which stream:
 *
 *  FRAMER_MESSAGE  a header block has ended, or the stream was reset (h2_last()->reset)
 *  FRAMER_BODY     a piece of a DATA frame's content, padding taken off; `first`: the frame begins with it.
 *                  last: END_STREAM. Empty DATA frames that end nothing are not reported.
 *  FRAMER_LOST     GAP inside a DATA frame whose end is still known (h2_last()->stream: that of the frame;
 * last as with BODY); otherwise, and with BAD and END, the direction is out of step (h2_last()->stream 0)
 *
 * SETTINGS, PING, GOAWAY, WINDOW_UPDATE, PRIORITY, PUSH_PROMISE and frames of unknown types count as parsed.
 *
 * Where receivers close the connection (frame sizes, stream 0, padding that does not fit, anything but
 * CONTINUATION inside a header block) the direction is BAD and looks for a frame again: whoever forges a
 * segment must not be able to end the reading. What depends on SETTINGS that may not have been seen
 * (SETTINGS_MAX_FRAME_SIZE), on stream states and on flow control is not checked.
 *
 * Headers are read for `:path` alone (hpack.h). Where a header block is lost, streams go on by their DATA,
 * their path unknown.
 *
 * In mid-stream, and after a gap, bytes are passed over as UNSYNCED until a frame header is recognised: one
 * that keeps to all rules for its type, is for no more than H2_PICKUP_MAX bytes, and
 *  - begins a span, or
 *  - is followed by another such in its place, or ends with the span, or
 *  - is of a DATA frame that begins with a gRPC message.
 * Until three of them have come in a row another one that does not keep to the rules ends the attempt.
 *
 * Streams have H2_STREAMS places. When all are taken one stream gives up its own (counted): one of a path
 * that has no name in the table, if there is one, and of these the one that was silent for longest. Should it
 * speak again it is new, its path unknown. What one cut of the bytes gives, every other cut gives (apart from
 * where pieces of bodies end), as long as the direction is in step. */
#ifndef WIRE_H2_H
#define WIRE_H2_H

#include "abi/span.h"
#include "wire/framer.h"
#include "wire/hpack.h"

#include <stdbool.h>
#include <stdint.h>

#define H2_STREAMS 32u
#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* what a client begins with */
#define H2_HEADER 9u
#define H2_PICKUP_MAX 16384u /* SETTINGS_MAX_FRAME_SIZE where nobody changed it */

/* What happened, by worker. X-macro: _(id, "help") */
#define H2_COUNTS(_)                                                              \
	_(CONNECTIONS, "HTTP/2 client prefaces seen")                             \
	_(FRAMES, "HTTP/2 frames read")                                           \
	_(STREAMS, "HTTP/2 streams seen")                                         \
	_(STREAMS_OVER, "HTTP/2 streams that gave up their place to a newer one") \
	_(RESYNCS, "times an HTTP/2 direction was found again")                   \
	_(BAD_FRAME, "HTTP/2 frames that no receiver accepts")                    \
	_(BAD_HEADERS, "HTTP/2 header blocks that no receiver accepts")           \
	_(LOST_HEADERS, "HTTP/2 header blocks damaged by a gap, or whose beginning was not seen")
enum h2_count {
#define _(id, help) H2_N_##id,
	H2_COUNTS(_)
#undef _
		H2_N_COUNT
};

/* What a worker lends to its framers. */
struct h2_arena {
	struct hpack_paths paths;
	uint64_t counts[H2_N_COUNT];
};

/* One stream. `index` in h2_last is its place; the owner may keep what it needs beside. */
struct h2_stream {
	uint32_t id;			/* 0: the place is free */
	uint16_t used;			/* private: when last */
	uint8_t path;			/* enum hpack_path */
	uint8_t fresh : 1;		/* new in its place; the owner clears it */
	uint8_t headers : 2, ended : 2; /* a bit per direction: a header block was seen; END_STREAM was */
};

struct h2_last {
	uint32_t stream; /* 0: none */
	uint8_t index;	 /* its place in h2.streams; H2_STREAMS: it has none */
	bool reset, first;
	uint32_t frame_bytes; /* content of the DATA frame, from this piece on */
	uint32_t gap;	      /* of LOST inside a DATA frame: bytes of its content that are missing */
};

/* Private to h2. */
struct h2_dir {
	uint8_t state, evidence;
	uint8_t hold_n, hold[H2_HEADER]; /* of a frame header */
	uint8_t preface_n;		 /* bytes of the preface held */
	uint8_t type, flags;		 /* of the frame */
	uint8_t skip;			 /* bytes before its content */
	bool pad_unread, first;
	bool in_block, block_lost, block_ends_stream, block_promise;
	uint32_t stream;
	uint32_t left, pad; /* of the payload, padding included */
	uint32_t block_stream;
	struct h2_last last;
	struct hpack hpack;
};

struct h2 {
	struct h2_dir dir[2];
	struct h2_stream streams[H2_STREAMS];
	uint16_t clock;
	int8_t client; /* direction, or -1 */
};

/* h2_init prepares a connection. midstream: its beginning was not seen. */
void h2_init(struct h2 *h, bool midstream);

/* h2_looks_like: 1: the span begins with the client's preface, or with frames beyond reasonable doubt; 0: it
 * does not; -1: it is the beginning of a preface, too few bytes to tell. */
int h2_looks_like(struct span in);

/* h2_server_begins: the first bytes of a direction are a server's SETTINGS, as far as they go, which it may send before it has seen the
 * client's preface. in.len >= 1. */
bool h2_server_begins(struct span in);

/* h2_feed consumes bytes of direction `dir` and stores one verdict. in.len >= 1. Returns the bytes consumed:
 * 1..in.len, or 0 with LOST or SKIP, never twice in a row. Body spans lie within `in`. */
uint32_t h2_feed(struct h2 *h, unsigned dir, struct h2_arena *a, struct span in, struct framer_out *out);

/* h2_gap tells direction `dir` that n bytes are missing here. One verdict: LOST or MORE. */
void h2_gap(struct h2 *h, unsigned dir, struct h2_arena *a, uint64_t n, struct framer_out *out);

/* h2_end: the direction has ended. Held bytes are reported as skipped; LOST if it ended inside a frame or a
 * header block. Calling it again gives MORE. */
void h2_end(struct h2 *h, unsigned dir, struct framer_out *out);

/* h2_last: what the last verdict of the direction is about. Never NULL. */
const struct h2_last *h2_last(const struct h2 *h, unsigned dir);

/* h2_held: bytes of direction `dir` held and not yet reported as parsed or skipped. */
uint32_t h2_held(const struct h2 *h, unsigned dir);

/* h2_take_back: direction `dir` holds the beginning of a client's preface, which `in` does not go on with: it was another protocol's, and is
 * forgotten without being reported. Returns how many bytes; 0: it is not so. */
uint32_t h2_take_back(struct h2 *h, unsigned dir, struct span in);

/* h2_in_step: the place of the next frame is known. */
bool h2_in_step(const struct h2 *h, unsigned dir);

/* h2_client: the direction that is the client's, 0 or 1; -1 if it is not known. */
int h2_client(const struct h2 *h);

#endif
