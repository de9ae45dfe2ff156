/* SPDX-License-Identifier: BSD-3-Clause */
/* From findings to alert records: what is in them, how they are graded, which way they go, and what becomes of those that nobody takes. */
#include "rig.h"

#include "abi/ring.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "io/box.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct span eip155 = {rig_eip155, sizeof rig_eip155};
static const uint8_t eip155_hash[32] = {0x33, 0x46, 0x9b, 0x22, 0xe9, 0xf6, 0x36, 0x35, 0x6c, 0x41, 0x60, 0xa8, 0x7e, 0xb1, 0x9d, 0xf5, 0x2b, 0x74,
	0x12, 0xe8, 0xea, 0xc3, 0x2a, 0x4a, 0x55, 0xff, 0xe8, 0x8e, 0xa8, 0x35, 0x07, 0x88};
static const uint8_t eip155_from[20] = {
	0x9d, 0x8a, 0x62, 0xf6, 0x56, 0xa8, 0xd1, 0x61, 0x5c, 0x12, 0x94, 0xfd, 0x71, 0xe9, 0xcf, 0xb3, 0xe4, 0x85, 0x5a, 0x4f};

/* A transaction whose signature recovers somebody, another one for each `who`. */
static uint32_t
signed_tx(uint8_t *out, uint32_t cap, const uint8_t *to, struct span data, uint64_t nonce, uint8_t who)
{
	static const uint8_t chain[] = {1}, price[] = {9}, odd[] = {1};
	uint8_t r[32] = {0x42, who}, s[32] = {0x21, who};
	for (;; r[31]++) {
		struct tx_fields f = {.type = 2, .chain_id = {chain, 1}, .nonce = nonce, .gas = 1000000, .tip_cap = {price, 1},
			.fee_cap = {price, 1}, .to = {to, to ? 20 : 0}, .data = data, .v = {odd, 1}, .r = {r, 32}, .s = {s, 32}};
		int n = tx_build(&f, out, cap);
		struct tx t;
		uint8_t from[20];
		assert_true(n > 0 && tx_decode((struct span){out, (uint32_t)n}, &t) == 0);
		if (tx_sender(&t, from) == 0)
			return (uint32_t)n;
	}
}

static struct span
signed_to(uint8_t *out, uint8_t to, uint64_t nonce, uint8_t who)
{
	uint8_t address[20];
	memset(address, to, 20);
	return (struct span){out, signed_tx(out, 512, address, (struct span){0}, nonce, who)};
}

static void
every_field(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	static const uint8_t value[8] = {0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64, 0, 0}, price[5] = {0x04, 0xa8, 0x17, 0xc8, 0x00}, none[32];
	static const uint8_t src[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}, dst[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	rig_new(&g);
	rig_open(&g, &f, 77);
	text_add(&b, "{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0xc0\",\"0x");
	text_hex(&b, eip155);
	text_add(&b, "\"]}]}");
	text_post(&t, "", &b);
	uint64_t wire = g.now_ns;
	rig_say(&g, &f, 0, text_span(&t));
	g.now_ns += 5000;
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	const struct alert_record *r = &g.alert[0].r;
	assert_int_equal(r->kind, ALERT_KIND_ALERT);
	assert_int_equal(r->grade, GRADE_PAGE);
	assert_int_equal(r->grade_wanted, GRADE_PAGE);
	assert_int_equal(r->severity, SEVERITY_MEDIUM);
	assert_int_equal(r->class_, CLASS_FLASH_LOAN);
	assert_int_equal(r->generation, ruleset_generation(rig_rules()));
	assert_int_equal(r->rule_id, 1);
	assert_int_equal(r->rule_rev, 2);
	assert_int_equal(r->carrier, CARRIER_HTTP_JSONRPC_BUNDLE);
	assert_int_equal(r->direction, DIR_C2S);
	assert_int_equal(r->tx_type, 0);
	assert_int_equal(r->has, HAS_FROM | HAS_TO | HAS_CHAIN_ID | HAS_NONCE | HAS_HASH);
	assert_int_equal(r->trust, TRUST_NOT_ACKED | TRUST_BUNDLE);
	assert_memory_equal(r->hash, eip155_hash, 32);
	assert_memory_equal(r->from, eip155_from, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(r->to[i], TO_PAGED);
	assert_memory_equal(r->created, none, 20);
	assert_memory_equal(r->selector, none, 4);
	assert_memory_equal(r->value, none, 24);
	assert_memory_equal(r->value + 24, value, 8);
	assert_memory_equal(r->fee_cap, none, 27);
	assert_memory_equal(r->fee_cap + 27, price, 5);
	assert_memory_equal(r->tip_cap, r->fee_cap, 32);
	assert_int_equal(r->chain_id, 1);
	assert_int_equal(r->nonce, 9);
	assert_int_equal(r->gas, 21000);
	assert_int_equal(r->raw_len, sizeof rig_eip155);
	assert_int_equal(r->data_len, 0);
	assert_int_equal(r->n_protocols, 1);
	assert_memory_equal(r->protocols[0], r->to, 20);
	assert_int_equal(r->n_related, 0);
	assert_int_equal(r->src_port, 10077);
	assert_int_equal(r->dst_port, 8545);
	assert_memory_equal(r->src_ip, src, 16);
	assert_memory_equal(r->dst_ip, dst, 16);
	assert_int_equal(r->bundle_len, 2);
	assert_int_equal(r->bundle_pos, 1);
	assert_int_equal(r->t_wire_ns, wire);
	assert_int_equal(r->t_emitted_ns, g.now_ns);
	assert_int_equal(g.alert[0].evidence_len, sizeof rig_eip155);
	assert_memory_equal(g.alert[0].evidence, rig_eip155, sizeof rig_eip155);
	assert_int_equal(g.alert[0].lane, LANE_NORMAL); /* no node has accepted it */
	assert_int_equal(g.cc[CTR_SENDERS_RECOVERED], 1);
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
}

static void
creation(void **state)
{
	static const uint8_t code[] = {0x60, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0x00};
	struct rig g;
	struct rig_flow f;
	struct tx t;
	uint8_t raw[512], from[20], created[20];
	uint32_t n = signed_tx(raw, sizeof raw, NULL, (struct span){code, sizeof code}, 300, 1);
	assert_int_equal(tx_decode((struct span){raw, n}, &t), 0);
	assert_int_equal(tx_sender(&t, from), 0);
	tx_created(from, 300, created);
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, (struct span){raw, n});
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	const struct alert_record *r = &g.alert[0].r;
	assert_int_equal(r->rule_id, 5);
	assert_int_equal(r->has, HAS_FROM | HAS_CREATED | HAS_CHAIN_ID | HAS_NONCE | HAS_HASH);
	assert_memory_equal(r->from, from, 20);
	assert_memory_equal(r->created, created, 20);
	assert_int_equal(r->tx_type, 2);
	rig_stop(&g);
}

static void
selector_and_nobody(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAGED, 1, 4);
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, tx);
	rig_drain(&g);
	const struct alert_record *r = &g.alert[0].r;
	/* r = s = 1 happens to recover somebody: what counts is that the two agree */
	assert_int_equal(!(r->has & HAS_FROM), g.cc[CTR_SENDERS_BAD] == 1);
	assert_int_equal(g.cc[CTR_SENDERS_BAD] + g.cc[CTR_SENDERS_RECOVERED], 1);
	assert_true(r->has & HAS_SELECTOR);
	static const uint8_t selector[] = {0xab, 0xab, 0xab, 0xab};
	assert_memory_equal(r->selector, selector, 4);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
}

static void
bad_signature(void **state)
{
	struct rig g;
	struct rig_flow f;
	uint8_t raw[sizeof rig_eip155];
	memcpy(raw, rig_eip155, sizeof raw);
	memset(raw + sizeof raw - 32, 0xff, 32); /* s beyond the order */
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, (struct span){raw, sizeof raw});
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_false(g.alert[0].r.has & HAS_FROM);
	assert_true(g.alert[0].r.trust & TRUST_INVALID);
	assert_int_equal(g.cc[CTR_SENDERS_BAD], 1);
	rig_stop(&g);
}

/* What a rule may pause for goes out as page until everything else is there too; what is missing is named. */
static void
grades(void **state)
{
	static const struct {
		uint32_t trust, lacks;
	} cases[] = {{0, 0}, {TRUST_BUNDLE, 0}, {TRUST_GAP_BEFORE, LACK(EVIDENCE)}, {TRUST_MIDSTREAM, LACK(EVIDENCE)}, {TRUST_ONE_DIRECTION, LACK(EVIDENCE)},
		{TRUST_NOT_ACKED, LACK(ACKED)}, {TRUST_OVERLAP_CONFLICT, LACK(EVIDENCE)}, {TRUST_TRUNCATED, LACK(EVIDENCE)}};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig g;
		uint8_t raw[512];
		struct crossing where = {.carrier = CARRIER_OFFLINE, .direction = DIR_UNKNOWN, .trust = cases[i].trust, .t_wire_ns = 1};
		struct span tx = signed_to(raw, TO_PAUSED, 1, 2);
		rig_new(&g);
		assert_int_equal(worker_raw(g.w, tx, &where), CROSSING_SCANNED);
		rig_drain(&g);
		assert_int_equal(g.alerts, 1);
		assert_int_equal(g.alert[0].r.grade, GRADE_PAGE);
		assert_int_equal(g.alert[0].r.lacks, LACKS_UNCHECKED | LACK(PROTECTED) | LACK(ACCEPTED) | cases[i].lacks);
		assert_int_equal(g.alert[0].r.grade_wanted, GRADE_PAUSE);
		assert_int_equal(g.alert[0].lane, LANE_NORMAL);
		assert_int_equal(g.alert[0].r.trust, cases[i].trust);
		rig_stop(&g);
	}
}

static void
lanes(void **state)
{
	struct rig g;
	struct rig_flow f;
	uint8_t raw[3][512];
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, signed_to(raw[0], TO_WATCHED, 1, 1));
	rig_submit(&g, &f, signed_to(raw[1], TO_PAGED, 2, 1));
	rig_submit(&g, &f, signed_to(raw[2], TO_PAUSED, 3, 1));
	rig_drain(&g);
	assert_int_equal(g.alerts, 3);
	assert_int_equal(g.alert[0].lane, LANE_NORMAL);
	assert_int_equal(g.alert[1].lane, LANE_NORMAL); /* no node has accepted it */
	assert_int_equal(g.alert[2].lane, LANE_NORMAL);
	assert_int_equal(g.alert[2].r.grade, GRADE_PAGE); /* it is not acknowledged when it is judged */
	assert_true(g.alert[2].r.trust & TRUST_NOT_ACKED);
	rig_stop(&g);
}

static void
updates_supersede(void **state)
{
	struct rig g;
	struct rig_flow f;
	uint8_t raw[512];
	rig_new(&g);
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < 3; i++)
		rig_submit(&g, &f, signed_to(raw, TO_WATCHED, 0, 3));
	for (unsigned i = 1; i < 4; i++) {
		uint8_t address[20];
		memset(address, TO_WATCHED, 20);
		/* the same signature over other bytes recovers another sender: so an unsigned claim tells who */
		struct claim who = {.has = CLAIM_FROM};
		memset(who.from, 9, 20);
		struct crossing where = {.claim = &who, .carrier = CARRIER_OFFLINE, .direction = DIR_UNKNOWN, .t_wire_ns = g.now_ns};
		worker_raw(g.w, signed_to(raw, TO_WATCHED, i, 3), &where);
	}
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 2);
	assert_int_equal(g.alerts, 4);
	assert_int_equal(g.cc[CTR_ALERTS], 2);
	assert_int_equal(g.cc[CTR_UPDATES], 2);
	for (unsigned i = 0; i < 4; i++) {
		const struct alert_record *r = &g.alert[i].r;
		assert_int_equal(!!(r->has & HAS_SUPERSEDES), i >= 2);
		assert_int_equal(r->supersedes_seq, i >= 2 ? i : 0);
		if (i >= 2)
			assert_memory_equal(r->dedupekey, g.alert[1].r.dedupekey, 32);
	}
	rig_stop(&g);
}

static void
claims(void **state)
{
	struct rig g;
	struct claim c = {.has = CLAIM_HASH | CLAIM_FROM | CLAIM_UNSIGNED | CLAIM_NO_NONCE | CLAIM_NO_CHAIN};
	struct crossing where = {.claim = &c, .carrier = CARRIER_OFFLINE, .direction = DIR_UNKNOWN, .t_wire_ns = 1};
	struct span tx = rig_tx(TO_PAUSED, 4, 10);
	memset(c.hash, 0xaa, 32);
	memset(c.from, 0xbb, 20);
	rig_new(&g);
	worker_raw(g.w, tx, &where);
	rig_drain(&g);
	const struct alert_record *r = &g.alert[0].r;
	assert_int_equal(g.alerts, 1);
	assert_memory_equal(r->hash, c.hash, 32);
	assert_memory_equal(r->from, c.from, 20);
	assert_int_equal(r->has, HAS_FROM | HAS_TO | HAS_SELECTOR | HAS_HASH);
	assert_int_equal(r->raw_len, 0);
	assert_int_equal(g.alert[0].evidence_len, 0);
	assert_int_equal(g.cc[CTR_SENDERS_RECOVERED] + g.cc[CTR_SENDERS_BAD], 0);
	rig_stop(&g);
	free((void *)(uintptr_t)tx.p);
}

/* A message by hand: rules[] are rule ids. */
static bool
tell(struct rig *g, struct pipe *p, struct span raw, uint32_t rule, uint64_t t_wire_ns)
{
	uint32_t bytes = tx_msg_bytes(0, 0, 1, 0, raw.len);
	struct tx_msg *m = pipe_reserve(p, bytes);
	if (m == NULL)
		return false;
	memset(m, 0, bytes);
	m->kind = FACT_TX;
	m->where.carrier = CARRIER_HTTP_JSONRPC;
	m->where.t_wire_ns = t_wire_ns;
	m->n_findings = 1;
	m->raw_len = raw.len;
	m->tx_bytes = raw.len ? raw.len : TX_BYTES_MAX + 1;
	struct finding *f = (struct finding *)(uintptr_t)tx_msg_findings(m);
	struct ruleset_rule meta;
	while (ruleset_rule(rig_rules(), f->rule_index, &meta), meta.id != rule)
		f->rule_index++;
	if (raw.len > 0)
		memcpy((uint8_t *)(uintptr_t)tx_msg_raw(m).p, raw.p, raw.len);
	pipe_commit(p);
	g->stats->lcore[0].c[CTR_FINDINGS]++;
	return true;
}

static void
too_long_to_travel(void **state)
{
	struct rig g;
	rig_new(&g);
	tell(&g, worker_pipe(g.w), (struct span){0}, 2, 5);
	tell(&g, worker_pipe(g.w), (struct span){0}, 2, 6); /* another one, as far as anybody can tell */
	rig_drain(&g);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(g.alert[0].r.trust, TRUST_TRUNCATED);
	assert_int_equal(g.alert[0].r.has, 0);
	assert_int_equal(g.alert[0].r.raw_len, TX_BYTES_MAX + 1);
	assert_int_equal(g.alert[0].r.grade, GRADE_PAGE);
	assert_int_equal(g.alert[0].evidence_len, 0);
	rig_stop(&g);
}

static void
hurry(void **state)
{
	struct rig g;
	uint8_t raw[512];
	rig_new(&g);
	g.cor.patient = false;
	struct pipe *p = worker_pipe(g.w);
	unsigned n = 0;
	/* far enough apart that there is time for every sender */
	while (tell(&g, p, signed_to(raw, n % 2 ? TO_PAGED : TO_WATCHED, n, 1), n % 2 ? 1 : 3, (n + 1) * 1000000000ull))
		n++;
	rig_drain(&g);
	assert_int_equal(g.alerts, n);
	assert_int_equal(g.cc[CTR_SENDERS_SKIPPED] + g.cc[CTR_SENDERS_RECOVERED], n);
	/* above seven eighths nobody's, above half not those of watch-grade, then everybody's */
	for (unsigned i = 0; i < n; i++) {
		unsigned eighths = (n - i) * 8 / n;
		bool from = g.alert[i].r.has & HAS_FROM;
		assert_int_equal(!from, !!(g.alert[i].r.trust & TRUST_SENDER_SKIPPED));
		if (i < n / 10)
			assert_false(from);
		else if (eighths < 7 && eighths > 4)
			assert_int_equal(from, i % 2);
		else if (eighths < 4)
			assert_true(from);
	}
	rig_stop(&g);
}

static void
nobody_takes_it(void **state)
{
	struct rig g;
	uint8_t raw[512];
	rig_new(&g);
	struct span tx = signed_to(raw, TO_PAGED, 1, 1);
	g.outlet_full = true;
	tell(&g, worker_pipe(g.w), tx, 1, 1);
	rig_drain(&g);
	assert_int_equal(g.cc[CTR_ALERTS], 1);
	g.outlet_full = false;
	tell(&g, worker_pipe(g.w), tx, 1, 2); /* nobody was told: it is no repeat */
	rig_drain(&g);
	assert_int_equal(g.cc[CTR_ALERTS], 2);
	assert_int_equal(g.alerts, 1);
	tell(&g, worker_pipe(g.w), tx, 1, 3);
	rig_drain(&g);
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 1);
	rig_stop(&g);
}

static void
rings(void **state)
{
	static const uint8_t epoch[8] = {1};
	struct rig g;
	struct correlator_rings out = {0};
	uint8_t raw[512];
	rig_new(&g);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		assert_int_equal(ring_create(&out.lane[i], epoch, i, (enum ring_lane)i, 4, RING_EVIDENCE_MIN), 0);
	out.ctr = g.stats->lcore[1].c;
	g.cor.reporter.outlet = correlator_ring_outlet;
	g.cor.reporter.outlet_ctx = &out;
	/* two take nearly all of the evidence region */
	for (unsigned i = 0; i < 3; i++) {
		struct span tx = rig_tx(TO_PAGED, i, 60000);
		tell(&g, worker_pipe(g.w), tx, 1, i + 1);
		rig_drain(&g);
		free((void *)(uintptr_t)tx.p);
	}
	assert_int_equal(g.cc[CTR_EVIDENCE_OVER_BUDGET], 1);
	for (unsigned i = 3; i < 9; i++)
		tell(&g, worker_pipe(g.w), signed_to(raw, TO_PAGED, i, 1), 1, i + 1);
	rig_drain(&g);
	assert_int_equal(g.cc[CTR_RING_PUBLISHED], 4); /* none was accepted: all on one lane */
	assert_int_equal(g.cc[CTR_RING_LOST_FULL], 5);
	rig_check(&g, ID_ALERTS, ID_ALERTS);
	atomic_store(&out.lane[LANE_NORMAL].cursor->consumed, 1000); /* impossible */
	tell(&g, worker_pipe(g.w), signed_to(raw, TO_PAGED, 50, 1), 1, 50);
	rig_drain(&g);
	assert_true(g.cc[CTR_CURSOR_BAD] > 0);
	assert_int_equal(g.cc[CTR_RING_LOST_FULL], 6);
	rig_check(&g, ID_ALERTS, ID_ALERTS);
	rig_stop(&g);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		ring_destroy(&out.lane[i]);
}

static void
pipes_take_turns(void **state)
{
	struct rig g;
	static _Alignas(64) uint8_t buffer[1u << 20];
	struct pipe second;
	uint8_t raw[512];
	rig_new(&g);
	pipe_init(&second, buffer, sizeof buffer);
	correlator_add(&g.cor, &second);
	for (unsigned i = 0; i < 100; i++)
		tell(&g, worker_pipe(g.w), signed_to(raw, TO_WATCHED, i, 1), 3, i);
	tell(&g, &second, signed_to(raw, TO_PAGED, 500, 1), 1, 500);
	assert_int_equal(correlator_poll(&g.cor, 1, 1), 2);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(g.alert[1].r.rule_id, 1);
	assert_int_equal(correlator_poll(&g.cor, 10, 1), 10);
	assert_int_equal(correlator_poll(&g.cor, 1000, 1), 89);
	assert_int_equal(correlator_poll(&g.cor, 1000, 1), 0);
	rig_stop(&g);
}

/* One attacker, three transactions, on two workers: each is told once, whatever the order. */
static void
same_again_in_another_order(void **state)
{
	struct rig g;
	uint8_t raw[512];
	rig_new(&g);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 3; i++) {
			struct claim who = {.has = CLAIM_FROM};
			struct crossing where = {.claim = &who, .carrier = CARRIER_OFFLINE, .direction = DIR_UNKNOWN, .t_wire_ns = 1,
				.trust = round == 0 ? TRUST_MIDSTREAM : 0}; /* judged twice, as by two workers */
			worker_raw(g.w, signed_to(raw, TO_PAGED, i, 1), &where);
		}
	rig_drain(&g);
	assert_int_equal(g.c[CTR_TX_SCANNED], 6);
	assert_int_equal(g.cc[CTR_ALERTS], 1);
	assert_int_equal(g.cc[CTR_UPDATES], 2);
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 3);
	rig_stop(&g);
}

static void *
second_memory(size_t bytes)
{
	static uint8_t *block;
	static size_t used;
	if (block == NULL)
		block = box_alloc(64u << 20);
	uint8_t *p = block + used;
	used += (bytes + 63) & ~(size_t)63;
	return used <= 64u << 20 ? p : NULL;
}

static void
same_on_two_workers(void **state)
{
	struct rig g;
	struct rig_flow a, b;
	uint8_t raw[4][512];
	rig_new(&g);
	g.stats->lcores = 3;
	g.config.sides = &g.stats->nodes_lcore[2].of[0][0];
	struct worker *first = g.w, *other = worker_new(&g.config, rig_rules(), g.stats->lcore[2].c, second_memory);
	assert_non_null(other);
	correlator_add(&g.cor, worker_pipe(other));
	rig_open(&g, &a, 1);
	g.w = other;
	rig_open(&g, &b, 2);
	for (unsigned i = 0; i < 4; i++) {
		struct span tx = signed_to(raw[i], TO_PAGED, i, 1);
		g.w = first;
		rig_submit(&g, &a, tx);
		g.w = other;
		rig_submit(&g, &b, tx);
		rig_submit(&g, &b, tx);
	}
	rig_drain(&g);
	assert_int_equal(stats_sum(g.stats, CTR_TX_SCANNED), 8);
	assert_int_equal(stats_sum(g.stats, CTR_TX_DUPLICATE), 4);
	assert_int_equal(g.cc[CTR_ALERTS], 4);
	assert_int_equal(g.cc[CTR_UPDATES], 0);
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], 4);
	worker_flush(other, g.now_ns);
	worker_delete(other);
	g.w = first;
	g.config.sides = &g.stats->nodes_lcore[0].of[0][0];
	rig_stop(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field),
		cmocka_unit_test(creation),
		cmocka_unit_test(selector_and_nobody),
		cmocka_unit_test(bad_signature),
		cmocka_unit_test(grades),
		cmocka_unit_test(lanes),
		cmocka_unit_test(updates_supersede),
		cmocka_unit_test(claims),
		cmocka_unit_test(too_long_to_travel),
		cmocka_unit_test(hurry),
		cmocka_unit_test(nobody_takes_it),
		cmocka_unit_test(rings),
		cmocka_unit_test(pipes_take_turns),
		cmocka_unit_test(same_again_in_another_order),
		cmocka_unit_test(same_on_two_workers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
