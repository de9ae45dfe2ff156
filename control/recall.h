/* SPDX-License-Identifier: BSD-3-Clause */
/* recall: control's memory for the dataplane: follows the journal in a thread of its own (so nobody waits for
 * it, and it knows only what is durable), keeps what it has learnt in state.sqlite, makes memory pages
 * (abi/memory.h) and has operators' watch list. */
#ifndef CONTROL_RECALL_H
#define CONTROL_RECALL_H

#include "control/journal.h"
#include "control/recall_store.h"

#include <stdbool.h>
#include <stdint.h>

struct recall;

/* recall_start: `dir` is the journal's folder. NULL: err says why. A file that cannot be kept is said on
 * stderr, and gone on without. */
struct recall *recall_start(struct journal *j, const char *dir, char *err, size_t cap);
/* recall_stop keeps what is known and ends. NULL is allowed. */
void recall_stop(struct recall *r);

/* ---- from the drain's thread; never waits ---- */

/* recall_want_page: a dataplane has come: a page is to be made once everything journaled up to now is in it.
 */
void recall_want_page(struct recall *r);
/* recall_page: the newest page, if there is one that has not been fetched: the fd (the caller's to close) and
 * what a CHANNEL_MEMORY message says of it; -1: none. */
int recall_page(struct recall *r, uint64_t *number, uint64_t *bytes);

/* ---- operators' list; any thread ---- */

/* recall_watch_add, _remove: 0 and *version, what to wait for with recall_settled; -EEXIST: it is there
 * already; -ENOENT; -ENOSPC: the list is full; -EINVAL: the zero address; -EAGAIN: too many changes wait for
 * the journal. A new page is made at once. */
int recall_watch_add(struct recall *r, const uint8_t address[20], const char *note, uint32_t uid, int64_t pid,
	uint64_t *version);
int recall_watch_remove(
	struct recall *r, const uint8_t address[20], uint32_t uid, int64_t pid, uint64_t *version);
/* recall_settled: 1: the change is on disk, and in the audit trail (or the journal is down: it will come into
 * it); 0: not yet; -EIO: it cannot be written, it holds until control ends. */
int recall_settled(struct recall *r, uint64_t version);
/* recall_watch_list copies up to RECALL_WATCH_MAX entries, oldest first; how many. */
uint32_t recall_watch_list(struct recall *r, struct recall_watch *out);

struct recall_status {
	uint32_t armed, included, operators, incidents; /* entries; armed: not in a block yet */
	uint64_t cursor;				/* of the journal, up to which it knows */
	uint64_t evicted, evicted_included, refused, aged, dropped, incidents_evicted, incidents_aged, pages,
		failures;
	char failure[128]; /* the last of the file; "" if there was none */
};
void recall_status_get(struct recall *r, struct recall_status *s);

#endif
