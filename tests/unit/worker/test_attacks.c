/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody can make the box skip his transaction: not by what he sends first, beside or over it. */
#include "rig.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct span eip155 = {rig_eip155, sizeof rig_eip155};

static struct span
string(const char *s)
{
	return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static void
give_back(struct span tx)
{
	free((void *)(uintptr_t)tx.p);
}

static void
dirty_copy_hides_no_clean_one(void **state)
{
	struct rig g;
	struct rig_flow dirty, clean, other;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_new(&g);
	rig_join(&dirty, 1);
	rig_submit(&g, &dirty, tx);
	for (unsigned i = 0; i < 50; i++) /* a flood costs nothing */
		rig_submit(&g, &dirty, tx);
	rig_join(&other, 3);
	rig_submit(&g, &other, tx);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 51);
	rig_open(&g, &clean, 2);
	rig_submit(&g, &clean, tx);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(g.last.where.trust, TRUST_NOT_ACKED);
	rig_submit(&g, &clean, tx);
	rig_submit(&g, &dirty, tx); /* a dirty one after the clean one tells nothing new */
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 1);
	assert_int_equal(g.alert[0].r.grade, GRADE_PAGE);
	rig_submit(&g, &clean, eip155); /* nor does a dirty copy that comes after the only clean one */
	rig_submit(&g, &dirty, eip155);
	assert_int_equal(g.c[CTR_TX_SCANNED], 3);
	rig_stop(&g);
	give_back(tx);
}

/* A segment that only the box takes (its checksum is wrong, or it dies on the way), then the true one. */
static void
garbage_first_blinds_nothing(void **state)
{
	static const char garbage[] = "\x16\x03\x01 nothing that is HTTP, and quite a lot of it to have it cover the head of the request that comes next";
	for (unsigned lead = 1; lead < sizeof garbage; lead += 20) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		rig_new(&g);
		rig_open(&g, &f, 1);
		rig_at(&g, &f, 0, 0, (struct span){(const uint8_t *)garbage, lead});
		text_raw(&b, eip155);
		text_post(&t, "", &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_true(g.last.where.trust & TRUST_OVERLAP_CONFLICT);
		/* and what follows is read in the stream itself */
		struct span next = rig_tx(TO_WATCHED, 7, 10);
		rig_submit(&g, &f, next);
		assert_int_equal(g.c[CTR_TX_SCANNED], 2);
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
		give_back(next);
	}
}

static void
other_version_of_a_body(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text a = {0}, b = {0}, head = {0};
	struct span decoy = rig_tx(TO_NOTHING, 1, 20), tx = rig_tx(TO_WATCHED, 1, 20);
	text_raw(&a, decoy);
	text_raw(&b, tx);
	assert_int_equal(a.n, b.n);
	text_post(&head, "", &a);
	head.n -= a.n;
	for (unsigned batch = 0; batch < 2; batch++) {
		rig_new(&g);
		rig_open(&g, &f, 1);
		rig_say(&g, &f, 0, text_span(&head));
		uint32_t at = f.sent[0];
		rig_say(&g, &f, 0, text_span(&a));
		rig_at(&g, &f, 0, at, text_span(&b));
		assert_int_equal(g.c[CTR_OVERLAP_CONFLICTS], 1);
		assert_int_equal(g.c[CTR_TX_SCANNED], 2);
		assert_int_equal(g.c[CTR_TX_UNSCANNED_CONFLICT], 0);
		rig_drain(&g);
		assert_int_equal(g.alerts, 1);
		assert_true(g.alert[0].r.trust & TRUST_OVERLAP_CONFLICT);
		rig_stop(&g);
	}
	text_free(&a);
	text_free(&b);
	text_free(&head);
	give_back(decoy);
	give_back(tx);
}

/* Its beginning is not in the segment: it cannot be read, which is counted. */
static void
other_version_of_half_a_body(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text a = {0}, b = {0}, t = {0};
	struct span decoy = rig_tx(TO_NOTHING, 1, 20), tx = rig_tx(TO_WATCHED, 1, 20);
	text_raw(&a, decoy);
	text_raw(&b, tx);
	text_post(&t, "", &a);
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_say(&g, &f, 0, text_span(&t));
	rig_at(&g, &f, 0, f.sent[0] - b.n + 80, (struct span){(uint8_t *)b.p + 80, b.n - 80});
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_CONFLICT], 1);
	/* its end is not in it either, but its method is: the element itself is counted */
	rig_at(&g, &f, 0, f.sent[0] - b.n, (struct span){(uint8_t *)b.p, b.n - 80});
	assert_int_equal(g.c[CTR_TX_UNSCANNED_CONFLICT], 2);
	/* answers carry no transactions */
	rig_answer(&g, &f);
	rig_at(&g, &f, 1, 0, string("HTTP/1.1 500 No\r\n"));
	assert_int_equal(g.c[CTR_OVERLAP_CONFLICTS], 3);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_CONFLICT], 2);
	rig_stop(&g);
	text_free(&a);
	text_free(&b);
	text_free(&t);
	give_back(decoy);
	give_back(tx);
}

/* Probing must not leak its assembly buffers, however its bytes are cut. */
static void
probes_hold_nothing(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text a = {0}, t = {0}, twice = {0};
	struct span tx = rig_tx(TO_NOTHING, 1, 600);
	text_raw(&a, tx);
	text_post(&t, "", &a);
	/* each but the last lacks the end of its object, and the next head stands where it would be */
	text_add(&twice, "%.*s\n%.*s\n%.*s", (int)t.n - 2, t.p, (int)t.n - 2, t.p, (int)t.n - 20, t.p);
	rig_new(&g);
	rig_open(&g, &f, 1);
	char *other = calloc(1, twice.n);
	rig_say(&g, &f, 0, (struct span){(uint8_t *)other, twice.n});
	for (uint32_t n = twice.n; n > 100; n -= 61)
		rig_at(&g, &f, 0, 0, (struct span){(uint8_t *)twice.p, n});
	worker_housekeep(g.w, g.now_ns);
	assert_int_equal(g.c[CTR_SLABS_STOLEN], 0);
	assert_true(g.c[CTR_OVERLAP_CONFLICTS] > 40);
	free(other);
	rig_stop(&g);
	text_free(&a);
	text_free(&t);
	text_free(&twice);
	give_back(tx);
}

static void
forged_request_of_the_other_side_cuts_nothing(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_raw(&b, eip155);
	text_post(&t, "", &b);
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p, t.n - 60});
	rig_say(&g, &f, 1, string("POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\n{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x00"));
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p + t.n - 60, 60});
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.c[CTR_JSON_TRUNCATED], 0);
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
}

static void
other_side_speaks_first(void **state)
{
	static const char *const says[] = {"\x16\x03\x01nonsense", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 101 Yes\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nPRI *"};
	for (unsigned i = 0; i < sizeof says / sizeof *says; i++) {
		struct rig g;
		struct rig_flow f;
		rig_new(&g);
		rig_open(&g, &f, i);
		rig_say(&g, &f, 1, string(says[i]));
		rig_submit(&g, &f, eip155);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		rig_stop(&g);
	}
}

/* Nobody offered one, or the offer was not taken: the requests that follow are read. */
static void
forged_upgrade_ends_nothing(void **state)
{
	for (unsigned offered = 0; offered < 2; offered++) {
		struct rig g;
		struct rig_flow f;
		rig_new(&g);
		rig_open(&g, &f, 1);
		if (offered)
			rig_say(&g, &f, 0, string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
		rig_say(&g, &f, 1, string("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
		if (offered)
			rig_say(&g, &f, 0, string("\x82\x86 \n\n masked"));
		rig_submit(&g, &f, eip155);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(g.c[CTR_ST_SKIP_UNSYNCED], 0);
		rig_stop(&g);
	}
}

/* ---- taken for another protocol, or for something without end ---- */

static const struct forged {
	const char *p;
	uint32_t n;
} forged[] = {
#define F(s) {s, sizeof s - 1}
	F("\x01\x8a\x04 a handshake of RLPx"),
	F("\x01"),
	F("\0\0\x0c\x04\0\0\0\0\0"),
	F("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
	F("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\xff\xff\0\0\0\0\0\x01"),
	F("PRI"),
	F("\x81\xff\0\0\0\0\0\xff\xff\xff" "abcd"),
	F("{\"a\":\""),
	F("["),
	F("POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n"),
	F("POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n{\"a\":\""),
	F("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 100000000\r\n\r\n\x1f\x8b\x08"),
	F("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
	F("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
	F("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\xff\0\0\0\0\0\xff\xff\xff" "abcd"),
	F("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"),
	F("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
};
#define FORGED (sizeof forged / sizeof *forged)

static struct span
of(const struct forged *f)
{
	return (struct span){(const uint8_t *)f->p, f->n};
}

/* In front of the first request, or of a later one: the true ones are read all the same, that under it as the other version of its bytes. */
static void
forged_in_front(void **state)
{
	for (unsigned i = 0; i < 2 * FORGED; i++) {
		struct rig g;
		struct rig_flow f;
		unsigned before = i & 1;
		rig_new(&g);
		rig_open(&g, &f, 1);
		if (before)
			rig_submit(&g, &f, eip155);
		rig_at(&g, &f, 0, f.sent[0], of(&forged[i / 2]));
		for (unsigned k = 0; k < 4; k++) {
			struct span tx = rig_tx(TO_WATCHED, k, 100);
			rig_submit(&g, &f, tx);
			if (g.c[CTR_TX_SCANNED] != before + k + 1)
				print_error("forged %u, %s, request %u\n", i / 2, before ? "later" : "first", k);
			assert_int_equal(g.c[CTR_TX_SCANNED], before + k + 1);
			give_back(tx);
		}
		rig_stop(&g);
	}
}

/* As the other side's first words, or between its answers. */
static void
forged_beside(void **state)
{
	for (unsigned i = 0; i < 2 * FORGED; i++) {
		struct rig g;
		struct rig_flow f;
		unsigned before = i & 1;
		rig_new(&g);
		rig_open(&g, &f, 1);
		if (before)
			rig_submit(&g, &f, eip155);
		rig_at(&g, &f, 1, f.sent[1], of(&forged[i / 2]));
		for (unsigned k = 0; k < 4; k++) {
			struct span tx = rig_tx(TO_WATCHED, k, 100);
			rig_submit(&g, &f, tx);
			if (g.c[CTR_TX_SCANNED] != before + k + 1)
				print_error("forged %u, %s, request %u\n", i / 2, before ? "later" : "first", k);
			assert_int_equal(g.c[CTR_TX_SCANNED], before + k + 1);
			give_back(tx);
		}
		rig_stop(&g);
	}
}

static void
ws_text(struct text *out, unsigned dir, const struct text *body)
{
	static const uint8_t mask[4] = {0x11, 0x72, 0x93, 0xe4};
	text_add(out, "%c%c%c%c", 0x81, dir == 0 ? 0xfe : 0x7e, (int)(body->n >> 8), (int)(body->n & 255));
	if (dir == 0)
		text_add(out, "%c%c%c%c", mask[0], mask[1], mask[2], mask[3]);
	for (uint32_t i = 0; i < body->n; i++)
		text_add(out, "%c", dir == 0 ? body->p[i] ^ mask[i & 3] : body->p[i]);
}

static void
ws_submit(struct rig *g, struct rig_flow *f, struct span raw)
{
	struct text body = {0}, frame = {0};
	text_raw(&body, raw);
	ws_text(&frame, 0, &body);
	rig_say(g, f, 0, text_span(&frame));
	text_free(&body);
	text_free(&frame);
}

static void
ws_open(struct rig *g, struct rig_flow *f)
{
	rig_open(g, f, 1);
	rig_say(g, f, 0, string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
	rig_say(g, f, 1, string("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
}

/* Into a WebSocket: what lies under it is read as its other version, and the frames behind it. */
static void
forged_into_a_websocket(void **state)
{
	for (unsigned i = 0; i < 2 * FORGED; i++) {
		struct rig g;
		struct rig_flow f;
		unsigned dir = i & 1;
		rig_new(&g);
		ws_open(&g, &f);
		ws_submit(&g, &f, eip155);
		rig_at(&g, &f, dir, f.sent[dir], of(&forged[i / 2]));
		if (dir == 1)
			rig_say(&g, &f, 1, string("\x81\x26{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}"));
		for (unsigned k = 0; k < 4; k++) {
			struct span tx = rig_tx(TO_WATCHED, k, 100);
			ws_submit(&g, &f, tx);
			if (g.c[CTR_TX_SCANNED] != k + 2)
				print_error("forged %u, direction %u, message %u\n", i / 2, dir, k);
			assert_int_equal(g.c[CTR_TX_SCANNED], k + 2);
			give_back(tx);
		}
		rig_stop(&g);
	}
}

/* Frames may be seen before the answer to their handshake, and that before the handshake. */
static void
directions_out_of_step(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
			  yes[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
	for (uint32_t cut = 0; cut < sizeof get; cut++) {
		for (unsigned when = 0; when < 3; when++) {
			struct rig g;
			struct rig_flow f;
			rig_new(&g);
			g.unchecked = true;
			rig_open(&g, &f, 1);
			if (when == 0)
				rig_say(&g, &f, 1, string(yes));
			rig_say(&g, &f, 0, (struct span){(const uint8_t *)get, cut});
			if (when == 1)
				rig_say(&g, &f, 1, string(yes));
			rig_say(&g, &f, 0, (struct span){(const uint8_t *)get + cut, sizeof get - 1 - cut});
			ws_submit(&g, &f, eip155);
			if (when == 2)
				rig_say(&g, &f, 1, string(yes));
			struct span tx = rig_tx(TO_WATCHED, 1, 100);
			ws_submit(&g, &f, tx);
			assert_int_equal(g.c[CTR_TX_SCANNED], 2);
			assert_int_equal(g.c[CTR_HTTP_REQUESTS], 1);
			assert_int_equal(g.c[CTR_WS_MESSAGES], 2);
			rig_stop(&g);
			give_back(tx);
		}
	}
}

/* A broadcast that somebody slips in does not make a node a sequencer. */
static void
forged_broadcast(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text body = {0}, frame = {0}, forgery = {0}, out = {0};
	rig_new(&g);
	ws_open(&g, &f);
	text_add(&body, "{\"version\":1,\"messages\":[]}%200s", "");
	ws_text(&forgery, 1, &body);
	rig_say(&g, &f, 1, text_span(&forgery));
	text_add(&frame, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x");
	text_hex(&frame, eip155);
	text_add(&frame, "\"}");
	ws_text(&out, 1, &frame);
	rig_say(&g, &f, 1, text_span(&out));
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_stop(&g);
	text_free(&body);
	text_free(&frame);
	text_free(&forgery);
	text_free(&out);
}

/* The first segment was not seen, and the answer came before it was known to be lost: the middle of a message stands where
 * a flow begins. */
static void
gap_at_the_beginning(void **state)
{
	for (unsigned answered = 0; answered < 2; answered++) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		struct span tx = rig_tx(TO_WATCHED, 3, 300);
		rig_new(&g);
		rig_open(&g, &f, 1);
		text_raw(&b, eip155);
		text_post(&t, "", &b);
		f.sent[0] = 40;
		rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p + 40, t.n - 100});
		if (answered)
			rig_answer(&g, &f);
		for (unsigned i = 0; i < 200 && g.c[CTR_ST_GAP] == 0; i++) {
			rig_frame(&g, &f, 1, f.isn[1] + 1 + f.sent[1], RIG_ACK, (struct span){0});
			g.now_ns += 10000000;
			worker_housekeep(g.w, g.now_ns);
		}
		assert_int_equal(g.c[CTR_ST_GAP], 40);
		if (!answered)
			rig_answer(&g, &f);
		rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p + t.n - 60, 60});
		rig_submit(&g, &f, tx);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(g.c[CTR_ST_SKIP_OPAQUE], 0);
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
		give_back(tx);
	}
}

/* The beginning was not seen at all, and the other side's answer is the first that is. */
static void
answer_before_the_rest(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	struct span tx = rig_tx(TO_WATCHED, 3, 300);
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_raw(&b, eip155);
	text_post(&t, "", &b);
	f.sent[0] = t.n - 60;
	for (unsigned i = 0; i < 200 && g.c[CTR_ST_GAP] == 0; i++) {
		rig_frame(&g, &f, 1, f.isn[1] + 1, RIG_ACK, (struct span){0});
		g.now_ns += 10000000;
		worker_housekeep(g.w, g.now_ns);
	}
	assert_int_equal(g.c[CTR_ST_GAP], t.n - 60);
	rig_answer(&g, &f);
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p + t.n - 60, 60});
	assert_int_equal(g.c[CTR_ST_SKIP_UNSYNCED], 60); /* not something else's */
	rig_submit(&g, &f, tx);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
	give_back(tx);
}

static void
evicted_flow_is_taken_up_again(void **state)
{
	struct rig g;
	struct rig_flow victim, other;
	struct text b = {0}, t = {0};
	rig_new(&g);
	rig_open(&g, &victim, 0);
	text_raw(&b, eip155);
	text_post(&t, "", &b);
	rig_say(&g, &victim, 0, (struct span){(uint8_t *)t.p, t.n - 60});
	for (unsigned i = 1; i <= g.config.conns_max; i++) {
		rig_open(&g, &other, i);
		rig_say(&g, &other, 0, string("G"));
	}
	assert_int_equal(g.c[CTR_JSON_TRUNCATED], 1);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_GAP], 1);
	rig_say(&g, &victim, 0, (struct span){(uint8_t *)t.p + t.n - 60, 60});
	assert_int_equal(g.c[CTR_ST_SKIP_NO_STATE], 60);
	rig_submit(&g, &victim, eip155);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_say(&g, &victim, 1, string("x"));
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
}

/* Sends the end of a request first, in pieces of this many bytes, the receiver says that it lacks the beginning, and long after that the beginning comes. */
static void
beginning_last(uint32_t segment, unsigned method_last)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	rig_new(&g);
	rig_open(&g, &f, 1);
	if (method_last) {
		text_add(&b, "{\"id\":1,\"params\":[\"0x");
		text_hex(&b, eip155);
		text_add(&b, "\"],\"method\":\"eth_sendRawTransaction\"}");
	} else {
		text_raw(&b, eip155);
	}
	text_post(&t, "", &b);
	uint32_t first = t.n - b.n + 60;
	for (uint32_t at = first, n; at < t.n; at += n) {
		n = t.n - at < segment ? t.n - at : segment;
		rig_at(&g, &f, 0, at, (struct span){(uint8_t *)t.p + at, n});
		rig_frame(&g, &f, 1, f.isn[1] + 1, RIG_ACK, (struct span){0});
	}
	for (unsigned i = 0; i < 300; i++) {
		g.now_ns += 100000000;
		worker_housekeep(g.w, g.now_ns);
		rig_frame(&g, &f, 1, f.isn[1] + 1, RIG_ACK, (struct span){0});
	}
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p, first});
	assert_int_equal(g.c[CTR_ST_GAP], 0);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
}

static void
beginning_comes_last(void **state)
{
	for (unsigned method_last = 0; method_last < 2; method_last++) {
		beginning_last(1448, method_last);
		beginning_last(1, method_last); /* more segments than may be held */
	}
}

/* A frame of a client, its mask all zeros. */
static void
text_frame(struct text *t, unsigned first, const struct text *payload)
{
	const uint8_t head[] = {(uint8_t)first, 0xfe, (uint8_t)(payload->n >> 8), (uint8_t)payload->n, 0, 0, 0, 0};
	t->n = 0;
	text_add(t, "%*s", (int)(sizeof head + payload->n), "");
	memcpy(t->p, head, sizeof head);
	memcpy(t->p + sizeof head, payload->p, payload->n);
}

static const char agreed[] = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/* gorilla's upgrade (geth, Erigon) does not look at the length of the handshake's body: its frames begin where that would. */
static void
handshake_with_a_body(void **state)
{
	static const char *const bodies[] = {"Content-Length: 1000000\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"};
	for (unsigned i = 0; i < 9; i++) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		bool early = i % 3 == 2;
		rig_new(&g);
		g.segment = i % 3 == 1 ? 1 : 1448;
		rig_open(&g, &f, 1);
		text_add(&t, "GET / HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\n%sUpgrade: websocket\r\n\r\n", bodies[i / 3]);
		rig_say(&g, &f, 0, text_span(&t));
		if (!early)
			rig_say(&g, &f, 1, string(agreed));
		text_raw(&b, eip155);
		text_frame(&t, 0x81, &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		if (early) /* the mirror shows it late */
			rig_say(&g, &f, 1, string(agreed));
		for (unsigned k = 1; k < 4; k++) {
			rig_say(&g, &f, 0, text_span(&t));
			assert_int_equal(g.c[CTR_TX_DUPLICATE], k);
		}
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
	}
}

/* A node that does not agree reads the body, and behind it the next request, which to who took the body for a frame's beginning would be masked. */
static void
handshake_with_a_body_refused(void **state)
{
	for (unsigned i = 0; i < 6; i++) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		rig_new(&g);
		g.segment = i % 2 ? 1 : 1448;
		rig_open(&g, &f, 1);
		text_add(&t, "POST / HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 8\r\n\r\n\x81\xfe\x7f\xff\x01\x02\x03\x04");
		rig_say(&g, &f, 0, text_span(&t));
		if (i >= 2)
			rig_say(&g, &f, 1, string("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
		t.n = 0;
		text_raw(&b, eip155);
		text_post(&t, "", &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
	}
}

/* Nethermind answers every value of a WebSocket message. */
static void
behind_another_value(void **state)
{
	static const char *const before[] = {"{\"id\":7,\"method\":\"eth_chainId\",\"params\":[]}", "[]", "1 ", "null\n", "{}{} {}\r\n"};
	for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		rig_new(&g);
		g.segment = i % 2 ? 1 : 1448;
		rig_open(&g, &f, 1);
		rig_say(&g, &f, 0, string("GET / HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
		rig_say(&g, &f, 1, string(agreed));
		text_add(&b, "%s", before[i]);
		text_raw(&b, eip155);
		text_add(&b, " ");
		text_frame(&t, 0x81, &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(g.c[CTR_JSON_BAD], 0);
		b.n = 0;
		text_raw(&b, eip155); /* and a message is not another's end */
		text_frame(&t, 0x81, &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
	}
}

/* A text of ASCII in UTF-16 or UTF-32, behind a character that is none. */
static void
text_wide(struct text *t, const struct text *ascii, unsigned width, bool little, bool mark)
{
	t->n = 0;
	text_add(t, "%*s", (int)(width * (ascii->n + mark)), "");
	memset(t->p, 0, t->n);
	for (uint32_t i = 0; i < ascii->n + mark; i++) {
		uint32_t c = mark && i == 0 ? 0xfeff : (uint8_t)ascii->p[i - mark];
		if (c == '~') /* a quote's byte in it */
			c = 0x2222;
		for (unsigned k = 0; k < width; k++)
			t->p[width * i + k] = (char)(c >> 8 * (little ? k : width - 1 - k));
	}
}

/* Jackson, which Besu reads bodies with, tells by the first bytes what text they are. */
static void
other_text(void **state)
{
	for (unsigned i = 0; i < 9; i++) {
		for (unsigned segment = 1; segment < 1448; segment += segment < 12 ? 1 : 400) {
			struct rig g;
			struct rig_flow f;
			struct text b = {0}, raw = {0}, t = {0};
			rig_new(&g);
			rig_open(&g, &f, 1);
			g.segment = segment;
			text_raw(&raw, eip155);
			text_add(&b, "{\"~\":[\"~~~\"],%.*s", (int)raw.n - 1, raw.p + 1);
			raw.n = 0;
			if (i < 8)
				text_wide(&raw, &b, i & 1 ? 4 : 2, i & 2, i & 4);
			else
				text_add(&raw, "\xef\xbb\xbf%.*s", (int)b.n, b.p);
			text_post(&t, "", &raw);
			rig_say(&g, &f, 0, text_span(&t));
			assert_int_equal(g.c[CTR_TX_SCANNED], 1);
			rig_submit(&g, &f, eip155);
			assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
			rig_stop(&g);
			text_free(&b);
			text_free(&raw);
			text_free(&t);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dirty_copy_hides_no_clean_one),
		cmocka_unit_test(garbage_first_blinds_nothing),
		cmocka_unit_test(other_version_of_a_body),
		cmocka_unit_test(other_version_of_half_a_body),
		cmocka_unit_test(probes_hold_nothing),
		cmocka_unit_test(forged_request_of_the_other_side_cuts_nothing),
		cmocka_unit_test(other_side_speaks_first),
		cmocka_unit_test(forged_upgrade_ends_nothing),
		cmocka_unit_test(forged_in_front),
		cmocka_unit_test(forged_beside),
		cmocka_unit_test(forged_into_a_websocket),
		cmocka_unit_test(directions_out_of_step),
		cmocka_unit_test(forged_broadcast),
		cmocka_unit_test(gap_at_the_beginning),
		cmocka_unit_test(answer_before_the_rest),
		cmocka_unit_test(evicted_flow_is_taken_up_again),
		cmocka_unit_test(beginning_comes_last),
		cmocka_unit_test(handshake_with_a_body),
		cmocka_unit_test(handshake_with_a_body_refused),
		cmocka_unit_test(behind_another_value),
		cmocka_unit_test(other_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
