/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON of a message, whatever carried it: decompressed if need be, and handed to the scanner of its side. */
#include "worker/worker_private.h"

#include <string.h>

/* Nodes that read a body with a decoder of streams take its first value; Nethermind answers all values of a WebSocket message. */
static bool
has_many(const struct conn_side *s)
{
	return s->proto == CONN_JSON || (s->proto == CONN_WS && s->body == BODY_REQUEST);
}

static void
scan_begin(struct conn_side *s, enum conn_body body)
{
	s->body = (uint8_t)body;
	wide_begin(&s->wide);
	if (body == BODY_REQUEST && has_many(s))
		jsonrpc_init_stream(&s->request);
	else if (body == BODY_REQUEST)
		jsonrpc_init(&s->request);
	else
		answer_init(&s->answer);
}

void
body_begin(struct worker *w, struct conn *c, unsigned dir, enum conn_body body)
{
	struct conn_side *s = &c->side[dir];
	s->coding = CODING_NONE;
	scan_begin(s, body);
}

void
body_begin_stream(struct worker *w, struct conn *c, unsigned dir, enum conn_body body)
{
	struct conn_side *s = &c->side[dir];
	s->coding = CODING_NONE;
	s->body = (uint8_t)body;
	s->wide = (struct wide){.width = 1};
	if (body == BODY_REQUEST)
		jsonrpc_init_stream(&s->request);
	else
		answer_init_stream(&s->answer);
}

static void
inflate_begin(struct worker *w, struct conn_side *s, enum inflate_kind kind, uint32_t limit)
{
	inflate_init(&s->inflate, kind, false, false);
	inflate_message(&s->inflate, &w->inflates, limit);
	s->coding = CODING_INFLATE;
	w->ctr[CTR_BODIES_ENCODED]++;
}

static void
opaque(struct worker *w, struct conn *c, unsigned dir)
{
	struct conn_side *s = &c->side[dir];
	w->ctr[CTR_BODIES_OPAQUE]++;
	if (s->body == BODY_REQUEST)
		request_unread(w, c, dir, JOIN_OPAQUE);
	s->body = BODY_NONE;
}

/* Most nodes do not look at a request's Content-Encoding, some decompress: the bytes tell which of them this one was meant for. */
void
body_begin_coded(struct worker *w, struct conn *c, unsigned dir, enum conn_body body, unsigned coding)
{
	struct conn_side *s = &c->side[dir];
	scan_begin(s, body);
	s->inflate.kind = coding == HTTP1_GZIP ? INFLATE_GZIP : coding == HTTP1_DEFLATE ? INFLATE_DEFLATE : INFLATE_MESSAGES;
	s->coding = CODING_MAYBE;
}

void
body_begin_message(struct worker *w, struct conn *c, unsigned dir, enum conn_body body)
{
	struct conn_side *s = &c->side[dir];
	scan_begin(s, body);
	s->coding = CODING_INFLATE;
	w->ctr[CTR_BODIES_ENCODED]++;
	inflate_message(&s->inflate, &w->inflates, INFLATE_MAX_MESSAGE);
}

/* ---- the scanners ---- */

static void
count_request(struct worker *w, struct conn *c, unsigned dir, enum jsonrpc_status s, uint32_t messages)
{
	w->ctr[CTR_JSON_MESSAGES] += messages;
	if (s == JSONRPC_MALFORMED)
		w->ctr[CTR_JSON_BAD]++;
	else if (s == JSONRPC_TOO_DEEP)
		w->ctr[CTR_JSON_DEPTH]++;
	else
		return;
	request_unread(w, c, dir, JOIN_MALFORMED);
}

static void
count_answer(struct worker *w, struct answer *a, enum jsonrpc_status s, uint32_t messages)
{
	w->ctr[CTR_ANSWERS] += messages;
	w->ctr[CTR_ANSWERS_PASSED_OVER] += a->passed_over;
	a->passed_over = 0;
	if (s == JSONRPC_MALFORMED)
		w->ctr[CTR_ANSWERS_BAD]++;
	else if (s == JSONRPC_TOO_DEEP)
		w->ctr[CTR_ANSWERS_DEPTH]++;
}

/* A node's message, by its first bytes. */
static bool
is_rpc(struct span piece)
{
	static const char *const begin[] = {"[", "{\"jsonrpc\"", "{\"id\"", "{\"result\"", "{\"error\"", "{\"method\""};
	for (unsigned i = 0; i < sizeof begin / sizeof *begin; i++)
		if (piece.len >= strlen(begin[i]) && memcmp(piece.p, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

/* The first bytes of a message tell a sequencer's broadcast; once they have, all that the node sends on the connection is, unless it says
 * otherwise: anybody may have forged that one. */
static void
tell_sequencer(struct worker *w, struct conn *c, unsigned dir, struct span piece)
{
	struct conn_side *s = &c->side[dir];
	bool port = w->feeds->n_ports[FEED_ARBITRUM] > 0;
	if (s->proto != CONN_WS || !conn_may(c, FEED_ARBITRUM) || !answer_unbegun(&s->answer))
		return;
	if ((!(c->sequencer || port) || is_rpc(piece)) && !arbfeed_looks_like(piece)) {
		if (conn_may(c, FEED_WEBSOCKET))
			return;
		w->ctr[CTR_FEED_OFF]++; /* only a broadcast would have been read */
		s->body = BODY_NONE;
		return;
	}
	c->sequencer = true;
	s->body = BODY_ARBITRUM;
	arbfeed_init(&s->arbitrum);
}

static enum jsonrpc_status
scan_broadcast(struct worker *w, struct conn_side *s, struct span piece, bool last)
{
	uint32_t elements = 0;
	enum jsonrpc_status status = arbfeed_feed(&s->arbitrum, &w->arena, piece, last, take_broadcast, w, &elements);
	w->ctr[CTR_L2_MESSAGES] += elements;
	if (status == JSONRPC_MALFORMED || status == JSONRPC_TOO_DEEP)
		w->ctr[CTR_L2_BAD]++;
	return status;
}

enum jsonrpc_status
request_scan_wide(struct worker *w, struct jsonrpc *j, struct wide *wide, struct span piece, bool last, bool many, uint32_t *messages)
{
	uint8_t text[1024];
	enum jsonrpc_status s;
	do {
		uint32_t n = wide_read(wide, &piece, last, text, sizeof text);
		s = jsonrpc_feed(j, &w->arena, (struct span){text, n}, last && piece.len == 0, take_item, w, messages);
	} while (piece.len > 0 && (s == JSONRPC_MORE || (s == JSONRPC_DONE && many)));
	return s;
}

static void
scan(struct worker *w, struct conn *c, unsigned dir, struct span piece, bool last)
{
	struct conn_side *s = &c->side[dir];
	enum jsonrpc_status status;
	uint32_t messages = 0;
	if (w->arena.scratch_used > SCRATCH_SOFT) {
		judge_now(w);
		w->arena.scratch_used = 0;
	}
	if (s->body == BODY_ANSWER)
		tell_sequencer(w, c, dir, piece);
	if (s->body == BODY_NONE)
		return;
	if (s->body == BODY_REQUEST) {
		status = request_scan(w, &s->request, &s->wide, piece, last, has_many(s), &messages);
		count_request(w, c, dir, status, messages);
	} else if (s->body == BODY_ARBITRUM) {
		status = scan_broadcast(w, s, piece, last);
	} else {
		status = answer_feed(&s->answer, &w->arena, piece, last, take_answer, w, &messages);
		count_answer(w, &s->answer, status, messages);
	}
	bool stream = has_many(s) && status == JSONRPC_DONE;
	if ((status != JSONRPC_MORE && !stream) || last)
		s->body = BODY_NONE;
}

static void
scan_cut(struct worker *w, struct conn *c, unsigned dir, enum join_reason why)
{
	struct conn_side *s = &c->side[dir];
	if (s->body == BODY_REQUEST) {
		w->ctr[CTR_JSON_TRUNCATED]++;
		request_unread(w, c, dir, why);
		jsonrpc_cut(&s->request, &w->arena, take_item, w);
	} else if (s->body == BODY_ARBITRUM) {
		w->ctr[CTR_ANSWERS_TRUNCATED]++;
		arbfeed_cut(&s->arbitrum, &w->arena, take_broadcast, w);
	} else {
		w->ctr[CTR_ANSWERS_TRUNCATED]++;
		answer_cut(&s->answer, &w->arena, take_answer, w);
	}
	s->body = BODY_NONE;
}

/* ---- decompression ---- */

static void
inflate_over(struct worker *w, struct conn *c, unsigned dir)
{
	struct conn_side *s = &c->side[dir];
	if (s->coding == CODING_INFLATE && s->inflate.kind != INFLATE_MESSAGES)
		inflate_release(&s->inflate, &w->inflates);
	s->coding = CODING_NONE;
}

static void
inflate_failed(struct worker *w, struct conn *c, unsigned dir, enum inflate_status status)
{
	struct conn_side *s = &c->side[dir];
	w->ctr[status == INFLATE_BAD	  ? CTR_INFLATE_BAD
		: status == INFLATE_LIMIT ? CTR_INFLATE_BOMBS
		: status == INFLATE_STOLEN ? CTR_INFLATE_STOLEN
					   : CTR_BODIES_OPAQUE]++;
	if (s->body != BODY_NONE)
		scan_cut(w, c, dir, JOIN_OPAQUE);
}

static void
inflate_piece(struct worker *w, struct conn *c, unsigned dir, struct span in, bool last)
{
	struct conn_side *s = &c->side[dir];
	enum inflate_status status;
	bool told = s->inflate.status == INFLATE_LIMIT;
	do {
		struct span out;
		status = inflate_feed(&s->inflate, &w->inflates, &in, last, w->plain, PLAIN_BYTES, &out);
		/* The history of a connection goes on though nobody reads this message any more. */
		if (s->body != BODY_NONE && (out.len > 0 || status == INFLATE_END))
			scan(w, c, dir, out, status == INFLATE_END);
	} while (status == INFLATE_ROOM);
	if (status > INFLATE_END && !told)
		inflate_failed(w, c, dir, status);
	/* beyond its limit a message goes on, for the history's sake */
	if (last || (status > INFLATE_END && status != INFLATE_LIMIT))
		inflate_over(w, c, dir);
}

static bool
may_begin_json(uint8_t b)
{
	return b == '{' || b == '[' || b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* False: it cannot be read. */
static bool
decide(struct worker *w, struct conn *c, unsigned dir, struct span piece)
{
	struct conn_side *s = &c->side[dir];
	if (may_begin_json(piece.p[0])) {
		s->coding = CODING_NONE;
		return true;
	}
	if (s->inflate.kind == INFLATE_MESSAGES) {
		s->coding = CODING_NONE;
		opaque(w, c, dir);
		return false;
	}
	inflate_begin(w, s, s->inflate.kind, s->body == BODY_REQUEST ? INFLATE_MAX_REQUEST : INFLATE_MAX_ANSWER);
	return true;
}

void
body_piece(struct worker *w, struct conn *c, unsigned dir, struct span piece, bool last)
{
	struct conn_side *s = &c->side[dir];
	if (s->coding == CODING_MAYBE && piece.len > 0 && !decide(w, c, dir, piece))
		return;
	if (s->coding == CODING_INFLATE)
		inflate_piece(w, c, dir, piece, last);
	else if (s->body != BODY_NONE)
		scan(w, c, dir, piece, last);
}

void
body_cut(struct worker *w, struct conn *c, unsigned dir)
{
	struct conn_side *s = &c->side[dir];
	if (s->coding == CODING_INFLATE) {
		inflate_cut(&s->inflate, &w->inflates);
		inflate_over(w, c, dir);
	}
	if (s->body != BODY_NONE)
		scan_cut(w, c, dir, JOIN_GAP);
	s->coding = CODING_NONE;
}
