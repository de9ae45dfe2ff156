/* SPDX-License-Identifier: BSD-3-Clause */
/* reference: what a pattern matches, the slow and obvious way: no tables, no Hyperscan, no code of rules or
 * detect. */
#ifndef TESTS_DETECT_REFERENCE_H
#define TESTS_DETECT_REFERENCE_H

#include "detect/ruleset_event.h"
#include "eth/tx.h"
#include "rules/bundle.h"

/* reference_matches: does this value of this field occur in the transaction? */
bool reference_matches(const struct tx *t, enum rule_field field, const uint8_t *value, uint32_t len);

/* reference_scalar: a number that conditions compare, as 256 bits. facts NULL: none are known. */
void reference_scalar(const struct tx *t, enum rule_scalar which, uint32_t bundle_len, const struct rule_facts *facts,
	uint8_t out[32]);

#endif
