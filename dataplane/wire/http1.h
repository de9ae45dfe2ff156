/* SPDX-License-Identifier: BSD-3-Clause */
/* http1: passive HTTP/1.x framer, requests and responses, RFC 9112 as Go's net/http and hyper accept it.
 * One struct http1 per connection holds both directions, because a response's framing can depend on its
 * request (HEAD, CONNECT, 101). Works with one direction only, and from mid-stream: until a request or
 * status line is recognised at a plausible start, bytes are skipped as UNSYNCED. A gap inside a body of
 * known length or inside a chunk costs that message, not the stream. Heads up to HTTP1_HEAD_MAX bytes are
 * recognised line by line without being stored; only an incomplete line is held (HTTP1_LINE_MAX).
 *
 * What one cut of the stream gives, every other cut gives (messages, bodies, sums of bytes), as long as the
 * stream is in step. Out of step the start of a span is one of the places where a message may begin, and so
 * is any place in the body of the message that was picked up: text that was taken for a head hides nothing.
 *
 * Where receivers differ the more liberal one is followed, for what a node accepts must not go by unread;
 * where they frame differently, Go (geth) is. In particular:
 *  - Transfer-Encoding: chunked wins over Content-Length (both). "x, chunked" and several fields, the last of
 *    which ends in chunked, are chunked (hyper; Go refuses). Anything else is BAD in a request and close-
 *    delimited in a response. In HTTP/1.0 the field is ignored (Go; hyper refuses).
 *  - Content-Length: digits up to 2^63-1. Equal duplicates are one (both), 5 and 05 are equal (hyper); an
 * empty one is none (Go before 1.21). Different ones, lists and signs are BAD.
 *  - Lines may end in LF alone, also chunk-size lines (Go before 1.24); the end of chunk data may not. Spaces
 *    after a chunk size (hyper), any number of leading zeros (hyper), continued header lines (Go), empty
 * lines before a request (both, Go after a POST only) and any HTTP/1.x (Go) are taken.
 *  - A space or another non-token byte in a header's name, a line without colon, a continuation with nothing
 *    to continue are BAD (both). Bytes of values are not checked. */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "abi/span.h"
#include "wire/framer.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of one line that are looked at. Of a longer line runs of white space count once and runs of zeros 32
 * times; then its beginning and its last HTTP1_TAIL bytes are looked at. */
#define HTTP1_LINE_MAX 512u
#define HTTP1_TAIL 16u
#define HTTP1_HEAD_MAX ((1u << 20) + 4096u) /* Go's DefaultMaxHeaderBytes and its slack; also of trailers */
#define HTTP1_CHUNK_LINE_MAX 16384u	    /* white space and extensions of one chunk-size line (hyper) */
#define HTTP1_PIPELINE_MAX 32u		    /* requests remembered for responses to come */
#define HTTP1_PICKUP_BODY_MAX (32u << 20)   /* longest body a head picked up in mid-stream may announce */

enum http1_role { HTTP1_UNKNOWN, HTTP1_REQUESTS, HTTP1_RESPONSES };

/* Content-Encoding. OTHER: another one, or several. */
enum http1_coding { HTTP1_IDENTITY, HTTP1_GZIP, HTTP1_DEFLATE, HTTP1_BR, HTTP1_ZSTD, HTTP1_OTHER_CODING };

/* What a response's Sec-WebSocket-Extensions agrees to (RFC 6455 9.1, RFC 7692 7.1). Bits: 8..15, or 0 if not
 * given (that means 15). */
struct http1_extensions {
	bool deflate;		 /* permessage-deflate */
	bool server_no_takeover; /* server_no_context_takeover: of what the server sends */
	bool client_no_takeover;
	uint8_t server_bits, client_bits; /* ..._max_window_bits */
	bool arbitrum;			  /* Arbitrum-permessage-deflate: with a dictionary of its own */
	bool other;			  /* any other extension */
};

/* What the last FRAMER_MESSAGE (or UPGRADE) said. `request` already holds from the message's first line on.
 */
struct http1_head {
	bool request;
	bool post;	 /* request: method POST */
	bool json;	 /* Content-Type names JSON, or is absent */
	bool encoded;	 /* Content-Encoding other than identity: body bytes are not JSON */
	uint8_t coding;	 /* enum http1_coding: which */
	bool has_length; /* false if chunked */
	bool chunked;
	bool upgrade;	 /* offers one (request), or names one (response) */
	bool websocket;	 /* it is websocket; with FRAMER_UPGRADE, websocket.h goes on */
	uint8_t minor;	 /* HTTP/1.minor */
	uint16_t status; /* response */
	uint64_t content_length;
	struct http1_extensions extensions; /* response */
};

/* Private to http1. */
struct http1_dir {
	uint8_t state, role;
	bool lost;		    /* what is left of the message is passed over */
	bool tentative;		    /* a start line was found in mid-stream; the next line decides */
	bool picked_up;		    /* the message's head was found in mid-stream */
	bool in_line;		    /* hold has the beginning of a line */
	bool compact;		    /* hold is a shortened line */
	uint8_t zeros;		    /* at the end of a shortened line */
	uint8_t field, field_state; /* the header that a continued line continues, and what is known of it */
	uint8_t kind;		    /* of request */
	uint8_t te;
	bool length_bad;
	bool chunk_digits;
	uint16_t hold_len;
	uint32_t held;		  /* bytes taken and not yet reported */
	uint32_t tentative_bytes; /* of the tentative start line, part of held */
	uint32_t head_bytes;	  /* of this head or trailer; of this chunk-size line after its digits */
	uint64_t remaining;	  /* of the body, or of the chunk */
	uint64_t field_value;
	struct http1_head head;
	uint8_t hold[HTTP1_LINE_MAX];
};

struct http1 {
	struct http1_dir dir[2];
	uint64_t kinds; /* of requests not yet answered, two bits each, oldest lowest */
	uint8_t n_kinds;
	uint8_t early; /* answers that came before their requests */
	bool upgraded;
};

/* http1_init prepares both directions. midstream: the flow's beginning was not seen. */
void http1_init(struct http1 *h, bool midstream);

/* http1_looks_like tells whether the first bytes of a direction can be HTTP/1: 1 yes, 0 no, -1 too few bytes
 * to tell. */
int http1_looks_like(struct span in);
/* http1_surely tells whether they can be nothing else: a whole request line's beginning up to its version, a method that nodes know with a target's
 * beginning, or a status line. A short run of random bytes looks like a request of some method now and then; this it does not. */
bool http1_surely(struct span in);

/* http1_feed consumes bytes of direction `dir` (0: from the flow's initiator as net sees it, 1: the other;
 * which of them carries requests is learned from what it says) and stores one verdict. in.len >= 1. Returns
 * the bytes consumed: 1..in.len, or 0 with FRAMER_LOST or SKIP, never twice in a row. After FRAMER_MESSAGE
 * and UPGRADE, http1_last tells the head. Body spans lie within `in`. Exactly one verdict of a message that
 * is not lost has `last`. */
uint32_t http1_feed(struct http1 *h, unsigned dir, struct span in, struct framer_out *out);

/* http1_gap tells direction `dir` that n bytes are missing here. One verdict: LOST or MORE. */
void http1_gap(struct http1 *h, unsigned dir, uint64_t n, struct framer_out *out);

/* http1_end: the direction has ended (FIN, RST, eviction). Held bytes are reported as skipped; a close-
 * delimited body ends well (BODY, empty, last), any other message under way is LOST. Calling it again gives
 * MORE. */
void http1_end(struct http1 *h, unsigned dir, struct framer_out *out);

/* http1_read_on: after an UPGRADE, the direction that did not announce it is not taken at the other's word and read as
 * before: whoever can forge an answer must not end the reading of requests. */
void http1_read_on(struct http1 *h);

/* http1_doubt: somebody has put bytes of his own into direction `dir`: what its message is, and the
 * length that it announces, are not to be relied on. What stands in the message's body and begins as another one is read as such, as after
 * a pickup; no JSON can look so. An upgrade that it announced is not believed. */
void http1_doubt(struct http1 *h, unsigned dir);

/* http1_last: the head of the message under way, or of the last one. Never NULL; all zero before the first.
 */
const struct http1_head *http1_last(const struct http1 *h, unsigned dir);

/* http1_between: direction `dir` is in step and between two messages: what comes next may, after an upgrade,
 * be another protocol's from its first byte on. Otherwise its bytes have gone by in part, or are held: end it
 * (http1_end), and let the other protocol begin in mid-stream. */
bool http1_between(const struct http1 *h, unsigned dir);

/* http1_in_head: the head that http1_last tells of has not ended. http1_body_begins: it has, and of the body that it announces nothing was read; or
 * the next chunk begins. */
bool http1_in_head(const struct http1 *h, unsigned dir);
bool http1_body_begins(const struct http1 *h, unsigned dir);

/* http1_take_back: what direction `dir` holds of a start line was another protocol's: it is forgotten without being reported, and the caller
 * reads it otherwise. Returns how many bytes. */
uint32_t http1_take_back(struct http1 *h, unsigned dir);

/* http1_in_step: where direction `dir` is in its messages is known. */
bool http1_in_step(const struct http1 *h, unsigned dir);

/* http1_held: bytes of direction `dir` held and not yet reported as parsed or skipped. */
uint32_t http1_held(const struct http1 *h, unsigned dir);

#endif
