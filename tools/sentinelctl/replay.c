/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/commands.h"
#include "sentinelctl/tool.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: sentinelctl replay CAPTURE... [--rules DIR] [--profile FILE] [--protect ADDRESS]... [--rlpx-keys FILE] [--txs] [--lives]\n"
	"  Runs the whole dataplane over capture files (pcap, pcapng), offline, as any user. One JSON object a line:\n"
	"    {\"event\":\"tx\",...}       each transaction that crossed (with --txs)\n"
	"    {\"event\":\"life\",...}     what becomes of transactions: pending, included, replaced ... (with --lives)\n"
	"    {\"event\":\"alert\",...}    each alert, as consumers get it\n"
	"    {\"event\":\"summary\",...}  last: counters, accounting identities and their residuals\n"
	"  --rules DIR        a pack or a folder of packs (default: the shipped ones)\n"
	"  --profile FILE     feeds, chains and protected protocols of a box profile\n"
	"  --protect ADDRESS  a protected contract, beside those of the profile; alerts tell what touches it, and how\n"
	"  --rlpx-keys FILE   a key log: secrets of RLPx (devp2p) sessions, one a line; only its owner may read it\n"
	"  --txs              also print the transactions\n"
	"  --lives            also print what becomes of them, from the blocks that nodes are handed or tell of\n"
	"examples:\n"
	"  sentinelctl replay capture.pcap\n"
	"  sentinelctl replay --rlpx-keys node.keys p2p.pcap\n"
	"  sentinelctl replay --txs monday.pcap tuesday.pcap --rules my-rules/ > out.ndjson\n"
	"  sentinelctl replay capture.pcap | jq -r 'select(.event==\"alert\").alert.data.transaction.hash'\n";

static const struct tool_command command = {"replay", usage_text};

static bool
takes_value(const char *option)
{
	return strcmp(option, "--rules") == 0 || strcmp(option, "--rlpx-keys") == 0 || strcmp(option, "--profile") == 0 ||
	       strcmp(option, "--protect") == 0;
}

int
cmd_replay(int argc, char **argv)
{
	const char *rules = NULL;
	bool words = false;
	unsigned captures = 0;
	char **run = calloc((size_t)argc + 8, sizeof *run);
	const size_t bundle = 3;
	size_t n = bundle + 2;
	int rc = run ? -1 : 1;
	if (run != NULL)
		memcpy(run, (char *[]){"sentinel-dataplane", "--offline", "replay"}, bundle * sizeof *run);
	for (int i = 1; i < argc && rc < 0; i++) {
		bool option = !words && argv[i][0] == '-' && argv[i][1] != '\0';
		if (option && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			fputs(usage_text, stdout);
			rc = 0;
		} else if (option && takes_value(argv[i])) {
			bool passed_on = strcmp(argv[i], "--rules") != 0;
			if (i + 1 == argc) {
				rc = tool_bad(&command, "needs a value", argv[i]);
			} else if (passed_on) {
				run[n++] = argv[i++];
				run[n++] = argv[i];
			} else {
				rules = argv[++i];
			}
		} else if (option && strcmp(argv[i], "--") != 0 && strcmp(argv[i], "--txs") != 0 && strcmp(argv[i], "--lives") != 0) {
			rc = tool_bad(&command, "unknown option", argv[i]);
		} else {
			words = words || strcmp(argv[i], "--") == 0;
			captures += !option;
			run[n++] = argv[i];
		}
	}
	if (rc < 0 && captures == 0)
		rc = tool_bad(&command, "which capture file?", NULL);
	if (rc < 0)
		rc = tool_with_bundle(rules, run, bundle);
	free(run);
	return rc;
}
