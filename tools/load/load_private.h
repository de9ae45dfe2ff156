/* SPDX-License-Identifier: BSD-3-Clause */
/* What load.c (transactions, frames, connections) and load_feeds.c (what is said on them) share. Nobody else
 * includes this. */
#ifndef TOOLS_LOAD_PRIVATE_H
#define TOOLS_LOAD_PRIVATE_H

#include "load/load.h"
#include "wire/rlpx_keys.h"

#include <stdbool.h>

#define LOAD_RAW_MAX 6144u
#define LOAD_HEADERS 54u /* Ethernet, IPv4, TCP */

struct load_connection {
	uint32_t seq[2]; /* of the next byte; [0]: client */
	uint16_t port;
	uint32_t number, requests;
	void *state; /* the feed's own */
};

struct load_text {
	char *p;
	uint32_t n, cap;
	bool full; /* no memory */
};

struct load_maker {
	struct load *l;
	const struct load_config *c;
	const struct load_feed_ops *feed;
	struct load_connection *conns;
	struct load_text text; /* a message in the making */
	uint64_t random;
	uint64_t now_ns;
	uint16_t ip_id, node_port;
};

/* A feed: `send` says all that is to be said of n transactions; `open`, `close` may be NULL. All return 0 or
 * -errno. */
struct load_feed_ops {
	uint16_t port;
	uint32_t group; /* transactions that `send` gets at most */
	int (*open)(struct load_maker *m, struct load_connection *c);
	int (*send)(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n);
	void (*close)(struct load_maker *m, struct load_connection *c);
};
extern const struct load_feed_ops load_feed_ops[LOAD_FEEDS];

uint64_t load_random(struct load_maker *m);
void load_random_bytes(struct load_maker *m, uint8_t *p, size_t n);

/* load_rich writes the calldata (at most LOAD_RAW_MAX / 2) of a transaction that is looked into: a creation, a router's swap, calls in calls. It sets the recipient if it has to be one in particular. */
uint32_t load_rich(struct load_maker *m, uint8_t *data, uint8_t to[20], bool *creates);

/* load_send says n bytes in segments; load_ack acknowledges; load_frame is one frame with these TCP flags. */
int load_send(struct load_maker *m, struct load_connection *c, unsigned side, const void *bytes, uint32_t n);
int load_ack(struct load_maker *m, struct load_connection *c, unsigned side);
int load_frame(struct load_maker *m, struct load_connection *c, unsigned side, unsigned flags,
	const void *payload, uint32_t n);

#endif
