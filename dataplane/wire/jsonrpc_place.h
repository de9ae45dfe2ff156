/* SPDX-License-Identifier: BSD-3-Clause */
/* Where in a request the scanner stands, and what a value there means: the part of jsonrpc.c that knows the
 * shapes of params. Included by jsonrpc.c alone, and a header only so that it is compiled into its loop. */
#ifndef WIRE_JSONRPC_PLACE_H
#define WIRE_JSONRPC_PLACE_H

#include "wire/jsonrpc_private.h"

#include <string.h>

/* What the innermost open container is. */
enum ctx { CTX_SKIP, CTX_BATCH, CTX_REQUEST, CTX_PARAMS, CTX_FIRST, CTX_TXS, CTX_BODY, CTX_ELEM, CTX_SUB };

/* What the value that comes next is. From POS_PARAMS on its beginning overrides earlier ones (value_begins).
 */
enum pos {
	POS_NONE,
	POS_REQUEST,
	POS_METHOD,
	POS_PARAMS,
	POS_FIRST,
	POS_TX,
	POS_TXS,
	POS_TXS_ITEM,
	POS_BODY,
	POS_BODY_ITEM,
	POS_MEV_TX,
	POS_MEV_HASH,
	POS_MEV_BUNDLE
};

static inline uint64_t
key_of(const char name[8])
{
	uint64_t k;
	memcpy(&k, name, 8);
	return k;
}

/* All names are letters, for which the bit 0x20 is folding. Those of requests have at most 8. */
static inline unsigned
key_pos(const struct jsonrpc *j, struct json_key key)
{
	uint64_t k = key.k;
	if (key.len > 8)
		return POS_NONE;
	switch (j->ctx) {
	case CTX_REQUEST:
		return k == key_of("params\0") ? POS_PARAMS : k == key_of("method\0") ? POS_METHOD : POS_NONE;
	case CTX_PARAMS: /* by name: jsonrpsee */
		return k == key_of("bytes\0\0") || k == key_of("tx\0\0\0\0\0") || k == key_of("bundle\0") ||
				       k == key_of("request")
			       ? POS_FIRST
			       : POS_NONE;
	case CTX_FIRST:
		return k == key_of("txs\0\0\0\0")    ? POS_TXS
		       : k == key_of("tx\0\0\0\0\0") ? POS_TX
		       : k == key_of("body\0\0\0")   ? POS_BODY
						     : POS_NONE;
	case CTX_ELEM:
		return k == key_of("tx\0\0\0\0\0") ? POS_MEV_TX
		       : k == key_of("hash\0\0\0") ? POS_MEV_HASH
		       : k == key_of("bundle\0")   ? POS_MEV_BUNDLE
						   : POS_NONE;
	case CTX_SUB:
		return k == key_of("body\0\0\0") ? POS_BODY : POS_NONE;
	default:
		return POS_NONE;
	}
}

/* The context of the container at the present depth, once an inner one has been closed. */
static unsigned
ctx_again(const struct jsonrpc *j)
{
	if (j->skip)
		return CTX_SKIP;
	switch (j->x.depth - j->batch) {
	case 0:
		return CTX_BATCH;
	case 1:
		return CTX_REQUEST;
	case 2:
		return CTX_PARAMS;
	case 3:
		return in_object(&j->x) ? CTX_FIRST : CTX_TXS;
	case 4:
		return j->in_txs ? CTX_TXS : CTX_BODY;
	default: /* body, elem, sub, body ... */
		return !in_object(&j->x) ? CTX_BODY : (j->x.depth - j->batch) % 3 == 2 ? CTX_ELEM : CTX_SUB;
	}
}

/* What a value in `ctx` is, when it is an element of an array; the first parameter has been passed. */
static const uint8_t item_pos[] = {
	[CTX_BATCH] = POS_REQUEST,
	[CTX_TXS] = POS_TXS_ITEM,
	[CTX_BODY] = POS_BODY_ITEM,
};

static inline uint8_t
elem_pos(unsigned ctx)
{
	return ctx < sizeof item_pos ? item_pos[ctx] : POS_NONE;
}

/* value_begins: the value at j->pos begins with c; whatever it overrides is forgotten, and what is no string
 * or container is judged. */
static void
value_begins(struct jsonrpc *j, uint8_t c)
{
	bool null = c == 'n';
	unsigned mark = j->elem_mark[j->level], level = j->level;
	switch (j->pos) {
	case POS_PARAMS:
		items_reset(j);
		break;
	case POS_FIRST:
		if (j->first_param != FIRST_NONE) /* by name, and named twice */
			items_reset(j);
		j->first_param = c == '"'   ? FIRST_STRING
				 : c == '{' ? FIRST_OBJECT
				 : c == '[' ? FIRST_ARRAY
					    : FIRST_OTHER;
		break;
	case POS_TX:
		if (!null)
			items_kill(j, 0, ROLE_BIT(ROLE_TX), 0, 0);
		if (!null && c != '"')
			items_add(j, ROLE_TX, JSONRPC_BAD_HEX, 0);
		break;
	case POS_TXS:
		items_kill(j, 0, ROLE_BIT(ROLE_TXS), 0, 0);
		break;
	case POS_TXS_ITEM:
		if (c != '"')
			items_add(j, ROLE_TXS, JSONRPC_BAD_HEX, 0);
		break;
	case POS_BODY:
		items_kill(j, level ? j->obj_mark[level] : 0, ROLES_MEV, level, JSONRPC_NEST_MAX);
		break;
	case POS_MEV_TX:
		if (!null)
			items_kill(j, mark, ROLE_BIT(ROLE_MEV_TX), level, level);
		if (!null && c != '"')
			items_add(j, ROLE_MEV_TX, JSONRPC_BAD_HEX, 0);
		break;
	case POS_MEV_HASH:
		items_kill(j, mark, ROLE_BIT(ROLE_MEV_HASH), level, level);
		if (c == '"')
			items_add(j, ROLE_MEV_HASH, JSONRPC_HASH_ONLY, 0);
		break;
	case POS_MEV_BUNDLE:
		items_kill(j, mark, ROLES_MEV, level + 1, JSONRPC_NEST_MAX);
		break;
	default:
		break;
	}
}

static enum role
role_of(unsigned pos)
{
	switch (pos) {
	case POS_FIRST:
		return ROLE_FIRST;
	case POS_TX:
		return ROLE_TX;
	case POS_TXS_ITEM:
		return ROLE_TXS;
	case POS_MEV_TX:
		return ROLE_MEV_TX;
	default:
		return ROLE_NONE;
	}
}

static unsigned
object_ctx(struct jsonrpc *j)
{
	switch (j->pos) {
	case POS_REQUEST:
		j->method = 0; /* and no candidates: there are none outside requests */
		return CTX_REQUEST;
	case POS_PARAMS:
		return CTX_PARAMS;
	case POS_FIRST:
		return CTX_FIRST;
	case POS_BODY_ITEM:
		j->elem_mark[j->level] = j->n_recs;
		return CTX_ELEM;
	case POS_MEV_BUNDLE:
		if (j->level == JSONRPC_NEST_MAX - 1) {
			items_add(j, ROLE_MEV_TX, JSONRPC_OVERSIZE, 0);
			return CTX_SKIP;
		}
		j->obj_mark[++j->level] = j->n_recs;
		return CTX_SUB;
	default:
		return CTX_SKIP;
	}
}

static unsigned
array_ctx(struct jsonrpc *j)
{
	switch (j->pos) {
	case POS_REQUEST:
		if (j->x.depth > 0) /* an element of a batch */
			return CTX_SKIP;
		j->batch = true;
		return CTX_BATCH;
	case POS_PARAMS:
		return CTX_PARAMS;
	case POS_FIRST:
		return CTX_TXS;
	case POS_TXS:
		j->in_txs = true;
		return CTX_TXS;
	case POS_BODY:
		j->in_txs = false;
		return CTX_BODY;
	default:
		return CTX_SKIP;
	}
}

#endif
