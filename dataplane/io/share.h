/* SPDX-License-Identifier: BSD-3-Clause */
/* share: one worker's share of a capture file: every worker reads the whole file and takes the frames whose
 * flow falls to it, so that a file goes through any number of workers without a distributor. */
#ifndef IO_SHARE_H
#define IO_SHARE_H

#include "io/source.h"
#include "net/spread.h"

#include <stdatomic.h>

struct share {
	struct source source;
	uint32_t index, n;
	bool end;
	/* frames on their way through `spread`, which may keep some: a slot each, used or not */
	struct spread *spread;
	struct source_frame slot[SPREAD_OUT_MAX];
	bool used[SPREAD_OUT_MAX];
	/* frames of this share, in order */
	struct source_frame ready[SPREAD_OUT_MAX];
	unsigned n_ready, at_ready;
	_Atomic uint64_t passed; /* frames read, this worker's or not */
};

/* share_open: as source_open, and -ENOMEM. All shares of a file need the same seed and rules. */
int share_open(struct share *s, const char *path, uint32_t index, uint32_t n, const uint32_t seed[4],
	const struct decode_rules *rules, char *err, size_t err_cap);

/* share_next is the `next` of struct lcore_frames; ctx is a struct share. Looks at no more than 16 frames for
 * each it may return. */
int share_next(void *ctx, unsigned n, struct span *frames, uint32_t *wire_len, uint64_t *now_ns,
	enum net_link *link);

#endif
