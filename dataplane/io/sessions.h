/* SPDX-License-Identifier: BSD-3-Clause */
/* sessions: the secrets that sentinel-keys brings or a growing key log has, for the workers, and the searches that are too long for them. Runs on the
 * main lcore. A table is never changed: a longer one takes its place, and the old one is wiped and freed once no worker reads it. */
#ifndef IO_SESSIONS_H
#define IO_SESSIONS_H

#include "io/keylog.h"
#include "worker/topology.h"
#include "worker/worker.h"

struct sessions {
	bool open;
	struct keylog log;
	bool file, changed;
	uint64_t mistakes; /* lines of others that were no sessions */
	uint64_t seed;
	struct worker *worker[TOPOLOGY_WORKERS_MAX];
	uint32_t workers;
	struct rlpx_keys *keys, *old; /* published; waiting to be freed */
	uint64_t looked_ns;
};

/* sessions_open reads a key log, or none (path: NULL); 0, or -errno with a sentence on stderr. Nothing is opened later: a file that takes the key log's
 * place is not noticed (sentinel-keys does notice). sessions_add: a worker that will be told; all of them before the
 * first turn. */
int sessions_open(struct sessions *s, const char *path);
void sessions_add(struct sessions *s, struct worker *w);

/* sessions_text takes lines of a key log that another process has brought (hostile, if that process is): struct attach_offer's `keys`. 0, or
 * -EBADMSG: there are mistakes in it, and no new session. */
int sessions_text(void *sessions, const char *text, size_t n);

/* sessions_turn looks for new sessions every few ms and searches for some ms if a worker waits for one. True: there is more to search, come
 * back at once. */
bool sessions_turn(struct sessions *s, uint64_t now_ns);

/* sessions_close: no worker runs any more. */
void sessions_close(struct sessions *s);

#endif
