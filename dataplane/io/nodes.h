/* SPDX-License-Identifier: BSD-3-Clause */
/* nodes_tell writes the names of the nodes beside the box into the stats page, before anyone else reads it. */
#ifndef IO_NODES_H
#define IO_NODES_H

#include "abi/stats.h"
#include "worker/nodes.h"

static inline void
nodes_tell(const struct nodes *n, struct stats_page *s)
{
	memcpy(s->node[0].name, "other", sizeof "other");
	for (unsigned i = 1; i <= n->n; i++) {
		memcpy(s->node[i].name, n->name[i], sizeof s->node[i].name);
		s->node[i].silence_s = n->silence_s[i];
		s->node[i].feeds = n->feeds[i];
	}
	__atomic_store_n(&s->nodes, 1 + n->n, __ATOMIC_RELEASE);
}

#endif
