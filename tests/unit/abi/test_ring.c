/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring: order, wrap, loss, evidence, cursor garbage, tail; one thread. */
#include "records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SLOTS 8u

struct fixture {
	struct ring_producer p;
	struct ring_consumer c;
	uint8_t *buf;
};

static const uint8_t epoch[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->buf = malloc(RING_EVIDENCE_ONE_MAX);
	assert_int_equal(ring_create(&f->p, epoch, 7, LANE_CRITICAL, SLOTS, RING_EVIDENCE_MIN), 0);
	assert_int_equal(ring_attach(&f->c, f->p.ring_fd, f->p.evidence_fd, f->p.cursor_fd), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	ring_detach(&f->c);
	ring_destroy(&f->p);
	free(f->buf);
	free(f);
	return 0;
}

static int
publish(struct fixture *f, uint32_t evidence_bytes, uint8_t fill)
{
	static uint8_t bytes[RING_EVIDENCE_ONE_MAX + 1];
	struct alert_record r = record_plain();
	memset(bytes, fill, evidence_bytes);
	r.rule_id = fill;
	return ring_publish(&f->p, &r, (struct span){bytes, evidence_bytes});
}

/* Reads one record, which must be there and whole. */
static struct alert_record
take(struct fixture *f, uint32_t evidence_bytes, uint8_t fill)
{
	struct alert_record r;
	uint32_t len;
	memset(f->buf, 0, RING_EVIDENCE_ONE_MAX);
	assert_int_equal(ring_read(&f->c, &r, f->buf, &len), 1);
	assert_int_equal(r.rule_id, fill);
	assert_int_equal(len, evidence_bytes);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(f->buf[i], fill);
	return r;
}

static void
assert_empty(struct fixture *f)
{
	struct alert_record r;
	uint32_t len = 1;
	assert_int_equal(ring_read(&f->c, &r, f->buf, &len), 0);
	assert_int_equal(len, 0);
}

static void
release_all(struct fixture *f)
{
	ring_release(&f->c, f->c.next);
}

static void
order_and_wrap(void **state)
{
	struct fixture *f = *state;
	assert_empty(f);
	for (unsigned i = 0; i < 20 * SLOTS; i++) {
		assert_int_equal(publish(f, i % 5, (uint8_t)i), 0);
		struct alert_record r = take(f, i % 5, (uint8_t)i);
		assert_int_equal(r.seq, i + 1);
		assert_int_equal(r.lost_before, 0);
		assert_int_equal(r.lost_reason, LOSS_NONE);
		assert_int_equal(r.trust & TRUST_NO_EVIDENCE, 0);
		assert_empty(f);
		release_all(f);
	}
	assert_int_equal(f->p.cursor_bad, 0);
	assert_int_equal(f->p.h->lost[LOSS_RING_FULL], 0);
}

static void
identity_is_copied(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(f->c.ring_id, 7);
	assert_int_equal(f->c.lane, LANE_CRITICAL);
	assert_memory_equal(f->c.epoch, epoch, sizeof epoch);
	assert_int_equal(f->c.slots_n, SLOTS);
	assert_int_equal(f->c.evidence_bytes, RING_EVIDENCE_MIN);
}

static void
full_is_a_counted_loss(void **state)
{
	struct fixture *f = *state;
	struct alert_record r = record_plain();
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(publish(f, 0, (uint8_t)i), 0);
	for (unsigned i = 0; i < 3; i++) {
		r.evidence_len = 9;
		assert_int_equal(ring_publish(&f->p, &r, (struct span){f->buf, 4}), -ENOBUFS);
		assert_int_equal(r.seq, SLOTS + 1 + i);
		assert_int_equal(r.evidence_len, 0);
		assert_int_equal(f->p.h->lost[LOSS_RING_FULL], i + 1);
		assert_int_equal(f->p.h->next_seq, SLOTS + 2 + i);
	}
	/* Unread records come first; only then does the tail show. */
	assert_int_equal(ring_tail(&f->c), 1);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(take(f, 0, (uint8_t)i).seq, i + 1);
	assert_int_equal(ring_tail(&f->c), SLOTS + 4);
	ring_release(&f->c, 1);
	assert_int_equal(publish(f, 0, 99), 0);
	assert_int_equal(publish(f, 0, 0), -ENOBUFS);
	struct alert_record next = take(f, 0, 99);
	assert_int_equal(next.seq, SLOTS + 4);
	assert_int_equal(next.lost_before, 3);
	assert_int_equal(next.lost_reason, LOSS_RING_FULL);
	assert_int_equal(ring_tail(&f->c), SLOTS + 6);
	release_all(f);
	assert_int_equal(publish(f, 0, 1), 0);
	next = take(f, 0, 1);
	assert_int_equal(next.lost_before, 1);
	assert_int_equal(next.seq, SLOTS + 6);
	assert_int_equal(ring_tail(&f->c), SLOTS + 7);
}

static void
evidence_wraps_whole(void **state)
{
	struct fixture *f = *state;
	/* 3 of 40,000 bytes fit into 131,072, the fourth straddles the end and starts over. */
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(publish(f, 40000, (uint8_t)i), 0);
		struct alert_record r = take(f, 40000, (uint8_t)i);
		assert_true(r.evidence_at % RING_EVIDENCE_MIN + 40000 <= RING_EVIDENCE_MIN);
		release_all(f);
	}
	assert_int_equal(publish(f, RING_EVIDENCE_ONE_MAX, 77), 0);
	take(f, RING_EVIDENCE_ONE_MAX, 77);
}

static void
evidence_over_budget(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(publish(f, 40000, (uint8_t)i), 0);
	assert_int_equal(publish(f, 40000, 3), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(take(f, 40000, (uint8_t)i).trust, 0);
	assert_int_equal(take(f, 0, 3).trust, TRUST_NO_EVIDENCE);
	/* Room is given back record by record, and is looked for when it is short. */
	ring_release(&f->c, 1);
	assert_int_equal(publish(f, 40000, 4), 0);
	assert_int_equal(publish(f, 40000, 5), 0);
	assert_int_equal(take(f, 40000, 4).trust, 0);
	assert_int_equal(take(f, 0, 5).trust, TRUST_NO_EVIDENCE);
}

static void
evidence_fits_again_when_none_is_held(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(publish(f, 1000, 1), 0);
	assert_int_equal(publish(f, 0, 2), 0);
	take(f, 1000, 1);
	/* Record 2 is still held, but no evidence is: the whole region is free. */
	ring_release(&f->c, 1);
	assert_int_equal(publish(f, RING_EVIDENCE_ONE_MAX, 3), 0);
	take(f, 0, 2);
	assert_int_equal(take(f, RING_EVIDENCE_ONE_MAX, 3).trust, 0);
}

static void
evidence_too_long(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(publish(f, RING_EVIDENCE_ONE_MAX + 1, 1), 0);
	assert_int_equal(take(f, 0, 1).trust, TRUST_NO_EVIDENCE);
}

/* A consumer that says it is done with what it has not read hurts itself alone, and never sees another's evidence. */
static void
lapped_evidence_is_left_out(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(publish(f, RING_EVIDENCE_ONE_MAX, 1), 0);
	ring_release(&f->c, 1);
	assert_int_equal(publish(f, 100, 2), 0);
	assert_int_equal(publish(f, RING_EVIDENCE_ONE_MAX, 3), 0);
	assert_int_equal(f->p.consumed, 1);
	assert_int_equal(take(f, 0, 1).trust, TRUST_NO_EVIDENCE);
	take(f, 100, 2);
}

static void
lapped_slots_are_a_hole(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3 * SLOTS; i++) {
		ring_release(&f->c, f->p.head);
		assert_int_equal(publish(f, 0, (uint8_t)i), 0);
	}
	assert_int_equal(take(f, 0, 2 * SLOTS).seq, 2 * SLOTS + 1);
}

static void
cursor_garbage_is_only_counted(void **state)
{
	struct fixture *f = *state;
	struct rng g = {42};
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(publish(f, 0, (uint8_t)i), 0);
	for (unsigned i = 0; i < 4; i++)
		take(f, 0, (uint8_t)i);
	ring_release(&f->c, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(publish(f, 0, (uint8_t)(SLOTS + i)), 0);
	/* Good are 4 .. 12; everything else is refused and the last good one stays. */
	uint64_t head = f->p.head;
	assert_int_equal(head, 12);
	uint64_t bad[1000] = {0, 3, head + 1, head + SLOTS, 1ull << 32, 1ull << 63, UINT64_MAX - 1, UINT64_MAX};
	for (unsigned i = 8; i < 1000; i++)
		bad[i] = rng_next(&g) | 1ull << 40;
	for (unsigned i = 0; i < 1000; i++) {
		ring_release(&f->c, bad[i]);
		assert_int_equal(publish(f, 0, 0), -ENOBUFS);
		assert_int_equal(f->p.cursor_bad, i + 1);
		assert_int_equal(f->p.consumed, 4);
		assert_int_equal(f->p.head, head);
		assert_int_equal(f->p.h->lost[LOSS_RING_FULL], i + 1);
	}
	for (unsigned i = 4; i < 12; i++)
		take(f, 0, (uint8_t)i);
	ring_release(&f->c, 12);
	assert_int_equal(publish(f, 10, 1), 0);
	assert_int_equal(take(f, 10, 1).lost_before, 1000);
	assert_int_equal(f->p.cursor_bad, 1000);
}

/* Everything else in the page is the consumer's own business. */
static void
cursor_page_scribbled(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 2 * SLOTS; i++) {
		memset(f->c.cursor, 0xff, sizeof *f->c.cursor);
		publish(f, 16, (uint8_t)i);
	}
	assert_int_equal(f->p.head, SLOTS);
	assert_int_equal(f->p.cursor_bad, SLOTS);
	for (unsigned i = 0; i < SLOTS; i++)
		take(f, 16, (uint8_t)i);
	/* A consumer that starts over reads all that may still be there, and is believed again once it makes sense. */
	ring_detach(&f->c);
	assert_int_equal(ring_attach(&f->c, f->p.ring_fd, f->p.evidence_fd, f->p.cursor_fd), 0);
	assert_int_equal(f->c.next, 0);
	for (unsigned i = 0; i < SLOTS; i++)
		take(f, 16, (uint8_t)i);
	release_all(f);
	assert_int_equal(publish(f, 16, 1), 0);
	assert_int_equal(take(f, 16, 1).lost_before, SLOTS);
}

static void
resumes_where_it_released(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(publish(f, i, (uint8_t)i), 0);
	for (unsigned i = 0; i < 5; i++)
		take(f, i, (uint8_t)i);
	ring_release(&f->c, 3);
	ring_detach(&f->c);
	assert_int_equal(ring_attach(&f->c, f->p.ring_fd, f->p.evidence_fd, f->p.cursor_fd), 0);
	assert_int_equal(f->c.next, 3);
	for (unsigned i = 3; i < 6; i++)
		assert_int_equal(take(f, i, (uint8_t)i).seq, i + 1);
	assert_empty(f);
}

/* The producer is gone: what it wrote can still be read by who has the mapping. */
static void
drains_after_the_producer(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(publish(f, 100, (uint8_t)i), 0);
	ring_destroy(&f->p);
	for (unsigned i = 0; i < 5; i++)
		take(f, 100, (uint8_t)i);
	assert_empty(f);
	assert_int_equal(ring_tail(&f->c), 6);
}

static void
lost_before_saturates(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(publish(f, 0, 0), 0);
	f->p.pending_lost = UINT32_MAX - 1;
	f->p.next_seq += UINT32_MAX - 1;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(publish(f, 0, 0), -ENOBUFS);
	for (unsigned i = 0; i < SLOTS; i++)
		take(f, 0, 0);
	release_all(f);
	assert_int_equal(publish(f, 0, 9), 0);
	assert_int_equal(take(f, 0, 9).lost_before, UINT32_MAX);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(order_and_wrap),
		T(identity_is_copied),
		T(full_is_a_counted_loss),
		T(evidence_wraps_whole),
		T(evidence_over_budget),
		T(evidence_fits_again_when_none_is_held),
		T(evidence_too_long),
		T(lapped_evidence_is_left_out),
		T(lapped_slots_are_a_hole),
		T(cursor_garbage_is_only_counted),
		T(cursor_page_scribbled),
		T(resumes_where_it_released),
		T(drains_after_the_producer),
		T(lost_before_saturates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
