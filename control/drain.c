/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/drain.h"

#include "control/realtime.h"
#include "control/vet_answer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

void
drain_init(struct drain *n)
{
	memset(n, 0, sizeof *n);
	realtime_mutex_init(&n->lock);
}

void
drain_detach(struct drain *n)
{
	pthread_mutex_lock(&n->lock);
	if (n->attached)
		dataplane_free(&n->d);
	n->attached = n->alive = false;
	pthread_mutex_unlock(&n->lock);
}

void
drain_end(struct drain *n)
{
	drain_detach(n);
	pthread_mutex_destroy(&n->lock);
}

/* What this process knows of a ring it has read before, even if the journal could not be told. */
static uint64_t
known_seq(const struct drain *n, const uint8_t epoch[8], uint32_t ring_id)
{
	for (uint32_t i = 0; n->attached && i < n->d.n_rings; i++)
		if (n->d.ring[i].ring_id == ring_id && memcmp(n->d.epoch, epoch, sizeof n->d.epoch) == 0)
			return n->ring[i].last_seq;
	return 0;
}

void
drain_attach(struct drain *n, struct dataplane *d, struct journal *j)
{
	struct drain_ring fresh[ATTACH_RINGS_MAX];
	memset(fresh, 0, sizeof fresh);
	for (uint32_t i = 0; i < d->n_rings; i++) {
		struct journal_progress p;
		uint64_t known = known_seq(n, d->epoch, d->ring[i].ring_id);
		journal_ring(j, d->epoch, d->ring[i].ring_id, &p);
		fresh[i].last_seq = p.last_seq > known ? p.last_seq : known;
		fresh[i].elsewhere = fresh[i].last_seq == 0 && d->ring[i].next > 0;
		d->ring[i].last_seq = fresh[i].last_seq;
	}
	drain_detach(n);
	pthread_mutex_lock(&n->lock);
	n->d = *d;
	memcpy(n->ring, fresh, sizeof fresh);
	n->attached = n->alive = true;
	pthread_mutex_unlock(&n->lock);
}

void
drain_names(struct drain *n, struct rule_names *names, uint64_t generation)
{
	pthread_mutex_lock(&n->lock);
	rule_names_free(n->d.names);
	n->d.names = names;
	n->d.generation = generation;
	pthread_mutex_unlock(&n->lock);
}

void
drain_gone(struct drain *n)
{
	pthread_mutex_lock(&n->lock);
	n->alive = false;
	pthread_mutex_unlock(&n->lock);
}

/* ---- holes ---- */

static void
lose(struct drain *n, uint32_t i, struct batch *b, uint64_t from, uint64_t to, const char *reason)
{
	struct entry *e = batch_entry(b, n->d.epoch, n->d.ring[i].ring_id);
	e->loss = true;
	e->from = from;
	e->to = to;
	e->reason = reason;
	n->ring[i].lost += to - from + 1;
	n->ring[i].last_seq = to;
}

/* Seqs up to `to` will not come. The youngest `full` of them found the ring full; slots that were stepped
 * over account for as many of the others. */
static void
lose_up_to(struct drain *n, uint32_t i, struct batch *b, uint64_t to, uint64_t full)
{
	struct drain_ring *r = &n->ring[i];
	uint64_t hole = to - r->last_seq;
	if (full > hole)
		full = hole;
	if (r->elsewhere && hole > full)
		lose(n, i, b, r->last_seq + 1, to - full, LOSS_NAME_ELSEWHERE);
	else if (hole > full && r->corrupt >= hole - full)
		lose(n, i, b, r->last_seq + 1, to - full, LOSS_NAME_CORRUPT);
	else if (hole > full && r->corrupt > 0) {
		lose(n, i, b, r->last_seq + 1, r->last_seq + r->corrupt, LOSS_NAME_CORRUPT);
		lose(n, i, b, r->last_seq + 1, to - full, LOSS_NAME_UNKNOWN);
	} else if (hole > full)
		lose(n, i, b, r->last_seq + 1, to - full, LOSS_NAME_UNKNOWN);
	if (full > 0)
		lose(n, i, b, r->last_seq + 1, to, LOSS_NAME_RING_FULL);
	r->corrupt = 0;
	r->elsewhere = false;
}

#define ENTRIES_PER_RECORD 4u /* three losses and the record */

/* Losses behind the last record show in the producer's next_seq alone. */
static unsigned
look_behind(struct drain *n, uint32_t i, struct batch *b)
{
	struct drain_ring *r = &n->ring[i];
	struct ring_consumer *c = &n->d.ring[i];
	uint64_t tail = ring_tail(c);
	if (tail > INT64_MAX || tail <= r->last_seq + 1)
		return 0;
	uint64_t hole = tail - 1 - r->last_seq;
	uint64_t other = r->elsewhere ? hole : r->corrupt;
	lose_up_to(n, i, b, tail - 1, hole > other ? hole - other : 0);
	c->last_seq = r->last_seq;
	return 1;
}

/* ---- records ---- */

static void
keep(struct drain *n, uint32_t i, struct batch *b, const struct alert_record *rec, uint32_t evidence_len)
{
	struct entry *e = batch_entry(b, n->d.epoch, n->d.ring[i].ring_id);
	e->record = *rec;
	e->from = e->to = rec->seq;
	e->evidence_at = b->evidence_n;
	e->evidence_len = evidence_len;
	e->vet.node = n->ask && vet_wanted(rec) ? VET_ASKED : VET_NONE;
	b->evidence_n += evidence_len;
	const char *name = rule_names_find(n->d.names, rec->rule_index, rec->rule_id, rec->rule_rev);
	snprintf(e->rule_name, sizeof e->rule_name, "%s", name ? name : "");
	n->ring[i].last_seq = rec->seq;
}

static bool
plausible(const struct ring_consumer *c, const struct alert_record *rec)
{
	return rec->seq <= INT64_MAX &&
	       rec->seq <= atomic_load_explicit(&c->h->next_seq, memory_order_acquire);
}

static unsigned
drain_ring(struct drain *n, uint32_t i, struct batch *b, unsigned max)
{
	struct ring_consumer *c = &n->d.ring[i];
	struct drain_ring *r = &n->ring[i];
	unsigned read = 0;
	while (read < max && batch_room(b) >= ENTRIES_PER_RECORD &&
		batch_evidence_room(b) >= RING_EVIDENCE_ONE_MAX) {
		struct alert_record rec;
		uint32_t evidence_len;
		uint64_t last_seq = c->last_seq;
		int rc = ring_read(c, &rec, b->evidence + b->evidence_n, &evidence_len);
		if (rc == 0)
			return read + look_behind(n, i, b);
		read++;
		if (rc > 0 && !plausible(c, &rec)) {
			c->last_seq = last_seq;
			rc = -1;
		}
		if (rc < 0) {
			r->corrupt++;
			r->corrupt_all++;
			continue;
		}
		if (rec.seq <= r->last_seq) {
			r->duplicates++;
			r->corrupt = 0; /* what was stepped over here has been told of before */
			continue;
		}
		if (rec.seq > r->last_seq + 1)
			lose_up_to(n, i, b, rec.seq - 1, rec.lost_before);
		keep(n, i, b, &rec, evidence_len);
		r->corrupt = 0;
		r->elsewhere = false;
	}
	return read;
}

unsigned
drain_turn(struct drain *n, struct batch *b)
{
	unsigned work = 0;
	pthread_mutex_lock(&n->lock);
	for (uint32_t i = 0; n->attached && i < n->d.n_rings; i++) {
		struct ring_consumer *c = &n->d.ring[i];
		atomic_fetch_add_explicit(&c->cursor->heartbeat, 1, memory_order_relaxed);
		work += drain_ring(
			n, i, b, c->lane == LANE_CRITICAL ? DRAIN_CRITICAL_TURN : DRAIN_NORMAL_TURN);
	}
	pthread_mutex_unlock(&n->lock);
	return work;
}

void
drain_release(struct drain *n)
{
	for (uint32_t i = 0; n->attached && i < n->d.n_rings; i++)
		ring_release(&n->d.ring[i], n->d.ring[i].next);
}

bool
drain_source_done(struct drain *n)
{
	return n->attached && __atomic_load_n(&n->d.stats->source_done, __ATOMIC_ACQUIRE) != 0;
}
