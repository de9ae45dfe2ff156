/* SPDX-License-Identifier: BSD-3-Clause */
/* base64: vectors of RFC 4648, the rules of Go's decoder, and random texts against a plain one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/base64_plain.h"
#include "wire/base64.h"

#include <stdbool.h>

/* Decodes with whole groups wherever there may be some, or character by character. Returns the number of
 * bytes, or -1. */
static long
decode(const char *text, size_t n, uint8_t *out, bool groups)
{
	struct base64 b = {0};
	long len = 0;
	for (size_t i = 0; i < n;) {
		if (groups && b.n == 0 && !b.ended) {
			uint8_t *exact = malloc(n - i);
			memcpy(exact, text + i, n - i);
			size_t taken = base64_groups(exact, n - i, out + len);
			free(exact);
			assert_int_equal(taken % 4, 0);
			len += (long)(taken / 4 * 3);
			i += taken;
			if (i == n)
				break;
		}
		uint8_t three[3];
		int got = base64_char(&b, (uint8_t)text[i++], three);
		if (got < 0)
			return -1;
		memcpy(out + len, three, (size_t)got);
		len += got;
	}
	return base64_whole(&b) ? len : -1;
}

static void
gives(const char *text, const char *bytes, long n)
{
	uint8_t out[64];
	for (int groups = 0; groups < 2; groups++) {
		assert_int_equal(decode(text, strlen(text), out, groups), n);
		if (n > 0)
			assert_memory_equal(out, bytes, (size_t)n);
	}
	assert_int_equal(base64_plain(text, strlen(text), out), n);
}

static void
test_vectors(void **state)
{
	gives("", "", 0);
	gives("Zg==", "f", 1);
	gives("Zm8=", "fo", 2);
	gives("Zm9v", "foo", 3);
	gives("Zm9vYg==", "foob", 4);
	gives("Zm9vYmE=", "fooba", 5);
	gives("Zm9vYmFy", "foobar", 6);
	gives("+/+/", "\xfb\xff\xbf", 3);
	gives("3q2+7w==", "\xde\xad\xbe\xef", 4); /* of nitro's own test */
}

/* Those of encoding/base64's tests, and more of their kind. */
static void
test_rules(void **state)
{
	static const char *const bad[] = {"!!!!", "====", "x===", "=AAA", "A=AA", "AA=A",
		"AAAA=", "AAAA==", "AAA", "AA", "A", "AA=", "AA==A", "AAAA====", "AAAAA", "AAAAAA",
		"AAAAA=", "AAAAAA=", "Zm9v YmFy", "Zm9v\t", "Zm9-", "Zm9_", "AA===", "AAA==", "AAA=A",
		"Zm8=Zm8=", "Zg==\nZg==", "\x80\x80\x80\x80", "AA\n="};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		gives(bad[i], NULL, -1);
	gives("AA\n==", "\0", 1);
	gives("AA=\r\n=", "\0", 1);
	gives("AA==\n\r\n", "\0", 1);
	gives("\r\nZ\nm\n9\rvY\r\nmFy", "foobar", 6);
	gives("Zh==", "f", 1); /* unused bits that are set */
	gives("Zm9=", "fo", 2);
	gives("\n", "", 0);
}

static void
test_random(void **state)
{
	uint64_t seed = 0x2545f4914f6cdd1d;
	unsigned good = 0;
	for (unsigned round = 0; round < 100000; round++) {
		static const char alphabet[] = "AAaz09+/Qq==\n\r-x";
		uint8_t bytes[120], a[128], b[128], c[128];
		char text[200];
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t n = (seed >> 33) % 100;
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)((seed >> 40) + i * i * (seed >> 20));
		size_t len = base64_encode(bytes, n, text);
		for (unsigned k = (seed >> 60) % 4; k > 0 && len > 0; k--) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[(seed >> 20) % len] = alphabet[seed >> 60];
		}
		long plain = base64_plain(text, len, a);
		assert_int_equal(decode(text, len, b, true), plain);
		assert_int_equal(decode(text, len, c, false), plain);
		if (plain > 0) {
			assert_memory_equal(a, b, (size_t)plain);
			assert_memory_equal(a, c, (size_t)plain);
		}
		good += plain >= 0;
	}
	assert_in_range(good, 20000, 90000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
