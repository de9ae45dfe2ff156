/* SPDX-License-Identifier: BSD-3-Clause */
/* tool: what the commands share. Their command line; the signals that end them; and the programs that sentinelctl runs for offline work,
 * sentinel-dataplane and sentinel-rulec: finding them beside itself (installed, or in a build folder), running them as children that share
 * its terminal, and a temporary folder that is gone afterwards, also after Ctrl-C. */
#ifndef SENTINELCTL_TOOL_H
#define SENTINELCTL_TOOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct tool_command {
	const char *name, *usage;
	const char *surplus; /* what is said of a word too many; NULL: "unexpected argument" */
	const char *foreign; /* and of an option behind a verb that is not its own, if there are any such */
};

/* tool_option: what a command line may hold. Where `set` is not NULL the option stands alone and makes it true, else *value becomes the word
 * after it; both are the caller's, and so are the words. Options without a flag take the words that are no options, in their order: *value is
 * NULL before. */
struct tool_option {
	const char *flag;
	const char **value;
	bool *set;
	char verb; /* first letter of the only one that it goes with; 0: of any */
};

#define TOOL_GO_ON (-1)

/* tool_options reads argv[1] on; --help and -h are of every command, and asked for once all is read. TOOL_GO_ON, or the status with which the
 * command ends: 0 the help is on stdout, 2 tool_bad has said what is wrong. */
int tool_options(int argc, char **argv, const struct tool_command *c, const struct tool_option *known, size_t n);

/* tool_bad says on stderr what is wrong with the command line, with the word `arg` if it is not NULL, and where the usage stands. Returns 2. */
int tool_bad(const struct tool_command *c, const char *what, const char *arg);

/* tool_stop: not 0 once SIGINT or SIGTERM has come after tool_catch, whose `flags` are those of sigaction. */
extern volatile sig_atomic_t tool_stop;
void tool_catch(int flags);

/* tool_run runs argv (argv[0] the name of one of those programs, NULL at the end) to its end. `log`: the file that its output goes to instead
 * of ours, or NULL. SIGINT, SIGTERM and SIGHUP are passed on. Returns its exit status, 128 + n if signal n ended it or us, 1 if it could not be started (said on stderr). */
int tool_run(char *const argv[], const char *log);

/* tool_with_bundle compiles the rule set at `rules` (NULL: the shipped packs) into a temporary bundle, runs argv with "--bundle FILE" in its words
 * `at` and `at` + 1, and removes the bundle. Returns the exit status as tool_run does. */
int tool_with_bundle(const char *rules, char **argv, size_t at);

#endif
