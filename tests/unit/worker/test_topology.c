/* SPDX-License-Identifier: BSD-3-Clause */
/* topology_check: what is refused, and that the sentence names the field. */
#include "worker/topology.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char err[300];

static struct topology
real_box(void)
{
	struct topology t;
	topology_default(&t);
	t.idle = IDLE_SPIN;
	t.workers = 3;
	for (uint32_t i = 0; i < t.workers; i++)
		t.worker_cpu[i] = 2 + i;
	t.main_cpu = 0;
	t.correlator_cpu = 1;
	t.ports = 2;
	strcpy(t.port[0].device, "0000:03:00.0");
	strcpy(t.port[1].device, "net_af_packet0,iface=eth1");
	return t;
}

static void
assert_refused(const struct topology *t, uint32_t cpus, const char *field)
{
	err[0] = '\0';
	assert_int_equal(topology_check(t, cpus, err, sizeof err), -EINVAL);
	if (strstr(err, field) == NULL)
		fail_msg("\"%s\" does not name %s", err, field);
	char small[8];
	assert_int_equal(topology_check(t, cpus, small, sizeof small), -EINVAL);
	assert_true(strlen(small) < sizeof small);
}

static void
defaults_pass(void **state)
{
	struct topology t;
	topology_default(&t);
	assert_int_equal(topology_check(&t, 2, err, sizeof err), 0);
	t = real_box();
	assert_int_equal(topology_check(&t, 5, err, sizeof err), 0);
}

static void
ranges(void **state)
{
	struct topology t;
#define LIMITS(member, field, min, max, pow2)                                \
	do {                                                                 \
		t = real_box();                                              \
		t.member = (min);                                            \
		assert_int_equal(topology_check(&t, 8, err, sizeof err), 0); \
		t.member = (max);                                            \
		assert_int_equal(topology_check(&t, 8, err, sizeof err), 0); \
		t.member = (max) + 1;                                        \
		assert_refused(&t, 8, field);                                \
		t.member = (min)-1;                                          \
		assert_refused(&t, 8, field);                                \
		t.member = UINT32_MAX;                                       \
		assert_refused(&t, 8, field);                                \
		t.member = (min) + 1;                                        \
		if (pow2)                                                    \
			assert_refused(&t, 8, field);                        \
	} while (0)
	LIMITS(memory_mb, "memory_mb", 16u, 1u << 20, false);
	LIMITS(mtu, "mtu", 576u, 16000u, false);
	LIMITS(vxlan_port, "vxlan_port", 0u, 65535u, false);
	LIMITS(flows_max, "flows", 16u, 4u << 20, false);
	LIMITS(seen_entries, "seen", 1024u, 1u << 28, true);
	LIMITS(ring_slots, "ring.slots", 64u, 1u << 20, true);
	t = real_box();
	t.pipe_mb = 3;
	assert_refused(&t, 8, "pipe_mb");
	t = real_box();
	t.evidence_mb = 2048;
	assert_refused(&t, 8, "ring.evidence_mb");
	t = real_box();
	t.workers = 0;
	assert_refused(&t, 8, "cores.workers");
	t.workers = TOPOLOGY_WORKERS_MAX + 1;
	assert_refused(&t, 8, "cores.workers");
	t.workers = UINT32_MAX;
	assert_refused(&t, 8, "cores.workers");
	t = real_box();
	t.idle = (enum idle_policy)3;
	assert_refused(&t, 8, "idle");
}

static void
cpus(void **state)
{
	struct topology t = real_box();
	assert_refused(&t, 4, "cores.workers");
	t.main_cpu = 8;
	assert_refused(&t, 8, "cores.main");
	t = real_box();
	t.correlator_cpu = UINT32_MAX;
	assert_refused(&t, 8, "cores.correlator");
	/* A machine of more CPUs than there are lcores' numbers, and one that says it has none. */
	t = real_box();
	t.main_cpu = TOPOLOGY_CPU_MAX + 1;
	assert_refused(&t, 4096, "cores.main");
	t = real_box();
	assert_refused(&t, 0, "cores.correlator");
}

static void
spinning_workers_are_alone(void **state)
{
	struct topology t = real_box();
	t.worker_cpu[2] = t.worker_cpu[0];
	assert_refused(&t, 8, "twice");
	t.idle = IDLE_PAUSE;
	assert_refused(&t, 8, "twice");
	t.idle = IDLE_SLEEP;
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
	t = real_box();
	t.worker_cpu[1] = t.correlator_cpu;
	assert_refused(&t, 8, "correlator");
	t.idle = IDLE_SLEEP;
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
	t = real_box();
	t.correlator_cpu = t.main_cpu; /* these two may */
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
}

static void
ports(void **state)
{
	struct topology t = real_box();
	t.ports = TOPOLOGY_PORTS_MAX + 1;
	assert_refused(&t, 8, "ports");
	t = real_box();
	t.port[1].device[0] = '\0';
	assert_refused(&t, 8, "device 2");
	t = real_box();
	memset(t.port[0].device, 'x', sizeof t.port[0].device);
	assert_refused(&t, 8, "device 1");
	t = real_box();
	strcpy(t.port[1].device, t.port[0].device);
	assert_refused(&t, 8, "0000:03:00.0 twice");
	t = real_box();
	t.ports = 0;
	assert_int_equal(topology_check(&t, 8, err, sizeof err), 0);
}

static void
printed(void **state)
{
	struct topology t = real_box();
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	topology_print(&t, f);
	fclose(f);
	unsigned lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 3 + t.workers + t.ports + 3);
	assert_non_null(strstr(text, "0000:03:00.0"));
	assert_non_null(strstr(text, "spin"));
	free(text);
}

static void
feeds_printed(void **state)
{
	struct topology t = real_box();
	t.feeds.off[FEED_ARBITRUM] = true;
	t.feeds.n_ports[FEED_RLPX] = 2;
	t.feeds.ports[FEED_RLPX][0] = 30303;
	t.feeds.ports[FEED_RLPX][1] = 30311;
	t.feeds.n_chain_ids = 1;
	t.feeds.chain_ids[0] = UINT64_MAX - 1;
	t.protocols.n = 2;
	t.protocols.n_addresses = 7;
	strcpy(t.rlpx_keys, "/etc/keys");
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	topology_print(&t, f);
	fclose(f);
	assert_non_null(strstr(text, "arbitrum not read\n"));
	assert_non_null(strstr(text, "rlpx on ports 30303 30311\n"));
	assert_non_null(strstr(text, " 18446744073709551614\n"));
	assert_non_null(strstr(text, "2 names, 7 addresses\n"));
	assert_non_null(strstr(text, "/etc/keys\n"));
	assert_null(strstr(text, "http"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_pass),
		cmocka_unit_test(ranges),
		cmocka_unit_test(cpus),
		cmocka_unit_test(spinning_workers_are_alone),
		cmocka_unit_test(ports),
		cmocka_unit_test(printed),
		cmocka_unit_test(feeds_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
