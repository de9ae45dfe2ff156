/* SPDX-License-Identifier: BSD-3-Clause */
/* From frames to findings: what is read, what it is taken for, and that every element ends in one counter. */
#include "cases.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
post(struct rig *g, struct rig_flow *f, const char *headers, struct text *body)
{
	struct text t = {0};
	text_post(&t, headers, body);
	rig_say(g, f, 0, text_span(&t));
	text_free(&t);
	text_free(body);
}

static void
submitted_whole_and_in_pieces(void **state)
{
	static const uint32_t sizes[] = {1448, 1, 2, 3, 7, 64, 333};
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct rig g;
		struct rig_flow f;
		struct span tx = rig_tx(TO_WATCHED, 5, 900);
		rig_new(&g);
		g.segment = sizes[i];
		rig_open(&g, &f, 1);
		rig_submit(&g, &f, tx);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(g.last.raw_bytes, tx.len);
		rig_drain(&g);
		assert_int_equal(g.alerts, 1);
		assert_int_equal(g.alert[0].r.rule_id, 3);
		assert_int_equal(g.alert[0].r.nonce, 5);
		assert_int_equal(g.c[CTR_HTTP_REQUESTS], 1);
		assert_int_equal(g.c[CTR_HTTP_RESPONSES], 1);
		assert_int_equal(g.c[CTR_JSON_MESSAGES], 1);
		rig_close(&g, &f);
		rig_stop(&g);
		free((void *)(uintptr_t)tx.p);
	}
}

static void
out_of_order_and_twice(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text body = {0}, t = {0};
	struct span tx = rig_tx(TO_WATCHED, 1, 500);
	rig_new(&g);
	text_raw(&body, tx);
	text_post(&t, "", &body);
	rig_open(&g, &f, 1);
	for (unsigned round = 0; round < 2; round++)
		for (int32_t at = (int32_t)(t.n - 1) / 100 * 100; at >= 0; at -= 100)
			rig_at(&g, &f, 0, (uint32_t)at, (struct span){(uint8_t *)t.p + at, t.n - (uint32_t)at < 100 ? t.n - (uint32_t)at : 100});
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.c[CTR_TX_CROSSED], 1);
	assert_int_equal(g.c[CTR_OVERLAP_CONFLICTS], 0);
	rig_stop(&g);
	text_free(&body);
	text_free(&t);
	free((void *)(uintptr_t)tx.p);
}

static void
pipelined_and_kept_alive(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text all = {0};
	rig_new(&g);
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < 40; i++) {
		struct text body = {0};
		struct span tx = rig_tx(TO_NOTHING, i, 100);
		text_raw(&body, tx);
		text_post(&all, "", &body);
		text_free(&body);
		free((void *)(uintptr_t)tx.p);
	}
	rig_say(&g, &f, 0, text_span(&all));
	for (unsigned i = 0; i < 40; i++)
		rig_answer(&g, &f);
	assert_int_equal(g.c[CTR_TX_SCANNED], 40);
	assert_int_equal(g.c[CTR_HTTP_RESPONSES], 40);
	text_free(&all);
	rig_stop(&g);
}

static void
batch_with_everything(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0};
	struct span tx = rig_tx(TO_WATCHED, 1, 50), other = rig_tx(TO_PAGED, 2, 50);
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_add(&b, "[");
	text_raw(&b, tx);
	text_add(&b, ",{\"method\":\"eth_blockNumber\"},");
	text_raw(&b, other);
	text_add(&b, ",{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0xzz\"]}");		   /* not hex */
	text_add(&b, ",{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x123\"]}");	   /* odd, so 0123: not one either */
	text_add(&b, ",{\"method\":\"eth_sendRawTransaction\",\"params\":[17]}");		   /* no string */
	text_add(&b, ",{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0xc0\"]}");		   /* not a transaction */
	text_add(&b, ",{\"method\":\"eth_sendRawTransaction\",\"params\":[\"\"]}");		   /* no bytes */
	text_add(&b, ",{\"method\":\"eth_sendTransaction\",\"params\":[{\"from\":\"0x00\"}]}"); /* unsigned */
	text_add(&b, ",");
	text_raw(&b, tx);
	text_add(&b, "]");
	post(&g, &f, "", &b);
	assert_int_equal(g.c[CTR_TX_CROSSED], 9);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_HEX], 2);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_RLP], 3);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_UNSIGNED], 1);
	assert_int_equal(g.c[CTR_JSON_MESSAGES], 10);
	assert_int_equal(g.reports[CROSSING_SCANNED], 2);
	assert_int_equal(g.reports[CROSSING_DUPLICATE], 1);
	rig_drain(&g);
	assert_int_equal(g.alerts, 2);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
	free((void *)(uintptr_t)other.p);
}

static void
bundle_keeps_its_order(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0};
	struct span tx[3] = {rig_tx(TO_WATCHED, 1, 10), rig_tx(TO_BUNDLED, 2, 10), rig_tx(TO_PAGED, 3, 10)};
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_add(&b, "{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[");
	for (unsigned i = 0; i < 3; i++) {
		text_add(&b, "\"0x");
		text_hex(&b, tx[i]);
		text_add(&b, "\",");
	}
	text_add(&b, "\"0x%064x\"],\"blockNumber\":\"0x1\"}]}", 7);
	post(&g, &f, "", &b);
	assert_int_equal(g.c[CTR_TX_CROSSED], 4);
	assert_int_equal(g.c[CTR_TX_SCANNED], 3);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_HASH_ONLY], 1);
	rig_drain(&g);
	assert_int_equal(g.alerts, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(g.alert[i].r.nonce, i + 1);
		assert_int_equal(g.alert[i].r.bundle_len, 4);
		assert_int_equal(g.alert[i].r.bundle_pos, i);
		assert_int_equal(g.alert[i].r.carrier, CARRIER_HTTP_JSONRPC_BUNDLE);
		assert_true(g.alert[i].r.trust & TRUST_BUNDLE);
		free((void *)(uintptr_t)tx[i].p);
	}
	rig_stop(&g);
}

/* Sent alone first, so that it would not be looked at again where a rule asks for a bundle. */
static void
alone_first_hides_no_bundle(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0};
	struct span tx = rig_tx(TO_BUNDLED, 2, 10);
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, tx);
	for (unsigned n = 1; n <= 3; n++) {
		text_add(&b, "{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[");
		for (unsigned i = 0; i < n; i++) {
			text_add(&b, "%s\"0x", i ? "," : "");
			text_hex(&b, tx);
			text_add(&b, "\"");
		}
		text_add(&b, "]}]}");
		post(&g, &f, "", &b);
	}
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_SCANNED], 4);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 3);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(g.alert[0].r.rule_id, 4);
	assert_int_equal(g.alert[0].r.bundle_len, 2);
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 1); /* of three */
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
}

static void
chunked_and_encoded(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	struct span tx = rig_tx(TO_WATCHED, 1, 300);
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_raw(&b, tx);
	text_add(&t, "POST / HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (uint32_t at = 0; at < b.n; at += 37) {
		uint32_t n = b.n - at < 37 ? b.n - at : 37;
		text_add(&t, "%x\r\n%.*s\r\n", n, (int)n, b.p + at);
	}
	text_add(&t, "0\r\n\r\n");
	text_free(&b);
	rig_say(&g, &f, 0, text_span(&t));
	text_free(&t);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	/* Nodes do not look at it, so it must not blind us. */
	struct span again = rig_tx(TO_WATCHED, 2, 300);
	text_raw(&b, again);
	post(&g, &f, "Content-Encoding: gzip\r\n", &b);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(g.c[CTR_HTTP_ENCODED], 1);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
	free((void *)(uintptr_t)again.p);
}

static void
bad_json_and_bad_http(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0};
	struct span tx = rig_tx(TO_WATCHED, 1, 30);
	static const char bad[] = "POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n";
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_add(&b, "{\"method\":tru");
	post(&g, &f, "", &b);
	assert_int_equal(g.c[CTR_JSON_BAD], 1);
	for (unsigned i = 0; i < 10001; i++)
		text_add(&b, "[");
	post(&g, &f, "", &b);
	assert_int_equal(g.c[CTR_JSON_DEPTH], 1);
	text_raw(&b, tx);
	post(&g, &f, "", &b);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_say(&g, &f, 0, (struct span){(const uint8_t *)bad, sizeof bad - 1});
	assert_int_equal(g.c[CTR_HTTP_BAD], 1);
	rig_submit(&g, &f, (struct span){rig_eip155, sizeof rig_eip155});
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
}

static void
gap_in_a_batch(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	rig_new(&g);
	rig_open(&g, &f, 1);
	text_add(&b, "[");
	for (unsigned i = 0; i < 20; i++) {
		struct span tx = rig_tx(TO_NOTHING, i, 200);
		text_add(&b, i ? "," : "");
		text_raw(&b, tx);
		free((void *)(uintptr_t)tx.p);
	}
	text_add(&b, "]");
	text_post(&t, "", &b);
	/* a hole in the eleventh */
	uint32_t each = b.n / 20, hole = t.n - b.n + 10 * each + each / 2;
	f.sent[0] = 0;
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p, hole});
	f.sent[0] += 100;
	rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p + hole + 100, t.n - hole - 100});
	for (unsigned i = 0; i < 200; i++) { /* the receiver acknowledges, time goes by */
		rig_frame(&g, &f, 1, f.isn[1] + 1, RIG_ACK, (struct span){0});
		g.now_ns += 10000000;
		worker_housekeep(g.w, g.now_ns);
	}
	assert_int_equal(g.c[CTR_TX_SCANNED], 10);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_GAP], 1);
	assert_int_equal(g.c[CTR_JSON_TRUNCATED], 1);
	assert_int_equal(g.c[CTR_HTTP_LOST], 1);
	assert_int_equal(g.c[CTR_ST_GAP], 100);
	assert_true(g.c[CTR_ST_SKIP_LOST] > 0);
	/* the next request is read: only that message was lost */
	rig_submit(&g, &f, (struct span){rig_eip155, sizeof rig_eip155});
	assert_int_equal(g.c[CTR_TX_SCANNED], 11);
	assert_true(g.last.where.trust & TRUST_GAP_BEFORE);
	text_free(&b);
	text_free(&t);
	rig_stop(&g);
}

static void
ends_in_the_middle(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	struct span tx = rig_tx(TO_NOTHING, 1, 3000);
	rig_new(&g);
	text_raw(&b, tx);
	text_post(&t, "", &b);
	for (unsigned how = 0; how < 3; how++) {
		rig_open(&g, &f, how);
		rig_say(&g, &f, 0, (struct span){(uint8_t *)t.p, t.n / 2});
		if (how == 0)
			rig_close(&g, &f);
		else if (how == 1)
			rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, (struct span){0});
		else
			rig_flush(&g);
		assert_int_equal(g.c[CTR_TX_UNSCANNED_GAP], how + 1);
		assert_int_equal(g.c[CTR_JSON_TRUNCATED], how + 1);
	}
	text_free(&b);
	text_free(&t);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
}

static void
mid_stream(void **state)
{
	struct rig g;
	struct rig_flow f;
	static const char tail[] = "cdef\"],\"id\":1}";
	rig_new(&g);
	rig_join(&f, 1);
	rig_say(&g, &f, 0, (struct span){(const uint8_t *)tail, sizeof tail - 1});
	assert_int_equal(g.c[CTR_ST_SKIP_UNSYNCED], sizeof tail - 1);
	rig_submit(&g, &f, (struct span){rig_eip155, sizeof rig_eip155});
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.last.where.trust & (TRUST_MIDSTREAM | TRUST_ONE_DIRECTION), TRUST_MIDSTREAM | TRUST_ONE_DIRECTION);
	assert_int_equal(g.c[CTR_HTTP_RESYNC], 2);
	rig_stop(&g);
}

static void
opaque_bytes_are_named(void **state)
{
	struct rig g;
	struct rig_flow f;
	uint8_t tls[600] = {0x16, 0x03, 0x01, 0x02, 0x00};
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_say(&g, &f, 0, (struct span){tls, sizeof tls});
	rig_say(&g, &f, 1, (struct span){tls, sizeof tls});
	assert_int_equal(g.c[CTR_ST_SKIP_OPAQUE], 2 * sizeof tls);
	assert_int_equal(g.c[CTR_HTTP_BAD] + g.c[CTR_HTTP_LOST], 0);
	rig_stop(&g);
}

/* More than a burst's worth of scratch, and transactions long enough to need slabs, in one burst. */
static void
scratch_is_not_overwritten(void **state)
{
	enum { FLOWS = 16, FRAMES = 60 };
	struct rig g;
	static struct rig_flow f[FLOWS];
	static uint8_t frame[WORKER_BURST][65536];
	struct span burst[WORKER_BURST];
	uint32_t len[WORKER_BURST];
	uint64_t t[WORKER_BURST];
	rig_init(&g);
	g.config.pipe_bytes = 4u << 20;
	rig_start(&g);
	for (unsigned i = 0; i < FLOWS; i++)
		rig_open(&g, &f[i], i);
	for (unsigned k = 0; k < FRAMES; k++) {
		struct text body = {0}, all = {0};
		struct span tx = rig_tx(TO_WATCHED, k, 20000 + 137 * k); /* 40 kB of hex: 1.2 MB of bytes in a burst */
		text_raw(&body, tx);
		text_post(&all, "", &body);
		struct rig_flow *to = &f[k % FLOWS];
		len[k] = rig_make(to, 0, to->isn[0] + 1 + to->sent[0], RIG_ACK, text_span(&all), frame[k]);
		to->sent[0] += all.n;
		burst[k] = (struct span){frame[k], len[k]};
		t[k] = g.now_ns;
		text_free(&body);
		text_free(&all);
		free((void *)(uintptr_t)tx.p);
	}
	worker_frames(g.w, FRAMES, burst, len, t);
	rig_check(&g, ID_FRAMES, ID_TRANSACTIONS);
	assert_int_equal(g.c[CTR_TX_SCANNED], FRAMES);
	rig_drain(&g);
	uint64_t nonces = 0; /* each of them once */
	for (uint32_t i = 0; i < g.alerts; i++)
		nonces |= 1ull << g.alert[i].r.nonce;
	assert_int_equal(g.alerts, FRAMES);
	assert_int_equal(nonces, (1ull << FRAMES) - 1);
	rig_stop(&g);
}

/* One that was put together in a buffer is judged before the next one gets that buffer, though both end in one burst. */
static void
buffers_are_not_overwritten(void **state)
{
	struct rig g;
	struct rig_flow f[2];
	struct text t[2] = {0};
	uint8_t frame[2][4096];
	struct span burst[2];
	uint32_t len[2];
	rig_init(&g);
	g.config.slabs[0] = 1;
	rig_start(&g);
	for (unsigned i = 0; i < 2; i++) {
		struct text b = {0};
		struct span tx = rig_tx(TO_WATCHED, 10 + i, 500);
		text_raw(&b, tx);
		text_post(&t[i], "", &b);
		text_free(&b);
		free((void *)(uintptr_t)tx.p);
		rig_open(&g, &f[i], i);
	}
	rig_say(&g, &f[0], 0, (struct span){(uint8_t *)t[0].p, t[0].n - 50});
	len[0] = rig_make(&f[0], 0, f[0].isn[0] + 1 + f[0].sent[0], RIG_ACK, (struct span){(uint8_t *)t[0].p + t[0].n - 50, 50}, frame[0]);
	f[0].sent[0] += 50;
	len[1] = rig_make(&f[1], 0, f[1].isn[0] + 1, RIG_ACK, (struct span){(uint8_t *)t[1].p, t[1].n - 50}, frame[1]);
	f[1].sent[0] += t[1].n - 50;
	for (unsigned i = 0; i < 2; i++)
		burst[i] = (struct span){frame[i], len[i]};
	worker_frames(g.w, 2, burst, len, (uint64_t[]){g.now_ns, g.now_ns});
	rig_say(&g, &f[1], 0, (struct span){(uint8_t *)t[1].p + t[1].n - 50, 50});
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(g.alert[0].r.nonce, 10);
	assert_int_equal(g.alert[1].r.nonce, 11);
	rig_stop(&g);
	text_free(&t[0]);
	text_free(&t[1]);
}

/* A request that lies whole behind a hole is told of at once, and counted when its turn comes. */
static void
looked_at_behind_a_hole(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text body = {0}, post = {0}, first = {0}, post_first = {0};
	(void)state;
	rig_new(&g);
	rig_open(&g, &f, 1);
	struct span other = rig_tx(TO_NOTHING, 1, 68);
	text_raw(&first, other);
	text_post(&post_first, "", &first);
	text_raw(&body, (struct span){rig_eip155, sizeof rig_eip155});
	text_post(&post, "", &body);

	rig_at(&g, &f, 0, post_first.n, text_span(&post));
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_true(g.alert[0].r.trust & TRUST_AHEAD);
	assert_int_equal(g.c[CTR_TX_AHEAD], 1);
	assert_int_equal(g.c[CTR_TX_CROSSED], 0);
	assert_int_equal(g.c[CTR_JSON_MESSAGES], 0);

	struct rig_flow second;
	rig_open(&g, &second, 2);
	rig_at(&g, &second, 0, post_first.n, text_span(&post)); /* behind a hole in another flow */
	assert_int_equal(g.c[CTR_TX_AHEAD], 1);

	rig_at(&g, &f, 0, 0, text_span(&post_first));
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_CROSSED], 2);
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(g.c[CTR_JSON_MESSAGES], 2);
	assert_int_equal(g.alerts, 1); /* the same finding again adds nothing */
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 1);

	/* what was judged in its turn is not looked at again */
	f.sent[0] = post_first.n + post.n;
	rig_at(&g, &f, 0, f.sent[0] + 10, text_span(&post));
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_AHEAD], 1);
	rig_stop(&g);
	text_free(&body);
	text_free(&post);
	text_free(&first);
	text_free(&post_first);
	free((void *)(uintptr_t)other.p);
}

/* One transaction is judged by its own numbers: what code the one before it deploys is not asked. */
static void
judged_by_its_own_numbers(void **state)
{
	static const uint8_t code[] = {FLASH_CODE};
	struct rig g;
	struct rig_flow f;
	struct text body = {0}, behind = {0};
	struct made deployment = {.data = {code, sizeof code}};
	(void)state;
	rig_new(&g);
	make(&deployment);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, bytes_of(&deployment));
	rig_drain(&g);
	unsigned before = g.alerts;
	struct span other = rig_tx(TO_ASKED, 1, 68);
	text_raw(&body, other);
	text_post(&behind, "", &body);
	rig_at(&g, &f, 0, f.sent[0] + 10, text_span(&behind));
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_AHEAD], 1);
	assert_int_equal(g.alerts, before);
	rig_stop(&g);
	text_free(&body);
	text_free(&behind);
	free((void *)(uintptr_t)other.p);
}

/* Some nodes take a transaction whatever comes behind it: it is looked at, and is the same one whatever that is. */
static void
bytes_behind_a_transaction(void **state)
{
	uint8_t raw[sizeof rig_eip155 + 2];
	struct rig g;
	struct rig_flow f;
	(void)state;
	memcpy(raw, rig_eip155, sizeof rig_eip155);
	rig_new(&g);
	rig_open(&g, &f, 1);
	for (unsigned n = 0; n < 3; n++) {
		raw[sizeof rig_eip155] = (uint8_t)n;
		rig_submit(&g, &f, (struct span){raw, (uint32_t)sizeof rig_eip155 + n});
		rig_drain(&g);
		assert_int_equal(g.c[CTR_TX_TRAILING], n);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		assert_int_equal(g.c[CTR_TX_DUPLICATE], n);
		assert_int_equal(g.alerts, 1);
	}
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looked_at_behind_a_hole),
		cmocka_unit_test(judged_by_its_own_numbers),
		cmocka_unit_test(bytes_behind_a_transaction),
		cmocka_unit_test(submitted_whole_and_in_pieces),
		cmocka_unit_test(out_of_order_and_twice),
		cmocka_unit_test(pipelined_and_kept_alive),
		cmocka_unit_test(batch_with_everything),
		cmocka_unit_test(bundle_keeps_its_order),
		cmocka_unit_test(alone_first_hides_no_bundle),
		cmocka_unit_test(chunked_and_encoded),
		cmocka_unit_test(bad_json_and_bad_http),
		cmocka_unit_test(gap_in_a_batch),
		cmocka_unit_test(ends_in_the_middle),
		cmocka_unit_test(mid_stream),
		cmocka_unit_test(opaque_bytes_are_named),
		cmocka_unit_test(buffers_are_not_overwritten),
		cmocka_unit_test(scratch_is_not_overwritten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
