/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a pack: errors have a place in it; what has none compiles to sound programs, and to a bundle
 * that opens (small sets only: Hyperscan takes its time). */
#include "rules/set.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(int ok)
{
	if (!ok)
		abort();
}

static uint32_t
lines_of(const uint8_t *p, size_t n)
{
	uint32_t lines = 2;	       /* a parser may point past the last */
	for (size_t i = 0; i < n; i++) /* whatever YAML takes for a line break */
		lines += p[i] == '\n' || p[i] == '\r' || p[i] == 0x85 || p[i] == 0xa8 || p[i] == 0xa9;
	return lines;
}

static void
check_programs(const struct rule_set *s)
{
	for (uint32_t i = 0; i < s->n_rules; i++) {
		const struct rule *r = &s->rules[i];
		if (r->n_ops > 0)
			need(bundle_program_check(r->ops, r->n_ops, r->n_patterns, s->n_consts) == NULL);
	}
}

static void
check_bundle(struct rule_set *s)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	struct bundle b;
	char err[256];
	int rc = rule_set_compile(s, 1, &bytes, &n);
	need((rc == 0) == (s->n_errors == 0));
	if (rc != 0)
		return;
	if (!bundle_open(&b, (struct span){bytes, (uint32_t)n}, err, sizeof err)) {
		fprintf(stderr, "%s\n", err);
		abort();
	}
	need(bundle_count(&b, SECTION_RULE) == s->n_rules);
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t lines = lines_of(data, size);
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "fuzz.yaml", (const char *)data, size);
	rule_set_lint(s, false);
	for (uint32_t i = 0; i < s->n_diags; i++) {
		need(s->diags[i].at.line <= lines);
		need(s->diags[i].text[0] != 0);
	}
	check_programs(s);
	if (s->n_values < 64)
		check_bundle(s);
	rule_set_free(s);
	return 0;
}
