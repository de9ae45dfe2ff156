/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of flows: how they begin, end, are evicted and reused, and the table that holds them. */
#include "harness.h"
#include "net/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000u

static struct net net;

static void
from(uint32_t host, uint32_t seq, uint8_t flags, uint32_t ack, const char *s)
{
	struct parts p = {.src = host, .seq = seq, .flags = flags, .ack = ack, .payload = s, .len = (uint32_t)strlen(s)};
	net_send(&net, &p);
}

static void
to(uint32_t host, uint32_t seq, uint8_t flags, uint32_t ack, const char *s)
{
	struct parts p = {.src = 2, .dst = host, .sport = 8545, .dport = 40000, .seq = seq, .flags = flags, .ack = ack,
		.payload = s, .len = (uint32_t)strlen(s)};
	net_send(&net, &p);
}

static void
open_small(uint32_t flows)
{
	struct stream_config c = net_config();
	c.flows_max = flows;
	net_open(&net, &c);
}

static int
setup(void **state)
{
	open_small(8);
	return 0;
}

static int
teardown(void **state)
{
	net_close(&net);
	return 0;
}

static void
closed_by_fins(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK | TCP_FIN, 500, "bye"); /* with payload */
	assert_true(net.flows[0].dir[0].ended);
	assert_false(net.flows[0].dir[1].ended);
	to(10, 500, TCP_ACK, 104, "late answer");
	to(10, 511, TCP_ACK | TCP_FIN, 104, "");
	assert_true(net.flows[0].forgotten);
	assert_true(net_heard(&net, 0, 0, "bye", 3));
	assert_true(net_heard(&net, 0, 1, "late answer", 11));
	assert_int_equal(net.flows[0].dir[1].why, STREAM_FIN);
	from(10, 104, TCP_ACK, 512, "");
	from(10, 100, TCP_ACK | TCP_FIN, 500, "bye");
	assert_int_equal(net.n_flows, 1);
	assert_int_equal(net.ctr[CTR_FLOWS_CLOSED], 1);
	assert_int_equal(net.ctr[CTR_FLOWS], 0);
	assert_int_equal(net.ctr[CTR_ST_DROP_CLOSED], 3);
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
}

static void
fin_waits_for_what_is_missing(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	from(10, 103, TCP_ACK | TCP_FIN, 1, "def");
	from(10, 106, TCP_ACK, 1, "beyond the end");
	assert_int_equal(net.ctr[CTR_ST_DROP_CLOSED], 14);
	assert_false(net.n_flows > 0 && net.flows[0].dir[0].ended);
	from(10, 100, TCP_ACK, 1, "abc");
	assert_true(net_heard(&net, 0, 0, "abcdef", 6));
	assert_true(net.flows[0].dir[0].ended);
}

static void
fin_behind_a_hole_that_stays(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 110, TCP_ACK | TCP_FIN, 500, ""); /* its ten bytes were not shown */
	to(10, 500, TCP_ACK | TCP_FIN, 111, "");
	assert_true(net.flows[0].dir[1].ended);
	net_wait(&net, 5100ull * MS);
	assert_true(net.flows[0].forgotten);
	assert_int_equal(net.ctr[CTR_ST_GAP], 10);
	assert_int_equal(net.flows[0].dir[0].gap_bytes, 10);
}

static void
reset_ends_both(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK, 500, "abc");
	from(10, 106, TCP_ACK, 500, "ghi");
	to(10, 400, TCP_RST, 0, "");	   /* not his place */
	to(10, 500 + (64 << 20), TCP_RST, 0, "");
	assert_int_equal(net.ctr[CTR_FLOWS], 1);
	to(10, 500, TCP_RST, 0, "why not");
	assert_int_equal(net.ctr[CTR_FLOWS], 0);
	assert_int_equal(net.ctr[CTR_FLOWS_CLOSED], 1);
	assert_int_equal(net.flows[0].dir[0].why, STREAM_RST);
	assert_true(net.flows[0].forgotten);
	assert_int_equal(net.flows[0].dir[0].n, 9); /* held bytes behind a gap */
	assert_int_equal(net.ctr[CTR_ST_GAP], 3);
	from(10, 109, TCP_ACK, 500, "still in flight");
	assert_int_equal(net.ctr[CTR_ST_DROP_CLOSED], 7 + 15);
	assert_int_equal(net.n_flows, 1);
}

static void
forged_reset_does_not_blind(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK, 500, "abc");
	from(10, 103, TCP_RST, 0, "");
	from(10, 103, TCP_ACK, 500, "def"); /* the true sender has not gone */
	assert_int_equal(net.n_flows, 2);
	assert_true(net.flows[1].midstream);
	assert_true(net_heard(&net, 1, 0, "def", 3));
}

static void
forged_fin_does_not_blind(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK, 500, "abc");
	from(10, 103, TCP_ACK | TCP_FIN, 500, "");
	assert_true(net.flows[0].dir[0].ended);
	from(10, 103, TCP_ACK, 500, "def");
	to(10, 500, TCP_ACK, 106, "ok");
	assert_int_equal(net.n_flows, 2);
	assert_true(net.flows[0].forgotten);
	assert_true(net_heard(&net, 1, 0, "def", 3));
	assert_true(net_heard(&net, 1, 1, "ok", 2));
}

static void
simultaneous_open_and_close(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 99, TCP_SYN | TCP_ACK, 500, "");
	from(10, 100, TCP_ACK | TCP_FIN, 500, "a");
	to(10, 500, TCP_ACK | TCP_FIN, 100, "b");
	assert_true(net.flows[0].forgotten);
	to(10, 502, TCP_ACK, 102, "");
	from(10, 102, TCP_ACK, 502, "");
	assert_true(net_heard(&net, 0, 0, "a", 1));
	assert_true(net_heard(&net, 0, 1, "b", 1));
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 1);
	assert_int_equal(net.ctr[CTR_FLOWS_CLOSED], 1);
}

static void
addresses_used_again(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	from(10, 100, TCP_ACK | TCP_RST, 0, "");
	from(10, 99, TCP_SYN, 0, ""); /* the old one once more */
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 1);
	from(10, 5000, TCP_SYN, 0, "");
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 2);
	from(10, 5001, TCP_ACK, 1, "new");
	assert_true(net_heard(&net, net.n_flows - 1, 0, "new", 3));
	/* again, and the end of this one was not seen: its SYN/ACK tells */
	to(10, 0, TCP_ACK, 5004, "");
	from(10, 90000000, TCP_SYN, 0, "");
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 2);
	to(10, 700, TCP_SYN | TCP_ACK, 90000001, "");
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 3);
	from(10, 90000001, TCP_ACK, 701, "newer");
	to(10, 701, TCP_ACK, 90000006, "ok");
	assert_true(net_heard(&net, net.n_flows - 1, 0, "newer", 5));
	assert_true(net_heard(&net, net.n_flows - 1, 1, "ok", 2));
	assert_false(net.flows[net.n_flows - 1].midstream);
}

static void
syn_that_fits_nothing_changes_nothing(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK, 500, "abc");
	from(10, 7777777, TCP_SYN, 0, ""); /* forged */
	from(10, 7777778, TCP_ACK, 500, "rubbish");
	from(10, 103, TCP_ACK, 500, "def");
	assert_true(net_heard(&net, 0, 0, "abcdef", 6));
	assert_int_equal(net.n_flows, 1);
}

static void
data_on_syn(void **state)
{
	from(10, 99, TCP_SYN, 0, "GET /");
	from(10, 99, TCP_SYN, 0, "GET /");
	from(10, 105, TCP_ACK, 1, " HTTP");
	assert_true(net_heard(&net, 0, 0, "GET / HTTP", 10));
	assert_false(net.flows[0].midstream);
	assert_int_equal(net.ctr[CTR_ST_DUP], 5);
}

static void
syn_with(uint32_t host, bool answer, const uint8_t options[12])
{
	struct parts p = {.src = answer ? 2 : host, .dst = answer ? host : 2, .sport = answer ? 8545 : 40000, .dport = answer ? 40000 : 8545, .seq = answer ? 499 : 99,
		.ack = answer ? 100 : 0, .flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN, .options = 12};
	uint8_t frame[128];
	uint32_t n = frame_build(frame, sizeof frame, &p);
	memcpy(frame + 54, options, 12);
	frame_checksum(frame + 34, 32, frame + 26, 4);
	net_frame(&net, frame, n, n);
}

/* What counts is that both ends have said it, at whatever place of their options, once. */
static void
multipath(void **state)
{
	static const uint8_t capable[12] = {2, 4, 5, 0xb4, 1, 1, 1, 1, 30, 4, 0, 0x81}, other[12] = {2, 4, 5, 0xb4, 8, 6, 30, 30, 30, 30, 1, 0},
			     behind_the_end[12] = {1, 0, 30, 4}, endless[12] = {5, 0, 30, 4}, cut[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 30};
	syn_with(10, false, capable);
	syn_with(10, true, other);
	syn_with(11, false, other);
	syn_with(11, true, behind_the_end);
	syn_with(12, false, other);
	syn_with(12, true, endless);
	assert_int_equal(net.ctr[CTR_FLOWS_MULTIPATH], 0);
	syn_with(13, false, capable);
	syn_with(13, true, capable);
	syn_with(13, true, capable);
	assert_int_equal(net.ctr[CTR_FLOWS_MULTIPATH], 1);
	syn_with(14, true, cut);
	assert_int_equal(net.ctr[CTR_FLOWS_MULTIPATH], 1);
	assert_int_equal(net.ctr[CTR_FLOWS_CREATED], 5);
}

static void
an_ack_is_no_syn_ack(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	to(10, 499, TCP_SYN | TCP_ACK, 100, "");
	from(10, 100, TCP_ACK, 500, "");
	from(10, 100, TCP_ACK, 500, "a");
	assert_true(net_heard(&net, 0, 0, "a", 1));
	assert_int_equal(net.n_flows, 1);
}

static void
midstream_pickup(void **state)
{
	to(10, 5000, TCP_ACK, 200, ""); /* a bare ACK begins nothing */
	assert_int_equal(net.ctr[CTR_FLOWS], 0);
	to(10, 5000, TCP_ACK, 200, "answer");
	assert_int_equal(net.ctr[CTR_FLOWS_MIDSTREAM], 1);
	assert_true(net.flows[0].midstream);
	assert_int_equal(net.flows[0].key.port[0], 40000); /* the higher port */
	assert_true(net_heard(&net, 0, 1, "answer", 6));
	from(10, 205, TCP_ACK, 5006, "fgh"); /* 200 is what comes next */
	from(10, 200, TCP_ACK, 5006, "abcde");
	assert_true(net_heard(&net, 0, 0, "abcdefgh", 8));
	/* an ACK that was shown before what it acknowledges */
	to(11, 5000, TCP_ACK, 300, "answer");
	from(11, 250, TCP_ACK, 5006, "request");
	assert_true(net_heard(&net, 1, 0, "request", 7));
}

static void
one_direction_only(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	from(10, 100, TCP_ACK, 500, "abc");
	for (unsigned i = 0; i < 100; i++)
		from(10, 103, TCP_ACK, 500 + i * 1000, "");
	from(10, 103, TCP_ACK, 900000, "def");
	assert_true(net_heard(&net, 0, 0, "abcdef", 6));
	assert_int_equal(net.ctr[CTR_ST_GAP], 0);
}

static void
idle_flows_are_evicted(void **state)
{
	from(10, 99, TCP_SYN, 0, "");
	from(11, 100, TCP_ACK, 1, "data");
	net_wait(&net, 200000000000u);
	from(11, 104, TCP_ACK, 1, "more");
	from(11, 110, TCP_ACK, 1, "held");
	net_wait(&net, 150000000000u);
	assert_int_equal(net.ctr[CTR_FLOWS_IDLE], 1);
	assert_int_equal(net.ctr[CTR_FLOWS], 1);
	net_wait(&net, 160000000000u);
	assert_int_equal(net.ctr[CTR_FLOWS_IDLE], 2);
	assert_int_equal(net.flows[0].dir[0].why, STREAM_IDLE);
	assert_int_equal(net.flows[0].dir[0].n, 14);
}

static void
a_full_table_evicts_the_idlest(void **state)
{
	from(10, 100, TCP_ACK, 1, "data"); /* speaks, so a flood of SYNs does not displace it */
	for (unsigned i = 0; i < 100; i++)
		from(20 + i, 99, TCP_SYN, 0, "");
	assert_int_equal(net.ctr[CTR_FLOWS], 8);
	assert_int_equal(net.ctr[CTR_FLOWS_LRU], 93);
	from(10, 104, TCP_ACK, 1, "more");
	assert_true(net_heard(&net, 0, 0, "datamore", 8));
	for (unsigned i = 0; i < 7; i++) {
		net.now_ns += 1000 * MS;
		from(200 + i, 100, TCP_ACK, 1, "x");
	}
	from(10, 108, TCP_ACK, 1, "!"); /* now the youngest of eight that speak */
	from(300, 100, TCP_ACK, 1, "x");
	assert_false(net.flows[0].forgotten);
	assert_int_equal(net.ctr[CTR_FLOWS], 8);
	assert_int_equal(net.ctr[CTR_FLOWS_LRU], 101);
	assert_int_equal(net.ctr[CTR_ST_DROP_FLOW_TABLE], 0);
}

static void
flags_without_sense(void **state)
{
	for (unsigned flags = 0; flags < 64; flags++)
		from(10, 1000 + flags, (uint8_t)flags, flags, flags & 1 ? "x" : "");
	for (unsigned flags = 0; flags < 64; flags++) { /* a connection with itself */
		struct parts p = {.src = 7, .dst = 7, .sport = 9, .dport = 9, .seq = flags, .flags = (uint8_t)flags,
			.ack = 1, .payload = "xy", .len = 2};
		net_send(&net, &p);
	}
	assert_int_equal(net.ctr[CTR_ACCEPTED], 128);
}

static void
bad_configurations(void **state)
{
	struct stream_config c;
	static const struct stream_ops ops;
	uint64_t ctr[CTR_COUNT];
#define REFUSED(field, value) \
	do { \
		c = net_config(); \
		c.field = (value); \
		assert_int_equal(stream_bytes(&c), 0); \
		assert_null(stream_init(net.mem, &c, &ops, NULL, ctr)); \
	} while (0)
	REFUSED(flows_max, 0);
	REFUSED(flows_max, (4u << 20) + 1);
	REFUSED(ooo_slabs, 0);
	REFUSED(ooo_segments_dir, 0);
	REFUSED(ooo_segments_dir, 65536);
	REFUSED(ooo_bytes_dir, 0);
	REFUSED(ooo_bytes_dir, UINT32_MAX);
	REFUSED(gap_age_ns, 0);
	REFUSED(idle_ns, 0);
	REFUSED(history_bytes, 1000);
	c = net_config();
	c.flows_max = 4u << 20;
	assert_true(stream_bytes(&c) > (size_t)4 << 28);
	assert_null(stream_init(NULL, &c, &ops, NULL, ctr));
}

/* A million flows: none is refused for want of a slot in its two buckets, and few buckets are even nearly
 * full. */
static void
a_million_flows_stay_flat(void **state)
{
	const uint32_t n = 1u << 20;
	struct flow_table t;
	void *mem = aligned_alloc(64, (flow_table_bytes(n) + 63) & ~(size_t)63);
	static const uint32_t seed[4] = {11, 22, 33, 44};
	assert_non_null(mem);
	flow_table_init(&t, mem, n, seed);
	for (uint32_t i = 0; i < n; i++) {
		/* near addresses and ports, as they are in a data centre */
		struct endpoints e = {.ip = {{0, (uint64_t)(i >> 10) << 32}, {0, 77}}, .port = {(uint16_t)(i & 1023), 8545}};
		struct flow_hash h = flow_hash_of(&t, &e);
		assert_non_null(flow_add(&t, &h, &e, 0, i));
	}
	uint32_t full = 0, near = 0;
	for (uint32_t i = 0; i <= t.bucket_mask; i++) {
		unsigned used = 0;
		for (unsigned k = 0; k < FLOW_BUCKET_SLOTS; k++)
			used += t.buckets[i].tag[k] != 0;
		full += used == FLOW_BUCKET_SLOTS;
		near += used >= FLOW_BUCKET_SLOTS - 1;
	}
	assert_int_equal(full, 0);
	assert_true(near < n / 4 / 100);
	for (uint32_t i = 0; i < n; i += 7) { /* found, from both sides, and gone when removed */
		struct endpoints e = {.ip = {{0, 77}, {0, (uint64_t)(i >> 10) << 32}}, .port = {8545, (uint16_t)(i & 1023)}};
		struct flow_hash h = flow_hash_of(&t, &e);
		unsigned dir;
		struct flow *f = flow_find(&t, &h, &e, &dir);
		assert_non_null(f);
		assert_int_equal(f->last_ns, i);
		assert_int_equal(dir, 1);
		flow_remove(&t, f);
		assert_null(flow_find(&t, &h, &e, &dir));
	}
	free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(closed_by_fins), T(fin_waits_for_what_is_missing), T(fin_behind_a_hole_that_stays),
		T(reset_ends_both), T(forged_reset_does_not_blind), T(forged_fin_does_not_blind),
		T(simultaneous_open_and_close), T(addresses_used_again),
		T(syn_that_fits_nothing_changes_nothing), T(data_on_syn), T(multipath), T(an_ack_is_no_syn_ack), T(midstream_pickup),
		T(one_direction_only), T(idle_flows_are_evicted), T(a_full_table_evicts_the_idlest),
		T(flags_without_sense), T(bad_configurations), cmocka_unit_test(a_million_flows_stay_flat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
