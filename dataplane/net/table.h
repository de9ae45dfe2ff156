/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a stream_table, shared by its parts: stream.c (bursts, making it), segment.c (what a
 * segment's flags and numbers mean), reasm.c (where its bytes go), hole.c (delivery, gaps, ends). Nobody else
 * includes this. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

#include "abi/counters.h"
#include "net/flow.h"
#include "net/fragment.h"
#include "net/history.h"
#include "net/ooo.h"
#include "net/range.h"

#define STREAM_BURST 64u
/* How far ahead of the in-order point, and behind it, a segment may lie to be taken for one of this
 * stream. */
#define WINDOW_AHEAD (4 << 20)
#define WINDOW_BEHIND (16 << 20)
/* Largest window that TCP can advertise (RFC 7323): what an acknowledgement may run ahead. */
#define ACK_AHEAD (1 << 30)
#define CLOSED_NS 2000000000ull

/* flow.started: base is not known; guessed from what the other side acknowledges; known. */
enum stream_start { START_UNKNOWN, START_GUESSED, START_KNOWN };

#define STRAY_COUNT 0x3fu
#define STRAY_ACKED 0x40u
#define STRAY_DIR 0x80u

struct stream_table {
	struct flow_table flows;
	struct history history;
	struct ooo_pool ooo;
	struct stream_ops ops;
	void *ctx;
	uint64_t *ctr;
	uint64_t *tally, no_tally[2];
	struct stream_config config;
	uint32_t gap_age_ticks;
	uint32_t hole_head, hole_tail; /* directions (flow * 2 + dir) with a hole, longest open first */
	uint32_t hole_look;	       /* the next one to see to; NET_NONE: the first, once it is time */
	uint32_t hole_rest;	       /* when all had been seen to, in ticks */
	unsigned epoch_shift;	       /* packet time >> this: a flow moves in its list once an epoch */
	enum net_link link;
	struct decode_rules rules;
	struct fragments fragments;
	struct segment segment[STREAM_BURST];
	struct flow_hash hash[STREAM_BURST];
	enum sentinel_counter verdict[STREAM_BURST];
	struct fragment part[STREAM_BURST]; /* where the verdict is CTR_FRAGMENTS_HELD */
};

static inline uint32_t
ticks(uint64_t now_ns)
{
	return (uint32_t)(now_ns >> 10);
}

/* Signed distance of a sequence number from the in-order point. */
static inline int32_t
ahead_of(const struct flow_dir *d, uint32_t seq)
{
	return (int32_t)(seq - (d->base + (uint32_t)d->next));
}

/* hole.c. Each may end the direction and with it close the flow (f->list is then FLOW_CLOSED). */

/* stream_deliver hands bytes at the in-order point to the worker. */
void stream_deliver(struct stream_table *t, struct flow *f, unsigned dir, struct span bytes, uint64_t now_ns);
/* stream_drain delivers what is held and has come in order. */
void stream_drain(struct stream_table *t, struct flow *f, unsigned dir, uint64_t now_ns);
/* stream_gap passes n > 0 missing bytes; why: CTR_GAPS_*. */
void stream_gap(
	struct stream_table *t, struct flow *f, unsigned dir, uint64_t n, enum sentinel_counter why, uint64_t now_ns);
/* stream_settle: after the place of a direction changed: ends it at its FIN, keeps the list of holes. moved:
 * bytes were passed. */
void stream_settle(struct stream_table *t, struct flow *f, unsigned dir, bool moved, uint64_t now_ns);
/* stream_give_up_hole passes the first hole of a direction, or all that the receiver acknowledged past. */
void stream_give_up_hole(
	struct stream_table *t, struct flow *f, unsigned dir, enum sentinel_counter why, uint64_t now_ns);
/* stream_dir_id: the number of a direction, by which holes are listed and slabs held. */
static inline uint32_t
stream_dir_id(const struct stream_table *t, const struct flow *f, unsigned dir)
{
	return (uint32_t)(f - t->flows.flows) * 2 + dir;
}

/* stream_hole_due gives the hole up if its time has come. */
void stream_hole_due(struct stream_table *t, struct flow *f, unsigned dir, uint64_t now_ns);
/* stream_holes_expire looks at n holes at most, and gives up those that have been open for too long. */
void stream_holes_expire(struct stream_table *t, unsigned n, uint64_t now_ns);
/* stream_steal_held gives up a hole for the bytes that it holds back: of those that some of the slabs are held for, the longest open one, and not this
 * direction's own. False if none is found. */
bool stream_steal_held(struct stream_table *t, const struct flow *own, unsigned own_dir, uint64_t now_ns);
/* stream_fin_off: offset of the direction's end; UINT64_MAX if not known. */
uint64_t stream_fin_off(const struct flow *f, unsigned dir);
/* stream_finish ends both directions, what is held first, and closes the flow. why also says what is
 * counted. */
void stream_finish(struct stream_table *t, struct flow *f, enum stream_end why, uint64_t now_ns);

/* reasm.c: stream_place puts a segment's payload where it belongs; the segment lies within the window. */
void stream_place(
	struct stream_table *t, struct flow *f, unsigned dir, uint32_t seq, struct span payload, uint64_t now_ns);

/* segment.c: one TCP segment. */
void stream_segment(
	struct stream_table *t, const struct segment *s, const struct flow_hash *h, uint64_t now_ns);

#endif
