/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients ask of nodes: submissions, and whatever is needed to understand the answers; blocks of consensus clients. */
#include "worker/facts.h"
#include "worker/worker_private.h"

unsigned
request_carrier(const struct worker *w, enum jsonrpc_kind kind)
{
	static const uint8_t raw[] = {[CONN_HTTP] = CARRIER_HTTP_JSONRPC, [CONN_WS] = CARRIER_WS_JSONRPC, [CONN_JSON] = CARRIER_IPC_JSONRPC};
	static const uint8_t private[] = {
		[CONN_HTTP] = CARRIER_HTTP_JSONRPC_PRIVATE, [CONN_WS] = CARRIER_WS_JSONRPC_PRIVATE, [CONN_JSON] = CARRIER_IPC_JSONRPC_PRIVATE};
	static const uint8_t bundle[] = {
		[CONN_HTTP] = CARRIER_HTTP_JSONRPC_BUNDLE, [CONN_WS] = CARRIER_WS_JSONRPC_BUNDLE, [CONN_JSON] = CARRIER_IPC_JSONRPC_BUNDLE};
	unsigned proto = w->conn != NULL ? w->conn->side[w->dir].proto : CONN_HTTP;
	if (proto >= sizeof raw) /* probed as HTTP */
		proto = CONN_HTTP;
	return kind == JSONRPC_BUNDLE ? bundle[proto] : kind == JSONRPC_PRIVATE ? private[proto] : raw[proto];
}

void
request_unread(struct worker *w, struct conn *c, unsigned dir, enum join_reason why)
{
	uint32_t message = c->side[dir].message;
	if (c->side[dir].proto == CONN_HTTP && message != 0)
		join_unread(&w->joins, &c->join, message, why, w->now_ns);
	else
		c->join.lost = (uint8_t)why;
}

static bool
is_h2(const struct conn *c)
{
	return c != NULL && c->side[0].proto == CONN_GRPC;
}

void
take_request(void *ctx, const struct jsonrpc_request *r)
{
	struct worker *w = ctx;
	struct conn *c = w->conn;
	w->asked = (struct join_ref){0};
	w->early = false;
	if (w->probing || is_h2(c)) /* answers over HTTP/2 are not read */
		return;
	uint32_t message = c->side[w->dir].proto == CONN_HTTP ? c->side[w->dir].message : 0;
	c->engine |= r->kind >= JSONRPC_NEW_PAYLOAD;
	if (r->id.kind == JSON_ID_NONE)
		return;
	if (c->n_early > 0 && node_early(c, r->id, w->early_hash, &w->early_trust)) {
		w->early = r->kind == JSONRPC_RAW || r->kind == JSONRPC_PRIVATE || r->kind == JSONRPC_UNSIGNED;
		w->ctr[CTR_NODE_HASHES] += w->early;
		if (w->early && r->n_items == 0)
			node_judged(w, FATE_NONE);
		return;
	}
	w->asked = join_request(&w->joins, &c->join, message, r, w->now_ns);
	if (r->kind == JSONRPC_NEW_PAYLOAD && c->side[w->dir].has_block_hash)
		join_set(&w->joins, w->asked, FATE_NONE, c->side[w->dir].block_hash);
	if (r->cut)
		join_set(&w->joins, w->asked, FATE_GAP, NULL);
}

/* The request that this item is all of, if the answer to it is its hash. */
static struct join_ref
asked_of(struct worker *w, const struct jsonrpc_item *it)
{
	struct join_ref asked = w->asked;
	if (it->kind == JSONRPC_BUNDLE || it->index != 0 || w->probing)
		return (struct join_ref){0};
	return asked;
}

/* The correlator hears of all elements in their order before any of them is judged. */
static void
bundle_item(struct worker *w, const struct jsonrpc_item *it)
{
	bool hash = it->state == JSONRPC_HASH_ONLY;
	if (it->bundle_pos == 0)
		w->bundle = w->handles | ++w->n_handles;
	if (it->raw.len > 0 && !w->probing)
		fact_bundle(w, it->raw, hash, it->bundle_pos, it->bundle_len);
}

void
count_unread(struct worker *w, unsigned state)
{
	static const uint16_t counter[] = {
		[JSONRPC_OK] = CTR_TX_UNSCANNED_OBJECT,
		[JSONRPC_BAD_HEX] = CTR_TX_UNSCANNED_HEX,
		[JSONRPC_OVERSIZE] = CTR_TX_UNSCANNED_OVERSIZE,
		[JSONRPC_HASH_ONLY] = CTR_TX_UNSCANNED_HASH_ONLY,
		[JSONRPC_UNSIGNED_OBJECT] = CTR_TX_UNSCANNED_UNSIGNED,
		[JSONRPC_NO_BUFFER] = CTR_TX_UNSCANNED_NO_BUFFER,
		[JSONRPC_CUT] = CTR_TX_UNSCANNED_GAP,
	};
	w->ctr[counter[state]]++;
}

/* go-ethereum refuses what comes behind a transaction, others take the transaction: its answer says what came of it. */
static struct span
submitted(struct worker *w, struct span raw)
{
	struct span tx = tx_within(raw);
	w->ctr[CTR_TX_TRAILING] += tx.p + tx.len < raw.p + raw.len;
	return tx;
}

void
take_item(void *ctx, const struct jsonrpc_item *it)
{
	static const uint8_t fate[] = {
		[JSONRPC_BAD_HEX] = FATE_UNREAD,
		[JSONRPC_OVERSIZE] = FATE_UNREAD,
		[JSONRPC_HASH_ONLY] = FATE_UNREAD,
		[JSONRPC_UNSIGNED_OBJECT] = FATE_UNSIGNED,
		[JSONRPC_NO_BUFFER] = FATE_UNREAD,
		[JSONRPC_CUT] = FATE_GAP,
	};
	struct worker *w = ctx;
	struct join_ref asked = asked_of(w, it);
	w->ctr[CTR_TX_CROSSED]++;
	if (it->bundle_len > 0)
		bundle_item(w, it);
	if (it->state != JSONRPC_OK) {
		count_unread(w, it->state);
		if (w->early && !w->probing)
			node_judged(w, fate[it->state]);
		w->early = false;
		join_set(&w->joins, asked, fate[it->state], NULL);
		return;
	}
	struct crossing x;
	crossing_base(w, &x, request_carrier(w, it->kind));
	x.trust |= it->bundle_len ? TRUST_BUNDLE : 0;
	x.bundle_len = it->bundle_len;
	x.bundle_pos = it->bundle_pos;
	x.bundle = it->bundle_len ? w->bundle : 0;
	judge_later(w, submitted(w, it->raw), &x, asked);
	if (!it->in_scratch)
		judge_now(w);
}

void
take_block_tx(struct worker *w, const struct json_block_event *e, enum direction direction, uint32_t trust)
{
	struct crossing x;
	w->ctr[CTR_TX_CROSSED]++;
	if (e->state != JSONRPC_OK) {
		count_unread(w, e->state);
		fact_block_unread(w);
		return;
	}
	crossing_base(w, &x, CARRIER_ENGINE_BLOCK);
	x.direction = (uint8_t)direction;
	x.trust |= trust | TRUST_INCLUDED;
	fact_block_tx(w, e->raw, false);
	judge_later(w, e->raw, &x, (struct join_ref){0});
	judge_now(w);
}

/* A consensus client hands its node a block: its transactions are in it before the node has looked at them. */
void
take_block(void *ctx, const struct json_block_event *e)
{
	struct worker *w = ctx;
	if (w->probing || is_h2(w->conn) || !conn_may(w->conn, FEED_ENGINE))
		return;
	switch (e->kind) {
	case JSON_BLOCK_BEGIN:
		judge_now(w); /* what crossed before it was pending before it */
		fact_block_open(w);
		break;
	case JSON_BLOCK_TX:
		take_block_tx(w, e, DIR_C2S, 0);
		break;
	case JSON_BLOCK_END:
		fact_block_close(w, e->block, e->end == JSON_BLOCK_WHOLE, FACT_NEW_PAYLOAD);
		break;
	case JSON_BLOCK_HEADS:
		if (e->block->has & BLOCK_HEAD)
			fact_of_block(w, FACT_HEAD, e->block->head, true);
		break;
	}
}
