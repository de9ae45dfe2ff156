/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/commands.h"
#include "sentinelctl/tool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: sentinelctl rules VERB PATH ...      PATH: a pack, or a folder of packs\n"
	"  lint PATH [--json]                     what is wrong with the rules, as file:line:column\n"
	"  test PATH                              run every rule's vectors\n"
	"  compile PATH -o FILE [--generation N]  make the bundle that a dataplane loads\n"
	"  profile PATH                           what the rules cost, one JSON object a line\n"
	"  run PATH --txs FILE.ndjson [--profile FILE] [--protect ADDRESS]...\n"
	"                                         the rules over transactions in a file: alert lines, then a summary\n"
	"A line of FILE.ndjson is a JSON-RPC transaction object (geth's field names), {\"raw\":\"0x...\"} or {\"bundle\":[...]} of objects,\n"
	"raws or hashes; \"seen\": Unix seconds gives its arrival time. \"-\" reads stdin.\n"
	"examples:\n"
	"  sentinelctl rules lint my-rules/ && sentinelctl rules test my-rules/\n"
	"  sentinelctl rules run my-rules/flash.yaml --txs txs.ndjson | jq .alert.data.rule\n"
	"  sentinelctl rules compile my-rules/ -o rules.bundle --generation 7\n";

static const struct tool_command command = {"rules", usage_text};

/* sentinel-rulec knows its own options. */
static int
rulec(int argc, char **argv)
{
	char **run = calloc((size_t)argc + 2, sizeof *run);
	if (run == NULL)
		return 1;
	run[0] = "sentinel-rulec";
	for (int i = 0; i < argc; i++)
		run[i + 1] = argv[i];
	int rc = tool_run(run, NULL);
	free(run);
	return rc;
}

/* What sentinel-dataplane --offline is run with; argv from BUNDLE_AT + 2 on is the caller's, and what the operator said of it. */
#define BUNDLE_AT 3u
struct offline_run {
	const char *path;
	char **argv;
	size_t n;
};

/* 0, or what the process ends with after a complaint. */
static int
read_arguments(int argc, char **argv, bool takes_txs, struct offline_run *run)
{
	bool txs = false;
	for (int i = 1; i < argc; i++) {
		bool option = argv[i][0] == '-' && argv[i][1] != '\0';
		bool value = takes_txs && option && (strcmp(argv[i], "--txs") == 0 || strcmp(argv[i], "--profile") == 0 || strcmp(argv[i], "--protect") == 0);
		if (value && i + 1 == argc)
			return tool_bad(&command, "needs a value", argv[i]);
		if (!value && option)
			return tool_bad(&command, "unknown option", argv[i]);
		if (value) {
			txs |= strcmp(argv[i], "--txs") == 0;
			run->argv[run->n++] = argv[i++];
			run->argv[run->n++] = argv[i];
		} else if (run->path != NULL) {
			return tool_bad(&command, "one PATH only, and this is a second", argv[i]);
		} else {
			run->path = argv[i];
		}
	}
	if (run->path == NULL)
		return tool_bad(&command, "which rules? PATH is missing", NULL);
	return takes_txs && !txs ? tool_bad(&command, "run needs --txs FILE.ndjson", NULL) : 0;
}

/* The verbs that take a compiled bundle: `verb` of sentinel-dataplane --offline. */
static int
dataplane(int argc, char **argv, const char *verb, bool takes_txs)
{
	struct offline_run run = {.argv = calloc((size_t)argc + 8, sizeof(char *)), .n = BUNDLE_AT + 2};
	if (run.argv == NULL)
		return 1;
	int rc = read_arguments(argc, argv, takes_txs, &run);
	if (rc == 0) {
		memcpy(run.argv, (char *[]){"sentinel-dataplane", "--offline", (char *)(uintptr_t)verb}, BUNDLE_AT * sizeof(char *));
		rc = tool_with_bundle(run.path, run.argv, BUNDLE_AT);
	}
	free(run.argv);
	return rc;
}

int
cmd_rules(int argc, char **argv)
{
	static const char *const verbs[] = {"lint", "test", "compile", "profile", "run", NULL};
	if (argc < 2)
		return tool_bad(&command, "which verb?", NULL);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return 0;
		}
	}
	const char *verb = argv[1];
	if (strcmp(verb, "lint") == 0 || strcmp(verb, "compile") == 0)
		return argc < 3 ? tool_bad(&command, "which rules? PATH is missing", NULL) : rulec(argc - 1, argv + 1);
	if (strcmp(verb, "test") == 0)
		return dataplane(argc - 1, argv + 1, "check", false);
	if (strcmp(verb, "profile") == 0)
		return dataplane(argc - 1, argv + 1, "profile", false);
	if (strcmp(verb, "run") == 0)
		return dataplane(argc - 1, argv + 1, "run", true);
	const char *meant = command_suggest(verb, verbs);
	if (meant != NULL)
		fprintf(stderr, "sentinelctl rules: there is no %s; did you mean %s?\n", verb, meant);
	return meant != NULL ? 2 : tool_bad(&command, "unknown verb", verb);
}
