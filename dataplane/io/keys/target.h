/* SPDX-License-Identifier: BSD-3-Clause */
/* target: a node's program that shall be probed, for as long as sentinel-keys runs: it may be restarted (a probe belongs to the file, so every process of
 * it has it), replaced by a newer one (which is read and probed in its turn), or not be there yet.
 *
 * A probe is a breakpoint at an offset in a file. In a file whose content is changed in place it would hit the middle of an instruction of
 * whatever is there then, and end the node; so it is taken out as soon as anybody writes. */
#ifndef IO_KEYS_TARGET_H
#define IO_KEYS_TARGET_H

#include "io/keys/probe.h"

#include <limits.h>

#define TARGET_LINKS 4u /* files that had the name and may run still */

struct target_link {
	struct bpf_link *link;
	struct program_id id;
	int watch;
};

struct target {
	char path[PATH_MAX];
	unsigned pid; /* as it was told; 0: by path */
	struct target_link link[TARGET_LINKS];
	unsigned next;
	bool looked, done;
	struct program_id seen, done_id; /* at the last look; that there is nothing more to do for */
	char said[512];
	void (*say)(const char *sentence);
};

/* target_init takes what --geth says, a path or the number of a process. 0, or -errno with err: no such process. */
int target_init(struct target *t, const char *arg, void (*say)(const char *sentence), char *err, size_t cap);

/* target_turn looks at the file and places or takes out what is to be; every second or so. inotify: for target_written. 0: it is probed, or is
 * waited for; -errno: it was read, and cannot be probed (said). */
int target_turn(struct target *t, struct probe *p, int inotify);

/* target_written: inotify has told that somebody writes to a watched file. */
void target_written(struct target *t, int inotify, int watch);

bool target_probed(const struct target *t);
void target_close(struct target *t, int inotify);

#endif
