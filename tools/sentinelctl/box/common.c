/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
box_say(struct box_result *r, enum box_verdict v, const char *fix, const char *fmt, ...)
{
	va_list ap;
	r->verdict = v;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof r->text, fmt, ap);
	va_end(ap);
	snprintf(r->fix, sizeof r->fix, "%s", fix != NULL ? fix : "");
}

void
box_cpu_list(const uint64_t *set, char *out, size_t cap)
{
	size_t at = 0;
	out[0] = '\0';
	for (uint32_t c = 0; c < BOX_CPU_WORDS * 64; c++) {
		if ((set[c / 64] >> (c % 64) & 1) == 0)
			continue;
		uint32_t last = c;
		while (last + 1 < BOX_CPU_WORDS * 64 && (set[(last + 1) / 64] >> ((last + 1) % 64) & 1) != 0)
			last++;
		int n = last > c ? snprintf(out + at, cap - at, "%s%u-%u", at > 0 ? "," : "", c, last) : snprintf(out + at, cap - at, "%s%u", at > 0 ? "," : "", c);
		if (n < 0 || (size_t)n >= cap - at)
			return;
		at += (size_t)n;
		c = last;
	}
}

int
box_cpu_node(const struct box *b, uint32_t cpu)
{
	char text[512];
	uint64_t set[BOX_CPU_WORDS];
	for (int node = 0; node < 64; node++)
		if (cpu < BOX_CPU_WORDS * 64 && sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/node/node%d/cpulist", node) > 0 &&
			sysfs_cpus(text, set, BOX_CPU_WORDS) && (set[cpu / 64] >> (cpu % 64) & 1) != 0)
			return node;
	return -1;
}

/* Measured with the embedded sizes, rounded up: a worker takes 160 MB and what its tables take beyond those; the correlator 250 MB; a queue's buffers 12 MB. */
uint64_t
box_need_mb(const struct topology *t)
{
	uint64_t tables = ((uint64_t)t->flows_max * 320 + (uint64_t)t->seen_entries * 16) >> 20;
	uint64_t buffers = (uint64_t)t->workers * (t->ports > 0 ? t->ports : 1) * (12 + 5 * t->workers);
	return 250 + t->workers * (160 + tables + t->pipe_mb + 16) + buffers;
}

void
box_find(struct box *b)
{
	glob_t g = {0};
	if (sysfs_text(&b->fs, b->cpuinfo, sizeof b->cpuinfo, "/proc/cpuinfo") < 0)
		b->cpuinfo[0] = '\0';
	char pattern[512];
	snprintf(pattern, sizeof pattern, "%s/usr/lib/*/dpdk/pmds-*", b->fs.root);
	if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc > 0)
		snprintf(b->drivers, sizeof b->drivers, "%.255s", g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
}

/* Lines of /proc/net/route begin with the interface, and its destination follows. */
static bool
default_by_ip4(const struct box *b, const char *interface, char text[SYSFS_TEXT_MAX])
{
	size_t n = strlen(interface);
	if (sysfs_text(&b->fs, text, SYSFS_TEXT_MAX, "/proc/net/route") <= 0)
		return false;
	for (const char *s = text; s != NULL; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (strncmp(s, interface, n) == 0 && strncmp(s + n, "\t00000000\t", 10) == 0)
			return true;
	}
	return false;
}

/* Those of ipv6_route begin with the destination and the length of its prefix, and end with the interface. */
static bool
default_by_ip6(const struct box *b, const char *interface, char text[SYSFS_TEXT_MAX])
{
	static const char everywhere[] = "00000000000000000000000000000000 00 ";
	size_t n = strlen(interface);
	if (sysfs_text(&b->fs, text, SYSFS_TEXT_MAX, "/proc/net/ipv6_route") <= 0)
		return false;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		size_t len = strlen(line);
		if (strncmp(line, everywhere, sizeof everywhere - 1) == 0 && len > n && line[len - n - 1] == ' ' && strcmp(line + len - n, interface) == 0)
			return true;
	}
	return false;
}

bool
box_leads_away(const struct box *b, const char *interface)
{
	static char text[SYSFS_TEXT_MAX];
	return default_by_ip4(b, interface, text) || default_by_ip6(b, interface, text);
}
