/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include "control/position.h"

#include <errno.h>

static void
test_shed_keeps_pause(void **state)
{
	(void)state;
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	add_record(&b, EPOCH_A, 0, 1, GRADE_WATCH, 10);
	add_record(&b, EPOCH_A, 1, 1, GRADE_PAGE, 10);
	add_record(&b, EPOCH_A, 0, 2, GRADE_PAGE, 10);
	add_record(&b, EPOCH_A, 0, 3, GRADE_PAUSE, 20);
	add_loss(&b, EPOCH_A, 0, 4, 6, LOSS_NAME_RING_FULL);
	add_record(&b, EPOCH_A, 0, 7, GRADE_WATCH, 10);
	add_record(&b, EPOCH_A, 1, 2, GRADE_WATCH, 10);
	batch_shed(&b);
	assert_int_equal(b.n, 5);
	assert_true(b.e[0].loss && b.e[0].ring_id == 0 && b.e[0].from == 1 && b.e[0].to == 2);
	assert_string_equal(b.e[0].reason, LOSS_NAME_JOURNAL);
	assert_true(b.e[1].loss && b.e[1].ring_id == 1 && b.e[1].from == 1 && b.e[1].to == 2);
	assert_true(!b.e[2].loss && b.e[2].from == 3 && b.e[2].evidence_len == 20);
	assert_int_equal(b.evidence[b.e[2].evidence_at], 3);
	assert_string_equal(b.e[3].reason, LOSS_NAME_RING_FULL);
	assert_true(b.e[4].loss && b.e[4].from == 7);
	assert_int_equal(b.evidence_n, 20);
	batch_free(&b);
}

/* However long the journal is down, there is room for more, and every seq is in exactly one entry. */
static void
test_shed_for_ever(void **state)
{
	(void)state;
	struct batch b;
	uint64_t seq[3] = {0, 0, 0};
	assert_int_equal(batch_new(&b), 0);
	for (unsigned turn = 0; turn < 200; turn++) {
		unsigned n = 0;
		while (batch_room(&b) > 4 && batch_evidence_room(&b) >= (128u << 10) && n++ < 300) {
			uint32_t ring = n % 3;
			unsigned grade = (turn + n) % 2 ? GRADE_PAUSE : GRADE_WATCH;
			add_record(&b, EPOCH_A, ring, ++seq[ring], grade, turn % 5 ? 40 : 100000);
		}
		assert_true(n > 0);
		batch_shed(&b);
		assert_true(batch_room(&b) >= BATCH_ENTRIES / 4);
		assert_true(batch_evidence_room(&b) >= BATCH_EVIDENCE_BYTES / 2);
	}
	uint64_t next[3] = {1, 1, 1};
	for (uint32_t i = 0; i < b.n; i++) {
		const struct entry *e = &b.e[i];
		assert_int_equal(e->from, next[e->ring_id]);
		next[e->ring_id] = e->to + 1;
		if (!e->loss && e->evidence_len > 0)
			assert_int_equal(b.evidence[e->evidence_at + e->evidence_len - 1], e->from & 0xff);
	}
	for (unsigned r = 0; r < 3; r++)
		assert_int_equal(next[r], seq[r] + 1);
	batch_free(&b);
}

static void
test_positions(void **state)
{
	(void)state;
	struct position p;
	char text[POSITION_TEXT_MAX];
	static const char *const bad[] = {"", "Now", "start ", "12345678", "12345678.", "12345678.-1",
		"12345678.01", "12345678.1x", "1234567.1", "1234567g.1", "ABCDEF01.1",
		"12345678.9223372036854775808", "0123456789abcdef", "0123456789abcdef-0",
		"0123456789abcdef-0-0", "0123456789abcdef-4294967296-1", "0123456789abcdef-0-1-los",
		"0123456789abcdef-0-1-loss-", "0123456789abcdef--1-1", "acked"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(position_parse(bad[i], &p), -EINVAL);
	assert_int_equal(position_parse("now", &p), 0);
	assert_int_equal(p.kind, POSITION_NOW);
	assert_int_equal(position_parse("start", &p), 0);
	assert_int_equal(p.kind, POSITION_START);
	position_cursor(0x00abcdef, INT64_MAX, text);
	assert_string_equal(text, "00abcdef.9223372036854775807");
	assert_int_equal(position_parse(text, &p), 0);
	assert_true(p.kind == POSITION_CURSOR && p.journal == 0xabcdef && p.cursor == INT64_MAX);
	assert_int_equal(position_parse("00000000.0", &p), 0);
	assert_int_equal(position_parse("aa01020304050607-4294967295-17-loss", &p), 0);
	assert_true(p.kind == POSITION_ID && p.ring == UINT32_MAX && p.seq == 17 && p.loss);
	assert_memory_equal(p.epoch, EPOCH_A, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shed_keeps_pause),
		cmocka_unit_test(test_shed_for_ever),
		cmocka_unit_test(test_positions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
