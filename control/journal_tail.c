/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_tail.h"

#include "control/realtime.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void
tail_init(struct journal_tail *t)
{
	realtime_mutex_init(&t->lock);
}

void
tail_end(struct journal_tail *t)
{
	pthread_mutex_destroy(&t->lock);
}

static void
put(struct tail_slot *s, const struct entry *e, const uint8_t *evidence, uint64_t cursor, uint64_t journaled_ns)
{
	uint32_t n = e->record.evidence_len != 0 ? e->evidence_len : 0;
	s->event.cursor = 0;
	if (e->loss || n > TAIL_EVIDENCE_BYTES)
		return;
	s->event = (struct journal_event){.cursor = cursor,
		.ring_id = e->ring_id,
		.from = e->record.seq,
		.to = e->record.seq,
		.t_journaled_ns = entry_journaled_ns(e, journaled_ns),
		.record = e->record,
		.vet = e->vet,
		.evidence_len = n};
	memcpy(s->event.epoch, e->epoch, sizeof s->event.epoch);
	memcpy(s->event.rule_name, e->rule_name, sizeof s->event.rule_name);
	memcpy(s->evidence, evidence + e->evidence_at, n);
}

void
tail_put(struct journal_tail *t, const struct batch *b, const uint64_t *cursor, uint64_t journaled_ns)
{
	uint32_t from = b->n > TAIL_EVENTS ? b->n - TAIL_EVENTS : 0;
	pthread_mutex_lock(&t->lock);
	for (uint32_t i = from; i < b->n; i++)
		if (cursor[i] != 0)
			put(&t->slot[cursor[i] % TAIL_EVENTS], &b->e[i], b->evidence, cursor[i], journaled_ns);
	pthread_mutex_unlock(&t->lock);
}

int
tail_read(struct journal_tail *t, uint64_t *at, uint64_t head, unsigned min_grade, struct journal_event *e, uint8_t *evidence)
{
	int rc = 0;
	if (head - *at > TAIL_EVENTS)
		return -ENOENT;
	pthread_mutex_lock(&t->lock);
	for (uint64_t c = *at + 1; c <= head && rc == 0; c++) {
		const struct tail_slot *s = &t->slot[c % TAIL_EVENTS];
		if (s->event.cursor != c) {
			rc = -ENOENT;
			break;
		}
		*at = c;
		if (entry_grade(&s->event.record, &s->event.vet) < min_grade)
			continue;
		*e = s->event;
		memcpy(evidence, s->evidence, s->event.evidence_len);
		e->evidence = evidence;
		rc = 1;
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

bool
tail_has(struct journal_tail *t, uint64_t at, uint64_t head)
{
	bool all = head - at <= TAIL_EVENTS;
	pthread_mutex_lock(&t->lock);
	for (uint64_t c = at + 1; c <= head && all; c++)
		all = t->slot[c % TAIL_EVENTS].event.cursor == c;
	pthread_mutex_unlock(&t->lock);
	return all;
}

uint64_t
tail_find(struct journal_tail *t, const uint8_t epoch[8], uint32_t ring_id, uint64_t seq, uint64_t above, uint64_t head)
{
	uint64_t found = 0;
	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < TAIL_EVENTS && found == 0; i++) {
		const struct journal_event *e = &t->slot[i].event;
		if (e->cursor > above && e->cursor <= head && e->vet.node <= VET_ASKED && e->from == seq && e->ring_id == ring_id && memcmp(e->epoch, epoch, sizeof e->epoch) == 0)
			found = e->cursor;
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}
