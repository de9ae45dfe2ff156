/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/table.h"

/* A piece of a segment under way: bytes [off, off + bytes.len) of the stream. */
struct piece {
	uint64_t off;
	struct span bytes;
};

static void
cut_front(struct piece *p, uint32_t n)
{
	p->off += n;
	p->bytes.p += n;
	p->bytes.len -= n;
}

static uint32_t
least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

/* Did any byte of p fall into what was last declared a gap? */
static bool
was_lost(const struct flow *f, unsigned dir, const struct piece *p)
{
	const struct flow_hole *h = &f->hole[dir];
	uint32_t seq = f->dir[dir].base + (uint32_t)p->off, lost = h->lost_to - h->lost_from;
	return lost != 0 && (seq - h->lost_from < lost || h->lost_from - seq < p->bytes.len);
}

/* A keep-alive probe repeats the last byte, with any content, when all has been acknowledged. */
static bool
is_probe(const struct flow_dir *d, const struct piece *p)
{
	return p->bytes.len == 1 && p->off + 1 == d->next && d->acked >= d->next;
}

static void
belie(struct stream_table *t, struct flow *f, unsigned dir, const struct stream_range *r, enum stream_belied why, uint64_t now_ns)
{
	if (t->ops.belied != NULL && r->to != 0)
		t->ops.belied(t->ctx, f, dir, r->from, r->to, why, now_ns);
}

/* Of bytes that were delivered: other is made to cover those that come as others now. True: their place had been declared a gap. */
static bool
compare(struct stream_table *t, struct flow *f, unsigned dir, const struct piece *old, uint32_t all, struct stream_range *other, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	struct stream_range lost = {0};
	if (all == 1 && is_probe(d, old)) {
		if ((f->watch & STREAM_TRACKED) && history_differs(&t->history, d->history, d->next, old->off, old->bytes, &lost))
			belie(t, f, dir, &lost, BELIED_PROBE, now_ns);
		return false;
	}
	uint64_t kept = history_from(&t->history, d->history, d->next), end = old->off + old->bytes.len;
	history_differs(&t->history, d->history, d->next, old->off, old->bytes, other);
	if (old->off < kept)
		stream_range_add(&lost, old->off, end < kept ? end : kept);
	belie(t, f, dir, &lost, BELIED_UNCOMPARED, now_ns);
	return was_lost(f, dir, old);
}

/* Accounts for the part of p that repeats earlier bytes, and shows p to the worker if it is another version
 * of them. Returns with only the part at or above the in-order point in p. */
static void
judge_repeats(struct stream_table *t, struct flow *f, unsigned dir, struct piece *p, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	struct stream_range other = {0};
	struct piece whole = *p;
	bool late = false;
	if (p->off < d->next) {
		uint32_t n = least(d->next - p->off, p->bytes.len);
		struct piece old = {p->off, {p->bytes.p, n}};
		late = compare(t, f, dir, &old, p->bytes.len, &other, now_ns);
		t->ctr[late ? CTR_ST_DROP_WINDOW : CTR_ST_DUP] += n;
		cut_front(p, n);
	}
	t->ctr[CTR_ST_DUP] += ooo_covered(&t->ooo, f, dir, p->off, p->bytes, &other);
	if (other.to != 0) {
		f->overlap_conflict = true;
		t->ctr[CTR_OVERLAP_CONFLICTS]++;
		belie(t, f, dir, &other, BELIED_OTHER_BYTES, now_ns);
	}
	if (other.to != 0 || late)
		t->ops.conflict(t->ctx, f, dir, whole.bytes, whole.off, now_ns);
}

/* Makes room to hold a piece. False: look again, a hole of this direction or another has been given up, at
 * most as far as the piece. */
static bool
room_for(struct stream_table *t, struct flow *f, unsigned dir, const struct piece *p, uint64_t now_ns)
{
	const struct flow_hole *h = &f->hole[dir];
	bool extends = ooo_extends(&t->ooo, f, dir, p->off, p->bytes.len);
	bool cap = (h->ooo_segments >= t->config.ooo_segments_dir && !extends) ||
		   h->ooo_bytes + (uint64_t)p->bytes.len > t->config.ooo_bytes_dir;
	if (!cap && (extends || ooo_slabs_for(p->bytes.len) <= t->ooo.n_free))
		return true;
	if (!cap && stream_steal_held(t, f, dir, now_ns))
		return false;
	struct flow_dir *d = &f->dir[dir];
	const struct ooo_slab *s = ooo_first(&t->ooo, f, dir);
	uint64_t end = s != NULL && s->off < p->off ? s->off : p->off;
	stream_gap(t, f, dir, end - d->next, CTR_GAPS_CAP, now_ns);
	stream_drain(t, f, dir, now_ns);
	return false;
}

void
stream_place(struct stream_table *t, struct flow *f, unsigned dir, uint32_t seq, struct span payload, uint64_t now_ns)
{
	struct flow_dir *d = &f->dir[dir];
	uint64_t before = d->next;
	struct piece p = {before + (uint64_t)(int64_t)ahead_of(d, seq), payload};
	judge_repeats(t, f, dir, &p, now_ns);
	while (p.bytes.len > 0) {
		const struct ooo_slab *held = ooo_next(&t->ooo, f, dir, p.off);
		uint64_t free = held == NULL ? UINT64_MAX : held->off <= p.off ? 0 : held->off - p.off;
		if (free == 0) { /* counted as repeated already */
			cut_front(&p, least(held->off + held->len - p.off, p.bytes.len));
			continue;
		}
		struct span part = {p.bytes.p, least(free, p.bytes.len)};
		struct piece hold = {p.off, part};
		if (p.off == d->next) {
			stream_deliver(t, f, dir, part, now_ns);
			stream_drain(t, f, dir, now_ns);
			cut_front(&p, least(d->next - p.off, p.bytes.len));
		} else if (room_for(t, f, dir, &hold, now_ns)) {
			ooo_hold(&t->ooo, f, dir, stream_dir_id(t, f, dir), p.off, part);
			t->ctr[CTR_ST_OOO_HELD] += part.len;
			if (t->ops.ahead != NULL)
				t->ops.ahead(t->ctx, f, dir, part, p.off, now_ns);
			cut_front(&p, part.len);
		}
	}
	stream_settle(t, f, dir, d->next != before, now_ns);
}
