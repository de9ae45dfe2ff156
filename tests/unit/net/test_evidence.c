/* SPDX-License-Identifier: BSD-3-Clause */
/* What speaks for delivered bytes, and against them: acknowledgements in place, and which bytes are in dispute. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct net net;

/* A segment of dir at stream offset off; ack: offset of the other direction, NET_NONE without ACK. Offset 0 follows the SYN, numbered 999. */
static void
put(unsigned dir, int64_t off, const char *bytes, uint8_t flags, uint32_t ack)
{
	struct parts p = {
		.src = dir ? 2 : 1,
		.dst = dir ? 1 : 2,
		.sport = dir ? 8545 : 40000,
		.dport = dir ? 40000 : 8545,
		.seq = 1000 + (uint32_t)off,
		.flags = (uint8_t)(flags | (ack == NET_NONE ? 0 : TCP_ACK)),
		.ack = ack == NET_NONE ? 0 : 1000 + ack,
		.payload = bytes,
		.len = (uint32_t)strlen(bytes),
	};
	net_send(&net, &p);
}

static void
handshake(void)
{
	put(0, -1, "", TCP_SYN, NET_NONE);
	put(1, -1, "", TCP_SYN, 0);
	put(0, 0, "", 0, 0);
}

static int
setup(void **state)
{
	struct stream_config c = net_config();
	c.history_bytes = 64;
	net_open(&net, &c);
	net.watch = true;
	handshake();
	return 0;
}

static int
teardown(void **state)
{
	net_close(&net);
	return 0;
}

static void
assert_belied(enum stream_belied why, unsigned calls, uint64_t from, uint64_t to)
{
	assert_int_equal(net.belied[why], calls);
	assert_int_equal(net.range.from, from);
	assert_int_equal(net.range.to, to);
}

static unsigned
all_belied(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i <= BELIED_LATE; i++)
		n += net.belied[i];
	return n;
}

static void
acknowledgements_in_place(void **state)
{
	put(0, 0, "abcdefgh", 0, 0);
	put(1, 0, "", 0, 5);
	assert_int_equal(net.in_place, 1);
	assert_int_equal(net.ack_off, 5);
	put(1, 0, "12", 0, 8); /* with bytes of its own */
	assert_int_equal(net.in_place, 2);
	assert_int_equal(net.ack_off, 8);
	put(1, 0, "12", 0, 7); /* again, of less: told, but it proves nothing */
	assert_int_equal(net.acks, 3);
	assert_int_equal(net.in_place, 2);
	assert_int_equal(net.ack_off, 7);
	put(1, 5, "x", 0, 8); /* behind a hole */
	put(1, 3, "", 0, 8);
	assert_int_equal(net.in_place, 2);
	put(1, 2, "345", 0, 8);
	assert_int_equal(net.in_place, 3);
	assert_int_equal(all_belied(), 0);
}

static void
acknowledgements_that_are_not_told(void **state)
{
	put(0, 0, "abcdefgh", 0, 0);
	unsigned before = net.acks;
	put(1, 0, "", 0, 9);		     /* of what was not sent */
	put(1, 0, "", 0, 0x7fffff00);
	put(1, 0, "", 0, 0u - 5000);	     /* of what was before the beginning */
	put(1, 0x10000000, "", 0, 8);	     /* by one who is not where he should be */
	put(1, -0x10000000ll, "", 0, 8);
	put(1, 0, "", 0, NET_NONE);
	assert_int_equal(net.acks, before);
	put(1, 0, "", 0, 8);
	assert_int_equal(net.acks, before + 1);
}

static void
behind_a_fin(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(1, 0, "", TCP_FIN, 0);
	put(1, 0, "", 0, 4); /* the FIN took a number */
	assert_int_equal(net.in_place, 1);
	assert_int_equal(net.ack_off, 4);
	unsigned before = net.in_place;
	put(1, 1, "", 0, 4);
	assert_int_equal(net.in_place, before + 1);
}

static void
unwatched_is_silent(void **state)
{
	net.watch = false;
	put(0, 0, "abcd", 0, 0);
	put(1, 0, "", 0, 4);
	put(0, 0, "", 0, 0);
	put(0, 0, "", TCP_FIN, 0);
	assert_int_equal(net.acks + all_belied(), 0);
	put(0, 1, "XY", 0, 0); /* but another version is told of every flow */
	assert_belied(BELIED_OTHER_BYTES, 1, 1, 3);
}

static void
exact_range_of_other_bytes(void **state)
{
	put(0, 0, "abcdefghijklmnop", 0, 0);
	put(0, 2, "cdEFgh", 0, 0);
	assert_belied(BELIED_OTHER_BYTES, 1, 4, 6);
	put(0, 0, "Abcdefgh", 0, 0);
	assert_belied(BELIED_OTHER_BYTES, 2, 0, 1);
	put(0, 3, "deFghijklmNop", 0, 0); /* from the first to the last */
	assert_belied(BELIED_OTHER_BYTES, 3, 5, 14);
	put(0, 12, "mnopqrstuv", 0, 0); /* what goes on is no dispute */
	assert_int_equal(net.belied[BELIED_OTHER_BYTES], 3);
	put(0, 20, "uVwx", 0, 0);
	assert_belied(BELIED_OTHER_BYTES, 4, 21, 22);
}

static void
exact_range_of_held_bytes(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(0, 8, "ijkl", 0, 0);
	put(0, 6, "ghiJKl", 0, 0);
	assert_belied(BELIED_OTHER_BYTES, 1, 9, 11);
	put(0, 2, "cDefghijkL", 0, 0); /* delivered and held, in one segment */
	assert_belied(BELIED_OTHER_BYTES, 2, 3, 12);
}

static void
around_the_ring(void **state)
{
	char sixty[61] = {0}, other[61] = {0};
	memset(sixty, 'a', 60);
	put(0, 0, sixty, 0, 0);
	put(0, 60, sixty, 0, 0); /* of 120 bytes the last 64 are kept: the ring's end is in the middle of them */
	memset(other, 'a', 60);
	other[3] = other[7] = 'b';
	put(0, 60, other, 0, 0);
	assert_belied(BELIED_OTHER_BYTES, 1, 63, 68);
}

static void
no_longer_compared(void **state)
{
	char fifty[51] = {0};
	memset(fifty, 'a', 50);
	for (unsigned i = 0; i < 3; i++)
		put(0, 50 * i, fifty, 0, 0);
	put(0, 0, fifty, 0, 0);
	assert_belied(BELIED_UNCOMPARED, 1, 0, 50);
	put(0, 50, fifty, 0, 0);
	assert_belied(BELIED_UNCOMPARED, 2, 50, 86);
	put(0, 86, fifty, 0, 0);
	put(0, 100, fifty, 0, 0);
	assert_int_equal(all_belied(), 2);
}

static void
urgent_bytes(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(0, 4, "efgh", TCP_URG, 0);
	assert_belied(BELIED_URGENT, 1, 4, 8);
	assert_true(net_heard(&net, 0, 0, "abcdefgh", 8));
}

static void
probes(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(1, 0, "", 0, 4);
	put(0, 3, "d", 0, 0);
	put(0, 3, "", 0, 0);
	assert_int_equal(all_belied(), 0);
	put(0, 3, "X", 0, 0);
	assert_belied(BELIED_PROBE, 1, 3, 4);
	assert_int_equal(net.ctr[CTR_OVERLAP_CONFLICTS], 0);
}

static void
sender_is_not_that_far(void **state)
{
	put(0, 0, "abcdefgh", 0, 0);
	put(0, 8, "", 0, 0);
	put(0, 7, "", 0, 0); /* a keep-alive */
	put(0, 2, "cdefgh", 0, 0);
	put(0, -0x20000000ll, "", 0, 0);
	put(0, 20, "", 0, 0);
	assert_int_equal(all_belied(), 0);
	put(0, 6, "", 0, 0);
	assert_belied(BELIED_SENDER, 1, 7, 8);
	put(0, 0, "", 0, 0);
	assert_belied(BELIED_SENDER, 2, 1, 8);
	put(0, 7, "", TCP_FIN, 0); /* who ends there sends no more */
	assert_belied(BELIED_SENDER, 3, 7, 8);
	put(0, 1, "bcd", TCP_FIN, 0);
	assert_belied(BELIED_SENDER, 4, 4, 8);
	put(0, 5, "", TCP_RST, NET_NONE);
	assert_belied(BELIED_SENDER, 5, 5, 8);
}

static void
goes_on_behind_the_end(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(0, 4, "", TCP_RST, NET_NONE);
	put(1, 0, "", 0, 4);
	assert_int_equal(all_belied(), 0);
	put(0, 2, "cd", 0, 0); /* late, or never reset */
	assert_belied(BELIED_LATE, 1, 0, UINT64_MAX);
	put(0, 4, "efgh", 0, 0); /* who has reset goes on: in mid-stream */
	assert_int_equal(net.belied[BELIED_LATE], 3);
	assert_int_equal(net.n_flows, 2);
}

static void
addresses_are_taken(void **state)
{
	put(0, 0, "abcd", 0, 0);
	put(0, 50000, "", TCP_SYN, NET_NONE);
	assert_int_equal(all_belied(), 0);
	put(1, 70000, "", TCP_SYN, 50001);
	assert_int_equal(net.belied[BELIED_LATE], 2);
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 2);
}

#define ON(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON(acknowledgements_in_place),
		ON(acknowledgements_that_are_not_told),
		ON(behind_a_fin),
		ON(unwatched_is_silent),
		ON(exact_range_of_other_bytes),
		ON(exact_range_of_held_bytes),
		ON(around_the_ring),
		ON(no_longer_compared),
		ON(urgent_bytes),
		ON(probes),
		ON(sender_is_not_that_far),
		ON(goes_on_behind_the_end),
		ON(addresses_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
