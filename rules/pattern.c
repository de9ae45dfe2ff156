/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/language.h"

#include "rules/text.h"

#include <stdlib.h>

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

bool
hex_read(struct source *src, const struct yaml_node *n, uint32_t max, struct value *out)
{
	if (!kind_is(src, n, YAML_SCALAR, "a value"))
		return false;
	const char *p = n->text;
	if (p[0] != '0' || p[1] != 'x') {
		diag_error(src->s, n->at, "`%.80s` is not hex (0x and two digits a byte)", p);
		return false;
	}
	uint32_t digits = n->len - 2;
	for (uint32_t i = 0; i < digits; i++) {
		if (hex_digit(p[2 + i]) < 0) {
			diag_error(src->s, n->at, "`%.80s`: not a hex digit at place %u", p, i + 1);
			return false;
		}
	}
	if (digits % 2 != 0 || digits / 2 > max) {
		diag_error(src->s, n->at,
			digits % 2 ? "an odd number of hex digits (%u)" : "%u hex digits: too long", digits);
		return false;
	}
	uint8_t *bytes = arena_alloc(&src->s->arena, digits / 2);
	for (uint32_t i = 0; i < digits / 2; i++)
		bytes[i] = (uint8_t)(hex_digit(p[2 + 2 * i]) << 4 | hex_digit(p[3 + 2 * i]));
	*out = (struct value){bytes, digits / 2, n->at};
	return true;
}

static uint32_t
field_by_name(const char *name)
{
	for (unsigned f = FIELD_NONE + 1; f < FIELD_COUNT; f++)
		if (strcmp(rule_field_name(f), name) == 0)
			return f;
	return FIELD_NONE;
}

static uint32_t
leading_zeros(const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;
	while (i + 1 < n && p[i] == 0)
		i++;
	return i;
}

/* A value's length, and that it says something. */
static bool
value_fits(struct source *src, uint32_t field, const struct value *v)
{
	static const uint32_t least[FIELD_COUNT] = {
#define _(id, name, lo, hi) [FIELD_##id] = lo,
		RULE_FIELDS(_)
#undef _
	};
	static const uint32_t most[FIELD_COUNT] = {
#define _(id, name, lo, hi) [FIELD_##id] = hi,
		RULE_FIELDS(_)
#undef _
	};
	const char *name = rule_field_name(field);
	bool free_len = rule_field_db(field) >= 0 && least[field] != most[field], zero = true;
	for (uint32_t i = 0; i < v->len; i++)
		zero &= v->p[i] == 0;
	if (field == FIELD_ARG && v->len != 20 && v->len != 32)
		diag_error(src->s, v->at, "a value of `arg` has 20 bytes (an address) or 32 (a word), not %u",
			v->len);
	else if (v->len < least[field] && free_len)
		diag_error(src->s, v->at,
			"a value of `%s` with fewer than %u bytes is too wide: it matches everywhere", name,
			least[field]);
	else if (v->len < least[field] || v->len > most[field])
		diag_error(src->s, v->at, "a value of `%s` has %s%u bytes, not %u", name,
			free_len ? "at most " : "", most[field], v->len);
	else if (zero && rule_field_db(field) >= 0)
		diag_error(
			src->s, v->at, "a value of zeros is too wide for `%s`: it matches everywhere", name);
	else if (field == FIELD_PUSH_SELECTOR && v->p[0] == 0 && v->p[1] == 0)
		diag_error(src->s, v->at,
			"a selector with two leading zero bytes is too wide: its PUSH matches everywhere");
	else if (field == FIELD_PUSH_ADDRESS && leading_zeros(v->p, 20) > 16)
		diag_error(src->s, v->at,
			"an address with so many leading zeros is too wide: its PUSH matches everywhere");
	else
		return true;
	return false;
}

struct bag { /* values of one pattern, as an open-addressed set of indices + 1 */
	struct pattern *p;
	uint32_t cap;
	uint32_t *slot, n_slots;
};

static uint32_t
hash_bytes(const uint8_t *p, uint32_t n)
{
	uint32_t h = 2166136261u;
	for (uint32_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ h >> 15;
}

static void
bag_add(struct source *src, struct bag *b, const struct value *v)
{
	uint32_t i = hash_bytes(v->p, v->len) & (b->n_slots - 1);
	for (; b->slot[i] != 0; i = (i + 1) & (b->n_slots - 1)) {
		const struct value *w = &b->p->values[b->slot[i] - 1];
		if (w->len == v->len && memcmp(w->p, v->p, v->len) == 0) {
			diag_error(src->s, v->at, "the same value as in line %u", w->at.line);
			return;
		}
	}
	b->slot[i] = b->p->n_values + 1;
	*ARENA_PUSH(&src->s->arena, b->p->values, b->p->n_values, b->cap) = *v;
}

static struct list *
list_by_name(struct source *src, const char *name)
{
	for (uint32_t i = 0; i < src->n_lists; i++)
		if (strcmp(src->lists[i].name, name) == 0)
			return &src->lists[i];
	return NULL;
}

static bool values_read(struct source *src, struct bag *b, const struct yaml_node *n, bool in_sequence);

static bool
value_read(struct source *src, struct bag *b, const struct yaml_node *n)
{
	struct value v;
	if (n->kind == YAML_SCALAR && n->text[0] == '$') {
		struct list *l = list_by_name(src, n->text + 1);
		if (l == NULL) {
			diag_error(src->s, n->at, "list `%.80s` is not defined under `lists`", n->text);
			return false;
		}
		l->used = true;
		bool ok = true;
		for (const struct yaml_node *i = l->items->first; i != NULL; i = i->next) {
			if (i->kind == YAML_SCALAR && i->text[0] == '$') {
				diag_error(src->s, i->at, "a list in a list");
				return false;
			}
			ok &= values_read(src, b, i, true);
		}
		return ok;
	}
	if (!hex_read(src, n, LITERAL_LEN_MAX, &v) || !value_fits(src, b->p->field, &v))
		return false;
	if (b->p->n_values == PATTERN_VALUES_MAX || src->s->n_values == SET_VALUES_MAX) {
		diag_error(src->s, n->at, "more than %u values in a pattern, or %u in a set",
			PATTERN_VALUES_MAX, SET_VALUES_MAX);
		return false;
	}
	if (v.len == 20 && !address_checksum_ok(n->text + 2)) {
		diag_error(src->s, n->at,
			"`%.80s` does not have its checksum: a digit is wrong (all in lower case it has "
			"none)",
			n->text);
		return false;
	}
	src->s->n_values++;
	bag_add(src, b, &v);
	return true;
}

static bool
values_read(struct source *src, struct bag *b, const struct yaml_node *n, bool in_sequence)
{
	if (n->kind == YAML_SCALAR)
		return value_read(src, b, n);
	if (n->kind == YAML_MAPPING || in_sequence) {
		diag_error(src->s, n->at, "a value is hex, or $LIST");
		return false;
	}
	if (n->n == 0)
		diag_error(src->s, n->at, "no values: the pattern could never match");
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next)
		if (!values_read(src, b, i, true) && b->p->n_values == PATTERN_VALUES_MAX)
			return false;
	return true;
}

bool
pattern_read(struct source *src, struct pattern *p, struct yaml_node *body)
{
	if (!kind_is(src, body, YAML_MAPPING, "a pattern"))
		return false;
	if (body->n != 1) {
		diag_error(src->s, body->at, "a pattern names one field, not %u (write a pattern for each)",
			body->n);
		return false;
	}
	struct yaml_node *key = body->first, *value = key->next;
	if (!kind_is(src, key, YAML_SCALAR, "a field"))
		return false;
	p->field = field_by_name(key->text);
	if (p->field == FIELD_NONE) {
		diag_error(src->s, key->at,
			"unknown field `%.80s` (to, selector, input, arg, init_code, push_selector, "
			"push_address, access_list, "
			"authorization)",
			key->text);
		return false;
	}
	uint32_t slots[2 * PATTERN_VALUES_MAX] = {0};
	struct bag b = {p, 0, slots, 2 * PATTERN_VALUES_MAX};
	return values_read(src, &b, value, false);
}

/* PUSHn of the n least bytes of v. */
static void
push(struct encoding *e, const uint8_t *v, uint32_t n)
{
	e->bytes[e->len++] = (uint8_t)(0x5f + n);
	memcpy(e->bytes + e->len, v, n);
	e->len += n;
}

static void
distinct(struct encoding out[ENCODINGS_MAX], uint32_t *n, const struct encoding *e)
{
	for (uint32_t i = 0; i < *n; i++)
		if (out[i].len == e->len && memcmp(out[i].bytes, e->bytes, e->len) == 0)
			return;
	out[(*n)++] = *e;
}

/* The selector left-aligned in a word, as the compiler puts it on the stack: PUSH32; or, with trailing zero
 * bits, shifted down and back up (224 + k). Leading zero bytes are not pushed. */
static uint32_t
push_selector_encodings(const uint8_t sel[4], struct encoding out[ENCODINGS_MAX])
{
	uint32_t n = 0, zeros = leading_zeros(sel, 4), k = 0;
	uint32_t v = (uint32_t)sel[0] << 24 | (uint32_t)sel[1] << 16 | (uint32_t)sel[2] << 8 | sel[3];
	uint8_t word[32] = {0};
	memcpy(word, sel, 4);
	for (uint32_t skip = 0; skip <= zeros; skip += zeros ? zeros : 1) {
		struct encoding narrow = {.len = 0}, wide = {.len = 0};
		push(&narrow, sel + skip, 4 - skip);
		push(&wide, word + skip, 32 - skip);
		distinct(out, &n, &narrow);
		distinct(out, &n, &wide);
	}
	while (k < 31 && (v >> k & 1) == 0)
		k++;
	if (k > 0) {
		struct encoding shifted = {.len = 0};
		uint32_t low = v >> k;
		const uint8_t be[4] = {
			(uint8_t)(low >> 24), (uint8_t)(low >> 16), (uint8_t)(low >> 8), (uint8_t)low};
		uint32_t skip = leading_zeros(be, 4);
		push(&shifted, be + skip, 4 - skip);
		shifted.bytes[shifted.len++] = 0x60;
		shifted.bytes[shifted.len++] = (uint8_t)(0xe0 + k);
		shifted.bytes[shifted.len++] = 0x1b;
		distinct(out, &n, &shifted);
	}
	return n;
}

uint32_t
pattern_encodings(uint32_t field, const uint8_t *value, uint32_t len, struct encoding out[ENCODINGS_MAX])
{
	uint32_t n = 0;
	if (field == FIELD_PUSH_SELECTOR)
		return push_selector_encodings(value, out);
	if (field == FIELD_PUSH_ADDRESS) {
		uint32_t zeros = leading_zeros(value, len);
		for (uint32_t skip = 0; skip <= zeros; skip += zeros ? zeros : 1) {
			struct encoding e = {.len = 0};
			push(&e, value + skip, len - skip);
			distinct(out, &n, &e);
		}
		return n;
	}
	memcpy(out[0].bytes, value, len);
	out[0].len = len;
	return 1;
}
