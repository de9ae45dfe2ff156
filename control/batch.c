/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
batch_new(struct batch *b)
{
	*b = (struct batch){
		.e = calloc(BATCH_ENTRIES, sizeof *b->e), .evidence = malloc(BATCH_EVIDENCE_BYTES)};
	if (b->e != NULL && b->evidence != NULL)
		return 0;
	batch_free(b);
	return -ENOMEM;
}

void
batch_free(struct batch *b)
{
	free(b->e);
	free(b->evidence);
	*b = (struct batch){0};
}

struct entry *
batch_entry(struct batch *b, const uint8_t epoch[8], uint32_t ring_id)
{
	if (b->n == BATCH_ENTRIES)
		return NULL;
	struct entry *e = &b->e[b->n++];
	memset(e, 0, sizeof *e);
	memcpy(e->epoch, epoch, sizeof e->epoch);
	e->ring_id = ring_id;
	return e;
}

bool
entry_is_verdict(const struct entry *e)
{
	return !e->loss && e->vet.node > VET_ASKED;
}

bool
entry_same_ring(const struct entry *a, const struct entry *b)
{
	return a->ring_id == b->ring_id && memcmp(a->epoch, b->epoch, sizeof a->epoch) == 0;
}

uint64_t
entry_journaled_ns(const struct entry *e, uint64_t now_ns)
{
	return e->front_ns != 0 ? e->front_ns : now_ns;
}

unsigned
entry_grade(const struct alert_record *r, const struct event_vet *vet)
{
	return vet->node == VET_ASKED && r->grade > GRADE_PAGE ? GRADE_PAGE : r->grade;
}

uint32_t
batch_room(const struct batch *b)
{
	return BATCH_ENTRIES - b->n;
}

uint32_t
batch_evidence_room(const struct batch *b)
{
	return BATCH_EVIDENCE_BYTES - b->evidence_n;
}

uint64_t
batch_lost(const struct batch *b)
{
	uint64_t seqs = 0;
	for (uint32_t i = 0; i < b->n; i++)
		if (b->e[i].loss && !b->e[i].notice)
			seqs += b->e[i].to - b->e[i].from + 1;
	return seqs;
}

uint32_t
batch_kept(const struct batch *b)
{
	uint32_t records = 0;
	for (uint32_t i = 0; i < b->n; i++)
		records += !b->e[i].loss && !entry_is_verdict(&b->e[i]) && b->e[i].front_ns == 0;
	return records;
}

uint32_t
batch_front(const struct batch *b)
{
	uint32_t records = 0;
	for (uint32_t i = 0; i < b->n; i++)
		records += b->e[i].front_ns != 0;
	return records;
}

/* Their records are in the journal already, or on the way there: they are no losses of the ring's. */
static void
drop_verdicts(struct batch *b, uint32_t from, unsigned below_grade)
{
	uint32_t n = from;
	for (uint32_t i = from; i < b->n; i++) {
		if (entry_is_verdict(&b->e[i]) && b->e[i].record.grade < below_grade) {
			b->verdicts_shed++;
			continue;
		}
		if (n != i)
			b->e[n] = b->e[i];
		n++;
	}
	b->n = n;
}

static void
drop_notices(struct batch *b)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->e[i].notice) {
			b->notices_shed++;
			continue;
		}
		if (n != i)
			b->e[n] = b->e[i];
		n++;
	}
	b->n = n;
}

static void
lose(struct entry *e)
{
	e->loss = true;
	e->reason = LOSS_NAME_JOURNAL;
	e->evidence_len = 0;
}

/* The last entry of the same ring among the first n, or NULL. */
static struct entry *
last_of_ring(struct batch *b, uint32_t n, const struct entry *e)
{
	while (n > 0) {
		const struct entry *before = &b->e[--n];
		if (!entry_is_verdict(before) && entry_same_ring(before, e))
			return &b->e[n];
	}
	return NULL;
}

/* Losses that touch become one; with any_reason, whatever their reasons. */
static void
merge(struct batch *b, bool any_reason)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct entry *e = &b->e[i];
		struct entry *before = e->loss ? last_of_ring(b, n, e) : NULL;
		if (before != NULL && before->loss && before->to + 1 == e->from &&
			(any_reason || strcmp(before->reason, e->reason) == 0)) {
			before->to = e->to;
			continue;
		}
		if (n != i)
			b->e[n] = *e;
		n++;
	}
	b->n = n;
}

/* Moves what evidence is still wanted to the front. Entries lie in the order of their evidence. */
static void
pack_evidence(struct batch *b)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct entry *e = &b->e[i];
		if (e->evidence_len == 0)
			continue;
		if (at + e->evidence_len > BATCH_EVIDENCE_BYTES / 2) {
			e->evidence_len = 0;
			e->record.trust |= TRUST_NO_EVIDENCE;
			continue;
		}
		memmove(b->evidence + at, b->evidence + e->evidence_at, e->evidence_len);
		e->evidence_at = at;
		at += e->evidence_len;
	}
	b->evidence_n = at;
}

void
batch_shed(struct batch *b)
{
	drop_notices(b);
	drop_verdicts(b, 0, GRADE_PAUSE);
	for (uint32_t i = 0; i < b->n; i++) {
		if (!b->e[i].loss && b->e[i].record.grade < GRADE_PAUSE && b->e[i].front_ns == 0)
			lose(&b->e[i]);
	}
	merge(b, false);
	if (b->n > BATCH_ENTRIES / 2) {
		drop_verdicts(b, BATCH_ENTRIES / 4, GRADE_MAX + 1);
		for (uint32_t i = BATCH_ENTRIES / 4; i < b->n; i++)
			if (!b->e[i].loss)
				lose(&b->e[i]);
		merge(b, true);
	}
	pack_evidence(b);
}
