/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/wide.h"

#include <string.h>

#define TELLING 4u /* bytes that tell every form */

static void
form(struct wide *w, unsigned width, bool little, unsigned mark)
{
	w->width = (uint8_t)width;
	w->little = little;
	w->n = (uint8_t)(w->n - mark);
	memmove(w->held, w->held + mark, w->n);
}

/* What the bytes held tell, of which there are less than TELLING only if there are no more. */
static void
tell(struct wide *w)
{
	const uint8_t *p = w->held;
	bool four = w->n == TELLING, two = w->n >= 2;
	if (four && memcmp(p, "\0\0\xfe\xff", 4) == 0)
		form(w, 4, false, 4);
	else if (four && memcmp(p, "\xff\xfe\0\0", 4) == 0)
		form(w, 4, true, 4);
	else if (two && p[0] == 0xfe && p[1] == 0xff)
		form(w, 2, false, 2);
	else if (two && p[0] == 0xff && p[1] == 0xfe)
		form(w, 2, true, 2);
	else if (w->n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		form(w, 1, false, 3);
	else if (four && (p[0] | p[1] | p[2]) == 0)
		form(w, 4, false, 0);
	else if (four && (p[1] | p[2] | p[3]) == 0)
		form(w, 4, true, 0);
	else if (two && p[0] == 0)
		form(w, 2, false, 0);
	else if (two && p[1] == 0)
		form(w, 2, true, 0);
	else
		form(w, 1, false, 0);
}

static void
hold(struct wide *w, struct span *in)
{
	w->held[w->n++] = *in->p++;
	in->len--;
}

/* The unit that is held. */
static uint8_t
unit(struct wide *w)
{
	uint32_t c = 0;
	for (unsigned i = 0; i < w->width; i++)
		c |= (uint32_t)w->held[i] << 8 * (w->little ? i : w->width - 1u - i);
	w->n = (uint8_t)(w->n - w->width);
	memmove(w->held, w->held + w->width, w->n);
	return w->width == 1 || c < 0x80 ? (uint8_t)c : 0xff;
}

uint32_t
wide_read(struct wide *w, struct span *in, bool last, uint8_t *out, uint32_t cap)
{
	uint32_t n = 0;
	while (w->width == 0 && w->n < TELLING && in->len > 0)
		hold(w, in);
	if (w->width == 0 && (w->n == TELLING || last))
		tell(w);
	while (w->width > 0 && n < cap) {
		if (w->n >= w->width)
			out[n++] = unit(w);
		else if (in->len > 0)
			hold(w, in);
		else
			break;
	}
	return n;
}
