/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/rss.h"

#include <string.h>

#define SAMPLES 64u

void
rss_key(uint8_t *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		key[i] = i % 2 ? 0x5a : 0x6d;
}

uint32_t
rss_toeplitz(const uint8_t *key, size_t key_len, const uint8_t *input, size_t n)
{
	uint32_t hash = 0, window = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
	for (size_t i = 0; i < n; i++) {
		uint8_t next = i + 4 < key_len ? key[i + 4] : 0;
		for (unsigned bit = 0; bit < 8; bit++) {
			hash ^= input[i] >> (7 - bit) & 1 ? window : 0;
			window = window << 1 | (next >> (7 - bit) & 1u);
		}
	}
	return hash;
}

/* addresses of `a` bytes and ports, there and back */
static void
tuple(uint8_t *there, uint8_t *back, size_t a, uint32_t *state)
{
	for (size_t i = 0; i < 2 * a + 4; i++) {
		*state = *state * 1664525u + 1013904223u;
		there[i] = (uint8_t)(*state >> 24);
	}
	memcpy(back, there + a, a);
	memcpy(back + a, there, a);
	memcpy(back + 2 * a, there + 2 * a + 2, 2);
	memcpy(back + 2 * a + 2, there + 2 * a, 2);
}

bool
rss_symmetric(const uint8_t *key, size_t len)
{
	uint8_t there[36], back[36];
	uint32_t state = 1, before = 0;
	unsigned different = 0;
	if (len < RSS_KEY_BYTES_MIN)
		return false;
	for (unsigned i = 0; i < SAMPLES; i++) {
		size_t a = i % 2 ? 16 : 4;
		tuple(there, back, a, &state);
		uint32_t hash = rss_toeplitz(key, len, there, 2 * a + 4);
		if (hash != rss_toeplitz(key, len, back, 2 * a + 4))
			return false;
		different += hash != before;
		before = hash;
	}
	return different > SAMPLES / 2;
}
