/* SPDX-License-Identifier: BSD-3-Clause */
/* storm: what keeps floods of equal findings from drowning the rest, without silencing a rule: findings of one kind on one target (or updates of one incident) are told one by one as long as
 * they are few; of more, up to STORM_HASHES at a time go out in one record that names their transactions, at the latest after STORM_WAIT_NS. What a node accepts is taken out
 * and told by itself (report.h). Groups are told apart by a key of 20 bytes; the table is fixed, the group that was quiet longest makes room, after what it holds is told.
 * Time is packet time. */
#ifndef WORKER_STORM_H
#define WORKER_STORM_H

#include "abi/alert.h"

#include <stdbool.h>
#include <stdint.h>

#define STORM_GROUPS 1024u
#define STORM_FREE 256u			  /* told one by one within STORM_SPAN_NS */
#define STORM_SPAN_NS (1ull * 1000000000)
#define STORM_WAIT_NS (100ull * 1000000)
#define STORM_HASHES (ALERT_RELATED_MAX + 1) /* the record's own and its related ones */

struct storm_group {
	uint8_t key[20];
	uint64_t since_ns; /* of the span */
	uint64_t last_ns;
	uint64_t first_held_ns; /* of those that wait */
	uint32_t n;	   /* in the span */
	uint32_t total;	   /* that the group's record stands for */
	uint32_t waiting;
	uint64_t seq;  /* of the last record told; 0: none */
	uint32_t ring;
	bool used;
	uint8_t hash[STORM_HASHES][32];
	struct alert_record like; /* the first that was held */
};

struct storms {
	struct storm_group group[STORM_GROUPS];
	uint32_t hand;
	uint32_t busy; /* groups in which something waits */
};

enum storm_verdict { STORM_TELL, STORM_HELD, STORM_FULL };

/* storm_take: may this finding be told by itself? HELD: it waits in *group, to be told with others. FULL: so it does, and the group is to be told now (storm_told). */
enum storm_verdict storm_take(struct storms *s, const uint8_t key[20], const struct alert_record *r, uint64_t now_ns, struct storm_group **group);

/* storm_due: a group that has waited long enough, or NULL; looks at a few groups a call, at all if nothing may wait any longer. */
struct storm_group *storm_due(struct storms *s, uint64_t now_ns, bool all);

/* storm_keep: only the first n of what waits in the group still do. */
void storm_keep(struct storms *s, struct storm_group *g, uint32_t n);

/* storm_record makes the record of what waits in the group; storm_told empties it. */
void storm_record(const struct storm_group *g, struct alert_record *r);
void storm_told(struct storms *s, struct storm_group *g, uint64_t seq, uint32_t ring);

#endif
