/* SPDX-License-Identifier: BSD-3-Clause */
/* put: members of the JSON objects of `tx decode`. Each writes a comma, its key and its value; null if it is
 * not `present`. */
#ifndef TOOLS_TXDECODE_PUT_H
#define TOOLS_TXDECODE_PUT_H

#include "abi/span.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* put_hex_value: "0x..." alone, without comma and key. */
void put_hex_value(FILE *out, struct span s);
void put_hex(FILE *out, const char *key, struct span s, bool present);
void put_u64(FILE *out, const char *key, uint64_t v, bool present);
/* put_int: a big-endian integer in decimal; null too if it is longer than 32 bytes. */
void put_int(FILE *out, const char *key, struct span be, bool present);

/* put_swaps: "swaps": what the transaction asks routers for (eth/swap.h), an array of objects: router, venue,
 * pool, direction, token_in, token_out, amount_in, amount_out, limit, recipient, deadline, exact ("in" or
 * "out"), hop, hops, call. Then "swaps_over": there were more. */
void put_swaps(FILE *out, const struct tx *t);

#endif
