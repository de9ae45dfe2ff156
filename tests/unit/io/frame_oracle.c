/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame_oracle.h"

#include <stdbool.h>
#include <string.h>

/* ---- what is right ---- */

struct cursor {
	const uint8_t *p;
	size_t left;
};

struct seen {
	uint8_t from[16], to[16];
	unsigned vlan[3], vlans;
	unsigned sport, dport;
	bool tunnel, later;
	bool some;   /* a part of a datagram */
	bool unsaid; /* nobody can tell what it carries */
	bool deep;
	bool buried; /* behind tags */
};

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static bool
skip(struct cursor *c, size_t n)
{
	if (c->left < n) {
		c->left = 0;
		return false;
	}
	c->p += n;
	c->left -= n;
	return true;
}

static bool
in_list(const uint8_t ip[16], const struct filter_prefix *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned bit = 0;
		while (bit < list[i].bits && ((ip[bit / 8] ^ list[i].address[bit / 8]) >> (7 - bit % 8) & 1) == 0)
			bit++;
		if (bit == list[i].bits)
			return true;
	}
	return false;
}

static bool
has(const uint16_t *list, unsigned n, unsigned v)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return false;
}

static int
filtered(const struct seen *s, const struct filter *f)
{
	bool vlan = f->vlans == 0 || (s->vlans == 0 && has(f->vlan, f->vlans, 0));
	for (unsigned i = 0; i < s->vlans; i++)
		vlan |= has(f->vlan, f->vlans, s->vlan[i]);
	if (!vlan)
		return STEER_PASSED_VLAN;
	if (s->buried)
		return STEER_TAKEN_FRAGMENTS;
	bool tunnel = in_list(s->from, f->tunnel, f->tunnels) || in_list(s->to, f->tunnel, f->tunnels);
	bool address = f->addresses == 0 || in_list(s->from, f->address, f->addresses) || in_list(s->to, f->address, f->addresses);
	if (s->tunnel)
		return tunnel ? STEER_TAKEN_TUNNELS : STEER_PASSED_TUNNEL;
	if (s->unsaid && tunnel)
		return STEER_TAKEN_TUNNELS;
	if (s->unsaid || s->later)
		return address ? STEER_TAKEN_FRAGMENTS : s->deep ? STEER_PASSED_DEEP : STEER_PASSED_FRAGMENT;
	if (!address)
		return STEER_PASSED_ADDRESS;
	if (f->ports > 0 && !has(f->port, f->ports, s->sport) && !has(f->port, f->ports, s->dport))
		return STEER_PASSED_PORT;
	return STEER_TAKEN;
}

static int
transport(struct cursor c, unsigned proto, struct seen *s, const struct filter *f, uint16_t vxlan)
{
	switch (proto) {
	case 4:
	case 41:
	case 47:
		s->tunnel = true;
		return filtered(s, f);
	case 17:
		if (s->later)
			return STEER_PASSED_NOT_TCP;
		if (c.left < 8)
			return STEER_PASSED_MALFORMED;
		switch (be16(c.p + 2)) {
		case 4789:
		case 4790:
		case 6081:
		case 6635:
		case 8472:
			s->tunnel = true;
		}
		s->tunnel |= vxlan != 0 && be16(c.p + 2) == vxlan;
		return s->tunnel ? filtered(s, f) : STEER_PASSED_NOT_TCP;
	case 6:
		if (s->later)
			return filtered(s, f);
		s->unsaid = s->some && c.left < 4;
		if (s->unsaid)
			return filtered(s, f);
		if (!s->some && (c.left < 20 || c.p[12] < 0x50))
			return STEER_PASSED_MALFORMED;
		s->sport = be16(c.p);
		s->dport = be16(c.p + 2);
		return filtered(s, f);
	default:
		return STEER_PASSED_NOT_TCP;
	}
}

static int
over_ip4(struct cursor c, const struct filter *f, uint16_t vxlan, struct seen *s)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (c.left < 20)
		return STEER_PASSED_MALFORMED;
	const uint8_t *h = c.p;
	unsigned head = (h[0] & 15u) * 4u, total = be16(h + 2);
	if (h[0] >> 4 != 4 || head < 20 || (total > 0 && total < head))
		return STEER_PASSED_MALFORMED;
	memcpy(s->from, mapped, 12);
	memcpy(s->to, mapped, 12);
	memcpy(s->from + 12, h + 12, 4);
	memcpy(s->to + 12, h + 16, 4);
	s->later = (be16(h + 6) & 0x1fff) != 0;
	s->some = (be16(h + 6) & 0x3fff) != 0;
	skip(&c, head);
	return transport(c, h[9], s, f, vxlan);
}

static bool
extends(unsigned next)
{
	static const uint8_t kinds[] = {0, 43, 44, 51, 60, 135, 139, 140};
	return memchr(kinds, (int)next, sizeof kinds) != NULL;
}

static int
over_ip6(struct cursor c, const struct filter *f, uint16_t vxlan, struct seen *s)
{
	if (c.left < 40 || c.p[0] >> 4 != 6)
		return STEER_PASSED_MALFORMED;
	memcpy(s->from, c.p + 8, 16);
	memcpy(s->to, c.p + 24, 16);
	unsigned next = c.p[6];
	skip(&c, 40);
	for (unsigned seen = 0; extends(next); seen++) {
		s->deep = seen == 6;
		s->unsaid = s->deep || (s->some && c.left < 8);
		if (s->unsaid)
			return filtered(s, f);
		if (c.left < 8)
			return STEER_PASSED_MALFORMED;
		unsigned kind = next, bytes = kind == 44 ? 8 : kind == 51 ? (c.p[1] + 2u) * 4 : (c.p[1] + 1u) * 8;
		next = c.p[0];
		if (kind == 44 && be16(c.p + 2) >> 3 != 0) {
			s->unsaid = true;
			return filtered(s, f);
		}
		s->some |= kind == 44 && (c.p[3] & 1);
		skip(&c, bytes);
	}
	return transport(c, next, s, f, vxlan);
}

int
oracle_says(const uint8_t *frame, size_t n, const struct filter *f, uint16_t vxlan)
{
	struct cursor c = {frame, n};
	struct seen s = {0};
	if (!skip(&c, 12) || c.left < 2)
		return STEER_PASSED_MALFORMED;
	for (unsigned tags = 0;; tags++) {
		unsigned type = be16(c.p);
		skip(&c, 2);
		switch (type) {
		case 0x8100:
		case 0x88a8:
		case 0x9100:
		case 0x9200:
			if (tags == 16) {
				s.buried = true;
				return filtered(&s, f);
			}
			if (c.left < 4)
				return STEER_PASSED_MALFORMED;
			if ((be16(c.p) & 0xfff) && s.vlans == 3)
				return STEER_PASSED_DEEP;
			if (be16(c.p) & 0xfff)
				s.vlan[s.vlans++] = be16(c.p) & 0xfff;
			skip(&c, 2);
			continue;
		case 0x0800:
			return over_ip4(c, f, vxlan, &s);
		case 0x86dd:
			return over_ip6(c, f, vxlan, &s);
		default:
			return STEER_PASSED_NOT_IP;
		}
	}
}

/* ---- frames and filters ---- */

uint32_t
oracle_random(struct oracle_rng *r, uint32_t below)
{
	r->s += 0x9e3779b97f4a7c15ull;
	uint64_t z = r->s;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % below);
}

struct builder {
	struct oracle_rng *r;
	uint8_t *out;
	size_t n;
};

static uint8_t *
grow(struct builder *b, size_t n)
{
	uint8_t *at = b->out + b->n;
	memset(at, 0, n);
	b->n += n;
	return at;
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned
some_port(struct oracle_rng *r)
{
	static const uint16_t few[] = {8545, 8546, 30303, 1, 65535, 63, 64, 4789, 8472, 4790, 6081, 6635, 9999, 22};
	return few[oracle_random(r, sizeof few / sizeof few[0])];
}

static unsigned
some_vlan(struct oracle_rng *r)
{
	static const uint16_t few[] = {0, 1, 63, 64, 100, 4094, 4095};
	return few[oracle_random(r, sizeof few / sizeof few[0])];
}

/* Neighbours in a few networks, so that prefixes of many lengths tell them apart. */
static void
some_ip4(struct oracle_rng *r, uint8_t out[4])
{
	static const uint8_t net[4][3] = {{192, 0, 2}, {10, 0, 0}, {10, 128, 7}, {0, 0, 0}};
	memcpy(out, net[oracle_random(r, 4)], 3);
	out[3] = (uint8_t)oracle_random(r, 8);
}

static void
some_ip6(struct oracle_rng *r, uint8_t out[16])
{
	memset(out, 0, 16);
	if (oracle_random(r, 4) == 0) {
		out[10] = out[11] = 0xff; /* an IPv4 address by another name */
		some_ip4(r, out + 12);
		return;
	}
	out[0] = 0x20;
	out[1] = 0x01;
	out[5] = (uint8_t)oracle_random(r, 3);
	out[8] = (uint8_t)(oracle_random(r, 2) << 7);
	out[15] = (uint8_t)oracle_random(r, 8);
}

static unsigned
some_proto(struct oracle_rng *r)
{
	static const uint8_t few[] = {6, 6, 6, 6, 6, 6, 17, 17, 1, 58, 47, 4, 41, 132, 0, 44, 59};
	return few[oracle_random(r, sizeof few)];
}

static void
put_transport(struct builder *b, unsigned proto)
{
	uint8_t *p = grow(b, proto == 17 ? 8 : 20);
	put16(p, some_port(b->r));
	put16(p + 2, some_port(b->r));
	if (proto != 17)
		p[12] = (uint8_t)(oracle_random(b->r, 20) == 0 ? oracle_random(b->r, 256) : 0x50);
	grow(b, oracle_random(b->r, 64));
}

static void
put_ip4(struct builder *b)
{
	unsigned words = oracle_random(b->r, 4) ? 5 : 5 + oracle_random(b->r, 11), proto = some_proto(b->r);
	uint8_t *h = grow(b, words * 4u);
	h[0] = (uint8_t)(0x40 | words);
	if (oracle_random(b->r, 30) == 0)
		h[0] = (uint8_t)oracle_random(b->r, 256);
	put16(h + 2, oracle_random(b->r, 20) ? words * 4 + 40 : oracle_random(b->r, 64));
	if (oracle_random(b->r, 5) == 0)
		put16(h + 6, oracle_random(b->r, 2) ? 0x2000 : oracle_random(b->r, 65536));
	h[8] = 64;
	h[9] = (uint8_t)proto;
	some_ip4(b->r, h + 12);
	some_ip4(b->r, h + 16);
	put_transport(b, proto);
}

static void
put_ip6(struct builder *b)
{
	static const uint8_t kinds[] = {0, 43, 44, 51, 60, 135, 139, 140};
	unsigned headers = oracle_random(b->r, 3) ? 0 : oracle_random(b->r, 9), proto = some_proto(b->r);
	uint8_t *h = grow(b, 40), *next = h + 6;
	h[0] = (uint8_t)(oracle_random(b->r, 30) ? 0x60 : oracle_random(b->r, 256));
	h[7] = 64;
	some_ip6(b->r, h + 8);
	some_ip6(b->r, h + 24);
	for (unsigned i = 0; i < headers; i++) {
		unsigned kind = kinds[oracle_random(b->r, sizeof kinds)], units = oracle_random(b->r, 3);
		*next = (uint8_t)kind;
		uint8_t *x = grow(b, kind == 44 ? 8 : kind == 51 ? (units + 2) * 4 : (units + 1) * 8);
		next = x;
		x[1] = (uint8_t)(oracle_random(b->r, 25) ? units : oracle_random(b->r, 256));
		if (kind == 44)
			put16(x + 2, oracle_random(b->r, 3) ? oracle_random(b->r, 8) : oracle_random(b->r, 65536));
	}
	*next = (uint8_t)proto;
	put_transport(b, proto);
}

size_t
oracle_frame(struct oracle_rng *r, uint8_t out[ORACLE_FRAME_MAX])
{
	static const uint16_t tag[] = {0x8100, 0x88a8, 0x9100, 0x9200};
	struct builder b = {r, out, 0};
	memset(grow(&b, 12), 0x02, 12);
	for (unsigned tags = oracle_random(r, 2) ? 0 : oracle_random(r, 5); tags > 0; tags--) {
		put16(grow(&b, 2), tag[oracle_random(r, 4)]);
		put16(grow(&b, 2), oracle_random(r, 16) << 12 | some_vlan(r));
	}
	for (unsigned tags = oracle_random(r, 20) ? 0 : oracle_random(r, 20); tags > 0; tags--)
		put16(grow(&b, 4), tag[oracle_random(r, 4)]); /* of id 0 */
	unsigned what = oracle_random(r, 20);
	put16(grow(&b, 2), what < 10 ? 0x0800 : what < 18 ? 0x86dd : oracle_random(r, 65536));
	if (what < 10)
		put_ip4(&b);
	else
		put_ip6(&b);
	size_t n = b.n;
	if (oracle_random(r, 5) == 0)
		n = 14 + oracle_random(r, (uint32_t)(n - 13));
	for (unsigned faults = oracle_random(r, 4) ? 0 : 1 + oracle_random(r, 3); faults > 0; faults--)
		out[oracle_random(r, (uint32_t)n)] ^= (uint8_t)(1u << oracle_random(r, 8));
	return n;
}

static void
some_prefix(struct oracle_rng *r, struct filter_prefix *p)
{
	memset(p, 0, sizeof *p);
	if (oracle_random(r, 2)) {
		p->address[10] = p->address[11] = 0xff;
		some_ip4(r, p->address + 12);
		p->bits = (uint8_t)(oracle_random(r, 2) ? 128 : 96 + oracle_random(r, 33));
	} else {
		some_ip6(r, p->address);
		p->bits = (uint8_t)(oracle_random(r, 2) ? 128 : oracle_random(r, 129));
	}
	for (unsigned i = p->bits; i < 128; i++)
		p->address[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
}

void
oracle_filter(struct oracle_rng *r, struct filter *f)
{
	memset(f, 0, sizeof *f);
	f->given = true;
	if (oracle_random(r, 3))
		f->ports = (uint8_t)(oracle_random(r, 20) ? 1 + oracle_random(r, 3) : FILTER_PORTS_MAX);
	if (oracle_random(r, 2))
		f->addresses = (uint8_t)(oracle_random(r, 20) ? 1 + oracle_random(r, 4) : FILTER_ADDRESSES_MAX);
	if (oracle_random(r, 3) == 0)
		f->vlans = (uint8_t)(oracle_random(r, 20) ? 1 + oracle_random(r, 3) : FILTER_VLANS_MAX);
	if (oracle_random(r, 2))
		f->tunnels = (uint8_t)(oracle_random(r, 20) ? 1 + oracle_random(r, 2) : FILTER_TUNNELS_MAX);
	for (unsigned i = 0; i < f->ports; i++)
		f->port[i] = (uint16_t)some_port(r);
	for (unsigned i = 0; i < f->vlans; i++)
		f->vlan[i] = (uint16_t)some_vlan(r);
	for (unsigned i = 0; i < f->addresses; i++)
		some_prefix(r, &f->address[i]);
	for (unsigned i = 0; i < f->tunnels; i++)
		some_prefix(r, &f->tunnel[i]);
}
