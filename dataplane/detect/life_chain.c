/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks: those being read, candidates, and the canonical chain. */
#include "detect/life_private.h"

#include <string.h>

/* Blocks that nobody may ever build on get a quarter of the table. */
static uint32_t
candidates_max(const struct life *l)
{
	return l->n_blocks / 4;
}

static void
count(struct life *l, enum life_count c)
{
	l->counts[c]++;
}

/* ---- lists and index ---- */

static void
list_insert(struct life *l, struct life_list *list, uint32_t slot, uint32_t next)
{
	struct life_block *b = &l->blocks[slot];
	b->next = next;
	b->prev = next != 0 ? l->blocks[next].prev : list->last;
	*(b->prev != 0 ? &l->blocks[b->prev].next : &list->first) = slot;
	*(next != 0 ? &l->blocks[next].prev : &list->last) = slot;
	list->n++;
}

static void
list_remove(struct life *l, struct life_list *list, uint32_t slot)
{
	struct life_block *b = &l->blocks[slot];
	*(b->prev != 0 ? &l->blocks[b->prev].next : &list->first) = b->next;
	*(b->next != 0 ? &l->blocks[b->next].prev : &list->last) = b->prev;
	list->n--;
}

static uint32_t *
block_bucket(const struct life *l, const uint8_t hash[32])
{
	return &l->by_block[life_hash32(l, hash) & l->block_mask];
}

uint32_t
life_block_slot(const struct life *l, const uint8_t hash[32])
{
	uint32_t slot = *block_bucket(l, hash);
	while (slot != 0 && memcmp(l->blocks[slot].id.hash, hash, 32) != 0)
		slot = l->blocks[slot].by_hash;
	return slot;
}

static uint32_t
parent_of(const struct life *l, const struct life_block *b)
{
	return b->id.has & LIFE_HAS_PARENT ? life_block_slot(l, b->id.parent) : 0;
}

/* ---- links ---- */

static void
free_links(struct life *l, struct life_block *b)
{
	uint32_t next;
	for (uint32_t i = b->first; i != 0; i = next) {
		struct life_link *k = &l->links[i];
		struct life_tx *t = life_tx_at(l, (struct life_ref){k->tx, k->generation});
		if (t != NULL && --t->refs == 0 && t->state == LIFE_CANDIDATE)
			life_tx_free(l, k->tx);
		next = k->next;
		k->next = l->free_link;
		l->free_link = i;
		l->n_links_used--;
	}
	b->first = b->last = b->n_txs = 0;
}

static void
append_link(struct life *l, struct life_block *b, uint32_t link)
{
	l->links[link].next = 0;
	*(b->last != 0 ? &l->links[b->last].next : &b->first) = link;
	b->last = link;
	b->n_txs++;
}

static struct life_tx *
linked(const struct life *l, uint32_t link)
{
	return life_tx_at(l, (struct life_ref){l->links[link].tx, l->links[link].generation});
}

/* Moves those of its transactions that are in the list of recent ones. */
static void
settle(struct life *l, struct life_block *b)
{
	struct life_ref ref = life_block_ref(l, b);
	b->settled = true;
	for (uint32_t i = b->first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t == NULL || t->list != CLASS_RECENT || !life_same(t->by, ref))
			continue;
		life_tx_leave(l, life_tx_slot(l, t));
		life_tx_enter(l, life_tx_slot(l, t));
	}
}

/* ---- records ---- */

static void
free_block(struct life *l, struct life_block *b)
{
	free_links(l, b);
	b->generation++;
	b->place = PLACE_FREE;
	b->next = l->free_block;
	l->free_block = (uint32_t)(b - l->blocks);
}

/* Takes a closed block out of the table. If it was canonical, its transactions stay included. */
static void
forget(struct life *l, uint32_t slot)
{
	struct life_block *b = &l->blocks[slot];
	if (b->canonical) {
		if (!b->settled)
			settle(l, b);
		if (l->unsettled == slot)
			l->unsettled = b->next;
		list_remove(l, &l->chain, slot);
	} else {
		list_remove(l, &l->candidates, slot);
	}
	uint32_t *at = block_bucket(l, b->id.hash);
	while (*at != slot)
		at = &l->blocks[*at].by_hash;
	*at = b->by_hash;
	b->canonical = false;
	free_block(l, b);
}

/* The oldest candidate, or the chain's far end. */
static void
make_room(struct life *l)
{
	uint32_t bottom = l->chain.first;
	if (l->candidates.n > candidates_max(l) || bottom == l->chain.last)
		bottom = l->candidates.first;
	forget(l, bottom);
}

struct life_link *
life_block_link(struct life *l, struct life_block *b)
{
	while (l->free_link == 0 && b->n_txs < l->block_links_max) {
		uint32_t victim = l->candidates.first;
		if (victim == 0 && l->chain.first != 0 && l->blocks[l->chain.first].settled)
			victim = l->chain.first;
		if (victim == 0)
			break;
		forget(l, victim);
	}
	if (l->free_link == 0 || b->n_txs >= l->block_links_max) {
		count(l, LIFE_N_LINKS_FULL);
		return NULL;
	}
	uint32_t link = l->free_link;
	l->free_link = l->links[link].next;
	l->n_links_used++;
	append_link(l, b, link);
	return &l->links[link];
}

/* ---- the chain ---- */

static void
count_block(struct life *l, struct life_block *b)
{
	if (b->counted)
		return;
	b->counted = true;
	count(l, LIFE_N_BLOCKS);
	l->counts[LIFE_N_UNREAD] += b->n_unread;
}

/* Counts what came in by the word of an answer, now that the engine has told it too. */
static void
count_late(struct life *l, struct life_block *b)
{
	if (b->counted)
		return;
	count_block(l, b);
	for (uint32_t i = b->first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t != NULL && t->state == LIFE_INCLUDED && life_block_at(l, t->by) == b)
			life_tx_count(l, t, b);
	}
}

/* A canonical block becomes a candidate. b->invalid: its transactions as if it had never been. */
static void
leave(struct life *l, uint32_t slot, uint64_t now_ns)
{
	struct life_block *b = &l->blocks[slot];
	if (l->unsettled == slot)
		l->unsettled = b->next;
	list_remove(l, &l->chain, slot);
	b->canonical = false;
	b->place = PLACE_CANDIDATE;
	list_insert(l, &l->candidates, slot, 0);
	if (!b->invalid)
		count(l, LIFE_N_BLOCKS_REORGED);
	struct life_ref ref = life_block_ref(l, b);
	for (uint32_t i = b->first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t != NULL && t->state == LIFE_INCLUDED && life_same(t->by, ref))
			life_tx_exclude(l, t, b, now_ns);
	}
	b->settled = false;
}

/* A candidate becomes canonical, below `next` (0: as the head). Its number is set. */
static void
come_in(struct life *l, uint32_t slot, uint32_t next, bool counts, uint64_t now_ns)
{
	struct life_block *b = &l->blocks[slot];
	list_remove(l, &l->candidates, slot);
	list_insert(l, &l->chain, slot, next);
	b->canonical = true;
	b->place = PLACE_CHAIN;
	b->settled = next != 0 && l->blocks[next].settled;
	if (!b->settled && l->unsettled == next)
		l->unsettled = slot;
	if (counts)
		count_block(l, b);
	for (uint32_t i = b->first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t != NULL)
			life_tx_include(l, t, b, b->counted, now_ns);
	}
	uint64_t head = l->blocks[l->chain.last].id.number;
	while (l->unsettled != 0 && l->blocks[l->unsettled].id.number + LIFE_SETTLED_BLOCKS <= head) {
		struct life_block *old = &l->blocks[l->unsettled];
		settle(l, old);
		l->unsettled = old->next;
	}
}

/* From b up the known parents. Each one's `child` is set. Returns the uppermost; *ancestor: the canonical
 * block that it stands on, or 0. */
static uint32_t
walk(struct life *l, uint32_t slot, uint32_t *ancestor)
{
	l->walks++;
	l->blocks[slot].child = 0;
	l->blocks[slot].walk = l->walks;
	*ancestor = 0;
	for (uint32_t n = 1; n < LIFE_WALK_MAX; n++) {
		uint32_t p = parent_of(l, &l->blocks[slot]);
		if (p == 0 || l->blocks[p].walk == l->walks)
			break;
		if (l->blocks[p].canonical) {
			*ancestor = p;
			break;
		}
		l->blocks[p].walk = l->walks;
		l->blocks[p].child = slot;
		slot = p;
	}
	return slot;
}

/* Everything leaves that cannot stand below b, whose parent is not known. Sets its number if it is not known.
 */
static void
clear_for(struct life *l, struct life_block *b, uint64_t now_ns)
{
	struct life_list *c = &l->chain;
	if (!(b->id.has & LIFE_HAS_NUMBER)) {
		b->id.number = c->last != 0 ? l->blocks[c->last].id.number + 1 : 0;
		return;
	}
	while (c->last != 0 && l->blocks[c->last].id.number >= b->id.number)
		leave(l, c->last, now_ns);
	if (c->last != 0 && b->id.has & LIFE_HAS_PARENT && l->blocks[c->last].id.number == b->id.number - 1)
		leave(l, c->last, now_ns); /* it is not the parent */
}

/* The candidate becomes the head, on its known ancestors. `counts`: those too that only answers told. */
static void
advance(struct life *l, uint32_t slot, bool counts, uint64_t now_ns)
{
	uint32_t ancestor, from = walk(l, slot, &ancestor);
	if (ancestor != 0) {
		while (l->chain.last != ancestor)
			leave(l, l->chain.last, now_ns);
		l->blocks[from].id.number = l->blocks[ancestor].id.number + 1;
	} else {
		clear_for(l, &l->blocks[from], now_ns);
	}
	for (uint64_t number = l->blocks[from].id.number; from != 0; from = l->blocks[from].child, number++) {
		l->blocks[from].id.number = number;
		come_in(l, from, 0, counts || l->blocks[from].kind != LIFE_BLOCK_TOLD, now_ns);
	}
}

/* A forkchoice names a known block. */
static void
become_head(struct life *l, uint32_t slot, bool counts, uint64_t now_ns)
{
	l->wants_head = false;
	if (!l->blocks[slot].canonical)
		advance(l, slot, counts, now_ns);
	while (l->chain.last != slot)
		leave(l, l->chain.last, now_ns);
}

/* The chain may have a block whose parent came late: it comes in below, and its own parent below it. */
static void
fill(struct life *l, uint32_t slot, uint64_t now_ns)
{
	for (unsigned n = 0; slot != 0 && n < LIFE_SETTLED_BLOCKS; n++) {
		struct life_block *b = &l->blocks[slot];
		uint32_t above = l->chain.last, i = 0;
		while (above != 0 && i < LIFE_SETTLED_BLOCKS &&
			!(l->blocks[above].id.has & LIFE_HAS_PARENT &&
				memcmp(l->blocks[above].id.parent, b->id.hash, 32) == 0)) {
			above = l->blocks[above].prev;
			i++;
		}
		if (above == 0 || i == LIFE_SETTLED_BLOCKS || l->blocks[above].id.number == 0)
			return;
		uint64_t number = l->blocks[above].id.number - 1;
		uint32_t below = l->blocks[above].prev;
		if (below != 0 && l->blocks[below].id.number >= number)
			return;
		b->id.number = number;
		come_in(l, slot, above, b->kind != LIFE_BLOCK_TOLD, now_ns);
		uint32_t p = parent_of(l, b);
		if (below != 0 && p != below && b->id.has & LIFE_HAS_PARENT &&
			l->blocks[below].id.number + 1 == number)
			leave(l, below, now_ns);
		slot = p != 0 && !l->blocks[p].canonical ? p : 0;
	}
}

/* ---- what is told of blocks ---- */

static struct life_block *
opened(const struct life *l, uint64_t handle, uint32_t *at)
{
	for (uint32_t i = 0; i < l->n_open; i++) {
		if (l->blocks[l->open[i]].handle == handle) {
			*at = i;
			return &l->blocks[l->open[i]];
		}
	}
	return NULL;
}

static void
unopen(struct life *l, uint32_t at)
{
	l->n_open--;
	memmove(&l->open[at], &l->open[at + 1], (l->n_open - at) * sizeof *l->open);
}

void
life_block_open(struct life *l, uint64_t handle, uint64_t now_ns)
{
	uint32_t at = 0;
	struct life_block *b = opened(l, handle, &at);
	if (b == NULL && l->n_open == LIFE_OPEN_MAX)
		b = &l->blocks[l->open[at = 0]];
	if (b != NULL) {
		unopen(l, at);
		free_block(l, b);
		count(l, LIFE_N_BLOCKS_OPEN_LOST);
	}
	uint32_t slot = l->free_block;
	b = &l->blocks[slot];
	l->free_block = b->next;
	*b = (struct life_block){
		.generation = b->generation, .handle = handle, .seen_ns = now_ns, .place = PLACE_OPEN};
	l->open[l->n_open++] = slot;
}

void
life_block_tx(struct life *l, uint64_t handle, const struct life_seen *s, uint64_t now_ns)
{
	uint32_t at;
	struct life_block *b = opened(l, handle, &at);
	struct life_link *k = b != NULL ? life_block_link(l, b) : NULL;
	if (k == NULL)
		return;
	uint32_t slot = life_tx_find(l, s->hash);
	struct life_tx *t = slot != 0 ? &l->txs[slot] : life_tx_make(l, s->hash);
	k->tx = life_tx_slot(l, t);
	k->generation = t->generation;
	t->refs++;
	life_tx_learn(l, t, s, now_ns);
}

void
life_block_unread(struct life *l, uint64_t handle)
{
	uint32_t at;
	struct life_block *b = opened(l, handle, &at);
	if (b != NULL && b->n_unread < UINT32_MAX)
		b->n_unread++;
}

/* A second copy b of block e: what it has more is taken over, its record is given back. */
static void
merge(struct life *l, struct life_block *e, struct life_block *b, uint64_t now_ns)
{
	count(l, LIFE_N_BLOCKS_REPEATED);
	if (b->kind > e->kind)
		e->kind = b->kind;
	if (!(e->id.has & LIFE_HAS_PARENT) && b->id.has & LIFE_HAS_PARENT) {
		memcpy(e->id.parent, b->id.parent, 32);
		e->id.has |= LIFE_HAS_PARENT;
	}
	if (!(e->id.has & LIFE_HAS_NUMBER) && b->id.has & LIFE_HAS_NUMBER) {
		e->id.has |= LIFE_HAS_NUMBER;
		if (!e->canonical)
			e->id.number = b->id.number;
	}
	if (b->n_txs > e->n_txs && !e->canonical && !e->counted) {
		struct life_block copy = *e;
		e->first = b->first, e->last = b->last, e->n_txs = b->n_txs, e->n_unread = b->n_unread;
		b->first = copy.first, b->last = copy.last, b->n_txs = copy.n_txs;
	} else if (b->n_txs > e->n_txs && e->canonical) {
		uint32_t next = b->first;
		b->first = b->last = b->n_txs = 0;
		for (uint32_t i = next; i != 0; i = next) {
			struct life_tx *t = linked(l, i);
			next = l->links[i].next;
			bool in = t == NULL || (t->state == LIFE_INCLUDED && life_block_at(l, t->by) == e);
			append_link(l, in ? b : e, i);
			if (!in)
				life_tx_include(l, t, e, e->counted, now_ns);
		}
	}
	free_block(l, b);
}

/* The open block gets its place in the table, or goes into the one that is there. Returns its slot. */
static uint32_t
place(struct life *l, struct life_block *b, uint64_t now_ns, bool *known)
{
	uint32_t slot = life_block_slot(l, b->id.hash);
	*known = slot != 0;
	if (slot != 0) {
		merge(l, &l->blocks[slot], b, now_ns);
		return slot;
	}
	if (l->chain.n + l->candidates.n >= l->n_blocks)
		make_room(l);
	slot = (uint32_t)(b - l->blocks);
	uint32_t *bucket = block_bucket(l, b->id.hash);
	b->by_hash = *bucket;
	*bucket = slot;
	b->place = PLACE_CANDIDATE;
	list_insert(l, &l->candidates, slot, 0);
	return slot;
}

/* Has the chain a block with this number? */
static bool
has_number(const struct life *l, uint64_t number)
{
	uint32_t slot = l->chain.last;
	while (slot != 0 && l->blocks[slot].id.number > number)
		slot = l->blocks[slot].prev;
	return slot != 0 && l->blocks[slot].id.number == number;
}

/* An answer's block. `known`: it had been told before; then the engine, if there is one, knows better. */
static void
told(struct life *l, uint32_t slot, bool known, uint64_t now_ns)
{
	struct life_block *b = &l->blocks[slot];
	if (b->canonical || (known && l->engine_seen))
		return;
	bool numbered = b->id.has & LIFE_HAS_NUMBER;
	if (l->chain.last == 0 || (numbered && b->id.number > l->blocks[l->chain.last].id.number)) {
		advance(l, slot, !l->engine_seen, now_ns);
		return;
	}
	fill(l, slot, now_ns);
	if (b->canonical || !numbered || has_number(l, b->id.number))
		return;
	for (uint32_t i = b->first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t != NULL)
			life_tx_include(l, t, NULL, false, now_ns);
	}
	forget(l, slot);
}

static void
payload(struct life *l, uint32_t slot, uint64_t now_ns)
{
	struct life_block *b = &l->blocks[slot];
	l->engine_seen = true;
	if (b->canonical) {
		count_late(l, b);
		return;
	}
	uint32_t head = l->chain.last;
	if (head == 0 ||
		(b->id.has & LIFE_HAS_PARENT && memcmp(b->id.parent, l->blocks[head].id.hash, 32) == 0))
		advance(l, slot, true, now_ns);
	else
		fill(l, slot, now_ns);
}

void
life_block_close(struct life *l, uint64_t handle, enum life_block_kind kind, const struct life_block_id *id,
	uint64_t now_ns)
{
	uint32_t at;
	struct life_block *b = opened(l, handle, &at);
	if (b == NULL)
		return;
	unopen(l, at);
	if (id == NULL || !(id->has & LIFE_HAS_HASH)) {
		free_block(l, b);
		count(l, LIFE_N_BLOCKS_VOID);
		return;
	}
	b->id = *id;
	b->kind = (uint8_t)kind;
	if (id->number > (uint64_t)1 << 62)
		b->id.has &= (uint8_t)~LIFE_HAS_NUMBER;
	if (!(b->id.has & LIFE_HAS_NUMBER))
		b->id.number = 0;
	bool known;
	uint32_t slot = place(l, b, now_ns, &known);
	bool wanted = l->wants_head && memcmp(l->wanted_head, id->hash, 32) == 0;
	bool counts = kind == LIFE_BLOCK_TOLD && !l->engine_seen && !known;
	if (kind == LIFE_BLOCK_NEW)
		payload(l, slot, now_ns);
	else if (kind == LIFE_BLOCK_TOLD && !wanted)
		told(l, slot, known, now_ns);
	else if (kind == LIFE_BLOCK_OFFERED && !l->blocks[slot].canonical)
		fill(l, slot, now_ns);
	if (wanted)
		become_head(l, slot, counts, now_ns);
}

void
life_head(struct life *l, const uint8_t hash[32], uint64_t now_ns)
{
	uint32_t slot = life_block_slot(l, hash);
	l->wants_head = slot == 0;
	if (slot == 0)
		memcpy(l->wanted_head, hash, 32);
	else
		become_head(l, slot, false, now_ns);
}

/* As if it had never been. It is a candidate. */
static void
take_back(struct life *l, uint32_t slot)
{
	for (uint32_t i = l->blocks[slot].first; i != 0; i = l->links[i].next) {
		struct life_tx *t = linked(l, i);
		if (t != NULL)
			life_tx_take_back(l, t, &l->blocks[slot]);
	}
	count(l, LIFE_N_BLOCKS_INVALID);
	forget(l, slot);
}

/* Of the canonical blocks above slot its known descendants are invalid too; the others leave. */
static void
leave_invalid(struct life *l, uint32_t slot, uint64_t now_ns)
{
	uint32_t invalid = slot;
	for (uint32_t s = l->blocks[slot].next; s != 0 && parent_of(l, &l->blocks[s]) == invalid;
		s = l->blocks[s].next) {
		l->blocks[s].invalid = true;
		invalid = s;
	}
	while (l->blocks[slot].canonical) {
		uint32_t top = l->chain.last;
		leave(l, top, now_ns);
		if (l->blocks[top].invalid && top != slot)
			take_back(l, top);
	}
}

void
life_block_judged(struct life *l, const uint8_t hash[32], bool valid, uint64_t now_ns)
{
	uint32_t slot = life_block_slot(l, hash);
	if (slot == 0 || valid)
		return;
	l->blocks[slot].invalid = true;
	if (l->blocks[slot].canonical)
		leave_invalid(l, slot, now_ns);
	take_back(l, slot);
}
