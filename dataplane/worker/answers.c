/* SPDX-License-Identifier: BSD-3-Clause */
/* What nodes say: transactions in their answers and subscriptions, and what became of submissions. */
#include "worker/facts.h"
#include "worker/worker_private.h"

#include "eth/l2msg.h"

#include <string.h>

enum said { SAID_OBJECT, SAID_RAW, SAID_PUSHED_OBJECT, SAID_PUSHED_RAW };

static void
crossing_said(const struct worker *w, struct crossing *x, enum said what)
{
	static const uint8_t carrier[][4] = {
		[CONN_HTTP] = {CARRIER_HTTP_TXOBJECT, CARRIER_HTTP_RAW, CARRIER_HTTP_TXOBJECT, CARRIER_HTTP_RAW},
		[CONN_WS] = {CARRIER_WS_TXOBJECT, CARRIER_WS_RAW, CARRIER_WS_SUBSCRIPTION_FULL, CARRIER_WS_SUBSCRIPTION_RAW},
		[CONN_JSON] = {CARRIER_IPC_TXOBJECT, CARRIER_IPC_RAW, CARRIER_IPC_SUBSCRIPTION_FULL, CARRIER_IPC_SUBSCRIPTION_RAW},
	};
	crossing_base(w, x, carrier[w->conn->side[w->dir].proto][what]);
	x->direction = DIR_S2C;
	x->trust |= TRUST_NODE_SAID;
}

/* An object: only one whose bytes have the hash that it names is a transaction. */
static void
said_object(struct worker *w, const struct answer_event *e)
{
	static const uint16_t why[] = {
		[TXFIELDS_UNVERIFIED] = CTR_TX_UNSCANNED_OBJECT,
		[TXFIELDS_MISMATCH] = CTR_TX_UNSCANNED_MISMATCH,
		[TXFIELDS_UNSIGNED] = CTR_TX_UNSCANNED_UNSIGNED,
		[TXFIELDS_FIELD] = CTR_TX_UNSCANNED_OBJECT,
		[TXFIELDS_TYPE] = CTR_TX_UNSCANNED_OBJECT,
		[TXFIELDS_OVERSIZE] = CTR_TX_UNSCANNED_OVERSIZE,
	};
	uint32_t len;
	struct crossing x;
	w->ctr[CTR_TX_CROSSED]++;
	if (BUILT_BYTES - w->built_used < TXFIELDS_ROOM)
		judge_now(w);
	uint8_t *out = w->built + w->built_used;
	enum txfields_state state = e->tx->state == JSONRPC_CUT ? TXFIELDS_LOST : txfields_build(e->tx, out, &len);
	if (state == TXFIELDS_LOST)
		count_unread(w, e->tx->state);
	else if (state != TXFIELDS_OK)
		w->ctr[why[state]]++;
	if (state != TXFIELDS_OK)
		return;
	crossing_said(w, &x, e->notification ? SAID_PUSHED_OBJECT : SAID_OBJECT);
	x.trust |= answer_tx_mined(e->tx) ? TRUST_INCLUDED : 0;
	w->built_used += len;
	if (w->conn->side[w->dir].block != 0)
		fact_block_tx(w, (struct span){out, len}, false);
	else if (answer_tx_mined(e->tx))
		fact_mined(w, (struct span){out, len}, answer_tx_member(e->tx, TXM_BLOCK_HASH));
	judge_later(w, (struct span){out, len}, &x, (struct join_ref){0});
}

static void
said_raw(struct worker *w, struct span raw, enum said what)
{
	struct crossing x;
	w->ctr[CTR_TX_CROSSED]++;
	crossing_said(w, &x, what);
	judge_later(w, raw, &x, (struct join_ref){0});
	judge_now(w);
}

/* A block in an answer: one that the node has built (engine_getPayload), raw; or one that somebody asked for. */
static void
said_block(struct worker *w, const struct json_block_event *b)
{
	switch (b->kind) {
	case JSON_BLOCK_BEGIN:
		judge_now(w); /* what crossed before it was pending before it */
		fact_block_open(w);
		break;
	case JSON_BLOCK_TX:
		if (conn_may(w->conn, FEED_ENGINE))
			take_block_tx(w, b, DIR_S2C, TRUST_NODE_SAID);
		break;
	case JSON_BLOCK_END:
		fact_block_close(w, b->block, b->end == JSON_BLOCK_WHOLE, b->block->has & BLOCK_PAYLOAD ? FACT_OFFERED : FACT_TOLD);
		break;
	case JSON_BLOCK_HEADS:
		break;
	}
}

static void
said_hash(struct worker *w, const struct answer_event *e)
{
	uint8_t kind = join_subscription(&w->conn->join, e->subscription);
	if (e->place == ANSWER_IN_BLOCK)
		fact_block_tx(w, (struct span){e->hash, 32}, true);
	else if (kind == JSONRPC_SUB_NONE || kind == JSONRPC_SUB_HASHES || kind == JSONRPC_SUB_TXS)
		fact_announced(w, e->hash, -1, 0);
}

/* ---- what became of submissions ---- */

void
node_judged(struct worker *w, unsigned fate)
{
	static const uint16_t counter[] = {
		[FATE_NONE] = CTR_NODE_MISSED_UNREAD, /* no item: its parameters were none */
		[FATE_SCANNED] = CTR_NODE_SCANNED,
		[FATE_DUPLICATE] = CTR_NODE_DUPLICATE,
		[FATE_UNREAD] = CTR_NODE_MISSED_UNREAD,
		[FATE_UNSIGNED] = CTR_NODE_MISSED_UNSIGNED,
		[FATE_GAP] = CTR_NODE_MISSED_GAP,
	};
	w->ctr[counter[fate]]++;
}

static void
node_accepted(struct worker *w, unsigned fate, uint64_t mark, const uint8_t hash[32])
{
	w->ctr[CTR_NODE_HASHES]++;
	if (fate >= FATE_QUEUED) { /* its turn has not come yet */
		struct pending *p = &w->pending[fate - FATE_QUEUED];
		p->accepted = true;
		p->answer_trust = crossing_trust(w);
		memcpy(p->hash, hash, 32);
		evidence_note(w, p->fingerprint, p->answer_trust, true, &p->answer_proof);
		return;
	}
	uint32_t trust = crossing_trust(w);
	node_judged(w, fate);
	if (mark != 0)
		evidence_note(w, mark, trust, true, NULL);
	fact_accepted(w, hash, mark, trust);
}

static void
node_refused(struct worker *w, const struct join_outcome *o, const struct answer_event *e)
{
	w->ctr[e->error == ANSWER_ERR_KNOWN ? CTR_NODE_KNOWN : CTR_NODE_REFUSED]++;
	if (o->mark == 0 || e->error == ANSWER_ERR_KNOWN)
		return;
	if (o->fate >= FATE_QUEUED)
		judge_now(w);
	fact_refused(w, o->mark, e->error);
}

/* A node's verdict on a block that it was handed. */
static void
block_judged(struct worker *w, const struct join_outcome *o, unsigned status)
{
	if (o->kind == JSONRPC_NEW_PAYLOAD && o->has_hash && (status == ANSWER_INVALID || status == ANSWER_INVALID_BLOCK_HASH))
		fact_of_block(w, FACT_BLOCK_JUDGED, o->hash, false);
}

static void
missed(struct worker *w, unsigned counter)
{
	w->ctr[CTR_NODE_HASHES]++;
	w->ctr[counter]++;
}

bool
node_early(struct conn *c, struct json_id id, uint8_t hash[32], uint32_t *trust)
{
	unsigned i = 0;
	while (i < c->n_early && !json_id_same(c->early[i].id, id))
		i++;
	if (i == c->n_early)
		return false;
	memcpy(hash, c->early[i].hash, 32);
	*trust = c->early[i].trust;
	c->n_early--;
	memmove(&c->early[i], &c->early[i + 1], (c->n_early - i) * sizeof c->early[0]);
	return true;
}

void
node_late(struct worker *w, struct conn *c)
{
	for (unsigned i = 0; i < c->n_early; i++)
		missed(w, c->early[i].counter);
	c->n_early = 0;
}

/* Nobody knows what was asked, so that the hash may be anything; it is taken for a transaction's. While the client's direction has a hole its
 * request may come yet. */
static void
node_unknown(struct worker *w, struct json_id id, const uint8_t hash[32], unsigned reason)
{
	static const uint16_t counter[JOIN_REASONS] = {
		[JOIN_KNOWN] = CTR_NODE_MISSED_NO_SUCH_ID,
		[JOIN_MIDSTREAM] = CTR_NODE_MISSED_MIDSTREAM,
		[JOIN_GAP] = CTR_NODE_MISSED_GAP,
		[JOIN_OPAQUE] = CTR_NODE_MISSED_OPAQUE,
		[JOIN_MALFORMED] = CTR_NODE_MISSED_MALFORMED,
		[JOIN_EVICTED] = CTR_NODE_MISSED_EVICTED,
		[JOIN_NO_SUCH_ID] = CTR_NODE_MISSED_NO_SUCH_ID,
	};
	struct conn *c = w->conn;
	bool unseen = reason == JOIN_NO_SUCH_ID && !w->flow->seen[!w->dir];
	unsigned why = counter[unseen ? JOIN_MIDSTREAM : reason];
	if (!stream_holed(w->flow, !w->dir) || id.kind == JSON_ID_NONE) {
		missed(w, why);
		return;
	}
	if (c->n_early == CONN_EARLY_MAX) {
		missed(w, c->early[0].counter);
		c->n_early--;
		memmove(&c->early[0], &c->early[1], c->n_early * sizeof c->early[0]);
	}
	struct conn_early *e = &c->early[c->n_early++];
	*e = (struct conn_early){.id = id, .trust = crossing_trust(w), .counter = why == CTR_NODE_MISSED_NO_SUCH_ID ? CTR_NODE_MISSED_GAP : (uint16_t)why};
	memcpy(e->hash, hash, 32);
}

/* Bytes as a result are a transaction if that was asked for; or if nobody knows what was, and they decode as one. */
static bool
is_transaction(const struct join_outcome *o, struct span raw)
{
	struct tx t;
	if (o->verdict != JOIN_UNKNOWN)
		return o->kind == JSONRPC_GET_RAW;
	return tx_decode(raw, &t) == 0;
}

static void
said_response(struct worker *w, const struct answer_event *e)
{
	struct conn *c = w->conn;
	bool http = c->side[w->dir].proto == CONN_HTTP;
	struct join_outcome o = join_answer(&w->joins, &c->join, http, http ? c->side[w->dir].message : 0, e);
	if (http)
		c->side[w->dir].message = o.message;
	bool submission = o.kind == JSONRPC_RAW || o.kind == JSONRPC_PRIVATE || o.kind == JSONRPC_UNSIGNED;
	if (e->result == ANSWER_IS_BYTES && is_transaction(&o, e->raw))
		said_raw(w, e->raw, SAID_RAW);
	if (o.verdict == JOIN_UNKNOWN && e->result == ANSWER_IS_HASH)
		node_unknown(w, e->id, e->hash, o.reason);
	block_judged(w, &o, c->side[w->dir].status);
	c->side[w->dir].status = ANSWER_STATUS_NONE;
	if (!submission)
		return;
	if (o.verdict == JOIN_ACCEPTED || o.verdict == JOIN_ACCEPTED_OTHER)
		node_accepted(w, o.fate, o.mark, e->hash);
	else if (o.verdict == JOIN_REFUSED)
		node_refused(w, &o, e);
}

void
take_answer(void *ctx, const struct answer_event *e)
{
	struct worker *w = ctx;
	switch (e->kind) {
	case ANSWER_RESPONSE:
		said_response(w, e);
		break;
	case ANSWER_TX:
		said_object(w, e);
		break;
	case ANSWER_RAW:
		said_raw(w, e->raw, e->place == ANSWER_IN_SUBSCRIPTION || e->notification ? SAID_PUSHED_RAW : SAID_RAW);
		break;
	case ANSWER_BLOCK:
		said_block(w, e->block);
		break;
	case ANSWER_HASH:
		said_hash(w, e);
		break;
	case ANSWER_STATUS:
		w->conn->side[w->dir].status = e->status;
		break;
	case ANSWER_VALUE:
		break;
	}
}

/* ---- sequencers ---- */

static void
take_l2(void *ctx, const struct l2msg_item *it)
{
	struct worker *w = ctx;
	struct crossing x;
	if (it->kind != L2MSG_TX && it->kind != L2MSG_UNSIGNED) {
		w->ctr[CTR_L2_UNREAD]++;
		return;
	}
	w->ctr[CTR_TX_CROSSED]++;
	if (it->kind == L2MSG_UNSIGNED) {
		w->ctr[CTR_TX_UNSCANNED_UNSIGNED]++;
		return;
	}
	crossing_base(w, &x, CARRIER_ARBITRUM_FEED);
	x.direction = DIR_S2C;
	x.trust |= TRUST_INCLUDED | TRUST_NODE_SAID;
	judge_later(w, it->raw, &x, (struct join_ref){0});
}

void
take_broadcast(void *ctx, const struct arbfeed_event *e)
{
	struct worker *w = ctx;
	uint64_t over = 0;
	if (e->state != ARBFEED_OK || !e->has_kind) {
		w->ctr[CTR_L2_UNREAD] += e->state != ARBFEED_NONE;
		return;
	}
	if (l2msg_read(e->kind, e->l2msg, take_l2, w, &over) == L2MSG_OVERSIZE)
		over++;
	w->ctr[CTR_L2_UNREAD] += over;
	judge_now(w); /* its bytes are the scanner's again */
}
