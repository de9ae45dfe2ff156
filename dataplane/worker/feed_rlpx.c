/* SPDX-License-Identifier: BSD-3-Clause */
/* RLPx: sessions whose secrets are in the key table, and what their eth messages carry. */
#include "worker/worker_private.h"

#include "eth/ethmsg.h"
#include "worker/facts.h"

#include <string.h>

#define WINDOWS_A_TURN 16u
#define RLPX_PORT 30303u

#define _(id, help) _Static_assert((int)CTR_RLPX_##id == (int)CTR_RLPX_SESSIONS + (int)RLPX_N_##id, "counters.h has rlpx.h's counts, in order");
RLPX_COUNTS(_)
#undef _

static void
ends_of(const struct flow *f, struct rlpx_endpoint end[2])
{
	for (unsigned i = 0; i < 2; i++) {
		memcpy(end[i].ip, f->key.ip[i], 16);
		end[i].port = f->key.port[i];
	}
}

bool
rlpx_expected(const struct worker *w, const struct flow *f)
{
	const struct rlpx_keys *keys = w->rlpx.keys;
	struct rlpx_endpoint end[2];
	uint32_t found[RLPX_KEYS_OF_MAX];
	if (keys == NULL || rlpx_keys_count(keys) == 0)
		return false;
	ends_of(f, end);
	bool told = w->feeds->n_ports[FEED_RLPX] > 0; /* and this flow has such a port, or would not be asked for */
	return told || f->key.port[0] == RLPX_PORT || f->key.port[1] == RLPX_PORT || rlpx_keys_of_ends(keys, end, found) > 0;
}

void
rlpx_begin(struct worker *w, struct conn *c, bool midstream)
{
	struct rlpx_endpoint end[2];
	unsigned dir = w->dir;
	for (unsigned d = 0; d < 2; d++) {
		set_current(w, w->flow, c, d);
		http_end(w, c, d);
		c->side[d].proto = CONN_RLPX;
		c->side[d].started = true;
	}
	set_current(w, w->flow, c, dir);
	ends_of(w->flow, end);
	rlpx_init(&c->rlpx, &w->rlpx, midstream, end, c);
	w->ctr[CTR_RLPX_CONNECTIONS]++;
}

/* ---- messages ---- */

static void
take_eth(void *ctx, const struct ethmsg_item *it)
{
	static const uint8_t carrier[] = {
		[ETHMSG_TX] = CARRIER_RLPX_TRANSACTIONS,
		[ETHMSG_TX_POOLED] = CARRIER_RLPX_POOLED,
		[ETHMSG_TX_MINED] = CARRIER_RLPX_BLOCKBODY,
	};
	struct worker *w = ctx;
	struct crossing x;
	if (it->kind == ETHMSG_ANNOUNCED)
		fact_announced(w, it->hash, it->has_type ? it->type : -1, it->size);
	if (it->kind > ETHMSG_TX_MINED)
		return;
	if (it->kind == ETHMSG_TX_MINED)
		fact_mined(w, it->raw, (struct span){0});
	w->ctr[CTR_TX_CROSSED]++;
	crossing_base(w, &x, carrier[it->kind]);
	x.direction = w->dir == 0 ? DIR_C2S : DIR_S2C;
	x.trust |= it->kind == ETHMSG_TX_MINED ? TRUST_INCLUDED : 0;
	x.trust |= rlpx_last(&w->conn->rlpx, w->dir)->mac == RLPX_MAC_GOOD ? 0 : TRUST_MAC_UNVERIFIED;
	judge_later(w, it->raw, &x, (struct join_ref){0});
}

/* Hellos that were not seen leave eth's place open; a message that can only be one of eth's tells it. */
static int
eth_code(struct rlpx *r, unsigned dir, struct span payload)
{
	const struct rlpx_message *m = rlpx_last(r, dir);
	bool sure;
	if (rlpx_eth(r)->first != 0 || m->id < RLPX_BASE_IDS)
		return m->eth;
	int code = ethmsg_guess(payload, &sure);
	if (code >= 0 && sure && m->id >= RLPX_BASE_IDS + (unsigned)code)
		rlpx_learn_eth(r, m->id - (unsigned)code);
	return code;
}

static void
message(struct worker *w, struct conn *c, unsigned dir, struct span payload)
{
	int code = eth_code(&c->rlpx, dir, payload);
	uint64_t over = 0;
	if (code < 0)
		return;
	set_current(w, c->flow, c, dir);
	if (ethmsg_read((unsigned)code, payload, take_eth, w, &over) == ETHMSG_MALFORMED)
		w->ctr[CTR_ETH_MALFORMED]++;
	w->ctr[CTR_ETH_OVER] += over;
	judge_now(w); /* the payload's place is the next one's */
}

/* ---- bytes ---- */

static uint64_t
held(const struct conn *c)
{
	return (uint64_t)rlpx_held(&c->rlpx, 0) + rlpx_held(&c->rlpx, 1);
}

static void
use_verdict(struct worker *w, struct conn *c, unsigned dir, const struct framer_out *o)
{
	w->ctr[CTR_ST_PARSED] += o->parsed;
	w->ctr[CTR_RLPX_BYTES] += o->parsed;
	if (o->skipped > 0)
		w->ctr[o->reason == FRAMER_SKIP_OPAQUE	? CTR_ST_SKIP_RLPX
			: o->reason == FRAMER_SKIP_LOST ? CTR_ST_SKIP_LOST
							: CTR_ST_SKIP_UNSYNCED] += o->skipped;
	if (o->verdict == FRAMER_MESSAGE)
		message(w, c, dir, o->body);
}

/* What new keys and searches have made readable comes first. */
static void
pull(struct worker *w, struct conn *c)
{
	struct framer_out o;
	unsigned dir;
	while (rlpx_poll(&c->rlpx, &w->rlpx, &dir, &o))
		use_verdict(w, c, dir, &o);
}

/* ---- searches by others ---- */

/* The connection that a search was made for, if it is there still. */
static struct conn *
conn_of_search(struct worker *w, const struct rlpx_search *s)
{
	for (struct conn *c = w->conns.used.next; c != &w->conns.used; c = c->next)
		if (c->side[0].proto == CONN_RLPX && s->owner == &c->rlpx)
			return c;
	return NULL;
}

/* Takes what another thread has found. True: the place is free. */
static bool
take_search(struct worker *w)
{
	struct worker_search *far = w->far;
	uint32_t state = atomic_load_explicit(&far->state, memory_order_acquire);
	if (state != SEARCH_DONE)
		return state == SEARCH_FREE;
	struct conn *c = conn_of_search(w, &far->search);
	if (c != NULL)
		rlpx_search_end(&c->rlpx, &w->rlpx, &far->search);
	w->ctr[CTR_RLPX_SEARCHES]++;
	atomic_store_explicit(&far->state, SEARCH_FREE, memory_order_relaxed);
	return true;
}

static void
far_search(struct worker *w, struct conn *c)
{
	for (unsigned d = 0; d < 2 && take_search(w); d++) {
		if (!rlpx_search_begin(&c->rlpx, d, &w->rlpx, &w->far->search))
			continue;
		atomic_store_explicit(&w->far->state, SEARCH_READY, memory_order_release);
		if (!w->search_at_once)
			return;
		worker_search_run(w, UINT64_MAX);
		take_search(w);
		pull(w, c);
	}
}

void
rlpx_take(struct worker *w, struct conn *c, unsigned dir, struct span in)
{
	uint64_t before = held(c);
	pull(w, c);
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = rlpx_feed(&c->rlpx, dir, &w->rlpx, in, &o);
		use_verdict(w, c, dir, &o);
		in.p += n;
		in.len -= n;
		pull(w, c);
	}
	if (!rlpx_readable(&c->rlpx, dir))
		far_search(w, c);
	w->ctr[CTR_ST_BUFFERED] += held(c) - before;
	set_current(w, c->flow, c, dir);
}

void
rlpx_missing(struct worker *w, struct conn *c, unsigned dir, uint64_t n)
{
	uint64_t before = held(c);
	struct framer_out o;
	pull(w, c);
	rlpx_gap(&c->rlpx, dir, &w->rlpx, n, &o);
	use_verdict(w, c, dir, &o);
	pull(w, c);
	w->ctr[CTR_ST_BUFFERED] += held(c) - before;
}

void
rlpx_over(struct worker *w, struct conn *c, unsigned dir)
{
	uint64_t before = held(c);
	struct framer_out o;
	pull(w, c);
	rlpx_end(&c->rlpx, dir, &w->rlpx, &o);
	use_verdict(w, c, dir, &o);
	w->ctr[CTR_ST_BUFFERED] += held(c) - before;
}

/* ---- beside the frames' way ---- */

void
rlpx_look_after(struct worker *w)
{
	uint32_t n = w->windows.n;
	w->rlpx.eager = true;
	take_search(w);
	for (uint32_t i = 0; i < WINDOWS_A_TURN && i < n; i++) {
		struct rlpx *r = rlpx_windows_owner(&w->windows, w->window_turn);
		w->window_turn = w->window_turn + 1 < n ? w->window_turn + 1 : 0;
		if (r == NULL)
			continue;
		struct conn *c = r->user;
		set_current(w, c->flow, c, 0);
		uint64_t before = held(c);
		pull(w, c);
		far_search(w, c);
		pull(w, c);
		w->ctr[CTR_ST_BUFFERED] += held(c) - before;
	}
	w->rlpx.eager = false;
	w->ctr[CTR_RLPX_WINDOWS_STOLEN] = w->windows.stolen;
}

void
rlpx_count(struct worker *w)
{
	memcpy(&w->ctr[CTR_RLPX_SESSIONS], w->rlpx.counts, sizeof w->rlpx.counts);
}

/* ---- for others ---- */

void
worker_keys(struct worker *w, const struct rlpx_keys *keys)
{
	atomic_store_explicit(&w->keys, keys, memory_order_release);
}

bool
worker_keys_taken(const struct worker *w, const struct rlpx_keys *keys)
{
	return atomic_load_explicit(&w->keys_used, memory_order_acquire) == keys;
}

bool
worker_search_run(struct worker *w, uint64_t blocks)
{
	struct worker_search *far = w->far;
	if (atomic_load_explicit(&far->state, memory_order_acquire) != SEARCH_READY)
		return false;
	if (rlpx_search_run(&far->search, blocks) != RLPX_SEARCH_RUNNING)
		atomic_store_explicit(&far->state, SEARCH_DONE, memory_order_release);
	return true;
}

/* At the top of every burst: from here on the old table is not read any more. */
void
rlpx_keys_take(struct worker *w)
{
	const struct rlpx_keys *keys = atomic_load_explicit(&w->keys, memory_order_acquire);
	if (keys == w->rlpx.keys)
		return;
	w->rlpx.keys = keys;
	atomic_store_explicit(&w->keys_used, keys, memory_order_release);
}
