/* SPDX-License-Identifier: BSD-3-Clause */
/* recall_pool: slots in lists by age, found by hash. The caller keeps the entries, by slot. All O(1). */
#ifndef CONTROL_RECALL_POOL_H
#define CONTROL_RECALL_POOL_H

#include "control/recall_table.h"

/* recall_pool_new: n >= 1 slots, all free. 0 or -ENOMEM. */
int recall_pool_new(struct recall_pool *p, uint32_t n);
void recall_pool_free(struct recall_pool *p);

/* recall_pool_take takes a free slot (or `slot`, if it is not RECALL_NONE: it must be free) to the young end
 * of a list, under a hash. RECALL_NONE: none is free. */
uint32_t recall_pool_take(
	struct recall_pool *p, uint32_t slot, uint64_t hash, enum recall_list list, uint64_t heard_ns);
/* recall_pool_move moves a taken slot to the young end of a list. */
void recall_pool_move(struct recall_pool *p, uint32_t slot, enum recall_list list, uint64_t heard_ns);
/* recall_pool_give frees a slot; hash as when it was taken. */
void recall_pool_give(struct recall_pool *p, uint32_t slot, uint64_t hash);
/* recall_pool_first, _next: the slots under a hash's bucket; RECALL_NONE at the end. */
uint32_t recall_pool_first(const struct recall_pool *p, uint64_t hash);
uint32_t recall_pool_next(const struct recall_pool *p, uint32_t slot);
/* recall_pool_changed marks a slot as changed; taking, moving and giving do so by themselves.
 * recall_pool_settled: all are kept now. */
void recall_pool_changed(struct recall_pool *p, uint32_t slot);
void recall_pool_settled(struct recall_pool *p);

#endif
