/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of rlpx, each on its own: EIP-8's vectors, keystream, sessions, Hellos, search, windows. */
#include "tests/unit/wire/rlpx_eip8.h"
#include "tests/unit/wire/rlpx_peer.h"
#include "tests/unit/wire/rlpx_rig.h"
#include "wire/rlpx_ctr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
eip8_packets(void **state)
{
	const struct span packets[] = {{eip8_auth0, sizeof eip8_auth0}, {eip8_auth1, sizeof eip8_auth1},
		{eip8_ack0, sizeof eip8_ack0}, {eip8_ack1, sizeof eip8_ack1}};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(rlpx_looks_like(packets[i]), 1);
		assert_int_equal(packets[i].len, 2 + (packets[i].p[0] << 8 | packets[i].p[1]));
	}
}

/* The recipient's ingress MAC, seeded with its own nonce and the initiator's packet. */
static void
eip8_mac_seed(void **state)
{
	struct rlpx_mac m;
	rlpx_mac_init(&m, eip8_mac, eip8_nonce_b, (struct span){eip8_auth0, sizeof eip8_auth0});
	rlpx_mac_update(&m, (const uint8_t *)"foo", 3);
	uint8_t *bytes = (uint8_t *)m.state.a;
	bytes[m.fill] ^= 0x01;
	bytes[135] ^= 0x80;
	sha3_permute(&m.state);
	assert_memory_equal(bytes, eip8_foo, 32);
}

static uint32_t got_id, got_bytes;

static void
note(void *ctx, struct rlpx *r, unsigned dir, struct span payload)
{
	got_id = rlpx_last(r, dir)->id;
	got_bytes = rlpx_last(r, dir)->wire_bytes;
}

static void
eip8_frame_vector(void **state)
{
	struct aes256_ctx aes;
	uint8_t plain[16];
	struct rlpx_frame f;
	aes256_set_encrypt_key(&aes, eip8_frame_aes);
	rlpx_ctr_xor(&aes, 0, eip8_frame, plain, 16);
	assert_true(rlpx_frame_parse(plain, &f));
	assert_int_equal(f.size, sizeof eip8_content);
	rlpx_ctr_xor(&aes, 16, eip8_frame + 32, plain, 16);
	assert_memory_equal(plain, eip8_content, sizeof eip8_content);

	struct rig g;
	struct rlpx r;
	struct rlpx_key k;
	memset(&k, 0, sizeof k);
	memcpy(k.aes, eip8_frame_aes, 32);
	struct rlpx_keys *keys = rlpx_keys_build(aligned_alloc(64, 65536), &k, 1, 1, 1);
	rig_init(&g, 2, 4096, note, NULL);
	g.arena.keys = keys;
	const struct rlpx_endpoint end[2] = {{{0}, 1}, {{0}, 2}};
	rlpx_init(&r, &g.arena, false, end, NULL);
	rig_feed(&g, &r, 0, (struct span){eip8_auth0, sizeof eip8_auth0});
	rig_feed(&g, &r, 0, (struct span){eip8_frame, sizeof eip8_frame});
	assert_int_equal(g.messages[0], 1);
	assert_int_equal(got_id, 8);
	assert_int_equal(got_bytes, 6);
	assert_int_equal(g.parsed[0], sizeof eip8_auth0 + sizeof eip8_frame);
	rig_end(&g, &r);
	rig_free(&g);
	free(keys);
}

static void
headers(void **state)
{
	static const struct {
		uint8_t h[16];
		bool good;
		uint32_t size, context, total;
	} c[] = {
		{{0, 0, 6, 0xc2, 0x80, 0x80}, true, 6, 0, 0},
		{{0xff, 0xff, 0xff, 0xc2, 0x80, 0x80}, true, 0xffffff, 0, 0},
		{{0, 0, 6, 0xc1, 0x80}, true, 6, 0, 0},
		{{0, 0, 6, 0xc2, 0x80, 0x05}, true, 6, 5, 0},
		{{0, 0, 6, 0xc5, 0x80, 0x05, 0x82, 0x01, 0x00}, true, 6, 5, 256},
		{{0, 0, 6, 0xc3, 0x80, 0x05, 0x06}, true, 6, 0, 0}, /* begun and ended */
		{{0, 0, 0, 0xc2, 0x80, 0x80}, false, 0, 0, 0},
		{{0, 0, 6, 0xc2, 0x80, 0x80, 1}, false, 0, 0, 0},
		{{0, 0, 6, 0xc2, 0x80, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, false, 0, 0, 0},
		{{0, 0, 6, 0xc0}, false, 0, 0, 0},
		{{0, 0, 6, 0xc2, 0x80, 0x00}, false, 0, 0, 0},
		{{0, 0, 6, 0xc2, 0x01, 0x80}, false, 0, 0, 0}, /* another protocol type */
		{{0, 0, 6, 0xc4, 0x80, 0x05, 0x80, 0x80}, false, 0, 0, 0},
		{{0, 0, 6, 0xcd, 0x80}, false, 0, 0, 0},
		{{0, 0, 6, 0x82, 0x80, 0x80}, false, 0, 0, 0},
		{{0, 0, 6, 0xf8, 0x38}, false, 0, 0, 0},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct rlpx_frame f;
		assert_int_equal(rlpx_frame_parse(c[i].h, &f), c[i].good);
		if (!c[i].good)
			continue;
		assert_int_equal(f.size, c[i].size);
		assert_int_equal(f.context, c[i].context);
		assert_int_equal(f.total, c[i].total);
	}
}

/* Any piece, from any place, is what one run gives. */
static void
keystream(void **state)
{
	static uint8_t all[5000], piece[5000], zero[5000], blocks[16 * RLPX_CTR_BLOCKS];
	struct aes256_ctx aes;
	uint8_t ctr[16] = {0};
	aes256_set_encrypt_key(&aes, eip8_aes);
	ctr_crypt(&aes, (nettle_cipher_func *)aes256_encrypt, 16, ctr, sizeof all, all, zero);
	uint32_t seed = 1;
	for (unsigned i = 0; i < 5000; i++) {
		seed = seed * 1664525u + 1013904223u;
		uint32_t at = (seed >> 8) % 5000, n = (seed >> 20) % (5001 - at);
		n = i % 2 ? n % 40 : n;
		rlpx_ctr_xor(&aes, at, zero, piece, n);
		assert_memory_equal(piece, all + at, n);
	}
	rlpx_ctr_blocks(&aes, 3, RLPX_CTR_BLOCKS, blocks);
	assert_memory_equal(blocks, all + 48, sizeof blocks);
	/* the counter is 64 bits wide here and does not stop at 32 */
	uint8_t high[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, want[32], got[32];
	ctr_crypt(&aes, (nettle_cipher_func *)aes256_encrypt, 16, high, 32, want, zero);
	rlpx_ctr_xor(&aes, 0x1ffffffffull * 16, zero, got, 32);
	assert_memory_equal(want, got, 32);
}

static struct rlpx_endpoint
endpoint(uint8_t last, uint16_t port)
{
	return (struct rlpx_endpoint){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last}, port};
}

static void
sessions(void **state)
{
	static struct rlpx_key list[600];
	for (uint32_t i = 0; i < 600; i++) {
		memset(&list[i], 0, sizeof list[i]);
		memcpy(list[i].aes, &i, 4);
		list[i].end[0] = endpoint((uint8_t)(i % 50), (uint16_t)(1000 + i % 50));
		list[i].end[1] = endpoint(200, 30303);
	}
	list[7].end[0] = (struct rlpx_endpoint){{0}, 0}; /* one side only */
	list[8].end[0] = list[8].end[1] = (struct rlpx_endpoint){{0}, 0};
	struct rlpx_keys *t =
		rlpx_keys_build(aligned_alloc(64, (rlpx_keys_bytes(600) + 63) & ~63ul), list, 600, 5000, 99);
	assert_int_equal(rlpx_keys_count(t), 600);
	assert_int_equal(rlpx_keys_end(t), 5600);
	uint32_t index[RLPX_KEYS_OF_MAX];
	struct rlpx_endpoint a[2] = {endpoint(9, 1009), endpoint(200, 30303)}, b[2] = {a[1], a[0]},
			     c[2] = {endpoint(9, 1010), a[1]};
	assert_int_equal(rlpx_keys_of_ends(t, a, index), 8);
	assert_int_equal(index[0], 559); /* newest first */
	assert_int_equal(index[1], 509);
	assert_int_equal(rlpx_keys_of_ends(t, b, index), 8);
	assert_int_equal(rlpx_keys_of_ends(t, c, index), 1);
	assert_int_equal(index[0], 7);
	c[1].port = 1;
	assert_int_equal(rlpx_keys_of_ends(t, c, index), 0);
	for (uint32_t i = 0; i < 600; i++) {
		uint8_t header[16] = {0x12, 0x34, (uint8_t)(i + 1), 0xc2, 0x80, 0x80};
		rlpx_ctr_xor(&rlpx_keys_at(t, i)->aes, 0, header, header, 16);
		assert_ptr_equal(rlpx_keys_of_first(t, header), rlpx_keys_at(t, i));
		header[15] ^= 1;
		assert_null(rlpx_keys_of_first(t, header));
	}
	free(t);
	struct rlpx_keys *none = rlpx_keys_build(aligned_alloc(64, 4096), NULL, 0, 1, 99);
	assert_int_equal(rlpx_keys_of_ends(none, a, index), 0);
	assert_null(rlpx_keys_build(NULL, NULL, RLPX_KEYS_MAX + 1, 1, 99));
	free(none);
}

static struct rlpx_hello
hello(const char *caps)
{
	struct rlpx_hello h = {.p2p_version = 5};
	for (const char *p = caps; *p != 0;) {
		char *end;
		const char *slash = strchr(p, '/');
		memcpy(h.caps[h.n_caps].name, p, (size_t)(slash - p));
		h.caps[h.n_caps++].version = (uint32_t)strtoul(slash + 1, &end, 10);
		p = *end == ' ' ? end + 1 : end;
	}
	return h;
}

static void
capabilities(void **state)
{
	static const struct {
		const char *a, *b;
		uint16_t first;
		uint8_t version, ids;
	} c[] = {
		{"eth/68", "eth/68", 0x10, 68, 17},
		{"eth/66 eth/67 eth/68 snap/1", "eth/67 snap/1", 0x10, 67, 17},
		{"snap/1 eth/72 eth/69", "eth/69 eth/72", 0x10, 72, 22},
		{"bsc/1 eth/68", "bsc/1 eth/68", 0x12, 68, 17},
		{"bsc/1 bsc/2 eth/68", "bsc/2 bsc/1 eth/68", 0x14, 68, 17},
		{"bsc/1 diff/1 eth/67", "diff/1 eth/67 bsc/1", 0x16, 67, 17},
		{"bsc/1 eth/68", "bsc/2 eth/68", 0x10, 68, 17}, /* bsc is not shared */
		{"eth/68 eth/68", "eth/68", 0x10, 68, 17},
		{"bsc/1 bsc/1 eth/68", "bsc/1 eth/68", 0x12, 68, 17},
		{"aaa/1 eth/68", "aaa/1 eth/68", 0, 68, 17}, /* nobody knows how long aaa is */
		{"eth/68", "snap/1", 0, 0, 0},
		{"", "", 0, 0, 0},
		{"eth/99", "eth/99", 0x10, 99, 22},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		for (unsigned swap = 0; swap < 2; swap++) {
			struct rlpx_hello a = hello(swap ? c[i].b : c[i].a),
					  b = hello(swap ? c[i].a : c[i].b);
			struct rlpx_eth eth;
			assert_int_equal(rlpx_hello_eth(&a, &b, &eth), c[i].first > 0);
			assert_int_equal(eth.first, c[i].first);
			assert_int_equal(eth.version, c[i].version);
			assert_int_equal(eth.ids, c[i].ids);
		}
	}
}

static void
hello_refused(void **state)
{
	static const struct {
		uint8_t b[24];
		uint32_t n;
		bool good;
		uint32_t caps;
	} c[] = {
		{{0xc3, 0x05, 0x80, 0xc0}, 4, true, 0},
		{{0xca, 0x05, 0x80, 0xc7, 0xc6, 0x83, 'e', 't', 'h', 0x44, 0x80}, 11, true,
			1}, /* more in a capability */
		{{0xc8, 0x05, 0x80, 0xc5, 0xc4, 0x83, 'e', 't', 'h'}, 9, false, 0},
		{{0xc9, 0x05, 0x80, 0xc6, 0xc5, 0x83, 'e', 't', 'h', 0x44}, 10, true, 1},
		{{0xc4, 0x05, 0x80, 0xc1, 0x80}, 5, false, 0},
		{{0xc5, 0x05, 0x80, 0xc2, 0xc1, 0xc0}, 6, false, 0},
		{{0xc2, 0x05, 0x80}, 3, false, 0},
		{{0xc2, 0xc0, 0x80}, 3, false, 0},
		{{0x80}, 1, false, 0},
		{{0xc3, 0x05}, 2, false, 0},
		{{0}, 0, false, 0},
	};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct rlpx_hello h;
		assert_int_equal(rlpx_hello_parse((struct span){c[i].b, c[i].n}, &h), c[i].good);
		if (c[i].good)
			assert_int_equal(h.n_caps, c[i].caps);
	}
	/* more than are remembered */
	uint8_t many[400], *p = many;
	*p++ = 0xf9;
	*p++ = 0;
	*p++ = 0xff; /* patched below */
	*p++ = 0x05;
	*p++ = 0x80;
	*p++ = 0xf8;
	*p++ = 40 * 6;
	for (unsigned i = 0; i < 40; i++) {
		memcpy(p,
			"\xc5\x83"
			"eth",
			5);
		p[5] = (uint8_t)(1 + i);
		p += 6;
	}
	uint32_t payload = (uint32_t)(p - many) - 3;
	memmove(many + 2, many + 3, payload);
	many[0] = 0xf8;
	many[1] = (uint8_t)payload;
	struct rlpx_hello h;
	assert_true(rlpx_hello_parse((struct span){many, payload + 2}, &h));
	assert_int_equal(h.n_caps, RLPX_CAPS_MAX);
	assert_true(h.more);
}

/* The first header of a stream of frames in a window cut anywhere; never one that is not there. */
static void
search(void **state)
{
	struct rlpx_search *s = calloc(1, sizeof *s);
	struct rlpx_key k;
	struct peer p;
	memset(&k, 0, sizeof k);
	k.aes[0] = 9;
	peer_init(&p, &k, 0, 400);
	uint8_t body[3000] = {7};
	uint32_t at[64], block[64], blocks = 0;
	for (unsigned i = 0; i < 64; i++) {
		uint32_t n = 1 + (i * 577) % 2000;
		at[i] = p.n;
		block[i] = blocks;
		peer_body(&p, (struct span){body, n});
		blocks += 1 + (n + 15) / 16;
	}
	for (uint32_t from = 402; from + 4000 < p.n; from += 499) {
		for (unsigned aligned = 0; aligned < 2; aligned++) {
			s->len = 4000;
			s->from = from;
			s->phase = aligned ? 402 & 15 : RLPX_ANY_PHASE;
			memcpy(s->bytes, p.out + from, 4000);
			rlpx_search_fill(s);
			struct aes256_ctx other = p.aes;
			other.keys[3] ^= 1;
			rlpx_search_add(s, &other, 0, 5000);
			rlpx_search_add(s, &p.aes, 0, 1u << 16);
			rlpx_search_start(s);
			while (rlpx_search_run(s, 300) == RLPX_SEARCH_RUNNING)
				;
			unsigned first = 0;
			while (at[first] < from)
				first++;
			assert_int_equal(s->state, RLPX_SEARCH_FOUND);
			assert_int_equal(s->key, 1);
			assert_int_equal(s->found_at, at[first]);
			assert_int_equal(s->found_block, block[first]);
		}
	}
	/* a range that ends before it, a window too short, no session */
	rlpx_search_fill(s);
	rlpx_search_add(s, &p.aes, 0, 5);
	rlpx_search_start(s);
	assert_int_equal(rlpx_search_run(s, UINT64_MAX), RLPX_SEARCH_NONE);
	assert_int_equal(s->blocks, 5);
	assert_false(rlpx_search_add(s, &p.aes, 5, 5));
	rlpx_search_fill(s);
	rlpx_search_start(s);
	assert_int_equal(s->state, RLPX_SEARCH_NONE);
	s->len = 15;
	rlpx_search_fill(s);
	rlpx_search_add(s, &p.aes, 0, 5);
	rlpx_search_start(s);
	assert_int_equal(s->state, RLPX_SEARCH_NONE);
	for (unsigned i = 0; i < RLPX_SEARCH_KEYS; i++)
		rlpx_search_add(s, &p.aes, 0, 1);
	assert_false(rlpx_search_add(s, &p.aes, 0, 1));
	peer_free(&p);
	free(s);
}

/* A window of one byte, over and over: the table must not become slow or full. */
static void
search_flat(void **state)
{
	struct rlpx_search *s = calloc(1, sizeof *s);
	struct aes256_ctx aes;
	aes256_set_encrypt_key(&aes, eip8_aes);
	s->len = RLPX_SEARCH_BYTES;
	s->phase = RLPX_ANY_PHASE;
	memset(s->bytes, 0x55, sizeof s->bytes);
	rlpx_search_fill(s);
	rlpx_search_add(s, &aes, 0, 100000);
	rlpx_search_start(s);
	assert_int_equal(rlpx_search_run(s, UINT64_MAX), RLPX_SEARCH_NONE);
	free(s);
}

static void
windows(void **state)
{
	struct rlpx_windows p;
	void *mem = aligned_alloc(64, (rlpx_windows_bytes(2, 4096) + 63) & ~63ul);
	struct rlpx_window *a, *b, *c;
	struct rlpx *owner[3] = {(struct rlpx *)&a, (struct rlpx *)&b, (struct rlpx *)&c};
	rlpx_windows_init(&p, mem, 2, 4096);
	rlpx_windows_get(&p, &a, owner[0]);
	rlpx_windows_get(&p, &b, owner[1]);
	assert_true(a != NULL && b != NULL && a != b);
	rlpx_windows_get(&p, &c, owner[2]); /* the oldest goes */
	assert_null(a);
	assert_int_equal(p.stolen, 1);
	uint8_t bytes[5000];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	rlpx_window_write(&p, c, 1000, (struct span){bytes, sizeof bytes}); /* the last 4096 stay */
	struct span one = rlpx_window_run(&p, c, 1904, 4096);
	assert_int_equal(one.len, 4096 - 1904);
	assert_memory_equal(one.p, bytes + 904, one.len);
	struct span two = rlpx_window_run(&p, c, 4096, 1904);
	assert_memory_equal(two.p, bytes + 3096, 1904);
	rlpx_windows_put(&p, &b);
	assert_null(b);
	rlpx_windows_put(&p, &a); /* nothing */
	rlpx_windows_get(&p, &a, owner[0]);
	assert_int_equal(p.stolen, 1);
	rlpx_windows_init(&p, mem, 0, 4096);
	rlpx_windows_get(&p, &a, owner[0]);
	assert_null(a);
	free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eip8_packets),
		cmocka_unit_test(eip8_mac_seed),
		cmocka_unit_test(eip8_frame_vector),
		cmocka_unit_test(headers),
		cmocka_unit_test(keystream),
		cmocka_unit_test(sessions),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(hello_refused),
		cmocka_unit_test(search),
		cmocka_unit_test(search_flat),
		cmocka_unit_test(windows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
