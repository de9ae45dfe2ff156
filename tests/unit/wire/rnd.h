/* SPDX-License-Identifier: BSD-3-Clause */
/* rnd: numbers that are the same in every run: 0..n-1. xorshift64: seed is not 0. */
#ifndef TEST_WIRE_RND_H
#define TEST_WIRE_RND_H

#include <stdint.h>

static uint64_t seed = 0x9e3779b97f4a7c15;

static inline uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

#endif
