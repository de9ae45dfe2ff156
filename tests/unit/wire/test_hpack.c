/* SPDX-License-Identifier: BSD-3-Clause */
/* hpack against nghttp2: blocks that its deflater makes, and blocks that are damaged. */
#include "wire/hpack.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"txpool.Txpool/OnAdd", "txpool.Txpool/Add", "a/b"};
static const struct hpack_paths paths = {names, 3};
static const char *const values[] = {"/txpool.Txpool/OnAdd", "/txpool.Txpool/Add", "/a/b", "/", "/index.html",
	"/txpool.Txpool/Ad", "/remote.KV/Tx"};
static const uint8_t classes[] = {HPACK_PATH_FIRST, HPACK_PATH_FIRST + 1, HPACK_PATH_FIRST + 2,
	HPACK_PATH_OTHER, HPACK_PATH_OTHER, HPACK_PATH_OTHER, HPACK_PATH_OTHER};

static uint64_t seed = 1;
static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

static nghttp2_nv
nv(const char *name, const uint8_t *value, size_t n, bool secret)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), n,
		secret ? NGHTTP2_NV_FLAG_NO_INDEX : 0};
}

/* A block with some headers; returns the class that its path is of. */
static uint8_t
make_block(nghttp2_hd_deflater *d, uint8_t *out, size_t cap, size_t *n)
{
	static const char *const other[] = {"te", "content-type", "user-agent", "grpc-timeout", "x-some-id",
		":method", "cookie", "via", "authorization", ":paths", ":pat"};
	static uint8_t text[12][9000];
	nghttp2_nv list[14];
	uint8_t path = HPACK_PATH_NONE;
	size_t k = 0;
	if (rnd(8)) {
		unsigned i = rnd(7);
		list[k++] = nv(":path", (const uint8_t *)values[i], strlen(values[i]), rnd(4) == 0);
		path = classes[i];
	}
	for (unsigned i = rnd(10); i > 0; i--) {
		uint32_t len = rnd(8) ? rnd(30) : rnd(40) ? rnd(400) : rnd(9000);
		for (uint32_t j = 0; j < len; j++)
			text[i][j] = (uint8_t)(rnd(3) ? 32 + rnd(90) : rnd(256));
		if (rnd(3) == 0)
			len = 0;
		list[k++] = nv(other[rnd(11)], text[i], len, rnd(4) == 0);
	}
	ssize_t got = nghttp2_hd_deflate_hd(d, out, cap, list, k);
	assert_true(got >= 0);
	*n = (size_t)got;
	return path;
}

/* In pieces. */
static bool
read_block(struct hpack *h, const uint8_t *p, size_t n, uint8_t *path)
{
	hpack_begin(h);
	for (size_t at = 0; at < n;) {
		size_t k = 1 + rnd(rnd(2) ? 4 : 200);
		k = k < n - at ? k : n - at;
		uint8_t *copy = malloc(k);
		memcpy(copy, p + at, k);
		bool good = hpack_feed(h, &paths, copy, (uint32_t)k);
		free(copy);
		if (!good)
			return false;
		at += k;
	}
	return hpack_end(h, path);
}

static void
test_deflater(void **state)
{
	static uint8_t block[100000];
	for (unsigned round = 0; round < 60; round++) {
		nghttp2_hd_deflater *d;
		size_t most = round % 3 ? 4096 : 65536, n;
		struct hpack h;
		assert_int_equal(nghttp2_hd_deflate_new(&d, most), 0);
		hpack_init(&h, false);
		for (unsigned i = 0; i < 60; i++) {
			uint8_t got = 99, want;
			if (rnd(10) == 0)
				nghttp2_hd_deflate_change_table_size(d, rnd(4) ? rnd((uint32_t)most) : 0);
			want = make_block(d, block, sizeof block, &n);
			assert_true(read_block(&h, block, n, &got));
			if (h.whole) {
				assert_int_equal(got, want);
				assert_int_equal(h.used, nghttp2_hd_deflate_get_dynamic_table_size(d));
			} else { /* a table larger than ours */
				assert_true(got == want || got <= HPACK_PATH_UNKNOWN);
			}
		}
		nghttp2_hd_deflate_del(d);
	}
}

/* Joined in mid-stream, and with blocks lost between: what is not known is not guessed. */
static void
test_midstream(void **state)
{
	static uint8_t block[100000];
	unsigned known = 0, all = 0;
	for (unsigned round = 0; round < 100; round++) {
		nghttp2_hd_deflater *d;
		size_t n;
		struct hpack h;
		unsigned join = rnd(20);
		assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
		hpack_init(&h, true);
		for (unsigned i = 0; i < 60; i++) {
			uint8_t got = 99, want = make_block(d, block, sizeof block, &n);
			if (i < join)
				continue;
			if (rnd(25) == 0) {
				hpack_lose(&h);
				continue;
			}
			assert_true(read_block(&h, block, n, &got));
			assert_true(got == want || got <= HPACK_PATH_UNKNOWN);
			known += got > HPACK_PATH_UNKNOWN;
			all += want > HPACK_PATH_UNKNOWN;
		}
		nghttp2_hd_deflate_del(d);
	}
	assert_true(known > all * 9 / 10);
}

/* 1: nghttp2 takes the block, with *path; 0: it refuses it. */
static int
inflate_block(nghttp2_hd_inflater *in, const uint8_t *p, size_t n, uint8_t *path)
{
	*path = HPACK_PATH_NONE;
	for (;;) {
		nghttp2_nv h;
		int flags = 0;
		ssize_t k = nghttp2_hd_inflate_hd2(in, &h, &flags, p, n, 1);
		if (k < 0)
			return 0;
		p += k;
		n -= (size_t)k;
		if (flags & NGHTTP2_HD_INFLATE_EMIT && h.namelen == 5 && memcmp(h.name, ":path", 5) == 0) {
			uint8_t found = HPACK_PATH_OTHER;
			for (unsigned i = 0; i < 3; i++) {
				bool slash = h.valuelen > 0 && h.value[0] == '/';
				if (h.valuelen - slash == strlen(names[i]) &&
					memcmp(h.value + slash, names[i], strlen(names[i])) == 0)
					found = (uint8_t)(HPACK_PATH_FIRST + i);
			}
			*path = *path == HPACK_PATH_NONE ? found : HPACK_PATH_UNKNOWN;
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL) {
			nghttp2_hd_inflate_end_headers(in);
			return 1;
		}
	}
}

/* What nghttp2 takes is taken, and says the same. It refuses more: updates beyond what it allows, or late. */
static void
test_damaged(void **state)
{
	static uint8_t block[100000];
	unsigned taken = 0, refused = 0, both = 0;
	for (unsigned round = 0; round < 3000; round++) {
		nghttp2_hd_deflater *d;
		nghttp2_hd_inflater *in;
		struct hpack h;
		assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
		assert_int_equal(nghttp2_hd_inflate_new(&in), 0);
		hpack_init(&h, false);
		for (unsigned i = 0; i < 6; i++) {
			uint8_t got = 99, want = 99;
			size_t n;
			make_block(d, block, sizeof block, &n);
			for (unsigned k = rnd(3); k > 0 && n > 0; k--)
				block[rnd((uint32_t)n)] = (uint8_t)(rnd(2) ? rnd(256) : 1u << rnd(8));
			if (rnd(8) == 0 && n > 0)
				n -= 1 + rnd((uint32_t)n) % 3 % n;
			int theirs = inflate_block(in, block, n, &want);
			bool ours = read_block(&h, block, n, &got);
			if (theirs) {
				assert_true(ours);
				assert_int_equal(got, want);
				assert_int_equal(h.used, nghttp2_hd_inflate_get_dynamic_table_size(in));
			}
			taken += (unsigned)theirs;
			refused += !theirs;
			both += !theirs && !ours;
			if (!theirs)
				break;
		}
		nghttp2_hd_deflate_del(d);
		nghttp2_hd_inflate_del(in);
	}
	assert_true(taken > 2000 && refused > 1000);
	assert_true(both > refused * 8 / 10);
}

static void
test_edges(void **state)
{
	struct hpack h;
	uint8_t path;
	static const struct {
		uint8_t n, b[12];
		bool good;
		uint8_t path;
	} cases[] = {
		{1, {0x84}, true, HPACK_PATH_OTHER},
		{1, {0x80}, false, 0},				     /* index 0 */
		{1, {0xbe}, false, 0},				     /* nothing in the table */
		{6, {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, false, 0}, /* too large */
		{1, {0x40}, false, 0},				     /* ends inside */
		{6, {0x04, 0x04, '/', 'a', '/', 'b'}, true, HPACK_PATH_FIRST + 2},
		{5, {0x04, 0x03, 'a', '/', 'b'}, true, HPACK_PATH_FIRST + 2},
		{7, {0x84, 0x04, 0x04, '/', 'a', '/', 'b'}, true, HPACK_PATH_UNKNOWN},
		{3, {0x04, 0x81, 0xff}, false, 0},		     /* a whole byte of padding */
		{6, {0x04, 0x84, 0xff, 0xff, 0xff, 0xff}, false, 0}, /* EOS */
		{3, {0x04, 0x81, 0x63}, true, HPACK_PATH_OTHER},     /* "/" with padding */
		{3, {0x04, 0x81, 0x60}, false, 0},		     /* padded with zeros */
		{2, {0x04, 0x00}, true, HPACK_PATH_OTHER},
		{2, {0x04, 0x80}, true, HPACK_PATH_OTHER},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		hpack_init(&h, false);
		hpack_begin(&h);
		path = 99;
		bool good = hpack_feed(&h, &paths, cases[i].b, cases[i].n) && hpack_end(&h, &path);
		assert_int_equal(good, cases[i].good);
		if (good)
			assert_int_equal(path, cases[i].path);
	}
	/* an entry larger than the table empties it, and then all is known again */
	hpack_init(&h, true);
	static const uint8_t update[] = {0x3f, 0x01}, entry[] = {0x44, 0x02, '/', 'x'};
	hpack_begin(&h);
	assert_true(hpack_feed(&h, &paths, update, 2)); /* 32 bytes */
	assert_true(hpack_feed(&h, &paths, entry, 4));
	assert_true(h.whole && h.n == 0);
	assert_false(hpack_feed(&h, &paths, (const uint8_t[]){0xbe}, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deflater),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
