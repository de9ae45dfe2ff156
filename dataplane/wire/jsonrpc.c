/* SPDX-License-Identifier: BSD-3-Clause */
/* The grammar: JSON as Go's scanner reads it. */
#include "wire/hex.h"
#include "wire/jsonrpc_place.h"
#include "wire/jsontext.h"

#include <stddef.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* On the way of every structural byte: calls would cost as much as the work. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What the next byte belongs to. */
enum state {
	ST_VALUE,
	ST_FIRST_VALUE, /* a value, or the end of its array */
	ST_FIRST_KEY,	/* a key, or the end of its object */
	ST_KEY,
	ST_COLON,
	ST_AFTER, /* a comma, or the end of the container */
	ST_STRING,
	ST_ESCAPE,
	ST_UNICODE,
	ST_NUMBER,
	ST_LITERAL,
	ST_DONE, /* this and the rest: nothing more is read */
	ST_BAD,
	ST_DEEP
};

enum mode { MODE_SKIP, MODE_KEY, MODE_METHOD, MODE_HEX };

/* Number states; those that may end a number are the even ones. */
enum number {
	NUM_MINUS = 1,
	NUM_ZERO = 2,
	NUM_DOT = 3,
	NUM_INT = 4,
	NUM_E = 5,
	NUM_FRAC = 6,
	NUM_SIGN = 7,
	NUM_EXP = 8
};

#define TEXT_SPOILED 0xff /* text_len: the key or method is none that we know */

void
jsonrpc_init(struct jsonrpc *j)
{
	memset(j, 0, offsetof(struct jsonrpc, text));
	j->pos = POS_REQUEST;
}

static inline void
value_ended(struct jsonrpc *j)
{
	j->state = j->depth ? ST_AFTER : ST_DONE;
}

static void
open_container(struct jsonrpc *j, bool object)
{
	if (j->depth == JSONRPC_DEPTH_MAX) {
		j->state = ST_DEEP;
		return;
	}
	unsigned ctx = object ? object_ctx(j) : array_ctx(j);
	if (j->depth < JSONRPC_DEPTH_EXACT) {
		uint8_t *bits = &j->is_object[j->depth >> 3], bit = (uint8_t)(1u << (j->depth & 7));
		*bits = object ? *bits | bit : *bits & ~bit;
	}
	j->depth++;
	if (ctx == CTX_SKIP && j->skip == 0)
		j->skip = j->depth;
	j->ctx = (uint8_t)ctx;
	if (object) {
		j->state = ST_FIRST_KEY;
	} else {
		j->pos = ctx == CTX_PARAMS ? POS_FIRST : elem_pos(ctx);
		j->state = ST_FIRST_VALUE;
	}
}

static void
close_container(struct scan *s, bool object)
{
	struct jsonrpc *j = s->j;
	if (!unsure(j) && in_object(j) != object) {
		j->state = ST_BAD;
		return;
	}
	switch (j->ctx) {
	case CTX_REQUEST:
		(*s->messages)++;
		items_report(s, false);
		items_reset(j);
		items_release(j, s->a);
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
	j->depth--;
	if (j->skip > j->depth)
		j->skip = 0;
	if (j->depth)
		j->ctx = (uint8_t)ctx_again(j);
	value_ended(j);
}

static const char *const literals[] = {"true", "false", "null"};

static void
begin_scalar(struct jsonrpc *j, uint8_t c)
{
	j->state = ST_NUMBER;
	if (c == '-') {
		j->sub = NUM_MINUS;
	} else if (c == '0') {
		j->sub = NUM_ZERO;
	} else if (c >= '1' && c <= '9') {
		j->sub = NUM_INT;
	} else {
		j->state = ST_LITERAL;
		j->unit = 1; /* letters read */
		j->sub = c == 't' ? 0 : c == 'f' ? 1 : 2;
		if (c != 't' && c != 'f' && c != 'n')
			j->state = ST_BAD;
	}
}

/* Reads one byte of a number. False: it ends before c, well or not. */
static bool
number_takes(struct jsonrpc *j, uint8_t c)
{
	static const uint8_t on_digit[] = {
		0, NUM_INT, 0, NUM_FRAC, NUM_INT, NUM_EXP, NUM_FRAC, NUM_EXP, NUM_EXP};
	uint8_t next = 0;
	if (c >= '0' && c <= '9')
		next = c == '0' && j->sub == NUM_MINUS ? NUM_ZERO : on_digit[j->sub];
	else if (c == '.')
		next = j->sub == NUM_ZERO || j->sub == NUM_INT ? NUM_DOT : 0;
	else if (c == 'e' || c == 'E')
		next = j->sub == NUM_ZERO || j->sub == NUM_INT || j->sub == NUM_FRAC ? NUM_E : 0;
	else if (c == '+' || c == '-')
		next = j->sub == NUM_E ? NUM_SIGN : 0;
	if (next)
		j->sub = next;
	return next != 0;
}

static const uint8_t *
number_run(struct scan *s, const uint8_t *p)
{
	while (p < s->end && number_takes(s->j, *p))
		p++;
	if (p < s->end) {
		if (s->j->sub & 1)
			s->j->state = ST_BAD;
		else
			value_ended(s->j);
	}
	return p;
}

static const uint8_t *
literal_run(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	const char *word = literals[j->sub];
	while (p < s->end) {
		if (*p++ != (uint8_t)word[j->unit]) {
			j->state = ST_BAD;
			break;
		}
		if (word[++j->unit] == 0) {
			value_ended(j);
			break;
		}
	}
	return p;
}

static void
text_put(struct jsonrpc *j, unsigned c)
{
	if (j->text_len == TEXT_SPOILED)
		return;
	if (j->text_len == sizeof j->text)
		j->text_len = TEXT_SPOILED;
	else
		j->text[j->text_len++] = (uint8_t)c;
}

/* A byte of U+017F (c5 bf) or U+212A (e2 84 aa), or of something that spoils the key. */
static void
key_utf8(struct jsonrpc *j, unsigned c)
{
	if (j->utf8 == 0 && (c == 0xc5 || c == 0xe2)) {
		j->utf8 = (uint8_t)c;
		return;
	}
	if (j->utf8 == 0xe2 && c == 0x84) {
		j->utf8 = 0x84;
		return;
	}
	if (j->utf8 == 0xc5 && c == 0xbf)
		text_put(j, 's');
	else if (j->utf8 == 0x84 && c == 0xaa)
		text_put(j, 'k');
	else
		j->text_len = TEXT_SPOILED;
	j->utf8 = 0;
}

static void
key_char(struct jsonrpc *j, unsigned c, bool escaped)
{
	if (!escaped && c >= 0x80) {
		key_utf8(j, c);
		return;
	}
	if (j->utf8 != 0 || (c >= 0x80 && c != 0x17f && c != 0x212a))
		j->text_len = TEXT_SPOILED;
	text_put(j, c == 0x17f ? 's' : c == 0x212a ? 'k' : c | 0x20);
}

/* The plain text between p and end of a key or a method's name. */
static void
text_run(struct jsonrpc *j, const uint8_t *p, const uint8_t *end)
{
	size_t n = (size_t)(end - p);
	if (j->mode == MODE_KEY) {
		for (; p < end && j->text_len != TEXT_SPOILED; p++)
			key_char(j, *p, false);
	} else if (j->text_len + n > sizeof j->text) {
		j->text_len = TEXT_SPOILED;
	} else {
		memcpy(j->text + j->text_len, p, n);
		j->text_len += (uint8_t)n;
	}
}

/* One escaped character. Surrogates need no pairing: nothing that is compared has any, nor characters beyond
 * ASCII but two. */
static void
string_char(struct scan *s, unsigned c)
{
	struct jsonrpc *j = s->j;
	switch (j->mode) {
	case MODE_KEY:
		key_char(j, c, true);
		break;
	case MODE_METHOD:
		if (c < 0x80)
			text_put(j, c);
		else
			j->text_len = TEXT_SPOILED;
		break;
	case MODE_HEX:
		items_char(s, c);
		if (j->str_state != JSONRPC_OK)
			j->mode = MODE_SKIP;
		break;
	default:
		break;
	}
}

static void
string_ended(struct scan *s)
{
	struct jsonrpc *j = s->j;
	if (j->mode == MODE_KEY) {
		uint64_t k = 0;
		if (j->text_len <= 8 && j->utf8 == 0)
			memcpy(&k, j->text, j->text_len);
		j->pos = (uint8_t)key_pos(j, k);
		j->state = ST_COLON;
		return;
	}
	if (j->mode == MODE_METHOD)
		j->method = j->text_len == TEXT_SPOILED ? 0 : rpc_method_find(j->text, j->text_len);
	if (j->role != ROLE_NONE)
		items_string_end(j);
	value_ended(j);
}

#if defined(__SSE2__)
/* A bit for each of 16 bytes that is a quote, a backslash or a control character. */
static inline unsigned
special(__m128i v)
{
	__m128i hit = _mm_or_si128(
		_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
		_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
	return (unsigned)_mm_movemask_epi8(hit);
}
#endif

/* json_text_skip, without a call for most strings: they are short. */
static inline const uint8_t *
text_skip(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
	for (unsigned i = 0; i < 3 && end - p >= 16; i++, p += 16) {
		unsigned m = special(_mm_loadu_si128((const void *)p));
		if (m)
			return p + __builtin_ctz(m);
	}
#endif
	if (end - p >= 16)
		return json_text_skip(p, end);
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
		p++;
	return p;
}

static const uint8_t *
string_run(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	if (j->mode == MODE_HEX) {
		p = items_hex(s, p);
		if (j->str_state == JSONRPC_OK && p < s->end && *p != '"' && *p != '\\')
			items_spoil(j, JSONRPC_BAD_HEX);
		if (j->str_state != JSONRPC_OK)
			j->mode = MODE_SKIP;
	}
	const uint8_t *q = p;
	if (j->mode != MODE_HEX) {
		q = text_skip(p, s->end);
		if (j->mode != MODE_SKIP)
			text_run(j, p, q);
	}
	if (q == s->end)
		return q;
	if (*q == '"') {
		string_ended(s);
	} else if (*q == '\\') {
		j->state = ST_ESCAPE;
	} else {
		j->state = ST_BAD;
	}
	return q + 1;
}

static void
escape(struct scan *s, uint8_t c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (c == 'u') {
		s->j->state = ST_UNICODE;
		s->j->sub = 0;
		s->j->unit = 0;
		return;
	}
	const char *at = c ? strchr(from, c) : NULL;
	s->j->state = at ? ST_STRING : ST_BAD;
	if (at)
		string_char(s, (uint8_t)to[at - from]);
}

static void
unicode(struct scan *s, uint8_t c)
{
	struct jsonrpc *j = s->j;
	unsigned v = hex_value[c];
	if (v > 15) {
		j->state = ST_BAD;
		return;
	}
	j->unit = (uint16_t)(j->unit << 4 | v);
	if (++j->sub == 4) {
		j->state = ST_STRING;
		string_char(s, j->unit);
	}
}

/* p is behind the opening quote of a value. */
static ALWAYS_INLINE const uint8_t *
begin_string(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	enum role role = role_of(j->pos);
	if (role == ROLE_NONE) { /* most strings are whole, and plain */
		const uint8_t *q = text_skip(p, s->end);
		if (q < s->end && *q == '"') {
			if (j->pos == POS_METHOD)
				j->method = rpc_method_find(p, (size_t)(q - p));
			value_ended(j);
			return q + 1;
		}
	} else {
		p = items_begin(s, p, role);
		if (j->role == ROLE_NONE) {
			value_ended(j);
			return p;
		}
	}
	j->text_len = 0;
	j->utf8 = 0;
	j->mode = role != ROLE_NONE ? MODE_HEX : j->pos == POS_METHOD ? MODE_METHOD : MODE_SKIP;
	j->state = ST_STRING;
	return string_run(s, p);
}

static const uint8_t *
begin_other(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	if (*p == '{' || *p == '[') {
		open_container(j, *p == '{');
		return p + 1;
	}
	begin_scalar(j, *p++);
	return j->state == ST_NUMBER ? number_run(s, p) : p;
}

static ALWAYS_INLINE const uint8_t *
begin_value(struct scan *s, const uint8_t *p)
{
	if (s->j->pos >= POS_PARAMS)
		value_begins(s->j, *p);
	return *p == '"' ? begin_string(s, p + 1) : begin_other(s, p);
}

#define EACH(byte) (0x0101010101010101 * (uint64_t)(byte))

/* The first len bytes of x, folded as key_pos wants them. */
static inline uint64_t
folded(uint64_t x, unsigned len)
{
	return len == 0 ? 0 : (x | EACH(0x20)) & (UINT64_MAX >> (64 - 8 * len));
}

/* The length of a key at p that is whole and plain and has its colon right behind, or -1: read it byte by
 * byte. *k: what key_pos wants to know of it. This one is for the end of a piece: at most seven bytes. */
static inline int
short_key(const uint8_t *p, const uint8_t *end, uint64_t *k)
{
	uint64_t x;
	if (end - p < 9)
		return -1;
	memcpy(&x, p, 8);
	uint64_t quote = x ^ EACH('"');
	quote = (quote - EACH(1)) & ~quote & EACH(0x80);
	if (quote == 0)
		return -1;
	unsigned len = (unsigned)__builtin_ctzll(quote) / 8;
	*k = folded(x, len);
	uint64_t text = len ? x | ~(UINT64_MAX >> (64 - 8 * len)) : UINT64_MAX; /* the rest: all ones */
	uint64_t high = len ? x & (UINT64_MAX >> (64 - 8 * len)) & EACH(0x80) : 0;
	uint64_t slash = text ^ EACH('\\');
	slash = (slash - EACH(1)) & ~slash & EACH(0x80);
	uint64_t control = (text - EACH(0x20)) & ~text & EACH(0x80);
	return p[len + 1] != ':' || high | slash | control ? -1 : (int)len;
}

static inline int
plain_key(const uint8_t *p, const uint8_t *end, uint64_t *k)
{
#if defined(__SSE2__)
	if (end - p >= 17) {
		__m128i v = _mm_loadu_si128((const void *)p);
		unsigned len = (unsigned)__builtin_ctz(special(v) | 0x10000);
		unsigned high = (unsigned)_mm_movemask_epi8(v) & ((1u << len) - 1);
		if (len == 16 || p[len] != '"' || p[len + 1] != ':' || high)
			return -1;
		uint64_t x;
		memcpy(&x, p, 8);
		*k = len <= 8 ? folded(x, len) : 0;
		return (int)len;
	}
#endif
	return short_key(p, end, k);
}

static ALWAYS_INLINE const uint8_t *
begin_key(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	if (*p != '"') {
		j->state = ST_BAD;
		return p;
	}
	uint64_t k;
	int len = plain_key(++p, s->end, &k);
	if (len >= 0) {
		j->pos = (uint8_t)key_pos(j, k);
		p += len + 2;
		if (p<s->end && * p> ' ')
			return begin_value(s, p);
		j->state = ST_VALUE;
		return p;
	}
	j->mode = MODE_KEY;
	j->text_len = 0;
	j->utf8 = 0;
	j->state = ST_STRING;
	return p;
}

/* p is at the first byte behind a value and white space. */
static ALWAYS_INLINE const uint8_t *
after_value(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	uint8_t c = *p++;
	if (c == ',') {
		bool object = !unsure(j) && in_object(j);
		if (!object)
			j->pos = elem_pos(j->ctx);
		j->state = object ? ST_KEY : ST_VALUE;
	} else if (c == '}' || c == ']') {
		close_container(s, c == '}');
	} else {
		j->state = c == ':' && unsure(j) ? ST_VALUE : ST_BAD;
	}
	return p;
}

static inline bool
is_space(uint8_t c)
{
	return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

/* One structural byte, key or value; p is at no white space. */
static ALWAYS_INLINE const uint8_t *
structure(struct scan *s, const uint8_t *p)
{
	struct jsonrpc *j = s->j;
	switch (j->state) {
	case ST_AFTER:
		return after_value(s, p);
	case ST_FIRST_KEY:
	case ST_KEY:
		if (*p != '}' || j->state == ST_KEY)
			return begin_key(s, p);
		break;
	case ST_FIRST_VALUE:
	case ST_VALUE:
		if (*p != ']' || j->state == ST_VALUE)
			return begin_value(s, p);
		break;
	default: /* ST_COLON */
		j->state = *p == ':' ? ST_VALUE : ST_BAD;
		return p + 1;
	}
	close_container(s, *p == '}');
	return p + 1;
}

/* A piece of a string or scalar. */
static const uint8_t *
token(struct scan *s, const uint8_t *p)
{
	switch (s->j->state) {
	case ST_STRING:
		return string_run(s, p);
	case ST_ESCAPE:
		escape(s, *p);
		return p + 1;
	case ST_UNICODE:
		unicode(s, *p);
		return p + 1;
	case ST_NUMBER:
		return number_run(s, p);
	default: /* ST_LITERAL */
		return literal_run(s, p);
	}
}

static void
run(struct scan *s, const uint8_t *p)
{
	const struct jsonrpc *j = s->j;
	while (p < s->end && j->state < ST_DONE) {
		if (j->state > ST_AFTER)
			p = token(s, p);
		else if (is_space(*p))
			p++;
		else
			p = structure(s, p);
	}
}

static enum jsonrpc_status
status_of(const struct jsonrpc *j)
{
	switch (j->state) {
	case ST_DONE:
		return JSONRPC_DONE;
	case ST_BAD:
		return JSONRPC_MALFORMED;
	case ST_DEEP:
		return JSONRPC_TOO_DEEP;
	default:
		return JSONRPC_MORE;
	}
}

/* The body ends here, within or before its value. */
static void
body_ended(struct jsonrpc *j)
{
	bool number = j->depth == 0 && j->state == ST_NUMBER && (j->sub & 1) == 0;
	bool nothing = j->depth == 0 && j->state == ST_VALUE;
	j->state = number || nothing ? ST_DONE : ST_BAD;
}

enum jsonrpc_status
jsonrpc_feed(struct jsonrpc *j, struct jsonrpc_arena *a, struct span piece, bool last, jsonrpc_sink sink,
	void *ctx, uint32_t *messages)
{
	if (j->state >= ST_DONE)
		return status_of(j);
	struct scan s = {.j = j, .a = a, .end = piece.p, .sink = sink, .ctx = ctx, .messages = messages};
	items_check(j);
	if (piece.len > 0) {
		s.end += piece.len;
		run(&s, piece.p);
	}
	if (j->state < ST_DONE && last)
		body_ended(j);
	if (j->state < ST_DONE) {
		items_keep(j, a);
	} else {
		items_reset(j);
		items_release(j, a);
	}
	return status_of(j);
}

void
jsonrpc_cut(struct jsonrpc *j, struct jsonrpc_arena *a, jsonrpc_sink sink, void *ctx)
{
	if (j->state >= ST_DONE)
		return;
	struct scan s = {.j = j, .a = a, .sink = sink, .ctx = ctx};
	items_check(j);
	if (j->role != ROLE_NONE)
		items_string_end(j);
	items_report(&s, true);
	items_reset(j);
	items_release(j, a);
	j->state = ST_BAD;
}
