/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_hello: which message ids mean eth, from the two Hellos of a session. Shared capabilities are those
 * that both list with the same version, of each name the highest; in the order of their names each takes as
 * many ids as its version has messages, from 0x10 on. Sources: devp2p rlpx.md ("Message Multiplexing"),
 * go-ethereum p2p/peer.go matchProtocols; lengths: go-ethereum eth/protocols, bsc. */
#ifndef WIRE_RLPX_HELLO_H
#define WIRE_RLPX_HELLO_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

#define RLPX_BASE_IDS 0x10u
#define RLPX_CAPS_MAX 24u
#define RLPX_CAP_NAME 8u /* the longest that the spec allows */

struct rlpx_cap {
	char name[RLPX_CAP_NAME]; /* zero-padded */
	uint32_t version;
};

struct rlpx_hello {
	uint32_t p2p_version;
	uint32_t n_caps;
	bool more; /* capabilities that do not fit are left out */
	struct rlpx_cap caps[RLPX_CAPS_MAX];
};

/* rlpx_hello_parse reads a Hello's payload (without message id). false: it is none. */
bool rlpx_hello_parse(struct span payload, struct rlpx_hello *h);

struct rlpx_eth {
	uint16_t first;	 /* id of eth's message 0; 0: not known */
	uint8_t version; /* 0: not known */
	uint8_t ids;	 /* how many ids it has */
};

/* rlpx_hello_eth: where eth lies. false: not shared, or behind a capability whose length nobody here knows
 * (eth.version then tells which). */
bool rlpx_hello_eth(const struct rlpx_hello *a, const struct rlpx_hello *b, struct rlpx_eth *eth);

/* rlpx_hello_eth_alone: the same from one Hello, when whatever the other one says eth can be nowhere else. */
bool rlpx_hello_eth_alone(const struct rlpx_hello *h, struct rlpx_eth *eth);

/* rlpx_eth_ids: message ids of a version of eth. */
uint8_t rlpx_eth_ids(uint32_t version);

#endif
