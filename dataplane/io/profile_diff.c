/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/profile_diff.h"

#include <string.h>

#define AT(member)                                                                         \
	{                                                                                  \
		offsetof(struct topology, member), sizeof(((struct topology *)0)->member) \
	}
#define FIELD(name, part, member) {name, part, {AT(member)}},
#define FEED(id, name) {"feeds." name, PROFILE_FEEDS, {AT(feeds.ports[FEED_##id]), AT(feeds.n_ports[FEED_##id]), AT(feeds.off[FEED_##id])}},

static const struct profile_field fields[] = {
	SENTINEL_FEEDS(FEED)
	{"chains", PROFILE_FEEDS, {AT(feeds.chain_ids), AT(feeds.n_chain_ids)}},
	{"ports", PROFILE_RESTART, {AT(port), AT(ports)}},
	{"cores.workers", PROFILE_RESTART, {AT(worker_cpu), AT(workers)}},
	FIELD("cores.main", PROFILE_RESTART, main_cpu)
	FIELD("cores.correlator", PROFILE_RESTART, correlator_cpu)
	FIELD("huge_pages", PROFILE_RESTART, huge_pages)
	FIELD("memory_mb", PROFILE_RESTART, memory_mb)
	FIELD("idle", PROFILE_RESTART, idle)
	FIELD("mtu", PROFILE_RESTART, mtu)
	FIELD("checksum", PROFILE_RESTART, verify_checksum)
	FIELD("vxlan_port", PROFILE_RESTART, vxlan_port)
	FIELD("flows", PROFILE_RESTART, flows_max)
	FIELD("seen", PROFILE_RESTART, seen_entries)
	FIELD("pipe_mb", PROFILE_RESTART, pipe_mb)
	FIELD("ring.slots", PROFILE_RESTART, ring_slots)
	FIELD("ring.evidence_mb", PROFILE_RESTART, evidence_mb)
	FIELD("filter", PROFILE_FILTER, filter)
	FIELD("nodes", PROFILE_NODES, nodes)
	FIELD("protocols", PROFILE_RESTART, protocols)
	FIELD("rlpx_keys", PROFILE_RESTART, rlpx_keys)
};

const struct profile_field *
profile_fields(unsigned *n)
{
	*n = sizeof fields / sizeof fields[0];
	return fields;
}

bool
profile_differ(const struct profile_field *f, const struct topology *a, const struct topology *b)
{
	for (unsigned i = 0; i < PROFILE_RANGES_MAX && f->range[i].bytes > 0; i++)
		if (memcmp((const char *)a + f->range[i].at, (const char *)b + f->range[i].at, f->range[i].bytes) != 0)
			return true;
	return false;
}

void
profile_copy(const struct profile_field *f, struct topology *to, const struct topology *from)
{
	for (unsigned i = 0; i < PROFILE_RANGES_MAX && f->range[i].bytes > 0; i++)
		memcpy((char *)to + f->range[i].at, (const char *)from + f->range[i].at, f->range[i].bytes);
}
