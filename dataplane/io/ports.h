/* SPDX-License-Identifier: BSD-3-Clause */
/* ports: the ethdev ports of a topology. One RX queue per worker with a symmetric RSS key where every port spreads TCP by flow, and shows that it does, so that
 * both directions of a connection reach one worker; else the first worker reads all there is and spreads it in software. Promiscuous, no offloads but
 * timestamps, VLAN tags left in the frame. */
#ifndef IO_PORTS_H
#define IO_PORTS_H

#include "abi/stats.h"
#include "io/kernel_port.h"
#include "worker/lcore.h"
#include "worker/topology.h"

enum port_ticks {
	PORT_TICKS_NONE,
	PORT_TICKS_FIXED,    /* wall time already */
	PORT_TICKS_READ,     /* rte_eth_read_clock tells the port's clock */
	PORT_TICKS_TIMESYNC, /* nanoseconds of its PTP clock */
};

/* Private but for `name`. */
struct port_live {
	char name[32];
	const struct topology_port *spec; /* NULL: not of the profile */
	char interface[PORT_INTERFACE_BYTES]; /* the kernel's, which tells of the link; empty: none */
	unsigned index;			      /* its; 0: it was not there */
	uint32_t queues, flags;
	int socket;
	char driver[24];
	enum port_ticks ticks;
	struct hwclock clock;
	uint32_t tick_ns; /* FIXED */
	int64_t shift_ns;
	struct kernel_sockets sockets;
	int promisc_fd; /* kernel_promisc_open; 0: none */
	enum kernel_link link;
	uint32_t link_mbps;
	uint64_t link_downs, link_since_ns;
};

struct ports {
	uint32_t n;
	struct port_live port[TOPOLOGY_PORTS_MAX];
	struct rte_ring *spread[TOPOLOGY_WORKERS_MAX];
	int link_fd;
	uint64_t looked_ns;
};

/* ports_start configures and starts every port that EAL found, and gives queues and spread rings to the workers
 * (worker[0..t->workers-1]; fills queue, queues, spread_*, stamps, verify_*). What is not as it should be and works all the same is said on stderr. The
 * topology must outlive the ports. 0, or -errno with a sentence in err. */
int ports_start(struct ports *p, const struct topology *t, struct lcore_worker *worker, char *err, size_t err_cap);

/* ports_stats copies the ports' own counters to the stats page (identity 1), and what they are. One getsockopt for each socket of AF_XDP and AF_PACKET. */
void ports_stats(struct ports *p, struct stats_page *s);

/* ports_turn looks once a second at links and clocks; a link that goes or comes is said on stderr. An ioctl for each port. */
void ports_turn(struct ports *p, const struct clock *clock, uint64_t now_ns);

/* ports_stop stops and closes the ports. */
void ports_stop(struct ports *p);

#endif
