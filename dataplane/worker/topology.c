/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/topology.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

void
topology_default(struct topology *t)
{
	*t = (struct topology){
		.memory_mb = 64,
		.idle = IDLE_SLEEP,
		.main_cpu = 0,
		.correlator_cpu = 0,
		.worker_cpu = {1},
		.workers = 1,
		.mtu = 1500,
		.flows_max = 65536,
		.seen_entries = 1u << 20,
		.pipe_mb = 4,
		.ring_slots = 4096,
		.evidence_mb = 16,
	};
}

static const struct {
	const char *field;
	uint32_t min, max;
	bool pow2;
} limits[] = {
	{"memory_mb", 16, 1u << 20, false},
	{"cores.workers (how many)", 1, TOPOLOGY_WORKERS_MAX, false},
	{"ports (how many)", 0, TOPOLOGY_PORTS_MAX, false},
	{"idle", IDLE_SPIN, IDLE_SLEEP, false},
	{"mtu", 576, 16000, false},
	{"vxlan_port", 0, 65535, false},
	{"ports.queues", 1, PORT_QUEUES_MAX, false},
	{"flows", 16, 4u << 20, false},
	{"seen", 1024, 1u << 28, true},
	{"pipe_mb", 1, 1024, true},
	{"ring.slots", 64, 1u << 20, true},
	{"ring.evidence_mb", 1, 1024, true},
};

int
topology_limit(const char *field, uint32_t value, char *err, size_t err_cap)
{
	size_t i = 0;
	while (i < sizeof limits / sizeof limits[0] && strcmp(limits[i].field, field) != 0)
		i++;
	if (i == sizeof limits / sizeof limits[0])
		return 0;
	bool pow2 = (value & (value - 1)) == 0;
	if (value >= limits[i].min && value <= limits[i].max && (pow2 || !limits[i].pow2))
		return 0;
	snprintf(err, err_cap, "%s is %u; it must be %u to %u%s", field, value, limits[i].min, limits[i].max,
		limits[i].pow2 ? " and a power of two" : "");
	return -EINVAL;
}

static int
worker_alone(const struct topology *t, uint32_t worker, char *err, size_t err_cap)
{
	if (t->worker_cpu[worker] == t->correlator_cpu) {
		snprintf(err, err_cap,
			"cores.workers names CPU %u, which is the correlator's; workers that poll without "
			"sleeping need a CPU each",
			t->correlator_cpu);
		return -EINVAL;
	}
	for (uint32_t k = 0; k < worker; k++) {
		if (t->worker_cpu[k] != t->worker_cpu[worker])
			continue;
		snprintf(err, err_cap,
			"cores.workers names CPU %u twice; workers that poll without sleeping need a CPU "
			"each",
			t->worker_cpu[worker]);
		return -EINVAL;
	}
	return 0;
}

static int
ports_ok(const struct topology *t, char *err, size_t err_cap)
{
	for (uint32_t i = 0; i < t->ports; i++) {
		const char *device = t->port[i].device;
		if (device[0] == '\0' || memchr(device, '\0', sizeof t->port[i].device) == NULL) {
			snprintf(err, err_cap,
				"ports: device %u has no name, or one of more than %zu characters", i + 1,
				sizeof t->port[i].device - 1);
			return -EINVAL;
		}
		for (uint32_t k = 0; k < i; k++) {
			bool same = strcmp(t->port[k].device, device) == 0 ||
				    (t->port[k].interface[0] != '\0' && strcmp(t->port[k].interface, t->port[i].interface) == 0);
			if (!same)
				continue;
			snprintf(err, err_cap, "ports names %s twice", t->port[k].interface[0] != '\0' ? t->port[k].interface : device);
			return -EINVAL;
		}
		if (port_check(&t->port[i], t->workers, t->huge_pages, err, err_cap) != 0)
			return -EINVAL;
	}
	return 0;
}

static int
cpu_ok(const char *field, uint32_t cpu, uint32_t last, char *err, size_t err_cap)
{
	if (cpu <= last)
		return 0;
	snprintf(err, err_cap, "%s names CPU %u; this machine has CPUs 0 to %u", field, cpu, last);
	return -EINVAL;
}

static int
cpus_ok(const struct topology *t, uint32_t cpus, char *err, size_t err_cap)
{
	uint32_t last = cpus == 0 ? 0 : cpus - 1 < TOPOLOGY_CPU_MAX ? cpus - 1 : TOPOLOGY_CPU_MAX;
	if (cpu_ok("cores.main", t->main_cpu, last, err, err_cap) != 0 ||
		cpu_ok("cores.correlator", t->correlator_cpu, last, err, err_cap) != 0)
		return -EINVAL;
	for (uint32_t i = 0; i < t->workers; i++) {
		if (cpu_ok("cores.workers", t->worker_cpu[i], last, err, err_cap) != 0)
			return -EINVAL;
		if (t->idle != IDLE_SLEEP && worker_alone(t, i, err, err_cap) != 0)
			return -EINVAL;
	}
	return 0;
}

int
topology_check(const struct topology *t, uint32_t cpus, char *err, size_t err_cap)
{
	const struct {
		const char *field;
		uint32_t value;
	} fields[] = {
		{"memory_mb", t->memory_mb},
		{"cores.workers (how many)", t->workers},
		{"ports (how many)", t->ports},
		{"idle", t->idle},
		{"mtu", t->mtu},
		{"vxlan_port", t->vxlan_port},
		{"flows", t->flows_max},
		{"seen", t->seen_entries},
		{"pipe_mb", t->pipe_mb},
		{"ring.slots", t->ring_slots},
		{"ring.evidence_mb", t->evidence_mb},
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (topology_limit(fields[i].field, fields[i].value, err, err_cap) != 0)
			return -EINVAL;
	if (ports_ok(t, err, err_cap) != 0)
		return -EINVAL;
	return cpus_ok(t, cpus, err, err_cap);
}

static void
print_place(const struct node_place *p, FILE *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char s[INET6_ADDRSTRLEN];
	bool four = memcmp(p->ip, mapped, sizeof mapped) == 0;
	inet_ntop(four ? AF_INET : AF_INET6, four ? p->ip + 12 : p->ip, s, sizeof s);
	if (p->port == 0)
		fprintf(out, " %s", s);
	else
		fprintf(out, four ? " %s:%u" : " [%s]:%u", s, p->port);
}

static void
print_nodes(const struct nodes *n, FILE *out)
{
	for (unsigned i = 1; i <= n->n; i++) {
		fprintf(out, "%-10s %5u  %s at", "node", i, n->name[i]);
		for (unsigned k = 0; k < n->n_places; k++)
			if (n->place[k].node == i)
				print_place(&n->place[k], out);
		if (n->silence_s[i] != 0)
			fprintf(out, ", told after %u s of silence", n->silence_s[i]);
		fprintf(out, "\n");
	}
}

/* Only what is not as it would be without a word in the profile. */
static void
print_feeds(const struct topology *t, FILE *out)
{
	const struct feeds *s = &t->feeds;
	for (unsigned f = 0; f < FEED_COUNT; f++) {
		if (!s->off[f] && s->n_ports[f] == 0)
			continue;
		fprintf(out, "%-10s %5s  %s %s", "feed", "", feed_name(f), s->off[f] ? "not read" : "on ports");
		for (unsigned i = 0; i < s->n_ports[f] && !s->off[f]; i++)
			fprintf(out, " %u", s->ports[f][i]);
		fprintf(out, "\n");
	}
	if (s->n_chain_ids > 0) {
		fprintf(out, "%-10s %5s ", "chains", "");
		for (unsigned i = 0; i < s->n_chain_ids; i++)
			fprintf(out, " %llu", (unsigned long long)s->chain_ids[i]);
		fprintf(out, "\n");
	}
	if (t->protocols.n > 0)
		fprintf(out, "%-10s %5s  %u names, %u addresses\n", "protocols", "", t->protocols.n,
			t->protocols.n_addresses);
	print_nodes(&t->nodes, out);
	if (t->rlpx_keys[0] != '\0')
		fprintf(out, "%-10s %5s  %s\n", "rlpx keys", "", t->rlpx_keys);
}

void
topology_print(const struct topology *t, FILE *out)
{
	static const char *const idle[] = {"spin", "pause", "sleep"};
	fprintf(out, "%-10s %5s %5s  %-6s\n", "lcore", "id", "cpu", "idle");
	fprintf(out, "%-10s %5u %5u  %-6s\n", "main", TOPOLOGY_MAIN, t->main_cpu, "sleep");
	fprintf(out, "%-10s %5u %5u  %-6s\n", "correlator", TOPOLOGY_CORRELATOR, t->correlator_cpu,
		idle[t->idle]);
	for (uint32_t i = 0; i < t->workers; i++)
		fprintf(out, "%-10s %5u %5u  %-6s\n", "worker", TOPOLOGY_WORKER_0 + i, t->worker_cpu[i],
			idle[t->idle]);
	for (uint32_t i = 0; i < t->ports; i++)
		port_print(&t->port[i], i, t->verify_checksum, out);
	fprintf(out, "%-10s %5s  %u workers -> correlator, %u MiB each\n", "pipe", "", t->workers,
		t->pipe_mb);
	fprintf(out, "%-10s %5u  critical, %u slots, %u MiB evidence\n", "ring", 0u, t->ring_slots,
		t->evidence_mb);
	fprintf(out, "%-10s %5u  normal, %u slots, %u MiB evidence\n", "ring", 1u, t->ring_slots,
		t->evidence_mb);
	print_feeds(t, out);
}
