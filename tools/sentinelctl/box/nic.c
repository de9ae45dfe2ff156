/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include "io/ports_check.h"

#include <inttypes.h>
#include <string.h>

static void
pci_of(const struct topology_port *p, char out[280])
{
	snprintf(out, 280, "%s%s", strchr(p->device, ':') == strrchr(p->device, ':') ? "0000:" : "", p->device);
}

/* The folder of the port's device below /sys; false: it has none. */
static bool
device_folder(const struct box *b, const struct topology_port *p, char *out, size_t cap)
{
	char pci[280];
	if (p->pci) {
		pci_of(p, pci);
		snprintf(out, cap, "/sys/bus/pci/devices/%s", pci);
		return sysfs_exists(&b->fs, "%s", out);
	}
	snprintf(out, cap, "/sys/class/net/%s/device", p->interface);
	return p->interface[0] != '\0' && sysfs_exists(&b->fs, "%s", out);
}

int
box_port_node(const struct box *b, const struct topology_port *p)
{
	char folder[320];
	int64_t node;
	if (!device_folder(b, p, folder, sizeof folder) || sysfs_number(&b->fs, &node, "%s/numa_node", folder) != 0)
		return -1;
	return (int)node;
}

static void
ready(const struct box *b, struct box_result *r)
{
	char err[512];
	int rc = ports_check_one(&b->fs, b->drivers, b->port, err, sizeof err);
	if (rc != 0) {
		char *fix = strstr(err, ": ");
		fix = fix != NULL ? strstr(fix + 2, ": ") : NULL;
		box_say(r, BOX_FAIL, fix != NULL ? fix + 2 : NULL, "%.*s", fix != NULL ? (int)(fix - err) : (int)strlen(err), err);
		return;
	}
	char name[64];
	port_name(b->port, name, sizeof name);
	if (b->drivers[0] == '\0')
		box_say(r, BOX_UNKNOWN, "apt install dpdk", "port %s is ready, but DPDK's driver libraries are not where they are looked for", name);
	else
		box_say(r, BOX_PASS, NULL, "port %s is there, with its driver", name);
}

static void
link_up(const struct box *b, struct box_result *r)
{
	int64_t carrier, mbps;
	const char *name = b->port->interface;
	if (name[0] == '\0')
		box_say(r, BOX_UNKNOWN, NULL, "port %s: its link shows once the dataplane runs (sentinelctl status)", b->port->device);
	else if (sysfs_number(&b->fs, &carrier, "/sys/class/net/%s/carrier", name) != 0)
		box_say(r, BOX_UNKNOWN, NULL, "port %s: /sys does not show its link", name);
	else if (carrier == 0)
		box_say(r, BOX_FAIL, "plug it in, or configure the mirror session of the switch", "port %s has no link", name);
	else if (sysfs_number(&b->fs, &mbps, "/sys/class/net/%s/speed", name) != 0 || mbps <= 0)
		box_say(r, BOX_PASS, NULL, "port %s has a link", name);
	else if (mbps < 1000)
		box_say(r, BOX_WARN, "a better cable or port", "port %s has a link of %" PRId64 " Mbit/s: a busy node's traffic does not fit", name, mbps);
	else
		box_say(r, BOX_PASS, NULL, "port %s has a link of %" PRId64 " Mbit/s", name, mbps);
}

static void
numa(const struct box *b, struct box_result *r)
{
	char name[64], fix[160];
	int node = box_port_node(b, b->port);
	port_name(b->port, name, sizeof name);
	if (node < 0) {
		box_say(r, BOX_PASS, NULL, "port %s is near every CPU", name);
		return;
	}
	for (uint32_t i = 0; i < b->t.workers; i++) {
		int other = box_cpu_node(b, b->t.worker_cpu[i]);
		if (other < 0 || other == node)
			continue;
		snprintf(fix, sizeof fix, "cores.workers from /sys/devices/system/node/node%d/cpulist", node);
		box_say(r, BOX_WARN, fix, "port %s is on NUMA node %d, and the worker's CPU %u on node %d: each frame crosses over", name, node, b->t.worker_cpu[i], other);
		return;
	}
	box_say(r, BOX_PASS, NULL, "port %s and the workers are on NUMA node %d", name, node);
}

static void
rss(const struct box *b, struct box_result *r)
{
	char name[64], fix[400];
	port_name(b->port, name, sizeof name);
	if (b->t.workers == 1) {
		box_say(r, BOX_PASS, NULL, "one worker reads all of port %s", name);
		return;
	}
	if (!port_is(b->port, "net_af_xdp")) {
		box_say(r, BOX_PASS, NULL, b->port->pci ? "port %s: the dataplane sets a symmetric key and reads it back" : "port %s: the first worker spreads", name);
		return;
	}
	uint32_t queues = kernel_port_queues(&b->fs, b->port->interface);
	enum kernel_rss how = queues > 1 ? b->calls->rss(b->port->interface) : KERNEL_RSS_UNKNOWN;
	snprintf(fix, sizeof fix,
		"ethtool -L %s combined %u && ethtool -X %s hfunc toeplitz hkey 6d:5a:6d:5a:... (to the key's whole length) && ethtool -N %s rx-flow-hash tcp4 sdfn, tcp6 "
		"too",
		name, b->t.workers, name, name);
	if (how == KERNEL_RSS_OTHER)
		box_say(r, BOX_WARN, fix, "port %s hashes the directions of a connection to different queues: one worker will spread for all", name);
	else if (how == KERNEL_RSS_UNKNOWN || queues != b->t.workers)
		box_say(r, BOX_WARN, how == KERNEL_RSS_UNKNOWN ? NULL : fix, "port %s has %u queue%s for %u workers%s: one worker will spread for all", name, queues,
			queues == 1 ? "" : "s", b->t.workers, how == KERNEL_RSS_UNKNOWN && queues > 1 ? ", and does not show its hash" : "");
	else
		box_say(r, BOX_PASS, NULL, "port %s keeps both directions of a connection on one queue", name);
}

static void
offloads(const struct box *b, struct box_result *r)
{
	bool gro, lro;
	char fix[160];
	const char *name = b->port->interface;
	if (name[0] == '\0') {
		box_say(r, BOX_PASS, NULL, "port %s: no offload of the kernel is in the way", b->port->device);
		return;
	}
	int rc = b->calls->offloads(name, &gro, &lro);
	snprintf(fix, sizeof fix, "ethtool -K %s gro off lro off", name);
	if (rc != 0)
		box_say(r, BOX_UNKNOWN, NULL, "port %s: its offloads cannot be asked for: %s", name, strerror(-rc));
	else if (lro && port_is(b->port, "net_af_xdp"))
		box_say(r, BOX_FAIL, fix, "port %s has LRO on, with which the kernel refuses XDP or hides frames", name);
	else if (gro || lro)
		box_say(r, BOX_WARN, fix, "port %s has %s on: what it shows are not the frames of the wire%s", name, lro ? "LRO" : "GRO",
			port_is(b->port, "net_af_packet") ? ", and the largest are cut" : "");
	else
		box_say(r, BOX_PASS, NULL, "port %s shows frames as they are on the wire", name);
}

static void
checksum(const struct box *b, struct box_result *r)
{
	char name[64];
	enum port_checksum c = b->port->checksum;
	bool verify = c == PORT_CHECKSUM_DEFAULT ? b->t.verify_checksum : c == PORT_CHECKSUM_VERIFY;
	bool software = b->port->interface[0] != '\0' && !sysfs_exists(&b->fs, "/sys/class/net/%s/device", b->port->interface);
	port_name(b->port, name, sizeof name);
	if (verify && software)
		box_say(r, BOX_FAIL, "checksum: trust for this port", "port %s is no hardware: checksums are filled in later than it sees frames, and all would be refused", name);
	else if (!verify && b->port->pci)
		box_say(r, BOX_WARN, "checksum: verify for this port", "port %s is trusted with checksums: damaged frames of a mirror are taken for good", name);
	else
		box_say(r, BOX_PASS, NULL, "port %s: checksum: %s is right", name, verify ? "verify" : "trust");
}

/* Neither ports nor addresses nor VLANs tell the nodes' TCP from this machine's own. */
static bool
takes_all_tcp(const struct topology *t)
{
	const struct filter *f = &t->filter;
	return f->given ? f->ports == 0 && f->addresses == 0 && f->vlans == 0 : t->nodes.n_places == 0;
}

/* AF_XDP takes every frame, and the kernel gets none. */
static void
steer(const struct box *b, struct box_result *r)
{
	const char *name = b->port->interface, *filter = "filter: {ports: " BOX_NODE_PORTS "} in the profile, or nodes with their addresses";
	if (!port_is(b->port, "net_af_xdp"))
		box_say(r, BOX_PASS, NULL, name[0] != '\0' ? "port %s leaves the kernel its frames" : "port %s is not the kernel's", name[0] != '\0' ? name : b->port->device);
	else if (b->port->steer && takes_all_tcp(&b->t) && box_leads_away(b, name))
		box_say(r, BOX_FAIL, filter, "port %s is how this machine reaches others, and without a filter or nodes all of its TCP is taken: it would be cut off", name);
	else if (b->port->steer)
		box_say(r, BOX_PASS, NULL, "port %s leaves the kernel what is not the nodes'", name);
	else if (box_leads_away(b, name))
		box_say(r, BOX_FAIL, "steer: true for this port, and a filter or nodes",
			"port %s is how this machine reaches others, and AF_XDP takes all of its frames: it would be cut off", name);
	else
		box_say(r, BOX_PASS, NULL, "port %s gives all of its frames to the box", name);
}

static void
pcie(const struct box *b, struct box_result *r)
{
	char folder[320], speed[64], most[64], name[64];
	int64_t width, widest;
	port_name(b->port, name, sizeof name);
	if (!device_folder(b, b->port, folder, sizeof folder)) {
		box_say(r, BOX_PASS, NULL, "port %s sits on no bus", name);
		return;
	}
	if (sysfs_number(&b->fs, &width, "%s/current_link_width", folder) != 0 || sysfs_number(&b->fs, &widest, "%s/max_link_width", folder) != 0 ||
		sysfs_text(&b->fs, speed, sizeof speed, "%s/current_link_speed", folder) <= 0 || sysfs_text(&b->fs, most, sizeof most, "%s/max_link_speed", folder) <= 0)
		box_say(r, BOX_UNKNOWN, NULL, "port %s: /sys does not show its bus", name);
	else if (width < widest || strcmp(speed, most) != 0)
		box_say(r, BOX_WARN, "another slot", "port %s could use PCIe x%" PRId64 " at %s and has x%" PRId64 " at %s", name, widest, most, width, speed);
	else
		box_say(r, BOX_PASS, NULL, "port %s has its whole PCIe bus, x%" PRId64 " at %s", name, width, speed);
}

static const struct box_check checks[] = {
	{"nic.ready", ready, true},
	{"nic.link", link_up, true},
	{"nic.numa", numa, true},
	{"nic.rss", rss, true},
	{"nic.offloads", offloads, true},
	{"nic.checksum", checksum, true},
	{"nic.steer", steer, true},
	{"nic.pcie", pcie, true},
};
const struct box_group box_nic = {checks, sizeof checks / sizeof checks[0]};
