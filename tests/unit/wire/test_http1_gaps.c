/* SPDX-License-Identifier: BSD-3-Clause */
/* Missing bytes, and streams whose beginning was not seen. */
#include "tests/unit/wire/http1_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HEAD(len)                                                                                      \
	"POST / HTTP/1.1\r\nHost: node:8545\r\nContent-Type: application/json\r\nContent-Length: " len \
	"\r\n\r\n"
#define A "{\"id\":\"a\",\"params\":[\"0xaaaa\"]}"
#define B "{\"id\":\"b\",\"params\":[\"0xbbbb\"]}"
#define C "{\"id\":\"c\",\"params\":[\"0xcccc\"]}"
#define CHUNKS(body) \
	"POST / HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" body "\r\n0\r\n\r\n"

struct part {
	size_t from, to; /* of a message in the stream */
	const char *body;
};

/* The bodies that came out whole, one after another, each with its `$`. */
static bool
has_body(const struct run *r, unsigned dir, const char *body)
{
	const char *at = strstr(run_result(r, dir), body);
	return at != NULL && at[-1] == '>' && at[strlen(body)] == '$';
}

/* All of `stream` but [from, to), in segments of `step`; the bytes behind the gap begin one. */
static void
with_gap(struct run *r, unsigned dir, const char *stream, size_t from, size_t to, size_t step)
{
	size_t n = strlen(stream);
	run_init(r, false);
	for (size_t i = 0; i < from; i += step)
		run_feed(r, dir, stream + i, from - i < step ? from - i : step);
	run_gap(r, dir, to - from);
	for (size_t i = to; i < n; i += step)
		run_feed(r, dir, stream + i, n - i < step ? n - i : step);
	run_end(r, dir);
	struct run_dir *d = &r->dir[dir];
	assert_int_equal(d->given, n - (to - from));
	assert_int_equal(d->given, d->parsed + d->skipped[0] + d->skipped[1] + d->skipped[2]);
}

static void
gap_everywhere(const char *stream, const struct part parts[3], size_t step)
{
	size_t n = strlen(stream);
	for (size_t from = 0; from < n; from++) {
		for (size_t to = from + 1; to <= n; to += to - from < 40 ? 1 : 13) {
			struct run r;
			with_gap(&r, 1, stream, from, to, step);
			for (unsigned i = 0; i < 3; i++) {
				bool whole = to <= parts[i].from || from >= parts[i].to;
				if (has_body(&r, 1, parts[i].body) != whole)
					fail_msg("gap %zu-%zu, step %zu, request %u: %s", from, to, step, i,
						run_result(&r, 1));
			}
			assert_true(r.dir[1].lost >= 1);
			run_free(&r);
		}
	}
}

static void
a_gap_costs_only_what_it_hits(void **state)
{
	static const char stream[] = HEAD("30") A HEAD("30") B HEAD("30") C;
	const size_t one = sizeof HEAD("30") A - 1;
	const struct part parts[] = {{0, one, A}, {one, 2 * one, B}, {2 * one, 3 * one, C}};
	_Static_assert(sizeof A == 31, "content length");
	/* The tail of a damaged body and the next head may share a segment. */
	gap_everywhere(stream, parts, 4096);
	gap_everywhere(stream, parts, 37);
}

static void
sum_is(const struct run *r, unsigned dir, uint64_t parsed, uint64_t unsynced, uint64_t lost)
{
	assert_int_equal(r->dir[dir].parsed, parsed);
	assert_int_equal(r->dir[dir].skipped[FRAMER_SKIP_UNSYNCED], unsynced);
	assert_int_equal(r->dir[dir].skipped[FRAMER_SKIP_LOST], lost);
}

static void
a_gap_in_a_body_of_known_length(void **state)
{
	static const char stream[] = HEAD("30") A HEAD("30") B;
	const size_t head = sizeof HEAD("30") - 1, one = head + 30;
	struct run r;
	with_gap(&r, 0, stream, head + 3, head + 13, 4096);
	assert_string_equal(run_result(&r, 0), "<POST len=30>{\"i!gap<POST len=30>" B "$");
	sum_is(&r, 0, head + 3 + one, 0, 17);
	run_free(&r);
	/* up to its very end */
	with_gap(&r, 0, stream, head, one, 4096);
	assert_string_equal(run_result(&r, 0), "<POST len=30>!gap<POST len=30>" B "$");
	sum_is(&r, 0, head + one, 0, 0);
	run_free(&r);
	/* two gaps are one loss */
	run_init(&r, false);
	run_feed(&r, 0, stream, head + 1);
	run_gap(&r, 0, 1);
	run_feed(&r, 0, stream + head + 2, 1);
	run_gap(&r, 0, 27);
	run_feed(&r, 0, stream + one, one);
	assert_string_equal(run_result(&r, 0), "<POST len=30>{!gap<POST len=30>" B "$");
	run_free(&r);
}

static void
a_gap_in_a_chunk(void **state)
{
	static const char stream[] = CHUNKS("0123456789abcdef") CHUNKS("fedcba9876543210");
	const size_t one = sizeof CHUNKS("0123456789abcdef") - 1;
	const size_t data = one - 16 - 7;
	struct run r;
	for (size_t from = data; from < data + 16; from++) {
		for (size_t to = from + 1; to <= data + 16; to++) {
			with_gap(&r, 0, stream, from, to, 4096);
			assert_true(has_body(&r, 0, "fedcba9876543210"));
			sum_is(&r, 0, from + one + 2, 0,
				data + 16 - to + 5); /* the empty line ends the loss */
			assert_int_equal(r.dir[0].pickups, 0);
			run_free(&r);
		}
	}
	for (size_t from = 0; from < one; from++) {
		with_gap(&r, 0, stream, from, from + 1, 4096);
		assert_true(has_body(&r, 0, "fedcba9876543210"));
		assert_int_equal(r.dir[0].lost, 1);
		run_free(&r);
	}
}

static void
a_gap_in_a_close_delimited_body(void **state)
{
	static const char stream[] = "HTTP/1.1 200 OK\r\n\r\nabcdef";
	struct run r;
	with_gap(&r, 1, stream, 20, 22, 4096);
	assert_string_equal(run_result(&r, 1), "<200>a!gap");
	sum_is(&r, 1, 20, 0, 3);
	run_free(&r);
}

static void
mid(const char *stream, size_t step, const char *want)
{
	struct run r;
	run_init(&r, true);
	size_t n = strlen(stream);
	for (size_t i = 0; i < n; i += step)
		run_feed(&r, 0, stream + i, n - i < step ? n - i : step);
	run_end(&r, 0);
	if (strcmp(run_result(&r, 0), want) != 0)
		fail_msg("%s\nstep %zu\n got  %s\n want %s", stream, step, run_result(&r, 0), want);
	run_free(&r);
}

static void
from_the_middle(void **state)
{
	static const size_t steps[] = {4096, 64, 16, 3, 2, 1};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		size_t s = steps[i];
		mid(HEAD("30") A, s, "<~POST len=30>" A "$");
		mid(A HEAD("30") B HEAD("30") C, s, "<~POST len=30>" B "$<POST len=30>" C "$");
		mid("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", s, "<~200 len=1>x$");
		mid("\"}]HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", s, "<~200 len=1>x$");
		mid("}\r\n0\r\n\r\nHTTP/1.1 200\r\nA: b\r\nContent-Length: 1\r\n\r\nx", s, "<~200 len=1>x$");
		mid("a\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", s, "<~100>$<204>$");
		mid("a\r\n\r\n" HEAD("1") "{POST /a}b HTTP/1.1\r\nA: b\r\n\r\n", s, "<~POST len=1>{$<POST>$");
		/* not a start, or not beyond doubt */
		mid("POST / HTTP/1.1\r\n\r\n", s, "");
		mid("POST / HTTP/1.1\r\n{\"a\":1}\r\n\r\n", s, "");
		mid("POST / HTTP/1.1\r\n a: b\r\n\r\n", s, "");
		mid("POST / HTTP/1.1\nA: b\n\n", s, "");
		mid("POST / HTTP/1.2\r\nA: b\r\n\r\n", s, "");
		mid("post / HTTP/1.1\r\nA: b\r\n\r\n", s, "");
		mid("HTTP/1.1 200 A reason that is longer than any that a server would give, to keep us "
		    "busy\r\nContent-Length: 1\r\n\r\nx",
			s, "");
		mid("HTTP/1.1 600 OK\r\nContent-Length: 1\r\n\r\nx", s, "");
		mid("\x16\x03\x01\x02\x02\x01\n\n\n\x16", s, "");
		/* a false start does not hide a true one */
		mid("POST / HTTP/1.1\r\nPOST / HTTP/1.1\r\nA: b\r\n\r\n", s, "<~POST>$");
		mid("POST / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nA: b\r\n\r\n", s, "<~POST>$");
		mid("POST / HTPOST / HTTP/1.0\r\n}GET / HTTP/1.1\r\nA: b\r\n\r\n", s,
			s == 1 ? "<~REQ>$" : "<~REQ>$");
	}
	/* In one span it is somebody's text. */
	mid("{\"a\":\"POST / HTTP/1.1\\r\\nA: b\\r\\n\\r\\n\"}", 4096, "");
	mid("{\"a\":\"POST / HTTP/1.1\r\nA: b\r\n\r\n\"}", 4096, "");
	mid("{\"a\":\"HTTP/1.1 200 OK\r\nA: b\r\n\r\n\"}", 4096, "");
	mid("{\"a\":\"}POST / HTTP/1.1\\r\\nA: b\\r\\n\\r\\n\"}", 4096, "");
}

static void
what_is_picked_up_cannot_blind(void **state)
{
	static const char huge[] = "POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n";
	static const char forever[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
	static const char good[] = HEAD("30") A;
	struct run r;
	run_init(&r, true);
	run_feed(&r, 0, huge, strlen(huge));
	run_feed(&r, 0, forever, strlen(forever));
	run_feed(&r, 0, good, strlen(good));
	assert_true(has_body(&r, 0, A));
	run_free(&r);
	/* what has carried requests carries no responses */
	run_init(&r, false);
	run_feed(&r, 0, good, strlen(good));
	run_gap(&r, 0, 5);
	static const char fake[] = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n";
	run_feed(&r, 0, fake, strlen(fake));
	run_feed(&r, 1, fake, strlen(fake));
	run_gap(&r, 1, 10000);
	run_feed(&r, 1, good, strlen(good));
	assert_string_equal(run_result(&r, 0), "<POST len=30>" A "$!gap");
	assert_string_equal(run_result(&r, 1), "<200 len=9999>!gap");
	run_free(&r);
	/* nor do both sides carry requests */
	run_init(&r, false);
	run_feed(&r, 0, good, strlen(good));
	run_gap(&r, 1, 5);
	run_feed(&r, 1, good, strlen(good));
	run_feed(&r, 1, forever, strlen(forever));
	assert_string_equal(run_result(&r, 1), "!gap<~200>");
	run_free(&r);
	/* and the answer to requests that are being read may last to the end */
	run_init(&r, true);
	run_feed(&r, 0, good, strlen(good));
	run_feed(&r, 1, forever, strlen(forever));
	run_feed(&r, 1, "hi", 2);
	run_end(&r, 1);
	assert_string_equal(run_result(&r, 1), "<~200>hi$");
	run_free(&r);
}

/* A body that was written to be taken for a head when its own head was missed, and the message behind it. */
static void
what_is_picked_up_hides_nothing(void **state)
{
	static const char *const fakes[] = {"POST / HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n"};
	static const char behind[] = "{\"a\":1}" HEAD("30") A HEAD("30") B;
	for (unsigned i = 0; i < 3; i++) {
		struct run r;
		run_init(&r, true);
		run_feed(&r, 0, fakes[i], strlen(fakes[i]));
		run_feed(&r, 0, behind, strlen(behind));
		assert_true(has_body(&r, 0, A));
		assert_true(has_body(&r, 0, B));
		assert_int_equal(r.dir[0].pickups, 2);
		run_free(&r);
	}
}

static void
answers_ahead_of_their_requests(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nA: b\r\n\r\n",
			  head[] = "HEAD / HTTP/1.1\r\nA: b\r\n\r\n";
	static const char one[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
	static const char ask[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
	static const char yes[] = "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n";
	struct run r;
	run_init(&r, false);
	run_feed(&r, 1, one, strlen(one));
	run_feed(&r, 1, "x", 1);
	run_feed(&r, 0, get, strlen(get));
	run_feed(&r, 0, head, strlen(head));
	run_feed(&r, 1, one, strlen(one));
	run_feed(&r, 0, get, strlen(get));
	run_feed(&r, 0, ask, strlen(ask));
	run_feed(&r, 1, yes, strlen(yes)); /* the answer before it was missed */
	run_feed(&r, 1, "\x81", 1);
	assert_string_equal(run_result(&r, 1), "<200 len=1>x$<200 len=1>$<101 upgrade ws>$^");
	run_free(&r);
}

static void
responses_find_their_requests_again(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nA: b\r\n\r\n",
			  head[] = "HEAD / HTTP/1.1\r\nA: b\r\n\r\n";
	static const char one[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
	struct run r;
	run_init(&r, true);
	run_feed(&r, 0, get, strlen(get));
	run_feed(&r, 0, get, strlen(get));
	run_feed(&r, 0, head, strlen(head));
	run_feed(&r, 1, one, strlen(one)); /* answers the last one */
	run_feed(&r, 0, get, strlen(get));
	run_feed(&r, 1, one, strlen(one));
	run_feed(&r, 1, "x", 1);
	assert_string_equal(run_result(&r, 1), "<~200 len=1>$<200 len=1>x$");
	run_free(&r);
}

static void
a_gap_among_foreign_bytes(void **state)
{
	struct run r;
	run_init(&r, false);
	run_feed(&r, 0, "\x16\x03\x01", 3);
	run_gap(&r, 0, 100);
	run_feed(&r, 0, "POST / HT", 9);
	run_gap(&r, 0, 1);
	run_feed(&r, 0, "POST / HTTP/1.1\r\nA", 18);
	assert_int_equal(http1_held(&r.http, 0), 18);
	run_gap(&r, 0, UINT64_MAX);
	run_gap(&r, 0, 0);
	run_end(&r, 0);
	assert_string_equal(run_result(&r, 0), "!bad");
	sum_is(&r, 0, 0, 30, 0);
	run_free(&r);
}

/* A forged head announces a body without end, or an upgrade: in doubt the true requests behind it are read. */
static void
doubt_ends_what_has_no_end(void **state)
{
	static const char *const heads[] = {"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "HTTP/1.1 101 Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"};
	static const char request[] = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
	for (unsigned i = 0; i < 2 * sizeof heads / sizeof *heads; i++) {
		struct run r;
		bool doubt = i & 1;
		run_init(&r, false);
		run_feed(&r, 0, heads[i / 2], strlen(heads[i / 2]));
		if (doubt)
			http1_doubt(&r.http, 0);
		http1_read_on(&r.http);
		run_feed(&r, 0, "{\"what was\": 1}", 15);
		run_feed(&r, 0, request, sizeof request - 1);
		const struct http1_head *h = http1_last(&r.http, 0);
		assert_int_equal(h->request && h->content_length == 2, doubt);
		run_end(&r, 0);
		run_free(&r);
	}
}

/* What was held of a line is the caller's again. */
static void
taken_back(void **state)
{
	struct http1 h;
	struct framer_out o;
	http1_init(&h, false);
	assert_int_equal(http1_feed(&h, 0, (struct span){(const uint8_t *)"PR", 2}, &o), 2);
	assert_int_equal(http1_held(&h, 0), 2);
	assert_int_equal(http1_take_back(&h, 0), 2);
	assert_int_equal(http1_held(&h, 0), 0);
	http1_end(&h, 0, &o);
	assert_int_equal(o.skipped + o.parsed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_costs_only_what_it_hits),
		cmocka_unit_test(a_gap_in_a_body_of_known_length),
		cmocka_unit_test(a_gap_in_a_chunk),
		cmocka_unit_test(a_gap_in_a_close_delimited_body),
		cmocka_unit_test(from_the_middle),
		cmocka_unit_test(what_is_picked_up_cannot_blind),
		cmocka_unit_test(what_is_picked_up_hides_nothing),
		cmocka_unit_test(answers_ahead_of_their_requests),
		cmocka_unit_test(responses_find_their_requests_again),
		cmocka_unit_test(a_gap_among_foreign_bytes),
		cmocka_unit_test(doubt_ends_what_has_no_end),
		cmocka_unit_test(taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
