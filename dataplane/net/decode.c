/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/decode.h"

#include <string.h>

#define ETHER_BYTES 14u
#define VLAN_TAGS_MAX 2u
#define IP6_BYTES 40u
#define IP6_HEADERS_MAX 8u
#define TCP_BYTES 20u
#define PROTO_TCP 6u

/* A cursor over one packet: `left` bytes belong to it by the headers read so far, `have` of them were
 * captured. */
struct cursor {
	const uint8_t *p;
	uint32_t have, left;
};

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
skip(struct cursor *c, uint32_t n)
{
	c->p += n;
	c->have -= n;
	c->left -= n;
}

/* What is after `n` belongs to somebody else (link padding). n <= left. */
static void
limit(struct cursor *c, uint32_t n)
{
	c->left = n;
	if (c->have > n)
		c->have = n;
}

/* CTR_ACCEPTED if n bytes can be read; else whether the packet or the capture ends too early. */
static enum sentinel_counter
need(const struct cursor *c, uint32_t n, enum sentinel_counter bad)
{
	if (c->have >= n)
		return CTR_ACCEPTED;
	return c->left < n ? bad : CTR_UNDEC_TRUNCATED;
}

static enum sentinel_counter
link_header(struct cursor *c, uint32_t *ethertype)
{
	enum sentinel_counter r = need(c, ETHER_BYTES, CTR_UNDEC_ETHER);
	if (r != CTR_ACCEPTED)
		return r;
	*ethertype = get16(c->p + 12);
	skip(c, ETHER_BYTES);
	for (unsigned tags = 0; *ethertype == 0x8100 || *ethertype == 0x88a8 || *ethertype == 0x9100; tags++) {
		if (tags == VLAN_TAGS_MAX)
			return CTR_UNDEC_VLAN;
		r = need(c, 4, CTR_UNDEC_ETHER);
		if (r != CTR_ACCEPTED)
			return r;
		*ethertype = get16(c->p + 2);
		skip(c, 4);
	}
	return CTR_ACCEPTED;
}

/* The second word of ::ffff:a.b.c.d in memory order. */
static uint64_t
mapped(const uint8_t *ip4)
{
	uint32_t v;
	memcpy(&v, ip4, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint64_t)v << 32 | 0xffff0000u;
#else
	return (uint64_t)0xffff << 32 | v;
#endif
}

static inline enum sentinel_counter
ip4_header(struct cursor *c, struct endpoints *e)
{
	enum sentinel_counter r = need(c, 20, CTR_UNDEC_IP4);
	if (r != CTR_ACCEPTED)
		return r;
	const uint8_t *h = c->p;
	uint32_t header = (h[0] & 15u) * 4, total = get16(h + 2);
	if (total == 0)
		total = c->left;
	if (h[0] >> 4 != 4 || header < 20 || total < header || total > c->left)
		return CTR_UNDEC_IP4;
	if (h[9] != PROTO_TCP)
		return CTR_NOTOURS_PROTO;
	if ((get16(h + 6) & 0x3fff) != 0)
		return CTR_UNDEC_FRAGMENT;
	limit(c, total);
	r = need(c, header, CTR_UNDEC_IP4);
	if (r != CTR_ACCEPTED)
		return r;
	for (unsigned i = 0; i < 2; i++) {
		e->ip[i][0] = 0;
		e->ip[i][1] = mapped(h + 12 + 4 * i);
	}
	skip(c, header);
	return CTR_ACCEPTED;
}

/* Walks the extension headers from type `next` to TCP. */
static enum sentinel_counter
ip6_extensions(struct cursor *c, uint32_t next)
{
	for (unsigned i = 0; next != PROTO_TCP; i++) {
		bool known = next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
		if (!known)
			return CTR_NOTOURS_PROTO;
		if (i == IP6_HEADERS_MAX)
			return CTR_UNDEC_IP6;
		enum sentinel_counter r = need(c, 8, CTR_UNDEC_IP6);
		if (r != CTR_ACCEPTED)
			return r;
		uint32_t n = (c->p[1] + 1u) * 8;
		if (next == 44)
			n = 8;
		else if (next == 51)
			n = (c->p[1] + 2u) * 4;
		/* offset 0 and no more to come: a whole packet that only looks like a fragment */
		bool fragment = next == 44 && (get16(c->p + 2) & 0xfff9) != 0;
		next = c->p[0];
		if (fragment)
			return next == 17 || next == 58 ? CTR_NOTOURS_PROTO : CTR_UNDEC_FRAGMENT;
		r = need(c, n, CTR_UNDEC_IP6);
		if (r != CTR_ACCEPTED)
			return r;
		skip(c, n);
	}
	return CTR_ACCEPTED;
}

static enum sentinel_counter
ip6_header(struct cursor *c, struct endpoints *e)
{
	enum sentinel_counter r = need(c, IP6_BYTES, CTR_UNDEC_IP6);
	if (r != CTR_ACCEPTED)
		return r;
	const uint8_t *h = c->p;
	uint32_t payload = get16(h + 4);
	if (h[0] >> 4 != 6 || payload > c->left - IP6_BYTES)
		return CTR_UNDEC_IP6;
	if (payload != 0)
		limit(c, IP6_BYTES + payload);
	memcpy(e->ip, h + 8, 32);
	skip(c, IP6_BYTES);
	return ip6_extensions(c, h[6]);
}

/* Ones' complement sum of 16-bit words in memory order, folded; words are added 32 bits at a time, which
 * gives the same sum. */
static uint32_t
sum16(const uint8_t *p, uint32_t n, uint64_t sum)
{
	for (; n >= 4; p += 4, n -= 4) {
		uint32_t v;
		memcpy(&v, p, 4);
		sum += v;
	}
	if (n != 0) {
		uint8_t tail[4] = {0};
		uint32_t v;
		memcpy(tail, p, n);
		memcpy(&v, tail, 4);
		sum += v;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

static bool
checksum_good(const struct endpoints *e, const uint8_t *tcp, uint32_t n)
{
	/* The mapped prefix ::ffff would add nothing to the sum but 0xffff, which is 0 in ones' complement:
	 * one pseudo header serves both versions. */
	const uint8_t tail[8] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, PROTO_TCP};
	uint8_t ips[32];
	memcpy(ips, e->ip, 32);
	return sum16(tcp, n, sum16(ips, 32, sum16(tail, 8, 0))) == 0xffff;
}

static inline __attribute__((always_inline)) enum sentinel_counter
find_tcp(struct cursor *c, struct endpoints *e)
{
	uint32_t ethertype;
	enum sentinel_counter r = link_header(c, &ethertype);
	if (r != CTR_ACCEPTED)
		return r;
	if (ethertype == 0x0800)
		return ip4_header(c, e);
	if (ethertype == 0x86dd)
		return ip6_header(c, e);
	return CTR_NOTOURS_ETHERTYPE;
}

static void
read_ports(const uint8_t *tcp, struct endpoints *e)
{
	e->port[0] = (uint16_t)get16(tcp);
	e->port[1] = (uint16_t)get16(tcp + 2);
}

enum sentinel_counter
segment_decode(struct span frame, uint32_t wire_len, bool verify_checksum, struct segment *out)
{
	struct cursor c = {frame.p, frame.len, wire_len < frame.len ? frame.len : wire_len};
	enum sentinel_counter r = find_tcp(&c, &out->ends);
	if (r != CTR_ACCEPTED)
		return r;
	r = need(&c, TCP_BYTES, CTR_UNDEC_TCP);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t header = (uint32_t)(c.p[12] >> 4) * 4;
	if (header < TCP_BYTES || header > c.left)
		return CTR_UNDEC_TCP;
	if (c.have < c.left)
		return CTR_UNDEC_TRUNCATED;
	if (verify_checksum && !checksum_good(&out->ends, c.p, c.left))
		return CTR_UNDEC_CHECKSUM;
	read_ports(c.p, &out->ends);
	out->seq = get32(c.p + 4);
	out->ack = get32(c.p + 8);
	out->flags = c.p[13];
	skip(&c, header);
	out->payload = (struct span){c.p, c.have};
	return CTR_ACCEPTED;
}

bool
segment_endpoints(struct span frame, struct endpoints *out)
{
	struct cursor c = {frame.p, frame.len, UINT32_MAX};
	if (find_tcp(&c, out) != CTR_ACCEPTED || c.have < 4)
		return false;
	read_ports(c.p, out);
	return true;
}
