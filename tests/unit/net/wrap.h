/* SPDX-License-Identifier: BSD-3-Clause */
/* wrap: a packet put into one encapsulation after the other, from the inside out, each named by a letter:
 *
 *   E Ethernet (e: addresses that look like IPv4's first byte, f: like IPv6's)
 *   v a b c   VLAN tag 0x8100 0x88a8 0x9100 0x9200
 *   m         MPLS label (again: one more label of the stack; Ethernet inside: a bare pseudowire)
 *   w         MPLS label over Ethernet behind a control word
 *   p         PPPoE session
 *   4 6       IP in IP;  h IPv6 with hop-by-hop, destination and atomic fragment headers
 *   g k       GRE over IPv4 without options; with checksum, key and sequence. l: GRE over IPv6
 *   n         NVGRE
 *   1 2 3 o   ERSPAN I, II, III, III with a platform's header (r: II without sequence number)
 *   x y X     VXLAN over IPv4, on port 8472, over IPv6;  P VXLAN-GPE
 *   G O       GENEVE without and with options
 *   u         MPLS in UDP
 *
 * What does not fit the packet as it is (a tag around a whole frame) changes nothing. */
#ifndef NET_WRAP_H
#define NET_WRAP_H

#include "harness.h"
#include "net/link.h"

#define WRAP_BYTES 300000u

extern const char wrap_letters[];

struct packet {
	uint8_t bytes[WRAP_BYTES]; /* the packet is the last len of them */
	uint32_t len;
	uint32_t type; /* ethertype of what it is; 0x6558 a whole frame */
	unsigned tunnels, tags;
	unsigned most_tags; /* that any one frame has */
};

/* packet_make begins with an IP packet. */
void packet_make(struct packet *k, const struct parts *p);
void packet_wrap(struct packet *k, char letter);
void packet_wrap_all(struct packet *k, const char *letters);
/* packet_link adds a link header (NET_LINK_ETHERNET: if it is not a frame yet). False if it cannot begin so.
 */
bool packet_link(struct packet *k, enum net_link link);
void packet_copy(
	struct packet *to, const struct packet *from); /* an assignment, but only of the bytes in use */
const uint8_t *packet_bytes(const struct packet *k);
uint8_t *packet_push(struct packet *k, uint32_t n); /* n zeros in front */

/* packet_is_ip: can be fragmented. packet_fragment makes *out the fragment of payload bytes [from, to) of an
 * IP packet. IPv6: all headers behind the first are taken to be fragmentable. */
bool packet_is_ip(const struct packet *k);
uint32_t packet_ip_payload(const struct packet *k);
void packet_fragment(const struct packet *k, uint32_t id, uint32_t from, uint32_t to, struct packet *out);

#endif
