/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <dirent.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 8u
#define SHARED_WORKERS_MAX 2u /* one worker spreads for the others: more than two rarely help */

struct found {
	char interface[PORT_INTERFACE_BYTES];
	char pci[32], pci_driver[32];
	char others[256]; /* interfaces that might be meant too */
	bool huge, dedicated, down, away; /* down: nothing comes by the interface yet; away: the port is also how this machine reaches others */
	uint32_t cpus, main, correlator, worker[WORKERS_MAX], workers;
	uint64_t memory_mb;
};

/* Network devices that DPDK can take as they are. */
static void
find_pci(const struct box *b, struct found *f)
{
	char path[512], class[16], driver[64];
	struct dirent *e;
	snprintf(path, sizeof path, "%s/sys/bus/pci/devices", b->fs.root);
	DIR *d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || sysfs_text(&b->fs, class, sizeof class, "/sys/bus/pci/devices/%s/class", e->d_name) <= 0 ||
			strncmp(class, "0x0200", 6) != 0 || sysfs_link(&b->fs, driver, sizeof driver, "/sys/bus/pci/devices/%s/driver", e->d_name) != 0)
			continue;
		/* mlx5 stays with the kernel, which may be using it: only if nothing is configured on it can it be meant */
		if (strcmp(driver, "vfio-pci") != 0 || (f->pci[0] != '\0' && strcmp(f->pci, e->d_name) < 0))
			continue;
		snprintf(f->pci, sizeof f->pci, "%.31s", e->d_name);
		snprintf(f->pci_driver, sizeof f->pci_driver, "%.31s", driver);
	}
	if (d != NULL)
		closedir(d);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
find_interface(const struct box *b, struct found *f)
{
	char path[512], names[64][PORT_INTERFACE_BYTES];
	struct dirent *e;
	size_t n = 0, at = 0;
	unsigned flags;
	snprintf(path, sizeof path, "%s/sys/class/net", b->fs.root);
	DIR *d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL && n < 64)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "lo") != 0 && strlen(e->d_name) < PORT_INTERFACE_BYTES)
			strcpy(names[n++], e->d_name);
	if (d != NULL)
		closedir(d);
	qsort(names, n, sizeof names[0], by_name);
	const char *down = NULL, *chosen = NULL;
	for (size_t i = 0; i < n && chosen == NULL; i++) {
		bool spare = sysfs_exists(&b->fs, "/sys/class/net/%s/device", names[i]) && !box_leads_away(b, names[i]) &&
			     kernel_port_flags(&b->fs, names[i], &flags) == 0;
		if (spare && (flags & IFF_UP) != 0)
			chosen = names[i];
		else if (spare && down == NULL)
			down = names[i];
	}
	f->down = chosen == NULL && down != NULL;
	chosen = f->down ? down : chosen;
	if (chosen != NULL)
		strcpy(f->interface, chosen);
	for (size_t i = 0; i < n; i++) {
		if (names[i] != chosen && at + strlen(names[i]) + 3 < sizeof f->others)
			at += (size_t)snprintf(f->others + at, sizeof f->others - at, "%s%s", at > 0 ? ", " : "", names[i]);
	}
}

static uint32_t
count_of(const uint64_t *set)
{
	uint32_t n = 0;
	for (size_t i = 0; i < BOX_CPU_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(set[i]);
	return n;
}

/* CPUs of the port's node first, each core once; then the others. */
static uint32_t
choose(const struct box *b, const uint64_t *from, int node, uint32_t *out, uint32_t max)
{
	uint64_t used[BOX_CPU_WORDS] = {0};
	uint32_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t c = 0; c < BOX_CPU_WORDS * 64 && n < max; c++) {
			char text[256];
			uint64_t mates[BOX_CPU_WORDS];
			bool near = node < 0 || box_cpu_node(b, c) < 0 || box_cpu_node(b, c) == node;
			if ((from[c / 64] >> (c % 64) & 1) == 0 || (used[c / 64] >> (c % 64) & 1) != 0 || near != (pass == 0))
				continue;
			out[n++] = c;
			used[c / 64] |= 1ull << (c % 64);
			if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", c) > 0 &&
				sysfs_cpus(text, mates, BOX_CPU_WORDS))
				for (size_t i = 0; i < BOX_CPU_WORDS; i++)
					used[i] |= mates[i];
		}
	}
	return n;
}

static void
find_cpus(const struct box *b, struct found *f, int node)
{
	char text[4096];
	uint64_t online[BOX_CPU_WORDS] = {1}, isolated[BOX_CPU_WORDS] = {0};
	uint32_t list[WORKERS_MAX + 1];
	if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/online") <= 0 || !sysfs_cpus(text, online, BOX_CPU_WORDS) || count_of(online) == 0)
		memset(online, 0, sizeof online), online[0] = 1;
	if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/isolated") <= 0 || !sysfs_cpus(text, isolated, BOX_CPU_WORDS))
		memset(isolated, 0, sizeof isolated);
	for (size_t i = 0; i < BOX_CPU_WORDS; i++)
		isolated[i] &= online[i];
	f->cpus = count_of(online);
	uint64_t rest[BOX_CPU_WORDS];
	for (size_t i = 0; i < BOX_CPU_WORDS; i++)
		rest[i] = online[i] & ~isolated[i];
	choose(b, count_of(rest) > 0 ? rest : online, -1, &f->main, 1);
	f->correlator = f->main;
	uint32_t n = choose(b, isolated, node, list, WORKERS_MAX + 1);
	f->dedicated = n >= 2;
	if (f->dedicated) {
		f->correlator = list[--n];
	} else {
		rest[f->main / 64] &= ~(1ull << (f->main % 64));
		n = choose(b, rest, node, list, f->cpus >= 4 ? SHARED_WORKERS_MAX : 1);
		if (n == 0)
			list[n++] = f->main;
	}
	f->workers = n;
	memcpy(f->worker, list, n * sizeof list[0]);
}

__attribute__((format(printf, 2, 3))) static void
line(FILE *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

static void
write_ports(FILE *out, const struct found *f)
{
	line(out, "# What shows the nodes' traffic: a mirror port, or what sentinel-tap copies it to.");
	if (f->pci[0] != '\0') {
		line(out, "ports:\n  - device: \"%s\"        # bound to %s\n    checksum: verify", f->pci, f->pci_driver);
	} else if (f->interface[0] == '\0') {
		line(out, "# None was found that does not lead to the rest of the network; name it with --interface, or here:\n"
			  "#  - interface: eth1             # by AF_XDP, which needs huge_pages: true\n"
			  "#  - device: net_af_packet0,iface=eth1\n"
			  "ports: []");
	} else if (f->huge) {
		line(out, "ports:\n  - interface: %s             # by AF_XDP\n    checksum: trust\n%s    steer: true                  # what is not the nodes' goes on to the kernel",
			f->interface, f->away ? "" : "#");
	} else {
		line(out, "ports:\n  - device: net_af_packet0,iface=%s   # the last resort; with huge pages: `interface: %s`, by AF_XDP\n    checksum: trust", f->interface,
			f->interface);
	}
	if (f->huge && f->away && f->pci[0] == '\0')
		line(out, "# This machine reaches others by %s: without this the box would take all of its TCP, and nobody could log in here any more.\n"
			  "filter:\n  ports: " BOX_NODE_PORTS "   # the nodes'; also addresses, vlans",
			f->interface);
	if (f->down)
		line(out, "# It is down: ip link set %s up, in the host's own network configuration too.", f->interface);
	if (f->others[0] != '\0')
		line(out, "# Other interfaces: %s", f->others);
}

char *
box_init_text(const struct box *b, const char *interface)
{
	struct found f = {0};
	struct topology_port p = {0};
	char *text = NULL, total[8192];
	size_t n = 0, len;
	unsigned flags;
	FILE *out = open_memstream(&text, &n);
	if (out == NULL)
		return NULL;
	if (interface != NULL)
		snprintf(f.interface, sizeof f.interface, "%.15s", interface);
	else
		find_pci(b, &f);
	if (interface == NULL && f.pci[0] == '\0')
		find_interface(b, &f);
	const char *v = sysfs_text(&b->fs, total, sizeof total, "/proc/meminfo") > 0 ? sysfs_word(total, "HugePages_Total", &len) : NULL;
	f.huge = v != NULL && strtoul(v, NULL, 10) > 0;
	p.pci = f.pci[0] != '\0';
	snprintf(p.device, sizeof p.device, "%s", p.pci ? f.pci : "net_af_xdp0");
	memcpy(p.interface, f.interface, sizeof p.interface);
	if (interface != NULL)
		f.down = kernel_port_flags(&b->fs, interface, &flags) == 0 && (flags & IFF_UP) == 0;
	f.away = f.interface[0] != '\0' && box_leads_away(b, f.interface);
	find_cpus(b, &f, box_port_node(b, &p));
	line(out, "# Written by `sentinelctl box init` for the machine it found; `sentinelctl box check` says what is not as it should be.");
	line(out, "# `sentinel-dataplane --profile THIS --print-topology` shows what is made of it.");
	line(out, "\n# Huge pages: %s", f.huge ? "reserved here." : "none are reserved here (sysctl vm.nr_hugepages=512); AF_XDP and PCI devices need them.");
	line(out, "huge_pages: %s", f.huge || p.pci ? "true" : "false");
	line(out, "memory_mb: %u                   # packet buffers", f.huge || p.pci ? 512 : 128);
	line(out, "\n# %u CPU%s%s.", f.cpus, f.cpus == 1 ? "" : "s",
		f.dedicated ? ", of which isolated ones poll" : "; none are isolated (isolcpus=), so workers sleep when idle");
	line(out, "idle: %s", f.dedicated ? "spin" : "sleep");
	fprintf(out, "cores: {main: %u, correlator: %u, workers: [", f.main, f.correlator);
	for (uint32_t i = 0; i < f.workers; i++)
		fprintf(out, "%s%u", i > 0 ? ", " : "", f.worker[i]);
	line(out, "]}\n");
	write_ports(out, &f);
	line(out, "\n# More keys: sentinel-dataplane --help; feeds, chains, protocols, rlpx_keys.");
	return fclose(out) == 0 ? text : NULL;
}
