/* SPDX-License-Identifier: BSD-3-Clause */
/* Holes at every place of a stream, and joining it at every place: which messages must come out all the same.
 */
#include "tests/unit/wire/websocket_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MAX_FRAMES 64

struct stream {
	uint8_t bytes[8192];
	size_t n;
	unsigned frames;
	struct {
		size_t begin, payload, end;
		int message; /* -1: a control frame */
	} f[MAX_FRAMES];
	unsigned messages;
	struct {
		size_t begin, end;
		bool whole; /* in one frame */
		char text[256];
	} m[MAX_FRAMES];
};

static void
add_frame(struct stream *s, uint8_t first, const void *p, size_t n, bool masked, int message)
{
	uint8_t mask[4] = {(uint8_t)(s->n * 37), (uint8_t)(s->frames * 91 + 3), 0x5c, (uint8_t)(s->n ^ 0xa5)};
	size_t begin = s->n;
	s->n += ws_frame(s->bytes + begin, first, p, n, masked ? mask : NULL, 0);
	s->f[s->frames].begin = begin;
	s->f[s->frames].payload = s->n - n;
	s->f[s->frames].end = s->n;
	s->f[s->frames++].message = message;
}

/* Messages of several lengths, some in fragments, control frames everywhere. */
static void
build(struct stream *s, bool masked, bool fragments)
{
	memset(s, 0, sizeof *s);
	for (unsigned i = 0; i < 12; i++) {
		unsigned m = s->messages++;
		int n = snprintf(s->m[m].text, sizeof s->m[m].text,
			"{\"jsonrpc\":\"2.0\",\"id\":%u,\"x\":\"%.*s\"}", 100 + m, (int)(i * i % 150),
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123"
			"456789"
			"abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
		s->m[m].begin = s->n;
		s->m[m].whole = !fragments || i % 3 != 1;
		if (s->m[m].whole) {
			add_frame(s, 0x81, s->m[m].text, (size_t)n, masked, (int)m);
		} else {
			add_frame(s, 0x01, s->m[m].text, 10, masked, (int)m);
			add_frame(s, 0x89, "ping", 4, masked, -1);
			add_frame(s, 0x00, s->m[m].text + 10, 5, masked, (int)m);
			add_frame(s, 0x80, s->m[m].text + 15, (size_t)n - 15, masked, (int)m);
		}
		s->m[m].end = s->n;
		if (fragments && i % 4 == 2)
			add_frame(s, 0x8a, "", 0, masked, -1);
	}
}

static void
feed_range(struct ws_run *r, const struct stream *s, size_t from, size_t to, bool by_frame)
{
	for (unsigned i = 0; by_frame && i < s->frames; i++) {
		size_t a = s->f[i].begin < from ? from : s->f[i].begin,
		       b = s->f[i].end > to ? to : s->f[i].end;
		if (a < b)
			ws_run_feed(r, 0, s->bytes + a, b - a);
	}
	if (!by_frame && from < to)
		ws_run_feed(r, 0, s->bytes + from, to - from);
}

static bool
came_out(const struct ws_run *r, const struct stream *s, unsigned m)
{
	char want[300];
	snprintf(want, sizeof want, ">%s$", s->m[m].text);
	return strstr(ws_run_result(r, 0), want) != NULL;
}

static bool
inside_payload(const struct stream *s, size_t from, size_t to)
{
	for (unsigned i = 0; i < s->frames; i++) {
		if (from >= s->f[i].payload && to <= s->f[i].end)
			return true;
	}
	return false;
}

static void
check(const struct ws_run *r, const struct stream *s, size_t from, size_t to, bool by_frame)
{
	bool known = from > 0 && inside_payload(s, from, to);
	for (unsigned m = 0; m < s->messages; m++) {
		bool damaged = s->m[m].begin < to && s->m[m].end > from;
		if (known && damaged) { /* a control frame between its fragments takes the blow for it */
			damaged = false;
			for (unsigned i = 0; i < s->frames; i++)
				damaged |=
					s->f[i].message == (int)m && s->f[i].begin < to && s->f[i].end > from;
		}
		bool must = !damaged && (s->m[m].end <= from || known || by_frame || s->m[m].whole);
		if (must && !came_out(r, s, m))
			fail_msg("[%zu, %zu): message %u is missing: %s", from, to, m, ws_run_result(r, 0));
		if (damaged && came_out(r, s, m))
			fail_msg("[%zu, %zu): message %u cannot be whole", from, to, m);
	}
	assert_true(r->dir[0].pickups <= 2);
}

static void
holes(bool masked, bool fragments, bool by_frame)
{
	static const size_t lengths[] = {1, 2, 3, 5, 6, 7, 14, 40, 150, 400};
	static struct stream s;
	build(&s, masked, fragments);
	for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
		for (size_t at = 0; at + lengths[k] < s.n; at++) {
			struct ws_run r;
			size_t to = at + lengths[k];
			ws_run_init(&r, !masked, false, false);
			r.room_len = 16;
			feed_range(&r, &s, 0, at, by_frame);
			ws_run_gap(&r, 0, lengths[k]);
			feed_range(&r, &s, to, s.n, by_frame);
			if (inside_payload(&s, at, to))
				assert_true(websocket_in_step(&r.ws, 0));
			ws_run_end(&r, 0);
			check(&r, &s, at, to, by_frame);
			ws_run_free(&r);
		}
	}
}

static void
a_hole_at_every_place(void **state)
{
	for (unsigned k = 0; k < 8; k++)
		holes(k & 1, k & 2, k & 4);
}

static void
joined_at_every_place(void **state)
{
	static struct stream s;
	for (unsigned k = 0; k < 16; k++) {
		bool masked = k & 1, by_frame = k & 4;
		build(&s, masked, k & 2);
		for (size_t at = 1; at < s.n; at++) {
			struct ws_run r;
			ws_run_init(&r, k & 8 ? WEBSOCKET_CLIENT_UNKNOWN : !masked, k & 8, true);
			feed_range(&r, &s, at, s.n, by_frame);
			ws_run_end(&r, 0);
			check(&r, &s, 0, at, by_frame);
			if (at < s.n / 2)
				assert_int_equal(websocket_client(&r.ws), !masked);
			ws_run_free(&r);
		}
	}
}

/* A header in a segment of its own, as soketto writes them. */
static void
headers_on_their_own(void **state)
{
	static struct stream s;
	for (unsigned masked = 0; masked < 2; masked++) {
		build(&s, masked, false);
		struct ws_run r;
		ws_run_init(&r, WEBSOCKET_CLIENT_UNKNOWN, true, true);
		ws_run_feed(&r, 0, s.bytes + 5, s.f[0].end - 5);
		for (unsigned i = 1; i < s.frames; i++) {
			ws_run_feed(&r, 0, s.bytes + s.f[i].begin, s.f[i].payload - s.f[i].begin);
			ws_run_feed(&r, 0, s.bytes + s.f[i].payload, s.f[i].end - s.f[i].payload);
		}
		ws_run_end(&r, 0);
		check(&r, &s, 0, s.f[0].end, true);
		ws_run_free(&r);
	}
}

/* Text that looks like a frame with a huge payload hides what follows only until it shows itself. */
static void
a_false_frame_hides_nothing_for_long(void **state)
{
	static struct stream s;
	static const char fake[] = "xx\x81\x7f\0\0\0\0\1\0\0\0{\"jsonrpc\":\"2.0\",\"method\":\"no\"";
	build(&s, false, false);
	struct ws_run r;
	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, true);
	ws_run_feed(&r, 0, fake, sizeof fake - 1);
	assert_int_equal(r.dir[0].pickups, 1);
	feed_range(&r, &s, 0, s.n, true);
	ws_run_end(&r, 0);
	for (unsigned m = 0; m < s.messages; m++)
		assert_true(came_out(&r, &s, m));
	assert_int_equal(r.dir[0].pickups, 2);
	ws_run_free(&r);
}

static void
nothing_is_found_in_noise(void **state)
{
	static uint8_t noise[1 << 16];
	uint64_t x = 88172645463325252ull;
	struct ws_run r;
	ws_run_init(&r, WEBSOCKET_CLIENT_UNKNOWN, false, true);
	unsigned like = 0;
	for (unsigned k = 0; k < 200; k++) {
		for (size_t i = 0; i < sizeof noise; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			noise[i] = (uint8_t)x;
		}
		for (size_t at = 0; at + 1448 <= sizeof noise; at += 1448) {
			ws_run_feed(&r, 0, noise + at, 1448);
			like += websocket_looks_like((struct span){noise + at, 1448});
		}
	}
	ws_run_end(&r, 0);
	assert_int_equal(like, 0);
	assert_int_equal(r.dir[0].messages, 0);
	ws_run_free(&r);
}

static void
looks_like(void **state)
{
	static const struct {
		const char *in;
		uint32_t n;
		bool want;
	} t[] = {
		{"\x81\x0d{\"jsonrpc\":1}", 15, true},
		{"\x81\x0d{\"jsonrpc\":1}\x89\x00", 17, true},
		{"\x81\x7e\x01\x00{\"jsonrpc\":1,", 17, true},
		{"\x81\x8e\0\0\0\0[{\"sonrpc\":1}", 19, true},
		{"\x81\x0d{\"json", 8, false},
		{"\x81\x0dhello, world!", 15, false},
		{"\x81\x7e\x00\x0d{\"jsonrpc\":1}", 17, false}, /* not minimal */
		{"\xc1\x03xyz\xc1\x02yz\xc1\x01z", 12, true},
		{"\xc1\x03xyz\xc1\x02yz", 9, false},
		{"\xc1\x03xyz\xc1\x01y\x8a\x00\xc1\x05...", 15, true},
		{"\xc1\x03xyz\xc1\x01y\x8a\x00.\x05...", 15, false},
		{"\xc1\x03xyz", 5, false},
		{"GET / HTTP/1.1\r\n\r\n", 18, false},
		{"HTTP/1.1 200 OK\r\n\r\n", 19, false},
		{"{\"jsonrpc\":\"2.0\"}", 17, false},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, false},
		{"\x81", 1, false},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		if (websocket_looks_like((struct span){(const uint8_t *)t[i].in, t[i].n}) != t[i].want)
			fail_msg("row %zu", i);
	}
}

static void
gaps_and_ends_between(void **state)
{
	struct ws_run r;
	ws_run_init(&r, WEBSOCKET_CLIENT_DIR1, false, false);
	ws_run_gap(&r, 0, 0);
	assert_true(websocket_in_step(&r.ws, 0));
	ws_run_gap(&r, 0, 5);
	ws_run_gap(&r, 0, UINT64_MAX);
	assert_string_equal(ws_run_result(&r, 0), "!gap");
	assert_false(websocket_in_step(&r.ws, 0));
	assert_true(websocket_in_step(&r.ws, 1));
	ws_run_feed(&r, 0, "\x81\x7e", 2);
	assert_int_equal(websocket_held(&r.ws, 0), 2);
	ws_run_gap(&r, 0, 1);
	assert_int_equal(r.dir[0].skipped[FRAMER_SKIP_UNSYNCED], 2);
	ws_run_feed(&r, 1, "\x81", 1);
	ws_run_end(&r, 1);
	assert_int_equal(r.dir[1].skipped[FRAMER_SKIP_UNSYNCED], 1);
	ws_run_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_at_every_place),
		cmocka_unit_test(joined_at_every_place),
		cmocka_unit_test(headers_on_their_own),
		cmocka_unit_test(a_false_frame_hides_nothing_for_long),
		cmocka_unit_test(nothing_is_found_in_noise),
		cmocka_unit_test(looks_like),
		cmocka_unit_test(gaps_and_ends_between),
	};
	return cmocka_run_group_tests_name("websocket gaps", tests, NULL, NULL);
}
