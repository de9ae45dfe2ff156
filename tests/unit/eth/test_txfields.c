/* SPDX-License-Identifier: BSD-3-Clause */
/* Members into bytes: every type, what is missing, what is out of range, and how other nodes than geth say
 * the same. That every value of every member gives what ethers gives is shown by
 * tests/e2e/wire/answer_diff.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "eth/keccak.h"
#include "eth/rlp.h"
#include "eth/tx_build.h"
#include "eth/txfields.h"

#include <stdlib.h>
#include <string.h>

static uint8_t out[TXFIELDS_ROOM], expected[TX_BYTES_MAX], hash[32];
static uint32_t len;
static struct answer_tx t;

static const uint8_t address[20] = {0xaa, 1}, word[32] = {0x77, 2}, one[1] = {1}, two[2] = {0, 2},
		     big[33] = {1};
static const uint8_t v37[1] = {37}, v38[1] = {38}, v27[1] = {27}, v28[1] = {28}, zero[1] = {0},
		     types[8] = {0, 1, 2, 3, 4, 5};
static const uint8_t data[5] = {1, 2, 3, 4, 5};

static void
set(enum answer_member m, const uint8_t *p, uint32_t n)
{
	t.m[m] = (struct span){p, n};
	t.has |= TXM_BIT(m);
}

static void
unset(enum answer_member m)
{
	t.has &= ~TXM_BIT(m);
}

#define S(a) ((struct span){a, sizeof a})

/* The members of a transaction of this type, and what they should give. */
static void
make(unsigned type, struct tx_fields *f)
{
	memset(&t, 0, sizeof t);
	set(TXM_TYPE, &types[type], 1);
	set(TXM_NONCE, two, 2);
	set(TXM_GAS, word + 1, 1);
	set(TXM_VALUE, zero, 1);
	set(TXM_INPUT, data, 5);
	set(TXM_TO, address, 20);
	set(TXM_CHAIN_ID, one, 1);
	set(TXM_GAS_PRICE, word, 8);
	if (type >= TX_1559) {
		set(TXM_FEE_CAP, word, 9);
		set(TXM_TIP_CAP, one, 1);
	}
	set(TXM_BLOB_FEE_CAP, two, 2);
	set(TXM_V, type == TX_LEGACY ? v38 : one, 1);
	set(TXM_R, word, 32);
	set(TXM_S, address, 20);
	*f = (struct tx_fields){.type = (uint8_t)type,
		.chain_id = S(one),
		.nonce = 2,
		.gas = word[1],
		.fee_cap = {word, type >= TX_1559 ? 9 : 8},
		.tip_cap = S(one),
		.to = S(address),
		.data = S(data),
		.blob_fee_cap = S(two),
		.r = S(word),
		.s = S(address)};
	f->v = type == TX_LEGACY ? S(v38) : S(one);
}

static void
seal(const struct tx_fields *f)
{
	int n = tx_build(f, expected, sizeof expected);
	assert_true(n > 0);
	struct span part = {expected, (uint32_t)n};
	keccak256(&part, 1, hash);
	set(TXM_HASH, hash, 32);
}

static enum txfields_state
build(void)
{
	memset(out, 0xee, sizeof out);
	enum txfields_state s = txfields_build(&t, out, &len);
	assert_int_equal(len > 0, s == TXFIELDS_OK || s == TXFIELDS_UNVERIFIED);
	if (s == TXFIELDS_OK)
		assert_memory_equal(out, expected, len);
	return s;
}

static void
every_type(void **state)
{
	struct tx_fields f;
	uint8_t access[2 * ANSWER_ENTRY + 64] = {0}, auth[ANSWER_AUTH] = {0}, rlp[3][256];
	struct rlp_out o[3] = {{rlp[0], 0, 256, false}, {rlp[1], 0, 256, false}, {rlp[2], 0, 256, false}};
	uint32_t keys = 2;
	memcpy(access, address, 20);
	memcpy(access + 20, &keys, 4);
	memcpy(access + ANSWER_ENTRY, word, 32); /* the second key is all zeros, the second entry has none */
	size_t a = rlp_list_begin(&o[0]);
	rlp_put_string(&o[0], S(address));
	size_t b = rlp_list_begin(&o[0]);
	rlp_put_string(&o[0], S(word));
	rlp_put_string(&o[0], (struct span){access + ANSWER_ENTRY + 32, 32});
	rlp_list_end(&o[0], b);
	rlp_list_end(&o[0], a);
	a = rlp_list_begin(&o[0]);
	rlp_put_string(&o[0], (struct span){access + ANSWER_ENTRY + 64, 20});
	b = rlp_list_begin(&o[0]);
	rlp_list_end(&o[0], b);
	rlp_list_end(&o[0], a);
	rlp_put_string(&o[1], S(word));
	a = rlp_list_begin(&o[2]);
	for (unsigned i = 0; i < ANSWER_SLOTS; i++) {
		uint8_t *slot = auth + i * ANSWER_SLOT;
		slot[0] = i == SLOT_ADDRESS ? 20
			  : i == SLOT_NONCE ? 2
					    : 1; /* the nonce with a zero in front, the rest 0 */
		if (i == SLOT_NONCE)
			slot[2] = 9;
		if (i == SLOT_ADDRESS)
			rlp_put_string(&o[2], (struct span){slot + 1, 20});
		else
			rlp_put_u64(&o[2], i == SLOT_NONCE ? 9 : 0);
	}
	rlp_list_end(&o[2], a);
	for (unsigned type = 0; type <= TX_7702; type++) {
		make(type, &f);
		set(TXM_ACCESS, access, sizeof access);
		set(TXM_BLOBS, word, 32);
		set(TXM_AUTH, auth, sizeof auth);
		f.access_list = (struct span){rlp[0], (uint32_t)o[0].n};
		f.blob_hashes = (struct span){rlp[1], (uint32_t)o[1].n};
		f.auth_list = (struct span){rlp[2], (uint32_t)o[2].n};
		seal(&f);
		assert_int_equal(build(), TXFIELDS_OK);
		struct tx x;
		assert_int_equal(tx_decode((struct span){out, len}, &x), 0);
		assert_int_equal(x.type, type);
		hash[5] ^= 1;
		assert_int_equal(build(), TXFIELDS_MISMATCH);
		unset(TXM_HASH);
		assert_int_equal(build(), TXFIELDS_UNVERIFIED);
		assert_memory_equal(out, expected, len);
	}
}

static void
what_is_missing(void **state)
{
	static const enum answer_member needed[] = {TXM_NONCE, TXM_GAS, TXM_VALUE, TXM_GAS_PRICE, TXM_FEE_CAP,
		TXM_TIP_CAP, TXM_BLOB_FEE_CAP, TXM_CHAIN_ID};
	struct tx_fields f;
	for (unsigned type = 0; type <= TX_7702; type++) {
		for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++) {
			make(type, &f);
			seal(&f);
			enum answer_member m = needed[i];
			bool has_it = m == TXM_GAS_PRICE		     ? type < TX_1559
				      : m == TXM_FEE_CAP || m == TXM_TIP_CAP ? type >= TX_1559
				      : m == TXM_BLOB_FEE_CAP		     ? type == TX_4844
				      : m == TXM_CHAIN_ID		     ? type != TX_LEGACY
									     : true;
			unset(m);
			assert_int_equal(build(), has_it ? TXFIELDS_FIELD : TXFIELDS_OK);
		}
	}
	/* no recipient: a creation; no data: none; data under its other name */
	make(TX_1559, &f);
	f.to.len = 0;
	seal(&f);
	unset(TXM_TO);
	assert_int_equal(build(), TXFIELDS_OK);
	set(TXM_DATA, data, 5);
	unset(TXM_INPUT);
	assert_int_equal(build(), TXFIELDS_OK);
	f.data.len = 0;
	unset(TXM_DATA);
	seal(&f);
	assert_int_equal(build(), TXFIELDS_OK);
}

static void
out_of_range(void **state)
{
	static const struct {
		enum answer_member m;
		uint32_t len;
		enum txfields_state s;
	} rows[] = {
		{TXM_NONCE, 9, TXFIELDS_FIELD},
		{TXM_GAS, 9, TXFIELDS_FIELD},
		{TXM_VALUE, 33, TXFIELDS_FIELD},
		{TXM_FEE_CAP, 33, TXFIELDS_FIELD},
		{TXM_TIP_CAP, 33, TXFIELDS_FIELD},
		{TXM_CHAIN_ID, 33, TXFIELDS_FIELD},
		{TXM_V, 33, TXFIELDS_FIELD},
		{TXM_R, 33, TXFIELDS_FIELD},
		{TXM_S, 33, TXFIELDS_FIELD},
		{TXM_TO, 19, TXFIELDS_FIELD},
		{TXM_TO, 21, TXFIELDS_FIELD},
		{TXM_HASH, 31, TXFIELDS_FIELD},
		{TXM_TYPE, 9, TXFIELDS_TYPE},
		{TXM_TYPE, 2, TXFIELDS_TYPE},
	};
	struct tx_fields f;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		make(TX_1559, &f);
		seal(&f);
		set(rows[i].m, big, rows[i].len);
		assert_int_equal(build(), rows[i].s);
	}
	make(TX_1559, &f);
	set(TXM_TYPE, &types[5], 1);
	assert_int_equal(build(), TXFIELDS_TYPE);
	static uint8_t huge[TX_BYTES_MAX];
	make(TX_1559, &f);
	set(TXM_INPUT, huge, sizeof huge);
	assert_int_equal(build(), TXFIELDS_OVERSIZE);
	set(TXM_INPUT, data, 5);
	set(TXM_ACCESS, huge, sizeof huge); /* entries without keys: their RLP is longer */
	assert_int_equal(build(), TXFIELDS_OVERSIZE);
	set(TXM_ACCESS, huge, ANSWER_ENTRY - 1); /* no scanner makes this */
	assert_int_equal(build(), TXFIELDS_OVERSIZE);
}

static void
signatures(void **state)
{
	struct tx_fields f;
	make(TX_2930, &f);
	seal(&f);
	unset(TXM_R);
	unset(TXM_S);
	assert_int_equal(build(), TXFIELDS_UNSIGNED);
	set(TXM_R, zero, 1);
	set(TXM_S, zero, 1);
	assert_int_equal(build(), TXFIELDS_UNSIGNED);
	unset(TXM_GAS); /* a template may lack more */
	assert_int_equal(build(), TXFIELDS_UNSIGNED);
	/* a typed transaction's parity under both names, the one that is meant counts */
	make(TX_2930, &f);
	seal(&f);
	set(TXM_Y_PARITY, one, 1);
	set(TXM_V, v38, 1);
	assert_int_equal(build(), TXFIELDS_OK);
	/* legacy: v with the chain in it, before EIP-155, and as other nodes say both */
	make(TX_LEGACY, &f);
	seal(&f);
	assert_int_equal(build(), TXFIELDS_OK);
	set(TXM_V, one, 1);
	assert_int_equal(build(), TXFIELDS_OK);
	set(TXM_V, v28, 1);
	assert_int_equal(build(), TXFIELDS_OK);
	set(TXM_V, zero, 1);
	assert_int_equal(build(), TXFIELDS_MISMATCH);
	f.v = S(v37);
	seal(&f);
	assert_int_equal(build(), TXFIELDS_OK);
	unset(TXM_V);
	assert_int_equal(build(), TXFIELDS_OK);
	unset(TXM_CHAIN_ID);
	assert_int_equal(build(), TXFIELDS_MISMATCH);
	f.v = S(v27);
	seal(&f);
	assert_int_equal(build(), TXFIELDS_OK);
	set(TXM_V, v27, 1);
	assert_int_equal(build(), TXFIELDS_OK);
}

/* Without a type: it follows from what is there. */
static void
type_follows(void **state)
{
	static const uint8_t auth[ANSWER_AUTH] = {[SLOT_ADDRESS * ANSWER_SLOT] = 20};
	struct tx_fields f;
	for (unsigned type = 0; type <= TX_7702; type++) {
		make(type, &f);
		unset(TXM_TYPE);
		if (type != TX_4844)
			unset(TXM_BLOB_FEE_CAP);
		if (type == TX_2930)
			set(TXM_ACCESS, auth, 0);
		if (type == TX_7702) {
			uint8_t rlp[64];
			struct rlp_out o = {rlp, 0, sizeof rlp, false};
			size_t a = rlp_list_begin(&o);
			for (unsigned i = 0; i < ANSWER_SLOTS; i++)
				rlp_put_string(&o,
					(struct span){auth + ANSWER_SLOT + 1, i == SLOT_ADDRESS ? 20 : 0});
			rlp_list_end(&o, a);
			set(TXM_AUTH, auth, sizeof auth);
			f.auth_list = (struct span){rlp, (uint32_t)o.n};
			seal(&f);
		} else {
			seal(&f);
		}
		assert_int_equal(build(), TXFIELDS_OK);
	}
}

static void
scanner_states(void **state)
{
	static const enum txfields_state want[] = {TXFIELDS_UNVERIFIED, TXFIELDS_FIELD, TXFIELDS_OVERSIZE,
		TXFIELDS_LOST, TXFIELDS_LOST, TXFIELDS_LOST, TXFIELDS_LOST};
	struct tx_fields f;
	make(TX_1559, &f);
	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		t.state = (uint8_t)i;
		assert_int_equal(build(), want[i]);
	}
	for (unsigned i = 0; i < TXFIELDS_STATE_COUNT; i++)
		assert_true(strlen(txfields_name(i)) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(signatures),
		cmocka_unit_test(type_follows),
		cmocka_unit_test(scanner_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
