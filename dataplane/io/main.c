/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/live.h"
#include "io/offline.h"

#include <string.h>

int
main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "--offline") == 0)
		return offline_main(argc - 2, argv + 2);
	return live_main(argc, argv);
}
