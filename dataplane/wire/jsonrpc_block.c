/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of the engine API in requests. */
#include "wire/jsonrpc_private.h"

#include <string.h>

static void
show(struct scan *s, const struct json_block_event *e)
{
	s->a->watch->block(s->ctx, e);
}

void
rpc_block_begin(struct scan *s)
{
	struct json_block_event e = {.kind = JSON_BLOCK_BEGIN};
	s->j->in_block = true;
	s->j->n_txs = 0;
	show(s, &e);
}

void
rpc_block_tx(struct scan *s, unsigned state, uint32_t len)
{
	struct jsonrpc *j = s->j;
	struct json_block_event e = {.kind = JSON_BLOCK_TX, .state = (uint8_t)state, .index = j->n_txs};
	j->h.used -= len;
	if (state == JSONRPC_OK)
		e.raw = (struct span){hold_buffer(&j->h, s->a) + j->h.used, len};
	j->n_txs++;
	show(s, &e);
}

static uint64_t
number_of(const uint8_t *p, uint32_t len)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < len; i++)
		v = v << 8 | p[i];
	return v;
}

static void
take_hash(struct json_block *b, unsigned bit, uint8_t out[32], const uint8_t *p, uint32_t len)
{
	if (len != 32)
		return;
	memcpy(out, p, 32);
	b->has |= bit;
}

static void
take_member(struct json_block *b, const struct jsonrpc_rec *r, const uint8_t *p)
{
	switch (r->role) {
	case ROLE_BLOCK_HASH:
		take_hash(b, BLOCK_HASH, b->hash, p, r->len);
		break;
	case ROLE_PARENT:
		take_hash(b, BLOCK_PARENT, b->parent, p, r->len);
		break;
	case ROLE_HEAD:
		take_hash(b, BLOCK_HEAD, b->head, p, r->len);
		break;
	case ROLE_SAFE:
		take_hash(b, BLOCK_SAFE, b->safe, p, r->len);
		break;
	case ROLE_FINAL:
		take_hash(b, BLOCK_FINAL, b->final, p, r->len);
		break;
	case ROLE_NUMBER:
		if (r->len > 8)
			break;
		b->number = number_of(p, r->len);
		b->has |= BLOCK_NUMBER;
		break;
	case ROLE_TIME:
		if (r->len > 8)
			break;
		b->time_s = number_of(p, r->len);
		b->has |= BLOCK_TIME;
		break;
	case ROLE_BASE_FEE:
		if (r->len > 32)
			break;
		memcpy(b->base_fee + 32 - r->len, p, r->len);
		b->has |= BLOCK_BASE_FEE;
		break;
	default:
		break;
	}
}

/* The block of the records; versioned hashes are moved together, over records that are of no more use. */
static void
gather(struct scan *s, struct json_block *b)
{
	struct jsonrpc *j = s->j;
	uint8_t *p = hold_buffer(&j->h, s->a), *hashes = p;
	b->versioned_hashes_left_out = j->in_excess ? items_excess_of(j, ROLE_BIT(ROLE_VERSIONED)) : 0;
	for (unsigned i = 0; i < j->n_recs; i++) {
		const struct jsonrpc_rec *r = &j->recs[i];
		if (r->role == ROLE_VERSIONED) {
			if (r->state == JSONRPC_OK && r->len == 32) {
				memmove(hashes, p, 32);
				hashes += 32;
			} else if (r->state != REC_DEAD) {
				b->versioned_hashes_left_out++;
			}
		} else if (r->state == JSONRPC_OK && r->len > 0) {
			take_member(b, r, p);
		}
		p += r->len;
	}
	uint32_t n = (uint32_t)(hashes - hold_buffer(&j->h, s->a));
	b->versioned_hashes = (struct span){n ? hold_buffer(&j->h, s->a) : NULL, n};
}

void
rpc_block_end(struct scan *s, enum json_block_end end)
{
	struct jsonrpc *j = s->j;
	bool payload = j->kind == JSONRPC_NEW_PAYLOAD && end != JSON_BLOCK_VOID && rpc_block_wanted(s);
	bool heads = j->kind == JSONRPC_FORKCHOICE && end == JSON_BLOCK_WHOLE && rpc_block_wanted(s);
	if (payload && !j->in_block)
		rpc_block_begin(s);
	struct json_block b = {.n_txs = j->n_txs};
	struct json_block_event e = {.kind = JSON_BLOCK_END, .block = &b};
	if (payload || heads)
		gather(s, &b);
	if (j->in_block) {
		bool unknown = end == JSON_BLOCK_CUT && !j->method_read;
		e.end = payload || unknown ? end : JSON_BLOCK_VOID;
		show(s, &e);
	}
	j->in_block = false;
	j->n_txs = 0;
	if (heads) {
		e = (struct json_block_event){.kind = JSON_BLOCK_HEADS, .block = &b};
		show(s, &e);
	}
}
