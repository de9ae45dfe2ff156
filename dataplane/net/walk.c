/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/walk.h"

#define ETHER_BYTES 14u
#define VLAN_TAGS_MAX 3u
#define IP6_BYTES 40u
#define SLL_BYTES 16u
#define SLL2_BYTES 20u

#define NEXT_HOP_BY_HOP 0u
#define NEXT_ROUTING 43u
#define NEXT_FRAGMENT 44u
#define NEXT_DESTINATION 60u
#define NEXT_MOBILITY 135u

static enum sentinel_counter
ethernet(struct walk *w)
{
	enum sentinel_counter r = cursor_need(&w->c, ETHER_BYTES, CTR_UNDEC_ETHER);
	if (r != CTR_ACCEPTED)
		return r;
	w->next = WALK_TYPE;
	w->type = get16(w->c.p + 12);
	w->tags = 0;
	cursor_skip(&w->c, ETHER_BYTES);
	/* inside a tunnel only: Ethernet may not carry itself without one */
	return w->type == TYPE_ETHER ? CTR_NOTOURS_ETHERTYPE : CTR_ACCEPTED;
}

static enum sentinel_counter
vlan(struct walk *w)
{
	enum sentinel_counter r = cursor_need(&w->c, 4, CTR_UNDEC_ETHER);
	if (r != CTR_ACCEPTED)
		return r;
	/* of id 0: a priority, of which receivers take off as many as there are */
	if ((get16(w->c.p) & 0xfff) != 0 && ++w->tags > VLAN_TAGS_MAX)
		return CTR_UNDEC_VLAN;
	w->type = get16(w->c.p + 2);
	cursor_skip(&w->c, 4);
	return w->type == TYPE_ETHER ? CTR_NOTOURS_ETHERTYPE : CTR_ACCEPTED;
}

/* The cursor stands behind the IP header and what must come before the fragment, at its bytes. */
static enum sentinel_counter
fragment(struct walk *w, uint32_t id, uint32_t off, bool more)
{
	if (w->parts < (w->glance ? GLANCE_PARTS : 1)) {
		struct fragment *f = &w->part[w->parts++];
		memcpy(f->ip, w->ends->ip, sizeof f->ip);
		f->id = id;
		f->off = off;
		f->next = (uint8_t)w->type;
		f->tunnels = w->tunnels;
		f->ip6 = w->ip6;
		f->more = more;
		f->payload = (struct span){w->c.p, w->c.have};
	}
	if (w->glance) {
		w->c.left = LENGTH_UNKNOWN;
		return off == 0 ? CTR_ACCEPTED : CTR_FRAGMENTS_HELD;
	}
	return w->c.have < w->c.left ? CTR_UNDEC_TRUNCATED : CTR_FRAGMENTS_HELD;
}

static bool
carries_tcp(uint32_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_GRE || proto == PROTO_IP4 ||
	       proto == PROTO_IP6 || proto == PROTO_AH;
}

static enum sentinel_counter
ip4(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, 20, CTR_UNDEC_IP4);
	if (r != CTR_ACCEPTED)
		return r;
	const uint8_t *h = c->p;
	uint32_t header = (h[0] & 15u) * 4, length = get16(h + 2), place = get16(h + 6) & 0x3fff;
	uint32_t total = length == 0 ? c->left : length;
	if (h[0] >> 4 != 4 || header < 20 || total < header || total > c->left)
		return CTR_UNDEC_IP4;
	if (!carries_tcp(h[9]))
		return CTR_NOTOURS_PROTO;
	if (place != 0 && length == 0)
		return CTR_UNDEC_FRAGMENT_BAD;
	cursor_limit(c, total);
	r = cursor_need(c, header, CTR_UNDEC_IP4);
	if (r != CTR_ACCEPTED)
		return r;
	for (unsigned i = 0; i < 2; i++) {
		w->ends->ip[i][0] = 0;
		w->ends->ip[i][1] = ip4_mapped(h + 12 + 4 * i);
	}
	w->next = WALK_PROTO;
	w->type = h[9];
	w->ip6 = false;
	cursor_skip(c, header);
	return place == 0 ? CTR_ACCEPTED
			  : fragment(w, get16(h + 4), (place & 0x1fff) * 8, (place & 0x2000) != 0);
}

/* The payload length of a jumbogram from its hop-by-hop header, 0 if it has none. The header is the first
 * thing in c. */
static uint32_t
jumbo_length(const struct cursor *c)
{
	uint32_t n = c->have >= 8 ? (c->p[1] + 1u) * 8 : 0;
	if (n > c->have)
		return 0;
	for (uint32_t at = 2; at + 2 <= n;) {
		uint32_t type = c->p[at], len = c->p[at + 1];
		if (type == 0) { /* Pad1 */
			at++;
			continue;
		}
		if (type == 0xc2 && len == 4 && at + 6 <= n)
			return get32(c->p + at + 2);
		at += 2 + len;
	}
	return 0;
}

static enum sentinel_counter
ip6(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, IP6_BYTES, CTR_UNDEC_IP6);
	if (r != CTR_ACCEPTED)
		return r;
	const uint8_t *h = c->p;
	uint32_t payload = get16(h + 4);
	if (h[0] >> 4 != 6 || payload > c->left - IP6_BYTES)
		return CTR_UNDEC_IP6;
	memcpy(w->ends->ip, h + 8, 32);
	w->next = WALK_PROTO;
	w->type = h[6];
	w->ip6 = true;
	cursor_skip(c, IP6_BYTES);
	if (payload == 0 && h[6] == NEXT_HOP_BY_HOP)
		payload = jumbo_length(c);
	if (payload > c->left)
		return CTR_UNDEC_IP6;
	if (payload != 0)
		cursor_limit(c, payload);
	return CTR_ACCEPTED;
}

/* While a routing header has segments left, the last of them is where the packet goes, which is what the
 * sender's checksum is made of and where the answers come from (RFC 5095, 6275: at the end; RFC 8754: at the
 * beginning). */
static void
final_destination(struct walk *w, const uint8_t *h, uint32_t n)
{
	uint8_t type = h[2], left = h[3];
	if (left == 0 || n < 24)
		return;
	if (type == 0 || type == 2)
		memcpy(w->ends->ip[1], h + 8 + ((n - 8) / 16 - 1) * 16, 16);
	else if (type == 4)
		memcpy(w->ends->ip[1], h + 8, 16);
}

static enum sentinel_counter
extension(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter bad = w->ip6 ? CTR_UNDEC_IP6 : CTR_UNDEC_IP4;
	enum sentinel_counter r = cursor_need(c, 8, bad);
	if (r != CTR_ACCEPTED)
		return r;
	const uint8_t *h = c->p;
	uint32_t type = w->type, n = (h[1] + 1u) * 8;
	if (type == NEXT_FRAGMENT)
		n = 8;
	else if (type == PROTO_AH)
		n = (h[1] + 2u) * 4;
	r = cursor_need(c, n, bad);
	if (r != CTR_ACCEPTED)
		return r;
	if (type == NEXT_ROUTING)
		final_destination(w, h, n);
	w->type = h[0];
	cursor_skip(c, n);
	uint32_t place = get16(h + 2);
	/* offset 0 and no more to come: a whole packet that only looks like a fragment */
	if (type == NEXT_FRAGMENT && (place & 0xfff9) != 0)
		return fragment(w, get32(h + 4), place & 0xfff8, (place & 1) != 0);
	return CTR_ACCEPTED;
}

static enum sentinel_counter
by_type(struct walk *w)
{
	switch (w->type) {
	case TYPE_IP4:
		return ip4(w);
	case TYPE_IP6:
		return ip6(w);
	case TYPE_ETHER:
		return ethernet(w);
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		return tunnel_mpls(w);
	case TYPE_PPPOE:
		return tunnel_pppoe(w);
	default:
		return is_vlan(w->type) ? vlan(w) : CTR_NOTOURS_ETHERTYPE;
	}
}

static enum sentinel_counter
by_proto(struct walk *w)
{
	switch (w->type) {
	case PROTO_IP4:
		return tunnel_enter(w, TYPE_IP4);
	case PROTO_IP6:
		return tunnel_enter(w, TYPE_IP6);
	case PROTO_GRE:
		return tunnel_gre(w);
	case PROTO_UDP:
		return tunnel_udp(w);
	case PROTO_AH:
		return extension(w);
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_FRAGMENT:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
		return w->ip6 ? extension(w) : CTR_NOTOURS_PROTO;
	default:
		return CTR_NOTOURS_PROTO;
	}
}

/* Ends: every step but tunnel_enter, which is capped, takes bytes. */
enum sentinel_counter
walk_on(struct walk *w)
{
	for (;;) {
		if (w->next == WALK_PROTO && w->type == PROTO_TCP)
			return CTR_ACCEPTED;
		enum sentinel_counter r = w->next == WALK_TYPE ? by_type(w) : by_proto(w);
		if (r != CTR_ACCEPTED)
			return r;
	}
}

/* Four bytes of address family as the capturing machine wrote them: AF_INET is 2 everywhere, AF_INET6 is
 * 10, 23, 24, 28 or 30. */
static uint32_t
family_type(const uint8_t *p)
{
	uint32_t big = get32(p), v = big < 0x10000 ? big : __builtin_bswap32(big);
	if (v == 2)
		return TYPE_IP4;
	return v == 10 || v == 23 || v == 24 || v == 28 || v == 30 ? TYPE_IP6 : 0;
}

enum sentinel_counter
walk_frame(struct walk *w, enum net_link link)
{
	static const uint32_t bytes[] = {[NET_LINK_IP] = 1,
		[NET_LINK_FAMILY] = 4,
		[NET_LINK_SLL] = SLL_BYTES,
		[NET_LINK_SLL2] = SLL2_BYTES};
	w->next = WALK_TYPE;
	if (link == NET_LINK_ETHERNET) {
		enum sentinel_counter e = ethernet(w);
		return e == CTR_ACCEPTED ? walk_on(w) : e;
	}
	if (link >= NET_LINK_OTHER)
		return CTR_NOTOURS_LINK;
	enum sentinel_counter r = cursor_need(&w->c, bytes[link], CTR_UNDEC_ETHER);
	if (r != CTR_ACCEPTED)
		return r;
	if (link == NET_LINK_IP)
		w->type = walk_version(w);
	else if (link == NET_LINK_FAMILY)
		w->type = family_type(w->c.p);
	else
		w->type = get16(w->c.p + (link == NET_LINK_SLL ? 14 : 0));
	if (link != NET_LINK_IP)
		cursor_skip(&w->c, bytes[link]);
	return w->type == TYPE_ETHER ? CTR_NOTOURS_ETHERTYPE : walk_on(w);
}
