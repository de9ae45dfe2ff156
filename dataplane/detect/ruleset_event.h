/* SPDX-License-Identifier: BSD-3-Clause */
/* ruleset_event: rules on what workers and the correlator find out (rules/bundle.h: RULE_EVENTS), the numbers that conditions compare, and
 * what a rule set brings along for the reader of code. */
#ifndef DETECT_RULESET_EVENT_H
#define DETECT_RULESET_EVENT_H

#include "detect/detect.h"
#include "rules/bundle.h"

struct code_facts;
struct model;

/* What a judge knows of what it asks the rules about; zeros for what it does not know. Which numbers belong to which event: RULE_SCALARS. */
struct rule_facts {
	uint64_t number[SCALAR_COUNT];
	const struct tx *tx; /* the transaction's own numbers (value .. blobs) are its, where they are exact; NULL: those of `number` */
};

/* rule_facts_of_code sets the code_* of f. `learned`: model_score of the code; c NULL: zeros. */
void rule_facts_of_code(struct rule_facts *f, const struct code_facts *c, uint32_t learned);

/* ruleset_on: indices of the rules on an event, gravest first (grade, severity, id); how many. They live as long as r. */
uint32_t ruleset_on(const struct ruleset *r, enum rule_event event, const uint32_t **rules);

/* ruleset_event_holds: does a rule of ruleset_on hold of such an event, for an event other than EVENT_TRANSACTION? No allocation. */
bool ruleset_event_holds(const struct ruleset *r, uint32_t rule_index, const struct rule_facts *f);

/* ruleset_asks: does any rule on this event compare this number? What nobody asks for need not be found out. */
bool ruleset_asks(const struct ruleset *r, enum rule_event event, enum rule_scalar number);

/* ruleset_vector_facts: the numbers that vector i gives. False: none, and all of *out is zero. */
bool ruleset_vector_facts(const struct ruleset *r, uint32_t i, struct rule_facts *out);

/* ruleset_model: the weights of the learned score (detect/model.h) or NULL. ruleset_template: is it the normalised hash of a published
 * artifact's code? */
const struct model *ruleset_model(const struct ruleset *r);
bool ruleset_template(const struct ruleset *r, const uint8_t hash[32]);

#endif
