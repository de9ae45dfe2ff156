/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of bytes: proven if their receiver acknowledged them and nothing belied it, and never of forged ones. */
#include "rig.h"

#include "worker/worker_private.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 512u
#define MS 1000000ull

static const struct span nothing;

struct words {
	struct fact_evidence_item item[WORDS_MAX];
	uint32_t n;
	struct fact_node node;
};

static void
give_back(struct span tx)
{
	free((void *)(uintptr_t)tx.p);
}

static struct span
string(const char *s)
{
	return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

/* Lets the correlator take all there is, message by message, and writes down what is said of evidence. */
static void
listen(struct rig *g, struct words *said)
{
	uint32_t bytes;
	void *m;
	while ((m = pipe_peek(worker_pipe(g->w), &bytes)) != NULL) {
		const struct fact_evidence *e = m;
		if (e->kind == FACT_NODE)
			memcpy(&said->node, m, sizeof said->node);
		for (uint32_t i = 0; e->kind == FACT_EVIDENCE && i < e->n; i++) {
			assert_true(said->n < WORDS_MAX);
			said->item[said->n++] = e->item[i];
		}
		correlator_poll(&g->cor, 1, g->now_ns);
	}
}

/* Lets time pass in which nothing comes. */
static void
wait(struct rig *g, struct words *said, uint64_t ns)
{
	g->now_ns += ns;
	worker_housekeep(g->w, g->now_ns);
	listen(g, said);
}

static unsigned
count(const struct rig *g, const struct words *said, struct span tx, bool of_answer, bool clean)
{
	uint64_t fp = seen_fingerprint(g->w->seen, tx);
	unsigned n = 0;
	for (uint32_t i = 0; i < said->n; i++)
		n += said->item[i].fingerprint == fp && said->item[i].of_answer == of_answer && fact_evidence_clean(&said->item[i]) == clean;
	return n;
}

static void
post(struct text *out, struct span tx)
{
	struct text body = {0};
	text_raw(&body, tx);
	text_post(out, "", &body);
	text_free(&body);
}

static void
say(struct rig *g, struct rig_flow *f, struct span tx)
{
	struct text t = {0};
	post(&t, tx);
	rig_say(g, f, 0, text_span(&t));
	text_free(&t);
}

static void
ack(struct rig *g, const struct rig_flow *f, unsigned dir)
{
	rig_at(g, f, dir, f->sent[dir], nothing);
}

static void
acknowledged_is_proven(void **state)
{
	struct rig g;
	struct rig_flow f;
	static struct words said;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	said.n = 0;
	rig_new(&g);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	wait(&g, &said, 50 * MS);
	assert_int_equal(said.n, 0);
	ack(&g, &f, 1);
	wait(&g, &said, MS / 2);
	assert_int_equal(said.n, 0); /* not yet */
	wait(&g, &said, MS / 2);
	assert_int_equal(said.n, 1);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	assert_int_equal(said.item[0].trust, 0);
	assert_true(said.item[0].acked);
	assert_int_equal(g.c[CTR_EVIDENCE_PROVEN], 1);
	assert_int_equal(g.w->evidence.n_plain[0], 0);
	rig_stop(&g);
	give_back(tx);
}

static void
unacknowledged_is_not(void **state)
{
	struct rig g;
	struct rig_flow f;
	static struct words said;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	said.n = 0;
	rig_new(&g);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
	wait(&g, &said, 5 * MS);
	assert_int_equal(said.n, 1);
	assert_int_equal(count(&g, &said, tx, false, false), 1);
	assert_true(said.item[0].trust & TRUST_NOT_ACKED);
	assert_int_equal(g.c[CTR_EVIDENCE_ENDED], 1);
	rig_stop(&g);
	give_back(tx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledged_is_proven),
		cmocka_unit_test(unacknowledged_is_not),
	};
	(void)string;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
