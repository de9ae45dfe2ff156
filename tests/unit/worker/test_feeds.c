/* SPDX-License-Identifier: BSD-3-Clause */
/* What a profile says of feeds, ports and chains: what it does not want is counted, and read no further; the rest goes on. */
#include "bombs.h"
#include "tests/unit/wire/rlpx_peer.h"
#include "wire/http1.h"

#define NODE_PORT 8545

static void
scene_with(struct scene *s, const struct feeds *feeds)
{
	memset(s, 0, sizeof *s);
	rig_init(&s->g);
	s->g.config.feeds = *feeds;
	rig_start(&s->g);
}

static void
ports_of_http(void **state)
{
	for (unsigned here = 0; here < 2; here++) {
		struct feeds feeds = {.n_ports[FEED_HTTP] = 1, .off[FEED_ENGINE] = true};
		feeds.ports[FEED_HTTP][0] = here ? NODE_PORT : NODE_PORT + 1;
		struct scene s;
		struct rig_flow f;
		scene_with(&s, &feeds);
		rig_open(&s.g, &f, 1);
		submit(&s, &f);
		submit(&s, &f);
		assert_int_equal(s.g.c[CTR_TX_SCANNED], here ? 2 : 0);
		assert_int_equal(s.g.c[CTR_FEED_OFF], here ? 0 : 4); /* with the answers */
		assert_int_equal(s.g.c[CTR_HTTP_REQUESTS], 2);
		rig_stop(&s.g);
	}
}

/* On the engine's port a node answers everything. */
static void
engine_alone(void **state)
{
	struct feeds feeds = {.n_ports[FEED_ENGINE] = 1, .off[FEED_HTTP] = true};
	feeds.ports[FEED_ENGINE][0] = NODE_PORT;
	struct scene s;
	struct rig_flow f;
	scene_with(&s, &feeds);
	rig_open(&s.g, &f, 1);
	submit(&s, &f);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	rig_stop(&s.g);
}

static void
block_on(struct scene *s, struct rig_flow *f)
{
	struct text body = {0}, post = {0};
	struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
	text_add(&body, "{\"id\":1,\"method\":\"engine_newPayloadV3\",\"params\":[{\"blockHash\":\"0x%064d\",\"transactions\":[\"0x", 7);
	text_hex(&body, tx);
	text_add(&body, "\"]}]}");
	text_post(&post, "", &body);
	rig_say(&s->g, f, 0, text_span(&post));
	text_free(&body);
	text_free(&post);
	free((void *)(uintptr_t)tx.p);
}

static void
blocks_only_where_told(void **state)
{
	for (unsigned here = 0; here < 2; here++) {
		struct feeds feeds = {.n_ports[FEED_ENGINE] = 1};
		feeds.ports[FEED_ENGINE][0] = here ? NODE_PORT : 8551;
		struct scene s;
		struct rig_flow f;
		scene_with(&s, &feeds);
		rig_open(&s.g, &f, 1);
		block_on(&s, &f);
		assert_int_equal(s.g.c[CTR_TX_INCLUDED], here);
		submit(&s, &f);
		assert_int_equal(s.g.c[CTR_TX_SCANNED], 1 + here);
		rig_stop(&s.g);
	}
}

static void
message_on(struct scene *s, struct rig_flow *f, unsigned dir)
{
	struct text body = {0}, frame = {0};
	if (dir == 0)
		add_fresh(s, &body);
	else
		add_pushed(s, &body);
	add_frame(&frame, WS_TEXT, dir == 0, text_span(&body));
	rig_say(&s->g, f, dir, text_span(&frame));
	text_free(&body);
	text_free(&frame);
}

/* With Arbitrum's feed wanted, what a node sends is looked at, and what is none of it is not read. */
static void
websocket_off(void **state)
{
	for (unsigned arbitrum = 0; arbitrum < 2; arbitrum++) {
		struct feeds feeds = {.off[FEED_WEBSOCKET] = true, .off[FEED_ARBITRUM] = !arbitrum};
		struct scene s;
		struct rig_flow f;
		scene_with(&s, &feeds);
		ws_open(&s.g, &f, 1, "");
		for (unsigned dir = 0; dir < 2; dir++)
			message_on(&s, &f, dir);
		assert_int_equal(s.g.c[CTR_TX_CROSSED], 0);
		assert_int_equal(s.g.c[CTR_FEED_OFF], 2);
		assert_int_equal(s.g.c[CTR_WS_MESSAGES], 2);
		rig_stop(&s.g);
	}
}

static void
websocket_on(void **state)
{
	struct feeds feeds = {.off[FEED_HTTP] = true, .off[FEED_ENGINE] = true};
	struct scene s;
	struct rig_flow f;
	scene_with(&s, &feeds);
	ws_open(&s.g, &f, 1, "");
	for (unsigned dir = 0; dir < 2; dir++)
		message_on(&s, &f, dir);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 2);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 0);
	rig_stop(&s.g);
}

static void
chains(void **state)
{
	for (uint64_t id = 1; id <= 5; id += 4) {
		struct feeds feeds = {.n_chain_ids = 1, .chain_ids = {id}};
		struct scene s;
		struct rig_flow f;
		scene_with(&s, &feeds);
		rig_open(&s.g, &f, 1);
		rig_submit(&s.g, &f, (struct span){rig_eip155, sizeof rig_eip155});
		assert_int_equal(s.g.c[CTR_TX_SCANNED], id == 1);
		assert_int_equal(s.g.c[CTR_TX_UNSCANNED_CHAIN], id != 1);
		assert_int_equal(s.g.alerts, 0);
		rig_drain(&s.g);
		assert_int_equal(s.g.alerts, id == 1);
		rig_stop(&s.g);
	}
}

/* ---- another table while connections are open ---- */

static void
switch_to(struct scene *s, const struct feeds *feeds)
{
	worker_feeds(s->g.w, feeds);
	assert_false(worker_feeds_taken(s->g.w, feeds));
	worker_housekeep(s->g.w, s->g.now_ns);
	assert_true(worker_feeds_taken(s->g.w, feeds));
}

/* An open connection is read by the table of the day, a message at a time. */
static void
off_and_on_again(void **state)
{
	static const struct feeds all, none = {.off[FEED_HTTP] = true, .off[FEED_ENGINE] = true};
	struct scene s;
	struct rig_flow f;
	scene_with(&s, &none);
	rig_open(&s.g, &f, 1);
	for (unsigned i = 0; i < 6; i++) {
		submit(&s, &f);
		assert_int_equal(s.g.c[CTR_TX_SCANNED], (i + 1) / 2);
		assert_int_equal(s.g.c[CTR_FEED_OFF], 2 * (i / 2 + 1));
		switch_to(&s, i % 2 ? &none : &all);
	}
	rig_stop(&s.g);
}

/* A message that is half said when a table comes which reads its feed as well is found. */
static void
within_a_message(void **state)
{
	static const struct feeds other = {.off[FEED_GRPC] = true, .off[FEED_RLPX] = true, .off[FEED_WEBSOCKET] = true};
	struct scene s;
	struct rig_flow f;
	struct text body = {0}, post = {0};
	struct feeds all = {0};
	scene_with(&s, &all);
	rig_open(&s.g, &f, 1);
	add_fresh(&s, &body);
	text_post(&post, "", &body);
	for (uint32_t cut = 0; cut < post.n; cut += 29) {
		rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)post.p, cut});
		switch_to(&s, cut % 2 ? &all : &other);
		rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)post.p + cut, post.n - cut});
		rig_answer(&s.g, &f);
	}
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(s.g.c[CTR_TX_SCANNED] + s.g.c[CTR_TX_DUPLICATE], s.g.c[CTR_HTTP_REQUESTS]);
	assert_int_equal(s.g.c[CTR_HTTP_REQUESTS], (post.n + 28) / 29);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 0);
	text_free(&body);
	text_free(&post);
	rig_stop(&s.g);
}

/* HTTP/2 that was being read is passed over once neither of what it carries is wanted; should the connection speak HTTP/1 when that is, it is read. */
static void
protocol_off(void **state)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", ping[17] = "\0\0\10\6\0\0\0\0\0";
	static const struct feeds requests = {.off[FEED_GRPC] = true}, off = {.off = {[FEED_GRPC] = true, [FEED_HTTP] = true, [FEED_ENGINE] = true}}, all;
	struct scene s;
	struct rig_flow f;
	scene_with(&s, &all);
	rig_open(&s.g, &f, 1);
	rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)preface, sizeof preface - 1});
	uint64_t parsed = s.g.c[CTR_ST_PARSED];
	rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)ping, sizeof ping});
	switch_to(&s, &requests);
	rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)ping, sizeof ping});
	parsed += 2 * sizeof ping;
	assert_int_equal(s.g.c[CTR_ST_PARSED], parsed);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 0);
	switch_to(&s, &off);
	for (unsigned i = 0; i < 3; i++)
		rig_say(&s.g, &f, 0, (struct span){(const uint8_t *)ping, sizeof ping});
	assert_int_equal(s.g.c[CTR_ST_PARSED], parsed);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 1);
	switch_to(&s, &requests);
	submit(&s, &f);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	rig_stop(&s.g);
}

/* Bytes that a segment of their own would look like a request with. */
static uint32_t
like_a_request(const struct peer *p, uint32_t from)
{
	for (uint32_t i = from; i + 3 < p->n; i++)
		if (http1_looks_like((struct span){p->out + i, 3}) == 1)
			return i;
	return 0;
}

/* A session whose key comes late, of which a segment meanwhile looked like a request of HTTP by chance: nothing of it is lost. */
static void
ciphertext_like_a_request(void **state)
{
	const struct rlpx_key key = {.aes = {1, 2, 3}, .mac = {4, 5, 6}, .nonce = {{7}, {8}}, .has_mac = true, .has_nonces = true};
	void *memory = aligned_alloc(64, (rlpx_keys_bytes(1) + 63) & ~(size_t)63);
	struct peer peer[2];
	struct rig_flow f;
	struct scene s;
	memset(&s, 0, sizeof s);
	rig_new(&s.g);
	rig_open(&s.g, &f, 1);
	for (unsigned d = 0; d < 2; d++) {
		peer_init(&peer[d], &key, d, 400);
		peer_hello(&peer[d], 5, "eth/68");
		rig_say(&s.g, &f, d, (struct span){peer[d].out, peer[d].n});
	}
	uint32_t told = peer[0].n;
	for (unsigned i = 0; i < 4; i++) {
		struct span tx = rig_tx(TO_PAUSED, 1 + i, 8000);
		struct rlp_out o = {malloc(tx.len + 64), 0, tx.len + 64, false};
		size_t list = rlp_list_begin(&o);
		rlp_put_string(&o, tx);
		rlp_list_end(&o, list);
		peer_message(&peer[0], 18, (struct span){o.p, (uint32_t)o.n}, true);
		free(o.p);
		free((void *)(uintptr_t)tx.p);
	}
	uint32_t odd = like_a_request(&peer[0], told);
	assert_true(odd > 0);
	rig_say(&s.g, &f, 0, (struct span){peer[0].out + told, odd - told});
	rig_say(&s.g, &f, 0, (struct span){peer[0].out + odd, 3});
	rig_say(&s.g, &f, 0, (struct span){peer[0].out + odd + 3, peer[0].n - odd - 3});
	assert_int_equal(s.g.c[CTR_TX_CROSSED], 0);
	worker_keys(s.g.w, rlpx_keys_build(memory, &key, 1, 1, 1));
	for (unsigned i = 0; i < 100; i++)
		worker_housekeep(s.g.w, s.g.now_ns += 5000000);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 4);
	assert_int_equal(s.g.c[CTR_RLPX_CONNECTIONS], 1);
	assert_int_equal(s.g.c[CTR_RLPX_HELLOS], 2);
	for (unsigned d = 0; d < 2; d++)
		peer_free(&peer[d]);
	rig_stop(&s.g);
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_of_http),
		cmocka_unit_test(engine_alone),
		cmocka_unit_test(blocks_only_where_told),
		cmocka_unit_test(websocket_off),
		cmocka_unit_test(websocket_on),
		cmocka_unit_test(chains),
		cmocka_unit_test(off_and_on_again),
		cmocka_unit_test(within_a_message),
		cmocka_unit_test(protocol_off),
		cmocka_unit_test(ciphertext_like_a_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
