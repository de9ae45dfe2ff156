/* SPDX-License-Identifier: BSD-3-Clause */
/* walk: header by header to the TCP header, whatever lies in between. The general way of decode, for all that
 * is not plain; inside net only. walk.c holds the loop and IP, tunnel.c what may carry IP. */
#ifndef NET_WALK_H
#define NET_WALK_H

#include "net/cursor.h"
#include "net/decode.h"

#define PROTO_IP4 4u
#define PROTO_TCP 6u
#define PROTO_UDP 17u
#define PROTO_IP6 41u
#define PROTO_GRE 47u
#define PROTO_AH 51u

#define TYPE_IP4 0x0800u
#define TYPE_IP6 0x86ddu
#define TYPE_ETHER 0x6558u
#define TYPE_MPLS 0x8847u
#define TYPE_MPLS_MULTICAST 0x8848u
#define TYPE_PPPOE 0x8864u

enum walk_next { WALK_TYPE, WALK_PROTO };

struct walk {
	struct cursor c;
	enum walk_next next; /* what type is: an ethertype or an IP protocol */
	uint32_t type;
	bool ip6;    /* WALK_PROTO: extension headers may come */
	bool glance; /* go on through the first fragment of a datagram, however long the rest is */
	uint8_t tags, tunnels;
	const struct decode_rules *rules;
	struct endpoints *ends;
	struct fragment *part; /* one, or GLANCE_PARTS for a glance */
	unsigned parts;
};

/* walk_frame reads a frame from its link header on, walk_on from where w stands. CTR_ACCEPTED: w->c is at the
 * TCP header; others as segment_decode. */
enum sentinel_counter walk_frame(struct walk *w, enum net_link link);
enum sentinel_counter walk_on(struct walk *w);

/* The steps of tunnel.c: each reads the header that w stands at and leaves w behind it. CTR_ACCEPTED: go on.
 */
enum sentinel_counter tunnel_mpls(struct walk *w);
enum sentinel_counter tunnel_pppoe(struct walk *w);
enum sentinel_counter tunnel_gre(struct walk *w);
enum sentinel_counter tunnel_udp(struct walk *w);

/* tunnel_enter counts one more tunnel whose content is of an ethertype. */
static inline enum sentinel_counter
tunnel_enter(struct walk *w, uint32_t type)
{
	w->next = WALK_TYPE;
	w->type = type;
	w->tags = 0;
	return ++w->tunnels > DECODE_TUNNELS_MAX ? CTR_UNDEC_NESTING : CTR_ACCEPTED;
}

/* tunnel_port: is a UDP destination port a tunnel's? */
bool tunnel_port(const struct decode_rules *rules, uint32_t port);

/* walk_version: the ethertype of bare IP, 0 if it is none. Needs one byte. */
static inline uint32_t
walk_version(const struct walk *w)
{
	uint32_t version = w->c.p[0] >> 4;
	return version == 4 ? TYPE_IP4 : version == 6 ? TYPE_IP6 : 0;
}

#endif
