/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/commands.h"

#include "txdecode/txdecode.h"

#include <stdio.h>
#include <string.h>

static const char usage_text[] = "usage: sentinelctl tx decode [--chain N]\n"
				 "  decode   transactions in hex, one a line on stdin, to JSON, one object a line (decode --help says more)\n"
				 "example:\n"
				 "  echo 0x02f8...c0 | sentinelctl tx decode --chain 1\n";

int
cmd_tx(int argc, char **argv)
{
	static const char *const verbs[] = {"decode", NULL};
	if (argc >= 2 && strcmp(argv[1], "decode") == 0)
		return cmd_tx_decode(argc - 1, argv + 1);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage_text, stdout);
		return 0;
	}
	const char *meant = argc >= 2 ? command_suggest(argv[1], verbs) : NULL;
	if (argc < 2)
		fprintf(stderr, "sentinelctl tx: which verb? (sentinelctl tx --help shows what there is)\n");
	else
		fprintf(stderr, "sentinelctl tx: there is no %s%s%s%s (sentinelctl tx --help shows what there is)\n", argv[1], meant ? "; did you mean " : "", meant ? meant : "",
			meant ? "?" : "");
	return 2;
}
