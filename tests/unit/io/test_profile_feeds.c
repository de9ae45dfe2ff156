/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds, chains, protocols and the key log in the box profile, and what is asked of them afterwards. */
#include "profile_text.h"

static void
test_without(void **state)
{
	good("mtu: 1500\n");
	for (unsigned f = 0; f < FEED_COUNT; f++) {
		assert_true(feeds_may(&t.feeds, f, 1, 2));
		assert_true(feeds_may(&t.feeds, f, 0, 65535));
	}
	assert_true(feeds_chain(&t.feeds, true, 1));
	assert_true(feeds_chain(&t.feeds, true, UINT64_MAX));
	assert_true(feeds_chain(&t.feeds, false, 0));
	assert_int_equal(protocols_find(&t.protocols, (const uint8_t[20]){0}), -1);
	assert_string_equal(t.rlpx_keys, "");
}

/* The example of the header. */
static void
test_feeds(void **state)
{
	good("feeds: {http: true, websocket: [8546], rlpx: [30303, 30304], engine: auto, grpc: false, "
	     "arbitrum: off}\n");
	assert_true(feeds_may(&t.feeds, FEED_HTTP, 50000, 8545));
	assert_true(feeds_may(&t.feeds, FEED_WEBSOCKET, 50000, 8546));
	assert_true(feeds_may(&t.feeds, FEED_WEBSOCKET, 8546, 50000));
	assert_false(feeds_may(&t.feeds, FEED_WEBSOCKET, 8545, 50000));
	assert_true(feeds_may(&t.feeds, FEED_RLPX, 30304, 1));
	assert_true(feeds_may(&t.feeds, FEED_RLPX, 30303, 30304));
	assert_false(feeds_may(&t.feeds, FEED_RLPX, 30305, 30302));
	assert_true(feeds_may(&t.feeds, FEED_ENGINE, 1, 2));
	assert_false(feeds_may(&t.feeds, FEED_GRPC, 9090, 1));
	assert_false(feeds_may(&t.feeds, FEED_ARBITRUM, 9642, 1));
	good("feeds:\n  http: [1, 65535, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]\n");
	assert_int_equal(t.feeds.n_ports[FEED_HTTP], FEEDS_PORTS_MAX);
	assert_true(feeds_may(&t.feeds, FEED_HTTP, 15, 0));
	assert_true(feeds_may(&t.feeds, FEED_HTTP, 0, 65535));
	assert_false(feeds_may(&t.feeds, FEED_HTTP, 0, 16));
	assert_true(feeds_may(&t.feeds, FEED_RLPX, 0, 16));
	for (unsigned f = 0; f < FEED_COUNT; f++)
		for (unsigned g = 0; g < f; g++)
			assert_string_not_equal(feed_name(f), feed_name(g));
}

static void
test_chains(void **state)
{
	good("chains: [1, 8453, 18446744073709551614]\n");
	assert_true(feeds_chain(&t.feeds, true, 1));
	assert_true(feeds_chain(&t.feeds, true, 8453));
	assert_true(feeds_chain(&t.feeds, true, UINT64_MAX - 1));
	assert_false(feeds_chain(&t.feeds, true, 0));
	assert_false(feeds_chain(&t.feeds, true, 10));
	assert_false(feeds_chain(&t.feeds, true, UINT64_MAX));
	assert_true(feeds_chain(&t.feeds, false, 0)); /* of any chain, and so of these */
}

static int
find(const char *hex)
{
	uint8_t a[20];
	for (unsigned i = 0; i < 20; i++) {
		unsigned v;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		a[i] = (uint8_t)v;
	}
	return protocols_find(&t.protocols, a);
}

static void
test_protocols(void **state)
{
	good("protocols:\n"
	     "  aave-v3: [\"0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2\", "
	     "0xffffffffffffffffffffffffffffffffffffffff]\n"
	     "  uniswap_v3.1: [\"0x0000000000000000000000000000000000000000\", "
	     "\"0xe592427a0aece92de3edee1f18e0157c05861564\"]\n"
	     "  X: [\"0xe592427a0aece92de3edee1f18e0157c05861565\"]\n");
	assert_int_equal(t.protocols.n, 3);
	assert_int_equal(t.protocols.n_addresses, 5);
	assert_string_equal(t.protocols.name[0], "aave-v3");
	assert_string_equal(t.protocols.name[1], "uniswap_v3.1");
	assert_string_equal(t.protocols.name[2], "X");
	assert_int_equal(find("87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"), 0);
	assert_int_equal(find("ffffffffffffffffffffffffffffffffffffffff"), 0);
	assert_int_equal(find("0000000000000000000000000000000000000000"), 1);
	assert_int_equal(find("e592427a0aece92de3edee1f18e0157c05861564"), 1);
	assert_int_equal(find("e592427a0aece92de3edee1f18e0157c05861565"), 2);
	assert_int_equal(find("e592427a0aece92de3edee1f18e0157c05861563"), -1);
	assert_int_equal(find("e592427a0aece92de3edee1f18e0157c05861566"), -1);
	assert_int_equal(find("fffffffffffffffffffffffffffffffffffffffe"), -1);
	assert_int_equal(find("0000000000000000000000000000000000000001"), -1);
}

/* As many as there may be, in an order of their own, and one more. */
static void
test_protocols_full(void **state)
{
	char *text = malloc(PROFILE_BYTES_MAX), *at = text + sprintf(text, "protocols:\n");
	for (unsigned i = 0; i < PROTOCOLS_ADDRESSES_MAX; i++) {
		unsigned place = i * 389 % PROTOCOLS_ADDRESSES_MAX;
		if (i % 16 == 0)
			at += sprintf(at, "%s p%u: [", i ? "]\n" : "", i / 16);
		at += sprintf(at, "%s0x%08x%032x", i % 16 ? "," : "", place * 4194304u, place);
	}
	strcpy(at, "]\n");
	good(text);
	assert_int_equal(t.protocols.n, PROTOCOLS_MAX);
	assert_int_equal(t.protocols.n_addresses, PROTOCOLS_ADDRESSES_MAX);
	for (unsigned i = 0; i < PROTOCOLS_ADDRESSES_MAX; i++) {
		char hex[41];
		unsigned place = i * 389 % PROTOCOLS_ADDRESSES_MAX;
		sprintf(hex, "%08x%032x", place * 4194304u, place);
		assert_int_equal(find(hex), i / 16);
		sprintf(hex, "%08x%032x", place * 4194304u, place + 1);
		assert_int_equal(find(hex), -1);
	}
	strcpy(at, ",\"0x1111111111111111111111111111111111111111\"]\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, "protocols.p63: more than 1024 addresses"));
	at = text + sprintf(text, "protocols:\n");
	for (unsigned i = 0; i <= PROTOCOLS_MAX; i++)
		at += sprintf(at, " p%u: [\"0x%040x\"]\n", i, i);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, "box.yaml:66:2: protocols: more than 64 names"));
	free(text);
}

static void
test_rlpx_keys(void **state)
{
	char text[400];
	good("rlpx_keys: /etc/sentinel/rlpx.keys\n");
	assert_string_equal(t.rlpx_keys, "/etc/sentinel/rlpx.keys");
	for (unsigned n = 255; n <= 256; n++) {
		snprintf(text, sizeof text, "rlpx_keys: \"%0*d\"\n", (int)n, 7);
		assert_int_equal(parse(text), n < TOPOLOGY_PATH_BYTES ? 0 : -EINVAL);
		assert_int_equal(strlen(t.rlpx_keys), n < TOPOLOGY_PATH_BYTES ? n : 0);
	}
	assert_non_null(strstr(err, "box.yaml:1:12: rlpx_keys is longer than 255 bytes"));
}

#define ADDRESS "\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2\""

/* Each mistake with where it is and what the sentence must name. */
static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} v[] = {
		{"feeds: [http]\n", "box.yaml:1:8: expected"},
		{"feeds: {htp: true}\n", "box.yaml:1:9: unknown key htp; known are http, websocket, rlpx, "
					 "engine, grpc, arbitrum"},
		{"feeds: {http: yes}\n", "box.yaml:1:15: feeds.http must be true (or auto), false (or off), "
					 "or a list of ports"},
		{"feeds: {http: 8545}\n", "box.yaml:1:15: feeds.http must be"},
		{"feeds: {http: {a: 1}}\n", "box.yaml:1:15: feeds.http must be"},
		{"feeds: {http: []}\n", "box.yaml:1:15: feeds.http: the list is empty"},
		{"feeds: {http: \n}\n", "feeds.http must be"},
		{"feeds: {http: true, http: true}\n", "box.yaml:1:21: http is given twice"},
		{"feeds: {rlpx: [0]}\n", "box.yaml:1:16: feeds.rlpx must be a number from 1 to 65535, not 0"},
		{"feeds: {rlpx: [65536]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [-1]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [1x]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [\" 1\"]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [\"1\\0\"]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [99999999999999999999999]}\n", "box.yaml:1:16: feeds.rlpx must be"},
		{"feeds: {rlpx: [[1]]}\n", "box.yaml:1:16: feeds.rlpx must be a number"},
		{"feeds: {rlpx: [1, 2, 1]}\n", "box.yaml:1:22: feeds.rlpx names 1 twice"},
		{"feeds: {grpc: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}\n", "feeds.grpc: more than 16"},
		{"chains: 1\n", "box.yaml:1:9: chains must be a list"},
		{"chains: []\n", "box.yaml:1:9: chains: the list is empty"},
		{"chains: [0]\n",
			"box.yaml:1:10: chains must be a number from 1 to 18446744073709551614, not 0"},
		{"chains: [18446744073709551615]\n", "box.yaml:1:10: chains must be"},
		{"chains: [18446744073709551616]\n", "box.yaml:1:10: chains must be"},
		{"chains: [mainnet]\n", "box.yaml:1:10: chains must be a number"},
		{"chains: [0x1]\n", "box.yaml:1:10: chains must be a number"},
		{"chains: [5, 5]\n", "box.yaml:1:13: chains names 5 twice"},
		{"chains: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]\n", "chains: more than 16"},
		{"protocols: []\n", "box.yaml:1:12: expected"},
		{"protocols: {a: " ADDRESS "}\n", "box.yaml:1:16: protocols.a must be a list of addresses"},
		{"protocols: {a: []}\n", "box.yaml:1:16: protocols.a must be a list"},
		{"protocols: {\"\": [" ADDRESS "]}\n", "box.yaml:1:13: protocols: a name has 1 to 31"},
		{"protocols: {a b: [" ADDRESS "]}\n", "box.yaml:1:13: protocols: a name"},
		{"protocols: {\"a\\\"b\": [" ADDRESS "]}\n", "box.yaml:1:13: protocols: a name"},
		{"protocols: {\"a\\nb\": [" ADDRESS "]}\n", "box.yaml:1:13: protocols: a name"},
		{"protocols: {a23456789012345678901234567890ab: [" ADDRESS "]}\n",
			"box.yaml:1:13: protocols: a name"},
		{"protocols: {a: [" ADDRESS "], a: [" ADDRESS "]}\n", "a is given twice"},
		{"protocols: {a: [" ADDRESS "], b: [\"0x87870BCA3f3fd6335c3f4ce8392d69350b4fa4e2\"]}\n",
			"is one of protocols.a already"},
		{"protocols: {a: [" ADDRESS ", " ADDRESS "]}\n",
			"box.yaml:1:63: protocols.a: 0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2 is one of"},
		{"protocols: {a: [\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e\"]}\n",
			"box.yaml:1:17: protocols.a: an address is"},
		{"protocols: {a: [\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e22\"]}\n", "an address is"},
		{"protocols: {a: [\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4eg\"]}\n", "an address is"},
		{"protocols: {a: [\"87870bca3f3fd6335c3f4ce8392d69350b4fa4e20x\"]}\n", "an address is"},
		{"protocols: {a: [\"0X87870bca3f3fd6335c3f4ce8392d69350b4fa4e2\"]}\n", "an address is"},
		{"protocols: {a: [{}]}\n", "box.yaml:1:17: protocols.a: an address is 0x and 40 hex digits"},
		{"rlpx_keys: [a]\n", "box.yaml:1:12: rlpx_keys must be the name of a file"},
		{"rlpx_keys: \"\"\n", "box.yaml:1:12: rlpx_keys must be"},
		{"rlpx_keys: \"a\\0b\"\n", "box.yaml:1:12: rlpx_keys must be"},
		{"feed: {}\n", "known are huge_pages, memory_mb, idle, checksum, mtu, vxlan_port, cores, "
			       "ports, flows, seen, pipe_mb, ring, feeds, "
			       "chains, protocols, rlpx_keys"},
		{"mtu: \"1500\\0\"\n", "box.yaml:1:6: mtu must be a number"},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		refused(v[i].text, v[i].says);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_feeds),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_protocols_full),
		cmocka_unit_test(test_rlpx_keys),
		cmocka_unit_test(test_mistakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
