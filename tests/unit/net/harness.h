/* SPDX-License-Identifier: BSD-3-Clause */
/* harness: frames made of parts, and a worker's stand-in that writes down what the streams deliver and aborts
 * on a breach of the contract of net/stream.h: offsets that do not tile, callbacks out of turn, an identity
 * with a residual. */
#ifndef NET_HARNESS_H
#define NET_HARNESS_H

#include "abi/counters.h"
#include "net/decode.h"
#include "net/stream.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* A frame's parts. Zero is plain: IPv4, no tags, from client 1 to server 2. */
struct parts {
	bool ip6;
	unsigned tags;	       /* VLAN tags: 1 = 0x8100, 2 = 0x88a8 0x8100, more = all 0x9100 */
	uint32_t src, dst;     /* last four bytes of the address; 0 = 1 and 2 */
	uint16_t sport, dport; /* 0 = 40000 and 8545 */
	uint32_t seq, ack;
	uint8_t flags;
	const void *payload;
	uint32_t len;
	uint32_t options; /* bytes of TCP options, a multiple of 4 */
};

/* frame_build writes the frame, checksums right, into buf; returns its bytes. */
uint32_t frame_build(uint8_t *buf, uint32_t cap, const struct parts *p);

/* frame_checksum puts the TCP checksum of n bytes right; ips: both addresses, 4 or 16 bytes each. */
void frame_checksum(uint8_t *tcp, uint32_t n, const uint8_t *ips, uint32_t ip_bytes);

struct heard {
	uint8_t *bytes;
	uint8_t *there; /* 1: delivered, 0: declared missing */
	uint64_t n, cap, gaps, gap_bytes;
	bool ended;
	enum stream_end why;
};

struct heard_flow {
	struct flow_key key;
	struct heard dir[2];
	bool forgotten, midstream, conflict;
};

struct net {
	struct stream_table *t;
	void *mem;
	struct stream_config config;
	uint64_t ctr[CTR_COUNT];
	bool count_only; /* keep no bytes */
	bool watch;	 /* both directions of every flow that delivers; set it after net_open */
	struct heard_flow *flows;
	uint32_t n_flows, flows_cap;
	unsigned conflicts; /* calls of ops->conflict */
	uint8_t losing[131072];
	uint32_t losing_len;
	uint64_t losing_off;
	unsigned acks, in_place, belied[BELIED_LATE + 1]; /* calls of ops->acked and ops->belied ... */
	uint64_t ack_off;
	struct stream_range range; /* ... and the last one's */
	uint64_t now_ns;
};

struct stream_config net_config(void);
void net_open(struct net *n, const struct stream_config *c);
/* net_close flushes, checks that nothing is left and frees. */
void net_close(struct net *n);
/* net_frame hands one frame over in a buffer of its exact size, and checks the identities. */
void net_frame(struct net *n, const uint8_t *frame, uint32_t len, uint32_t wire_len);
void net_send(struct net *n, const struct parts *p);
void net_wait(struct net *n, uint64_t ns); /* lets packet time pass and keeps house */
void net_check(const struct net *n);
/* net_heard: what was delivered is exactly these bytes without a gap. */
bool net_heard(const struct net *n, uint32_t flow, unsigned dir, const void *bytes, uint64_t len);

#endif
