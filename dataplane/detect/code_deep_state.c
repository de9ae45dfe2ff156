/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_deep.h"

#include <endian.h>
#include <string.h>

enum { UNDO_MEMORY, UNDO_CELL, UNDO_NEW };

static void
put_value(struct deep_undo *u, const struct deep_value *v)
{
	memcpy(u->old, v->w.l, 32);
	memcpy(u->soft, &v->soft, sizeof(v->soft));
}

/* Somebody will want back what is about to change. */
static struct deep_undo *
note(struct code_deep *d, uint32_t kind, uint32_t at)
{
	if (d->n_forks == 0)
		return NULL;
	if (d->n_journal == DEEP_JOURNAL) { /* the path ends: what follows could not be taken back */
		d->limit = d->steps;
		return NULL;
	}
	struct deep_undo *u = &d->journal[d->n_journal++];
	u->kind = kind;
	u->at = at;
	return u;
}

static bool
writable(const struct code_deep *d)
{
	return d->n_forks == 0 || d->n_journal < DEEP_JOURNAL;
}

static void
touch(struct deep_frame *f, uint32_t end)
{
	if (end > f->high)
		f->high = end;
}

static uint32_t
index_of(const struct code_deep *d, uint32_t space, const struct code_word *key)
{
	uint64_t h = (key->l[0] ^ key->l[1] * 3 ^ key->l[2] * 5 ^ key->l[3] * 7 ^ (uint64_t)space << 40) *
		     0x9e3779b97f4a7c15ull;
	uint32_t at = (uint32_t)(h >> 48) % DEEP_INDEX;
	for (; d->index[at] != 0; at = (at + 1) % DEEP_INDEX) {
		const struct deep_cell *c = &d->cell[d->index[at] - 1];
		if (c->space == space && memcmp(c->key.l, key->l, 32) == 0)
			break;
	}
	return at;
}

void
deep_take_back(struct code_deep *d, uint32_t to)
{
	struct deep_frame *f = &d->frame[0];
	while (d->n_journal > to) {
		struct deep_undo *u = &d->journal[--d->n_journal];
		if (u->kind == UNDO_MEMORY) {
			memcpy(f->memory + u->at, u->old, 32);
			memcpy(f->soft + u->at, u->soft, 32);
		} else if (u->kind == UNDO_CELL) {
			memcpy(d->cell[u->at].v.w.l, u->old, 32);
			memcpy(&d->cell[u->at].v.soft, u->soft, sizeof(uint32_t));
		} else { /* the newest: no other's place depends on it */
			struct deep_cell *c = &d->cell[--d->n_cells];
			d->index[index_of(d, c->space, &c->key)] = 0;
		}
	}
}

/* 32 marks of a byte each, to bits: the first is the highest. */
static uint32_t
gather(const uint8_t *soft)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t eight;
		memcpy(&eight, soft + 8 * i, 8);
		bits = bits << 8 | (uint32_t)(le64toh(eight) * 0x8040201008040201ull >> 56);
	}
	return bits;
}

struct deep_value
deep_load(struct code_deep *d, struct deep_frame *f, uint32_t at)
{
	struct deep_value v = {{{0, 0, 0, 0}}, UINT32_MAX};
	(void)d;
	if (at > DEEP_MEMORY - 32)
		return v;
	touch(f, at + 32);
	v.w = code_word_read(f->memory + at, 32);
	v.soft = gather(f->soft + at);
	return v;
}

void
deep_store(struct code_deep *d, struct deep_frame *f, uint32_t at, const uint8_t bytes[32],
	const uint8_t soft[32], uint32_t n)
{
	if (at > DEEP_MEMORY - 32)
		return;
	if (f == &d->frame[0]) {
		struct deep_undo *u = note(d, UNDO_MEMORY, at);
		if (u != NULL) {
			memcpy(u->old, f->memory + at, 32);
			memcpy(u->soft, f->soft + at, 32);
		} else if (!writable(d)) {
			return;
		}
	}
	touch(f, at + 32);
	memcpy(f->memory + at, bytes, n);
	memcpy(f->soft + at, soft, n);
}

void
deep_store_value(struct code_deep *d, struct deep_frame *f, uint32_t at, const struct deep_value *v)
{
	uint8_t bytes[32], soft[32];
	code_word_bytes(&v->w, bytes);
	memset(soft, v->soft & 1, 32);
	for (unsigned i = 0; i < 32 && v->soft != 0 && v->soft != UINT32_MAX; i++)
		soft[i] = v->soft >> (31 - i) & 1;
	deep_store(d, f, at, bytes, soft, 32);
}

void
deep_fill(struct code_deep *d, struct deep_frame *f, uint32_t at, const uint8_t *p, uint32_t have, uint32_t n,
	bool soft, bool beyond)
{
	for (uint32_t i = 0; i < n; i += 32) {
		uint8_t bytes[32] = {0}, marks[32];
		uint32_t size = n - i < 32 ? n - i : 32, known = i >= have	   ? 0
								 : have - i < size ? have - i
										   : size;
		if (known > 0)
			memcpy(bytes, p + i, known);
		memset(marks, soft, known);
		memset(marks + known, beyond, 32 - known);
		deep_store(d, f, at + i, bytes, marks, size);
	}
	d->steps += n / 32;
}

void
deep_move(struct code_deep *d, struct deep_frame *f, uint32_t to, uint32_t from, uint32_t n)
{
	uint8_t bytes[32], soft[32];
	if (n > DEEP_MEMORY || to > DEEP_MEMORY - n || from > DEEP_MEMORY - n)
		return;
	touch(f, from + n);
	for (uint32_t i = 0; i < n; i += 32) {
		uint32_t size = n - i < 32 ? n - i : 32, at = to <= from ? i : n - i - size;
		memcpy(bytes, f->memory + from + at, size);
		memcpy(soft, f->soft + from + at, size);
		deep_store(d, f, to + at, bytes, soft, size);
	}
	d->steps += n / 32;
}

/* What nobody has written is a guess: zero. */
struct deep_value
deep_cell_get(const struct code_deep *d, uint32_t space, const struct code_word *key)
{
	uint32_t at = index_of(d, space, key);
	if (d->index[at] == 0)
		return (struct deep_value){{{0, 0, 0, 0}}, UINT32_MAX};
	return d->cell[d->index[at] - 1].v;
}

void
deep_cell_set(struct code_deep *d, uint32_t space, const struct code_word *key, const struct deep_value *v)
{
	uint32_t at = index_of(d, space, key);
	if (d->index[at] == 0) {
		if (d->n_cells == DEEP_CELLS)
			return;
		if (note(d, UNDO_NEW, 0) == NULL && !writable(d))
			return;
		d->cell[d->n_cells] = (struct deep_cell){*key, *v, space};
		d->index[at] = (uint16_t)++d->n_cells;
		return;
	}
	struct deep_cell *c = &d->cell[d->index[at] - 1];
	struct deep_undo *u = note(d, UNDO_CELL, d->index[at] - 1u);
	if (u != NULL)
		put_value(u, &c->v);
	else if (!writable(d))
		return;
	c->v = *v;
}

void
deep_cells_clear(struct code_deep *d)
{
	d->n_cells = 0;
	memset(d->index, 0, sizeof(d->index));
}
