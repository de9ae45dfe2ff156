/* SPDX-License-Identifier: BSD-3-Clause */
/* Every cap: what is beyond it is counted, and what was within it is found all the same. */
#include "sandwich_rig.h"

#define V 1
#define F 2
#define B 3

static void
three(uint8_t pool, unsigned id)
{
	take(swaps(tx(id, 10, 0x70, 50 * GWEI), pool, true, 5000000000, 90000000));
	take(nonce(swaps(tx(id + 1, 20, 0x70, 50 * GWEI + 85), pool, true, 7000000000, 123456789012345), 4));
	take(nonce(swaps(tx(id + 2, 20, 0x70, 50 * GWEI), pool, false, 123456789012345, 1), 5));
}

static void
sizes(void **state)
{
	(void)state;
	struct sandwich_config c = config;
	assert_int_not_equal(sandwich_bytes(&c), 0);
	static const uint32_t odd[] = {0, 15, 17, 100, 1u << 23};
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		c = config;
		c.n_txs = odd[i];
		assert_int_equal(sandwich_bytes(&c), 0);
		c = config;
		c.n_bundles = odd[i] == 1u << 23 ? 1u << 17 : odd[i];
		assert_int_equal(sandwich_bytes(&c), 0);
		c = config;
		c.n_incidents = odd[i];
		assert_int_equal(sandwich_bytes(&c), 0);
	}
	c = config;
	c.n_common = 65;
	assert_int_equal(sandwich_bytes(&c), 0);
	for (unsigned i = 0; i < SANDWICH_N_COUNT; i++)
		assert_true(sandwich_count_name(i) != NULL && sandwich_count_help(i) != NULL);
	assert_null(sandwich_count_name(SANDWICH_N_COUNT));
	assert_null(sandwich_count_help(SANDWICH_N_COUNT));
}

static void
transactions(void **state)
{
	(void)state;
	stop(NULL);
	start_with(16, 4, 4);
	for (unsigned i = 0; i < 1000; i++)
		take(swaps(tx(1000 + i, 9, 0x70, GWEI), (uint8_t)(i % 50 + 10), true, 5, 4));
	assert_int_equal(sandwich_in_flight(s), 16);
	assert_int_equal(n[SANDWICH_N_EVICTED], 984);
	assert_null(sandwich_check(s));
	three(1, 1);
	assert_found(SANDWICH_PUBLIC, F, V, B);
	/* nothing in it */
	struct made *plain = tx(9000, 9, 0x70, GWEI);
	plain->t.data.len = 0;
	take(plain);
	assert_int_equal(n[SANDWICH_N_IGNORED], 1);
	assert_int_equal(n[SANDWICH_N_TAKEN], 1004);
}

static void
touches(void **state)
{
	(void)state;
	stop(NULL);
	start_with(16, 4, 4);
	/* 16 hops of 16 tokens: 12 are kept of each, and of all no more than 64 */
	for (unsigned i = 0; i < 100; i++) {
		static struct swap w[16];
		struct made *m = tx(1000 + i, 9, 0x70, GWEI);
		for (unsigned k = 0; k < 16; k++) {
			memset(&w[k], 0, sizeof w[k]);
			w[k].has = SWAP_HAS_POOL;
			pool_address(w[k].pool, (uint8_t)(i + k));
		}
		m->t.swaps = w;
		m->t.n_swaps = 16;
		take(m);
		assert_null(sandwich_check(s));
	}
	assert_int_equal(n[SANDWICH_N_TOUCHES_FULL], 400);
	assert_true(sandwich_in_flight(s) <= 6);
	assert_int_equal(n[SANDWICH_N_EVICTED] + sandwich_in_flight(s), 100);
	three(1, 1);
	assert_found(SANDWICH_PUBLIC, F, V, B);
}

static void
one_pool(void **state)
{
	(void)state;
	stop(NULL);
	start_with(1024, 4, 4);
	take(swaps(tx(V, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	for (unsigned i = 0; i < 300; i++)
		take(swaps(tx(1000 + i, (uint8_t)(100 + i % 100), 0x70, 20 * GWEI + i), 1, true, 5, 4));
	assert_true(n[SANDWICH_N_CHAIN_CUT] > 0);
	/* the victim has been buried; one that came lately has not */
	take(swaps(tx(11, 11, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	take(nonce(swaps(tx(F, 20, 0x70, 50 * GWEI + 85), 1, true, 7000000000, 123456789012345), 4));
	take(nonce(swaps(tx(B, 20, 0x70, 50 * GWEI), 1, false, 123456789012345, 1), 5));
	assert_found(SANDWICH_PUBLIC, F, 11, B);
}

static void
pairs_and_senders(void **state)
{
	(void)state;
	/* many accounts that all want to be its back: pairs and senders are capped for each that comes */
	take(swaps(tx(V, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	for (unsigned i = 0; i < 60; i++)
		take(hidden(nonce(swaps(tx(1000 + i, (uint8_t)(100 + i), 0x70, 50 * GWEI), 1, false,
					  123456789012345, 1),
			5)));
	assert_int_equal(n_asked, 0);
	take(hidden(nonce(swaps(tx(F, 20, 0x70, 50 * GWEI + 85), 1, true, 7000000000, 123456789012345), 4)));
	assert_int_equal(n_asked, SANDWICH_SENDERS_MAX);
	assert_int_equal(n_asked, n[SANDWICH_N_SENDERS_ASKED]);
	assert_int_equal(n[SANDWICH_N_PAIRS_CUT], 1);
	assert_int_equal(n[SANDWICH_N_PAIRS], SANDWICH_PAIRS_MAX);
	assert_int_equal(n_found, 0);
	/* the true one comes: its sender is known by then, and so is this pair */
	take(hidden(nonce(swaps(tx(B, 20, 0x70, 50 * GWEI), 1, false, 123456789012345, 1), 5)));
	assert_found(SANDWICH_PUBLIC, F, V, B);
}

static void
calldata(void **state)
{
	(void)state;
	static uint8_t big[SANDWICH_SCAN_MAX + 100];
	take(swaps(tx(V, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	struct made *m = tx(F, 30, 0xb0, 50 * GWEI + 85);
	memset(big, 0xaa, sizeof big);
	pool_address(big + SANDWICH_SCAN_MAX - 20, 1);
	m->t.data = (struct span){big, sizeof big};
	take(m);
	assert_int_equal(n[SANDWICH_N_SCAN_CUT], 1);
	assert_found(SANDWICH_PARTIAL, F, V, 0);
	/* beyond it nothing is seen */
	n_found = 0;
	m = tx(4, 31, 0xb1, 50 * GWEI + 85);
	memset(big, 0xaa, sizeof big);
	pool_address(big + SANDWICH_SCAN_MAX - 19, 1);
	m->t.data = (struct span){big, sizeof big};
	take(m);
	assert_int_equal(n_found, 0);
	assert_int_equal(n[SANDWICH_N_SCAN_CUT], 2);
}

static void
bundles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++)
		bundled(swaps(tx(1000 + i, 9, 0x70, GWEI), 2, true, 5, 4), 100 + i, 0, 3);
	assert_int_equal(n[SANDWICH_N_BUNDLES_EVICTED], 24);
	/* a place beyond the last; as many equal legs as there is room for, which is more work than one
	 * bundle is given */
	for (unsigned i = 0; i < 104; i++)
		bundled(pads(tx(2000 + i, 30, 0xb0, GWEI), 900), 7, (uint16_t)i, 104);
	assert_int_equal(n[SANDWICH_N_BUNDLE_CUT], 4 + 1);
	assert_int_equal(n_found, 0);
	sandwich_bundle_lost(s, 7, 0, clock_ns);
	sandwich_bundle_lost(s, 999, 0, clock_ns); /* of no length: no bundle */
}

static void
incidents(void **state)
{
	(void)state;
	stop(NULL);
	start_with(256, 4, 4);
	for (unsigned i = 0; i < 9; i++)
		three((uint8_t)(10 + i), 100 + 10 * i);
	assert_int_equal(n[SANDWICH_N_FOUND], 9);
	assert_int_equal(n[SANDWICH_N_INCIDENTS_EVICTED], 5);
	assert_int_equal(n[SANDWICH_N_FOUND_PUBLIC], 9);
	/* of those that are forgotten no ending is told */
	n_found = 0;
	for (unsigned i = 0; i < 9; i++) {
		uint8_t h[32];
		fill_hash(h, 101 + 10 * i);
		sandwich_dropped(s, h, clock_ns);
	}
	assert_int_equal(n_found, 4);
}

static void
strangers(void **state)
{
	(void)state;
	uint8_t h[32];
	fill_hash(h, 77);
	sandwich_dropped(s, h, 1);
	sandwich_replaced(s, h, 1);
	sandwich_included(s, h, 1, 1, 1);
	assert_int_equal(sandwich_in_flight(s), 0);
	/* told twice, and then with its sender */
	struct made *m = hidden(
		nonce(swaps(tx(F, 20, 0x70, 50 * GWEI + 85), 1, true, 7000000000, 123456789012345), 4));
	take(m);
	take(m);
	m->t.from = m->from;
	take(m);
	assert_int_equal(n[SANDWICH_N_KNOWN], 2);
	take(swaps(tx(V, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	take(nonce(swaps(tx(B, 20, 0x70, 50 * GWEI), 1, false, 123456789012345, 1), 5));
	assert_found(SANDWICH_PUBLIC, F, V, B);
	assert_int_equal(n_asked, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {TEST(sizes), TEST(transactions), TEST(touches), TEST(one_pool),
		TEST(pairs_and_senders), TEST(calldata), TEST(bundles), TEST(incidents), TEST(strangers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
