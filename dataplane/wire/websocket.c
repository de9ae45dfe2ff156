/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/websocket.h"

#include <string.h>

enum state {
	ST_HEADER, /* between frames, or in a frame's header */
	ST_PAYLOAD,
	ST_CLOSED,
	ST_UNSYNCED
};

enum opcode { OP_CONTINUE, OP_TEXT, OP_BINARY, OP_CLOSE = 8, OP_PING, OP_PONG };

#define TRUSTED 3u  /* pieces of evidence */
#define LOOK_MIN 8u /* payload bytes without which text is no evidence, unless it is shorter */
#define LOOK_MAX 24u
#define CONTROL_MAX 125u

struct frame {
	uint32_t header; /* bytes; 0: not all of them are there */
	bool fin, masked, minimal;
	uint8_t rsv, op;
	uint64_t len;
	uint8_t mask[4];
};

/* ---- beginnings ---- */

void
websocket_init(struct websocket *w, enum websocket_client client, bool rsv1, bool midstream)
{
	memset(w, 0, sizeof *w);
	w->client = (uint8_t)client;
	w->rsv1 = rsv1;
	for (unsigned i = 0; i < 2; i++) {
		w->dir[i].evidence = TRUSTED;
		if (midstream)
			websocket_desync(w, i);
	}
}

void
websocket_desync(struct websocket *w, unsigned dir)
{
	w->dir[dir].state = ST_UNSYNCED;
	w->dir[dir].evidence = 0;
}

void
websocket_sync(struct websocket *w, unsigned dir)
{
	w->dir[dir] = (struct websocket_dir){.evidence = TRUSTED};
}

void
websocket_doubt(struct websocket *w, unsigned dir)
{
	w->dir[dir].evidence = 0;
}

bool
websocket_offered(struct span in)
{
	unsigned first = in.p[0] & 0x8f, opcode = first & 0x0f;
	bool known = opcode == 1 || opcode == 2 || (first >= 0x88 && first <= 0x8a);
	bool token = in.p[0] >= 0x20 && in.p[0] < 0x80;
	return known && !token && (in.p[0] & 0x30) == 0 && (in.len < 2 || (in.p[1] & 0x80) != 0);
}

const struct websocket_head *
websocket_last(const struct websocket *w, unsigned dir)
{
	return &w->dir[dir].head;
}

uint32_t
websocket_held(const struct websocket *w, unsigned dir)
{
	return w->dir[dir].hold_len;
}

bool
websocket_in_step(const struct websocket *w, unsigned dir)
{
	return w->dir[dir].state != ST_UNSYNCED;
}

int
websocket_client(const struct websocket *w)
{
	return w->client == WEBSOCKET_CLIENT_UNKNOWN ? -1 : w->client;
}

/* ---- masks ---- */

void
websocket_unmask(uint8_t *dst, const uint8_t *src, uint32_t n, const uint8_t mask[4])
{
	uint8_t pattern[16];
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = mask[i & 3];
	uint64_t key[2];
	memcpy(key, pattern, sizeof key);
	uint32_t i = 0;
	for (; i + 64 <= n; i += 64) {
		uint64_t x[8];
		memcpy(x, src + i, sizeof x);
		for (unsigned k = 0; k < 8; k++)
			x[k] ^= key[k & 1];
		memcpy(dst + i, x, sizeof x);
	}
	for (; i + 8 <= n; i += 8) {
		uint64_t x;
		memcpy(&x, src + i, sizeof x);
		x ^= key[0];
		memcpy(dst + i, &x, sizeof x);
	}
	for (; i < n; i++)
		dst[i] = src[i] ^ mask[i & 3];
}

/* The mask goes on n bytes further. */
static void
turn_mask(struct websocket_dir *d, uint64_t n)
{
	uint8_t m[4];
	for (unsigned i = 0; i < 4; i++)
		m[i] = d->mask[(i + n) & 3];
	memcpy(d->mask, m, sizeof m);
}

/* ---- headers ---- */

static uint32_t
header_bytes(uint8_t second)
{
	uint32_t n = 2 + (second & 0x80 ? 4 : 0);
	switch (second & 0x7f) {
	case 126:
		return n + 2;
	case 127:
		return n + 8;
	default:
		return n;
	}
}

static uint64_t
big_endian(const uint8_t *p, unsigned n)
{
	uint64_t x = 0;
	for (unsigned i = 0; i < n; i++)
		x = x << 8 | p[i];
	return x;
}

/* What a header of which n >= 2 bytes are there says. Without its length bytes `len` is at least 126. */
static struct frame
read_header(const uint8_t *p, uint32_t n)
{
	struct frame f = {.fin = p[0] >> 7,
		.rsv = p[0] >> 4 & 7,
		.op = p[0] & 15,
		.masked = p[1] >> 7,
		.minimal = true,
		.len = p[1] & 0x7f};
	uint32_t all = header_bytes(p[1]);
	unsigned ext = f.len == 126 ? 2 : f.len == 127 ? 8 : 0;
	if (ext > 0 && n >= 2 + ext) {
		f.len = big_endian(p + 2, ext);
		f.minimal = f.len > (ext == 2 ? CONTROL_MAX : UINT16_MAX);
	}
	if (n < all)
		return f;
	f.header = all;
	if (f.masked)
		memcpy(f.mask, p + all - 4, 4);
	return f;
}

static bool
is_control(uint8_t op)
{
	return op >= OP_CLOSE;
}

static bool
is_opcode(uint8_t op)
{
	return op <= OP_BINARY || (op >= OP_CLOSE && op <= OP_PONG);
}

/* The header is one that every writer would make, as far as its n bytes tell. */
static bool
is_strict(const struct websocket *w, unsigned dir, const uint8_t *p, uint32_t n, struct frame *f)
{
	uint8_t op = p[0] & 15, rsv = p[0] >> 4 & 7;
	if (!is_opcode(op) || (rsv != 0 && !(rsv == 4 && w->rsv1 && (op == OP_TEXT || op == OP_BINARY))))
		return false;
	if (is_control(op) && !(p[0] & 0x80))
		return false;
	if (n < 2)
		return true;
	*f = read_header(p, n);
	if (w->client != WEBSOCKET_CLIENT_UNKNOWN && f->masked != (dir == w->client))
		return false;
	if (is_control(op) && (f->len > CONTROL_MAX || (op == OP_CLOSE && f->len == 1)))
		return false;
	return f->minimal && f->len <= WEBSOCKET_PICKUP_MAX;
}

static bool
begins_json(uint8_t a, uint8_t b)
{
	bool blank = b == ' ' || b == '\n' || b == '\r' || b == '\t';
	if (a == '{')
		return blank || b == '"' || b == '}';
	return a == '[' && (blank || b == '{' || b == '[' || b == '"' || b == ']');
}

/* The frame's payload, of which n bytes are there, is JSON text. */
static bool
holds_json(const struct frame *f, const uint8_t *p, uint64_t n)
{
	uint8_t text[LOOK_MAX];
	if (n > f->len)
		n = f->len;
	if (n > LOOK_MAX)
		n = LOOK_MAX;
	if (n < 2 || (n < LOOK_MIN && n < f->len))
		return false;
	memcpy(text, p, n);
	if (f->masked)
		websocket_unmask(text, text, (uint32_t)n, f->mask);
	if (!begins_json(text[0], text[1]))
		return false;
	for (uint64_t i = 2; i < n; i++) {
		if ((text[i] < 0x20 && text[i] != '\n' && text[i] != '\r' && text[i] != '\t') ||
			text[i] > 0x7e)
			return false;
	}
	return true;
}

/* What a frame out of step must show besides a strict header: 1 it does, 0 it does not, -1 more bytes are
 * needed. Control frames and compressed messages have nothing to show. */
static int
shows_json(const struct frame *f, const uint8_t *payload, uint64_t n)
{
	if (is_control(f->op) || f->op == OP_CONTINUE || f->rsv != 0)
		return 1;
	if (n < LOOK_MIN && n < f->len)
		return -1;
	return holds_json(f, payload, n);
}

/* A whole text message that is beyond doubt begins at p. */
static bool
is_certain(const struct websocket *w, unsigned dir, const uint8_t *p, const uint8_t *end)
{
	struct frame f = {0};
	if (end - p < 4 || p[0] != (0x80 | OP_TEXT) || !is_strict(w, dir, p, (uint32_t)(end - p), &f))
		return false;
	return f.header > 0 && holds_json(&f, p + f.header, (uint64_t)(end - p) - f.header);
}

/* How many such frames follow one another from p, up to `most`; *ends: the last ends with the span.
 * *first_end: of the first, or the span's. */
static unsigned
count_frames(const struct websocket *w, unsigned dir, const uint8_t *p, const uint8_t *end, unsigned most,
	bool *ends, const uint8_t **first_end)
{
	unsigned n = 0;
	*ends = false;
	*first_end = end;
	while (n < most && end - p >= 2) {
		struct frame f = {0};
		if (!is_strict(w, dir, p, (uint32_t)(end - p), &f) || (n == 0 && f.op == OP_CONTINUE))
			return n;
		uint64_t rest = (uint64_t)(end - p) - f.header;
		int shows = f.header == 0 ? -1 : shows_json(&f, p + f.header, rest);
		if (shows == 0 || (shows < 0 && n == 0))
			return n;
		n++;
		*ends = f.header > 0 && f.len == rest;
		if (f.header == 0 || f.len >= rest)
			return n;
		p += f.header + f.len;
		if (n == 1)
			*first_end = p;
	}
	return n;
}

bool
websocket_looks_like(struct span in)
{
	static const struct websocket any = {.client = WEBSOCKET_CLIENT_UNKNOWN, .rsv1 = true};
	const uint8_t *end = in.p + in.len, *first_end;
	bool ends;
	if (in.len < 4)
		return false;
	if (is_certain(&any, 0, in.p, end))
		return true;
	bool long_length = (in.p[1] & 0x7f) >= 126;
	unsigned n = count_frames(&any, 0, in.p, end, 4, &ends, &first_end);
	return n >= 4 || (ends && (n == 3 || (n > 0 && long_length)));
}

/* ---- messages ---- */

static void
lose_step(struct websocket_dir *d)
{
	d->state = ST_UNSYNCED;
	d->evidence = 0;
	d->lost = d->in_message = false;
	d->hold_len = 0;
}

static void
skip_held(struct websocket_dir *d, struct framer_out *out, enum framer_skip reason)
{
	if (d->hold_len > 0) {
		out->skipped += d->hold_len;
		out->reason = reason;
		d->hold_len = 0;
	}
}

static void
message_lost(struct websocket_dir *d, struct framer_out *out, enum framer_lost why)
{
	out->verdict = FRAMER_SKIP;
	if (!d->lost) {
		out->verdict = FRAMER_LOST;
		out->lost = why;
	}
	d->lost = true;
}

/* No receiver goes on from here. What was never trusted was no message. */
static void
refuse(struct websocket_dir *d, struct framer_out *out)
{
	enum framer_skip reason = d->lost ? FRAMER_SKIP_LOST : FRAMER_SKIP_UNSYNCED;
	if (d->evidence < TRUSTED && !d->in_message)
		out->verdict = FRAMER_SKIP;
	else
		message_lost(d, out, FRAMER_LOST_BAD);
	skip_held(d, out, reason);
	lose_step(d);
}

static void
as_parsed(const struct websocket_dir *d, uint32_t n, struct framer_out *out)
{
	if (d->lost && !d->control) {
		out->skipped += n;
		out->reason = FRAMER_SKIP_LOST;
	} else {
		out->parsed += n;
	}
}

/* The payload of the frame has ended. */
static void
frame_end(struct websocket_dir *d, struct framer_out *out)
{
	d->state = ST_HEADER;
	if (d->close) {
		bool trusted = d->evidence >= TRUSTED;
		d->close = false;
		if (d->in_message && !d->lost)
			message_lost(d, out, FRAMER_LOST_END);
		lose_step(d);
		if (trusted)
			d->state = ST_CLOSED;
		return;
	}
	if (d->control || !d->fin)
		return;
	if (!d->lost && out->verdict != FRAMER_MESSAGE)
		out->verdict = FRAMER_BODY;
	out->last = !d->lost;
	d->in_message = d->lost = false;
}

static bool
is_good(const struct websocket *w, const struct websocket_dir *d, const struct frame *f)
{
	if (!is_opcode(f->op) || f->rsv & 3 || (f->rsv != 0 && !w->rsv1))
		return false;
	if (is_control(f->op))
		return f->fin && f->len <= CONTROL_MAX;
	return f->len <= WEBSOCKET_MESSAGE_MAX && (f->op == OP_CONTINUE) == d->in_message;
}

static void
message_begin(struct websocket_dir *d, const struct frame *f, struct framer_out *out, bool resync)
{
	d->head = (struct websocket_head){
		.binary = f->op == OP_BINARY, .compressed = f->rsv >> 2, .masked = f->masked};
	d->in_message = true;
	d->lost = false;
	d->message_bytes = 0;
	out->verdict = FRAMER_MESSAGE;
	out->resync = resync;
}

/* A whole header that is good; its bytes have not been counted. */
static void
frame_begin(struct websocket_dir *d, const struct frame *f, struct framer_out *out, bool resync)
{
	d->fin = f->fin;
	d->masked = f->masked;
	d->control = is_control(f->op);
	d->close = f->op == OP_CLOSE;
	d->remaining = f->len;
	memcpy(d->mask, f->mask, sizeof d->mask);
	d->state = ST_PAYLOAD;
	if (!d->control) {
		if (f->op != OP_CONTINUE)
			message_begin(d, f, out, resync);
		d->message_bytes += f->len;
	}
	as_parsed(d, f->header, out);
	if (!d->control && d->message_bytes > WEBSOCKET_MESSAGE_MAX)
		message_lost(d, out, FRAMER_LOST_BAD);
	if (d->remaining == 0)
		frame_end(d, out);
}

/* One more frame in its place; the third makes it certain who masks. */
static void
add_evidence(struct websocket *w, unsigned dir, const struct frame *f, unsigned more)
{
	struct websocket_dir *d = &w->dir[dir];
	if (d->evidence >= TRUSTED)
		return;
	d->evidence = (uint8_t)(d->evidence + more);
	if (d->evidence >= TRUSTED && w->client == WEBSOCKET_CLIENT_UNKNOWN)
		w->client = (uint8_t)(f->masked ? dir : !dir);
}

/* The header of a frame in a direction that has been picked up and may yet turn out to be anything. As
 * shows_json. */
static int
goes_on(struct websocket *w, unsigned dir, const struct frame *f, const uint8_t *payload, uint64_t n)
{
	struct websocket_dir *d = &w->dir[dir];
	struct frame again;
	if (!is_strict(w, dir, d->hold, f->header, &again))
		return 0;
	int shows = shows_json(f, payload, n);
	if (shows <= 0)
		return n > 0 && shows < 0 ? 0 : shows;
	if (f->op == OP_CONTINUE && !d->in_message) /* of one whose beginning was missed */
		d->in_message = d->lost = true;
	add_evidence(w, dir, f, 1);
	return 1;
}

/* Moves bytes of a header into hold. Returns how many; d->hold_len >= 2 and == header_bytes() when it is
 * whole. */
static uint32_t
take_header(struct websocket_dir *d, const uint8_t *p, uint32_t n)
{
	uint32_t took = 0;
	while (took < n && (d->hold_len < 2 || d->hold_len < header_bytes(d->hold[1]))) {
		uint32_t want = (d->hold_len < 2 ? 2 : header_bytes(d->hold[1])) - d->hold_len;
		uint32_t k = want < n - took ? want : n - took;
		memcpy(d->hold + d->hold_len, p + took, k);
		d->hold_len = (uint8_t)(d->hold_len + k);
		took += k;
	}
	return took;
}

static bool
header_whole(const struct websocket_dir *d)
{
	return d->hold_len >= 2 && d->hold_len == header_bytes(d->hold[1]);
}

/* A header's bytes. Returns how many were taken; if it is refused those of this call are given back, to be
 * looked at again. */
static uint32_t
feed_header(struct websocket *w, unsigned dir, const uint8_t *p, uint32_t n, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	uint8_t before = d->hold_len;
	uint32_t took = take_header(d, p, n);
	if (!header_whole(d))
		return took;
	struct frame f = read_header(d->hold, d->hold_len);
	int good = d->evidence >= TRUSTED ? 1 : goes_on(w, dir, &f, p + took, n - took);
	if (good < 0)
		return took;
	if (good == 0 || !is_good(w, d, &f)) {
		d->hold_len = before;
		refuse(d, out);
		return 0;
	}
	d->hold_len = 0;
	frame_begin(d, &f, out, false);
	return took;
}

static uint32_t
feed_payload(struct websocket_dir *d, const uint8_t *p, uint32_t n, struct websocket_room room,
	struct framer_out *out)
{
	if (n > d->remaining)
		n = (uint32_t)d->remaining;
	if (!d->control && !d->lost) {
		out->body = (struct span){p, n};
		if (d->masked) {
			n = n < room.len ? n : room.len;
			websocket_unmask(room.p, p, n, d->mask);
			out->body = (struct span){room.p, n};
			turn_mask(d, n);
		}
		out->verdict = FRAMER_BODY;
	}
	as_parsed(d, n, out);
	d->remaining -= n;
	if (d->remaining == 0)
		frame_end(d, out);
	return n;
}

/* ---- out of step ---- */

/* The frame whose header is in hold is the first; its payload begins the rest of the span. */
static void
begin_picked_up(struct websocket *w, unsigned dir, bool certain, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	struct frame f = read_header(d->hold, d->hold_len);
	d->hold_len = 0;
	d->evidence = 0;
	add_evidence(w, dir, &f, certain ? 2 : 1);
	d->in_message = d->lost = false;
	frame_begin(d, &f, out, true);
}

/* More of a header that began in an earlier span. Returns false if it is none: what was held is passed over,
 * the span is looked at on its own. */
static bool
continue_held(struct websocket *w, unsigned dir, struct span in, uint32_t *took, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	struct frame f = {0};
	*took = take_header(d, in.p, in.len);
	bool good = is_strict(w, dir, d->hold, d->hold_len, &f);
	if (good && *took == in.len)
		return true;
	if (good && holds_json(&f, in.p + *took, in.len - *took)) {
		begin_picked_up(w, dir, true, out);
		return true;
	}
	d->hold_len = (uint8_t)(d->hold_len - *took);
	skip_held(d, out, FRAMER_SKIP_UNSYNCED);
	return false;
}

static uint32_t
pick_up(struct websocket *w, unsigned dir, struct span in, const uint8_t *at, bool certain,
	struct framer_out *out)
{
	out->skipped += (uint32_t)(at - in.p);
	out->reason = FRAMER_SKIP_UNSYNCED;
	uint32_t n = take_header(&w->dir[dir], at, in.len - (uint32_t)(at - in.p));
	begin_picked_up(w, dir, certain, out);
	return (uint32_t)(at - in.p) + n;
}

/* The header of a text message that may begin at p, none of whose payload is there. */
static bool
may_begin(const struct websocket *w, unsigned dir, const uint8_t *p, const uint8_t *end)
{
	struct frame f = {0};
	uint32_t n = (uint32_t)(end - p);
	return p[0] == (0x80 | OP_TEXT) && n <= WEBSOCKET_HEADER_MAX && is_strict(w, dir, p, n, &f) &&
	       (f.header == 0 || f.header == n);
}

/* The first place at which a message is certain to begin, or may begin with more bytes; NULL: none. */
static const uint8_t *
find_text(const struct websocket *w, unsigned dir, struct span in, bool *certain)
{
	const uint8_t *end = in.p + in.len;
	for (const uint8_t *p = in.p; (p = memchr(p, 0x80 | OP_TEXT, (size_t)(end - p))) != NULL; p++) {
		*certain = is_certain(w, dir, p, end);
		if (*certain || may_begin(w, dir, p, end))
			return p;
	}
	return NULL;
}

static uint32_t
feed_unsynced(struct websocket *w, unsigned dir, struct span in, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	const uint8_t *end = in.p + in.len, *first_end;
	uint32_t took;
	bool ends, certain = false;
	if (d->hold_len > 0 && continue_held(w, dir, in, &took, out))
		return took;
	unsigned n = count_frames(w, dir, in.p, end, 2, &ends, &first_end);
	const uint8_t *text = find_text(w, dir, in, &certain);
	bool text_inside = certain && text > in.p && text < first_end;
	if ((n == 2 || ends) && !text_inside)
		return pick_up(w, dir, in, in.p, certain && text == in.p, out);
	if (certain)
		return pick_up(w, dir, in, text, true, out);
	if (text != NULL)
		take_header(d, text, (uint32_t)(end - text));
	out->skipped += (uint32_t)((text ? text : end) - in.p);
	out->reason = FRAMER_SKIP_UNSYNCED;
	return in.len;
}

/* ---- the contract ---- */

static uint32_t
feed_frames(
	struct websocket *w, unsigned dir, struct span in, struct websocket_room room, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	uint32_t at = 0;
	if (d->state == ST_PAYLOAD && d->evidence < TRUSTED && is_certain(w, dir, in.p, in.p + in.len)) {
		refuse(d, out);
		return 0;
	}
	while (at < in.len && (out->verdict == FRAMER_MORE) &&
		(d->state == ST_HEADER || d->state == ST_PAYLOAD)) {
		if (d->state == ST_HEADER)
			at += feed_header(w, dir, in.p + at, in.len - at, out);
		else
			at += feed_payload(d, in.p + at, in.len - at, room, out);
	}
	return at;
}

uint32_t
websocket_feed(
	struct websocket *w, unsigned dir, struct span in, struct websocket_room room, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	uint32_t n = in.len;
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (d->state == ST_UNSYNCED) {
		n = feed_unsynced(w, dir, in, out);
	} else if (d->state == ST_CLOSED) {
		out->skipped = in.len;
		out->reason = FRAMER_SKIP_OPAQUE;
	} else {
		n = feed_frames(w, dir, in, room, out);
	}
	/* Behind a close frame, or a control frame that was picked up, the state is another: call again. */
	if (out->verdict == FRAMER_MORE && (out->skipped > 0 || n < in.len))
		out->verdict = FRAMER_SKIP;
	return n;
}

void
websocket_gap(struct websocket *w, unsigned dir, uint64_t n, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (n == 0 || d->state == ST_CLOSED)
		return;
	if (d->state == ST_UNSYNCED) {
		skip_held(d, out, FRAMER_SKIP_UNSYNCED);
		return;
	}
	skip_held(d, out, FRAMER_SKIP_LOST);
	if (d->state == ST_PAYLOAD && n <= d->remaining) {
		d->remaining -= n;
		turn_mask(d, n);
		if (!d->control && !d->lost)
			message_lost(d, out, FRAMER_LOST_GAP);
		if (d->remaining == 0)
			frame_end(d, out);
		return;
	}
	if (!d->lost && (d->in_message || d->evidence >= TRUSTED))
		message_lost(d, out, FRAMER_LOST_GAP);
	lose_step(d);
}

void
websocket_end(struct websocket *w, unsigned dir, struct framer_out *out)
{
	struct websocket_dir *d = &w->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (d->in_message && !d->lost) {
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_END;
	}
	skip_held(d, out, FRAMER_SKIP_UNSYNCED);
	if (d->state != ST_CLOSED)
		lose_step(d);
}
