/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets put into tunnels, cut into fragments, repeated, spoiled, besides raw frames of any link type. What
 * must hold whatever comes: identities 2 and 3, the discipline of the callbacks (both checked by the
 * harness), every frame that is spread goes on once, and at the end nothing is held. What was neither spoiled
 * nor nested too deeply shows its segment, and all parts of one datagram get the worker of its flow. */
#include "net/spread.h"
#include "wrap.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

#define PIECES 8u

static struct net net;
static struct spread spread;
static struct packet packet, pieces[PIECES];
static uint64_t sent, passed;
static uint8_t payload[4096];

static uint32_t
take(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

static void
count_passed(unsigned n, const struct spread_out *out)
{
	CHECK(n <= SPREAD_OUT_MAX);
	for (unsigned i = 0; i < n; i++)
		CHECK(out[i].item == &sent);
	passed += n;
}

static void
frame(const uint8_t *bytes, uint32_t len, uint32_t wire_len, enum net_link link)
{
	struct spread_out out[SPREAD_OUT_MAX];
	uint8_t *exact = malloc(len ? len : 1);
	CHECK(exact != NULL);
	if (len)
		memcpy(exact, bytes, len);
	sent++;
	count_passed(spread_frame(&spread, (struct span){exact, len}, wire_len, link, &sent, net.now_ns, out),
		out);
	free(exact);
	stream_link(net.t, link);
	net_frame(&net, bytes, len, wire_len);
}

static void
wrap_some(struct packet *k, struct input *in, unsigned n)
{
	static unsigned letters;
	if (letters == 0)
		letters = (unsigned)strlen(wrap_letters);
	while (n-- > 0)
		packet_wrap(k, wrap_letters[take(in) % letters]);
}

static enum net_link
link_some(struct packet *k, uint32_t what)
{
	enum net_link link = what % 8 < 4 ? NET_LINK_ETHERNET : (enum net_link)(what % 4 + 1);
	if (packet_link(k, link))
		return link;
	packet_link(k, NET_LINK_ETHERNET);
	return NET_LINK_ETHERNET;
}

static void
spoil(struct packet *k, struct input *in, uint32_t *len)
{
	uint8_t *p = k->bytes + WRAP_BYTES - k->len;
	unsigned n = 1 + take(in) % 4;
	while (n-- > 0)
		p[take(in) % (k->len < 256 ? k->len : 256)] ^= (uint8_t)take(in);
	*len = k->len;
	if (take(in) & 1)
		*len = (take(in) << 8 | take(in)) % (k->len + 1);
}

static void
begin(struct input *in, uint32_t op)
{
	uint32_t len = (take(in) << 2) + (op & 15), who = op & 3;
	struct parts p = {.ip6 = op & 4,
		.src = 10 + who,
		.seq = take(in) << 8,
		.flags = TCP_ACK,
		.payload = payload,
		.len = len < sizeof payload ? len : sizeof payload};
	packet_make(&packet, &p);
}

/* One packet, whole. */
static void
single(struct input *in, uint32_t op)
{
	begin(in, op);
	uint32_t how = take(in), len;
	wrap_some(&packet, in, how & 15);
	enum net_link link = link_some(&packet, how >> 4 & 7);
	uint64_t before = net.ctr[CTR_ACCEPTED];
	len = packet.len;
	if (how & 128)
		spoil(&packet, in, &len);
	frame(packet_bytes(&packet), len, packet.len, link);
	if (!(how & 128) && packet.tunnels <= DECODE_TUNNELS_MAX && packet.most_tags <= 3)
		CHECK(net.ctr[CTR_ACCEPTED] == before + 1);
}

/* One packet in pieces, each sent in its own way: `order` says which and when, some of them again, or
 * spoiled. */
static void
fragmented(struct input *in, uint32_t op)
{
	begin(in, op);
	uint32_t how = take(in), id = take(in), steps = take(in) % 20;
	wrap_some(&packet, in, how & 3);
	if (!packet_is_ip(&packet))
		return;
	uint32_t total = packet_ip_payload(&packet), at = 0;
	unsigned n = 0;
	while (at < total && n < PIECES) {
		uint32_t k = n == PIECES - 1 ? total - at : (1 + take(in) % (how & 4 ? 4 : 64)) * 8;
		k = k < total - at ? k : total - at;
		uint32_t from = at > 0 && (how & 8) && take(in) & 1 ? at - 8 : at; /* overlaps */
		packet_fragment(&packet, id, from, at + k, &pieces[n++]);
		at += k;
	}
	while (steps-- > 0) {
		static struct packet k;
		uint32_t what = take(in), len;
		packet_copy(&k, &pieces[what % n]);
		wrap_some(&k, in, what >> 3 & 3);
		enum net_link link = link_some(&k, what >> 5 & 1 ? take(in) : 0);
		len = k.len;
		if (what & 64)
			spoil(&k, in, &len);
		frame(packet_bytes(&k), len, k.len, link);
	}
}

static void
step(struct input *in)
{
	uint32_t op = take(in);
	if (op >> 5 == 0) {
		uint32_t len = take(in), cut = take(in);
		if (len > in->n)
			len = (uint32_t)in->n;
		frame(in->p, len, len + (cut & 0x80 ? cut & 0x7f : 0),
			(enum net_link)(op % (NET_LINK_OTHER + 1)));
		in->p += len;
		in->n -= len;
	} else if (op >> 5 == 1) {
		struct spread_out out[SPREAD_OUT_MAX];
		net_wait(&net, (uint64_t)(take(in) + 1) << ((op & 15) + 20));
		count_passed(spread_expire(&spread, net.now_ns, out), out);
	} else if (op >> 5 < 5) {
		single(in, op);
	} else {
		fragmented(in, op);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t seed[4] = {5, 6, 7, 8};
	const struct decode_rules rules = {0};
	struct input in = {data, size};
	struct spread_out out[SPREAD_OUT_MAX];
	struct stream_config c = net_config();
	uint32_t shape = take(&in);
	c.flows_max = 8;
	c.ooo_slabs = 8;
	c.history_bytes = 64;
	c.history_buffers = 4;
	c.fragment_datagrams = 1 + (shape & 3);
	c.fragment_blocks = 64;
	c.fragment_age_ns = shape & 4 ? 1000000 : 30000000000;
	c.verify_checksum = shape & 8;
	for (uint32_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 2654435761u >> 13);
	sent = passed = 0;
	spread_init(&spread, seed, &rules);
	net_open(&net, &c);
	net.count_only = true;
	while (in.n > 0)
		step(&in);
	count_passed(spread_flush(&spread, out), out);
	CHECK(sent == passed);
	net_close(&net);
	CHECK(net.ctr[CTR_FRAGMENTS_HELD] == 0);
	return 0;
}
