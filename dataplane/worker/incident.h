/* SPDX-License-Identifier: BSD-3-Clause */
/* incident: what makes two findings the same incident, and a memory of the live ones. The dedupe key is a digest of class, chain, attacker and target: of sender and recipient (or
 * created contract); of an armed contract and whoever calls it; of a sandwicher and his pool; of one that displaces and whom; or of class, chain and transaction where the
 * transaction is the incident (swaps) or its sender is not known. Nothing of the box or the rule revision goes into it. A transaction whose hash is not known either is told apart
 * by when and where it crossed: rather announced twice than taken for another. The table is fixed: of a bucket the oldest makes room that no node accepted a transaction of, after which
 * its incident would be announced anew. */
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
	bool held;	     /* not told: it waits in a storm (storm.h), or is lost */
	bool lost;	     /* nobody took its record: the next finding is told as new */
	bool accepted;	     /* a node accepted a transaction of it, or a block has one */
	bool remembered;     /* handed over by control: `last` is empty, and what it says was told before this start */
	uint32_t open;	     /* transactions of it that have not ended */
	uint32_t included;   /* transactions of it that are in a block */
	struct alert_record last; /* as it was told */
};

struct incidents {
	struct incident *slots;
	uint32_t n; /* power of two, at least 4 */
};

enum incident_verdict { INCIDENT_NEW, INCIDENT_UPDATE, INCIDENT_REPEAT };

size_t incidents_bytes(uint32_t n);
void incidents_init(struct incidents *t, void *mem, uint32_t n);

/* incident_key writes r->dedupekey from r's class, chain id, from, to/created, armed, pool, the victim among related, and hash (without a hash: length, wire time and flow). */
void incident_key(struct alert_record *r);
/* incident_key_of: of a class, a chain and two parts of 20 bytes. */
void incident_key_of(uint8_t class_, uint64_t chain_id, const uint8_t attacker[20], const uint8_t target[20], uint8_t out[32]);

/* incident_judge looks r's incident up. NEW; UPDATE: another transaction, another rule of the same message,
 * other rules, or a higher grade (cleaner evidence: a first crossing made to look dirty must not hold the
 * grade down): r->supersedes_* name the record before; REPEAT: the same transaction came again (another
 * worker saw it too, or it was forgotten and seen again), or a rule of a lower grade says the same of it. What was retracted is told again. *slot is where incident_reported notes the record
 * once it has its seq. */
enum incident_verdict incident_judge(struct incidents *t, struct alert_record *r, uint64_t message,
	uint64_t now_ns, struct incident **slot);
void incident_reported(
	struct incident *i, const struct alert_record *r, uint64_t message, uint32_t ring, uint64_t now_ns);
/* incident_hold takes the slot for an incident that is not told yet. */
void incident_hold(struct incident *i, const struct alert_record *r, uint64_t message, uint64_t now_ns);
/* incident_lose: nobody took its first record. */
void incident_lose(struct incident *i, const struct alert_record *r, uint64_t message, uint64_t now_ns);
/* incident_remember: one of before this start: repeats of these transactions, and of this grade, are not told. ring: of its last record. Nothing newer makes room for it. */
void incident_remember(
	struct incidents *t, const uint8_t dedupekey[32], uint8_t grade, uint32_t ring, const uint8_t (*last_txs)[8], uint32_t n_txs, uint64_t last_ns);
/* incident_find: its slot, if *live; else the one that it would take. */
struct incident *incident_find(struct incidents *t, const uint8_t dedupekey[32], uint64_t now_ns, bool *live);
/* incident_at: the slot, if it still is of that incident; else NULL. */
struct incident *incident_at(struct incidents *t, uint32_t slot, const uint8_t key[8]);

#endif
