/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/fragment.h"
#include "wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PIECES_MAX 4096u

static struct packet whole, piece;
static uint8_t payload[65000];
static uint64_t rng = 88172645463325252u;

struct cut {
	uint32_t from, to;
};
static struct cut cuts[PIECES_MAX];

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static void
fill(void)
{
	for (uint32_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(rnd(256));
}

static void
make(bool ip6, uint32_t seq, uint32_t len)
{
	struct parts p = {.ip6 = ip6, .seq = 1 + seq, .flags = TCP_ACK, .payload = payload + seq, .len = len};
	packet_make(&whole, &p);
}

static void
hand_over(struct net *n, const char *letters)
{
	packet_wrap_all(&piece, letters);
	packet_link(&piece, NET_LINK_ETHERNET);
	net_frame(n, packet_bytes(&piece), piece.len, piece.len);
}

static void
send(struct net *n, uint32_t id, uint32_t from, uint32_t to)
{
	packet_fragment(&whole, id, from, to, &piece);
	hand_over(n, "");
}

/* Cuts [0, len) at multiples of 8 into pieces of at most `most` bytes. */
static unsigned
cut_up(uint32_t len, uint32_t most)
{
	unsigned n = 0;
	for (uint32_t at = 0; at < len; n++) {
		uint32_t k = (1 + rnd(most / 8)) * 8;
		CHECK(n < PIECES_MAX);
		cuts[n] = (struct cut){at, at + k < len ? at + k : len};
		at = cuts[n].to;
	}
	return n;
}

static void
shuffle(unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rnd(i);
		struct cut c = cuts[k];
		cuts[k] = cuts[i - 1];
		cuts[i - 1] = c;
	}
}

static void
any_number_in_any_order(void **state)
{
	static const char *const ways[] = {"", "v", "x", "g4", "m", "pE", "3"};
	fill();
	for (unsigned round = 0; round < 300; round++) {
		struct net n;
		struct stream_config c = net_config();
		bool ip6 = round & 1;
		uint32_t at = 0, frames = 0;
		net_open(&n, &c);
		for (unsigned d = 0; d < 3; d++) {
			uint32_t len = 1 + rnd(round % 10 == 0 ? 20000 : 3000);
			make(ip6, at, len);
			unsigned k = cut_up(packet_ip_payload(&whole), round % 3 == 0 ? 8 : 1480);
			bool repeat = rnd(2);
			shuffle(k);
			for (unsigned i = 0; i < k; i++) {
				if (k == 1)
					piece = whole;
				else
					packet_fragment(&whole, 100 + d, cuts[i].from, cuts[i].to, &piece);
				hand_over(&n, ways[rnd(7)]);
				frames++;
				if (repeat && k > 1 && i + 1 < k && rnd(3) == 0) {
					unsigned before = rnd(i + 1);
					packet_fragment(
						&whole, 100 + d, cuts[before].from, cuts[before].to, &piece);
					hand_over(&n, ways[rnd(7)]);
					frames++;
				}
			}
			at += len;
		}
		assert_int_equal(n.ctr[CTR_ACCEPTED], 3);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 0);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED] + n.ctr[CTR_FRAGMENTS_DUPLICATE] + 3, frames);
		assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 0);
		assert_true(net_heard(&n, 0, 0, payload, at));
		net_close(&n);
	}
}

static void
as_long_as_ip_allows(void **state)
{
	fill();
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct net n;
		struct stream_config c = net_config();
		net_open(&n, &c);
		make(ip6, 0, sizeof payload);
		uint32_t len = packet_ip_payload(&whole);
		for (uint32_t at = (len - 1) / 8 * 8;; at -= 8) { /* backwards, eight bytes each */
			send(&n, 5, at, at + 8 < len ? at + 8 : len);
			if (at == 0)
				break;
		}
		assert_true(net_heard(&n, 0, 0, payload, sizeof payload));
		net_close(&n);
	}
}

/* The packets of the tunnel are fragments, and what they carry are fragments too. */
static void
fragments_of_tunnels(void **state)
{
	static const char *const ways[] = {"x", "X", "k", "4", "6", "2", "O", "mg", "xx"};
	fill();
	for (unsigned i = 0; i < 2 * sizeof ways / sizeof ways[0]; i++) {
		struct net n;
		struct stream_config c = net_config();
		static struct packet outer;
		net_open(&n, &c);
		make(i & 1, 0, 5000);
		struct packet *inner = malloc(sizeof *inner);
		*inner = whole;
		uint32_t len = packet_ip_payload(inner), id = 500;
		for (uint32_t at = 0; at < len; at += 2000, id++) {
			packet_fragment(inner, 7, at, at + 2000 < len ? at + 2000 : len, &outer);
			packet_wrap_all(&outer, ways[i / 2]);
			whole = outer;
			uint32_t outer_len = packet_ip_payload(&whole);
			send(&n, id, 800, outer_len);
			send(&n, id, 0, 800);
		}
		assert_int_equal(n.ctr[CTR_ACCEPTED], 1);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 0);
		assert_int_equal(n.ctr[CTR_TUNNELLED], 1);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED], n.ctr[CTR_FRAMES] - 1);
		assert_true(net_heard(&n, 0, 0, payload, 5000));
		free(inner);
		net_close(&n);
	}
}

static void
nesting_is_capped_through_fragments(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	net_open(&n, &c);
	make(false, 0, 200);
	for (unsigned i = 0; i <= DECODE_TUNNELS_MAX; i++) {
		packet_fragment(&whole, 9, 0, packet_ip_payload(&whole), &piece);
		packet_wrap_all(&whole, "4");
	}
	uint32_t len = packet_ip_payload(&whole);
	send(&n, 10, 0, 64);
	send(&n, 10, 64, len);
	assert_int_equal(n.ctr[CTR_UNDEC_NESTING], 1);
	assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED], 1);
	net_close(&n);
}

static void
fragment_header(uint8_t *p, uint32_t place, uint32_t id)
{
	memset(p, 0, 8);
	p[0] = 44; /* another one follows */
	p[2] = (uint8_t)(place >> 8);
	p[3] = (uint8_t)place;
	p[7] = (uint8_t)id;
}

/* Datagrams laid out beforehand so that one frame completes the first, whose content completes the second,
 * and so on. */
static void
no_long_chain_by_one_frame(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	uint8_t bytes[24];
	net_open(&n, &c);
	for (uint32_t id = 1; id <= 30; id++) {
		fragment_header(bytes, 1, id);	       /* the beginning of this one ... */
		fragment_header(bytes + 8, 8, id + 1); /* ... says that the rest is the end of the next */
		make(true, 0, 100);
		uint8_t ip[40];
		memcpy(ip, packet_bytes(&whole), 40);
		ip[6] = 44;
		ip[4] = 0;
		ip[5] = 16;
		piece.len = 0;
		piece.type = 0x86dd;
		memcpy(packet_push(&piece, 16), bytes, 16);
		memcpy(packet_push(&piece, 40), ip, 40);
		hand_over(&n, "");
	}
	assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 30);
	fragment_header(bytes, 8, 1);
	memset(bytes + 8, 0, 8);
	uint8_t *p = piece.bytes + WRAP_BYTES - piece.len + 14 + 40;
	memcpy(p, bytes, 16);
	net_frame(&n, packet_bytes(&piece), piece.len, piece.len);
	assert_int_equal(n.ctr[CTR_UNDEC_NESTING], 1);
	assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED], DECODE_TUNNELS_MAX);
	assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 30 - DECODE_TUNNELS_MAX);
	net_close(&n);
}

/* The mirror shows both ports: everything twice, the second time a little later. */
static void
mirrored_twice(void **state)
{
	fill();
	for (unsigned late = 1; late < 7; late++) {
		struct net n;
		struct stream_config c = net_config();
		struct {
			uint32_t id, from, to, seq;
		} queue[64];
		unsigned k = 0;
		net_open(&n, &c);
		for (uint32_t d = 0; d < 8; d++) {
			for (uint32_t at = 0; at < 3000; at += 1000, k++) {
				queue[k].id = 40 + d;
				queue[k].from = at;
				queue[k].to = at + 1000 < 3000 + 20 && at < 2000 ? at + 1000 : 3020;
				queue[k].seq = d * 3000;
			}
		}
		for (unsigned i = 0; i < k + late; i++) {
			for (unsigned copy = 0; copy < 2; copy++) {
				unsigned which = copy ? i - late : i;
				if (which >= k)
					continue;
				make(false, queue[which].seq, 3000);
				packet_fragment(
					&whole, queue[which].id, queue[which].from, queue[which].to, &piece);
				hand_over(&n, copy ? "v" : "");
			}
		}
		assert_int_equal(n.ctr[CTR_ACCEPTED], 8);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED], 16);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_DUPLICATE], 24);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 0);
		assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 0);
		assert_true(net_heard(&n, 0, 0, payload, 24000));
		net_wait(&n, 2000000000);
		net_close(&n);
	}
}

/* The same identification again at once, for another datagram that begins as the one before did. */
static void
identification_used_again(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		struct net n;
		struct stream_config c = net_config();
		fill();
		net_open(&n, &c);
		/* the beginning is the same to the byte: sequence number and checksum too */
		make(false, 0, 1500);
		uint32_t len = packet_ip_payload(&whole);
		send(&n, 3, 0, 1000);
		send(&n, 3, 1000, len);
		static struct packet other;
		other = whole;
		uint8_t *tail = other.bytes + WRAP_BYTES - 100;
		tail[0] ^= 1;
		tail[2] ^= 1; /* the sum stays if both go opposite ways; else it is made to */
		uint8_t *ip = other.bytes + WRAP_BYTES - other.len;
		uint8_t sum[2] = {ip[36], ip[37]};
		frame_checksum(ip + 20, len, ip + 12, 4);
		uint32_t was = (uint32_t)sum[0] << 8 | sum[1], is = (uint32_t)ip[36] << 8 | ip[37];
		uint32_t fix = (uint32_t)tail[4] << 8 | tail[5];
		fix = (fix + is + (0xffff - was)) % 0xffff; /* so that the head need not change */
		tail[4] = (uint8_t)(fix >> 8);
		tail[5] = (uint8_t)fix;
		ip[36] = sum[0];
		ip[37] = sum[1];
		for (unsigned i = 0; i < 2; i++) {
			bool head = i == order;
			packet_fragment(&other, 3, head ? 0 : 1000, head ? 1000 : len, &piece);
			hand_over(&n, "");
		}
		assert_int_equal(n.ctr[CTR_ACCEPTED], 2);
		assert_int_equal(
			n.ctr[CTR_OVERLAP_CONFLICTS], 1); /* TCP's word for it: both versions were shown */
		assert_int_equal(n.conflicts, 1);
		assert_int_equal(n.losing_len, 1500);
		assert_memory_equal(n.losing, ip + 40, 1500);
		assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 0);
		net_close(&n);
	}
}

/* A late copy of an old fragment does not get into a new datagram whose checksum denies it. */
static void
late_copy_is_not_believed(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	c.verify_checksum = false;
	fill();
	net_open(&n, &c);
	make(false, 0, 1500);
	uint32_t len = packet_ip_payload(&whole);
	send(&n, 3, 0, 1000);
	send(&n, 3, 1000, len);
	send(&n, 3, 1000, len); /* the second mirror */
	make(false, 1500, 1500);
	send(&n, 3, 0, 1000);
	assert_int_equal(n.ctr[CTR_UNDEC_CHECKSUM], 1);
	assert_int_equal(n.ctr[CTR_ACCEPTED], 1);
	/* the copy is overruled if the new datagram's own comes first */
	send(&n, 4, 0, 1000);
	send(&n, 4, 1000, len);
	send(&n, 4, 1000, len);
	make(false, 3000, 1500);
	send(&n, 4, 1000, len);
	send(&n, 4, 0, 1000);
	assert_int_equal(n.ctr[CTR_ACCEPTED], 3);
	net_close(&n);
}

static void
first_version_wins(void **state)
{
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct net n;
		struct stream_config c = net_config();
		fill();
		net_open(&n, &c);
		make(ip6, 0, 3000);
		uint32_t len = packet_ip_payload(&whole);
		send(&n, 1, 1000, 2000);
		static struct packet forged;
		forged = whole;
		memset(forged.bytes + WRAP_BYTES - 2500, 0xee, 2000);
		packet_fragment(&forged, 1, 1000, 2000, &piece); /* nothing new in it */
		hand_over(&n, "");
		assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_OVERLAP], 1);
		assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 1);
		send(&n, 1, 2000, len);
		packet_fragment(&forged, 1, 1016, 2200, &piece); /* the same, wider */
		hand_over(&n, "");
		assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_OVERLAP], 2);
		send(&n, 1, 1800, 2400); /* agrees */
		assert_int_equal(n.ctr[CTR_FRAGMENTS_DUPLICATE], 1);
		send(&n, 1, 0, 1400); /* overlaps and agrees */
		assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 2);
		assert_int_equal(n.ctr[CTR_FRAGMENTS_JOINED], 2);
		assert_true(net_heard(&n, 0, 0, payload, 3000));
		net_close(&n);
	}
}

static struct fragment
bare(uint32_t off, const uint8_t *p, uint32_t len, bool more)
{
	return (struct fragment){
		.ip = {{1, 2}, {3, 4}}, .id = 1, .off = off, .next = 6, .more = more, .payload = {p, len}};
}

static void
impossible_fragments(void **state)
{
	struct fragments_config c = {4, FRAGMENT_BLOCKS_MIN, 1000000};
	struct fragments t;
	struct datagram_whole out;
	uint64_t ctr[CTR_COUNT] = {0}, seed[6] = {1, 2, 3, 4, 5, 6};
	static uint8_t bytes[70000];
	void *mem = aligned_alloc(64, fragments_bytes(&c));
	CHECK(mem != NULL);
	fragments_init(&t, mem, &c, seed, ctr);
	const struct {
		uint32_t off, len;
		bool more;
		enum sentinel_counter becomes;
	} steps[] = {
		{0, 0, true, CTR_UNDEC_FRAGMENT_BAD}, {8, 0, false, CTR_UNDEC_FRAGMENT_BAD},
		{0, 7, true, CTR_UNDEC_FRAGMENT_BAD},
		{65528, 8, false, CTR_UNDEC_FRAGMENT_BAD}, /* ping of death */
		{65528, 8, true, CTR_UNDEC_FRAGMENT_BAD}, {8, 65528, false, CTR_UNDEC_FRAGMENT_BAD},
		{0, 70000, false, CTR_UNDEC_FRAGMENT_BAD}, {64, 8, true, CTR_FRAGMENTS_HELD},
		{24, 8, false, CTR_UNDEC_FRAGMENT_BAD}, /* ends before what is held */
		{80, 9, false, CTR_FRAGMENTS_HELD},
		{80, 16, true, CTR_UNDEC_FRAGMENT_BAD}, /* goes on behind the end */
		{96, 8, true, CTR_UNDEC_FRAGMENT_BAD},
		{80, 10, false, CTR_UNDEC_FRAGMENT_BAD}, /* another end */
		{80, 8, false, CTR_UNDEC_FRAGMENT_BAD}, {80, 9, false, CTR_FRAGMENTS_DUPLICATE},
		{88, 1, false, CTR_FRAGMENTS_DUPLICATE}, {24, 40, true, CTR_FRAGMENTS_HELD},
		{8, 16, true, CTR_FRAGMENTS_HELD}, {72, 8, true, CTR_FRAGMENTS_HELD},
		{0, 32, true, CTR_ACCEPTED}, /* overlaps */
	};
	for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		uint8_t *exact = malloc(steps[i].len ? steps[i].len : 1);
		CHECK(exact != NULL);
		memcpy(exact, bytes, steps[i].len);
		struct fragment f = bare(steps[i].off, exact, steps[i].len, steps[i].more);
		enum sentinel_counter r = fragments_add(&t, &f, 5, &out);
		if (r != steps[i].becomes)
			print_error("step %u: %s\n", i, counter_infos[r].name);
		assert_int_equal(r, steps[i].becomes);
		ctr[r]++;
		free(exact);
	}
	assert_int_equal(out.bytes.len, 89);
	assert_int_equal(out.next, 6);
	assert_false(out.mixed);
	assert_int_equal(ctr[CTR_FRAGMENTS_HELD], 0);
	assert_int_equal(ctr[CTR_FRAGMENTS_JOINED], 5);
	fragments_flush(&t);
	assert_int_equal(t.n_free, FRAGMENT_BLOCKS_MIN);
	free(mem);
}

static void
datagrams_are_capped(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	c.fragment_datagrams = 4;
	fill();
	net_open(&n, &c);
	make(false, 0, 200);
	for (uint32_t id = 1; id <= 6; id++)
		send(&n, id, 0, 64);
	assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_DATAGRAMS], 2); /* the oldest went */
	assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 4);
	send(&n, 6, 64, 220);
	assert_int_equal(n.ctr[CTR_ACCEPTED], 1);
	send(&n, 7, 0, 64); /* takes the place of the whole one */
	assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_DATAGRAMS], 2);
	net_close(&n);
	assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_AGE], 4);
}

static void
bytes_are_capped(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	c.fragment_blocks = FRAGMENT_BLOCKS_MIN;
	fill();
	net_open(&n, &c);
	make(false, 0, 60000);
	for (uint32_t id = 1; id <= 3; id++) /* a tiny fragment takes a block */
		for (uint32_t at = 0; at < 58000; at += 2048)
			send(&n, id, at + 8, at + 16);
	assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_BYTES], 29); /* the oldest datagram's */
	assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 58);
	make(false, 0, 2000);
	send(&n, 9, 0, 1000);
	send(&n, 9, 1000, 2020);
	assert_true(net_heard(&n, 0, 0, payload, 2000));
	net_close(&n);
}

static void
age_is_capped(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	c.fragment_age_ns = 5000000000;
	fill();
	net_open(&n, &c);
	make(true, 0, 200);
	send(&n, 1, 0, 64);
	net_wait(&n, 4000000000);
	send(&n, 2, 0, 64);
	net_wait(&n, 1000000000);
	assert_int_equal(n.ctr[CTR_UNDEC_FRAGMENT_AGE], 1);
	assert_int_equal(n.ctr[CTR_FRAGMENTS_HELD], 1);
	send(&n, 1, 64, 220); /* too late */
	assert_int_equal(n.ctr[CTR_ACCEPTED], 0);
	send(&n, 2, 64, 220);
	assert_int_equal(n.ctr[CTR_ACCEPTED], 1);
	net_close(&n);
}

static void
truncated_fragments_are_not_held(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	net_open(&n, &c);
	make(false, 0, 200);
	packet_fragment(&whole, 1, 0, 64, &piece);
	packet_link(&piece, NET_LINK_ETHERNET);
	for (uint32_t k = 34; k < piece.len; k++)
		net_frame(&n, packet_bytes(&piece), k, piece.len);
	assert_int_equal(n.ctr[CTR_UNDEC_TRUNCATED], n.ctr[CTR_FRAMES]);
	net_close(&n);
}

/* Datagrams that differ in any part of what names them are kept apart. */
static void
kept_apart(void **state)
{
	struct net n;
	struct stream_config c = net_config();
	fill();
	net_open(&n, &c);
	for (unsigned half = 0; half < 2; half++) {
		for (uint32_t i = 0; i < 8; i++) {
			struct parts p = {.ip6 = i & 4,
				.src = i & 1 ? 9 : 1,
				.seq = i * 100,
				.flags = TCP_ACK,
				.payload = payload + i,
				.len = 100};
			packet_make(&whole, &p);
			send(&n, i & 2 ? 70000 & (i & 4 ? 0xffffffff : 0xffff) : 70000 - 65536 + 1,
				half ? 64 : 0, half ? 120 : 64);
		}
	}
	assert_int_equal(n.ctr[CTR_ACCEPTED], 8);
	assert_int_equal(n.ctr[CTR_FRAGMENT_CONFLICTS], 0);
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_in_any_order),
		cmocka_unit_test(as_long_as_ip_allows),
		cmocka_unit_test(fragments_of_tunnels),
		cmocka_unit_test(nesting_is_capped_through_fragments),
		cmocka_unit_test(no_long_chain_by_one_frame),
		cmocka_unit_test(mirrored_twice),
		cmocka_unit_test(identification_used_again),
		cmocka_unit_test(late_copy_is_not_believed),
		cmocka_unit_test(first_version_wins),
		cmocka_unit_test(impossible_fragments),
		cmocka_unit_test(datagrams_are_capped),
		cmocka_unit_test(bytes_are_capped),
		cmocka_unit_test(age_is_capped),
		cmocka_unit_test(truncated_fragments_are_not_held),
		cmocka_unit_test(kept_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
