/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/txobj.h"

#include "eth/tx.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAP (TX_BYTES_MAX + 4096)

static uint8_t raw[CAP];
static char err[256];
static struct claim claim;

static struct tx
read_tx(const char *text)
{
	struct tx t;
	int n = txobj_claimed(text, strlen(text), raw, sizeof raw, &claim, err, sizeof err);
	if (n < 0)
		print_message("%s -> %s\n", text, err);
	assert_true(n > 0);
	assert_int_equal(tx_decode((struct span){raw, (uint32_t)n}, &t), 0);
	return t;
}

static void
expect_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[256];
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	assert_string_equal(text, hex);
}

/* EIP-155's example: https://eips.ethereum.org/EIPS/eip-155 */
static void
test_signed(void **state)
{
	uint8_t hash[32], from[20];
	struct tx t = read_tx("{\"nonce\":\"0x9\",\"gasPrice\":\"0x4a817c800\",\"gas\":\"0x5208\","
			      "\"to\":\"0x3535353535353535353535353535353535353535\",\"value\":\"0xde0b6b3a7640000\",\"input\":\"0x\","
			      "\"v\":\"0x25\",\"r\":\"0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\","
			      "\"s\":\"0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83\"}");
	tx_hash(&t, hash);
	expect_hex(hash, 32, "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
	assert_int_equal(tx_sender(&t, from), 0);
	expect_hex(from, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
	assert_int_equal(t.chain_id, 1);
	assert_int_equal(claim.has, 0);
}

static void
test_defaults(void **state)
{
	struct tx t = read_tx("{}");
	assert_int_equal(t.type, TX_LEGACY);
	assert_int_equal(t.to.len, 0);
	assert_int_equal(t.gas, 1000000);
	assert_false(t.has_chain_id);
	assert_int_equal(claim.has, CLAIM_UNSIGNED | CLAIM_NO_NONCE | CLAIM_NO_CHAIN);
	t = read_tx("{\"to\":null,\"input\":null,\"nonce\":null,\"maxFeePerGas\":\"0x1\",\"accessList\":[]}");
	assert_int_equal(t.type, TX_1559);
	assert_int_equal(t.chain_id, 1);
	assert_true(claim.has & CLAIM_NO_CHAIN);
	t = read_tx("{\"chainId\":\"0x89\",\"nonce\":7,\"gas\":\"21000\",\"value\":\"1000000000000000000000\"}");
	assert_int_equal(t.type, TX_LEGACY);
	assert_int_equal(t.chain_id, 0x89);
	assert_int_equal(t.nonce, 7);
	assert_int_equal(t.gas, 21000);
	assert_int_equal(claim.has, CLAIM_UNSIGNED);
	expect_hex(t.value.p, t.value.len, "3635c9adc5dea00000");
}

static void
test_types(void **state)
{
	struct tx t = read_tx("{\"accessList\":[{\"address\":\"0x3535353535353535353535353535353535353535\",\"storageKeys\":["
			      "\"0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\"]},"
			      "{\"address\":\"0x3535353535353535353535353535353535353536\"}]}");
	assert_int_equal(t.type, TX_2930);
	assert_int_equal(t.n_access, 2);
	t = read_tx("{\"blobVersionedHashes\":[\"0x01ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\"],"
		    "\"to\":\"0x3535353535353535353535353535353535353535\",\"maxFeePerBlobGas\":\"0x7\"}");
	assert_int_equal(t.type, TX_4844);
	assert_int_equal(t.n_blobs, 1);
	t = read_tx("{\"authorizationList\":[{\"chainId\":\"0x1\",\"address\":\"0x3535353535353535353535353535353535353535\","
		    "\"nonce\":\"0x0\",\"yParity\":\"0x1\",\"r\":\"0x1\",\"s\":\"0x2\"}],\"to\":\"0x3535353535353535353535353535353535353535\"}");
	assert_int_equal(t.type, TX_7702);
	assert_int_equal(t.n_auth, 1);
	t = read_tx("{\"type\":\"0x0\",\"maxFeePerGas\":\"0x5\",\"gasPrice\":\"0x6\"}");
	assert_int_equal(t.type, TX_LEGACY);
	expect_hex(t.fee_cap.p, t.fee_cap.len, "06");
	t = read_tx("{\"type\":\"0x2\",\"maxFeePerGas\":\"0x5\",\"gasPrice\":\"0x6\",\"maxPriorityFeePerGas\":\"0x1\"}");
	expect_hex(t.fee_cap.p, t.fee_cap.len, "05");
	expect_hex(t.tip_cap.p, t.tip_cap.len, "01");
}

/* Two that differ in hash or sender alone stay two, and carry what was said of them. */
static void
test_claims(void **state)
{
	uint8_t first[2048];
	const char *a = "{\"to\":\"0x3535353535353535353535353535353535353535\",\"hash\":"
			"\"0x00ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\",\"from\":"
			"\"0x0000000000000000000000000000000000000001\"}";
	int n = txobj_claimed(a, strlen(a), first, sizeof first, &claim, err, sizeof err);
	assert_true(n > 0);
	assert_int_equal(claim.has, CLAIM_HASH | CLAIM_FROM | CLAIM_UNSIGNED | CLAIM_NO_NONCE | CLAIM_NO_CHAIN);
	expect_hex(claim.from, 20, "0000000000000000000000000000000000000001");
	expect_hex(claim.hash, 32, "00ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
	char b[512];
	snprintf(b, sizeof b, "%s", a);
	*strstr(b, "276\"") = '3';
	int m = txobj_claimed(b, strlen(b), raw, sizeof raw, &claim, err, sizeof err);
	assert_true(m != n || memcmp(first, raw, (size_t)n) != 0);
	/* zero hash and sender make no signature of zeros */
	struct tx t = read_tx("{\"hash\":\"0x0000000000000000000000000000000000000000000000000000000000000000\","
			      "\"from\":\"0x0000000000000000000000000000000000000000\"}");
	assert_int_equal(t.r.len, 1);
	/* a template of a node: r and s zero are no signature */
	read_tx("{\"v\":\"0x0\",\"r\":\"0x0\",\"s\":\"0x0\"}");
	assert_true(claim.has & CLAIM_UNSIGNED);
}

static void
test_raw(void **state)
{
	const char *text = "{\"raw\":\"0xC0fFee\",\"seen\":\"1\"}";
	assert_int_equal(txobj_claimed(text, strlen(text), raw, sizeof raw, &claim, err, sizeof err), 3);
	expect_hex(raw, 3, "c0ffee");
	assert_int_equal(claim.has, 0);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} v[] = {
		{"", "not JSON"},
		{"[]", "must be an object"},
		{"{", "not JSON"},
		{"{\"to\":\"0x1\",\"to\":\"0x2\"}", "not JSON"},
		{"{} {}", "not JSON"},
		{"{\"raw\":5}", "raw must be a string"},
		{"{\"raw\":\"c0ffee\"}", "raw must be a string of 0x"},
		{"{\"raw\":\"0xabc\"}", "raw has an odd number"},
		{"{\"raw\":\"0xzz\"}", "raw has a character"},
		{"{\"to\":\"0x35\"}", "to must be 20 bytes, not 1"},
		{"{\"to\":{}}", "to must be a string"},
		{"{\"nonce\":\"0x10000000000000000\"}", "nonce is larger than 64 bits"},
		{"{\"nonce\":-1}", "nonce must be a number"},
		{"{\"nonce\":1.5}", "nonce must be a number"},
		{"{\"nonce\":\"\"}", "nonce must be a number"},
		{"{\"nonce\":\"0x\"}", "nonce must be a number"},
		{"{\"gas\":true}", "gas must be a number"},
		{"{\"gasLimit\":[]}", "gasLimit must be a number"},
		{"{\"value\":\"0x10000000000000000000000000000000000000000000000000000000000000000\"}", "value is larger than 256 bits"},
		{"{\"value\":\"12a\"}", "value must be a number"},
		{"{\"type\":\"0x5\"}", "type must be 0 to 4"},
		{"{\"input\":\"0x01\",\"data\":\"0x02\"}", "input and data disagree"},
		{"{\"input\":\"0x01\",\"data\":\"0x0102\"}", "input and data disagree"},
		{"{\"r\":\"0x1\"}", "s is missing"},
		{"{\"s\":\"0x1\"}", "r is missing"},
		{"{\"r\":\"0x1\",\"s\":\"0x1\"}", "v is missing"},
		{"{\"accessList\":{}}", "accessList must be a list"},
		{"{\"accessList\":[5]}", "accessList must be a list of objects"},
		{"{\"accessList\":[{}]}", "accessList.address"},
		{"{\"accessList\":[{\"address\":\"0x3535353535353535353535353535353535353535\",\"storageKeys\":[\"0x1\"]}]}",
			"accessList.storageKeys"},
		{"{\"blobVersionedHashes\":[\"0x01\"]}", "blobVersionedHashes must be 32 bytes"},
		{"{\"authorizationList\":[{\"nonce\":\"x\"}]}", "authorizationList.address"},
		{"{\"hash\":\"0x12\"}", "hash must be 32 bytes"},
		{"{\"from\":5}", "from must be a string"},
		{"{\"chainId\":\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"}", "chainId is too large"},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		int rc = txobj_parse(v[i].text, strlen(v[i].text), raw, sizeof raw, err, sizeof err);
		if (rc != -EINVAL || strstr(err, v[i].says) == NULL)
			print_message("%s -> %d %s\n", v[i].text, rc, err);
		assert_int_equal(rc, -EINVAL);
		assert_non_null(strstr(err, v[i].says));
	}
}

static void
test_long_integers(void **state)
{
	struct tx t = read_tx("{\"x\":18446744073709551615,\"y\":[99999999999999999999,1.5,-2],\"value\" : 18446744073709551616,"
			      "\"z\":\"\\\":18446744073709551615\",\"gas\":21000,\"nonce\":18446744073709551615}");
	expect_hex(t.value.p, t.value.len, "010000000000000000");
	assert_int_equal(t.gas, 21000);
	assert_true(t.nonce == UINT64_MAX);
	const char *beyond = "{\"value\":1157920892373161954235709850086879078532699846656405640394575840079131296399360000}";
	assert_int_equal(txobj_parse(beyond, strlen(beyond), raw, sizeof raw, err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, "value is larger than 256 bits"));
	const char *negative = "{\"value\":-18446744073709551616}";
	assert_int_equal(txobj_parse(negative, strlen(negative), raw, sizeof raw, err, sizeof err), -EINVAL);
}

/* Every capacity: exactly the bytes, or a refusal, and never a byte beyond. */
static void
test_capacity(void **state)
{
	const char *text = "{\"input\":\"0x000102030405060708090a0b0c0d0e0f\",\"accessList\":[{\"address\":"
			   "\"0x3535353535353535353535353535353535353535\"}]}";
	int whole = txobj_parse(text, strlen(text), raw, sizeof raw, err, sizeof err);
	assert_true(whole > 0);
	for (size_t cap = 0; cap <= (size_t)whole; cap++) {
		uint8_t *out = malloc(cap ? cap : 1);
		int n = txobj_parse(text, strlen(text), out, cap, err, sizeof err);
		assert_int_equal(n, cap == (size_t)whole ? whole : -EMSGSIZE);
		free(out);
	}
	size_t n = 2 * (CAP + 8) + 64;
	char *big = malloc(n);
	int head = snprintf(big, n, "{\"input\":\"0x");
	memset(big + head, 'a', 2 * (CAP + 8));
	strcpy(big + head + 2 * (CAP + 8), "\"}");
	assert_int_equal(txobj_parse(big, strlen(big), raw, sizeof raw, err, sizeof err), -EMSGSIZE);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_integers),
		cmocka_unit_test(test_capacity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
