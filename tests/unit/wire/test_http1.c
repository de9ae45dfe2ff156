/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/wire/http1_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define REQ "POST / HTTP/1.1\r\nHost: a\r\n"
#define RES "HTTP/1.1 200 OK\r\n"
#define NEXT "GET / HTTP/1.1\r\nHost: b\r\n\r\n"
#define ASK_WS "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

struct row {
	const char *what;
	const char *peer; /* fed to the other direction before */
	const char *in;
	const char *out; /* with the end of the stream */
};

static const struct row rows[] = {
	{"a length", NULL, REQ "Content-Length: 2\r\n\r\nhi" NEXT, "<POST len=2>hi$<REQ>$"},
	{"no body", NULL, REQ "\r\n" NEXT, "<POST>$<REQ>$"},
	{"length 0", NULL, REQ "Content-Length: 0\r\n\r\n" NEXT, "<POST len=0>$<REQ>$"},
	{"names in any case, spaces around values", NULL,
		"PUT /x HTTP/1.1\r\ncOnTeNt-LeNgTh:\t 2 \t\r\nCONTENT-TYPE:text/plain\r\n\r\nhi" NEXT,
		"<REQ len=2 notjson>hi$<REQ>$"},
	{"a method is a token", NULL, "post / HTTP/1.1\r\nA: b\r\n\r\n" NEXT, "<REQ>$<REQ>$"},
	{"absolute form", NULL, "POST http://a:8545/ HTTP/1.1\r\nContent-Length:1\r\n\r\nx",
		"<POST len=1>x$"},
	{"HTTP/1.0", NULL, "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "<POST len=1 old>x$"},
	{"HTTP/1.0 without headers", NULL, "GET / HTTP/1.0\r\n\r\n" NEXT, "<REQ old>$<REQ>$"},
	{"HTTP/1.0 knows no chunks", NULL,
		"POST / HTTP/1.0\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0;" NEXT,
		"<POST len=2 old>0;$<REQ>$"},
	{"bare line feeds", NULL, "POST / HTTP/1.1\nContent-Length: 2\n\nhi" NEXT, "<POST len=2>hi$<REQ>$"},
	{"empty lines before", NULL, "\r\n\n\r\n" REQ "Content-Length: 2\r\n\r\nhi\r\n" NEXT,
		"<POST len=2>hi$<REQ>$"},
	{"a body that looks like a head", NULL, REQ "Content-Length: 27\r\n\r\n" NEXT NEXT,
		"<POST len=27>" NEXT "$<REQ>$"},
	{"an offer of h2c", NULL,
		REQ "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi" NEXT,
		"<POST len=2 upgrade>hi$<REQ>$"},
	{"encoded", NULL, REQ "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
		"<POST len=2 encoded=gzip>hi$"},
	{"identity", NULL, REQ "Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\nhi",
		"<POST len=2>hi$"},
	{"encoded twice", NULL, REQ "Content-Encoding: identity\r\nContent-encoding: br\r\n\r\n",
		"<POST encoded=br>$"},
	{"json by any name", NULL, REQ "Content-Type: Application/JSON-RPC; charset=utf-8\r\n\r\n",
		"<POST>$"},

	{"equal lengths", NULL, REQ "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi" NEXT,
		"<POST len=2>hi$<REQ>$"},
	{"leading zeros", NULL, REQ "Content-Length: 2\r\nContent-Length: 0002\r\n\r\nhi", "<POST len=2>hi$"},
	{"different lengths", NULL, REQ "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "!bad"},
	{"a list of lengths", NULL, REQ "Content-Length: 2, 2\r\n\r\nhi", "!bad"},
	{"signed length", NULL, REQ "Content-Length: +2\r\n\r\nhi", "!bad"},
	{"hex length", NULL, REQ "Content-Length: 0x2\r\n\r\nhi", "!bad"},
	{"the longest length", NULL, REQ "Content-Length: 9223372036854775807\r\n\r\nhi",
		"<POST len=9223372036854775807>hi!end"},
	{"too long a length", NULL, REQ "Content-Length: 9223372036854775808\r\n\r\nhi", "!bad"},
	{"far too long a length", NULL, REQ "Content-Length: 18446744073709551618\r\n\r\nhi", "!bad"},
	{"empty length", NULL, REQ "Content-Length:\r\n\r\n" NEXT, "<POST>$<REQ>$"},

	{"chunks", NULL, REQ CHUNKED "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n" NEXT,
		"<POST chunked>abc0123456789$<REQ>$"},
	{"chunk sizes in either case", NULL,
		REQ CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n000\r\n\r\n" NEXT,
		"<POST chunked>01234567890123456789a$<REQ>$"},
	{"extensions", NULL,
		REQ CHUNKED "1;a=b;c=\"d\"\r\nx\r\n1 ; a\r\ny\r\n1 \t\r\nz\r\n0;last\r\n\r\n" NEXT,
		"<POST chunked>xyz$<REQ>$"},
	{"trailers", NULL, REQ CHUNKED "1\r\nx\r\n0\r\nA: b\r\n c\r\nContent-Length: 9\r\n\r\n" NEXT,
		"<POST chunked>x$<REQ>$"},
	{"bare line feeds of chunk sizes", NULL, REQ CHUNKED "1\nx\r\n0\n\n" NEXT, "<POST chunked>x$<REQ>$"},
	{"an empty chunked body", NULL, REQ CHUNKED "0\r\n\r\n" NEXT, "<POST chunked>$<REQ>$"},
	{"chunked and a length", NULL, REQ "Content-Length: 3\r\n" CHUNKED "1\r\nx\r\n0\r\n\r\n" NEXT,
		"<POST chunked>x$<REQ>$"},
	{"a length and chunked", NULL,
		REQ "Transfer-Encoding: Chunked\r\nContent-Length: 9, 9\r\n\r\n1\r\nx\r\n0\r\n\r\n" NEXT,
		"<POST chunked>x$<REQ>$"},
	{"chunked last", NULL, REQ "Transfer-Encoding: gzip , chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"<POST chunked>x$"},
	{"chunked in a second field", NULL, REQ "Transfer-Encoding: gzip\r\n" CHUNKED "1\r\nx\r\n0\r\n\r\n",
		"<POST chunked>x$"},
	{"chunked not last", NULL, REQ "Transfer-Encoding: chunked, gzip\r\n\r\n1\r\nx\r\n0\r\n\r\n", "!bad"},
	{"unknown coding", NULL, REQ "Transfer-Encoding: xchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "!bad"},
	{"no chunk size", NULL, REQ CHUNKED "\r\nx", "<POST chunked>!bad"},
	{"no digits", NULL, REQ CHUNKED ";a\r\nx", "<POST chunked>!bad"},
	{"prefix of a chunk size", NULL, REQ CHUNKED "0x1\r\nx", "<POST chunked>!bad"},
	{"sign of a chunk size", NULL, REQ CHUNKED "-1\r\nx", "<POST chunked>!bad"},
	{"space before a chunk size", NULL, REQ CHUNKED " 1\r\nx", "<POST chunked>!bad"},
	{"text after a chunk size", NULL, REQ CHUNKED "1 1\r\nx", "<POST chunked>!bad"},
	{"largest chunk", NULL, REQ CHUNKED "7fffffffffffffff\r\nx", "<POST chunked>x!end"},
	{"too large a chunk", NULL, REQ CHUNKED "8000000000000000\r\nx", "<POST chunked>!bad"},
	{"far too large a chunk", NULL, REQ CHUNKED "10000000000000001\r\nx", "<POST chunked>!bad"},
	{"bare line feed after data", NULL, REQ CHUNKED "1\r\nx\n1\r\n", "<POST chunked>x!bad"},
	{"no line end after data", NULL, REQ CHUNKED "1\r\nxy\r\n", "<POST chunked>x!bad"},
	{"a bad trailer", NULL, REQ CHUNKED "1\r\nx\r\n0\r\nbad\r\n", "<POST chunked>x$!bad"},
	{"the end in a chunk", NULL, REQ CHUNKED "5\r\nx", "<POST chunked>x!end"},
	{"the end after a chunk", NULL, REQ CHUNKED "1\r\nx\r\n", "<POST chunked>x!end"},
	{"the end in a trailer", NULL, REQ CHUNKED "1\r\nx\r\n0\r\nA: b\r\n", "<POST chunked>x$"},
	{"the end in a body", NULL, REQ "Content-Length: 3\r\n\r\nhi", "<POST len=3>hi!end"},
	{"the end in a head", NULL, REQ "Content-Len", "!end"},
	{"the end in a start line", NULL, NEXT "POST / HT", "<REQ>$"},

	{"continued length", NULL, REQ "Content-Length:\r\n \r\n\t2\r\n  \r\n\r\nhi" NEXT,
		"<POST len=2>hi$<REQ>$"},
	{"length in two parts", NULL, REQ "Content-Length: 1\r\n 2\r\n\r\nhi", "!bad"},
	{"continued coding", NULL, REQ "Transfer-Encoding:\r\n chunked\r\nA: b\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"<POST chunked>x$"},
	{"coding in two parts", NULL, REQ "Transfer-Encoding: chunked\r\n x\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"!bad"},
	{"continued type", NULL,
		REQ "Content-Type: application\r\n /json\r\nContent-Encoding: identity\r\n , br\r\n\r\n",
		"<POST encoded=br>$"},
	{"continued header that does not matter", NULL, REQ "X: a\r\n b\r\n Content-Length: 2\r\n\r\n" NEXT,
		"<POST>$<REQ>$"},
	{"nothing to continue", NULL, "POST / HTTP/1.1\r\n Host: a\r\n\r\n", "!bad"},
	{"no colon", NULL, REQ "Content-Length 2\r\n\r\nhi", "!bad"},
	{"no name", NULL, REQ ": 2\r\n\r\nhi", "!bad"},
	{"space before the colon", NULL, REQ "Content-Length : 2\r\n\r\nhi", "!bad"},
	{"not a token", NULL, REQ "Content(Length: 2\r\n\r\nhi", "!bad"},
	{"not a token, far behind", NULL, REQ "Content-Length-And-So-On-And-So-On\": 2\r\n\r\nhi", "!bad"},
	{"two carriage returns", NULL, REQ "\r\r\n", "!bad"},
	{"bad version", NULL, "POST / HTTP/2.0\r\nHost: a\r\n\r\n", "!bad"},
	{"version in lower case", NULL, "POST / http/1.1\r\nHost: a\r\n\r\n", "!bad"},
	{"no version", NULL, "GET /\r\n\r\n", "!bad"},
	{"no target", NULL, "GET  HTTP/1.1\r\nHost: a\r\n\r\n", "!bad"},
	{"a target with a space", NULL, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "!bad"},
	{"space behind the version", NULL, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "!bad"},
	{"space before the method", NULL, " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "!bad"},
	{"HTTP/2", NULL, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!bad"},
	{"no HTTP", NULL, "{\"jsonrpc\":\"2.0\"}", "!bad"},
	{"a response among requests", NULL, NEXT RES "\r\n", "<REQ>$!bad"},

	{"response", "GET / HTTP/1.1\r\nA: b\r\n\r\n",
		RES "Content-Length: 2\r\n\r\nhi" RES "Content-Length: 0\r\n\r\n",
		"<200 len=2>hi$<200 len=0>$"},
	{"response without its request", NULL, RES "Content-Length: 2\r\n\r\nhi", "<200 len=2>hi$"},
	{"to the end", NEXT, RES "\r\nhi\r\n" RES, "<200>hi\r\n" RES "$"},
	{"to the end, of nothing", NEXT, RES "\r\n", "<200>$"},
	{"HTTP/1.0 to the end", NEXT, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
		"<200 old>1$"},
	{"a coding to the end", NEXT, RES "Content-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\nabc",
		"<200>abc$"},
	{"chunked response", NEXT, RES CHUNKED "1\r\nx\r\n0\r\n\r\n" RES "Content-Length: 0\r\n\r\n",
		"<200 chunked>x$<200 len=0>$"},
	{"empty reason", NEXT, "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", "<200 len=1>x$"},
	{"no reason", NEXT, "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "<200 len=1>x$"},
	{"a long reason", NEXT, "HTTP/1.1 404 Not Found, \xff sorry\nContent-Length: 1\n\nx",
		"<404 len=1>x$"},
	{"bad status", NEXT, "HTTP/1.1 20 OK\r\n\r\n", "!bad"},
	{"bad status 2", NEXT, "HTTP/1.1 2000 OK\r\n\r\n", "!bad"},
	{"bad status 3", NEXT, "HTTP/1.1 2x0 OK\r\n\r\n", "!bad"},
	{"bad status 4", NEXT, "HTTP/1.1 099 OK\r\n\r\n", "!bad"},
	{"different lengths of a response", NEXT, RES "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"!bad"},
	{"204 and 304", NEXT NEXT,
		"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n" RES
		"Content-Length: 1\r\n\r\nx",
		"<204>$<304 len=9>$<200 len=1>x$"},
	{"HEAD", "HEAD / HTTP/1.1\r\n\r\n" NEXT,
		RES "Content-Length: 9\r\n\r\n" RES "Content-Length: 1\r\n\r\nx",
		"<200 len=9>$<200 len=1>x$"},
	{"HEAD, chunked", "HEAD / HTTP/1.1\r\n\r\n" NEXT, RES CHUNKED RES "Content-Length: 1\r\n\r\nx",
		"<200>$<200 len=1>x$"},
	{"HEAD in second place", NEXT "HEAD / HTTP/1.1\r\n\r\n" NEXT,
		RES "Content-Length: 1\r\n\r\nx" RES "Content-Length: 9\r\n\r\n" RES
		    "Content-Length: 1\r\n\r\ny",
		"<200 len=1>x$<200 len=9>$<200 len=1>y$"},
	{"100-continue",
		REQ "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"
		    "HEAD / HTTP/1.1\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" RES "Content-Length: 1\r\n\r\nx" RES
		"Content-Length: 9\r\n\r\n",
		"<100>$<200 len=1>x$<200 len=9>$"},
	{"103", "HEAD / HTTP/1.1\r\n\r\n",
		"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" RES "Content-Length: 9\r\n\r\n" RES "\r\n",
		"<103>$<200 len=9>$<200>$"},
	{"answer before the body's end", REQ "Content-Length: 5000000\r\n\r\nabc",
		"HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\nx" RES "Content-Length: 0\r\n\r\n",
		"<413 len=1>x$<200 len=0>$"},
	{"101", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n\x81\x02hi" NEXT, "<101 upgrade ws>$^"},
	{"101 without its request", NULL, "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
		"<101 upgrade ws>$^"},
	{"101 that nobody asked for", NEXT,
		"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\n\r\n" RES "Content-Length: 0\r\n\r\n",
		"<101 upgrade>$<200 len=0>$"},
	{"an offer that was not taken", REQ "Upgrade: h2c\r\n\r\n",
		RES "Upgrade: h2c\r\nContent-Length: 1\r\n\r\nx", "<200 len=1 upgrade>x$"},
	{"101 to something else", "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
		"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\n\r\nPRI", "<101 upgrade>$^"},
	{"permessage-deflate", ASK_WS, SWITCH "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		"<101 upgrade ws +deflate s0 c0>$^"},
	{"permessage-deflate, all of it", ASK_WS,
		SWITCH "sec-websocket-extensions:permessage-deflate ;server_no_context_takeover; "
		       "client_no_context_takeover;server_max_window_bits=10 ;\tclient_max_window_bits = "
		       "\"12\"\r\n\r\n",
		"<101 upgrade ws +deflate s c s10 c12>$^"},
	{"among others", ASK_WS,
		SWITCH "Sec-WebSocket-Extensions: foo; server_no_context_takeover; a=\"x, "
		       "permessage-deflate; \\\"y\", "
		       "Permessage-Deflate; client_no_context_takeover, bar;client_max_window_bits=9\r\n\r\n",
		"<101 upgrade ws +deflate c s0 c0 +other>$^"},
	{"in several fields", ASK_WS,
		SWITCH
		"Sec-WebSocket-Extensions: foo\r\nX: y\r\nSec-WebSocket-Extensions: permessage-deflate; "
		"server_max_window_bits=15\r\nSec-WebSocket-Extensions: bar; "
		"client_no_context_takeover\r\n\r\n",
		"<101 upgrade ws +deflate s15 c0 +other>$^"},
	{"in continued lines", ASK_WS,
		SWITCH
		"Sec-WebSocket-Extensions:\r\n permessage-deflate\r\n ;\r\n client_no_context_takeover;\r\n"
		"  server_max_window_bits=9\r\n , bar\r\nUpgrade: x\r\n\r\n",
		"<101 upgrade ws +deflate c s9 c0 +other>$^"},
	{"bits that are none", ASK_WS,
		SWITCH "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; "
		       "server_max_window_bits=16; client_max_window_bits=7; x=\r\n\r\n",
		"<101 upgrade ws +deflate s0 c0>$^"},
	{"Arbitrum's dictionary", ASK_WS,
		SWITCH
		"Sec-WebSocket-Extensions: Arbitrum-permessage-deflate; server_no_context_takeover\r\n\r\n",
		"<101 upgrade ws +arbitrum>$^"},
	{"an offer agrees to nothing", NULL,
		"GET / HTTP/1.1\r\nUpgrade: foo, WebSocket\r\nSec-WebSocket-Extensions: "
		"permessage-deflate\r\n\r\n",
		"<REQ upgrade ws>$"},
	{"codings", NEXT NEXT NEXT NEXT NEXT NEXT NEXT,
		RES "Content-Encoding: X-GZip\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: deflate\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: BR\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: zstd\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: gzip, br\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: identity , ,gzip\r\nContent-Length: 0\r\n\r\n" RES
		    "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
		"<200 len=0 encoded=gzip>$<200 len=0 encoded=deflate>$<200 len=0 encoded=br>$<200 len=0 "
		"encoded=zstd>$"
		"<200 len=0 encoded=other>$<200 len=0 encoded=gzip>$<200 len=0 encoded=other>$"},
	{"a coding in continued lines", NEXT NEXT,
		RES
		"Content-Encoding:\r\n gzip\r\nContent-Length: 0\r\n\r\n" RES
		"Content-Encoding: identity,\r\n deflate\r\nContent-Encoding:\r\nContent-Length: 0\r\n\r\n",
		"<200 len=0 encoded=gzip>$<200 len=0 encoded=deflate>$"},
	{"CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n", RES "\r\n\x16\x03", "<200>$^"},
	{"CONNECT refused", "CONNECT a:1 HTTP/1.1\r\n\r\n" NEXT,
		"HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx" RES "Content-Length: 1\r\n\r\ny",
		"<403 len=1>x$<200 len=1>y$"},
};

static void
start(struct run *r, const struct row *row, unsigned dir)
{
	run_init(r, false);
	if (row->peer != NULL)
		run_feed(r, !dir, row->peer, strlen(row->peer));
}

static void
finish(struct run *r, const struct row *row, unsigned dir, const struct run *whole)
{
	size_t n = strlen(row->out);
	bool bad = n >= 4 && strcmp(row->out + n - 4, "!bad") ==
				     0; /* what may be picked up behind it depends on the cut */
	run_end(r, dir);
	if (strncmp(run_result(r, dir), row->out, n) != 0 || (!bad && run_result(r, dir)[n] != 0))
		fail_msg("%s:\n got  %s\n want %s", row->what, run_result(r, dir), row->out);
	/* Out of step what is looked at depends on where spans begin, and so do the bytes that count as read.
	 */
	if (whole != NULL && whole->dir[dir].lost == 0 && !run_equal(&r->dir[dir], &whole->dir[dir]))
		fail_msg("%s: the sums of bytes depend on the cut", row->what);
}

static void
every_cut(const struct row *row, unsigned dir)
{
	struct run whole, r;
	size_t n = strlen(row->in);
	start(&whole, row, dir);
	run_feed(&whole, dir, row->in, n);
	finish(&whole, row, dir, NULL);
	start(&r, row, dir);
	for (size_t i = 0; i < n; i++)
		run_feed(&r, dir, row->in + i, 1);
	finish(&r, row, dir, &whole);
	run_free(&r);
	for (size_t a = 1; a < n; a++) {
		for (size_t b = a; b < n; b += 1 + n / 16) {
			start(&r, row, dir);
			run_feed(&r, dir, row->in, a);
			run_feed(&r, dir, row->in + a, b - a);
			run_feed(&r, dir, row->in + b, n - b);
			finish(&r, row, dir, &whole);
			run_free(&r);
		}
	}
	run_free(&whole);
}

static void
every_row_at_every_cut(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		every_cut(&rows[i], 0);
		every_cut(&rows[i], 1);
	}
}

/* Head, `pad` bytes of `c`, rest: what lies behind a long run must not be lost. */
static void
padded(const char *head, char c, size_t pad, const char *rest, const char *want)
{
	size_t h = strlen(head), n = strlen(rest);
	char *s = malloc(h + pad + n);
	memcpy(s, head, h);
	memset(s + h, c, pad);
	memcpy(s + h + pad, rest, n);
	static const size_t steps[] = {1, 7, 511, 512, 513, 1 << 20};
	struct run first;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct run r;
		run_init(&r, false);
		for (size_t at = 0; at < h + pad + n; at += steps[i])
			run_feed(&r, 0, s + at, h + pad + n - at < steps[i] ? h + pad + n - at : steps[i]);
		assert_string_equal(run_result(&r, 0), want);
		if (i == 0)
			first = r;
		else {
			if (first.dir[0].lost == 0)
				assert_true(run_equal(&first.dir[0], &r.dir[0]));
			run_free(&r);
		}
	}
	run_free(&first);
	free(s);
}

static void
long_lines(void **state)
{
	padded(REQ "X: ", 'x', 3000, "\r\nContent-Length: 2\r\n\r\nhi", "<POST len=2>hi$");
	padded("POST /", 'x', 3000, " HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "<POST len=2>hi$");
	padded("POST /", 'x', 3000, " HTTP/2.0\r\nContent-Length: 2\r\n\r\nhi", "!bad");
	padded(REQ "Content-Length:", ' ', 3000, "2\r\n\r\nhi", "<POST len=2>hi$");
	padded(REQ "Content-Length:", '\t', 3000, "2\t\r\n\r\nhi", "<POST len=2>hi$");
	padded(REQ "Content-Length: 2", ' ', 3000, "\r\n\r\nhi", "<POST len=2>hi$");
	padded(REQ "Content-Length: 2", ' ', 3000, "2\r\n\r\nhi", "!bad");
	padded(REQ "Content-Length: ", '0', 3000, "2\r\n\r\nhi", "<POST len=2>hi$");
	padded(REQ "Content-Length: ", '0', 3000, "2                                    \r\n\r\nhi",
		"<POST len=2>hi$");
	padded(REQ "Content-Length: 1", '0', 3000, "\r\n\r\nhi", "!bad");
	padded(REQ "Transfer-Encoding:", ' ', 3000, "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "<POST chunked>x$");
	padded(REQ "Transfer-Encoding: ", 'x', 3000, ", chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"<POST chunked>x$");
	padded(REQ CHUNKED, '0', 3000, "1\r\nx\r\n0\r\n\r\n", "<POST chunked>x$");
	padded(REQ CHUNKED "1;", 'x', 3000, "\r\nx\r\n0\r\n\r\n", "<POST chunked>x$");
	padded(REQ CHUNKED "1;", 'x', HTTP1_CHUNK_LINE_MAX, "\r\nx\r\n0\r\n\r\n", "<POST chunked>!bad");
	padded(REQ "Content-Type: ", 'x', 3000, " json; out of sight of all cuts\r\n\r\n", "<POST notjson>$");
	padded(REQ, 'x', 3000, ": y\r\n\r\n", "<POST>$");
	padded(REQ "X: ", 'x', 1 << 20, "\r\n\r\n", "<POST>$");
	padded(REQ "X: ", 'x', HTTP1_HEAD_MAX, "\r\n\r\n", "!bad");
}

static void
a_head_has_an_end(void **state)
{
	struct run r;
	run_init(&r, false);
	run_feed(&r, 0, REQ, strlen(REQ));
	for (unsigned i = 0; i < HTTP1_HEAD_MAX / 6 - 8; i++)
		run_feed(&r, 0, "A: b\r\n", 6);
	assert_string_equal(run_result(&r, 0), "");
	for (unsigned i = 0; i < 16; i++)
		run_feed(&r, 0, "A: b\r\n", 6);
	assert_string_equal(run_result(&r, 0), "!bad");
	run_free(&r);
}

static void
more_requests_than_are_remembered(void **state)
{
	struct run r;
	run_init(&r, false);
	for (unsigned i = 0; i < 3 * HTTP1_PIPELINE_MAX + 1; i++)
		run_feed(&r, 0, NEXT, strlen(NEXT));
	run_feed(&r, 0, "HEAD / HTTP/1.1\r\n\r\n", 19);
	run_feed(&r, 1, RES "Content-Length: 1\r\n\r\nx", strlen(RES) + 22);
	run_feed(&r, 1, RES "Content-Length: 9\r\n\r\n" RES, strlen(RES) + 21 + strlen(RES));
	assert_string_equal(run_result(&r, 1), "<200 len=1>x$<200 len=9>$");
	run_free(&r);
}

static void
an_upgrade_ends_both_directions(void **state)
{
	static const char ask[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
	static const char yes[] = "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n";
	struct run r;
	run_init(&r, false);
	run_feed(&r, 0, ask, strlen(ask));
	assert_true(http1_between(&r.http, 0));
	run_feed(&r, 1, yes, 5);
	assert_false(http1_between(&r.http, 1));
	run_feed(&r, 1, yes + 5, strlen(yes) - 5);
	assert_true(http1_between(&r.http, 0) && http1_between(&r.http, 1));
	run_feed(&r, 1, NEXT, strlen(NEXT));
	run_feed(&r, 0, NEXT, strlen(NEXT));
	assert_string_equal(run_result(&r, 0), "<REQ upgrade ws>$");
	assert_string_equal(run_result(&r, 1), "<101 upgrade ws>$^");
	assert_int_equal(r.dir[0].skipped[FRAMER_SKIP_OPAQUE], strlen(NEXT));
	assert_int_equal(r.dir[1].skipped[FRAMER_SKIP_OPAQUE], strlen(NEXT));
	run_free(&r);
}

static void
looks_like(void **state)
{
	static const struct {
		const char *in;
		int want;
	} t[] = {
		{"POST / HTTP/1.1\r\n", 1},
		{"\r\nGET /x HTTP/1.0\r\n", 1},
		{"HTTP/1.1 200 OK", 1},
		{"HTTP/1.0", 1},
		{"OPTIONS * HTTP/1.1\r\n", 1},
		{"POST http://a/ HTTP/1.1", 1},
		{"x /", 1},
		{"GET / HTTP/1.", 1},
		{"", -1},
		{"P", -1},
		{"POST", -1},
		{"POST ", -1},
		{"HTTP", -1},
		{"HTTP/1.", -1},
		{"\r\n", -1},
		{"GET / HT", -1},
		{"PRI *", -1},
		{"PRI * HTTP/", -1},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
		{"GET / HTTP/2.0", 0},
		{"\x16\x03\x01\x02\x05\x01", 0},
		{"\x81\xfe\x01\x02", 0},
		{"\x01\x9e\x04\x22", 0},
		{"{\"jsonrpc\":", 0},
		{"[1]", 0},
		{"HTTP/1.x", 0},
		{"HTTP/1.11", 0},
		{"HTTP/2 200", 0},
		{"GET  /", 0},
		{"GET \x7f", 0},
		{"GET / FTP/1.1", 0},
		{" GET /", 0},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		int got =
			http1_looks_like((struct span){(const uint8_t *)t[i].in, (uint32_t)strlen(t[i].in)});
		if (got != t[i].want)
			fail_msg("%s: %d", t[i].in, got);
	}
	/* what has been said no to must not become a yes by more bytes, nor the other way round */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t n = (uint32_t)strlen(rows[i].in);
		int last = -1;
		for (uint32_t k = 0; k <= n; k++) {
			int got = http1_looks_like((struct span){(const uint8_t *)rows[i].in, k});
			assert_true(last == -1 || got == last || (last == 1 && k > 0));
			assert_false(last == 0 && got != 0);
			last = got;
		}
		if (strstr(rows[i].out, "!bad") == NULL)
			assert_int_equal(last, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_at_every_cut),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(a_head_has_an_end),
		cmocka_unit_test(more_requests_than_are_remembered),
		cmocka_unit_test(an_upgrade_ends_both_directions),
		cmocka_unit_test(looks_like),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
