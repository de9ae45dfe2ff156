/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinel-tap: clones what a node on this host sends and receives to an interface that a sentinel-dataplane reads. */
#include "io/filter_text.h"
#include "io/tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TO_DEFAULT "sentinel0"

static const char usage_text[] =
	"usage: sentinel-tap attach --on IF[,IF...] [--to IF] [--read IF] [--ports P,P...] [--addresses A,A...] [--vlans V,V...]\n"
	"       sentinel-tap filter [--ports P,P...] [--addresses A,A...] [--vlans V,V...] [--tunnels A,A...]\n"
	"       sentinel-tap status [--json]\n"
	"       sentinel-tap detach\n"
	"  attach        from now on every frame of the nodes that passes the interfaces is cloned to the capture device; the frames themselves\n"
	"                go on untouched. A bridge stands for all of its ports, those that come later too, and is promiscuous until detach\n"
	"  filter        another filter, at once, without a frame's being judged by half of it\n"
	"  status        what is tapped, by which filter, and what has passed\n"
	"  detach        takes away what attach has made, and nothing else\n"
	"  --on IF,...   interfaces to tap: lo, eth0, docker0 ...\n"
	"  --to IF       the capture device, one end of a veth pair, made if it is not there (default " TO_DEFAULT ")\n"
	"  --read IF     its other end, for the profile of the dataplane (default: --to with a 1 for its last 0, else with a 1 behind it)\n"
	"  --ports P,... TCP ports of the nodes, on either side; left out: any. The same for\n"
	"  --addresses   IPv4 and IPv6 addresses or prefixes, and --vlans (0: without a tag)\n"
	"  --tunnels     whose tunnels (GRE, IP in IP, VXLAN, GENEVE) are cloned whole, by an outer address; left out: none\n"
	"Frames that are larger than on a wire (segmentation offload, a loopback's) are cloned as segments of wire size; with an MTU of 1500 (ip\n"
	"link set lo mtu 1500) that costs least, and none is lost for want of memory (failed). It takes root. The\n"
	"programs stay when it ends, until detach or a restart of the host.\n"
	"examples:\n"
	"  sentinel-tap attach --on lo,eth0 --ports 8545,8546,8551,30303\n"
	"  sentinel-tap attach --on docker0 --addresses 172.17.0.2 --ports 8545\n"
	"  sentinel-tap filter --ports 8545\n"
	"  sentinel-tap status --json\n"
	"and in the profile of the dataplane on this host:\n"
	"  ports: [\"net_af_packet0,iface=sentinel1,framecnt=32768\"]\n";

struct options {
	const char *verb, *on, *to, *read;
	char read_default[17];
	struct filter filter;
	bool filtered, json;
};

static int
say(const char *sentence)
{
	fprintf(stderr, "sentinel-tap: %s\n", sentence);
	return 1;
}

static int
bad(const char *what, const char *arg)
{
	fprintf(stderr, "sentinel-tap: %s%s%s (--help shows what there is)\n", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

/* ---- command line ---- */

static int
filter_option(struct options *o, const char *flag, const char *value)
{
	static const struct {
		const char *flag;
		int (*add)(struct filter *, const char *, char *, size_t);
	} known[] = {{"--ports", filter_text_port}, {"--addresses", filter_text_address}, {"--vlans", filter_text_vlan}, {"--tunnels", filter_text_tunnel}};
	char err[160], what[200];
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(flag, known[i].flag) != 0)
			continue;
		o->filtered = true;
		if (filter_text_list(&o->filter, value, known[i].add, err, sizeof err) == 0)
			return 0;
		snprintf(what, sizeof what, "%s: %s", flag, err);
		return bad(what, NULL);
	}
	return -1;
}

static int
parse_option(struct options *o, const char *flag, const char *value)
{
	const char **name = strcmp(flag, "--on") == 0 ? &o->on : strcmp(flag, "--to") == 0 ? &o->to : strcmp(flag, "--read") == 0 ? &o->read : NULL;
	if (name == NULL) {
		int rc = filter_option(o, flag, value);
		return rc < 0 ? bad("unknown option", flag) : rc;
	}
	if (name != &o->on && (value[0] == '\0' || strlen(value) > 15 || strpbrk(value, "/ :,") != NULL))
		return bad("not the name of an interface", value);
	*name = value;
	return 0;
}

static int
check(struct options *o)
{
	bool attach = strcmp(o->verb, "attach") == 0, filter = strcmp(o->verb, "filter") == 0, status = strcmp(o->verb, "status") == 0;
	if (!attach && !filter && !status && strcmp(o->verb, "detach") != 0)
		return bad("there is attach, filter, status and detach, but not", o->verb);
	if (attach != (o->on != NULL))
		return bad(attach ? "attach needs --on: the interfaces to tap" : "--on goes with attach", NULL);
	if (!attach && (o->to != NULL || o->read != NULL))
		return bad("--to and --read go with attach", NULL);
	if (!attach && !filter && o->filtered)
		return bad("a filter goes with attach and filter", NULL);
	if (filter && !o->filtered)
		return bad("filter needs --ports, --addresses, --vlans or --tunnels (detach ends it all)", NULL);
	if (!status && o->json)
		return bad("--json goes with status", NULL);
	if (o->to == NULL)
		o->to = TO_DEFAULT;
	if (o->read == NULL) {
		size_t n = strlen(o->to);
		snprintf(o->read_default, sizeof o->read_default, "%.*s1", (int)(o->to[n - 1] == '0' ? n - 1 : n), o->to);
		o->read = o->read_default;
	}
	return strlen(o->read) > 15 || strcmp(o->read, o->to) == 0 ? bad("name the other end with --read", NULL) : 0;
}

static int
parse(int argc, char **argv, struct options *o)
{
	*o = (struct options){.verb = argc > 1 ? argv[1] : NULL, .filter = {.given = true}};
	if (o->verb == NULL)
		return bad("say what to do: attach, filter, status or detach", NULL);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
			continue;
		}
		if (argv[i][0] != '-')
			return bad("unexpected argument", argv[i]);
		if (i + 1 == argc)
			return bad("needs a value, or is unknown", argv[i]);
		int rc = parse_option(o, argv[i], argv[i + 1]);
		if (rc != 0)
			return rc;
		i++;
	}
	return check(o);
}

/* ---- verbs ---- */

/* Segments of a wire's size the kernel makes itself, without a copy of the whole. */
static void
advise(const struct tap *t, const char *on)
{
	for (int i = 0; i < t->n_links; i++)
		if (t->links[i].mtu > TAP_FRAME_MAX && link_named(on, t->links[i].name))
			fprintf(stderr,
				"sentinel-tap: %s has an MTU of %u, so that its large frames are cut here: slower, and a frame is lost (failed) where the kernel has no memory in one piece "
				"for it. ip link set %s mtu 1500 spares that\n",
				t->links[i].name, t->links[i].mtu, t->links[i].name);
}

static int
verb_attach(struct tap *t, const struct options *o)
{
	char err[512], text[512];
	struct filter f;
	if (tap_attach(t, o->on, o->to, o->read, o->filtered ? &o->filter : NULL, err, sizeof err) != 0)
		return say(err);
	filter_table_get(&t->map, &f);
	filter_text_print(&f, text, sizeof text);
	fprintf(stderr, "sentinel-tap: %s: %s; cloned to %s, to be read at %s\n", o->on, text, o->to, o->read);
	advise(t, o->on);
	return 0;
}

static int
verb_filter(struct tap *t, const struct options *o)
{
	if (t->map.state == NULL)
		return say("nothing is attached here: sentinel-tap attach --on IF");
	filter_table_set(&t->map, &o->filter, 0);
	return 0;
}

static const char *
capture_name(const struct tap *t)
{
	for (int i = 0; i < t->n_links; i++)
		if (t->book != NULL && t->links[i].index == (int)t->book->to)
			return t->links[i].name;
	return NULL;
}

struct shown {
	const char *name, *help;
	uint64_t n;
};

static unsigned
figures(const struct tap *t, struct shown out[STEER_COUNT])
{
	static const struct shown known[] = {
#define _(id, name, help) {name, help, 0},
		STEER_COUNTERS(_)
#undef _
	};
	uint64_t c[STEER_COUNT];
	filter_table_counts(&t->map, c);
	for (unsigned i = 0; i < STEER_COUNT; i++) {
		out[i] = known[i];
		out[i].n = c[i];
	}
	out[TAP_FAILED].name = "failed";
	out[TAP_FAILED].help = "the nodes', but the capture device did not take it";
	out[TAP_SLICED].name = "sliced";
	out[TAP_SLICED].help = "of those taken: larger than a wire's, cloned in pieces";
	return STEER_COUNT;
}

static void
print_list_16(const char *key, const uint16_t *list, unsigned n)
{
	printf(",\"%s\":[", key);
	for (unsigned i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", list[i]);
	printf("]");
}

static void
print_list_prefix(const char *key, const struct filter_prefix *list, unsigned n)
{
	char text[FILTER_TEXT_PREFIX];
	printf(",\"%s\":[", key);
	for (unsigned i = 0; i < n; i++) {
		filter_text_show(&list[i], text);
		printf("%s\"%s\"", i ? "," : "", text);
	}
	printf("]");
}

/* Names of interfaces may hold anything but a slash and white space. */
static void
print_name(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void
print_json(const struct tap *t, const struct filter *f)
{
	struct shown s[STEER_COUNT];
	const char *to = capture_name(t);
	printf("{\"attached\":%s,\"to\":", t->places > 0 ? "true" : "false");
	if (to != NULL)
		print_name(to);
	else
		printf("null");
	printf(",\"interfaces\":[");
	for (unsigned i = 0; i < t->places; i++) {
		printf("%s{\"name\":", i ? "," : "");
		print_name(t->place[i].interface);
		printf(",\"ingress\":%s,\"egress\":%s}", t->place[i].ingress ? "true" : "false", t->place[i].egress ? "true" : "false");
	}
	printf("]");
	if (t->map.counts != NULL) {
		print_list_16("ports", f->port, f->ports);
		print_list_prefix("addresses", f->address, f->addresses);
		print_list_16("vlans", f->vlan, f->vlans);
		print_list_prefix("tunnels", f->tunnel, f->tunnels);
		printf(",\"counters\":{");
		for (unsigned i = 0, n = figures(t, s); i < n; i++)
			printf("%s\"%s\":\"%llu\"", i ? "," : "", s[i].name, (unsigned long long)s[i].n);
		printf("}");
	}
	printf("}\n");
}

static int
verb_status(const struct tap *t, const struct options *o)
{
	struct filter f = {0};
	struct shown s[STEER_COUNT];
	char text[2048];
	if (t->map.state != NULL)
		filter_table_get(&t->map, &f);
	if (o->json) {
		print_json(t, &f);
	} else if (t->map.counts == NULL) {
		printf("nothing is attached here\n");
	} else {
		const char *to = capture_name(t);
		filter_text_print(&f, text, sizeof text);
		printf("%-20s %s\n%-20s %s\n", "filter", text, "capture device", to != NULL ? to : "gone (sentinel-tap detach, then attach again)");
		for (unsigned i = 0; i < t->places; i++)
			printf("%-20s %s%s%s\n", t->place[i].interface, t->place[i].ingress ? "ingress" : "",
				t->place[i].ingress && t->place[i].egress ? ", " : "", t->place[i].egress ? "egress" : "");
		for (unsigned i = 0, n = figures(t, s); i < n; i++)
			if (s[i].n > 0)
				printf("%-20s %12llu  %s\n", s[i].name, (unsigned long long)s[i].n, s[i].help);
	}
	return fflush(stdout) == 0 ? 0 : say("cannot write standard output");
}

static int
verb_detach(struct tap *t)
{
	char err[512];
	return tap_detach(t, err, sizeof err) == 0 ? 0 : say(err);
}

int
main(int argc, char **argv)
{
	static struct tap t;
	struct options o;
	char err[512];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return 0;
		}
	}
	int rc = parse(argc, argv, &o);
	if (rc != 0)
		return rc;
	if (geteuid() != 0)
		return say("this takes root (sudo sentinel-tap ...)");
	if (strcmp(o.verb, "status") != 0 && tap_lock(err, sizeof err) != 0)
		return say(err);
	bool detach = strcmp(o.verb, "detach") == 0;
	rc = tap_find(&t, err, sizeof err);
	rc = rc != 0 && !(detach && rc == -ENOENT) ? say(err)
	     : detach				? verb_detach(&t)
	     : strcmp(o.verb, "attach") == 0	? verb_attach(&t, &o)
	     : strcmp(o.verb, "filter") == 0	? verb_filter(&t, &o)
						: verb_status(&t, &o);
	tap_forget(&t);
	return rc;
}
