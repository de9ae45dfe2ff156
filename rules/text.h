/* SPDX-License-Identifier: BSD-3-Clause */
/* text: what may stand in a line for a human, and the checksum of addresses. */
#ifndef RULES_TEXT_H
#define RULES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text_tame replaces by `?`, in place, every byte that is not UTF-8 and every control or text direction
 * character: a line break, an escape sequence, a right-to-left override. Returns true if there was none. */
bool text_tame(char *s);
/* text_is_tame: would text_tame leave it alone? */
bool text_is_tame(const char *s);

/* address_checksum_ok: 40 hex digits; false if they are in mixed case, and not in the case of EIP-55. */
bool address_checksum_ok(const char digits[40]);

#endif
