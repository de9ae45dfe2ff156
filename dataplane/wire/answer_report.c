/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of the objects that are open, and what the sink is told of them when these close. */
#include "wire/answer_private.h"

#include <string.h>

static struct answer_event
event(const struct answer *j, enum answer_kind kind)
{
	return (struct answer_event){.kind = kind,
		.batch = j->batch,
		.notification = j->notification,
		.id = j->id,
		.subscription = j->subscription};
}

static void
show(struct scan *s, const struct answer_event *e)
{
	s->sink(s->ctx, e);
}

/* ---- records ---- */

void
answer_lost(struct answer *j)
{
	if (!j->h.lost)
		return;
	j->h.lost = false;
	for (unsigned i = 0; i < j->n_recs; i++) {
		if (j->recs[i].state == JSONRPC_OK && j->recs[i].len > 0)
			j->recs[i].state = JSONRPC_NO_BUFFER;
		j->recs[i].len = 0;
	}
	for (unsigned i = 0; i <= j->frame && j->message_open; i++)
		j->frames[i].bytes = 0;
	if (j->list_state == JSONRPC_OK)
		j->list_state = JSONRPC_NO_BUFFER;
	j->list_at = j->entry_at = 0;
}

bool
answer_frame_open(struct answer *j)
{
	if (j->frame == ANSWER_FRAMES - 1) {
		j->passed_over++;
		return false;
	}
	j->frames[++j->frame] = (struct answer_frame){.bytes = j->h.used, .rec = j->n_recs};
	return true;
}

/* The members of the innermost frame; the last of several counts. */
static void
gather(const struct scan *s, struct answer_tx *t)
{
	const struct answer *j = s->j;
	const struct answer_frame *f = &j->frames[j->frame];
	const uint8_t *p = hold_buffer(&j->h, s->a) + f->bytes;
	unsigned bad = 0;
	t->has = 0;
	t->state = f->spoiled ? JSONRPC_OVERSIZE : JSONRPC_OK;
	for (unsigned i = f->rec; i < j->n_recs; i++) {
		const struct answer_rec *r = &j->recs[i];
		t->has |= TXM_BIT(r->member);
		t->m[r->member] = (struct span){p, r->len};
		if (r->state != JSONRPC_OK) {
			t->m[r->member].len = 0;
			bad = r->state;
		}
		p += r->len;
	}
	if (bad)
		t->state = (uint8_t)bad;
}

/* forget drops the innermost frame's records and bytes. */
static void
forget(struct answer *j)
{
	const struct answer_frame *f = &j->frames[j->frame];
	j->n_recs = f->rec;
	j->h.used = f->bytes;
}

/* ---- blocks ---- */

static void
show_block(struct scan *s, const struct json_block_event *b)
{
	struct answer_event e = event(s->j, ANSWER_BLOCK);
	e.block = b;
	show(s, &e);
}

static void
take_hash(
	struct json_block *b, const struct answer_tx *t, enum answer_member m, unsigned bit, uint8_t out[32])
{
	struct span v = answer_tx_member(t, m);
	if (v.len != 32)
		return;
	memcpy(out, v.p, 32);
	b->has |= bit;
}

static void
take_number(
	struct json_block *b, const struct answer_tx *t, enum answer_member m, unsigned bit, uint64_t *out)
{
	struct span v = answer_tx_member(t, m);
	if (v.len == 0 || v.len > 8)
		return;
	*out = 0;
	for (uint32_t i = 0; i < v.len; i++)
		*out = *out << 8 | v.p[i];
	b->has |= bit;
}

static void
block_ended(struct scan *s, const struct answer_tx *t, bool cut)
{
	struct json_block b = {.n_txs = s->j->frames[s->j->frame].n_txs};
	struct span fee = answer_tx_member(t, TXM_BASE_FEE);
	take_hash(&b, t, TXM_BLOCK_HASH, BLOCK_HASH | BLOCK_PAYLOAD, b.hash);
	take_hash(&b, t, TXM_HASH, BLOCK_HASH, b.hash);
	take_hash(&b, t, TXM_PARENT, BLOCK_PARENT, b.parent);
	take_number(&b, t, TXM_BLOCK_NUMBER, BLOCK_NUMBER, &b.number);
	take_number(&b, t, TXM_NUMBER, BLOCK_NUMBER, &b.number);
	take_number(&b, t, TXM_TIME, BLOCK_TIME, &b.time_s);
	if (fee.len > 0 && fee.len <= 32) {
		memcpy(b.base_fee + 32 - fee.len, fee.p, fee.len);
		b.has |= BLOCK_BASE_FEE;
	}
	struct json_block_event e = {
		.kind = JSON_BLOCK_END, .end = cut ? JSON_BLOCK_CUT : JSON_BLOCK_WHOLE, .block = &b};
	show_block(s, &e);
}

void
answer_block_begin(struct scan *s)
{
	struct answer_frame *f = &s->j->frames[s->j->frame];
	struct json_block_event e = {.kind = JSON_BLOCK_BEGIN};
	if (f->in_block) { /* named twice */
		struct json_block none = {.n_txs = f->n_txs};
		struct json_block_event end = {
			.kind = JSON_BLOCK_END, .end = JSON_BLOCK_VOID, .block = &none};
		show_block(s, &end);
	}
	f->in_block = true;
	f->n_txs = 0;
	show_block(s, &e);
}

/* ---- strings ---- */

static void
show_hash(struct scan *s, const uint8_t *hash, enum answer_place place, uint32_t index)
{
	struct answer_event e = event(s->j, ANSWER_HASH);
	e.hash = hash;
	e.place = (uint8_t)place;
	e.index = index;
	show(s, &e);
}

static void
show_raw(struct scan *s, struct span raw, enum answer_place place)
{
	struct answer_event e = event(s->j, ANSWER_RAW);
	if (raw.len < ANSWER_RAW_MIN || !raw_like(raw.p[0]))
		return;
	e.raw = raw;
	e.place = (uint8_t)place;
	show(s, &e);
}

static void
txs_item(struct scan *s, struct span bytes, unsigned state)
{
	uint32_t index = s->j->frames[s->j->frame].n_txs - 1;
	struct json_block_event e = {
		.kind = JSON_BLOCK_TX, .raw = bytes, .state = (uint8_t)state, .index = index};
	if (state == JSON_HEX_OK && bytes.len == 32)
		show_hash(s, bytes.p, ANSWER_IN_BLOCK, index);
	else
		show_block(s, &e);
}

void
answer_other_done(struct scan *s, unsigned pos, unsigned state, uint32_t len)
{
	struct answer *j = s->j;
	struct span bytes = {hold_buffer(&j->h, s->a) + j->h.used - len, len};
	switch (pos) {
	case POS_RESULT:
		answer_record(j, TXM_RESULT, state, len);
		return;
	case POS_LATEST:
		answer_record(j, TXM_LATEST, state, len);
		return;
	case POS_ADDRESS:
	case POS_KEY:
	case POS_BLOB:
		answer_list_string(s, pos, state, len);
		return;
	default:
		break;
	}
	if (pos >= POS_SLOT) {
		answer_list_string(s, pos, state, len);
		return;
	}
	j->h.used -= len; /* the rest is told at once */
	if (pos == POS_TXS_ITEM) {
		txs_item(s, state == JSON_HEX_OK ? bytes : (struct span){0}, state);
		return;
	}
	if (state != JSON_HEX_OK)
		return;
	if (pos == POS_LIST_ITEM && len == 32)
		show_hash(s, bytes.p, ANSWER_IN_LIST, j->index - 1);
	else if (len == 32 && (pos == POS_PUSHED || (pos == POS_TX_HASH && j->notification)))
		show_hash(s, bytes.p, ANSWER_IN_SUBSCRIPTION, 0);
	else if (pos == POS_PUSHED || pos == POS_RAW)
		show_raw(s, bytes, pos == POS_RAW ? ANSWER_IN_MEMBER : ANSWER_IN_SUBSCRIPTION);
}

/* ---- objects ---- */

static void
show_tx(struct scan *s, struct answer_tx *t, bool cut)
{
	struct answer_event e = event(s->j, ANSWER_TX);
	if (cut)
		t->state = JSONRPC_CUT;
	e.tx = t;
	show(s, &e);
}

#define HAS_TX (TXM_BIT(TXM_NONCE) | TXM_BIT(TXM_GAS) | TXM_BIT(TXM_VALUE))
#define HAS_DATA (TXM_BIT(TXM_INPUT) | TXM_BIT(TXM_DATA))
#define HAS_HEADER (TXM_BIT(TXM_PARENT) | TXM_BIT(TXM_HASH) | TXM_BIT(TXM_NUMBER))

/* Nothing else that a node sends has all of these; blocks have a nonce, traces have gas, a value and input.
 */
static bool
looks_like_tx(uint32_t has)
{
	return (has & HAS_TX) == HAS_TX && (has & HAS_DATA) && !(has & TXM_BIT(TXM_PARENT));
}

/* An object that did not end was one if it had its hash and some of the rest. */
static bool
looked_like_tx(uint32_t has)
{
	return (has & TXM_BIT(TXM_HASH)) && (has & (TXM_BIT(TXM_GAS) | HAS_DATA)) &&
	       !(has & TXM_BIT(TXM_PARENT));
}

static void
show_status(struct scan *s, const struct answer_tx *t, unsigned status)
{
	struct answer_event e = event(s->j, ANSWER_STATUS);
	struct span latest = answer_tx_member(t, TXM_LATEST);
	e.status = (uint8_t)status;
	e.hash = latest.len == 32 ? latest.p : NULL;
	show(s, &e);
}

static void
show_value(struct scan *s, const struct answer_tx *t)
{
	struct answer_event e = event(s->j, ANSWER_VALUE);
	e.raw = answer_tx_member(t, TXM_BLOCK_VALUE);
	if (e.raw.len > 0)
		show(s, &e);
}

/* An object that ended, or (cut) did not. */
static void
show_object(struct scan *s, const struct answer_frame *f, bool cut)
{
	struct answer_tx t;
	gather(s, &t);
	if (f->in_block || (!cut && (t.has & HAS_HEADER) == HAS_HEADER))
		block_ended(s, &t, cut);
	else if (cut ? looked_like_tx(t.has) : looks_like_tx(t.has))
		show_tx(s, &t, cut);
	if (cut)
		return;
	if (f->status && f->latest)
		show_status(s, &t, f->status);
	show_value(s, &t);
}

void
answer_frame_close(struct scan *s, bool cut)
{
	struct answer *j = s->j;
	struct answer_frame *f = &j->frames[j->frame];
	if (j->n_recs > f->rec || f->in_block || f->status)
		show_object(s, f, cut);
	j->passed_over += f->spoiled;
	forget(j);
	j->frame--;
}

static void
take_result(struct answer_event *e, const struct answer_tx *t)
{
	struct span v = t->m[TXM_RESULT];
	if (v.len == 32) {
		e->result = ANSWER_IS_HASH;
		e->hash = v.p;
	} else if (v.len >= ANSWER_RAW_MIN && raw_like(v.p[0])) {
		e->result = ANSWER_IS_BYTES;
		e->raw = v;
	} else if (t->state == JSONRPC_NO_BUFFER || t->state == JSONRPC_OVERSIZE) {
		e->result = ANSWER_LOST;
	}
}

void
answer_message_close(struct scan *s, bool cut)
{
	struct answer *j = s->j;
	struct answer_tx t;
	gather(s, &t);
	struct answer_event e = event(j, ANSWER_RESPONSE);
	bool told = j->result != ANSWER_NO_RESULT || j->id.kind != JSON_ID_NONE;
	e.result = cut ? ANSWER_CUT : j->result;
	e.text = j->text.len <= ANSWER_TEXT_MAX ? j->text : (struct json_id){0};
	if (e.result == ANSWER_OTHER && (t.has & TXM_BIT(TXM_RESULT)) && j->text.kind == JSON_ID_STRING)
		take_result(&e, &t);
	if (e.result == ANSWER_ERROR) {
		e.code = j->negative ? -j->code : j->code;
		e.message = (struct span){j->note, j->note_len};
		e.error = answer_error_of(e.message);
	}
	j->message_open = false;
	if (!j->notification && told)
		show(s, &e);
	forget(j);
}

/* ---- errors ---- */

static bool
contains(struct span text, const char *words)
{
	size_t n = strlen(words);
	for (uint32_t i = 0; i + n <= text.len; i++) {
		size_t k = 0;
		while (k < n && ((text.p[i + k] | 0x20) == (uint8_t)words[k] ||
					(words[k] == '_' && (text.p[i + k] == ' ' || text.p[i + k] == '_'))))
			k++;
		if (k == n)
			return true;
	}
	return false;
}

enum answer_error
answer_error_of(struct span message)
{
	static const struct {
		const char *words;
		enum answer_error error;
	} table[] = {
		{"already known", ANSWER_ERR_KNOWN}, /* geth, reth */
		{"alreadyknown", ANSWER_ERR_KNOWN},  /* Nethermind, Erigon */
		{"already exists", ANSWER_ERR_KNOWN},
		{"already imported", ANSWER_ERR_KNOWN},	 /* anvil, OpenEthereum */
		{"known transaction", ANSWER_ERR_KNOWN}, /* geth of old, Besu */
		{"underpriced", ANSWER_ERR_UNDERPRICED},
		{"feetoolow", ANSWER_ERR_UNDERPRICED},	     /* Nethermind */
		{"gas price below", ANSWER_ERR_UNDERPRICED}, /* Besu */
		{"nonce too low", ANSWER_ERR_NONCE_LOW}, {"nonce_too_low", ANSWER_ERR_NONCE_LOW}, /* Besu */
		{"noncetoolow", ANSWER_ERR_NONCE_LOW}, {"oldnonce", ANSWER_ERR_NONCE_LOW}, /* Nethermind */
		{"insufficient funds", ANSWER_ERR_FUNDS}, {"insufficientfunds", ANSWER_ERR_FUNDS},
		{"upfront cost exceeds", ANSWER_ERR_FUNDS}, /* Besu */
	};
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
		if (contains(message, table[i].words))
			return table[i].error;
	return ANSWER_ERR_OTHER;
}
