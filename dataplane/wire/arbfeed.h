/* SPDX-License-Identifier: BSD-3-Clause */
/* arbfeed: resumable scanner of what an Arbitrum sequencer feed or relay sends, one WebSocket message after
 * the other:
 *   {"version":1,"messages":[{"sequenceNumber":N,"message":{"message":{"header":{"kind":K,...},
 *    "l2Msg":"<base64>"},"delayedMessagesRead":N},"signature":...},...]}
 * It is fed in pieces of any size, keeps nothing but the decoded bytes of one l2Msg, and tells `sink` of each
 * element of `messages` once it is complete. Where the bytes were cut makes no difference. What the bytes of
 * an l2Msg mean is said in eth/l2msg.h.
 * Source: OffchainLabs/nitro broadcaster/message/message.go, arbos/arbostypes/incomingmessage.go.
 *
 * JSON is what Go's encoding/json takes it for (see wire/jsonrpc.h): keys fold and may be escaped; the last
 * of several values counts; a second object for the same key adds to the first; null takes header, the inner
 * message or l2Msg away and leaves the rest as it was, and so does a value of the wrong type. There are three
 * differences, all with messages that no sequencer makes: a list of numbers for l2Msg, which Go takes for
 * bytes, is BAD here; a broadcast that Go refuses as a whole because of a type or of base64 is read
 * nevertheless; and the elements of a second `messages` do not add to those of the first, but count by
 * themselves. `version` is not looked at.
 *
 * The feed's own compression ("Arbitrum-permessage-deflate": each message by itself, with a static
 * dictionary) cannot be read: the dictionary is under a licence (Business Source License 1.1) that does not
 * go with this one's. Such messages have RSV1, under an extension of that name (http1_extensions.arbitrum),
 * and are for the owner to count as opaque. Nitro's clients ask for it; whether a relay grants it is a matter
 * of its version and settings (--node.feed.output.enable-compression), and some feeds serve nothing else. A
 * box reads a relay that has it off. */
#ifndef WIRE_ARBFEED_H
#define WIRE_ARBFEED_H

#include "wire/base64.h"
#include "wire/json.h"

#define ARBFEED_L2MSG_MAX (256u * 1024u) /* nitro's MaxL2MessageSize: no node reads longer ones */

/* What became of an l2Msg. */
enum arbfeed_state {
	ARBFEED_OK = JSON_HEX_OK,
	ARBFEED_BAD = JSON_HEX_BAD, /* not base64, or a list */
	ARBFEED_OVERSIZE = JSON_HEX_OVERSIZE,
	ARBFEED_NONE, /* there is none */
	ARBFEED_NO_BUFFER = JSON_HEX_NO_BUFFER,
	ARBFEED_CUT /* the broadcast was damaged inside it */
};

/* An element of `messages`: the sequencer has put it in its place. The span is good until the sink returns.
 */
struct arbfeed_event {
	uint64_t sequence;
	struct span l2msg;	     /* OK: its bytes */
	uint8_t state;		     /* enum arbfeed_state */
	uint8_t kind;		     /* header.kind; see eth/l2msg.h */
	bool has_sequence, has_kind; /* each was read, and is one */
	bool cut; /* of the element no more will come; later values might have overridden these */
};

/* arbfeed_sink may not call the scanner nor touch the arena. */
typedef void (*arbfeed_sink)(void *ctx, const struct arbfeed_event *e);

/* A number that is read, or was. */
enum arbfeed_number { ARBFEED_NUM_NONE, ARBFEED_NUM_OK, ARBFEED_NUM_BAD };

/* State of one broadcast. Owned by arbfeed.c. The struct may not move while it holds a slab. */
struct arbfeed {
	struct json_hold h; /* l2Msg; begins at 0 */
	struct base64 b64;
	uint64_t sequence, kind;
	uint32_t l2_len;
	uint16_t skip; /* depth of the outermost open container that holds nothing of interest; 0: none */
	uint8_t pos;
	uint8_t sequence_state, kind_state; /* enum arbfeed_number */
	uint8_t l2_state;		    /* enum arbfeed_state */
	bool in_l2, open;		    /* within l2Msg; within an element */
	struct json_lex x;		    /* what stands behind x.text needs no beginning */
};

/* arbfeed_init prepares for a message: what follows its value is not looked at. Holds no resources: a message
 * that was begun must have ended or been cut. */
void arbfeed_init(struct arbfeed *f);

/* arbfeed_feed scans one piece; last: the message ends with it. `messages` is increased by the number of
 * elements completed. As jsonrpc_feed otherwise (wire/jsonrpc.h): after DONE, MALFORMED or TOO_DEEP no slab
 * is held and further pieces are ignored; of the element in which the damage is nothing is reported. */
enum jsonrpc_status arbfeed_feed(struct arbfeed *f, struct jsonrpc_arena *arena, struct span piece, bool last,
	arbfeed_sink sink, void *ctx, uint32_t *messages);

/* arbfeed_cut: the rest will not come. Reports the element that was begun, cut; releases the slab. Further
 * pieces are ignored (MALFORMED). */
void arbfeed_cut(struct arbfeed *f, struct jsonrpc_arena *arena, arbfeed_sink sink, void *ctx);

/* arbfeed_looks_like: the first bytes of a message are those of a broadcast, as sequencers and relays write
 * them. False if there are too few to tell (11 are enough). No JSON-RPC begins so. */
bool arbfeed_looks_like(struct span first);

#endif
