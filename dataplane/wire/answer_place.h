/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and places of the answer scanner. Included by answer.c alone, and a header only so that it is compiled
 * into its loop. */
#ifndef WIRE_ANSWER_PLACE_H
#define WIRE_ANSWER_PLACE_H

#include "wire/answer_private.h"
#include "wire/json_scan.h"

#include <string.h>

/* name: in lower case; its first 8 letters and its last 8 tell it apart from all other names that nodes use.
 */
static ALWAYS_INLINE bool
is_key(struct json_key key, const char *name, unsigned len)
{
	uint64_t k = 0, tail = 0;
	memcpy(&k, name, len < 8 ? len : 8);
	if (len > 8)
		memcpy(&tail, name + len - 8, 8);
	return key.k == folded(k, len < 8 ? len : 8) && key.tail == (len > 8 ? tail | EACH(0x20) : 0);
}

/* To be used in a switch by length. */
#define KEY(name, pos)                                     \
	if (is_key(key, name, (unsigned)sizeof(name) - 1)) \
	return pos
#define MEMBER(name, member) KEY(name, POS_MEMBER + (member))

/* Members of up to 8 letters. */
static ALWAYS_INLINE unsigned
short_member(struct json_key key)
{
	switch (key.len) {
	case 1:
		MEMBER("r", TXM_R);
		MEMBER("s", TXM_S);
		MEMBER("v", TXM_V);
		break;
	case 2:
		MEMBER("to", TXM_TO);
		break;
	case 3:
		MEMBER("gas", TXM_GAS);
		break;
	case 4:
		MEMBER("hash", TXM_HASH);
		MEMBER("from", TXM_FROM);
		MEMBER("type", TXM_TYPE);
		MEMBER("data", TXM_DATA);
		break;
	case 5:
		MEMBER("nonce", TXM_NONCE);
		MEMBER("value", TXM_VALUE);
		MEMBER("input", TXM_INPUT);
		KEY("rawtx", POS_RAW);
		break;
	case 6:
		KEY("raw_tx", POS_RAW);
		KEY("txhash", POS_TX_HASH);
		KEY("status", POS_STATUS);
		MEMBER("number", TXM_NUMBER);
		break;
	case 7:
		MEMBER("chainid", TXM_CHAIN_ID);
		MEMBER("yparity", TXM_Y_PARITY);
		KEY("tx_hash", POS_TX_HASH);
		break;
	case 8:
		MEMBER("gasprice", TXM_GAS_PRICE);
		MEMBER("gaslimit", TXM_GAS);
		break;
	default:
		break;
	}
	return POS_NONE;
}

static unsigned
long_member(struct json_key key)
{
	switch (key.len) {
	case 9:
		MEMBER("blockhash", TXM_BLOCK_HASH);
		MEMBER("timestamp", TXM_TIME);
		break;
	case 10:
		KEY("accesslist", POS_ACCESS);
		MEMBER("parenthash", TXM_PARENT);
		MEMBER("blockvalue", TXM_BLOCK_VALUE);
		break;
	case 11:
		MEMBER("blocknumber", TXM_BLOCK_NUMBER);
		break;
	case 12:
		KEY("transactions", POS_TXS);
		MEMBER("maxfeepergas", TXM_FEE_CAP);
		break;
	case 13:
		MEMBER("basefeepergas", TXM_BASE_FEE);
		break;
	case 15:
		KEY("latestvalidhash", POS_LATEST);
		break;
	case 16:
		MEMBER("maxfeeperblobgas", TXM_BLOB_FEE_CAP);
		break;
	case 17:
		KEY("authorizationlist", POS_AUTHS);
		break;
	case 19:
		KEY("blobversionedhashes", POS_BLOBS);
		break;
	case 20:
		MEMBER("maxpriorityfeepergas", TXM_TIP_CAP);
		break;
	default:
		break;
	}
	return POS_NONE;
}

static unsigned
message_key(const struct answer *j, struct json_key key)
{
	KEY("id", POS_ID);
	KEY("result", POS_RESULT);
	KEY("error", POS_ERROR);
	KEY("params", POS_PARAMS);
	return POS_SKIP;
}

static unsigned
params_key(struct json_key key)
{
	KEY("result", POS_PUSHED);
	KEY("subscription", POS_SUBSCRIPTION);
	return POS_SKIP;
}

static unsigned
error_key(struct json_key key)
{
	KEY("code", POS_CODE);
	KEY("message", POS_NOTE);
	return POS_SKIP;
}

static unsigned
auth_key(struct json_key key)
{
	KEY("chainid", POS_SLOT + SLOT_CHAIN_ID);
	KEY("address", POS_SLOT + SLOT_ADDRESS);
	KEY("nonce", POS_SLOT + SLOT_NONCE);
	KEY("yparity", POS_SLOT + SLOT_Y_PARITY);
	KEY("v", POS_SLOT + SLOT_Y_PARITY);
	KEY("r", POS_SLOT + SLOT_R);
	KEY("s", POS_SLOT + SLOT_S);
	return POS_SKIP;
}

static unsigned
entry_key(struct json_key key)
{
	KEY("address", POS_ADDRESS);
	KEY("storagekeys", POS_KEYS);
	return POS_SKIP;
}

static ALWAYS_INLINE unsigned
key_pos(const struct answer *j, struct json_key key)
{
	switch (j->ctx) {
	case CTX_OBJECT:
		return key.len <= 8 ? short_member(key) : long_member(key);
	case CTX_MESSAGE:
		return message_key(j, key);
	case CTX_PARAMS:
		return params_key(key);
	case CTX_ERROR:
		return error_key(key);
	case CTX_ENTRY:
		return entry_key(key);
	case CTX_AUTH:
		return auth_key(key);
	default:
		return POS_SKIP;
	}
}

/* What the elements of an array are. */
static const uint8_t elem_pos[CTX_COUNT] = {
	[CTX_SKIP] = POS_SKIP,
	[CTX_BATCH] = POS_MESSAGE,
	[CTX_LIST] = POS_LIST_ITEM,
	[CTX_TXS] = POS_TXS_ITEM,
	[CTX_ACCESS] = POS_ACCESS_ITEM,
	[CTX_KEYS] = POS_KEY,
	[CTX_AUTHS] = POS_AUTH_ITEM,
	[CTX_BLOBS] = POS_BLOB,
};

/* Which strings are decoded: 1, as bytes; 2, as a quantity, short and perhaps odd. */
enum { AS_BYTES = 1, AS_QUANTITY = 2 };
static const uint8_t decoded[POS_COUNT] = {
	[POS_RESULT] = AS_BYTES,
	[POS_PUSHED] = AS_BYTES,
	[POS_TXS_ITEM] = AS_BYTES,
	[POS_LIST_ITEM] = AS_BYTES,
	[POS_RAW] = AS_BYTES,
	[POS_TX_HASH] = AS_BYTES,
	[POS_LATEST] = AS_BYTES,
	[POS_ADDRESS] = AS_BYTES,
	[POS_KEY] = AS_BYTES,
	[POS_BLOB] = AS_BYTES,
	[POS_SLOT + SLOT_CHAIN_ID] = AS_QUANTITY,
	[POS_SLOT + SLOT_ADDRESS] = AS_BYTES,
	[POS_SLOT + SLOT_NONCE] = AS_QUANTITY,
	[POS_SLOT + SLOT_Y_PARITY] = AS_QUANTITY,
	[POS_SLOT + SLOT_R] = AS_QUANTITY,
	[POS_SLOT + SLOT_S] = AS_QUANTITY,
	[POS_MEMBER + TXM_HASH] = AS_BYTES,
	[POS_MEMBER + TXM_NONCE] = AS_QUANTITY,
	[POS_MEMBER + TXM_GAS] = AS_QUANTITY,
	[POS_MEMBER + TXM_INPUT] = AS_BYTES,
	[POS_MEMBER + TXM_DATA] = AS_BYTES,
	[POS_MEMBER + TXM_VALUE] = AS_QUANTITY,
	[POS_MEMBER + TXM_TO] = AS_BYTES,
	[POS_MEMBER + TXM_FROM] = AS_BYTES,
	[POS_MEMBER + TXM_GAS_PRICE] = AS_QUANTITY,
	[POS_MEMBER + TXM_FEE_CAP] = AS_QUANTITY,
	[POS_MEMBER + TXM_TIP_CAP] = AS_QUANTITY,
	[POS_MEMBER + TXM_BLOB_FEE_CAP] = AS_QUANTITY,
	[POS_MEMBER + TXM_TYPE] = AS_QUANTITY,
	[POS_MEMBER + TXM_CHAIN_ID] = AS_QUANTITY,
	[POS_MEMBER + TXM_V] = AS_QUANTITY,
	[POS_MEMBER + TXM_Y_PARITY] = AS_QUANTITY,
	[POS_MEMBER + TXM_R] = AS_QUANTITY,
	[POS_MEMBER + TXM_S] = AS_QUANTITY,
	[POS_MEMBER + TXM_BLOCK_HASH] = AS_BYTES,
	[POS_MEMBER + TXM_BLOCK_NUMBER] = AS_QUANTITY,
	[POS_MEMBER + TXM_PARENT] = AS_BYTES,
	[POS_MEMBER + TXM_NUMBER] = AS_QUANTITY,
	[POS_MEMBER + TXM_TIME] = AS_QUANTITY,
	[POS_MEMBER + TXM_BASE_FEE] = AS_QUANTITY,
	[POS_MEMBER + TXM_BLOCK_VALUE] = AS_QUANTITY,
};

static unsigned
message_ctx(struct answer *j)
{
	j->id = j->subscription = j->text = (struct json_id){0};
	j->result = ANSWER_NO_RESULT;
	j->error = ANSWER_ERR_OTHER;
	j->notification = j->negative = false;
	j->note_len = 0;
	j->code = 0;
	j->index = 0;
	j->n_recs = 0;
	j->frame = 0;
	j->frames[0] = (struct answer_frame){.bytes = j->h.used};
	j->message_open = true;
	return CTX_MESSAGE;
}

static unsigned
any_object(struct answer *j)
{
	return answer_frame_open(j) ? CTX_OBJECT : CTX_SKIP;
}

/* A container where one is of no special meaning. */
static inline bool
anything_goes(const struct answer *j)
{
	return j->ctx >= CTX_OBJECT && j->ctx <= CTX_TXS && j->pos != POS_SKIP;
}

static unsigned
object_ctx(struct scan *s)
{
	struct answer *j = s->j;
	switch (j->pos) {
	case POS_MESSAGE:
		return message_ctx(j);
	case POS_PARAMS:
		j->notification = true;
		return CTX_PARAMS;
	case POS_RESULT:
	case POS_PUSHED:
		return any_object(j);
	case POS_ERROR:
		return CTX_ERROR;
	case POS_ACCESS_ITEM:
		answer_entry_open(s, ANSWER_ENTRY);
		return CTX_ENTRY;
	case POS_AUTH_ITEM:
		answer_entry_open(s, ANSWER_AUTH);
		return CTX_AUTH;
	default:
		return anything_goes(j) ? any_object(j) : CTX_SKIP;
	}
}

static unsigned
array_ctx(struct scan *s)
{
	struct answer *j = s->j;
	switch (j->pos) {
	case POS_MESSAGE:
		if (j->x.depth > 0) /* an element of a batch */
			return CTX_SKIP;
		j->batch = true;
		return CTX_BATCH;
	case POS_RESULT:
	case POS_PUSHED:
		j->index = 0;
		return CTX_LIST;
	case POS_TXS:
		answer_block_begin(s);
		return CTX_TXS;
	case POS_ACCESS:
		answer_list_open(j);
		return CTX_ACCESS;
	case POS_AUTHS:
		answer_list_open(j);
		return CTX_AUTHS;
	case POS_BLOBS:
		answer_list_open(j);
		return CTX_BLOBS;
	case POS_KEYS:
		answer_keys_open(j);
		return CTX_KEYS;
	default:
		return anything_goes(j) ? CTX_ARRAY : CTX_SKIP;
	}
}

#endif
