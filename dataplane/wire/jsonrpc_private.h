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
	ROLE_FIRST,   /* params[0] */
	ROLE_TX,      /* params[0].tx */
	ROLE_TXS,     /* params[0].txs[], or params[0][] */
	ROLE_MEV_TX,  /* params[0].body[].tx, and in nested bundles; level tells them apart */
	ROLE_MEV_HASH /* params[0].body[].hash */
};
#define ROLE_BIT(role) (1u << (role))
#define ROLES_MEV (ROLE_BIT(ROLE_MEV_TX) | ROLE_BIT(ROLE_MEV_HASH))

/* States of a record that no item has. */
#define REC_DEAD 7u /* overridden by a later value of the same key */

/* What params[0] is. */
enum first_param { FIRST_NONE, FIRST_STRING, FIRST_OBJECT, FIRST_ARRAY, FIRST_OTHER };

struct rpc_method {
	const char *name;
	uint8_t len;
	uint8_t kind; /* enum jsonrpc_kind */
	uint8_t roles;
};

/* rpc_method_find returns the method's number, 0 if it carries no transactions. rpc_method: by number, not 0.
 */
uint8_t rpc_method_find(const uint8_t *name, size_t len);
const struct rpc_method *rpc_method(uint8_t number);

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
	j->first_param = FIRST_NONE;
	memset(j->excess, 0, sizeof j->excess);
	memset(j->listed, 0, sizeof j->listed);
}

/* Which list an element is of: 0 txs, 1 body, 2 none. The caps are per list, or one could crowd out the other
 * before the method tells which of them counts. */
static inline unsigned
list_of(unsigned role)
{
	return role == ROLE_TXS ? 0 : role >= ROLE_MEV_TX ? 1 : 2;
}

/* items_kill: records from `mark` on with one of `roles` and a level in [lo, hi] are overridden. */
void items_kill(struct jsonrpc *j, unsigned mark, unsigned roles, unsigned lo, unsigned hi);
/* items_kill_hashes: elements of the list at `level` from mark on that have a tx do not count by their hash
 * as well. */
void items_kill_hashes(struct jsonrpc *j, unsigned mark, unsigned level);

/* items_add records a candidate; its bytes are the last `len` that were decoded, and forgotten if there is no
 * place for it. */
static inline void
items_add(struct jsonrpc *j, enum role role, unsigned state, uint32_t len)
{
	unsigned list = list_of(role);
	if (list < 2) { /* what is in no list keeps two places: one that counts, one overridden */
		if (j->listed[list] == JSONRPC_ITEMS_MAX || j->n_recs >= JSONRPC_RECS - 2) {
			j->h.used -= len;
			if (j->excess[role] < UINT16_MAX)
				j->excess[role]++;
			return;
		}
		j->listed[list]++;
	}
	j->recs[j->n_recs++] =
		(struct jsonrpc_rec){.len = len, .state = state, .role = role, .level = j->level};
}

/* items_string begins a candidate string, items_string_end ends it; in between it is hold_hex's. items_begin does all of
 * it at once for a string at p that is whole and plain: then j->role is ROLE_NONE, and what it returns lies behind the
 * closing quote. */
static inline void
items_string_end(struct jsonrpc *j, struct jsonrpc_arena *a)
{
	uint32_t len = hold_string_end(&j->h, a, false);
	items_add(j, j->role, j->h.str_state, len);
	j->role = ROLE_NONE;
}

const uint8_t *items_begin(struct scan *s, const uint8_t *p, enum role role);

/* items_report hands the request's transactions to the sink; cut: as JSONRPC_CUT. */
void items_report(struct scan *s, bool cut);
/* items_lost sees to the records whose bytes are gone, after anything that may have moved them. */
void items_lost(struct jsonrpc *j);

#endif
