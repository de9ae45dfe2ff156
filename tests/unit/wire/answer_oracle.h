/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in an answer, by jansson's word: say() walks a value and writes down in oracle.log what the scanner
 * should tell of it. jansson keeps the last of equal keys in the place of the first, so it is good for values
 * without any. */
#ifndef TEST_ANSWER_ORACLE_H
#define TEST_ANSWER_ORACLE_H

#include "tests/unit/wire/answer_rig.h"

#include <ctype.h>
#include <jansson.h>
#include <strings.h>

static struct answer_rig oracle; /* only its log is used */
static bool pushed;		 /* the message is a notification */

static void
tell(struct answer_event e)
{
	e.notification = pushed;
	answer_rig_sink(&oracle, &e);
}

/* The bytes of a string of hex digits; an odd number of them is a quantity. false: it is none. */
static bool
bytes_of(const json_t *v, bool quantity, uint8_t **out, uint32_t *len)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	if (n % 2 && (!quantity || n > 63))
		return false;
	*out = malloc(n / 2 + 1);
	*len = 0;
	for (size_t i = 0; i < n;) {
		char pair[3] = {i == 0 && n % 2 ? '0' : s[i], s[i + 1 - (i == 0 && n % 2)], 0};
		i += i == 0 && n % 2 ? 1 : 2;
		(*out)[(*len)++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static const struct {
	const char *name;
	unsigned member;
	bool quantity;
} members[] = {
	{"hash", TXM_HASH, 0},
	{"nonce", TXM_NONCE, 1},
	{"gas", TXM_GAS, 1},
	{"gaslimit", TXM_GAS, 1},
	{"input", TXM_INPUT, 0},
	{"data", TXM_DATA, 0},
	{"value", TXM_VALUE, 1},
	{"to", TXM_TO, 0},
	{"from", TXM_FROM, 0},
	{"gasprice", TXM_GAS_PRICE, 1},
	{"maxfeepergas", TXM_FEE_CAP, 1},
	{"maxpriorityfeepergas", TXM_TIP_CAP, 1},
	{"maxfeeperblobgas", TXM_BLOB_FEE_CAP, 1},
	{"type", TXM_TYPE, 1},
	{"chainid", TXM_CHAIN_ID, 1},
	{"v", TXM_V, 1},
	{"yparity", TXM_Y_PARITY, 1},
	{"r", TXM_R, 1},
	{"s", TXM_S, 1},
	{"blockhash", TXM_BLOCK_HASH, 0},
	{"blocknumber", TXM_BLOCK_NUMBER, 1},
	{"parenthash", TXM_PARENT, 0},
	{"number", TXM_NUMBER, 1},
	{"timestamp", TXM_TIME, 1},
	{"basefeepergas", TXM_BASE_FEE, 1},
	{"blockvalue", TXM_BLOCK_VALUE, 1},
	{"latestvalidhash", TXM_LATEST, 0},
};

static void
give(struct answer_tx *t, unsigned member, bool good, uint8_t *p, uint32_t len)
{
	t->has |= TXM_BIT(member);
	t->m[member] = (struct span){p, good ? len : 0};
	if (!good)
		t->state = JSONRPC_BAD_HEX;
}

/* One element of a list into out; how many bytes, or -1. */
static int
entry_of(const json_t *e, unsigned member, uint8_t *out)
{
	static const char *const slots[] = {"chainid", "address", "nonce", "yparity", "r", "s"};
	uint8_t *p;
	uint32_t len;
	const char *k;
	const json_t *v;
	if (member == TXM_BLOBS) {
		if (!json_is_string(e) || !bytes_of(e, false, &p, &len))
			return -1;
		if (len == 32)
			memcpy(out, p, 32);
		free(p);
		return len == 32 ? 32 : -1;
	}
	if (!json_is_object(e))
		return -1;
	int n = member == TXM_AUTH ? (int)ANSWER_AUTH : (int)ANSWER_ENTRY;
	bool address = false, good = true;
	memset(out, 0, (size_t)n);
	json_object_foreach((json_t *)(uintptr_t)e, k, v)
	{
		for (unsigned i = 0; member == TXM_AUTH && i < ANSWER_SLOTS; i++) {
			if (strcasecmp(k, slots[i]) != 0 || !json_is_string(v))
				continue;
			if (!bytes_of(v, i != SLOT_ADDRESS, &p, &len))
				return -1;
			good = good && (i == SLOT_ADDRESS ? len == 20 : len <= 32);
			address = address || i == SLOT_ADDRESS;
			if (good) {
				out[i * ANSWER_SLOT] = (uint8_t)len;
				memcpy(out + i * ANSWER_SLOT + 1, p, len);
			}
			free(p);
		}
		if (member == TXM_AUTH)
			continue;
		if (strcasecmp(k, "address") == 0 && json_is_string(v)) {
			if (!bytes_of(v, false, &p, &len))
				return -1;
			good = good && len == 20;
			address = true;
			if (len == 20)
				memcpy(out, p, 20);
			free(p);
		} else if (strcasecmp(k, "storagekeys") == 0 && json_is_array(v)) {
			uint32_t keys = (uint32_t)json_array_size(v);
			memcpy(out + 20, &keys, 4);
			for (uint32_t i = 0; i < keys; i++, n += 32)
				if (entry_of(json_array_get(v, i), TXM_BLOBS, out + n) != 32)
					good = false;
		}
	}
	return good && address ? n : -1;
}

static void
give_list(struct answer_tx *t, unsigned member, const json_t *list)
{
	uint8_t *p = malloc(1 << 16);
	int n = 0, k;
	bool good = true;
	for (size_t i = 0; i < json_array_size(list) && good; i++) {
		k = entry_of(json_array_get(list, i), member, p + n);
		good = k >= 0;
		n += good ? k : 0;
	}
	give(t, member, good, p, (uint32_t)n);
}

static bool
like_raw(const uint8_t *p, uint32_t len)
{
	return len >= 64 && (p[0] >= 0xc0 || (p[0] >= 1 && p[0] <= 4));
}

static void walk(const json_t *v);

static void
hash(const uint8_t *h, unsigned place, uint32_t index)
{
	tell((struct answer_event){.kind = ANSWER_HASH, .hash = h, .place = (uint8_t)place, .index = index});
}

static void
block(struct json_block_event e)
{
	tell((struct answer_event){.kind = ANSWER_BLOCK, .block = &e});
}

static void
walk_txs(const json_t *list)
{
	block((struct json_block_event){.kind = JSON_BLOCK_BEGIN});
	for (uint32_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		uint8_t *p;
		uint32_t len;
		if (!json_is_string(v)) {
			walk(v);
		} else if (!bytes_of(v, false, &p, &len)) {
			block((struct json_block_event){
				.kind = JSON_BLOCK_TX, .index = i, .state = JSONRPC_BAD_HEX});
		} else {
			if (len == 32)
				hash(p, ANSWER_IN_BLOCK, i);
			else
				block((struct json_block_event){
					.kind = JSON_BLOCK_TX, .index = i, .raw = {p, len}});
			free(p);
		}
	}
}

static uint64_t
number(const struct answer_tx *t, unsigned m, uint32_t bit, uint32_t *has)
{
	uint64_t v = 0;
	if (!(t->has & TXM_BIT(m)) || t->m[m].len == 0 || t->m[m].len > 8)
		return 0;
	for (uint32_t i = 0; i < t->m[m].len; i++)
		v = v << 8 | t->m[m].p[i];
	*has |= bit;
	return v;
}

static void
tell_block(const struct answer_tx *t, uint32_t n_txs)
{
	struct json_block b = {.n_txs = n_txs};
	for (unsigned i = 0; i < 2; i++) {
		struct span h = answer_tx_member(t, i ? TXM_HASH : TXM_BLOCK_HASH);
		if (h.len == 32) {
			memcpy(b.hash, h.p, 32);
			b.has |= i ? BLOCK_HASH : BLOCK_HASH | BLOCK_PAYLOAD;
		}
	}
	struct span parent = answer_tx_member(t, TXM_PARENT), fee = answer_tx_member(t, TXM_BASE_FEE);
	if (parent.len == 32) {
		memcpy(b.parent, parent.p, 32);
		b.has |= BLOCK_PARENT;
	}
	uint32_t was = b.has;
	b.number = number(t, TXM_NUMBER, BLOCK_NUMBER, &b.has);
	if (b.has == was)
		b.number = number(t, TXM_BLOCK_NUMBER, BLOCK_NUMBER, &b.has);
	b.time_s = number(t, TXM_TIME, BLOCK_TIME, &b.has);
	if (fee.len > 0 && fee.len <= 32) {
		memcpy(b.base_fee + 32 - fee.len, fee.p, fee.len);
		b.has |= BLOCK_BASE_FEE;
	}
	block((struct json_block_event){.kind = JSON_BLOCK_END, .block = &b});
}

/* A string member of an object: 1 if it was one that matters. */
static void
walk_string(struct answer_tx *t, const char *k, const json_t *v, unsigned *status)
{
	static const char *const names[] = {
		"", "VALID", "INVALID", "SYNCING", "ACCEPTED", "INVALID_BLOCK_HASH"};
	uint8_t *p = NULL;
	uint32_t len = 0;
	for (unsigned i = 0; i < sizeof members / sizeof *members; i++) {
		if (strcasecmp(k, members[i].name) == 0) {
			bool good = bytes_of(v, members[i].quantity, &p, &len);
			give(t, members[i].member, good, p, len);
			return;
		}
	}
	if (strcasecmp(k, "status") == 0) {
		for (unsigned i = *status = 0; i < 6; i++)
			if (strcmp(json_string_value(v), names[i]) == 0 && i > 0)
				*status = i;
		return;
	}
	bool raw = strcasecmp(k, "rawTx") == 0 || strcasecmp(k, "raw_tx") == 0;
	bool named = strcasecmp(k, "txHash") == 0 || strcasecmp(k, "tx_hash") == 0;
	if ((raw || named) && bytes_of(v, false, &p, &len)) {
		if (raw && like_raw(p, len))
			tell((struct answer_event){
				.kind = ANSWER_RAW, .raw = {p, len}, .place = ANSWER_IN_MEMBER});
		else if (named && len == 32 && pushed)
			hash(p, ANSWER_IN_SUBSCRIPTION, 0);
		free(p);
	}
}

static void
tell_object(const struct answer_tx *t, const json_t *txs, unsigned status, bool latest)
{
	uint32_t tx = TXM_BIT(TXM_NONCE) | TXM_BIT(TXM_GAS) | TXM_BIT(TXM_VALUE);
	uint32_t header = TXM_BIT(TXM_PARENT) | TXM_BIT(TXM_HASH) | TXM_BIT(TXM_NUMBER);
	if (txs != NULL || (t->has & header) == header)
		tell_block(t, (uint32_t)json_array_size(txs));
	else if ((t->has & tx) == tx && (t->has & (TXM_BIT(TXM_INPUT) | TXM_BIT(TXM_DATA))) &&
		 !(t->has & TXM_BIT(TXM_PARENT)))
		tell((struct answer_event){.kind = ANSWER_TX, .tx = t});
	struct span l = answer_tx_member(t, TXM_LATEST), value = answer_tx_member(t, TXM_BLOCK_VALUE);
	if (status && latest)
		tell((struct answer_event){
			.kind = ANSWER_STATUS, .status = (uint8_t)status, .hash = l.len == 32 ? l.p : NULL});
	if (value.len > 0)
		tell((struct answer_event){.kind = ANSWER_VALUE, .raw = value});
}

static void
walk_object(const json_t *o)
{
	struct answer_tx t = {0};
	const json_t *txs = NULL;
	const char *k;
	json_t *v;
	unsigned status = 0;
	bool latest = false;
	json_object_foreach((json_t *)(uintptr_t)o, k, v)
	{
		latest = latest || strcasecmp(k, "latestValidHash") == 0;
		if (json_is_string(v)) {
			walk_string(&t, k, v, &status);
		} else if (json_is_array(v) && strcasecmp(k, "transactions") == 0) {
			walk_txs(txs = v);
		} else if (json_is_array(v) && strcasecmp(k, "accessList") == 0) {
			give_list(&t, TXM_ACCESS, v);
		} else if (json_is_array(v) && strcasecmp(k, "authorizationList") == 0) {
			give_list(&t, TXM_AUTH, v);
		} else if (json_is_array(v) && strcasecmp(k, "blobVersionedHashes") == 0) {
			give_list(&t, TXM_BLOBS, v);
		} else {
			walk(v);
		}
	}
	tell_object(&t, txs, status, latest);
	for (unsigned i = 0; i < TXM_COUNT; i++)
		if (t.has & TXM_BIT(i))
			free((uint8_t *)(uintptr_t)t.m[i].p);
}

static void
walk(const json_t *v)
{
	if (json_is_object(v))
		walk_object(v);
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
		walk(json_array_get(v, i));
}

/* A result, of an answer or pushed. */
static void
walk_result(const json_t *v)
{
	uint8_t *p;
	uint32_t len;
	for (uint32_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
		const json_t *e = json_array_get(v, i);
		if (json_is_string(e) && bytes_of(e, false, &p, &len)) {
			if (len == 32)
				hash(p, ANSWER_IN_LIST, i);
			free(p);
		}
		walk(e);
	}
	if (json_is_object(v))
		walk_object(v);
	if (!pushed || !json_is_string(v) || !bytes_of(v, false, &p, &len))
		return;
	if (len == 32)
		hash(p, ANSWER_IN_SUBSCRIPTION, 0);
	else if (like_raw(p, len))
		tell((struct answer_event){
			.kind = ANSWER_RAW, .raw = {p, len}, .place = ANSWER_IN_SUBSCRIPTION});
	free(p);
}

static struct json_id
id_of(const json_t *v)
{
	struct json_id id = {0};
	char text[64];
	if (v == NULL)
		return id;
	id.kind = json_is_string(v)    ? JSON_ID_STRING
		  : json_is_null(v)    ? JSON_ID_NULL
		  : json_is_integer(v) ? JSON_ID_NUMBER
				       : JSON_ID_OTHER;
	if (json_is_string(v))
		json_id_bytes(&id, (const uint8_t *)json_string_value(v), json_string_length(v));
	if (json_is_integer(v)) {
		int n = sprintf(text, "%lld", (long long)json_integer_value(v));
		json_id_bytes(&id, (const uint8_t *)text, (size_t)n);
	}
	return id;
}

static json_t *
member(const json_t *o, const char *name)
{
	const char *k;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, k, v)
	{
		if (strcasecmp(k, name) == 0)
			return v;
	}
	return NULL;
}

static void
tell_response(const json_t *o)
{
	json_t *result = member(o, "result"), *error = member(o, "error");
	struct answer_event e = {.kind = ANSWER_RESPONSE, .id = id_of(member(o, "id"))};
	uint8_t *p = NULL;
	uint32_t len;
	if (error != NULL && !json_is_null(error)) {
		const json_t *message = json_is_object(error) ? member(error, "message") : error;
		const json_t *code = json_is_object(error) ? member(error, "code") : NULL;
		e.result = ANSWER_ERROR;
		e.code = (int32_t)json_integer_value(code);
		e.message = (struct span){
			(const uint8_t *)json_string_value(message), (uint32_t)json_string_length(message)};
		e.message.len = e.message.len > ANSWER_NOTE_MAX ? ANSWER_NOTE_MAX : e.message.len;
		e.error = answer_error_of(e.message);
	} else if (result != NULL) {
		e.result = json_is_null(result) ? ANSWER_NULL : ANSWER_OTHER;
		if (!json_is_string(result) || json_string_length(result) <= ANSWER_TEXT_MAX)
			e.text = id_of(result);
		if (json_is_string(result) && bytes_of(result, false, &p, &len)) {
			e.hash = p;
			e.raw = (struct span){p, len};
			e.result = len == 32	      ? ANSWER_IS_HASH
				   : like_raw(p, len) ? ANSWER_IS_BYTES
						      : ANSWER_OTHER;
		}
	}
	if (e.result != ANSWER_NO_RESULT || e.id.kind != JSON_ID_NONE)
		tell(e);
	free(p);
}

static void
walk_message(const json_t *o)
{
	const char *k;
	json_t *v;
	pushed = false;
	if (!json_is_object(o))
		return;
	json_object_foreach((json_t *)(uintptr_t)o, k, v)
	{
		if (strcasecmp(k, "result") == 0)
			walk_result(v);
		pushed = pushed || (strcasecmp(k, "params") == 0 && json_is_object(v));
		if (strcasecmp(k, "params") == 0 && json_is_object(v))
			walk_result(member(v, "result"));
	}
	if (!pushed)
		tell_response(o);
}

static void
say(const json_t *v)
{
	oracle.log_len = 0;
	oracle.log[0] = 0;
	memset(oracle.n_tx, 0, sizeof oracle.n_tx);
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
		walk_message(json_array_get(v, i));
	walk_message(v);
	oracle.log[oracle.log_len] = 0;
}

#endif
