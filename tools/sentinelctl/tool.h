/* SPDX-License-Identifier: BSD-3-Clause */
/* tool: the programs that sentinelctl runs for offline work, sentinel-dataplane and sentinel-rulec: finding them beside itself (installed,
 * or in a build folder), running them as children that share its terminal, and a temporary folder that is gone afterwards, also after
 * Ctrl-C. */
#ifndef SENTINELCTL_TOOL_H
#define SENTINELCTL_TOOL_H

#include <stddef.h>

#define TOOL_PATH_MAX 4096

/* tool_find writes the path of program `name` to out. 0, or -ENOENT after a sentence on stderr. */
int tool_find(const char *name, char out[TOOL_PATH_MAX]);

/* tool_packs writes the path of the shipped signature sets to out. 0, or -ENOENT after a sentence on stderr. */
int tool_packs(char out[TOOL_PATH_MAX]);

/* tool_run runs argv (argv[0] a program's name as for tool_find, NULL at the end) to its end. `log`: the file that its output goes to instead
 * of ours, or NULL. SIGINT, SIGTERM and SIGHUP are passed on. Returns its exit status, 128 + n if signal n ended it or us, 1 if it could not be started (said on stderr). */
int tool_run(char *const argv[], const char *log);

/* tool_stopped: the signal that asked us to end while a child ran, or 0. */
int tool_stopped(void);

/* tool_with_bundle compiles the rule set at `rules` (NULL: the shipped packs) into a temporary bundle, runs argv with "--bundle FILE" in its words
 * `at` and `at` + 1, and removes the bundle. Returns the exit status as tool_run does. */
int tool_with_bundle(const char *rules, char **argv, size_t at);

#endif
