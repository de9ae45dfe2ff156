/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/position.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Reads exactly 2 * n lower-case hex digits. */
static const char *
take_hex(const char *s, uint8_t *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int hi = digit(s[0]);
		int lo = hi < 0 ? -1 : digit(s[1]);
		if (lo < 0)
			return NULL;
		out[i] = (uint8_t)(hi << 4 | lo);
		s += 2;
	}
	return s;
}

static const char *
take_decimal(const char *s, uint64_t max, uint64_t *out)
{
	if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
		return NULL;
	uint64_t v = 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		unsigned d = (unsigned)(*s - '0');
		if (v > (max - d) / 10)
			return NULL;
		v = v * 10 + d;
	}
	*out = v;
	return s;
}

static int
parse_cursor(const char *s, struct position *p)
{
	uint8_t name[4];
	s = take_hex(s, name, sizeof name);
	if (s == NULL || *s != '.')
		return -EINVAL;
	s = take_decimal(s + 1, INT64_MAX, &p->cursor);
	if (s == NULL || *s != '\0')
		return -EINVAL;
	p->kind = POSITION_CURSOR;
	p->journal = (uint32_t)name[0] << 24 | (uint32_t)name[1] << 16 | (uint32_t)name[2] << 8 | name[3];
	return 0;
}

static int
parse_id(const char *s, struct position *p)
{
	uint64_t ring;
	s = take_hex(s, p->epoch, sizeof p->epoch);
	if (s == NULL || *s != '-')
		return -EINVAL;
	s = take_decimal(s + 1, UINT32_MAX, &ring);
	if (s == NULL || *s != '-')
		return -EINVAL;
	s = take_decimal(s + 1, INT64_MAX, &p->seq);
	if (s == NULL || p->seq == 0)
		return -EINVAL;
	p->loss = strcmp(s, "-loss") == 0 || strcmp(s, "-notice") == 0;
	p->vetted = strcmp(s, "-vetted") == 0;
	if (*s != '\0' && !p->loss && !p->vetted)
		return -EINVAL;
	p->kind = POSITION_ID;
	p->ring = (uint32_t)ring;
	return 0;
}

int
position_parse(const char *text, struct position *p)
{
	*p = (struct position){0};
	if (strcmp(text, "now") == 0) {
		p->kind = POSITION_NOW;
		return 0;
	}
	if (strcmp(text, "start") == 0) {
		p->kind = POSITION_START;
		return 0;
	}
	return parse_cursor(text, p) == 0 || parse_id(text, p) == 0 ? 0 : -EINVAL;
}

void
position_cursor(uint32_t journal, uint64_t n, char *out)
{
	snprintf(out, POSITION_TEXT_MAX, "%08" PRIx32 ".%" PRIu64, journal, n);
}
