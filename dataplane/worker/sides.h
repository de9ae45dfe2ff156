/* SPDX-License-Identifier: BSD-3-Clause */
/* sides: a worker's figures per node and feed (abi/nodes.h). What is counted while the bytes of a connection are read is that connection's: what the
 * worker's counters have grown by goes to the side that was current, whenever another becomes current and at the end of a burst. So
 * the sides add up to the counters by their making, whoever counts.
 *
 * A side is node * NODE_FEED_COUNT + feed. flow.tally names it, and in its lowest bit which end of the connection is the node. */
#ifndef WORKER_SIDES_H
#define WORKER_SIDES_H

#include "abi/nodes.h"

#include <stddef.h>
#include <stdint.h>

#define SIDE_WORDS (sizeof(struct stats_node_feed) / sizeof(uint64_t))
#define SIDES_MAX (STATS_NODES_MAX * NODE_FEED_COUNT)
_Static_assert(SIDE_WORDS == 16 && offsetof(struct stats_node_feed, segments) == 0, "tally ^ direction is the word of a segment count");

/* In the order of stats_node_feed from `messages` on. */
#define SIDE_TRACKED 7u

struct sides {
	struct stats_node_feed *of;
	uint32_t now; /* the current one */
	uint64_t before[SIDE_TRACKED];
};

static inline uint32_t
side_tally(unsigned node, unsigned feed, unsigned node_end)
{
	return (uint32_t)((node * NODE_FEED_COUNT + feed) * SIDE_WORDS) | node_end;
}

static inline uint32_t
side_of_tally(uint32_t tally)
{
	return tally / SIDE_WORDS;
}

static inline unsigned
side_feed(uint32_t side)
{
	return side % NODE_FEED_COUNT;
}

#endif
