/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of a profile: both spellings, what EAL is given for them, what is refused and where. */
#include "profile_text.h"

static const char *
args_of(const struct topology_port *p, uint32_t queues)
{
	static char out[1024];
	assert_int_equal(port_device_args(p, queues, out, sizeof out), 0);
	return out;
}

static void
test_spellings(void **state)
{
	assert_int_equal(parse("huge_pages: true\n"
			       "ports:\n"
			       "- \"03:00.1\"\n"
			       "- device: \"0000:03:00.0\"\n"
			       "  args: mprq_en=1,rxq_cqe_comp_en=0\n"
			       "  checksum: verify\n"
			       "- interface: eth1\n"
			       "  steer: true\n"
			       "  checksum: trust\n"
			       "  queues: 1\n"
			       "- {device: \"net_af_packet0,iface=eth2\"}\n"
			       "- net_pcap0,rx_iface=eth3\n"
			       "- net_pcap1,rx_pcap=x.pcap\n"),
		0);
	assert_int_equal(t.ports, 6);
	assert_true(t.port[0].pci && t.port[1].pci && !t.port[2].pci);
	assert_string_equal(args_of(&t.port[0], 0), "03:00.1");
	assert_string_equal(args_of(&t.port[1], 0), "0000:03:00.0,mprq_en=1,rxq_cqe_comp_en=0");
	assert_int_equal(t.port[1].checksum, PORT_CHECKSUM_VERIFY);
	assert_int_equal(t.port[0].checksum, PORT_CHECKSUM_DEFAULT);
	assert_int_equal(t.port[2].checksum, PORT_CHECKSUM_TRUST);
	assert_true(t.port[2].steer);
	assert_int_equal(t.port[2].queues, 1);
	assert_string_equal(t.port[2].interface, "eth1");
	assert_string_equal(args_of(&t.port[2], 1), "net_af_xdp2,iface=eth1,busy_budget=0");
	assert_string_equal(args_of(&t.port[2], 4), "net_af_xdp2,iface=eth1,busy_budget=0,queue_count=4");
	strcpy(t.port[2].xdp_prog, "/proc/self/fd/9");
	assert_string_equal(args_of(&t.port[2], 1), "net_af_xdp2,iface=eth1,busy_budget=0,xdp_prog=/proc/self/fd/9");
	assert_string_equal(t.port[3].interface, "eth2");
	assert_string_equal(args_of(&t.port[3], 4), "net_af_packet0,iface=eth2");
	assert_string_equal(t.port[4].interface, "eth3");
	assert_string_equal(t.port[5].interface, "");
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
}

/* What the profile says itself is left as it is. */
static void
test_own_words(void **state)
{
	assert_int_equal(parse("ports: [\"net_af_xdp0,iface=eth1,busy_budget=64,queue_count=2\"]\n"), 0);
	assert_string_equal(args_of(&t.port[0], 4), "net_af_xdp0,iface=eth1,busy_budget=64,queue_count=2");
	assert_int_equal(parse("ports: [{device: \"net_af_xdp0,iface=eth1\", args: \"busy_budget=8\"}]\n"), 0);
	assert_string_equal(args_of(&t.port[0], 1), "net_af_xdp0,iface=eth1,busy_budget=8");
	/* not by a name that only ends so */
	assert_int_equal(parse("ports: [\"net_af_xdp0,iface=eth1,no_busy_budget=1\"]\n"), 0);
	assert_string_equal(args_of(&t.port[0], 1), "net_af_xdp0,iface=eth1,no_busy_budget=1,busy_budget=0");
	char small[20];
	assert_int_equal(port_device_args(&t.port[0], 1, small, sizeof small), -E2BIG);
}

static void
test_names(void **state)
{
	char name[64];
	assert_int_equal(parse("ports: [\"03:00.1\", \"0000:03:00.0\", {interface: eth1}, \"net_ring0\"]\n"), 0);
	assert_true(port_named(&t.port[0], "0000:03:00.1"));
	assert_false(port_named(&t.port[0], "0000:03:00.0"));
	assert_true(port_named(&t.port[1], "0000:03:00.0"));
	assert_true(port_named(&t.port[2], "net_af_xdp2"));
	assert_false(port_named(&t.port[2], "net_af_xdp20"));
	port_name(&t.port[2], name, sizeof name);
	assert_string_equal(name, "eth1");
	port_name(&t.port[3], name, sizeof name);
	assert_string_equal(name, "net_ring0");
	assert_true(port_is(&t.port[2], "net_af_xdp"));
	assert_false(port_is(&t.port[2], "net_af"));
	assert_false(port_is(&t.port[0], "03"));
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} v[] = {
		{"ports: [{}]\n", "box.yaml:1:9: a port needs a device or an interface"},
		{"ports:\n- device: eth0\n", "box.yaml:2:11: ports: a port is a PCI address"},
		{"ports:\n- device: net_null0\n  interface: eth0\n", "box.yaml:3:14: a port has a device or an interface, not both"},
		{"ports:\n- interface: eth0\n  device: net_null0\n", "box.yaml:3:11: a port has a device or an interface"},
		{"ports: [{interface: averyverylonginterface}]\n", "box.yaml:1:21: interface must be the name"},
		{"ports: [{interface: \"eth0,x=y\"}]\n", "interface must be the name"},
		{"ports: [{interface: \"a/b\"}]\n", "interface must be the name"},
		{"ports: [{interface: \"\"}]\n", "interface must be the name"},
		{"ports: [{interface: ..}]\n", "interface must be the name"},
		{"ports: [{interface: [a]}]\n", "interface must be the name"},
		{"ports: [{device: net_null0, args: \"a b\"}]\n", "args must be the driver's arguments"},
		{"ports: [{device: net_null0, args: \",a=1\"}]\n", "args must be the driver's arguments"},
		{"ports: [{device: net_null0, args: \"a=1,\"}]\n", "args must be the driver's arguments"},
		{"ports: [{device: net_null0, args: [a]}]\n", "args must be the driver's arguments"},
		{"ports: [{device: net_null0, checksum: maybe}]\n", "checksum must be trust or verify"},
		{"ports: [{device: net_null0, steer: 1}]\n", "steer must be false or true"},
		{"ports: [{device: net_null0, queues: 0}]\n", "ports.queues is 0; it must be 1 to 64"},
		{"ports: [{device: net_null0, queues: 65}]\n", "ports.queues is 65"},
		{"ports: [{device: net_null0, speed: 1}]\n", "box.yaml:1:29: unknown key speed; known are device, interface"},
		{"ports: [{device: net_null0, device: net_null1}]\n", "device is given twice"},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		refused(v[i].text, v[i].says);
}

/* What reads well and does not go together. */
static void
test_checks(void **state)
{
	static const struct {
		const char *text, *says;
	} v[] = {
		{"ports: [{interface: eth1}]\n", "AF_XDP (eth1) needs huge_pages: true"},
		{"ports: [\"net_af_xdp0,iface=eth1\"]\n", "AF_XDP (eth1) needs huge_pages: true"},
		{"ports: [{device: \"net_af_packet0,iface=eth1\", steer: true}]\n", "steer goes with AF_XDP"},
		{"cores: {workers: [1, 2]}\nports: [{device: net_null0, queues: 3}]\n", "queues: 3, and cores.workers lists 2"},
		{"huge_pages: true\nports: [{interface: eth1}, \"net_af_packet0,iface=eth1\"]\n", "ports names eth1 twice"},
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		assert_int_equal(parse(v[i].text), 0);
		assert_int_equal(topology_check(&t, 8, err, sizeof err), -EINVAL);
		if (strstr(err, v[i].says) == NULL)
			print_message("%s -> %s\n", v[i].text, err);
		assert_non_null(strstr(err, v[i].says));
	}
}

static void
test_print(void **state)
{
	char *text = NULL;
	size_t n = 0;
	assert_int_equal(parse("checksum: verify\nhuge_pages: true\ncores: {workers: [1, 2]}\n"
			       "ports: [\"0000:03:00.0\", {interface: eth1, args: \"start_queue=0\", checksum: trust, steer: true, queues: 2}]\n"),
		0);
	FILE *f = open_memstream(&text, &n);
	assert_non_null(f);
	topology_print(&t, f);
	fclose(f);
	assert_non_null(strstr(text, "port           0  0000:03:00.0  checksum verify\n"));
	assert_non_null(strstr(text, "port           1  net_af_xdp1,iface=eth1,start_queue=0  checksum trust, 2 queues, steer\n"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_own_words),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
