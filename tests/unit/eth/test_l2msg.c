/* SPDX-License-Identifier: BSD-3-Clause */
/* l2msg: every kind of message and header, batches in batches, caps, and random trees against a recursive
 * reading as nitro's text has it. */
#include "eth/l2msg.h"
#include "eth_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAP (1u << 20)

static struct l2msg_item items[L2MSG_ITEMS_MAX + 1];
static uint32_t n_items;
static uint64_t over;
static uint8_t buf[CAP];
static uint32_t n;

static void
take(void *ctx, const struct l2msg_item *it)
{
	assert_true(n_items < L2MSG_ITEMS_MAX);
	assert_int_equal(it->index, n_items);
	items[n_items++] = *it;
}

/* Reads buf[0..n) at its exact size; spans are moved to the original. */
static enum l2msg_status
reads(unsigned header)
{
	uint8_t *exact = malloc(n ? n : 1);
	memcpy(exact, buf, n);
	n_items = 0;
	over = 0;
	enum l2msg_status s = l2msg_read(header, (struct span){n ? exact : NULL, n}, take, NULL, &over);
	for (uint32_t i = 0; i < n_items; i++)
		if (items[i].raw.len > 0)
			items[i].raw.p = buf + (items[i].raw.p - exact);
	free(exact);
	return s;
}

static void
put(const void *p, uint32_t len)
{
	assert_true(n + len <= CAP);
	memcpy(buf + n, p, len);
	n += len;
}

static void
put_u64(uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		buf[n++] = (uint8_t)(v >> (56 - 8 * i));
}

/* begin: an element of a batch; end(its return value) fills in its length. */
static uint32_t
begin(void)
{
	put_u64(0);
	return n;
}

static void
end(uint32_t from)
{
	uint32_t to = n;
	n = from - 8;
	put_u64(to - from);
	n = to;
}

static void
put_kind(unsigned kind, uint32_t len)
{
	buf[n++] = (uint8_t)kind;
	memset(buf + n, 0x77, len);
	n += len;
}

static void
only(enum l2msg_kind kind, uint32_t from, uint32_t len)
{
	assert_int_equal(n_items, 1);
	assert_int_equal(items[0].kind, kind);
	assert_int_equal(items[0].raw.len, len);
	if (len > 0)
		assert_ptr_equal(items[0].raw.p, buf + from);
}

static void
test_kinds(void **state)
{
	static const struct {
		uint8_t kind, len;
		enum l2msg_kind is;
		enum l2msg_status status;
	} v[] = {
		{0, 160, L2MSG_UNSIGNED, L2MSG_TAKEN},
		{0, 200, L2MSG_UNSIGNED, L2MSG_TAKEN},
		{0, 159, L2MSG_MALFORMED, L2MSG_REFUSED},
		{1, 128, L2MSG_UNSIGNED, L2MSG_TAKEN},
		{1, 127, L2MSG_MALFORMED, L2MSG_REFUSED},
		{1, 0, L2MSG_MALFORMED, L2MSG_REFUSED},
		{2, 10, L2MSG_OTHER, L2MSG_REFUSED},
		{4, 1, L2MSG_TX, L2MSG_TAKEN},
		{4, 120, L2MSG_TX, L2MSG_TAKEN},
		{4, 0, L2MSG_MALFORMED, L2MSG_REFUSED},
		{5, 9, L2MSG_OTHER, L2MSG_REFUSED},
		{6, 0, L2MSG_OTHER, L2MSG_REFUSED},
		{7, 50, L2MSG_COMPRESSED, L2MSG_REFUSED},
		{8, 50, L2MSG_OTHER, L2MSG_REFUSED},
		{255, 3, L2MSG_OTHER, L2MSG_REFUSED},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		n = 0;
		put_kind(v[i].kind, v[i].len);
		assert_int_equal(reads(L2MSG_HEADER_L2), v[i].status);
		only(v[i].is, 1, v[i].len);
		assert_int_equal(items[0].depth, 0);
		/* the same in a batch, between two others */
		n = 0;
		put_kind(3, 0);
		for (unsigned k = 0; k < 3; k++) {
			uint32_t at = begin();
			put_kind(k == 1 ? v[i].kind : 4, k == 1 ? v[i].len : 70);
			end(at);
		}
		assert_int_equal(reads(L2MSG_HEADER_L2), v[i].status);
		assert_int_equal(n_items, 3);
		assert_int_equal(items[1].kind, v[i].is);
		assert_int_equal(items[1].raw.len, v[i].len);
		assert_int_equal(items[1].depth, 1);
		assert_int_equal(items[2].kind, L2MSG_TX);
		assert_ptr_equal(items[2].raw.p, buf + n - 70);
	}
	n = 0;
	assert_int_equal(reads(L2MSG_HEADER_L2), L2MSG_REFUSED);
	only(L2MSG_MALFORMED, 0, 0);
}

static void
test_headers(void **state)
{
	for (unsigned header = 0; header < 256; header++) {
		bool l1 = header == 7 || header == 9 || header == 12;
		n = 0;
		put_kind(4, 100);
		assert_int_equal(reads(header), header == 3 || l1 ? L2MSG_TAKEN : L2MSG_NOTHING);
		if (header == 3)
			only(L2MSG_TX, 1, 100);
		else if (l1)
			only(L2MSG_UNSIGNED, 0, 101);
		else
			assert_int_equal(n_items, 0);
		n = 0;
		assert_int_equal(reads(header), header == 3 || l1 ? L2MSG_REFUSED : L2MSG_NOTHING);
	}
	assert_int_equal(l2msg_read(3 + 256, (struct span){buf, 1}, take, NULL, &over), L2MSG_NOTHING);
}

/* Signed transactions of every type come out as they went in, and decode. */
static void
test_transactions(void **state)
{
	uint8_t hash[5][32], got[32];
	struct tx t;
	n = 0;
	put_kind(3, 0);
	for (uint8_t type = 0; type < 5; type++) {
		struct tx_fields f = help_fields(type);
		struct span raw = help_sign(&f, 42161);
		uint32_t at = begin();
		put_kind(4, 0);
		put(raw.p, raw.len);
		end(at);
		assert_int_equal(tx_decode(raw, &t), 0);
		tx_hash(&t, hash[type]);
		free((void *)raw.p);
	}
	assert_int_equal(reads(3), L2MSG_TAKEN);
	assert_int_equal(n_items, 5);
	for (unsigned type = 0; type < 5; type++) {
		assert_int_equal(tx_decode(items[type].raw, &t), 0);
		tx_hash(&t, got);
		assert_memory_equal(got, hash[type], 32);
	}
}

static void
test_batch_ends(void **state)
{
	/* a batch of nothing, and one whose rest is no element */
	for (uint32_t rest = 0; rest < 12; rest++) {
		n = 0;
		put_kind(3, 0);
		uint32_t at = begin();
		put_kind(4, 5);
		end(at);
		put("\0\0\0\0\0\0\0\xff\xff\xff\xff\xff", rest);
		assert_int_equal(reads(3), L2MSG_TAKEN);
		only(L2MSG_TX, 10, 5);
	}
	n = 0;
	put_kind(3, 0);
	assert_int_equal(reads(3), L2MSG_TAKEN);
	assert_int_equal(n_items, 0);
	/* lengths that wrap around */
	static const uint64_t lens[] = {
		UINT64_MAX, UINT64_MAX - 7, 1ull << 32, (1ull << 32) + 5, 1ull << 63, 6};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		n = 0;
		put_kind(3, 0);
		put_u64(lens[i]);
		put_kind(4, 4);
		assert_int_equal(reads(3), L2MSG_TAKEN);
		assert_int_equal(n_items, 0);
	}
	/* an empty element spoils the message, but not what else is in it */
	n = 0;
	put_kind(3, 0);
	put_u64(0);
	uint32_t at = begin();
	put_kind(4, 4);
	end(at);
	assert_int_equal(reads(3), L2MSG_REFUSED);
	assert_int_equal(n_items, 2);
	assert_int_equal(items[0].kind, L2MSG_MALFORMED);
	assert_int_equal(items[1].kind, L2MSG_TX);
}

/* Batches in each other, a transaction in the innermost and one behind each. */
static void
test_depth(void **state)
{
	for (unsigned depth = 1; depth < 40; depth++) {
		uint32_t at[40];
		n = 0;
		put_kind(3, 0);
		for (unsigned d = 1; d < depth; d++) {
			at[d] = begin();
			put_kind(3, 0);
		}
		at[depth] = begin();
		put_kind(4, depth);
		end(at[depth]);
		for (unsigned d = depth - 1; d > 0; d--) {
			end(at[d]);
			at[0] = begin();
			put_kind(4, d);
			end(at[0]);
		}
		assert_int_equal(reads(3), depth <= L2MSG_DEPTH_MAX ? L2MSG_TAKEN : L2MSG_REFUSED);
		unsigned shown = depth <= L2MSG_DEPTH_MAX ? depth : L2MSG_DEPTH_MAX + 1;
		assert_int_equal(n_items, shown);
		assert_int_equal(items[0].kind, depth <= L2MSG_DEPTH_MAX ? L2MSG_TX : L2MSG_DEEP);
		assert_int_equal(items[0].depth, depth <= L2MSG_DEPTH_MAX ? depth : L2MSG_DEPTH_MAX);
		for (unsigned i = 1; i < shown; i++) {
			assert_int_equal(items[i].kind, L2MSG_TX);
			assert_int_equal(items[i].raw.len, items[i].depth);
			assert_int_equal(items[i].depth, shown - i - (depth > L2MSG_DEPTH_MAX ? 0 : 0));
		}
	}
}

static void
test_caps(void **state)
{
	n = 0;
	put_kind(4, L2MSG_BYTES_MAX - 1);
	assert_int_equal(reads(3), L2MSG_TAKEN);
	only(L2MSG_TX, 1, L2MSG_BYTES_MAX - 1);
	n++;
	assert_int_equal(reads(3), L2MSG_OVERSIZE);
	assert_int_equal(n_items, 0);
	/* the shortest transactions that decode, as many as there is room for: the last one is reported */
	static const uint8_t least[] = {4, 0xc9, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x1b, 1, 1};
	struct tx t;
	assert_int_equal(tx_decode((struct span){least + 1, sizeof least - 1}, &t), 0);
	n = 0;
	put_kind(3, 0);
	uint32_t count = 0;
	for (; n + 8 + sizeof least <= L2MSG_BYTES_MAX; count++) {
		put_u64(sizeof least);
		put(least, sizeof least);
	}
	assert_int_equal(reads(3), L2MSG_TAKEN);
	assert_int_equal(n_items, count);
	assert_int_equal(over, 0);
	/* empty batches carry nothing, fill nothing and hide nothing */
	n = 0;
	put_kind(3, 0);
	while (n + 9 + 8 + sizeof least <= L2MSG_BYTES_MAX) {
		put_u64(1);
		put_kind(3, 0);
	}
	put_u64(sizeof least);
	put(least, sizeof least);
	assert_int_equal(reads(3), L2MSG_TAKEN);
	only(L2MSG_TX, n - 10, 10);
	/* more items than the cap takes what no node takes */
	n = 0;
	put_kind(3, 0);
	for (count = 0; n + 9 <= L2MSG_BYTES_MAX; count++) {
		put_u64(1);
		put_kind(6, 0);
	}
	assert_int_equal(reads(3), L2MSG_REFUSED);
	assert_int_equal(n_items, L2MSG_ITEMS_MAX);
	assert_int_equal(over, count - L2MSG_ITEMS_MAX);
}

/* ---- random trees ---- */

static uint64_t seed = 88172645463325252u;
static uint32_t
rnd(uint32_t m)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % m;
}

static void
tree(unsigned depth)
{
	unsigned kind = rnd(8) ? (rnd(3) ? 4 : 3) : rnd(10);
	if (kind != 3 || depth > 18) {
		put_kind(kind == 3 ? 4 : kind, rnd(4) ? rnd(20) : rnd(200));
		return;
	}
	put_kind(3, 0);
	for (unsigned k = rnd(4); k > 0; k--) {
		uint32_t at = begin();
		tree(depth + 1);
		end(at);
	}
	if (rnd(6) == 0)
		put("\0\0\0\0\0\0\0\1\2", rnd(10));
}

static struct l2msg_item want[4096];
static uint32_t n_want;

/* As nitro's text has it; nitro stops at the first error. */
static bool
oracle(const uint8_t *p, uint64_t len, unsigned depth)
{
	enum l2msg_kind kind = len == 0 ? L2MSG_MALFORMED : L2MSG_OTHER;
	if (len > 0 && p[0] == 3 && depth < 16) {
		bool good = true;
		for (uint64_t at = 1; at + 8 <= len;) {
			uint64_t m = 0;
			for (unsigned i = 0; i < 8; i++)
				m = m * 256 + p[at++];
			if (m > L2MSG_BYTES_MAX || at + m > len)
				break;
			good &= oracle(p + at, m, depth + 1);
			at += m;
		}
		return good;
	}
	if (len > 0 && (p[0] == 0 || p[0] == 1))
		kind = len - 1 < (p[0] ? 128 : 160) ? L2MSG_MALFORMED : L2MSG_UNSIGNED;
	else if (len > 0 && p[0] == 4)
		kind = len == 1 ? L2MSG_MALFORMED : L2MSG_TX;
	else if (len > 0 && (p[0] == 3 || p[0] == 7))
		kind = p[0] == 3 ? L2MSG_DEEP : L2MSG_COMPRESSED;
	assert_true(n_want < 4096);
	want[n_want++] = (struct l2msg_item){.kind = kind,
		.depth = (uint8_t)depth,
		.raw = {p + (len > 0), (uint32_t)(len > 0 ? len - 1 : 0)}};
	return kind == L2MSG_TX || kind == L2MSG_UNSIGNED;
}

static void
test_random(void **state)
{
	unsigned taken = 0, deep = 0;
	for (unsigned round = 0; round < 200000; round++) {
		n = 0;
		tree(0);
		for (unsigned k = rnd(8) ? 0 : rnd(4); k > 0; k--)
			buf[rnd(n)] = (uint8_t)rnd(rnd(2) ? 256 : 10);
		if (rnd(8) == 0)
			n = rnd(n + 1);
		n_want = 0;
		bool good = oracle(buf, n, 0);
		assert_int_equal(reads(3), good ? L2MSG_TAKEN : L2MSG_REFUSED);
		assert_int_equal(n_items, n_want);
		for (uint32_t i = 0; i < n_items; i++) {
			assert_int_equal(items[i].kind, want[i].kind);
			assert_int_equal(items[i].depth, want[i].depth);
			assert_int_equal(items[i].raw.len, want[i].raw.len);
			if (want[i].raw.len > 0)
				assert_ptr_equal(items[i].raw.p, want[i].raw.p);
			deep += items[i].depth > 3;
		}
		taken += good;
	}
	assert_true(taken > 50000 && taken < 190000 && deep > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_batch_ends),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
