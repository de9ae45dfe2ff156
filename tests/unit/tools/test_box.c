/* SPDX-License-Identifier: BSD-3-Clause */
/* Every check of `sentinelctl box check`, on faked machines: a rack box with two sockets and an mlx5 NIC, from which one thing after the other is taken away, and what a
 * laptop and a container show. The profiles that init writes for them. */
#include "fake_tree.h"

#include "sentinelctl/box/box.h"

#include "io/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- calls ---- */

static struct {
	int clock_rc, sync_rc, xdp_rc, offloads_rc;
	bool synced, gro, lro, root;
	int64_t error_us;
	uint64_t median_us;
	enum kernel_rss rss;
} fake;

static int
fake_clock(bool *synced, int64_t *error_us)
{
	*synced = fake.synced;
	*error_us = fake.error_us;
	return fake.clock_rc;
}

static int
fake_sync(const char *folder, uint64_t *median_us, uint64_t *longest_us)
{
	*median_us = fake.median_us;
	*longest_us = fake.median_us * 2;
	return fake.sync_rc;
}

static int
fake_xdp(void)
{
	return fake.xdp_rc;
}

static int
fake_offloads(const char *interface, bool *gro, bool *lro)
{
	*gro = fake.gro;
	*lro = fake.lro;
	return fake.offloads_rc;
}

static enum kernel_rss
fake_rss(const char *interface)
{
	return fake.rss;
}

static bool
fake_root(void)
{
	return fake.root;
}

static const struct box_calls fake_calls = {fake_clock, fake_sync, fake_xdp, fake_offloads, fake_rss, NULL, fake_root};

static struct box b;

/* ---- machines ---- */

#define PCI "/sys/bus/pci/devices/0000:41:00.0"
#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define HUGE "/hugepages/hugepages-2048kB/nr_hugepages"
#define GOOD_FLAGS "processor : 0\nflags : fpu ssse3 avx2 avx512bw constant_tsc nonstop_tsc waitpkg\n"

static void
profile(const char *text)
{
	char err[512];
	topology_default(&b.t);
	int rc = profile_parse("box.yaml", text, strlen(text), &b.t, err, sizeof err);
	if (rc != 0)
		print_message("%s\n", err);
	assert_int_equal(rc, 0);
	b.profile = true;
}

#define RACK_PROFILE \
	"huge_pages: true\nidle: pause\nchecksum: verify\ncores: {main: 0, correlator: 7, workers: [4, 5]}\nports: [\"0000:41:00.0\", {interface: eth1, checksum: trust}]\n"

#define IP6_ROUTE(to, interface) to " 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003 " interface "\n"
#define IP6_DEFAULT(interface) IP6_ROUTE("00000000000000000000000000000000 00", "   " interface)
#define IP6_LINK(interface) IP6_ROUTE("fe800000000000000000000000000000 40", "   " interface)

/* Eight cores with two threads each on two nodes; 4-7 isolated and on the NIC's node. */
static void
rack(void)
{
	char path[128], text[64];
	struct utsname u;
	start_anew();
	b = (struct box){.fs = {root}, .calls = &fake_calls, .journal = "/journal"};
	put("/proc/cpuinfo", GOOD_FLAGS);
	put("/proc/cmdline", "BOOT_IMAGE=/vmlinuz isolcpus=4-7 rcu_nocbs=4-7 quiet\n");
	put("/proc/meminfo", "MemTotal: 64000000 kB\nSwapTotal: 0 kB\nHugePages_Total: 2048\nHugePages_Free: 2048\nHugepagesize: 2048 kB\n");
	put("/proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         unlimited            unlimited            bytes\n");
	put("/proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\neth1\t0001A8C0\t0\n");
	put("/proc/sys/kernel/sched_rt_runtime_us", "950000\n");
	put("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
	put(CPU "/online", "0-15\n");
	put(CPU "/isolated", "4-7\n");
	put(CPU "/nohz_full", "4-7\n");
	for (unsigned i = 0; i < 16; i++) {
		snprintf(path, sizeof path, CPU "/cpu%u/topology/thread_siblings_list", i);
		snprintf(text, sizeof text, "%u,%u\n", i % 8, i % 8 + 8);
		put(path, text);
		snprintf(path, sizeof path, CPU "/cpu%u/cpufreq/scaling_governor", i);
		put(path, "performance\n");
	}
	put(NODE "/node0/cpulist", "0-3,8-11\n");
	put(NODE "/node1/cpulist", "4-7,12-15\n");
	put(NODE "/node0" HUGE, "1024\n");
	put(NODE "/node1" HUGE, "1024\n");
	put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("/sys/kernel/btf/vmlinux", "");
	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put("/sys/bus/event_source/devices/uprobe/type", "9\n");
	uname(&u);
	snprintf(path, sizeof path, "/lib/modules/%.60s/modules.builtin", u.release);
	put(path, "kernel/net/sched/sch_ingress.ko\n");
	put(PCI "/vendor", "0x15b3\n");
	put(PCI "/device", "0x101d\n");
	put(PCI "/class", "0x020000\n");
	put(PCI "/numa_node", "1\n");
	put(PCI "/current_link_width", "16\n");
	put(PCI "/max_link_width", "16\n");
	put(PCI "/current_link_speed", "16.0 GT/s PCIe\n");
	put(PCI "/max_link_speed", "16.0 GT/s PCIe\n");
	lead(PCI "/driver", "../../drivers/mlx5_core");
	put("/sys/class/net/eth1/flags", "0x1003\n");
	put("/sys/class/net/eth1/carrier", "1\n");
	put("/sys/class/net/eth1/speed", "25000\n");
	put("/sys/class/net/eth1/queues/rx-0/x", "");
	put("/sys/class/net/eth1/queues/rx-1/x", "");
	lead("/sys/class/net/eth1/device", "../../../bus/pci/devices/0000:41:00.0");
	put("/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_mlx5.so", "");
	put("/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_af_xdp.so", "");
	memset(&fake, 0, sizeof fake);
	fake.synced = fake.root = true;
	fake.error_us = 50;
	fake.median_us = 90;
	fake.rss = KERNEL_RSS_SYMMETRIC;
	profile(RACK_PROFILE);
	box_find(&b);
}

static const struct box_group *const groups[] = {&box_cpu, &box_memory, &box_nic, &box_clock, &box_kernel_group, &box_mirror};

static struct box_result
judge(const char *name, uint32_t port)
{
	struct box_result r = {.verdict = BOX_UNKNOWN};
	b.port = &b.t.port[port];
	box_find(&b);
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
		for (size_t i = 0; i < groups[g]->n; i++) {
			if (strcmp(groups[g]->check[i].name, name) != 0)
				continue;
			groups[g]->check[i].run(&b, &r);
			return r;
		}
	}
	fail_msg("there is no check %s", name);
	return r;
}

static void
expect_of(uint32_t port, const char *name, enum box_verdict v, const char *says)
{
	struct box_result r = judge(name, port);
	if (r.verdict != v || strstr(r.text, says) == NULL)
		print_message("%s: %d %s (%s)\n", name, r.verdict, r.text, r.fix);
	assert_int_equal(r.verdict, v);
	assert_non_null(strstr(r.text, says));
	assert_true(r.text[0] != '\0' && (v == BOX_PASS || v == BOX_UNKNOWN || r.fix[0] != '\0' || strcmp(name, "nic.rss") == 0));
}

static void
expect(const char *name, enum box_verdict v, const char *says)
{
	expect_of(0, name, v, says);
}

/* Nothing is wrong with a good box; nothing crashes where nothing is. */
static void
test_whole(void **state)
{
	rack();
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
		for (size_t i = 0; i < groups[g]->n; i++) {
			for (uint32_t p = 0; p < (groups[g]->check[i].per_port ? 2 : 1); p++) {
				struct box_result r = judge(groups[g]->check[i].name, p);
				bool blind = groups[g] == &box_mirror || (p == 0 && strcmp(groups[g]->check[i].name, "nic.link") == 0);
				if (r.verdict != (blind ? BOX_UNKNOWN : BOX_PASS))
					print_message("%s: %s\n", groups[g]->check[i].name, r.text);
				assert_int_equal(r.verdict, blind ? BOX_UNKNOWN : BOX_PASS);
			}
		}
	}
	start_anew();
	b.drivers[0] = '\0';
	fake.clock_rc = fake.sync_rc = fake.xdp_rc = fake.offloads_rc = -EPERM;
	fake.root = false;
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
		for (size_t i = 0; i < groups[g]->n; i++)
			assert_true(judge(groups[g]->check[i].name, 1).text[0] != '\0');
	expect("cpu.hyperscan", BOX_UNKNOWN, "/proc/cpuinfo cannot be read");
	expect("cpu.isolation", BOX_UNKNOWN, "cannot be read");
	expect("memory.huge_pages", BOX_UNKNOWN, "says nothing");
	expect("memory.locked", BOX_UNKNOWN, "/proc/self/limits");
	expect("memory.disk", BOX_UNKNOWN, "Operation not permitted");
	expect("clock.synced", BOX_UNKNOWN, "Operation not permitted");
	expect("kernel.xdp", BOX_UNKNOWN, "takes root to see");
	expect("kernel.lockdown", BOX_UNKNOWN, "cannot be read");
	expect("kernel.uprobes", BOX_UNKNOWN, "cannot be read");
	expect("kernel.clsact", BOX_UNKNOWN, "stands nowhere");
}

static void
test_cpu(void **state)
{
	rack();
	put("/proc/cpuinfo", "flags : fpu ssse3 avx2x constant_tsc\n");
	expect("cpu.hyperscan", BOX_WARN, "no AVX2");
	expect("cpu.tsc", BOX_WARN, "does not say that its counter is invariant");
	expect("cpu.wait", BOX_WARN, "needs WAITPKG");
	put("/proc/cpuinfo", "flags : fpu\n");
	expect("cpu.hyperscan", BOX_FAIL, "no SSSE3");
	expect("cpu.tsc", BOX_FAIL, "changes its speed");
	put(CPU "/online", "0-5\n");
	expect("cpu.present", BOX_FAIL, "cores.correlator names CPU 7");
	put(CPU "/online", "0\n");
	profile("cores: {workers: [0]}\n");
	expect("cpu.present", BOX_WARN, "one CPU");
	expect("cpu.isolation", BOX_PASS, "idle: sleep");
	rack();
	put("/proc/cmdline", "quiet\n");
	expect("cpu.isolation", BOX_WARN, "RCU work still interrupts");
	gone(CPU "/nohz_full");
	expect("cpu.isolation", BOX_WARN, "tick still interrupts");
	put(CPU "/isolated", "4\n");
	expect("cpu.isolation", BOX_FAIL, "CPUs 5,7 poll and are not isolated");
	assert_non_null(strstr(judge("cpu.isolation", 0).fix, "isolcpus=4-5,7 nohz_full=4-5,7 rcu_nocbs=4-5,7"));
	profile("idle: spin\ncores: {correlator: 7, workers: [4, 12]}\n");
	expect("cpu.siblings", BOX_WARN, "worker CPU 4 shares its core with CPU 12");
	profile("idle: sleep\ncores: {correlator: 7, workers: [4, 12]}\n");
	expect("cpu.siblings", BOX_PASS, "idle: sleep");
	put(CPU "/cpu12/cpufreq/scaling_governor", "powersave\n");
	expect("cpu.governor", BOX_WARN, "CPU 12 is powersave");
	put("/proc/sys/kernel/sched_rt_runtime_us", "-1\n");
	expect("cpu.realtime", BOX_PASS, "without limit");
	put("/proc/sys/kernel/sched_rt_runtime_us", "0\n");
	expect("cpu.realtime", BOX_FAIL, "switched off");
}

static void
test_memory(void **state)
{
	char need[64];
	rack();
	put("/proc/meminfo", "SwapTotal: 2097152 kB\nHugePages_Total: 100\nHugePages_Free: 100\nHugepagesize: 2048 kB\n");
	expect("memory.huge_pages", BOX_FAIL, "200 MB of huge pages are reserved");
	snprintf(need, sizeof need, "vm.nr_hugepages=%llu", (unsigned long long)(box_need_mb(&b.t) + 1) / 2);
	assert_non_null(strstr(judge("memory.huge_pages", 0).fix, need));
	expect("memory.swap", BOX_WARN, "2048 MB of swap");
	put("/proc/meminfo", "SwapTotal: 0 kB\nHugePages_Total: 2048\nHugePages_Free: 3\nHugepagesize: 2048 kB\n");
	expect("memory.huge_pages", BOX_WARN, "6 are left");
	b.status = json_object(); /* the running box has them */
	expect("memory.huge_pages", BOX_PASS, "4096 MB");
	json_decref((json_t *)(uintptr_t)b.status);
	b.status = NULL;
	put(NODE "/node1" HUGE, "0\n");
	expect("memory.nodes", BOX_WARN, "no huge page lies on NUMA node 1");
	fake.root = false;
	expect("memory.locked", BOX_PASS, "without limit");
	put("/proc/self/limits", "Max locked memory         8388608              8388608              bytes\n");
	expect("memory.locked", BOX_FAIL, "may lock 8192 kB");
	profile("ports: [\"net_af_packet0,iface=eth1\"]\n");
	expect("memory.locked", BOX_WARN, "may lock 8192 kB");
	put("/proc/self/limits", "Max locked memory         1073741824           1073741824           bytes\n");
	expect("memory.locked", BOX_PASS, "may lock 1024 MB");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
	expect("memory.transparent", BOX_WARN, "are off");
	fake.median_us = 9000;
	expect("memory.disk", BOX_WARN, "takes 9.0 ms");
	fake.median_us = 60000;
	expect("memory.disk", BOX_FAIL, "takes 60.0 ms (longest 120.0)");
}

static void
test_nic(void **state)
{
	rack();
	lead(PCI "/driver", "../../drivers/vfio-pci");
	expect("nic.ready", BOX_FAIL, "port 0000:41:00.0: vfio-pci instead of mlx5_core");
	rack();
	gone("/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/librte_net_mlx5.so");
	expect("nic.ready", BOX_FAIL, "librte_net_mlx5.so is not on this box");
	assert_non_null(strstr(judge("nic.ready", 0).fix, "apt install librte-net-mlx5"));
	put("/sys/class/net/eth1/flags", "0x1002\n");
	expect_of(1, "nic.ready", BOX_FAIL, "port eth1: the interface is down");
	assert_string_equal(judge("nic.ready", 1).fix, "ip link set eth1 up");
	put("/sys/class/net/eth1/speed", "100\n");
	expect_of(1, "nic.link", BOX_WARN, "100 Mbit/s");
	put("/sys/class/net/eth1/speed", "-1\n");
	expect_of(1, "nic.link", BOX_PASS, "has a link");
	put("/sys/class/net/eth1/carrier", "0\n");
	expect_of(1, "nic.link", BOX_FAIL, "has no link");
	put(PCI "/numa_node", "0\n");
	expect("nic.numa", BOX_WARN, "NUMA node 0, and the worker's CPU 4 on node 1");
	expect_of(1, "nic.numa", BOX_WARN, "port eth1 is on NUMA node 0");
	put(PCI "/numa_node", "-1\n");
	expect("nic.numa", BOX_PASS, "near every CPU");
	fake.rss = KERNEL_RSS_OTHER;
	expect_of(1, "nic.rss", BOX_WARN, "to different queues");
	fake.rss = KERNEL_RSS_UNKNOWN;
	expect_of(1, "nic.rss", BOX_WARN, "does not show its hash");
	put("/sys/class/net/eth1/queues/rx-2/x", "");
	fake.rss = KERNEL_RSS_SYMMETRIC;
	expect_of(1, "nic.rss", BOX_WARN, "has 3 queues for 2 workers");
	fake.gro = true;
	expect_of(1, "nic.offloads", BOX_WARN, "has GRO on");
	fake.lro = true;
	expect_of(1, "nic.offloads", BOX_FAIL, "has LRO on");
	fake.offloads_rc = -EOPNOTSUPP;
	expect_of(1, "nic.offloads", BOX_UNKNOWN, "not supported");
	put("/proc/net/route", "Iface\tDestination\tGateway\neth1\t00000000\t0101A8C0\n");
	expect_of(1, "nic.steer", BOX_FAIL, "it would be cut off");
	put("/proc/net/route", "Iface\tDestination\tGateway\neth10\t00000000\t0101A8C0\n");
	expect_of(1, "nic.steer", BOX_PASS, "all of its frames");
	put("/proc/net/ipv6_route", IP6_LINK("eth1") IP6_DEFAULT("xeth1") IP6_DEFAULT("lo"));
	expect_of(1, "nic.steer", BOX_PASS, "all of its frames");
	put("/proc/net/ipv6_route", IP6_LINK("eth1") IP6_DEFAULT("eth1") IP6_DEFAULT("lo"));
	expect_of(1, "nic.steer", BOX_FAIL, "it would be cut off");
	gone("/proc/net/ipv6_route");
	/* steered: only what the filter takes is lost to the machine, so that it must not be all TCP */
	put("/proc/net/route", "Iface\tDestination\tGateway\neth1\t00000000\t0101A8C0\n");
	const char *const steered = "huge_pages: true\nports: [\"0000:41:00.0\", {interface: eth1, steer: true}]\n", *const narrow[] = {
		"filter: {ports: [8545]}\n", "filter: {addresses: [192.0.2.2]}\n", "filter: {vlans: [100]}\n", "nodes: {a: {addresses: [192.0.2.2]}}\n"};
	char text[256];
	profile(steered);
	expect_of(1, "nic.steer", BOX_FAIL, "all of its TCP is taken");
	assert_non_null(strstr(judge("nic.steer", 1).fix, "filter: {ports: [8545"));
	snprintf(text, sizeof text, "%sfilter: {tunnels: [192.0.2.2]}\n", steered);
	profile(text);
	expect_of(1, "nic.steer", BOX_FAIL, "all of its TCP is taken");
	for (unsigned i = 0; i < sizeof narrow / sizeof narrow[0]; i++) {
		snprintf(text, sizeof text, "%s%s", steered, narrow[i]);
		profile(text);
		expect_of(1, "nic.steer", BOX_PASS, "leaves the kernel");
	}
	put("/proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\n");
	profile(steered);
	expect_of(1, "nic.steer", BOX_PASS, "leaves the kernel");
	put(PCI "/current_link_width", "8\n");
	expect("nic.pcie", BOX_WARN, "could use PCIe x16 at 16.0 GT/s PCIe and has x8");
	gone(PCI "/max_link_width");
	expect("nic.pcie", BOX_UNKNOWN, "does not show its bus");
	profile("checksum: trust\nports: [\"0000:41:00.0\", {device: \"net_af_packet0,iface=veth0\", checksum: verify}]\n");
	expect("nic.checksum", BOX_WARN, "is trusted with checksums");
	expect_of(1, "nic.checksum", BOX_FAIL, "all would be refused");
}

static void
test_clock_and_kernel(void **state)
{
	rack();
	put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
	expect("clock.source", BOX_WARN, "clock source is hpet");
	fake.error_us = 200000;
	expect("clock.synced", BOX_WARN, "within 200000 us");
	fake.synced = false;
	expect("clock.synced", BOX_WARN, "not synchronised");
	fake.xdp_rc = -EAFNOSUPPORT;
	expect("kernel.xdp", BOX_FAIL, "no AF_XDP");
	profile("ports: [\"net_af_packet0,iface=eth1\"]\n");
	expect("kernel.xdp", BOX_WARN, "no AF_XDP");
	gone("/sys/kernel/btf");
	expect("kernel.btf", BOX_WARN, "(BTF)");
	put("/proc/sys/kernel/unprivileged_bpf_disabled", "0\n");
	expect("kernel.bpf", BOX_WARN, "any user");
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	expect("kernel.lockdown", BOX_WARN, "Secure Boot");
	put("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	expect("kernel.lockdown", BOX_FAIL, "uprobes");
	gone("/sys/bus/event_source/devices/uprobe");
	expect("kernel.uprobes", BOX_WARN, "no uprobes");
	gone("/lib");
	struct utsname u;
	char path[128];
	uname(&u);
	snprintf(path, sizeof path, "/lib/modules/%.60s/modules.dep", u.release);
	put(path, "kernel/net/sched/sch_fq.ko:\n");
	expect("kernel.clsact", BOX_WARN, "no clsact");
	put("/sys/module/sch_ingress/refcnt", "0\n");
	expect("kernel.clsact", BOX_PASS, "has clsact");
}

static void
running(const char *json)
{
	json_decref((json_t *)(uintptr_t)b.status);
	b.status = json_loads(json, 0, NULL);
	assert_non_null(b.status);
}

static void
test_mirror(void **state)
{
	rack();
	expect("mirror.directions", BOX_UNKNOWN, "no box runs");
	running("{\"counters\":{\"http_requests\":\"5\",\"answers\":\"5\",\"st_received\":\"50\"},\"ports\":[]}");
	expect("mirror.directions", BOX_UNKNOWN, "too little yet");
	expect("mirror.duplicates", BOX_UNKNOWN, "too little");
	expect("mirror.missed", BOX_PASS, "none of 0 frames");
	running("{\"counters\":{\"http_requests\":\"500\",\"answers\":\"480\",\"st_received\":\"100000\",\"st_dup\":\"1000\"},"
		"\"ports\":[{\"wire\":\"1000000\",\"missed\":\"10\"},{\"wire\":\"0\",\"missed\":\"x\"}]}");
	expect("mirror.directions", BOX_PASS, "500 requests, 480 answers");
	expect("mirror.duplicates", BOX_PASS, "1.0 %");
	expect("mirror.missed", BOX_WARN, "10 of 1000000");
	running("{\"counters\":{\"http_requests\":\"500\",\"answers\":\"0\",\"st_received\":\"100000\",\"st_dup\":\"49000\"},"
		"\"ports\":[{\"wire\":\"1000000\",\"missed\":\"1000\",\"errors\":\"300\",\"no_mbuf\":\"1\"}]}");
	expect("mirror.directions", BOX_FAIL, "one direction is missing");
	expect("mirror.duplicates", BOX_WARN, "49 %");
	expect("mirror.missed", BOX_FAIL, "1301 of 1000000");
	b.watch_s = 5;
	b.seen = (struct box_seen){.frames = 900, .tcp = 800, .two_way = 40, .one_way = 3, .repeated = 8};
	expect("mirror.directions", BOX_PASS, "40 of 43");
	expect("mirror.duplicates", BOX_PASS, "1.0 %");
	b.seen = (struct box_seen){.frames = 900, .tcp = 800, .two_way = 4, .one_way = 30, .repeated = 400};
	expect("mirror.directions", BOX_WARN, "4 of 34");
	expect("mirror.duplicates", BOX_WARN, "50 %");
	b.seen = (struct box_seen){.frames = 900, .tcp = 800, .one_way = 30};
	expect("mirror.directions", BOX_FAIL, "one direction alone");
	b.seen = (struct box_seen){0};
	expect("mirror.directions", BOX_FAIL, "0 frames");
	b.seen_rc = -EPERM;
	expect("mirror.directions", BOX_UNKNOWN, "not permitted");
	expect("mirror.duplicates", BOX_UNKNOWN, "not permitted");
	running("{}");
	json_decref((json_t *)(uintptr_t)b.status);
}

/* ---- init ---- */

static struct topology
made_with(const char *interface, const char *says, const char *uncommented)
{
	struct topology t;
	char err[512] = "";
	char *text = box_init_text(&b, interface), *hash = uncommented != NULL ? strstr(text, uncommented) : NULL;
	assert_non_null(text);
	assert_true(uncommented == NULL || (hash != NULL && *hash == '#'));
	if (hash != NULL)
		memmove(hash, hash + 1, strlen(hash));
	topology_default(&t);
	int rc = profile_parse("init", text, strlen(text), &t, err, sizeof err);
	if (rc == 0)
		rc = topology_check(&t, 16, err, sizeof err);
	if (rc != 0 || (says != NULL && strstr(text, says) == NULL))
		print_message("%s\n%s\n", err, text);
	assert_int_equal(rc, 0);
	assert_true(says == NULL || strstr(text, says) != NULL);
	free(text);
	return t;
}

static struct topology
made(const char *interface, const char *says)
{
	return made_with(interface, says, NULL);
}

static void
test_init(void **state)
{
	rack();
	struct topology t = made(NULL, "interface: eth1");
	assert_true(t.huge_pages);
	assert_int_equal(t.idle, IDLE_SPIN);
	assert_int_equal(t.workers, 3); /* of the four isolated ones, all near the NIC, one is the correlator's */
	assert_int_equal(t.worker_cpu[0], 4);
	assert_int_equal(t.correlator_cpu, 7);
	assert_int_equal(t.main_cpu, 0);
	assert_false(t.port[0].steer);
	assert_true(made_with("eth1", NULL, "#    steer").port[0].steer); /* what is offered is right once its # is taken away */
	put("/sys/class/net/eth1/flags", "0x1002\n");
	t = made(NULL, "# It is down: ip link set eth1 up");
	assert_string_equal(t.port[0].interface, "eth1");
	put("/sys/class/net/eth2/device/vendor", "");
	put("/sys/class/net/eth2/flags", "0x1003\n");
	put("/proc/net/ipv6_route", IP6_DEFAULT("eth2"));
	t = made(NULL, "Other interfaces: eth2"); /* the way out by IPv6 alone is one too */
	assert_string_equal(t.port[0].interface, "eth1");
	gone("/proc/net/ipv6_route");
	t = made(NULL, "Other interfaces: eth1"); /* one that is up, if there is one */
	assert_string_equal(t.port[0].interface, "eth2");
	lead(PCI "/driver", "../../drivers/vfio-pci");
	t = made(NULL, "bound to vfio-pci");
	assert_true(t.port[0].pci);
	assert_int_equal(t.port[0].checksum, PORT_CHECKSUM_VERIFY);
	put("/sys/class/net/eth0/flags", "0x1003\n");
	put("/sys/class/net/eth0/device/vendor", "");
	t = made("eth0", "Huge pages: reserved");
	assert_true(t.port[0].steer); /* or it would cut the machine off, */
	assert_true(t.filter.given); /* and so would a filter that takes all TCP */
	assert_int_equal(t.filter.ports, 4);
	assert_int_equal(t.filter.port[0], 8545);
	/* a laptop: no isolation, no huge pages, one way out */
	start_anew();
	put(CPU "/online", "0-7\n");
	put("/proc/meminfo", "HugePages_Total: 0\n");
	put("/proc/net/route", "Iface\tDestination\nwlan0\t00000000\t0101A8C0\n");
	put("/sys/class/net/wlan0/device/vendor", "");
	put("/sys/class/net/wlan0/flags", "0x1003\n");
	put("/sys/class/net/lo/flags", "0x9\n");
	t = made(NULL, "Other interfaces: wlan0");
	assert_int_equal(t.ports, 0);
	assert_int_equal(t.idle, IDLE_SLEEP);
	assert_int_equal(t.workers, 2);
	assert_false(t.huge_pages);
	t = made("wlan0", "net_af_packet0,iface=wlan0");
	assert_int_equal(t.ports, 1);
	/* a container: nothing */
	start_anew();
	t = made(NULL, "1 CPU;");
	assert_int_equal(t.workers, 1);
	assert_int_equal(t.worker_cpu[0], 0);
	gone("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_nic),
		cmocka_unit_test(test_clock_and_kernel),
		cmocka_unit_test(test_mirror),
		cmocka_unit_test(test_init),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
