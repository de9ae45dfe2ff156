/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl alerts: what has been journaled, and what comes. */
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

#define RETRIES 60
#define RETRY_NS 500000000

static const char usage_text[] =
	"usage: sentinelctl alerts [--follow] [--since PLACE] [--grade G] [--limit N] [--json] [--socket "
	"PATH]\n"
	"                          [--consumer NAME [--ack]]\n"
	"  --follow           go on with what comes; ends when sentinel-control ends\n"
	"  --since PLACE      start behind this: a cursor or an id of an event, \"start\" or \"now\"\n"
	"                     (default: start; with --follow: now; with --consumer: where it has "
	"acknowledged up to)\n"
	"  --grade G          watch (default), page or pause, and what is above\n"
	"  --limit N          end after N events\n"
	"  --json             one CloudEvent a line, as sentinel-control sends it\n"
	"  --consumer NAME    read as this consumer, whose place is kept; goes with --follow\n"
	"  --ack              acknowledge each event once it is printed\n"
	"  --socket PATH      of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"examples:\n"
	"  sentinelctl alerts --follow\n"
	"  sentinelctl alerts --grade pause --json | jq .data.transaction.hash\n"
	"  sentinelctl alerts --follow --consumer pager --ack --grade page\n";

struct options {
	const char *since, *socket, *consumer, *grade, *limit_text;
	uint64_t limit;
	bool follow, ack, json;
};

static const struct tool_command command = {"alerts", usage_text};

static int
check_options(struct options *o)
{
	if (o->limit_text != NULL) {
		char *end;
		o->limit = strtoull(o->limit_text, &end, 10);
		if (o->limit_text[0] < '0' || o->limit_text[0] > '9' || *end != '\0' || o->limit < 1 ||
			o->limit > INT64_MAX)
			return tool_bad(&command, "--limit needs a number from 1", o->limit_text);
	}
	if (strcmp(o->grade, "watch") != 0 && strcmp(o->grade, "page") != 0 && strcmp(o->grade, "pause") != 0)
		return tool_bad(&command, "--grade is watch, page or pause", o->grade);
	if (o->consumer != NULL && !o->follow)
		return tool_bad(&command, "--consumer goes with --follow", NULL);
	return o->ack && o->consumer == NULL ? tool_bad(&command, "--ack goes with --consumer", NULL) : TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT, .grade = "watch"};
	const struct tool_option known[] = {{"--since", .value = &o->since}, {"--socket", .value = &o->socket}, {"--consumer", .value = &o->consumer},
		{"--grade", .value = &o->grade}, {"--limit", .value = &o->limit_text}, {"--follow", .set = &o->follow},
		{"-f", .set = &o->follow}, {"--ack", .set = &o->ack}, {"--json", .set = &o->json}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

/* ---- one line per event ---- */

/* The time of day of an RFC 3339 stamp. */
static void
print_time(const json_t *event)
{
	const char *t = control_text(event, "time", "");
	if (strlen(t) >= 23 && t[10] == 'T')
		printf("%.10s %.12s", t, t + 11);
	else
		printf("%-23s", "-");
}

static void
print_loss(const json_t *event, const json_t *data)
{
	print_time(event);
	const char *ring = control_text(data, "ring", NULL);
	printf("  LOST    %s%s %s to %s: %s\n", ring ? "ring " : "events", ring ? ring : "",
		control_text(data, "from", "?"), control_text(data, "to", "?"), control_text(data, "reason", "?"));
}

/* A node beside the box is silent, or is heard again. */
static void
print_silence(const json_t *event, const json_t *data)
{
	const char *node = control_text(data, "node", NULL), *feed = control_text(data, "feed", NULL), *missing = control_text(data, "missing", "both");
	bool ended = strcmp(control_text(data, "state", ""), "ended") == 0;
	double lasted = strtod(control_text(data, "lasted_ms", "0"), NULL) / 1000, usual = strtod(control_text(data, "usual_ms", "0"), NULL) / 1000;
	print_time(event);
	printf("  %-6s  %s%s%s", ended ? "HEARD" : "SILENT", node ? "node " : "every node", node ? node : "", feed ? " " : "");
	printf("%s: ", feed ? feed : "");
	if (strcmp(missing, "both") != 0)
		printf("%s%s", ended ? "both directions again; missing was what " : "one direction only; missing is what ",
			strcmp(missing, "to_node") == 0 ? "it is sent" : "it sends");
	else
		printf("%s", ended ? "there again" : node ? "nothing comes" : "nothing comes: mirror, port or link?");
	if (ended)
		printf(", after %.0f s\n", lasted);
	else
		printf(", for longer than %.0f s\n", usual);
}

static void
print_flags(const json_t *data)
{
	size_t i;
	json_t *flag;
	const char *sep = "  [";
	json_t *list = json_object_get(data, "flags");
	json_array_foreach(list, i, flag)
	{
		printf("%s%s", sep, json_string_value(flag) ? json_string_value(flag) : "?");
		sep = " ";
	}
	if (json_array_size(list) > 0)
		putchar(']');
	if (!json_is_true(json_object_get(data, "durable")))
		printf("  NOT DURABLE");
}

/* What the operator's node says, if one is asked. */
static void
print_vet(const json_t *data)
{
	const json_t *vet = json_object_get(data, "vet");
	const char *node = control_text(vet, "node", NULL), *fact = control_text(vet, "fact", NULL);
	if (node != NULL)
		printf("  (node %s%s%s)", node, fact ? ": " : "", fact ? fact : "");
}

static void
print_event(const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const char *type = control_text(event, "type", "");
	if (strcmp(type, "sentinel.loss.v1") == 0) {
		print_loss(event, data);
		return;
	}
	if (strcmp(type, "sentinel.silence.v1") == 0) {
		print_silence(event, data);
		return;
	}
	const json_t *rule = json_object_get(data, "rule"), *tx = json_object_get(data, "transaction");
	const char *to = control_text(tx, "to", NULL), *created = control_text(tx, "created", NULL);
	print_time(event);
	printf("  %-6s %-12s ", control_text(data, "grade", "?"), control_text(rule, "class", "?"));
	if (strcmp(type, "sentinel.alert.v1") != 0)
		printf("%s ", strcmp(type, "sentinel.retract.v1") == 0 ? "RETRACTED"
			      : strcmp(type, "sentinel.drill.v1") == 0 ? "DRILL"
								       : type);
	if (control_text(rule, "name", NULL) != NULL)
		printf("%s", control_text(rule, "name", ""));
	else
		printf("rule %s/%s", control_text(rule, "id", "?"), control_text(rule, "rev", "?"));
	printf("  %s %s  tx %s", to ? "to" : "creates",
		to	  ? to
		: created ? created
			  : "a contract",
		control_text(tx, "hash", "-"));
	if (control_text(event, "supersedes", NULL) != NULL)
		printf("  (update)");
	print_vet(data);
	print_flags(data);
	putchar('\n');
}

/* ---- the conversation ---- */

struct reading {
	const struct options *o;
	struct control_client c;
	char cursor[96]; /* of the last event printed; "": none */
	uint64_t printed;
};

static int
ask(struct reading *r)
{
	const struct options *o = r->o;
	const char *since = r->cursor[0] && !o->ack ? r->cursor : o->since;
	if (r->cursor[0] && o->ack)
		since = NULL;
	if (!o->follow) {
		json_t *q =
			json_pack("{s:s,s:s?,s:s}", "op", "alerts", "since", since, "min_grade", o->grade);
		if (o->limit > 0)
			json_object_set_new(q, "limit", json_integer((json_int_t)o->limit));
		return control_client_ask(&r->c, q);
	}
	return control_client_ask(&r->c, json_pack("{s:s,s:s?,s:s?,s:s}", "op", "subscribe", "consumer",
						 o->consumer, "since", since, "min_grade", o->grade));
}

/* 1: go on; 0: all is printed; -1: over, with something wrong. */
static int
take(struct reading *r, const char *line)
{
	json_error_t e;
	json_t *event = json_loads(line, 0, &e);
	int rc = 1;
	if (!json_is_object(event)) {
		fprintf(stderr, "sentinelctl: what answers there is not sentinel-control\n");
		rc = -1;
	} else if (control_client_refused(event)) {
		rc = -1;
	} else if (strcmp(control_text(event, "event", ""), "end") == 0) {
		rc = 0;
	} else {
		const char *cursor = control_text(event, "cursor", NULL);
		if (r->o->json)
			puts(line);
		else
			print_event(event);
		if (fflush(stdout) != 0)
			rc = -1;
		if (rc == 1 && cursor != NULL) {
			snprintf(r->cursor, sizeof r->cursor, "%s", cursor);
			if (r->o->ack)
				control_client_ask(
					&r->c, json_pack("{s:s,s:s}", "op", "ack", "cursor", cursor));
		}
		if (rc == 1 && ++r->printed == r->o->limit)
			rc = 0;
	}
	json_decref(event);
	return rc;
}

/* 0: done; 1: failed; 2: control hung up. */
static int
converse(struct reading *r)
{
	char *line;
	control_client_patient(&r->c);
	int rc = ask(r);
	while (rc == 0 && !tool_stop) {
		rc = control_client_line(&r->c, &line);
		if (rc == 0)
			return 2;
		if (rc == -EINTR) {
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		rc = take(r, line);
		if (rc <= 0)
			return rc == 0 ? 0 : 1;
		rc = 0;
	}
	if (rc == -EPIPE)
		return 2;
	if (rc < 0)
		fprintf(stderr, "sentinelctl: cannot talk to sentinel-control: %s\n", strerror(-rc));
	return rc < 0;
}

/* After a crash the socket stays behind without an owner; after an orderly end it is gone. */
static int
reconnect(struct reading *r)
{
	fprintf(stderr, "sentinelctl: sentinel-control has hung up\n");
	for (unsigned i = 0; i < RETRIES && !tool_stop; i++) {
		int rc = control_client_open(&r->c, r->o->socket);
		if (rc == 0)
			return 0;
		if (rc == -ENOENT)
			return rc;
		nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
	}
	return -ECONNREFUSED;
}

static int
read_alerts(struct reading *r)
{
	int rc = control_client_open(&r->c, r->o->socket);
	if (rc != 0) {
		control_client_complain(r->o->socket, -rc);
		return 1;
	}
	while ((rc = converse(r)) == 2 && !tool_stop) {
		control_client_close(&r->c);
		if (!r->o->follow) {
			fprintf(stderr, "sentinelctl: sentinel-control hung up before the end\n");
			return 1;
		}
		rc = reconnect(r);
		if (rc != 0)
			return rc == -ENOENT ? 0 : 1;
	}
	control_client_close(&r->c);
	return rc == 2 ? 0 : rc;
}

int
cmd_alerts(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	tool_catch(0);
	struct reading r = {.o = &o, .c = {.fd = -1}};
	rc = read_alerts(&r);
	return rc;
}
