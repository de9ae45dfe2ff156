/* SPDX-License-Identifier: BSD-3-Clause */
/* lifeline: what became of a transaction, as one line of `sentinelctl replay --lives`:
 *
 *   {"event":"life","hash":...,"state":"pending"|"included"|"replaced"|"dropped","what":..., "never_seen":bool,"announced_only":bool,
 *    "block":hash|null,"number":decimal|null,"by":hash|null,"node":"unasked"|"accepted"|"refused","t_ns":decimal}
 *
 * state: what it is from now on; what: what happened: "pending", "included", "replaced", "dropped", "reorged",
 * "judged" (by a node: `node`). by: what replaced it. */
#ifndef IO_LIFELINE_H
#define IO_LIFELINE_H

#include "detect/life.h"

#include <stdio.h>

void lifeline_print(FILE *out, const struct life *l, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block,
	uint64_t t_ns);

#endif
