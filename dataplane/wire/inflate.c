/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/inflate.h"

#include <errno.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define STATE_BYTES 12288u /* zlib 1.2.13 takes 7160 */
#define WINDOW_BYTES 32768u
#define WBITS_RAW (-15)
#define WBITS_ZLIB 15
#define WBITS_GZIP 31

struct inflate_ctx {
	struct inflate_ctx *prev, *next;
	struct inflate_ctx **holder; /* NULL: free */
	int wbits;
	z_stream z;
	_Alignas(64) uint8_t state[STATE_BYTES];
	_Alignas(64) uint8_t window[WINDOW_BYTES];
};

/* ---- the pool ---- */

static void
list_remove(struct inflate_list *l, struct inflate_ctx *c)
{
	*(c->prev ? &c->prev->next : &l->first) = c->next;
	*(c->next ? &c->next->prev : &l->last) = c->prev;
}

static void
list_append(struct inflate_list *l, struct inflate_ctx *c)
{
	c->next = NULL;
	c->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = c;
	l->last = c;
}

static void
list_prepend(struct inflate_list *l, struct inflate_ctx *c)
{
	c->prev = NULL;
	c->next = l->first;
	*(l->first ? &l->first->prev : &l->last) = c;
	l->first = c;
}

/* zlib asks for two things: its state, and, when it first needs one, a window. */
static voidpf
ctx_alloc(voidpf opaque, uInt items, uInt size)
{
	struct inflate_ctx *c = opaque;
	size_t bytes = (size_t)items * size;
	if (bytes == WINDOW_BYTES)
		return c->window;
	return bytes <= STATE_BYTES ? c->state : NULL;
}

static void
ctx_free(voidpf opaque, voidpf p)
{
}

size_t
inflate_pool_bytes(uint32_t n)
{
	return (size_t)n * sizeof(struct inflate_ctx);
}

int
inflate_pool_init(struct inflate_pool *p, void *mem, uint32_t n)
{
	*p = (struct inflate_pool){.ctxs = mem, .n = n};
	if (n == 0)
		return -EINVAL;
	for (uint32_t k = 0; k < n; k++) {
		struct inflate_ctx *c = &p->ctxs[k];
		memset(c, 0, sizeof *c);
		c->wbits = WBITS_RAW;
		c->z.zalloc = ctx_alloc;
		c->z.zfree = ctx_free;
		c->z.opaque = c;
		if (inflateInit2(&c->z, WBITS_RAW) != Z_OK)
			return -ENOMEM;
		list_append(&p->free, c);
	}
	return 0;
}

/* A context without history. */
static void
ctx_get(struct inflate *i, struct inflate_pool *p, int wbits)
{
	struct inflate_ctx *c = p->free.first;
	if (c != NULL) {
		list_remove(&p->free, c);
	} else {
		c = p->used.first;
		*c->holder = NULL;
		p->stolen++;
		list_remove(&p->used, c);
	}
	list_append(&p->used, c);
	c->holder = &i->ctx;
	i->ctx = c;
	inflateReset2(&c->z, wbits);
	c->wbits = wbits;
}

void
inflate_release(struct inflate *i, struct inflate_pool *p)
{
	struct inflate_ctx *c = i->ctx;
	if (c == NULL)
		return;
	list_remove(&p->used, c);
	list_prepend(&p->free, c); /* first to be used again: its lines are warm */
	c->holder = NULL;
	i->ctx = NULL;
}

/* ---- messages ---- */

void
inflate_init(struct inflate *i, enum inflate_kind kind, bool takeover, bool midstream)
{
	*i = (struct inflate){.kind = (uint8_t)kind, .status = INFLATE_BAD};
	i->takeover = kind == INFLATE_MESSAGES && takeover;
	i->hole = i->takeover && midstream;
}

void
inflate_message(struct inflate *i, struct inflate_pool *p, uint32_t limit)
{
	i->status = INFLATE_MORE;
	i->ended = i->draining = false;
	i->tail = 0;
	i->limit = limit;
	i->out_bytes = 0;
	i->in_bytes = 0;
	bool begun = i->begun;
	i->begun = true;
	if (i->ctx == NULL) {
		i->hole |= begun && i->takeover; /* taken away between messages */
		ctx_get(i, p, i->kind == INFLATE_GZIP ? WBITS_GZIP : WBITS_RAW);
		return;
	}
	list_remove(&p->used, i->ctx);
	list_append(&p->used, i->ctx);
	if (!i->takeover)
		inflateReset2(&i->ctx->z, i->ctx->wbits);
}

/* The message is over. What fails breaks the history. */
static enum inflate_status
finish(struct inflate *i, struct inflate_pool *p, enum inflate_status s)
{
	i->status = (uint8_t)s;
	i->draining = false;
	if (i->takeover && s != INFLATE_END)
		i->hole = true;
	if (!i->takeover || s != INFLATE_END)
		inflate_release(i, p);
	return s;
}

void
inflate_cut(struct inflate *i, struct inflate_pool *p)
{
	finish(i, p, INFLATE_BAD);
}

static bool
is_bomb(const struct inflate *i)
{
	return i->kind != INFLATE_MESSAGES && i->out_bytes > INFLATE_RATIO_FREE &&
	       (i->out_bytes - INFLATE_RATIO_FREE) / INFLATE_RATIO_MAX > i->in_bytes;
}

/* Content-Encoding deflate means a zlib stream, but some send it bare: the first byte tells them apart. */
static void
choose_wrapper(struct inflate *i, uint8_t first)
{
	if (i->kind != INFLATE_DEFLATE || i->in_bytes > 0)
		return;
	i->ctx->wbits = (first & 0x8f) == Z_DEFLATED ? WBITS_ZLIB : WBITS_RAW;
	inflateReset2(&i->ctx->z, i->ctx->wbits);
}

static void
stream_end(struct inflate *i)
{
	z_stream *z = &i->ctx->z;
	i->ended = i->kind != INFLATE_GZIP;
	if (i->kind == INFLATE_GZIP)
		inflateReset(z);
	else if (i->kind == INFLATE_MESSAGES)
		inflateResetKeep(z); /* the next message may still refer to this one */
}

/* Between gzip members, or before the first. */
static bool
between_members(const struct inflate *i)
{
	return i->kind == INFLATE_GZIP && i->ctx->z.total_in == 0;
}

/* One run of zlib over [p, p + n). Returns the bytes taken. */
static uint32_t
run(struct inflate *i, const uint8_t *p, uint32_t n, uint8_t *room, uint32_t len, struct span *out, int *rc)
{
	z_stream *z = &i->ctx->z;
	z->next_in = p;
	z->avail_in = n;
	z->next_out = room + out->len;
	z->avail_out = len - out->len;
	*rc = inflate(z, Z_SYNC_FLUSH);
	uint32_t got = len - out->len - z->avail_out, took = n - z->avail_in;
	out->len += got;
	i->out_bytes += got;
	return took;
}

static enum inflate_status
failed(const struct inflate *i, int rc)
{
	const char *msg = i->ctx->z.msg;
	bool far = rc == Z_DATA_ERROR && msg != NULL && strcmp(msg, "invalid distance too far back") == 0;
	return far && i->hole ? INFLATE_OPAQUE : INFLATE_BAD;
}

/* Whether everything that the input said has been written: zlib may keep some back while there is no room. */
static bool
is_dry(const struct inflate *i)
{
	return i->ended || i->ctx->z.avail_out > 0;
}

/* Feeds bytes until they are used up, the room is full, or something is wrong. */
static enum inflate_status
feed_bytes(struct inflate *i, struct span *in, uint8_t *room, uint32_t len, struct span *out)
{
	do {
		int rc;
		if (between_members(i) && (in->len == 0 || (i->in_bytes > 0 && *in->p != 0x1f))) {
			i->ended = in->len > 0;
			return INFLATE_MORE;
		}
		uint32_t n = run(i, in->p, in->len, room, len, out, &rc);
		in->p += n;
		in->len -= n;
		i->in_bytes += n;
		if (i->out_bytes > i->limit || is_bomb(i))
			return INFLATE_LIMIT;
		if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
			return failed(i, rc);
		if (rc == Z_STREAM_END)
			stream_end(i);
		if (!is_dry(i))
			return INFLATE_ROOM;
	} while (in->len > 0 && !i->ended);
	return INFLATE_MORE;
}

/* What the sender took off the end of a message. */
static enum inflate_status
feed_tail(struct inflate *i, uint8_t *room, uint32_t len, struct span *out)
{
	static const uint8_t tail[4] = {0x00, 0x00, 0xff, 0xff};
	struct span rest = {tail + i->tail, 4u - i->tail};
	enum inflate_status s = feed_bytes(i, &rest, room, len, out);
	i->tail = (uint8_t)(4 - rest.len);
	return s;
}

static bool
is_whole(const struct inflate *i)
{
	return i->ended || i->in_bytes == 0 || i->kind == INFLATE_MESSAGES || between_members(i);
}

/* Cuts off what is beyond the limit. */
static void
keep_limit(struct inflate *i, struct span *out)
{
	uint32_t over = i->out_bytes - i->limit;
	if (i->out_bytes > i->limit)
		out->len = out->len > over ? out->len - over : 0;
}

/* Up to the end of the input or the room, and of the message if this is its last. */
static enum inflate_status
feed_step(struct inflate *i, struct span *in, bool last, uint8_t *room, uint32_t len, struct span *out)
{
	enum inflate_status s = i->ended ? INFLATE_MORE : feed_bytes(i, in, room, len, out);
	if (s == INFLATE_MORE && last && i->kind == INFLATE_MESSAGES && !i->ended)
		s = feed_tail(i, room, len, out);
	if (i->ended)
		in->len = 0;
	return s;
}

/* Nobody reads this message any more, but the next one may refer to it. */
static enum inflate_status
drain(struct inflate *i, struct inflate_pool *p, struct span *in, bool last, uint8_t *room, uint32_t len)
{
	enum inflate_status s;
	do {
		struct span unread = {room, 0};
		s = feed_step(i, in, last, room, len, &unread);
	} while (s == INFLATE_ROOM);
	i->status = INFLATE_LIMIT;
	i->draining = !last;
	if (s > INFLATE_END)
		finish(i, p, INFLATE_LIMIT);
	*in = (struct span){in->p + in->len, 0};
	return INFLATE_LIMIT;
}

/* Where history goes on the rest is drained, from the next call on. */
static enum inflate_status
beyond_limit(struct inflate *i, struct inflate_pool *p, struct span *out)
{
	keep_limit(i, out);
	if (!i->takeover)
		return finish(i, p, INFLATE_LIMIT);
	i->draining = true;
	i->limit = INFLATE_MAX_HISTORY;
	return INFLATE_ROOM;
}

enum inflate_status
inflate_feed(struct inflate *i, struct inflate_pool *p, struct span *in, bool last, uint8_t *room,
	uint32_t len, struct span *out)
{
	static const uint8_t nothing[1];
	enum inflate_status s = i->status;
	*out = (struct span){room, 0};
	if (in->p == NULL) /* the end of a message brings no bytes */
		in->p = nothing;
	if (s >= INFLATE_END && !i->draining) {
		*in = (struct span){in->p + in->len, 0};
		return s;
	}
	if (i->ctx == NULL)
		return finish(i, p, i->draining ? INFLATE_LIMIT : INFLATE_STOLEN);
	if (i->draining)
		return drain(i, p, in, last, room, len);
	if (in->len > 0)
		choose_wrapper(i, *in->p);
	s = feed_step(i, in, last, room, len, out);
	if (s == INFLATE_MORE && last)
		s = is_whole(i) ? INFLATE_END : INFLATE_BAD;
	if (s == INFLATE_LIMIT)
		return beyond_limit(i, p, out);
	return s >= INFLATE_END ? finish(i, p, s) : s;
}
