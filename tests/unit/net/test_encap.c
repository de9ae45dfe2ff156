/* SPDX-License-Identifier: BSD-3-Clause */
#include "wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char payload[] = "POST / HTTP/1.1\r\n";
#define PAYLOAD_BYTES ((uint32_t)sizeof payload - 1)

static const struct decode_rules rules = {.verify_checksum = true, .vxlan_port = 12345};
static struct packet packet;
static uint64_t rng = 88172645463325252u;

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static void
begin(bool ip6)
{
	struct parts p = {.ip6 = ip6,
		.seq = 0x01020304,
		.flags = TCP_ACK,
		.payload = payload,
		.len = PAYLOAD_BYTES,
		.options = 12};
	packet_make(&packet, &p);
}

static enum sentinel_counter
decode_cut(uint32_t captured, uint32_t wire_len, enum net_link link, struct segment *s, char *got)
{
	struct fragment part;
	uint8_t *exact = malloc(captured ? captured : 1);
	CHECK(exact != NULL);
	memcpy(exact, packet_bytes(&packet), captured);
	enum sentinel_counter r =
		segment_decode((struct span){exact, captured}, wire_len, link, &rules, s, &part);
	if (r == CTR_ACCEPTED && s->payload.len == PAYLOAD_BYTES)
		memcpy(got, s->payload.p, PAYLOAD_BYTES);
	free(exact);
	return r;
}

static enum sentinel_counter
verdict(enum net_link link)
{
	struct segment s;
	char got[PAYLOAD_BYTES];
	return decode_cut(packet.len, packet.len, link, &s, got);
}

/* The packet shows the segment that it was made of. */
static void
assert_whole(bool ip6, enum net_link link, const char *what)
{
	struct segment s = {0};
	char got[PAYLOAD_BYTES] = "";
	enum sentinel_counter r = decode_cut(packet.len, packet.len, link, &s, got);
	static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
	static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [12] = 10, [15] = 1};
	if (r != CTR_ACCEPTED || s.payload.len != PAYLOAD_BYTES)
		print_error("%s in IPv%c: %s\n", what, ip6 ? '6' : '4', counter_infos[r].name);
	assert_int_equal(r, CTR_ACCEPTED);
	assert_int_equal(s.payload.len, PAYLOAD_BYTES);
	assert_memory_equal(got, payload, PAYLOAD_BYTES);
	assert_memory_equal(s.ends.ip[0], ip6 ? v6 : v4, 16);
	assert_int_equal(s.ends.port[0], 40000);
	assert_int_equal(s.seq, 0x01020304);
	assert_int_equal(s.tunnels, packet.tunnels);
}

/* What mirrors deliver, innermost first. */
static const char *const chains[] = {
	"E",
	"v",
	"va",
	"vab",
	"cba",
	"m",
	"mm",
	"mmmmmmmmmmmmmmmm",
	"vm",
	"vw",
	"em",
	"fm",
	"Em",
	"Evm",
	"Ew",
	"vEmm",
	"p",
	"pv",
	"pvv",
	"mp",
	"g",
	"k",
	"l",
	"En",
	"Eg",
	"Ek",
	"vn",
	"1",
	"2",
	"3",
	"o",
	"r",
	"v1",
	"v2",
	"va3",
	"v2v",
	"x",
	"y",
	"X",
	"vx",
	"vabx",
	"P",
	"EP",
	"G",
	"O",
	"EG",
	"EO",
	"vG",
	"u",
	"Eu",
	"4",
	"6",
	"h",
	"44",
	"66",
	"46",
	"64",
	"4g6",
	"gx",
	"x2",
	"2x",
	"mx",
	"xm",
	"4x3",
	"xG2",
	"pE",
	"h6h",
	"4444",
	"x4x4",
	"egm",
	"vabEvabnvab",
};

static void
every_encapsulation_shows_the_segment(void **state)
{
	for (unsigned i = 0; i < sizeof chains / sizeof chains[0]; i++) {
		for (unsigned ip6 = 0; ip6 < 2; ip6++) {
			begin(ip6);
			packet_wrap_all(&packet, chains[i]);
			packet_link(&packet, NET_LINK_ETHERNET);
			assert_whole(ip6, NET_LINK_ETHERNET, chains[i]);
		}
	}
}

static void
cut_by_the_capture_is_truncated(void **state)
{
	struct segment s;
	char got[PAYLOAD_BYTES];
	for (unsigned i = 0; i < sizeof chains / sizeof chains[0]; i++) {
		for (unsigned ip6 = 0; ip6 < 2; ip6++) {
			begin(ip6);
			packet_wrap_all(&packet, chains[i]);
			packet_link(&packet, NET_LINK_ETHERNET);
			for (uint32_t n = 0; n < packet.len; n++) {
				enum sentinel_counter r =
					decode_cut(n, packet.len, NET_LINK_ETHERNET, &s, got);
				if (r != CTR_UNDEC_TRUNCATED)
					print_error("%s, %u of %u: %s\n", chains[i], n, packet.len,
						counter_infos[r].name);
				assert_int_equal(r, CTR_UNDEC_TRUNCATED);
				/* the same, but so on the wire: bad somewhere, never taken for whole */
				assert_int_not_equal(
					decode_cut(n, n, NET_LINK_ETHERNET, &s, got), CTR_ACCEPTED);
			}
		}
	}
}

static void
any_nesting_up_to_the_caps(void **state)
{
	unsigned accepted = 0, deep = 0, tags = 0;
	for (unsigned round = 0; round < 20000; round++) {
		char letters[16] = "";
		bool ip6 = rnd(2);
		unsigned n = 1 + rnd(12);
		begin(ip6);
		for (unsigned i = 0; i < n; i++) {
			letters[i] = wrap_letters[rnd((uint32_t)strlen(wrap_letters))];
			packet_wrap(&packet, letters[i]);
		}
		packet_link(&packet, NET_LINK_ETHERNET);
		if (packet.tunnels <= DECODE_TUNNELS_MAX && packet.most_tags <= 3) {
			assert_whole(ip6, NET_LINK_ETHERNET, letters);
			accepted++;
			continue;
		}
		enum sentinel_counter r = verdict(NET_LINK_ETHERNET);
		assert_true(r == CTR_UNDEC_NESTING || r == CTR_UNDEC_VLAN);
		deep += r == CTR_UNDEC_NESTING;
		tags += r == CTR_UNDEC_VLAN;
	}
	assert_true(accepted > 10000 && deep > 100 && tags > 10);
}

static void
link_types(void **state)
{
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		for (enum net_link link = NET_LINK_IP; link < NET_LINK_OTHER; link++) {
			begin(ip6);
			packet_link(&packet, link);
			assert_whole(ip6, link, "link");
			assert_int_equal(verdict(NET_LINK_OTHER), CTR_NOTOURS_LINK);
			begin(ip6);
			packet_wrap_all(&packet, "x");
			packet_link(&packet, link);
			assert_whole(ip6, link, "link");
			for (uint32_t n = 0; n < packet.len; n++) {
				struct segment s;
				char got[PAYLOAD_BYTES];
				assert_int_equal(
					decode_cut(n, packet.len, link, &s, got), CTR_UNDEC_TRUNCATED);
			}
		}
		begin(ip6);
		packet_wrap_all(&packet, "va");
		assert_true(packet_link(&packet, NET_LINK_SLL));
		assert_whole(ip6, NET_LINK_SLL, "tags");
	}
}

static void
loopback_families(void **state)
{
	static const uint8_t v6[] = {10, 23, 24, 28, 30};
	for (unsigned i = 0; i < sizeof v6; i++) {
		for (unsigned big = 0; big < 2; big++) {
			begin(true);
			packet_push(&packet, 4)[big ? 3 : 0] = v6[i];
			assert_whole(true, NET_LINK_FAMILY, "family");
			begin(false);
			packet_push(&packet, 4)[big ? 3 : 0] = 2;
			assert_whole(false, NET_LINK_FAMILY, "family");
			begin(false);
			packet_push(&packet, 4)[big ? 3 : 0] = 7;
			assert_int_equal(verdict(NET_LINK_FAMILY), CTR_NOTOURS_ETHERTYPE);
		}
	}
	begin(false);
	packet_push(&packet, 0);
	packet.bytes[WRAP_BYTES - packet.len] = 0x55;
	assert_int_equal(verdict(NET_LINK_IP), CTR_NOTOURS_ETHERTYPE);
}

/* A byte of a good packet set to another value, and what must become of it. */
struct change {
	const char *letters;
	uint16_t at; /* behind the Ethernet header */
	uint8_t to;
	enum sentinel_counter becomes;
};

static void
malformed_headers(void **state)
{
	static const struct change changes[] = {
		{"g", 20, 0x40, CTR_UNDEC_TUNNEL},	/* GRE with routing */
		{"g", 21, 0x01, CTR_NOTOURS_PROTO},	/* GRE version 1 */
		{"g", 22, 0x88, CTR_NOTOURS_ETHERTYPE}, /* GRE of something else */
		{"2", 28, 0x30, CTR_UNDEC_TUNNEL},	/* ERSPAN versions */
		{"3", 28, 0x10, CTR_UNDEC_TUNNEL},
		{"3", 38, 1 << 2, CTR_NOTOURS_ETHERTYPE}, /* ERSPAN III of Infiniband */
		{"x", 28, 0x00, CTR_NOTOURS_PROTO},	  /* VXLAN without network identifier */
		{"x", 22, 0x01, CTR_NOTOURS_PROTO},	  /* another port */
		{"x", 24, 0x40, CTR_UNDEC_TUNNEL},	  /* UDP length beyond the packet */
		{"x", 23, 0xb6, CTR_ACCEPTED},		  /* GPE's port, no next protocol: Ethernet */
		{"P", 31, 4, CTR_NOTOURS_ETHERTYPE},	  /* NSH */
		{"P", 31, 200, CTR_NOTOURS_ETHERTYPE},
		{"G", 28, 0x40, CTR_UNDEC_TUNNEL}, /* GENEVE version 1 */
		{"G", 28, 0x3f, CTR_UNDEC_TUNNEL}, /* options beyond the packet */
		{"G", 30, 0x12, CTR_NOTOURS_ETHERTYPE}, {"p", 0, 0x21, CTR_UNDEC_TUNNEL}, /* PPPoE version */
		{"p", 1, 0x09, CTR_UNDEC_TUNNEL},      /* a code that is no session's */
		{"p", 4, 0x40, CTR_UNDEC_TUNNEL},      /* longer than the frame */
		{"p", 6, 0xc0, CTR_NOTOURS_ETHERTYPE}, /* LCP */
		{"4", 9, 50, CTR_NOTOURS_PROTO},       /* ESP */
		{"4", 20, 0x65, CTR_UNDEC_IP4},
		{"h", 41, 200, CTR_UNDEC_IP6},	/* hop-by-hop header beyond the packet */
		{"4", 9, 0, CTR_NOTOURS_PROTO}, /* extension headers are IPv6's */
		{"4", 9, 60, CTR_NOTOURS_PROTO},
		{"m", 2, 0x00, CTR_NOTOURS_ETHERTYPE}, /* no bottom of stack: IP taken for labels */
	};
	for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		begin(false);
		packet_wrap_all(&packet, changes[i].letters);
		packet_link(&packet, NET_LINK_ETHERNET);
		packet.bytes[WRAP_BYTES - packet.len + 14 + changes[i].at] = changes[i].to;
		enum sentinel_counter r = verdict(NET_LINK_ETHERNET);
		if (r != changes[i].becomes)
			print_error(
				"%s at %u: %s\n", changes[i].letters, changes[i].at, counter_infos[r].name);
		assert_int_equal(r, changes[i].becomes);
	}
}

static void
lengths_of_zero_go_to_the_end(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		begin(false);
		packet_wrap_all(&packet, i ? "G" : "x");
		uint8_t *ip = packet.bytes + WRAP_BYTES - packet.len;
		ip[2] = ip[3] = ip[24] = ip[25] = 0;
		packet_link(&packet, NET_LINK_ETHERNET);
		assert_whole(false, NET_LINK_ETHERNET, "zero length");
	}
}

static void
frames_beyond_64k_in_tunnels(void **state)
{
	static uint8_t big[100000];
	static const char *const in[] = {"E", "v", "m", "p", "4", "6", "g", "n", "2", "3", "x", "X", "O"};
	for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++) {
		for (unsigned ip6 = 0; ip6 < 2; ip6++) {
			struct parts p = {.ip6 = ip6, .flags = TCP_ACK, .payload = big, .len = sizeof big};
			struct segment s = {0};
			char got[PAYLOAD_BYTES];
			packet_make(&packet, &p);
			packet_wrap_all(&packet, in[i]);
			packet_link(&packet, NET_LINK_ETHERNET);
			assert_int_equal(
				decode_cut(packet.len, packet.len, NET_LINK_ETHERNET, &s, got), CTR_ACCEPTED);
			assert_int_equal(s.payload.len, sizeof big);
		}
	}
}

/* A switch that mirrors the beginning of frames only says so. */
static void
erspan_truncation_bit(void **state)
{
	static const char *const kinds[] = {"2", "3"};
	for (unsigned i = 0; i < 2; i++) {
		struct segment s;
		char got[PAYLOAD_BYTES];
		begin(false);
		packet_wrap_all(&packet, kinds[i]);
		packet.bytes[WRAP_BYTES - packet.len + 28 + 2] |= 0x04;
		uint8_t *ip = packet.bytes + WRAP_BYTES - packet.len;
		for (uint32_t cut = 1; cut < 60; cut++) {
			uint32_t whole = packet.len, total = whole - cut;
			ip[2] = (uint8_t)(total >> 8);
			ip[3] = (uint8_t)total;
			struct fragment part;
			enum sentinel_counter r = segment_decode(
				(struct span){ip, total}, total, NET_LINK_IP, &rules, &s, &part);
			assert_int_equal(r, CTR_UNDEC_TRUNCATED);
		}
		ip[2] = (uint8_t)(packet.len >> 8);
		ip[3] = (uint8_t)packet.len;
		assert_int_equal(decode_cut(packet.len, packet.len, NET_LINK_IP, &s, got),
			CTR_ACCEPTED); /* said so in vain */
	}
}

/* IPv6 options and routes. */
static void
extend(const uint8_t *headers, uint32_t n, uint8_t first, uint32_t payload_len)
{
	begin(true);
	uint8_t ip[40];
	memcpy(ip, packet_bytes(&packet), 40);
	packet.len -= 40;
	memcpy(packet_push(&packet, n), headers, n);
	if (payload_len == UINT32_MAX)
		payload_len = packet.len;
	ip[4] = (uint8_t)(payload_len >> 8);
	ip[5] = (uint8_t)payload_len;
	ip[6] = first;
	memcpy(packet_push(&packet, 40), ip, 40);
	packet_link(&packet, NET_LINK_ETHERNET);
}

static void
jumbogram_option(void **state)
{
	uint8_t hop[8] = {6, 0, 0xc2, 4};
	uint32_t tcp = 32 + PAYLOAD_BYTES;
	hop[7] = (uint8_t)(8 + tcp);
	extend(hop, 8, 0, 0);
	assert_whole(true, NET_LINK_ETHERNET, "jumbo");
	hop[7]++;
	extend(hop, 8, 0, 0);
	assert_int_equal(verdict(NET_LINK_ETHERNET), CTR_UNDEC_IP6);
	hop[7] -= 2;
	extend(hop, 8, 0, 0); /* one byte less: the checksum tells */
	assert_int_equal(verdict(NET_LINK_ETHERNET), CTR_UNDEC_CHECKSUM);
	uint8_t pads[8] = {6, 0, 0, 0, 0, 0, 0, 0};
	extend(pads, 8, 0, 0); /* no jumbo option: to the end of the frame */
	assert_whole(true, NET_LINK_ETHERNET, "zero length");
	uint8_t endless[8] = {6, 0, 1, 255, 1, 255, 1, 255};
	extend(endless, 8, 0, 0);
	assert_whole(true, NET_LINK_ETHERNET, "options beyond their header");
}

/* The checksum is made with the last destination, which is also whom the flow is with. */
static void
routing_headers(void **state)
{
	static const struct {
		uint8_t type, final; /* offset of the last destination */
	} kinds[] = {{0, 24}, {2, 24}, {4, 8}};
	for (unsigned i = 0; i < 3; i++) {
		uint8_t header[40] = {6, 4, kinds[i].type, 1};
		struct segment s;
		char got[PAYLOAD_BYTES];
		begin(true);
		uint8_t destination[16];
		memcpy(destination, packet_bytes(&packet) + 24, 16);
		memcpy(header + kinds[i].final, destination, 16);
		header[kinds[i].final == 8 ? 24 : 8] = 0xfd;
		extend(header, 40, 43, UINT32_MAX);
		memset(packet.bytes + WRAP_BYTES - packet.len + 14 + 24, 0xfe, 16); /* the next hop */
		assert_int_equal(
			decode_cut(packet.len, packet.len, NET_LINK_ETHERNET, &s, got), CTR_ACCEPTED);
		assert_memory_equal(s.ends.ip[1], destination, 16);
	}
	uint8_t last[24] = {6, 2, 4, 0, [8] = 0xfd};
	extend(last, 24, 43, UINT32_MAX); /* arrived */
	assert_whole(true, NET_LINK_ETHERNET, "route that is over");
}

static void
send(struct net *n, const char *letters, uint32_t seq, const char *bytes)
{
	struct parts p = {.seq = seq, .flags = TCP_ACK, .payload = bytes, .len = (uint32_t)strlen(bytes)};
	packet_make(&packet, &p);
	packet_wrap_all(&packet, letters);
	packet_link(&packet, NET_LINK_ETHERNET);
	net_frame(n, packet_bytes(&packet), packet.len, packet.len);
}

/* However a segment comes, it is of one flow, and the second one of two mirrors repeats it. */
static void
one_flow_by_all_ways(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	net_open(&n, &c);
	uint32_t seq = 1, count = sizeof chains / sizeof chains[0];
	for (unsigned i = 0; i < count; i++, seq += 4) {
		send(&n, chains[i], seq, "abcd");
		send(&n, chains[(i + 1) % count], seq, "abcd");
	}
	assert_int_equal(n.ctr[CTR_FLOWS_CREATED], 1);
	assert_int_equal(n.flows[0].dir[0].n, 4 * count);
	assert_int_equal(n.ctr[CTR_ST_DUP], 4 * count);
	assert_int_equal(n.ctr[CTR_OVERLAP_CONFLICTS], 0);
	assert_int_equal(n.ctr[CTR_ACCEPTED], 2 * count);
	assert_in_range(n.ctr[CTR_TUNNELLED], count, 2 * count);
	net_close(&n);
}

static void
configured_vxlan_port(void **state)
{
	begin(false);
	packet_wrap_all(&packet, "x");
	uint8_t *ip = packet.bytes + WRAP_BYTES - packet.len;
	ip[22] = 12345 >> 8;
	ip[23] = 12345 & 255;
	assert_whole(false, NET_LINK_IP, "port");
	ip[23]++;
	assert_int_equal(verdict(NET_LINK_IP), CTR_NOTOURS_PROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_encapsulation_shows_the_segment),
		cmocka_unit_test(cut_by_the_capture_is_truncated),
		cmocka_unit_test(any_nesting_up_to_the_caps),
		cmocka_unit_test(link_types),
		cmocka_unit_test(loopback_families),
		cmocka_unit_test(malformed_headers),
		cmocka_unit_test(lengths_of_zero_go_to_the_end),
		cmocka_unit_test(frames_beyond_64k_in_tunnels),
		cmocka_unit_test(erspan_truncation_bit),
		cmocka_unit_test(jumbogram_option),
		cmocka_unit_test(routing_headers),
		cmocka_unit_test(one_flow_by_all_ways),
		cmocka_unit_test(configured_vxlan_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
