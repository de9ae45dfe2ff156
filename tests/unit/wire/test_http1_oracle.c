/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams of valid messages, made at random and cut at random, read by http1 and by http_parser (an
 * endpoint's parser).
 *
 * Known differences, which the streams leave out, each with what http1 does instead in test_http1.c:
 *  - http_parser refuses what follows a message that ends the connection; it stops at a request's offer of an
 * upgrade (switched off here), and at Content-Length with chunked, twice, or above 2^64/10;
 *  - it takes a chunk-size line only with CR LF, requires known methods, checks targets, and takes a space in
 * a header's name. */
#include "tests/unit/wire/http1_run.h"

#include <http_parser.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static uint64_t seed = 0x9e3779b97f4a7c15u;

static unsigned
pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

struct text {
	char *p;
	size_t n, cap;
};

static void
add(struct text *t, const void *p, size_t n)
{
	if (t->n + n > t->cap) {
		t->cap = 2 * (t->n + n) + 256;
		t->p = realloc(t->p, t->cap);
		assert_non_null(t->p);
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static void
say(struct text *t, const char *fmt, ...)
{
	char s[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof s - 1);
	add(t, s, (size_t)n);
}

static void
line_end(struct text *t)
{
	say(t, pick(5) ? "\r\n" : "\n");
}

/* A header's name in any case, with any white space before the value. */
static void
header(struct text *t, const char *name, const char *value)
{
	static const char *const space[] = {" ", "", "  ", "\t ", " "};
	for (const char *c = name; *c; c++)
		say(t, "%c", pick(3) || *c == '-' ? *c : *c ^ 0x20);
	say(t, ":%s%s%s", space[pick(5)], value, pick(6) ? "" : " ");
	line_end(t);
}

static void
other_headers(struct text *t)
{
	static const char *const names[] = {"Host", "Accept", "User-Agent", "Content-Type", "Accept-Encoding",
		"Expect", "X-Flashbots-Signature", "Content-Language", "Transfer-Coding", "Upgrade", "x",
		"Content-Encoding", "A-Header-With-A-Name-That-Is-Longer-Than-Most"};
	static const char *const values[] = {"a", "", "application/json", "100-continue", "h2c, a:b",
		"Content-Length: 3", "\xe2\x82\xac", "POST / HTTP/1.1", "gzip, deflate", "a\r\n  b",
		"0123456789012345678901234567890123456789"};
	for (unsigned n = pick(7); n > 0; n--)
		header(t, names[pick(13)], values[pick(11)]);
	if (pick(30) == 0) {
		say(t, "X-Long: ");
		for (unsigned n = pick(60); n > 0; n--)
			say(t, "0123456789 abcdefghijklmnopqrst");
		line_end(t);
	}
}

static size_t
body_bytes(struct text *t, size_t n)
{
	static const char look_alike[] =
		"\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n0\r\n\r\n";
	for (size_t i = 0; i < n; i++) {
		char c = (char)pick(256);
		if (n % 3 == 0)
			c = look_alike[i % (sizeof look_alike - 1)];
		add(t, c == '<' || c == '>' || c == '$' ? "." : &c, 1);
	}
	return n;
}

static void
chunked_body(struct text *t)
{
	static const char *const extension[] = {"", "", "", ";a", ";a=b;c=\"d e\"", " "};
	header(t, "Transfer-Encoding", pick(2) ? "chunked" : "CHUNKED");
	other_headers(t);
	line_end(t);
	for (unsigned k = pick(5); k > 0; k--) {
		unsigned n = 1 + pick(pick(4) ? 20 : 700);
		say(t, pick(2) ? "%x" : "%04X", n);
		say(t, "%s\r\n", extension[pick(6)]);
		body_bytes(t, n);
		say(t, "\r\n");
	}
	say(t, "%s\r\n", pick(3) ? "0" : "000;x");
	for (unsigned k = pick(8) ? 0 : 3; k > 0; k--)
		header(t, "X-Trailer", "Content-Length: 3");
	line_end(t);
}

static void
sized_body(struct text *t, unsigned n)
{
	char s[32];
	snprintf(s, sizeof s, pick(8) ? "%u" : "%08u", n);
	header(t, "Content-Length", s);
	other_headers(t);
	line_end(t);
}

/* Returns 'H' for HEAD, 'P' for POST, 'R' for any other. */
static char
request(struct text *t)
{
	static const char *const methods[] = {"POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE"};
	static const char *const targets[] = {
		"/", "/a/b?c=%20d", "http://host:8545/x", "*", "/0123456789012345678901234567890"};
	unsigned m = pick(7);
	for (unsigned k = pick(3) ? 0 : pick(4); k > 0; k--)
		line_end(t);
	say(t, "%s %s HTTP/1.1", methods[m], targets[pick(5)]);
	line_end(t);
	header(t, "Host", "a"); /* so that no continuation comes first */
	other_headers(t);
	if (m >= 2 && pick(3)) {
		line_end(t);
	} else if (pick(2)) {
		unsigned n = pick(10) ? pick(300) : 0;
		sized_body(t, n);
		body_bytes(t, n);
	} else {
		chunked_body(t);
	}
	return m < 2 ? 'P' : m == 4 ? 'H' : 'R';
}

static void
response(struct text *t, char to, bool last)
{
	static const char *const reasons[] = {" OK", " ", "", " Not so, \xff", " 200"};
	if (to == 'P' && pick(5) == 0)
		say(t, "HTTP/1.1 100 Continue\r\n\r\n");
	unsigned status = (const unsigned[]){200, 200, 204, 304, 404, 500}[pick(6)];
	say(t, "HTTP/1.1 %u%s", status, reasons[pick(5)]);
	line_end(t);
	header(t, "Server", "x");
	other_headers(t);
	if (status == 204 || status == 304 || to == 'H') {
		line_end(t);
	} else if (last && pick(2)) {
		line_end(t);
		body_bytes(t, pick(200));
	} else if (pick(2)) {
		unsigned n = pick(300);
		sized_body(t, n);
		body_bytes(t, n);
	} else {
		chunked_body(t);
	}
}

/* ---- the oracle ---- */

struct oracle {
	http_parser parser;
	struct text log;
	const char *answers; /* what responses answer, or NULL */
};

static int
on_headers(http_parser *p)
{
	struct oracle *o = p->data;
	p->upgrade = 0;
	if (p->type == HTTP_REQUEST) {
		say(&o->log, p->method == HTTP_POST ? "<POST>" : "<REQ>");
		return 0;
	}
	say(&o->log, "<%u>", p->status_code);
	bool head = *o->answers == 'H';
	if (p->status_code >= 200)
		o->answers++;
	return head;
}

static int
on_body(http_parser *p, const char *at, size_t n)
{
	add(&((struct oracle *)p->data)->log, at, n);
	return 0;
}

static int
on_complete(http_parser *p)
{
	say(&((struct oracle *)p->data)->log, "$");
	return 0;
}

static void
ask_oracle(struct oracle *o, enum http_parser_type type, const char *answers, const struct text *in)
{
	static const http_parser_settings settings = {
		.on_headers_complete = on_headers, .on_body = on_body, .on_message_complete = on_complete};
	memset(o, 0, sizeof *o);
	o->answers = answers;
	http_parser_init(&o->parser, type);
	o->parser.data = o;
	size_t n = http_parser_execute(&o->parser, &settings, in->p, in->n);
	if (n != in->n || HTTP_PARSER_ERRNO(&o->parser) != HPE_OK)
		fail_msg("the stream is not valid: %s at %zu: %.80s",
			http_errno_name(HTTP_PARSER_ERRNO(&o->parser)), n, in->p + n);
	http_parser_execute(&o->parser, &settings, NULL, 0);
	assert_int_equal(HTTP_PARSER_ERRNO(&o->parser), HPE_OK);
	add(&o->log, "", 1);
}

/* Leaves the attributes of heads out of a log. */
static void
strip(struct run_dir *d, struct text *t)
{
	bool in_head = false, in_attributes = false;
	for (size_t i = 0; i < d->log_len; i++) {
		char c = d->log[i];
		if (c == '<' || c == '>')
			in_head = c == '<';
		in_attributes = in_head && (in_attributes || c == ' ');
		if (!in_attributes)
			add(t, &c, 1);
	}
	add(t, "", 1);
}

static void
in_pieces(struct run *r, unsigned dir, const struct text *in)
{
	unsigned most = (const unsigned[]){1, 3, 40, 600, 100000}[pick(5)];
	for (size_t at = 0; at < in->n;) {
		size_t n = 1 + pick(most);
		if (n > in->n - at)
			n = in->n - at;
		run_feed(r, dir, in->p + at, n);
		at += n;
	}
	run_end(r, dir);
}

static void
compare(struct run *r, unsigned dir, struct oracle *o, const struct text *in)
{
	struct text mine = {0};
	strip(&r->dir[dir], &mine);
	assert_true(mine.p != NULL && o->log.p != NULL);
	if (mine.n != o->log.n || memcmp(mine.p, o->log.p, mine.n) != 0)
		fail_msg("stream:\n%.*s\nhttp1: %s\noracle: %s", (int)in->n, in->p, mine.p, o->log.p);
	assert_int_equal(r->dir[dir].parsed, in->n);
	free(mine.p);
	free(o->log.p);
}

static void
same_messages_and_bodies(void **state)
{
	unsigned messages = 0;
	for (unsigned round = 0; round < 4000; round++) {
		struct text requests = {0}, responses = {0};
		struct oracle o;
		struct run r;
		char answers[9] = "";
		unsigned n = 1 + pick(8), dir = pick(2);
		for (unsigned i = 0; i < n; i++)
			answers[i] = request(&requests);
		for (unsigned i = 0; i < n; i++)
			response(&responses, answers[i], i + 1 == n);
		run_init(&r, false);
		in_pieces(&r, dir, &requests);
		in_pieces(&r, !dir, &responses);
		ask_oracle(&o, HTTP_REQUEST, NULL, &requests);
		compare(&r, dir, &o, &requests);
		ask_oracle(&o, HTTP_RESPONSE, answers, &responses);
		compare(&r, !dir, &o, &responses);
		messages += r.dir[0].messages + r.dir[1].messages;
		run_free(&r);
		free(requests.p);
		free(responses.p);
	}
	assert_true(messages > 30000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same_messages_and_bodies)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
