/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/base64.h"

#define RUN2(v) v, v + 1
#define RUN10(v) RUN2(v), RUN2(v + 2), RUN2(v + 4), RUN2(v + 6), RUN2(v + 8)
#define RUN26(v) RUN10(v), RUN10(v + 10), RUN2(v + 20), RUN2(v + 22), RUN2(v + 24)
#define NONE5 255, 255, 255, 255, 255
#define NONE16 NONE5, NONE5, NONE5, 255

/* clang-format off */
const uint8_t base64_value[256] = {
	NONE16, NONE16,
	NONE5, NONE5, 255, 62, 255, 255, 255, 63, /* 0x20: + / */
	RUN10(52), NONE5, 255, /* 0x30: digits */
	255, RUN26(0), NONE5, /* 0x40: capitals */
	255, RUN26(26), NONE5, /* 0x60 */
	NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16,
};
/* clang-format on */

size_t
base64_groups(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t i = 0;
	for (; n - i >= 4; i += 4, out += 3) {
		uint32_t a = base64_value[in[i]], b = base64_value[in[i + 1]], c = base64_value[in[i + 2]],
			 d = base64_value[in[i + 3]];
		if ((a | b | c | d) > 63)
			break;
		uint32_t v = a << 18 | b << 12 | c << 6 | d;
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
	}
	return i;
}

static int
padding(struct base64 *b, uint8_t out[3])
{
	if (b->n < 2 || b->ended)
		return -1;
	if (b->n == 2 && !b->pad) {
		b->pad = true;
		return 0;
	}
	uint32_t v = b->bits << 6 * (4 - b->n);
	int bytes = b->n - 1;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	*b = (struct base64){.ended = true};
	return bytes;
}

int
base64_char(struct base64 *b, unsigned c, uint8_t out[3])
{
	if (c == '\n' || c == '\r')
		return 0;
	if (c == '=')
		return padding(b, out);
	unsigned v = c < 0x80 ? base64_value[c] : 0xff;
	if (v > 63 || b->pad || b->ended)
		return -1;
	b->bits = b->bits << 6 | v;
	if (++b->n < 4)
		return 0;
	out[0] = (uint8_t)(b->bits >> 16);
	out[1] = (uint8_t)(b->bits >> 8);
	out[2] = (uint8_t)b->bits;
	*b = (struct base64){0};
	return 3;
}
