/* SPDX-License-Identifier: BSD-3-Clause */
/* worker: one lcore's whole way from frames to findings, run to completion, one burst at a time:
 *
 *   frames -> stream (net) -> conn: http1 | websocket | bare JSON -> jsonrpc | answer (wire)
 *                                   rlpx -> ethmsg                                        -> pending transactions
 *          -> seen before? -> tx_decode (eth) -> detect_tx -> pipe to the correlator
 *
 * A worker shares nothing but its pipe and its counters. It allocates only in worker_new, reads no clock (every frame brings its time), takes no
 * lock and makes no system call. The same code runs live, in replay, in tests and in the bench. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "abi/span.h"
#include "detect/detect.h"
#include "detect/protect.h"
#include "net/stream.h"
#include "wire/rlpx_keys.h"
#include "worker/feeds.h"
#include "worker/finding_msg.h"
#include "worker/nodes.h"
#include "worker/pipe.h"
#include "worker/stopwatch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

#define PIPE_BYTES_MIN (512u << 10)

struct worker_config {
	struct stream_config stream;
	uint32_t conns_max;	/* parser states; the longest unused is taken when they run out */
	uint32_t slabs[3];	/* assembly buffers of 4 KiB, 256 KiB, 2.5 MiB */
	uint32_t inflates; /* decompressors, 45 KiB each */
	uint32_t joins;	   /* requests that wait for their answers */
	uint32_t rlpx_windows; /* of 64 KiB: directions of RLPx sessions that cannot be read yet */
	bool rlpx_search_at_once; /* in replay: searches are not left to worker_search_run, however long they take */
	uint32_t seen_entries;
	uint64_t seen_ttl_ns;
	uint64_t evidence_grace_ns, evidence_answer_grace_ns; /* evidence.h; 0: its defaults */
	uint8_t seen_key[32];
	struct feeds feeds;
	const struct nodes *nodes;     /* beside the box; outlives the worker; NULL: every connection is "other" */
	struct stats_node_feed *sides; /* SIDES_MAX of them, figures per node and feed; outlives the worker; NULL: nobody reads them */
	bool lives;	/* tell the correlator facts, see facts.h */
	const struct protect *protect; /* protected contracts, for rules that ask; NULL: none */
	bool code_all;	/* offline: read every code that is deployed, however long it takes */
	uint32_t number; /* of this worker among all; below 65536 */
	uint64_t aside_bytes;	/* of transactions that wait while the correlator is behind (aside.h); 0: they fill the pipe, and what does not fit in is lost */
	uint64_t pipe_bytes;	/* to the correlator, power of two, at least PIPE_BYTES_MIN: the longest transaction must pass */
};

/* worker_config_default: a laptop's size (about 160 MB). */
void worker_config_default(struct worker_config *c);

/* What became of one crossing, for whoever listens (replay); never set on a live worker. */
enum crossing_outcome { CROSSING_SCANNED, CROSSING_DUPLICATE, CROSSING_UNSCANNED };
struct crossing_report {
	struct crossing where;
	enum crossing_outcome outcome;
	const struct tx *tx; /* NULL if it does not decode */
	uint32_t raw_bytes;
};
typedef void (*worker_listener)(void *ctx, const struct crossing_report *r);

/* Memory for everything comes from here: zeroed, 64-byte aligned, or NULL. Live: huge pages of the lcore's socket. */
typedef void *(*worker_alloc)(size_t bytes);

/* worker_new builds a worker. counters: CTR_COUNT words that outlive it. The rule set must outlive it. NULL + errno. A worker lives until the process
 * ends: there is no worker_free for what `alloc` gave; worker_delete frees what it took from malloc. */
struct worker *worker_new(const struct worker_config *c, const struct ruleset *rules, uint64_t *counters, worker_alloc alloc);
void worker_delete(struct worker *w);
void worker_listen(struct worker *w, worker_listener fn, void *ctx);
/* worker_stopwatch: where it notes how long it was from the wire to a transaction's end of matching: one reading of the clock for all that a burst
 * brought, so that those in front are said to have taken as long as the last. */
void worker_stopwatch(struct worker *w, const struct stopwatch *s);
struct pipe *worker_pipe(struct worker *w);

#define WORKER_BURST 64

/* worker_link says what the frames of later bursts begin with; Ethernet until then. */
void worker_link(struct worker *w, enum net_link link);

/* worker_checksum says whether TCP's checksum is looked at in later bursts; until then as config.stream says. */
void worker_checksum(struct worker *w, bool verify);

/* worker_frames handles a burst of n <= WORKER_BURST frames whole; nothing of them is referenced afterwards. */
void worker_frames(struct worker *w, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns);

/* worker_raw judges one transaction that did not cross a wire (offline). Returns as worker_listener's outcome. */
enum crossing_outcome worker_raw(struct worker *w, struct span raw, const struct crossing *where);

/* worker_housekeep: every few ms; bounded. worker_flush: end of input: ends every flow. */
void worker_housekeep(struct worker *w, uint64_t now_ns);
void worker_flush(struct worker *w, uint64_t now_ns);

/* worker_keys hands it the RLPx sessions known by now; from any thread. The table before may be freed once worker_keys_taken says so of the
 * new one: at the top of the next burst or housekeeping. NULL: none. */
void worker_keys(struct worker *w, const struct rlpx_keys *keys);
bool worker_keys_taken(const struct worker *w, const struct rlpx_keys *keys);

/* worker_feeds hands it another table of feeds and chains, as worker_keys does; it is read until worker_feeds_taken says so of a later one. What a
 * connection carries is read by the new table from its next message on; one whose protocol is read no more is passed over from here on. Bytes of
 * feeds that both tables read are not touched. */
void worker_feeds(struct worker *w, const struct feeds *feeds);
bool worker_feeds_taken(const struct worker *w, const struct feeds *feeds);

/* worker_search_run tries at most so many blocks of keystream (4 ns each) for a session of this worker that was joined far in; from any one other
 * thread. False: nothing waits. */
bool worker_search_run(struct worker *w, uint64_t blocks);

/* worker_memory: bytes taken from `alloc` so far. */
size_t worker_memory(const struct worker *w);

#endif
