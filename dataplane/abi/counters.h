/* SPDX-License-Identifier: BSD-3-Clause */
/* Every counter of the dataplane, declared once: _(id, kind, help) expands into the enum, the name (the
 * id in lower case), the help text and, in control, the Prometheus metric. One array of uint64_t per lcore
 * (struct stats_lcore), written by that lcore alone with plain stores, read by anyone who maps the stats
 * page. kind: C = counter (only grows), G = gauge (may fall; held things).
 *
 * The accounting identities of DESIGN.md are sums over these; identity.h spells them out. A new reason for
 * a drop is a new counter here AND a term there. */
#ifndef ABI_COUNTERS_H
#define ABI_COUNTERS_H

#include <stdint.h>

#define SENTINEL_COUNTERS(_) \
	/* frames: identity 2 */ \
	_(FRAMES, C, "frames delivered to a worker") \
	_(FRAME_BYTES, C, "bytes of the delivered frames") \
	_(NOTOURS_ETHERTYPE, C, "frames that carry neither IPv4 nor IPv6") \
	_(NOTOURS_PROTO, C, "IP packets that carry no TCP") \
	_(UNDEC_ETHER, C, "frames too short for their link header") \
	_(UNDEC_VLAN, C, "frames with more VLAN tags than are read") \
	_(UNDEC_IP4, C, "IPv4 packets with a bad header") \
	_(UNDEC_IP6, C, "IPv6 packets with a bad header or extension chain") \
	_(UNDEC_FRAGMENT, C, "IP fragments, which are not yet put together") \
	_(UNDEC_TCP, C, "TCP segments with a bad header") \
	_(UNDEC_TRUNCATED, C, "frames cut short by the capture's snap length") \
	_(UNDEC_CHECKSUM, C, "TCP segments with a wrong checksum where the port is trusted to show it") \
	_(UNDEC_SPREAD_FULL, C, "frames dropped because the worker they belong to was too slow to take them") \
	_(ACCEPTED, C, "TCP segments accepted into a flow or refused by the flow table with a reason") \
	/* streams, in payload bytes: identity 3 */ \
	_(ST_RECEIVED, C, "TCP payload bytes of accepted segments") \
	_(ST_ADVANCED, C, "stream bytes passed by the in-order point, gaps included") \
	_(ST_GAP, C, "stream bytes declared missing") \
	_(ST_OOO_HELD, G, "payload bytes held out of order") \
	_(ST_DUP, C, "payload bytes that repeat what was delivered or is held") \
	_(ST_DROP_OOO_CAP, C, "payload bytes dropped at an out-of-order cap") \
	_(ST_DROP_FLOW_TABLE, C, "payload bytes dropped because no flow could be made") \
	_(ST_DROP_WINDOW, C, "payload bytes far outside the plausible window") \
	_(ST_DROP_CLOSED, C, "payload bytes after the flow was reset, or held when it ended") \
	_(ST_PARSED, C, "stream bytes that a framer understood") \
	_(ST_SKIP_UNSYNCED, C, "stream bytes passed over while looking for a message start") \
	_(ST_SKIP_OPAQUE, C, "stream bytes of protocols that cannot be read (TLS, RLPx, unknown)") \
	_(ST_SKIP_LOST, C, "stream bytes passed over because their message was damaged by a gap") \
	_(ST_SKIP_NO_STATE, C, "stream bytes passed over while looking for a message start in flows whose parser state was taken for another") \
	_(ST_SKIP_ENDED, C, "stream bytes left in a framer when its flow ended") \
	_(ST_BUFFERED, G, "stream bytes held by framers, not yet understood") \
	/* flows */ \
	_(FLOWS, G, "flows in the table") \
	_(FLOWS_CREATED, C, "flows made") \
	_(FLOWS_MIDSTREAM, C, "flows first seen without their SYN") \
	_(FLOWS_CLOSED, C, "flows ended by FIN or RST") \
	_(FLOWS_IDLE, C, "flows evicted for idleness") \
	_(FLOWS_LRU, C, "flows evicted to make room") \
	_(GAPS_ACK, C, "gaps declared because the receiver acknowledged past them") \
	_(GAPS_CAP, C, "gaps declared because an out-of-order cap was hit") \
	_(GAPS_AGE, C, "gaps declared because the hole stayed open too long") \
	_(OVERLAP_CONFLICTS, C, "segments whose bytes disagree with earlier ones for the same place") \
	/* messages */ \
	_(HTTP_REQUESTS, C, "HTTP requests whose head was read") \
	_(HTTP_RESPONSES, C, "HTTP responses whose head was read") \
	_(HTTP_BAD, C, "HTTP heads or chunk sizes that no node accepts, and text that was taken for a head") \
	_(HTTP_LOST, C, "HTTP messages damaged by a gap or cut off by the end of their flow") \
	_(HTTP_ENCODED, C, "request bodies that name a content encoding; they are read as if they did not, as nodes do") \
	_(HTTP_RESYNC, C, "times an HTTP direction was picked up in mid-stream") \
	_(JSON_MESSAGES, C, "JSON-RPC bodies or elements read to their end") \
	_(JSON_BAD, C, "JSON-RPC bodies that are not JSON") \
	_(JSON_DEPTH, C, "JSON-RPC bodies nested deeper than the cap") \
	_(JSON_TRUNCATED, C, "JSON-RPC bodies cut off by a gap or the end of the flow") \
	/* transactions: identity 4 */ \
	_(TX_CROSSED, C, "transactions that crossed the wire, or claimed to") \
	_(TX_SCANNED, C, "transactions scanned") \
	_(TX_DUPLICATE, C, "transactions seen before, byte for byte") \
	_(TX_UNSCANNED_HEX, C, "transactions whose hex is malformed") \
	_(TX_UNSCANNED_RLP, C, "transactions that do not decode") \
	_(TX_UNSCANNED_OVERSIZE, C, "transactions larger than any node accepts") \
	_(TX_UNSCANNED_UNSIGNED, C, "unsigned transaction objects (eth_sendTransaction)") \
	_(TX_UNSCANNED_GAP, C, "transactions with a hole in them") \
	_(TX_UNSCANNED_NO_BUFFER, C, "transactions for which no assembly buffer could be had") \
	_(TX_UNSCANNED_HASH_ONLY, C, "bundle elements that are only a hash") \
	_(TX_UNSCANNED_CONFLICT, C, "overlapping versions of stream bytes that could not be read on their own") \
	_(TX_UNSCANNED_SCAN_ERROR, C, "transactions on which the pattern matcher failed") \
	_(TX_AHEAD, C, "transactions looked at out of order, behind a hole in their stream; they cross in their turn") \
	_(SEEN_EVICTED, C, "entries of the seen-before filter replaced while still fresh") \
	_(SLABS_STOLEN, C, "assembly buffers taken from the transaction that waited longest") \
	/* findings: identity 5 */ \
	_(FINDINGS, C, "findings made by workers") \
	_(SUPPRESSED_RING_FULL, C, "findings dropped because the correlator's ring was full") \
	_(SUPPRESSED_OVER, C, "findings beyond those that one transaction may have; the gravest were kept") \
	_(SUPPRESSED_REPEAT, C, "findings that repeat a live incident and add nothing") \
	_(ALERTS, C, "alerts made (new incidents)") \
	_(UPDATES, C, "alerts that update a live incident") \
	_(SENDERS_RECOVERED, C, "senders recovered for alerts") \
	_(SENDERS_SKIPPED, C, "alerts sent without a sender because the recovery budget was spent") \
	_(SENDERS_BAD, C, "alerts whose signature recovers no sender") \
	/* rings: identity 6, the dataplane's half */ \
	_(RING_PUBLISHED, C, "records written to the alert rings") \
	_(RING_LOST_FULL, C, "records lost because an alert ring was full") \
	_(EVIDENCE_OVER_BUDGET, C, "alerts sent without their raw transaction because the evidence region was full") \
	_(CURSOR_BAD, C, "readings of a consumer's cursor that were impossible and were ignored") \
	/* loop */ \
	_(LOOPS, C, "turns of the polling loop") \
	_(LOOPS_IDLE, C, "turns that found no work")

enum sentinel_counter {
#define _(id, kind, help) CTR_##id,
	SENTINEL_COUNTERS(_)
#undef _
	CTR_COUNT
};

struct counter_info {
	const char *name; /* upper case; JSON and metrics print it in lower case */
	char kind;	  /* 'C' or 'G' */
	const char *help;
};

/* counter_infos: CTR_COUNT entries, indexed by enum sentinel_counter. Static lifetime. */
extern const struct counter_info counter_infos[CTR_COUNT];

#endif
