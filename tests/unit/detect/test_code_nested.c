/* SPDX-License-Identifier: BSD-3-Clause */
/* Codes inside codes, what happens during deployment, and to whom is delegated. */
#include "code_rig.h"

#define ADDRESS "1122334455667788990011223344556677889900"
#define BORROWS                            \
	"5f3560e01c806310d1e85c1461002d57" \
	"63022c0d9f60e01b5f52"             \
	"5f5f60045f5f335af100"             \
	"5b5b5b5b5b5b5b5b5b5b00"

static void
proxies(void **state)
{
	static const char *const forms[] = {"363d3d373d3d3d363d73" ADDRESS
					    "5af43d82803e903d91602b57fd5bf3", /* EIP-1167 */
		"3d3d3d3d363d3d37363d73" ADDRESS "5af43d3d93803e602a57fd5bf3",
		"36600060003761100060003660007300"
		"000000000000000000000000000000000000005af4",
		"366000600037611000600036600073" ADDRESS "5af4602c57600080fd5b6110006000f3", /* Vyper */
		"36600080376000803660007f000000000000000000000000" ADDRESS "5af43d6000803e3d6000f3"};
	uint8_t want[20];
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		deploy(forms[i]);
		assert_int_equal(facts.has_target, i != 2); /* an immutable that is not filled in yet */
		assert_int_equal((facts.reasons & REASON(PROXY)) != 0, i != 2);
		n_bytes = 0;
		more(ADDRESS);
		memcpy(want, bytes, 20);
		if (i != 2)
			assert_memory_equal(facts.target, want, 20);
		assert_int_equal(facts.entries | facts.callbacks, 0);
		assert_false(facts.flash);
	}
	/* a library behind a function's gate is not whom it stands for */
	deploy("5f3560e01c80631234567814600f575b00"
	       "5b5f5f5f5f73" ADDRESS "5af400");
	assert_false(facts.has_target);
}

static void
constructors(void **state)
{
	deploy(BORROWS);
	assert_int_equal(facts.reasons & (REASON(CONSTRUCTOR) | REASON(NO_RUNTIME) | REASON(NESTED)), 0);
	assert_true(facts.flash);
	read_code("63022c0d9f60e01b5f525f5f60045f5f335af1ff");
	assert_int_equal(facts.reasons,
		REASON(CONSTRUCTOR) | REASON(NO_RUNTIME) | REASON(SELFDESTRUCT) | REASON(ENTRY));
	read_code("5f5f5f5f5f335afa5f5ff3"); /* looks, and leaves nothing */
	assert_int_equal(facts.reasons, REASON(NO_RUNTIME));
	read_code("5f5f5f5f5f335af1");
	assert_int_equal(facts.reasons, REASON(NO_RUNTIME) | REASON(CONSTRUCTOR));
	read_code("5f5ffd");
	assert_int_equal(facts.reasons, 0);
	read_code("");
	assert_int_equal(facts.n_codes, 0);
	assert_int_equal(facts.reasons | facts.score, 0);
}

static void
owners(void **state)
{
	deploy("3373" ADDRESS "14602057005b5f5ffd");
	assert_int_equal(facts.reasons, REASON(OWNER_ONLY));
	deploy("73" ADDRESS "3318602057005b5f5ffd");
	assert_int_equal(facts.reasons, REASON(OWNER_ONLY));
	deploy("3373ffffffffffffffffffffffffffffffffffffffff16"
	       "73" ADDRESS "14602057005b5f5ffd");
	assert_int_equal(facts.reasons, REASON(OWNER_ONLY));
	deploy("327f0000000000000000000000000000000000000000000000000000000000000000"
	       "14602057005b5f5ffd"); /* an immutable */
	assert_int_equal(facts.reasons, REASON(OWNER_ONLY));
	deploy("335f541460205700"
	       "323314602057005b5f5ffd"); /* whom storage says; no contract */
	assert_int_equal(facts.reasons, 0);
}

/* Init code whose code creates another, in many wrappings. */
static void
wrapped(void **state)
{
	char inner[2048], outer[2048];
	snprintf(inner, sizeof(inner), "61%04x80600b5f395ff300" BORROWS, (unsigned)strlen(BORROWS) / 2);
	for (unsigned depth = 1; depth <= 5; depth++) {
		snprintf(outer, sizeof(outer), "61%04x80600e5f395f5f5ff00000%.1900s",
			(unsigned)strlen(inner) / 2, inner); /* CREATE, then ends */
		memcpy(inner, outer, sizeof(inner));
		read_code(inner);
		assert_true(facts.flash);
		assert_int_equal(facts.n_codes, depth + 2);
		assert_int_equal(facts.reasons & (REASON(NESTED) | REASON(CONSTRUCTOR) | REASON(NO_RUNTIME)),
			REASON(NESTED) | REASON(CONSTRUCTOR) | REASON(NO_RUNTIME));
	}
	/* a size that nobody knows; a place that nobody knows */
	snprintf(inner, sizeof(inner),
		"38600a9003600a5f39"
		"5f5f5ff000" BORROWS);
	read_code(inner);
	snprintf(inner, sizeof(inner),
		"60ff36601001"
		"5f395f5f5ff000"
		"6080604052" BORROWS);
	read_code(inner);
	assert_true(facts.guessed);
	assert_int_equal(facts.entries, P(UNISWAP_V2) | P(PANCAKE_V2));
}

/* Put together in memory, word by word; selectors may lie across two. */
static void
in_memory(void **state)
{
	char code[4096] = "";
	char runtime[512] = "11223344" BORROWS;
	size_t digits = strlen(runtime);
	memset(runtime + digits, '1', sizeof(runtime) - digits);
	for (unsigned shift = 0; shift < 8; shift++) {
		code[0] = '\0';
		for (unsigned i = 0; i < 3; i++) {
			char word[80];
			snprintf(word, sizeof(word), "7f%.64s60%02x52", runtime + shift + 64 * i, 32 * i);
			strcat(code, word);
		}
		strcat(code, "60605f5ff000");
		read_code(code);
		assert_int_equal(facts.entries, P(UNISWAP_V2) | P(PANCAKE_V2));
		assert_int_equal(facts.callbacks, P(UNISWAP_V2));
		shift++;
	}
}

static void
caps(void **state)
{
	/* a hundred decoys in front of the one that matters */
	char text[64];
	n_bytes = 0;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "6005 61%04x 5f 39 5f5f5f f0 50", 1600 + i);
		more(text);
	}
	snprintf(text, sizeof(text), "60ff 61%04x 5f 39 5f5f5f f0 50 00", 1800);
	more(text);
	while (n_bytes < 1800)
		more("5b");
	more("61004580600b5f395ff300" BORROWS);
	read_bytes();
	assert_true(facts.cut);
	assert_true(facts.flash);
	assert_int_equal(facts.n_grams, CODE_GRAMS);
	/* everything there is */
	memset(bytes, 0x5b, sizeof(bytes));
	n_bytes = sizeof(bytes);
	read_bytes();
	assert_true(facts.cut);
	assert_int_equal(facts.n_grams, CODE_GRAMS);
	static const uint8_t patterns[] = {0x60, 0x7f, 0x80, 0x90, 0x57, 0x39, 0xf0, 0x19, 0x15, 0x01};
	for (unsigned p = 0; p < sizeof(patterns); p++) {
		memset(bytes, patterns[p], sizeof(bytes));
		read_bytes();
		for (uint32_t i = 1; i < sizeof(bytes); i += 2)
			bytes[i] = 0x5b;
		read_bytes();
	}
}

/* Words of code that is put together in memory: of more than are kept, what it may do counts as done. */
static void
more_words_than_are_kept(void **state)
{
	for (unsigned words = 256; words <= 257; words++) {
		n_bytes = 0;
		for (unsigned i = 0; i < words; i++)
			more("7f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f205f52");
		more("00");
		read_bytes();
		assert_int_equal(facts.cut, words > 256);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(proxies), cmocka_unit_test(constructors),
		cmocka_unit_test(owners), cmocka_unit_test(wrapped), cmocka_unit_test(in_memory),
		cmocka_unit_test(caps), cmocka_unit_test(more_words_than_are_kept)};
	reader = code_new();
	assert_non_null(reader);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	code_free(reader);
	return failed;
}
