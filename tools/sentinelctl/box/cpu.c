/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <stdlib.h>
#include <string.h>

static bool
has_flag(const struct box *b, const char *flag)
{
	size_t len, n = strlen(flag);
	const char *s = sysfs_word(b->cpuinfo, "flags", &len);
	for (const char *end = s + len; s != NULL && s < end;) {
		size_t word = strcspn(s, " \n");
		if (word == n && strncmp(s, flag, n) == 0)
			return true;
		s += word + (s[word] == ' ');
		if (word == 0)
			break;
	}
	return false;
}

static void
hyperscan(const struct box *b, struct box_result *r)
{
	if (b->cpuinfo[0] == '\0')
		box_say(r, BOX_UNKNOWN, NULL, "/proc/cpuinfo cannot be read");
	else if (!has_flag(b, "ssse3"))
		box_say(r, BOX_FAIL, "run it on an x86-64 CPU of the last fifteen years", "the CPU has no SSSE3, without which Hyperscan does not run");
	else if (!has_flag(b, "avx2"))
		box_say(r, BOX_WARN, "in a virtual machine, pass the host's CPU through (-cpu host)",
			"the CPU has no AVX2: Hyperscan matches at about half the speed");
	else
		box_say(r, BOX_PASS, NULL, "SSSE3 and AVX2%s: Hyperscan at its full speed", has_flag(b, "avx512bw") ? " and AVX-512" : "");
}

static void
tsc(const struct box *b, struct box_result *r)
{
	if (b->cpuinfo[0] == '\0')
		box_say(r, BOX_UNKNOWN, NULL, "/proc/cpuinfo cannot be read");
	else if (!has_flag(b, "constant_tsc") && !has_flag(b, "nonstop_tsc"))
		box_say(r, BOX_FAIL, "in a virtual machine, let it see an invariant TSC (-cpu host,+invtsc)",
			"the CPU's counter changes its speed and stops: times of frames would be wrong");
	else if (!has_flag(b, "constant_tsc") || !has_flag(b, "nonstop_tsc"))
		box_say(r, BOX_WARN, "in a virtual machine, let it see an invariant TSC (-cpu host,+invtsc)",
			"the CPU does not say that its counter is invariant: times may be off by some microseconds between two adjustments");
	else
		box_say(r, BOX_PASS, NULL, "the CPU's counter is invariant");
}

static void
waits(const struct box *b, struct box_result *r)
{
	if (b->t.idle != IDLE_PAUSE)
		box_say(r, BOX_PASS, NULL, "the profile does not ask for idle: pause");
	else if (has_flag(b, "waitpkg"))
		box_say(r, BOX_PASS, NULL, "the CPU can wait (WAITPKG) for idle: pause");
	else
		box_say(r, BOX_WARN, "idle: spin says what happens", "idle: pause needs WAITPKG, which this CPU has not: workers will poll on");
}

/* CPUs of the profile that poll. */
static void
polling(const struct box *b, uint64_t set[BOX_CPU_WORDS])
{
	memset(set, 0, BOX_CPU_WORDS * sizeof *set);
	for (uint32_t i = 0; i < b->t.workers; i++)
		set[b->t.worker_cpu[i] / 64 % BOX_CPU_WORDS] |= 1ull << (b->t.worker_cpu[i] % 64);
	set[b->t.correlator_cpu / 64 % BOX_CPU_WORDS] |= 1ull << (b->t.correlator_cpu % 64);
}

static void
present(const struct box *b, struct box_result *r)
{
	char text[256], err[256];
	uint64_t set[BOX_CPU_WORDS];
	uint32_t n = 0;
	if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/online") <= 0 || !sysfs_cpus(text, set, BOX_CPU_WORDS)) {
		box_say(r, BOX_UNKNOWN, NULL, "/sys/devices/system/cpu/online cannot be read");
		return;
	}
	for (uint32_t c = 0; c < BOX_CPU_WORDS * 64; c++)
		n = set[c / 64] >> (c % 64) & 1 ? c + 1 : n;
	if (topology_check(&b->t, n, err, sizeof err) != 0)
		box_say(r, BOX_FAIL, "change the profile (sentinelctl box init shows one for this machine)", "%s", err);
	else if (n < 2)
		box_say(r, BOX_WARN, "two CPUs or more", "one CPU: worker, correlator and the kernel take turns");
	else
		box_say(r, BOX_PASS, NULL, "CPUs %s are online, and the profile's are among them", text);
}

static bool
in_list(const struct box *b, const char *path, const char *argument, const uint64_t *want, char *missing, size_t cap)
{
	char text[4096] = "";
	uint64_t have[BOX_CPU_WORDS], lack[BOX_CPU_WORDS], any = 0;
	if (path != NULL) {
		if (sysfs_text(&b->fs, text, sizeof text, "%s", path) < 0)
			text[0] = '\0';
	} else {
		char line[4096];
		const char *at = sysfs_text(&b->fs, line, sizeof line, "/proc/cmdline") > 0 ? strstr(line, argument) : NULL;
		if (at != NULL)
			snprintf(text, sizeof text, "%.*s", (int)strcspn(at + strlen(argument), " "), at + strlen(argument));
	}
	if (strcmp(text, "all") == 0)
		return true;
	if (!sysfs_cpus(text, have, BOX_CPU_WORDS))
		memset(have, 0, sizeof have);
	for (size_t i = 0; i < BOX_CPU_WORDS; i++)
		any |= lack[i] = want[i] & ~have[i];
	box_cpu_list(lack, missing, cap);
	return any == 0;
}

static void
isolation(const struct box *b, struct box_result *r)
{
	uint64_t want[BOX_CPU_WORDS];
	char list[256], isolated[256] = "", ticking[256] = "", rcu[256] = "", fix[320];
	if (b->t.idle == IDLE_SLEEP) {
		box_say(r, BOX_PASS, NULL, "idle: sleep needs no CPUs of its own%s", b->profile ? "" : " (no profile: the embedded one)");
		return;
	}
	polling(b, want);
	box_cpu_list(want, list, sizeof list);
	if (!sysfs_exists(&b->fs, "/sys/devices/system/cpu/isolated")) {
		box_say(r, BOX_UNKNOWN, NULL, "/sys/devices/system/cpu/isolated cannot be read");
		return;
	}
	snprintf(fix, sizeof fix, "boot with isolcpus=%.60s nohz_full=%.60s rcu_nocbs=%.60s (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)", list, list, list);
	bool alone = in_list(b, "/sys/devices/system/cpu/isolated", NULL, want, isolated, sizeof isolated);
	bool quiet = in_list(b, "/sys/devices/system/cpu/nohz_full", NULL, want, ticking, sizeof ticking);
	bool no_rcu = in_list(b, NULL, "rcu_nocbs=", want, rcu, sizeof rcu);
	if (!alone)
		box_say(r, BOX_FAIL, fix, "CPUs %s poll and are not isolated: whatever else runs there holds frames up for milliseconds", isolated);
	else if (!quiet || !no_rcu)
		box_say(r, BOX_WARN, fix, "CPUs %s are isolated, but the kernel's %s still interrupts them", list, !quiet ? "tick" : "RCU work");
	else
		box_say(r, BOX_PASS, NULL, "CPUs %s are isolated, without tick and RCU work", list);
}

static void
siblings(const struct box *b, struct box_result *r)
{
	uint64_t want[BOX_CPU_WORDS], mates[BOX_CPU_WORDS];
	char text[256];
	bool known = false;
	polling(b, want);
	for (uint32_t i = 0; i < b->t.workers; i++) {
		uint32_t cpu = b->t.worker_cpu[i];
		if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu) <= 0 ||
			!sysfs_cpus(text, mates, BOX_CPU_WORDS))
			continue;
		known = true;
		for (uint32_t c = 0; c < BOX_CPU_WORDS * 64; c++) {
			if (c == cpu || ((mates[c / 64] & want[c / 64]) >> (c % 64) & 1) == 0)
				continue;
			box_say(r, b->t.idle == IDLE_SLEEP ? BOX_PASS : BOX_WARN, b->t.idle == IDLE_SLEEP ? NULL : "name one CPU of each core in cores.workers (lscpu -e)",
				"worker CPU %u shares its core with CPU %u, which the profile uses too%s", cpu, c,
				b->t.idle == IDLE_SLEEP ? " (idle: sleep)" : ": each gets about half of it");
			return;
		}
	}
	if (!known)
		box_say(r, BOX_UNKNOWN, NULL, "the kernel does not say which CPUs share a core");
	else
		box_say(r, BOX_PASS, NULL, "no worker shares its core with another one of the profile");
}

static void
governor(const struct box *b, struct box_result *r)
{
	char text[64];
	bool known = false;
	for (uint32_t i = 0; i < b->t.workers; i++) {
		uint32_t cpu = b->t.worker_cpu[i];
		if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu) <= 0)
			continue;
		known = true;
		if (strcmp(text, "performance") != 0) {
			box_say(r, BOX_WARN, "cpupower frequency-set -g performance", "the frequency governor of CPU %u is %s: its speed follows the load, late", cpu, text);
			return;
		}
	}
	box_say(r, BOX_PASS, NULL, known ? "the frequency governor of the workers' CPUs is performance" : "the kernel does not change the CPUs' frequency");
}

static void
realtime(const struct box *b, struct box_result *r)
{
	int64_t us;
	if (sysfs_number(&b->fs, &us, "/proc/sys/kernel/sched_rt_runtime_us") != 0)
		box_say(r, BOX_UNKNOWN, NULL, "/proc/sys/kernel/sched_rt_runtime_us cannot be read");
	else if (us == 0)
		box_say(r, BOX_FAIL, "sysctl -w kernel.sched_rt_runtime_us=950000", "real-time scheduling is switched off: sentinel-control --realtime cannot poll in time");
	else
		box_say(r, BOX_PASS, NULL, "real-time tasks may run %s", us < 0 ? "without limit" : "most of each second, which control's short turns do not use up");
}

static const struct box_check checks[] = {
	{"cpu.hyperscan", hyperscan, false},
	{"cpu.tsc", tsc, false},
	{"cpu.wait", waits, false},
	{"cpu.present", present, false},
	{"cpu.isolation", isolation, false},
	{"cpu.siblings", siblings, false},
	{"cpu.governor", governor, false},
	{"cpu.realtime", realtime, false},
};
const struct box_group box_cpu = {checks, sizeof checks / sizeof checks[0]};
