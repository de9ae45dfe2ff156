/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_port: what the kernel knows of a network interface and DPDK's drivers on it do not tell: how it spreads flows, whether its link is there, and what its
 * sockets dropped. The PMDs of DPDK 22.11 leave out of their statistics what AF_XDP drops because its ring is full, and all that AF_PACKET drops. No DPDK here. */
#ifndef IO_KERNEL_PORT_H
#define IO_KERNEL_PORT_H

#include "io/sysfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* kernel_port_flags: the flags of an interface (IFF_UP ...). 0, or -errno (-ENODEV: there is none). kernel_port_queues: its receive queues, 0 if nobody says. Both
 * ask the kernel, since /sys shows the interfaces of the network namespace that it was mounted in; below another root, /sys. */
int kernel_port_flags(const struct sysfs *s, const char *interface, unsigned *flags);
uint32_t kernel_port_queues(const struct sysfs *s, const char *interface);

/* kernel_port_apart: whether its driver counts receive and send queues apart (veth does): DPDK's AF_XDP then reads the first one alone. */
bool kernel_port_apart(const struct sysfs *s, const char *interface);

enum kernel_rss {
	KERNEL_RSS_UNKNOWN,   /* the driver does not say */
	KERNEL_RSS_SYMMETRIC, /* both directions of a TCP connection come by one queue */
	KERNEL_RSS_OTHER      /* they do not, or IPv6 is spread otherwise */
};

/* kernel_port_rss asks the driver of an interface (ethtool -x, -n rx-flow-hash). */
enum kernel_rss kernel_port_rss(const char *interface);

/* ---- the link ---- */

enum kernel_link { KERNEL_LINK_UNKNOWN, KERNEL_LINK_UP, KERNEL_LINK_DOWN, KERNEL_LINK_GONE };

/* kernel_link_open: a socket for kernel_link_get, -1 without. kernel_link_get makes two ioctls on it. Of an index (if_nametoindex): another interface of the
 * same name, made when the first was no more, shows nothing to whoever reads that one. */
int kernel_link_open(void);
enum kernel_link kernel_link_get(int fd, unsigned index);

/* kernel_promisc_open: the interface shows all frames for as long as this descriptor is open, so at most until the process ends, however it does. The descriptor,
 * or -errno. */
int kernel_promisc_open(const char *interface);

/* ---- drops ---- */

#define KERNEL_SOCKETS_MAX 64u

struct kernel_sockets {
	int fd[KERNEL_SOCKETS_MAX];
	bool xdp[KERNEL_SOCKETS_MAX];
	uint32_t n;
	uint64_t packet_drops; /* AF_PACKET's counter begins anew at each reading */
};

#define KERNEL_MARK_MAX 1024u

/* kernel_sockets_mark: descriptors of packet and XDP sockets that are open now (KERNEL_MARK_MAX of them at most), for kernel_sockets_new: those that came since
 * are a port's. Before the sandbox: it looks at /proc. */
struct kernel_mark {
	int fd[KERNEL_MARK_MAX];
	uint32_t n;
};
void kernel_sockets_mark(struct kernel_mark *m);
void kernel_sockets_new(struct kernel_sockets *s, const struct kernel_mark *before);

/* kernel_sockets_of finds the packet sockets that are bound to an interface. */
void kernel_sockets_of(struct kernel_sockets *s, const char *interface);

/* kernel_sockets_missed: frames for which these sockets had no room, all in all, beside what DPDK's driver counts; a getsockopt for each. */
uint64_t kernel_sockets_missed(struct kernel_sockets *s);

#endif
