/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/wire/websocket_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define Z150                                                                                                 \
	"01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"89"                                                                                                 \
	"01234567890123456789012345678901234567890123456789"

enum {
	T = 0x81,
	T0 = 0x01,
	B = 0x82,
	B0 = 0x02,
	C = 0x80,
	C0 = 0x00,
	CLOSE = 0x88,
	PING = 0x89,
	PONG = 0x8a
};

struct piece {
	uint8_t first;
	const char *payload;
	unsigned wide; /* length bytes */
	bool odd_mask; /* the mask bit that the direction does not have */
};

struct row {
	const char *what;
	bool rsv1;
	struct piece f[8];
	const char *out; /* with the end of the stream */
};

static const struct row rows[] = {
	{"text", false, {{T, "hello"}, {T, "you"}}, "<T>hello$<T>you$"},
	{"binary", false, {{B, "hello"}}, "<B>hello$"},
	{"empty", false, {{T, ""}, {B, ""}, {T, "x"}}, "<T>$<B>$<T>x$"},
	{"medium", false, {{T, Z150}, {T, "x"}}, "<T>" Z150 "$<T>x$"},
	{"fragments", false, {{T0, "ab"}, {C0, "cd"}, {C, "ef"}, {T, "x"}}, "<T>abcdef$<T>x$"},
	{"empty fragments", false, {{B0, ""}, {C0, ""}, {C0, "x"}, {C, ""}, {T, "y"}}, "<B>x$<T>y$"},
	{"all fragments empty", false, {{T0, ""}, {C, ""}}, "<T>$"},
	{"control frames between", false,
		{{T0, "ab"}, {PING, "p"}, {C0, "cd"}, {PONG, ""}, {PING, "{\"a\":1}"}, {C, "ef"},
			{PONG, "x"}},
		"<T>abcdef$"},
	{"controls alone", false, {{PING, ""}, {PONG, "abc"}, {PING, "x"}}, ""},
	{"a long control", false, {{PING, "12345678901234567890123456789012345678901234567890"}, {T, "x"}},
		"<T>x$"},
	{"lengths that are not minimal", false,
		{{T, "ab", 2}, {B, "", 8}, {T, Z150, 8}, {PING, "x", 2}, {T, "x", 8}},
		"<T>ab$<B>$<T>" Z150 "$<T>x$"},
	{"the other mask bit", false,
		{{T, "ab", 0, true}, {PING, "x", 0, true}, {T0, "c"}, {C, "d", 0, true}}, "<T>ab$<T>cd$"},
	{"close", false, {{T, "ab"}, {CLOSE, "\x03\xe8"}, {T, "x"}}, "<T>ab$"},
	{"close without a code", false, {{CLOSE, ""}, {T, "x"}}, ""},
	{"close inside a message", false, {{T0, "ab"}, {CLOSE, ""}, {C, "x"}}, "<T>ab!end"},
	{"compressed", true, {{T | WS_RSV1, "ab"}, {T, "x"}}, "<Tz>ab$<T>x$"},
	{"compressed fragments", true, {{B0 | WS_RSV1, "ab"}, {PING, "x"}, {C, "cd"}}, "<Bz>abcd$"},
	{"RSV1 where it means nothing", true, {{T0, "ab"}, {PING | WS_RSV1, "x"}, {C | WS_RSV1, "cd"}},
		"<T>abcd$"},
	{"RSV1 that was not agreed on", false, {{T, "x"}, {T | WS_RSV1, "ab"}}, "<T>x$!bad"},
	{"RSV1 of a fragment", false, {{T0, "ab"}, {C | WS_RSV1, "ab"}}, "<T>ab!bad"},
	{"RSV2", true, {{T, "x"}, {T | 0x20, "ab"}}, "<T>x$!bad"},
	{"RSV3", true, {{T, "x"}, {T | 0x10, "ab"}}, "<T>x$!bad"},
	{"opcode 3", false, {{0x83, "ab"}}, "!bad"},
	{"opcode 7", false, {{T, "x"}, {0x87, "ab"}}, "<T>x$!bad"},
	{"opcode 11", false, {{0x8b, "ab"}}, "!bad"},
	{"opcode 15", false, {{0x8f, ""}}, "!bad"},
	{"a continuation of nothing", false, {{C, "ab"}}, "!bad"},
	{"a continuation after the last", false, {{T, "x"}, {C0, "ab"}}, "<T>x$!bad"},
	{"text inside a message", false, {{T0, "x"}, {T, "ab"}}, "<T>x!bad"},
	{"binary inside a message", false, {{B0, "x"}, {B0, "ab"}}, "<B>x!bad"},
	{"a fragmented ping", false, {{0x09, "x"}}, "!bad"},
	{"a ping that is too long", false, {{PING, Z150}}, "!bad"},
	{"the end in a payload", false, {{T, "x"}, {T0, "ab"}}, "<T>x$<T>ab!end"},
};

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static size_t
build(const struct row *row, bool masked, uint8_t *buf)
{
	size_t n = 0;
	for (size_t i = 0; i < 8 && row->f[i].payload != NULL; i++) {
		const struct piece *f = &row->f[i];
		n += ws_frame(buf + n, f->first, f->payload, strlen(f->payload),
			masked != f->odd_mask ? mask : NULL, f->wide);
	}
	return n;
}

static void
finish(struct ws_run *r, const struct row *row, unsigned dir, const struct ws_run *whole)
{
	bool bad = strstr(row->out, "!bad") != NULL; /* what may be picked up behind it depends on the cut */
	ws_run_end(r, dir);
	if (strncmp(ws_run_result(r, dir), row->out, strlen(row->out)) != 0 ||
		(!bad && strcmp(ws_run_result(r, dir), row->out) != 0))
		fail_msg("%s:\n got  %s\n want %s", row->what, ws_run_result(r, dir), row->out);
	if (whole != NULL && !bad && !ws_run_equal(&r->dir[dir], &whole->dir[dir]))
		fail_msg("%s: the sums of bytes depend on the cut", row->what);
}

static void
every_cut(const struct row *row, unsigned dir, bool masked)
{
	uint8_t buf[2048];
	size_t n = build(row, masked, buf);
	enum websocket_client client = masked ? dir : !dir;
	struct ws_run whole, r;
	ws_run_init(&whole, client, row->rsv1, false);
	ws_run_feed(&whole, dir, buf, n);
	finish(&whole, row, dir, NULL);
	ws_run_init(&r, client, row->rsv1, false);
	r.room_len = 1;
	for (size_t i = 0; i < n; i++)
		ws_run_feed(&r, dir, buf + i, 1);
	finish(&r, row, dir, &whole);
	ws_run_free(&r);
	for (size_t a = 0; a < n; a++) {
		for (size_t b = a; b < n; b += 1 + n / 32) {
			ws_run_init(&r, client, row->rsv1, false);
			r.room_len = 1 + (uint32_t)(a % 31);
			ws_run_feed(&r, dir, buf, a);
			ws_run_feed(&r, dir, buf + a, b - a);
			ws_run_feed(&r, dir, buf + b, n - b);
			finish(&r, row, dir, &whole);
			ws_run_free(&r);
		}
	}
	ws_run_free(&whole);
}

static void
every_row_at_every_cut(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned k = 0; k < 4; k++)
			every_cut(&rows[i], k & 1, k >> 1);
	}
}

static void
accounts(void **state)
{
	static const struct row row = {
		"", true, {{T0, "ab"}, {PING, "p"}, {C, "cd"}, {CLOSE, ""}, {T, "12345678"}}};
	uint8_t buf[256];
	size_t n = build(&row, true, buf);
	struct ws_run r;
	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, true, false);
	ws_run_feed(&r, 1, buf, n);
	assert_int_equal(r.dir[1].skipped[FRAMER_SKIP_OPAQUE], 14); /* what follows the close */
	assert_int_equal(r.dir[1].parsed, n - 14);
	assert_int_equal(websocket_client(&r.ws), 1);
	ws_run_end(&r, 1);
	ws_run_feed(&r, 1, buf, n);
	assert_int_equal(r.dir[1].skipped[FRAMER_SKIP_OPAQUE], 14 + n);
	ws_run_free(&r);
}

/* A header that announces n bytes, and `have` of them. */
static void
announced(struct ws_run *r, uint8_t first, uint64_t n, size_t have)
{
	uint8_t head[10] = {first, 127};
	for (unsigned i = 0; i < 8; i++)
		head[2 + i] = (uint8_t)(n >> (8 * (7 - i)));
	ws_run_feed(r, 0, head, sizeof head);
	uint8_t *p = calloc(1, have + 1);
	ws_run_feed(r, 0, p, have);
	free(p);
}

static void
caps(void **state)
{
	static const uint64_t too_long[] = {
		WEBSOCKET_MESSAGE_MAX + 1u, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
	struct ws_run r;
	for (size_t i = 0; i < sizeof too_long / sizeof too_long[0]; i++) {
		ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, false);
		announced(&r, T, too_long[i], 0);
		assert_string_equal(ws_run_result(&r, 0), "!bad");
		assert_false(websocket_in_step(&r.ws, 0));
		ws_run_free(&r);
	}
	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, false);
	announced(&r, T, WEBSOCKET_MESSAGE_MAX, 3);
	assert_int_equal(r.dir[0].log_len, 6);
	ws_run_end(&r, 0);
	ws_run_free(&r);

	/* a message over the cap is passed over by length, fragment by fragment, and costs no other */
	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, false);
	announced(&r, B0, WEBSOCKET_MESSAGE_MAX - 1, 0);
	ws_run_gap(&r, 0, WEBSOCKET_MESSAGE_MAX - 1);
	announced(&r, C0, 2, 2);
	announced(&r, C, 1, 1);
	announced(&r, T, 1, 1);
	ws_run_end(&r, 0);
	assert_memory_equal(ws_run_result(&r, 0), "<B>!gap<T>\0$", 13);
	ws_run_free(&r);

	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, false);
	uint8_t *some = calloc(1, 1 << 20);
	announced(&r, B0, 1 << 20, 0);
	for (unsigned i = 0; i < 255; i++) {
		ws_run_feed(&r, 0, some, 1 << 20);
		r.dir[0].log_len = 3;
		announced(&r, C0, 1 << 20, 0);
	}
	ws_run_feed(&r, 0, some, 1 << 20);
	r.dir[0].log_len = 3;
	announced(&r, C0, 1, 1);
	announced(&r, C, 5, 5);
	announced(&r, T, 1, 1);
	assert_memory_equal(ws_run_result(&r, 0), "<B>!bad<T>\0$", 13);
	assert_int_equal(r.dir[0].skipped[FRAMER_SKIP_LOST], 1 + 10 + 5);
	free(some);
	ws_run_free(&r);
}

static void
unmask(void **state)
{
	uint8_t in[300], out[301];
	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 7 + 1);
	for (uint32_t off = 0; off < 9; off++) {
		for (uint32_t n = 0; n + off <= 200; n++) {
			memset(out, 0xee, sizeof out);
			websocket_unmask(out, in + off, n, mask);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(out[i], in[off + i] ^ mask[i & 3]);
			assert_int_equal(out[n], 0xee);
		}
	}
	memcpy(out, in, sizeof in);
	websocket_unmask(out + 1, out + 1, 200, mask);
	websocket_unmask(out + 1, out + 1, 200, mask);
	assert_memory_equal(out, in, sizeof in);
}

/* The first bytes of a client's frame, which no HTTP begins with. */
static void
offered(void **state)
{
	static const struct {
		uint8_t p[2];
		uint32_t n;
		bool is;
	} row[] = {{{0x81, 0x80}, 2, true}, {{0x81}, 1, true}, {{0x81, 0x05}, 2, false}, {{0xc2, 0xfe}, 2, true}, {{0x01, 0x81}, 2, true},
		{{0x89, 0x80}, 2, true}, {{0x09, 0x80}, 2, false}, {{0x80, 0x80}, 2, false}, {{0xa1, 0x80}, 2, false}, {{'A', 0x80}, 2, false},
		{{'G', 'E'}, 2, false}, {{'\r', '\n'}, 2, false}, {{0x83, 0x80}, 2, false}};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++)
		assert_int_equal(websocket_offered((struct span){row[i].p, row[i].n}), row[i].is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_at_every_cut),
		cmocka_unit_test(accounts),
		cmocka_unit_test(caps),
		cmocka_unit_test(unmask),
		cmocka_unit_test(offered),
	};
	return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
