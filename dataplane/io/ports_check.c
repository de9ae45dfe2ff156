/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ports_check.h"

#include "io/kernel_port.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTEL 0x8086u
#define MELLANOX 0x15b3u

__attribute__((format(printf, 4, 5))) static int
refuse(int rc, char *err, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, cap, fmt, ap);
	va_end(ap);
	return rc;
}

/* By the kernel's driver; by the device's number where vfio has taken its place. */
const char *
ports_driver(uint32_t vendor, uint32_t device, const char *kernel_driver)
{
	static const struct {
		const char *kernel, *dpdk;
	} names[] = {{"mlx5_core", "mlx5"}, {"mlx4_core", "mlx4"}, {"ice", "ice"}, {"i40e", "i40e"}, {"ixgbe", "ixgbe"}, {"iavf", "iavf"}, {"igb", "e1000"},
		{"e1000", "e1000"}, {"igc", "igc"}, {"bnxt_en", "bnxt"}, {"ena", "ena"}, {"virtio-pci", "virtio"}, {"vmxnet3", "vmxnet3"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(kernel_driver, names[i].kernel) == 0)
			return names[i].dpdk;
	if (vendor == MELLANOX)
		return device >= 0x1011 ? "mlx5" : "mlx4";
	if (vendor == INTEL && ((device >= 0x1591 && device <= 0x159b) || (device >= 0x188a && device <= 0x1892)))
		return "ice";
	if (vendor == INTEL && ((device >= 0x1572 && device <= 0x158b) || (device >= 0x37ce && device <= 0x37d3)))
		return "i40e";
	return NULL;
}

bool
ports_bifurcated(const char *kernel_driver)
{
	return strcmp(kernel_driver, "mlx5_core") == 0 || strcmp(kernel_driver, "mlx4_core") == 0;
}

static int
driver_there(const char *drivers, const char *name, const char *of, char *err, size_t cap)
{
	const struct sysfs here = {""};
	if (drivers[0] == '\0' || sysfs_exists(&here, "%s/librte_net_%s.so", drivers, name) || sysfs_count(&here, "librte_net_", "%s", drivers) < 0)
		return 0;
	return refuse(-ENOENT, err, cap, "port %s: DPDK's driver library librte_net_%s.so is not on this box (in %s): apt install librte-net-%s23", of, name,
		drivers, name[0] == 'a' && strcmp(name, "af_xdp") == 0 ? "af-xdp" : strcmp(name, "af_packet") == 0 ? "af-packet" : name);
}

static int
check_interface(const struct sysfs *s, const struct topology_port *p, char *err, size_t cap)
{
	unsigned flags;
	int rc = kernel_port_flags(s, p->interface, &flags);
	if (rc == -ENODEV)
		return refuse(rc, err, cap, "port %s: there is no such network interface (`ip link` lists them)", p->interface);
	if (rc == 0 && (flags & IFF_UP) == 0)
		return refuse(-ENETDOWN, err, cap, "port %s: the interface is down: ip link set %s up", p->interface, p->interface);
	return 0;
}

/* Every queue of the interface is read, or frames pass unseen. */
static int
check_queues(const struct sysfs *s, const struct topology_port *p, char *err, size_t cap)
{
	uint32_t n = kernel_port_queues(s, p->interface);
	if (n > 1 && kernel_port_apart(s, p->interface))
		return refuse(-EINVAL, err, cap,
			"port %s: the interface has %u receive queues, which its driver counts apart from those to send, and DPDK's AF_XDP would read the first "
			"alone: ethtool -L %s rx 1 tx 1",
			p->interface, n, p->interface);
	if (n > PORT_QUEUES_MAX)
		return refuse(-E2BIG, err, cap, "port %s: the interface has %u queues, and %u can be read: ethtool -L %s combined %u", p->interface, n,
			PORT_QUEUES_MAX, p->interface, p->queues > 0 ? p->queues : 1);
	if (n > 0 && p->queues > 0 && p->queues != n)
		return refuse(-EINVAL, err, cap,
			"port %s: the interface spreads over %u queues and the profile has queues: %u, the rest would pass unseen: ethtool -L %s combined %u, "
			"or take queues out of the profile",
			p->interface, n, p->queues, p->interface, p->queues);
	return 0;
}

static int
check_vfio(const struct sysfs *s, const char *pci, char *err, size_t cap)
{
	char group[16], node[64];
	if (sysfs_link(s, group, sizeof group, "/sys/bus/pci/devices/%s/iommu_group", pci) != 0)
		return refuse(-ENODEV, err, cap,
			"port %s: the IOMMU is off, and vfio-pci needs it: turn VT-d or AMD-Vi on in the firmware and boot with intel_iommu=on iommu=pt", pci);
	snprintf(node, sizeof node, "/dev/vfio/%s", group);
	if (!sysfs_exists(s, "%s", node) && sysfs_exists(s, "/dev/vfio/noiommu-%s", group))
		snprintf(node, sizeof node, "/dev/vfio/noiommu-%s", group);
	int rc = sysfs_access(s, R_OK | W_OK, "%s", node);
	if (rc == -EACCES || rc == -EPERM)
		return refuse(rc, err, cap, "port %s: no right to use %s: chown it to the user that the dataplane runs as, or start it as root", pci, node);
	return rc == 0 ? 0 : refuse(rc, err, cap, "port %s: %s is not there: modprobe vfio-pci", pci, node);
}

static int
check_pci(const struct sysfs *s, const char *drivers, const struct topology_port *p, char *err, size_t cap)
{
	char pci[280], driver[64] = "", text[32];
	snprintf(pci, sizeof pci, "%s%s", strchr(p->device, ':') == strrchr(p->device, ':') ? "0000:" : "", p->device);
	if (!sysfs_exists(s, "/sys/bus/pci/devices/%s", pci))
		return refuse(-ENODEV, err, cap, "port %s: there is no such PCI device (`lspci -D | grep -i ethernet` lists them)", pci);
	uint32_t vendor = 0, device = 0;
	if (sysfs_text(s, text, sizeof text, "/sys/bus/pci/devices/%s/vendor", pci) > 0)
		vendor = (uint32_t)strtoul(text, NULL, 16);
	if (sysfs_text(s, text, sizeof text, "/sys/bus/pci/devices/%s/device", pci) > 0)
		device = (uint32_t)strtoul(text, NULL, 16);
	sysfs_link(s, driver, sizeof driver, "/sys/bus/pci/devices/%s/driver", pci);
	const char *name = ports_driver(vendor, device, driver);
	if (name != NULL && driver_there(drivers, name, pci, err, cap) != 0)
		return -ENOENT;
	if (ports_bifurcated(driver) || strcmp(driver, "uio_pci_generic") == 0 || strcmp(driver, "igb_uio") == 0)
		return 0;
	if (vendor == MELLANOX)
		return refuse(-ENODEV, err, cap, "port %s: %s instead of mlx5_core is its driver; this kind of device stays with it: driverctl unset-override %s", pci,
			driver[0] != '\0' ? driver : "nothing", pci);
	if (strcmp(driver, "vfio-pci") == 0)
		return check_vfio(s, pci, err, cap);
	return refuse(-EBUSY, err, cap, "port %s: its driver is %s; DPDK takes it from vfio-pci: modprobe vfio-pci && dpdk-devbind.py -b vfio-pci %s", pci,
		driver[0] != '\0' ? driver : "none", pci);
}

int
ports_check_one(const struct sysfs *s, const char *drivers, const struct topology_port *p, char *err, size_t err_cap)
{
	static const char *const vdevs[] = {"af_xdp", "af_packet", "pcap", "ring", "null"};
	char name[32], of[64];
	if (p->pci)
		return check_pci(s, drivers, p, err, err_cap);
	port_name(p, of, sizeof of);
	for (size_t i = 0; i < sizeof vdevs / sizeof vdevs[0]; i++) {
		snprintf(name, sizeof name, "net_%s", vdevs[i]);
		if (port_is(p, name) && driver_there(drivers, vdevs[i], of, err, err_cap) != 0)
			return -ENOENT;
	}
	if (p->interface[0] == '\0')
		return 0;
	int rc = check_interface(s, p, err, err_cap);
	return rc == 0 && port_is(p, "net_af_xdp") ? check_queues(s, p, err, err_cap) : rc;
}
