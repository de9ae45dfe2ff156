/* SPDX-License-Identifier: BSD-3-Clause */
/* nodes: the nodes beside the box, as the profile names them (io/profile.h), and whose a connection is. A node has addresses, each for all of its
 * ports or for one (several nodes behind one address). Node 0 is "other", named ones count from 1. */
#ifndef WORKER_NODES_H
#define WORKER_NODES_H

#include "abi/nodes.h"
#include "net/stream.h"
#include "worker/feeds.h"

#include <stdbool.h>
#include <string.h>

#define NODES_MAX (STATS_NODES_MAX - 1)
#define NODES_PLACES_MAX 64u /* addresses, of all nodes together */
#define NODES_SILENCE_MAX_S 604800u

struct node_place {
	uint8_t ip[16]; /* IPv4 mapped into ::ffff:0:0/96 */
	uint16_t port;	/* 0: any */
	uint8_t node;
};

struct nodes {
	char name[STATS_NODES_MAX][STATS_NODE_NAME_BYTES];
	uint32_t silence_s[STATS_NODES_MAX]; /* 0: learned */
	uint32_t feeds[STATS_NODES_MAX];     /* bit per NODE_FEED whose silence is told; 0: all that were ever heard */
	struct node_place place[NODES_PLACES_MAX];
	uint8_t n; /* named ones */
	uint8_t n_places;
};

/* nodes_at: the node at an endpoint, 0 if there is none. *exact: it is told by its port. */
static inline unsigned
nodes_at(const struct nodes *n, const uint8_t ip[16], uint16_t port, bool *exact)
{
	unsigned found = 0;
	*exact = false;
	for (unsigned i = 0; i < n->n_places; i++) {
		const struct node_place *p = &n->place[i];
		if (memcmp(p->ip, ip, 16) != 0 || (p->port != 0 && p->port != port))
			continue;
		*exact = p->port != 0;
		found = p->node;
		if (*exact)
			break;
	}
	return found;
}

/* nodes_of: whose the connection is, and which side of its key (0: the initiator) the node is. If both ends are nodes', it is the responder's: what is
 * asked and answered there is that node's feed; unless the initiator alone is told by its port. Of "other" the responder stands for the node. */
static inline unsigned
nodes_of(const struct nodes *n, const struct flow_key *k, unsigned *side)
{
	bool exact[2];
	unsigned responder, initiator;
	*side = 1;
	if (n->n_places == 0)
		return 0;
	initiator = nodes_at(n, k->ip[0], k->port[0], &exact[0]);
	responder = nodes_at(n, k->ip[1], k->port[1], &exact[1]);
	if (responder != 0 && (initiator == 0 || exact[1] || !exact[0]))
		return responder;
	*side = initiator == 0;
	return initiator;
}

#endif
