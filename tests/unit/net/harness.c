/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

#include "abi/identity.h"

#include <string.h>

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

static uint32_t
sum(const uint8_t *p, uint32_t n)
{
	uint64_t s = 0;
	for (uint32_t i = 0; i < n; i++)
		s += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	return (uint32_t)(s % 0xffff);
}

void
frame_checksum(uint8_t *tcp, uint32_t n, const uint8_t *ips, uint32_t ip_bytes)
{
	put16(tcp + 16, 0);
	uint32_t s = sum(ips, 2 * ip_bytes) + 6 + (n & 0xffff) + (n >> 16) + sum(tcp, n);
	put16(tcp + 16, 0xffff - s % 0xffff);
}

static uint8_t *
put_link(uint8_t *p, const struct parts *s)
{
	memset(p, 2, 12);
	p += 12;
	for (unsigned i = 0; i < s->tags; i++, p += 4) {
		put16(p, s->tags > 2 ? 0x9100 : s->tags == 2 && i == 0 ? 0x88a8 : 0x8100);
		put16(p + 2, 100 + i);
	}
	put16(p, s->ip6 ? 0x86dd : 0x0800);
	return p + 2;
}

static void
put_address(uint8_t *p, bool ip6, uint32_t host)
{
	static const uint8_t prefix6[12] = {0x20, 1, 0x0d, 0xb8};
	if (ip6) {
		memcpy(p, prefix6, 12);
		p += 12;
	}
	put32(p, 0x0a000000u + host);
}

uint32_t
frame_build(uint8_t *buf, uint32_t cap, const struct parts *s)
{
	uint32_t tcp_bytes = 20 + s->options + s->len, ip_bytes = s->ip6 ? 40 : 20;
	CHECK(14 + 4 * s->tags + ip_bytes + tcp_bytes <= cap);
	uint8_t *ip = put_link(buf, s), *tcp = ip + ip_bytes;
	memset(ip, 0, ip_bytes + 20 + s->options);
	uint32_t src = s->src ? s->src : 1, dst = s->dst ? s->dst : 2;
	if (s->ip6) {
		ip[0] = 0x60;
		put16(ip + 4, tcp_bytes > 65535 ? 0 : tcp_bytes);
		ip[6] = 6;
		ip[7] = 64;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, ip_bytes + tcp_bytes > 65535 ? 0 : ip_bytes + tcp_bytes);
		ip[8] = 64;
		ip[9] = 6;
	}
	uint8_t *ips = ip + (s->ip6 ? 8 : 12);
	put_address(ips, s->ip6, src);
	put_address(ips + (s->ip6 ? 16 : 4), s->ip6, dst);
	if (!s->ip6)
		put16(ip + 10, 0xffff - sum(ip, 20));
	put16(tcp, s->sport ? s->sport : 40000);
	put16(tcp + 2, s->dport ? s->dport : 8545);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = (uint8_t)((20 + s->options) / 4 << 4);
	tcp[13] = s->flags;
	put16(tcp + 14, 65535);
	memset(tcp + 20, 1, s->options);
	if (s->len)
		memcpy(tcp + 20 + s->options, s->payload, s->len);
	frame_checksum(tcp, tcp_bytes, ips, s->ip6 ? 16 : 4);
	return (uint32_t)(tcp + tcp_bytes - buf);
}

static struct heard_flow *
flow_of(struct net *n, struct flow *f)
{
	if (f->app[0] == 0) {
		CHECK(f->app[1] == 0 && f->app32 == 0);
		if (n->n_flows == n->flows_cap) {
			n->flows_cap = n->flows_cap ? 2 * n->flows_cap : 8;
			n->flows = realloc(n->flows, n->flows_cap * sizeof *n->flows);
			CHECK(n->flows != NULL);
		}
		f->app[0] = ++n->n_flows;
		memset(&n->flows[f->app[0] - 1], 0, sizeof *n->flows);
		n->flows[f->app[0] - 1].key = f->key;
	}
	struct heard_flow *h = &n->flows[f->app[0] - 1];
	CHECK(!h->forgotten);
	CHECK(memcmp(&h->key, &f->key, sizeof h->key) == 0);
	h->midstream = f->midstream;
	h->conflict = f->overlap_conflict;
	return h;
}

static void
grow(struct heard *h, uint64_t more)
{
	if (h->n + more <= h->cap)
		return;
	h->cap = (h->n + more) * 2;
	h->bytes = realloc(h->bytes, h->cap);
	h->there = realloc(h->there, h->cap);
	CHECK(h->bytes != NULL && h->there != NULL);
}

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct net *n = ctx;
	n->ctr[CTR_ST_PARSED] += bytes.len;
	if (n->watch)
		f->watch |= STREAM_WATCH(0) | STREAM_WATCH(1) | STREAM_TRACKED;
	if (n->count_only)
		return;
	struct heard *h = &flow_of(n, f)->dir[dir];
	CHECK(bytes.len > 0 && !h->ended && off == h->n);
	CHECK(h->gaps == 0 || f->gap_before[dir]);
	grow(h, bytes.len);
	memcpy(h->bytes + h->n, bytes.p, bytes.len);
	memset(h->there + h->n, 1, bytes.len);
	h->n += bytes.len;
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t len, uint64_t off, uint64_t now_ns)
{
	struct net *n = ctx;
	if (n->count_only)
		return;
	struct heard *h = &flow_of(n, f)->dir[dir];
	CHECK(len > 0 && !h->ended && off == h->n && f->gap_before[dir]);
	h->gaps++;
	h->gap_bytes += len;
	if (len > 1u << 24 || h->n + len > 1u << 26) { /* only counted: nobody looks at the bytes behind it */
		h->n += len;
		h->cap = 0;
		free(h->bytes);
		free(h->there);
		h->bytes = h->there = NULL;
		n->count_only = true;
		return;
	}
	grow(h, len);
	memset(h->bytes + h->n, 0, len);
	memset(h->there + h->n, 0, len);
	h->n += len;
}

static void
on_conflict(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct net *n = ctx;
	if (n->count_only)
		return;
	struct heard_flow *h = flow_of(n, f);
	CHECK(bytes.len > 0 && !h->dir[dir].ended && bytes.len <= sizeof n->losing);
	n->conflicts++;
	memcpy(n->losing, bytes.p, bytes.len);
	n->losing_len = bytes.len;
	n->losing_off = off;
}

static void
on_acked(void *ctx, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns)
{
	struct net *n = ctx;
	CHECK(f->watch & STREAM_WATCH(dir));
	CHECK(n->count_only || off <= n->flows[f->app[0] - 1].dir[dir].n);
	n->acks++;
	n->in_place += in_place;
	n->ack_off = off;
}

static void
on_belied(void *ctx, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why, uint64_t now_ns)
{
	struct net *n = ctx;
	CHECK(from < to && why <= BELIED_LATE && dir < 2);
	CHECK((f->watch & STREAM_TRACKED) || why <= BELIED_URGENT);
	CHECK(why != BELIED_OTHER_BYTES || f->overlap_conflict);
	CHECK(n->count_only || f->app[0] == 0 || (why != BELIED_UNCOMPARED && why != BELIED_PROBE && why != BELIED_SENDER) ||
	      to <= n->flows[f->app[0] - 1].dir[dir].n);
	n->belied[why]++;
	n->range = (struct stream_range){from, to};
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
	struct net *n = ctx;
	if (n->count_only)
		return;
	struct heard *h = &flow_of(n, f)->dir[dir];
	CHECK(!h->ended);
	h->ended = true;
	h->why = why;
}

static void
on_forget(void *ctx, struct flow *f)
{
	struct net *n = ctx;
	if (n->count_only)
		return;
	struct heard_flow *h = flow_of(n, f);
	CHECK(h->dir[0].ended && h->dir[1].ended);
	h->forgotten = true;
}

struct stream_config
net_config(void)
{
	return (struct stream_config){
		.flows_max = 64,
		.ooo_slabs = 256,
		.ooo_segments_dir = 64,
		.ooo_bytes_dir = 256u << 10,
		.gap_age_ns = 200000000,
		.idle_ns = 300000000000,
		.history_buffers = 64,
		.fragment_datagrams = 64,
		.fragment_blocks = 128,
		.hash_seed = {1, 2, 3, 4},
		.verify_checksum = true,
	};
}

void
net_open(struct net *n, const struct stream_config *c)
{
	static const struct stream_ops ops = {
		on_data, on_gap, on_conflict, on_end, on_forget, .acked = on_acked, .belied = on_belied};
	memset(n, 0, sizeof *n);
	n->config = *c;
	size_t bytes = stream_bytes(c);
	CHECK(bytes > 0 && bytes % 8 == 0);
	CHECK(posix_memalign(&n->mem, 64, bytes) == 0);
	memset(n->mem, 0xa5, bytes);
	n->t = stream_init(n->mem, c, &ops, n, n->ctr);
	CHECK(n->t != NULL);
	n->now_ns = 1700000000000000000u;
}

void
net_check(const struct net *n)
{
	for (unsigned id = ID_FRAMES; id <= ID_RECEIVED; id++) {
		uint64_t residual = 0;
		for (unsigned i = 0; i < identity_terms_n; i++) {
			const struct identity_term *t = &identity_terms[i];
			if (t->identity != id)
				continue;
			uint64_t v = n->ctr[t->counter];
			residual += (t->side == SIDE_LEFT) == (t->sign > 0) ? v : -v;
		}
		CHECK(residual == 0);
	}
	CHECK(n->ctr[CTR_ST_OOO_HELD] <= (uint64_t)n->config.ooo_slabs * 2048);
	CHECK(n->ctr[CTR_FLOWS] <= n->config.flows_max);
}

void
net_close(struct net *n)
{
	stream_flush(n->t, n->now_ns);
	net_check(n);
	CHECK(n->ctr[CTR_FLOWS] == 0 && n->ctr[CTR_ST_OOO_HELD] == 0);
	for (uint32_t i = 0; i < n->n_flows; i++) {
		CHECK(n->flows[i].forgotten || n->count_only);
		for (unsigned d = 0; d < 2; d++) {
			free(n->flows[i].dir[d].bytes);
			free(n->flows[i].dir[d].there);
		}
	}
	free(n->flows);
	free(n->mem);
}

void
net_frame(struct net *n, const uint8_t *frame, uint32_t len, uint32_t wire_len)
{
	uint8_t *exact = malloc(len ? len : 1);
	CHECK(exact != NULL);
	if (len)
		memcpy(exact, frame, len);
	struct span s = {exact, len};
	stream_frames(n->t, 1, &s, &wire_len, &n->now_ns);
	free(exact);
	net_check(n);
}

void
net_send(struct net *n, const struct parts *p)
{
	static uint8_t buf[200000];
	uint32_t len = frame_build(buf, sizeof buf, p);
	net_frame(n, buf, len, len);
}

void
net_wait(struct net *n, uint64_t ns)
{
	n->now_ns += ns;
	stream_housekeep(n->t, n->now_ns);
	net_check(n);
}

bool
net_heard(const struct net *n, uint32_t flow, unsigned dir, const void *bytes, uint64_t len)
{
	CHECK(flow < n->n_flows);
	const struct heard *h = &n->flows[flow].dir[dir];
	return h->n == len && h->gaps == 0 && (len == 0 || memcmp(h->bytes, bytes, len) == 0);
}
