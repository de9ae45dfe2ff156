/* SPDX-License-Identifier: BSD-3-Clause */
/* sessions: the secrets of a growing key log, for the workers, and the searches that are too long for them. Runs on the main lcore. A table is
 * never changed: a longer one takes its place, and the old one is wiped and freed once no worker reads it. */
#ifndef IO_SESSIONS_H
#define IO_SESSIONS_H

#include "io/keylog.h"
#include "worker/topology.h"
#include "worker/worker.h"

struct sessions {
	bool open;
	struct keylog log;
	uint64_t seed;
	struct worker *worker[TOPOLOGY_WORKERS_MAX];
	uint32_t workers;
	struct rlpx_keys *keys, *old; /* published; waiting to be freed */
	uint64_t looked_ns;
};

/* sessions_open reads a key log; 0, or -errno with a sentence on stderr. sessions_add: a worker that will be told; all of them before the
 * first turn. */
int sessions_open(struct sessions *s, const char *path);
void sessions_add(struct sessions *s, struct worker *w);

/* sessions_turn looks for new sessions every few ms and searches for some ms if a worker waits for one. True: there is more to search, come
 * back at once. */
bool sessions_turn(struct sessions *s, uint64_t now_ns);

/* sessions_close: no worker runs any more. */
void sessions_close(struct sessions *s);

#endif
