/* SPDX-License-Identifier: BSD-3-Clause */
/* The framer contract: what every stream protocol's parser looks like to the worker. A framer is a resumable
 * state machine for ONE direction of a flow. It is fed spans of in-order bytes, and gaps of known length,
 * and is pulled for verdicts:
 *
 *   while (in.len) { n = X_feed(&state, in, &out); use(out); in = rest after n; }
 *
 * It never allocates, never looks back, and accounts for every byte it is given exactly once, by adding to
 * *parsed, *skipped or leaving it in `held` (identity 3). */
#ifndef WIRE_FRAMER_H
#define WIRE_FRAMER_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

enum framer_verdict {
	FRAMER_MORE,	/* all given bytes were taken, nothing to report */
	FRAMER_MESSAGE, /* a head was read to its end: the protocol's own header tells what it says */
	FRAMER_BODY,	/* out.body is a piece of the current message's body; out.last if it ends it. May be empty. */
	FRAMER_SKIP,	/* bytes were passed over (out.reason) */
	FRAMER_LOST,	/* the current message cannot be completed (gap, or not acceptable); resynchronising */
	FRAMER_UPGRADE	/* the rest of the stream is another protocol's */
};

enum framer_skip { FRAMER_SKIP_UNSYNCED, FRAMER_SKIP_OPAQUE, FRAMER_SKIP_LOST };

struct framer_out {
	enum framer_verdict verdict;
	struct span body;
	bool last;
	enum framer_skip reason;
	uint32_t parsed, skipped; /* bytes resolved by this call, including bytes held from earlier calls */
};

#endif
