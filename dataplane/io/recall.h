/* SPDX-License-Identifier: BSD-3-Clause */
/* recall: control's memory pages (abi/memory.h) on their way to the correlator: the main lcore takes them from the channel, the correlator the newest of them at the top of its loop; those before are given back
 * once it has. */
#ifndef IO_RECALL_H
#define IO_RECALL_H

#include "abi/memory.h"
#include "worker/correlator.h"

#include <stddef.h>

#define RECALL_OLD_MAX 8u

struct recall {
	struct correlator *correlator;
	struct recall_page {
		const struct memory_page *page;
		size_t bytes;
	} now, old[RECALL_OLD_MAX];
	unsigned n_old;
};

/* recall_page: `memory` of struct attach_offer; ctx is a struct recall. */
void recall_page(void *ctx, const struct memory_page *page, size_t bytes);

/* recall_turn gives back what nobody reads any more. */
void recall_turn(struct recall *r);

/* recall_close gives back everything; the correlator must have ended. */
void recall_close(struct recall *r);

#endif
