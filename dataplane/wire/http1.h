/* SPDX-License-Identifier: BSD-3-Clause */
/* http1: passive HTTP/1.x framer, requests and responses, RFC 9112 as Go's net/http and hyper accept it.
 * One struct http1 per connection holds both directions, because a response's framing can depend on its
 * request (HEAD, CONNECT, 101). Works with one direction only, and from mid-stream: until a request or
 * status line is recognised at a plausible start, bytes are skipped as UNSYNCED. A gap inside a body of
 * known length or inside a chunk costs that message, not the stream. Heads up to HTTP1_HEAD_MAX bytes are
 * recognised line by line without being stored; only an incomplete line is held (HTTP1_LINE_MAX). */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "abi/span.h"
#include "wire/framer.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP1_LINE_MAX 512u /* bytes of one line that are kept; longer lines are read through but only their beginning is looked at */
#define HTTP1_HEAD_MAX (1u << 20) /* Go's DefaultMaxHeaderBytes */
#define HTTP1_PIPELINE_MAX 32u /* request methods remembered for responses to come */

enum http1_role { HTTP1_UNKNOWN, HTTP1_REQUESTS, HTTP1_RESPONSES };

/* What the last FRAMER_MESSAGE said. */
struct http1_head {
	bool request;
	bool post;	  /* request: method POST */
	uint16_t status;  /* response */
	bool json;	  /* Content-Type names JSON, or is absent */
	bool encoded;	  /* Content-Encoding other than identity: body bytes are not JSON */
	bool has_length;
	uint64_t content_length;
	bool chunked;
	bool upgrade;	  /* request offers one, or 101 response */
};

struct http1_dir {
	/* ... owned by http1.c; define fully here, keep it <= ~700 bytes ... */
	uint8_t state;
};

struct http1 {
	struct http1_dir dir[2];
};

/* http1_init prepares both directions. midstream: the flow's beginning was not seen. */
void http1_init(struct http1 *h, bool midstream);

/* http1_looks_like tells whether the first bytes of a direction can be HTTP: 1 yes, 0 no, -1 too few bytes to tell. */
int http1_looks_like(struct span in);

/* http1_feed consumes bytes of direction `dir` (0: from the flow's initiator as net sees it, 1: the other) and
 * stores one verdict. Returns the bytes consumed (1..in.len). After FRAMER_MESSAGE, http1_last tells the head. */
uint32_t http1_feed(struct http1 *h, unsigned dir, struct span in, struct framer_out *out);

/* http1_gap tells direction `dir` that n bytes are missing here. At most one verdict (LOST or MORE). */
void http1_gap(struct http1 *h, unsigned dir, uint64_t n, struct framer_out *out);

/* http1_end: the direction has ended (FIN, RST, eviction). Held bytes are reported as skipped; a close-
 * delimited body ends well (BODY, empty, last). */
void http1_end(struct http1 *h, unsigned dir, struct framer_out *out);

const struct http1_head *http1_last(const struct http1 *h, unsigned dir);

/* http1_held: bytes of direction `dir` held and not yet reported as parsed or skipped. */
uint32_t http1_held(const struct http1 *h, unsigned dir);

#endif
