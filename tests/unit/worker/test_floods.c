/* SPDX-License-Identifier: BSD-3-Clause */
/* What is too deep, too many or too long, and what never ends, in every protocol: the counter says so, the next message on the same connection
 * is read, what is said beside is read, and what is held stays within the caps. */
#include "bombs.h"

#include "tests/unit/wire/base64_plain.h"
#include "wire/arbfeed.h"
#include "wire/http1.h"
#include "wire/json.h"
#include "worker/worker_private.h"

/* ---- nesting ---- */

enum way { HTTP, WS, BARE, CARRIERS };

static void
carrier_open(struct scene *s, enum way carrier, unsigned number)
{
	if (carrier == WS)
		ws_open(&s->g, &s->f, number, "");
	else
		rig_open(&s->g, &s->f, number);
}

/* The body as the carrier has it. */
static void
add_carried(struct text *t, enum way carrier, unsigned dir, const struct text *body)
{
	if (carrier == WS) {
		add_frame(t, WS_TEXT, dir == 0, text_span(body));
	} else if (carrier == BARE) {
		add_bytes(t, body->p, body->n);
	} else if (dir == 0) {
		text_post(t, "", body);
	} else {
		text_add(t, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", body->n);
		add_bytes(t, body->p, body->n);
	}
}

static void
carried_one(struct scene *s, enum way carrier, unsigned dir)
{
	struct text body = {0}, t = {0};
	if (dir == 0)
		add_fresh(s, &body);
	else
		add_pushed(s, &body);
	add_carried(&t, carrier, dir, &body);
	says_one(s, &s->f, dir, text_span(&t));
	text_free(&body);
	text_free(&t);
}

static void
nest(enum way carrier, unsigned dir, const char *open, const char *close, unsigned times, unsigned depth)
{
	static const enum sentinel_counter counter[] = {CTR_JSON_DEPTH, CTR_ANSWERS_DEPTH};
	struct scene s;
	struct text body = {0}, t = {0};
	scene_begin(&s, NULL, true);
	carrier_open(&s, carrier, 3);
	carried_one(&s, carrier, dir);
	add_fill(&body, open, times);
	add_bytes(&body, "1", 1);
	add_fill(&body, close, times);
	add_carried(&t, carrier, dir, &body);
	rig_say(&s.g, &s.f, dir, text_span(&t));
	if (depth > JSONRPC_DEPTH_MAX)
		assert_true(s.g.c[counter[dir]] >= 1);
	else
		assert_int_equal(s.g.c[counter[dir]], 0);
	assert_int_equal(s.g.c[CTR_TX_CROSSED], 1);
	carried_one(&s, carrier, dir);
	carried_one(&s, carrier, dir);
	scene_end(&s);
	text_free(&body);
	text_free(&t);
}

static void
nesting(void **state)
{
	static const unsigned depths[] = {JSONRPC_DEPTH_MAX, JSONRPC_DEPTH_MAX + 1, 50000};
	for (unsigned i = 0; i < 3; i++)
		for (unsigned carrier = 0; carrier < CARRIERS; carrier++)
			for (unsigned dir = 0; dir < 2; dir++) {
				nest(carrier, dir, "[", "]", depths[i], depths[i]);
				nest(carrier, dir, "{\"params\":", "}", depths[i], depths[i]);
				nest(carrier, dir, "{\"result\":[", "]}", (depths[i] + 1) / 2, depths[i]);
			}
}

/* Bundles in bundles, and a transaction at the bottom. */
static void
bundles_in_bundles(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_begin(&s, NULL, true);
	text_add(&body, "{\"id\":1,\"method\":\"mev_sendBundle\",\"params\":[");
	add_fill(&body, "{\"body\":[{\"bundle\":", 900);
	text_add(&body, "{\"body\":[{\"tx\":\"0x");
	text_hex(&body, (struct span){rig_eip155, sizeof rig_eip155});
	text_add(&body, "\"}]}");
	add_fill(&body, "}]}", 900);
	text_add(&body, "]}");
	text_post(&t, "", &body);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	rig_answer(&s.g, &s.f);
	assert_int_equal(s.g.c[CTR_TX_UNSCANNED_OVERSIZE], 1);
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&body);
	text_free(&t);
}

/* ---- too many ---- */

#define MANY 100000u

/* Requests that all wait for an answer, a submission behind them; then as many hashes. */
static void
batch(enum way carrier)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_begin(&s, NULL, true);
	carrier_open(&s, carrier, 3);
	s.g.unchecked = true;
	s.g.segment = 60000;
	text_add(&body, "[");
	for (unsigned i = 0; i < MANY; i++)
		text_add(&body, "{\"id\":%u,\"method\":\"eth_chainId\"},", i);
	add_fresh(&s, &body);
	text_add(&body, "]");
	add_carried(&t, carrier, 0, &body);
	says_one(&s, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_JSON_MESSAGES], MANY + 1);
	assert_int_equal(s.g.w->joins.evicted[1], MANY + 1 - JOIN_PER_CONN);
	body.n = t.n = 0;
	for (unsigned i = 0; i < MANY; i++)
		text_add(&body, "%c{\"id\":%u,\"result\":\"0x%064u\"}", i ? ',' : '[', i + MANY, i);
	text_add(&body, "]");
	add_carried(&t, carrier, 1, &body);
	rig_say(&s.g, &s.f, 1, text_span(&t));
	assert_int_equal(s.g.c[CTR_ANSWERS], MANY);
	assert_int_equal(s.g.c[CTR_NODE_HASHES], MANY);
	assert_int_equal(s.g.c[CTR_NODE_MISSED_EVICTED] + s.g.c[CTR_NODE_MISSED_NO_SUCH_ID], MANY);
	rig_check(&s.g, ID_NODE, ID_NODE);
	carried_one(&s, carrier, 0);
	carried_one(&s, carrier, 1);
	scene_end(&s);
	text_free(&body);
	text_free(&t);
}

static void
batches(void **state)
{
	for (unsigned carrier = 0; carrier < CARRIERS; carrier++)
		batch(carrier);
}

/* Submissions, not one of them the same. */
static void
batch_of_submissions(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_begin(&s, NULL, true);
	s.g.unchecked = true;
	s.g.segment = 60000;
	for (unsigned i = 0; i < 20000; i++) {
		struct span tx = rig_tx(TO_NOTHING, i, 0);
		text_add(&body, i ? "," : "[");
		text_raw(&body, tx);
		free((void *)(uintptr_t)tx.p);
	}
	text_add(&body, "]");
	text_post(&t, "", &body);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 20000);
	rig_answer(&s.g, &s.f);
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&body);
	text_free(&t);
}

/* One request with more elements than are kept: all are counted, none scanned twice. */
static void
list_of_transactions(void **state)
{
	struct scene s;
	struct text body = {0}, t = {0};
	scene_begin(&s, NULL, true);
	s.g.unchecked = true;
	s.g.segment = 60000;
	text_add(&body, "{\"id\":1,\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[");
	for (unsigned i = 0; i < MANY; i++)
		text_add(&body, "%s\"0x%02x\"", i ? "," : "", i & 0xff);
	text_add(&body, "]}]}");
	text_post(&t, "", &body);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	rig_answer(&s.g, &s.f);
	assert_int_equal(s.g.c[CTR_TX_CROSSED], s.g.c[CTR_TX_UNSCANNED_OVERSIZE] + s.g.c[CTR_TX_UNSCANNED_RLP] + s.g.c[CTR_TX_DUPLICATE]);
	assert_true(s.g.c[CTR_TX_UNSCANNED_OVERSIZE] >= 1);
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&body);
	text_free(&t);
}

/* ---- HTTP heads ---- */

static void
head_flood(unsigned dir, const char *line, const char *repeat)
{
	struct scene s;
	struct text t = {0};
	scene_begin(&s, NULL, true);
	s.g.unchecked = true;
	submits_one(&s, &s.f);
	text_add(&t, "%s%s", dir == 0 ? "POST / HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n", line);
	add_fill(&t, repeat, (HTTP1_HEAD_MAX + 100000) / strlen(repeat));
	for (uint32_t at = 0; at < t.n; at += 1448) {
		rig_say(&s.g, &s.f, dir, (struct span){(uint8_t *)t.p + at, t.n - at < 1448 ? t.n - at : 1448});
		assert_true(s.g.c[CTR_ST_BUFFERED] <= 2u * HTTP1_LINE_MAX + 16384u + HTTP1_HEAD_MAX);
	}
	rig_check(&s.g, ID_FRAMES, ID_TRANSACTIONS);
	submits_one(&s, &s.f);
	assert_true(s.g.c[CTR_HTTP_BAD] >= 1); /* zeros without end are what hyper takes, until something else comes */
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&t);
}

static void
head_floods(void **state)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		head_flood(dir, "", "A: b\r\n");
		head_flood(dir, "X: ", "0123456789abcdef");
		head_flood(dir, "Content-Length: ", "0");
		head_flood(dir, "Transfer-Encoding: chunked\r\n\r\n", "00000000000000000");
		head_flood(dir, "Transfer-Encoding: chunked\r\n\r\n1;", "extension=more;");
		head_flood(dir, "Transfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: that never ends\r\n");
	}
}

/* More requests than are remembered, none of them answered; then one that is. */
static void
requests_without_answers(void **state)
{
	struct scene s;
	struct text t = {0};
	scene_begin(&s, NULL, true);
	s.g.unchecked = true;
	for (unsigned i = 0; i < MANY; i++)
		text_add(&t, "GET / HTTP/1.1\r\n\r\n");
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_HTTP_REQUESTS], MANY + 1);
	submits_one(&s, &s.f);
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&t);
}

/* ---- what never ends ---- */

/* Bodies, messages and answers with a transaction in them, all but their ends: each holds a buffer. */
static void
slow_ones_hold_nothing_of_others(void **state)
{
	enum { SLOW = 60 };
	struct scene s;
	struct rig_flow slow[SLOW];
	struct worker_config c = scene_config();
	c.conns_max = 128;
	scene_begin(&s, &c, false);
	s.g.unchecked = true;
	for (unsigned i = 0; i < SLOW; i++) {
		struct text body = {0}, t = {0};
		enum way carrier = i % CARRIERS;
		unsigned dir = i / CARRIERS % 2;
		if (carrier == WS)
			ws_open(&s.g, &slow[i], 10 + i, "");
		else
			rig_open(&s.g, &slow[i], 10 + i);
		if (dir == 0)
			add_fresh(&s, &body);
		else
			add_pushed(&s, &body);
		add_carried(&t, carrier, dir, &body);
		rig_say(&s.g, &slow[i], dir, (struct span){(uint8_t *)t.p, t.n - 100});
		text_free(&body);
		text_free(&t);
	}
	worker_housekeep(s.g.w, s.g.now_ns);
	assert_int_equal(s.g.c[CTR_SLABS_STOLEN], SLOW - s.g.config.slabs[0]);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 0);
	for (unsigned carrier = 0; carrier < CARRIERS; carrier++) { /* in pieces, beside those */
		s.g.segment = 100;
		carrier_open(&s, carrier, 3 + carrier);
		carried_one(&s, carrier, 0);
		carried_one(&s, carrier, 1);
	}
	s.g.segment = 0;
	/* fill what is left of the slow ones: every one is told of */
	for (unsigned i = 0; i < SLOW; i++) {
		static const char rest[101] = "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\"]}     \"}}\n";
		rig_say(&s.g, &slow[i], i / CARRIERS % 2, (struct span){(const uint8_t *)rest, 100});
	}
	rig_check(&s.g, ID_FRAMES, ID_TRANSACTIONS);
	assert_true(s.g.c[CTR_TX_UNSCANNED_NO_BUFFER] >= 1);
	scene_end(&s);
}

/* A message in pieces of a byte, with pings and empty pieces between them, and one that goes on like that without an end. */
static void
fragments_without_end(void **state)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		struct scene s;
		struct text body = {0}, t = {0};
		scene_begin(&s, NULL, true);
		ws_open(&s.g, &s.f, 3, "");
		s.g.unchecked = true;
		for (unsigned whole = 2; whole-- > 0;) {
			body.n = t.n = 0;
			if (dir == 0)
				add_fresh(&s, &body);
			else
				add_pushed(&s, &body);
			for (uint32_t i = 0; i < body.n; i++) {
				add_frame(&t, i == 0 ? 1 : 0, dir == 0, (struct span){(uint8_t *)body.p + i, 1});
				add_frame(&t, 0x89, dir == 0, literal(""));
				add_frame(&t, 0, dir == 0, literal(""));
			}
			for (unsigned i = 0; i < MANY && !whole; i++)
				add_frame(&t, 0, dir == 0, literal("  "));
			if (whole)
				add_frame(&t, 0x80, dir == 0, literal(""));
			uint64_t before = s.g.c[CTR_TX_SCANNED];
			rig_say(&s.g, &s.f, dir, text_span(&t));
			assert_int_equal(s.g.c[CTR_TX_SCANNED], before + 1);
		}
		assert_int_equal(s.g.c[CTR_WS_MESSAGES], 2);
		assert_true(s.g.c[CTR_ST_BUFFERED] <= 14);
		t.n = 0;
		add_frame(&t, 0x80, dir == 0, literal(""));
		rig_say(&s.g, &s.f, dir, text_span(&t));
		carried_one(&s, WS, dir);
		assert_int_equal(s.g.c[CTR_WS_BAD] + s.g.c[CTR_WS_LOST], 0);
		scene_end(&s);
		text_free(&body);
		text_free(&t);
	}
}

/* Ids that are never answered, on as many connections as it takes. */
static void
ids_without_answers(void **state)
{
	enum { OTHERS = 20, POOL = 256 };
	struct worker_config c = scene_config();
	struct scene s;
	struct rig_flow other[OTHERS];
	c.joins = POOL;
	scene_begin(&s, &c, true);
	for (unsigned i = 0; i < OTHERS; i++) {
		struct text body = {0}, t = {0};
		ws_open(&s.g, &other[i], 10 + i, "");
		for (unsigned k = 0; k < 100; k++) {
			body.n = 0;
			text_add(&body, "{\"id\":%u,\"method\":\"eth_chainId\"}", k);
			add_frame(&t, WS_TEXT, true, text_span(&body));
		}
		rig_say(&s.g, &other[i], 0, text_span(&t));
		text_free(&body);
		text_free(&t);
	}
	assert_int_equal(s.g.w->joins.added, OTHERS * 100);
	assert_int_equal(s.g.w->joins.evicted[0], OTHERS * 100 - POOL);
	/* whoever asks now is understood */
	struct text body = {0}, t = {0};
	add_fresh(&s, &body);
	text_post(&t, "", &body);
	says_one(&s, &s.f, 0, text_span(&t));
	rig_say(&s.g, &s.f, 1, literal("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"id\":1,\"result\":\""
		"0x0000000000000000000000000000000000000000000000000000000000000001\"}     "));
	assert_int_equal(s.g.c[CTR_NODE_SCANNED], 1);
	/* and the answer to one that was forgotten says why it finds nothing */
	body.n = t.n = 0;
	text_add(&body, "{\"id\":1,\"result\":\"0x%064u\"}", 1);
	add_frame(&t, WS_TEXT, false, text_span(&body));
	rig_say(&s.g, &other[0], 1, text_span(&t));
	assert_int_equal(s.g.c[CTR_NODE_MISSED_EVICTED], 1);
	text_free(&body);
	text_free(&t);
	scene_end(&s);
}

/* ---- sequencers ---- */

static void
says_broadcast(struct scene *s, struct span l2)
{
	char *b64 = malloc((size_t)l2.len * 2 + 8);
	struct text body = {0}, t = {0};
	size_t n = base64_encode(l2.p, l2.len, b64);
	text_add(&body, "{\"version\":1,\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"header\":{\"kind\":3},\"l2Msg\":\"");
	add_bytes(&body, b64, n);
	text_add(&body, "\"},\"delayedMessagesRead\":1}}]}");
	add_frame(&t, WS_TEXT, false, text_span(&body));
	rig_say(&s->g, &s->f, 1, text_span(&t));
	free(b64);
	text_free(&body);
	text_free(&t);
}

static void
broadcasts_one(struct scene *s)
{
	uint64_t before = s->g.c[CTR_TX_SCANNED];
	struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
	struct text l2 = {0};
	add_bytes(&l2, "\4", 1);
	add_bytes(&l2, tx.p, tx.len);
	says_broadcast(s, text_span(&l2));
	assert_int_equal(s->g.c[CTR_TX_SCANNED], before + 1);
	free((void *)(uintptr_t)tx.p);
	text_free(&l2);
}

/* One batch in another, `depth` of them, around a transaction. */
static void
nested_l2(struct text *l2, unsigned depth, struct span tx)
{
	uint32_t inner = 1 + tx.len;
	for (unsigned i = depth; i > 0; i--) {
		uint32_t len = inner + (i - 1) * 9;
		uint8_t head[9] = {3, 0, 0, 0, 0, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
		add_bytes(l2, head, 9);
	}
	add_bytes(l2, "\4", 1);
	add_bytes(l2, tx.p, tx.len);
}

static void
sequencer(void (*flood)(struct scene *s))
{
	struct scene s;
	scene_begin(&s, NULL, true);
	ws_open(&s.g, &s.f, 3, "");
	broadcasts_one(&s);
	s.g.unchecked = true;
	flood(&s);
	broadcasts_one(&s);
	assert_int_equal(s.g.reports[CROSSING_DUPLICATE], 0);
	scene_end(&s);
}

static void
l2_nested(struct scene *s)
{
	static const unsigned depths[] = {16, 17, 20000};
	for (unsigned i = 0; i < 3; i++) {
		struct text l2 = {0};
		uint64_t scanned = s->g.c[CTR_TX_SCANNED];
		struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
		nested_l2(&l2, depths[i], tx);
		says_broadcast(s, text_span(&l2));
		assert_int_equal(s->g.c[CTR_TX_SCANNED], scanned + (i == 0));
		assert_int_equal(s->g.c[CTR_L2_UNREAD], i);
		free((void *)(uintptr_t)tx.p);
		text_free(&l2);
	}
}

/* Longer than any node reads; and the shortest batch elements, as many as fit. */
static void
l2_long(struct scene *s)
{
	struct text l2 = {0};
	add_fill(&l2, "\4", ARBFEED_L2MSG_MAX + 1);
	says_broadcast(s, text_span(&l2));
	assert_int_equal(s->g.c[CTR_L2_UNREAD], 1);
	l2.n = 0;
	add_fill(&l2, "\4", 8u << 20);
	says_broadcast(s, text_span(&l2));
	assert_int_equal(s->g.c[CTR_L2_UNREAD], 2);
	l2.n = 0;
	add_bytes(&l2, "\3", 1);
	while (l2.n + 9 <= ARBFEED_L2MSG_MAX)
		add_bytes(&l2, "\0\0\0\0\0\0\0\1\7", 9); /* compressed, empty */
	says_broadcast(s, text_span(&l2));
	assert_int_equal(s->g.c[CTR_L2_UNREAD], 2 + (ARBFEED_L2MSG_MAX - 1) / 9);
	text_free(&l2);
}

static void
l2_json(struct scene *s)
{
	struct text body = {0}, t = {0};
	text_add(&body, "{\"version\":1,\"messages\":[");
	add_fill(&body, "[", 20000);
	add_frame(&t, WS_TEXT, false, text_span(&body));
	rig_say(&s->g, &s->f, 1, text_span(&t));
	assert_int_equal(s->g.c[CTR_L2_BAD], 1);
	body.n = t.n = 0;
	text_add(&body, "{\"version\":1,\"messages\":[{}");
	add_fill(&body, ",{\"message\":null}", MANY);
	text_add(&body, "]}");
	add_frame(&t, WS_TEXT, false, text_span(&body));
	rig_say(&s->g, &s->f, 1, text_span(&t));
	assert_int_equal(s->g.c[CTR_L2_MESSAGES], 1 + MANY + 1);
	text_free(&body);
	text_free(&t);
}

static void
sequencers(void **state)
{
	sequencer(l2_nested);
	sequencer(l2_long);
	sequencer(l2_json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting),
		cmocka_unit_test(bundles_in_bundles),
		cmocka_unit_test(batches),
		cmocka_unit_test(batch_of_submissions),
		cmocka_unit_test(list_of_transactions),
		cmocka_unit_test(head_floods),
		cmocka_unit_test(requests_without_answers),
		cmocka_unit_test(slow_ones_hold_nothing_of_others),
		cmocka_unit_test(fragments_without_end),
		cmocka_unit_test(ids_without_answers),
		cmocka_unit_test(sequencers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
