/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads lines "1 BROADCAST", as ws_dump prints them, scans each in pieces, and prints a line for each thing
 * found, in order: tx HASH | unsigned | refused (behind what was found in the element) | header KIND |
 * element. usage: arbfeed_dump PIECE. Exit 1 if anything is no broadcast. */
#include "eth/l2msg.h"
#include "eth/tx.h"
#include "wire/arbfeed.h"
#include "wire/hex.h"
#include "wire/jsonrpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t scratch[1 << 16], slab[JSONRPC_RAW_MAX];

static uint8_t *
slab_get(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder)
{
	*cap = sizeof slab;
	return slab;
}

static void
slab_put(void *ctx, uint8_t *p)
{
}

static void
item(void *ctx, const struct l2msg_item *it)
{
	struct tx t;
	uint8_t hash[32];
	char text[65] = "";
	if (it->kind == L2MSG_UNSIGNED)
		printf("unsigned\n");
	if (it->kind != L2MSG_TX)
		return;
	if (tx_decode(it->raw, &t) != 0)
		exit(1);
	tx_hash(&t, hash);
	hex_encode(hash, 32, text);
	printf("tx 0x%s\n", text);
}

static void
element(void *ctx, const struct arbfeed_event *e)
{
	uint64_t over = 0;
	if (e->state != ARBFEED_OK || !e->has_kind || !e->has_sequence)
		exit(1);
	printf("element\n");
	if (e->kind != L2MSG_HEADER_L2)
		printf("header %u\n", e->kind);
	else if (l2msg_read(e->kind, e->l2msg, item, NULL, &over) != L2MSG_TAKEN)
		printf("refused\n");
}

int
main(int argc, char **argv)
{
	struct jsonrpc_arena a = {.scratch = scratch,
		.scratch_cap = sizeof scratch,
		.slab_get = slab_get,
		.slab_put = slab_put};
	size_t piece = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, cap = 0;
	char *line = NULL;
	ssize_t n;
	hex_init();
	while (piece > 0 && (n = getline(&line, &cap, stdin)) > 2) {
		struct arbfeed f;
		uint32_t messages = 0;
		size_t len = (size_t)n - 2;
		enum jsonrpc_status s = JSONRPC_MORE;
		arbfeed_init(&f);
		for (size_t i = 0; i < len; i += piece) {
			size_t m = len - i < piece ? len - i : piece;
			s = arbfeed_feed(&f, &a, (struct span){(uint8_t *)line + 2 + i, (uint32_t)m},
				i + m == len, element, NULL, &messages);
		}
		if (s != JSONRPC_DONE || line[0] != '1')
			return 1;
	}
	free(line);
	return piece == 0;
}
