/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/arbfeed.h"

#include "wire/json_hold.h"

/* One call into the scanner. */
struct scan {
	struct arbfeed *j;
	struct jsonrpc_arena *a;
	const uint8_t *end;
	arbfeed_sink sink;
	void *ctx;
	uint32_t *messages;
};

#include "wire/json_scan.h"

#include <stddef.h>
#include <string.h>

/* What the value that comes next is. Containers that are of interest lie at one depth each, so that what the
 * innermost open one is can be told from how many are open. */
enum pos {
	POS_NONE,
	POS_BROADCAST,
	POS_LIST,
	POS_ELEMENT,
	POS_META,
	POS_INNER,
	POS_HEADER,
	POS_L2,
	POS_SEQUENCE,
	POS_KIND
};
enum { IN_BROADCAST = 1, IN_LIST, IN_ELEMENT, IN_META, IN_INNER, IN_HEADER };

void
arbfeed_init(struct arbfeed *f)
{
	memset(f, 0, offsetof(struct arbfeed, x.text));
	f->pos = POS_BROADCAST;
}

bool
arbfeed_looks_like(struct span first)
{
	static const char begin[] = "{\"version\":";
	return first.len >= sizeof begin - 1 && memcmp(first.p, begin, sizeof begin - 1) == 0;
}

static ALWAYS_INLINE bool
is_key(struct json_key key, const char *name, unsigned len)
{
	uint64_t k = 0, tail = 0;
	memcpy(&k, name, len < 8 ? len : 8);
	if (len > 8)
		memcpy(&tail, name + len - 8, 8);
	return key.len == len && key.k == folded(k, len < 8 ? len : 8) &&
	       key.tail == (len > 8 ? tail | EACH(0x20) : 0);
}

#define IS_KEY(key, name) is_key(key, name, (unsigned)sizeof(name) - 1)

static ALWAYS_INLINE void
scan_key(struct scan *s, struct json_key key)
{
	struct arbfeed *j = s->j;
	unsigned pos = POS_NONE;
	switch (j->skip ? 0 : j->x.depth) {
	case IN_BROADCAST:
		pos = IS_KEY(key, "messages") ? POS_LIST : POS_NONE;
		break;
	case IN_ELEMENT:
		pos = IS_KEY(key, "message")	      ? POS_META
		      : IS_KEY(key, "sequencenumber") ? POS_SEQUENCE
						      : POS_NONE;
		break;
	case IN_META:
		pos = IS_KEY(key, "message") ? POS_INNER : POS_NONE;
		break;
	case IN_INNER:
		pos = IS_KEY(key, "l2msg") ? POS_L2 : IS_KEY(key, "header") ? POS_HEADER : POS_NONE;
		break;
	case IN_HEADER:
		pos = IS_KEY(key, "kind") ? POS_KIND : POS_NONE;
		break;
	default:
		break;
	}
	j->pos = (uint8_t)pos;
}

static void
l2_set(struct arbfeed *j, unsigned state, uint32_t len)
{
	j->l2_state = (uint8_t)state;
	j->l2_len = len;
	j->h.used = len;
}

static bool
begins_number(uint8_t c)
{
	return c == '-' || (c >= '0' && c <= '9');
}

static ALWAYS_INLINE void
scan_value(struct scan *s, uint8_t c)
{
	struct arbfeed *j = s->j;
	switch (j->pos) {
	case POS_SEQUENCE:
		if (begins_number(c)) {
			j->sequence = 0;
			j->sequence_state = ARBFEED_NUM_OK;
		}
		break;
	case POS_KIND:
		if (begins_number(c)) {
			j->kind = 0;
			j->kind_state = ARBFEED_NUM_OK;
		}
		break;
	case POS_INNER:
	case POS_HEADER:
		if (c == 'n') {
			j->kind_state = ARBFEED_NUM_NONE;
			if (j->pos == POS_INNER)
				l2_set(j, ARBFEED_NONE, 0);
		}
		break;
	case POS_L2:
		if (c == 'n' || c == '[')
			l2_set(j, c == 'n' ? ARBFEED_NONE : ARBFEED_BAD, 0);
		break;
	default:
		break;
	}
}

static void
element_begins(struct arbfeed *j)
{
	j->open = true;
	j->sequence_state = j->kind_state = ARBFEED_NUM_NONE;
	l2_set(j, ARBFEED_NONE, 0);
}

static inline void
scan_open(struct scan *s, bool object)
{
	/* what may open at each depth, and what is in it if that is a list */
	static const uint8_t wanted[] = {
		POS_BROADCAST, POS_LIST, POS_ELEMENT, POS_META, POS_INNER, POS_HEADER};
	struct arbfeed *j = s->j;
	if (j->skip)
		return;
	unsigned depth = j->x.depth;
	bool list = depth + 1 == IN_LIST;
	if (depth >= sizeof wanted || j->pos != wanted[depth] || object == list) {
		j->skip = (uint16_t)(depth + 1);
		j->pos = POS_NONE;
		return;
	}
	if (list)
		j->pos = POS_ELEMENT;
	else if (depth + 1 == IN_ELEMENT)
		element_begins(j);
}

static void
report(struct scan *s, bool cut)
{
	struct arbfeed *j = s->j;
	struct arbfeed_event e = {.sequence = j->sequence,
		.kind = (uint8_t)j->kind,
		.has_sequence = j->sequence_state == ARBFEED_NUM_OK,
		.has_kind = j->kind_state == ARBFEED_NUM_OK && j->kind <= 255,
		.state = j->l2_state,
		.cut = cut};
	if (!e.has_sequence)
		e.sequence = 0;
	if (!e.has_kind)
		e.kind = 0;
	if (e.state == ARBFEED_OK && j->l2_len > 0)
		e.l2msg = (struct span){hold_buffer(&j->h, s->a), j->l2_len};
	j->open = false;
	s->sink(s->ctx, &e);
}

static void
forget(struct scan *s)
{
	s->j->open = s->j->in_l2 = false;
	s->j->h.used = 0;
	hold_release(&s->j->h, s->a);
}

static inline void
scan_close(struct scan *s)
{
	if (s->j->skip || s->j->x.depth != IN_ELEMENT)
		return;
	(*s->messages)++;
	report(s, false);
	forget(s);
}

static inline void
scan_closed(struct scan *s)
{
	if (s->j->skip > s->j->x.depth)
		s->j->skip = 0;
}

static inline void
scan_element(struct scan *s)
{
	s->j->pos = s->j->skip == 0 && s->j->x.depth == IN_LIST ? POS_ELEMENT : POS_NONE;
}

/* After anything that may have moved the bytes. */
static void
see_lost(struct arbfeed *j)
{
	if (!j->h.lost)
		return;
	j->h.lost = false;
	if (!j->in_l2 && j->l2_state == ARBFEED_OK && j->l2_len > 0)
		l2_set(j, ARBFEED_NO_BUFFER, 0);
}

/* One character of an l2Msg. x.mode becomes MODE_SKIP when there is nothing more to decode. */
static void
take_char(struct scan *s, unsigned c)
{
	struct arbfeed *j = s->j;
	struct json_hold *h = &j->h;
	uint8_t out[3];
	int n = base64_char(&j->b64, c, out);
	if (n < 0)
		hold_spoil(h, JSON_HEX_BAD);
	else if (h->used + (uint32_t)n > ARBFEED_L2MSG_MAX)
		hold_spoil(h, JSON_HEX_OVERSIZE);
	else if (n > 0 && (hold_room(h, s->a) >= (uint32_t)n || hold_make_room(h, s->a, (size_t)n))) {
		memcpy(hold_buffer(h, s->a) + h->used, out, (size_t)n);
		h->used += (uint32_t)n;
	}
	see_lost(j);
	if (h->str_state != JSON_HEX_OK)
		j->x.mode = MODE_SKIP;
}

/* Whole groups, as many as there are, or as there is room for. */
static const uint8_t *
take_groups(struct scan *s, const uint8_t *p)
{
	struct json_hold *h = &s->j->h;
	size_t groups = (size_t)(s->end - p) / 4;
	uint32_t room = hold_room(h, s->a);
	if (room > ARBFEED_L2MSG_MAX - h->used)
		room = ARBFEED_L2MSG_MAX - h->used;
	if (groups > room / 3)
		groups = room / 3;
	if (groups == 0)
		return p;
	size_t n = base64_groups(p, 4 * groups, hold_buffer(h, s->a) + h->used);
	h->used += (uint32_t)(n / 4 * 3);
	return p + n;
}

static const uint8_t *
scan_hex(struct scan *s, const uint8_t *p)
{
	struct arbfeed *j = s->j;
	if (j->h.str_state != JSON_HEX_OK)
		j->x.mode = MODE_SKIP; /* the bytes were taken away between two calls */
	while (p < s->end && j->x.mode == MODE_HEX) {
		if (j->b64.n == 0 && !j->b64.ended)
			p = take_groups(s, p);
		if (p == s->end || *p == '"' || *p == '\\')
			break;
		if (*p < 0x20) /* no JSON: the scanner will see */
			j->x.mode = MODE_SKIP;
		else
			take_char(s, *p++);
	}
	return p;
}

static void
scan_hex_unit(struct scan *s, unsigned c)
{
	if (s->j->h.str_state != JSON_HEX_OK)
		s->j->x.mode = MODE_SKIP;
	else
		take_char(s, c);
}

static ALWAYS_INLINE const uint8_t *
scan_string(struct scan *s, const uint8_t *p)
{
	struct arbfeed *j = s->j;
	if (j->pos != POS_L2) {
		const uint8_t *q = text_skip(p, s->end);
		if (q < s->end && *q == '"')
			return string_is_over(s, q + 1);
		j->x.mode = MODE_SKIP;
		return string_goes_on(s, q);
	}
	j->h.used = 0;
	hold_string(&j->h);
	j->b64 = (struct base64){0};
	j->in_l2 = true;
	j->x.mode = MODE_HEX;
	return string_goes_on(s, p);
}

static void
scan_text(struct scan *s, const uint8_t *p, const uint8_t *end)
{
}

static void
scan_unit(struct scan *s, unsigned c)
{
}

static void
scan_string_ended(struct scan *s)
{
	struct arbfeed *j = s->j;
	if (!j->in_l2)
		return;
	if (j->h.str_state == JSON_HEX_OK && !base64_whole(&j->b64))
		hold_spoil(&j->h, JSON_HEX_BAD);
	j->in_l2 = false;
	l2_set(j, j->h.str_state, j->h.used);
}

/* A sign, a fraction, an exponent or more than 64 bits: no number of these. */
static void
digits(uint64_t *value, uint8_t *state, const uint8_t *p, const uint8_t *end)
{
	for (; p < end && *state == ARBFEED_NUM_OK; p++) {
		unsigned d = (unsigned)*p - '0';
		if (d > 9 || *value > UINT64_MAX / 10 || *value * 10 > UINT64_MAX - d)
			*state = ARBFEED_NUM_BAD;
		else
			*value = *value * 10 + d;
	}
}

static ALWAYS_INLINE void
scan_number(struct scan *s, const uint8_t *p, const uint8_t *end)
{
	struct arbfeed *j = s->j;
	if (j->pos == POS_SEQUENCE)
		digits(&j->sequence, &j->sequence_state, p, end);
	else if (j->pos == POS_KIND)
		digits(&j->kind, &j->kind_state, p, end);
}

static void
scan_again(struct scan *s)
{
	s->j->pos = POS_BROADCAST;
}

enum jsonrpc_status
arbfeed_feed(struct arbfeed *j, struct jsonrpc_arena *arena, struct span piece, bool last, arbfeed_sink sink,
	void *ctx, uint32_t *messages)
{
	struct json_lex *x = &j->x;
	if (x->state >= ST_DONE)
		return status_of(x);
	struct scan s = {.j = j, .a = arena, .end = piece.p, .sink = sink, .ctx = ctx, .messages = messages};
	hold_check(&j->h);
	see_lost(j);
	if (piece.len > 0) {
		s.end += piece.len;
		run(&s, piece.p);
	}
	if (x->state < ST_DONE && last)
		body_ended(x);
	if (x->state < ST_DONE) {
		hold_keep(&j->h, arena);
		see_lost(j);
	} else {
		forget(&s);
	}
	return status_of(x);
}

void
arbfeed_cut(struct arbfeed *j, struct jsonrpc_arena *arena, arbfeed_sink sink, void *ctx)
{
	struct scan s = {.j = j, .a = arena, .sink = sink, .ctx = ctx};
	if (j->x.state >= ST_DONE)
		return;
	hold_check(&j->h);
	see_lost(j);
	if (j->in_l2) {
		if (j->h.str_state == JSON_HEX_OK)
			hold_spoil(&j->h, ARBFEED_CUT);
		l2_set(j, j->h.str_state, 0);
	}
	if (j->open)
		report(&s, true);
	forget(&s);
	j->x.state = ST_BAD;
}
