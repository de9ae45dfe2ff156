/* SPDX-License-Identifier: BSD-3-Clause */
/* facts: what workers tell the correlator besides transactions (finding_msg.h): which hashes are announced, what nodes say of
 * submissions, what is in blocks. Plain messages in a worker's pipe; in-process only, so no version. Every message of a pipe begins with its
 * kind.
 *
 * Facts are told as long as the pipe has room for what matters more: findings. What is left out is counted. */
#ifndef WORKER_FACTS_H
#define WORKER_FACTS_H

#include "worker/finding_msg.h"

#include <stdbool.h>
#include <stdint.h>

struct fact_tx { /* FACT_MINED, FACT_BLOCK_TX, FACT_BUNDLE: its bytes follow, or its hash alone is known */
	uint32_t kind;
	uint32_t raw_len; /* consensus form; 0: the hash alone */
	uint64_t t_ns, fingerprint;
	uint64_t handle; /* of the block, or of the bundle */
	uint32_t pos, len; /* in the bundle */
	bool has_block;	 /* FACT_MINED: block is the hash of the one it is in */
	uint8_t hash[32], block[32];
	uint8_t raw[];
};

struct fact_announced {
	uint32_t kind;
	int32_t type; /* -1: not told */
	uint32_t size; /* 0: not told */
	uint64_t t_ns;
	uint8_t hash[32];
};

struct fact_node { /* a node's word on a submission */
	uint32_t kind;
	bool accepted;	/* hash is good */
	uint8_t reason; /* enum answer_error */
	uint32_t trust; /* enum trust_flag, of the answer's crossing */
	uint64_t t_ns, fingerprint;
	uint64_t asked; /* accepted: fingerprint of the submission that it answers, which may have another hash; 0: not known */
	uint8_t hash[32];
};

/* FACT_EVIDENCE: what came of waiting for proof that bytes were received (evidence.h): of a transaction, or of_answer: of the node's
 * acceptance of it, that has named fact_node.asked. Told of whatever is proven, and of findings also when it is not: the bytes of such
 * a crossing, by whichever way, will not be any more. There may be several words on one fingerprint, from any worker: one that is clean is
 * enough. */
struct fact_evidence_item {
	uint64_t fingerprint;
	uint32_t trust; /* enum trust_flag, by now; without NOT_ACKED if acked, or authenticated */
	bool acked, mac;
	bool of_answer;
};
struct fact_evidence {
	uint32_t kind;
	uint32_t n;
	uint64_t t_ns;
	struct fact_evidence_item item[];
};

static inline bool
fact_evidence_clean(const struct fact_evidence_item *e)
{
	return (e->acked || e->mac) && (e->trust & TRUST_BELOW_PAUSE) == 0;
}

enum fact_source { FACT_NEW_PAYLOAD, FACT_OFFERED, FACT_TOLD };

struct fact_block { /* FACT_BLOCK_OPEN, _UNREAD, _CLOSE; _JUDGED: hash and valid; FACT_HEAD: hash */
	uint32_t kind;
	uint8_t source; /* enum fact_source */
	bool whole;	/* _CLOSE: what it says of itself is good */
	bool valid;
	bool has_hash, has_parent, has_number;
	uint64_t t_ns, handle, number;
	uint8_t hash[32], parent[32];
};

/* fact_tx_hash: of its transaction; false: its bytes do not read. */
bool fact_tx_hash(const struct fact_tx *f, uint8_t out[32]);

/* fact_time: when what a message of a pipe tells of crossed the wire. */
static inline uint64_t
fact_time(const void *message)
{
	switch (*(const uint32_t *)message) {
	case FACT_TX:
		return ((const struct tx_msg *)message)->where.t_wire_ns;
	case FACT_ANNOUNCED:
		return ((const struct fact_announced *)message)->t_ns;
	case FACT_NODE:
		return ((const struct fact_node *)message)->t_ns;
	case FACT_EVIDENCE:
		return ((const struct fact_evidence *)message)->t_ns;
	case FACT_MINED:
	case FACT_BUNDLE:
	case FACT_BLOCK_TX:
		return ((const struct fact_tx *)message)->t_ns;
	default:
		return ((const struct fact_block *)message)->t_ns;
	}
}

/* fact_waits: it says what has become of transactions, so that whatever was seen before it has to be known before. */
static inline bool
fact_waits(const void *message)
{
	uint32_t kind = *(const uint32_t *)message;
	return kind == FACT_MINED || kind >= FACT_BLOCK_OPEN;
}

#endif
