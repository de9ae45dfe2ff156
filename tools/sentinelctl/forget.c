/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl forget: a consumer that never comes back has nothing kept for it any longer. */
#include "sentinelctl/commands.h"
#include "sentinelctl/control_client.h"
#include "sentinelctl/tool.h"

#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: sentinelctl forget CONSUMER [--socket PATH]\n"
	"  CONSUMER         the name that it subscribed with; sentinelctl status lists them\n"
	"  --socket PATH    of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"Its place in the journal is given up, and so are the journal files that were kept for it alone. If it subscribes again, it begins with what comes then:\n"
	"what it had not acknowledged it does not get. Goes into the audit trail with the user's number.\n"
	"example:\n"
	"  sentinelctl forget old-pauser\n";

static const struct tool_command command = {"forget", usage_text};

struct options {
	const char *consumer, *socket;
};

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT};
	const struct tool_option known[] = {{NULL, .value = &o->consumer}, {"--socket", .value = &o->socket}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON && o->consumer == NULL ? tool_bad(&command, "say which consumer", NULL) : rc;
}

int
cmd_forget(int argc, char **argv)
{
	struct options o;
	struct control_client c;
	char *line;
	json_error_t e;
	int rc = parse_options(argc, argv, &o), done = 1;
	if (rc != TOOL_GO_ON)
		return rc;
	json_t *request = json_pack("{s:s,s:s}", "op", "forget", "consumer", o.consumer);
	if (request == NULL)
		return tool_bad(&command, "the name is not UTF-8", NULL);
	if (control_client_once(&c, o.socket, request, &line) == 1) {
		json_t *said = json_loads(line, 0, &e);
		if (strcmp(control_text(said, "event", ""), "forgotten") == 0) {
			printf("%s is forgotten: nothing is kept for it any longer\n", o.consumer);
			done = 0;
		} else if (!control_client_refused(said)) {
			fprintf(stderr, "sentinelctl: what answers at %s is not sentinel-control\n", o.socket);
		}
		json_decref(said);
	}
	control_client_close(&c);
	return done;
}
