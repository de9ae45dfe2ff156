/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring between two threads: sequences when both are honest, bounds when one is not. Bounded by count, never
 * by time. */
#include "records.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SLOTS 64u
#define RECORDS 200000u
#define HOSTILE_STEPS 200000u
#define EVIDENCE RING_EVIDENCE_MIN

struct pair {
	struct ring_producer p;
	struct ring_consumer c;
	_Atomic bool stop, done;
	uint64_t lost, without;
};

static const uint8_t epoch[8];

static void
pair_open(struct pair *x)
{
	memset(x, 0, sizeof *x);
	assert_int_equal(ring_create(&x->p, epoch, 1, LANE_NORMAL, SLOTS, EVIDENCE), 0);
	assert_int_equal(ring_attach(&x->c, x->p.ring_fd, x->p.evidence_fd, x->p.cursor_fd), 0);
}

static void
pair_close(struct pair *x)
{
	ring_detach(&x->c);
	ring_destroy(&x->p);
}

static uint32_t
length_of(uint64_t seq)
{
	return seq % 3 == 0 ? 0 : (uint32_t)(seq * 2654435761u % 6000);
}

/* Record and evidence are functions of the seq. */
static void *
produce(void *arg)
{
	struct pair *x = arg;
	static uint8_t bytes[6000];
	for (uint64_t seq = 1; seq <= RECORDS; seq++) {
		struct alert_record r = record_plain();
		r.nonce = r.gas = ~seq;
		memset(bytes, (int)(seq & 0xff), sizeof bytes);
		x->lost += ring_publish(&x->p, &r, (struct span){bytes, length_of(seq)}) != 0;
		if (seq % 97 == 0)
			sched_yield();
	}
	atomic_store(&x->done, true);
	return NULL;
}

static void
check(struct pair *x, const struct alert_record *r, const uint8_t *buf, uint32_t len)
{
	assert_true(r->nonce == ~r->seq && r->gas == ~r->seq);
	if (r->trust & TRUST_NO_EVIDENCE) {
		x->without++;
		assert_int_equal(len, 0);
		return;
	}
	assert_int_equal(len, length_of(r->seq));
	for (uint32_t i = 0; i < len; i++)
		if (buf[i] != (uint8_t)r->seq)
			fail_msg("evidence of %llu", (unsigned long long)r->seq);
}

static void
honest_threads(void **state)
{
	struct pair x;
	uint8_t *buf = malloc(RING_EVIDENCE_ONE_MAX);
	pthread_t thread;
	uint64_t got = 0, holes = 0, last = 0;
	pair_open(&x);
	assert_int_equal(pthread_create(&thread, NULL, produce, &x), 0);
	for (;;) {
		struct alert_record r;
		uint32_t len;
		bool done = atomic_load(&x.done);
		int rc = ring_read(&x.c, &r, buf, &len);
		if (rc == 0) {
			if (done)
				break;
			sched_yield();
			continue;
		}
		assert_int_equal(rc, 1);
		assert_int_equal(r.seq, last + r.lost_before + 1);
		check(&x, &r, buf, len);
		holes += r.lost_before;
		last = r.seq;
		if (++got % 5 == 0)
			ring_release(&x.c, x.c.next);
	}
	pthread_join(thread, NULL);
	assert_int_equal(ring_tail(&x.c), RECORDS + 1);
	assert_int_equal(got + x.lost, RECORDS);
	assert_int_equal(holes + (RECORDS - last), x.lost);
	assert_int_equal(x.p.h->lost[LOSS_RING_FULL], x.lost);
	assert_int_equal(x.p.cursor_bad, 0);
	assert_true(got >= SLOTS);
	pair_close(&x);
	free(buf);
}

/* Writes into the cursor page without rest. */
static void *
scribble_cursor(void *arg)
{
	struct pair *x = arg;
	struct rng g = {7};
	for (uint64_t i = 0; !atomic_load(&x->stop); i++) {
		uint64_t v = rng_next(&g);
		switch (i % 4) {
		case 0:
			ring_release(&x->c, v);
			break;
		case 1:
			ring_release(&x->c, UINT64_MAX);
			break;
		case 2:
			ring_release(&x->c, v % (2 * HOSTILE_STEPS));
			break;
		default:
			ring_release(&x->c, 0);
			break;
		}
	}
	return NULL;
}

static void
racing_cursor(void **state)
{
	struct pair x;
	uint8_t *buf = calloc(1, RING_EVIDENCE_ONE_MAX);
	pthread_t thread;
	uint64_t ok = 0, lost = 0;
	pair_open(&x);
	assert_int_equal(pthread_create(&thread, NULL, scribble_cursor, &x), 0);
	for (unsigned i = 0; i < HOSTILE_STEPS; i++) {
		struct alert_record r = record_plain();
		int rc = ring_publish(&x.p, &r, (struct span){buf, i % 7000});
		ok += rc == 0;
		lost += rc == -ENOBUFS;
		assert_true(x.p.consumed <= x.p.head && x.p.head - x.p.consumed <= SLOTS);
		assert_true(x.p.evidence_tail <= x.p.evidence_head &&
			    x.p.evidence_head - x.p.evidence_tail <= EVIDENCE);
		if (i % 50 == 0)
			sched_yield();
	}
	atomic_store(&x.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(ok + lost, HOSTILE_STEPS);
	assert_int_equal(x.p.head, ok);
	assert_int_equal(x.p.h->lost[LOSS_RING_FULL], lost);
	assert_true(x.p.cursor_bad > 0);
	/* and a good consumer is served at once */
	ring_release(&x.c, x.p.head);
	struct alert_record r = record_plain();
	assert_int_equal(ring_publish(&x.p, &r, (struct span){buf, 4}), 0);
	pair_close(&x);
	free(buf);
}

/* A producer gone mad: it writes whatever wherever it can, valid records among it. */
static void *
scribble_ring(void *arg)
{
	struct pair *x = arg;
	struct rng g = {11};
	for (uint64_t i = 0; !atomic_load(&x->stop); i++) {
		struct ring_slot *slot = &x->p.slots[rng_below(&g, SLOTS)];
		switch (i % 8) {
		case 0:
			atomic_store(&x->p.h->head, rng_below(&g, 4) ? i : rng_next(&g) >> rng_below(&g, 64));
			break;
		case 1:
			slot->record = record_random(&g);
			break;
		case 2:
			rng_fill(&g, (uint8_t *)&slot->record + rng_below(&g, sizeof slot->record - 8), 8);
			break;
		case 3:
			slot->record.evidence_len = (uint32_t)rng_next(&g) >> rng_below(&g, 32);
			slot->record.evidence_at = rng_next(&g) >> rng_below(&g, 64);
			break;
		case 4:
			rng_fill(&g, x->p.h, sizeof *x->p.h);
			break;
		case 5:
			rng_fill(&g, x->p.evidence + rng_below(&g, EVIDENCE - 64), 64);
			break;
		default:
			for (uint64_t k = 0; k < SLOTS; k++)
				atomic_store(&x->p.slots[(x->c.next + k) % SLOTS].commit, x->c.next + k + 1);
			break;
		}
	}
	return NULL;
}

static void
mad_producer(void **state)
{
	struct pair x;
	uint8_t *buf = malloc(RING_EVIDENCE_ONE_MAX);
	pthread_t thread;
	unsigned count[3] = {0};
	pair_open(&x);
	assert_int_equal(pthread_create(&thread, NULL, scribble_ring, &x), 0);
	/* on a busy machine the other thread may not have run yet: go on until it has done harm */
	for (unsigned i = 0; i < HOSTILE_STEPS || (count[0] == 0 && i < 200 * HOSTILE_STEPS); i++) {
		struct alert_record r;
		uint32_t len;
		uint64_t before = x.c.next;
		int rc = ring_read(&x.c, &r, buf, &len);
		count[rc == 1 ? 2 : rc == 0 ? 1 : 0]++;
		assert_true(rc == 1 || rc == 0 || rc == -EPROTO);
		assert_true(len <= RING_EVIDENCE_ONE_MAX && (rc == 1 || len == 0));
		assert_true(x.c.next >= before);
		if (rc == 1) {
			assert_int_equal(alert_record_check(&r), 0);
			assert_true(len == 0 || len == r.evidence_len);
		}
		ring_tail(&x.c);
		ring_release(&x.c, x.c.next);
		if (x.c.next > UINT64_MAX / 2) /* a mad head sends it there, once and for all */
			x.c.next = 0;
		if (i % 50 == 0)
			sched_yield();
	}
	atomic_store(&x.stop, true);
	pthread_join(thread, NULL);
	assert_true(count[0] > 0); /* corrupt slots there were */
	pair_close(&x);
	free(buf);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest honest[] = {cmocka_unit_test(honest_threads)};
	const struct CMUnitTest hostile[] = {cmocka_unit_test(racing_cursor), cmocka_unit_test(mad_producer)};
	int failed = cmocka_run_group_tests(honest, NULL, NULL);
	/* A mad producer races by design: nothing for a race detector. */
	return argc > 1 ? failed : failed + cmocka_run_group_tests(hostile, NULL, NULL);
}
