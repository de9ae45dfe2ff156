/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipe: sizes at the edges, a model, and two threads (bounded by count). */
#include "worker/pipe.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CAP 4096u
#define STEPS 200000u
#define MESSAGES 300000u

struct fixture {
	struct pipe p;
	uint8_t *buf;
};

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof *f + 63) & ~(size_t)63);
	f->buf = aligned_alloc(64, CAP);
	pipe_init(&f->p, f->buf, CAP);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	free(f->buf);
	free(f);
	return 0;
}

static uint64_t
next(uint64_t *s) /* xorshift64 */
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

static bool
put(struct pipe *p, uint32_t bytes, uint8_t fill)
{
	uint8_t *m = pipe_reserve(p, bytes);
	if (m == NULL)
		return false;
	assert_int_equal((uintptr_t)m % 64, 8);
	assert_true(m >= p->buf && m + bytes <= p->buf + p->cap);
	memset(m, fill, bytes);
	pipe_commit(p);
	return true;
}

static void
take(struct pipe *p, uint32_t bytes, uint8_t fill)
{
	uint32_t n;
	uint8_t *m = pipe_peek(p, &n);
	assert_non_null(m);
	assert_int_equal(n, bytes);
	assert_ptr_equal(pipe_peek(p, &n), m); /* looking twice changes nothing */
	for (uint32_t i = 0; i < bytes; i++)
		assert_int_equal(m[i], fill);
	pipe_release(p);
}

static void
sizes_at_the_edges(void **state)
{
	struct fixture *f = *state;
	uint32_t n;
	static const uint32_t ok[] = {1, 7, 8, 55, 56, 57, 64, 120, 121, CAP / 2 - 8};
	static const uint32_t bad[] = {
		0, CAP / 2 - 7, CAP / 2, CAP, CAP + 1, UINT32_MAX - 64, UINT32_MAX - 8, UINT32_MAX};
	assert_null(pipe_peek(&f->p, &n));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_null(pipe_reserve(&f->p, bad[i]));
		pipe_commit(&f->p); /* nothing reserved: nothing happens */
		assert_int_equal(pipe_fill(&f->p), 0);
	}
	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++) {
			assert_true(put(&f->p, ok[i], (uint8_t)i));
			take(&f->p, ok[i], (uint8_t)i);
			assert_null(pipe_peek(&f->p, &n));
			assert_int_equal(pipe_fill(&f->p), 0);
		}
	}
	pipe_release(&f->p); /* nothing peeked at: nothing happens */
	assert_int_equal(pipe_fill(&f->p), 0);
}

static void
full_says_no(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;
	while (put(&f->p, 100, (uint8_t)n))
		n++;
	assert_int_equal(n, CAP / 128);
	assert_int_equal(pipe_fill(&f->p), CAP);
	assert_null(pipe_reserve(&f->p, 1));
	take(&f->p, 100, 0);
	assert_true(put(&f->p, 100, (uint8_t)n));
	assert_false(put(&f->p, 1, 0));
	for (unsigned i = 1; i <= n; i++)
		take(&f->p, 100, (uint8_t)i);
}

/* What would straddle the end starts over at the beginning, and waits for room there. */
static void
straddling(void **state)
{
	struct fixture *f = *state;
	assert_true(put(&f->p, CAP / 2 - 8, 1));
	assert_true(put(&f->p, CAP / 4 - 8, 2));
	assert_false(put(&f->p, CAP / 4, 3)); /* does not fit behind, nor yet in front */
	take(&f->p, CAP / 2 - 8, 1);
	uint8_t *m = pipe_reserve(&f->p, CAP / 4);
	assert_ptr_equal(m, f->buf + 8);
	memset(m, 3, CAP / 4);
	pipe_commit(&f->p);
	take(&f->p, CAP / 4 - 8, 2);
	take(&f->p, CAP / 4, 3);
	assert_int_equal(pipe_fill(&f->p), 0);
}

static void
a_reservation_is_forgotten(void **state)
{
	struct fixture *f = *state;
	uint32_t n;
	assert_non_null(pipe_reserve(&f->p, 1000));
	assert_null(pipe_peek(&f->p, &n));
	assert_null(pipe_reserve(&f->p, CAP));
	pipe_commit(&f->p);
	assert_null(pipe_peek(&f->p, &n));
	assert_true(put(&f->p, 10, 5));
	take(&f->p, 10, 5);
}

static void
as_a_queue(void **state)
{
	struct fixture *f = *state;
	struct {
		uint32_t bytes;
		uint8_t fill;
	} q[CAP / 64];
	uint64_t in = 0, taken = 0, refused = 0, s = 88172645463325252u, held = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		bool write = next(&s) % 16 < (i / 1000 % 2 ? 10 : 6);
		if (!write) {
			uint32_t n;
			if (in == taken) {
				assert_null(pipe_peek(&f->p, &n));
				continue;
			}
			held -= q[taken % (CAP / 64)].bytes;
			take(&f->p, q[taken % (CAP / 64)].bytes, q[taken % (CAP / 64)].fill);
			taken++;
			continue;
		}
		uint32_t bytes = 1 + (uint32_t)(next(&s) % (next(&s) % 8 ? 150 : CAP / 2 - 8));
		uint8_t fill = (uint8_t)next(&s);
		if (!put(&f->p, bytes, fill)) {
			refused++;
			/* An empty pipe takes anything; one that refuses is at least a quarter full, with
			 * what a skip wastes. */
			assert_true(in > taken);
			continue;
		}
		q[in % (CAP / 64)].bytes = bytes;
		q[in++ % (CAP / 64)].fill = fill;
		held += bytes;
		assert_true(held <= pipe_fill(&f->p) && pipe_fill(&f->p) <= CAP);
		assert_true(in - taken <= CAP / 64);
	}
	assert_true(taken > 10000 && refused > 1000);
}

static void *
produce(void *arg)
{
	struct pipe *p = arg;
	for (uint64_t seq = 1; seq <= MESSAGES;) {
		uint32_t words = 1 + (uint32_t)(seq * 2654435761u % 60);
		uint64_t *m = pipe_reserve(p, words * 8);
		if (m == NULL) {
			sched_yield();
			continue;
		}
		for (uint32_t i = 0; i < words; i++)
			m[i] = seq;
		pipe_commit(p);
		seq++;
	}
	return NULL;
}

static void
two_threads(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, produce, &f->p), 0);
	for (uint64_t seq = 1; seq <= MESSAGES;) {
		uint32_t n;
		const uint64_t *m = pipe_peek(&f->p, &n);
		if (m == NULL) {
			sched_yield();
			continue;
		}
		assert_int_equal(n, 8 * (1 + (uint32_t)(seq * 2654435761u % 60)));
		for (uint32_t i = 0; i < n / 8; i++)
			if (m[i] != seq)
				fail_msg("message %llu", (unsigned long long)seq);
		pipe_release(&f->p);
		seq++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(pipe_fill(&f->p), 0);
}

/* A consumer that keeps up is given the same memory over and over; one that lags gets all of it. */
static void
keeping_up_stays_hot(void **state)
{
	const uint32_t cap = 1u << 20, bytes = 1000;
	uint8_t *buf = aligned_alloc(64, cap);
	struct pipe p;
	uint32_t n;
	pipe_init(&p, buf, cap);
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t *m = pipe_reserve(&p, bytes);
		assert_non_null(m);
		assert_true(m + bytes <= buf + PIPE_HOT + bytes + 64);
		memset(m, (int)i, bytes);
		pipe_commit(&p);
		assert_true(pipe_fill(&p) <= bytes + 128); /* no fuller for having started over */
		const uint8_t *got = pipe_peek(&p, &n);
		assert_int_equal(n, bytes);
		assert_true(got[0] == (uint8_t)i && got[bytes - 1] == (uint8_t)i);
		pipe_release(&p);
	}
	for (uint32_t large = 1; large <= cap / 2 - 8; large = large * 3 + 61) { /* longer than what stays hot, from any place */
		assert_non_null(pipe_reserve(&p, large));
		pipe_commit(&p);
		assert_non_null(pipe_peek(&p, &n));
		assert_int_equal(n, large);
		pipe_release(&p);
	}
	unsigned held = 0;
	while (pipe_reserve(&p, bytes) != NULL) {
		pipe_commit(&p);
		held++;
	}
	assert_true((uint64_t)held * (bytes + 64) > cap - PIPE_HOT - 4096);
	for (unsigned i = 0; i < held; i++) {
		assert_non_null(pipe_peek(&p, &n));
		pipe_release(&p);
	}
	assert_null(pipe_peek(&p, &n));
	free(buf);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(keeping_up_stays_hot), T(sizes_at_the_edges),
		T(full_says_no),
		T(straddling),
		T(a_reservation_is_forgotten),
		T(as_a_queue),
		T(two_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
