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

static void
feed_json(struct worker *w, struct jsonrpc *j, struct span piece, bool last, bool *active)
{
	uint32_t messages = 0;
	if (w->arena.scratch_used > SCRATCH_SOFT) {
		judge_now(w);
		w->arena.scratch_used = 0;
	}
	enum jsonrpc_status s = jsonrpc_feed(j, &w->arena, piece, last, take_item, w, &messages);
	count_json(w, s, messages);
	if (s != JSONRPC_MORE || last)
		*active = false;
}

static void
cut_json(struct worker *w, struct conn *c)
{
	if (!c->body_json)
		return;
	w->ctr[CTR_JSON_TRUNCATED]++;
	jsonrpc_cut(&c->json, &w->arena, take_item, w);
	c->body_json = false;
}

static void
head_read(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	const struct http1_head *h = http1_last(&c->http, dir);
	w->ctr[h->request ? CTR_HTTP_REQUESTS : CTR_HTTP_RESPONSES]++;
	w->ctr[CTR_HTTP_RESYNC] += o->resync;
	if (!h->request)
		return;
	cut_json(w, c);
	c->body_json = !h->encoded && !o->last;
	if (h->encoded)
		w->ctr[CTR_HTTP_ENCODED]++;
	else
		jsonrpc_init(&c->json);
}

static bool
carries_requests(const struct conn *c, unsigned dir)
{
	return http1_last(&c->http, dir)->request;
}

static void
use_verdict(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	static const enum sentinel_counter skipped[] = {
		[FRAMER_SKIP_UNSYNCED] = CTR_ST_SKIP_UNSYNCED,
		[FRAMER_SKIP_OPAQUE] = CTR_ST_SKIP_OPAQUE,
		[FRAMER_SKIP_LOST] = CTR_ST_SKIP_LOST,
	};
	w->ctr[CTR_ST_PARSED] += o->parsed;
	if (o->skipped)
		w->ctr[skipped[o->reason]] += o->skipped;
	switch (o->verdict) {
	case FRAMER_MESSAGE:
		head_read(w, c, dir, o);
		break;
	case FRAMER_BODY:
		if (c->body_json && carries_requests(c, dir))
			feed_json(w, &c->json, o->body, o->last, &c->body_json);
		break;
	case FRAMER_LOST:
		w->ctr[o->lost == FRAMER_LOST_BAD ? CTR_HTTP_BAD : CTR_HTTP_LOST]++;
		if (carries_requests(c, dir))
			cut_json(w, c);
		break;
	case FRAMER_UPGRADE:
		head_read(w, c, dir, o);
		c->opaque = true;
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
	while (in.len > 0 && !c->opaque) {
		struct framer_out o;
		uint32_t n = http1_feed(&c->http, dir, in, &o);
		use_verdict(w, c, dir, &o);
		in.p += n;
		in.len -= n;
	}
	w->ctr[CTR_ST_SKIP_OPAQUE] += in.len;
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
	if (carries_requests(c, dir))
		cut_json(w, c);
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

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	set_current(w, f, dir, now_ns);
	struct conn *c = conn_for(w, f, off);
	if (!c->started[dir]) {
		c->started[dir] = true;
		if (http1_looks_like(bytes) == 0)
			c->opaque = true;
	}
	feed_http(w, c, dir, bytes);
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c == NULL || c->opaque)
		return;
	set_current(w, f, dir, now_ns);
	c->started[dir] = true;
	uint32_t held = http1_held(&c->http, dir);
	struct framer_out o;
	http1_gap(&c->http, dir, n, &o);
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += http1_held(&c->http, dir) - (uint64_t)held;
}

/* The losing version of overlapping bytes is read on its own, as a flow that begins here: a node may have taken it
 * instead of the first. Its bytes are accounted for by net, so only its transactions are counted. */
static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct worker *w = ctx;
	struct conn *c = conn_of(f);
	if (c != NULL && c->opaque)
		return;
	set_current(w, f, dir, now_ns);
	http1_init(w->probe_http, true);
	bool active = false;
	while (bytes.len > 0) {
		struct framer_out o;
		uint32_t n = http1_feed(w->probe_http, dir, bytes, &o);
		if (o.verdict == FRAMER_MESSAGE) {
			const struct http1_head *h = http1_last(w->probe_http, dir);
			active = h->request && !h->encoded && !o.last;
			jsonrpc_init(w->probe_json);
		} else if (o.verdict == FRAMER_BODY && active) {
			feed_json(w, w->probe_json, o.body, o.last, &active);
		}
		bytes.p += n;
		bytes.len -= n;
	}
	if (active) /* the rest of its request is not here: it cannot be read */
		jsonrpc_cut(w->probe_json, &w->arena, take_item, w);
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
};
