/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl watch: the contracts that operators watch: a call to one of them alerts at once. */
#include "sentinelctl/commands.h"
#include "sentinelctl/control_client.h"
#include "sentinelctl/tool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage_text[] =
	"usage: sentinelctl watch add ADDRESS [--note TEXT] [--socket PATH]\n"
	"       sentinelctl watch remove ADDRESS [--socket PATH]\n"
	"       sentinelctl watch list [--json] [--socket PATH]\n"
	"  add ADDRESS        watch this contract, on every chain: calls to it alert from now on, also after "
	"restarts\n"
	"  remove ADDRESS     watch it no longer\n"
	"  list               the contracts that operators watch (those that the box armed by itself are not "
	"among them)\n"
	"  --note TEXT        why, for whoever reads the list (up to 120 bytes)\n"
	"  --json             one object a line\n"
	"  --socket PATH      of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"Who may use the socket may change the list; every change goes into the audit trail with the user's "
	"number.\n"
	"examples:\n"
	"  sentinelctl watch add 0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2 --note \"drained us in March\"\n"
	"  sentinelctl watch list --json | jq -r .address\n";

struct options {
	const char *verb, *address, *note, *socket;
	bool json;
};

static const struct tool_command command = {"watch", usage_text};

static bool
is_address(const char *s)
{
	return strlen(s) == 42 && s[0] == '0' && s[1] == 'x' && strspn(s + 2, "0123456789abcdefABCDEF") == 40;
}

static int
check_options(const struct options *o)
{
	if (o->verb == NULL)
		return tool_bad(&command, "say what to do: add, remove or list", NULL);
	bool list = strcmp(o->verb, "list") == 0, add = strcmp(o->verb, "add") == 0;
	if (!list && !add && strcmp(o->verb, "remove") != 0)
		return tool_bad(&command, "there is add, remove and list, but not", o->verb);
	if (list && o->address != NULL)
		return tool_bad(&command, "unexpected argument", o->address);
	if (!list && o->address == NULL)
		return tool_bad(&command, "needs the contract's address", o->verb);
	if (!list && !is_address(o->address))
		return tool_bad(&command, "an address is 0x and 40 hex digits", o->address);
	if (o->note != NULL && !add)
		return tool_bad(&command, "--note goes with add", NULL);
	return o->json && !list ? tool_bad(&command, "--json goes with list", NULL) : TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT};
	const struct tool_option known[] = {{NULL, .value = &o->verb}, {NULL, .value = &o->address}, {"--note", .value = &o->note},
		{"--socket", .value = &o->socket}, {"--json", .set = &o->json}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

static void
print_watch(const json_t *o)
{
	char day[32] = "?";
	time_t added = (time_t)(strtoull(control_text(o, "added_ns", "0"), NULL, 10) / 1000000000u);
	struct tm tm;
	if (gmtime_r(&added, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d %H:%M", &tm);
	printf("%s  since %s by uid %s  %s\n", control_text(o, "address", "?"), day, control_text(o, "uid", "?"),
		control_text(o, "note", ""));
}

/* 1: go on; 0: done; -1: over, with something wrong. */
static int
take(const struct options *o, const char *line)
{
	json_error_t e;
	json_t *said = json_loads(line, 0, &e);
	const char *event = control_text(said, "event", "");
	int rc = 1;
	if (!json_is_object(said)) {
		fprintf(stderr, "sentinelctl: what answers there is not sentinel-control\n");
		rc = -1;
	} else if (control_client_refused(said)) {
		rc = -1;
	} else if (strcmp(event, "end") == 0) {
		if (!o->json && strcmp(control_text(said, "count", "0"), "0") == 0)
			fprintf(stderr, "no contract is watched; sentinelctl watch add ADDRESS adds one\n");
		rc = 0;
	} else if (strcmp(event, "watch") == 0) {
		if (o->json)
			puts(line);
		else
			print_watch(said);
	} else {
		printf("%s is %s\n", control_text(said, "address", o->address),
			strcmp(event, "watched") == 0 ? "watched now" : "watched no longer");
		rc = 0;
	}
	json_decref(said);
	return fflush(stdout) == 0 ? rc : -1;
}

static int
converse(const struct options *o, struct control_client *c)
{
	char *line;
	json_t *q = strcmp(o->verb, "list") == 0 ? json_pack("{s:s}", "op", "watch_list")
		    : strcmp(o->verb, "add") == 0
			    ? json_pack("{s:s,s:s,s:s?}", "op", "watch_add", "address", o->address, "note",
				      o->note)
			    : json_pack("{s:s,s:s}", "op", "watch_remove", "address", o->address);
	if (q == NULL) {
		fprintf(stderr, "sentinelctl: the note is not UTF-8\n");
		return 1;
	}
	int rc = control_client_ask(c, q), go_on = 1;
	while (rc == 0 && go_on == 1) {
		rc = control_client_line(c, &line);
		if (rc == 0)
			break;
		if (rc == 1)
			go_on = take(o, line);
		if (rc == 1 || rc == -EINTR)
			rc = 0;
	}
	if (go_on == 1)
		control_client_silent(o->socket, rc);
	return go_on != 0;
}

int
cmd_watch(int argc, char **argv)
{
	struct options o;
	struct control_client c;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	rc = control_client_open(&c, o.socket);
	if (rc != 0) {
		control_client_complain(o.socket, -rc);
		return 1;
	}
	rc = converse(&o, &c);
	control_client_close(&c);
	return rc;
}
