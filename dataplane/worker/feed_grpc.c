/* SPDX-License-Identifier: BSD-3-Clause */
/* Plaintext HTTP/2: what transaction pools push, are asked for and are handed over gRPC, and JSON-RPC requests. */
#include "worker/worker_private.h"

#include "eth/tx.h"
#include "eth/txpool_proto.h"

#include <string.h>

#define PREFACE_SURE 4u /* "PRI ": a method that only Go's servers would take for one of HTTP/1 */

#define _(id, help) _Static_assert((int)CTR_H2_##id == (int)CTR_H2_CONNECTIONS + (int)H2_N_##id, "counters.h has h2.h's counts, in order");
H2_COUNTS(_)
#undef _
#define _(id, help) _Static_assert((int)CTR_GRPC_##id == (int)CTR_GRPC_MESSAGES + (int)GRPC_N_##id, "counters.h has grpc.h's counts, in order");
GRPC_COUNTS(_)
#undef _

static void
unread(struct worker *w, enum grpc_state state)
{
	static const uint16_t counter[] = {
		[GRPC_OK] = CTR_TX_UNSCANNED_OBJECT,
		[GRPC_OVERSIZE] = CTR_TX_UNSCANNED_OVERSIZE,
		[GRPC_NO_BUFFER] = CTR_TX_UNSCANNED_NO_BUFFER,
		[GRPC_CUT] = CTR_TX_UNSCANNED_GAP,
	};
	w->ctr[CTR_TX_CROSSED]++;
	w->ctr[counter[state]]++;
}

static void
take_element(void *ctx, const struct grpc_element *e)
{
	struct worker *w = ctx;
	enum txpool_kind kind = TXPOOL_PENDING;
	struct crossing x;
	struct span raw;
	enum txpool_found found = txpool_element(e, &kind, &raw);
	if (found == TXPOOL_UNREAD)
		unread(w, e->state);
	if (found != TXPOOL_TX)
		return;
	if (!conn_may(w->conn, FEED_GRPC)) {
		w->ctr[CTR_FEED_OFF]++;
		return;
	}
	w->ctr[CTR_TX_CROSSED]++;
	crossing_base(w, &x, CARRIER_GRPC_TXPOOL);
	x.direction = kind == TXPOOL_SUBMITTED ? DIR_C2S : DIR_S2C;
	x.trust |= kind == TXPOOL_SUBMITTED ? 0 : TRUST_NODE_SAID;
	judge_later(w, tx_within(raw), &x, (struct join_ref){0});
	if (!e->in_place)
		judge_now(w);
}

/* ---- JSON-RPC ---- */

static void
body_over(struct worker *w, struct h2_body *b)
{
	*b->holder = 0;
	b->holder = NULL;
	w->h2_bodies.free[w->h2_bodies.n_free++] = (uint16_t)(b - w->h2_bodies.of);
}

/* The rest will not come, or is not read. */
static void
body_lost(struct worker *w, struct h2_body *b)
{
	w->ctr[CTR_JSON_TRUNCATED]++;
	jsonrpc_cut(&b->request, &w->arena, take_item, w);
	body_over(w, b);
}

static struct h2_body *
body_new(struct worker *w, uint32_t *holder)
{
	struct h2_bodies *p = &w->h2_bodies;
	if (p->n_free == 0) {
		body_lost(w, &p->of[p->next]);
		p->next = (p->next + 1) % H2_BODIES;
	}
	struct h2_body *b = &p->of[p->free[--p->n_free]];
	jsonrpc_init(&b->request);
	wide_begin(&b->wide);
	b->holder = holder;
	*holder = (uint32_t)(b - p->of) + 1;
	return b;
}

static bool
body_scan(struct worker *w, struct h2_body *b, struct span bytes, bool last)
{
	uint32_t messages = 0;
	if (w->arena.scratch_used > SCRATCH_SOFT) {
		judge_now(w);
		w->arena.scratch_used = 0;
	}
	enum jsonrpc_status s = request_scan(w, &b->request, &b->wide, bytes, last, false, &messages);
	w->ctr[CTR_JSON_MESSAGES] += messages;
	w->ctr[CTR_JSON_BAD] += s == JSONRPC_MALFORMED;
	w->ctr[CTR_JSON_DEPTH] += s == JSONRPC_TOO_DEEP;
	if (s == JSONRPC_MORE)
		return true;
	body_over(w, b);
	return false;
}

static bool
take_body(void *ctx, const struct grpc_body *g)
{
	struct worker *w = ctx;
	if (g->first && !conn_may(w->conn, FEED_HTTP) && !conn_may(w->conn, FEED_ENGINE)) {
		w->ctr[CTR_FEED_OFF]++;
		return false;
	}
	struct h2_body *b = g->first ? body_new(w, g->reader) : *g->reader > 0 ? &w->h2_bodies.of[*g->reader - 1] : NULL;
	if (b == NULL) /* taken for another one */
		return false;
	if (!g->cut)
		return body_scan(w, b, g->bytes, g->last);
	body_lost(w, b);
	return false;
}

static void
bodies_init(struct h2_bodies *p)
{
	p->next = 0;
	for (p->n_free = 0; p->n_free < H2_BODIES; p->n_free++) {
		p->free[p->n_free] = (uint16_t)p->n_free;
		p->of[p->n_free].holder = NULL;
	}
}

/* ---- the reader ---- */

/* Slabs are the worker's, the sink's context is the worker. */
static uint8_t *
slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct worker *w = ctx;
	return slabs_get(&w->slabs, bytes, cap, holder);
}

static void
slab_put(void *ctx, uint8_t *slab)
{
	struct worker *w = ctx;
	slabs_put(&w->slabs, slab);
}

/* `out` is RLPx's: neither keeps anything there from one call to the next. */
void
grpc_arena_init(struct worker *w)
{
	bodies_init(&w->h2_bodies);
	w->grpc = (struct grpc_arena){
		.h2 = {.paths = txpool_paths},
		.methods = txpool_methods,
		.sink = take_element,
		.body = take_body,
		.out = w->rlpx.out,
		.out_cap = w->rlpx.out_cap,
		.inflate = &w->inflates,
		.ctx = w,
		.slab_get = slab_get,
		.slab_put = slab_put,
	};
}

bool
h2_begins(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	static const uint8_t preface[] = H2_PREFACE;
	struct conn_side *s = &c->side[dir];
	uint32_t early = s->preface, rest = (uint32_t)sizeof preface - 1 - early, n = in.len < rest ? in.len : rest;
	s->preface = 0;
	if (!h2_may(c) || early != http1_held(&c->http, dir) || memcmp(in.p, preface + early, n) != 0)
		return false;
	if (early + n < PREFACE_SURE) {
		s->preface = (uint8_t)(early + n);
		return false;
	}
	grpc_begin(w, c, false, early);
	return true;
}

/* What http1 held of the preface is read again: its bytes are known. */
void
grpc_begin(struct worker *w, struct conn *c, bool midstream, uint32_t early)
{
	static const uint8_t preface[] = H2_PREFACE;
	unsigned dir = w->dir;
	bool other = c->side[!dir].started;
	c->changed_over = http1_last(&c->http, dir)->request ? (uint8_t)(1 + dir) : 0;
	if (early > 0)
		w->ctr[CTR_ST_BUFFERED] -= http1_take_back(&c->http, dir);
	for (unsigned d = 0; d < 2; d++) {
		set_current(w, w->flow, c, d);
		if (c->side[d].proto == CONN_WS)
			ws_end(w, c, d);
		else
			http_end(w, c, d);
		c->side[d].proto = CONN_GRPC;
	}
	set_current(w, w->flow, c, dir);
	grpc_init(&c->grpc, midstream);
	w->ctr[CTR_GRPC_CONNECTIONS]++;
	if (other && !midstream) /* what it has said went by */
		grpc_missing(w, c, !dir, 1);
	if (early > 0)
		grpc_take(w, c, dir, (struct span){preface, early});
}

void
grpc_take(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	uint32_t before = grpc_held(&c->grpc, dir);
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = grpc_feed(&c->grpc, dir, &w->grpc, in, &o);
		count_bytes(w, c, dir, &o);
		in.p += n;
		in.len -= n;
	}
	judge_now(w); /* what lies in the segment goes with it */
	w->ctr[CTR_ST_BUFFERED] += grpc_held(&c->grpc, dir) - (uint64_t)before;
}

void
grpc_missing(struct worker *w, struct conn *c, unsigned dir, uint64_t n)
{
	uint32_t before = grpc_held(&c->grpc, dir);
	struct framer_out o;
	grpc_gap(&c->grpc, dir, &w->grpc, n, &o);
	count_bytes(w, c, dir, &o);
	judge_now(w);
	w->ctr[CTR_ST_BUFFERED] += grpc_held(&c->grpc, dir) - (uint64_t)before;
}

void
grpc_over(struct worker *w, struct conn *c, unsigned dir)
{
	uint32_t before = grpc_held(&c->grpc, dir);
	struct framer_out o;
	grpc_end(&c->grpc, dir, &w->grpc, &o);
	if (o.skipped) {
		w->ctr[CTR_ST_SKIP_ENDED] += o.skipped;
		o.skipped = 0;
	}
	count_bytes(w, c, dir, &o);
	judge_now(w);
	w->ctr[CTR_ST_BUFFERED] += grpc_held(&c->grpc, dir) - (uint64_t)before;
}

void
grpc_done(struct worker *w, struct conn *c)
{
	grpc_release(&c->grpc, &w->grpc);
	judge_now(w);
}

void
grpc_count_all(struct worker *w)
{
	memcpy(&w->ctr[CTR_H2_CONNECTIONS], w->grpc.h2.counts, sizeof w->grpc.h2.counts);
	memcpy(&w->ctr[CTR_GRPC_MESSAGES], w->grpc.counts, sizeof w->grpc.counts);
}
