/* SPDX-License-Identifier: BSD-3-Clause */
/* A scanner of the Arbitrum feed with an arena of exact mallocs and a sink that writes down what it is told,
 * a line an element: SEQUENCE|- KIND|- STATE [cut] BYTES|- */
#ifndef TEST_ARBFEED_RIG_H
#define TEST_ARBFEED_RIG_H

#include "wire/arbfeed.h"
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arbfeed_rig {
	struct arbfeed j;
	struct jsonrpc_arena a;
	uint32_t slab_cap_max; /* slabs are exactly as large as asked for, up to this */
	uint8_t *slab;	       /* the one handed out, or NULL */
	uint8_t **holder;
	unsigned slabs_out, steals, slabs_used;
	bool steal_in_get;
	uint32_t messages;
	enum jsonrpc_status status;
	unsigned n_events, n_state[8];
	void (*also)(void *ctx, const struct arbfeed_event *e);
	void *also_ctx;
	size_t log_len, log_cap;
	char *log;
};

static inline void
arbfeed_rig_steal(struct arbfeed_rig *r)
{
	if (r->slab == NULL)
		return;
	free(r->slab);
	*r->holder = NULL;
	r->slab = NULL;
	r->slabs_out--;
	r->steals++;
}

static uint8_t *
arbfeed_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct arbfeed_rig *r = ctx;
	if (bytes == 0 || bytes > JSONRPC_RAW_MAX)
		abort();
	if (bytes > r->slab_cap_max)
		return NULL;
	if (r->steal_in_get)
		arbfeed_rig_steal(r);
	*cap = bytes;
	r->holder = holder;
	r->slabs_out++;
	r->slabs_used++;
	return r->slab = malloc(bytes);
}

static void
arbfeed_slab_put(void *ctx, uint8_t *slab)
{
	struct arbfeed_rig *r = ctx;
	if (slab == r->slab)
		r->slab = NULL;
	free(slab);
	r->slabs_out--;
}

static void
arbfeed_rig_sink(void *ctx, const struct arbfeed_event *e)
{
	struct arbfeed_rig *r = ctx;
	size_t want = r->log_len + 2 * (size_t)e->l2msg.len + 128;
	if (want > r->log_cap)
		r->log = realloc(r->log, r->log_cap = 2 * want);
	char *at = r->log + r->log_len;
	at += e->has_sequence ? sprintf(at, "%" PRIu64 " ", e->sequence) : sprintf(at, "- ");
	at += e->has_kind ? sprintf(at, "%u ", e->kind) : sprintf(at, "- ");
	at += sprintf(at, "%u %s", e->state, e->cut ? "cut " : "");
	if (e->l2msg.len > 0)
		hex_encode(e->l2msg.p, e->l2msg.len, at);
	at += 2 * (size_t)e->l2msg.len;
	at += sprintf(at, "%s", e->l2msg.len ? "\n" : "-\n");
	r->log_len = (size_t)(at - r->log);
	r->n_events++;
	r->n_state[e->state & 7]++;
	if ((e->state != ARBFEED_OK && e->l2msg.len > 0) || e->l2msg.len > ARBFEED_L2MSG_MAX)
		abort();
	if (r->also != NULL)
		r->also(r->also_ctx, e);
}

static inline void
arbfeed_rig_init(struct arbfeed_rig *r, uint32_t scratch_cap)
{
	memset(r, 0, sizeof *r);
	r->a = (struct jsonrpc_arena){
		.scratch = malloc(scratch_cap ? scratch_cap : 1),
		.scratch_cap = scratch_cap,
		.ctx = r,
		.slab_get = arbfeed_slab_get,
		.slab_put = arbfeed_slab_put,
	};
	r->slab_cap_max = JSONRPC_RAW_MAX;
	r->log = malloc(r->log_cap = 4096);
	r->log[0] = 0;
	hex_init();
	arbfeed_init(&r->j);
}

static inline void
arbfeed_rig_begin(struct arbfeed_rig *r)
{
	r->log_len = 0;
	r->log[0] = 0;
	r->n_events = 0;
	memset(r->n_state, 0, sizeof r->n_state);
	r->messages = 0;
	memset(&r->j, 0xa5, sizeof r->j);
	arbfeed_init(&r->j);
}

static inline void
arbfeed_rig_free(struct arbfeed_rig *r)
{
	free(r->a.scratch);
	free(r->log);
	free(r->slab);
}

/* Feeds one piece, in a buffer of its exact size. */
static inline enum jsonrpc_status
arbfeed_rig_feed(struct arbfeed_rig *r, const void *p, size_t n, bool last)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	r->status = arbfeed_feed(&r->j, &r->a, (struct span){n ? copy : NULL, (uint32_t)n}, last,
		arbfeed_rig_sink, r, &r->messages);
	free(copy);
	return r->status;
}

static inline enum jsonrpc_status
arbfeed_rig_run(struct arbfeed_rig *r, const void *body, size_t n)
{
	arbfeed_rig_begin(r);
	return arbfeed_rig_feed(r, body, n, true);
}

static inline void
arbfeed_rig_cut(struct arbfeed_rig *r)
{
	arbfeed_cut(&r->j, &r->a, arbfeed_rig_sink, r);
}

#endif
