/* SPDX-License-Identifier: BSD-3-Clause */
/* h2 alone: frames, streams, gaps, joining in mid-stream. */
#include "tests/unit/wire/h2_run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void
begin(struct h2_run *r, bool midstream)
{
	h2_run_init(r, midstream);
	r->frames_only = true;
}

static void
expect(const struct bytes *b, bool midstream, const char *want)
{
	struct h2_run r;
	begin(&r, midstream);
	h2_run_feed(&r, 0, b->p, b->n);
	assert_string_equal(h2_run_events(&r, 0), want);
	h2_run_free(&r);
}

static struct bytes
client(void)
{
	struct bytes b = {0};
	add(&b, PREFACE_TEXT, 24);
	add_frame(&b, F_SETTINGS, 0, 0, "\0\1\0\0\x10\0\0\4\0\0\xff\xff", 12);
	return b;
}

/* A session with everything in it. */
static struct bytes
session(void)
{
	struct bytes b = client();
	uint8_t block[64], padded[80] = {3};
	size_t n = path_block(block, "/txpool.Txpool/Add");
	add_request(&b, 1, "/txpool.Txpool/OnAdd");
	add_frame(&b, F_DATA, 1, 1, "first", 5);
	memcpy(padded + 6, block, n);
	add_frame(&b, F_HEADERS, 8 | 32, 3, padded, n + 9); /* padded, with a priority, goes on */
	add_frame(&b, F_CONTINUATION, 0, 3, "", 0);
	add_frame(&b, F_CONTINUATION, 4, 3, "\x82", 1);
	add_frame(&b, F_PING, 0, 0, "12345678", 8);
	add_frame(&b, F_DATA, 0, 3, "one", 3);
	add_frame(&b, F_DATA, 0, 3, "", 0);
	add_request(&b, 5, "/remote.KV/Tx");
	add_frame(&b, F_DATA, 8, 3, "\4two....", 8);
	add_frame(&b, F_DATA, 8, 3, "\2..", 3);
	add_frame(&b, F_WINDOW, 0, 3, "\0\0\1\0", 4);
	add_frame(&b, F_PRIORITY, 0, 7, "12345", 5);
	add_frame(&b, 0xee, 0xff, 0, "unknown", 7);
	add_frame(&b, F_DATA, 0, 5, "other", 5);
	add_frame(&b, F_DATA, 9, 3, "\1x.", 3);
	add_frame(&b, F_PUSH, 4, 5, "\0\0\0\2\x82", 5);
	add_frame(&b, F_RST, 0, 5, "\0\0\0\x8", 4);
	add_frame(&b, F_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0bye", 11);
	add_frame(&b, F_HEADERS, 5, 9, "\x82", 1);
	return b;
}
#define SESSION "H1:3D1:first$H3:4D3:oneH5:2D3:twoD5:otherD3:x$R5$H9:0$"

static void
test_session(void **state)
{
	struct bytes b = session();
	expect(&b, false, SESSION);
	free(b.p);
}

static void
test_every_cut(void **state)
{
	struct bytes b = session();
	struct h2_run whole;
	begin(&whole, false);
	h2_run_feed(&whole, 0, b.p, b.n);
	assert_int_equal(whole.dir[0].parsed, b.n);
	for (size_t i = 0; i < b.n; i++) {
		for (size_t j = i; j < b.n; j += i % 7 ? 13 : 3) {
			struct h2_run r;
			begin(&r, false);
			h2_run_feed(&r, 0, b.p, i);
			h2_run_feed(&r, 0, b.p + i, j - i);
			h2_run_feed(&r, 0, b.p + j, b.n - j);
			assert_true(h2_run_equal(&r, &whole));
			h2_run_free(&r);
		}
	}
	struct h2_run bytes;
	begin(&bytes, false);
	for (size_t i = 0; i < b.n; i++)
		h2_run_feed(&bytes, 0, b.p + i, 1);
	assert_true(h2_run_equal(&bytes, &whole));
	h2_run_free(&bytes);
	h2_run_free(&whole);
	free(b.p);
}

/* What ends a connection everywhere is BAD; reading goes on at the next good frames. */
static void
test_bad(void **state)
{
	static const struct {
		uint8_t type, flags, stream, n;
	} bad[] = {
		{F_DATA, 0, 0, 3},
		{F_HEADERS, 4, 0, 3},
		{F_PRIORITY, 0, 0, 5},
		{F_RST, 0, 1, 5},
		{F_RST, 0, 0, 4},
		{F_SETTINGS, 0, 1, 6},
		{F_SETTINGS, 0, 0, 7},
		{F_SETTINGS, 1, 0, 6},
		{F_PING, 0, 0, 7},
		{F_PING, 0, 1, 8},
		{F_GOAWAY, 0, 0, 7},
		{F_WINDOW, 0, 0, 3},
		{F_CONTINUATION, 4, 1, 3},
		{F_PUSH, 4, 1, 3},
		{F_DATA, 8, 1, 0},
		{F_HEADERS, 32, 1, 4},
		{F_HEADERS, 40, 1, 5},
		{F_DATA, 8, 1, 3},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct bytes b = client();
		struct h2_run r;
		begin(&r, false);
		add_frame(&b, bad[i].type, bad[i].flags, bad[i].stream, "\x03\x82\x82\x82\x82\x82\x82",
			bad[i].n);
		h2_run_feed(&r, 0, b.p, b.n);
		assert_memory_equal(h2_run_events(&r, 0), "!1:0", 4);
		assert_int_equal(r.a.h2.counts[H2_N_BAD_FRAME], 1);
		b.n = 0;
		add_request(&b, 7, "/txpool.Txpool/Add");
		add_frame(&b, F_DATA, 1, 7, "again", 5);
		h2_run_feed(&r, 0, b.p, b.n);
		assert_non_null(strstr(h2_run_events(&r, 0), "H7:4D7:again$"));
		h2_run_free(&r);
		free(b.p);
	}
}

/* Only CONTINUATION of the same stream may stand inside a header block. */
static void
test_block_interrupted(void **state)
{
	struct bytes b = client();
	add_frame(&b, F_HEADERS, 0, 1, "\x82", 1);
	add_frame(&b, F_DATA, 0, 1, "no", 2);
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_memory_equal(h2_run_events(&r, 0), "!1:0", 4);
	h2_run_free(&r);
	b.n = 0;
	add(&b, PREFACE_TEXT, 24);
	add_frame(&b, F_HEADERS, 0, 1, "\x82", 1);
	add_frame(&b, F_CONTINUATION, 4, 3, "\x82", 1);
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.a.h2.counts[H2_N_BAD_FRAME], 1);
	h2_run_free(&r);
	free(b.p);
}

static void
test_bad_headers(void **state)
{
	struct bytes b = client();
	add_frame(&b, F_HEADERS, 4, 1, "\x80", 1); /* index 0 */
	add_frame(&b, F_DATA, 0, 1, "data", 4);
	add_request(&b, 3, "/txpool.Txpool/Add");
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_events(&r, 0), "H1:0D1:dataH3:4");
	assert_int_equal(r.a.h2.counts[H2_N_BAD_HEADERS], 1);
	h2_run_free(&r);
	free(b.p);
}

/* Floods cost their bytes and nothing else. */
static void
test_floods(void **state)
{
	struct bytes b = client();
	for (unsigned i = 0; i < 20000; i++)
		add_frame(&b, F_DATA, 0, 1, "", 0);
	add_frame(&b, F_HEADERS, 0, 3, "\x82", 1);
	for (unsigned i = 0; i < 20000; i++)
		add_frame(&b, F_CONTINUATION, 0, 3, "\x82\x83", i % 3);
	add_frame(&b, F_CONTINUATION, 4, 3, "\x04\x12/txpool.Txpool/Add", 20);
	for (unsigned i = 0; i < 70000; i++)
		add_frame(&b, F_DATA, 0, 5 + 2 * i, "x", 1);
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(strncmp(h2_run_events(&r, 0), "H3:4D5:xD7:x", 12), 0);
	assert_int_equal(r.a.h2.counts[H2_N_STREAMS], 70001);
	assert_int_equal(r.a.h2.counts[H2_N_STREAMS_OVER], 70001 - H2_STREAMS);
	assert_int_equal(r.dir[0].parsed, b.n);
	h2_run_free(&r);
	free(b.p);
}

/* A stream that speaks now and then keeps its place, and what its path is. */
static void
test_busy_stream_stays(void **state)
{
	struct bytes b = client();
	add_request(&b, 1, "/txpool.Txpool/OnAdd");
	for (unsigned i = 0; i < 70000; i++) {
		add_frame(&b, F_HEADERS, 4, 3 + 2 * i, "\x82", 1);
		if (i % 30 == 0)
			add_frame(&b, F_DATA, 0, 1, "x", 1);
	}
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	unsigned i = 0;
	while (i < H2_STREAMS && r.g.h2.streams[i].id != 1)
		i++;
	assert_true(i < H2_STREAMS);
	assert_int_equal(r.g.h2.streams[i].path, HPACK_PATH_FIRST);
	h2_run_free(&r);
	free(b.p);
}

/* So does one of a method that we read, however silent, beside streams of others. */
static void
test_named_stream_stays(void **state)
{
	struct bytes b = client();
	add_request(&b, 1, "/txpool.Txpool/OnAdd");
	for (unsigned i = 0; i < 1000; i++)
		add_request(&b, 3 + 2 * i, "/remote.KV/Tx");
	add_frame(&b, F_DATA, 0, 1, "x", 1);
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.g.h2.streams[h2_last(&r.g.h2, 0)->index].path, HPACK_PATH_FIRST);
	/* of its own kind the oldest goes */
	b.n = 0;
	for (unsigned i = 0; i < H2_STREAMS; i++)
		add_request(&b, 5003 + 2 * i, "/txpool.Txpool/Add");
	add_frame(&b, F_DATA, 0, 1, "x", 1);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_int_equal(r.g.h2.streams[h2_last(&r.g.h2, 0)->index].path, HPACK_PATH_NONE);
	h2_run_free(&r);
	free(b.p);
}

/* Who the client is the preface says: a path from the other side, and a forged one behind the true one, say
 * nothing. */
static void
test_forged_paths(void **state)
{
	struct bytes b = client();
	add_request(&b, 1, "/txpool.Txpool/OnAdd");
	add_request(&b, 1, "/remote.KV/Tx");
	struct h2_run r;
	begin(&r, false);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_events(&r, 0), "H1:3H1:3");
	b.n = 0;
	add_frame(&b, F_SETTINGS, 0, 0, "", 0);
	add_request(&b, 3, "/remote.KV/Tx");
	h2_run_feed(&r, 1, b.p, b.n);
	assert_int_equal(h2_client(&r.g.h2), 0);
	assert_string_equal(h2_run_events(&r, 1), "H3:0");
	h2_run_free(&r);
	/* in mid-stream another method is believed when the place is certain */
	begin(&r, true);
	b.n = 0;
	add_request(&b, 1, "/remote.KV/Tx");
	add_request(&b, 3, "/remote.KV/Tx");
	add_request(&b, 5, "/txpool.Txpool/Add");
	h2_run_feed(&r, 0, b.p, b.n);
	assert_string_equal(h2_run_events(&r, 0), "H1:0H3:2H5:4");
	h2_run_free(&r);
	free(b.p);
}

static void
test_gaps(void **state)
{
	struct bytes b = client();
	struct h2_run r;
	begin(&r, false);
	add_request(&b, 1, "/txpool.Txpool/Add");
	add_frame(&b, F_DATA, 0, 1, "0123456789", 10);
	size_t data = b.n;
	add_frame(&b, F_DATA, 1, 1, "end", 3);
	h2_run_feed(&r, 0, b.p, data - 8);
	h2_run_gap(&r, 0, 3);
	assert_int_equal(h2_last(&r.g.h2, 0)->gap, 3);
	h2_run_feed(&r, 0, b.p + data - 5, b.n - data + 5);
	assert_string_equal(h2_run_events(&r, 0), "H1:4D1:01!0:1D1:56789end$");
	h2_run_free(&r);
	free(b.p);
}

/* Gaps of every length at every place: no more is lost than the frames that were touched, once two frames
 * follow. */
static void
test_every_gap(void **state)
{
	struct bytes b = session(), tail = {0};
	add_request(&tail, 11, "/txpool.Txpool/Add");
	add_frame(&tail, F_DATA, 0, 11, "whole", 5);
	add_frame(&tail, F_DATA, 1, 11, "end", 3);
	for (size_t at = 0; at <= b.n; at++) {
		for (size_t gap = 1; gap <= b.n - at; gap += 1 + gap / 5) {
			struct h2_run r;
			begin(&r, false);
			h2_run_feed(&r, 0, b.p, at);
			h2_run_gap(&r, 0, gap);
			h2_run_feed(&r, 0, b.p + at + gap, b.n - at - gap);
			h2_run_feed(&r, 0, tail.p, tail.n);
			const char *found = strstr(h2_run_events(&r, 0), "H11:4D11:wholeend$");
			assert_true(found != NULL);
			h2_run_free(&r);
		}
	}
	free(b.p);
	free(tail.p);
}

/* Joined at every byte of a session. */
static void
test_midstream(void **state)
{
	struct bytes b = session();
	add_request(&b, 11, "/txpool.Txpool/Add");
	add_frame(&b, F_DATA, 1, 11, "whole", 5);
	for (size_t at = 0; at < b.n - 60; at++) {
		struct h2_run r;
		begin(&r, true);
		h2_run_feed(&r, 0, b.p + at, b.n - at);
		assert_non_null(strstr(h2_run_events(&r, 0), "H11:4D11:whole$"));
		assert_int_equal(r.dir[0].lost, 0);
		h2_run_free(&r);
	}
	free(b.p);
}

/* The most hostile cut leaves nothing to confirm a header by: a wrong one may hide H2_PICKUP_MAX bytes, not
 * more. */
static void
test_midstream_bytewise(void **state)
{
	struct bytes b = session();
	static uint8_t filler[1000];
	memset(filler, 'f', sizeof filler);
	size_t n = b.n;
	for (uint32_t i = 0; i < 40; i++)
		add_frame(&b, F_DATA, 0, 13, filler, sizeof filler);
	add_request(&b, 15, "/txpool.Txpool/Add");
	add_frame(&b, F_DATA, 1, 15, "whole", 5);
	for (size_t at = 0; at < n; at += 5) {
		struct h2_run r;
		begin(&r, true);
		for (size_t i = at; i < b.n; i++)
			h2_run_feed(&r, 0, b.p + i, 1);
		static const char want[] = "H15:4D15:whole$";
		const struct h2_text *t = &r.dir[0].events;
		assert_non_null(memmem(t->p, t->n, want, sizeof want - 1));
		h2_run_free(&r);
	}
	free(b.p);
}

/* Call data of contracts is not taken for frames for long. */
static void
test_midstream_noise(void **state)
{
	struct bytes noise = {0}, b = {0};
	uint64_t seed = 88172645463325252u;
	for (unsigned i = 0; i < 40000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		uint8_t word[32] = {0};
		if (seed % 3)
			word[31] = (uint8_t)(seed >> 32);
		else
			memcpy(word + seed % 24, &seed, 8);
		add(&noise, word, 32);
	}
	add_frame(&b, F_WINDOW, 0, 0, "\0\0\1\0", 4);
	add_request(&b, 11, "/txpool.Txpool/Add");
	add_frame(&b, F_DATA, 1, 11, "whole", 5);
	struct h2_run r;
	begin(&r, true);
	for (size_t at = 0; at < noise.n; at += 1448)
		h2_run_feed(&r, 0, noise.p + at, at + 1448 < noise.n ? 1448 : noise.n - at);
	h2_run_feed(&r, 0, b.p, b.n);
	assert_non_null(strstr(h2_run_events(&r, 0), "H11:4D11:whole$"));
	assert_true(r.dir[0].parsed < noise.n / 50);
	h2_run_free(&r);
	free(noise.p);
	free(b.p);
}

static void
test_looks_like(void **state)
{
	struct bytes b = session();
	assert_int_equal(h2_looks_like((struct span){b.p, (uint32_t)b.n}), 1);
	for (uint32_t n = 1; n < 24; n++)
		assert_int_equal(h2_looks_like((struct span){b.p, n}), -1);
	assert_int_equal(h2_looks_like((struct span){NULL, 0}), 0);
	assert_int_equal(h2_looks_like((struct span){b.p + 24, (uint32_t)b.n - 24}), 1);
	assert_int_equal(h2_looks_like((struct span){b.p + 25, (uint32_t)b.n - 25}), 0);
	const char *http = "POST / HTTP/1.1\r\nHost: a\r\n\r\n";
	assert_int_equal(h2_looks_like((struct span){(const uint8_t *)http, 28}), 0);
	assert_int_equal(h2_looks_like((struct span){(const uint8_t *)"PRI * HTTP/1.1\r\n", 16}), 0);
	free(b.p);
}

static void
test_ends(void **state)
{
	struct bytes b = session();
	for (size_t n = 0; n <= b.n; n++) {
		struct h2_run r;
		begin(&r, false);
		h2_run_feed(&r, 0, b.p, n);
		h2_run_end(&r, 0);
		assert_true(r.dir[0].lost <= 1);
		if (n == b.n || n == 0)
			assert_int_equal(r.dir[0].lost, 0);
		h2_run_free(&r);
	}
	free(b.p);
}

/* A server's SETTINGS at the beginning, however few of its bytes have come. */
static void
test_server_begins(void **state)
{
	static const uint8_t settings[] = {0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3};
	for (uint32_t n = 1; n <= sizeof settings; n++)
		assert_true(h2_server_begins((struct span){settings, n}));
	for (unsigned i = 0; i < H2_HEADER; i++) {
		uint8_t other[H2_HEADER];
		memcpy(other, settings, sizeof other);
		other[i] ^= 1;
		assert_false(h2_server_begins((struct span){other, sizeof other}));
		assert_int_equal(h2_server_begins((struct span){other, i + 1}), false);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_block_interrupted),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_busy_stream_stays),
		cmocka_unit_test(test_named_stream_stays),
		cmocka_unit_test(test_forged_paths),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_every_gap),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_midstream_bytewise),
		cmocka_unit_test(test_midstream_noise),
		cmocka_unit_test(test_looks_like),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_server_begins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
