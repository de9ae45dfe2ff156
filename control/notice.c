/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NONE "-"
#define MS 1000000u
#define MS_MAX 9999999999999ull

static uint64_t
in_ms(uint64_t ns)
{
	return ns / MS < MS_MAX ? ns / MS : MS_MAX;
}

bool
notice_entry(struct batch *b, const uint8_t epoch[8], uint64_t seq, const struct silence_notice *n, uint64_t mono_ns, uint64_t wall_ns)
{
	struct entry *e = batch_entry(b, epoch, EVENT_NOTICE_RING);
	if (e == NULL)
		return false;
	uint64_t ago_ns = mono_ns > n->since_ns ? mono_ns - n->since_ns : 0, since_ns = wall_ns > ago_ns ? wall_ns - ago_ns : 0;
	unsigned direction = n->kind == SILENCE_ONE_WAY ? 1u + n->missing : 0;
	e->loss = e->notice = true;
	e->from = e->to = seq;
	snprintf(e->rule_name, sizeof e->rule_name, "%s %u %.*s %s %" PRIu64 " %" PRIu64 " %" PRIu64, n->ended ? "ended" : "began", direction,
		STATS_NODE_NAME_BYTES - 1, n->node == SILENCE_ALL ? NONE : n->name, n->feed == SILENCE_NODE ? NONE : node_feed_name(n->feed), since_ns,
		in_ms(n->usual_ns), in_ms(n->lasted_ns));
	return true;
}

int
notice_format(char *out, size_t cap, const struct event_context *x, uint64_t seq, const char *text)
{
	char state[8] = "", node[STATS_NODE_NAME_BYTES] = NONE, feed[16] = NONE;
	unsigned direction = 0;
	struct event_silence e = {0};
	_Static_assert(STATS_NODE_NAME_BYTES == 32, "the width below");
	sscanf(text, "%7s %u %31s %15s %" SCNu64 " %" SCNu64 " %" SCNu64, state, &direction, node, feed, &e.since_ns, &e.usual_ms, &e.lasted_ms);
	e.ended = strcmp(state, "ended") == 0;
	e.direction = direction < 3 ? (uint8_t)direction : 0;
	e.node = strcmp(node, NONE) != 0 ? node : NULL;
	e.feed = strcmp(feed, NONE) != 0 ? feed : NULL;
	return event_silence(out, cap, x, seq, &e);
}
