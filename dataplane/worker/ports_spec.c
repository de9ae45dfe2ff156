/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/ports_spec.h"

#include <errno.h>
#include <string.h>

bool
port_is(const struct topology_port *p, const char *driver)
{
	size_t n = strlen(driver);
	const char *rest = p->device + n;
	if (p->pci || strncmp(p->device, driver, n) != 0)
		return false;
	rest += strspn(rest, "0123456789");
	return *rest == '\0' || *rest == ',';
}

/* The value of `key` among comma-separated key=value words; NULL: it is not there. */
static const char *
argument(const char *args, const char *key, size_t *len)
{
	size_t n = strlen(key);
	for (const char *s = args; s != NULL && *s != '\0'; s = strchr(s, ',')) {
		s += *s == ',';
		if (strncmp(s, key, n) != 0 || s[n] != '=')
			continue;
		*len = strcspn(s + n + 1, ",");
		return s + n + 1;
	}
	return NULL;
}

static bool
given(const struct topology_port *p, const char *key)
{
	size_t n;
	return argument(p->device, key, &n) != NULL || argument(p->args, key, &n) != NULL;
}

void
port_find_interface(struct topology_port *p)
{
	size_t n = 0;
	const char *s = NULL;
	if (port_is(p, "net_af_xdp") || port_is(p, "net_af_packet"))
		s = argument(p->device, "iface", &n);
	else if (port_is(p, "net_pcap"))
		s = argument(p->device, "rx_iface", &n);
	if (s == NULL && port_is(p, "net_pcap"))
		s = argument(p->device, "iface", &n);
	if (s == NULL || n == 0 || n >= sizeof p->interface)
		return;
	memcpy(p->interface, s, n);
	p->interface[n] = '\0';
}

void
port_name(const struct topology_port *p, char *out, size_t cap)
{
	const char *from = p->interface[0] != '\0' ? p->interface : p->device;
	snprintf(out, cap, "%.*s", (int)strcspn(from, ","), from);
}

bool
port_named(const struct topology_port *p, const char *name)
{
	size_t n = strcspn(p->device, ",");
	if (strncmp(p->device, name, n) == 0 && name[n] == '\0')
		return true;
	/* a PCI address may go without its domain */
	return p->pci && strncmp(name, "0000:", 5) == 0 && strncmp(p->device, name + 5, n) == 0 && name[5 + n] == '\0';
}

int
port_device_args(const struct topology_port *p, uint32_t kernel_queues, char *out, size_t cap)
{
	char more[160] = "";
	size_t at = 0;
	if (port_is(p, "net_af_xdp")) {
		if (!given(p, "busy_budget"))
			at += (size_t)snprintf(more + at, sizeof more - at, ",busy_budget=0");
		if (!given(p, "queue_count") && kernel_queues > 1)
			at += (size_t)snprintf(more + at, sizeof more - at, ",queue_count=%u", kernel_queues);
		if (p->xdp_prog[0] != '\0' && !given(p, "xdp_prog"))
			snprintf(more + at, sizeof more - at, ",xdp_prog=%s", p->xdp_prog);
	}
	int n = snprintf(out, cap, "%s%s%s%s", p->device, p->args[0] != '\0' ? "," : "", p->args, more);
	return n < 0 || (size_t)n >= cap ? -E2BIG : 0;
}

int
port_check(const struct topology_port *p, uint32_t workers, bool huge_pages, char *err, size_t err_cap)
{
	char name[64];
	port_name(p, name, sizeof name);
	if (p->queues > 1 && p->queues != workers) {
		snprintf(err, err_cap, "ports: %s has queues: %u, and cores.workers lists %u: a queue belongs to a worker, so give as many, or 1", name,
			p->queues, workers);
		return -EINVAL;
	}
	if (p->steer && !port_is(p, "net_af_xdp")) {
		snprintf(err, err_cap, "ports: steer goes with AF_XDP (interface: NAME), and %s is none", name);
		return -EINVAL;
	}
	if (port_is(p, "net_af_xdp") && !huge_pages) {
		snprintf(err, err_cap,
			"ports: AF_XDP (%s) needs huge_pages: true, and huge pages reserved (sysctl vm.nr_hugepages=512); without them "
			"net_af_packet0,iface=%s does",
			name, p->interface[0] != '\0' ? p->interface : "NAME");
		return -EINVAL;
	}
	return 0;
}

void
port_print(const struct topology_port *p, uint32_t number, bool verify_all, FILE *out)
{
	bool verify = p->checksum == PORT_CHECKSUM_DEFAULT ? verify_all : p->checksum == PORT_CHECKSUM_VERIFY;
	fprintf(out, "%-10s %5u  %s%s%s  checksum %s", "port", number, p->device, p->args[0] != '\0' ? "," : "", p->args, verify ? "verify" : "trust");
	if (p->queues > 0)
		fprintf(out, ", %u queue%s", p->queues, p->queues == 1 ? "" : "s");
	fprintf(out, "%s\n", p->steer ? ", steer" : "");
}
