/* SPDX-License-Identifier: BSD-3-Clause */
/* stream: frames in, in-order payload out. One struct stream_table per worker: flow table, TCP reassembly for
 * both directions, out-of-order slabs; no locks, nothing shared, no clock of its own (`now_ns` is the
 * packet's time).
 *
 *   frame -> segment_decode (-> fragments put together) -> flow (innermost 5-tuple, symmetric) -> direction -> reassembly -> ops->data / gap / end
 *
 * Deliver on arrival: in-order bytes go to ops->data straight from the frame (never parked); bytes beyond a
 * hole are copied into slabs. First version of a byte wins; a later version that disagrees raises
 * overlap_conflict, and is handed to ops->conflict so that both are scanned. Bytes already delivered are
 * compared with the last history_bytes of the direction.
 *
 * A hole is declared a gap
 *  - by ACK: the receiver acknowledged past it at least 2 ms ago, and gap_ack_frames frames of the flow have
 *    come since it opened (a mirror may show the acknowledgement, and much else, before the segment);
 *  - by age: open for gap_age_ns with gap_ack_frames frames of the flow, or for 25 * gap_age_ns in a flow that
 *    speaks little; but not where the receiver is seen to lack the bytes as well: the sender, who may take his
 *    time, has yet to send them, and nobody has got what lies behind;
 *  - by cap: no more can be held out of order. The hole is given up, never the bytes that came.
 *
 * A flow begins with a SYN, a SYN/ACK or payload, never with a bare ACK. It is closed when both directions
 * passed their FIN, or by a plausible RST, and then stays in the table for 2 s to tell late segments from new
 * ones. One who goes on sending behind his own FIN or RST did not send it: what he sends is a new flow, in
 * mid-stream. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "abi/span.h"
#include "net/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_NONE UINT32_MAX

struct stream_table;

/* Addresses as seen on the wire of one segment; IPv4 mapped into ::ffff:0:0/96. */
struct flow_key {
	uint8_t ip[2][16]; /* [0] = initiator (SYN's sender; mid-stream: the higher port) */
	uint16_t port[2];
};

/* One direction's place in the stream; private to net. Offsets count stream bytes since the flow was picked
 * up, so they do not wrap; the sequence number of offset x is base + (uint32_t)x. */
struct flow_dir {
	uint64_t next;	   /* first byte not delivered yet */
	uint64_t acked;	   /* what the other side has acknowledged */
	uint32_t base;	   /* sequence number of offset 0 */
	uint32_t history;  /* buffer of recently delivered bytes, NET_NONE without */
	uint32_t ooo_head; /* first slab held out of order, NET_NONE without */
	uint32_t fin_seq;  /* sequence number behind the last byte, if fin */
};

/* What a direction with a hole needs; private to net. Ticks are packet time in units of 1.024 us. */
struct flow_hole {
	uint32_t since, ack_since; /* ticks: hole known, acknowledged past */
	uint32_t frames;	   /* flow's frame count when it became known */
	uint32_t prev, next;	   /* in the table's list of holes */
	uint32_t ooo_tail, ooo_bytes;
	uint32_t lost_from, lost_to; /* sequence numbers of the last declared gap */
	uint16_t ooo_segments;
	bool acked_past;
	bool lacked; /* by the receiver as well, as he has said since it is known */
};

/* 256 bytes: who and the worker's own, places, state, holes. */
struct flow {
	struct flow_key key;
	bool midstream;	       /* SYN not seen */
	bool overlap_conflict; /* ever */
	bool gap_before[2];    /* a gap has been declared in this direction */
	uint64_t app[2];       /* the worker's own, zero at creation; so is app32 */
	uint32_t app32;
	uint32_t tally;	       /* stream_tally: which count its segments go to; the worker sets it, even */
	/* private to net from here, but for `seen` */
	struct flow_dir dir[2];
	uint64_t last_ns;	/* time of its last frame */
	uint32_t prev, next;	/* in one of the table's lists by age */
	uint32_t slot;		/* in the hash table */
	uint32_t frames;
	uint32_t other_isn;	/* sequence number after a SYN that fits no running connection */
	uint32_t stray_seq;	/* where far-off segments would go on */
	bool seen[2];		/* segments seen from that side */
	uint8_t started[2];	/* enum stream_start: is base known */
	bool fin[2], ended[2];	/* FIN seen; ops->end called */
	bool holed[2];		/* in the list of holes */
	uint8_t list;		/* which list by age */
	uint8_t stray;		/* far-off segments in sequence: count, STRAY_* */
	bool other_syn[2];	/* other_isn was sent by that side */
	uint8_t reset;		/* closed by RST: 1 + which side's */
	uint8_t watch;		/* STREAM_WATCH and the like */
	struct flow_hole hole[2];
};

/* stream_holed: bytes of the direction are held behind a hole that may be filled yet. */
static inline bool
stream_holed(const struct flow *f, unsigned dir)
{
	return f->holed[dir];
}

/* flow.watch: bits, zero at creation.
 *  WATCH    the worker's: acknowledgements of the direction are told (ops->acked)
 *  TRACKED  the worker's: so is what the flow's ends say that is at odds with what was delivered (ops->belied)
 *  SULLIED  the worker's own
 *  LOOSE    net's: stream_acked of the direction was last raised by a segment that was not where its sender's bytes go on
 *  LOWERED  net's, until the worker clears it: an acknowledgement of less came after one of more */
#define STREAM_WATCH(dir) (1u << (dir))
#define STREAM_SULLIED 4u
#define STREAM_TRACKED 8u
#define STREAM_LOOSE(dir) (16u << (dir))
#define STREAM_LOWERED(dir) (64u << (dir))

/* Why what was delivered of a direction may not be what its receiver has. OTHER_BYTES, UNCOMPARED and URGENT are told of every flow, the
 * others of those that are tracked.
 *  OTHER_BYTES   another version of them came
 *  UNCOMPARED    they came again, when they were no longer kept to be compared with
 *  URGENT	  they are marked urgent: who reads the stream need not find all of them in it
 *  PROBE	  the last byte came again, as another: a keep-alive, or another version
 *  SENDER	  the sender, by the number on a segment without bytes, has not sent so much
 *  LATE	  the sender goes on sending though the flow was closed, or another flow has taken its addresses, or its place */
enum stream_belied { BELIED_OTHER_BYTES, BELIED_UNCOMPARED, BELIED_URGENT, BELIED_PROBE, BELIED_SENDER, BELIED_LATE };

/* Stream bytes [from, to); none if to is 0. */
struct stream_range {
	uint64_t from, to;
};

/* stream_acked: offset up to which the receiver of the direction has acknowledged it. */
static inline uint64_t
stream_acked(const struct flow *f, unsigned dir)
{
	return f->dir[dir].acked;
}

enum stream_end { STREAM_FIN, STREAM_RST, STREAM_IDLE, STREAM_LRU, STREAM_SHUTDOWN };

/* What the worker does with the bytes. dir 0: from key.ip[0]. `bytes` lives only during the call. The
 * callbacks may not call back into the table. `off` is the stream offset of the first byte since the flow was
 * picked up. */
struct stream_ops {
	void (*data)(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns);
	void (*gap)(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns);
	/* bytes to be scanned on their own, outside the stream: a segment that disagrees with earlier bytes
	 * for the same place (overlap_conflict is then set), or one that came only after its place had been
	 * declared a gap */
	void (*conflict)(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns);
	/* dir's stream is over (both directions are ended before the flow is forgotten) */
	void (*end)(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns);
	void (*forget)(void *ctx, struct flow *f); /* last call for this flow: free app state */
	/* May be NULL. Bytes that were put aside behind a hole: a look at what will come to data() in its turn, so that whatever lies whole in
	 * them need not wait for the hole to be filled or given up. */
	void (*ahead)(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns);
	/* Called for directions that are watched alone. The receiver of dir has acknowledged what was delivered of it up to off, in a segment that lies in its window; in_place:
	 * exactly where the receiver's own bytes go on. Acknowledgements of what was not delivered are not told. */
	void (*acked)(void *ctx, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns);
	/* May be NULL if none is tracked. Bytes [from, to) of dir, all delivered or held, are in dispute. Comes before conflict() of the same segment. */
	void (*belied)(void *ctx, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why, uint64_t now_ns);
	/* May be NULL. First call for a flow, before any of its segments is counted. */
	void (*open)(void *ctx, struct flow *f);
};

struct stream_config {
	uint32_t flows_max;	     /* default 65536; up to 4 M */
	uint32_t ooo_slabs;	     /* out-of-order slabs per core, 2 KiB each; a worker's default 8192 */
	uint32_t ooo_segments_dir;   /* cap per direction; a worker's default 256 */
	uint32_t ooo_bytes_dir;	     /* cap per direction; a worker's default 512 KiB */
	uint64_t gap_age_ns;	     /* default 200 ms */
	uint64_t idle_ns;	     /* default 300 s */
	uint32_t history_bytes;	     /* delivered bytes kept per direction to compare later versions with; power of two; 0 = 16 KiB */
	uint32_t history_buffers;    /* of those, per core, for the directions that spoke last; 0 = 1024 */
	uint32_t gap_ack_frames;     /* frames of a flow to wait for a late segment; 0 = 32, a worker's default 256 */
	uint32_t hash_seed[4];	     /* keyed flow hash: an attacker must not choose buckets */
	bool verify_checksum;	     /* TCP's, in software; else trusted, as is right behind checksum offload */
	uint32_t fragment_datagrams; /* IP datagrams put together at a time; 0 = 1024 */
	uint32_t fragment_blocks;    /* for their bytes, 2 KiB each; 0 = 2048 */
	uint64_t fragment_age_ns;    /* after which an unfinished one is given up; 0 = 30 s, as Linux does */
	uint16_t vxlan_port;	     /* besides 4789 and 8472; 0 = none */
};

/* stream_bytes: memory that stream_init needs. stream_init builds a table in mem (64-byte aligned, zeroed or
 * not); counters: CTR_COUNT uint64_t. NULL + errno on bad config. */
size_t stream_bytes(const struct stream_config *c);
struct stream_table *stream_init(void *mem, const struct stream_config *c, const struct stream_ops *ops, void *ctx, uint64_t *counters);

/* stream_link says what the frames of later bursts begin with; Ethernet until then. */
void stream_link(struct stream_table *t, enum net_link link);

/* stream_checksum changes config.verify_checksum for the frames of later bursts: ports differ in it. */
void stream_checksum(struct stream_table *t, bool verify);

/* stream_tally: accepted segments are counted in tally[f->tally ^ dir] as well, those that make no flow in tally[0]. It outlives the table. */
void stream_tally(struct stream_table *t, uint64_t *tally);

/* stream_frames handles a burst of frames. frames[i].len = captured bytes, wire_len[i] >= len the
 * length on the wire (truncated if greater). now_ns[i]: each frame's time, never decreasing much. Prefetches
 * flows ahead. Every frame ends in exactly one counter of identity 2 (a fragment: as long as it waits, in
 * FRAGMENTS_HELD), every payload byte in identity 3. */
void stream_frames(struct stream_table *t, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns);

/* stream_housekeep declares aged gaps and evicts idle flows: call every few ms, bounded work per call. */
void stream_housekeep(struct stream_table *t, uint64_t now_ns);

/* stream_flush ends every flow (STREAM_SHUTDOWN) so that nothing stays held. */
void stream_flush(struct stream_table *t, uint64_t now_ns);

#endif
