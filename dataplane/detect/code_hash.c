/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_private.h"

#include "eth/keccak.h"

void
code_hash(struct span code, uint8_t out[32])
{
	keccak256(&code, 1, out);
}
