/* SPDX-License-Identifier: BSD-3-Clause */
/* words: what the worker of a rig says of evidence, written down on its way to the correlator. */
#ifndef WORDS_H
#define WORDS_H

#include "rig.h"

#include "worker/worker_private.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 1024u
#define MS 1000000ull

struct words {
	struct fact_evidence_item item[WORDS_MAX];
	uint32_t n;
	struct fact_node node; /* the last */
	unsigned nodes;
	uint64_t t_ns; /* of the last word */
};

/* Lets the correlator take all there is, message by message. */
__attribute__((unused)) static void
listen(struct rig *g, struct words *said)
{
	uint32_t bytes;
	void *m;
	while ((m = pipe_peek(worker_pipe(g->w), &bytes)) != NULL) {
		const struct fact_evidence *e = m;
		if (e->kind == FACT_NODE) {
			memcpy(&said->node, m, sizeof said->node);
			said->nodes++;
		}
		for (uint32_t i = 0; e->kind == FACT_EVIDENCE && i < e->n; i++) {
			if (said->n == WORDS_MAX || bytes != sizeof *e + e->n * sizeof e->item[0] || fact_waits(m))
				rig_fail("too many words, or too long");
			said->item[said->n++] = e->item[i];
			said->t_ns = fact_time(m);
		}
		correlator_poll(&g->cor, 1, g->now_ns);
	}
}

/* Lets time pass in which nothing comes. */
__attribute__((unused)) static void
wait(struct rig *g, struct words *said, uint64_t ns)
{
	g->now_ns += ns;
	worker_housekeep(g->w, g->now_ns);
	listen(g, said);
}

/* Clean words on a transaction, or those that are not. */
__attribute__((unused)) static unsigned
count(const struct rig *g, const struct words *said, struct span tx, bool of_answer, bool clean)
{
	uint64_t fp = seen_fingerprint(g->w->seen, tx);
	unsigned n = 0;
	for (uint32_t i = 0; i < said->n; i++)
		n += said->item[i].fingerprint == fp && said->item[i].of_answer == of_answer && fact_evidence_clean(&said->item[i]) == clean;
	return n;
}

__attribute__((unused)) static void
give_back(struct span tx)
{
	free((void *)(uintptr_t)tx.p);
}

__attribute__((unused)) static void
say(struct rig *g, struct rig_flow *f, struct span tx)
{
	struct text body = {0}, t = {0};
	text_raw(&body, tx);
	text_post(&t, "", &body);
	rig_say(g, f, 0, text_span(&t));
	text_free(&body);
	text_free(&t);
}

/* A segment without bytes. */
__attribute__((unused)) static void
ack(struct rig *g, const struct rig_flow *f, unsigned dir)
{
	rig_at(g, f, dir, f->sent[dir], (struct span){0});
}

#endif
