/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_private.h"
#include "detect/flash.h"

#include "abi/alert.h"

#include <string.h>

/* Of tokens: transfer, transferFrom, approve. */
bool
code_is_transfer(uint32_t selector)
{
	return selector == 0xa9059cbb || selector == 0x23b872dd || selector == 0x095ea7b3;
}

/* What sells tokens: Uniswap's routers of both versions and their pools, Curve's exchange, Balancer's swap. */
bool
code_is_swap(uint32_t selector)
{
	switch (selector) {
	case 0x38ed1739: /* swapExactTokensForTokens */
	case 0x18cbafe5: /* swapExactTokensForETH */
	case 0x7ff36ab5: /* swapExactETHForTokens */
	case 0x5c11d795: /* the three for tokens that take a fee */
	case 0x791ac947:
	case 0xb6f9de95:
	case 0x8803dbee: /* swapTokensForExactTokens */
	case 0x4a25d94a:
	case 0xfb3bdb41:
	case 0x022c0d9f: /* pairs: swap */
	case 0x128acb08: /* pools: swap */
	case 0x414bf389: /* exactInputSingle, exactInput, exactOutputSingle, exactOutput of either router */
	case 0xc04b8d59:
	case 0xdb3e2198:
	case 0xf28c0498:
	case 0x04e45aaf:
	case 0xb858183f:
	case 0x5023b4df:
	case 0x09b81346:
	case 0x3df02124: /* Curve: exchange, exchange_underlying, of either index type */
	case 0xa6417ed6:
	case 0x5b41b908:
	case 0x394747c5:
	case 0x52bbbe29: /* Balancer: swap, batchSwap */
	case 0x945bcec9:
		return true;
	default:
		return false;
	}
}

static void
called(struct code_reader *r, uint32_t selector, bool leading)
{
	const struct flash_selector *f = flash_selector(selector);
	struct code_seen *s = &r->seen;
	if (f != NULL) {
		s->entries |= f->providers[FLASH_ENTRY];
		s->helpers |= f->providers[FLASH_HELPER];
		s->swap_entries |= f->providers[FLASH_SWAP_ENTRY];
		if (f->providers[FLASH_ENTRY] != 0)
			s->entry_families |= f->families;
	}
	if (!leading)
		return;
	r->sum.transfers |= code_is_transfer(selector);
	r->sum.swaps |= code_is_swap(selector);
}

/* Runs of ones: masks, which are everywhere and say nothing. */
static bool
is_mask(const struct code_word *w)
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t l = w->l[i];
		if (l != 0 && l != ~0ull && (l & (l + 1)) != 0 && (~l & (~l + 1)) != 0)
			return false;
	}
	return true;
}

void
code_spelled(struct code_reader *r, const uint8_t b[32])
{
	const struct flash_row *row;
	if (b[0] < 'a' || b[0] > 'z' || memchr(b, '(', 24) == NULL)
		return;
	for (unsigned i = 0; (row = flash_row(i)) != NULL; i++) {
		size_t n = strlen(row->signature);
		if (memcmp(b, row->signature, n < 32 ? n : 32) == 0 && (n >= 32 || b[n] == 0))
			called(r, row->selector, false);
	}
}

void
code_meaning(struct code_reader *r, const struct code_word *w)
{
	uint64_t v;
	if (code_word_small(w, &v) && v <= UINT32_MAX) {
		if (v > 0xffff)
			called(r, (uint32_t)v, true);
		return;
	}
	if (is_mask(w))
		return;
	uint8_t b[32];
	code_word_bytes(w, b);
	code_spelled(r, b);
	unsigned first = 0, last = 32;
	while (b[first] == 0)
		first++;
	while (b[last - 1] == 0)
		last--;
	for (unsigned i = first >= 3 ? first - 3 : 0; i < last && i <= 28; i++) {
		called(r,
			(uint32_t)b[i] << 24 | (uint32_t)b[i + 1] << 16 | (uint32_t)b[i + 2] << 8 | b[i + 3],
			i == 0);
		r->sum.addresses |= flash_address_at(b + i, 32 - i);
	}
}

/* One symbol for what compilers choose freely: the width of a PUSH, which DUP or SWAP. A PUSH4 that lenders
 * know has one of its own. */
static uint8_t
symbol_of(uint8_t op)
{
	if (op >= OP_DUP1 && op < OP_LOG0)
		return op & 0xf0;
	if (op > OP_LOG0 && op <= 0xa4)
		return OP_LOG0;
	if (op > OP_PUSH4 + 1 && op < OP_PUSH20)
		return OP_PUSH4 + 1;
	return op > OP_PUSH20 && op < OP_PUSH32 ? OP_PUSH20 + 1 : op;
}

void
code_symbols(uint8_t symbols[256])
{
	for (unsigned op = 0; op < 256; op++)
		symbols[op] = symbol_of((uint8_t)op);
}

static uint8_t
symbol_of_selector(const uint8_t *p)
{
	uint32_t selector = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	if (code_is_transfer(selector))
		return 0xe0;
	const struct flash_selector *f = flash_selector(selector);
	if (f == NULL)
		return code_is_swap(selector) ? 0xe1 : OP_PUSH4;
	unsigned family = (unsigned)__builtin_ctz(f->families) & 15;
	return (uint8_t)((f->providers[FLASH_CALLBACK]	     ? 0xb0
				 : f->providers[FLASH_ENTRY] ? 0xc0
							     : 0xd0) +
			 family);
}

static inline void
set_gram(struct code_reader *r, uint32_t symbols, uint32_t n)
{
	uint64_t h = ((uint64_t)n << 32 | symbols) * 0x9e3779b97f4a7c15ull;
	r->gram[(uint32_t)(h >> 40) % CODE_GRAMS] = 1;
}

void
code_gram(struct code_reader *r, uint32_t pc)
{
	uint8_t op = r->p[pc], symbol = r->symbols[op];
	if (op == OP_PUSH4 && r->len - pc >= 5) {
		symbol = symbol_of_selector(r->p + pc + 1);
		if (symbol != op)
			set_gram(r, symbol, 1);
	}
	uint32_t run = r->before << 8 | symbol;
	if (r->n_before >= 1)
		set_gram(r, run & 0xffff, 2);
	if (r->n_before >= 2)
		set_gram(r, run & 0xffffff, 3);
	if (r->n_before >= 3)
		set_gram(r, run, 4);
	else
		r->n_before++;
	r->before = run & 0xffffff;
}
