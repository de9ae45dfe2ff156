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
	check_feeds(&t);
	check_protocols(&t.protocols);
	if (rc != 0 && (memchr(err, 0, sizeof err) == NULL || strncmp(err, "box.yaml:", 9) != 0))
		abort();
	/* whatever it says, the check that follows bears it */
	if (rc == 0 && topology_check(&t, 4, err, sizeof err) == 0 && (t.workers == 0 || t.main_cpu > 3))
		abort();
	return 0;
}
