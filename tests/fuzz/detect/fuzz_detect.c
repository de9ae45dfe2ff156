/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a transaction, against a fixed rule set with a rule for each field and value count: the same
 * findings as the reference. */
#include "fixture.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define A1 "1111111111111111111111111111111111111111"
#define A2 "000000002222222222222222222222222222ff22"
#define W1 "000000000000000000000000" A1
static const struct {
	enum rule_field field;
	const char *value[4];
} patterns[] = {{FIELD_TO, {A1, A2}}, {FIELD_SELECTOR, {"11111111", "ab9c4b5d"}},
	{FIELD_INPUT, {"111111", "c0ffee00", A1, A2}}, {FIELD_ARG, {A1, A2, W1}},
	{FIELD_INIT_CODE, {"111111", "60016000", "7f5cffe9de0000000000000001"}},
	{FIELD_PUSH_SELECTOR, {"5cffe9de", "00991403", "11111111", "80000000"}},
	{FIELD_PUSH_ADDRESS, {A1, A2}}, {FIELD_ACCESS_LIST, {A1, A2}}, {FIELD_AUTHORIZATION, {A1, A2}}};
#define PATTERNS (sizeof patterns / sizeof *patterns)

static struct loaded l;

/* Rule 10 * pattern + n: at least n values match; n = 0: none does. */
static void
set_up(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	fputs("pack: fuzz\nversion: 1\nrules:\n", f);
	for (unsigned i = 0; i < PATTERNS; i++) {
		unsigned values = 0;
		while (values < 4 && patterns[i].value[values] != NULL)
			values++;
		for (unsigned n = 0; n <= values && n <= 2; n++) {
			fprintf(f,
				"  - {id: %u, rev: 1, name: r%u, description: d, class: other, severity: "
				"low, grade: watch, status: stable,\n"
				"     match: {p: {%s: [",
				10 * (i + 1) + n, 10 * (i + 1) + n, rule_field_name(patterns[i].field));
			for (unsigned k = 0; k < values; k++)
				fprintf(f, "%s0x%s", k ? ", " : "", patterns[i].value[k]);
			fprintf(f,
				"]}}, condition: \"%s(p) >= %u\",\n     vectors: [{match: true, tx: {}}, "
				"{match: false, tx: {raw: 0x}}]}\n",
				n ? "count" : "not count", n ? n : 1);
		}
	}
	fclose(f);
	loaded_open(&l, text);
	free(text);
}

/* Of pattern i: in which call fewer than one, at least one, at least two of its values match first. */
static void
expect(const struct tx *t, unsigned i, uint32_t first[3])
{
	const struct calls *calls = detect_calls(l.detect);
	first[0] = first[1] = first[2] = UINT32_MAX;
	for (uint32_t c = 0; c < calls->n; c++) {
		struct rule_facts its;
		const struct tx inner = reference_call(t, calls, c, NULL, &its);
		unsigned count = 0;
		for (unsigned k = 0; k < 4 && patterns[i].value[k] != NULL; k++) {
			uint8_t value[64];
			uint32_t len = unhex(patterns[i].value[k], value);
			count += reference_matches(&inner, patterns[i].field, value, len);
		}
		for (unsigned n = 0; n < 3; n++)
			if (first[n] == UINT32_MAX && (n == 0 ? count == 0 : count >= n))
				first[n] = c;
	}
}

static void
check(const struct tx *t)
{
	struct finding f[DETECT_FINDINGS_MAX];
	uint32_t got[10 * (PATTERNS + 1)], first[3];
	memset(got, 0xff, sizeof got);
	int n = detect_tx(l.detect, t, 0, f);
	if (n < 0 || detect_over(l.detect) > 0)
		abort();
	for (int i = 0; i < n; i++) {
		struct ruleset_rule r;
		ruleset_rule(l.rules, f[i].rule_index, &r);
		if (got[r.id] != UINT32_MAX)
			abort();
		got[r.id] = f[i].call;
	}
	for (unsigned i = 0; i < PATTERNS; i++) {
		expect(t, i, first);
		for (unsigned k = 0; k < 3; k++)
			if (got[10 * (i + 1) + k] != first[k])
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tx t;
	if (l.rules == NULL)
		set_up();
	if (size <= 16384 && tx_decode((struct span){data, (uint32_t)size}, &t) == 0)
		check(&t);
	return 0;
}
