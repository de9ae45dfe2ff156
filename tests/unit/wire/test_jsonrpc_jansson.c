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
#include "tests/unit/wire/jsonrpc_bodies.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <strings.h>

#define BODIES 30000u

/* ---- what a node takes from a value ---- */

static char *log_;
static size_t log_len;

struct found {
	unsigned n, mark, excess;
	json_t *value[1000]; /* strings, or what stands for one; NULL: a hash */
	bool first[1000];    /* it is params[0] itself */
};

static struct found found;
static bool adding_first;

/* Who reads: Go, for which the last key in any case counts; jsonrpsee, which knows no other case; or both,
 * each key in its own right, which is more than either takes. */
static enum { READ_ALL, READ_GO, READ_EXACT } reader;

/* Values of keys of one name: [0] the last of those spelled as it is, which every node takes; [1] the last of
 * those in another case, which Go takes. */
struct got {
	json_t *value[2];
};

static int
which(const struct got *g, const json_t *value)
{
	return value == g->value[0] ? 0 : value == g->value[1] ? 1 : -1;
}

/* folded: the object itself stands under a key in another case. */
static struct got
get(json_t *object, const char *name, bool folded)
{
	struct got got = {{NULL, NULL}};
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *k = json_object_iter_key(i);
		char plain[64];
		size_t n = 0;
		bool exact = !folded && strcmp(k, name) == 0;
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
			got.value[reader != READ_GO && !exact] = json_object_iter_value(i);
	}
	if (reader == READ_EXACT)
		got.value[1] = NULL;
	return got;
}

/* The first JSONRPC_ITEMS_MAX count, but for those of earlier lists that the present one needs the place of.
 */
static void
add(json_t *v)
{
	if (found.n == JSONRPC_ITEMS_MAX && found.mark > 0) {
		found.excess += found.mark;
		found.n -= found.mark;
		memmove(found.value, found.value + found.mark, found.n * sizeof *found.value);
		memmove(found.first, found.first + found.mark, found.n * sizeof *found.first);
		found.mark = 0;
	}
	found.first[found.n] = adding_first;
	if (found.n == JSONRPC_ITEMS_MAX)
		found.excess++;
	else
		found.value[found.n++] = v;
}

static void collect_bodies(json_t *owner, bool folded);

static void
collect_elem(json_t *e, bool folded)
{
	struct got tx = get(e, "tx", folded), hash = get(e, "hash", folded),
		   bundle = get(e, "bundle", folded);
	bool has_tx = false;
	for (unsigned i = 0; i < 2; i++)
		has_tx |= tx.value[i] != NULL && !json_is_null(tx.value[i]);
	/* in the order of the body: compare places */
	for (void *i = json_object_iter(e); i; i = json_object_iter_next(e, i)) {
		json_t *v = json_object_iter_value(i);
		if (which(&tx, v) >= 0 && !json_is_null(v))
			add(v);
		else if (which(&hash, v) >= 0 && json_is_string(v) && !has_tx)
			add(NULL);
		else if (which(&bundle, v) >= 0 && json_is_object(v))
			collect_bodies(v, which(&bundle, v) == 1);
	}
}

static void
collect_bodies(json_t *owner, bool folded)
{
	struct got body_ = get(owner, "body", folded);
	for (void *k = json_object_iter(owner); k; k = json_object_iter_next(owner, k)) {
		json_t *list = json_object_iter_value(k);
		for (size_t i = 0;
			which(&body_, list) >= 0 && json_is_array(list) && i < json_array_size(list); i++)
			if (json_is_object(json_array_get(list, i)))
				collect_elem(json_array_get(list, i), which(&body_, list) == 1);
	}
}

static void
collect_list(json_t *list)
{
	found.mark = found.n;
	for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++)
		add(json_array_get(list, i));
}

/* A list in the place of params[0] is what its first element says: bytes, or transactions. */
static bool
begins_with_number(json_t *list)
{
	json_t *first = json_array_get(list, 0);
	return json_is_number(first) && !signbit(json_number_value(first));
}

static void
collect(char where, json_t *first, bool folded)
{
	struct got got = {{NULL, NULL}};
	if (json_is_array(first) && (where == 's' ? begins_with_number(first) : !begins_with_number(first)))
		first = json_null();
	if (json_is_object(first))
		got = get(first, where == 't' ? "tx" : "txs", folded);
	adding_first = true;
	if (where == 'r' || (where == 't' && !json_is_object(first)) ||
		(where == 'u' && json_is_object(first)))
		add(first);
	adding_first = false;
	if (where == 's' && !json_is_object(first))
		collect_list(first);
	else if (where == 'b' && json_is_object(first))
		collect_bodies(first, folded);
	for (void *i = json_object_iter(first); i && strchr("ts", where);
		i = json_object_iter_next(first, i)) {
		json_t *v = json_object_iter_value(i);
		if (which(&got, v) < 0)
			continue;
		if (where == 's')
			collect_list(v);
		else if (!json_is_null(v))
			add(v);
	}
}

/* The first parameters that there are: one by position, one for each name. */
static void
collect_params(char where, json_t *params, bool folded)
{
	static const char *const names[] = {"bytes", "tx", "bundle", "request"};
	if (json_is_array(params) && json_array_size(params) > 0)
		collect(where, json_array_get(params, 0), folded);
	for (void *i = json_object_iter(params); i; i = json_object_iter_next(params, i)) {
		json_t *v = json_object_iter_value(i);
		for (unsigned k = 0; k < 4; k++) {
			struct got got = get(params, names[k], folded);
			if (which(&got, v) >= 0)
				collect(where, v, which(&got, v) == 1);
		}
	}
}

/* Hex or numbers to bytes; -1 if it is neither. odd: with an odd number of digits a zero goes before them. */
static int
to_bytes(json_t *v, uint8_t *out, bool odd)
{
	char padded[6002] = "0";
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
		json_t *byte = json_array_get(v, i);
		if (!json_is_integer(byte) || json_integer_value(byte) < 0 || json_integer_value(byte) > 255)
			return -1;
		out[i] = (uint8_t)json_integer_value(byte);
	}
	if (!json_is_string(v))
		return json_is_array(v) ? (int)json_array_size(v) : -1;
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		n -= 2;
	}
	if (n % 2 && (!odd || n > 6000))
		return -1;
	if (n % 2) {
		memcpy(padded + 1, s, n++);
		s = padded;
	}
	for (size_t i = 0; i < n; i += 2) {
		unsigned byte;
		if (!isxdigit((unsigned char)s[i]) || !isxdigit((unsigned char)s[i + 1]))
			return -1;
		sscanf(s + i, "%2x", &byte);
		out[i / 2] = (uint8_t)byte;
	}
	return (int)(n / 2);
}

/* What the method takes from all params that count, those under a key in another case as well. */
static void
expect_items(unsigned m, json_t *request, const struct got *params)
{
	found.n = found.mark = found.excess = 0;
	for (void *i = json_object_iter(request); i; i = json_object_iter_next(request, i))
		if (which(params, json_object_iter_value(i)) >= 0)
			collect_params(known[m].where, json_object_iter_value(i),
				which(params, json_object_iter_value(i)) == 1);
	bool bundle = known[m].kind == JSONRPC_BUNDLE;
	unsigned all = found.n + (bundle ? found.excess : 0);
	for (unsigned i = 0; i < all; i++) {
		uint8_t raw[3000];
		json_t *v = i < found.n ? found.value[i] : NULL;
		int n = v ? to_bytes(v, raw, found.first[i]) : 0;
		unsigned state = known[m].where == 'u'			    ? JSONRPC_UNSIGNED_OBJECT
				 : i >= found.n				    ? JSONRPC_OVERSIZE
				 : !v || (known[m].where == 's' && n == 32) ? JSONRPC_HASH_ONLY
				 : n < 0				    ? JSONRPC_BAD_HEX
									    : JSONRPC_OK;
		rig_log(&log_, &log_len, known[m].kind, state, bundle ? i : 0, bundle ? all : 0, raw,
			state == JSONRPC_OK ? (size_t)n : 0);
	}
}

/* Index into `known`, or -1. */
static int
known_method(const json_t *name)
{
	for (unsigned m = 0; json_is_string(name) && m < 8; m++)
		if (strcmp(known[m].name, json_string_value(name)) == 0 &&
			strlen(known[m].name) == json_string_length(name))
			return (int)m;
	return -1;
}

static void
expect_request(json_t *request)
{
	struct got method = get(request, "method", false), params = get(request, "params", false);
	int done = -1;
	json_t *name[2] = {NULL, NULL}; /* the last one first */
	for (void *i = json_object_iter(request); i; i = json_object_iter_next(request, i)) {
		if (which(&method, json_object_iter_value(i)) < 0)
			continue;
		name[1] = name[0];
		name[0] = json_object_iter_value(i);
	}
	for (unsigned i = 0; i < 2; i++) {
		int m = known_method(name[i]);
		if (m < 0 || (done >= 0 && known[m].where == known[done].where))
			continue;
		expect_items((unsigned)m, request, &params);
		done = m;
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

/* A line of a log but for its place in a bundle; returns the next one. */
static const char *
line_of(const char *log, char *out)
{
	const char *end = strchr(log, '\n') + 1, *hex = strchr(log + 4, ':');
	memcpy(out, log, 4);
	memcpy(out + 4, hex, (size_t)(end - hex));
	out[4 + (end - hex)] = 0;
	return end;
}

/* Whether every transaction of one log is in another. Hashes of elements that have a transaction for another
 * reader are not. */
static bool
all_within(const char *part, const char *all)
{
	static char a[8192], b[8192];
	bool *taken = calloc(strlen(all) + 1, 1), found_ = true;
	while (*part && found_) {
		const char *at = all;
		part = line_of(part, a);
		found_ = a[2] == '0' + JSONRPC_HASH_ONLY;
		while (*at && !found_) {
			const char *next = line_of(at, b);
			found_ = !taken[at - all] && strcmp(a, b) == 0;
			taken[at - all] |= found_;
			at = next;
		}
	}
	free(taken);
	return found_;
}

static unsigned both_ways;

/* What each reader takes is there, and nothing that stands under no key that counts: jansson does not have
 * what a later key of the same spelling has overridden, of which may be left what stood there under keys of
 * the other. */
static bool
as_read(json_t *value, const char *log)
{
	if (strcmp(log, log_) == 0)
		return true;
	json_t *once = json_loadb(body, len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, NULL);
	bool ok = once == NULL || all_within(log, log_), room = strstr(log_, ":2:") == NULL;
	json_decref(once);
	for (reader = READ_GO; reader <= READ_EXACT; reader++) {
		expect_body(value);
		ok &= !room || all_within(log_, log);
	}
	reader = READ_ALL;
	expect_body(value);
	both_ways++;
	return ok;
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
		if (status != JSONRPC_DONE || messages != r->messages || !as_read(value, r->log))
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
	printf("%u of %u bodies valid, %u items; %u with keys of both spellings within each other\n", valid,
		BODIES, items_seen, both_ways);
	assert_true(valid > BODIES / 2 && items_seen > BODIES / 4 && both_ways > 0 && both_ways < valid / 20);
	free(log_);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(jansson_agrees)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
