/* SPDX-License-Identifier: BSD-3-Clause */
/* What is added to a code takes no fact away; what the normalised hash leaves out, and what it does not. */
#include "code_rig.h"

static uint64_t grams[CODE_GRAMS / 64];
static struct code_facts before;
static uint32_t seed = 1;

static uint8_t
any(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static void
remember(void)
{
	before = facts;
	memcpy(grams, code_grams(reader), sizeof(grams));
}

static void
nothing_went(void)
{
	assert_int_equal(before.entries & ~facts.entries, 0);
	assert_int_equal(before.callbacks & ~facts.callbacks, 0);
	assert_int_equal(before.addresses & ~facts.addresses, 0);
	assert_int_equal(before.swaps & ~facts.swaps, 0);
	assert_int_equal(before.reasons & ~facts.reasons, 0);
	assert_true(facts.score >= before.score);
	assert_true(facts.flash >= before.flash);
}

static void
no_gram_went(void)
{
	for (unsigned i = 0; i < CODE_GRAMS / 64; i++)
		assert_int_equal(grams[i] & ~code_grams(reader)[i], 0);
}

/* Every compiled code with something behind it: noise, zeros, each other code. */
static void
appended(void **state)
{
	static char line[2 * CODE_BYTES_MAX + 16];
	static uint8_t benign[CODE_BYTES_MAX];
	assert_true(named_code("Benign-0.8 o0"));
	uint32_t n_benign = n_bytes, n = 0;
	memcpy(benign, bytes, n_benign);
	FILE *f = fopen(CODES, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#')
			continue;
		read_code(line);
		remember();
		uint32_t was = n_bytes;
		for (unsigned round = 0; round < 4; round++) {
			n_bytes = was;
			for (unsigned i = 0; i < 3000; i++)
				bytes[n_bytes++] = round == 0	? 0
						   : round == 1 ? 0x5b
						   : round == 2 ? any()
								: benign[i % n_benign];
			read_bytes();
			nothing_went();
			no_gram_went();
		}
		n++;
	}
	fclose(f);
	assert_int_equal(n, 47);
}

/* A contract of n functions: a dispatcher, then their bodies. Those of `with` are left out unless their bit
 * is set. */
static void
contract(uint32_t with)
{
	static const struct {
		const char *selector, *body;
	} functions[] = {{"aabbccdd", "60043560005560005460005260206000f3"},
		{"70a08231", "6004355f525f5f20545f5260205ff3"},
		{"10d1e85c", "63022c0d9f60e01b5f52"
			     "5f5f60645f5f335af1"
			     "00"},
		{"12345678", "3373112233445566778899001122334455667788990014"
			     "15600057ff"},
		{"a9059cbb", "63a9059cbb60e01b5f525f5f60445f5f335af100"},
		{"0902f1ac", "60015460025460035400"},
		{"fa461e33", "63128acb0860e01b5f525f5f60a45f5f335af13d5f5f3e3d5ffd"},
		{"ffffffff", "5f5f5f5f5f73bbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb5af4505f5ffd"},
		{"01020304", "60405160206040515f5f3960206040515ff05000"}};
	const unsigned n = sizeof(functions) / sizeof(functions[0]);
	char code[4096], text[512];
	unsigned at = 5 + 1, cases = 0;
	for (unsigned i = 0; i < n; i++)
		cases += with >> i & 1;
	at += 11 * cases;
	strcpy(code, "5f3560e01c");
	for (unsigned i = 0; i < n; i++) {
		if (!(with >> i & 1))
			continue;
		snprintf(text, sizeof(text), "8063%s1461%04x57", functions[i].selector, at);
		strcat(code, text);
		at += 1 + (unsigned)strlen(functions[i].body) / 2;
	}
	strcat(code, "00");
	for (unsigned i = 0; i < n; i++) {
		if (!(with >> i & 1))
			continue;
		strcat(code, "5b");
		strcat(code, functions[i].body);
	}
	deploy(code);
}

static void
reached_in_addition(void **state)
{
	contract(1u << 2);
	assert_true(facts.flash);
	for (uint32_t some = 0; some < 1u << 9; some += 1 + any() % 3) {
		contract(some);
		remember();
		for (unsigned bit = 0; bit < 9; bit++) {
			contract(some | 1u << bit);
			nothing_went();
		}
	}
}

static void
hash_of(uint8_t out[32])
{
	read_bytes();
	memcpy(out, facts.hash, 32);
}

static uint32_t
find(const char *hex)
{
	uint8_t needle[64];
	uint32_t n = n_bytes, len;
	more(hex);
	len = n_bytes - n;
	memcpy(needle, bytes + n, len);
	n_bytes = n;
	for (uint32_t i = 0; i + len <= n; i++) {
		if (memcmp(bytes + i, needle, len) == 0)
			return i;
	}
	fail_msg("%s is not there", hex);
	return 0;
}

static void
normalised(void **state)
{
	static const struct {
		const char *name, *metadata;
	} all[] = {{"V2-0.8 o1 ir0", "a2646970667358"}, {"V2-0.4 o1", "a265627a7a72305820"},
		{"Aave-0.5", "a365627a7a72315820"}, {"Bal-0.7", "a2646970667358"}};
	uint8_t h[32], other[32];
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!named_code(all[i].name))
			fail();
		hash_of(h);
		uint32_t len = n_bytes, at = find(all[i].metadata);
		bytes[at + 12] ^= 0x55; /* of another source file */
		hash_of(other);
		assert_memory_equal(h, other, 32);
		for (unsigned k = 0; k < 96; k++) /* constructor arguments */
			bytes[n_bytes++] = any();
		hash_of(other);
		assert_memory_equal(h, other, 32);
		n_bytes = len;
		/* every other byte counts, but for addresses */
		unsigned same = 0;
		for (uint32_t b = 0; b < at; b += 7) {
			bytes[b] ^= 0x01;
			hash_of(other);
			same += memcmp(h, other, 32) == 0;
			bytes[b] ^= 0x01;
		}
		assert_true(same <= 20);
		bytes[at] ^= 0x40; /* no metadata any more */
		hash_of(other);
		assert_memory_not_equal(h, other, 32);
	}
	assert_true(named_code("Base-0.5"));
	hash_of(h);
	uint32_t at = find("731234567890123456789012345678901234567890");
	bytes[at + 3] ^= 1;
	hash_of(other);
	assert_memory_equal(h, other, 32);
	bytes[at] ^= 1;
	hash_of(other);
	assert_memory_not_equal(h, other, 32);
}

/* What looks like metadata but is executed stays in the hash; so does code that lies behind it. */
static void
hidden_code(void **state)
{
	uint8_t h[32], other[32];
	/* jumps into the map */
	read_code("600a5600 a165627a7a72305820 "
		  "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b 0029");
	hash_of(h);
	read_code("600d5600 a165627a7a72305820 "
		  "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b 0029");
	hash_of(h);
	bytes[20] = 0x00;
	hash_of(other);
	assert_memory_not_equal(h, other, 32);
	/* jumps behind it */
	read_code("602f5600 a165627a7a72305820 "
		  "0101010101010101010101010101010101010101010101010101010101010101 0029 5b335f5500");
	hash_of(h);
	bytes[n_bytes - 4] = 0x32;
	hash_of(other);
	assert_memory_not_equal(h, other, 32);
	bytes[n_bytes - 4] = 0x33;
	bytes[20] ^= 1;
	hash_of(other);
	assert_memory_equal(h, other, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(appended), cmocka_unit_test(reached_in_addition),
		cmocka_unit_test(normalised), cmocka_unit_test(hidden_code)};
	reader = code_new();
	assert_non_null(reader);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	code_free(reader);
	return failed;
}
