/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port is and how it is used, beside what it counts (struct stats_port): in the stats page, written by the main lcore with plain stores. */
#ifndef ABI_PORT_INFO_H
#define ABI_PORT_INFO_H

#include <stdint.h>

/* flags */
#define PORT_LINK_UP (1u << 0)
#define PORT_LINK_KNOWN (1u << 1)  /* else LINK_UP says nothing */
#define PORT_RSS (1u << 2)	   /* the port spreads flows over its queues itself */
#define PORT_RSS_REFUSED (1u << 3) /* it could spread, but not so that both directions of a connection meet; the first worker spreads instead */
#define PORT_HW_TIME (1u << 4)	   /* frames carry the port's timestamps */
#define PORT_VERIFY_CHECKSUM (1u << 5)
#define PORT_FAR (1u << 6)	   /* a queue is polled from another NUMA socket than the port's */
#define PORT_GONE (1u << 7)	   /* the interface does not exist any more */
#define PORT_STEER (1u << 8)

struct stats_port_info {
	char driver[24]; /* ends with a NUL unless the writer is broken */
	uint32_t flags;
	int32_t socket; /* NUMA; -1: none or not known */
	uint32_t queues;
	uint32_t link_mbps;  /* 0: not known */
	uint64_t link_downs; /* times that the link was found down after it was up */
	uint64_t link_since_ns; /* wall time at which the link was found as it is */
	uint64_t hw_time_steps; /* jumps of the port's clock, or of the system's against it */
	uint64_t pad[8];
};

_Static_assert(sizeof(struct stats_port_info) == 128, "two cache lines");

#endif
