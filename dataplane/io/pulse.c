/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/pulse.h"

#include "abi/log.h"
#include "abi/notify.h"

#include <string.h>

static const char *const roles[] = {[STATS_ROLE_MAIN] = "main", [STATS_ROLE_CORRELATOR] = "correlator", [STATS_ROLE_WORKER] = "worker"};

void
pulse_start(struct pulse *p, const struct stats_page *stats, uint64_t watchdog_ns, uint64_t now_ns)
{
	memset(p, 0, sizeof *p);
	p->stats = stats;
	p->watched = watchdog_ns > 0;
	p->every_ns = p->watched && watchdog_ns / 3 < PULSE_LOOK_NS ? watchdog_ns / 3 : PULSE_LOOK_NS;
	p->next_ns = now_ns + p->every_ns;
}

static uint64_t
beat_of(const struct pulse *p, uint32_t i)
{
	return atomic_load_explicit(&p->stats->lcore[i].heartbeat_ns, memory_order_relaxed);
}

static bool
has_ended(const struct pulse *p, uint32_t i)
{
	return p->done[i] != NULL && atomic_load_explicit(p->done[i], memory_order_acquire);
}

int
pulse_still(struct pulse *p)
{
	int still = -1;
	for (uint32_t i = p->stats->lcores; i-- > 0;) {
		uint64_t beat = beat_of(p, i);
		if (beat == p->beat[i] && !has_ended(p, i))
			still = (int)i;
		p->beat[i] = beat;
	}
	return still;
}

static bool
all_beat(const struct pulse *p)
{
	for (uint32_t i = 0; i < p->stats->lcores; i++)
		if (beat_of(p, i) == 0 && !has_ended(p, i))
			return false;
	return true;
}

void
pulse_turn(struct pulse *p, uint64_t now_ns, bool control_attached)
{
	if (!p->ready && all_beat(p)) {
		p->ready = true;
		notify_send("READY=1\nSTATUS=reading");
	}
	if (now_ns < p->next_ns)
		return;
	p->next_ns = now_ns + p->every_ns;
	int still = pulse_still(p);
	if (still < 0) {
		notify_send("WATCHDOG=1\nSTATUS=%s, %llu frames, %llu alerts", control_attached ? "reading, control attached" : "reading, no control attached",
			(unsigned long long)stats_sum(p->stats, CTR_FRAMES), (unsigned long long)stats_sum(p->stats, CTR_RING_PUBLISHED));
		return;
	}
	unsigned role = p->stats->lcore[still].role;
	LOG(LOG_FAULT, "lcore %d (%s) has not turned for %llu ms%s", still, role < sizeof roles / sizeof roles[0] && roles[role] ? roles[role] : "?",
		(unsigned long long)(p->every_ns / 1000000u), p->watched ? "; if it goes on like that, systemd starts this process again" : "");
}
