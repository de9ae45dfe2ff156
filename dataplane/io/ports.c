/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ports.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RX_DESCRIPTORS 1024u
#define SPREAD_SLOTS 2048u
#define FRAME_OVERHEAD 26u /* Ethernet header, two VLAN tags, FCS */

static int
fail(char *err, size_t cap, const char *name, const char *what, int rc)
{
	snprintf(err, cap, "port %s: %s: %s", name, what, strerror(rc < 0 ? -rc : rc));
	return rc < 0 ? rc : -rc;
}

/* A flow may be mirrored by two ports, one direction each: the hardware spreads only if it does so on every port, with
 * the same key. */
static uint32_t
queues_for_all(uint32_t workers)
{
	const uint64_t tcp = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	struct rte_eth_dev_info info;
	uint32_t queues = workers;
	uint16_t port;
	RTE_ETH_FOREACH_DEV(port)
	{
		if (rte_eth_dev_info_get(port, &info) != 0 || (info.flow_type_rss_offloads & tcp) != tcp ||
			info.hash_key_size < 40 || info.max_rx_queues < workers)
			queues = 1;
	}
	return queues;
}

/* The Toeplitz hash of a key that repeats with period 16 bits does not change when source and destination change places. */
static void
ask_for_rss(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, uint8_t key[64])
{
	for (unsigned i = 0; i < 64; i++)
		key[i] = i % 2 ? 0x5a : 0x6d;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){.rss_key = key,
		.rss_key_len = info->hash_key_size < 64 ? info->hash_key_size : 64,
		.rss_hf = (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP) & info->flow_type_rss_offloads};
}

/* Enough for every descriptor, every burst in hand and every spread ring: RX never starves for what we hold. */
static struct rte_mempool *
pool_for(uint16_t port, const struct topology *t, uint32_t queues, int socket)
{
	char name[32];
	uint32_t n = queues * RX_DESCRIPTORS * 2 + t->workers * WORKER_BURST * 4;
	if (queues == 1 && t->workers > 1)
		n += t->workers * SPREAD_SLOTS;
	uint32_t room = t->mtu + FRAME_OVERHEAD > 2048 ? t->mtu + FRAME_OVERHEAD : 2048;
	snprintf(name, sizeof name, "rx-%u", port);
	return rte_pktmbuf_pool_create(name, n, 256, 0, (uint16_t)(room + RTE_PKTMBUF_HEADROOM), socket);
}

/* A sentinel sends nothing, but AF_XDP only comes with as many queues to send on as to receive. */
static uint16_t
queues_to_send(const struct rte_eth_dev_info *info, uint32_t queues)
{
	return info->driver_name != NULL && strcmp(info->driver_name, "net_af_xdp") == 0 ? (uint16_t)queues : 0;
}

static int
setup_queues(uint16_t port, uint16_t queues, uint16_t senders, struct rte_mempool *pool)
{
	uint16_t descriptors = RX_DESCRIPTORS, to_send = RX_DESCRIPTORS;
	unsigned socket = (unsigned)rte_eth_dev_socket_id(port);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port, &descriptors, &to_send);
	for (uint16_t q = 0; q < queues && rc == 0; q++)
		rc = rte_eth_rx_queue_setup(port, q, descriptors, socket, NULL, pool);
	for (uint16_t q = 0; q < senders && rc == 0; q++)
		rc = rte_eth_tx_queue_setup(port, q, to_send, socket, NULL);
	return rc;
}

static int
start_port(struct ports *p, uint16_t port, const struct topology *t, uint32_t queues, char *err, size_t cap)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint8_t key[64];
	char name[RTE_ETH_NAME_MAX_LEN] = "?";
	rte_eth_dev_get_name_by_port(port, name);
	int rc = rte_eth_dev_info_get(port, &info);
	if (rc != 0)
		return fail(err, cap, name, "cannot be asked what it can do", rc);
	if (queues > 1)
		ask_for_rss(&conf, &info, key);
	uint16_t senders = queues_to_send(&info, queues);
	rc = rte_eth_dev_configure(port, (uint16_t)queues, senders, &conf);
	if (rc != 0)
		return fail(err, cap, name, "cannot be configured", rc);
	rte_eth_dev_set_mtu(port, (uint16_t)t->mtu); /* virtual devices refuse; their frames come as they are */
	p->pool[port] = pool_for(port, t, queues, rte_eth_dev_socket_id(port));
	if (p->pool[port] == NULL)
		return fail(err, cap, name, "no memory for packet buffers; raise memory_mb or reserve more huge pages", rte_errno);
	rc = setup_queues(port, (uint16_t)queues, senders, p->pool[port]);
	if (rc != 0)
		return fail(err, cap, name, "its receive queues cannot be set up", rc);
	rc = rte_eth_dev_start(port);
	if (rc != 0)
		return fail(err, cap, name, "cannot be started", rc);
	rte_eth_promiscuous_enable(port); /* devices that see all anyway do not know the call */
	return 0;
}

static void
give_queue(struct lcore_worker *w, uint16_t port, uint16_t queue)
{
	w->queue[w->queues++] = (struct lcore_queue){port, queue};
}

static int
make_spread(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t cap)
{
	worker[0].spread_n = t->workers;
	for (uint32_t i = 1; i < t->workers; i++) {
		char name[32];
		snprintf(name, sizeof name, "spread-%u", i);
		p->spread[i] = rte_ring_create(name, SPREAD_SLOTS, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (p->spread[i] == NULL)
			return fail(err, cap, name, "no memory for a spread ring", rte_errno);
		worker[0].spread_out[i] = p->spread[i];
		worker[i].spread_in = p->spread[i];
		worker[i].spread_from = &worker[0];
	}
	return 0;
}

int
ports_start(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t err_cap)
{
	uint16_t port;
	uint32_t queues = queues_for_all(t->workers);
	memset(p, 0, sizeof *p);
	RTE_ETH_FOREACH_DEV(port)
	{
		if (port >= TOPOLOGY_PORTS_MAX || port >= STATS_PORTS_MAX) {
			snprintf(err, err_cap, "more ports than %u", TOPOLOGY_PORTS_MAX);
			return -E2BIG;
		}
		int rc = start_port(p, port, t, queues, err, err_cap);
		if (rc != 0)
			return rc;
		p->n = port + 1u;
	}
	for (port = 0; port < p->n; port++)
		for (uint16_t q = 0; q < queues; q++)
			give_queue(&worker[q], port, q);
	return p->n > 0 && queues < t->workers ? make_spread(p, t, worker, err, err_cap) : 0;
}

void
ports_stats(const struct ports *p, struct stats_page *s)
{
	__atomic_store_n(&s->ports, p->n, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < p->n; i++) {
		struct rte_eth_stats e;
		struct stats_port *out = &s->port[i];
		if (rte_eth_stats_get((uint16_t)i, &e) != 0)
			continue;
		__atomic_store_n(&out->delivered, e.ipackets, __ATOMIC_RELAXED);
		__atomic_store_n(&out->missed, e.imissed, __ATOMIC_RELAXED);
		__atomic_store_n(&out->errors, e.ierrors, __ATOMIC_RELAXED);
		__atomic_store_n(&out->no_mbuf, e.rx_nombuf, __ATOMIC_RELAXED);
		__atomic_store_n(&out->wire, e.ipackets + e.imissed + e.ierrors + e.rx_nombuf, __ATOMIC_RELAXED);
	}
}

void
ports_stop(struct ports *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		rte_eth_dev_stop((uint16_t)i);
		rte_eth_dev_close((uint16_t)i);
	}
}
