/* SPDX-License-Identifier: BSD-3-Clause */
/* http1_line: what single lines of an HTTP/1 head say. Functions over a line without its line end;
 * `limit` is where readable memory ends (>= p + n), so that wide loads may pass the line's end. Private to
 * http1. */
#ifndef WIRE_HTTP1_LINE_H
#define WIRE_HTTP1_LINE_H

#include "wire/http1.h"

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum http1_kind { HTTP1_KIND_OTHER, HTTP1_KIND_HEAD, HTTP1_KIND_CONNECT, HTTP1_KIND_UPGRADE };
enum http1_te { HTTP1_TE_NONE, HTTP1_TE_CHUNKED, HTTP1_TE_OTHER };

/* http1_find_lf: the first LF in [p, end), or NULL. */
static inline const uint8_t *
http1_find_lf(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		uint32_t m = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
		if (m != 0)
			return p + __builtin_ctz(m);
	}
#endif
	for (; p < end; p++) {
		if (*p == '\n')
			return p;
	}
	return NULL;
}

/* http1_start_line reads a request line or a status line into d's head. False: neither, or not of the
 * direction's role. */
bool http1_start_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit);

/* http1_header_line reads one line of a head (n >= 1). False: no receiver accepts it. */
bool http1_header_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit);

/* http1_header_lines reads as many whole lines of a head as it can at [p, end), and returns the first that it
 * leaves to http1_header_line. */
const uint8_t *http1_header_lines(struct http1_dir *d, const uint8_t *p, const uint8_t *end);

/* http1_trailer_line: as http1_header_line, for a trailer, of which nothing is kept. */
bool http1_trailer_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit);

/* http1_is_header: [p, p + n) begins with a header's name and colon. */
bool http1_is_header(const uint8_t *p, uint32_t n, const uint8_t *limit);

/* http1_header_end settles the last header: a line can be continued until the next one begins. */
void http1_header_end(struct http1_dir *d);

/* http1_hold keeps a piece of a line that spans feeds, or is too long to be looked at in place, in d->hold,
 * shortened as HTTP1_LINE_MAX says; http1_hold_reset forgets it. */
void http1_hold(struct http1_dir *d, const uint8_t *p, uint32_t n);
void http1_hold_reset(struct http1_dir *d);

/* http1_is_start: the line (its CR included) is a start line beyond doubt: a method of RFC 9110, a target,
 * HTTP/1.0 or 1.1, CR; or HTTP/1.0 or 1.1, a status, CR. role: what it must be, or HTTP1_UNKNOWN. */
bool http1_is_start(const uint8_t *p, uint32_t n, uint8_t role);

/* http1_maybe_start: more bytes can make a line of which http1_is_start is true out of this beginning. */
bool http1_maybe_start(const uint8_t *p, uint32_t n, uint8_t role);

/* http1_find_start: where a start line begins in a line (its CR included): at its beginning, or right behind
 * the JSON text that was the body of the message before. NULL: nowhere. */
const uint8_t *http1_find_start(const uint8_t *p, uint32_t n, uint8_t role);

/* http1_find_beginning: where, in the same way, something begins of which more bytes can make a start line.
 */
const uint8_t *http1_find_beginning(const uint8_t *p, uint32_t n, uint8_t role);

#endif
