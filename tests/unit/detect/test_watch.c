/* SPDX-License-Identifier: BSD-3-Clause */
/* The armed contracts: what makes room for what, and what stays. */
#include "detect/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N 64u

static struct watch *w;
static uint64_t counts[WATCH_N_COUNT];

static int
setup(void **state)
{
	struct watch_config c = {.n_pending = N, .n_kept = N, .key = {1, 2, 3}, .counts = counts};
	memset(counts, 0, sizeof counts);
	void *mem = aligned_alloc(64, (watch_bytes(&c) + 63) & ~(size_t)63);
	assert_non_null(mem);
	w = watch_init(mem, &c);
	return 0;
}

static int
teardown(void **state)
{
	free(w);
	return 0;
}

static struct watch_entry
entry(uint32_t i, uint32_t flags, uint64_t since_ns)
{
	struct watch_entry e = {.chain_id = 1, .since_ns = since_ns, .flags = flags};
	memcpy(e.address, &i, 4);
	e.address[19] = 1;
	memset(e.deploy_hash, 1, 32);
	memcpy(e.deploy_hash, &i, 4);
	return e;
}

static const struct watch_entry *
arm(uint32_t i, uint32_t flags, uint64_t now_ns)
{
	struct watch_entry e = entry(i, flags, now_ns);
	return watch_arm(w, &e, now_ns);
}

static const struct watch_entry *
find(uint32_t i)
{
	struct watch_entry e = entry(i, 0, 0);
	return watch_find(w, e.address, 1);
}

static void
forget(uint32_t i, uint8_t deployment)
{
	struct watch_entry e = entry(i, 0, 0);
	e.deploy_hash[31] = deployment;
	watch_forget(w, e.address, 1, e.deploy_hash);
}

static void
ranges(void **state)
{
	struct watch_config c = {.n_pending = 16, .n_kept = 1u << 20, .counts = counts};
	assert_true(watch_bytes(&c) > 0);
	c.n_pending = 8;
	assert_int_equal(watch_bytes(&c), 0);
	c.n_pending = 48;
	assert_int_equal(watch_bytes(&c), 0);
	c.n_pending = 1u << 21;
	assert_int_equal(watch_bytes(&c), 0);
}

static void
pending_never_evicts_included(void **state)
{
	for (uint32_t i = 0; i < N / 4; i++)
		arm(i, WATCH_INCLUDED, 1 + i);
	uint32_t kept = watch_population(w, true);
	for (uint32_t i = 0; i < 100000; i++)
		arm(1000 + i, 0, 1000 + i);
	assert_int_equal(watch_population(w, true), kept);
	for (uint32_t i = 0; i < N / 4; i++)
		assert_true(find(i) != NULL || counts[WATCH_N_EVICTED_KEPT] > 0);
	assert_int_equal(counts[WATCH_N_EVICTED_KEPT], N / 4 - kept);
	assert_int_equal(watch_population(w, false), N);
	assert_int_equal(counts[WATCH_N_EVICTED_PENDING], 100000 - N);
}

/* What a node accepted makes room after what none did. */
static void
accepted_outlast(void **state)
{
	for (uint32_t i = 0; i < 8; i++) {
		struct watch_entry e = entry(i, 0, 1 + i);
		arm(i, 0, 1 + i);
		watch_accepted(w, e.address, 1);
	}
	for (uint32_t i = 0; i < 10000; i++)
		arm(1000 + i, 0, 1000 + i);
	for (uint32_t i = 0; i < 8; i++)
		assert_non_null(find(i));
}

static void
operators_stay(void **state)
{
	uint32_t placed = 0;
	for (uint32_t i = 0; i < 2 * N; i++) {
		struct watch_entry e = entry(i, WATCH_OPERATOR, 0);
		placed += watch_arm(w, &e, 1) != NULL;
	}
	assert_int_equal(placed, N);
	assert_int_equal(counts[WATCH_N_REFUSED], N);
	for (uint32_t i = 0; i < 1000; i++)
		assert_null(arm(10000 + i, WATCH_INCLUDED, 100 + i)); /* no place but theirs */
	/* a pending one that came to be finds none: it stays where it is, and is not lost */
	struct watch_entry e = entry(77777, 0, 5);
	arm(77777, 0, 5);
	watch_included(w, e.address, 1, 6);
	assert_true(find(77777)->flags & WATCH_INCLUDED);
	watch_age(w, WATCH_KEPT_TTL_NS * 10, 10 * N);
	assert_int_equal(watch_population(w, true), N);
	watch_unwatch_all(w);
	assert_int_equal(watch_population(w, true), 0);
}

static void
unwatch_leaves_what_is_armed(void **state)
{
	struct watch_entry e = entry(1, WATCH_OPERATOR, 0);
	memset(e.deploy_hash, 0, 32);
	watch_arm(w, &e, 1);
	arm(1, 0, 50); /* its deployment is seen */
	assert_int_equal(find(1)->since_ns, 50);
	watch_unwatch_all(w);
	assert_non_null(find(1));
	assert_int_equal(find(1)->flags, 0);
	assert_int_equal(watch_population(w, true), 0);
	assert_int_equal(watch_population(w, false), 1);
	/* watched, and its deployment is dropped: theirs alone again */
	watch_arm(w, &e, 60);
	assert_int_equal(watch_population(w, true), 1);
	forget(1, 1);
	assert_int_equal(find(1)->since_ns, 0);
	watch_unwatch(w, e.address, 1);
	assert_null(find(1));
	assert_int_equal(watch_population(w, true) + watch_population(w, false), 0);
}

static void
lives_of_a_deployment(void **state)
{
	struct watch_entry e = entry(1, 0, 10);
	arm(1, 0, 10);
	watch_included(w, e.address, 1, 20);
	watch_included(w, e.address, 1, 20);
	assert_int_equal(counts[WATCH_N_INCLUDED], 1);
	forget(1, 1); /* included: stays */
	assert_non_null(find(1));
	watch_excluded(w, e.address, 1, 30);
	watch_excluded(w, e.address, 1, 30);
	assert_int_equal(watch_population(w, false), 1);
	forget(1, 2); /* another's, that is unknown here */
	assert_non_null(find(1));
	forget(1, 1);
	assert_null(find(1));
	assert_int_equal(counts[WATCH_N_FORGOTTEN], 1);
}

/* Several deployments with one sender and nonce: as long as one of them may come, the address is armed. */
static void
rivals(void **state)
{
	for (unsigned order = 0; order < 4; order++) {
		for (uint8_t d = 1; d <= 2; d++) {
			struct watch_entry e = entry(5, 0, 10 * d);
			e.deploy_hash[31] = d;
			watch_arm(w, &e, 10 * d);
			watch_arm(w, &e, 10 * d);
		}
		assert_int_equal(find(5)->since_ns, 10);
		forget(5, order & 1 ? 1 : 2);
		assert_non_null(find(5));
		forget(5, order & 1 ? 1 : 2); /* twice is once */
		assert_non_null(find(5));
		forget(5, order & 1 ? 2 : 1);
		assert_null(find(5));
	}
}

static void
chains(void **state)
{
	struct watch_entry e = entry(9, 0, 10);
	watch_arm(w, &e, 10);
	assert_non_null(watch_find(w, e.address, 1));
	assert_null(watch_find(w, e.address, 2));
	assert_non_null(watch_find(w, e.address, 0)); /* a transaction without a chain is good on each */
	e = entry(10, WATCH_OPERATOR, 0);
	e.chain_id = 0;
	watch_arm(w, &e, 10);
	assert_non_null(watch_find(w, e.address, 5));
	e = entry(9, 0, 10);
	e.chain_id = 2;
	watch_arm(w, &e, 10);
	assert_int_equal(watch_find(w, e.address, 2)->chain_id, 2);
	assert_int_equal(watch_find(w, e.address, 1)->chain_id, 1);
}

static void
merges(void **state)
{
	struct watch_entry e = entry(3, 0, 100);
	e.score = 400;
	e.reasons = 1;
	e.n_protected = 99; /* cut */
	arm(3, 0, 100);
	watch_arm(w, &e, 100);
	assert_int_equal(find(3)->n_protected, 1); /* four times the zero address is one */
	e.since_ns = 50;
	e.score = 300;
	e.learned = 7;
	e.reasons = 2;
	e.flags = WATCH_FLASH;
	for (uint8_t i = 0; i < WATCH_PROTECTED_MAX; i++)
		e.protected_[i][0] = (uint8_t)(i + 1);
	watch_arm(w, &e, 120);
	const struct watch_entry *m = find(3);
	assert_int_equal(m->since_ns, 50);
	assert_int_equal(m->score, 400);
	assert_int_equal(m->learned, 7);
	assert_int_equal(m->reasons, 3);
	assert_int_equal(m->flags, WATCH_FLASH);
	assert_int_equal(m->n_protected, WATCH_PROTECTED_MAX);
	assert_int_equal(m->last_ns, 120);
}

static void
ages(void **state)
{
	arm(1, 0, 10);
	arm(2, WATCH_INCLUDED, 10);
	arm(3, WATCH_OPERATOR, 10);
	watch_age(w, WATCH_PENDING_TTL_NS + 9, 2 * N);
	assert_non_null(find(1));
	watch_age(w, WATCH_PENDING_TTL_NS + 10, 2 * N);
	assert_null(find(1));
	watch_age(w, 0, 2 * N); /* time goes back */
	struct watch_entry e = entry(2, 0, 0);
	watch_used(w, e.address, 1, 1000);
	watch_age(w, WATCH_KEPT_TTL_NS + 10, 2 * N);
	assert_non_null(find(2));
	watch_age(w, WATCH_KEPT_TTL_NS + 1000, 2 * N);
	assert_null(find(2));
	assert_non_null(find(3));
	assert_int_equal(counts[WATCH_N_AGED], 2);
}

/* Any sequence: populations are what is found, and nothing is lost that is not counted. */
static void
accounts(void **state)
{
	uint64_t x = 42;
	for (unsigned step = 0; step < 200000; step++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		uint32_t i = (uint32_t)(x >> 33) % 200;
		struct watch_entry e = entry(i, x >> 60 == 0 ? WATCH_OPERATOR : 0, step);
		e.deploy_hash[31] = (uint8_t)(x >> 50 & 3);
		switch (x >> 56 & 7) {
		case 0:
			watch_included(w, e.address, 1, step);
			break;
		case 1:
			watch_excluded(w, e.address, 1, step);
			break;
		case 2:
			watch_forget(w, e.address, 1, e.deploy_hash);
			break;
		case 3:
			watch_accepted(w, e.address, 1);
			break;
		case 4:
			if (x >> 20 & 63)
				watch_unwatch(w, e.address, 1);
			else
				watch_unwatch_all(w);
			break;
		default:
			watch_arm(w, &e, step);
			break;
		}
		if (step % 1000 != 0)
			continue;
		uint32_t found = 0;
		for (uint32_t k = 0; k < 200; k++)
			found += find(k) != NULL;
		assert_int_equal(found, watch_population(w, true) + watch_population(w, false));
		assert_true(watch_population(w, true) <= N && watch_population(w, false) <= N);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(pending_never_evicts_included, setup, teardown),
		cmocka_unit_test_setup_teardown(accepted_outlast, setup, teardown),
		cmocka_unit_test_setup_teardown(operators_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(unwatch_leaves_what_is_armed, setup, teardown),
		cmocka_unit_test_setup_teardown(lives_of_a_deployment, setup, teardown),
		cmocka_unit_test_setup_teardown(rivals, setup, teardown),
		cmocka_unit_test_setup_teardown(chains, setup, teardown),
		cmocka_unit_test_setup_teardown(merges, setup, teardown),
		cmocka_unit_test_setup_teardown(ages, setup, teardown),
		cmocka_unit_test_setup_teardown(accounts, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
