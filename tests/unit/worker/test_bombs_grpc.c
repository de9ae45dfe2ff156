/* SPDX-License-Identifier: BSD-3-Clause */
/* gRPC: messages that grow when they are inflated, lengths that lie, header tables that blow up, frames,
 * groups and streams without end. The next message on the same connection is read, what is said beside is
 * read, and what is held stays within the caps. */
#include "bombs.h"

#include "wire/grpc.h"
#include "worker/worker_private.h"

static uint64_t inflated;
int __real_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush);
int
__wrap_inflate(z_stream *z, int flush)
{
	uInt room = z->avail_out;
	int rc = __real_inflate(z, flush);
	inflated += room - z->avail_out;
	return rc;
}

#define FRAME_MAX 16384u

/* In DATA frames as long as they may be. */
static void
h2_data(struct text *t, uint32_t stream, struct span s)
{
	for (uint32_t k; s.len > 0; s.p += k, s.len -= k) {
		k = s.len < FRAME_MAX ? s.len : FRAME_MAX;
		h2_frame(t, DATA, 0, stream, s.p, k);
	}
}

static void
add_request(struct text *t, uint32_t stream)
{
	static const char path[] = "\x83\x86\x04\x14/txpool.Txpool/OnAdd";
	h2_frame(t, HEADERS, END_HEADERS, stream, path, sizeof path - 1);
}

static void
add_varint(struct text *t, uint64_t v)
{
	for (; v > 127; v >>= 7)
		add_bytes(t, (const uint8_t[]){(uint8_t)(v | 0x80)}, 1);
	add_bytes(t, (const uint8_t[]){(uint8_t)v}, 1);
}

/* A message's prefix that claims `n` bytes, and the message. */
static void
add_message(struct text *t, bool compressed, uint64_t n, const struct text *m)
{
	const uint8_t head[5] = {
		compressed, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	add_bytes(t, head, sizeof head);
	add_bytes(t, m->p, m->n);
}

static void
push(struct scene *s, uint32_t stream, const struct text *message)
{
	struct text t = {0};
	h2_data(&t, stream, text_span(message));
	rig_say(&s->g, &s->f, 1, text_span(&t));
	text_free(&t);
}

/* A fresh transaction in a message of its own, compressed or not. */
static void
pushes_one(struct scene *s, uint32_t stream, bool compressed)
{
	struct text m = {0}, packed = {0}, t = {0};
	struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
	uint64_t before = s->g.c[CTR_TX_SCANNED];
	z_stream z;
	add_varint(&m, 1 << 3 | 2);
	add_varint(&m, tx.len);
	add_bytes(&m, tx.p, tx.len);
	deflater(&z, 31);
	add_deflated(&packed, &z, m.p, m.n, 0, Z_FINISH);
	deflateEnd(&z);
	if (compressed)
		add_message(&t, true, packed.n, &packed);
	else
		add_message(&t, false, m.n, &m);
	push(s, stream, &t);
	assert_int_equal(s->g.c[CTR_TX_SCANNED], before + 1);
	free((void *)(uintptr_t)tx.p);
	text_free(&m);
	text_free(&packed);
	text_free(&t);
}

static void
grpc_scene(struct scene *s)
{
	struct text t = {0};
	scene_begin(s, NULL, true);
	text_add(&t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	h2_frame(&t, SETTINGS, 0, 0, NULL, 0);
	add_request(&t, 1);
	rig_say(&s->g, &s->f, 0, text_span(&t));
	t.n = 0;
	h2_frame(&t, SETTINGS, 0, 0, NULL, 0);
	h2_frame(&t, HEADERS, END_HEADERS, 1, "\x88", 1);
	rig_say(&s->g, &s->f, 1, text_span(&t));
	text_free(&t);
	pushes_one(s, 1, false);
	pushes_one(s, 1, true);
	s->g.unchecked = true;
}

static void
grpc_scene_end(struct scene *s)
{
	assert_int_equal(s->g.c[CTR_H2_RESYNCS], 0);
	pushes_one(s, 1, false);
	pushes_one(s, 1, true);
	scene_end(s);
}

static void
compressed_bombs(void **state)
{
	static const int wbits[] = {31, 15, -15};
	for (unsigned i = 0; i < 3; i++) {
		struct scene s;
		struct text packed = {0}, t = {0};
		z_stream z;
		grpc_scene(&s);
		deflater(&z, wbits[i]);
		add_deflated(&packed, &z, NULL, 100u << 20, 0x0a, Z_FINISH);
		add_message(&t, true, packed.n, &packed);
		deflateEnd(&z);
		uint64_t before =
			s.g.c[CTR_GRPC_OVERSIZE] + s.g.c[CTR_GRPC_BAD_MESSAGE] + s.g.c[CTR_GRPC_OPAQUE];
		inflated = 0;
		push(&s, 1, &t);
		assert_true(inflated <= RLPX_OUT_BYTES + 65536u);
		assert_int_equal(
			s.g.c[CTR_GRPC_OVERSIZE] + s.g.c[CTR_GRPC_BAD_MESSAGE] + s.g.c[CTR_GRPC_OPAQUE],
			before + 1);
		assert_true(wbits[i] != 31 || s.g.c[CTR_GRPC_OVERSIZE] == 1);
		grpc_scene_end(&s);
		text_free(&packed);
		text_free(&t);
	}
}

/* Messages and fields that claim more than there is; what is held for them is no more than came. */
static void
lengths_that_lie(void **state)
{
	static const uint64_t lengths[] = {GRPC_ELEMENT_MAX, GRPC_ELEMENT_MAX + 1, 0x7fffffff, UINT32_MAX,
		(uint64_t)1 << 40, UINT64_MAX};
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct scene s;
		struct text m = {0}, t = {0};
		grpc_scene(&s);
		add_varint(&m, 1 << 3 | 2);
		add_varint(&m, lengths[i]);
		add_fill(&m, "0123456789", 500);
		add_message(&t, false, m.n, &m); /* the message ends inside its field */
		push(&s, 1, &t);
		assert_true(s.g.c[CTR_GRPC_BAD_MESSAGE] >= 1);
		grpc_scene_end(&s);
		text_free(&m);
		text_free(&t);
	}
}

/* One element longer than any: passed over to its end, a buffer's worth of it held at most. */
static void
elements_beyond_buffers(void **state)
{
	struct scene s;
	struct text m = {0}, t = {0};
	grpc_scene(&s);
	s.g.segment = 60000;
	add_varint(&m, 1 << 3 | 2);
	add_varint(&m, GRPC_ELEMENT_MAX + 1);
	add_fill(&m, "\x99", GRPC_ELEMENT_MAX + 1);
	add_message(&t, false, m.n, &m);
	push(&s, 1, &t);
	assert_int_equal(s.g.c[CTR_GRPC_OVERSIZE], 1);
	assert_int_equal(s.g.c[CTR_TX_UNSCANNED_OVERSIZE], 1);
	/* a hundred thousand that are nothing */
	m.n = t.n = 0;
	add_fill(&m, "\x0a\x01\xff", 100000);
	add_message(&t, false, m.n, &m);
	uint64_t crossed = s.g.c[CTR_TX_CROSSED];
	push(&s, 1, &t);
	assert_int_equal(s.g.c[CTR_TX_CROSSED], crossed + 100000);
	/* groups in groups */
	m.n = t.n = 0;
	add_fill(&m, "\x13", 20000);
	add_message(&t, false, m.n, &m);
	uint64_t bad = s.g.c[CTR_GRPC_BAD_MESSAGE];
	push(&s, 1, &t);
	assert_int_equal(s.g.c[CTR_GRPC_BAD_MESSAGE], bad + 1);
	grpc_scene_end(&s);
	text_free(&m);
	text_free(&t);
}

/* One entry of the table said a million times over, and a block that never ends: each costs its bytes. */
static void
headers_that_blow_up(void **state)
{
	struct scene s;
	struct text block = {0}, t = {0};
	grpc_scene(&s);
	add_bytes(&block, "\x40\x01x\x7f\xd1\x1e", 6); /* x, with a value of 4000 bytes */
	add_fill(&block, "v", 4000);
	add_fill(&block, "\xbe", 10000);
	h2_frame(&t, HEADERS, END_HEADERS, 3, block.p, block.n);
	block.n = 0;
	add_fill(&block, "\xbe", FRAME_MAX);
	h2_frame(&t, HEADERS, 0, 5, block.p, block.n);
	for (unsigned i = 0; i < 60; i++)
		h2_frame(&t, CONTINUATION, 0, 5, block.p, block.n);
	h2_frame(&t, CONTINUATION, END_HEADERS, 5, NULL, 0);
	add_request(&t, 7);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_H2_BAD_HEADERS] + s.g.c[CTR_H2_BAD_FRAME], 0);
	pushes_one(&s, 7, false);
	grpc_scene_end(&s);
	text_free(&block);
	text_free(&t);
}

/* More streams than there are places, all of methods that nobody asked for: the one that matters keeps its
 * place. */
static void
streams_without_end(void **state)
{
	static const char other[] = "\x83\x86\x04\x14/txpool.Txpool/Other";
	struct scene s;
	struct text t = {0};
	grpc_scene(&s);
	for (uint32_t i = 3; i < 40003; i += 2)
		h2_frame(&t, HEADERS, END_HEADERS, i, other, sizeof other - 1);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_true(s.g.c[CTR_H2_STREAMS_OVER] >= 20000 - H2_STREAMS);
	grpc_scene_end(&s);
	text_free(&t);
}

/* Elements that never end, on more streams than there are buffers. */
static void
slow_streams_hold_nothing_of_others(void **state)
{
	struct scene s;
	struct text m = {0}, t = {0};
	enum { STREAMS = 20 };
	scene_begin(&s, NULL, false);
	s.said = 0;
	text_add(&t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	for (uint32_t i = 0; i < STREAMS; i++)
		add_request(&t, 1 + 2 * i);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	t.n = 0;
	h2_frame(&t, SETTINGS, 0, 0, NULL, 0);
	add_varint(&m, 1 << 3 | 2);
	add_varint(&m, 3000);
	add_fill(&m, "\x02", 1000);
	for (uint32_t i = 0; i < STREAMS; i++) {
		struct text begun = {0};
		h2_frame(&t, HEADERS, END_HEADERS, 1 + 2 * i, "\x88", 1);
		add_message(&begun, false, 3003, &m);
		h2_data(&t, 1 + 2 * i, text_span(&begun));
		text_free(&begun);
	}
	rig_say(&s.g, &s.f, 1, text_span(&t));
	worker_housekeep(s.g.w, s.g.now_ns);
	assert_int_equal(s.g.c[CTR_SLABS_STOLEN], STREAMS - s.g.config.slabs[0]);
	m.n = t.n = 0;
	add_fill(&m, "\x02", 2000);
	h2_data(&t, 1, text_span(&m));
	rig_say(&s.g, &s.f, 1, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_UNSCANNED_NO_BUFFER], 1);
	pushes_one(&s, 1, false);
	s.g.segment = 100;
	pushes_one(&s, 1, true);
	scene_end(&s);
	text_free(&m);
	text_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed_bombs),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(elements_beyond_buffers),
		cmocka_unit_test(headers_that_blow_up),
		cmocka_unit_test(streams_without_end),
		cmocka_unit_test(slow_streams_hold_nothing_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
