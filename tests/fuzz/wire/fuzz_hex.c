/* SPDX-License-Identifier: BSD-3-Clause */
/* All hex decoders and text skippers of this CPU agree on the input, in buffers of exact size. */
#include "wire/hex.h"
#include "wire/jsontext.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned n;
	const struct hex_impl *hex = hex_impls(&n);
	uint8_t *want = malloc(size / 2 + 1), *out = malloc(size / 2 + (size < 2));
	size_t digits = hex[0].decode(data, size, want);
	require(digits % 2 == 0 && digits <= size);
	require(size - digits < 2 || hex_value[data[digits]] > 15 || hex_value[data[digits + 1]] > 15);
	for (unsigned i = 1; i < n; i++) {
		require(hex[i].decode(data, size, out) == digits);
		require(memcmp(out, want, digits / 2) == 0);
	}
	char *text = malloc(digits + 1);
	hex_encode(want, digits / 2, text);
	for (size_t i = 0; i < digits; i++)
		require((text[i] | 0x20) == (data[i] | 0x20));
	free(text);
	free(want);
	free(out);
	const struct json_text_impl *skips = json_text_impls(&n);
	for (unsigned i = 1; i < n; i++)
		require(skips[i].skip(data, data + size) == skips[0].skip(data, data + size));
	return 0;
}
