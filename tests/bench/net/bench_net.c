/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_net: nanoseconds per frame of decode + flow + reassembly, the worker replaced by a counter.
 * Keep-alive connections that take turns: request of 900 bytes, its ACK, answer of 400 bytes, its ACK. The
 * frames lie in memory one after another.
 *
 * CPU time of the thread. usage: bench_net [CONNECTIONS [MILLION_FRAMES [FLOWS_MAX [LETTERS]]]]
 * LETTERS: what the packets are wrapped in (tests/unit/net/wrap.h), "x" for VXLAN */
#include "wrap.h"

#include <string.h>
#include <time.h>

#define TURNS 16u

static uint64_t data_bytes;

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	data_bytes += bytes.len;
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns)
{
	CHECK(false);
}

static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	CHECK(false);
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
}

static void
on_forget(void *ctx, struct flow *f)
{
}

static uint64_t
clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct trace {
	uint8_t *bytes;
	struct span *frames;
	const char *letters;
	uint32_t *tcp_at; /* in the frame */
	uint32_t *wire_len;
	uint64_t *now_ns;
	size_t used, cap;
	unsigned n;
};

static void
add(struct trace *t, unsigned conn, unsigned dir, uint32_t seq, uint32_t ack, uint32_t len)
{
	static uint8_t payload[2048];
	struct parts p = {
		.src = dir ? 2 : 10 + conn,
		.dst = dir ? 10 + conn : 2,
		.sport = dir ? 8545 : (uint16_t)(20000 + conn % 40000),
		.dport = dir ? (uint16_t)(20000 + conn % 40000) : 8545,
		.seq = seq,
		.ack = ack,
		.flags = TCP_ACK,
		.payload = payload,
		.len = len,
		.options = 12,
	};
	static struct packet packet;
	packet_make(&packet, &p);
	packet_wrap_all(&packet, t->letters);
	packet_link(&packet, NET_LINK_ETHERNET);
	uint32_t n = packet.len;
	CHECK(n <= t->cap - t->used);
	memcpy(t->bytes + t->used, packet_bytes(&packet), n);
	t->tcp_at[t->n] = n - len - 32;
	t->frames[t->n] = (struct span){t->bytes + t->used, n};
	t->wire_len[t->n] = n;
	t->now_ns[t->n] = 1000000000u + (uint64_t)t->n * 1000;
	t->n++;
	t->used += (n + 63) & ~63u;
}

/* The same frames again, as if time had gone on: only the numbers move. */
static void
move_on(struct trace *t, uint32_t moved[2])
{
	for (unsigned i = 0; i < t->n; i++) {
		uint8_t *tcp = (uint8_t *)(uintptr_t)t->frames[i].p + t->tcp_at[i];
		unsigned dir = tcp[0] == 8545 >> 8 && tcp[1] == (8545 & 255);
		for (unsigned k = 0; k < 2; k++) {
			uint32_t v;
			memcpy(&v, tcp + 4 + 4 * k, 4);
			v = __builtin_bswap32(__builtin_bswap32(v) + moved[dir ^ k]);
			memcpy(tcp + 4 + 4 * k, &v, 4);
		}
		t->now_ns[i] += (uint64_t)t->n * 1000;
	}
}

int
main(int argc, char **argv)
{
	unsigned conns = argc > 1 ? (unsigned)atoi(argv[1]) : 64;
	double millions = argc > 2 ? atof(argv[2]) : 4;
	struct stream_config c = net_config();
	c.flows_max = argc > 3 ? (uint32_t)atoi(argv[3]) : 65536;
	c.verify_checksum = false;
	c.history_buffers = 0;
	unsigned turns = conns >= 65536 ? 1 : TURNS;
	struct trace t = {.cap = (size_t)conns * turns * 4 * 1152 + 4096, .letters = argc > 4 ? argv[4] : ""};
	t.bytes = aligned_alloc(64, (t.cap + 63) & ~(size_t)63);
	t.frames = calloc(conns * turns * 4, sizeof *t.frames);
	t.tcp_at = calloc(conns * turns * 4, sizeof *t.tcp_at);
	t.wire_len = calloc(conns * turns * 4, sizeof *t.wire_len);
	t.now_ns = calloc(conns * turns * 4, sizeof *t.now_ns);
	CHECK(t.bytes && t.frames && t.tcp_at && t.wire_len && t.now_ns);
	for (unsigned k = 0; k < turns; k++) {
		for (unsigned i = 0; i < conns; i++) {
			add(&t, i, 0, 1 + k * 900, 1 + k * 400, 900);
			add(&t, i, 1, 1 + k * 400, 1 + (k + 1) * 900, 0);
			add(&t, i, 1, 1 + k * 400, 1 + (k + 1) * 900, 400);
			add(&t, i, 0, 1 + (k + 1) * 900, 1 + (k + 1) * 400, 0);
		}
	}
	static const struct stream_ops ops = {on_data, on_gap, on_conflict, on_end, on_forget};
	static uint64_t ctr[CTR_COUNT];
	struct stream_table *s = stream_init(aligned_alloc(64, (stream_bytes(&c) + 63) & ~(size_t)63), &c, &ops, NULL, ctr);
	CHECK(s != NULL);
	uint64_t spent = 0, best = UINT64_MAX;
	unsigned rounds = (unsigned)(millions * 1e6 / t.n) + 2;
	for (unsigned r = 0; r < rounds; r++) {
		uint64_t start = clock_ns();
		for (unsigned i = 0; i < t.n; i += 64)
			stream_frames(s, t.n - i < 64 ? t.n - i : 64, t.frames + i, t.wire_len + i, t.now_ns + i);
		uint64_t took = clock_ns() - start;
		if (r > 0) {
			spent += took;
			best = took < best ? took : best;
		}
		move_on(&t, (uint32_t[2]){turns * 900, turns * 400});
	}
	CHECK(ctr[CTR_ACCEPTED] == ctr[CTR_FRAMES] && data_bytes == ctr[CTR_ST_RECEIVED] && ctr[CTR_ST_DUP] == 0);
	printf("%u connections: %.1f ns per frame (best round %.1f), %llu frames, %.2f Gbit/s\n", conns,
		(double)spent / ((double)t.n * (rounds - 1)), (double)best / t.n,
		(unsigned long long)ctr[CTR_FRAMES],
		(double)ctr[CTR_FRAME_BYTES] / (double)ctr[CTR_FRAMES] * 8 * t.n * (rounds - 1) / (double)spent);
	return 0;
}
