/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bodies of requests, valid (put_request) and damaged, made in `body`. */
#ifndef TEST_JSONRPC_BODIES_H
#define TEST_JSONRPC_BODIES_H

#include "tests/unit/wire/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
			put_text(folded);
		}
	} else {
		put_string(key, rnd(3) ? 0 : 3);
	}
	space();
	put_text(":");
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

/* Bytes as numbers, or something like it. */
static void
put_numbers(void)
{
	static const char *const others[] = {
		"256", "-1", "1.0", "2e1", "null", "\"0x01\"", "[1]", "99999999999"};
	unsigned odd = rnd(3) ? UINT32_MAX : rnd(6);
	put_text("[");
	for (unsigned i = 0, n = rnd(20) ? rnd(20) : 32; i < n; i++) {
		char number[8];
		sprintf(number, "%u", rnd(256));
		put_text(i ? "," : "");
		space();
		put_text(i == odd ? others[rnd(8)] : number);
		space();
	}
	put_text("]");
}

static void
put_raw(void)
{
	if (rnd(6))
		put_hex();
	else
		put_numbers();
}

static void put_any(unsigned depth);

static void
put_scalar(void)
{
	static const char *const scalars[] = {"0", "-1", "1.5e3", "0.25", "true", "false", "null", "\"\"",
		"\"latest\"", "\"a\\\"b\\\\\"", "\"\\n\\t\\/\"", "\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"",
		"12345678901", "\"0x1\"", "\"eth_sendRawTransaction\"", "-0.0E-2"};
	put_text(scalars[rnd(sizeof scalars / sizeof *scalars)]);
}

static void
put_list(void (*item)(unsigned), unsigned n, unsigned depth)
{
	put_text("[");
	for (unsigned i = 0; i < n; i++) {
		if (i)
			put_text(",");
		space();
		item(depth);
		space();
	}
	put_text("]");
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
		put_text("{");
		unsigned first = rnd(8);
		for (unsigned i = 0, n = rnd(4); i < n; i++) {
			put_text(i ? "," : "");
			put_key(keys[(first + i) % 9]);
			put_any(depth + 1);
			space();
		}
		put_text("}");
	}
}

static void
put_tx(unsigned depth)
{
	if (rnd(12))
		put_raw();
	else
		put_any(3);
}

static void put_elem(unsigned depth);

/* No long lists: they crowd out others, though they may be overridden themselves. */
static bool few;

/* One of the objects that hold transactions: a few of its keys, each at most twice, in any order. */
static void
put_holder(bool elem, unsigned depth)
{
	static const char *const first[] = {"tx", "txs", "body", "blockNumber", "tx", "txs", "body"};
	static const char *const in_list[] = {"tx", "hash", "bundle", "canRevert", "tx", "hash", "bundle"};
	bool comma = false, had[4] = {0};
	put_text("{");
	for (unsigned i = 0; i < 7; i++) {
		const char *name = elem ? in_list[i] : first[i];
		if (rnd(i < 4 ? 2 : 7) ||
			(elem && had[i % 4])) /* the order of items depends on which of two counts */
			continue;
		had[i % 4] = true;
		put_text(comma ? "," : "");
		comma = true;
		put_key(name);
		if (strcmp(name, "bundle") == 0 && depth < 4 && rnd(5))
			put_holder(false, depth + 1);
		else if (strcmp(name, "body") == 0 && rnd(8))
			put_list(put_elem, rnd(depth < 3 ? 4 : 2), depth);
		else if (strcmp(name, "txs") == 0 && rnd(8))
			put_list(put_tx, rnd(30) || few ? rnd(5) : 120 + rnd(20), depth);
		else if (i < 4 && name[1] != 'x')
			put_any(3);
		else
			put_raw();
		space();
	}
	put_text("}");
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
		put_raw();
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
	} else if (what ==
		   1) { /* the same name twice only in a row: jansson would keep it in its first place */
		put_text("{");
		unsigned name = rnd(5);
		few = true;
		for (unsigned i = 0, n = 1 + rnd(4); i < n; i++) {
			put_text(i ? "," : "");
			put_key(names[name % 5]);
			put_first(0);
			name += rnd(4) ? 1 : i % 2;
		}
		few = false;
		put_text("}");
	} else {
		put_text("[");
		unsigned n = rnd(6) ? 1 + rnd(2) : 0;
		for (unsigned i = 0; i < n; i++) {
			put_text(i ? "," : "");
			space();
			if (i == 0)
				put_first(0);
			else
				put_any(1);
		}
		space();
		put_text("]");
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
	put_text("{");
	for (unsigned i = 0; o[i]; i++) {
		put_text(i ? "," : "");
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
	put_text("}");
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

#endif
