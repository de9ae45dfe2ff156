/* SPDX-License-Identifier: BSD-3-Clause */
/* history: the last bytes that were delivered, for the directions that spoke last, so that a retransmission
 * can be told from another version of the same place. Fixed buffers, each a ring addressed by stream offset;
 * when they run out, one whose direction has been silent is taken (its later retransmissions pass
 * uncompared). */
#ifndef NET_HISTORY_H
#define NET_HISTORY_H

#include "abi/span.h"
#include "net/range.h"

struct history_meta {
	uint32_t *owner; /* the direction's index of this buffer; NULL = free */
	uint32_t len;	 /* valid bytes, ending at the last appended one */
	bool used;	 /* since the hand went by */
};

struct history {
	struct history_meta *meta;
	uint8_t *bytes;
	uint32_t buffers, buffer_bytes, hand;
};

/* history_bytes: memory for n buffers of buffer_bytes (a power of two); history_init builds them in it. */
size_t history_bytes(uint32_t n, uint32_t buffer_bytes);
void history_init(struct history *h, void *mem, uint32_t n, uint32_t buffer_bytes);

/* history_append keeps the bytes at stream offset off, which follow what was appended before. *index: the
 * direction's buffer, NET_NONE to begin with; it is set back to NET_NONE when the buffer is taken away, so it
 * must stay where it is until history_forget. */
void history_append(struct history *h, uint32_t *index, uint64_t off, struct span bytes);

/* history_break: what was kept does not go on (a gap). */
void history_break(struct history *h, uint32_t index);
void history_forget(struct history *h, uint32_t *index);

/* history_from: offset of the first byte that is kept of the direction, whose last byte is end - 1; end if none is. */
uint64_t history_from(const struct history *h, uint32_t index, uint64_t end);

/* history_differs compares `bytes` at offset off with what is kept of the direction: true if a byte that is there disagrees; *r then covers all
 * that do besides what it covered before. */
bool history_differs(
	const struct history *h, uint32_t index, uint64_t end, uint64_t off, struct span bytes, struct stream_range *r);

#endif
