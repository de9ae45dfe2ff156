/* SPDX-License-Identifier: BSD-3-Clause */
/* silence: whether the nodes beside the box, and their feeds, still speak. It is shown what the stats page says of them once a second and tells what
 * has begun and what has ended, each once. Time is an argument.
 *
 * Watched are the box as a whole (nothing comes from anybody: mirror, port, link; if there is more than one to hear), each named node, and each feed of it. Of a silence the widest is told
 * alone: of the feeds of a silent node nothing is said, nor of the nodes of a silent box.
 *
 * Silence alarms when it lasts longer than the profile says (silence_s), else than SILENCE_FACTOR times the longest gap between two seconds with
 * payload in the last 25 hours, so that what a feed is used to at night is no alarm by night; within bounds. There is no alarm before a baseline
 * exists: SILENCE_LEARN_NS since the first payload, and SILENCE_LEARN_ACTIVE seconds with some; the factor is twice as large until a whole day has been
 * seen. Gaps that alarmed are no part of the baseline, unless there are SILENCE_STRANGE in a day: a feed that has become rarer alarms a few times and
 * then no more. Learned is anew after a restart of control; a restart of the dataplane leaves it, and starts no silence.
 *
 * A node's mirror shows one direction only if ONE_WAY_NS have passed in which the node's connections had ONE_WAY_SEGMENTS one way and none the
 * other: TCP acknowledges. Bytes that nobody can read (UNREAD) do not count here: anyone may knock where no one answers. */
#ifndef CONTROL_SILENCE_H
#define CONTROL_SILENCE_H

#include "abi/nodes.h"

#include <stdbool.h>
#include <stdint.h>

#define SILENCE_SECOND 1000000000ull
#define SILENCE_FACTOR 3u
#define SILENCE_FLOOR_NS (10 * SILENCE_SECOND)
#define SILENCE_CEILING_NS (21600 * SILENCE_SECOND)
#define SILENCE_LEARN_NS (600 * SILENCE_SECOND)
#define SILENCE_LEARN_ACTIVE 30u
#define SILENCE_HOURS 25u
#define SILENCE_STRANGE 4u
#define SILENCE_AGAIN_NS (60 * SILENCE_SECOND) /* from one beginning to the next of the same */
#define SILENCE_NOTICES_MAX 64u		       /* waiting to be taken */
#define SILENCE_NOTICES_MINUTE 32u
#define SILENCE_UNSEEN_NS (5 * SILENCE_SECOND) /* between two samples: nobody looked meanwhile */
#define ONE_WAY_NS (10 * SILENCE_SECOND)
#define ONE_WAY_SEGMENTS 20u
#define SILENCE_SAMPLES 61u

#define SILENCE_ALL STATS_NODES_MAX  /* as a node: the box as a whole */
#define SILENCE_NODE NODE_FEED_COUNT /* as a feed: the node as a whole */

enum silence_state { SILENCE_NEVER, SILENCE_LEARNING, SILENCE_OK, SILENCE_SILENT };
enum silence_kind { SILENCE_OF, SILENCE_ONE_WAY };

struct silence_notice {
	uint8_t kind; /* enum silence_kind */
	bool ended;
	uint8_t node, feed; /* SILENCE_ALL, SILENCE_NODE: all of them */
	uint8_t missing;    /* ONE_WAY: 0: what the node sends, 1: what it is sent */
	char name[STATS_NODE_NAME_BYTES]; /* of the node */
	uint64_t since_ns;  /* last sign before it */
	uint64_t usual_ns;  /* after which it was told */
	uint64_t lasted_ns; /* if ended */
};

struct silence_watch {
	uint64_t first_ns, last_ns; /* with payload; first 0: never */
	uint64_t began_ns; /* of the last alarm */
	uint64_t since_ns; /* SILENT: its last sign before */
	uint64_t total;	   /* bytes at the last sample */
	uint64_t hour;	   /* that longest[0] is of */
	uint32_t active;   /* seconds with payload */
	uint32_t longest_s[SILENCE_HOURS]; /* gap, by hour, the newest first */
	uint64_t strange_ns; /* of the last gap that alarmed, or would have */
	uint8_t strange;
	uint8_t back;	   /* SILENT: signs since, without another silence between */
	bool silent;
	bool asked; /* the profile names it: its silence alarms even if it never spoke */
	uint64_t fixed_ns; /* 0: learned */
};

struct silence_way {
	uint64_t segments[2]; /* at the last sample that had both */
	uint64_t both_ns;
	uint64_t began_ns;
	uint8_t missing, back;
	bool one_way;
};

/* Totals of one feed at some time. */
struct silence_sample {
	uint64_t bytes, crossed, gap;
};

/* What outlives a dataplane. */
struct silence_known {
	char name[STATS_NODES_MAX][STATS_NODE_NAME_BYTES];
	struct silence_watch all, watch[STATS_NODES_MAX][NODE_FEED_COUNT + 1];
	struct silence_way way[STATS_NODES_MAX];
};

struct silence {
	unsigned n; /* nodes, "other" included; 0: nothing attached */
	struct silence_known k;
	uint32_t feeds[STATS_NODES_MAX];
	struct silence_sample sample[SILENCE_SAMPLES][STATS_NODES_MAX][NODE_FEED_COUNT];
	uint64_t sample_ns[SILENCE_SAMPLES];
	uint32_t samples, newest; /* how many are good; which is the newest */
	uint64_t now_ns;
	struct silence_notice notice[SILENCE_NOTICES_MAX];
	uint32_t notices, notices_minute;
	uint64_t minute_ns, left_out;
};

/* silence_attach: a dataplane (another one, or the same anew) with these nodes; its counters begin anew. What is known of nodes of the same name stays.
 * node: n <= STATS_NODES_MAX entries, the first "other"; copied, need not be clean. */
void silence_attach(struct silence *s, uint64_t now_ns, const struct stats_node *node, unsigned n);
/* silence_gone: there is no dataplane: nobody hears anything, which is not silence. */
void silence_gone(struct silence *s);
/* silence_look: the page's sums, once a second. now_ns: monotonic, never decreasing. */
void silence_look(struct silence *s, uint64_t now_ns, const struct stats_node_feed sum[STATS_NODES_MAX][NODE_FEED_COUNT]);
/* silence_take: the next notice; false: there is none. */
bool silence_take(struct silence *s, struct silence_notice *out);

/* silence_state of a feed, or of SILENCE_NODE; *usual_ns: after which it alarms, 0 while LEARNING. node may be SILENCE_ALL. */
enum silence_state silence_state(const struct silence *s, unsigned node, unsigned feed, uint64_t *usual_ns);
/* silence_rates: of about the last 10 seconds, in thousandths a second. False: not known yet. */
bool silence_rates(const struct silence *s, unsigned node, unsigned feed, uint64_t *bytes_milli, uint64_t *txs_milli);

#endif
