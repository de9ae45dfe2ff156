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

static void
scan_again(struct scan *s)
{
	s->j->pos = POS_REQUEST;
	s->j->batch = false;
}

static ALWAYS_INLINE void
scan_key(struct scan *s, struct json_key key)
{
	s->j->pos = (uint8_t)key_pos(s->j, key);
}

static ALWAYS_INLINE void
scan_value(struct scan *s, uint8_t c)
{
	if (s->j->pos >= POS_PARAMS)
		value_begins(s->j, c);
}

static inline void
scan_open(struct scan *s, bool object)
{
	struct jsonrpc *j = s->j;
	unsigned ctx = object ? object_ctx(j) : array_ctx(j);
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
		items_report(s, false);
		items_reset(j);
		hold_release(&j->h, s->a);
		break;
	case CTX_ELEM:
		items_kill_hashes(j, j->elem_mark[j->level], j->level);
		break;
	case CTX_SUB:
		j->level--;
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
	s->j->pos = elem_pos(s->j->ctx);
}

static ALWAYS_INLINE const uint8_t *
scan_string(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	enum role role = role_of(j->pos);
	if (role == ROLE_NONE) { /* most strings are whole, and plain */
		const uint8_t *q = text_skip(p, s->end);
		if (q < s->end && *q == '"') {
			if (j->pos == POS_METHOD)
				j->method = rpc_method_find(p, (size_t)(q - p));
			return string_is_over(s, q + 1);
		}
	} else {
		p = items_begin(s, p, role);
		if (j->role == ROLE_NONE)
			return string_is_over(s, p);
	}
	j->x.mode = role != ROLE_NONE ? MODE_HEX : j->pos == POS_METHOD ? MODE_TEXT : MODE_SKIP;
	return string_goes_on(s, p);
}

static void
scan_text(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	name_run(&s->j->x, p, end);
}

static void
scan_unit(struct scan *s, unsigned c)
{
	name_unit(&s->j->x, c);
}

static const uint8_t *
scan_hex(struct scan *s, const uint8_t *p)
{
	struct json_hold *h = &s->j->h;
	p = hold_hex(h, s->a, p, s->end);
	items_lost(s->j);
	if (h->str_state == JSON_HEX_OK && p < s->end && *p != '"' && *p != '\\')
		hold_spoil(h, JSON_HEX_BAD);
	if (h->str_state != JSON_HEX_OK)
		s->j->x.mode = MODE_SKIP;
	return p;
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
	if (j->x.mode == MODE_TEXT)
		j->method = j->x.text_len == TEXT_SPOILED ? 0 : rpc_method_find(j->x.text, j->x.text_len);
	if (j->role != ROLE_NONE)
		items_string_end(j, s->a);
}

static ALWAYS_INLINE void
scan_number(struct scan *s, const uint8_t *p, const uint8_t *end)
{
}

enum jsonrpc_status
jsonrpc_feed(struct jsonrpc *j, struct jsonrpc_arena *a, struct span piece, bool last, jsonrpc_sink sink,
	void *ctx, uint32_t *messages)
{
	struct json_lex *x = &j->x;
	if (x->state >= ST_DONE && !x->stream)
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
	} else {
		items_reset(j);
		hold_release(&j->h, a);
	}
	return status_of(x);
}

void
jsonrpc_cut(struct jsonrpc *j, struct jsonrpc_arena *a, jsonrpc_sink sink, void *ctx)
{
	if (j->x.state >= ST_DONE)
		return;
	struct scan s = {.j = j, .a = a, .sink = sink, .ctx = ctx};
	hold_check(&j->h);
	items_lost(j);
	if (j->role != ROLE_NONE)
		items_string_end(j, a);
	items_report(&s, true);
	items_reset(j);
	hold_release(&j->h, a);
	j->x.state = ST_BAD;
}
