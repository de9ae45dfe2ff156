/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct image {
	uint8_t b[65536];
	size_t n;
	bool big; /* the section's byte order is not this machine's */
};

static struct image m;

static void
put(const void *bytes, size_t n)
{
	assert_true(m.n + n <= sizeof m.b);
	memcpy(m.b + m.n, bytes, n);
	m.n += n;
}

static void
put16(uint32_t v)
{
	uint16_t h = m.big ? __builtin_bswap16((uint16_t)v) : (uint16_t)v;
	put(&h, 2);
}

static void
put32(uint32_t v)
{
	v = m.big ? __builtin_bswap32(v) : v;
	put(&v, 4);
}

static size_t
begin_block(uint32_t type)
{
	size_t at = m.n;
	put32(type);
	put32(0);
	return at;
}

static void
end_block(size_t at)
{
	while (m.n % 4 != 0)
		put("", 1);
	uint32_t n = (uint32_t)(m.n + 4 - at);
	size_t end = m.n;
	m.n = at + 4;
	put32(n);
	m.n = end;
	put32(n);
}

static void
section(bool big)
{
	m.big = big;
	size_t at = begin_block(0x0a0d0d0a);
	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put32(0xffffffff);
	put32(0xffffffff);
	end_block(at);
}

/* resolution 0: not said; offset 0: not said. */
static void
interface(uint32_t link, uint32_t snap, uint8_t resolution, int64_t offset)
{
	size_t at = begin_block(1);
	put16(link);
	put16(0);
	put32(snap);
	put16(2); /* if_name */
	put16(4);
	put("eth0", 4);
	if (resolution != 0) {
		put16(9);
		put16(1);
		put((const uint8_t[4]){resolution}, 4);
	}
	if (offset != 0) {
		uint64_t v = m.big ? __builtin_bswap64((uint64_t)offset) : (uint64_t)offset;
		put16(14);
		put16(8);
		put(&v, 8);
	}
	put16(0);
	put16(0);
	end_block(at);
}

static void
data(uint32_t n, uint8_t first)
{
	for (uint32_t i = 0; i < n; i++)
		put((const uint8_t[1]){(uint8_t)(first + i)}, 1);
}

static void
enhanced(uint32_t id, uint64_t time, uint32_t n, uint32_t wire_len, uint8_t first)
{
	size_t at = begin_block(6);
	put32(id);
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	put32(n);
	put32(wire_len);
	data(n, first);
	while (m.n % 4 != 0)
		put("", 1);
	put16(2); /* an option: flags */
	put16(4);
	put32(1);
	put32(0);
	end_block(at);
}

static void
obsolete(uint32_t id, uint64_t time, uint32_t n, uint8_t first)
{
	size_t at = begin_block(2);
	put16(id);
	put16(77); /* drops */
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	put32(n);
	put32(n);
	data(n, first);
	end_block(at);
}

static void
simple(uint32_t n, uint32_t wire_len, uint8_t first)
{
	size_t at = begin_block(3);
	put32(wire_len);
	data(n, first);
	end_block(at);
}

static void
other(uint32_t type, uint32_t n)
{
	size_t at = begin_block(type);
	data(n, 0);
	end_block(at);
}

static int
open_image(struct source *s, size_t n, char err[256])
{
	err[0] = '\0';
	return source_open_memory(s, "x.pcapng", m.b, n, err, 256);
}

static void
assert_frame(
	struct source *s, uint64_t t_ns, uint32_t n, uint32_t wire_len, enum net_link link, uint8_t first)
{
	struct source_frame f;
	assert_int_equal(source_next(s, &f), 1);
	assert_int_equal(f.t_ns, t_ns);
	assert_int_equal(f.bytes.len, n);
	assert_int_equal(f.wire_len, wire_len);
	assert_int_equal(f.link, link);
	if (n > 0)
		assert_int_equal(f.bytes.p[n - 1], (uint8_t)(first + n - 1));
}

static void
test_blocks_of_both_orders(void **state)
{
	for (unsigned big = 0; big < 2; big++) {
		struct source s;
		struct source_frame f;
		char err[256];
		m.n = 0;
		section(big);
		other(0x80000001, 13); /* a block that nobody knows */
		interface(1, 0, 0, 0);
		interface(113, 100, 9, 0);
		other(4, 8);
		enhanced(0, 7000005, 60, 1514, 1);
		enhanced(1, 8000000000000123456, 61, 61, 2);
		obsolete(1, 5, 7, 3);
		simple(9, 9, 4);
		other(5, 20);
		assert_int_equal(open_image(&s, m.n, err), 0);
		for (unsigned round = 0; round < 2; round++) {
			assert_frame(&s, 7000005000, 60, 1514, NET_LINK_ETHERNET, 1);
			assert_frame(&s, 8000000000000123456, 61, 61, NET_LINK_SLL, 2);
			assert_frame(&s, 5, 7, 7, NET_LINK_SLL, 3);
			assert_frame(&s, 5, 9, 9, NET_LINK_ETHERNET, 4); /* no time of its own */
			assert_int_equal(source_next(&s, &f), 0);
			assert_false(s.broken);
			assert_int_equal(s.frames, 4);
			source_rewind(&s);
		}
		source_close(&s);
		assert_int_equal(source_next(&s, &f), 0);
	}
}

static void
test_times(void **state)
{
	static const struct {
		uint8_t resolution;
		int64_t offset;
		uint64_t units, ns;
	} v[] = {
		{0, 0, 1000001, 1000001000},
		{6, 0, 1, 1000},
		{3, 0, 2, 2000000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{12, 0, 1999, 1},
		{0x80 | 10, 0, 1536, 1500000000},
		{0x80 | 32, 0, 5ull << 31, 2500000000},
		{0xff, 0, UINT64_MAX, 0},
		{0x7f, 0, UINT64_MAX, 0},
		{6, 1700000000, 5, 1700000000000005000},
		{6, -1, 3000000, 2000000000},
		{6, -5, 3000000, 0},			/* before 1970 */
		{1, INT64_MAX, UINT64_MAX, UINT64_MAX}, /* after the end of time */
		{6, INT64_MIN, UINT64_MAX, 0},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		for (unsigned big = 0; big < 2; big++) {
			struct source s;
			char err[256];
			m.n = 0;
			section(big);
			interface(1, 0, v[i].resolution, v[i].offset);
			enhanced(0, v[i].units, 20, 20, 1);
			assert_int_equal(open_image(&s, m.n, err), 0);
			assert_frame(&s, v[i].ns, 20, 20, NET_LINK_ETHERNET, 1);
		}
	}
}

static void
test_sections(void **state)
{
	struct source s;
	struct source_frame f;
	char err[256];
	m.n = 0;
	section(true);
	interface(101, 0, 0, 0);
	enhanced(0, 1, 20, 20, 1);
	section(false); /* its interfaces are its own */
	interface(1, 0, 0, 0);
	interface(276, 0, 0, 0);
	enhanced(1, 2, 21, 21, 1);
	section(true);
	enhanced(0, 3, 22, 22, 1); /* of no interface */
	assert_int_equal(open_image(&s, m.n, err), 0);
	assert_frame(&s, 1000, 20, 20, NET_LINK_IP, 1);
	assert_frame(&s, 2000, 21, 21, NET_LINK_SLL2, 1);
	assert_int_equal(source_next(&s, &f), 0);
	assert_true(s.broken);
	assert_int_equal(source_next(&s, &f), 0);
}

static void
test_simple_blocks(void **state)
{
	struct source s;
	char err[256];
	m.n = 0;
	section(false);
	interface(1, 40, 0, 0);
	simple(40, 1514, 1); /* cut by the interface's limit */
	simple(30, 30, 2);
	assert_int_equal(open_image(&s, m.n, err), 0);
	assert_frame(&s, 0, 40, 1514, NET_LINK_ETHERNET, 1);
	assert_frame(&s, 0, 30, 30, NET_LINK_ETHERNET, 2);
	m.n = 0;
	section(false);
	interface(1, 0, 0, 0);
	simple(40, 1514, 1); /* cut by a limit that is not told */
	assert_int_equal(open_image(&s, m.n, err), 0);
	assert_frame(&s, 0, 40, 1514, NET_LINK_ETHERNET, 1);
}

static void
test_unreadable_interfaces(void **state)
{
	struct source s;
	char err[256];
	m.n = 0;
	section(false);
	interface(105, 0, 0, 0);
	enhanced(0, 1, 20, 20, 1);
	assert_int_equal(open_image(&s, m.n, err), -ENOTSUP);
	assert_non_null(strstr(err, "link type"));
	m.n = 0;
	section(false);
	interface(105, 0, 0, 0);
	interface(1, 0, 0, 0);
	enhanced(0, 1, 20, 20, 1);
	enhanced(1, 1, 20, 20, 1);
	assert_int_equal(open_image(&s, m.n, err), 0); /* half of it can */
	assert_frame(&s, 1000, 20, 20, NET_LINK_OTHER, 1);
	assert_frame(&s, 1000, 20, 20, NET_LINK_ETHERNET, 1);
	m.n = 0;
	section(false);
	for (unsigned i = 0; i < SOURCE_INTERFACES_MAX + 3; i++)
		interface(1, 0, 0, 0);
	enhanced(SOURCE_INTERFACES_MAX - 1, 1, 20, 20, 1);
	enhanced(SOURCE_INTERFACES_MAX, 1, 20, 20, 1);
	assert_int_equal(open_image(&s, m.n, err), 0);
	assert_frame(&s, 1000, 20, 20, NET_LINK_ETHERNET, 1);
	assert_frame(&s, 1000, 20, 20, NET_LINK_OTHER, 1);
}

/* Cut at every byte: what is whole comes out, and the rest is told of. */
static void
test_truncated(void **state)
{
	m.n = 0;
	section(false);
	size_t ends[5], k = 0;
	ends[k++] = m.n;
	interface(1, 0, 0, 0);
	ends[k++] = m.n;
	enhanced(0, 1, 21, 21, 1);
	ends[k++] = m.n;
	simple(22, 22, 1);
	ends[k++] = m.n;
	for (size_t n = 0; n <= m.n; n++) {
		struct source s;
		struct source_frame f;
		char err[256];
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, m.b, n);
		int rc = source_open_memory(&s, "x", exact, n, err, sizeof err);
		if (n < ends[0]) {
			assert_int_equal(rc, -ENOTSUP);
			free(exact);
			continue;
		}
		assert_int_equal(rc, 0);
		unsigned got = 0;
		while (source_next(&s, &f))
			got++;
		assert_int_equal(got, n >= ends[3] ? 2 : n >= ends[2] ? 1 : 0);
		bool whole = false;
		for (size_t i = 0; i < k; i++)
			whole |= n == ends[i];
		assert_int_equal(s.broken, !whole);
		free(exact);
	}
}

/* Changes one word of the packet block. */
static void
test_impossible(void **state)
{
	static const struct {
		size_t at;
		uint32_t to;
	} v[] = {{4, 0}, {4, 8}, {4, 57}, {4, 0xfffffff0}, {8, 1}, {20, 25}, {20, 0xffffffff},
		{20, SOURCE_FRAME_MAX + 1}, {52, 60}};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct source s;
		struct source_frame f;
		char err[256];
		m.n = 0;
		section(false);
		interface(1, 0, 0, 0);
		size_t at = begin_block(6);
		put32(0);
		put32(0);
		put32(0);
		put32(24);
		put32(24);
		data(24, 0);
		end_block(at);
		memcpy(m.b + at + v[i].at, &v[i].to, 4);
		assert_int_equal(open_image(&s, m.n, err), 0);
		assert_int_equal(source_next(&s, &f), 0);
		assert_true(s.broken);
	}
}

static void
test_not_this_version(void **state)
{
	struct source s;
	char err[256];
	m.n = 0;
	section(false);
	interface(1, 0, 0, 0);
	m.b[12] = 2;
	assert_int_equal(open_image(&s, m.n, err), -ENOTSUP);
	assert_non_null(strstr(err, "pcapng"));
	m.b[12] = 1;
	m.b[8] = 0;
	assert_int_equal(open_image(&s, m.n, err), -ENOTSUP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_of_both_orders),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_simple_blocks),
		cmocka_unit_test(test_unreadable_interfaces),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_not_this_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
