/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes that are read on their own, outside their stream: the losing versions of overlapping ones, and those ahead of their turn. The bytes
 * themselves are accounted for by net, so heads, bodies and bytes are not counted here; what the sink does with the transactions is its own
 * affair. */
#include "worker/worker_private.h"

#include <string.h>

struct probe {
	jsonrpc_sink sink;
	bool active; /* a body goes to w->probe_json */
	bool many;   /* it may be of many values */
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
	if (!p->active)
		return;
	if (w->arena.scratch_used > SCRATCH_SOFT) {
		judge_now(w);
		w->arena.scratch_used = 0;
	}
	enum jsonrpc_status s = jsonrpc_feed(w->probe_json, &w->arena, piece, last, p->sink, w, &messages);
	p->active = !last && (s == JSONRPC_MORE || (s == JSONRPC_DONE && p->many));
}

static void
begin_probe(struct worker *w, struct probe *p)
{
	p->active = true;
	if (p->many)
		jsonrpc_init_stream(w->probe_json);
	else
		jsonrpc_init(w->probe_json);
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
		if (o.verdict == FRAMER_MESSAGE && http1_last(w->probe_http, dir)->request && !o.last)
			begin_probe(w, &p);
		else if (o.verdict == FRAMER_BODY)
			feed_probe(w, &p, o.body, o.last);
		in.p += n;
		in.len -= n;
	}
	cut_probe(w, &p); /* the rest of its request is not here */
}

/* As whole frames that begin here. */
static void
probe_ws(struct worker *w, unsigned dir, struct span in, jsonrpc_sink sink)
{
	struct probe p = {.sink = sink, .many = true};
	struct websocket ws;
	struct websocket_room room = {w->unmasked, UNMASKED_BYTES};
	websocket_init(&ws, dir == 0 ? WEBSOCKET_CLIENT_DIR0 : WEBSOCKET_CLIENT_DIR1, true, true);
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = websocket_feed(&ws, dir, in, room, &o);
		if (o.verdict == FRAMER_MESSAGE || o.verdict == FRAMER_LOST)
			cut_probe(w, &p);
		if (o.verdict == FRAMER_MESSAGE && !o.last && !websocket_last(&ws, dir)->compressed)
			begin_probe(w, &p);
		else if (o.verdict == FRAMER_BODY)
			feed_probe(w, &p, o.body, o.last);
		in.p += n;
		in.len -= n;
	}
	cut_probe(w, &p);
}

static void
probe(struct worker *w, bool ws, unsigned dir, struct span in, jsonrpc_sink sink)
{
	if (ws)
		probe_ws(w, dir, in, sink);
	else
		probe_http(w, dir, in, sink);
}

static bool
is_ws(const struct conn *c, unsigned dir)
{
	return c != NULL && c->side[dir].proto == CONN_WS;
}

/* As the middle of a body: from the first object on, as elements of a batch whose beginning is not here. */
static void
probe_body(struct worker *w, struct span in, jsonrpc_sink sink)
{
	static const uint8_t open[] = "[";
	const uint8_t *at = memchr(in.p, '{', in.len);
	struct probe p = {.sink = sink};
	if (at == NULL)
		return;
	begin_probe(w, &p);
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

/* Bytes of a direction that carries no requests, or of a protocol that cannot be read. */
static bool
no_requests(const struct conn *c, unsigned dir)
{
	if (c == NULL)
		return false;
	switch (c->side[dir].proto) {
	case CONN_HTTP:
		return http1_last(&c->http, dir)->status != 0 || c->side[dir].unsynced == CTR_ST_SKIP_OPAQUE;
	case CONN_WS:
		return websocket_client(&c->ws) == (int)!dir;
	case CONN_JSON:
		return dir != 0;
	case CONN_GRPC:
		return h2_client(&c->grpc.h2) != (int)dir;
	default:
		return true;
	}
}

/* Taken for RLPx or gRPC: by its first bytes, which anybody may have forged. */
static bool
is_binary(const struct conn *c, unsigned dir)
{
	return c != NULL && (c->side[dir].proto == CONN_RLPX || c->side[dir].proto == CONN_GRPC);
}

/* A node may have taken the losing version instead of the first. Only its transactions are counted, and where none could be read the version
 * itself, as one that was not. */
void
probe_conflict(struct worker *w, struct flow *f, unsigned dir, struct span bytes)
{
	struct conn *c = conn_of(f);
	set_current(w, f, c, dir);
	if (is_binary(c, dir) && no_requests(c, dir) && http1_looks_like(bytes) != 1)
		return;
	w->probing = true;
	w->probed = 0;
	probe(w, is_ws(c, dir), dir, bytes, take_other);
	if (w->probed == 0 && c != NULL && !is_binary(c, dir) && c->has_ws) /* the first version may have said what it is not */
		probe(w, !is_ws(c, dir), dir, bytes, take_other);
	if (w->probed == 0)
		probe_body(w, bytes, take_other);
	w->probing = false;
	if (w->probed > 0 || no_requests(c, dir) || !f->overlap_conflict)
		return;
	w->ctr[CTR_TX_CROSSED]++;
	w->ctr[CTR_TX_UNSCANNED_CONFLICT]++;
}

/* What is a body to one node may be frames to another. */
void
probe_frames(struct worker *w, struct flow *f, unsigned dir, struct span bytes)
{
	set_current(w, f, conn_of(f), dir);
	w->probing = true;
	probe(w, true, dir, bytes, take_other);
	w->probing = false;
}

static void
take_ahead(void *ctx, const struct jsonrpc_item *it)
{
	struct worker *w = ctx;
	struct crossing x;
	if (it->state != JSONRPC_OK)
		return;
	crossing_base(w, &x, request_carrier(w, it->kind));
	x.bundle_len = it->bundle_len;
	x.bundle_pos = it->bundle_pos;
	x.trust |= TRUST_AHEAD | (it->bundle_len ? TRUST_BUNDLE : 0);
	judge_ahead(w, tx_within(it->raw), &x);
}

/* A hole in front of these bytes may be filled in a moment or given up after seconds. Whole requests in them are looked at now. */
void
probe_ahead(struct worker *w, struct flow *f, unsigned dir, struct span bytes)
{
	struct conn *c = conn_of(f);
	if (is_binary(c, dir) ? http1_looks_like(bytes) != 1 : no_requests(c, dir))
		return;
	set_current(w, f, c, dir);
	w->probing = true;
	probe(w, is_ws(c, dir), dir, bytes, take_ahead);
	w->probing = false;
}
