/* SPDX-License-Identifier: BSD-3-Clause */
/* decode: one Ethernet frame to one TCP segment. No state; nothing is copied but header fields.
 *
 * Read: Ethernet II, up to two VLAN tags (802.1Q 0x8100, 802.1ad 0x88a8, 0x9100), IPv4 (RFC 791; total length
 * 0 as segmentation offload writes it means "to the end of the frame"), IPv6 (RFC 8200) behind hop-by-hop,
 * routing, destination and authentication headers, atomic fragments (RFC 6946), payload length 0 (jumbograms,
 * GRO) to the end of the frame, TCP (RFC 9293). */
#ifndef NET_DECODE_H
#define NET_DECODE_H

#include "abi/counters.h"
#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

/* Who and whom, [0] = source, [1] = destination. Addresses as two words in memory order, IPv4 mapped into
 * ::ffff:0:0/96; ports in host order. */
struct endpoints {
	uint64_t ip[2][2];
	uint16_t port[2];
};

struct segment {
	struct endpoints ends;
	uint32_t seq, ack;
	uint8_t flags;	     /* TCP_* */
	struct span payload; /* inside the frame, link padding cut off */
};

/* segment_decode reads a frame. frame.len = captured bytes, wire_len = its length on the wire (less than
 * frame.len counts as frame.len). Returns CTR_ACCEPTED and fills *out, or the counter (CTR_NOTOURS_*,
 * CTR_UNDEC_*) that says why not; *out is then undefined. A frame whose payload was cut off by the capture is
 * CTR_UNDEC_TRUNCATED. */
enum sentinel_counter segment_decode(
	struct span frame, uint32_t wire_len, bool verify_checksum, struct segment *out);

/* segment_endpoints reads only who and whom of a TCP segment, however much is cut off or wrong behind the
 * ports. False if the frame shows none (junk, other protocols, fragments). */
bool segment_endpoints(struct span frame, struct endpoints *out);

#endif
