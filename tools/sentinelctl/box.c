/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"
#include "sentinelctl/commands.h"
#include "sentinelctl/tool.h"
#ifdef SENTINELCTL_CONTROL
#include "sentinelctl/control_client.h"
#else
#define CONTROL_SOCKET_DEFAULT ""
#endif

#include "io/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILE_DEFAULT "/etc/sentinel/box.yaml"
#define JOURNAL_DEFAULT "/var/lib/sentinel/journal"
#define WATCH_MAX_S 600

static const char usage_text[] =
	"usage: sentinelctl box check [--profile FILE] [--json] [--watch SECONDS] [--interface NAME] [--journal DIR] [--socket PATH]\n"
	"       sentinelctl box init [-o FILE] [--interface NAME] [--force]\n"
	"check looks whether this machine is fit for its profile, and says of each thing pass, warn, fail or unknown, and how to mend it.\n"
	"init writes a profile, with comments, for the machine it finds.\n"
	"  --profile FILE     default " PROFILE_DEFAULT ", if it is there\n"
	"  --json             an object a check, and a summary\n"
	"  --watch SECONDS    look at the interface itself: both directions? frames twice? (as root; 1 to 600)\n"
	"  --interface NAME   which one; default the first port's\n"
	"  --journal DIR      whose disk is tried; default " JOURNAL_DEFAULT "\n"
	"  --socket PATH      sentinel-control's, whose counters tell of the mirror; default " CONTROL_SOCKET_DEFAULT "\n"
	"  -o FILE            where the profile goes (default: standard output); --force: also over an existing file\n"
	"exit status: 0 no check failed, or the profile has a port; 1 one did, or it has none yet; 2 wrong command line. What takes root to see is unknown without.\n"
	"examples:\n"
	"  sentinelctl box check\n"
	"  sentinelctl box check --profile box.yaml --watch 5\n"
	"  sentinelctl box check --json | jq -r 'select(.verdict==\"fail\").fix'\n"
	"  sentinelctl box init -o /etc/sentinel/box.yaml --interface eth1\n";

struct options {
	const char *verb, *profile, *watch, *interface, *journal, *socket, *out, *root;
	bool json, force;
};

static const struct tool_command command = {"box", usage_text, .foreign = "that option belongs to the other one of check and init"};

static int
check_options(const struct options *o)
{
	if (o->verb == NULL || (strcmp(o->verb, "check") != 0 && strcmp(o->verb, "init") != 0))
		return tool_bad(&command, o->verb == NULL ? "check or init?" : "there is no such thing; check or init", o->verb);
	return TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.journal = JOURNAL_DEFAULT, .socket = CONTROL_SOCKET_DEFAULT, .root = ""};
	const struct tool_option known[] = {{NULL, .value = &o->verb}, {"--profile", .value = &o->profile, .verb = 'c'},
		{"--watch", .value = &o->watch, .verb = 'c'}, {"--interface", .value = &o->interface}, {"--journal", .value = &o->journal, .verb = 'c'},
		{"--socket", .value = &o->socket, .verb = 'c'}, {"--root", .value = &o->root}, {"-o", .value = &o->out, .verb = 'i'},
		{"--json", .set = &o->json, .verb = 'c'}, {"--force", .set = &o->force, .verb = 'i'}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

/* ---- check ---- */

static int
load_profile(const struct options *o, struct box *b)
{
	char err[512];
	topology_default(&b->t);
	const char *path = o->profile;
	if (path == NULL && o->root[0] == '\0' && access(PROFILE_DEFAULT, R_OK) == 0)
		path = PROFILE_DEFAULT;
	if (path == NULL)
		return 0;
	b->profile = true;
	if (profile_load(path, &b->t, err, sizeof err) == 0)
		return 0;
	fprintf(stderr, "sentinelctl box: %s\n", err);
	return 1;
}

/* NULL if no box runs, or it does not answer. */
static json_t *
ask_status(const struct options *o)
{
#ifdef SENTINELCTL_CONTROL
	struct control_client c;
	char *text;
	json_t *s = NULL;
	if (o->root[0] != '\0' || control_client_open(&c, o->socket) != 0)
		return NULL;
	if (control_client_ask(&c, json_pack("{s:s}", "op", "status")) == 0 && control_client_line(&c, &text) == 1)
		s = json_loads(text, 0, NULL);
	control_client_close(&c);
	if (json_object_get(s, "counters") != NULL)
		return s;
	json_decref(s);
#else
	(void)o;
#endif
	return NULL;
}

static int
look(const struct options *o, struct box *b)
{
	char *end;
	if (o->watch == NULL)
		return 0;
	unsigned long s = strtoul(o->watch, &end, 10);
	if (o->watch[0] < '0' || o->watch[0] > '9' || *end != '\0' || s == 0 || s > WATCH_MAX_S)
		return tool_bad(&command, "--watch takes seconds, 1 to 600, not", o->watch);
	const char *interface = o->interface;
	for (uint32_t i = 0; i < b->t.ports && interface == NULL; i++)
		interface = b->t.port[i].interface[0] != '\0' ? b->t.port[i].interface : NULL;
	if (interface == NULL)
		return tool_bad(&command, "--watch needs --interface, or a profile with a port of the kernel's", NULL);
	b->watch_s = (unsigned)s;
	b->seen_rc = b->calls->watch(interface, b->watch_s, &b->seen);
	return 0;
}

static const char *const words[] = {"pass", "warn", "fail", "unknown"};

static void
print_one(const struct options *o, const char *name, const struct box_result *r)
{
	if (!o->json) {
		printf("%-7s  %-18s  %s\n", words[r->verdict], name, r->text);
		if (r->fix[0] != '\0')
			printf("%-7s  %-18s  -> %s\n", "", "", r->fix);
		return;
	}
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "event", "check", "name", name, "verdict", words[r->verdict], "text", r->text, "fix",
		r->fix[0] != '\0' ? r->fix : NULL);
	if (j != NULL && r->fix[0] == '\0')
		json_object_set_new(j, "fix", json_null());
	char *line = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	puts(line != NULL ? line : "{\"event\":\"check\",\"verdict\":\"unknown\"}");
	free(line);
	json_decref(j);
}

static void
run_checks(const struct options *o, struct box *b, unsigned n[4])
{
	static const struct box_group *const groups[] = {&box_cpu, &box_memory, &box_nic, &box_clock, &box_kernel_group, &box_mirror};
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
		for (size_t i = 0; i < groups[g]->n; i++) {
			const struct box_check *c = &groups[g]->check[i];
			uint32_t times = c->per_port ? b->t.ports : 1;
			for (uint32_t k = 0; k < times; k++) {
				struct box_result r = {.verdict = BOX_UNKNOWN};
				b->port = c->per_port ? &b->t.port[k] : NULL;
				c->run(b, &r);
				print_one(o, c->name, &r);
				n[r.verdict]++;
			}
		}
	}
}

static int
check(const struct options *o)
{
	static struct box b;
	unsigned n[4] = {0};
	b = (struct box){.fs = {o->root}, .calls = &box_kernel, .journal = o->journal};
	if (load_profile(o, &b) != 0)
		return 1;
	int rc = look(o, &b);
	if (rc != 0)
		return rc;
	box_find(&b);
	json_t *status = ask_status(o);
	b.status = status;
	run_checks(o, &b, n);
	json_decref(status);
	if (o->json)
		printf("{\"event\":\"summary\",\"pass\":\"%u\",\"warn\":\"%u\",\"fail\":\"%u\",\"unknown\":\"%u\"}\n", n[BOX_PASS], n[BOX_WARN], n[BOX_FAIL], n[BOX_UNKNOWN]);
	else
		printf("%u pass, %u warn, %u fail, %u unknown%s\n", n[BOX_PASS], n[BOX_WARN], n[BOX_FAIL], n[BOX_UNKNOWN],
			b.profile ? "" : "; there is no profile: these are the embedded defaults, without a port");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sentinelctl box: cannot write standard output: %s\n", strerror(errno));
		return 1;
	}
	return n[BOX_FAIL] > 0 ? 1 : 0;
}

/* ---- init ---- */

static int
write_text(const struct options *o, const char *text)
{
	if (o->out == NULL)
		return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? 0 : -errno;
	int fd = open(o->out, O_WRONLY | O_CREAT | O_CLOEXEC | (o->force ? O_TRUNC : O_EXCL), 0644);
	if (fd < 0)
		return -errno;
	size_t n = strlen(text), at = 0;
	int rc = 0;
	while (at < n && rc == 0) {
		ssize_t k = write(fd, text + at, n - at);
		if (k < 0 && errno != EINTR)
			rc = -errno;
		at += k > 0 ? (size_t)k : 0;
	}
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc != 0 && !o->force) /* half a profile would be one that the service starts with */
		unlink(o->out);
	return rc;
}

static int
init(const struct options *o)
{
	static struct box b;
	static struct topology t;
	char err[512];
	unsigned flags;
	b = (struct box){.fs = {o->root}, .calls = &box_kernel};
	box_find(&b);
	if (o->interface != NULL && (strlen(o->interface) >= PORT_INTERFACE_BYTES || kernel_port_flags(&b.fs, o->interface, &flags) != 0)) {
		fprintf(stderr, "sentinelctl box: there is no network interface %s (`ip link` lists them)\n", o->interface);
		return 1;
	}
	char *text = box_init_text(&b, o->interface);
	topology_default(&t);
	if (text == NULL || profile_parse("the profile", text, strlen(text), &t, err, sizeof err) != 0 || topology_check(&t, TOPOLOGY_CPU_MAX + 1, err, sizeof err) != 0) {
		fprintf(stderr, "sentinelctl box: %s\n", text == NULL ? "no memory" : err);
		free(text);
		return 1;
	}
	int rc = write_text(o, text);
	free(text);
	if (rc == -EEXIST)
		fprintf(stderr, "sentinelctl box: %s is there already; --force writes over it\n", o->out);
	else if (rc != 0)
		fprintf(stderr, "sentinelctl box: cannot write %s: %s\n", o->out != NULL ? o->out : "standard output", strerror(-rc));
	else if (o->out != NULL)
		fprintf(stderr, "%s: written for %u worker%s and %u port%s; next: %ssentinelctl box check --profile %s\n", o->out, t.workers, t.workers == 1 ? "" : "s",
			t.ports, t.ports == 1 ? "" : "s", t.ports == 0 ? "name a port in it, then " : "", o->out);
	if (rc == 0 && t.ports == 0)
		fprintf(stderr, "sentinelctl box: found no interface that does not lead to the rest of the network, so this profile has no port, and nothing to read: name one "
				"in it, or with --interface; on the node's own host, what sentinel-tap makes (sentinel1)\n");
	return rc == 0 && t.ports > 0 ? 0 : 1;
}

int
cmd_box(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	return strcmp(o.verb, "check") == 0 ? check(&o) : init(&o);
}
