/* SPDX-License-Identifier: BSD-3-Clause */
/* outlet: a way by which events reach consumers. Each has a table entry, a file and a thread of its own; it
 * reads the journal by cursor and so never keeps the drain waiting. */
#ifndef CONTROL_DELIVER_OUTLET_H
#define CONTROL_DELIVER_OUTLET_H

#include "control/control.h"

#include <stdbool.h>
#include <stddef.h>

struct outlet_state; /* each outlet's own */

struct outlet {
	const char *name;
	/* start: NULL with a sentence in err if it cannot serve. c outlives it. */
	struct outlet_state *(*start)(struct control *c, char *err, size_t cap);
	/* wake: there are new durable events, or consumers' changes are settled. From the drain's thread;
	 * cheap. */
	void (*wake)(struct outlet_state *s);
	/* hand_over: there are a few new durable events, and whoever waits for them is at the head: as wake, but what can be sent without waiting is, at once. From
	 * the drain's thread; bounded. */
	void (*hand_over)(struct outlet_state *s);
	/* announce: a pause-grade record that the journal did not take. evidence: the batch's. Copies what it
	 * needs; never waits. false: it found no room. */
	bool (*announce)(struct outlet_state *s, const struct entry *e, const uint8_t *evidence);
	/* settled: whoever is connected has been sent everything up to the head. */
	bool (*settled)(struct outlet_state *s);
	void (*stop)(struct outlet_state *s);
};

extern const struct outlet outlet_unixsock;

#endif
