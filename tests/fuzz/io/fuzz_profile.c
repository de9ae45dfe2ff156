/* SPDX-License-Identifier: BSD-3-Clause */
/* A box profile of any bytes: what is accepted stays within the topology's tables; what is refused says where. */
#include "io/profile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_feeds(const struct topology *t)
{
	for (unsigned f = 0; f < FEED_COUNT; f++) {
		if (t->feeds.n_ports[f] > FEEDS_PORTS_MAX || (t->feeds.off[f] && t->feeds.n_ports[f] > 0))
			abort();
		for (unsigned i = 0; i < t->feeds.n_ports[f]; i++)
			if (t->feeds.ports[f][i] == 0 || !feeds_may(&t->feeds, f, 1, t->feeds.ports[f][i]))
				abort();
	}
	if (t->feeds.n_chain_ids > FEEDS_CHAINS_MAX || (t->feeds.n_chain_ids > 0 && feeds_chain(&t->feeds, true, UINT64_MAX)))
		abort();
	if (memchr(t->rlpx_keys, 0, sizeof t->rlpx_keys) == NULL)
		abort();
}

static void
check_protocols(const struct protocols *p)
{
	if (p->n > PROTOCOLS_MAX || p->n_addresses > PROTOCOLS_ADDRESSES_MAX)
		abort();
	for (uint32_t i = 0; i < p->n; i++)
		if (p->name[i][0] == 0 || memchr(p->name[i], 0, sizeof p->name[i]) == NULL)
			abort();
	for (uint32_t i = 0; i < p->n_addresses; i++) {
		const struct protocol_address *a = &p->address[i];
		if (a->protocol >= p->n || protocols_find(p, a->address) != a->protocol)
			abort();
		if (i > 0 && memcmp(a[-1].address, a->address, 20) >= 0)
			abort();
	}
}

static void
check_nodes(const struct nodes *n, bool good)
{
	bool exact;
	if (n->n > NODES_MAX || n->n_places > NODES_PLACES_MAX)
		abort();
	for (unsigned i = 1; i <= n->n; i++)
		if (n->name[i][0] == 0 || memchr(n->name[i], 0, sizeof n->name[i]) == NULL || n->silence_s[i] > NODES_SILENCE_MAX_S)
			abort();
	for (unsigned i = 0; i < n->n_places; i++) {
		const struct node_place *p = &n->place[i];
		if (p->node == 0 || p->node > n->n || nodes_at(n, p->ip, p->port != 0 ? p->port : 1, &exact) == 0 ||
			(p->port != 0 && nodes_at(n, p->ip, p->port, &exact) != p->node))
			abort();
	}
	for (unsigned i = 1, k; good && i <= n->n; i++) {
		for (k = 0; k < n->n_places && n->place[k].node != i; k++)
			;
		if (k == n->n_places)
			abort();
	}
}

static void
check_ports(const struct topology *t)
{
	for (uint32_t i = 0; i < t->ports; i++) {
		const struct topology_port *p = &t->port[i];
		char args[1024], name[64];
		if (p->device[0] == 0 || memchr(p->device, 0, sizeof p->device) == NULL || memchr(p->args, 0, sizeof p->args) == NULL ||
			memchr(p->interface, 0, sizeof p->interface) == NULL || p->queues > PORT_QUEUES_MAX || p->checksum > PORT_CHECKSUM_VERIFY || p->xdp_prog[0] != 0)
			abort();
		port_name(p, name, sizeof name);
		if (memchr(name, 0, sizeof name) == NULL || !port_named(p, p->pci ? p->device : strtok(strcpy(args, p->device), ",")))
			abort();
		if (port_device_args(p, 3, args, sizeof args) != 0 || strncmp(args, p->device, strlen(p->device)) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct topology t;
	char err[160];
	topology_default(&t);
	memset(err, 'x', sizeof err);
	int rc = profile_parse("box.yaml", (const char *)data, size, &t, err, sizeof err);
	if (t.workers > TOPOLOGY_WORKERS_MAX || t.ports > TOPOLOGY_PORTS_MAX || t.idle > IDLE_SLEEP)
		abort();
	for (uint32_t i = 0; i < t.ports; i++)
		if (memchr(t.port[i].device, 0, sizeof t.port[i].device) == NULL)
			abort();
	if (rc == 0)
		check_ports(&t);
	check_feeds(&t);
	check_protocols(&t.protocols);
	check_nodes(&t.nodes, rc == 0);
	if (rc != 0 && (memchr(err, 0, sizeof err) == NULL || strncmp(err, "box.yaml:", 9) != 0))
		abort();
	/* whatever it says, the check that follows bears it */
	if (rc == 0 && topology_check(&t, 4, err, sizeof err) == 0 && (t.workers == 0 || t.main_cpu > 3))
		abort();
	return 0;
}
