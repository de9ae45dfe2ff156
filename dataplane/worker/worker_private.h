/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of a worker, shared by its parts: worker.c (making it, bursts), feed.c (which parser a flow's bytes go to), feed_http.c,
 * feed_ws.c, feed_rlpx.c, feed_grpc.c (a protocol each), facts.c (what the correlator is told), body.c (JSON bodies, whatever carried them), requests.c and answers.c (what these say),
 * probe.c (bytes outside their stream) and judge.c (transactions -> findings). Nobody else includes this.
 *
 *   feed -> feed_http | feed_ws | feed_rlpx -> body -> requests | answers -> judge */
#ifndef WORKER_PRIVATE_H
#define WORKER_PRIVATE_H

#include "abi/counters.h"
#include "detect/ruleset_event.h"
#include "eth/txfields.h"
#include "worker/aside.h"
#include "worker/conn.h"
#include "worker/evidence.h"
#include "worker/sides.h"
#include "worker/slabs.h"
#include "worker/worker.h"

#include <stdatomic.h>

#define PENDING_MAX 128u
/* Longest run of decoded bytes that one burst collects before its transactions are judged: keeps them in the second-level cache. */
#define SCRATCH_SOFT (192u << 10)
#define SCRATCH_BYTES (2621440u + (256u << 10))
/* Transactions put together from objects, until they are judged. */
#define BUILT_BYTES (TXFIELDS_ROOM + (256u << 10))
#define UNMASKED_BYTES 4096u
#define PLAIN_BYTES 16384u
#define RLPX_WINDOW_BYTES 65536u
#define RLPX_OUT_BYTES (4u << 20)
#define RLPX_FRAME_BYTES 65536u
#define RLPX_SLICE_BLOCKS (1u << 14)
#define H2_BODIES 256u

/* What was done with a submission: join's fate. From FATE_QUEUED on: it waits in pending[fate - FATE_QUEUED]. */
enum fate { FATE_NONE, FATE_SCANNED, FATE_DUPLICATE, FATE_UNREAD, FATE_UNSIGNED, FATE_GAP, FATE_QUEUED = 128 };

/* A transaction waiting for the end of its burst; raw lies in the arena's scratch, or in built. */
struct pending {
	struct span raw;
	uint64_t fingerprint;
	struct crossing where;
	struct join_ref asked; /* slot 0: nobody waits for an answer to it */
	struct evidence_ref proof, answer_proof; /* of itself; of the answer, if it has come already */
	uint32_t answer_trust; /* of the answer, if it has come already */
	bool accepted;	       /* the node has answered already, with `hash` */
	uint8_t hash[32];
};
_Static_assert(FATE_QUEUED + PENDING_MAX <= 256, "a fate is a byte");

/* A search for whoever has time: filled by the worker, run by another thread, taken back. */
enum search_state { SEARCH_FREE, SEARCH_READY, SEARCH_DONE };
struct worker_search {
	_Atomic uint32_t state;
	struct rlpx_search search;
};

/* A request's body over HTTP/2, of which one connection may have many under way. */
struct h2_body {
	struct jsonrpc request;
	struct wide wide;
	uint32_t *holder; /* its number, from 1, where its stream keeps it; NULL: free */
};

struct h2_bodies {
	struct h2_body *of; /* H2_BODIES */
	uint32_t n_free, next; /* next: to be taken from its stream when all are in use */
	uint16_t free[H2_BODIES];
};

struct worker {
	struct stream_table *stream;
	uint64_t *ctr;
	struct conn_pool conns;
	struct jsonrpc_arena arena;
	struct jsonrpc_watch watch;
	struct slabs slabs;
	struct inflate_pool inflates;
	struct join_pool joins;
	struct seen *seen;
	const struct ruleset *rules;
	const struct model *model; /* NULL: none */
	const struct protect *protect;
	bool asks_code, asks_protected; /* rules on transactions do */
	struct rule_facts facts;
	struct evidence_table evidence;
	struct aside aside; /* cap 0: there is none */
	struct detect *detect;
	struct code_reader *code;
	struct swap_cache *swaps;
	bool code_all;
	struct code_time {
		uint64_t tokens_ns, at_ns; /* left for reading codes, and as of when */
	} code_time[2];			   /* of what is in blocks */
	struct pipe pipe;
	struct pending pending[PENDING_MAX];
	uint32_t n_pending;
	uint8_t *built;
	uint32_t built_used;
	uint8_t *unmasked, *plain;
	struct stopwatch stopwatch; /* SCANNED */
	worker_listener listener;
	void *listener_ctx;
	/* what is being read, for the sinks */
	struct flow *flow;
	struct conn *conn;
	unsigned dir;
	uint64_t now_ns;
	/* where the bytes end that came last in their stream, and are being read; end_flow NULL: nothing is */
	const struct flow *end_flow;
	unsigned end_dir;
	uint64_t end;
	bool told; /* judge_one: findings were */
	struct join_ref asked; /* of the request object whose items come */
	bool early;	       /* its answer came before it, with this hash */
	uint8_t early_hash[32];
	uint32_t early_trust;
	/* overlapping versions of bytes, and bytes ahead of their turn, are read on their own */
	bool probing;
	struct http1 *probe_http;
	struct jsonrpc *probe_json;
	uint32_t probed; /* transactions found in such a version */
	/* RLPx */
	struct feeds feeds_first;	/* as configured; in use until others come */
	const struct feeds *feeds;
	uint32_t feeds_turn; /* how many came */
	_Atomic(const struct feeds *) feeds_next; /* published by whoever owns the profile */
	_Atomic(const struct feeds *) feeds_used;
	const struct nodes *nodes;
	struct sides sides;
	uint32_t sides_pending; /* pending[] from here on was put there by the bytes being read */
	bool lives;
	uint64_t handles, n_handles; /* names of blocks and bundles, different for every worker */
	uint64_t bundle;	     /* whose items come */
	struct rlpx_arena rlpx;
	struct grpc_arena grpc;
	struct h2_bodies h2_bodies;
	struct rlpx_windows windows;
	uint32_t window_turn;		      /* next window whose owner is looked after */
	_Atomic(const struct rlpx_keys *) keys; /* published by whoever owns the key log */
	_Atomic(const struct rlpx_keys *) keys_used;
	struct worker_search *far;
	bool search_at_once;
	size_t memory;
};

extern const struct stream_ops feed_ops;

/* ---- sides.c: figures per node and feed, see sides.h ---- */

/* sides_settle gives the current side what has been counted since the last time. side_enter makes another one current. */
void sides_settle(struct worker *w);
static inline void
side_enter(struct worker *w, uint32_t side)
{
	if (side == w->sides.now)
		return;
	sides_settle(w);
	w->sides.now = side;
}
/* side_open: a flow begins; side_close: it ends. */
void side_open(struct worker *w, struct flow *f);
void side_close(struct worker *w, const struct flow *f);
/* side_data: bytes of the flow, whose side is current, have been read; they may have told which feed it is. side_gap: bytes will not come. */
void side_data(struct worker *w, struct flow *f, struct conn *c, unsigned dir, uint32_t bytes);
void side_gap(struct worker *w, const struct flow *f, unsigned dir, uint64_t bytes);

/* ---- feed.c ---- */

/* set_current says whose bytes are read from here on. */
static inline bool
conn_may(const struct conn *c, enum feed f)
{
	return c->feeds >> f & 1;
}
void set_current(struct worker *w, struct flow *f, struct conn *c, unsigned dir);
/* feeds_begin: the table that is read first. feeds_take: the newest one, at the top of a burst. */
void feeds_begin(struct worker *w, const struct feeds *feeds);
void feeds_take(struct worker *w);
/* count_bytes: what a framer's verdict says became of bytes. */
void count_bytes(struct worker *w, const struct conn *c, unsigned dir, const struct framer_out *o);
/* crossing_base fills in what is the same for all that crosses on the current flow. */
void crossing_base(const struct worker *w, struct crossing *x, unsigned carrier);
/* crossing_trust: of what is being read. */
uint32_t crossing_trust(const struct worker *w);

/* ---- a protocol each: feed what came, tell of what is missing, end ---- */

/* http_feed returns the bytes it took: fewer than given if the rest is another protocol's. */
uint32_t http_feed(struct worker *w, struct conn *c, unsigned dir, struct span in);
void http_gap(struct worker *w, struct conn *c, unsigned dir, uint64_t n);
void http_end(struct worker *w, struct conn *c, unsigned dir);

/* ws_begin: a handshake was read, the node's direction is `server`. ws_offered: these bytes follow a client's
 * handshake that was not answered yet and are frames; ws_expect reads them. ws_pickup: no handshake was read. */
void ws_begin(struct worker *w, struct conn *c, unsigned server);
bool ws_offered(const struct conn *c, unsigned dir, struct span in);
/* ws_instead_of_body: these bytes stand where the body of a client's handshake begins, and are frames, should the node agree to it. */
bool ws_instead_of_body(const struct conn *c, unsigned dir, struct span in);
void ws_expect(struct worker *w, struct conn *c, unsigned client);
void ws_pickup(struct worker *w, struct conn *c, unsigned dir);
uint32_t ws_feed(struct worker *w, struct conn *c, unsigned dir, struct span in);
void ws_gap(struct worker *w, struct conn *c, unsigned dir, uint64_t n);
void ws_end(struct worker *w, struct conn *c, unsigned dir);

/* rlpx_expected: a flow of which nothing is known may be RLPx: the key table has a session of its endpoints, or ones that do not tell theirs. */
bool rlpx_expected(const struct worker *w, const struct flow *f);
void rlpx_begin(struct worker *w, struct conn *c, bool midstream);
void rlpx_take(struct worker *w, struct conn *c, unsigned dir, struct span in);
void rlpx_missing(struct worker *w, struct conn *c, unsigned dir, uint64_t n);
void rlpx_over(struct worker *w, struct conn *c, unsigned dir);
/* rlpx_look_after: new keys and searches make old bytes readable. Bounded; every few ms. */
void rlpx_look_after(struct worker *w);
/* rlpx_keys_take: the newest key table, at the top of a burst. rlpx_count: its counts into the counters, at the end of one. */
void rlpx_keys_take(struct worker *w);
void rlpx_count(struct worker *w);

/* h2_may: the flow may carry what HTTP/2 is read for: pools over gRPC, or requests as over HTTP/1. */
static inline bool
h2_may(const struct conn *c)
{
	return conn_may(c, FEED_GRPC) || conn_may(c, FEED_HTTP) || conn_may(c, FEED_ENGINE);
}
/* h2_begins: the client's preface of HTTP/2 begins here, or what only a server begins with; then both directions are read as HTTP/2. The first
 * bytes of a preface that are too few to tell are HTTP/1's until there are more. */
bool h2_begins(struct worker *w, struct conn *c, unsigned dir, struct span in);
/* h2_may_begin: they are not, for instance, POST. in.len >= 1. */
static inline bool
h2_may_begin(struct span in)
{
	return in.p[0] == 'P' && (in.len == 1 || in.p[1] == 'R');
}
/* grpc_begin: early: bytes of the client's preface that http1 still holds. */
void grpc_begin(struct worker *w, struct conn *c, bool midstream, uint32_t early);
void grpc_take(struct worker *w, struct conn *c, unsigned dir, struct span in);
void grpc_missing(struct worker *w, struct conn *c, unsigned dir, uint64_t n);
void grpc_over(struct worker *w, struct conn *c, unsigned dir);
void grpc_done(struct worker *w, struct conn *c); /* both directions are over */
/* grpc_count_all: the reader's counts into the counters, at the end of a burst. */
void grpc_arena_init(struct worker *w);
void grpc_count_all(struct worker *w);

/* ---- body.c ---- */

/* body_begin: a message begins that is read as `body`, with a coding of enum http1_coding, or one that is inflate.h's message. */
void body_begin(struct worker *w, struct conn *c, unsigned dir, enum conn_body body);
void body_begin_coded(struct worker *w, struct conn *c, unsigned dir, enum conn_body body, unsigned coding);
void body_begin_message(struct worker *w, struct conn *c, unsigned dir, enum conn_body body);
/* body_begin_stream: values follow each other without end. */
void body_begin_stream(struct worker *w, struct conn *c, unsigned dir, enum conn_body body);
void body_piece(struct worker *w, struct conn *c, unsigned dir, struct span piece, bool last);
/* body_cut: the rest will not come. */
void body_cut(struct worker *w, struct conn *c, unsigned dir);

/* ---- requests.c, answers.c ---- */

unsigned request_carrier(const struct worker *w, enum jsonrpc_kind kind);
void take_item(void *ctx, const struct jsonrpc_item *it);
/* request_scan: as jsonrpc_feed, for the text of a request in whatever form. many: it may be of more values than one. */
enum jsonrpc_status request_scan_wide(struct worker *w, struct jsonrpc *j, struct wide *wide, struct span piece, bool last, bool many, uint32_t *messages);
static inline enum jsonrpc_status
request_scan(struct worker *w, struct jsonrpc *j, struct wide *wide, struct span piece, bool last, bool many, uint32_t *messages)
{
	if (__builtin_expect(wide_plain(wide, piece), 1))
		return jsonrpc_feed(j, &w->arena, piece, last, take_item, w, messages);
	return request_scan_wide(w, j, wide, piece, last, many, messages);
}
void take_request(void *ctx, const struct jsonrpc_request *r);
void take_block(void *ctx, const struct json_block_event *e);
/* take_block_tx: a transaction of a block, whichever side tells of it. count_unread: of one whose bytes are not to be had, by enum
 * jsonrpc_item_state (OK: what there is makes none). */
void take_block_tx(struct worker *w, const struct json_block_event *e, enum direction direction, uint32_t trust);
void count_unread(struct worker *w, unsigned state);
void take_answer(void *ctx, const struct answer_event *e);
/* request_unread: why the answer to the request body under way will find nothing. */
void request_unread(struct worker *w, struct conn *c, unsigned dir, enum join_reason why);
/* node_early: the answer to request `id` came before it, with a hash, which is then forgotten here. node_late: those that are left will not be
 * asked for any more. */
bool node_early(struct conn *c, struct json_id id, uint8_t hash[32], uint32_t *trust);
void node_late(struct worker *w, struct conn *c);
/* node_judged: what became of a transaction whose hash the node has returned. */
void node_judged(struct worker *w, unsigned fate);

/* take_broadcast: what a sequencer has put in its place. */
void take_broadcast(void *ctx, const struct arbfeed_event *e);

/* ---- facts.c: what the correlator is told, if it can be; of the current flow and direction ---- */

/* fact_reserve: room for a message that may be left out, or NULL, which is counted. */
void *fact_reserve(struct worker *w, uint32_t bytes);
/* fact_announced: type -1, size 0: not told. */
void fact_announced(struct worker *w, const uint8_t hash[32], int type, uint32_t size);
/* fact_refused: the submission with that fingerprint. fact_accepted: asked: fingerprint of the submission, 0: not known. */
void fact_refused(struct worker *w, uint64_t fingerprint, uint8_t reason);
void fact_accepted(struct worker *w, const uint8_t hash[32], uint64_t asked, uint32_t trust);
void fact_mined(struct worker *w, struct span raw, struct span block_hash);
/* fact_bundle: an element: bytes, or (hash) only 32 of its hash. */
void fact_bundle(struct worker *w, struct span raw, bool hash, uint32_t pos, uint32_t len);
void fact_block_open(struct worker *w);
void fact_block_tx(struct worker *w, struct span raw, bool hash);
void fact_block_unread(struct worker *w);
void fact_block_close(struct worker *w, const struct json_block *b, bool whole, unsigned source);
/* fact_of_block: FACT_BLOCK_JUDGED or FACT_HEAD. */
void fact_of_block(struct worker *w, unsigned kind, const uint8_t hash[32], bool valid);

/* ---- probe.c ---- */

void probe_conflict(struct worker *w, struct flow *f, unsigned dir, struct span bytes);
void probe_ahead(struct worker *w, struct flow *f, unsigned dir, struct span bytes);
/* probe_frames: they may be WebSocket's frames and are read as something else. */
void probe_frames(struct worker *w, struct flow *f, unsigned dir, struct span bytes);

/* ---- judge.c ---- */

/* judge_init: what the rules ask for. */
void judge_init(struct worker *w, const struct protect *protect);

/* judge_later queues a transaction whose bytes lie in scratch or built; judge_now handles everything queued, in order: what lies there may
 * then be overwritten. asked: the request that it is, or slot 0. */
void judge_later(struct worker *w, struct span raw, const struct crossing *where, struct join_ref asked);
void judge_now(struct worker *w);
/* What became of a transaction that was put aside (aside.h): it is in the pipe, with what proves its bytes, or NULL; or nobody will be told. */
void judge_told(struct worker *w, const struct tx_msg *m, const struct fact_evidence_item *proof);
void judge_untold(struct worker *w, const struct tx_msg *m);
/* judge_ahead looks at a transaction whose turn in its stream has not come: its findings are told at once, but it has not crossed yet. When it
 * does it is judged as if nothing had been; the correlator knows the same findings again. */
void judge_ahead(struct worker *w, struct span raw, const struct crossing *where);
enum crossing_outcome judge_one(struct worker *w, struct span raw, uint64_t fingerprint, const struct crossing *where);

#endif
