/* SPDX-License-Identifier: BSD-3-Clause */
/* latency: how long it takes from the wire to whoever has to know, by feed. Every stage counts from the same beginning, so that what one
 * costs is the difference to the one before it. The beginning is the time of the frame that made it possible: the NIC's if it stamps
 * frames, else that of the burst in which a worker read it. The dataplane fills the first two stages into the stats page, control the
 * others. */
#ifndef ABI_LATENCY_H
#define ABI_LATENCY_H

#include "abi/alert.h"
#include "abi/hist.h"

/* What the bytes came in, of whichever direction; names as in profiles where they have one. _(ID, "name") */
#define LATENCY_FEEDS(_) \
	_(HTTP, "http") \
	_(WEBSOCKET, "websocket") \
	_(RLPX, "rlpx") \
	_(ENGINE, "engine") \
	_(GRPC, "grpc") \
	_(ARBITRUM, "arbitrum") \
	_(IPC, "ipc") \
	_(OTHER, "other")
enum latency_feed {
#define _(id, name) LATENCY_##id,
	LATENCY_FEEDS(_)
#undef _
	LATENCY_FEED_COUNT
};

/* _(ID, "name", "help") */
#define LATENCY_STAGES(_) \
	_(SCANNED, "scanned", "the transaction has been matched: every one that is not a copy") \
	_(RING, "ring", "its alert is in a ring; from here on of alerts alone, once each time that one is told") \
	_(JOURNALED, "journaled", "the alert is on disk") \
	_(DELIVERED, "delivered", "the alert is written to a consumer's socket: once for each that was listening when it came") \
	_(ACKED, "acked", "the consumer has acknowledged it")
enum latency_stage {
#define _(id, name, help) LATENCY_STAGE_##id,
	LATENCY_STAGES(_)
#undef _
	LATENCY_STAGE_COUNT
};

/* latency_feed_of: by enum carrier; OTHER for values out of range. */
enum latency_feed latency_feed_of(unsigned carrier);
/* Names: static; "unknown" out of range. */
const char *latency_feed_name(unsigned feed);
const char *latency_stage_name(unsigned stage);
const char *latency_stage_help(unsigned stage);

/* A stage of one lcore in the stats page. Only that lcore writes it. */
struct stats_latency {
	struct hist feed[LATENCY_FEED_COUNT];
};

#endif
