/* SPDX-License-Identifier: BSD-3-Clause */
/* jsontext: passing over the plain text of a JSON string. */
#ifndef WIRE_JSONTEXT_H
#define WIRE_JSONTEXT_H

#include <stdint.h>

/* json_text_fn returns the first byte of [p, end) that is a quote, a backslash or a control character (below
 * 0x20), or end. Nothing outside [p, end) is read. */
typedef const uint8_t *json_text_fn(const uint8_t *p, const uint8_t *end);

/* json_text_skip is the fastest json_text_fn for this CPU once json_text_init (called by hex_init) has run.
 */
extern json_text_fn *json_text_skip;
void json_text_init(void);

/* json_text_impls: every implementation this CPU can run, the slowest first; *n of them. For tests. */
struct json_text_impl {
	const char *name;
	json_text_fn *skip;
};
const struct json_text_impl *json_text_impls(unsigned *n);

#endif
