/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"box", "is this machine fit to be a box, and a profile for it", cmd_box},
	{"replay", "run the dataplane over capture files and print what it finds", cmd_replay},
	{"rules", "lint, test, compile, profile or run rules", cmd_rules},
	{"subscribe", "keep a node's pending transactions coming, for a box without a mirror port", cmd_subscribe},
	{"tx", "decode raw transactions", cmd_tx},
#ifdef SENTINELCTL_CONTROL
	{"alerts", "print a running box's alerts, and follow them", cmd_alerts},
	{"forget", "a consumer that never comes back: nothing is kept for it any longer", cmd_forget},
	{"profile", "another profile for a running box, without a restart", cmd_profile},
	{"latency", "how long a running box takes from the wire to its consumers", cmd_latency},
	{"status", "what a running box reads, misses and has delivered", cmd_status},
	{"watch", "the contracts that operators watch: add, remove, list", cmd_watch},
#endif
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void
print_help(FILE *out)
{
	fputs("usage: sentinelctl COMMAND ...\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s  %s\n", commands[i].name, commands[i].help);
	fputs("`sentinelctl COMMAND --help` says more and has examples. JSON comes on stdout, one object a line; what went wrong comes\n"
	      "on stderr. Exit status: 0 done, 1 could not, 2 wrong command line.\n"
	      "In a source tree this program is .build/tools/sentinelctl/sentinelctl once tools/run (or ninja) has built it.\n"
	      "examples:\n"
	      "  sentinelctl replay capture.pcap --txs\n"
	      "  sentinelctl rules test my-rules/\n",
		out);
}

/* Edits between two short words, capped: each insertion, deletion, change or swap of neighbours is one. */
static unsigned
distance(const char *a, const char *b)
{
	enum { MAX = 24 };
	unsigned d[MAX + 1][MAX + 1];
	size_t n = strlen(a), m = strlen(b);
	if (n > MAX || m > MAX)
		return MAX;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; k <= m; k++) {
			if (i == 0 || k == 0) {
				d[i][k] = (unsigned)(i + k);
				continue;
			}
			unsigned best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
			best = d[i - 1][k] + 1 < best ? d[i - 1][k] + 1 : best;
			best = d[i][k - 1] + 1 < best ? d[i][k - 1] + 1 : best;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && d[i - 2][k - 2] + 1 < best)
				best = d[i - 2][k - 2] + 1;
			d[i][k] = best;
		}
	}
	return d[n][m];
}

const char *
command_suggest(const char *typed, const char *const *words)
{
	const char *nearest = NULL;
	unsigned least = 3;
	size_t n = strlen(typed);
	for (; *words != NULL; words++) {
		unsigned d = n >= 2 && strncmp(typed, *words, n) == 0 ? 1 : distance(typed, *words);
		if (d < least && d < strlen(*words)) {
			least = d;
			nearest = *words;
		}
	}
	return nearest;
}

static int
unknown(const char *typed)
{
	const char *words[COMMANDS + 1] = {0};
	for (size_t i = 0; i < COMMANDS; i++)
		words[i] = commands[i].name;
	const char *meant = command_suggest(typed, words);
	fprintf(stderr, "sentinelctl: there is no command %s", typed);
	if (meant != NULL)
		fprintf(stderr, "; did you mean %s?\n", meant);
	else
		fputs("; sentinelctl --help lists them\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
