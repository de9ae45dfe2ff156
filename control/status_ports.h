/* SPDX-License-Identifier: BSD-3-Clause */
/* status_ports: what a port is and how it is used, in the status. */
#ifndef CONTROL_STATUS_PORTS_H
#define CONTROL_STATUS_PORTS_H

#include "abi/port_info.h"

#include <jansson.h>

/* status_port_info adds to a port's object: driver, queues, spread ("port": it spreads flows itself; "worker": the first worker does; "one": nobody needs to),
 * link ("up", "down", "gone", or null: not known), link_downs, link_mbps, socket, timestamps, checksum, and warnings, a list of words: "rss_refused",
 * "far", "link_down", "gone". p is untrusted memory that may change. workers: of the dataplane. */
void status_port_info(json_t *o, const struct stats_port_info *p, uint32_t workers);

#endif
