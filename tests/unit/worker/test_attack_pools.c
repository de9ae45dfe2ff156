/* SPDX-License-Identifier: BSD-3-Clause */
/* A sandwicher's own contract and how its calldata says which pool it is: as it is, at any alignment, seen; as a number in the contract's storage, or XORed with a constant, not. The other
 * rows of the attack table: test_attack_table.c. */
#include "sandwich_rig.h"

enum saying { PLAIN, INDEXED, XORED };

static struct made *
leg(unsigned id, uint8_t selector, uint64_t price, enum saying how)
{
	uint8_t pool[20], amount[25] = {[16] = 0x01, 0xbe, 0x5e, 0x13, 0x77, 0x92, 0xc4, 0x08, 0xd1};
	struct made *m = tx(id, 30, 0xb0, price);
	m->data[1] = selector;
	pool_address(pool, 1);
	for (unsigned i = 0; i < 20 && how == XORED; i++)
		pool[i] ^= 0x5a;
	pads(m, selector); /* legs are not of one form */
	if (how == INDEXED)
		holds(m, "\x00\x2a", 2);
	else
		holds(m, pool, 20);
	return holds(m, amount, 25);
}

static void
hidden_pools(void **state)
{
	for (enum saying how = PLAIN; how <= XORED; how++) {
		stop(NULL);
		start(NULL);
		take(swaps(tx(1, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
		take(leg(2, 1, 50 * GWEI + 40000000, how));
		take(leg(3, 2, 50 * GWEI, how));
		assert_int_equal(n_found, how == PLAIN);
	}
}

/* What it costs him: in a bundle with the victim between them the legs are not seen either, so the order of a bundle alone accuses nobody. */
static void
bundles_accuse_nobody(void **state)
{
	for (enum saying how = PLAIN; how <= XORED; how++) {
		stop(NULL);
		start(NULL);
		struct made *m[3] = {leg(2, 1, 50 * GWEI, how), swaps(tx(1, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000), leg(3, 2, 50 * GWEI, how)};
		for (uint32_t i = 0; i < 3; i++)
			bundled(m[i], 7, (uint16_t)i, 3);
		assert_int_equal(n_found > 0, how == PLAIN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hidden_pools, start, stop),
		cmocka_unit_test_setup_teardown(bundles_accuse_nobody, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
