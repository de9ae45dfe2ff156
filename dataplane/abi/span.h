/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ABI_SPAN_H
#define ABI_SPAN_H

#include <stdint.h>

/* span: a borrowed run of bytes. `p` may be NULL only when `len` is 0. Whoever hands a span out says how
 * long it lives; a span never owns. */
struct span {
	const uint8_t *p;
	uint32_t len;
};

#endif
