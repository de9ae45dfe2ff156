/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/decode.h"

#include "net/walk.h"

#define ETHER_BYTES 14u
#define TCP_BYTES 20u
#define IP6_BYTES 40u

#define OPTION_END 0u
#define OPTION_NOTHING 1u
#define OPTION_MULTIPATH 30u

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
	const uint8_t tail[8] = {
		(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, PROTO_TCP};
	uint8_t ips[32];
	memcpy(ips, e->ip, 32);
	return sum16(tcp, n, sum16(ips, 32, sum16(tail, 8, 0))) == 0xffff;
}

/* The way of nearly every frame: Ethernet with at most two tags, IP without options' surprises, TCP, all of
 * it there. Leaves c at the TCP header. False: to be walked, c is as it was. */
static inline __attribute__((always_inline)) bool
plain(struct cursor *c, struct endpoints *e)
{
	uint32_t at = ETHER_BYTES, header, n;
	if (c->have < ETHER_BYTES + IP6_BYTES)
		return false;
	uint32_t type = get16(c->p + 12);
	for (unsigned tags = 0; is_vlan(type) && tags < 2; tags++, at += 4)
		type = get16(c->p + at + 2);
	const uint8_t *h = c->p + at;
	uint32_t room = c->have - at; /* enough for IPv4 */
	if (type == TYPE_IP4) {
		header = (h[0] & 15u) * 4;
		n = get16(h + 2);
		if (h[0] >> 4 != 4 || header < 20 || h[9] != PROTO_TCP || (get16(h + 6) & 0x3fff) != 0)
			return false;
		if (n > room || n < header + TCP_BYTES)
			return false;
		for (unsigned i = 0; i < 2; i++) {
			e->ip[i][0] = 0;
			e->ip[i][1] = ip4_mapped(h + 12 + 4 * i);
		}
	} else if (type == TYPE_IP6 && room >= IP6_BYTES) {
		header = IP6_BYTES;
		n = IP6_BYTES + get16(h + 4);
		if (h[0] >> 4 != 6 || h[6] != PROTO_TCP || n > room || n < IP6_BYTES + TCP_BYTES)
			return false;
		memcpy(e->ip, h + 8, 32);
	} else {
		return false;
	}
	*c = (struct cursor){h + header, n - header, n - header};
	return true;
}

static void
read_ports(const uint8_t *tcp, struct endpoints *e)
{
	e->port[0] = (uint16_t)get16(tcp);
	e->port[1] = (uint16_t)get16(tcp + 2);
}

static bool
has_option(const uint8_t *options, uint32_t n, uint8_t kind)
{
	for (uint32_t at = 0, own; at + 1 < n && options[at] != OPTION_END; at += own) {
		own = options[at] == OPTION_NOTHING ? 1 : options[at + 1];
		if (own > n - at || (own < 2 && options[at] != OPTION_NOTHING))
			return false;
		if (options[at] == kind)
			return true;
	}
	return false;
}

/* c is at the TCP header, out->ends has the addresses. */
static inline __attribute__((always_inline)) enum sentinel_counter
tcp(struct cursor *c, bool verify_checksum, struct segment *out)
{
	enum sentinel_counter r = cursor_need(c, TCP_BYTES, CTR_UNDEC_TCP);
	if (r != CTR_ACCEPTED)
		return r;
	uint32_t header = (uint32_t)(c->p[12] >> 4) * 4;
	if (header < TCP_BYTES || header > c->left)
		return CTR_UNDEC_TCP;
	if (c->have < c->left)
		return CTR_UNDEC_TRUNCATED;
	if (verify_checksum && !checksum_good(&out->ends, c->p, c->left))
		return CTR_UNDEC_CHECKSUM;
	read_ports(c->p, &out->ends);
	out->seq = get32(c->p + 4);
	out->ack = get32(c->p + 8);
	out->flags = c->p[13];
	out->multipath = (out->flags & TCP_SYN) != 0 && has_option(c->p + TCP_BYTES, header - TCP_BYTES, OPTION_MULTIPATH);
	cursor_skip(c, header);
	out->payload = (struct span){c->p, c->have};
	return CTR_ACCEPTED;
}

static __attribute__((noinline)) enum sentinel_counter
walked(const struct cursor *c, enum net_link link, const struct decode_rules *rules, struct segment *out,
	struct fragment *part)
{
	struct walk w = {.c = *c, .rules = rules, .ends = &out->ends, .part = part};
	enum sentinel_counter r = walk_frame(&w, link);
	if (r != CTR_ACCEPTED)
		return r;
	out->tunnels = w.tunnels;
	return tcp(&w.c, rules->verify_checksum, out);
}

enum sentinel_counter
segment_decode(struct span frame, uint32_t wire_len, enum net_link link, const struct decode_rules *rules,
	struct segment *out, struct fragment *part)
{
	struct cursor c = {frame.p, frame.len, wire_len < frame.len ? frame.len : wire_len};
	if (link != NET_LINK_ETHERNET || !plain(&c, &out->ends))
		return walked(&c, link, rules, out, part);
	out->tunnels = 0;
	return tcp(&c, rules->verify_checksum, out);
}

enum sentinel_counter
segment_resume(const struct fragment *of, struct span datagram, const struct decode_rules *rules,
	struct segment *out, struct fragment *part)
{
	struct walk w = {
		.c = {datagram.p, datagram.len, datagram.len},
		.next = WALK_PROTO,
		.type = of->next,
		.ip6 = of->ip6,
		.tunnels = of->tunnels,
		.rules = rules,
		.ends = &out->ends,
		.part = part,
	};
	memcpy(out->ends.ip, of->ip, sizeof of->ip);
	enum sentinel_counter r = walk_on(&w);
	if (r != CTR_ACCEPTED)
		return r;
	out->tunnels = w.tunnels;
	return tcp(&w.c, rules->verify_checksum, out);
}

void
frame_glance(struct span frame, uint32_t wire_len, enum net_link link, const struct decode_rules *rules,
	struct glance *out)
{
	struct cursor c = {frame.p, frame.len, wire_len < frame.len ? frame.len : wire_len};
	out->n = 0;
	if (link != NET_LINK_ETHERNET || !plain(&c, &out->ends)) {
		struct walk w = {
			.c = c,
			.glance = true,
			.rules = rules,
			.ends = &out->ends,
			.part = out->part,
		};
		bool tcp_seen = walk_frame(&w, link) == CTR_ACCEPTED;
		out->n = w.parts;
		c = w.c;
		out->tcp = tcp_seen && c.have >= 4;
	} else {
		out->tcp = true;
	}
	if (out->tcp)
		read_ports(c.p, &out->ends);
}
