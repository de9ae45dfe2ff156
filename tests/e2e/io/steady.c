/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker lcore in steady state makes no allocation and no system call. It runs under a seccomp filter that refuses and counts every system
 * call, with malloc and rte_malloc interposed, while traffic flows into it from a net_ring port or, as root with huge pages, through an AF_XDP
 * socket on a veth pair in a network namespace of the test's own. Both counters are shown to count before they are believed.
 *
 * The load is HTTP; captures of other feeds follow it.
 *
 * usage: steady ring|afxdp BUNDLE KEYLOG CAPTURE... */
#include "abi/counters.h"
#include "io/box.h"
#include "io/eal.h"
#include "io/keylog.h"
#include "io/ports.h"
#include "io/source.h"
#include "load/load.h"
#include "worker/aside.h"
#include "worker/facts.h"
#include "worker/lcore.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define TRANSACTIONS 20000u
#define DEADLINE_S 60
#define FRAME_MAX 1514u

/* ---- what is counted ---- */

static __thread bool watched;
static _Atomic uint64_t allocations, rte_allocations, syscalls;
static _Atomic long first_syscall = -1;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *
malloc(size_t n)
{
	allocations += watched;
	return __libc_malloc(n);
}

void *
calloc(size_t k, size_t n)
{
	allocations += watched;
	return __libc_calloc(k, n);
}

void *
realloc(void *p, size_t n)
{
	allocations += watched;
	return __libc_realloc(p, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	allocations += watched;
	return __libc_memalign(align, n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	allocations += watched;
	*p = __libc_memalign(align, n);
	return *p ? 0 : ENOMEM;
}

void
free(void *p)
{
	allocations += watched && p != NULL;
	__libc_free(p);
}

/* Every way into DPDK's heap ends in one of these. */
#define INTERPOSE(ret, name, params, args) \
	ret name params \
	{ \
		static ret(*real) params; \
		if (real == NULL) \
			real = (ret(*) params)(uintptr_t)dlsym(RTLD_NEXT, #name); \
		rte_allocations += watched; \
		return real args; \
	}
void *rte_malloc_socket(const char *type, size_t size, unsigned align, int socket);
void *rte_zmalloc_socket(const char *type, size_t size, unsigned align, int socket);
void *rte_malloc(const char *type, size_t size, unsigned align);
void *rte_zmalloc(const char *type, size_t size, unsigned align);
void *rte_realloc(void *p, size_t size, unsigned align);
INTERPOSE(void *, rte_malloc_socket, (const char *type, size_t size, unsigned align, int socket), (type, size, align, socket))
INTERPOSE(void *, rte_zmalloc_socket, (const char *type, size_t size, unsigned align, int socket), (type, size, align, socket))
INTERPOSE(void *, rte_malloc, (const char *type, size_t size, unsigned align), (type, size, align))
INTERPOSE(void *, rte_zmalloc, (const char *type, size_t size, unsigned align), (type, size, align))
INTERPOSE(void *, rte_realloc, (void *p, size_t size, unsigned align), (p, size, align))

static void
on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	long expected = -1;
	atomic_compare_exchange_strong(&first_syscall, &expected, info->si_syscall);
	syscalls++;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
}

/* From here on every system call of this thread but the return from the handler traps. */
static int
refuse_syscalls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog prog = {.len = sizeof code / sizeof code[0], .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 ? 0 : -errno;
}

/* ---- the worker under watch ---- */

static struct lcore_worker worker;
static _Atomic bool stop;
static _Atomic int phase; /* 1: watched and running, 2: over, -1: the watch does not work */

static int
watched_lcore(void *arg)
{
	if (refuse_syscalls() != 0) {
		phase = -1;
		return 0;
	}
	watched = true;
	void *volatile p = malloc(1);
	void *volatile q = rte_malloc(NULL, 1, 0);
	bool counts = syscall(SYS_getppid) == -1 && syscalls >= 1 && allocations >= 1 && rte_allocations >= 1;
	(void)p;
	(void)q;
	allocations = rte_allocations = syscalls = 0;
	first_syscall = -1;
	phase = counts ? 1 : -1;
	worker_lcore(arg);
	watched = false;
	phase = 2;
	for (;;) /* it may not even end without a system call: the process does */
		rte_pause();
	return 0;
}

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "steady: %s (errno %s)\n", what, strerror(errno));
	_exit(1);
}

static void
make_worker(const struct ruleset *rules, const struct clock *clock, struct stats_lcore *stats)
{
	struct worker_config c;
	worker_config_default(&c);
	c.aside_bytes = ASIDE_BYTES_MIN;
	worker.worker = worker_new(&c, rules, stats->c, eal_alloc);
	check(worker.worker != NULL, "no worker");
	worker.stats = stats;
	worker.clock = clock;
	worker.idle = IDLE_SPIN;
	worker.bounce = eal_alloc((size_t)LCORE_BOUNCE_BYTES * WORKER_BURST);
	worker.stop = &stop;
}

/* ---- traffic ---- */

static struct rte_ring *wire;
static struct rte_mempool *wire_pool;

static void
send_ring(struct span frame)
{
	struct rte_mbuf *m;
	while ((m = rte_pktmbuf_alloc(wire_pool)) == NULL)
		rte_pause();
	memcpy(rte_pktmbuf_append(m, (uint16_t)frame.len), frame.p, frame.len);
	while (rte_ring_enqueue(wire, m) != 0)
		rte_pause();
}

static int packet_fd = -1;

static void
send_packet(struct span frame)
{
	while (send(packet_fd, frame.p, frame.len, 0) < 0)
		check(errno == ENOBUFS || errno == EAGAIN, "cannot send on the veth");
}

static void
run(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "steady: %s: failed\n", command);
		_exit(1);
	}
}

static void
open_packet(const char *iface)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(iface)};
	packet_fd = socket(AF_PACKET, SOCK_RAW, 0);
	check(packet_fd >= 0 && bind(packet_fd, (struct sockaddr *)&a, sizeof a) == 0, "cannot open the veth");
}

static void
setup_ring(struct topology *t)
{
	char err[256];
	check(eal_start(t, err, sizeof err) == 0, err);
	wire = rte_ring_create("wire", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	wire_pool = rte_pktmbuf_pool_create("wire", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(wire != NULL && wire_pool != NULL, "no memory for the wire");
	check(rte_eth_from_rings("wire0", &wire, 1, &wire, 1, 0) >= 0, "no net_ring port");
}

static void
setup_afxdp(struct topology *t)
{
	char err[256];
	check(unshare(CLONE_NEWNET) == 0, "no network namespace (root?)");
	run("ip link add in0 type veth peer name out0 && ip link set lo up && ip link set in0 up mtu 1500 && ip link set out0 up mtu 1500");
	run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 || true");
	t->huge_pages = true;
	t->ports = 1;
	snprintf(t->port[0].device, sizeof t->port[0].device, "net_af_xdp0,iface=in0,busy_budget=0");
	check(eal_start(t, err, sizeof err) == 0, err);
	open_packet("out0");
}

/* ---- captures ---- */

static void
load_keys(const char *path)
{
	static struct keylog log;
	check(keylog_open(&log, path, 0, NULL, NULL) == 0 && log.n > 0, "no keys");
	void *mem = aligned_alloc(64, (rlpx_keys_bytes(log.n) + 63) & ~(size_t)63);
	const struct rlpx_keys *keys = mem != NULL ? rlpx_keys_build(mem, log.list, log.n, log.first_number, 1) : NULL;
	check(keys != NULL, "no table of keys");
	worker_keys(worker.worker, keys);
}

static struct span *more;
static uint32_t n_more;

static void
load_capture(const char *path)
{
	struct source s;
	struct source_frame sf;
	char err[256];
	check(source_open(&s, path, err, sizeof err) == 0, err);
	while (source_next(&s, &sf)) {
		check(sf.link == NET_LINK_ETHERNET && sf.bytes.len <= FRAME_MAX, "a frame that the wire does not take");
		uint8_t *copy = malloc(sf.bytes.len);
		more = realloc(more, (n_more + 1) * sizeof *more);
		check(copy != NULL && more != NULL, "no memory");
		memcpy(copy, sf.bytes.p, sf.bytes.len);
		more[n_more++] = (struct span){copy, sf.bytes.len};
	}
	source_close(&s);
}

/* ---- what the worker tells ---- */

static uint64_t swaps_told, codes_told, inside_told;

/* In the first half of the traffic; then nobody does, and what the worker has to tell waits in it. */
static void
listen_to(struct pipe *p)
{
	uint32_t bytes;
	const struct tx_msg *m;
	while ((m = pipe_peek(p, &bytes)) != NULL) {
		if (m->kind == FACT_TX) {
			swaps_told += m->n_swaps;
			codes_told += m->n_codes;
			inside_told += m->n_targets;
		}
		pipe_release(p);
	}
}

/* AF_XDP drops what does not fit its ring, so the wire is slower than the worker; either way nothing may be missing at the end. */
static void
send_all(const struct load *l, void (*send_one)(struct span), const struct stats_lcore *stats)
{
	time_t end = time(NULL) + DEADLINE_S;
	for (uint32_t i = 0; i < l->frames + n_more; i++) {
		while (i - ((volatile const uint64_t *)stats->c)[CTR_FRAMES] > 256) {
			check(time(NULL) < end, "the worker stands still");
			sched_yield();
		}
		if (i < l->frames / 2)
			listen_to(worker_pipe(worker.worker));
		send_one(i < l->frames ? l->frame[i] : more[i - l->frames]);
	}
	while (((volatile const uint64_t *)stats->c)[CTR_FRAMES] < l->frames + n_more && time(NULL) < end)
		usleep(1000);
}

/* Every feed must have been read, or nothing is shown of it. */
static bool
all_read(const uint64_t *c)
{
	static const uint16_t what[] = {CTR_ANSWERS, CTR_WS_MESSAGES, CTR_STREAM_CONNECTIONS, CTR_BODIES_ENCODED, CTR_RLPX_MESSAGES,
		CTR_RLPX_MAC_GOOD, CTR_GRPC_MESSAGES, CTR_L2_MESSAGES, CTR_HASHES_ANNOUNCED, CTR_CODES_READ, CTR_TX_PUT_ASIDE, CTR_EVIDENCE_PROVEN};
	bool all = true;
	for (unsigned i = 0; i < sizeof what / sizeof *what; i++) {
		printf("%s %llu ", counter_infos[what[i]].name, (unsigned long long)c[what[i]]);
		all = all && c[what[i]] > 0;
	}
	printf("\nswaps %llu, codes %llu, recipients of calls inside %llu\n", (unsigned long long)swaps_told, (unsigned long long)codes_told,
		(unsigned long long)inside_told);
	return all && swaps_told > 0 && codes_told > 0 && inside_told > 0;
}

int
main(int argc, char **argv)
{
	static struct topology t;
	static struct clock clock;
	static struct ports ports;
	static struct stats_page stats;
	char err[256];
	struct load l;
	struct bundle_file bundle;
	struct timespec now;
	check(argc > 4, "usage: steady ring|afxdp BUNDLE KEYLOG CAPTURE...");
	bool afxdp = strcmp(argv[1], "afxdp") == 0;
	topology_default(&t);
	t.worker_cpu[0] = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0;
	t.memory_mb = 128;
	check(load_make(&l, &(struct load_config){.transactions = TRANSACTIONS, .connections = 64, .seed = 7, .hit_every = 50, .rich_every = 3}) == 0, "no load");
	check(bundle_load(&bundle, argv[2], false) == 0, "no bundle");
	sigaction(SIGSYS, &(struct sigaction){.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER}, NULL);
	if (afxdp)
		setup_afxdp(&t);
	else
		setup_ring(&t);
	struct stats_lcore *s = &stats.lcore[TOPOLOGY_WORKER_0];
	clock_gettime(CLOCK_REALTIME, &now);
	clock_start(&clock, rte_get_tsc_hz(), rte_rdtsc(), (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	make_worker(bundle.rules, &clock, s);
	load_keys(argv[3]);
	for (int i = 4; i < argc; i++)
		load_capture(argv[i]);
	check(ports_start(&ports, &t, &worker, err, sizeof err) == 0, err);
	check(rte_eal_remote_launch(watched_lcore, &worker, TOPOLOGY_WORKER_0) == 0, "no lcore");
	while (phase == 0)
		usleep(1000);
	check(phase == 1, "system calls or allocations are not counted here, so their absence shows nothing");
	send_all(&l, afxdp ? send_packet : send_ring, s);
	stop = true;
	while (phase == 1)
		usleep(1000);

	const uint64_t *c = s->c;
	printf("%s: %llu frames, %llu transactions scanned, %llu findings; %llu system calls (first: %ld), %llu allocations, %llu of rte_malloc\n",
		argv[1], (unsigned long long)c[CTR_FRAMES], (unsigned long long)c[CTR_TX_SCANNED], (unsigned long long)c[CTR_FINDINGS],
		(unsigned long long)syscalls, (long)first_syscall, (unsigned long long)allocations, (unsigned long long)rte_allocations);
	bool ok = c[CTR_FRAMES] == l.frames + n_more && c[CTR_TX_SCANNED] > TRANSACTIONS + n_more / 20 && all_read(c) && c[CTR_FINDINGS] >= TRANSACTIONS / 50;
	fflush(stdout);
	_exit(ok && syscalls == 0 && allocations == 0 && rte_allocations == 0 ? 0 : 1);
}
