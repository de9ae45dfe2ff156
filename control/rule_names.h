/* SPDX-License-Identifier: BSD-3-Clause */
/* rule_names: what the rules of the loaded bundle are called, from the sealed file that the dataplane hands
 * over. */
#ifndef CONTROL_RULE_NAMES_H
#define CONTROL_RULE_NAMES_H

#include <stdint.h>

struct rule_names;

/* rule_names_load reads the bundle behind fd (CHANNEL_BUNDLE_META; the fd stays the caller's). NULL if there
 * is nothing to learn from it: alerts then go out with the name null. */
struct rule_names *rule_names_load(int bundle_fd);
void rule_names_free(struct rule_names *n);

/* rule_names_find: the name of the rule at rule_index if it is (id, rev), else the rule (id, rev), else NULL.
 * The name lives as long as n, which may be NULL. */
const char *rule_names_find(const struct rule_names *n, uint32_t rule_index, uint32_t id, uint32_t rev);

#endif
