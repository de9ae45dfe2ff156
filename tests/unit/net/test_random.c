/* SPDX-License-Identifier: BSD-3-Clause */
/* Random streams in random segments: reordered, repeated, overlapping, wrapping, with and without loss. What
 * is delivered must be the original bytes, and what is not must be declared missing. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define STREAM_BYTES 30000u
#define SEGMENTS_MAX 4000u

struct cut {
	uint32_t off, len;
	uint8_t dir;
	uint64_t order;
};

static uint64_t rng = 1;
static uint8_t stream[2][STREAM_BYTES];
static struct cut cuts[SEGMENTS_MAX];
static unsigned n_cuts;

static uint32_t
rnd(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 11) % below;
}

static void
add_cut(uint8_t dir, uint32_t off, uint32_t len, uint64_t order)
{
	CHECK(n_cuts < SEGMENTS_MAX);
	if (off + len > STREAM_BYTES)
		len = STREAM_BYTES - off;
	if (len > 0)
		cuts[n_cuts++] = (struct cut){off, len, dir, order};
}

static int
by_order(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Cuts both streams; segments move back by up to `window` places. */
static void
cut_streams(uint32_t window, uint32_t largest)
{
	n_cuts = 0;
	for (uint8_t dir = 0; dir < 2; dir++) {
		uint64_t place = 0;
		for (uint32_t off = 0; off < STREAM_BYTES; place += 2) {
			uint32_t len = 1 + rnd(largest);
			add_cut(dir, off, len, (place + rnd(window * 2 + 1)) * 2 + dir);
			if (rnd(4) == 0) { /* once more, or another cut around it */
				uint32_t back = rnd(500);
				uint32_t from = off > back ? off - back : 0, n = 1 + rnd(len + 600);
				add_cut(dir, from, n, (place + rnd(window * 2 + 1)) * 2 + dir);
			}
			off += len;
		}
	}
	qsort(cuts, n_cuts, sizeof *cuts, by_order);
}

static void
send_flags(struct net *n, const uint32_t isn[2], unsigned dir, uint32_t off, const void *bytes, uint32_t len,
	uint8_t flags, uint32_t ack)
{
	struct parts p = {
		.ip6 = isn[0] & 1,
		.src = dir ? 2 : 1,
		.dst = dir ? 1 : 2,
		.sport = dir ? 8545 : 40000,
		.dport = dir ? 40000 : 8545,
		.seq = isn[dir] + off,
		.ack = isn[!dir] + ack,
		.flags = flags,
		.payload = bytes,
		.len = len,
		.options = 12,
	};
	net_send(n, &p);
}

static void
fill_streams(void)
{
	for (unsigned d = 0; d < 2; d++)
		for (uint32_t i = 0; i < STREAM_BYTES; i++)
			stream[d][i] = (uint8_t)rnd(256);
}

static void
open_connection(struct net *n, uint32_t isn[2])
{
	isn[0] = rnd(3) ? 0u - rnd(STREAM_BYTES) : rnd(UINT32_MAX);
	isn[1] = rnd(3) ? 0u - rnd(STREAM_BYTES) : rnd(UINT32_MAX);
	send_flags(n, isn, 0, (uint32_t)-1, NULL, 0, TCP_SYN, 0);
	send_flags(n, isn, 1, (uint32_t)-1, NULL, 0, TCP_SYN | TCP_ACK, 0);
}

static void
reordered_streams_come_whole(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		struct net n;
		struct stream_config c = net_config();
		uint32_t isn[2];
		rng = 0x9e3779b97f4a7c15u + round;
		c.ooo_slabs = 1024;
		c.gap_ack_frames = 64; /* a segment comes behind 55 others at most */
		net_open(&n, &c);
		fill_streams();
		cut_streams(rnd(12), round % 3 ? 1460 : 300);
		open_connection(&n, isn);
		for (unsigned i = 0; i < n_cuts; i++) {
			const struct cut *k = &cuts[i];
			n.now_ns += rnd(3000000);
			/* the mirror shows acknowledgements of what it has not shown */
			uint64_t mine = n.n_flows ? n.flows[0].dir[!k->dir].n : 0;
			uint32_t ack = (uint32_t)mine + (rnd(8) ? 0 : rnd(1000));
			send_flags(&n, isn, k->dir, k->off, stream[k->dir] + k->off, k->len, TCP_ACK,
				ack > STREAM_BYTES ? STREAM_BYTES : ack);
		}
		for (unsigned d = 0; d < 2; d++) {
			assert_true(net_heard(&n, 0, d, stream[d], STREAM_BYTES));
			send_flags(&n, isn, d, STREAM_BYTES, NULL, 0, TCP_FIN | TCP_ACK, STREAM_BYTES);
		}
		assert_int_equal(n.ctr[CTR_OVERLAP_CONFLICTS], 0);
		assert_int_equal(n.ctr[CTR_ST_GAP], 0);
		assert_int_equal(n.ctr[CTR_FLOWS_CLOSED], 1);
		assert_true(n.flows[0].forgotten);
		assert_int_equal(n.flows[0].dir[0].why, STREAM_FIN);
		net_close(&n);
	}
}

static uint64_t
check_tiles(const struct net *n, unsigned dir, const uint8_t *seen)
{
	uint64_t missing = 0;
	const struct heard *h = &n->flows[0].dir[dir];
	for (uint64_t i = 0; i < h->n; i++) {
		if (h->there[i]) {
			assert_int_equal(h->bytes[i], stream[dir][i]);
			assert_true(seen[i]);
		} else {
			missing++;
		}
	}
	assert_int_equal(missing, h->gap_bytes);
	return missing;
}

static void
lossy_streams_tile(void **state)
{
	static uint8_t seen[2][STREAM_BYTES];
	uint64_t gaps = 0, why[3] = {0};
	for (unsigned round = 0; round < 200; round++) {
		struct net n;
		struct stream_config c = net_config();
		uint32_t isn[2], lose = 2 + rnd(60);
		rng = 0x7f4a7c159e3779b9u + round;
		c.ooo_slabs = 1 + rnd(64);
		c.ooo_segments_dir = 1 + rnd(64);
		c.ooo_bytes_dir = 1 + rnd(20000);
		net_open(&n, &c);
		memset(seen, 0, sizeof seen);
		fill_streams();
		cut_streams(rnd(6), 1460);
		open_connection(&n, isn);
		for (unsigned i = 0; i < n_cuts; i++) {
			const struct cut *k = &cuts[i];
			net_wait(&n, rnd(20000000));
			if (rnd(lose) == 0)
				continue;
			memset(seen[k->dir] + k->off, 1, k->len);
			send_flags(&n, isn, k->dir, k->off, stream[k->dir] + k->off, k->len, TCP_ACK,
				cuts[i].off > 4000 ? cuts[i].off - 4000 : 0);
		}
		for (unsigned d = 0; d < 2; d++)
			send_flags(&n, isn, d, STREAM_BYTES, NULL, 0, TCP_FIN | TCP_ACK, STREAM_BYTES);
		net_wait(&n, 5100000000);
		net_wait(&n, 5100000000);
		for (unsigned d = 0; d < 2; d++) {
			assert_int_equal(n.flows[0].dir[d].n, STREAM_BYTES);
			assert_int_equal(n.flows[0].dir[d].why, STREAM_FIN);
			gaps += check_tiles(&n, d, seen[d]);
		}
		assert_int_equal(n.ctr[CTR_OVERLAP_CONFLICTS], 0);
		why[0] += n.ctr[CTR_GAPS_ACK];
		why[1] += n.ctr[CTR_GAPS_CAP];
		why[2] += n.ctr[CTR_GAPS_AGE];
		net_close(&n);
	}
	assert_true(gaps > 0 && why[0] > 0 && why[1] > 0 && why[2] > 0);
}

/* Every version of an overlap that differs is noticed, wherever it lies in what is kept. */
static void
any_other_version_is_noticed(void **state)
{
	for (unsigned round = 0; round < 500; round++) {
		struct net n;
		struct stream_config c = net_config();
		uint32_t isn[2], off = 0, end = 4000 + rnd(4000);
		uint8_t other[STREAM_BYTES];
		rng = 0x1234567890abcdefu + round;
		net_open(&n, &c);
		fill_streams();
		open_connection(&n, isn);
		while (off < end) {
			uint32_t len = 1 + rnd(1460), hole = rnd(3) == 0 ? 1 : 0; /* some of them held */
			send_flags(&n, isn, 0, off + hole, stream[0] + off + hole, len, TCP_ACK, 0);
			off += len + hole;
		}
		uint32_t from = rnd(end - 1), len = 2 + rnd(off - from - 1), at = rnd(len);
		if (from + len > off)
			len = off - from;
		at %= len;
		memcpy(other, stream[0] + from, len);
		send_flags(&n, isn, 0, from, other, len, TCP_ACK, 0);
		assert_int_equal(n.ctr[CTR_OVERLAP_CONFLICTS], 0);
		other[at] ^= (uint8_t)(1 + rnd(255));
		send_flags(&n, isn, 0, from, other, len, TCP_ACK, 0);
		assert_int_equal(n.ctr[CTR_OVERLAP_CONFLICTS], 1);
		assert_int_equal(n.losing_off, from);
		assert_int_equal(n.losing_len, len);
		net_close(&n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reordered_streams_come_whole),
		cmocka_unit_test(lossy_streams_tile),
		cmocka_unit_test(any_other_version_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
