/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/answer_rig.h"

static void
nothing(void **state)
{
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
