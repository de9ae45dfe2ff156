/* SPDX-License-Identifier: BSD-3-Clause */
/* Every implementation that this CPU can run against plain code, over random inputs, lengths, alignments and
 * damage, in buffers of exact size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/hex.h"
#include "wire/jsontext.h"

#include "tests/unit/wire/rnd.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static unsigned
digit(int c)
{
	return isdigit(c) ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a' + 10);
}

static void
check_decode(const struct hex_impl *impl, const uint8_t *in, size_t n)
{
	size_t digits = 0;
	while (digits < n && isxdigit(in[digits]))
		digits++;
	digits &= ~(size_t)1;
	uint8_t *out = malloc(n / 2 + 1);
	out[n / 2] = 0x5a;
	assert_int_equal(impl->decode(in, n, out), digits);
	for (size_t i = 0; i < digits / 2; i++)
		assert_int_equal(out[i], digit(in[2 * i]) << 4 | digit(in[2 * i + 1]));
	assert_int_equal(out[n / 2], 0x5a);
	free(out);
}

static void
decode_agrees(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	unsigned n_impls;
	const struct hex_impl *impls = hex_impls(&n_impls);
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = rnd(round % 2 ? 600 : 70), shift = rnd(33);
		uint8_t *buf = malloc(shift + n + 1), *in = buf + shift;
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)digits[rnd(22)];
		for (unsigned k = rnd(3); n > 0 && k > 0; k--)
			in[rnd((uint32_t)n)] = (uint8_t)rnd(256);
		uint8_t *exact = malloc(n ? n : 1); /* its end is the end of the allocation */
		memcpy(exact, in, n);
		for (unsigned i = 0; i < n_impls; i++) {
			check_decode(&impls[i], in, n);
			check_decode(&impls[i], exact, n);
		}
		free(exact);
		free(buf);
	}
}

/* Each byte value at each place of a vector, alone among digits. */
static void
every_byte_everywhere(void **state)
{
	unsigned n_impls;
	const struct hex_impl *impls = hex_impls(&n_impls);
	uint8_t in[260];
	for (unsigned at = 0; at < 260; at += 1 + at / 70) {
		for (unsigned c = 0; c < 256; c++) {
			memset(in, 'e', sizeof in);
			in[at] = (uint8_t)c;
			for (unsigned i = 0; i < n_impls; i++)
				check_decode(&impls[i], in, sizeof in);
		}
	}
}

static void
encode_is_the_inverse(void **state)
{
	uint8_t bytes[256], back[256];
	char text[513];
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	text[512] = 'z';
	hex_encode(bytes, 256, text);
	assert_memory_equal(text, "000102", 6);
	assert_memory_equal(text + 506, "fdfeff", 6);
	assert_int_equal(text[512], 'z');
	hex_init();
	assert_int_equal(hex_decode((const uint8_t *)text, 513, back), 512);
	assert_memory_equal(bytes, back, 256);
}

static void
text_skip_agrees(void **state)
{
	unsigned n_impls;
	const struct json_text_impl *impls = json_text_impls(&n_impls);
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = rnd(round % 2 ? 400 : 40);
		uint8_t *in = malloc(n ? n : 1);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(0x23 + rnd(0x39));
		for (unsigned k = rnd(3); n > 0 && k > 0; k--)
			in[rnd((uint32_t)n)] = (uint8_t)rnd(256);
		size_t want = 0;
		while (want < n && in[want] != '"' && in[want] != '\\' && in[want] >= 0x20)
			want++;
		for (unsigned i = 0; i < n_impls; i++)
			assert_ptr_equal((impls[i].skip)(in, in + n), in + want);
		free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_agrees),
		cmocka_unit_test(every_byte_everywhere),
		cmocka_unit_test(encode_is_the_inverse),
		cmocka_unit_test(text_skip_agrees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
