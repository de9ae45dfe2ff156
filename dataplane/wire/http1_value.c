/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/http1_value.h"

enum http1_coding
value_codings(enum http1_coding a, enum http1_coding b)
{
	return a == HTTP1_IDENTITY ? b : b == HTTP1_IDENTITY ? a : HTTP1_OTHER_CODING;
}

enum http1_coding
value_coding(struct value v)
{
	static const struct {
		const char *name;
		enum http1_coding coding;
	} known[] = {{"identity", HTTP1_IDENTITY}, {"gzip", HTTP1_GZIP}, {"x-gzip", HTTP1_GZIP},
		{"deflate", HTTP1_DEFLATE}, {"zstd", HTTP1_ZSTD}};
	const uint8_t *p = v.p, *end = v.p + v.n;
	enum http1_coding coding = HTTP1_IDENTITY;
	while (p < end) {
		const uint8_t *comma = memchr(p, ',', (size_t)(end - p));
		struct value one = trim(p, comma ? comma : end);
		enum http1_coding c = one.n == 0 ? HTTP1_IDENTITY : HTTP1_OTHER_CODING;
		if (one.n == 2 && (one.p[0] | 0x20) == 'b' && (one.p[1] | 0x20) == 'r')
			c = HTTP1_BR;
		for (size_t i = 0; one.n >= 4 && i < sizeof known / sizeof known[0]; i++) {
			if (equal_fold(one, known[i].name))
				c = known[i].coding;
		}
		coding = value_codings(coding, c);
		p = comma ? comma + 1 : end;
	}
	return coding;
}

bool
value_websocket(struct value v)
{
	for (uint32_t i = 0; i + 9 <= v.n; i++) {
		if (is_name(v.p + i, "websocket", 9))
			return true;
	}
	return false;
}

/* Where in Sec-WebSocket-Extensions the next element stands, and of which extension. */
enum ext { EXT_NONE, EXT_OTHER, EXT_DEFLATE };
#define EXT_PARAM 4u /* a parameter comes, not a name */

/* 8..15, quoted or not; 0: something else. */
static uint8_t
window_bits(struct value v)
{
	uint64_t x;
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = trim(v.p + 1, v.p + v.n - 1);
	return number(v, &x) && x >= 8 && x <= 15 ? (uint8_t)x : 0;
}

static void
extension_param(struct http1_extensions *e, struct value v)
{
	const uint8_t *end = v.p + v.n, *equal = memchr(v.p, '=', v.n);
	struct value name = trim(v.p, equal ? equal : end), value = trim(equal ? equal + 1 : end, end);
	if (equal_fold(name, "server_no_context_takeover"))
		e->server_no_takeover = true;
	else if (equal_fold(name, "client_no_context_takeover"))
		e->client_no_takeover = true;
	else if (equal_fold(name, "server_max_window_bits"))
		e->server_bits = window_bits(value);
	else if (equal_fold(name, "client_max_window_bits"))
		e->client_bits = window_bits(value);
}

static enum ext
extension_name(struct http1_extensions *e, struct value v)
{
	if (equal_fold(v, "permessage-deflate") && !e->deflate) {
		e->deflate = true;
		return EXT_DEFLATE;
	}
	if (equal_fold(v, "arbitrum-permessage-deflate"))
		e->arbitrum = true;
	else
		e->other = true;
	return EXT_OTHER;
}

/* The first , or ; outside of quotes, or end. */
static const uint8_t *
element_end(const uint8_t *p, const uint8_t *end)
{
	bool quoted = false;
	for (; p < end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p + 1 < end)
			p++;
		else if (!quoted && (*p == ',' || *p == ';'))
			break;
	}
	return p;
}

void
value_extensions(struct http1_extensions *e, struct value v, uint64_t *place)
{
	const uint8_t *p = v.p, *end = v.p + v.n;
	while (p < end) {
		const uint8_t *to = element_end(p, end);
		struct value one = trim(p, to);
		if (one.n > 0 && !(*place & EXT_PARAM))
			*place = extension_name(e, one);
		else if (one.n > 0 && *place == (EXT_DEFLATE | EXT_PARAM))
			extension_param(e, one);
		if (to < end)
			*place = *to == ',' ? EXT_NONE : *place | EXT_PARAM;
		p = to < end ? to + 1 : end;
	}
}
