/* SPDX-License-Identifier: BSD-3-Clause */
/* The ways to write the same thing: selectors that are compared, selectors that are called, labels, and what
 * only looks like them. */
#include "code_rig.h"

#define SELECTOR "5f3560e01c"
#define ZEROS28 "00000000000000000000000000000000000000000000000000000000"
#define CALL_IT "5f525f5f60045f5f335af1"
#define SWAP_CALL "63022c0d9f60e01b" CALL_IT "00"
#define PAIRS (P(UNISWAP_V2) | P(PANCAKE_V2))

/* A dispatcher that goes to its end if what `compare` leaves is not zero; else it calls what `entry` leaves.
 */
static void
run(const char *compare, const char *entry)
{
	static char text[4096];
	unsigned n = (unsigned)(strlen(compare) + strlen(entry) + strlen(CALL_IT "00")) / 2 + 4;
	snprintf(text, sizeof(text),
		"%s61%04x57%s" CALL_IT "00"
		"5b00",
		compare, n, entry);
	deploy(text);
	assert_int_equal(facts.n_codes, 2);
}

static void
selectors_that_are_compared(void **state)
{
	static const char *const forms[] = {SELECTOR "806310d1e85c14", SELECTOR "6310d1e85c8114",
		SELECTOR "806310d1e85c18", SELECTOR "806310d1e85c03", SELECTOR "6310d1e85c9003",
		/* masked where it stands; divided, as before there were shifts */
		"5f357fffffffff" ZEROS28 "167f10d1e85c" ZEROS28 "14",
		"6000357c0100000000000000000000000000000000000000000000000000000000900463ffffffff166310d1e85c"
		"14",
		/* through memory */
		"600035601c526310d1e85c6000511415", "365f5f375f5160e01c6310d1e85c14",
		/* moved before it is compared, or by a constant that is computed */
		SELECTOR "63a5a5a5a51863b5744df914",
		SELECTOR "63010101010163"
			 "11d2e95d"
			 "14",
		SELECTOR "63010101019003630fd0e75b14", SELECTOR "6310d1e85b60010114",
		SELECTOR "63ef2e17a31963ffffffff1614",
		SELECTOR "631fffffff63"
			 "0f2e17a3"
			 "1814",
		SELECTOR "6408"
			 "68f42e00"
			 "60071c14",
		/* between its neighbours */
		SELECTOR "806310d1e85b10906310d1e85d1116"};
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("%s\n", forms[i]);
		run(forms[i], "5f");
		assert_int_equal(facts.callbacks, P(UNISWAP_V2));
		assert_int_equal(facts.entries, 0);
		assert_int_equal(facts.reasons & REASON(CALLBACK), REASON(CALLBACK));
	}
}

static void
selectors_that_are_called(void **state)
{
	static const struct {
		const char *form;
		uint64_t entries;
	} forms[] = {{"63022c0d9f60e01b", PAIRS}, {"7f022c0d9f" ZEROS28, PAIRS}, {"63022c0d9f", PAIRS},
		{"637011"
		 "95a160e11b",
			P(MORPHO) | P(MOOLAH) | P(IRON_BANK)},
		{"632e1c224f60e11b", P(BALANCER_V2)}, {"6312439b2f60e21b", P(UNISWAP_V3) | P(PANCAKE_V3)},
		{"63022c0d9f7c010000000000000000000000000000000000000000000000000000000002", PAIRS},
		{"63022c0d9f60e060020a02", PAIRS}, {"63fdd3f2601960e01b", PAIRS},
		{"63012c0d9f63030000001860e01b", PAIRS}, {"63022c0000610d9f0160e01b", PAIRS},
		{"63022c0d9f61ffff6101011860e01b50"
		 "7f022c0d9f" ZEROS28,
			PAIRS},
		{"3363022c0d9f60e01b17", PAIRS}, {"3363022c0d9f60e01b01", PAIRS},
		{"64022c0d9fff60081c60e01b", PAIRS}, {"6f022c0d9f00000000000000000000000060801b", PAIRS},
		/* across blocks, left on the stack for a function that shifts it */
		{"63022c0d9f6300000000505b60e01b", PAIRS}};
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("%s\n", forms[i].form);
		run(SELECTOR "806310d1e85c18", forms[i].form);
		assert_int_equal(facts.entries, forms[i].entries);
		assert_int_equal(facts.flash, forms[i].entries == PAIRS);
	}
}

static void
what_only_looks_like_it(void **state)
{
	/* in the data of a PUSH that nobody uses; behind a STOP; pushed and dropped */
	deploy("7f6310d1e85c63022c0d9f60e01b000000000000000000000000000000000000005000");
	assert_int_equal(facts.callbacks | facts.entries, 0);
	deploy("00" SELECTOR "806310d1e85c14600c57" SWAP_CALL "5b00");
	assert_int_equal(facts.callbacks | facts.entries, 0);
	deploy("5f5f5f5f5f5f5ff1"
	       "63022c0d9f50"
	       "00");
	assert_int_equal(facts.entries, 0);
	/* a lender's own dispatcher is no borrower; an argument is no selector */
	run(SELECTOR "8063022c0d9f14", "5f");
	assert_int_equal(facts.callbacks | facts.entries, 0);
	run("6004356310d1e85c14", "5f");
	assert_int_equal(facts.callbacks | facts.entries, 0);
	/* it calls nobody */
	deploy("63022c0d9f60e01b5f52"
	       "00");
	assert_int_equal(facts.entries, 0);
	/* the swap's two halves are no flash loan */
	run(SELECTOR "8063fa461e3314", "63128acb0860e01b");
	assert_int_equal(facts.callbacks | facts.entries, 0);
	assert_int_equal(facts.swaps, P(UNISWAP_V3));
	assert_false(facts.flash);
}

/* Behind a jump there is the call; nothing else leads there. */
static const struct {
	const char *code;
	bool reached, guessed;
} jumping[] = {{"600456"
		"005b" SWAP_CALL,
		       true, false},
	{"6001600301"
	 "56"
	 "005b" SWAP_CALL,
		false, false},
	{"6001600601"
	 "56"
	 "005b" SWAP_CALL,
		true, false},
	{"60f660f118"
	 "56"
	 "005b" SWAP_CALL,
		true, false},
	{"60026012"
	 "04"
	 "56"
	 "000000"
	 "5b" SWAP_CALL,
		true, false},
	/* into the data of a PUSH; to what is no label; beyond the end */
	{"600556"
	 "61005b"
	 "00" SWAP_CALL,
		false, false},
	{"600456"
	 "0000" SWAP_CALL,
		false, false},
	{"61ffff56"
	 "005b" SWAP_CALL,
		false, false},
	{"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000002356"
	 "005b" SWAP_CALL,
		false, false},
	/* a return address under what a function does */
	{"60086006"
	 "5600"
	 "5b56"
	 "5b" SWAP_CALL,
		true, false},
	/* from memory, storage, calldata: it may go anywhere */
	{"5f5156"
	 "005b" SWAP_CALL,
		true, true},
	{"5f5456"
	 "005b" SWAP_CALL,
		true, true},
	{"60243556"
	 "005b" SWAP_CALL,
		true, true},
	{"600a5f525f5160010156"
	 "005b" SWAP_CALL,
		true, true},
	/* conditional */
	{"366007"
	 "57005050"
	 "5b" SWAP_CALL,
		true, false},
	{"366006"
	 "57"
	 "00"
	 "5b" SWAP_CALL,
		false, false}};

static void
jumps(void **state)
{
	for (unsigned i = 0; i < sizeof(jumping) / sizeof(jumping[0]); i++) {
		print_message("%s\n", jumping[i].code);
		deploy(jumping[i].code);
		assert_int_equal(facts.entries != 0, jumping[i].reached);
		assert_int_equal(facts.guessed, jumping[i].guessed);
	}
}

/* Vyper: the selector in memory, one test a function; a table of buckets by the selector's remainder, whose
 * labels lie in data; buckets in data. */
static void
vyper(void **state)
{
	/* up to 0.3.9: 0 CALLDATALOAD 0xe0 SHR, each function: PUSH4 DUP2 XOR PUSH2 next JUMPI */
	deploy(SELECTOR "6310d1e85c811861001957" SWAP_CALL "5b5b00");
	assert_true(facts.flash);
	assert_false(facts.guessed);
	/* sparse: 1 << (selector % 2), a label of two bytes from there, jump */
	deploy(SELECTOR "600260018260021660011b61006001601e395f5156"
			"5b5ffd"
			"5b6310d1e85c811861001857" SWAP_CALL "00180019");
	assert_true(facts.guessed);
	assert_int_equal(facts.callbacks, P(UNISWAP_V2));
	assert_true(facts.flash);
	/* dense: the selector, a label and a size in data, compared as they are loaded */
	deploy(SELECTOR "600182066007026100600160193960 0051"
			"60381c63ffffffff1682186018575f5161ffff1656"
			"5b5ffd"
			"5b" SWAP_CALL "10d1e85c002d000000");
	assert_true(facts.guessed);
	assert_int_equal(facts.callbacks, P(UNISWAP_V2));
	assert_true(facts.flash);
}

static void
whatever_the_selector_is(void **state)
{
	/* it passes calldata on to a pair, and takes whatever call comes back */
	deploy("60243560443560643563022c0d9f60e01b5f5260045260245260445260645f5f60a45f5f600435"
	       "5af100");
	assert_true(facts.any_callback);
	assert_true(facts.flash);
	assert_int_equal(facts.callbacks, PAIRS);
	/* what comes back is not even read; but ether that comes in without calldata is no call */
	deploy("63022c0d9f60e01b" CALL_IT "00");
	assert_true(facts.any_callback && facts.flash);
	deploy("36600457"
	       "5b"
	       "63022c0d9f60e01b" CALL_IT "00");
	assert_true(facts.any_callback);
	deploy("36602057"
	       "63022c0d9f60e01b" CALL_IT "00"
	       "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5ffd");
	assert_false(facts.any_callback);
	assert_int_equal(facts.entries, PAIRS);
	assert_false(facts.flash);
	/* behind a function's gate it is that function's alone */
	run(SELECTOR "80631234567818", "60243563022c0d9f60e01b17");
	assert_false(facts.any_callback);
	assert_int_equal(facts.entries, PAIRS);
	assert_false(facts.flash);
	/* Balancer's vault calls back with what it is told */
	run(SELECTOR "80631234567818", "6348c8949160e01b5f5263ae63932960e01b");
	assert_true(facts.flash);
	run(SELECTOR "80631234567818", "6348c8949160e01b");
	assert_false(facts.flash);
}

/* A table far behind the last label is as it stands, whatever was read before. */
static void
what_was_read_before(void **state)
{
	struct code_facts first;
	memset(bytes, 0, sizeof(bytes));
	read_code("5f3560e01c5f51145f515700");
	memset(bytes + n_bytes, 0, 700 - n_bytes);
	n_bytes = 500;
	more("63920f5c84");
	n_bytes = 700;
	read_bytes();
	first = facts;
	assert_int_not_equal(first.callbacks, 0);
	uint8_t kept[700];
	memcpy(kept, bytes, sizeof(kept));
	memset(bytes, 0x5b, n_bytes);
	read_bytes();
	memcpy(bytes, kept, sizeof(kept));
	read_bytes();
	assert_memory_equal(&facts, &first, sizeof(first));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(selectors_that_are_compared),
		cmocka_unit_test(selectors_that_are_called), cmocka_unit_test(what_only_looks_like_it),
		cmocka_unit_test(jumps), cmocka_unit_test(vyper), cmocka_unit_test(whatever_the_selector_is),
		cmocka_unit_test(what_was_read_before)};
	reader = code_new();
	assert_non_null(reader);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	code_free(reader);
	return failed;
}
