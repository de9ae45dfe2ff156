/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of a real node (answers/anvil.ndjson) and random ones, against jansson: it says what the value is,
 * plain code here what is in it. Each goes through the scanner in one piece and in random pieces. What ethers
 * says is in the real ones is in answers/expected.ndjson. usage: test_answer_jansson FOLDER */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/answer_oracle.h"
#include "tests/unit/wire/json_text.h"

#define MESSAGES 8000u

static const char *folder;

/* ---- making messages ---- */

static void
key(const char *name)
{
	char k[64];
	strcpy(k, name);
	for (size_t i = 0; k[i]; i++)
		if (isalpha((unsigned char)k[i]) && rnd(12) == 0)
			k[i] ^= 0x20;
	space();
	put_string(k, rnd(6) ? 0 : 4);
	space();
	put_text(":");
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
	put_string(s, rnd(12) ? 0 : 1 + rnd(10));
}

static void any(unsigned depth);

static void
scalar(void)
{
	static const char *const scalars[] = {"0", "-12", "true", "false", "null", "null", "\"\"",
		"\"latest\"", "\"a\\\"b\\\\\"", "\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"", "12345678901",
		"\"VALID\"", "\"SYNCING\"", "\"nonce too low\""};
	put_text(scalars[rnd(sizeof scalars / sizeof *scalars)]);
}

static void
keys_list(void)
{
	put_text("[");
	for (unsigned i = 0, n = rnd(4); i < n; i++) {
		put_text(i ? "," : "");
		space();
		rnd(40) ? hex(64) : scalar();
	}
	put_text("]");
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
	put_text("{");
	for (unsigned i = 0; i < n; i++) {
		const char *name = auth			  ? names[(first + i) % 7]
				   : (first + i) % 7 == 0 ? "address"
				   : (first + i) % 7 == 1 ? "storageKeys"
							  : NULL;
		if (name == NULL)
			continue;
		put_text(comma ? "," : "");
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
	put_text("}");
}

static void
list(const char *name)
{
	put_text("[");
	for (unsigned i = 0, n = rnd(4); i < n; i++) {
		put_text(i ? "," : "");
		space();
		if (name[0] == 'b')
			rnd(30) ? hex(64) : any(3);
		else
			tuple(name[1] == 'u');
	}
	put_text("]");
}

/* Members of transactions and blocks, most of them, in any order, each once. */
static void
object(unsigned depth)
{
	static const char *const names[] = {"hash", "nonce", "gas", "input", "value", "to", "from",
		"gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "type", "chainId", "v", "yParity", "r",
		"s", "accessList", "authorizationList", "blobVersionedHashes", "maxFeePerBlobGas",
		"blockHash", "blockNumber", "parentHash", "number", "timestamp", "baseFeePerGas",
		"blockValue", "transactions", "status", "latestValidHash", "rawTx", "txHash", "raw_tx",
		"data", "unknown", "logsBloom", "", "gasLimits", "transactionIndex"};
	unsigned count = sizeof names / sizeof *names, first = rnd(count), step = 1 + rnd(5), kind = rnd(4);
	bool comma = false, seen[64] = {0};
	while (count % step == 0 && step > 1)
		step--;
	put_text("{");
	for (unsigned i = 0, at = first; i < count; i++, at = (at + step) % count) {
		const char *name = names[at];
		bool tx = at < 20;
		if (seen[at] || rnd(kind == 0 ? 8 : 10) >= (tx ? (kind < 2 ? 8u : 2u) : kind < 2 ? 1u : 4u))
			continue;
		seen[at] = true;
		put_text(comma ? "," : "");
		comma = true;
		key(name);
		if (rnd(30) == 0 || at >= 34)
			any(depth + 1);
		else if (strstr(name, "List") || strstr(name, "blobV"))
			list(name);
		else if (strcmp(name, "transactions") == 0) {
			put_text("[");
			for (unsigned k = 0, n = rnd(4); k < n; k++) {
				put_text(k ? "," : "");
				space();
				rnd(3)	    ? hex(rnd(2) ? 64 : 2 * rnd(200))
				: depth < 3 ? object(depth + 1)
					    : scalar();
			}
			put_text("]");
		} else if (strcmp(name, "status") == 0)
			scalar();
		else if (strstr(name, "ash") || at == 22)
			hex(64);
		else if (strcmp(name, "to") == 0 || strcmp(name, "from") == 0)
			hex(40);
		else if (strcmp(name, "input") == 0 || name[0] == 'd' || strstr(name, "aw"))
			hex(2 * rnd(rnd(4) ? 100 : 2000));
		else if (strcmp(name, "type") == 0)
			put_text((const char *[]){
				"\"0x0\"", "\"0x1\"", "\"0x2\"", "\"0x3\"", "\"0x04\"", "\"0x7e\""}[rnd(6)]);
		else
			hex(1 + rnd(rnd(3) ? 16 : 65));
		space();
	}
	put_text("}");
}

static void
any(unsigned depth)
{
	unsigned what = depth > 4 ? 3 + rnd(3) : rnd(7);
	if (what == 0) {
		object(depth + 1);
	} else if (what == 1) {
		put_text("[");
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			put_text(i ? "," : "");
			space();
			any(depth + 1);
			space();
		}
		put_text("]");
	} else if (what == 2) {
		put_text("{");
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			char name[8];
			sprintf(name, "%s%u", i % 2 ? "0x" : "k", i);
			put_text(i ? "," : "");
			key(name);
			any(depth + 1);
		}
		put_text("}");
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
	put_text("{");
	key("code");
	put_text((const char *[]){"-32000", "3", "-32601"}[rnd(3)]);
	put_text(",");
	key("message");
	put_text((const char *[]){
		"\"already known\"", "\"nonce too low: next nonce 5\"", "\"x\\u0041\\n\"", "\"\""}[rnd(4)]);
	put_text(",");
	key("data");
	any(3);
	put_text("}");
}

static void
message(void)
{
	static const char order[][6] = {
		"jir", "jri", "rji", "ije", "jier", "xir", "jmp", "mjp", "jmpx", "i", "", "jm"};
	const char *o = order[rnd(12)];
	if (rnd(30) == 0) {
		scalar();
		return;
	}
	put_text("{");
	for (unsigned i = 0; o[i]; i++) {
		put_text(i ? "," : "");
		key(o[i] == 'j'	      ? "jsonrpc"
			: o[i] == 'i' ? "id"
			: o[i] == 'r' ? "result"
			: o[i] == 'e' ? "error"
			: o[i] == 'm' ? "method"
			: o[i] == 'p' ? "params"
				      : "x");
		if (o[i] == 'i') {
			scalar();
		} else if (o[i] == 'r') {
			rnd(2) ? any(0) : object(0);
		} else if (o[i] == 'e') {
			error();
		} else if (o[i] == 'p') {
			put_text("{");
			key("subscription");
			put_text("\"0x1\",");
			key("result");
			rnd(2) ? any(0) : object(0);
			put_text("}");
		} else if (o[i] == 'm') {
			put_text("\"eth_subscription\"");
		} else {
			any(3);
		}
		space();
	}
	put_text("}");
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
			fail_msg("pieces of %u: %.*s\ngave (%d)\n%sexpected (%d)\n%s", longest[i], (int)n, p,
				r->status, r->log, status, expected);
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
			put_text("[");
			for (unsigned k = 0, n = rnd(4); k < n; k++) {
				put_text(k ? "," : "");
				message();
			}
			put_text("]");
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
			sprintf(text, "%s %s", json_string_value(json_array_get(pair, 0)),
				json_string_value(json_array_get(pair, 1)));
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
