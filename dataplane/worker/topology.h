/* SPDX-License-Identifier: BSD-3-Clause */
/* topology: who runs where and what lies between them, as one table: lcores with their CPU and role, ports
 * with their queues, rings with their sizes. Filled from a box profile (io/profile.h), checked here, read by
 * everything that starts lcores, ports and rings, and printed by --print-topology. */
#ifndef WORKER_TOPOLOGY_H
#define WORKER_TOPOLOGY_H

#include "worker/feeds.h"
#include "worker/filter.h"
#include "worker/nodes.h"
#include "worker/ports_spec.h"
#include "worker/protocols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TOPOLOGY_WORKERS_MAX 32
#define TOPOLOGY_PORTS_MAX 8
#define TOPOLOGY_CPU_MAX 1023
#define TOPOLOGY_PATH_BYTES 256

/* What an lcore does when it finds no work. spin: polls on (isolated cores). pause: waits in the CPU for up
 * to 20 us (umwait or tpause; where the CPU has neither, polls on). sleep: sleeps 20 us in the kernel, and 100 us after
 * some 50 ms without work. */
enum idle_policy {
	IDLE_SPIN,
	IDLE_PAUSE,
	IDLE_SLEEP,
	IDLE_GIVE_WAY /* not a profile's: sleep, with real-time priority, which must not keep others of its kind from the core however much there is to do */
};

struct topology {
	bool huge_pages;
	uint32_t memory_mb; /* for packet buffers; with huge pages also for flows */
	enum idle_policy idle;
	uint32_t main_cpu, correlator_cpu;
	uint32_t worker_cpu[TOPOLOGY_WORKERS_MAX];
	uint32_t workers;
	struct topology_port port[TOPOLOGY_PORTS_MAX];
	uint32_t ports;
	uint32_t mtu; /* largest IP packet that a port shall take */
	bool verify_checksum; /* TCP's, the innermost; no other checksum is looked at */
	uint32_t vxlan_port;  /* besides 4789 and 8472; 0 = none */
	/* per worker */
	uint32_t flows_max, seen_entries;
	uint32_t pipe_mb;
	/* per alert ring */
	uint32_t ring_slots, evidence_mb;
	struct feeds feeds;
	struct protocols protocols;
	struct nodes nodes;
	struct filter filter;
	char rlpx_keys[TOPOLOGY_PATH_BYTES]; /* key log; empty: none */
};

/* lcore ids: the main lcore is 0, the correlator 1, worker i is TOPOLOGY_WORKER_0 + i. CPUs may be shared. */
#define TOPOLOGY_MAIN 0u
#define TOPOLOGY_CORRELATOR 1u
#define TOPOLOGY_WORKER_0 2u

/* topology_default: the embedded defaults: no huge pages, no port, one worker, everything on two CPUs, sleeps
 * when idle. */
void topology_default(struct topology *t);

/* topology_limit: whether `value` may stand in the number field of this name (as in the profile: "flows", "ring.slots"). 0, also for a name
 * without limits, or -EINVAL with a sentence in err. */
int topology_limit(const char *field, uint32_t value, char *err, size_t err_cap);

/* topology_check: 0, or -EINVAL with a sentence in err that names the field. cpus: how many the machine has.
 */
int topology_check(const struct topology *t, uint32_t cpus, char *err, size_t err_cap);

/* topology_print writes the table, one lcore, port or ring a line. */
void topology_print(const struct topology *t, FILE *out);

#endif
