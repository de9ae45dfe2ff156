/* SPDX-License-Identifier: BSD-3-Clause */
/* stream: frames in, in-order payload out. One struct stream_table per worker: flow table, TCP reassembly for both
 * directions, out-of-order slabs; no locks, nothing shared, no clock of its own (`now_ns` is the packet's time).
 *
 *   frame -> frame_decode -> flow (5-tuple, symmetric) -> direction -> reassembly -> ops->data / gap / end
 *
 * Deliver on arrival: in-order bytes go to ops->data straight from the frame (never copied, never parked); bytes
 * beyond a hole are copied into slabs. First version of a byte wins; a later version that disagrees raises
 * overlap_conflict, and is handed to ops->conflict so that both are scanned. A hole is declared a gap when the receiver
 * has acknowledged past it, when an out-of-order cap is hit, or when it is older than gap_age_ns. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_table;

/* Addresses as seen on the wire of one segment; IPv4 mapped into ::ffff:0:0/96. */
struct flow_key {
	uint8_t ip[2][16]; /* [0] = initiator (SYN's sender; mid-stream: the higher port) */
	uint16_t port[2];
};

#define FLOW_APP_BYTES 24

struct flow {
	struct flow_key key;
	uint64_t app[FLOW_APP_BYTES / 8]; /* the worker's own, zero at creation */
	bool midstream; /* SYN not seen */
	bool gap_before[2]; /* a gap has been declared in this direction */
	bool overlap_conflict; /* ever */
	bool seen[2]; /* segments seen from that side */
	/* ... more, private to net ... */
	uint64_t private_[24];
};

enum stream_end { STREAM_FIN, STREAM_RST, STREAM_IDLE, STREAM_LRU, STREAM_SHUTDOWN };

/* What the worker does with the bytes. dir 0: from key.ip[0]. `bytes` lives only during the call. The callbacks may not call
 * back into the table. `off` is the stream offset of the first byte since the flow was picked up. */
struct stream_ops {
	void (*data)(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns);
	void (*gap)(void *ctx, struct flow *f, unsigned dir, uint64_t n, uint64_t off, uint64_t now_ns);
	/* the losing version of overlapping bytes (one contiguous differing segment), to be scanned on its own */
	void (*conflict)(void *ctx, struct flow *f, unsigned dir, struct span bytes, uint64_t off, uint64_t now_ns);
	/* dir's stream is over (both directions are ended before the flow is forgotten) */
	void (*end)(void *ctx, struct flow *f, unsigned dir, enum stream_end why, uint64_t now_ns);
	void (*forget)(void *ctx, struct flow *f); /* last call for this flow: free app state */
};

struct stream_config {
	uint32_t flows_max;	     /* default 65536; up to 4 M */
	uint32_t ooo_slabs;	     /* out-of-order slabs per core, 2 KiB each; default 4096 */
	uint32_t ooo_segments_dir;   /* cap per direction; default 64 */
	uint32_t ooo_bytes_dir;	     /* cap per direction; default 256 KiB */
	uint64_t gap_age_ns;	     /* default 200 ms */
	uint64_t idle_ns;	     /* default 300 s */
	uint32_t hash_seed[4];	     /* keyed flow hash: an attacker must not choose buckets */
	bool verify_checksum;	     /* software TCP checksum; else trusted */
};

/* stream_bytes: memory that stream_init needs. stream_init builds a table in mem (64-byte aligned, zeroed or not);
 * counters: CTR_COUNT uint64_t. NULL + errno on bad config. */
size_t stream_bytes(const struct stream_config *c);
struct stream_table *stream_init(void *mem, const struct stream_config *c, const struct stream_ops *ops, void *ctx, uint64_t *counters);

/* stream_frames handles a burst of Ethernet frames. frames[i].len = captured bytes, wire_len[i] >= len the length on the wire
 * (truncated if greater). checksum_bad[i] may be NULL; now_ns[i] each frame's time, never decreasing much. Prefetches flows
 * ahead. Every frame ends in exactly one counter of identity 2, every payload byte in identity 3. */
void stream_frames(struct stream_table *t, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns);

/* stream_housekeep declares aged gaps and evicts idle flows: call every few ms, bounded work per call. */
void stream_housekeep(struct stream_table *t, uint64_t now_ns);

/* stream_flush ends every flow (STREAM_SHUTDOWN) so that nothing stays held. */
void stream_flush(struct stream_table *t, uint64_t now_ns);

/* stream_spread: symmetric hash of a frame's flow for spreading over workers in software; same for both
 * directions and for all segments of a flow; 0 if the frame has no flow. */
uint32_t stream_spread(struct span frame, const uint32_t seed[4]);

#endif
