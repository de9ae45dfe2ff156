/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of rlpx, shared by its three parts: rlpx.c (the contract), rlpx_read.c (bytes of a direction in
 * step -> messages) and rlpx_sync.c (keys, places in the keystream). Nobody else includes this. */
#ifndef WIRE_RLPX_PRIVATE_H
#define WIRE_RLPX_PRIVATE_H

#include "wire/rlpx.h"

enum rlpx_state {
	DIR_START,     /* in the handshake packet, or in the first header; kept in the window */
	DIR_HOLD,      /* behind it, or in mid-stream, without key; kept in the window if there is one */
	DIR_SEARCH,    /* with key, place not known; kept in the window */
	DIR_HANDSHAKE, /* in step: the handshake packet */
	DIR_HEADER,    /* in step */
	DIR_FRAME,
	DIR_DEAD /* no RLPx, or ended */
};

static inline bool
in_step(const struct rlpx_dir *d)
{
	return d->state >= DIR_HANDSHAKE && d->state <= DIR_FRAME;
}

static inline void
skip_bytes(struct framer_out *out, uint64_t n, enum framer_skip reason)
{
	if (n == 0)
		return;
	out->skipped += (uint32_t)n;
	out->reason = reason;
	if (out->verdict == FRAMER_MORE)
		out->verdict = FRAMER_SKIP;
}

/* ---- rlpx_read.c ---- */

/* read_bytes parses bytes at d->at of a direction in step: returns how many were taken, with one verdict. Out
 * of step afterwards: d->state is DIR_SEARCH. */
uint32_t rlpx_read_bytes(
	struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out);
/* read_gap: n bytes are missing at d->at. Moves d->at. */
void rlpx_read_gap(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out);
/* read_drop gives up what is under way and its slabs. */
void rlpx_read_drop(struct rlpx_dir *d, struct rlpx_arena *a);

/* ---- rlpx_sync.c ---- */

/* sync_keys looks for the connection's session in the table if that could find something new. */
void rlpx_sync_keys(struct rlpx *r, struct rlpx_arena *a);
/* sync_enter puts a direction in step if its key and place are known; bytes of the window before its place
 * are skipped. */
void rlpx_sync_enter(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out);
/* sync_search runs a slice of a short search for a direction. */
void rlpx_sync_search(struct rlpx *r, unsigned dir, struct rlpx_arena *a);
/* sync_cancel: the window is no more what a search was begun with. */
void rlpx_sync_cancel(struct rlpx *r, unsigned dir, struct rlpx_arena *a);

#endif
