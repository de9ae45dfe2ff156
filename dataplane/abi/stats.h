/* SPDX-License-Identifier: BSD-3-Clause */
/* The stats page: one sealed memory file that the dataplane writes and anyone it is handed to maps
 * read-only, so that reading costs the dataplane nothing. One stats_lcore per lcore: only that lcore writes
 * its own, with plain 8-byte stores. Sums over lcores may be torn between counters while traffic flows;
 * at rest they are exact. */
#ifndef ABI_STATS_H
#define ABI_STATS_H

#include "abi/clock.h"
#include "abi/counters.h"
#include "abi/latency.h"
#include "abi/port_info.h"
#include "abi/steer.h"
#include "abi/nodes.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_MAGIC 0x31415453544e4553ull /* "SENTSTA1", stored last */
#define STATS_VERSION 3
#define STATS_LCORES_MAX 64
#define STATS_PORTS_MAX 16
#define STATS_PROTOCOLS_MAX 64
#define STATS_STEER_MAX 23

enum stats_role { STATS_ROLE_NONE, STATS_ROLE_MAIN, STATS_ROLE_WORKER, STATS_ROLE_CORRELATOR };

/* wire side of identity 1, copied from the port by the main lcore */
struct stats_port {
	char name[32]; /* ends with a NUL unless the writer is broken: print with %.32s */
	uint64_t wire; /* delivered + missed + errors + no_mbuf, as the port counts */
	uint64_t delivered, missed, errors, no_mbuf;
	uint64_t pad[7];
};

/* What the XDP program of a steered port has done with the interface's frames, by enum steer_counter: copied by the main lcore. */
struct stats_steer {
	uint64_t on; /* 0: the port is not steered */
	uint64_t c[STATS_STEER_MAX];
};

/* Transactions to a protocol's contracts, in blocks: written by the correlator. */
struct stats_protocol {
	char name[32];			 /* as ports' */
	uint64_t included;		 /* in blocks that count, by their first inclusion */
	uint64_t announced_only, never_seen; /* of these: whose bytes were not seen pending before */
	uint64_t pad;
};

struct stats_lcore {
	uint32_t role; /* enum stats_role */
	uint32_t lcore;
	_Atomic uint64_t heartbeat_ns; /* wall clock of the last housekeeping */
	uint64_t generation;	       /* bundle in use */
	uint64_t pad[5];
	uint64_t c[(CTR_COUNT + 7) / 8 * 8];
};

/* The dataplane's answer to the last profile that control sent (abi/channel.h): text first, then number, then SAID. */
struct stats_said {
	_Atomic uint64_t number; /* control's own of that message; 0: none yet */
	uint32_t status;	 /* enum channel_status */
	uint32_t pad;
	char text[1008]; /* ends with a NUL unless the writer is broken */
};

/* Which profile the dataplane runs with: written by its main lcore. While it is being written `changing` is odd. */
struct stats_profile {
	uint32_t changing;
	uint32_t waiting;    /* fields of the last one that take a restart */
	uint64_t applied_ns; /* wall clock of the last one taken while running; 0: none was */
	uint8_t started[32]; /* SHA-256 of the file's text at start; zero: there was none */
	uint8_t runs[32];    /* of the text last taken */
	char path[256];	     /* the file's; ends with a NUL unless the writer is broken */
};

struct stats_page {
	uint64_t magic;
	uint32_t version;
	uint32_t lcore_bytes; /* sizeof(struct stats_lcore) */
	uint32_t lcores, ports;
	uint32_t counters;    /* CTR_COUNT of the writer */
	uint32_t source_done; /* 1 once a file source has ended and all is at rest */
	uint8_t epoch[8];
	uint64_t started_ns;
	uint64_t generation; /* bundle published */
	uint8_t bundle_digest[32];
	uint32_t protocols;
	uint32_t nodes; /* named ones and "other" */
	uint8_t pad[8];
	uint64_t ready_ns; /* wall clock: ports receive, and what they cannot hold until it is read is counted; 0: not yet */
	uint64_t ended_ns; /* wall clock: told to end; 0: not yet, or it was killed */
	struct stats_said said;
	struct stats_profile profile;
	struct stats_protocol protocol[STATS_PROTOCOLS_MAX];
	struct stats_port port[STATS_PORTS_MAX];
	struct stats_port_info port_info[STATS_PORTS_MAX];
	struct stats_steer steer[STATS_PORTS_MAX];
	_Alignas(64) struct stats_clock clock;
	struct stats_node node[STATS_NODES_MAX];
	_Alignas(64) struct stats_lcore lcore[STATS_LCORES_MAX];
	struct stats_latency latency[STATS_LCORES_MAX]; /* of the same lcore: SCANNED of a worker, RING of the correlator */
	_Alignas(64) struct stats_nodes_lcore nodes_lcore[STATS_LCORES_MAX]; /* by lcore */
};

/* stats_create makes the sealed page; returns its mapping (read-write) and stores the fd, or NULL + errno. */
struct stats_page *stats_create(int *fd);

/* stats_attach maps a page read-only and checks it; NULL + errno (EPROTO: not a page this build can read). */
const struct stats_page *stats_attach(int fd);
void stats_detach(const struct stats_page *s);

/* stats_sum adds up one counter over the page's lcores. */
uint64_t stats_sum(const struct stats_page *s, enum sentinel_counter c);

/* stats_latency adds one stage (SCANNED or RING) and feed of all the page's lcores to *sum. */
void stats_latency(const struct stats_page *s, enum latency_stage stage, enum latency_feed feed, struct hist *sum);
/* stats_node_sum adds up a feed of a node over the page's lcores; last_ns: the latest. node < STATS_NODES_MAX, feed < NODE_FEED_COUNT. */
void stats_node_sum(const struct stats_page *s, unsigned node, unsigned feed, struct stats_node_feed *out);

#endif
