/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/rlp.h"
#include "eth_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FREE(s) free((void *)(uintptr_t)(s).p)

static bool
reads(const char *hex, struct rlp_item *it, uint32_t *left)
{
	struct span all = help_bytes(hex), in = all;
	bool ok = rlp_next(&in, it);
	*left = in.len;
	if (!ok)
		assert_true(in.p == all.p && in.len == all.len); /* refused: nothing is taken */
	else
		assert_true(it->payload.p >= all.p &&
			    it->payload.p + it->payload.len + in.len == all.p + all.len);
	FREE(all);
	return ok;
}

static void
short_forms(void **state)
{
	static const struct {
		const char *hex;
		uint32_t header, len, left;
		bool list;
	} c[] = {{"00", 0, 1, 0, false}, {"7f", 0, 1, 0, false}, {"80", 1, 0, 0, false},
		{"8180", 1, 1, 0, false}, {"81ff01", 1, 1, 1, false}, {"820000", 1, 2, 0, false},
		{"c0", 1, 0, 0, true}, {"c180c0", 1, 1, 1, true}, {"c20102", 1, 2, 0, true}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct rlp_item it = {0};
		uint32_t left;
		assert_true(reads(c[i].hex, &it, &left));
		assert_int_equal(it.header, c[i].header);
		assert_int_equal(it.payload.len, c[i].len);
		assert_int_equal(it.list, c[i].list);
		assert_int_equal(left, c[i].left);
	}
}

static void
refused(void **state)
{
	static const char *const c[] = {"", "81", "8100", "817f", "82ff", "b7", "c1", "f7", "b8", "b800",
		"b837", "b80100", "b900ff", "b90100", "b9", "ba", "bb", "bbffffffff", "bc0000000100",
		"bfffffffffffffffff", "f8", "f800", "f837", "f900ff", "ff0000000000000000",
		"ffffffffffffffffff", "fbffffffff", "fb00000001", "fc0100000000"};
	struct rlp_item it;
	uint32_t left;
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
		assert_false(reads(c[i], &it, &left));
}

/* Headers whose length must not count although that many bytes follow: 55 in the long form, more than 32
 * bits. */
static void
refused_whole(void **state)
{
	static const char *const headers[] = {"b837", "f837", "b800", "f800", "b90038", "f90038", "b900ff",
		"ba000100", "bc0100000038", "fc0100000038", "bf0100000000000038", "ff0100000000000038",
		"bb00000038", "fb00ffffff"};
	for (unsigned i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct span h = help_bytes(headers[i]);
		uint8_t *p = calloc(1, h.len + 300u);
		assert_non_null(p);
		memcpy(p, h.p, h.len);
		struct span in = {p, h.len + 300u};
		struct rlp_item it;
		assert_false(rlp_next(&in, &it));
		free(p);
		FREE(h);
	}
}

/* Every length around the borders of the header forms, strings and lists: read whole, and one byte short
 * refused. */
static void
lengths(void **state)
{
	static const uint32_t at[] = {
		0, 1, 2, 54, 55, 56, 57, 254, 255, 256, 257, 65534, 65535, 65536, 65537, 16777215, 16777216};
	for (unsigned i = 0; i < 2 * sizeof at / sizeof *at; i++) {
		uint32_t n = at[i / 2];
		bool list = i % 2;
		uint8_t header[5];
		unsigned h = rlp_header(header, list ? 0xc0 : 0x80, n);
		assert_int_equal(h, n < 56 ? 1 : n < 256 ? 2 : n < 65536 ? 3 : n < 16777216 ? 4 : 5);
		uint8_t *p = calloc(1, (size_t)h + n + 1);
		assert_non_null(p);
		memcpy(p, header, h);
		memset(p + h, 0x81, n);
		struct span in = {p, h + n};
		struct rlp_item it = {0};
		assert_true(rlp_next(&in, &it));
		assert_int_equal(in.len, 0);
		assert_int_equal(it.payload.len, n);
		assert_int_equal(it.header, h);
		assert_int_equal(it.list, list);
		in = (struct span){p, h + n - 1};
		assert_false(rlp_next(&in, &it));
		free(p);
	}
}

static void
writing(void **state)
{
	uint8_t buf[256];
	struct rlp_out o = {buf, 0, sizeof buf, false};
	static const uint8_t zeros[3], big[33] = {0, 0, 1}, low[1] = {0x7f}, high[1] = {0x80};
	rlp_put_int(&o, (struct span){zeros, 3});
	rlp_put_int(&o, (struct span){big, 3});
	rlp_put_u64(&o, 0);
	rlp_put_u64(&o, 127);
	rlp_put_u64(&o, 128);
	rlp_put_u64(&o, UINT64_MAX);
	rlp_put_string(&o, (struct span){zeros, 1});
	rlp_put_string(&o, (struct span){NULL, 0});
	rlp_put_string(&o, (struct span){low, 1});
	rlp_put_string(&o, (struct span){high, 1});
	size_t outer = rlp_list_begin(&o), inner = rlp_list_begin(&o);
	rlp_put_u64(&o, 1);
	rlp_list_end(&o, inner);
	rlp_list_end(&o, outer);
	assert_false(o.full);
	assert_string_equal(help_hex(buf, o.n), "8001807f818088ffffffffffffffff00807f8180c2c101");
}

/* With every capacity from nothing to enough: never past it, `full` exactly when it does not fit, and full
 * stays. */
static void
full(void **state)
{
	static const uint8_t data[60] = {1};
	uint8_t want[80];
	struct rlp_out all = {want, 0, sizeof want, false};
	size_t begin = rlp_list_begin(&all);
	rlp_put_string(&all, (struct span){data, sizeof data});
	rlp_list_end(&all, begin);
	assert_false(all.full);
	for (size_t cap = 0; cap <= all.n; cap++) {
		uint8_t *p = malloc(cap ? cap : 1);
		assert_non_null(p);
		struct rlp_out o = {p, 0, cap, false};
		begin = rlp_list_begin(&o);
		rlp_put_string(&o, (struct span){data, sizeof data});
		rlp_list_end(&o, begin);
		assert_int_equal(o.full, cap < all.n);
		assert_true(o.n <= cap);
		size_t n = o.n;
		rlp_put_u64(&o, 1);
		assert_true(o.full && o.n == n);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(short_forms), cmocka_unit_test(refused),
		cmocka_unit_test(refused_whole), cmocka_unit_test(lengths), cmocka_unit_test(writing),
		cmocka_unit_test(full)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
