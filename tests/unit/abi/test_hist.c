/* SPDX-License-Identifier: BSD-3-Clause */
/* The histogram against a plain sorted list, at its edges, under several writers, and read from a page that lies. */
#include "abi/hist.h"
#include "abi/latency.h"
#include "abi/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TOP (1ull << HIST_TOP_BITS)

static void
test_buckets(void **state)
{
	(void)state;
	/* each begins where the one before ends, and none is wider than a sixteenth of what is in it */
	uint64_t from = 0;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		uint64_t top = hist_top_ns(i);
		assert_true(top >= from);
		assert_int_equal(hist_bucket(from), i);
		assert_int_equal(hist_bucket(top), i);
		assert_true((top - from) * 16 <= from);
		from = top + 1;
	}
	assert_true(from == TOP);
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void
test_quantiles(void **state)
{
	(void)state;
	enum { N = 20011 };
	static uint64_t v[N];
	static struct hist h;
	uint64_t seed = 12345, sum = 0;
	memset(&h, 0, sizeof h);
	for (unsigned i = 0; i < N; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		v[i] = (seed >> 20) % (1ull << (1 + seed % 40));
		sum += v[i];
		hist_add(&h, 1000, 1000 + v[i]);
	}
	qsort(v, N, sizeof v[0], by_size);
	assert_int_equal(hist_count(&h), N);
	assert_int_equal(h.odd, 0);
	assert_int_equal(h.max_ns, v[N - 1]);
	for (unsigned q = 1; q <= 1000; q++) {
		uint64_t rank = ((uint64_t)N * q + 999) / 1000, truth = v[rank - 1], said = hist_quantile(&h, q);
		assert_true(said >= truth && said - truth <= truth / 16);
	}
	assert_int_equal(hist_quantile(&h, 1000), v[N - 1]);
	assert_true(hist_sum_ns(&h) >= sum && hist_sum_ns(&h) - sum <= sum / 16);
	for (uint64_t edge = 1; edge < TOP; edge *= 10) {
		uint64_t truth = 0, said = hist_below(&h, edge);
		while (truth < N && v[truth] <= edge)
			truth++;
		assert_true(said <= truth);
	}
	assert_int_equal(hist_below(&h, UINT64_MAX), N);
}

static void
test_odd_times(void **state)
{
	(void)state;
	static struct hist h;
	memset(&h, 0, sizeof h);
	hist_add(&h, 0, 5); /* nobody knows when it began */
	assert_int_equal(hist_count(&h) + h.odd, 0);
	assert_int_equal(hist_quantile(&h, 500), 0);
	hist_add(&h, 6, 5);		   /* over before it began */
	hist_add(&h, UINT64_MAX, 1);	   /* and does not wrap */
	hist_add(&h, 1, 1 + TOP);	   /* longer than can be */
	hist_add(&h, 1, UINT64_MAX);
	assert_int_equal(h.odd, 4);
	assert_int_equal(hist_count(&h), 0);
	assert_int_equal(h.max_ns, 0);
	hist_add(&h, 7, 7);
	hist_add(&h, 1, TOP);
	assert_int_equal(hist_count(&h), 2);
	assert_int_equal(h.bucket[0], 1);
	assert_int_equal(h.bucket[HIST_BUCKETS - 1], 1);
	assert_true(h.max_ns == TOP - 1);
	hist_add_shared(&h, 0, 5);
	hist_add_shared(&h, 6, 5);
	hist_add_shared(&h, 1, 1 + TOP);
	assert_int_equal(h.odd, 6);
	assert_int_equal(hist_count(&h), 2);
}

static void
test_merge_and_since(void **state)
{
	(void)state;
	static struct hist a, b, sum, before;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	memset(&sum, 0, sizeof sum);
	hist_add(&a, 1, 1001);
	hist_add(&b, 1, 500001);
	hist_add(&b, 2, 1);
	hist_merge(&sum, &a);
	hist_merge(&sum, &b);
	assert_int_equal(hist_count(&sum), 2);
	assert_int_equal(sum.max_ns, 500000);
	assert_int_equal(sum.odd, 1);
	before = sum;
	hist_add(&sum, 1, 2001);
	hist_add(&sum, 1, 2001);
	hist_since(&sum, &before);
	assert_int_equal(hist_count(&sum), 2);
	assert_int_equal(sum.odd, 0);
	assert_int_equal(sum.max_ns, hist_top_ns(hist_bucket(2000))); /* not the half millisecond of before */
	/* what has started anew has less than before: nothing is negative */
	hist_since(&sum, &before);
	assert_true(hist_count(&sum) <= 2);
	memset(&sum, 0, sizeof sum);
	hist_since(&sum, &before);
	assert_int_equal(hist_count(&sum) + sum.odd + sum.max_ns, 0);
}

static void
test_lies(void **state)
{
	(void)state;
	static struct hist lie, sum;
	memset(&lie, 0xff, sizeof lie);
	memset(&sum, 0, sizeof sum);
	hist_merge(&sum, &lie);
	hist_merge(&sum, &lie);
	assert_true(hist_count(&sum) == UINT64_MAX);
	assert_true(hist_sum_ns(&sum) == UINT64_MAX);
	for (unsigned q = 1; q <= 1000; q += 111)
		assert_true(hist_quantile(&sum, q) < TOP);
	assert_true(hist_below(&sum, TOP) == UINT64_MAX);
}

enum { THREADS = 4, EACH = 20000 };

static void *
fill(void *arg)
{
	for (unsigned i = 0; i < EACH; i++)
		hist_add_shared(arg, 1, 1 + i % 1000);
	return NULL;
}

static void
test_shared(void **state)
{
	(void)state;
	static struct hist h;
	pthread_t t[THREADS];
	memset(&h, 0, sizeof h);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, fill, &h), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(hist_count(&h), THREADS * EACH);
	assert_int_equal(h.max_ns, 999);
}

static void
test_names(void **state)
{
	(void)state;
	/* every carrier has a feed whose name says so */
	for (unsigned c = 1; c <= CARRIER_MAX; c++) {
		const char *carrier = alert_carrier_name(c), *feed = latency_feed_name(latency_feed_of(c));
		const char *begins = strncmp(carrier, "ws-", 3) == 0 ? "websocket" : strcmp(carrier, "offline") == 0 ? "other" : feed;
		assert_string_equal(feed, begins);
		if (strncmp(carrier, "ws-", 3) != 0 && strcmp(carrier, "offline") != 0)
			assert_int_equal(strncmp(carrier, feed, strlen(feed)), 0);
	}
	assert_int_equal(latency_feed_of(0), LATENCY_OTHER);
	assert_int_equal(latency_feed_of(CARRIER_MAX + 1), LATENCY_OTHER);
	assert_int_equal(latency_feed_of(UINT32_MAX), LATENCY_OTHER);
	assert_string_equal(latency_feed_name(LATENCY_FEED_COUNT), "unknown");
	assert_string_equal(latency_stage_name(LATENCY_STAGE_COUNT), "unknown");
	assert_string_equal(latency_stage_help(LATENCY_STAGE_COUNT), "unknown");
}

static void
test_page(void **state)
{
	(void)state;
	struct stats_page *s = calloc(1, (sizeof *s + 63) / 64 * 64);
	static struct hist sum;
	assert_non_null(s);
	s->lcores = 4;
	s->lcore[1].role = STATS_ROLE_CORRELATOR;
	s->lcore[2].role = s->lcore[3].role = STATS_ROLE_WORKER;
	for (unsigned i = 0; i < 4; i++)
		hist_add(&s->latency[i].feed[LATENCY_HTTP], 1, 2 + i);
	hist_add(&s->latency[3].feed[LATENCY_RLPX], 1, 100);
	memset(&sum, 0, sizeof sum);
	stats_latency(s, LATENCY_STAGE_SCANNED, LATENCY_HTTP, &sum);
	assert_int_equal(hist_count(&sum), 2);
	assert_int_equal(sum.max_ns, 4);
	memset(&sum, 0, sizeof sum);
	stats_latency(s, LATENCY_STAGE_RING, LATENCY_HTTP, &sum);
	assert_int_equal(hist_count(&sum), 1);
	assert_int_equal(sum.max_ns, 2);
	s->lcores = UINT32_MAX; /* a page that lies */
	memset(&sum, 0, sizeof sum);
	stats_latency(s, LATENCY_STAGE_SCANNED, LATENCY_RLPX, &sum);
	assert_int_equal(hist_count(&sum), 1);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_odd_times),
		cmocka_unit_test(test_merge_and_since),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
