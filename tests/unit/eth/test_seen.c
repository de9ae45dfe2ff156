/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/counters.h"
#include "detect/detect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define TICK (1ull << 24) /* the resolution of ages */

static uint64_t counters[CTR_COUNT];

struct filter {
	void *mem;
	struct seen *s;
};

static struct filter
filter_new(uint32_t entries, uint8_t key_byte, uint64_t ttl_ns)
{
	uint8_t key[32] = {key_byte};
	size_t n = seen_bytes(entries);
	struct filter f = {malloc(n), NULL};
	assert_non_null(f.mem);
	memset(f.mem, 0xa5, n); /* memory as it may come */
	memset(counters, 0, sizeof counters);
	f.s = seen_init(f.mem, entries, key, ttl_ns, counters);
	return f;
}

static uint64_t
random64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
seen_once(void **state)
{
	struct filter f = filter_new(1024, 1, 60 * SECOND);
	static const uint8_t raw[200] = {2, 3};
	uint64_t fp = seen_fingerprint(f.s, (struct span){raw, sizeof raw});
	seen_prefetch(f.s, fp);
	assert_false(seen_check_add(f.s, fp, SECOND));
	assert_true(seen_check_add(f.s, fp, SECOND));
	assert_true(seen_check_add(f.s, fp, 2 * SECOND));
	assert_false(seen_check_add(f.s, fp + 1, 2 * SECOND));
	free(f.mem);
}

/* Every sighting counts anew; past the ttl it is forgotten; what comes late from another queue is not. */
static void
ttl(void **state)
{
	struct filter f = filter_new(1024, 1, 1024 * TICK);
	assert_false(seen_check_add(f.s, 77, 5 * SECOND));
	assert_true(seen_check_add(f.s, 77, 5 * SECOND + 1023 * TICK));
	assert_true(seen_check_add(f.s, 77, 5 * SECOND + 2047 * TICK));
	assert_false(seen_check_add(f.s, 77, 5 * SECOND + 3072 * TICK));
	assert_true(seen_check_add(f.s, 77, 5 * SECOND + 3072 * TICK));
	assert_true(seen_check_add(f.s, 77, 5 * SECOND)); /* the clock of another worker */
	assert_int_equal(counters[CTR_SEEN_EVICTED], 0);
	free(f.mem);
}

/* Ages count in 32 bits: nothing breaks where they wrap. */
static void
wrap(void **state)
{
	struct filter f = filter_new(8, 1, 64 * TICK);
	uint64_t at = (1ull << 56) - 10 * TICK;
	assert_false(seen_check_add(f.s, 9, at));
	assert_true(seen_check_add(f.s, 9, at + 20 * TICK));
	assert_false(seen_check_add(f.s, 9, at + 200 * TICK));
	free(f.mem);
}

static void
ttl_extremes(void **state)
{
	struct filter f = filter_new(8, 1, 0);
	assert_false(seen_check_add(f.s, 9, SECOND));
	assert_true(seen_check_add(f.s, 9, SECOND));
	assert_false(seen_check_add(f.s, 9, SECOND + 3 * TICK));
	free(f.mem);
	f = filter_new(8, 1, UINT64_MAX);
	assert_false(seen_check_add(f.s, 9, 0));
	assert_true(seen_check_add(f.s, 9, 1ull << 54));
	free(f.mem);
}

/* One set of eight: the ninth replaces the one that was not seen for longest, and that is counted while it is
 * fresh. */
static void
eviction(void **state)
{
	struct filter f = filter_new(8, 1, 1000 * SECOND);
	for (uint64_t i = 1; i <= 8; i++)
		assert_false(seen_check_add(f.s, i, i * SECOND));
	assert_int_equal(counters[CTR_SEEN_EVICTED], 0);
	assert_true(seen_check_add(f.s, 1, 9 * SECOND));
	assert_false(seen_check_add(f.s, 9, 10 * SECOND)); /* replaces 2 */
	assert_int_equal(counters[CTR_SEEN_EVICTED], 1);
	for (uint64_t i = 3; i <= 9; i++)
		assert_true(seen_check_add(f.s, i, 11 * SECOND));
	assert_true(seen_check_add(f.s, 1, 11 * SECOND));
	assert_int_equal(counters[CTR_SEEN_EVICTED], 1);
	assert_false(seen_check_add(f.s, 2, 12 * SECOND));
	assert_int_equal(counters[CTR_SEEN_EVICTED], 2);
	assert_false(seen_check_add(f.s, 100, 9000 * SECOND)); /* all are stale now: no loss */
	assert_int_equal(counters[CTR_SEEN_EVICTED], 2);
	free(f.mem);
}

/* A table as full as it was sized for keeps nearly all: eight ways forgive what hashing crowds. */
static void
capacity(void **state)
{
	const uint32_t n = 1u << 16;
	struct filter f = filter_new(n, 1, 1000 * SECOND);
	uint64_t r = 1, kept = 0;
	for (uint32_t i = 0; i < n / 2; i++)
		assert_false(seen_check_add(f.s, random64(&r) | 1ull << 63, SECOND));
	assert_true(counters[CTR_SEEN_EVICTED] < n / 20);
	r = 1;
	for (uint32_t i = 0; i < n / 2; i++)
		kept += seen_check_add(f.s, random64(&r) | 1ull << 63, SECOND);
	assert_true(kept > n / 2 - n / 20);
	free(f.mem);
}

static void
sizes(void **state)
{
	static const uint32_t entries[] = {0, 1, 7, 8, 9, 1000, 1 << 16};
	for (unsigned i = 0; i < sizeof entries / sizeof *entries; i++) {
		struct filter f = filter_new(entries[i], 1, SECOND);
		for (uint64_t fp = 1; fp < 3000; fp++)
			assert_false(seen_check_add(f.s, fp * 0x9e3779b97f4a7c15u, 1));
		free(f.mem);
	}
}

static void
depends_on_the_key(void **state)
{
	struct filter a = filter_new(8, 1, SECOND), b = filter_new(8, 2, SECOND),
		      c = filter_new(8, 1, SECOND);
	uint8_t raw[3000];
	memset(raw, 7, sizeof raw);
	for (uint32_t n = 0; n <= sizeof raw; n += n < 64 ? 1 : 97) {
		const struct span s = {raw, n};
		assert_true(seen_fingerprint(a.s, s) != seen_fingerprint(b.s, s));
		assert_true(seen_fingerprint(a.s, s) == seen_fingerprint(c.s, s));
	}
	free(a.mem);
	free(b.mem);
	free(c.mem);
}

/* Every byte counts, and so does the length: each flip of a bit and each cut gives another fingerprint, at
 * any alignment. */
static void
every_bit(void **state)
{
	static const uint32_t lengths[] = {
		1, 15, 16, 17, 31, 32, 33, 48, 49, 110, 420, 1023, 1024, 1025, 1040, 1041, 2049};
	struct filter f = filter_new(8, 1, SECOND);
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint32_t n = lengths[i];
		uint8_t *p = calloc(1, n);
		uint8_t *shifted = malloc(n + 1);
		assert_true(p != NULL && shifted != NULL);
		uint64_t base = seen_fingerprint(f.s, (struct span){p, n});
		for (uint32_t bit = 0; bit < 8 * n; bit++) {
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(seen_fingerprint(f.s, (struct span){p, n}) != base);
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (uint32_t k = 0; k < n; k++)
			assert_true(seen_fingerprint(f.s, (struct span){p, k}) != base);
		memcpy(shifted + 1, p, n);
		assert_true(seen_fingerprint(f.s, (struct span){shifted + 1, n}) == base);
		free(shifted);
		free(p);
	}
	free(f.mem);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* A million inputs that differ little from each other, as an attacker would try: no two agree (chance 3e-8).
 */
static void
no_collisions(void **state)
{
	const uint32_t n = 1000000;
	struct filter f = filter_new(8, 1, SECOND);
	uint64_t *fp = malloc(n * sizeof *fp), r = 5;
	uint8_t raw[1100] = {0};
	assert_non_null(fp);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = 100 + (uint32_t)(i % 1000);
		if (i % 2)
			memcpy(raw + i % 90, &i, sizeof i);
		else
			raw[random64(&r) % len] ^= (uint8_t)(1 << i % 8);
		memcpy(raw + len - 4, &i, sizeof i); /* all differ, at least here */
		fp[i] = seen_fingerprint(f.s, (struct span){raw, len});
	}
	qsort(fp, n, sizeof *fp, by_value);
	for (uint32_t i = 1; i < n; i++)
		assert_true(fp[i] != fp[i - 1]);
	/* and they spread: each of the 256 top and bottom bytes has its share, within ten standard deviations
	 */
	uint32_t top[256] = {0}, bottom[256] = {0};
	for (uint32_t i = 0; i < n; i++) {
		top[fp[i] >> 56]++;
		bottom[fp[i] & 255]++;
	}
	for (unsigned i = 0; i < 256; i++)
		assert_true(top[i] > 3280 && top[i] < 4530 && bottom[i] > 3280 && bottom[i] < 4530);
	free(fp);
	free(f.mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(seen_once), cmocka_unit_test(ttl),
		cmocka_unit_test(wrap), cmocka_unit_test(ttl_extremes), cmocka_unit_test(eviction),
		cmocka_unit_test(capacity), cmocka_unit_test(sizes), cmocka_unit_test(depends_on_the_key),
		cmocka_unit_test(every_bit), cmocka_unit_test(no_collisions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
