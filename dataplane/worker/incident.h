/* SPDX-License-Identifier: BSD-3-Clause */
/* incident: what makes two findings the same incident, and a memory of the live ones. The dedupe key is a
 * digest of class, chain, attacker and target, or of class, chain and transaction where the transaction is
 * the incident (swaps) or its sender is not known: nothing of the box or the rule revision goes into it. A
 * transaction whose hash is not known either is told apart by when and where it crossed: rather announced
 * twice than taken for another. The table is fixed: the oldest of a bucket makes room, after which its
 * incident would be announced anew. */
#ifndef WORKER_INCIDENT_H
#define WORKER_INCIDENT_H

#include "abi/alert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INCIDENT_TTL_NS (3600ull * 1000000000ull)

/* Another worker may be this many transactions of one attacker behind before what it tells counts as new. */
#define INCIDENT_TXS 4

struct incident {
	uint8_t key[16];    /* of the dedupe key */
	uint8_t last_tx[INCIDENT_TXS][8]; /* of the hashes of the last transactions reported, newest first */
	uint64_t seq;	    /* of the last record, on `ring` */
	uint64_t last_ns;
	uint64_t message; /* of the correlator's input in which last_tx[0] came: findings of one message belong
			     together */
	uint64_t generation; /* of the rules that judged it */
	uint32_t ring;
	uint8_t used, grade; /* grade: of the last record */
};

struct incidents {
	struct incident *slots;
	uint32_t n; /* power of two, at least 4 */
};

enum incident_verdict { INCIDENT_NEW, INCIDENT_UPDATE, INCIDENT_REPEAT };

size_t incidents_bytes(uint32_t n);
void incidents_init(struct incidents *t, void *mem, uint32_t n);

/* incident_key writes r->dedupekey from r's class, chain id, from, to/created and hash (without a hash:
 * length, wire time and flow). */
void incident_key(struct alert_record *r);

/* incident_judge looks r's incident up. NEW; UPDATE: another transaction, another rule of the same message,
 * other rules, or a higher grade (cleaner evidence: a first crossing made to look dirty must not hold the
 * grade down): r->supersedes_* name the record before; REPEAT: the same transaction came again (another
 * worker saw it too, or it was forgotten and seen again), or a rule of a lower grade says the same of it. *slot is where incident_reported notes the record
 * once it has its seq. */
enum incident_verdict incident_judge(struct incidents *t, struct alert_record *r, uint64_t message,
	uint64_t now_ns, struct incident **slot);
void incident_reported(
	struct incident *i, const struct alert_record *r, uint64_t message, uint32_t ring, uint64_t now_ns);

#endif
