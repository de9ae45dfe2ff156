/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/rulec_sandbox.h"

#include "abi/confine_lines.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* clang-format off */
static const struct confine_call calls[] = {
	USUAL("openat", "packs are read; the bundle is made, by Landlock in its folder alone"),
	USUAL("read", "the same"),
	USUAL("close", "the same"),
	USUAL("newfstatat", "whether a path is a folder, how long a file is"),
	SOME("getdents64", "a folder of packs is listed"),
	SOME("lseek", "the same, and what was read too far"),
	SOME("write", "the bundle; what is wrong with the rules"),
	SOME("fchmod", "others may read the bundle"),
	SOME("fsync", "it is on the disk before it has its name"),
	SOME("rename", "it takes the place of the one before"),
	RARE("unlink", "what could not be written whole is taken away"),
	SOME("readlink", "a link stays one: what it names is replaced"),
	RARE("getcwd", "the same, for a path from here"),
	SOME("getrandom", "a name that nobody else uses meanwhile; keys of tables"),
	USUAL("mmap", "the heap; never to be executed", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	SOME("munmap", "the same is given back"),
	SOME("mremap", "a large block of the heap grows"),
	RARE("mprotect", "the heap shrinks or grows; nothing becomes executable", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	RARE("madvise", "the heap gives pages back"),
	USUAL("brk", "the heap grows or shrinks"),
	SOME("sysinfo", "how much memory sorting may take"),
	SOME("ioctl", "whether standard output is a terminal", CONFINE_INT(1, "request", TCGETS)),
	RARE("futex", "locks of the C++ library, when something is thrown"),
	RARE("clock_gettime", "the time, on machines whose clock cannot be read without the kernel"),
	RARE("writev", "the C library's last words before it aborts"),
	RARE("rt_sigprocmask", "abort()"),
	RARE("getpid", "the same"),
	RARE("gettid", "the same"),
	RARE("tgkill", "the same: a signal to itself alone", CONFINE_OWN(0, "tgid")),
	RARE("rt_sigaction", "the same", CONFINE_INT(0, "sig", SIGABRT)),
	USUAL("exit_group", "the end"),
};
/* clang-format on */

const struct confine_table rulec_sandbox_table = {
	.program = "sentinel-rulec",
	.after = "once its command line is read, before it looks at a rule",
	.call = calls,
	.n = sizeof calls / sizeof calls[0],
};

int
rulec_sandbox_enter(const char *output, char *err, size_t cap)
{
	char target[PATH_MAX], folder[PATH_MAX];
	if (confine_sanitized())
		return 0;
	struct confine_path paths[] = {{"/", CONFINE_READ}, {folder, CONFINE_WRITE}, {target, CONFINE_WRITE}};
	unsigned n = 1;
	if (output != NULL && strcmp(output, "-") != 0) {
		if (realpath(output, target) == NULL)
			snprintf(target, sizeof target, "%s", output);
		strcpy(folder, target);
		paths[1].path = dirname(folder);
		n = 3;
	}
	int rc = confine_paths(paths, n, err, cap);
	return rc < 0 ? rc : confine_calls(&rulec_sandbox_table, 0, err, cap);
}
