/* SPDX-License-Identifier: BSD-3-Clause */
/* front: the bytes in which a small batch is durable before the database has it: a head with a SHA-256 over all, then each record with what belongs to it.
 * They are read again by the next process of the same machine; whoever can write the journal's folder can write them, so they are checked like
 * anything from outside. */
#ifndef CONTROL_FRONT_H
#define CONTROL_FRONT_H

#include "control/batch.h"

#include <stddef.h>
#include <stdint.h>

#define FRONT_BYTES (64u << 10)
#define FRONT_BLOCK 4096u    /* written in whole ones */
#define FRONT_ENTRIES 16u    /* of a batch; a larger one gains nothing */
#define FRONT_EVIDENCE 2048u /* bytes of one record's evidence */

/* Where the batch stands. */
struct front_place {
	uint32_t journal_id;
	uint64_t before; /* cursor of the event before its first */
	uint64_t t_ns;	 /* when it was journaled */
};

/* front_takes: all entries are records of the rings, few, with little evidence. */
bool front_takes(const struct batch *b);
/* front_encode: b, which front_takes. Returns the length, whole blocks, at most FRONT_BYTES. */
uint32_t front_encode(const struct front_place *p, const struct batch *b, uint8_t out[FRONT_BYTES]);
/* front_decode reads n bytes into an empty batch, entries marked as in the front. 0; -EBADMSG: never finished, or not a front; -EPROTO: whole, but what it
 * holds cannot be read: of another build, which knows its records otherwise. *p holds then too, and *n_held how many records; b is empty but for 0. */
int front_decode(const uint8_t *in, size_t n, struct front_place *p, uint32_t *n_held, struct batch *b);

#endif
