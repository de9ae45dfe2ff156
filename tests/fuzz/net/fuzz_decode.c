/* SPDX-License-Identifier: BSD-3-Clause */
/* One frame of any bytes, link type and claimed length: the verdict is one that a frame can have, what is
 * handed out lies in the frame, a glance at it sees the same flow, and what is cut off is never guessed: no
 * frame is accepted of which the capture lacks a byte of its segment. Byte 0: link type, byte 1: how much
 * longer the frame was on the wire. */
#include "harness.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
inside(struct span s, struct span frame)
{
	return s.p >= frame.p && s.p <= frame.p + frame.len && s.len <= (size_t)(frame.p + frame.len - s.p);
}

static bool
may_be(enum sentinel_counter r)
{
	return r == CTR_ACCEPTED || r == CTR_FRAGMENTS_HELD ||
	       (r >= CTR_NOTOURS_LINK && r <= CTR_UNDEC_CHECKSUM);
}

static void
look(struct span frame, uint32_t wire_len, enum net_link link)
{
	const struct decode_rules rules = {.vxlan_port = 4800};
	struct segment s, again;
	struct fragment part, other;
	struct glance g;
	enum sentinel_counter r = segment_decode(frame, wire_len, link, &rules, &s, &part);
	CHECK(may_be(r));
	frame_glance(frame, wire_len, link, &rules, &g);
	CHECK(g.n <= GLANCE_PARTS);
	if (r == CTR_ACCEPTED) {
		CHECK(inside(s.payload, frame) && s.tunnels <= DECODE_TUNNELS_MAX);
		CHECK(g.tcp && g.n == 0 && memcmp(g.ends.ip, s.ends.ip, sizeof s.ends.ip) == 0);
		CHECK(g.ends.port[0] == s.ends.port[0] && g.ends.port[1] == s.ends.port[1]);
		/* padding aside, a longer wire length changes only what reaches to the end of the frame */
		enum sentinel_counter longer =
			segment_decode(frame, wire_len + 1, link, &rules, &again, &other);
		CHECK(longer == CTR_UNDEC_TRUNCATED ||
			(longer == CTR_ACCEPTED && again.payload.len == s.payload.len) || s.tunnels > 0);
	}
	if (r == CTR_FRAGMENTS_HELD) {
		CHECK(inside(part.payload, frame) && part.tunnels <= DECODE_TUNNELS_MAX &&
			part.off % 8 == 0 && part.off <= 65528);
		CHECK((part.off != 0 || part.more) && g.n >= 1 && g.part[0].id == part.id &&
			g.part[0].off == part.off);
		r = segment_resume(&part, part.payload, &rules, &s, &other);
		CHECK(may_be(r));
		if (r == CTR_ACCEPTED)
			CHECK(inside(s.payload, frame));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct span frame = {data + 2, (uint32_t)size - 2};
	enum net_link link = (enum net_link)(data[0] % (NET_LINK_OTHER + 1));
	look(frame, frame.len + data[1], link);
	return 0;
}
