/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl profile: another profile for a running box. */
#include "sentinelctl/commands.h"
#include "sentinelctl/control_client.h"
#include "sentinelctl/profile_status.h"
#include "sentinelctl/tool.h"

#include "io/profile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_BYTES 600u /* six bytes each at worst, as JSON */
#define PROFILE_DEFAULT "/etc/sentinel/box.yaml"

static const char usage_text[] =
	"usage: sentinelctl profile check [FILE]\n"
	"       sentinelctl profile apply [FILE] [--json] [--socket PATH]\n"
	"       sentinelctl profile show [--json] [--socket PATH]\n"
	"  check         reads a box profile as sentinel-dataplane does, and prints what it makes of it\n"
	"  apply         hands it to the running dataplane: feeds, chains and filters change at once, without a restart and without a\n"
	"                frame lost; what takes a restart (ports, cores, memory ...) is named. Refused whole if anything is wrong\n"
	"  show          which profile runs, since when, and whether the file on disk is that one\n"
	"  FILE          default " PROFILE_DEFAULT "\n"
	"  --json        one JSON object\n"
	"  --socket PATH  of sentinel-control (default " CONTROL_SOCKET_DEFAULT ")\n"
	"apply writes no file: when the dataplane starts again it reads the file that it was started with, so edit that one and apply it;\n"
	"if it is another, apply says so. It takes root, or the user that sentinel-control runs as, and goes into the audit trail.\n"
	"Exit status: 0 all of it holds now; 1 it could not, or part of it waits for a restart; 2 wrong command line.\n"
	"examples:\n"
	"  sentinelctl profile check ./box.yaml\n"
	"  sudo sentinelctl profile apply\n"
	"  sudo sentinelctl profile apply --json | jq -c .restart\n";

struct options {
	const char *verb, *file, *socket;
	bool json;
};

static const struct tool_command command = {"profile", usage_text};

static int
check_options(struct options *o)
{
	if (o->verb == NULL)
		return tool_bad(&command, "say what to do: check, apply or show", NULL);
	bool show = strcmp(o->verb, "show") == 0, check = strcmp(o->verb, "check") == 0;
	if (!show && !check && strcmp(o->verb, "apply") != 0)
		return tool_bad(&command, "there is check, apply and show, but not", o->verb);
	if (show && o->file != NULL)
		return tool_bad(&command, "unexpected argument", o->file);
	if (check && o->json)
		return tool_bad(&command, "--json goes with apply and show", NULL);
	if (o->file == NULL)
		o->file = PROFILE_DEFAULT;
	return TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.socket = CONTROL_SOCKET_DEFAULT};
	const struct tool_option known[] = {{NULL, .value = &o->verb}, {NULL, .value = &o->file}, {"--socket", .value = &o->socket}, {"--json", .set = &o->json}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

/* Asks for one object. NULL: it has complained. */
static json_t *
answer(struct control_client *c, const char *socket)
{
	char *line;
	json_error_t e;
	int rc = control_client_line(c, &line);
	json_t *o = rc == 1 ? json_loads(line, 0, &e) : NULL;
	if (rc <= 0)
		control_client_silent(socket, rc);
	else if (!json_is_object(o))
		fprintf(stderr, "sentinelctl: what answers at %s is not sentinel-control\n", socket);
	else if (!control_client_refused(o))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
ask_status(const char *socket)
{
	struct control_client c;
	int rc = control_client_open(&c, socket);
	if (rc != 0) {
		control_client_complain(socket, -rc);
		return NULL;
	}
	rc = control_client_ask(&c, json_pack("{s:s}", "op", "status"));
	json_t *o = rc == 0 || rc == -EPIPE ? answer(&c, socket) : NULL;
	control_client_close(&c);
	return o;
}

/* ---- show ---- */

static const char *const disk_words[] = {"same", "differs", "unknown", "none"};

static int
show(const struct options *o)
{
	json_t *s = ask_status(o->socket);
	if (s == NULL)
		return 1;
	json_t *d = json_object_get(s, "dataplane"), *p = json_object_get(d, "profile");
	if (!json_is_object(p)) {
		fprintf(stderr, "sentinelctl: no dataplane is attached, or it does not tell its profile\n");
		json_decref(s);
		return 1;
	}
	if (o->json) {
		json_object_set_new(p, "disk", json_string(disk_words[profile_on_disk(p, NULL)]));
		json_dumpf(p, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		profile_status_print(s, stdout);
		if (json_is_null(json_object_get(p, "path")) && strcmp(json_string_value(json_object_get(p, "applied_ns")) ?: "0", "0") == 0)
			puts("profile    none: the dataplane runs with its defaults");
	}
	json_decref(s);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- apply ---- */

/* Where a part of at most PART_BYTES ends that does not cut a character in two. */
static size_t
part_end(const char *text, size_t n)
{
	size_t end = n < PART_BYTES ? n : PART_BYTES;
	while (end < n && end > PART_BYTES - 4 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	return end;
}

static int
send_text(struct control_client *c, const char *text, size_t n)
{
	int rc = 0;
	while (rc == 0) {
		size_t k = part_end(text, n);
		json_t *q = json_pack("{s:s,s:s%,s:b}", "op", "profile", "text", text, k, "more", n > k);
		if (q == NULL)
			return -EILSEQ;
		rc = control_client_ask(c, q);
		text += k;
		n -= k;
		if (n == 0)
			break;
	}
	return rc;
}

static void
print_list(const json_t *list, const char *what)
{
	size_t i;
	const json_t *name;
	if (json_array_size(list) == 0)
		return;
	printf("%s", what);
	json_array_foreach(list, i, name) printf("%s%s", i == 0 ? "" : ", ", json_string_value(name) ?: "?");
	putchar('\n');
}

/* The dataplane calls the text "profile". */
static void
print_error(const json_t *said, const char *file)
{
	const char *error = json_string_value(json_object_get(said, "why"));
	if (error == NULL)
		return;
	if (strncmp(error, "profile:", 8) == 0)
		fprintf(stderr, "%s%s\n", file, error + 7);
	else
		fprintf(stderr, "sentinelctl: %s\n", error);
}

static void
print_disk(const json_t *profile, enum profile_disk disk, const char *file)
{
	const char *path = json_string_value(json_object_get(profile, "path"));
	if (disk == PROFILE_DISK_OTHER)
		fprintf(stderr, "sentinelctl: %s is not what runs now: a restart of the dataplane would bring that back. To keep it: cp %s %s\n", path, file,
			path);
	else if (disk == PROFILE_DISK_NONE)
		fprintf(stderr, "sentinelctl: the dataplane was started without --profile: a restart would forget this\n");
	else if (disk == PROFILE_DISK_UNKNOWN)
		fprintf(stderr, "sentinelctl: cannot read %s, which the dataplane reads when it starts: see to it that it says the same\n",
			path ? path : "the file");
}

static int
report(const struct options *o, json_t *said)
{
	const char *status = json_string_value(json_object_get(said, "status")), *digest = json_string_value(json_object_get(said, "digest"));
	bool holds = status != NULL && (strcmp(status, "applied") == 0 || strcmp(status, "partly") == 0);
	json_t *s = holds ? ask_status(o->socket) : NULL, *p = json_object_get(json_object_get(s, "dataplane"), "profile");
	enum profile_disk disk = json_is_object(p) ? profile_on_disk(p, digest) : PROFILE_DISK_UNKNOWN;
	if (o->json) {
		json_object_set_new(said, "disk", holds ? json_string(disk_words[disk]) : json_null());
		json_dumpf(said, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (holds) {
		print_list(json_object_get(said, "applied"), "in use now: ");
		print_list(json_object_get(said, "restart"), "takes a restart of sentinel-dataplane: ");
		if (json_array_size(json_object_get(said, "applied")) + json_array_size(json_object_get(said, "restart")) == 0)
			puts("this is what runs already");
	}
	if (holds)
		print_disk(p, disk, o->file);
	print_error(said, o->file);
	if (json_is_false(json_object_get(said, "audited")))
		fprintf(stderr, "sentinelctl: the journal is down: this is not in the audit trail\n");
	json_decref(s);
	return fflush(stdout) == 0 && status != NULL && strcmp(status, "applied") == 0 ? 0 : 1;
}

static int
apply(const struct options *o)
{
	static char text[PROFILE_FILE_MAX + 1];
	struct control_client c;
	long n = profile_read(o->file, text);
	if (n <= 0) {
		fprintf(stderr, "sentinelctl: cannot read the profile %s: %s\n", o->file, n == 0 ? "it is empty" : strerror((int)-n));
		return 1;
	}
	int rc = control_client_open(&c, o->socket);
	if (rc != 0) {
		control_client_complain(o->socket, -rc);
		return 1;
	}
	rc = send_text(&c, text, (size_t)n);
	json_t *said = NULL;
	if (rc == -EILSEQ)
		fprintf(stderr, "sentinelctl: %s is not UTF-8 text\n", o->file);
	else if (rc == 0 || rc == -EPIPE || rc == -ECONNRESET) /* there may be a refusal to read */
		said = answer(&c, o->socket);
	else
		control_client_silent(o->socket, rc);
	control_client_close(&c);
	rc = said != NULL ? report(o, said) : 1;
	json_decref(said);
	return rc;
}

/* The table shows a profile without ports too, for captures; the service would not start with it. */
static int
check(const struct options *o)
{
	static struct topology t;
	char err[512];
	char *args[] = {(char *)"sentinel-dataplane", (char *)"--profile", (char *)(uintptr_t)o->file, (char *)"--print-topology", NULL};
	int rc = tool_run(args, NULL);
	topology_default(&t);
	if (rc != 0 || profile_load(o->file, &t, err, sizeof err) != 0 || t.ports > 0)
		return rc;
	fprintf(stderr, "sentinelctl: %s names no ports: sentinel-dataplane does not start with it, but for a capture (--source)\n", o->file);
	return 1;
}

int
cmd_profile(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	if (strcmp(o.verb, "show") == 0)
		return show(&o);
	if (strcmp(o.verb, "apply") == 0)
		return apply(&o);
	return check(&o);
}
