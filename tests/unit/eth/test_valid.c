/* SPDX-License-Identifier: BSD-3-Clause */
/* tx_rules, tx_valid, signatures: each rule at its border, on transactions that are valid otherwise. */
#include "eth/rlp.h"
#include "eth/tx.h"
#include "eth_help.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE(s) free((void *)(uintptr_t)(s).p)

static const uint8_t zeros[1 << 17];

/* Signs f for mainnet and asks; NULL or the reason. The sender must be the key's whatever the rules say. */
static const char *
valid(struct tx_fields *f, uint64_t chain)
{
	struct span raw = help_sign(f, 1);
	struct tx t;
	uint8_t from[20];
	assert_int_equal(tx_decode(raw, &t), 0);
	assert_int_equal(tx_signature_check(&t), 0);
	assert_int_equal(tx_sender(&t, from), 0);
	assert_memory_equal(from, help_address(), 20);
	const char *why = tx_valid(&t, chain);
	assert_ptr_equal(why, tx_rules(&t, chain));
	FREE(raw);
	return why;
}

static void
expect(struct tx_fields *f, const char *reason)
{
	const char *why = valid(f, 1);
	if (reason == NULL && why != NULL)
		fail_msg("type %u: %s", f->type, why);
	if (reason != NULL)
		assert_string_equal(why ? why : "valid", reason);
}

static void
plain(void **state)
{
	for (uint8_t type = 0; type <= TX_7702; type++) {
		struct tx_fields f = help_fields(type);
		assert_null(valid(&f, 0));
		assert_null(valid(&f, 1));
		assert_string_equal(valid(&f, 2), "wrong chain id");
		assert_string_equal(valid(&f, UINT64_MAX), "wrong chain id");
	}
}

/* An unprotected transaction is valid on every chain. */
static void
unprotected(void **state)
{
	struct tx_fields f = help_fields(TX_LEGACY);
	struct span raw = help_sign(&f, 0);
	struct tx t;
	uint8_t from[20];
	assert_int_equal(tx_decode(raw, &t), 0);
	assert_false(tx_is_protected(&t));
	assert_int_equal(tx_sender(&t, from), 0);
	assert_memory_equal(from, help_address(), 20);
	assert_null(tx_valid(&t, 1));
	assert_null(tx_valid(&t, 137));
	FREE(raw);
}

static void
huge_chain(void **state)
{
	static const uint8_t max[8] = {255, 255, 255, 255, 255, 255, 255, 255}, more[9] = {1};
	struct tx_fields f = help_fields(TX_1559);
	f.chain_id = (struct span){max, 8};
	assert_null(valid(&f, UINT64_MAX));
	assert_string_equal(valid(&f, 1), "wrong chain id");
	f.chain_id = (struct span){more, 9};
	assert_null(valid(&f, 0));
	assert_string_equal(valid(&f, UINT64_MAX), "wrong chain id");
}

static void
nonce(void **state)
{
	struct tx_fields f = help_fields(TX_1559);
	f.nonce = UINT64_MAX - 1;
	expect(&f, NULL);
	f.nonce = UINT64_MAX;
	expect(&f, "nonce too high");
}

static void
fees(void **state)
{
	uint8_t fee[32], tip[32];
	struct tx_fields f = help_fields(TX_1559);
	memset(fee, 0x10, sizeof fee);
	memcpy(tip, fee, sizeof tip);
	f.fee_cap = (struct span){fee, 8};
	f.tip_cap = (struct span){tip, 8};
	expect(&f, NULL);
	tip[7]++;
	expect(&f, "tip above fee cap");
	f.tip_cap.len = 9;
	expect(&f, "tip above fee cap");
	f.tip_cap.len = 0;
	expect(&f, NULL);
	f.fee_cap.len = 0;
	expect(&f, NULL);
}

/* gas * price at 2^256 - 1 (200,000 does not divide it: the last price below), and at 2^256 with gas a power
 * of two. */
static void
price_overflow(void **state)
{
	uint8_t price[32] = {0};
	struct tx_fields f = help_fields(TX_LEGACY);
	f.gas = 1 << 18;
	f.fee_cap = (struct span){price, 32};
	price[2] = 0x40; /* 2^238 */
	expect(&f, "gas times price overflows");
	memset(price, 0, sizeof price);
	price[2] = 0x3f;
	memset(price + 3, 0xff, 29);
	expect(&f, NULL);
	f.gas++;
	expect(&f, "gas times price overflows");
	f.gas = UINT64_MAX;
	f.fee_cap = (struct span){price + 8, 24};
	expect(&f, NULL);
	f.fee_cap = (struct span){price + 7, 25};
	expect(&f, "gas times price overflows");
}

static void
at_least(struct tx_fields *f, uint64_t gas)
{
	f->gas = gas;
	expect(f, NULL);
	f->gas = gas - 1;
	expect(f, "gas below intrinsic");
}

static void
intrinsic_gas(void **state)
{
	static const uint8_t data[64] = {1, 2, 3};
	uint8_t list[200];
	struct rlp_out o = {list, 0, sizeof list, false};
	struct tx_fields f = help_fields(TX_LEGACY);
	f.data.len = 0;
	at_least(&f, 21000);
	f.data = (struct span){data, 64};
	at_least(&f, 21000 + 3 * 16 + 61 * 4);
	f.to.len = 0;
	at_least(&f, 53000 + 3 * 16 + 61 * 4 + 2 * 2);
	f.data.len = 33;
	at_least(&f, 53000 + 3 * 16 + 30 * 4 + 2 * 2);
	f.data.len = 32;
	at_least(&f, 53000 + 3 * 16 + 29 * 4 + 1 * 2);

	for (unsigned keys = 0; keys < 3; keys++) {
		size_t entry = rlp_list_begin(&o);
		rlp_put_string(&o, (struct span){zeros, 20});
		size_t begin = rlp_list_begin(&o);
		for (unsigned k = 0; k < keys; k++)
			rlp_put_string(&o, (struct span){zeros, 32});
		rlp_list_end(&o, begin);
		rlp_list_end(&o, entry);
	}
	assert_false(o.full);
	f = help_fields(TX_2930);
	f.data.len = 0;
	f.access_list = (struct span){list, (uint32_t)o.n};
	at_least(&f, 21000 + 3 * 2400 + 3 * 1900);
	f = help_fields(TX_7702);
	f.data.len = 0;
	at_least(&f, 21000 + 25000);
}

/* Type 4 came with the calldata floor; older types are judged without. */
static void
floor_gas(void **state)
{
	struct tx_fields f = help_fields(TX_7702);
	f.data = (struct span){zeros, 10000};
	at_least(&f, 21000 + 10 * 10000);
	f = help_fields(TX_1559);
	f.data = (struct span){zeros, 10000};
	at_least(&f, 21000 + 4 * 10000);
	f.gas = (1 << 24) + 1;
	expect(&f, NULL);
}

static void
init_code(void **state)
{
	struct tx_fields f = help_fields(TX_1559);
	f.gas = 10000000;
	f.to.len = 0;
	f.data = (struct span){zeros, 49152};
	expect(&f, NULL);
	f.data.len++;
	expect(&f, "init code too long");
	f = help_fields(TX_1559);
	f.gas = 10000000;
	f.data = (struct span){zeros, 49153};
	expect(&f, NULL);
}

static void
lists(void **state)
{
	uint8_t hashes[7 * 33];
	struct tx_fields f = help_fields(TX_7702);
	f.auth_list.len = 0;
	expect(&f, "empty authorization list");
	f = help_fields(TX_4844);
	f.blob_hashes.len = 0;
	expect(&f, "no blob hashes");
	memset(hashes, 0, sizeof hashes);
	for (unsigned i = 0; i < 7; i++) {
		hashes[33 * i] = 0xa0;
		hashes[33 * i + 1] = 1;
	}
	f.blob_hashes = (struct span){hashes, 6 * 33};
	expect(&f, NULL);
	f.blob_hashes.len = 7 * 33;
	expect(&f, "too many blobs");
	f.blob_hashes.len = 6 * 33;
	hashes[5 * 33 + 1] = 2;
	expect(&f, "unknown blob hash version");
}

/* ---- sidecars ---- */

struct sidecar {
	int version;
	unsigned blobs, commitments, proofs;
	bool spoil;
};

static void
put_strings(struct rlp_out *o, unsigned n, uint32_t each, uint8_t fill)
{
	uint8_t *p = malloc(each);
	assert_non_null(p);
	size_t begin = rlp_list_begin(o);
	for (unsigned i = 0; i < n; i++) {
		memset(p, fill ? (int)(fill + i) : 0, each);
		rlp_put_string(o, (struct span){p, each});
	}
	rlp_list_end(o, begin);
	free(p);
}

static const char *
sidecar_reason(const struct sidecar *s)
{
	static uint8_t all[1 << 19];
	static const uint8_t type = TX_4844;
	struct rlp_out o = {all, 0, sizeof all, false};
	uint8_t hashes[66], commitment[48];
	struct tx t;
	for (unsigned i = 0; i < 2; i++) {
		struct sha256_ctx ctx;
		memset(commitment, (int)(0x80 + i + (i == 1 && s->spoil)), sizeof commitment);
		sha256_init(&ctx);
		sha256_update(&ctx, sizeof commitment, commitment);
		sha256_digest(&ctx, 32, hashes + 33 * i + 1);
		hashes[33 * i] = 0xa0;
		hashes[33 * i + 1] = 1;
	}
	struct tx_fields f = help_fields(TX_4844);
	f.blob_hashes = (struct span){hashes, 66};
	struct span tx = help_sign(&f, 1);
	rlp_put_raw(&o, (struct span){&type, 1});
	size_t begin = rlp_list_begin(&o);
	rlp_put_raw(&o, (struct span){tx.p + 1, tx.len - 1});
	if (s->version == 1)
		rlp_put_u64(&o, 1);
	put_strings(&o, s->blobs, 131072, 0);
	put_strings(&o, s->commitments, 48, 0x80);
	put_strings(&o, s->proofs, 48, 0);
	rlp_list_end(&o, begin);
	assert_false(o.full);
	FREE(tx);
	assert_int_equal(tx_decode((struct span){all, (uint32_t)o.n}, &t), 0);
	return tx_valid(&t, 1);
}

static void
sidecars(void **state)
{
	static const char counts[] = "sidecar does not match the number of blob hashes";
	static const struct {
		struct sidecar s;
		const char *reason;
	} c[] = {{{0, 2, 2, 2, false}, NULL}, {{1, 2, 2, 256, false}, NULL}, {{0, 1, 2, 2, false}, counts},
		{{0, 2, 1, 2, false}, counts}, {{0, 2, 2, 3, false}, counts}, {{1, 2, 2, 2, false}, counts},
		{{0, 2, 2, 256, false}, counts}, {{0, 3, 3, 3, false}, counts},
		{{0, 2, 2, 2, true}, "commitments do not match the blob hashes"}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		const char *why = sidecar_reason(&c[i].s);
		assert_string_equal(why ? why : "valid", c[i].reason ? c[i].reason : "valid");
	}
}

/* ---- signatures ---- */

static const char n_hex[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
static const char n_minus_1[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
static const char half_hex[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
static const char half_plus_1[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";

/* 0 or -EINVAL of tx_signature_check; tx_sender refuses whatever it refuses. */
static int
check(uint8_t type, const char *v_hex, const char *r_hex, const char *s_hex)
{
	struct tx_fields f = help_fields(type);
	struct span v = help_bytes(v_hex), r = help_bytes(r_hex), s = help_bytes(s_hex);
	f.v = v;
	f.r = r;
	f.s = s;
	struct span raw = help_build(&f);
	struct tx t;
	uint8_t from[20];
	assert_int_equal(tx_decode(raw, &t), 0);
	int rc = tx_signature_check(&t);
	if (rc != 0) {
		assert_int_equal(tx_sender(&t, from), -EINVAL);
		assert_string_equal(tx_valid(&t, 0), "bad signature");
	}
	FREE(raw);
	FREE(v);
	FREE(r);
	FREE(s);
	return rc;
}

static void
ranges(void **state)
{
	static const struct {
		uint8_t type;
		const char *v, *r, *s;
		bool good;
	} c[] = {{2, "", "01", "01", true}, {2, "01", "01", "01", true}, {2, "02", "01", "01", false},
		{2, "1b", "01", "01", false}, {2, "0100", "01", "01", false}, {0, "1b", "01", "01", true},
		{0, "1c", "01", "01", true}, {0, "1a", "01", "01", false}, {0, "1d", "01", "01", false},
		{0, "22", "01", "01", false}, {0, "", "01", "01", false}, {0, "01", "01", "01", false},
		{0, "23", "01", "01", true}, {0, "25", "01", "01", true}, {0, "26", "01", "01", true},
		{0, "011b", "01", "01", true}, {2, "", "", "01", false}, {2, "", "01", "", false},
		{2, "", n_hex, "01", false}, {2, "", n_minus_1, "01", true}, {2, "", "01", half_hex, true},
		{2, "", "01", half_plus_1, false}, {2, "", "01", n_minus_1, false},
		{2, "", "01", n_hex, false}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
		if ((check(c[i].type, c[i].v, c[i].r, c[i].s) == 0) != c[i].good)
			fail_msg("type %u v %s r %s s %s", c[i].type, c[i].v, c[i].r, c[i].s);
}

/* The other form of the same signature, (r, n - s, other parity), recovers the same key on the curve; EIP-2
 * refuses it. */
static void
high_s(void **state)
{
	struct tx_fields f = help_fields(TX_1559);
	struct span raw = help_sign(&f, 1), n = help_bytes(n_hex);
	uint8_t s[32], from[20];
	struct tx t;
	int borrow = 0;
	assert_int_equal(f.s.len, 32);
	for (int i = 31; i >= 0; i--) {
		int d = n.p[i] - f.s.p[i] - borrow;
		borrow = d < 0;
		s[i] = (uint8_t)d;
	}
	static const uint8_t parity[2] = {0, 1};
	f.v = (struct span){&parity[f.v.p[7] == 0], 1};
	f.s = (struct span){s, 32};
	struct span other = help_build(&f);
	assert_int_equal(tx_decode(other, &t), 0);
	assert_int_equal(tx_signature_check(&t), -EINVAL);
	assert_int_equal(tx_sender(&t, from), -EINVAL);
	assert_string_equal(tx_valid(&t, 1), "bad signature");
	FREE(other);
	FREE(n);
	FREE(raw);
}

/* r = 5 is no x coordinate of the curve: in range, yet nobody signed. */
static void
recovers_nothing(void **state)
{
	struct tx_fields f = help_fields(TX_1559);
	static const uint8_t five[1] = {5}, one[1] = {1};
	f.v.len = 0;
	f.r = (struct span){five, 1};
	f.s = (struct span){one, 1};
	struct span raw = help_build(&f);
	struct tx t;
	uint8_t from[20];
	assert_int_equal(tx_decode(raw, &t), 0);
	assert_int_equal(tx_signature_check(&t), 0);
	assert_int_equal(tx_sender(&t, from), -EINVAL);
	assert_null(tx_rules(&t, 1));
	assert_string_equal(tx_valid(&t, 1), "bad signature");
	FREE(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(unprotected),
		cmocka_unit_test(huge_chain), cmocka_unit_test(nonce), cmocka_unit_test(fees),
		cmocka_unit_test(price_overflow), cmocka_unit_test(intrinsic_gas),
		cmocka_unit_test(floor_gas), cmocka_unit_test(init_code), cmocka_unit_test(lists),
		cmocka_unit_test(sidecars), cmocka_unit_test(ranges), cmocka_unit_test(high_s),
		cmocka_unit_test(recovers_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
