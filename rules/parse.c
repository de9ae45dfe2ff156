/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/language.h"

#include "abi/alert.h"
#include "rules/text.h"

#include <stdlib.h>

#define NAME_LEN_MAX 64u
#define TEXT_LEN_MAX 512u
#define KEYS_MAX 4096u

bool
kind_is(struct source *src, const struct yaml_node *n, enum yaml_kind kind, const char *what)
{
	static const char *const names[] = {"one value", "a sequence", "a mapping"};
	if (n->kind == kind)
		return true;
	diag_error(src->s, n->at, "%s must be %s, not %s", what, names[kind], names[n->kind]);
	return false;
}

static bool
repeated(const struct yaml_node *map, const struct yaml_node *key)
{
	for (const struct yaml_node *k = map->first; k != key; k = k->next->next)
		if (k->kind == YAML_SCALAR && strcmp(k->text, key->text) == 0)
			return true;
	return false;
}

bool
pair_next(struct source *src, struct yaml_node *map, struct yaml_node **at, struct yaml_node **key,
	struct yaml_node **value)
{
	if (*at == NULL && map->n > KEYS_MAX) {
		diag_error(src->s, map->at, "more than %u keys", KEYS_MAX);
		return false;
	}
	/* *at: the value last returned */
	for (struct yaml_node *k = *at ? (*at)->next : map->first; k != NULL; k = k->next->next) {
		*at = k->next;
		*key = k;
		*value = k->next;
		if (k->kind != YAML_SCALAR)
			diag_error(src->s, k->at, "a key must be one word");
		else if (repeated(map, k))
			diag_error(src->s, k->at, "key `%.80s` a second time", k->text);
		else
			return true;
	}
	return false;
}

static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n <= NAME_LEN_MAX && s[n] == 0;
}

static const char *
name_read(struct source *src, const struct yaml_node *n, const char *what)
{
	if (!kind_is(src, n, YAML_SCALAR, what))
		return NULL;
	if (is_name(n->text))
		return n->text;
	diag_error(src->s, n->at, "%s `%.80s`: 1 to %u of a-z, 0-9 and -", what, n->text, NAME_LEN_MAX);
	return NULL;
}

bool
number_read(struct source *src, const struct yaml_node *n, uint64_t least, uint64_t most, uint64_t *out)
{
	if (!kind_is(src, n, YAML_SCALAR, "a number"))
		return false;
	const char *p = n->text;
	uint64_t v = 0, base = p[0] == '0' && p[1] == 'x' ? 16 : 10;
	p += base == 16 ? 2 : 0;
	bool ok = *p != 0 && (base == 16 || p[0] != '0' || p[1] == 0), fits = true;
	for (; *p && ok; p++) {
		int d = *p >= '0' && *p <= '9'		       ? *p - '0'
			: (*p | 32) >= 'a' && (*p | 32) <= 'f' ? (*p | 32) - 'a' + 10
							       : 99;
		ok = d < (int)base;
		fits = fits && v <= (UINT64_MAX - (uint64_t)d) / base;
		v = v * base + (uint64_t)d;
	}
	if (!ok)
		diag_error(src->s, n->at, "`%.80s` is no number (decimal without leading zeros, or 0x)",
			n->text);
	else if (!fits || v < least || v > most)
		diag_error(src->s, n->at, "%.80s is out of range (%llu to %llu)", n->text,
			(unsigned long long)least, (unsigned long long)most);
	*out = v;
	return ok && fits && v >= least && v <= most;
}

static bool
text_read(struct source *src, const struct yaml_node *n, const char *what, const char **out)
{
	if (!kind_is(src, n, YAML_SCALAR, what))
		return false;
	if (n->len == 0 || n->len > TEXT_LEN_MAX) {
		diag_error(src->s, n->at, "%s: 1 to %u bytes, not %u", what, TEXT_LEN_MAX, n->len);
		return false;
	}
	if (!text_is_tame(n->text)) {
		diag_error(
			src->s, n->at, "%s holds a line break or control character (write one line)", what);
		return false;
	}
	*out = n->text;
	return true;
}

/* One of an enum by the name that its own table gives. */
static bool
enum_read(struct source *src, const struct yaml_node *n, const char *what, const char *(*name)(unsigned),
	unsigned least, unsigned max, uint32_t *out)
{
	char all[256] = "";
	if (!kind_is(src, n, YAML_SCALAR, what))
		return false;
	for (unsigned i = least; i <= max; i++) {
		if (strcmp(n->text, name(i)) == 0) {
			*out = i;
			return true;
		}
		strncat(all, i > least ? ", " : "", sizeof all - strlen(all) - 1);
		strncat(all, name(i), sizeof all - strlen(all) - 1);
	}
	diag_error(src->s, n->at, "%s `%.80s` does not exist (one of %s)", what, n->text, all);
	return false;
}

bool
word_reserved(const char *w)
{
	static const char *const words[] = {
		"and", "or", "not", "any", "all", "of", "count", "creation", "bundle",
#define _(id, name, events) name,
		RULE_SCALARS(_)
#undef _
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(w, words[i]) == 0)
			return true;
	return false;
}

/* Names of patterns and lists: they stand in conditions. */
static bool
is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n > 0 && n <= NAME_LEN_MAX && s[n] == 0 && (s[0] == '_' || s[0] > '9');
}

static bool
word_read(struct source *src, const struct yaml_node *n, const char *what)
{
	if (!is_word(n->text))
		diag_error(src->s, n->at, "%s `%.80s`: 1 to %u of a-z, 0-9 and _, not a digit first", what,
			n->text, NAME_LEN_MAX);
	else if (word_reserved(n->text))
		diag_error(src->s, n->at, "%s `%s` is a word of conditions (choose another name)", what,
			n->text);
	else
		return true;
	return false;
}

static void
patterns_read(struct source *src, struct rule *r, struct yaml_node *map, bool exception, uint32_t *cap)
{
	struct yaml_node *at = NULL, *key, *body;
	if (!kind_is(src, map, YAML_MAPPING, exception ? "except" : "match"))
		return;
	while (pair_next(src, map, &at, &key, &body)) {
		struct pattern p = {.name = key->text, .at = key->at, .exception = exception};
		bool again = false;
		if (!word_read(src, key, "pattern"))
			continue;
		for (uint32_t i = 0; i < r->n_patterns; i++)
			again |= strcmp(r->patterns[i].name, key->text) == 0;
		if (again)
			diag_error(src->s, key->at, "pattern `%s` a second time", key->text);
		else if (r->n_patterns == RULE_PATTERNS_MAX)
			diag_error(src->s, key->at, "more than %u patterns in a rule (split the rule)",
				RULE_PATTERNS_MAX);
		else {
			pattern_read(src, &p,
				body); /* a broken one keeps its name: no second error in the condition */
			*ARENA_PUSH(&src->s->arena, r->patterns, r->n_patterns, *cap) = p;
		}
	}
}

static void
protocols_read(struct source *src, struct rule *r, struct yaml_node *seq)
{
	if (!kind_is(src, seq, YAML_SEQUENCE, "protocols"))
		return;
	for (struct yaml_node *n = seq->first; n != NULL; n = n->next) {
		struct pattern *p = NULL;
		if (!kind_is(src, n, YAML_SCALAR, "a protocol"))
			continue;
		for (uint32_t i = 0; i < r->n_patterns; i++)
			if (!r->patterns[i].exception && strcmp(r->patterns[i].name, n->text) == 0)
				p = &r->patterns[i];
		if (p == NULL)
			diag_error(src->s, n->at, "protocols names `%.80s`, which `match` does not define",
				n->text);
		else if (p->protocol)
			diag_error(src->s, n->at, "protocols names `%s` a second time", n->text);
		else
			p->protocol = p->used = true;
		for (uint32_t i = 0; p != NULL && i < p->n_values; i++) {
			if (p->values[i].len != 20) {
				diag_error(src->s, n->at,
					"protocols names `%s`, whose values are not all addresses", n->text);
				break;
			}
		}
	}
}

static void
references_read(struct source *src, struct yaml_node *seq)
{
	const char *text;
	if (!kind_is(src, seq, YAML_SEQUENCE, "references"))
		return;
	for (struct yaml_node *n = seq->first; n != NULL; n = n->next)
		if (text_read(src, n, "a reference", &text) && strncmp(text, "https://", 8) != 0 &&
			strncmp(text, "http://", 7) != 0)
			diag_error(src->s, n->at, "a reference must be a web address");
}

/* clang-format off */
#define RULE_KEYS(_) \
	_(id, true) _(rev, true) _(name, true) _(description, true) _(class, true) _(severity, true) _(grade, true) \
	_(status, true) _(references, false) _(on, false) _(match, false) _(condition, false) _(protocols, false) \
	_(except, false) _(vectors, false)
/* clang-format on */
enum rule_key {
#define _(name, needed) KEY_##name,
	RULE_KEYS(_)
#undef _
		KEY_COUNT
};
static const struct {
	const char *name;
	bool needed;
} rule_keys[KEY_COUNT] = {
#define _(name, needed) {#name, needed},
	RULE_KEYS(_)
#undef _
};

static bool
keys_read(struct source *src, struct yaml_node *map, struct yaml_node *found[KEY_COUNT])
{
	struct yaml_node *at = NULL, *key, *value;
	if (!kind_is(src, map, YAML_MAPPING, "a rule"))
		return false;
	while (pair_next(src, map, &at, &key, &value)) {
		int k = 0;
		while (k < KEY_COUNT && strcmp(rule_keys[k].name, key->text) != 0)
			k++;
		if (k == KEY_COUNT)
			diag_error(src->s, key->at, "unknown key `%.80s` in a rule", key->text);
		else
			found[k] = value;
	}
	for (int k = 0; k < KEY_COUNT; k++)
		if (rule_keys[k].needed && found[k] == NULL)
			diag_error(src->s, map->at, "a rule without `%s`", rule_keys[k].name);
	return true;
}

static void
head_read(struct source *src, struct rule *r, struct yaml_node *k[KEY_COUNT])
{
	uint64_t v;
	if (k[KEY_id] && number_read(src, k[KEY_id], 1, 1u << 31, &v)) {
		r->id = (uint32_t)v;
		r->at = k[KEY_id]->at;
	}
	if (k[KEY_rev] && number_read(src, k[KEY_rev], 1, 1u << 31, &v))
		r->rev = (uint32_t)v;
	if (k[KEY_name]) {
		r->name = name_read(src, k[KEY_name], "name");
		r->name_at = k[KEY_name]->at;
	}
	if (k[KEY_description])
		text_read(src, k[KEY_description], "description", &r->description);
	if (k[KEY_class])
		enum_read(src, k[KEY_class], "class", alert_class_name, 1, CLASS_MAX, &r->class_);
	if (k[KEY_severity])
		enum_read(src, k[KEY_severity], "severity", alert_severity_name, 1, SEVERITY_MAX, &r->severity);
	if (k[KEY_grade] && enum_read(src, k[KEY_grade], "grade", alert_grade_name, 1, GRADE_MAX, &r->grade))
		r->grade_at = k[KEY_grade]->at;
	if (k[KEY_status])
		enum_read(src, k[KEY_status], "status", rule_status_name, 1, STATUS_MAX, &r->status);
	if (k[KEY_on])
		enum_read(src, k[KEY_on], "event", rule_event_name, 0, EVENT_COUNT - 1, &r->event);
	if (k[KEY_references])
		references_read(src, k[KEY_references]);
}

/* What only transactions have, under a rule on something else. */
static bool
fits_event(struct source *src, const struct rule *r, struct yaml_node *map, struct yaml_node *k[KEY_COUNT])
{
	static const enum rule_key of_transactions[] = {KEY_match, KEY_except, KEY_protocols};
	bool fits = true;
	if (r->event == EVENT_TRANSACTION) {
		if (k[KEY_condition] == NULL)
			diag_error(src->s, map->at, "a rule without `condition`");
		return true;
	}
	for (size_t i = 0; i < sizeof of_transactions / sizeof *of_transactions; i++) {
		enum rule_key key = of_transactions[i];
		if (k[key] == NULL)
			continue;
		diag_error(src->s, k[key]->at,
			"`%s` under a rule on `%s`: patterns are of transactions (compare numbers in the condition)",
			rule_keys[key].name, rule_event_name(r->event));
		fits = false;
	}
	return fits;
}

static void
condition_read(struct source *src, struct rule *r, struct yaml_node *node)
{
	if (!kind_is(src, node, YAML_SCALAR, "condition"))
		return;
	r->condition_at = node->at;
	bool good = condition_compile(src, r, node);
	for (uint32_t i = 0; good && i < r->n_patterns; i++)
		if (!r->patterns[i].used && !r->patterns[i].exception)
			diag_error(src->s, r->patterns[i].at,
				"pattern `%s` is not used in the condition (use it or drop it)",
				r->patterns[i].name);
}

static void
rule_read(struct source *src, const char *pack, struct yaml_node *map)
{
	struct yaml_node *k[KEY_COUNT] = {NULL};
	struct rule r = {.pack = pack, .at = map->at, .name_at = map->at, .condition_at = map->at};
	uint32_t cap = 0;
	if (!keys_read(src, map, k))
		return;
	if (src->s->n_rules == RULES_MAX) {
		diag_error(src->s, map->at, "more than %u rules in a set", RULES_MAX);
		return;
	}
	head_read(src, &r, k);
	bool fits = fits_event(src, &r, map, k);
	r.always = r.event != EVENT_TRANSACTION && k[KEY_condition] == NULL;
	if (k[KEY_match] && fits)
		patterns_read(src, &r, k[KEY_match], false, &cap);
	if (k[KEY_except] && fits)
		patterns_read(src, &r, k[KEY_except], true, &cap);
	if (k[KEY_condition] && fits)
		condition_read(src, &r, k[KEY_condition]);
	if (k[KEY_protocols] && fits)
		protocols_read(src, &r, k[KEY_protocols]);
	if (k[KEY_vectors])
		vectors_read(src, &r, k[KEY_vectors]);
	*ARENA_PUSH(&src->s->arena, src->s->rules, src->s->n_rules, src->s->cap_rules) = r;
}

static void
lists_read(struct source *src, struct yaml_node *map)
{
	struct yaml_node *at = NULL, *key, *items;
	if (!kind_is(src, map, YAML_MAPPING, "lists"))
		return;
	while (pair_next(src, map, &at, &key, &items)) {
		if (!word_read(src, key, "list") || !kind_is(src, items, YAML_SEQUENCE, "a list"))
			continue;
		if (items->n == 0)
			diag_error(src->s, items->at, "list `%s` is empty", key->text);
		*ARENA_PUSH(&src->s->arena, src->lists, src->n_lists, src->cap_lists) =
			(struct list){key->text, key->at, items, false};
	}
}

static void
pack_read(struct source *src, struct yaml_node *root)
{
	struct yaml_node *at = NULL, *key, *value, *rules = NULL, *lists = NULL, *version = NULL,
			 *pack = NULL;
	uint64_t v;
	if (!kind_is(src, root, YAML_MAPPING, "a pack"))
		return;
	while (pair_next(src, root, &at, &key, &value)) {
		struct yaml_node **where = strcmp(key->text, "pack") == 0      ? &pack
					   : strcmp(key->text, "version") == 0 ? &version
					   : strcmp(key->text, "lists") == 0   ? &lists
					   : strcmp(key->text, "rules") == 0   ? &rules
									       : NULL;
		if (where == NULL)
			diag_error(src->s, key->at,
				"unknown key `%.80s` in a pack (pack, version, lists, rules)", key->text);
		else
			*where = value;
	}
	const char *name = pack ? name_read(src, pack, "pack") : NULL;
	if (pack == NULL)
		diag_error(src->s, root->at, "a pack without `pack: NAME`");
	if (name != NULL)
		*ARENA_PUSH(&src->s->arena, src->s->packs, src->s->n_packs, src->s->cap_packs) =
			(struct named){name, pack->at};
	if (version == NULL)
		diag_error(src->s, root->at, "a pack without `version: 1` (the version of the language)");
	else
		number_read(src, version, 1, 1, &v);
	if (lists)
		lists_read(src, lists);
	if (rules == NULL)
		diag_error(src->s, root->at, "a pack without `rules`");
	else if (kind_is(src, rules, YAML_SEQUENCE, "rules"))
		for (struct yaml_node *n = rules->first; n != NULL; n = n->next)
			rule_read(src, name ? name : "", n);
	for (uint32_t i = 0; i < src->n_lists; i++)
		if (!src->lists[i].used)
			diag_error(src->s, src->lists[i].at, "list `%s` is not used (use it or drop it)",
				src->lists[i].name);
}

void
rule_set_parse(struct rule_set *s, const char *file, const char *text, size_t n)
{
	const char *name = arena_copy(&s->arena, file, strlen(file));
	struct yaml_node *root = yaml_read(s, name, text, n);
	bool bom = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	struct source src = {.s = s, .text = text + (bom ? 3 : 0), .len = n - (bom ? 3 : 0)};
	if (root != NULL)
		pack_read(&src, root);
}
