/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (64u << 10)

struct arena_block {
	struct arena_block *before;
	size_t used, cap;
	_Alignas(16) uint8_t bytes[];
};

void *
xalloc(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (p == NULL) {
		fputs("rules: out of memory (fewer rules, or a higher limit)\n", stderr);
		exit(1);
	}
	return p;
}

void
arena_free(struct arena *a)
{
	while (a->last != NULL) {
		struct arena_block *b = a->last;
		a->last = b->before;
		free(b);
	}
}

void *
arena_alloc(struct arena *a, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (a->last == NULL || n > a->last->cap - a->last->used) {
		size_t cap = n > BLOCK ? n : BLOCK;
		struct arena_block *b = xalloc(sizeof *b + cap);
		*b = (struct arena_block){a->last, 0, cap};
		a->last = b;
	}
	void *p = a->last->bytes + a->last->used;
	a->last->used += n;
	memset(p, 0, n);
	return p;
}

char *
arena_copy(struct arena *a, const void *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);
	if (n > 0)
		memcpy(s, p, n);
	return s;
}

void *
arena_grow(struct arena *a, void *array, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 8;
	void *bigger = arena_alloc(a, *cap * size);
	if (n > 0)
		memcpy(bigger, array, n * size);
	return bigger;
}
