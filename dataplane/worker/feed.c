/* SPDX-License-Identifier: BSD-3-Clause */
/* Stream bytes to transactions: what happens to a flow's in-order bytes, its gaps and its end. */
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

static void
crossing_of(const struct worker *w, const struct jsonrpc_item *it, struct crossing *x)
{
	static const uint8_t carrier_of[] = {
		[JSONRPC_RAW] = CARRIER_HTTP_JSONRPC,
		[JSONRPC_PRIVATE] = CARRIER_HTTP_JSONRPC_PRIVATE,
		[JSONRPC_BUNDLE] = CARRIER_HTTP_JSONRPC_BUNDLE,
		[JSONRPC_UNSIGNED] = CARRIER_HTTP_JSONRPC,
	};
	const struct flow *f = w->flow;
	x->claim = NULL;
	x->t_wire_ns = w->now_ns;
	x->carrier = carrier_of[it->kind];
	/* Only requests carry submissions, whoever net took for the initiator. */
	x->direction = DIR_C2S;
	x->trust = trust_of(f, w->dir) | (it->bundle_len ? TRUST_BUNDLE : 0);
	x->bundle_len = it->bundle_len;
	x->bundle_pos = it->bundle_pos;
	x->src_port = f->key.port[w->dir];
	x->dst_port = f->key.port[!w->dir];
	memcpy(x->src_ip, f->key.ip[w->dir], 16);
	memcpy(x->dst_ip, f->key.ip[!w->dir], 16);
}

static void
take_item(void *ctx, const struct jsonrpc_item *it)
{
	static const enum sentinel_counter unscanned[] = {
		[JSONRPC_BAD_HEX] = CTR_TX_UNSCANNED_HEX,
		[JSONRPC_OVERSIZE] = CTR_TX_UNSCANNED_OVERSIZE,
		[JSONRPC_HASH_ONLY] = CTR_TX_UNSCANNED_HASH_ONLY,
		[JSONRPC_UNSIGNED_OBJECT] = CTR_TX_UNSCANNED_UNSIGNED,
		[JSONRPC_NO_BUFFER] = CTR_TX_UNSCANNED_NO_BUFFER,
		[JSONRPC_CUT] = CTR_TX_UNSCANNED_GAP,
	};
	struct worker *w = ctx;
	w->ctr[CTR_TX_CROSSED]++;
	if (it->state != JSONRPC_OK) {
		w->ctr[unscanned[it->state]]++;
		return;
	}
	struct crossing x;
	crossing_of(w, it, &x);
	judge_later(w, it->raw, &x);
	if (!it->in_scratch)
		judge_now(w);
}

static void
count_json(struct worker *w, enum jsonrpc_status s, uint32_t messages)
{
	w->ctr[CTR_JSON_MESSAGES] += messages;
	if (s == JSONRPC_MALFORMED)
		w->ctr[CTR_JSON_BAD]++;
	else if (s == JSONRPC_TOO_DEEP)
		w->ctr[CTR_JSON_DEPTH]++;
}

static enum jsonrpc_status
scan_json(struct worker *w, struct jsonrpc *j, struct span piece, bool last, jsonrpc_sink sink, uint32_t *messages)
{
	if (w->arena.scratch_used > SCRATCH_SOFT) {
		judge_now(w);
		w->arena.scratch_used = 0;
	}
	return jsonrpc_feed(j, &w->arena, piece, last, sink, w, messages);
}

static void
feed_json(struct worker *w, struct jsonrpc *j, struct span piece, bool last, bool *active)
{
	uint32_t messages = 0;
	enum jsonrpc_status s = scan_json(w, j, piece, last, take_item, &messages);
	count_json(w, s, messages);
	if (s != JSONRPC_MORE || last)
		*active = false;
}

static void
cut_json(struct worker *w, struct conn *c, unsigned dir)
{
	if (!c->body_json[dir])
		return;
	w->ctr[CTR_JSON_TRUNCATED]++;
	jsonrpc_cut(&c->json[dir], &w->arena, take_item, w);
	c->body_json[dir] = false;
}

static void
head_read(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	const struct http1_head *h = http1_last(&c->http, dir);
	w->ctr[h->request ? CTR_HTTP_REQUESTS : CTR_HTTP_RESPONSES]++;
	w->ctr[CTR_HTTP_RESYNC] += o->resync;
	c->unsynced[dir] = CTR_ST_SKIP_UNSYNCED;
	cut_json(w, c, dir);
	if (!h->request || o->last)
		return;
	/* Nodes do not look at a request's Content-Encoding: what it says is no reason not to read the body. */
	w->ctr[CTR_HTTP_ENCODED] += h->encoded;
	c->body_json[dir] = true;
	jsonrpc_init(&c->json[dir]);
}

static void
count_bytes(struct worker *w, const struct conn *c, unsigned dir, const struct framer_out *o)
{
	w->ctr[CTR_ST_PARSED] += o->parsed;
	if (o->skipped == 0)
		return;
	switch (o->reason) {
	case FRAMER_SKIP_UNSYNCED:
		w->ctr[c->unsynced[dir]] += o->skipped;
		break;
	case FRAMER_SKIP_OPAQUE:
		w->ctr[CTR_ST_SKIP_OPAQUE] += o->skipped;
		break;
	case FRAMER_SKIP_LOST:
		w->ctr[CTR_ST_SKIP_LOST] += o->skipped;
		break;
	}
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
		c->unsynced[0] = c->unsynced[1] = CTR_ST_SKIP_OPAQUE;
		http1_read_on(&c->http);
		break;
	case FRAMER_BODY:
		if (c->body_json[dir])
			feed_json(w, &c->json[dir], o->body, o->last, &c->body_json[dir]);
		break;
	case FRAMER_LOST:
		w->ctr[o->lost == FRAMER_LOST_BAD ? CTR_HTTP_BAD : CTR_HTTP_LOST]++;
		cut_json(w, c, dir);
		break;
	case FRAMER_MORE:
	case FRAMER_SKIP:
		break;
	}
}

static void
feed_http(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	uint32_t held = http1_held(&c->http, dir);
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = http1_feed(&c->http, dir, in, &o);
		use_verdict(w, c, dir, &o);
		in.p += n;
		in.len -= n;
	}
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
}

/* A direction's parser is over: what it holds will never become a message. */
static void
end_http(struct worker *w, struct conn *c, unsigned dir)
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
	cut_json(w, c, dir);
}

static void
set_current(struct worker *w, struct flow *f, unsigned dir, uint64_t now_ns)
{
	w->flow = f;
	w->dir = dir;
	w->now_ns = now_ns;
}

static struct conn *
conn_for(struct worker *w, struct flow *f, uint64_t off)
{
	bool evicted;
	struct conn *c = conn_get(&w->conns, f, &evicted);
	if (evicted) {
		struct flow *current = w->flow;
		unsigned dir = w->dir;
		for (unsigned d = 0; d < 2; d++) {
			set_current(w, c->flow, d, w->now_ns);
			end_http(w, c, d);
		}
		set_current(w, current, dir, w->now_ns);
	}
	if (c->flow != f)
		conn_bind(c, f, f->midstream || off > 0);
	return c;
}

/* The first bytes of a direction that are not HTTP's name the reason for which bytes are passed over; they are no reason to stop
 * looking: anyone who can slip a segment in before the first one could otherwise have the whole flow go by unread. */
static void
look_first(struct conn *c, unsigned dir, struct span bytes)
{
	struct framer_out o;
	if (c->started[dir])
		return;
	c->started[dir] = true;
	if (http1_looks_like(bytes) != 0)
		return;
	c->unsynced[dir] = CTR_ST_SKIP_OPAQUE;
	http1_gap(&c->http, dir, 1, &o); /* out of step from the beginning; nothing was held or begun */
}

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	set_current(w, f, dir, now_ns);
	struct conn *c = conn_for(w, f, off);
	look_first(c, dir, bytes);
	feed_http(w, c, dir, bytes);
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c == NULL) {
		conn_missed_bytes(f);
		return;
	}
	set_current(w, f, dir, now_ns);
	c->started[dir] = true;
	uint32_t held = http1_held(&c->http, dir);
	struct framer_out o;
	http1_gap(&c->http, dir, n, &o);
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
}

/* ---- bytes that are read on their own, outside their stream ---- */

/* The bytes themselves are accounted for by net, so heads, bodies and bytes are not counted here; what the sink does with
 * the transactions is its own affair. */
struct probe {
	jsonrpc_sink sink;
	bool active; /* a body goes to w->probe_json */
};

static void
cut_probe(struct worker *w, struct probe *p)
{
	if (p->active)
		jsonrpc_cut(w->probe_json, &w->arena, p->sink, w);
	p->active = false;
}

static void
feed_probe(struct worker *w, struct probe *p, struct span piece, bool last)
{
	uint32_t messages = 0;
	if (p->active && (scan_json(w, w->probe_json, piece, last, p->sink, &messages) != JSONRPC_MORE || last))
		p->active = false;
}

/* As a flow that begins here. */
static void
probe_http(struct worker *w, unsigned dir, struct span in, jsonrpc_sink sink)
{
	struct probe p = {.sink = sink};
	http1_init(w->probe_http, true);
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = http1_feed(w->probe_http, dir, in, &o);
		if (o.verdict == FRAMER_MESSAGE || o.verdict == FRAMER_LOST)
			cut_probe(w, &p);
		if (o.verdict == FRAMER_MESSAGE && http1_last(w->probe_http, dir)->request && !o.last) {
			p.active = true;
			jsonrpc_init(w->probe_json);
		} else if (o.verdict == FRAMER_BODY) {
			feed_probe(w, &p, o.body, o.last);
		}
		in.p += n;
		in.len -= n;
	}
	cut_probe(w, &p); /* the rest of its request is not here */
}

/* As the middle of a body: from the first object on, as elements of a batch whose beginning is not here. */
static void
probe_body(struct worker *w, struct span in, jsonrpc_sink sink)
{
	static const uint8_t open[] = "[";
	const uint8_t *at = memchr(in.p, '{', in.len);
	struct probe p = {.sink = sink, .active = true};
	if (at == NULL)
		return;
	jsonrpc_init(w->probe_json);
	feed_probe(w, &p, (struct span){open, 1}, false);
	feed_probe(w, &p, (struct span){at, in.len - (uint32_t)(at - in.p)}, false);
	cut_probe(w, &p);
}

static void
take_other(void *ctx, const struct jsonrpc_item *it)
{
	struct worker *w = ctx;
	w->probed++;
	if (it->state == JSONRPC_CUT) {
		w->ctr[CTR_TX_CROSSED]++;
		w->ctr[CTR_TX_UNSCANNED_CONFLICT]++;
		return;
	}
	take_item(w, it);
}

/* The losing version of overlapping bytes is read on its own: a node may have taken it instead of the first. Its bytes are accounted
 * for by net, so only its transactions are counted, and where none could be read the version itself, as one that was not. */
static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	const struct conn *c = conn_of(f);
	bool other = c != NULL && (http1_last(&c->http, dir)->status != 0 || c->unsynced[dir] == CTR_ST_SKIP_OPAQUE);
	set_current(w, f, dir, now_ns);
	w->probed = 0;
	probe_http(w, dir, bytes, take_other);
	if (w->probed == 0)
		probe_body(w, bytes, take_other);
	if (w->probed > 0 || other || !f->overlap_conflict)
		return;
	w->ctr[CTR_TX_CROSSED]++;
	w->ctr[CTR_TX_UNSCANNED_CONFLICT]++;
}

static void
take_ahead(void *ctx, const struct jsonrpc_item *it)
{
	struct worker *w = ctx;
	struct crossing x;
	if (it->state != JSONRPC_OK)
		return;
	crossing_of(w, it, &x);
	x.trust |= TRUST_AHEAD;
	judge_ahead(w, it->raw, &x);
}

/* A hole in front of these bytes may be filled in a moment or given up after seconds. Whole requests in them are looked at now. */
static void
on_ahead(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	const struct conn *c = conn_of(f);
	if (c != NULL && (http1_last(&c->http, dir)->status != 0 || c->unsynced[dir] == CTR_ST_SKIP_OPAQUE))
		return;
	set_current(w, f, dir, now_ns);
	probe_http(w, dir, bytes, take_ahead);
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c == NULL)
		return;
	set_current(w, f, dir, now_ns);
	end_http(w, c, dir);
}

static void
on_forget(void *ctx, struct flow *f)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c == NULL)
		return;
	/* The stream has ended both directions; what a parser may still hold ends here. */
	for (unsigned d = 0; d < 2; d++) {
		set_current(w, f, d, w->now_ns);
		end_http(w, c, d);
	}
	conn_put(&w->conns, c);
}

const struct stream_ops feed_ops = {
	.data = on_data,
	.gap = on_gap,
	.conflict = on_conflict,
	.end = on_end,
	.forget = on_forget,
	.ahead = on_ahead,
};
