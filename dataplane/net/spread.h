/* SPDX-License-Identifier: BSD-3-Clause */
/* spread: which worker a frame belongs to, for spreading in software. By a keyed symmetric hash of the
 * innermost 5-tuple: the same for both directions, in a tunnel or not. A fragment shows no ports, and one of
 * a tunnel's packets not even addresses: the first fragment of a datagram, which shows them, decides for the
 * others, and others that come before it wait for it. (By addresses alone fragments would need no memory, but
 * all connections of a proxy with its node would be one worker's.)
 *
 * One that waited SPREAD_WAIT_NS, or must make room, goes by the addresses that it shows, and the rest of its
 * datagram after it: it becomes whole, on a worker that may not be its connection's. No allocation, no clock.
 */
#ifndef NET_SPREAD_H
#define NET_SPREAD_H

#include "net/decode.h"

#define SPREAD_SETS 256u
#define SPREAD_WAYS 8u
#define SPREAD_PARKED 256u
#define SPREAD_OUT_MAX (SPREAD_PARKED + 1)
#define SPREAD_WAIT_NS 20000000u

struct spread_out {
	void *item;
	uint32_t hash;
};

/* A datagram whose fragments go somewhere, or wait to hear where. Private. */
struct spread_entry {
	uint64_t ip[2][2];
	uint64_t used_ns;
	uint32_t id, hash;
	uint8_t proto, state;
	bool ip6;
	uint16_t parked;
};

struct spread_parked {
	void *item;
	struct spread_entry *entry;
	uint64_t since_ns;
};

struct spread {
	struct spread_entry entry[SPREAD_SETS][SPREAD_WAYS];
	struct spread_parked parked[SPREAD_PARKED]; /* longest waiting first */
	unsigned n_parked;
	uint64_t seed[6];
	struct decode_rules rules;
};

/* spread_init: all who spread the same frames need the same seed and rules. */
void spread_init(struct spread *s, const uint32_t seed[4], const struct decode_rules *rules);

/* spread_frame: item stands for the frame. Returns how many items may go on now, at most SPREAD_OUT_MAX, each
 * with its hash: usually this one; none if it waits; several if it was waited for. A frame that is nobody's
 * has hash 0. The frame's bytes are not kept. */
unsigned spread_frame(struct spread *s, struct span frame, uint32_t wire_len, enum net_link link, void *item,
	uint64_t now_ns, struct spread_out out[SPREAD_OUT_MAX]);

/* spread_expire releases what has waited too long: call it now and then. spread_flush: all. */
unsigned spread_expire(struct spread *s, uint64_t now_ns, struct spread_out out[SPREAD_OUT_MAX]);
unsigned spread_flush(struct spread *s, struct spread_out out[SPREAD_OUT_MAX]);

#endif
