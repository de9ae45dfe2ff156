/* SPDX-License-Identifier: BSD-3-Clause */
/* One RLP item in hex a line to JSON: a string as its hex in quotes, a list in brackets; "invalid" if it is
 * not one canonical item. Written again with the writing half, an item must give the bytes it came from: exit
 * 1 if not. */
#include "eth/rlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 1100

static char line[1 << 20];
static uint8_t bytes[1 << 19], again[1 << 19];

/* Whether all of `in` are canonical items, down to the leaves. */
static bool
canonical(struct span in, unsigned depth)
{
	struct rlp_item it;
	while (in.len > 0)
		if (!rlp_next(&in, &it) ||
			(it.list && (depth == DEPTH_MAX || !canonical(it.payload, depth + 1))))
			return false;
	return true;
}

static void
dump(const struct rlp_item *it, struct rlp_out *out)
{
	if (!it->list) {
		putchar('"');
		for (uint32_t i = 0; i < it->payload.len; i++)
			printf("%02x", it->payload.p[i]);
		putchar('"');
		rlp_put_string(out, it->payload);
		return;
	}
	struct span in = it->payload;
	struct rlp_item element;
	size_t begin = rlp_list_begin(out);
	putchar('[');
	for (bool first = true; rlp_next(&in, &element); first = false) {
		if (!first)
			putchar(',');
		dump(&element, out);
	}
	putchar(']');
	rlp_list_end(out, begin);
}

int
main(void)
{
	while (fgets(line, sizeof line, stdin) != NULL) {
		size_t n = strcspn(line, "\n") / 2;
		for (size_t i = 0; i < n; i++) {
			char digits[3] = {line[2 * i], line[2 * i + 1], 0};
			bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
		}
		uint8_t *exact = malloc(n ? n : 1); /* for the sanitizer to see a read too far */
		if (exact == NULL)
			return 1;
		memcpy(exact, bytes, n);
		struct span in = {exact, (uint32_t)n};
		struct rlp_out out = {again, 0, sizeof again, false};
		struct rlp_item it;
		if (!canonical(in, 0) || !rlp_next(&in, &it) || in.len != 0) {
			puts("\"invalid\"");
		} else {
			dump(&it, &out);
			putchar('\n');
			if (out.full || out.n != n || memcmp(again, exact, n) != 0)
				return 1;
		}
		free(exact);
	}
	return 0;
}
