/* SPDX-License-Identifier: BSD-3-Clause */
/* decimal_write against known numbers and against the machine's own printing. */
#include "abi/decimal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
check(const uint8_t *be, size_t n, const char *want)
{
	char text[DECIMAL_TEXT_MAX];
	memset(text, 'z', sizeof text);
	assert_int_equal(decimal_write(be, n, text), strlen(want));
	assert_string_equal(text, want);
}

static void
known(void **state)
{
	uint8_t all[32];
	memset(all, 0xff, sizeof all);
	check(all, 0, "0");
	check((const uint8_t[]){0, 0}, 2, "0");
	check((const uint8_t[]){0, 1}, 2, "1");
	check(all, 32, "115792089237316195423570985008687907853269984665640564039457584007913129639935"); /* 2^256 - 1 */
	check(all, 16, "340282366920938463463374607431768211455");
	/* zeros inside are kept: 10^18, 10^27 */
	check((const uint8_t[]){0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64, 0, 0}, 8, "1000000000000000000");
	check((const uint8_t[]){0x03, 0x3b, 0x2e, 0x3c, 0x9f, 0xd0, 0x80, 0x3c, 0xe8, 0, 0, 0}, 12, "1000000000000000000000000000");
}

static void
words(void **state)
{
	uint64_t v = 1;
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t be[32] = {0};
		char want[24];
		v = v * 6364136223846793005u + 1442695040888963407u;
		uint64_t x = v >> i % 64;
		for (unsigned k = 0; k < 8; k++)
			be[31 - k] = (uint8_t)(x >> (8 * k));
		snprintf(want, sizeof want, "%" PRIu64, x);
		for (size_t n = 8; n <= 32; n += 4)
			check(be + 32 - n, n, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
