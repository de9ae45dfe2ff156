/* SPDX-License-Identifier: BSD-3-Clause */
/* From a dataplane's page to events in the journal: silence of a node, steps of the clock. */
#include "fixture.h"

#include "abi/ring.h"
#include "abi/stats.h"
#include "control/audit.h"
#include "control/control.h"
#include "control/nodes.h"
#include "control/notice.h"
#include "control/position.h"

#include <jansson.h>

#define BIG (64ull << 20)
#define WALL (1700000000 * SECOND)

struct box {
	struct ring_producer p;
	struct stats_page *stats;
	int stats_fd;
	char *dir;
	struct journal *j;
	struct drain n;
	struct batch b;
	struct nodes_watch w;
	uint64_t mono_ns, wall_ns;
};

static void
attach(struct box *x, const uint8_t epoch[8])
{
	struct dataplane d = {.pid = 1, .n_rings = 1};
	assert_int_equal(ring_create(&x->p, epoch, 1, LANE_NORMAL, 8, 0), 0);
	x->stats = stats_create(&x->stats_fd);
	assert_non_null(x->stats);
	x->stats->lcores = 3;
	strcpy(x->stats->node[0].name, "other");
	strcpy(x->stats->node[1].name, "geth-1");
	strcpy(x->stats->node[2].name, "geth-2");
	x->stats->node[1].silence_s = x->stats->node[2].silence_s = 5;
	x->stats->nodes = 3;
	memcpy(d.epoch, epoch, 8);
	assert_int_equal(ring_attach(&d.ring[0], x->p.ring_fd, x->p.evidence_fd, x->p.cursor_fd), 0);
	d.stats = stats_attach(x->stats_fd);
	assert_non_null(d.stats);
	drain_attach(&x->n, &d, x->j);
}

static void
start(struct box *x)
{
	*x = (struct box){.dir = folder_new(), .mono_ns = 50 * SECOND, .wall_ns = WALL};
	x->j = journal_of(x->dir, BIG, BIG);
	drain_init(&x->n);
	nodes_init(&x->w);
	assert_int_equal(batch_new(&x->b), 0);
	attach(x, EPOCH_A);
}

static void
leave(struct box *x)
{
	ring_destroy(&x->p);
	stats_detach(x->stats);
	close(x->stats_fd);
}

static void
stop(struct box *x)
{
	drain_detach(&x->n);
	drain_end(&x->n);
	nodes_end(&x->w);
	batch_free(&x->b);
	journal_close(x->j);
	leave(x);
	folder_free(x->dir);
}

/* Seconds in which worker lcore 2 hears geth-1, and 1 geth-2, or not. */
static unsigned
live(struct box *x, unsigned seconds, bool one, bool two)
{
	unsigned told = 0;
	for (unsigned i = 0; i < seconds; i++) {
		x->stats->nodes_lcore[2].of[1][NODE_FEED_HTTP].bytes[0] += one;
		x->stats->nodes_lcore[1].of[2][NODE_FEED_RLPX].bytes[1] += two;
		x->mono_ns += SECOND;
		x->wall_ns += SECOND;
		told += nodes_turn(&x->w, &x->n, &x->b, x->j, x->mono_ns, x->wall_ns);
	}
	return told;
}

static json_t *
event_at(struct box *x, uint64_t after)
{
	struct journal_reader *r = journal_reader_new(x->j);
	struct journal_event e;
	char out[4096];
	json_error_t err;
	assert_int_equal(journal_read(r, &after, GRADE_PAUSE, &e), 1);
	int n = journal_event_format(out, sizeof out, &e, "urn:test", journal_id(x->j), true);
	assert_true(n > 0);
	journal_reader_free(r);
	json_t *o = json_loadb(out, (size_t)n, 0, &err);
	assert_non_null(o);
	return o;
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s != NULL ? s : "null";
}

static void
silence_is_journaled(void **state)
{
	struct box x;
	struct journal_progress durable;
	start(&x);
	assert_int_equal(live(&x, 3, true, true), 0);
	uint64_t last = x.wall_ns;
	assert_int_equal(live(&x, 4, false, true), 0);
	assert_int_equal(live(&x, 20, false, true), 1);
	assert_int_equal(batch_lost(&x.b), 0);
	add_record(&x.b, EPOCH_A, 1, 1, GRADE_WATCH, 0);
	assert_int_equal(journal_commit(x.j, &x.b, x.wall_ns), 0);
	journal_epoch(x.j, EPOCH_A, &durable);
	assert_int_equal(durable.journaled, 1);
	assert_int_equal(durable.lost, 0);
	json_t *e = event_at(&x, 0), *d = json_object_get(e, "data");
	assert_string_equal(text(e, "type"), "sentinel.silence.v1");
	assert_string_equal(text(d, "node"), "geth-1");
	assert_string_equal(text(d, "feed"), "null");
	assert_string_equal(text(d, "state"), "began");
	assert_string_equal(text(d, "missing"), "both");
	assert_string_equal(text(d, "usual_ms"), "5000");
	assert_int_equal(strtoull(text(d, "since_ns"), NULL, 10), last);
	/* its id leads back to it */
	struct position at;
	uint64_t cursor = 0;
	struct journal_reader *r = journal_reader_new(x.j);
	assert_int_equal(position_parse(text(e, "id"), &at), 0);
	assert_int_equal(journal_find(r, &at, &cursor), 0);
	assert_int_equal(cursor, 1);
	journal_reader_free(r);
	json_decref(e);
	assert_int_equal(live(&x, 5, true, true), 1);
	assert_int_equal(journal_commit(x.j, &x.b, x.wall_ns), 0);
	e = event_at(&x, 2);
	d = json_object_get(e, "data");
	assert_string_equal(text(d, "state"), "ended");
	assert_string_equal(text(d, "lasted_ms"), "26000");
	json_decref(e);
	stop(&x);
}

static void
chain_verifies(void **state)
{
	struct box x;
	uint64_t entries;
	char err[512];
	start(&x);
	live(&x, 3, true, true);
	assert_int_equal(live(&x, 20, false, true), 1);
	assert_int_equal(journal_commit(x.j, &x.b, x.wall_ns), 0);
	journal_close(x.j);
	if (audit_verify(x.dir, &entries, err, sizeof err) != 0)
		fail_msg("%s", err);
	x.j = journal_of(x.dir, BIG, BIG);
	assert_int_equal(journal_head(x.j), 1);
	stop(&x);
}

/* While the journal is down, notices make no losses and take no room. */
static void
shed(void **state)
{
	struct box x;
	start(&x);
	live(&x, 3, true, true);
	assert_int_equal(live(&x, 20, false, true), 1);
	add_record(&x.b, EPOCH_A, 1, 1, GRADE_PAUSE, 0);
	batch_shed(&x.b);
	assert_int_equal(x.b.n, 1);
	assert_int_equal(x.b.notices_shed, 1);
	assert_int_equal(batch_lost(&x.b), 0);
	assert_int_equal(batch_kept(&x.b), 1);
	stop(&x);
}

/* Another start of the dataplane, with its counters anew: no rate that never was, no silence. */
static void
epoch_changes(void **state)
{
	struct box x;
	uint64_t bytes, txs;
	start(&x);
	x.stats->nodes_lcore[2].of[1][NODE_FEED_HTTP].bytes[0] = 1ull << 40;
	live(&x, 20, true, true);
	assert_true(silence_rates(&x.w.silence, 1, NODE_FEED_HTTP, &bytes, &txs));
	assert_int_equal(bytes, 1000);
	drain_gone(&x.n);
	assert_int_equal(live(&x, 30, false, false), 0);
	drain_detach(&x.n);
	leave(&x);
	attach(&x, EPOCH_B);
	assert_int_equal(live(&x, 4, false, false), 0);
	assert_int_equal(live(&x, 20, true, true), 0);
	assert_true(silence_rates(&x.w.silence, 1, NODE_FEED_HTTP, &bytes, &txs));
	assert_int_equal(bytes, 1000);
	stop(&x);
}

/* The times of notices are not asked to be in step with the wall: it was set back an hour during the silence. */
static void
clock_steps(void **state)
{
	struct box x;
	start(&x);
	live(&x, 3, true, true);
	x.stats->clock.steps = 1;
	x.stats->clock.last_step_ns = -3600 * (int64_t)SECOND;
	x.wall_ns -= 3600 * SECOND;
	assert_int_equal(live(&x, 4, true, true), 0);
	assert_int_equal(live(&x, 20, false, true), 1);
	assert_int_equal(journal_commit(x.j, &x.b, x.wall_ns), 0);
	assert_int_equal(x.w.clock_steps, 1);
	x.wall_ns -= 7200 * SECOND;
	assert_int_equal(live(&x, 5, true, true), 1);
	assert_true(x.b.e[0].from > WALL - 3600 * SECOND); /* its number went on */
	stop(&x);
}

/* A capture that has been read is not silent. */
static void
end_of_a_file(void **state)
{
	struct box x;
	start(&x);
	live(&x, 3, true, true);
	x.stats->source_done = 1;
	assert_int_equal(live(&x, 100, false, false), 0);
	stop(&x);
}

static void
texts(void **state)
{
	const struct event_context x = {.source = "urn:test", .epoch = EPOCH_A};
	static const char *const odd[] = {"", "x", "began 9 a http 1 2 3", "ended 1", "began 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbb 1 1 1",
		"began -1 - - 99999999999999999999999 0 0", "began 0 \" \\ 1 1 1"};
	char out[2048];
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		int n = notice_format(out, sizeof out, &x, 1, odd[i]);
		json_error_t err;
		json_t *o = n > 0 ? json_loadb(out, (size_t)n, 0, &err) : NULL;
		assert_non_null(o);
		json_decref(o);
	}
	/* the longest that there is fits, and comes out as it was */
	struct batch b;
	struct silence_notice n = {.kind = SILENCE_ONE_WAY, .ended = true, .node = 3, .feed = NODE_FEED_WEBSOCKET, .missing = 1, .usual_ns = UINT64_MAX,
		.lasted_ns = UINT64_MAX};
	memset(n.name, 'n', sizeof n.name - 1);
	assert_int_equal(batch_new(&b), 0);
	assert_true(notice_entry(&b, EPOCH_A, 7, &n, UINT64_MAX, UINT64_MAX));
	assert_true(strlen(b.e[0].rule_name) < sizeof b.e[0].rule_name - 1);
	assert_true(notice_format(out, sizeof out, &x, 7, b.e[0].rule_name) > 0);
	assert_non_null(strstr(out, "\"node\":\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\",\"feed\":\"websocket\",\"state\":\"ended\",\"missing\":\"to_node\""));
	assert_non_null(strstr(out, "\"lasted_ms\":\"9999999999999\""));
	batch_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_journaled),
		cmocka_unit_test(chain_verifies),
		cmocka_unit_test(shed),
		cmocka_unit_test(epoch_changes),
		cmocka_unit_test(clock_steps),
		cmocka_unit_test(end_of_a_file),
		cmocka_unit_test(texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
