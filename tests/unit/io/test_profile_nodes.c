/* SPDX-License-Identifier: BSD-3-Clause */
/* The nodes beside the box, in its profile. */
#include "profile_text.h"

static void
test_without(void **state)
{
	good("mtu: 1500\n");
	assert_int_equal(t.nodes.n, 0);
	assert_int_equal(t.nodes.n_places, 0);
	good("nodes: {}\n");
	assert_int_equal(t.nodes.n, 0);
}

/* The example of the header. */
static void
test_nodes(void **state)
{
	static const uint8_t ip4[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 2};
	static const uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 3};
	good("nodes:\n"
	     "  geth-1: {addresses: [\"192.0.2.2\", \"2001:db8::2\"], silence_s: 60, feeds: [http, rlpx]}\n"
	     "  geth-2: {addresses: [\"192.0.2.3:8545\", \"[2001:db8::3]:30303\"]}\n");
	const struct nodes *n = &t.nodes;
	assert_int_equal(n->n, 2);
	assert_int_equal(n->n_places, 4);
	assert_string_equal(n->name[1], "geth-1");
	assert_string_equal(n->name[2], "geth-2");
	assert_int_equal(n->silence_s[1], 60);
	assert_int_equal(n->silence_s[2], 0);
	assert_int_equal(n->feeds[1], 1u << NODE_FEED_HTTP | 1u << NODE_FEED_RLPX);
	assert_int_equal(n->feeds[2], 0);
	assert_memory_equal(n->place[0].ip, ip4, 16);
	assert_int_equal(n->place[0].port, 0);
	assert_int_equal(n->place[2].port, 8545);
	assert_memory_equal(n->place[3].ip, ip6, 16);
	assert_int_equal(n->place[3].port, 30303);
	assert_int_equal(n->place[3].node, 2);
	good("nodes: {a: {addresses: [\"192.0.2.2\"]}, b: {addresses: [\"192.0.2.2:1\", \"192.0.2.2:65535\"]}}");
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *err;
	} rows[] = {
		{"nodes: [a]", "box.yaml:1:8: "},
		{"nodes: {a: 1}", "box.yaml:1:12: "},
		{"nodes: {a: {}}", "box.yaml:1:9: nodes.a has no addresses"},
		{"nodes: {a: {silence_s: 3}}", "box.yaml:1:9: nodes.a has no addresses"},
		{"nodes: {a: {addresses: []}}", "box.yaml:1:24: nodes.a.addresses must be a list of addresses"},
		{"nodes: {a: {addresses: 192.0.2.2}}", "box.yaml:1:24: nodes.a.addresses must be a list of addresses"},
		{"nodes: {a: {addresses: [[]]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [192.0.2]}}", "box.yaml:1:25: nodes.a.addresses: an address is 192.0.2.2, 192.0.2.2:8545, 2001:db8::2 or "
						       "[2001:db8::2]:8545, not 192.0.2"},
		{"nodes: {a: {addresses: [\"192.0.2.2:\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"192.0.2.2:0\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"192.0.2.2:65536\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"192.0.2.2:8545x\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"192.0.2.2:+1\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"[192.0.2.2]:1\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"[2001:db8::2]\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"[2001:db8::2\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"::ffff:192.0.2.2:8545\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"geth.example\"]}}", "box.yaml:1:25: nodes.a.addresses: an address is"},
		{"nodes: {a: {addresses: [\"192.0.2.2\", \"192.0.2.2\"]}}", "box.yaml:1:38: nodes.a.addresses: 192.0.2.2 is an address of nodes.a already"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"]}, b: {addresses: [\"::ffff:192.0.2.2\"]}}", "is an address of nodes.a already"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"]}, a: {addresses: [\"192.0.2.3\"]}}", "box.yaml:1:40: a is given twice"},
		{"nodes: {other: {addresses: [\"192.0.2.2\"]}}", "box.yaml:1:9: nodes: a name has"},
		{"nodes: {\"-\": {addresses: [\"192.0.2.2\"]}}", "box.yaml:1:9: nodes: a name has"}, /* notices have it for none */
		{"nodes: {-a: {addresses: [\"192.0.2.2\"]}}", "box.yaml:1:9: nodes: a name has"},
		{"nodes: {\"a b\": {addresses: [\"192.0.2.2\"]}}", "box.yaml:1:9: nodes: a name has"},
		{"nodes: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {addresses: [\"192.0.2.2\"]}}", "box.yaml:1:9: nodes: a name has 1 to 31 letters"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], silence_s: 0}}", "nodes.a.silence_s must be seconds from 1 to 604800"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], silence_s: 604801}}", "nodes.a.silence_s must be seconds"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], silence_s: soon}}", "nodes.a.silence_s must be seconds"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], feeds: []}}", "nodes.a.feeds must be a list of feeds"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], feeds: [unread]}}", "nodes.a.feeds: a feed is http, websocket, rlpx, engine, grpc, arbitrum or ipc, not unread"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], feeds: [http, http]}}", "nodes.a.feeds names http twice"},
		{"nodes: {a: {addresses: [\"192.0.2.2\"], port: 1}}", "unknown key port; known are addresses, silence_s, feeds"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (parse(rows[i].text) == 0)
			fail_msg("accepted: %s", rows[i].text);
		if (strstr(err, rows[i].err) == NULL)
			fail_msg("%s: %s, not %s", rows[i].text, err, rows[i].err);
	}
}

static void
test_caps(void **state)
{
	char text[8192];
	for (unsigned more = 0; more < 2; more++) {
		size_t n = (size_t)snprintf(text, sizeof text, "nodes:\n");
		for (unsigned i = 0; i < NODES_MAX + more; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "  n%u: {addresses: [\"10.0.0.%u\"]}\n", i, i);
		assert_int_equal(parse(text) == 0, !more);
		assert_true(!more || strstr(err, "box.yaml:18:3: nodes: more than 16") != NULL);
		n = (size_t)snprintf(text, sizeof text, "nodes: {a: {addresses: [\"10.1.0.0\"");
		for (unsigned i = 1; i < NODES_PLACES_MAX + more; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, ", \"10.0.0.%u\"", i);
		snprintf(text + n, sizeof text - n, "]}}\n");
		assert_int_equal(parse(text) == 0, !more);
		assert_true(!more || strstr(err, "nodes.a.addresses: more than 64 addresses in all") != NULL);
	}
}

static void
test_print(void **state)
{
	char *out = NULL;
	size_t n = 0;
	good("nodes: {a: {addresses: [\"192.0.2.2\", \"[2001:db8::3]:30303\"], silence_s: 9}, b: {addresses: [\"192.0.2.2:80\", \"2001:db8::1\"]}}");
	FILE *f = open_memstream(&out, &n);
	topology_print(&t, f);
	fclose(f);
	assert_non_null(strstr(out, "1  a at 192.0.2.2 [2001:db8::3]:30303, told after 9 s of silence\n"));
	assert_non_null(strstr(out, "2  b at 192.0.2.2:80 2001:db8::1\n"));
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
