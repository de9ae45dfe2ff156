/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include "eth/tx_build.h"
#include "io/box.h"
#include "worker/worker_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_NS 1700000000000000000ull
#define HEADERS 54u

const uint8_t rig_eip155[110] = {0xf8, 0x6c, 0x09, 0x85, 0x04, 0xa8, 0x17, 0xc8, 0x00, 0x82, 0x52, 0x08, 0x94, 0x35, 0x35, 0x35, 0x35, 0x35,
	0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x35, 0x88, 0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64,
	0x00, 0x00, 0x80, 0x25, 0xa0, 0x28, 0xef, 0x61, 0x34, 0x0b, 0xd9, 0x39, 0xbc, 0x21, 0x95, 0xfe, 0x53, 0x75, 0x67, 0x86, 0x60, 0x03,
	0xe1, 0xa1, 0x5d, 0x3c, 0x71, 0xff, 0x63, 0xe1, 0x59, 0x06, 0x20, 0xaa, 0x63, 0x62, 0x76, 0xa0, 0x67, 0xcb, 0xe9, 0xd8, 0x99, 0x7f,
	0x76, 0x1a, 0xec, 0xb7, 0x03, 0x30, 0x4b, 0x38, 0x00, 0xcc, 0xf5, 0x55, 0xc9, 0xf3, 0xdc, 0x64, 0x21, 0x4b, 0x29, 0x7f, 0xb1, 0x96,
	0x6a, 0x3b, 0x6d, 0x83};

void
rig_fail(const char *what)
{
	fprintf(stderr, "rig: %s\n", what);
	abort();
}

const struct ruleset *
rig_rules(void)
{
	static struct bundle_file bundle;
	if (bundle.rules == NULL && bundle_load(&bundle, RIG_BUNDLE, true) != 0)
		rig_fail("no rules");
	return bundle.rules;
}

void
rig_check(const struct rig *g, enum identity_id first, enum identity_id last)
{
	struct identity id[IDENTITIES];
	identities_evaluate(g->stats, NULL, id);
	for (unsigned i = first; i <= (unsigned)last; i++) {
		if (id[i].residual == 0)
			continue;
		fprintf(stderr, "rig: identity %s: %llu != %llu\n", id[i].name, (unsigned long long)id[i].left, (unsigned long long)id[i].right);
		abort();
	}
}

/* ---- worker and correlator ---- */

/* Memory of earlier rigs, by size: a fuzzer would do little else than have pages mapped. */
#define KEPT_MAX 64u
static struct kept_block {
	void *p;
	size_t bytes;
} kept[KEPT_MAX];

static void *
keep_alloc(size_t bytes)
{
	for (unsigned i = 0; i < KEPT_MAX; i++) {
		void *p = kept[i].p;
		if (p == NULL || kept[i].bytes != bytes)
			continue;
		kept[i].p = NULL;
		return memset(p, 0, bytes);
	}
	return box_alloc(bytes);
}

static void
keep_free(void *p, size_t bytes)
{
	static unsigned at;
	if (p == NULL)
		return;
	free(kept[at].p);
	kept[at] = (struct kept_block){p, bytes};
	at = (at + 1) % KEPT_MAX;
}

static struct rig *allocating;

static void *
rig_alloc(size_t bytes)
{
	struct rig *g = allocating;
	if (g->memories == RIG_MEMORY_MAX)
		return NULL;
	g->memory_bytes[g->memories] = bytes;
	return g->memory[g->memories++] = keep_alloc(bytes);
}

static void
on_report(void *ctx, const struct crossing_report *r)
{
	struct rig *g = ctx;
	g->last = *r;
	g->last.tx = NULL;
	g->reports[r->outcome]++;
}

static int
outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct rig *g = ctx;
	r->seq = ++g->seq[lane];
	if (g->outlet_full)
		return -ENOBUFS;
	if (alert_record_check(r) != 0)
		rig_fail("a record that no consumer would take");
	if (g->alerts == RIG_ALERTS_MAX)
		return 0;
	struct rig_alert *a = &g->alert[g->alerts++];
	a->r = *r;
	a->lane = lane;
	a->evidence_len = evidence.len;
	if (evidence.len > 0)
		memcpy(a->evidence, evidence.p, evidence.len < sizeof a->evidence ? evidence.len : sizeof a->evidence);
	return 0;
}

void
rig_init(struct rig *g)
{
	memset(g, 0, sizeof *g);
	worker_config_default(&g->config);
	g->config.stream.flows_max = 4096;
	g->config.stream.ooo_slabs = 1024;
	g->config.stream.ooo_segments_dir = 64;
	g->config.stream.gap_ack_frames = 32; /* a hole shows itself within the frames of a test */
	g->config.stream.history_buffers = 64;
	g->config.conns_max = 64;
	g->config.slabs[0] = 16;
	g->config.slabs[1] = 4;
	g->config.slabs[2] = 2;
	g->config.seen_entries = 4096;
	g->config.code_all = true;
	g->config.pipe_bytes = 1u << 20;
	g->incidents = 1024;
	g->armed = 64;
	g->lives_txs = 64;
	memset(g->config.seen_key, 7, sizeof g->config.seen_key);
}

static void
start_lives(struct rig *g)
{
	struct lives_config c = {.n_txs = g->lives_txs, .key = {3}, .shares = g->stats, .event = correlator_life, .ctx = &g->cor};
	g->lives_bytes = lives_bytes(&c);
	g->lives_memory = keep_alloc(g->lives_bytes);
	if (g->lives_memory == NULL)
		rig_fail("no memory");
	lives_init(&g->lives, g->lives_memory, &c, g->stats->lcore[1].c);
}

static void
start_correlator(struct rig *g)
{
	struct correlator_config c = {.rules = rig_rules(), .counters = g->stats->lcore[1].c, .outlet = outlet, .outlet_ctx = g, .key = {5},
		.incidents = g->incidents, .kept_bytes = 1u << 20, .armed_pending = g->armed, .armed_kept = g->armed, .in_flight = 1024, .protect = g->protect,
		.lives = g->with_lives ? &g->lives : NULL, .patient = true};
	g->correlator_bytes = correlator_bytes(&c);
	g->correlator_memory = keep_alloc(g->correlator_bytes);
	if (g->correlator_memory == NULL)
		rig_fail("no memory");
	correlator_init(&g->cor, g->correlator_memory, &c);
	correlator_add(&g->cor, worker_pipe(g->w));
}

void
rig_start(struct rig *g)
{
	allocating = g;
	g->now_ns = START_NS;
	g->stats = keep_alloc(sizeof *g->stats);
	g->alert = keep_alloc(RIG_ALERTS_MAX * sizeof *g->alert);
	if (g->stats == NULL || g->alert == NULL)
		rig_fail("no memory");
	g->stats->lcores = 2;
	g->c = g->stats->lcore[0].c;
	g->cc = g->stats->lcore[1].c;
	g->config.sides = &g->stats->nodes_lcore[0].of[0][0];
	g->w = worker_new(&g->config, rig_rules(), g->stats->lcore[0].c, rig_alloc);
	if (g->w == NULL)
		rig_fail("no worker");
	worker_listen(g->w, on_report, g);
	if (g->with_lives)
		start_lives(g);
	start_correlator(g);
}

void
rig_new(struct rig *g)
{
	rig_init(g);
	rig_start(g);
}

void
rig_drain(struct rig *g)
{
	while (correlator_poll(&g->cor, 16, g->now_ns) > 0)
		;
	rig_check(g, ID_FINDINGS, ID_FINDINGS);
}

/* Every crossing whose bytes were to be proven has come to one end. */
static void
check_evidence(const struct rig *g)
{
	const struct evidence_table *t = &g->w->evidence;
	uint64_t over = g->c[CTR_EVIDENCE_PROVEN] + g->c[CTR_EVIDENCE_BELIED] + g->c[CTR_EVIDENCE_ENDED] + g->c[CTR_EVIDENCE_EVICTED] +
			g->c[CTR_EVIDENCE_DROPPED];
	uint32_t n_free = 0, flows_free = 0;
	for (uint32_t i = t->free; i != 0; i = t->entries[i].next)
		n_free++;
	for (uint32_t i = t->flows_free; i != 0; i = t->flows[i].younger)
		flows_free++;
	if (g->c[CTR_EVIDENCE_NOTED] != over || n_free != EVIDENCE_ENTRIES - 1 || t->n_busy != 0)
		rig_fail("evidence is still waited for after the end");
	if (flows_free != g->config.conns_max || t->used.first != 0 || t->n_out != 0)
		rig_fail("evidence of a flow that is gone");
}

/* What connections have taken from the worker's pools. */
static void
check_pools(const struct rig *g)
{
	const struct worker *w = g->w;
	const struct join_pool *j = &w->joins;
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		if (w->slabs.c[i].used.next != &w->slabs.c[i].used)
			rig_fail("an assembly buffer was not given back");
	if (w->inflates.used.first != NULL)
		rig_fail("a decompressor was not given back");
	if (w->windows.used.next != &w->windows.used)
		rig_fail("a window was not given back");
	if (w->h2_bodies.n_free != H2_BODIES)
		rig_fail("a body outlives its stream");
	check_evidence(g);
	uint32_t n_free = 0;
	for (uint32_t i = j->free; i != 0; i = j->entries[i].next)
		n_free++;
	if (n_free != j->n || j->added != j->answered + j->unanswered + j->unread + j->evicted[0] + j->evicted[1])
		rig_fail("a request waits after the end");
}

/* The figures per node and feed add up to the counters, and no connection is left open in them. */
static void
check_sides(const struct rig *g)
{
	struct stats_node_feed all = {0};
	const struct stats_node_feed *s = g->config.sides;
	for (unsigned node = 0; node < STATS_NODES_MAX; node++) {
		struct stats_node_feed n = {0};
		for (unsigned feed = 0; feed < NODE_FEED_COUNT; feed++, s++) {
			for (unsigned k = 0; k < offsetof(struct stats_node_feed, last_ns) / 8; k++)
				((uint64_t *)&n)[k] += ((const uint64_t *)s)[k];
			if (s->opened != s->closed)
				rig_fail("a connection is left open in a node's figures");
		}
		if (n.scanned + n.duplicate > n.crossed || n.hash_scanned + n.hash_duplicate > n.hashes)
			rig_fail("a node's figures disagree with each other");
		for (unsigned k = 0; k < offsetof(struct stats_node_feed, last_ns) / 8; k++)
			((uint64_t *)&all)[k] += ((const uint64_t *)&n)[k];
	}
	const uint64_t *c = g->c;
	if (all.segments[0] + all.segments[1] != c[CTR_ACCEPTED] || all.bytes[0] + all.bytes[1] != c[CTR_ST_ADVANCED] - c[CTR_ST_GAP] ||
		all.gap[0] + all.gap[1] != c[CTR_ST_GAP] || all.opened < c[CTR_FLOWS_CREATED])
		rig_fail("the nodes' bytes do not add up");
	if (all.messages != c[CTR_JSON_MESSAGES] + c[CTR_ANSWERS] + c[CTR_L2_MESSAGES] + c[CTR_RLPX_MESSAGES] + c[CTR_GRPC_MESSAGES])
		rig_fail("the nodes' messages do not add up");
	if (all.crossed != c[CTR_TX_CROSSED] || all.scanned != c[CTR_TX_SCANNED] || all.duplicate != c[CTR_TX_DUPLICATE] ||
		all.hashes != c[CTR_NODE_HASHES] || all.hash_scanned != c[CTR_NODE_SCANNED] || all.hash_duplicate != c[CTR_NODE_DUPLICATE])
		rig_fail("the nodes' transactions do not add up");
}

void
rig_flush(struct rig *g)
{
	worker_flush(g->w, g->now_ns);
	rig_drain(g);
	rig_check(g, ID_FRAMES, ID_FINDINGS);
	rig_check(g, ID_NODE, ID_NODE);
	if (g->c[CTR_ST_BUFFERED] != 0 || g->c[CTR_ST_OOO_HELD] != 0 || g->c[CTR_FLOWS] != 0)
		rig_fail("something is held after the end");
	if (g->w->n_pending != 0 || g->w->arena.scratch_used != 0 || pipe_fill(worker_pipe(g->w)) != 0)
		rig_fail("something is pending after the end");
	if (g->w->conns.used.next != &g->w->conns.used)
		rig_fail("a parser outlives its flow");
	check_pools(g);
	check_sides(g);
	const char *wrong = g->with_lives ? life_check(g->lives.life) : NULL;
	if (wrong != NULL)
		rig_fail(wrong);
}

void
rig_stop(struct rig *g)
{
	rig_flush(g);
	worker_delete(g->w);
	for (uint32_t i = 0; i < g->memories; i++)
		keep_free(g->memory[i], g->memory_bytes[i]);
	keep_free(g->stats, sizeof *g->stats);
	keep_free(g->alert, RIG_ALERTS_MAX * sizeof *g->alert);
	keep_free(g->correlator_memory, g->correlator_bytes);
	keep_free(g->lives_memory, g->lives_bytes);
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
	put16(p + 2, v & 0xffff);
}

uint32_t
rig_make(const struct rig_flow *f, unsigned dir, uint32_t seq, unsigned flags, struct span payload, uint8_t *out)
{
	static const uint8_t ip[2][4] = {{10, 0, 0, 2}, {10, 0, 0, 1}};
	memset(out, 0, HEADERS);
	out[5] = out[11] = 2;
	put16(out + 12, 0x0800);
	uint8_t *h = out + 14, *t = out + 34;
	h[0] = 0x45;
	put16(h + 2, 40 + payload.len);
	h[6] = 0x40;
	h[8] = 64;
	h[9] = 6;
	memcpy(h + 12, ip[dir], 4);
	memcpy(h + 16, ip[!dir], 4);
	put16(t, f->port[dir]);
	put16(t + 2, f->port[!dir]);
	put32(t + 4, seq);
	put32(t + 8, flags & RIG_ACK ? f->isn[!dir] + 1 + f->sent[!dir] : 0);
	t[12] = 5 << 4;
	t[13] = (uint8_t)flags;
	put16(t + 14, 0xfaf0);
	if (payload.len > 0)
		memcpy(out + HEADERS, payload.p, payload.len);
	return HEADERS + payload.len;
}

void
rig_frame(struct rig *g, const struct rig_flow *f, unsigned dir, uint32_t seq, unsigned flags, struct span payload)
{
	uint8_t frame[HEADERS + 65000];
	if (payload.len > 65000)
		rig_fail("a segment too long");
	uint32_t n = rig_make(f, dir, seq, flags, payload, frame);
	struct span s = {frame, n};
	worker_frames(g->w, 1, &s, &n, &g->now_ns);
	g->now_ns += 1000;
	if (!g->unchecked)
		rig_check(g, ID_FRAMES, ID_TRANSACTIONS);
}

void
rig_join(struct rig_flow *f, unsigned number)
{
	*f = (struct rig_flow){.port = {(uint16_t)(10000 + number), 8545}, .isn = {number * 7919u, number * 104729u}};
}

void
rig_open(struct rig *g, struct rig_flow *f, unsigned number)
{
	rig_join(f, number);
	rig_frame(g, f, 0, f->isn[0], RIG_SYN, (struct span){0});
	rig_frame(g, f, 1, f->isn[1], RIG_SYN | RIG_ACK, (struct span){0});
	rig_frame(g, f, 0, f->isn[0] + 1, RIG_ACK, (struct span){0});
}

void
rig_close(struct rig *g, struct rig_flow *f)
{
	for (unsigned d = 0; d < 2; d++)
		rig_frame(g, f, d, f->isn[d] + 1 + f->sent[d], RIG_FIN | RIG_ACK, (struct span){0});
}

void
rig_at(struct rig *g, const struct rig_flow *f, unsigned dir, uint32_t off, struct span text)
{
	rig_frame(g, f, dir, f->isn[dir] + 1 + off, RIG_ACK, text);
}

void
rig_say(struct rig *g, struct rig_flow *f, unsigned dir, struct span text)
{
	uint32_t most = g->segment ? g->segment : 1448;
	while (text.len > 0) {
		uint32_t n = text.len < most ? text.len : most;
		rig_at(g, f, dir, f->sent[dir], (struct span){text.p, n});
		f->sent[dir] += n;
		text.p += n;
		text.len -= n;
	}
}

void
rig_answer(struct rig *g, struct rig_flow *f)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":0}\n";
	rig_say(g, f, 1, (struct span){(const uint8_t *)text, sizeof text - 2});
}

/* ---- text ---- */

static void
text_room(struct text *t, uint32_t n)
{
	if (t->cap - t->n >= n)
		return;
	t->cap = t->cap + n > 2 * t->cap ? t->cap + n : 2 * t->cap;
	t->p = realloc(t->p, t->cap);
	if (t->p == NULL)
		rig_fail("no memory");
}

void
text_add(struct text *t, const char *format, ...)
{
	va_list a, b;
	va_start(a, format);
	va_copy(b, a);
	int n = vsnprintf(NULL, 0, format, a);
	text_room(t, (uint32_t)n + 1);
	vsnprintf(t->p + t->n, (size_t)n + 1, format, b);
	t->n += (uint32_t)n;
	va_end(a);
	va_end(b);
}

void
text_hex(struct text *t, struct span raw)
{
	static const char digit[] = "0123456789abcdef";
	text_room(t, 2 * raw.len + 1);
	for (uint32_t i = 0; i < raw.len; i++) {
		t->p[t->n++] = digit[raw.p[i] >> 4];
		t->p[t->n++] = digit[raw.p[i] & 15];
	}
}

void
text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){0};
}

struct span
text_span(const struct text *t)
{
	return (struct span){(const uint8_t *)t->p, t->n};
}

void
text_post(struct text *out, const char *headers, const struct text *body)
{
	text_add(out, "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n%sContent-Length: %u\r\n\r\n", headers, body->n);
	text_room(out, body->n + 1);
	memcpy(out->p + out->n, body->p, body->n);
	out->n += body->n;
}

void
text_raw(struct text *out, struct span raw)
{
	text_add(out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x");
	text_hex(out, raw);
	text_add(out, "\"]}");
}

void
rig_submit(struct rig *g, struct rig_flow *f, struct span raw)
{
	struct text body = {0}, post = {0};
	text_raw(&body, raw);
	text_post(&post, "", &body);
	rig_say(g, f, 0, text_span(&post));
	rig_answer(g, f);
	text_free(&body);
	text_free(&post);
}

struct span
rig_tx(uint8_t to, uint64_t nonce, uint32_t data_len)
{
	static const uint8_t chain[] = {1}, fee[] = {0x77, 0x35, 0x94, 0x00};
	uint8_t address[20], *data = malloc(data_len + 1), *raw = malloc(data_len + 256u);
	if (data == NULL || raw == NULL)
		rig_fail("no memory");
	memset(address, to, sizeof address);
	memset(data, 0xab, data_len);
	struct tx_fields f = {
		.type = 2,
		.chain_id = {chain, 1},
		.nonce = nonce,
		.gas = 10000000,
		.tip_cap = {fee, sizeof fee},
		.fee_cap = {fee, sizeof fee},
		.to = {address, 20},
		.data = {data, data_len},
	};
	int n = tx_build(&f, raw, data_len + 256u);
	free(data);
	if (n < 0)
		rig_fail("no transaction");
	return (struct span){raw, (uint32_t)n};
}
