/* SPDX-License-Identifier: BSD-3-Clause */
/* status_nodes: the part of `sentinelctl status` that says how the nodes beside the box do, a line for each feed of each, and whether the system's clock was
 * set. From control's status object (control/status_nodes.h); nothing if nothing is attached. */
#ifndef SENTINELCTL_STATUS_NODES_H
#define SENTINELCTL_STATUS_NODES_H

#include <jansson.h>
#include <stdio.h>

void status_nodes_print(const json_t *status, FILE *out);

#endif
