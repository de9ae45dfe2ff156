/* SPDX-License-Identifier: BSD-3-Clause */
/* A fingerprint reads its input only (the sanitizer sees to that), is never 0, depends on no address, and
 * differs from that of the same bytes with one flipped. */
#include "abi/counters.h"
#include "detect/detect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen *s;
	static uint64_t counters[CTR_COUNT];
	static const uint8_t key[32] = {7};
	if (s == NULL) {
		void *mem = malloc(seen_bytes(64));
		if (mem == NULL)
			abort();
		s = seen_init(mem, 64, key, 1000000000, counters);
	}
	if (size > 1 << 20)
		return 0;
	uint64_t fp = seen_fingerprint(s, (struct span){data, (uint32_t)size});
	uint8_t *copy = malloc(size + 1);
	if (copy == NULL || fp == 0)
		abort();
	memcpy(copy + 1, data, size);
	if (seen_fingerprint(s, (struct span){copy + 1, (uint32_t)size}) != fp)
		abort();
	if (size > 0) {
		copy[1 + size / 2]++;
		if (seen_fingerprint(s, (struct span){copy + 1, (uint32_t)size}) == fp)
			abort();
	}
	seen_check_add(s, fp, size);
	if (!seen_check_add(s, fp, size))
		abort();
	free(copy);
	return 0;
}
