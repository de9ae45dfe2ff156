/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl latency: how long it takes from the wire to whoever has to know. */
#include "sentinelctl/commands.h"
#include "sentinelctl/control_client.h"
#include "sentinelctl/latency_rows.h"
#include "sentinelctl/tool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sentinelctl latency [--json | --prometheus] [--watch] [--socket PATH]\n"
	"  --json         one JSON object a line, integers as decimal strings\n"
	"  --prometheus   the text format of its exporters\n"
	"  --watch        again every second until Ctrl-C, each time of what has come since the last\n"
	"  --socket PATH  of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"stages, each counted from the time of the frame that made it possible:\n"
	"  scanned        the transaction has been matched: every one that is not a copy\n"
	"  ring           its alert is in a ring; from here on of alerts alone, once each time that one is told\n"
	"  journaled      the alert is on disk\n"
	"  delivered      the alert is written to a consumer's socket: once for each that was listening when it came\n"
	"  acked          the consumer has acknowledged it\n"
	"Quantiles are at most 6.25 % above the truth; `longest` is exact since the start, and rounded up with --watch.\n"
	"examples:\n"
	"  sentinelctl latency\n"
	"  sentinelctl latency --watch\n"
	"  sentinelctl latency --json | jq -r '.latency[] | select(.stage == \"delivered\") | .p99_ns'\n";

struct options {
	const char *socket;
	bool json, prometheus, watch;
};

static const struct tool_command command = {"latency", usage_text};

static int
check_options(const struct options *o)
{
	if (o->json && o->prometheus)
		return tool_bad(&command, "one of --json and --prometheus, not both", NULL);
	return o->prometheus && o->watch ? tool_bad(&command, "--prometheus counts since the start: leave out --watch", NULL) : TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT};
	const struct tool_option known[] = {{"--socket", .value = &o->socket}, {"--json", .set = &o->json}, {"--prometheus", .set = &o->prometheus},
		{"--watch", .set = &o->watch}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

static int
fetch(const struct options *o, struct latency_rows *rows)
{
	struct control_client c;
	char *line;
	json_error_t e;
	int rc = -1;
	if (control_client_once(&c, o->socket, json_pack("{s:s}", "op", "latency"), &line) == 1) {
		json_t *s = json_loads(line, 0, &e);
		if (!control_client_refused(s)) {
			rc = latency_rows_read(s, rows) == 0 ? 0 : -1;
			if (rc != 0)
				fprintf(stderr, "sentinelctl: what answers at %s is not a sentinel-control that measures latency\n", o->socket);
		}
		json_decref(s);
	}
	control_client_close(&c);
	return rc;
}

static void
print(const struct options *o, const struct latency_rows *r, uint64_t interval_ns)
{
	if (o->prometheus) {
		latency_rows_prometheus(r, stdout);
	} else if (!o->json) {
		if (interval_ns != 0)
			fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n", stdout);
		latency_rows_table(r, (double)interval_ns / 1e9, stdout);
	} else {
		json_t *line = latency_rows_json(r, interval_ns);
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	}
}

static int
show(const struct options *o)
{
	static struct latency_rows was, is, shown;
	if (fetch(o, &was) != 0)
		return 1;
	print(o, &was, 0);
	while (o->watch && fflush(stdout) == 0) {
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
		if (tool_stop)
			return 0;
		if (fetch(o, &is) != 0)
			return tool_stop ? 0 : 1;
		shown = is;
		latency_rows_since(&shown, &was);
		print(o, &shown, is.time_ns > was.time_ns ? is.time_ns - was.time_ns : 1);
		was = is;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int
cmd_latency(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	tool_catch(0);
	return show(&o);
}
