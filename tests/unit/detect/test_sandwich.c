/* SPDX-License-Identifier: BSD-3-Clause */
/* Every form of sandwich and displacement, in every order of arrival, and what looks like one and is none. */
#include "sandwich_rig.h"

#define V 1
#define F 2
#define B 3
#define ODD 123456789012345ull /* an amount: bytes that say something */

static struct made *
victim(void)
{
	return swaps(tx(V, 10, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000);
}

/* Legs of an account through a router: the front hangs on the victim by a hair, or both are tight and amounts
 * match. */
static struct made *
front(bool hair)
{
	return nonce(swaps(tx(F, 20, 0x70, 50 * GWEI + (hair ? 85 : 9000000)), 1, true, 7000000000, ODD), 4);
}

static struct made *
back(void)
{
	return nonce(swaps(tx(B, 20, 0x70, 50 * GWEI), 1, false, ODD, 1), 5);
}

/* Legs of a bot: pool at an offset, and the front's amount in the back's calldata. */
static struct made *
bot(unsigned id, uint8_t from, uint8_t selector, uint64_t price, uint32_t pad)
{
	uint8_t word[32], amount[9] = {0x01, 0xbe, 0x5e, 0x13, 0x77, 0x92, 0xc4, 0x08, 0xd1};
	struct made *m = tx(id, from, 0xb0, price);
	m->data[1] = selector;
	memset(word, 0, sizeof word);
	pads(m, pad + selector);
	names_pool(m, 1);
	holds(m, word, 16);
	holds(m, amount, 9);
	return m;
}

static const uint8_t orders[6][3] = {{V, F, B}, {V, B, F}, {F, V, B}, {F, B, V}, {B, V, F}, {B, F, V}};

static void
public_through_a_router(void **state)
{
	(void)state;
	for (unsigned hair = 0; hair < 2; hair++)
		for (unsigned hide = 0; hide < 2; hide++)
			for (unsigned o = 0; o < 6; o++) {
				stop(NULL);
				start(NULL);
				for (unsigned i = 0; i < 3; i++) {
					struct made *m = orders[o][i] == V   ? victim()
							 : orders[o][i] == F ? front(hair)
									     : back();
					take(hide ? hidden(m) : m);
				}
				assert_int_equal(n_found, 1);
				assert_found(SANDWICH_PUBLIC, F, V, B);
				assert_int_equal(found[0].n_victims, 1);
				assert_int_equal(found[0].reasons, REASON(FEE_ORDER));
				assert_int_equal(found[0].attacker[0], 20);
				assert_false(found[0].attacker_is_contract || found[0].key_is_token);
				assert_true(found[0].has_pool);
				assert_int_equal(n_asked, hide ? 2 : 0);
				assert_int_equal(n[SANDWICH_N_FOUND], 1);
			}
}

static void
senders_decide(void **state)
{
	(void)state;
	/* another sender sells */
	take(victim());
	take(front(true));
	take(swaps(tx(B, 21, 0x70, 50 * GWEI), 1, false, ODD, 1));
	assert_int_equal(n_found, 0);
	stop(NULL);
	start(NULL);
	take(victim());
	take(hidden(front(true)));
	take(hidden(swaps(tx(B, 21, 0x70, 50 * GWEI), 1, false, ODD, 1)));
	assert_int_equal(n_asked, 2);
	assert_int_equal(n_found, 0);
	stop(NULL);
	/* senders that are not to be had */
	start(NULL);
	refuse = true;
	take(victim());
	take(hidden(front(true)));
	take(hidden(back()));
	assert_int_equal(n_found, 0);
	assert_int_equal(n[SANDWICH_N_SENDERS_UNKNOWN], n_asked);
	stop(NULL);
	/* the victim is the sender's own */
	start(NULL);
	take(swaps(tx(V, 20, 0x70, 50 * GWEI), 1, true, 5000000000, 90000000));
	take(front(true));
	take(back());
	assert_int_equal(n_found, 0);
}

static void
ways_decide(void **state)
{
	(void)state;
	/* the victim goes the other way; then the back goes the front's */
	take(swaps(tx(V, 10, 0x70, 50 * GWEI), 1, false, 5000000000, 90000000));
	take(front(true));
	take(back());
	take(nonce(swaps(tx(4, 20, 0x70, 40 * GWEI), 1, true, ODD, 1), 6));
	assert_int_equal(n_found, 0);
	/* another pool */
	take(nonce(swaps(tx(5, 20, 0x70, 50 * GWEI), 2, false, ODD, 1), 6));
	assert_int_equal(n_found, 0);
}

static void
fees_decide(void **state)
{
	(void)state;
	static const struct {
		int64_t front, back;
		bool found;
	} rows[] = {{85, 0, true}, {85, -5, true}, {0, 0, false}, {85, 1, false}, {-1, -2, false},
		{2000, 0, true}, {2000000000, 0, false}, {9000000, -90000000, true}, {50000000, 0, false},
		{9000000, -900000000, false}};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		stop(NULL);
		start(NULL);
		take(victim());
		struct made *f = front(true), *b = back();
		be64(f->tip, (uint64_t)(50000000000 + rows[i].front));
		memcpy(f->cap, f->tip, 8);
		be64(b->tip, (uint64_t)(50000000000 + rows[i].back));
		memcpy(b->cap, b->tip, 8);
		take(f);
		take(b);
		assert_int_equal(n_found, rows[i].found);
	}
}

static struct made *
capped(struct made *m, uint64_t tip, uint64_t cap)
{
	m->t.type = TX_1559;
	be64(m->tip, tip);
	be64(m->cap, cap);
	return m;
}

static void
base_fee_decides(void **state)
{
	(void)state;
	/* tip and price do not compare until the base fee is known: 48 + 2 gwei and a hair against a price of
	 * 50 */
	for (unsigned known = 0; known < 2; known++) {
		stop(NULL);
		start(NULL);
		sandwich_base_fee(s, known ? 48 * GWEI : 0);
		take(victim());
		take(capped(front(true), 2 * GWEI + 85, 500 * GWEI));
		take(capped(back(), 2 * GWEI, 500 * GWEI));
		assert_int_equal(n_found, known);
	}
	/* a cap below the base fee: nobody knows when */
	stop(NULL);
	start(NULL);
	sandwich_base_fee(s, 51 * GWEI);
	take(victim());
	take(front(true));
	take(back());
	assert_int_equal(n_found, 0);
}

static void
nonces_decide(void **state)
{
	(void)state;
	take(victim());
	take(nonce(front(true), 5));
	take(nonce(back(), 4));
	assert_int_equal(n_found, 0);
	/* a replacement is not the other leg */
	take(nonce(swaps(tx(4, 20, 0x70, 49 * GWEI), 1, false, ODD, 1), 5));
	assert_int_equal(n_found, 0);
	take(nonce(swaps(tx(5, 20, 0x70, 49 * GWEI), 1, false, ODD, 1), 6));
	assert_found(SANDWICH_PUBLIC, F, V, 5);
}

static void
packed_at_any_alignment(void **state)
{
	(void)state;
	for (unsigned pad = 0; pad < 34; pad++)
		for (unsigned o = 0; o < 6; o++) {
			stop(NULL);
			start(NULL);
			for (unsigned i = 0; i < 3; i++)
				take(orders[o][i] == V	    ? victim()
					: orders[o][i] == F ? bot(F, 30, 1, 50 * GWEI + 40000000, pad)
							    : bot(B, 30, 2, 50 * GWEI, pad));
			assert_int_equal(n_found, 1);
			assert_found(SANDWICH_PUBLIC, F, V, B);
			assert_int_equal(found[0].reasons, REASON(FEE_ORDER) | REASON(PACKED));
			assert_true(found[0].attacker_is_contract);
			assert_int_equal(found[0].attacker[7], 0xb0);
			assert_true(found[0].evidence & SANDWICH_HAS(AMOUNT_ECHO));
		}
}

static void
packed_tokens_turn_round(void **state)
{
	(void)state;
	/* the token alone, in opposite order with WETH; WETH alone is no needle */
	uint8_t amount[32] = {[22] = 0x03, 0xd0, 0x65, 0xb6, 0xe6, 0xab, 0x4f, 0x94, 0xcc, 0x7d};
	for (unsigned token = 0; token < 2; token++) {
		stop(NULL);
		start(NULL);
		struct made *f = holds(tx(F, 30, 0xb0, 50 * GWEI + 80000000), amount, 32);
		struct made *b = holds(tx(B, 30, 0xb0, 50 * GWEI), amount, 32);
		b->data[1] = 9;
		holds(f, weth, 20);
		holds(names_token(b, token ? 1 : 3), weth, 20);
		names_token(f, token ? 1 : 3);
		take(victim());
		take(f);
		take(b);
		assert_int_equal(n_found, token);
	}
	assert_found(SANDWICH_PUBLIC, F, V, B);
	assert_true(found[0].key_is_token && found[0].has_pool);
	assert_true(found[0].evidence & SANDWICH_HAS(REVERSED));
	uint8_t pool[20];
	pool_address(pool, 1);
	assert_memory_equal(found[0].pool, pool, 20);
}

static void
packed_of_two_senders(void **state)
{
	(void)state;
	/* one contract, two accounts: it takes the amount */
	take(victim());
	take(bot(F, 30, 1, 50 * GWEI + 85, 3));
	take(bot(B, 31, 2, 50 * GWEI, 3));
	assert_found(SANDWICH_PUBLIC, F, V, B);
	stop(NULL);
	start(NULL);
	take(victim());
	take(names_pool(tx(F, 30, 0xb0, 50 * GWEI + 85), 1));
	n_found = 0;
	take(names_pool(tx(B, 31, 0xb0, 50 * GWEI), 1));
	assert_int_equal(n_found, 0);
}

static void
what_traders_do(void **state)
{
	(void)state;
	/* a maker: opposite ways, fees around somebody, nothing that matches */
	take(victim());
	take(nonce(swaps(tx(F, 20, 0x70, 55 * GWEI), 1, true, 7000000000, 80000000), 1));
	take(nonce(swaps(tx(B, 20, 0x70, 45 * GWEI), 1, false, 60000000, 1), 2));
	assert_int_equal(n_found, 0);
	/* buys and sells as much, three seconds on */
	take(front(false));
	clock_ns += 4 * SECOND;
	take(back());
	assert_int_equal(n_found, 0);
	/* two users of one aggregator of unknown form; a bot that follows twice */
	take(names_pool(tx(20, 40, 0xc0, 55 * GWEI), 1));
	take(names_pool(tx(21, 41, 0xc0, 45 * GWEI), 1));
	take(pads(names_pool(tx(22, 42, 0xc1, 50 * GWEI), 1), 20));
	take(pads(names_pool(tx(23, 42, 0xc1, 49 * GWEI), 1), 20));
	assert_int_equal(n_found, 0);
}

static void
several_victims(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++)
		take(swaps(
			tx(100 + i, (uint8_t)(60 + i), 0x70, 50 * GWEI - i), 1, true, 5000000000, 90000000));
	take(swaps(tx(200, 90, 0x70, 40 * GWEI), 1, true, 5000000000, 90000000)); /* behind the back */
	take(front(true));
	struct made *b = back();
	be64(b->tip, 50 * GWEI - 20);
	memcpy(b->cap, b->tip, 8);
	take(b);
	assert_found(SANDWICH_PUBLIC, F, 111, B);
	assert_int_equal(found[0].n_listed, 8);
	assert_int_equal(found[0].n_victims, 12);
	/* one more comes: told again, same incident */
	take(swaps(tx(300, 91, 0x70, 50 * GWEI - 3), 1, true, 5000000000, 90000000));
	assert_int_equal(n_found, 2);
	assert_true(found[1].update && found[1].incident == found[0].incident && found[1].n_victims == 13);
	assert_int_equal(n[SANDWICH_N_FOUND], 1);
}

static void
layers(void **state)
{
	(void)state;
	/* two attackers around one victim: two incidents */
	take(victim());
	take(bot(F, 30, 1, 50 * GWEI + 85, 0));
	n_found = 0;
	take(bot(B, 30, 2, 50 * GWEI, 0));
	assert_found(SANDWICH_PUBLIC, F, V, B);
	uint64_t first = found[0].incident;
	take(nonce(swaps(tx(6, 20, 0x70, 50 * GWEI + 170), 1, true, 7000000000, ODD), 4));
	take(nonce(swaps(tx(7, 20, 0x70, 50 * GWEI - 1), 1, false, ODD, 1), 5));
	assert_found(SANDWICH_PUBLIC, 6, V, 7);
	assert_int_not_equal(found[n_found - 1].incident, first);
}

static void
partial_is_upgraded(void **state)
{
	(void)state;
	take(victim());
	take(bot(F, 30, 1, 50 * GWEI + 2, 5));
	assert_int_equal(n_found, 1);
	assert_found(SANDWICH_PARTIAL, F, V, 0);
	assert_int_equal(found[0].reasons, REASON(FEE_ORDER) | REASON(PARTIAL) | REASON(PACKED));
	take(bot(B, 30, 2, 50 * GWEI, 5));
	assert_int_equal(n_found, 2);
	assert_found(SANDWICH_PUBLIC, F, V, B);
	assert_true(found[1].update && found[1].incident == found[0].incident);
	assert_int_equal(n[SANDWICH_N_FOUND], 1);
	assert_int_equal(n[SANDWICH_N_UPDATED], 1);
	/* bots that race each other through their own contracts */
	stop(NULL);
	start(NULL);
	struct made *racer = victim();
	racer->swaps[0].call = 1;
	take(racer);
	take(bot(F, 30, 1, 50 * GWEI + 2, 5));
	assert_int_equal(n_found, 0);
}

/* A leg behind as many decoys as are told of one transaction. */
static struct made *
behind_decoys(struct made *m, bool over)
{
	struct span data = m->t.data;
	swaps(m, 2, true, 5, 4);
	m->t.data = data;
	m->t.swaps_over = over;
	return m;
}

static void
decoys_do_not_hide_a_leg(void **state)
{
	for (unsigned over = 0; over < 2; over++) {
		stop(state);
		start(state);
		take(victim());
		take(behind_decoys(bot(F, 30, 1, 50 * GWEI + 85, 0), over));
		n_found = 0;
		take(behind_decoys(bot(B, 30, 2, 50 * GWEI, 0), over));
		assert_int_equal(n_found, over);
		if (over)
			assert_found(SANDWICH_PUBLIC, F, V, B);
	}
}

static void
forgets_in_time(void **state)
{
	(void)state;
	take(victim());
	clock_ns += SANDWICH_WINDOW_NS_DEFAULT + SECOND;
	take(front(true));
	take(back());
	assert_int_equal(n_found, 0);
	assert_int_equal(n[SANDWICH_N_EXPIRED], 1);
	assert_int_equal(sandwich_in_flight(s), 2);
	assert_int_equal(sandwich_age(s, clock_ns + 2 * SANDWICH_WINDOW_NS_DEFAULT, 100), 2);
	assert_int_equal(sandwich_in_flight(s), 0);
	assert_int_equal(sandwich_age(s, 0, 100), 0); /* time that goes back */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {TEST(public_through_a_router), TEST(senders_decide),
		TEST(ways_decide), TEST(fees_decide), TEST(base_fee_decides), TEST(nonces_decide),
		TEST(packed_at_any_alignment), TEST(packed_tokens_turn_round), TEST(packed_of_two_senders),
		TEST(what_traders_do), TEST(several_victims), TEST(layers), TEST(partial_is_upgraded),
		TEST(decoys_do_not_hide_a_leg), TEST(forgets_in_time)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
