/* SPDX-License-Identifier: BSD-3-Clause */
/* tx_build: a transaction's fields into its consensus form, for transactions that come as JSON objects, and for tests and load. */
#ifndef ETH_TX_BUILD_H
#define ETH_TX_BUILD_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Integers are big-endian, with or without leading zeros, at most 32 bytes; an empty span is 0. A signature whose r and s are both empty
 * is written as v 0 (legacy: 27), r 1, s 1: it decodes, and recovers nobody that signed. */
struct tx_fields {
	uint8_t type; /* 0..4 */
	struct span chain_id; /* typed only; legacy carries it in v */
	uint64_t nonce, gas;
	struct span tip_cap, fee_cap; /* legacy and 2930: the price is fee_cap */
	struct span to; /* 20 bytes or 0 */
	struct span value, data;
	struct span access_list, blob_hashes, auth_list; /* RLP payloads of the lists */
	struct span blob_fee_cap;
	struct span v, r, s;
};

/* tx_build writes at most cap bytes; returns how many, or -ENOSPC, or -EINVAL for a type that does not exist. */
int tx_build(const struct tx_fields *f, uint8_t *out, size_t cap);

#endif
