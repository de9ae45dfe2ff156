/* SPDX-License-Identifier: BSD-3-Clause */
/* set: a rule set in the compiler, from YAML to bundle, and what was found wrong with it. Everything hangs on
 * one arena. A process of its own does this work: without memory it ends (exit 1). */
#ifndef RULES_SET_H
#define RULES_SET_H

#include "abi/span.h"
#include "rules/arena.h"
#include "rules/bundle.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SET_FILE_BYTES_MAX (8u << 20)
#define SET_BYTES_MAX (64u << 20)
#define SET_FILES_MAX 4096u
#define SET_VALUES_MAX (1u << 20)
#define RULE_VECTORS_MAX 256u
#define SET_DIAGS_MAX 200u

/* A place in a file: lines and columns (characters) from 1. line 0: the file as a whole. */
struct place {
	const char *file;
	uint32_t line, column;
};

enum diag_kind { DIAG_ERROR, DIAG_WARNING };
struct diag {
	struct place at;
	enum diag_kind kind;
	const char *text;
};

struct value { /* as written; interned per (field, bytes) when compiled */
	const uint8_t *p;
	uint32_t len;
	struct place at;
};

struct pattern {
	const char *name;
	struct place at;
	uint32_t field;	      /* enum rule_field */
	struct value *values; /* distinct, in the order of the file */
	uint32_t n_values;
	bool exception, protocol, used;
};

struct vector {
	struct place at;
	bool expect;
	struct span json;  /* the transaction; of rules on transactions */
	struct span facts; /* the numbers, as bundle_facts_read reads them; length 0: none given */
};

struct rule {
	const char *pack;
	struct place at; /* of its id */
	struct place name_at;
	uint32_t id, rev;
	const char *name, *description;
	uint32_t class_, severity, grade, status;
	uint32_t event; /* enum rule_event */
	bool always;	/* on an event, without a condition */
	struct place grade_at, condition_at;
	struct pattern *patterns; /* match first, then except */
	uint32_t n_patterns;
	struct bundle_op *ops; /* exceptions included; constants index the set's; none on an event without a
				  condition */
	uint32_t n_ops;
	struct vector *vectors;
	uint32_t n_vectors;
};

struct template
{
	struct bundle_template t;
	struct place at;
};

struct rule_set {
	struct arena arena;
	struct rule *rules;
	uint32_t n_rules, cap_rules;
	struct named {
		const char *name;
		struct place at;
	} * packs;
	uint32_t n_packs, cap_packs;
	struct bundle_const *consts;
	uint32_t n_consts, cap_consts;
	struct bundle_model *model; /* NULL: no weights */
	struct place model_at;
	struct template *templates; /* in the order of the files */
	uint32_t n_templates, cap_templates;
	uint32_t n_values;
	size_t n_bytes;
	struct diag *diags;
	uint32_t n_diags, n_errors, n_warnings; /* n_diags <= SET_DIAGS_MAX; the others count all */
	uint32_t cap_diags;
};

struct rule_set *rule_set_new(void);
void rule_set_free(struct rule_set *s);

/* rule_set_load reads a file, or every *.yaml, *.weights and *.templates of a folder in the order of their
 * names. Whatever is wrong is a diagnostic; 0, or -errno if the path itself cannot be read (a diagnostic
 * too). */
int rule_set_load(struct rule_set *s, const char *path);
/* rule_set_parse takes one pack from memory; `file` is its name in diagnostics (copied). */
void rule_set_parse(struct rule_set *s, const char *file, const char *text, size_t n);

/* rule_set_parse_weights, rule_set_parse_templates take a file of lines from memory, `file` as above. `#`
 * begins a comment, words are apart by blanks.
 *
 * Weights of the learned score, at most one file a set: first `model 1` (the version of this format), `grams
 * 65536` (MODEL_WEIGHTS), `bias N` (-2^31..2^31-1), `scale N` (1..2^32-1), `threshold N` (1..MODEL_SCORE_MAX),
 * each once, in any order; then lines `BUCKET WEIGHT`, buckets (0..MODEL_WEIGHTS-1) ascending, weights
 * 1..32767; a bucket without a line weighs nothing. detect/model.h says what score they make.
 *
 * Templates: lines `0xHASH PACKAGE@VERSION CONTRACT`, hashes of 32 bytes, each once in the set. */
void rule_set_parse_weights(struct rule_set *s, const char *file, const char *text, size_t n);
void rule_set_parse_templates(struct rule_set *s, const char *file, const char *text, size_t n);

/* rule_set_lint checks what needs the whole set. `databases`: compile them too, to find what Hyperscan
 * refuses. */
void rule_set_lint(struct rule_set *s, bool databases);

/* rule_set_compile: the bundle's bytes (caller frees) or -EINVAL if the set has errors or Hyperscan refuses
 * (diagnostics). Same set, same generation (from 1): same bytes. */
int rule_set_compile(struct rule_set *s, uint64_t generation, uint8_t **out, size_t *n);

/* diag_add keeps the first SET_DIAGS_MAX, counts all. Text: what (next step). */
void diag_add(struct rule_set *s, enum diag_kind kind, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define diag_error(s, at, ...) diag_add(s, DIAG_ERROR, at, __VA_ARGS__)
#define diag_warn(s, at, ...) diag_add(s, DIAG_WARNING, at, __VA_ARGS__)

#endif
