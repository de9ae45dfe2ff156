/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/slabs.h"

static const uint32_t class_bytes[SLAB_CLASSES] = {4u << 10, 256u << 10, 2621440u};

static void
list_init(struct slab *head)
{
	head->prev = head->next = head;
}

static void
list_remove(struct slab *s)
{
	s->prev->next = s->next;
	s->next->prev = s->prev;
}

/* Behind the last; before the first if `head` is the first. */
static void
list_append(struct slab *head, struct slab *s)
{
	s->prev = head->prev;
	s->next = head;
	head->prev->next = s;
	head->prev = s;
}

size_t
slabs_bytes(const uint32_t n[SLAB_CLASSES])
{
	size_t total = 0;
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		total += (size_t)n[i] * (class_bytes[i] + sizeof(struct slab)) + 64;
	return total;
}

void
slabs_init(struct slabs *s, void *mem, const uint32_t n[SLAB_CLASSES])
{
	uint8_t *at = mem;
	s->stolen = 0;
	for (unsigned i = 0; i < SLAB_CLASSES; i++) {
		struct slab_class *c = &s->c[i];
		c->slab_bytes = class_bytes[i];
		c->n = n[i];
		c->memory = at;
		at += (size_t)n[i] * class_bytes[i];
		c->slabs = (struct slab *)at;
		at += ((size_t)n[i] * sizeof(struct slab) + 63) & ~(size_t)63;
		list_init(&c->free);
		list_init(&c->used);
		for (uint32_t k = 0; k < n[i]; k++) {
			c->slabs[k] = (struct slab){.class_ = i, .bytes = c->memory + (size_t)k * class_bytes[i]};
			list_append(&c->free, &c->slabs[k]);
		}
	}
}

uint8_t *
slabs_get(struct slabs *s, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	unsigned i = 0;
	while (i < SLAB_CLASSES && (class_bytes[i] < bytes || s->c[i].n == 0))
		i++;
	if (i == SLAB_CLASSES)
		return NULL;
	struct slab_class *c = &s->c[i];
	struct slab *b = c->free.next;
	if (b == &c->free) {
		b = c->used.next;
		*b->holder = NULL;
		s->stolen++;
	}
	list_remove(b);
	list_append(&c->used, b);
	b->holder = holder;
	*cap = c->slab_bytes;
	return b->bytes;
}

void
slabs_put(struct slabs *s, uint8_t *bytes)
{
	for (unsigned i = 0; i < SLAB_CLASSES; i++) {
		struct slab_class *c = &s->c[i];
		uintptr_t at = (uintptr_t)bytes - (uintptr_t)c->memory;
		if (at >= (size_t)c->n * c->slab_bytes)
			continue;
		struct slab *b = &c->slabs[at / c->slab_bytes];
		if (b->holder == NULL)
			return;
		b->holder = NULL;
		list_remove(b);
		list_append(c->free.next, b); /* first to be used again: its lines are warm */
		return;
	}
}
