/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/grpc.h"

#include <stddef.h>
#include <string.h>

#define PREFIX 5u
#define SLAB_MIN 4096u

enum state {
	ST_FRESH, /* no DATA yet */
	ST_UNSYNCED,
	ST_MAYBE, /* the first bytes of a DATA frame, shift of them seen, which may begin a message */
	ST_FLAG,
	ST_LENGTH, /* value, shift: of the message */
	ST_BODY,   /* no gRPC */
	/* in a message */
	ST_PASS, /* what is left of it is not read */
	ST_COMPRESSED,
	ST_TAG,
	ST_FIELD_LENGTH,
	ST_VARINT,
	ST_FIELD /* bytes of a value */
};

enum wire_type { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_GROUP, WIRE_GROUP_END, WIRE_32 };

/* The place of one call. */
struct ctx {
	struct grpc *g;
	struct grpc_arena *a;
	struct grpc_half *h;
	unsigned dir, index;
	bool inflated; /* bytes lie in the arena's out */
	uint32_t stream;
};

/* ---- slabs: cap is the power of two times SLAB_MIN that the slab holds at least ---- */

static uint32_t
cap_bytes(unsigned cap)
{
	uint64_t n = (uint64_t)SLAB_MIN << cap;
	return n < GRPC_ELEMENT_MAX ? (uint32_t)n : GRPC_ELEMENT_MAX;
}

static void
put_slab(struct grpc_arena *a, struct grpc_half *h)
{
	if (h->slab != NULL)
		a->slab_put(a->ctx, h->slab);
	h->slab = NULL;
	h->have = 0;
}

/* Makes room for `bytes` in all, keeping what is there. false: there is none, and what was there is gone. */
static bool
make_room(struct grpc_arena *a, struct grpc_half *h, uint32_t bytes)
{
	uint8_t *old = h->slab, *slab;
	uint32_t got, have = h->have;
	unsigned cap = 0;
	if (have > 0 && old == NULL) /* taken back since */
		return false;
	if (old != NULL && bytes <= cap_bytes(h->cap))
		return true;
	while (cap_bytes(cap) < bytes)
		cap++;
	slab = a->slab_get(a->ctx, cap_bytes(cap), &got, &h->slab);
	bool stolen = old != NULL && h->slab == NULL; /* perhaps by this very call, to be given to us again */
	if (slab == NULL || stolen) {
		h->slab = slab;
		if (slab == NULL && !stolen)
			h->slab = old;
		put_slab(a, h);
		return false;
	}
	if (have > 0)
		memcpy(slab, old, have);
	if (old != NULL)
		a->slab_put(a->ctx, old);
	while (cap_bytes(cap) < GRPC_ELEMENT_MAX && cap_bytes(cap + 1) <= got)
		cap++;
	h->slab = slab;
	h->cap = (uint8_t)cap;
	return true;
}

static bool
keep(struct grpc_arena *a, struct grpc_half *h, const uint8_t *p, uint32_t n)
{
	if (!make_room(a, h, h->have + n))
		return false;
	memcpy(h->slab + h->have, p, n);
	h->have += n;
	return true;
}

/* ---- elements ---- */

static void
emit(struct ctx *c, struct span bytes, enum grpc_state state, bool in_place)
{
	const struct grpc_half *h = c->h;
	int client = h2_client(&c->g->h2), path = c->g->h2.streams[c->index].path;
	struct grpc_element e = {.bytes = bytes,
		.stream = c->stream,
		.method = path < HPACK_PATH_FIRST ? -1 : path - HPACK_PATH_FIRST,
		.client = client < 0 ? -1 : client == (int)c->dir,
		.state = state,
		.index = h->index,
		.in_place = in_place && !c->inflated,
		.resync = h->resync};
	if (e.method < 0 && state != GRPC_OK)
		return;
	c->a->counts[GRPC_N_ELEMENTS] += state == GRPC_OK;
	c->a->sink(c->a->ctx, &e);
}

static void
field_end(struct grpc_half *h)
{
	h->index += h->element && h->index < UINT16_MAX;
	h->state = ST_TAG;
}

static void
drop_element(struct ctx *c, enum grpc_state why)
{
	c->a->counts[why == GRPC_OVERSIZE ? GRPC_N_OVERSIZE : GRPC_N_NO_BUFFER]++;
	c->h->dropped = true;
	put_slab(c->a, c->h);
	emit(c, (struct span){NULL, 0}, why, false);
}

/* Bytes of a field's value. n <= h->field. */
static void
take_field(struct ctx *c, const uint8_t *p, uint32_t n)
{
	struct grpc_half *h = c->h;
	bool read = h->element && !h->dropped;
	if (read && h->have == 0 && n == h->field) {
		h->field = 0;
		emit(c, (struct span){p, n}, GRPC_OK, true);
		field_end(h);
		return;
	}
	if (read && !keep(c->a, h, p, n)) {
		drop_element(c, GRPC_NO_BUFFER);
		read = false;
	}
	h->field -= n;
	if (h->field > 0)
		return;
	if (read)
		emit(c, (struct span){h->slab, h->have}, GRPC_OK, false);
	put_slab(c->a, h);
	field_end(h);
}

/* ---- the walk ---- */

/* One byte of an integer of at most 32 bits (more: they are cut off): 1 complete, 0 goes on, -1 too long.
 * exact: more bits are an error. */
static int
take_varint(struct grpc_half *h, uint8_t b, bool exact)
{
	uint32_t bits = b & 0x7f;
	if (h->shift < 32)
		h->value |= bits << h->shift;
	if (exact && bits != 0 && (h->shift >= 32 || (h->shift == 28 && bits > 15)))
		return -1;
	h->shift += 7;
	if (b < 0x80)
		return 1;
	return h->shift >= 70 ? -1 : 0;
}

/* A value of n bytes begins. false: it does not fit. `rest`: of the message behind this byte. */
static bool
field_begin(struct ctx *c, uint32_t n, uint32_t rest)
{
	struct grpc_half *h = c->h;
	if (n > rest)
		return false;
	h->state = ST_FIELD;
	h->field = n;
	h->dropped = false;
	if (h->element && n > GRPC_ELEMENT_MAX)
		drop_element(c, GRPC_OVERSIZE);
	if (h->element && n == 0)
		emit(c, (struct span){NULL, 0}, GRPC_OK, true);
	if (n == 0)
		field_end(h);
	return true;
}

static bool
tag_end(struct ctx *c, uint32_t rest)
{
	struct grpc_half *h = c->h;
	uint32_t number = h->value >> 3;
	unsigned type = h->value & 7;
	h->value = 0;
	h->shift = 0;
	h->element = number == 1 && type == WIRE_BYTES && h->depth == 0;
	h->state = ST_TAG;
	if (number == 0)
		return false;
	switch (type) {
	case WIRE_VARINT:
		h->state = ST_VARINT;
		return true;
	case WIRE_64:
		return field_begin(c, 8, rest);
	case WIRE_32:
		return field_begin(c, 4, rest);
	case WIRE_BYTES:
		h->state = ST_FIELD_LENGTH;
		return true;
	case WIRE_GROUP:
		return ++h->depth <= GRPC_GROUP_DEPTH_MAX;
	case WIRE_GROUP_END:
		return h->depth-- > 0;
	default:
		return false;
	}
}

/* One byte of a tag, a length or an integer. `rest`: bytes of the message behind it. */
static bool
walk_byte(struct ctx *c, uint8_t b, uint32_t rest)
{
	struct grpc_half *h = c->h;
	uint8_t state = h->state;
	int whole = take_varint(h, b, state != ST_VARINT);
	if (whole <= 0)
		return whole == 0;
	if (state == ST_TAG)
		return tag_end(c, rest);
	uint32_t value = h->value;
	h->value = 0;
	h->shift = 0;
	h->state = ST_TAG;
	return state == ST_VARINT || field_begin(c, value, rest);
}

/* Walks bytes of the message, all of [p, p + n); left: of the message from p on. false: it is not protobuf.
 */
static bool
walk(struct ctx *c, const uint8_t *p, uint32_t n, uint32_t left)
{
	struct grpc_half *h = c->h;
	for (uint32_t at = 0; at < n;) {
		if (h->state == ST_FIELD) {
			uint32_t k = n - at < h->field ? n - at : h->field;
			take_field(c, p + at, k);
			at += k;
		} else {
			if (!walk_byte(c, p[at], left - at - 1))
				return false;
			at++;
		}
	}
	return true;
}

static void
walk_begin(struct grpc_half *h)
{
	h->state = ST_TAG;
	h->value = 0;
	h->shift = 0;
	h->field = 0;
	h->depth = 0;
	h->index = 0;
	h->element = h->dropped = false;
}

static bool
walk_is_whole(const struct grpc_half *h)
{
	return h->state == ST_TAG && h->shift == 0 && h->depth == 0;
}

/* ---- compressed messages ---- */

/* Inflates all of `in` into the arena's out. false: the message is not to be had. */
static bool
unpack(struct ctx *c, struct span in, struct span *out)
{
	struct grpc_arena *a = c->a;
	bool gzip = in.len > 2 && in.p[0] == 0x1f && in.p[1] == 0x8b;
	bool zlib = in.len > 2 && (in.p[0] & 0x8f) == 8 && (in.p[0] << 8 | in.p[1]) % 31 == 0;
	uint32_t cap = a->out_cap < GRPC_MESSAGE_MAX ? a->out_cap : GRPC_MESSAGE_MAX;
	if ((!gzip && !zlib) || cap == 0) {
		a->counts[GRPC_N_OPAQUE]++;
		return false;
	}
	struct inflate i;
	inflate_init(&i, gzip ? INFLATE_GZIP : INFLATE_DEFLATE, false, false);
	inflate_message(&i, a->inflate, cap);
	enum inflate_status s = inflate_feed(&i, a->inflate, &in, true, a->out, cap, out);
	if (s == INFLATE_ROOM) { /* full: is there more to come? */
		struct span more;
		uint8_t spare;
		s = inflate_feed(&i, a->inflate, &in, true, &spare, 1, &more);
		s = s == INFLATE_ROOM || more.len > 0 ? INFLATE_LIMIT : s;
	}
	inflate_release(&i, a->inflate);
	if (s == INFLATE_END)
		return true;
	a->counts[s == INFLATE_LIMIT ? GRPC_N_OVERSIZE : GRPC_N_BAD_MESSAGE]++;
	return false;
}

/* The whole of a compressed message. false: nothing came of it. */
static bool
take_compressed(struct ctx *c, struct span in)
{
	struct span plain;
	if (!unpack(c, in, &plain))
		return false;
	c->a->counts[GRPC_N_COMPRESSED]++;
	c->inflated = true;
	put_slab(c->a, c->h);
	walk_begin(c->h);
	bool good = walk(c, plain.p, plain.len, plain.len) && walk_is_whole(c->h);
	c->a->counts[GRPC_N_BAD_MESSAGE] += !good;
	c->inflated = false;
	return good;
}

static void
collect(struct ctx *c, const uint8_t *p, uint32_t n)
{
	struct grpc_half *h = c->h;
	bool good;
	if (h->have == 0 && n == h->left) {
		good = take_compressed(c, (struct span){p, n});
	} else if (!keep(c->a, h, p, n)) {
		c->a->counts[GRPC_N_NO_BUFFER]++;
		good = false;
	} else if (n < h->left) {
		return;
	} else {
		good = take_compressed(c, (struct span){h->slab, h->have});
	}
	put_slab(c->a, h);
	h->state = good ? ST_TAG : ST_PASS;
}

/* ---- bodies of other requests ---- */

static void
body_bytes(struct ctx *c, struct grpc_body b)
{
	b.reader = &c->h->value;
	if (c->a->body(c->a->ctx, &b) && !b.last && !b.cut)
		return;
	c->h->state = ST_UNSYNCED;
	c->h->trusted = false;
	c->h->value = 0;
}

static void
body_cut(struct ctx *c)
{
	if (c->h->state == ST_BODY)
		body_bytes(c, (struct grpc_body){.cut = true});
}

static bool
may_begin_json(uint8_t b)
{
	return b == '{' || b == '[' || b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* Whether what begins with b is a body that is no gRPC: where a message may begin stands a flag, 0 or 1. Of a stream whose beginning was
 * not seen this may be the middle of a message. */
static bool
begins_body(const struct ctx *c, uint8_t b)
{
	const struct h2 *h2 = &c->g->h2;
	bool client = h2_client(h2) < 0 || h2_client(h2) == (int)c->dir;
	if (c->a->body == NULL || !client || b <= 1)
		return false;
	if (c->h->state == ST_FRESH && (h2->streams[c->index].headers >> c->dir & 1))
		return true;
	return c->h->state <= ST_FLAG && may_begin_json(b);
}

static void
body_begin(struct ctx *c, struct span in)
{
	c->h->state = ST_BODY;
	c->h->value = 0;
	body_bytes(c, (struct grpc_body){.bytes = in, .first = true});
}

/* ---- messages ---- */

static bool
in_message(const struct grpc_half *h)
{
	return h->state >= ST_PASS;
}

/* The message under way will not be had, or not all of it. */
static void
cut(struct ctx *c)
{
	struct grpc_half *h = c->h;
	bool was_read = in_message(h) && h->state != ST_PASS;
	bool element = h->state == ST_FIELD && h->element && !h->dropped;
	body_cut(c);
	c->a->counts[GRPC_N_LOST] += (was_read && !h->damaged) || h->state == ST_LENGTH;
	put_slab(c->a, h);
	if (element)
		emit(c, (struct span){NULL, 0}, GRPC_CUT, false);
	if (in_message(h))
		h->state = ST_PASS;
}

static void
unsync(struct ctx *c)
{
	cut(c);
	c->h->state = ST_UNSYNCED;
	c->h->trusted = false;
}

static void
message_end(struct ctx *c)
{
	struct grpc_half *h = c->h;
	bool walked = h->state != ST_PASS;
	if (walked && !walk_is_whole(h)) {
		c->a->counts[GRPC_N_BAD_MESSAGE] += !h->damaged;
		put_slab(c->a, h);
	} else if (walked) {
		c->a->counts[GRPC_N_MESSAGES] += !h->damaged;
		h->trusted = true;
		h->resync = false;
	}
	h->state = ST_FLAG;
}

/* Whose messages are read. */
static bool
is_read(const struct ctx *c)
{
	const struct h2_stream *s = &c->g->h2.streams[c->index];
	if (s->path < HPACK_PATH_FIRST)
		return s->path != HPACK_PATH_OTHER;
	const struct grpc_method *m = &c->a->methods[s->path - HPACK_PATH_FIRST];
	return h2_client(&c->g->h2) == (int)c->dir ? m->client : m->server;
}

static void
message_begin(struct ctx *c)
{
	struct grpc_half *h = c->h;
	h->have = 0;
	h->left = h->value;
	h->damaged = false;
	walk_begin(h);
	if (!is_read(c)) {
		h->state = ST_PASS;
	} else if (h->left > GRPC_MESSAGE_MAX || (h->compressed && h->left > GRPC_ELEMENT_MAX)) {
		c->a->counts[GRPC_N_OVERSIZE]++;
		h->state = ST_PASS;
	} else if (h->compressed) {
		h->state = ST_COMPRESSED;
	}
	if (h->left == 0)
		message_end(c);
}

/* Bytes of the message under way; how many. */
static uint32_t
message_bytes(struct ctx *c, const uint8_t *p, uint32_t n)
{
	struct grpc_half *h = c->h;
	n = n < h->left ? n : h->left;
	if (h->state == ST_COMPRESSED) {
		collect(c, p, n);
	} else if (h->state != ST_PASS && !walk(c, p, n, h->left)) {
		c->a->counts[GRPC_N_BAD_MESSAGE] += !h->damaged;
		put_slab(c->a, h);
		h->state = ST_PASS;
	}
	h->left -= n;
	if (h->left == 0)
		message_end(c);
	return n;
}

/* The prefix, a flag and a length, which begins a message. Returns how many bytes. */
static uint32_t
prefix_bytes(struct ctx *c, const uint8_t *p, uint32_t n)
{
	struct grpc_half *h = c->h;
	uint32_t at = 0;
	if (h->state == ST_FLAG) {
		h->compressed = p[at++] & 1;
		h->state = ST_LENGTH;
		h->value = 0;
		h->shift = 0;
	}
	for (; at < n && h->shift < 4; h->shift++)
		h->value = h->value << 8 | p[at++];
	if (h->shift == 4)
		message_begin(c);
	return at;
}

/* A message of `len` bytes and this first byte is one with transactions. */
static bool
is_likely(bool compressed, uint32_t len, uint8_t first)
{
	if (len < 2 || len > GRPC_MESSAGE_MAX)
		return false;
	return compressed ? first == 0x1f || (first & 0x8f) == 8 : first == 0x0a;
}

/* A message is taken up. */
static void
resync(struct ctx *c)
{
	c->a->counts[GRPC_N_RESYNCS]++;
	c->h->resync = true;
	message_begin(c);
}

/* Bytes of a prefix that may be one, and of the first behind it. Returns how many. */
static uint32_t
maybe_bytes(struct ctx *c, const uint8_t *p, uint32_t n)
{
	struct grpc_half *h = c->h;
	uint32_t at = 0;
	for (; at < n && h->shift < PREFIX; h->shift++, at++) {
		if (h->shift == 0 && p[at] > 1) {
			h->state = ST_UNSYNCED;
			return n;
		}
		h->compressed = h->shift == 0 ? p[at] : h->compressed;
		h->value = h->value << 8 | p[at];
	}
	if (at == n)
		return n;
	if (is_likely(h->compressed, h->value, p[at]))
		resync(c);
	else
		h->state = ST_UNSYNCED;
	return at;
}

/* The same for a DATA frame that begins with [p, p + n), where a message is under way that is not trusted. */
static bool
begins_message(const uint8_t *p, uint32_t n)
{
	if (n <= PREFIX || p[0] > 1)
		return false;
	uint32_t len = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	return is_likely(p[0], len, p[5]);
}

static void
data_begins(struct ctx *c, struct span in)
{
	struct grpc_half *h = c->h;
	if (in_message(h) && !h->trusted && begins_message(in.p, in.len))
		unsync(c);
	if (h->state != ST_UNSYNCED && h->state != ST_MAYBE)
		return;
	h->state = ST_MAYBE;
	h->value = 0;
	h->shift = 0;
}

/* Content of a DATA frame. */
static void
take_data(struct ctx *c, struct span in, bool first)
{
	struct grpc_half *h = c->h;
	if (h->state == ST_BODY) {
		body_bytes(c, (struct grpc_body){.bytes = in});
		return;
	}
	if (first && begins_body(c, in.p[0])) {
		body_begin(c, in);
		return;
	}
	if (h->state == ST_FRESH) {
		h->trusted = c->g->h2.streams[c->index].headers >> c->dir & 1;
		h->state = h->trusted ? ST_FLAG : ST_UNSYNCED;
	}
	if (first)
		data_begins(c, in);
	for (uint32_t at = 0; at < in.len && h->state != ST_UNSYNCED;) {
		if (in_message(h))
			at += message_bytes(c, in.p + at, in.len - at);
		else if (h->state == ST_MAYBE)
			at += maybe_bytes(c, in.p + at, in.len - at);
		else
			at += prefix_bytes(c, in.p + at, in.len - at);
	}
}

/* ---- the connection ---- */

static struct ctx
place(struct grpc *g, struct grpc_arena *a, unsigned dir, unsigned index, uint32_t stream)
{
	return (struct ctx){
		.g = g, .a = a, .h = &g->half[index][dir], .dir = dir, .index = index, .stream = stream};
}

static void
half_init(struct ctx *c)
{
	put_slab(c->a, c->h);
	*c->h = (struct grpc_half){.state = ST_FRESH};
}

/* The stream's bytes of this direction are over; whole: its sender has said so. */
static void
half_end(struct grpc *g, struct grpc_arena *a, unsigned dir, unsigned index, uint32_t stream, bool whole)
{
	struct ctx c = place(g, a, dir, index, stream);
	if (whole && c.h->state == ST_BODY)
		body_bytes(&c, (struct grpc_body){.last = true});
	cut(&c);
	half_init(&c);
}

/* A stream has lost its place to a new one: what method its was is forgotten, so it is not said what was cut.
 */
static void
renew(struct grpc *g, struct grpc_arena *a, unsigned index)
{
	if (!g->h2.streams[index].fresh)
		return;
	g->h2.streams[index].fresh = 0;
	for (unsigned dir = 0; dir < 2; dir++) {
		struct ctx c = place(g, a, dir, index, 0);
		body_cut(&c);
		a->counts[GRPC_N_LOST] += in_message(c.h) && c.h->state != ST_PASS && !c.h->damaged;
		half_init(&c);
	}
}

/* All streams of the direction have lost an unknown part. */
static void
unsync_all(struct grpc *g, struct grpc_arena *a, unsigned dir)
{
	for (unsigned i = 0; i < H2_STREAMS; i++) {
		renew(g, a, i);
		struct ctx c = place(g, a, dir, i, g->h2.streams[i].id);
		if (g->half[i][dir].state != ST_UNSYNCED)
			unsync(&c);
	}
}

/* n bytes are missing inside a field's value, whose end is still known: only the element is lost. */
static void
lost_in_field(struct ctx *c, uint32_t n)
{
	struct grpc_half *h = c->h;
	bool read = h->element && !h->dropped;
	c->a->counts[GRPC_N_LOST] += !h->damaged;
	h->dropped = h->damaged = true;
	h->field -= n;
	put_slab(c->a, h);
	if (read)
		emit(c, (struct span){NULL, 0}, GRPC_CUT, false);
	if (h->field == 0)
		field_end(h);
}

static void
lost_data(struct ctx *c, uint32_t n)
{
	struct grpc_half *h = c->h;
	if (!in_message(h) || n > h->left) {
		unsync(c);
		return;
	}
	if (h->state == ST_FIELD && n <= h->field)
		lost_in_field(c, n);
	else
		cut(c);
	h->left -= n;
	if (h->left == 0)
		message_end(c);
}

static void
use_verdict(struct grpc *g, unsigned dir, struct grpc_arena *a, const struct framer_out *o)
{
	const struct h2_last *l = h2_last(&g->h2, dir);
	if (!h2_in_step(&g->h2, dir))
		unsync_all(g, a, dir);
	if (l->index == H2_STREAMS ||
		(o->verdict != FRAMER_MESSAGE && o->verdict != FRAMER_BODY && o->verdict != FRAMER_LOST))
		return;
	renew(g, a, l->index);
	struct ctx c = place(g, a, dir, l->index, l->stream);
	if (o->verdict == FRAMER_BODY && o->body.len > 0)
		take_data(&c, o->body, l->first);
	else if (o->verdict == FRAMER_LOST)
		lost_data(&c, l->gap);
	if (o->last)
		half_end(g, a, dir, l->index, l->stream, !l->reset);
	if (g->h2.streams[l->index].id == 0) /* its place is free: also of what came behind its end */
		half_end(g, a, !dir, l->index, l->stream, false);
}

void
grpc_init(struct grpc *g, bool midstream)
{
	memset(g->half, 0, sizeof g->half);
	h2_init(&g->h2, midstream);
}

uint32_t
grpc_feed(struct grpc *g, unsigned dir, struct grpc_arena *a, struct span in, struct framer_out *out)
{
	bool was_in_step = h2_in_step(&g->h2, dir);
	uint32_t n = h2_feed(&g->h2, dir, &a->h2, in, out);
	if (was_in_step || out->verdict != FRAMER_SKIP)
		use_verdict(g, dir, a, out);
	return n;
}

void
grpc_gap(struct grpc *g, unsigned dir, struct grpc_arena *a, uint64_t n, struct framer_out *out)
{
	h2_gap(&g->h2, dir, &a->h2, n, out);
	use_verdict(g, dir, a, out);
}

void
grpc_end(struct grpc *g, unsigned dir, struct grpc_arena *a, struct framer_out *out)
{
	h2_end(&g->h2, dir, out);
	use_verdict(g, dir, a, out);
}

uint32_t
grpc_held(const struct grpc *g, unsigned dir)
{
	return h2_held(&g->h2, dir);
}

void
grpc_release(struct grpc *g, struct grpc_arena *a)
{
	unsync_all(g, a, 0);
	unsync_all(g, a, 1);
}
