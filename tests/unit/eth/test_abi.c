/* SPDX-License-Identifier: BSD-3-Clause */
/* The ABI reader: what is there is given as it stands, and whatever length or offset a word may have, nothing
 * outside of the calldata is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "eth/abi.h"
#include "eth_help.h"

#include <stdlib.h>
#include <string.h>

#define W(end) "00000000000000000000000000000000000000000000000000000000000000" end
#define MINUS(end) "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" end
#define SELECTOR "ac9650d8"

static void
test_words(void **state)
{
	struct span data = help_bytes(SELECTOR W("07") "ffffffffffffffffffffffff"
						       "00112233445566778899aabbccddeeff00112233"
						       "00");
	struct abi a = abi_args(data);
	uint64_t v = 0;
	assert_true(abi_uint(a, 0, &v));
	assert_int_equal(v, 7);
	assert_ptr_equal(abi_address(a, 1), data.p + 4 + 32 + 12);
	assert_false(abi_uint(a, 1, &v));
	assert_null(abi_word(a, 2)); /* one byte of it is there */
	assert_null(abi_word(a, UINT32_MAX));
	assert_null(abi_word(abi_args((struct span){data.p, 3}), 0));
	assert_null(abi_word(abi_args((struct span){NULL, 0}), 0));
	free((void *)data.p);
}

static void
test_bytes(void **state)
{
	struct span got = {0}, data = help_bytes(SELECTOR W("20") W("03") "aabbcc"); /* no padding */
	assert_true(abi_bytes(abi_args(data), 0, &got));
	assert_int_equal(got.len, 3);
	assert_ptr_equal(got.p, data.p + 68);
	data.len--;
	assert_false(abi_bytes(abi_args(data), 0, &got));
	free((void *)data.p);
	data = help_bytes(SELECTOR W("20") W("00"));
	assert_true(abi_bytes(abi_args(data), 0, &got));
	assert_int_equal(got.len, 0);
	free((void *)data.p);
	const char *lengths[] = {MINUS("ff"),
		"0000000000000000000000000000000000000000000000010000000000000000", W("21"),
		"000000000000000000000000000000000000000000000000ffffffffffffffff",
		"00000000000000000000000000000000000000000000000000000000ffffffe0"};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		char text[512];
		strcpy(text, SELECTOR W("20"));
		strcat(strcat(text, lengths[i]), W("00"));
		data = help_bytes(text);
		assert_false(abi_bytes(abi_args(data), 0, &got));
		free((void *)data.p);
	}
}

static void
test_offsets(void **state)
{
	struct abi at = {0};
	struct span data = help_bytes(SELECTOR W("40") MINUS("fc") MINUS("fb") W("c0")
			W("c1") "8000000000000000000000000000000000000000000000000000000000000000");
	struct abi a = abi_args(data);
	assert_true(abi_follow(a, 0, &at));
	assert_int_equal(at.base, 68);
	assert_true(abi_follow(a, 1, &at)); /* -4: the selector */
	assert_int_equal(at.base, 0);
	assert_false(abi_follow(a, 2, &at)); /* -5 */
	assert_true(abi_follow(a, 3, &at));  /* the end, where nothing is */
	assert_null(abi_word(at, 0));
	assert_false(abi_follow(a, 4, &at));
	assert_false(abi_follow(a, 5, &at));
	assert_true(abi_at(a, 6, &at));
	assert_false(abi_at(a, 7, &at));
	free((void *)data.p);
}

static void
test_arrays(void **state)
{
	struct abi items = {0}, more = {0};
	uint32_t n = 0;
	struct span got = {0},
		    data = help_bytes(SELECTOR W("20") W("02") W("40") W("41") W("01") "aa" W("02") "bbcc");
	data.len--; /* the second is cut */
	assert_true(abi_array(abi_args(data), 0, 1, &items, &n));
	assert_int_equal(n, 2);
	assert_true(abi_bytes(items, 0, &got));
	assert_int_equal(got.len, 1);
	assert_int_equal(got.p[0], 0xaa);
	assert_false(abi_bytes(items, 1, &got));
	data.len++;
	assert_false(abi_array(abi_args(data), 0, 3, &items, &n)); /* six words are not there */
	assert_true(abi_array(abi_args(data), 0, 1, &items, &n));
	assert_false(abi_bytes(items, 1, &got)); /* W("02") stands one byte further on */
	assert_true(abi_at(items, 1, &more));
	assert_int_equal(more.base, items.base + 32);
	free((void *)data.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_arrays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
