/* SPDX-License-Identifier: BSD-3-Clause */
/* range: stretches of a stream, and which of its bytes two versions disagree on. */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include "net/stream.h"

#include <string.h>

static inline void
stream_range_add(struct stream_range *r, uint64_t from, uint64_t to)
{
	if (r->to == 0 || from < r->from)
		r->from = from;
	if (to > r->to)
		r->to = to;
}

/* stream_range_differs: whether n bytes at stream offset off disagree; if so r is made to cover from the first to the last that do. */
static inline bool
stream_range_differs(struct stream_range *r, uint64_t off, const uint8_t *a, const uint8_t *b, uint64_t n)
{
	uint64_t first = 0;
	if (n == 0 || memcmp(a, b, n) == 0)
		return false;
	while (a[first] == b[first])
		first++;
	while (a[n - 1] == b[n - 1])
		n--;
	stream_range_add(r, off + first, off + n);
	return true;
}

#endif
