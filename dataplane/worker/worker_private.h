/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a worker, shared by its three parts: worker.c (making it, bursts), feed.c (stream -> transactions) and judge.c
 * (transactions -> findings). Nobody else includes this. */
#ifndef WORKER_PRIVATE_H
#define WORKER_PRIVATE_H

#include "abi/counters.h"
#include "worker/conn.h"
#include "worker/slabs.h"
#include "worker/worker.h"

#define PENDING_MAX 128u
/* Longest run of decoded bytes that one burst collects before its transactions are judged: keeps them in the second-level cache. */
#define SCRATCH_SOFT (192u << 10)
#define SCRATCH_BYTES (2621440u + (256u << 10))

/* A transaction waiting for the end of its burst; raw lies in the arena's scratch. */
struct pending {
	struct span raw;
	uint64_t fingerprint;
	struct crossing where;
};

struct worker {
	struct stream_table *stream;
	uint64_t *ctr;
	struct conn_pool conns;
	struct jsonrpc_arena arena;
	struct slabs slabs;
	struct seen *seen;
	struct detect *detect;
	struct pipe pipe;
	struct pending pending[PENDING_MAX];
	uint32_t n_pending;
	worker_listener listener;
	void *listener_ctx;
	/* the request that is being read, for the transaction sink */
	struct flow *flow;
	unsigned dir;
	uint64_t now_ns;
	struct http1 *probe_http; /* for overlapping versions of bytes, read on their own */
	struct jsonrpc *probe_json;
	uint32_t probed; /* transactions found in such a version */
	size_t memory;
};

extern const struct stream_ops feed_ops;

/* judge_later queues a transaction whose bytes lie in scratch; judge_now handles everything queued, in order, then frees scratch. */
void judge_later(struct worker *w, struct span raw, const struct crossing *where);
void judge_now(struct worker *w);
/* judge_ahead looks at a transaction whose turn in its stream has not come: its findings are told at once, but it has not crossed yet. When it
 * does it is judged as if nothing had been; the correlator knows the same findings again. */
void judge_ahead(struct worker *w, struct span raw, const struct crossing *where);
enum crossing_outcome judge_one(struct worker *w, struct span raw, uint64_t fingerprint, const struct crossing *where);

#endif
