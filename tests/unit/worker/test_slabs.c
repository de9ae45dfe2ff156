/* SPDX-License-Identifier: BSD-3-Clause */
/* Slabs: classes, stealing from whoever waited longest, putting back. */
#include "worker/slabs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SMALL 4096u
#define MIDDLE (256u << 10)
#define LARGE 2621440u

static struct slabs s;
static void *mem;
static size_t mem_bytes;

/* In memory of exactly the size asked for, so that a layout that needs more is seen. */
static void
make(uint32_t small, uint32_t middle, uint32_t large)
{
	const uint32_t n[SLAB_CLASSES] = {small, middle, large};
	free(mem);
	mem_bytes = slabs_bytes(n);
	assert_int_equal(posix_memalign(&mem, 64, mem_bytes), 0);
	slabs_init(&s, mem, n);
}

static int
teardown(void **state)
{
	free(mem);
	mem = NULL;
	return 0;
}

static void
classes(void **state)
{
	static const struct {
		uint32_t bytes, cap;
	} cases[] = {{0, SMALL}, {1, SMALL}, {SMALL, SMALL}, {SMALL + 1, MIDDLE}, {MIDDLE, MIDDLE},
		{MIDDLE + 1, LARGE}, {LARGE, LARGE}};
	make(3, 3, 3);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t cap = 0;
		uint8_t *holder = slabs_get(&s, cases[i].bytes, &cap, &holder);
		assert_non_null(holder);
		assert_int_equal(cap, cases[i].cap);
		assert_int_equal((uintptr_t)holder % 64, 0);
		assert_true(holder >= (uint8_t *)mem && holder + cap <= (uint8_t *)mem + mem_bytes);
		memset(holder, 0xee, cap);
		slabs_put(&s, holder);
	}
	uint32_t cap;
	uint8_t *holder;
	assert_null(slabs_get(&s, LARGE + 1, &cap, &holder));
	assert_null(slabs_get(&s, UINT32_MAX, &cap, &holder));
	assert_int_equal(s.stolen, 0);
}

static void
empty_classes_are_passed_over(void **state)
{
	uint32_t cap;
	uint8_t *holder;
	make(0, 1, 0);
	holder = slabs_get(&s, 10, &cap, &holder);
	assert_non_null(holder);
	assert_int_equal(cap, MIDDLE);
	assert_null(slabs_get(&s, MIDDLE + 1, &cap, &holder));
	make(0, 0, 0);
	assert_null(slabs_get(&s, 1, &cap, &holder));
}

static void
slabs_do_not_overlap(void **state)
{
	enum { N = 7 };
	uint8_t *holder[3 * N];
	uint32_t cap[3 * N];
	make(N, N, N);
	for (unsigned i = 0; i < 3 * N; i++) {
		holder[i] = slabs_get(&s, i % 3 == 0 ? 1 : i % 3 == 1 ? MIDDLE : LARGE, &cap[i], &holder[i]);
		memset(holder[i], (int)i, cap[i]);
	}
	for (unsigned i = 0; i < 3 * N; i++) {
		for (uint32_t k = 0; k < cap[i]; k += 61)
			assert_int_equal(holder[i][k], i);
		assert_int_equal(holder[i][cap[i] - 1], i);
	}
	assert_int_equal(s.stolen, 0);
}

static void
the_oldest_is_stolen(void **state)
{
	uint8_t *holder[6];
	uint32_t cap;
	make(3, 1, 0);
	for (unsigned i = 0; i < 3; i++)
		holder[i] = slabs_get(&s, 1, &cap, &holder[i]);
	uint8_t *first = holder[0], *second = holder[1];
	holder[3] = slabs_get(&s, 1, &cap, &holder[3]);
	assert_null(holder[0]);
	assert_ptr_equal(holder[3], first);
	assert_int_equal(s.stolen, 1);
	/* Who lost it gives nothing back; who gave back is not stolen from. */
	slabs_put(&s, holder[0]);
	slabs_put(&s, holder[1]);
	holder[4] = slabs_get(&s, 1, &cap, &holder[4]);
	assert_ptr_equal(holder[4], second);
	assert_ptr_equal(holder[1], second); /* the holder is the owner's to clear */
	assert_int_equal(s.stolen, 1);
	holder[5] = slabs_get(&s, 1, &cap, &holder[5]);
	assert_null(holder[2]); /* the third was the oldest left */
	assert_int_equal(s.stolen, 2);
	/* A class that is used up steals from itself, not from the next. */
	assert_int_equal(cap, SMALL);
}

static void
putting_twice_does_nothing(void **state)
{
	uint8_t *a, *b, *c, outside[10];
	uint32_t cap;
	make(2, 0, 0);
	a = slabs_get(&s, 1, &cap, &a);
	slabs_put(&s, a);
	slabs_put(&s, a);
	slabs_put(&s, NULL);
	slabs_put(&s, outside);
	slabs_put(&s, (uint8_t *)mem + mem_bytes);
	b = slabs_get(&s, 1, &cap, &b);
	c = slabs_get(&s, 1, &cap, &c);
	assert_ptr_equal(a, b); /* last in, first out: its lines are warm */
	assert_true(b != c);
	assert_int_equal(s.stolen, 0);
}

/* Random owners against an array of who holds what. */
static void
against_a_model(void **state)
{
	enum { OWNERS = 40, N = 16 };
	uint8_t *holder[OWNERS] = {0};
	uint64_t since[OWNERS] = {0}, now = 0, x = 1, stolen = 0;
	unsigned held = 0;
	uint32_t cap;
	make(N, 0, 0);
	for (unsigned i = 0; i < 50000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		unsigned o = (unsigned)(x >> 33) % OWNERS;
		if (holder[o] != NULL) {
			if (x >> 60 < 8) {
				assert_int_equal(holder[o][0], o);
				slabs_put(&s, holder[o]);
				holder[o] = NULL;
				held--;
			}
			continue;
		}
		unsigned oldest = OWNERS;
		for (unsigned k = 0; held == N && k < OWNERS; k++)
			if (holder[k] != NULL && (oldest == OWNERS || since[k] < since[oldest]))
				oldest = k;
		holder[o] = slabs_get(&s, 1, &cap, &holder[o]);
		holder[o][0] = (uint8_t)o;
		since[o] = ++now;
		if (oldest < OWNERS) {
			assert_null(holder[oldest]);
			stolen++;
		} else {
			held++;
		}
		assert_int_equal(s.stolen, stolen);
	}
	assert_true(stolen > 1000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(classes),
		T(empty_classes_are_passed_over),
		T(slabs_do_not_overlap),
		T(the_oldest_is_stolen),
		T(putting_twice_does_nothing),
		T(against_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
