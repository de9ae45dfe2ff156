/* SPDX-License-Identifier: BSD-3-Clause */
/* json_scan: the grammar, JSON as Go's scanner reads it (encoding/json scanner.go), resumable at every byte.
 *It is compiled into each scanner, for on the way of every structural byte calls would cost as much as the
 *work: jsonrpc.c and answer.c include it, once each, behind a `struct scan` with j    the scanner's state,
 *whose `x` is a struct json_lex end  of the piece and define the functions declared first here. Nobody else
 *includes this. */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include "wire/hex.h"
#include "wire/json.h"
#include "wire/jsontext.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* A key: its first 8 bytes, or as many as it has, with bit 0x20 set in each (for letters that is folding),
 * zeros behind; tail: likewise the last 8 of one longer than that, else 0. len 255: none that anybody knows.
 * raw: the first bytes as they are spelled, whatever follows; k & ~raw is 0 if that is as they are compared.
 */
struct json_key {
	uint64_t k, tail, raw;
	uint8_t len;
};

/* ---- what the includer defines ---- */

/* A key was read: what does its value mean? */
static void scan_key(struct scan *s, struct json_key key);
/* A value begins with c. */
static void scan_value(struct scan *s, uint8_t c);
/* A container is about to open, and tells what the elements of an array are. */
static void scan_open(struct scan *s, bool object);
/* A container has ended well, but still is the innermost open one; and then it is not any more. */
static void scan_close(struct scan *s);
static void scan_closed(struct scan *s);
/* The next element of an array, behind a comma. */
static void scan_element(struct scan *s);
/* A string value begins; p is behind its quote. Either all of it is taken (string_is_over), or x.mode is set
 * and string_goes_on returned. */
static const uint8_t *scan_string(struct scan *s, const uint8_t *p);
/* In MODE_TEXT: plain text, and one escaped UTF-16 unit. */
static void scan_text(struct scan *s, const uint8_t *p, const uint8_t *end);
static void scan_unit(struct scan *s, unsigned c);
/* In MODE_HEX: takes digits as far as it can and returns where it stopped; one escaped unit. x.mode becomes
 * MODE_SKIP when there is nothing more to decode. */
static const uint8_t *scan_hex(struct scan *s, const uint8_t *p);
static void scan_hex_unit(struct scan *s, unsigned c);
static void scan_string_ended(struct scan *s);
/* Text of a number. */
static void scan_number(struct scan *s, const uint8_t *p, const uint8_t *end);
/* A value at the top has ended, and in a stream another begins. */
static void scan_again(struct scan *s);

/* ---- the grammar ---- */

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

enum mode { MODE_SKIP, MODE_KEY, MODE_TEXT, MODE_HEX };

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

#define TEXT_SPOILED 0xff /* text_len: the key or name is none that we know */

static inline void
value_ended(struct json_lex *x)
{
	x->state = x->depth ? ST_AFTER : ST_DONE;
}

/* Below JSONRPC_DEPTH_EXACT nobody knows; nothing of interest lies there. */
static inline bool
unsure(const struct json_lex *x)
{
	return x->depth > JSONRPC_DEPTH_EXACT;
}

static inline bool
in_object(const struct json_lex *x)
{
	return x->is_object[(x->depth - 1) >> 3] >> ((x->depth - 1) & 7) & 1;
}

static void
open_container(struct scan *s, bool object)
{
	struct json_lex *x = &s->j->x;
	if (x->depth == JSONRPC_DEPTH_MAX) {
		x->state = ST_DEEP;
		return;
	}
	scan_open(s, object);
	if (x->depth < JSONRPC_DEPTH_EXACT) {
		uint8_t *bits = &x->is_object[x->depth >> 3], bit = (uint8_t)(1u << (x->depth & 7));
		*bits = object ? *bits | bit : *bits & ~bit;
	}
	x->depth++;
	x->state = object ? ST_FIRST_KEY : ST_FIRST_VALUE;
}

static void
close_container(struct scan *s, bool object)
{
	struct json_lex *x = &s->j->x;
	if (!unsure(x) && in_object(x) != object) {
		x->state = ST_BAD;
		return;
	}
	scan_close(s);
	x->depth--;
	scan_closed(s);
	value_ended(x);
}

static const char *const literals[] = {"true", "false", "null"};

static void
begin_scalar(struct json_lex *x, uint8_t c)
{
	x->state = ST_NUMBER;
	if (c == '-') {
		x->sub = NUM_MINUS;
	} else if (c == '0') {
		x->sub = NUM_ZERO;
	} else if (c >= '1' && c <= '9') {
		x->sub = NUM_INT;
	} else {
		x->state = ST_LITERAL;
		x->unit = 1; /* letters read */
		x->sub = c == 't' ? 0 : c == 'f' ? 1 : 2;
		if (c != 't' && c != 'f' && c != 'n')
			x->state = ST_BAD;
	}
}

/* Reads one byte of a number. False: it ends before c, well or not. */
static bool
number_takes(struct json_lex *x, uint8_t c)
{
	static const uint8_t on_digit[] = {
		0, NUM_INT, 0, NUM_FRAC, NUM_INT, NUM_EXP, NUM_FRAC, NUM_EXP, NUM_EXP};
	uint8_t next = 0;
	if (c >= '0' && c <= '9')
		next = c == '0' && x->sub == NUM_MINUS ? NUM_ZERO : on_digit[x->sub];
	else if (c == '.')
		next = x->sub == NUM_ZERO || x->sub == NUM_INT ? NUM_DOT : 0;
	else if (c == 'e' || c == 'E')
		next = x->sub == NUM_ZERO || x->sub == NUM_INT || x->sub == NUM_FRAC ? NUM_E : 0;
	else if (c == '+' || c == '-')
		next = x->sub == NUM_E ? NUM_SIGN : 0;
	if (next)
		x->sub = next;
	return next != 0;
}

/* p: the rest of a number; from: where its text in this piece begins. */
static const uint8_t *
number_run(struct scan *s, const uint8_t *from, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	if (x->sub == NUM_INT)
		while (p < s->end && (unsigned)*p - '0' < 10)
			p++;
	while (p < s->end && number_takes(x, *p))
		p++;
	scan_number(s, from, p);
	if (p < s->end) {
		if (x->sub & 1)
			x->state = ST_BAD;
		else
			value_ended(x);
	}
	return p;
}

static const uint8_t *
literal_run(struct scan *s, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	const char *word = literals[x->sub];
	while (p < s->end) {
		if (*p++ != (uint8_t)word[x->unit]) {
			x->state = ST_BAD;
			break;
		}
		if (word[++x->unit] == 0) {
			value_ended(x);
			break;
		}
	}
	return p;
}

static void
text_put(struct json_lex *x, unsigned c)
{
	if (x->text_len == TEXT_SPOILED)
		return;
	if (x->text_len == sizeof x->text)
		x->text_len = TEXT_SPOILED;
	else
		x->text[x->text_len++] = (uint8_t)c;
}

/* A byte of U+017F (c5 bf) or U+212A (e2 84 aa), or of something that spoils the key. */
static void
key_utf8(struct json_lex *x, unsigned c)
{
	if (x->utf8 == 0 && (c == 0xc5 || c == 0xe2)) {
		x->utf8 = (uint8_t)c;
		return;
	}
	if (x->utf8 == 0xe2 && c == 0x84) {
		x->utf8 = 0x84;
		return;
	}
	x->folded = true;
	if (x->utf8 == 0xc5 && c == 0xbf)
		text_put(x, 's');
	else if (x->utf8 == 0x84 && c == 0xaa)
		text_put(x, 'k');
	else
		x->text_len = TEXT_SPOILED;
	x->utf8 = 0;
}

static void
key_char(struct json_lex *x, unsigned c, bool escaped)
{
	if (!escaped && c >= 0x80) {
		key_utf8(x, c);
		return;
	}
	if (c >= 0x80) {
		x->folded = true;
		c = c == 0x17f ? 's' : c == 0x212a ? 'k' : 0;
	}
	/* an escaped control character would fold into a digit */
	if (x->utf8 != 0 || c < 0x20)
		x->text_len = TEXT_SPOILED;
	text_put(x, c);
}

static void
key_run(struct json_lex *x, const uint8_t *p, const uint8_t *end)
{
	for (; p < end && x->text_len != TEXT_SPOILED; p++)
		key_char(x, *p, false);
}

/* name_run, name_unit: a name, unescaped, into x->text. No name that anybody knows has characters beyond
 * ASCII. */
static inline void
name_run(struct json_lex *x, const uint8_t *p, const uint8_t *end)
{
	size_t n = (size_t)(end - p);
	if (x->text_len + n > sizeof x->text) {
		x->text_len = TEXT_SPOILED;
	} else {
		memcpy(x->text + x->text_len, p, n);
		x->text_len += (uint8_t)n;
	}
}

static inline void
name_unit(struct json_lex *x, unsigned c)
{
	if (c < 0x80)
		text_put(x, c);
	else
		x->text_len = TEXT_SPOILED;
}

/* utf8_of: an escaped UTF-16 unit as UTF-8; returns the number of bytes, 0 for the first half of a pair. A
 * half without the other is passed over. */
static inline unsigned
utf8_of(struct json_lex *x, unsigned c, uint8_t out[4])
{
	unsigned high = x->high;
	x->high = 0;
	if (c >= 0xd800 && c < 0xdc00) {
		x->high = (uint16_t)c;
		return 0;
	}
	if (c >= 0xdc00 && c < 0xe000) {
		if (high == 0)
			return 0;
		c = 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00);
		out[0] = (uint8_t)(0xf0 | c >> 18);
		out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[3] = (uint8_t)(0x80 | (c & 0x3f));
		return 4;
	}
	unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
	if (n == 3) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	} else if (n == 2) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
	}
	out[n - 1] = (uint8_t)(n == 1 ? c : 0x80 | (c & 0x3f));
	return n;
}

static void
string_unit(struct scan *s, unsigned c)
{
	switch (s->j->x.mode) {
	case MODE_KEY:
		key_char(&s->j->x, c, true);
		break;
	case MODE_TEXT:
		scan_unit(s, c);
		break;
	case MODE_HEX:
		scan_hex_unit(s, c);
		break;
	default:
		break;
	}
}

#define EACH(byte) (0x0101010101010101 * (uint64_t)(byte))

/* The first len bytes of x, folded as in struct json_key. */
static inline uint64_t
folded(uint64_t x, unsigned len)
{
	return len == 0 ? 0 : (x | EACH(0x20)) & (UINT64_MAX >> (64 - 8 * len));
}

static void
string_ended(struct scan *s)
{
	struct json_lex *x = &s->j->x;
	if (x->mode == MODE_KEY) {
		struct json_key key = {.len = 255};
		if (x->text_len != TEXT_SPOILED && x->utf8 == 0) {
			key.len = x->text_len;
			memcpy(&key.raw, x->text, sizeof key.raw);
			key.k = folded(key.raw, key.len < 8 ? key.len : 8);
			if (key.len > 8) {
				memcpy(&key.tail, x->text + key.len - 8, 8);
				key.tail |= EACH(0x20);
			}
			if (x->folded)
				key.raw = 0;
		}
		scan_key(s, key);
		x->state = ST_COLON;
		return;
	}
	scan_string_ended(s);
	value_ended(x);
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
	struct json_lex *x = &s->j->x;
	if (x->mode == MODE_HEX)
		p = scan_hex(s, p);
	const uint8_t *q = p;
	if (x->mode != MODE_HEX) {
		q = text_skip(p, s->end);
		if (x->mode == MODE_KEY)
			key_run(x, p, q);
		else if (x->mode == MODE_TEXT)
			scan_text(s, p, q);
	}
	if (q == s->end)
		return q;
	if (*q == '"') {
		string_ended(s);
	} else if (*q == '\\') {
		x->state = ST_ESCAPE;
	} else {
		x->state = ST_BAD;
	}
	return q + 1;
}

/* string_goes_on: the way out of scan_string when the string has to be read in pieces; x->mode has been set.
 */
static inline const uint8_t *
string_goes_on(struct scan *s, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	x->text_len = 0;
	x->utf8 = 0;
	x->high = 0;
	x->state = ST_STRING;
	return string_run(s, p);
}

/* string_is_over: the way out when all was read; past the quote. */
static inline const uint8_t *
string_is_over(struct scan *s, const uint8_t *past)
{
	value_ended(&s->j->x);
	return past;
}

static void
escape(struct scan *s, uint8_t c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	struct json_lex *x = &s->j->x;
	if (c == 'u') {
		x->state = ST_UNICODE;
		x->sub = 0;
		x->unit = 0;
		return;
	}
	const char *at = c ? strchr(from, c) : NULL;
	x->state = at ? ST_STRING : ST_BAD;
	if (at)
		string_unit(s, (uint8_t)to[at - from]);
}

static void
unicode(struct scan *s, uint8_t c)
{
	struct json_lex *x = &s->j->x;
	unsigned v = hex_value[c];
	if (v > 15) {
		x->state = ST_BAD;
		return;
	}
	x->unit = (uint16_t)(x->unit << 4 | v);
	if (++x->sub == 4) {
		x->state = ST_STRING;
		string_unit(s, x->unit);
	}
}

static const uint8_t *
begin_other(struct scan *s, const uint8_t *p)
{
	if (*p == '{' || *p == '[') {
		open_container(s, *p == '{');
		return p + 1;
	}
	begin_scalar(&s->j->x, *p);
	return s->j->x.state == ST_NUMBER ? number_run(s, p, p + 1) : p + 1;
}

static ALWAYS_INLINE const uint8_t *
begin_value(struct scan *s, const uint8_t *p)
{
	scan_value(s, *p);
	return *p == '"' ? scan_string(s, p + 1) : begin_other(s, p);
}

/* The length of a key at p that is whole and plain and has its colon right behind, or -1: read it byte by
 * byte. This one is for the end of a piece: at most seven bytes. */
static inline int
short_key(const uint8_t *p, const uint8_t *end, struct json_key *key)
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
	*key = (struct json_key){.k = folded(x, len), .raw = x, .len = (uint8_t)len};
	uint64_t text = len ? x | ~(UINT64_MAX >> (64 - 8 * len)) : UINT64_MAX; /* the rest: all ones */
	uint64_t high = len ? x & (UINT64_MAX >> (64 - 8 * len)) & EACH(0x80) : 0;
	uint64_t slash = text ^ EACH('\\');
	slash = (slash - EACH(1)) & ~slash & EACH(0x80);
	uint64_t control = (text - EACH(0x20)) & ~text & EACH(0x80);
	return p[len + 1] != ':' || high | slash | control ? -1 : (int)len;
}

static inline int
plain_key(const uint8_t *p, const uint8_t *end, struct json_key *key)
{
#if defined(__SSE2__)
	if (end - p >= 17) {
		__m128i v = _mm_loadu_si128((const void *)p);
		unsigned hits = special(v), high = (unsigned)_mm_movemask_epi8(v);
		if (hits == 0 && end - p >= 33) { /* the names of fees and lists */
			v = _mm_loadu_si128((const void *)(p + 16));
			hits = special(v) << 16;
			high |= (unsigned)_mm_movemask_epi8(v) << 16;
		}
		if (hits == 0)
			return -1;
		unsigned len = (unsigned)__builtin_ctz(hits);
		if (p[len] != '"' || p[len + 1] != ':' || (high & ((1u << len) - 1)))
			return -1;
		uint64_t x, tail = 0;
		memcpy(&x, p, 8);
		if (len > 8)
			memcpy(&tail, p + len - 8, 8);
		*key = (struct json_key){
			folded(x, len < 8 ? len : 8), len > 8 ? tail | EACH(0x20) : 0, x, (uint8_t)len};
		return (int)len;
	}
#endif
	return short_key(p, end, key);
}

static ALWAYS_INLINE const uint8_t *
begin_key(struct scan *s, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	if (*p != '"') {
		x->state = ST_BAD;
		return p;
	}
	struct json_key key;
	int len = plain_key(++p, s->end, &key);
	if (len >= 0) {
		scan_key(s, key);
		p += len + 2;
		if (p<s->end && * p> ' ')
			return begin_value(s, p);
		x->state = ST_VALUE;
		return p;
	}
	x->mode = MODE_KEY;
	x->text_len = 0;
	x->utf8 = 0;
	x->folded = false;
	x->state = ST_STRING;
	return p;
}

/* p is at the first byte behind a value and white space. */
static ALWAYS_INLINE const uint8_t *
after_value(struct scan *s, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	uint8_t c = *p++;
	if (c == ',') {
		bool object = !unsure(x) && in_object(x);
		if (!object)
			scan_element(s);
		x->state = object ? ST_KEY : ST_VALUE;
	} else if (c == '}' || c == ']') {
		close_container(s, c == '}');
	} else {
		x->state = c == ':' && unsure(x) ? ST_VALUE : ST_BAD;
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
	struct json_lex *x = &s->j->x;
	switch (x->state) {
	case ST_AFTER:
		return after_value(s, p);
	case ST_FIRST_KEY:
	case ST_KEY:
		if (*p != '}' || x->state == ST_KEY)
			return begin_key(s, p);
		break;
	case ST_FIRST_VALUE:
	case ST_VALUE:
		if (*p != ']' || x->state == ST_VALUE)
			return begin_value(s, p);
		break;
	default: /* ST_COLON */
		x->state = *p == ':' ? ST_VALUE : ST_BAD;
		return p + 1;
	}
	close_container(s, *p == '}');
	return p + 1;
}

/* A piece of a string or scalar. */
static const uint8_t *
token(struct scan *s, const uint8_t *p)
{
	switch (s->j->x.state) {
	case ST_STRING:
		return string_run(s, p);
	case ST_ESCAPE:
		escape(s, *p);
		return p + 1;
	case ST_UNICODE:
		unicode(s, *p);
		return p + 1;
	case ST_NUMBER:
		return number_run(s, p, p);
	default: /* ST_LITERAL */
		return literal_run(s, p);
	}
}

static void
run(struct scan *s, const uint8_t *p)
{
	struct json_lex *x = &s->j->x;
	while (p < s->end) {
		if (x->state >= ST_DONE) {
			if (x->state != ST_DONE || !x->stream)
				return;
			x->state = ST_VALUE;
			scan_again(s);
		}
		if (x->state > ST_AFTER)
			p = token(s, p);
		else if (is_space(*p))
			p++;
		else
			p = structure(s, p);
	}
}

static inline enum jsonrpc_status
status_of(const struct json_lex *x)
{
	switch (x->state) {
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
static inline void
body_ended(struct json_lex *x)
{
	bool number = x->depth == 0 && x->state == ST_NUMBER && (x->sub & 1) == 0;
	bool nothing = x->depth == 0 && x->state == ST_VALUE;
	x->state = number || nothing ? ST_DONE : ST_BAD;
}

#endif
