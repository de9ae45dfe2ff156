/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

static bool
wants_xdp(const struct box *b)
{
	for (uint32_t i = 0; i < b->t.ports; i++)
		if (port_is(&b->t.port[i], "net_af_xdp"))
			return true;
	return false;
}

static void
xdp(const struct box *b, struct box_result *r)
{
	int rc = b->calls->xdp_socket();
	if (rc == 0)
		box_say(r, BOX_PASS, NULL, "the kernel has AF_XDP sockets");
	else if (rc == -EAFNOSUPPORT)
		box_say(r, wants_xdp(b) ? BOX_FAIL : BOX_WARN, "a kernel with CONFIG_XDP_SOCKETS (Debian's has it), or AF_PACKET in the profile", "the kernel has no AF_XDP sockets");
	else
		box_say(r, BOX_UNKNOWN, NULL, "whether the kernel has AF_XDP sockets takes root to see: %s", strerror(-rc));
}

static void
btf(const struct box *b, struct box_result *r)
{
	if (!sysfs_exists(&b->fs, "/sys/kernel"))
		box_say(r, BOX_UNKNOWN, NULL, "/sys is not there");
	else if (sysfs_exists(&b->fs, "/sys/kernel/btf/vmlinux"))
		box_say(r, BOX_PASS, NULL, "the kernel describes its types (BTF)");
	else
		box_say(r, BOX_WARN, "a kernel with CONFIG_DEBUG_INFO_BTF (Debian's has it)", "the kernel does not describe its types (BTF): BPF programs may not load");
}

static void
unprivileged(const struct box *b, struct box_result *r)
{
	int64_t v;
	if (sysfs_number(&b->fs, &v, "/proc/sys/kernel/unprivileged_bpf_disabled") != 0)
		box_say(r, BOX_UNKNOWN, NULL, "/proc/sys/kernel/unprivileged_bpf_disabled cannot be read");
	else if (v == 0)
		box_say(r, BOX_WARN, "sysctl -w kernel.unprivileged_bpf_disabled=2", "any user of this machine may load BPF programs, which is more than the box needs");
	else
		box_say(r, BOX_PASS, NULL, "only privileged users load BPF programs");
}

static void
lockdown(const struct box *b, struct box_result *r)
{
	char text[128];
	if (sysfs_text(&b->fs, text, sizeof text, "/sys/kernel/security/lockdown") <= 0)
		box_say(r, BOX_UNKNOWN, NULL, "/sys/kernel/security/lockdown cannot be read (no lockdown, or securityfs is not mounted)");
	else if (strstr(text, "[confidentiality]") != NULL)
		box_say(r, BOX_FAIL, "lockdown=integrity on the kernel's command line", "the kernel is locked down for confidentiality: neither uprobes nor the BPF programs work");
	else if (strstr(text, "[integrity]") != NULL)
		box_say(r, BOX_WARN, "ports by AF_XDP or AF_PACKET, or no Secure Boot", "the kernel is locked down for integrity (Secure Boot): vfio without an IOMMU is refused");
	else
		box_say(r, BOX_PASS, NULL, "the kernel is not locked down");
}

static void
uprobes(const struct box *b, struct box_result *r)
{
	if (!sysfs_exists(&b->fs, "/sys/bus/event_source/devices"))
		box_say(r, BOX_UNKNOWN, NULL, "/sys/bus/event_source/devices cannot be read");
	else if (sysfs_exists(&b->fs, "/sys/bus/event_source/devices/uprobe"))
		box_say(r, BOX_PASS, NULL, "the kernel has uprobes, for sentinel-keys");
	else
		box_say(r, BOX_WARN, "a kernel with CONFIG_UPROBE_EVENTS, or a key log", "the kernel has no uprobes: sentinel-keys reads no secrets of a running node");
}

static void
clsact(const struct box *b, struct box_result *r)
{
	static char text[4u << 20];
	struct utsname u;
	if (sysfs_exists(&b->fs, "/sys/module/sch_ingress")) {
		box_say(r, BOX_PASS, NULL, "the kernel has clsact, for sentinel-tap");
		return;
	}
	static const char *const lists[] = {"modules.builtin", "modules.dep"};
	bool read = false;
	uname(&u);
	for (size_t i = 0; i < 2; i++) {
		if (sysfs_text(&b->fs, text, sizeof text, "/lib/modules/%s/%s", u.release, lists[i]) <= 0)
			continue;
		read = true;
		if (strstr(text, "sch_ingress") == NULL)
			continue;
		box_say(r, BOX_PASS, NULL, "the kernel has clsact, for sentinel-tap");
		return;
	}
	if (!read)
		box_say(r, BOX_UNKNOWN, NULL, "whether the kernel has clsact, which sentinel-tap needs, stands nowhere (/lib/modules/%s)", u.release);
	else
		box_say(r, BOX_WARN, "a kernel with CONFIG_NET_SCH_INGRESS (Debian's has it)", "the kernel has no clsact: sentinel-tap will not work");
}

static const struct box_check checks[] = {
	{"kernel.xdp", xdp, false},
	{"kernel.btf", btf, false},
	{"kernel.bpf", unprivileged, false},
	{"kernel.lockdown", lockdown, false},
	{"kernel.uprobes", uprobes, false},
	{"kernel.clsact", clsact, false},
};
const struct box_group box_kernel_group = {checks, sizeof checks / sizeof checks[0]};
