/* SPDX-License-Identifier: BSD-3-Clause */
/* Silence of nodes and feeds over made-up histories, some of days, a second at a time. */
#include "control/silence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEC SILENCE_SECOND
#define HOUR 3600u

static struct silence s;
static struct stats_node_feed sum[STATS_NODES_MAX][NODE_FEED_COUNT];
static uint64_t now_ns;
static struct silence_notice got[1024];
static unsigned n_got;

static void
attach(unsigned named, const struct stats_node *nodes)
{
	struct stats_node node[STATS_NODES_MAX] = {{.name = "other"}};
	for (unsigned i = 0; i < named; i++) {
		node[i + 1] = nodes != NULL ? nodes[i] : (struct stats_node){0};
		if (node[i + 1].name[0] == '\0')
			node[i + 1].name[0] = (char)('a' + i);
	}
	memset(sum, 0, sizeof sum);
	silence_attach(&s, now_ns, node, 1 + named);
}

static void
fresh(unsigned named, const struct stats_node *nodes)
{
	memset(&s, 0, sizeof s);
	now_ns = 7777 * SEC;
	n_got = 0;
	attach(named, nodes);
}

static void
talk(unsigned node, unsigned feed)
{
	struct stats_node_feed *f = &sum[node][feed];
	f->bytes[0] += 100;
	f->bytes[1] += 50;
	f->segments[0] += 2;
	f->segments[1] += 2;
	f->crossed++;
}

static void
look(void)
{
	now_ns += SEC;
	silence_look(&s, now_ns, sum);
	while (silence_take(&s, &got[n_got < 1023 ? n_got : 1023]))
		n_got++;
}

/* Seconds in which node 1 and 2 speak as often as that, 0: not at all. */
static void
live(uint32_t seconds, unsigned every1, unsigned every2)
{
	for (uint32_t i = 0; i < seconds; i++) {
		if (every1 != 0 && i % every1 == 0)
			talk(1, NODE_FEED_HTTP);
		if (every2 != 0 && i % every2 == 0)
			talk(2, NODE_FEED_HTTP);
		look();
	}
}

static void
no_alarm_before_a_baseline(void **state)
{
	uint64_t usual;
	fresh(2, NULL);
	assert_int_equal(silence_state(&s, 1, NODE_FEED_HTTP, &usual), SILENCE_NEVER);
	live(HOUR, 0, 0); /* never heard */
	live(300, 1, 1);
	assert_int_equal(silence_state(&s, 1, NODE_FEED_HTTP, &usual), SILENCE_LEARNING);
	live(200, 0, 1);
	assert_int_equal(n_got, 0);
	live(20, 400, 400); /* spoke twenty times in all? no: too seldom */
	assert_int_equal(n_got, 0);
}

static void
one_node_stops(void **state)
{
	uint64_t usual;
	fresh(2, NULL);
	live(900, 1, 2);
	assert_int_equal(silence_state(&s, 2, SILENCE_NODE, &usual), SILENCE_OK);
	assert_int_equal(usual, 12 * SEC); /* gaps of 2 s, in the first day */
	uint64_t last = s.k.watch[1][SILENCE_NODE].last_ns;
	live(9, 0, 2);
	assert_int_equal(n_got, 0);
	live(100, 0, 2);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].kind, SILENCE_OF);
	assert_int_equal(got[0].node, 1);
	assert_int_equal(got[0].feed, SILENCE_NODE);
	assert_false(got[0].ended);
	assert_string_equal(got[0].name, "a");
	assert_int_equal(got[0].since_ns, last);
	assert_int_equal(got[0].usual_ns, 10 * SEC);
	live(1, 1, 1);
	assert_int_equal(n_got, 1); /* once is no life */
	live(1, 1, 1);
	assert_int_equal(n_got, 2);
	assert_true(got[1].ended);
	assert_int_equal(got[1].node, 1);
	assert_int_equal(got[1].since_ns, last);
	assert_int_equal(got[1].lasted_ns, now_ns - last);
	live(HOUR, 1, 2);
	assert_int_equal(n_got, 2);
}

static void
one_feed_stops(void **state)
{
	fresh(1, NULL);
	for (unsigned i = 0; i < 2000; i++) {
		talk(1, NODE_FEED_HTTP);
		if (i < 1500)
			talk(1, NODE_FEED_RLPX);
		talk(1, NODE_FEED_UNREAD);
		look();
	}
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].feed, NODE_FEED_RLPX);
	/* then the node: the feed's alarm stays as it is, and of HTTP nothing is said */
	for (unsigned i = 0; i < 200; i++)
		look();
	assert_int_equal(n_got, 2);
	assert_int_equal(got[1].feed, SILENCE_NODE);
}

static void
only_feeds_that_are_named(void **state)
{
	const struct stats_node node = {.feeds = 1u << NODE_FEED_HTTP};
	fresh(1, &node);
	for (unsigned i = 0; i < 3000; i++) {
		if (i < 2000)
			talk(1, NODE_FEED_HTTP);
		if (i < 1000)
			talk(1, NODE_FEED_WEBSOCKET);
		talk(1, NODE_FEED_UNREAD);
		look();
	}
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].feed, NODE_FEED_HTTP);
}

static void
all_stop(void **state)
{
	fresh(2, NULL);
	live(1000, 1, 1);
	live(100, 0, 0);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].node, SILENCE_ALL);
	/* one comes back: the other's silence is its own now */
	live(60, 1, 0);
	assert_int_equal(n_got, 3);
	assert_int_equal(got[1].node, SILENCE_ALL);
	assert_true(got[1].ended);
	assert_int_equal(got[2].node, 2);
	assert_false(got[2].ended);
	assert_true(got[2].since_ns < got[1].since_ns + 2 * SEC);
}

/* No named node: only that nothing comes any more. One alone: it, not everybody. */
static void
few_to_hear(void **state)
{
	fresh(0, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		talk(0, NODE_FEED_HTTP);
		look();
	}
	for (unsigned i = 0; i < 100; i++)
		look();
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].node, SILENCE_ALL);
	fresh(1, NULL);
	live(1000, 1, 0);
	live(100, 0, 0);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].node, 1);
}

static void
as_the_profile_says(void **state)
{
	const struct stats_node node[2] = {{.silence_s = 3, .feeds = 1u << NODE_FEED_HTTP}, {.silence_s = 100}};
	fresh(2, node);
	live(2, 0, 1);
	assert_int_equal(n_got, 0);
	live(20, 0, 1); /* never heard, and asked for */
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].node, 1);
	assert_int_equal(got[0].usual_ns, 3 * SEC);
	live(2, 1, 1);
	assert_int_equal(n_got, 2);
	live(60, 2, 50);
	assert_int_equal(n_got, 2);
	live(85, 1, 0);
	assert_int_equal(n_got, 2);
	live(60, 1, 0);
	assert_int_equal(n_got, 3);
	assert_int_equal(got[2].node, 2);
}

/* Busy by day, by night a word every two minutes: told in the first night, perhaps, and never again; a true silence at noon of the third day is told soon. */
static void
nights(void **state)
{
	uint64_t usual;
	fresh(1, NULL);
	srand(1);
	for (unsigned day = 0; day < 4; day++) {
		for (uint32_t t = 0; t < 24 * HOUR; t++) {
			unsigned hour = t / HOUR, every = hour < 6 ? 120 : hour < 9 || hour > 20 ? 20 : 1;
			if ((unsigned)rand() % every == 0 || t % every == 0)
				talk(1, NODE_FEED_HTTP);
			look();
		}
		if (day == 0)
			assert_true(n_got <= 8);
		if (day == 1)
			n_got = 0;
	}
	assert_int_equal(n_got, 0);
	assert_int_equal(silence_state(&s, 1, NODE_FEED_HTTP, &usual), SILENCE_OK);
	assert_in_range(usual, 300 * SEC, 400 * SEC);
	live(usual / SEC + 2, 0, 0);
	assert_int_equal(n_got, 1);
}

/* Whole blocks of words and nothing between them, of any lengths. */
static void
bursts(void **state)
{
	fresh(1, NULL);
	srand(2);
	for (unsigned i = 0; i < 4000; i++)
		live(1 + (unsigned)rand() % 4, 1, 0), live((unsigned)rand() % 9, 0, 0);
	assert_int_equal(n_got, 0);
}

/* A feed that has become rarer. */
static void
rarer(void **state)
{
	fresh(1, NULL);
	live(30 * HOUR, 1, 0);
	assert_int_equal(n_got, 0);
	for (unsigned i = 0; i < 200; i++) {
		live(1, 1, 0);
		live(299, 0, 0);
	}
	assert_true(n_got >= 1 && n_got < 40);
	unsigned before = n_got;
	for (unsigned i = 0; i < 200; i++) {
		live(1, 1, 0);
		live(299, 0, 0);
	}
	assert_true(n_got - before <= 1);
}

/* Two outages make no deaf ears. */
static void
outages_are_not_usual(void **state)
{
	uint64_t usual;
	fresh(1, NULL);
	live(30 * HOUR, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		live(HOUR, 0, 0);
		live(HOUR, 1, 0);
	}
	assert_int_equal(n_got, 4);
	assert_int_equal(silence_state(&s, 1, SILENCE_NODE, &usual), SILENCE_OK);
	assert_int_equal(usual, SILENCE_FLOOR_NS);
}

static void
dataplane_restarts(void **state)
{
	uint64_t bytes, txs, usual;
	fresh(2, NULL);
	live(1000, 1, 1);
	assert_true(silence_rates(&s, 1, NODE_FEED_HTTP, &bytes, &txs));
	assert_int_equal(bytes, 150000);
	assert_int_equal(txs, 1000);
	silence_gone(&s);
	live(500, 0, 0);
	now_ns += 500 * SEC;
	attach(2, NULL);
	assert_false(silence_rates(&s, 1, NODE_FEED_HTTP, &bytes, &txs));
	live(3, 1, 1);
	assert_true(silence_rates(&s, 1, NODE_FEED_HTTP, &bytes, &txs));
	assert_int_equal(txs, 1000);
	assert_int_equal(n_got, 0);
	assert_int_equal(silence_state(&s, 1, SILENCE_NODE, &usual), SILENCE_OK); /* known from before */
	assert_in_range(usual, SILENCE_FLOOR_NS, 12 * SEC);
	live(30, 0, 1);
	assert_int_equal(n_got, 1);
	/* the other way round in another profile: names count */
	const struct stats_node turned[2] = {{.name = "b"}, {.name = "a"}};
	attach(2, turned);
	assert_int_equal(silence_state(&s, 2, SILENCE_NODE, &usual), SILENCE_SILENT);
	live(2, 1, 1);
	assert_int_equal(n_got, 1);
	live(1, 1, 1);
	assert_int_equal(n_got, 2);
	assert_string_equal(got[1].name, "a");
}

/* Control was stopped, or the machine slept. */
static void
nobody_looks(void **state)
{
	fresh(2, NULL);
	live(1000, 1, 1);
	now_ns += 10000 * SEC;
	live(5, 0, 0);
	assert_int_equal(n_got, 0);
	live(100, 1, 1);
	assert_int_equal(n_got, 0);
	live(60, 0, 1);
	assert_int_equal(n_got, 1);
}

static void
one_direction(void **state)
{
	fresh(2, NULL);
	live(50, 1, 1);
	for (unsigned i = 0; i < 30; i++) {
		sum[1][NODE_FEED_HTTP].segments[1] += 5; /* only what the node is sent */
		sum[1][NODE_FEED_HTTP].bytes[1] += 500;
		sum[1][NODE_FEED_UNREAD].segments[0] += 5;
		talk(2, NODE_FEED_HTTP);
		sum[2][NODE_FEED_UNREAD].segments[1] += 50; /* somebody knocks */
		look();
	}
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].kind, SILENCE_ONE_WAY);
	assert_int_equal(got[0].node, 1);
	assert_int_equal(got[0].missing, 0);
	live(1, 1, 1);
	assert_int_equal(n_got, 1);
	live(1, 1, 1);
	assert_int_equal(n_got, 2);
	assert_true(got[1].ended);
	assert_in_range(got[1].lasted_ns, 30 * SEC, 33 * SEC);
	for (unsigned i = 0; i < 100; i++) {
		sum[2][NODE_FEED_RLPX].segments[0] += 1;
		look();
	}
	assert_int_equal(n_got, 3);
	assert_int_equal(got[2].node, 2);
	assert_int_equal(got[2].missing, 1);
}

/* A node that comes and goes all the time does not flood anybody. */
static void
rate_is_bounded(void **state)
{
	const struct stats_node node[16] = {{.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1},
		{.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1}, {.silence_s = 1},
		{.silence_s = 1}, {.silence_s = 1}};
	fresh(16, node);
	for (unsigned i = 0; i < 600; i++) {
		for (unsigned n = 1; n <= 16; n++)
			if (i / 4 % 2 == n % 2)
				for (unsigned f = NODE_FEED_HTTP; f < NODE_FEED_COUNT; f++)
					talk(n, f);
		look();
	}
	assert_true(n_got <= 11 * SILENCE_NOTICES_MINUTE);
	assert_true(s.left_out == 0 || n_got > 0);
}

static void
odd_pages(void **state)
{
	struct stats_node node[STATS_NODES_MAX];
	memset(node, 0xff, sizeof node);
	fresh(0, NULL);
	silence_attach(&s, now_ns, node, STATS_NODES_MAX);
	memset(sum, 0xff, sizeof sum);
	for (unsigned i = 0; i < 20; i++)
		look();
	for (unsigned n = 0; n < s.n; n++)
		assert_true(strlen(s.k.name[n]) < STATS_NODE_NAME_BYTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_alarm_before_a_baseline),
		cmocka_unit_test(one_node_stops),
		cmocka_unit_test(one_feed_stops),
		cmocka_unit_test(only_feeds_that_are_named),
		cmocka_unit_test(all_stop),
		cmocka_unit_test(few_to_hear),
		cmocka_unit_test(as_the_profile_says),
		cmocka_unit_test(nights),
		cmocka_unit_test(bursts),
		cmocka_unit_test(rarer),
		cmocka_unit_test(outages_are_not_usual),
		cmocka_unit_test(dataplane_restarts),
		cmocka_unit_test(nobody_looks),
		cmocka_unit_test(one_direction),
		cmocka_unit_test(rate_is_bounded),
		cmocka_unit_test(odd_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
