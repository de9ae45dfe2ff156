/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1: heads, which bodies are read, and which answer belongs to which request. */
#include "worker/worker_private.h"

/* On the engine's port nodes answer everything. */
static bool
may_read(const struct conn *c)
{
	return conn_may(c, FEED_HTTP) || conn_may(c, FEED_ENGINE);
}

static void
request_head(struct worker *w, struct conn *c, unsigned dir, const struct http1_head *h, const struct framer_out *o)
{
	struct conn_side *s = &c->side[dir];
	w->ctr[CTR_HTTP_REQUESTS]++;
	if (o->resync)
		join_http_lost(&w->joins, &c->join, w->flow->gap_before[dir] ? JOIN_GAP : JOIN_MIDSTREAM);
	s->message = join_http_request(&c->join);
	if (o->last)
		return;
	w->ctr[CTR_HTTP_ENCODED] += h->encoded;
	if (!may_read(c))
		w->ctr[CTR_FEED_OFF]++;
	else if (h->encoded)
		body_begin_coded(w, c, dir, BODY_REQUEST, h->coding);
	else
		body_begin(w, c, dir, BODY_REQUEST);
}

static void
response_head(struct worker *w, struct conn *c, unsigned dir, const struct http1_head *h, const struct framer_out *o)
{
	struct conn_side *s = &c->side[dir];
	w->ctr[CTR_HTTP_RESPONSES]++;
	if (o->resync)
		join_http_lost(&w->joins, &c->join, w->flow->gap_before[dir] ? JOIN_GAP : JOIN_MIDSTREAM);
	if (h->status >= 100 && h->status < 200)
		return;
	s->message = join_http_response(&c->join);
	if (o->last)
		join_http_end(&w->joins, &c->join, s->message);
	else if (!may_read(c))
		w->ctr[CTR_FEED_OFF]++;
	else if (h->encoded)
		body_begin_coded(w, c, dir, BODY_ANSWER, h->coding);
	else if (h->json)
		body_begin(w, c, dir, BODY_ANSWER);
}

static void
head_read(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	const struct http1_head *h = http1_last(&c->http, dir);
	w->ctr[CTR_HTTP_RESYNC] += o->resync;
	c->side[dir].unsynced = CTR_ST_SKIP_UNSYNCED;
	if (c->side[dir].doubt)
		http1_doubt(&c->http, dir);
	body_cut(w, c, dir);
	if (h->request)
		request_head(w, c, dir, h, o);
	else
		response_head(w, c, dir, h, o);
}

/* Bytes of a message are missing. In step, what was asked is known to be this request; otherwise nobody knows how many were. */
static void
message_lost(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	w->ctr[o->lost == FRAMER_LOST_BAD ? CTR_HTTP_BAD : CTR_HTTP_LOST]++;
	body_cut(w, c, dir);
	if (!http1_in_step(&c->http, dir))
		join_http_lost(&w->joins, &c->join, JOIN_GAP);
}

static void
body_bytes(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	struct conn_side *s = &c->side[dir];
	body_piece(w, c, dir, o->body, o->last);
	if (o->last && !http1_last(&c->http, dir)->request)
		join_http_end(&w->joins, &c->join, s->message);
}

static void
use_verdict(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	count_bytes(w, c, dir, o);
	switch (o->verdict) {
	case FRAMER_MESSAGE:
		head_read(w, c, dir, o);
		break;
	case FRAMER_UPGRADE:
		head_read(w, c, dir, o);
		if (http1_last(&c->http, dir)->websocket) {
			ws_begin(w, c, dir);
			break;
		}
		c->side[0].unsynced = c->side[1].unsynced = CTR_ST_SKIP_OPAQUE;
		http1_read_on(&c->http);
		break;
	case FRAMER_BODY:
		body_bytes(w, c, dir, o);
		break;
	case FRAMER_LOST:
		message_lost(w, c, dir, o);
		break;
	case FRAMER_MORE:
	case FRAMER_SKIP:
		break;
	}
}

uint32_t
http_feed(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	uint32_t held = http1_held(&c->http, dir), all = in.len;
	const struct http1_head *h = http1_last(&c->http, dir);
	while (in.len > 0 && c->side[dir].proto == CONN_HTTP) {
		struct framer_out o;
		if (h->websocket && ws_offered(c, dir, in)) {
			ws_expect(w, c, dir);
			break;
		}
		if (h->websocket && ws_instead_of_body(c, dir, in))
			probe_frames(w, w->flow, dir, in);
		/* right behind a request, in one segment with it */
		if (in.len < all && h2_may_begin(in) && http1_between(&c->http, dir)) {
			w->ctr[CTR_ST_BUFFERED] -= held;
			held = 0;
			if (h2_begins(w, c, dir, in))
				return all - in.len;
		}
		uint32_t n = http1_feed(&c->http, dir, in, &o);
		use_verdict(w, c, dir, &o);
		in.p += n;
		in.len -= n;
	}
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
	return all - in.len;
}

void
http_gap(struct worker *w, struct conn *c, unsigned dir, uint64_t n)
{
	uint32_t held = http1_held(&c->http, dir);
	struct framer_out o;
	http1_gap(&c->http, dir, n, &o);
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
	if (o.verdict != FRAMER_LOST && !http1_in_step(&c->http, dir))
		join_http_lost(&w->joins, &c->join, JOIN_GAP);
}

/* A direction's parser is over: what it holds will never become a message. */
void
http_end(struct worker *w, struct conn *c, unsigned dir)
{
	struct framer_out o;
	uint32_t held = http1_held(&c->http, dir);
	http1_end(&c->http, dir, &o);
	if (o.skipped) { /* what is left at the end has a reason of its own */
		w->ctr[CTR_ST_SKIP_ENDED] += o.skipped;
		o.skipped = 0;
	}
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
	body_cut(w, c, dir);
}
