/* SPDX-License-Identifier: BSD-3-Clause */
/* store: the newest sessions that sentinel-keys knows, for a dataplane that starts later. They are numbered as they come. */
#ifndef IO_KEYS_STORE_H
#define IO_KEYS_STORE_H

#include "io/keylog.h"

#define STORE_MAX KEYLOG_SESSIONS_DEFAULT /* what a dataplane keeps */

struct store {
	struct rlpx_key list[STORE_MAX];
	uint64_t first, end; /* the oldest's number; the next one's */
};

/* store_add takes a session, zeroed where nothing is said; the oldest makes room and is overwritten. False: it is known already. */
bool store_add(struct store *s, const struct rlpx_key *key);

/* store_log takes the `fresh` newest sessions of a log, as keylog_read counted them. What the log told before is not taken again: it may have made room. */
void store_log(struct store *s, const struct keylog *log, int fresh);

/* store_text writes the sessions with numbers from `from` on as lines of a key log, into malloc'ed memory that the caller wipes and frees (store_wipe);
 * *n: its length, *next: the number behind the last. NULL: there are none, or no memory. */
char *store_text(const struct store *s, uint64_t from, size_t *n, uint64_t *next);
void store_wipe(char *text, size_t n);

#endif
