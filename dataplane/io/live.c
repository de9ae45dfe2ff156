/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/live.h"

#include "abi/ending.h"
#include "abi/log.h"
#include "abi/notify.h"
#include "abi/shm.h"
#include "io/apply.h"
#include "io/attach.h"
#include "io/box.h"
#include "io/eal.h"
#include "io/filter_text.h"
#include "io/nodes.h"
#include "io/ports.h"
#include "io/profile.h"
#include "io/pulse.h"
#include "io/recall.h"
#include "io/sandbox_ports.h"
#include "io/sessions.h"
#include "io/share.h"
#include "io/steering.h"
#include "io/timekeep.h"
#include "io/wallclock.h"
#include "worker/lcore.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define INCIDENTS (1u << 14)
#define KEPT_BYTES (64ull << 20)
#define ARMED (1u << 16)
#define ASIDE_BYTES (16ull << 20)
#define IN_FLIGHT (1u << 16)
#define LIVES (1u << 17)
#define DEFAULT_CHANNEL "/run/sentinel/dataplane.sock"
#define TURN_NS 1000000
#define PRIORITY 5 /* control's threads have 9 and 10: they have little to do, and somebody waits for it */
#define STATS_EVERY_NS 100000000u
#define SAY_WAITING_NS 2000000000u

static const char usage_text[] =
	"usage: sentinel-dataplane [--profile BOX.yaml] --bundle FILE [--source CAPTURE] [--rlpx-keys FILE] [--channel SOCKET]\n"
	"                          [--stay] [--user NAME] [--realtime] [--no-sandbox]\n"
	"       sentinel-dataplane --offline VERB ...   (see --offline --help)\n"
	"  --profile FILE     the box: cores, ports, memory, feeds, protocols (default: one worker, no port, every feed)\n"
	"  --bundle FILE      the compiled rules (sentinel-rulec compile PATH -o FILE)\n"
	"  --source CAPTURE   read this pcap file instead of ports; ends when control has consumed the last alert\n"
	"  --rlpx-keys FILE   key log of RLPx (devp2p) sessions, read while it grows; only its owner may read it. A file that takes its place\n"
	"                     is not read: sentinel-keys follows those\n"
	"  --channel SOCKET   where sentinel-control attaches (default " DEFAULT_CHANNEL ")\n"
	"  --stay             with --source: keep serving after the end of the file\n"
	"  --user NAME        whom to become before the first frame is read (default, as root: " SANDBOX_USER ", if there is that user)\n"
	"  --realtime         with idle: sleep, on cores that others use too: the lcores go before whoever has an ordinary priority, and behind\n"
	"                     sentinel-control --realtime (needs CAP_SYS_NICE or an rtprio limit)\n"
	"  --no-sandbox       keep every right; for debuggers only\n"
	"  --print-sandbox    show the system calls that it may make while it runs, each with its reason, and end\n"
	"  --print-topology   show the table of lcores, ports and rings and end\n"
	"examples:\n"
	"  sentinel-dataplane --source capture.pcap --bundle default.bundle --channel ./dataplane.sock\n"
	"  sentinel-dataplane --profile box.yaml --bundle /var/lib/sentinel/rules.bundle\n"
	"  sentinel-dataplane --profile box.yaml --print-topology      # what it makes of a profile\n"
	"a profile (YAML, every key optional):\n"
	"  huge_pages: true                           # for PCI devices, and interfaces by AF_XDP\n"
	"  ports: [\"0000:03:00.0\", {device: \"0000:03:00.1\", args: \"mprq_en=1\", checksum: verify}, {interface: eth1, steer: true}]\n"
	"  filter: {ports: [8545, 8546, 30303]}       # of steered ports, what is the nodes'; also addresses, vlans\n"
	"  nodes: {geth-1: {addresses: [\"192.0.2.2\"], silence_s: 60}}     # figures and alarms of their own; also feeds\n"
	"  feeds: {websocket: [8546], grpc: off}      # only on these ports; not at all; others by detection, on any\n"
	"  chains: [1, 8453]                          # scan transactions of these alone\n"
	"  protocols: {aave-v3: [\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2\"]}      # figures of their own on the status screen\n"
	"  rlpx_keys: /var/lib/sentinel/rlpx.keys     # by hand; sentinel-keys brings them to a service\n";

struct options {
	const char *profile, *bundle, *source, *channel, *keys;
	struct sandbox_options sandbox;
	bool stay, realtime, print_topology, print_sandbox, help;
};

struct live {
	struct options opt;
	struct topology topo;
	struct apply apply;
	struct topology base, as_said; /* without the profile, and with it; topo also has what was made of that */
	uint32_t cpus;
	struct bundle_file bundle;
	struct stats_page *stats;
	int stats_fd, bundle_fd;
	struct clock clock;
	struct timekeep timekeep;
	struct wallclock clock_from; /* before EAL, which takes its time */
	struct ports ports;
	struct steering steering;
	struct attach attach;
	struct correlator correlator;
	struct lives lives;
	struct correlator_rings rings;
	struct lcore_correlator corr;
	struct lcore_worker worker[TOPOLOGY_WORKERS_MAX];
	struct share share[TOPOLOGY_WORKERS_MAX];
	struct sessions sessions;
	struct recall recall;
	const struct protect *protect;
	uint8_t seen_key[32]; /* the same for all workers: they speak of the same transactions */
	uint8_t epoch[8];
	struct pulse pulse;
	bool sandboxed; /* nothing can be opened, unlinked, or closed by a driver */
	bool told; /* with --stay: that there is nothing more to come */
};

static _Atomic bool stop;

static uint64_t
wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
monotonic_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

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
	fprintf(stderr, "sentinel-dataplane: %s%s%s (--help shows what there is)\n", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){.channel = DEFAULT_CHANNEL};
	const struct {
		const char *flag;
		const char **value;
		bool *set;
	} known[] = {{"--profile", &o->profile, NULL}, {"--bundle", &o->bundle, NULL}, {"--source", &o->source, NULL},
		{"--channel", &o->channel, NULL}, {"--rlpx-keys", &o->keys, NULL}, {"--stay", NULL, &o->stay}, {"--print-topology", NULL, &o->print_topology},
		{"--user", &o->sandbox.user, NULL}, {"--realtime", NULL, &o->realtime}, {"--no-sandbox", NULL, &o->sandbox.off},
		{"--print-sandbox", NULL, &o->print_sandbox}, {"--help", NULL, &o->help}, {"-h", NULL, &o->help}};
	const size_t n = sizeof known / sizeof known[0];
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < n && strcmp(argv[i], known[k].flag) != 0)
			k++;
		if (k == n)
			return bad(argv[i][0] == '-' ? "unknown option" : "unexpected argument", argv[i]);
		if (known[k].set != NULL)
			*known[k].set = true;
		else if (++i < argc)
			*known[k].value = argv[i];
		else
			return bad("needs a value", known[k].flag);
	}
	if (o->help || o->print_topology || o->print_sandbox)
		return 0;
	if (o->bundle == NULL)
		return bad("--bundle is missing", NULL);
	return o->stay && o->source == NULL ? bad("--stay goes with --source", NULL) : 0;
}

static int
load_topology(struct live *l)
{
	char err[512];
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	topology_default(&l->topo);
	if (cpus < 2)
		l->topo.worker_cpu[0] = 0;
	l->base = l->topo;
	l->cpus = cpus > 0 ? (uint32_t)cpus : 1;
	if (l->opt.profile != NULL && profile_load(l->opt.profile, &l->topo, err, sizeof err) != 0)
		return say(err);
	if (topology_check(&l->topo, l->cpus, err, sizeof err) != 0) {
		fprintf(stderr, "%s: %s\n", l->opt.profile ? l->opt.profile : "sentinel-dataplane", err);
		return 1;
	}
	l->as_said = l->topo;
	if (l->opt.source != NULL && l->topo.ports > 0)
		return say("a profile with ports and --source exclude each other: take the ports out of the profile");
	if (l->opt.source == NULL && l->topo.ports == 0 && !l->opt.print_topology)
		return say("nothing to read: name ports in a --profile, or a capture with --source");
	return 0;
}

/* ---- building ---- */

static int
make_shared(struct live *l)
{
	l->stats = stats_create(&l->stats_fd);
	l->bundle_fd = shm_create_fixed("sentinel-bundle", l->bundle.bytes, l->bundle.n);
	if (l->stats == NULL || l->bundle_fd < 0 || getrandom(l->epoch, sizeof l->epoch, 0) != sizeof l->epoch)
		return say("no memory for the shared pages");
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		int rc = ring_create(&l->rings.lane[i], l->epoch, i, (enum ring_lane)i, l->topo.ring_slots,
			(uint64_t)l->topo.evidence_mb << 20);
		if (rc != 0)
			return say(rc == -ENOMEM ? "no memory for the alert rings; lower ring.slots or ring.evidence_mb"
						 : "cannot make the alert rings");
	}
	struct stats_page *s = l->stats;
	memcpy(s->epoch, l->epoch, sizeof s->epoch);
	memcpy(s->bundle_digest, ruleset_digest(l->bundle.rules), sizeof s->bundle_digest);
	s->generation = ruleset_generation(l->bundle.rules);
	s->started_ns = wall_ns();
	nodes_tell(&l->topo.nodes, s);
	s->lcores = TOPOLOGY_WORKER_0 + l->topo.workers;
	for (uint32_t i = 0; i < s->lcores; i++) {
		s->lcore[i].lcore = i;
		s->lcore[i].generation = s->generation;
		s->lcore[i].role = i == TOPOLOGY_MAIN	     ? STATS_ROLE_MAIN
				   : i == TOPOLOGY_CORRELATOR ? STATS_ROLE_CORRELATOR
							      : STATS_ROLE_WORKER;
	}
	return 0;
}

static int
make_worker(struct live *l, uint32_t i)
{
	struct lcore_worker *w = &l->worker[i];
	struct worker_config c;
	worker_config_default(&c);
	c.stream.flows_max = l->topo.flows_max;
	c.stream.verify_checksum = l->topo.verify_checksum;
	c.stream.vxlan_port = (uint16_t)l->topo.vxlan_port;
	c.seen_entries = l->topo.seen_entries;
	c.pipe_bytes = (uint64_t)l->topo.pipe_mb << 20;
	c.aside_bytes = ASIDE_BYTES;
	c.feeds = l->topo.feeds;
	c.protect = l->protect;
	c.nodes = &l->topo.nodes;
	c.sides = &l->stats->nodes_lcore[TOPOLOGY_WORKER_0 + i].of[0][0];
	c.code_all = l->opt.source != NULL; /* a file can wait */
	c.number = i;
	memcpy(c.seen_key, l->seen_key, sizeof c.seen_key);
	if (getrandom(c.stream.hash_seed, sizeof c.stream.hash_seed, 0) < 0)
		return say("the system has no random numbers");
	w->stats = &l->stats->lcore[TOPOLOGY_WORKER_0 + i];
	w->latency = &l->stats->latency[TOPOLOGY_WORKER_0 + i];
	w->clock = &l->clock;
	w->idle = l->opt.realtime ? IDLE_GIVE_WAY : l->topo.idle;
	w->stop = &stop;
	w->paced = l->opt.source != NULL;
	eal_alloc_near(TOPOLOGY_WORKER_0 + i);
	w->bounce = eal_alloc((size_t)LCORE_BOUNCE_BYTES * WORKER_BURST);
	w->worker = worker_new(&c, l->bundle.rules, w->stats->c, eal_alloc);
	if (w->worker == NULL || w->bounce == NULL)
		return say("no memory for a worker; lower flows, seen or pipe_mb, or reserve more huge pages");
	correlator_add(&l->correlator, worker_pipe(w->worker));
	sessions_add(&l->sessions, w->worker);
	apply_worker(&l->apply, w->worker);
	l->corr.worker[l->corr.workers++] = w;
	return 0;
}

/* Only the first worker spreads. */
static int
make_spread(struct lcore_worker *w, const uint32_t seed[4], const struct decode_rules *rules)
{
	if (w->spread_n <= 1)
		return 0;
	eal_alloc_near(TOPOLOGY_WORKER_0);
	w->spread = eal_alloc(sizeof *w->spread);
	if (w->spread == NULL)
		return say("no memory for the spreading of frames");
	spread_init(w->spread, seed, rules);
	return 0;
}

static int
open_shares(struct live *l, const uint32_t seed[4], const struct decode_rules *rules)
{
	char err[512];
	for (uint32_t i = 0; i < l->topo.workers && l->opt.source != NULL; i++) {
		if (share_open(&l->share[i], l->opt.source, i, l->topo.workers, seed, rules, err, sizeof err) != 0)
			return say(err);
		l->worker[i].frames = (struct lcore_frames){share_next, &l->share[i]};
	}
	return 0;
}

static int
make_lives(struct live *l, uint64_t *counters)
{
	struct lives_config c = {.n_txs = LIVES, .protocols = &l->topo.protocols, .shares = l->stats, .senders = true, .event = correlator_life,
		.ctx = &l->correlator};
	if (getrandom(c.key, sizeof c.key, 0) != sizeof c.key)
		return say("the system has no random numbers");
	void *mem = eal_alloc(lives_bytes(&c));
	if (mem == NULL)
		return say("no memory for the lives of transactions");
	lives_init(&l->lives, mem, &c, counters);
	return 0;
}

static int
make_correlator(struct live *l, uint64_t *counters)
{
	struct correlator_config c = {.rules = l->bundle.rules, .counters = counters, .outlet = correlator_ring_outlet, .outlet_ctx = &l->rings,
		.incidents = INCIDENTS, .kept_bytes = KEPT_BYTES, .armed_pending = ARMED, .armed_kept = ARMED, .in_flight = IN_FLIGHT,
		.protect = l->protect, .lives = &l->lives, .shift_ns = l->opt.source == NULL ? &l->clock.shift_ns : NULL,
		.patient = l->opt.source != NULL,
		.each = l->opt.source != NULL};
	if (getrandom(c.key, sizeof c.key, 0) != sizeof c.key)
		return say("the system has no random numbers");
	void *mem = eal_alloc(correlator_bytes(&c));
	if (mem == NULL)
		return say("no memory for the correlator; reserve more huge pages");
	correlator_init(&l->correlator, mem, &c);
	l->recall.correlator = &l->correlator;
	return 0;
}

static int
make_lcores(struct live *l)
{
	char err[512];
	uint32_t seed[4];
	if (getrandom(seed, sizeof seed, 0) != sizeof seed ||
		getrandom(l->seen_key, sizeof l->seen_key, 0) != sizeof l->seen_key)
		return say("the system has no random numbers");
	const struct decode_rules rules = {.vxlan_port = (uint16_t)l->topo.vxlan_port};
	apply_init(&l->apply, &l->base, &l->as_said, l->cpus, l->opt.profile, &l->stats->profile);
	l->apply.from_file = l->opt.source != NULL;
	eal_alloc_near(TOPOLOGY_CORRELATOR);
	struct stats_lcore *s = &l->stats->lcore[TOPOLOGY_CORRELATOR];
	l->rings.ctr = s->c;
	l->rings.shift_ns = l->opt.source == NULL ? &l->clock.shift_ns : NULL; /* a file has its own time */
	l->protect = box_protect(&l->topo.protocols, eal_alloc);
	if (l->protect == NULL && errno == ENOMEM)
		return say("no memory for the protected contracts");
	if (make_lives(l, s->c) != 0 || make_correlator(l, s->c) != 0)
		return 1;
	l->corr.correlator = &l->correlator;
	l->corr.rings = &l->rings;
	l->corr.stats = s;
	l->corr.latency = &l->stats->latency[TOPOLOGY_CORRELATOR];
	l->corr.clock = &l->clock;
	l->corr.idle = l->opt.realtime ? IDLE_GIVE_WAY : l->topo.idle;
	l->corr.paced = l->opt.source != NULL; /* a file can wait */
	l->corr.stop = l->corr.abandon = &stop;
	for (uint32_t i = 0; i < l->topo.workers; i++)
		if (make_worker(l, i) != 0)
			return 1;
	if (ports_start(&l->ports, &l->topo, l->worker, err, sizeof err) != 0 ||
		steering_open(&l->steering, &l->ports, &l->topo, err, sizeof err) != 0)
		return say(err);
	__atomic_store_n(&l->stats->ready_ns, wall_ns(), __ATOMIC_RELEASE);
	apply_with(&l->apply, PROFILE_FILTER, steering_apply, &l->steering);
	if (make_spread(&l->worker[0], seed, &rules) != 0)
		return 1;
	if (l->opt.source == NULL && l->ports.n < l->topo.ports)
		return say("DPDK did not find every port of the profile; is its driver bound (dpdk-devbind.py --status)?");
	return open_shares(l, seed, &rules);
}

/* ---- running ---- */

static void
launch(struct live *l)
{
	pulse_start(&l->pulse, l->stats, notify_watchdog_ns(), monotonic_ns());
	l->pulse.done[TOPOLOGY_CORRELATOR] = &l->corr.done;
	for (uint32_t i = 0; i < l->topo.workers; i++)
		l->pulse.done[TOPOLOGY_WORKER_0 + i] = &l->worker[i].done;
	rte_eal_remote_launch(correlator_lcore, &l->corr, TOPOLOGY_CORRELATOR);
	for (uint32_t i = 0; i < l->topo.workers; i++)
		rte_eal_remote_launch(worker_lcore, &l->worker[i], TOPOLOGY_WORKER_0 + i);
}

static bool
consumed(const struct live *l)
{
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		const struct ring_producer *p = &l->rings.lane[i];
		if (atomic_load_explicit(&p->cursor->consumed, memory_order_acquire) < p->head)
			return false;
	}
	return true;
}

static void
copy_stats(struct live *l)
{
	struct stats_port *p = &l->stats->port[0];
	if (l->opt.source == NULL) {
		ports_stats(&l->ports, l->stats);
		steering_stats(&l->steering, l->stats);
		__atomic_store_n(&l->stats->ports, l->ports.n, __ATOMIC_RELEASE);
		return;
	}
	snprintf(p->name, sizeof p->name, "file");
	uint64_t n = atomic_load_explicit(&l->share[0].passed, memory_order_relaxed);
	__atomic_store_n(&p->delivered, n, __ATOMIC_RELAXED);
	__atomic_store_n(&p->wire, n, __ATOMIC_RELAXED);
	__atomic_store_n(&l->stats->ports, 1, __ATOMIC_RELEASE);
}

/* The end of a file source: true once there is nothing left to wait for. */
static bool
over(struct live *l, uint64_t waited_ns, bool *said)
{
	if (l->opt.source == NULL || !atomic_load_explicit(&l->corr.done, memory_order_acquire))
		return false;
	if (!l->stats->source_done) {
		copy_stats(l);
		__atomic_store_n(&l->stats->source_done, 1, __ATOMIC_RELEASE);
	}
	if (l->attach.attached == 0 && waited_ns > SAY_WAITING_NS && !*said) {
		*said = true;
		log_say(NULL, LOG_NOTE, "the capture is read; waiting for sentinel-control to attach at %s (Ctrl-C ends)", l->attach.path);
	}
	bool all = l->attach.attached > 0 && consumed(l);
	if (all && l->opt.stay && !l->told) {
		l->told = true;
		log_say(NULL, LOG_NOTE, "the capture is read and control has taken every alert; staying (Ctrl-C ends)");
	}
	return all && !l->opt.stay;
}

static void
housekeep(struct live *l)
{
	struct attach_offer offer = {.rings = l->rings.lane, .n_rings = LANE_COUNT, .stats_fd = l->stats_fd,
		.bundle_fd = l->bundle_fd, .generation = l->stats->generation, .bundle_bytes = l->bundle.n,
		.memory = recall_page, .memory_ctx = &l->recall, .stats = l->stats, .keys = sessions_text, .keys_ctx = &l->sessions,
		.profile = apply_profile, .profile_ctx = &l->apply};
	uint64_t started = monotonic_ns(), stats_at = 0;
	bool said = false;
	memcpy(offer.epoch, l->epoch, sizeof offer.epoch);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		struct wallclock c = wallclock_read();
		uint64_t now = c.mono_ns;
		timekeep_turn(&l->timekeep, &c);
		attach_poll(&l->attach, &offer, now);
		recall_turn(&l->recall);
		if (now - stats_at >= STATS_EVERY_NS) {
			copy_stats(l);
			stats_at = now;
		}
		ports_turn(&l->ports, &l->clock, c.wall_ns);
		steering_turn(&l->steering, now);
		atomic_store_explicit(&l->stats->lcore[TOPOLOGY_MAIN].heartbeat_ns, c.wall_ns, memory_order_relaxed);
		pulse_turn(&l->pulse, now, l->attach.control_fd >= 0);
		if (ending_hangup())
			LOG(LOG_NOTE, "SIGHUP does nothing here (SIGTERM ends)");
		if (over(l, now - started, &said))
			break;
		if (!sessions_turn(&l->sessions, now))
			nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	}
	atomic_store(&stop, true);
	__atomic_store_n(&l->stats->ended_ns, wall_ns(), __ATOMIC_RELEASE);
	notify_send("STOPPING=1\nSTATUS=ending");
}

static void
say_started(const struct live *l)
{
	log_say(NULL, LOG_NOTE, "%u worker%s, %s%s, %u rules (generation %llu); control attaches at %s", l->topo.workers,
		l->topo.workers == 1 ? "" : "s", l->opt.source ? "reading " : "polling ports of ",
		l->opt.source ? l->opt.source : l->opt.profile, ruleset_rules(l->bundle.rules),
		(unsigned long long)l->stats->generation, l->attach.path);
}

/* rte_eal_wait_lcore spins: with real-time priority it would keep the core from the lcore that it waits for. */
static void
wait_for_lcores(void)
{
	unsigned id;
	RTE_LCORE_FOREACH_WORKER(id)
		while (rte_eal_get_lcore_state(id) == RUNNING)
			nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	rte_eal_mp_wait_lcore();
}

static int
run(struct live *l)
{
	char err[512];
	ending_watch(&stop);
	notify_open();
	struct wallclock c = wallclock_read();
	timekeep_start(&l->timekeep, &l->clock, &l->stats->clock, wallclock_hz(&l->clock_from, &c, rte_get_tsc_hz()), &c);
	sessions_turn(&l->sessions, c.mono_ns); /* a file may be read before the next one */
	if (sandbox_enter(&l->opt.sandbox, sandbox_ports(), &l->sandboxed, err, sizeof err) != 0) {
		attach_close(&l->attach);
		return say(err);
	}
	launch(l);
	say_started(l);
	housekeep(l);
	wait_for_lcores();
	for (uint32_t i = 0; i < l->topo.workers; i++)
		worker_delete(l->worker[i].worker);
	sessions_close(&l->sessions);
	recall_close(&l->recall);
	copy_stats(l);
	__atomic_store_n(&l->stats->source_done, l->opt.source != NULL, __ATOMIC_RELEASE);
	if (l->sandboxed)
		l->attach.path[0] = '\0'; /* stays behind: whoever comes next sees that nobody answers there, and replaces it */
	else
		ports_stop(&l->ports);
	attach_close(&l->attach);
	bool broken = l->opt.source != NULL && l->share[0].source.broken;
	if (broken)
		log_say(NULL, LOG_WARN, "%s ends inside a record; what was whole was read", l->opt.source);
	return broken ? 1 : 0;
}

static void
print_filter(const struct topology *t)
{
	char text[2048];
	struct filter f;
	bool steers = false;
	for (uint32_t i = 0; i < t->ports; i++)
		steers |= t->port[i].steer;
	if (!steers && !t->filter.given)
		return;
	steering_filter(t, &f);
	filter_text_print(&f, text, sizeof text);
	printf("%-10s %5s  %s\n", "filter", "", text);
}

/* Of this thread and those that it starts. An lcore that does not sleep would take its core away from the kernel's own threads. */
static int
take_priority(const struct topology *t)
{
	if (t->idle != IDLE_SLEEP)
		return say("--realtime goes with `idle: sleep` in the profile; an lcore that spins needs a core of its own, and no priority on it");
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = PRIORITY}) != 0)
		log_say(NULL, LOG_WARN, "no real-time priority (%s): give the process CAP_SYS_NICE or raise its rtprio limit; going on without", strerror(errno));
	return 0;
}

int
live_main(int argc, char **argv)
{
	static struct live l;
	char err[512];
	log_begin("sentinel-dataplane");
	int rc = parse_options(argc, argv, &l.opt);
	if (rc != 0)
		return rc;
	if (l.opt.help) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (l.opt.print_sandbox)
		return confine_print(&sandbox_table, stdout) == 0 && fflush(stdout) == 0 ? 0 : say("cannot write standard output");
	if (load_topology(&l) != 0)
		return 1;
	if (l.opt.print_topology) {
		topology_print(&l.topo, stdout);
		print_filter(&l.topo);
		return fflush(stdout) == 0 ? 0 : say("cannot write standard output");
	}
	if (bundle_load(&l.bundle, l.opt.bundle, false) != 0)
		return 1;
	const char *keys = l.opt.keys != NULL ? l.opt.keys : l.topo.rlpx_keys[0] != '\0' ? l.topo.rlpx_keys : NULL;
	if (sessions_open(&l.sessions, keys) != 0)
		return keys == NULL ? 1 : say("the key log must be a file of its own user or root, mode 0600, that is there and may be read: as a service leave it to sentinel-keys "
					      "(--keylog FILE in OPTIONS of /etc/default/sentinel-keys), and take out --rlpx-keys, or rlpx_keys of the profile");
	if (attach_open(&l.attach, l.opt.channel, err, sizeof err) != 0)
		return say(err);
	l.clock_from = wallclock_read();
	if (l.opt.realtime && take_priority(&l.topo) != 0)
		return 1;
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* of all threads from here on: short sleeps shall be short */
	if (steering_prepare(&l.topo, err, sizeof err) != 0 || eal_start(&l.topo, err, sizeof err) != 0 || steering_forget(&l.topo) != 0)
		rc = say(err);
	else if (make_shared(&l) != 0 || make_lcores(&l) != 0)
		rc = 1;
	else
		return run(&l);
	attach_close(&l.attach);
	return rc;
}
