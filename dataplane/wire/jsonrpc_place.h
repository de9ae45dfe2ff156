/* SPDX-License-Identifier: BSD-3-Clause */
/* Where in a request the scanner stands, and what a value there means: the part of jsonrpc.c that knows the
 * shapes of params. Included by jsonrpc.c alone, and a header only so that it is compiled into its loop. */
#ifndef WIRE_JSONRPC_PLACE_H
#define WIRE_JSONRPC_PLACE_H

#include "wire/jsonrpc_private.h"

#include <string.h>

/* What the innermost open container is. */
enum ctx {
	CTX_SKIP,
	CTX_BATCH,
	CTX_REQUEST,
	CTX_PARAMS,
	CTX_FIRST,
	CTX_TXS,
	CTX_BODY,
	CTX_ELEM,
	CTX_SUB,
	CTX_BLOCK_TXS,
	CTX_VERSIONED,
	CTX_BYTES /* of a transaction, as numbers */
};

/* What the value that comes next is. From POS_PARAMS on value_begins is told of its beginning: it overrides
 * earlier ones.
 */
enum pos {
	POS_NONE,
	POS_REQUEST,
	POS_METHOD,
	POS_ID,
	POS_PARAMS,
	POS_FIRST,
	POS_TX,
	POS_TXS,
	POS_TXS_ITEM,
	POS_BODY,
	POS_BODY_ITEM,
	POS_MEV_TX,
	POS_MEV_HASH,
	POS_MEV_BUNDLE,
	POS_SECOND,
	POS_BLOCK_TXS,
	POS_BLOCK_TXS_ITEM,
	POS_VERSIONED_ITEM,
	POS_BYTE,
	POS_MEMBER /* + its role: the last ones */
};

static inline uint64_t
key_of(const char name[8])
{
	uint64_t k;
	memcpy(&k, name, 8);
	return k;
}

/* The members of engine_newPayload's and engine_forkchoiceUpdated's first parameter. */
static const struct {
	const char *name;
	uint8_t len, pos;
} block_keys[] = {
	{"transactions", 12, POS_BLOCK_TXS},
	{"blockhash", 9, POS_MEMBER + ROLE_BLOCK_HASH},
	{"parenthash", 10, POS_MEMBER + ROLE_PARENT},
	{"blocknumber", 11, POS_MEMBER + ROLE_NUMBER},
	{"timestamp", 9, POS_MEMBER + ROLE_TIME},
	{"basefeepergas", 13, POS_MEMBER + ROLE_BASE_FEE},
	{"headblockhash", 13, POS_MEMBER + ROLE_HEAD},
	{"safeblockhash", 13, POS_MEMBER + ROLE_SAFE},
	{"finalizedblockhash", 18, POS_MEMBER + ROLE_FINAL},
};

/* The first 8 letters and the last 8 tell these names apart from each other, and from every other name that
 * blocks have. */
static unsigned
block_key(const struct scan *s, struct json_key key)
{
	if (!rpc_block_wanted(s))
		return POS_NONE;
	for (unsigned i = 0; i < sizeof block_keys / sizeof *block_keys; i++) {
		const char *name = block_keys[i].name;
		uint64_t k, tail;
		memcpy(&k, name, 8);
		memcpy(&tail, name + block_keys[i].len - 8, 8);
		if (key.len == block_keys[i].len && key.k == k && key.tail == tail)
			return block_keys[i].pos;
	}
	return POS_NONE;
}

static unsigned
param_key(struct jsonrpc *j, uint64_t k)
{
	const uint64_t names[] = {
		key_of("bytes\0\0"), key_of("tx\0\0\0\0\0"), key_of("bundle\0"), key_of("request")};
	for (unsigned i = 0; i < 4; i++) {
		if (k == names[i]) {
			j->where = (uint8_t)(i * PATH_NAME | (j->where & PATH_FOLDED));
			return POS_FIRST;
		}
	}
	return POS_NONE;
}

/* A key was read that is spelled in another case, or one that may be the next behind such a key's value:
 * before that key nothing is a candidate that the path would matter to. */
static __attribute__((noinline)) void
path_key(struct jsonrpc *j, bool folded)
{
	if (j->folded_at >= j->x.depth) {
		j->folded_at = 0;
		j->where &= (uint8_t)~PATH_FOLDED;
	}
	if (!folded)
		return;
	if (j->folded_at == 0)
		j->folded_at = j->x.depth;
	j->where |= PATH_FOLDED;
}

/* All names are letters, for which the bit 0x20 is folding. Those of requests have at most 8. */
static inline unsigned
key_pos(struct scan *s, struct json_key key)
{
	struct jsonrpc *j = s->j;
	uint64_t k = key.k;
	if (key.len > 8)
		return j->ctx == CTX_FIRST ? block_key(s, key) : POS_NONE;
	switch (j->ctx) {
	case CTX_REQUEST:
		return k == key_of("params\0")	     ? POS_PARAMS
		       : k == key_of("method\0")     ? POS_METHOD
		       : k == key_of("id\0\0\0\0\0") ? POS_ID
						     : POS_NONE;
	case CTX_PARAMS: /* by name: jsonrpsee */
		return param_key(j, k);
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
		return in_object(&j->x) ? CTX_FIRST : j->param == 0 ? CTX_TXS : CTX_VERSIONED;
	case 4:
		return j->list;
	default: /* body, elem, sub, body ... */
		return !in_object(&j->x) ? CTX_BODY : (j->x.depth - j->batch) % 3 == 2 ? CTX_ELEM : CTX_SUB;
	}
}

/* What a value in `ctx` is, when it is an element of an array; the parameters have been seen to. */
static const uint8_t item_pos[] = {
	[CTX_BATCH] = POS_REQUEST,
	[CTX_TXS] = POS_TXS_ITEM,
	[CTX_BODY] = POS_BODY_ITEM,
	[CTX_BLOCK_TXS] = POS_BLOCK_TXS_ITEM,
	[CTX_VERSIONED] = POS_VERSIONED_ITEM,
	[CTX_BYTES] = POS_BYTE,
};

static inline uint8_t
elem_pos(unsigned ctx)
{
	return ctx < sizeof item_pos ? item_pos[ctx] : POS_NONE;
}

static inline uint8_t
id_kind(uint8_t c)
{
	return c == '"'				    ? JSON_ID_STRING
	       : c == 'n'			    ? JSON_ID_NULL
	       : c == '-' || (c >= '0' && c <= '9') ? JSON_ID_NUMBER
						    : JSON_ID_OTHER;
}

/* What the present path has had so far is forgotten; path: which bits of it. */
static void
forget_params(struct scan *s, unsigned path)
{
	if (!s->j->begun)
		return;
	rpc_block_end(s, JSON_BLOCK_VOID);
	items_kill(s->j, 0, ROLES_ITEMS, 0, JSONRPC_NEST_MAX, path);
	items_kill(s->j, 0, ROLES_ALL & ~ROLES_ITEMS, 0, 0, 0);
}

static unsigned
bytes_begin(struct jsonrpc *j, enum role role)
{
	j->bytes_role = (uint8_t)role;
	j->byte = 0;
	hold_string(&j->h);
	return CTX_BYTES;
}

/* The first element tells what a list in the place of params[0] is: one of transactions, or the bytes of one.
 */
static bool
bytes_after_all(struct jsonrpc *j, uint8_t c)
{
	if ((unsigned)c - '0' > 9 || j->x.depth - j->batch != 3 || j->n_recs != j->list_mark)
		return false;
	items_kill(j, j->n_recs - 1u, ROLE_BIT(ROLE_FIRST), 0, 0, PATH_ALL);
	j->ctx = (uint8_t)bytes_begin(j, ROLE_FIRST);
	j->pos = POS_BYTE;
	return true;
}

/* value_begins: the value at j->pos begins with c; whatever it overrides is forgotten, and what is no string
 * or container is judged. */
static void
value_begins(struct scan *s, uint8_t c)
{
	struct jsonrpc *j = s->j;
	bool null = c == 'n';
	unsigned level = j->level;
	switch (j->pos) {
	case POS_PARAMS:
		j->where &= PATH_FOLDED;
		j->param = 0;
		forget_params(s, PATH_FOLDED);
		break;
	case POS_FIRST:
		forget_params(s, PATH_ALL);
		j->begun = true;
		if (c != '"')
			items_add(j, c == '{' ? ROLE_OBJECT : ROLE_FIRST, JSONRPC_BAD_HEX, 0);
		break;
	case POS_TX:
		if (!null)
			items_kill(j, 0, ROLE_BIT(ROLE_TX), 0, 0, PATH_ALL);
		if (!null && c != '"' && c != '[')
			items_add(j, ROLE_TX, JSONRPC_BAD_HEX, 0);
		break;
	case POS_TXS:
		items_kill(j, 0, ROLE_BIT(ROLE_TXS), 0, 0, PATH_ALL);
		break;
	case POS_TXS_ITEM:
		if (bytes_after_all(j, c))
			break;
		if (c != '"' && c != '[')
			items_add(j, ROLE_TXS, JSONRPC_BAD_HEX, 0);
		break;
	case POS_BODY:
		items_kill(j, level ? j->obj_mark[level] : 0, ROLES_MEV, level, JSONRPC_NEST_MAX, PATH_ALL);
		break;
	case POS_MEV_TX:
		if (!null)
			items_kill(j, j->elem_mark[level], ROLE_BIT(ROLE_MEV_TX), level, level, PATH_ALL);
		if (!null && c != '"' && c != '[')
			items_add(j, ROLE_MEV_TX, JSONRPC_BAD_HEX, 0);
		break;
	case POS_MEV_HASH:
		items_kill(j, j->elem_mark[level], ROLE_BIT(ROLE_MEV_HASH), level, level, PATH_ALL);
		if (c == '"')
			items_add(j, ROLE_MEV_HASH, JSONRPC_HASH_ONLY, 0);
		break;
	case POS_MEV_BUNDLE:
		items_kill(j, j->elem_mark[level], ROLES_MEV, level + 1, JSONRPC_NEST_MAX, PATH_ALL);
		break;
	case POS_SECOND:
		if (j->subscription == JSONRPC_SUB_HASHES && c == 't')
			j->subscription = JSONRPC_SUB_TXS;
		break;
	case POS_BLOCK_TXS:
		if (j->in_block) /* named twice */
			rpc_block_end(s, JSON_BLOCK_VOID);
		break;
	case POS_BLOCK_TXS_ITEM:
		if (c != '"')
			rpc_block_tx(s, JSONRPC_BAD_HEX, 0);
		break;
	case POS_VERSIONED_ITEM:
		if (c != '"')
			items_add(j, ROLE_VERSIONED, JSONRPC_BAD_HEX, 0);
		break;
	case POS_BYTE:
		if ((unsigned)c - '0' > 9) { /* what follows is of no more interest */
			items_add_bytes(s, JSONRPC_BAD_HEX);
			j->skip = j->x.depth;
			j->ctx = CTX_SKIP;
			j->pos = POS_NONE;
		}
		break;
	default:
		if (j->pos > POS_MEMBER && !null)
			items_kill(j, 0, ROLE_BIT(j->pos - POS_MEMBER), 0, 0, 0);
		break;
	}
}

/* The role of a string at each place. */
static const uint8_t role_at[POS_MEMBER + ROLE_FINAL + 1] = {
	[POS_FIRST] = ROLE_FIRST,
	[POS_TX] = ROLE_TX,
	[POS_TXS_ITEM] = ROLE_TXS,
	[POS_MEV_TX] = ROLE_MEV_TX,
	[POS_BLOCK_TXS_ITEM] = ROLE_BLOCK_TX,
	[POS_VERSIONED_ITEM] = ROLE_VERSIONED,
	[POS_MEMBER + ROLE_BLOCK_HASH] = ROLE_BLOCK_HASH,
	[POS_MEMBER + ROLE_PARENT] = ROLE_PARENT,
	[POS_MEMBER + ROLE_NUMBER] = ROLE_NUMBER,
	[POS_MEMBER + ROLE_TIME] = ROLE_TIME,
	[POS_MEMBER + ROLE_BASE_FEE] = ROLE_BASE_FEE,
	[POS_MEMBER + ROLE_HEAD] = ROLE_HEAD,
	[POS_MEMBER + ROLE_SAFE] = ROLE_SAFE,
	[POS_MEMBER + ROLE_FINAL] = ROLE_FINAL,
};

static unsigned
object_ctx(struct jsonrpc *j)
{
	switch (j->pos) {
	case POS_REQUEST:
		/* no candidates: there are none outside requests */
		j->method = j->kind = j->other_method = 0;
		j->subscription = JSONRPC_SUB_NONE;
		j->method_folded = j->method_read = false;
		j->folded_at = 0;
		j->id = (struct json_id){0};
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
array_ctx(struct scan *s)
{
	struct jsonrpc *j = s->j;
	switch (j->pos) {
	case POS_REQUEST:
		if (j->x.depth > 0) /* an element of a batch */
			return CTX_SKIP;
		j->batch = true;
		return CTX_BATCH;
	case POS_PARAMS:
		return CTX_PARAMS;
	case POS_FIRST:
		items_list_begins(j);
		return CTX_TXS;
	case POS_TXS:
		items_list_begins(j);
		return j->list = CTX_TXS;
	case POS_BODY:
		if (j->level == 0)
			items_list_begins(j);
		return j->list = CTX_BODY;
	case POS_TX:
		return bytes_begin(j, ROLE_TX);
	case POS_TXS_ITEM:
		return bytes_begin(j, ROLE_TXS);
	case POS_MEV_TX:
		return bytes_begin(j, ROLE_MEV_TX);
	case POS_BLOCK_TXS:
		rpc_block_begin(s);
		return j->list = CTX_BLOCK_TXS;
	case POS_SECOND:
		if (!rpc_block_wanted(s))
			return CTX_SKIP;
		items_list_begins(j);
		return CTX_VERSIONED;
	default:
		return CTX_SKIP;
	}
}

#endif
