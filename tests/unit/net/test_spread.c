/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/spread.h"
#include "wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t seed[4] = {1, 2, 3, 4}, other_seed[4] = {1, 2, 3, 5};
static const struct decode_rules rules = {0};
static struct spread *spread, *other;
static struct packet packet, piece;
static uint64_t now_ns;
static struct spread_out out[SPREAD_OUT_MAX];

static int
set_up(void **state)
{
	spread = malloc(sizeof *spread);
	other = malloc(sizeof *other);
	CHECK(spread != NULL && other != NULL);
	spread_init(spread, seed, &rules);
	spread_init(other, other_seed, &rules);
	now_ns = 1000000000;
	return 0;
}

static int
tear_down(void **state)
{
	free(spread);
	free(other);
	return 0;
}

static unsigned
hand(struct spread *s, const struct packet *k, uint32_t len, uintptr_t item)
{
	uint8_t *exact = malloc(len ? len : 1);
	CHECK(exact != NULL);
	memcpy(exact, packet_bytes(k), len);
	unsigned n = spread_frame(
		s, (struct span){exact, len}, k->len, NET_LINK_ETHERNET, (void *)item, now_ns, out);
	free(exact);
	return n;
}

static uint32_t
hash_of(const struct packet *k, uint32_t len)
{
	assert_int_equal(hand(spread, k, len, 1), 1);
	assert_ptr_equal(out[0].item, (void *)1);
	return out[0].hash;
}

static void
make(uint32_t i, bool back, uint32_t payload_len)
{
	static uint8_t payload[4000];
	struct parts p = {.ip6 = i & 1,
		.src = back ? 2 : 10 + i,
		.dst = back ? 10 + i : 2,
		.sport = back ? 8545 : (uint16_t)(5000 + i),
		.dport = back ? (uint16_t)(5000 + i) : 8545,
		.flags = TCP_ACK,
		.payload = payload,
		.len = payload_len};
	packet_make(&packet, &p);
}

static void
symmetric_keyed_and_even(void **state)
{
	unsigned used[4] = {0}, differ = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		make(i, false, 40);
		packet_link(&packet, NET_LINK_ETHERNET);
		uint32_t h = hash_of(&packet, packet.len);
		assert_int_equal(hand(other, &packet, packet.len, 2), 1);
		differ += out[0].hash != h;
		uint32_t ports = 14 + (i & 1 ? 40 : 20) + 4;
		assert_int_equal(hash_of(&packet, ports), h); /* cut behind the ports */
		assert_int_equal(hash_of(&packet, ports - 1), 0);
		make(i, true, 3);
		packet_link(&packet, NET_LINK_ETHERNET);
		assert_int_equal(hash_of(&packet, packet.len), h);
		used[h % 4]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(used[i], 180, 320);
	assert_true(differ > 990);
}

static void
innermost_flow_decides(void **state)
{
	static const char *const ways[] = {"v", "vab", "m", "Ew", "p", "g", "k", "n", "1", "2", "3", "x", "X",
		"O", "u", "4", "h", "x2", "4x4"};
	for (uint32_t i = 0; i < 2; i++) {
		make(i, false, 40);
		packet_link(&packet, NET_LINK_ETHERNET);
		uint32_t h = hash_of(&packet, packet.len);
		for (unsigned w = 0; w < sizeof ways / sizeof ways[0]; w++) {
			make(i, w & 1, 40);
			packet_wrap_all(&packet, ways[w]);
			packet_link(&packet, NET_LINK_ETHERNET);
			assert_int_equal(hash_of(&packet, packet.len), h);
			assert_int_equal(hash_of(&packet, packet.len - 40), h);
		}
	}
}

/* Pieces of 1000 bytes of the packet, each wrapped, in the order of `order`; all must get hash h. */
static void
pieces_get(uint32_t id, const char *order, const char *way, uint32_t h)
{
	bool got[8] = {false};
	unsigned n = 0, passed = 0;
	uint32_t len = packet_ip_payload(&packet);
	for (const char *o = order; *o; o++, n++) {
		uint32_t at = (uint32_t)(*o - '0') * 1000;
		packet_fragment(&packet, id, at, at + 1000 < len ? at + 1000 : len, &piece);
		packet_wrap_all(&piece, way);
		packet_link(&piece, NET_LINK_ETHERNET);
		unsigned k = hand(spread, &piece, piece.len, (uintptr_t)(*o - '0'));
		for (unsigned i = 0; i < k; i++, passed++) {
			assert_int_equal(out[i].hash, h);
			assert_false(got[(uintptr_t)out[i].item]);
			got[(uintptr_t)out[i].item] = true;
		}
	}
	assert_int_equal(passed, n);
	assert_int_equal(spread->n_parked, 0);
}

static void
fragments_follow_their_flow(void **state)
{
	static const char *const orders[] = {"0123", "3210", "1023", "3120"}, *const ways[] = {
										      "", "v", "x", "2"};
	for (uint32_t i = 0; i < 8; i++) {
		make(i, false, 40);
		packet_link(&packet, NET_LINK_ETHERNET);
		uint32_t h = hash_of(&packet, packet.len);
		for (unsigned o = 0; o < 4; o++) {
			make(i, false, 3500);
			pieces_get(o, orders[o], ways[o], h);
			make(i, false, 3500); /* the tunnel's packets are fragments */
			packet_wrap_all(&packet, "x");
			pieces_get(1000 + i * 4 + o, orders[o], "", h);
		}
	}
}

static void
fragments_in_fragments(void **state)
{
	static struct packet whole, inner[2];
	make(4, false, 40);
	packet_link(&packet, NET_LINK_ETHERNET);
	uint32_t h = hash_of(&packet, packet.len);
	make(4, false, 2980);
	whole = packet;
	for (unsigned i = 0; i < 2; i++) {
		packet_fragment(&whole, 6, i * 1496, i ? 3000 : 1496, &inner[i]);
		packet_wrap_all(&inner[i], "x");
	}
	packet = inner[0];
	pieces_get(70, "01", "", h);
	packet = inner[1]; /* whose flow only the other one's packets show */
	pieces_get(71, "01", "", h);
}

static void
waits_no_longer_than_it_may(void **state)
{
	make(0, false, 3500);
	for (uint32_t id = 0; id < SPREAD_PARKED + 8; id++) {
		packet_fragment(&packet, id, 1000, 2000, &piece);
		packet_link(&piece, NET_LINK_ETHERNET);
		unsigned n = hand(spread, &piece, piece.len, id + 1);
		assert_int_equal(n, id >= SPREAD_PARKED);
		if (n == 1)
			assert_ptr_equal(out[0].item, (void *)(uintptr_t)(id - SPREAD_PARKED + 1));
		now_ns += 1000;
	}
	assert_int_equal(spread_expire(spread, now_ns, out), 0);
	uint32_t guessed = out[0].hash;
	/* the first fragment goes after what went without it */
	packet_fragment(&packet, 3, 0, 1000, &piece);
	packet_link(&piece, NET_LINK_ETHERNET);
	assert_int_equal(hand(spread, &piece, piece.len, 7), 1);
	assert_int_equal(out[0].hash, guessed);
	now_ns += SPREAD_WAIT_NS;
	assert_int_equal(spread_expire(spread, now_ns, out), SPREAD_PARKED);
	for (unsigned i = 0; i < SPREAD_PARKED; i++) {
		assert_ptr_equal(out[i].item, (void *)(uintptr_t)(i + 9));
		assert_int_equal(out[i].hash, guessed);
	}
	assert_int_equal(spread_flush(spread, out), 0);
}

/* However many datagrams come: every frame goes on exactly once. */
static void
nothing_is_lost_in_a_flood(void **state)
{
	uint64_t in = 0, sum_in = 0, passed = 0, sum_out = 0;
	make(0, false, 3500);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t part = i * 2654435761u >> 30;
		packet_fragment(
			&packet, i * 2654435761u >> 7 & 0x3fff, part * 1000, part * 1000 + 512, &piece);
		packet_link(&piece, NET_LINK_ETHERNET);
		unsigned n = hand(spread, &piece, piece.len, i + 1);
		in++;
		sum_in += i + 1;
		now_ns += 100000;
		for (unsigned k = 0; k < n; k++, passed++)
			sum_out += (uintptr_t)out[k].item;
		if (i % 7 == 0) {
			n = spread_expire(spread, now_ns, out);
			for (unsigned k = 0; k < n; k++, passed++)
				sum_out += (uintptr_t)out[k].item;
		}
	}
	unsigned n = spread_flush(spread, out);
	for (unsigned k = 0; k < n; k++, passed++)
		sum_out += (uintptr_t)out[k].item;
	assert_int_equal(in, passed);
	assert_int_equal(sum_in, sum_out);
}

static void
junk_is_nobodys(void **state)
{
	make(0, false, 0);
	packet_link(&packet, NET_LINK_ETHERNET);
	for (uint32_t n = 0; n < 37; n++)
		assert_int_equal(hash_of(&packet, n), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(symmetric_keyed_and_even),
		TEST(innermost_flow_decides),
		TEST(fragments_follow_their_flow),
		TEST(fragments_in_fragments),
		TEST(waits_no_longer_than_it_may),
		TEST(nothing_is_lost_in_a_flood),
		TEST(junk_is_nobodys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
