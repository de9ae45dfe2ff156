/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON text that a test makes up in `body`, with what a reader must not mind at random: white space, escapes. */
#ifndef TEST_JSON_TEXT_H
#define TEST_JSON_TEXT_H

#include "tests/unit/wire/rnd.h"

#include <stdio.h>
#include <string.h>

static char body[1 << 18];
static size_t len;

static inline void
put_text(const char *s)
{
	size_t n = strlen(s);
	assert_true(len + n < sizeof body);
	memcpy(body + len, s, n);
	len += n;
}

static inline void
space(void)
{
	while (rnd(8) == 0)
		body[len++] = " \t\r\n"[rnd(4)];
}

/* The string, one of `escapes` characters escaped (0: none), and quotes. */
static inline void
put_string(const char *s, unsigned escapes)
{
	put_text("\"");
	for (; *s; s++) {
		if (escapes && rnd(escapes) == 0) {
			char u[8];
			sprintf(u, rnd(2) ? "\\u%04x" : "\\u%04X", (unsigned char)*s);
			put_text(u);
		} else {
			body[len++] = *s;
		}
	}
	put_text("\"");
}

#endif
