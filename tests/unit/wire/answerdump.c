/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints what the answer scanner makes of each line of stdin, and a line with a dot behind. usage: answerdump
 * [PIECE]: feeds pieces of that many bytes. */
#include "tests/unit/wire/answer_rig.h"

int
main(int argc, char **argv)
{
	size_t piece = argc > 1 ? strtoul(argv[1], NULL, 10) : SIZE_MAX, cap = 0;
	char *line = NULL;
	ssize_t n;
	struct answer_rig r;
	answer_rig_init(&r, 4u << 20);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		size_t len = (size_t)n - (line[n - 1] == '\n');
		answer_rig_begin(&r, false);
		for (size_t i = 0; i < len || i == 0; i += piece) {
			size_t k = len - i < piece ? len - i : piece;
			answer_rig_feed(&r, line + i, k, i + k == len);
			if (k == 0 || i + k == len)
				break;
		}
		printf("%s. %d %u\n", r.log_len ? r.log : "", r.status, r.messages);
	}
	free(line);
	answer_rig_free(&r);
	return 0;
}
