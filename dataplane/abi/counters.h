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
	_(NOTOURS_LINK, C, "frames of a link type that is not read") \
	_(NOTOURS_ETHERTYPE, C, "frames that carry neither IPv4 nor IPv6") \
	_(NOTOURS_PROTO, C, "IP packets that carry no TCP") \
	_(UNDEC_ETHER, C, "frames too short for their link header") \
	_(UNDEC_VLAN, C, "frames with more VLAN tags than are read") \
	_(UNDEC_IP4, C, "IPv4 packets with a bad header") \
	_(UNDEC_IP6, C, "IPv6 packets with a bad header or extension chain") \
	_(UNDEC_TUNNEL, C, "frames with a bad MPLS, PPPoE, GRE, ERSPAN, VXLAN or GENEVE header") \
	_(UNDEC_NESTING, C, "frames with more tunnels in each other than are read") \
	_(UNDEC_FRAGMENT_BAD, C, "IP fragments that cannot be part of their datagram (offset, length, end)") \
	_(UNDEC_FRAGMENT_OVERLAP, C, "IP fragments that only claim other bytes for places already held") \
	_(UNDEC_FRAGMENT_AGE, C, "IP fragments whose datagram did not become whole in time") \
	_(UNDEC_FRAGMENT_DATAGRAMS, C, "IP fragments given up at the cap of datagrams under way") \
	_(UNDEC_FRAGMENT_BYTES, C, "IP fragments given up at the cap of bytes held") \
	_(FRAGMENTS_HELD, G, "IP fragments that wait for the rest of their datagram") \
	_(FRAGMENTS_JOINED, C, "IP fragments that became part of a whole datagram, its last one to come left out") \
	_(FRAGMENTS_DUPLICATE, C, "IP fragments that repeat what is held or has just become whole") \
	_(UNDEC_TCP, C, "TCP segments with a bad header") \
	_(UNDEC_TRUNCATED, C, "frames cut short by the capture's snap length") \
	_(UNDEC_CHECKSUM, C, "TCP segments with a wrong checksum where the port is trusted to show it") \
	_(UNDEC_SPREAD_FULL, C, "frames dropped because the worker they belong to was too slow to take them") \
	_(ACCEPTED, C, "TCP segments accepted into a flow or refused by the flow table with a reason") \
	/* about frames, besides identity 2 */ \
	_(TUNNELLED, C, "TCP segments that came in a tunnel (MPLS, PPPoE, GRE, ERSPAN, VXLAN, GENEVE, IP in IP)") \
	_(FRAMES_HW_TIME, C, "frames whose time is their port's timestamp") \
	_(FRAMES_HW_TIME_BAD, C, "frames whose port's timestamp was none: their time is that of reading") \
	_(FRAGMENT_CONFLICTS, C, "IP fragments whose bytes disagree with earlier ones for the same place") \
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
	_(ST_SKIP_OPAQUE, C, "stream bytes of protocols that cannot be read (TLS, unknown)") \
	_(ST_SKIP_RLPX, C, "stream bytes of RLPx sessions whose secret is not known") \
	_(ST_SKIP_LOST, C, "stream bytes passed over because their message was damaged by a gap") \
	_(ST_SKIP_NO_STATE, C, "stream bytes passed over while looking for a message start in flows whose parser state was taken for another") \
	_(ST_SKIP_ENDED, C, "stream bytes left in a framer when its flow ended") \
	_(ST_BUFFERED, G, "stream bytes held by framers, not yet understood") \
	/* flows */ \
	_(FLOWS, G, "flows in the table") \
	_(FLOWS_CREATED, C, "flows made") \
	_(FLOWS_MIDSTREAM, C, "flows first seen without their SYN") \
	_(FLOWS_MULTIPATH, C, "flows whose ends agreed on MPTCP: their sender may send any part of a message by another flow, or in another order, unread") \
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
	_(HTTP_ENCODED, C, "request bodies that name a content encoding; those that look like JSON are read as if they did not, as most nodes do") \
	_(HTTP_RESYNC, C, "times an HTTP direction was picked up in mid-stream") \
	_(JSON_MESSAGES, C, "JSON-RPC bodies or elements read to their end") \
	_(JSON_BAD, C, "JSON-RPC bodies that are not JSON") \
	_(JSON_DEPTH, C, "JSON-RPC bodies nested deeper than the cap") \
	_(JSON_TRUNCATED, C, "JSON-RPC bodies cut off by a gap or the end of the flow") \
	_(WS_CONNECTIONS, C, "connections that speak WebSocket") \
	_(WS_MESSAGES, C, "WebSocket messages that began") \
	_(WS_BAD, C, "WebSocket frames that no node accepts") \
	_(WS_LOST, C, "WebSocket messages damaged by a gap or cut off by the end of their flow") \
	_(STREAM_CONNECTIONS, C, "connections that carry bare JSON, as a node's Unix socket does") \
	_(ANSWERS, C, "answers and notifications of nodes read to their end") \
	_(ANSWERS_BAD, C, "answers that are not JSON") \
	_(ANSWERS_DEPTH, C, "answers nested deeper than the cap") \
	_(ANSWERS_TRUNCATED, C, "answers cut off by a gap or the end of the flow") \
	_(ANSWERS_PASSED_OVER, C, "objects in answers that lay too deep, or had more members than are kept") \
	_(BODIES_ENCODED, C, "compressed bodies and messages that were read") \
	_(BODIES_OPAQUE, C, "bodies in an encoding that is not read, and compressed messages that need what went by before") \
	_(INFLATE_BAD, C, "compressed bodies and messages that are damaged") \
	_(INFLATE_BOMBS, C, "compressed bodies and messages given up because they grow beyond all measure") \
	_(INFLATE_STOLEN, C, "compressed messages given up because their decompressor was needed elsewhere") \
	_(FEED_OFF, C, "bodies and messages of feeds that the profile does not read there") \
	_(L2_MESSAGES, C, "messages of Arbitrum sequencers read") \
	_(L2_BAD, C, "broadcasts of Arbitrum sequencers that are not JSON, or nested deeper than the cap") \
	_(L2_UNREAD, C, "messages of Arbitrum sequencers, or parts of them, that cannot be read") \
	_(RLPX_CONNECTIONS, C, "connections that look like RLPx") \
	_(RLPX_BYTES, C, "stream bytes of RLPx sessions that were read") \
	_(RLPX_SESSIONS, C, "RLPx sessions whose secret was found") \
	_(RLPX_FRAMES, C, "RLPx frame headers read") \
	_(RLPX_MESSAGES, C, "RLPx messages read") \
	_(RLPX_HELLOS, C, "RLPx Hello messages read") \
	_(RLPX_RESYNCS, C, "times an RLPx direction was found again in its keystream") \
	_(RLPX_SEARCHED, C, "keystream blocks tried on workers") \
	_(RLPX_LOST, C, "RLPx messages damaged by a gap or by the end of the flow") \
	_(RLPX_ODD_HEADER, C, "RLPx frame headers that say what no specification does; their sizes are followed") \
	_(RLPX_BAD_HEADER, C, "RLPx frame headers that decrypt to none") \
	_(RLPX_BAD_MESSAGE, C, "RLPx messages without a message id, or that snappy refuses") \
	_(RLPX_OVERSIZE, C, "RLPx messages larger than the buffers here, or larger than they may be unpacked") \
	_(RLPX_NO_BUFFER, C, "RLPx messages for which no assembly buffer could be had") \
	_(RLPX_MAC_GOOD, C, "RLPx messages whose MAC was checked") \
	_(RLPX_MAC_BAD, C, "RLPx directions in which a MAC was wrong") \
	_(RLPX_WINDOWS_STOLEN, C, "windows on unread RLPx bytes taken for another direction") \
	_(RLPX_SEARCHES, C, "keystream searches done off the workers") \
	_(GRPC_CONNECTIONS, C, "connections that speak HTTP/2 in plaintext") \
	_(H2_CONNECTIONS, C, "HTTP/2 client prefaces seen") \
	_(H2_FRAMES, C, "HTTP/2 frames read") \
	_(H2_STREAMS, C, "HTTP/2 streams seen") \
	_(H2_STREAMS_OVER, C, "HTTP/2 streams that gave up their place to a newer one") \
	_(H2_RESYNCS, C, "times an HTTP/2 direction was found again") \
	_(H2_BAD_FRAME, C, "HTTP/2 frames that no receiver accepts") \
	_(H2_BAD_HEADERS, C, "HTTP/2 header blocks that no receiver accepts") \
	_(H2_LOST_HEADERS, C, "HTTP/2 header blocks damaged by a gap, or whose beginning was not seen") \
	_(GRPC_MESSAGES, C, "gRPC messages read to their end") \
	_(GRPC_COMPRESSED, C, "gRPC messages that were inflated") \
	_(GRPC_ELEMENTS, C, "values of field 1 read in gRPC messages") \
	_(GRPC_RESYNCS, C, "gRPC streams taken up at a message inside") \
	_(GRPC_LOST, C, "gRPC messages damaged by a gap or by the end of their stream") \
	_(GRPC_BAD_MESSAGE, C, "gRPC messages that are not protobuf, or whose compression is damaged") \
	_(GRPC_OPAQUE, C, "gRPC messages in a compression that is not read") \
	_(GRPC_OVERSIZE, C, "gRPC messages or elements larger than the caps") \
	_(GRPC_NO_BUFFER, C, "gRPC elements and messages for which no buffer could be had") \
	_(ETH_MALFORMED, C, "eth messages that no node would take") \
	_(ETH_OVER, C, "items of eth messages beyond the caps") \
	/* transactions: identity 4 */ \
	_(TX_CROSSED, C, "transactions that crossed the wire, or claimed to") \
	_(TX_SCANNED, C, "transactions scanned") \
	_(TX_DUPLICATE, C, "transactions seen before, byte for byte") \
	_(TX_UNSCANNED_HEX, C, "transactions whose hex is malformed") \
	_(TX_TRAILING, C, "submitted transactions with bytes behind them: looked at without these") \
	_(TX_UNSCANNED_RLP, C, "transactions that do not decode") \
	_(TX_UNSCANNED_OVERSIZE, C, "transactions larger than any node accepts") \
	_(TX_UNSCANNED_UNSIGNED, C, "unsigned transaction objects (eth_sendTransaction)") \
	_(TX_UNSCANNED_GAP, C, "transactions with a hole in them") \
	_(TX_UNSCANNED_NO_BUFFER, C, "transactions for which no assembly buffer could be had") \
	_(TX_UNSCANNED_HASH_ONLY, C, "bundle elements that are only a hash") \
	_(TX_UNSCANNED_MISMATCH, C, "transaction objects whose bytes have another hash than they say") \
	_(TX_UNSCANNED_OBJECT, C, "transaction objects that lack a member, or are of an unknown type") \
	_(TX_UNSCANNED_CHAIN, C, "transactions of chains that the profile does not name") \
	_(TX_UNSCANNED_CONFLICT, C, "overlapping versions of stream bytes that could not be read on their own") \
	_(TX_UNSCANNED_SCAN_ERROR, C, "transactions on which the pattern matcher failed") \
	_(TX_INCLUDED, C, "crossings of transactions that are in a block already") \
	_(TX_AHEAD, C, "transactions looked at out of order, behind a hole in their stream; they cross in their turn") \
	_(SEEN_EVICTED, C, "entries of the seen-before filter replaced while still fresh") \
	_(SLABS_STOLEN, C, "assembly buffers taken from the transaction that waited longest") \
	/* what nodes said of submissions: identity 7 */ \
	_(NODE_HASHES, C, "hashes that nodes returned for submissions") \
	_(NODE_SCANNED, C, "returned hashes whose transaction was scanned") \
	_(NODE_DUPLICATE, C, "returned hashes whose transaction had been seen before") \
	_(NODE_MISSED_UNREAD, C, "returned hashes whose transaction was read and not scanned (see tx_unscanned_*)") \
	_(NODE_MISSED_UNSIGNED, C, "returned hashes of transactions that the node signed itself") \
	_(NODE_MISSED_GAP, C, "returned hashes whose submission has a hole in it") \
	_(NODE_MISSED_MIDSTREAM, C, "returned hashes whose submission went by before the connection was seen, or in a direction that is not") \
	_(NODE_MISSED_OPAQUE, C, "returned hashes whose submission could not be decompressed") \
	_(NODE_MISSED_MALFORMED, C, "returned hashes whose submission is not JSON to its end") \
	_(NODE_MISSED_EVICTED, C, "returned hashes whose submission had been forgotten: too many waited for an answer") \
	_(NODE_MISSED_NO_SUCH_ID, C, "returned hashes with an id that no request had") \
	/* not part of it */ \
	_(NODE_REFUSED, C, "submissions that a node refused") \
	_(NODE_KNOWN, C, "submissions that a node had already, by its own word") \
	/* lives of transactions, as the correlator knows them */ \
	_(HASHES_ANNOUNCED, C, "announcements of hashes without bytes") \
	_(FACTS_LEFT_OUT, C, "facts about lives that workers left out because the correlator was behind") \
	_(FACTS_ODD, C, "facts whose transaction does not decode") \
	_(EVIDENCE_NOTED, C, "crossings of transactions and of answers whose bytes were to be proven") \
	_(EVIDENCE_PROVEN, C, "of those noted: acknowledged, and not belied") \
	_(EVIDENCE_BELIED, C, "of those noted: other bytes for their place, or before it, or an end that says otherwise") \
	_(EVIDENCE_ENDED, C, "of those noted: not acknowledged before their flow ended") \
	_(EVIDENCE_EVICTED, C, "of those noted: given up to make room") \
	_(EVIDENCE_DROPPED, C, "of those noted: no transaction after all") \
	_(EVIDENCE_MAC, C, "crossings proven by their message authentication") \
	_(EVIDENCE_SULLIED, C, "flows of which nothing can be proven any more") \
	_(EVIDENCE_LOST, C, "words on evidence dropped because the correlator's ring was full") \
	_(SENDERS_FOR_LIVES, C, "senders recovered to know replacements by") \
	_(SENDERS_NOT_FOR_LIVES, C, "senders left unknown because the correlator was behind; replacements of these are not noticed") \
	_(BUNDLES, C, "bundles of transactions") \
	_(BUNDLE_HASHES_JOINED, C, "bundle elements that are only a hash, of a transaction whose bytes were seen") \
	_(BUNDLE_HASHES_UNKNOWN, C, "bundle elements that are only a hash, of a transaction not seen") \
	_(LIFE_ANNOUNCED, C, "transactions whose hash was announced before their bytes were seen") \
	_(LIFE_ANNOUNCED_JOINED, C, "announced transactions whose bytes came") \
	_(LIFE_ANNOUNCED_EXPIRED, C, "announced transactions whose bytes did not come in time") \
	_(LIFE_PENDING, C, "transactions whose bytes were seen pending") \
	_(LIFE_INCLUDED, C, "transactions of counted blocks, at their first inclusion") \
	_(LIFE_INCLUDED_PENDING, C, "of those included: seen pending before") \
	_(LIFE_ANNOUNCED_ONLY, C, "of those included: only announced before") \
	_(LIFE_NEVER_SEEN, C, "of those included: never seen before") \
	_(LIFE_TAKEN_BACK, C, "first inclusions that an invalid block had counted") \
	_(LIFE_TAKEN_BACK_PENDING, C, "of those taken back: seen pending before") \
	_(LIFE_TAKEN_BACK_ANNOUNCED_ONLY, C, "of those taken back: only announced before") \
	_(LIFE_TAKEN_BACK_NEVER_SEEN, C, "of those taken back: never seen before") \
	_(LIFE_INCLUDED_UNCOUNTED, C, "inclusions by the word of answers that have no part in the shares") \
	_(LIFE_REPLACED, C, "pending transactions that lost to another with their sender and nonce") \
	_(LIFE_RESTORED, C, "replaced transactions whose replacement left the chain") \
	_(LIFE_DROPPED, C, "transactions pending for longer than a node keeps them") \
	_(LIFE_REORGED, C, "included transactions whose block left the chain") \
	_(LIFE_EVICTED, C, "transactions forgotten before their life had ended, to make room") \
	_(LIFE_RIVALS_FULL, C, "transactions that lost their place among those of their sender and nonce") \
	_(LIFE_BLOCKS, C, "blocks counted in the shares") \
	_(LIFE_BLOCKS_REORGED, C, "blocks that left the chain") \
	_(LIFE_BLOCKS_INVALID, C, "blocks that a node called invalid") \
	_(LIFE_BLOCKS_REPEATED, C, "blocks told again") \
	_(LIFE_BLOCKS_VOID, C, "blocks not read to the end, or without a hash") \
	_(LIFE_BLOCKS_OPEN_LOST, C, "blocks given up while being read, for too many were open") \
	_(LIFE_UNREAD, C, "transactions of counted blocks whose bytes could not be read") \
	_(LIFE_LINKS_FULL, C, "transactions of blocks for which there was no room") \
	_(LIFE_ACCEPTED, C, "transactions that a node accepted") \
	_(LIFE_REFUSED, C, "transactions that a node refused") \
	_(LIFE_JUDGED_UNKNOWN, C, "verdicts of nodes on transactions that are not known here") \
	/* findings: identity 5 */ \
	_(FINDINGS, C, "findings made by workers") \
	_(SUPPRESSED_RING_FULL, C, "findings dropped because the correlator's ring was full") \
	_(TX_PUT_ASIDE, C, "transactions that waited in a worker because the correlator was behind") \
	_(TX_ASIDE_ACCEPTED, C, "of these: told out of their turn because a node accepted them") \
	_(SUPPRESSED_OVER, C, "findings beyond those that one transaction may have; the gravest were kept") \
	_(SUPPRESSED_REPEAT, C, "findings that repeat a live incident and add nothing") \
	_(FINDINGS_CORRELATED, C, "findings made by the correlator: deployments, calls of armed contracts, sandwiches; and what became of incidents") \
	_(SUPPRESSED_STORM, C, "findings that were told together with equal ones on the same target, or would have been") \
	_(SUPPRESSED_ENDED, C, "changes of incidents that nobody had been told of") \
	_(ALERTS, C, "alerts made (new incidents)") \
	_(UPDATES, C, "alerts that update a live incident") \
	_(SENDERS_RECOVERED, C, "senders recovered for alerts") \
	_(CALLS_SEARCHED, C, "transactions with more calls inside than are taken apart, whose calldata was searched for armed contracts") \
	_(CALLS_UNSEARCHED, C, "transactions with more calls inside than are taken apart, for whose calldata there was no time") \
	_(SENDERS_SKIPPED, C, "alerts sent without a sender because the recovery budget was spent") \
	_(STORMS_TOLD, C, "alerts that stand for many equal findings") \
	_(GRADES_RAISED, C, "incidents whose grade rose when a node accepted them, or their bytes were acknowledged") \
	_(INCIDENTS_ENDED, C, "incidents closed or retracted") \
	_(SUSPECTS_EVICTED, C, "transactions of alerts that are no longer followed, for there were too many") \
	_(SENDERS_BAD, C, "alerts whose signature recovers no sender") \
	_(CODES_READ, C, "codes that transactions deploy, read") \
	_(CODES_SKIPPED, C, "codes that were not read, for want of time: only the patterns of rules were looked for in them") \
	_(CODES_LEFT_OUT, C, "codes of note beyond the 8 of most note in their transaction: not followed") \
	_(SWAPS_OVER, C, "transactions with more swaps than are told of one: their calldata is searched for the rest") \
	_(MENTIONS_OVER, C, "transactions with more delegations than are kept in mind for contracts that are armed later") \
	/* armed contracts: detect/watch.h */ \
	_(WATCH_ARMED, C, "contracts that were armed") \
	_(WATCH_INCLUDED, C, "armed contracts whose deployment came into a block") \
	_(WATCH_FORGOTTEN, C, "armed contracts whose deployment was dropped or replaced") \
	_(WATCH_EVICTED_PENDING, C, "armed contracts of deployments in no block that made room for newer ones") \
	_(WATCH_EVICTED_KEPT, C, "armed contracts that made room for newer ones") \
	_(WATCH_REFUSED, C, "operators' contracts for which there is no room") \
	_(WATCH_AGED, C, "armed contracts that nobody called for too long") \
	_(MEMORY_PAGES, C, "times that control handed over what it remembers") \
	/* sandwiches and displacements: detect/correlate/sandwich.h */ \
	_(SANDWICH_TAKEN, C, "transactions told") \
	_(SANDWICH_KNOWN, C, "of these: told before") \
	_(SANDWICH_IGNORED, C, "of these: nothing in them can be a leg or a victim") \
	_(SANDWICH_SWAPPING, C, "transactions with swaps that decode") \
	_(SANDWICH_PACKED, C, "transactions with calldata of unknown form") \
	_(SANDWICH_NEEDLES, C, "pools and tokens in flight found in calldata of unknown form") \
	_(SANDWICH_EVICTED, C, "transactions forgotten before their time, to make room") \
	_(SANDWICH_EXPIRED, C, "transactions forgotten in their time") \
	_(SANDWICH_TOUCHES_FULL, C, "pools and tokens of a transaction beyond what is kept") \
	_(SANDWICH_SCAN_CUT, C, "transactions whose calldata was not searched to its end") \
	_(SANDWICH_CHAIN_CUT, C, "pools with more in flight than one look takes") \
	_(SANDWICH_PAIRS_CUT, C, "transactions with more possible pairs than are looked at") \
	_(SANDWICH_BUNDLE_CUT, C, "bundles with more possible pairs than are looked at, or more elements than are kept") \
	_(SANDWICH_BUNDLES_EVICTED, C, "bundles forgotten before all their elements came") \
	_(SANDWICH_PAIRS, C, "pairs of legs weighed") \
	_(SANDWICH_PAIRS_WEAK, C, "of these: around a victim, but short of evidence") \
	_(SANDWICH_SENDERS_ASKED, C, "senders asked for") \
	_(SANDWICH_SENDERS_UNKNOWN, C, "of these: not answered") \
	_(SANDWICH_FOUND, C, "incidents") \
	_(SANDWICH_FOUND_PUBLIC, C, "incidents, or upgrades of one, by fee order") \
	_(SANDWICH_FOUND_BUNDLE, C, "incidents, or upgrades of one, by bundle order") \
	_(SANDWICH_FOUND_PARTIAL, C, "incidents of a front leg alone") \
	_(SANDWICH_FOUND_DISPLACEMENT, C, "incidents of displacement") \
	_(SANDWICH_UPDATED, C, "findings on an incident told before") \
	_(SANDWICH_REPEATED, C, "findings that said nothing new") \
	_(SANDWICH_ENDED, C, "incidents that ended") \
	_(SANDWICH_INCIDENTS_EVICTED, C, "incidents forgotten before they ended, to make room") \
	_(SANDWICH_LEFT_OUT, C, "transactions that were not looked at for sandwiches because the correlator was behind") \
	_(SANDWICHES_UNTOLD, C, "findings of these whose transaction is no longer at hand") \
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
