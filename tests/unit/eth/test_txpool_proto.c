/* SPDX-License-Identifier: BSD-3-Clause */
/* txpool_proto: where in an element the transaction is, method by method, and when nobody says. */
#include "eth/tx.h"
#include "eth/txpool_proto.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* The smallest legacy transaction that decodes: nine fields. */
static const uint8_t tx[] = {0xc9, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
static const uint8_t other_tx[] = {0xc9, 0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

static int
method(const char *path)
{
	for (unsigned i = 0; i < txpool_paths.n; i++) {
		if (strcmp(txpool_paths.names[i], path) == 0)
			return (int)i;
	}
	fail_msg("no method %s", path);
	return -1;
}

static enum txpool_found
judge(int number, int client, const void *p, size_t n, enum txpool_kind *kind, struct span *raw)
{
	struct grpc_element e = {
		.bytes = {p, (uint32_t)n}, .method = number, .client = client, .state = GRPC_OK};
	*raw = (struct span){NULL, 0};
	return txpool_element(&e, kind, raw);
}

static void
is(const struct span *raw, const uint8_t *want, size_t n)
{
	assert_int_equal(raw->len, n);
	assert_memory_equal(raw->p, want, n);
}

static void
test_methods(void **state)
{
	static const struct {
		const char *path;
		bool client;
		enum txpool_kind kind;
	} plain[] = {
		{"txpool.Txpool/OnAdd", false, TXPOOL_PENDING},
		{"txpool.Txpool/Add", true, TXPOOL_SUBMITTED},
		{"txpool.Txpool/Transactions", false, TXPOOL_ASKED},
		{"api.API/SubscribeNewTxsV2", false, TXPOOL_PENDING},
		{"api.API/SubscribeNewBlobTxs", false, TXPOOL_PENDING},
		{"api.API/SendTransactionV2", true, TXPOOL_SUBMITTED},
		{"api.API/SendRawTransaction", true, TXPOOL_SUBMITTED},
		{"api.API/SendTransactionSequenceV2", true, TXPOOL_SUBMITTED},
		{"api.API/SendRawTransactionSequence", true, TXPOOL_SUBMITTED},
	};
	enum txpool_kind kind;
	struct span raw;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		int m = method(plain[i].path);
		assert_int_equal(txpool_methods[m].client, plain[i].client);
		assert_int_equal(txpool_methods[m].server, !plain[i].client);
		assert_int_equal(judge(m, plain[i].client, tx, sizeof tx, &kind, &raw), TXPOOL_TX);
		assert_int_equal(kind, plain[i].kind);
		is(&raw, tx, sizeof tx);
		/* whether it decodes is for others to say */
		assert_int_equal(judge(m, plain[i].client, "junk", 4, &kind, &raw), TXPOOL_TX);
		assert_int_equal(judge(m, plain[i].client, NULL, 0, &kind, &raw), TXPOOL_NONE);
	}
}

static const uint8_t all[] = "\x08\1\x12\2ab\x1a\x0a\xc9\x80\x80\x80\x80\x80\x80\x80\x80\x80";
static const uint8_t pending[] = "\x0a\2ab\x12\x0a\xc9\x80\x80\x80\x80\x80\x80\x80\x80\x80\x18\1";

static void
test_nested(void **state)
{
	enum txpool_kind kind;
	struct span raw;
	static const char *const asked[] = {"txpool.Txpool/All", "txpool.Txpool/Search"};
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(judge(method(asked[i]), 0, all, sizeof all - 1, &kind, &raw), TXPOOL_TX);
		assert_int_equal(kind, TXPOOL_ASKED);
		is(&raw, tx, sizeof tx);
		/* a version that numbers its fields otherwise */
		assert_int_equal(
			judge(method(asked[i]), 0, pending, sizeof pending - 1, &kind, &raw), TXPOOL_TX);
		is(&raw, tx, sizeof tx);
	}
	assert_int_equal(judge(method("txpool.Txpool/Pending"), 0, pending, sizeof pending - 1, &kind, &raw),
		TXPOOL_TX);
	is(&raw, tx, sizeof tx);
	/* cut off, at any byte */
	for (size_t n = 0; n < sizeof all - 1; n++)
		assert_int_equal(judge(method(asked[0]), 0, all, n, &kind, &raw), TXPOOL_NONE);
}

static void
test_guesses(void **state)
{
	enum txpool_kind kind;
	struct span raw;
	assert_int_equal(judge(-1, 1, tx, sizeof tx, &kind, &raw), TXPOOL_TX);
	assert_int_equal(kind, TXPOOL_SUBMITTED);
	assert_int_equal(judge(-1, 0, tx, sizeof tx, &kind, &raw), TXPOOL_TX);
	assert_int_equal(kind, TXPOOL_PENDING);
	assert_int_equal(judge(-1, -1, all, sizeof all - 1, &kind, &raw), TXPOOL_TX);
	assert_int_equal(kind, TXPOOL_PENDING);
	is(&raw, tx, sizeof tx);
	assert_int_equal(judge(-1, -1, pending, sizeof pending - 1, &kind, &raw), TXPOOL_TX);
	assert_int_equal(judge(-1, -1, "junk", 4, &kind, &raw), TXPOOL_NONE);
	assert_int_equal(judge(-1, -1, NULL, 0, &kind, &raw), TXPOOL_NONE);
	assert_int_equal(judge(-1, -1, tx, sizeof tx - 1, &kind, &raw), TXPOOL_NONE);
}

static void
test_unread(void **state)
{
	enum txpool_kind kind;
	struct span raw;
	struct grpc_element e = {.method = method("txpool.Txpool/Add"), .state = GRPC_CUT};
	assert_int_equal(txpool_element(&e, &kind, &raw), TXPOOL_UNREAD);
	assert_int_equal(kind, TXPOOL_SUBMITTED);
}

static bool
scan(const void *p, size_t n, uint32_t number, struct span *value)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	bool found = txpool_field_scan((struct span){copy, (uint32_t)n}, number, value);
	if (found) /* back into memory that stays */
		value->p = (const uint8_t *)p + (value->p - copy);
	free(copy);
	return found;
}

static void
test_field_scan(void **state)
{
	struct span v;
	uint8_t two[24];
	assert_true(scan("\x1a\1a\x1a\1b", 6, 3, &v)); /* the last one counts */
	assert_int_equal(*v.p, 'b');
	assert_false(scan("\x1a\1a\x1a\2b", 6, 3, &v));
	assert_false(scan("\x18\1", 2, 3, &v));				       /* no bytes */
	assert_true(scan("\x13\x1a\1a\x14\x1a\1b\x13\x1a\1c\x14", 13, 3, &v)); /* not inside groups */
	assert_int_equal(*v.p, 'b');
	assert_false(scan("\x1a\1a\x13", 4, 3, &v));
	assert_false(scan("\x1a\1a\x14", 4, 3, &v));
	assert_false(scan("\x1a\1a\2", 4, 3, &v)); /* field 0 */
	assert_false(scan("\x1a\1a\x1f", 4, 3, &v));
	assert_false(scan("\x1a\1a\x19"
			  "1234567",
		11, 3, &v));
	assert_true(scan("\x1a\1a\x19"
			 "12345678\x1d"
			 "1234",
		17, 3, &v));
	memcpy(two, "\x1a\x0a", 2); /* the first that is one, of any number */
	memcpy(two + 2, tx, 10);
	memcpy(two + 12, "\x22\x0a", 2);
	memcpy(two + 14, other_tx, 10);
	assert_true(scan(two, 24, 0, &v));
	is(&v, tx, sizeof tx);
	uint8_t *bomb = malloc(1 << 20);
	memset(bomb, 0x1b, 1 << 20);
	assert_false(scan(bomb, 1 << 20, 0, &v));
	free(bomb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_field_scan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
