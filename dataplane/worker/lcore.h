/* SPDX-License-Identifier: BSD-3-Clause */
/* lcore: the two polling loops of the live box, run to completion. worker_lcore takes bursts from its feed (RX queues, the spread
 * ring of another worker, or its share of a capture file), gives them to its worker, and housekeeps every few
 * milliseconds. correlator_lcore empties the workers' pipes into the alert rings. Neither allocates, locks, logs or, unless
 * the idle policy is sleep, calls the kernel. Both return 0 once `stop` is set and all they hold is passed on. */
#ifndef WORKER_LCORE_H
#define WORKER_LCORE_H

#include "abi/stats.h"
#include "net/spread.h"
#include "worker/clock.h"
#include "worker/correlator.h"
#include "worker/hwclock.h"
#include "worker/topology.h"
#include "worker/worker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_ring;

struct lcore_queue {
	uint16_t port, queue;
	const struct hwclock *clock; /* its frames carry timestamps of this clock; NULL: none */
};

#define LCORE_QUEUES_MAX 64u

/* What ports have in common with mbufs that carry a timestamp: DPDK's field and flag for it, the same for all ports. */
struct lcore_stamps {
	int offset; /* of the field in an mbuf; 0: no port of this process stamps frames */
	uint64_t flag;
};

/* Frames that do not come from a port: returns up to n frames of one link type (0: none now; -1: the end), which stay valid until the
 * next call. */
struct lcore_frames {
	int (*next)(void *ctx, unsigned n, struct span *frames, uint32_t *wire_len, uint64_t *now_ns, enum net_link *link);
	void *ctx;
};

/* A frame in more than one mbuf is put together here; a longer one counts as truncated. */
#define LCORE_BOUNCE_BYTES 69632u /* a GRO-sized packet with its headers, and those of tunnels */

struct lcore_worker {
	struct worker *worker;
	struct stats_lcore *stats;
	struct stats_latency *latency; /* NULL: not noted */
	const struct clock *clock;
	enum idle_policy idle;
	/* feeds; any may be absent */
	struct lcore_queue queue[LCORE_QUEUES_MAX];
	uint32_t queues;
	struct lcore_stamps stamps;
	uint32_t verify_ports; /* bit n: checksums of port n's frames are looked at */
	bool verify_mixed;     /* ports differ in that */
	uint64_t promised_ns;  /* private: no frame comes with an earlier time */
	uint64_t steady_ns;    /* private, of clock_steady_ns */
	struct lcore_frames frames;
	struct rte_ring *spread_in;			    /* frames that another worker took for this one */
	struct rte_ring *spread_out[TOPOLOGY_WORKERS_MAX]; /* this one polls for all; [own index] is NULL */
	const struct lcore_worker *spread_from;		    /* who fills spread_in */
	uint32_t spread_n;				    /* 0: no spreading */
	_Atomic uint64_t passed_ns; /* all that came before is in spread_out */
	struct spread *spread;				    /* for spread_out */
	uint8_t *bounce; /* LCORE_BOUNCE_BYTES * WORKER_BURST */
	bool paced; /* a file can wait: hold while the own pipe is half full */
	const _Atomic bool *stop;
	_Atomic bool done; /* input ended and flushed; set by the lcore */
};

int worker_lcore(void *lcore_worker);

struct lcore_correlator {
	struct correlator *correlator;
	struct correlator_rings *rings;
	struct stats_lcore *stats;
	struct stats_latency *latency; /* as a worker's */
	const struct clock *clock;
	enum idle_policy idle;
	bool paced; /* hold while an alert ring is half full */
	struct lcore_worker *worker[TOPOLOGY_WORKERS_MAX];
	uint32_t workers;
	const _Atomic bool *stop;
	const _Atomic bool *abandon; /* stop waiting for a consumer */
	_Atomic bool done; /* every worker is done and its pipe is empty; set by the lcore */
};

int correlator_lcore(void *lcore_correlator);

#endif
