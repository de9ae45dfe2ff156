/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's side of facts.h. */
#include "worker/facts.h"

#include "eth/keccak.h"
#include "worker/worker_private.h"

#include <string.h>

/* Eighths of the pipe that may be in use after a fact of this kind: a block misses none of its transactions before pendings are left out. */
#define ROOM_PENDING 2u
#define ROOM_BLOCK 6u
#define ROOM_ALL 8u /* what a node accepts: as findings, which it turns into alerts of weight */

static void *
reserve(struct worker *w, size_t bytes, unsigned eighths)
{
	if (!w->lives)
		return NULL;
	void *m = pipe_reserve_soft(&w->pipe, (uint32_t)bytes, eighths);
	w->ctr[CTR_FACTS_LEFT_OUT] += m == NULL;
	return m;
}

/* What is too long to travel is known by its hash. */
static struct fact_tx *
tx_fact(struct worker *w, unsigned kind, struct span raw, unsigned eighths)
{
	uint32_t travels = raw.len <= TX_BYTES_MAX ? raw.len : 0;
	struct fact_tx *f = reserve(w, sizeof *f + travels, eighths);
	if (f == NULL)
		return NULL;
	*f = (struct fact_tx){.kind = kind, .raw_len = travels, .t_ns = w->now_ns};
	if (travels > 0)
		memcpy(f->raw, raw.p, travels);
	else
		keccak256(&raw, 1, f->hash);
	return f;
}

static struct fact_tx *
hash_fact(struct worker *w, unsigned kind, const uint8_t hash[32], unsigned eighths)
{
	struct fact_tx *f = reserve(w, sizeof *f, eighths);
	if (f == NULL)
		return NULL;
	*f = (struct fact_tx){.kind = kind, .t_ns = w->now_ns};
	memcpy(f->hash, hash, 32);
	return f;
}

void *
fact_reserve(struct worker *w, uint32_t bytes)
{
	return reserve(w, bytes, ROOM_PENDING);
}

void
fact_announced(struct worker *w, const uint8_t hash[32], int type, uint32_t size)
{
	struct fact_announced *f = reserve(w, sizeof *f, ROOM_PENDING);
	w->ctr[CTR_HASHES_ANNOUNCED]++;
	if (f == NULL)
		return;
	*f = (struct fact_announced){.kind = FACT_ANNOUNCED, .type = type, .size = size, .t_ns = w->now_ns};
	memcpy(f->hash, hash, 32);
	pipe_commit(&w->pipe);
}

void
fact_refused(struct worker *w, uint64_t fingerprint, uint8_t reason)
{
	struct fact_node *f = reserve(w, sizeof *f, ROOM_PENDING);
	if (f == NULL)
		return;
	*f = (struct fact_node){
		.kind = FACT_NODE, .reason = reason, .trust = crossing_trust(w), .t_ns = w->now_ns, .fingerprint = fingerprint};
	pipe_commit(&w->pipe);
}

void
fact_accepted(struct worker *w, const uint8_t hash[32], uint64_t asked, uint32_t trust)
{
	aside_accepted(w, asked);
	struct fact_node *f = reserve(w, sizeof *f, ROOM_ALL);
	if (f == NULL)
		return;
	*f = (struct fact_node){.kind = FACT_NODE, .accepted = true, .trust = trust, .t_ns = w->now_ns, .asked = asked};
	memcpy(f->hash, hash, 32);
	pipe_commit(&w->pipe);
}

void
fact_mined(struct worker *w, struct span raw, struct span block_hash)
{
	struct fact_tx *f = tx_fact(w, FACT_MINED, raw, ROOM_BLOCK);
	if (f == NULL)
		return;
	f->has_block = block_hash.len == 32;
	if (f->has_block)
		memcpy(f->block, block_hash.p, 32);
	pipe_commit(&w->pipe);
}

void
fact_bundle(struct worker *w, struct span raw, bool hash, uint32_t pos, uint32_t len)
{
	struct fact_tx *f = hash ? hash_fact(w, FACT_BUNDLE, raw.p, ROOM_BLOCK) : tx_fact(w, FACT_BUNDLE, raw, ROOM_BLOCK);
	if (f == NULL)
		return;
	f->handle = w->bundle;
	f->pos = pos;
	f->len = len;
	pipe_commit(&w->pipe);
}

/* ---- blocks ---- */

static void
block_fact(struct worker *w, unsigned kind, uint64_t handle)
{
	struct fact_block *f = reserve(w, sizeof *f, ROOM_BLOCK);
	if (f == NULL)
		return;
	*f = (struct fact_block){.kind = kind, .t_ns = w->now_ns, .handle = handle};
	pipe_commit(&w->pipe);
}

static struct conn_side *
side(struct worker *w)
{
	return &w->conn->side[w->dir];
}

void
fact_block_open(struct worker *w)
{
	side(w)->block = w->handles | ++w->n_handles;
	block_fact(w, FACT_BLOCK_OPEN, side(w)->block);
}

void
fact_block_tx(struct worker *w, struct span raw, bool hash)
{
	if (side(w)->block == 0)
		return;
	struct fact_tx *f = hash ? hash_fact(w, FACT_BLOCK_TX, raw.p, ROOM_BLOCK) : tx_fact(w, FACT_BLOCK_TX, raw, ROOM_BLOCK);
	if (f == NULL)
		return;
	f->handle = side(w)->block;
	pipe_commit(&w->pipe);
}

void
fact_block_unread(struct worker *w)
{
	if (side(w)->block != 0)
		block_fact(w, FACT_BLOCK_UNREAD, side(w)->block);
}

void
fact_block_close(struct worker *w, const struct json_block *b, bool whole, unsigned source)
{
	uint64_t handle = side(w)->block;
	side(w)->block = 0;
	side(w)->has_block_hash = whole && (b->has & BLOCK_HASH);
	if (side(w)->has_block_hash)
		memcpy(side(w)->block_hash, b->hash, 32);
	struct fact_block *f = handle != 0 ? reserve(w, sizeof *f, ROOM_BLOCK) : NULL;
	if (f == NULL)
		return;
	*f = (struct fact_block){.kind = FACT_BLOCK_CLOSE,
		.source = (uint8_t)source,
		.whole = whole,
		.has_hash = b->has & BLOCK_HASH,
		.has_parent = b->has & BLOCK_PARENT,
		.has_number = b->has & BLOCK_NUMBER,
		.t_ns = w->now_ns,
		.handle = handle,
		.number = b->number};
	memcpy(f->hash, b->hash, 32);
	memcpy(f->parent, b->parent, 32);
	pipe_commit(&w->pipe);
}

void
fact_of_block(struct worker *w, unsigned kind, const uint8_t hash[32], bool valid)
{
	struct fact_block *f = reserve(w, sizeof *f, ROOM_BLOCK);
	if (f == NULL)
		return;
	*f = (struct fact_block){.kind = kind, .valid = valid, .has_hash = true, .t_ns = w->now_ns};
	memcpy(f->hash, hash, 32);
	pipe_commit(&w->pipe);
}
