/* SPDX-License-Identifier: BSD-3-Clause */
/* language: the parts of the parser. */
#ifndef RULES_LANGUAGE_H
#define RULES_LANGUAGE_H

#include "rules/set.h"
#include "rules/document.h"

/* What is being read. */
struct source {
	struct rule_set *s;
	const char *text; /* of the file, without byte order mark */
	size_t len;
	struct list {
		const char *name;
		struct place at;
		struct yaml_node *items;
		bool used;
	} * lists;
	uint32_t n_lists, cap_lists;
};

/* pattern_read: one {FIELD: VALUE | [VALUES] | $list} into p (its name is set). False after a diagnostic. */
bool pattern_read(struct source *src, struct pattern *p, struct yaml_node *body);

/* A pattern's value as it appears in bytes. */
struct encoding {
	uint8_t bytes[LITERAL_LEN_MAX];
	uint32_t len;
};
#define ENCODINGS_MAX 6
/* pattern_encodings: the byte strings that a value of a searched field appears as (value.len <=
 * LITERAL_LEN_MAX); how many. */
uint32_t pattern_encodings(
	uint32_t field, const uint8_t *value, uint32_t len, struct encoding out[ENCODINGS_MAX]);

/* condition_compile: the infix text of `node` into r->ops, with the exceptions of r->patterns; marks patterns
 * used. */
bool condition_compile(struct source *src, struct rule *r, const struct yaml_node *node);

/* pause_check: diagnostics of a rule graded `pause` that could pause what it must not. */
void pause_check(struct rule_set *s, const struct rule *r);

/* vector_read: a sequence of vectors into r. */
bool vectors_read(struct source *src, struct rule *r, struct yaml_node *seq);

/* yaml_hex: "0x" and an even number of hex digits (at most max bytes) into bytes of the arena. False after a
 * diagnostic. */
bool hex_read(struct source *src, const struct yaml_node *n, uint32_t max, struct value *out);
/* number_read: decimal or 0x, least..most. False after a diagnostic. */
bool number_read(struct source *src, const struct yaml_node *n, uint64_t least, uint64_t most, uint64_t *out);

/* pair_next walks a mapping: key (a scalar not seen before in it) and value. False at the end. Keys that are
 * collections or repeated are diagnosed and passed over. */
bool pair_next(struct source *src, struct yaml_node *map, struct yaml_node **at, struct yaml_node **key,
	struct yaml_node **value);
/* kind_is: false after a diagnostic that `what` must be a mapping, sequence or scalar. */
bool kind_is(struct source *src, const struct yaml_node *n, enum yaml_kind kind, const char *what);

/* word_reserved: a name that conditions give a meaning. */
bool word_reserved(const char *word);

#endif
