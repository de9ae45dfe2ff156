/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/worker_private.h"

#include "wire/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


void
worker_config_default(struct worker_config *c)
{
	*c = (struct worker_config){
		.stream =
			{
				.flows_max = 65536,
				.ooo_slabs = 8192,
				.ooo_segments_dir = 256,
				.ooo_bytes_dir = 512u << 10,
				.gap_ack_frames = 256,
				.history_bytes = 8192,
				.gap_age_ns = 200000000ull,
				.idle_ns = 300000000000ull,
				.hash_seed = {0x9e3779b9u, 0x7f4a7c15u, 0xf39cc060u, 0x5cedc834u},
			},
		.conns_max = 4096,
		.slabs = {1024, 64, 8},
		.inflates = 256,
		.joins = 8192,
		.rlpx_windows = 256,
		.lives = true,
		.seen_entries = 1u << 20,
		.seen_ttl_ns = 1800ull * 1000000000ull,
		.pipe_bytes = 4u << 20,
	};
}

static uint8_t *
arena_slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	return slabs_get(ctx, bytes, cap, holder);
}

static void
arena_slab_put(void *ctx, uint8_t *slab)
{
	slabs_put(ctx, slab);
}

static void *
take(struct worker *w, worker_alloc alloc, size_t bytes, bool *ok)
{
	void *p = alloc(bytes);
	if (p == NULL)
		*ok = false;
	else
		w->memory += bytes;
	return p;
}

static int
take_memory(struct worker *w, const struct worker_config *c, worker_alloc alloc)
{
	bool ok = true;
	struct stream_config sc = c->stream;
	void *stream = take(w, alloc, stream_bytes(&sc), &ok);
	struct conn *conns = take(w, alloc, sizeof(struct conn) * (size_t)c->conns_max, &ok);
	uint8_t *scratch = take(w, alloc, SCRATCH_BYTES, &ok);
	void *slabs = take(w, alloc, slabs_bytes(c->slabs), &ok);
	void *seen = take(w, alloc, seen_bytes(c->seen_entries), &ok);
	uint8_t *pipe = take(w, alloc, c->pipe_bytes, &ok);
	void *joins = take(w, alloc, join_pool_bytes(c->joins), &ok);
	void *evidence = take(w, alloc, evidence_bytes(c->conns_max), &ok);
	void *aside = c->aside_bytes > 0 ? take(w, alloc, aside_bytes(c->aside_bytes), &ok) : NULL;
	void *inflates = take(w, alloc, inflate_pool_bytes(c->inflates), &ok);
	w->probe_http = take(w, alloc, sizeof *w->probe_http, &ok);
	w->probe_json = take(w, alloc, sizeof *w->probe_json, &ok);
	w->built = take(w, alloc, BUILT_BYTES, &ok);
	w->unmasked = take(w, alloc, UNMASKED_BYTES, &ok);
	w->plain = take(w, alloc, PLAIN_BYTES, &ok);
	w->swaps = take(w, alloc, sizeof *w->swaps, &ok);
	struct stats_node_feed *sides = c->sides == NULL ? take(w, alloc, sizeof *sides * SIDES_MAX, &ok) : NULL;
	if (!ok)
		return -ENOMEM;
	int rc = inflate_pool_init(&w->inflates, inflates, c->inflates);
	if (rc != 0)
		return rc;
	join_pool_init(&w->joins, joins, c->joins);
	if (aside != NULL)
		aside_init(&w->aside, aside, c->aside_bytes);
	evidence_init(&w->evidence, evidence, c->conns_max, c->evidence_grace_ns, c->evidence_answer_grace_ns);
	w->stream = stream_init(stream, &sc, &feed_ops, w, w->ctr);
	w->sides.of = c->sides != NULL ? c->sides : sides;
	w->seen = seen_init(seen, c->seen_entries, c->seen_key, c->seen_ttl_ns, w->ctr);
	if (w->stream == NULL || w->seen == NULL)
		return -EINVAL;
	stream_tally(w->stream, w->sides.of[0].segments);
	conn_pool_init(&w->conns, conns, c->conns_max);
	slabs_init(&w->slabs, slabs, c->slabs);
	pipe_init(&w->pipe, pipe, c->pipe_bytes);
	jsonrpc_init(w->probe_json);
	w->arena = (struct jsonrpc_arena){
		.scratch = scratch,
		.scratch_cap = SCRATCH_BYTES,
		.ctx = &w->slabs,
		.slab_get = arena_slab_get,
		.slab_put = arena_slab_put,
		.watch = &w->watch,
	};
	w->watch = (struct jsonrpc_watch){take_request, take_block};
	return 0;
}

static int
take_rlpx_memory(struct worker *w, const struct worker_config *c, worker_alloc alloc)
{
	bool ok = true;
	void *windows = take(w, alloc, rlpx_windows_bytes(c->rlpx_windows, RLPX_WINDOW_BYTES), &ok);
	w->h2_bodies.of = take(w, alloc, sizeof *w->h2_bodies.of * H2_BODIES, &ok);
	w->far = take(w, alloc, sizeof *w->far, &ok);
	w->rlpx = (struct rlpx_arena){
		.windows = &w->windows,
		.search = take(w, alloc, sizeof(struct rlpx_search), &ok),
		.search_slice = RLPX_SLICE_BLOCKS,
		.check_macs = true,
		.frame = take(w, alloc, RLPX_FRAME_BYTES, &ok),
		.frame_cap = RLPX_FRAME_BYTES,
		.out = take(w, alloc, RLPX_OUT_BYTES, &ok),
		.out_cap = RLPX_OUT_BYTES,
		.ctx = &w->slabs,
		.slab_get = arena_slab_get,
		.slab_put = arena_slab_put,
	};
	if (!ok)
		return -ENOMEM;
	w->search_at_once = c->rlpx_search_at_once;
	grpc_arena_init(w);
	rlpx_windows_init(&w->windows, windows, c->rlpx_windows, RLPX_WINDOW_BYTES);
	return 0;
}

struct worker *
worker_new(const struct worker_config *c, const struct ruleset *rules, uint64_t *counters, worker_alloc alloc)
{
	if ((c->aside_bytes & (c->aside_bytes - 1)) != 0 || (c->aside_bytes > 0 && c->aside_bytes < ASIDE_BYTES_MIN) || c->conns_max == 0 || c->inflates == 0 || c->joins == 0 || c->rlpx_windows == 0 || c->pipe_bytes < PIPE_BYTES_MIN || (c->pipe_bytes & (c->pipe_bytes - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	hex_init();
	struct worker *w = alloc(sizeof *w);
	if (w == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	w->memory = sizeof *w;
	w->ctr = counters;
	static const struct nodes nobody;
	feeds_begin(w, &c->feeds);
	w->nodes = c->nodes != NULL ? c->nodes : &nobody;
	w->lives = c->lives;
	w->code_all = c->code_all;
	w->handles = (uint64_t)(c->number + 1) << 48;
	int rc = take_memory(w, c, alloc);
	if (rc == 0)
		rc = take_rlpx_memory(w, c, alloc);
	if (rc == 0) {
		w->rules = rules;
		w->model = ruleset_model(rules);
		judge_init(w, c->protect);
		w->detect = detect_new(rules);
		w->code = code_new();
		rc = w->detect == NULL || w->code == NULL ? -errno : 0;
	}
	if (rc != 0) {
		errno = -rc;
		return NULL;
	}
	return w;
}

void
worker_delete(struct worker *w)
{
	detect_free(w->detect);
	code_free(w->code);
	w->detect = NULL;
	w->code = NULL;
}

void
worker_listen(struct worker *w, worker_listener fn, void *ctx)
{
	w->listener = fn;
	w->listener_ctx = ctx;
}

void
worker_stopwatch(struct worker *w, const struct stopwatch *s)
{
	w->stopwatch = *s;
}

struct pipe *
worker_pipe(struct worker *w)
{
	return &w->pipe;
}

size_t
worker_memory(const struct worker *w)
{
	return w->memory;
}

static void
end_burst(struct worker *w, uint64_t now_ns, uint64_t reached_ns)
{
	judge_now(w);
	w->end_flow = NULL;
	aside_tell(w);
	evidence_tell(w, now_ns);
	pipe_reached(&w->pipe, reached_ns);
	w->arena.scratch_used = 0;
	rlpx_count(w);
	grpc_count_all(w);
	sides_settle(w);
}

void
worker_link(struct worker *w, enum net_link link)
{
	stream_link(w->stream, link);
}

void
worker_checksum(struct worker *w, bool verify)
{
	stream_checksum(w->stream, verify);
}

void
worker_frames(struct worker *w, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns)
{
	feeds_take(w);
	rlpx_keys_take(w);
	stream_frames(w->stream, n, frames, wire_len, now_ns);
	end_burst(w, n > 0 ? now_ns[n - 1] : 0, n > 0 ? now_ns[n - 1] : 0);
}

void
worker_housekeep(struct worker *w, uint64_t now_ns)
{
	w->now_ns = now_ns;
	feeds_take(w);
	rlpx_keys_take(w);
	stream_housekeep(w->stream, now_ns);
	rlpx_look_after(w);
	end_burst(w, now_ns, now_ns);
	w->ctr[CTR_SLABS_STOLEN] = w->slabs.stolen;
}

void
worker_flush(struct worker *w, uint64_t now_ns)
{
	w->now_ns = now_ns;
	stream_flush(w->stream, now_ns);
	end_burst(w, UINT64_MAX, UINT64_MAX);
	aside_flush(w);
	evidence_tell(w, UINT64_MAX);
	w->ctr[CTR_SLABS_STOLEN] = w->slabs.stolen;
}
