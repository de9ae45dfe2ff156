/* SPDX-License-Identifier: BSD-3-Clause */
/* compile: a rule set without errors laid out as the tables of a bundle. */
#ifndef RULES_COMPILE_H
#define RULES_COMPILE_H

#include "rules/set.h"

struct interned {      /* a value or literal: bytes that are stored once */
	uint32_t kind; /* field, or database */
	const uint8_t *p;
	uint32_t len;
	struct place at;   /* where it first stands */
	uint32_t bytes_at; /* in BYTES, once placed */
};

struct literal {
	struct interned in;
	uint32_t window_at, window_len;
	uint32_t value;
};

struct window {
	uint32_t db, len;
	uint32_t first, n; /* literals */
	const uint8_t *p;
	bool whole; /* it is all there is of its one literal */
	struct place at;
};

struct layout {
	struct rule_set *s;
	struct arena arena;
	struct interned *values;
	uint32_t n_values, cap_values;
	struct literal *literals; /* by database, then window, then bytes, then value */
	uint32_t n_literals, cap_literals;
	struct window *windows;
	uint32_t n_windows, cap_windows;
};

void layout_make(struct layout *l, struct rule_set *s);
void layout_free(struct layout *l);
/* layout_value: index of a value of the set. */
uint32_t layout_value(const struct layout *l, uint32_t field, const struct value *v);

/* database_compile: the serialised Hyperscan database of the windows of `db` (caller frees), *n 0 if there
 * are none. False after a diagnostic that names the pattern. */
bool database_compile(const struct layout *l, uint32_t db, char **out, size_t *n);
/* database_platform: Hyperscan's words on a serialised database. */
void database_platform(const char *db, size_t n, char out[BUNDLE_PLATFORM_LEN]);

#endif
