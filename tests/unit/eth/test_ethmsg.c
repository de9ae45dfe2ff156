/* SPDX-License-Identifier: BSD-3-Clause */
/* ethmsg: messages of eth/66 to eth/72 built by hand, what is refused, caps, and guesses. */
#include "eth/ethmsg.h"
#include "eth/rlp.h"
#include "eth_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAP (4u << 20)

static struct ethmsg_item items[20000];
static uint32_t n_items;
static uint64_t over;

static void
take(void *ctx, const struct ethmsg_item *it)
{
	assert_true(n_items < sizeof items / sizeof *items);
	items[n_items++] = *it;
}

static enum ethmsg_status
reads(unsigned code, struct rlp_out *o)
{
	assert_false(o->full);
	/* at its exact size, so that a sanitizer sees a read too far */
	uint8_t *exact = malloc(o->n ? o->n : 1);
	memcpy(exact, o->p, o->n);
	n_items = 0;
	over = 0;
	enum ethmsg_status s = ethmsg_read(code, (struct span){exact, (uint32_t)o->n}, take, NULL, &over);
	bool sure;
	ethmsg_guess((struct span){exact, (uint32_t)o->n}, &sure);
	/* spans are compared in the original */
	for (uint32_t i = 0; i < n_items; i++) {
		if (items[i].raw.len > 0)
			items[i].raw.p = o->p + (items[i].raw.p - exact);
		if (items[i].hash != NULL)
			items[i].hash = o->p + (items[i].hash - exact);
	}
	if (s != ETHMSG_OK)
		assert_int_equal(n_items, 0);
	free(exact);
	return s;
}

static struct rlp_out
out(void)
{
	static uint8_t buf[CAP];
	return (struct rlp_out){buf, 0, CAP, false};
}

static struct span
tx(uint8_t type)
{
	struct tx_fields f = help_fields(type);
	return help_sign(&f, 1);
}

static void
put_tx(struct rlp_out *o, struct span raw)
{
	if (raw.p[0] >= 0xc0)
		rlp_put_raw(o, raw);
	else
		rlp_put_string(o, raw);
}

static void
put_txs(struct rlp_out *o, unsigned n)
{
	size_t list = rlp_list_begin(o);
	for (unsigned i = 0; i < n; i++) {
		struct span raw = tx((uint8_t)(i % 5));
		put_tx(o, raw);
		free((void *)(uintptr_t)raw.p);
	}
	rlp_list_end(o, list);
}

static void
check_txs(enum ethmsg_kind kind, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct span want = tx((uint8_t)(i % 5));
		const struct ethmsg_item *it = &items[from + i];
		assert_int_equal(it->kind, kind);
		assert_int_equal(it->index, i);
		assert_int_equal(it->count, n);
		assert_int_equal(it->raw.len, want.len);
		assert_memory_equal(it->raw.p, want.p, want.len);
		free((void *)(uintptr_t)want.p);
	}
}

static void
transactions(void **state)
{
	struct rlp_out o = out();
	put_txs(&o, 10);
	assert_int_equal(reads(ETHMSG_TRANSACTIONS, &o), ETHMSG_OK);
	assert_int_equal(n_items, 10);
	check_txs(ETHMSG_TX, 0, 10);
	o = out();
	put_txs(&o, 0);
	assert_int_equal(reads(ETHMSG_TRANSACTIONS, &o), ETHMSG_OK);
	assert_int_equal(n_items, 0);
}

static void
pooled(void **state)
{
	struct rlp_out o = out();
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, 0x1234567890abcdef);
	put_txs(&o, 5);
	rlp_list_end(&o, all);
	assert_int_equal(reads(ETHMSG_POOLED, &o), ETHMSG_OK);
	assert_int_equal(n_items, 5);
	check_txs(ETHMSG_TX_POOLED, 0, 5);
	assert_true(items[4].request == 0x1234567890abcdef);
}

/* Of eth/72: the sidecar without its blobs. */
static void
blobs_elided(void **state)
{
	struct span raw = tx(3);
	uint8_t buf[4096], kzg[48] = {1};
	struct rlp_out net = {buf, 0, sizeof buf, false};
	buf[net.n++] = 3;
	size_t list = rlp_list_begin(&net);
	rlp_put_raw(&net, (struct span){raw.p + 1, raw.len - 1});
	rlp_put_u64(&net, 1);
	rlp_list_end(&net, rlp_list_begin(&net));
	for (unsigned i = 0; i < 2; i++) {
		size_t l = rlp_list_begin(&net);
		rlp_put_string(&net, (struct span){kzg, 48});
		rlp_list_end(&net, l);
	}
	rlp_list_end(&net, list);
	struct rlp_out o = out();
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, 7);
	size_t txs = rlp_list_begin(&o);
	rlp_put_string(&o, (struct span){buf, (uint32_t)net.n});
	rlp_list_end(&o, txs);
	rlp_list_end(&o, all);
	assert_int_equal(reads(ETHMSG_POOLED, &o), ETHMSG_OK);
	assert_int_equal(n_items, 1);
	struct tx t;
	uint8_t hash[32], want[32];
	assert_int_equal(tx_decode(items[0].raw, &t), 0);
	assert_int_equal(t.network_version, 2);
	assert_int_equal(t.n_sidecar_blobs, 0);
	assert_int_equal(t.n_commitments, 1);
	tx_hash(&t, hash);
	assert_int_equal(tx_decode(raw, &t), 0);
	tx_hash(&t, want);
	assert_memory_equal(hash, want, 32);
	free((void *)(uintptr_t)raw.p);
}

static void
put_hashes(struct rlp_out *o, unsigned n)
{
	size_t list = rlp_list_begin(o);
	for (unsigned i = 0; i < n; i++) {
		uint8_t h[32] = {0x10, (uint8_t)i, (uint8_t)(i >> 8)};
		rlp_put_string(o, (struct span){h, 32});
	}
	rlp_list_end(o, list);
}

static void
check_hashes(enum ethmsg_kind kind, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t h[32] = {0x10, (uint8_t)i, (uint8_t)(i >> 8)};
		assert_int_equal(items[i].kind, kind);
		assert_int_equal(items[i].index, i);
		assert_memory_equal(items[i].hash, h, 32);
	}
}

/* 0: eth/66; 1: eth/68; 2: eth/72. */
static void
put_announcement(struct rlp_out *o, unsigned form, unsigned n, unsigned n_types, unsigned n_sizes)
{
	static uint8_t types[8000];
	if (form == 0) {
		put_hashes(o, n);
		return;
	}
	size_t all = rlp_list_begin(o);
	for (unsigned i = 0; i < n_types; i++)
		types[i] = (uint8_t)(i % 5);
	rlp_put_string(o, (struct span){types, n_types});
	size_t sizes = rlp_list_begin(o);
	for (unsigned i = 0; i < n_sizes; i++)
		rlp_put_u64(o, 100 + 1000 * i);
	rlp_list_end(o, sizes);
	put_hashes(o, n);
	if (form == 2)
		rlp_put_string(o, (struct span){(const uint8_t *)"0123456789abcdef", 16});
	rlp_list_end(o, all);
}

static void
announcements(void **state)
{
	static const unsigned counts[] = {0, 1, 2, 31, 32, 33, 300};
	for (unsigned form = 0; form < 3; form++) {
		for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
			unsigned n = counts[i];
			struct rlp_out o = out();
			put_announcement(&o, form, n, n, n);
			assert_int_equal(reads(ETHMSG_NEW_POOLED_HASHES, &o), ETHMSG_OK);
			assert_int_equal(n_items, n);
			check_hashes(ETHMSG_ANNOUNCED, n);
			for (unsigned k = 0; k < n; k++) {
				assert_int_equal(items[k].has_type, form > 0);
				assert_int_equal(items[k].size, form ? 100 + 1000 * k : 0);
				assert_int_equal(items[k].type, form ? k % 5 : 0);
			}
			if (form == 0 || n == 0)
				continue;
			o = out();
			put_announcement(&o, form, n, n - 1, n);
			assert_int_equal(reads(ETHMSG_NEW_POOLED_HASHES, &o), ETHMSG_MALFORMED);
			o = out();
			put_announcement(&o, form, n, n, n + 1);
			assert_int_equal(reads(ETHMSG_NEW_POOLED_HASHES, &o), ETHMSG_MALFORMED);
		}
	}
}

static void
caps(void **state)
{
	struct rlp_out o = out();
	put_announcement(&o, 1, 5003, 5003, 5003);
	assert_int_equal(reads(ETHMSG_NEW_POOLED_HASHES, &o), ETHMSG_OK);
	assert_int_equal(n_items, ETHMSG_HASHES_MAX);
	assert_int_equal(over, 3);
	o = out();
	size_t list = rlp_list_begin(&o);
	for (unsigned i = 0; i < ETHMSG_TXS_MAX + 5; i++)
		rlp_put_raw(&o, (struct span){(const uint8_t *)"\xc0", 1});
	rlp_list_end(&o, list);
	assert_int_equal(reads(ETHMSG_TRANSACTIONS, &o), ETHMSG_OK);
	assert_int_equal(n_items, ETHMSG_TXS_MAX);
	assert_int_equal(over, 5);
}

static void
get_pooled(void **state)
{
	for (unsigned cells = 0; cells < 2; cells++) {
		struct rlp_out o = out();
		size_t all = rlp_list_begin(&o);
		rlp_put_u64(&o, 99);
		put_hashes(&o, 256);
		if (cells)
			rlp_put_string(&o, (struct span){(const uint8_t *)"0123456789abcdef", 16});
		rlp_list_end(&o, all);
		assert_int_equal(reads(ETHMSG_GET_POOLED, &o), ETHMSG_OK);
		assert_int_equal(n_items, 256);
		assert_int_equal(items[0].request, 99);
		check_hashes(ETHMSG_ASKED, 256);
	}
}

static void
put_header(struct rlp_out *o)
{
	uint8_t h[32] = {5};
	size_t list = rlp_list_begin(o);
	for (unsigned i = 0; i < 16; i++)
		rlp_put_string(o, (struct span){h, 32});
	rlp_list_end(o, list);
}

static void
put_body(struct rlp_out *o, bool header, unsigned txs, bool withdrawals)
{
	size_t list = rlp_list_begin(o);
	if (header)
		put_header(o);
	put_txs(o, txs);
	rlp_list_end(o, rlp_list_begin(o));
	if (withdrawals)
		rlp_list_end(o, rlp_list_begin(o));
	rlp_list_end(o, list);
}

static void
blocks(void **state)
{
	for (unsigned more = 0; more < 2; more++) {
		struct rlp_out o = out();
		size_t all = rlp_list_begin(&o);
		put_body(&o, true, 7, more);
		rlp_put_u64(&o, 12345);
		if (more)
			put_hashes(&o, 2); /* BSC's sidecars and the like */
		rlp_list_end(&o, all);
		assert_int_equal(reads(ETHMSG_NEW_BLOCK, &o), ETHMSG_OK);
		assert_int_equal(n_items, 8);
		assert_int_equal(items[0].kind, ETHMSG_BLOCK);
		assert_int_equal(items[0].header.len, 3 + 16 * 33);
		check_txs(ETHMSG_TX_MINED, 1, 7);
		bool sure;
		assert_int_equal(ethmsg_guess((struct span){o.p, (uint32_t)o.n}, &sure), ETHMSG_NEW_BLOCK);
		assert_false(sure);
	}
	struct rlp_out o = out();
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, 3);
	size_t bodies = rlp_list_begin(&o);
	put_body(&o, false, 4, true);
	put_body(&o, false, 0, false);
	put_body(&o, false, 6, true);
	rlp_list_end(&o, bodies);
	rlp_list_end(&o, all);
	assert_int_equal(reads(ETHMSG_BLOCK_BODIES, &o), ETHMSG_OK);
	assert_int_equal(n_items, 10);
	check_txs(ETHMSG_TX_MINED, 0, 4);
	check_txs(ETHMSG_TX_MINED, 4, 6);
	o = out();
	all = rlp_list_begin(&o);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t h[32] = {0x10, (uint8_t)i};
		size_t e = rlp_list_begin(&o);
		rlp_put_string(&o, (struct span){h, 32});
		rlp_put_u64(&o, 1000 + i);
		rlp_list_end(&o, e);
	}
	rlp_list_end(&o, all);
	assert_int_equal(reads(ETHMSG_NEW_BLOCK_HASHES, &o), ETHMSG_OK);
	assert_int_equal(n_items, 3);
	check_hashes(ETHMSG_BLOCK, 3);
	assert_int_equal(items[2].number, 1002);
}

/* Each byte of a message removed or changed at its ends and lengths: refused whole or read, never read in
 * part. */
static void
refused(void **state)
{
	static const struct {
		unsigned code;
		const char *hex;
	} c[] = {
		{ETHMSG_TRANSACTIONS, ""},
		{ETHMSG_TRANSACTIONS, "80"},
		{ETHMSG_TRANSACTIONS, "c0c0"},	 /* something behind */
		{ETHMSG_TRANSACTIONS, "c180"},	 /* an empty string is no transaction */
		{ETHMSG_TRANSACTIONS, "c281c0"}, /* a legacy transaction in a string */
		{ETHMSG_TRANSACTIONS, "c28180"},
		{ETHMSG_TRANSACTIONS, "c2c080"}, /* the first is one, the second not */
		{ETHMSG_TRANSACTIONS, "c20281"},
		{ETHMSG_TRANSACTIONS, "f801c0"}, /* not minimal */
		{ETHMSG_POOLED, "c0"},
		{ETHMSG_POOLED, "c101"},
		{ETHMSG_POOLED, "c2c001"},
		{ETHMSG_POOLED, "c201c0c0"},
		{ETHMSG_POOLED, "c301c0c0"},
		{ETHMSG_POOLED, "c200c0"}, /* an id with a leading zero */
		{ETHMSG_POOLED, "cb89010203040506070809c0"},
		{ETHMSG_GET_POOLED, "c0"},
		{ETHMSG_GET_POOLED, "c301c180"},
		{ETHMSG_NEW_POOLED_HASHES, "c3c0c0c0"},
		{ETHMSG_NEW_POOLED_HASHES, "c480c0c0c0"},
		{ETHMSG_NEW_POOLED_HASHES, "c580c0c08080"},
		{ETHMSG_NEW_POOLED_HASHES, "c280c0"},
		{ETHMSG_NEW_BLOCK_HASHES, "c180"},
		{ETHMSG_NEW_BLOCK_HASHES, "c1c0"},
		{ETHMSG_NEW_BLOCK, "c0"},
		{ETHMSG_NEW_BLOCK, "c4c3c0c080"},
		{ETHMSG_NEW_BLOCK, "c3c2c0c0"},
		{ETHMSG_BLOCK_BODIES, "c0"},
		{ETHMSG_BLOCK_BODIES, "c301c1c0"},
		{ETHMSG_BLOCK_BODIES, "c401c2c1c0"},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct span in = help_bytes(c[i].hex);
		n_items = 0;
		assert_int_equal(ethmsg_read(c[i].code, in, take, NULL, &over), ETHMSG_MALFORMED);
		assert_int_equal(n_items, 0);
		free((void *)(uintptr_t)in.p);
	}
	struct rlp_out o = out();
	put_txs(&o, 5);
	uint32_t n = (uint32_t)o.n;
	for (uint32_t len = 0; len < n; len++) {
		n_items = 0;
		assert_int_equal(ethmsg_read(ETHMSG_TRANSACTIONS, (struct span){o.p, len}, take, NULL, &over),
			ETHMSG_MALFORMED);
		assert_int_equal(n_items, 0);
	}
}

static void
others(void **state)
{
	static const unsigned codes[] = {0, 3, 4, 5, 0x0b, 0x0d, 0x10, 0x11, 0x15, 0xff, 0xffffffff};
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
		assert_int_equal(
			ethmsg_read(codes[i], (struct span){(const uint8_t *)"\xc0", 1}, take, NULL, &over),
			ETHMSG_OTHER);
}

static void
guesses(void **state)
{
	bool sure;
	struct rlp_out o = out();
	put_txs(&o, 3);
	assert_int_equal(ethmsg_guess((struct span){o.p, (uint32_t)o.n}, &sure), ETHMSG_TRANSACTIONS);
	assert_true(sure);
	o = out();
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, 5);
	put_txs(&o, 3);
	rlp_list_end(&o, all);
	assert_int_equal(ethmsg_guess((struct span){o.p, (uint32_t)o.n}, &sure), ETHMSG_POOLED);
	assert_true(sure);
	for (unsigned form = 0; form < 3; form++) {
		o = out();
		put_announcement(&o, form, 3, 3, 3);
		assert_int_equal(
			ethmsg_guess((struct span){o.p, (uint32_t)o.n}, &sure), ETHMSG_NEW_POOLED_HASHES);
		assert_false(sure);
	}
	/* a request for hashes could be one of four messages */
	o = out();
	all = rlp_list_begin(&o);
	rlp_put_u64(&o, 5);
	put_hashes(&o, 3);
	rlp_list_end(&o, all);
	assert_int_equal(ethmsg_guess((struct span){o.p, (uint32_t)o.n}, &sure), -1);
	assert_int_equal(ethmsg_guess((struct span){(const uint8_t *)"\xc0", 1}, &sure), -1);
	assert_int_equal(ethmsg_guess((struct span){(const uint8_t *)"", 0}, &sure), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions),
		cmocka_unit_test(pooled),
		cmocka_unit_test(blobs_elided),
		cmocka_unit_test(announcements),
		cmocka_unit_test(caps),
		cmocka_unit_test(get_pooled),
		cmocka_unit_test(blocks),
		cmocka_unit_test(refused),
		cmocka_unit_test(others),
		cmocka_unit_test(guesses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
