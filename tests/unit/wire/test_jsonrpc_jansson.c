/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bodies, valid and damaged, against jansson: it says what the value is, plain code here what a node
 * would take from it. Each body goes through the scanner in one piece and in random pieces. jansson keeps the
 * last of equal keys in the place of the first, so a key is repeated at most once, and null does not follow a
 * method or tx. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/jsonrpc_rig.h"

#include <ctype.h>
#include <jansson.h>
#include <strings.h>

#define BODIES 30000u

static uint64_t seed;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* ---- making bodies ---- */

static char body[1 << 17];
static size_t len;

static void
put(const char *s)
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

/* The string, with some characters escaped, and quotes. */
static void
put_string(const char *s, unsigned escapes)
{
	put("\"");
	for (; *s; s++) {
		if (escapes && rnd(escapes) == 0) {
			char u[8];
			sprintf(u, rnd(2) ? "\\u%04x" : "\\u%04X", (unsigned char)*s);
			put(u);
		} else {
			body[len++] = *s;
		}
	}
	put("\"");
}

static void
put_key(const char *name)
{
	char key[64];
	size_t n = strlen(name);
	strcpy(key, name);
	for (size_t i = 0; i < n && rnd(4) == 0; i++)
		key[rnd((uint32_t)n)] ^= 0x20; /* letters only */
	space();
	char *s = rnd(6) == 0 ? strpbrk(key, "sS") : NULL;
	if (s != NULL) {
		char folded[70];
		sprintf(folded, "%.*s\xc5\xbf%s", (int)(s - key), key, s + 1);
		if (rnd(2)) {
			put_string(folded, 0);
		} else {
			sprintf(folded, "\"%.*s\\u017f%s\"", (int)(s - key), key, s + 1);
			put(folded);
		}
	} else {
		put_string(key, rnd(3) ? 0 : 3);
	}
	space();
	put(":");
	space();
}

static void
put_hex(void)
{
	char hex[3000];
	static const char *const prefix[] = {"0x", "0x", "0x", "0X", "", "0x0x", "x"};
	size_t n = (size_t)sprintf(hex, "%s", prefix[rnd(7)]);
	unsigned digits = rnd(5) ? 2 * rnd(rnd(4) ? 20 : 1300) : rnd(20);
	if (rnd(8) == 0)
		digits = 64;
	for (unsigned i = 0; i < digits; i++)
		hex[n++] = "0123456789abcdefABCDEF"[rnd(22)];
	hex[n] = 0;
	if (n > 0 && rnd(20) == 0)
		hex[rnd((uint32_t)n)] = "g -\x7fz"[rnd(5)];
	put_string(hex, rnd(4) ? 0 : 1 + rnd(10));
}

static void put_any(unsigned depth);

static void
put_scalar(void)
{
	static const char *const scalars[] = {"0", "-1", "1.5e3", "0.25", "true", "false", "null", "\"\"",
		"\"latest\"", "\"a\\\"b\\\\\"", "\"\\n\\t\\/\"", "\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"",
		"12345678901", "\"0x1\"", "\"eth_sendRawTransaction\"", "-0.0E-2"};
	put(scalars[rnd(sizeof scalars / sizeof *scalars)]);
}

static void
put_list(void (*item)(unsigned), unsigned n, unsigned depth)
{
	put("[");
	for (unsigned i = 0; i < n; i++) {
		if (i)
			put(",");
		space();
		item(depth);
		space();
	}
	put("]");
}

static void
put_any(unsigned depth)
{
	static const char *const keys[] = {
		"tx", "txs", "body", "params", "method", "data", "x", "", "maxBlockNumberAndMore"};
	if (depth > 3 || rnd(2)) {
		if (rnd(3))
			put_scalar();
		else
			put_hex();
	} else if (rnd(2)) {
		put_list(put_any, rnd(4), depth + 1);
	} else {
		put("{");
		unsigned first = rnd(8);
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			put(i ? "," : "");
			put_key(keys[(first + i) % 9]);
			put_any(depth + 1);
			space();
		}
		put("}");
	}
}

static void
put_tx(unsigned depth)
{
	if (rnd(12))
		put_hex();
	else
		put_any(3);
}

static void put_elem(unsigned depth);

/* One of the objects that hold transactions: a few of its keys, each at most twice, in any order. */
static void
put_holder(bool elem, unsigned depth)
{
	static const char *const first[] = {"tx", "txs", "body", "blockNumber", "tx", "txs", "body"};
	static const char *const in_list[] = {"tx", "hash", "bundle", "canRevert", "tx", "hash", "bundle"};
	bool comma = false, had[4] = {0};
	put("{");
	for (unsigned i = 0; i < 7; i++) {
		const char *name = elem ? in_list[i] : first[i];
		if (rnd(i < 4 ? 2 : 7) ||
			(elem && had[i % 4])) /* the order of items depends on which of two counts */
			continue;
		had[i % 4] = true;
		put(comma ? "," : "");
		comma = true;
		put_key(name);
		if (strcmp(name, "bundle") == 0 && depth < 4 && rnd(5))
			put_holder(false, depth + 1);
		else if (strcmp(name, "body") == 0 && rnd(8))
			put_list(put_elem, rnd(depth < 3 ? 4 : 2), depth);
		else if (strcmp(name, "txs") == 0 && rnd(8))
			put_list(put_tx, rnd(30) ? rnd(5) : 120 + rnd(20), depth);
		else if (i < 4 && name[1] != 'x')
			put_any(3);
		else
			put_hex();
		space();
	}
	put("}");
}

static void
put_elem(unsigned depth)
{
	if (rnd(10))
		put_holder(true, depth);
	else
		put_any(3);
}

static void
put_first(unsigned depth)
{
	unsigned what = rnd(8);
	if (what < 3)
		put_hex();
	else if (what < 6)
		put_holder(false, 0);
	else if (what < 7)
		put_list(put_tx, rnd(4), 0);
	else
		put_any(2);
}

static void
put_params(void)
{
	static const char *const names[] = {"bytes", "bundle", "request", "tx", "other"};
	unsigned what = rnd(20);
	if (what == 0) {
		put_any(2);
	} else if (what == 1) {
		put("{");
		put_key(names[rnd(5)]);
		put_first(0);
		put("}");
	} else {
		put("[");
		unsigned n = rnd(6) ? 1 + rnd(2) : 0;
		for (unsigned i = 0; i < n; i++) {
			put(i ? "," : "");
			space();
			if (i == 0)
				put_first(0);
			else
				put_any(1);
		}
		space();
		put("]");
	}
}

static const struct {
	const char *name;
	unsigned kind;
	char where; /* in params[0]: itself, its tx (or itself), its txs (or itself), its body; an object of
		       no bytes */
} known[] = {
	{"eth_sendRawTransaction", 1, 'r'},
	{"eth_sendRawTransactionSync", 1, 'r'},
	{"eth_sendRawTransactionConditional", 1, 'r'},
	{"eth_sendPrivateTransaction", 2, 't'},
	{"eth_sendPrivateRawTransaction", 2, 't'},
	{"eth_sendBundle", 3, 's'},
	{"mev_sendBundle", 3, 'b'},
	{"eth_sendTransaction", 4, 'u'},
};

static void
put_method(void)
{
	static const char *const others[] = {"eth_call", "eth_sendrawTransaction", "eth_sendRawTransaction2",
		"", "eth_blockNumber", "mev_sendBundles",
		"eth_a_method_whose_name_is_far_longer_than_any_other"};
	put_string(rnd(6) ? known[rnd(8)].name : others[rnd(7)], rnd(4) ? 0 : 4);
}

static void
put_request(unsigned depth)
{
	static const char order[][7] = {
		"jimp", "mpij", "pm", "mp", "pmp", "mpm", "ijmpxp", "xpmxm", "mm", "", "pp", "xmp"};
	const char *o = order[rnd(12)];
	if (rnd(20) == 0) {
		put_any(2);
		return;
	}
	put("{");
	for (unsigned i = 0; o[i]; i++) {
		put(i ? "," : "");
		put_key(o[i] == 'm'   ? "method"
			: o[i] == 'p' ? "params"
			: o[i] == 'i' ? "id"
			: o[i] == 'j' ? "jsonrpc"
				      : "x");
		if (o[i] == 'm')
			put_method();
		else if (o[i] == 'p')
			put_params();
		else
			put_any(1);
		space();
	}
	put("}");
}

static void
damage(void)
{
	for (unsigned k = 1 + rnd(2); k > 0 && len > 0; k--) {
		size_t at = rnd((uint32_t)len);
		switch (rnd(4)) {
		case 0:
			body[at] = "{}[]\",:\\0x1eE+-.nt \n\x01"[rnd(21)];
			break;
		case 1:
			memmove(body + at, body + at + 1, len - at - 1);
			len--;
			break;
		case 2:
			memmove(body + at + 1, body + at, len - at);
			body[at] = "{}[]\",:\\0x1eE+-.nt \n\x01"[rnd(21)];
			len++;
			break;
		default:
			len = at;
		}
	}
}

/* ---- what a node takes from a value ---- */

static char *log_;
static size_t log_len;

struct found {
	unsigned n;
	json_t *value[1000]; /* strings, or what stands for one; NULL: a hash */
};

static struct found found;

/* The value of the last key that matches `name` as Go matches it. */
static json_t *
get(json_t *object, const char *name)
{
	json_t *last = NULL;
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *k = json_object_iter_key(i);
		char plain[64];
		size_t n = 0;
		for (; *k && n < 60; n++) {
			if (memcmp(k, "\xc5\xbf", 2) == 0) {
				plain[n] = 's';
				k += 2;
			} else if (strncmp(k, "\xe2\x84\xaa", 3) == 0) {
				plain[n] = 'k';
				k += 3;
			} else {
				plain[n] = *k++;
			}
		}
		plain[n] = 0;
		if (json_object_iter_key_len(i) >= n && strcasecmp(plain, name) == 0)
			last = json_object_iter_value(i);
	}
	return last;
}

static void
add(json_t *v)
{
	if (found.n < 1000)
		found.value[found.n++] = v;
}

static void collect_list(json_t *body_, json_t *element);

static void
collect_elem(json_t *e)
{
	json_t *tx = get(e, "tx"), *hash = get(e, "hash"), *bundle = get(e, "bundle");
	/* in the order of the body: compare places */
	for (void *i = json_object_iter(e); i; i = json_object_iter_next(e, i)) {
		json_t *v = json_object_iter_value(i);
		if (v == tx && !json_is_null(tx))
			add(tx);
		else if (v == hash && json_is_string(hash) && (tx == NULL || json_is_null(tx)))
			add(NULL);
		else if (v == bundle && json_is_object(bundle))
			collect_list(get(bundle, "body"), bundle);
	}
}

static void
collect_list(json_t *list, json_t *owner)
{
	for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++)
		if (json_is_object(json_array_get(list, i)))
			collect_elem(json_array_get(list, i));
}

static void
collect(char where, json_t *first)
{
	json_t *tx = json_is_object(first) ? get(first, "tx") : NULL;
	json_t *txs = json_is_object(first) ? get(first, "txs") : first;
	switch (where) {
	case 'r':
		if (first != NULL)
			add(first);
		break;
	case 't':
		if (json_is_string(first))
			add(first);
		else if (tx != NULL && !json_is_null(tx))
			add(tx);
		break;
	case 's':
		for (size_t i = 0; json_is_array(txs) && i < json_array_size(txs); i++)
			add(json_array_get(txs, i));
		break;
	case 'b':
		if (json_is_object(first))
			collect_list(get(first, "body"), first);
		break;
	default:
		break;
	}
}

/* Hex to bytes; -1 if it is none. */
static int
from_hex(json_t *v, uint8_t *out)
{
	if (!json_is_string(v))
		return -1;
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		n -= 2;
	}
	if (n % 2)
		return -1;
	for (size_t i = 0; i < n; i += 2) {
		unsigned byte;
		if (!isxdigit((unsigned char)s[i]) || !isxdigit((unsigned char)s[i + 1]))
			return -1;
		sscanf(s + i, "%2x", &byte);
		out[i / 2] = (uint8_t)byte;
	}
	return (int)(n / 2);
}

static void
expect_request(json_t *request)
{
	json_t *method = get(request, "method"), *params = get(request, "params"), *first = NULL;
	if (json_is_array(params))
		first = json_array_get(params, 0);
	else if (json_is_object(params))
		for (void *i = json_object_iter(params); i; i = json_object_iter_next(params, i))
			for (unsigned k = 0; k < 4; k++)
				if (get(params, ((const char *[]){"bytes", "tx", "bundle", "request"})[k]) ==
					json_object_iter_value(i))
					first = json_object_iter_value(i);
	for (unsigned m = 0; json_is_string(method) && m < 8; m++) {
		if (strcmp(known[m].name, json_string_value(method)) != 0 ||
			strlen(known[m].name) != json_string_length(method))
			continue;
		found.n = 0;
		collect(known[m].where, first);
		bool bundle = known[m].kind == JSONRPC_BUNDLE;
		if (known[m].where == 'u' && json_is_object(first))
			rig_log(&log_, &log_len, 4, JSONRPC_UNSIGNED_OBJECT, 0, 0, NULL, 0);
		for (unsigned i = 0; i < found.n; i++) {
			uint8_t raw[3000];
			int n = found.value[i] ? from_hex(found.value[i], raw) : 0;
			unsigned state = i >= JSONRPC_ITEMS_MAX ? JSONRPC_OVERSIZE
					 : !found.value[i] || (known[m].where == 's' && n == 32)
						 ? JSONRPC_HASH_ONLY
					 : n < 0 ? JSONRPC_BAD_HEX
						 : JSONRPC_OK;
			rig_log(&log_, &log_len, known[m].kind, state, bundle ? i : 0, bundle ? found.n : 0,
				raw, state == JSONRPC_OK ? (size_t)n : 0);
		}
	}
}

static unsigned
expect_body(json_t *value)
{
	unsigned messages = 0;
	log_len = 0;
	log_[0] = 0;
	if (json_is_object(value)) {
		expect_request(value);
		return 1;
	}
	for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
		if (json_is_object(json_array_get(value, i))) {
			expect_request(json_array_get(value, i));
			messages++;
		}
	}
	return messages;
}

/* jansson refuses what Go replaces (text that is not UTF-8, lone surrogates) and numbers that do not fit.
 * Where a number ends that is not inside anything is a matter of taste: Go takes the 0 of 01. */
static bool
refused_for_its_own_reasons(const json_error_t *e, char first)
{
	return isdigit((unsigned char)first) || first == '-' || strstr(e->text, "UTF-8") ||
	       strstr(e->text, "too big") || strstr(e->text, "overflow") ||
	       strstr(e->text, "invalid Unicode") || strstr(e->text, "unable to decode byte") ||
	       strstr(e->text, "NUL");
}

static void
run_in_pieces(struct rig *r)
{
	rig_begin(r);
	size_t longest = 1 + rnd(rnd(2) ? 8 : 2000);
	for (size_t i = 0, n; i < len; i += n) {
		n = 1 + rnd((uint32_t)longest);
		if (n > len - i)
			n = len - i;
		rig_feed(r, body + i, n, i + n == len);
	}
	assert_int_equal(r->slabs_out, 0);
}

static unsigned valid, items_seen;

/* cmocka cuts long messages. */
#define differ(...) (fprintf(stderr, __VA_ARGS__), fail())

static void
check_body(struct rig *r)
{
	json_error_t e;
	json_t *value = json_loadb(body, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &e);
	size_t blank = strspn(body, " \t\r\n");
	rig_run(r, body, len);
	enum jsonrpc_status status = r->status;
	if (value != NULL) {
		unsigned messages = expect_body(value);
		if (status != JSONRPC_DONE || messages != r->messages || strcmp(r->log, log_) != 0)
			differ("%.*s\nstatus %d, %u messages, not %u; gave\n%sexpected\n%s", (int)len, body,
				status, r->messages, messages, r->log, log_);
		valid++;
		items_seen += r->n_items;
	} else if (len > blank && !refused_for_its_own_reasons(&e, body[blank])) {
		if (status != JSONRPC_MALFORMED)
			differ("%.*s\naccepted (%d), but %s at %d", (int)len, body, status, e.text,
				e.position);
	}
	char *whole = strdup(r->log);
	unsigned messages = r->messages;
	if (len > 0) {
		run_in_pieces(r);
		if (strcmp(whole, r->log) != 0 || r->status != status || r->messages != messages)
			differ("%.*s\nin pieces gave\n%snot\n%s", (int)len, body, r->log, whole);
	}
	free(whole);
	json_decref(value);
}

static void
jansson_agrees(void **state)
{
	struct rig r;
	rig_init(&r, 1u << 18);
	log_ = malloc(RIG_LOG_MAX);
	for (unsigned i = 0; i < BODIES; i++) {
		seed = 0x9e3779b97f4a7c15 * (i + 1);
		len = 0;
		space();
		if (rnd(3))
			put_request(0);
		else
			put_list(put_request, rnd(4), 0);
		space();
		if (rnd(4) == 0)
			damage();
		body[len] = 0;
		check_body(&r);
	}
	printf("%u of %u bodies valid, %u items\n", valid, BODIES, items_seen);
	assert_true(valid > BODIES / 2 && items_seen > BODIES / 4);
	free(log_);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(jansson_agrees)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
