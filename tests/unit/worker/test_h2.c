/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON-RPC over HTTP/2 in plaintext, which nodes that are built on hyper, Vert.x or x/net's h2c take on the port of HTTP/1, by prior
 * knowledge or as an upgrade: what is submitted so is scanned however it is framed. */
#include "bombs.h"

#include "worker/worker_private.h"

static const char post_root[] = "\x83\x86\x84"; /* :method POST, :scheme http, :path / */

static void
add_preface(struct text *t)
{
	text_add(t, H2_PREFACE_TEXT);
	h2_frame(t, SETTINGS, 0, 0, NULL, 0);
}

static void
add_head(struct text *t, uint32_t stream)
{
	h2_frame(t, HEADERS, END_HEADERS, stream, post_root, 3);
}

static void
add_call(struct text *t, uint32_t stream, const struct text *body)
{
	add_head(t, stream);
	h2_frame(t, DATA, END_STREAM, stream, body->p, body->n);
}

static void
scene_new(struct scene *s)
{
	memset(s, 0, sizeof *s);
	rig_new(&s->g);
	rig_open(&s->g, &s->f, 1);
}

static void
cut_anywhere(void **state)
{
	static const uint32_t segments[] = {1, 2, 3, 5, 7, 60, 300, 1448};
	for (unsigned i = 0; i < sizeof segments / sizeof *segments; i++) {
		struct scene s;
		struct text body = {0}, t = {0};
		scene_new(&s);
		add_fresh(&s, &body);
		add_preface(&t);
		add_call(&t, 1, &body);
		s.g.segment = segments[i];
		rig_say(&s.g, &s.f, 0, text_span(&t));
		assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(s.g.c[CTR_JSON_MESSAGES], 1);
		assert_int_equal(s.g.last.where.carrier, CARRIER_HTTP_JSONRPC);
		assert_int_equal(s.g.last.where.direction, DIR_C2S);
		assert_int_equal(s.g.last.where.trust & TRUST_MIDSTREAM, 0);
		rig_stop(&s.g);
		text_free(&body);
		text_free(&t);
	}
}

/* A byte a frame, of two streams in turn, with padding, on paths that gRPC uses. */
static void
streams_in_turn(void **state)
{
	static const char path[] = "\x83\x86\x04\x17/txpool.Txpool/Transactions";
	struct scene s;
	struct text body[2] = {{0}}, t = {0};
	scene_new(&s);
	add_preface(&t);
	for (unsigned i = 0; i < 2; i++) {
		text_add(&body[i], "\r\n\t ");
		add_fresh(&s, &body[i]);
		char block[64];
		memcpy(block, path, sizeof path - 1);
		block[3] = (char)strlen(path + 4);
		h2_frame(&t, HEADERS, END_HEADERS, 1 + 2 * i, block, sizeof path - 1);
	}
	assert_int_equal(body[0].n, body[1].n);
	for (uint32_t at = 0; at < body[0].n; at++) {
		for (unsigned i = 0; i < 2; i++) {
			const char padded[] = {2, body[i].p[at], '}', '}'};
			h2_frame(&t, DATA, PADDED, 1 + 2 * i, padded, sizeof padded);
		}
	}
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 2);
	rig_stop(&s.g);
	text_free(&t);
	text_free(&body[0]);
	text_free(&body[1]);
}

static void
add_upgrade(struct scene *s, struct text *t)
{
	struct text body = {0};
	add_fresh(s, &body);
	text_post(t, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", &body);
	text_free(&body);
}

/* The first request is HTTP/1's, the others are not: answered with 101 or not yet, and with the preface cut anywhere. */
static void
upgraded(void **state)
{
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\0\0\0\4\0\0\0\0\0";
	for (unsigned answered = 0; answered < 2; answered++) {
		for (uint32_t cut = 0; cut < 26; cut++) {
			struct scene s;
			struct text body = {0}, t = {0};
			scene_new(&s);
			add_upgrade(&s, &t);
			uint32_t first = t.n + cut;
			add_preface(&t);
			add_fresh(&s, &body);
			add_call(&t, 3, &body);
			rig_say(&s.g, &s.f, 0, (struct span){(uint8_t *)t.p, first});
			if (answered)
				rig_say(&s.g, &s.f, 1, (struct span){(const uint8_t *)answer, sizeof answer - 1});
			rig_say(&s.g, &s.f, 0, (struct span){(uint8_t *)t.p + first, t.n - first});
			assert_int_equal(s.g.c[CTR_TX_SCANNED], 2);
			if (!answered)
				rig_say(&s.g, &s.f, 1, (struct span){(const uint8_t *)answer, sizeof answer - 1});
			body.n = t.n = 0;
			add_fresh(&s, &body);
			add_call(&t, 5, &body);
			rig_say(&s.g, &s.f, 0, text_span(&t));
			assert_int_equal(s.g.c[CTR_TX_SCANNED], 3);
			rig_stop(&s.g);
			text_free(&body);
			text_free(&t);
		}
	}
}

/* x/net's handler finds the preface behind any number of requests. */
static void
behind_requests(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_new(&s);
	for (unsigned i = 0; i < 3; i++)
		submit(&s, &s.f);
	add_preface(&t);
	for (unsigned i = 0; i < 3; i++) {
		body.n = 0;
		add_fresh(&s, &body);
		add_call(&t, 1 + 2 * i, &body);
		rig_say(&s.g, &s.f, 0, text_span(&t));
		assert_int_equal(s.g.c[CTR_TX_SCANNED], 4 + i);
		rig_answer(&s.g, &s.f); /* of an earlier request */
		t.n = 0;
	}
	rig_stop(&s.g);
	text_free(&body);
	text_free(&t);
}

static void
joined_within(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	memset(&s, 0, sizeof s);
	rig_new(&s.g);
	rig_join(&s.f, 1);
	h2_frame(&t, 8, 0, 0, "\0\0\1", 4);
	add_fresh(&s, &body);
	add_call(&t, 7, &body);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	assert_true(s.g.last.where.trust & TRUST_MIDSTREAM);
	rig_stop(&s.g);
	text_free(&body);
	text_free(&t);
}

/* Bodies that are begun and left, more than there are readers and places for streams: each is counted, none keeps anything, and what comes
 * whole is read. */
static void
begun_and_left(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_new(&s);
	add_fresh(&s, &body);
	const uint32_t connections = 20, streams = 20;
	for (uint32_t i = 0; i < connections; i++) {
		struct rig_flow f;
		rig_open(&s.g, &f, 10 + i);
		t.n = 0;
		add_preface(&t);
		for (uint32_t k = 0; k < streams; k++) {
			add_head(&t, 1 + 2 * k);
			h2_frame(&t, DATA, 0, 1 + 2 * k, body.p, body.n - 9);
		}
		rig_say(&s.g, &f, 0, text_span(&t));
	}
	assert_int_equal(s.g.c[CTR_JSON_TRUNCATED], connections * streams - H2_BODIES);
	assert_int_equal(s.g.c[CTR_TX_UNSCANNED_GAP], connections * streams - H2_BODIES);
	t.n = 0;
	add_preface(&t);
	for (uint32_t k = 0; k < 40; k++) {
		add_head(&t, 1 + 2 * k);
		h2_frame(&t, DATA, 0, 1 + 2 * k, body.p, 5);
	}
	add_call(&t, 101, &body);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	rig_flush(&s.g);
	assert_int_equal(s.g.c[CTR_JSON_TRUNCATED], connections * streams + 40);
	rig_stop(&s.g);
	text_free(&body);
	text_free(&t);
}

/* A reset, and a gap, end one body; and whoever goes on after that says it anew. */
static void
cut_off(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_new(&s);
	add_preface(&t);
	for (unsigned i = 0; i < 2; i++) {
		add_fresh(&s, &body);
		add_head(&t, 1 + 4 * i);
		h2_frame(&t, DATA, 0, 1 + 4 * i, body.p, body.n / 2);
		if (i == 0)
			h2_frame(&t, RST_STREAM, 0, 1, "\0\0\0\10", 4);
		add_call(&t, 3 + 4 * i, &body);
		body.n = 0;
	}
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(s.g.c[CTR_JSON_TRUNCATED], 1);
	rig_flush(&s.g);
	assert_int_equal(s.g.c[CTR_JSON_TRUNCATED], 2);
	assert_int_equal(s.g.c[CTR_TX_UNSCANNED_GAP], 2);
	rig_stop(&s.g);
	text_free(&body);
	text_free(&t);
}

/* Another version of the bytes of a frame is looked at, too. */
static void
other_version(void **state)
{
	struct scene s;
	struct text a = {0}, b = {0}, t = {0};
	scene_new(&s);
	add_fresh(&s, &a);
	add_fresh(&s, &b);
	assert_int_equal(a.n, b.n);
	add_preface(&t);
	add_call(&t, 1, &a);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	memcpy(t.p + t.n - b.n, b.p, b.n);
	rig_at(&s.g, &s.f, 0, t.n - b.n, (struct span){(uint8_t *)t.p + t.n - b.n, b.n});
	assert_int_equal(s.g.c[CTR_OVERLAP_CONFLICTS], 1);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 2);
	rig_stop(&s.g);
	text_free(&a);
	text_free(&b);
	text_free(&t);
}

/* Go's servers take any word for a method, and geth answers such a request as it does a POST: it only begins as a preface does. */
static void
requests_that_begin_so(void **state)
{
	static const char *const begins[] = {"PRI / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nPOST / HTTP/1.1\r\n"};
	for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++) {
		for (uint32_t cut = 0; cut < 24; cut++) {
			for (unsigned before = 0; before < 2; before++) {
				struct scene s;
				struct text body = {0}, t = {0};
				scene_new(&s);
				if (before)
					submit(&s, &s.f);
				add_fresh(&s, &body);
				text_add(&t, "%sHost: a\r\nContent-Type: application/json\r\nContent-Length: %u\r\n\r\n", begins[i], body.n);
				add_bytes(&t, body.p, body.n);
				rig_say(&s.g, &s.f, 0, (struct span){(uint8_t *)t.p, cut});
				rig_say(&s.g, &s.f, 0, (struct span){(uint8_t *)t.p + cut, t.n - cut});
				if (s.g.c[CTR_TX_SCANNED] != 1 + before)
					print_error("begins %u, cut %u, before %u\n", i, cut, before);
				assert_int_equal(s.g.c[CTR_TX_SCANNED], 1 + before);
				rig_answer(&s.g, &s.f);
				submit(&s, &s.f);
				assert_int_equal(s.g.c[CTR_TX_SCANNED], 2 + before);
				rig_stop(&s.g);
				text_free(&body);
				text_free(&t);
			}
		}
	}
}

/* What the other direction holds as WebSocket is accounted for when both are read as HTTP/2. */
static void
beside_frames(void **state)
{
	struct scene s;
	struct text t = {0};
	scene_new(&s);
	rig_say(&s.g, &s.f, 0, literal("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n[1"));
	rig_say(&s.g, &s.f, 1, literal("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81"));
	rig_say(&s.g, &s.f, 0, literal(",]"));
	add_preface(&t);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	rig_stop(&s.g);
	text_free(&t);
}

/* The first bytes of a preface that were lost, or passed over, are not read again. */
static void
begun_and_lost(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene s;
		struct text t = {0};
		scene_new(&s);
		submit(&s, &s.f);
		if (i == 0) {
			rig_say(&s.g, &s.f, 0, literal("PR"));
			s.f.sent[0] += 5;
			rig_say(&s.g, &s.f, 0, literal("I * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
		} else {
			add_upgrade(&s, &t);
			rig_say(&s.g, &s.f, 0, text_span(&t));
			rig_say(&s.g, &s.f, 1, literal("HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
			rig_say(&s.g, &s.f, 1, literal("PR"));
			rig_say(&s.g, &s.f, 1, literal("I * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
		}
		rig_flush(&s.g);
		rig_check(&s.g, ID_FRAMES, ID_FINDINGS - 1);
		rig_stop(&s.g);
		text_free(&t);
	}
}

static void
as_the_profile_says(void **state)
{
	for (unsigned http = 0; http < 2; http++) {
		struct scene s;
		struct text body = {0}, t = {0};
		memset(&s, 0, sizeof s);
		rig_init(&s.g);
		s.g.config.feeds = (struct feeds){.off = {[FEED_HTTP] = !http, [FEED_ENGINE] = true, [FEED_GRPC] = http}};
		rig_start(&s.g);
		rig_open(&s.g, &s.f, 1);
		add_preface(&t);
		add_fresh(&s, &body);
		add_call(&t, 1, &body);
		rig_say(&s.g, &s.f, 0, text_span(&t));
		assert_int_equal(s.g.c[CTR_TX_SCANNED], http);
		assert_int_equal(s.g.c[CTR_FEED_OFF], !http);
		rig_stop(&s.g);
		text_free(&body);
		text_free(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(streams_in_turn),
		cmocka_unit_test(upgraded),
		cmocka_unit_test(behind_requests),
		cmocka_unit_test(joined_within),
		cmocka_unit_test(begun_and_left),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(other_version),
		cmocka_unit_test(requests_that_begin_so),
		cmocka_unit_test(beside_frames),
		cmocka_unit_test(begun_and_lost),
		cmocka_unit_test(as_the_profile_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
