/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/table.h"

/* A mirror may show an acknowledgement this long before what it acknowledges. */
#define ACK_GRACE_TICKS (2000000u >> 10)
/* A flow that speaks too little to show a late segment for one: how many gap_age to wait. */
#define QUIET_AGES 25u
/* Slabs looked at for a hole that has them held for long. */
#define STEAL_STEPS 16u

static struct flow_hole *
hole_of(struct stream_table *t, uint32_t id)
{
	return &t->flows.flows[id / 2].hole[id & 1];
}

static void
unlist(struct stream_table *t, struct flow *f, unsigned dir)
{
	struct flow_hole *h = &f->hole[dir];
	if (!f->holed[dir])
		return;
	f->holed[dir] = false;
	if (t->hole_look == stream_dir_id(t, f, dir))
		t->hole_look = h->next;
	if (h->prev == NET_NONE)
		t->hole_head = h->next;
	else
		hole_of(t, h->prev)->next = h->next;
	if (h->next == NET_NONE)
		t->hole_tail = h->prev;
	else
		hole_of(t, h->next)->prev = h->prev;
}

static void
list(struct stream_table *t, struct flow *f, unsigned dir, uint64_t now_ns)
{
	struct flow_hole *h = &f->hole[dir];
	f->holed[dir] = true;
	h->since = ticks(now_ns);
	h->frames = f->frames;
	h->lacked = false;
	h->prev = t->hole_tail;
	h->next = NET_NONE;
	if (h->prev == NET_NONE)
		t->hole_head = stream_dir_id(t, f, dir);
	else
		hole_of(t, h->prev)->next = stream_dir_id(t, f, dir);
	t->hole_tail = stream_dir_id(t, f, dir);
}

uint64_t
stream_fin_off(const struct flow *f, unsigned dir)
{
	const struct flow_dir *d = &f->dir[dir];
	return f->fin[dir] ? d->next + (uint64_t)(int64_t)ahead_of(d, d->fin_seq) : UINT64_MAX;
}

void
stream_deliver(struct stream_table *t, struct flow *f, unsigned dir, struct span bytes, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	uint64_t off = d->next;
	f->started[dir] = START_KNOWN;
	t->ctr[CTR_ST_ADVANCED] += bytes.len;
	d->next = off + bytes.len;
	history_append(&t->history, &d->history, off, bytes);
	t->ops.data(t->ctx, f, dir, bytes, off, now_ns);
}

void
stream_drain(struct stream_table *t, struct flow *f, unsigned dir, uint64_t now_ns)
{
	const struct ooo_slab *s;
	while ((s = ooo_first(&t->ooo, f, dir)) != NULL && s->off == f->dir[dir].next) {
		t->ctr[CTR_ST_OOO_HELD] -= s->len;
		stream_deliver(t, f, dir, (struct span){s->data, s->len}, now_ns);
		ooo_drop_first(&t->ooo, f, dir);
	}
}

void
stream_gap(
	struct stream_table *t, struct flow *f, unsigned dir, uint64_t n, enum sentinel_counter why, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	uint64_t off = d->next;
	f->started[dir] = START_KNOWN;
	f->gap_before[dir] = true;
	f->hole[dir].lost_from = d->base + (uint32_t)off;
	f->hole[dir].lost_to = f->hole[dir].lost_from + (uint32_t)n;
	d->next = off + n;
	history_break(&t->history, d->history);
	t->ctr[why]++;
	t->ctr[CTR_ST_ADVANCED] += n;
	t->ctr[CTR_ST_GAP] += n;
	t->ops.gap(t->ctx, f, dir, n, off, now_ns);
}

static void
close_flow(struct stream_table *t, struct flow *f)
{
	for (unsigned d = 0; d < 2; d++) {
		unlist(t, f, d);
		history_forget(&t->history, &f->dir[d].history);
	}
	t->ctr[CTR_FLOWS]--;
	t->ops.forget(t->ctx, f);
	flow_move(&t->flows, f, FLOW_CLOSED);
}

static void
end_dir(struct stream_table *t, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns)
{
	if (f->ended[dir])
		return;
	f->ended[dir] = true;
	t->ops.end(t->ctx, f, dir, why, now_ns);
	if (f->ended[!dir])
		close_flow(t, f);
}

static bool
has_hole(const struct flow *f, unsigned dir)
{
	const struct flow_dir *d = &f->dir[dir];
	return d->ooo_head != NET_NONE || d->acked > d->next || (f->fin[dir] && d->next != stream_fin_off(f, dir));
}

void
stream_settle(struct stream_table *t, struct flow *f, unsigned dir, bool moved, uint64_t now_ns)
{
	struct flow_hole *h = &f->hole[dir];
	if (f->list == FLOW_CLOSED || f->ended[dir])
		return;
	if (f->fin[dir] && f->dir[dir].next == stream_fin_off(f, dir)) {
		unlist(t, f, dir);
		bool last = f->ended[!dir];
		if (last)
			t->ctr[CTR_FLOWS_CLOSED]++;
		end_dir(t, f, dir, STREAM_FIN, now_ns);
		return;
	}
	bool open = has_hole(f, dir);
	if (f->holed[dir] && (moved || !open))
		unlist(t, f, dir);
	if (open && !f->holed[dir])
		list(t, f, dir, now_ns);
	bool past = f->dir[dir].acked > f->dir[dir].next;
	if (past && !h->acked_past)
		h->ack_since = ticks(now_ns);
	h->acked_past = past;
}

/* Where the first hole of a direction ends. */
static uint64_t
hole_end(const struct stream_table *t, const struct flow *f, unsigned dir)
{
	const struct flow_dir *d = &f->dir[dir];
	const struct ooo_slab *s = ooo_first(&t->ooo, f, dir);
	uint64_t end = s != NULL ? s->off : stream_fin_off(f, dir);
	if (d->acked > d->next && d->acked < end)
		end = d->acked;
	return end == UINT64_MAX ? d->next : end;
}

void
stream_give_up_hole(
	struct stream_table *t, struct flow *f, unsigned dir, enum sentinel_counter why, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	do {
		uint64_t n = hole_end(t, f, dir) - d->next;
		if (n > 0)
			stream_gap(t, f, dir, n, why, now_ns);
		stream_drain(t, f, dir, now_ns);
	} while (d->next < d->acked);
	stream_settle(t, f, dir, true, now_ns);
}

void
stream_hole_due(struct stream_table *t, struct flow *f, unsigned dir, uint64_t now_ns)
{
	const struct flow_hole *h = &f->hole[dir];
	uint32_t open = ticks(now_ns) - h->since;
	bool shown = f->frames - h->frames >= t->config.gap_ack_frames;
	bool acked = h->acked_past && (int32_t)(ticks(now_ns) - h->ack_since - ACK_GRACE_TICKS) >= 0;
	if ((int32_t)open < 0 || (h->lacked && !acked))
		return;
	if (open >= QUIET_AGES * t->gap_age_ticks || (shown && (acked || open >= t->gap_age_ticks)))
		stream_give_up_hole(t, f, dir, acked ? CTR_GAPS_ACK : CTR_GAPS_AGE, now_ns);
}

/* Holes that are open for long because nobody has filled them are not looked at all the time. */
void
stream_holes_expire(struct stream_table *t, unsigned n, uint64_t now_ns)
{
	uint32_t now = ticks(now_ns);
	if (t->hole_look == NET_NONE && now - t->hole_rest < t->gap_age_ticks)
		return;
	for (; n > 0 && t->hole_head != NET_NONE; n--) {
		bool first = t->hole_look == NET_NONE;
		uint32_t id = first ? t->hole_head : t->hole_look;
		bool young = (int32_t)(now - hole_of(t, id)->since) < (int32_t)(QUIET_AGES * t->gap_age_ticks);
		t->hole_look = young ? NET_NONE : hole_of(t, id)->next;
		if (t->hole_look == NET_NONE && !(young && first))
			t->hole_rest = now;
		if (young)
			return;
		stream_hole_due(t, &t->flows.flows[id / 2], id & 1, now_ns);
		if (t->hole_look == NET_NONE)
			return;
	}
}

bool
stream_steal_held(struct stream_table *t, const struct flow *own, unsigned own_dir, uint64_t now_ns)
{
	uint32_t longest = NET_NONE;
	for (unsigned i = 0; i < STEAL_STEPS; i++) {
		uint32_t id = ooo_owner(&t->ooo);
		if (id == NET_NONE || id == stream_dir_id(t, own, own_dir))
			continue;
		if (longest == NET_NONE || (int32_t)(hole_of(t, longest)->since - hole_of(t, id)->since) > 0)
			longest = id;
	}
	if (longest != NET_NONE)
		stream_give_up_hole(t, &t->flows.flows[longest / 2], longest & 1, CTR_GAPS_CAP, now_ns);
	return longest != NET_NONE;
}

void
stream_finish(struct stream_table *t, struct flow *f, enum stream_end why, uint64_t now_ns)
{
	static const enum sentinel_counter counted[] = {
		[STREAM_FIN] = CTR_FLOWS_CLOSED,
		[STREAM_RST] = CTR_FLOWS_CLOSED,
		[STREAM_IDLE] = CTR_FLOWS_IDLE,
		[STREAM_LRU] = CTR_FLOWS_LRU,
	};
	if (why != STREAM_SHUTDOWN)
		t->ctr[counted[why]]++;
	for (unsigned d = 0; d < 2; d++) {
		if (f->ended[d])
			continue;
		while (has_hole(f, d)) {
			uint64_t n = hole_end(t, f, d) - f->dir[d].next;
			if (n > 0)
				stream_gap(t, f, d, n, CTR_GAPS_AGE, now_ns);
			stream_drain(t, f, d, now_ns);
		}
		unlist(t, f, d);
	}
	for (unsigned d = 0; d < 2; d++) {
		bool whole = f->fin[d];
		end_dir(t, f, d, whole ? STREAM_FIN : why, now_ns);
	}
}
