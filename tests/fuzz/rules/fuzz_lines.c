/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a file of weights (first byte even) or of templates: errors have a place in it; what has none
 * is a sound model, or as many different hashes as lines, and the bundle that holds them opens. What a vector
 * gives as facts is read from the same text. */
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
	need(bundle_count(&b, SECTION_MODEL) == (s->model != NULL));
	need(bundle_count(&b, SECTION_TEMPLATE) == s->n_templates);
	for (uint32_t i = 0; i < s->n_templates; i++)
		need(bundle_template_find(&b, s->templates[i].t.hash));
	free(bytes);
}

static void
check_facts(const uint8_t *data, size_t size)
{
	uint64_t number[SCALAR_COUNT];
	char again[64 * SCALAR_COUNT] = "{";
	if (!bundle_facts_read((struct span){data, (uint32_t)size}, number))
		return;
	/* written again with every number, it says the same */
	for (unsigned i = 0; i < SCALAR_COUNT; i++)
		snprintf(again + strlen(again), sizeof again - strlen(again), "%s\"%s\":%llu", i ? "," : "",
			rule_scalar_name(i), (unsigned long long)number[i]);
	strcat(again, "}");
	uint64_t same[SCALAR_COUNT];
	need(bundle_facts_read((struct span){(const uint8_t *)again, (uint32_t)strlen(again)}, same));
	need(memcmp(number, same, sizeof same) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char pack[] = "pack: p\nversion: 1\nrules: []\n";
	if (size == 0)
		return 0;
	uint8_t *exact = malloc(size);
	memcpy(exact, data + 1, size - 1);
	uint32_t lines = 1;
	for (size_t i = 0; i + 1 < size; i++)
		lines += exact[i] == '\n';
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "pack.yaml", pack, sizeof pack - 1);
	(data[0] % 2 == 0 ? rule_set_parse_weights : rule_set_parse_templates)(
		s, "fuzz", (const char *)exact, size - 1);
	rule_set_lint(s, false);
	for (uint32_t i = 0; i < s->n_diags; i++) {
		if (strcmp(s->diags[i].at.file, "fuzz") != 0)
			continue;
		need(s->diags[i].at.line >= 1 && s->diags[i].at.line <= lines && s->diags[i].at.column >= 1);
		need(s->diags[i].at.column <= size + 1 && s->diags[i].text[0] != 0);
	}
	check_bundle(s);
	rule_set_free(s);
	check_facts(exact, size - 1);
	free(exact);
	return 0;
}
