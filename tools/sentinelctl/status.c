/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl status: the box on one screen. */
#include "sentinelctl/commands.h"
#include "sentinelctl/control_client.h"
#include "sentinelctl/profile_status.h"
#include "sentinelctl/status_coverage.h"
#include "sentinelctl/status_nodes.h"
#include "sentinelctl/tool.h"

#include "abi/counters.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RATE_NS 300000000

static const char usage_text[] =
	"usage: sentinelctl status [--json] [--watch] [--socket PATH]\n"
	"  --json         one JSON object a line, integers as decimal strings\n"
	"  --watch        again every second, until Ctrl-C\n"
	"  --socket PATH  of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"on the screen:\n"
	"  coverage       what was read of each feed since the dataplane started, and what is opaque\n"
	"  nodes          hashes that nodes returned for submissions, and why any was missed\n"
	"  blocks         what they hold, and how much of it was never seen pending; then by protocol\n"
	"  accounting     0 at rest, or a fault\n"
	"  node asked     what the node of sentinel-control --node said of alerts that would pause\n"
	"  memory         what a restart of either process does not forget\n"
	"  profile        which profile the dataplane has, and whether a restart would change it\n"
	"  away           how often and how long the dataplane, or control, was not there, since the journal began\n"
	"  not read ...   everything that was dropped, with its reason\n"
	"examples:\n"
	"  sentinelctl status\n"
	"  sentinelctl status --json | jq .residual\n"
	"  sentinelctl status --json | jq -c '.protocols[]'\n";

static bool
is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* ---- the parts of the screen ---- */

static void
print_duration(uint64_t ms)
{
	uint64_t s = ms / 1000;
	if (s >= 86400)
		printf("%llu d %llu h", (unsigned long long)(s / 86400), (unsigned long long)(s / 3600 % 24));
	else if (s >= 3600)
		printf("%llu h %llu min", (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60));
	else
		printf("%llu min %llu s", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
}

static void
print_dataplane(const json_t *s)
{
	const json_t *d = json_object_get(s, "dataplane");
	if (json_object_get(d, "epoch") == NULL) {
		printf("dataplane  none yet; waiting at %s\n",
			control_text(json_object_get(s, "control"), "channel", "?"));
		return;
	}
	printf("dataplane  %s, pid %s, epoch %s, rules generation %s%s\n",
		is_true(d, "attached") ? "attached" : "GONE", control_text(d, "pid", "?"),
		control_text(d, "epoch", "?"), control_text(d, "generation", "?"),
		is_true(d, "source_done") ? ", its capture is read" : "");
	size_t i;
	json_t *l;
	json_array_foreach(json_object_get(s, "lcores"), i, l)
	{
		uint64_t loops = status_num(l, "loops");
		const char *age = control_text(l, "heartbeat_age_ms", NULL);
		printf("  lcore %-3s %-10s", control_text(l, "lcore", "?"), control_text(l, "role", "?"));
		if (age != NULL)
			printf("  last seen %s ms ago", age);
		if (loops > 0)
			printf("  idle %.0f %%", 100.0 * (double)status_num(l, "loops_idle") / (double)loops);
		putchar('\n');
	}
}

/* One line a port, and one for each thing that is wrong with it. */
static void
print_ports(const json_t *s)
{
	static const struct {
		const char *word, *says;
	} wrong[] = {{"gone", "THE INTERFACE IS GONE: once it is back, restart sentinel-dataplane"},
		{"link_down", "LINK DOWN: nothing is seen of what it should show"},
		{"rss_refused", "it does not keep both directions of a connection together, so one worker spreads for all (sentinelctl box check)"},
		{"far", "a worker reads it from another NUMA socket (sentinelctl box check)"}};
	size_t i, k;
	json_t *p, *w;
	json_array_foreach(json_object_get(s, "ports"), i, p)
	{
		printf("port       %s", control_text(p, "name", "?"));
		if (control_text(p, "driver", NULL) != NULL)
			printf(", %s, %s queue%s", control_text(p, "driver", "?"), control_text(p, "queues", "?"), status_num(p, "queues") == 1 ? "" : "s");
		printf("%s%s%s, %s frames, %s missed\n", control_text(p, "link", NULL) != NULL ? ", link " : "", control_text(p, "link", ""),
			is_true(p, "timestamps") ? ", timestamps" : "", control_text(p, "delivered", "?"), control_text(p, "missed", "?"));
		json_array_foreach(json_object_get(p, "warnings"), k, w)
		{
			for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++)
				if (json_is_string(w) && strcmp(json_string_value(w), wrong[n].word) == 0)
					printf("           %s\n", wrong[n].says);
		}
	}
}

static double
rate(const json_t *was, const json_t *is, const char *key)
{
	double seconds = (double)(status_num(is, "time_ns") - status_num(was, "time_ns")) / 1e9;
	const json_t *a = json_object_get(was, "counters"), *b = json_object_get(is, "counters");
	uint64_t from = status_num(a, key), to = status_num(b, key);
	return seconds > 0 && to >= from ? (double)(to - from) / seconds : 0;
}

static void
print_traffic(const json_t *was, const json_t *s)
{
	const json_t *c = json_object_get(s, "counters");
	if (c == NULL)
		return;
	printf("traffic    %12s frames  %12s transactions  %10s scanned  %8s alerts\n",
		control_text(c, "frames", "0"), control_text(c, "tx_crossed", "0"), control_text(c, "tx_scanned", "0"),
		control_text(c, "alerts", "0"));
	printf("           %12.0f /s      %12.0f /s            %10.0f /s       %8.0f /s   %.3f Gbit/s\n",
		rate(was, s, "frames"), rate(was, s, "tx_crossed"), rate(was, s, "tx_scanned"),
		rate(was, s, "alerts"), rate(was, s, "frame_bytes") * 8 / 1e9);
}

static unsigned
print_port_drops(const json_t *s)
{
	static const struct {
		const char *key, *help;
	} kinds[] = {{"missed", "frames that the port had no room for: the workers are too slow, or too few"},
		{"errors", "frames that arrived damaged"},
		{"no_mbuf", "frames for which no buffer could be had"}};
	unsigned n = 0;
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(s, "ports"), i, p)
	{
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			if (status_num(p, kinds[k].key) == 0)
				continue;
			printf("  %14s  %s %s: %s\n", control_text(p, kinds[k].key, "?"), control_text(p, "name", "?"),
				kinds[k].key, kinds[k].help);
			n++;
		}
	}
	return n;
}

static void
print_drops(const json_t *s)
{
	const json_t *c = json_object_get(s, "counters");
	if (c == NULL)
		return;
	printf("not read, not judged or not passed on:\n");
	unsigned n = print_port_drops(s);
	for (unsigned i = 0; i < CTR_COUNT; i++) {
		char key[64];
		size_t k = 0;
		for (; counter_infos[i].name[k] != '\0' && k + 1 < sizeof key; k++)
			key[k] = (char)tolower((unsigned char)counter_infos[i].name[k]);
		key[k] = '\0';
		if (!status_is_drop(counter_infos[i].name) || status_num(c, key) == 0)
			continue;
		printf("  %14s  %s\n", control_text(c, key, "?"), counter_infos[i].help);
		n++;
	}
	if (n == 0)
		printf("  %14s  nothing\n", "0");
}

static void
print_residuals(const json_t *s)
{
	const char *name;
	json_t *one;
	bool all_zero = true;
	json_t *ids = json_object_get(s, "identities");
	if (ids == NULL)
		return;
	printf("accounting ");
	json_object_foreach(ids, name, one)
	{
		if (strcmp(control_text(one, "residual", "0"), "0") != 0) {
			printf("%s off by %s  ", name, control_text(one, "residual", "?"));
			all_zero = false;
		}
	}
	printf("%s\n", all_zero ? "adds up: every residual is 0"
				: "(in flight while traffic flows; a fault if it stays at rest)");
}

static void
print_rings(const json_t *s)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(s, "rings"), i, r)
		printf("ring %-5s %-8s  %llu of %s slots taken, %s journaled, %s lost\n",
			control_text(r, "ring", "?"), control_text(r, "lane", "?"),
			(unsigned long long)(status_num(r, "head") - status_num(r, "consumed")),
			control_text(r, "slots", "?"), control_text(r, "journaled", "0"), control_text(r, "lost", "0"));
}

static void
print_journal(const json_t *s)
{
	const json_t *j = json_object_get(s, "journal");
	printf("journal    %s events, %s files, %.1f MB, head %s, last commit %s us (longest %s us)\n",
		control_text(j, "events", "0"), control_text(j, "files", "0"),
		(double)status_num(j, "bytes") / 1048576.0, control_text(j, "head", "?"),
		control_text(j, "last_commit_us", "0"), control_text(j, "max_commit_us", "0"));
	if (is_true(j, "failed"))
		printf("           THE JOURNAL IS DOWN: %s\n           only pause-grade alerts go out, "
		       "marked not durable (%s so far, %s found no room); %s others are lost\n",
			control_text(j, "failure", "?"),
			control_text(json_object_get(s, "control"), "not_durable", "0"),
			control_text(json_object_get(s, "control"), "not_told", "0"),
			control_text(json_object_get(s, "control"), "lost_untold", "0"));
	else if (status_num(j, "failures") > 0)
		printf("           failed %s times, goes on in a fresh file; last: %s\n",
			control_text(j, "failures", "?"), control_text(j, "failure", "?"));
	if (status_num(j, "held_files") > 0)
		printf("           %s old files are kept beyond --keep-mb: they hold pause-grade alerts that "
		       "%s has not acknowledged; if it never comes back: sentinelctl forget %s\n",
			control_text(j, "held_files", "?"), control_text(j, "held_for", "a consumer"), control_text(j, "held_for", "NAME"));
}

static void
print_consumers(const json_t *s)
{
	size_t i;
	json_t *c;
	json_t *list = json_object_get(s, "consumers");
	if (json_array_size(list) == 0)
		printf("consumers  none has ever subscribed\n");
	json_array_foreach(list, i, c)
	{
		printf("consumer   %-20s %s acknowledged, %s pending", control_text(c, "name", "?"),
			control_text(c, "acked", "0"), control_text(c, "pending", "0"));
		if (status_num(c, "expired") > 0)
			printf(", %s EXPIRED before it read them", control_text(c, "expired", "0"));
		putchar('\n');
	}
}

/* Only if a node is asked. */
static void
print_vet(const json_t *s)
{
	const json_t *v = json_object_get(s, "vet");
	if (!json_is_object(v))
		return;
	printf("node asked %s alerts that would pause: %s yes, %s no, %s unknown; last answer after %.1f ms (longest %.1f ms)\n",
		control_text(v, "asked", "0"), control_text(v, "yes", "0"), control_text(v, "no", "0"), control_text(v, "unknown", "0"),
		(double)status_num(v, "last_us") / 1000.0, (double)status_num(v, "max_us") / 1000.0);
	if (status_num(v, "failures") > 0)
		printf("           %s of %s requests failed: is the node of --node there, and in time (%s ms)?\n", control_text(v, "failures", "0"),
			control_text(v, "requests", "0"), control_text(v, "deadline_ms", "?"));
	if (status_num(v, "not_asked") > 0)
		printf("           %s were too many to ask about\n", control_text(v, "not_asked", "0"));
}

static void
print_memory(const json_t *s)
{
	const json_t *m = json_object_get(s, "memory");
	if (!json_is_object(m))
		return;
	printf("memory     %s armed contracts included, %s not yet, %s watched by operators, %s live incidents\n", control_text(m, "armed_included", "0"),
		control_text(m, "armed", "0"), control_text(m, "watched", "0"), control_text(m, "incidents", "0"));
	if (status_num(m, "evicted_included") + status_num(m, "refused") > 0)
		printf("           FULL: %s included ones made room for others, %s new ones found none\n", control_text(m, "evicted_included", "0"),
			control_text(m, "refused", "0"));
	if (status_num(m, "failures") > 0)
		printf("           its file could not be written %s times; last: %s\n", control_text(m, "failures", "0"), control_text(m, "failure", "?"));
}

static void
print_screen(const json_t *was, const json_t *s)
{
	print_dataplane(s);
	profile_status_print(s, stdout);
	print_ports(s);
	print_traffic(was, s);
	status_coverage_print(s, stdout);
	status_nodes_print(s, stdout);
	print_residuals(s);
	print_rings(s);
	print_journal(s);
	print_consumers(s);
	print_vet(s);
	print_memory(s);
	print_drops(s);
	blind_status_print(s, stdout);
	const json_t *c = json_object_get(s, "control");
	printf("control    up ");
	print_duration(status_num(c, "uptime_ms"));
	printf(", %s connected, alerts come from %s\n", control_text(c, "clients", "0"),
		control_text(c, "source", "?"));
}

/* ---- the command ---- */

struct options {
	const char *socket;
	bool json, watch;
};

static const struct tool_command command = {"status", usage_text};

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT};
	const struct tool_option known[] = {{"--socket", .value = &o->socket}, {"--json", .set = &o->json}, {"--watch", .set = &o->watch}};
	return tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
}

/* Prints the raw line too, if asked to. NULL: it has complained. */
static json_t *
fetch(const struct options *o)
{
	struct control_client c;
	char *line;
	json_error_t e;
	json_t *s = NULL;
	if (control_client_once(&c, o->socket, json_pack("{s:s}", "op", "status"), &line) == 1) {
		s = json_loads(line, 0, &e);
		if (s != NULL && !control_client_refused(s) && o->json)
			puts(line);
		if (!json_is_object(s))
			fprintf(stderr, "sentinelctl: what answers at %s is not sentinel-control\n", o->socket);
	}
	control_client_close(&c);
	if (json_object_get(s, "journal") == NULL) {
		json_decref(s);
		return NULL;
	}
	return s;
}

static int
show(const struct options *o)
{
	json_t *was = fetch(o);
	if (was == NULL)
		return 1;
	while (!o->json || o->watch) {
		nanosleep(&(struct timespec){.tv_sec = o->watch ? 1 : 0, .tv_nsec = o->watch ? 0 : RATE_NS},
			NULL);
		json_t *is = tool_stop ? NULL : fetch(o);
		if (is == NULL) {
			json_decref(was);
			return tool_stop ? 0 : 1;
		}
		if (!o->json) {
			if (o->watch)
				fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n", stdout);
			print_screen(was, is);
		}
		json_decref(was);
		was = is;
		if (fflush(stdout) != 0 || !o->watch)
			break;
	}
	json_decref(was);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int
cmd_status(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	tool_catch(0);
	return show(&o);
}
