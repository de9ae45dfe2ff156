/* SPDX-License-Identifier: BSD-3-Clause */
/* steer: leaves to the kernel what is not the nodes' on an interface that an AF_XDP port reads, by the XDP program of io/bpf/steer.bpf.c. The
 * ethdev driver (DPDK 22.11, net_af_xdp, argument xdp_prog) loads and attaches it; this module gives it the program, finds what
 * it loaded, maps its filter and counters, and ties it to the life of this process: when the process ends, in whatever way, the program is gone
 * from the interface.
 *
 * Before EAL: steer_prepare for each interface, steer_object for the driver. After the ports have been started: steer_open. From then on filter
 * and counters are memory: steer_filter and steer_counters make no system call. What is taken does not reach the interface's own host any
 * more, but for what is sent to one of its own addresses (steer_own). For the traffic of a node on this host see sentinel-tap.
 *
 * An XDP program sees what the hardware leaves in the frame: with a filter of VLANs, rxvlan must be off (ethtool -K IF rxvlan off). */
#ifndef IO_STEER_H
#define IO_STEER_H

#include "io/filter_table.h"

struct steer {
	struct filter_table_map map;
	struct table_own *own;
	int link_fd; /* -1: not open */
	uint16_t vxlan_port;
};

/* steer_object: a path under which the program can be opened as long as this process lives (a memory file). NULL with a sentence in err. */
const char *steer_object(char *err, size_t err_cap);

/* steer_prepare looks whether the kernel takes the program (by loading it once) and whether the interface is free for it. A program that a dataplane
 * without these ties left behind is removed. 0, with a sentence in said if there is something to tell (else said is empty); or -errno with
 * a sentence and the next step in said. */
int steer_prepare(const char *interface, char *said, size_t cap);

/* steer_open takes over the program that the driver has attached to the interface: nothing is taken from the kernel before the first filter.
 * vxlan_port: as the profile's. 0, as above, or -errno with a sentence in said. */
int steer_open(struct steer *s, const char *interface, uint16_t vxlan_port, char *said, size_t cap);

/* steer_filter makes *f the filter, at once and whole; for the first time or any other. */
void steer_filter(struct steer *s, const struct filter *f);

/* steer_own: this host's addresses (IPv4 in ::ffff:0:0/96; those behind TABLE_OWN_MAX are left out). TCP that the filter takes and that goes to one of them is
 * the kernel's all the same; tunnels are not. No system call; nothing is written if they are the same as before. */
void steer_own(struct steer *s, const uint8_t (*address)[16], unsigned n);

/* steer_strips_tags: whether the interface's hardware puts the VLAN tag of a received frame aside, so that no filter of VLANs meets it. A question to the
 * kernel: before the sandbox. */
bool steer_strips_tags(const char *interface);

/* steer_counters: where every frame of the interface has gone (abi/steer.h). */
void steer_counters(const struct steer *s, uint64_t out[STEER_COUNT]);

/* steer_close takes the program off the interface. */
void steer_close(struct steer *s);

#endif
