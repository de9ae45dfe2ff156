/* SPDX-License-Identifier: BSD-3-Clause */
#include "profile_text.h"

#include <unistd.h>

static void
test_whole(void **state)
{
	const char *text = "huge_pages: true\nmemory_mb: 512\nidle: spin\nchecksum: verify\nmtu: 9000\nvxlan_port: 4800\n"
			   "cores: {main: 0, correlator: 1, workers: [2, 3, 5]}\n"
			   "ports: [\"0000:03:00.0\", \"net_af_packet0,iface=eth1\"]\n"
			   "flows: 1048576\nseen: 4194304\npipe_mb: 8\nring: {slots: 8192, evidence_mb: 32}\n";
	assert_int_equal(parse(text), 0);
	assert_true(t.huge_pages);
	assert_true(t.verify_checksum);
	assert_int_equal(t.memory_mb, 512);
	assert_int_equal(t.idle, IDLE_SPIN);
	assert_int_equal(t.mtu, 9000);
	assert_int_equal(t.vxlan_port, 4800);
	assert_int_equal(t.correlator_cpu, 1);
	assert_int_equal(t.workers, 3);
	assert_int_equal(t.worker_cpu[2], 5);
	assert_int_equal(t.ports, 2);
	assert_true(t.port[0].pci);
	assert_false(t.port[1].pci);
	assert_string_equal(t.port[1].device, "net_af_packet0,iface=eth1");
	assert_int_equal(t.flows_max, 1048576);
	assert_int_equal(t.seen_entries, 4194304);
	assert_int_equal(t.pipe_mb, 8);
	assert_int_equal(t.ring_slots, 8192);
	assert_int_equal(t.evidence_mb, 32);
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
}

static void
test_nothing_is_the_default(void **state)
{
	static const char *const texts[] = {"", "# nothing\n", "---\n", "{}\n"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct topology d;
		topology_default(&d);
		assert_int_equal(parse(texts[i]), 0);
		assert_memory_equal(&t, &d, sizeof t);
	}
}

/* Each mistake with where it is and what the sentence must name. */
static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} v[] = {
		{"mtu: big\n", "box.yaml:1:6: mtu must be a number"},
		{"mtu: -5\n", "box.yaml:1:6: mtu must be a number"},
		{"mtu: 4294967296\n", "box.yaml:1:6: mtu"},
		{"mtu: 99999999999999999999999\n", "box.yaml:1:6: mtu"},
		{"mtu: 15x\n", "box.yaml:1:6: mtu"},
		{"mtu: [1]\n", "box.yaml:1:6: mtu must be a number"},
		{"a: 1\n", "box.yaml:1:1: unknown key a"},
		{"mtu: 1500\nmtu: 1500\n", "box.yaml:2:1: mtu is given twice"},
		{"cores: {main: 0, main: 1}\n", "main is given twice"},
		{"cores: {foo: 0}\n", "box.yaml:1:9: unknown key foo; known are main"},
		{"cores: 3\n", "box.yaml:1:8: expected"},
		{"cores: {workers: 3}\n", "cores.workers must be a list"},
		{"cores: {workers: [1, x]}\n", "box.yaml:1:22: cores.workers"},
		{"ring: {slots: no}\n", "ring.slots must be a number"},
		{"ring: {slot: 1}\n", "unknown key slot"},
		{"idle: lazy\n", "idle must be spin, pause or sleep"},
		{"checksum: maybe\n", "checksum must be trust or verify"},
		{"huge_pages: 1\n", "huge_pages must be false or true"},
		{"flows: 5\n", "box.yaml:1:8: flows is 5; it must be 16 to 4194304"},
		{"ring: {slots: 100}\n", "box.yaml:1:15: ring.slots is 100; it must be 64 to 1048576 and a power of two"},
		{"ports: eth0\n", "ports must be a list"},
		{"ports: [eth0]\n", "a port is a PCI address"},
		{"ports: [\"--vdev=x\"]\n", "a port is a PCI address"},
		{"ports: [[]]\n", "a port is a PCI address"},
		{"- a\n- b\n", "box.yaml:1:1: expected"},
		{"just words\n", "box.yaml:1:1: expected"},
		{"? [a]\n: b\n", "a key must be a word"},
		{"mtu: [1\n", "box.yaml:"},
		{"\tmtu: 1\n", "box.yaml:"},
		{"mtu: \"\xff\"\n", "box.yaml:"},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		refused(v[i].text, v[i].says);
}

/* A list in a list in a list, as many as a file holds, is refused before the YAML reader sees it, whose time grows with the square of them. */
static void
test_too_deep(void **state)
{
	static char text[PROFILE_BYTES_MAX];
	struct topology t;
	char err[512];
	memcpy(text, "mtu: 1500\nports: ", 17);
	memset(text + 17, '[', sizeof text - 18);
	topology_default(&t);
	assert_int_equal(profile_parse("box.yaml", text, sizeof text - 1, &t, err, sizeof err), -EINVAL);
	assert_string_equal(err, "box.yaml:2:40: more than 32 brackets are open here");
}

static void
test_too_many(void **state)
{
	char text[1024] = "cores: {workers: [0";
	for (unsigned i = 0; i < TOPOLOGY_WORKERS_MAX; i++)
		strcat(text, ",0");
	strcat(text, "]}\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, "more than"));
	strcpy(text, "ports: [net_null0");
	for (unsigned i = 0; i < TOPOLOGY_PORTS_MAX; i++)
		strcat(text, ",net_null1");
	strcat(text, "]\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, "more than"));
	char device[300];
	memset(device, 'a', sizeof device);
	memcpy(device, "net_", 4);
	snprintf(text, sizeof text, "ports: [%.*s]\n", (int)sizeof device, device);
	assert_int_equal(parse(text), -EINVAL);
}

/* A message never leaves its buffer. */
static void
test_short_buffer(void **state)
{
	for (size_t n = 1; n < 40; n++) {
		char *small = malloc(n);
		topology_default(&t);
		assert_int_equal(profile_parse("a-rather-long-name.yaml", "zzz: 1", 6, &t, small, n), -EINVAL);
		assert_true(memchr(small, 0, n) != NULL);
		free(small);
	}
}

static void
test_files(void **state)
{
	char path[] = "/tmp/test-profile-XXXXXX";
	topology_default(&t);
	assert_int_equal(profile_load("/nonexistent.yaml", &t, err, sizeof err), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent.yaml"));
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mtu: 1400\n", 10), 10);
	assert_int_equal(profile_load(path, &t, err, sizeof err), 0);
	assert_int_equal(t.mtu, 1400);
	assert_int_equal(ftruncate(fd, PROFILE_BYTES_MAX + 1), 0);
	assert_int_equal(profile_load(path, &t, err, sizeof err), -EFBIG);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_nothing_is_the_default),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_too_deep), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_short_buffer),
		cmocka_unit_test(test_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
