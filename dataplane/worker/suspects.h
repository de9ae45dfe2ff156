/* SPDX-License-Identifier: BSD-3-Clause */
/* suspects: the transactions that alerts speak of, by hash and by the workers' fingerprint: what is known of their evidence, and which incidents they are part of, so that what a node says
 * of them later, an acknowledgement or a block reaches their alerts. The tables are fixed; the oldest
 * that no node accepted makes room first, in both. Used by the correlator's lcore alone. */
#ifndef WORKER_SUSPECTS_H
#define WORKER_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUSPECT_INCIDENTS 4u /* of one transaction; of more, the first are followed */
#define SUSPECT_CREATED_MAX 8u /* contracts that one transaction arms; of more, the first are followed */

/* What is known of how its bytes (its acceptance) crossed. */
enum proof { PROOF_NONE, PROOF_DIRTY, PROOF_CLEAN };

struct suspect {
	uint8_t hash[32];
	uint64_t fingerprint; /* 0: not known */
	uint64_t t_ns, chain_id;
	uint64_t ref;	/* kept.h: its message */
	uint8_t bytes, answer, block; /* enum proof: of its bytes, of a node's acceptance, of a block's bytes that has it */
	bool accepted, included, ended;
	uint8_t n_incidents, n_created;
	struct suspect_part {
		uint32_t slot;
		uint32_t rule_index; /* the gravest that said so of this transaction */
		uint8_t key[8]; /* of the dedupe key: the slot may have been given to another */
		uint8_t told; /* highest grade that was told of this transaction there; 0: it was not told by itself */
		bool ready;   /* told that it lacks no more than what control can ask a node */
	} incident[SUSPECT_INCIDENTS];
	uint8_t created[SUSPECT_CREATED_MAX][20]; /* what it arms: contracts that it deploys, accounts that it delegates */
};

struct suspects {
	struct suspect *slot;
	uint8_t *used;
	uint32_t *by_fingerprint; /* slot + 1, in sets */
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

/* suspect_joins: the transaction is part of that incident, by that rule. key: of the dedupe key. False: it was already (the rule is then the first's), or of too many. */
bool suspect_joins(struct suspect *t, uint32_t slot, const uint8_t key[8], uint32_t rule_index);
/* suspect_part_of: its place in that incident, or NULL. */
struct suspect_part *suspect_part_of(struct suspect *t, uint32_t slot, const uint8_t key[8]);
/* suspect_creates: it arms that address. */
void suspect_creates(struct suspect *t, const uint8_t address[20]);

#endif
