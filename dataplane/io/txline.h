/* SPDX-License-Identifier: BSD-3-Clause */
/* txline: a transaction that crossed, as one line of `sentinelctl replay --txs`. */
#ifndef IO_TXLINE_H
#define IO_TXLINE_H

#include "worker/worker.h"

#include <stdio.h>

/* txline_print writes one {"event":"tx",...} line for a crossing whose transaction decodes; nothing for the others (they are in the
 * counters). Integers as decimal strings, hex in lower case, absent = null. Recovers the sender (about 50 us). */
void txline_print(FILE *out, const struct crossing_report *r);

#endif
