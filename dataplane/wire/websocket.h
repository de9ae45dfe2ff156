/* SPDX-License-Identifier: BSD-3-Clause */
/* websocket: passive RFC 6455 framer, both directions of a connection in one struct. It begins where http1
 * reports FRAMER_UPGRADE, or in mid-stream. Messages are reported as framer.h says: FRAMER_MESSAGE when the
 * header of a message's first frame was read, then FRAMER_BODY for its payload, unmasked and freed of frames,
 * `last` with the end of its FIN frame. Control frames between count as parsed and are not reported. Payload
 * of messages with RSV1 is handed out as it is: head.compressed, see inflate.h.
 *
 * Where receivers differ the more liberal one is followed, for what a node accepts must not go by unread:
 *  - Lengths need not be minimal (RFC 6455 5.2 says they MUST be): gorilla (geth, Erigon), tungstenite
 * (anvil), soketto (reth) and ws do not check.
 *  - Mask bit either way, in either direction, as the frame says (soketto; the others close the connection).
 *  - RSV1 of control and continuation frames is ignored where RSV1 was negotiated (gorilla).
 *  - Reserved opcodes, RSV2, RSV3, RSV1 that was not negotiated, fragmented or long (> 125) control frames, a
 *    text or binary frame inside a message and a continuation outside are BAD (all).
 *  - Text is not checked to be UTF-8, a close frame's code is not checked.
 *  - Behind a close frame nobody reads: OPAQUE.
 *
 * A gap inside a payload costs that message, not the stream. After any other gap, and in mid-stream, bytes
 * are passed over as UNSYNCED until a frame is recognised:
 *  - anywhere in a span: an unfragmented text frame, opcode, RSV, mask bit and minimal length as the
 * direction must have them, whose payload (unmasked) begins as JSON objects and arrays do and is ASCII as far
 * as it is looked at;
 *  - at the start of a span: a control frame, a compressed one or one that begins as JSON does, whose header
 * is as strict, if it ends with the span or another such frame follows it, and the first does not hold the
 *    other.
 * Until three pieces of evidence have come together (such JSON text counts twice, each header in its place
 * once) a frame that is not like these, or longer than WEBSOCKET_PICKUP_MAX, ends the attempt, and a
 * span that begins with JSON text in a frame of its own is believed instead: text that was taken for a frame
 * hides nothing for long.
 *
 * What one cut of the stream gives, every other cut gives (messages, bodies, sums of bytes), as long as the
 * stream is in step. */
#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

#include "abi/span.h"
#include "wire/framer.h"

#include <stdbool.h>
#include <stdint.h>

#define WEBSOCKET_HEADER_MAX 14u
#define WEBSOCKET_MESSAGE_MAX \
	(256u << 20) /* payload on the wire; soketto's limit (ws 100 MiB, geth 32 MiB) */
#define WEBSOCKET_PICKUP_MAX (32u << 20)

/* Which direction is the client's, the one that masks. */
enum websocket_client { WEBSOCKET_CLIENT_DIR0, WEBSOCKET_CLIENT_DIR1, WEBSOCKET_CLIENT_UNKNOWN };

/* What the last FRAMER_MESSAGE said. */
struct websocket_head {
	bool binary;	 /* opcode 2; nodes take JSON in it as well as in text */
	bool compressed; /* RSV1: permessage-deflate, if that was negotiated */
	bool masked;
};

/* Where unmasked payload goes: the caller's memory, used until the next call. len >= 1; a few KiB stay in the
 * first-level cache. */
struct websocket_room {
	uint8_t *p;
	uint32_t len;
};

/* Private to websocket. */
struct websocket_dir {
	uint8_t state;
	uint8_t evidence;   /* that this is in step */
	bool in_message;    /* its last frame has not ended */
	bool lost;	    /* the rest of the message is passed over */
	bool fin, control;  /* of the frame */
	bool close, masked; /* of the frame */
	uint8_t hold_len;
	uint8_t hold[WEBSOCKET_HEADER_MAX];
	uint8_t mask[4];	/* of the next payload byte on */
	uint64_t remaining;	/* payload of the frame */
	uint64_t message_bytes; /* payload announced by the frames of the message so far */
	struct websocket_head head;
};

struct websocket {
	struct websocket_dir dir[2];
	uint8_t client; /* enum websocket_client */
	bool rsv1;
};

/* websocket_init prepares both directions. rsv1: an extension that uses RSV1 was negotiated (or nobody
 * knows). midstream: the handshake was not seen: client may be UNKNOWN and is learned. Otherwise the first
 * byte of either direction begins a frame, unless websocket_desync says that it need not. */
void websocket_init(struct websocket *w, enum websocket_client client, bool rsv1, bool midstream);

/* websocket_desync: bytes of the direction have gone by unread; call it between init and the first feed. */
void websocket_desync(struct websocket *w, unsigned dir);

/* websocket_sync: the direction's next byte begins a frame, whatever was before; nothing of it may be held. */
void websocket_sync(struct websocket *w, unsigned dir);

/* websocket_looks_like: a span that begins in mid-stream begins with a frame beyond reasonable doubt. */
bool websocket_looks_like(struct span in);

/* websocket_offered: behind a handshake of the client's that was not answered yet, these are its first frame: a masked one. HTTP never begins
 * so. in.len >= 1. */
bool websocket_offered(struct span in);

/* websocket_feed consumes bytes of direction `dir` and stores one verdict. in.len >= 1. Returns the bytes
 * consumed: 1..in.len, or 0 with LOST, SKIP or, soon after a pickup, MESSAGE, never twice in a row.
 * Body spans lie within `in` (unmasked) or `room` (masked) and live until the next call. After LOST with
 * websocket_in_step false, or with websocket_last saying compressed, the compressed history of the direction
 * has a hole: see inflate_cut. */
uint32_t websocket_feed(struct websocket *w, unsigned dir, struct span in, struct websocket_room room,
	struct framer_out *out);

/* websocket_gap tells direction `dir` that n bytes are missing here. One verdict: LOST or MORE. */
void websocket_gap(struct websocket *w, unsigned dir, uint64_t n, struct framer_out *out);

/* websocket_end: the direction has ended. Held bytes are reported as skipped, a message under way is LOST.
 * Calling it again gives MORE. */
void websocket_end(struct websocket *w, unsigned dir, struct framer_out *out);

/* websocket_doubt: somebody has put bytes of his own into the direction: its frames have to bring evidence again, as after a pickup. */
void websocket_doubt(struct websocket *w, unsigned dir);

/* websocket_last: the head of the message under way, or of the last one (also if a cap refused it). Never
 * NULL. */
const struct websocket_head *websocket_last(const struct websocket *w, unsigned dir);

/* websocket_held: bytes of direction `dir` held and not yet reported as parsed or skipped. */
uint32_t websocket_held(const struct websocket *w, unsigned dir);

/* websocket_in_step: the place of the next frame is known. */
bool websocket_in_step(const struct websocket *w, unsigned dir);

/* websocket_client: the direction that is the client's, 0 or 1; -1 if it is not known. */
int websocket_client(const struct websocket *w);

/* websocket_unmask: dst[i] = src[i] ^ mask[i % 4]. dst and src may be the same and need no alignment. */
void websocket_unmask(uint8_t *dst, const uint8_t *src, uint32_t n, const uint8_t mask[4]);

#endif
