/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/http1_line.h"

#include <string.h>

#define ZEROS_MAX 32u
#define BEGINNING_MAX (HTTP1_LINE_MAX - HTTP1_TAIL)

void
http1_hold_reset(struct http1_dir *d)
{
	d->in_line = d->compact = false;
	d->hold_len = 0;
	d->zeros = 0;
}

/* Keeps the last HTTP1_TAIL bytes behind a full beginning. */
static void
hold_tail(struct http1_dir *d, const uint8_t *p, uint32_t n)
{
	uint8_t *tail = d->hold + BEGINNING_MAX;
	uint32_t have = d->hold_len - BEGINNING_MAX;
	if (n >= HTTP1_TAIL) {
		memcpy(tail, p + n - HTTP1_TAIL, HTTP1_TAIL);
		d->hold_len = HTTP1_LINE_MAX;
		return;
	}
	uint32_t keep = have + n > HTTP1_TAIL ? HTTP1_TAIL - n : have;
	memmove(tail, tail + have - keep, keep);
	memcpy(tail + keep, p, n);
	d->hold_len = (uint16_t)(BEGINNING_MAX + keep + n);
}

static void
hold_compact(struct http1_dir *d, const uint8_t *p, uint32_t n)
{
	for (; n > 0 && d->hold_len < BEGINNING_MAX; p++, n--) {
		bool blank = *p == ' ' || *p == '\t';
		uint8_t before = d->hold_len > 0 ? d->hold[d->hold_len - 1] : 0;
		if (blank && (before == ' ' || before == '\t'))
			continue;
		d->zeros = *p == '0' ? d->zeros + 1 : 0;
		if (d->zeros > ZEROS_MAX)
			d->zeros = ZEROS_MAX;
		else
			d->hold[d->hold_len++] = *p;
	}
	if (n > 0)
		hold_tail(d, p, n);
}

void
http1_hold(struct http1_dir *d, const uint8_t *p, uint32_t n)
{
	d->in_line = true;
	if (!d->compact && d->hold_len + n <= HTTP1_LINE_MAX) {
		memcpy(d->hold + d->hold_len, p, n);
		d->hold_len = (uint16_t)(d->hold_len + n);
		return;
	}
	if (!d->compact) {
		uint8_t raw[HTTP1_LINE_MAX];
		uint16_t len = d->hold_len;
		memcpy(raw, d->hold, len);
		d->compact = true;
		d->hold_len = 0;
		hold_compact(d, raw, len);
	}
	hold_compact(d, p, n);
}
