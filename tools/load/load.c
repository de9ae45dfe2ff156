/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx_build.h"
#include "load/load_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define START_NS 1700000000000000000ull
#define HEADERS LOAD_HEADERS
#define FLAG_SYN 0x02u
#define FLAG_PSH 0x08u
#define FLAG_ACK 0x10u

const uint8_t load_hit_address[20] = {0x87, 0x87, 0x0b, 0xca, 0x3f, 0x3f, 0xd6, 0x33, 0x5c, 0x3f, 0x4c, 0xe8, 0x39, 0x2d, 0x69, 0x35,
	0x0b, 0x4f, 0xa4, 0xe2};

uint64_t
load_random(struct load_maker *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void
load_random_bytes(struct load_maker *m, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = load_random(m);
		memcpy(p + i, &v, n - i < 8 ? n - i : 8);
	}
}

/* ---- transactions ---- */

/* A selector and ABI words: addresses, small numbers, a deadline; what calldata is made of. */
static uint32_t
make_calldata(struct load_maker *m, uint8_t *p)
{
	uint64_t kind = load_random(m) % 100;
	uint32_t words = kind < 33 ? 0 : kind < 58 ? 2 : kind < 94 ? 6 + (uint32_t)(load_random(m) % 14) : 30 + (uint32_t)(load_random(m) % 100);
	if (words == 0)
		return 0;
	load_random_bytes(m, p, 4);
	for (uint32_t i = 0; i < words; i++) {
		uint8_t *w = p + 4 + 32 * i;
		memset(w, 0, 32);
		uint64_t k = load_random(m) % 10;
		if (k < 4)
			load_random_bytes(m, w + 12, 20);
		else if (k < 7)
			load_random_bytes(m, w + 22, 10);
		else if (k < 9)
			w[31] = (uint8_t)(32 * (1 + load_random(m) % 7));
		else
			load_random_bytes(m, w, 32);
	}
	return 4 + 32 * words;
}

static uint32_t
make_tx(struct load_maker *m, uint32_t i, uint8_t *out)
{
	static const uint8_t mainnet[] = {1}, tip[] = {0x77, 0x35, 0x94, 0x00}, fee[] = {0x06, 0xfc, 0x23, 0xac, 0x00};
	uint8_t data[LOAD_RAW_MAX], to[20], value[8], r[32], s[32], parity[1] = {(uint8_t)(i & 1)}, v_155[1] = {(uint8_t)(37 + (i & 1))};
	uint32_t data_len = make_calldata(m, data);
	bool creates = false, legacy = load_random(m) % 100 < 27, hit = m->c->hit_every && i % m->c->hit_every == m->c->hit_every - 1;
	load_random_bytes(m, to, 20);
	load_random_bytes(m, value, 8);
	if (m->c->rich_every && !hit && i % m->c->rich_every == 0)
		data_len = load_rich(m, data, to, &creates);
	load_random_bytes(m, r, 32);
	load_random_bytes(m, s, 32);
	r[0] = 0x42;
	s[0] = 0x21;
	value[0] &= 0x0f;
	if (hit) {
		static const uint8_t flash_loan_simple[] = {0x42, 0xb0, 0xb7, 0x7c};
		memcpy(to, load_hit_address, 20);
		data_len = data_len < 4 ? 4 : data_len;
		memcpy(data, flash_loan_simple, 4);
	}
	struct tx_fields f = {
		.type = legacy ? 0 : 2,
		.chain_id = {mainnet, 1},
		.nonce = i,
		.gas = 21000 + 40 * (uint64_t)data_len,
		.tip_cap = {tip, sizeof tip},
		.fee_cap = {fee, sizeof fee},
		.to = {to, creates ? 0 : 20},
		.value = {value, 8},
		.data = {data, data_len},
		.v = {legacy ? v_155 : parity, 1},
		.r = {r, 32},
		.s = {s, 32},
	};
	int n = tx_build(&f, out, LOAD_RAW_MAX);
	return n > 0 ? (uint32_t)n : 0;
}

/* ---- frames ---- */

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
sum16(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return n % 2 ? sum + ((uint32_t)p[n - 1] << 8) : sum;
}

static uint16_t
fold16(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
put_headers(struct load_maker *m, struct load_connection *c, unsigned side, unsigned flags, uint8_t *p, uint32_t payload)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	const uint8_t ip[2][4] = {{192, 0, 2, (uint8_t)(10 + c->port % 64)}, {192, 0, 2, 1}};
	uint32_t port[2] = {c->port, m->node_port};
	memcpy(p, mac[!side], 6);
	memcpy(p + 6, mac[side], 6);
	put16(p + 12, 0x0800);
	uint8_t *h = p + 14, *t = p + 34;
	memset(h, 0, 40);
	h[0] = 0x45;
	put16(h + 2, 40 + payload);
	put16(h + 4, m->ip_id++);
	h[6] = 0x40;
	h[8] = 64;
	h[9] = 6;
	memcpy(h + 12, ip[side], 4);
	memcpy(h + 16, ip[!side], 4);
	put16(h + 10, fold16(sum16(0, h, 20)));
	put16(t, port[side]);
	put16(t + 2, port[!side]);
	put32(t + 4, c->seq[side]);
	if (flags & FLAG_ACK)
		put32(t + 8, c->seq[!side]);
	t[12] = 5 << 4;
	t[13] = (uint8_t)flags;
	put16(t + 14, 0xfaf0);
	put16(t + 16, fold16(sum16(sum16(6 + 20 + payload, h + 12, 8), t, 20 + payload)));
}

int
load_frame(struct load_maker *m, struct load_connection *c, unsigned side, unsigned flags, const void *payload, uint32_t n)
{
	struct load *l = m->l;
	if (l->frames == l->frames_cap || l->cap - l->used < HEADERS + n)
		return -ENOSPC;
	uint8_t *p = l->memory + l->used;
	if (n)
		memcpy(p + HEADERS, payload, n);
	put_headers(m, c, side, flags, p, n);
	l->frame[l->frames] = (struct span){p, HEADERS + n};
	l->wire_len[l->frames] = HEADERS + n;
	l->now_ns[l->frames] = m->now_ns;
	l->frames++;
	l->used += (HEADERS + n + 63) & ~(size_t)63;
	l->frame_bytes += HEADERS + n;
	m->now_ns += m->c->gap_ns ? m->c->gap_ns : 1000;
	c->seq[side] += n + !!(flags & FLAG_SYN);
	return 0;
}

int
load_send(struct load_maker *m, struct load_connection *c, unsigned side, const void *bytes, uint32_t n)
{
	uint32_t segment = m->c->segment ? m->c->segment : 1448;
	int rc = 0;
	for (uint32_t at = 0; at < n && rc == 0; at += segment) {
		uint32_t k = n - at < segment ? n - at : segment;
		rc = load_frame(m, c, side, FLAG_ACK | (at + k == n ? FLAG_PSH : 0), (const uint8_t *)bytes + at, k);
	}
	m->l->stream_bytes += n;
	return rc;
}

int
load_ack(struct load_maker *m, struct load_connection *c, unsigned side)
{
	return load_frame(m, c, side, FLAG_ACK, NULL, 0);
}

static int
open_connection(struct load_maker *m, struct load_connection *c)
{
	int rc = load_frame(m, c, 0, FLAG_SYN, NULL, 0);
	rc = rc ? rc : load_frame(m, c, 1, FLAG_SYN | FLAG_ACK, NULL, 0);
	return rc ? rc : load_frame(m, c, 0, FLAG_ACK, NULL, 0);
}

/* ---- all of it ---- */

static int
make_txs(struct load_maker *m, uint32_t first, uint32_t n)
{
	struct load *l = m->l;
	for (uint32_t i = first; i < first + n; i++) {
		uint8_t *raw = l->raw_memory + l->raw_used;
		uint32_t len = l->raw_cap - l->raw_used < LOAD_RAW_MAX ? 0 : make_tx(m, i, raw);
		if (len == 0)
			return -ENOSPC;
		l->raw[i] = (struct span){raw, len};
		l->transactions++;
		l->raw_used += len;
		l->raw_bytes += len;
	}
	return 0;
}

static int
make_traffic(struct load_maker *m)
{
	const struct load_feed_ops *feed = m->feed;
	uint32_t left = m->c->transactions;
	int rc = 0;
	for (uint32_t i = 0; i < m->c->connections && rc == 0; i++) {
		struct load_connection *c = &m->conns[i];
		c->port = (uint16_t)(20000 + i);
		c->number = i;
		c->seq[0] = (uint32_t)load_random(m);
		c->seq[1] = (uint32_t)load_random(m);
		rc = open_connection(m, c);
		if (rc == 0 && feed->open != NULL)
			rc = feed->open(m, c);
	}
	for (uint32_t i = 0; left > 0 && rc == 0; i++) {
		struct load_connection *c = &m->conns[load_random(m) % m->c->connections];
		uint32_t n = left < feed->group ? left : feed->group;
		rc = make_txs(m, m->l->transactions, n);
		rc = rc ? rc : feed->send(m, c, m->l->raw + m->l->transactions - n, n);
		if (rc == 0 && i % 2 == 0)
			rc = load_ack(m, c, 0);
		left -= n;
	}
	return rc;
}

static bool
take_memory(struct load *l, const struct load_config *c)
{
	uint32_t segment = c->segment ? c->segment : 1448;
	l->frames_cap = c->connections * 12 + c->transactions * (5 + 5000 / segment);
	l->cap = (size_t)c->transactions * 4096 + (size_t)l->frames_cap * 128 + (1u << 20) + (size_t)c->connections * 4096;
	l->raw_cap = (size_t)c->transactions * 640 + (1u << 20);
	l->packed_cap = l->raw_cap * 2;
	l->frame = calloc(l->frames_cap, sizeof *l->frame);
	l->wire_len = calloc(l->frames_cap, sizeof *l->wire_len);
	l->now_ns = calloc(l->frames_cap, sizeof *l->now_ns);
	l->raw = calloc(c->transactions, sizeof *l->raw);
	l->memory = malloc(l->cap);
	l->raw_memory = malloc(l->raw_cap);
	l->packed = calloc(c->transactions, sizeof *l->packed);
	l->packed_memory = malloc(l->packed_cap);
	l->session = calloc(c->connections, sizeof *l->session);
	return l->frame && l->wire_len && l->now_ns && l->raw && l->memory && l->raw_memory && l->packed && l->packed_memory && l->session;
}

int
load_make(struct load *l, const struct load_config *c)
{
	memset(l, 0, sizeof *l);
	if (c->transactions == 0 || c->connections == 0 || c->connections > 1024 || c->feed >= LOAD_FEEDS)
		return -EINVAL;
	struct load_maker m = {.l = l, .c = c, .random = c->seed, .now_ns = START_NS, .feed = &load_feed_ops[c->feed]};
	m.node_port = m.feed->port;
	m.conns = calloc(c->connections, sizeof *m.conns);
	int rc = take_memory(l, c) && m.conns ? make_traffic(&m) : -ENOMEM;
	for (uint32_t i = 0; m.conns != NULL && m.feed->close != NULL && i < c->connections; i++)
		m.feed->close(&m, &m.conns[i]);
	free(m.conns);
	free(m.text.p);
	if (rc != 0)
		load_free(l);
	return rc;
}

void
load_free(struct load *l)
{
	free(l->frame);
	free(l->wire_len);
	free(l->now_ns);
	free(l->raw);
	free(l->memory);
	free(l->raw_memory);
	free(l->packed);
	free(l->packed_memory);
	free(l->session);
	memset(l, 0, sizeof *l);
}
