/* SPDX-License-Identifier: BSD-3-Clause */
/* Balancer V2's vault. A pool is the first 20 bytes of its id, which are its address. Source:
 * balancer-v2-monorepo IVault.sol. */
#include "eth/swap/form.h"

/* The asset that stands for ether is zero. */
static const uint8_t *
asset(const struct swap_reader *r, struct abi assets, uint32_t n, uint64_t i)
{
	return i < n ? swap_token(r, abi_address(assets, (uint32_t)i)) : NULL;
}

/* swap((poolId, kind, assetIn, assetOut, amount, userData), (sender, internal, recipient, internal), limit,
 * deadline) */
static void
read_swap(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct abi s;
	if (abi_word(a->args, 6) == NULL || !abi_follow(a->args, 0, &s) || abi_word(s, 5) == NULL)
		return;
	struct swap_terms t = {.exact_out = !swap_zero(abi_word(s, 1), 32),
		.amount = abi_word(s, 4),
		.limit = abi_word(a->args, 5),
		.recipient = swap_recipient(a, abi_address(a->args, 3))};
	swap_deadline(&t, abi_word(a->args, 6));
	struct swap_hop h = {.venue = SWAP_BALANCER,
		.pool = abi_word(s, 0),
		.token_in = swap_token(r, abi_address(s, 2)),
		.token_out = swap_token(r, abi_address(s, 3)),
		.direction = -1,
		.hops = 1};
	swap_emit(r, a, &h, &t);
}

struct batch {
	struct abi steps, assets, limits;
	uint32_t n, n_assets, n_limits;
	bool exact_out;
};

/* A step: (poolId, in, out, amount, userData). Amount 0 goes on with what the step before gave (or, exact
 * out, took). */
static bool
step_of(const struct batch *b, uint32_t i, struct abi *s)
{
	return abi_follow(b->steps, i, s) && abi_word(*s, 4) != NULL;
}

static uint32_t
path_end(const struct batch *b, uint32_t i)
{
	struct abi s;
	for (i++; i < b->n && step_of(b, i, &s) && swap_zero(abi_word(s, 3), 32); i++)
		;
	return i;
}

/* Limits are by asset, what comes out negative: told for a path only where it is the only one. */
static const uint8_t *
limit_of(const struct batch *b, uint64_t asset_index, uint8_t room[32])
{
	const uint8_t *w = asset_index < b->n_limits ? abi_word(b->limits, (uint32_t)asset_index) : NULL;
	uint32_t carry = 1;
	if (w == NULL || b->exact_out == (w[0] >> 7))
		return w != NULL && swap_zero(w, 32) ? w : NULL;
	if (b->exact_out)
		return w;
	for (uint32_t i = 32; i-- > 0;) {
		carry += (uint8_t)~w[i];
		room[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return room;
}

/* Steps first to end - 1 are one path; with an exact output they stand from its end to its beginning. */
static bool
emit_path(struct swap_reader *r, const struct swap_asked *a, const struct batch *b, uint32_t first,
	uint32_t end, struct swap_terms *t)
{
	struct abi s;
	uint8_t room[32];
	uint64_t in, out, last = 0;
	bool only = first == 0 && end == b->n;
	if (!step_of(b, first, &s))
		return false;
	t->amount = abi_word(s, 3);
	if (only && step_of(b, end - 1, &s) && abi_uint(s, b->exact_out ? 1 : 2, &last))
		t->limit = limit_of(b, last, room);
	for (uint32_t i = 0; i < end - first; i++) {
		if (!step_of(b, b->exact_out ? end - 1 - i : first + i, &s) || !abi_uint(s, 1, &in) ||
			!abi_uint(s, 2, &out))
			return false;
		struct swap_hop h = {.venue = SWAP_BALANCER,
			.pool = abi_word(s, 0),
			.token_in = asset(r, b->assets, b->n_assets, in),
			.token_out = asset(r, b->assets, b->n_assets, out),
			.direction = -1,
			.hop = i,
			.hops = end - first};
		if (!swap_emit(r, a, &h, t))
			return false;
	}
	return true;
}

/* batchSwap(kind, steps[], assets[], (sender, internal, recipient, internal), limits[], deadline) */
static void
read_batch(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct batch b;
	if (abi_word(a->args, 8) == NULL || !abi_array(a->args, 1, 1, &b.steps, &b.n) ||
		!abi_array(a->args, 2, 1, &b.assets, &b.n_assets) ||
		!abi_array(a->args, 7, 1, &b.limits, &b.n_limits))
		return;
	b.exact_out = !swap_zero(abi_word(a->args, 0), 32);
	for (uint32_t i = 0, end; i < b.n && swap_step(r); i = end) {
		struct swap_terms t = {
			.exact_out = b.exact_out, .recipient = swap_recipient(a, abi_address(a->args, 5))};
		swap_deadline(&t, abi_word(a->args, 8));
		end = path_end(&b, i);
		if (!emit_path(r, a, &b, i, end, &t))
			return;
	}
}

const struct swap_form swap_forms_balancer[] = {
	{0x52bbbe29, 0, read_swap}, {0x945bcec9, 0, read_batch}, FORMS_END};
