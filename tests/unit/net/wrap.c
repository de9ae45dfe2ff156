/* SPDX-License-Identifier: BSD-3-Clause */
#include "wrap.h"

#include <string.h>

const char wrap_letters[] = "Eefvabcmwp46hgkln123orxyXPGOu";

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

const uint8_t *
packet_bytes(const struct packet *k)
{
	return k->bytes + WRAP_BYTES - k->len;
}

void
packet_copy(struct packet *to, const struct packet *from)
{
	memcpy(to->bytes + WRAP_BYTES - from->len, packet_bytes(from), from->len);
	to->len = from->len;
	to->type = from->type;
	to->tunnels = from->tunnels;
	to->tags = from->tags;
	to->most_tags = from->most_tags;
}

uint8_t *
packet_push(struct packet *k, uint32_t n)
{
	CHECK(k->len + n <= WRAP_BYTES);
	k->len += n;
	uint8_t *p = k->bytes + WRAP_BYTES - k->len;
	memset(p, 0, n);
	return p;
}

void
packet_make(struct packet *k, const struct parts *p)
{
	static uint8_t frame[WRAP_BYTES];
	struct parts plain = *p;
	plain.tags = 0;
	uint32_t n = frame_build(frame, sizeof frame, &plain);
	k->len = k->tunnels = k->tags = k->most_tags = 0;
	memcpy(packet_push(k, n - 14), frame + 14, n - 14);
	k->type = p->ip6 ? 0x86dd : 0x0800;
}

static void
ether(struct packet *k, uint8_t first)
{
	uint32_t type = k->type;
	if (type == 0x6558)
		return;
	uint8_t *p = packet_push(k, 14);
	memset(p, 2, 12);
	p[0] = first;
	put16(p + 12, type);
	k->type = 0x6558;
	k->tags = 0;
}

static void
tag(struct packet *k, uint32_t tpid)
{
	if (k->type == 0x6558)
		return;
	uint8_t *p = packet_push(k, 4);
	put16(p, 0x2064);
	put16(p + 2, k->type);
	k->type = tpid;
	if (++k->tags > k->most_tags)
		k->most_tags = k->tags;
}

static void
tunnel(struct packet *k, uint32_t type)
{
	k->type = type;
	k->tags = 0;
	k->tunnels++;
}

static void
outer_ip4(struct packet *k, uint8_t proto)
{
	uint8_t *p = packet_push(k, 20);
	uint32_t sum = 0;
	p[0] = 0x45;
	put16(p + 2, k->len > 65535 ? 0 : k->len);
	put16(p + 4, 0x1234);
	p[8] = 64;
	p[9] = proto;
	put32(p + 12, 0xc0a80001);
	put32(p + 16, 0xc0a80002);
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	put16(p + 10, 0xffff - sum % 0xffff);
	k->type = 0x0800;
}

static void
outer_ip6(struct packet *k, uint8_t next)
{
	uint32_t n = k->len;
	uint8_t *p = packet_push(k, 40);
	p[0] = 0x60;
	put16(p + 4, n > 65535 ? 0 : n);
	p[6] = next;
	p[7] = 64;
	put32(p + 8, 0xfd000000);
	p[23] = 1;
	put32(p + 24, 0xfd000000);
	p[39] = 2;
	k->type = 0x86dd;
}

static bool
is_ip(const struct packet *k)
{
	return k->type == 0x0800 || k->type == 0x86dd;
}

static void
ip_in_ip(struct packet *k, char letter)
{
	if (!is_ip(k))
		return;
	uint8_t proto = k->type == 0x0800 ? 4 : 41;
	if (letter == 'h') {
		uint8_t *p = packet_push(k, 32);
		p[0] = 60; /* hop-by-hop, PadN */
		p[2] = 1;
		p[3] = 4;
		p[8] = 44; /* destination */
		p[9] = 1;
		p[10] = 1;
		p[11] = 12;
		p[24] = proto; /* atomic fragment */
		put32(p + 28, 77);
	}
	if (letter == '4')
		outer_ip4(k, proto);
	else
		outer_ip6(k, letter == 'h' ? 0 : proto);
	tunnel(k, k->type);
}

static void
gre(struct packet *k, char letter)
{
	uint32_t n = letter == 'k' ? 16 : letter == 'n' ? 8 : 4, type = k->type;
	uint8_t *p = packet_push(k, n);
	put16(p, letter == 'k' ? 0xb000 : letter == 'n' ? 0x2000 : 0);
	put16(p + 2, type);
	if (letter == 'l')
		outer_ip6(k, 47);
	else
		outer_ip4(k, 47);
	tunnel(k, k->type);
}

static void
erspan(struct packet *k, char letter)
{
	bool third = letter == '3' || letter == 'o', sequence = letter != '1' && letter != 'r';
	uint8_t *p;
	if (letter == 'o')
		packet_push(k, 8)[0] = 0x45;
	if (third) {
		p = packet_push(k, 12);
		p[0] = 0x20;
		p[11] = letter == 'o' ? 0x01 : 0;
	} else if (letter != '1') {
		p = packet_push(k, 8);
		p[0] = 0x10;
		p[1] = 0x64;
	}
	p = packet_push(k, sequence ? 8 : 4);
	put16(p, sequence ? 0x1000 : 0);
	put16(p + 2, third ? 0x22eb : 0x88be);
	outer_ip4(k, 47);
	tunnel(k, k->type);
}

static void
udp(struct packet *k, uint32_t port, bool ip6)
{
	uint8_t *p = packet_push(k, 8);
	put16(p, 55555);
	put16(p + 2, port);
	put16(p + 4, k->len > 65535 ? 0 : k->len);
	if (ip6)
		outer_ip6(k, 17);
	else
		outer_ip4(k, 17);
	tunnel(k, k->type);
}

static void
vxlan(struct packet *k, char letter)
{
	bool gpe = letter == 'P' && is_ip(k);
	uint32_t type = k->type;
	if (!gpe)
		ether(k, 2);
	uint8_t *p = packet_push(k, 8);
	p[0] = gpe ? 0x0c : 0x08;
	p[3] = !gpe ? 0 : type == 0x0800 ? 1 : 2;
	p[6] = 77;
	udp(k, letter == 'P' ? 4790 : letter == 'y' ? 8472 : 4789, letter == 'X');
}

static void
geneve(struct packet *k, char letter)
{
	uint32_t type = k->type, options = letter == 'O' ? 12 : 0;
	uint8_t *p = packet_push(k, 8 + options);
	p[0] = (uint8_t)(options / 4);
	put16(p + 2, type);
	memset(p + 8, 0x45, options);
	udp(k, 6081, false);
}

static void
mpls(struct packet *k, char letter)
{
	bool more = k->type == 0x8847;
	if (!more && !is_ip(k) && k->type != 0x6558)
		return;
	if (letter == 'w' && more)
		return;
	if (letter == 'w') {
		ether(k, 2);
		packet_push(k, 4);
	}
	uint8_t *p = packet_push(k, 4);
	put32(p, 16000u << 12 | (more ? 0 : 0x100) | 64);
	k->type = 0x8847;
	k->tags = 0;
	k->tunnels += !more;
}

static void
mpls_in_udp(struct packet *k)
{
	mpls(k, 'm');
	if (k->type == 0x8847)
		udp(k, 6635, false);
}

static void
pppoe(struct packet *k)
{
	if (!is_ip(k))
		return;
	uint32_t n = k->len + 2;
	uint8_t *p = packet_push(k, 8);
	p[0] = 0x11;
	put16(p + 2, 9);
	put16(p + 4, n > 65535 ? 0 : n);
	put16(p + 6, k->type == 0x0800 ? 0x0021 : 0x0057);
	tunnel(k, 0x8864);
}

void
packet_wrap(struct packet *k, char letter)
{
	switch (letter) {
	case 'E':
	case 'e':
	case 'f':
		ether(k, letter == 'E' ? 2 : letter == 'e' ? 0x45 : 0x60);
		break;
	case 'v':
		tag(k, 0x8100);
		break;
	case 'a':
		tag(k, 0x88a8);
		break;
	case 'b':
		tag(k, 0x9100);
		break;
	case 'c':
		tag(k, 0x9200);
		break;
	case 'm':
	case 'w':
		mpls(k, letter);
		break;
	case 'u':
		mpls_in_udp(k);
		break;
	case 'p':
		pppoe(k);
		break;
	case '4':
	case '6':
	case 'h':
		ip_in_ip(k, letter);
		break;
	case 'g':
	case 'k':
	case 'l':
		gre(k, letter);
		break;
	case 'n':
		ether(k, 2);
		gre(k, letter);
		break;
	case '1':
	case '2':
	case '3':
	case 'o':
	case 'r':
		ether(k, 2);
		erspan(k, letter);
		break;
	case 'G':
	case 'O':
		geneve(k, letter);
		break;
	default:
		vxlan(k, letter);
	}
}

void
packet_wrap_all(struct packet *k, const char *letters)
{
	for (; *letters; letters++)
		packet_wrap(k, *letters);
}

bool
packet_link(struct packet *k, enum net_link link)
{
	uint32_t type = k->type;
	if (link == NET_LINK_ETHERNET) {
		ether(k, 2);
		return true;
	}
	if (type == 0x6558 || ((link == NET_LINK_IP || link == NET_LINK_FAMILY) && !is_ip(k)))
		return false;
	if (link == NET_LINK_FAMILY)
		packet_push(k, 4)[3] = type == 0x0800 ? 2 : 30;
	if (link == NET_LINK_SLL)
		put16(packet_push(k, 16) + 14, type);
	if (link == NET_LINK_SLL2)
		put16(packet_push(k, 20), type);
	return true;
}

bool
packet_is_ip(const struct packet *k)
{
	return is_ip(k);
}

uint32_t
packet_ip_payload(const struct packet *k)
{
	return k->len - (k->type == 0x0800 ? 20 : 40);
}

void
packet_fragment(const struct packet *k, uint32_t id, uint32_t from, uint32_t to, struct packet *out)
{
	const uint8_t *ip = packet_bytes(k);
	bool ip6 = k->type == 0x86dd, more = to < packet_ip_payload(k);
	CHECK(is_ip(k) && from % 8 == 0 && from < to && to <= packet_ip_payload(k));
	out->len = 0;
	out->type = k->type;
	out->tunnels = k->tunnels;
	out->tags = k->tags;
	out->most_tags = k->most_tags;
	memcpy(packet_push(out, to - from), ip + (ip6 ? 40 : 20) + from, to - from);
	if (ip6) {
		uint8_t *p = packet_push(out, 8);
		p[0] = ip[6];
		put16(p + 2, from | more);
		put32(p + 4, id);
		p = packet_push(out, 40);
		memcpy(p, ip, 40);
		put16(p + 4, out->len - 40);
		p[6] = 44;
	} else {
		uint8_t *p = packet_push(out, 20);
		memcpy(p, ip, 20);
		put16(p + 2, out->len);
		put16(p + 4, id);
		put16(p + 6, from / 8 | (more ? 0x2000 : 0));
	}
}
