/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/bundle.h"

static bool
take(struct span *s, const char *text)
{
	size_t n = strlen(text);
	if (s->len < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->len -= (uint32_t)n;
	return true;
}

/* "name": and which scalar it is, or -1. */
static int
take_name(struct span *s)
{
	if (!take(s, "\""))
		return -1;
	for (int i = 0; i < SCALAR_COUNT; i++) {
		const char *name = rule_scalar_name((unsigned)i);
		size_t n = strlen(name);
		if (s->len > n && memcmp(s->p, name, n) == 0 && s->p[n] == '"') {
			take(s, name);
			return take(s, "\":") ? i : -1;
		}
	}
	return -1;
}

static bool
take_number(struct span *s, uint64_t *out)
{
	uint64_t v = 0;
	uint32_t n = 0;
	for (; s->len > 0 && *s->p >= '0' && *s->p <= '9'; s->p++, s->len--, n++) {
		unsigned d = *s->p - '0';
		if ((n > 0 && v == 0) || v > (UINT64_MAX - d) / 10)
			return false;
		v = 10 * v + d;
	}
	*out = v;
	return n > 0;
}

bool
bundle_facts_read(struct span text, uint64_t number[SCALAR_COUNT])
{
	bool given[SCALAR_COUNT] = {false};
	memset(number, 0, SCALAR_COUNT * sizeof *number);
	if (!take(&text, "{"))
		return false;
	if (take(&text, "}"))
		return text.len == 0;
	do {
		int i = take_name(&text);
		if (i < 0 || given[i] || !take_number(&text, &number[i]))
			return false;
		given[i] = true;
	} while (take(&text, ","));
	return take(&text, "}") && text.len == 0;
}

bool
bundle_template_find(const struct bundle *b, const uint8_t hash[32])
{
	const uint8_t *p = b->bytes.p + b->h.section[SECTION_TEMPLATE].at;
	uint32_t low = 0, high = bundle_count(b, SECTION_TEMPLATE);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int c = memcmp(p + (size_t)middle * 32, hash, 32);
		if (c == 0)
			return true;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
