/* SPDX-License-Identifier: BSD-3-Clause */
/* A filter as it is written: words, the profile's key, and what a box does without one. */
#include "profile_text.h"

#include "io/filter_text.h"

static void
test_profile(void **state)
{
	static const uint8_t four[16] = {[10] = 0xff, 0xff, 192, 0, 2, 2}, net[16] = {0x20, 0x01, 0x0d, 0xb8};
	assert_int_equal(parse("filter: {ports: [8545, 30303], addresses: [\"192.0.2.2\", \"2001:db8::/32\"], vlans: [100], tunnels: [\"10.0.0.1\"]}\n"), 0);
	const struct filter *f = &t.filter;
	assert_true(f->given);
	assert_int_equal(f->ports, 2);
	assert_int_equal(f->port[1], 30303);
	assert_int_equal(f->addresses, 2);
	assert_memory_equal(f->address[0].address, four, 16);
	assert_int_equal(f->address[0].bits, 128);
	assert_memory_equal(f->address[1].address, net, 16);
	assert_int_equal(f->address[1].bits, 32);
	assert_int_equal(f->vlans, 1);
	assert_int_equal(f->vlan[0], 100);
	assert_int_equal(f->tunnels, 1);
	assert_int_equal(parse("mtu: 1500\n"), 0);
	assert_false(t.filter.given);
	assert_int_equal(parse("filter: {}\n"), 0);
	assert_true(t.filter.given && t.filter.ports == 0 && t.filter.tunnels == 0);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *at, *word;
	} bad[] = {{"filter: [1]\n", "box.yaml:1:9", "key: value"}, {"filter: {port: [1]}\n", "box.yaml:1:10", "ports, addresses, vlans, tunnels"},
		{"filter: {ports: 1}\n", "box.yaml:1:17", "list"}, {"filter: {ports: []}\n", "box.yaml:1:17", "empty"},
		{"filter: {ports: [0]}\n", "box.yaml:1:18", "1 to 65535"}, {"filter: {ports: [65536]}\n", "box.yaml:1:18", "1 to 65535"},
		{"filter: {ports: [-1]}\n", "box.yaml:1:18", "1 to 65535"}, {"filter: {ports: [1, 1]}\n", "box.yaml:1:21", "twice"},
		{"filter: {ports: [0x10]}\n", "box.yaml:1:18", "0x10"}, {"filter: {ports: [\"\"]}\n", "box.yaml:1:18", "number"},
		{"filter: {ports: [99999999999999999999]}\n", "box.yaml:1:18", "number"}, {"filter: {ports: [[1]]}\n", "box.yaml:1:18", "word"},
		{"filter: {vlans: [4095]}\n", "box.yaml:1:18", "0 to 4094"}, {"filter: {addresses: [1]}\n", "box.yaml:1:22", "192.0.2.2"},
		{"filter: {addresses: [\"192.0.2.2/33\"]}\n", "box.yaml:1:22", "0 to 32"},
		{"filter: {addresses: [\"192.0.2.2/24\"]}\n", "box.yaml:1:22", "bits behind"},
		{"filter: {addresses: [\"2001:db8::1/64\"]}\n", "box.yaml:1:22", "bits behind"},
		{"filter: {addresses: [\"2001:db8::/129\"]}\n", "box.yaml:1:22", "0 to 128"}, {"filter: {addresses: [\"/8\"]}\n", "box.yaml:1:22", "192"},
		{"filter: {addresses: [\"10.0.0.0/\"]}\n", "box.yaml:1:22", "slash"},
		{"filter: {addresses: [\"10.0.0.0/8\", \"10.0.0.0/8\"]}\n", "box.yaml:1:36", "twice"},
		{"filter: {ports: [1]}\nfilter: {ports: [2]}\n", "box.yaml:2:1", "twice"}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		if (strncmp(err, bad[i].at, strlen(bad[i].at)) != 0 || strstr(err, bad[i].word) == NULL)
			fail_msg("%s said: %s", bad[i].text, err);
	}
}

static void
test_lists_are_full(void **state)
{
	struct filter f = {0};
	char text[64];
	for (unsigned i = 1; i <= FILTER_PORTS_MAX; i++) {
		snprintf(text, sizeof text, "%u", i);
		assert_int_equal(filter_text_port(&f, text, err, sizeof err), 0);
		assert_int_equal(filter_text_vlan(&f, text, err, sizeof err), 0);
		snprintf(text, sizeof text, "10.0.0.%u", i);
		assert_int_equal(filter_text_address(&f, text, err, sizeof err), 0);
	}
	assert_int_equal(filter_text_port(&f, "1000", err, sizeof err), -E2BIG);
	assert_non_null(strstr(err, "more than 64 ports"));
	assert_int_equal(filter_text_vlan(&f, "1000", err, sizeof err), -E2BIG);
	assert_int_equal(filter_text_address(&f, "10.1.0.1", err, sizeof err), -E2BIG);
	assert_int_equal(f.ports, FILTER_PORTS_MAX);
	assert_int_equal(filter_text_list(&f, "", filter_text_port, err, sizeof err), -EINVAL);
	assert_int_equal(filter_text_list(&(struct filter){0}, "1,,2", filter_text_port, err, sizeof err), -EINVAL);
	assert_int_equal(filter_text_list(&(struct filter){0}, "1,2,", filter_text_port, err, sizeof err), -EINVAL);
	memset(text, '1', sizeof text - 1);
	text[63] = '\0';
	char twice[200];
	snprintf(twice, sizeof twice, "%s%s", text, text);
	assert_int_equal(filter_text_list(&(struct filter){0}, twice, filter_text_address, err, sizeof err), -EINVAL);
}

static void
test_show(void **state)
{
	static const char *const same[] = {"192.0.2.2", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1", "fe80::/10", "255.255.255.255"};
	struct filter_prefix p;
	char out[FILTER_TEXT_PREFIX], line[16];
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_int_equal(filter_text_prefix(same[i], &p, err, sizeof err), 0);
		filter_text_show(&p, out);
		assert_string_equal(out, same[i]);
	}
	struct filter f = {.ports = 3, .port = {1, 22222, 33333}};
	for (size_t cap = 0; cap < sizeof line; cap++) {
		memset(line, '#', sizeof line);
		filter_text_print(&f, line, cap);
		assert_int_equal(line[cap], '#');
		assert_true(cap == 0 || memchr(line, 0, cap) != NULL);
	}
}

static void
test_derived(void **state)
{
	struct filter_prefix nodes[FILTER_ADDRESSES_MAX + 1];
	for (unsigned i = 0; i < FILTER_ADDRESSES_MAX + 1; i++) {
		nodes[i] = (struct filter_prefix){.bits = 128};
		nodes[i].address[15] = (uint8_t)i;
	}
	struct filter f = {0};
	assert_int_equal(filter_derive(&f, nodes, 2), 0);
	assert_int_equal(f.addresses, 2);
	assert_int_equal(f.address[1].address[15], 1);
	assert_int_equal(f.tunnels + f.ports + f.vlans, 0);
	assert_int_equal(filter_derive(&f, NULL, 0), 0);
	assert_int_equal(f.addresses, 0);
	assert_int_equal(f.tunnels, 1);
	assert_int_equal(f.tunnel[0].bits, 0);
	assert_int_equal(filter_derive(&f, nodes, FILTER_ADDRESSES_MAX + 1), FILTER_ADDRESSES_MAX + 1);
	assert_int_equal(f.addresses, 0);
	f = (struct filter){.given = true, .ports = 1, .port = {8545}};
	assert_int_equal(filter_derive(&f, nodes, 2), 0);
	assert_int_equal(f.addresses, 0);
	assert_int_equal(f.ports, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_profile), cmocka_unit_test(test_refused), cmocka_unit_test(test_lists_are_full),
		cmocka_unit_test(test_show), cmocka_unit_test(test_derived)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
