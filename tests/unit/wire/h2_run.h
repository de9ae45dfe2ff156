/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives an h2, or a grpc, as a consumer does, checks the framer contract at every call, and writes down what
 * came out, by direction, as text that does not depend on where bodies were cut. Also makes frames. */
#ifndef H2_RUN_H
#define H2_RUN_H

#include "wire/grpc.h"

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct h2_text {
	char *p;
	size_t n, cap;
};

static inline void
h2_text_add(struct h2_text *t, const void *p, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = 2 * (t->n + n + 64);
		t->p = realloc(t->p, t->cap);
		assert(t->p != NULL);
	}
	if (n > 0)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

static inline void
h2_text_say(struct h2_text *t, const char *format, unsigned a, unsigned b)
{
	char line[64];
	int n = snprintf(line, sizeof line, format, a, b);
	h2_text_add(t, line, (size_t)n);
}

static inline bool
h2_text_same(const struct h2_text *a, const struct h2_text *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

struct h2_run_dir {
	uint64_t given, parsed, skipped[3];
	uint32_t last_stream; /* of the last body */
	bool out_of_step;
	unsigned lost;
	struct h2_text events; /* H3:1 a header block of stream 3, path 1; D3: its data follows; $ ends it */
};

/* Slabs: exact mallocs, so that the sanitizer sees an overrun. steal: every n-th get takes one back. */
#define RUN_SLABS 80
struct h2_run {
	struct grpc g;
	struct grpc_arena a;
	struct h2_run_dir dir[2];
	struct h2_text elements[2];
	struct {
		uint8_t *p, **holder;
	} slab[RUN_SLABS];
	struct h2_text bodies; /* B3: bytes of the third one; $ ends it, ! cuts it off */
	unsigned gets, steal, n_elements, n_slabs, max_slabs, n_bodies, bodies_open, last_body;
	bool frames_only; /* h2 alone */
	bool no_slabs;
	void (*on_element)(void *ctx, const struct grpc_element *e);
	void *on_ctx;
};

static inline uint8_t *
run_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct h2_run *r = ctx;
	assert(bytes > 0 && bytes <= GRPC_ELEMENT_MAX);
	r->gets++;
	for (unsigned i = 0; r->steal && r->gets % r->steal == 0 && i < RUN_SLABS; i++) {
		if (r->slab[i].p != NULL) {
			*r->slab[i].holder = NULL;
			free(r->slab[i].p);
			r->slab[i].p = NULL;
			r->n_slabs--;
			break;
		}
	}
	unsigned i = 0;
	while (i < RUN_SLABS && r->slab[i].p != NULL)
		i++;
	if (r->no_slabs || i == RUN_SLABS)
		return NULL;
	r->slab[i].p = malloc(bytes);
	r->slab[i].holder = holder;
	assert(r->slab[i].p != NULL);
	r->n_slabs++;
	r->max_slabs = r->n_slabs > r->max_slabs ? r->n_slabs : r->max_slabs;
	*cap = bytes;
	return r->slab[i].p;
}

static inline void
run_slab_put(void *ctx, uint8_t *slab)
{
	struct h2_run *r = ctx;
	for (unsigned i = 0; i < RUN_SLABS; i++) {
		if (r->slab[i].p != slab)
			continue;
		free(slab);
		r->slab[i].p = NULL;
		r->n_slabs--;
		return;
	}
	assert(!"a slab that was given out");
}

static inline void
run_sink(void *ctx, const struct grpc_element *e)
{
	static const char *const states[] = {"", " oversize", " no buffer", " cut"};
	struct h2_run *r = ctx;
	bool client = e->client == 1;
	struct h2_text *t = &r->elements[client];
	assert(e->method >= -1 && e->method < (int)r->a.h2.paths.n && e->stream != 0);
	assert(e->state == GRPC_OK || e->method >= 0);
	assert(e->state == GRPC_OK || e->bytes.len == 0);
	h2_text_say(t, "%u/%u ", e->stream, e->index);
	h2_text_say(t, "m%u len %u", (unsigned)(e->method + 1), e->bytes.len);
	h2_text_add(t, states[e->state], strlen(states[e->state]));
	h2_text_add(t, ":", 1);
	h2_text_add(t, e->bytes.p, e->bytes.len);
	h2_text_add(t, "\n", 1);
	r->n_elements++;
	if (r->on_element != NULL)
		r->on_element(r->on_ctx, e);
}

static inline bool
run_body(void *ctx, const struct grpc_body *b)
{
	struct h2_run *r = ctx;
	assert(b->first == (*b->reader == 0) && !(b->first && b->cut));
	assert(b->bytes.len > 0 || b->last || b->cut);
	r->bodies_open += b->first;
	if (b->first)
		*b->reader = ++r->n_bodies;
	if (r->last_body != *b->reader)
		h2_text_say(&r->bodies, "B%u:", *b->reader, 0);
	r->last_body = *b->reader;
	h2_text_add(&r->bodies, b->bytes.p, b->bytes.len);
	if (b->last || b->cut)
		h2_text_add(&r->bodies, b->cut ? "!" : "$", 1);
	r->bodies_open -= b->last || b->cut;
	return true;
}

static const char *const run_paths[] = {"txpool.Txpool/OnAdd", "txpool.Txpool/Add"};
static const struct grpc_method run_methods[] = {{false, true}, {true, false}};

static inline void
h2_run_init(struct h2_run *r, bool midstream)
{
	memset(r, 0, sizeof *r);
	memset(&r->g, 0xa5, sizeof r->g);
	r->a.h2.paths = (struct hpack_paths){run_paths, 2};
	r->a.methods = run_methods;
	r->a.sink = run_sink;
	r->a.body = run_body;
	r->a.ctx = r;
	r->a.slab_get = run_slab_get;
	r->a.slab_put = run_slab_put;
	grpc_init(&r->g, midstream);
}

static inline void
h2_run_free(struct h2_run *r)
{
	if (!r->frames_only)
		grpc_release(&r->g, &r->a);
	assert(r->n_slabs == 0 && r->bodies_open == 0);
	free(r->bodies.p);
	for (unsigned dir = 0; dir < 2; dir++) {
		free(r->dir[dir].events.p);
		free(r->elements[dir].p);
	}
}

static inline void
h2_run_note(struct h2_run *r, unsigned dir, const struct framer_out *o)
{
	struct h2_run_dir *d = &r->dir[dir];
	const struct h2_last *l = h2_last(&r->g.h2, dir);
	bool more = o->verdict == FRAMER_BODY && l->stream == d->last_stream;
	if (o->verdict == FRAMER_MESSAGE)
		h2_text_say(
			&d->events, l->reset ? "R%u" : "H%u:%u", l->stream, r->g.h2.streams[l->index].path);
	if (o->verdict == FRAMER_BODY && !more)
		h2_text_say(&d->events, "D%u:", l->stream, 0);
	if (o->verdict == FRAMER_BODY)
		h2_text_add(&d->events, o->body.p, o->body.len);
	if (o->verdict == FRAMER_LOST) {
		d->lost++;
		h2_text_say(&d->events, "!%u:%u", (unsigned)o->lost, l->stream);
	}
	if (o->last)
		h2_text_add(&d->events, "$", 1);
	if (o->verdict != FRAMER_MORE && o->verdict != FRAMER_SKIP)
		d->last_stream = o->verdict == FRAMER_BODY && !o->last ? l->stream : 0;
}

/* What every verdict must keep to. */
static inline void
h2_run_out(struct h2_run *r, unsigned dir, struct span in, uint32_t n, const struct framer_out *o)
{
	struct h2_run_dir *d = &r->dir[dir];
	const struct h2_last *l = h2_last(&r->g.h2, dir);
	d->given += n;
	d->parsed += o->parsed;
	assert(o->reason <= FRAMER_SKIP_LOST);
	d->skipped[o->reason] += o->skipped;
	d->out_of_step |= !h2_in_step(&r->g.h2, dir);
	assert(d->parsed + d->skipped[0] + d->skipped[1] + d->skipped[2] + grpc_held(&r->g, dir) == d->given);
	assert(grpc_held(&r->g, dir) < 24);
	assert(!o->last || o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_BODY ||
		o->verdict == FRAMER_LOST);
	assert(!o->resync || o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_BODY);
	assert(o->body.len == 0 || o->verdict == FRAMER_BODY);
	if (o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_BODY)
		assert(l->stream != 0 && l->index < H2_STREAMS);
	if (o->body.len > 0)
		assert(o->body.len <= o->parsed && o->body.p >= in.p && o->body.p + o->body.len <= in.p + n);
	assert(o->verdict != FRAMER_BODY || o->body.len > 0 || o->last);
	assert(o->verdict != FRAMER_UPGRADE);
	h2_run_note(r, dir, o);
}

static inline void
h2_run_feed_in_place(struct h2_run *r, unsigned dir, const uint8_t *p, size_t len)
{
	struct span in = {p, (uint32_t)len};
	bool took_none = false;
	while (in.len > 0) {
		struct framer_out o;
		memset(&o, 0xa5, sizeof o);
		r->dir[dir].out_of_step |= !h2_in_step(&r->g.h2, dir);
		uint32_t n = r->frames_only ? h2_feed(&r->g.h2, dir, &r->a.h2, in, &o)
					    : grpc_feed(&r->g, dir, &r->a, in, &o);
		assert(n <= in.len);
		assert(n > 0 || (!took_none && (o.verdict == FRAMER_LOST || o.verdict == FRAMER_SKIP)));
		took_none = n == 0;
		assert(o.verdict != FRAMER_MORE || n == in.len);
		h2_run_out(r, dir, in, n, &o);
		in.p += n;
		in.len -= n;
	}
}

/* One span, in memory of its exact size. */
static inline void
h2_run_feed(struct h2_run *r, unsigned dir, const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, p, len);
	h2_run_feed_in_place(r, dir, copy, len);
	free(copy);
}

static inline void
h2_run_gap(struct h2_run *r, unsigned dir, uint64_t n)
{
	struct framer_out o;
	memset(&o, 0xa5, sizeof o);
	if (r->frames_only)
		h2_gap(&r->g.h2, dir, &r->a.h2, n, &o);
	else
		grpc_gap(&r->g, dir, &r->a, n, &o);
	h2_run_out(r, dir, (struct span){NULL, 0}, 0, &o);
}

static inline void
h2_run_end(struct h2_run *r, unsigned dir)
{
	struct framer_out o, again;
	memset(&o, 0xa5, sizeof o);
	bool before = r->dir[dir].out_of_step;
	if (r->frames_only)
		h2_end(&r->g.h2, dir, &o);
	else
		grpc_end(&r->g, dir, &r->a, &o);
	h2_run_out(r, dir, (struct span){NULL, 0}, 0, &o);
	r->dir[dir].out_of_step = before;
	assert(grpc_held(&r->g, dir) == 0);
	h2_end(&r->g.h2, dir, &again);
	assert(again.verdict == FRAMER_MORE && again.parsed + again.skipped == 0);
}

static inline const char *
h2_run_events(const struct h2_run *r, unsigned dir)
{
	return r->dir[dir].events.p ? r->dir[dir].events.p : "";
}

static inline const char *
h2_run_elements(const struct h2_run *r, bool client)
{
	return r->elements[client].p ? r->elements[client].p : "";
}

static inline bool
h2_run_equal(const struct h2_run *a, const struct h2_run *b)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct h2_run_dir *x = &a->dir[dir], *y = &b->dir[dir];
		if (!h2_text_same(&x->events, &y->events) || x->parsed != y->parsed ||
			memcmp(x->skipped, y->skipped, sizeof x->skipped) != 0 ||
			!h2_text_same(&a->elements[dir], &b->elements[dir]))
			return false;
	}
	return h2_text_same(&a->bodies, &b->bodies) && memcmp(a->a.counts, b->a.counts, sizeof a->a.counts) == 0 &&
	       memcmp(a->a.h2.counts, b->a.h2.counts, sizeof a->a.h2.counts) == 0;
}

/* ---- frames ---- */

enum { F_DATA, F_HEADERS, F_PRIORITY, F_RST, F_SETTINGS, F_PUSH, F_PING, F_GOAWAY, F_WINDOW, F_CONTINUATION };

struct bytes {
	uint8_t *p;
	size_t n, cap;
};

static inline void
add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		b->p = realloc(b->p, b->cap);
		assert(b->p != NULL);
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void
add_byte(struct bytes *b, unsigned c)
{
	uint8_t byte = (uint8_t)c;
	add(b, &byte, 1);
}

static inline void
add_frame(struct bytes *b, unsigned type, unsigned flags, uint32_t stream, const void *p, size_t n)
{
	uint8_t h[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type, (uint8_t)flags,
		(uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
	add(b, h, sizeof h);
	add(b, p, n);
}

#define PREFACE_TEXT "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* Literal without indexing, static name :path. */
static inline size_t
path_block(uint8_t *out, const char *path)
{
	size_t n = strlen(path);
	out[0] = 0x04;
	out[1] = (uint8_t)n;
	memcpy(out + 2, path, n);
	return n + 2;
}

static inline void
add_request(struct bytes *b, uint32_t stream, const char *path)
{
	uint8_t block[128];
	add_frame(b, F_HEADERS, 4, stream, block, path_block(block, path));
}

static inline void
add_varint(struct bytes *b, uint64_t v)
{
	for (; v > 127; v >>= 7)
		add_byte(b, (unsigned)v | 0x80u);
	add_byte(b, (unsigned)v);
}

/* Field of bytes. */
static inline void
add_field(struct bytes *b, uint32_t number, const void *p, size_t n)
{
	add_varint(b, (uint64_t)number << 3 | 2);
	add_varint(b, n);
	add(b, p, n);
}

static inline void
add_message(struct bytes *b, unsigned flag, const void *p, size_t n)
{
	uint8_t h[5] = {(uint8_t)flag, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	add(b, h, sizeof h);
	add(b, p, n);
}

#endif
