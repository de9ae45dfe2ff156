/* SPDX-License-Identifier: BSD-3-Clause */
/* What a request's values mean, value by value. */
#include "wire/jsonrpc_private.h"

#include "wire/json_scan.h"
#include "wire/jsonrpc_place.h"

#include <stddef.h>
#include <string.h>

void
jsonrpc_init(struct jsonrpc *j)
{
	memset(j, 0, offsetof(struct jsonrpc, x.text));
	j->pos = POS_REQUEST;
}

void
jsonrpc_init_stream(struct jsonrpc *j)
{
	jsonrpc_init(j);
	j->x.stream = true;
}

static void
scan_again(struct scan *s)
{
	s->j->pos = POS_REQUEST;
	s->j->batch = false;
}

static ALWAYS_INLINE void
scan_key(struct scan *s, struct json_key key)
{
	struct jsonrpc *j = s->j;
	unsigned pos = key_pos(s, key);
	j->pos = (uint8_t)pos;
	uint64_t folded = key.k & ~key.raw;
	if (pos != POS_NONE && __builtin_expect(folded != 0 || j->folded_at > 0, 0))
		path_key(j, folded != 0);
}

static ALWAYS_INLINE void
scan_value(struct scan *s, uint8_t c)
{
	if (s->j->pos >= POS_PARAMS)
		value_begins(s, c);
	else if (s->j->pos == POS_ID)
		s->j->id = (struct json_id){.kind = id_kind(c)};
}

static inline void
scan_open(struct scan *s, bool object)
{
	struct jsonrpc *j = s->j;
	unsigned ctx = object ? object_ctx(j) : array_ctx(s);
	if (ctx == CTX_SKIP && j->skip == 0)
		j->skip = (uint16_t)(j->x.depth + 1);
	j->ctx = (uint8_t)ctx;
	if (!object)
		j->pos = ctx == CTX_PARAMS ? POS_FIRST : elem_pos(ctx);
}

static inline void
scan_close(struct scan *s)
{
	struct jsonrpc *j = s->j;
	switch (j->ctx) {
	case CTX_REQUEST:
		(*s->messages)++;
		if (j->in_block || j->kind >= JSONRPC_NEW_PAYLOAD)
			rpc_block_end(s, JSON_BLOCK_WHOLE);
		if (s->a->watch != NULL)
			rpc_request_report(s, false);
		items_report(s, false);
		items_reset(j);
		if (j->h.slab != NULL)
			hold_release(&j->h, s->a);
		break;
	case CTX_ELEM:
		items_kill_hashes(j, j->elem_mark[j->level], j->level);
		break;
	case CTX_SUB:
		j->level--;
		break;
	case CTX_BYTES:
		if (j->x.state != ST_FIRST_VALUE)
			items_byte(s);
		items_add_bytes(s, JSONRPC_OK);
		break;
	default:
		break;
	}
}

static inline void
scan_closed(struct scan *s)
{
	struct jsonrpc *j = s->j;
	if (j->skip > j->x.depth)
		j->skip = 0;
	if (j->x.depth)
		j->ctx = (uint8_t)ctx_again(j);
}

static inline void
scan_element(struct scan *s)
{
	struct jsonrpc *j = s->j;
	if (j->ctx == CTX_PARAMS) {
		j->pos = j->param == 0 ? POS_SECOND : POS_NONE;
		j->param = 1;
	} else {
		if (j->ctx == CTX_BYTES)
			items_byte(s);
		j->pos = elem_pos(j->ctx);
	}
}

static void
set_method(struct jsonrpc *j, const uint8_t *name, size_t len)
{
	bool folded = j->folded_at > 0;
	if (folded != j->method_folded)
		j->other_method = j->method;
	j->method_folded = folded;
	j->method = rpc_method_find(name, len);
	j->kind = j->method ? rpc_method(j->method)->kind : JSONRPC_OTHER;
	j->method_read = true;
}

/* A whole string that is no candidate. */
static inline void
take_text(struct jsonrpc *j, const uint8_t *p, size_t len)
{
	if (j->pos == POS_METHOD)
		set_method(j, p, len);
	else if (j->pos == POS_ID)
		json_id_bytes(&j->id, p, len);
	else if (j->pos == POS_FIRST)
		j->subscription = rpc_subscription(p, len);
}

/* The first byte of hex that may be a transaction's: its type, or a list. No subscription's name begins so.
 */
static bool
begins_tx(unsigned c)
{
	return c == '0' || (c | 0x20) - 'c' <= 3u;
}

/* What is read as a subscription's name, but cannot be one, is kept: the method may be overridden yet. */
static bool
name_is_tx(struct jsonrpc *j, unsigned c)
{
	if (j->pos != POS_FIRST || j->x.text_len > 0 || !begins_tx(c))
		return false;
	j->x.mode = MODE_HEX;
	j->role = ROLE_FIRST;
	hold_string(&j->h);
	return true;
}

static ALWAYS_INLINE const uint8_t *
scan_string(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	enum role role = role_at[j->pos];
	if (role == ROLE_FIRST && j->kind == JSONRPC_SUBSCRIBE && (p == s->end || !begins_tx(*p)))
		role = ROLE_NONE;
	if (role == ROLE_NONE) { /* most strings are whole, and plain */
		const uint8_t *q = text_skip(p, s->end);
		if (q < s->end && *q == '"') {
			take_text(j, p, (size_t)(q - p));
			return string_is_over(s, q + 1);
		}
		bool text = j->pos == POS_METHOD || j->pos == POS_ID || j->pos == POS_FIRST;
		j->x.mode = text ? MODE_TEXT : MODE_SKIP;
	} else {
		p = items_begin(s, p, role);
		if (j->role == ROLE_NONE)
			return string_is_over(s, p);
		j->x.mode = MODE_HEX;
	}
	return string_goes_on(s, p);
}

static const uint8_t *
hex_run(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	struct json_hold *h = &s->j->h;
	p = hold_hex(h, s->a, p, end);
	items_lost(s->j);
	if (h->str_state == JSON_HEX_OK && p < end && *p != '"' && *p != '\\')
		hold_spoil(h, JSON_HEX_BAD);
	if (h->str_state != JSON_HEX_OK)
		s->j->x.mode = MODE_SKIP;
	return p;
}

static void
scan_text(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	if (s->j->pos == POS_ID)
		json_id_bytes(&s->j->id, p, (size_t)(end - p));
	else if (p < end && name_is_tx(s->j, *p))
		hex_run(s, p, end);
	else
		name_run(&s->j->x, p, end);
}

static void
scan_unit(struct scan *s, unsigned c)
{
	uint8_t utf8[4];
	if (s->j->pos == POS_ID)
		json_id_bytes(&s->j->id, utf8, utf8_of(&s->j->x, c, utf8));
	else if (name_is_tx(s->j, c))
		scan_hex_unit(s, c);
	else
		name_unit(&s->j->x, c);
}

static const uint8_t *
scan_hex(struct scan *s, const uint8_t *p)
{
	return hex_run(s, p, s->end);
}

static void
scan_hex_unit(struct scan *s, unsigned c)
{
	hold_char(&s->j->h, s->a, c);
	items_lost(s->j);
	if (s->j->h.str_state != JSON_HEX_OK)
		s->j->x.mode = MODE_SKIP;
}

static void
scan_string_ended(struct scan *s)
{
	struct jsonrpc *j = s->j;
	if (j->role != ROLE_NONE)
		items_string_end(s);
	else if (j->x.mode == MODE_TEXT && j->pos != POS_ID)
		take_text(j, j->x.text, j->x.text_len == TEXT_SPOILED ? 0 : j->x.text_len);
}

static ALWAYS_INLINE void
scan_number(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	struct jsonrpc *j = s->j;
	if (j->pos == POS_ID)
		json_id_bytes(&j->id, p, (size_t)(end - p));
	for (; j->pos == POS_BYTE && p < end; p++) {
		unsigned digit = (unsigned)*p - '0', byte = digit > 9 ? 256 : 10u * j->byte + digit;
		j->byte = byte < 256 ? (uint16_t)byte : 256;
	}
}

enum jsonrpc_status
jsonrpc_feed(struct jsonrpc *j, struct jsonrpc_arena *a, struct span piece, bool last, jsonrpc_sink sink,
	void *ctx, uint32_t *messages)
{
	struct json_lex *x = &j->x;
	if (x->state >= ST_DONE && !(x->state == ST_DONE && x->stream))
		return status_of(x);
	struct scan s = {.j = j, .a = a, .end = piece.p, .sink = sink, .ctx = ctx, .messages = messages};
	hold_check(&j->h);
	items_lost(j);
	if (piece.len > 0) {
		s.end += piece.len;
		run(&s, piece.p);
	}
	if (x->state < ST_DONE && last)
		body_ended(x);
	if (x->state < ST_DONE) {
		hold_keep(&j->h, a);
		items_lost(j);
	} else if (x->state != ST_DONE) { /* a request that is damaged reports nothing */
		rpc_block_end(&s, JSON_BLOCK_CUT);
		items_reset(j);
		hold_release(&j->h, a);
	}
	return status_of(x);
}

void
jsonrpc_cut(struct jsonrpc *j, struct jsonrpc_arena *a, jsonrpc_sink sink, void *ctx)
{
	struct scan s = {.j = j, .a = a, .sink = sink, .ctx = ctx};
	if (j->x.state == ST_DONE && j->x.stream)
		j->x.state = ST_BAD; /* nothing was begun */
	if (j->x.state >= ST_DONE)
		return;
	hold_check(&j->h);
	items_lost(j);
	if (j->role != ROLE_NONE) {
		hold_spoil(&j->h, JSONRPC_CUT);
		items_string_end(&s);
	} else if (j->ctx == CTX_BYTES) {
		items_add_bytes(&s, JSONRPC_CUT);
	}
	rpc_block_end(&s, JSON_BLOCK_CUT);
	if (a->watch != NULL && j->x.depth > j->batch)
		rpc_request_report(&s, true);
	items_report(&s, true);
	items_reset(j);
	hold_release(&j->h, a);
	j->x.state = ST_BAD;
}
