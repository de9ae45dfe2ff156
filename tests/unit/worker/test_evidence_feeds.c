/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence by what carries the bytes: their place in the stream is all that counts, but for RLPx, which authenticates itself. */
#include "bombs.h"
#include "tests/unit/wire/rlpx_peer.h"
#include "words.h"

#define TRANSACTIONS (16u + 2u) /* eth's first id, and the message's */

static struct scene s;
static struct words said;

static int
setup(void **state)
{
	memset(&s, 0, sizeof s);
	said.n = said.nodes = 0;
	rig_new(&s.g);
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&s.g);
	return 0;
}

/* Said by dir of f, whose other side acknowledges it: proven, and not before. */
static void
is_proven(struct rig_flow *f, unsigned dir, struct span text, struct span tx)
{
	rig_say(&s.g, f, dir, text);
	wait(&s.g, &said, 300 * MS);
	assert_int_equal(count(&s.g, &said, tx, false, true), 0);
	ack(&s.g, f, !dir);
	wait(&s.g, &said, MS);
	assert_int_equal(count(&s.g, &said, tx, false, true), 1);
}

static void
websocket_of_both_sides(void **state)
{
	struct rig_flow f;
	struct text body = {0}, frame = {0};
	struct span tx = rig_tx(TO_PAUSED, 1, 20), pushed = rig_tx(TO_PAUSED, 2, 20);
	ws_open(&s.g, &f, 1, "");
	ack(&s.g, &f, 0);
	text_raw(&body, tx);
	add_frame(&frame, WS_TEXT, true, text_span(&body));
	is_proven(&f, 0, text_span(&frame), tx);
	body.n = frame.n = 0;
	text_add(&body, "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x1\",\"result\":\"0x");
	text_hex(&body, pushed);
	text_add(&body, "\"}}");
	add_frame(&frame, WS_TEXT, false, text_span(&body));
	is_proven(&f, 1, text_span(&frame), pushed);
	assert_true(said.item[said.n - 1].trust & TRUST_NODE_SAID);
	text_free(&body);
	text_free(&frame);
	give_back(tx);
	give_back(pushed);
}

/* The segment that completes the transaction counts, whatever the decompressor holds. */
static void
compressed_messages(void **state)
{
	struct rig_flow f;
	struct text body = {0}, frame = {0};
	struct span tx = rig_tx(TO_PAUSED, 1, 3000);
	z_stream z;
	ws_open(&s.g, &f, 1, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
	ack(&s.g, &f, 0);
	deflater(&z, -15);
	text_raw(&body, tx);
	add_packed_frame(&frame, &z, true, true, text_span(&body), 0, 0, literal(""));
	s.g.segment = 100;
	is_proven(&f, 0, text_span(&frame), tx);
	deflateEnd(&z);
	text_free(&body);
	text_free(&frame);
	give_back(tx);
}

static void
bare_values(void **state)
{
	struct rig_flow f;
	struct text body = {0};
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&s.g, &f, 1);
	text_raw(&body, tx);
	is_proven(&f, 0, text_span(&body), tx);
	text_free(&body);
	give_back(tx);
}

/* One whose frames have good MACs is believed at once; one whose MACs cannot be checked never. */
static void
rlpx_by_its_macs(void **state)
{
	for (unsigned checked = 0; checked < 2; checked++) {
		struct rlpx_key key = {.aes = {1, 2, 3}, .mac = {4, 5, 6}, .nonce = {{7}, {8}}, .has_mac = true, .has_nonces = checked};
		void *memory = aligned_alloc(64, (rlpx_keys_bytes(1) + 63) & ~(size_t)63);
		struct rig_flow f;
		struct peer peer[2] = {0};
		uint32_t told[2] = {0};
		struct span tx = rig_tx(TO_PAUSED, 1 + checked, 300);
		worker_keys(s.g.w, rlpx_keys_build(memory, &key, 1, 1, 1));
		rig_open(&s.g, &f, 1 + checked);
		for (unsigned step = 0; step < 6; step++) {
			unsigned d = step & 1;
			if (step < 2) {
				peer_init(&peer[d], &key, d, 400);
			} else if (step < 4) {
				peer_hello(&peer[d], 5, "eth/68");
			} else {
				struct rlp_out o = {malloc(tx.len + 64), 0, tx.len + 64, false};
				size_t list = rlp_list_begin(&o);
				rlp_put_string(&o, tx);
				rlp_list_end(&o, list);
				peer_message(&peer[d], TRANSACTIONS, (struct span){o.p, (uint32_t)o.n}, true);
				free(o.p);
			}
			rig_say(&s.g, &f, d, (struct span){peer[d].out + told[d], peer[d].n - told[d]});
			told[d] = peer[d].n;
			if (step == 4) { /* before anything is acknowledged */
				listen(&s.g, &said);
				assert_int_equal(count(&s.g, &said, tx, false, true), checked);
				assert_int_equal(count(&s.g, &said, tx, false, false), !checked);
				assert_int_equal(said.item[said.n - 1].mac, checked);
				assert_int_equal(said.item[said.n - 1].acked, 0);
			}
		}
		ack(&s.g, &f, 0);
		ack(&s.g, &f, 1);
		wait(&s.g, &said, 300 * MS);
		if (!checked)
			assert_int_equal(count(&s.g, &said, tx, false, true), 0);
		rig_close(&s.g, &f);
		worker_keys(s.g.w, NULL);
		worker_housekeep(s.g.w, s.g.now_ns);
		peer_free(&peer[0]);
		peer_free(&peer[1]);
		free(memory);
		give_back(tx);
	}
}

#define ON(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON(websocket_of_both_sides),
		ON(compressed_messages),
		ON(bare_values),
		ON(rlpx_by_its_macs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
