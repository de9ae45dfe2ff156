/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that are too small, parents in circles, numbers out of range. */
#include "life_rig.h"

static void
rivals_are_capped(void **state)
{
	for (unsigned i = 0; i < LIFE_RIVALS_MAX + 10; i++)
		pend_from(1000 + i, 1, i);
	assert_int_equal(n[LIFE_N_RIVALS_FULL], 10);
	struct life_seen s = seen_from(1000, 1); /* lost its place, decides all the same */
	n_events = 0;
	life_mined(life, &s, NULL, 100);
	assert_int_equal(n[LIFE_N_REPLACED], LIFE_RIVALS_MAX);
	assert_int_equal(state_of(1001), LIFE_PENDING);
	assert_int_equal(state_of(1000 + LIFE_RIVALS_MAX + 9), LIFE_REPLACED);
}

static void
room_is_made_of_the_settled_first(void **state)
{
	restart(16, 256, 400);
	pend_from(1, 1, 1); /* replaced */
	pend(2, 1);
	life_announced(life, tx_hash_of(3), -1, 0, 1);
	struct life_seen s = seen_from(4, 1);
	life_mined(life, &s, NULL, 1); /* settled at once */
	block(LIFE_BLOCK_NEW, 1, 0, "ab", 2);
	for (unsigned i = 0; i < 10; i++)
		pend(1000 + i, 3);
	assert_int_equal(life_population(life, LIFE_PENDING), 11);
	pend(2000, 4);
	assert_int_equal(state_of(4), -1);
	pend(2001, 4);
	assert_int_equal(state_of(1), -1);
	assert_int_equal(n[LIFE_N_EVICTED], 0);
	pend(2002, 4); /* then what is announced */
	assert_int_equal(state_of(3), -1);
	assert_int_equal(n[LIFE_N_EVICTED], 1);
	pend(2003, 4); /* then what has been pending longest */
	assert_int_equal(state_of(2), -1);
	assert_int_equal(state_of(1000), LIFE_PENDING);
	for (unsigned i = 0; i < 100; i++)
		pend(3000 + i, 5);
	assert_int_equal(state_of('a'), LIFE_INCLUDED); /* the last blocks stay */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	for (unsigned i = 0; i < LIFE_SETTLED_BLOCKS; i++) {
		assert_int_equal(state_of('a'), LIFE_INCLUDED);
		block(LIFE_BLOCK_NEW, 2 + i, 1 + i, "", 6);
	}
	pend(4000, 7); /* until they are far enough behind */
	assert_int_equal(state_of('a'), -1);
	assert_share(0, 0, 2);
}

static void
candidates_push_out_a_quarter_at_most(void **state)
{
	restart(16, 256, 400);
	for (unsigned i = 0; i < 16; i++)
		pend(1000 + i, 1);
	block(LIFE_BLOCK_OFFERED, 1, 0, "abcdefghijklmnopqrstuvwxyz", 2);
	assert_int_equal(life_population(life, LIFE_CANDIDATE), 5);
	assert_int_equal(life_population(life, LIFE_PENDING), 11);
	assert_int_equal(state_of('z'), LIFE_CANDIDATE);
	assert_int_equal(n[LIFE_N_EVICTED], 26);
	life_announced(life, tx_hash_of(1), -1, 0, 3); /* takes a candidate's place, and the next one its */
	life_announced(life, tx_hash_of(2), -1, 0, 3);
	assert_int_equal(state_of(1), -1);
	assert_int_equal(life_population(life, LIFE_CANDIDATE), 4);
	assert_int_equal(life_population(life, LIFE_PENDING), 11);
}

static void
blocks_and_links_are_bounded(void **state)
{
	restart(1000, 8, 40);
	struct life_seen s;
	life_block_open(life, 1, 1);
	for (unsigned i = 0; i < 12; i++) {
		s = seen(1000 + i);
		life_block_tx(life, 1, &s, 1);
	}
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 1);
	assert_int_equal(n[LIFE_N_LINKS_FULL], 2); /* a quarter is a block's */
	assert_share(0, 0, 10);
	assert_int_equal(state_of(1011), -1);
	for (unsigned i = 2; i < 60; i++)
		block(LIFE_BLOCK_NEW, i, i - 1, "a", i);
	assert_null(life_block_find(life, block_hash_of(51)));
	assert_non_null(life_block_find(life, block_hash_of(52)));
	assert_int_equal(state_of(1000), LIFE_INCLUDED); /* its block is no longer known */
	assert_null(life_block_of(life, tx(1000)));
	for (unsigned i = 0; i < 50; i++)
		block(LIFE_BLOCK_OFFERED, 160 + i * 100, 99, "xyz", 100); /* candidates have a quarter */
	assert_non_null(life_block_find(life, block_hash_of(59)));
	assert_non_null(life_block_find(life, block_hash_of(55)));
	assert_int_equal(life_top(life)->id.number, 59);
}

static void
links_are_taken_from_what_matters_least(void **state)
{
	restart(1000, 256, 40);
	block(LIFE_BLOCK_NEW, 1, 0, "abcdefgh", 1);
	block(LIFE_BLOCK_OFFERED, 199, 98, "ijklmnop", 1); /* a candidate */
	for (unsigned i = 2; i < 5; i++)
		block(LIFE_BLOCK_NEW, i, i - 1, "abcdefgh", 1);
	assert_int_equal(state_of('i'), LIFE_CANDIDATE);
	block(LIFE_BLOCK_NEW, 5, 4, "qr", 2);
	assert_int_equal(state_of('i'), -1);
	assert_null(life_block_find(life, block_hash_of(199)));
	block(LIFE_BLOCK_NEW, 6, 5, "stuvwx", 3);
	assert_int_equal(n[LIFE_N_LINKS_FULL], 0);
	block(LIFE_BLOCK_NEW, 7, 6, "y", 4); /* nothing that may still leave the chain is forgotten */
	assert_int_equal(n[LIFE_N_LINKS_FULL], 1);
	assert_int_equal(state_of('y'), -1);
	assert_non_null(life_block_find(life, block_hash_of(1)));
	for (unsigned i = 8; i < 66; i++)
		block(LIFE_BLOCK_NEW, i, i - 1, "", 5);
	block(LIFE_BLOCK_NEW, 66, 65, "y", 6); /* but what no longer does */
	assert_int_equal(n[LIFE_N_LINKS_FULL], 1);
	assert_int_equal(state_of('y'), LIFE_INCLUDED);
	assert_null(life_block_find(life, block_hash_of(1)));
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
}

static void
cycles_end(void **state)
{
	block(LIFE_BLOCK_NEW, 1, 0, "z", 1);
	block(LIFE_BLOCK_NEW, 10, 12, "a", 1);
	block(LIFE_BLOCK_NEW, 11, 10, "b", 1);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 1);
	block(LIFE_BLOCK_NEW, 20, 20, "d", 1); /* its own parent */
	head(12, 2);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(life_top(life)->id.number, 12);
	head(20, 3);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_null(life_check(life));
	head(11, 4);
	assert_null(life_check(life));
	struct life_block_id id = id_of(30, 29, UINT64_MAX); /* nor does any number break the order */
	life_block_open(life, 1, 5);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 5);
	head(30, 5);
	assert_true(life_top(life)->id.number < 1000);
}

static void
configs_out_of_range_are_refused(void **state)
{
	struct life_config c = config;
	assert_true(life_bytes(&c) > 0);
	c.n_txs = 7;
	assert_int_equal(life_bytes(&c), 0);
	c.n_txs = (1u << 26) + 1;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_blocks = 3;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_links = 15;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_protocols = LIFE_PROTOCOLS_MAX + 1;
	assert_int_equal(life_bytes(&c), 0);
	struct life_protocol many[2] = {{"a", addresses, LIFE_ADDRESSES_MAX}, {"b", addresses, 1}};
	c = config;
	c.protocols = many;
	assert_int_equal(life_bytes(&c), 0);
	many[0].n_addresses = UINT32_MAX;
	assert_int_equal(life_bytes(&c), 0);
	assert_string_equal(life_count_name(LIFE_N_NEVER_SEEN), "NEVER_SEEN");
	assert_non_null(strstr(life_count_help(LIFE_N_NEVER_SEEN), "never seen"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(rivals_are_capped),
		T(room_is_made_of_the_settled_first),
		T(candidates_push_out_a_quarter_at_most),
		T(blocks_and_links_are_bounded),
		T(links_are_taken_from_what_matters_least),
		T(cycles_end),
		T(configs_out_of_range_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
