/* SPDX-License-Identifier: BSD-3-Clause */
/* eth_help: hex text and signed transactions for the tests of eth. Buffers are static: what a function gives
 * lives until its next call with the same purpose. */
#ifndef ETH_HELP_H
#define ETH_HELP_H

#include "abi/span.h"
#include "eth/tx.h"
#include "eth/tx_build.h"

/* Bytes of hex text, on the heap at their exact size, so that a sanitizer sees a read too far. The caller
 * frees .p. */
struct span help_bytes(const char *hex);
/* "c0ffee" of bytes, static. */
const char *help_hex(const uint8_t *p, size_t n);

/* help_fields: a plausible transaction of a type, unsigned. Its spans are static. */
struct tx_fields help_fields(uint8_t type);
/* help_build: f as it is, on the heap at its exact size. */
struct span help_build(const struct tx_fields *f);
/* help_sign: f signed by a fixed key: v, r, s are replaced. Legacy: EIP-155 for `chain` unless that is 0.
 * Heap. */
struct span help_sign(struct tx_fields *f, uint64_t chain);
/* Address of that key. */
const uint8_t *help_address(void);

#endif
