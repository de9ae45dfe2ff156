/* SPDX-License-Identifier: BSD-3-Clause */
/* The transactions that alerts speak of: found by hash and by fingerprint, and what makes room for what. */
#include "worker/suspects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N 64u

static struct suspects s;
static void *mem;

static int
setup(void **state)
{
	mem = aligned_alloc(64, (suspects_bytes(N) + 63) & ~(size_t)63);
	assert_non_null(mem);
	suspects_init(&s, mem, N);
	return 0;
}

static int
teardown(void **state)
{
	free(mem);
	return 0;
}

/* Spread as keccak's are. */
static void
hash_of(uint64_t i, uint8_t out[32])
{
	for (unsigned k = 0; k < 4; k++) {
		i = (i + k) * 0x9e3779b97f4a7c15u;
		i ^= i >> 29;
		memcpy(out + 8 * k, &i, 8);
	}
}

static struct suspect *
add(uint64_t i, uint64_t t_ns)
{
	uint8_t h[32];
	hash_of(i, h);
	return suspects_add(&s, h, (i + 1) * 0xbf58476d1ce4e5b9u, t_ns);
}

static void
found_both_ways(void **state)
{
	uint8_t h[32];
	hash_of(7, h);
	assert_null(suspects_find(&s, h));
	assert_null(suspects_of_fingerprint(&s, 0));
	struct suspect *t = add(7, 5);
	assert_ptr_equal(suspects_find(&s, h), t);
	assert_ptr_equal(suspects_of_fingerprint(&s, t->fingerprint), t);
	assert_ptr_equal(add(7, 9), t);
	assert_int_equal(t->t_ns, 5);
	assert_ptr_equal(suspects_add(&s, h, 0, 1), t);
	assert_int_not_equal(t->fingerprint, 0);
	hash_of(8, h);
	struct suspect *u = suspects_add(&s, h, 0, 1);
	assert_null(suspects_of_fingerprint(&s, 0));
	assert_int_equal(u->fingerprint, 0);
}

/* A flood of what nobody accepted neither takes the place of what somebody did, nor makes its fingerprint
 * unknown. */
static void
accepted_stay(void **state)
{
	for (unsigned i = 0; i < 8; i++)
		add(i, i)->accepted = true;
	for (unsigned i = 0; i < 100000; i++)
		add(1000 + i, 100 + i);
	unsigned there = 0, known = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t h[32];
		hash_of(i, h);
		const struct suspect *t = suspects_find(&s, h);
		there += t != NULL;
		known += t != NULL && suspects_of_fingerprint(&s, t->fingerprint) == t;
	}
	assert_int_equal(there, 8);
	assert_int_equal(known, 8);
	assert_true(s.evicted > 99000);
	/* ended ones do make room */
	for (unsigned i = 0; i < 8; i++)
		add(i, i)->ended = true;
	for (unsigned i = 0; i < 1000; i++)
		add(500000 + i, 200000 + i);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t h[32];
		hash_of(i, h);
		assert_null(suspects_find(&s, h));
	}
}

/* Whoever is found by a fingerprint has it, whatever came and went. */
static void
fingerprints_are_of_whom_they_say(void **state)
{
	uint64_t x = 1;
	for (unsigned i = 0; i < 200000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		uint64_t id = x >> 56, fp = (id + 1) * 0xbf58476d1ce4e5b9u;
		struct suspect *t = add(id, i);
		t->accepted = x >> 20 & 1;
		assert_int_equal(t->fingerprint, fp);
		const struct suspect *by = suspects_of_fingerprint(&s, fp);
		assert_ptr_equal(by, t);
		by = suspects_of_fingerprint(&s, ((x >> 40 & 255) + 1) * 0xbf58476d1ce4e5b9u);
		assert_true(by == NULL || by->fingerprint == ((x >> 40 & 255) + 1) * 0xbf58476d1ce4e5b9u);
	}
}

static void
parts_and_creations(void **state)
{
	struct suspect *t = add(1, 1);
	uint8_t key[SUSPECT_INCIDENTS + 1][8], address[SUSPECT_CREATED_MAX + 1][20];
	for (unsigned i = 0; i <= SUSPECT_INCIDENTS; i++) {
		memset(key[i], (int)i, 8);
		assert_int_equal(suspect_joins(t, i, key[i], 10 + i), i < SUSPECT_INCIDENTS);
		assert_false(suspect_joins(t, i, key[i], 99));
	}
	assert_int_equal(t->n_incidents, SUSPECT_INCIDENTS);
	assert_int_equal(t->incident[2].rule_index, 12);
	for (unsigned i = 0; i <= SUSPECT_CREATED_MAX; i++) {
		memset(address[i], (int)i, 20);
		suspect_creates(t, address[i]);
		suspect_creates(t, address[i / 2]);
	}
	assert_int_equal(t->n_created, SUSPECT_CREATED_MAX);
	for (unsigned i = 0; i < SUSPECT_CREATED_MAX; i++)
		assert_memory_equal(t->created[i], address[i], 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(accepted_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(fingerprints_are_of_whom_they_say, setup, teardown),
		cmocka_unit_test_setup_teardown(parts_and_creations, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
