/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int64_t
meminfo(const struct box *b, const char *name)
{
	char text[8192];
	size_t len;
	const char *v = sysfs_text(&b->fs, text, sizeof text, "/proc/meminfo") > 0 ? sysfs_word(text, name, &len) : NULL;
	return v != NULL ? strtoll(v, NULL, 10) : -1;
}

static void
huge_pages(const struct box *b, struct box_result *r)
{
	int64_t total = meminfo(b, "HugePages_Total"), left = meminfo(b, "HugePages_Free"), kb = meminfo(b, "Hugepagesize");
	uint64_t need = box_need_mb(&b->t);
	char fix[160];
	if (!b->t.huge_pages) {
		box_say(r, BOX_PASS, NULL, "the profile does not ask for huge pages");
		return;
	}
	if (total < 0 || kb <= 0) {
		box_say(r, BOX_UNKNOWN, NULL, "/proc/meminfo says nothing of huge pages");
		return;
	}
	uint64_t have = (uint64_t)total * (uint64_t)kb / 1024, open = (uint64_t)(left > 0 ? left : 0) * (uint64_t)kb / 1024;
	snprintf(fix, sizeof fix, "sysctl -w vm.nr_hugepages=%" PRIu64 " (and in /etc/sysctl.d/, for the next boot)", (need * 1024 + (uint64_t)kb - 1) / (uint64_t)kb);
	if (have < need)
		box_say(r, BOX_FAIL, fix, "%" PRIu64 " MB of huge pages are reserved; the profile takes about %" PRIu64, have, need);
	else if (open < need && b->status == NULL)
		box_say(r, BOX_WARN, fix, "%" PRIu64 " MB of huge pages are reserved, but %" PRIu64 " are left, and the profile takes about %" PRIu64, have, open, need);
	else
		box_say(r, BOX_PASS, NULL, "%" PRIu64 " MB of huge pages of %" PRId64 " kB; the profile takes about %" PRIu64, have, kb, need);
}

/* Those of another node are far. */
static void
nodes(const struct box *b, struct box_result *r)
{
	int64_t pages, kb = meminfo(b, "Hugepagesize");
	if (!b->t.huge_pages || !sysfs_exists(&b->fs, "/sys/devices/system/node/node1")) {
		box_say(r, BOX_PASS, NULL, b->t.huge_pages ? "one NUMA node" : "the profile does not ask for huge pages");
		return;
	}
	for (uint32_t i = 0; i < b->t.workers; i++) {
		int node = box_cpu_node(b, b->t.worker_cpu[i]);
		if (node < 0 || sysfs_number(&b->fs, &pages, "/sys/devices/system/node/node%d/hugepages/hugepages-%" PRId64 "kB/nr_hugepages", node, kb) != 0) {
			box_say(r, BOX_UNKNOWN, NULL, "the kernel does not say what lies on the NUMA node of CPU %u", b->t.worker_cpu[i]);
			return;
		}
		if (pages == 0) {
			char fix[160];
			snprintf(fix, sizeof fix, "echo 512 > /sys/devices/system/node/node%d/hugepages/hugepages-%" PRId64 "kB/nr_hugepages", node, kb);
			box_say(r, BOX_WARN, fix, "no huge page lies on NUMA node %d, where the worker of CPU %u is", node, b->t.worker_cpu[i]);
			return;
		}
	}
	box_say(r, BOX_PASS, NULL, "every worker's NUMA node has huge pages");
}

static bool
uses_xdp(const struct box *b)
{
	for (uint32_t i = 0; i < b->t.ports; i++)
		if (port_is(&b->t.port[i], "net_af_xdp"))
			return true;
	return false;
}

static void
locked(const struct box *b, struct box_result *r)
{
	char text[4096];
	size_t len;
	const char *v = sysfs_text(&b->fs, text, sizeof text, "/proc/self/limits") > 0 ? sysfs_word(text, "Max locked memory", &len) : NULL;
	if (b->calls->root()) {
		box_say(r, BOX_PASS, NULL, "root may lock memory");
	} else if (v == NULL) {
		box_say(r, BOX_UNKNOWN, NULL, "/proc/self/limits cannot be read");
	} else if (strncmp(v, "unlimited", 9) == 0) {
		box_say(r, BOX_PASS, NULL, "this user may lock memory without limit");
	} else if (strtoull(v, NULL, 10) < (256ull << 20)) {
		box_say(r, uses_xdp(b) ? BOX_FAIL : BOX_WARN, "LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited", "this user may lock %llu kB; AF_XDP and vfio lock all packet buffers",
			strtoull(v, NULL, 10) / 1024);
	} else {
		box_say(r, BOX_PASS, NULL, "this user may lock %llu MB", strtoull(v, NULL, 10) >> 20);
	}
}

static void
swap(const struct box *b, struct box_result *r)
{
	int64_t total = meminfo(b, "SwapTotal");
	if (total < 0)
		box_say(r, BOX_UNKNOWN, NULL, "/proc/meminfo cannot be read");
	else if (total > 0)
		box_say(r, BOX_WARN, "swapoff -a, and out of /etc/fstab", "%" PRId64 " MB of swap: memory that is swapped out comes back in milliseconds", total / 1024);
	else
		box_say(r, BOX_PASS, NULL, "no swap");
}

static void
transparent(const struct box *b, struct box_result *r)
{
	char text[128];
	if (b->t.huge_pages)
		box_say(r, BOX_PASS, NULL, "the profile reserves huge pages");
	else if (sysfs_text(&b->fs, text, sizeof text, "/sys/kernel/mm/transparent_hugepage/enabled") <= 0)
		box_say(r, BOX_UNKNOWN, NULL, "/sys/kernel/mm/transparent_hugepage/enabled cannot be read");
	else if (strstr(text, "[never]") != NULL)
		box_say(r, BOX_WARN, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled", "transparent huge pages are off: looking up a transaction costs a page walk");
	else
		box_say(r, BOX_PASS, NULL, "transparent huge pages are there for who asks");
}

static void
disk(const struct box *b, struct box_result *r)
{
	uint64_t median, longest;
	int rc = b->calls->sync_us(b->journal, &median, &longest);
	if (rc != 0)
		box_say(r, BOX_UNKNOWN, NULL, "the journal's folder %s cannot be tried: %s (--journal names another)", b->journal, strerror(-rc));
	else if (median > 50000)
		box_say(r, BOX_FAIL, "put the journal on an SSD with power-loss protection", "a write to %s takes %.1f ms (longest %.1f) to be safe: alerts wait for it", b->journal,
			(double)median / 1000, (double)longest / 1000);
	else if (median > 5000)
		box_say(r, BOX_WARN, "an SSD with power-loss protection takes less than 0.2 ms", "a write to %s takes %.1f ms (longest %.1f) to be safe: alerts wait for it",
			b->journal, (double)median / 1000, (double)longest / 1000);
	else
		box_say(r, BOX_PASS, NULL, "a write to %s is safe after %.2f ms (longest %.1f)", b->journal, (double)median / 1000, (double)longest / 1000);
}

static const struct box_check checks[] = {
	{"memory.huge_pages", huge_pages, false},
	{"memory.nodes", nodes, false},
	{"memory.locked", locked, false},
	{"memory.swap", swap, false},
	{"memory.transparent", transparent, false},
	{"memory.disk", disk, false},
};
const struct box_group box_memory = {checks, sizeof checks / sizeof checks[0]};
