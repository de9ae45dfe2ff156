/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to requests: by order and id on HTTP, by id alone elsewhere; what is refused, what nobody asked,
 * and why; and what is forgotten when there is no more room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct join_pool pool;
static struct join conn, other;
static const uint8_t ours[32] = {1, 2, 3}, another[32] = {9};

static int
setup(void **state)
{
	*state = malloc(join_pool_bytes(8));
	join_pool_init(&pool, *state, 8);
	join_init(&conn, false);
	join_init(&other, false);
	return 0;
}

static int
teardown(void **state)
{
	join_clear(&pool, &conn);
	join_clear(&pool, &other);
	assert_int_equal(pool.added,
		pool.answered + pool.unanswered + pool.unread + pool.evicted[0] + pool.evicted[1]);
	free(*state);
	return 0;
}

static struct json_id
id(unsigned n)
{
	return (struct json_id){.kind = JSON_ID_NUMBER, .len = 1, .text = n};
}

static struct join_ref
ask(struct join *j, uint32_t message, unsigned n, enum jsonrpc_kind kind)
{
	struct jsonrpc_request r = {.id = id(n), .kind = (uint8_t)kind};
	return join_request(&pool, j, message, &r, 1000 + n);
}

static struct join_outcome
hear(struct join *j, bool http, uint32_t message, unsigned n, enum answer_result result)
{
	struct answer_event e = {
		.kind = ANSWER_RESPONSE, .id = id(n), .result = (uint8_t)result, .hash = ours};
	return join_answer(&pool, j, http, message, &e);
}

static void
by_id(void **state)
{
	struct join_ref a = ask(&conn, 0, 1, JSONRPC_RAW), b = ask(&conn, 0, 2, JSONRPC_PRIVATE);
	ask(&conn, 0, 3, JSONRPC_OTHER);
	ask(&conn, 0, 4, JSONRPC_BUNDLE);
	ask(&other, 0, 1, JSONRPC_OTHER);
	assert_int_equal(join_set(&pool, a, 5, ours), 0);
	assert_int_equal(join_set(&pool, b, 6, another), 0);
	struct join_outcome o = hear(&conn, false, 0, 2, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_ACCEPTED_OTHER);
	assert_int_equal(o.kind, JSONRPC_PRIVATE);
	assert_int_equal(o.fate, 6);
	assert_int_equal(o.t_ns, 1002);
	assert_memory_equal(o.hash, another, 32);
	o = hear(&conn, false, 0, 1, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_ACCEPTED);
	assert_true(o.has_hash && o.fate == 5);
	assert_int_equal(hear(&conn, false, 0, 3, ANSWER_IS_HASH).verdict, JOIN_OTHER);
	assert_int_equal(hear(&conn, false, 0, 4, ANSWER_OTHER).verdict, JOIN_DONE);
	assert_int_equal(hear(&other, false, 0, 1, ANSWER_IS_HASH).verdict, JOIN_OTHER);
	/* answered already, or never asked */
	o = hear(&conn, false, 0, 1, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_UNKNOWN);
	assert_int_equal(o.reason, JOIN_NO_SUCH_ID);
	assert_int_equal(join_set(&pool, a, 0, NULL), -ENOENT);
	assert_int_equal(conn.n, 0);
}

static void
refused(void **state)
{
	ask(&conn, 0, 1, JSONRPC_RAW);
	ask(&conn, 0, 2, JSONRPC_OTHER);
	assert_int_equal(hear(&conn, false, 0, 1, ANSWER_ERROR).verdict, JOIN_REFUSED);
	assert_int_equal(hear(&conn, false, 0, 2, ANSWER_ERROR).verdict, JOIN_OTHER);
	/* our hash not known yet */
	ask(&conn, 0, 1, JSONRPC_UNSIGNED);
	struct join_outcome o = hear(&conn, false, 0, 1, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_ACCEPTED);
	assert_false(o.has_hash);
}

/* The same id twice: the older one first. */
static void
same_id(void **state)
{
	ask(&conn, 0, 1, JSONRPC_RAW);
	ask(&conn, 0, 1, JSONRPC_OTHER);
	assert_int_equal(hear(&conn, false, 0, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	assert_int_equal(hear(&conn, false, 0, 1, ANSWER_IS_HASH).verdict, JOIN_OTHER);
}

/* Pipelined, ids the same on all, a batch answered in another order. */
static void
http(void **state)
{
	uint32_t first = join_http_request(&conn), second, third;
	ask(&conn, first, 1, JSONRPC_RAW);
	second = join_http_request(&conn);
	ask(&conn, second, 1, JSONRPC_OTHER);
	ask(&conn, second, 2, JSONRPC_RAW);
	ask(&conn, second, 3, JSONRPC_RAW);
	third = join_http_request(&conn);
	ask(&conn, third, 1, JSONRPC_RAW);
	assert_int_equal(join_http_response(&conn), first);
	assert_int_equal(hear(&conn, true, first, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	join_http_end(&pool, &conn, first);
	assert_int_equal(join_http_response(&conn), second);
	assert_int_equal(hear(&conn, true, second, 2, ANSWER_ERROR).verdict, JOIN_REFUSED);
	assert_int_equal(hear(&conn, true, second, 1, ANSWER_IS_HASH).verdict, JOIN_OTHER);
	join_http_end(&pool, &conn, second);
	assert_int_equal(pool.unanswered, 1);
	assert_int_equal(join_http_response(&conn), third);
	struct join_outcome o = hear(&conn, true, third, 3, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_UNKNOWN);
	assert_int_equal(o.reason, JOIN_NO_SUCH_ID);
	assert_int_equal(hear(&conn, true, third, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	join_http_end(&pool, &conn, third);
	assert_int_equal(join_http_response(&conn), 0); /* to nothing that was asked */
}

static void
unread(void **state)
{
	uint32_t m = join_http_request(&conn);
	join_unread(&pool, &conn, m, JOIN_OPAQUE, 7);
	assert_int_equal(join_http_response(&conn), m);
	for (unsigned i = 0; i < 2; i++) { /* it may have been a batch */
		struct join_outcome o = hear(&conn, true, m, i, ANSWER_IS_HASH);
		assert_int_equal(o.verdict, JOIN_UNKNOWN);
		assert_int_equal(o.reason, JOIN_OPAQUE);
		assert_int_equal(o.t_ns, 7);
	}
	join_http_end(&pool, &conn, m);
	assert_int_equal(conn.n, 0);
	/* a batch that was read up to where it was damaged */
	m = join_http_request(&conn);
	ask(&conn, m, 1, JSONRPC_RAW);
	join_unread(&pool, &conn, m, JOIN_MALFORMED, 8);
	assert_int_equal(join_http_response(&conn), m);
	assert_int_equal(hear(&conn, true, m, 2, ANSWER_IS_HASH).reason, JOIN_MALFORMED);
	assert_int_equal(hear(&conn, true, m, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	join_http_end(&pool, &conn, m);
}

static void
missing(void **state)
{
	/* picked up in mid-stream: the answer to what went by */
	join_init(&conn, true);
	assert_int_equal(join_http_response(&conn), 0);
	assert_int_equal(hear(&conn, true, 0, 1, ANSWER_IS_HASH).reason, JOIN_MIDSTREAM);
	uint32_t m = join_http_request(&conn);
	ask(&conn, m, 1, JSONRPC_RAW);
	assert_int_equal(join_http_response(&conn), m);
	assert_int_equal(hear(&conn, true, m, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	/* a gap: what waits is forgotten, and the next request is answered next */
	m = join_http_request(&conn);
	ask(&conn, m, 1, JSONRPC_RAW);
	join_http_lost(&pool, &conn, JOIN_GAP);
	assert_int_equal(conn.n, 0);
	assert_int_equal(join_http_response(&conn), 0);
	assert_int_equal(hear(&conn, true, 0, 1, ANSWER_IS_HASH).reason, JOIN_GAP);
	m = join_http_request(&conn);
	ask(&conn, m, 1, JSONRPC_RAW);
	assert_int_equal(join_http_response(&conn), m);
	assert_int_equal(hear(&conn, true, m, 1, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	/* by id */
	join_init(&other, true);
	assert_int_equal(hear(&other, false, 0, 1, ANSWER_IS_HASH).reason, JOIN_MIDSTREAM);
}

/* Ids that tell: what waits over a hole is found, and the numbers follow; who asks for none of it is not taken for the next. */
static void
found_by_id(void **state)
{
	uint32_t m[6];
	for (unsigned i = 0; i < 4; i++) {
		m[i] = join_http_request(&conn);
		ask(&conn, m[i], 10 + i, i % 2 ? JSONRPC_RAW : JSONRPC_OTHER);
	}
	join_http_lost(&pool, &conn, JOIN_GAP); /* requests are missing here */
	assert_int_equal(conn.n, 4);
	m[4] = join_http_request(&conn);
	ask(&conn, m[4], 20, JSONRPC_RAW);
	/* the answers to the first three are missing */
	join_http_lost(&pool, &conn, JOIN_GAP);
	assert_int_equal(join_http_response(&conn), m[0]);
	struct join_outcome o = hear(&conn, true, m[0], 13, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_ACCEPTED);
	assert_int_equal(o.message, m[3]);
	assert_int_equal(pool.unanswered, 3);
	join_http_end(&pool, &conn, o.message);
	/* two answers to what was not seen, one of them without anything to read */
	uint32_t r = join_http_response(&conn);
	assert_int_equal(r, m[4]);
	o = hear(&conn, true, r, 14, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_UNKNOWN);
	assert_int_equal(o.reason, JOIN_GAP);
	assert_int_equal(o.message, 0);
	join_http_end(&pool, &conn, 0);
	r = join_http_response(&conn);
	join_http_end(&pool, &conn, r);
	assert_int_equal(conn.n, 1);
	r = join_http_response(&conn);
	o = hear(&conn, true, r, 20, ANSWER_IS_HASH);
	assert_int_equal(o.verdict, JOIN_ACCEPTED);
	assert_int_equal(o.message, m[4]);
	join_http_end(&pool, &conn, o.message);
	/* beyond the hole numbers are certain again */
	m[5] = join_http_request(&conn);
	ask(&conn, m[5], 21, JSONRPC_RAW);
	assert_int_equal(join_http_response(&conn), m[5]);
	assert_int_equal(hear(&conn, true, m[5], 21, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	assert_int_equal(hear(&conn, true, m[5], 22, ANSWER_IS_HASH).reason, JOIN_NO_SUCH_ID);
}

/* Answers that cannot be read clear no doubt: what waits does not pile up all the same. */
static void
nothing_piles_up(void **state)
{
	struct join_pool big;
	void *mem = malloc(join_pool_bytes(1000));
	join_pool_init(&big, mem, 1000);
	for (unsigned i = 0; i < 600; i++) {
		uint32_t m = join_http_request(&conn);
		struct jsonrpc_request r = {.id = id(1 + i), .kind = JSONRPC_RAW};
		join_request(&big, &conn, m, &r, 1);
		if (i == 5)
			join_http_lost(&big, &conn, JOIN_GAP);
		join_http_end(&big, &conn, join_http_response(&conn));
		assert_true(conn.n <= JOIN_DOUBT + 1);
	}
	assert_true(conn.doubt && conn.n > 1);
	join_clear(&big, &conn);
	free(mem);
}

/* A batch has the number of the first that was found in it, and takes nothing of others'. */
static void
batch_in_doubt(void **state)
{
	uint32_t first = join_http_request(&conn), second, third;
	ask(&conn, first, 1, JSONRPC_RAW);
	second = join_http_request(&conn);
	ask(&conn, second, 2, JSONRPC_RAW);
	ask(&conn, second, 3, JSONRPC_RAW);
	third = join_http_request(&conn);
	ask(&conn, third, 4, JSONRPC_RAW);
	join_http_lost(&pool, &conn, JOIN_GAP);
	uint32_t r = join_http_response(&conn);
	struct join_outcome o = hear(&conn, true, r, 3, ANSWER_IS_HASH);
	assert_int_equal(o.message, second);
	assert_int_equal(hear(&conn, true, o.message, 4, ANSWER_IS_HASH).verdict, JOIN_UNKNOWN);
	assert_int_equal(hear(&conn, true, o.message, 2, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	join_http_end(&pool, &conn, o.message);
	assert_int_equal(join_http_response(&conn), third);
	assert_int_equal(hear(&conn, true, third, 4, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
}

/* Ids that come back prove nothing: what waits is forgotten. So do ids of which only one was seen. */
static void
ids_that_tell_nothing(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		join_init(&conn, false);
		uint32_t m = join_http_request(&conn);
		ask(&conn, m, 1, JSONRPC_RAW);
		if (i > 0) {
			ask(&conn, m, 2, JSONRPC_RAW);
			ask(&conn, join_http_request(&conn), i, JSONRPC_RAW);
		}
		join_http_lost(&pool, &conn, JOIN_GAP);
		assert_int_equal(conn.n, 0);
		assert_int_equal(join_http_response(&conn), 0);
	}
}

static void
evicted(void **state)
{
	struct join_ref first = ask(&conn, 0, 1, JSONRPC_RAW);
	for (unsigned i = 2; i < 10; i++)
		ask(i % 2 ? &conn : &other, 0, i, JSONRPC_RAW);
	assert_int_equal(pool.evicted[0], 1);
	assert_int_equal(conn.n + other.n, 8);
	assert_int_equal(join_set(&pool, first, 0, NULL), -ENOENT);
	assert_int_equal(hear(&conn, false, 0, 1, ANSWER_IS_HASH).reason, JOIN_EVICTED);
	assert_int_equal(hear(&conn, false, 0, 3, ANSWER_IS_HASH).verdict, JOIN_ACCEPTED);
	assert_int_equal(hear(&other, false, 0, 1, ANSWER_IS_HASH).reason, JOIN_NO_SUCH_ID);
	/* a slot used anew is not the old one's */
	ask(&conn, 0, 1, JSONRPC_RAW);
	assert_int_equal(join_set(&pool, first, 0, NULL), -ENOENT);
	assert_int_equal(join_set(&pool, (struct join_ref){0}, 0, NULL), -ENOENT);
	assert_int_equal(join_set(&pool, (struct join_ref){99, 0}, 0, NULL), -ENOENT);
}

static void
share(void **state)
{
	struct join_pool big;
	void *mem = malloc(join_pool_bytes(2 * JOIN_PER_CONN));
	join_pool_init(&big, mem, 2 * JOIN_PER_CONN);
	for (unsigned i = 0; i < JOIN_PER_CONN + 5; i++) {
		struct jsonrpc_request r = {.id = id(i), .kind = JSONRPC_RAW};
		join_request(&big, &conn, 0, &r, 1);
	}
	assert_int_equal(conn.n, JOIN_PER_CONN);
	assert_int_equal(big.evicted[1], 5);
	assert_int_equal(big.evicted[0], 0);
	join_clear(&big, &conn);
	assert_int_equal(big.unanswered, JOIN_PER_CONN);
	free(mem);
}

static void
no_id(void **state)
{
	struct jsonrpc_request r = {.kind = JSONRPC_RAW};
	assert_int_equal(join_request(&pool, &conn, 0, &r, 1).slot, 0);
	assert_int_equal(conn.n, 0);
	struct answer_event e = {.result = ANSWER_IS_HASH, .hash = ours};
	assert_int_equal(join_answer(&pool, &conn, false, 0, &e).verdict, JOIN_UNKNOWN);
}

static void
subscriptions(void **state)
{
	for (unsigned i = 1; i <= JOIN_SUBSCRIPTIONS + 1; i++) {
		struct jsonrpc_request r = {.id = id(i),
			.kind = JSONRPC_SUBSCRIBE,
			.subscription = (uint8_t)(i % 2 ? JSONRPC_SUB_HASHES : JSONRPC_SUB_HEADS)};
		struct answer_event e = {.id = id(i),
			.result = ANSWER_OTHER,
			.text = {.kind = JSON_ID_STRING, .len = 3, .text = i}};
		join_request(&pool, &conn, 0, &r, 1);
		assert_int_equal(join_answer(&pool, &conn, false, 0, &e).verdict, JOIN_OTHER);
		assert_int_equal(join_subscription(&conn, e.text), r.subscription);
	}
	struct json_id sub = {.kind = JSON_ID_STRING, .len = 3, .text = 1};
	assert_int_equal(join_subscription(&conn, sub), JSONRPC_SUB_NONE); /* the oldest made room */
	sub.text = 2;
	assert_int_equal(join_subscription(&conn, sub), JSONRPC_SUB_HEADS);
	assert_int_equal(join_subscription(&conn, (struct json_id){0}), JSONRPC_SUB_NONE);
	assert_int_equal(join_subscription(&other, sub), JSONRPC_SUB_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_id),
		TEST(refused),
		TEST(same_id),
		TEST(http),
		TEST(unread),
		TEST(missing),
		TEST(found_by_id),
		TEST(nothing_piles_up),
		TEST(batch_in_doubt),
		TEST(ids_that_tell_nothing),
		TEST(evicted),
		TEST(share),
		TEST(no_id),
		TEST(subscriptions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
