/* SPDX-License-Identifier: BSD-3-Clause */
/* swaps_of: caps, chains, the cache, constants and what is around a call; lies about lengths. That the forms
 * are read right is what the labelled swaps of real blocks and the comparison with ethers show. */
#include "eth/calls.h"
#include "eth/swap.h"
#include "eth_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUTER_V2 "7a250d5630b4cf539739df2c5dacb4c659f2488d"
#define ROUTER_V3 "e592427a0aece92de3edee1f18e0157c05861564"
#define ROUTER_02 "68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
#define UNIVERSAL "3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad"
#define WETH "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
#define USDC "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
#define PAIR "b4e16d0168e52d35cacd2c6185b44281ec28c9dc"	    /* Uniswap V2 USDC/WETH */
#define POOL_500 "88e6a0c2ddd26feeb64f039a2c41296fcb3f5640" /* Uniswap V3 USDC/WETH 0.05 % */

/* ---- calldata in the making ---- */

static uint8_t buf[1 << 17];
static uint32_t len;
static struct swap out[SWAPS_MAX + 1];
static bool over;

static void
hex(const char *text)
{
	struct span s = help_bytes(text);
	memcpy(buf + len, s.p, s.len);
	len += s.len;
	free((void *)(uintptr_t)s.p);
}

static void
word(uint64_t v)
{
	memset(buf + len, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		buf[len + 31 - i] = (uint8_t)(v >> (8 * i));
	len += 32;
}

static void
addr(const char *text)
{
	memset(buf + len, 0, 12);
	len += 12;
	hex(text);
}

static void
begin(const char *selector)
{
	len = 0;
	hex(selector);
}

/* A token of its own for each n. */
static void
token(uint64_t n)
{
	word(n + 0x10000);
}

/* swapExactTokensForTokens over n tokens */
static void
v2_path(uint32_t n)
{
	begin("38ed1739");
	word(1000);
	word(900);
	word(5 * 32);
	addr(ROUTER_02);
	word(1700000000);
	word(n);
	for (uint32_t i = 0; i < n; i++)
		token(i);
}

static void
v2_weth_usdc(void)
{
	begin("38ed1739");
	word(1000);
	word(900);
	word(5 * 32);
	addr(ROUTER_02);
	word(1700000000);
	word(2);
	addr(WETH);
	addr(USDC);
}

/* ---- reading ---- */

/* Reads buf at its exact size; with a cache too, twice: the answers must be the same. */
static uint32_t
read_on(const char *to, const char *value, uint64_t chain)
{
	static struct swap_cache cache;
	struct span t20 = help_bytes(to), val = help_bytes(value);
	uint8_t *data = malloc(len ? len : 1);
	memcpy(data, buf, len);
	struct tx t = {.type = TX_1559,
		.has_chain_id = true,
		.chain_id = chain,
		.to = t20,
		.value = val,
		.data = {data, len}};
	struct calls calls;
	struct swap again[SWAPS_MAX];
	bool over_again;
	calls_of(&t, &calls);
	memset(&out[SWAPS_MAX], 0xa5, sizeof out[0]);
	uint32_t n = swaps_of(&t, &calls, out, &over);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(swaps_of_cached(&t, &calls, &cache, again, &over_again), n);
		assert_memory_equal(again, out, n * sizeof out[0]);
		assert_int_equal(over_again, over);
	}
	assert_true(n <= SWAPS_MAX);
	for (size_t i = 0; i < sizeof out[0]; i++)
		assert_int_equal(((uint8_t *)&out[SWAPS_MAX])[i], 0xa5);
	free(data);
	free((void *)(uintptr_t)t20.p);
	free((void *)(uintptr_t)val.p);
	return n;
}

static uint32_t
reads(const char *to)
{
	return read_on(to, "", 1);
}

static void
is(const uint8_t *field, const char *want)
{
	assert_string_equal(help_hex(field, 20), want);
}

static uint64_t
low64(const uint8_t amount[32])
{
	uint64_t v = 0;
	for (unsigned i = 24; i < 32; i++)
		v = v << 8 | amount[i];
	return v;
}

/* ---- tests ---- */

static void
test_v2(void **state)
{
	v2_weth_usdc();
	assert_int_equal(reads(ROUTER_V2), 1);
	is(out[0].pool, PAIR);
	is(out[0].token_in, WETH);
	is(out[0].token_out, USDC);
	is(out[0].recipient, ROUTER_02);
	assert_int_equal(out[0].zero_for_one, 0);
	assert_int_equal(out[0].deadline, 1700000000);
	assert_int_equal(low64(out[0].amount_in), 1000);
	assert_int_equal(low64(out[0].limit), 900);
	assert_int_equal(out[0].has,
		(SWAP_HAS_POOL | SWAP_HAS_TOKEN_IN | SWAP_HAS_TOKEN_OUT | SWAP_HAS_AMOUNT_IN |
			SWAP_HAS_LIMIT | SWAP_HAS_RECIPIENT | SWAP_HAS_DEADLINE | SWAP_HAS_DIRECTION));
	assert_string_equal(swap_router_name(out[0].router), "uniswap-v2-router02");
	assert_string_equal(swap_venue_name(out[0].venue), "uniswap-v2");
	assert_false(over);
}

static void
test_names(void **state)
{
	unsigned n = 0;
	while (swap_router_name(n) != NULL)
		assert_true(strlen(swap_router_name(n++)) > 2);
	assert_true(n > 30);
	assert_null(swap_router_name(255));
	assert_string_equal(swap_venue_name(SWAP_BALANCER), "balancer");
	assert_null(swap_venue_name(SWAP_VENUE_COUNT));
}

/* Where the mainnet's routers are not, the same bytes are those of a contract that may be anything: tokens,
 * no pool. */
static void
test_chains(void **state)
{
	static const struct {
		uint64_t chain;
		bool v2, v3;
	} on[] = {{1, true, true}, {31337, true, true}, {1337, true, true}, {10, false, true},
		{137, false, true}, {42161, false, true}, {8453, false, false}, {56, false, false},
		{UINT64_MAX, false, false}};
	for (unsigned i = 0; i < sizeof on / sizeof *on; i++) {
		v2_weth_usdc();
		assert_int_equal(read_on(ROUTER_V2, "", on[i].chain), 1);
		assert_int_equal(out[0].has & SWAP_HAS_POOL, on[i].v2 ? SWAP_HAS_POOL : 0);
		assert_int_equal(out[0].venue, on[i].v2 ? SWAP_UNISWAP_V2 : SWAP_UNKNOWN);
		is(out[0].token_in, WETH);
		begin("414bf389");
		addr(WETH);
		addr(USDC);
		word(500);
		addr(ROUTER_02);
		word(1);
		word(2);
		word(3);
		word(0);
		assert_int_equal(read_on(ROUTER_V3, "", on[i].chain), 1);
		assert_int_equal(out[0].has & SWAP_HAS_POOL, on[i].v3 ? SWAP_HAS_POOL : 0);
		if (on[i].v3)
			is(out[0].pool, POOL_500);
	}
}

static void
test_deadline(void **state)
{
	static const struct {
		const char *word;
		uint64_t want;
	} cases[] = {{"00000000000000000000000000000000000000000000000000000000ffffffff", 0xffffffff},
		{"000000000000000000000000000000000000000000000000ffffffffffffffff", UINT64_MAX},
		{"0000000000000000000000000000000000000000000000010000000000000000", UINT64_MAX},
		{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", UINT64_MAX},
		{"0000000000000000000000000000000000000000000000000000000000000000", 0}};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		v2_weth_usdc();
		struct span w = help_bytes(cases[i].word);
		memcpy(buf + 4 + 4 * 32, w.p, 32);
		free((void *)(uintptr_t)w.p);
		assert_int_equal(reads(ROUTER_V2), 1);
		assert_true(out[0].has & SWAP_HAS_DEADLINE);
		assert_true(out[0].deadline == cases[i].want);
	}
}

static void
test_hops(void **state)
{
	for (uint32_t n = 0; n <= 40; n++) {
		v2_path(n);
		uint32_t hops = n < 2 ? 0 : n - 1, want = hops < SWAPS_MAX ? hops : SWAPS_MAX;
		assert_int_equal(reads(ROUTER_V2), want);
		assert_int_equal(over, hops > SWAPS_MAX);
		for (uint32_t i = 0; i < want; i++) {
			assert_int_equal(out[i].hop, i);
			assert_int_equal(out[i].hops, hops);
			assert_int_equal((out[i].has & SWAP_HAS_AMOUNT_IN) != 0, i == 0);
			assert_int_equal((out[i].has & SWAP_HAS_LIMIT) != 0, i == hops - 1);
			assert_int_equal((out[i].has & SWAP_HAS_RECIPIENT) != 0, i == hops - 1);
		}
		/* by selector alone: longer than any real one is none */
		assert_int_equal(reads(WETH), hops <= SWAPS_MAX ? hops : 0);
	}
	v2_path(1000);
	assert_int_equal(reads(ROUTER_V2), SWAPS_MAX);
	assert_int_equal(out[0].hops, UINT8_MAX);
}

/* The same token twice in a row: the router reverts. */
static void
test_same_token(void **state)
{
	v2_path(3);
	memcpy(buf + len - 32, buf + len - 64, 32);
	assert_int_equal(reads(ROUTER_V2), 0);
}

/* A router masks the upper bytes of an address; a contract that may be anything must be clean. */
static void
test_dirty_address(void **state)
{
	v2_weth_usdc();
	buf[len - 64] = 0xff;
	assert_int_equal(reads(ROUTER_V2), 1);
	is(out[0].pool, PAIR);
	assert_int_equal(reads(WETH), 0);
	v2_weth_usdc();
	assert_int_equal(reads(WETH), 1);
	assert_string_equal(swap_router_name(out[0].router), "v2-fork");
	assert_false(out[0].has & SWAP_HAS_POOL);
}

/* Every cut, and every word replaced by lengths that lie: nothing outside is read (the sanitizers see it),
 * and nothing is made up. */
static void
test_lies(void **state)
{
	static const char *const words[] = {
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"8000000000000000000000000000000000000000000000000000000000000000",
		"00000000000000000000000000000000000000000000000000000000ffffffff",
		"000000000000000000000000000000000000000000000000ffffffffffffffe0",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"};
	v2_weth_usdc();
	uint32_t whole = len;
	for (uint32_t n = 0; n < whole; n++) {
		len = n;
		assert_int_equal(reads(ROUTER_V2), 0);
	}
	for (uint32_t at = 4; at < whole; at += 32) {
		for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
			v2_weth_usdc();
			struct span w = help_bytes(words[i]);
			memcpy(buf + at, w.p, 32);
			free((void *)(uintptr_t)w.p);
			uint32_t n = reads(ROUTER_V2);
			assert_int_equal(n, at == 4 + 2 * 32 || at == 4 + 5 * 32 ? 0 : 1);
		}
	}
}

/* exactInputSingle of SwapRouter02, after its selector */
static void
single_02(uint64_t recipient, uint64_t amount)
{
	hex("04e45aaf");
	addr(WETH);
	addr(USDC);
	word(500);
	word(recipient);
	word(amount);
	word(7);
	word(0);
}

static void
test_constants(void **state)
{
	begin("");
	single_02(1, 5);
	assert_int_equal(reads(ROUTER_02), 1);
	assert_false(out[0].has & SWAP_HAS_RECIPIENT); /* whoever sends */
	assert_int_equal(low64(out[0].amount_in), 5);
	begin("");
	single_02(2, 0);
	assert_int_equal(reads(ROUTER_02), 1);
	assert_true(out[0].has & SWAP_HAS_RECIPIENT);
	is(out[0].recipient, ROUTER_02);
	assert_false(out[0].has & SWAP_HAS_AMOUNT_IN); /* all there is */
	assert_true(out[0].has & SWAP_HAS_LIMIT);
}

/* multicall(uint256, bytes[]) hands its deadline and its ether on; the call is named. */
static void
test_multicall(void **state)
{
	begin("5ae401dc");
	word(1700000001);
	word(64);
	word(2);
	word(64);
	word(64 + 32 + 256);
	for (uint32_t i = 0; i < 2; i++) {
		word(4 + 7 * 32);
		single_02(2, 5 + i);
		memset(buf + len, 0, 28);
		len += 28;
	}
	assert_int_equal(reads(ROUTER_02), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(out[i].deadline, 1700000001);
		assert_int_equal(out[i].call, i + 1);
		assert_int_equal(low64(out[i].amount_in), 5 + i);
		is(out[i].pool, POOL_500);
	}
}

/* Ether of the transaction is exact; of a call inside whose value is not told it is not known. */
static void
test_ether(void **state)
{
	begin("7ff36ab5");
	word(900);
	word(4 * 32);
	addr(ROUTER_02);
	word(1700000000);
	word(2);
	addr(WETH);
	addr(USDC);
	assert_int_equal(read_on(ROUTER_V2, "0de0b6b3a7640000", 1), 1);
	assert_true(out[0].has & SWAP_HAS_AMOUNT_IN);
	assert_true(low64(out[0].amount_in) == 1000000000000000000);
	uint32_t inner = len;
	uint8_t saved[512];
	memcpy(saved, buf, inner);
	/* aggregate((address,bytes)[]) */
	begin("252dba42");
	word(32);
	word(1);
	word(32);
	addr(ROUTER_V2);
	word(64);
	word(inner);
	memcpy(buf + len, saved, inner);
	len += inner;
	memset(buf + len, 0, 32 - inner % 32);
	len += 32 - inner % 32;
	assert_int_equal(read_on("ca11bde05977b3631167028862be2a173976ca11", "0de0b6b3a7640000", 1), 1);
	is(out[0].pool, PAIR);
	assert_int_equal(out[0].call, 1);
	assert_false(out[0].has & SWAP_HAS_AMOUNT_IN);
}

/* execute(bytes, bytes[]): n commands, all of the same input, which stands once. Returns where it stands. */
static void
universal(uint8_t command, uint32_t n, const uint8_t *input, uint32_t input_len)
{
	uint32_t padded = (n + 31) / 32 * 32;
	word(64);
	word(64 + 32 + padded);
	word(n);
	memset(buf + len, 0, padded);
	memset(buf + len, command, n);
	len += padded;
	word(n);
	for (uint32_t i = 0; i < n; i++)
		word((uint64_t)n * 32);
	word(input_len);
	memcpy(buf + len, input, input_len);
	len += input_len;
}

/* Plans in plans that all stand in one place: n to the power of the depth, if nobody counts. */
static void
test_plan_bomb(void **state)
{
	static uint8_t inner[1 << 16];
	uint32_t inner_len = 0;
	for (uint32_t depth = 0; depth < 6; depth++) {
		len = 0;
		universal(0x21, 100, inner, inner_len);
		inner_len = len;
		memcpy(inner, buf, len);
	}
	begin("24856bc3");
	memcpy(buf + len, inner, inner_len);
	len += inner_len;
	assert_int_equal(reads(UNIVERSAL), 0);
	assert_true(over);
}

/* V3 swaps without end: as many as there is room for. */
static void
test_many_commands(void **state)
{
	static uint8_t input[512];
	len = 0;
	addr(ROUTER_V2);
	word(5);
	word(6);
	word(5 * 32);
	word(1);
	word(43);
	hex(WETH "0001f4" USDC);
	uint32_t n_input = len;
	memcpy(input, buf, n_input);
	for (uint32_t n = 1; n < 300; n += n < 20 ? 1 : 50) {
		begin("24856bc3");
		universal(0x80, n, input, n_input); /* may revert */
		assert_int_equal(reads(UNIVERSAL), n < SWAPS_MAX ? n : SWAPS_MAX);
		assert_int_equal(over, n > SWAPS_MAX);
		is(out[0].pool, POOL_500);
		is(out[0].recipient, ROUTER_V2);
	}
}

/* A creation, and calldata without a selector, ask for nothing. */
static void
test_nothing(void **state)
{
	v2_weth_usdc();
	assert_int_equal(read_on("", "", 1), 0);
	for (len = 0; len < 4; len++)
		assert_int_equal(reads(ROUTER_V2), 0);
}

/* Random pairs, so that slots of the cache are taken over many times: read_on compares. */
static void
test_cache(void **state)
{
	uint64_t x = 88172645463325252u;
	for (uint32_t i = 0; i < 20000; i++) {
		v2_weth_usdc();
		for (uint32_t k = 0; k < 2; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			uint64_t t = i % 4 == 0 ? x % 8 : x;
			memcpy(buf + len - 8 - 32 * k, &t, 8);
		}
		uint32_t n = reads(ROUTER_V2);
		assert_true(n <= 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_v2), cmocka_unit_test(test_names),
		cmocka_unit_test(test_chains), cmocka_unit_test(test_deadline), cmocka_unit_test(test_hops),
		cmocka_unit_test(test_same_token), cmocka_unit_test(test_dirty_address),
		cmocka_unit_test(test_lies), cmocka_unit_test(test_constants),
		cmocka_unit_test(test_multicall), cmocka_unit_test(test_ether),
		cmocka_unit_test(test_plan_bomb), cmocka_unit_test(test_many_commands),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_cache)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
