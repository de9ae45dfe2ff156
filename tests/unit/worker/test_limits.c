/* SPDX-License-Identifier: BSD-3-Clause */
/* Every cap of the worker: what hits it, that its counter says so, and that the next one gets through. */
#include "rig.h"

#include "eth/tx.h"
#include "eth/tx_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hs/hs.h>

/* The matcher, made to fail on demand. */
static bool matcher_fails;
hs_error_t __real_hs_scan(const hs_database_t *db, const char *data, unsigned length, unsigned flags, hs_scratch_t *scratch,
	match_event_handler on_event, void *ctx);
hs_error_t __wrap_hs_scan(const hs_database_t *db, const char *data, unsigned length, unsigned flags, hs_scratch_t *scratch,
	match_event_handler on_event, void *ctx);
hs_error_t
__wrap_hs_scan(const hs_database_t *db, const char *data, unsigned length, unsigned flags, hs_scratch_t *scratch, match_event_handler on_event,
	void *ctx)
{
	return matcher_fails ? HS_UNKNOWN_ERROR : __real_hs_scan(db, data, length, flags, scratch, on_event, ctx);
}

static const struct span eip155 = {rig_eip155, sizeof rig_eip155};

static void
give_back(struct span tx)
{
	free((void *)(uintptr_t)tx.p);
}

/* A request of which all but the last `but` bytes are sent. */
static void
begin(struct rig *g, struct rig_flow *f, unsigned number, struct span tx, uint32_t but)
{
	struct text b = {0}, t = {0};
	text_raw(&b, tx);
	text_post(&t, "", &b);
	rig_open(g, f, number);
	rig_say(g, f, 0, (struct span){(uint8_t *)t.p, t.n - but});
	text_free(&b);
	text_free(&t);
}

static void
posts_that_never_end(void **state)
{
	enum { SLOW = 1000 };
	struct rig g;
	static struct rig_flow slow[SLOW], f;
	struct span tx = rig_tx(TO_NOTHING, 1, 1000), fresh = rig_tx(TO_WATCHED, 1, 1000);
	rig_init(&g);
	g.config.conns_max = 2048;
	rig_start(&g);
	g.unchecked = true; /* a thousand flows: at the end of each step only */
	for (unsigned i = 0; i < SLOW; i++)
		begin(&g, &slow[i], i, tx, 100);
	rig_check(&g, ID_FRAMES, ID_TRANSACTIONS);
	worker_housekeep(g.w, g.now_ns);
	assert_int_equal(g.c[CTR_SLABS_STOLEN], SLOW - g.config.slabs[0]);
	g.segment = 500;
	rig_open(&g, &f, SLOW);
	rig_submit(&g, &f, fresh);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.last.raw_bytes, fresh.len);
	/* a slow one that ends after all is told of as what could not be held */
	struct text b = {0};
	text_raw(&b, tx);
	rig_say(&g, &slow[0], 0, (struct span){(uint8_t *)b.p + b.n - 100, 100});
	assert_int_equal(g.c[CTR_TX_UNSCANNED_NO_BUFFER], 1);
	/* and the last of them, which still has its buffer, is read */
	rig_say(&g, &slow[SLOW - 1], 0, (struct span){(uint8_t *)b.p + b.n - 100, 100});
	assert_int_equal(g.c[CTR_TX_SCANNED], 2);
	rig_flush(&g);
	assert_int_equal(g.c[CTR_TX_CROSSED], SLOW + 1);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_GAP], SLOW - 2);
	rig_stop(&g);
	text_free(&b);
	give_back(tx);
	give_back(fresh);
}

static void
no_buffer_of_that_size(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct span big = rig_tx(TO_WATCHED, 1, 6000);
	rig_init(&g);
	g.config.slabs[1] = g.config.slabs[2] = 0;
	rig_start(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, big);
	assert_int_equal(g.c[CTR_TX_UNSCANNED_NO_BUFFER], 1);
	g.segment = 40000; /* in one segment no buffer is needed */
	rig_submit(&g, &f, big);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_stop(&g);
	give_back(big);
}

static void
longest_transactions(void **state)
{
	struct rig g;
	struct rig_flow f;
	rig_new(&g);
	rig_open(&g, &f, 1);
	for (uint32_t over = 0; over < 2; over++) {
		struct span probe = rig_tx(TO_PAGED, over, 131000);
		uint32_t fits = TX_BYTES_MAX - (probe.len - 131000);
		give_back(probe);
		struct span tx = rig_tx(TO_PAGED, over, fits + over);
		assert_int_equal(tx.len, TX_BYTES_MAX + over);
		rig_submit(&g, &f, tx);
		give_back(tx);
	}
	/* the second is longer than any node takes, and is scanned all the same or counted: never both, never neither */
	assert_int_equal(g.c[CTR_TX_CROSSED], 2);
	assert_int_equal(g.c[CTR_TX_SCANNED] + g.c[CTR_TX_UNSCANNED_OVERSIZE], 2);
	rig_drain(&g);
	assert_true(g.alerts >= 1);
	assert_int_equal(g.alert[0].r.raw_len, TX_BYTES_MAX);
	assert_int_equal(g.alert[0].evidence_len, TX_BYTES_MAX);
	assert_false(g.alert[0].r.trust & TRUST_TRUNCATED);
	rig_stop(&g);
}

/* Half of geth's 5 MiB body, and one byte more. */
static void
longest_bodies(void **state)
{
	for (uint32_t over = 0; over < 2; over++) {
		struct rig g;
		struct rig_flow f;
		struct text b = {0}, t = {0};
		uint32_t n = TX_NETWORK_BYTES_MAX + over;
		uint8_t *bytes = calloc(1, n);
		rig_new(&g);
		g.segment = 60000;
		g.unchecked = true;
		rig_open(&g, &f, 1);
		text_raw(&b, (struct span){bytes, n});
		text_post(&t, "", &b);
		rig_say(&g, &f, 0, text_span(&t));
		assert_int_equal(g.c[CTR_TX_CROSSED], 1);
		assert_int_equal(g.c[CTR_TX_UNSCANNED_OVERSIZE], over);
		assert_int_equal(g.c[CTR_TX_UNSCANNED_RLP], !over);
		rig_submit(&g, &f, eip155);
		assert_int_equal(g.c[CTR_TX_SCANNED], 1);
		rig_stop(&g);
		text_free(&b);
		text_free(&t);
		free(bytes);
	}
}

/* Much that means nothing, then a transaction at the very end. */
static void
padded_body(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct text b = {0}, t = {0};
	rig_new(&g);
	g.segment = 60000;
	g.unchecked = true;
	rig_open(&g, &f, 1);
	text_add(&b, "{\"%0*u\":[%*s],%*s\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x", 2000000, 1, 1000000, "1", 2000000, "");
	text_hex(&b, eip155);
	text_add(&b, "\"]}");
	assert_true(b.n > 5000000);
	text_post(&t, "", &b);
	rig_say(&g, &f, 0, text_span(&t));
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	assert_int_equal(g.c[CTR_SLABS_STOLEN], 0);
	rig_stop(&g);
	text_free(&b);
	text_free(&t);
}

static void
pipe_full_is_told_later(void **state)
{
	struct rig g;
	struct rig_flow f;
	rig_init(&g);
	g.config.pipe_bytes = 512u << 10;
	rig_start(&g);
	rig_open(&g, &f, 1);
	unsigned n = 0;
	while (g.c[CTR_SUPPRESSED_RING_FULL] == 0) {
		struct span tx = rig_tx(TO_WATCHED, n++, 3000);
		rig_submit(&g, &f, tx);
		give_back(tx);
	}
	rig_check(&g, ID_FINDINGS, ID_FINDINGS - 1);
	rig_drain(&g);
	assert_int_equal(g.alerts, n - 1);
	assert_int_equal(g.c[CTR_TX_SCANNED], n);
	struct span again = rig_tx(TO_WATCHED, n - 1, 3000);
	rig_submit(&g, &f, again);
	give_back(again);
	assert_int_equal(g.c[CTR_TX_SCANNED], n + 1);
	rig_drain(&g);
	assert_int_equal(g.alerts, n);
	assert_int_equal(g.alert[n - 1].r.nonce, n - 1);
	rig_stop(&g);
}

static void
more_findings_than_fit(void **state)
{
	struct rig g;
	struct rig_flow f;
	struct span tx = rig_tx(TO_MANY, 1, 10);
	rig_new(&g);
	rig_open(&g, &f, 1);
	rig_submit(&g, &f, tx);
	assert_int_equal(g.c[CTR_FINDINGS], MANY_RULES);
	assert_int_equal(g.c[CTR_SUPPRESSED_OVER], MANY_RULES - DETECT_FINDINGS_MAX);
	rig_drain(&g);
	assert_int_equal(g.alerts, 1); /* what lower grades say of the same incident does not supersede it */
	assert_int_equal(g.cc[CTR_SUPPRESSED_REPEAT], DETECT_FINDINGS_MAX - 1);
	assert_int_equal(g.alert[0].r.rule_id, 139); /* the gravest was kept */
	assert_int_equal(g.alert[0].r.grade, GRADE_PAGE);
	rig_stop(&g);
	give_back(tx);
}

static void
matcher_that_fails(void **state)
{
	static const uint8_t code[] = {0x60, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0x00};
	struct rig g;
	struct rig_flow f;
	uint8_t raw[256];
	struct tx_fields fields = {.type = 0, .gas = 90000, .data = {code, sizeof code}};
	int n = tx_build(&fields, raw, sizeof raw);
	assert_true(n > 0);
	rig_new(&g);
	rig_open(&g, &f, 1);
	matcher_fails = true;
	rig_submit(&g, &f, (struct span){raw, (uint32_t)n});
	matcher_fails = false;
	assert_int_equal(g.c[CTR_TX_UNSCANNED_SCAN_ERROR], 1);
	assert_int_equal(g.c[CTR_TX_SCANNED], 0);
	rig_submit(&g, &f, (struct span){raw, (uint32_t)n}); /* is no duplicate */
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(g.alert[0].r.rule_id, 5);
	rig_stop(&g);
}

static void
seen_before_overflows(void **state)
{
	struct rig g;
	struct rig_flow f;
	rig_init(&g);
	g.config.seen_entries = 8;
	rig_start(&g);
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < 20; i++) {
		struct span tx = rig_tx(TO_NOTHING, i, 10);
		rig_submit(&g, &f, tx);
		give_back(tx);
	}
	assert_int_equal(g.c[CTR_SEEN_EVICTED], 12);
	assert_int_equal(g.c[CTR_TX_SCANNED], 20);
	rig_stop(&g);
}

static void
flow_table_full(void **state)
{
	struct rig g;
	struct rig_flow f;
	rig_init(&g);
	g.config.stream.flows_max = 64;
	rig_start(&g);
	for (unsigned i = 0; i < 200; i++)
		rig_open(&g, &f, i);
	assert_true(g.c[CTR_FLOWS] <= 64);
	assert_true(g.c[CTR_FLOWS_LRU] >= 136);
	rig_submit(&g, &f, eip155);
	assert_int_equal(g.c[CTR_TX_SCANNED], 1);
	rig_stop(&g);
}

static void *
no_memory(size_t bytes)
{
	return NULL;
}

static unsigned allocations_left;
static void *granted[16];
static unsigned n_granted;

static void *
some_memory(size_t bytes)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return granted[n_granted++] = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

static void
bad_configurations(void **state)
{
	static uint64_t counters[CTR_COUNT];
	struct rig g;
	rig_init(&g);
	struct worker_config good = g.config, c = good;
	c.conns_max = 0;
	assert_null(worker_new(&c, rig_rules(), counters, some_memory));
	assert_int_equal(errno, EINVAL);
	c = good;
	c.pipe_bytes = 3u << 20;
	assert_null(worker_new(&c, rig_rules(), counters, some_memory));
	assert_int_equal(errno, EINVAL);
	c.pipe_bytes = 256u << 10; /* the longest transaction would never pass */
	assert_null(worker_new(&c, rig_rules(), counters, some_memory));
	assert_int_equal(errno, EINVAL);
	assert_null(worker_new(&good, rig_rules(), counters, no_memory));
	assert_int_equal(errno, ENOMEM);
	for (unsigned n = 1; n < 9; n++) {
		allocations_left = n;
		assert_null(worker_new(&good, rig_rules(), counters, some_memory));
		assert_int_equal(errno, ENOMEM);
		while (n_granted > 0)
			free(granted[--n_granted]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_that_never_end),
		cmocka_unit_test(no_buffer_of_that_size),
		cmocka_unit_test(longest_transactions),
		cmocka_unit_test(longest_bodies),
		cmocka_unit_test(padded_body),
		cmocka_unit_test(pipe_full_is_told_later),
		cmocka_unit_test(more_findings_than_fit),
		cmocka_unit_test(matcher_that_fails),
		cmocka_unit_test(seen_before_overflows),
		cmocka_unit_test(flow_table_full),
		cmocka_unit_test(bad_configurations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
