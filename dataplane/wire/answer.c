/* SPDX-License-Identifier: BSD-3-Clause */
/* What the values of an answer mean, value by value. */
#include "wire/answer_private.h"

#include "wire/answer_place.h"
#include "wire/json_scan.h"

#include <stddef.h>
#include <string.h>

void
answer_init(struct answer *a)
{
	memset(a, 0, offsetof(struct answer, x.text));
	a->pos = POS_MESSAGE;
}

bool
answer_unbegun(const struct answer *a)
{
	return a->x.state == ST_VALUE && a->x.depth == 0 && !a->x.stream;
}

void
answer_init_stream(struct answer *a)
{
	answer_init(a);
	a->x.stream = true;
}

static void
scan_again(struct scan *s)
{
	s->j->pos = POS_MESSAGE;
	s->j->batch = false;
}

static ALWAYS_INLINE void
scan_key(struct scan *s, struct json_key key)
{
	s->j->pos = (uint8_t)key_pos(s->j, key);
}

static uint8_t
id_kind(uint8_t c)
{
	return c == '"'				    ? JSON_ID_STRING
	       : c == 'n'			    ? JSON_ID_NULL
	       : c == '-' || (c >= '0' && c <= '9') ? JSON_ID_NUMBER
						    : JSON_ID_OTHER;
}

static void
value_begins(struct scan *s, uint8_t c)
{
	struct answer *j = s->j;
	switch (j->pos) {
	case POS_ID:
		j->id = (struct json_id){.kind = id_kind(c)};
		break;
	case POS_SUBSCRIPTION:
		j->subscription = (struct json_id){.kind = id_kind(c)};
		break;
	case POS_RESULT:
		if (j->result != ANSWER_ERROR)
			j->result = c == 'n' ? ANSWER_NULL : ANSWER_OTHER;
		j->text = (struct json_id){.kind = id_kind(c)};
		break;
	case POS_ERROR:
		if (c != 'n')
			j->result = ANSWER_ERROR;
		break;
	case POS_CODE:
		j->code = 0;
		j->negative = j->code_over = false;
		break;
	case POS_TXS_ITEM:
		j->frames[j->frame].n_txs++;
		break;
	case POS_LIST_ITEM:
		j->index++;
		break;
	case POS_LATEST:
		j->frames[j->frame].latest = true;
		break;
	case POS_ACCESS_ITEM:
	case POS_AUTH_ITEM:
		if (c != '{')
			answer_list_bad(j, JSONRPC_BAD_HEX);
		break;
	case POS_KEY:
	case POS_BLOB:
		if (c != '"')
			answer_list_bad(j, JSONRPC_BAD_HEX);
		break;
	default:
		break;
	}
}

static ALWAYS_INLINE void
scan_value(struct scan *s, uint8_t c)
{
	if ((unsigned)s->j->pos - POS_ID < POS_MESSAGE - POS_ID)
		value_begins(s, c);
}

static inline void
scan_open(struct scan *s, bool object)
{
	struct answer *j = s->j;
	unsigned ctx = CTX_SKIP;
	if (j->x.depth < ANSWER_NEST) {
		ctx = object ? object_ctx(s) : array_ctx(s);
		j->stack[j->x.depth] = (uint8_t)ctx;
	} else if (j->x.depth == ANSWER_NEST && j->ctx != CTX_SKIP) {
		j->passed_over++;
	}
	j->ctx = (uint8_t)ctx;
	if (!object)
		j->pos = elem_pos[ctx];
}

static void
scan_close(struct scan *s)
{
	struct answer *j = s->j;
	switch (j->ctx) {
	case CTX_OBJECT:
		answer_frame_close(s, false);
		break;
	case CTX_MESSAGE:
		(*s->messages)++;
		answer_message_close(s, false);
		break;
	case CTX_ENTRY:
	case CTX_AUTH:
		answer_entry_close(s, j->ctx);
		break;
	case CTX_ACCESS:
		answer_list_close(j, TXM_ACCESS);
		break;
	case CTX_AUTHS:
		answer_list_close(j, TXM_AUTH);
		break;
	case CTX_BLOBS:
		answer_list_close(j, TXM_BLOBS);
		break;
	default:
		break;
	}
}

static inline void
scan_closed(struct scan *s)
{
	struct answer *j = s->j;
	unsigned depth = j->x.depth;
	j->ctx = depth > ANSWER_NEST || depth == 0 ? CTX_SKIP : j->stack[depth - 1];
}

static inline void
scan_element(struct scan *s)
{
	s->j->pos = elem_pos[s->j->ctx];
}

/* A result's text as an id, if it is short enough for one; else the length alone says that it is not. */
static void
result_text(struct answer *j, const uint8_t *p, size_t n)
{
	if (j->text.len <= ANSWER_TEXT_MAX) {
		size_t room = ANSWER_TEXT_MAX + 1 - j->text.len;
		json_id_bytes(&j->text, p, n < room ? n : room);
	}
}

/* Text that is kept, plain or unescaped. */
static void
take_text(struct answer *j, const uint8_t *p, size_t n)
{
	switch (j->pos) {
	case POS_ID:
		json_id_bytes(&j->id, p, n);
		break;
	case POS_SUBSCRIPTION:
		json_id_bytes(&j->subscription, p, n);
		break;
	case POS_RESULT:
		result_text(j, p, n);
		break;
	case POS_STATUS:
		name_run(&j->x, p, p + n);
		break;
	default: { /* an error's message */
		size_t room = ANSWER_NOTE_MAX - j->note_len;
		n = n < room ? n : room;
		memcpy(j->note + j->note_len, p, n);
		j->note_len += (uint8_t)n;
		break;
	}
	}
}

static inline bool
is_text(const struct answer *j)
{
	return j->pos == POS_ID || j->pos == POS_SUBSCRIPTION || j->pos == POS_STATUS || j->pos == POS_NOTE ||
	       j->pos == POS_ERROR;
}

static void
text_begins(struct answer *j)
{
	j->x.text_len = 0;
	if (j->pos == POS_NOTE || j->pos == POS_ERROR)
		j->note_len = 0;
}

static void
text_ended(struct answer *j)
{
	static const struct {
		const char *name;
		uint8_t len, status;
	} names[] = {
		{"VALID", 5, ANSWER_VALID},
		{"INVALID", 7, ANSWER_INVALID},
		{"SYNCING", 7, ANSWER_SYNCING},
		{"ACCEPTED", 8, ANSWER_ACCEPTED},
		{"INVALID_BLOCK_HASH", 18, ANSWER_INVALID_BLOCK_HASH},
	};
	if (j->pos != POS_STATUS)
		return;
	uint8_t *status = &j->frames[j->frame].status;
	*status = ANSWER_STATUS_NONE;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (j->x.text_len == names[i].len && memcmp(j->x.text, names[i].name, names[i].len) == 0)
			*status = names[i].status;
}

/* A quantity at p that is whole and plain: its bytes are decoded, and what is returned lies behind the
 * closing quote. Else NULL. */
static inline const uint8_t *
quantity(struct scan *s, const uint8_t *p)
{
	struct json_hold *h = &s->j->h;
	const uint8_t *q = text_skip(p, s->end);
	if (q == s->end || *q != '"' || q - p < 3 || q - p > 66 || p[0] != '0' || (p[1] | 0x20) != 'x' ||
		hold_room(h, s->a) < 32)
		return NULL;
	uint8_t *out = hold_buffer(h, s->a) + h->used, *at = out;
	size_t n = (size_t)(q - p) - 2;
	p += 2;
	if (n & 1) {
		if (hex_value[*p] > 15)
			return NULL;
		*at++ = hex_value[*p++];
		n--;
	}
	if (n <= 16) {
		for (size_t i = 0; i < n; i += 2) {
			unsigned v = hex_value[p[i]] << 4 | hex_value[p[i + 1]];
			if (hex_value[p[i]] > 15 || hex_value[p[i + 1]] > 15)
				return NULL;
			*at++ = (uint8_t)v;
		}
	} else if (hex_decode(p, n, at) != n) {
		return NULL;
	} else {
		at += n / 2;
	}
	h->used += (uint32_t)(at - out);
	answer_string_done(s, s->j->pos, JSON_HEX_OK, (uint32_t)(at - out));
	return q + 1;
}

/* The first byte of a result's bytes tells whether any more of them are worth keeping. Of what is no bytes,
 * or none worth keeping, the text is still wanted. */
static void
judge_result(struct scan *s)
{
	struct answer *j = s->j;
	struct json_hold *h = &j->h;
	if (j->role == POS_RESULT && h->str_state == JSON_HEX_OK && h->used - h->str_start > 32 &&
		!raw_like(hold_buffer(h, s->a)[h->str_start]))
		hold_spoil(h, JSON_HEX_BAD);
	if (h->str_state != JSON_HEX_OK)
		j->x.mode = j->role == POS_RESULT ? MODE_TEXT : MODE_SKIP;
}

static const uint8_t *
begin_hex(struct scan *s, const uint8_t *p)
{
	struct answer *j = s->j;
	const uint8_t *from = p;
	bool whole;
	uint32_t len;
	p = hold_begin(&j->h, s->a, p, s->end, &whole, &len);
	if (j->pos == POS_RESULT && whole && p - from > ANSWER_TEXT_MAX + 1)
		j->text.len = ANSWER_TEXT_MAX + 1;
	else if (j->pos == POS_RESULT)
		result_text(j, from, (size_t)(p - from) - whole);
	if (whole) {
		answer_string_done(s, j->pos, JSON_HEX_OK, len);
		return string_is_over(s, p);
	}
	j->role = j->pos;
	j->x.mode = MODE_HEX;
	judge_result(s);
	return string_goes_on(s, p);
}

static ALWAYS_INLINE const uint8_t *
scan_string(struct scan *s, const uint8_t *p)
{
	struct answer *j = s->j;
	unsigned how = decoded[j->pos];
	if (how == AS_QUANTITY) {
		const uint8_t *past = quantity(s, p);
		if (past != NULL)
			return string_is_over(s, past);
	}
	if (how != 0)
		return begin_hex(s, p);
	const uint8_t *q = text_skip(p, s->end);
	bool text = is_text(j);
	if (text)
		text_begins(j);
	if (q < s->end && *q == '"') {
		if (text) {
			take_text(j, p, (size_t)(q - p));
			text_ended(j);
		}
		return string_is_over(s, q + 1);
	}
	j->x.mode = text ? MODE_TEXT : MODE_SKIP;
	return string_goes_on(s, text ? p : q);
}

static void
scan_text(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	take_text(s->j, p, (size_t)(end - p));
}

static void
scan_unit(struct scan *s, unsigned c)
{
	uint8_t utf8[4];
	take_text(s->j, utf8, utf8_of(&s->j->x, c, utf8));
}

static const uint8_t *
scan_hex(struct scan *s, const uint8_t *p)
{
	struct json_hold *h = &s->j->h;
	const uint8_t *from = p;
	p = hold_hex(h, s->a, p, s->end);
	answer_lost(s->j);
	if (s->j->role == POS_RESULT)
		result_text(s->j, from, (size_t)(p - from));
	if (h->str_state == JSON_HEX_OK && p < s->end && *p != '"' && *p != '\\')
		hold_spoil(h, JSON_HEX_BAD);
	judge_result(s);
	return p;
}

static void
scan_hex_unit(struct scan *s, unsigned c)
{
	uint8_t utf8[4];
	hold_char(&s->j->h, s->a, c);
	answer_lost(s->j);
	if (s->j->role == POS_RESULT)
		result_text(s->j, utf8, utf8_of(&s->j->x, c, utf8));
	judge_result(s);
}

static void
scan_string_ended(struct scan *s)
{
	struct answer *j = s->j;
	if (j->role != 0) {
		unsigned role = j->role;
		uint32_t len = hold_string_end(&j->h, s->a, decoded[role] == AS_QUANTITY ? JSON_QUANTITY_MAX : 0);
		answer_lost(j);
		j->role = 0;
		answer_string_done(s, role, j->h.str_state, len);
	} else if (j->x.mode == MODE_TEXT) {
		text_ended(j);
	}
}

/* What follows the integer part of a code is passed over. */
static void
code_digits(struct answer *j, const uint8_t *p, const uint8_t *end)
{
	for (; p < end && !j->code_over; p++) {
		if (*p == '-')
			j->negative = true;
		else if (*p < '0' || *p > '9')
			j->code_over = true;
		else if (j->code > INT32_MAX / 10 - 1)
			j->code = INT32_MAX;
		else
			j->code = j->code * 10 + (*p - '0');
	}
}

static ALWAYS_INLINE void
scan_number(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	struct answer *j = s->j;
	if (j->pos == POS_ID)
		json_id_bytes(&j->id, p, (size_t)(end - p));
	else if (j->pos == POS_SUBSCRIPTION)
		json_id_bytes(&j->subscription, p, (size_t)(end - p));
	else if (j->pos == POS_RESULT)
		result_text(j, p, (size_t)(end - p));
	else if (j->pos == POS_CODE)
		code_digits(j, p, end);
}

/* What is open will not end: its blocks are over, its hashes are told. */
static void
give_up(struct scan *s, bool cut)
{
	struct answer *j = s->j;
	if (j->role != 0) {
		hold_spoil(&j->h, JSONRPC_CUT);
		j->role = 0;
	}
	while (j->message_open && j->frame > 0)
		answer_frame_close(s, true);
	if (j->message_open && cut)
		answer_message_close(s, true);
	j->message_open = false;
	j->n_recs = 0;
	j->h.used = 0;
	hold_release(&j->h, s->a);
}

static bool
is_plain(struct answer *j, struct span piece, answer_sink sink, void *ctx)
{
	uint8_t hash[32];
	struct answer_event e = {.kind = ANSWER_RESPONSE, .result = ANSWER_IS_HASH, .hash = hash};
	if (!answer_unbegun(j) || !answer_plain(piece, &e.id, hash))
		return false;
	j->x.state = ST_DONE;
	sink(ctx, &e);
	return true;
}

enum jsonrpc_status
answer_feed(struct answer *j, struct jsonrpc_arena *arena, struct span piece, bool last, answer_sink sink,
	void *ctx, uint32_t *messages)
{
	struct json_lex *x = &j->x;
	if (x->state >= ST_DONE && !(x->state == ST_DONE && x->stream))
		return status_of(x);
	if (last && is_plain(j, piece, sink, ctx)) {
		++*messages;
		return JSONRPC_DONE;
	}
	struct scan s = {.j = j, .a = arena, .end = piece.p, .sink = sink, .ctx = ctx, .messages = messages};
	hold_check(&j->h);
	answer_lost(j);
	if (piece.len > 0) {
		s.end += piece.len;
		run(&s, piece.p);
	}
	if (x->state < ST_DONE && last)
		body_ended(x);
	if (x->state <= ST_DONE) {
		hold_keep(&j->h, arena);
		answer_lost(j);
	} else {
		give_up(&s, false);
	}
	return status_of(x);
}

void
answer_cut(struct answer *j, struct jsonrpc_arena *arena, answer_sink sink, void *ctx)
{
	uint32_t none = 0;
	struct scan s = {.j = j, .a = arena, .sink = sink, .ctx = ctx, .messages = &none};
	if (j->x.state >= ST_DONE && !(j->x.state == ST_DONE && j->x.stream))
		return;
	hold_check(&j->h);
	answer_lost(j);
	if (j->x.state != ST_DONE)
		give_up(&s, true);
	j->x.state = ST_BAD;
}
