/* SPDX-License-Identifier: BSD-3-Clause */
/* round64: up to whole cache lines, for tables laid out one behind the other in memory that the caller gives. */
#ifndef DETECT_ROUND64_H
#define DETECT_ROUND64_H

#include <stddef.h>

static inline size_t
round64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

#endif
