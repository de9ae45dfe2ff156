/* SPDX-License-Identifier: BSD-3-Clause */
#include "txdecode/put.h"

#include "eth/calls.h"
#include "eth/swap.h"

static void
put_name(FILE *out, const char *key, const char *name)
{
	if (name != NULL)
		fprintf(out, ",\"%s\":\"%s\"", key, name);
	else
		fprintf(out, ",\"%s\":null", key);
}

static void
put_swap(FILE *out, const struct swap *s)
{
	fprintf(out, "{\"router\":\"%s\"", swap_router_name(s->router));
	put_name(out, "venue", swap_venue_name(s->venue));
	put_hex(out, "pool", (struct span){s->pool, 20}, s->has & SWAP_HAS_POOL);
	put_name(out, "direction", !(s->has & SWAP_HAS_DIRECTION) ? NULL : s->zero_for_one ? "0-1" : "1-0");
	put_hex(out, "token_in", (struct span){s->token_in, 20}, s->has & SWAP_HAS_TOKEN_IN);
	put_hex(out, "token_out", (struct span){s->token_out, 20}, s->has & SWAP_HAS_TOKEN_OUT);
	put_int(out, "amount_in", (struct span){s->amount_in, 32}, s->has & SWAP_HAS_AMOUNT_IN);
	put_int(out, "amount_out", (struct span){s->amount_out, 32}, s->has & SWAP_HAS_AMOUNT_OUT);
	put_int(out, "limit", (struct span){s->limit, 32}, s->has & SWAP_HAS_LIMIT);
	put_hex(out, "recipient", (struct span){s->recipient, 20}, s->has & SWAP_HAS_RECIPIENT);
	put_u64(out, "deadline", s->deadline, s->has & SWAP_HAS_DEADLINE);
	put_name(out, "exact", s->exact_out ? "out" : "in");
	put_u64(out, "hop", s->hop, true);
	put_u64(out, "hops", s->hops, true);
	put_u64(out, "call", s->call, true);
	putc_unlocked('}', out);
}

void
put_swaps(FILE *out, const struct tx *t)
{
	struct calls calls;
	struct swap swaps[SWAPS_MAX];
	bool over;
	calls_of(t, &calls);
	uint32_t n = swaps_of(t, &calls, swaps, &over);
	fputs(",\"swaps\":[", out);
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			putc_unlocked(',', out);
		put_swap(out, &swaps[i]);
	}
	fprintf(out, "],\"swaps_over\":%s", over || calls.over ? "true" : "false");
}
