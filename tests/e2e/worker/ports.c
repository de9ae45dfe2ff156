/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports and lcores without a NIC:
 *   null      net_null can hash: one queue a worker, key and table read back
 *   one       the same port with queues: 1 in its profile: the first worker spreads
 *   rings     a port that comes with more queues than there are workers: all are read
 *   checksum  two ports, one of which is trusted to show wrong checksums
 *   time      frames with timestamps, of which some are nonsense
 *
 * usage: ports MODE BUNDLE */
#include "abi/counters.h"
#include "io/box.h"
#include "io/eal.h"
#include "io/ports.h"
#include "io/rss.h"
#include "load/load.h"
#include "worker/lcore.h"

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RINGS 3u
#define WORKERS 2u
#define TRANSACTIONS 200u

static struct lcore_worker worker[TOPOLOGY_WORKERS_MAX];
static struct ports ports;
static struct topology topo;
static struct stats_page stats;
static struct clock wall;
static _Atomic bool stop;
static struct rte_ring *wire[RINGS];
static struct rte_mempool *pool;
static char err[256];

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "ports: %s\n", what);
	_exit(1);
}

static void
start(uint32_t workers, const char *device)
{
	struct timespec now;
	topology_default(&topo);
	topo.workers = workers;
	for (uint32_t i = 0; i < workers; i++)
		topo.worker_cpu[i] = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? i % 2 : 0;
	topo.memory_mb = 192;
	if (device != NULL) {
		topo.ports = 1;
		strcpy(topo.port[0].device, device);
	}
	check(eal_start(&topo, err, sizeof err) == 0, err);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_start(&wall, rte_get_tsc_hz(), rte_rdtsc(), (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
}

static void
make_ring(unsigned i)
{
	char name[16];
	snprintf(name, sizeof name, "wire-%u", i);
	wire[i] = rte_ring_create(name, 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	check(wire[i] != NULL, "no memory for a wire");
}

static void
begin(void)
{
	check(ports_start(&ports, &topo, worker, err, sizeof err) == 0, err);
	ports_turn(&ports, &wall, 1700000000000000000ull);
	ports_stats(&ports, &stats);
}

static uint32_t
flags(uint32_t port)
{
	return stats.port_info[port].flags;
}

/* ---- who reads what ---- */

static void
mode_null(const char *bundle)
{
	(void)bundle;
	struct rte_eth_rss_reta_entry64 t[4] = {{.mask = UINT64_MAX}, {.mask = UINT64_MAX}, {.mask = UINT64_MAX}, {.mask = UINT64_MAX}};
	struct rte_eth_dev_info info;
	uint8_t key[RSS_KEY_BYTES_MAX] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = 40};
	start(WORKERS, "net_null0");
	begin();
	check(worker[0].queues == 1 && worker[1].queues == 1 && worker[1].queue[0].queue == 1, "not a queue for each worker");
	check(worker[0].spread_n == 0 && worker[1].spread_in == NULL, "somebody spreads although the port does");
	check(rte_eth_dev_rss_hash_conf_get(0, &conf) == 0 && rss_symmetric(key, 40), "the port's key is not symmetric");
	check(rte_eth_dev_info_get(0, &info) == 0 && info.reta_size > 0 && info.reta_size <= 256, "no table");
	check(rte_eth_dev_rss_reta_query(0, t, info.reta_size) == 0, "the table cannot be read");
	for (unsigned i = 0; i < info.reta_size; i++)
		check(t[i / 64].reta[i % 64] == i % WORKERS, "the table is not even");
	check((flags(0) & (PORT_RSS | PORT_RSS_REFUSED)) == PORT_RSS, "the page does not say that the port spreads");
	check(stats.port_info[0].queues == WORKERS && strcmp(stats.port_info[0].driver, "net_null") == 0, "the page is wrong about the port");
	check(strcmp(stats.port[0].name, "net_null0") == 0 && stats.ports == 1, "the port has no name");
}

static void
mode_one(const char *bundle)
{
	(void)bundle;
	start(WORKERS, "net_null0");
	topo.port[0].queues = 1;
	begin();
	check(worker[0].queues == 1 && worker[1].queues == 0, "queues: 1 is not heard");
	check(worker[0].spread_n == WORKERS && worker[1].spread_in != NULL && worker[0].spread_out[1] == worker[1].spread_in, "nobody spreads");
	check((flags(0) & PORT_RSS) == 0 && stats.port_info[0].queues == 1, "the page says that the port spreads");
}

static void
mode_rings(const char *bundle)
{
	(void)bundle;
	start(WORKERS, NULL);
	for (unsigned i = 0; i < RINGS; i++)
		make_ring(i);
	check(rte_eth_from_rings("many", wire, RINGS, wire, RINGS, 0) >= 0, "no net_ring port");
	begin();
	check(worker[0].queues == RINGS && worker[1].queues == 0 && worker[0].spread_n == WORKERS, "a queue of the port is not read");
	for (uint16_t i = 0; i < RINGS; i++)
		check(worker[0].queue[i].queue == i, "a queue is read twice");
	check(stats.port_info[0].queues == RINGS, "the page is wrong about the queues");
}

/* ---- frames ---- */

static uint64_t crossed, wire_ns_min = UINT64_MAX, wire_ns_max, earlier;

static void
on_crossing(void *ctx, const struct crossing_report *r)
{
	(void)ctx;
	crossed++;
	earlier += r->where.t_wire_ns < wire_ns_max;
	wire_ns_min = r->where.t_wire_ns < wire_ns_min ? r->where.t_wire_ns : wire_ns_min;
	wire_ns_max = r->where.t_wire_ns > wire_ns_max ? r->where.t_wire_ns : wire_ns_max;
}

static void
make_worker(const char *path)
{
	static struct bundle_file bundle;
	struct worker_config c;
	worker_config_default(&c);
	c.stream.flows_max = 4096;
	c.conns_max = 1024;
	c.pipe_bytes = 32u << 20;
	c.stream.verify_checksum = topo.verify_checksum;
	check(bundle_load(&bundle, path, false) == 0, "no bundle");
	struct worker *w = worker_new(&c, bundle.rules, stats.lcore[TOPOLOGY_WORKER_0].c, eal_alloc);
	check(w != NULL, "no worker");
	worker_listen(w, on_crossing, NULL);
	worker[0] = (struct lcore_worker){.worker = w, .stats = &stats.lcore[TOPOLOGY_WORKER_0], .clock = &wall, .idle = IDLE_SLEEP,
		.bounce = eal_alloc((size_t)LCORE_BOUNCE_BYTES * WORKER_BURST), .stop = &stop};
	pool = rte_pktmbuf_pool_create("wire", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	check(pool != NULL, "no memory for frames");
}

static uint64_t
count(enum sentinel_counter c)
{
	return ((volatile const uint64_t *)stats.lcore[TOPOLOGY_WORKER_0].c)[c];
}

static struct rte_mbuf *
frame_of(struct span frame)
{
	struct rte_mbuf *m;
	while ((m = rte_pktmbuf_alloc(pool)) == NULL)
		usleep(50);
	memcpy(rte_pktmbuf_append(m, (uint16_t)frame.len), frame.p, frame.len);
	return m;
}

static void
send_frame(unsigned ring, struct rte_mbuf *m)
{
	while (rte_ring_enqueue(wire[ring], m) != 0)
		usleep(50);
}

static void
await(uint64_t frames)
{
	time_t end = time(NULL) + 60;
	while (count(CTR_FRAMES) < frames) {
		check(time(NULL) < end, "the worker stands still");
		usleep(100);
	}
	stop = true;
	rte_eal_wait_lcore(TOPOLOGY_WORKER_0);
	ports_stats(&ports, &stats);
}

/* Every frame comes by both ports, and its TCP checksum is wrong. */
static void
mode_checksum(const char *bundle)
{
	struct load l;
	check(load_make(&l, &(struct load_config){.transactions = TRANSACTIONS, .connections = 8, .seed = 3}) == 0, "no load");
	start(1, NULL);
	for (unsigned i = 0; i < 2; i++)
		make_ring(i);
	check(rte_eth_from_rings("a", &wire[0], 1, &wire[0], 1, 0) == 0 && rte_eth_from_rings("b", &wire[1], 1, &wire[1], 1, 0) == 1, "no net_ring ports");
	topo.ports = 2;
	topo.port[0].checksum = PORT_CHECKSUM_VERIFY;
	for (uint16_t i = 0; i < 2; i++) {
		char name[RTE_ETH_NAME_MAX_LEN];
		rte_eth_dev_get_name_by_port(i, name);
		strcpy(topo.port[i].device, name);
	}
	make_worker(bundle);
	begin();
	check((flags(0) & PORT_VERIFY_CHECKSUM) != 0 && (flags(1) & PORT_VERIFY_CHECKSUM) == 0, "the page is wrong about who verifies");
	check(rte_eal_remote_launch(worker_lcore, &worker[0], TOPOLOGY_WORKER_0) == 0, "no lcore");
	uint32_t segments = 0;
	for (uint32_t i = 0; i < l.frames; i++) {
		for (unsigned ring = 0; ring < 2; ring++) {
			struct rte_mbuf *m = frame_of(l.frame[i]);
			uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
			p[14 + 20 + 16] ^= 0xff; /* of the TCP header behind Ethernet's and IPv4's */
			m->port = 7;		   /* a ring does not say whose frame it is */
			send_frame(ring, m);
		}
		segments++;
	}
	await(2ull * segments);
	printf("ports: %u frames by each port, %llu refused for their checksum, %llu transactions\n", segments,
		(unsigned long long)count(CTR_UNDEC_CHECKSUM), (unsigned long long)count(CTR_TX_SCANNED));
	check(count(CTR_UNDEC_CHECKSUM) == segments, "not each frame of the one port was refused, or others were");
	check(count(CTR_TX_SCANNED) == TRANSACTIONS, "what came by the other port was not read");
	check(stats.port[0].delivered == segments && stats.port[1].delivered == segments, "the ports did not count every frame");
}

/* Of each eight frames one has no timestamp, one a time of the future, one a time long gone, the rest came 40 us ago. */
static void
mode_time(const char *bundle)
{
	static struct hwclock hw;
	struct lcore_stamps at;
	struct load l;
	uint64_t good = 0, first = 0;
	check(load_make(&l, &(struct load_config){.transactions = TRANSACTIONS, .connections = 8, .seed = 3}) == 0, "no load");
	start(1, NULL);
	make_ring(0);
	check(rte_eth_from_rings("a", wire, 1, wire, 1, 0) == 0, "no net_ring port");
	make_worker(bundle);
	begin();
	check((flags(0) & PORT_HW_TIME) == 0 && worker[0].queue[0].clock == NULL, "a ring has no timestamps of its own");
	check(rte_mbuf_dyn_rx_timestamp_register(&at.offset, &at.flag) == 0, "no field for timestamps");
	hwclock_fixed(&hw, 1, 0);
	worker[0].stamps = at;
	worker[0].queue[0].clock = &hw;
	check(rte_eal_remote_launch(worker_lcore, &worker[0], TOPOLOGY_WORKER_0) == 0, "no lcore");
	for (uint32_t i = 0; i < l.frames; i++) {
		struct rte_mbuf *m = frame_of(l.frame[i]);
		uint64_t now = clock_ns(&wall, rte_rdtsc()), t = i % 8 == 1 ? now + 3600000000000ull : i % 8 == 2 ? now - 5000000000ull : now - 40000;
		m->ol_flags |= i % 8 != 0 ? at.flag : 0;
		memcpy((uint8_t *)m + at.offset, &t, sizeof t);
		good += i % 8 > 2;
		first = first != 0 ? first : now;
		send_frame(0, m);
	}
	await(l.frames);
	uint64_t end = clock_ns(&wall, rte_rdtsc());
	printf("ports: %u frames, %llu by the port's time, %llu by that of reading; %llu transactions\n", l.frames,
		(unsigned long long)count(CTR_FRAMES_HW_TIME), (unsigned long long)count(CTR_FRAMES_HW_TIME_BAD), (unsigned long long)crossed);
	check(count(CTR_FRAMES_HW_TIME) == good && count(CTR_FRAMES_HW_TIME_BAD) == l.frames - good, "timestamps are counted wrongly");
	check(crossed == TRANSACTIONS && earlier == 0, "a transaction seems to have come before an earlier one");
	check(wire_ns_min >= first - 40000 && wire_ns_max <= end, "a transaction seems to have come when nothing did");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *bundle);
	} modes[] = {{"null", mode_null}, {"one", mode_one}, {"rings", mode_rings}, {"checksum", mode_checksum}, {"time", mode_time}};
	setvbuf(stdout, NULL, _IOLBF, 0);
	check(argc == 3, "usage: ports null|one|rings|checksum|time BUNDLE");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(argv[2]);
		printf("ports: %s holds\n", argv[1]);
		fflush(stdout);
		_exit(0);
	}
	check(false, "no such mode");
}
