/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of rlpx share: an arena on the heap, whose buffers have their exact sizes so that a
 * sanitizer sees a write too far, and the loop that a worker runs, which checks the framer contract: every
 * byte given is parsed, skipped or held. */
#ifndef TESTS_RLPX_RIG_H
#define TESTS_RLPX_RIG_H

#include "wire/rlpx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RIG_SLABS 64
#ifndef RIG_OUT
#define RIG_OUT (256u << 10)
#endif

typedef void (*rig_message)(void *ctx, struct rlpx *r, unsigned dir, struct span payload);

struct rig {
	struct rlpx_arena arena;
	struct rlpx_windows windows;
	void *window_memory;
	struct {
		uint8_t *bytes, **holder;
	} slab[RIG_SLABS];
	uint32_t slab_max, slabs_out; /* the largest given; how many are out */
	rig_message message;
	void *ctx;
	uint64_t given[2], parsed[2], skipped[2], lost[2][3], messages[2], skipped_for[3];
};

static uint8_t *
rig_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct rig *g = ctx;
	if (bytes > g->slab_max)
		return NULL;
	for (unsigned i = 0; i < RIG_SLABS; i++) {
		if (g->slab[i].bytes != NULL)
			continue;
		g->slab[i].bytes = malloc(bytes);
		g->slab[i].holder = holder;
		g->slabs_out++;
		*cap = bytes;
		return g->slab[i].bytes;
	}
	return NULL;
}

static void
rig_slab_put(void *ctx, uint8_t *slab)
{
	struct rig *g = ctx;
	for (unsigned i = 0; i < RIG_SLABS; i++) {
		if (g->slab[i].bytes != slab)
			continue;
		free(slab);
		g->slab[i].bytes = NULL;
		g->slabs_out--;
		return;
	}
	abort();
}

/* Takes every slab back, as a pool does that is used up. */
__attribute__((unused)) static void
rig_steal_slabs(struct rig *g)
{
	for (unsigned i = 0; i < RIG_SLABS; i++) {
		if (g->slab[i].bytes == NULL)
			continue;
		*g->slab[i].holder = NULL;
		free(g->slab[i].bytes);
		g->slab[i].bytes = NULL;
		g->slabs_out--;
	}
}

static void
rig_init(struct rig *g, uint32_t windows, uint32_t window_bytes, rig_message message, void *ctx)
{
	memset(g, 0, sizeof *g);
	g->slab_max = 3u << 20;
	g->message = message;
	g->ctx = ctx;
	size_t bytes = (rlpx_windows_bytes(windows, window_bytes) + 127) & ~(size_t)63;
	g->window_memory = aligned_alloc(64, bytes);
	rlpx_windows_init(&g->windows, g->window_memory, windows, window_bytes);
	g->arena = (struct rlpx_arena){
		.windows = &g->windows,
		.search = calloc(1, sizeof(struct rlpx_search)),
		.search_slice = 1u << 30,
		.check_macs = true,
		.frame = malloc(65536),
		.frame_cap = 65536,
		.out = malloc(RIG_OUT),
		.out_cap = RIG_OUT,
		.ctx = g,
		.slab_get = rig_slab_get,
		.slab_put = rig_slab_put,
	};
}

__attribute__((unused)) static void
rig_free(struct rig *g)
{
	rig_steal_slabs(g);
	free(g->window_memory);
	free(g->arena.search);
	free(g->arena.frame);
	free(g->arena.out);
}

static void
rig_use(struct rig *g, struct rlpx *r, unsigned dir, const struct framer_out *o)
{
	g->parsed[dir] += o->parsed;
	g->skipped[dir] += o->skipped;
	if (o->skipped > 0) {
		assert(o->reason <= FRAMER_SKIP_LOST && o->verdict != FRAMER_MORE);
		g->skipped_for[o->reason] += o->skipped;
	}
	if (o->verdict == FRAMER_LOST)
		g->lost[dir][o->lost]++;
	if (o->verdict != FRAMER_MESSAGE)
		return;
	assert(o->last);
	g->messages[dir]++;
	if (g->message != NULL)
		g->message(g->ctx, r, dir, o->body);
}

static void
rig_check(const struct rig *g, const struct rlpx *r)
{
	for (unsigned dir = 0; dir < 2; dir++)
		assert(g->given[dir] == g->parsed[dir] + g->skipped[dir] + rlpx_held(r, dir));
}

static void
rig_poll(struct rig *g, struct rlpx *r)
{
	struct framer_out o;
	unsigned dir;
	while (rlpx_poll(r, &g->arena, &dir, &o)) {
		assert(o.parsed > 0 || o.skipped > 0);
		rig_use(g, r, dir, &o);
	}
	rig_check(g, r);
}

static void
rig_feed(struct rig *g, struct rlpx *r, unsigned dir, struct span in)
{
	rig_poll(g, r);
	bool idle = false;
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = rlpx_feed(r, dir, &g->arena, in, &o);
		assert(n <= in.len && (n > 0 || !idle));
		assert(n > 0 || o.verdict == FRAMER_LOST || o.verdict == FRAMER_SKIP);
		idle = n == 0;
		g->given[dir] += n;
		rig_use(g, r, dir, &o);
		in.p += n;
		in.len -= n;
		rig_poll(g, r);
	}
}

__attribute__((unused)) static void
rig_gap(struct rig *g, struct rlpx *r, unsigned dir, uint64_t n)
{
	struct framer_out o;
	rig_poll(g, r);
	rlpx_gap(r, dir, &g->arena, n, &o);
	rig_use(g, r, dir, &o);
	rig_poll(g, r);
}

static void
rig_end(struct rig *g, struct rlpx *r)
{
	struct framer_out o;
	rig_poll(g, r);
	for (unsigned dir = 0; dir < 2; dir++) {
		rlpx_end(r, dir, &g->arena, &o);
		rig_use(g, r, dir, &o);
		assert(rlpx_held(r, dir) == 0);
		rlpx_end(r, dir, &g->arena, &o);
		assert(o.verdict == FRAMER_MORE && o.parsed + o.skipped == 0);
	}
	rig_check(g, r);
}

#endif
