/* SPDX-License-Identifier: BSD-3-Clause */
/* arena: memory that goes all at once. Out of memory ends the process (exit 1, a line on stderr). */
#ifndef RULES_ARENA_H
#define RULES_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	struct arena_block *last;
};

void arena_free(struct arena *a);
/* arena_alloc: n zeroed bytes, aligned to 16. */
void *arena_alloc(struct arena *a, size_t n);
/* arena_copy: n bytes and a NUL. */
char *arena_copy(struct arena *a, const void *p, size_t n);
/* arena_grow makes room for element *n of an array (`*cap` elements of `size` bytes at *array), moving it if
 * needed. */
void *arena_grow(struct arena *a, void *array, uint32_t n, uint32_t *cap, size_t size);

/* xalloc: malloc of n bytes that does not fail. */
void *xalloc(size_t n);

#define ARENA_NEW(a, type) ((type *)arena_alloc(a, sizeof(type)))
#define ARENA_PUSH(a, array, n, cap) \
	((array) = arena_grow(a, array, n, &(cap), sizeof *(array)), &(array)[(n)++])

#endif
