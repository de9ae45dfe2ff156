/* SPDX-License-Identifier: BSD-3-Clause */
/* MetaMask Swap router and KyberSwap's aggregator. Source: real transactions (the adapters' arguments follow
 * the recipient, which the router puts before them, so that offsets count from a word before the data); Kyber
 * MetaAggregationRouterV2. */
#include "eth/swap/form.h"

/* Which aggregator the adapter calls with what it is given. */
static const struct adapter {
	const char *prefix;
	uint8_t to[20];
} adapters[] = {
	{"0xFee", {0xde, 0xf1, 0xc0, 0xde, 0xd9, 0xbe, 0xc7, 0xf1, 0xa1, 0x67, 0x08, 0x19, 0x83, 0x32, 0x40,
			  0xf0, 0x27, 0xb2, 0x5e, 0xff}},
	{"oneInchV3", {0x11, 0x11, 0x11, 0x12, 0x54, 0x2d, 0x85, 0xb3, 0xef, 0x69, 0xae, 0x05, 0x77, 0x1c,
			      0x2d, 0xcc, 0xff, 0x4f, 0xaa, 0x26}},
	{"oneInchV4", {0x11, 0x11, 0x11, 0x12, 0x54, 0xfb, 0x6c, 0x44, 0xba, 0xc0, 0xbe, 0xd2, 0x85, 0x4e,
			      0x76, 0xf9, 0x06, 0x43, 0x09, 0x7d}},
	{"oneInchV5", {0x11, 0x11, 0x11, 0x12, 0x54, 0xee, 0xb2, 0x54, 0x77, 0xb6, 0x8f, 0xb8, 0x5e, 0xd9,
			      0x29, 0xf7, 0x3a, 0x96, 0x05, 0x82}},
	{"oneInchV6", {0x11, 0x11, 0x11, 0x12, 0x54, 0x21, 0xca, 0x6d, 0xc4, 0x52, 0xd2, 0x89, 0x31, 0x42,
			      0x80, 0xa0, 0xf8, 0x84, 0x2a, 0x65}},
};

static const uint8_t *
adapter_of(struct span id)
{
	for (uint32_t i = 0; i < sizeof adapters / sizeof *adapters; i++) {
		size_t n = strlen(adapters[i].prefix);
		if (id.len >= n && memcmp(id.p, adapters[i].prefix, n) == 0)
			return adapters[i].to;
	}
	return NULL;
}

/* swap(id, tokenFrom, amount, data); data: tokenFrom, tokenTo, amount less the fee, least out, offset of the
 * aggregator's call, ... */
static void
read_swap(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct span id, data, inner;
	if (!abi_bytes(a->args, 0, &id) || !abi_bytes(a->args, 3, &data))
		return;
	struct abi d = {data, 0};
	const uint8_t *from = abi_address(a->args, 1), *to = adapter_of(id);
	uint64_t offset;
	if (abi_word(d, 4) == NULL || memcmp(from, abi_address(d, 0), 20) != 0)
		return; /* an adapter with arguments of its own */
	uint32_t mark = r->n;
	if (to != NULL && abi_uint(d, 4, &offset) && offset >= 32 && offset - 32 <= data.len &&
		abi_bytes_here((struct abi){data, (uint32_t)offset - 32}, &inner))
		swap_dispatch(r, a, to, inner, swap_zero(from, 20) ? abi_word(d, 2) : NULL);
	if (r->n > mark)
		return;
	struct swap_terms t = {.amount = abi_word(d, 2), .limit = abi_word(d, 3)};
	swap_generic(r, a, from, abi_address(d, 1), &t);
}

const struct swap_form swap_forms_metamask[] = {{0x5f575529, 0, read_swap}, FORMS_END};

/* swap((target, approve, data, description, client)) and swapSimpleMode(caller, description, ...);
 * description: src, dst, 4 lists, dstReceiver, amount, min, flags (1: in part), permit */
static void
read_kyber(struct swap_reader *r, const struct swap_asked *a, uint32_t simple)
{
	struct abi outer, d;
	if (simple ? !abi_follow(a->args, 1, &d)
		   : !abi_follow(a->args, 0, &outer) || !abi_follow(outer, 3, &d))
		return;
	if (abi_word(d, 9) == NULL)
		return;
	bool partial = (abi_word(d, 9)[31] & 1) != 0;
	struct swap_terms t = {.recipient = swap_recipient(a, abi_address(d, 6)),
		.amount = partial ? NULL : abi_word(d, 7),
		.limit = partial ? NULL : abi_word(d, 8)};
	swap_generic(r, a, abi_address(d, 0), abi_address(d, 1), &t);
}

const struct swap_form swap_forms_kyber[] = {
	{0xe21fd0e9, false, read_kyber}, {0x8af033fb, true, read_kyber}, FORMS_END};
