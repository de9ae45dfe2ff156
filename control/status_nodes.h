/* SPDX-License-Identifier: BSD-3-Clause */
/* status_nodes: what the status says of the nodes beside the box and of the box's clock. */
#ifndef CONTROL_STATUS_NODES_H
#define CONTROL_STATUS_NODES_H

#include "control/control.h"

#include <jansson.h>

/* status_nodes: [{name, state, usual_ms, last_seen_ms, missing, feeds: [{feed, state, usual_ms, last_seen_ms, bytes_per_s, tx_per_s, ...}]}], "other" first;
 * null: nothing is attached. Numbers are decimal strings, a rate has three decimals. state: never, learning, ok or silent. A feed that never was is left
 * out. status_clock: steps of the system's clock. Any thread that does not hold the drain's lock. */
json_t *status_nodes(struct control *c);
json_t *status_clock(struct control *c);

#endif
