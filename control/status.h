/* SPDX-License-Identifier: BSD-3-Clause */
/* status: the state of the box as one JSON object, integers as decimal strings, absent things null. */
#ifndef CONTROL_STATUS_H
#define CONTROL_STATUS_H

#include "control/control.h"

#include <jansson.h>

/* status_build: a new reference, or NULL if there is no memory. clients: how many are connected. Any thread.
 */
json_t *status_build(struct control *c, unsigned clients);

#endif
