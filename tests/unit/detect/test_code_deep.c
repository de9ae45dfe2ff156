/* SPDX-License-Identifier: BSD-3-Clause */
/* What is seen only by executing a code: selectors that come out of storage, memory, hashes, tables;
 * callbacks told by anything; code that is made on the way. Every form stands in one frame, which without it
 * shows half of a loan. */
#include "code_rig.h"

#include "detect/flash.h"

#define PAIRS (P(UNISWAP_V2) | P(PANCAKE_V2))
#define SELECTOR "5f3560e01c"
#define IS_CALLBACK SELECTOR "6310d1e85c14"
#define CALL_4 "5f5f60045f5f335af1"  /* with the first four bytes of memory */
#define CALL_TOP "60e01b5f52" CALL_4 /* with the selector on the stack */
#define KEY "63a5a5a5a55f55"	     /* storage 0 */
#define PAYS "63a9059cbb" CALL_TOP
#define MOVE "8060011850"	     /* of a copy of the selector, which is dropped */
#define WORD_OF_KEYS "7fa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"

/* Runtime code: where `compare` leaves what is not zero, `serve`; at its own selector, `borrow`; else it
 * reverts. */
static const char *
borrower(const char *compare, const char *borrow, const char *serve)
{
	static char text[4096];
	unsigned at = (unsigned)strlen(compare) / 2 + 22, to = at + (unsigned)strlen(borrow) / 2 + 2;
	snprintf(text, sizeof(text),
		"%s61%04x57" SELECTOR "631234567814"
		"61%04x57"
		"5f5ffd"
		"5b%s00"
		"5b%s00",
		compare, to, at, borrow, serve);
	return text;
}

/* Init code that does `first`, then returns the runtime code. */
static void
construct(const char *first, const char *runtime)
{
	char tail[64];
	unsigned done = (unsigned)strlen(first) / 2, len = (unsigned)strlen(runtime) / 2;
	n_bytes = 0;
	more(first);
	snprintf(tail, sizeof(tail), "61%04x8061%04x5f395ff300", len, done + 12);
	more(tail);
	more(runtime);
	read_bytes();
}

static void
entries_that_come_from_elsewhere(void **state)
{
	static const struct {
		const char *what, *first, *borrow;
	} forms[] = {{"a key in storage", KEY, "5f5463a789a83a18" CALL_TOP},
		{"a mapping", "63a5a5a5a560075f52600160205260405f2055",
			"60075f52600160205260405f205463a789a83a18" CALL_TOP},
		{"a table that calldata points into", "67022c0d9fa9059cbb600155",
			"60015460043560051b1c" CALL_TOP},
		{"byte by byte", "", "60025f53602c600153600d600253609f600353" CALL_4},
		{"the hash of its text", "",
			"7f737761702875696e743235362c75696e743235362c616464726573732c6279745f52"
			"6265732960e81b602052"
			"60235f205f52" CALL_4},
		{"the hash of its text, of which storage keeps a part",
			"7f737761702875696e743235362c75696e743235362c616464726573732c6279745f55",
			"5f545f52"
			"6265732960e81b602052"
			"60235f205f52" CALL_4},
		{"a third, and what nobody wrote", "", "62b959df5f540160030260020160e01b5f52" CALL_4},
		{"what a call before left in storage", "", "60635463a789a83a18" CALL_TOP "63a5a5a5a5606355"},
		{"transient storage", "", "63a5a5a5a560015d60015c63a789a83a18" CALL_TOP},
		{"behind a long loop", KEY,
			"61ffff"
			"5b6001900380610025575f5463a789a83a18" CALL_TOP},
		{"moved in memory", "", "61022c60f01b602052610d9f60f01b602252600460205f5e" CALL_4}};
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("%s\n", forms[i].what);
		construct(forms[i].first, borrower(IS_CALLBACK, forms[i].borrow, PAYS));
		assert_int_equal(facts.entries, PAIRS);
		assert_int_equal(facts.callbacks, P(UNISWAP_V2));
		assert_true(facts.flash);
	}
}

static void
callbacks_that_are_told_otherwise(void **state)
{
	static const struct {
		const char *what, *first, *compare;
	} forms[] = {{"a key in storage", KEY, SELECTOR "5f541863b5744df914"},
		{"a hash", "",
			"5f355f5260045f207f8cba6d37f40d5a5bca1a6bfc8f5314e7bdcd236937f16f24ea87c72b59789fdd1"
			"4"},
		{"a remainder", "", "6103f1" SELECTOR "0661038214"},
		{"a key in memory", "", "63a5a5a5a5604052" SELECTOR "6040511863b5744df914"},
		{"who calls", "", "335f5414"}, {"a mapping", "60016310d1e85c55", SELECTOR "54"},
		{"moved twice", "", SELECTOR "63a5a5a5a5186311111111" "1863a4655ce814"},
		{"moved, behind more moves than the walk keeps", "",
			SELECTOR MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE MOVE "63a5a5a5a51863b5744df914"}};
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("%s\n", forms[i].what);
		construct(forms[i].first, borrower(forms[i].compare, "63022c0d9f" CALL_TOP, PAYS));
		assert_int_equal(facts.entries, PAIRS);
		assert_int_equal(facts.callbacks & P(UNISWAP_V2), P(UNISWAP_V2));
		assert_int_equal(facts.callbacks & ~PAIRS, 0);
		assert_true(facts.flash);
	}
	/* nobody serves it: its own function alone, or one that does nothing for anybody */
	construct("", borrower(SELECTOR "631234567714", "63022c0d9f" CALL_TOP, PAYS));
	assert_int_equal(facts.callbacks, 0);
	assert_false(facts.flash);
	construct("", borrower("36", "63022c0d9f" CALL_TOP, ""));
	assert_false(facts.flash);
	/* a lender's names for its own */
	construct("", borrower(SELECTOR "63022c0d9f14", "6310d1e85c" CALL_TOP, PAYS));
	assert_false(facts.flash);
}

static void
swaps_that_are_loans(void **state)
{
	static const char *const payments[] = {
		PAYS, "6323b872dd" CALL_TOP, "63d0e30db0" CALL_TOP PAYS, "63128acb08" CALL_TOP};
	for (unsigned i = 0; i < sizeof(payments) / sizeof(payments[0]); i++) {
		construct("", borrower(SELECTOR "63fa461e3314", "63128acb08" CALL_TOP, payments[i]));
		assert_int_equal(facts.swaps, P(UNISWAP_V3));
		assert_false(facts.flash);
	}
	construct("", borrower(SELECTOR "63fa461e3314", "63128acb08" CALL_TOP, "63d96a094a" CALL_TOP PAYS));
	assert_true(facts.flash);
	assert_int_equal(facts.entries, P(UNISWAP_V3));
	assert_int_equal(facts.callbacks, P(UNISWAP_V3));
	construct(KEY, borrower(SELECTOR "5f541863"
					 "5fe3bb96"
					 "14",
			       "5f5463b72f6ead18" CALL_TOP, "63d96a094a" CALL_TOP PAYS));
	assert_true(facts.flash);
}

/* The runtime code is under a key until the constructor returns it; or another code makes it. */
static void
codes_that_are_made_on_the_way(void **state)
{
	const char *runtime = borrower(IS_CALLBACK, "63022c0d9f" CALL_TOP, PAYS);
	unsigned len = (unsigned)strlen(runtime) / 2, at;
	n_bytes = 0;
	more("60a06100c55f39");
	for (unsigned i = 0; i < 5; i++) {
		char word[128];
		snprintf(word, sizeof(word), WORD_OF_KEYS "60%02x511860%02x52", 32 * i, 32 * i);
		more(word);
	}
	more("60a05ff3");
	assert_true(n_bytes <= 0xff && len <= 160);
	bytes[4] = (uint8_t)n_bytes;
	bytes[3] = 0;
	at = n_bytes;
	more(runtime);
	for (; n_bytes < at + 160; n_bytes++)
		bytes[n_bytes] = 0;
	for (; at < n_bytes; at++)
		bytes[at] ^= 0xa5;
	read_bytes();
	assert_true(facts.flash);
	assert_int_equal(facts.entries, PAIRS);
	/* it is all there, but the constructor stops before it takes the key away */
	bytes[7] = 0;
	read_bytes();
	assert_false(facts.flash);
}

/* What is executed does nothing but add, whatever stands behind. */
static void
bytes_behind_it_change_nothing(void **state)
{
	construct(KEY, borrower(SELECTOR "5f541863b5744df914", "5f5463a789a83a18" CALL_TOP, PAYS));
	assert_true(facts.flash);
	struct code_facts before = facts;
	for (unsigned i = 0; i < 40; i++) {
		bytes[n_bytes++] = (uint8_t)(i * 37 + 0x5b);
		read_bytes();
		assert_true(facts.flash);
		assert_int_equal(facts.entries & before.entries, before.entries);
		assert_int_equal(facts.callbacks & before.callbacks, before.callbacks);
		assert_int_equal(facts.reasons & before.reasons, before.reasons);
	}
}

/* Loops without an end, forks without number, codes that create themselves: the work is bounded. */
static void
bounds(void **state)
{
	static const char *const codes[] = {"5b5f56", "5b5f355f57", "5b345f5754345f57",
		"5b60018060005460005500", "385f5f39385f5ff0005f5f5f5f5f335af15b600056",
		"5b385f5f39385f5ff0385f5f39385f5ff55f56", "5b620fffff5f20805f5260205f5f5f5f335af15f56"};
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		read_code(codes[i]);
		assert_true(facts.deep_steps <= 260000);
		deploy(codes[i]);
		assert_true(facts.deep_steps <= 260000);
	}
	/* a condition each third instruction */
	n_bytes = 0;
	for (unsigned i = 0; i < 4000; i++)
		more("5f355f5760045f5f5f5f335af1505b");
	read_bytes();
	assert_true(facts.deep_steps <= 260000);
}

/* A dispatcher that jumps to where the selector says, behind a condition whose other side ends well: that it led to a revert for one selector says
 * nothing of the next. */
static void
jumps_that_the_selector_tells(void **state)
{
	static const char *const before[] = {"", "3415" "600657" "00" "5b", "5a" "600557" "00" "5b", "3415" "600857" "5f5ffd" "5b"};
	for (unsigned i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		static const char place[] = "63%08x60e01b5f525f5f60%02x5f5f335af100";
		char borrow[64], serve[64];
		snprintf(borrow, sizeof(borrow), place, 0x42b0b77cu, 0x24u);
		snprintf(serve, sizeof(serve), place, 0xdeadbeefu, 4u);
		n_bytes = 0;
		memset(bytes, 0, 400);
		more("61011480600a5f395ff3");
		more(before[i]);
		more(SELECTOR "60ff1656");
		n_bytes = 10 + 0x40;
		more("5b");
		more(borrow);
		n_bytes = 10 + 0xff;
		more("5b");
		more(serve);
		n_bytes = 10 + 0x114;
		read_bytes();
		print_message("%s\n", before[i]);
		assert_true(facts.flash);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(entries_that_come_from_elsewhere),
		cmocka_unit_test(callbacks_that_are_told_otherwise), cmocka_unit_test(swaps_that_are_loans),
		cmocka_unit_test(codes_that_are_made_on_the_way),
		cmocka_unit_test(bytes_behind_it_change_nothing), cmocka_unit_test(bounds),
		cmocka_unit_test(jumps_that_the_selector_tells)};
	reader = code_new();
	assert_non_null(reader);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	code_free(reader);
	return failed;
}
