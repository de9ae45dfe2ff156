/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the JSON-RPC scanner, shared by its three parts: jsonrpc.c (the grammar), jsonrpc_items.c
 * (candidate transactions and their bytes) and jsonrpc_methods.c (what each method carries). Nobody else
 * includes this. */
#ifndef WIRE_JSONRPC_PRIVATE_H
#define WIRE_JSONRPC_PRIVATE_H

#include "wire/json_hold.h"
#include "wire/jsonrpc.h"

#include <string.h>

/* Where in params a candidate stands. The method, which may come last, decides which of them are
 * transactions. */
enum role {
	ROLE_NONE,
	ROLE_FIRST,    /* params[0], or a parameter by name: a string, or what should be one */
	ROLE_OBJECT,   /* ... an object, for which there are no bytes */
	ROLE_TX,       /* params[0].tx */
	ROLE_TXS,      /* params[0].txs[], or params[0][] */
	ROLE_MEV_TX,   /* params[0].body[].tx, and in nested bundles; level tells them apart */
	ROLE_MEV_HASH, /* params[0].body[].hash */
	/* of the engine API; those up to ROLE_FINAL are members of params[0] */
	ROLE_BLOCK_HASH,
	ROLE_PARENT,
	ROLE_NUMBER,
	ROLE_TIME,
	ROLE_BASE_FEE,
	ROLE_HEAD,
	ROLE_SAFE,
	ROLE_FINAL,
	ROLE_VERSIONED, /* params[1][] */
	ROLE_BLOCK_TX	/* params[0].transactions[]: never a record */
};
#define ROLE_BIT(role) (1u << (role))
#define ROLES_MEV (ROLE_BIT(ROLE_MEV_TX) | ROLE_BIT(ROLE_MEV_HASH))
#define ROLES_ITEMS \
	(ROLE_BIT(ROLE_FIRST) | ROLE_BIT(ROLE_OBJECT) | ROLE_BIT(ROLE_TX) | ROLE_BIT(ROLE_TXS) | ROLES_MEV)
#define ROLES_ALL (2 * ROLE_BIT(ROLE_VERSIONED) - ROLE_BIT(ROLE_FIRST))

/* States of a record that no item has. */
#define REC_DEAD 7u /* overridden by a later value of the same key */

/* Which candidates override each other: those of the same path. A key that is spelled in another case is one
 * that Go takes, the last of all spellings, and jsonrpsee passes over: what stands there or below overrides
 * only its like. So it is with parameters by name: each node knows one of the names. */
#define PATH_FOLDED 1u
#define PATH_NAME 2u /* times the number of the parameter's name; 0: it has none, or the first of them */
#define PATH_ALL 7u

struct rpc_method {
	const char *name;
	uint8_t len;
	uint8_t kind; /* enum jsonrpc_kind */
	uint16_t roles;
};

/* rpc_method_find returns the method's number, 0 if it is not in the table. rpc_method: by number, not 0.
 */
uint8_t rpc_method_find(const uint8_t *name, size_t len);
const struct rpc_method *rpc_method(uint8_t number);
/* rpc_subscription: enum jsonrpc_subscription of a name. */
uint8_t rpc_subscription(const uint8_t *name, size_t len);

/* One call into the scanner. */
struct scan {
	struct jsonrpc *j;
	struct jsonrpc_arena *a;
	const uint8_t *end;
	jsonrpc_sink sink;
	void *ctx;
	uint32_t *messages;
};

/* items_reset forgets every candidate of the current request. */
static inline void
items_reset(struct jsonrpc *j)
{
	j->n_recs = 0;
	j->h.used = 0;
	j->level = 0;
	j->begun = false;
	j->param = 0;
	j->where = 0;
	j->in_excess = false;
	memset(j->listed, 0, sizeof j->listed);
}

/* Which list an element is of: 0 txs, 1 body (or versioned hashes), 2 none. The caps are per list, or one
 * could crowd out the other before the method tells which of them counts. */
static inline unsigned
list_of(unsigned role)
{
	return role == ROLE_TXS ? 0 : role - ROLE_MEV_TX <= 1u || role == ROLE_VERSIONED ? 1 : 2;
}

/* items_kill: records from `mark` on with one of `roles`, a level in [lo, hi] and the bits `path` of the
 * present path are overridden. */
void items_kill(struct jsonrpc *j, unsigned mark, unsigned roles, unsigned lo, unsigned hi, unsigned path);
/* items_kill_hashes: elements of the list at `level` from mark on that have a tx do not count by their hash
 * as well. */
void items_kill_hashes(struct jsonrpc *j, unsigned mark, unsigned level);

/* items_excess counts one for which there is no place. */
void items_excess(struct jsonrpc *j, enum role role);
/* items_excess_of: how many of these roles, if in_excess. */
uint32_t items_excess_of(const struct jsonrpc *j, unsigned roles);
/* items_list_begins: what comes is no more of the lists that were before. items_list_full: whether there is
 * no place in a list, even if those give way. */
static inline void
items_list_begins(struct jsonrpc *j)
{
	j->list_mark = j->n_recs;
	memcpy(j->earlier, j->listed, sizeof j->earlier);
}
bool items_list_full(struct jsonrpc *j, unsigned list);

/* items_add records a candidate; its bytes are the last `len` that were decoded, and forgotten if there is no
 * place for it. */
static inline void
items_add(struct jsonrpc *j, enum role role, unsigned state, uint32_t len)
{
	unsigned list = list_of(role);
	/* What is in no list keeps two places for each path: one that counts, one overridden. */
	if (list < 2 ? (j->listed[list] == JSONRPC_ITEMS_MAX || j->n_recs >= JSONRPC_LISTED) &&
				items_list_full(j, list)
		     : j->n_recs == JSONRPC_RECS) {
		j->h.used -= len;
		items_excess(j, role);
		return;
	}
	if (list < 2)
		j->listed[list]++;
	j->path[j->n_recs] = j->where;
	j->recs[j->n_recs++] =
		(struct jsonrpc_rec){.len = len, .state = state, .role = role, .level = j->level};
}

/* items_string_end ends a candidate string; in between it is hold_hex's. items_begin does all of it at once
 * for a string at p that is whole and plain: then j->role is ROLE_NONE, and what it returns lies behind the
 * closing quote. */
void items_string_end(struct scan *s);
const uint8_t *items_begin(struct scan *s, const uint8_t *p, enum role role);

/* items_byte takes the number that has ended of a candidate in numbers, items_add_bytes ends it. */
void items_byte(struct scan *s);
void items_add_bytes(struct scan *s, unsigned state);

/* items_report hands the request's transactions to the sink; cut: as JSONRPC_CUT. */
void items_report(struct scan *s, bool cut);
/* rpc_request_report hands the request to the watch, before items_report. */
void rpc_request_report(struct scan *s, bool cut);

/* rpc_block_wanted: what is read may be a block of the engine API, and somebody wants to hear of it. */
static inline bool
rpc_block_wanted(const struct scan *s)
{
	const struct jsonrpc *j = s->j;
	return s->a->watch != NULL && s->a->watch->block != NULL &&
	       (!j->method_read || j->kind == JSONRPC_NEW_PAYLOAD || j->kind == JSONRPC_FORKCHOICE);
}
/* rpc_block_begin, rpc_block_tx: its list of transactions opens; one of them, its bytes the last `len` that
 * were decoded, which are forgotten. rpc_block_end: the request is over, or (VOID) its params are overridden.
 */
void rpc_block_begin(struct scan *s);
void rpc_block_tx(struct scan *s, unsigned state, uint32_t len);
void rpc_block_end(struct scan *s, enum json_block_end end);

/* items_lost sees to the records whose bytes are gone, after anything that may have moved them. */
void items_lost(struct jsonrpc *j);

#endif
