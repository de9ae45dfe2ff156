/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinel-keys: brings the secrets of RLPx sessions to the dataplane, from key logs and from probes in nodes of this machine. */
#include "abi/confine.h"
#include "abi/log.h"
#include "abi/notify.h"
#include "io/keys/link.h"
#include "io/keys/privileges.h"
#include "io/keys/reader.h"
#include "io/keys/target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CHANNEL "/run/sentinel/dataplane.sock"
#define SOURCES_MAX 16u
#define TURN_MS 100
#define TURN_WITH_LOGS_MS 10
#define LOOK_EVERY_MS 1000u
#define TELL_EVERY_MS 60000u

static const char usage_text[] =
	"usage: sentinel-keys [--keylog FILE]... [--geth PID|EXE]... [--of USER]... [--channel SOCKET]\n"
	"       sentinel-keys --check EXE\n"
	"       sentinel-keys --table | --print-sandbox\n"
	"Brings the secrets of RLPx (devp2p) sessions to sentinel-dataplane, which cannot read these sessions without.\n"
	"  --keylog FILE     a key log, read while it grows; a file that takes its place is read too. Mode 0600 or less\n"
	"  --geth PID|EXE    a node on this machine: its program, or one of its processes. Every process of the program is probed, also\n"
	"                    after a restart; by EXE also a newer program of this name. Needs root, most of whose rights are given up\n"
	"  --of USER         of the program's processes, those of this user alone are nodes (name or number). Without, anybody who may run the\n"
	"                    program can hand over more sessions than there is room for: name it where a host has other users\n"
	"  --channel SOCKET  where the dataplane listens (default " DEFAULT_CHANNEL "). It takes sessions from root, or from the user who started it\n"
	"  --check EXE       say what is found in a node's program: the Go that made it, the function, its place; 0 if it can be probed\n"
	"  --no-sandbox      for debuggers: keep every system call\n"
	"  --print-sandbox   print the system calls that it may make once it has begun, and why\n"
	"  --table           print the functions that are probed, and in which nodes\n"
	"examples:\n"
	"  sentinel-keys --check /usr/bin/geth\n"
	"  sentinel-keys --geth /usr/bin/geth --of geth\n"
	"  sentinel-keys --geth $(pidof geth) --keylog /var/lib/sentinel/rlpx.keys\n";

struct options {
	const char *log[SOURCES_MAX], *geth[SOURCES_MAX];
	unsigned logs, geths;
	struct probe_users users;
	const char *channel, *check;
	bool table, help, no_sandbox, print_sandbox;
};

struct keys {
	struct options opt;
	struct store store;
	struct keylog log[SOURCES_MAX];
	struct target target[SOURCES_MAX];
	struct probe *probe;
	int inotify;
	struct link link;
	uint64_t looked_ms, told_ms, told_end, told_lost;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t
now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* Each source is a kind of its own: mistakes in a key log leave room for what is said of the others. */
static void
say_of_target(const char *sentence)
{
	LOG(LOG_NOTE, "%s", sentence);
}

static void
say_of_link(const char *sentence)
{
	LOG(LOG_NOTE, "%s", sentence);
}

static int
fail(const char *sentence)
{
	log_say(NULL, LOG_FAULT, "%s", sentence);
	return 1;
}

static void
complain(void *kind, const char *text)
{
	log_say(kind, LOG_NOTE, "%s", text);
}

/* ---- command line ---- */

static int
bad(const char *what, const char *arg)
{
	fprintf(stderr, "sentinel-keys: %s%s%s (--help shows what there is)\n", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

static int
add_user(struct options *o, const char *name)
{
	uid_t uid;
	gid_t gid;
	char *end;
	unsigned long number = strtoul(name, &end, 10);
	bool is_number = name[0] >= '0' && name[0] <= '9' && *end == 0 && number < UINT32_MAX;
	if (o->users.n == PROBES_USERS_MAX)
		return bad("16 of these at most", "--of");
	if (!is_number && confine_user(name, &uid, &gid) != 0)
		return bad("there is no user of this name", name);
	o->users.user[o->users.n++] = is_number ? (uint32_t)number : uid;
	return 0;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.channel = DEFAULT_CHANNEL};
	for (int i = 1; i < argc; i++) {
		const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool log = strcmp(flag, "--keylog") == 0, geth = strcmp(flag, "--geth") == 0, of = strcmp(flag, "--of") == 0;
		const char **one = strcmp(flag, "--channel") == 0 ? &o->channel
				   : strcmp(flag, "--check") == 0 ? &o->check
								  : NULL;
		bool *set = strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0 ? &o->help
			    : strcmp(flag, "--table") == 0			   ? &o->table
			    : strcmp(flag, "--no-sandbox") == 0			   ? &o->no_sandbox
			    : strcmp(flag, "--print-sandbox") == 0		   ? &o->print_sandbox
										   : NULL;
		if (set != NULL) {
			*set = true;
			continue;
		}
		if (!log && !geth && !of && one == NULL)
			return bad(flag[0] == '-' ? "unknown option" : "unexpected argument", flag);
		if (value == NULL || value[0] == 0)
			return bad("needs a value", flag);
		if ((log && o->logs == SOURCES_MAX) || (geth && o->geths == SOURCES_MAX))
			return bad("16 of these at most", flag);
		if (of && add_user(o, value) != 0)
			return 2;
		if (log)
			o->log[o->logs++] = value;
		else if (geth)
			o->geth[o->geths++] = value;
		else if (one != NULL)
			*one = value;
		i++;
	}
	if (!o->help && !o->table && !o->print_sandbox && o->check == NULL && o->logs + o->geths == 0)
		return bad("nothing to bring: name a --keylog or a node (--geth)", NULL);
	return 0;
}

static int
print_table(void)
{
	for (unsigned i = 0; i < PROBES_ROWS; i++) {
		const struct probes_row *r = &probes_table[i];
		printf("%u  %s\n   %s\n   made by Go 1.%u", i + 1, r->name, r->function, r->from);
		printf(r->to ? " to 1.%u\n" : " or newer\n", r->to);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- sources ---- */

static void
on_session(void *ctx, const struct rlpx_key *key, uint32_t pid)
{
	struct keys *k = ctx;
	(void)pid;
	store_add(&k->store, key);
}

static void
read_log(struct keys *k, struct keylog *log)
{
	store_log(&k->store, log, keylog_read(log));
}

/* A file that is not there yet is waited for; one that others may read is a mistake that somebody must mend. */
static int
open_log(struct keys *k, unsigned i)
{
	static struct log_kind kind[SOURCES_MAX];
	struct keylog *log = &k->log[i];
	int rc = keylog_begin(log, k->opt.log[i], 0, complain, &kind[i]);
	if (rc == 0)
		rc = keylog_read(log);
	if (rc < 0 && rc != -ENOENT)
		return 1;
	if (rc == -ENOENT)
		log_say(&kind[i], LOG_NOTE, "%s: waiting for it", k->opt.log[i]);
	store_log(&k->store, log, rc);
	return 0;
}

static int
open_targets(struct keys *k)
{
	char err[512];
	if (k->opt.geths == 0)
		return 0;
	for (unsigned i = 0; i < k->opt.geths; i++) {
		if (target_init(&k->target[i], k->opt.geth[i], say_of_target, err, sizeof err) != 0)
			return fail(err);
	}
	k->probe = probe_open(on_session, k, &k->opt.users, err, sizeof err);
	if (k->probe == NULL)
		return fail(err);
	k->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (unsigned i = 0; i < k->opt.geths; i++)
		if (target_turn(&k->target[i], k->probe, k->inotify) != 0)
			return 1;
	return 0;
}

/* ---- running ---- */

static void
hear_writes(struct keys *k)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;
	while (k->inotify >= 0 && (n = read(k->inotify, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(const void *)(buffer + at);
			for (unsigned i = 0; i < k->opt.geths && (e->mask & IN_MODIFY); i++)
				target_written(&k->target[i], k->inotify, e->wd);
			at += (ssize_t)sizeof *e + e->len;
		}
	}
}

static void
tell(struct keys *k, uint64_t now)
{
	char text[256], others[64] = "";
	struct probe_counters c = {0};
	if (k->probe != NULL)
		c = probe_count(k->probe);
	uint64_t lost = c.lost + c.refused + c.odd;
	if (k->store.end == k->told_end && lost == k->told_lost)
		return;
	if (c.others > 0)
		snprintf(others, sizeof others, "; %llu of other users left out", (unsigned long long)c.others);
	snprintf(text, sizeof text, "%llu sessions so far, %llu handed over; %llu lost for want of room, %llu not as they must be%s", (unsigned long long)k->store.end,
		(unsigned long long)k->link.handed, (unsigned long long)c.lost, (unsigned long long)(c.refused + c.odd), others);
	log_say(NULL, LOG_NOTE, "%s", text);
	notify_send("STATUS=%s", text);
	k->told_ms = now;
	k->told_end = k->store.end;
	k->told_lost = lost;
}

static void
turn(struct keys *k)
{
	uint64_t now = now_ms();
	hear_writes(k);
	if (k->probe != NULL)
		probe_take(k->probe);
	for (unsigned i = 0; i < k->opt.logs; i++)
		read_log(k, &k->log[i]);
	if (now - k->looked_ms >= LOOK_EVERY_MS) {
		for (unsigned i = 0; i < k->opt.geths; i++)
			target_turn(&k->target[i], k->probe, k->inotify);
		k->looked_ms = now;
	}
	link_turn(&k->link, &k->store, now);
	if (now - k->told_ms >= TELL_EVERY_MS)
		tell(k, now);
}

static void
run(struct keys *k)
{
	notify_send("READY=1\nSTATUS=serving");
	while (!stop) {
		turn(k);
		struct pollfd fd[] = {{k->probe != NULL ? probe_fd(k->probe) : -1, POLLIN, 0}, {k->inotify, POLLIN, 0}, {k->link.fd, POLLIN, 0}};
		poll(fd, 3, k->opt.logs > 0 ? TURN_WITH_LOGS_MS : TURN_MS);
	}
	notify_send("STOPPING=1\nSTATUS=ending");
	tell(k, now_ms());
}

static void
shut(struct keys *k)
{
	link_close(&k->link);
	for (unsigned i = 0; i < k->opt.geths; i++)
		target_close(&k->target[i], k->inotify);
	probe_close(k->probe);
	for (unsigned i = 0; i < k->opt.logs; i++)
		if (k->log[i].list != NULL)
			keylog_close(&k->log[i]);
	explicit_bzero(&k->store, sizeof k->store);
}

static int
start(struct keys *k)
{
	char err[512];
	mlock(&k->store, sizeof k->store); /* secrets stay out of swap where that may be asked for */
	if (k->opt.geths > 0 && reader_start(!k->opt.no_sandbox, err, sizeof err) != 0)
		return fail(err);
	for (unsigned i = 0; i < k->opt.logs; i++)
		if (open_log(k, i) != 0)
			return 1;
	if (open_targets(k) != 0)
		return 1;
	if (privileges_drop(k->opt.geths > 0, err, sizeof err) != 0)
		return fail(err);
	if (k->opt.no_sandbox)
		log_say(NULL, LOG_WARN, "--no-sandbox: every system call stays allowed; not for a box that is in use");
	else if (privileges_confine(k->opt.geths > 0 ? PRIVILEGES_PROBES : 0, err, sizeof err) != 0)
		return fail(err);
	link_init(&k->link, k->opt.channel, say_of_link);
	k->told_ms = now_ms();
	return 0;
}

int
main(int argc, char **argv)
{
	static struct keys k;
	int rc = parse_options(argc, argv, &k.opt);
	if (rc != 0)
		return rc;
	if (k.opt.help)
		return fputs(usage_text, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 1;
	if (k.opt.table)
		return print_table();
	if (k.opt.print_sandbox)
		return confine_print(&privileges_table, stdout) == 0 && fflush(stdout) == 0 ? 0 : 1;
	if (k.opt.check != NULL)
		return program_print(k.opt.check, stdout);
	log_begin("sentinel-keys");
	notify_open();
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	k.inotify = k.link.fd = -1;
	rc = start(&k);
	if (rc == 0)
		run(&k);
	shut(&k);
	return rc;
}
