/* SPDX-License-Identifier: BSD-3-Clause */
/* What control measures: commits, consumers that read slowly, ack late, never, or lie; and what sentinelctl makes of it. */
#include "control/control.h"
#include "control/latency.h"
#include "control/status_latency.h"
#include "fixture.h"
#include "sentinelctl/latency_rows.h"

#include <errno.h>

static uint64_t now_ns, reads;

static uint64_t
clock_ns(void)
{
	reads++;
	return now_ns;
}

static struct latency *
latency_new(void)
{
	struct latency *l = calloc(1, sizeof *l);
	assert_non_null(l);
	return l;
}

static struct alert_record
caused(uint64_t cause_ns, unsigned carrier)
{
	struct alert_record r = record_of(1, GRADE_WATCH);
	r.t_cause_ns = cause_ns;
	r.carrier = (uint8_t)carrier;
	return r;
}

static uint64_t
count(const struct latency *l, unsigned stage, unsigned feed)
{
	return hist_count(&l->stage[stage][feed]);
}

static void
test_commits(void **state)
{
	(void)state;
	struct latency *l = latency_new();
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	for (unsigned i = 0; i < 4; i++)
		add_record(&b, EPOCH_A, 0, i + 1, GRADE_PAUSE, 0);
	b.e[0].record.t_cause_ns = 1000;
	b.e[1].record.t_cause_ns = 2000;
	b.e[1].record.carrier = CARRIER_RLPX_TRANSACTIONS;
	b.e[2].record.t_cause_ns = 0; /* nothing on the wire made it be told */
	b.e[3].record.t_cause_ns = 1000;
	b.e[3].vet.node = VET_YES; /* control's own word */
	add_loss(&b, EPOCH_A, 0, 5, 9, LOSS_NAME_RING_FULL);
	latency_begin(l, &b);
	assert_int_equal(count(l, LATENCY_JOURNALED, LATENCY_HTTP), 0);
	latency_begin(l, &b); /* the first commit has failed */
	latency_committed(l, 12000);
	latency_committed(l, 99000); /* there was nothing else to commit */
	assert_int_equal(count(l, LATENCY_JOURNALED, LATENCY_HTTP), 1);
	assert_int_equal(l->stage[LATENCY_JOURNALED][LATENCY_HTTP].max_ns, 11000);
	assert_int_equal(count(l, LATENCY_JOURNALED, LATENCY_RLPX), 1);
	assert_int_equal(l->stage[LATENCY_JOURNALED][LATENCY_RLPX].max_ns, 10000);
	batch_free(&b);
	free(l);
}

static void
test_written_and_acked(void **state)
{
	(void)state;
	struct latency *l = latency_new();
	struct latency_follow *f = calloc(1, sizeof *f);
	struct alert_record r = caused(100, CARRIER_WS_JSONRPC), none = caused(0, CARRIER_WS_JSONRPC);
	latency_put(l, f, 10, &r, 500);
	latency_put(l, f, 11, &none, 600);
	latency_put(l, f, 12, &r, 700);
	reads = 0;
	now_ns = 1100;
	latency_written(l, f, 499, clock_ns);
	assert_int_equal(reads, 0);
	latency_acked(l, f, 12, clock_ns); /* of what it cannot have */
	assert_int_equal(reads, 0);
	latency_written(l, f, 699, clock_ns);
	assert_int_equal(count(l, LATENCY_DELIVERED, LATENCY_WEBSOCKET), 1);
	latency_written(l, f, 700, clock_ns);
	assert_int_equal(count(l, LATENCY_DELIVERED, LATENCY_WEBSOCKET), 2);
	assert_int_equal(l->stage[LATENCY_DELIVERED][LATENCY_WEBSOCKET].max_ns, 1000);
	now_ns = 5100;
	latency_acked(l, f, 9, clock_ns);
	assert_int_equal(count(l, LATENCY_ACKED, LATENCY_WEBSOCKET), 0);
	latency_acked(l, f, 11, clock_ns);
	assert_int_equal(count(l, LATENCY_ACKED, LATENCY_WEBSOCKET), 1);
	latency_acked(l, f, UINT64_MAX, clock_ns);
	latency_acked(l, f, UINT64_MAX, clock_ns);
	assert_int_equal(count(l, LATENCY_ACKED, LATENCY_WEBSOCKET), 2);
	assert_int_equal(l->stage[LATENCY_ACKED][LATENCY_WEBSOCKET].max_ns, 5000);
	/* the buffer is empty and begins anew */
	latency_put(l, f, 13, &r, 80);
	now_ns = 50; /* a clock that was set back */
	latency_written(l, f, 80, clock_ns);
	assert_int_equal(count(l, LATENCY_DELIVERED, LATENCY_WEBSOCKET), 2);
	assert_int_equal(l->stage[LATENCY_DELIVERED][LATENCY_WEBSOCKET].odd, 1);
	free(f);
	free(l);
}

/* A consumer that never acks, or reads nothing, costs nothing but its own figures. */
static void
test_never_acked(void **state)
{
	(void)state;
	struct latency *l = latency_new();
	struct latency_follow *f = calloc(1, sizeof *f);
	struct alert_record r = caused(1, CARRIER_HTTP_JSONRPC);
	now_ns = 1000;
	for (uint64_t i = 1; i <= 3 * LATENCY_FOLLOWED; i++) {
		latency_put(l, f, i, &r, 10);
		latency_written(l, f, 10, clock_ns);
	}
	assert_int_equal(count(l, LATENCY_DELIVERED, LATENCY_HTTP), 3 * LATENCY_FOLLOWED);
	assert_int_equal(l->unfollowed, 2 * LATENCY_FOLLOWED);
	latency_acked(l, f, UINT64_MAX, clock_ns);
	assert_int_equal(count(l, LATENCY_ACKED, LATENCY_HTTP), LATENCY_FOLLOWED);
	for (uint64_t i = 1; i <= 2 * LATENCY_FOLLOWED; i++)
		latency_put(l, f, 10000 + i, &r, 10 * i);
	latency_written(l, f, UINT64_MAX, clock_ns);
	assert_int_equal(count(l, LATENCY_DELIVERED, LATENCY_HTTP), 4 * LATENCY_FOLLOWED);
	assert_true(f->put >= f->written && f->written >= f->acked && f->put - f->acked <= LATENCY_FOLLOWED);
	free(f);
	free(l);
}

/* ---- the answer, and what sentinelctl reads of it ---- */

static struct latency_rows rows, before;

static void
read_answer(struct control *c)
{
	json_t *o = status_latency_object(c);
	assert_non_null(o);
	assert_int_equal(latency_rows_read(o, &rows), 0);
	json_decref(o);
}

static void
test_answer(void **state)
{
	(void)state;
	struct control *c = calloc(1, sizeof *c);
	struct stats_page *page = aligned_alloc(64, (sizeof *page + 63) / 64 * 64);
	memset(page, 0, sizeof *page);
	drain_init(&c->drain);
	json_t *o = status_latency(c, false);
	assert_int_equal(json_array_size(o), 0);
	json_decref(o);
	page->lcores = 2;
	page->lcore[0].role = STATS_ROLE_WORKER;
	page->lcore[1].role = STATS_ROLE_CORRELATOR;
	for (unsigned i = 1; i <= 1000; i++) {
		hist_add(&page->latency[0].feed[LATENCY_HTTP], 1, 1 + i * 1000);
		hist_add_shared(&c->latency.stage[LATENCY_DELIVERED][LATENCY_HTTP], 1, 1 + i * 5000);
	}
	hist_add(&page->latency[1].feed[LATENCY_HTTP], 2, 1);
	c->drain.d.stats = page;
	c->drain.attached = true;
	o = status_latency(c, false);
	assert_int_equal(json_array_size(o), 3);
	json_t *scanned = json_array_get(o, 0), *ring = json_array_get(o, 1);
	assert_string_equal(json_string_value(json_object_get(scanned, "feed")), "http");
	assert_string_equal(json_string_value(json_object_get(scanned, "stage")), "scanned");
	assert_string_equal(json_string_value(json_object_get(scanned, "count")), "1000");
	assert_string_equal(json_string_value(json_object_get(scanned, "max_ns")), "1000000");
	assert_null(json_object_get(scanned, "buckets"));
	assert_string_equal(json_string_value(json_object_get(ring, "count")), "0");
	assert_string_equal(json_string_value(json_object_get(ring, "odd")), "1");
	uint64_t p50 = strtoull(json_string_value(json_object_get(scanned, "p50_ns")), NULL, 10);
	assert_true(p50 >= 500000 && p50 <= 500000 + 500000 / 16);
	json_decref(o);
	read_answer(c);
	assert_memory_equal(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_SCANNED], &page->latency[0].feed[LATENCY_HTTP], sizeof(struct hist));
	assert_int_equal(hist_count(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_DELIVERED]), 1000);
	assert_int_equal(rows.hist[LATENCY_HTTP][LATENCY_STAGE_RING].odd, 1);
	/* the time since; and of a dataplane that has started anew */
	before = rows;
	hist_add(&page->latency[0].feed[LATENCY_HTTP], 1, 301);
	read_answer(c);
	latency_rows_since(&rows, &before);
	assert_int_equal(hist_count(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_SCANNED]), 1);
	assert_int_equal(hist_count(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_DELIVERED]), 0);
	c->drain.d.epoch[0] = 1;
	read_answer(c);
	latency_rows_since(&rows, &before);
	assert_int_equal(hist_count(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_SCANNED]), 1001);
	assert_int_equal(hist_count(&rows.hist[LATENCY_HTTP][LATENCY_STAGE_DELIVERED]), 0);
	pthread_mutex_destroy(&c->drain.lock);
	free(page);
	free(c);
}

static char *
text_of(void (*show)(FILE *), char *out, size_t cap)
{
	FILE *f = fmemopen(out, cap, "w");
	show(f);
	fclose(f);
	return out;
}

static void
show_table(FILE *f)
{
	latency_rows_table(&rows, 0, f);
}

static void
show_prometheus(FILE *f)
{
	latency_rows_prometheus(&rows, f);
}

static void
test_shown(void **state)
{
	(void)state;
	static char text[32768];
	memset(&rows, 0, sizeof rows);
	assert_non_null(strstr(text_of(show_table, text, sizeof text), "nothing yet"));
	struct hist *h = &rows.hist[LATENCY_RLPX][LATENCY_STAGE_DELIVERED];
	hist_add(h, 1, 1 + 15); /* few, so that every number is known */
	hist_add(h, 1, 1 + 40000);
	hist_add(h, 1, 1 + 1200000);
	hist_add(h, 2, 1);
	text_of(show_table, text, sizeof text);
	assert_non_null(strstr(text, "rlpx       delivered             3"));
	assert_non_null(strstr(text, "1.20 ms"));
	assert_non_null(strstr(text, "and 1 with times that cannot be"));
	text_of(show_prometheus, text, sizeof text);
	assert_non_null(strstr(text, "sentinel_latency_seconds_bucket{feed=\"rlpx\",stage=\"delivered\",le=\"0.00001\"} 1\n"));
	assert_non_null(strstr(text, "sentinel_latency_seconds_bucket{feed=\"rlpx\",stage=\"delivered\",le=\"0.00005\"} 2\n"));
	assert_non_null(strstr(text, "sentinel_latency_seconds_bucket{feed=\"rlpx\",stage=\"delivered\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "sentinel_latency_seconds_count{feed=\"rlpx\",stage=\"delivered\"} 3\n"));
	assert_non_null(strstr(text, "sentinel_latency_odd_total{feed=\"rlpx\",stage=\"delivered\"} 1\n"));
	json_t *o = latency_rows_json(&rows, 1000);
	json_t *row = json_array_get(json_object_get(o, "latency"), 0);
	assert_string_equal(json_string_value(json_object_get(o, "interval_ns")), "1000");
	assert_string_equal(json_string_value(json_object_get(row, "max_ns")), "1200000");
	json_decref(o);
}

/* Whoever answers may say anything. */
static void
test_bad_answers(void **state)
{
	(void)state;
	static const char *const bad[] = {"{}", "[]", "{\"latency\":{}}", "{\"latency\":\"x\"}", "7"};
	static const char *const odd[] = {"{\"latency\":[1,[],{},{\"feed\":\"http\"},{\"feed\":\"http\",\"stage\":\"nowhere\"}]}",
		"{\"latency\":[{\"feed\":\"http\",\"stage\":\"ring\",\"buckets\":[[-1,\"1\"],[624,\"1\"],[1000000000000,\"1\"],[\"0\",\"1\"],[],5]}]}",
		"{\"latency\":[{\"feed\":\"http\",\"stage\":\"ring\",\"buckets\":{\"a\":1}}],\"epoch\":7}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		json_t *o = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_int_equal(latency_rows_read(o, &rows), -EINVAL);
		json_decref(o);
	}
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		json_t *o = json_loads(odd[i], 0, NULL);
		assert_int_equal(latency_rows_read(o, &rows), 0);
		for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++)
			for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++)
				assert_int_equal(hist_count(&rows.hist[f][s]), 0);
		json_decref(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commits),
		cmocka_unit_test(test_written_and_acked),
		cmocka_unit_test(test_never_acked),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_bad_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
