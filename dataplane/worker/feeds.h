/* SPDX-License-Identifier: BSD-3-Clause */
/* feeds: which of the feeds that a worker could read it shall read, on which TCP ports, and transactions of
 * which chains. Filled from the box profile (io/profile.h). All zero: every feed by detection on any port,
 * any chain. */
#ifndef WORKER_FEEDS_H
#define WORKER_FEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEEDS_PORTS_MAX 16u
#define FEEDS_CHAINS_MAX 16u

/* _(id, name in the profile). A feed is what the bytes are, not what carries them: what a node sends over a
 * WebSocket is `websocket`, what a sequencer sends over one is `arbitrum`. */
#define SENTINEL_FEEDS(_)         \
	_(HTTP, "http")           \
	_(WEBSOCKET, "websocket") \
	_(RLPX, "rlpx")           \
	_(ENGINE, "engine")       \
	_(GRPC, "grpc")           \
	_(ARBITRUM, "arbitrum")

enum feed {
#define _(id, name) FEED_##id,
	SENTINEL_FEEDS(_)
#undef _
		FEED_COUNT
};

struct feeds {
	uint16_t ports[FEED_COUNT][FEEDS_PORTS_MAX];
	uint8_t n_ports[FEED_COUNT]; /* 0: by detection, on any port */
	bool off[FEED_COUNT];	     /* not read at all */
	uint64_t chain_ids[FEEDS_CHAINS_MAX];
	uint8_t n_chain_ids; /* 0: any */
};

/* feed_name: as the profile has it; static. f < FEED_COUNT. */
static inline const char *
feed_name(enum feed f)
{
	static const char *const names[FEED_COUNT] = {
#define _(id, name) name,
		SENTINEL_FEEDS(_)
#undef _
	};
	return names[f];
}

/* feeds_may: whether a flow between these two ports, in either order, may carry the feed. Whether it does is
 * for detection to say. */
static inline bool
feeds_may(const struct feeds *s, enum feed f, uint16_t port_a, uint16_t port_b)
{
	if (s->off[f])
		return false;
	for (unsigned i = 0; i < s->n_ports[f]; i++)
		if (s->ports[f][i] == port_a || s->ports[f][i] == port_b)
			return true;
	return s->n_ports[f] == 0;
}

/* feeds_chain: whether a transaction of chain `id` is to be scanned. has: it names its chain; one that does
 * not (before EIP-155) is valid on every chain, and so of any that is asked for. For an id that is longer
 * than 64 bits pass UINT64_MAX, which no profile can name. */
static inline bool
feeds_chain(const struct feeds *s, bool has, uint64_t id)
{
	if (s->n_chain_ids == 0 || !has)
		return true;
	for (unsigned i = 0; i < s->n_chain_ids; i++)
		if (s->chain_ids[i] == id)
			return true;
	return false;
}

#endif
