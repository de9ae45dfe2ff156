/* SPDX-License-Identifier: BSD-3-Clause */
/* recall_store: state.sqlite in the journal's folder: the recall table as it was after a certain event of the
 * journal, operators' watch list, and what of that has yet to go into the audit trail. One transaction writes
 * all that has changed together with the cursor up to which the journal is in it: so it cannot disagree with
 * the journal, whenever control dies; the rest is read from there again. A file that cannot be read is moved
 * aside (state.sqlite.bad) and made anew. */
#ifndef CONTROL_RECALL_STORE_H
#define CONTROL_RECALL_STORE_H

#include "control/audit.h"
#include "control/recall_table.h"

#include <sqlite3.h>

#define RECALL_NOTE_MAX                                                                                     \
	121 /* of an operator on a contract, bytes, with the terminating zero: fits the audit trail however \
	       it is escaped */
#define RECALL_UNTOLD_MAX 64

/* An operator's contract. */
struct recall_watch {
	uint8_t address[20];
	char note[RECALL_NOTE_MAX];
	uint64_t added_ns;
	uint32_t uid; /* of who added it */
};

/* An entry for the audit trail, until the journal has it. */
struct recall_untold {
	uint64_t n; /* from 1, for ever */
	uint64_t time_ns;
	char kind[AUDIT_KIND_MAX];
	char detail[AUDIT_DETAIL_MAX];
	uint64_t ticket; /* of journal_note; 0: not given to it yet */
	bool kept;	 /* it is in the file */
};

struct recall_store {
	sqlite3 *db;
	char path[4200];
	uint64_t failures;
	char failure[128]; /* the last one */
};

/* What goes into the file beside the table. */
struct recall_kept {
	uint32_t journal_id;
	uint64_t cursor;
	struct recall_watch *watch; /* RECALL_WATCH_MAX */
	uint32_t n_watch;
	bool watch_changed;
	struct recall_untold untold[RECALL_UNTOLD_MAX];
	uint32_t n_untold;
	uint64_t last_untold; /* highest n ever */
};

/* recall_store_open opens or makes the file in `dir` and reads it into t and k (both empty; k->watch given).
 * 0, or -EIO with a sentence in err: nothing can be kept, t and k have what could be read. */
int recall_store_open(struct recall_store *s, const char *dir, struct recall_table *t, struct recall_kept *k,
	char *err, size_t cap);
void recall_store_close(struct recall_store *s);
/* recall_store_write writes what has changed, in one transaction, and settles it. durable: it is on disk
 * afterwards; else it survives the process, and after a power failure the file may be a little older. 0 or
 * -EIO: nothing was written. */
int recall_store_write(struct recall_store *s, struct recall_table *t, struct recall_kept *k, bool durable);

#endif
