/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of sentinelctl that speak to control, by themselves. */
#include "sentinelctl/commands.h"

#include <string.h>

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "alerts") == 0)
		return cmd_alerts(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "status") == 0)
		return cmd_status(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "watch") == 0)
		return cmd_watch(argc - 1, argv + 1);
	return 2;
}
