/* SPDX-License-Identifier: BSD-3-Clause */
/* decode: one frame to one TCP segment. No state; nothing is copied but header fields.
 *
 * Read: Ethernet II, Linux cooked, loopback and bare IP (net/link.h); up to three VLAN tags (802.1Q 0x8100,
 * 802.1ad 0x88a8, 0x9100, 0x9200), not counting those of id 0; IPv4 (RFC 791; total length 0 as segmentation offload writes it means "to
 * the end of the frame"); IPv6 (RFC 8200) behind hop-by-hop, routing, destination, authentication and
 * mobility headers, as many as there are, for its receiver reads them all; jumbograms (RFC 2675) and GRO-sized frames; TCP (RFC 9293); and, in any order up to
 * DECODE_TUNNELS_MAX of them: IP in IP (RFC 2003, 4213), MPLS (RFC 3032) with IP or an Ethernet pseudowire
 * (RFC 4448), PPPoE sessions (RFC 2516), GRE (RFC 2784, 2890) with IP, Ethernet (NVGRE, RFC 7637) or ERSPAN
 * I, II, III (draft-foschiano-erspan), VXLAN (RFC 7348), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe), GENEVE (RFC
 * 8926), MPLS in UDP (RFC 7510). The addresses of a segment are the innermost ones. Of checksums, only TCP's
 * is ever looked at. */
#ifndef NET_DECODE_H
#define NET_DECODE_H

#include "abi/counters.h"
#include "abi/span.h"
#include "net/link.h"

#include <stdbool.h>
#include <stdint.h>

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

#define DECODE_TUNNELS_MAX 8u

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
	uint8_t tunnels;     /* around it */
	bool multipath;	     /* a SYN with an option of MPTCP (RFC 8684) */
	struct span payload; /* inside the frame, link padding cut off */
};

/* One IP fragment, whole as captured. `next` is the IP protocol of the datagram (IPv6: what this fragment
 * says of it; only the first one's word counts). */
struct fragment {
	uint64_t ip[2][2];
	uint32_t id, off;
	uint8_t next, tunnels;
	bool ip6, more;
	struct span payload;
};

struct decode_rules {
	bool verify_checksum; /* TCP's, in software; else trusted */
	uint16_t vxlan_port;  /* besides 4789 and 8472; 0 = none */
};

/* segment_decode reads a frame. frame.len = captured bytes, wire_len = its length on the wire (less than
 * frame.len counts as frame.len). Returns CTR_ACCEPTED and fills *out; CTR_FRAGMENTS_HELD and fills *part: an
 * IP fragment, to be put together (net/fragment.h) and read on with segment_resume; or the counter
 * (CTR_NOTOURS_*, CTR_UNDEC_*) that says why not. What is not filled is undefined. A frame whose payload was
 * cut off by the capture is CTR_UNDEC_TRUNCATED. */
enum sentinel_counter segment_decode(struct span frame, uint32_t wire_len, enum net_link link,
	const struct decode_rules *rules, struct segment *out, struct fragment *part);

/* segment_resume reads the datagram that `of` was part of, put together; results as segment_decode's.
 * of->next is the first fragment's; of and part may be the same. */
enum sentinel_counter segment_resume(const struct fragment *of, struct span datagram,
	const struct decode_rules *rules, struct segment *out, struct fragment *part);

/* What a glance at a frame shows, for whoever only passes it on. */
#define GLANCE_PARTS 2u
struct glance {
	bool tcp;   /* ends is a TCP segment's */
	unsigned n; /* of the fragments that the frame is, outermost first. Behind a part that is not
		     * the first one of its datagram nothing can be seen */
	struct endpoints ends;
	struct fragment part[GLANCE_PARTS]; /* payload undefined */
};

/* frame_glance reads who and whom of a TCP segment, however much is cut off or wrong behind the ports.
 * wire_len as segment_decode's, whose word for the same frame it shares. */
void frame_glance(struct span frame, uint32_t wire_len, enum net_link link, const struct decode_rules *rules,
	struct glance *out);

#endif
