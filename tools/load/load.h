/* SPDX-License-Identifier: BSD-3-Clause */
/* load: node traffic in memory, for the bench and for tests: keep-alive HTTP/1.1 connections over Ethernet, IPv4 and TCP on which clients
 * submit transactions with eth_sendRawTransaction and a node answers with their hashes. Deterministic in its seed. The
 * transactions are all different and decode; their signatures are random, so most recover a sender that never signed.
 * The text of heads and bodies is that of ethers 6 against anvil, as recorded. */
#ifndef TOOLS_LOAD_H
#define TOOLS_LOAD_H

#include "abi/span.h"

#include <stddef.h>
#include <stdint.h>

struct load_config {
	uint32_t transactions;
	uint32_t connections; /* 1..1024 */
	uint32_t seed;
	uint32_t hit_every; /* one transaction in so many calls load_hit_address; 0: none */
	uint32_t segment;   /* payload bytes of a segment at most; 0: 1448 */
	uint64_t gap_ns;    /* between two frames; 0: 1000 */
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
	uint64_t frame_bytes, raw_bytes;
	uint8_t *memory, *raw_memory;
	size_t used, cap, raw_used, raw_cap;
	uint32_t frames_cap;
};

extern const uint8_t load_hit_address[20];

/* load_make builds it all; free with load_free. 0 or -errno (-EINVAL: configuration). */
int load_make(struct load *l, const struct load_config *c);
void load_free(struct load *l);

#endif
