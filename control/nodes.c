/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/nodes.h"

#include "control/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define APART_NS 50000000

/* What a second's look takes from the page. */
struct look {
	bool alive;
	uint8_t epoch[8];
	unsigned n;
	struct stats_node node[STATS_NODES_MAX];
	struct stats_clock clock;
};

void
nodes_init(struct nodes_watch *w)
{
	pthread_mutex_init(&w->lock, NULL);
}

void
nodes_end(struct nodes_watch *w)
{
	pthread_mutex_destroy(&w->lock);
}

static void
copy_clock(struct stats_clock *to, const struct stats_clock *from)
{
	to->steps = __atomic_load_n(&from->steps, __ATOMIC_ACQUIRE);
	to->last_step_ns = __atomic_load_n(&from->last_step_ns, __ATOMIC_RELAXED);
	to->shift_ns = __atomic_load_n(&from->shift_ns, __ATOMIC_RELAXED);
	to->jumps = __atomic_load_n(&from->jumps, __ATOMIC_ACQUIRE);
	to->last_jump_ns = __atomic_load_n(&from->last_jump_ns, __ATOMIC_RELAXED);
}

/* A file that has been read to its end is not silent. */
static void
take_look(struct nodes_watch *w, struct drain *n, struct look *l)
{
	pthread_mutex_lock(&n->lock);
	const struct stats_page *s = n->attached && n->alive ? n->d.stats : NULL;
	l->alive = s != NULL && __atomic_load_n(&s->source_done, __ATOMIC_ACQUIRE) == 0;
	if (l->alive) {
		uint32_t nodes = __atomic_load_n(&s->nodes, __ATOMIC_ACQUIRE);
		l->n = nodes < STATS_NODES_MAX ? nodes : STATS_NODES_MAX;
		memcpy(l->epoch, n->d.epoch, sizeof l->epoch);
		memcpy(l->node, s->node, sizeof l->node);
		copy_clock(&l->clock, &s->clock);
		pthread_mutex_lock(&w->lock);
		for (unsigned i = 0; i < l->n; i++)
			for (unsigned f = 0; f < NODE_FEED_COUNT; f++)
				stats_node_sum(s, i, f, &w->sum[i][f]);
		pthread_mutex_unlock(&w->lock);
	}
	pthread_mutex_unlock(&n->lock);
}

static void
note_clock(struct nodes_watch *w, const struct look *l, struct journal *j, uint64_t wall_ns)
{
	char detail[160];
	const struct stats_clock *c = &l->clock;
	if (c->steps == w->clock_steps && c->jumps == w->clock_jumps)
		return;
	bool step = c->steps != w->clock_steps;
	snprintf(detail, sizeof detail, "{\"by_ns\":\"%" PRId64 "\",\"steps\":\"%" PRIu64 "\",\"jumps\":\"%" PRIu64 "\",\"shift_ns\":\"%" PRId64 "\"}",
		step ? c->last_step_ns : c->last_jump_ns, c->steps, c->jumps, c->shift_ns);
	if (journal_note(j, wall_ns, step ? "clock_step" : "clock_jump", detail) == 0)
		return; /* the next look tries again */
	w->clock_steps = c->steps;
	w->clock_jumps = c->jumps;
}

static void
follow(struct nodes_watch *w, const struct look *l, uint64_t mono_ns)
{
	bool same = l->alive && w->attached && memcmp(w->epoch, l->epoch, sizeof w->epoch) == 0;
	if (l->alive && !same) {
		silence_attach(&w->silence, mono_ns, l->node, l->n);
		if (memcmp(w->epoch, l->epoch, sizeof w->epoch) != 0)
			w->clock_steps = w->clock_jumps = 0;
		memcpy(w->epoch, l->epoch, sizeof w->epoch);
	}
	if (!l->alive && w->attached)
		silence_gone(&w->silence);
	w->attached = l->alive;
	if (l->alive)
		silence_look(&w->silence, mono_ns, w->sum);
}

unsigned
nodes_turn(struct nodes_watch *w, struct drain *n, struct batch *b, struct journal *j, uint64_t mono_ns, uint64_t wall_ns)
{
	struct silence_notice notice;
	struct look l;
	unsigned told = 0;
	if (mono_ns < w->look_at_ns)
		return 0;
	w->look_at_ns = mono_ns + SILENCE_SECOND;
	take_look(w, n, &l);
	int64_t off = (int64_t)(wall_ns - mono_ns - w->apart_ns);
	if (off > APART_NS || off < -APART_NS)
		w->apart_ns = wall_ns - mono_ns;
	pthread_mutex_lock(&w->lock);
	follow(w, &l, mono_ns);
	while (silence_take(&w->silence, &notice)) {
		/* Two of one epoch have never the same number, nor after a restart of control. */
		w->seq = wall_ns > w->seq ? wall_ns : w->seq + 1;
		if (batch_room(b) > BATCH_ENTRIES / 2 && notice_entry(b, w->epoch, w->seq, &notice, mono_ns, mono_ns + w->apart_ns))
			told++;
		else
			atomic_fetch_add_explicit(&w->left_out, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&w->lock);
	if (l.alive)
		note_clock(w, &l, j, wall_ns);
	return told;
}
