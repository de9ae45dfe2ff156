/* SPDX-License-Identifier: BSD-3-Clause */
/* tool: the programs that sentinelctl runs for offline work, sentinel-dataplane and sentinel-rulec: finding them beside itself (installed,
 * or in a build folder), running them as children that share its terminal, and a temporary folder that is gone afterwards, also after
 * Ctrl-C. */
#ifndef SENTINELCTL_TOOL_H
#define SENTINELCTL_TOOL_H

#include <stddef.h>

/* tool_run runs argv (argv[0] the name of one of those programs, NULL at the end) to its end. `log`: the file that its output goes to instead
 * of ours, or NULL. SIGINT, SIGTERM and SIGHUP are passed on. Returns its exit status, 128 + n if signal n ended it or us, 1 if it could not be started (said on stderr). */
int tool_run(char *const argv[], const char *log);

/* tool_with_bundle compiles the rule set at `rules` (NULL: the shipped packs) into a temporary bundle, runs argv with "--bundle FILE" in its words
 * `at` and `at` + 1, and removes the bundle. Returns the exit status as tool_run does. */
int tool_with_bundle(const char *rules, char **argv, size_t at);

#endif
