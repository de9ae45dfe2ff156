/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox: the dataplane's last step before it lets its lcores look at a frame. By then EAL, ports, bundle, channel and shared memory are
 * there; from then on nothing is opened any more, and whoever took this process over through a parser would have what the table
 * lists and no more. */
#ifndef IO_SANDBOX_H
#define IO_SANDBOX_H

#include "abi/confine.h"

#define SANDBOX_USER "sentinel-dataplane"

/* Kinds of ports, whose drivers make calls of their own while they run. */
enum sandbox_kind {
	SANDBOX_AF_PACKET = 1u << 0,
	SANDBOX_AF_XDP = 1u << 1,
	SANDBOX_PCI = 1u << 2,	/* by vfio: ice, i40e, ... */
	SANDBOX_VERBS = 1u << 3, /* bifurcated, beside a kernel driver: mlx5 */
	SANDBOX_PCAP = 1u << 4,	 /* captures and interfaces by libpcap, for tests */
};

extern const struct confine_table sandbox_table;

/* sandbox_kind: by the name of a port's DPDK driver ("net_af_xdp", "mlx5_pci"); 0: one that makes no call (a file, net_ring). */
unsigned sandbox_kind(const char *driver);

struct sandbox_options {
	const char *user; /* NULL: SANDBOX_USER if this is root and there is that user; else who one is */
	bool off;	  /* for debuggers */
};

/* sandbox_enter gives everything up. It says on stderr what does not hold (off, sanitizers, still root). Precondition: all threads of
 * EAL and of the drivers run, no lcore works. 0; or -errno with a sentence in err: do not go on. *holds: the filter is on, and
 * nothing may be opened, closed by driver calls, or unlinked from now on. */
int sandbox_enter(const struct sandbox_options *o, unsigned kinds, bool *holds, char *err, size_t cap);

#endif
