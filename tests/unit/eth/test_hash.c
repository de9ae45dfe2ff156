/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/keccak.h"
#include "eth/tx.h"
#include "eth_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE(s) free((void *)(uintptr_t)(s).p)

static const char *
keccak_hex(const char *text)
{
	uint8_t out[32];
	const struct span all = {(const uint8_t *)text, (uint32_t)strlen(text)};
	keccak256(&all, 1, out);
	return help_hex(out, 32);
}

static void
known(void **state)
{
	uint8_t out[32];
	assert_string_equal(
		keccak_hex(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	assert_string_equal(
		keccak_hex("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	assert_string_equal(keccak_hex("transfer(address,uint256)"),
		"a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b");
	keccak256(NULL, 0, out);
	assert_string_equal(
		help_hex(out, 32), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

/* The hash of the hashes of every length from 0 to 1,000 (byte i of length n is 7i + n), as ethers' keccak256
 * gives it. */
static void
every_length(void **state)
{
	static uint8_t hashes[1001][32];
	uint8_t out[32];
	for (unsigned n = 0; n <= 1000; n++) {
		uint8_t *p = malloc(n ? n : 1);
		assert_non_null(p);
		for (unsigned i = 0; i < n; i++)
			p[i] = (uint8_t)(7 * i + n);
		const struct span all = {p, n};
		keccak256(&all, 1, hashes[n]);
		free(p);
	}
	const struct span all = {&hashes[0][0], sizeof hashes};
	keccak256(&all, 1, out);
	assert_string_equal(
		help_hex(out, 32), "9150525baab7df6f02b215cac43515e2382681dd69efb09e67bb48e78a37ee14");
}

static void
parts(void **state)
{
	uint8_t p[450], whole[32], split[32];
	for (unsigned i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)(i * 31);
	const struct span all = {p, sizeof p};
	keccak256(&all, 1, whole);
	for (unsigned a = 0; a <= sizeof p; a++) {
		for (unsigned b = a; b <= sizeof p; b += 13) {
			const struct span three[] = {{p, a}, {p + a, b - a}, {p + b, (uint32_t)sizeof p - b}};
			keccak256(three, 3, split);
			assert_memory_equal(whole, split, 32);
		}
	}
}

/* The example of EIP-155. */
static void
eip_155(void **state)
{
	struct span raw = help_bytes(
		"f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080"
		"25a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb7"
		"03304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
	struct tx t;
	uint8_t out[32];
	assert_int_equal(tx_decode(raw, &t), 0);
	assert_int_equal(t.chain_id, 1);
	tx_sighash(&t, out);
	assert_string_equal(
		help_hex(out, 32), "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
	tx_hash(&t, out);
	assert_string_equal(
		help_hex(out, 32), "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
	assert_int_equal(tx_sender(&t, out), 0);
	assert_string_equal(help_hex(out, 20), "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
	assert_null(tx_valid(&t, 1));
	FREE(raw);
}

static const char *
created(uint64_t nonce)
{
	struct span from = help_bytes("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
	uint8_t out[20];
	tx_created(from.p, nonce, out);
	FREE(from);
	return help_hex(out, 20);
}

/* What ethers' getCreateAddress gives, at each length of the nonce. */
static void
created_addresses(void **state)
{
	static const struct {
		uint64_t nonce;
		const char *address;
	} c[] = {
		{0u, "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"},
		{1u, "343c43a37d37dff08ae8c4a11544c718abb4fcf8"},
		{2u, "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91"},
		{3u, "fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"},
		{127u, "06d9a77f5e4b311bae8d559db9cdb4df94104aa0"},
		{128u, "08e190dcb7b73f5fcdabb43e102215c83659a76d"},
		{255u, "3ef7c1a519e4b4431e317d7839340e3139b03c65"},
		{256u, "3837c1ae70354f670550c746580199ac6a73cb0a"},
		{65535u, "65260eecff4edebabe134f76f1f39a91defde56c"},
		{65536u, "f666a819b370d38f44f2573464da3fba8479b917"},
		{16777215u, "0bdba1d0a9e4d61885e0688be1daed6ad1fceb0c"},
		{16777216u, "2f7e0b32826965de88a6febf0f35f55fdc22b262"},
		{4294967295u, "4c9958390a81acc68a5f19aa8e6188bebbbeefd7"},
		{4294967296u, "f4bf328880432064068338f915c49f817dc4ce18"},
		{1099511627775u, "9e2b6826133872eb1fdcf327459dfab14991ce27"},
		{1099511627776u, "4a16ca4ea66191fac142f1a057a251b3b417eff2"},
		{281474976710655u, "377f4f7055f4a8009faeada31c02ce2e18d55247"},
		{281474976710656u, "fa5404689ce3f8d155eed90828447095d6c678f5"},
		{72057594037927935u, "fee7f23800cafd7d3c86002e3c7e268e81019a89"},
		{72057594037927936u, "c581fcf5bf78cca5e1ec09f3720829b28f4ebdd8"},
		{18446744073709551614u, "9ab3917bcc9efbcf7de35bced143ed95c3b3cbf5"},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
		assert_string_equal(created(c[i].nonce), c[i].address);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(known), cmocka_unit_test(every_length),
		cmocka_unit_test(parts), cmocka_unit_test(eip_155), cmocka_unit_test(created_addresses)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
