/* SPDX-License-Identifier: BSD-3-Clause */
/* l2msg: the transactions in a message that Arbitrum's sequencer has ordered: the bytes of l2Msg, as
 * wire/arbfeed.h finds them. Source: OffchainLabs/nitro arbos/parse_l2.go.
 *
 * By the kind of the header: 3 (L2Message) is a kind byte and
 *   0 unsigned user transaction, 1 contract transaction: 32-byte fields; their senders signed nothing
 *   3 batch: (8-byte big-endian length, message)..., nested up to L2MSG_DEPTH_MAX deep; bytes behind the last
 *     whole element are passed over
 *   4 signed transaction: EIP-2718 bytes, to the end
 *   7 compressed (nitro does not implement it); the rest are unknown or given up.
 * Headers 7, 9 and 12 (funded by L1, retryable ticket, deposit) are transactions that L1 ordered: unsigned
 * too. All other headers carry none.
 *
 * A node refuses the whole message if one element in it cannot be read; here the others are reported
 * nevertheless, with the verdict in what is returned. */
#ifndef ETH_L2MSG_H
#define ETH_L2MSG_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

#define L2MSG_BYTES_MAX (256u * 1024u)
#define L2MSG_DEPTH_MAX 16u
/* Items of one message. The shortest transaction that decodes has 10 bytes, 19 with its place in a batch: no
 * cap is reached by L2MSG_BYTES_MAX of such, so no filling hides a transaction. */
#define L2MSG_ITEMS_MAX 16384u

enum l2msg_header {
	L2MSG_HEADER_L2 = 3,
	L2MSG_HEADER_FUNDED = 7,
	L2MSG_HEADER_RETRYABLE = 9,
	L2MSG_HEADER_DEPOSIT = 12
};

enum l2msg_kind {
	L2MSG_TX,	  /* signed; `raw` is not empty; whether it decodes is for tx_decode to say */
	L2MSG_UNSIGNED,	  /* a transaction without a signature */
	L2MSG_COMPRESSED, /* kind 7 */
	L2MSG_OTHER,	  /* a kind that is none, or carries nothing any more */
	L2MSG_DEEP,	  /* a batch in L2MSG_DEPTH_MAX others */
	L2MSG_MALFORMED	  /* empty, or too short for its kind */
};

struct l2msg_item {
	enum l2msg_kind kind;
	uint8_t depth;	 /* batches around it */
	uint32_t index;	 /* among the items of the message */
	struct span raw; /* without the kind byte. Lies in the message. */
};

typedef void (*l2msg_sink)(void *ctx, const struct l2msg_item *item);

enum l2msg_status {
	L2MSG_TAKEN,
	L2MSG_NOTHING, /* a header that carries no transactions: nothing was reported */
	L2MSG_REFUSED, /* no node takes it: some element is COMPRESSED, OTHER, DEEP or MALFORMED */
	L2MSG_OVERSIZE /* nor this, longer than L2MSG_BYTES_MAX: nothing was reported */
};

/* l2msg_read reports the items of a message in order. *over is increased by the items beyond the cap, which
 * are left out. Time is linear in the length, stack use constant. */
enum l2msg_status l2msg_read(
	unsigned header_kind, struct span l2msg, l2msg_sink sink, void *ctx, uint64_t *over);

#endif
