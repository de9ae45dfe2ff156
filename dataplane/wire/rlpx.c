/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_private.h"

#include <stddef.h>
#include <string.h>

/* A gap this long is no place in a stream any more. */
#define GAP_MAX (1ull << 48)

int
rlpx_looks_like(struct span in)
{
	if (in.len < 2)
		return in.len == 1 && in.p[0] > RLPX_HANDSHAKE_MAX >> 8 ? 0 : -1;
	uint32_t size = (uint32_t)in.p[0] << 8 | in.p[1];
	if (size < RLPX_HANDSHAKE_MIN || size > RLPX_HANDSHAKE_MAX)
		return 0;
	if (in.len < 3)
		return -1;
	return in.p[2] == 0x04; /* an uncompressed public key */
}

void
rlpx_init(struct rlpx *r, struct rlpx_arena *a, bool midstream, const struct rlpx_endpoint end[2], void *user)
{
	memset(r, 0, sizeof *r);
	r->end[0] = end[0];
	r->end[1] = end[1];
	r->user = user;
	r->epoch = ++a->epoch;
	for (unsigned i = 0; i < 2; i++) {
		r->dir[i].state = midstream ? DIR_HOLD : DIR_START;
		r->dir[i].start_known = !midstream;
		rlpx_windows_get(a->windows, &r->dir[i].window, r);
	}
}

const struct rlpx_message *
rlpx_last(const struct rlpx *r, unsigned dir)
{
	return &r->dir[dir].msg;
}

uint32_t
rlpx_held(const struct rlpx *r, unsigned dir)
{
	return r->dir[dir].held + r->dir[dir].hdr_n;
}

const struct rlpx_eth *
rlpx_eth(const struct rlpx *r)
{
	return &r->eth;
}

void
rlpx_learn_eth(struct rlpx *r, uint32_t first)
{
	if (r->eth.first == 0 && first >= RLPX_BASE_IDS && first <= UINT16_MAX)
		r->eth.first = (uint16_t)first;
}

bool
rlpx_readable(const struct rlpx *r, unsigned dir)
{
	return in_step(&r->dir[dir]);
}

/* ---- windows ---- */

static enum framer_skip
why_skipped(const struct rlpx_dir *d)
{
	return d->state == DIR_SEARCH ? FRAMER_SKIP_UNSYNCED : FRAMER_SKIP_OPAQUE;
}

/* What was held in a window that somebody else has now. */
static void
settle_stolen(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	if (d->window != NULL || d->held == 0)
		return;
	rlpx_sync_cancel(r, dir, a);
	uint32_t n = d->held;
	d->held = 0;
	if (in_step(d)) {
		skip_bytes(out, n, FRAMER_SKIP_LOST);
		rlpx_read_gap(r, dir, a, n, out);
		return;
	}
	skip_bytes(out, n, why_skipped(d));
	d->at += n;
}

/* Everything in the window is passed over. */
static void
empty_window(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	rlpx_sync_cancel(r, dir, a);
	skip_bytes(out, d->held, why_skipped(d));
	d->at += d->held;
	d->held = 0;
}

/* Bytes behind what is held; the oldest make room. */
static void
keep(struct rlpx_dir *d, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	uint32_t most = a->windows->bytes_each;
	uint64_t all = (uint64_t)d->held + in.len, over = all > most ? all - most : 0;
	rlpx_window_write(a->windows, d->window, d->at + d->held, in);
	skip_bytes(out, over, why_skipped(d));
	d->at += over;
	d->held = (uint32_t)(all - over);
}

/* ---- the beginning ---- */

/* Looks at bytes of offset `at` for the handshake's size and the first header. false: this is no RLPx. */
static bool
note_beginning(struct rlpx_dir *d, uint64_t at, struct span in)
{
	for (; d->size_n < 2 && at == d->size_n && in.len > 0; at++, in.p++, in.len--)
		d->size_bytes[d->size_n++] = in.p[0];
	if (d->size_n == 2 && d->handshake == 0) {
		uint32_t size = (uint32_t)d->size_bytes[0] << 8 | d->size_bytes[1];
		if (size < RLPX_HANDSHAKE_MIN || size > RLPX_HANDSHAKE_MAX)
			return false;
		d->handshake = (uint16_t)(2 + size);
	}
	if (d->handshake > 0 && at == 2 && in.len > 0 && in.p[0] != 0x04)
		return false;
	uint64_t header = d->handshake;
	for (uint32_t i = 0; d->handshake > 0 && i < in.len; i++) {
		uint64_t o = at + i;
		if (o < header) {
			uint64_t jump = header - o - 1;
			i += jump < in.len - i ? (uint32_t)jump : in.len - i - 1;
			continue;
		}
		if (o >= header + 16)
			break;
		d->first[o - header] = in.p[i];
		d->has_first = o == header + 15;
	}
	return true;
}

/* How far the beginning goes: no byte behind it is kept before it is known whether the session is. */
static uint32_t
beginning_left(const struct rlpx_dir *d, uint32_t n)
{
	uint64_t have = d->at + d->held, all = d->handshake > 0 ? d->handshake + 16u : 2u;
	return n < all - have ? n : (uint32_t)(all - have);
}

static void
die(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	empty_window(r, dir, a, out);
	rlpx_windows_put(a->windows, &d->window);
	rlpx_read_drop(d, a);
	d->state = DIR_DEAD;
}

/* ---- reading what is held ---- */

/* One verdict out of the window of a direction in step. */
static void
read_held(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	while (in_step(d) && d->held > 0 && out->verdict == FRAMER_MORE) {
		struct span run = rlpx_window_run(a->windows, d->window, d->at, d->held);
		d->held -= rlpx_read_bytes(r, dir, a, run, out);
	}
	if (in_step(d) && d->held == 0)
		rlpx_windows_put(a->windows, &d->window);
}

static uint32_t
feed_start(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint32_t n = beginning_left(d, in.len);
	in.len = n;
	if (!note_beginning(d, d->at + d->held, in)) {
		die(r, dir, a, out);
		skip_bytes(out, n, FRAMER_SKIP_OPAQUE);
		return n;
	}
	if (d->window != NULL) {
		keep(d, a, in, out);
	} else {
		skip_bytes(out, n, FRAMER_SKIP_OPAQUE);
		d->at += n;
	}
	if (!d->has_first)
		return n;
	r->keys_seen = 0; /* here is something new to look for */
	rlpx_sync_keys(r, a);
	d->state = DIR_HOLD;
	rlpx_sync_enter(r, dir, a, out);
	read_held(r, dir, a, out);
	return n;
}

static void
feed_kept(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	if (d->state == DIR_SEARCH && d->window == NULL)
		rlpx_windows_get(a->windows, &d->window, r);
	if (d->window != NULL) {
		keep(d, a, in, out);
		return;
	}
	skip_bytes(out, in.len, why_skipped(d));
	d->at += in.len;
}

/* Bytes that rlpx_poll should have read are given up. */
static void
lose_held(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint32_t n = d->held;
	d->held = 0;
	rlpx_windows_put(a->windows, &d->window);
	skip_bytes(out, n, FRAMER_SKIP_LOST);
	rlpx_read_gap(r, dir, a, n, out);
}

uint32_t
rlpx_feed(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint32_t n = 0;
	memset(out, 0, sizeof *out);
	settle_stolen(r, dir, a, out);
	if (in_step(d) && d->held > 0)
		lose_held(r, dir, a, out);
	while (n < in.len && (out->verdict == FRAMER_MORE || (n == 0 && out->verdict == FRAMER_SKIP))) {
		struct span rest = {in.p + n, in.len - n};
		if (in_step(d)) {
			n += rlpx_read_bytes(r, dir, a, rest, out);
		} else if (d->state == DIR_START) {
			n += feed_start(r, dir, a, rest, out);
		} else if (d->state == DIR_DEAD) {
			skip_bytes(out, rest.len, FRAMER_SKIP_OPAQUE);
			n = in.len;
		} else {
			feed_kept(r, dir, a, rest, out);
			n = in.len;
		}
	}
	return n;
}

static void
gap_unread(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	empty_window(r, dir, a, out);
	d->at += n;
	if (d->state == DIR_START) {
		d->start_known = d->handshake > 0;
		d->state = DIR_HOLD;
	}
	if (n > GAP_MAX || d->at > GAP_MAX) {
		d->at = d->lost_at = d->tried_at = 0;
		d->start_known = d->base_known = d->sync_pending = d->has_first = false;
	}
	if (d->tried_at < d->at)
		d->tried_at = d->at;
}

void
rlpx_gap(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	memset(out, 0, sizeof *out);
	settle_stolen(r, dir, a, out);
	if (in_step(d) && d->held > 0)
		lose_held(r, dir, a, out);
	if (in_step(d) && n <= GAP_MAX && d->at <= GAP_MAX) {
		rlpx_read_gap(r, dir, a, n, out);
		return;
	}
	if (in_step(d)) {
		skip_bytes(out, d->hdr_n, FRAMER_SKIP_UNSYNCED);
		rlpx_read_drop(d, a);
		a->counts[RLPX_N_LOST]++;
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_GAP;
		d->state = DIR_SEARCH;
		d->mac_on = false;
		d->resync = true;
	}
	gap_unread(r, dir, a, n, out);
}

bool
rlpx_poll(struct rlpx *r, struct rlpx_arena *a, unsigned *dir, struct framer_out *out)
{
	memset(out, 0, sizeof *out);
	rlpx_sync_keys(r, a);
	for (unsigned i = 0; i < 2; i++) {
		*dir = i;
		settle_stolen(r, i, a, out);
		if (out->verdict != FRAMER_MORE)
			return true;
		rlpx_sync_enter(r, i, a, out);
		rlpx_sync_search(r, i, a);
		rlpx_sync_enter(r, i, a, out);
		read_held(r, i, a, out);
		if (out->verdict != FRAMER_MORE || out->parsed > 0)
			return true;
	}
	return false;
}

void
rlpx_end(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	memset(out, 0, sizeof *out);
	if (d->state == DIR_DEAD)
		return;
	settle_stolen(r, dir, a, out);
	skip_bytes(out, d->hdr_n, FRAMER_SKIP_UNSYNCED);
	if (d->hdr_n > 0 || (d->state == DIR_FRAME && !d->skip) || d->chunking) {
		a->counts[RLPX_N_LOST]++;
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_END;
	}
	die(r, dir, a, out);
}
