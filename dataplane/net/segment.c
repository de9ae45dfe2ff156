/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/table.h"

/* Far-off segments in sequence after which the stream is taken to go on there. */
#define STRAYS_ENOUGH 4u
/* An acknowledgement confirms far-off bytes if it lies this little behind their end. */
#define STRAY_ACK_BEHIND (1u << 17)

/* A segment on its way through the rules below. */
struct arrival {
	const struct segment *s;
	const struct flow_hash *hash;
	uint32_t seq; /* of payload's first byte: behind the SYN if there is one */
	struct span payload;
	unsigned dir;
	uint64_t now_ns;
};

static void
drop(struct stream_table *t, const struct arrival *a, enum sentinel_counter why)
{
	t->ctr[why] += a->payload.len;
}

static void
touch(struct stream_table *t, struct flow *f, unsigned dir, bool payload, uint64_t now_ns)
{
	bool epoch = f->last_ns >> t->epoch_shift != now_ns >> t->epoch_shift;
	f->frames++;
	f->seen[dir] = true;
	f->last_ns = now_ns;
	if (payload && f->list == FLOW_YOUNG)
		flow_move(&t->flows, f, FLOW_LIVE);
	else if (epoch)
		flow_move(&t->flows, f, f->list);
}

static void
belie(struct stream_table *t, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why, uint64_t now_ns)
{
	if (t->ops.belied != NULL)
		t->ops.belied(t->ctx, f, dir, from, to, why, now_ns);
}

/* Its addresses, or its place, are another's while it is tracked: nobody looks any more for what would belie it. */
static void
belie_all(struct stream_table *t, struct flow *f, uint64_t now_ns)
{
	if ((f->watch & STREAM_TRACKED) == 0)
		return;
	for (unsigned d = 0; d < 2; d++)
		belie(t, f, d, 0, UINT64_MAX, BELIED_LATE, now_ns);
}

static void
make_room(struct stream_table *t, uint64_t now_ns)
{
	if (flow_oldest(&t->flows, FLOW_FREE) != NULL)
		return;
	struct flow *f = NULL;
	for (unsigned list = FLOW_CLOSED; list <= FLOW_LIVE && f == NULL; list++)
		f = flow_oldest(&t->flows, list);
	belie_all(t, f, now_ns);
	if (f->list != FLOW_CLOSED)
		stream_finish(t, f, STREAM_LRU, now_ns);
	flow_remove(&t->flows, f);
}

/* initiator: which side of the segment. NULL: the segment has been accounted for. */
static struct flow *
make_flow(struct stream_table *t, struct arrival *a, unsigned initiator, bool midstream)
{
	make_room(t, a->now_ns);
	struct flow *f = flow_add(&t->flows, a->hash, &a->s->ends, initiator, a->now_ns);
	if (f == NULL) {
		drop(t, a, CTR_ST_DROP_FLOW_TABLE);
		return NULL;
	}
	f->midstream = midstream;
	t->ctr[CTR_FLOWS]++;
	t->ctr[CTR_FLOWS_CREATED]++;
	t->ctr[CTR_FLOWS_MIDSTREAM] += midstream;
	a->dir = initiator;
	if (t->ops.open != NULL)
		t->ops.open(t->ctx, f);
	return f;
}

/* ---- what speaks for delivered bytes, and against them ---- */

/* The acknowledgement of a direction that is watched, and so was delivered of; its sender is `own` bytes ahead of his own. */
static __attribute__((noinline)) void
tell_acked(struct stream_table *t, struct flow *f, const struct arrival *a, int32_t own)
{
	const struct flow_dir *d = &f->dir[!a->dir];
	int32_t ahead = ahead_of(d, a->s->ack);
	uint64_t off = d->next + (uint64_t)(int64_t)ahead;
	if (ahead > 0 || (int64_t)off < 0 || own > WINDOW_AHEAD || own < -WINDOW_BEHIND || f->started[a->dir] != START_KNOWN)
		return;
	t->ops.acked(t->ctx, f, !a->dir, off, own == f->fin[a->dir], a->now_ns);
}

/* A segment without bytes has the number of the next one that its sender will send; a keep-alive the one before. */
static void
tell_sender_behind(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	const struct flow_dir *d = &f->dir[a->dir];
	bool end = (a->s->flags & (TCP_FIN | TCP_RST)) != 0;
	int32_t ahead = ahead_of(d, a->seq + a->payload.len);
	if ((a->payload.len > 0 && !end) || (a->s->flags & TCP_SYN) || f->started[a->dir] != START_KNOWN)
		return;
	uint64_t off = d->next + (uint64_t)(int64_t)ahead + !end;
	if (ahead < 0 && ahead >= -WINDOW_BEHIND && (int64_t)off >= 0 && off < d->next)
		belie(t, f, a->dir, off, d->next, BELIED_SENDER, a->now_ns);
}

/* A flow for a segment that belongs to none, or NULL. */
static struct flow *
open_flow(struct stream_table *t, struct arrival *a)
{
	uint8_t flags = a->s->flags;
	if (flags & TCP_RST) {
		drop(t, a, CTR_ST_DROP_CLOSED);
		return NULL;
	}
	if (flags & TCP_SYN)
		return make_flow(t, a, (flags & TCP_ACK) != 0, (flags & TCP_ACK) != 0);
	if (a->payload.len == 0)
		return NULL;
	return make_flow(t, a, a->s->ends.port[0] < a->s->ends.port[1], true);
}

/* Is a segment for a flow that is over the first of another one on the same addresses? */
static bool
begins_another(const struct flow *f, const struct arrival *a)
{
	const struct flow_dir *d = &f->dir[a->dir];
	int32_t ahead = ahead_of(d, a->seq);
	if ((int64_t)(a->now_ns - f->last_ns) > (int64_t)CLOSED_NS)
		return true;
	if (a->s->flags & TCP_SYN)
		return f->started[a->dir] != START_KNOWN || d->base != a->seq;
	if (a->payload.len == 0 || f->started[a->dir] != START_KNOWN)
		return false;
	if (f->fin[a->dir] || f->reset == 1 + a->dir)
		return ahead >= 0 || ahead < -WINDOW_BEHIND; /* who sent a true FIN or RST sends no more */
	return ahead > WINDOW_AHEAD || ahead < -WINDOW_BEHIND;
}

/* A flow that is over gets a segment: late, or the first of another that reuses its addresses. */
static struct flow *
reopen_flow(struct stream_table *t, struct flow *f, struct arrival *a)
{
	if (!begins_another(f, a)) {
		if ((f->watch & STREAM_TRACKED) && a->payload.len > 0)
			belie(t, f, a->dir, 0, UINT64_MAX, BELIED_LATE, a->now_ns);
		drop(t, a, CTR_ST_DROP_CLOSED);
		return NULL;
	}
	belie_all(t, f, a->now_ns);
	flow_remove(&t->flows, f);
	return open_flow(t, a);
}

/* Ends a flow whose addresses another connection has taken over and makes that one's. */
static struct flow *
replace_flow(struct stream_table *t, struct flow *f, struct arrival *a, unsigned initiator, bool midstream)
{
	belie_all(t, f, a->now_ns);
	stream_finish(t, f, STREAM_RST, a->now_ns);
	flow_remove(&t->flows, f);
	f = make_flow(t, a, initiator, midstream);
	if (f != NULL)
		touch(t, f, a->dir, a->payload.len > 0, a->now_ns);
	return f;
}

static void
start(struct flow *f, unsigned dir, uint32_t seq, enum stream_start how)
{
	f->dir[dir].base = seq;
	f->started[dir] = how;
}

/* Returns the flow to go on with, or NULL. */
static struct flow *
take_syn(struct stream_table *t, struct flow *f, struct arrival *a)
{
	bool answer = (a->s->flags & TCP_ACK) != 0;
	if (answer && f->other_syn[!a->dir] && a->s->ack == f->other_isn) {
		f = replace_flow(t, f, a, 1, false);
		if (f == NULL)
			return NULL;
	}
	struct flow_dir *d = &f->dir[a->dir];
	if (f->started[a->dir] != START_KNOWN) {
		start(f, a->dir, a->seq, START_KNOWN);
		t->ctr[CTR_FLOWS_MULTIPATH] += answer && a->s->multipath;
	} else if (d->base != a->seq) {
		/* Fits nothing: forged, or the first of another connection. Its SYN/ACK or its data will
		 * tell. */
		if (!answer) {
			f->other_syn[a->dir] = true;
			f->other_isn = a->seq;
		}
		drop(t, a, CTR_ST_DROP_WINDOW);
		return NULL;
	}
	if (answer && f->started[!a->dir] != START_KNOWN)
		start(f, !a->dir, a->s->ack, START_KNOWN);
	if (!answer && a->dir == 0)
		f->midstream = false;
	return f;
}

static void
take_rst(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	const struct flow_dir *d = &f->dir[a->dir];
	int32_t ahead = ahead_of(d, a->seq);
	bool plausible = f->started[a->dir] != START_KNOWN || (ahead >= 0 && ahead <= WINDOW_AHEAD) ||
			 a->seq == d->base + (uint32_t)d->acked || (f->fin[a->dir] && a->seq == d->fin_seq + 1);
	drop(t, a, CTR_ST_DROP_CLOSED);
	if (!plausible)
		return;
	f->reset = (uint8_t)(1 + a->dir);
	f->last_ns = a->now_ns;
	stream_finish(t, f, STREAM_RST, a->now_ns);
	if (ahead > 0 && ahead <= WINDOW_AHEAD)
		f->dir[a->dir].base += (uint32_t)ahead; /* where another version of this sender would go on */
}

/* What the segment's sender acknowledges of the other direction. */
static void
take_ack(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	unsigned o = !a->dir;
	struct flow_dir *d = &f->dir[o];
	if (f->stray != 0 && (f->stray & STRAY_DIR) == (o ? STRAY_DIR : 0) &&
		f->stray_seq - a->s->ack < STRAY_ACK_BEHIND)
		f->stray |= STRAY_ACKED;
	if (f->ended[o])
		return;
	if (f->started[o] != START_KNOWN) {
		start(f, o, a->s->ack, START_GUESSED);
		return;
	}
	/* Only from a sender who is where he should be. */
	int32_t own = ahead_of(&f->dir[a->dir], a->s->seq);
	if (f->started[a->dir] == START_KNOWN && (own > WINDOW_AHEAD || own < -WINDOW_BEHIND))
		return;
	int32_t ahead = ahead_of(d, a->s->ack);
	uint64_t acked = d->next + (uint64_t)(int64_t)ahead, fin = stream_fin_off(f, o);
	if ((ahead < 0 && d->next < (uint64_t)-(int64_t)ahead) || ahead > ACK_AHEAD)
		return;
	if (acked > fin)
		acked = fin;
	bool in_place = own == f->fin[a->dir];
	if (f->holed[o] && acked == d->next)
		f->hole[o].lacked = true;
	if (acked < d->acked)
		f->watch |= (uint8_t)STREAM_LOWERED(o);
	else if (in_place)
		f->watch &= (uint8_t)~STREAM_LOOSE(o);
	else if (acked > d->acked)
		f->watch |= (uint8_t)STREAM_LOOSE(o);
	if (acked <= d->acked)
		return;
	d->acked = acked;
	if (acked > d->next && f->seen[o])
		stream_settle(t, f, o, false, a->now_ns);
	else if (acked > d->next)
		d->acked = d->next; /* that side is not shown to us at all */
}

/* A segment that lies outside the window. Returns the flow in which the stream goes on there, or NULL. */
static struct flow *
take_stray(struct stream_table *t, struct flow *f, struct arrival *a)
{
	uint8_t side = a->dir ? STRAY_DIR : 0;
	bool follows = f->stray != 0 && (f->stray & STRAY_DIR) == side && a->seq == f->stray_seq;
	bool acked = follows && (f->stray & STRAY_ACKED) != 0;
	unsigned count = follows ? f->stray & STRAY_COUNT : 0;
	if (count < STRAY_COUNT)
		count++;
	f->stray = (uint8_t)(count | side);
	f->stray_seq = a->seq + a->payload.len;
	/* One who can forge data may not be able to forge the receiver's answers. */
	if (!acked && (count < STRAYS_ENOUGH || f->seen[!a->dir])) {
		drop(t, a, CTR_ST_DROP_WINDOW);
		return NULL;
	}
	f->stray = 0;
	int32_t ahead = ahead_of(&f->dir[a->dir], a->seq);
	if (ahead < 0 || f->fin[a->dir])
		return replace_flow(t, f, a, a->s->ends.port[0] < a->s->ends.port[1], true);
	uint64_t target = f->dir[a->dir].next + (uint32_t)ahead;
	while (f->dir[a->dir].next < target) {
		const struct ooo_slab *s = ooo_first(&t->ooo, f, a->dir);
		uint64_t end = s != NULL && s->off < target ? s->off : target;
		stream_gap(t, f, a->dir, end - f->dir[a->dir].next, CTR_GAPS_AGE, a->now_ns);
		stream_drain(t, f, a->dir, a->now_ns);
	}
	return f;
}

/* The first payload of a direction whose beginning was not seen says where it begins, unless what the other
 * side acknowledged says that a little is missing before it. */
static void
start_at_payload(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	int32_t ahead = ahead_of(&f->dir[a->dir], a->seq);
	if (f->started[a->dir] == START_UNKNOWN || ahead < 0 || (uint32_t)ahead > t->config.ooo_bytes_dir)
		start(f, a->dir, a->seq, START_KNOWN);
	f->started[a->dir] = START_KNOWN;
}

static struct flow *
take_payload(struct stream_table *t, struct flow *f, struct arrival *a)
{
	if (f->ended[a->dir] && !begins_another(f, a)) {
		drop(t, a, CTR_ST_DROP_CLOSED);
		return f;
	}
	if (f->ended[a->dir]) {
		f = replace_flow(t, f, a, a->s->ends.port[0] < a->s->ends.port[1], true);
		if (f == NULL)
			return NULL;
	}
	if (f->started[a->dir] != START_KNOWN)
		start_at_payload(t, f, a);
	struct flow_dir *d = &f->dir[a->dir];
	if (f->other_syn[a->dir] && a->seq == f->other_isn && !f->seen[!a->dir]) {
		f = replace_flow(t, f, a, 0, false);
	} else if (ahead_of(d, a->seq) > WINDOW_AHEAD || ahead_of(d, a->seq) < -WINDOW_BEHIND) {
		f = take_stray(t, f, a);
	}
	if (f == NULL)
		return NULL;
	d = &f->dir[a->dir];
	if (f->started[a->dir] != START_KNOWN)
		start(f, a->dir, a->seq, START_KNOWN);
	uint64_t off = d->next + (uint64_t)(int64_t)ahead_of(d, a->seq);
	if ((int64_t)off < 0) { /* before the flow was picked up */
		uint32_t n = (uint64_t)-(int64_t)off < a->payload.len ? (uint32_t)-(int64_t)off : a->payload.len;
		t->ctr[CTR_ST_DROP_WINDOW] += n;
		a->seq += n;
		a->payload.p += n;
		a->payload.len -= n;
		off += n;
	}
	uint64_t fin = stream_fin_off(f, a->dir);
	if (off + a->payload.len > fin) {
		uint32_t keep = off > fin ? 0 : (uint32_t)(fin - off);
		t->ctr[CTR_ST_DROP_CLOSED] += a->payload.len - keep;
		a->payload.len = keep;
	}
	if (a->payload.len > 0) {
		if (a->s->flags & TCP_URG)
			belie(t, f, a->dir, off, off + a->payload.len, BELIED_URGENT, a->now_ns);
		stream_place(t, f, a->dir, a->seq, a->payload, a->now_ns);
	}
	return f;
}

static void
take_fin(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	struct flow_dir *d = &f->dir[a->dir];
	uint32_t seq = a->s->seq + ((a->s->flags & TCP_SYN) != 0) + a->s->payload.len;
	if (f->list == FLOW_CLOSED || f->ended[a->dir] || f->fin[a->dir])
		return;
	if (f->started[a->dir] == START_UNKNOWN || (f->started[a->dir] == START_GUESSED && ahead_of(d, seq) < 0))
		start(f, a->dir, seq, START_KNOWN);
	int32_t ahead = ahead_of(d, seq);
	uint64_t off = d->next + (uint64_t)(int64_t)ahead;
	if (ahead < 0 || ahead > WINDOW_AHEAD || off < ooo_end(&t->ooo, f, a->dir))
		return;
	f->started[a->dir] = START_KNOWN;
	f->fin[a->dir] = true;
	d->fin_seq = seq;
	if (d->acked > off)
		d->acked = off;
	stream_settle(t, f, a->dir, false, a->now_ns);
}

/* What nearly every segment is: bytes that are next, of a direction without a hole. */
static bool
in_order(const struct flow *f, unsigned dir, const struct segment *s)
{
	const struct flow_dir *d = &f->dir[dir];
	return (s->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_URG)) == 0 && f->started[dir] == START_KNOWN && !f->fin[dir] &&
	       d->ooo_head == NET_NONE && !f->holed[dir] && ahead_of(d, s->seq) == 0;
}

/* take_ack for what nearly every acknowledgement is: of bytes that went by, by a sender in his place. */
static inline void
take_ack_in_order(struct stream_table *t, struct flow *f, const struct arrival *a)
{
	struct flow_dir *d = &f->dir[!a->dir];
	int32_t ahead = ahead_of(d, a->s->ack);
	if (ahead > 0 || ahead < -WINDOW_BEHIND || f->started[!a->dir] != START_KNOWN || f->stray != 0) {
		take_ack(t, f, a);
		return;
	}
	uint64_t acked = d->next - (uint64_t)-(int64_t)ahead;
	if ((int64_t)acked >= (int64_t)d->acked) {
		d->acked = acked;
		f->watch &= (uint8_t)~STREAM_LOOSE(!a->dir);
	} else {
		f->watch |= (uint8_t)STREAM_LOWERED(!a->dir);
	}
}

static void
other_segment(struct stream_table *t, struct flow *f, struct arrival *a)
{
	uint8_t flags = a->s->flags;
	if (f->watch & STREAM_TRACKED)
		tell_sender_behind(t, f, a);
	if (flags & TCP_RST) {
		take_rst(t, f, a);
		return;
	}
	if (flags & TCP_SYN) {
		f = take_syn(t, f, a);
		if (f == NULL)
			return;
	}
	if (flags & TCP_ACK)
		take_ack(t, f, a);
	if ((flags & (TCP_ACK | TCP_SYN)) == TCP_ACK && (f->watch & STREAM_WATCH(!a->dir)))
		tell_acked(t, f, a, ahead_of(&f->dir[a->dir], a->seq));
	if (a->payload.len > 0)
		f = take_payload(t, f, a);
	if (f == NULL)
		return;
	if (flags & TCP_FIN)
		take_fin(t, f, a);
	for (unsigned d = 0; d < 2; d++) {
		if (f->holed[d])
			stream_hole_due(t, f, d, a->now_ns);
	}
}

void
stream_segment(struct stream_table *t, const struct segment *s, const struct flow_hash *h, uint64_t now_ns)
{
	struct arrival a = {s, h, s->seq + ((s->flags & TCP_SYN) != 0), s->payload, 0, now_ns};
	t->ctr[CTR_ST_RECEIVED] += s->payload.len;
	struct flow *f = flow_find(&t->flows, h, &s->ends, &a.dir);
	if (f == NULL)
		f = open_flow(t, &a);
	else if (f->list == FLOW_CLOSED)
		f = reopen_flow(t, f, &a);
	if (f == NULL) {
		t->tally[0]++;
		return;
	}
	t->tally[f->tally ^ a.dir]++;
	touch(t, f, a.dir, s->payload.len > 0, now_ns);
	if (in_order(f, a.dir, s) && !f->holed[!a.dir]) {
		if (s->flags & TCP_ACK) {
			take_ack_in_order(t, f, &a);
			if (f->watch & STREAM_WATCH(!a.dir))
				tell_acked(t, f, &a, 0);
		}
		if (s->payload.len > 0) {
			f->stray = 0;
			stream_deliver(t, f, a.dir, s->payload, now_ns);
		}
		return;
	}
	other_segment(t, f, &a);
}
