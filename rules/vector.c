/* SPDX-License-Identifier: BSD-3-Clause */
/* Vectors become JSON lines of JSON-RPC transaction objects, and objects of numbers. Everything in them is hex, decimal or a known
 * name, so that no string needs an escape. */
#include "rules/language.h"

#include <stdio.h>

#define VECTOR_BYTES_MAX (300u << 10)

enum shape {
	SHAPE_QUANTITY,
	SHAPE_BYTES,
	SHAPE_ADDRESS,
	SHAPE_HASH,
	SHAPE_HASHES,
	SHAPE_ACCESS,
	SHAPE_AUTHS
};

struct key {
	const char *name;
	enum shape shape;
};
#define END                       \
	{                         \
		NULL, SHAPE_BYTES \
	}
static const struct key tx_keys[] = {{"type", SHAPE_QUANTITY}, {"chainId", SHAPE_QUANTITY},
	{"nonce", SHAPE_QUANTITY}, {"gas", SHAPE_QUANTITY}, {"gasPrice", SHAPE_QUANTITY},
	{"maxFeePerGas", SHAPE_QUANTITY}, {"maxPriorityFeePerGas", SHAPE_QUANTITY},
	{"maxFeePerBlobGas", SHAPE_QUANTITY}, {"value", SHAPE_QUANTITY}, {"to", SHAPE_ADDRESS},
	{"from", SHAPE_ADDRESS}, {"input", SHAPE_BYTES}, {"data", SHAPE_BYTES}, {"accessList", SHAPE_ACCESS},
	{"blobVersionedHashes", SHAPE_HASHES}, {"authorizationList", SHAPE_AUTHS}, {"hash", SHAPE_HASH},
	{"v", SHAPE_QUANTITY}, {"r", SHAPE_QUANTITY}, {"s", SHAPE_QUANTITY}, {"yParity", SHAPE_QUANTITY},
	END};
static const struct key raw_keys[] = {{"raw", SHAPE_BYTES}, END};
static const struct key access_keys[] = {{"address", SHAPE_ADDRESS}, {"storageKeys", SHAPE_HASHES}, END};
static const struct key auth_keys[] = {{"chainId", SHAPE_QUANTITY}, {"address", SHAPE_ADDRESS},
	{"nonce", SHAPE_QUANTITY}, {"yParity", SHAPE_QUANTITY}, {"r", SHAPE_QUANTITY}, {"s", SHAPE_QUANTITY},
	END};

struct out {
	char *p;
	size_t n, cap;
};

struct writer {
	struct source *src;
	struct out out;
	bool failed;
};

static void
put(struct writer *w, const char *text, size_t n)
{
	if (w->out.n + n > w->out.cap) {
		size_t cap = (w->out.n + n) * 2;
		char *p = arena_alloc(&w->src->s->arena, cap);
		if (w->out.n > 0)
			memcpy(p, w->out.p, w->out.n);
		w->out.p = p;
		w->out.cap = cap;
	}
	memcpy(w->out.p + w->out.n, text, n);
	w->out.n += n;
}

static void
puts_(struct writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void
fail(struct writer *w)
{
	w->failed = true;
}

static void
quantity(struct writer *w, const struct yaml_node *n)
{
	char text[2 + 16 + 1];
	uint64_t v;
	size_t digits = n->len >= 2 ? strspn(n->text + 2, "0123456789abcdefABCDEF") : 0;
	if (n->kind == YAML_SCALAR && n->text[0] == '0' && n->text[1] == 'x') {
		if (digits == 0 || digits > 64 || digits + 2 != n->len || (digits > 1 && n->text[2] == '0')) {
			diag_error(w->src->s, n->at,
				"`%.80s` is no quantity (0x, 1 to 64 hex digits, no leading zeros)", n->text);
			fail(w);
		}
		puts_(w, "\"");
		put(w, n->text, n->len);
		puts_(w, "\"");
		return;
	}
	if (!number_read(w->src, n, 0, UINT64_MAX, &v)) {
		fail(w);
		return;
	}
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)v);
	puts_(w, "\"");
	puts_(w, text);
	puts_(w, "\"");
}

static void
bytes(struct writer *w, const struct yaml_node *n, uint32_t want)
{
	struct value v;
	if (!hex_read(w->src, n, VECTOR_BYTES_MAX, &v)) {
		fail(w);
		return;
	}
	if (want > 0 && v.len != want) {
		diag_error(w->src->s, n->at, "%u bytes belong here, not %u", want, v.len);
		fail(w);
	}
	puts_(w, "\"");
	put(w, n->text, n->len);
	puts_(w, "\"");
}

static void object(struct writer *w, struct yaml_node *map, const struct key *keys, const char *what);

static void
items(struct writer *w, const struct yaml_node *seq, const struct key *keys, const char *what)
{
	if (!kind_is(w->src, seq, YAML_SEQUENCE, what)) {
		fail(w);
		return;
	}
	puts_(w, "[");
	for (struct yaml_node *i = seq->first; i != NULL; i = i->next) {
		if (keys != NULL)
			object(w, i, keys, what);
		else
			bytes(w, i, 32);
		if (i->next != NULL)
			puts_(w, ",");
	}
	puts_(w, "]");
}

static void
member(struct writer *w, enum shape shape, struct yaml_node *v)
{
	switch (shape) {
	case SHAPE_QUANTITY:
		quantity(w, v);
		break;
	case SHAPE_BYTES:
		bytes(w, v, 0);
		break;
	case SHAPE_ADDRESS:
		if (v->kind == YAML_SCALAR && !v->quoted && strcmp(v->text, "null") == 0)
			puts_(w, "null");
		else
			bytes(w, v, 20);
		break;
	case SHAPE_HASH:
		bytes(w, v, 32);
		break;
	case SHAPE_HASHES:
		items(w, v, NULL, "a sequence of 32-byte values");
		break;
	case SHAPE_ACCESS:
		items(w, v, access_keys, "an access list");
		break;
	case SHAPE_AUTHS:
		items(w, v, auth_keys, "an authorization list");
		break;
	}
}

static void
object(struct writer *w, struct yaml_node *map, const struct key *keys, const char *what)
{
	struct yaml_node *at = NULL, *key, *value;
	uint32_t n = 0;
	if (!kind_is(w->src, map, YAML_MAPPING, what)) {
		fail(w);
		return;
	}
	puts_(w, "{");
	while (pair_next(w->src, map, &at, &key, &value)) {
		const struct key *k = keys;
		while (k->name != NULL && strcmp(k->name, key->text) != 0)
			k++;
		if (k->name == NULL) {
			diag_error(w->src->s, key->at, "unknown key `%.80s` in %s", key->text, what);
			fail(w);
			continue;
		}
		puts_(w, n++ > 0 ? ",\"" : "\"");
		puts_(w, k->name);
		puts_(w, "\":");
		member(w, k->shape, value);
	}
	puts_(w, "}");
}

/* The numbers that an event would have. */
static void
facts(struct writer *w, const struct rule *r, struct yaml_node *map)
{
	struct yaml_node *at = NULL, *key, *value;
	char text[96];
	uint32_t n = 0;
	if (!kind_is(w->src, map, YAML_MAPPING, "facts")) {
		fail(w);
		return;
	}
	puts_(w, "{");
	while (pair_next(w->src, map, &at, &key, &value)) {
		unsigned i = 0;
		uint64_t v;
		while (i < SCALAR_COUNT && strcmp(rule_scalar_name(i), key->text) != 0)
			i++;
		bool known = rule_scalar_known(i, r->event) &&
			     (r->event != EVENT_TRANSACTION || i >= SCALAR_BUNDLE_LEN);
		if (!known)
			diag_error(w->src->s, key->at, "fact `%.80s` %s `%s`", key->text,
				i < SCALAR_COUNT ? "is not given on" : "does not exist, on",
				rule_event_name(r->event));
		if (!known || !number_read(w->src, value, 0, UINT64_MAX, &v)) {
			fail(w);
			continue;
		}
		snprintf(text, sizeof text, "%s\"%s\":%llu", n++ > 0 ? "," : "", rule_scalar_name(i),
			(unsigned long long)v);
		puts_(w, text);
	}
	puts_(w, "}");
}

static void
transaction(struct writer *w, struct yaml_node *tx)
{
	bool raw = tx->kind == YAML_MAPPING && tx->n == 1 && tx->first->kind == YAML_SCALAR &&
		   strcmp(tx->first->text, "raw") == 0;
	object(w, tx, raw ? raw_keys : tx_keys, "a transaction");
}

/* match, tx and facts of one vector; false after a diagnostic. */
static bool
vector_keys(struct source *src, const struct rule *r, struct yaml_node *map, struct yaml_node *found[3])
{
	static const char *const names[3] = {"match", "tx", "facts"};
	struct yaml_node *at = NULL, *key, *value;
	const unsigned needed = r->event == EVENT_TRANSACTION ? 1 : 2;
	if (!kind_is(src, map, YAML_MAPPING, "a vector"))
		return false;
	while (pair_next(src, map, &at, &key, &value)) {
		unsigned i = 0;
		while (i < 3 && strcmp(key->text, names[i]) != 0)
			i++;
		if (i == 3)
			diag_error(src->s, key->at, "unknown key `%.80s` in a vector (match, tx, facts)", key->text);
		else
			found[i] = value;
	}
	if (found[0] == NULL || found[needed] == NULL) {
		diag_error(src->s, map->at, "a vector without `%s`", found[0] == NULL ? "match" : names[needed]);
		return false;
	}
	if (needed == 2 && found[1] != NULL) {
		diag_error(src->s, found[1]->at, "`tx` under a rule on `%s`: its vectors give `facts`",
			rule_event_name(r->event));
		return false;
	}
	return true;
}

static void
vector_read(struct source *src, struct rule *r, struct yaml_node *map, uint32_t *cap)
{
	struct yaml_node *k[3] = {NULL, NULL, NULL};
	if (!vector_keys(src, r, map, k))
		return;
	bool yes = k[0]->kind == YAML_SCALAR && strcmp(k[0]->text, "true") == 0;
	if (!yes && (k[0]->kind != YAML_SCALAR || strcmp(k[0]->text, "false") != 0)) {
		diag_error(src->s, k[0]->at, "match must be true or false");
		return;
	}
	struct writer tx = {.src = src}, numbers = {.src = src};
	if (k[1] != NULL)
		transaction(&tx, k[1]);
	if (k[2] != NULL)
		facts(&numbers, r, k[2]);
	struct vector v = {map->at, yes, {(uint8_t *)tx.out.p, (uint32_t)tx.out.n},
		{(uint8_t *)numbers.out.p, (uint32_t)numbers.out.n}};
	if (tx.failed || numbers.failed) /* counts all the same: no second error for a missing one */
		v.json = v.facts = (struct span){NULL, 0};
	*ARENA_PUSH(&src->s->arena, r->vectors, r->n_vectors, *cap) = v;
}

bool
vectors_read(struct source *src, struct rule *r, struct yaml_node *seq)
{
	uint32_t cap = 0;
	if (!kind_is(src, seq, YAML_SEQUENCE, "vectors"))
		return false;
	if (seq->n > RULE_VECTORS_MAX) {
		diag_error(src->s, seq->at, "more than %u vectors", RULE_VECTORS_MAX);
		return false;
	}
	for (struct yaml_node *n = seq->first; n != NULL; n = n->next)
		vector_read(src, r, n, &cap);
	return true;
}
