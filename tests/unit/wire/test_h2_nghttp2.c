/* SPDX-License-Identifier: BSD-3-Clause */
/* h2 beside nghttp2: a client and a server session of nghttp2 speak with each other, many streams at a time,
 * padded, with trailers, resets, settings and large headers. What each of them was told, h2 must have seen.
 */
#include "tests/unit/wire/h2_run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#define STREAMS_MAX 400

static uint64_t seed = 1;
static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

/* What came in on a stream. */
struct half {
	struct bytes data;
	bool ended;
};

struct peer {
	nghttp2_session *s;
	bool is_server;
	struct half in[STREAMS_MAX]; /* by (stream - 1) / 2 */
	uint8_t path[STREAMS_MAX];
	uint32_t to_send[STREAMS_MAX];
	struct bytes out; /* bytes on the wire, not delivered yet */
};

static const char *const request_paths[] = {"/txpool.Txpool/OnAdd", "/txpool.Txpool/Add", "/other/thing"};

static ssize_t
read_source(nghttp2_session *s, int32_t stream, uint8_t *buf, size_t n, uint32_t *flags,
	nghttp2_data_source *source, void *user)
{
	struct peer *p = user;
	uint32_t *left = &p->to_send[(stream - 1) / 2];
	uint32_t k = 1 + rnd(rnd(3) ? 100 : 16384);
	k = k < *left ? k : *left;
	k = k < n ? k : (uint32_t)n;
	for (uint32_t i = 0; i < k; i++)
		buf[i] = (uint8_t)rnd(256);
	*left -= k;
	if (*left == 0) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (p->is_server) {
			nghttp2_nv trailer = {(uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0};
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			assert_int_equal(nghttp2_submit_trailer(s, stream, &trailer, 1), 0);
		}
	}
	return (ssize_t)k;
}

static ssize_t
choose_padding(nghttp2_session *s, const nghttp2_frame *f, size_t most, void *user)
{
	size_t n = f->hd.length + (rnd(3) ? 0 : rnd(255));
	return (ssize_t)(n < most ? n : most);
}

static int
on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *p, size_t n, void *user)
{
	struct peer *peer = user;
	add(&peer->in[(stream - 1) / 2].data, p, n);
	return 0;
}

static int
on_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct peer *p = user;
	unsigned i = ((unsigned)f->hd.stream_id - 1) / 2;
	bool ends = (f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) && f->hd.flags & 1;
	if (ends)
		p->in[i].ended = true;
	if (p->is_server && f->hd.type == NGHTTP2_HEADERS) {
		nghttp2_nv status = {(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0};
		nghttp2_data_provider source = {.read_callback = read_source};
		p->to_send[i] = rnd(4) ? rnd(3000) : rnd(60000);
		nghttp2_submit_response(s, f->hd.stream_id, &status, 1, &source);
	}
	return 0;
}

static void
open_peer(struct peer *p, bool is_server)
{
	nghttp2_session_callbacks *cb;
	memset(p, 0, sizeof *p);
	p->is_server = is_server;
	nghttp2_session_callbacks_new(&cb);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_select_padding_callback(cb, choose_padding);
	if (is_server)
		nghttp2_session_server_new(&p->s, cb, p);
	else
		nghttp2_session_client_new(&p->s, cb, p);
	nghttp2_session_callbacks_del(cb);
	static const uint32_t tables[] = {4096, 0, 100, 16384, 65536};
	nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, tables[rnd(5)]},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535 + rnd(1000000)},
		{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16384 + rnd(100000)}};
	nghttp2_submit_settings(p->s, NGHTTP2_FLAG_NONE, settings, 3);
}

static unsigned
request(struct peer *client, unsigned i)
{
	static uint8_t big[20000];
	unsigned path = rnd(3);
	nghttp2_nv h[] = {{(uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0},
		{(uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0},
		{(uint8_t *)":path", (uint8_t *)(uintptr_t)request_paths[path], 5,
			strlen(request_paths[path]), 0},
		{(uint8_t *)":authority", (uint8_t *)"node:9090", 10, 9, 0},
		{(uint8_t *)"te", (uint8_t *)"trailers", 2, 8, 0},
		{(uint8_t *)"x-large", big, 7, rnd(20000), 0}};
	memset(big, 'a' + (int)rnd(26), sizeof big);
	nghttp2_data_provider source = {.read_callback = read_source};
	client->to_send[i] = rnd(4) ? rnd(2000) : rnd(50000);
	client->path[i] = (uint8_t)(path < 2 ? HPACK_PATH_FIRST + path : HPACK_PATH_OTHER);
	int32_t id = nghttp2_submit_request(client->s, NULL, h, rnd(6) ? 5 : 6, &source, NULL);
	assert_int_equal(id, 2 * (int)i + 1);
	return path;
}

/* What h2 says. */
struct seen {
	struct half half[2][STREAMS_MAX];
	uint8_t path[STREAMS_MAX];
	bool reset[STREAMS_MAX];
	uint64_t parsed;
};

static void
watch(struct h2 *h, struct h2_arena *a, struct seen *seen, unsigned dir, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n);
	memcpy(copy, p, n);
	struct span in = {copy, (uint32_t)n};
	while (in.len > 0) {
		struct framer_out o;
		uint32_t k = h2_feed(h, dir, a, in, &o);
		const struct h2_last *l = h2_last(h, dir);
		assert_true(
			o.verdict == FRAMER_MORE || o.verdict == FRAMER_MESSAGE || o.verdict == FRAMER_BODY);
		seen->parsed += o.parsed;
		if (o.verdict != FRAMER_MORE) {
			struct half *half = &seen->half[dir][(l->stream - 1) / 2];
			add(&half->data, o.body.p, o.body.len);
			half->ended |= o.last && !l->reset;
			seen->reset[(l->stream - 1) / 2] |= l->reset;
			seen->path[(l->stream - 1) / 2] = h->streams[l->index].path;
		}
		in.p += k;
		in.len -= k;
	}
	free(copy);
}

/* Takes some bytes of what p wants to send. */
static size_t
deliver(struct peer *p, struct peer *to, struct h2 *h, struct h2_arena *a, struct seen *seen)
{
	const uint8_t *bytes;
	ssize_t n;
	while (p->out.n < 30000 && (n = nghttp2_session_mem_send(p->s, &bytes)) > 0)
		add(&p->out, bytes, (size_t)n);
	size_t k = rnd(3) ? 1 + rnd(1448) : 1 + rnd(40);
	k = k < p->out.n ? k : p->out.n;
	if (k == 0)
		return 0;
	watch(h, a, seen, p->is_server, p->out.p, k);
	assert_int_equal(nghttp2_session_mem_recv(to->s, p->out.p, k), k);
	memmove(p->out.p, p->out.p + k, p->out.n - k);
	p->out.n -= k;
	return k;
}

static void
compare(const struct peer *client, const struct peer *server, const struct seen *seen, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct half *want[2] = {&server->in[i], &client->in[i]};
		if (seen->reset[i])
			continue;
		assert_int_equal(seen->path[i], client->path[i]);
		for (unsigned dir = 0; dir < 2; dir++) {
			const struct half *got = &seen->half[dir][i];
			assert_int_equal(got->data.n, want[dir]->data.n);
			if (got->data.n > 0)
				assert_memory_equal(got->data.p, want[dir]->data.p, got->data.n);
			assert_int_equal(got->ended, want[dir]->ended);
		}
	}
}

static void
close_all(struct peer *client, struct peer *server, struct seen *seen)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++) {
		free(client->in[i].data.p);
		free(server->in[i].data.p);
		free(seen->half[0][i].data.p);
		free(seen->half[1][i].data.p);
	}
	free(client->out.p);
	free(server->out.p);
	nghttp2_session_del(client->s);
	nghttp2_session_del(server->s);
}

static void
test_sessions(void **state)
{
	static struct peer client, server;
	static struct seen seen;
	unsigned ended = 0;
	for (unsigned round = 0; round < 25; round++) {
		struct h2 h;
		struct h2_arena a = {.paths = {run_paths, 2}};
		uint64_t sent = 0;
		memset(&seen, 0, sizeof seen);
		open_peer(&client, false);
		open_peer(&server, true);
		h2_init(&h, false);
		unsigned opened = 0, most = 20 + rnd(100);
		for (unsigned idle = 0; idle < 50;) {
			bool busy = nghttp2_session_get_outbound_queue_size(client.s) > 8;
			unsigned active = 0;
			for (unsigned i = 0; i < opened; i++)
				active += !seen.reset[i] && !(seen.half[0][i].ended && seen.half[1][i].ended);
			if (round % 5 != 0 && active >= H2_STREAMS - 8)
				busy = true;
			if (opened < most && !busy && rnd(4) == 0)
				request(&client, opened++);
			unsigned victim = rnd(opened + 1);
			if (rnd(200) == 0 &&
				seen.path[victim] != 0) { /* only one that is known to the server */
				nghttp2_submit_rst_stream(
					client.s, 0, 2 * (int32_t)victim + 1, NGHTTP2_CANCEL);
				seen.reset[victim] =
					true; /* what it still hears of it is nobody's business */
			}
			if (rnd(100) == 0)
				nghttp2_submit_ping(
					rnd(2) ? client.s : server.s, 0, (const uint8_t *)"12345678");
			bool up = rnd(2);
			size_t k = up ? deliver(&client, &server, &h, &a, &seen)
				      : deliver(&server, &client, &h, &a, &seen);
			sent += k;
			idle = k > 0 || opened < most ? 0 : idle + 1;
		}
		assert_int_equal(seen.parsed, sent);
		assert_int_equal(h2_client(&h), 0);
		assert_int_equal(a.counts[H2_N_BAD_FRAME] + a.counts[H2_N_BAD_HEADERS], 0);
		if (a.counts[H2_N_STREAMS_OVER] == 0)
			compare(&client, &server, &seen, opened);
		ended += a.counts[H2_N_STREAMS_OVER] == 0 ? opened : 0;
		close_all(&client, &server, &seen);
	}
	assert_true(ended > 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sessions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
