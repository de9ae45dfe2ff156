/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ports.h"

#include "abi/log.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <stdio.h>
#include <string.h>

#define LOOK_NS 1000000000u
#define CLOCK_TRIES 5u

/* ---- links ---- */

static enum kernel_link
link_of(struct port_live *l, uint16_t port, int fd)
{
	struct rte_eth_link k;
	if (l->interface[0] != '\0')
		return fd >= 0 ? kernel_link_get(fd, l->index) : KERNEL_LINK_UNKNOWN;
	if (rte_eth_link_get_nowait(port, &k) != 0)
		return KERNEL_LINK_UNKNOWN;
	l->link_mbps = k.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : k.link_speed;
	return k.link_status == RTE_ETH_LINK_UP ? KERNEL_LINK_UP : KERNEL_LINK_DOWN;
}

static void
say_link(const struct port_live *l)
{
	static const char *const what[] = {[KERNEL_LINK_UP] = "link up", [KERNEL_LINK_DOWN] = "LINK DOWN: nothing is seen of what it should show",
		[KERNEL_LINK_GONE] = "the interface is GONE: once it is back, restart sentinel-dataplane"};
	if (l->link != KERNEL_LINK_UNKNOWN)
		LOG(l->link == KERNEL_LINK_UP ? LOG_NOTE : LOG_WARN, "port %s: %s", l->name, what[l->link]);
}

static void
look_at_link(struct port_live *l, uint16_t port, int fd, uint64_t now_ns)
{
	enum kernel_link now = link_of(l, port, fd);
	if (now == l->link)
		return;
	bool was_up = l->link == KERNEL_LINK_UP, first = l->link_since_ns == 0;
	l->link = now;
	l->link_since_ns = now_ns;
	l->link_downs += was_up && now != KERNEL_LINK_UNKNOWN;
	if (!first || now == KERNEL_LINK_DOWN || now == KERNEL_LINK_GONE)
		say_link(l);
}

/* ---- clocks ---- */

static bool
read_ticks(const struct port_live *l, uint16_t port, uint64_t *ticks)
{
	struct timespec ts;
	if (l->ticks == PORT_TICKS_READ)
		return rte_eth_read_clock(port, ticks) == 0;
	if (rte_eth_timesync_read_time(port, &ts) != 0)
		return false;
	*ticks = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return true;
}

/* The reading that took least says best when it was. */
static void
look_at_clock(struct port_live *l, uint16_t port, const struct clock *clock)
{
	uint64_t best = UINT64_MAX, at = 0, ticks = 0, now;
	for (unsigned i = 0; i < CLOCK_TRIES; i++) {
		uint64_t from = rte_rdtsc();
		if (!read_ticks(l, port, &now))
			return;
		uint64_t took = rte_rdtsc() - from;
		if (took >= best)
			continue;
		best = took;
		at = from + took / 2;
		ticks = now;
	}
	hwclock_sample(&l->clock, ticks, clock_ns(clock, at));
}

/* Times of the kernel's follow the system's clock when it is set, and ours does not. */
static void
look_at_shift(struct port_live *l, const struct clock *clock)
{
	int64_t shift = atomic_load_explicit(&clock->shift_ns, memory_order_relaxed);
	if (shift == l->shift_ns)
		return;
	l->shift_ns = shift;
	l->clock.steps++;
	hwclock_fixed(&l->clock, l->tick_ns, shift);
}

void
ports_turn(struct ports *p, const struct clock *clock, uint64_t now_ns)
{
	if (now_ns - p->looked_ns < LOOK_NS)
		return;
	p->looked_ns = now_ns;
	for (uint32_t i = 0; i < p->n; i++) {
		look_at_link(&p->port[i], (uint16_t)i, p->link_fd, now_ns);
		if (p->port[i].ticks == PORT_TICKS_FIXED)
			look_at_shift(&p->port[i], clock);
		else if (p->port[i].ticks == PORT_TICKS_READ || p->port[i].ticks == PORT_TICKS_TIMESYNC)
			look_at_clock(&p->port[i], (uint16_t)i, clock);
	}
}

/* ---- the stats page ---- */

#define STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)

static void
tell_info(const struct port_live *l, struct stats_port_info *out)
{
	uint32_t flags = l->flags;
	if (l->link != KERNEL_LINK_UNKNOWN)
		flags |= PORT_LINK_KNOWN;
	if (l->link == KERNEL_LINK_UP)
		flags |= PORT_LINK_UP;
	if (l->link == KERNEL_LINK_GONE)
		flags |= PORT_GONE;
	memcpy(out->driver, l->driver, sizeof out->driver);
	STORE(out->socket, l->socket);
	STORE(out->queues, l->queues);
	STORE(out->link_mbps, l->link_mbps);
	STORE(out->link_downs, l->link_downs);
	STORE(out->link_since_ns, l->link_since_ns);
	STORE(out->hw_time_steps, l->clock.steps);
	STORE(out->flags, flags);
}

void
ports_stats(struct ports *p, struct stats_page *s)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct rte_eth_stats e;
		struct stats_port *out = &s->port[i];
		struct port_live *l = &p->port[i];
		memcpy(out->name, l->name, sizeof out->name);
		tell_info(l, &s->port_info[i]);
		if (rte_eth_stats_get((uint16_t)i, &e) != 0)
			continue;
		uint64_t missed = e.imissed + kernel_sockets_missed(&l->sockets);
		STORE(out->delivered, e.ipackets);
		STORE(out->missed, missed);
		STORE(out->errors, e.ierrors);
		STORE(out->no_mbuf, e.rx_nombuf);
		STORE(out->wire, e.ipackets + missed + e.ierrors + e.rx_nombuf);
	}
	STORE(s->ports, p->n);
}
