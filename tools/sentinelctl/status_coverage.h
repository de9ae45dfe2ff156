/* SPDX-License-Identifier: BSD-3-Clause */
/* status_coverage: the part of `sentinelctl status` that says how much of what goes on around the nodes the
 * box sees: what was read of each feed and what is opaque, what the nodes' answers say was missed, and what
 * blocks hold that was never seen pending. */
#ifndef SENTINELCTL_STATUS_COVERAGE_H
#define SENTINELCTL_STATUS_COVERAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* status_coverage_print writes the blocks from control's status object (control/status.h); nothing if it has
 * no counters. Counters that are absent, or torn while traffic flows, do no harm. */
void status_coverage_print(const json_t *status, FILE *out);

/* status_is_drop: whether the counter of this name (upper case, as counter_infos has it) says that something
 * was not read, not judged or not passed on. What no node would take either is none, nor what the coverage
 * shows: opaque bytes, and feeds that the profile leaves out. */
bool status_is_drop(const char *name);

/* status_num: an integer of an object of control's, 0 if it is absent. */
uint64_t status_num(const json_t *o, const char *key);

#endif
