/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash of ports against its definition's own vectors and against DPDK's, and whether a key is told apart that sends the two directions of a connection to two
 * places. Who is near whom. */
#include "io/numa.h"
#include "io/rss.h"

#include <rte_byteorder.h>
#include <rte_thash.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* "Verifying the RSS hash calculation", Microsoft. */
static const uint8_t usual[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae,
	0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void
test_vectors(void **state)
{
	static const struct {
		uint8_t in[12];
		uint32_t hash;
	} v[] = {
		{{66, 9, 149, 187, 161, 142, 100, 80, 2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255}, 0x51ccc178},
		{{199, 92, 111, 2, 65, 69, 140, 83, 14230 >> 8, 14230 & 255, 4739 >> 8, 4739 & 255}, 0xc626b0ea},
		{{24, 19, 198, 95, 12, 22, 207, 184, 12898 >> 8, 12898 & 255, 38024 >> 8, 38024 & 255}, 0x5c2b394a},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		assert_int_equal(rss_toeplitz(usual, sizeof usual, v[i].in, sizeof v[i].in), v[i].hash);
	assert_int_equal(rss_toeplitz(usual, sizeof usual, v[0].in, 8), 0x323e8fc2);
}

static void
test_against_dpdk(void **state)
{
	uint32_t x = 3;
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t key[52], in[36];
		uint32_t words[9], n = i % 2 ? 9 : 3;
		_Alignas(4) uint8_t aligned[52];
		for (size_t k = 0; k < sizeof key; k++)
			key[k] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
		for (size_t k = 0; k < sizeof in; k++)
			in[k] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
		memcpy(words, in, sizeof words);
		for (unsigned k = 0; k < 9; k++)
			words[k] = rte_be_to_cpu_32(words[k]);
		memcpy(aligned, key, sizeof key);
		assert_int_equal(rss_toeplitz(key, sizeof key, in, 4 * n), rte_softrss(words, n, aligned));
	}
}

static void
test_symmetry(void **state)
{
	uint8_t key[RSS_KEY_BYTES_MAX];
	for (size_t n = RSS_KEY_BYTES_MIN; n <= RSS_KEY_BYTES_MAX; n++) {
		rss_key(key, n);
		assert_true(rss_symmetric(key, n));
	}
	assert_false(rss_symmetric(key, RSS_KEY_BYTES_MIN - 1));
	assert_false(rss_symmetric(usual, sizeof usual));
	memset(key, 0, sizeof key); /* symmetric, and of no use */
	assert_false(rss_symmetric(key, 40));
	for (size_t bit = 0; bit < 40 * 8 - 1; bit++) { /* a port that keeps all but one bit; the last one is never looked at */
		rss_key(key, 40);
		key[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
		assert_false(rss_symmetric(key, 40));
	}
}

static void
test_numa(void **state)
{
	char text[256];
	assert_true(numa_far(0, 1));
	assert_false(numa_far(1, 1));
	assert_false(numa_far(-1, 1));
	assert_false(numa_far(0, -1));
	assert_int_equal(numa_home(1, 0), 1);
	assert_int_equal(numa_home(-1, 0), 0);
	assert_int_equal(numa_home(-1, -1), -1);
	assert_false(numa_sentence("port", "eth1", 0, "worker", 4, 0, text, sizeof text));
	assert_true(numa_sentence("port", "eth1", 0, "worker", 4, 1, text, sizeof text));
	assert_string_equal(text,
		"port eth1 is on NUMA socket 0 and the worker's CPU 4 on socket 1: give the worker a CPU of socket 0 (`lscpu -e` lists them)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_against_dpdk),
		cmocka_unit_test(test_symmetry),
		cmocka_unit_test(test_numa),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
