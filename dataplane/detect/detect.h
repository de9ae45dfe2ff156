/* SPDX-License-Identifier: BSD-3-Clause */
/* detect: transactions in, findings out, for one worker. A rule set is a loaded bundle (rules/bundle.h). What stands at an
 * exact place of a transaction (recipient, selector, argument words, access and authorization lists) is looked up in hash
 * tables; what may stand anywhere is found by one Hyperscan block scan: calldata of calls and init code of creations have a
 * database each. A match counts only if it lies wholly in its field. Matches wake rules; only these, and the few that
 * can hold without a match, have their conditions evaluated, so that cost does not grow with the number of rules. All
 * rules that hold give a finding: no first match. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "abi/alert.h"
#include "abi/span.h"
#include "eth/calls.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ruleset;  /* shared, immutable */
struct rule_facts; /* numbers for conditions, and rules on other things than transactions: detect/ruleset_event.h */
struct detect;	 /* one per worker: scratch + per-transaction match state */

/* ---- rule set ---- */

/* ruleset_load checks a bundle (rules/bundle.h) from untrusted memory and makes it ready: deserialises the
 * database, checks every program and index. Refused whole if anything is wrong: NULL, with a message in
 * err. The bytes must outlive the rule set. Allocates: start-up and adoption only. */
struct ruleset *ruleset_load(struct span bundle, char *err, size_t err_cap);
void ruleset_free(struct ruleset *r);
uint64_t ruleset_generation(const struct ruleset *r);
uint32_t ruleset_rules(const struct ruleset *r);
uint32_t ruleset_patterns(const struct ruleset *r);
struct ruleset_rule {
	uint32_t id, rev;
	uint8_t class_, severity, grade;
	uint8_t event; /* enum rule_event: what it is asked about */
	const char *name;
};
void ruleset_rule(const struct ruleset *r, uint32_t index, struct ruleset_rule *out);
const uint8_t *ruleset_digest(const struct ruleset *r); /* 32 bytes */

/* Vectors travel in the bundle; whoever loads it runs them before adoption. text: one JSON line as `rules run` reads. */
uint32_t ruleset_vectors(const struct ruleset *r);
/* A rule that is not on transactions has an empty text; its vectors have facts. */
void ruleset_vector(const struct ruleset *r, uint32_t i, uint32_t *rule_index, bool *expect, struct span *text);

/* ---- per worker ---- */

struct detect *detect_new(const struct ruleset *r); /* NULL + errno; allocates hs scratch */
void detect_free(struct detect *d);

#define DETECT_FINDINGS_MAX 32 /* findings of one transaction; of more, those of the highest grade and severity stay */

struct finding {
	uint32_t rule_index;
	uint8_t call; /* of detect_calls: where it was found; 0: in the transaction's own call */
	uint32_t n_protocols;
	uint8_t protocols[ALERT_PROTOCOLS_MAX][20]; /* addresses of the rule's matched `protocols` patterns */
};

/* detect_tx scans one decoded transaction, and each call inside of it (eth/calls.h) as if that were one: with
 * that recipient, value and data, a creation if it creates, the rest being the transaction's; call_depth is its
 * depth. A rule holds of one call, never of several together; one that holds of several is one finding, of the
 * first. A transaction without calls inside pays for no more than finding that out. Returns the number of
 * findings (0..DETECT_FINDINGS_MAX), most important first (grade, severity, rule id), or -EIO if Hyperscan
 * failed. No allocation, no system call. `bundle_len` > 0: part of a bundle (a condition). */
int detect_tx(struct detect *d, const struct tx *t, uint32_t bundle_len, struct finding out[DETECT_FINDINGS_MAX]);

/* detect_facts: what else is known of the transaction that detect_tx is given next, and of all after it, until this is called again:
 * code_* of a creation, protected, bundle_pos (NULL, as in the beginning: zeros). *f must live as long. The transaction's own numbers and
 * bundle_len are detect_tx's. */
void detect_facts(struct detect *d, const struct rule_facts *f);

/* detect_calls: the calls of the last transaction that detect_tx was given, until it is given the next, and as
 * long as its bytes live. calls_of need not be asked again. */
const struct calls *detect_calls(const struct detect *d);

/* detect_over: findings of the last detect_tx that did not fit. */
uint32_t detect_over(const struct detect *d);

/* detect_scan_only: the Hyperscan scan of detect_tx and nothing else, for the bench to compare with. 0 or -EIO. */
int detect_scan_only(struct detect *d, const struct tx *t);

/* ---- seen before ---- */

/* seen: which raw transactions crossed lately, keyed by a secret. A set of 64-bit keyed fingerprints of the whole raw bytes,
 * set-associative, oldest replaced first. Collisions need the key; a wrong "seen" has probability about 2^-60 per pair. */
struct seen;
size_t seen_bytes(uint32_t entries);
struct seen *seen_init(void *mem, uint32_t entries, const uint8_t key[32], uint64_t ttl_ns, uint64_t *counters);
uint64_t seen_fingerprint(const struct seen *s, struct span raw);
void seen_prefetch(const struct seen *s, uint64_t fp);
/* seen_check_add: true if fp was there and fresh; else adds it. now_ns: packet time. */
bool seen_check_add(struct seen *s, uint64_t fp, uint64_t now_ns);
/* seen_check: as seen_check_add, without adding or refreshing anything. */
bool seen_check(const struct seen *s, uint64_t fp, uint64_t now_ns);
/* seen_forget takes fp out again: what it stands for could not be judged after all, and must be looked at if it comes again. */
void seen_forget(struct seen *s, uint64_t fp);

#endif
