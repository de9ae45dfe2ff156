/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of lenders: selectors against their signatures, look-ups against the rows. */
#include "detect/flash.h"
#include "eth/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
selectors_are_their_signatures(void **state)
{
	unsigned n = 0;
	for (const struct flash_row *row; (row = flash_row(n)) != NULL; n++) {
		struct span s = {(const uint8_t *)row->signature, (uint32_t)strlen(row->signature)};
		uint8_t h[32];
		keccak256(&s, 1, h);
		assert_int_equal(row->selector,
			(uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3]);
		const struct flash_selector *f = flash_selector(row->selector);
		assert_non_null(f);
		assert_int_equal(f->providers[row->role] & row->providers, row->providers);
		assert_true(f->families >> row->family & 1);
	}
	assert_true(n > 50);
	assert_null(flash_selector(0));
	assert_null(flash_selector(0xa9059cbb));
	uint32_t x = 1;
	for (unsigned i = 0; i < 100000; i++) {
		x = x * 1664525 + 1013904223;
		const struct flash_selector *f = flash_selector(x);
		assert_true(f == NULL || f->selector == x);
	}
}

static void
every_lender_can_be_borrowed_from(void **state)
{
	uint64_t role[FLASH_ROLES] = {0};
	const struct flash_row *row;
	for (unsigned i = 0; (row = flash_row(i)) != NULL; i++)
		role[row->role] |= row->providers;
	for (unsigned p = 0; p < PROVIDER_COUNT; p++) {
		assert_true(role[FLASH_ENTRY] >> p & 1);
		assert_true((role[FLASH_CALLBACK] | (flash_any_callback() & role[FLASH_HELPER])) >> p & 1);
	}
}

static void
addresses_are_found_at_any_place(void **state)
{
	const struct flash_place *place;
	unsigned n = 0;
	for (; (place = flash_place(n)) != NULL; n++) {
		uint64_t bit = 1ull << place->provider;
		assert_int_equal(flash_address(place->address), bit);
		uint8_t other[20];
		memcpy(other, place->address, 20);
		other[19] ^= 1;
		assert_int_equal(flash_address(other), 0);
		uint32_t zeros = 0;
		while (place->address[zeros] == 0)
			zeros++;
		assert_int_equal(flash_address_at(place->address + zeros, 20 - zeros), bit);
		assert_int_equal(flash_address_at(place->address + zeros, 19 - zeros), 0);
	}
	assert_true(n >= 18);
	uint8_t shifted[20] = {
		0x04, 0x44, 0x4c, 0x5d, 0xc7, 0x5c, 0xb3, 0x58, 0x38, 0x0d, 0x2e, 0x3d, 0xe0, 0x8a, 0x90};
	assert_int_equal(flash_address(shifted), 0); /* its bytes, but not it */
	assert_int_equal(flash_address_at(shifted, 20), 1ull << PROVIDER_UNISWAP_V4);
}

static void
loans_need_both_halves(void **state)
{
	uint64_t v2 = 1ull << PROVIDER_UNISWAP_V2, b3 = 1ull << PROVIDER_BALANCER_V3;
	assert_int_equal(flash_takes(v2, 0, v2), 0);
	assert_int_equal(flash_takes(0, v2, v2), 0);
	assert_int_equal(flash_takes(v2, v2, 0), v2);
	assert_int_equal(flash_takes(b3, 0, 0), 0);
	assert_int_equal(flash_takes(b3 | v2, 0, b3 | v2), b3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(selectors_are_their_signatures),
		cmocka_unit_test(every_lender_can_be_borrowed_from),
		cmocka_unit_test(addresses_are_found_at_any_place), cmocka_unit_test(loans_need_both_halves)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
