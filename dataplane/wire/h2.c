/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/h2.h"

#include <stddef.h>
#include <string.h>

#define PREFACE_LEN 24u
#define TRUSTED 3u /* frame headers in a row */
#define MESSAGE_PREFIX 5u
#define STREAM_LIKELY 0xffffffu /* of a header for which nothing else speaks */

enum state {
	ST_START, /* the preface, or the server's first frame */
	ST_HEADER,
	ST_PAYLOAD,
	ST_UNSYNCED
};

enum type {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION
};

enum flag { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8, FLAG_PRIORITY = 32 };

struct frame {
	uint32_t len, stream;
	uint8_t type, flags;
	bool reserved;
};

static struct frame
read_header(const uint8_t *p)
{
	return (struct frame){.len = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2],
		.type = p[3],
		.flags = p[4],
		.stream = (uint32_t)(p[5] & 0x7f) << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8],
		.reserved = p[5] >> 7};
}

/* ---- what a frame header may say ---- */

/* What every receiver insists on. */
static bool
is_good(const struct h2_dir *d, const struct frame *f)
{
	if (d->in_block && (f->type != CONTINUATION || f->stream != d->block_stream))
		return false;
	switch (f->type) {
	case DATA:
	case HEADERS:
		return f->stream != 0;
	case PRIORITY:
		return f->stream != 0; /* another length is an error of the stream alone */
	case RST_STREAM:
		return f->stream != 0 && f->len == 4;
	case SETTINGS:
		return f->stream == 0 && (f->flags & FLAG_ACK ? f->len == 0 : f->len % 6 == 0);
	case PUSH_PROMISE:
		return f->stream != 0 && f->len >= 4;
	case PING:
		return f->stream == 0 && f->len == 8;
	case GOAWAY:
		return f->stream == 0 && f->len >= 8;
	case WINDOW_UPDATE:
		return f->len == 4;
	case CONTINUATION:
		return f->stream != 0 && (d->in_block || d->evidence < TRUSTED);
	default:
		return f->len <= H2_PICKUP_MAX; /* of extensions; rather a sign that this is none */
	}
}

/* What senders do, for headers whose place is not certain. Only clients open streams, with odd numbers. */
static bool
is_strict(const struct frame *f)
{
	bool odd = f->stream & 1;
	if (f->reserved || f->len > H2_PICKUP_MAX)
		return false;
	switch (f->type) {
	case DATA:
		return odd && (f->flags & ~(FLAG_END_STREAM | FLAG_PADDED)) == 0 &&
		       (f->len > 0 || f->flags == 1);
	case HEADERS:
		return odd && f->len > 0 &&
		       (f->flags & ~(FLAG_END_STREAM | FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY)) == 0;
	case PRIORITY:
		return f->stream != 0 && f->len == 5 && f->flags == 0;
	case RST_STREAM:
		return odd && f->len == 4 && f->flags == 0;
	case SETTINGS:
		return f->stream == 0 && f->flags <= FLAG_ACK && f->len % 6 == 0 && f->len <= 120 &&
		       (f->flags == 0 || f->len == 0);
	case PING:
		return f->stream == 0 && f->flags <= FLAG_ACK && f->len == 8;
	case GOAWAY:
		return f->stream == 0 && f->flags == 0 && f->len >= 8;
	case WINDOW_UPDATE:
		return f->len == 4 && f->flags == 0 && (f->stream == 0 || odd);
	case CONTINUATION:
		return odd && f->len > 0 && (f->flags & ~FLAG_END_HEADERS) == 0;
	default:
		return false;
	}
}

static bool
starts_strictly(const uint8_t *p)
{
	struct frame f = read_header(p);
	return is_strict(&f);
}

/* [p, end), the content of a DATA frame, begins as a gRPC message with a first field of bytes does. */
static bool
begins_message(const struct frame *f, const uint8_t *p, const uint8_t *end)
{
	if (f->type != DATA || f->flags & FLAG_PADDED || end - p <= (ptrdiff_t)MESSAGE_PREFIX)
		return false;
	return p[0] == 0 && p[1] == 0 && (p[2] | p[3] | p[4]) != 0 && p[5] == 0x0a;
}

/* Bytes of the payload before the content. */
static uint8_t
before_content(const struct frame *f)
{
	if (f->type == HEADERS && f->flags & FLAG_PRIORITY)
		return 5;
	return f->type == PUSH_PROMISE ? 4 : 0;
}

static bool
is_padded(const struct frame *f)
{
	return f->flags & FLAG_PADDED && (f->type == DATA || f->type == HEADERS || f->type == PUSH_PROMISE);
}

static bool
fits(const struct frame *f)
{
	return before_content(f) + (uint32_t)is_padded(f) <= f->len;
}

/* How sure it is that f is a frame header, with [p, end) behind: 0 no, 1 perhaps, 2 yes. */
static unsigned
frame_with(const struct frame *f, const uint8_t *p, const uint8_t *end)
{
	size_t n = (size_t)(end - p);
	if (!is_strict(f) || !fits(f))
		return 0;
	if (f->len == n || begins_message(f, p, end))
		return 2;
	if (f->len + H2_HEADER <= n)
		return starts_strictly(p + f->len) ? 2 : 0;
	return f->stream <= STREAM_LIKELY;
}

/* The same for a place with at least a header's bytes. */
static unsigned
frame_at(const uint8_t *p, const uint8_t *end)
{
	if (p[0] != 0 || p[3] > CONTINUATION)
		return 0;
	struct frame f = read_header(p);
	return frame_with(&f, p + H2_HEADER, end);
}

bool
h2_server_begins(struct span in)
{
	static const uint8_t header[H2_HEADER] = {0, 0, 0, SETTINGS};
	for (uint32_t i = 0; i < in.len && i < H2_HEADER; i++)
		if (i == 2 ? in.p[2] % 6 != 0 : in.p[i] != header[i])
			return false;
	return true;
}

int
h2_looks_like(struct span in)
{
	uint32_t n = in.len < PREFACE_LEN ? in.len : PREFACE_LEN;
	if (n > 0 && memcmp(in.p, H2_PREFACE, n) == 0)
		return n == PREFACE_LEN ? 1 : -1;
	return in.len >= H2_HEADER && frame_at(in.p, in.p + in.len) == 2;
}

/* ---- accounting ---- */

const struct h2_last *
h2_last(const struct h2 *h, unsigned dir)
{
	return &h->dir[dir].last;
}

uint32_t
h2_held(const struct h2 *h, unsigned dir)
{
	return h->dir[dir].hold_n + (uint32_t)h->dir[dir].preface_n;
}

uint32_t
h2_take_back(struct h2 *h, unsigned dir, struct span in)
{
	struct h2_dir *d = &h->dir[dir];
	uint32_t n = d->preface_n, rest = in.len < PREFACE_LEN - n ? in.len : PREFACE_LEN - n;
	if (n == 0 || memcmp(in.p, H2_PREFACE + n, rest) == 0)
		return 0;
	d->preface_n = 0;
	return n;
}

bool
h2_in_step(const struct h2 *h, unsigned dir)
{
	return h->dir[dir].state != ST_UNSYNCED;
}

int
h2_client(const struct h2 *h)
{
	return h->client;
}

static void
skip_held(struct h2_dir *d, struct framer_out *out, enum framer_skip reason)
{
	uint32_t n = d->hold_n + (uint32_t)d->preface_n;
	out->skipped += n;
	if (n > 0)
		out->reason = reason;
	d->hold_n = d->preface_n = 0;
}

/* ---- streams ---- */

static unsigned
find_stream(const struct h2 *h, uint32_t id)
{
	unsigned i = 0;
	while (i < H2_STREAMS && h->streams[i].id != id)
		i++;
	return i;
}

/* The stream gives up its place rather than the other one. */
static bool
goes_first(const struct h2 *h, const struct h2_stream *s, const struct h2_stream *other)
{
	bool named = s->path >= HPACK_PATH_FIRST, other_named = other->path >= HPACK_PATH_FIRST;
	if (named != other_named)
		return other_named;
	return (uint16_t)(h->clock - s->used) > (uint16_t)(h->clock - other->used);
}

/* A free place, or one that is taken from its stream. */
static unsigned
free_place(struct h2 *h, struct h2_arena *a)
{
	unsigned best = find_stream(h, 0);
	if (best < H2_STREAMS)
		return best;
	best = 0;
	for (unsigned i = 1; i < H2_STREAMS; i++) {
		if (goes_first(h, &h->streams[i], &h->streams[best]))
			best = i;
	}
	a->counts[H2_N_STREAMS_OVER]++;
	return best;
}

/* The clock is 16 bits: all are made old before it goes round. */
static void
touch(struct h2 *h, struct h2_stream *s)
{
	if (h->clock == UINT16_MAX) {
		for (unsigned i = 0; i < H2_STREAMS; i++)
			h->streams[i].used >>= 1;
		h->clock >>= 1;
	}
	s->used = ++h->clock;
}

static unsigned
get_stream(struct h2 *h, unsigned dir, struct h2_arena *a, uint32_t id)
{
	unsigned i = h->dir[dir].last.index; /* mostly the same again */
	if (i == H2_STREAMS || h->streams[i].id != id)
		i = find_stream(h, id);
	if (i == H2_STREAMS) {
		i = free_place(h, a);
		h->streams[i] = (struct h2_stream){.id = id, .fresh = 1};
		a->counts[H2_N_STREAMS]++;
	}
	touch(h, &h->streams[i]);
	return i;
}

static void
report(struct h2 *h, unsigned dir, uint32_t stream, unsigned index)
{
	h->dir[dir].last = (struct h2_last){.stream = stream, .index = (uint8_t)index};
}

/* END_STREAM. */
static void
end_stream(struct h2 *h, unsigned dir, unsigned index)
{
	struct h2_stream *s = &h->streams[index];
	s->ended |= (uint8_t)(1u << dir) & 3u;
	if (s->ended == 3)
		s->id = 0;
}

/* ---- out of step ---- */

/* What was only an attempt ends as SKIP. */
static void
lose_step(struct h2 *h, unsigned dir, struct framer_out *out, enum framer_lost lost)
{
	struct h2_dir *d = &h->dir[dir];
	out->verdict = d->evidence < TRUSTED ? FRAMER_SKIP : FRAMER_LOST;
	out->lost = lost;
	d->state = ST_UNSYNCED;
	d->evidence = 0;
	d->in_block = d->block_lost = false;
	hpack_lose(&d->hpack);
	for (unsigned i = 0; i < H2_STREAMS; i++)
		h->streams[i].headers &= (uint8_t) ~(1u << dir) & 3u;
	report(h, dir, 0, H2_STREAMS);
}

static void
lose_block(struct h2_dir *d, struct h2_arena *a, enum h2_count why)
{
	if (d->block_lost)
		return;
	a->counts[why]++;
	hpack_lose(&d->hpack);
	d->block_lost = true;
}

/* ---- frames ---- */

/* What a block says about its stream. Only the client's say it; of a frame that is one only perhaps, only a
 * name that we know is believed: for what is taken for another method is not read. */
static void
take_path(struct h2 *h, unsigned dir, struct h2_stream *s, uint8_t path)
{
	uint8_t least = h->dir[dir].evidence >= TRUSTED ? HPACK_PATH_OTHER : HPACK_PATH_FIRST;
	if (path < least || (h->client >= 0 && h->client != (int)dir))
		return;
	h->client = (int8_t)dir;
	if (s->path <= HPACK_PATH_UNKNOWN)
		s->path = path;
}

static void
block_end(struct h2 *h, unsigned dir, struct h2_arena *a, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint8_t path;
	if (!hpack_end(&d->hpack, &path))
		lose_block(d, a, H2_N_BAD_HEADERS);
	d->in_block = false;
	if (d->block_promise)
		return;
	unsigned i = get_stream(h, dir, a, d->block_stream);
	struct h2_stream *s = &h->streams[i];
	s->headers |= (uint8_t)(1u << dir) & 3u;
	if (!d->block_lost)
		take_path(h, dir, s, path);
	report(h, dir, d->block_stream, i);
	out->verdict = FRAMER_MESSAGE;
	out->last = d->block_ends_stream;
	if (out->last)
		end_stream(h, dir, i);
}

static void
stream_reset(struct h2 *h, unsigned dir, struct framer_out *out)
{
	unsigned i = find_stream(h, h->dir[dir].stream);
	if (i == H2_STREAMS)
		return;
	report(h, dir, h->dir[dir].stream, i);
	h->dir[dir].last.reset = true;
	h->streams[i].id = 0;
	out->verdict = FRAMER_MESSAGE;
	out->last = true;
}

/* The stream's bytes may have come with this call, or before. */
static void
data_end(struct h2 *h, unsigned dir, struct h2_arena *a, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	if (!(d->flags & FLAG_END_STREAM))
		return;
	unsigned i = get_stream(h, dir, a, d->stream);
	if (out->verdict == FRAMER_MORE) {
		report(h, dir, d->stream, i);
		out->verdict = FRAMER_BODY;
	}
	out->last = true;
	end_stream(h, dir, i);
}

static void
frame_end(struct h2 *h, unsigned dir, struct h2_arena *a, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	d->state = ST_HEADER;
	switch (d->type) {
	case DATA:
		data_end(h, dir, a, out);
		break;
	case RST_STREAM:
		stream_reset(h, dir, out);
		break;
	case HEADERS:
	case PUSH_PROMISE:
	case CONTINUATION:
		if (d->flags & FLAG_END_HEADERS)
			block_end(h, dir, a, out);
		break;
	default:
		break;
	}
}

static void
block_begin(struct h2_dir *d, struct h2_arena *a, const struct frame *f)
{
	if (d->in_block)
		return;
	d->in_block = true;
	d->block_lost = false;
	d->block_stream = f->stream;
	d->block_ends_stream = f->type == HEADERS && f->flags & FLAG_END_STREAM;
	d->block_promise = f->type == PUSH_PROMISE;
	hpack_begin(&d->hpack);
	if (f->type == CONTINUATION)
		lose_block(d, a, H2_N_LOST_HEADERS);
}

/* A header that is good; its bytes have not been counted. */
static void
frame_begin(struct h2 *h, unsigned dir, struct h2_arena *a, const struct frame *f, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	d->hold_n = 0;
	d->type = f->type;
	d->flags = f->flags;
	d->stream = f->stream;
	d->left = f->len;
	d->pad = 0;
	d->pad_unread = is_padded(f);
	d->skip = before_content(f);
	d->first = true;
	d->state = ST_PAYLOAD;
	if (f->type == HEADERS || f->type == PUSH_PROMISE || f->type == CONTINUATION)
		block_begin(d, a, f);
	out->parsed += H2_HEADER;
	a->counts[H2_N_FRAMES]++;
	if (d->left == 0)
		frame_end(h, dir, a, out);
}

static uint32_t
take_header(struct h2_dir *d, const uint8_t *p, uint32_t n)
{
	uint32_t k = n < H2_HEADER - d->hold_n ? n : H2_HEADER - d->hold_n;
	memcpy(d->hold + d->hold_n, p, k);
	d->hold_n = (uint8_t)(d->hold_n + k);
	return k;
}

/* A frame header's bytes. Returns how many were taken; if it is refused those of this call are given back, to
 * be looked at again. */
static uint32_t
feed_header(
	struct h2 *h, unsigned dir, struct h2_arena *a, const uint8_t *p, uint32_t n, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint8_t before = d->hold_n;
	uint32_t took = take_header(d, p, n);
	if (d->hold_n < H2_HEADER)
		return took;
	struct frame f = read_header(d->hold);
	if (!fits(&f) || !is_good(d, &f) || (d->evidence < TRUSTED && !is_strict(&f))) {
		a->counts[H2_N_BAD_FRAME] += d->evidence >= TRUSTED;
		d->hold_n = before;
		skip_held(d, out, FRAMER_SKIP_LOST);
		lose_step(h, dir, out, FRAMER_LOST_BAD);
		return 0;
	}
	if (d->evidence < TRUSTED)
		d->evidence++;
	frame_begin(h, dir, a, &f, out);
	return took;
}

/* ---- payload ---- */

/* Bytes of the payload before the padding, of which some may be gone already. */
static uint32_t
before_pad(const struct h2_dir *d)
{
	return d->left > d->pad ? d->left - d->pad : 0;
}

/* n bytes of a frame's content. */
static void
take_content(
	struct h2 *h, unsigned dir, struct h2_arena *a, const uint8_t *p, uint32_t n, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	if (d->type == DATA) {
		report(h, dir, d->stream, get_stream(h, dir, a, d->stream));
		d->last.first = d->first;
		d->last.frame_bytes = before_pad(d);
		out->verdict = FRAMER_BODY;
		out->body = (struct span){p, n};
	} else if (d->in_block && !d->block_lost) {
		if (!hpack_feed(&d->hpack, &a->paths, p, n))
			lose_block(d, a, H2_N_BAD_HEADERS);
	}
	d->first = false;
}

/* The length of the padding. false: it does not fit. */
static bool
take_pad_length(struct h2_dir *d, uint8_t pad)
{
	d->pad_unread = false;
	d->pad = pad;
	return d->pad + d->skip < d->left;
}

/* Some bytes of the payload, all of one of its parts; how many. */
static uint32_t
feed_payload(
	struct h2 *h, unsigned dir, struct h2_arena *a, const uint8_t *p, uint32_t n, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint32_t content = before_pad(d);
	if (d->pad_unread) {
		n = 1;
		if (!take_pad_length(d, *p)) {
			out->parsed++;
			a->counts[H2_N_BAD_FRAME]++;
			lose_step(h, dir, out, FRAMER_LOST_BAD);
			return 1;
		}
	} else if (d->skip > 0) {
		n = n < d->skip ? n : d->skip;
		d->skip = (uint8_t)(d->skip - n);
	} else if (content > 0) {
		n = n < content ? n : content;
		take_content(h, dir, a, p, n, out);
	} else {
		n = n < d->left ? n : d->left;
	}
	d->left -= n;
	out->parsed += n;
	if (d->left == 0)
		frame_end(h, dir, a, out);
	return n;
}

/* The client's preface; who sends anything else is the server. */
static uint32_t
feed_start(struct h2 *h, unsigned dir, struct h2_arena *a, struct span in, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint32_t at = 0;
	while (at < in.len && d->preface_n < PREFACE_LEN && in.p[at] == (uint8_t)H2_PREFACE[d->preface_n]) {
		d->preface_n++;
		at++;
	}
	if (d->preface_n == PREFACE_LEN) {
		a->counts[H2_N_CONNECTIONS]++;
		h->client = (int8_t)dir;
		out->parsed += PREFACE_LEN;
		d->preface_n = 0;
		d->state = ST_HEADER;
	} else if (d->preface_n == 0) {
		d->state = ST_HEADER;
	} else if (at < in.len) {
		a->counts[H2_N_BAD_FRAME]++;
		skip_held(d, out, FRAMER_SKIP_LOST);
		lose_step(h, dir, out, FRAMER_LOST_BAD);
	}
	return at;
}

/* ---- looking for a frame ---- */

static void
pick_up(struct h2 *h, unsigned dir, struct h2_arena *a, const uint8_t *header, uint8_t evidence,
	struct framer_out *out)
{
	struct frame f = read_header(header);
	h->dir[dir].evidence = evidence;
	a->counts[H2_N_RESYNCS]++;
	frame_begin(h, dir, a, &f, out);
	out->resync = true;
}

/* The first of the first `places` at which a frame begins for sure; NULL: there is none. */
static const uint8_t *
find_sure(struct span in, uint32_t places)
{
	const uint8_t *end = in.p + in.len;
	for (const uint8_t *p = in.p; p < in.p + places && end - p >= (ptrdiff_t)H2_HEADER; p++) {
		if (frame_at(p, end) == 2)
			return p;
	}
	return NULL;
}

/* Frames that may begin in the bytes held; sure: only if another one follows. Returns the bytes of `in`
 * taken, 0: there is none. */
static uint32_t
search_held(struct h2 *h, unsigned dir, struct h2_arena *a, struct span in, bool sure, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint8_t window[2 * H2_HEADER];
	uint32_t held = d->hold_n, n = in.len < H2_HEADER ? in.len : H2_HEADER;
	memcpy(window, d->hold, held);
	memcpy(window + held, in.p, n);
	for (uint32_t i = 0; i < held && i + H2_HEADER <= held + n; i++) {
		uint32_t took = i + H2_HEADER - held;
		struct frame f = read_header(window + i);
		unsigned found = frame_with(&f, in.p + took, in.p + in.len);
		if (found < 1u + sure)
			continue;
		out->skipped += i;
		pick_up(h, dir, a, window + i, (uint8_t)found, out);
		return took;
	}
	return 0;
}

/* Keeps the last bytes, in which a header may begin; the others are passed over. */
static void
hold_tail(struct h2_dir *d, struct span in, struct framer_out *out)
{
	uint32_t most = H2_HEADER - 1, keep = in.len < most ? in.len : most;
	uint32_t old = d->hold_n < most - keep ? d->hold_n : most - keep;
	out->skipped += d->hold_n - old + in.len - keep;
	memmove(d->hold, d->hold + d->hold_n - old, old);
	memcpy(d->hold + old, in.p + in.len - keep, keep);
	d->hold_n = (uint8_t)(old + keep);
}

static uint32_t
feed_unsynced(struct h2 *h, unsigned dir, struct h2_arena *a, struct span in, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	const uint8_t *at = find_sure(in, in.len);
	uint32_t took = search_held(h, dir, a, in, at != NULL, out);
	out->reason = FRAMER_SKIP_UNSYNCED;
	if (took > 0)
		return took;
	uint8_t evidence = at != NULL ? 2 : 1;
	if (at == NULL && in.len >= H2_HEADER && frame_at(in.p, in.p + in.len) > 0)
		at = in.p;
	if (at == NULL) {
		hold_tail(d, in, out);
		return in.len;
	}
	skip_held(d, out, FRAMER_SKIP_UNSYNCED);
	out->skipped += (uint32_t)(at - in.p);
	pick_up(h, dir, a, at, evidence, out);
	return (uint32_t)(at - in.p) + H2_HEADER;
}

/* A payload that is one only perhaps does not hide a frame that is one for sure. */
static bool
is_doubtful(const struct h2_dir *d, struct span in)
{
	return d->state == ST_PAYLOAD && d->evidence < TRUSTED && find_sure(in, in.len < d->left ? in.len : d->left) != NULL;
}

/* ---- the contract ---- */

void
h2_init(struct h2 *h, bool midstream)
{
	memset(h, 0, sizeof *h);
	h->client = -1;
	for (unsigned dir = 0; dir < 2; dir++) {
		struct h2_dir *d = &h->dir[dir];
		d->state = midstream ? ST_UNSYNCED : ST_START;
		d->evidence = midstream ? 0 : TRUSTED;
		hpack_init(&d->hpack, midstream);
		report(h, dir, 0, H2_STREAMS);
	}
}

uint32_t
h2_feed(struct h2 *h, unsigned dir, struct h2_arena *a, struct span in, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint32_t at = 0;
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (is_doubtful(d, in)) {
		lose_step(h, dir, out, FRAMER_LOST_BAD);
		return 0;
	}
	if (d->state == ST_UNSYNCED)
		at = feed_unsynced(h, dir, a, in, out);
	while (at < in.len && out->verdict == FRAMER_MORE && d->state != ST_UNSYNCED) {
		struct span rest = {in.p + at, in.len - at};
		if (d->state == ST_START)
			at += feed_start(h, dir, a, rest, out);
		else if (d->state == ST_HEADER)
			at += feed_header(h, dir, a, rest.p, rest.len, out);
		else
			at += feed_payload(h, dir, a, rest.p, rest.len, out);
	}
	if (out->verdict == FRAMER_MORE && out->skipped > 0)
		out->verdict = FRAMER_SKIP;
	out->resync = out->resync && (out->verdict == FRAMER_MESSAGE || out->verdict == FRAMER_BODY);
	return at;
}

/* Bytes are missing within the payload of the frame under way. */
static void
gap_in_payload(struct h2 *h, unsigned dir, struct h2_arena *a, uint32_t n, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	uint32_t content = before_pad(d);
	if (d->type == DATA && (d->pad_unread || content > 0)) {
		report(h, dir, d->stream, get_stream(h, dir, a, d->stream));
		d->last.gap = d->pad_unread ? UINT32_MAX : n < content ? n : content;
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_GAP;
	} else if (d->in_block) {
		lose_block(d, a, H2_N_LOST_HEADERS);
	}
	if (d->pad_unread) { /* where the padding begins is not known: all is */
		d->pad_unread = false;
		d->pad = d->left - n;
		d->skip = 0;
	}
	d->skip = n < d->skip ? (uint8_t)(d->skip - n) : 0;
	d->left -= n;
	d->pad = d->pad < d->left ? d->pad : d->left;
	d->first = false;
	if (d->left == 0)
		frame_end(h, dir, a, out);
}

void
h2_gap(struct h2 *h, unsigned dir, struct h2_arena *a, uint64_t n, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	if (n == 0)
		return;
	if (d->state == ST_PAYLOAD && n <= d->left) {
		gap_in_payload(h, dir, a, (uint32_t)n, out);
		return;
	}
	bool in_step = d->state != ST_UNSYNCED;
	skip_held(d, out, in_step ? FRAMER_SKIP_LOST : FRAMER_SKIP_UNSYNCED);
	if (in_step)
		lose_step(h, dir, out, FRAMER_LOST_GAP);
}

void
h2_end(struct h2 *h, unsigned dir, struct framer_out *out)
{
	struct h2_dir *d = &h->dir[dir];
	struct framer_out lost;
	*out = (struct framer_out){.verdict = FRAMER_MORE};
	bool inside =
		d->state == ST_PAYLOAD || d->in_block || (d->state != ST_UNSYNCED && h2_held(h, dir) > 0);
	skip_held(d, out, FRAMER_SKIP_UNSYNCED);
	lose_step(h, dir, inside && d->evidence >= TRUSTED ? out : &lost, FRAMER_LOST_END);
}
