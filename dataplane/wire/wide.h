/* SPDX-License-Identifier: BSD-3-Clause */
/* wide: JSON text that is not UTF-8. Parsers that are handed bytes, and not text, tell its form by the first of them, with a byte order mark
 * or without (Jackson's ByteSourceJsonBootstrapper, which Besu reads requests with): UTF-16 and UTF-32 in either order, and UTF-8 behind a
 * mark. What comes out is for the scanners: ASCII as it is, everything else as bytes 0xff. */
#ifndef WIRE_WIDE_H
#define WIRE_WIDE_H

#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

struct wide {
	uint8_t width, n; /* bytes of a unit; 0: not known yet, 1: the text is to be taken as it is. n: held */
	bool little;
	uint8_t held[4]; /* of a unit, or of what tells the form */
};

/* wide_begin: of the text that comes nothing is known yet. */
static inline void
wide_begin(struct wide *w)
{
	w->width = w->n = 0;
}

/* wide_plain: the text, of which this is the next piece, is taken as it is; known of nearly every one from its first bytes. */
static inline bool
wide_plain(struct wide *w, struct span piece)
{
	if (w->width == 0 && w->n == 0 && piece.len >= 2 && (uint8_t)(piece.p[0] - 1) < 0x7f && (uint8_t)(piece.p[1] - 1) < 0x7f)
		w->width = 1;
	return w->width == 1 && w->n == 0;
}

/* wide_read takes bytes off *in and writes what they are to out, cap >= 8, as many as it can. last: the text ends with *in. Returns how many;
 * there is more as long as in->len > 0. */
uint32_t wide_read(struct wide *w, struct span *in, bool last, uint8_t *out, uint32_t cap);

#endif
