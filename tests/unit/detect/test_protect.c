/* SPDX-License-Identifier: BSD-3-Clause */
/* Protected contracts: each way to touch one, what is more than fits, and, over random bytes, the same as a
 * search without tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "detect/protect.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static uint32_t
rnd(uint32_t below)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static uint8_t list[PROTECT_MAX + 8][20];
static struct protect *p;
static struct touched out[PROTECT_TOUCHED_MAX];
static bool over;
static struct calls calls;

static void
set_of(uint32_t n)
{
	free(p);
	p = protect_init(malloc(protect_bytes()), (const uint8_t(*)[20])list, n);
}

static uint32_t
touch(const struct tx *t)
{
	calls_of(t, &calls);
	return protect_touch(p, t, &calls, out, &over);
}

static uint8_t
how(uint32_t n, const uint8_t *address)
{
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(out[i].address, address, 20) == 0)
			return out[i].how;
	return 0;
}

static void
test_set(void **state)
{
	for (unsigned i = 0; i < PROTECT_MAX + 8; i++)
		for (unsigned k = 0; k < 20; k++)
			list[i][k] = (uint8_t)rnd(256);
	set_of(PROTECT_MAX + 8);
	assert_int_equal(protect_count(p), PROTECT_MAX);
	for (unsigned i = 0; i < PROTECT_MAX + 8; i++)
		assert_int_equal(protect_has(p, list[i]), i < PROTECT_MAX);
	memcpy(list[1], list[0], 20);
	memset(list[2], 0, 20);
	set_of(4);
	assert_int_equal(protect_count(p), 2);
	assert_true(protect_has(p, list[0]) && protect_has(p, list[3]));
	assert_false(protect_has(p, list[2]));
	set_of(0);
	const struct tx t = {.to = {list[0], 20}};
	assert_int_equal(touch(&t), 0);
	assert_false(over);
}

static void
test_ways(void **state)
{
	uint8_t data[200], access[64];
	for (unsigned i = 0; i < 6; i++)
		memset(list[i], 0xa1 + (int)i, 20);
	set_of(6);
	struct tx t = {.to = {list[0], 20}};
	assert_int_equal(touch(&t), 1);
	assert_int_equal(out[0].how, TOUCH(TO));
	for (unsigned at = 0; at <= 180; at++) {
		memset(data, 0x11, sizeof data);
		memcpy(data + at, list[1], 20);
		t = (struct tx){.to = {list[0], 20}, .data = {data, sizeof data}};
		assert_int_equal(touch(&t), 2);
		assert_int_equal(how(2, list[1]), TOUCH(CALLDATA));
		t.to.len = 0;
		assert_int_equal(touch(&t), 1);
		assert_int_equal(how(1, list[1]), TOUCH(CODE));
		t.data.len = at + 19; /* cut */
		assert_int_equal(touch(&t), 0);
	}
	/* an access list of two entries: [[address, []], [address, []]] */
	uint8_t *e = access;
	for (unsigned i = 2; i < 4; i++) {
		*e++ = 0xc0 + 22;
		*e++ = 0x80 + 20;
		memcpy(e, list[i], 20);
		e += 20;
		*e++ = 0xc0;
	}
	t = (struct tx){.to = {(const uint8_t *)"12345678901234567890", 20},
		.access_list = {access, (uint32_t)(e - access)}};
	assert_int_equal(touch(&t), 2);
	assert_int_equal(how(2, list[2]) | how(2, list[3]), TOUCH(CALLDATA));
}

static void
test_inside(void **state)
{
	uint8_t data[4 + 9 * 32] = {0x82, 0xad, 0x56, 0xcb}, deploy[4 + 96] = {0x00, 0x77, 0x43, 0x60};
	memset(list[0], 0xa1, 20);
	memset(list[1], 0xa2, 20);
	memset(list[1], 0, 5);
	set_of(2);
	/* aggregate3 of a call of list[0] */
	data[4 + 31] = 32;
	data[4 + 63] = 1;
	data[4 + 95] = 32;
	memcpy(data + 4 + 96 + 12, list[0], 20);
	data[4 + 160 + 31] = 96;
	data[4 + 192 + 31] = 4;
	data[4 + 224] = 1;
	struct tx t = {.to = {(const uint8_t *)"12345678901234567890", 20}, .data = {data, sizeof data}};
	assert_int_equal(touch(&t), 1);
	assert_int_equal(out[0].how, TOUCH(CALL) | TOUCH(CALLDATA));
	/* deploy(bytes) of code that pushes list[1] without its zeros: in calldata it would not count so */
	deploy[4 + 31] = 32;
	deploy[4 + 63] = 20;
	deploy[4 + 64 + 4] = 0x5f + 15;
	memset(deploy + 4 + 64 + 5, 0xa2, 15);
	t.data = (struct span){deploy, sizeof deploy};
	assert_int_equal(touch(&t), 1);
	assert_int_equal(how(1, list[1]), TOUCH(CODE));
	deploy[0] ^= 1;
	assert_int_equal(touch(&t), 0);
	assert_int_equal(protect_touch_code(p, t.data, out, &over), 1);
	assert_int_equal(how(1, list[1]), TOUCH(CODE));
}

static void
test_over(void **state)
{
	uint8_t data[20 * 8];
	for (unsigned i = 0; i < 8; i++)
		memset(list[i], 0xb0 + (int)i, 20);
	set_of(8);
	memcpy(data, list, sizeof data);
	struct tx t = {.to = {list[7], 20}, .data = {data, 60}};
	assert_int_equal(touch(&t), 4);
	assert_false(over);
	assert_int_equal(how(4, list[7]), TOUCH(TO));
	t.data.len = 80;
	assert_int_equal(touch(&t), 4);
	assert_true(over);
	t.data.len = sizeof data; /* what is there already is told of, full or not */
	assert_int_equal(touch(&t), 4);
	assert_int_equal(how(4, list[7]), TOUCH(TO) | TOUCH(CALLDATA));
}

/* Few byte values, so that much is nearly equal, and addresses with zeros at both ends and in the middle. */
static void
test_property(void **state)
{
	static uint8_t data[400];
	unsigned touched = 0;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t n = 1 + rnd(6), len = rnd(sizeof data);
		bool creates = rnd(2), want_over = false;
		for (unsigned i = 0; i < n; i++) {
			for (unsigned k = 0; k < 20; k++)
				list[i][k] = (uint8_t)(rnd(3) ? 0xa0 + rnd(2) : 0);
			memset(list[i], 0, rnd(12));
			memset(list[i] + 8, 0, rnd(4) ? 0 : 8);
			list[i][19] = (uint8_t)(1 + i);
		}
		for (unsigned k = 0; k < len; k++)
			data[k] = (uint8_t)(rnd(3) ? 0xa0 + rnd(2) : 0);
		for (unsigned i = rnd(8); i > 0 && len > 40; i--) {
			uint32_t at = 20 + rnd(len - 40), which = rnd(n), zeros = 0;
			memcpy(data + at, list[which], 20);
			while (zeros < 19 && list[which][zeros] == 0)
				zeros++;
			if (zeros > 0 && rnd(2)) {
				memset(data + at, 0x33, zeros);
				data[at + zeros - 1] = (uint8_t)(0x5f + 20 - zeros + (rnd(8) == 0));
			}
			if (rnd(3) == 0)
				data[at + rnd(20)] ^= 1;
		}
		set_of(n);
		uint8_t recipient[20] = {0x5e};
		const struct tx t = {.to = {recipient, creates ? 0 : 20}, .data = {data, len}};
		uint32_t got = touch(&t), want = 0;
		for (unsigned i = 0; i < n; i++) {
			bool is = false;
			unsigned zeros = 0;
			while (zeros < 8 && list[i][zeros] == 0)
				zeros++;
			for (uint32_t at = 0; at + 20 <= len; at++) {
				is |= memcmp(data + at, list[i], 20) == 0;
				is |= creates && zeros > 0 && data[at + zeros - 1] == 0x5f + 20 - zeros &&
				      memcmp(data + at + zeros, list[i] + zeros, 20 - zeros) == 0;
			}
			want += is;
			want_over |= want > PROTECT_TOUCHED_MAX;
			if (want <= PROTECT_TOUCHED_MAX && !want_over && got < PROTECT_TOUCHED_MAX)
				assert_int_equal(
					how(got, list[i]), is ? creates ? TOUCH(CODE) : TOUCH(CALLDATA) : 0);
		}
		assert_int_equal(got, want < PROTECT_TOUCHED_MAX ? want : PROTECT_TOUCHED_MAX);
		assert_int_equal(over, want_over);
		touched += want;
	}
	print_message("%u touched\n", touched);
	assert_true(touched > 1000);
}

static int
tear_down(void **state)
{
	free(p);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_property),
	};
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
