/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring against a plain queue: random steps, every answer foretold. */
#include "records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SLOTS 16u
#define EVIDENCE (1u << 19)
#define STEPS 100000

/* What the queue holds of a record. */
struct held {
	uint64_t seq;
	uint32_t lost_before, evidence_len;
	bool without; /* flagged: no evidence */
};

struct model {
	struct ring_producer p;
	struct ring_consumer c;
	struct held of[SLOTS];
	uint64_t published, read, released, next_seq, evidence_held;
	uint32_t lost;
	uint64_t n_lost, n_without, n_long;
	uint8_t *buf, *source;
	struct rng g;
};

/* Evidence of seq: a window into fixed random bytes, so that any mix-up shows. */
static struct span
evidence_of(const struct model *m, uint64_t seq, uint32_t len)
{
	return (struct span){m->source + seq * 977 % 65536, len};
}

static void
step_publish(struct model *m)
{
	static const uint32_t lens[] = {0, 1, 110, 420, 5000, 60000, RING_EVIDENCE_ONE_MAX, RING_EVIDENCE_ONE_MAX + 1};
	uint32_t len = lens[rng_below(&m->g, 8)];
	struct alert_record r = record_plain();
	uint64_t seq = m->next_seq++;
	int rc = ring_publish(&m->p, &r, evidence_of(m, seq, len));
	assert_int_equal(r.seq, seq);
	if (m->published - m->released == SLOTS) {
		assert_int_equal(rc, -ENOBUFS);
		m->lost++;
		m->n_lost++;
		return;
	}
	assert_int_equal(rc, 0);
	struct held *h = &m->of[m->published++ % SLOTS];
	*h = (struct held){seq, m->lost, r.evidence_len, r.trust & TRUST_NO_EVIDENCE};
	m->lost = 0;
	if (h->without) {
		/* Only for want of room: what is held, and what a skip at the end may waste, now and before. */
		assert_true(len > RING_EVIDENCE_ONE_MAX ||
			m->evidence_held + len + 2 * RING_EVIDENCE_ONE_MAX > EVIDENCE);
		assert_int_equal(h->evidence_len, 0);
		m->n_without++;
	} else {
		assert_int_equal(h->evidence_len, len);
	}
	m->n_long += len > RING_EVIDENCE_ONE_MAX;
	m->evidence_held += h->evidence_len;
}

static void
step_read(struct model *m)
{
	struct alert_record r;
	uint32_t len;
	int rc = ring_read(&m->c, &r, m->buf, &len);
	if (m->read == m->published) {
		assert_int_equal(rc, 0);
		assert_int_equal(ring_tail(&m->c), m->next_seq);
		return;
	}
	assert_int_equal(rc, 1);
	const struct held *h = &m->of[m->read++ % SLOTS];
	assert_int_equal(r.seq, h->seq);
	assert_int_equal(r.lost_before, h->lost_before);
	assert_int_equal(r.lost_reason, h->lost_before ? LOSS_RING_FULL : LOSS_NONE);
	assert_int_equal(len, h->evidence_len);
	assert_int_equal((r.trust & TRUST_NO_EVIDENCE) != 0, h->without);
	assert_memory_equal(m->buf, evidence_of(m, r.seq, len).p, len);
	if (m->read < m->published)
		assert_int_equal(ring_tail(&m->c), r.seq + 1);
}

static void
step_release(struct model *m)
{
	uint64_t upto = m->released + rng_below(&m->g, (uint32_t)(m->read - m->released) + 1);
	for (; m->released < upto; m->released++)
		m->evidence_held -= m->of[m->released % SLOTS].evidence_len;
	ring_release(&m->c, upto);
}

/* What a restart of control does. */
static void
step_reattach(struct model *m)
{
	ring_detach(&m->c);
	assert_int_equal(ring_attach(&m->c, m->p.ring_fd, m->p.evidence_fd, m->p.cursor_fd), 0);
	assert_int_equal(m->c.next, m->released);
	m->read = m->released;
	m->c.last_seq = m->released > 0 ? m->next_seq - 1 : 0;
	if (m->read < m->published)
		m->c.last_seq = m->of[m->read % SLOTS].seq - 1;
	else
		m->c.last_seq = m->next_seq - 1 - m->lost;
}

static void
as_a_queue(void **state)
{
	static const uint8_t epoch[8];
	struct model m = {.next_seq = 1, .g = {2024}};
	m.buf = malloc(RING_EVIDENCE_ONE_MAX);
	m.source = malloc(65536 + RING_EVIDENCE_ONE_MAX + 1);
	rng_fill(&m.g, m.source, 65536 + RING_EVIDENCE_ONE_MAX + 1);
	assert_int_equal(ring_create(&m.p, epoch, 0, LANE_NORMAL, SLOTS, EVIDENCE), 0);
	assert_int_equal(ring_attach(&m.c, m.p.ring_fd, m.p.evidence_fd, m.p.cursor_fd), 0);
	unsigned eager = 3; /* of 8: how eager the consumer is, changed now and then */
	for (unsigned i = 0; i < STEPS; i++) {
		if (i % 500 == 0)
			eager = 1 + rng_below(&m.g, 5);
		uint32_t k = rng_below(&m.g, 8);
		if (k < eager)
			step_read(&m);
		else if (k == 7 && rng_below(&m.g, 2))
			step_release(&m);
		else if (k == 7 && rng_below(&m.g, 50) == 0)
			step_reattach(&m);
		else
			step_publish(&m);
	}
	assert_int_equal(m.p.h->lost[LOSS_RING_FULL], m.n_lost);
	assert_int_equal(m.published + m.n_lost, m.next_seq - 1);
	assert_int_equal(m.p.cursor_bad, 0);
	assert_true(m.n_lost > 1000 && m.published > 1000 && m.n_without > m.n_long && m.n_long > 100);
	ring_detach(&m.c);
	ring_destroy(&m.p);
	free(m.buf);
	free(m.source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_queue)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
