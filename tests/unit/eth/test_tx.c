/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/rlp.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "eth_help.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FREE(s) free((void *)(uintptr_t)(s).p)
#define ADDRESS "947a250d5630b4cf539739df2c5dacb4c659f2488d"
#define WORD "a0ff000000000000000000000000000000000000000000000000000000000000ff"
#define LONG "a1ff000000000000000000000000000000000000000000000000000000000000ff01"
#define ADDRESS_21 "957a250d5630b4cf539739df2c5dacb4c659f2488d00"
#define ADDRESS_19 "937a250d5630b4cf539739df2c5dacb4c659f248"
#define ENTRY "f7" ADDRESS "e1" WORD /* an access list entry with one key */
#define AUTH "da01" ADDRESS "05800102"
#define FIELDS_MAX 14

/* The fields of a good transaction of each type, as RLP. */
static const char *const good[5][FIELDS_MAX] = {
	{"07", "85174876e800", "83030d40", ADDRESS, "80", "847ff36ab5", "26", "01", "02"},
	{"01", "07", "85174876e800", "83030d40", ADDRESS, "80", "80", "c0", "01", "01", "02"},
	{"01", "07", "01", "85174876e800", "83030d40", ADDRESS, "80", "80", "c0", "80", "01", "02"},
	{"01", "07", "01", "85174876e800", "83030d40", ADDRESS, "80", "80", "c0", "03", "e1" WORD, "80", "01",
		"02"},
	{"01", "07", "01", "85174876e800", "83030d40", ADDRESS, "80", "80", "c0", "db" AUTH, "80", "01",
		"02"},
};

/* The transaction with field `at` replaced by other RLP (at < 0: none), `more` behind the last field. Heap,
 * exact size. */
static struct span
with(unsigned type, int at, const char *other, const char *more)
{
	static uint8_t all[1 << 18];
	struct rlp_out o = {all, 0, sizeof all, false};
	uint8_t type_byte = (uint8_t)type;
	if (type > 0)
		rlp_put_raw(&o, (struct span){&type_byte, 1});
	size_t begin = rlp_list_begin(&o);
	for (int i = 0; i < FIELDS_MAX && good[type][i] != NULL; i++) {
		struct span f = help_bytes(i == at ? other : good[type][i]);
		rlp_put_raw(&o, f);
		FREE(f);
	}
	struct span m = help_bytes(more);
	rlp_put_raw(&o, m);
	FREE(m);
	rlp_list_end(&o, begin);
	assert_false(o.full);
	uint8_t *p = malloc(o.n);
	assert_non_null(p);
	memcpy(p, all, o.n);
	return (struct span){p, (uint32_t)o.n};
}

static int
decode_with(unsigned type, int at, const char *other, const char *more)
{
	struct span raw = with(type, at, other, more);
	struct tx t;
	int rc = tx_decode(raw, &t);
	FREE(raw);
	return -rc;
}

static int
decode_hex(const char *hex)
{
	struct span raw = help_bytes(hex);
	struct tx t;
	int rc = tx_decode(raw, &t);
	FREE(raw);
	return -rc;
}

static void
good_ones(void **state)
{
	for (unsigned type = 0; type <= TX_7702; type++) {
		struct span raw = with(type, -1, NULL, "");
		struct tx t;
		assert_int_equal(tx_decode(raw, &t), 0);
		assert_int_equal(t.type, type);
		assert_int_equal(t.nonce, 7);
		assert_int_equal(t.gas, 200000);
		assert_string_equal(help_hex(t.fee_cap.p, t.fee_cap.len), "174876e800");
		assert_string_equal(
			help_hex(t.tip_cap.p, t.tip_cap.len), type >= TX_1559 ? "01" : "174876e800");
		assert_string_equal(help_hex(t.to.p, t.to.len), ADDRESS + 2);
		assert_int_equal(t.value.len, 0);
		assert_true(t.has_chain_id);
		assert_int_equal(t.chain_id, 1);
		assert_int_equal(t.y_parity_only, type != TX_LEGACY);
		assert_int_equal(t.n_blobs, type == TX_4844);
		assert_int_equal(t.n_auth, type == TX_7702);
		assert_int_equal(t.network_version, 0);
		assert_int_equal(tx_consensus_len(&t), raw.len);
		/* scan: from the recipient to the end of what rules look into, all of it inside the signed
		 * bytes */
		assert_ptr_equal(t.scan.p, t.to.p);
		assert_ptr_equal(t.scan.p + t.scan.len, t.unsigned_payload.p + t.unsigned_payload.len);
		FREE(raw);
	}
}

struct bad {
	unsigned type;
	int at;
	const char *rlp;
	enum tx_error err;
};

static void
check(const struct bad *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = decode_with(c[i].type, c[i].at, c[i].rlp, "");
		if (err != (int)c[i].err)
			fail_msg("type %u, field %d as %.40s: \"%s\" instead of \"%s\"", c[i].type, c[i].at,
				c[i].rlp, tx_strerror(err), tx_strerror(c[i].err));
	}
}

/* Every integer of every type: its widest value, one byte more, a leading zero, a zero byte, a list, a long
 * form of a short one. */
static void
integers(void **state)
{
	static const struct {
		unsigned type, at, max;
	} ints[] = {{0, 0, 8}, {0, 1, 32}, {0, 2, 8}, {0, 4, 32}, {0, 6, 32}, {0, 7, 32}, {0, 8, 32},
		{1, 0, 32}, {1, 1, 8}, {1, 2, 32}, {1, 3, 8}, {1, 5, 32}, {1, 8, 32}, {1, 9, 32}, {1, 10, 32},
		{2, 0, 32}, {2, 1, 8}, {2, 2, 32}, {2, 3, 32}, {2, 4, 8}, {2, 6, 32}, {2, 9, 32}, {2, 10, 32},
		{2, 11, 32}, {3, 0, 32}, {3, 1, 8}, {3, 2, 32}, {3, 3, 32}, {3, 4, 8}, {3, 6, 32}, {3, 9, 32},
		{3, 11, 32}, {3, 12, 32}, {3, 13, 32}, {4, 0, 32}, {4, 1, 8}, {4, 2, 32}, {4, 3, 32},
		{4, 4, 8}, {4, 6, 32}, {4, 10, 32}, {4, 11, 32}, {4, 12, 32}};
	for (unsigned i = 0; i < sizeof ints / sizeof *ints; i++) {
		unsigned type = ints[i].type;
		int at = (int)ints[i].at;
		bool narrow = ints[i].max == 8;
		const struct bad c[] = {{type, at, narrow ? "88ffffffffffffffff" : WORD, TX_OK},
			{type, at, "80", TX_OK},
			{type, at, narrow ? "89ffffffffffffffffff" : LONG, TX_ERR_FIELD_SIZE},
			{type, at, "820001", TX_ERR_LEADING_ZERO}, {type, at, "00", TX_ERR_LEADING_ZERO},
			{type, at, "8101", TX_ERR_RLP}, {type, at, "b801ff", TX_ERR_RLP},
			{type, at, "c0", TX_ERR_RLP}, {type, at, "c101", TX_ERR_RLP}};
		check(c, sizeof c / sizeof *c -
				 (type == TX_4844 && at == 0 ? 2 : 0)); /* a list there: the network form */
	}
}

static void
other_fields(void **state)
{
	static const struct bad c[] = {
		{0, 3, "80", TX_OK},
		{1, 4, "80", TX_OK},
		{2, 5, "80", TX_OK},
		{3, 5, "80", TX_ERR_TO},
		{4, 5, "80", TX_ERR_TO},
		{2, 5, ADDRESS_19, TX_ERR_TO},
		{2, 5, ADDRESS_21, TX_ERR_TO},
		{2, 5, "c0", TX_ERR_TO},
		{2, 5, "00", TX_ERR_TO},
		{0, 3, "d47a250d5630b4cf539739df2c5dacb4c659f2488d", TX_ERR_TO},
		{0, 5, "c0", TX_ERR_RLP},
		{2, 7, "c47ff36ab5", TX_ERR_RLP},
		{2, 7, "00", TX_OK},
		{2, 7, "820000", TX_OK},
		{1, 7, "f838" ENTRY, TX_OK},
		{1, 7, "f870" ENTRY ENTRY, TX_OK},
		{1, 7, "80", TX_ERR_RLP},
		{1, 7, "d7d6" ADDRESS "c0", TX_OK},
		{1, 7, "d6d5" ADDRESS, TX_ERR_ACCESS_LIST},
		{1, 7, "d8d7" ADDRESS "c001", TX_ERR_ACCESS_LIST},
		{1, 7, "d7d6" ADDRESS "80", TX_ERR_ACCESS_LIST},
		{1, 7, "d8d7" ADDRESS "c101", TX_ERR_ACCESS_LIST},
		{1, 7, "d6d5" ADDRESS_19 "c0", TX_ERR_ACCESS_LIST},
		{1, 7, "d8d7" ADDRESS_21 "c0", TX_ERR_ACCESS_LIST},
		{1, 7, "c101", TX_ERR_ACCESS_LIST},
		{1, 7, "c1c0", TX_ERR_ACCESS_LIST},
		{2, 8, "c1c1", TX_ERR_ACCESS_LIST},
		{3, 10, "c0", TX_OK},
		{3, 10, "80", TX_ERR_RLP},
		{3, 10, "c101", TX_ERR_BLOB_HASHES},
		{3, 10, "f842" WORD WORD, TX_OK},
		{3, 10, "e2" LONG, TX_ERR_BLOB_HASHES},
		{3, 10, "c1c0", TX_ERR_BLOB_HASHES},
		{4, 9, "c0", TX_OK},
		{4, 9, "80", TX_ERR_RLP},
		{4, 9, "c101", TX_ERR_AUTH_LIST},
		{4, 9, "c1c0", TX_ERR_AUTH_LIST},
		{4, 9, "dcdb01" ADDRESS "0580010203", TX_ERR_AUTH_LIST},
		{4, 9, "dad901" ADDRESS "058001", TX_ERR_AUTH_LIST},
		{4, 9, "dad901" ADDRESS_19 "05800102", TX_ERR_AUTH_LIST},
		{4, 9, "dbdac0" ADDRESS "05800102", TX_ERR_AUTH_LIST},
		{4, 9, "dbda01" ADDRESS "05810102", TX_ERR_AUTH_LIST},
		{4, 9, "dddc01" ADDRESS "058201000102", TX_ERR_AUTH_LIST},
		{4, 9, "dcdb01" ADDRESS "0581ff0102", TX_OK},
		{4, 9, "dbda00" ADDRESS "05800102", TX_ERR_AUTH_LIST},
		{4, 9, "e4e301" ADDRESS "89ffffffffffffffffff800102", TX_ERR_AUTH_LIST},
		{4, 9, "e3e201" ADDRESS "88ffffffffffffffff800102", TX_OK},
		{4, 9, "f83cf83a" WORD ADDRESS "05800102", TX_OK},
		{4, 9, "f83df83b" LONG ADDRESS "05800102", TX_ERR_AUTH_LIST},
	};
	check(c, sizeof c / sizeof *c);
}

static void
whole(void **state)
{
	static const struct {
		const char *hex;
		enum tx_error err;
	} c[] = {{"", TX_ERR_EMPTY}, {"00", TX_ERR_TYPE}, {"05c0", TX_ERR_TYPE}, {"7fc0", TX_ERR_TYPE},
		{"80", TX_ERR_TYPE}, {"bf", TX_ERR_TYPE}, {"01", TX_ERR_RLP}, {"02", TX_ERR_RLP},
		{"0280", TX_ERR_RLP}, {"02c0", TX_ERR_FIELDS}, {"03c0", TX_ERR_FIELDS}, {"c0", TX_ERR_FIELDS},
		{"c1", TX_ERR_RLP}, {"c000", TX_ERR_TRAILING}, {"ff", TX_ERR_RLP},
		{"02c000", TX_ERR_TRAILING}, {"03c1c0", TX_ERR_SIDECAR}, {"03c1c1", TX_ERR_RLP},
		{"c887ffffffffffffff", TX_ERR_FIELDS}, {"02c887ffffffffffffff", TX_ERR_FIELDS}, {"c101", TX_ERR_FIELDS}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
		assert_int_equal(decode_hex(c[i].hex), c[i].err);
	for (unsigned type = 0; type <= TX_7702; type++) {
		assert_int_equal(decode_with(type, -1, NULL, "80"), TX_ERR_FIELDS);
		assert_int_equal(decode_with(type, -1, NULL, "c0"), TX_ERR_FIELDS);
		int last = type == 0 ? 8 : type == 1 ? 10 : type == 2 ? 11 : type == 3 ? 13 : 12;
		assert_int_equal(decode_with(type, last, "", ""), TX_ERR_FIELDS);
		assert_int_not_equal(decode_with(type, 0, "", ""), TX_OK);
	}
}

/* Cut anywhere it is refused; with anything behind it, too. */
static void
cut_and_trailing(void **state)
{
	for (unsigned type = 0; type <= TX_7702; type++) {
		struct span raw = with(type, -1, NULL, "");
		struct tx t;
		for (uint32_t n = 0; n < raw.len; n++) {
			uint8_t *p = malloc(n ? n : 1);
			assert_non_null(p);
			memcpy(p, raw.p, n);
			assert_true(tx_decode((struct span){p, n}, &t) < 0);
			assert_int_equal(tx_within((struct span){p, n}).len, n);
			free(p);
		}
		uint8_t *p = malloc(raw.len + 1);
		assert_non_null(p);
		memcpy(p, raw.p, raw.len);
		for (unsigned b = 0; b < 256; b++) {
			p[raw.len] = (uint8_t)b;
			assert_int_equal(tx_decode((struct span){p, raw.len + 1}, &t), -TX_ERR_TRAILING);
			struct span within = tx_within((struct span){p, raw.len + 1});
			assert_ptr_equal(within.p, p);
			assert_int_equal(within.len, raw.len);
		}
		free(p);
		FREE(raw);
	}
}

/* Erigon takes a transaction of a type in an RLP string, with anything behind that, too. */
static void
in_a_string(void **state)
{
	for (unsigned type = TX_2930; type <= TX_7702; type++) {
		struct span raw = with(type, -1, NULL, "");
		uint8_t *p = malloc(raw.len + 6);
		assert_non_null(p);
		for (unsigned behind = 0; behind < 2; behind++) {
			uint32_t header = rlp_header(p, 0x80, raw.len);
			memcpy(p + header, raw.p, raw.len);
			p[header + raw.len] = 0xc0;
			struct span all = {p, header + raw.len + behind}, within = tx_within(all);
			assert_ptr_equal(within.p, p + header);
			assert_int_equal(within.len, raw.len);
			within = tx_within((struct span){p, header + raw.len - 1});
			assert_int_equal(within.len, header + raw.len - 1);
		}
		free(p);
		FREE(raw);
	}
}

static void
oversize(void **state)
{
	uint8_t *p = calloc(1, TX_NETWORK_BYTES_MAX + 1);
	struct tx t;
	assert_non_null(p);
	p[0] = 0xfa;
	assert_int_equal(tx_decode((struct span){p, TX_NETWORK_BYTES_MAX + 1}, &t), -TX_ERR_OVERSIZE);
	assert_true(tx_decode((struct span){p, TX_NETWORK_BYTES_MAX}, &t) < 0);
	free(p);
}

/* Every error has a text of its own, and what is none of them has one too. */
static void
texts(void **state)
{
	for (int e = 0; e < TX_ERR_COUNT; e++) {
		assert_true(strlen(tx_strerror(e)) > 3);
		assert_ptr_equal(tx_strerror(e), tx_strerror(-e));
		for (int other = 0; other < e; other++)
			assert_string_not_equal(tx_strerror(e), tx_strerror(other));
	}
	assert_string_equal(tx_strerror(TX_ERR_COUNT), "unknown error");
	assert_string_equal(tx_strerror(-1000), "unknown error");
}

/* ---- network forms: sidecars of n blobs, with one part of it made wrong ---- */

struct sidecar {
	int version; /* -1: no version; -2: 0x00, which is no integer */
	unsigned blobs, commitments, proofs, blob_len, kzg_len;
	const char *more;
};

static void
put_zeros(struct rlp_out *o, unsigned n, uint32_t each)
{
	static const uint8_t zeros[131073];
	size_t begin = rlp_list_begin(o);
	while (n-- > 0)
		rlp_put_string(o, (struct span){zeros, each});
	rlp_list_end(o, begin);
}

static int
decode_sidecar(const struct sidecar *s, struct tx *t, struct span *raw)
{
	static uint8_t all[1 << 20];
	static const uint8_t type = TX_4844;
	struct rlp_out o = {all, 0, sizeof all, false};
	struct span tx = with(TX_4844, -1, NULL, ""), more = help_bytes(s->more);
	rlp_put_raw(&o, (struct span){&type, 1});
	size_t begin = rlp_list_begin(&o);
	rlp_put_raw(&o, (struct span){tx.p + 1, tx.len - 1});
	static const uint8_t nil[1];
	if (s->version == -2)
		rlp_put_raw(&o, (struct span){nil, 1});
	else if (s->version >= 0)
		rlp_put_u64(&o, (uint64_t)s->version);
	put_zeros(&o, s->blobs, s->blob_len);
	put_zeros(&o, s->commitments, s->kzg_len);
	put_zeros(&o, s->proofs, s->kzg_len);
	rlp_put_raw(&o, more);
	rlp_list_end(&o, begin);
	assert_false(o.full);
	FREE(more);
	FREE(tx);
	*raw = (struct span){all, (uint32_t)o.n};
	return -tx_decode(*raw, t);
}

static void
sidecars(void **state)
{
	static const struct {
		struct sidecar s;
		enum tx_error err;
		unsigned version;
	} c[] = {{{-1, 1, 1, 1, 131072, 48, ""}, TX_OK, 1}, {{-1, 0, 0, 0, 0, 0, ""}, TX_OK, 1},
		{{1, 2, 2, 256, 131072, 48, ""}, TX_OK, 2}, {{1, 0, 0, 0, 0, 0, ""}, TX_OK, 2},
		{{-1, 1, 2, 3, 131072, 48, ""}, TX_OK, 1},
		{{0, 1, 1, 128, 131072, 48, ""}, TX_ERR_SIDECAR, 0},
		{{-2, 1, 1, 128, 131072, 48, ""}, TX_ERR_SIDECAR, 0},
		{{2, 1, 1, 128, 131072, 48, ""}, TX_ERR_SIDECAR, 0},
		{{256, 1, 1, 128, 131072, 48, ""}, TX_ERR_SIDECAR, 0},
		{{-1, 1, 1, 1, 131071, 48, ""}, TX_ERR_SIDECAR, 0},
		{{-1, 1, 1, 1, 131073, 48, ""}, TX_ERR_SIDECAR, 0},
		{{-1, 1, 1, 1, 131072, 47, ""}, TX_ERR_SIDECAR, 0},
		{{-1, 1, 1, 1, 131072, 49, ""}, TX_ERR_SIDECAR, 0},
		{{-1, 1, 1, 1, 131072, 48, "c0"}, TX_ERR_SIDECAR, 0},
		{{1, 1, 1, 128, 131072, 48, "80"}, TX_ERR_SIDECAR, 0}};
	struct span plain = with(TX_4844, -1, NULL, "");
	struct tx p;
	uint8_t hash[32], again[32], *copy = malloc(plain.len);
	assert_non_null(copy);
	assert_int_equal(tx_decode(plain, &p), 0);
	tx_hash(&p, hash);
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct tx t;
		struct span raw;
		assert_int_equal(decode_sidecar(&c[i].s, &t, &raw), c[i].err);
		if (c[i].err != TX_OK)
			continue;
		assert_int_equal(t.network_version, c[i].version);
		assert_int_equal(t.n_sidecar_blobs, c[i].s.blobs);
		assert_int_equal(t.n_commitments, c[i].s.commitments);
		assert_int_equal(t.n_proofs, c[i].s.proofs);
		/* the consensus form is what it is without a sidecar, and so is the hash */
		assert_int_equal(tx_consensus_len(&t), plain.len);
		tx_consensus_copy(&t, copy);
		assert_memory_equal(copy, plain.p, plain.len);
		tx_hash(&t, again);
		assert_memory_equal(hash, again, 32);
	}
	free(copy);
	FREE(plain);
}

/* Only type 3 has a network form. */
static void
sidecar_of_other_types(void **state)
{
	assert_int_equal(decode_hex("02c2c0c0"), TX_ERR_RLP);
	assert_int_equal(decode_hex("04c2c0c0"), TX_ERR_RLP);
	assert_int_equal(decode_hex("c2c0c0"), TX_ERR_RLP);
}

/* ---- chain id ---- */

static void
chain_ids(void **state)
{
	static const struct {
		unsigned type;
		int at;
		const char *rlp;
		bool has;
		uint64_t chain;
		const char *be;
	} c[] = {{0, 6, "80", false, 0, ""}, {0, 6, "1b", false, 0, ""}, {0, 6, "1c", false, 0, ""},
		{0, 6, "22", false, 0, ""}, {0, 6, "23", true, 0, ""}, {0, 6, "24", true, 0, ""},
		{0, 6, "25", true, 1, "01"}, {0, 6, "26", true, 1, "01"}, {0, 6, "820135", true, 137, "89"},
		{0, 6, "88ffffffffffffffff", true, 0x7fffffffffffffee, "7fffffffffffffee"},
		{0, 6, "89010000000000000000", true, 0x7fffffffffffffee, "7fffffffffffffee"},
		{0, 6, "89020000000000000021", true, 0xffffffffffffffff, "ffffffffffffffff"},
		{0, 6, "89020000000000000023", true, UINT64_MAX, "010000000000000000"},
		{0, 6, "a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", true, UINT64_MAX,
			"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffee"},
		{1, 0, "80", true, 0, ""}, {2, 0, "88ffffffffffffffff", true, UINT64_MAX, "ffffffffffffffff"},
		{4, 0, "89010000000000000000", true, UINT64_MAX, "010000000000000000"}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct span raw = with(c[i].type, c[i].at, c[i].rlp, "");
		struct tx t;
		uint8_t be[32];
		assert_int_equal(tx_decode(raw, &t), 0);
		assert_int_equal(t.has_chain_id, c[i].has);
		assert_int_equal(tx_is_protected(&t), c[i].has);
		assert_true(t.chain_id == c[i].chain);
		uint32_t n = tx_chain_id(&t, be);
		assert_string_equal(help_hex(be, n), c[i].be);
		FREE(raw);
	}
}

/* ---- tx_build ---- */

static struct tx_fields
fields_of(const struct tx *t)
{
	return (struct tx_fields){.type = t->type,
		.chain_id = t->chain_id_be,
		.nonce = t->nonce,
		.gas = t->gas,
		.tip_cap = t->tip_cap,
		.fee_cap = t->fee_cap,
		.to = t->to,
		.value = t->value,
		.data = t->data,
		.access_list = t->access_list,
		.blob_hashes = t->blob_hashes,
		.auth_list = t->auth_list,
		.blob_fee_cap = t->blob_fee_cap,
		.v = t->v,
		.r = t->r,
		.s = t->s};
}

static void
build_gives_back(void **state)
{
	for (unsigned type = 0; type <= TX_7702; type++) {
		for (int at = 0; at < FIELDS_MAX && good[type][at] != NULL; at++) {
			struct span raw =
				with(type, at, good[type][at][0] == '0' ? "7f" : good[type][at], "");
			struct tx t;
			assert_int_equal(tx_decode(raw, &t), 0);
			struct tx_fields f = fields_of(&t);
			struct span again = help_build(&f);
			assert_int_equal(again.len, raw.len);
			assert_memory_equal(again.p, raw.p, raw.len);
			for (uint32_t cap = 0; cap < raw.len; cap += 7) {
				uint8_t *p = malloc(cap ? cap : 1);
				assert_non_null(p);
				assert_int_equal(tx_build(&f, p, cap), -ENOSPC);
				free(p);
			}
			FREE(again);
			FREE(raw);
		}
	}
}

static void
build_fills_in(void **state)
{
	static const uint8_t padded[4] = {0, 0, 1, 2};
	uint8_t out[256];
	struct tx t;
	struct tx_fields f = {.type = TX_LEGACY, .value = {padded, 4}};
	int n = tx_build(&f, out, sizeof out);
	assert_true(n > 0);
	assert_string_equal(help_hex(out, (size_t)n), "cb80808080820102801b0101");
	assert_int_equal(tx_decode((struct span){out, (uint32_t)n}, &t), 0);
	f.type = TX_1559;
	n = tx_build(&f, out, sizeof out);
	assert_string_equal(help_hex(out, (size_t)n), "02ce80808080808082010280c0800101");
	assert_int_equal(tx_decode((struct span){out, (uint32_t)n}, &t), 0);
	f.type = 5;
	assert_int_equal(tx_build(&f, out, sizeof out), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good_ones), cmocka_unit_test(integers),
		cmocka_unit_test(other_fields), cmocka_unit_test(whole), cmocka_unit_test(cut_and_trailing),
		cmocka_unit_test(in_a_string),
		cmocka_unit_test(oversize), cmocka_unit_test(texts), cmocka_unit_test(sidecars),
		cmocka_unit_test(sidecar_of_other_types), cmocka_unit_test(chain_ids),
		cmocka_unit_test(build_gives_back), cmocka_unit_test(build_fills_in)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
