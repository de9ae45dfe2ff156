/* SPDX-License-Identifier: BSD-3-Clause */
/* link: interfaces of this network namespace, by rtnetlink and ethtool's ioctls (not by /sys, which may show another namespace). */
#ifndef IO_TAP_LINK_H
#define IO_TAP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	int index, master;
	unsigned flags;	    /* IFF_* */
	unsigned short arp; /* ARPHRD_* */
	uint32_t mtu;
	char name[16], kind[16]; /* kind: "bridge", "veth" ...; empty of hardware and the loopback */
};

/* link_list: all of them, in *out (free() it). How many, or -errno. */
int link_list(struct link **out);
/* link_find: by name; NULL if there is none. */
const struct link *link_find(const struct link *list, int n, const char *name);

/* link_named: whether the name is in the list, with commas between its names. */
bool link_named(const char *list, const char *name);

/* link_make_pair makes a veth pair without offloads, IPv6 or ARP, both ends up. 0 or -errno. */
int link_make_pair(const char *name, const char *peer, uint32_t mtu);
/* link_plain takes an interface's offloads off, so that frames leave it as on a wire. 0 or -errno. */
int link_plain(const char *name);
int link_delete(int index);

/* link_promiscuous sets or clears the flag of an interface that is its administrator's. 1: it was not so before, 0: it was, or -errno. */
int link_promiscuous(const char *name, bool on);

/* link_filters: how many tc filters the clsact qdisc of the interface has, both directions; -errno. */
int link_filters(int index);

#endif
