/* SPDX-License-Identifier: BSD-3-Clause */
/* load: node traffic in memory, for the bench and for tests: connections over Ethernet, IPv4 and TCP on which
 * transactions cross in one of the feeds below. Deterministic in its seed. The transactions are all different
 * and decode; their signatures are random, so most recover a sender that never signed. The text of heads and
 * bodies is that of ethers 6 against anvil, as recorded; objects are geth's. */
#ifndef TOOLS_LOAD_H
#define TOOLS_LOAD_H

#include "abi/span.h"

#include <stddef.h>
#include <stdint.h>

struct rlpx_key;

/* _(id, name): how the transactions cross, and how many at a time. */
#define LOAD_FEED_LIST(_)                                                                                  \
	_(HTTP, "http")		     /* eth_sendRawTransaction, each answered with its hash */             \
	_(WS, "websocket")	     /* the same in masked WebSocket messages */                           \
	_(WS_PUSHED, "subscription") /* a node's notifications of pending transactions, full objects */    \
	_(WS_DEFLATED, "subscription-deflate") /* the same with permessage-deflate and context takeover */ \
	_(HTTP_OBJECTS, "http-objects")	       /* answers to eth_getTransactionByHash */                   \
	_(ENGINE, "engine")		       /* engine_newPayloadV3, LOAD_BLOCK_TXS in a block */        \
	_(RLPX, "rlpx") /* eth/68 Transactions, LOAD_MESSAGE_TXS in each, either way; with true MACs */    \
	_(GRPC, "grpc") /* messages of a txpool.Txpool/OnAdd stream over h2c, one in each */               \
	_(ARBITRUM, "arbitrum") /* a sequencer's broadcasts, one in each */
enum load_feed {
#define _(id, name) LOAD_##id,
	LOAD_FEED_LIST(_)
#undef _
		LOAD_FEEDS
};
#define LOAD_BLOCK_TXS 200u
#define LOAD_MESSAGE_TXS 10u

struct load_config {
	enum load_feed feed;
	uint32_t transactions;
	uint32_t connections; /* 1..1024 */
	uint32_t seed;
	uint32_t hit_every; /* one transaction in so many calls load_hit_address; 0: none */
	uint32_t rich_every; /* one in so many is a creation, a router's swap, or has calls inside; 0: none */
	uint32_t segment;   /* payload bytes of a segment at most; 0: 1448 */
	uint64_t gap_ns;    /* between two frames; 0: 1000 */
};

/* A compressed message as it crossed: deflate without its tail, or snappy; not encrypted. */
struct load_packed {
	struct span bytes;
	uint32_t plain_bytes, connection;
};

struct load {
	/* frames in the order of the wire; frame[i] lies in memory */
	struct span *frame;
	uint32_t *wire_len;
	uint64_t *now_ns;
	uint32_t frames;
	/* the raw transactions, in the order in which their requests end */
	struct span *raw;
	uint32_t transactions;
	uint64_t frame_bytes, raw_bytes, stream_bytes; /* stream: payload of the frames */
	struct load_packed *packed;		       /* of WS_DEFLATED and RLPX, in the order of the wire */
	uint32_t n_packed;
	struct rlpx_key *session; /* of RLPX, by connection, with nonces, without endpoints */
	uint32_t sessions;
	uint8_t *memory, *raw_memory, *packed_memory;
	size_t used, cap, raw_used, raw_cap, packed_used, packed_cap;
	uint32_t frames_cap;
};

extern const uint8_t load_hit_address[20];

/* load_feed_name: static. */
const char *load_feed_name(enum load_feed f);

/* load_make builds it all; free with load_free. 0 or -errno (-EINVAL: configuration, -ENOSPC: more bytes than
 * foreseen). */
int load_make(struct load *l, const struct load_config *c);
void load_free(struct load *l);

#endif
