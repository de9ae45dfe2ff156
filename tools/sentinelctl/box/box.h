/* SPDX-License-Identifier: BSD-3-Clause */
/* box: whether a machine is fit to be a sentinel box. One table of checks (box_groups), a file a group; each check looks at one thing and says pass, warn, fail or,
 * where it could not look, unknown with the reason, in one sentence and with the command that mends it. No DPDK: files below /proc and /sys, a few
 * calls into the kernel, which tests replace. */
#ifndef SENTINELCTL_BOX_H
#define SENTINELCTL_BOX_H

#include "io/kernel_port.h"
#include "io/sysfs.h"
#include "worker/topology.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOX_CPU_WORDS 16u /* CPUs 0..1023 */
#define BOX_NODE_PORTS "[8545, 8546, 8551, 30303]" /* HTTP, WebSocket, engine API and RLPx, as nodes have them unless told otherwise */

enum box_verdict { BOX_PASS, BOX_WARN, BOX_FAIL, BOX_UNKNOWN };

struct box_result {
	enum box_verdict verdict;
	char text[320];
	char fix[320]; /* empty: nothing to mend */
};

/* What looking at an interface for some seconds shows. */
struct box_seen {
	uint64_t frames, tcp, two_way, one_way, repeated; /* connections with payload in both directions, in one; frames seen twice */
};

/* Calls that need a live kernel. Each returns 0, or -errno: then the check is unknown. */
struct box_calls {
	int (*clock_synced)(bool *synced, int64_t *error_us);
	int (*sync_us)(const char *folder, uint64_t *median_us, uint64_t *longest_us);
	int (*xdp_socket)(void); /* can one be made */
	int (*offloads)(const char *interface, bool *gro, bool *lro);
	enum kernel_rss (*rss)(const char *interface);
	int (*watch)(const char *interface, unsigned seconds, struct box_seen *seen);
	bool (*root)(void);
};
extern const struct box_calls box_kernel;

struct box {
	struct sysfs fs;
	const struct box_calls *calls;
	struct topology t; /* of the profile, or the default */
	bool profile;	   /* there is one */
	const char *journal; /* folder */
	char drivers[256];   /* of DPDK; empty: not found */
	unsigned watch_s;    /* 0: only a running box is asked; else what was seen in so many seconds: */
	struct box_seen seen;
	int seen_rc; /* or why nothing was */
	const json_t *status;  /* of a running box; NULL: none runs */
	char cpuinfo[8192];
	const struct topology_port *port; /* the one that a check of ports is for */
};

struct box_check {
	const char *name; /* "cpu.hyperscan" */
	void (*run)(const struct box *b, struct box_result *r);
	bool per_port;
};

struct box_group {
	const struct box_check *check;
	size_t n;
};
extern const struct box_group box_cpu, box_memory, box_nic, box_clock, box_kernel_group, box_mirror;

/* box_say fills a result; fix may be NULL. */
__attribute__((format(printf, 4, 5))) void box_say(struct box_result *r, enum box_verdict v, const char *fix, const char *fmt, ...);

/* box_cpu_list writes a set as "2-3,8". */
void box_cpu_list(const uint64_t *set, char *out, size_t cap);

/* box_cpu_node: the NUMA node of a CPU, -1 if it is not known. */
int box_cpu_node(const struct box *b, uint32_t cpu);

/* box_port_node: that of a port's device. */
int box_port_node(const struct box *b, const struct topology_port *p);

/* box_leads_away: whether this machine's default route goes by an interface, which then is hardly a mirror's. */
bool box_leads_away(const struct box *b, const char *interface);

/* box_need_mb: about how much memory of huge pages a profile takes. */
uint64_t box_need_mb(const struct topology *t);

/* box_find fills in what the checks share: cpuinfo, the folder of drivers. */
void box_find(struct box *b);

/* box_init writes a profile for this machine as YAML text with comments (malloc'd), for the interface, or one that it finds (NULL). */
char *box_init_text(const struct box *b, const char *interface);

#endif
