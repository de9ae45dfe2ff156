/* SPDX-License-Identifier: BSD-3-Clause */
/* Each rule of reassembly on its own, with identities 2 and 3 checked after every frame. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000u

static struct net net;
static uint32_t isn[2]; /* behind the SYNs */

/* A segment of dir at stream offset off; ack: offset of the other direction, NET_NONE without ACK. */
static void
put(unsigned dir, int64_t off, const void *bytes, uint32_t len, uint8_t flags, uint32_t ack)
{
	struct parts p = {
		.src = dir ? 2 : 1,
		.dst = dir ? 1 : 2,
		.sport = dir ? 8545 : 40000,
		.dport = dir ? 40000 : 8545,
		.seq = isn[dir] + (uint32_t)off,
		.flags = (uint8_t)(flags | (ack == NET_NONE ? 0 : TCP_ACK)),
		.ack = ack == NET_NONE ? 0 : isn[!dir] + ack,
		.payload = bytes,
		.len = len,
	};
	net_send(&net, &p);
}

static void
text(unsigned dir, int64_t off, const char *s)
{
	put(dir, off, s, (uint32_t)strlen(s), 0, 0);
}

static void
handshake(uint32_t a, uint32_t b)
{
	isn[0] = a;
	isn[1] = b;
	put(0, -1, NULL, 0, TCP_SYN, NET_NONE);
	put(1, -1, NULL, 0, TCP_SYN, 0);
	put(0, 0, NULL, 0, 0, 0);
}

/* 40 empty segments of the flow: more than a late segment is waited for. */
static void
chatter(unsigned dir, int64_t off, uint32_t ack)
{
	for (unsigned i = 0; i < 40; i++)
		put(dir, off, NULL, 0, 0, ack);
}

static int
setup(void **state)
{
	struct stream_config c = net_config();
	net_open(&net, &c);
	return 0;
}

static int
teardown(void **state)
{
	net_close(&net);
	return 0;
}

static void
in_order_both_ways(void **state)
{
	handshake(1000, 5000);
	text(0, 0, "POST ");
	text(0, 5, "/ HTTP");
	put(1, 0, "200 OK", 6, 0, 11);
	assert_true(net_heard(&net, 0, 0, "POST / HTTP", 11));
	assert_true(net_heard(&net, 0, 1, "200 OK", 6));
	assert_false(net.flows[0].midstream);
	assert_int_equal(net.n_flows, 1);
	assert_int_equal(net.ctr[CTR_FLOWS], 1);
	assert_int_equal(net.ctr[CTR_ST_DUP], 0);
	assert_int_equal(net.flows[0].key.port[0], 40000);
}

static void
reordered_and_wrapping(void **state)
{
	handshake(0xfffffffc, 0xffffffff);
	text(0, 8, "ij");
	text(0, 2, "cdef");
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 6);
	text(0, 0, "ab");
	assert_true(net_heard(&net, 0, 0, "abcdef", 6));
	text(0, 6, "gh");
	assert_true(net_heard(&net, 0, 0, "abcdefghij", 10));
	text(1, 0, "xyz");
	assert_true(net_heard(&net, 0, 1, "xyz", 3));
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 0);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
}

static void
equal_repeats_are_no_conflict(void **state)
{
	handshake(1, 1);
	text(0, 0, "abcdef");
	text(0, 6, "ghi");
	text(0, 0, "abcdef");	 /* exactly */
	text(0, 4, "ef");	 /* a tail */
	text(0, 0, "abcdefghi"); /* merged */
	text(0, 3, "defghijk");	 /* with new bytes */
	text(0, 20, "uvw");
	text(0, 18, "stuvwx"); /* around held ones */
	text(0, 11, "lmnopqrst");
	assert_true(net_heard(&net, 0, 0, "abcdefghijklmnopqrstuvwx", 24));
	assert_int_equal(net.ctr[CTR_OVERLAP_CONFLICTS], 0);
	assert_int_equal(net.conflicts, 0);
	assert_int_equal(net.ctr[CTR_ST_DUP], 6 + 2 + 9 + 6 + 3 + 2);
}

static void
conflict_with_delivered(void **state)
{
	handshake(1, 1);
	text(0, 0, "abcdef");
	text(0, 2, "cDefgh");
	assert_true(net_heard(&net, 0, 0, "abcdefgh", 8));
	assert_int_equal(net.ctr[CTR_OVERLAP_CONFLICTS], 1);
	assert_int_equal(net.conflicts, 1);
	assert_int_equal(net.losing_off, 2);
	assert_int_equal(net.losing_len, 6);
	assert_memory_equal(net.losing, "cDefgh", 6);
	text(0, 8, "i");
	assert_true(net.flows[0].conflict);
}

static void
conflict_with_held(void **state)
{
	handshake(1, 1);
	text(0, 4, "efgh");
	text(0, 2, "cdeX");
	text(0, 0, "ab");
	assert_true(net_heard(&net, 0, 0, "abcdefgh", 8));
	assert_int_equal(net.ctr[CTR_OVERLAP_CONFLICTS], 1);
	assert_memory_equal(net.losing, "cdeX", 4);
}

static void
conflict_beyond_the_history(void **state)
{
	uint8_t big[20000];
	for (unsigned i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	handshake(1, 1);
	for (unsigned i = 0; i < 20; i++)
		put(0, i * 1000, big + i * 1000, 1000, 0, 0);
	assert_true(net_heard(&net, 0, 0, big, sizeof big));
	put(0, 11000, big + 11000, 9000, 0, 0); /* across what is kept and what is not */
	assert_int_equal(net.conflicts, 0);
	big[19999] ^= 1;
	put(0, 11000, big + 11000, 9000, 0, 0);
	assert_int_equal(net.conflicts, 1);
	big[12500] ^= 1;
	put(0, 12000, big + 12000, 1000, 0, 0);
	assert_int_equal(net.conflicts, 2);
}

static void
keepalive_and_window_probes(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	put(1, 0, NULL, 0, 0, 3);
	put(0, 2, "\0", 1, 0, 0); /* keep-alive with a byte of rubbish */
	put(0, 2, NULL, 0, 0, 0);
	assert_int_equal(net.conflicts, 0);
	text(0, 3, "d"); /* window probe with the next byte */
	text(0, 3, "defg");
	assert_true(net_heard(&net, 0, 0, "abcdefg", 7));
	assert_int_equal(net.conflicts, 0);
	put(0, 6, "X", 1, 0, 0); /* not acknowledged: no probe */
	assert_int_equal(net.conflicts, 1);
}

static void
gap_by_ack(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	text(0, 5, "fgh");
	put(1, 0, NULL, 0, 0, 8);
	net.now_ns += MS;
	chatter(1, 0, 8);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0); /* 2 ms have not passed */
	net.now_ns += 2 * MS;
	put(1, 0, NULL, 0, 0, 8);
	assert_int_equal(net.ctr[CTR_ST_GAP], 2);
	assert_int_equal(net.ctr[CTR_GAPS_ACK], 1);
	assert_int_equal(net.flows[0].dir[0].n, 8);
	assert_memory_equal(net.flows[0].dir[0].bytes + 5, "fgh", 3);
	assert_memory_equal(net.flows[0].dir[0].there, "\1\1\1\0\0\1\1\1", 8);
	text(0, 3, "de"); /* too late for the stream, but shown */
	assert_int_equal(net.conflicts, 1);
	assert_memory_equal(net.losing, "de", 2);
	assert_false(net.flows[0].conflict);
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 2);
}

static void
ack_before_data_is_no_gap(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	put(1, 0, "ok", 2, 0, 6); /* the mirror shows the answer first */
	net.now_ns += 20 * MS;
	text(0, 6, "ghi");
	text(0, 3, "def");
	assert_true(net_heard(&net, 0, 0, "abcdefghi", 9));
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
}

static void
gap_by_ack_with_nothing_held(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	put(1, 0, NULL, 0, 0, 10);
	net_wait(&net, 3 * MS);
	chatter(1, 0, 10);
	assert_int_equal(net.ctr[CTR_ST_GAP], 7);
	text(0, 10, "k");
	assert_int_equal(net.flows[0].dir[0].n, 11);
}

static void
gap_by_age(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	text(0, 5, "fgh");
	text(0, 10, "klm");
	chatter(0, 13, 0);
	net.now_ns += 199 * MS;
	put(0, 13, NULL, 0, 0, 0);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
	net.now_ns += 2 * MS;
	put(0, 13, NULL, 0, 0, 0);
	assert_int_equal(net.ctr[CTR_ST_GAP], 2);
	assert_int_equal(net.flows[0].dir[0].n, 8);
	net_wait(&net, 4999ull * MS); /* a flow that says nothing more */
	assert_int_equal(net.ctr[CTR_ST_GAP], 2);
	net_wait(&net, 2 * MS);
	assert_int_equal(net.ctr[CTR_ST_GAP], 4);
	assert_int_equal(net.ctr[CTR_GAPS_AGE], 2);
	assert_int_equal(net.flows[0].dir[0].n, 13);
}

/* The sender leaves a hole for as long as he likes: nobody has got what lies behind it. */
static void
the_receiver_lacks_it_as_well(void **state)
{
	struct parts other = {.src = 9, .seq = 100, .flags = TCP_SYN};
	handshake(1, 1);
	text(0, 0, "abc");
	text(0, 5, "fgh");
	put(1, 0, NULL, 0, 0, 3);
	net_send(&net, &other);
	other = (struct parts){.src = 9, .seq = 111, .flags = TCP_ACK, .payload = "x", .len = 1};
	net_send(&net, &other);
	chatter(1, 0, 3);
	net_wait(&net, 4000ull * MS);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
	net_wait(&net, 2000ull * MS);
	assert_int_equal(net.ctr[CTR_ST_GAP], 10); /* that of the other one, of which nobody says anything */
	for (unsigned i = 0; i < 20; i++)
		net_wait(&net, 1000ull * MS);
	text(0, 3, "de");
	assert_true(net_heard(&net, 0, 0, "abcdefgh", 8));
	text(0, 10, "k");
	put(1, 0, NULL, 0, 0, 8);
	put(1, 0, NULL, 0, 0, 11); /* he has got it after all */
	net_wait(&net, 6000ull * MS);
	assert_int_equal(net.ctr[CTR_GAPS_ACK], 1);
	assert_int_equal(net.ctr[CTR_ST_GAP], 12);
}

/* Segments that follow one another are no more than their bytes. */
static void
small_segments_behind_a_hole(void **state)
{
	char all[3001];
	handshake(1, 1);
	for (unsigned i = 0; i < 3000; i++)
		all[i] = (char)('a' + i % 26);
	for (unsigned i = 1; i < 3000; i++)
		put(0, i, all + i, 1, 0, 0);
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 2999);
	put(0, 0, all, 1, 0, 0);
	assert_true(net_heard(&net, 0, 0, all, 3000));
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
}

static void
caps_give_the_hole_up_not_the_bytes(void **state)
{
	handshake(1, 1);
	for (unsigned i = 1; i <= 64; i++)
		text(0, i * 10, "x");
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 64);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
	text(0, 650, "y");
	assert_int_equal(net.ctr[CTR_GAPS_CAP], 1);
	assert_int_equal(net.ctr[CTR_ST_GAP], 10);
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 64);
	text(0, 5, "z"); /* its place is gone */
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 1);
	uint8_t *huge = calloc(1, 60000);
	for (unsigned i = 0; i < 6; i++)
		put(0, 1000 + i * 60000, huge, 60000, 0, 0);
	free(huge);
	assert_int_equal(net.ctr[CTR_ST_DROP_OOO_CAP], 0);
	assert_true(net.ctr[CTR_ST_OOO_HELD] <= 256u << 10);
	assert_true(net.ctr[CTR_GAPS_CAP] > 1);
}

static void
a_segment_at_the_cap_before_the_held(void **state)
{
	handshake(1, 1);
	for (unsigned i = 2; i < 66; i++)
		text(0, i * 10, "x");
	text(0, 5, "y"); /* lies before everything held: the hole ends at it */
	assert_int_equal(net.ctr[CTR_ST_GAP], 5);
	assert_int_equal(net.flows[0].dir[0].n, 6);
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 64);
}

static void
the_core_runs_out_of_slabs(void **state)
{
	net_close(&net);
	struct stream_config c = net_config();
	c.ooo_slabs = 8;
	net_open(&net, &c);
	for (unsigned i = 0; i < 8; i++) {
		struct parts p = {.src = 10 + i, .seq = 100, .flags = TCP_SYN};
		net_send(&net, &p);
		struct parts d = {.src = 10 + i, .seq = 111, .flags = TCP_ACK, .payload = "x", .len = 1};
		net_send(&net, &d);
	}
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 8);
	struct parts p = {.src = 30, .seq = 100, .flags = TCP_SYN};
	net_send(&net, &p);
	struct parts d = {.src = 30, .seq = 111, .flags = TCP_ACK, .payload = "x", .len = 1};
	net_send(&net, &d);
	assert_int_equal(net.ctr[CTR_GAPS_CAP], 1); /* of the flow that has waited longest */
	assert_int_equal(net.flows[0].dir[0].n, 11);
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 8);
	uint8_t huge[40000] = {0}; /* more than all slabs */
	struct parts big = {.src = 40, .seq = 100, .flags = TCP_SYN};
	net_send(&net, &big);
	big = (struct parts){.src = 40, .seq = 201, .flags = TCP_ACK, .payload = huge, .len = sizeof huge};
	net_send(&net, &big);
	assert_int_equal(net.ctr[CTR_ST_DROP_OOO_CAP], 0);
	assert_int_equal(net.flows[net.n_flows - 1].dir[0].n, 100 + sizeof huge);
}

/* Ends beyond a hole, of which nothing is held: older than any other, and yet what another holds is given up for who has the next hole. */
static void
holes_that_hold_nothing_are_in_nobodys_way(void **state)
{
	net_close(&net);
	struct stream_config c = net_config();
	c.ooo_slabs = 8;
	net_open(&net, &c);
	handshake(1, 1);
	for (unsigned i = 0; i < 17; i++) {
		struct parts p = {.src = 10 + i, .seq = 100, .flags = TCP_SYN};
		net_send(&net, &p);
		p = (struct parts){.src = 10 + i, .seq = 111, .flags = TCP_FIN | TCP_ACK};
		net_send(&net, &p);
	}
	struct parts hog = {.src = 60, .seq = 100, .flags = TCP_SYN};
	net_send(&net, &hog);
	for (unsigned i = 0; i < 8; i++) {
		hog = (struct parts){.src = 60, .seq = 111 + 2 * i, .flags = TCP_ACK, .payload = "x", .len = 1};
		net_send(&net, &hog);
	}
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], 8);
	text(0, 3, "def");
	text(0, 0, "abc");
	assert_true(net_heard(&net, net.n_flows - 1, 0, "abcdef", 6));
	assert_int_equal(net.ctr[CTR_GAPS_CAP], 1);
}

static void
segments_that_fill_several_holes(void **state)
{
	handshake(1, 1);
	text(0, 2, "c");
	text(0, 5, "f");
	text(0, 8, "i");
	text(0, 0, "abcdefghij");
	assert_true(net_heard(&net, 0, 0, "abcdefghij", 10));
	assert_int_equal(net.ctr[CTR_ST_DUP], 3);
	text(0, 13, "n");
	text(0, 11, "lmnop"); /* held around held */
	text(0, 10, "k");
	assert_true(net_heard(&net, 0, 0, "abcdefghijklmnop", 16));
}

static void
large_segments_span_slabs(void **state)
{
	uint8_t big[65000];
	for (unsigned i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 13 + i / 253);
	handshake(1, 1);
	put(0, 1, big + 1, sizeof big - 1, 0, 0);
	assert_int_equal(net.ctr[CTR_ST_OOO_HELD], sizeof big - 1);
	put(0, 30000, big + 30000, 20000, 0, 0);
	put(0, 0, big, 1, 0, 0);
	assert_true(net_heard(&net, 0, 0, big, sizeof big));
	assert_int_equal(net.conflicts, 0);
}

static void
far_segments_are_dropped(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	text(1, 0, "ok");
	text(0, 5 << 20, "far");
	text(0, (int64_t)1 << 30, "farther");
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 10);
	text(0, 3, "def");
	assert_true(net_heard(&net, 0, 0, "abcdef", 6));
	text(0, -1, "Zabc"); /* before the beginning */
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 11);
	assert_int_equal(net.ctr[CTR_ST_DUP], 3);
	assert_int_equal(net.conflicts, 0);
}

static void
stream_goes_on_far_ahead(void **state)
{
	handshake(1, 1);
	text(0, 0, "abc");
	put(1, 0, "ok", 2, 0, 3);
	text(0, 8 << 20, "far"); /* the sensor slept */
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 3);
	put(1, 2, NULL, 0, 0, (8 << 20) + 3); /* but the receiver got it */
	text(0, (8 << 20) + 3, "more");
	assert_int_equal(net.flows[0].dir[0].n, (8u << 20) + 7);
	assert_int_equal(net.ctr[CTR_ST_GAP], (8u << 20));
}

static void
stream_goes_on_far_ahead_unseen(void **state)
{
	isn[0] = isn[1] = 1;
	text(0, 0, "abc"); /* one direction only */
	for (unsigned i = 0; i < 4; i++)
		put(0, (8 << 20) + i * 4, "more", 4, 0, 0);
	assert_int_equal(net.ctr[CTR_ST_DROP_WINDOW], 12);
	assert_int_equal(net.flows[0].dir[0].n, (8u << 20) + 16);
	for (unsigned i = 0; i < 4; i++)
		put(0, -(64 << 20) + (int64_t)i * 4, "anew", 4, 0, 0); /* cannot be the same connection */
	assert_int_equal(net.n_flows, 2);
	assert_true(net_heard(&net, 1, 0, "anew", 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(in_order_both_ways), T(reordered_and_wrapping), T(equal_repeats_are_no_conflict),
		T(conflict_with_delivered), T(conflict_with_held), T(conflict_beyond_the_history),
		T(keepalive_and_window_probes), T(gap_by_ack), T(ack_before_data_is_no_gap),
		T(gap_by_ack_with_nothing_held), T(gap_by_age), T(the_receiver_lacks_it_as_well), T(small_segments_behind_a_hole), T(caps_give_the_hole_up_not_the_bytes),
		T(a_segment_at_the_cap_before_the_held), T(the_core_runs_out_of_slabs), T(holes_that_hold_nothing_are_in_nobodys_way),
		T(segments_that_fill_several_holes), T(large_segments_span_slabs), T(far_segments_are_dropped),
		T(stream_goes_on_far_ahead), T(stream_goes_on_far_ahead_unseen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
