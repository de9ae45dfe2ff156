/* SPDX-License-Identifier: BSD-3-Clause */
/* slabs: the buffers in which one worker puts together transactions that do not arrive in one piece. Three
 * size classes, all memory taken at start-up. When a class is used up the slab that has waited longest is taken
 * from its holder, who learns of it by finding NULL in its pointer: so a thousand POSTs that never end
 * cannot keep a fresh one from being read. */
#ifndef WORKER_SLABS_H
#define WORKER_SLABS_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_CLASSES 3

struct slab {
	struct slab *prev, *next; /* in the class's free or used list */
	uint8_t **holder;
	uint32_t class_;
	uint8_t *bytes;
};

struct slab_class {
	uint32_t slab_bytes, n;
	struct slab *slabs;
	struct slab free, used; /* list heads; used: oldest first */
	uint8_t *memory;
};

struct slabs {
	struct slab_class c[SLAB_CLASSES];
	uint64_t stolen;
};

/* slabs_bytes: memory for n[i] slabs of class i (4 KiB, 256 KiB, 2.5 MiB); slabs_init lays them out in mem (64-byte
 * aligned). */
size_t slabs_bytes(const uint32_t n[SLAB_CLASSES]);
void slabs_init(struct slabs *s, void *mem, const uint32_t n[SLAB_CLASSES]);

/* slabs_get returns a slab of at least `bytes` from the smallest class that fits and was given any slabs, taking the
 * oldest if need be; NULL if there is no such class. holder is where the owner keeps the pointer, and must stay good until
 * the slab is put back: it may be set to NULL in any later slabs_get. */
uint8_t *slabs_get(struct slabs *s, uint32_t bytes, uint32_t *cap, uint8_t **holder);
/* slabs_put gives a slab back (NULL, or one that is free already: nothing happens). The holder is not touched. */
void slabs_put(struct slabs *s, uint8_t *bytes);

#endif
