/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/flash.h"

#include <string.h>

#define P(id) (1ull << PROVIDER_##id)
#define AAVE23 (P(AAVE_V2) | P(AAVE_V3) | P(SPARK))
#define AAVE3 (P(AAVE_V3) | P(SPARK))
#define LENDERS3156 (P(MAKER) | P(ERC3156) | P(GHO) | P(CRVUSD) | P(WETH10))
#define PAIRS (P(UNISWAP_V2) | P(PANCAKE_V2))
#define POOLS3 (P(UNISWAP_V3) | P(PANCAKE_V3))

enum family {
	F_AAVE_V1,
	F_AAVE,
	F_BALANCER2,
	F_BALANCER3,
	F_PAIR,
	F_POOL3,
	F_INFINITY,
	F_V4,
	F_DYDX,
	F_3156,
	F_VAT,
	F_MORPHO,
	F_BENTO,
	F_DODO,
	F_EULER,
	F_IRON
};

static const struct flash_row rows[] = {
	{"flashLoan(address,address,uint256,bytes)", 0x5cffe9de, FLASH_ENTRY, F_AAVE_V1, P(AAVE_V1)},
	{"executeOperation(address,uint256,uint256,bytes)", 0xee872558, FLASH_CALLBACK, F_AAVE_V1,
		P(AAVE_V1)},
	{"flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)", 0xab9c4b5d, FLASH_ENTRY,
		F_AAVE, AAVE23},
	{"executeOperation(address[],uint256[],uint256[],address,bytes)", 0x920f5c84, FLASH_CALLBACK, F_AAVE,
		AAVE23},
	{"flashLoanSimple(address,address,uint256,bytes,uint16)", 0x42b0b77c, FLASH_ENTRY, F_AAVE, AAVE3},
	{"executeOperation(address,uint256,uint256,address,bytes)", 0x1b11d0ff, FLASH_CALLBACK, F_AAVE,
		AAVE3},
	{"flashLoan(address,address[],uint256[],bytes)", 0x5c38449e, FLASH_ENTRY, F_BALANCER2,
		P(BALANCER_V2)},
	{"receiveFlashLoan(address[],uint256[],uint256[],bytes)", 0xf04f2707, FLASH_CALLBACK, F_BALANCER2,
		P(BALANCER_V2)},
	{"unlock(bytes)", 0x48c89491, FLASH_ENTRY, F_BALANCER3, P(BALANCER_V3)},
	{"sendTo(address,address,uint256)", 0xae639329, FLASH_HELPER, F_BALANCER3, P(BALANCER_V3)},
	{"settle(address,uint256)", 0x15afd409, FLASH_HELPER, F_BALANCER3, P(BALANCER_V3)},
	{"swap(uint256,uint256,address,bytes)", 0x022c0d9f, FLASH_ENTRY, F_PAIR, PAIRS},
	{"uniswapV2Call(address,uint256,uint256,bytes)", 0x10d1e85c, FLASH_CALLBACK, F_PAIR, P(UNISWAP_V2)},
	{"pancakeCall(address,uint256,uint256,bytes)", 0x84800812, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"BiswapCall(address,uint256,uint256,bytes)", 0x5b3bc4fe, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"hook(address,uint256,uint256,bytes)", 0x9a7bff79, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"joeCall(address,uint256,uint256,bytes)", 0xee22dd87, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"BSCswapCall(address,uint256,uint256,bytes)", 0x75908f7c, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"waultSwapCall(address,uint256,uint256,bytes)", 0x485f3994, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"babyCall(address,uint256,uint256,bytes)", 0x110c03de, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"jetswapCall(address,uint256,uint256,bytes)", 0x3fc01685, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"swapV2Call(address,uint256,uint256,bytes)", 0xb2ff9f26, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"apeCall(address,uint256,uint256,bytes)", 0xbecda363, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"croDefiSwapCall(address,uint256,uint256,bytes)", 0x6c813d29, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"nomiswapCall(address,uint256,uint256,bytes)", 0x22109682, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"pantherCall(address,uint256,uint256,bytes)", 0x1c8f37b3, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"elkCall(address,uint256,uint256,bytes)", 0x07d3513a, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"ubeswapCall(address,uint256,uint256,bytes)", 0x8ff0fe31, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"pangolinCall(address,uint256,uint256,bytes)", 0xf8890f8e, FLASH_CALLBACK, F_PAIR, P(PANCAKE_V2)},
	{"flash(address,uint256,uint256,bytes)", 0x490e6cbc, FLASH_ENTRY, F_POOL3, POOLS3},
	{"uniswapV3FlashCallback(uint256,uint256,bytes)", 0xe9cbafb0, FLASH_CALLBACK, F_POOL3, P(UNISWAP_V3)},
	{"algebraFlashCallback(uint256,uint256,bytes)", 0xa60b0d3c, FLASH_CALLBACK, F_POOL3, P(UNISWAP_V3)},
	{"ramsesV2FlashCallback(uint256,uint256,bytes)", 0xde5f4ecc, FLASH_CALLBACK, F_POOL3, P(UNISWAP_V3)},
	{"pancakeV3FlashCallback(uint256,uint256,bytes)", 0xa1d48336, FLASH_CALLBACK, F_POOL3, P(PANCAKE_V3)},
	{"swap(address,bool,int256,uint160,bytes)", 0x128acb08, FLASH_SWAP_ENTRY, F_POOL3, POOLS3},
	{"uniswapV3SwapCallback(int256,int256,bytes)", 0xfa461e33, FLASH_SWAP_CALLBACK, F_POOL3,
		P(UNISWAP_V3)},
	{"algebraSwapCallback(int256,int256,bytes)", 0x2c8958f6, FLASH_SWAP_CALLBACK, F_POOL3, P(UNISWAP_V3)},
	{"ramsesV2SwapCallback(int256,int256,bytes)", 0x654b6487, FLASH_SWAP_CALLBACK, F_POOL3,
		P(UNISWAP_V3)},
	{"pancakeV3SwapCallback(int256,int256,bytes)", 0x23a69e75, FLASH_SWAP_CALLBACK, F_POOL3,
		P(PANCAKE_V3)},
	{"lock(bytes)", 0x81548319, FLASH_ENTRY, F_INFINITY, P(PANCAKE_INFINITY)},
	{"lockAcquired(bytes)", 0xab6291fe, FLASH_CALLBACK, F_INFINITY, P(PANCAKE_INFINITY)},
	{"unlock(bytes)", 0x48c89491, FLASH_ENTRY, F_V4, P(UNISWAP_V4)},
	{"unlockCallback(bytes)", 0x91dd7346, FLASH_CALLBACK, F_V4, P(UNISWAP_V4)},
	{"take(address,address,uint256)", 0x0b0d9c09, FLASH_HELPER, F_V4,
		P(UNISWAP_V4) | P(PANCAKE_INFINITY)},
	{"settle()", 0x11da60b4, FLASH_HELPER, F_V4, P(UNISWAP_V4) | P(PANCAKE_INFINITY)},
	{"operate((address,uint256)[],(uint8,uint256,(bool,uint8,uint8,uint256),uint256,uint256,address,"
	 "uint256,bytes)[])",
		0xa67a6a45, FLASH_ENTRY, F_DYDX, P(DYDX)},
	{"callFunction(address,(address,uint256),bytes)", 0x8b418713, FLASH_CALLBACK, F_DYDX, P(DYDX)},
	{"flashLoan(address,address,uint256,bytes)", 0x5cffe9de, FLASH_ENTRY, F_3156, LENDERS3156},
	{"onFlashLoan(address,address,uint256,uint256,bytes)", 0x23e30c8b, FLASH_CALLBACK, F_3156,
		LENDERS3156},
	{"vatDaiFlashLoan(address,uint256,bytes)", 0x3f03653f, FLASH_ENTRY, F_VAT, P(MAKER)},
	{"onVatDaiFlashLoan(address,uint256,uint256,bytes)", 0x42bf04b6, FLASH_CALLBACK, F_VAT, P(MAKER)},
	{"flashLoan(address,uint256,bytes)", 0xe0232b42, FLASH_ENTRY, F_MORPHO, P(MORPHO) | P(MOOLAH)},
	{"flashLoan(address,uint256,bytes)", 0xe0232b42, FLASH_ENTRY, F_IRON, P(IRON_BANK)},
	{"onMorphoFlashLoan(uint256,bytes)", 0x31f57072, FLASH_CALLBACK, F_MORPHO, P(MORPHO)},
	{"onMoolahFlashLoan(uint256,bytes)", 0x13a1a562, FLASH_CALLBACK, F_MORPHO, P(MOOLAH)},
	{"flashLoan(address,address,address,uint256,bytes)", 0xf1676d37, FLASH_ENTRY, F_BENTO, P(BENTOBOX)},
	{"batchFlashLoan(address,address[],address[],uint256[],bytes)", 0xf483b3da, FLASH_ENTRY, F_BENTO,
		P(BENTOBOX)},
	{"onFlashLoan(address,address,uint256,uint256,bytes)", 0x23e30c8b, FLASH_CALLBACK, F_BENTO,
		P(BENTOBOX)},
	{"onBatchFlashLoan(address,address[],uint256[],uint256[],bytes)", 0xd9d17623, FLASH_CALLBACK, F_BENTO,
		P(BENTOBOX)},
	{"flashLoan(uint256,uint256,address,bytes)", 0xd0a494e4, FLASH_ENTRY, F_DODO, P(DODO)},
	{"DVMFlashLoanCall(address,uint256,uint256,bytes)", 0xeb2021c3, FLASH_CALLBACK, F_DODO, P(DODO)},
	{"DPPFlashLoanCall(address,uint256,uint256,bytes)", 0x7ed1f1dd, FLASH_CALLBACK, F_DODO, P(DODO)},
	{"DSPFlashLoanCall(address,uint256,uint256,bytes)", 0xd5b99797, FLASH_CALLBACK, F_DODO, P(DODO)},
	{"flashLoan(uint256,bytes)", 0x5296a431, FLASH_ENTRY, F_EULER, P(EULER)},
	{"deferLiquidityCheck(address,bytes)", 0x89b7b7a6, FLASH_ENTRY, F_EULER, P(EULER)},
	{"onFlashLoan(bytes)", 0xc4850ea8, FLASH_CALLBACK, F_EULER, P(EULER)},
	{"onDeferredLiquidityCheck(bytes)", 0xa15db5c5, FLASH_CALLBACK, F_EULER, P(EULER)},
	{"flashLoan(address,uint256,address,bytes)", 0xadf51de1, FLASH_ENTRY, F_IRON, P(IRON_BANK)},
	{"flashLoan(address,address,uint256,bytes)", 0x5cffe9de, FLASH_ENTRY, F_3156, P(IRON_BANK)},
	/* calls whom and with what it is told: its entry stands for the callback */
	{"flashBorrow(uint256,address,address,string,bytes)", 0xc5bf0e9d, FLASH_ENTRY, F_IRON, P(IRON_BANK)},
	{"flashBorrow(uint256,address,address,string,bytes)", 0xc5bf0e9d, FLASH_HELPER, F_IRON, P(IRON_BANK)},
	{"executeOperation(address,address,uint256,uint256,bytes)", 0x405b019d, FLASH_CALLBACK, F_IRON,
		P(IRON_BANK)},
	{"onFlashLoan(address,address,uint256,uint256,bytes)", 0x23e30c8b, FLASH_CALLBACK, F_3156,
		P(IRON_BANK)},
};

#define A(id, ...)                           \
	{                                    \
		{__VA_ARGS__}, PROVIDER_##id \
	}
static const struct flash_place places[] = {
	A(AAVE_V1, 0x39, 0x8e, 0xc7, 0x34, 0x6d, 0xcd, 0x62, 0x2e, 0xdc, 0x5a, 0xe8, 0x23, 0x52, 0xf0, 0x2b,
		0xe9, 0x4c, 0x62, 0xd1, 0x19),
	A(AAVE_V2, 0x7d, 0x27, 0x68, 0xde, 0x32, 0xb0, 0xb8, 0x0b, 0x7a, 0x34, 0x54, 0xc0, 0x6b, 0xda, 0xc9,
		0x4a, 0x69, 0xdd, 0xc7, 0xa9),
	A(AAVE_V3, 0x87, 0x87, 0x0b, 0xca, 0x3f, 0x3f, 0xd6, 0x33, 0x5c, 0x3f, 0x4c, 0xe8, 0x39, 0x2d, 0x69,
		0x35, 0x0b, 0x4f, 0xa4, 0xe2),
	A(AAVE_V3, 0x4e, 0x03, 0x39, 0x31, 0xad, 0x43, 0x59, 0x7d, 0x96, 0xd6, 0xbc, 0xc2, 0x5c, 0x28, 0x07,
		0x17, 0x73, 0x0b, 0x58, 0xb1),
	A(AAVE_V3, 0x0a, 0xa9, 0x7c, 0x28, 0x4e, 0x98, 0x39, 0x62, 0x02, 0xb6, 0xa0, 0x40, 0x24, 0xf5, 0xe2,
		0xc6, 0x50, 0x26, 0xf3, 0xc0),
	A(SPARK, 0xc1, 0x3e, 0x21, 0xb6, 0x48, 0xa5, 0xee, 0x79, 0x49, 0x02, 0x34, 0x20, 0x38, 0xff, 0x3a,
		0xda, 0xb6, 0x6b, 0xe9, 0x87),
	A(BALANCER_V2, 0xba, 0x12, 0x22, 0x22, 0x22, 0x22, 0x8d, 0x8b, 0xa4, 0x45, 0x95, 0x8a, 0x75, 0xa0,
		0x70, 0x4d, 0x56, 0x6b, 0xf2, 0xc8),
	A(BALANCER_V3, 0xba, 0x13, 0x33, 0x33, 0x33, 0x33, 0xa1, 0xba, 0x11, 0x08, 0xe8, 0x41, 0x2f, 0x11,
		0x85, 0x0a, 0x5c, 0x31, 0x9b, 0xa9),
	A(PANCAKE_INFINITY, 0x23, 0x8a, 0x35, 0x88, 0x08, 0x37, 0x97, 0x02, 0x08, 0x86, 0x67, 0x32, 0x2f,
		0x80, 0xac, 0x48, 0xba, 0xd5, 0xe6, 0xc4),
	A(UNISWAP_V4, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x44, 0x4c, 0x5d, 0xc7, 0x5c, 0xb3, 0x58, 0x38,
		0x0d, 0x2e, 0x3d, 0xe0, 0x8a, 0x90),
	A(DYDX, 0x1e, 0x04, 0x47, 0xb1, 0x9b, 0xb6, 0xec, 0xfd, 0xae, 0x1e, 0x4a, 0xe1, 0x69, 0x4b, 0x0c,
		0x36, 0x59, 0x61, 0x4e, 0x4e),
	A(MAKER, 0x60, 0x74, 0x44, 0x34, 0xd6, 0x33, 0x9a, 0x6b, 0x27, 0xd7, 0x3d, 0x9e, 0xda, 0x62, 0xb6,
		0xf6, 0x6a, 0x0a, 0x04, 0xfa),
	A(MAKER, 0x1e, 0xb4, 0xcf, 0x3a, 0x94, 0x8e, 0x7d, 0x72, 0xa1, 0x98, 0xfe, 0x07, 0x3c, 0xcb, 0x8c,
		0x7a, 0x94, 0x8c, 0xd8, 0x53),
	A(GHO, 0xb6, 0x39, 0xd2, 0x08, 0xbc, 0xf0, 0x58, 0x9d, 0x54, 0xfa, 0xc2, 0x4e, 0x65, 0x5c, 0x79, 0xec,
		0x52, 0x97, 0x62, 0xb8),
	A(CRVUSD, 0x26, 0xde, 0x78, 0x61, 0xe2, 0x13, 0xa5, 0x35, 0x1f, 0x6e, 0xd7, 0x67, 0xd0, 0x0e, 0x08,
		0x39, 0x93, 0x0e, 0x9e, 0xe1),
	A(WETH10, 0xf4, 0xbb, 0x2e, 0x28, 0x68, 0x8e, 0x89, 0xfc, 0xce, 0x3c, 0x05, 0x80, 0xd3, 0x7d, 0x36,
		0xa7, 0x67, 0x2e, 0x8a, 0x9f),
	A(MORPHO, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0x9c, 0xc5, 0xe9, 0x0e, 0x3b, 0x3a, 0xf6, 0x4b, 0xda, 0xf6,
		0x2c, 0x37, 0xee, 0xff, 0xcb),
	A(BENTOBOX, 0xf5, 0xbc, 0xe5, 0x07, 0x79, 0x08, 0xa1, 0xb7, 0x37, 0x0b, 0x9a, 0xe0, 0x4a, 0xdc, 0x56,
		0x5e, 0xbd, 0x64, 0x39, 0x66),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
#define N_PLACES (sizeof(places) / sizeof(places[0]))
#define SLOTS 256u	 /* of either table; a power of two, far above the number of rows */
#define NEEDLE_BYTES 15u /* of the shortest address, without its leading zeros */

static struct flash_selector selectors[SLOTS];
static struct {
	const uint8_t *needle;
	uint8_t len; /* 0: empty */
	uint8_t provider;
} needles[SLOTS];
static uint64_t starts[65536 / 64]; /* bits: first two bytes of needles */

static uint64_t known[65536 / 64]; /* bits: upper halves of selectors */

static uint32_t
slot_of(uint32_t key)
{
	return key * 2654435761u >> 24;
}

static uint32_t
head_of(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Before main, so that nobody has to ask for it and nobody writes once there are threads. */
__attribute__((constructor)) static void
flash_index(void)
{
	for (unsigned i = 0; i < N_ROWS; i++) {
		uint32_t at = slot_of(rows[i].selector);
		while (selectors[at].selector != 0 && selectors[at].selector != rows[i].selector)
			at = (at + 1) % SLOTS;
		selectors[at].selector = rows[i].selector;
		selectors[at].providers[rows[i].role] |= rows[i].providers;
		selectors[at].families |= 1u << rows[i].family;
		known[rows[i].selector >> 22] |= 1ull << (rows[i].selector >> 16) % 64;
	}
	for (unsigned i = 0; i < N_PLACES; i++) {
		const uint8_t *a = places[i].address;
		uint8_t len = 20;
		for (; *a == 0; a++)
			len--;
		uint32_t at = slot_of(head_of(a));
		while (needles[at].len != 0)
			at = (at + 1) % SLOTS;
		needles[at].needle = a;
		needles[at].len = len;
		needles[at].provider = places[i].provider;
		starts[head_of(a) >> 22] |= 1ull << (head_of(a) >> 16) % 64;
	}
}

const struct flash_selector *
flash_selector(uint32_t selector)
{
	if (!(known[selector >> 22] >> (selector >> 16) % 64 & 1))
		return NULL;
	for (uint32_t at = slot_of(selector); selectors[at].selector != 0; at = (at + 1) % SLOTS) {
		if (selectors[at].selector == selector)
			return &selectors[at];
	}
	return NULL;
}

static inline bool
may_start(const uint8_t *p)
{
	uint32_t two = (uint32_t)p[0] << 8 | p[1];
	return starts[two / 64] >> two % 64 & 1;
}

uint64_t
flash_address_at(const uint8_t *p, uint32_t left)
{
	if (left < NEEDLE_BYTES || !may_start(p))
		return 0;
	for (uint32_t at = slot_of(head_of(p)); needles[at].len != 0; at = (at + 1) % SLOTS) {
		if (needles[at].len <= left && memcmp(p, needles[at].needle, needles[at].len) == 0)
			return 1ull << needles[at].provider;
	}
	return 0;
}

uint64_t
flash_addresses_in(struct span bytes)
{
	uint64_t found = 0;
	for (uint32_t i = 0; i + NEEDLE_BYTES <= bytes.len; i++) {
		if (may_start(bytes.p + i))
			found |= flash_address_at(bytes.p + i, bytes.len - i);
	}
	return found;
}

uint64_t
flash_address(const uint8_t address[20])
{
	unsigned zeros = 0;
	while (zeros < 20 && address[zeros] == 0)
		zeros++;
	uint64_t mask = flash_address_at(address + zeros, 20 - zeros);
	for (unsigned i = 0; i < N_PLACES && mask != 0; i++) {
		if (memcmp(places[i].address, address, 20) == 0)
			return mask;
	}
	return 0;
}

uint64_t
flash_any_callback(void)
{
	return P(BALANCER_V3) | P(IRON_BANK);
}

uint64_t
flash_takes(uint64_t entries, uint64_t callbacks, uint64_t helpers)
{
	return entries & (callbacks | (helpers & flash_any_callback()));
}

const struct flash_row *
flash_row(unsigned i)
{
	return i < N_ROWS ? &rows[i] : NULL;
}

const struct flash_place *
flash_place(unsigned i)
{
	return i < N_PLACES ? &places[i] : NULL;
}
