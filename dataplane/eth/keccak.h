/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETH_KECCAK_H
#define ETH_KECCAK_H

#include "abi/span.h"

#include <stddef.h>
#include <stdint.h>

/* keccak256 over the concatenation of n parts (Ethereum's padding 0x01, not SHA-3's). */
void keccak256(const struct span *parts, unsigned n, uint8_t out[32]);

#endif
