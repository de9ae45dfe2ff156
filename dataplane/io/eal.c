/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/eal.h"

#include "io/box.h"
#include "io/kernel_port.h"
#include "io/ports_check.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARGS_MAX (24 + TOPOLOGY_PORTS_MAX)
#define ARG_BYTES 1024

static bool huge;
static int socket_now = SOCKET_ID_ANY;

struct arguments {
	char text[ARGS_MAX][ARG_BYTES];
	char *v[ARGS_MAX + 1];
	int n;
};

__attribute__((format(printf, 2, 3))) static void
add(struct arguments *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->text[a->n], ARG_BYTES, fmt, ap);
	va_end(ap);
	a->v[a->n] = a->text[a->n];
	a->n++;
}

static void
add_lcores(struct arguments *a, const struct topology *t)
{
	char list[ARG_BYTES];
	int n = snprintf(list, sizeof list, "%u@%u,%u@%u", TOPOLOGY_MAIN, t->main_cpu, TOPOLOGY_CORRELATOR, t->correlator_cpu);
	for (uint32_t i = 0; i < t->workers; i++)
		n += snprintf(list + n, sizeof list - (size_t)n, ",%u@%u", TOPOLOGY_WORKER_0 + i, t->worker_cpu[i]);
	add(a, "--lcores=%s", list);
}

/* Nothing is probed but what the topology names: a sentinel must not take a NIC that it was not given. */
static int
add_ports(struct arguments *a, const struct topology *t, char *err, size_t cap)
{
	const struct sysfs here = {""};
	char device[ARG_BYTES - 16];
	bool pci = false;
	for (uint32_t i = 0; i < t->ports; i++) {
		const struct topology_port *p = &t->port[i];
		uint32_t queues = p->interface[0] != '\0' ? kernel_port_queues(&here, p->interface) : 0;
		if (ports_check_one(&here, RTE_EAL_PMD_PATH, p, err, cap) != 0)
			return -ENODEV;
		if (port_device_args(p, queues, device, sizeof device) != 0) {
			snprintf(err, cap, "port %s: its arguments are too long", p->device);
			return -E2BIG;
		}
		pci |= p->pci;
		add(a, p->pci ? "--allow=%s" : "--vdev=%s", device);
	}
	if (!pci)
		add(a, "--no-pci");
	return 0;
}

int
eal_start(const struct topology *t, char *err, size_t err_cap)
{
	static struct arguments a;
	rte_openlog_stream(stderr); /* else to syslog too, for which DPDK would open a socket at any time */
	add(&a, "sentinel-dataplane");
	add_lcores(&a, t);
	int rc = add_ports(&a, t, err, err_cap);
	if (rc != 0)
		return rc;
	add(&a, "--no-telemetry");
	add(&a, "--log-level=lib.eal:error");
	if (t->huge_pages) {
		add(&a, "--in-memory");
	} else {
		add(&a, "--no-huge");
		add(&a, "--no-shconf");
		add(&a, "-m");
		add(&a, "%u", t->memory_mb);
	}
	if (rte_eal_init(a.n, a.v) < 0) {
		snprintf(err, err_cap, "DPDK cannot start: %s%s", rte_strerror(rte_errno),
			t->huge_pages ? "; are huge pages reserved? (echo 512 > /proc/sys/vm/nr_hugepages, as root)"
				      : "; do the CPUs and ports of the profile exist? (--print-topology shows them)");
		return -EIO;
	}
	huge = t->huge_pages;
	return 0;
}

void
eal_alloc_near(unsigned lcore)
{
	socket_now = (int)rte_lcore_to_socket_id(lcore);
}

void *
eal_alloc(size_t bytes)
{
	return huge ? rte_zmalloc_socket(NULL, bytes, RTE_CACHE_LINE_SIZE, socket_now) : box_alloc(bytes);
}
