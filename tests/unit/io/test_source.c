/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct image {
	uint8_t b[4096];
	size_t n;
	bool swapped;
};

static void
put_word(struct image *m, uint32_t v)
{
	if (m->swapped)
		v = __builtin_bswap32(v);
	memcpy(m->b + m->n, &v, 4);
	m->n += 4;
}

static void
put_header(struct image *m, uint32_t magic, bool swapped, uint32_t link)
{
	*m = (struct image){.swapped = swapped};
	put_word(m, magic);
	put_word(m, swapped ? 0x00040002 : 0x00040002);
	put_word(m, 0);
	put_word(m, 0);
	put_word(m, 262144);
	put_word(m, link);
}

static void
put_record(struct image *m, uint32_t s, uint32_t fraction, uint32_t caplen, uint32_t len)
{
	put_word(m, s);
	put_word(m, fraction);
	put_word(m, caplen);
	put_word(m, len);
	for (uint32_t i = 0; i < caplen && m->n < sizeof m->b; i++)
		m->b[m->n++] = (uint8_t)(s + i);
}

static int
open_image(struct source *s, const struct image *m, char err[256])
{
	err[0] = '\0';
	return source_open_memory(s, "x.pcap", m->b, m->n, err, 256);
}

static void
test_variants(void **state)
{
	static const struct {
		uint32_t magic;
		bool swapped;
		uint64_t ns;
	} v[] = {{0xa1b2c3d4u, false, 7000000005000ull}, {0xa1b2c3d4u, true, 7000000005000ull},
		{0xa1b23c4du, false, 7000000000005ull}, {0xa1b23c4du, true, 7000000000005ull}};
	for (size_t i = 0; i < 4; i++) {
		struct image m;
		struct source s;
		struct source_frame f;
		char err[256];
		put_header(&m, v[i].magic, v[i].swapped, 1);
		put_record(&m, 7000, 5, 60, 1514);
		put_record(&m, 7001, 0, 0, 0);
		put_record(&m, 7002, 0, 10, 4); /* a length below what was captured is no length */
		assert_int_equal(open_image(&s, &m, err), 0);
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(f.t_ns, v[i].ns);
		assert_int_equal(f.bytes.len, 60);
		assert_int_equal(f.wire_len, 1514);
		assert_int_equal(f.bytes.p[59], (uint8_t)(7000 + 59));
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(f.bytes.len, 0);
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(f.wire_len, 10);
		assert_int_equal(source_next(&s, &f), 0);
		assert_false(s.broken);
		assert_int_equal(s.frames, 3);
		source_rewind(&s);
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(s.frames, 1);
		source_close(&s);
		assert_int_equal(source_next(&s, &f), 0);
	}
}

/* Cut at every byte: what is whole comes out, and the rest is told of. */
static void
test_truncated(void **state)
{
	struct image m;
	put_header(&m, 0xa1b2c3d4u, false, 1);
	put_record(&m, 1, 0, 20, 20);
	put_record(&m, 2, 0, 30, 30);
	const size_t whole = m.n, ends[] = {24, 24 + 36, 24 + 36 + 46};
	for (size_t n = 0; n <= whole; n++) {
		struct source s;
		struct source_frame f;
		char err[256];
		uint8_t *exact = malloc(n ? n : 1); /* the sanitizer sees a byte too many */
		memcpy(exact, m.b, n);
		int rc = source_open_memory(&s, "x.pcap", exact, n, err, sizeof err);
		if (n < 24) {
			assert_int_equal(rc, -ENOTSUP);
			assert_non_null(strstr(err, "too short"));
		} else {
			unsigned want = n >= ends[2] ? 2 : n >= ends[1] ? 1 : 0;
			assert_int_equal(rc, 0);
			unsigned got = 0;
			while (source_next(&s, &f))
				got++;
			assert_int_equal(got, want);
			assert_int_equal(s.broken, n != ends[0] && n != ends[1] && n != ends[2]);
			source_close(&s);
		}
		free(exact);
	}
}

static void
test_impossible_record(void **state)
{
	static const uint32_t lengths[] = {SOURCE_FRAME_MAX + 1, 0x80000000u, 0xffffffffu, 0xfffffff0u};
	for (size_t i = 0; i < 4; i++) {
		struct image m;
		struct source s;
		struct source_frame f;
		char err[256];
		put_header(&m, 0xa1b2c3d4u, false, 1);
		put_record(&m, 1, 0, 8, 8);
		put_word(&m, 2);
		put_word(&m, 0);
		put_word(&m, lengths[i]);
		put_word(&m, lengths[i]);
		put_word(&m, 0);
		assert_int_equal(open_image(&s, &m, err), 0);
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(source_next(&s, &f), 0);
		assert_true(s.broken);
		assert_int_equal(source_next(&s, &f), 0);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		uint32_t magic, link;
		const char *says;
	} v[] = {{0x0a0d0d0au, 1, "pcapng"}, {0x12345678u, 1, "not a pcap file"}, {0xa1b2c3d4u, 105, "link type 105"},
		{0xa1b2c3d4u, 0x0400007fu, "link type 127"}};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct image m;
		struct source s;
		char err[256];
		put_header(&m, v[i].magic, false, v[i].link);
		assert_int_equal(open_image(&s, &m, err), -ENOTSUP);
		assert_non_null(strstr(err, v[i].says));
		assert_non_null(strstr(err, "x.pcap"));
		struct source_frame f;
		assert_int_equal(source_next(&s, &f), 0);
	}
}

static void
test_link_types(void **state)
{
	static const struct {
		uint32_t number;
		enum net_link link;
	} v[] = {{1, NET_LINK_ETHERNET}, {0x24000001u, NET_LINK_ETHERNET}, {0, NET_LINK_FAMILY}, {108, NET_LINK_FAMILY}, {12, NET_LINK_IP},
		{14, NET_LINK_IP}, {101, NET_LINK_IP}, {228, NET_LINK_IP}, {229, NET_LINK_IP}, {113, NET_LINK_SLL}, {276, NET_LINK_SLL2}};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct image m;
		struct source s;
		struct source_frame f;
		char err[256];
		put_header(&m, 0xa1b2c3d4u, false, v[i].number);
		put_record(&m, 1, 0, 8, 8);
		assert_int_equal(open_image(&s, &m, err), 0);
		assert_int_equal(source_next(&s, &f), 1);
		assert_int_equal(f.link, v[i].link);
		source_close(&s);
	}
}

static void
test_files(void **state)
{
	struct source s;
	struct source_frame f;
	struct image m;
	char err[256], path[] = "/tmp/test-source-XXXXXX";
	assert_int_equal(source_open(&s, "/nonexistent/x.pcap", err, sizeof err), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent/x.pcap"));
	assert_int_equal(source_open(&s, "/", err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, "regular file"));
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(source_open(&s, path, err, sizeof err), -ENOTSUP);
	put_header(&m, 0xa1b2c3d4u, false, 1);
	put_record(&m, 3, 0, 64, 64);
	assert_int_equal(write(fd, m.b, m.n), m.n);
	assert_int_equal(source_open(&s, path, err, sizeof err), 0);
	assert_int_equal(source_next(&s, &f), 1);
	assert_int_equal(f.bytes.len, 64);
	source_close(&s);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_impossible_record),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
