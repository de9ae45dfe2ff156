/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ports.h"

#include "io/numa.h"
#include "io/ports_rss.h"
#include "io/rss.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RX_DESCRIPTORS 1024u
#define XDP_DESCRIPTORS 2048u /* what the AF_XDP driver fills its rings with, whatever it is asked for */
#define SPREAD_SLOTS 2048u
#define FRAME_OVERHEAD 30u /* Ethernet header, three VLAN tags, FCS */

/* How the frames of all ports come to the workers. */
struct plan {
	const struct topology *t;
	bool by_port; /* by the ports' own hashing: queue q is worker q's */
	uint32_t ports;
};

static int
fail(char *err, size_t cap, const char *name, const char *what, int rc)
{
	snprintf(err, cap, "port %s: %s: %s", name, what, strerror(rc < 0 ? -rc : rc));
	return rc < 0 ? rc : -rc;
}

static void
warn(const char *name, const char *sentence)
{
	fprintf(stderr, "sentinel-dataplane: port %s: %s\n", name, sentence);
}

static bool
is_driver(const struct port_live *l, const char *driver)
{
	return strcmp(l->driver, driver) == 0;
}

/* Devices whose queues are there before anybody asks for them; a queue that is not read is traffic that is not seen. */
static bool
queues_are_given(const struct port_live *l)
{
	return is_driver(l, "net_af_xdp") || is_driver(l, "net_af_packet") || is_driver(l, "net_pcap") || is_driver(l, "net_ring");
}

static int
identify(struct port_live *l, uint16_t port, const struct topology *t, struct rte_eth_dev_info *info, char *err, size_t cap)
{
	char name[RTE_ETH_NAME_MAX_LEN] = "?";
	rte_eth_dev_get_name_by_port(port, name);
	snprintf(l->name, sizeof l->name, "%.31s", name);
	for (uint32_t i = 0; i < t->ports; i++)
		if (port_named(&t->port[i], name))
			l->spec = &t->port[i];
	if (l->spec != NULL)
		port_name(l->spec, l->name, sizeof l->name);
	int rc = rte_eth_dev_info_get(port, info);
	if (rc != 0)
		return fail(err, cap, name, "cannot be asked what it can do", rc);
	snprintf(l->driver, sizeof l->driver, "%s", info->driver_name != NULL ? info->driver_name : "?");
	l->socket = rte_eth_dev_socket_id(port);
	/* drivers of devices that stay with the kernel would open a socket for each look at the link */
	char of_device[IF_NAMESIZE];
	if (l->spec != NULL && l->spec->interface[0] != '\0')
		memcpy(l->interface, l->spec->interface, sizeof l->interface);
	else if (info->if_index != 0 && if_indextoname(info->if_index, of_device) != NULL)
		snprintf(l->interface, sizeof l->interface, "%s", of_device);
	l->index = l->interface[0] != '\0' ? if_nametoindex(l->interface) : 0;
	return 0;
}

/* ---- who spreads ---- */

/* Whether this port may spread flows itself, as far as it says. A flow may be mirrored by two ports, one direction each: they must do it alike, which the kernel's
 * ports do not show. */
static bool
may_spread(struct port_live *l, const struct rte_eth_dev_info *info, const struct plan *plan)
{
	uint32_t workers = plan->t->workers;
	if (l->spec != NULL && l->spec->queues == 1)
		return false;
	if (!queues_are_given(l))
		return ports_rss_able(info, workers);
	if (!is_driver(l, "net_af_xdp") || l->spec == NULL || info->max_rx_queues != workers || plan->ports > 1)
		return false;
	enum kernel_rss rss = kernel_port_rss(l->spec->interface);
	if (rss == KERNEL_RSS_OTHER) {
		l->flags |= PORT_RSS_REFUSED;
		warn(l->name, "the interface's RSS takes the directions of a connection apart, so one worker spreads for all; with the key of `ethtool -X` set to "
			      "6d:5a repeated the interface does it");
	}
	return rss == KERNEL_RSS_SYMMETRIC;
}

static void
make_plan(struct plan *plan, struct ports *p, const struct rte_eth_dev_info *info)
{
	plan->by_port = plan->t->workers > 1;
	for (uint32_t i = 0; i < p->n && plan->by_port; i++)
		plan->by_port = may_spread(&p->port[i], &info[i], plan);
}

static uint32_t
queues_of(const struct port_live *l, const struct rte_eth_dev_info *info, const struct plan *plan)
{
	if (queues_are_given(l) && info->max_rx_queues > 0)
		return info->max_rx_queues < PORT_QUEUES_MAX ? info->max_rx_queues : PORT_QUEUES_MAX;
	return plan->by_port ? plan->t->workers : 1;
}

/* ---- one port ---- */

/* Enough for every descriptor, every burst in hand and every spread ring: RX never starves for what we hold. */
static struct rte_mempool *
pool_for(const struct port_live *l, uint16_t port, uint32_t queue, const struct plan *plan)
{
	const struct topology *t = plan->t;
	char name[32];
	uint32_t n = (is_driver(l, "net_af_xdp") ? XDP_DESCRIPTORS : RX_DESCRIPTORS) * 2 + t->workers * WORKER_BURST * 4;
	if (!plan->by_port && t->workers > 1)
		n += t->workers * SPREAD_SLOTS + SPREAD_PARKED;
	uint32_t room = t->mtu + FRAME_OVERHEAD > 2048 ? t->mtu + FRAME_OVERHEAD : 2048;
	uint32_t reader = plan->by_port ? queue % t->workers : 0;
	snprintf(name, sizeof name, "rx-%u-%u", port, queue);
	return rte_pktmbuf_pool_create(name, n, 256, 0, (uint16_t)(room + RTE_PKTMBUF_HEADROOM),
		numa_home(l->socket, (int)rte_lcore_to_socket_id(TOPOLOGY_WORKER_0 + reader)));
}

static int
setup_queue(const struct port_live *l, uint16_t port, uint16_t q, uint16_t descriptors, const struct plan *plan, char *err, size_t cap)
{
	struct kernel_mark before;
	struct rte_mempool *pool = pool_for(l, port, q, plan);
	if (pool == NULL)
		return fail(err, cap, l->name, "no memory for packet buffers; raise memory_mb or reserve more huge pages", rte_errno);
	kernel_sockets_mark(&before);
	int rc = rte_eth_rx_queue_setup(port, q, descriptors, (unsigned)l->socket, NULL, pool);
	if (rc == 0) {
		kernel_sockets_new((struct kernel_sockets *)(uintptr_t)&l->sockets, &before);
		return 0;
	}
	rte_mempool_free(pool);
	if (!is_driver(l, "net_af_xdp"))
		return fail(err, cap, l->name, "its receive queues cannot be set up", rc);
	snprintf(err, cap,
		"port %s: queue %u cannot be opened for AF_XDP: is another program on it (`ip link show %s` names an XDP program, `bpftool net` whose; a second "
		"sentinel-dataplane?), is there the right to lock memory (ulimit -l) and CAP_NET_RAW, CAP_BPF, CAP_NET_ADMIN?",
		l->name, q, l->name);
	return rc;
}

static int
setup_queues(struct port_live *l, uint16_t port, uint16_t senders, const struct plan *plan, char *err, size_t cap)
{
	uint16_t descriptors = RX_DESCRIPTORS, to_send = RX_DESCRIPTORS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port, &descriptors, &to_send);
	if (rc != 0)
		return fail(err, cap, l->name, "cannot be asked for the sizes of its queues", rc);
	for (uint16_t q = 0; q < l->queues && rc == 0; q++)
		rc = setup_queue(l, port, q, descriptors, plan, err, cap);
	for (uint16_t q = 0; q < senders && rc == 0; q++) {
		rc = rte_eth_tx_queue_setup(port, q, to_send, (unsigned)l->socket, NULL);
		if (rc != 0)
			return fail(err, cap, l->name, "its send queues, which AF_XDP wants, cannot be set up", rc);
	}
	return rc;
}

/* Timestamps, from whichever port has them. */
static void
ask_for_time(struct port_live *l, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	hwclock_init(&l->clock);
	l->ticks = PORT_TICKS_NONE;
	if ((info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0) {
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
		l->ticks = is_driver(l, "net_af_packet") ? PORT_TICKS_FIXED : PORT_TICKS_READ;
		l->tick_ns = 1;
	} else if (is_driver(l, "net_pcap")) {
		l->ticks = PORT_TICKS_FIXED;
		l->tick_ns = 1000;
	}
	if (l->ticks == PORT_TICKS_FIXED)
		hwclock_fixed(&l->clock, l->tick_ns, 0);
}

/* Which clock a started port lets us read. */
static void
find_clock(struct port_live *l, uint16_t port)
{
	uint64_t ticks;
	struct timespec ts;
	if (l->ticks == PORT_TICKS_READ && rte_eth_read_clock(port, &ticks) != 0)
		l->ticks = rte_eth_timesync_read_time(port, &ts) == 0 ? PORT_TICKS_TIMESYNC : PORT_TICKS_NONE;
	if (l->ticks != PORT_TICKS_NONE)
		l->flags |= PORT_HW_TIME;
}

/* Of the kernel's interfaces: drivers set and clear the host's own flag, which stays as it is left, and they clear it at their start. */
static void
show_all(struct port_live *l, uint16_t port, bool own)
{
	if (!is_driver(l, "net_af_packet") && !is_driver(l, "net_af_xdp")) {
		rte_eth_promiscuous_enable(port); /* devices that see all anyway do not know the call */
		return;
	}
	if (own)
		rte_eth_promiscuous_enable(port);
	if (l->promisc_fd <= 0)
		l->promisc_fd = kernel_promisc_open(l->interface);
	if (l->promisc_fd < 0)
		warn(l->name, "the interface cannot be made to show all frames, only its own (ip link set IF promisc on)");
}

static int
start_port(struct port_live *l, uint16_t port, const struct rte_eth_dev_info *info, const struct plan *plan, char *err, size_t cap)
{
	struct rte_eth_conf conf = {0};
	uint8_t key[RSS_KEY_BYTES_MAX];
	unsigned flags;
	l->queues = queues_of(l, info, plan);
	l->sockets.n = 0;
	if (plan->by_port && !queues_are_given(l))
		ports_rss_ask(&conf, info, key);
	ask_for_time(l, info, &conf);
	/* a sentinel sends nothing, but AF_XDP only comes with as many queues to send on as to receive */
	uint16_t senders = is_driver(l, "net_af_xdp") ? (uint16_t)l->queues : 0;
	int rc = rte_eth_dev_configure(port, (uint16_t)l->queues, senders, &conf);
	if (rc != 0)
		return fail(err, cap, l->name, "cannot be configured", rc);
	/* An interface that the kernel keeps is the host's: its connections go by its MTU. Its frames come as they are. */
	if (l->spec == NULL || l->spec->interface[0] == '\0')
		rte_eth_dev_set_mtu(port, (uint16_t)plan->t->mtu);
	rc = setup_queues(l, port, senders, plan, err, cap);
	if (rc != 0)
		return rc;
	bool own = l->interface[0] != '\0' && kernel_port_flags(&(struct sysfs){""}, l->interface, &flags) == 0 && (flags & IFF_PROMISC) != 0;
	rc = rte_eth_dev_start(port);
	if (rc != 0)
		return fail(err, cap, l->name, "cannot be started", rc);
	show_all(l, port, own);
	find_clock(l, port);
	if (is_driver(l, "net_af_packet") && l->spec != NULL)
		kernel_sockets_of(&l->sockets, l->spec->interface);
	return 0;
}

/* ---- all ports ---- */

static void
free_pools(const struct ports *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		for (uint32_t q = 0; q < p->port[i].queues; q++) {
			char name[32];
			snprintf(name, sizeof name, "rx-%u-%u", i, q);
			rte_mempool_free(rte_mempool_lookup(name));
		}
	}
}

/* 1: a port does not spread as it was asked to; it is stopped, with the others. */
static int
start_all(struct ports *p, const struct rte_eth_dev_info *info, const struct plan *plan, char *err, size_t cap)
{
	bool holds = true;
	for (uint32_t i = 0; i < p->n; i++) {
		struct port_live *l = &p->port[i];
		int rc = start_port(l, (uint16_t)i, &info[i], plan, err, cap);
		if (rc != 0)
			return rc;
		if (!plan->by_port || queues_are_given(l))
			continue;
		char why[160] = "", sentence[256];
		if (ports_rss_hold((uint16_t)i, (uint16_t)l->queues, p->n == 1, why, sizeof why))
			continue;
		snprintf(sentence, sizeof sentence, "%s; one worker spreads for all", why);
		warn(l->name, sentence);
		l->flags |= PORT_RSS_REFUSED;
		holds = false;
	}
	if (holds)
		return 0;
	for (uint32_t i = 0; i < p->n; i++)
		rte_eth_dev_stop((uint16_t)i);
	free_pools(p);
	return 1;
}

static int
make_spread(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t cap)
{
	worker[0].spread_n = t->workers;
	for (uint32_t i = 1; i < t->workers; i++) {
		char name[32];
		snprintf(name, sizeof name, "spread-%u", i);
		p->spread[i] = rte_ring_create(name, SPREAD_SLOTS, (int)rte_lcore_to_socket_id(TOPOLOGY_WORKER_0 + i), RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (p->spread[i] == NULL)
			return fail(err, cap, name, "no memory for a spread ring", rte_errno);
		worker[0].spread_out[i] = p->spread[i];
		worker[i].spread_in = p->spread[i];
		worker[i].spread_from = &worker[0];
	}
	return 0;
}

/* What a port's profile says of its frames, for whoever reads them: with spreading, that is everybody. */
static int
equip_workers(struct ports *p, const struct plan *plan, struct lcore_worker *worker, char *err, size_t cap)
{
	const struct topology *t = plan->t;
	struct lcore_stamps stamps = {0};
	uint32_t verify = 0;
	bool stamped = false;
	for (uint32_t i = 0; i < p->n; i++) {
		struct port_live *l = &p->port[i];
		enum port_checksum c = l->spec != NULL ? l->spec->checksum : PORT_CHECKSUM_DEFAULT;
		bool look = c == PORT_CHECKSUM_DEFAULT ? t->verify_checksum : c == PORT_CHECKSUM_VERIFY;
		verify |= (uint32_t)look << i;
		l->flags |= (look ? PORT_VERIFY_CHECKSUM : 0) | (plan->by_port && l->queues > 1 ? PORT_RSS : 0) |
			    (l->spec != NULL && l->spec->steer ? PORT_STEER : 0);
		stamped |= l->ticks != PORT_TICKS_NONE;
	}
	if (stamped && rte_mbuf_dyn_rx_timestamp_register(&stamps.offset, &stamps.flag) != 0) {
		snprintf(err, cap, "no room for timestamps in packet buffers: %s", rte_strerror(rte_errno));
		return -ENOMEM;
	}
	/* one rule for all is given with the worker's configuration only if it is the profile's */
	uint32_t all = (1u << p->n) - 1;
	bool mixed = p->n > 0 && verify != (t->verify_checksum ? all : 0);
	for (uint32_t i = 0; i < t->workers; i++) {
		worker[i].stamps = stamps;
		worker[i].verify_ports = verify;
		worker[i].verify_mixed = mixed;
	}
	return 0;
}

static void
look_far(struct port_live *l, uint32_t reader, uint32_t cpu)
{
	char sentence[256];
	int socket = (int)rte_lcore_to_socket_id(TOPOLOGY_WORKER_0 + reader);
	if (!numa_sentence("port", l->name, l->socket, "worker", cpu, socket, sentence, sizeof sentence) || (l->flags & PORT_FAR) != 0)
		return;
	l->flags |= PORT_FAR;
	fprintf(stderr, "sentinel-dataplane: %s\n", sentence);
}

static int
give_queues(struct ports *p, const struct plan *plan, struct lcore_worker *worker, char *err, size_t cap)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct port_live *l = &p->port[i];
		for (uint16_t q = 0; q < l->queues; q++) {
			uint32_t reader = plan->by_port ? q % plan->t->workers : 0;
			struct lcore_worker *w = &worker[reader];
			if (w->queues == LCORE_QUEUES_MAX) {
				snprintf(err, cap, "port %s: the ports have more than %u queues for one worker", l->name, LCORE_QUEUES_MAX);
				return -E2BIG;
			}
			w->queue[w->queues++] = (struct lcore_queue){(uint16_t)i, q, l->ticks != PORT_TICKS_NONE ? &l->clock : NULL};
			look_far(l, reader, plan->t->worker_cpu[reader]);
		}
	}
	return 0;
}

/* Findings go to the correlator by memory of the worker's socket. */
static void
look_at_pipes(const struct topology *t)
{
	char sentence[256], number[16];
	for (uint32_t i = 0; i < t->workers; i++) {
		snprintf(number, sizeof number, "%u", i);
		if (numa_sentence("worker", number, (int)rte_lcore_to_socket_id(TOPOLOGY_WORKER_0 + i), "correlator", t->correlator_cpu,
			    (int)rte_lcore_to_socket_id(TOPOLOGY_CORRELATOR), sentence, sizeof sentence))
			fprintf(stderr, "sentinel-dataplane: %s\n", sentence);
	}
}

int
ports_start(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t err_cap)
{
	static struct rte_eth_dev_info info[TOPOLOGY_PORTS_MAX];
	struct plan plan = {.t = t};
	uint16_t port;
	memset(p, 0, sizeof *p);
	p->link_fd = kernel_link_open();
	RTE_ETH_FOREACH_DEV(port)
	{
		if (port >= TOPOLOGY_PORTS_MAX || port >= STATS_PORTS_MAX) {
			snprintf(err, err_cap, "more ports than %u", TOPOLOGY_PORTS_MAX);
			return -E2BIG;
		}
		int rc = identify(&p->port[port], port, t, &info[port], err, err_cap);
		if (rc != 0)
			return rc;
		p->n = port + 1u;
	}
	plan.ports = p->n;
	make_plan(&plan, p, info);
	int rc = start_all(p, info, &plan, err, err_cap);
	if (rc == 1) {
		plan.by_port = false;
		rc = start_all(p, info, &plan, err, err_cap);
	}
	if (rc == 0)
		rc = equip_workers(p, &plan, worker, err, err_cap);
	if (rc == 0)
		rc = give_queues(p, &plan, worker, err, err_cap);
	if (rc == 0)
		look_at_pipes(t);
	return rc == 0 && p->n > 0 && !plan.by_port && t->workers > 1 ? make_spread(p, t, worker, err, err_cap) : rc;
}

void
ports_stop(struct ports *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		rte_eth_dev_stop((uint16_t)i);
		rte_eth_dev_close((uint16_t)i);
		if (p->port[i].promisc_fd > 0)
			close(p->port[i].promisc_fd);
		p->port[i].promisc_fd = 0;
	}
	if (p->link_fd > 0)
		close(p->link_fd);
	p->link_fd = -1;
}
