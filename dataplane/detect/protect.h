/* SPDX-License-Identifier: BSD-3-Clause */
/* protect: the contracts that operators guard, and which of them a transaction touches, and how (abi/alert.h:
 * ALERT_TOUCHES): as recipient, as recipient of a call inside (eth/calls.h), by its 20 bytes at any alignment
 * in calldata, in the init code of a creation, its own or inside (there also pushed without its leading
 * zeros, as compilers do), or in its access list (told as TOUCH(CALLDATA)). What is computed (indexed, XORed,
 * read from storage) is not seen. About a nanosecond a byte of calldata: meant for transactions of which
 * something else was found, creations and calls of armed contracts. Immutable after protect_init, so that
 * workers may share one. */
#ifndef DETECT_PROTECT_H
#define DETECT_PROTECT_H

#include "abi/alert.h"
#include "eth/calls.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTECT_MAX 1024u
#define PROTECT_TOUCHED_MAX ALERT_PROTOCOLS_MAX

struct protect;

struct touched {
	uint8_t address[20];
	uint8_t how; /* mask of TOUCH() */
};

/* protect_bytes: of the memory for any number of addresses. */
size_t protect_bytes(void);

/* protect_init makes the set in mem (protect_bytes, aligned to 8), which the caller owns and which outlives
 * it. Of more than PROTECT_MAX addresses the first count; equal ones count once and the zero address, which
 * is in every calldata, not at all: protect_count tells. */
struct protect *protect_init(void *mem, const uint8_t (*addresses)[20], uint32_t n);
uint32_t protect_count(const struct protect *p);

/* protect_has: is it one of them? */
bool protect_has(const struct protect *p, const uint8_t address[20]);

/* protect_touch: which ones t touches: recipients first, then in the order of the bytes. c: of calls_of(t).
 * Returns how many (0..PROTECT_TOUCHED_MAX); *over: there are more. */
uint32_t protect_touch(const struct protect *p, const struct tx *t, const struct calls *c,
	struct touched out[PROTECT_TOUCHED_MAX], bool *over);

/* protect_touch_code: the same of code alone, as TOUCH(CODE), for example of what an armed contract was
 * deployed with. */
uint32_t protect_touch_code(
	const struct protect *p, struct span code, struct touched out[PROTECT_TOUCHED_MAX], bool *over);

#endif
