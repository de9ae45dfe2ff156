/* SPDX-License-Identifier: BSD-3-Clause */
/* A flow's in-order bytes, its gaps and its end, to the parser of its protocol; and which protocol that is. */
#include "worker/worker_private.h"

#include <string.h>

static uint32_t
trust_of(const struct flow *f, unsigned dir)
{
	uint32_t trust = TRUST_NOT_ACKED;
	if (f->gap_before[dir])
		trust |= TRUST_GAP_BEFORE;
	if (f->midstream)
		trust |= TRUST_MIDSTREAM;
	if (!f->seen[!dir])
		trust |= TRUST_ONE_DIRECTION;
	if (f->overlap_conflict)
		trust |= TRUST_OVERLAP_CONFLICT;
	return trust;
}

uint32_t
crossing_trust(const struct worker *w)
{
	return trust_of(w->flow, w->dir);
}

void
crossing_base(const struct worker *w, struct crossing *x, unsigned carrier)
{
	const struct flow *f = w->flow;
	x->claim = NULL;
	x->t_wire_ns = w->now_ns;
	x->carrier = (uint8_t)carrier;
	x->direction = DIR_C2S;
	x->side = (uint16_t)w->sides.now;
	x->trust = trust_of(f, w->dir);
	x->bundle_len = x->bundle_pos = 0;
	x->src_port = f->key.port[w->dir];
	x->dst_port = f->key.port[!w->dir];
	memcpy(x->src_ip, f->key.ip[w->dir], 16);
	memcpy(x->dst_ip, f->key.ip[!w->dir], 16);
}

void
set_current(struct worker *w, struct flow *f, struct conn *c, unsigned dir)
{
	w->flow = f;
	w->conn = c;
	w->dir = dir;
	side_enter(w, side_of_tally(f->tally));
}

void
count_bytes(struct worker *w, const struct conn *c, unsigned dir, const struct framer_out *o)
{
	w->ctr[CTR_ST_PARSED] += o->parsed;
	if (o->skipped == 0)
		return;
	switch (o->reason) {
	case FRAMER_SKIP_UNSYNCED:
		w->ctr[c->side[dir].unsynced] += o->skipped;
		break;
	case FRAMER_SKIP_OPAQUE:
		w->ctr[CTR_ST_SKIP_OPAQUE] += o->skipped;
		break;
	case FRAMER_SKIP_LOST:
		w->ctr[CTR_ST_SKIP_LOST] += o->skipped;
		break;
	}
}

/* ---- whose bytes are they? ---- */

static void
end_side(struct worker *w, struct conn *c, unsigned dir)
{
	switch (c->side[dir].proto) {
	case CONN_HTTP:
		http_end(w, c, dir);
		break;
	case CONN_WS:
		ws_end(w, c, dir);
		break;
	case CONN_JSON:
		break;
	case CONN_RLPX:
		rlpx_over(w, c, dir);
		break;
	case CONN_GRPC:
		grpc_over(w, c, dir);
		break;
	}
	body_cut(w, c, dir);
	inflate_release(&c->side[dir].inflate, &w->inflates);
}

/* What a conn holds is given back, so that it can be used otherwise. */
static void
end_conn(struct worker *w, struct conn *c)
{
	for (unsigned d = 0; d < 2; d++) {
		set_current(w, c->flow, c, d);
		end_side(w, c, d);
	}
	if (c->side[0].proto == CONN_GRPC)
		grpc_done(w, c);
	join_clear(&w->joins, &c->join);
	node_late(w, c);
}

static uint8_t
feeds_of(const struct worker *w, const struct flow *f)
{
	uint8_t mask = 0;
	for (unsigned i = 0; i < FEED_COUNT; i++)
		mask |= (uint8_t)(feeds_may(w->feeds, (enum feed)i, f->key.port[0], f->key.port[1]) << i);
	return mask;
}

void
feeds_begin(struct worker *w, const struct feeds *feeds)
{
	w->feeds_first = *feeds;
	w->feeds = &w->feeds_first;
	atomic_store_explicit(&w->feeds_next, w->feeds, memory_order_relaxed);
	atomic_store_explicit(&w->feeds_used, w->feeds, memory_order_relaxed);
}

void
feeds_take(struct worker *w)
{
	const struct feeds *next = atomic_load_explicit(&w->feeds_next, memory_order_acquire);
	if (next == w->feeds)
		return;
	w->feeds = next;
	w->feeds_turn++;
	atomic_store_explicit(&w->feeds_used, next, memory_order_release);
}

void
worker_feeds(struct worker *w, const struct feeds *feeds)
{
	atomic_store_explicit(&w->feeds_next, feeds, memory_order_release);
}

bool
worker_feeds_taken(const struct worker *w, const struct feeds *feeds)
{
	return atomic_load_explicit(&w->feeds_used, memory_order_acquire) == feeds;
}

/* Heads and messages ask for every one of them what may be read. These two were recognised once and for all. */
static void
look_up_feeds(struct worker *w, struct flow *f, struct conn *c)
{
	unsigned proto = c->side[0].proto;
	c->feeds = feeds_of(w, f);
	c->feeds_turn = w->feeds_turn;
	if ((proto != CONN_RLPX || conn_may(c, FEED_RLPX)) && (proto != CONN_GRPC || h2_may(c)))
		return;
	w->ctr[CTR_FEED_OFF]++;
	end_conn(w, c);
	conn_fresh(c, true);
}

static struct conn *
conn_for(struct worker *w, struct flow *f, uint64_t off)
{
	bool evicted;
	struct conn *c = conn_get(&w->conns, f, &evicted);
	if (evicted)
		end_conn(w, c);
	if (c->flow != f) {
		conn_bind(c, f, feeds_of(w, f), f->midstream || off > 0);
		c->feeds_turn = w->feeds_turn;
	} else if (c->feeds_turn != w->feeds_turn) {
		look_up_feeds(w, f, c);
	}
	return c;
}

/* A bare value on a connection: a node's Unix socket, carried over TCP. */
static bool
json_looks_like(struct span in)
{
	return in.p[0] == '{' || in.p[0] == '[';
}

static void
json_begin(struct worker *w, struct conn *c, unsigned dir)
{
	struct conn_side *s = &c->side[dir];
	w->ctr[CTR_STREAM_CONNECTIONS] += c->side[!dir].proto != CONN_JSON;
	s->proto = CONN_JSON;
	body_begin_stream(w, c, dir, dir == 0 ? BODY_REQUEST : BODY_ANSWER);
}

static uint32_t
json_feed(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	w->ctr[c->side[dir].body == BODY_NONE ? CTR_ST_SKIP_UNSYNCED : CTR_ST_PARSED] += in.len;
	body_piece(w, c, dir, in, false);
	return in.len;
}

/* Nothing that is HTTP was read of the direction, and it began otherwise. */
static bool
unread_yet(const struct conn *c, unsigned dir)
{
	const struct http1_head *h = http1_last(&c->http, dir);
	const struct conn_side *s = &c->side[dir];
	return !s->started || (s->proto == CONN_HTTP && s->unsynced == CTR_ST_SKIP_OPAQUE && h->status == 0 && !h->request);
}

/* HTTP/2 without a preface: a server may speak before its client does. */
static bool
begins_without_preface(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	if (!h2_may(c) || !unread_yet(c, !dir) || (h2_looks_like(in) != 1 && !h2_server_begins(in)))
		return false;
	grpc_begin(w, c, false, 0);
	return true;
}

/* A connection may change over to HTTP/2 between two requests: because it was agreed upon, or because the server is one that looks for the
 * preface in every place. */
static bool
preface_comes(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	if (c->side[dir].preface == 0 && (!h2_may_begin(in) || !http1_between(&c->http, dir)))
		return false;
	return h2_begins(w, c, dir, in);
}

/* Even if there are too few to tell; but a zero alone begins frames of HTTP/2 as well. */
static bool
may_be_rlpx(struct span in)
{
	int looks = rlpx_looks_like(in);
	return looks == 1 || (looks < 0 && (in.len > 1 || in.p[0] != 0));
}

/* Back to HTTP: the bytes are what no other protocol's could be. */
static void
read_as_http(struct worker *w, struct conn *c, bool midstream)
{
	struct flow *f = w->flow;
	unsigned dir = w->dir;
	end_conn(w, c);
	conn_fresh(c, midstream);
	set_current(w, f, c, dir);
}

/* HTTP/1 in this direction of a connection that is read as HTTP/2 is no sign that it is not: it answers what was asked before that began. */
static bool
answers_earlier(const struct conn *c, unsigned dir)
{
	return c->changed_over == 1 + !dir;
}

/* The first bytes of a direction that are not HTTP's name the reason for which bytes are passed over, or another protocol; they are no
 * reason to stop looking: anyone who can slip a segment in before the first one could otherwise have the whole flow go by unread. */
static void
look_first(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	struct conn_side *s = &c->side[dir];
	struct framer_out o;
	s->started = true;
	if (s->proto == CONN_GRPC && http1_looks_like(in) == 1 && !answers_earlier(c, dir)) /* only the other side has said so */
		read_as_http(w, c, true);
	if (s->proto != CONN_HTTP || h2_begins(w, c, dir, in) || begins_without_preface(w, c, dir, in))
		return;
	if (http1_looks_like(in) != 0)
		return;
	if (json_looks_like(in)) {
		json_begin(w, c, dir);
	} else if (may_be_rlpx(in) && conn_may(c, FEED_RLPX) && !c->side[!dir].started) {
		rlpx_begin(w, c, false);
	} else {
		s->unsynced = CTR_ST_SKIP_OPAQUE;
		http1_gap(&c->http, dir, 1, &o); /* out of step from the beginning; nothing was held or begun */
	}
}

/* A request whose method begins as the client's preface does: what h2 holds of it is read as HTTP/1's, which was in step. */
static bool
was_no_preface(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	static const uint8_t preface[] = H2_PREFACE;
	struct framer_out o;
	uint32_t n = h2_take_back(&c->grpc.h2, dir, in);
	bool other = c->side[!dir].started;
	if (n == 0)
		return false;
	w->ctr[CTR_ST_BUFFERED] -= n;
	read_as_http(w, c, false);
	c->side[dir].started = true;
	c->side[!dir].started = other;
	if (other)
		http1_gap(&c->http, !dir, 1, &o); /* it may be anywhere */
	http_feed(w, c, dir, (struct span){preface, n});
	return true;
}

/* A direction that is out of step may be another protocol's: the beginning was not seen, or somebody forged it. */
static void
look_again(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	switch (c->side[dir].proto) {
	case CONN_HTTP:
		if (preface_comes(w, c, dir, in))
			return;
		if ((http1_in_step(&c->http, dir) && !c->side[dir].doubt) || http1_looks_like(in) == 1)
			return;
		if (websocket_looks_like(in))
			ws_pickup(w, c, dir);
		else if (http1_in_step(&c->http, dir))
			return;
		else if ((!http1_in_step(&c->http, !dir) || !c->side[!dir].started) && !c->has_ws && h2_may(c) && h2_looks_like(in) == 1)
			grpc_begin(w, c, true, 0);
		else if (!http1_in_step(&c->http, !dir) && !c->has_ws && conn_may(c, FEED_RLPX) && rlpx_expected(w, w->flow))
			rlpx_begin(w, c, true);
		break;
	case CONN_WS: /* sees to it itself */
		break;
	case CONN_JSON:
		if (c->side[dir].body == BODY_NONE && http1_looks_like(in) == 1)
			c->side[dir].proto = CONN_HTTP;
		else if (c->side[dir].body == BODY_NONE && json_looks_like(in))
			json_begin(w, c, dir);
		break;
	case CONN_RLPX:
		/* surely: a short segment of ciphertext looks like a request now and then, and what is held for a late key would be gone */
		if ((!rlpx_readable(&c->rlpx, dir) || c->side[dir].doubt) && http1_surely(in))
			read_as_http(w, c, true);
		break;
	case CONN_GRPC:
		if (was_no_preface(w, c, dir, in))
			return;
		if ((!h2_in_step(&c->grpc.h2, dir) || c->side[dir].doubt) && http1_surely(in) && h2_looks_like(in) != 1 && !answers_earlier(c, dir))
			read_as_http(w, c, true);
		break;
	}
}

static void
feed_side(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	while (in.len > 0) {
		uint32_t n = in.len;
		switch (c->side[dir].proto) {
		case CONN_HTTP:
			n = http_feed(w, c, dir, in);
			break;
		case CONN_WS:
			n = ws_feed(w, c, dir, in);
			break;
		case CONN_JSON:
			n = json_feed(w, c, dir, in);
			break;
		case CONN_RLPX:
			rlpx_take(w, c, dir, in);
			break;
		case CONN_GRPC:
			grpc_take(w, c, dir, in);
			break;
		}
		in.p += n;
		in.len -= n;
	}
}

/* ---- what net calls ---- */

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	w->now_ns = now_ns;
	w->end_flow = NULL;
	struct conn *c = conn_for(w, f, off);
	set_current(w, f, c, dir);
	w->sides_pending = w->n_pending;
	w->end_flow = f;
	w->end_dir = dir;
	w->end = off + bytes.len;
	if (!c->side[dir].started)
		look_first(w, c, dir, bytes);
	else
		look_again(w, c, dir, bytes);
	feed_side(w, c, dir, bytes);
	side_data(w, f, c, dir, bytes.len);
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	side_gap(w, f, dir, n);
	if (c == NULL) {
		conn_missed_bytes(f);
		return;
	}
	w->now_ns = now_ns;
	w->end_flow = NULL;
	set_current(w, f, c, dir);
	c->side[dir].started = true;
	switch (c->side[dir].proto) {
	case CONN_HTTP:
		http_gap(w, c, dir, n);
		break;
	case CONN_WS:
		ws_gap(w, c, dir, n);
		break;
	case CONN_JSON:
		body_cut(w, c, dir);
		c->join.lost = JOIN_GAP;
		break;
	case CONN_RLPX:
		rlpx_missing(w, c, dir, n);
		break;
	case CONN_GRPC:
		grpc_missing(w, c, dir, n);
		break;
	}
}

/* The first version of the bytes may have been forged: what it said of the length of things to come. */
static void
doubt(struct conn *c, unsigned dir)
{
	struct conn_side *s = &c->side[dir];
	s->doubt = true;
	if (s->proto == CONN_HTTP)
		http1_doubt(&c->http, dir);
	else if (s->proto == CONN_WS)
		websocket_doubt(&c->ws, dir);
}

static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	w->now_ns = now_ns;
	probe_conflict(w, f, dir, bytes);
	if (conn_of(f) != NULL && f->overlap_conflict)
		doubt(conn_of(f), dir);
}

static void
on_ahead(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	w->now_ns = now_ns;
	probe_ahead(w, f, dir, bytes);
}

static void
on_acked(void *ctx, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns)
{
	struct worker *w = ctx;
	w->now_ns = now_ns;
	evidence_acked(w, f, dir, off, in_place, now_ns);
}

static void
on_belied(void *ctx, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why, uint64_t now_ns)
{
	struct worker *w = ctx;
	w->now_ns = now_ns;
	evidence_belied(w, f, dir, from, to, why);
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c == NULL)
		return;
	w->now_ns = now_ns;
	w->end_flow = NULL;
	set_current(w, f, c, dir);
	end_side(w, c, dir);
}

static void
on_forget(void *ctx, struct flow *f)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	w->end_flow = NULL;
	evidence_closed(w, f);
	side_close(w, f);
	if (c == NULL)
		return;
	/* The stream has ended both directions; what a parser may still hold ends here. */
	end_conn(w, c);
	conn_put(&w->conns, c);
}

static void
on_open(void *ctx, struct flow *f)
{
	side_open(ctx, f);
}

const struct stream_ops feed_ops = {
	.open = on_open,
	.data = on_data,
	.gap = on_gap,
	.conflict = on_conflict,
	.end = on_end,
	.forget = on_forget,
	.ahead = on_ahead,
	.acked = on_acked,
	.belied = on_belied,
};
