/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* table: the memory that the programs of this folder share with user space: a filter in the form that judges a frame quickest, kept twice,
 * and counters. User space writes the copy that is not in use and then turns `active` round (io/filter_table.h). A program that was
 * interrupted while it judged by a copy that has been turned away and is written again sees by `seq` that it was, and judges again. */
#ifndef IO_BPF_TABLE_H
#define IO_BPF_TABLE_H

#include "abi/steer.h"

#define TABLE_PREFIXES_MAX 64
#define TABLE_TUNNELS_MAX 16
#define TABLE_OWN_MAX 64
#define TABLE_VLAN_WORDS (4096 / 64)
#define TABLE_PORT_WORDS (65536 / 64)
#define TABLE_SLOTS 24	/* counters, by enum steer_counter; behind it what a program has of its own */
#define FRAME_OFFSET_MAX 0x3fffu /* of what the programs read: behind six extension headers of the largest size */
#define TABLE_CPUS_MAX 1024 /* CPUs behind share the counters of the last */

/* address & mask == want, all in the order of the bytes in memory; IPv4 in ::ffff:0:0/96 */
struct table_prefix {
	unsigned long long mask[2], want[2];
};

struct filter_table {
	unsigned long long seq; /* odd while it is written */
	unsigned int prefixes;	/* 0: any address */
	unsigned int tunnels;	/* 0: none */
	unsigned char any_vlan, any_port;
	unsigned short udp_tunnel; /* one more UDP port of VXLAN, host order; 0: none */
	unsigned int ready;	   /* 0: nothing is taken yet */
	struct table_prefix prefix[TABLE_PREFIXES_MAX];
	struct table_prefix tunnel[TABLE_TUNNELS_MAX];
	unsigned long long vlan[TABLE_VLAN_WORDS];
	unsigned long long port[TABLE_PORT_WORDS];
};

struct table_state {
	unsigned long long active; /* its lowest bit: which copy judges */
	struct filter_table table[2];
};

/* This host's own addresses, in the form of a table_prefix's. n last when it is written. */
struct table_own {
	unsigned long long ip[TABLE_OWN_MAX][2];
	unsigned int n;
};

/* One CPU's, written by it alone. */
struct table_counts {
	unsigned long long c[TABLE_SLOTS];
};

/* What a frame says of itself, as far as a filter asks. */
struct table_frame {
	unsigned long long ip[2][2]; /* source, destination */
	unsigned short port[2];	     /* host order; 0 of what has none */
	unsigned short vlan[3];	     /* its VLAN ids; the frame without a tag has one, of 0 */
	unsigned char vlans;
	unsigned char kind; /* enum table_kind */
};

/* From UNSAID on it may be a tunnel. BURIED: behind more tags than are read; UNSAID: a fragment that does not say what its datagram carries; DEEP: behind
 * more headers than are read. */
enum table_kind { TABLE_TCP, TABLE_LATER_FRAGMENT, TABLE_BURIED, TABLE_UNSAID, TABLE_DEEP, TABLE_TUNNEL };

#endif
