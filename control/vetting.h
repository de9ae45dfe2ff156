/* SPDX-License-Identifier: BSD-3-Clause */
/* vetting: between the drain and vet: what has just been read goes to be asked about, verdicts come back
 * behind their records. */
#ifndef CONTROL_VETTING_H
#define CONTROL_VETTING_H

#include "control/batch.h"
#include "control/journal.h"
#include "control/vet.h"

/* vetting_ask submits what is marked VET_ASKED among the batch's entries from `from` on. What finds no room
 * loses its mark: it goes out as if there were no node. */
void vetting_ask(struct vet *v, struct batch *b, uint32_t from);
/* vetting_take puts verdicts into the batch, as far as it has room beside what the drain needs. How many. */
unsigned vetting_take(struct vet *v, struct batch *b);
/* vetting_resume: at start: what the journal has as asked and not answered is asked again if it is younger
 * than a minute (now_ns: wall clock); what is older, up to an hour, gets its verdict at once: too late. How
 * many in all, or -EIO. */
int vetting_resume(struct vet *v, struct journal *j, uint64_t now_ns);

#endif
