/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls in calldata: the table against its signatures, every cap, factories and what they make of salts, what
 * is guessed and what is not. That each form is read as ethers writes it is shown by calls_vectors.py and
 * tests/e2e/eth/calls_diff.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "eth/calls_forms.h"
#include "eth/calls_private.h"
#include "eth/keccak.h"
#include "eth_help.h"

#include <stdlib.h>
#include <string.h>

/* ---- calldata ---- */

static uint8_t b[1 << 17];
static uint32_t n;
static struct calls calls;

static void
raw(const void *p, uint32_t len)
{
	memcpy(b + n, p, len);
	n += len;
}

static void
selector(uint32_t v)
{
	const uint8_t p[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	raw(p, 4);
}

static void
word(uint64_t v)
{
	memset(b + n, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		b[n + 31 - i] = (uint8_t)(v >> 8 * i);
	n += 32;
}

static void
filled(uint8_t byte, uint32_t from, uint32_t to)
{
	memset(b + n, 0, 32);
	memset(b + n + from, byte, to - from);
	n += 32;
}

/* An address of equal bytes. */
static void
address(uint8_t byte)
{
	filled(byte, 12, 32);
}

static void
bytes(const void *p, uint32_t len)
{
	word(len);
	raw(p, len);
	memset(b + n, 0, 32);
	n += (32 - len % 32) % 32;
}

static const struct calls *
walk(uint8_t to)
{
	static uint8_t recipient[20];
	uint8_t *exact = malloc(n ? n : 1);
	static uint8_t *last;
	free(last);
	last = exact;
	memcpy(exact, b, n);
	memset(recipient, to, 20);
	const struct tx t = {.to = {recipient, 20}, .data = {exact, n}};
	calls_of(&t, &calls);
	return &calls;
}

static bool
is_address(struct span s, uint8_t byte)
{
	bool same = s.len == 20;
	for (uint32_t i = 0; same && i < 20; i++)
		same = s.p[i] == byte;
	return same;
}

static const uint8_t leaf[36] = {0xd0, 0xe3, 0x0d, 0xb0, [35] = 9};

/* ---- tests ---- */

static void
test_table(void **state)
{
	static const struct {
		uint32_t selector;
		const char *signature;
		uint8_t shape;
	} rows[] = {
#define _(selector, signature, shape, list, to, value, data, more) {selector, signature, SHAPE_##shape},
		CALL_FORMS(_)
#undef _
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t hash[32];
		const struct span s = {
			(const uint8_t *)rows[i].signature, (uint32_t)strlen(rows[i].signature)};
		keccak256(&s, 1, hash);
		uint32_t selector =
			(uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
		if (selector != rows[i].selector)
			fail_msg("%s is %08x", rows[i].signature, selector);
		assert_true(i == 0 || rows[i - 1].selector < selector);
		const struct form *f = calls_form(selector);
		assert_non_null(f);
		assert_int_equal(f->shape, rows[i].shape);
	}
	assert_null(calls_form(0));
	assert_null(calls_form(UINT32_MAX));
	assert_null(calls_form(0xac9650d9));
}

static void
test_plain(void **state)
{
	n = 0;
	selector(0xa9059cbb);
	address(0x11);
	word(5);
	assert_int_equal(walk(0x22)->n, 1);
	assert_false(calls.over);
	assert_int_equal(calls.call[0].kind, CALL_PLAIN);
	assert_int_equal(calls.call[0].parent, 0);
	n = 0;
	assert_int_equal(walk(0x22)->n, 1);
	const struct tx creation = {.data = {leaf, sizeof leaf}};
	calls_of(&creation, &calls);
	assert_int_equal(calls.n, 1);
	assert_int_equal(calls.call[0].kind, CALL_CREATE);
	assert_int_equal(calls.call[0].to.len, 0);
}

/* multicall(bytes[]) of the same item, so many times. */
static void
put_multicall(uint32_t items, const void *p, uint32_t len)
{
	uint32_t size = 32 + (len + 31) / 32 * 32;
	selector(0xac9650d8);
	word(32);
	word(items);
	for (uint32_t i = 0; i < items; i++)
		word(32 * items + i * size);
	for (uint32_t i = 0; i < items; i++)
		bytes(p, len);
}

static void
test_count_cap(void **state)
{
	n = 0;
	put_multicall(CALLS_MAX - 1, leaf, sizeof leaf);
	assert_int_equal(walk(1)->n, CALLS_MAX);
	assert_false(calls.over);
	for (uint32_t i = 1; i < CALLS_MAX; i++) {
		assert_int_equal(calls.call[i].kind, CALL_SELF);
		assert_true(is_address(calls.call[i].to, 1));
		assert_int_equal(calls.call[i].depth, 1);
		assert_memory_equal(calls.call[i].data.p, leaf, sizeof leaf);
	}
	n = 0;
	put_multicall(CALLS_MAX, leaf, sizeof leaf);
	assert_int_equal(walk(1)->n, CALLS_MAX);
	assert_true(calls.over);
}

/* Multicalls in one another; each is twice as long as what it holds, so that only their depth is against
 * them. */
static void
nest(unsigned levels)
{
	static uint8_t inner[1 << 17];
	uint32_t len = sizeof leaf;
	memcpy(inner, leaf, len);
	for (unsigned i = 0; i < levels; i++) {
		n = 0;
		put_multicall(1, inner, len);
		memset(b + n, 0, len + 132);
		n += len;
		len = n;
		memcpy(inner, b, n);
	}
}

static void
test_depth_cap(void **state)
{
	nest(CALLS_DEPTH_MAX);
	assert_int_equal(walk(1)->n, CALLS_DEPTH_MAX + 1);
	assert_false(calls.over);
	for (uint32_t i = 1; i < calls.n; i++) {
		assert_int_equal(calls.call[i].depth, i);
		assert_int_equal(calls.call[i].parent, i - 1);
	}
	assert_memory_equal(calls.call[CALLS_DEPTH_MAX].data.p, leaf, sizeof leaf);
	nest(CALLS_DEPTH_MAX + 1);
	assert_int_equal(walk(1)->n, CALLS_DEPTH_MAX + 1);
	assert_true(calls.over);
}

/* Ten items that are one and the same. */
static void
test_carried_cap(void **state)
{
	static const uint8_t big[2000] = {1, 2, 3, 4};
	n = 0;
	selector(0xac9650d8);
	word(32);
	word(10);
	for (unsigned i = 0; i < 10; i++)
		word(320);
	bytes(big, sizeof big);
	uint64_t sum = 0;
	walk(1);
	for (uint32_t i = 1; i < calls.n; i++)
		sum += calls.call[i].data.len;
	assert_true(calls.over);
	assert_true(sum <= CALLS_WALK * (uint64_t)n);
	assert_int_equal(calls.n, 1 + CALLS_WALK * n / sizeof big);
}

/* Groups that all are one group of operations that all are nowhere: 1000 x 1000 steps, were they gone. */
static void
test_read_cap(void **state)
{
	n = 0;
	selector(0x4b1d7cf5);
	word(64);
	address(3);
	word(1000);
	for (unsigned i = 0; i < 1000; i++)
		word(32000);
	word(96);
	address(4);
	word(0);
	word(1000);
	for (unsigned i = 0; i < 1000; i++)
		word(32000);
	address(5);
	assert_int_equal(walk(1)->n, 1);
	assert_true(calls.over);
}

static void
test_negative_offset(void **state)
{
	n = 0;
	selector(0xac9650d8);
	word(96); /* the array */
	bytes(leaf, 4);
	word(1);
	memset(b + n, 0xff, 32); /* -96: the bytes in front of it */
	b[n + 31] = 0xa0;
	n += 32;
	assert_int_equal(walk(1)->n, 2);
	assert_int_equal(calls.call[1].data.len, 4);
	assert_memory_equal(calls.call[1].data.p, leaf, 4);
}

static void
test_packed_is_clipped(void **state)
{
	uint8_t list[85 + 10] = {0};
	list[0] = 1;
	memset(list + 1, 0x44, 20);
	list[52] = 7; /* value */
	list[84] = 200;
	memset(list + 85, 0xdd, 10);
	n = 0;
	selector(0x8d80ff0a);
	word(32);
	bytes(list, sizeof list);
	assert_int_equal(walk(1)->n, 2);
	assert_int_equal(calls.call[1].kind, CALL_DELEGATE);
	assert_true(is_address(calls.call[1].to, 0x44));
	assert_int_equal(calls.call[1].value.p[31], 7);
	assert_int_equal(calls.call[1].data.len, 10);
}

static void
test_timelock_with_signature(void **state)
{
	for (uint32_t signature = 0; signature < 2; signature++) {
		n = 0;
		selector(0x0825f38f);
		address(0x31);
		word(0);
		word(160);
		word(160 + 32 + 32 * signature);
		word(0);
		bytes("sweep()", 7 * signature);
		bytes(leaf, sizeof leaf);
		assert_int_equal(walk(1)->n, 2 - signature);
	}
}

/* ---- factories ---- */

static const uint8_t code[4] = {0x60, 0x0a, 0x60, 0x0b};

static void
assert_created(bool known, const uint8_t got[20], const char *hex)
{
	assert_int_equal(known, hex != NULL);
	if (hex != NULL)
		assert_string_equal(help_hex(got, 20), hex);
}

/* Addresses by ethers' getCreate2Address and getCreateAddress. */
static void
test_createx(void **state)
{
	static const char *const rows[][4] = {
		/* salt; CREATE2, CREATE3; is it known without the caller? */
		{"7777777777777777777777777777777777777777777777777777777777777777",
			"6edaaf80fc9b375ef6d0616411284f13a3200f2d",
			"0cd090da43c9900ee248a5fedb87bea4f0de1e3c", "yes"},
		{"0000000000000000000000000000000000000000005555555555555555555555",
			"643c0950e6db5af1c210d3e1efbff417b13138d0",
			"c697ad5b01466a8a557c7376e7508b0ce022d730", "yes"},
		{"0000000000000000000000000000000000000000015555555555555555555555",
			"c7457e424bf7a22c8ebefc27ba5e4e4c4f23244d",
			"7272fad797ccd2dc3780bfb66209704236460217", NULL},
		{"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1005555555555555555555555",
			"d5c152b7b041c535db4abefdb9864f91a355502e",
			"b4e7f31476543b843c1a8a3fa99a0f90e3a65840", NULL},
		{"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1015555555555555555555555",
			"acaf8191fda353abb848ad8776a3bb4409b81503",
			"32bdd177bff1fd0cdee6859abe00db4dcdec76e8", NULL},
		{"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1025555555555555555555555", NULL, NULL,
			NULL}, /* reverts */
	};
	struct span createx = help_bytes("ba5ed099633d3b313e4d5f7bdc1305d3c28ba5ed");
	uint8_t sender[20], out[20];
	memset(sender, 0xc1, 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned create3 = 0; create3 < 2; create3++) {
			struct span salt = help_bytes(rows[i][0]);
			n = 0;
			selector(create3 ? 0x9c36a286 : 0x26307668);
			raw(salt.p, 32);
			word(64);
			bytes(code, sizeof code);
			const struct tx t = {.to = createx, .data = {b, n}};
			calls_of(&t, &calls);
			assert_int_equal(calls.n, 2);
			assert_int_equal(calls.call[1].kind, CALL_CREATE2);
			assert_int_equal(calls.call[1].to.len, 0);
			assert_memory_equal(calls.call[1].deployer, createx.p, 20);
			assert_created(calls_created2(&calls, 1, sender, 1, out), out, rows[i][1 + create3]);
			if (rows[i][1] != NULL)
				assert_created(call_created2(&calls.call[1], out), out,
					rows[i][3] ? rows[i][1 + create3] : NULL);
			free((void *)salt.p);
		}
	}
	free((void *)createx.p);
}

/* A multicall whose item calls the deployer: (salt, code) without a selector. */
static void
test_deterministic_deployer(void **state)
{
	uint8_t item[36], out[20];
	struct span deployer = help_bytes("4e59b44847b379578588920ca78fbf26c0b4956c");
	memset(item, 0x77, 32);
	memcpy(item + 32, code, 4);
	n = 0;
	selector(0xb61d27f6);
	memset(b + n, 0, 12);
	n += 12;
	raw(deployer.p, 20);
	word(0);
	word(96);
	bytes(item, sizeof item);
	assert_int_equal(walk(0x5a)->n, 3);
	assert_int_equal(calls.call[2].kind, CALL_CREATE2);
	assert_int_equal(calls.call[2].depth, 2);
	assert_int_equal(calls.call[2].data.len, 4);
	assert_created(call_created2(&calls.call[2], out), out, "6fc1eb383edd0b06fc5cb3f72ea8726d1e48fc7e");
	assert_false(call_created2(&calls.call[1], out));
	b[n - 65] = 32; /* the salt alone: no code */
	walk(0x5a);
	assert_int_equal(calls.n, 2);
	free((void *)deployer.p);
}

/* A Safe that delegates to a library deploys in its own name. */
static void
test_deployer_of_a_delegate(void **state)
{
	uint8_t inner[512], out[20];
	n = 0;
	selector(0x4847be6f);
	word(0);
	word(96);
	filled(0x77, 0, 32);
	bytes(code, sizeof code);
	uint32_t len = n;
	memcpy(inner, b, len);
	n = 0;
	selector(0x468721a7);
	address(0x99);
	word(0);
	word(128);
	word(1);
	bytes(inner, len);
	assert_int_equal(walk(0x5a)->n, 3);
	assert_int_equal(calls.call[1].kind, CALL_DELEGATE);
	assert_created(call_created2(&calls.call[2], out), out, "2a9ca5c429e13b421da1be3a28544709ebe9b483");
}

/* ---- guesses ---- */

/* (address[], uint256, bytes[]) of a function that nobody knows. */
static void
put_executor(void)
{
	n = 0;
	selector(0x12345678);
	word(96);
	word(1700000000);
	word(192);
	word(2);
	address(0x61);
	address(0x62);
	word(2);
	word(64);
	word(160);
	bytes(leaf, sizeof leaf);
	bytes(leaf, 4);
}

static void
test_guess(void **state)
{
	put_executor();
	assert_int_equal(walk(1)->n, 3);
	assert_true(is_address(calls.call[1].to, 0x61) && is_address(calls.call[2].to, 0x62));
	assert_int_equal(calls.call[1].data.len, sizeof leaf);
	assert_int_equal(calls.call[2].data.len, 4);
	assert_int_equal(calls.call[1].value.len, 0);
	/* the same, without a selector */
	put_executor();
	memmove(b, b + 4, n -= 4);
	assert_int_equal(walk(1)->n, 3);
}

/* Anything that an encoder would not have written: no call. */
static void
test_no_guess(void **state)
{
	put_executor();
	uint32_t len = n;
	b[len - 1] = 1; /* padding */
	assert_int_equal(walk(1)->n, 1);
	put_executor();
	word(0); /* more than there should be */
	assert_int_equal(walk(1)->n, 1);
	put_executor();
	n -= 32;
	assert_int_equal(walk(1)->n, 1);
	put_executor();
	b[4 + 64 + 31] = 160; /* tails that overlap */
	assert_int_equal(walk(1)->n, 1);
	put_executor();
	b[4 + 9 * 32 - 1 - 64] = 3; /* an item more than there are offsets */
	assert_int_equal(walk(1)->n, 1);
	put_executor();
	memset(b + 4 + 4 * 32 + 12, 0, 12); /* a number where an address would be: calls of its own, if any */
	assert_int_equal(walk(1)->n, 3);
	assert_true(calls.call[1].kind == CALL_SELF && is_address(calls.call[1].to, 1));
	/* signatures are no calls of the contract itself */
	n = 0;
	selector(0x12345678);
	word(32);
	word(1);
	word(32);
	uint8_t signature[65];
	memset(signature, 0xab, 65);
	bytes(signature, 65);
	assert_int_equal(walk(1)->n, 1);
}

static void
test_guess_packed(void **state)
{
	uint8_t list[2 * (22 + 36)];
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *p = list + 58 * i;
		memset(p, 0x71 + (int)i, 20);
		p[20] = 0;
		p[21] = 36;
		memcpy(p + 22, leaf, 36);
	}
	n = 0;
	selector(0x00000001); /* as a function of one argument */
	word(32);
	bytes(list, sizeof list);
	assert_int_equal(walk(1)->n, 3);
	assert_true(is_address(calls.call[2].to, 0x72));
	n = 0;
	raw(list, sizeof list); /* as all there is */
	assert_int_equal(walk(1)->n, 3);
	n = 0;
	selector(0x12345678);
	raw(list, sizeof list - 1);
	assert_int_equal(walk(1)->n, 1);
}

/* What a flash loan hands to its receiver is guessed too, there without a selector. */
static void
test_payload(void **state)
{
	uint8_t params[1024];
	put_executor();
	uint32_t len = n - 4;
	memcpy(params, b + 4, len);
	n = 0;
	selector(0x42b0b77c);
	address(0x81);
	address(0x82);
	word(1000);
	word(160);
	word(0);
	bytes(params, len);
	assert_int_equal(walk(1)->n, 3);
	assert_true(is_address(calls.call[1].to, 0x61) && is_address(calls.call[2].to, 0x62));
	n = 0;
	selector(0x48c89491); /* unlock(bytes): a call back */
	word(32);
	bytes(leaf, sizeof leaf);
	assert_int_equal(walk(1)->n, 2);
	assert_int_equal(calls.call[1].to.len, 0);
	assert_int_equal(calls.call[1].kind, CALL_PLAIN);
}

/* Bytes in bytes in bytes, 5000 deep: looked into a few times, not until the stack ends. */
static void
test_payload_depth(void **state)
{
	n = 0;
	selector(0x12345678);
	uint32_t levels = 1300, total = 64 * levels + 64;
	for (uint32_t i = 0; i < levels; i++) {
		word(32);
		word(total - 64 * (i + 1));
	}
	filled(1, 0, 32);
	filled(1, 0, 32);
	assert_int_equal(walk(1)->n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_count_cap),
		cmocka_unit_test(test_depth_cap),
		cmocka_unit_test(test_carried_cap),
		cmocka_unit_test(test_read_cap),
		cmocka_unit_test(test_negative_offset),
		cmocka_unit_test(test_packed_is_clipped),
		cmocka_unit_test(test_timelock_with_signature),
		cmocka_unit_test(test_createx),
		cmocka_unit_test(test_deterministic_deployer),
		cmocka_unit_test(test_deployer_of_a_delegate),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_no_guess),
		cmocka_unit_test(test_guess_packed),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_payload_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
