/* SPDX-License-Identifier: BSD-3-Clause */
/* recall_table: what is armed and which incidents live, as the journaled alerts tell it. Pure: reads no clock
 * and no file, all in memory that is taken at the start; every event costs the same however much is in it. It
 * forgets:
 *
 *   contracts whose deployment is not in a block    a day after they were last heard of, and first of all
 * when room is needed contracts whose deployment is in a block        30 days after; for room only by others
 * that are in a block contracts that operators watch                  never by itself incidents an hour after
 * their last alert, the longest silent first when room is needed
 *
 * A deployment that is dropped or replaced takes its contract along. */
#ifndef CONTROL_RECALL_TABLE_H
#define CONTROL_RECALL_TABLE_H

#include "abi/memory.h"
#include "control/journal_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECALL_ARMED_AGE_NS (86400ull * 1000000000ull)
#define RECALL_INCLUDED_AGE_NS (30ull * 86400ull * 1000000000ull)
#define RECALL_INCIDENT_AGE_NS (3600ull * 1000000000ull)
#define RECALL_WATCH_MAX 1024u /* of operators */
#define RECALL_NONE UINT32_MAX

enum recall_list { RECALL_FREE, RECALL_PENDING, RECALL_INCLUDED, RECALL_OPERATOR, RECALL_LISTS };

/* Slots in lists by age, found by a keyed hash; which of them have changed. */
struct recall_pool {
	uint32_t n, mask;
	uint32_t *prev, *next, *bucket, *chain, *dirty;
	uint64_t *heard; /* wall clock at which it was journaled that it was last heard of */
	uint8_t *list, *is_dirty;
	uint32_t head[RECALL_LISTS], tail[RECALL_LISTS], count[RECALL_LISTS]; /* head: youngest */
	uint32_t n_dirty;
};

struct recall_table {
	struct recall_pool armed_pool, live_pool;
	struct memory_armed *armed;   /* by slot */
	struct memory_incident *live; /* by slot; RECALL_PENDING is the list of them all */
	uint64_t seed[2];
	uint64_t evicted, evicted_included, refused, aged,
		dropped; /* contracts: made room; of these included; found no room; of age; by their ending */
	uint64_t live_evicted, live_aged;
};

/* recall_table_new: n_armed and n_live slots at most MEMORY_ARMED_MAX and MEMORY_INCIDENTS_MAX. 0 or -ENOMEM.
 * _free takes a zeroed one. */
int recall_table_new(struct recall_table *t, uint32_t n_armed, uint32_t n_live, const uint64_t seed[2]);
void recall_table_free(struct recall_table *t);

/* recall_table_take learns from an event of the journal, in order of cursor. Losses, drills and verdicts say
 * nothing. */
void recall_table_take(struct recall_table *t, const struct journal_event *e);
/* recall_table_age forgets what is too old at now_ns (wall clock), at most `budget` entries of each kind. */
void recall_table_age(struct recall_table *t, uint64_t now_ns, uint32_t budget);

/* recall_table_watch: an operator watches the contract, on any chain. 0; -EEXIST; -ENOSPC: RECALL_WATCH_MAX.
 * recall_table_unwatch: 0 or -ENOENT. */
int recall_table_watch(struct recall_table *t, const uint8_t address[20], uint64_t now_ns);
int recall_table_unwatch(struct recall_table *t, const uint8_t address[20]);

/* Found by key, for tests and the store; NULL: not there. chain_id 0: of no known chain. */
const struct memory_armed *recall_table_armed(
	const struct recall_table *t, const uint8_t address[20], uint64_t chain_id);
const struct memory_incident *recall_table_incident(
	const struct recall_table *t, const uint8_t dedupekey[32]);

/* recall_table_load_armed, _live put back what was kept, oldest heard first, into its slot. false: the slot
 * is taken or out of range, or the entry is not as it must be. */
bool recall_table_load_armed(
	struct recall_table *t, uint32_t slot, uint64_t heard_ns, const struct memory_armed *e);
bool recall_table_load_live(
	struct recall_table *t, uint32_t slot, uint64_t heard_ns, const struct memory_incident *e);

/* recall_table_page makes the page's bytes, to be freed; *bytes of them. NULL: no memory. */
void *recall_table_page(const struct recall_table *t, uint64_t number, uint64_t now_ns, size_t *bytes);

#endif
