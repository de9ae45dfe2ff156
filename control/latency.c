/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/latency.h"

#include <stdatomic.h>

void
latency_begin(struct latency *l, const struct batch *b)
{
	l->n_due = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct entry *e = &b->e[i];
		if (e->loss || entry_is_verdict(e) || e->front_ns != 0 || e->record.t_cause_ns == 0)
			continue;
		l->due[l->n_due++] = (struct latency_due){e->record.t_cause_ns, (uint8_t)latency_feed_of(e->record.carrier)};
	}
}

void
latency_committed(struct latency *l, uint64_t wall_ns)
{
	for (uint32_t i = 0; i < l->n_due; i++)
		hist_add_shared(&l->stage[LATENCY_JOURNALED][l->due[i].feed], l->due[i].from_ns, wall_ns);
	l->n_due = 0;
}

void
latency_put(struct latency *l, struct latency_follow *f, uint64_t cursor, const struct alert_record *r, uint64_t end)
{
	if (r->t_cause_ns == 0)
		return;
	if (f->put - f->acked == LATENCY_FOLLOWED) {
		atomic_fetch_add_explicit(&l->unfollowed, 1, memory_order_relaxed);
		f->acked++;
		f->written = f->written < f->acked ? f->acked : f->written;
	}
	f->e[f->put++ % LATENCY_FOLLOWED] =
		(struct latency_sent){.cursor = cursor, .from_ns = r->t_cause_ns, .end = end, .feed = (uint8_t)latency_feed_of(r->carrier)};
}

void
latency_written(struct latency *l, struct latency_follow *f, uint64_t at, uint64_t (*clock)(void))
{
	uint64_t now_ns = 0;
	for (; f->written < f->put && f->e[f->written % LATENCY_FOLLOWED].end <= at; f->written++) {
		const struct latency_sent *e = &f->e[f->written % LATENCY_FOLLOWED];
		now_ns = now_ns != 0 ? now_ns : clock();
		hist_add_shared(&l->stage[LATENCY_DELIVERED][e->feed], e->from_ns, now_ns);
	}
}

/* What is not written cannot be acknowledged, whatever a consumer says. */
void
latency_acked(struct latency *l, struct latency_follow *f, uint64_t cursor, uint64_t (*clock)(void))
{
	uint64_t now_ns = 0;
	for (; f->acked < f->written && f->e[f->acked % LATENCY_FOLLOWED].cursor <= cursor; f->acked++) {
		const struct latency_sent *e = &f->e[f->acked % LATENCY_FOLLOWED];
		now_ns = now_ns != 0 ? now_ns : clock();
		hist_add_shared(&l->stage[LATENCY_ACKED][e->feed], e->from_ns, now_ns);
	}
}
