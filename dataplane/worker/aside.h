/* SPDX-License-Identifier: BSD-3-Clause */
/* aside: the transactions of which a worker could not tell the correlator at once because it is behind: somebody floods it with what costs it more than the worker. The pipe is kept short, so that
 * what matters waits for little; what does not fit in waits here, in a ring of bytes. It is told when there is room again, oldest first, or at once when a node has accepted it: of a flood of
 * decoys that no node takes, the one transaction that is real comes out first. What is never told is dropped, oldest first, and counted. A worker's own. */
#ifndef WORKER_ASIDE_H
#define WORKER_ASIDE_H

#include "worker/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* Of the pipe, in use before something is put aside: the correlator has made its way through in two milliseconds. A transaction of the longest kind goes in all the same. */
#define ASIDE_ROOM_BYTES (256u << 10)
#define ASIDE_SLOTS 65536u
#define ASIDE_WAYS 4u
#define ASIDE_BYTES_MIN (512u << 10)

/* Where the message of a fingerprint is. */
struct aside_slot {
	uint64_t fingerprint, at; /* position + 1; 0: free */
};

struct aside {
	uint8_t *bytes;
	uint64_t cap, head, tail; /* positions of bytes ever put, and dropped or told from the end */
	struct aside_slot *slots;
};

/* aside_bytes: memory for cap bytes of messages: a power of two, at least ASIDE_BYTES_MIN. aside_init lays it out in mem (zeroed, 64-byte aligned). Without, nothing is ever put aside. */
size_t aside_bytes(uint64_t cap);
void aside_init(struct aside *a, void *mem, uint64_t cap);

/* aside_reserve: room for a message of a transaction, which is to be written before the next call; what is oldest makes room. Never NULL for a message that fits the pipe. */
struct tx_msg *aside_reserve(struct worker *w, uint32_t bytes, uint64_t fingerprint);

/* aside_accepted: a node has accepted it. aside_proven: its bytes were received: what evidence.h tells of it is told again with it. */
void aside_accepted(struct worker *w, uint64_t fingerprint);
void aside_proven(struct worker *w, const struct fact_evidence_item *item);

/* aside_tell: as many as there is room for now. */
void aside_tell(struct worker *w);

/* aside_flush: at the end all goes into the pipe, or is dropped. */
void aside_flush(struct worker *w);

static inline bool
aside_waits(const struct aside *a)
{
	return a->head != a->tail;
}

#endif
