/* SPDX-License-Identifier: BSD-3-Clause */
/* An answer scanner with an arena of exact mallocs and a sink that writes down what it is told, a line an
 *event: R ID RESULT ...       T STATE BUILT HASH MINED RAW       W PLACE RAW       H PLACE INDEX HASH B begin
 *| tx INDEX STATE RAW | end HOW N HASH NUMBER PARENT TIME FEE       V VALUE       S STATUS HASH Ids are
 *kind:length:text, and stand in front of R alone; N in front of a line: of a notification. */
#ifndef TEST_ANSWER_RIG_H
#define TEST_ANSWER_RIG_H

#include "eth/txfields.h"
#include "wire/answer.h"
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer_rig {
	struct answer j;
	struct jsonrpc_arena a;
	uint32_t slab_cap_max; /* slabs are exactly as large as asked for, up to this */
	uint8_t *slab;	       /* the one handed out, or NULL */
	uint8_t **holder;
	unsigned slabs_out, steals;
	bool steal_in_get, ids;
	uint32_t messages;
	enum jsonrpc_status status;
	unsigned n_events, begun, ended, txs, n_tx[TXFIELDS_STATE_COUNT];
	size_t log_len, log_cap;
	char *log;
};

static uint8_t *
answer_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	struct answer_rig *r = ctx;
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
	r->slabs_out++;
	return slab;
}

static void
answer_slab_put(void *ctx, uint8_t *slab)
{
	struct answer_rig *r = ctx;
	if (slab == r->slab)
		r->slab = NULL;
	free(slab);
	r->slabs_out--;
}

static inline void
answer_rig_steal(struct answer_rig *r)
{
	if (r->slab == NULL)
		return;
	free(r->slab);
	*r->holder = NULL;
	r->slab = NULL;
	r->slabs_out--;
	r->steals++;
}

__attribute__((format(printf, 2, 3))) static void
put(struct answer_rig *r, const char *fmt, ...)
{
	va_list ap;
	if (r->log_len + 256 > r->log_cap)
		r->log = realloc(r->log, r->log_cap = 2 * r->log_cap + 4096);
	va_start(ap, fmt);
	r->log_len += (size_t)vsnprintf(r->log + r->log_len, 256, fmt, ap);
	va_end(ap);
}

static void
put_hex(struct answer_rig *r, struct span s)
{
	if (r->log_len + 2 * (size_t)s.len + 256 > r->log_cap)
		r->log = realloc(r->log, r->log_cap = 2 * r->log_cap + 2 * (size_t)s.len + 4096);
	if (s.len > 0)
		hex_encode(s.p, s.len, r->log + r->log_len);
	r->log_len += 2 * (size_t)s.len;
	put(r, "%s", s.len == 0 ? "- " : " ");
}

static void
put_id(struct answer_rig *r, struct json_id id)
{
	put(r, "%u:%u:%" PRIx64 " ", id.kind, id.len, id.text);
}

static void
put_tx(struct answer_rig *r, const struct answer_tx *t)
{
	uint8_t *out = malloc(TXFIELDS_ROOM);
	uint32_t len;
	enum txfields_state built = txfields_build(t, out, &len);
	r->n_tx[built]++;
	r->txs++;
	put(r, "T %u %u %s ", t->state, built, answer_tx_mined(t) ? "mined" : "pending");
	put_hex(r, answer_tx_member(t, TXM_HASH));
	put_hex(r, (struct span){out, len});
	free(out);
}

static void
put_block(struct answer_rig *r, const struct json_block_event *e)
{
	const struct json_block *b = e->block;
	r->begun += e->kind == JSON_BLOCK_BEGIN;
	r->ended += e->kind == JSON_BLOCK_END;
	switch (e->kind) {
	case JSON_BLOCK_BEGIN:
		put(r, "B begin ");
		break;
	case JSON_BLOCK_TX:
		put(r, "B tx %u %u ", e->index, e->state);
		put_hex(r, e->raw);
		break;
	default:
		put(r, "B %s %u %u %x ", e->kind == JSON_BLOCK_END ? "end" : "heads", e->end, b->n_txs,
			b->has);
		if (b->has & BLOCK_HASH)
			put_hex(r, (struct span){b->hash, 32});
		if (b->has & BLOCK_PARENT)
			put_hex(r, (struct span){b->parent, 32});
		if (b->has & BLOCK_HEAD)
			put_hex(r, (struct span){b->head, 32});
		if (b->has & BLOCK_SAFE)
			put_hex(r, (struct span){b->safe, 32});
		if (b->has & BLOCK_FINAL)
			put_hex(r, (struct span){b->final, 32});
		put(r, "%" PRIu64 " %" PRIu64 " ", b->number, b->time_s);
		if (b->has & BLOCK_BASE_FEE)
			put_hex(r, (struct span){b->base_fee + 24, 8});
		put_hex(r, b->versioned_hashes);
		put(r, "%u ", b->versioned_hashes_left_out);
		break;
	}
}

static void
put_response(struct answer_rig *r, const struct answer_event *e)
{
	put(r, "R ");
	put_id(r, e->id);
	put(r, "%u ", e->result);
	if (e->result == ANSWER_IS_HASH)
		put_hex(r, (struct span){e->hash, 32});
	if (e->result == ANSWER_IS_BYTES)
		put_hex(r, e->raw);
	if (e->result == ANSWER_OTHER)
		put_id(r, e->text);
	if (e->result == ANSWER_ERROR) {
		put(r, "%u %d ", e->error, e->code);
		put_hex(r, e->message);
	}
}

static void
answer_rig_sink(void *ctx, const struct answer_event *e)
{
	struct answer_rig *r = ctx;
	r->n_events++;
	if (r->ids) {
		put_id(r, e->id);
		put_id(r, e->subscription);
	}
	if (e->notification)
		put(r, "N ");
	switch (e->kind) {
	case ANSWER_RESPONSE:
		put_response(r, e);
		break;
	case ANSWER_TX:
		put_tx(r, e->tx);
		break;
	case ANSWER_RAW:
		put(r, "W %u ", e->place);
		put_hex(r, e->raw);
		break;
	case ANSWER_HASH:
		put(r, "H %u %u ", e->place, e->index);
		put_hex(r, (struct span){e->hash, 32});
		break;
	case ANSWER_BLOCK:
		put_block(r, e->block);
		break;
	case ANSWER_VALUE:
		put(r, "V ");
		put_hex(r, e->raw);
		break;
	case ANSWER_STATUS:
		put(r, "S %u ", e->status);
		put_hex(r, (struct span){e->hash, e->hash ? 32 : 0});
		break;
	}
	r->log[r->log_len - 1] = '\n';
}

static inline void
answer_rig_init(struct answer_rig *r, uint32_t scratch_cap)
{
	memset(r, 0, sizeof *r);
	r->a = (struct jsonrpc_arena){
		.scratch = malloc(scratch_cap ? scratch_cap : 1),
		.scratch_cap = scratch_cap,
		.ctx = r,
		.slab_get = answer_slab_get,
		.slab_put = answer_slab_put,
	};
	r->slab_cap_max = JSONRPC_RAW_MAX;
	r->log = malloc(r->log_cap = 4096);
	r->log[0] = 0;
	hex_init();
	answer_init(&r->j);
}

static inline void
answer_rig_begin(struct answer_rig *r, bool stream)
{
	r->log_len = 0;
	r->log[0] = 0;
	r->n_events = r->begun = r->ended = r->txs = 0;
	memset(r->n_tx, 0, sizeof r->n_tx);
	r->messages = 0;
	memset(&r->j, 0xa5, sizeof r->j);
	if (stream)
		answer_init_stream(&r->j);
	else
		answer_init(&r->j);
}

static inline void
answer_rig_free(struct answer_rig *r)
{
	free(r->a.scratch);
	free(r->log);
	free(r->slab);
}

/* Feeds one piece, in a buffer of its exact size. */
static inline enum jsonrpc_status
answer_rig_feed(struct answer_rig *r, const void *p, size_t n, bool last)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	r->status = answer_feed(&r->j, &r->a, (struct span){n ? copy : NULL, (uint32_t)n}, last,
		answer_rig_sink, r, &r->messages);
	free(copy);
	return r->status;
}

static inline enum jsonrpc_status
answer_rig_run(struct answer_rig *r, const void *body, size_t n)
{
	answer_rig_begin(r, false);
	return answer_rig_feed(r, body, n, true);
}

#endif
