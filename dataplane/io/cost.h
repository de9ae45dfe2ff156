/* SPDX-License-Identifier: BSD-3-Clause */
/* cost: `rules profile`: what the rules of a bundle cost, on a fixed set of made transactions with the sizes and kinds of mainnet's (half
 * of them below 200 bytes, one in a hundred above 4.6 KB), and on each rule's own vectors. */
#ifndef IO_COST_H
#define IO_COST_H

#include "detect/detect.h"

#include <stdio.h>

/* cost_print writes one {"event":"profile_rule",...} line a rule: how often it matched the made transactions (a rule that does is a wide one)
 * and the mean ns of scanning its own matching vectors; and last {"event":"profile",...}: ns per transaction, bytes, Gbit/s, findings. Takes
 * about a second; tells progress on stderr if that is a terminal. 0, or -errno after a sentence on stderr. */
int cost_print(const struct ruleset *r, FILE *out);

#endif
