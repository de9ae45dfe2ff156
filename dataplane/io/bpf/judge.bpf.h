/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* judge: from a frame to the place where it counts. Shared by steer (XDP) and tap (tc), which differ in how bytes are read: each
 * defines frame_read(ctx, off, to, n) and FRAME_CTX before it includes this. Only what io/filter_table.h's users may rely on:
 *
 * Ethernet II, up to three VLAN tags (0x8100, 0x88a8, 0x9100, 0x9200; a tag with id 0 is a priority, no VLAN, and a receiver takes off as many of
 * those as there are: what lies behind more than 16 tags in all is taken, for nobody sends such a frame in good faith); IPv4 with options; IPv6
 * behind up to six extension headers (hop-by-hop, routing, destination, mobility, HIP, shim6, authentication, fragment). A first
 * fragment is judged by its ports; what shows none, a later one or IPv6 behind more headers than that, by its addresses alone, for the
 * sender chooses whether the ports show: it is taken unless the filter names addresses and none of them matches. Of an IPv6 datagram only
 * the first fragment says what it carries. Tunnels: GRE, IP in IP, and UDP to the ports of VXLAN, VXLAN-GPE, GENEVE and MPLS. */
#ifndef IO_BPF_JUDGE_BPF_H
#define IO_BPF_JUDGE_BPF_H

#include "io/bpf/table.h"

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TAGS_MAX 3
#define TAGS_READ 16
#define EXTENSIONS_MAX 6
#define RETRIES 4

#ifndef NULL
#define NULL ((void *)0)
#endif
#define once(x) (*(volatile typeof(x) *)&(x))
#define compiler_barrier() asm volatile("" ::: "memory")

/* Maps that user space has as memory. */
#define MAPPED_ARRAY(name, of, n) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, n); \
		__type(key, __u32); \
		__type(value, of); \
	} name SEC(".maps")

/* One more at `at` of this CPU, in a map of struct table_counts; nothing from `slots` on. */
static __always_inline void
count_in(void *counts, __u32 at, __u32 slots)
{
	__u32 cpu = bpf_get_smp_processor_id();
	if (cpu >= TABLE_CPUS_MAX)
		cpu = TABLE_CPUS_MAX - 1;
	struct table_counts *c = bpf_map_lookup_elem(counts, &cpu);
	if (c != NULL && at < slots)
		c->c[at]++;
}

/* As __COUNTER_ names; JUDGED: go on to the filter. */
#define JUDGED STEER_COUNT

struct ip4_head {
	__u8 version_ihl, tos;
	__u16 len, id, frag;
	__u8 ttl, proto;
	__u16 check;
	__u8 src[4], dst[4];
};

struct ip6_head {
	__u32 version_flow;
	__u16 payload;
	__u8 next, hops;
	__u64 src[2], dst[2];
};

static __always_inline int
is_tag(__u16 type)
{
	return type == bpf_htons(0x8100) || type == bpf_htons(0x88a8) || type == bpf_htons(0x9100) || type == bpf_htons(0x9200);
}

static __always_inline void
add_vlan(struct table_frame *f, __u16 id)
{
	id &= 0xfff;
	if (id == 0)
		return;
	if (f->vlans == 0)
		f->vlan[0] = id;
	else if (f->vlans == 1)
		f->vlan[1] = id;
	else
		f->vlan[2] = id;
	f->vlans++;
}

static __always_inline int
is_udp_tunnel(__u16 port, __u16 own)
{
	return port == 4789 || port == 8472 || port == 4790 || port == 6081 || port == 6635 || (own != 0 && port == own);
}

enum part { PART_WHOLE, PART_FIRST, PART_LATER };

/* A first fragment may end within the TCP header: the receiver does not mind. */
static __always_inline int
read_ports(FRAME_CTX *ctx, __u32 off, enum part part, struct table_frame *f)
{
	__u16 head[10]; /* a TCP header without options */
	f->kind = TABLE_TCP;
	if (part == PART_FIRST) {
		if (frame_read(ctx, off, head, 4) != 0) {
			f->kind = TABLE_UNSAID;
			return JUDGED;
		}
	} else if (frame_read(ctx, off, head, sizeof head) != 0 || ((__u8 *)head)[12] >> 4 < 5) {
		return STEER_PASSED_MALFORMED;
	}
	f->port[0] = bpf_ntohs(head[0]);
	f->port[1] = bpf_ntohs(head[1]);
	return JUDGED;
}

/* What lies behind the IP header(s). */
static __always_inline int
read_transport(FRAME_CTX *ctx, __u32 off, __u8 proto, enum part part, __u16 udp_own, struct table_frame *f)
{
	f->kind = TABLE_TUNNEL;
	if (proto == 47 || proto == 4 || proto == 41)
		return JUDGED;
	if (proto == 17) {
		__u16 ports[4];
		if (part == PART_LATER)
			return STEER_PASSED_NOT_TCP; /* of a tunnel perhaps, but only of one that is fragmented */
		if (frame_read(ctx, off, ports, sizeof ports) != 0)
			return STEER_PASSED_MALFORMED;
		return is_udp_tunnel(bpf_ntohs(ports[1]), udp_own) ? JUDGED : STEER_PASSED_NOT_TCP;
	}
	if (proto != 6)
		return STEER_PASSED_NOT_TCP;
	f->kind = TABLE_LATER_FRAGMENT;
	return part == PART_LATER ? JUDGED : read_ports(ctx, off, part, f);
}

static __always_inline __u64
mapped4(const __u8 a[4])
{
	__u32 v;
	__builtin_memcpy(&v, a, 4);
	return (__u64)bpf_htonl(0xffff) | (__u64)v << 32; /* little-endian, as everything that this runs on */
}

static __always_inline int
read_ip4(FRAME_CTX *ctx, __u32 off, __u16 udp_own, struct table_frame *f)
{
	struct ip4_head h;
	if (frame_read(ctx, off, &h, sizeof h) != 0)
		return STEER_PASSED_MALFORMED;
	__u32 ihl = (h.version_ihl & 15) * 4;
	__u16 len = bpf_ntohs(h.len), frag = bpf_ntohs(h.frag);
	/* a total length of 0: segmentation offload */
	if (h.version_ihl >> 4 != 4 || ihl < 20 || (len != 0 && len < ihl))
		return STEER_PASSED_MALFORMED;
	f->ip[0][1] = mapped4(h.src);
	f->ip[1][1] = mapped4(h.dst);
	enum part part = (frag & 0x1fff) != 0 ? PART_LATER : (frag & 0x2000) != 0 ? PART_FIRST : PART_WHOLE;
	return read_transport(ctx, off + ihl, h.proto, part, udp_own, f);
}

static __always_inline int
is_extension(__u8 next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135 || next == 139 || next == 140;
}

/* Global and not inlined, as by_filter: so the kernel verifies their loops once, and not for every way that leads to them. */
int read_ip6(FRAME_CTX *ctx, __u32 off, __u16 udp_own, struct table_frame *f);

__attribute__((noinline)) int
read_ip6(FRAME_CTX *ctx, __u32 off, __u16 udp_own, struct table_frame *f)
{
	struct ip6_head h;
	__u8 x[8];
	enum part part = PART_WHOLE;
	if (f == NULL || frame_read(ctx, off, &h, sizeof h) != 0 || (*(__u8 *)&h.version_flow) >> 4 != 6)
		return STEER_PASSED_MALFORMED;
	f->ip[0][0] = h.src[0];
	f->ip[0][1] = h.src[1];
	f->ip[1][0] = h.dst[0];
	f->ip[1][1] = h.dst[1];
	__u8 next = h.next;
	off += sizeof h;
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(next); i++) {
		if (frame_read(ctx, off, x, sizeof x) != 0)
			return part == PART_FIRST ? JUDGED : STEER_PASSED_MALFORMED;
		if (next == 44) {
			f->kind = TABLE_UNSAID;
			if ((x[2] << 8 | (x[3] & 0xf8)) != 0)
				return JUDGED;
			if (x[3] & 1)
				part = PART_FIRST;
			off += 8;
		} else {
			off += next == 51 ? (x[1] + 2u) * 4 : (x[1] + 1u) * 8;
		}
		next = x[0];
	}
	f->kind = TABLE_DEEP;
	return is_extension(next) ? JUDGED : read_transport(ctx, off, next, part, udp_own, f);
}

/* Behind the addresses of the link. type: what stands there; off: behind it. f: zero, but for tags that the kernel has put aside. */
static __always_inline int
read_frame(FRAME_CTX *ctx, __u32 off, __u16 type, __u16 udp_own, struct table_frame *f)
{
	for (int i = 0; i < TAGS_READ && is_tag(type); i++) {
		__u16 tag[2];
		if (frame_read(ctx, off, tag, sizeof tag) != 0)
			return STEER_PASSED_MALFORMED;
		if (f->vlans >= TAGS_MAX && (bpf_ntohs(tag[0]) & 0xfff) != 0)
			return STEER_PASSED_DEEP;
		add_vlan(f, bpf_ntohs(tag[0]));
		type = tag[1];
		off += 4;
	}
	if (f->vlans == 0)
		f->vlans = 1; /* of id 0 */
	f->kind = TABLE_BURIED;
	if (is_tag(type))
		return JUDGED;
	if (type == bpf_htons(0x0800))
		return read_ip4(ctx, off, udp_own, f);
	if (type == bpf_htons(0x86dd))
		return read_ip6(ctx, off, udp_own, f);
	return STEER_PASSED_NOT_IP;
}

static __always_inline int
has_bit(const unsigned long long *words, __u32 bit, __u32 words_n)
{
	return once(words[(bit / 64) & (words_n - 1)]) >> (bit % 64) & 1;
}

static __always_inline int
in_prefix(const struct table_prefix *p, const unsigned long long ip[2])
{
	return ((ip[0] & p->mask[0]) ^ p->want[0]) == 0 && ((ip[1] & p->mask[1]) ^ p->want[1]) == 0;
}

static __always_inline int
any_prefix(const struct table_prefix *p, __u32 n, __u32 max, const struct table_frame *f)
{
	for (__u32 i = 0; i < max; i++) {
		if (i >= n)
			break;
		if (in_prefix(&p[i], f->ip[0]) || in_prefix(&p[i], f->ip[1]))
			return 1;
	}
	return 0;
}

static __always_inline int
vlan_ok(const struct filter_table *t, const struct table_frame *f)
{
	if (once(t->any_vlan))
		return 1;
	for (int i = 0; i < TAGS_MAX; i++)
		if (i < f->vlans && has_bit(t->vlan, f->vlan[i], TABLE_VLAN_WORDS))
			return 1;
	return 0;
}

int by_filter(struct filter_table *t, struct table_frame *f);

__attribute__((noinline)) int
by_filter(struct filter_table *t, struct table_frame *f)
{
	if (t == NULL || f == NULL || !once(t->ready))
		return STEER_PASSED_UNREADY;
	if (!vlan_ok(t, f))
		return STEER_PASSED_VLAN;
	__u8 kind = f->kind;
	if (kind == TABLE_BURIED)
		return STEER_TAKEN_FRAGMENTS;
	if (kind >= TABLE_UNSAID && any_prefix(t->tunnel, once(t->tunnels), TABLE_TUNNELS_MAX, f))
		return STEER_TAKEN_TUNNELS;
	if (kind == TABLE_TUNNEL)
		return STEER_PASSED_TUNNEL;
	__u32 prefixes = once(t->prefixes);
	if (prefixes != 0 && !any_prefix(t->prefix, prefixes, TABLE_PREFIXES_MAX, f))
		return kind == TABLE_TCP ? STEER_PASSED_ADDRESS : kind == TABLE_DEEP ? STEER_PASSED_DEEP : STEER_PASSED_FRAGMENT;
	if (kind != TABLE_TCP)
		return STEER_TAKEN_FRAGMENTS;
	if (!once(t->any_port) && !has_bit(t->port, f->port[0], TABLE_PORT_WORDS) && !has_bit(t->port, f->port[1], TABLE_PORT_WORDS))
		return STEER_PASSED_PORT;
	return STEER_TAKEN;
}

/* By one whole filter, however it changes meanwhile. */
static __always_inline int
judge(struct table_state *s, FRAME_CTX *ctx, __u32 off, __u16 type, struct table_frame *f)
{
	/* an own port of VXLAN decides what is a tunnel, and does not change while a program runs */
	int at = read_frame(ctx, off, type, once(s->table[once(s->active) & 1].udp_tunnel), f);
	if (at != JUDGED)
		return at;
	for (int i = 0; i < RETRIES; i++) {
		struct filter_table *t = &s->table[once(s->active) & 1];
		__u64 before = once(t->seq);
		compiler_barrier();
		at = by_filter(t, f);
		compiler_barrier();
		if (!(before & 1) && once(t->seq) == before)
			return at;
	}
	return STEER_PASSED_TORN;
}

#endif
