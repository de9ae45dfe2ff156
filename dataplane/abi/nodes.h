/* SPDX-License-Identifier: BSD-3-Clause */
/* nodes: what the stats page says of each node beside the box, and of each feed of it. Every lcore that runs a worker writes figures of its own,
 * with plain 8-byte stores; a reader adds them up over the lcores (stats_node_sum). Node 0 is "other": all connections that are no named node's.
 *
 * A connection belongs to the node, and to the feed, that it is known to be of at the time of counting: its first segments count as UNREAD, which
 * is also where those stay that nobody here can read (TLS, consensus gossip). Over all nodes and feeds the figures add up to the counters of
 * the lcore (tests/unit/worker/test_nodes.c):
 *   segments = accepted, bytes = st_advanced - st_gap, gap = st_gap, crossed, scanned, duplicate = tx_*, hashes, hash_* = node_* */
#ifndef ABI_NODES_H
#define ABI_NODES_H

#include <stdint.h>

#define STATS_NODES_MAX 17 /* "other", and 16 named */
#define STATS_NODE_NAME_BYTES 32

/* _(id, name): feeds as the profile has them (worker/feeds.h), and two more. */
#define STATS_NODE_FEEDS(_)       \
	_(UNREAD, "unread")       \
	_(HTTP, "http")           \
	_(WEBSOCKET, "websocket") \
	_(RLPX, "rlpx")           \
	_(ENGINE, "engine")       \
	_(GRPC, "grpc")           \
	_(ARBITRUM, "arbitrum")   \
	_(IPC, "ipc")

enum stats_node_feed_id {
#define _(id, name) NODE_FEED_##id,
	STATS_NODE_FEEDS(_)
#undef _
		NODE_FEED_COUNT
};

/* Of one lcore. [0]: what the node sent, [1]: what it was sent; of "other", the responder stands for the node. */
struct stats_node_feed {
	uint64_t segments[2]; /* TCP segments, those without payload included */
	uint64_t bytes[2];    /* stream bytes handed to a reader */
	uint64_t gap[2];      /* stream bytes declared missing */
	uint64_t messages;    /* JSON-RPC bodies and elements, answers, RLPx and gRPC messages, broadcasts */
	uint64_t crossed, scanned, duplicate;	   /* transactions: identity 4 */
	uint64_t hashes, hash_scanned, hash_duplicate; /* the node's own word: identity 7; what is left of hashes was missed */
	uint64_t opened, closed; /* connections that were found to carry the feed, and of these the ones that ended or turned to another */
	uint64_t last_ns;	 /* time of the last payload, on the box's clock (abi/clock.h); 0: never */
};
_Static_assert(sizeof(struct stats_node_feed) == 128, "two cache lines");

struct stats_node {
	char name[STATS_NODE_NAME_BYTES]; /* ends with a NUL unless the writer is broken */
	uint32_t silence_s;		  /* after which silence is alarming; 0: as it has turned out to be usual */
	uint32_t feeds;			  /* bit per NODE_FEED: whose silence is alarming; 0: of all that were ever heard */
	uint64_t pad[3];
};

struct stats_nodes_lcore {
	struct stats_node_feed of[STATS_NODES_MAX][NODE_FEED_COUNT];
};

/* node_feed_name: static. f < NODE_FEED_COUNT. */
static inline const char *
node_feed_name(unsigned f)
{
	static const char *const names[NODE_FEED_COUNT] = {
#define _(id, name) name,
		STATS_NODE_FEEDS(_)
#undef _
	};
	return names[f];
}

#endif
