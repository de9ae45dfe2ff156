/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* ---- command line and signals ---- */

int
tool_bad(const struct tool_command *c, const char *what, const char *arg)
{
	fprintf(stderr, "sentinelctl %s: %s%s%s (sentinelctl %s --help shows what there is)\n", c->name, what, arg ? ": " : "", arg ? arg : "", c->name);
	return 2;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The option that `word` is, or whose value it becomes. NULL: there is none. */
static const struct tool_option *
find_option(const char *word, const struct tool_option *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (known[i].flag != NULL ? strcmp(word, known[i].flag) == 0 : word[0] != '-' && *known[i].value == NULL)
			return &known[i];
	return NULL;
}

/* The first word that is no option, NULL before it came. */
static const char *
verb_of(const struct tool_option *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (known[i].flag == NULL)
			return *known[i].value;
	return NULL;
}

int
tool_options(int argc, char **argv, const struct tool_command *c, const struct tool_option *known, size_t n)
{
	bool help = false;
	for (int i = 1; i < argc; i++) {
		const struct tool_option *o = find_option(argv[i], known, n);
		const char *verb = verb_of(known, n);
		if (is_help(argv[i]))
			help = true;
		else if (o == NULL)
			return tool_bad(c, argv[i][0] == '-' ? "unknown option" : c->surplus != NULL ? c->surplus : "unexpected argument", argv[i]);
		else if (o->verb != 0 && verb != NULL && verb[0] != o->verb)
			return tool_bad(c, c->foreign, argv[i]);
		else if (o->set != NULL)
			*o->set = true;
		else if (o->flag == NULL)
			*o->value = argv[i];
		else if (++i < argc)
			*o->value = argv[i];
		else
			return tool_bad(c, "needs a value", o->flag);
	}
	if (help)
		fputs(c->usage, stdout);
	return help ? 0 : TOOL_GO_ON;
}

volatile sig_atomic_t tool_stop;

static void
on_signal(int sig)
{
	(void)sig;
	tool_stop = 1;
}

void
tool_catch(int flags)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* ---- other programs ---- */

static volatile sig_atomic_t child, stopped;

static void
pass_on(int sig)
{
	int e = errno;
	stopped = sig;
	if (child > 0)
		kill(child, sig);
	errno = e;
}

/* The folder that this program lies in. */
static int
own_folder(char out[PATH_BYTES])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_BYTES - 1);
	if (n <= 0)
		return -ENOENT;
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (slash != NULL)
		*slash = '\0';
	return 0;
}

/* The path of program `name`. 0, or -ENOENT after a sentence on stderr. */
static int
find_program(const char *name, char out[PATH_BYTES])
{
	/* installed, or in a build folder */
	static const char *const where[] = {"", "/../sbin", "/../../dataplane/io", "/../../rules", NULL};
	char folder[PATH_BYTES] = "?";
	int rc = -ENOENT;
	if (own_folder(folder) == 0) {
		for (const char *const *w = where; *w != NULL && rc != 0; w++) {
			int n = snprintf(out, PATH_BYTES, "%s%s/%s", folder, *w, name);
			rc = n > 0 && n < PATH_BYTES && access(out, X_OK) == 0 ? 0 : -ENOENT;
		}
	}
	if (rc != 0)
		fprintf(stderr, "sentinelctl: cannot find %s beside %s/sentinelctl; build or install the whole of mempool-sentinel\n", name,
			folder);
	return rc;
}

/* The path of the shipped signature sets. 0, or -ENOENT after a sentence on stderr. */
static int
find_packs(char out[PATH_BYTES])
{
	char folder[PATH_BYTES];
	struct stat st;
	if (own_folder(folder) == 0) {
		int n = snprintf(out, PATH_BYTES, "%s/../share/sentinel/packs", folder);
		if (n > 0 && n < PATH_BYTES && stat(out, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
	}
	_Static_assert(sizeof SENTINEL_PACKS <= PATH_BYTES, "the source tree's path");
	memcpy(out, SENTINEL_PACKS, sizeof SENTINEL_PACKS);
	if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	fprintf(stderr, "sentinelctl: cannot find the shipped signature sets; name a folder with --rules\n");
	return -ENOENT;
}

static void
become(const char *path, char *const argv[], const char *log, const sigset_t *mask)
{
	int fd = log != NULL ? open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	for (const int *s = (const int[]){SIGINT, SIGTERM, SIGHUP, 0}; *s != 0; s++)
		signal(*s, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execv(path, argv);
	fprintf(stderr, "sentinelctl: cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

static int
status_of(int status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	int code = WEXITSTATUS(status);
	return code == 127 ? 1 : code;
}

int
tool_run(char *const argv[], const char *log)
{
	char path[PATH_BYTES];
	struct sigaction sa = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
	sigset_t block, mask;
	int status = 0;
	if (find_program(argv[0], path) != 0)
		return 1;
	sigemptyset(&block);
	for (const int *s = (const int[]){SIGINT, SIGTERM, SIGHUP, 0}; *s != 0; s++) {
		sigaddset(&block, *s);
		sigaction(*s, &sa, NULL);
	}
	/* blocked until the child's id is known, so that no signal is lost between */
	sigprocmask(SIG_BLOCK, &block, &mask);
	pid_t pid = stopped ? -1 : fork();
	if (pid == 0)
		become(path, argv, log, &mask);
	child = pid;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0) {
		if (!stopped)
			fprintf(stderr, "sentinelctl: cannot start %s: %s\n", path, strerror(errno));
		return stopped ? 128 + stopped : 1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	return stopped ? 128 + stopped : status_of(status);
}

static void
show(const char *path)
{
	char text[4096];
	size_t n;
	FILE *f = fopen(path, "re");
	while (f != NULL && (n = fread(text, 1, sizeof text, f)) > 0)
		fwrite(text, 1, n, stderr);
	if (f != NULL)
		fclose(f);
}

static int
compile_and_run(const char *rules, const char *bundle, const char *log, char **argv, size_t at)
{
	char *const compile[] = {"sentinel-rulec", "compile", (char *)(uintptr_t)rules, "-o", (char *)(uintptr_t)bundle, NULL};
	int rc = tool_run(compile, log);
	if (rc != 0) {
		show(log);
		return rc;
	}
	argv[at] = "--bundle";
	argv[at + 1] = (char *)(uintptr_t)bundle;
	return tool_run(argv, NULL);
}

int
tool_with_bundle(const char *rules, char **argv, size_t at)
{
	char packs[PATH_BYTES], folder[PATH_BYTES], bundle[PATH_BYTES + 16], log[PATH_BYTES + 16];
	const char *tmp = getenv("TMPDIR");
	if (rules == NULL) {
		if (find_packs(packs) != 0)
			return 1;
		rules = packs;
	}
	if (snprintf(folder, sizeof folder, "%s/sentinelctl-XXXXXX", tmp && *tmp ? tmp : P_tmpdir) >= (int)sizeof folder ||
		mkdtemp(folder) == NULL) {
		fprintf(stderr, "sentinelctl: cannot make a temporary folder in %s: %s\n", tmp && *tmp ? tmp : P_tmpdir, strerror(errno));
		return 1;
	}
	snprintf(bundle, sizeof bundle, "%s/rules.bundle", folder);
	snprintf(log, sizeof log, "%s/rulec.log", folder);
	int rc = compile_and_run(rules, bundle, log, argv, at);
	unlink(bundle);
	unlink(log);
	if (rmdir(folder) != 0)
		fprintf(stderr, "sentinelctl: cannot remove %s: %s\n", folder, strerror(errno));
	return rc;
}
