/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the correlator, shared by its parts: correlator.c (pipes, what it is made of), findings.c (what alerts are made of), arming.c (deployments, calls of armed contracts, delegations), swaps.c
 * (sandwiches, displacement), changes.c (what becomes of transactions; what control remembers). Nobody else includes this. */
#ifndef WORKER_CORRELATOR_PRIVATE_H
#define WORKER_CORRELATOR_PRIVATE_H

#include "abi/counters.h"
#include "worker/correlator.h"
#include "worker/facts.h"

#include <string.h>

/* Senders that nobody may have asked for yet (a node may still refuse them) get this share of a core. */
#define SENDER_COST_NS 60000u
#define SENDER_BURST_NS (20ull * 1000000)
#define SENDER_SHARE 4u

#define LOOKS_MAX 16u /* kept messages that are looked at again on account of one */

/* ---- findings.c ---- */

/* time_for: is there time for what takes so long, and which nobody may have asked for? Takes it. time_for_sender: may one more signature be looked at? */
bool time_for(struct correlator *c, bool hurry, uint64_t cost_ns);
bool time_for_sender(struct correlator *c, bool hurry);
/* sender_of: the sender, looked for if nobody knows it yet and there is time; NULL: not known. */
const uint8_t *sender_of(struct correlator *c, struct sighting *s);
/* touches_of: the protected contracts that it touches; their number. */
uint32_t touches_of(struct correlator *c, struct sighting *s);
/* record_for: the record that an alert on this transaction begins with: sender, touches and what lives say of it, but no finding. */
struct alert_record *record_for(struct correlator *c, struct sighting *s);
/* facts_for: what conditions of event rules are asked of, from a record. */
void facts_for(const struct alert_record *r, struct rule_facts *f);
/* report_event: the gravest rule on this event that holds, if one does. r is used up. target: what equal findings are equal in. Returns whether one did. */
bool report_event(struct correlator *c, struct sighting *s, enum rule_event event, struct alert_record *r, const struct rule_facts *f, const uint8_t target[20]);
/* take_findings: what rules on transactions found. */
void take_findings(struct correlator *c, struct sighting *s);
/* source_of: what the reporter asks of the correlator. */
struct report_source source_of(struct correlator *c);
/* look_again at a kept message, all but its swaps, as if it came now; `ref` 0: it is looked for by its hash. Bounded by c->looks. */
void look_again(struct correlator *c, uint64_t ref, const uint8_t hash[32]);

/* ---- arming.c ---- */

void take_codes(struct correlator *c, struct sighting *s);
void take_calls(struct correlator *c, struct sighting *s);
void take_delegations(struct correlator *c, struct sighting *s);
/* note_mentions: of addresses that may be armed later. */
void note_mentions(struct correlator *c, const struct sighting *s);
/* arm_included: a deployment that is in a block is armed whatever has become of its entry. */
void arm_included(struct correlator *c, const struct suspect *t, const uint8_t address[20]);

/* ---- swaps.c ---- */

size_t swaps_bytes(const struct correlator_config *cfg);
void swaps_init(struct correlator *c, void *mem, const struct correlator_config *cfg);
void take_swaps(struct correlator *c, struct sighting *s);
void swaps_life(struct correlator *c, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block);

/* ---- changes.c ---- */

void take_memory(struct correlator *c);

#endif
