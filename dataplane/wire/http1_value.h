/* SPDX-License-Identifier: BSD-3-Clause */
/* http1_value: what the values of header fields say. Private to http1. */
#ifndef WIRE_HTTP1_VALUE_H
#define WIRE_HTTP1_VALUE_H

#include "wire/http1.h"

#include <stddef.h>
#include <string.h>

struct value {
	const uint8_t *p;
	uint32_t n;
};

static inline bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static inline uint64_t
fold8(const void *p)
{
	uint64_t x;
	memcpy(&x, p, 8);
	return x | 0x2020202020202020u;
}

static inline uint32_t
fold4(const void *p)
{
	uint32_t x;
	memcpy(&x, p, 4);
	return x | 0x20202020u;
}

/* Compares with a text of 4 or more letters in lower case, '-' and '/'. Bytes that differ in bit 5 alone are
 * taken for equal: of those only letters come in pairs that can both stand in a token. */
static inline bool
is_name(const uint8_t *p, const char *name, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		if (fold8(p + i) != fold8(name + i))
			return false;
	}
	if (i == n)
		return true;
	return n >= 8 ? fold8(p + n - 8) == fold8(name + n - 8)
		      : fold4(p) == fold4(name) && fold4(p + n - 4) == fold4(name + n - 4);
}

static inline bool
equal_fold(struct value v, const char *lower)
{
	return v.n == strlen(lower) && is_name(v.p, lower, v.n);
}

static inline struct value
trim(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (p < end && is_blank(end[-1]))
		end--;
	return (struct value){p, (uint32_t)(end - p)};
}

/* A decimal number up to 2^63-1. */
static inline bool
number(struct value v, uint64_t *out)
{
	uint64_t x = 0;
	for (uint32_t i = 0; i < v.n; i++) {
		unsigned digit = v.p[i] - (unsigned)'0';
		if (digit > 9 || x > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		x = x * 10 + digit;
	}
	*out = x;
	return v.n > 0;
}

/* value_coding: of Content-Encoding; empty elements and identities do not count. value_codings: of two of its
 * lines. */
enum http1_coding value_coding(struct value v);
enum http1_coding value_codings(enum http1_coding a, enum http1_coding b);

/* value_websocket: Upgrade names websocket. */
bool value_websocket(struct value v);

/* value_extensions reads a piece of Sec-WebSocket-Extensions; *place keeps the place in the list from a line
 * to its continuation, and is 0 at the beginning of a field. */
void value_extensions(struct http1_extensions *e, struct value v, uint64_t *place);

#endif
