/* SPDX-License-Identifier: BSD-3-Clause */
/* A small language that makes related segments, so that the engine reaches the depths of reassembly, besides
 * raw frames. What must hold whatever comes: identities 2 and 3, the discipline of the callbacks (both
 * checked by the harness), nothing held after the end, and no conflict unless bytes really differed. */
#include "harness.h"

#include <string.h>

#define BURST_MAX 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

struct burst {
	uint8_t *frames[BURST_MAX];
	struct span spans[BURST_MAX];
	uint32_t wire_len[BURST_MAX];
	uint64_t now_ns[BURST_MAX];
	unsigned n;
};

static struct net net;
static struct burst burst;
static bool honest; /* bytes are a function of their place */
static uint32_t place[4][2];

static uint32_t
take(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

static void
send_burst(void)
{
	stream_frames(net.t, burst.n, burst.spans, burst.wire_len, burst.now_ns);
	for (unsigned i = 0; i < burst.n; i++)
		free(burst.frames[i]);
	burst.n = 0;
	net_check(&net);
}

static void
queue(const uint8_t *bytes, uint32_t len, uint32_t wire_len)
{
	uint8_t *exact = malloc(len ? len : 1);
	CHECK(exact != NULL);
	if (len)
		memcpy(exact, bytes, len);
	struct span s = {exact, len};
	frame_glance(s, wire_len, NET_LINK_ETHERNET, &(struct decode_rules){0}, &(struct glance){0});
	burst.frames[burst.n] = exact;
	burst.spans[burst.n] = s;
	burst.wire_len[burst.n] = wire_len;
	burst.now_ns[burst.n++] = net.now_ns;
	if (burst.n == BURST_MAX)
		send_burst();
}

/* op: bits 0-1 who, bit 2 direction, bit 3 reset the place, bit 4 spoil the frame. */
static void
built(struct input *in, uint32_t op)
{
	static const uint8_t flags_of[16] = {
		TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK,
		TCP_ACK | TCP_FIN, TCP_RST, TCP_RST | TCP_ACK, 0, TCP_FIN, TCP_SYN | TCP_FIN, TCP_FIN | TCP_ACK, 0x3f,
	};
	static uint8_t payload[70000], frame[80000];
	uint32_t who = op & 3, dir = op >> 2 & 1, what = take(in), *at = place[who];
	int32_t move = (int8_t)take(in);
	uint32_t len = take(in), ack_move = take(in);
	if (what & 0x10)
		move *= 37;
	if (what & 0x20)
		move *= 1 << 17;
	if (what & 0x40)
		len *= 24;
	if (op & 8)
		at[dir] = take(in) << 24 | take(in);
	uint32_t seq = at[dir] + (uint32_t)move, syn = (flags_of[what & 15] & TCP_SYN) != 0;
	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)((seq + syn + i) * 2654435761u >> 13) ^ (uint8_t)(dir * 85);
	if ((what & 0x80) && len > 0) {
		payload[take(in) % len] ^= 1;
		honest = false;
	}
	struct parts p = {.ip6 = who & 1, .tags = who == 3, .src = dir ? 2 : 10 + who, .dst = dir ? 10 + who : 2,
		.sport = dir ? 8545 : 40000, .dport = dir ? 40000 : 8545, .seq = seq,
		.ack = at[!dir] + (uint32_t)(int32_t)(int8_t)ack_move * (what & 0x20 ? 4096 : 1),
		.flags = flags_of[what & 15], .payload = payload, .len = len};
	uint32_t n = frame_build(frame, sizeof frame, &p), wire_len = n;
	if (op & 16) {
		frame[(take(in) << 8 | take(in)) % n] ^= (uint8_t)take(in);
		if (take(in) & 1)
			n = (take(in) << 8 | take(in)) % (n + 1);
		honest = false;
	}
	if (move >= 0)
		at[dir] = seq + syn + len;
	queue(frame, n, wire_len);
}

static void
step(struct input *in)
{
	uint32_t op = take(in);
	switch (op >> 5) {
	case 0: /* a raw frame */
	{
		uint32_t len = take(in), cut = op & 16 ? take(in) : 0;
		if (len > in->n)
			len = (uint32_t)in->n;
		honest = false;
		queue(in->p, len, len + cut);
		in->p += len;
		in->n -= len;
		break;
	}
	case 1: /* time */
		send_burst();
		net_wait(&net, (uint64_t)(take(in) + 1) << ((op & 31) + 5));
		break;
	case 2:
		send_burst();
		break;
	default:
		built(in, op & 31);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct stream_config c = net_config();
	uint32_t shape = take(&in);
	c.flows_max = 1 + (shape & 3);
	c.ooo_slabs = shape & 4 ? 4 : 40;
	c.ooo_segments_dir = shape & 8 ? 3 : 64;
	c.ooo_bytes_dir = shape & 16 ? 5000 : 256u << 10;
	c.history_bytes = shape & 32 ? 64 : 2048;
	c.history_buffers = shape & 64 ? 1 : 6;
	c.gap_ack_frames = shape & 128 ? 1 : 8;
	honest = true;
	memset(place, 0, sizeof place);
	net_open(&net, &c);
	net.watch = true;
	while (in.n > 0)
		step(&in);
	send_burst();
	stream_flush(net.t, net.now_ns);
	net_check(&net);
	CHECK(!honest || net.ctr[CTR_OVERLAP_CONFLICTS] == 0);
	CHECK(!honest || net.belied[BELIED_OTHER_BYTES] + net.belied[BELIED_PROBE] == 0);
	CHECK(net.belied[BELIED_OTHER_BYTES] == net.ctr[CTR_OVERLAP_CONFLICTS]);
	CHECK(net.ctr[CTR_FLOWS_CREATED] >= net.ctr[CTR_FLOWS_CLOSED] + net.ctr[CTR_FLOWS_IDLE] + net.ctr[CTR_FLOWS_LRU]);
	net_close(&net);
	return 0;
}
