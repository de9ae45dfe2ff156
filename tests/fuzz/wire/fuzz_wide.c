/* SPDX-License-Identifier: BSD-3-Clause */
/* Text in any form, cut anywhere, and with any room for what comes out: always the same. Plain text comes out as it is. */
#include "wire/wide.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int ok)
{
	if (!ok)
		abort();
}

/* Reads the text in pieces of `piece` bytes, `room` at a time; returns how many came out. */
static size_t
read_all(const uint8_t *p, size_t n, size_t piece, uint32_t room, uint8_t *out)
{
	struct wide w = {0};
	size_t all = 0;
	for (size_t at = 0; at < n || at == 0; at += piece) {
		size_t k = n - at < piece ? n - at : piece;
		uint8_t *copy = malloc(k + 1);
		memcpy(copy, p + at, k);
		struct span in = {copy, (uint32_t)k};
		bool last = at + k == n;
		do {
			uint8_t *to = malloc(room);
			uint32_t got = wide_read(&w, &in, last, to, room);
			require(got <= room && (got > 0 || in.len == 0) && all + got <= n);
			memcpy(out + all, to, got);
			all += got;
			free(to);
			require(in.len > 0 || w.width == 0 || w.n < w.width);
		} while (in.len > 0);
		free(copy);
		if (n == 0)
			break;
	}
	return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t piece = 1 + data[0] % 16, n = size - 2;
	uint32_t room = 8 + data[1] % 16;
	uint8_t *whole = malloc(n + 1), *cut = malloc(n + 1);
	size_t a = read_all(data + 2, n, n + 1, (uint32_t)n + 8, whole), b = read_all(data + 2, n, piece, room, cut);
	require(a == b && memcmp(whole, cut, a) == 0);
	struct wide w = {0};
	if (wide_plain(&w, (struct span){data + 2, (uint32_t)n}))
		require(a == n && memcmp(whole, data + 2, n) == 0);
	free(whole);
	free(cut);
	return 0;
}
