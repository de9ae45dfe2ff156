/* SPDX-License-Identifier: BSD-3-Clause */
/* report: the way of a finding to an alert record. One incident, one alert with updates: a finding is new, an update, or a repeat (incident.h); too many equal ones are told together
 * (storm.h); what nodes, acknowledgements and blocks say later of its transactions (suspects.h) makes updates that raise the grade, close or retract it.
 *
 * Grades. `pause` takes a rule that may, a protected contract touched, clean evidence (both directions seen, no hole, no conflict, the bytes acknowledged, or a verified MAC), and a node that
 * accepted the transaction, or a block that has it (whose bytes its receiver acknowledged: what a peer says is in a block proves nothing), all of one and the same transaction of the incident.
 * What is still missing is listed in `lacks`; nonce, funds, fee and a simulation are for control to ask the operator's node.
 *
 * Lanes. The critical lane is for findings of page-grade or more whose transaction a node has accepted, or a block has: nobody gets in there with transactions that nobody will mine. A finding of
 * page-grade that is not accepted yet goes out at once on the normal lane, and again on the critical one when it is. */
#ifndef WORKER_REPORT_H
#define WORKER_REPORT_H

#include "abi/alert.h"
#include "abi/ring.h"
#include "detect/detect.h"
#include "worker/incident.h"
#include "worker/kept.h"
#include "worker/storm.h"
#include "worker/suspects.h"

#include <stdbool.h>
#include <stdint.h>

/* outlet: takes one finished record and its evidence; sets r->seq. Returns 0, or -ENOBUFS: lost (counted by the outlet). */
typedef int (*report_outlet)(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence);

/* What the reporter asks of who knows more of transactions. record: what an alert on the kept message begins with; false: it is no longer kept. again: look at it
 * anew, for what was found in it is known no more; ref may be 0. */
struct report_source {
	bool (*record)(void *ctx, uint64_t ref, struct alert_record *r);
	void (*again)(void *ctx, uint64_t ref, const uint8_t hash[32]);
	void *ctx;
};

struct reporter {
	const struct ruleset *rules;
	uint64_t *ctr;
	struct incidents incidents;
	struct suspects suspects;
	struct storms *storms;
	bool each; /* no storms: told one by one, however many */
	struct kept kept;
	report_outlet outlet;
	void *outlet_ctx;
	struct report_source source; /* members may be NULL */
	bool again;	   /* a transaction is looked at once more: what is below page-grade was told, or does not matter enough */
	uint64_t messages; /* of the correlator's input: findings of one belong together */
	uint64_t emitted_ns;
	uint64_t cause_ns; /* of what is being read, 0: nothing is */
};

/* report_bytes, report_init: memory for n incidents and n suspects (a power of two, at least 64) and kept_bytes of messages (as kept.h says). */
size_t report_bytes(uint32_t n, uint64_t kept_bytes);
void report_init(struct reporter *p, const struct ruleset *rules, uint64_t *counters, void *mem, uint32_t n, uint64_t kept_bytes, report_outlet outlet, void *ctx);

/* report_finding: r is filled but for rule, grade, incident and lane. class_ 0: the rule's. m: the message of r's transaction; ref: where it is kept, 0: nowhere. target: what equal findings
 * are equal in, 20 bytes. */
void report_finding(
	struct reporter *p, const struct alert_record *r, uint32_t rule_index, const struct tx_msg *m, uint64_t ref, const uint8_t target[20]);

/* What happened to a transaction that alerts may speak of. by: the hash of what replaced it, or NULL. report_pending: its bytes came again. An acceptance stays, whatever other nodes say. */
void report_accepted(struct reporter *p, const uint8_t hash[32], uint64_t now_ns);
void report_pending(struct reporter *p, const uint8_t hash[32]);
void report_ended(struct reporter *p, const uint8_t hash[32], enum alert_ending how, const uint8_t *by, uint64_t now_ns);

/* report_closed: an incident that its finder follows by itself (sandwiches, displacements) is over: r is a record of it, with its class. retract: nothing came of it. */
void report_closed(struct reporter *p, struct alert_record *r, enum alert_ending how, bool retract, uint64_t now_ns);

/* report_evidence: what came of waiting for proof that its bytes (of_answer: a node's acceptance) were received. of_block: the bytes were a block's. */
void report_evidence(struct reporter *p, uint64_t fingerprint, bool of_answer, bool of_block, bool clean, uint64_t now_ns);

/* report_storms tells what has waited long enough; all: everything. */
void report_storms(struct reporter *p, uint64_t now_ns, bool all);

#endif
