/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/ooo.h"

#include <string.h>

_Static_assert(sizeof(struct ooo_slab) == OOO_SLAB_BYTES, "slab size");

void
ooo_init(struct ooo_pool *p, void *mem, uint32_t n)
{
	p->slabs = mem;
	p->n = p->n_free = n;
	p->free = p->hand = 0;
	for (uint32_t i = 0; i < n; i++) {
		p->slabs[i].next = i + 1 < n ? i + 1 : NET_NONE;
		p->slabs[i].owner = NET_NONE;
	}
}

uint32_t
ooo_slabs_for(uint32_t n)
{
	return (n + OOO_SLAB_DATA - 1) / OOO_SLAB_DATA;
}

/* The last slab that begins before off, or NET_NONE. */
static uint32_t
before(const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off)
{
	uint32_t tail = f->hole[dir].ooo_tail, prev = NET_NONE;
	if (tail != NET_NONE && p->slabs[tail].off < off)
		return tail;
	for (uint32_t i = f->dir[dir].ooo_head; i != NET_NONE && p->slabs[i].off < off; i = p->slabs[i].next)
		prev = i;
	return prev;
}

static uint32_t
insert(struct ooo_pool *p, struct flow *f, unsigned dir, uint32_t prev, uint64_t off, struct span bytes)
{
	uint32_t i = p->free, *link = prev == NET_NONE ? &f->dir[dir].ooo_head : &p->slabs[prev].next;
	struct ooo_slab *s = &p->slabs[i];
	p->free = s->next;
	p->n_free--;
	s->next = *link;
	*link = i;
	if (s->next == NET_NONE)
		f->hole[dir].ooo_tail = i;
	s->off = off;
	s->len = (uint16_t)bytes.len;
	s->first = false;
	memcpy(s->data, bytes.p, bytes.len);
	return i;
}

/* Bytes that the slab can take which ends where those at off begin. */
static uint32_t
room_behind(const struct ooo_pool *p, uint32_t slab, uint64_t off)
{
	if (slab == NET_NONE || p->slabs[slab].off + p->slabs[slab].len != off)
		return 0;
	return OOO_SLAB_DATA - p->slabs[slab].len;
}

bool
ooo_extends(const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off, uint32_t n)
{
	return room_behind(p, before(p, f, dir, off), off) >= n;
}

void
ooo_hold(struct ooo_pool *p, struct flow *f, unsigned dir, uint32_t owner, uint64_t off, struct span bytes)
{
	uint32_t prev = before(p, f, dir, off), room = room_behind(p, prev, off), more = bytes.len < room ? bytes.len : room;
	f->hole[dir].ooo_bytes += bytes.len;
	if (more > 0) {
		struct ooo_slab *s = &p->slabs[prev];
		memcpy(s->data + s->len, bytes.p, more);
		s->len = (uint16_t)(s->len + more);
		bytes.p += more;
		bytes.len -= more;
		off += more;
	}
	if (bytes.len == 0)
		return;
	f->hole[dir].ooo_segments++;
	for (bool first = true; bytes.len > 0; first = false) {
		uint32_t n = bytes.len < OOO_SLAB_DATA ? bytes.len : OOO_SLAB_DATA;
		prev = insert(p, f, dir, prev, off, (struct span){bytes.p, n});
		p->slabs[prev].first = first;
		p->slabs[prev].owner = owner;
		bytes.p += n;
		bytes.len -= n;
		off += n;
	}
}

uint32_t
ooo_owner(struct ooo_pool *p)
{
	uint32_t i = p->hand;
	p->hand = i + 1 < p->n ? i + 1 : 0;
	return i < p->n ? p->slabs[i].owner : NET_NONE;
}

const struct ooo_slab *
ooo_first(const struct ooo_pool *p, const struct flow *f, unsigned dir)
{
	uint32_t i = f->dir[dir].ooo_head;
	return i == NET_NONE ? NULL : &p->slabs[i];
}

void
ooo_drop_first(struct ooo_pool *p, struct flow *f, unsigned dir)
{
	uint32_t i = f->dir[dir].ooo_head;
	struct ooo_slab *s = &p->slabs[i];
	f->dir[dir].ooo_head = s->next;
	if (s->next == NET_NONE)
		f->hole[dir].ooo_tail = NET_NONE;
	f->hole[dir].ooo_bytes -= s->len;
	f->hole[dir].ooo_segments -= s->first;
	s->owner = NET_NONE;
	s->next = p->free;
	p->free = i;
	p->n_free++;
}

const struct ooo_slab *
ooo_next(const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off)
{
	uint32_t i = before(p, f, dir, off + 1);
	if (i != NET_NONE && p->slabs[i].off + p->slabs[i].len > off)
		return &p->slabs[i];
	i = i == NET_NONE ? f->dir[dir].ooo_head : p->slabs[i].next;
	return i == NET_NONE ? NULL : &p->slabs[i];
}

uint32_t
ooo_covered(
	const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off, struct span bytes, struct stream_range *r)
{
	uint32_t covered = 0;
	uint64_t end = off + bytes.len;
	if (end <= off)
		return 0;
	for (uint32_t i = f->dir[dir].ooo_head; i != NET_NONE && p->slabs[i].off < end; i = p->slabs[i].next) {
		const struct ooo_slab *s = &p->slabs[i];
		uint64_t from = s->off > off ? s->off : off, to = s->off + s->len < end ? s->off + s->len : end;
		if (from >= to)
			continue;
		covered += (uint32_t)(to - from);
		stream_range_differs(r, from, s->data + (from - s->off), bytes.p + (from - off), to - from);
	}
	return covered;
}

uint64_t
ooo_end(const struct ooo_pool *p, const struct flow *f, unsigned dir)
{
	uint32_t i = f->hole[dir].ooo_tail;
	return i == NET_NONE ? 0 : p->slabs[i].off + p->slabs[i].len;
}
