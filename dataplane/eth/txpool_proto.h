/* SPDX-License-Identifier: BSD-3-Clause */
/* txpool_proto: what the elements of gRPC messages (wire/grpc.h) say about transactions: the methods that
 * carry them, and where in an element they are. The messages are protobuf, read by their field numbers:
 *
 * txpool.Txpool (Erigon; erigontech/interfaces txpool/txpool.proto):
 *  - OnAdd, reply: repeated bytes rpl_txs = 1
 *  - Add, request: repeated bytes rlp_txs = 1; submissions
 *  - Transactions, reply: repeated bytes rlp_txs = 1, empty where the pool has none
 *  - All, Search, reply: repeated Tx txs = 1; Tx {type = 1; sender = 2; bytes rlp_tx = 3}
 *  - Pending, reply: repeated Tx txs = 1. No version of the file that was at hand has this method: field 2
 *    is tried first, then any.
 *
 * api.API (Fiber; chainbound/fiber-rs src/generated/api.rs):
 *  - SubscribeNewTxsV2, SubscribeNewBlobTxs, reply: bytes rlp_transaction = 1; bytes sender = 2
 *  - SendTransactionV2, SendRawTransaction, request: bytes = 1
 *  - SendTransactionSequenceV2, SendRawTransactionSequence, request: repeated bytes = 1
 *
 * Of a method that carries messages the transaction is the last field of the expected number, or else any
 * field whose bytes are one: field numbers have changed between versions. Where the method is not known, an
 * element is what tx_decode takes, or a message with such a field. */
#ifndef ETH_TXPOOL_PROTO_H
#define ETH_TXPOOL_PROTO_H

#include "abi/span.h"
#include "wire/grpc.h"

#include <stdbool.h>
#include <stdint.h>

/* For grpc_arena: h2.paths and methods. */
extern const struct hpack_paths txpool_paths;
extern const struct grpc_method *const txpool_methods;

enum txpool_kind {
	TXPOOL_PENDING, /* pushed by the pool: it is new there */
	TXPOOL_SUBMITTED,
	TXPOOL_ASKED /* of the pool's content, on request */
};

enum txpool_found {
	TXPOOL_NONE,  /* no transaction: an empty place, or a guess that is none */
	TXPOOL_TX,    /* *raw is one; of a known method it need not decode */
	TXPOOL_UNREAD /* there was one that could not be read: e->state tells why */
};

/* txpool_element judges one element. *kind and *raw (within e->bytes) are set with TXPOOL_TX, *kind also with
 * TXPOOL_UNREAD; a guess is SUBMITTED if the client is known to have sent it, else PENDING. */
enum txpool_found txpool_element(const struct grpc_element *e, enum txpool_kind *kind, struct span *raw);

/* txpool_field_scan finds the last field `number` of a protobuf message that is bytes (number 0: the first
 * field, of any number, that tx_decode takes). Groups are passed over. false: there is none, or it is no
 * message. */
bool txpool_field_scan(struct span message, uint32_t number, struct span *value);

#endif
