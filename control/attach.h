/* SPDX-License-Identifier: BSD-3-Clause */
/* attach: control's end of the channel (abi/channel.h). It looks for the dataplane for ever, takes what the
 * dataplane offers and notices its end. Never blocks. */
#ifndef CONTROL_ATTACH_H
#define CONTROL_ATTACH_H

#include "abi/ring.h"
#include "abi/stats.h"
#include "control/rule_names.h"

#include <stdbool.h>
#include <stdint.h>

#define ATTACH_RINGS_MAX 128

/* What one dataplane has given. Mappings outlive the dataplane. */
struct dataplane {
	uint8_t epoch[8];
	uint32_t pid, n_rings;
	struct ring_consumer ring[ATTACH_RINGS_MAX]; /* critical ones first, then by id */
	const struct stats_page *stats;
	struct rule_names *names;
	uint64_t generation; /* of the bundle last announced */
};

enum attach_event {
	ATTACH_NOTHING,
	ATTACH_CAME,   /* a dataplane has offered everything: *out is the caller's, to be ended with
			  dataplane_free */
	ATTACH_BUNDLE, /* a->names and a->generation have what the dataplane now uses; the caller takes names
			*/
	ATTACH_SAID,   /* the dataplane has answered a profile: a->said_number, a->said_status; its sentence is in the stats page */
	ATTACH_GONE,   /* the dataplane that came has hung up */
	ATTACH_REFUSED /* somebody answers there but offers nothing this control can use: a->why */
};

struct attach {
	char path[108];
	int fd;	    /* -1: not connected */
	bool whole; /* everything offered has come */
	bool welcome, stats, said_refused;
	bool gone; /* one that had come has hung up, last at gone_at_ns */
	uint64_t gone_at_ns, retry_at_ns, backoff_ns, deadline_ns;
	uint32_t version; /* of the channel, as agreed */
	uint32_t n_rings;
	struct dataplane *pending; /* what has come so far */
	struct rule_names *names;
	uint64_t generation;
	char why[256];
	uint64_t said_number;
	uint32_t said_status; /* enum channel_status */
	int last_errno; /* of the last attempt to connect */
};

/* attach_init: 0, or -ENAMETOOLONG; -ENOMEM. */
int attach_init(struct attach *a, const char *path);
void attach_end(struct attach *a);
/* attach_poll does what can be done now. now_ns: monotonic. On ATTACH_CAME *out is filled. */
enum attach_event attach_poll(struct attach *a, uint64_t now_ns, struct dataplane *out);

/* attach_takes_memory: a dataplane is attached that takes memory pages. attach_remember sends it one; the fd stays the caller's. 0; -EAGAIN: it
 * does not read at the moment; else it is not to be had. */
bool attach_takes_memory(const struct attach *a);
int attach_remember(struct attach *a, int fd, uint64_t number, uint64_t bytes);

/* attach_takes_profile: a dataplane is attached that takes profiles. attach_profile sends it one, as attach_remember; ATTACH_SAID has the answer. */
bool attach_takes_profile(const struct attach *a);
int attach_profile(struct attach *a, int fd, uint64_t number, uint64_t bytes);

void dataplane_free(struct dataplane *d);

#endif
