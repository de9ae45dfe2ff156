/* SPDX-License-Identifier: BSD-3-Clause */
/* bombs: what the tests of hostile sizes share. A scene is a worker with one connection that is attacked and
 * one beside it, on which half of a submission was said before and the rest is said after: it must be read.
 * All that is made of `struct text` grows on the heap. */
#ifndef BOMBS_H
#define BOMBS_H

#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define ZLIB_CONST
#include <zlib.h>

struct scene {
	struct rig g;
	struct rig_flow f, beside;
	struct text other; /* what is said beside, of which `said` bytes were */
	uint32_t said;
	uint64_t nonce; /* the next */
};

__attribute__((unused)) static void
add_bytes(struct text *t, const void *p, size_t n)
{
	if (t->cap - t->n < n + 1) {
		t->cap = t->n + (uint32_t)n + 1 + t->n / 2;
		t->p = realloc(t->p, t->cap);
		assert_non_null(t->p);
	}
	if (n > 0)
		memcpy(t->p + t->n, p, n);
	t->n += (uint32_t)n;
}

__attribute__((unused)) static void
add_fill(struct text *t, const char *what, size_t times)
{
	for (size_t i = 0; i < times; i++)
		add_bytes(t, what, strlen(what));
}

/* A submission that was never said before. */
__attribute__((unused)) static void
add_fresh(struct scene *s, struct text *t)
{
	struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
	text_raw(t, tx);
	free((void *)(uintptr_t)tx.p);
}

/* One in a POST, and its answer. */
__attribute__((unused)) static void
submit(struct scene *s, struct rig_flow *f)
{
	struct text body = {0}, post = {0};
	add_fresh(s, &body);
	text_post(&post, "", &body);
	rig_say(&s->g, f, 0, text_span(&post));
	rig_answer(&s->g, f);
	text_free(&body);
	text_free(&post);
}

/* A submission in what a node pushes. */
__attribute__((unused)) static void
add_pushed(struct scene *s, struct text *t)
{
	struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
	text_add(t, "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":"
		    "\"0x1\",\"result\":\"0x");
	text_hex(t, tx);
	text_add(t, "\"}}");
	free((void *)(uintptr_t)tx.p);
}

__attribute__((unused)) static void
scene_begin(struct scene *s, const struct worker_config *c, bool half)
{
	struct text body = {0};
	memset(s, 0, sizeof *s);
	rig_init(&s->g);
	if (c != NULL)
		s->g.config = *c;
	rig_start(&s->g);
	rig_open(&s->g, &s->beside, 1);
	add_fresh(s, &body);
	text_post(&s->other, "", &body);
	s->said = half ? s->other.n - 100 : 0;
	rig_say(&s->g, &s->beside, 0, (struct span){(uint8_t *)s->other.p, s->said});
	rig_open(&s->g, &s->f, 2);
	text_free(&body);
}

__attribute__((unused)) static struct worker_config
scene_config(void)
{
	struct rig g;
	rig_init(&g);
	return g.config;
}

/* What was said beside is read, and the accounts are in order. */
__attribute__((unused)) static void
scene_end(struct scene *s)
{
	uint64_t before = s->g.c[CTR_TX_SCANNED];
	rig_say(&s->g, &s->beside, 0, (struct span){(uint8_t *)s->other.p + s->said, s->other.n - s->said});
	rig_answer(&s->g, &s->beside);
	assert_int_equal(s->g.c[CTR_TX_SCANNED], before + 1);
	rig_check(&s->g, ID_FRAMES, ID_FINDINGS - 1);
	rig_check(&s->g, ID_NODE, ID_NODE);
	rig_stop(&s->g);
	text_free(&s->other);
}

/* Says text that carries one fresh transaction, which is read. */
__attribute__((unused)) static void
says_one(struct scene *s, struct rig_flow *f, unsigned dir, struct span text)
{
	uint64_t before = s->g.c[CTR_TX_SCANNED];
	rig_say(&s->g, f, dir, text);
	assert_int_equal(s->g.c[CTR_TX_SCANNED], before + 1);
	assert_int_equal(s->g.reports[CROSSING_DUPLICATE], 0);
}

/* A fresh submission on f, which must be in step as HTTP, is read, and the node's answer is. */
__attribute__((unused)) static void
submits_one(struct scene *s, struct rig_flow *f)
{
	struct text body = {0}, post = {0};
	add_fresh(s, &body);
	text_post(&post, "", &body);
	says_one(s, f, 0, text_span(&post));
	rig_answer(&s->g, f);
	text_free(&body);
	text_free(&post);
}

/* ---- WebSocket ---- */

#define WS_TEXT 0x81u
#define WS_PACKED 0xc1u /* RSV1 */

__attribute__((unused)) static void
add_frame(struct text *t, unsigned first, bool masked, struct span payload)
{
	static const uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x88};
	uint8_t head[14] = {(uint8_t)first};
	unsigned n = 2;
	if (payload.len < 126) {
		head[1] = (uint8_t)payload.len;
	} else if (payload.len < 65536) {
		head[1] = 126;
		head[n++] = (uint8_t)(payload.len >> 8);
		head[n++] = (uint8_t)payload.len;
	} else {
		head[1] = 127;
		for (unsigned i = 0; i < 8; i++)
			head[n++] = (uint8_t)((uint64_t)payload.len >> (56 - 8 * i));
	}
	if (masked) {
		head[1] |= 0x80;
		memcpy(head + n, mask, 4);
		n += 4;
	}
	add_bytes(t, head, n);
	add_bytes(t, payload.p, payload.len);
	for (uint32_t i = 0; i < payload.len && masked; i++)
		t->p[t->n - payload.len + i] = (char)(t->p[t->n - payload.len + i] ^ mask[i % 4]);
}

/* extensions: the header that the node agrees with, or "". */
__attribute__((unused)) static void
ws_open(struct rig *g, struct rig_flow *f, unsigned number, const char *extensions)
{
	struct text t = {0};
	rig_open(g, f, number);
	text_add(&t, "GET / HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: "
		     "websocket\r\nSec-WebSocket-Version: 13\r\n"
		     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n");
	rig_say(g, f, 0, text_span(&t));
	t.n = 0;
	text_add(&t,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s\r\n",
		extensions);
	rig_say(g, f, 1, text_span(&t));
	text_free(&t);
}

/* ---- HTTP/2 ---- */

#define H2_PREFACE_TEXT "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS = 4, CONTINUATION = 9, END_STREAM = 1, END_HEADERS = 4, PADDED = 8 };

__attribute__((unused)) static void
h2_frame(struct text *t, unsigned type, unsigned flags, uint32_t stream, const void *p, uint32_t n)
{
	const uint8_t head[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type,
		(uint8_t)flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8),
		(uint8_t)stream};
	add_bytes(t, head, sizeof head);
	add_bytes(t, p, n);
}

/* ---- compression ---- */

/* Appends what deflate makes of n bytes at p, or of n times `fill` if p is NULL. */
__attribute__((unused)) static void
add_deflated(struct text *t, z_stream *z, const void *p, size_t n, int fill, int flush)
{
	static uint8_t same[65536], out[65536];
	memset(same, fill, p == NULL ? sizeof same : 0);
	do {
		size_t k = p == NULL && n > sizeof same ? sizeof same : n;
		z->next_in = p == NULL ? same : p;
		z->avail_in = (uInt)k;
		n -= k;
		do {
			z->next_out = out;
			z->avail_out = sizeof out;
			deflate(z, n > 0 ? Z_NO_FLUSH : flush);
			add_bytes(t, out, sizeof out - z->avail_out);
		} while (z->avail_out == 0);
	} while (n > 0);
}

__attribute__((unused)) static void
deflater(z_stream *z, int wbits)
{
	memset(z, 0, sizeof *z);
	assert_int_equal(deflateInit2(z, 9, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

/* A message of permessage-deflate: what `begin` says, n times `fill`, what `end` says. */
__attribute__((unused)) static void
add_packed_frame(struct text *t, z_stream *z, bool takeover, bool masked, struct span begin, size_t n,
	int fill, struct span end)
{
	struct text packed = {0};
	if (!takeover)
		deflateReset(z);
	add_deflated(&packed, z, begin.p, begin.len, 0, Z_NO_FLUSH);
	add_deflated(&packed, z, NULL, n, fill, Z_NO_FLUSH);
	add_deflated(&packed, z, end.p, end.len, 0, Z_SYNC_FLUSH);
	add_frame(t, WS_PACKED, masked, (struct span){(uint8_t *)packed.p, packed.n - 4});
	text_free(&packed);
}

__attribute__((unused)) static struct span
literal(const char *s)
{
	return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

#endif
