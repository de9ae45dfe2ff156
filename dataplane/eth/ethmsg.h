/* SPDX-License-Identifier: BSD-3-Clause */
/* ethmsg: what messages of the eth protocol (66 to 72) say about transactions, from their payload as rlpx
 * hands it out. Forms that differ between versions are told apart by their structure. Source: ethereum/devp2p
 * caps/eth.md, go-ethereum eth/protocols/eth; eth/72: EIP-8070.
 *
 * A message whose outer structure is not canonical RLP, or that no node would take, is refused whole, before
 * anything of it is reported. Whether a single transaction decodes is for tx_decode to say. */
#ifndef ETH_ETHMSG_H
#define ETH_ETHMSG_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

#define ETHMSG_HASHES_MAX 5000u /* announced in one message: geth's maxTransactionAnnouncements */
#define ETHMSG_TXS_MAX 16384u	/* transactions of one message */

enum ethmsg_code {
	ETHMSG_NEW_BLOCK_HASHES = 0x01,
	ETHMSG_TRANSACTIONS = 0x02,
	ETHMSG_BLOCK_BODIES = 0x06,
	ETHMSG_NEW_BLOCK = 0x07,
	ETHMSG_NEW_POOLED_HASHES = 0x08,
	ETHMSG_GET_POOLED = 0x09,
	ETHMSG_POOLED = 0x0a
};

enum ethmsg_kind {
	ETHMSG_TX,	  /* pushed, pending: `raw` */
	ETHMSG_TX_POOLED, /* asked for, pending: `raw`; type 3 with its sidecar, in eth/72 without the blobs
			   */
	ETHMSG_TX_MINED,  /* of a block: `raw` */
	ETHMSG_ANNOUNCED, /* pending: `hash`; from eth/68 on `type`, `size` */
	ETHMSG_ASKED,	  /* somebody asks for `hash` */
	ETHMSG_BLOCK	  /* `hash` and `number` of an announced block, or `header` of one that came whole */
};

struct ethmsg_item {
	enum ethmsg_kind kind;
	uint32_t index, count; /* of the items of this kind; TX_MINED: within its block */
	uint64_t request;      /* id of the request that it answers, or is; 0 without */
	struct span raw;       /* legacy: the list; typed: type byte and payload. Never empty. */
	const uint8_t *hash;   /* 32 bytes, or NULL */
	bool has_type;
	uint8_t type;
	uint32_t size;
	uint64_t number;
	struct span header; /* RLP of a block header with its list header, or empty */
};

/* Spans lie in the payload. */
typedef void (*ethmsg_sink)(void *ctx, const struct ethmsg_item *item);

enum ethmsg_status {
	ETHMSG_OK,
	ETHMSG_OTHER,	 /* a message that says nothing about transactions */
	ETHMSG_MALFORMED /* nothing was reported */
};

/* ethmsg_read reports the items of message `code` in order. *over is increased by the items beyond the caps,
 * which are left out. */
enum ethmsg_status ethmsg_read(
	unsigned code, struct span payload, ethmsg_sink sink, void *ctx, uint64_t *over);

/* ethmsg_guess: which message a payload can only be, for sessions whose Hellos were not seen: its code, or
 * -1. *sure: it holds a transaction that decodes. */
int ethmsg_guess(struct span payload, bool *sure);

#endif
