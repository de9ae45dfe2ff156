/* SPDX-License-Identifier: BSD-3-Clause */
/* A scanner with an arena of exact mallocs and a sink that writes down what it is told. */
#ifndef TEST_JSONRPC_RIG_H
#define TEST_JSONRPC_RIG_H

#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_LOG_MAX (1u << 20)

struct rig {
	struct jsonrpc j;
	struct jsonrpc_arena a;
	uint32_t slab_cap_max; /* slabs are exactly as large as asked for, up to this */
	uint8_t *slab;	       /* the one handed out, or NULL */
	uint8_t **holder;
	unsigned slabs_got, slabs_out, steals;
	bool steal_in_get;
	unsigned n_items;
	uint32_t messages;
	enum jsonrpc_status status;
	size_t log_len;
	char *log; /* "kind:state:pos/len:hex\n" for each item */
	/* what the watch was told, if there is one */
	unsigned requests, begun, ended, block_txs;
	uint64_t told; /* all of it, as a hash */
};

static inline void
rig_tell(struct rig *r, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->told = (r->told ^ ((const uint8_t *)p)[i]) * 0x100000001b3;
}

static inline void
rig_request(void *ctx, const struct jsonrpc_request *q)
{
	struct rig *r = ctx;
	uint64_t all[] = {
		q->id.text, q->id.kind, q->id.len, q->kind, q->subscription, q->batch, q->cut, q->n_items};
	r->requests++;
	rig_tell(r, all, sizeof all);
}

static inline void
rig_block(void *ctx, const struct json_block_event *e)
{
	struct rig *r = ctx;
	uint64_t all[] = {e->kind, e->state, e->index, e->end, e->raw.len};
	r->begun += e->kind == JSON_BLOCK_BEGIN;
	r->ended += e->kind == JSON_BLOCK_END;
	r->block_txs += e->kind == JSON_BLOCK_TX;
	rig_tell(r, all, sizeof all);
	rig_tell(r, e->raw.p, e->raw.len);
	if (e->block == NULL)
		return;
	const struct json_block *b = e->block;
	uint64_t more[] = {b->has, b->n_txs, b->number, b->time_s, b->versioned_hashes_left_out};
	rig_tell(r, more, sizeof more);
	rig_tell(r, b->hash, 32);
	rig_tell(r, b->parent, 32);
	rig_tell(r, b->base_fee, 32);
	rig_tell(r, b->head, 32);
	rig_tell(r, b->safe, 32);
	rig_tell(r, b->final, 32);
	rig_tell(r, b->versioned_hashes.p, b->versioned_hashes.len);
}

static uint8_t *
rig_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct rig *r = ctx;
	if (bytes == 0 || bytes > JSONRPC_RAW_MAX)
		abort();
	if (bytes > r->slab_cap_max)
		return NULL;
	if (r->steal_in_get && r->slab != NULL) {
		free(r->slab);
		r->slab = NULL;
		r->slabs_out--;
		r->steals++;
		*r->holder = NULL;
	}
	uint8_t *slab = malloc(bytes);
	*cap = bytes;
	r->holder = holder;
	r->slab = slab;
	r->slabs_got++;
	r->slabs_out++;
	return slab;
}

static void
rig_slab_put(void *ctx, uint8_t *slab)
{
	struct rig *r = ctx;
	if (slab == r->slab)
		r->slab = NULL;
	free(slab);
	r->slabs_out--;
}

/* Takes the slab back, as the arena's owner may between two calls. */
static inline void
rig_steal(struct rig *r)
{
	if (r->slab == NULL)
		return;
	free(r->slab);
	*r->holder = NULL;
	r->slab = NULL;
	r->slabs_out--;
	r->steals++;
}

static void
rig_log(char **log, size_t *len, unsigned kind, unsigned state, unsigned pos, unsigned n, const uint8_t *raw,
	size_t raw_len)
{
	size_t room = 64 + 2 * raw_len;
	if (*len + room > RIG_LOG_MAX)
		abort();
	*len += (size_t)sprintf(*log + *len, "%u:%u:%u/%u:", kind, state, pos, n);
	if (raw_len)
		hex_encode(raw, raw_len, *log + *len);
	*len += 2 * raw_len;
	*len += (size_t)sprintf(*log + *len, "\n");
}

static void
rig_sink(void *ctx, const struct jsonrpc_item *it)
{
	struct rig *r = ctx;
	bool hash = it->state == JSONRPC_HASH_ONLY && it->raw.len == 32;
	if (it->state != JSONRPC_OK && !hash && it->raw.len != 0)
		abort();
	r->n_items++;
	rig_log(&r->log, &r->log_len, it->kind, it->state, it->bundle_pos, it->bundle_len, it->raw.p,
		hash ? 0 : it->raw.len);
}

static inline void
rig_init(struct rig *r, uint32_t scratch_cap)
{
	memset(r, 0, sizeof *r);
	r->a = (struct jsonrpc_arena){
		.scratch = malloc(scratch_cap ? scratch_cap : 1),
		.scratch_cap = scratch_cap,
		.ctx = r,
		.slab_get = rig_slab_get,
		.slab_put = rig_slab_put,
	};
	r->slab_cap_max = JSONRPC_RAW_MAX;
	r->log = malloc(RIG_LOG_MAX);
	r->log[0] = 0;
	hex_init();
	jsonrpc_init(&r->j);
}

static inline void
rig_begin(struct rig *r)
{
	r->log_len = 0;
	r->log[0] = 0;
	r->n_items = 0;
	r->messages = 0;
	r->requests = r->begun = r->ended = r->block_txs = 0;
	r->told = 0xcbf29ce484222325;
	r->a.scratch_used = 0;
	jsonrpc_init(&r->j);
}

static inline void
rig_free(struct rig *r)
{
	free(r->a.scratch);
	free(r->log);
	free(r->slab);
}

/* Feeds one piece, in a buffer of its exact size. */
static inline enum jsonrpc_status
rig_feed(struct rig *r, const void *p, size_t n, bool last)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	r->a.scratch_used = 0;
	r->status = jsonrpc_feed(
		&r->j, &r->a, (struct span){n ? copy : NULL, (uint32_t)n}, last, rig_sink, r, &r->messages);
	free(copy);
	return r->status;
}

static inline enum jsonrpc_status
rig_run(struct rig *r, const void *body, size_t n)
{
	rig_begin(r);
	return rig_feed(r, body, n, true);
}

#endif
