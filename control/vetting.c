/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vetting.h"

#include "control/journal_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERDICTS_A_TURN 128u
#define ASK_AGAIN_NS 60000000000u
#define TELL_LATE_NS 3600000000000u

void
vetting_ask(struct vet *v, struct batch *b, uint32_t from)
{
	for (uint32_t i = from; i < b->n; i++) {
		struct entry *e = &b->e[i];
		if (!e->loss && e->vet.node == VET_ASKED && !vet_submit(v, e, b->evidence))
			e->vet.node = VET_NONE;
	}
}

static void
put(struct batch *b, const struct vet_job *j)
{
	struct entry *e = batch_entry(b, j->epoch, j->ring_id);
	e->record = j->record;
	e->from = e->to = j->record.seq;
	e->vet = j->vet;
	memcpy(e->rule_name, j->rule_name, sizeof e->rule_name);
	memcpy(b->evidence + b->evidence_n, j->evidence, j->evidence_len);
	e->evidence_at = b->evidence_n;
	e->evidence_len = j->evidence_len;
	b->evidence_n += j->evidence_len;
}

unsigned
vetting_take(struct vet *v, struct batch *b)
{
	unsigned n = 0;
	while (n < VERDICTS_A_TURN && batch_room(b) > BATCH_ENTRIES / 4 &&
		batch_evidence_room(b) > BATCH_EVIDENCE_BYTES / 4) {
		struct vet_job *j = vet_fetch(v);
		if (j == NULL)
			break;
		put(b, j);
		free(j);
		n++;
	}
	return n;
}

static bool
resume(struct vet *v, const struct journal_event *e, uint64_t now_ns)
{
	struct entry again = {.ring_id = e->ring_id,
		.from = e->from,
		.to = e->to,
		.vet = e->vet,
		.evidence_len = e->evidence_len,
		.record = e->record};
	memcpy(again.epoch, e->epoch, sizeof again.epoch);
	memcpy(again.rule_name, e->rule_name, sizeof again.rule_name);
	bool late = now_ns > e->t_journaled_ns && now_ns - e->t_journaled_ns > ASK_AGAIN_NS;
	return late ? vet_submit_late(v, &again, e->evidence) : vet_submit(v, &again, e->evidence);
}

int
vetting_resume(struct vet *v, struct journal *j, uint64_t now_ns)
{
	uint64_t *cursors = calloc(JOURNAL_UNVETTED_MAX, sizeof *cursors);
	struct journal_event *e = malloc(sizeof *e);
	struct journal_reader *r = journal_reader_new(j);
	int n = -EIO;
	if (cursors != NULL && e != NULL && r != NULL)
		n = journal_unvetted(r, now_ns > TELL_LATE_NS ? now_ns - TELL_LATE_NS : 0, cursors);
	/* The newest are those that matter: they come first while there is room. */
	for (int i = n - 1; i >= 0; i--) {
		uint64_t at = cursors[i] - 1;
		if (journal_read(r, &at, 1, e) == 1 && e->cursor == cursors[i] && !e->loss &&
			!resume(v, e, now_ns))
			break;
	}
	journal_reader_free(r);
	free(e);
	free(cursors);
	return n;
}
