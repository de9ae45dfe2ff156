/* SPDX-License-Identifier: BSD-3-Clause */
/* commands: what sentinelctl can do, a row of the table in main.c and a file each. A command gets its own words, argv[0] its name;
 * results go to stdout, everything else to stderr. It returns the exit status: 0 done, 1 could not, 2 wrong command line. */
#ifndef SENTINELCTL_COMMANDS_H
#define SENTINELCTL_COMMANDS_H

int cmd_box(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_subscribe(int argc, char **argv);
int cmd_tx(int argc, char **argv);
int cmd_alerts(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/* command_suggest: the word of the NULL-ended list that `typed` probably meant, or NULL. */
const char *command_suggest(const char *typed, const char *const *words);

#endif
