/* SPDX-License-Identifier: BSD-3-Clause */
/* The framer contract: what every stream protocol's parser looks like to the worker. A framer is a resumable
 * state machine for ONE direction of a flow. It is fed spans of in-order bytes, and gaps of known length,
 * and is pulled for verdicts:
 *
 *   while (in.len) { n = X_feed(&state, in, &out); use(out); in = rest after n; }
 *
 * A feed takes at least one byte, except that FRAMER_LOST and FRAMER_SKIP may take none (never twice in a
 * row): the bytes are then looked at again, as ones that may begin a message. So may a FRAMER_MESSAGE that was
 * held until its body came in sight.
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
	FRAMER_MESSAGE, /* a head was read to its end: the protocol's own header tells what it says. out.last:
			   it has no body, and no FRAMER_BODY follows; out.resync: it was picked up in
			   mid-stream */
	FRAMER_BODY,	/* out.body is a piece of the current message's body; out.last if it ends it. May be
			   empty. */
	FRAMER_SKIP,	/* bytes were passed over (out.reason) */
	FRAMER_LOST,	/* the current message cannot be completed (out.lost) */
	FRAMER_UPGRADE	/* as FRAMER_MESSAGE, and the rest of the stream is another protocol's */
};

enum framer_skip { FRAMER_SKIP_UNSYNCED, FRAMER_SKIP_OPAQUE, FRAMER_SKIP_LOST };

enum framer_lost {
	FRAMER_LOST_GAP, /* bytes are missing */
	FRAMER_LOST_BAD, /* no receiver would accept it */
	FRAMER_LOST_END	 /* the stream ended inside it */
};

struct framer_out {
	enum framer_verdict verdict;
	struct span body;
	bool last;
	bool resync;
	enum framer_lost lost;
	enum framer_skip reason;  /* of the skipped bytes */
	uint32_t parsed, skipped; /* bytes resolved by this call, including bytes held from earlier calls */
};

#endif
