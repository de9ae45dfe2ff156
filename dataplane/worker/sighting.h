/* SPDX-License-Identifier: BSD-3-Clause */
/* sighting: one transaction as the correlator sees it, for as long as its message is being handled. What costs is made when somebody asks for it, once: the record that its alerts begin with, its
 * sender (50 us), the protected contracts that it touches. */
#ifndef WORKER_SIGHTING_H
#define WORKER_SIGHTING_H

#include "abi/alert.h"
#include "detect/protect.h"
#include "eth/tx.h"
#include "worker/finding_msg.h"

#include <stdbool.h>
#include <stdint.h>

struct sighting {
	const struct tx_msg *m;
	uint64_t ref; /* where it is kept; 0: nowhere */
	struct span raw;
	struct tx tx;
	bool decoded; /* tx; else only what the message says is known */
	bool hurry;   /* no time for senders */
	bool late;    /* others wait behind it: no time for what may be left out */
	bool named;   /* from was looked for */
	bool has_from, has_record, has_touches;
	uint8_t hash[32]; /* if decoded, or claimed */
	bool has_hash;
	uint8_t from[20];
	uint64_t chain_id; /* 0: none told */
	uint32_t n_touched;
	struct touched touched[ALERT_PROTOCOLS_MAX];
	struct alert_record record; /* has_record: all that does not depend on a finding */
};

/* sighting_begin: of a message, which must live as long. */
void sighting_begin(struct sighting *s, const struct tx_msg *m, bool hurry);

/* sighting_included: it crossed in a block, or was ordered already, by the word of whoever has it from the chain: what a peer sends as a block's, or a node has only offered to build, is not. */
bool sighting_included(const struct sighting *s);

/* sighting_record makes the record from message and bytes; sighting_claims then puts what the input claims over it, which counts more than bytes that were made up. */
void sighting_record(struct sighting *s);
void sighting_claims(struct sighting *s);

/* record_tx: what an alert says of a transaction with this hash. record_sender: of its sender: from, what it creates, whether it is valid; NULL: its signature recovers nobody. */
void record_tx(struct alert_record *r, const struct tx *t, const uint8_t hash[32]);
void record_sender(struct alert_record *r, const struct tx *t, const uint8_t *from);

/* record_touches: protected contracts, before those that a rule names. */
void record_touches(struct alert_record *r, const struct touched *touched, uint32_t n);

#endif
