/* SPDX-License-Identifier: BSD-3-Clause */
/* base64 as plainly as it can be written, by the text of RFC 4648 and of Go's encoding/base64. */
#ifndef TEST_BASE64_PLAIN_H
#define TEST_BASE64_PLAIN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Decodes text, line ends left out first. Returns the number of bytes, or -1. out: 3 * n / 4 bytes. */
static inline long
base64_plain(const char *text, size_t n, uint8_t *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *t = malloc(n + 1);
	size_t m = 0;
	long len = 0;
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r' && text[i] != '\n')
			t[m++] = text[i];
	for (size_t i = 0; i < m && len >= 0; i += 4) {
		unsigned v = 0, pads = 0;
		if (m - i < 4) {
			len = -1;
			break;
		}
		for (size_t k = 0; k < 4; k++) {
			char c = t[i + k];
			const char *d = c ? strchr(digits, c) : NULL;
			if (c == '=' && k >= 2 && i + 4 == m)
				pads++;
			else if (d == NULL || pads > 0)
				len = -1;
			v = v << 6 | (d && c != '=' ? (unsigned)(d - digits) : 0);
		}
		for (unsigned k = 0; k < 3 - pads && len >= 0; k++)
			out[len++] = (uint8_t)(v >> (16 - 8 * k));
	}
	free(t);
	return len;
}

/* Encodes n bytes; returns the length of the text, NUL left out. out: 4 * (n + 2) / 3 + 1. */
static inline size_t
base64_encode(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16;
		v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		out[at++] = digits[v >> 18];
		out[at++] = digits[v >> 12 & 63];
		out[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[at++] = i + 2 < n ? digits[v & 63] : '=';
	}
	out[at] = 0;
	return at;
}

#endif
