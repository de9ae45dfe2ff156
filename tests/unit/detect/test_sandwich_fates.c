/* SPDX-License-Identifier: BSD-3-Clause */
/* Bundles, displacement, and what becomes of incidents. */
#include "sandwich_rig.h"

#define V 1
#define F 2
#define B 3

static struct made *
victim(unsigned id)
{
	return swaps(tx(id, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000);
}

static struct made *
leg(unsigned id, uint8_t contract, uint32_t pad)
{
	struct made *m = tx(id, 30, contract, id == F ? 0 : 900 * GWEI); /* fees mean nothing */
	return names_pool(pads(m, pad), 1);
}

static void
by_hash(unsigned id, uint64_t bundle, uint16_t pos, uint16_t len)
{
	uint8_t h[32];
	fill_hash(h, id);
	sandwich_bundle_hash(s, h, bundle, pos, len, clock_ns += MS);
}

static void
bundle_order(void **state)
{
	(void)state;
	for (uint32_t pad = 0; pad < 33; pad++) {
		bundled(leg(F, 0xb0, pad), 7 + pad, 0, 3);
		bundled(victim(V), 7 + pad, 1, 3);
		n_found = 0;
		bundled(leg(B, 0xb0, pad + 1), 7 + pad, 2, 3);
		assert_int_equal(n_found, 1);
		assert_found(SANDWICH_BUNDLE, F, V, B);
		assert_int_equal(found[0].reasons, REASON(BUNDLE_ORDER) | REASON(PACKED));
		assert_int_equal(found[0].attacker[0], 0xb0);
		assert_true(found[0].attacker_is_contract && found[0].has_pool);
		stop(NULL);
		start(NULL);
	}
	/* the same three in another order are none */
	bundled(victim(V), 1, 0, 3);
	bundled(leg(F, 0xb0, 0), 1, 1, 3);
	bundled(leg(B, 0xb0, 0), 1, 2, 3);
	assert_int_equal(n_found, 0);
	/* nor is another pool, nor another contract's back */
	bundled(leg(F + 10, 0xb0, 0), 2, 0, 3);
	bundled(swaps(tx(V + 10, 10, 0x70, 50 * GWEI), 2, true, 5, 4), 2, 1, 3);
	bundled(leg(B + 10, 0xb0, 0), 2, 2, 3);
	assert_int_equal(n_found, 0);
}

static void
bundle_through_a_router(void **state)
{
	(void)state;
	for (unsigned same = 0; same < 2; same++) {
		stop(NULL);
		start(NULL);
		bundled(hidden(swaps(tx(F, 20, 0x70, 0), 1, true, 7000, 600)), 3, 0, 3);
		bundled(victim(V), 3, 1, 3);
		bundled(hidden(swaps(tx(B, same ? 20 : 21, 0x70, 0), 1, false, 600, 0)), 3, 2, 3);
		assert_int_equal(n_asked, 2);
		assert_int_equal(n_found, same);
	}
	assert_found(SANDWICH_BUNDLE, F, V, B);
	assert_int_equal(found[0].reasons, REASON(BUNDLE_ORDER));
	assert_int_equal(found[0].attacker[0], 20);
	/* both legs the same way: no sandwich */
	n_found = 0;
	bundled(swaps(tx(12, 20, 0x70, 0), 1, true, 7000, 600), 4, 0, 3);
	bundled(victim(11), 4, 1, 3);
	bundled(swaps(tx(13, 20, 0x70, 0), 1, true, 600, 0), 4, 2, 3);
	assert_int_equal(n_found, 0);
}

static void
bundle_names_its_victim(void **state)
{
	(void)state;
	/* which crossed before */
	take(victim(V));
	bundled(leg(F, 0xb0, 0), 1, 0, 3);
	by_hash(V, 1, 1, 3);
	bundled(leg(B, 0xb0, 0), 1, 2, 3);
	assert_found(SANDWICH_BUNDLE, F, V, B);
	/* which crosses after */
	stop(NULL);
	start(NULL);
	bundled(leg(F, 0xb0, 0), 1, 0, 3);
	by_hash(V, 1, 1, 3);
	bundled(leg(B, 0xb0, 0), 1, 2, 3);
	assert_int_equal(n_found, 0);
	take(victim(V));
	assert_int_equal(n_found, 1);
	assert_found(SANDWICH_BUNDLE, F, V, B);
	/* an element that could not be read is not waited for; the same bundle once more says nothing new */
	stop(NULL);
	start(NULL);
	for (unsigned i = 0; i < 2; i++) {
		bundled(leg(F, 0xb0, 0), 1 + i, 0, 4);
		bundled(victim(V), 1 + i, 1, 4);
		bundled(leg(B, 0xb0, 0), 1 + i, 2, 4);
		assert_int_equal(n_found, i);
		sandwich_bundle_lost(s, 1 + i, 4, clock_ns);
		assert_int_equal(n_found, 1);
	}
	assert_int_equal(n[SANDWICH_N_REPEATED], 1);
	/* one element in two places is not its own victim */
	n_found = 0;
	bundled(swaps(tx(20, 20, 0x70, 0), 3, true, 7000, 600), 9, 0, 3);
	by_hash(20, 9, 1, 3);
	bundled(swaps(tx(21, 20, 0x70, 0), 3, false, 600, 0), 9, 2, 3);
	assert_int_equal(n_found, 0);
}

static void
bundle_of_many(void **state)
{
	(void)state;
	/* two attackers, one within the other, and twelve victims */
	bundled(leg(40, 0xb0, 0), 1, 0, 16);
	bundled(leg(41, 0xb1, 3), 1, 1, 16);
	for (unsigned i = 0; i < 12; i++)
		bundled(victim(100 + i), 1, (uint16_t)(2 + i), 16);
	bundled(leg(42, 0xb1, 1), 1, 14, 16);
	bundled(leg(43, 0xb0, 2), 1, 15, 16);
	assert_int_equal(n_found, 2);
	assert_true(is_id(&found[0].front, 40) && is_id(&found[0].back, 43));
	assert_true(is_id(&found[1].front, 41) && is_id(&found[1].back, 42));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(found[i].n_victims, 12);
		assert_int_equal(found[i].n_listed, 8);
	}
	assert_int_not_equal(found[0].incident, found[1].incident);
}

static void
bundle_without_back(void **state)
{
	(void)state;
	bundled(leg(F, 0xb0, 0), 1, 0, 2);
	bundled(victim(V), 1, 1, 2);
	assert_int_equal(n_found, 1);
	assert_found(SANDWICH_PARTIAL, F, V, 0);
	assert_int_equal(found[0].reasons, REASON(BUNDLE_ORDER) | REASON(PARTIAL) | REASON(PACKED));
	/* the whole of it comes after all */
	bundled(leg(F, 0xb0, 0), 2, 0, 3);
	bundled(victim(V), 2, 1, 3);
	bundled(leg(B, 0xb0, 0), 2, 2, 3);
	assert_int_equal(n_found, 2);
	assert_found(SANDWICH_BUNDLE, F, V, B);
	assert_true(found[1].update && found[1].incident == found[0].incident);
}

static void
bundle_around_the_unknown(void **state)
{
	(void)state;
	/* a victim of unknown form: one of its address words is in both legs */
	uint8_t word[32] = {0};
	token_address(word + 12, 5);
	bundled(names_token(tx(F, 30, 0xb0, 0), 5), 1, 0, 3);
	bundled(holds(tx(V, 10, 0xc7, GWEI), word, 32), 1, 1, 3);
	bundled(pads(names_token(pads(tx(B, 30, 0xb0, 0), 3), 5), 3), 1, 2, 3);
	assert_found(SANDWICH_BUNDLE, F, V, B);
	assert_memory_equal(found[0].key, word + 12, 20);
	/* WETH's would be in anybody's */
	n_found = 0;
	memcpy(word + 12, weth, 20);
	bundled(holds(tx(12, 30, 0xb0, 0), weth, 20), 2, 0, 3);
	bundled(holds(tx(11, 10, 0xc7, GWEI), word, 32), 2, 1, 3);
	bundled(holds(tx(13, 30, 0xb0, 0), weth, 20), 2, 2, 3);
	assert_int_equal(n_found, 0);
}

/* ---- displacement ---- */

static uint8_t input[300];

static struct made *
called(unsigned id, uint8_t from, uint8_t to, uint64_t price, uint32_t offset, uint32_t len, uint32_t tail)
{
	struct made *m = tx(id, from, to, price);
	m->t.data.len = 0;
	pads(m, offset);
	holds(m, input, len);
	return pads(m, tail);
}

static void
displacement(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < sizeof input; i++)
		input[i] = (uint8_t)(i * i * 31 + i * 7 + 3);
	for (uint32_t len = SANDWICH_INPUT_MIN; len <= 300; len += 29)
		for (uint32_t offset = 0; offset < 70; offset += 3) {
			stop(NULL);
			start(NULL);
			take(called(V, 10, 0xd0, 50 * GWEI, 0, len, 0));
			take(called(F, 40, 0xe0, 51 * GWEI, offset, len, 1));
			assert_int_equal(n_found, 1);
			assert_found(SANDWICH_DISPLACEMENT, F, V, 0);
			assert_int_equal(found[0].attacker[0], 0xe0);
			assert_int_equal(found[0].key[0], 0xd0);
		}
	/* senders that are asked for */
	stop(NULL);
	start(NULL);
	take(hidden(called(V, 10, 0xd0, 50 * GWEI, 0, 200, 0)));
	take(hidden(called(F, 40, 0xe0, 51 * GWEI, 7, 200, 9)));
	assert_int_equal(n_asked, 2);
	assert_int_equal(n_found, 1);
}

static void
no_displacement(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < sizeof input; i++)
		input[i] = (uint8_t)(i * i * 31 + i * 7 + 3);
	take(called(V, 10, 0xd0, 50 * GWEI, 0, 200, 0));
	take(called(2, 10, 0xe0, 51 * GWEI, 7, 200, 9)); /* one's own */
	take(called(3, 40, 0xd0, 51 * GWEI, 7, 200, 9)); /* the same contract: a race */
	take(called(4, 40, 0xe0, 50 * GWEI, 7, 200, 9)); /* no dearer */
	take(called(5, 40, 0xe0, 51 * GWEI, 7, 199, 9)); /* not all of it */
	take(called(6, 40, 0xe0, 51 * GWEI, 0, 200, 0)); /* the same call, elsewhere */
	take(hidden(called(7, 10, 0xe0, 51 * GWEI, 7, 200, 9)));
	assert_int_equal(n_found, 0);
	refuse = true;
	take(hidden(called(8, 40, 0xe0, 51 * GWEI, 7, 200, 9)));
	assert_int_equal(n_found, 0);
	/* what came first is not in what comes second */
	stop(NULL);
	start(NULL);
	take(called(F, 40, 0xe0, 51 * GWEI, 7, 200, 9));
	take(called(V, 10, 0xd0, 50 * GWEI, 0, 200, 0));
	assert_int_equal(n_found, 0);
	/* transfer(address,uint256), and arguments that say nothing */
	memcpy(input, "\xa9\x05\x9c\xbb", 4);
	take(called(10, 10, 0xd1, 50 * GWEI, 0, 68, 0));
	take(called(11, 40, 0xe0, 51 * GWEI, 7, 68, 9));
	memset(input, 0, sizeof input);
	memcpy(input, "claim", 5);
	input[67] = 9;
	take(called(12, 10, 0xd1, 50 * GWEI, 0, 68, 0));
	take(called(13, 40, 0xe0, 51 * GWEI, 7, 68, 9));
	assert_int_equal(n_found, 0);
}

/* ---- fates ---- */

static void
lost(void (*how)(struct sandwich *, const uint8_t[32], uint64_t), unsigned id)
{
	uint8_t h[32];
	fill_hash(h, id);
	how(s, h, clock_ns += MS);
}

static void
whole(void)
{
	take(victim(V));
	bundled(leg(F, 0xb0, 0), 1, 0, 3);
	by_hash(V, 1, 1, 3);
	bundled(leg(B, 0xb0, 0), 1, 2, 3);
	assert_found(SANDWICH_BUNDLE, F, V, B);
	n_found = 0;
}

static void
legs_go(void **state)
{
	(void)state;
	whole();
	lost(sandwich_replaced, B);
	assert_int_equal(n_found, 1);
	assert_found(SANDWICH_PARTIAL, F, V, 0);
	assert_true(found[0].update && (found[0].reasons & REASON(PARTIAL)));
	lost(sandwich_dropped, F);
	assert_int_equal(n_found, 2);
	assert_int_equal(found[1].ending, SANDWICH_DROPPED);
	assert_int_equal(n[SANDWICH_N_ENDED], 1);
	lost(sandwich_dropped, F); /* once */
	lost(sandwich_dropped, V);
	assert_int_equal(n_found, 2);
	stop(NULL);
	start(NULL);
	whole();
	lost(sandwich_replaced, V);
	assert_int_equal(found[0].ending, SANDWICH_REPLACED);
	/* what is gone is no leg and no victim any more */
	bundled(victim(11), 2, 1, 3);
	take(victim(V));
	assert_int_equal(n_found, 1);
}

static void
inclusion_decides(void **state)
{
	(void)state;
	static const struct {
		uint64_t block[3];
		uint32_t index[3]; /* of front, victim, back */
		uint8_t ending;
	} rows[] = {{{9, 9, 9}, {4, 5, 6}, SANDWICH_HELD}, {{9, 9, 9}, {4, 9, 22}, SANDWICH_HELD},
		{{9, 9, 9}, {5, 4, 6}, SANDWICH_BROKEN}, {{9, 9, 9}, {4, 6, 5}, SANDWICH_BROKEN},
		{{9, 10, 10}, {4, 5, 6}, SANDWICH_BROKEN}, {{9, 9, 10}, {4, 5, 6}, SANDWICH_BROKEN}};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned first = 0; first < 3; first++) {
			stop(NULL);
			start(NULL);
			whole();
			for (unsigned k = 0; k < 3; k++) {
				unsigned which = (first + k) % 3;
				included((const unsigned[]){F, V, B}[which], rows[i].block[which],
					rows[i].index[which]);
			}
			assert_int_equal(n_found, 1);
			assert_int_equal(found[0].ending, rows[i].ending);
			assert_true(found[0].update);
		}
	/* included after it was given up: it decides */
	stop(NULL);
	start(NULL);
	whole();
	lost(sandwich_replaced, B);
	n_found = 0;
	included(V, 9, 4);
	included(F, 9, 5);
	assert_int_equal(n_found, 1);
	assert_int_equal(found[0].ending, SANDWICH_BROKEN);
}

static void
replacement_games(void **state)
{
	(void)state;
	/* the front starts below its victim and is raised above it */
	take(victim(V));
	take(nonce(swaps(tx(F, 20, 0x70, 40 * GWEI), 1, true, 7000000000, 123456789012345), 4));
	take(nonce(swaps(tx(B, 20, 0x70, 50 * GWEI), 1, false, 123456789012345, 1), 5));
	assert_int_equal(n_found, 0);
	take(nonce(swaps(tx(4, 20, 0x70, 50 * GWEI + 9), 1, true, 7000000000, 123456789012345), 4));
	assert_found(SANDWICH_PUBLIC, 4, V, B);
	/* and again: the incident goes with it */
	take(nonce(swaps(tx(5, 20, 0x70, 50 * GWEI + 99), 1, true, 7000000000, 123456789012345), 4));
	assert_found(SANDWICH_PUBLIC, 5, V, B);
	assert_true(found[1].incident == found[0].incident && found[1].update);
	assert_int_equal(n_found, 2);
	/* another victim: told of the newest front alone */
	take(swaps(tx(9, 12, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	assert_found(SANDWICH_PUBLIC, 5, 9, B);
	assert_int_equal(n_found, 3);
	lost(sandwich_dropped, 9);
	n_found = 0;
	lost(sandwich_replaced, 4);
	assert_int_equal(n_found, 0); /* not its front any more */
	/* the victim raises its fee out of reach: two of it, and the included one decides */
	take(nonce(swaps(tx(6, 10, 0x70, 60 * GWEI), 1, true, 5000000000, 90000000), 0));
	lost(sandwich_replaced, V);
	assert_int_equal(n_found, 1);
	assert_int_equal(found[0].ending, SANDWICH_REPLACED);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {TEST(bundle_order), TEST(bundle_through_a_router),
		TEST(bundle_names_its_victim), TEST(bundle_of_many), TEST(bundle_without_back),
		TEST(bundle_around_the_unknown), TEST(displacement), TEST(no_displacement), TEST(legs_go),
		TEST(inclusion_decides), TEST(replacement_games)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
