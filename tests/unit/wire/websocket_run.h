/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a websocket as a consumer does, checks the framer contract at every call, and writes down what came
 * out as text: <T>hi$   a text message, its payload, its end     <B> binary   <Tz> compressed   <T~> picked
 * up in mid-stream     !gap !bad !end   lost. Also makes frames. */
#ifndef WEBSOCKET_RUN_H
#define WEBSOCKET_RUN_H

#include "wire/websocket.h"

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ws_run_dir {
	uint64_t given, parsed, skipped[3];
	bool in_body, out_of_step;
	unsigned messages, ends, lost, pickups;
	char *log;
	size_t log_len, log_cap;
};

struct ws_run {
	struct websocket ws;
	struct ws_run_dir dir[2];
	uint32_t room_len;
};

static inline void
ws_run_init(struct ws_run *r, enum websocket_client client, bool rsv1, bool midstream)
{
	memset(r, 0, sizeof *r);
	memset(&r->ws, 0xa5, sizeof r->ws);
	r->room_len = 4096;
	websocket_init(&r->ws, client, rsv1, midstream);
}

static inline void
ws_run_free(struct ws_run *r)
{
	free(r->dir[0].log);
	free(r->dir[1].log);
}

static inline void
ws_run_log(struct ws_run_dir *d, const void *p, size_t n)
{
	if (d->log_len + n + 1 > d->log_cap) {
		d->log_cap = 2 * (d->log_len + n + 64);
		d->log = realloc(d->log, d->log_cap);
		assert(d->log != NULL);
	}
	if (n > 0)
		memcpy(d->log + d->log_len, p, n);
	d->log_len += n;
	d->log[d->log_len] = 0;
}

static inline void
ws_run_text(struct ws_run_dir *d, const char *s)
{
	ws_run_log(d, s, strlen(s));
}

static inline const char *
ws_run_result(const struct ws_run *r, unsigned dir)
{
	return r->dir[dir].log ? r->dir[dir].log : "";
}

static inline void
ws_run_last(struct ws_run_dir *d, const struct framer_out *o)
{
	if (!o->last)
		return;
	assert(d->in_body);
	d->in_body = false;
	d->ends++;
	ws_run_text(d, "$");
}

static inline bool
ws_run_within(struct span s, const uint8_t *p, uint32_t n)
{
	return s.p >= p && s.p + s.len <= p + n;
}

/* What every verdict must keep to. */
static inline void
ws_run_out(struct ws_run *r, unsigned dir, struct span in, uint32_t n, const uint8_t *room,
	const struct framer_out *o)
{
	static const char *const lost[] = {"!gap", "!bad", "!end"};
	struct ws_run_dir *d = &r->dir[dir];
	const struct websocket_head *h = websocket_last(&r->ws, dir);
	d->given += n;
	d->parsed += o->parsed;
	d->skipped[o->reason] += o->skipped;
	d->out_of_step |= !websocket_in_step(&r->ws, dir);
	assert(d->parsed + d->skipped[0] + d->skipped[1] + d->skipped[2] + websocket_held(&r->ws, dir) ==
		d->given);
	assert(websocket_held(&r->ws, dir) <= WEBSOCKET_HEADER_MAX);
	assert(!o->last || o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_BODY);
	assert(!o->resync || o->verdict == FRAMER_MESSAGE);
	if (o->body.len > 0) {
		assert(o->verdict == FRAMER_BODY && o->body.len <= o->parsed);
		assert(ws_run_within(o->body, room, room ? r->room_len : 0) ||
			ws_run_within(o->body, in.p, n));
	}
	switch (o->verdict) {
	case FRAMER_MESSAGE:
		assert(!d->in_body);
		d->in_body = true;
		d->messages++;
		d->pickups += o->resync;
		ws_run_text(d, h->binary ? "<B" : "<T");
		ws_run_text(d, h->compressed ? "z" : "");
		ws_run_text(d, o->resync ? "~>" : ">");
		ws_run_last(d, o);
		break;
	case FRAMER_BODY:
		assert(d->in_body);
		ws_run_log(d, o->body.p, o->body.len);
		ws_run_last(d, o);
		break;
	case FRAMER_LOST:
		d->in_body = false;
		d->lost++;
		ws_run_text(d, lost[o->lost]);
		break;
	case FRAMER_MORE:
	case FRAMER_SKIP:
		break;
	default:
		assert(false);
	}
}

/* One span, in memory of its exact size. */
static inline void
ws_run_feed(struct ws_run *r, unsigned dir, const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1), *room = malloc(r->room_len);
	assert(copy != NULL && room != NULL);
	if (len > 0)
		memcpy(copy, p, len);
	struct span in = {copy, (uint32_t)len};
	bool took_none = false;
	while (in.len > 0) {
		struct framer_out o;
		memset(&o, 0xa5, sizeof o);
		r->dir[dir].out_of_step |= !websocket_in_step(&r->ws, dir);
		uint32_t n = websocket_feed(&r->ws, dir, in, (struct websocket_room){room, r->room_len}, &o);
		assert(n <= in.len);
		assert(n > 0 || (!took_none && (o.verdict == FRAMER_LOST || o.verdict == FRAMER_SKIP ||
						       o.verdict == FRAMER_MESSAGE)));
		took_none = n == 0;
		assert(o.verdict != FRAMER_MORE || n == in.len);
		ws_run_out(r, dir, in, n, room, &o);
		in.p += n;
		in.len -= n;
	}
	free(copy);
	free(room);
}

static inline void
ws_run_gap(struct ws_run *r, unsigned dir, uint64_t n)
{
	struct framer_out o;
	memset(&o, 0xa5, sizeof o);
	websocket_gap(&r->ws, dir, n, &o);
	assert(o.verdict == FRAMER_LOST || o.verdict == FRAMER_MORE);
	assert(n == 0 || websocket_held(&r->ws, dir) == 0);
	ws_run_out(r, dir, (struct span){NULL, 0}, 0, NULL, &o);
}

static inline void
ws_run_end(struct ws_run *r, unsigned dir)
{
	struct framer_out o, again;
	memset(&o, 0xa5, sizeof o);
	bool before = r->dir[dir].out_of_step;
	websocket_end(&r->ws, dir, &o);
	ws_run_out(r, dir, (struct span){NULL, 0}, 0, NULL, &o);
	r->dir[dir].out_of_step = before;
	assert(websocket_held(&r->ws, dir) == 0);
	websocket_end(&r->ws, dir, &again);
	assert(again.verdict == FRAMER_MORE && again.parsed + again.skipped == 0);
}

static inline bool
ws_run_equal(const struct ws_run_dir *a, const struct ws_run_dir *b)
{
	return a->log_len == b->log_len && (a->log_len == 0 || memcmp(a->log, b->log, a->log_len) == 0) &&
	       a->given == b->given && a->parsed == b->parsed &&
	       memcmp(a->skipped, b->skipped, sizeof a->skipped) == 0;
}

/* ---- frames ---- */

#define WS_FIN 0x80
#define WS_RSV1 0x40

/* Appends a frame to buf; first: its first byte. mask: NULL for none. wide: length bytes, 0, 2 or 8, at least
 * as many as needed are used. */
static inline size_t
ws_frame(uint8_t *buf, uint8_t first, const void *payload, size_t n, const uint8_t *mask, unsigned wide)
{
	size_t at = 0;
	buf[at++] = first;
	if (n > 65535)
		wide = 8;
	else if (n > 125 && wide < 2)
		wide = 2;
	buf[at++] = (uint8_t)((mask ? 0x80 : 0) | (wide == 8 ? 127 : wide == 2 ? 126 : n));
	for (unsigned i = wide; i > 0; i--)
		buf[at++] = (uint8_t)((uint64_t)n >> (8 * (i - 1)));
	if (mask != NULL) {
		memcpy(buf + at, mask, 4);
		at += 4;
	}
	for (size_t i = 0; i < n; i++)
		buf[at + i] = ((const uint8_t *)payload)[i] ^ (mask ? mask[i & 3] : 0);
	return at + n;
}

#endif
