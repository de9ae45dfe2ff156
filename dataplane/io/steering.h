/* SPDX-License-Identifier: BSD-3-Clause */
/* steering: the steered ports of a topology (io/steer.h), each with the profile's filter. */
#ifndef IO_STEERING_H
#define IO_STEERING_H

#include "abi/stats.h"
#include "io/own.h"
#include "io/ports.h"
#include "io/steer.h"
#include "worker/topology.h"

struct steering {
	struct steer port[TOPOLOGY_PORTS_MAX]; /* by DPDK's number */
	struct own own[TOPOLOGY_PORTS_MAX];
	const char *interface[TOPOLOGY_PORTS_MAX];
	uint32_t steered;		       /* bit i: port[i] is open */
	uint32_t strips;		       /* bit i: no VLAN tag of port[i] was seen by the program when it was opened */
	uint64_t looked_ns;
};

/* steering_prepare: before EAL starts: looks at every steered interface and gives the driver the program (xdp_prog of the topology's ports). What there is
 * to tell is logged. 0, or -errno with a sentence in err. */
int steering_prepare(struct topology *t, char *err, size_t err_cap);

/* steering_forget: after EAL has started: the topology is again as the profile says, so that another profile can be compared with it. Returns 0. */
int steering_forget(struct topology *t);

/* steering_filter: the filter that is in force with a topology: the profile's, or what filter_derive makes of its nodes. */
void steering_filter(const struct topology *t, struct filter *f);

/* steering_open: after ports_start: takes the programs over and gives them the filter. 0, or -errno with a sentence in err, and nothing is steered. */
int steering_open(struct steering *s, const struct ports *p, const struct topology *t, char *err, size_t err_cap);

/* steering_apply: another profile's filter, at once (an apply_part of io/apply.h). One that could match nothing is refused. */
int steering_apply(void *steering, const struct topology *want, bool commit, char *err, size_t err_cap);

/* steering_turn: once in a while: this host's own addresses, as they are now, stay the kernel's. now_ns: of a clock that never goes back. */
void steering_turn(struct steering *s, uint64_t now_ns);

/* steering_stats copies the programs' counters to the stats page; no system call. */
void steering_stats(const struct steering *s, struct stats_page *page);

/* steering_close takes the programs off. The end of the process does so too. */
void steering_close(struct steering *s);

#endif
