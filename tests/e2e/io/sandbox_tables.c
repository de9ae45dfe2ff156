/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox_tables NAME: the lines of a table, a call and how often it is needed, for the test that compares them with what is done. */
#include "control/sandbox.h"
#include "io/sandbox.h"

#include <string.h>

int
main(int argc, char **argv)
{
	static const char *const need[] = {[CONFINE_USUAL] = "usual", [CONFINE_SOME] = "some", [CONFINE_RARE] = "rare"};
	const struct confine_table *t = argc > 1 && strcmp(argv[1], "control") == 0 ? &control_sandbox_table : &sandbox_table;
	for (unsigned i = 0; i < t->n; i++)
		printf("%s\t%s\n", t->call[i].name, need[t->call[i].need]);
	return 0;
}
