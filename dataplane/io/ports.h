/* SPDX-License-Identifier: BSD-3-Clause */
/* ports: the ethdev ports of a topology. One RX queue per worker with a symmetric RSS key where the port can spread TCP by flow, so that both directions of a
 * connection reach one worker; else one queue, whose frames the first worker spreads in software. Promiscuous, no offloads, VLAN
 * tags left in the frame. */
#ifndef IO_PORTS_H
#define IO_PORTS_H

#include "abi/stats.h"
#include "worker/lcore.h"
#include "worker/topology.h"

struct ports {
	uint32_t n;
	struct rte_mempool *pool[TOPOLOGY_PORTS_MAX];
	struct rte_ring *spread[TOPOLOGY_WORKERS_MAX];
};

/* ports_start configures and starts every port that EAL found, and gives queues and spread rings to the workers
 * (worker[0..t->workers-1]; fills queue, queues, spread_*). 0, or -errno with a sentence in err. */
int ports_start(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t err_cap);

/* ports_stats copies the ports' own counters to the stats page (identity 1). */
void ports_stats(const struct ports *p, struct stats_page *s);

/* ports_stop stops and closes the ports. */
void ports_stop(struct ports *p);

#endif
