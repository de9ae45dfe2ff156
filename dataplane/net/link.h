/* SPDX-License-Identifier: BSD-3-Clause */
/* link: what a frame begins with. Ports are Ethernet; capture files say it
 * (https://www.tcpdump.org/linktypes.html). */
#ifndef NET_LINK_H
#define NET_LINK_H

enum net_link {
	NET_LINK_ETHERNET,
	NET_LINK_IP,	 /* no link header: IPv4 or IPv6, by the version field */
	NET_LINK_FAMILY, /* BSD loopback: address family in four bytes of either byte order */
	NET_LINK_SLL,	 /* Linux cooked v1 */
	NET_LINK_SLL2,	 /* Linux cooked v2 */
	NET_LINK_OTHER,	 /* not read: NOTOURS_LINK */
};

#endif
