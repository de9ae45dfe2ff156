/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory pages between the main lcore and the correlator: the newest one counts, and none is given back that
 * may be read. */
#include "io/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct correlator c;
static struct recall r;

static int
setup(void **state)
{
	memset(&c, 0, sizeof c);
	r = (struct recall){.correlator = &c};
	return 0;
}

static const struct memory_page *
page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static bool
mapped(const struct memory_page *p)
{
	unsigned char there;
	return mincore((void *)(uintptr_t)p, 4096, &there) == 0;
}

static void
take(void)
{
	atomic_store(&c.memory_taken, atomic_load(&c.memory));
}

static void
one_after_the_other(void **state)
{
	const struct memory_page *a = page(), *b = page(), *d = page();
	recall_page(&r, a, 4096);
	assert_ptr_equal(atomic_load(&c.memory), a);
	recall_page(&r, b, 4096); /* the correlator may be reading the first */
	recall_turn(&r);
	assert_true(mapped(a) && mapped(b));
	take();
	recall_turn(&r);
	assert_false(mapped(a));
	assert_true(mapped(b));
	recall_page(&r, d, 4096);
	take();
	recall_close(&r);
	assert_false(mapped(b) || mapped(d));
}

static void
nobody_takes_them(void **state)
{
	const struct memory_page *p[RECALL_OLD_MAX + 4];
	for (unsigned i = 0; i < RECALL_OLD_MAX + 4; i++)
		recall_page(&r, p[i] = page(), 4096);
	assert_int_equal(r.n_old, RECALL_OLD_MAX);
	for (unsigned i = 0; i < RECALL_OLD_MAX + 4; i++)
		assert_int_equal(mapped(p[i]), i <= RECALL_OLD_MAX);
	take();
	const struct memory_page *last = page();
	recall_page(&r, last, 4096);
	assert_ptr_equal(atomic_load(&c.memory), last);
	assert_int_equal(r.n_old, 1);
	recall_close(&r);
	for (unsigned i = 0; i < RECALL_OLD_MAX + 4; i++)
		assert_false(mapped(p[i]));
	assert_false(mapped(last));
}

static void
none_at_all(void **state)
{
	recall_turn(&r);
	recall_close(&r);
	assert_int_equal(r.n_old, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_after_the_other, setup),
		cmocka_unit_test_setup(nobody_takes_them, setup),
		cmocka_unit_test_setup(none_at_all, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
