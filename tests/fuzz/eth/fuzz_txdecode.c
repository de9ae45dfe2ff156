/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of `tx decode`: one line of JSON comes out, without a control character and with its braces,
 * brackets and quotes in pairs. */
#include "txdecode/txdecode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void
check_json(const char *p, size_t n)
{
	int depth = 0;
	bool in_string = false;
	if (n < 3 || p[0] != '{' || p[n - 1] != '\n' || p[n - 2] != '}')
		abort();
	for (size_t i = 0; i < n - 1; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\')
			abort();
		in_string ^= p[i] == '"';
		if (!in_string)
			depth += (p[i] == '{' || p[i] == '[') - (p[i] == '}' || p[i] == ']');
		if (depth <= 0 && i < n - 2)
			abort();
	}
	if (in_string || depth != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *raw;
	char *text = NULL;
	size_t n = 0;
	if (raw == NULL)
		raw = malloc(TXDECODE_LINE_MAX / 2);
	FILE *out = open_memstream(&text, &n);
	if (raw == NULL || out == NULL)
		abort();
	int rc = txdecode_line((const char *)data, size, size & 1, raw, out);
	if (fclose(out) != 0)
		abort();
	check_json(text, n);
	bool ok = strncmp(text, "{\"ok\":true,\"hash\":\"0x", 21) == 0;
	if (ok != (rc == 0) || (!ok && strncmp(text, "{\"ok\":false,\"valid\":false,\"error\":\"", 34) != 0))
		abort();
	free(text);
	return 0;
}
