/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH 100u /* of what is counted, to say something */

static uint64_t
counter(const struct box *b, const char *name)
{
	const char *s = json_string_value(json_object_get(json_object_get(b->status, "counters"), name));
	return s != NULL ? strtoull(s, NULL, 10) : 0;
}

/* 1: *out is what was seen, 0: nobody asked, -errno. */
static int
watched(const struct box *b, struct box_seen *out)
{
	if (b->watch_s == 0)
		return 0;
	*out = b->seen;
	return b->seen_rc != 0 ? b->seen_rc : 1;
}

#define HOW "start the box, or look with --watch 5 --interface NAME"

static void
directions(const struct box *b, struct box_result *r)
{
	static const char fix[] = "mirror both directions of the nodes' ports (SPAN `both`; a tap has two ports: name both)";
	struct box_seen s;
	int rc = watched(b, &s);
	if (rc == 1) {
		uint64_t all = s.two_way + s.one_way;
		if (all == 0)
			box_say(r, s.frames == 0 ? BOX_FAIL : BOX_UNKNOWN, s.frames == 0 ? fix : NULL, "%" PRIu64 " frames came in %u s, and no TCP connection that says anything", s.frames,
				b->watch_s);
		else if (s.two_way == 0)
			box_say(r, BOX_FAIL, fix, "of %" PRIu64 " connections one direction alone is seen", all);
		else
			box_say(r, s.one_way > s.two_way ? BOX_WARN : BOX_PASS, s.one_way > s.two_way ? fix : NULL, "%" PRIu64 " of %" PRIu64 " connections are seen in both directions",
				s.two_way, all);
		return;
	}
	uint64_t asked = counter(b, "http_requests") + counter(b, "ws_messages"), answered = counter(b, "answers");
	if (rc < 0)
		box_say(r, BOX_UNKNOWN, NULL, "the interface cannot be looked at: %s", strerror(-rc));
	else if (b->status == NULL)
		box_say(r, BOX_UNKNOWN, HOW, "no box runs whose counters would tell");
	else if (asked + answered < ENOUGH)
		box_say(r, BOX_UNKNOWN, HOW, "the box has read too little yet (%" PRIu64 " requests, %" PRIu64 " answers)", asked, answered);
	else if (answered == 0 || asked == 0)
		box_say(r, BOX_FAIL, fix, "%" PRIu64 " requests and %" PRIu64 " answers: one direction is missing", asked, answered);
	else
		box_say(r, BOX_PASS, NULL, "both directions are seen: %" PRIu64 " requests, %" PRIu64 " answers", asked, answered);
}

static void
duplicates(const struct box *b, struct box_result *r)
{
	static const char fix[] = "mirror each port once: not both ends of a conversation, nor a VLAN and its ports";
	struct box_seen s;
	int rc = watched(b, &s);
	uint64_t all = rc == 1 ? s.tcp : counter(b, "st_received"), twice = rc == 1 ? s.repeated : counter(b, "st_dup");
	if (rc < 0)
		box_say(r, BOX_UNKNOWN, NULL, "the interface cannot be looked at: %s", strerror(-rc));
	else if (rc == 0 && b->status == NULL)
		box_say(r, BOX_UNKNOWN, HOW, "no box runs whose counters would tell");
	else if (all < ENOUGH)
		box_say(r, BOX_UNKNOWN, HOW, "too little has come yet");
	else if (twice * 10 > all * 4)
		box_say(r, BOX_WARN, fix, "%.0f %% of what comes has come before: the mirror shows frames twice", 100.0 * (double)twice / (double)all);
	else
		box_say(r, BOX_PASS, NULL, "%.1f %% of what comes has come before", 100.0 * (double)twice / (double)all);
}

static void
missed(const struct box *b, struct box_result *r)
{
	size_t i;
	json_t *p;
	uint64_t wire = 0, lost = 0;
	if (b->status == NULL) {
		box_say(r, BOX_UNKNOWN, NULL, "no box runs whose ports would tell");
		return;
	}
	json_array_foreach(json_object_get(b->status, "ports"), i, p)
	{
		static const char *const kinds[] = {"missed", "errors", "no_mbuf"};
		const char *s = json_string_value(json_object_get(p, "wire"));
		wire += s != NULL ? strtoull(s, NULL, 10) : 0;
		for (size_t k = 0; k < 3; k++) {
			s = json_string_value(json_object_get(p, kinds[k]));
			lost += s != NULL ? strtoull(s, NULL, 10) : 0;
		}
	}
	if (lost == 0)
		box_say(r, BOX_PASS, NULL, "the ports have missed none of %" PRIu64 " frames", wire);
	else
		box_say(r, lost * 1000 > wire ? BOX_FAIL : BOX_WARN, "more workers, CPUs of their own (cpu.isolation), larger rings (args of the port)",
			"the ports have missed %" PRIu64 " of %" PRIu64 " frames", lost, wire);
}

static const struct box_check checks[] = {
	{"mirror.directions", directions, false},
	{"mirror.duplicates", duplicates, false},
	{"mirror.missed", missed, false},
};
const struct box_group box_mirror = {checks, sizeof checks / sizeof checks[0]};
