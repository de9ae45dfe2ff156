/* SPDX-License-Identifier: BSD-3-Clause */
/* What compilers make of contracts that borrow, and what init code looks like when it was written by hand. */
#include "code_rig.h"

#define PAIRS (P(UNISWAP_V2) | P(PANCAKE_V2))

static const struct {
	const char *name;
	uint64_t entries, callbacks, addresses, swaps;
	uint64_t reasons; /* beside callback, entry and address */
	bool flash;
} all[] = {{"V2-", PAIRS, P(UNISWAP_V2), 0, 0, REASON(DRAINS), true},
	{"Pancake-", PAIRS, P(PANCAKE_V2), 0, 0, REASON(DRAINS), true},
	{"V3F-", P(UNISWAP_V3) | P(PANCAKE_V3), P(UNISWAP_V3), 0, 0, 0, true},
	{"V3Swapper-", P(UNISWAP_V3), P(UNISWAP_V3), 0, P(UNISWAP_V3), REASON(DRAINS), true},
	{"Aave-", P(AAVE_V2) | P(AAVE_V3) | P(SPARK), P(AAVE_V2) | P(AAVE_V3) | P(SPARK), P(AAVE_V2), 0, 0,
		true},
	{"AaveSimple-", P(AAVE_V3) | P(SPARK), P(AAVE_V3) | P(SPARK), P(AAVE_V3), 0, 0, true},
	{"Bal-", P(BALANCER_V2), P(BALANCER_V2), P(BALANCER_V2), 0, 0, true},
	{"Morpho-", P(MORPHO) | P(MOOLAH) | P(IRON_BANK), P(MORPHO), P(MORPHO), 0, 0, true},
	{"Dodo-", P(DODO), P(DODO), 0, 0, 0, true},
	{"V4-", P(UNISWAP_V4) | P(BALANCER_V3), P(UNISWAP_V4), P(UNISWAP_V4), 0, 0, true},
	{"Factory-", PAIRS, P(UNISWAP_V2), 0, 0, REASON(DRAINS) | REASON(NESTED), true},
	{"CtorAttack-", P(BALANCER_V2), P(BALANCER_V2), P(BALANCER_V2), 0,
		REASON(NESTED) | REASON(CONSTRUCTOR) | REASON(SELFDESTRUCT) | REASON(NO_RUNTIME), true},
	/* selectors hashed at run time; kept in storage by the constructor; xored; every call
	   answered */
	{"Keccak-", PAIRS, P(UNISWAP_V2), 0, 0, 0, true}, {"SigTable-", PAIRS, P(UNISWAP_V2), 0, 0, 0, true},
	{"Xor-", PAIRS, P(UNISWAP_V2), 0, 0, 0, true}, {"Asm-", PAIRS, P(UNISWAP_V2), 0, 0, 0, true},
	{"FallbackOnly-", PAIRS, PAIRS, 0, 0, REASON(DRAINS), true},
	{"SigInFallback-", PAIRS, P(UNISWAP_V2), 0, 0, REASON(DRAINS), true},
	{"Create2-", PAIRS, P(UNISWAP_V2), 0, 0, REASON(NESTED), true},
	{"ViaFactory-", PAIRS, P(UNISWAP_V2), 0, 0, REASON(NESTED), true},
	/* who calls callbacks lends; who takes ether and swaps does not borrow */
	{"Lender-", 0, 0, 0, 0, 0, false}, {"Receive-", PAIRS, 0, 0, 0, 0, false},
	{"ReceiveOld-", PAIRS, PAIRS, 0, 0, 0, true}, {"Benign-", 0, 0, 0, 0, 0, false},
	{"Base-", 0, 0, 0, 0, 0, false}};

static void
compiled_codes(void **state)
{
	char name[64];
	FILE *f = fopen(CODES, "r");
	static char line[2 * CODE_BYTES_MAX + 16];
	unsigned n = 0;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "# %63[^\n]", name) != 1 || fgets(line, sizeof(line), f) == NULL)
			continue;
		read_code(line);
		for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			if (strncmp(name, all[i].name, strlen(all[i].name)) != 0)
				continue;
			print_message("%s\n", name);
			n++;
			assert_int_equal(facts.entries, all[i].entries);
			assert_int_equal(facts.callbacks, all[i].callbacks);
			assert_int_equal(facts.addresses, all[i].addresses);
			assert_int_equal(facts.swaps, all[i].swaps);
			assert_int_equal(facts.reasons, all[i].reasons |
								(all[i].entries ? REASON(ENTRY) : 0) |
								(all[i].callbacks ? REASON(CALLBACK) : 0) |
								(all[i].addresses ? REASON(PROVIDER) : 0));
			assert_int_equal(facts.flash, all[i].flash);
			assert_false(facts.cut);
		}
	}
	fclose(f);
	assert_int_equal(n, 46); /* all but the lender's own standard, which many share */
	assert_true(named_code("Maker-"));
	read_bytes();
	assert_true(facts.flash);
	assert_int_equal(facts.callbacks & P(MAKER), P(MAKER));
	assert_int_equal(facts.addresses, P(MAKER));
	assert_int_equal(facts.reasons & REASON(MANY_PROVIDERS), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_codes)};
	reader = code_new();
	assert_non_null(reader);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	code_free(reader);
	return failed;
}
