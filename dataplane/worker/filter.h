/* SPDX-License-Identifier: BSD-3-Clause */
/* filter: which of the traffic on an interface is the nodes'. A TCP segment is theirs if one of its VLAN tags is listed, and either
 * endpoint's address is, and either endpoint's port is; an empty list means any. Filled from the profile (io/profile.h) or a command
 * line (io/filter_text.h), read by the programs of io/bpf through io/filter_table.h. All zero: every TCP segment and no tunnel. */
#ifndef WORKER_FILTER_H
#define WORKER_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FILTER_PORTS_MAX 64u
#define FILTER_ADDRESSES_MAX 64u
#define FILTER_VLANS_MAX 64u
#define FILTER_TUNNELS_MAX 16u

/* An IPv6 prefix, or an IPv4 one mapped into ::ffff:0:0/96 (so of 96 bits and more). Bits behind the prefix are 0. */
struct filter_prefix {
	uint8_t address[16];
	uint8_t bits; /* 0..128; 0 is every address of both families */
};

struct filter {
	uint16_t port[FILTER_PORTS_MAX]; /* 1..65535 */
	struct filter_prefix address[FILTER_ADDRESSES_MAX];
	uint16_t vlan[FILTER_VLANS_MAX]; /* 0: without a tag, or with the tag 0; 1..4094 */
	/* Whose tunnels (GRE with ERSPAN, IP in IP, VXLAN, GENEVE, MPLS in UDP) are taken whole, by either outer address: of what is inside nothing
	 * is asked but by the box itself. Unlike the others: empty is none. */
	struct filter_prefix tunnel[FILTER_TUNNELS_MAX];
	uint8_t ports, addresses, vlans, tunnels;
	bool given; /* somebody said something; else filter_derive decides */
};

/* filter_derive decides what a box without a word on its filter takes: the traffic of its nodes' addresses if it knows any (the first
 * FILTER_ADDRESSES_MAX of them; returns how many did not fit, and then everything is taken, for no node may be missed), else all TCP
 * and all tunnels. Does nothing to a filter that was given. */
static inline unsigned
filter_derive(struct filter *f, const struct filter_prefix *nodes, unsigned n)
{
	if (f->given)
		return 0;
	memset(f, 0, sizeof *f);
	if (n > 0 && n <= FILTER_ADDRESSES_MAX) {
		memcpy(f->address, nodes, n * sizeof nodes[0]);
		f->addresses = (uint8_t)n;
		return 0;
	}
	f->tunnels = 1; /* ::/0 */
	return n;
}

#endif
