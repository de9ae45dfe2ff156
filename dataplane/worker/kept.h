/* SPDX-License-Identifier: BSD-3-Clause */
/* kept: the messages of the last transactions, in one ring of bytes: what a finding on several of them, or a node's late word, needs their bytes for. A reference is good until as many bytes have
 * come after it as the ring has; then kept_get says so. Used by the correlator's lcore alone. */
#ifndef WORKER_KEPT_H
#define WORKER_KEPT_H

#include "worker/finding_msg.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct kept {
	uint8_t *bytes;
	uint64_t cap, head; /* cap: a power of two */
};

/* kept_init: mem of cap bytes, 64-byte aligned, cap a power of two of at least 1 MiB. */
static inline void
kept_init(struct kept *k, void *mem, uint64_t cap)
{
	*k = (struct kept){.bytes = mem, .cap = cap};
}

/* kept_add copies a message; returns its reference, never 0. */
static inline uint64_t
kept_add(struct kept *k, const struct tx_msg *m)
{
	uint64_t n = ((uint64_t)tx_msg_bytes(m->n_codes, m->n_swaps, m->n_findings, m->n_targets, m->raw_len) + 15) & ~(uint64_t)15;
	uint64_t room = k->cap - (k->head & (k->cap - 1));
	if (n > room)
		k->head += room;
	uint64_t at = k->head;
	memcpy(k->bytes + (at & (k->cap - 1)), m, tx_msg_bytes(m->n_codes, m->n_swaps, m->n_findings, m->n_targets, m->raw_len));
	k->head += n;
	return at + 1;
}

/* kept_get: NULL: it has been overwritten. Good until the next kept_add. */
static inline const struct tx_msg *
kept_get(const struct kept *k, uint64_t ref)
{
	if (ref == 0 || ref > k->head || k->head - (ref - 1) > k->cap)
		return NULL;
	return (const struct tx_msg *)(k->bytes + ((ref - 1) & (k->cap - 1)));
}

#endif
