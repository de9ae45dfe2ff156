/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in the way of a port, on faked trees of /sys and /dev: each refusal names the way out. Reading such trees. */
#include "fake_tree.h"

#include "io/kernel_port.h"
#include "io/ports_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sysfs tree = {root};

static int
setup(void **state)
{
	start_anew();
	return 0;
}

static int
teardown(void **state)
{
	gone("");
	return 0;
}

static struct topology_port
port(const char *device)
{
	struct topology_port p = {0};
	strcpy(p.device, device);
	p.pci = strncmp(device, "net_", 4) != 0;
	port_find_interface(&p);
	return p;
}

static void
expect(const struct topology_port *p, int rc, const char *says)
{
	char err[512] = "", drivers[128];
	snprintf(drivers, sizeof drivers, "%s/pmds", root);
	int got = ports_check_one(&tree, drivers, p, err, sizeof err);
	if (got != rc || (says != NULL && strstr(err, says) == NULL))
		print_message("%s: %d %s\n", p->device, got, err);
	assert_int_equal(got, rc);
	if (says != NULL)
		assert_non_null(strstr(err, says));
}

#define NIC "/sys/bus/pci/devices/0000:03:00.0"

static void
test_pci(void **state)
{
	struct topology_port p = port("03:00.0");
	expect(&p, -ENODEV, "port 0000:03:00.0: there is no such PCI device");
	put(NIC "/vendor", "0x8086\n");
	put(NIC "/device", "0x159b\n");
	expect(&p, -EBUSY, "its driver is none");
	lead(NIC "/driver", "../../../../bus/pci/drivers/ice");
	expect(&p, -EBUSY, "modprobe vfio-pci && dpdk-devbind.py -b vfio-pci 0000:03:00.0");
	put("/pmds/librte_net_mlx5.so", "");
	expect(&p, -ENOENT, "librte_net_ice.so is not on this box");
	put("/pmds/librte_net_ice.so", "");
	lead(NIC "/driver", "../../../../bus/pci/drivers/vfio-pci");
	expect(&p, -ENODEV, "the IOMMU is off");
	lead(NIC "/iommu_group", "../../../kernel/iommu_groups/17");
	expect(&p, -ENOENT, "/dev/vfio/17 is not there: modprobe vfio-pci");
	put("/dev/vfio/17", "");
	expect(&p, 0, NULL);
	if (geteuid() != 0) {
		char node[128];
		snprintf(node, sizeof node, "%s/dev/vfio/17", root);
		chmod(node, 0);
		expect(&p, -EACCES, "no right to use /dev/vfio/17");
	}
}

static void
test_noiommu(void **state)
{
	struct topology_port p = port("0000:03:00.0");
	put(NIC "/vendor", "0x8086\n");
	put(NIC "/device", "0x1572\n");
	lead(NIC "/driver", "../../../../bus/pci/drivers/vfio-pci");
	lead(NIC "/iommu_group", "../../../kernel/iommu_groups/3");
	put("/dev/vfio/noiommu-3", "");
	expect(&p, 0, NULL);
}

static void
test_mlx5(void **state)
{
	struct topology_port p = port("0000:03:00.0");
	put(NIC "/vendor", "0x15b3\n");
	put(NIC "/device", "0x1017\n");
	lead(NIC "/driver", "../../../../bus/pci/drivers/vfio-pci");
	lead(NIC "/iommu_group", "../../../kernel/iommu_groups/17");
	put("/dev/vfio/17", "");
	expect(&p, -ENODEV, "vfio-pci instead of mlx5_core");
	lead(NIC "/driver", "../../../../bus/pci/drivers/mlx5_core");
	expect(&p, 0, NULL);
	put("/pmds/librte_net_ice.so", "");
	expect(&p, -ENOENT, "apt install librte-net-mlx5");
}

static void
test_interface(void **state)
{
	struct topology_port p = port("net_af_xdp0,iface=eth1");
	expect(&p, -ENODEV, "port eth1: there is no such network interface");
	put("/sys/class/net/eth1/flags", "0x1002\n");
	expect(&p, -ENETDOWN, "ip link set eth1 up");
	put("/sys/class/net/eth1/flags", "0x1003\n");
	put("/sys/class/net/eth1/queues/rx-0/rps_cpus", "");
	put("/sys/class/net/eth1/queues/rx-1/rps_cpus", "");
	put("/sys/class/net/eth1/queues/tx-0/xps_cpus", "");
	expect(&p, 0, NULL);
	assert_int_equal(kernel_port_queues(&tree, "eth1"), 2);
	assert_int_equal(kernel_port_queues(&tree, "eth9"), 0);
	p.queues = 1;
	expect(&p, -EINVAL, "the interface spreads over 2 queues and the profile has queues: 1, the rest would pass unseen: ethtool -L eth1 combined 1");
	p.queues = 2;
	expect(&p, 0, NULL);
	p = port("net_af_packet0,iface=eth1"); /* sees every queue by itself */
	p.queues = 1;
	expect(&p, 0, NULL);
	put("/pmds/librte_net_mlx5.so", "");
	expect(&p, -ENOENT, "librte_net_af_packet.so is not on this box");
	p = port("net_af_xdp0,iface=eth1");
	expect(&p, -ENOENT, "apt install librte-net-af-xdp");
	for (unsigned i = 2; i < PORT_QUEUES_MAX + 1; i++) {
		char path[96];
		snprintf(path, sizeof path, "/sys/class/net/eth1/queues/rx-%u/rps_cpus", i);
		put(path, "");
	}
	put("/pmds/librte_net_af_xdp.so", "");
	expect(&p, -E2BIG, "has 65 queues, and 64 can be read");
}

static void
test_known_devices(void **state)
{
	assert_string_equal(ports_driver(0x15b3, 0x101d, "vfio-pci"), "mlx5");
	assert_string_equal(ports_driver(0x15b3, 0x1007, ""), "mlx4");
	assert_string_equal(ports_driver(0x8086, 0x1592, "vfio-pci"), "ice");
	assert_string_equal(ports_driver(0x8086, 0x1583, "vfio-pci"), "i40e");
	assert_string_equal(ports_driver(0x8086, 0x0, "i40e"), "i40e");
	assert_null(ports_driver(0x10ec, 0x8168, "r8169"));
	assert_true(ports_bifurcated("mlx5_core"));
	assert_false(ports_bifurcated("ice"));
}

static void
test_reading(void **state)
{
	char text[16];
	int64_t n;
	uint64_t set[2];
	size_t len;
	assert_int_equal(sysfs_text(&tree, text, sizeof text, "/nothing"), -ENOENT);
	put("/a/b", "0123456789abcdefXYZ\n");
	assert_int_equal(sysfs_text(&tree, text, sizeof text, "/%s/b", "a"), 15);
	assert_string_equal(text, "0123456789abcde");
	put("/n", "-1\n");
	assert_int_equal(sysfs_number(&tree, &n, "/n"), 0);
	assert_int_equal(n, -1);
	put("/n", "x\n");
	assert_int_equal(sysfs_number(&tree, &n, "/n"), -EINVAL);
	put("/n", "");
	assert_int_equal(sysfs_number(&tree, &n, "/n"), -EINVAL);
	put("/n", "99999999999999999999999\n");
	assert_int_equal(sysfs_number(&tree, &n, "/n"), -EINVAL);
	assert_int_equal(sysfs_count(&tree, "b", "/a"), 1);
	assert_int_equal(sysfs_count(&tree, "b", "/none"), -ENOENT);
	const char *info = "flags\t\t: fpu ssse3\nflagsx: no\nHugePages_Total:     400\n";
	const char *word = sysfs_word(info, "flags", &len);
	assert_int_equal(len, 9);
	assert_memory_equal(word, "fpu ssse3", len);
	assert_int_equal(atoi(sysfs_word(info, "HugePages_Total", &len)), 400);
	assert_null(sysfs_word(info, "HugePages", &len));
	assert_true(sysfs_cpus("0-3,8,64-70", set, 2));
	assert_int_equal(set[0], 0x10f);
	assert_int_equal(set[1], 0x7f);
	assert_true(sysfs_cpus("", set, 2));
	assert_int_equal(set[0] | set[1], 0);
	assert_true(sysfs_cpus("1000-1001", set, 2));
	static const char *const bad[] = {"x", "1-", "1,", "1--2", "1 2", ",1", "-1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(sysfs_cpus(bad[i], set, 2));
}

/* A process that has many files open: the sockets of its ports are found all the same. */
static void
test_sockets_of_ports(void **state)
{
	struct kernel_mark before;
	struct kernel_sockets s = {0}, of = {0};
	struct rlimit files;
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex("lo")};
	int low = socket(AF_PACKET, SOCK_RAW, 0), beyond[2];
	if (low < 0)
		skip();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	beyond[0] = fcntl(low, F_DUPFD, 1500);
	if (beyond[0] < 0)
		skip();
	kernel_sockets_mark(&before);
	kernel_sockets_new(&s, &before);
	assert_int_equal(s.n, 0);
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	beyond[1] = fcntl(fd, F_DUPFD, 2000);
	close(fd);
	kernel_sockets_new(&s, &before);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.fd[0], beyond[1]);
	assert_false(s.xdp[0]);
	kernel_sockets_of(&of, "lo");
	assert_int_equal(of.n, 1);
	assert_int_equal(of.fd[0], beyond[1]);
	close(low);
	close(beyond[0]);
	close(beyond[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_noiommu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mlx5, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interface, setup, teardown),
		cmocka_unit_test(test_known_devices),
		cmocka_unit_test_setup_teardown(test_reading, setup, teardown),
		cmocka_unit_test(test_sockets_of_ports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
