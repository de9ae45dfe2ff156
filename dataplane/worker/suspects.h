/* SPDX-License-Identifier: BSD-3-Clause */
/* suspects: the transactions that alerts speak of, by hash and by the workers' fingerprint: what is known of their evidence, and which incidents they are part of, so that what a node says
 * of them later, an acknowledgement or a block reaches their alerts. The table is fixed; the oldest
 * that no node accepted makes room first. Used by the correlator's lcore alone. */
#ifndef WORKER_SUSPECTS_H
#define WORKER_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUSPECT_INCIDENTS 4u /* of one transaction; of more, the first are followed */

/* What is known of how its bytes (its acceptance) crossed. */
enum proof { PROOF_NONE, PROOF_DIRTY, PROOF_CLEAN };

struct suspect {
	uint8_t hash[32];
	uint64_t fingerprint; /* 0: not known */
	uint64_t t_ns, chain_id;
	uint64_t ref;	/* kept.h: its message */
	uint8_t bytes, answer; /* enum proof: of its bytes, of a node's acceptance */
	bool accepted, included, ended, creates;
	uint8_t created[20]; /* the contract that its deployment makes */
	uint8_t n_incidents;
	struct {
		uint32_t slot;
		uint8_t key[8]; /* of the dedupe key: the slot may have been given to another */
	} incident[SUSPECT_INCIDENTS];
};

struct suspects {
	struct suspect *slot;
	uint8_t *used;
	uint32_t *by_fingerprint; /* slot + 1 */
	uint32_t n;
	uint64_t evicted;
};

/* suspects_bytes, suspects_init: n entries, a power of two of at least 64. mem: 64-byte aligned. */
size_t suspects_bytes(uint32_t n);
void suspects_init(struct suspects *s, void *mem, uint32_t n);

/* suspects_find: NULL: not there. suspects_of_fingerprint: 0 finds nothing. */
struct suspect *suspects_find(struct suspects *s, const uint8_t hash[32]);
struct suspect *suspects_of_fingerprint(struct suspects *s, uint64_t fingerprint);

/* suspects_add: the entry of that hash, made if it is not there. Never NULL. */
struct suspect *suspects_add(struct suspects *s, const uint8_t hash[32], uint64_t fingerprint, uint64_t now_ns);

/* suspect_joins: the transaction is part of that incident. False: it was already, or of too many. */
bool suspect_joins(struct suspect *t, uint32_t slot, const uint8_t dedupekey[32]);

#endif
