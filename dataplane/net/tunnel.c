/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/walk.h"

#define LABELS_MAX 16u
#define PPPOE_BYTES 6u
#define UDP_BYTES 8u
#define VXLAN_BYTES 8u
#define GENEVE_BYTES 8u
#define ERSPAN2_BYTES 8u
#define ERSPAN3_BYTES 12u
#define ERSPAN3_MORE 8u
/* Beyond what a 16-bit length field can say, as receive offload makes frames. */
#define LENGTH_FIELD_MAX 65535u

#define GRE_CHECKSUM 0x8000u
#define GRE_ROUTING 0x4000u
#define GRE_KEY 0x2000u
#define GRE_SEQUENCE 0x1000u
#define GRE_VERSION 0x0007u
#define TYPE_ERSPAN 0x88beu
#define TYPE_ERSPAN3 0x22ebu

#define PORT_VXLAN 4789u
#define PORT_VXLAN_LINUX 8472u
#define PORT_VXLAN_GPE 4790u
#define PORT_GENEVE 6081u
#define PORT_MPLS 6635u

/* An IPv4 header `at` bytes ahead with its checksum right. */
static bool
ip4_certain(const struct cursor *c, uint32_t at)
{
	uint32_t n = c->have > at ? (c->p[at] & 15u) * 4 : 0, sum = 0;
	if (n < 20 || n > c->have - at)
		return false;
	for (uint32_t i = 0; i < n; i += 2)
		sum += get16(c->p + at + i);
	return sum % 0xffff == 0;
}

/* An IPv6 header `at` bytes ahead of a protocol that is seen there, whose length fits but for link padding.
 */
static bool
ip6_certain(const struct cursor *c, uint32_t at)
{
	static const uint8_t seen[] = {
		0, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 89, 103, 115, 132, 135};
	if (c->have < at + 40 || memchr(seen, c->p[at + 6], sizeof seen) == NULL)
		return false;
	uint32_t n = at + 40 + get16(c->p + at + 4);
	return n <= c->left && c->left - n < 64;
}

/* How much does what lies `at` bytes ahead look like an Ethernet frame that can lead to IP? */
enum likeness { UNLIKE, LIKELY, CERTAIN };

static enum likeness
ether_like(const struct cursor *c, uint32_t at)
{
	if (c->have < at + 15)
		return UNLIKE;
	uint32_t type = get16(c->p + at + 12), version = c->p[at + 14] >> 4;
	if (type == TYPE_IP4 && version == 4)
		return ip4_certain(c, at + 14) ? CERTAIN : LIKELY;
	if (type == TYPE_IP6 && version == 6)
		return ip6_certain(c, at + 14) ? CERTAIN : LIKELY;
	bool known = is_vlan(type) || type == TYPE_MPLS || type == TYPE_MPLS_MULTICAST ||
		     type == TYPE_PPPOE || type == 0x0806;
	return known ? LIKELY : UNLIKE;
}

/* A label stack does not say what it carries. IP shows its version in the first four bits. Ethernet comes
 * behind a control word that begins with four zero bits, or bare, and then may begin with anything. */
enum sentinel_counter
tunnel_mpls(struct walk *w)
{
	struct cursor *c = &w->c;
	bool bottom = false;
	enum sentinel_counter r;
	for (unsigned labels = 0; !bottom; labels++) {
		r = labels == LABELS_MAX ? CTR_UNDEC_NESTING : cursor_need(c, 4, CTR_UNDEC_TUNNEL);
		if (r != CTR_ACCEPTED)
			return r;
		bottom = c->p[2] & 1;
		cursor_skip(c, 4);
	}
	r = cursor_need(c, 20, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t type = walk_version(w);
	bool ip = (type == TYPE_IP4 && ip4_certain(c, 0)) || (type == TYPE_IP6 && ip6_certain(c, 0));
	enum likeness bare = ether_like(c, 0), control = c->p[0] >> 4 == 0 ? ether_like(c, 4) : UNLIKE;
	if (ip && bare != CERTAIN) /* which says more than IP's header can */
		return tunnel_enter(w, type);
	if (control != UNLIKE && control >= bare)
		cursor_skip(c, 4);
	if (control != UNLIKE || bare != UNLIKE)
		return tunnel_enter(w, TYPE_ETHER);
	return type != 0 ? tunnel_enter(w, type) : CTR_NOTOURS_ETHERTYPE;
}

enum sentinel_counter
tunnel_pppoe(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, PPPOE_BYTES, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t n = get16(c->p + 4);
	if (c->p[0] != 0x11 || c->p[1] != 0 || n > c->left - PPPOE_BYTES)
		return CTR_UNDEC_TUNNEL;
	cursor_skip(c, PPPOE_BYTES);
	if (c->left <= LENGTH_FIELD_MAX)
		cursor_limit(c, n);
	r = cursor_need(c, 2, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t protocol = get16(c->p);
	cursor_skip(c, 2);
	switch (protocol) {
	case 0x0021:
		return tunnel_enter(w, TYPE_IP4);
	case 0x0057:
		return tunnel_enter(w, TYPE_IP6);
	case 0x0281:
		return tunnel_enter(w, TYPE_MPLS);
	case 0x0283:
		return tunnel_enter(w, TYPE_MPLS_MULTICAST);
	default:
		return CTR_NOTOURS_ETHERTYPE;
	}
}

/* A switch may mirror only the beginning of a frame, and says so (T). Type I has no header of its own and no
 * GRE sequence number; type II has both, which some omit. */
static enum sentinel_counter
erspan(struct walk *w, bool sequence)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, ERSPAN2_BYTES + 15, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	bool second = c->p[0] >> 4 == 1;
	if (sequence && !second)
		return CTR_UNDEC_TUNNEL;
	if (!sequence && (!second || ether_like(c, 0) >= ether_like(c, ERSPAN2_BYTES)))
		return tunnel_enter(w, TYPE_ETHER);
	bool truncated = c->p[2] & 0x04;
	cursor_skip(c, ERSPAN2_BYTES);
	if (truncated)
		c->left = LENGTH_UNKNOWN;
	return tunnel_enter(w, TYPE_ETHER);
}

static enum sentinel_counter
erspan3(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, ERSPAN3_BYTES, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t kind = c->p[10] >> 2 & 31, n = ERSPAN3_BYTES + (c->p[11] & 1 ? ERSPAN3_MORE : 0);
	bool truncated = c->p[2] & 0x04;
	if (c->p[0] >> 4 != 2)
		return CTR_UNDEC_TUNNEL;
	r = cursor_need(c, n + 1, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	cursor_skip(c, n);
	if (truncated)
		c->left = LENGTH_UNKNOWN;
	if (kind != 0 && kind != 2)
		return CTR_NOTOURS_ETHERTYPE;
	return tunnel_enter(w, kind == 0 ? TYPE_ETHER : walk_version(w));
}

enum sentinel_counter
tunnel_gre(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, 4, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t flags = get16(c->p), type = get16(c->p + 2);
	if ((flags & GRE_VERSION) != 0)
		return CTR_NOTOURS_PROTO; /* PPTP */
	if (flags & GRE_ROUTING)
		return CTR_UNDEC_TUNNEL; /* to be discarded: RFC 2784, 2.3 */
	uint32_t n = 4 + (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) +
		     (flags & GRE_SEQUENCE ? 4 : 0);
	r = cursor_need(c, n, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	cursor_skip(c, n);
	if (type == TYPE_ERSPAN)
		return erspan(w, flags & GRE_SEQUENCE);
	if (type == TYPE_ERSPAN3)
		return erspan3(w);
	return tunnel_enter(w, type);
}

static enum sentinel_counter
vxlan(struct walk *w, bool gpe)
{
	static const uint16_t gpe_type[] = {0, TYPE_IP4, TYPE_IP6, TYPE_ETHER, 0, TYPE_MPLS};
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, VXLAN_BYTES, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint8_t flags = c->p[0], next = c->p[3];
	if ((flags & 0x08) == 0)
		return CTR_NOTOURS_PROTO; /* no network identifier: something else on that port */
	cursor_skip(c, VXLAN_BYTES);
	if (!gpe || (flags & 0x04) == 0)
		return tunnel_enter(w, TYPE_ETHER);
	return tunnel_enter(w, next < sizeof gpe_type / sizeof gpe_type[0] ? gpe_type[next] : 0);
}

static enum sentinel_counter
geneve(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, GENEVE_BYTES, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t n = GENEVE_BYTES + (c->p[0] & 0x3fu) * 4, type = get16(c->p + 2);
	if (c->p[0] >> 6 != 0)
		return CTR_UNDEC_TUNNEL;
	r = cursor_need(c, n, CTR_UNDEC_TUNNEL);
	if (r != CTR_ACCEPTED)
		return r;
	cursor_skip(c, n);
	return tunnel_enter(w, type);
}

bool
tunnel_port(const struct decode_rules *rules, uint32_t port)
{
	return port == PORT_VXLAN || port == PORT_VXLAN_LINUX || port == PORT_VXLAN_GPE ||
	       port == PORT_GENEVE || port == PORT_MPLS || (port == rules->vxlan_port && port != 0);
}

enum sentinel_counter
tunnel_udp(struct walk *w)
{
	struct cursor *c = &w->c;
	enum sentinel_counter r = cursor_need(c, UDP_BYTES, CTR_NOTOURS_PROTO);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t port = get16(c->p + 2), n = get16(c->p + 4);
	if (!tunnel_port(w->rules, port))
		return CTR_NOTOURS_PROTO;
	if (n != 0 && c->left <= LENGTH_FIELD_MAX) {
		if (n < UDP_BYTES || n > c->left)
			return CTR_UNDEC_TUNNEL;
		cursor_limit(c, n);
	}
	cursor_skip(c, UDP_BYTES);
	switch (port) {
	case PORT_GENEVE:
		return geneve(w);
	case PORT_MPLS:
		return tunnel_enter(w, TYPE_MPLS);
	default:
		return vxlan(w, port == PORT_VXLAN_GPE);
	}
}
