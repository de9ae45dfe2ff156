/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint8_t frame[80000];
static uint32_t frame_len;
static struct fragment part;
static const struct decode_rules rules = {.verify_checksum = true};
static const char payload[] = "POST / HTTP/1.1\r\n";
#define PAYLOAD_BYTES ((uint32_t)sizeof payload - 1)

static void
plain(bool ip6, unsigned tags)
{
	struct parts p = {
		.ip6 = ip6,
		.tags = tags,
		.seq = 0x01020304,
		.ack = 0xfffefdfc,
		.flags = TCP_ACK | TCP_PSH,
		.payload = payload,
		.len = PAYLOAD_BYTES,
		.options = 12,
	};
	frame_len = frame_build(frame, sizeof frame, &p);
}

/* Decodes from a buffer of the exact size. */
static enum sentinel_counter
decode(uint32_t captured, uint32_t wire_len, struct segment *s)
{
	uint8_t *exact = malloc(captured ? captured : 1);
	CHECK(exact != NULL);
	memcpy(exact, frame, captured);
	enum sentinel_counter r = segment_decode(
		(struct span){exact, captured}, wire_len, NET_LINK_ETHERNET, &rules, s, &part);
	if (r == CTR_ACCEPTED && s->payload.len > 0)
		s->payload.p = frame + (s->payload.p - exact);
	free(exact);
	return r;
}

static enum sentinel_counter
verdict(void)
{
	struct segment s;
	return decode(frame_len, frame_len, &s);
}

static void
fields_of_every_encapsulation(void **state)
{
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		for (unsigned tags = 0; tags < 4; tags++) {
			struct segment s;
			plain(ip6, tags);
			assert_int_equal(decode(frame_len, frame_len, &s), CTR_ACCEPTED);
			assert_int_equal(s.seq, 0x01020304);
			assert_int_equal(s.ack, 0xfffefdfc);
			assert_int_equal(s.flags, TCP_ACK | TCP_PSH);
			assert_int_equal(s.ends.port[0], 40000);
			assert_int_equal(s.ends.port[1], 8545);
			assert_int_equal(s.payload.len, PAYLOAD_BYTES);
			assert_memory_equal(s.payload.p, payload, PAYLOAD_BYTES);
			static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
			static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [12] = 10, [15] = 1};
			assert_memory_equal(s.ends.ip[0], ip6 ? v6 : v4, 16);
		}
		plain(ip6, 4);
		assert_int_equal(verdict(), CTR_UNDEC_VLAN);
	}
}

/* A byte of a good frame set to another value, and what must become of it. */
struct change {
	const char *what;
	bool ip6;
	uint16_t at;
	uint8_t to;
	enum sentinel_counter becomes;
};

static void
malformed_headers(void **state)
{
	static const struct change changes[] = {
		{"ARP", false, 13, 6, CTR_NOTOURS_ETHERTYPE},
		{"802.3 length", false, 12, 1, CTR_NOTOURS_ETHERTYPE},
		{"IPv6 type on IPv4", false, 12, 0x86, CTR_NOTOURS_ETHERTYPE},
		{"version 5", false, 14, 0x55, CTR_UNDEC_IP4},
		{"ihl 4", false, 14, 0x44, CTR_UNDEC_IP4},
		{"ihl 15 reaches into TCP", false, 14, 0x4f, CTR_UNDEC_TCP},
		{"total length 19", false, 17, 19, CTR_UNDEC_IP4},
		{"total length one too many", false, 17, 20 + 32 + PAYLOAD_BYTES + 1, CTR_UNDEC_IP4},
		{"total length without TCP", false, 17, 20 + 19, CTR_UNDEC_TCP},
		{"more fragments", false, 20, 0x20, CTR_FRAGMENTS_HELD},
		{"fragment offset", false, 21, 1, CTR_FRAGMENTS_HELD},
		{"UDP", false, 23, 17, CTR_NOTOURS_PROTO},
		{"data offset 4", false, 46, 0x40, CTR_UNDEC_TCP},
		{"data offset 15", false, 46, 0xf0, CTR_UNDEC_TCP},
		{"checksum", false, 50, 0x77, CTR_UNDEC_CHECKSUM},
		{"payload changed", false, 14 + 20 + 32 + 3, 'X', CTR_UNDEC_CHECKSUM},
		{"address changed", false, 28, 11, CTR_UNDEC_CHECKSUM},
		{"version 4 in IPv6", true, 14, 0x40, CTR_UNDEC_IP6},
		{"payload length one too many", true, 19, 32 + PAYLOAD_BYTES + 1, CTR_UNDEC_IP6},
		{"payload length one too few", true, 19, 32 + PAYLOAD_BYTES - 1, CTR_UNDEC_CHECKSUM},
		{"payload length without TCP", true, 19, 19, CTR_UNDEC_TCP},
		{"ICMPv6", true, 20, 58, CTR_NOTOURS_PROTO},
		{"no next header", true, 20, 59, CTR_NOTOURS_PROTO},
		{"ESP", true, 20, 50, CTR_NOTOURS_PROTO},
		{"hop-by-hop longer than the packet", true, 20, 0, CTR_UNDEC_IP6},
		{"data offset 4", true, 66, 0x40, CTR_UNDEC_TCP},
		{"checksum", true, 70, 0x77, CTR_UNDEC_CHECKSUM},
	};
	for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		plain(changes[i].ip6, 0);
		frame[changes[i].at] = changes[i].to;
		enum sentinel_counter r = verdict();
		if (r != changes[i].becomes)
			print_error("%s: %s\n", changes[i].what, counter_infos[r].name);
		assert_int_equal(r, changes[i].becomes);
	}
}

static void
ip4_options_padding_and_offload(void **state)
{
	struct segment s;
	plain(false, 0);
	memmove(frame + 14 + 28, frame + 34, frame_len - 34); /* 8 bytes of IP options */
	memset(frame + 34, 1, 8);
	frame[14] = 0x47;
	frame[17] += 8;
	frame_len += 8;
	memset(frame + frame_len, 0xee, 6); /* padding */
	assert_int_equal(decode(frame_len + 6, frame_len + 6, &s), CTR_ACCEPTED);
	assert_int_equal(s.payload.len, PAYLOAD_BYTES);
	assert_memory_equal(s.payload.p, payload, PAYLOAD_BYTES);
	frame[16] = frame[17] = 0; /* total length 0: to the end of the frame */
	assert_int_equal(decode(frame_len, frame_len, &s), CTR_ACCEPTED);
	assert_int_equal(s.payload.len, PAYLOAD_BYTES);
}

static void
frames_larger_than_their_length_field(void **state)
{
	static uint8_t big[70000];
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct parts p = {.ip6 = ip6, .flags = TCP_ACK, .payload = big, .len = sizeof big};
		struct segment s;
		frame_len = frame_build(frame, sizeof frame, &p);
		assert_int_equal(decode(frame_len, frame_len, &s), CTR_ACCEPTED);
		assert_int_equal(s.payload.len, sizeof big);
	}
}

static void
cut_by_the_capture(void **state)
{
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct segment s;
		plain(ip6, 1);
		for (uint32_t n = 0; n < frame_len; n++)
			assert_int_equal(decode(n, frame_len, &s), CTR_UNDEC_TRUNCATED);
		for (uint32_t n = 0; n < frame_len; n++) { /* the same, but on the wire */
			enum sentinel_counter r = decode(n, n, &s);
			assert_true(r == CTR_UNDEC_ETHER || r == CTR_UNDEC_IP4 || r == CTR_UNDEC_IP6);
		}
		/* only padding was cut */
		assert_int_equal(decode(frame_len, frame_len + 100, &s), CTR_ACCEPTED);
		assert_int_equal(decode(frame_len, 0, &s), CTR_ACCEPTED);
	}
}

/* Puts extension headers between IPv6 and TCP. */
static void
extend(const uint8_t *headers, uint32_t n, uint8_t first)
{
	plain(true, 0);
	memmove(frame + 54 + n, frame + 54, frame_len - 54);
	memcpy(frame + 54, headers, n);
	frame_len += n;
	frame[20] = first;
	frame[18] = (uint8_t)((frame_len - 54) >> 8);
	frame[19] = (uint8_t)(frame_len - 54);
}

static void
ip6_extension_headers(void **state)
{
	static const uint8_t hop[8] = {6, 0, 1, 4}, dest16[16] = {6, 1, 1, 12};
	static const uint8_t atomic[8] = {6}, more[8] = {6, 0, 0, 1}, later[8] = {6, 0, 1, 0}, udp[8] = {17, 0, 0, 1};
	static const uint8_t ah[24] = {6, 4};
	static const uint8_t chain[40] = {43, 0, [8] = 60, 0, [16] = 51, 0, [24] = 6, 2};
	extend(hop, 8, 0);
	assert_int_equal(verdict(), CTR_ACCEPTED);
	extend(dest16, 16, 60);
	assert_int_equal(verdict(), CTR_ACCEPTED);
	extend(ah, 24, 51);
	assert_int_equal(verdict(), CTR_ACCEPTED);
	extend(chain, 40, 0);
	assert_int_equal(verdict(), CTR_ACCEPTED);
	extend(atomic, 8, 44);
	assert_int_equal(verdict(), CTR_ACCEPTED);
	extend(more, 8, 44);
	assert_int_equal(verdict(), CTR_FRAGMENTS_HELD);
	extend(later, 8, 44);
	assert_int_equal(verdict(), CTR_FRAGMENTS_HELD);
	extend(udp, 8, 44); /* may be a tunnel's */
	assert_int_equal(verdict(), CTR_FRAGMENTS_HELD);
	uint8_t many[800] = {0}; /* what a receiver reads to their end */
	for (unsigned i = 0; i < sizeof many; i += 8)
		many[i] = i + 8 < sizeof many ? 60 : 6;
	extend(many, sizeof many, 60);
	assert_int_equal(verdict(), CTR_ACCEPTED);
}

/* Receivers take them off, however many; those that name a VLAN have an end. */
static void
tags_of_priority(void **state)
{
	static const uint8_t priority[4] = {0x81, 0, 0xe0, 0}, named[4] = {0x88, 0xa8, 0, 7};
	plain(false, 3);
	for (unsigned i = 0; i < 20; i++) {
		memmove(frame + 16, frame + 12, frame_len - 12);
		memcpy(frame + 12, priority, sizeof priority);
		frame_len += 4;
	}
	assert_int_equal(verdict(), CTR_ACCEPTED);
	memcpy(frame + 32, named, sizeof named);
	assert_int_equal(verdict(), CTR_UNDEC_VLAN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_every_encapsulation),
		cmocka_unit_test(malformed_headers),
		cmocka_unit_test(ip4_options_padding_and_offload),
		cmocka_unit_test(frames_larger_than_their_length_field),
		cmocka_unit_test(cut_by_the_capture),
		cmocka_unit_test(ip6_extension_headers),
		cmocka_unit_test(tags_of_priority),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
