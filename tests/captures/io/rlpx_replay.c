/* SPDX-License-Identifier: BSD-3-Clause */
/* usage: rlpx_replay CAPTURE.pcap KEYLOG [--late N | --from N]
 * Reads a capture through net, rlpx and ethmsg; a line for each transaction and announcement: "KIND HASH PORT
 * DIRECTION", then a line of counts.
 * --late N: the key log is read after the Nth frame; --from N: the first N frames are left out. */
#include "eth/ethmsg.h"
#include "eth/tx.h"
#include "io/keylog.h"
#include "io/source.h"
#include "net/stream.h"
#include "wire/hex.h"
#define RIG_OUT (4u << 20) /* blobs */
#include "tests/unit/wire/rlpx_rig.h"

#include "abi/counters.h"

#include <stdio.h>

#define CONNS 64

struct conn {
	struct rlpx rlpx;
	struct flow *flow;
};

static struct {
	struct rig rig;
	struct conn conns[CONNS];
	struct flow *flow;
	struct rlpx_search search;
	uint64_t over, malformed, learned;
} g;

static void
print_item(void *ctx, const struct ethmsg_item *it)
{
	static const char *const names[] = {
		"transactions", "pooled", "blockbody", "announce", "getpooled", "block"};
	uint8_t hash[32] = {0};
	struct tx t;
	if (it->raw.len > 0) {
		if (tx_decode(it->raw, &t) != 0) {
			printf("undecodable\n");
			return;
		}
		tx_hash(&t, hash);
	} else if (it->hash != NULL) {
		memcpy(hash, it->hash, 32);
	}
	printf("%s ", names[it->kind]);
	for (unsigned i = 0; i < 32; i++)
		printf("%02x", hash[i]);
	unsigned dir = *(unsigned *)ctx;
	printf(" %u %s\n", g.flow->key.port[0], dir == 0 ? "c2s" : "s2c");
}

static void
on_message(void *ctx, struct rlpx *r, unsigned dir, struct span payload)
{
	const struct rlpx_message *m = rlpx_last(r, dir);
	int code = m->eth;
	bool sure;
	if (rlpx_eth(r)->first == 0 && m->id >= RLPX_BASE_IDS && (code = ethmsg_guess(payload, &sure)) >= 0 &&
		sure && m->id >= RLPX_BASE_IDS + (unsigned)code) {
		rlpx_learn_eth(r, m->id - (unsigned)code);
		g.learned++;
	}
	if (code >= 0 && ethmsg_read((unsigned)code, payload, print_item, &dir, &g.over) == ETHMSG_MALFORMED)
		g.malformed++;
}

static struct conn *
conn_of(struct flow *f)
{
	struct conn *c = (struct conn *)(uintptr_t)f->app[0];
	for (unsigned i = 0; c == NULL && i < CONNS; i++) {
		if (g.conns[i].flow == NULL)
			c = &g.conns[i];
	}
	if (c == NULL)
		abort();
	if (c->flow == NULL) {
		struct rlpx_endpoint end[2];
		for (unsigned i = 0; i < 2; i++) {
			memcpy(end[i].ip, f->key.ip[i], 16);
			end[i].port = f->key.port[i];
		}
		c->flow = f;
		f->app[0] = (uint64_t)(uintptr_t)c;
		rlpx_init(&c->rlpx, &g.rig.arena, f->midstream, end, c);
	}
	g.flow = f;
	/* the byte counts of the rig are of one connection */
	memset(g.rig.given, 0, sizeof g.rig.given);
	memset(g.rig.parsed, 0, sizeof g.rig.parsed);
	memset(g.rig.skipped, 0, sizeof g.rig.skipped);
	for (unsigned d = 0; d < 2; d++)
		g.rig.given[d] = rlpx_held(&c->rlpx, d);
	return c;
}

static void
search_elsewhere(struct conn *c)
{
	for (unsigned d = 0; d < 2; d++) {
		if (!rlpx_search_begin(&c->rlpx, d, &g.rig.arena, &g.search))
			continue;
		rlpx_search_run(&g.search, UINT64_MAX);
		rlpx_search_end(&c->rlpx, &g.rig.arena, &g.search);
	}
}

static void
on_data(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns)
{
	struct conn *c = conn_of(f);
	rig_feed(&g.rig, &c->rlpx, dir, bytes);
	search_elsewhere(c);
	rig_poll(&g.rig, &c->rlpx);
}

static void
on_gap(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns)
{
	rig_gap(&g.rig, &conn_of(f)->rlpx, dir, n);
}

static void
on_end(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
}

static void
on_forget(void *ctx, struct flow *f)
{
	if (f->app[0] == 0)
		return;
	struct conn *c = conn_of(f);
	rig_end(&g.rig, &c->rlpx);
	c->flow = NULL;
}

static void
complain(void *ctx, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

int
main(int argc, char **argv)
{
	static uint64_t counters[CTR_COUNT];
	const struct stream_ops ops = {
		.data = on_data, .gap = on_gap, .end = on_end, .forget = on_forget, .conflict = on_data};
	uint64_t late = argc > 4 && strcmp(argv[3], "--late") == 0 ? strtoull(argv[4], NULL, 10) : 0;
	uint64_t from = argc > 4 && strcmp(argv[3], "--from") == 0 ? strtoull(argv[4], NULL, 10) : 0;
	struct source s;
	struct keylog log;
	char err[256];
	if (argc < 3 || source_open(&s, argv[1], err, sizeof err) != 0 ||
		keylog_open(&log, argv[2], 0, complain, NULL) != 0) {
		fprintf(stderr, "usage: rlpx_replay CAPTURE.pcap KEYLOG [--late N | --from N]\n");
		return 2;
	}
	hex_init();
	rig_init(&g.rig, 2 * CONNS, 65536, on_message, NULL);
	struct stream_config config = {.flows_max = 1024,
		.ooo_slabs = 1024,
		.gap_age_ns = 200000000,
		.idle_ns = 300000000000,
		.hash_seed = {1, 2, 3, 4}};
	config.ooo_segments_dir = 64;
	config.ooo_bytes_dir = 262144;
	void *mem = aligned_alloc(64, (stream_bytes(&config) + 63) & ~(size_t)63);
	struct stream_table *t = stream_init(mem, &config, &ops, NULL, counters);
	struct rlpx_keys *keys = keylog_table(&log, 42);
	struct source_frame f;
	uint64_t n = 0, now = 0;
	while (source_next(&s, &f)) {
		if (n++ == late)
			g.rig.arena.keys = keys;
		now = f.t_ns;
		if (n > from)
			stream_frames(t, 1, &f.bytes, &f.wire_len, &f.t_ns);
	}
	stream_flush(t, now);
	printf("counts");
	static const char *const names[] = {
#define _(id, help) #id,
		RLPX_COUNTS(_)
#undef _
	};
	for (unsigned i = 0; i < RLPX_N_COUNT; i++)
		printf(" %s=%llu", names[i], (unsigned long long)g.rig.arena.counts[i]);
	printf(" malformed=%llu over=%llu learned=%llu opaque=%llu unsynced=%llu lost=%llu\n",
		(unsigned long long)g.malformed, (unsigned long long)g.over, (unsigned long long)g.learned,
		(unsigned long long)g.rig.skipped_for[FRAMER_SKIP_OPAQUE],
		(unsigned long long)g.rig.skipped_for[FRAMER_SKIP_UNSYNCED],
		(unsigned long long)g.rig.skipped_for[FRAMER_SKIP_LOST]);
	free(keys);
	keylog_close(&log);
	rig_free(&g.rig);
	free(mem);
	source_close(&s);
	return 0;
}
