/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/http1.h"

#include "wire/http1_line.h"

#include <stddef.h>
#include <string.h>

enum state {
	ST_START,     /* between messages, or in the start line */
	ST_HEAD,      /* in the header lines */
	ST_BODY,      /* remaining bytes of a body of known length */
	ST_CHUNK,     /* in a chunk-size line */
	ST_CHUNK_PAD, /* in white space behind the digits */
	ST_CHUNK_EXT,
	ST_DATA, /* remaining bytes of a chunk */
	ST_DATA_CR,
	ST_DATA_LF,
	ST_TRAILER,
	ST_CLOSE, /* the body ends with the stream */
	ST_UNSYNCED,
	ST_OPAQUE
};

_Static_assert(sizeof(struct http1_dir) <= 700, "one per direction of every connection");

void
http1_init(struct http1 *h, bool midstream)
{
	for (unsigned i = 0; i < 2; i++) {
		memset(&h->dir[i], 0, offsetof(struct http1_dir, hold));
		h->dir[i].state = midstream ? ST_UNSYNCED : ST_START;
	}
	h->kinds = 0;
	h->n_kinds = h->early = 0;
	h->upgraded = false;
}

const struct http1_head *
http1_last(const struct http1 *h, unsigned dir)
{
	return &h->dir[dir].head;
}

uint32_t
http1_held(const struct http1 *h, unsigned dir)
{
	return h->dir[dir].held;
}

bool
http1_between(const struct http1 *h, unsigned dir)
{
	const struct http1_dir *d = &h->dir[dir];
	return d->held == 0 && !d->in_line && (d->state == ST_START || d->state == ST_OPAQUE);
}

bool
http1_in_head(const struct http1 *h, unsigned dir)
{
	return h->dir[dir].state == ST_HEAD;
}

bool
http1_body_begins(const struct http1 *h, unsigned dir)
{
	const struct http1_dir *d = &h->dir[dir];
	return (d->state == ST_BODY && d->remaining == d->head.content_length) || (d->state == ST_CHUNK && !d->chunk_digits);
}

uint32_t
http1_take_back(struct http1 *h, unsigned dir)
{
	struct http1_dir *d = &h->dir[dir];
	uint32_t n = d->held;
	d->held = 0;
	http1_hold_reset(d);
	return n;
}

bool
http1_in_step(const struct http1 *h, unsigned dir)
{
	const struct http1_dir *d = &h->dir[dir];
	return d->state != ST_UNSYNCED && d->state != ST_OPAQUE && !d->tentative;
}

/* ---- which request a response answers ---- */

static void
forget_kinds(struct http1 *h)
{
	h->kinds = 0;
	h->n_kinds = 0;
	h->early = 0;
}

static void
push_kind(struct http1 *h, const struct http1_dir *responses, uint8_t kind)
{
	if (h->early > 0) {
		h->early--;
		return;
	}
	/* While no response can be read only the newest request may still be answered by one that can; and a
	 * peer that lets requests pile up makes guesses worthless. */
	if (responses->state == ST_UNSYNCED || h->n_kinds == HTTP1_PIPELINE_MAX)
		forget_kinds(h);
	h->kinds |= (uint64_t)kind << (2 * h->n_kinds++);
}

/* The request that a final response answers, or -1 if it was not seen. */
static int
pop_kind(struct http1 *h, const struct http1_dir *requests)
{
	if (h->n_kinds == 0) {
		/* Ahead of its request: mirrors do not keep the order of the two directions. */
		h->early += requests->state != ST_UNSYNCED && h->early < UINT8_MAX;
		return -1;
	}
	int kind = (int)(h->kinds & 3);
	h->kinds >>= 2;
	h->n_kinds--;
	return kind;
}

static bool
upgrade_offered(const struct http1 *h)
{
	for (unsigned i = 0; i < h->n_kinds; i++) {
		if ((h->kinds >> (2 * i) & 3) == HTTP1_KIND_UPGRADE)
			return true;
	}
	return false;
}

/* ---- accounting ---- */

static void
as_parsed(struct http1_dir *d, struct framer_out *out)
{
	if (d->lost) {
		out->skipped += d->held;
		out->reason = FRAMER_SKIP_LOST;
	} else {
		out->parsed += d->held;
	}
	d->held = 0;
}

static void
as_skipped(struct http1_dir *d, struct framer_out *out, enum framer_skip reason)
{
	if (d->held > 0) {
		out->skipped += d->held;
		out->reason = reason;
		d->held = 0;
	}
}

/* ---- message ends and beginnings ---- */

static void
next_message(struct http1_dir *d)
{
	d->state = ST_START;
	d->lost = false;
	d->picked_up = false;
}

static void
chunk_begin(struct http1_dir *d)
{
	d->state = ST_CHUNK;
	d->remaining = 0;
	d->chunk_digits = false;
}

static void
lose_step(struct http1 *h, struct http1_dir *d)
{
	if (!d->head.request)
		forget_kinds(h);
	h->early = 0;
	d->state = ST_UNSYNCED;
	d->lost = false;
	d->picked_up = false;
	d->tentative = false;
	d->tentative_bytes = 0;
	http1_hold_reset(d);
}

/* The message under way is refused; held bytes are over. */
static void
refuse(struct http1 *h, struct http1_dir *d, struct framer_out *out)
{
	if (d->tentative || d->lost) { /* it never was one, or was reported before */
		out->verdict = FRAMER_SKIP;
	} else {
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_BAD;
	}
	as_skipped(d, out, d->lost ? FRAMER_SKIP_LOST : FRAMER_SKIP_UNSYNCED);
	lose_step(h, d);
}

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE, FRAMING_UPGRADE, FRAMING_BAD };

static enum framing
request_framing(struct http1 *h, struct http1_dir *d, const struct http1_dir *other)
{
	uint8_t te = d->head.minor >= 1 ? d->te : HTTP1_TE_NONE;
	if (te == HTTP1_TE_OTHER || (te == HTTP1_TE_NONE && d->length_bad))
		return FRAMING_BAD;
	push_kind(h, other, d->kind == HTTP1_KIND_OTHER && d->head.upgrade ? HTTP1_KIND_UPGRADE : d->kind);
	if (te == HTTP1_TE_CHUNKED)
		return FRAMING_CHUNKED;
	return d->head.has_length ? FRAMING_LENGTH : FRAMING_NONE;
}

static enum framing
response_framing(struct http1 *h, struct http1_dir *d, const struct http1_dir *other)
{
	uint16_t status = d->head.status;
	if (status == 101) {
		/* One that nobody asked for is an interim answer. */
		bool asked = h->n_kinds > 0 ? upgrade_offered(h) : d->head.upgrade;
		return asked ? FRAMING_UPGRADE : FRAMING_NONE;
	}
	if (status < 200)
		return FRAMING_NONE;
	int kind = pop_kind(h, other);
	if (kind == HTTP1_KIND_CONNECT && status < 300)
		return FRAMING_UPGRADE;
	if (status == 204 || status == 304 || kind == HTTP1_KIND_HEAD)
		return FRAMING_NONE;
	uint8_t te = d->head.minor >= 1 ? d->te : HTTP1_TE_NONE;
	if (te != HTTP1_TE_NONE)
		return te == HTTP1_TE_CHUNKED ? FRAMING_CHUNKED : FRAMING_CLOSE;
	if (d->length_bad)
		return FRAMING_BAD;
	return d->head.has_length ? FRAMING_LENGTH : FRAMING_CLOSE;
}

/* A head found in mid-stream may be somebody's text: it must not blind us for long. */
static bool
trusts_pickup(const struct http1_dir *d, const struct http1_dir *other, enum framing f)
{
	if (!d->picked_up)
		return true;
	if (f == FRAMING_CLOSE)
		return other->head.request;
	return f != FRAMING_LENGTH || d->head.content_length <= HTTP1_PICKUP_BODY_MAX;
}

/* The empty line at the end of a head was read. False: the message is refused. */
static bool
head_end(struct http1 *h, unsigned dir, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir], *other = &h->dir[!dir];
	http1_header_end(d);
	enum framing f = d->head.request ? request_framing(h, d, other) : response_framing(h, d, other);
	if (f == FRAMING_BAD || !trusts_pickup(d, other, f))
		return false;
	d->head.chunked = f == FRAMING_CHUNKED;
	if (d->te != HTTP1_TE_NONE && (f == FRAMING_CHUNKED || f == FRAMING_CLOSE))
		d->head.has_length = false;
	out->verdict = FRAMER_MESSAGE;
	out->resync = d->picked_up;
	switch (f) {
	case FRAMING_UPGRADE:
		out->verdict = FRAMER_UPGRADE;
		out->last = true;
		h->upgraded = true;
		d->state = ST_OPAQUE;
		break;
	case FRAMING_CHUNKED:
		chunk_begin(d);
		break;
	case FRAMING_CLOSE:
		d->state = ST_CLOSE;
		break;
	default:
		d->state = ST_BODY;
		d->remaining = f == FRAMING_LENGTH ? d->head.content_length : 0;
		out->last = d->remaining == 0;
		if (out->last)
			next_message(d);
		break;
	}
	return true;
}

/* ---- lines ---- */

enum line { LINE_NEXT, LINE_END, LINE_BAD };

static enum line
start_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	if (n == 0)
		return LINE_NEXT;
	if (!http1_start_line(d, p, n, limit))
		return LINE_BAD;
	d->role = d->head.request ? HTTP1_REQUESTS : HTTP1_RESPONSES;
	d->state = ST_HEAD;
	d->head_bytes = 0;
	return LINE_NEXT;
}

/* One whole line, its LF taken off; `all` bytes of the stream. */
static enum line
take_line(struct http1 *h, unsigned dir, struct span line, const uint8_t *limit, uint32_t all,
	struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	const uint8_t *p = line.p;
	uint32_t n = line.len;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (d->state == ST_START)
		return start_line(d, p, n, limit);
	if (n == 0 && d->state == ST_HEAD)
		return !(d->tentative && d->head.request) && head_end(h, dir, out) ? LINE_END : LINE_BAD;
	if (n == 0) {
		next_message(d);
		return LINE_NEXT;
	}
	bool good =
		d->state == ST_HEAD ? http1_header_line(d, p, n, limit) : http1_trailer_line(d, p, n, limit);
	d->head_bytes += all;
	return good && d->head_bytes <= HTTP1_HEAD_MAX ? LINE_NEXT : LINE_BAD;
}

/* What an out of step direction may carry: what it has carried before, or what the other one does not. */
static uint8_t
wanted_role(const struct http1 *h, unsigned dir)
{
	uint8_t role = h->dir[dir].role, other = h->dir[!dir].role;
	if (role != HTTP1_UNKNOWN || other == HTTP1_UNKNOWN)
		return role;
	return other == HTTP1_REQUESTS ? HTTP1_RESPONSES : HTTP1_REQUESTS;
}

/* A line that http1_is_start, of `all` bytes with its LF, is taken for the beginning of a message if its next
 * line is a header. */
static void
begin_tentative(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit, uint32_t all)
{
	http1_start_line(d, p, n - 1, limit);
	d->state = ST_HEAD;
	d->head_bytes = 0;
	d->tentative = d->picked_up = true;
	d->held = d->tentative_bytes = all;
}

/* A line that was held is bad: it can be looked at only here. */
static void
bad_held_line(struct http1 *h, unsigned dir, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	uint32_t line = d->held - d->tentative_bytes;
	const uint8_t *end = d->hold + d->hold_len;
	const uint8_t *start =
		d->compact ? NULL : http1_find_start(d->hold, d->hold_len, wanted_role(h, dir));
	if (start != NULL) {
		line -= (uint32_t)(start - d->hold);
		d->held -= line;
	}
	refuse(h, d, out);
	if (start != NULL)
		begin_tentative(d, start, (uint32_t)(end - start), end, line);
}

static bool
can_begin(uint8_t c)
{
	return c > 0x20 ? c < 0x7f && c != '{' && c != '[' && c != '"' : c == '\r' || c == '\n';
}

/* The header lines that need no care. */
static const uint8_t *
many_headers(struct http1_dir *d, const uint8_t *p, const uint8_t *end, struct framer_out *out)
{
	uint32_t most = HTTP1_HEAD_MAX - d->head_bytes;
	const uint8_t *to = http1_header_lines(d, p, end - p > most ? p + most : end);
	d->head_bytes += (uint32_t)(to - p);
	out->parsed += (uint32_t)(to - p);
	return to;
}

static uint32_t
feed_lines(struct http1 *h, unsigned dir, struct span in, const uint8_t *p, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	const uint8_t *end = in.p + in.len;
	while (p < end) {
		if (d->state == ST_HEAD && !d->in_line && !d->tentative) {
			p = many_headers(d, p, end, out);
			if (p == end)
				break;
		}
		const uint8_t *lf = http1_find_lf(p, end);
		if (lf == NULL) {
			if (d->state == ST_START && !d->in_line && !can_begin(*p)) {
				refuse(h, d, out);
				return (uint32_t)(p - in.p);
			}
			http1_hold(d, p, (uint32_t)(end - p));
			d->held += (uint32_t)(end - p);
			if (d->held > HTTP1_HEAD_MAX)
				refuse(h, d, out);
			return in.len;
		}
		struct span line = {p, (uint32_t)(lf - p)};
		const uint8_t *limit = end;
		uint32_t more = line.len + 1, before = d->held - d->tentative_bytes;
		bool held = d->in_line;
		if (held || line.len > HTTP1_LINE_MAX) {
			http1_hold(d, p, line.len);
			line = (struct span){d->hold, d->hold_len};
			limit = d->hold + sizeof d->hold;
		}
		enum line r = take_line(h, dir, line, limit, before + more, out);
		if (r == LINE_BAD && !held) {
			refuse(h, d, out);
			return (uint32_t)(p - in.p);
		}
		d->held += more;
		if (r == LINE_BAD) {
			bad_held_line(h, dir, out);
			return (uint32_t)(lf + 1 - in.p);
		}
		p = lf + 1;
		if (line.p == d->hold)
			http1_hold_reset(d);
		d->tentative = false;
		d->tentative_bytes = 0;
		as_parsed(d, out);
		if (r == LINE_END)
			return (uint32_t)(p - in.p);
	}
	return in.len;
}

/* ---- out of step ---- */

/* More of a line that may be a start line. Returns the bytes taken, 0 if it is none: what was held is passed
 * over and the span is looked at on its own. */
static uint32_t
continue_beginning(struct http1 *h, unsigned dir, struct span in, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	uint8_t role = wanted_role(h, dir);
	const uint8_t *lf = http1_find_lf(in.p, in.p + in.len);
	uint32_t n = lf ? (uint32_t)(lf - in.p) : in.len;
	if (d->hold_len + n <= HTTP1_LINE_MAX) {
		http1_hold(d, in.p, n);
		if (lf == NULL && http1_maybe_start(d->hold, d->hold_len, role)) {
			d->held += n;
			return n;
		}
		if (lf != NULL && http1_is_start(d->hold, d->hold_len, role)) {
			begin_tentative(d, d->hold, d->hold_len, d->hold + sizeof d->hold, d->held + n + 1);
			http1_hold_reset(d);
			return n + 1;
		}
	}
	as_skipped(d, out, FRAMER_SKIP_UNSYNCED);
	http1_hold_reset(d);
	return 0;
}

static void
pass_over(const uint8_t *from, const uint8_t *to, struct framer_out *out)
{
	out->skipped += (uint32_t)(to - from);
	if (out->skipped > 0) {
		out->verdict = FRAMER_SKIP;
		out->reason = FRAMER_SKIP_UNSYNCED;
	}
}

static uint32_t
feed_unsynced(struct http1 *h, unsigned dir, struct span in, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	const uint8_t *p = in.p, *end = in.p + in.len;
	uint8_t role = wanted_role(h, dir);
	if (d->in_line) {
		uint32_t n = continue_beginning(h, dir, in, out);
		if (n > 0)
			return n == in.len ? n : feed_lines(h, dir, in, in.p + n, out);
	}
	for (const uint8_t *lf; (lf = http1_find_lf(p, end)) != NULL; p = lf + 1) {
		const uint8_t *start = http1_find_start(p, (uint32_t)(lf - p), role);
		if (start != NULL) {
			pass_over(in.p, start, out);
			begin_tentative(d, start, (uint32_t)(lf - start), end, (uint32_t)(lf + 1 - start));
			return feed_lines(h, dir, in, lf + 1, out);
		}
	}
	const uint8_t *rest = p < end ? http1_find_beginning(p, (uint32_t)(end - p), role) : NULL;
	pass_over(in.p, rest ? rest : end, out);
	if (rest != NULL) {
		d->held = (uint32_t)(end - rest);
		http1_hold(d, rest, d->held);
	}
	return in.len;
}

/* ---- bodies ---- */

/* Up to `remaining` bytes of a body of known length or of a chunk. */
static uint32_t
feed_known(struct http1_dir *d, struct span in, struct framer_out *out)
{
	uint32_t n = in.len < d->remaining ? in.len : (uint32_t)d->remaining;
	d->remaining -= n;
	d->held = n;
	as_parsed(d, out);
	out->verdict = FRAMER_SKIP;
	if (!d->lost) {
		out->verdict = FRAMER_BODY;
		out->body = (struct span){in.p, n};
	}
	if (d->remaining > 0)
		return n;
	if (d->state == ST_DATA) {
		d->state = ST_DATA_CR;
	} else {
		out->last = !d->lost;
		next_message(d);
	}
	return n;
}

static uint32_t
feed_close(struct http1_dir *d, struct span in, struct framer_out *out)
{
	d->held = in.len;
	as_parsed(d, out);
	out->verdict = d->lost ? FRAMER_SKIP : FRAMER_BODY;
	if (!d->lost)
		out->body = in;
	return in.len;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The LF of a chunk-size line. */
static bool
chunk_sized(struct http1_dir *d)
{
	if (!d->chunk_digits)
		return false;
	d->state = d->remaining > 0 ? ST_DATA : ST_TRAILER;
	d->head_bytes = 0;
	return true;
}

/* One byte of a chunk-size line. */
static bool
chunk_byte(struct http1_dir *d, uint8_t c)
{
	int digit;
	if (c == '\n')
		return chunk_sized(d);
	if (d->state == ST_CHUNK && (digit = hex_digit(c)) >= 0) {
		if (d->remaining > INT64_MAX >> 4)
			return false;
		d->remaining = d->remaining << 4 | (uint64_t)digit;
		d->chunk_digits = true;
		return true;
	}
	if (d->state == ST_CHUNK) {
		d->state = ST_CHUNK_PAD;
		d->head_bytes = 0;
	}
	if (!d->chunk_digits || ++d->head_bytes > HTTP1_CHUNK_LINE_MAX)
		return false;
	if (c == ';')
		d->state = ST_CHUNK_EXT;
	return d->state == ST_CHUNK_EXT || c == ' ' || c == '\t' || c == '\r';
}

static bool
framing_byte(struct http1_dir *d, uint8_t c)
{
	switch (d->state) {
	case ST_DATA_CR:
		d->state = ST_DATA_LF;
		return c == '\r';
	case ST_DATA_LF:
		chunk_begin(d);
		return c == '\n';
	default:
		return chunk_byte(d, c);
	}
}

/* What stands between chunks, and the piece of a chunk that follows it. */
static uint32_t
feed_framing(struct http1 *h, struct http1_dir *d, struct span in, struct framer_out *out)
{
	uint32_t i = 0;
	bool good = true;
	while (good && i < in.len && d->state != ST_DATA && d->state != ST_TRAILER) {
		good = framing_byte(d, in.p[i]);
		i += good;
	}
	d->held = i;
	as_parsed(d, out);
	if (!good) {
		refuse(h, d, out);
	} else if (d->state == ST_TRAILER && !d->lost) {
		out->verdict = FRAMER_BODY;
		out->last = true;
	} else if (d->state == ST_DATA && i < in.len) {
		i += feed_known(d, (struct span){in.p + i, in.len - i}, out);
	}
	return i;
}

static uint32_t
feed_opaque(struct http1_dir *d, struct span in, struct framer_out *out)
{
	http1_hold_reset(d);
	d->state = ST_OPAQUE;
	d->held += in.len;
	as_skipped(d, out, FRAMER_SKIP_OPAQUE);
	out->verdict = FRAMER_SKIP;
	return in.len;
}

/* The body of a message that was picked up may be somebody's text that hides a true message: where in it the
 * next start line with a header below begins, or in.len. */
static uint32_t
second_start(const struct http1 *h, unsigned dir, struct span in)
{
	uint8_t role = wanted_role(h, dir);
	const uint8_t *p = in.p, *end = in.p + in.len;
	for (const uint8_t *lf; (lf = http1_find_lf(p, end)) != NULL; p = lf + 1) {
		const uint8_t *start = http1_find_start(p, (uint32_t)(lf - p), role);
		if (start != NULL && http1_is_header(lf + 1, (uint32_t)(end - (lf + 1)), end))
			return (uint32_t)(start - in.p);
	}
	return in.len;
}

static uint32_t
feed_picked_up(struct http1 *h, unsigned dir, struct span in, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	in.len = second_start(h, dir, in);
	if (in.len == 0) {
		refuse(h, d, out);
		return 0;
	}
	return d->state == ST_CLOSE ? feed_close(d, in, out) : feed_known(d, in, out);
}

static uint32_t
feed_state(struct http1 *h, unsigned dir, struct span in, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	switch (d->state) {
	case ST_START:
	case ST_HEAD:
	case ST_TRAILER:
		return feed_lines(h, dir, in, in.p, out);
	case ST_BODY:
	case ST_DATA:
		return d->picked_up ? feed_picked_up(h, dir, in, out) : feed_known(d, in, out);
	case ST_CLOSE:
		return d->picked_up ? feed_picked_up(h, dir, in, out) : feed_close(d, in, out);
	case ST_UNSYNCED:
		return feed_unsynced(h, dir, in, out);
	case ST_OPAQUE:
		return feed_opaque(d, in, out);
	default:
		return feed_framing(h, d, in, out);
	}
}

uint32_t
http1_feed(struct http1 *h, unsigned dir, struct span in, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (h->upgraded && (d->state == ST_START || d->state == ST_UNSYNCED))
		return feed_opaque(d, in, out);
	uint32_t n = feed_state(h, dir, in, out);
	if (out->verdict == FRAMER_MORE && out->skipped > 0)
		out->verdict = FRAMER_SKIP;
	return n;
}

/* ---- gaps and ends ---- */

static void
gap_lost(struct http1_dir *d, struct framer_out *out)
{
	if (!d->lost) {
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_GAP;
	}
	d->lost = true;
}

void
http1_gap(struct http1 *h, unsigned dir, uint64_t n, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (n == 0 || d->state == ST_OPAQUE)
		return;
	if (d->state == ST_UNSYNCED || d->tentative) {
		as_skipped(d, out, FRAMER_SKIP_UNSYNCED);
		lose_step(h, d);
		return;
	}
	as_skipped(d, out, FRAMER_SKIP_LOST);
	gap_lost(d, out);
	if ((d->state == ST_BODY || d->state == ST_DATA) && n <= d->remaining) {
		d->remaining -= n;
		if (d->remaining > 0)
			return;
		if (d->state == ST_DATA)
			d->state = ST_DATA_CR;
		else
			next_message(d);
	} else if (d->state != ST_CLOSE) {
		lose_step(h, d);
	}
}

void
http1_end(struct http1 *h, unsigned dir, struct framer_out *out)
{
	struct http1_dir *d = &h->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	bool idle = d->state == ST_START || d->state == ST_TRAILER || d->state == ST_UNSYNCED ||
		    d->state == ST_OPAQUE;
	if (!idle && !d->tentative && !d->lost) {
		out->verdict = d->state == ST_CLOSE ? FRAMER_BODY : FRAMER_LOST;
		out->last = d->state == ST_CLOSE;
		out->lost = FRAMER_LOST_END;
	}
	as_skipped(d, out, FRAMER_SKIP_UNSYNCED);
	if (d->state != ST_OPAQUE)
		lose_step(h, d);
}

void
http1_read_on(struct http1 *h)
{
	h->upgraded = false;
}

void
http1_doubt(struct http1 *h, unsigned dir)
{
	struct http1_dir *d = &h->dir[dir];
	if (d->state == ST_OPAQUE)
		lose_step(h, d);
	else if (d->state != ST_UNSYNCED && d->state != ST_START)
		d->picked_up = true;
	d->role = HTTP1_UNKNOWN;
}
