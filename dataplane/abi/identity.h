/* SPDX-License-Identifier: BSD-3-Clause */
/* identity: the accounting identities of DESIGN.md as tables of signed terms over the stats page, evaluated
 * in one place for replay, status and tests. The residual is left side minus right side: 0 at rest.
 *
 *   1_wire             ports' wire = FRAMES of the workers + ports' missed + errors + no_mbuf
 *   2_frames           FRAMES = NOTOURS_* + UNDEC_* + ACCEPTED + FRAGMENTS_HELD + _JOINED + _DUPLICATE
 *                      (the frame that completes a datagram ends where the datagram does)
 *   3_stream_advanced  ST_ADVANCED = ST_PARSED + ST_GAP + ST_SKIP_* + ST_BUFFERED
 *   3_stream_received  ST_RECEIVED = ST_ADVANCED - ST_GAP + ST_OOO_HELD + ST_DUP + ST_DROP_*
 *   4_transactions     TX_CROSSED = TX_SCANNED + TX_DUPLICATE + TX_UNSCANNED_*
 *   5_findings         FINDINGS = ALERTS + UPDATES + SUPPRESSED_*
 *   6_alerts           ALERTS + UPDATES = RING_PUBLISHED + RING_LOST_FULL              the dataplane's half
 *   6_delivery         RING_PUBLISHED + RING_LOST_FULL = journaled + lost + in flight  control's half
 *   7_node             NODE_HASHES = NODE_SCANNED + NODE_DUPLICATE + NODE_MISSED_*
 *
 * Identity 6 has two lines so that a fault of one half cannot hide one of the other. */
#ifndef ABI_IDENTITY_H
#define ABI_IDENTITY_H

#include "abi/stats.h"

/* Control's half of identity 6, for the epoch of the stats page, from whoever empties its rings. Offline:
 * journaled = printed, lost = records that did not come out of a ring (its seqs tell), in_flight = 0. */
struct identity_delivery {
	uint64_t journaled; /* alert records made durable (or printed) in this epoch */
	uint64_t lost; /* seqs that will never come, any reason: ring full, corrupt slot, journal failed */
	uint64_t in_flight; /* offered to the rings, neither journaled nor known to be lost yet */
};

enum identity_id {
	ID_WIRE,
	ID_FRAMES,
	ID_ADVANCED,
	ID_RECEIVED,
	ID_TRANSACTIONS,
	ID_FINDINGS,
	ID_ALERTS,
	ID_DELIVERY,
	ID_NODE,
	IDENTITIES
};
enum identity_side { SIDE_LEFT, SIDE_RIGHT };

/* One counter's part in one identity. */
struct identity_term {
	uint8_t identity; /* enum identity_id */
	uint8_t side;	  /* enum identity_side */
	int8_t sign;	  /* +1 or -1 */
	uint16_t counter; /* enum sentinel_counter */
};
extern const struct identity_term identity_terms[];
extern const unsigned identity_terms_n;

struct identity {
	const char *name; /* as above, static lifetime */
	uint64_t left, right;
	int64_t residual;
};

/* identities_evaluate fills out[IDENTITIES] from the page and control's half. d == NULL: nobody empties the
 * rings here; 6_delivery is then left out (its right side is its left side). */
void identities_evaluate(
	const struct stats_page *s, const struct identity_delivery *d, struct identity out[IDENTITIES]);

#endif
