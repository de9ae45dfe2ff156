/* SPDX-License-Identifier: BSD-3-Clause */
/* profile_diff: in which fields two topologies differ, and which of these a running dataplane can take up: a table with a row a field, which covers
 * every byte of struct topology (a test sees to that). What needs memory, cores or devices is settled before the sandbox, and takes a restart. */
#ifndef IO_PROFILE_DIFF_H
#define IO_PROFILE_DIFF_H

#include "worker/topology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who takes a changed field up, in one piece. */
enum profile_part {
	PROFILE_RESTART, /* nobody: it takes a restart of the dataplane */
	PROFILE_FEEDS,	 /* workers, from their next burst on: feeds and chains */
	PROFILE_FILTER,	 /* steer: what of the wire is the nodes' traffic */
	PROFILE_NODES,	 /* who the nodes are, and what is expected of them */
	PROFILE_PARTS
};

#define PROFILE_RANGES_MAX 3

struct profile_field {
	const char *name; /* as in the profile */
	enum profile_part part;
	struct {
		size_t at, bytes;
	} range[PROFILE_RANGES_MAX]; /* of struct topology */
};

/* profile_fields: the table; *n rows. */
const struct profile_field *profile_fields(unsigned *n);

/* profile_differ: whether a and b differ in the field. profile_copy takes it from `from`. Both topologies must have been filled by topology_default
 * and io/profile.h, so that what is not used is zero. */
bool profile_differ(const struct profile_field *f, const struct topology *a, const struct topology *b);
void profile_copy(const struct profile_field *f, struct topology *to, const struct topology *from);

#endif
