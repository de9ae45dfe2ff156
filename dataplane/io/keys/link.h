/* SPDX-License-Identifier: BSD-3-Clause */
/* link: sentinel-keys' end of the channel (abi/channel.h). It connects again for ever; a dataplane that it has not talked to yet is told everything, then
 * what is new. It talks to none but what root or its own user has started (SO_PEERCRED). One message is under way at a time. */
#ifndef IO_KEYS_LINK_H
#define IO_KEYS_LINK_H

#include "io/keys/store.h"

enum link_state { LINK_DOWN, LINK_GREETED, LINK_READY };

struct link {
	const char *path;
	int fd; /* -1: none */
	enum link_state state;
	uint64_t since_ms, retry_ms, patience_ms;
	uint64_t sent, next; /* of the store: handed over until; what is under way ends there */
	uint64_t number;     /* of the last message */
	bool waiting;	     /* for what the dataplane says to it */
	uint64_t handed;     /* sessions that a dataplane has taken */
	uint64_t refused;    /* messages that it has not */
	void (*say)(const char *sentence);
	const char *said; /* the last, so that nothing is said twice */
};

void link_init(struct link *l, const char *path, void (*say)(const char *sentence));
/* link_turn does what can be done without waiting. now_ms: of a clock that is not set back. */
void link_turn(struct link *l, const struct store *s, uint64_t now_ms);
void link_close(struct link *l);

#endif
