/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives an http1 as a consumer does, checks the framer contract at every call, and writes down what came out
 * as text, so that two ways of feeding the same stream can be compared: <POST len=2>hi$   a message, its
 * body, its end     <GET>$   without a body
 *   <POST encoded=gzip  Content-Encoding   <101 upgrade ws +deflate s c s0 c15>   see run_extensions
 *   <~POST ...        picked up in mid-stream          ^        the rest is another protocol's
 *   !gap !bad !end    lost */
#ifndef HTTP1_RUN_H
#define HTTP1_RUN_H

#include "wire/http1.h"

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_dir {
	uint64_t given, parsed, skipped[3];
	bool in_body, upgraded;
	unsigned messages, ends, lost, pickups;
	char *log;
	size_t log_len, log_cap;
};

struct run {
	struct http1 http;
	struct run_dir dir[2];
	bool lost_first;       /* something was lost */
	size_t log_at_loss[2]; /* what had come out before */
};

static inline void
run_init(struct run *r, bool midstream)
{
	memset(r, 0xa5, sizeof r->http);
	memset(r->dir, 0, sizeof r->dir);
	r->lost_first = false;
	http1_init(&r->http, midstream);
}

static inline void
run_free(struct run *r)
{
	free(r->dir[0].log);
	free(r->dir[1].log);
}

static inline void
run_log(struct run_dir *d, const void *p, size_t n)
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
run_text(struct run_dir *d, const char *s)
{
	run_log(d, s, strlen(s));
}

static inline const char *
run_result(const struct run *r, unsigned dir)
{
	return r->dir[dir].log ? r->dir[dir].log : "";
}

/* +deflate, no takeover by s(erver) or c(lient), bits */
static inline void
run_extensions(struct run_dir *d, const struct http1_extensions *e)
{
	char s[80];
	snprintf(s, sizeof s, " +deflate%s%s s%u c%u", e->server_no_takeover ? " s" : "",
		e->client_no_takeover ? " c" : "", e->server_bits, e->client_bits);
	run_text(d, e->deflate ? s : "");
	run_text(d, e->arbitrum ? " +arbitrum" : "");
	run_text(d, e->other ? " +other" : "");
}

static inline void
run_head(struct run *r, unsigned dir, const struct framer_out *o)
{
	struct run_dir *d = &r->dir[dir];
	const struct http1_head *h = http1_last(&r->http, dir);
	char s[160];
	assert(!d->in_body);
	assert(!(h->has_length && h->chunked));
	if (h->request)
		snprintf(s, sizeof s, "<%s%s", o->resync ? "~" : "", h->post ? "POST" : "REQ");
	else
		snprintf(s, sizeof s, "<%s%u", o->resync ? "~" : "", h->status);
	run_text(d, s);
	snprintf(s, sizeof s, " len=%llu", (unsigned long long)h->content_length);
	run_text(d, h->has_length ? s : "");
	run_text(d, h->chunked ? " chunked" : "");
	run_text(d, h->json ? "" : " notjson");
	static const char *const codings[] = {"", "=gzip", "=deflate", "=br", "=zstd", "=other"};
	assert(h->encoded == (h->coding != HTTP1_IDENTITY));
	run_text(d, h->encoded ? " encoded" : "");
	run_text(d, codings[h->coding]);
	run_text(d, h->upgrade ? " upgrade" : "");
	run_text(d, h->websocket ? " ws" : "");
	run_extensions(d, &h->extensions);
	run_text(d, h->minor == 1 ? ">" : " old>");
	d->messages++;
	d->pickups += o->resync;
	d->in_body = true;
}

static inline void
run_last(struct run_dir *d, const struct framer_out *o)
{
	if (!o->last)
		return;
	assert(d->in_body);
	d->in_body = false;
	d->ends++;
	run_text(d, "$");
}

/* What every verdict must keep to. */
static inline void
run_out(struct run *r, unsigned dir, struct span in, uint32_t n, const struct framer_out *o)
{
	static const char *const lost[] = {"!gap", "!bad", "!end"};
	struct run_dir *d = &r->dir[dir];
	d->given += n;
	d->parsed += o->parsed;
	d->skipped[o->reason] += o->skipped;
	uint64_t skipped = d->skipped[0] + d->skipped[1] + d->skipped[2];
	assert(d->parsed + skipped + http1_held(&r->http, dir) == d->given);
	assert(o->body.len == 0 ||
		(o->verdict == FRAMER_BODY && o->body.p >= in.p && o->body.p + o->body.len <= in.p + n));
	assert(!o->last || o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_BODY ||
		o->verdict == FRAMER_UPGRADE);
	assert(!o->resync || o->verdict == FRAMER_MESSAGE || o->verdict == FRAMER_UPGRADE);
	switch (o->verdict) {
	case FRAMER_UPGRADE:
	case FRAMER_MESSAGE:
		run_head(r, dir, o);
		run_last(d, o);
		if (o->verdict == FRAMER_UPGRADE) {
			assert(!d->upgraded && o->last);
			d->upgraded = true;
			run_text(d, "^");
		}
		break;
	case FRAMER_BODY:
		assert(d->in_body);
		assert(o->body.len <= o->parsed);
		run_log(d, o->body.p, o->body.len);
		run_last(d, o);
		break;
	case FRAMER_LOST:
		if (!r->lost_first) {
			r->lost_first = true;
			r->log_at_loss[0] = r->dir[0].log_len;
			r->log_at_loss[1] = r->dir[1].log_len;
		}
		d->in_body = false;
		d->lost++;
		run_text(d, lost[o->lost]);
		break;
	case FRAMER_MORE:
	case FRAMER_SKIP:
		break;
	}
}

/* One span, in memory of its exact size. */
static inline void
run_feed(struct run *r, unsigned dir, const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, p, len);
	struct span in = {copy, (uint32_t)len};
	bool took_none = false;
	while (in.len > 0) {
		struct framer_out o;
		memset(&o, 0xa5, sizeof o);
		uint32_t n = http1_feed(&r->http, dir, in, &o);
		assert(n <= in.len);
		assert(n > 0 || (!took_none && (o.verdict == FRAMER_LOST || o.verdict == FRAMER_SKIP)));
		took_none = n == 0;
		assert(o.verdict != FRAMER_MORE || n == in.len);
		run_out(r, dir, in, n, &o);
		in.p += n;
		in.len -= n;
	}
	free(copy);
}

static inline void
run_gap(struct run *r, unsigned dir, uint64_t n)
{
	struct framer_out o;
	memset(&o, 0xa5, sizeof o);
	http1_gap(&r->http, dir, n, &o);
	assert(o.verdict == FRAMER_LOST || o.verdict == FRAMER_MORE);
	assert(http1_held(&r->http, dir) == 0);
	run_out(r, dir, (struct span){NULL, 0}, 0, &o);
}

static inline void
run_end(struct run *r, unsigned dir)
{
	struct framer_out o;
	memset(&o, 0xa5, sizeof o);
	http1_end(&r->http, dir, &o);
	run_out(r, dir, (struct span){NULL, 0}, 0, &o);
	assert(http1_held(&r->http, dir) == 0);
	struct framer_out again;
	http1_end(&r->http, dir, &again);
	assert(again.verdict == FRAMER_MORE && again.parsed + again.skipped == 0);
}

static inline bool
run_equal(const struct run_dir *a, const struct run_dir *b)
{
	return a->log_len == b->log_len && (a->log_len == 0 || memcmp(a->log, b->log, a->log_len) == 0) &&
	       a->given == b->given && a->parsed == b->parsed &&
	       memcmp(a->skipped, b->skipped, sizeof a->skipped) == 0;
}

#endif
