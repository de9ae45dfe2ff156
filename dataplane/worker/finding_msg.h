/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker tells the correlator of a transaction that it has judged: one message for each (facts.h has the rest). Behind the struct lie, in this order, the codes that it deploys, its
 * swaps, its findings, the recipients of the calls inside it, and its raw bytes in consensus form, if these are few enough to travel. In-process only, so no version. */
#ifndef WORKER_FINDING_MSG_H
#define WORKER_FINDING_MSG_H

#include "abi/alert.h"
#include "detect/code.h"
#include "detect/detect.h"
#include "eth/calls.h"
#include "eth/swap.h"

#include <stdbool.h>
#include <stdint.h>

/* What a message in a worker's pipe is. */
enum fact_kind {
	FACT_TX = 1,
	FACT_ANNOUNCED,
	FACT_NODE,
	FACT_MINED,
	FACT_BUNDLE,
	FACT_EVIDENCE,
	FACT_BLOCK_OPEN,
	FACT_BLOCK_TX,
	FACT_BLOCK_UNREAD,
	FACT_BLOCK_CLOSE,
	FACT_BLOCK_JUDGED,
	FACT_HEAD
};

/* What is said of a transaction that did not cross a wire, where its bytes cannot tell: one that was read from a JSON object. */
enum claim_has {
	CLAIM_HASH = 1 << 0,
	CLAIM_FROM = 1 << 1,
	CLAIM_UNSIGNED = 1 << 2, /* its signature, and so its raw bytes, are made up */
	CLAIM_NO_NONCE = 1 << 3,
	CLAIM_NO_CHAIN = 1 << 4
};
struct claim {
	uint32_t has; /* enum claim_has */
	uint8_t hash[32], from[20];
};

/* Where a transaction crossed; zero where there was no wire. */
struct crossing {
	const struct claim *claim; /* NULL on a wire: there the bytes are all there is; lives as long as the call it is handed to */
	uint64_t t_wire_ns;
	uint8_t carrier, direction; /* enum carrier, enum direction */
	uint16_t side;		    /* worker/sides.h */
	uint32_t trust;		    /* enum trust_flag */
	uint32_t bundle_len, bundle_pos;
	uint64_t bundle; /* names it among all of this run; 0: none */
	uint16_t src_port, dst_port;
	uint8_t src_ip[16], dst_ip[16];
};

#define TX_CODES_MAX 8u /* of one transaction: those of most note, in the order of its calls */
#define TX_TARGETS_MAX CALLS_MAX

/* A code that the transaction deploys. */
struct tx_code {
	struct code_facts facts;
	uint32_t learned; /* score of the model, 0..1000 */
	bool nested;	  /* in a call: a factory deploys it */
	bool has_address; /* address: where, by CREATE2. Else it is the sender's CREATE, unless it is nested: then it is not known */
	uint8_t address[20];
};

struct tx_msg {
	uint32_t kind; /* FACT_TX */
	uint32_t raw_len;  /* bytes that follow; 0: too long to travel, see tx_bytes */
	uint32_t tx_bytes; /* consensus length */
	uint8_t n_codes, n_swaps, n_findings, n_targets;
	bool over;    /* of the calls inside not all are there: a cap was hit */
	bool swaps_over; /* of the swaps */
	bool pending; /* its life begins: it crossed in no block, and for the first time */
	uint64_t fingerprint;
	struct crossing where; /* claim: not to be followed, see below */
	struct claim claim;
	_Alignas(8) uint8_t rest[];
};

static inline const struct tx_code *
tx_msg_codes(const struct tx_msg *m)
{
	return (const struct tx_code *)m->rest;
}

static inline const struct swap *
tx_msg_swaps(const struct tx_msg *m)
{
	return (const struct swap *)(tx_msg_codes(m) + m->n_codes);
}

static inline const struct finding *
tx_msg_findings(const struct tx_msg *m)
{
	return (const struct finding *)(tx_msg_swaps(m) + m->n_swaps);
}

static inline const uint8_t (*tx_msg_targets(const struct tx_msg *m))[20]
{
	return (const uint8_t(*)[20])(tx_msg_findings(m) + m->n_findings);
}

static inline struct span
tx_msg_raw(const struct tx_msg *m)
{
	return (struct span){tx_msg_targets(m)[m->n_targets], m->raw_len};
}

/* tx_msg_bytes: of the message with these counts. */
static inline uint32_t
tx_msg_bytes(unsigned codes, unsigned swaps, unsigned findings, unsigned targets, uint32_t raw_len)
{
	return (uint32_t)(sizeof(struct tx_msg) + codes * sizeof(struct tx_code) + swaps * sizeof(struct swap) + findings * sizeof(struct finding) + targets * 20) + raw_len;
}
#define TX_MSG_BYTES_MAX(raw) \
	(sizeof(struct tx_msg) + TX_CODES_MAX * sizeof(struct tx_code) + SWAPS_MAX * sizeof(struct swap) + DETECT_FINDINGS_MAX * sizeof(struct finding) + TX_TARGETS_MAX * 20 + (raw))
_Static_assert(sizeof(struct tx_code) % 8 == 0 && sizeof(struct swap) % 8 == 0 && _Alignof(struct finding) <= 8, "what follows is aligned");

#endif
