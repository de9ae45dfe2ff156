/* SPDX-License-Identifier: BSD-3-Clause */
/* join: which answer belongs to which request of a connection, so that what the node said of a submission
 * becomes a fact of the transaction, and what we missed is known by the node's own word (identity 7).
 *
 * On HTTP/1 the n-th response answers the n-th request, and within a batch the id tells; on a WebSocket or a
 * node's Unix socket the id alone does. Where requests or responses of HTTP are missing, numbers are in doubt:
 * if the ids of the connection tell its requests apart (no id came back so far), what waits is kept, an answer
 * is looked for by its id alone, and the numbers follow what was found; otherwise what waits is forgotten.
 * Requests that wait for an answer lie in one pool for all connections
 * of a worker; when it is used up, or a connection has JOIN_PER_CONN of them, the one that has waited longest
 * is forgotten, which is counted and remembered as the reason why its answer will find nothing. No call
 * allocates; all take constant time, but for chains of a hash table that whoever chooses ids could make long
 * on his own connection (JOIN_PER_CONN at most).
 *
 * Nobody else's word is taken: a hash is the node's, as read from the wire; anybody on the mirrored network
 * can forge it. */
#ifndef WIRE_JOIN_H
#define WIRE_JOIN_H

#include "wire/answer.h"
#include "wire/jsonrpc.h"

#define JOIN_PER_CONN 1024u /* outstanding: geth's limit of a batch is 1000 */
#define JOIN_SUBSCRIPTIONS 4u
#define JOIN_DOUBT 64u /* requests further behind the response that was read last wait no longer, whatever its number is worth */

/* Why we cannot tell what a request was. */
enum join_reason {
	JOIN_KNOWN,
	JOIN_MIDSTREAM,	 /* it went by before the connection was picked up, or its direction is not seen */
	JOIN_GAP,	 /* bytes were missing */
	JOIN_OPAQUE,	 /* its body was encoded, or in another way not read */
	JOIN_MALFORMED,	 /* its body was not JSON, or not to the end */
	JOIN_EVICTED,	 /* forgotten: the pool or the connection's share was used up */
	JOIN_NO_SUCH_ID, /* it was read, and had no request with this id */
	JOIN_REASONS
};

struct join_entry {
	struct json_id id; /* NONE: a whole HTTP message that was not read, for `reason` */
	uint64_t t_ns;
	uint32_t prev, next;	 /* of its connection, the oldest first */
	uint32_t older, younger; /* of the pool */
	uint32_t before, behind; /* in its bucket, the oldest first */
	uint32_t generation;
	uint32_t message;	    /* number of its HTTP request; 0: found by id */
	uint64_t mark;
	struct join *owner;	    /* NULL: free */
	uint8_t kind, subscription; /* enum jsonrpc_kind, enum jsonrpc_subscription */
	uint8_t reason;		    /* enum join_reason */
	uint8_t fate;
	bool has_hash;
	uint8_t hash[32];
};

struct join_bucket {
	uint32_t first, last;
};

struct join_pool {
	struct join_entry *entries;  /* entries[0] holds the lists' ends */
	struct join_bucket *buckets; /* by connection, message and id */
	uint32_t n, free, mask;
	/* added = answered + unanswered + unread + evicted[0] + evicted[1] + those that wait. unread:
	 * join_unread's; evicted: by the pool's size, by the connection's share. */
	uint64_t added, answered, unanswered, unread, evicted[2];
};

/* Whether ids of requests tell them apart: two different ones were seen, and none twice as far as is looked. */
enum join_ids { JOIN_IDS_NONE, JOIN_IDS_ONE, JOIN_IDS_TELL, JOIN_IDS_REPEAT };

/* Of one connection; zeroed by join_init. The struct may not move while it has entries. */
struct join {
	uint32_t first, last, n;      /* its entries */
	uint32_t requests, responses; /* numbers of the last HTTP request and response that began */
	uint32_t hole;		      /* in doubt until an answer to a later request is found */
	uint32_t matched;	      /* number of the last response in which one was */
	uint8_t lost;		      /* enum join_reason: what an answer without request has gone through */
	uint8_t ids;		      /* enum join_ids */
	bool unaligned;		      /* it is not known which response comes next */
	bool doubt;		      /* nor quite whether its number is right */
	struct json_id first_id, last_id;
	uint8_t n_subs;
	struct {
		struct json_id id;
		uint8_t kind;
	} subs[JOIN_SUBSCRIPTIONS];
};

/* Which entry, as long as it is there. */
struct join_ref {
	uint32_t slot, generation;
};

/* join_pool_bytes: memory for n entries (1 .. 2^30), which join_pool_init lays out in mem (8-byte aligned).
 */
size_t join_pool_bytes(uint32_t n);
void join_pool_init(struct join_pool *p, void *mem, uint32_t n);

/* join_init: midstream: requests may have gone by unseen. */
void join_init(struct join *j, bool midstream);
/* join_clear forgets all of a connection's requests, as unanswered. */
void join_clear(struct join_pool *p, struct join *j);

/* HTTP: join_http_request at each request's head; returns its number, 1 and up. join_http_response at each
 * response's head that is no 1xx; returns the number of the request that it answers, or 0 if that was not
 * seen. What is left of it at the response's end is unanswered: join_http_end, with the number that the last
 * join_answer of it told. join_http_lost: requests or responses are missing. join_http_over: no answer will
 * come as HTTP any more; what waits is forgotten. */
uint32_t join_http_request(struct join *j);
uint32_t join_http_response(struct join *j);
void join_http_end(struct join_pool *p, struct join *j, uint32_t message);
void join_http_lost(struct join_pool *p, struct join *j, enum join_reason why);
void join_http_over(struct join_pool *p, struct join *j, enum join_reason why);

/* join_request: a request object of HTTP message `message` (0: not HTTP) waits for its answer. fate: what was
 * done with its transaction, the caller's own numbering; it can be set later, as can the hash (join_set, by
 * whoever computed it). A request without id gets no answer and no entry: slot 0. join_unread: a whole HTTP
 * request whose body was not read. */
struct join_ref join_request(struct join_pool *p, struct join *j, uint32_t message,
	const struct jsonrpc_request *r, uint64_t now_ns);
void join_unread(
	struct join_pool *p, struct join *j, uint32_t message, enum join_reason why, uint64_t now_ns);
/* join_mark: a number of the caller's own, kept with the entry. */
void join_mark(struct join_pool *p, struct join_ref ref, uint64_t mark);
/* join_set: 0, or -ENOENT if the entry is not there any more. hash may be NULL: not known. */
int join_set(struct join_pool *p, struct join_ref ref, uint8_t fate, const uint8_t *hash);

enum join_verdict {
	JOIN_ACCEPTED,	     /* a submission; the node returned a hash: it is ours, or ours is not known yet
				(outcome.has_hash) */
	JOIN_ACCEPTED_OTHER, /* a submission; the node returned another hash than ours */
	JOIN_REFUSED,	     /* a submission; the node returned an error */
	JOIN_DONE,	     /* a submission; the node returned something else: bundles */
	JOIN_OTHER,	     /* another request */
	JOIN_UNKNOWN	     /* outcome.reason says why it is not known what was asked */
};
struct join_outcome {
	enum join_verdict verdict;
	uint8_t kind;	      /* enum jsonrpc_kind; JSONRPC_OTHER if unknown */
	uint8_t subscription; /* enum jsonrpc_subscription */
	uint8_t reason;	      /* enum join_reason */
	uint8_t fate;
	bool has_hash; /* ours was known */
	uint8_t hash[32];
	uint64_t t_ns; /* when it was asked; 0: unknown */
	uint64_t mark; /* join_mark's, or 0 */
	uint32_t message; /* HTTP: number of the request that the response answers, as far as is known now; or 0 */
};

/* join_answer: a RESPONSE event. message: what join_http_response returned, 0 if not HTTP. http: whether it
 * is. */
struct join_outcome join_answer(
	struct join_pool *p, struct join *j, bool http, uint32_t message, const struct answer_event *e);

/* join_subscription: what the subscription `id` is for: enum jsonrpc_subscription, NONE if it is not known.
 * The last JOIN_SUBSCRIPTIONS of a connection are remembered. */
uint8_t join_subscription(const struct join *j, struct json_id id);

#endif
