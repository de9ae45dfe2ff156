/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/worker_private.h"

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "node feeds and feeds")
SAME(NODE_FEED_HTTP, FEED_HTTP + 1);
SAME(NODE_FEED_WEBSOCKET, FEED_WEBSOCKET + 1);
SAME(NODE_FEED_RLPX, FEED_RLPX + 1);
SAME(NODE_FEED_ENGINE, FEED_ENGINE + 1);
SAME(NODE_FEED_GRPC, FEED_GRPC + 1);
SAME(NODE_FEED_ARBITRUM, FEED_ARBITRUM + 1);

#define WORD(member) (offsetof(struct stats_node_feed, member) / sizeof(uint64_t))
SAME(WORD(crossed), WORD(messages) + 1);
SAME(WORD(hash_duplicate), WORD(messages) + SIDE_TRACKED - 1);

void
sides_settle(struct worker *w)
{
	struct sides *s = &w->sides;
	const uint64_t *ctr = w->ctr;
	const uint64_t now[SIDE_TRACKED] = {
		ctr[CTR_JSON_MESSAGES] + ctr[CTR_ANSWERS] + ctr[CTR_L2_MESSAGES] + w->rlpx.counts[RLPX_N_MESSAGES] + w->grpc.counts[GRPC_N_MESSAGES],
		ctr[CTR_TX_CROSSED],
		ctr[CTR_TX_SCANNED],
		ctr[CTR_TX_DUPLICATE],
		ctr[CTR_NODE_HASHES],
		ctr[CTR_NODE_SCANNED],
		ctr[CTR_NODE_DUPLICATE],
	};
	uint64_t *to = &s->of[s->now].messages;
	for (unsigned i = 0; i < SIDE_TRACKED; i++) {
		to[i] += now[i] - s->before[i];
		s->before[i] = now[i];
	}
}

void
side_open(struct worker *w, struct flow *f)
{
	unsigned end, node = nodes_of(w->nodes, &f->key, &end);
	f->tally = side_tally(node, NODE_FEED_UNREAD, end);
	w->sides.of[side_of_tally(f->tally)].opened++;
}

void
side_close(struct worker *w, const struct flow *f)
{
	w->sides.of[side_of_tally(f->tally)].closed++;
}

static unsigned
feed_now(const struct conn *c, unsigned dir)
{
	unsigned proto = c->side[dir].proto != CONN_HTTP ? c->side[dir].proto : c->side[!dir].proto;
	const struct http1_head *h;
	switch (proto) {
	case CONN_WS:
		return c->sequencer ? NODE_FEED_ARBITRUM : NODE_FEED_WEBSOCKET;
	case CONN_JSON:
		return NODE_FEED_IPC;
	case CONN_RLPX:
		return NODE_FEED_RLPX;
	case CONN_GRPC:
		return NODE_FEED_GRPC;
	default:
		h = http1_last(&c->http, dir);
		if (c->engine)
			return NODE_FEED_ENGINE;
		return h->request || h->status != 0 ? NODE_FEED_HTTP : NODE_FEED_UNREAD;
	}
}

/* What has been counted of these bytes already, and what waits to be judged, goes with them. */
static void
move(struct worker *w, struct flow *f, unsigned feed)
{
	uint32_t from = side_of_tally(f->tally), to = from - side_feed(from) + feed;
	w->sides.of[from].closed++;
	w->sides.of[to].opened++;
	f->tally = to * (uint32_t)SIDE_WORDS | (f->tally & 1);
	for (uint32_t i = w->sides_pending; i < w->n_pending; i++)
		if (w->pending[i].where.side == from)
			w->pending[i].where.side = (uint16_t)to;
	w->sides.now = to;
}

void
side_data(struct worker *w, struct flow *f, struct conn *c, unsigned dir, uint32_t bytes)
{
	unsigned was = side_feed(side_of_tally(f->tally)), feed = feed_now(c, dir);
	/* A head of the other direction told HTTP, or this one is out of step for now. */
	if (feed != was && feed != NODE_FEED_UNREAD)
		move(w, f, feed);
	struct stats_node_feed *s = &w->sides.of[side_of_tally(f->tally)];
	s->bytes[(f->tally & 1) ^ dir] += bytes;
	s->last_ns = w->now_ns;
}

void
side_gap(struct worker *w, const struct flow *f, unsigned dir, uint64_t bytes)
{
	w->sides.of[side_of_tally(f->tally)].gap[(f->tally & 1) ^ dir] += bytes;
}
