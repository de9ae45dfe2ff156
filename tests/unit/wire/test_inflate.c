/* SPDX-License-Identifier: BSD-3-Clause */
/* zlib's own deflate is the encoder. */
#include "tests/unit/wire/inflate_run.h"

#include <malloc.h>
#include <stdio.h>
#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define CAP (1u << 20)

static uint8_t packed[CAP], plain[CAP], out[CAP];
static size_t out_len;
static uint64_t seed = 88172645463325252ull;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % n;
}

/* JSON as subscriptions push it: the same keys, other numbers. */
static size_t
json(uint8_t *p, size_t hex)
{
	size_t n = (size_t)sprintf((char *)p,
		"{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x%"
		"08x\",\"result\":\"0x",
		rnd(1u << 30));
	for (size_t i = 0; i < hex; i++)
		p[n++] = (uint8_t) "0123456789abcdef"[rnd(3) ? rnd(16) : 0];
	memcpy(p + n, "\"}}", 3);
	return n + 3;
}

static void
deflate_new(z_stream *z, int level, int wbits, int strategy)
{
	memset(z, 0, sizeof *z);
	assert_int_equal(deflateInit2(z, level, Z_DEFLATED, wbits, 8, strategy), Z_OK);
}

static size_t
deflate_some(z_stream *z, const void *in, size_t n, int flush)
{
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = (uInt)n;
	z->next_out = packed;
	z->avail_out = sizeof packed;
	assert_true(deflate(z, flush) >= 0);
	assert_int_equal(z->avail_in, 0);
	return sizeof packed - z->avail_out;
}

/* As RFC 7692 7.2.1: flushed, 00 00 ff ff taken off. */
static size_t
pack_message(z_stream *z, const void *in, size_t n, bool takeover)
{
	if (n == 0) { /* an empty block */
		packed[0] = 0;
		return 1;
	}
	size_t len = deflate_some(z, in, n, Z_SYNC_FLUSH);
	assert_memory_equal(packed + len - 4, "\0\0\xff\xff", 4);
	if (!takeover)
		deflateReset(z);
	return len - 4;
}

static size_t
pack_whole(const void *in, size_t n, int wbits)
{
	z_stream z;
	deflate_new(&z, 6, wbits, Z_DEFAULT_STRATEGY);
	size_t len = deflate_some(&z, in, n, Z_FINISH);
	deflateEnd(&z);
	return len;
}

static void
same(enum inflate_status s, size_t n)
{
	assert_int_equal(s, INFLATE_END);
	assert_int_equal(out_len, n);
	assert_memory_equal(out, plain, n);
}

static void
messages_with_every_parameter(void **state)
{
	static const int levels[] = {0, 1, 6, 9},
			 strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE};
	static const size_t steps[] = {1, 3, 100, CAP};
	struct inf_pool p;
	inf_pool_new(&p, 2);
	for (int wbits = 9; wbits <= 15; wbits++) {
		for (unsigned k = 0; k < 32; k++) {
			z_stream z;
			struct inflate i;
			bool takeover = k & 16;
			deflate_new(&z, levels[k & 3], -wbits, strategies[k >> 2 & 3]);
			inflate_init(&i, INFLATE_MESSAGES, takeover, false);
			for (unsigned m = 0; m < 6; m++) {
				size_t n = m == 3 ? 0 : json(plain, m == 5 ? 70000 : rnd(900));
				size_t len = pack_message(&z, plain, n, takeover);
				enum inflate_status s =
					inf_message(&i, &p, packed, len, CAP, steps[(m + k) & 3],
						1 + rnd(m & 1 ? 5000 : 20), out, sizeof out, &out_len);
				same(s, n);
				assert_int_equal(inf_pool_used(&p), takeover);
			}
			inflate_release(&i, &p.pool);
			assert_int_equal(inf_pool_used(&p), 0);
			deflateEnd(&z);
		}
	}
	inf_pool_free(&p);
}

static void
bodies_at_every_cut(void **state)
{
	static const struct {
		enum inflate_kind kind;
		int wbits;
	} t[] = {{INFLATE_GZIP, 31}, {INFLATE_DEFLATE, 15}, {INFLATE_DEFLATE, 9}, {INFLATE_DEFLATE, -15}};
	struct inf_pool p;
	inf_pool_new(&p, 1);
	for (size_t k = 0; k < sizeof t / sizeof t[0]; k++) {
		size_t n = json(plain, 300), len = pack_whole(plain, n, t[k].wbits);
		struct inflate i;
		inflate_init(&i, t[k].kind, false, false);
		for (size_t a = 0; a <= len; a++) {
			for (uint32_t room = 1; room < 1000; room = room * 3 + 1) {
				out_len = 0;
				inflate_message(&i, &p.pool, CAP);
				enum inflate_status s =
					inf_piece(&i, &p, packed, a, false, room, out, sizeof out, &out_len);
				assert_int_equal(s, INFLATE_MORE);
				s = inf_piece(
					&i, &p, packed + a, len - a, true, room, out, sizeof out, &out_len);
				same(s, n);
			}
			/* cut short it is no body, but what came out is right */
			enum inflate_status s =
				inf_message(&i, &p, packed, a, CAP, 7, 64, out, sizeof out, &out_len);
			assert_int_equal(s, a == len || a == 0 ? INFLATE_END : INFLATE_BAD);
			assert_memory_equal(out, plain, out_len);
		}
		assert_int_equal(inf_pool_used(&p), 0);
	}
	inf_pool_free(&p);
}

static void
gzip_members_and_what_follows(void **state)
{
	struct inf_pool p;
	struct inflate i;
	uint8_t body[4096];
	inf_pool_new(&p, 1);
	inflate_init(&i, INFLATE_GZIP, false, false);
	size_t one = pack_whole("hello ", 6, 31);
	memcpy(body, packed, one);
	size_t two = one + pack_whole("world", 5, 31);
	memcpy(body + one, packed, two - one);
	memset(body + two, 0, 600);
	for (size_t step = 1; step < 600; step = step * 2 + 1) {
		enum inflate_status s =
			inf_message(&i, &p, body, two, 100, step, 3, out, sizeof out, &out_len);
		assert_int_equal(s, INFLATE_END);
		assert_int_equal(out_len, 11);
		assert_memory_equal(out, "hello world", 11);
		s = inf_message(
			&i, &p, body, two + 512, 100, step, 3, out, sizeof out, &out_len); /* padding */
		assert_int_equal(s, INFLATE_END);
		assert_int_equal(out_len, 11);
	}
	body[two] = 0x1f; /* no member after all */
	assert_int_equal(
		inf_message(&i, &p, body, two + 5, 100, 9, 3, out, sizeof out, &out_len), INFLATE_BAD);
	assert_int_equal(out_len, 11);
	body[one - 5] ^= 1; /* a check sum */
	assert_int_equal(inf_message(&i, &p, body, two, 100, 9, 30, out, sizeof out, &out_len), INFLATE_BAD);
	assert_memory_equal(out, "hello ", 6);
	assert_int_equal(
		inf_message(&i, &p, "{\"a\":1}", 7, 100, 9, 3, out, sizeof out, &out_len), INFLATE_BAD);
	assert_int_equal(out_len, 0);
	inf_pool_free(&p);
}

/* The examples of RFC 7692 7.2.3, in one stream. */
static void
the_rfc_s_examples(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} t[] = {
		{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},
		{"\xf2\x00\x11\x00\x00", 5, "Hello"}, /* refers to the one before */
		{"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello"},
		{"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello"}, /* a final block */
		{"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello"},
		{"\x00", 1, ""},
		{"\xf2\x00\x11\x00\x00", 5, "Hello"},
	};
	struct inf_pool p;
	struct inflate i;
	inf_pool_new(&p, 1);
	for (size_t step = 1; step < 20; step++) {
		inflate_init(&i, INFLATE_MESSAGES, true, false);
		for (size_t k = 0; k < sizeof t / sizeof t[0]; k++) {
			enum inflate_status s =
				inf_message(&i, &p, t[k].in, t[k].n, 100, step, 2, out, sizeof out, &out_len);
			assert_int_equal(s, INFLATE_END);
			assert_int_equal(out_len, strlen(t[k].want));
			assert_memory_equal(out, t[k].want, out_len);
		}
		inflate_release(&i, &p.pool);
	}
	inf_pool_free(&p);
}

/* After a hole in the history what needs it is told from what does not, and nothing false comes out. */
static void
history_with_a_hole(void **state)
{
	struct inf_pool p;
	inf_pool_new(&p, 4);
	for (unsigned how = 0; how < 4; how++) {
		z_stream z;
		struct inflate i, thief[4];
		deflate_new(&z, 6, -15, Z_DEFAULT_STRATEGY);
		inflate_init(&i, INFLATE_MESSAGES, true, how == 0);
		for (unsigned k = 0; k < 4; k++)
			inflate_init(&thief[k], INFLATE_MESSAGES, true, false);
		unsigned opaque = 0, exact = 0;
		for (unsigned m = 0; m < 12; m++) {
			bool fresh = m == 7; /* the sender begins anew */
			size_t n = json(plain, 50);
			if (fresh)
				deflateReset(&z);
			size_t len = pack_message(&z, plain, n, true);
			if (m == 0 && how != 1) { /* lost */
				if (how == 2)
					inflate_cut(&i, &p.pool);
				if (how == 3) {
					inf_message(&i, &p, packed, len, CAP, CAP, 999, out, sizeof out,
						&out_len);
					for (unsigned k = 0; k < 4; k++)
						inflate_message(&thief[k], &p.pool, CAP);
					assert_null(i.ctx);
				}
				continue;
			}
			if (m == 0) { /* damaged: a block of a kind that there is not */
				packed[0] = 0x07;
				assert_int_equal(inf_message(&i, &p, packed, len, CAP, CAP, 999, out,
							 sizeof out, &out_len),
					INFLATE_BAD);
				continue;
			}
			enum inflate_status s =
				inf_message(&i, &p, packed, len, CAP, CAP, 999, out, sizeof out, &out_len);
			assert_true(s == INFLATE_END || s == INFLATE_OPAQUE);
			assert_true(out_len <= n);
			assert_memory_equal(out, plain, out_len);
			exact += s == INFLATE_END && out_len == n;
			opaque += s == INFLATE_OPAQUE;
			if (m < 7)
				assert_int_equal(s, INFLATE_OPAQUE);
			else
				assert_int_equal(s, INFLATE_END);
		}
		assert_int_equal(opaque, 6);
		assert_int_equal(exact, 5);
		inflate_release(&i, &p.pool);
		for (unsigned k = 0; k < 4; k++)
			inflate_release(&thief[k], &p.pool);
		deflateEnd(&z);
	}
	assert_int_equal(p.pool.stolen, 2); /* and back */
	inf_pool_free(&p);
}

static void
contexts_are_taken_from_who_waits_longest(void **state)
{
	enum { N = 3 };
	struct inf_pool p;
	struct inflate i[N + 1];
	inf_pool_new(&p, N);
	size_t n = json(plain, 400), len = pack_whole(plain, n, 31);
	for (unsigned k = 0; k <= N; k++) {
		inflate_init(&i[k], INFLATE_GZIP, false, false);
		inflate_message(&i[k], &p.pool, CAP);
		out_len = 0;
		assert_int_equal(inf_piece(&i[k], &p, packed, 50, false, 999, out, sizeof out, &out_len),
			INFLATE_MORE);
	}
	assert_null(i[0].ctx);
	assert_int_equal(p.pool.stolen, 1);
	out_len = 0;
	assert_int_equal(inf_piece(&i[0], &p, packed + 50, len - 50, true, 999, out, sizeof out, &out_len),
		INFLATE_STOLEN);
	assert_int_equal(
		inf_piece(&i[0], &p, packed, len, true, 999, out, sizeof out, &out_len), INFLATE_STOLEN);
	assert_int_equal(out_len, 0);
	for (unsigned k = 1; k <= N; k++)
		assert_int_equal(
			inf_piece(&i[k], &p, packed + 50, len - 50, true, 999, out, sizeof out, &out_len),
			INFLATE_END);
	assert_int_equal(inf_pool_used(&p), 0);
	same(inf_message(&i[0], &p, packed, len, CAP, 9, 99, out, sizeof out, &out_len), n);
	inf_pool_free(&p);
}

static void
limits(void **state)
{
	struct inf_pool p;
	struct inflate i;
	inf_pool_new(&p, 1);
	size_t n = json(plain, 3000), len = pack_whole(plain, n, 31);
	inflate_init(&i, INFLATE_GZIP, false, false);
	same(inf_message(&i, &p, packed, len, (uint32_t)n, 100, 77, out, sizeof out, &out_len), n);
	for (uint32_t limit = 0; limit < n; limit += 97) {
		enum inflate_status s =
			inf_message(&i, &p, packed, len, limit, 100, 77, out, sizeof out, &out_len);
		assert_int_equal(s, INFLATE_LIMIT);
		assert_int_equal(out_len, limit);
		assert_memory_equal(out, plain, limit);
		assert_int_equal(inf_pool_used(&p), 0);
	}
	inf_pool_free(&p);
}

/* How much of a bomb of n zeros comes out. */
static uint64_t
explode(struct inf_pool *p, enum inflate_kind kind, uint64_t n, uint32_t limit, enum inflate_status *end)
{
	static uint8_t zeros[CAP];
	z_stream z;
	struct inflate i;
	uint64_t came = 0;
	*end = INFLATE_MORE;
	deflate_new(&z, 9, kind == INFLATE_GZIP ? 31 : -15, Z_DEFAULT_STRATEGY);
	inflate_init(&i, kind, true, false);
	inflate_message(&i, &p->pool, limit);
	for (uint64_t at = 0; at < n && *end == INFLATE_MORE; at += CAP) {
		size_t len = deflate_some(&z, zeros, CAP, at + CAP >= n ? Z_FINISH : Z_NO_FLUSH);
		struct span in = {packed, (uint32_t)len}, got;
		do {
			*end = inflate_feed(&i, &p->pool, &in, at + CAP >= n, out, 65536, &got);
			came += got.len;
		} while (*end == INFLATE_ROOM);
	}
	inflate_release(&i, &p->pool);
	deflateEnd(&z);
	return came;
}

static void
bombs(void **state)
{
	struct inf_pool p;
	enum inflate_status end;
	inf_pool_new(&p, 1);
	for (enum inflate_kind kind = INFLATE_MESSAGES; kind <= INFLATE_DEFLATE; kind++) {
		assert_int_equal(explode(&p, kind, 4u << 20, INFLATE_MAX_MESSAGE, &end), 4u << 20);
		assert_int_equal(end, INFLATE_END); /* a ratio of 1000 is no crime in so little */
		uint64_t came = explode(&p, kind, 1u << 30, INFLATE_MAX_ANSWER, &end);
		assert_int_equal(end, INFLATE_LIMIT);
		assert_true(kind == INFLATE_MESSAGES ? came == INFLATE_MAX_ANSWER : came < (6u << 20));
		came = explode(&p, kind, 1u << 30, 1u << 20, &end);
		assert_int_equal(end, INFLATE_LIMIT);
		assert_int_equal(came, 1u << 20);
	}
	inf_pool_free(&p);
}

/* Behind a message beyond its limit, in however many pieces, comes one that refers to it and to what stood before it. */
static void
history_goes_on_behind_a_bomb(void **state)
{
	static uint8_t bomb[4096];
	static const uint8_t damaged[26] = {0, 20, 0, 0xeb, 0xff, [25] = 7}; /* twenty bytes as they are, then a block of no kind */
	struct inf_pool p;
	struct inflate i;
	z_stream z;
	inf_pool_new(&p, 1);
	for (unsigned step = 1; step < 4096; step = step * 3 + 1) {
		deflate_new(&z, 9, -15, Z_DEFAULT_STRATEGY);
		inflate_init(&i, INFLATE_MESSAGES, true, false);
		memset(plain, 'z', CAP);
		size_t n = deflate_some(&z, plain, CAP, Z_SYNC_FLUSH) - 4;
		memcpy(bomb, packed, n);
		assert_int_equal(inf_message(&i, &p, bomb, n, 1000, step, 77, out, sizeof out, &out_len), INFLATE_LIMIT);
		assert_int_equal(out_len, 1000);
		assert_false(i.hole || i.draining);
		n = deflate_some(&z, plain, 300, Z_SYNC_FLUSH) - 4;
		assert_true(n < 16); /* it does refer */
		same(inf_message(&i, &p, packed, n, CAP, step, 77, out, sizeof out, &out_len), 300);
		/* damaged behind its limit: no history, and the next is not guessed at */
		assert_int_equal(inf_message(&i, &p, damaged, sizeof damaged, 10, step, 77, out, sizeof out, &out_len), INFLATE_LIMIT);
		assert_true(i.hole);
		n = deflate_some(&z, plain, 300, Z_SYNC_FLUSH) - 4;
		assert_int_equal(inf_message(&i, &p, packed, n, CAP, step, 77, out, sizeof out, &out_len), INFLATE_OPAQUE);
		inflate_release(&i, &p.pool);
		deflateEnd(&z);
	}
	inf_pool_free(&p);
}

static void
nothing_is_allocated(void **state)
{
	struct inf_pool p;
	struct inflate i;
	inf_pool_new(&p, 2);
	size_t n = json(plain, 60000), len = pack_whole(plain, n, 31);
	static uint8_t room[4096];
	size_t before = mallinfo2().uordblks;
	for (unsigned k = 0; k < 50; k++) {
		inflate_init(&i, INFLATE_GZIP, false, false);
		inflate_message(&i, &p.pool, CAP);
		struct span in = {packed, (uint32_t)len}, got;
		while (inflate_feed(&i, &p.pool, &in, true, room, sizeof room, &got) == INFLATE_ROOM)
			;
		assert_int_equal(i.status, INFLATE_END);
	}
	assert_int_equal(mallinfo2().uordblks, before);
	inf_pool_free(&p);
	assert_true(inflate_pool_bytes(1) <= 46080);
	assert_int_not_equal(inflate_pool_init(&p.pool, NULL, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_with_every_parameter),
		cmocka_unit_test(bodies_at_every_cut),
		cmocka_unit_test(gzip_members_and_what_follows),
		cmocka_unit_test(the_rfc_s_examples),
		cmocka_unit_test(history_with_a_hole),
		cmocka_unit_test(contexts_are_taken_from_who_waits_longest),
		cmocka_unit_test(limits),
		cmocka_unit_test(bombs),
		cmocka_unit_test(history_goes_on_behind_a_bomb),
		cmocka_unit_test(nothing_is_allocated),
	};
	return cmocka_run_group_tests_name("inflate", tests, NULL, NULL);
}
