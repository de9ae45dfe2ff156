/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/recall.h"

void
recall_page(void *ctx, const struct memory_page *page, size_t bytes)
{
	struct recall *r = ctx;
	recall_turn(r);
	if (r->n_old == RECALL_OLD_MAX) { /* the correlator does not come to it; control sends the whole again with its next change */
		memory_unmap(page, bytes);
		return;
	}
	if (r->now.page != NULL)
		r->old[r->n_old++] = r->now;
	r->now = (struct recall_page){page, bytes};
	correlator_memory(r->correlator, page);
}

static void
give_back(struct recall *r)
{
	while (r->n_old > 0) {
		r->n_old--;
		memory_unmap(r->old[r->n_old].page, r->old[r->n_old].bytes);
	}
}

void
recall_turn(struct recall *r)
{
	if (r->n_old > 0 && correlator_memory_taken(r->correlator, r->now.page))
		give_back(r);
}

void
recall_close(struct recall *r)
{
	give_back(r);
	memory_unmap(r->now.page, r->now.bytes);
	r->now = (struct recall_page){0};
}
