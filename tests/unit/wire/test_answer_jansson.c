/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of a real node (answers/anvil.ndjson) and random ones, against jansson: it says what the value is, plain code here what
 * is in it. Each goes through the scanner in one piece and in random pieces. What ethers says is in the real ones is in
 * answers/expected.ndjson. usage: test_answer_jansson FOLDER */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/answer_rig.h"

#include <ctype.h>
#include <jansson.h>
#include <strings.h>

#define MESSAGES 20000u

static const char *folder;

/* ---- what is in a value ---- */

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
	{"hash", TXM_HASH, 0}, {"nonce", TXM_NONCE, 1}, {"gas", TXM_GAS, 1}, {"gaslimit", TXM_GAS, 1}, {"input", TXM_INPUT, 0},
	{"data", TXM_DATA, 0}, {"value", TXM_VALUE, 1}, {"to", TXM_TO, 0}, {"from", TXM_FROM, 0},
	{"gasprice", TXM_GAS_PRICE, 1}, {"maxfeepergas", TXM_FEE_CAP, 1}, {"maxpriorityfeepergas", TXM_TIP_CAP, 1},
	{"maxfeeperblobgas", TXM_BLOB_FEE_CAP, 1}, {"type", TXM_TYPE, 1}, {"chainid", TXM_CHAIN_ID, 1}, {"v", TXM_V, 1},
	{"yparity", TXM_Y_PARITY, 1}, {"r", TXM_R, 1}, {"s", TXM_S, 1}, {"blockhash", TXM_BLOCK_HASH, 0},
	{"blocknumber", TXM_BLOCK_NUMBER, 1}, {"parenthash", TXM_PARENT, 0}, {"number", TXM_NUMBER, 1},
	{"timestamp", TXM_TIME, 1}, {"basefeepergas", TXM_BASE_FEE, 1}, {"blockvalue", TXM_BLOCK_VALUE, 1},
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
	json_object_foreach((json_t *)(uintptr_t)e, k, v) {
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
			block((struct json_block_event){.kind = JSON_BLOCK_TX, .index = i, .state = JSONRPC_BAD_HEX});
		} else {
			if (len == 32)
				hash(p, ANSWER_IN_BLOCK, i);
			else
				block((struct json_block_event){.kind = JSON_BLOCK_TX, .index = i, .raw = {p, len}});
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
			b.has |= BLOCK_HASH;
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
	static const char *const names[] = {"", "VALID", "INVALID", "SYNCING", "ACCEPTED", "INVALID_BLOCK_HASH"};
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
			tell((struct answer_event){.kind = ANSWER_RAW, .raw = {p, len}, .place = ANSWER_IN_MEMBER});
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
	else if ((t->has & tx) == tx && (t->has & (TXM_BIT(TXM_INPUT) | TXM_BIT(TXM_DATA))) && !(t->has & TXM_BIT(TXM_PARENT)))
		tell((struct answer_event){.kind = ANSWER_TX, .tx = t});
	struct span l = answer_tx_member(t, TXM_LATEST), value = answer_tx_member(t, TXM_BLOCK_VALUE);
	if (status && latest)
		tell((struct answer_event){.kind = ANSWER_STATUS, .status = (uint8_t)status, .hash = l.len == 32 ? l.p : NULL});
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
	json_object_foreach((json_t *)(uintptr_t)o, k, v) {
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
		tell((struct answer_event){.kind = ANSWER_RAW, .raw = {p, len}, .place = ANSWER_IN_SUBSCRIPTION});
	free(p);
}

static struct json_id
id_of(const json_t *v)
{
	struct json_id id = {0};
	char text[64];
	if (v == NULL)
		return id;
	id.kind = json_is_string(v) ? JSON_ID_STRING : json_is_null(v) ? JSON_ID_NULL : json_is_integer(v) ? JSON_ID_NUMBER : JSON_ID_OTHER;
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
	json_object_foreach((json_t *)(uintptr_t)o, k, v) {
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
		e.message = (struct span){(const uint8_t *)json_string_value(message), (uint32_t)json_string_length(message)};
		e.message.len = e.message.len > ANSWER_NOTE_MAX ? ANSWER_NOTE_MAX : e.message.len;
		e.error = answer_error_of(e.message);
	} else if (result != NULL) {
		e.result = json_is_null(result) ? ANSWER_NULL : ANSWER_OTHER;
		if (!json_is_string(result) || json_string_length(result) <= ANSWER_TEXT_MAX)
			e.text = id_of(result);
		if (json_is_string(result) && bytes_of(result, false, &p, &len)) {
			e.hash = p;
			e.raw = (struct span){p, len};
			e.result = len == 32 ? ANSWER_IS_HASH : like_raw(p, len) ? ANSWER_IS_BYTES : ANSWER_OTHER;
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
	json_object_foreach((json_t *)(uintptr_t)o, k, v) {
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

/* ---- making messages ---- */

static uint64_t seed;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static char body[1 << 18];
static size_t len;

static void
text(const char *s)
{
	size_t n = strlen(s);
	assert_true(len + n < sizeof body);
	memcpy(body + len, s, n);
	len += n;
}

static void
space(void)
{
	while (rnd(8) == 0)
		body[len++] = " \t\r\n"[rnd(4)];
}

static void
quoted(const char *s, unsigned escapes)
{
	text("\"");
	for (; *s; s++) {
		if (escapes && rnd(escapes) == 0) {
			char u[8];
			sprintf(u, "\\u%04x", (unsigned char)*s);
			text(u);
		} else {
			body[len++] = *s;
		}
	}
	text("\"");
}

static void
key(const char *name)
{
	char k[64];
	strcpy(k, name);
	for (size_t i = 0; k[i]; i++)
		if (isalpha((unsigned char)k[i]) && rnd(12) == 0)
			k[i] ^= 0x20;
	space();
	quoted(k, rnd(6) ? 0 : 4);
	space();
	text(":");
	space();
}

static void
hex(unsigned digits)
{
	static char s[8192];
	size_t n = (size_t)sprintf(s, "%s", rnd(8) ? "0x" : rnd(2) ? "0X" : "");
	for (unsigned i = 0; i < digits; i++)
		s[n++] = "0123456789abcdefABCDEF"[rnd(22)];
	s[n] = 0;
	if (n > 0 && rnd(60) == 0)
		s[rnd((uint32_t)n)] = "g -z"[rnd(4)];
	quoted(s, rnd(12) ? 0 : 1 + rnd(10));
}

static void any(unsigned depth);

static void
scalar(void)
{
	static const char *const scalars[] = {"0", "-12", "true", "false", "null", "null", "\"\"", "\"latest\"", "\"a\\\"b\\\\\"",
		"\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"", "12345678901", "\"VALID\"", "\"SYNCING\"", "\"nonce too low\""};
	text(scalars[rnd(sizeof scalars / sizeof *scalars)]);
}

static void
keys_list(void)
{
	text("[");
	for (unsigned i = 0, n = rnd(4); i < n; i++) {
		text(i ? "," : "");
		space();
		rnd(40) ? hex(64) : scalar();
	}
	text("]");
}

static void
tuple(bool auth)
{
	static const char *const names[] = {"chainId", "address", "nonce", "yParity", "r", "s", "x"};
	unsigned first = rnd(7), n = rnd(20) ? 7 : rnd(7);
	bool comma = false;
	if (rnd(60) == 0) {
		scalar();
		return;
	}
	text("{");
	for (unsigned i = 0; i < n; i++) {
		const char *name = auth ? names[(first + i) % 7] : (first + i) % 7 == 0 ? "address" : (first + i) % 7 == 1 ? "storageKeys" : NULL;
		if (name == NULL)
			continue;
		text(comma ? "," : "");
		comma = true;
		key(name);
		if (strcmp(name, "x") == 0)
			any(3);
		else if (strcmp(name, "storageKeys") == 0)
			rnd(20) ? keys_list() : any(3);
		else if (strcmp(name, "address") == 0)
			hex(rnd(30) ? 40 : 38);
		else
			hex(1 + rnd(rnd(40) ? 64 : 70));
		space();
	}
	text("}");
}

static void
list(const char *name)
{
	text("[");
	for (unsigned i = 0, n = rnd(4); i < n; i++) {
		text(i ? "," : "");
		space();
		if (name[0] == 'b')
			rnd(30) ? hex(64) : any(3);
		else
			tuple(name[1] == 'u');
	}
	text("]");
}

/* Members of transactions and blocks, most of them, in any order, each once. */
static void
object(unsigned depth)
{
	static const char *const names[] = {"hash", "nonce", "gas", "input", "value", "to", "from", "gasPrice", "maxFeePerGas",
		"maxPriorityFeePerGas", "type", "chainId", "v", "yParity", "r", "s", "accessList", "authorizationList",
		"blobVersionedHashes", "maxFeePerBlobGas", "blockHash", "blockNumber", "parentHash", "number", "timestamp",
		"baseFeePerGas", "blockValue", "transactions", "status", "latestValidHash", "rawTx", "txHash", "raw_tx", "data",
		"unknown", "logsBloom", "", "gasLimits", "transactionIndex"};
	unsigned count = sizeof names / sizeof *names, first = rnd(count), step = 1 + rnd(5), kind = rnd(4);
	bool comma = false, seen[64] = {0};
	while (count % step == 0 && step > 1)
		step--;
	text("{");
	for (unsigned i = 0, at = first; i < count; i++, at = (at + step) % count) {
		const char *name = names[at];
		bool tx = at < 20;
		if (seen[at] || rnd(kind == 0 ? 8 : 10) >= (tx ? (kind < 2 ? 8u : 2u) : kind < 2 ? 1u : 4u))
			continue;
		seen[at] = true;
		text(comma ? "," : "");
		comma = true;
		key(name);
		if (rnd(30) == 0 || at >= 34)
			any(depth + 1);
		else if (strstr(name, "List") || strstr(name, "blobV"))
			list(name);
		else if (strcmp(name, "transactions") == 0) {
			text("[");
			for (unsigned k = 0, n = rnd(4); k < n; k++) {
				text(k ? "," : "");
				space();
				rnd(3) ? hex(rnd(2) ? 64 : 2 * rnd(200)) : depth < 3 ? object(depth + 1) : scalar();
			}
			text("]");
		} else if (strcmp(name, "status") == 0)
			scalar();
		else if (strstr(name, "ash") || at == 22)
			hex(64);
		else if (strcmp(name, "to") == 0 || strcmp(name, "from") == 0)
			hex(40);
		else if (strcmp(name, "input") == 0 || name[0] == 'd' || strstr(name, "aw"))
			hex(2 * rnd(rnd(4) ? 100 : 2000));
		else if (strcmp(name, "type") == 0)
			text((const char *[]){"\"0x0\"", "\"0x1\"", "\"0x2\"", "\"0x3\"", "\"0x04\"", "\"0x7e\""}[rnd(6)]);
		else
			hex(1 + rnd(rnd(3) ? 16 : 65));
		space();
	}
	text("}");
}

static void
any(unsigned depth)
{
	unsigned what = depth > 4 ? 3 + rnd(3) : rnd(7);
	if (what == 0) {
		object(depth + 1);
	} else if (what == 1) {
		text("[");
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			text(i ? "," : "");
			space();
			any(depth + 1);
			space();
		}
		text("]");
	} else if (what == 2) {
		text("{");
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			char name[8];
			sprintf(name, "%s%u", i % 2 ? "0x" : "k", i);
			text(i ? "," : "");
			key(name);
			any(depth + 1);
		}
		text("}");
	} else if (what < 5) {
		scalar();
	} else {
		hex(rnd(3) ? 64 : rnd(400));
	}
}

static void
error(void)
{
	if (rnd(6) == 0) {
		scalar();
		return;
	}
	text("{");
	key("code");
	text((const char *[]){"-32000", "3", "-32601"}[rnd(3)]);
	text(",");
	key("message");
	text((const char *[]){"\"already known\"", "\"nonce too low: next nonce 5\"", "\"x\\u0041\\n\"", "\"\""}[rnd(4)]);
	text(",");
	key("data");
	any(3);
	text("}");
}

static void
message(void)
{
	static const char order[][6] = {"jir", "jri", "rji", "ije", "jier", "xir", "jmp", "mjp", "jmpx", "i", "", "jm"};
	const char *o = order[rnd(12)];
	if (rnd(30) == 0) {
		scalar();
		return;
	}
	text("{");
	for (unsigned i = 0; o[i]; i++) {
		text(i ? "," : "");
		key(o[i] == 'j' ? "jsonrpc" : o[i] == 'i' ? "id" : o[i] == 'r' ? "result" : o[i] == 'e' ? "error" : o[i] == 'm' ? "method" : o[i] == 'p' ? "params" : "x");
		if (o[i] == 'i') {
			scalar();
		} else if (o[i] == 'r') {
			rnd(2) ? any(0) : object(0);
		} else if (o[i] == 'e') {
			error();
		} else if (o[i] == 'p') {
			text("{");
			key("subscription");
			text("\"0x1\",");
			key("result");
			rnd(2) ? any(0) : object(0);
			text("}");
		} else if (o[i] == 'm') {
			text("\"eth_subscription\"");
		} else {
			any(3);
		}
		space();
	}
	text("}");
}

/* ---- comparing ---- */

static void
in_pieces(struct answer_rig *r, const char *p, size_t n, unsigned longest)
{
	answer_rig_begin(r, false);
	for (size_t i = 0; i < n || i == 0;) {
		size_t k = 1 + rnd(longest);
		k = k > n - i ? n - i : k;
		answer_rig_feed(r, p + i, k, i + k == n);
		i += k;
		if (i >= n)
			break;
	}
	r->log[r->log_len] = 0;
}

static void
compare(struct answer_rig *r, const char *p, size_t n, const char *expected, enum jsonrpc_status status)
{
	static const unsigned longest[] = {1u << 18, 1, 7, 100, 1448};
	for (unsigned i = 0; i < sizeof longest / sizeof *longest; i++) {
		in_pieces(r, p, n, longest[i]);
		assert_int_equal(r->slabs_out, 0);
		if (strcmp(r->log, expected) != 0 || r->status != status)
			fail_msg("pieces of %u: %.*s\ngave (%d)\n%sexpected (%d)\n%s", longest[i], (int)n, p, r->status, r->log,
				status, expected);
	}
}

static void
random_messages(void **state)
{
	struct answer_rig r;
	unsigned told = 0, txs = 0;
	answer_rig_init(&r, 1 << 14);
	answer_rig_init(&oracle, 0);
	seed = 0x5e17;
	for (unsigned i = 0; i < MESSAGES; i++) {
		len = 0;
		space();
		if (rnd(10) == 0) {
			text("[");
			for (unsigned k = 0, n = rnd(4); k < n; k++) {
				text(k ? "," : "");
				message();
			}
			text("]");
		} else {
			message();
		}
		json_t *v = json_loadb(body, len, JSON_DECODE_ANY, NULL);
		if (v == NULL)
			fail_msg("jansson does not take %.*s", (int)len, body);
		say(v);
		compare(&r, body, len, oracle.log, JSONRPC_DONE);
		told += oracle.log_len > 0;
		for (unsigned k = 0; k < TXFIELDS_STATE_COUNT; k++)
			txs += oracle.n_tx[k];
		json_decref(v);
	}
	assert_true(told > MESSAGES / 2 && txs > MESSAGES / 10);
	answer_rig_free(&r);
	answer_rig_free(&oracle);
}

/* Damaged anywhere: in pieces as in one. */
static void
damaged_messages(void **state)
{
	struct answer_rig r, whole;
	answer_rig_init(&r, 1 << 14);
	answer_rig_init(&whole, 1 << 20);
	seed = 0xdada;
	unsigned bad = 0;
	for (unsigned i = 0; i < MESSAGES / 4; i++) {
		len = 0;
		message();
		for (unsigned k = 0, n = 1 + rnd(3); k < n; k++)
			body[rnd((uint32_t)len)] = "\"\\{}[],:0 x\x01n"[rnd(13)];
		in_pieces(&whole, body, len, 1u << 18);
		bad += whole.status == JSONRPC_MALFORMED;
		compare(&r, body, len, whole.log, whole.status);
		assert_true(whole.begun <= whole.ended);
	}
	assert_true(bad > MESSAGES / 16);
	answer_rig_free(&r);
	answer_rig_free(&whole);
}

/* ---- a real node's ---- */

static FILE *
open_file(const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		fail_msg("no %s", path);
	return f;
}

/* Takes what the scanner told of transactions out of the log, a line each, sorted. */
static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned
transactions_of(char *log, char **out)
{
	unsigned n = 0;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		char where[16], *raw = malloc(strlen(line) + 16);
		unsigned state, built;
		const char *t = line[0] == 'N' ? line + 2 : line;
		if (sscanf(t, "T %u %u %15s %*s", &state, &built, where) == 3) {
			assert_int_equal(built, TXFIELDS_OK);
			sprintf(raw, "0x%s %s", strrchr(t, ' ') + 1, where);
			out[n++] = raw;
		} else {
			free(raw);
		}
	}
	qsort(out, n, sizeof *out, by_text);
	return n;
}

static void
real_answers(void **state)
{
	struct answer_rig r;
	char *line = NULL, *wanted = NULL, *got[64];
	size_t cap = 0, wanted_cap = 0;
	ssize_t n;
	unsigned messages = 0, total = 0;
	FILE *in = open_file("anvil.ndjson"), *expected = open_file("expected.ndjson");
	answer_rig_init(&r, 1 << 14);
	answer_rig_init(&oracle, 0);
	seed = 77;
	while ((n = getline(&line, &cap, in)) > 1) {
		json_t *v = json_loadb(line, (size_t)n, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		say(v);
		compare(&r, line, (size_t)n, oracle.log, JSONRPC_DONE);
		assert_true(getline(&wanted, &wanted_cap, expected) > 0);
		json_t *w = json_loads(wanted, 0, NULL), *txs = json_object_get(w, "txs");
		unsigned k = transactions_of(r.log, got);
		assert_int_equal(k, json_array_size(txs));
		for (unsigned i = 0; i < k; i++) {
			char *text = malloc(strlen(got[i]) + 16);
			const json_t *pair = json_array_get(txs, i);
			sprintf(text, "%s %s", json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)));
			assert_string_equal(got[i], text);
			free(text);
			free(got[i]);
		}
		total += k;
		messages++;
		json_decref(w);
		json_decref(v);
	}
	assert_int_equal(messages, 66);
	assert_int_equal(total, 46);
	fclose(in);
	fclose(expected);
	free(line);
	free(wanted);
	answer_rig_free(&r);
	answer_rig_free(&oracle);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_answers),
		cmocka_unit_test(random_messages),
		cmocka_unit_test(damaged_messages),
	};
	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
