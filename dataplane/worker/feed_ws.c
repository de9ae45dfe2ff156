/* SPDX-License-Identifier: BSD-3-Clause */
/* WebSocket: from a handshake on, or in mid-stream. The client's messages are requests, the node's are answers and notifications. */
#include "worker/worker_private.h"

static void
take_over(struct worker *w, struct conn *c, unsigned dir)
{
	w->ctr[CTR_WS_CONNECTIONS] += c->side[!dir].proto != CONN_WS;
	c->side[dir].proto = CONN_WS;
}

/* The last head that was read is a client's handshake. */
static bool
is_handshake(const struct conn *c, unsigned dir)
{
	const struct http1_head *h = http1_last(&c->http, dir);
	return h->websocket && h->request && http1_in_step(&c->http, dir) && !http1_in_head(&c->http, dir);
}

/* A client's frames may be seen before the answer to its handshake: the two directions of a mirror are not in step. Where the handshake announces
 * a body, Go's servers read none once they have agreed: frames come in its place. */
bool
ws_offered(const struct conn *c, unsigned dir, struct span in)
{
	bool agreed = c->side[!dir].proto == CONN_WS;
	return is_handshake(c, dir) && (http1_between(&c->http, dir) || (agreed && http1_body_begins(&c->http, dir))) && websocket_offered(in);
}

bool
ws_instead_of_body(const struct conn *c, unsigned dir, struct span in)
{
	return is_handshake(c, dir) && http1_body_begins(&c->http, dir) && websocket_offered(in);
}

void
ws_expect(struct worker *w, struct conn *c, unsigned client)
{
	if (!c->has_ws)
		websocket_init(&c->ws, (enum websocket_client)client, true, false);
	c->has_ws = true;
	c->ws.client = (uint8_t)client;
	websocket_sync(&c->ws, client);
	if (!http1_between(&c->http, client))
		http_end(w, c, client);
	body_cut(w, c, client);
	inflate_init(&c->side[client].inflate, INFLATE_MESSAGES, true, false);
	take_over(w, c, client);
}

/* The other direction is read as WebSocket from where its last request ended. One that is within a request ends it first (ws_offered), unless that is
 * what only follows the handshake: its body, or what does not look like a request yet. */
static void
begin_client(struct worker *w, struct conn *c, unsigned client, struct http1_extensions e)
{
	bool handshake = is_handshake(c, client), begins = handshake && http1_body_begins(&c->http, client);
	if (http1_between(&c->http, client)) {
		body_cut(w, c, client);
	} else if (http1_in_step(&c->http, client) && !handshake) {
		http1_read_on(&c->http);
		return;
	} else {
		set_current(w, w->flow, c, client);
		http_end(w, c, client);
		set_current(w, w->flow, c, !client);
		if (!begins)
			websocket_desync(&c->ws, client);
	}
	inflate_init(&c->side[client].inflate, INFLATE_MESSAGES, !e.client_no_takeover, false);
	take_over(w, c, client);
}

/* A client that is read as WebSocket already goes on where it is; one that speaks something else altogether has not asked for it. */
void
ws_begin(struct worker *w, struct conn *c, unsigned server)
{
	struct http1_extensions e = http1_last(&c->http, server)->extensions;
	unsigned client = !server, proto = c->side[client].proto;
	if (proto != CONN_WS)
		websocket_init(&c->ws, (enum websocket_client)client, false, false);
	c->ws.client = (uint8_t)client;
	c->ws.rsv1 = e.deflate || e.arbitrum || e.other;
	websocket_sync(&c->ws, server);
	c->has_ws = true;
	c->ws_opaque = e.arbitrum && !e.deflate;
	inflate_init(&c->side[server].inflate, INFLATE_MESSAGES, !e.server_no_takeover, false);
	take_over(w, c, server);
	if (proto != CONN_HTTP)
		return;
	join_http_over(&w->joins, &c->join, JOIN_KNOWN);
	begin_client(w, c, client, e);
}

void
ws_pickup(struct worker *w, struct conn *c, unsigned dir)
{
	if (!c->has_ws)
		websocket_init(&c->ws, WEBSOCKET_CLIENT_UNKNOWN, true, true);
	c->has_ws = true;
	for (unsigned d = 0; d < 2; d++) {
		if (c->side[d].proto != CONN_HTTP || (d != dir && http1_in_step(&c->http, d)))
			continue;
		set_current(w, w->flow, c, d);
		http_end(w, c, d);
		inflate_init(&c->side[d].inflate, INFLATE_MESSAGES, true, true);
		take_over(w, c, d);
	}
	set_current(w, w->flow, c, dir);
	join_http_over(&w->joins, &c->join, w->flow->gap_before[dir] ? JOIN_GAP : JOIN_MIDSTREAM);
}

static void
begin(struct worker *w, struct conn *c, unsigned dir, bool last)
{
	const struct websocket_head *h = websocket_last(&c->ws, dir);
	int client = websocket_client(&c->ws);
	bool request = client < 0 ? h->masked : dir == (unsigned)client;
	enum conn_body body = request ? BODY_REQUEST : BODY_ANSWER;
	w->ctr[CTR_WS_MESSAGES]++;
	body_cut(w, c, dir);
	if (last)
		return;
	if (!conn_may(c, FEED_WEBSOCKET) && !(conn_may(c, FEED_ARBITRUM) && !request))
		w->ctr[CTR_FEED_OFF]++;
	else if (!h->compressed)
		body_begin(w, c, dir, body);
	else if (c->ws_opaque)
		w->ctr[CTR_BODIES_OPAQUE]++;
	else
		body_begin_message(w, c, dir, body);
}

static void
lost(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	w->ctr[o->lost == FRAMER_LOST_BAD ? CTR_WS_BAD : CTR_WS_LOST]++;
	body_cut(w, c, dir);
	if (!websocket_in_step(&c->ws, dir) || websocket_last(&c->ws, dir)->compressed)
		inflate_cut(&c->side[dir].inflate, &w->inflates);
	if (c->join.lost == JOIN_KNOWN)
		c->join.lost = JOIN_GAP;
}

static void
use_verdict(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	count_bytes(w, c, dir, o);
	if (o->verdict == FRAMER_MESSAGE)
		begin(w, c, dir, o->last);
	else if (o->verdict == FRAMER_BODY)
		body_piece(w, c, dir, o->body, o->last);
	else if (o->verdict == FRAMER_LOST)
		lost(w, c, dir, o);
}

/* What is no frame, and may begin as HTTP does: the handshake was forged, or not taken, or is still to come on this side. */
static bool
is_http(const struct conn *c, unsigned dir, const struct framer_out *o, struct span rest)
{
	return o->verdict == FRAMER_LOST && o->lost == FRAMER_LOST_BAD && !websocket_in_step(&c->ws, dir) && rest.len > 0 &&
	       http1_looks_like(rest) != 0;
}

static void
back_to_http(struct worker *w, struct conn *c, unsigned dir)
{
	ws_end(w, c, dir);
	c->side[dir].proto = CONN_HTTP;
	http1_read_on(&c->http);
	if (!http1_in_step(&c->http, dir)) /* it announced the upgrade itself */
		http1_doubt(&c->http, dir);
	join_http_over(&w->joins, &c->join, JOIN_GAP);
}

uint32_t
ws_feed(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	uint32_t held = websocket_held(&c->ws, dir), all = in.len;
	struct websocket_room room = {w->unmasked, UNMASKED_BYTES};
	bool http = (!websocket_in_step(&c->ws, dir) || c->side[dir].doubt) && http1_looks_like(in) == 1;
	while (in.len > 0 && !http) {
		struct framer_out o;
		uint32_t n = websocket_feed(&c->ws, dir, in, room, &o);
		use_verdict(w, c, dir, &o);
		in.p += n;
		in.len -= n;
		http = is_http(c, dir, &o, in);
	}
	w->ctr[CTR_ST_BUFFERED] += websocket_held(&c->ws, dir) - (uint64_t)held;
	if (http)
		back_to_http(w, c, dir);
	return all - in.len;
}

void
ws_gap(struct worker *w, struct conn *c, unsigned dir, uint64_t n)
{
	uint32_t held = websocket_held(&c->ws, dir);
	struct framer_out o;
	websocket_gap(&c->ws, dir, n, &o);
	use_verdict(w, c, dir, &o);
	if (!websocket_in_step(&c->ws, dir)) {
		inflate_cut(&c->side[dir].inflate, &w->inflates);
		c->join.lost = JOIN_GAP;
	}
	w->ctr[CTR_ST_BUFFERED] += websocket_held(&c->ws, dir) - (uint64_t)held;
}

void
ws_end(struct worker *w, struct conn *c, unsigned dir)
{
	struct framer_out o;
	uint32_t held = websocket_held(&c->ws, dir);
	websocket_end(&c->ws, dir, &o);
	if (o.skipped) {
		w->ctr[CTR_ST_SKIP_ENDED] += o.skipped;
		o.skipped = 0;
	}
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += websocket_held(&c->ws, dir) - (uint64_t)held;
	body_cut(w, c, dir);
	inflate_release(&c->side[dir].inflate, &w->inflates);
}
