/* SPDX-License-Identifier: BSD-3-Clause */
/* notice: what control itself has to say to consumers of the nodes, as it is kept in the journal: one line of words that fits into an entry. */
#ifndef CONTROL_NOTICE_H
#define CONTROL_NOTICE_H

#include "abi/event.h"
#include "control/batch.h"
#include "control/silence.h"

/* notice_entry puts it into the batch; mono_ns and wall_ns are the same moment. seq names it among the epoch's. False: there is no room. */
bool notice_entry(struct batch *b, const uint8_t epoch[8], uint64_t seq, const struct silence_notice *n, uint64_t mono_ns, uint64_t wall_ns);

/* notice_format: the event of a kept text, as event_silence; a text that is none becomes an event of nobody's. */
int notice_format(char *out, size_t cap, const struct event_context *x, uint64_t seq, const char *text);

#endif
