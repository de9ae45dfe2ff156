/* SPDX-License-Identifier: BSD-3-Clause */
/* grpc: messages across DATA frames of many streams, their protobuf, compression, gaps, slabs and caps. */
#include "tests/unit/wire/h2_run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <zlib.h>

#define ADD "/txpool.Txpool/Add"
#define ON_ADD "/txpool.Txpool/OnAdd"

static struct inflate_pool pool;
static uint8_t unpacked[1 << 20];

static void
begin(struct h2_run *r, bool midstream)
{
	h2_run_init(r, midstream);
	r->a.out = unpacked;
	r->a.out_cap = sizeof unpacked;
	r->a.inflate = &pool;
}

static int
setup(void **state)
{
	void *mem = aligned_alloc(64, (inflate_pool_bytes(2) + 63) & ~(size_t)63);
	return mem == NULL ? -1 : inflate_pool_init(&pool, mem, 2);
}

static int
teardown(void **state)
{
	free(pool.ctxs);
	return 0;
}

static struct bytes
client(void)
{
	struct bytes b = {0};
	add(&b, PREFACE_TEXT, 24);
	add_frame(&b, F_SETTINGS, 0, 0, "", 0);
	return b;
}

/* A message of one element. */
static struct bytes
message(const char *element)
{
	struct bytes m = {0}, b = {0};
	add_field(&m, 1, element, strlen(element));
	add_message(&b, 0, m.p, m.n);
	free(m.p);
	return b;
}

static void
add_data(struct bytes *b, uint32_t stream, unsigned flags, struct bytes data)
{
	add_frame(b, F_DATA, flags, stream, data.p, data.n);
	free(data.p);
}

static struct bytes
zipped(const void *p, size_t n, int wbits)
{
	struct bytes b = {.p = malloc(n + 200), .cap = n + 200};
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p,
		.avail_in = (uInt)n,
		.next_out = b.p,
		.avail_out = (uInt)b.cap};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, wbits, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b.n = z.total_out;
	deflateEnd(&z);
	return b;
}

/* A message whose fields are `body`, as the only message of an Add call; the elements that are read. */
static void
expect_body(const void *body, size_t n, unsigned flag, const char *want, enum grpc_count count)
{
	struct bytes b = client(), m = {0};
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, ADD);
	add_message(&m, flag, body, n);
	add_data(&b, 1, 1, m);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_elements(&r, true), want);
	assert_int_equal(r.a.counts[count], 1);
	struct h2_run bytes;
	begin(&bytes, false);
	for (size_t i = 0; i < b.n; i++)
		h2_run_feed(&bytes, 0, b.p + i, 1);
	assert_true(h2_run_equal(&bytes, &r));
	h2_run_free(&bytes);
	h2_run_free(&r);
	free(b.p);
}
#define EXPECT(body, want, count) expect_body(body, sizeof(body) - 1, 0, want, count)

static void
test_protobuf(void **state)
{
	EXPECT("", "", GRPC_N_MESSAGES);
	EXPECT("\x0a\3one", "1/0 m2 len 3:one\n", GRPC_N_MESSAGES);
	EXPECT("\x0a\0\x0a\1x", "1/0 m2 len 0:\n1/1 m2 len 1:x\n", GRPC_N_MESSAGES);
	/* other fields, other types of field 1 */
	EXPECT("\x12\1a\x08\x96\1\x0a\1x\x09"
	       "12345678\x0d"
	       "1234",
		"1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	/* integers longer than needed */
	EXPECT("\x8a\x80\x80\0\x81\x80\x80\x80\x80\x80\x80\x80\x80\0x", "1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	EXPECT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x0a\1x", "1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	/* what is inside a group is not ours */
	EXPECT("\x1b\x0a\1y\x23\x0a\1z\x24\x1c\x0a\1x", "1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	/* not protobuf: what came before counts */
	EXPECT("\x0a\1x\x0a\5no", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE);
	EXPECT("\x0a\1x\x02", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE); /* field 0 */
	EXPECT("\x0a\1x\x0e", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE); /* type 6 */
	EXPECT("\x0a\1x\x1c", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE); /* end of no group */
	EXPECT("\x0a\1x\x1b", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE); /* group without end */
	EXPECT("\x0a\1x\x0a", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE); /* no length */
	EXPECT("\x0a\1x\x08\x80", "1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE);
	EXPECT("\x0a\1x\x09"
	       "1234567",
		"1/0 m2 len 1:x\n", GRPC_N_BAD_MESSAGE);
	EXPECT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "", GRPC_N_BAD_MESSAGE);
	EXPECT("\x8a\x80\x80\x80\x80\1\1x", "", GRPC_N_BAD_MESSAGE); /* more than 32 bits */
	EXPECT("\x0a\x81\x80\x80\x80\x10x", "", GRPC_N_BAD_MESSAGE);
}

static void
test_nesting_bomb(void **state)
{
	struct bytes m = {0};
	for (unsigned i = 0; i < 200000; i++)
		add_byte(&m, 0x1b);
	expect_body(m.p, m.n, 0, "", GRPC_N_BAD_MESSAGE);
	m.n = 0;
	for (unsigned i = 0; i < GRPC_GROUP_DEPTH_MAX; i++)
		add_byte(&m, 0x1b);
	for (unsigned i = 0; i < GRPC_GROUP_DEPTH_MAX; i++)
		add_byte(&m, 0x1c);
	add(&m, "\x0a\1x", 3);
	expect_body(m.p, m.n, 0, "1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	free(m.p);
}

/* Streams side by side, messages across frames and several in one, padding; both directions. */
static void
make_session(struct bytes *up, struct bytes *down)
{
	struct bytes m = {0}, two = {0}, big = {0};
	static char long_tx[30000];
	memset(long_tx, 'L', sizeof long_tx - 1);
	*up = client();
	add_request(up, 1, ON_ADD);
	add_data(up, 1, 1, message("not read"));
	add_request(up, 3, ADD);
	add_request(up, 5, "/grpc.health.v1.Health/Check");
	add_data(up, 5, 0, message("not read either"));
	m = message("first");
	add_frame(up, F_DATA, 0, 3, m.p, 3);
	add_frame(up, F_DATA, 0, 3, m.p + 3, 5);
	add_data(up, 5, 1, message("nor this"));
	add_frame(up, F_DATA, 1, 3, m.p + 8, m.n - 8);
	free(m.p);
	add_frame(down, F_SETTINGS, 0, 0, "", 0);
	add_frame(down, F_HEADERS, 4, 1, "\x88", 1);
	m = message("alpha");
	two = message("beta");
	add(&m, two.p, two.n);
	add_data(down, 1, 0, m);
	add_frame(down, F_HEADERS, 4, 3, "\x88", 1);
	add_data(down, 3, 0, message("an answer is no transaction"));
	add_frame(down, F_HEADERS, 5, 3, "\x88", 1);
	big = message(long_tx);
	for (size_t at = 0; at < big.n; at += 9000) {
		size_t n = big.n - at < 9000 ? big.n - at : 9000;
		add_frame(down, F_DATA, 0, 1, big.p + at, n);
		add_frame(down, F_PING, 0, 0, "12345678", 8);
	}
	m = (struct bytes){0};
	add_byte(&m, 3);
	add(&m, two.p, two.n);
	add(&m, "pad", 3);
	add_data(down, 1, 8, m);
	add_frame(down, F_HEADERS, 5, 1, "\x88", 1);
	free(big.p);
	free(two.p);
}

static void
test_session(void **state)
{
	struct bytes up = {0}, down = {0};
	struct h2_run whole;
	make_session(&up, &down);
	begin(&whole, false);
	h2_run_feed(&whole, 0, up.p, up.n);
	h2_run_feed(&whole, 1, down.p, down.n);
	assert_string_equal(h2_run_elements(&whole, true), "3/0 m2 len 5:first\n");
	const char *s2c = h2_run_elements(&whole, false);
	assert_memory_equal(s2c, "1/0 m1 len 5:alpha\n1/0 m1 len 4:beta\n1/0 m1 len 29999:LLL", 57);
	assert_non_null(strstr(s2c, "L\n1/0 m1 len 4:beta\n"));
	assert_int_equal(whole.n_elements, 5);
	assert_int_equal(whole.a.counts[GRPC_N_LOST] + whole.a.counts[GRPC_N_BAD_MESSAGE], 0);
	for (size_t i = 1; i < down.n; i += i < 400 ? 1 : 97) {
		struct h2_run r;
		size_t half = i < up.n ? i : up.n;
		begin(&r, false);
		h2_run_feed(&r, 0, up.p, half);
		h2_run_feed(&r, 0, up.p + half, up.n - half);
		h2_run_feed(&r, 1, down.p, i);
		size_t j = i + (i * 7919) % (down.n - i);
		h2_run_feed(&r, 1, down.p + i, j - i);
		h2_run_feed(&r, 1, down.p + j, down.n - j);
		assert_true(h2_run_equal(&r, &whole));
		assert_int_equal(r.n_slabs, 0);
		h2_run_free(&r);
	}
	h2_run_free(&whole);
	free(up.p);
	free(down.p);
}

/* The server's direction alone: no path is known, all are guesses. */
static void
test_one_direction(void **state)
{
	struct bytes up = {0}, down = {0};
	struct h2_run r;
	make_session(&up, &down);
	begin(&r, true);
	h2_run_feed(&r, 0, down.p, down.n);
	const char *got = h2_run_elements(&r, false);
	assert_non_null(strstr(got, "1/0 m0 len 5:alpha\n1/0 m0 len 4:beta\n3/0 m0 len 27:an answer"));
	assert_non_null(strstr(got, "L\n1/0 m0 len 4:beta\n"));
	h2_run_free(&r);
	free(up.p);
	free(down.p);
}

static void
test_compressed(void **state)
{
	static uint8_t body[40000];
	struct bytes plain = {0};
	add_field(&plain, 1, "gzip", 4);
	add_field(&plain, 1, body, sizeof body);
	add_field(&plain, 1, "last", 4);
	for (int wbits = 15; wbits <= 31; wbits += 16) {
		struct bytes z = zipped(plain.p, plain.n, wbits), b = client(), m = {0};
		struct h2_run r;
		begin(&r, false);
		add_request(&b, 1, ADD);
		add_message(&m, 1, z.p, z.n);
		add_data(&b, 1, 0, m);
		add_data(&b, 1, 1, message("plain"));
		for (size_t i = 0; i < b.n; i += 17)
			h2_run_feed(&r, 0, b.p + i, b.n - i < 17 ? b.n - i : 17);
		const char *got = h2_run_elements(&r, true);
		assert_memory_equal(got, "1/0 m2 len 4:gzip\n1/1 m2 len 40000:", 35);
		assert_memory_equal(
			got + strlen(got) + 40000 + 1, "1/2 m2 len 4:last\n1/0 m2 len 5:plain\n", 37);
		assert_int_equal(r.a.counts[GRPC_N_COMPRESSED], 1);
		assert_int_equal(r.a.counts[GRPC_N_MESSAGES], 2);
		z.p[z.n / 2] ^= 0x55;
		expect_body(z.p, z.n - 1, 1, "", GRPC_N_BAD_MESSAGE);
		h2_run_free(&r);
		free(b.p);
		free(z.p);
	}
	expect_body("(\xb5/\xfdzstd", 8, 1, "", GRPC_N_OPAQUE);
	expect_body("", 0, 1, "", GRPC_N_BAD_MESSAGE);
	free(plain.p);
}

/* More than there is room for is not read, and costs the message alone. */
static void
test_compression_bomb(void **state)
{
	size_t n = 40u << 20;
	uint8_t *zeros = calloc(1, n);
	struct bytes z = zipped(zeros, n, 31), b = client(), m = {0};
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, ADD);
	add_message(&m, 1, z.p, z.n);
	add_data(&b, 1, 0, m);
	add_data(&b, 1, 1, message("after"));
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_elements(&r, true), "1/0 m2 len 5:after\n");
	assert_int_equal(r.a.counts[GRPC_N_OVERSIZE], 1);
	h2_run_free(&r);
	free(zeros);
	free(z.p);
	free(b.p);
}

/* Just as much as there is room for is read. */
static void
test_compressed_fits(void **state)
{
	static uint8_t body[1 << 20];
	struct bytes plain = {0};
	add_field(&plain, 2, body, sizeof unpacked - 4 - 3);
	add_field(&plain, 1, "x", 1);
	assert_int_equal(plain.n, sizeof unpacked);
	struct bytes z = zipped(plain.p, plain.n, 31);
	expect_body(z.p, z.n, 1, "1/0 m2 len 1:x\n", GRPC_N_MESSAGES);
	free(z.p);
	add_field(&plain, 1, "y", 1);
	z = zipped(plain.p, plain.n, 31);
	expect_body(z.p, z.n, 1, "", GRPC_N_OVERSIZE);
	free(z.p);
	free(plain.p);
}

static void
test_oversize(void **state)
{
	struct bytes b = client();
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, ADD);
	add_frame(&b, F_DATA, 0, 1, "\0\1\0\0\1", 5); /* a message beyond the cap */
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.a.counts[GRPC_N_OVERSIZE], 1);
	b.n = 0;
	add_request(&b, 3, ADD);
	add_frame(&b, F_DATA, 0, 3, "\0\0\x30\0\0\x0a\xf0\xff\xbf\1xx", 12); /* an element */
	add_request(&b, 5, ADD);
	add_data(&b, 5, 1, message("good"));
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_elements(&r, true), "3/0 m2 len 0 oversize:\n5/0 m2 len 4:good\n");
	assert_int_equal(r.a.counts[GRPC_N_OVERSIZE], 2);
	assert_int_equal(r.n_slabs, 0);
	h2_run_free(&r);
	free(b.p);
}

/* A gap inside a message costs the message; the next of its stream is read. */
static void
test_gap_in_message(void **state)
{
	struct bytes b = client();
	add_request(&b, 1, ADD);
	size_t from = b.n + 9 + 5 + 2;
	add_data(&b, 1, 0, message("0123456789"));
	add_data(&b, 1, 1, message("next"));
	for (size_t at = 0; at < 9; at++) {
		for (size_t n = 1; n <= 10 - at; n++) {
			struct h2_run r;
			begin(&r, false);
			h2_run_feed(&r, 0, b.p, from + at);
			h2_run_gap(&r, 0, n);
			h2_run_feed(&r, 0, b.p + from + at + n, b.n - from - at - n);
			assert_string_equal(
				h2_run_elements(&r, true), "1/0 m2 len 0 cut:\n1/0 m2 len 4:next\n");
			assert_int_equal(r.a.counts[GRPC_N_LOST], 1);
			h2_run_free(&r);
		}
	}
	free(b.p);
}

/* A gap inside one transaction costs that one, not the others of its message. */
static void
test_gap_in_element(void **state)
{
	struct bytes b = client(), m = {0}, framed = {0};
	add_field(&m, 1, "first", 5);
	add_field(&m, 1, "0123456789", 10);
	add_field(&m, 1, "third", 5);
	add_message(&framed, 0, m.p, m.n);
	add_request(&b, 1, ADD);
	size_t from = b.n + 9 + 5 + 7 + 2;
	add_data(&b, 1, 1, framed);
	for (size_t at = 0; at < 10; at++) {
		for (size_t n = 1; n <= 10 - at; n++) {
			struct h2_run r;
			begin(&r, false);
			h2_run_feed(&r, 0, b.p, from + at);
			h2_run_gap(&r, 0, n);
			h2_run_feed(&r, 0, b.p + from + at + n, b.n - from - at - n);
			assert_string_equal(h2_run_elements(&r, true),
				"1/0 m2 len 5:first\n1/1 m2 len 0 cut:\n1/2 m2 len 5:third\n");
			assert_int_equal(r.a.counts[GRPC_N_LOST], 1);
			h2_run_free(&r);
		}
	}
	free(m.p);
	free(b.p);
}

/* Any gap: nothing is reported that was not sent, and what comes behind in streams of its own is read. */
static void
test_every_gap(void **state)
{
	struct bytes b = client(), tail = {0};
	add_request(&b, 1, ADD);
	add_data(&b, 1, 0, message("aaaaaaaaaa"));
	add_data(&b, 1, 0, message("bbbbbbbbbb"));
	add_request(&b, 3, ADD);
	add_data(&b, 3, 1, message("cccccccccc"));
	add_data(&b, 1, 1, message("dddddddddd"));
	add_request(&tail, 5, ADD);
	add_data(&tail, 5, 1, message("eeeeeeeeee"));
	for (size_t at = 0; at <= b.n; at++) {
		for (size_t n = 1; n <= b.n - at; n++) {
			struct h2_run r;
			begin(&r, false);
			h2_run_feed(&r, 0, b.p, at);
			h2_run_gap(&r, 0, n);
			h2_run_feed(&r, 0, b.p + at + n, b.n - at - n);
			h2_run_feed(&r, 0, tail.p, tail.n);
			assert_non_null(strstr(h2_run_elements(&r, true), "5/0 m2 len 10:eeeeeeeeee\n"));
			assert_true(r.n_elements <= 6 && r.n_slabs == 0);
			h2_run_end(&r, 0);
			h2_run_free(&r);
		}
	}
	free(b.p);
	free(tail.p);
}

/* Without a slab, or when it is taken back, a transaction in pieces is reported as such, others are read. */
static void
test_slabs(void **state)
{
	struct bytes b = client();
	add_request(&b, 1, ADD);
	add_data(&b, 1, 0, message("in pieces"));
	size_t cut = b.n - 3;
	add_data(&b, 1, 1, message("whole"));
	struct h2_run r;
	begin(&r, false);
	r.no_slabs = true;
	h2_run_feed(&r, 0, b.p, cut);
	h2_run_feed(&r, 0, b.p + cut, b.n - cut);
	assert_string_equal(h2_run_elements(&r, true), "1/0 m2 len 0 no buffer:\n1/0 m2 len 5:whole\n");
	assert_int_equal(r.a.counts[GRPC_N_NO_BUFFER], 1);
	h2_run_free(&r);
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, cut);
	assert_int_equal(r.n_slabs, 1);
	uint32_t cap;
	uint8_t *mine = NULL;
	r.steal = 1;
	mine = run_slab_get(&r, 10, &cap, &mine);
	h2_run_feed(&r, 0, b.p + cut, b.n - cut);
	assert_string_equal(h2_run_elements(&r, true), "1/0 m2 len 0 no buffer:\n1/0 m2 len 5:whole\n");
	run_slab_put(&r, mine);
	h2_run_free(&r);
	free(b.p);
}

/* A large transaction grows out of its slab; each growth may be the one that takes its own slab away. */
static void
test_slab_grows(void **state)
{
	static char tx[200000];
	struct bytes m = message(memset(tx, 'x', sizeof tx - 1)), b = client();
	add_request(&b, 1, ADD);
	for (size_t at = 0; at < m.n; at += 1000)
		add_frame(&b, F_DATA, at + 1000 >= m.n, 1, m.p + at, m.n - at < 1000 ? m.n - at : 1000);
	for (unsigned steal = 0; steal < 6; steal++) {
		struct h2_run r;
		begin(&r, false);
		r.steal = steal;
		h2_run_feed(&r, 0, b.p, b.n);
		if (steal == 0)
			assert_memory_equal(h2_run_elements(&r, true), "1/0 m2 len 199999:xxx", 21);
		assert_true(r.n_elements == 1 && r.max_slabs <= 2 && r.n_slabs == 0);
		h2_run_free(&r);
	}
	free(m.p);
	free(b.p);
}

/* Streams that never end a message hold no more slabs than there are places. */
static void
test_stream_flood(void **state)
{
	struct bytes b = client(), tail = {0};
	struct h2_run r;
	begin(&r, false);
	for (uint32_t i = 0; i < 1000; i++) {
		add_request(&b, 2 * i + 1, ADD);
		add_frame(&b, F_DATA, 0, 2 * i + 1, "\0\0\0\x20\0\x0a\x40half", 11);
	}
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.max_slabs, H2_STREAMS);
	assert_int_equal(r.a.counts[GRPC_N_LOST], 1000 - H2_STREAMS);
	add_request(&tail, 2001, ADD);
	add_data(&tail, 2001, 1, message("read"));
	h2_run_feed(&r, 0, tail.p, tail.n);
	assert_string_equal(h2_run_elements(&r, true), "2001/0 m2 len 4:read\n");
	h2_run_free(&r);
	free(b.p);
	free(tail.p);
}

static void
test_reset_and_end(void **state)
{
	struct bytes b = client();
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, ADD);
	add_frame(&b, F_DATA, 0, 1, "\0\0\0\x20\0\x0a\x40half", 11);
	add_frame(&b, F_RST, 0, 1, "\0\0\0\x8", 4);
	add_request(&b, 3, ADD);
	add_frame(&b, F_DATA, 1, 3, "\0\0\0\x20\0\x0a\x40half", 11);
	add_request(&b, 5, ADD);
	add_frame(&b, F_DATA, 0, 5, "\0\0\0\x20\0\x0a\x40half", 11);
	h2_run_feed(&r, 0, b.p, b.n);
	h2_run_end(&r, 0);
	assert_string_equal(
		h2_run_elements(&r, true), "1/0 m2 len 0 cut:\n3/0 m2 len 0 cut:\n5/0 m2 len 0 cut:\n");
	assert_int_equal(r.n_slabs, 0);
	assert_int_equal(r.a.counts[GRPC_N_LOST], 3);
	h2_run_free(&r);
	free(b.p);
}

/* What comes behind the end of one side goes with the end of the other, slab and all. */
static void
test_data_behind_end(void **state)
{
	struct bytes b = client(), down = {0};
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, ADD);
	add_data(&b, 1, 1, message("good"));
	add_frame(&b, F_DATA, 0, 1, "\0\0\0\x20\0\x0a\x40half", 11);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.n_slabs, 1);
	add_frame(&down, F_HEADERS, 5, 1, "\x88", 1);
	h2_run_feed(&r, 1, down.p, down.n);
	assert_int_equal(r.n_slabs, 0);
	assert_string_equal(h2_run_elements(&r, true), "1/0 m2 len 4:good\n1/0 m2 len 0 cut:\n");
	h2_run_gap(&r, 0, 100);
	h2_run_free(&r);
	free(b.p);
	free(down.p);
}

/* Joined within a message: the next that begins with a DATA frame is read. */
static void
test_joined_in_message(void **state)
{
	struct bytes b = {0};
	struct h2_run r;
	begin(&r, true);
	add_frame(&b, F_DATA, 0, 1, "the rest of some message", 24);
	add_data(&b, 1, 0, message("one"));
	add_frame(&b, F_DATA, 0, 1, "\0\0\0\x90\0\x0a\x10no message", 17); /* looks like one */
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_elements(&r, false), "1/0 m0 len 3:one\n");
	h2_run_free(&r);
	b.n = 0;
	begin(&r, true);
	add_frame(&b, F_DATA, 0, 1, "\0\0\0\x90\0\x0a\x10no message", 17);
	add_data(&b, 1, 0, message("two"));
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_elements(&r, false), "1/0 m0 len 3:two\n");
	h2_run_free(&r);
	free(b.p);
}

static void
test_size(void **state)
{
	assert_true(sizeof(struct grpc) <= 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protobuf),
		cmocka_unit_test(test_nesting_bomb),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_one_direction),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_compression_bomb),
		cmocka_unit_test(test_compressed_fits),
		cmocka_unit_test(test_oversize),
		cmocka_unit_test(test_gap_in_message),
		cmocka_unit_test(test_gap_in_element),
		cmocka_unit_test(test_every_gap),
		cmocka_unit_test(test_slabs),
		cmocka_unit_test(test_slab_grows),
		cmocka_unit_test(test_stream_flood),
		cmocka_unit_test(test_reset_and_end),
		cmocka_unit_test(test_data_behind_end),
		cmocka_unit_test(test_joined_in_message),
		cmocka_unit_test(test_size),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
