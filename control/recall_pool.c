/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/recall_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
unlink_slot(struct recall_pool *p, uint32_t s)
{
	unsigned l = p->list[s];
	if (p->prev[s] != RECALL_NONE)
		p->next[p->prev[s]] = p->next[s];
	else
		p->head[l] = p->next[s];
	if (p->next[s] != RECALL_NONE)
		p->prev[p->next[s]] = p->prev[s];
	else
		p->tail[l] = p->prev[s];
	p->count[l]--;
}

static void
link_slot(struct recall_pool *p, uint32_t s, enum recall_list l)
{
	p->list[s] = (uint8_t)l;
	p->prev[s] = RECALL_NONE;
	p->next[s] = p->head[l];
	if (p->head[l] != RECALL_NONE)
		p->prev[p->head[l]] = s;
	else
		p->tail[l] = s;
	p->head[l] = s;
	p->count[l]++;
}

int
recall_pool_new(struct recall_pool *p, uint32_t n)
{
	*p = (struct recall_pool){.n = n, .mask = 1};
	while (p->mask < n)
		p->mask *= 2;
	uint32_t **const words[] = {&p->prev, &p->next, &p->chain, &p->dirty};
	bool ok = true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		ok = (*words[i] = malloc(n * sizeof **words[i])) != NULL && ok;
	p->bucket = malloc(p->mask * sizeof *p->bucket);
	p->heard = calloc(n, sizeof *p->heard);
	p->list = calloc(n, 1);
	p->is_dirty = calloc(n, 1);
	if (!ok || p->bucket == NULL || p->heard == NULL || p->list == NULL || p->is_dirty == NULL) {
		recall_pool_free(p);
		return -ENOMEM;
	}
	memset(p->bucket, 0xff, p->mask * sizeof *p->bucket);
	p->mask--;
	for (unsigned l = 0; l < RECALL_LISTS; l++)
		p->head[l] = p->tail[l] = RECALL_NONE;
	for (uint32_t s = n; s > 0; s--)
		link_slot(p, s - 1, RECALL_FREE);
	return 0;
}

void
recall_pool_free(struct recall_pool *p)
{
	free(p->prev);
	free(p->next);
	free(p->chain);
	free(p->dirty);
	free(p->bucket);
	free(p->heard);
	free(p->list);
	free(p->is_dirty);
	*p = (struct recall_pool){0};
}

void
recall_pool_changed(struct recall_pool *p, uint32_t slot)
{
	if (!p->is_dirty[slot])
		p->dirty[p->n_dirty++] = slot;
	p->is_dirty[slot] = 1;
}

void
recall_pool_settled(struct recall_pool *p)
{
	for (uint32_t i = 0; i < p->n_dirty; i++)
		p->is_dirty[p->dirty[i]] = 0;
	p->n_dirty = 0;
}

uint32_t
recall_pool_take(
	struct recall_pool *p, uint32_t slot, uint64_t hash, enum recall_list list, uint64_t heard_ns)
{
	uint32_t s = slot != RECALL_NONE ? slot : p->head[RECALL_FREE];
	if (s == RECALL_NONE)
		return s;
	uint32_t *b = &p->bucket[hash & p->mask];
	p->chain[s] = *b;
	*b = s;
	recall_pool_move(p, s, list, heard_ns);
	return s;
}

void
recall_pool_move(struct recall_pool *p, uint32_t slot, enum recall_list list, uint64_t heard_ns)
{
	unlink_slot(p, slot);
	link_slot(p, slot, list);
	p->heard[slot] = heard_ns;
	recall_pool_changed(p, slot);
}

void
recall_pool_give(struct recall_pool *p, uint32_t slot, uint64_t hash)
{
	uint32_t *at = &p->bucket[hash & p->mask];
	while (*at != slot)
		at = &p->chain[*at];
	*at = p->chain[slot];
	recall_pool_move(p, slot, RECALL_FREE, 0);
}

uint32_t
recall_pool_first(const struct recall_pool *p, uint64_t hash)
{
	return p->bucket[hash & p->mask];
}

uint32_t
recall_pool_next(const struct recall_pool *p, uint32_t slot)
{
	return p->chain[slot];
}
