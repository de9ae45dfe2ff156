/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker tells the correlator of findings: one message per transaction that gave some (facts.h has the rest). The raw transaction (consensus
 * form) follows the struct when it is short enough to travel as evidence. In-process only, so no version. */
#ifndef WORKER_FINDING_MSG_H
#define WORKER_FINDING_MSG_H

#include "abi/alert.h"
#include "detect/detect.h"

#include <stdbool.h>
#include <stdint.h>

/* What a message in a worker's pipe is. */
enum fact_kind {
	FACT_FINDINGS = 1,
	FACT_PENDING,
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
	uint32_t trust;		    /* enum trust_flag */
	uint32_t bundle_len, bundle_pos;
	uint64_t bundle; /* names it among all of this run; 0: none */
	uint16_t src_port, dst_port;
	uint8_t src_ip[16], dst_ip[16];
};

struct finding_msg {
	uint32_t kind; /* FACT_FINDINGS */
	uint64_t fingerprint;
	struct crossing where; /* claim: not to be followed, see below */
	struct claim claim;
	uint32_t n_findings;
	uint32_t raw_len; /* bytes that follow; 0: too long to travel, see tx_bytes */
	uint32_t tx_bytes; /* consensus length */
	struct finding findings[DETECT_FINDINGS_MAX];
	uint8_t raw[];
};

#endif
