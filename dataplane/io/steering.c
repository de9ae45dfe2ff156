/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/steering.h"

#include "abi/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STRIPPED "%s: its hardware takes VLAN tags off, so that the filter's VLANs match nothing: ethtool -K %s rxvlan off"
#define LOOK_NS 1000000000u

_Static_assert(NODES_PLACES_MAX <= FILTER_ADDRESSES_MAX, "every node's address has a place in the filter");
_Static_assert(STATS_STEER_MAX >= STEER_COUNT, "every counter has its place in the stats page");

int
steering_prepare(struct topology *t, char *err, size_t cap)
{
	char said[512];
	for (uint32_t i = 0; i < t->ports; i++) {
		struct topology_port *p = &t->port[i];
		if (!p->steer)
			continue;
		int rc = steer_prepare(p->interface, said, sizeof said);
		const char *path = rc == 0 ? steer_object(err, cap) : NULL;
		if (rc != 0)
			snprintf(err, cap, "%s", said);
		if (path == NULL)
			return rc != 0 ? rc : -ENOMEM;
		if (said[0] != '\0')
			log_say(NULL, LOG_NOTE, "%s", said);
		snprintf(p->xdp_prog, sizeof p->xdp_prog, "%s", path);
	}
	return 0;
}

int
steering_forget(struct topology *t)
{
	for (uint32_t i = 0; i < t->ports; i++)
		memset(t->port[i].xdp_prog, 0, sizeof t->port[i].xdp_prog);
	return 0;
}

void
steering_filter(const struct topology *t, struct filter *f)
{
	struct filter_prefix address[NODES_PLACES_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < t->nodes.n_places; i++) {
		struct filter_prefix p = {.bits = 128};
		memcpy(p.address, t->nodes.place[i].ip, sizeof p.address);
		unsigned k = 0; /* several nodes may share an address, each with ports of its own */
		while (k < n && memcmp(address[k].address, p.address, sizeof p.address) != 0)
			k++;
		if (k == n)
			address[n++] = p;
	}
	*f = t->filter;
	filter_derive(f, address, n);
}

/* Returns how many there are. */
static unsigned
look_at_own(struct steering *s, uint32_t i)
{
	uint8_t address[TABLE_OWN_MAX][16];
	unsigned n = own_read(&s->own[i], address, TABLE_OWN_MAX);
	steer_own(&s->port[i], address, n);
	return n;
}

int
steering_open(struct steering *s, const struct ports *p, const struct topology *t, char *err, size_t cap)
{
	char said[512];
	struct filter f;
	steering_filter(t, &f);
	s->steered = s->strips = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct topology_port *spec = p->port[i].spec;
		if (spec == NULL || !spec->steer)
			continue;
		int rc = steer_open(&s->port[i], spec->interface, (uint16_t)t->vxlan_port, said, sizeof said);
		if (rc != 0) {
			snprintf(err, cap, "%s", said);
			steering_close(s);
			return rc;
		}
		if (said[0] != '\0')
			log_say(NULL, LOG_WARN, "%s", said);
		s->interface[i] = spec->interface;
		if (steer_strips_tags(spec->interface))
			s->strips |= 1u << i;
		if (f.vlans > 0 && s->strips >> i & 1)
			log_say(NULL, LOG_WARN, STRIPPED, spec->interface, spec->interface);
		s->steered |= 1u << i;
		own_open(&s->own[i], &(struct sysfs){""}, spec->interface);
		if (look_at_own(s, i) > TABLE_OWN_MAX)
			log_say(NULL, LOG_WARN, "%s has more than %u addresses of this host: answers of nodes to those behind do not reach it", spec->interface, TABLE_OWN_MAX);
		steer_filter(&s->port[i], &f);
	}
	return 0;
}

int
steering_apply(void *steering, const struct topology *want, bool commit, char *err, size_t cap)
{
	struct steering *s = steering;
	struct filter f;
	steering_filter(want, &f);
	for (uint32_t i = 0; f.vlans > 0 && i < TOPOLOGY_PORTS_MAX; i++) {
		if (!(s->steered & s->strips & 1u << i))
			continue;
		snprintf(err, cap, STRIPPED ", and restart sentinel-dataplane", s->interface[i], s->interface[i]);
		return -EINVAL;
	}
	for (uint32_t i = 0; commit && i < TOPOLOGY_PORTS_MAX; i++)
		if (s->steered & 1u << i)
			steer_filter(&s->port[i], &f);
	return 0;
}

void
steering_turn(struct steering *s, uint64_t now_ns)
{
	if (now_ns - s->looked_ns < LOOK_NS)
		return;
	s->looked_ns = now_ns;
	for (uint32_t i = 0; i < TOPOLOGY_PORTS_MAX; i++)
		if (s->steered & 1u << i)
			look_at_own(s, i);
}

void
steering_stats(const struct steering *s, struct stats_page *page)
{
	uint64_t c[STEER_COUNT];
	for (uint32_t i = 0; i < TOPOLOGY_PORTS_MAX && i < STATS_PORTS_MAX; i++) {
		if (!(s->steered & 1u << i))
			continue;
		steer_counters(&s->port[i], c);
		for (unsigned k = 0; k < STEER_COUNT; k++)
			__atomic_store_n(&page->steer[i].c[k], c[k], __ATOMIC_RELAXED);
		__atomic_store_n(&page->steer[i].on, 1, __ATOMIC_RELAXED);
	}
}

void
steering_close(struct steering *s)
{
	for (uint32_t i = 0; i < TOPOLOGY_PORTS_MAX; i++) {
		if (!(s->steered & 1u << i))
			continue;
		steer_close(&s->port[i]);
		own_close(&s->own[i]);
	}
	s->steered = 0;
}
