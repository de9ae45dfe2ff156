/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/ending.h"
#include "abi/log.h"
#include "abi/notify.h"
#include "control/audit.h"
#include "control/control.h"
#include "control/deliver/outlet.h"
#include "control/realtime.h"
#include "control/sandbox.h"
#include "control/vetting.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ATTACH_EVERY_NS 1000000u
#define QUIET_COMMIT_EVERY_NS 20000000u /* acks alone do not make a commit more often than this */
#define TIDY_EVERY_NS 10000000000u
#define IDLE_NS 50000u
#define ALONE_NS 2000000u /* no dataplane: nothing that hurries */
#define SAY_WAITING_NS 2000000000u
#define GONE_PATIENCE_NS 5000000000u
#define GOODBYE_NS 1000000000u
#define PULSE_EVERY_NS 5000000000u
#define ONCE_GOODBYE_NS 10000000000u
#define STACK_BYTES (384u << 10) /* more than the drain takes */

static const struct outlet *const outlets[] = {&outlet_unixsock};
#define OUTLETS (sizeof outlets / sizeof outlets[0])

static const char usage_text[] =
	"usage: sentinel-control [--channel SOCKET] [--socket SOCKET] [--journal DIR] [--once] ...\n"
	"  --channel SOCKET   where sentinel-dataplane offers its rings (default " CONTROL_DEFAULT_CHANNEL
	")\n"
	"  --socket SOCKET    where consumers and sentinelctl connect (default " CONTROL_DEFAULT_SOCKET ")\n"
	"  --journal DIR      the journal's folder (default " CONTROL_DEFAULT_JOURNAL ")\n"
	"  --source-name URN  who the alerts say they come from (default urn:sentinel:local:HOSTNAME)\n"
	"  --journal-mb N     start a new journal file after N MB (default 64)\n"
	"  --keep-mb N        retire old journal files beyond N MB in all (default 4096); while a consumer with a name "
	"has\n"
	"                     not acknowledged a pause-grade alert in them they stay; one that never comes back:\n"
	"                     sentinelctl forget NAME\n"
	"  --node URL         ask this node (http://HOST:PORT, or unix:PATH of a socket that speaks HTTP) whether what would pause "
	"is viable;\n"
	"                     up to 4 times, the first definite answer counts. Such alerts go out as page at once; the answer "
	"follows\n"
	"  --vet-ms N         how long a node may take to answer (default 250)\n"
	"  --realtime         run the drain and the delivery with real-time priority (needs CAP_SYS_NICE or an rtprio limit)\n"
	"  --once             end, with status 0, when the dataplane has read its capture and all is "
	"journaled\n"
	"  --no-sandbox       keep every right; for debuggers only\n"
	"  --print-sandbox    show the system calls that it may make while it runs, each with its reason, and end\n"
	"  --verify           check the hash chain of the journal in --journal DIR and end\n"
	"examples:\n"
	"  sentinel-control --channel ./dataplane.sock --socket ./control.sock --journal ./journal\n"
	"  sentinel-control --realtime --source-name urn:sentinel:fleet1:box7\n"
	"  sentinel-control --node http://127.0.0.1:8545 --vet-ms 100\n"
	"  sentinel-control --verify --journal ./journal\n";

struct run {
	struct control c;
	struct batch batch;
	struct attach attach;
	struct outlet_state *outlet[OUTLETS];
	bool draining_gone, said_waiting, ended_early;
	int page_fd; /* a memory page that the dataplane has not taken yet; -1: none */
	uint64_t page_number, page_bytes;
	uint64_t pulse_at_ns, pulse_every_ns;
	uint64_t attach_at_ns, commit_at_ns, tidy_at_ns, gone_at_ns, done_at_ns, started_ns;
};

static _Atomic bool stop;

static int
say(const char *sentence)
{
	log_say(NULL, LOG_FAULT, "%s", sentence);
	return 1;
}

/* ---- command line ---- */

static int
bad(const char *what, const char *arg)
{
	fprintf(stderr, "sentinel-control: %s%s%s (--help shows what there is)\n", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

static int
take_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || v < 1 || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int
take_value(struct control_options *o, const char *flag, const char *text)
{
	if (strcmp(flag, "--node") == 0) {
		if (o->vet.n_nodes == VET_NODES_MAX)
			return bad("there are at most 4 of", flag);
		o->vet.node[o->vet.n_nodes++] = text;
		return 0;
	}
	if (strcmp(flag, "--vet-ms") == 0)
		return take_number(text, VET_DEADLINE_MS_MAX, &o->vet.deadline_ms) == 0 ? 0 : bad("needs milliseconds from 1 to 10000", flag);
	return take_number(text, 1u << 30, strcmp(flag, "--keep-mb") == 0 ? &o->keep_mb : &o->journal_mb) == 0
		       ? 0
		       : bad("needs a number of MB from 1", flag);
}

static int
parse_options(int argc, char **argv, struct control_options *o)
{
	*o = (struct control_options){.channel = CONTROL_DEFAULT_CHANNEL,
		.socket = CONTROL_DEFAULT_SOCKET,
		.journal = CONTROL_DEFAULT_JOURNAL,
		.journal_mb = 64,
		.keep_mb = 4096,
		.vet = {.deadline_ms = VET_DEADLINE_MS}};
	const struct {
		const char *flag;
		const char **value;
		bool *set;
	} known[] = {{"--channel", &o->channel, NULL}, {"--socket", &o->socket, NULL},
		{"--journal", &o->journal, NULL}, {"--source-name", &o->source_name, NULL},
		{"--journal-mb", NULL, NULL}, {"--keep-mb", NULL, NULL}, {"--node", NULL, NULL}, {"--vet-ms", NULL, NULL},
		{"--realtime", NULL, &o->realtime}, {"--once", NULL, &o->once},
		{"--no-sandbox", NULL, &o->no_sandbox}, {"--print-sandbox", NULL, &o->print_sandbox},
		{"--verify", NULL, &o->verify}, {"--help", NULL, &o->help}, {"-h", NULL, &o->help}};
	const size_t n = sizeof known / sizeof known[0];
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < n && strcmp(argv[i], known[k].flag) != 0)
			k++;
		if (k == n)
			return bad(argv[i][0] == '-' ? "unknown option" : "unexpected argument", argv[i]);
		if (known[k].set != NULL) {
			*known[k].set = true;
			continue;
		}
		if (++i == argc)
			return bad("needs a value", known[k].flag);
		if (known[k].value != NULL)
			*known[k].value = argv[i];
		else if (take_value(o, known[k].flag, argv[i]) != 0)
			return 2;
	}
	return 0;
}

static int
default_source(struct control_options *o)
{
	static char name[128];
	char host[64] = "box";
	if (o->source_name == NULL) {
		gethostname(host, sizeof host - 1);
		snprintf(name, sizeof name, "urn:sentinel:local:%s", host);
		o->source_name = name;
	}
	size_t n = strlen(o->source_name);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)o->source_name[i] <= ' ' || (unsigned char)o->source_name[i] > '~')
			n = 0;
	return n >= 1 && n <= 200
		       ? 0
		       : bad("--source-name is a URI of at most 200 printable characters", o->source_name);
}

/* ---- coming and going of the dataplane ---- */

static void
epoch_text(const uint8_t epoch[8], char out[17])
{
	for (unsigned i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02x", epoch[i]);
}

static void
came(struct run *r, struct dataplane *d)
{
	char epoch[17], detail[192];
	bool again = r->c.drain.attached && memcmp(r->c.drain.d.epoch, d->epoch, sizeof d->epoch) == 0;
	epoch_text(d->epoch, epoch);
	LOG(LOG_NOTE, "attached to %s dataplane (pid %" PRIu32 ", epoch %s, %" PRIu32 " rings)",
		again ? "the same" : "a", d->pid, epoch, d->n_rings);
	snprintf(detail, sizeof detail,
		"{\"epoch\":\"%s\",\"pid\":\"%" PRIu32 "\",\"generation\":\"%" PRIu64 "\"}", epoch, d->pid,
		d->generation);
	journal_note(r->c.journal, control_wall_ns(), "attached", detail);
	blind_came(&r->c.blind, d->stats, r->c.journal, control_wall_ns());
	drain_attach(&r->c.drain, d, r->c.journal);
	atomic_fetch_add(&r->c.attachments, 1);
	r->said_waiting = false;
}

static void
gone(struct run *r, uint64_t now_ns)
{
	char epoch[17], detail[64];
	epoch_text(r->c.drain.d.epoch, epoch);
	LOG(LOG_NOTE, "the dataplane (pid %" PRIu32
		") has hung up; taking what it left in its rings",
		r->c.drain.d.pid);
	snprintf(detail, sizeof detail, "{\"epoch\":\"%s\"}", epoch);
	journal_note(r->c.journal, control_wall_ns(), "gone", detail);
	blind_gone(&r->c.blind, r->c.drain.d.stats);
	r->draining_gone = true;
	r->gone_at_ns = now_ns;
}

/* What is known goes to the dataplane that has just come, and again when operators change their list. */
static void
see_to_memory(struct run *r)
{
	uint64_t number, bytes;
	int fd = recall_page(r->c.recall, &number, &bytes);
	if (fd >= 0) {
		if (r->page_fd >= 0)
			close(r->page_fd);
		r->page_fd = fd;
		r->page_number = number;
		r->page_bytes = bytes;
	}
	if (r->page_fd < 0 || attach_remember(&r->attach, r->page_fd, r->page_number, r->page_bytes) == -EAGAIN)
		return;
	close(r->page_fd);
	r->page_fd = -1;
}

static void
wake_outlets(struct run *r)
{
	for (size_t k = 0; k < OUTLETS; k++)
		if (r->outlet[k] != NULL)
			outlets[k]->wake(r->outlet[k]);
}

static void
see_to_channel(struct run *r, uint64_t now_ns)
{
	struct dataplane d;
	if (r->draining_gone || now_ns < r->attach_at_ns)
		return;
	r->attach_at_ns = now_ns + ATTACH_EVERY_NS;
	see_to_memory(r);
	if (profile_turn(r->c.profile, &r->attach, r->c.journal, now_ns))
		wake_outlets(r);
	blind_alive(&r->c.blind, r->c.drain.alive ? r->c.drain.d.stats : NULL, control_wall_ns());
	switch (attach_poll(&r->attach, now_ns, &d)) {
	case ATTACH_CAME:
		came(r, &d);
		if (attach_takes_memory(&r->attach))
			recall_want_page(r->c.recall);
		break;
	case ATTACH_BUNDLE:
		drain_names(&r->c.drain, r->attach.names, r->attach.generation);
		r->attach.names = NULL;
		break;
	case ATTACH_GONE:
		gone(r, now_ns);
		break;
	case ATTACH_REFUSED:
		LOG(LOG_WARN, "what answers at %s cannot be used: %s", r->attach.path,
			r->attach.why);
		break;
	case ATTACH_SAID:
		profile_said(r->c.profile, &r->attach, r->c.drain.d.stats, r->c.journal);
		break;
	case ATTACH_NOTHING:
		break;
	}
	if (!r->c.drain.alive && !r->said_waiting && now_ns - r->started_ns > SAY_WAITING_NS) {
		r->said_waiting = true;
		LOG(LOG_NOTE, "waiting for sentinel-dataplane at %s (%s)",
			r->attach.path,
			r->attach.last_errno ? strerror(r->attach.last_errno)
			: r->attach.fd >= 0  ? "connected, but not offered anything yet"
					     : "it has hung up");
	}
}

/* ---- a turn ---- */

static void
announce(struct run *r)
{
	for (uint32_t i = 0; i < r->batch.n; i++) {
		struct entry *e = &r->batch.e[i];
		if (e->loss || e->announced || e->front_ns != 0 || e->record.grade < GRADE_PAUSE)
			continue;
		bool taken = false;
		e->announced = true;
		for (size_t k = 0; k < OUTLETS; k++)
			taken |= outlets[k]->announce(r->outlet[k], e, r->batch.evidence);
		atomic_fetch_add_explicit(taken ? &r->c.undurable : &r->c.untold, 1, memory_order_relaxed);
		if (!taken)
			LOG(LOG_FAULT, "%" PRIu64 " alerts of pause grade are not told while the journal is down: there is no room behind those that consumers have not "
				"read yet", atomic_load_explicit(&r->c.untold, memory_order_relaxed));
	}
}

static void
make_durable(struct run *r, uint64_t now_ns)
{
	uint64_t wall_ns = control_wall_ns();
	latency_begin(&r->c.latency, &r->batch);
	if (journal_front(r->c.journal, &r->batch, wall_ns)) {
		latency_committed(&r->c.latency, control_wall_ns());
		for (size_t k = 0; k < OUTLETS; k++)
			outlets[k]->hand_over(r->outlet[k]);
	}
	if (journal_commit(r->c.journal, &r->batch, wall_ns) == 0) {
		latency_committed(&r->c.latency, control_wall_ns());
	} else {
		announce(r);
		batch_shed(&r->batch);
	}
	atomic_store_explicit(&r->c.lost_untold, batch_lost(&r->batch), memory_order_relaxed);
	atomic_store_explicit(&r->c.verdicts_shed, r->batch.verdicts_shed, memory_order_relaxed);
	drain_release(&r->c.drain);
	r->commit_at_ns = now_ns + QUIET_COMMIT_EVERY_NS;
	wake_outlets(r);
}

/* Returns how much there was to do. */
static unsigned
turn(struct run *r)
{
	uint64_t now_ns = control_monotonic_ns();
	see_to_channel(r, now_ns);
	unsigned verdicts = vetting_take(r->c.vet, &r->batch);
	uint32_t from = r->batch.n;
	unsigned work = drain_turn(&r->c.drain, &r->batch) + verdicts;
	if (r->c.drain.ask)
		vetting_ask(r->c.vet, &r->batch, from);
	work += nodes_turn(&r->c.nodes, &r->c.drain, &r->batch, r->c.journal, now_ns, control_wall_ns());
	if (work > 0 || (now_ns >= r->commit_at_ns && journal_wants(r->c.journal, control_wall_ns())))
		make_durable(r, now_ns);
	else
		journal_idle(r->c.journal, now_ns);
	if (r->draining_gone && (work == 0 || now_ns - r->gone_at_ns > GONE_PATIENCE_NS)) {
		r->draining_gone = false;
		drain_gone(&r->c.drain);
		r->ended_early = !drain_source_done(&r->c.drain);
	}
	if (now_ns >= r->tidy_at_ns) {
		r->tidy_at_ns = now_ns + TIDY_EVERY_NS;
		journal_tidy(r->c.journal, control_wall_ns());
	}
	return work;
}

static bool
all_settled(struct run *r)
{
	for (size_t k = 0; k < OUTLETS; k++)
		if (!outlets[k]->settled(r->outlet[k]))
			return false;
	return true;
}

static void
doze(uint64_t ns)
{
	nanosleep(
		&(struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)},
		NULL);
}

/* --once: everything is read, journaled and passed on to whoever is connected. */
static bool
is_over(struct run *r, unsigned work)
{
	uint64_t now_ns = control_monotonic_ns();
	if (work > 0 || r->batch.n > 0 || !drain_source_done(&r->c.drain) || vet_busy(r->c.vet))
		return false;
	if (r->done_at_ns == 0)
		r->done_at_ns = now_ns;
	return all_settled(r) || now_ns - r->done_at_ns > ONCE_GOODBYE_NS;
}

/* That the drain turns is what systemd is told; a journal that has failed is not: starting again would not mend the disk, and would cost
 * the alerts of pause grade that go out without it. */
static void
pulse(struct run *r)
{
	uint64_t now_ns = control_monotonic_ns();
	if (ending_hangup())
		LOG(LOG_NOTE, "SIGHUP does nothing here (SIGTERM ends)");
	if (now_ns < r->pulse_at_ns)
		return;
	r->pulse_at_ns = now_ns + r->pulse_every_ns;
	struct journal_status journal;
	journal_status_get(r->c.journal, &journal);
	notify_send("WATCHDOG=1\nSTATUS=%s, journal %s", r->c.drain.alive ? "attached to a dataplane" : "waiting for a dataplane",
		journal.down ? "DOWN" : "well");
}

static int
loop(struct run *r)
{
	uint64_t watchdog_ns = notify_watchdog_ns();
	r->pulse_every_ns = watchdog_ns > 0 && watchdog_ns / 3 < PULSE_EVERY_NS ? watchdog_ns / 3 : PULSE_EVERY_NS;
	notify_send("READY=1\nSTATUS=serving");
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		unsigned work = turn(r);
		pulse(r);
		if (r->c.opt.once && is_over(r, work))
			return 0;
		if (r->c.opt.once && r->ended_early)
			return say("the dataplane went away before it had read its capture to the end");
		if (work == 0)
			doze(r->c.drain.alive ? IDLE_NS : ALONE_NS);
	}
	return 0;
}

static int
finish(struct run *r, int rc)
{
	uint64_t until_ns = control_monotonic_ns() + GOODBYE_NS;
	notify_send("STOPPING=1\nSTATUS=ending");
	while (turn(r) > 0 && control_monotonic_ns() < until_ns)
		;
	while (!all_settled(r) && control_monotonic_ns() < until_ns)
		doze(ALONE_NS);
	journal_note(r->c.journal, control_wall_ns(), "stopped", "{}");
	make_durable(r, control_monotonic_ns());
	if (r->batch.n > 0) {
		LOG(LOG_FAULT, "the journal is down: %" PRIu64 " alerts are lost that it has not told "
			"of, %" PRIu32 " of pause grade are not journaled, and %" PRIu32 " that were told are in %s/front alone: keep it",
			batch_lost(&r->batch), batch_kept(&r->batch), batch_front(&r->batch), r->c.opt.journal);
		rc = 1;
	}
	return rc;
}

/* ---- start ---- */

/* A stack that is locked and grows is held against the memlock limit once the right to lock is given up, and what passes it ends the process. */
__attribute__((noinline)) static void
grow_stack(void)
{
	volatile char room[STACK_BYTES];
	for (size_t i = 0; i < sizeof room; i += 4096)
		room[i] = 0;
}

static void
take_priority(void)
{
	int rc = realtime_take(REALTIME_DRAIN);
	if (rc != 0)
		LOG(LOG_WARN, "no real-time priority (%s): give the process CAP_SYS_NICE or "
			"raise its rtprio limit;"
			" going on without",
			strerror(-rc));
	grow_stack();
	if (mlockall(MCL_CURRENT) != 0)
		LOG(LOG_WARN, "memory is not locked (%s): raise the memlock limit; going on "
			"without",
			strerror(errno));
}

static void
tear_down(struct run *r, size_t up)
{
	while (up > 0) {
		up--;
		outlets[up]->stop(r->outlet[up]);
	}
	vet_stop(r->c.vet);
	recall_stop(r->c.recall);
	if (r->page_fd >= 0)
		close(r->page_fd);
	journal_close(r->c.journal);
	profile_desk_free(r->c.profile);
	blind_close(&r->c.blind);
}

/* What serves the outlets and the drain. 0, or the exit status. */
static int
set_up(struct run *r)
{
	char err[512];
	r->c.vet = vet_start(&r->c.opt.vet, err, sizeof err);
	if (r->c.vet == NULL) {
		int rc = errno == EINVAL ? 2 : 1;
		say(err);
		return rc;
	}
	r->c.profile = profile_desk_new();
	if (r->c.profile == NULL)
		return say("no memory");
	if (blind_open(&r->c.blind, r->c.opt.journal, control_wall_ns()) != 0)
		say("the times in which nobody looked cannot be kept over a restart: the journal's folder takes no file `blind`");
	r->c.recall = recall_start(r->c.journal, r->c.opt.journal, err, sizeof err);
	if (r->c.recall == NULL)
		return say(err);
	r->c.drain.ask = vet_has_nodes(r->c.vet);
	journal_note(r->c.journal, control_wall_ns(), "started", "{}");
	int asked = vetting_resume(r->c.vet, r->c.journal, control_wall_ns());
	if (asked < 0)
		say("cannot read about what a node was being asked when control ended");
	else if (asked > 0)
		LOG(LOG_NOTE, "%d alerts about which a node was being asked when control ended", asked);
	return 0;
}

static int
serve(struct run *r)
{
	char err[512];
	struct journal_options j = {.dir = r->c.opt.journal,
		.file_bytes = r->c.opt.journal_mb << 20,
		.keep_bytes = r->c.opt.keep_mb << 20};
	size_t up = 0;
	r->page_fd = -1;
	r->started_ns = r->c.started_ns = control_monotonic_ns();
	if (batch_new(&r->batch) != 0)
		return say("no memory");
	if (attach_init(&r->attach, r->c.opt.channel) != 0)
		return say("the path of --channel is too long for a socket");
	if (control_sandbox_paths(&r->c.opt, err, sizeof err) != 0)
		return say(err);
	r->c.journal = journal_open(&j, err, sizeof err);
	if (r->c.journal == NULL)
		return say(err);
	int rc = journal_recover(r->c.journal, &r->batch, control_wall_ns(), err, sizeof err);
	if (rc > 0)
		make_durable(r, r->started_ns);
	rc = rc < 0 ? say(err) : set_up(r);
	while (rc == 0 && up < OUTLETS && (r->outlet[up] = outlets[up]->start(&r->c, err, sizeof err)) != NULL)
		up++;
	if (rc == 0 && up < OUTLETS) {
		rc = say(err);
	} else if (rc == 0) {
		LOG(LOG_NOTE, "journal in %s, consumers connect at %s, looking for the dataplane "
			"at %s",
			j.dir, r->c.opt.socket, r->attach.path);
		if (!atomic_load_explicit(&stop, memory_order_relaxed))
			control_sandbox_resolver(&r->c.opt);
		if (r->c.opt.realtime)
			take_priority();
		rc = control_sandbox_enter(&r->c.opt, err, sizeof err) != 0 ? say(err) : finish(r, loop(r));
	}
	tear_down(r, up);
	return rc;
}

static int
verify(const char *dir)
{
	char err[512];
	uint64_t entries;
	int rc = audit_verify(dir, &entries, err, sizeof err);
	if (rc != 0) {
		LOG(LOG_FAULT, "the journal does not verify: %s", err);
		return 1;
	}
	printf("the journal verifies: %" PRIu64 " audit entries\n", entries);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct run r;
	log_begin("sentinel-control");
	int rc = parse_options(argc, argv, &r.c.opt);
	if (rc == 0 && r.c.opt.help) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (rc == 0 && r.c.opt.print_sandbox)
		return confine_print(&control_sandbox_table, stdout) == 0 && fflush(stdout) == 0 ? 0 : say("cannot write standard output");
	if (rc == 0)
		rc = default_source(&r.c.opt);
	if (rc != 0)
		return rc;
	if (r.c.opt.verify)
		return verify(r.c.opt.journal);
	umask(0027);
	ending_watch(&stop);
	signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a failed write, not a death */
	notify_open();
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	if (r.c.opt.realtime)
		realtime_sqlite();
	drain_init(&r.c.drain);
	nodes_init(&r.c.nodes);
	rc = serve(&r);
	attach_end(&r.attach);
	drain_end(&r.c.drain);
	nodes_end(&r.c.nodes);
	batch_free(&r.batch);
	return rc;
}
